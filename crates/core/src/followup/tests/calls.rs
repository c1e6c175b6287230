use serde_json::json;

use super::{Ward, high_pressure, id_of};
use crate::change_log::{CONSENT, PATIENT, PHONE};

#[test]
fn bob_calls_answers_saves_and_the_task_is_done_once() {
    let ward = Ward::new();
    let (someone, other) = (ward.hypertension("王伟", "2026-11-09"), ward.hypertension("李娜", "2026-11-09"));
    let opened = ward.open(someone.id);
    assert_eq!(opened["claim"]["mine"], true);
    assert!(opened["script"]["opening"]["zh"].as_str().unwrap().contains("王先生"));
    let dialled =
        ward.desk.call("followup_dial", json!({ "patient_id": someone.id, "phone_id": someone.phone }));
    assert_eq!(dialled["url"], "tel:13800138000");
    let answers = ward.answers(&opened, json!({}));
    let more = json!({ "answers": answers, "call_token": dialled["call_token"], "remark": "恢复好" });
    let request = ward.save_request(&someone, &opened, more);
    let saved = ward.desk.call("followup_save_call", request.clone());
    assert_eq!(saved["tasks"][0]["status"], "done");
    assert_eq!(id_of(&saved["next_patient_id"]), other.id);
    let again = ward.desk.call("followup_save_call", request);
    assert_eq!(again["repeated"], true);
    assert_eq!(ward.count("SELECT count(*) FROM call"), 1);
    assert_eq!(ward.count("SELECT count(*) FROM response"), 1);
    assert_eq!(ward.text("SELECT state FROM phone LIMIT 1"), "good");
    assert_eq!(
        ward.text("SELECT status || end_reason FROM task WHERE label = 'D14'"),
        "skippedcondition_false"
    );
    assert_eq!(ward.queue(), [other.id]);
}

#[test]
fn a_form_with_holes_is_not_saved_and_each_hole_is_named() {
    let ward = Ward::new();
    let someone = ward.hypertension("王伟", "2026-11-09");
    let opened = ward.open(someone.id);
    let answers = json!({ "bp": { "type": "bp", "value": { "sbp": 100, "dbp": 120 } } });
    let request = ward.save_request(&someone, &opened, json!({ "answers": answers }));
    let error = ward.desk.app.call("followup_save_call", request).unwrap_err();
    let fields: Vec<&str> = error.fields.iter().map(|refused| refused.field.as_str()).collect();
    assert!(fields.contains(&"answers.bp") && fields.contains(&"answers.reach"));
    assert_eq!(ward.count("SELECT count(*) FROM call"), 0);
}

#[test]
fn nobody_answers_and_the_patient_comes_back_in_the_afternoon_until_attempts_are_used_up() {
    let ward = Ward::new();
    let someone = ward.hypertension("王伟", "2026-11-09");
    let saved = ward.fail(&someone, "NOANS");
    assert!(saved["next_try_at"].is_number());
    assert!(ward.queue().is_empty());
    ward.go_to("2026-11-16", "14:05");
    assert_eq!(ward.list()[0]["attempts"], 1);
    ward.fail(&someone, "NOANS");
    assert!(ward.queue().is_empty());
    ward.go_to("2026-11-17", "09:05");
    assert_eq!(ward.queue(), [someone.id]);
    let saved = ward.fail(&someone, "NOANS");
    assert_eq!(saved["tasks"][0]["end_reason"], "max_attempts");
    assert_eq!(ward.text("SELECT status FROM task WHERE label = 'D14'"), "open", "no response: look again");
    assert_eq!(ward.text("SELECT state FROM enrolment"), "active");
}

#[test]
fn two_timepoints_out_of_reach_lose_the_patient_and_a_supervisor_can_find_them_again() {
    let ward = Ward::new();
    let someone = ward.hypertension("王伟", "2026-11-09");
    for (day, time) in [("2026-11-16", "09:30"), ("2026-11-16", "14:30"), ("2026-11-17", "09:30")] {
        ward.go_to(day, time);
        ward.fail(&someone, "NOANS");
    }
    for (day, time) in [("2026-11-23", "09:30"), ("2026-11-23", "14:30"), ("2026-11-24", "09:30")] {
        ward.go_to(day, time);
        ward.fail(&someone, "NOANS");
    }
    assert_eq!(ward.text("SELECT state || ':' || state_why FROM enrolment"), "lost:max_attempts");
    assert_eq!(ward.count("SELECT count(*) FROM task WHERE status IN ('open', 'waiting')"), 0);
    let task = ward.open(someone.id)["calls"].as_array().unwrap().len();
    assert_eq!(task, 6);
    ward.desk.login("alice").unwrap();
    let d14: uuid::Uuid = ward
        .desk
        .ctx()
        .read(|c| Ok(c.query_row("SELECT id FROM task WHERE label = 'D14'", [], |row| row.get(0))?))
        .unwrap();
    ward.desk.call("followup_reopen_task", json!({ "task_id": d14 }));
    assert_eq!(ward.text("SELECT state FROM enrolment"), "active");
    assert_eq!(ward.queue(), [someone.id]);
}

