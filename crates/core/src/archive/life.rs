//! Notes, kinds of customer, death and refusal of contact. The stricter value wins, and only a correcting note with a
//! reason takes it back.

use aftercare_domain::access::Permission;
use aftercare_domain::error_code::ErrorCode;
use chrono::NaiveDate;
use serde_json::json;
use uuid::Uuid;

use super::{
    CustomerRequest, DeathRequest, DeathUndoRequest, NoteRequest, OptoutRequest, Record, kept_id, record,
};
use crate::app::Ctx;
use crate::audit;
use crate::change_log::{NOTE, PATIENT, Writer};
use crate::error::{Error, FieldErrors, Result};
use crate::followup::{self, StopReason};

/// Characters of a note.
const LONGEST_NOTE: usize = 4000;
const KINDS: [&str; 4] = ["current_new", "current", "potential", "prospective"];
const WHOSE: [&str; 3] = ["ours", "general", "competitor"];
const SOURCES: [&str; 4] = ["family", "hospital", "registry", "other"];

/// How far a patient refuses contact. Greater is stricter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Optout {
    /// Not at all.
    None,
    /// No calls.
    Phone,
    /// No contact of any kind.
    All,
}

impl Optout {
    /// The word that is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Phone => "phone",
            Self::All => "all",
        }
    }

    /// Reads the stored word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::None, Self::Phone, Self::All].into_iter().find(|level| level.as_str() == word)
    }
}

/// Registers a death and ends the patient's follow-up. A death known already only gains what was not known of it.
/// `note_id` is the id of the note this leaves.
pub fn register_death(
    w: &mut Writer<'_>,
    note_id: Uuid,
    patient_id: Uuid,
    deceased_on: Option<NaiveDate>,
    how: &str,
) -> Result<()> {
    let patient_id = kept_id(w.connection(), patient_id)?;
    let (known, known_on): (bool, Option<String>) = w
        .connection()
        .prepare_cached("SELECT deceased, deceased_on FROM patient WHERE id = ?1")?
        .query_row([patient_id], |row| Ok((row.get("deceased")?, row.get("deceased_on")?)))?;
    let on = deceased_on.map(|on| on.to_string());
    if known && (known_on.is_some() || on.is_none()) {
        return Ok(());
    }
    w.update(
        &PATIENT,
        patient_id,
        &[("deceased", true.into()), ("deceased_on", on.clone().into()), ("deceased_how", how.into())],
    )?;
    note(w, note_id, patient_id, "death", &json!({ "on": on, "how": how }).to_string())?;
    followup::stop_patient(w, patient_id, StopReason::Deceased)
}

/// Sets how far a patient refuses contact, and ends or resumes the follow-up. `note_id` is the id of the note.
pub fn set_optout(
    w: &mut Writer<'_>,
    note_id: Uuid,
    patient_id: Uuid,
    level: Optout,
    reason: Option<&str>,
) -> Result<()> {
    let patient_id = kept_id(w.connection(), patient_id)?;
    let was = optout_of(w, patient_id)?;
    if was == level {
        return Ok(());
    }
    w.update(&PATIENT, patient_id, &[("contact_optout", level.as_str().into())])?;
    let body = json!({ "was": was.as_str(), "level": level.as_str(), "reason": reason }).to_string();
    note(w, note_id, patient_id, "optout", &body)?;
    match (was, level) {
        (Optout::None, _) => followup::stop_patient(w, patient_id, StopReason::Refused),
        (_, Optout::None) => followup::resume_patient(w, patient_id, StopReason::Refused),
        _ => Ok(()),
    }
}

fn optout_of(w: &Writer<'_>, patient_id: Uuid) -> Result<Optout> {
    let word: String = w
        .connection()
        .prepare_cached("SELECT contact_optout FROM patient WHERE id = ?1")?
        .query_row([patient_id], |row| row.get("contact_optout"))?;
    // A stricter word of a newer program is not loosened here.
    Ok(Optout::parse(&word).unwrap_or(Optout::All))
}

/// Writes a note of a kind.
pub(super) fn note(w: &mut Writer<'_>, id: Uuid, patient_id: Uuid, kind: &str, body: &str) -> Result<()> {
    w.create(
        &NOTE,
        id,
        &[
            ("patient_id", patient_id.into()),
            ("kind", kind.into()),
            ("body", body.into()),
            ("noted_at", w.now_millis().into()),
            ("user_id", w.user().into()),
        ],
    )
}

fn finish(
    ctx: &Ctx,
    w: &mut Writer<'_>,
    id: Uuid,
    action: &str,
    detail: &serde_json::Value,
) -> Result<Record> {
    let id = kept_id(w.connection(), id)?;
    audit::append(w.connection(), w.now_millis(), w.user(), action, Some(id), detail)?;
    record::read(w.connection(), id, ctx.local_now().date())
}

