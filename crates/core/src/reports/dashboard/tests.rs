//! The totals are what a fresh count would be, whoever writes what in which order.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use proptest::prelude::*;
use rusqlite::Connection;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::change_log::{ALERT, CALL, Change, ENCOUNTER, ENROLMENT, PATIENT, RESPONSE, TASK};
use crate::reports::dashboard;
use crate::reports::population::FigureCode;
use crate::testing::{Desk, raw_connection};

/// One write. Numbers choose among what there is, whatever it is by then.
#[derive(Debug, Clone)]
enum Step {
    Patient { num: u8, other_site: bool },
    Stay { num: u8, day: u8, ward: u8 },
    Task { num: u8, stay: u8, day: u8, plan: u8 },
    Call { num: u8, task: u8, day: u8, reached: bool, replaces: Option<u8>, nurse: u8 },
    Answer { num: u8, task: u8, stay: u8, call: u8, nurse: u8 },
    Alert { num: u8, task: u8, level: u8 },
    Plan { num: u8, stay: u8, day: u8 },
    Ward { stay: u8, ward: u8 },
    Done { task: u8, day: u8 },
    TakenBack { task: u8 },
    Given { task: u8, nurse: u8 },
    Handled { alert: u8, late: bool },
    Ended { plan: u8, lost: bool, day: u8 },
    Site { patient: u8 },
    Died { patient: u8 },
    StayGone { stay: u8 },
    Merged { patient: u8, into: u8 },
    Settled,
}

const KINDS: u128 = 8;
const PATIENTS: u8 = 4;

fn id(kind: u128, num: u8) -> Uuid {
    assert!(kind < KINDS);
    Uuid::from_u128((kind << 64) | (u128::from(num) + 1))
}

fn on(day: u8) -> String {
    format!("2026-{:02}-{:02}", 10 + day % 2, 1 + day % 27)
}

fn at(day: u8) -> i64 {
    let text = format!("{}T{:02}:00:00Z", on(day), day % 10);
    text.parse::<chrono::DateTime<chrono::Utc>>().unwrap().timestamp_millis()
}

const WARDS: [&str; 3] = ["心血管内科", "骨科", ""];
const PLANS: [&str; 2] = ["HTN", "T2DM"];
const LEVELS: [&str; 3] = ["red", "orange", "yellow"];

fn step() -> impl Strategy<Value = Step> {
    let (p, n, d) = (0..PATIENTS, 0..12_u8, 0..60_u8);
    let small = 0..3_u8;
    prop_oneof![
        (p.clone(), any::<bool>()).prop_map(|(num, other_site)| Step::Patient { num, other_site }),
        (n.clone(), d.clone(), small.clone()).prop_map(|(num, day, ward)| Step::Stay { num, day, ward }),
        (n.clone(), n.clone(), d.clone(), small.clone()).prop_map(|(num, stay, day, plan)| Step::Task {
            num,
            stay,
            day,
            plan
        }),
        (n.clone(), n.clone(), d.clone(), any::<bool>(), proptest::option::of(n.clone()), small.clone())
            .prop_map(|(num, task, day, reached, replaces, nurse)| Step::Call {
                num,
                task,
                day,
                reached,
                replaces,
                nurse
            }),
        (n.clone(), n.clone(), n.clone(), n.clone(), small.clone())
            .prop_map(|(num, task, stay, call, nurse)| Step::Answer { num, task, stay, call, nurse }),
        (n.clone(), n.clone(), small.clone()).prop_map(|(num, task, level)| Step::Alert { num, task, level }),
        (n.clone(), n.clone(), d.clone()).prop_map(|(num, stay, day)| Step::Plan { num, stay, day }),
        (n.clone(), small.clone()).prop_map(|(stay, ward)| Step::Ward { stay, ward }),
        (n.clone(), d.clone()).prop_map(|(task, day)| Step::Done { task, day }),
        n.clone().prop_map(|task| Step::TakenBack { task }),
        (n.clone(), small).prop_map(|(task, nurse)| Step::Given { task, nurse }),
        (n.clone(), any::<bool>()).prop_map(|(alert, late)| Step::Handled { alert, late }),
        (n.clone(), any::<bool>(), d).prop_map(|(plan, lost, day)| Step::Ended { plan, lost, day }),
        p.clone().prop_map(|patient| Step::Site { patient }),
        p.clone().prop_map(|patient| Step::Died { patient }),
        n.prop_map(|stay| Step::StayGone { stay }),
        (p.clone(), p).prop_map(|(patient, into)| Step::Merged { patient, into }),
        Just(Step::Settled),
    ]
}

