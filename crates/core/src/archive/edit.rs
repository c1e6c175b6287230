//! Changing a patient's fields: every value checked, nothing overwritten that the person did not see.

use aftercare_domain::cell_text::half_width;
use aftercare_domain::codes::Sex;
use aftercare_domain::error_code::ErrorCode;
use aftercare_domain::id_number;
use aftercare_domain::op::FieldValue;
use chrono::{Datelike, NaiveDate};
use rusqlite::{Connection, params};
use serde_json::json;
use uuid::Uuid;

use super::record::masked;
use super::{Record, SaveRequest, index_patient, kept_id, record};
use crate::app::Ctx;
use crate::audit;
use crate::change_log::{Change, PATIENT};
use crate::error::{Error, FieldErrors, Result};

/// Flags that a form may set.
const FLAGS: [&str; 3] = ["vip", "is_test", "is_unknown"];
/// Nobody alive was born earlier.
const EARLIEST_YEAR: i32 = 1850;
/// Changing one of these changes how a patient is found.
const SEARCHED: [&str; 2] = ["name", "id_number"];

/// How long a text field may be, in characters; `None` for what is no editable text field.
fn longest(field: &str) -> Option<usize> {
    Some(match field {
        "mrn" | "outpatient_no" | "card_no" | "id_number" | "age_text" | "blood_type" | "best_hour" => 50,
        "id_type" | "marital" | "sex" | "birth_on" | "first_seen_on" => 20,
        "name" | "nationality" | "ethnicity" | "occupation" | "employer" | "native_place" | "insurance"
        | "dialect" => 100,
        "address" | "allergies" => 300,
        "hobbies" | "habits" | "wishes" | "preferences" | "feedback" | "remark" => 2000,
        _ => return None,
    })
}

/// Checks a typed value and brings it into the form it is stored in. An ID number that is no valid resident ID is
/// kept as it is when its type says that it is another document.
pub(super) fn checked(
    errors: &mut FieldErrors,
    field: &str,
    value: Option<&str>,
    id_type: Option<&str>,
    today: NaiveDate,
) -> FieldValue {
    let value = value.map(str::trim).filter(|value| !value.is_empty());
    if FLAGS.contains(&field) {
        return FieldValue::from(value == Some("1"));
    }
    let Some(max) = longest(field) else {
        errors.add(field, ErrorCode::NotAllowed);
        return FieldValue::Null;
    };
    let Some(value) = value else {
        if field == "name" {
            errors.add(field, ErrorCode::Required);
        }
        return if field == "sex" { Sex::Unknown.code().into() } else { FieldValue::Null };
    };
    if value.chars().count() > max {
        errors.add_with(field, ErrorCode::TooLong, "max", max);
        return FieldValue::Null;
    }
    match field {
        "sex" if Sex::from_code(value).is_none() => errors.add(field, ErrorCode::NotAllowed),
        "birth_on" | "first_seen_on" => match value.parse::<NaiveDate>() {
            Ok(on) if on <= today && on.year() >= EARLIEST_YEAR => return on.to_string().into(),
            _ => errors.add(field, ErrorCode::BadDate),
        },
        "id_number" => match id_number::parse(value, today) {
            Ok(id) => return id.number.into(),
            Err(_) if id_type.is_some_and(|kind| kind != "01" && kind != "02") => {
                return half_width(value).to_uppercase().into();
            }
            Err(problem) => errors.add(field, problem.error_code()),
        },
        "mrn" | "outpatient_no" | "card_no" => return half_width(value).into(),
        _ => {}
    }
    value.into()
}

/// Saves what a person changed.
///
/// Errors: `Invalid` with fields (`taken` for a number that belongs to somebody else), `Conflict` with `field` when
/// somebody changed it meanwhile, `NotFound`.
pub(super) fn save(ctx: &Ctx, request: &SaveRequest) -> Result<Record> {
    let today = ctx.local_now().date();
    ctx.write(|w| {
        let connection = w.connection();
        let id = kept_id(connection, request.id)?;
        let mut errors = FieldErrors::default();
        let typed_id_type = request.changes.iter().find(|change| change.field == "id_type");
        let id_type = match typed_id_type {
            Some(change) => change.value.as_ref().map(|value| value.reveal().to_owned()),
            None => stored_text(connection, id, "id_type")?,
        };
        let mut changes: Vec<Change> = Vec::with_capacity(request.changes.len());
        for change in &request.changes {
            let value = change.value.as_ref().map(|value| value.reveal());
            let stored = checked(&mut errors, &change.field, value, id_type.as_deref(), today);
            let Some(field) = PATIENT.fields.iter().find(|field| **field == change.field) else { continue };
            if let ("id_number" | "mrn", FieldValue::Text(number)) = (*field, &stored)
                && taken(connection, field, number, id)?
            {
                errors.add(*field, ErrorCode::Taken);
            }
            changes.push((field, stored));
        }
        errors.check()?;
        for change in &request.changes {
            let was = change.was.as_ref().map(|was| was.reveal()).filter(|was| !was.is_empty());
            let now = stored_text(connection, id, &change.field)?.filter(|now| !now.is_empty());
            let mask = now.clone().map(|now| masked(&change.field, now));
            if was != now.as_deref() && was != mask.as_deref() {
                return Err(Error::new(ErrorCode::Conflict).with("field", change.field.as_str()));
            }
        }
        if changes.is_empty() {
            return record::read(connection, id, today);
        }
        let changed = w.update(&PATIENT, id, &changes)?;
        if changed.iter().any(|change| SEARCHED.contains(&change.field)) {
            index_patient(w.connection(), id)?;
        }
        let fields: Vec<&str> = changed.iter().map(|change| change.field).collect();
        let detail = json!({ "fields": fields });
        audit::append(w.connection(), w.now_millis(), w.user(), "archive.save", Some(id), &detail)?;
        record::read(w.connection(), id, today)
    })
}

/// Whether somebody else has this number.
pub(super) fn taken(connection: &Connection, field: &str, number: &str, except: Uuid) -> Result<bool> {
    let sql = match field {
        "mrn" => "SELECT id FROM patient WHERE mrn = ?1 AND removed = 0 AND id <> ?2",
        _ => "SELECT id FROM patient WHERE id_number = ?1 AND removed = 0 AND id <> ?2",
    };
    let mut statement = connection.prepare_cached(sql)?;
    let others: Vec<Uuid> = statement
        .query_map(params![number, except], |row| row.get("id"))?
        .collect::<rusqlite::Result<_>>()?;
    for other in others {
        if kept_id(connection, other)? != except {
            return Ok(true);
        }
    }
    Ok(false)
}

/// A field as text, flags as 0 and 1. The name is one of the entity's, never the request's own text.
fn stored_text(connection: &Connection, id: Uuid, field: &str) -> Result<Option<String>> {
    let Some(column) = PATIENT.fields.iter().find(|known| **known == field) else { return Ok(None) };
    let sql = format!("SELECT CAST({column} AS TEXT) AS value FROM patient WHERE id = ?1");
    Ok(connection.prepare_cached(&sql)?.query_row([id], |row| row.get("value"))?)
}
