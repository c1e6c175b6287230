//! Two records become one, and part again exactly as they were.
//!
//! What can move (phones, encounters, plans, tasks) moves by new changes to its `patient_id`; facts stay with the
//! record they were made for and are read through `merged_into`. The merge remembers what it moved and which values it
//! overwrote, so parting gives back exactly these; what was changed since stays changed.

use aftercare_domain::error_code::ErrorCode;
use aftercare_domain::op::FieldValue;
use rusqlite::{Connection, params};
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::duplicates::settle;
use super::life::Optout;
use super::record::TEXT_FIELDS;
use super::{MergeRequest, MergeResponse, UnmergeRequest, index_patients};
use crate::app::Ctx;
use crate::audit;
use crate::change_log::{Change, Changed, ENCOUNTER, PATIENT, PATIENT_MERGE, PHONE, Writer};
use crate::commands::Done;
use crate::error::{Error, Result};
use crate::followup::{self, StopReason};

/// What a merge did, as `patient_merge.moved` keeps it.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Moved {
    /// Fields of the kept record that got another value.
    fields: Vec<FieldMove>,
    /// Phones that came, with their rank before and after.
    phones: Vec<(Uuid, i64, i64)>,
    /// Encounters that came.
    encounters: Vec<Uuid>,
    /// Enrolments, tasks, alerts and questions that came.
    followup: Vec<Uuid>,
    /// Suspicions that this settled.
    duplicates: Vec<Uuid>,
    /// Whether the follow-up of the kept patient ended by this, and why.
    stopped: Vec<String>,
}

#[derive(Serialize, Deserialize)]
struct FieldMove {
    field: String,
    before: FieldValue,
    after: FieldValue,
}

impl std::fmt::Debug for FieldMove {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "FieldMove({})", self.field)
    }
}

/// Merges `merged_id` into `kept_id`: empty fields are filled, those in `take` are overwritten, the stricter of death
/// and refusal holds.
///
/// Errors: `NotFound`; `Conflict` when one of them is merged already; `Invalid` for an unknown field.
pub(super) fn merge(ctx: &Ctx, request: &MergeRequest) -> Result<MergeResponse> {
    let (kept, merged) = (request.kept_id, request.merged_id);
    if kept == merged {
        return Err(Error::field("merged_id", ErrorCode::NotAllowed));
    }
    for field in &request.take {
        if !TEXT_FIELDS.contains(&field.as_str()) {
            return Err(Error::field("take", ErrorCode::NotAllowed));
        }
    }
    let merge_id = ctx.new_id();
    ctx.write(|w| {
        check_alone(w.connection(), kept)?;
        check_alone(w.connection(), merged)?;
        let changes = field_changes(w.connection(), kept, merged, &request.take)?;
        let changed = update_some(w, kept, &changes)?;
        let mut moved = Moved {
            fields: changed.iter().map(field_move).collect(),
            phones: move_phones(w, kept, merged)?,
            encounters: move_encounters(w, kept, merged)?,
            followup: followup::move_patient(w, merged, kept, None)?,
            duplicates: open_between(w.connection(), kept, merged)?,
            stopped: Vec::new(),
        };
        for id in &moved.duplicates {
            settle(w, *id, "merged")?;
        }
        for reason in stops(&changed) {
            followup::stop_patient(w, kept, reason)?;
            moved.stopped.push(reason.as_str().to_owned());
        }
        w.update(&PATIENT, merged, &[("merged_into", kept.into())])?;
        let fields: [Change; 5] = [
            ("kept_id", kept.into()),
            ("merged_id", merged.into()),
            ("moved", serde_json::to_string(&moved)?.into()),
            ("merged_at", w.now_millis().into()),
            ("merged_by", w.user().into()),
        ];
        w.create(&PATIENT_MERGE, merge_id, &fields)?;
        index_patients(w.connection(), &[kept, merged])?;
        let detail = json!({ "merged": merged, "merge": merge_id });
        audit::append(w.connection(), w.now_millis(), w.user(), "archive.merge", Some(kept), &detail)?;
        Ok(MergeResponse { merge_id })
    })
}

fn update_some(w: &mut Writer<'_>, id: Uuid, changes: &[Change]) -> Result<Vec<Changed>> {
    if changes.is_empty() { Ok(Vec::new()) } else { w.update(&PATIENT, id, changes) }
}

