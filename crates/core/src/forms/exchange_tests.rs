//! Alice makes, compares and exchanges plans and questionnaires.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use aftercare_domain::access::Role;
use serde_json::{Value, json};

use crate::testing::Desk;

fn fixture(name: &str) -> String {
    format!("{}/../../tests/fixtures/fhir/{name}", env!("CARGO_MANIFEST_DIR"))
}

fn questionnaire(code: &str) -> Value {
    json!({ "code": code, "version": 0, "title": { "zh": "术后疼痛" }, "sections": [], "parts": [], "calculations": [], "classes": [], "alerts": [
        { "code": "strong", "when": "pain >= 7", "level": "orange", "say": { "zh": "请来院复查" }, "route": "department", "sla": { "unit": "working_days", "amount": 1 } },
    ], "questions": [
        { "id": "pain", "type": "scale", "text": { "zh": "疼痛几分？", "en": "How strong is the pain?" }, "min": 0, "max": 10, "required": true, "options": [], "sensitive": false },
        { "id": "pill", "type": "bool", "text": { "zh": "吃止痛药吗？" }, "show_if": "pain >= 4", "required": false, "options": [], "sensitive": false },
    ]})
}

#[test]
fn alice_makes_a_questionnaire_from_nothing_and_a_second_version_of_it() {
    let desk = Desk::new();
    let made =
        desk.call("forms_questionnaire_save", json!({ "form": questionnaire("PAIN"), "based_on": null }));
    assert_eq!(
        (made["shown"]["count"].as_u64(), made["shown"]["kind"].as_str()),
        (Some(1), Some("questionnaire"))
    );
    let first = made["shown"]["version"].clone();
    let mut form = made["form"].clone();
    form["questions"][0]["max"] = json!(5);
    let second = desk.call("forms_questionnaire_save", json!({ "form": form, "based_on": first }));
    assert_eq!(second["versions"].as_array().unwrap().len(), 2);
    let again = json!({ "form": form, "based_on": first });
    assert_eq!(desk.refused("forms_questionnaire_save", again), "conflict");
    let to = second["shown"]["version"].clone();
    let changed =
        desk.call("forms_compare", json!({ "code": "PAIN", "from": first, "to": to }))["changes"].clone();
    assert_eq!(changed.as_array().unwrap().len(), 1);
    assert_eq!(
        (&changed[0]["entry"], &changed[0]["field"], &changed[0]["after"]),
        (&json!("pain"), &json!("max"), &json!("5.0"))
    );
    let listed = desk.call("forms_plans", json!({}));
    let mine = listed["questionnaires"]
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["version"]["code"] == "PAIN")
        .unwrap();
    assert_eq!((mine["versions"].as_u64(), &mine["version"]["version"]), (Some(2), &to));
}

#[test]
fn mistakes_of_a_questionnaire_come_back_at_their_fields() {
    let desk = Desk::new();
    let mut form = questionnaire("pain");
    form["title"] = json!({ "zh": "" });
    form["alerts"][0]["route"] = json!("nobody");
    form["questions"][1]["show_if"] = json!("pill");
    let error =
        desk.app.call("forms_questionnaire_save", json!({ "form": form, "based_on": null })).unwrap_err();
    let mut fields: Vec<_> = error.fields.iter().map(|field| field.field.as_str()).collect();
    fields.sort_unstable();
    assert_eq!(fields, ["code", "form.alerts.0.route", "form.questions.1.show_if", "name"]);
    let taken = json!({ "form": questionnaire("HTN"), "based_on": null });
    let error = desk.app.call("forms_questionnaire_save", taken).unwrap_err();
    assert_eq!(
        (error.fields[0].field.as_str(), error.fields[0].code.as_str()),
        ("code", "taken"),
        "a plan has it"
    );
}