#[test]
fn a_refusal_and_a_death_end_everything_and_block_every_dial() {
    let ward = Ward::new();
    let (refuses, dead) = (ward.hypertension("王伟", "2026-11-09"), ward.hypertension("李娜", "2026-11-09"));
    ward.fail(&refuses, "REFALL");
    ward.fail(&dead, "DEAD");
    assert!(ward.queue().is_empty());
    for who in [refuses, dead] {
        let refused =
            ward.desk.refused("followup_dial", json!({ "patient_id": who.id, "phone_id": who.phone }));
        assert_eq!(refused, "call_blocked");
    }
    assert_eq!(ward.count("SELECT count(*) FROM task WHERE status IN ('open', 'waiting')"), 0);
    assert_eq!(ward.count("SELECT count(*) FROM patient WHERE deceased = 1"), 1);
    assert_eq!(ward.count("SELECT count(*) FROM patient WHERE contact_optout = 'phone'"), 1);
}

#[test]
fn withdrawn_consent_blocks_the_dial_and_hides_the_patient() {
    let ward = Ward::new();
    let someone = ward.hypertension("王伟", "2026-11-09");
    ward.write(|w| {
        let fields = [
            ("patient_id", someone.id.into()),
            ("purpose", "care_followup".into()),
            ("channel", "phone".into()),
            ("granted", false.into()),
            ("given_at", w.now_millis().into()),
            ("how", "oral".into()),
            ("user_id", w.user().into()),
        ];
        w.create(&CONSENT, uuid::Uuid::from_u128(7), &fields).unwrap();
        crate::followup::refresh_patient(w.connection(), someone.id, w.now_millis()).unwrap();
    });
    assert!(ward.queue().is_empty());
    let refused =
        ward.desk.refused("followup_dial", json!({ "patient_id": someone.id, "phone_id": someone.phone }));
    assert_eq!(refused, "call_blocked");
}

#[test]
fn a_holiday_that_alice_imported_is_no_day_to_call() {
    let ward = Ward::new();
    let someone = ward.hypertension("王伟", "2026-11-09");
    let dial = json!({ "patient_id": someone.id, "phone_id": someone.phone });
    ward.desk.call("followup_dial", dial.clone());
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("2026.json");
    let notice =
        json!({ "year": 2026, "days": [{ "name": "院庆", "date": "2026-11-16", "isOffDay": true }] });
    std::fs::write(&file, notice.to_string()).unwrap();
    ward.desk.login("alice").unwrap();
    ward.desk.call("settings_calendar_import", json!({ "path": file }));
    ward.desk.login("bob").unwrap();
    assert_eq!(ward.desk.refused("followup_dial", dial), "call_needs_reason");
}

#[test]
fn outside_hours_a_reason_is_asked_and_kept_out_of_the_audit_trail() {
    let ward = Ward::new();
    let someone = ward.hypertension("王伟", "2026-11-09");
    ward.go_to("2026-11-16", "12:30");
    let dial = json!({ "patient_id": someone.id, "phone_id": someone.phone });
    assert_eq!(ward.desk.refused("followup_dial", dial), "call_needs_reason");
    let with_reason =
        json!({ "patient_id": someone.id, "phone_id": someone.phone, "override_reason": "家属要求中午来电" });
    ward.desk.call("followup_dial", with_reason);
    assert_eq!(ward.count("SELECT count(*) FROM audit WHERE detail LIKE '%家属%'"), 0);
    assert_eq!(ward.count("SELECT count(*) FROM note WHERE kind = 'guard_override'"), 1);
    let opened = ward.open(someone.id);
    assert!(opened["unsaved_dial"]["call_token"].is_string(), "a dial without a call is shown again");
}

#[test]
fn an_empty_number_is_marked_and_the_next_one_is_dialled_at_once() {
    let ward = Ward::new();
    let someone = ward.hypertension("王伟", "2026-11-09");
    let daughter = ward.desk.ctx().new_id();
    ward.write(|w| {
        let fields = [
            ("patient_id", someone.id.into()),
            ("number", "13900139000".into()),
            ("relation", "3".into()),
            ("rank", 1_i64.into()),
        ];
        w.create(&PHONE, daughter, &fields).unwrap();
    });
    ward.fail(&someone, "EMPTY");
    assert_eq!(ward.queue(), [someone.id], "another number can be dialled now");
    let opened = ward.open(someone.id);
    assert_eq!(id_of(&opened["phones"][0]["id"]), daughter);
    assert_eq!(opened["phones"][1]["state"], "empty");
    let blocked =
        ward.desk.refused("followup_dial", json!({ "patient_id": someone.id, "phone_id": someone.phone }));
    assert_eq!(blocked, "call_blocked");
}

