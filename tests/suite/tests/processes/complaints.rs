//! Complaints without a window: registered from a file, settled, listed; and deadlines.

use std::fs;

use aftercare_suite::headless::refusal;
use serde_json::{Value, json};

use crate::hospital;

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

#[test]
fn a_complaint_is_registered_from_a_file_settled_and_listed() {
    let folder = tempfile::tempdir().unwrap();
    let desk = hospital(&folder.path().join("home"));
    let file = folder.path().join("complaint.json");
    let form = json!({
        "channel": "phone", "complainant": "王伟", "departments": ["心血管内科"], "category": "ATT", "subcategory": "cold",
        "severity": "C", "summary": "无人应答",
    });
    fs::write(&file, json!({ "form": form }).to_string()).unwrap();
    let path = file.to_str().unwrap();
    let made = desk.done(&["complaints", "register", path]).unwrap();
    assert_eq!(keys(&made), ["id", "number", "due_on", "similar", "signal"]);
    let number = made["number"].as_str().unwrap();
    let listed = desk.done(&["complaints", "list"]).unwrap();
    assert_eq!(
        (&listed["rows"][0]["number"], &listed["rows"][0]["status"]),
        (&json!(number), &json!("registered"))
    );

    let refused = desk.run(&["complaints", "move", number, "reply", "--text", "x"]).unwrap();
    assert_eq!(refusal(&refused).unwrap(), "complaint_state");
    fs::write(&file, json!({ "reply": "当场核实并道歉", "reply_way": "phone" }).to_string()).unwrap();
    let moved = desk.done(&["complaints", "move", number, "settle", "--form", path]).unwrap();
    assert_eq!(moved["status"], "closed");
    assert_eq!(desk.done(&["complaints", "list"]).unwrap()["rows"], json!([]));
    let ended = desk.done(&["complaints", "list", "--view", "ended"]).unwrap();
    assert_eq!(ended["rows"].as_array().unwrap().len(), 1);

    fs::write(&file, "[1, 2").unwrap();
    let broken = desk.run(&["complaints", "register", path]).unwrap();
    assert_eq!(refusal(&broken).unwrap(), "bad_request");
}

#[test]
fn a_deadline_counts_working_days_and_says_when_the_calendar_ends() {
    let folder = tempfile::tempdir().unwrap();
    let desk = hospital(&folder.path().join("home"));
    let due = |from: &str, days: &str| desk.done(&["deadline", "--from", from, "--days", days]).unwrap();
    assert_eq!(due("2026-09-30", "5"), json!({ "due_on": "2026-10-13", "unconfirmed": false }));
    assert_eq!(due("2026-11-14", "0"), json!({ "due_on": "2026-11-16", "unconfirmed": false }));
    assert_eq!(due("2026-12-29", "5"), json!({ "due_on": "2027-01-05", "unconfirmed": true }));
    let wrong = desk.run(&["deadline", "--from", "someday", "--days", "5"]).unwrap();
    assert_eq!(refusal(&wrong).unwrap(), "invalid");
}