/// What a step refers to belongs to one patient, as in life: the patient of a stay, task or call follows from its number.
fn of(num: u8) -> u8 {
    num % PATIENTS
}

fn nurse(desk: &Desk, num: u8) -> Uuid {
    if num == 0 { desk.ctx().user_id() } else { id(7, num) }
}

/// Carries a step out; what cannot be (a record made twice, or not there) is passed over, as a server would.
fn write(desk: &Desk, step: &Step) {
    let site: Uuid =
        desk.ctx().read(|c| Ok(c.query_row("SELECT site_id FROM desk", [], |row| row.get(0))?)).unwrap();
    let other = id(6, 0);
    let create = |entity, id: Uuid, fields: Vec<Change>| {
        let there = format!("SELECT EXISTS (SELECT 1 FROM {} WHERE id = ?1)", {
            let e: &crate::change_log::Entity = entity;
            e.table
        });
        let there: bool = desk.ctx().read(|c| Ok(c.query_row(&there, [id], |row| row.get(0))?)).unwrap();
        if !there {
            desk.ctx().write(|w| w.create(entity, id, &fields)).unwrap();
        }
    };
    let update = |entity, id: Uuid, fields: Vec<Change>| {
        let _ = desk.ctx().write(|w| w.command(entity, id, "test", &fields));
    };
    match step.clone() {
        Step::Patient { num, other_site } => create(
            &PATIENT,
            id(0, num),
            vec![("name", "某".into()), ("site_id", if other_site { other } else { site }.into())],
        ),
        Step::Stay { num, day, ward } => create(
            &ENCOUNTER,
            id(1, num),
            vec![
                ("patient_id", id(0, of(num)).into()),
                ("department", WARDS[usize::from(ward)].into()),
                ("discharged_on", on(day).into()),
            ],
        ),
        Step::Task { num, stay, day, plan } => create(
            &TASK,
            id(2, num),
            vec![
                ("patient_id", id(0, of(num)).into()),
                ("encounter_id", id(1, stay / PATIENTS * PATIENTS + of(num)).into()),
                ("kind", if plan == 2 { "manual" } else { "plan" }.into()),
                ("timepoint", "D7".into()),
                ("plan_code", PLANS[usize::from(plan) % 2].into()),
                ("plan_version", 1_i64.into()),
                ("form", "full".into()),
                ("channel", "phone".into()),
                ("owner", "".into()),
                ("due_on", on(day).into()),
                ("window_starts_on", on(day).into()),
                ("window_ends_on", on(day).into()),
                ("status", "open".into()),
            ],
        ),
        Step::Call { num, task, day, reached, replaces, nurse: who } => create(
            &CALL,
            id(3, num),
            vec![
                ("patient_id", id(0, of(num)).into()),
                ("task_id", id(2, task / PATIENTS * PATIENTS + of(num)).into()),
                ("tasks", "[]".into()),
                ("number", "1".into()),
                ("called_at", at(day).into()),
                ("called_on", on(day).into()),
                ("outcome", if reached { "reached" } else { "not_reached" }.into()),
                (
                    "replaces_id",
                    replaces
                        .map(|other| id(3, other / PATIENTS * PATIENTS + of(num)))
                        .filter(|other| *other != id(3, num))
                        .into(),
                ),
                ("user_id", nurse(desk, who).into()),
            ],
        ),
        Step::Answer { num, task, stay, call, nurse: who } => {
            let same = |other: u8| other / PATIENTS * PATIENTS + of(num);
            create(
                &RESPONSE,
                id(4, num),
                vec![
                    ("patient_id", id(0, of(num)).into()),
                    ("task_id", id(2, same(task)).into()),
                    ("encounter_id", id(1, same(stay)).into()),
                    ("call_id", id(3, same(call)).into()),
                    ("plan_code", "HTN".into()),
                    ("plan_version", 1_i64.into()),
                    ("form", "full".into()),
                    ("answers", "{}".into()),
                    ("results", "{}".into()),
                    ("responded_at", at(num).into()),
                    ("responded_on", on(num).into()),
                    ("user_id", nurse(desk, who).into()),
                ],
            );
        }
        Step::Alert { num, task, level } => create(
            &ALERT,
            id(5, num),
            vec![
                ("patient_id", id(0, of(num)).into()),
                ("task_id", id(2, task / PATIENTS * PATIENTS + of(num)).into()),
                ("plan_code", "HTN".into()),
                ("plan_version", 1_i64.into()),
                ("rule", "r".into()),
                ("level", LEVELS[usize::from(level)].into()),
                ("say", "{}".into()),
                ("route", "".into()),
                ("raised_at", at(num).into()),
                ("due_at", (at(num) + 1000).into()),
                ("raised_by", nurse(desk, level).into()),
                ("status", "open".into()),
            ],
        ),
        Step::Plan { num, stay, day } => create(
            &ENROLMENT,
            id(6, num + 1),
            vec![
                ("patient_id", id(0, of(num)).into()),
                ("encounter_id", id(1, stay / PATIENTS * PATIENTS + of(num)).into()),
                ("plan_code", "HTN".into()),
                ("plan_version", 1_i64.into()),
                ("anchor_on", on(day).into()),
                ("why", "".into()),
                ("started_at", 0_i64.into()),
            ],
        ),
        Step::Ward { stay, ward } => {
            update(&ENCOUNTER, id(1, stay), vec![("department", WARDS[usize::from(ward)].into())])
        }
        Step::Done { task, day } => update(
            &TASK,
            id(2, task),
            vec![("status", "done".into()), ("ended_at", at(day).into()), ("attempts", 1_i64.into())],
        ),
        Step::TakenBack { task } => update(&TASK, id(2, task), vec![("status", "cancelled".into())]),
        Step::Given { task, nurse: who } => {
            update(&TASK, id(2, task), vec![("assigned_to", nurse(desk, who).into())])
        }
        Step::Handled { alert, late } => {
            let wait = if late { 5000 } else { 10 };
            update(&ALERT, id(5, alert), vec![("handled_at", (at(alert) + wait).into())]);
        }
        Step::Ended { plan, lost, day } => update(
            &ENROLMENT,
            id(6, plan + 1),
            vec![("state", if lost { "lost" } else { "finished" }.into()), ("ended_at", at(day).into())],
        ),
        Step::Site { patient } => update(&PATIENT, id(0, patient), vec![("site_id", other.into())]),
        Step::Died { patient } => update(&PATIENT, id(0, patient), vec![("deceased", 1_i64.into())]),
        Step::StayGone { stay } => update(&ENCOUNTER, id(1, stay), vec![("removed", 1_i64.into())]),
        Step::Merged { patient, into } => merge(desk, patient, into),
        Step::Settled => desk.ctx().db().write(|c, _| dashboard::settle(c)).unwrap(),
    }
}

