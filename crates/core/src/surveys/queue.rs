//! The telephone queue of a round. A call is the follow-up desk's call, saved by its own path.

use aftercare_domain::error_code::ErrorCode;
use aftercare_domain::plans::OutcomeAction;
use aftercare_domain::survey::{Channel, Kind};
use rusqlite::{Connection, params};
use serde_json::json;
use uuid::Uuid;

use super::sheet::{self, NewSheet};
use super::{
    CallSaveRequest, CallSaved, Invite, QueueRequest, QueueResponse, SheetHead, SheetSaved, form, rounds,
    rows,
};
use crate::app::Ctx;
use crate::change_log::{Change, SURVEY_INVITE, Writer};
use crate::error::{Error, Result};
use crate::followup::call::{SaveCallRequest, save_within};
use crate::followup::worklist::WorklistFilter;
use crate::{archive, audit, db, forms, settings};

/// Those shown at once.
const MOST: u32 = 500;

/// A round's queue: who can be called now first, in the order of the draw.
///
/// # Errors
/// `NotFound`.
pub fn list(ctx: &Ctx, request: QueueRequest) -> Result<QueueResponse> {
    let (now, today) = (ctx.now().timestamp_millis(), ctx.local_now().date());
    ctx.read(|connection| {
        let round = rounds::one(connection, request.round_id)?;
        let sql = "SELECT id, patient_id, department, doctor, visited_on, guardian, status, attempts, next_try_at, reason,
                          sheet_id
                   FROM survey_invite WHERE round_id = ?1 AND (?2 = 0 OR status = 'open')
                   ORDER BY status <> 'open', coalesce(next_try_at, 0) > ?3, place LIMIT ?4";
        let mut statement = connection.prepare_cached(sql)?;
        let found = statement.query_map(params![request.round_id, request.open_only, now, MOST], |row| {
            Ok(Invite {
                id: row.get("id")?,
                patient_id: row.get("patient_id")?,
                name: String::new().into(),
                sex: String::new(),
                age_years: None,
                department: row.get("department")?,
                doctor: row.get("doctor")?,
                visited_on: row.get("visited_on")?,
                guardian: row.get("guardian")?,
                status: row.get("status")?,
                attempts: row.get("attempts")?,
                next_try_at: row.get("next_try_at")?,
                reason: row.get("reason")?,
                sheet_id: row.get("sheet_id")?,
            })
        })?;
        let mut invites: Vec<Invite> = found.collect::<rusqlite::Result<_>>()?;
        for invite in &mut invites {
            let Ok(brief) = archive::patient_brief(connection, invite.patient_id, today) else { continue };
            invite.name = brief.name;
            invite.sex = brief.sex;
            invite.age_years = brief.age_years;
        }
        Ok(QueueResponse { round, invites })
    })
}

/// An invitation as a call needs it.
struct Open {
    round_id: Uuid,
    patient_id: Uuid,
    encounter_id: Option<Uuid>,
    kind: Kind,
    department: String,
    doctor: String,
    visited_on: String,
    attempts: u32,
    status: String,
    form_code: String,
    form_version: u32,
    sheet_id: Option<Uuid>,
    next_try_at: Option<i64>,
}

fn load(connection: &Connection, id: Uuid) -> Result<Open> {
    let sql = "SELECT invite.round_id, invite.patient_id, invite.encounter_id, invite.kind, invite.department, invite.doctor,
                      invite.visited_on, invite.attempts, invite.status, invite.sheet_id, invite.next_try_at,
                      round.form_code, round.form_version
               FROM survey_invite AS invite JOIN survey_round AS round ON round.id = invite.round_id WHERE invite.id = ?1";
    Ok(connection.prepare_cached(sql)?.query_row([id], |row| {
        Ok(Open {
            round_id: row.get("round_id")?,
            patient_id: row.get("patient_id")?,
            encounter_id: row.get("encounter_id")?,
            kind: rows::kind(row)?,
            department: row.get("department")?,
            doctor: row.get("doctor")?,
            visited_on: row.get("visited_on")?,
            attempts: row.get("attempts")?,
            status: row.get("status")?,
            form_code: row.get("form_code")?,
            form_version: row.get("form_version")?,
            sheet_id: row.get("sheet_id")?,
            next_try_at: row.get("next_try_at")?,
        })
    })?)
}

fn call_of(request: &CallSaveRequest, patient_id: Uuid) -> SaveCallRequest {
    SaveCallRequest {
        call_id: request.call_id,
        call_token: request.call_token,
        patient_id,
        tasks: Vec::new(),
        phone_id: request.phone_id,
        reason: request.reason.clone(),
        answers: aftercare_domain::forms::Answers::new(),
        appointment_at: request.appointment_at,
        remark: request.remark.clone(),
        deceased_on: None,
        started_at: request.started_at,
        ended_at: request.ended_at,
        filter: WorklistFilter::default(),
    }
}