#[test]
fn the_bank_has_every_question_once_and_says_who_asks_it() {
    let desk = Desk::new();
    let count = || desk.call("forms_bank", json!({}))["questions"].as_array().unwrap().clone();
    let before = count();
    let of = |bank: &[Value], id: &str| {
        bank.iter().filter(|one| one["question"]["id"] == id).cloned().collect::<Vec<_>>()
    };
    let satisfied = of(&before, "i1");
    assert_eq!((satisfied.len(), &satisfied[0]["used_in"]), (1, &json!(["SAT_IPD"])));
    assert_eq!(satisfied[0]["question"]["options"][0]["points"], 5.0, "options come with their scores");
    desk.call("forms_questionnaire_save", json!({ "form": questionnaire("PAIN"), "based_on": null }));
    desk.call("forms_questionnaire_save", json!({ "form": questionnaire("PAIN2"), "based_on": null }));
    let after = count();
    assert_eq!(after.len(), before.len() + 2);
    let pill = of(&after, "pill");
    assert_eq!(
        (&pill[0]["used_in"], &pill[0]["question"]["show_if"]),
        (&json!(["PAIN", "PAIN2"]), &Value::Null)
    );
    desk.call("forms_plan_disable", json!({ "code": "PAIN2" }));
    assert_eq!(
        of(&count(), "pill")[0]["used_in"],
        json!(["PAIN"]),
        "what is switched off is not in the bank"
    );
}

#[test]
fn every_plan_goes_out_as_fhir_and_comes_back_equal_as_the_next_version() {
    let desk = Desk::new();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("htn.json").to_string_lossy().into_owned();
    let plan = |desk: &Desk| {
        let mut shown = desk.call("forms_plan", json!({ "code": "HTN", "version": null }));
        let plan = shown["plan"].as_object_mut().unwrap();
        plan.remove("version");
        plan["form"].as_object_mut().unwrap().remove("version");
        Value::Object(plan.clone())
    };
    let before = plan(&desk);
    let written = desk.call("forms_export", json!({ "code": "HTN", "version": null, "path": file }));
    assert!(written["not_carried"].as_array().unwrap().iter().any(|one| one["code"] == "alert"));
    let read = desk.call("forms_import", json!({ "path": file }));
    assert_eq!(
        (&read["new"], &read["not_carried"], &read["version"]["enabled"]),
        (&json!(false), &json!([]), &json!(true))
    );
    assert_eq!(plan(&desk), before);
    let versions = desk.call("forms_plan", json!({ "code": "HTN", "version": null }))["versions"].clone();
    assert_eq!(versions.as_array().unwrap().len(), 2);
    let elsewhere = Desk::new();
    desk.call("forms_questionnaire_save", json!({ "form": questionnaire("PAIN"), "based_on": null }));
    desk.call("forms_export", json!({ "code": "PAIN", "version": null, "path": file }));
    let read = elsewhere.call("forms_import", json!({ "path": file }));
    assert_eq!((&read["new"], &read["version"]["count"]), (&json!(true), &json!(1)));
    assert_eq!(
        desk.refused("forms_export", json!({ "code": "PAIN", "version": null, "path": "x.txt" })),
        "invalid"
    );
    assert_eq!(
        desk.refused("forms_export", json!({ "code": "NONE", "version": null, "path": file })),
        "not_found"
    );
}

#[test]
fn what_a_foreign_file_loses_is_listed_and_the_version_in_use_stays() {
    let desk = Desk::new();
    let path = fixture("android/behavior_skip_logic.json");
    let first = desk.call("forms_import", json!({ "path": path }));
    assert_eq!((&first["version"]["code"], &first["new"]), (&json!("IMPORTED"), &json!(true)));
    let lost = first["not_carried"].as_array().unwrap();
    assert!(
        lost.iter()
            .any(|one| one["code"] == "option_system" && one["link_id"] == "1.0" && one["what"] == "custom")
    );
    let second = desk.call("forms_import", json!({ "path": path }));
    assert_eq!(
        (&second["new"], &second["version"]["enabled"]),
        (&json!(false), &json!(false)),
        "somebody looks first"
    );
    let shown = desk.call("forms_questionnaire", json!({ "code": "IMPORTED", "version": null }));
    assert_eq!(shown["shown"]["count"], 1);
}

