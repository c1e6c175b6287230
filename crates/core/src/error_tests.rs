#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeMap;

use aftercare_domain::error_code::ErrorCode;

#[test]
fn every_code_has_a_message_in_both_languages() {
    for language in ["zh-CN", "en"] {
        let path = format!("{}/../../assets/locales/{language}/errors.json", env!("CARGO_MANIFEST_DIR"));
        let messages: BTreeMap<String, String> =
            serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        for code in ErrorCode::ALL {
            let message = messages.get(code.as_str());
            assert!(message.is_some_and(|text| !text.trim().is_empty()), "{language}: {}", code.as_str());
        }
    }
}
