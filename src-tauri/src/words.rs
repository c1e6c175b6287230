//! The few words the shell itself shows: the window's title, and what is said when the page cannot speak.

use aftercare_core::messages::fill;
use aftercare_core::words::Language;
use serde_json::Value;

const ZH: &str = include_str!("../../assets/locales/zh-CN/shell.json");
const EN: &str = include_str!("../../assets/locales/en/shell.json");

/// The window's title. It is the product's name and the same in each language.
pub const TITLE: &str = "随访台";

/// The words of `key` in the system's language, `{name}` placeholders filled from `params`.
pub fn words(key: &str, params: &[(&str, &str)]) -> String {
    let table: Value = serde_json::from_str(match Language::of_system() {
        Language::Chinese => ZH,
        Language::English => EN,
    })
    .unwrap_or_default();
    let values: Vec<(&str, Value)> =
        params.iter().map(|(name, value)| (*name, Value::from(*value))).collect();
    fill(&table, key, values.iter().map(|(name, value)| (*name, value)))
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
        assert!(keys(ZH).contains(&"start_failed".to_owned()));
    }
}
