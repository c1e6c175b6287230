//! The worklist with a million tasks, and saving a call against one bare commit.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::path::Path;
use std::sync::Arc;

use aftercare_bench::desk;
use aftercare_bench::hospital::Hospital;
use aftercare_bench::measure::{self, Figure, millis, p99, rows, thousands, timed};
use aftercare_bench::replay::{Bare, State};
use aftercare_core::App;
use aftercare_core::followup::rebuild_worklist;
use aftercare_core::reports::dashboard;
use aftercare_core::testing::raw_connection;
use chrono::{Days, NaiveDate};
use rusqlite::{Connection, params};
use serde_json::{Value, json};
use uuid::Uuid;

/// Tasks in all, four of each patient.
const TASKS: usize = 1_000_000;
/// Days after discharge on which the four tasks of a patient are due.
const TIMEPOINTS: [(&str, u64, &str); 4] =
    [("D7", 7, "open"), ("D14", 14, "waiting"), ("D30", 30, "open"), ("Q", 90, "open")];
const PAGE: &str = "followup: worklist page of 50";
const COUNTS: &str = "followup: counts";
const SAVE: &str = "followup: saving a call";
const CALLS: usize = 300;

fn main() {
    let [page, counts, saving] =
        [PAGE, COUNTS, SAVE].map(|name| format!("{name}, {} tasks, p99", thousands(rows(TASKS))));
    if ![&page, &counts, &saving].iter().any(|name| measure::wanted(name)) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("desk");
    let app = desk::open(&home);
    fill(&home, &app);
    if measure::wanted(&page) || measure::wanted(&counts) {
        pages(&app, &page, &counts);
    }
    if measure::wanted(&saving) {
        save(&app, &saving);
    }
}

fn id(kind: u128, number: usize) -> Uuid {
    Uuid::from_u128((kind << 64) | number as u128)
}

/// Discharges of sixty days: a third of the patients has a window open or passed.
fn fill(home: &Path, app: &Arc<App>) {
    let mut connection = raw_connection(app);
    let transaction = connection.transaction().unwrap();
    let site: Uuid = transaction.query_row("SELECT site_id FROM desk", [], |row| row.get(0)).unwrap();
    let last = NaiveDate::from_ymd_opt(2026, 11, 15).unwrap();
    for (n, d) in Hospital::new(2, last, 60).take(rows(TASKS) / TIMEPOINTS.len()).enumerate() {
        let (patient, encounter, enrolment) = (id(1, n), id(2, n), id(3, n));
        let on = d.discharged_at.date();
        let birth = d.birth_on.to_string();
        run(
            &transaction,
            "INSERT INTO patient (id, mrn, name, sex, birth_on, id_number, site_id) VALUES (?1, ?2, ?3, '1', ?4, ?5, ?6)",
            params![patient, d.mrn, d.name, birth, d.id_number, site],
        );
        run(
            &transaction,
            "INSERT INTO phone (id, patient_id, number) VALUES (?1, ?2, ?3)",
            params![id(5, n), patient, d.phone],
        );
        run(
            &transaction,
            "INSERT INTO encounter (id, patient_id, visit_no, department, doctor, diagnosis_code, diagnosis, admitted_at,
               discharged_at, discharged_on, disposition) VALUES (?1, ?2, ?3, ?4, ?5, 'I10', ?6, ?7, ?8, ?9, '1')",
            params![
                encounter, patient, d.visit_no, d.department, d.doctor, d.diagnosis,
                d.admitted_at.format("%Y-%m-%d %H:%M").to_string(),
                d.discharged_at.format("%Y-%m-%d %H:%M").to_string(), on.to_string()
            ],
        );
        run(
            &transaction,
            "INSERT INTO enrolment (id, patient_id, encounter_id, plan_code, plan_version, anchor_on, why, started_at)
             VALUES (?1, ?2, ?3, 'HTN', 1, ?4, 'diagnosis', 0)",
            params![enrolment, patient, encounter, on.to_string()],
        );
        for (place, (label, days, status)) in TIMEPOINTS.iter().enumerate() {
            let due = on + Days::new(*days);
            let done = due + Days::new(9) < last;
            let waits = *status == "waiting" && !done;
            run(
                &transaction,
                "INSERT INTO task (id, patient_id, enrolment_id, encounter_id, kind, timepoint, label, anchor_on, plan_code,
                   plan_version, form, channel, owner, due_on, window_starts_on, window_ends_on, condition, risk, status)
                 VALUES (?1, ?2, ?3, ?4, 'plan', ?5, ?5, ?6, 'HTN', 1, 'full', 'phone', 'center', ?7, ?8, ?9, ?10, ?11, ?12)",
                params![
                    id(10 + place as u128, n), patient, enrolment, encounter, label, on.to_string(), due.to_string(),
                    (due - Days::new(2)).to_string(), (due + Days::new(3)).to_string(),
                    waits.then_some("last.class != 'controlled'"), (n % 80) as i64,
                    if done { "done" } else { status }
                ],
            );
        }
    }
    transaction.commit().unwrap();
    let (time, placed) = timed(|| {
        let transaction = connection.transaction().unwrap();
        let placed = rebuild_worklist(&transaction, desk::now().timestamp_millis()).unwrap();
        dashboard::rebuild(&transaction).unwrap();
        transaction.commit().unwrap();
        placed
    });
    let due: i64 = connection
        .query_row("SELECT count(*) FROM worklist WHERE rank IS NOT NULL", [], |row| row.get(0))
        .unwrap();
    eprintln!("{}: {placed} places, {due} due, made in {:.0} ms", home.display(), millis(time));
}

