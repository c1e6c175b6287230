#![allow(clippy::unwrap_used, clippy::expect_used)]

mod edit_tests;
mod find_tests;
mod merge_tests;
mod record_tests;
mod sql_tests;
mod timeline_tests;

use serde_json::{Value, json};
use uuid::Uuid;

use super::index_patient;
use crate::change_log::{Change, ENCOUNTER, PATIENT, PHONE};
use crate::testing::Desk;

/// A patient as a test describes one.
#[derive(Default, Clone)]
pub struct Sketch<'a> {
    pub name: &'a str,
    pub mrn: &'a str,
    pub birth_on: &'a str,
    pub id_number: &'a str,
    pub address: &'a str,
    /// Number and relation.
    pub phones: &'a [(&'a str, &'a str)],
    /// 住院号 and day of discharge.
    pub stays: &'a [(&'a str, &'a str)],
}

/// Puts somebody into the archive as an import does: through the change log, and indexed.
pub fn add(desk: &Desk, sketch: &Sketch<'_>) -> Uuid {
    let ctx = desk.ctx();
    let id = ctx.new_id();
    let said = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    ctx.write(|w| {
        let fields: Vec<Change> = vec![
            ("name", sketch.name.into()),
            ("mrn", said(sketch.mrn).into()),
            ("birth_on", said(sketch.birth_on).into()),
            ("id_number", said(sketch.id_number).into()),
            ("address", said(sketch.address).into()),
            ("site_id", ctx.new_id().into()),
        ];
        w.create(&PATIENT, id, &fields)?;
        for (rank, (number, relation)) in sketch.phones.iter().enumerate() {
            let fields: Vec<Change> = vec![
                ("patient_id", id.into()),
                ("number", (*number).into()),
                ("relation", (*relation).into()),
                ("rank", (rank as i64).into()),
            ];
            w.create(&PHONE, ctx.new_id(), &fields)?;
        }
        for (visit_no, on) in sketch.stays {
            let fields: Vec<Change> = vec![
                ("patient_id", id.into()),
                ("visit_no", (*visit_no).into()),
                ("department", "心血管内科".into()),
                ("discharged_on", (*on).into()),
                ("discharged_at", format!("{on} 10:00").into()),
            ];
            w.create(&ENCOUNTER, ctx.new_id(), &fields)?;
        }
        index_patient(w.connection(), id)
    })
    .unwrap();
    // Ids made within one millisecond have no order.
    desk.wait(chrono::Duration::seconds(1));
    id
}

/// Names of the hits, in their order.
pub fn names(desk: &Desk, query: &str) -> Vec<String> {
    let found = desk.call("archive_find", json!({ "query": query, "limit": 20 }));
    found["hits"].as_array().unwrap().iter().map(|hit| hit["name"].as_str().unwrap().to_owned()).collect()
}

/// A person's record.
pub fn record(desk: &Desk, id: Uuid) -> Value {
    desk.call("archive_patient", json!({ "id": id }))
}
