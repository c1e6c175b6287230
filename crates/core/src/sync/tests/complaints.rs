use serde_json::{Value, json};

use super::Hospital;
use crate::imports::tests::visible;
use crate::testing::Desk;

fn register(desk: &Desk) -> Value {
    let form = json!({
        "channel": "phone", "complainant": "王伟", "departments": ["心血管内科"], "category": "ATT", "subcategory": "cold",
        "severity": "C", "summary": "无人应答",
    });
    desk.call("complaints_register", json!({ "form": form }))
}

fn make(desk: &Desk, id: &Value, name: &str, more: Value) -> Value {
    let mut request = json!({ "id": id, "move": name, "text": "说明" });
    for (field, value) in more.as_object().unwrap() {
        request[field] = value.clone();
    }
    desk.call("complaints_move", request)
}

fn same(hospital: &Hospital) {
    hospital.meet();
    for sql in [
        "SELECT id, number, status, due_on, last_step, steps, departments FROM complaint ORDER BY id",
        "SELECT id, complaint_id, ordinal, name, hash FROM complaint_step ORDER BY id",
        "SELECT id, complaint_id, body FROM complaint_note ORDER BY id",
        "SELECT complaint_id, department, status, lead FROM complaint_department ORDER BY complaint_id, department",
    ] {
        assert_eq!(visible(&hospital.alice, sql), visible(&hospital.bob, sql), "{sql}");
    }
}

#[test]
fn two_desks_move_one_complaint_and_the_second_is_told() {
    let hospital = Hospital::new();
    hospital.meet();
    let id = register(&hospital.bob)["id"].clone();
    same(&hospital);
    make(&hospital.bob, &id, "refuse", json!({ "reason": "court" }));
    make(&hospital.alice, &id, "accept", json!({}));
    hospital.server.sync(&hospital.bob);
    let report = hospital.server.sync(&hospital.alice);
    assert!(report.rejected > 0, "bob's move came first");
    let refused = hospital.alice.call("sync_refused", json!({ "limit": 10 }));
    let row = &refused["rows"][0];
    assert_eq!(
        (&row["entity"], &row["command"], &row["why"]),
        (&json!("complaint"), &json!("accept"), &json!("stale"))
    );
    same(&hospital);
    for desk in [&hospital.alice, &hospital.bob] {
        let detail = desk.call("complaints_open", json!({ "id": id }));
        assert_eq!(detail["item"]["status"], "not_accepted");
        let steps: Vec<(&str, bool)> = detail["steps"]
            .as_array()
            .unwrap()
            .iter()
            .map(|step| (step["name"].as_str().unwrap(), step["counts"].as_bool().unwrap()))
            .collect();
        assert_eq!(steps.iter().filter(|(_, counts)| *counts).count(), 2);
        assert!(steps.contains(&("accept", false)), "kept for the file, without effect: {steps:?}");
        assert_eq!((&detail["chain"]["whole"], &detail["chain"]["steps"]), (&json!(true), &json!(2)));
    }
}

#[test]
fn notes_of_both_desks_stand_and_numbers_differ() {
    let hospital = Hospital::new();
    hospital.meet();
    let (his, hers) = (register(&hospital.bob), register(&hospital.alice));
    assert_ne!(his["number"], hers["number"]);
    same(&hospital);
    for (desk, body) in [(&hospital.alice, "已联系科室"), (&hospital.bob, "已联系家属")] {
        desk.call("complaints_note", json!({ "id": his["id"], "kind": "internal", "body": body }));
    }
    make(&hospital.alice, &his["id"], "accept", json!({}));
    same(&hospital);
    let detail = hospital.bob.call("complaints_open", json!({ "id": his["id"] }));
    assert_eq!(detail["notes"].as_array().unwrap().len(), 2);
    assert_eq!((&detail["item"]["status"], &detail["chain"]["whole"]), (&json!("accepted"), &json!(true)));
}
