//! Two desks apart from each other want the same patient.

use serde_json::{Value, json};
use uuid::Uuid;

use super::Hospital;
use crate::followup::tests::harmless;
use crate::imports::tests::count;
use crate::testing::Desk;

fn claim(desk: &Desk, patient: Uuid) -> Value {
    let list = desk.call("followup_worklist", json!({ "limit": 200 }));
    let rows = list["rows"].as_array().unwrap();
    let row = rows.iter().find(|row| row["patient_id"] == json!(patient)).unwrap();
    let opened = desk.call("followup_open", json!({ "patient_id": patient, "look_only": true }));
    assert_eq!(row["claim"]["unconfirmed"], opened["claim"]["unconfirmed"], "list and call say the same");
    opened["claim"].clone()
}

/// Opens, answers and saves a call that was answered.
fn calls(desk: &Desk, patient: Uuid) {
    let opened = desk.call("followup_open", json!({ "patient_id": patient }));
    let tasks: Vec<Value> =
        opened["tasks"].as_array().unwrap().iter().map(|task| task["id"].clone()).collect();
    let mut answers = json!({});
    for _ in 0..60 {
        let state = desk.call("followup_evaluate", json!({ "tasks": tasks, "answers": answers }));
        let Some(key) = state["missing"].get(0).and_then(Value::as_str) else { break };
        let questions = opened["form"]["questions"].as_array().unwrap();
        let question = &questions.iter().find(|question| question["key"] == key).unwrap()["question"];
        answers[key] = harmless(question);
    }
    let request = json!({
        "call_id": desk.ctx().new_id(), "patient_id": patient, "tasks": tasks,
        "phone_id": opened["phones"][0]["id"], "reason": null, "answers": answers,
    });
    desk.call("followup_save_call", request);
}

#[test]
fn a_claim_is_unconfirmed_until_the_server_has_heard_of_it() {
    let hospital = Hospital::imported();
    let who = hospital.somebody();
    hospital.bob.call("followup_claim", json!({ "patient_id": who }));
    assert_eq!(claim(&hospital.bob, who)["unconfirmed"], true);
    hospital.server.sync(&hospital.bob);
    let his = claim(&hospital.bob, who);
    assert_eq!((&his["unconfirmed"], &his["mine"]), (&json!(false), &json!(true)));
    hospital.server.sync(&hospital.alice);
    let hers = claim(&hospital.alice, who);
    assert_eq!((&hers["unconfirmed"], &hers["mine"]), (&json!(false), &json!(false)));
}

#[test]
fn the_slower_of_two_claims_gives_way_with_the_verdict() {
    let hospital = Hospital::imported();
    let who = hospital.somebody();
    for desk in [&hospital.bob, &hospital.alice] {
        desk.call("followup_claim", json!({ "patient_id": who }));
    }
    hospital.server.sync(&hospital.bob);
    assert_eq!(claim(&hospital.alice, who)["unconfirmed"], true);
    hospital.server.sync(&hospital.alice);
    let hers = claim(&hospital.alice, who);
    assert_eq!((&hers["unconfirmed"], &hers["mine"]), (&json!(false), &json!(false)), "bob has it");
}

#[test]
fn a_desk_without_a_server_confirms_its_own_claims() {
    let desk = Desk::new();
    crate::imports::tests::import(&desk, &crate::imports::tests::fixture("出院患者_gb18030.csv"));
    desk.add("carol", &[aftercare_domain::access::Role::Supervisor]);
    desk.login("carol").unwrap();
    let list = desk.call("followup_worklist", json!({ "limit": 1 }));
    let who: Uuid = list["rows"][0]["patient_id"].as_str().unwrap().parse().unwrap();
    desk.call("followup_claim", json!({ "patient_id": who }));
    assert_eq!(claim(&desk, who)["unconfirmed"], false);
}

#[test]
fn when_both_have_called_both_calls_stand_and_the_second_is_told() {
    let hospital = Hospital::imported();
    let who = hospital.somebody();
    calls(&hospital.bob, who);
    hospital.alice.wait(chrono::Duration::minutes(3));
    calls(&hospital.alice, who);
    hospital.server.sync(&hospital.bob);
    hospital.server.sync(&hospital.alice);
    let refused = hospital.alice.call("sync_refused", json!({ "limit": 50 }));
    let twice: Vec<&Value> =
        refused["rows"].as_array().unwrap().iter().filter(|row| row["called_twice"] == true).collect();
    assert!(!twice.is_empty(), "{refused}");
    assert!(twice.iter().all(|row| row["patient_id"] == json!(who)));
    let none = hospital.bob.call("sync_refused", json!({ "limit": 50 }));
    assert_eq!(none["rows"], json!([]), "who was first hears nothing");
    hospital.meet();
    for desk in [&hospital.alice, &hospital.bob] {
        let sql = format!("SELECT count(*) FROM call WHERE patient_id = x'{}'", who.simple());
        assert_eq!(count(desk, &sql), 2, "a call that was made is a fact");
    }
}
