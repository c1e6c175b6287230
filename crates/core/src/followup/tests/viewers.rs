use aftercare_domain::access::Role;
use serde_json::{Value, json};

use super::{Someone, Ward, high_pressure};

/// Alice marks blood pressure as sensitive in the plan, and with `restrict` keeps its red flags to few.
fn ward(restrict: bool) -> Ward {
    let ward = Ward::new();
    ward.desk.login("alice").unwrap();
    ward.desk.add("carol", &[Role::Nurse]);
    ward.desk.add("erin", &[Role::Archivist]);
    let shown = ward.desk.call("forms_plan", json!({ "code": "HTN", "version": null }));
    let mut plan = shown["plan"].clone();
    let questions = plan["form"]["questions"].as_array_mut().unwrap();
    questions.iter_mut().find(|question| question["id"] == "bp").unwrap()["sensitive"] = json!(true);
    if restrict {
        for rule in plan["form"]["alerts"].as_array_mut().unwrap() {
            rule["effects"] = json!(["restrict"]);
        }
    }
    ward.desk.call("forms_plan_save", json!({ "plan": plan, "based_on": shown["shown"]["version"] }));
    ward.desk.login("bob").unwrap();
    ward
}

fn flagged(ward: &Ward) -> (Someone, Value) {
    let someone = ward.hypertension("王伟", "2026-11-09");
    let saved = ward.complete(&someone, high_pressure());
    (someone, saved["alerts"][0]["id"].clone())
}

/// Whether answers tell the blood pressure.
fn tells_pressure(answers: &Value) -> bool {
    answers.as_array().unwrap().iter().any(|line| line["id"] == "bp")
}

fn alerts(ward: &Ward) -> Value {
    ward.desk.call("followup_alerts", json!({ "limit": 20 }))
}

#[test]
fn a_restricted_alert_is_for_who_raised_it_who_manages_and_who_is_asked() {
    let ward = ward(true);
    let (someone, alert) = flagged(&ward);
    let of_alert = json!({ "alert_id": alert });
    assert_eq!(alerts(&ward)["open"], json!([1, 0, 0]), "bob raised it");
    assert!(tells_pressure(&ward.desk.call("followup_alert", of_alert.clone())["answers"]));
    let route =
        json!({ "alert_id": alert, "department": "", "asked_of": ward.dora, "question": "血压 190/115" });
    let consult = ward.desk.call("followup_alert_route", route.clone())["id"].clone();
    let of_consult = json!({ "consult_id": consult });

    ward.desk.login("carol").unwrap();
    let seen = alerts(&ward);
    assert_eq!(
        (&seen["alerts"], &seen["open"], &seen["overdue"]),
        (&json!([]), &json!([0, 0, 0]), &json!(0))
    );
    assert_eq!(ward.desk.refused("followup_alert", of_alert.clone()), "not_found");
    assert_eq!(ward.desk.refused("followup_alert_route", route), "not_found");
    assert_eq!(
        ward.desk.refused("followup_alert_note", json!({ "alert_id": alert, "note": "x" })),
        "not_found"
    );
    assert_eq!(
        ward.desk.refused("followup_alert_close", json!({ "alert_id": alert, "closing": "x" })),
        "not_found"
    );
    assert_eq!(ward.desk.refused("followup_consult", of_consult.clone()), "not_found");
    assert_eq!(ward.desk.refused("followup_slip", json!({ "consult": consult })), "not_found");
    let opened = ward.open(someone.id);
    assert_eq!((&opened["alerts"], &opened["consults"]), (&json!([]), &json!([])));
    let earlier = &opened["responses"][0]["answers"];
    assert!(!tells_pressure(earlier) && !earlier.as_array().unwrap().is_empty());

    ward.desk.login("alice").unwrap();
    assert_eq!(alerts(&ward)["open"], json!([1, 0, 0]));
    assert!(tells_pressure(&ward.open(someone.id)["responses"][0]["answers"]));

    ward.desk.login("dora").unwrap();
    assert!(
        tells_pressure(&ward.desk.call("followup_consult", of_consult)["answers"]),
        "she is asked because of it"
    );
    ward.desk.call("followup_reply", json!({ "consult_id": consult, "reply": "立即急诊" }));
    ward.desk.login("carol").unwrap();
    let opened = ward.open(someone.id);
    assert_eq!(opened["consults"][0]["replies"][0]["reply"], "立即急诊", "whoever calls tells the reply");
}

#[test]
fn a_sensitive_answer_serves_the_call_and_is_not_printed() {
    let ward = ward(false);
    let (someone, _) = flagged(&ward);
    let call = ward.open(someone.id)["calls"][0]["id"].clone();
    let slip = ward.desk.call("followup_slip", json!({ "call": call }));
    assert!(!tells_pressure(&slip["answers"]) && !slip["answers"].as_array().unwrap().is_empty());
    assert_eq!(slip["withheld"], 1);

    ward.desk.login("carol").unwrap();
    assert!(tells_pressure(&ward.open(someone.id)["responses"][0]["answers"]), "the next caller has to know");
    let ask =
        json!({ "patient_id": someone.id, "department": "", "asked_of": ward.dora, "question": "能否停药" });
    let consult = ward.desk.call("followup_ask", ask)["id"].clone();
    ward.desk.login("dora").unwrap();
    let detail = ward.desk.call("followup_consult", json!({ "consult_id": consult }));
    assert!(!tells_pressure(&detail["responses"][0]["answers"]), "history beyond what she is asked");
}

#[test]
fn slips_are_for_those_who_work_with_follow_up() {
    let ward = ward(false);
    let (someone, alert) = flagged(&ward);
    let call = ward.open(someone.id)["calls"][0]["id"].clone();
    let route = json!({ "alert_id": alert, "department": "骨科", "asked_of": null, "question": "请看" });
    let consult = ward.desk.call("followup_alert_route", route)["id"].clone();
    for (who, of_call, of_consult) in [("erin", "forbidden", "forbidden"), ("dora", "forbidden", "not_found")]
    {
        ward.desk.login(who).unwrap();
        for command in ["followup_slip", "followup_slip_printed"] {
            assert_eq!(ward.desk.refused(command, json!({ "call": call })), of_call, "{who}");
            assert_eq!(ward.desk.refused(command, json!({ "consult": consult })), of_consult, "{who}");
        }
    }
    ward.desk.login("bob").unwrap();
    ward.desk.call("followup_slip", json!({ "call": call }));
    ward.desk.call("followup_slip_printed", json!({ "call": call }));
    assert_eq!(ward.count("SELECT count(*) FROM audit WHERE action LIKE 'followup.slip%'"), 2);
}