fn text(errors: &mut FieldErrors, field: &str, typed: &str) -> String {
    let typed = typed.trim();
    if typed.is_empty() {
        errors.add(field, ErrorCode::Required);
    } else if typed.chars().count() > LONGEST_NOTE {
        errors.add_with(field, ErrorCode::TooLong, "max", LONGEST_NOTE);
    }
    typed.to_owned()
}

pub(super) fn add_note(ctx: &Ctx, request: &NoteRequest) -> Result<Record> {
    let mut errors = FieldErrors::default();
    let body = text(&mut errors, "body", request.body.reveal());
    errors.check()?;
    ctx.write(|w| {
        let patient_id = kept_id(w.connection(), request.patient_id)?;
        note(w, ctx.new_id(), patient_id, "note", &body)?;
        finish(ctx, w, patient_id, "archive.note", &json!({}))
    })
}

pub(super) fn set_customer(ctx: &Ctx, request: &CustomerRequest) -> Result<Record> {
    let mut errors = FieldErrors::default();
    for (field, value, allowed) in [("kind", &request.kind, &KINDS[..]), ("of", &request.of, &WHOSE[..])] {
        if !allowed.contains(&value.as_str()) {
            errors.add(field, ErrorCode::NotAllowed);
        }
    }
    errors.check()?;
    ctx.write(|w| {
        let patient_id = kept_id(w.connection(), request.patient_id)?;
        let changed = w.update(
            &PATIENT,
            patient_id,
            &[("customer_kind", request.kind.as_str().into()), ("customer_of", request.of.as_str().into())],
        )?;
        if !changed.is_empty() {
            let was: serde_json::Map<String, serde_json::Value> = changed
                .iter()
                .map(|change| Ok((change.field.to_owned(), serde_json::to_value(&change.before)?)))
                .collect::<Result<_>>()?;
            let body = json!({ "kind": request.kind, "of": request.of, "was": was }).to_string();
            note(w, ctx.new_id(), patient_id, "customer_kind", &body)?;
        }
        finish(ctx, w, patient_id, "archive.customer", &json!({ "kind": request.kind, "of": request.of }))
    })
}

pub(super) fn death(ctx: &Ctx, request: &DeathRequest) -> Result<Record> {
    let mut errors = FieldErrors::default();
    let today = ctx.local_now().date();
    let on = request.deceased_on.as_deref().filter(|on| !on.is_empty()).map(str::parse::<NaiveDate>);
    let on = match on {
        Some(Ok(on)) if on <= today => Some(on),
        None => None,
        Some(_) => {
            errors.add("deceased_on", ErrorCode::BadDate);
            None
        }
    };
    if !SOURCES.contains(&request.how.as_str()) {
        errors.add("how", ErrorCode::NotAllowed);
    }
    errors.check()?;
    ctx.write(|w| {
        register_death(w, ctx.new_id(), request.patient_id, on, &request.how)?;
        finish(ctx, w, request.patient_id, "archive.death", &json!({ "how": request.how }))
    })
}

/// Takes a wrong death back; the note with the reason stays.
pub(super) fn undo_death(ctx: &Ctx, request: &DeathUndoRequest) -> Result<Record> {
    let mut errors = FieldErrors::default();
    let reason = text(&mut errors, "reason", request.reason.reveal());
    errors.check()?;
    ctx.write(|w| {
        let id = kept_id(w.connection(), request.patient_id)?;
        let none = None::<String>;
        let changed = w.update(
            &PATIENT,
            id,
            &[
                ("deceased", false.into()),
                ("deceased_on", none.clone().into()),
                ("deceased_how", none.into()),
            ],
        )?;
        if !changed.is_empty() {
            note(w, ctx.new_id(), id, "death_undone", &json!({ "reason": reason }).to_string())?;
            followup::resume_patient(w, id, StopReason::Deceased)?;
        }
        finish(ctx, w, id, "archive.death_undo", &json!({}))
    })
}

/// Anybody who may write makes a refusal stricter; taking it back needs a reason and the right to correct.
pub(super) fn optout(ctx: &Ctx, request: &OptoutRequest) -> Result<Record> {
    let Some(level) = Optout::parse(&request.level) else {
        return Err(Error::field("level", ErrorCode::NotAllowed));
    };
    let reason =
        request.reason.as_ref().map(|reason| reason.reveal().trim()).filter(|reason| !reason.is_empty());
    if reason.is_some_and(|reason| reason.chars().count() > LONGEST_NOTE) {
        return Err(Error::field("reason", ErrorCode::TooLong));
    }
    ctx.write(|w| {
        let id = kept_id(w.connection(), request.patient_id)?;
        if level < optout_of(w, id)? {
            if reason.is_none() {
                return Err(Error::field("reason", ErrorCode::Required));
            }
            if !ctx.may(Permission::ArchiveMerge) {
                return Err(Error::new(ErrorCode::Forbidden).with("permission", "archive_merge"));
            }
        }
        set_optout(w, ctx.new_id(), id, level, reason)?;
        finish(ctx, w, id, "archive.optout", &json!({ "level": level.as_str() }))
    })
}