#[test]
fn an_appointment_hides_the_patient_until_its_time() {
    let ward = Ward::new();
    let someone = ward.hypertension("王伟", "2026-11-09");
    let opened = ward.open(someone.id);
    let at = (ward.desk.now() + chrono::Duration::hours(6)).timestamp_millis();
    let request = ward.save_request(&someone, &opened, json!({ "reason": "NOTCONV", "appointment_at": at }));
    let saved = ward.desk.call("followup_save_call", request);
    assert_eq!(saved["next_try_at"], at);
    assert!(ward.queue().is_empty());
    ward.go_to("2026-11-16", "15:31");
    assert_eq!(ward.list()[0]["reason"], "appointment");
}

#[test]
fn a_claim_keeps_colleagues_away_until_it_is_released_or_runs_out() {
    let ward = Ward::new();
    let someone = ward.hypertension("王伟", "2026-11-09");
    let opened = ward.open(someone.id);
    ward.desk.login("alice").unwrap();
    assert_eq!(ward.list()[0]["claim"]["by"], "bob");
    assert_eq!(ward.open(someone.id)["claim"]["mine"], false);
    let request = ward.save_request(&someone, &opened, json!({ "reason": "NOANS" }));
    assert_eq!(ward.desk.refused("followup_save_call", request), "task_claimed");
    ward.go_to("2026-11-16", "13:31");
    assert_eq!(ward.open(someone.id)["claim"]["mine"], true);
    ward.desk.call("followup_release", json!({ "patient_id": someone.id }));
    assert!(ward.list()[0]["claim"].is_null());
}

#[test]
fn bob_takes_patients_along_for_two_days_and_gives_them_all_back() {
    let ward = Ward::new();
    let (one, two) = (ward.hypertension("王伟", "2026-11-09"), ward.hypertension("李娜", "2026-11-09"));
    ward.desk.login("alice").unwrap();
    ward.open(two.id);
    ward.desk.login("bob").unwrap();
    let asked = json!({ "patient_ids": [one.id, two.id], "hours": 48 });
    let taken = ward.desk.call("followup_take_along", asked);
    assert_eq!((&taken["taken"], &taken["left"]), (&json!([one.id]), &json!([two.id])));
    let held = ward.desk.call("followup_along", json!({}));
    assert_eq!((&held["patient_ids"], &held["until"]), (&json!([one.id]), &taken["until"]));
    assert_eq!(ward.desk.call("followup_give_back", json!({})), held);
    assert_eq!(ward.desk.call("followup_along", json!({})), json!({ "patient_ids": [], "until": null }));
    let holders: Vec<serde_json::Value> = ward.list().iter().map(|row| row["claim"]["by"].clone()).collect();
    assert!(!holders.contains(&json!("bob")) && holders.iter().any(|by| !by.is_null()), "alice keeps hers");
}

#[test]
fn a_mistyped_outcome_is_taken_back_as_if_it_had_not_been() {
    let ward = Ward::new();
    let someone = ward.hypertension("王伟", "2026-11-09");
    let before = (ward.text(TASKS), ward.text(PHONES));
    let saved = ward.complete(&someone, high_pressure());
    assert_eq!(saved["alerts"][0]["level"], "red");
    ward.desk.call("followup_undo_call", json!({ "call_id": saved["call_id"] }));
    assert_eq!((ward.text(TASKS), ward.text(PHONES)), before);
    assert_eq!(ward.count("SELECT count(*) FROM standing_call"), 0);
    assert_eq!(ward.count("SELECT count(*) FROM standing_response"), 0);
    assert_eq!(ward.count("SELECT count(*) FROM call"), 2, "the correction is a fact too");
    assert_eq!(ward.count("SELECT count(*) FROM alert WHERE status <> 'closed'"), 0);
    assert_eq!(ward.queue(), [someone.id]);
    ward.complete(&someone, json!({}));
    assert_eq!(ward.count("SELECT count(*) FROM standing_response"), 1);
}