#[test]
fn a_file_that_cannot_be_used_leaves_nothing_behind() {
    let desk = Desk::new();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("q.json");
    let before = desk.call("forms_plans", json!({}));
    let refused = |text: &str| {
        std::fs::write(&file, text).unwrap();
        let error = desk.app.call("forms_import", json!({ "path": file.to_string_lossy() })).unwrap_err();
        (error.code.as_str(), error.params["link_id"].as_str().unwrap_or_default().to_owned())
    };
    let is = |code: &'static str, at: &str| (code, at.to_owned());
    let asked = |items: &str| {
        format!(r#"{{ "resourceType": "Questionnaire", "status": "draft", "item": [{items}] }}"#)
    };
    assert_eq!(refused("{"), is("fhir_not_json", "Questionnaire"));
    assert_eq!(refused(r#"{ "resourceType": "Patient" }"#), is("fhir_not_questionnaire", "Questionnaire"));
    assert_eq!(refused(&asked(r#"{ "linkId": "a", "type": "grid" }"#)), is("fhir_type_unknown", "a"));
    let loops = r#"{ "linkId": "a", "type": "string", "enableWhen": [{ "question": "b", "operator": "exists", "answerBoolean": true }] },
        { "linkId": "b", "type": "string", "enableWhen": [{ "question": "a", "operator": "exists", "answerBoolean": true }] }"#;
    assert_eq!(refused(&asked(loops)), is("fhir_condition_loop", "a"));
    assert_eq!(refused(&" ".repeat(4_000_002)), is("fhir_too_large", "Questionnaire"));
    std::fs::write(
        &file,
        asked(r#"{ "linkId": "a", "type": "boolean" }"#)
            .replace("\"status\"", "\"name\": \"HTN\", \"status\""),
    )
    .unwrap();
    assert_eq!(desk.refused("forms_import", json!({ "path": file.to_string_lossy() })), "fhir_kind_differs");
    assert_eq!(
        desk.refused("forms_import", json!({ "path": folder.path().join("none.json").to_string_lossy() })),
        "file_missing"
    );
    assert_eq!(desk.call("forms_plans", json!({})), before);
}

#[test]
fn sample_answers_go_to_a_file_and_come_back_or_are_refused_where_they_are_wrong() {
    let desk = Desk::new();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("answers.json").to_string_lossy().into_owned();
    let mut plan = desk.call("forms_plan", json!({ "code": "GEN", "version": null }))["plan"].clone();
    plan["form"] = questionnaire("PAIN");
    plan["code"] = json!("PAIN");
    let answers =
        json!({ "pain": { "type": "scale", "value": 8 }, "pill": { "type": "bool", "value": true } });
    let draft =
        json!({ "plan": plan, "questionnaire": true, "timepoint": null, "answers": answers, "age": null });
    let tried = desk.call("forms_try", draft.clone());
    assert_eq!(tried["evaluation"]["alerts"][0]["code"], "strong");
    desk.call("forms_answers_write", json!({ "draft": draft, "path": path }));
    let read = desk.call("forms_answers_read", json!({ "draft": draft, "path": path }));
    assert_eq!((&read["answers"], &read["faults"]), (&answers, &json!([])));
    let text = std::fs::read_to_string(&path).unwrap().replace("\"valueInteger\": 8", "\"valueInteger\": 2");
    std::fs::write(&path, text).unwrap();
    let read = desk.call("forms_answers_read", json!({ "draft": draft, "path": path }));
    assert_eq!(
        (&read["answers"], &read["faults"][0]["link_id"], &read["faults"][0]["code"]),
        (&Value::Null, &json!("pill"), &json!("not_enabled"))
    );
}

#[test]
fn bob_the_nurse_exports_and_does_not_import() {
    let desk = Desk::new();
    desk.add("bob", &[Role::Nurse]);
    desk.login("bob").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("q.json").to_string_lossy().into_owned();
    desk.call("forms_export", json!({ "code": "SAT_OPD", "version": null, "path": path }));
    assert_eq!(desk.refused("forms_import", json!({ "path": path })), "forbidden");
    assert_eq!(
        desk.refused("forms_questionnaire_save", json!({ "form": questionnaire("X"), "based_on": null })),
        "forbidden"
    );
}