/// As a merge does: stays, plans, tasks and alerts move, calls and answers stay where they were made.
fn merge(desk: &Desk, patient: u8, into: u8) {
    if patient == into {
        return;
    }
    for (entity, kind) in [(&ENCOUNTER, 1), (&TASK, 2), (&ALERT, 5), (&ENROLMENT, 6)] {
        for num in 0..14 {
            let there: Option<Uuid> = desk
                .ctx()
                .read(|c| {
                    let sql = format!("SELECT patient_id FROM {} WHERE id = ?1", entity.table);
                    crate::db::optional(c.query_row(&sql, [id(kind, num)], |row| row.get(0)))
                })
                .unwrap();
            if there == Some(id(0, patient)) {
                desk.ctx()
                    .write(|w| {
                        w.command(entity, id(kind, num), "test", &[("patient_id", id(0, into).into())])
                    })
                    .unwrap();
            }
        }
    }
    let _ = desk
        .ctx()
        .write(|w| w.command(&PATIENT, id(0, patient), "test", &[("merged_into", id(0, into).into())]));
}

const ALL: [FigureCode; 14] = [
    FigureCode::FollowupRatio,
    FigureCode::ExpectedRatio,
    FigureCode::Completion,
    FigureCode::Timeliness,
    FigureCode::ConnectionByCall,
    FigureCode::ConnectionByPatient,
    FigureCode::Lost,
    FigureCode::RedInTime,
    FigureCode::OrangeInTime,
    FigureCode::YellowInTime,
    FigureCode::TasksDone,
    FigureCode::FunnelCalled,
    FigureCode::FunnelReached,
    FigureCode::FunnelCompleted,
];

