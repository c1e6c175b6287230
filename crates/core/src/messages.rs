//! The words of an error, for hosts without a page: the command line, and a window that cannot open.

use serde_json::Value;

use crate::error::WireError;
use crate::words::{Language, Locale, Words};

/// What each error code says. Why a value is none says the same in a form and in a report.
pub static ERRORS: Locale = Locale::new(
    include_str!("../../../assets/locales/zh-CN/errors.json"),
    include_str!("../../../assets/locales/en/errors.json"),
);

/// What to tell a person about `error`: what happened, what to do, and which fields were refused.
pub fn of_error(language: Language, error: &WireError) -> String {
    of_json(language, &serde_json::to_value(error).unwrap_or_default())
}

/// The same for an error that has already become JSON, such as a job's.
pub fn of_json(language: Language, error: &Value) -> String {
    let words = ERRORS.of(language);
    let mut text = message(words, error);
    for refused in error.get("fields").and_then(Value::as_array).into_iter().flatten() {
        let field = refused.get("field").and_then(Value::as_str).unwrap_or_default();
        text.push_str(&format!(" {field}: {}", message(words, refused)));
    }
    text
}

fn message(words: &Words, error: &Value) -> String {
    let code = error.get("code").and_then(Value::as_str).unwrap_or("internal");
    words.filled_from(code, error.get("params").unwrap_or(&Value::Null))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Language, of_json};

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