#[test]
fn a_call_is_not_taken_back_too_late_nor_twice_nor_by_others() {
    let ward = Ward::new();
    let someone = ward.hypertension("王伟", "2026-11-09");
    let saved = ward.fail(&someone, "NOANS");
    let request = json!({ "call_id": saved["call_id"] });
    ward.desk.login("alice").unwrap();
    assert_eq!(ward.desk.refused("followup_undo_call", request.clone()), "call_not_undoable");
    ward.desk.login("bob").unwrap();
    ward.desk.call("followup_undo_call", request.clone());
    assert_eq!(ward.desk.refused("followup_undo_call", request), "call_not_undoable");
    let saved = ward.fail(&someone, "NOANS");
    ward.desk.wait(chrono::Duration::minutes(11));
    ward.desk.login("bob").unwrap();
    let late = json!({ "call_id": saved["call_id"] });
    assert_eq!(ward.desk.refused("followup_undo_call", late), "call_not_undoable");
}

#[test]
fn two_plans_ask_their_common_questions_once() {
    let ward = Ward::new();
    let someone = ward.hypertension("王伟", "2026-11-09");
    let second = ward.stay(someone.id, "内分泌科", "E11.900", "2026-11-09");
    ward.enrol(second);
    ward.go_to("2026-11-17", "09:30");
    let opened = ward.open(someone.id);
    assert_eq!(Ward::tasks(&opened).len(), 2);
    let questions = opened["form"]["questions"].as_array().unwrap();
    let reach: Vec<_> = questions.iter().filter(|q| q["question"]["id"] == "reach").collect();
    assert_eq!(reach.len(), 1);
    assert_eq!(reach[0]["tasks"].as_array().unwrap().len(), 2);
    let saved = ward.complete(&someone, json!({}));
    assert_eq!(saved["tasks"].as_array().unwrap().len(), 2);
    assert_eq!(ward.count("SELECT count(*) FROM response"), 2);
    assert_eq!(ward.count("SELECT count(*) FROM call"), 1);
}

#[test]
fn a_repeating_timepoint_grows_as_it_is_done_and_a_crash_leaves_the_draft() {
    let ward = Ward::new();
    let someone = ward.hypertension("王伟", "2026-11-09");
    let draft = json!({ "answers": high_pressure() });
    let key = format!("followup:{}", someone.id);
    ward.desk.call("settings_draft_save", json!({ "key": key, "body": draft }));
    let opened = ward.open(someone.id);
    assert_eq!(opened["draft"]["body"], draft);
    assert_eq!(opened["state"]["alerts"][0]["level"], "red");
    ward.complete(&someone, json!({}));
    assert!(ward.open(someone.id)["draft"].is_null());
}

#[test]
fn a_child_is_spoken_about_with_the_guardian_only() {
    let ward = Ward::new();
    let someone = ward.hypertension("小明", "2026-11-09");
    ward.write(|w| w.update(&PATIENT, someone.id, &[("birth_on", "2018-05-01".into())]).unwrap());
    let dial = json!({ "patient_id": someone.id, "phone_id": someone.phone });
    assert_eq!(ward.desk.refused("followup_dial", dial), "call_needs_reason");
    ward.write(|w| w.update(&PHONE, someone.phone, &[("relation", "5".into())]).unwrap());
    let verdict =
        ward.desk.call("followup_guard", json!({ "patient_id": someone.id, "phone_id": someone.phone }));
    assert_eq!(verdict["notes"][0]["code"], "guardian_only");
    assert_eq!(verdict["warnings"], json!([]));
}

const TASKS: &str = "SELECT group_concat(label || status || attempts || coalesce(next_try_at, '-') || coalesce(end_reason, '-')
    || coalesce(condition, '-'), ' ') FROM (SELECT * FROM task WHERE end_reason IS NOT 'call_undone' ORDER BY due_on)";
const PHONES: &str = "SELECT group_concat(state || coalesce(state_at, '-')) FROM phone";

#[test]
fn a_call_that_serves_two_plans_says_which_plan_asks_what() {
    let ward = Ward::new();
    let someone = ward.hypertension("王伟", "2026-11-09");
    ward.go_to("2026-11-17", "09:30");
    let headings = || -> Vec<String> {
        let opened = ward.open(someone.id);
        let questions = opened["form"]["questions"].as_array().unwrap().clone();
        let mut titles: Vec<String> =
            questions.iter().filter_map(|one| one["heading"]["zh"].as_str().map(str::to_owned)).collect();
        titles.dedup();
        titles
    };
    assert!(headings().is_empty(), "one plan needs no heading");
    let second = ward.stay(someone.id, "内分泌科", "E11.900", "2026-11-09");
    ward.enrol(second);
    let both = headings();
    assert_eq!(both.len(), 2, "{both:?}");
    assert!(both.iter().any(|title| title.contains("高血压")));
    assert!(both.iter().any(|title| title.contains("糖尿病")));
}
