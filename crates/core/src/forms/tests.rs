#![allow(clippy::unwrap_used, clippy::expect_used)]

use aftercare_domain::access::Role;
use serde_json::{Value, json};

use super::{Kind, catalog, number, plan, seed};
use crate::testing::Desk;

fn row<'a>(list: &'a Value, code: &str) -> &'a Value {
    let rows = list["plans"].as_array().unwrap().iter();
    rows.into_iter().find(|row| row["version"]["code"] == code).expect(code)
}

#[test]
fn a_new_hospital_has_every_shipped_plan_in_use() {
    let desk = Desk::new();
    let list = desk.call("forms_plans", json!({}));
    assert_eq!(list["plans"].as_array().unwrap().len(), 11);
    assert_eq!(list["questionnaires"].as_array().unwrap().len(), 3);
    let htn = row(&list, "HTN");
    assert_eq!(
        (htn["version"]["version"].as_u64(), htn["version"]["enabled"].as_bool()),
        (Some(1), Some(true))
    );
    assert_eq!(htn["version"]["origin"], "shipped");
    let plans = desk.ctx().read(catalog).unwrap();
    assert_eq!(plans.len(), 11);
    desk.login("alice").unwrap();
    assert_eq!(desk.call("forms_plans", json!({})), list, "logging in again adds nothing");
}

#[test]
fn alice_edits_a_plan_and_the_old_version_stays() {
    let desk = Desk::new();
    let mut plan_now = desk.call("forms_plan", json!({ "code": "HTN", "version": null }))["plan"].clone();
    plan_now["timepoints"][0]["offset_days"] = json!(10);
    let saved = desk.call("forms_plan_save", json!({ "plan": plan_now, "based_on": 1 }));
    assert_eq!((saved["shown"]["count"].as_u64(), saved["versions"].as_array().unwrap().len()), (Some(2), 2));
    let second = u32::try_from(saved["shown"]["version"].as_u64().unwrap()).unwrap();
    let ctx = desk.ctx();
    let offset =
        |version| ctx.read(|c| Ok(plan(c, "HTN", version)?.plan().timepoints[0].offset_days)).unwrap();
    assert_eq!((offset(1), offset(second)), (7, 10));
    let used = ctx.read(catalog).unwrap();
    let htn = used.iter().find(|plan| plan.plan().code == "HTN").unwrap();
    assert_eq!((htn.plan().version, htn.form().form().version), (second, second));
    let again = json!({ "plan": plan_now, "based_on": 1 });
    assert_eq!(desk.refused("forms_plan_save", again), "conflict", "bob saved on top of version 1 too");
    let new = json!({ "plan": plan_now, "based_on": null });
    let error = desk.app.call("forms_plan_save", new).unwrap_err();
    assert_eq!((error.fields[0].field.as_str(), error.fields[0].code.as_str()), ("code", "taken"));
}

#[test]
fn mistakes_come_back_at_their_fields_and_nothing_is_saved() {
    let desk = Desk::new();
    let mut plan = desk.call("forms_plan", json!({ "code": "HTN", "version": null }))["plan"].clone();
    plan["form"]["alerts"][0]["when"] = json!("bp.sbp >= high");
    plan["timepoints"][1]["code"] = json!("D7");
    let error = desk.app.call("forms_plan_save", json!({ "plan": plan, "based_on": 1 })).unwrap_err();
    let mut fields: Vec<_> =
        error.fields.iter().map(|f| (f.field.as_str(), f.params["problem"].as_str().unwrap())).collect();
    fields.sort_unstable();
    assert_eq!(fields, [("form.alerts.0.when", "expr_unknown_name"), ("timepoints.1.code", "duplicate")]);
    let tried =
        desk.call("forms_try", json!({ "plan": plan, "timepoint": null, "answers": {}, "age": null }));
    assert_eq!((tried["problems"].as_array().unwrap().len(), &tried["evaluation"]), (2, &Value::Null));
    assert_eq!(row(&desk.call("forms_plans", json!({})), "HTN")["versions"], 1);
}

