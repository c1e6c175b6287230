//! The month's report without a window: written, frozen, filled into the hospital's own form.

use std::fs;
use std::path::Path;

use aftercare_suite::headless::refusal;
use chrono::{Datelike, Days, NaiveDate, TimeDelta, Utc};
use serde_json::json;

use crate::hospital;

/// Today, where the hospital is.
fn today() -> NaiveDate {
    (Utc::now() + TimeDelta::hours(8)).date_naive()
}

/// A day of the month before, and that month.
fn month_before() -> (NaiveDate, String) {
    let today = today();
    let last = today.with_day(1).unwrap().checked_sub_days(Days::new(1)).unwrap();
    (last, last.format("%Y-%m").to_string())
}

#[test]
fn a_month_is_written_frozen_and_filled_into_a_form() {
    let folder = tempfile::tempdir().unwrap();
    let desk = hospital(&folder.path().join("home"));
    let (day, month) = month_before();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let register = || {
        let form = json!({ "channel": "phone", "complainant": "王伟", "departments": ["心血管内科"], "category": "ATT",
                           "subcategory": "cold", "severity": "C", "summary": "无人应答" });
        let received = format!("{day} 10:00");
        fs::write(at("complaint.json"), json!({ "form": form, "received_at": received }).to_string())
            .unwrap();
        desk.done(&["complaints", "register", &at("complaint.json")]).unwrap();
    };
    register();
    let out = at("month.xlsx");
    let written = desk.done(&["report", "month", "--month", &month, "--out", &out]).unwrap();
    assert_eq!((&written["rows"], &written["freeze"]), (&json!(1), &json!(null)));
    assert!(fs::read(&out).unwrap().starts_with(b"PK"));
    let two = ["report", "month", "--month", &month, "--out", &out, "--sheets", "complaints,departments"];
    assert_eq!(desk.done(&two).unwrap()["rows"], 1);

    let frozen = desk.done(&["report", "freeze", "--month", &month]).unwrap();
    assert_eq!(frozen["in_force"], true);
    register();
    let again = desk.done(&["report", "month", "--month", &month, "--out", &out]).unwrap();
    assert_eq!(
        (&again["rows"], &again["freeze"]),
        (&json!(1), &frozen["id"]),
        "the later one is restated, not counted"
    );
    let refused = desk.run(&["report", "freeze", "--month", &month]).unwrap();
    assert_eq!(refusal(&refused).unwrap(), "month_frozen");
    let second = desk.done(&["report", "freeze", "--month", &month, "--reason", "补录一件"]).unwrap();
    assert_eq!(second["supersedes"], frozen["id"]);
    let now = today().format("%Y-%m").to_string();
    let running = desk.run(&["report", "freeze", "--month", &now]).unwrap();
    assert_eq!(refusal(&running).unwrap(), "month_not_over");

    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().to_owned();
    let template = root.join("assets/templates/month.zh-CN.xlsx");
    let template = template.to_str().unwrap();
    let filled =
        desk.done(&["report", "month", "--month", &month, "--out", &out, "--template", template]).unwrap();
    assert!(filled["rows"].as_i64().unwrap() > 60, "{filled}");
    fs::write(at("broken.xlsx"), "no workbook").unwrap();
    let missing = at("never.xlsx");
    let broken = ["report", "month", "--month", &month, "--out", &missing, "--template", &at("broken.xlsx")];
    assert_eq!(refusal(&desk.run(&broken).unwrap()).unwrap(), "template_not_workbook");
    assert!(!Path::new(&missing).exists());
}
