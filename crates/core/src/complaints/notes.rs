//! Additions, which are possible at any time, and promises.

use aftercare_domain::error_code::ErrorCode;
use rusqlite::Connection;
use serde_json::json;
use uuid::Uuid;

use super::moves::text;
use super::people::Names;
use super::viewer::Viewer;
use super::when;
use super::{Note, NoteKind, NoteRequest, Promise, PromiseKeptRequest, PromiseRequest, store};
use crate::app::Ctx;
use crate::audit;
use crate::change_log::{COMPLAINT_NOTE, COMPLAINT_PROMISE, Writer};
use crate::error::{Error, FieldErrors, Result};

/// The word stored for a kind.
fn word(kind: NoteKind) -> &'static str {
    match kind {
        NoteKind::Internal => "internal",
        NoteKind::Visible => "visible",
        NoteKind::Improvement => "improvement",
        NoteKind::Revisit => "revisit",
    }
}

fn kind(word: &str) -> NoteKind {
    match word {
        "visible" => NoteKind::Visible,
        "improvement" => NoteKind::Improvement,
        "revisit" => NoteKind::Revisit,
        _ => NoteKind::Internal,
    }
}

/// Adds a note. Who is complained about does not speak to the complainant.
///
/// # Errors
/// `NotFound`, `Invalid` with `body`, `ComplaintAccused`.
pub(super) fn add(ctx: &Ctx, request: &NoteRequest) -> Result<()> {
    let mut errors = FieldErrors::default();
    let body = text(&mut errors, "body", request.body.reveal(), true);
    errors.check()?;
    ctx.write(|writer| {
        let viewer = Viewer::of(ctx, writer.connection())?;
        let stored = store::load(writer.connection(), request.id, &viewer)?;
        let speaks = matches!(request.kind, NoteKind::Visible | NoteKind::Revisit);
        if speaks && stored.state.accused.contains(&viewer.user) {
            return Err(Error::new(ErrorCode::ComplaintAccused));
        }
        let id = writer.new_id();
        let fields = [
            ("complaint_id", request.id.into()),
            ("kind", word(request.kind).into()),
            ("body", body.into()),
            ("at", writer.now_millis().into()),
            ("user_id", writer.user().into()),
        ];
        writer.create(&COMPLAINT_NOTE, id, &fields)?;
        log(writer, "complaints.note", request.id)
    })
}

fn log(writer: &Writer<'_>, action: &str, id: Uuid) -> Result<()> {
    audit::append(writer.connection(), writer.now_millis(), writer.user(), action, Some(id), &json!({}))
}

/// Makes a promise.
///
/// # Errors
/// `NotFound`, `Invalid` with fields.
pub(super) fn promise(ctx: &Ctx, request: &PromiseRequest) -> Result<()> {
    let today = ctx.local_now().date();
    let mut errors = FieldErrors::default();
    let promise = text(&mut errors, "promise", request.promise.reveal(), true);
    let due_on = when::parse_day(request.due_on.trim());
    match due_on {
        None => errors.add("due_on", ErrorCode::BadDate),
        Some(day) if day < today => errors.add("due_on", ErrorCode::InPast),
        Some(_) => {}
    }
    errors.check()?;
    ctx.write(|writer| {
        let viewer = Viewer::of(ctx, writer.connection())?;
        store::load(writer.connection(), request.id, &viewer)?;
        let id = writer.new_id();
        let fields = [
            ("complaint_id", request.id.into()),
            ("promise", promise.into()),
            ("due_on", due_on.map(|day| day.to_string()).unwrap_or_default().into()),
            ("made_at", writer.now_millis().into()),
            ("made_by", writer.user().into()),
        ];
        writer.create(&COMPLAINT_PROMISE, id, &fields)?;
        log(writer, "complaints.promise", request.id)
    })
}

/// Says that a promise was kept. Returns the complaint.
///
/// # Errors
/// `NotFound`, `Conflict` when somebody said so already, `Invalid` with `how`.
pub(super) fn kept(ctx: &Ctx, request: &PromiseKeptRequest) -> Result<Uuid> {
    let mut errors = FieldErrors::default();
    let how = text(&mut errors, "how", request.how.reveal(), true);
    errors.check()?;
    ctx.write(|writer| {
        let (complaint_id, kept_at): (Uuid, Option<i64>) = writer
            .connection()
            .prepare_cached("SELECT complaint_id, kept_at FROM complaint_promise WHERE id = ?1")?
            .query_row([request.promise_id], |row| Ok((row.get("complaint_id")?, row.get("kept_at")?)))?;
        let viewer = Viewer::of(ctx, writer.connection())?;
        store::load(writer.connection(), complaint_id, &viewer)?;
        if kept_at.is_some() {
            return Err(Error::new(ErrorCode::Conflict));
        }
        let fields = [
            ("kept_at", writer.now_millis().into()),
            ("kept_by", writer.user().into()),
            ("kept_how", how.into()),
        ];
        writer.update(&COMPLAINT_PROMISE, request.promise_id, &fields)?;
        log(writer, "complaints.promise_kept", complaint_id)?;
        Ok(complaint_id)
    })
}

/// Notes of a complaint, oldest first.
pub(super) fn of(connection: &Connection, id: Uuid, names: &Names) -> Result<Vec<Note>> {
    let mut statement = connection.prepare_cached(
        "SELECT id, kind, body, at, user_id FROM complaint_note WHERE complaint_id = ?1 ORDER BY at, id",
    )?;
    let rows = statement.query_map([id], |row| {
        Ok(Note {
            id: row.get("id")?,
            kind: kind(row.get_ref("kind")?.as_str()?),
            body: row.get::<_, String>("body")?.into(),
            at: row.get("at")?,
            by: names.of(row.get("user_id")?),
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Promises of a complaint, by day.
pub(super) fn promises(
    connection: &Connection,
    id: Uuid,
    names: &Names,
    today: chrono::NaiveDate,
) -> Result<Vec<Promise>> {
    let mut statement = connection.prepare_cached(
        "SELECT id, promise, due_on, made_by, kept_at, kept_how FROM complaint_promise
         WHERE complaint_id = ?1 ORDER BY due_on, id",
    )?;
    let rows = statement.query_map([id], |row| {
        let due_on: String = row.get("due_on")?;
        let kept_at: Option<i64> = row.get("kept_at")?;
        Ok(Promise {
            id: row.get("id")?,
            promise: row.get::<_, String>("promise")?.into(),
            overdue: kept_at.is_none() && when::parse_day(&due_on).is_some_and(|day| day < today),
            due_on,
            made_by: names.of(row.get("made_by")?),
            kept_at,
            kept_how: row.get::<_, Option<String>>("kept_how")?.map(Into::into),
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}
