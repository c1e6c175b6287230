//! Correcting a sheet by another fact, and taking it back.

use aftercare_domain::access::Permission;
use aftercare_domain::error_code::ErrorCode;
use aftercare_domain::forms::Answers;
use aftercare_domain::survey::{Channel, Kind};
use rusqlite::Connection;
use serde_json::json;
use uuid::Uuid;

use super::form;
use super::sheet::{NewSheet, fields, follow, place};
use super::{SheetCorrectRequest, SheetHead, SheetSaved, queue, rows};
use crate::app::Ctx;
use crate::change_log::SURVEY_SHEET;
use crate::error::{Error, FieldErrors, Result};
use crate::{audit, db, settings};

/// Longest reason of a correction.
const REASON: usize = 500;

/// What a correction takes over from the sheet before.
struct Before {
    root_id: Uuid,
    invite_id: Option<Uuid>,
    call_id: Option<Uuid>,
    kind: Kind,
    channel: Channel,
    form_code: String,
    form_version: u32,
    caller: String,
    caller_id: Option<Uuid>,
    answers: String,
    withdrawn: bool,
    entered_at: i64,
}

fn before(connection: &Connection, id: Uuid) -> Result<Before> {
    let sql = "SELECT sheet.root_id, invite_id, call_id, sheet.kind, channel, form_code, form_version, caller, caller_id,
                      answers, sheet.withdrawn, sheet.entered_at
               FROM survey_sheet AS sheet JOIN survey_standing AS standing ON standing.root_id = sheet.root_id
               WHERE sheet.id = ?1 AND standing.sheet_id = sheet.id";
    let found = connection.prepare_cached(sql)?.query_row([id], |row| {
        Ok(Before {
            root_id: row.get("root_id")?,
            invite_id: row.get("invite_id")?,
            call_id: row.get("call_id")?,
            kind: rows::kind(row)?,
            channel: rows::channel(row)?,
            form_code: row.get("form_code")?,
            form_version: row.get("form_version")?,
            caller: row.get("caller")?,
            caller_id: row.get("caller_id")?,
            answers: row.get("answers")?,
            withdrawn: row.get("withdrawn")?,
            entered_at: row.get("entered_at")?,
        })
    });
    match db::optional(found)? {
        Some(before) if !before.withdrawn => Ok(before),
        Some(_) => Err(Error::new(ErrorCode::Conflict)),
        // Another correction stands, or there is no such sheet.
        None => {
            Err(Error::new(if exists(connection, id)? { ErrorCode::Conflict } else { ErrorCode::NotFound }))
        }
    }
}

fn exists(connection: &Connection, id: Uuid) -> Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM survey_sheet WHERE id = ?1)";
    Ok(connection.prepare_cached(sql)?.query_row([id], |row| row.get(0))?)
}

/// Corrects a sheet by another fact, or takes it back.
///
/// # Errors
/// `NotFound`, `Conflict` when another correction stands, `Invalid` with fields, `Forbidden` to take back.
pub fn correct(ctx: &Ctx, request: SheetCorrectRequest) -> Result<SheetSaved> {
    let why = request.why.trim();
    let mut errors = FieldErrors::default();
    if why.is_empty() {
        errors.add("why", ErrorCode::Required);
    } else if why.chars().count() > REASON {
        errors.add_with("why", ErrorCode::TooLong, "max", REASON);
    }
    errors.check()?;
    if request.withdraw && !ctx.may(Permission::SurveyManage) {
        return Err(Error::new(ErrorCode::Forbidden).with("permission", "survey_manage"));
    }
    ctx.write(|writer| {
        let before = before(writer.connection(), request.id)?;
        let id = writer.new_id();
        let given: Answers = serde_json::from_str(&before.answers)?;
        let mut head = match request.head.clone() {
            Some(head) => head,
            None => stored_head(writer.connection(), request.id)?,
        };
        // A closed round's sheet may still be corrected: it stays where it was.
        let round_id = std::mem::take(&mut head.round_id);
        let answers = if request.withdraw { &given } else { request.answers.as_ref().unwrap_or(&given) };
        let form = form::load(writer.connection(), &before.form_code, Some(before.form_version))?;
        let settings = settings::load(writer.connection())?;
        let mut errors = FieldErrors::default();
        let place = place(ctx, writer.connection(), &mut errors, &head)?;
        let judged = form::judge(&mut errors, &form, answers, head.seconds, &settings);
        if !request.withdraw {
            errors.check()?;
        }
        let place = place.ok_or_else(|| Error::field("head.answered_on", ErrorCode::BadDate))?;
        head.round_id = round_id;
        let new = NewSheet {
            id,
            channel: before.channel,
            kind: before.kind,
            form: &form,
            head: &head,
            answers,
            invite_id: before.invite_id,
            call_id: before.call_id,
        };
        let mut fields = fields(writer, &new, &place, &judged)?;
        // The later of a root counts: a desk whose clock is behind must still come after what it corrects.
        let entered_at = writer.now_millis().max(before.entered_at + 1);
        fields.extend([
            ("entered_at", entered_at.into()),
            ("root_id", before.root_id.into()),
            ("replaces_id", request.id.into()),
            ("withdrawn", request.withdraw.into()),
            ("why", why.into()),
            ("caller", before.caller.as_str().into()),
            ("caller_id", before.caller_id.into()),
        ]);
        writer.create(&SURVEY_SHEET, id, &fields)?;
        let saved = if request.withdraw {
            SheetSaved { id, score: None, invalid: None, recovery: false, low: false, alerts: Vec::new() }
        } else {
            follow(writer, &new, before.root_id, &place, &judged, &settings)?
        };
        queue::sheet_changed(writer, before.invite_id, id, request.withdraw, judged.invalid.is_none())?;
        let detail = json!({ "replaces": request.id, "withdrawn": request.withdraw });
        let (now, user) = (writer.now_millis(), writer.user());
        audit::append(writer.connection(), now, user, "surveys.sheet_correct", Some(id), &detail)?;
        Ok(saved)
    })
}

fn stored_head(connection: &Connection, id: Uuid) -> Result<SheetHead> {
    let sql = "SELECT round_id, sheet_no, patient_id, encounter_id, department, doctor, visited_on, answered_on, seconds,
                      caller FROM survey_sheet WHERE id = ?1";
    Ok(connection.prepare_cached(sql)?.query_row([id], |row| {
        Ok(SheetHead {
            round_id: row.get("round_id")?,
            sheet_no: row.get("sheet_no")?,
            patient_id: row.get("patient_id")?,
            encounter_id: row.get("encounter_id")?,
            department: row.get("department")?,
            doctor: row.get("doctor")?,
            visited_on: row.get("visited_on")?,
            answered_on: row.get("answered_on")?,
            seconds: row.get("seconds")?,
            caller: row.get("caller")?,
        })
    })?)
}
