//! The dashboard of a year: each figure and the whole page, beside the bare SQL over the same database.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::sync::Arc;

use aftercare_bench::desk;
use aftercare_bench::hospital::Hospital;
use aftercare_bench::measure::{self, Figure, millis, p99, rows, thousands, timed};
use aftercare_core::App;
use aftercare_core::reports::dashboard;
use aftercare_core::testing::raw_connection;
use chrono::{Datelike, Days, NaiveDate};
use rusqlite::{Connection, params};
use serde_json::{Value, json};
use uuid::Uuid;

/// Tasks of the year, four of each patient; with them a call each.
const TASKS: usize = 1_000_000;
/// One complaint for so many tasks.
const TASKS_A_COMPLAINT: usize = 20;
const NURSES: usize = 12;
const PLANS: [&str; 8] = ["HTN", "T2DM", "CHD", "STROKE", "COPD", "CA_POST", "ORTHO", "PEDS"];
const CATEGORIES: [&str; 8] = ["ATT", "FEE", "WAIT", "COMM", "CARE", "ENV", "PROC", "OTHER"];
const NAME: &str = "dashboard";
/// How often each is asked.
const ASKED: usize = 100;
/// Milliseconds that a figure and the page may take.
const FIGURE: f64 = 100.0;
const PAGE: f64 = 500.0;

fn main() {
    if !measure::wanted(NAME) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let app = desk::open(&folder.path().join("desk"));
    let nurses = fill(&app);
    let raw = raw_connection(&app);
    raw.execute_batch("PRAGMA query_only = 1; PRAGMA cache_size = -8000").unwrap();
    let size = thousands(rows(TASKS));
    let year = json!({ "from": "2026-01-01", "to": "2026-12-31", "department": null });
    for part in ["tasks", "discharges", "calls", "hours", "alerts", "managed", "complaints"] {
        let name = format!("{NAME}: {part} of a year, {size} tasks, p99");
        let mut ours = asked(&app, &json!({ "scope": year, "parts": [part] }));
        print(&name, p99(&mut ours), FIGURE);
        let mut base: Vec<f64> = (0..ASKED).map(|_| millis(timed(|| bare(&raw, part)).0)).collect();
        let name = format!("{NAME}: {part} of a year, {size} tasks, beside bare SQL");
        measure::print(&Figure {
            name: &name,
            ours: median(&mut ours),
            base: median(&mut base),
            goal: 1.3,
            unit: "ms",
        });
    }
    let narrowed = [
        ("a nurse", json!({ "nurse": nurses[3] })),
        ("a plan", json!({ "plan": "T2DM" })),
        ("a department and a nurse", json!({ "department": "骨科", "nurse": nurses[5] })),
    ];
    for (what, filter) in narrowed {
        let mut scope = year.clone();
        scope.as_object_mut().unwrap().extend(filter.as_object().unwrap().clone());
        let mut ours = asked(&app, &json!({ "scope": scope }));
        print(&format!("{NAME}: page of a year, {what}, {size} tasks, p99"), p99(&mut ours), PAGE);
    }
    let quarter = json!({ "from": "2026-07-15", "to": "2026-10-14", "department": null });
    print(
        &format!("{NAME}: page of a quarter by days, {size} tasks, p99"),
        p99(&mut asked(&app, &json!({ "scope": quarter }))),
        PAGE,
    );
    print(
        &format!("{NAME}: page of a year, {size} tasks, p99"),
        p99(&mut asked(&app, &json!({ "scope": year }))),
        PAGE,
    );
}

fn print(name: &str, ours: f64, budget: f64) {
    measure::print(&Figure { name, ours, base: budget, goal: 1.0, unit: "ms" });
}

fn asked(app: &Arc<App>, request: &Value) -> Vec<f64> {
    desk::call(app, "reports_figures", request.clone());
    (0..ASKED).map(|_| millis(timed(|| desk::call(app, "reports_figures", request.clone())).0)).collect()
}

fn median(samples: &mut [f64]) -> f64 {
    samples.sort_by(f64::total_cmp);
    samples[samples.len() / 2]
}