/// Neither removed nor part of another record.
fn check_alone(connection: &Connection, id: Uuid) -> Result<()> {
    let merged_into: Option<Uuid> = connection
        .prepare_cached("SELECT merged_into FROM patient WHERE id = ?1 AND removed = 0")?
        .query_row([id], |row| row.get("merged_into"))?;
    if merged_into.is_some() { Err(Error::new(ErrorCode::Conflict)) } else { Ok(()) }
}

fn values(connection: &Connection, id: Uuid) -> Result<Vec<(&'static str, FieldValue)>> {
    let sql = format!("SELECT {} FROM patient WHERE id = ?1", PATIENT.fields.join(", "));
    let row = connection.prepare_cached(&sql)?.query_row([id], |row| {
        PATIENT
            .fields
            .iter()
            .map(|field| {
                let value: rusqlite::types::Value = row.get(*field)?;
                Ok((*field, owned(value)))
            })
            .collect::<rusqlite::Result<_>>()
    })?;
    Ok(row)
}

fn owned(value: rusqlite::types::Value) -> FieldValue {
    use rusqlite::types::Value;
    match value {
        Value::Null => FieldValue::Null,
        Value::Integer(value) => FieldValue::Integer(value),
        Value::Real(value) => FieldValue::Real(value),
        Value::Text(value) => FieldValue::Text(value),
        Value::Blob(value) => FieldValue::Bytes(value),
    }
}

fn field_changes(connection: &Connection, kept: Uuid, merged: Uuid, take: &[String]) -> Result<Vec<Change>> {
    let (mine, theirs) = (values(connection, kept)?, values(connection, merged)?);
    let mut changes = Vec::new();
    for ((field, mine), (_, theirs)) in mine.into_iter().zip(theirs) {
        let wanted = match field {
            "deceased" | "vip" => stricter(&mine, &theirs),
            "contact_optout" => stricter_optout(&mine, &theirs),
            "deceased_on" | "deceased_how" => is_empty(&mine) && !is_empty(&theirs),
            "sex" => {
                matches!(&mine, FieldValue::Text(code) if code == "0") || take.iter().any(|f| f == field)
            }
            _ if TEXT_FIELDS.contains(&field) => {
                !is_empty(&theirs) && (is_empty(&mine) || take.iter().any(|taken| taken == field))
            }
            _ => false,
        };
        if wanted && mine != theirs {
            changes.push((field, theirs));
        }
    }
    Ok(changes)
}

fn is_empty(value: &FieldValue) -> bool {
    matches!(value, FieldValue::Null) || matches!(value, FieldValue::Text(text) if text.is_empty())
}

fn stricter(mine: &FieldValue, theirs: &FieldValue) -> bool {
    matches!((mine, theirs), (FieldValue::Integer(mine), FieldValue::Integer(theirs)) if theirs > mine)
}

fn stricter_optout(mine: &FieldValue, theirs: &FieldValue) -> bool {
    let level = |value: &FieldValue| match value {
        FieldValue::Text(word) => Optout::parse(word).unwrap_or(Optout::All),
        _ => Optout::None,
    };
    level(theirs) > level(mine)
}

fn field_move(change: &Changed) -> FieldMove {
    FieldMove { field: change.field.to_owned(), before: change.before.clone(), after: change.after.clone() }
}

/// Which of the changed fields end the follow-up.
fn stops(changed: &[Changed]) -> Vec<StopReason> {
    changed
        .iter()
        .filter_map(|change| match change.field {
            "deceased" => Some(StopReason::Deceased),
            "contact_optout" => Some(StopReason::Refused),
            _ => None,
        })
        .collect()
}

/// Phones whose number the kept patient does not have come after the kept patient's own.
fn move_phones(w: &mut Writer<'_>, kept: Uuid, merged: Uuid) -> Result<Vec<(Uuid, i64, i64)>> {
    let list = |id: Uuid| -> Result<Vec<(Uuid, String, i64)>> {
        let mut statement = w.connection().prepare_cached(
            "SELECT id, number, rank FROM phone WHERE patient_id = ?1 AND removed = 0 ORDER BY rank, id",
        )?;
        let rows =
            statement.query_map([id], |row| Ok((row.get("id")?, row.get("number")?, row.get("rank")?)))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    };
    let (mine, theirs) = (list(kept)?, list(merged)?);
    let mut rank = mine.iter().map(|(_, _, rank)| *rank).max().unwrap_or(-1);
    let mut moved = Vec::new();
    for (id, number, before) in theirs {
        if mine.iter().any(|(_, known, _)| *known == number) {
            continue;
        }
        rank += 1;
        w.update(&PHONE, id, &[("patient_id", kept.into()), ("rank", rank.into())])?;
        moved.push((id, before, rank));
    }
    Ok(moved)
}

