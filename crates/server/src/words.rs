//! The words of the command line: `assets/locales/*/server.json`.

use serde_json::Value;

const CHINESE: &str = include_str!("../../../assets/locales/zh-CN/server.json");
const ENGLISH: &str = include_str!("../../../assets/locales/en/server.json");

/// One language's words.
pub struct Words(Value);

impl Words {
    /// In the language of `LC_ALL`, `LC_MESSAGES` or `LANG`; Chinese unless that says English.
    pub fn of_system() -> Self {
        let named = ["LC_ALL", "LC_MESSAGES", "LANG"]
            .iter()
            .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()));
        Self::read(if named.is_some_and(|name| name.starts_with("en")) { ENGLISH } else { CHINESE })
    }

    fn read(json: &str) -> Self {
        Self(serde_json::from_str(json).unwrap_or(Value::Null))
    }

    /// The text of a key with its parameters filled in; the key itself when there is none.
    pub fn text(&self, key: &str, params: &[(&str, &str)]) -> String {
        let text = self.0.get(key).and_then(Value::as_str).unwrap_or(key);
        params.iter().fold(text.to_owned(), |text, (name, value)| text.replace(&format!("{{{name}}}"), value))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use aftercare_sync::door::ProblemCode;

    fn keys(words: &Words) -> Vec<String> {
        words.0.as_object().unwrap().keys().cloned().collect()
    }

    #[test]
    fn both_languages_say_the_same_things_and_every_failure_has_words() {
        let (chinese, english) = (Words::read(CHINESE), Words::read(ENGLISH));
        assert_eq!(keys(&chinese), keys(&english));
        for code in ProblemCode::ALL {
            let key = format!("failed_{}", code.as_str());
            assert!(english.0.get(&key).is_some(), "{key}");
        }
        for code in crate::failure::CODES {
            assert!(english.0.get(format!("failed_{code}")).is_some(), "{code}");
        }
    }
}