/// What somebody would write by hand who knows the tables: the sums that a part shows, each row of the totals stepped
/// through once.
fn bare(connection: &Connection, part: &str) -> i64 {
    let months = "span BETWEEN 12 * 2026 AND 12 * 2026 + 11";
    let of = |measure: u8, columns: &str, spans: &str| {
        format!(
            "SELECT {columns}, sum(count) FROM report_total WHERE measure = {measure} AND {spans} GROUP BY {columns}"
        )
    };
    let queries = match part {
        "tasks" => vec![of(2, "span, department, nurse, slot", months)],
        "discharges" => vec![of(1, "department, slot", months)],
        "calls" => vec![of(3, "nurse, slot", months)],
        "hours" => vec![of(4, "slot", months)],
        "alerts" => vec![of(6, "slot", months)],
        "managed" => {
            vec![of(7, "slot", "span < 12 * 2027"), of(8, "slot", "span < 12 * 2026")]
        }
        _ => vec![
            "SELECT category, count(*) FROM complaint INDEXED BY complaint_for_reports
             WHERE kind = 'complaint' AND received_on BETWEEN '2026-01-01' AND '2026-12-31' GROUP BY category"
                .to_owned(),
            "SELECT count(*) FILTER (WHERE replied_at IS NOT NULL) FROM complaint INDEXED BY complaint_for_reports
             WHERE kind = 'complaint' AND received_on BETWEEN '2026-01-01' AND '2026-12-31'"
                .to_owned(),
        ],
    };
    let mut found = 0;
    for sql in queries {
        let mut statement = connection.prepare_cached(&sql).unwrap();
        let mut rows = statement.query([]).unwrap();
        while rows.next().unwrap().is_some() {
            found += 1;
        }
    }
    found
}

fn id(kind: u128, number: usize) -> Uuid {
    Uuid::from_u128((kind << 64) | number as u128)
}

fn run(connection: &Connection, sql: &str, values: &[&dyn rusqlite::ToSql]) {
    connection.prepare_cached(sql).unwrap().execute(values).unwrap();
}

/// A year of discharges with their tasks, calls, answers, alerts and complaints.
fn fill(app: &Arc<App>) -> Vec<Uuid> {
    let mut connection = raw_connection(app);
    connection.execute_batch("PRAGMA cache_size = -400000; PRAGMA synchronous = OFF").unwrap();
    let transaction = connection.transaction().unwrap();
    let site: Uuid = transaction.query_row("SELECT site_id FROM desk", [], |row| row.get(0)).unwrap();
    let nurses: Vec<Uuid> = (0..NURSES).map(|number| id(8, number)).collect();
    for (number, nurse) in nurses.iter().enumerate() {
        run(
            &transaction,
            "INSERT INTO staff (id, login, display_name, roles) VALUES (?1, ?2, ?2, '[]')",
            params![nurse, format!("nurse{number}")],
        );
    }
    let last = NaiveDate::from_ymd_opt(2026, 12, 31).unwrap();
    for (n, d) in Hospital::new(4, last, 365).take(rows(TASKS) / 4).enumerate() {
        let on = d.discharged_at.date();
        let plan = PLANS[d.department.len() / 3 * 7 % PLANS.len()];
        let nurse = nurses[n * 7 % NURSES];
        stay(&transaction, n, site, &d.mrn, &d.name, d.department, on, plan);
        for place in 0..4 {
            task(&transaction, n * 4 + place, n, on, plan, nurse, place);
        }
        if n.is_multiple_of(TASKS_A_COMPLAINT / 4) {
            complaint(&transaction, n, site, d.department, on);
        }
    }
    let (time, settled) = timed(|| dashboard::rebuild(&transaction).unwrap());
    transaction.commit().unwrap();
    let cells: i64 = connection.query_row("SELECT count(*) FROM report_total", [], |row| row.get(0)).unwrap();
    eprintln!(
        "totals of {settled} patients, {} cells, made in {:.0} ms",
        thousands(cells as usize),
        millis(time)
    );
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    nurses
}

#[allow(clippy::too_many_arguments)]
fn stay(
    c: &Connection,
    n: usize,
    site: Uuid,
    mrn: &str,
    name: &str,
    department: &str,
    on: NaiveDate,
    plan: &str,
) {
    run(
        c,
        "INSERT INTO patient (id, mrn, name, sex, site_id) VALUES (?1, ?2, ?3, '1', ?4)",
        params![id(1, n), mrn, name, site],
    );
    run(
        c,
        "INSERT INTO encounter (id, patient_id, department, discharged_on, disposition) VALUES (?1, ?2, ?3, ?4, '1')",
        params![id(2, n), id(1, n), department, on.to_string()],
    );
    let ended = (n.is_multiple_of(3)).then_some(millis_at(on + Days::new(90), 9));
    run(
        c,
        "INSERT INTO enrolment (id, patient_id, encounter_id, plan_code, plan_version, anchor_on, why, state, started_at, ended_at)
         VALUES (?1, ?2, ?3, ?4, 1, ?5, 'diagnosis', ?6, 0, ?7)",
        params![id(3, n), id(1, n), id(2, n), plan, on.to_string(), if n.is_multiple_of(30) { "lost" } else { "active" }, ended],
    );
}

