//! Taking back the last call: a mistyped outcome key is put right as new facts, never by deleting.

use aftercare_domain::error_code::ErrorCode;
use aftercare_domain::op::FieldValue;
use aftercare_domain::task::{TaskCommand, TaskStatus};
use rusqlite::{Connection, params};
use serde_json::json;
use uuid::Uuid;

use super::SaveCallRequest;
use super::open::draft_key;
use crate::app::Ctx;
use crate::audit;
use crate::change_log::{ALERT, CALL, Change, RESPONSE, TASK, Writer};
use crate::commands::Done;
use crate::db;
use crate::error::{Error, Result};
use crate::followup::journal::{Journal, Log, field_of};
use crate::followup::task;
use crate::followup::{alert, undo_until, worklist};

/// How many calls back the logs are kept.
const KEPT: i64 = 20;

/// Keeps what a call changed, and what was typed.
pub(super) fn keep(
    connection: &Connection,
    request: &SaveCallRequest,
    log: &Log,
    user: Uuid,
    now: i64,
) -> Result<()> {
    let mut bytes = Vec::with_capacity(512);
    ciborium::into_writer(log, &mut bytes).map_err(Error::internal)?;
    connection
        .prepare_cached("DELETE FROM call_undo WHERE saved_at < ?1")?
        .execute([now - KEPT * (undo_until(0))])?;
    connection
        .prepare_cached(
            "INSERT INTO call_undo (call_id, saved_at, changes, draft)
             VALUES (?1, ?2, ?3, (SELECT body FROM draft WHERE user_id = ?4 AND key = ?5))",
        )?
        .execute(params![request.call_id, now, bytes, user, draft_key(request.patient_id)])?;
    Ok(())
}

/// Until when a call can be taken back; none when it cannot.
pub(super) fn until(connection: &Connection, call_id: Uuid) -> Result<Option<i64>> {
    let saved: Option<i64> = db::optional(
        connection
            .prepare_cached("SELECT saved_at FROM call_undo WHERE call_id = ?1")?
            .query_row([call_id], |row| row.get("saved_at")),
    )?;
    Ok(saved.map(undo_until))
}

struct Kept {
    patient_id: Uuid,
    log: Log,
    draft: Option<String>,
}

/// What is there to take back, if it is the user's, recent, and nothing was built on it.
fn kept(ctx: &Ctx, connection: &Connection, call_id: Uuid, now: i64) -> Result<Kept> {
    let refused = || Error::new(ErrorCode::CallNotUndoable);
    let found = db::optional(
        connection
            .prepare_cached(
                "SELECT call.patient_id, call.user_id, call.called_at, u.saved_at, u.changes, u.draft
                 FROM call_undo AS u JOIN call ON call.id = u.call_id WHERE u.call_id = ?1",
            )?
            .query_row([call_id], |row| {
                Ok((
                    row.get::<_, Uuid>("patient_id")?,
                    row.get::<_, Uuid>("user_id")?,
                    row.get::<_, i64>("saved_at")?,
                    row.get::<_, Vec<u8>>("changes")?,
                    row.get::<_, Option<String>>("draft")?,
                ))
            }),
    )?;
    let Some((patient_id, user_id, saved_at, bytes, draft)) = found else { return Err(refused()) };
    if user_id != ctx.user_id() || now > undo_until(saved_at) {
        return Err(refused());
    }
    let later: bool = connection
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM call WHERE patient_id = ?1 AND id > ?2)")?
        .query_row(params![patient_id, call_id], |row| row.get(0))?;
    let taken_back: bool = connection
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM call WHERE replaces_id = ?1)")?
        .query_row([call_id], |row| row.get(0))?;
    if taken_back || later && is_later_call(connection, patient_id, call_id)? {
        return Err(refused());
    }
    let log = ciborium::from_reader(bytes.as_slice()).map_err(|_| refused())?;
    Ok(Kept { patient_id, log, draft })
}

/// Whether the patient was called again after this call.
fn is_later_call(connection: &Connection, patient_id: Uuid, call_id: Uuid) -> Result<bool> {
    let last: Uuid = connection
        .prepare_cached(
            "SELECT id FROM standing_call WHERE patient_id = ?1 ORDER BY called_at DESC, id DESC LIMIT 1",
        )?
        .query_row([patient_id], |row| row.get("id"))?;
    Ok(last != call_id)
}

