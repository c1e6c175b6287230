//! The words of what is said without a page: workbooks, reports, the command line, a window that
//! cannot open. They come from the same locale files as the page's; Rust code holds keys only.

use std::sync::OnceLock;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use ts_rs::TS;

/// A language of the product.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
pub enum Language {
    /// 简体中文, the first.
    #[default]
    #[serde(rename = "zh-CN")]
    Chinese,
    /// English.
    #[serde(rename = "en")]
    English,
}

impl Language {
    /// The language that a POSIX locale name asks for (`LC_ALL`, then `LC_MESSAGES`, then `LANG`). Chinese unless it
    /// clearly says English: `C` and `POSIX` say nothing about the person.
    pub fn of_locale(locale: &str) -> Self {
        if locale.starts_with("en") { Self::English } else { Self::Chinese }
    }

    /// The language of this process's environment.
    pub fn of_system() -> Self {
        ["LC_ALL", "LC_MESSAGES", "LANG"]
            .iter()
            .filter_map(|name| std::env::var(name).ok())
            .find(|value| !value.is_empty())
            .map_or(Self::Chinese, |value| Self::of_locale(&value))
    }

    /// The key of this language in content (`{"zh": …, "en": …}`).
    pub fn content_key(self) -> &'static str {
        match self {
            Self::Chinese => "zh",
            Self::English => "en",
        }
    }
}

/// One locale file in each language, read when it is first asked for.
pub struct Locale {
    files: [&'static str; 2],
    read: [OnceLock<Words>; 2],
}

impl Locale {
    /// The two files as they are part of the program (`include_str!`).
    pub const fn new(chinese: &'static str, english: &'static str) -> Self {
        Self { files: [chinese, english], read: [OnceLock::new(), OnceLock::new()] }
    }

    /// The words in a language.
    pub fn of(&self, language: Language) -> &Words {
        let [chinese, english] = &self.read;
        match language {
            Language::Chinese => chinese.get_or_init(|| Words::read(self.files[0])),
            Language::English => english.get_or_init(|| Words::read(self.files[1])),
        }
    }

    /// Every key of a file, dotted, in order: both languages must have the same.
    pub fn keys(&self, language: Language) -> Vec<String> {
        let mut keys = Vec::new();
        collect_keys(&self.of(language).0, "", &mut keys);
        keys.sort();
        keys
    }
}

fn collect_keys(at: &Value, prefix: &str, keys: &mut Vec<String>) {
    match at.as_object() {
        Some(table) => table.iter().for_each(|(key, below)| {
            let dot = if prefix.is_empty() { "" } else { "." };
            collect_keys(below, &format!("{prefix}{dot}{key}"), keys);
        }),
        None => keys.push(prefix.to_owned()),
    }
}

/// The words of one locale file.
pub struct Words(Value);

impl Words {
    /// Reads a locale file that is part of the program (`include_str!`).
    pub fn read(json: &str) -> Self {
        Self(serde_json::from_str(json).unwrap_or_default())
    }

    /// The text at a dotted key; the key itself where the file has none (a test finds that).
    pub fn text<'a>(&'a self, key: &'a str) -> &'a str {
        self.find(key).unwrap_or(key)
    }

    /// The text at a dotted key, if there is one.
    pub fn find(&self, key: &str) -> Option<&str> {
        key.split('.').try_fold(&self.0, |at, part| at.get(part)).and_then(Value::as_str)
    }

    /// The keys and texts directly below a dotted key.
    pub fn group(&self, key: &str) -> Vec<(String, String)> {
        let found = key.split('.').try_fold(&self.0, |at, part| at.get(part)).and_then(Value::as_object);
        let texts = found.into_iter().flatten();
        texts.filter_map(|(name, text)| Some((name.clone(), text.as_str()?.to_owned()))).collect()
    }

    /// The text at a key with `{name}` replaced.
    pub fn filled(&self, key: &str, params: &[(&str, &str)]) -> String {
        params.iter().fold(self.text(key).to_owned(), |text, (name, value)| fill(&text, name, value))
    }

    /// The text at a key with each `{name}` replaced by the field of that name of a JSON object.
    pub fn filled_from(&self, key: &str, params: &Value) -> String {
        let fields = params.as_object().into_iter().flatten();
        fields.fold(self.text(key).to_owned(), |text, (name, value)| match value {
            Value::String(value) => fill(&text, name, value),
            other => fill(&text, name, &other.to_string()),
        })
    }
}

/// `text` with `{name}` replaced.
pub fn fill(text: &str, name: &str, value: &str) -> String {
    text.replace(&format!("{{{name}}}"), value)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Language, Locale, Words};

    #[test]
    fn only_an_english_locale_is_english() {
        assert_eq!(Language::of_locale("en_US.UTF-8"), Language::English);
        for locale in ["zh_CN.UTF-8", "C", "C.UTF-8", "POSIX", "de_DE"] {
            assert_eq!(Language::of_locale(locale), Language::Chinese, "{locale}");
        }
    }

    #[test]
    fn placeholders_are_filled() {
        let words = Words::read(r#"{ "login": { "again": "{name} 还可以试 {left} 次" } }"#);
        let said = "Alice 还可以试 4 次";
        assert_eq!(words.filled("login.again", &[("left", "4"), ("name", "Alice")]), said);
        assert_eq!(words.filled_from("login.again", &json!({ "left": 4, "name": "Alice" })), said);
        assert_eq!(words.filled_from("login.nothing", &json!({ "left": 4 })), "login.nothing");
    }

    #[test]
    fn each_language_has_its_file() {
        static GREETING: Locale =
            Locale::new(r#"{ "a": { "b": "早" } }"#, r#"{ "a": { "b": "Hi", "c": "?" } }"#);
        assert_eq!(GREETING.of(Language::Chinese).text("a.b"), "早");
        assert_eq!(GREETING.of(Language::English).text("a.b"), "Hi");
        assert_eq!(GREETING.keys(Language::Chinese), ["a.b"]);
        assert_eq!(GREETING.keys(Language::English), ["a.b", "a.c"]);
    }
}