fn run(connection: &Connection, sql: &str, values: &[&dyn rusqlite::ToSql]) {
    connection.prepare_cached(sql).unwrap().execute(values).unwrap();
}

/// First and deep pages of every kind of filter.
fn pages(app: &Arc<App>, page_name: &str, counts_name: &str) {
    let bench = desk::call(app, "session_status", json!({}))["user"]["id"].clone();
    let filters = [
        json!({ "kind": "all" }),
        json!({ "kind": "overdue" }),
        json!({ "kind": "unassigned" }),
        json!({ "kind": "mine" }),
        json!({ "kind": "person", "value": bench }),
        json!({ "kind": "department", "value": "心血管内科" }),
        json!({ "kind": "plan", "value": "HTN" }),
        json!({ "kind": "level", "value": "red" }),
    ];
    let page = |filter: &Value, cursor: &Value| {
        desk::call(app, "followup_worklist", json!({ "filter": filter, "cursor": cursor, "limit": 50 }))
    };
    page(&filters[0], &Value::Null);
    let (mut samples, mut busy_paging) = (Vec::new(), Vec::new());
    for filter in &filters {
        let mut cursor = Value::Null;
        for _ in 0..60 {
            let before = busy();
            let (time, answer) = timed(|| page(filter, &cursor));
            samples.push(millis(time));
            busy_paging.push(busy() - before);
            cursor = answer["next_cursor"].clone();
        }
    }
    eprintln!(
        "page: median {:.2} ms, of which the processor {:.2} ms",
        median(&mut samples),
        median(&mut busy_paging)
    );
    measure::print(&Figure { name: page_name, ours: p99(&mut samples), base: 16.0, goal: 1.0, unit: "ms" });
    let mut samples: Vec<f64> =
        (0..50).map(|_| millis(timed(|| desk::call(app, "followup_counts", json!({}))).0)).collect();
    measure::print(&Figure { name: counts_name, ours: p99(&mut samples), base: 16.0, goal: 1.0, unit: "ms" });
}

/// Calls one patient after the other as a nurse does; only the saving is timed. Each is followed by its floor: the same
/// rows written bare into a copy of the same database, in one transaction.
fn save(app: &Arc<App>, name: &str) {
    let raw = raw_connection(app);
    let mut bare = Bare::new(app, &raw);
    let first = desk::call(app, "followup_worklist", json!({ "limit": 1 }));
    let mut next = first["rows"][0]["patient_id"].clone();
    let (mut ours, mut floor) = (Vec::new(), Vec::new());
    let mut busy_saving = 0.0;
    for index in 0..CALLS {
        let opened = desk::call(app, "followup_open", json!({ "patient_id": next }));
        let tasks: Vec<Value> =
            opened["tasks"].as_array().unwrap().iter().map(|task| task["id"].clone()).collect();
        let call_id = Uuid::from_u128((99 << 64) | index as u128);
        let mut request = json!({
            "call_id": call_id, "patient_id": next, "tasks": tasks, "phone_id": opened["phones"][0]["id"],
            "reason": null, "answers": answers(),
        });
        if index % 3 == 0 {
            request["reason"] = json!("NOANS");
        }
        let patient: Uuid = next.as_str().unwrap().parse().unwrap();
        bare.follow(&raw, patient);
        let before = State::of(&raw, patient);
        let busy_before = busy();
        let (time, saved) = timed(|| desk::call(app, "followup_save_call", request));
        busy_saving += busy() - busy_before;
        ours.push(millis(time));
        next = saved["next_patient_id"].clone();
        let changes = before.changes_to(&State::of(&raw, patient));
        floor.push(millis(timed(|| bare.write(&changes)).0));
    }
    let medians = (median(&mut ours), median(&mut floor));
    eprintln!(
        "saving: median {:.2} ms, of which the processor {:.2} ms; bare {:.2} ms",
        medians.0,
        busy_saving / CALLS as f64,
        medians.1
    );
    measure::print(&Figure { name, ours: p99(&mut ours), base: p99(&mut floor), goal: 1.5, unit: "ms" });
}

/// Milliseconds this thread has kept a processor busy: what other programs on the PC do not change.
fn busy() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    text.split(' ').next().and_then(|nanos| nanos.parse::<f64>().ok()).unwrap_or(0.0) / 1e6
}

fn median(samples: &mut [f64]) -> f64 {
    samples.sort_by(f64::total_cmp);
    samples[samples.len() / 2]
}

/// A well patient's answers to the hypertension form.
fn answers() -> Value {
    let single = |code: &str| json!({ "type": "single", "value": code });
    json!({
        "reach": single("self"), "general": single("better"), "bp": { "type": "bp", "value": { "sbp": 128, "dbp": 78 } },
        "symptoms": { "type": "multi", "value": ["none"] }, "med_adherence": single("regular"),
        "revisit_known": { "type": "bool", "value": true },
    })
}
