//! Making a patient by hand, after a look at who is there already.

use aftercare_domain::error_code::ErrorCode;
use aftercare_domain::op::FieldValue;
use aftercare_domain::phone;
use aftercare_domain::same_person::PersonFacts;
use rusqlite::Connection;
use serde_json::json;
use uuid::Uuid;

use super::duplicates::note_suspicion;
use super::edit::checked;
use super::identity::{Identity, identify};
use super::{CreateRequest, CreateResponse, Suspect, index_patient, search};
use crate::app::Ctx;
use crate::change_log::{Change, PATIENT, PHONE};
use crate::error::{FieldErrors, Result};
use crate::{audit, settings};

/// Makes a patient. Somebody with the same valid ID or hospital number is never made twice; somebody alike is made
/// when the person has looked and says so, and the suspicion is kept for later.
///
/// Errors: `Invalid` with fields.
pub(super) fn create(ctx: &Ctx, request: &CreateRequest) -> Result<CreateResponse> {
    let today = ctx.local_now().date();
    ctx.write(|w| {
        let connection = w.connection();
        let (fields, phone) = checked_request(connection, request, today)?;
        let text = |name: &str| {
            fields.iter().find(|(field, _)| *field == name).and_then(|(_, value)| match value {
                FieldValue::Text(text) => Some(text.as_str()),
                _ => None,
            })
        };
        let phones: Vec<&str> = phone.iter().map(|phone| phone.digits.as_str()).collect();
        let facts = PersonFacts {
            name: text("name").unwrap_or_default(),
            sex: text("sex").unwrap_or_default(),
            birth_on: text("birth_on"),
            id_number: text("id_number"),
            mrn: text("mrn"),
            address: text("address"),
            phones: &phones,
        };
        let identity = identify(connection, &facts, today)?;
        let certain = matches!(identity, Identity::Known(..));
        let suspected = match identity {
            Identity::Known(id, _) => vec![(id, Vec::new())],
            Identity::Suspected(list) => list,
            Identity::New => Vec::new(),
        };
        if certain || (!suspected.is_empty() && !request.confirmed) {
            let suspects = suspected
                .into_iter()
                .map(|(id, reasons)| {
                    Ok(Suspect { patient: search::hit(connection, id, today)?, certain, reasons })
                })
                .collect::<Result<_>>()?;
            return Ok(CreateResponse { id: None, suspects });
        }
        let id = ctx.new_id();
        let site: Uuid = connection.query_row("SELECT site_id FROM desk", [], |row| row.get("site_id"))?;
        let mut fields = fields;
        fields.push(("site_id", site.into()));
        w.create(&PATIENT, id, &fields)?;
        if let Some(phone) = phone {
            let fields: [Change; 4] = [
                ("patient_id", id.into()),
                ("number", phone.digits.into()),
                ("extension", phone.extension.into()),
                ("relation", "0".into()),
            ];
            w.create(&PHONE, ctx.new_id(), &fields)?;
        }
        for (other, reasons) in &suspected {
            note_suspicion(w, ctx.new_id(), *other, id, reasons)?;
        }
        index_patient(w.connection(), id)?;
        audit::append(w.connection(), w.now_millis(), w.user(), "archive.create", Some(id), &json!({}))?;
        Ok(CreateResponse { id: Some(id), suspects: Vec::new() })
    })
}

fn checked_request(
    connection: &Connection,
    request: &CreateRequest,
    today: chrono::NaiveDate,
) -> Result<(Vec<Change>, Option<phone::Phone>)> {
    let mut errors = FieldErrors::default();
    if !request.fields.contains_key("name") {
        errors.add("name", ErrorCode::Required);
    }
    let id_type = request.fields.get("id_type").map(|kind| kind.reveal().trim());
    let mut fields: Vec<Change> = Vec::new();
    for (name, value) in &request.fields {
        let stored = checked(&mut errors, name, Some(value.reveal()), id_type, today);
        if let Some(field) = PATIENT.fields.iter().find(|field| *field == name)
            && stored != FieldValue::Null
        {
            fields.push((field, stored));
        }
    }
    let typed = request.phone.as_ref().map(|phone| phone.reveal().trim()).filter(|typed| !typed.is_empty());
    let phone = match typed {
        None => None,
        Some(typed) => {
            let area = settings::load(connection)?.area_code;
            match phone::parse(typed, Some(&area)) {
                Ok(phone) if phone.kind.is_callable() => Some(phone),
                Ok(_) => {
                    errors.add("phone", ErrorCode::BadPhone);
                    None
                }
                Err(problem) => {
                    errors.add("phone", problem.error_code());
                    None
                }
            }
        }
    };
    errors.check()?;
    Ok((fields, phone))
}