#[test]
fn a_plan_can_be_switched_off_and_an_older_version_taken_back() {
    let desk = Desk::new();
    let plan = desk.call("forms_plan", json!({ "code": "COPD", "version": null }))["plan"].clone();
    desk.call("forms_plan_save", json!({ "plan": plan, "based_on": 1 }));
    let used = || {
        let plans = desk.ctx().read(catalog).unwrap();
        plans.iter().find(|plan| plan.plan().code == "COPD").map(|plan| number::count(plan.plan().version))
    };
    assert_eq!(used(), Some(2));
    desk.call("forms_plan_enable", json!({ "code": "COPD", "version": 1 }));
    assert_eq!(used(), Some(1));
    desk.call("forms_plan_disable", json!({ "code": "COPD" }));
    assert_eq!(used(), None);
    assert_eq!(row(&desk.call("forms_plans", json!({})), "COPD")["version"]["enabled"], false);
    assert_eq!(desk.refused("forms_plan_enable", json!({ "code": "COPD", "version": 9 })), "not_found");
    assert_eq!(desk.refused("forms_plan_disable", json!({ "code": "NONE" })), "not_found");
}

#[test]
fn a_newer_shipped_version_takes_over_only_from_a_shipped_one() {
    let desk = Desk::new();
    let ctx = desk.ctx();
    let body = |code: &str| {
        let plan = desk.call("forms_plan", json!({ "code": code, "version": null }))["plan"].clone();
        (plan.clone(), plan.to_string())
    };
    let (_, htn) = body("HTN");
    let (copd_plan, copd) = body("COPD");
    let (_, hf) = body("HF");
    desk.call("forms_plan_save", json!({ "plan": copd_plan, "based_on": 1 }));
    desk.call("forms_plan_disable", json!({ "code": "HF" }));
    ctx.write(|w| {
        for (code, body) in [("HTN", &htn), ("COPD", &copd), ("HF", &hf)] {
            seed::add(w, code, 2, Kind::Plan, body.clone())?;
            seed::add(w, code, 2, Kind::Plan, body.clone())?;
        }
        Ok(())
    })
    .unwrap();
    let used: Vec<_> = ctx
        .read(catalog)
        .unwrap()
        .iter()
        .map(|p| (p.plan().code.clone(), number::count(p.plan().version)))
        .collect();
    assert!(used.contains(&("HTN".to_owned(), 2)) && used.contains(&("COPD".to_owned(), 2)));
    assert!(!used.iter().any(|(code, _)| code == "HF"), "switched off stays off");
    let copd = desk.call("forms_plan", json!({ "code": "COPD", "version": null }));
    assert_eq!(copd["shown"]["origin"], "edited");
    let there =
        copd["versions"].as_array().unwrap().iter().any(|v| v["version"] == 2 && v["origin"] == "shipped");
    assert!(there, "the shipped one is there to be chosen");
}

#[test]
fn sample_answers_show_what_would_follow() {
    let desk = Desk::new();
    let plan = desk.call("forms_plan", json!({ "code": "HTN", "version": null }))["plan"].clone();
    let answers = json!({ "bp": { "type": "bp", "value": { "sbp": 185, "dbp": 100 } } });
    let request = json!({ "plan": plan, "timepoint": "D7", "answers": answers, "age": 70 });
    let tried = desk.call("forms_try", request);
    assert_eq!(tried["evaluation"]["class"], "urgent");
    assert_eq!(tried["evaluation"]["alerts"][0], json!({ "code": "bp_critical", "level": "red" }));
}

#[test]
fn bob_the_nurse_reads_plans_and_does_not_edit_them() {
    let desk = Desk::new();
    desk.add("bob", &[Role::Nurse]);
    desk.login("bob").unwrap();
    let form = desk.call("forms_form", json!({ "code": "SAT_OPD", "version": 1 }));
    assert_eq!(form["script"], Value::Null);
    let form = desk.call("forms_form", json!({ "code": "HTN", "version": 1 }));
    assert!(form["script"]["opening"]["zh"].as_str().unwrap().contains("{{agent.name}}"));
    assert_eq!(desk.refused("forms_plan_disable", json!({ "code": "HTN" })), "forbidden");
    assert_eq!(desk.refused("forms_form", json!({ "code": "HTN", "version": 7 })), "not_found");
}

#[test]
fn every_mistake_and_every_invalid_answer_has_its_words() {
    use aftercare_domain::forms::{ANSWER_CODES, PROBLEM_CODES};
    for language in ["zh-CN", "en"] {
        let path = format!("{}/../../assets/locales/{language}/forms.json", env!("CARGO_MANIFEST_DIR"));
        let words: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        for (list, codes) in [("problem", PROBLEM_CODES), ("answer", ANSWER_CODES)] {
            let mut known: Vec<&str> = words[list].as_object().unwrap().keys().map(String::as_str).collect();
            let mut codes = codes.to_vec();
            known.sort_unstable();
            codes.sort_unstable();
            assert_eq!(known, codes, "{language} {list}");
        }
    }
}
