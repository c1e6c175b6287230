//! Lists of alerts, passing them on, noting, closing.

use aftercare_domain::error_code::ErrorCode;
use serde_json::json;

use super::{
    AlertCloseRequest, AlertDetail, AlertNoteRequest, AlertRequest, AlertRouteRequest, AlertsRequest,
    AlertsResponse, store,
};
use crate::app::Ctx;
use crate::audit;
use crate::change_log::Writer;
use crate::error::{Error, FieldErrors, Result};
use crate::followup::consult::{self, ConsultItem, NewConsult};
use crate::followup::journal::Journal;
use crate::followup::people::People;
use crate::followup::viewer::Viewer;
use crate::followup::{call, checked_text, level_word, worklist};

/// Longest question, note or closing, in characters.
const LONGEST: usize = 2000;

/// A page of alerts with counts over all of them.
///
/// # Errors
/// `Invalid` with field `limit`.
pub fn alerts(ctx: &Ctx, request: AlertsRequest) -> Result<AlertsResponse> {
    if !(1..=200).contains(&request.limit) {
        return Err(Error::field("limit", ErrorCode::BadNumber));
    }
    let now = ctx.now().timestamp_millis();
    let viewer = Viewer::of(ctx);
    ctx.read(|connection| {
        let people = People::load(connection)?;
        let (open, overdue) = store::counts(connection, now, viewer)?;
        Ok(AlertsResponse { alerts: store::page(connection, &request, now, &people, viewer)?, open, overdue })
    })
}

/// An alert with all that was done.
///
/// # Errors
/// `NotFound`.
pub fn alert(ctx: &Ctx, request: AlertRequest) -> Result<AlertDetail> {
    let now = ctx.now().timestamp_millis();
    ctx.read(|connection| {
        let people = People::load(connection)?;
        let stored = store::load_for(connection, request.alert_id, Viewer::of(ctx))?;
        let response = match stored.response_id {
            Some(id) => call::past::response(connection, id)?,
            None => None,
        };
        Ok(AlertDetail {
            alert: store::item(connection, request.alert_id, now, &people)?,
            answers: match response {
                Some(response) => call::past::answered(connection, &response)?,
                None => Vec::new(),
            },
            steps: store::steps(connection, request.alert_id, &people)?,
            consults: consult::of_alert(connection, request.alert_id, now, &people)?,
            closing: stored.closing.map(Into::into),
        })
    })
}

fn log(writer: &Writer<'_>, ctx: &Ctx, action: &str, alert_id: uuid::Uuid) -> Result<()> {
    let now = writer.now_millis();
    audit::append(writer.connection(), now, ctx.user_id(), action, Some(alert_id), &json!({}))
}

/// Passes an alert on as a question to a department or a person.
///
/// # Errors
/// `NotFound`, `AlertState`, `Invalid` with fields.
pub fn route(ctx: &Ctx, request: AlertRouteRequest) -> Result<ConsultItem> {
    let mut errors = FieldErrors::default();
    let question = checked_text(&mut errors, "question", &request.question, LONGEST);
    errors.check()?;
    ctx.write(|writer| {
        let connection = writer.connection();
        let department = consult::department_of(connection, &request.department, request.asked_of)?;
        let stored = store::load_for(connection, request.alert_id, Viewer::of(ctx))?;
        let mut journal = Journal::new(writer);
        let new = NewConsult {
            patient_id: stored.patient_id,
            alert_id: Some(stored.id),
            task_id: stored.task_id,
            level: level_word(stored.state.level),
            question: &question,
            department: &department,
            asked_of: request.asked_of,
            due_at: stored.due_at,
        };
        let consult_id = consult::ask(&mut journal, &new)?;
        store::route(&mut journal, stored.id, &department)?;
        log(writer, ctx, "followup.alert_route", stored.id)?;
        let now = writer.now_millis();
        worklist::refresh_patient(writer.connection(), stored.patient_id, now)?;
        consult::item(writer.connection(), consult_id, now, &People::load(writer.connection())?)
    })
}

/// Notes what was done about an alert.
///
/// # Errors
/// `NotFound`, `AlertState`, `Invalid` with field `note`.
pub fn note(ctx: &Ctx, request: AlertNoteRequest) -> Result<AlertDetail> {
    let mut errors = FieldErrors::default();
    let text = checked_text(&mut errors, "note", &request.note, LONGEST);
    errors.check()?;
    ctx.write(|writer| {
        let stored = store::load_for(writer.connection(), request.alert_id, Viewer::of(ctx))?;
        store::handle(&mut Journal::new(writer), &stored, &text)?;
        log(writer, ctx, "followup.alert_note", stored.id)
    })?;
    alert(ctx, AlertRequest { alert_id: request.alert_id })
}

/// Closes an alert. A red flag has to be passed on first.
///
/// # Errors
/// `NotFound`, `AlertState`, `RedFlagUnrouted`, `Invalid` with field `closing`.
pub fn close(ctx: &Ctx, request: AlertCloseRequest) -> Result<AlertDetail> {
    let mut errors = FieldErrors::default();
    let closing = checked_text(&mut errors, "closing", &request.closing, LONGEST);
    errors.check()?;
    ctx.write(|writer| {
        let stored = store::load_for(writer.connection(), request.alert_id, Viewer::of(ctx))?;
        store::close(&mut Journal::new(writer), stored.id, &closing)?;
        log(writer, ctx, "followup.alert_close", stored.id)?;
        worklist::refresh_patient(writer.connection(), stored.patient_id, writer.now_millis())
    })?;
    alert(ctx, AlertRequest { alert_id: request.alert_id })
}
