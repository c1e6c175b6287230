//! One ordered page of everything that happened to a patient. Each source gives its newest records before the cursor in
//! one shape; the pages are merged here.

use std::collections::BTreeMap;

use chrono::NaiveDateTime;
use rusqlite::{Connection, Row, params};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{TimelineCursor, TimelineEntry, TimelineRequest, TimelineResponse, person_ids};
use crate::error::Result;
use crate::forms;

/// Sources by their kind. Each query takes patient, instant, id, limit and gives `id`, `at`, `by`, `code`, `params`
/// (a JSON object), newest first.
pub(super) const SOURCES: [(&str, &str); 9] = [
    ("call", include_str!("sql/timeline_call.sql")),
    ("response", include_str!("sql/timeline_response.sql")),
    ("alert", include_str!("sql/timeline_alert.sql")),
    ("consult", include_str!("sql/timeline_consult.sql")),
    ("consult_reply", include_str!("sql/timeline_consult_reply.sql")),
    ("consent", include_str!("sql/timeline_consent.sql")),
    ("note", include_str!("sql/timeline_note.sql")),
    ("complaint", include_str!("sql/timeline_complaint.sql")),
    ("merge", include_str!("sql/timeline_merge.sql")),
];
/// Encounters carry the hospital's wall clock as text, so they are read whole: a patient has few.
pub(super) const ENCOUNTERS: &str = include_str!("sql/timeline_encounter.sql");

/// A page, newest first.
///
/// Errors: `NotFound`.
pub(super) fn page(connection: &Connection, request: &TimelineRequest) -> Result<TimelineResponse> {
    let limit = request.limit.clamp(1, 100) as usize;
    let end = TimelineCursor { at: i64::MAX, id: Uuid::max() };
    let before = request.before.as_ref().unwrap_or(&end);
    let ids = person_ids(connection, request.patient_id)?;
    let mut entries = Vec::new();
    for (index, id) in ids.iter().enumerate() {
        for (kind, sql) in SOURCES {
            let mut statement = connection.prepare_cached(sql)?;
            let rows = statement.query_map(params![id, before.at, before.id, limit as i64 + 1], |row| {
                entry(row, kind, row.get("at")?, index > 0)
            })?;
            for found in rows {
                entries.push(found?);
            }
        }
        encounters(connection, *id, before, index > 0, &mut entries)?;
        imports(connection, *id, before, index > 0, &mut entries)?;
    }
    entries.sort_by_key(|entry: &TimelineEntry| std::cmp::Reverse((entry.at, entry.id)));
    let more = entries.len() > limit;
    entries.truncate(limit);
    for entry in &mut entries {
        name_plan(connection, entry);
    }
    let next = entries.last().filter(|_| more).map(|last| TimelineCursor { at: last.at, id: last.id });
    Ok(TimelineResponse { entries, next })
}

fn encounters(
    connection: &Connection,
    id: Uuid,
    before: &TimelineCursor,
    of_merged: bool,
    entries: &mut Vec<TimelineEntry>,
) -> Result<()> {
    let mut statement = connection.prepare_cached(ENCOUNTERS)?;
    let mut rows = statement.query([id])?;
    while let Some(row) = rows.next()? {
        let clock: String = row.get("clock")?;
        let found = entry(row, "encounter", instant(&clock).unwrap_or(0), of_merged)?;
        if (found.at, found.id) < (before.at, before.id) {
            entries.push(found);
        }
    }
    Ok(())
}

/// People know a plan by its name. A version this desk does not have keeps its code.
fn name_plan(connection: &Connection, entry: &mut TimelineEntry) {
    let Some(version) = entry.params.remove("version").and_then(|version| version.as_u64()) else { return };
    let code = entry.params.get("plan").and_then(Value::as_str).unwrap_or_default();
    let version = u32::try_from(version).unwrap_or(0);
    if let Ok(plan) = forms::plan(connection, code, version) {
        let name = &plan.plan().name;
        entry.params.insert("plan", json!({ "zh": name.zh, "en": name.en }));
    }
}

/// The imports that brought the record or one of its stays: what a batch makes carries the batch's instant in its id.
fn imports(
    connection: &Connection,
    id: Uuid,
    before: &TimelineCursor,
    of_merged: bool,
    entries: &mut Vec<TimelineEntry>,
) -> Result<()> {
    let mut statement = connection.prepare_cached(include_str!("sql/timeline_born.sql"))?;
    let made = statement.query_map([id], |row| row.get::<_, Uuid>("id"))?;
    let mut instants = made.map(|id| Ok(made_at(id?))).collect::<rusqlite::Result<Vec<Option<i64>>>>()?;
    instants.sort_unstable();
    instants.dedup();
    let mut statement = connection.prepare_cached(include_str!("sql/timeline_import.sql"))?;
    for instant in instants.into_iter().flatten() {
        let mut rows = statement.query([instant])?;
        while let Some(row) = rows.next()? {
            let found = entry(row, "import", row.get("at")?, of_merged)?;
            // Two records of a person may stem from one batch: it is told once.
            let known = entries.iter().any(|one| one.id == found.id);
            if (found.at, found.id) < (before.at, before.id) && !known {
                entries.push(found);
            }
        }
    }
    Ok(())
}

/// The instant that an id of version 7 carries, milliseconds UTC.
fn made_at(id: Uuid) -> Option<i64> {
    i64::try_from(id.as_u128() >> 80).ok().filter(|_| id.get_version_num() == 7)
}

/// The instant of the hospital's wall clock `YYYY-MM-DD HH:MM`.
fn instant(clock: &str) -> Option<i64> {
    let local = NaiveDateTime::parse_from_str(clock, "%Y-%m-%d %H:%M").ok()?;
    let instant = local.and_local_timezone(crate::env::hospital_offset()).single()?;
    Some(instant.timestamp_millis())
}

fn entry(row: &Row<'_>, kind: &str, at: i64, of_merged: bool) -> rusqlite::Result<TimelineEntry> {
    let text: String = row.get("params")?;
    let given: BTreeMap<String, Value> = serde_json::from_str(&text).unwrap_or_default();
    let params = NAMES.iter().filter_map(|name| {
        let value = given.get(*name).filter(|value| !value.is_null())?;
        Some((*name, value.clone()))
    });
    Ok(TimelineEntry {
        id: row.get("id")?,
        kind: kind.to_owned(),
        at,
        code: row.get("code")?,
        params: params.collect(),
        by: row.get("by")?,
        of_merged,
    })
}

/// Everything that a summary may name.
const NAMES: [&str; 28] = [
    "number",
    "version",
    "batch",
    "file",
    "department",
    "diagnosis",
    "visit_no",
    "days",
    "reason",
    "talk_seconds",
    "remark",
    "appointment_at",
    "plan",
    "form",
    "level",
    "rule",
    "status",
    "question",
    "reply",
    "advice",
    "purpose",
    "channel",
    "how",
    "text",
    "name",
    "mrn",
    "undone_at",
    "date",
];
