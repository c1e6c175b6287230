//! Phones: added, changed, put in order, removed and brought back.

use aftercare_domain::codes;
use aftercare_domain::error_code::ErrorCode;
use aftercare_domain::op::FieldValue;
use aftercare_domain::phone::{Phone as ParsedPhone, parse};
use rusqlite::{Connection, params};
use serde_json::json;
use uuid::Uuid;

use super::{
    PhoneOrderRequest, PhoneRemoveRequest, PhoneSaveRequest, Record, index_patient, kept_id, record,
};
use crate::app::Ctx;
use crate::change_log::{Change, PHONE, Writer};
use crate::error::{Error, FieldErrors, Result};
use crate::{audit, settings};

/// What may become of a phone.
const STATES: [&str; 8] = ["unknown", "good", "empty", "stopped", "off", "wrong", "refused", "blocked"];
/// Characters of a name or an hour.
const LONGEST: usize = 50;

/// Adds a phone or changes one. A new state is noted on the timeline.
///
/// Errors: `Invalid` with fields, `NotFound`.
pub(super) fn save(ctx: &Ctx, request: &PhoneSaveRequest) -> Result<Record> {
    ctx.write(|w| {
        let patient_id = kept_id(w.connection(), request.patient_id)?;
        let (fields, state) = checked(w.connection(), patient_id, request)?;
        let phone_id = match request.id {
            Some(id) => {
                owned(w.connection(), id, patient_id)?;
                let before = w.update(&PHONE, id, &fields)?;
                let was =
                    before.iter().find(|change| change.field == "state").map(|change| change.before.clone());
                if let Some(was) = was {
                    w.update(&PHONE, id, &[("state_at", w.now_millis().into())])?;
                    note_state(w, ctx.new_id(), patient_id, id, &was, &state)?;
                }
                id
            }
            None => {
                let id = ctx.new_id();
                let rank: i64 = w
                    .connection()
                    .prepare_cached(
                        "SELECT coalesce(max(rank), -1) + 1 FROM phone WHERE patient_id = ?1 AND removed = 0",
                    )?
                    .query_row([patient_id], |row| row.get(0))?;
                let mut fields = fields;
                fields.extend([
                    ("patient_id", patient_id.into()),
                    ("rank", rank.into()),
                    ("source", "desk".into()),
                ]);
                if state != "unknown" {
                    fields.push(("state_at", w.now_millis().into()));
                }
                w.create(&PHONE, id, &fields)?;
                id
            }
        };
        finish(ctx, w, patient_id, phone_id, "archive.phone_save")
    })
}

fn checked(
    connection: &Connection,
    patient_id: Uuid,
    request: &PhoneSaveRequest,
) -> Result<(Vec<Change>, String)> {
    let mut errors = FieldErrors::default();
    let mut fields: Vec<Change> = Vec::new();
    if let Some(typed) = &request.number {
        let area = settings::load(connection)?.area_code;
        match parse(typed.reveal(), Some(&area)) {
            Ok(phone) if !phone.kind.is_callable() => errors.add("number", ErrorCode::BadPhone),
            Ok(ParsedPhone { digits, extension, .. }) => {
                if another(connection, patient_id, request.id, &digits)? {
                    errors.add("number", ErrorCode::Taken);
                }
                fields.extend([("number", digits.into()), ("extension", extension.into())]);
            }
            Err(problem) => errors.add("number", problem.error_code()),
        }
    } else if request.id.is_none() {
        errors.add("number", ErrorCode::Required);
    }
    if codes::name_of("relation", &request.relation).is_none() {
        errors.add("relation", ErrorCode::NotAllowed);
    }
    if !STATES.contains(&request.state.as_str()) {
        errors.add("state", ErrorCode::NotAllowed);
    }
    let said = |text: Option<&str>| text.map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned);
    let owner = said(request.owner_name.as_ref().map(|name| name.reveal()));
    let best_hour = said(request.best_hour.as_deref());
    for (field, value) in [("owner_name", &owner), ("best_hour", &best_hour)] {
        if value.as_ref().is_some_and(|value| value.chars().count() > LONGEST) {
            errors.add_with(field, ErrorCode::TooLong, "max", LONGEST);
        }
    }
    errors.check()?;
    fields.extend([
        ("owner_name", owner.into()),
        ("relation", request.relation.as_str().into()),
        ("state", request.state.as_str().into()),
        ("best_hour", best_hour.into()),
    ]);
    Ok((fields, request.state.clone()))
}

