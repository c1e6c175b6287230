//! Words for what leaves the program as a file: workbooks and reports. They come from the same
//! locale files as the window's; Rust code holds keys only.

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

    /// The text at a key with `{name}` replaced.
    pub fn filled(&self, key: &str, params: &[(&str, &str)]) -> String {
        params.iter().fold(self.text(key).to_owned(), |text, (name, value)| {
            text.replace(&format!("{{{name}}}"), value)
        })
    }
}
