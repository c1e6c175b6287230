use serde_json::{Value, json};

use super::{Someone, Ward, high_pressure, id_of};

fn red_flag(ward: &Ward) -> (Someone, Value) {
    let someone = ward.hypertension("王伟", "2026-11-09");
    let saved = ward.complete(&someone, high_pressure());
    let alert = saved["alerts"][0].clone();
    assert_eq!(alert["level"], "red");
    (someone, alert)
}

#[test]
fn a_red_flag_goes_to_the_doctor_and_comes_back_to_the_patient() {
    let ward = Ward::new();
    let (someone, alert) = red_flag(&ward);
    assert_eq!(alert["due_at"].as_i64().unwrap() - alert["raised_at"].as_i64().unwrap(), 30 * 60_000);
    assert_eq!(ward.list()[0]["reason"], "red_flag");
    let close = json!({ "alert_id": alert["id"], "closing": "好了" });
    assert_eq!(ward.desk.refused("followup_alert_close", close), "red_flag_unrouted");

    let route = json!({ "alert_id": alert["id"], "department": "", "asked_of": ward.dora, "question": "血压 190/115" });
    let consult = ward.desk.call("followup_alert_route", route);
    assert_eq!((&consult["department"], &consult["level"]), (&json!("心血管内科"), &json!("red")));
    assert!(ward.queue().is_empty(), "until the doctor answers there is nothing to call for");

    ward.desk.login("dora").unwrap();
    let inbox = ward.desk.call("followup_inbox", json!({ "limit": 20 }));
    assert_eq!((&inbox["open"], &inbox["consults"][0]["question"]), (&json!(1), &json!("血压 190/115")));
    let detail = ward.desk.call("followup_consult", json!({ "consult_id": consult["id"] }));
    assert!(!detail["answers"].as_array().unwrap().is_empty());
    let reply = json!({ "consult_id": consult["id"], "reply": "立即急诊", "advice": "勿自行驾车", "next_visit_on": "2026-11-18" });
    let replied = ward.desk.call("followup_reply", reply);
    assert!(replied["task_id"].is_string());

    ward.desk.login("bob").unwrap();
    let first = &ward.list()[0];
    assert_eq!(
        (&first["reason"], &first["level"], id_of(&first["patient_id"])),
        (&json!("return_call"), &json!("red"), someone.id)
    );
    let task = json!({ "task_id": replied["task_id"], "reason": "不用了" });
    ward.desk.login("alice").unwrap();
    assert_eq!(ward.desk.refused("followup_close_task", task), "answer_not_told");
    ward.desk.login("bob").unwrap();
    let opened = ward.open(someone.id);
    assert_eq!(opened["consults"][0]["replies"][0]["reply"], "立即急诊");
    let script = &opened["script"];
    assert!(script["opening"]["zh"].as_str().unwrap().contains("请专家看过了"), "it opens as a call back");
    let said = script["answers"][0]["zh"].as_str().unwrap();
    for part in ["心血管内科", "立即急诊", "勿自行驾车", "11月18日"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert!(script["answers"][0]["en"].as_str().unwrap().contains("立即急诊"));
    assert!(!script["identity_check"].as_array().unwrap().is_empty());
    assert!(opened["form"]["questions"].as_array().unwrap().is_empty());
    ward.complete(&someone, json!({}));
    assert_eq!(ward.text("SELECT status FROM consult"), "told");
    assert_eq!(ward.text("SELECT status FROM alert"), "closed");
    let detail = ward.desk.call("followup_alert", json!({ "alert_id": alert["id"] }));
    let steps: Vec<&str> =
        detail["steps"].as_array().unwrap().iter().map(|s| s["kind"].as_str().unwrap()).collect();
    assert_eq!(steps, ["routed", "answered", "told"]);
    assert!(ward.queue().is_empty());

    let slip = ward.desk.call("followup_slip", json!({ "consult": consult["id"] }));
    assert_eq!((&slip["hospital"], &slip["next_visit_on"]), (&json!("测试医院"), &json!("2026-11-18")));
    assert_eq!(slip["consult"]["replies"][0]["advice"], "勿自行驾车");
    assert!(!slip["answers"].as_array().unwrap().is_empty() && slip["caller"] == "bob");
    ward.desk.call("followup_slip_printed", json!({ "consult": consult["id"] }));
    assert_eq!(ward.count("SELECT count(*) FROM audit WHERE action = 'followup.slip_printed'"), 1);
}

#[test]
fn another_departments_doctor_neither_sees_nor_answers() {
    let ward = Ward::new();
    let (_, alert) = red_flag(&ward);
    let route =
        json!({ "alert_id": alert["id"], "department": "骨科", "asked_of": null, "question": "请看" });
    let consult = ward.desk.call("followup_alert_route", route);
    ward.desk.login("dora").unwrap();
    assert_eq!(ward.desk.call("followup_inbox", json!({ "limit": 20 }))["open"], 0);
    let reply = json!({ "consult_id": consult["id"], "reply": "好" });
    assert_eq!(ward.desk.refused("followup_reply", reply), "not_found");
    assert_eq!(ward.desk.refused("followup_consult", json!({ "consult_id": consult["id"] })), "not_found");
    assert_eq!(ward.desk.refused("followup_worklist", json!({ "limit": 5 })), "forbidden");
}

#[test]
fn what_nobody_handles_in_time_is_overdue_until_a_step_is_noted() {
    let ward = Ward::new();
    let (_, alert) = red_flag(&ward);
    ward.go_to("2026-11-16", "10:30");
    let list = ward.desk.call("followup_alerts", json!({ "filter": "overdue", "limit": 20 }));
    assert_eq!((&list["overdue"], &list["open"][0]), (&json!(1), &json!(1)));
    assert_eq!(list["alerts"][0]["overdue"], true);
    ward.desk.call("followup_alert_note", json!({ "alert_id": alert["id"], "note": "已电话联系值班医生" }));
    let list = ward.desk.call("followup_alerts", json!({ "filter": "overdue", "limit": 20 }));
    assert_eq!(list["overdue"], 0);
}

#[test]
fn a_question_by_hand_is_answered_and_told() {
    let ward = Ward::new();
    let someone = ward.hypertension("王伟", "2026-11-09");
    ward.complete(&someone, json!({}));
    let ask = json!({ "patient_id": someone.id, "department": "心血管内科", "asked_of": null, "question": "能否停药" });
    let consult = ward.desk.call("followup_ask", ask);
    ward.desk.login("dora").unwrap();
    ward.desk.call(
        "followup_reply",
        json!({ "consult_id": consult["id"], "reply": "不能停", "call_back_on": "2026-11-18" }),
    );
    ward.desk.login("bob").unwrap();
    assert!(ward.queue().is_empty(), "the call back is for Wednesday");
    ward.go_to("2026-11-18", "09:30");
    assert_eq!(ward.queue(), [someone.id]);
    for _ in 0..4 {
        ward.fail(&someone, "NOANS");
        ward.desk.wait(chrono::Duration::days(1));
        ward.desk.call("session_touch", json!({}));
    }
    assert_eq!(
        ward.count("SELECT count(*) FROM task WHERE kind = 'return_call' AND status = 'open'"),
        1,
        "it is owed"
    );
    ward.go_to("2026-11-27", "09:30");
    ward.complete(&someone, json!({}));
    assert_eq!(ward.text("SELECT status FROM consult"), "told");
}

#[test]
fn an_alert_that_was_passed_on_keeps_its_call() {
    let ward = Ward::new();
    let someone = ward.hypertension("王伟", "2026-11-09");
    let saved = ward.complete(&someone, high_pressure());
    let route = json!({ "alert_id": saved["alerts"][0]["id"], "department": "心血管内科", "asked_of": null, "question": "请看" });
    ward.desk.call("followup_alert_route", route);
    let refused = ward.desk.refused("followup_undo_call", json!({ "call_id": saved["call_id"] }));
    assert_eq!(refused, "call_not_undoable");
    assert_eq!(ward.count("SELECT count(*) FROM standing_call"), 1);
}
