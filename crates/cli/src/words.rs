//! The command line's own words, from its locale files.

use aftercare_core::messages::fill;
use aftercare_core::words::Language;
use serde_json::Value;

const ZH: &str = include_str!("../../../assets/locales/zh-CN/cli.json");
const EN: &str = include_str!("../../../assets/locales/en/cli.json");

/// The words of `key`, `{name}` filled from `params`.
pub fn say(language: Language, key: &str, params: &[(&str, &str)]) -> String {
    let values: Vec<(&str, Value)> =
        params.iter().map(|(name, value)| (*name, Value::from(*value))).collect();
    fill(&table(language), key, values.iter().map(|(name, value)| (*name, value)))
}

/// The words of `key`, `{name}` filled from the fields of an answer.
pub fn say_with(language: Language, key: &str, answer: &Value) -> String {
    let fields = answer.as_object().into_iter().flatten();
    fill(&table(language), key, fields.map(|(name, value)| (name.as_str(), value)))
}

fn table(language: Language) -> Value {
    serde_json::from_str(match language {
        Language::Chinese => ZH,
        Language::English => EN,
    })
    .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use std::collections::BTreeMap;

    use super::{EN, ZH};

    #[test]
    fn both_languages_say_the_same_things() {
        let keys = |text| {
            let table: BTreeMap<String, String> = serde_json::from_str(text).unwrap();
            table.into_keys().collect::<Vec<_>>()
        };
        assert_eq!(keys(ZH), keys(EN));
    }
}
