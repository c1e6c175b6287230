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

mod calendars {
    use chrono::NaiveDate;

    use super::*;
    use aftercare_domain::access::Role;

    const YEAR_2027: &str = r#"{"year":2027,"papers":[],"days":[
        {"name":"元旦","date":"2027-01-01","isOffDay":true},{"name":"春节","date":"2027-02-06","isOffDay":true},
        {"name":"春节","date":"2027-02-20","isOffDay":false}]}"#;

    fn import(desk: &Desk, text: &str) -> Result<serde_json::Value, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("2027.json");
        std::fs::write(&path, text).unwrap();
        desk.app
            .call("settings_calendar_import", json!({ "path": path }))
            .map_err(|error| error.fields.first().map_or("none", |field| field.code.as_str()).to_owned())
    }

    fn state(desk: &Desk) -> serde_json::Value {
        let found = desk.call("settings_doctor", json!({}));
        found["checks"].as_array().unwrap().iter().find(|c| c["check"] == "calendar").unwrap()["state"]
            .clone()
    }

    #[test]
    fn alice_imports_next_years_holidays_when_they_are_out() {
        let desk = Desk::new();
        let saturday = NaiveDate::from_ymd_opt(2027, 2, 20).unwrap();
        let works =
            |desk: &Desk| desk.ctx().read(crate::settings::calendar).unwrap().is_working_day(saturday);
        assert!(!works(&desk));
        let known = import(&desk, YEAR_2027).unwrap();
        let last = known["years"].as_array().unwrap().last().unwrap();
        assert_eq!((&last["year"], &last["imported"]), (&json!(2027), &json!(true)));
        assert!(works(&desk));
        // A year is no setting of the form: saving the form leaves it alone.
        let settings = desk.call("settings_get", json!({}));
        assert!(settings.get("calendar_2027").is_none());
        desk.call("settings_save", settings);
        assert!(works(&desk));
    }

    #[test]
    fn a_corrected_notice_stands_for_the_first() {
        let desk = Desk::new();
        import(&desk, YEAR_2027).unwrap();
        let known = import(&desk, &YEAR_2027.replace("2027-02-20", "2027-02-21")).unwrap();
        let days = known["years"].as_array().unwrap().last().unwrap()["days"].clone();
        assert_eq!(days[2]["on"], "2027-02-21");
    }

    #[test]
    fn a_file_that_is_no_calendar_is_refused_with_the_reason_beside_it() {
        let desk = Desk::new();
        assert_eq!(import(&desk, "{}").unwrap_err(), "calendar_unreadable");
        assert_eq!(import(&desk, r#"{"year":2027,"days":[]}"#).unwrap_err(), "calendar_empty");
        let missing = desk.app.call("settings_calendar_import", json!({ "path": "/nowhere/2027.json" }));
        assert_eq!(missing.unwrap_err().fields[0].code.as_str(), "file_missing");
    }

    #[test]
    fn the_examination_asks_for_next_year_before_its_first_holiday() {
        let desk = Desk::new();
        assert_eq!(state(&desk), "ok");
        desk.wait(chrono::Duration::days(30));
        desk.login("alice").unwrap();
        assert_eq!(state(&desk), "warning");
        import(&desk, YEAR_2027).unwrap();
        assert_eq!(state(&desk), "ok");
    }

    #[test]
    fn bob_who_calls_reads_the_calendar_and_changes_none() {
        let desk = Desk::new();
        desk.add("bob", &[Role::Nurse]);
        desk.login("bob").unwrap();
        desk.call("settings_calendar", json!({}));
        assert_eq!(desk.refused("settings_calendar_import", json!({ "path": "x" })), "forbidden");
    }
}

mod backups {
    use super::*;
    use crate::app::App;
    use crate::testing::{PASSWORD, other_pc};

    fn backed_up(desk: &Desk) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        desk.call("settings_draft_save", json!({ "key": "k", "body": "kept" }));
        desk.call("settings_backup", json!({ "path": folder.path().join("b.bak") }));
        desk.call("settings_draft_save", json!({ "key": "k", "body": "later" }));
        folder
    }

    fn restore(
        app: &std::sync::Arc<App>,
        folder: &tempfile::TempDir,
        code: Option<&str>,
    ) -> Result<(), String> {
        let request = json!({ "path": folder.path().join("b.bak"), "login": "alice", "password": PASSWORD, "recovery_code": code });
        app.call("settings_restore", request).map(|_| ()).map_err(|error| error.code.as_str().to_owned())
    }

    fn draft(app: &std::sync::Arc<App>) -> serde_json::Value {
        app.call("session_login", json!({ "login": "alice", "password": PASSWORD })).unwrap();
        app.call("settings_draft_load", json!({ "key": "k" })).unwrap()["body"].clone()
    }

    #[test]
    fn alice_restores_on_her_pc_with_her_password_and_the_old_desk_is_kept_aside() {
        let desk = Desk::new();
        let folder = backed_up(&desk);
        restore(&desk.app, &folder, None).unwrap();
        assert_eq!(draft(&desk.app), "kept");
        let aside = std::fs::read_dir(desk.home.path()).unwrap();
        assert!(aside.flatten().any(|e| e.file_name().to_string_lossy().starts_with("before-restore-")));
        desk.call("audit_verify", json!({}));
    }

    #[test]
    fn a_backup_in_the_background_says_how_far_it_is_and_restores() {
        let desk = Desk::new();
        let folder = tempfile::tempdir().unwrap();
        desk.call("settings_draft_save", json!({ "key": "k", "body": "kept" }));
        let target = folder.path().join("b.bak");
        let job = desk.call("settings_backup_start", json!({ "path": target }));
        let ended = loop {
            let now = desk.call("settings_job", json!({ "id": job["id"] }));
            if now["state"] != "running" {
                break now;
            }
            std::thread::sleep(std::time::Duration::from_millis(5));
        };
        assert_eq!(ended["state"], "done", "{ended}");
        assert_eq!(ended["done"], ended["total"]);
        assert_eq!(ended["result"]["bytes"], std::fs::metadata(&target).unwrap().len());
        desk.call("settings_draft_save", json!({ "key": "k", "body": "later" }));
        restore(&desk.app, &folder, None).unwrap();
        assert_eq!(draft(&desk.app), "kept");
    }

    #[test]
    fn a_stopped_backup_leaves_no_file_behind() {
        let desk = Desk::new();
        let ctx = desk.ctx();
        let folder = tempfile::tempdir().unwrap();
        let progress = crate::app::jobs::Progress::unwatched();
        progress.cancel();
        let written = super::super::backup::write(
            ctx.db(),
            desk.home.path(),
            &folder.path().join("b.bak"),
            0,
            "1",
            &progress,
        );
        assert_eq!(written.unwrap_err().code.as_str(), "cancelled");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn on_another_pc_the_recovery_code_opens_it() {
        let desk = Desk::new();
        let folder = backed_up(&desk);
        let (home, app) = other_pc();
        restore(&app, &folder, Some(&desk.recovery_code)).unwrap();
        assert_eq!(draft(&app), "kept");
        drop(home);
        let (_home, app) = other_pc();
        let wrong = crate::session::RecoveryCode::random().unwrap().text();
        assert_eq!(restore(&app, &folder, Some(&wrong)), Err("wrong_recovery_code".to_owned()));
    }

    #[test]
    fn a_cut_or_altered_backup_changes_nothing() {
        let desk = Desk::new();
        let folder = backed_up(&desk);
        let path = folder.path().join("b.bak");
        let whole = std::fs::read(&path).unwrap();
        let mut altered = whole.clone();
        let at = altered.len() / 2;
        altered[at] ^= 1;
        let mut header = whole.clone();
        header[40] ^= 1;
        for (bytes, code) in [
            (&whole[..whole.len() - 1], "backup_damaged"),
            (&whole[..30], "backup_damaged"),
            (&altered[..], "backup_damaged"),
            (&header[..], "backup_damaged"),
            (&b"PK\x03\x04"[..], "not_a_backup"),
            (&[][..], "not_a_backup"),
        ] {
            std::fs::write(&path, bytes).unwrap();
            assert_eq!(restore(&desk.app, &folder, None), Err(code.to_owned()));
        }
        assert_eq!(draft(&desk.app), "later");
    }

    #[test]
    fn a_restore_cut_off_in_the_middle_is_finished_at_the_next_start() {
        let desk = Desk::new();
        let folder = backed_up(&desk);
        restore(&desk.app, &folder, None).unwrap();
        // As if the program had died after moving the database in but before the keys.
        let home = desk.home.path();
        std::fs::create_dir(home.join("restore.ready")).unwrap();
        std::fs::write(home.join("restore.ready/stamp"), "7").unwrap();
        for name in ["keys.json", "keys.twin.json"] {
            std::fs::copy(home.join(name), home.join("restore.ready").join(name)).unwrap();
        }
        assert_eq!(draft(&desk.restarted()), "kept");
        assert!(!home.join("restore.ready").exists());
    }

    #[test]
    fn a_backup_cannot_be_read_without_a_key() {
        let desk = Desk::new();
        let folder = tempfile::tempdir().unwrap();
        desk.call("settings_draft_save", json!({ "key": "k", "body": "canary-13800138000" }));
        desk.call("settings_backup", json!({ "path": folder.path().join("b.bak") }));
        let bytes = std::fs::read(folder.path().join("b.bak")).unwrap();
        assert!(!bytes.windows(18).any(|window| window == b"canary-13800138000"));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing else is left behind");
    }

    #[test]
    fn the_doctor_finds_a_broken_chain() {
        let desk = Desk::new();
        assert_eq!(desk.call("settings_doctor", json!({}))["healthy"], true);
        desk.ctx().db().write(|c, _| Ok(c.execute("UPDATE audit SET at = 0 WHERE seq = 1", [])?)).unwrap();
        let found = desk.call("settings_doctor", json!({}));
        assert_eq!(found["healthy"], false);
        assert_eq!(found["checks"][1]["params"]["code"], "audit_broken");
    }
}
