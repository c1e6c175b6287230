use serde_json::json;

use super::{Ward, id_of};
use crate::change_log::PATIENT;
use crate::followup::{Enrolled, StopReason, resume_patient, stop_patient, withdraw_encounter};

#[test]
fn a_discharge_starts_the_plan_of_its_diagnosis_with_dated_tasks() {
    let ward = Ward::new();
    let someone = ward.hypertension("王伟", "2026-11-09");
    assert_eq!(
        ward.text("SELECT plan_code || ' ' || why || ' ' || state FROM enrolment"),
        "HTN diagnosis active"
    );
    let dates = "SELECT group_concat(label || ' ' || due_on || ' ' || status, ', ') FROM (SELECT * FROM task ORDER BY due_on)";
    assert!(ward.text(dates).starts_with("D7 2026-11-16 open, D14 2026-11-23 waiting, D30 2026-12-09 open"));
    assert_eq!(ward.queue(), [someone.id]);
    assert_eq!(ward.enrol(someone.encounter), Enrolled::Nothing { code: "already_enrolled".into() });
}

#[test]
fn the_dead_those_who_refused_and_long_gone_discharges_start_nothing() {
    let ward = Ward::new();
    let (old, _) = ward.patient("张三");
    let encounter = ward.stay(old, "心血管内科", "I10", "2023-01-05");
    assert_eq!(ward.enrol(encounter), Enrolled::Nothing { code: "windows_passed".into() });
    let (dead, _) = ward.patient("李四");
    ward.write(|w| w.update(&PATIENT, dead, &[("deceased", true.into())]).unwrap());
    let encounter = ward.stay(dead, "心血管内科", "I10", "2026-11-09");
    assert!(matches!(ward.enrol(encounter), Enrolled::Nothing { .. }));
    assert_eq!(ward.count("SELECT count(*) FROM task"), 0);
    assert!(ward.queue().is_empty());
}

#[test]
fn a_readmission_ends_the_old_course_and_undoing_its_import_revives_it() {
    let ward = Ward::new();
    let someone = ward.hypertension("王伟", "2026-11-07");
    let again = ward.stay(someone.id, "心血管内科", "I10", "2026-11-15");
    assert!(matches!(ward.enrol(again), Enrolled::Started { .. }));
    let states = "SELECT group_concat(state || coalesce(':' || state_why, ''), ' ') FROM (SELECT * FROM enrolment ORDER BY anchor_on)";
    assert_eq!(ward.text(states), "stopped:readmitted active");
    assert!(ward.queue().is_empty(), "D7 of the new stay lies ahead");
    ward.write(|w| withdraw_encounter(w, again).unwrap());
    assert_eq!(ward.text(states), "active stopped:import_undone");
    assert_eq!(ward.queue(), [someone.id]);
    assert_eq!(
        ward.count("SELECT count(*) FROM task WHERE status = 'waiting'"),
        1,
        "what waited waits again"
    );
    assert!(matches!(ward.enrol(again), Enrolled::Started { .. }), "the same file can be imported again");
}

#[test]
fn stopping_takes_a_patient_off_the_list_and_resuming_brings_them_back() {
    let ward = Ward::new();
    let someone = ward.hypertension("王伟", "2026-11-09");
    ward.write(|w| stop_patient(w, someone.id, StopReason::Refused).unwrap());
    assert!(ward.queue().is_empty());
    ward.write(|w| resume_patient(w, someone.id, StopReason::Deceased).unwrap());
    assert!(ward.queue().is_empty(), "it was not stopped for that");
    ward.write(|w| resume_patient(w, someone.id, StopReason::Refused).unwrap());
    assert_eq!(ward.queue(), [someone.id]);
}

#[test]
fn a_new_version_of_a_plan_leaves_tasks_already_made_alone() {
    let ward = Ward::new();
    let someone = ward.hypertension("王伟", "2026-11-09");
    let before = ward.text("SELECT group_concat(plan_version) FROM task");
    ward.desk.login("alice").unwrap();
    let shown = ward.desk.call("forms_plan", json!({ "code": "HTN", "version": null }));
    let mut plan = shown["plan"].clone();
    plan["timepoints"][0]["offset_days"] = json!(9);
    ward.desk.call("forms_plan_save", json!({ "plan": plan, "based_on": shown["shown"]["version"] }));
    ward.desk.login("bob").unwrap();
    assert_eq!(ward.text("SELECT group_concat(plan_version) FROM task"), before);
    let opened = ward.open(someone.id);
    assert_eq!(opened["tasks"][0]["due_on"], "2026-11-16");
    assert_eq!(id_of(&opened["patient"]["id"]), someone.id);
}