/// Every figure opens as many rows as it says, with whatever filters.
fn agree(desk: &Desk, scope: &Value) {
    for code in ALL {
        for numerator in [true, false] {
            let request =
                json!({ "code": code, "numerator": numerator, "scope": scope, "offset": 0, "limit": 500 });
            let rows = desk.call("reports_rows", request);
            let shown = rows["rows"].as_array().unwrap().len();
            assert_eq!(rows["total"], json!(shown), "{code:?} {numerator} {scope}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn totals_are_what_a_fresh_count_finds_after_any_writes(steps in proptest::collection::vec(step(), 1..60)) {
        let desk = Desk::new();
        for (index, step) in steps.iter().enumerate() {
            write(&desk, step);
            if index % 20 == 10 {
                prop_assert_eq!(desk.ctx().read(dashboard::check).unwrap(), 0, "with some waiting");
            }
        }
        prop_assert_eq!(desk.ctx().read(dashboard::check).unwrap(), 0, "with all that waits");
        let year = json!({ "from": "2026-01-01", "to": "2026-12-31", "department": null });
        let part = json!({ "from": "2026-10-05", "to": "2026-11-20", "department": "骨科" });
        let hers = json!({ "from": "2026-10-05", "to": "2026-11-20", "department": null, "plan": "HTN",
                           "nurse": desk.ctx().user_id(), "site": id(6, 0) });
        for scope in [&year, &part, &hers] {
            agree(&desk, scope);
        }
        desk.ctx().db().write(|c, _| dashboard::settle(c)).unwrap();
        prop_assert_eq!(desk.ctx().read(dashboard::check).unwrap(), 0, "settled");
        agree(&desk, &hers);
        let before = desk.call("reports_figures", json!({ "scope": year }));
        desk.ctx().db().write(|c, _| dashboard::rebuild(c)).unwrap();
        prop_assert_eq!(desk.call("reports_figures", json!({ "scope": year })), before, "made anew");
    }
}

#[test]
fn doctor_finds_totals_that_are_wrong_and_makes_them_anew() {
    let desk = Desk::new();
    for step in [
        Step::Patient { num: 0, other_site: false },
        Step::Stay { num: 0, day: 3, ward: 0 },
        Step::Task { num: 0, stay: 0, day: 5, plan: 0 },
        Step::Settled,
    ] {
        write(&desk, &step);
    }
    let state = || {
        let report = desk.call("settings_doctor", json!({}));
        report["checks"].as_array().unwrap().iter().find(|check| check["check"] == "totals").unwrap().clone()
    };
    assert_eq!(state()["state"], "ok");
    raw_connection(&desk.app)
        .execute("UPDATE report_total SET count = count + 1 WHERE measure = 2", [])
        .unwrap();
    assert_eq!(state()["params"]["repaired"], 2, "the day and the month");
    assert_eq!(state()["state"], "ok");
}

/// So many patients with a stay each, written past the change log, as a file of the HIS or the server brings them.
fn bring(raw: &Connection, patients: u128) {
    let site: Uuid = raw.query_row("SELECT site_id FROM desk", [], |row| row.get(0)).unwrap();
    raw.execute_batch("BEGIN").unwrap();
    for num in 0..patients {
        let patient = Uuid::from_u128(num + 1);
        raw.execute("INSERT INTO patient (id, name, site_id) VALUES (?1, '某', ?2)", (patient, site))
            .unwrap();
        raw.execute(
            "INSERT INTO encounter (id, patient_id, discharged_on) VALUES (?1, ?2, '2026-11-02')",
            (Uuid::from_u128((1 << 64) | num), patient),
        )
        .unwrap();
    }
    raw.execute_batch("COMMIT").unwrap();
}

fn waiting(raw: &Connection) -> i64 {
    raw.query_row("SELECT count(*) FROM report_changed", [], |row| row.get(0)).unwrap()
}

/// Discharges of November as the page shows them.
fn discharges(desk: &Desk) -> Value {
    let scope = json!({ "from": "2026-11-01", "to": "2026-11-30", "department": null });
    let asked = json!({ "scope": scope, "parts": ["discharges"] });
    desk.call("reports_figures", asked)["figures"][0]["denominator"].clone()
}

#[test]
fn many_who_wait_are_settled_by_the_next_write() {
    let desk = Desk::new();
    let raw = raw_connection(&desk.app);
    bring(&raw, 300);
    assert_eq!(discharges(&desk), 300, "a reader sees them at once");
    write(&desk, &Step::Died { patient: 3 });
    assert_eq!(waiting(&raw), 0);
    assert_eq!(discharges(&desk), 300);
}

#[test]
fn very_many_hold_no_write_up_and_are_settled_beside_it() {
    let desk = Desk::new();
    let raw = raw_connection(&desk.app);
    bring(&raw, 3_000);
    write(&desk, &Step::Died { patient: 3 });
    assert_eq!(waiting(&raw), 3_000);
    assert_eq!(discharges(&desk), 3_000, "a reader sees them at once");
    dashboard::beside(&desk.ctx());
    while waiting(&raw) > 0 {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    assert_eq!(discharges(&desk), 3_000);
    assert_eq!(desk.ctx().read(dashboard::check).unwrap(), 0);
}

#[test]
fn every_population_is_asked_with_every_filter() {
    let desk = Desk::new();
    assert_eq!(desk.ctx().read(crate::reports::store::prepare_all).unwrap(), 8);
}
