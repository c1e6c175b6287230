//! Suspected duplicates: noted with their reasons, listed side by side, settled by a person.

use aftercare_domain::error_code::ErrorCode;
use aftercare_domain::same_person::Suspicion;
use rusqlite::{Connection, Row, params};
use serde_json::json;
use uuid::Uuid;

use super::{
    DuplicatePair, DuplicatesRequest, DuplicatesResponse, NotSameRequest, Side, kept_id, person_ids, record,
};
use crate::app::Ctx;
use crate::audit;
use crate::change_log::{DUPLICATE, Writer};
use crate::commands::Done;
use crate::error::{Error, Result};

const STATES: [&str; 3] = ["open", "merged", "different"];

/// Notes that two records may be one person. A pair that is known keeps its state, so a person is not asked again
/// about two whom somebody has told apart; an open one gains new reasons. `id` is the id of a new suspicion.
pub fn note_suspicion(
    w: &mut Writer<'_>,
    id: Uuid,
    first: Uuid,
    second: Uuid,
    reasons: &[Suspicion],
) -> Result<()> {
    let known = crate::db::optional(
        w.connection().prepare_cached(include_str!("sql/duplicate_of_pair.sql"))?.query_row(
            [first, second],
            |row| {
                Ok((
                    row.get::<_, Uuid>("id")?,
                    row.get::<_, String>("state")?,
                    row.get::<_, String>("reasons")?,
                ))
            },
        ),
    )?;
    match known {
        None => {
            let (first, second) = if first < second { (first, second) } else { (second, first) };
            w.create(
                &DUPLICATE,
                id,
                &[
                    ("first_id", first.into()),
                    ("second_id", second.into()),
                    ("reasons", serde_json::to_string(reasons)?.into()),
                    ("found_at", w.now_millis().into()),
                ],
            )
        }
        Some((known, state, stored)) if state == "open" => {
            let mut all = read_reasons(&stored);
            all.extend_from_slice(reasons);
            all.sort_unstable();
            all.dedup();
            w.update(&DUPLICATE, known, &[("reasons", serde_json::to_string(&all)?.into())])?;
            Ok(())
        }
        Some(_) => Ok(()),
    }
}

/// Reasons as stored; those of a newer program are left out.
fn read_reasons(text: &str) -> Vec<Suspicion> {
    let words: Vec<serde_json::Value> = serde_json::from_str(text).unwrap_or_default();
    words.into_iter().filter_map(|word| serde_json::from_value(word).ok()).collect()
}

struct Pair {
    id: Uuid,
    first: Uuid,
    second: Uuid,
    reasons: String,
    state: String,
    found_at: i64,
}

fn pair(row: &Row<'_>) -> rusqlite::Result<Pair> {
    Ok(Pair {
        id: row.get("id")?,
        first: row.get("first_id")?,
        second: row.get("second_id")?,
        reasons: row.get("reasons")?,
        state: row.get("state")?,
        found_at: row.get("found_at")?,
    })
}

/// A page of suspected duplicates, newest first.
///
/// Errors: `NotFound` for a patient who is not there.
pub(super) fn list(connection: &Connection, request: &DuplicatesRequest) -> Result<DuplicatesResponse> {
    if !STATES.contains(&request.state.as_str()) {
        return Err(Error::field("state", ErrorCode::NotAllowed));
    }
    let limit = request.limit.clamp(1, 100);
    let (pairs, count) = match request.patient_id {
        Some(patient_id) => of_patient(connection, patient_id, &request.state)?,
        None => {
            let mut statement = connection.prepare_cached(include_str!("sql/duplicates.sql"))?;
            let rows = statement.query_map(params![request.state, limit, request.skip], pair)?;
            let pairs: Vec<Pair> = rows.collect::<rusqlite::Result<_>>()?;
            let count = connection
                .prepare_cached("SELECT count(*) FROM duplicate WHERE state = ?1")?
                .query_row([&request.state], |row| row.get(0))?;
            (pairs, count)
        }
    };
    let mut shown = Vec::with_capacity(pairs.len());
    for pair in pairs {
        shown.extend(show(connection, pair)?);
    }
    Ok(DuplicatesResponse { pairs: shown, count })
}

