//! Importing discharges against the bare inserts of the rows it leaves behind.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use aftercare_bench::desk;
use aftercare_bench::hospital::{Hospital, csv_gb18030};
use aftercare_bench::measure::{self, Figure, rows, thousands, timed};
use aftercare_bench::replay::drop_report_triggers;
use aftercare_core::App;
use aftercare_core::archive::search_document;
use aftercare_core::testing::raw_connection;
use chrono::NaiveDate;
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};
use serde_json::json;

/// Discharges of one extract.
const ROWS: usize = 200_000;
/// An extract covers about a month.
const DAYS: i64 = 30;
/// Megabytes that an import may take.
const BUDGET: f64 = 300.0;
/// Rows held in memory between reading them and inserting them again.
const CHUNK: usize = 20_000;
/// What an import writes, in the order of its first rows.
const TABLES: [&str; 14] = [
    "patient",
    "phone",
    "encounter",
    "duplicate",
    "enrolment",
    "task",
    "op",
    "field_clock",
    "import_row",
    "worklist",
    "worklist_tag",
    "report_name",
    "report_share",
    "report_total",
];

fn main() {
    if measure::child_task().is_some() {
        let folder = tempfile::tempdir().unwrap();
        import(folder.path());
        measure::print_peak();
        return;
    }
    let count = thousands(rows(ROWS));
    let time = format!("import: {count} discharges");
    if measure::wanted(&time) {
        let folder = tempfile::tempdir().unwrap();
        let (ours, app) = import(folder.path());
        let base = bare(&app, folder.path());
        let seconds = Duration::as_secs_f64;
        measure::print(&Figure {
            name: &time,
            ours: seconds(&ours),
            base: seconds(&base),
            goal: 2.0,
            unit: "s",
        });
    }
    let memory = format!("import: memory for {count} discharges");
    if measure::wanted(&memory) {
        let peak = measure::peak_of_child("memory", &[]);
        measure::print(&Figure { name: &memory, ours: peak, base: BUDGET, goal: 1.0, unit: "MB" });
    }
}

fn import(folder: &Path) -> (Duration, Arc<App>) {
    let extract = folder.join("extract.csv");
    let last = NaiveDate::from_ymd_opt(2026, 11, 15).unwrap();
    std::fs::write(&extract, csv_gb18030(&mut Hospital::new(3, last, DAYS), rows(ROWS))).unwrap();
    let app = desk::open(&folder.join("desk"));
    let (time, result) = timed(|| desk::call(&app, "imports_run", json!({ "path": extract })));
    assert_eq!(result["created"].as_u64().unwrap() as usize, rows(ROWS), "{:?}", result["rejected"]);
    (time, app)
}

/// Inserts the same rows into a database of the same kind, by prepared statements in one transaction. Reading them
/// is not counted.
fn bare(app: &Arc<App>, folder: &Path) -> Duration {
    let from = raw_connection(app);
    let other = desk::open(&folder.join("bare"));
    let mut to = raw_connection(&other);
    to.pragma_update(None, "cache_size", -65_536).unwrap();
    drop_report_triggers(&to);
    let before: i64 = to.query_row("SELECT max(dseq) FROM op", [], |row| row.get(0)).unwrap();
    let transaction = to.transaction().unwrap();
    let mut spent = Duration::ZERO;
    for table in TABLES {
        let rest = if table == "op" { format!("WHERE dseq > {before}") } else { String::new() };
        let insert = format!("INSERT INTO {table} VALUES ({})", places(&from, table));
        spent += copy(&from, &transaction, &format!("SELECT * FROM {table} {rest}"), &insert);
    }
    spent += copy_search(&from, &transaction);
    spent + timed(|| transaction.commit().unwrap()).0
}

fn places(connection: &Connection, table: &str) -> String {
    let count = connection.prepare(&format!("SELECT * FROM {table}")).unwrap().column_count();
    vec!["?"; count].join(", ")
}

fn copy(from: &Connection, to: &Connection, select: &str, insert: &str) -> Duration {
    let mut select = from.prepare(select).unwrap();
    let width = select.column_count();
    let mut rows = select.query([]).unwrap();
    let mut insert = to.prepare(insert).unwrap();
    let mut spent = Duration::ZERO;
    loop {
        let mut chunk: Vec<Vec<Value>> = Vec::with_capacity(CHUNK);
        while chunk.len() < CHUNK {
            let Some(row) = rows.next().unwrap() else { break };
            chunk.push((0..width).map(|at| row.get(at).unwrap()).collect());
        }
        if chunk.is_empty() {
            return spent;
        }
        let work = || {
            for row in &chunk {
                insert.execute(params_from_iter(row)).unwrap();
            }
        };
        spent += timed(work).0;
    }
}

/// The search index keeps no texts: they are made again, which is not counted.
fn copy_search(from: &Connection, to: &Connection) -> Duration {
    let mut entries = from
        .prepare(
            "SELECT search_row, archive_indexed.num, name, id_number,
                    (SELECT group_concat(number, ' ') FROM phone WHERE patient_id = patient.id)
             FROM archive_indexed JOIN patient ON patient.num = archive_indexed.num ORDER BY search_row",
        )
        .unwrap();
    let entries: Vec<(i64, i64, String)> = entries
        .query_map([], |row| {
            let (name, id): (String, Option<String>) = (row.get(2)?, row.get(3)?);
            let phones: Option<String> = row.get(4)?;
            let numbers = id.iter().map(String::as_str).chain(phones.iter().flat_map(|all| all.split(' ')));
            Ok((row.get(0)?, row.get(1)?, search_document(&name, numbers)))
        })
        .unwrap()
        .map(Result::unwrap)
        .collect();
    let mut search = to.prepare("INSERT INTO archive_search (rowid, tokens) VALUES (?1, ?2)").unwrap();
    let mut indexed = to.prepare("INSERT INTO archive_indexed (num, search_row) VALUES (?1, ?2)").unwrap();
    timed(|| {
        for (row, num, text) in &entries {
            search.execute((row, text)).unwrap();
            indexed.execute((num, row)).unwrap();
        }
    })
    .0
}
