//! Masked values in full, each time audited.

use aftercare_domain::error_code::ErrorCode;
use aftercare_domain::phone;
use rusqlite::{Connection, params};
use serde_json::json;
use uuid::Uuid;

use super::{MaskedField, RevealRequest, RevealResponse, kept_id};
use crate::app::Ctx;
use crate::audit;
use crate::error::{Error, Result};

/// Shows one value in full. The line in the audit trail is written before the value leaves.
///
/// Errors: `NotFound` when there is no such value.
pub(super) fn reveal(ctx: &Ctx, request: &RevealRequest) -> Result<RevealResponse> {
    ctx.write(|w| {
        let id = kept_id(w.connection(), request.patient_id)?;
        let value = value(w.connection(), id, request)?.ok_or_else(|| Error::new(ErrorCode::NotFound))?;
        let detail = json!({ "field": request.field, "record": request.record_id });
        audit::append(w.connection(), w.now_millis(), w.user(), "archive.reveal", Some(id), &detail)?;
        let display = match request.field {
            MaskedField::Phone => {
                phone::parse(&value, None).map_or_else(|_| value.clone(), |p| phone::display(&p))
            }
            MaskedField::IdNumber | MaskedField::Address => value.clone(),
        };
        Ok(RevealResponse { value: value.into(), display: display.into() })
    })
}

fn value(connection: &Connection, id: Uuid, request: &RevealRequest) -> Result<Option<String>> {
    let sql = match request.field {
        MaskedField::IdNumber => "SELECT id_number AS value FROM patient WHERE id = ?1",
        MaskedField::Address => "SELECT address AS value FROM patient WHERE id = ?1",
        MaskedField::Phone => "SELECT number AS value FROM phone WHERE patient_id = ?1 AND id = ?2",
    };
    let mut statement = connection.prepare_cached(sql)?;
    let found = match request.field {
        MaskedField::Phone => statement.query_row(params![id, request.record_id], |row| row.get("value")),
        MaskedField::IdNumber | MaskedField::Address => statement.query_row([id], |row| row.get("value")),
    };
    Ok(crate::db::optional(found)?.flatten())
}
