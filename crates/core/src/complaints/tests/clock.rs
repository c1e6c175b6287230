use chrono::Duration;
use serde_json::json;

use super::Office;

fn later(office: &Office, days: i64) {
    office.desk.wait(Duration::days(days));
}

#[test]
fn deadlines_follow_the_rule_the_departments_and_the_calendar() {
    let office = Office::new();
    let due = |received: &str, more| {
        let request = json!({ "form": office.form(more), "received_at": received });
        office.desk.call("complaints_register", request)["due_on"].clone()
    };
    assert_eq!(due("2026-11-16 09:00", json!({})), "2026-11-23");
    assert_eq!(due("2026-11-16 09:00", json!({ "departments": ["骨科", "门诊部"] })), "2026-11-30");
    assert_eq!(due("2026-11-14 09:00", json!({ "deadline_rule": "spot" })), "2026-11-16", "a Saturday");
    assert_eq!(due("2026-09-30 09:00", json!({})), "2026-10-13", "over the National Day week");
    office.desk.login("alice").unwrap();
    let mut settings = office.desk.call("settings_get", json!({}));
    settings["complaint_single_days"] = json!(3);
    office.desk.call("settings_save", settings);
    office.desk.login("bob").unwrap();
    assert_eq!(due("2026-11-16 09:00", json!({})), "2026-11-19");
}

#[test]
fn a_deadline_beyond_the_last_known_day_is_marked() {
    let office = Office::new();
    later(&office, 42);
    office.desk.login("bob").unwrap();
    let id = office.complaint(json!({}));
    let item = office.open(&id)["item"].clone();
    assert_eq!((&item["due_on"], &item["clock"]["unconfirmed"]), (&json!("2027-01-04"), &json!(true)));
}

#[test]
fn the_clock_warns_then_runs_over() {
    let office = Office::new();
    let id = office.complaint(json!({}));
    let mut seen = Vec::new();
    for _ in 0..10 {
        office.desk.login("bob").unwrap();
        let clock = office.open(&id)["item"]["clock"].clone();
        seen.push((clock["state"].as_str().unwrap().to_owned(), clock["escalation"].as_i64().unwrap()));
        later(&office, 1);
    }
    let expected = [
        ("ahead", 0),
        ("ahead", 0),
        ("ahead", 0),
        ("soon", 1),
        ("soon", 1),
        ("soon", 1),
        ("soon", 1),
        ("today", 2),
        ("overdue", 3),
        ("overdue", 3),
    ];
    assert_eq!(seen, expected.map(|(state, level)| (state.to_owned(), level)));
    office.desk.login("bob").unwrap();
    let board = office.desk.call("complaints_board", json!({}));
    assert_eq!((&board["overdue"], &board["today"], &board["soon"]), (&json!(1), &json!(0), &json!(0)));
    let due = office.desk.call("complaints_list", json!({ "view": "due", "limit": 5 }));
    assert_eq!(due["rows"][0]["id"], id);
}

#[test]
fn a_pause_gives_its_working_days_back() {
    let office = Office::new();
    let id = office.complaint(json!({}));
    office.bring_to(&id, "investigating");
    let paused = office.step("dora", &id, "pause", office.filled("pause"));
    assert_eq!(
        (&paused["item"]["clock"]["state"], &paused["handling"]["reason"]),
        (&json!("paused"), &json!("material"))
    );
    assert_eq!(office.refused("dora", &id, "propose", office.filled("propose")), "complaint_paused");
    later(&office, 7);
    let resumed = office.step("dora", &id, "resume", json!({}));
    assert_eq!(
        (&resumed["item"]["due_on"], &resumed["handling"]["reason"]),
        (&json!("2026-11-30"), &json!(null))
    );
    assert_eq!(office.refused("dora", &id, "resume", json!({})), "complaint_not_paused");
}

#[test]
fn more_time_is_approved_before_the_deadline_or_not_at_all() {
    let office = Office::new();
    let id = office.complaint(json!({}));
    office.bring_to(&id, "investigating");
    let ask = office.filled("ask_extension");
    let sooner = json!({ "until": "2026-11-20", "text": "x" });
    assert_eq!(office.refused("dora", &id, "ask_extension", sooner), "complaint_not_later");
    assert_eq!(
        office.refused("erin", &id, "grant_extension", json!({ "text": "x" })),
        "complaint_no_extension"
    );
    office.step("dora", &id, "ask_extension", ask.clone());
    office.desk.login("erin").unwrap();
    let mine = office.desk.call("complaints_list", json!({ "view": "mine", "limit": 5 }));
    assert_eq!((&mine["rows"][0]["id"], &mine["rows"][0]["wants_time"]), (&id, &json!(true)));
    let granted = office.step("erin", &id, "grant_extension", json!({ "text": "已电话告知投诉人" }));
    assert_eq!(granted["item"]["due_on"], "2026-11-30");
    later(&office, 15);
    assert_eq!(
        office.refused("dora", &id, "ask_extension", json!({ "until": "2026-12-20", "text": "x" })),
        "complaint_past_deadline"
    );
}

#[test]
fn a_correction_of_words_does_not_take_an_extension_away() {
    let office = Office::new();
    let id = office.complaint(json!({}));
    office.bring_to(&id, "investigating");
    office.step("dora", &id, "ask_extension", office.filled("ask_extension"));
    office.step("erin", &id, "grant_extension", json!({ "text": "已告知" }));
    office.desk.login("bob").unwrap();
    let amend = |more| {
        let request = json!({ "id": id, "seen_step": null, "form": office.form(more), "text": "更正" });
        office.desk.call("complaints_amend", request)["item"]["due_on"].clone()
    };
    assert_eq!(amend(json!({ "summary": "更正后的事由" })), "2026-11-30");
    assert_eq!(
        amend(json!({ "deadline_rule": "multi", "departments": ["骨科", super::DEPARTMENT] })),
        "2026-11-30"
    );
}