/// Takes the call back; see [`super::commands::undo_call`].
pub(super) fn undo(ctx: &Ctx, writer: &mut Writer<'_>, call_id: Uuid) -> Result<Done> {
    let now = writer.now_millis();
    let kept = kept(ctx, writer.connection(), call_id, now)?;
    let mut journal = Journal::new(writer);
    for id in kept.log.made(&ALERT) {
        // Passed on already: somebody was told, so the call stands.
        alert::withdraw(&mut journal, id).map_err(|error| match error.code {
            ErrorCode::AlertState => Error::new(ErrorCode::CallNotUndoable),
            _ => error,
        })?;
    }
    for id in kept.log.made(&TASK) {
        let mut task = task::load(journal.writer.connection(), id)?;
        task::apply(&mut journal, &mut task, TaskCommand::Cancel, Some("call_undone"), &[])?;
    }
    for id in kept.log.made(&RESPONSE) {
        withdraw_fact(&mut journal, id, RESPONSE_COPY)?;
    }
    withdraw_fact(&mut journal, call_id, CALL_COPY)?;
    put_back(&mut journal, &kept.log)?;
    let connection = writer.connection();
    connection.prepare_cached("DELETE FROM call_undo WHERE call_id = ?1")?.execute([call_id])?;
    if let Some(draft) = &kept.draft {
        connection
            .prepare_cached(
                "INSERT INTO draft (user_id, key, body, saved_at) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (user_id, key) DO NOTHING",
            )?
            .execute(params![ctx.user_id(), draft_key(kept.patient_id), draft, now])?;
    }
    let detail = json!({ "call": call_id });
    audit::append(connection, now, ctx.user_id(), "followup.undo_call", Some(kept.patient_id), &detail)?;
    worklist::refresh_patient(connection, kept.patient_id, now)?;
    Ok(Done {})
}

/// Sets what the call had changed back to what it was, where it still stands as the call left it.
fn put_back(journal: &mut Journal<'_, '_>, log: &Log) -> Result<()> {
    for (table, id, fields) in log.changes_back() {
        let mut before: Vec<Change> = Vec::with_capacity(fields.len());
        for (field, was, _) in fields {
            before.push((field_of(table, field)?.1, was.clone()));
        }
        if table == TASK.table {
            let status = before.iter().position(|(name, _)| *name == "status").map(|at| before.remove(at).1);
            let to = match status {
                Some(FieldValue::Text(word)) => TaskStatus::parse(&word),
                _ => None,
            };
            before.retain(|(name, _)| {
                !matches!(*name, "claimed_by" | "claimed_until" | "ended_at" | "end_reason")
            });
            let mut task = task::load(journal.writer.connection(), id)?;
            let to = to.unwrap_or(task.status);
            task::apply(journal, &mut task, TaskCommand::TakeBack { to }, None, &before)?;
        } else {
            let (entity, _) = field_of(table, fields.first().map_or("", |(name, _, _)| name.as_str()))?;
            journal.update(entity, id, &before)?;
        }
    }
    Ok(())
}

/// The columns a withdrawing fact takes over from the one it withdraws.
struct Copy {
    entity: &'static crate::change_log::Entity,
    columns: &'static [&'static str],
}

const CALL_COPY: Copy = Copy {
    entity: &CALL,
    columns: &["patient_id", "task_id", "tasks", "phone_id", "number", "called_at", "called_on"],
};
const RESPONSE_COPY: Copy = Copy {
    entity: &RESPONSE,
    columns: &[
        "task_id",
        "patient_id",
        "encounter_id",
        "call_id",
        "plan_code",
        "plan_version",
        "form",
        "responded_on",
    ],
};

fn withdraw_fact(journal: &mut Journal<'_, '_>, id: Uuid, copy: Copy) -> Result<()> {
    let sql = format!("SELECT {} FROM {} WHERE id = ?1", copy.columns.join(", "), copy.entity.table);
    let mut fields: Vec<Change> =
        journal.writer.connection().prepare_cached(&sql)?.query_row([id], |row| {
            let value = |name: &'static str| -> rusqlite::Result<Change> {
                use rusqlite::types::ValueRef;
                Ok((
                    name,
                    match row.get_ref(name)? {
                        ValueRef::Null => FieldValue::Null,
                        ValueRef::Integer(value) => value.into(),
                        ValueRef::Real(value) => value.into(),
                        ValueRef::Text(value) => {
                            FieldValue::Text(String::from_utf8_lossy(value).into_owned())
                        }
                        ValueRef::Blob(value) => FieldValue::Bytes(value.to_vec()),
                    },
                ))
            };
            copy.columns.iter().map(|name| value(name)).collect()
        })?;
    fields.push(("replaces_id", id.into()));
    fields.push(("user_id", journal.writer.user().into()));
    if copy.entity.table == CALL.table {
        fields.push(("outcome", "withdrawn".into()));
    } else {
        fields.push(("withdrawn", true.into()));
        fields.push(("answers", "{}".into()));
        fields.push(("results", "{}".into()));
        fields.push(("responded_at", journal.writer.now_millis().into()));
    }
    let new = journal.new_id();
    journal.create(copy.entity, new, &fields)
}
