#![allow(clippy::unwrap_used, clippy::expect_used)]

use chrono::Duration;
use proptest::prelude::*;
use serde_json::json;

use super::{DATABASE_FILE, RecoveryCode};
use crate::testing::{Desk, PASSWORD};

#[test]
fn alice_sets_up_logs_in_locks_and_comes_back() {
    let desk = Desk::new();
    let status = desk.call("session_status", json!({}));
    assert_eq!(status["state"], "open");
    assert_eq!(status["user"]["login"], "alice");
    desk.call("session_lock", json!({}));
    assert_eq!(desk.call("session_status", json!({}))["state"], "locked");
    assert_eq!(desk.refused("settings_get", json!({})), "signed_out");
    desk.login("alice").unwrap();
    desk.call("settings_get", json!({}));
}

#[test]
fn a_second_set_up_is_refused() {
    let desk = Desk::new();
    let request =
        json!({ "hospital": "x", "site": "x", "login": "bob", "display_name": "Bob", "password": PASSWORD });
    assert_eq!(desk.refused("session_setup", request), "already_set_up");
}

#[test]
fn five_wrong_passwords_lock_alice_out_for_a_quarter_of_an_hour_across_restarts() {
    let desk = Desk::new();
    let wrong = json!({ "login": "alice", "password": "not it at all" });
    for left in (0..5).rev() {
        let error = desk.app.call("session_login", wrong.clone()).unwrap_err();
        assert_eq!((error.code.as_str(), &error.params["left"]), ("wrong_password", &json!(left)));
    }
    let again = desk.restarted();
    let right = json!({ "login": "alice", "password": PASSWORD });
    assert_eq!(again.call("session_login", right.clone()).unwrap_err().code.as_str(), "locked_out");
    desk.wait(Duration::minutes(-60));
    assert!(again.call("session_login", right.clone()).is_err(), "a clock set back opens nothing");
    desk.wait(Duration::minutes(15));
    again.call("session_login", right).unwrap();
}

#[test]
fn an_unknown_login_is_told_the_same_as_a_wrong_password() {
    let desk = Desk::new();
    assert_eq!(
        desk.refused("session_login", json!({ "login": "mallory", "password": PASSWORD })),
        "wrong_password"
    );
}

#[test]
fn the_recovery_code_gives_alice_a_new_password() {
    let desk = Desk::new();
    let typed = desk.recovery_code.to_lowercase().replace('-', " ");
    let request = json!({ "recovery_code": typed, "login": "alice", "new_password": "another password" });
    desk.call("session_recover", request);
    assert_eq!(
        desk.refused("session_login", json!({ "login": "alice", "password": PASSWORD })),
        "wrong_password"
    );
    desk.call("session_login", json!({ "login": "alice", "password": "another password" }));
    let wrong = RecoveryCode::random().unwrap().text();
    let request = json!({ "recovery_code": wrong, "login": "alice", "new_password": "another password" });
    assert_eq!(desk.refused("session_recover", request), "wrong_recovery_code");
}

#[test]
fn an_idle_desk_locks_and_a_touched_one_does_not() {
    let desk = Desk::new();
    desk.wait(Duration::seconds(299));
    desk.call("session_touch", json!({}));
    desk.wait(Duration::seconds(299));
    desk.app.tick();
    assert_eq!(desk.call("session_status", json!({}))["state"], "open");
    desk.wait(Duration::seconds(1));
    desk.app.tick();
    assert_eq!(desk.call("session_status", json!({}))["state"], "locked");
}

#[test]
fn what_alice_was_typing_comes_back_after_a_lock() {
    let desk = Desk::new();
    let draft = json!({ "answers": { "bp": "15" } });
    desk.call("settings_draft_save", json!({ "key": "followup:1", "body": draft }));
    desk.call("session_lock", json!({}));
    desk.login("alice").unwrap();
    assert_eq!(desk.call("settings_draft_load", json!({ "key": "followup:1" }))["body"], draft);
    desk.call("settings_draft_clear", json!({ "key": "followup:1" }));
    assert!(desk.call("settings_draft_load", json!({ "key": "followup:1" }))["body"].is_null());
}

#[test]
fn nothing_readable_lies_on_the_disk() {
    let desk = Desk::new();
    desk.call("settings_draft_save", json!({ "key": "k", "body": "canary-13800138000" }));
    for entry in std::fs::read_dir(desk.home.path()).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        let found = |needle: &[u8]| bytes.windows(needle.len()).any(|window| window == needle);
        assert!(!found(b"canary-13800138000") && !found(b"SQLite format 3") && !found(PASSWORD.as_bytes()));
    }
}

#[test]
fn a_set_up_cut_off_before_the_keys_can_be_done_again() {
    let desk = Desk::new();
    desk.call("session_lock", json!({}));
    for name in ["keys.json", "keys.twin.json"] {
        let _ = std::fs::remove_file(desk.home.path().join(name));
    }
    let app = desk.restarted();
    assert_eq!(app.call("session_status", json!({})).unwrap()["state"], "setup");
    let request = json!({ "hospital": "又一次", "site": "总院", "login": "bob", "display_name": "Bob", "password": PASSWORD });
    app.call("session_setup", request).unwrap();
    app.call("session_login", json!({ "login": "bob", "password": PASSWORD })).unwrap();
    assert!(desk.home.path().join(format!("{DATABASE_FILE}.unfinished")).exists());
}