fn millis_at(on: NaiveDate, hour: usize) -> i64 {
    on.and_hms_opt(u32::try_from(hour).unwrap(), 0, 0).unwrap().and_utc().timestamp_millis() - 28_800_000
}

/// A task, its call, and for most an answer and for some an alert. All are due within the year, so that it holds them all.
fn task(c: &Connection, number: usize, n: usize, on: NaiveDate, plan: &str, nurse: Uuid, place: usize) {
    let day = (on.ordinal0() as usize + place * 29 + 7) % 365;
    let due = NaiveDate::from_ymd_opt(2026, 1, 1).unwrap() + Days::new(day as u64);
    let done = number % 4 != 3;
    let hour = 8 + number * 13 % 10;
    let called_at = millis_at(due, hour);
    run(
        c,
        "INSERT INTO task (id, patient_id, enrolment_id, encounter_id, kind, timepoint, label, plan_code, plan_version, form,
           channel, owner, due_on, window_starts_on, window_ends_on, status, attempts, ended_at)
         VALUES (?1, ?2, ?3, ?4, 'plan', 'D7', 'D7', ?5, 1, 'full', 'phone', 'center', ?6, ?6, ?7, ?8, 1, ?9)",
        params![
            id(4, number), id(1, n), id(3, n), id(2, n), plan, due.to_string(), (due + Days::new(3)).to_string(),
            if done { "done" } else { "open" }, done.then_some(called_at + i64::from(number.is_multiple_of(7)) * 864_000_000)
        ],
    );
    run(
        c,
        "INSERT INTO call (id, patient_id, task_id, tasks, number, called_at, called_on, talk_seconds, outcome, user_id)
         VALUES (?1, ?2, ?3, '[]', '13800138000', ?4, ?5, 60, ?6, ?7)",
        params![
            id(5, number), id(1, n), id(4, number), called_at, due.to_string(),
            if done { "reached" } else { "not_reached" }, nurse
        ],
    );
    if done {
        run(
            c,
            "INSERT INTO response (id, task_id, patient_id, encounter_id, call_id, plan_code, plan_version, form, answers, results,
               responded_at, responded_on, user_id) VALUES (?1, ?2, ?3, ?4, ?5, ?6, 1, 'full', '{}', '{}', ?7, ?8, ?9)",
            params![
                id(6, number), id(4, number), id(1, n), id(2, n), id(5, number), plan, called_at, due.to_string(), nurse
            ],
        );
    }
    if number.is_multiple_of(20) {
        let level = ["yellow", "orange", "red"][number / 20 % 3];
        run(
            c,
            "INSERT INTO alert (id, patient_id, task_id, plan_code, plan_version, rule, level, say, route, raised_at, due_at,
               raised_by, status, handled_at) VALUES (?1, ?2, ?3, ?4, 1, 'r', ?5, '{}', '', ?6, ?7, ?8, 'closed', ?9)",
            params![
                id(7, number), id(1, n), id(4, number), plan, level, called_at, called_at + 900_000, nurse,
                called_at + 600_000 * i64::try_from(number / 20 % 4).unwrap()
            ],
        );
    }
}

fn complaint(c: &Connection, n: usize, site: Uuid, department: &str, on: NaiveDate) {
    let open = n.is_multiple_of(200);
    run(
        c,
        "INSERT INTO complaint (id, number, kind, received_at, received_on, first_receiver, registered_at, registered_by,
           site_id, channel, departments, category, summary, severity, status, due_on, replied_at)
         VALUES (?1, ?2, 'complaint', ?3, ?4, '', ?3, ?5, ?6, 'phone', ?7, ?8, ?9, 'C', ?10, ?11, ?12)",
        params![
            id(9, n), format!("2026-BNCH-{n:05}"), millis_at(on, 10), on.to_string(), id(8, 0), site,
            json!([department]).to_string(), CATEGORIES[n / 5 % 8 * (n / 5 % 3) % 8], "三次询问没有回答".repeat(12),
            if open { "investigating" } else { "closed" }, (on + Days::new(14)).to_string(),
            (!open).then_some(millis_at(on + Days::new((n % 20) as u64), 10))
        ],
    );
}