/// Saves a call of a round: the call, and its sheet or when to try again.
///
/// # Errors
/// `NotFound`, `Conflict` when the invitation is settled, `Invalid` with the call's and the sheet's fields.
pub fn save(ctx: &Ctx, request: CallSaveRequest) -> Result<CallSaved> {
    ctx.write(|writer| {
        let invite = load(writer.connection(), request.invite_id)?;
        if made(writer.connection(), request.call_id)? {
            return again(ctx, writer.connection(), &request, &invite);
        }
        if invite.status != "open" {
            return Err(Error::new(ErrorCode::Conflict));
        }
        save_within(ctx, writer, &call_of(&request, invite.patient_id))?;
        let mut saved =
            CallSaved { status: String::new(), next_try_at: None, sheet: None, next_invite_id: None };
        let attempts = i64::from(invite.attempts) + 1;
        let mut fields: Vec<Change> =
            vec![("attempts", attempts.into()), ("reason", request.reason.as_deref().into())];
        match &request.reason {
            None => {
                let sheet = answered(ctx, writer, &request, &invite)?;
                saved.status = if sheet.invalid.is_none() { "answered" } else { "invalid" }.to_owned();
                fields.push(("sheet_id", sheet.id.into()));
                saved.sheet = Some(sheet);
            }
            Some(reason) => {
                (saved.status, saved.next_try_at) = after(writer, &request, reason, attempts)?;
            }
        }
        fields.push(("status", saved.status.as_str().into()));
        fields.push(("next_try_at", saved.next_try_at.into()));
        if saved.status != "open" {
            fields.push(("settled_at", writer.now_millis().into()));
        }
        writer.update(&SURVEY_INVITE, request.invite_id, &fields)?;
        let detail = json!({ "status": saved.status, "call": request.call_id });
        let (now, user) = (writer.now_millis(), writer.user());
        audit::append(writer.connection(), now, user, "surveys.call_save", Some(request.invite_id), &detail)?;
        saved.next_invite_id = next(writer.connection(), invite.round_id, request.invite_id, now)?;
        Ok(saved)
    })
}

fn made(connection: &Connection, call_id: Uuid) -> Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM call WHERE id = ?1)";
    Ok(connection.prepare_cached(sql)?.query_row([call_id], |row| row.get(0))?)
}

/// The answer to a call that was saved before: nothing is changed.
fn again(ctx: &Ctx, connection: &Connection, request: &CallSaveRequest, invite: &Open) -> Result<CallSaved> {
    let sheet = invite.sheet_id.map(|id| SheetSaved {
        id,
        score: None,
        invalid: None,
        recovery: false,
        low: false,
        alerts: Vec::new(),
    });
    let now = ctx.now().timestamp_millis();
    Ok(CallSaved {
        status: invite.status.clone(),
        next_try_at: invite.next_try_at,
        sheet,
        next_invite_id: next(connection, invite.round_id, request.invite_id, now)?,
    })
}

fn answered(
    ctx: &Ctx,
    writer: &mut Writer<'_>,
    request: &CallSaveRequest,
    invite: &Open,
) -> Result<SheetSaved> {
    let form = form::load(writer.connection(), &invite.form_code, Some(invite.form_version))?;
    let head = SheetHead {
        round_id: Some(invite.round_id),
        patient_id: Some(invite.patient_id),
        encounter_id: invite.encounter_id,
        department: invite.department.clone(),
        doctor: invite.doctor.clone(),
        visited_on: Some(invite.visited_on.clone()),
        seconds: request.seconds,
        ..SheetHead::default()
    };
    let id = writer.new_id();
    let new = NewSheet {
        id,
        channel: Channel::Phone,
        kind: invite.kind,
        form: &form,
        head: &head,
        answers: &request.answers,
        invite_id: Some(request.invite_id),
        call_id: Some(request.call_id),
    };
    sheet::write(ctx, writer, &new)
}

/// What becomes of an invitation after a call without an answer.
fn after(
    writer: &Writer<'_>,
    request: &CallSaveRequest,
    reason: &str,
    attempts: i64,
) -> Result<(String, Option<i64>)> {
    let reasons = &forms::content()?.failure_reasons.reasons;
    let known = reasons.iter().find(|known| known.code == reason);
    let does = |action| known.is_some_and(|known| known.actions.contains(&action));
    if does(OutcomeAction::MarkDeceased) {
        return Ok(("left_out".to_owned(), None));
    }
    if does(OutcomeAction::RefusePhone) || does(OutcomeAction::StopAllPlans) {
        return Ok(("refused".to_owned(), None));
    }
    let settings = settings::load(writer.connection())?;
    if request.appointment_at.is_none() && attempts >= i64::from(settings.max_attempts) {
        return Ok(("unreached".to_owned(), None));
    }
    let later = writer.now_millis() + i64::from(settings.min_gap_minutes) * 60_000;
    Ok(("open".to_owned(), Some(request.appointment_at.unwrap_or(later))))
}

fn next(connection: &Connection, round_id: Uuid, after: Uuid, now: i64) -> Result<Option<Uuid>> {
    let sql = "SELECT id FROM survey_invite
               WHERE round_id = ?1 AND status = 'open' AND id <> ?2 AND coalesce(next_try_at, 0) <= ?3
               ORDER BY place LIMIT 1";
    let found = connection.prepare_cached(sql)?.query_row(params![round_id, after, now], |row| row.get("id"));
    db::optional(found)
}

/// A correction may make an invitation's sheet count, or no longer.
pub(super) fn sheet_changed(
    writer: &mut Writer<'_>,
    invite_id: Option<Uuid>,
    sheet_id: Uuid,
    withdrawn: bool,
    valid: bool,
) -> Result<()> {
    let Some(id) = invite_id else { return Ok(()) };
    let there = writer
        .connection()
        .prepare_cached("SELECT 1 FROM survey_invite WHERE id = ?1")?
        .query_row([id], |row| row.get::<_, i64>(0));
    if db::optional(there)?.is_none() {
        return Ok(());
    }
    let status = if valid && !withdrawn { "answered" } else { "invalid" };
    writer.update(&SURVEY_INVITE, id, &[("status", status.into()), ("sheet_id", sheet_id.into())])?;
    Ok(())
}