#[test]
fn a_torn_key_file_falls_back_to_its_twin() {
    let desk = Desk::new();
    desk.login("alice").unwrap();
    std::fs::write(desk.home.path().join("keys.json"), "{\"version\":1,").unwrap();
    desk.restarted().call("session_login", json!({ "login": "alice", "password": PASSWORD })).unwrap();
}

/// The hospital has passwords changed every so many days.
fn limit_age(desk: &Desk, days: u32) {
    let mut settings = desk.call("settings_get", json!({}));
    settings["password_policy"]["max_age_days"] = json!(days);
    desk.call("settings_save", settings);
}

#[test]
fn after_ninety_days_alice_changes_her_password_before_anything_else() {
    let desk = Desk::new();
    limit_age(&desk, 90);
    desk.wait(Duration::days(90) - Duration::seconds(1));
    desk.login("alice").unwrap();
    assert!(desk.call("session_status", json!({}))["password_due"].is_null());
    desk.wait(Duration::seconds(1));
    desk.call("settings_get", json!({}));
    desk.login("alice").unwrap();
    let status = desk.call("session_status", json!({}));
    assert_eq!((&status["state"], &status["password_due"]), (&json!("open"), &json!("too_old")));
    for (command, request) in [
        ("settings_get", json!({})),
        ("staff_list", json!({})),
        ("archive_find", json!({ "query": "王", "limit": 5 })),
        ("session_new_recovery_code", json!({ "password": PASSWORD })),
    ] {
        assert_eq!(desk.refused(command, request), "password_due", "{command}");
    }
    desk.call("settings_draft_save", json!({ "key": "followup:1", "body": "so far" }));
    let change = |new: &str| json!({ "password": PASSWORD, "new_password": new });
    let same = desk.app.call("session_change_password", change(PASSWORD)).unwrap_err();
    assert_eq!(
        (same.fields[0].field.as_str(), same.fields[0].code.as_str()),
        ("new_password", "same_password")
    );
    assert_eq!(desk.refused("settings_get", json!({})), "password_due", "a refused change opens nothing");
    desk.call("session_change_password", change("another password"));
    assert!(desk.call("session_status", json!({}))["password_due"].is_null());
    desk.call("settings_get", json!({}));
    desk.wait(Duration::days(89));
    let login = json!({ "login": "alice", "password": "another password" });
    assert!(desk.call("session_login", login.clone())["password_due"].is_null());
    desk.wait(Duration::days(-400));
    assert!(desk.call("session_login", login)["password_due"].is_null(), "a clock set back asks for nothing");
}

#[test]
fn a_password_that_somebody_else_chose_is_changed_at_the_first_login_where_ages_are_limited() {
    let desk = Desk::new();
    let bob = desk.add("bob", &[aftercare_domain::access::Role::Nurse]);
    assert!(desk.login("bob").unwrap()["password_due"].is_null(), "no limit, no demand");
    desk.login("alice").unwrap();
    limit_age(&desk, 30);
    assert_eq!(desk.login("bob").unwrap()["password_due"], "given");
    desk.call("session_change_password", json!({ "password": PASSWORD, "new_password": "bob's own words" }));
    let own = json!({ "login": "bob", "password": "bob's own words" });
    assert!(desk.call("session_login", own)["password_due"].is_null());
    desk.login("alice").unwrap();
    desk.call("staff_reset_password", json!({ "id": bob["id"], "password": PASSWORD }));
    assert_eq!(desk.login("bob").unwrap()["password_due"], "given");
}

#[test]
fn a_password_chosen_with_the_recovery_code_counts_as_changed() {
    let desk = Desk::new();
    limit_age(&desk, 30);
    desk.wait(Duration::days(31));
    let request =
        json!({ "recovery_code": desk.recovery_code, "login": "alice", "new_password": "another password" });
    assert!(desk.call("session_recover", request)["password_due"].is_null());
    let login = json!({ "login": "alice", "password": "another password" });
    assert!(desk.call("session_login", login)["password_due"].is_null());
}

#[test]
fn an_age_of_more_than_two_years_is_refused() {
    let desk = Desk::new();
    let mut settings = desk.call("settings_get", json!({}));
    settings["password_policy"]["max_age_days"] = json!(731);
    assert_eq!(desk.refused("settings_save", settings), "invalid");
}

proptest! {
    #[test]
    fn a_recovery_code_reads_back_and_one_wrong_letter_is_told(at in 0usize..34, letter in "[0-9A-HJKMNP-TV-Z]") {
        let code = RecoveryCode::random().unwrap().text();
        prop_assert_eq!(RecoveryCode::parse(&code).unwrap().text(), code.clone());
        let mut typed: Vec<char> = code.chars().collect();
        let letter = letter.chars().next().unwrap();
        if typed[at] != '-' && typed[at] != letter {
            typed[at] = letter;
            let other = RecoveryCode::parse(&typed.into_iter().collect::<String>());
            prop_assert!(other.is_err() || other.unwrap().text() != code);
        }
    }
}

#[test]
fn the_window_learns_how_long_a_password_must_be() {
    let desk = Desk::new();
    let least = |desk: &Desk| desk.call("session_status", json!({}))["password_min_length"].clone();
    let mut settings = desk.call("settings_get", json!({}));
    settings["password_policy"]["min_length"] = json!(12);
    desk.call("settings_save", settings);
    assert_eq!(least(&desk), 12);
    desk.call("session_lock", json!({}));
    assert_eq!(least(&desk), 8, "the hospital's own rule is behind the lock");
}
