//! A month of follow-ups for benchmarks of workbooks, and the floor: the library alone writing the same cells.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::Path;

use calamine::{Data, Reader, Xlsx, open_workbook};
use chrono::NaiveDate;
use rusqlite::{Connection, params};
use rust_xlsxwriter::{Format, Workbook};
use serde_json::json;
use uuid::Uuid;

use crate::desk;
use crate::hospital::Hospital;
use crate::measure::{millis, rows};

/// The desk's database with its key, for filling without going through the program.
fn raw(home: &Path) -> Connection {
    let app = desk::open(home);
    aftercare_core::testing::raw_connection(&app)
}

/// A month of `count` discharges (November 2026), each with a call, a response and its task.
pub fn fill(home: &Path, count: usize) {
    let mut connection = raw(home);
    let transaction = connection.transaction().unwrap();
    let day = NaiveDate::from_ymd_opt(2026, 11, 20).unwrap();
    let (site, user): (Uuid, Uuid) = transaction
        .query_row("SELECT site_id, (SELECT id FROM staff) FROM desk", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .unwrap();
    let id = |kind: u128, number: usize| Uuid::from_u128((kind << 64) | number as u128);
    for (n, d) in Hospital::new(1, day, 19).take(rows(count)).enumerate() {
        let (patient, encounter, task, call) = (id(1, n), id(2, n), id(3, n), id(4, n));
        let birth = d.birth_on.to_string();
        let minute = |at: chrono::NaiveDateTime| at.format("%Y-%m-%d %H:%M").to_string();
        let on = d.discharged_at.date().to_string();
        let called_at = (d.discharged_at - chrono::Duration::hours(8)).and_utc().timestamp_millis();
        let due = (n % 30) as i64 + 1;
        let due = NaiveDate::from_ymd_opt(2026, 11, due as u32).unwrap().to_string();
        let statements: [(&str, &[&dyn rusqlite::ToSql]); 6] = [
            (
                "INSERT INTO patient (id, mrn, name, sex, birth_on, id_number, site_id) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                params![patient, d.mrn, d.name, "1", birth, d.id_number, site],
            ),
            (
                "INSERT INTO phone (id, patient_id, number) VALUES (?1, ?2, ?3)",
                params![id(5, n), patient, d.phone],
            ),
            (
                "INSERT INTO encounter (id, patient_id, visit_no, department, doctor, diagnosis_code, diagnosis, admitted_at,
                   discharged_at, discharged_on, disposition) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, '1')",
                params![
                    encounter, patient, d.visit_no, d.department, d.doctor, d.diagnosis_code, d.diagnosis,
                    minute(d.admitted_at), minute(d.discharged_at), on
                ],
            ),
            (
                "INSERT INTO task (id, patient_id, encounter_id, kind, timepoint, plan_code, plan_version, form, channel, owner,
                   due_on, window_starts_on, window_ends_on, status, attempts, ended_at)
                 VALUES (?1, ?2, ?3, 'plan', 'D7', 'HTN', 1, 'full', 'phone', '', ?4, ?4, ?4, 'done', 1, ?5)",
                params![task, patient, encounter, due, called_at],
            ),
            (
                "INSERT INTO call (id, patient_id, task_id, tasks, number, called_at, called_on, talk_seconds, outcome, remark, user_id)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 95, 'reached', '按时服药,无不适', ?8)",
                params![call, patient, task, json!([task]).to_string(), d.phone, called_at, on, user],
            ),
            (
                "INSERT INTO response (id, task_id, patient_id, encounter_id, call_id, plan_code, plan_version, form, answers,
                   results, responded_at, responded_on, user_id)
                 VALUES (?1, ?2, ?3, ?4, ?5, 'HTN', 1, 'full', '{}', '{\"class\":\"controlled\"}', ?6, ?7, ?8)",
                params![id(6, n), task, patient, encounter, call, called_at, on, user],
            ),
        ];
        for (sql, values) in statements {
            transaction.prepare_cached(sql).unwrap().execute(values).unwrap();
        }
    }
    transaction.commit().unwrap();
}

/// Cells by sheet and row.
pub type Sheets = Vec<(String, Vec<Vec<Data>>)>;

/// Every cell of a workbook.
pub fn cells(path: &Path) -> Sheets {
    let mut book: Xlsx<_> = open_workbook(path).unwrap();
    let names = book.sheet_names();
    names
        .into_iter()
        .map(|name| {
            let rows = book.worksheet_range(&name).unwrap().rows().map(<[Data]>::to_vec).collect();
            (name, rows)
        })
        .collect()
}

/// The floor: the library alone, in the same mode, writing the same values.
pub fn write_bare(sheets: &Sheets, path: &Path) {
    let start = std::time::Instant::now();
    let minute = Format::new().set_num_format("yyyy-mm-dd hh:mm");
    let mut workbook = Workbook::new();
    for (name, rows) in sheets {
        let sheet = workbook.add_worksheet_with_constant_memory().unwrap();
        sheet.set_name(name).unwrap();
        for (row, cells) in rows.iter().enumerate() {
            for (column, cell) in cells.iter().enumerate() {
                let (row, column) = (row as u32, column as u16);
                match cell {
                    Data::String(text) => sheet.write_string(row, column, text).map(|_| ()),
                    Data::Float(value) => sheet.write_number(row, column, *value).map(|_| ()),
                    Data::Int(value) => sheet.write_number(row, column, *value as f64).map(|_| ()),
                    Data::DateTime(at) => {
                        sheet.write_number_with_format(row, column, at.as_f64(), &minute).map(|_| ())
                    }
                    _ => Ok(()),
                }
                .unwrap();
            }
        }
    }
    eprintln!("bare: cells written in {:.0} ms", millis(start.elapsed()));
    workbook.save(path).unwrap();
}