fn of_patient(connection: &Connection, patient_id: Uuid, state: &str) -> Result<(Vec<Pair>, u32)> {
    let mut pairs: Vec<Pair> = Vec::new();
    for id in person_ids(connection, patient_id)? {
        let mut statement = connection.prepare_cached(include_str!("sql/duplicates_of.sql"))?;
        for found in statement.query_map(params![id, state], pair)? {
            let found = found?;
            if !pairs.iter().any(|known| known.id == found.id) {
                pairs.push(found);
            }
        }
    }
    let count = u32::try_from(pairs.len()).unwrap_or(u32::MAX);
    Ok((pairs, count))
}

/// Both sides as they stand now. An open pair whose records have become one in another way has nothing to ask; one
/// whose record was removed neither.
fn show(connection: &Connection, pair: Pair) -> Result<Option<DuplicatePair>> {
    let open = pair.state == "open";
    let resolve = |id| if open { kept_id(connection, id) } else { Ok(id) };
    let (first, second) = (resolve(pair.first)?, resolve(pair.second)?);
    if first == second {
        return Ok(None);
    }
    let (Some(first), Some(second)) = (side(connection, first)?, side(connection, second)?) else {
        return Ok(None);
    };
    let merge_id = crate::db::optional(
        connection
            .prepare_cached(include_str!("sql/merge_of_pair.sql"))?
            .query_row([pair.first, pair.second], |row| row.get("id")),
    )?;
    Ok(Some(DuplicatePair {
        id: pair.id,
        reasons: read_reasons(&pair.reasons),
        state: pair.state,
        found_at: pair.found_at,
        merge_id,
        first,
        second,
    }))
}

/// One record as it is compared; `None` when it was removed.
pub(super) fn side(connection: &Connection, id: Uuid) -> Result<Option<Side>> {
    let fields = crate::db::optional(
        connection.prepare_cached(include_str!("sql/record.sql"))?.query_row([id], record::text_fields),
    )?;
    let Some(fields) = fields else { return Ok(None) };
    let (newest, encounter_count) = record::encounters(connection, id, 0, 1)?;
    let last = newest.into_iter().next();
    Ok(Some(Side {
        patient_id: id,
        fields,
        phones: record::phones(connection, id)?,
        encounter_count,
        last_on: last.as_ref().and_then(|last| {
            last.discharged_on
                .clone()
                .or_else(|| last.admitted_at.as_ref().map(|at| at.chars().take(10).collect()))
        }),
        last_department: last.map(|last| last.department),
    }))
}

/// Says that two records are two people, or opens the question again.
pub(super) fn not_same(ctx: &Ctx, request: &NotSameRequest) -> Result<Done> {
    let (from, to) = if request.different { ("open", "different") } else { ("different", "open") };
    ctx.write(|w| {
        let state: String = w
            .connection()
            .prepare_cached("SELECT state FROM duplicate WHERE id = ?1")?
            .query_row([request.duplicate_id], |row| row.get("state"))?;
        if state == from {
            settle(w, request.duplicate_id, to)?;
            let action = if request.different { "archive.not_same" } else { "archive.not_same_undo" };
            let id = Some(request.duplicate_id);
            audit::append(w.connection(), w.now_millis(), w.user(), action, id, &json!({}))?;
        }
        Ok(Done {})
    })
}

/// Sets what became of a suspicion.
pub(super) fn settle(w: &mut Writer<'_>, id: Uuid, state: &str) -> Result<()> {
    let settled = state != "open";
    let (at, by) = (settled.then(|| w.now_millis()), settled.then(|| w.user()));
    w.update(
        &DUPLICATE,
        id,
        &[("state", state.into()), ("settled_at", at.into()), ("settled_by", by.into())],
    )?;
    Ok(())
}