/// Encounters come, except those that the kept patient has: the same visit, imported for both.
fn move_encounters(w: &mut Writer<'_>, kept: Uuid, merged: Uuid) -> Result<Vec<Uuid>> {
    let mut moved: Vec<Uuid> = Vec::new();
    {
        let mut statement = w.connection().prepare_cached(include_str!("sql/encounters_to_move.sql"))?;
        for id in statement.query_map(params![kept, merged], |row| row.get("id"))? {
            moved.push(id?);
        }
    }
    for id in &moved {
        w.update(&ENCOUNTER, *id, &[("patient_id", kept.into())])?;
    }
    Ok(moved)
}

fn open_between(connection: &Connection, kept: Uuid, merged: Uuid) -> Result<Vec<Uuid>> {
    let mut statement = connection.prepare_cached(
        "SELECT id FROM duplicate
         WHERE ((first_id = ?1 AND second_id = ?2) OR (first_id = ?2 AND second_id = ?1)) AND state = 'open'",
    )?;
    let rows = statement.query_map([kept, merged], |row| row.get("id"))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Parts two records again.
///
/// Errors: `NotFound`; `Conflict` when it was taken back already, or the kept record has been merged into another
/// since (that merge comes first).
pub(super) fn unmerge(ctx: &Ctx, request: &UnmergeRequest) -> Result<Done> {
    ctx.write(|w| {
        let (kept, merged, moved, undone): (Uuid, Uuid, String, Option<i64>) = w
            .connection()
            .prepare_cached("SELECT kept_id, merged_id, moved, undone_at FROM patient_merge WHERE id = ?1")?
            .query_row([request.merge_id], |row| {
                Ok((row.get("kept_id")?, row.get("merged_id")?, row.get("moved")?, row.get("undone_at")?))
            })?;
        if undone.is_some() {
            return Err(Error::new(ErrorCode::Conflict));
        }
        check_alone(w.connection(), kept)?;
        let moved: Moved = serde_json::from_str(&moved)?;
        w.update(&PATIENT, merged, &[("merged_into", FieldValue::Null)])?;
        give_back(w, kept, merged, &moved)?;
        followup::move_patient(w, kept, merged, Some(&moved.followup))?;
        restore_fields(w, kept, &moved)?;
        for id in &moved.duplicates {
            settle(w, *id, "open")?;
        }
        w.update(&PATIENT_MERGE, request.merge_id, &[("undone_at", w.now_millis().into())])?;
        index_patients(w.connection(), &[kept, merged])?;
        let detail = json!({ "merged": merged, "merge": request.merge_id });
        audit::append(w.connection(), w.now_millis(), w.user(), "archive.unmerge", Some(kept), &detail)?;
        Ok(Done {})
    })
}

/// Gives back what came and is still there.
fn give_back(w: &mut Writer<'_>, kept: Uuid, merged: Uuid, moved: &Moved) -> Result<()> {
    for (id, before, after) in &moved.phones {
        let (owner, rank): (Uuid, i64) = w
            .connection()
            .prepare_cached("SELECT patient_id, rank FROM phone WHERE id = ?1")?
            .query_row([id], |row| Ok((row.get("patient_id")?, row.get("rank")?)))?;
        if owner == kept {
            let rank = if rank == *after { *before } else { rank };
            w.update(&PHONE, *id, &[("patient_id", merged.into()), ("rank", rank.into())])?;
        }
    }
    for id in &moved.encounters {
        let owner: Uuid = w
            .connection()
            .prepare_cached("SELECT patient_id FROM encounter WHERE id = ?1")?
            .query_row([id], |row| row.get("patient_id"))?;
        if owner == kept {
            w.update(&ENCOUNTER, *id, &[("patient_id", merged.into())])?;
        }
    }
    Ok(())
}

/// Puts back the values that the merge overwrote, where nobody has changed them since.
fn restore_fields(w: &mut Writer<'_>, kept: Uuid, moved: &Moved) -> Result<()> {
    let now = values(w.connection(), kept)?;
    let mut changes: Vec<Change> = Vec::new();
    for change in &moved.fields {
        let Some((field, value)) = now.iter().find(|(field, _)| *field == change.field) else { continue };
        if *value == change.after {
            changes.push((field, change.before.clone()));
        }
    }
    let back = update_some(w, kept, &changes)?;
    for reason in stops(&back).into_iter().filter(|reason| moved.stopped.iter().any(|s| s == reason.as_str()))
    {
        followup::resume_patient(w, kept, reason)?;
    }
    Ok(())
}