/// Whether the patient has this number on another line.
fn another(connection: &Connection, patient_id: Uuid, except: Option<Uuid>, digits: &str) -> Result<bool> {
    let count: i64 = connection
        .prepare_cached(
            "SELECT count(*) FROM phone WHERE number = ?1 AND patient_id = ?2 AND removed = 0 AND id <> ?3",
        )?
        .query_row(params![digits, patient_id, except.unwrap_or_default()], |row| row.get(0))?;
    Ok(count > 0)
}

fn owned(connection: &Connection, id: Uuid, patient_id: Uuid) -> Result<()> {
    let owner: Uuid = connection
        .prepare_cached("SELECT patient_id FROM phone WHERE id = ?1")?
        .query_row([id], |row| row.get("patient_id"))?;
    if owner == patient_id { Ok(()) } else { Err(Error::new(ErrorCode::NotFound)) }
}

/// Puts a patient's phones into an order of dialling. Phones not named keep their places after those named.
pub(super) fn order(ctx: &Ctx, request: &PhoneOrderRequest) -> Result<Record> {
    ctx.write(|w| {
        let patient_id = kept_id(w.connection(), request.patient_id)?;
        for (rank, id) in request.ids.iter().enumerate() {
            owned(w.connection(), *id, patient_id)?;
            w.update(&PHONE, *id, &[("rank", (rank as i64).into())])?;
        }
        record::read(w.connection(), patient_id, ctx.local_now().date())
    })
}

/// Removes a phone, or brings it back.
pub(super) fn remove(ctx: &Ctx, request: &PhoneRemoveRequest) -> Result<Record> {
    ctx.write(|w| {
        let patient_id: Uuid = w
            .connection()
            .prepare_cached("SELECT patient_id FROM phone WHERE id = ?1")?
            .query_row([request.id], |row| row.get("patient_id"))?;
        w.update(&PHONE, request.id, &[("removed", request.removed.into())])?;
        let action = if request.removed { "archive.phone_remove" } else { "archive.phone_restore" };
        finish(ctx, w, patient_id, request.id, action)
    })
}

fn finish(ctx: &Ctx, w: &mut Writer<'_>, patient_id: Uuid, phone_id: Uuid, action: &str) -> Result<Record> {
    index_patient(w.connection(), patient_id)?;
    let detail = json!({ "phone": phone_id });
    audit::append(w.connection(), w.now_millis(), w.user(), action, Some(patient_id), &detail)?;
    record::read(w.connection(), patient_id, ctx.local_now().date())
}

/// Sets a phone's state, from a call's outcome say, and notes the change on the timeline.
pub fn set_phone_state(w: &mut Writer<'_>, note_id: Uuid, phone_id: Uuid, state: &str) -> Result<()> {
    if !STATES.contains(&state) {
        return Err(Error::internal("no such state of a phone"));
    }
    let changed = w.update(&PHONE, phone_id, &[("state", state.into())])?;
    let Some(change) = changed.first() else { return Ok(()) };
    w.update(&PHONE, phone_id, &[("state_at", w.now_millis().into())])?;
    let patient_id: Uuid = w
        .connection()
        .prepare_cached("SELECT patient_id FROM phone WHERE id = ?1")?
        .query_row([phone_id], |row| row.get("patient_id"))?;
    note_state(w, note_id, patient_id, phone_id, &change.before, state)
}

fn note_state(
    w: &mut Writer<'_>,
    note_id: Uuid,
    patient_id: Uuid,
    phone_id: Uuid,
    was: &FieldValue,
    state: &str,
) -> Result<()> {
    let body = json!({ "phone": phone_id, "was": was, "state": state }).to_string();
    super::life::note(w, note_id, patient_id, "phone_state", &body)
}
