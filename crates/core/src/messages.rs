//! The words of an error, for hosts without a page: the command line, and a window that cannot open.
//!
//! The words themselves live in the locale files, as everything a user reads.

use serde_json::Value;

use crate::error::WireError;
use crate::words::Language;

const ZH: &str = include_str!("../../../assets/locales/zh-CN/errors.json");
const EN: &str = include_str!("../../../assets/locales/en/errors.json");

/// What to tell a person about `error`: what happened, what to do, and which fields were refused.
pub fn of_error(language: Language, error: &WireError) -> String {
    of_json(language, &serde_json::to_value(error).unwrap_or_default())
}

/// The same for an error that has already become JSON, such as a job's.
pub fn of_json(language: Language, error: &Value) -> String {
    let table: Value = serde_json::from_str(match language {
        Language::Chinese => ZH,
        Language::English => EN,
    })
    .unwrap_or_default();
    let mut text = message(&table, error);
    for refused in error.get("fields").and_then(Value::as_array).into_iter().flatten() {
        let field = refused.get("field").and_then(Value::as_str).unwrap_or_default();
        text.push_str(&format!(" {field}: {}", message(&table, refused)));
    }
    text
}

fn message(table: &Value, error: &Value) -> String {
    let code = error.get("code").and_then(Value::as_str).unwrap_or("internal");
    let params = error.get("params").and_then(Value::as_object).into_iter().flatten();
    fill(table, code, params.map(|(name, value)| (name.as_str(), value)))
}

/// The text of `key` with `{name}` filled from `params`; the key itself when it has none.
pub fn fill<'a>(table: &Value, key: &str, params: impl Iterator<Item = (&'a str, &'a Value)>) -> String {
    let mut text = table.get(key).and_then(Value::as_str).unwrap_or(key).to_owned();
    for (name, value) in params {
        let shown = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        text = text.replace(&format!("{{{name}}}"), &shown);
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Language, fill, of_json};

    #[test]
    fn only_an_english_locale_is_english() {
        assert_eq!(Language::of_locale("en_US.UTF-8"), Language::English);
        for locale in ["zh_CN.UTF-8", "C", "C.UTF-8", "POSIX", "de_DE"] {
            assert_eq!(Language::of_locale(locale), Language::Chinese, "{locale}");
        }
    }

    #[test]
    fn placeholders_are_filled() {
        let table = json!({ "wrong_password": "还可以试 {left} 次" });
        let left = json!(4);
        assert_eq!(fill(&table, "wrong_password", [("left", &left)].into_iter()), "还可以试 4 次");
    }

    #[test]
    fn refused_fields_are_named() {
        let error = json!({ "code": "invalid", "params": {}, "fields": [{ "field": "login", "code": "required", "params": {} }] });
        for language in [Language::Chinese, Language::English] {
            let text = of_json(language, &error);
            assert!(text.contains("login"), "{text}");
            assert!(!text.contains("invalid"), "a word, not the code: {text}");
        }
    }
}
