#![allow(clippy::unwrap_used, clippy::expect_used)]

use serde_json::json;

use crate::testing::Desk;

#[test]
fn a_setting_is_kept_and_the_others_stay_at_their_defaults() {
    let desk = Desk::new();
    let mut settings = desk.call("settings_get", json!({}));
    settings["area_code"] = json!("755");
    desk.call("settings_save", settings.clone());
    assert_eq!(desk.call("settings_get", json!({})), settings);
    assert_eq!(settings["max_attempts"], 3);
}

#[test]
fn a_dial_template_that_opens_anything_else_is_refused() {
    let desk = Desk::new();
    let mut settings = desk.call("settings_get", json!({}));
    settings["dial_template"] = json!("file:///{number}");
    let error = desk.app.call("settings_save", settings).unwrap_err();
    assert_eq!(error.fields[0].field, "dial_template");
}
