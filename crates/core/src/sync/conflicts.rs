//! Fields that two people changed without knowing of each other: shown, and settled by a person.

use aftercare_domain::error_code::ErrorCode;
use aftercare_domain::op::FieldValue;
use aftercare_domain::personal::Personal;
use aftercare_domain::{id_number, phone};
use chrono::NaiveDate;
use rusqlite::{Connection, Row, params};
use serde_json::json;
use uuid::Uuid;

use super::{ConflictRow, ConflictsRequest, RevealedConflict, SettleHow, SettleRequest};
use crate::app::Ctx;
use crate::change_log::{CONFLICT, Change, ENCOUNTER, Entity, PATIENT, PHONE};
use crate::db::optional;
use crate::error::{Error, Result};
use crate::{archive, audit, followup, settings};

const COLUMNS: &str = "conflict.id, patient_id, entity, record_id, field, kept, kept_at, lost, lost_at, settled_at, \
     settled_how, (SELECT name FROM patient WHERE patient.id = patient_id) AS patient, \
     (SELECT display_name FROM sync_author JOIN staff ON staff.id = user_id WHERE op_id = kept_by) AS kept_who, \
     (SELECT display_name FROM sync_author JOIN staff ON staff.id = user_id WHERE op_id = lost_by) AS lost_who";

struct Conflict {
    row: ConflictRow,
    record: Uuid,
    kept: Option<String>,
    lost: Option<String>,
}

fn read(row: &Row<'_>) -> rusqlite::Result<Conflict> {
    let field: String = row.get("field")?;
    let (kept, lost): (Option<String>, Option<String>) = (row.get("kept")?, row.get("lost")?);
    let (kept_shown, lost_shown) = told_apart(&field, kept.as_deref(), lost.as_deref());
    Ok(Conflict {
        row: ConflictRow {
            id: row.get("id")?,
            patient_id: row.get("patient_id")?,
            patient: row.get::<_, Option<String>>("patient")?.map(Personal::new),
            entity: row.get("entity")?,
            kept: kept_shown,
            kept_at: row.get("kept_at")?,
            kept_by: row.get("kept_who")?,
            lost: lost_shown,
            lost_at: row.get("lost_at")?,
            lost_by: row.get("lost_who")?,
            settled_at: row.get("settled_at")?,
            settled_how: row.get("settled_how")?,
            field,
        },
        record: row.get("record_id")?,
        kept,
        lost,
    })
}

fn masked(field: &str, value: &str) -> String {
    match field {
        "number" => phone::mask(value),
        "id_number" => id_number::mask(value),
        _ => value.to_owned(),
    }
}

/// How many hidden characters are shown where two values differ in nothing else.
const TOLD: usize = 2;

/// Two values as they are shown, mostly hidden. Where both would look the same, the first hidden characters in
/// which they differ are shown: enough to ask the patient, and no more. Who needs the rest reveals it, which is
/// written down.
fn told_apart(field: &str, kept: Option<&str>, lost: Option<&str>) -> (Option<Personal>, Option<Personal>) {
    let hide = |value: Option<&str>| value.map(|value| masked(field, value));
    let (shown_kept, shown_lost) = (hide(kept), hide(lost));
    if let (Some(kept), Some(lost), Some(mask)) = (kept, lost, shown_kept.as_deref())
        && kept != lost
        && shown_kept == shown_lost
    {
        return (Some(with_difference(mask, kept, lost)), Some(with_difference(mask, lost, kept)));
    }
    (shown_kept.map(Personal::new), shown_lost.map(Personal::new))
}

/// `mask` with the first characters of `value` in which it differs from `other`.
fn with_difference(mask: &str, value: &str, other: &str) -> Personal {
    let (value, other): (Vec<char>, Vec<char>) = (value.chars().collect(), other.chars().collect());
    let mask: Vec<char> = mask.chars().collect();
    if mask.len() != value.len() || mask.len() != other.len() {
        return Personal::new(mask.into_iter().collect::<String>());
    }
    let mut told = 0;
    let shown = mask.iter().zip(value.iter().zip(&other)).map(|(hidden, (own, their))| {
        if own != their && told < TOLD {
            told += 1;
            *own
        } else {
            *hidden
        }
    });
    Personal::new(shown.collect::<String>())
}

/// Both values in full. The line in the audit trail is written before they leave.
///
/// # Errors
/// `NotFound`.
pub(super) fn reveal(ctx: &Ctx, id: Uuid) -> Result<RevealedConflict> {
    ctx.write(|writer| {
        let sql = format!("SELECT {COLUMNS} FROM conflict WHERE conflict.id = ?1");
        let found = optional(writer.connection().prepare_cached(&sql)?.query_row([id], read))?;
        let found = found.ok_or_else(|| Error::new(ErrorCode::NotFound))?;
        let detail = json!({ "field": found.row.field, "record": found.record, "conflict": id });
        let (now, user, patient) = (writer.now_millis(), writer.user(), Some(found.row.patient_id));
        audit::append(writer.connection(), now, user, "sync.conflict_reveal", patient, &detail)?;
        Ok(RevealedConflict { kept: found.kept.map(Personal::new), lost: found.lost.map(Personal::new) })
    })
}

/// Conflicts, oldest first.
pub(super) fn list(connection: &Connection, request: &ConflictsRequest) -> Result<Vec<ConflictRow>> {
    let limit = request.limit.clamp(1, 200);
    let condition = if request.settled { "1" } else { "settled_at IS NULL" };
    let sql =
        format!("SELECT {COLUMNS} FROM conflict WHERE {condition} ORDER BY found_at, conflict.id LIMIT ?1");
    let mut statement = connection.prepare_cached(&sql)?;
    let found = statement.query_map([limit], |row| Ok(read(row)?.row))?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

/// Lets a value stand.
///
/// # Errors
/// `NotFound`, `SyncSettled`, `Invalid` at `how`.
pub(super) fn settle(ctx: &Ctx, request: &SettleRequest) -> Result<()> {
    ctx.write(|writer| {
        let connection = writer.connection();
        let sql = format!("SELECT {COLUMNS} FROM conflict WHERE conflict.id = ?1");
        let found = optional(connection.prepare_cached(&sql)?.query_row([request.id], read))?;
        let found = found.ok_or_else(|| Error::new(ErrorCode::NotFound))?;
        if found.row.settled_at.is_some() {
            return Err(Error::new(ErrorCode::SyncSettled));
        }
        let (how, value) = match &request.how {
            SettleHow::Kept => ("kept", found.kept.clone()),
            SettleHow::Lost => ("lost", found.lost.clone()),
            SettleHow::Other(typed) => ("other", Some(checked(ctx, connection, &found.row.field, typed)?)),
        };
        if let Some((entity, field)) = target(&found.row.entity, &found.row.field) {
            let change: Change = (field, value.map_or(FieldValue::Null, FieldValue::Text));
            // Written also when it stands already: then both sides are in one line again.
            writer.update(entity, found.record, &[change])?;
        }
        let now = writer.now_millis();
        let settled: [Change; 3] =
            [("settled_at", now.into()), ("settled_by", ctx.user_id().into()), ("settled_how", how.into())];
        writer.update(&CONFLICT, found.row.id, &settled)?;
        let detail = json!({ "field": found.row.field, "how": how });
        audit::append(connection, now, ctx.user_id(), "sync.settle", Some(found.row.patient_id), &detail)?;
        archive::index_patient(connection, found.row.patient_id)?;
        followup::refresh_patient(connection, found.row.patient_id, now)
    })
}

/// The field a conflict is about. Only of these are people asked.
fn target(entity: &str, field: &str) -> Option<(&'static Entity, &'static str)> {
    let entity = [&PATIENT, &PHONE, &ENCOUNTER].into_iter().find(|known| known.table == entity)?;
    let field = entity.asked.iter().copied().find(|known| *known == field)?;
    Some((entity, field))
}

fn checked(ctx: &Ctx, connection: &Connection, field: &str, typed: &str) -> Result<String> {
    let refused = |code: ErrorCode| Error::field("how", code);
    match field {
        "number" => {
            let area = settings::load(connection)?.area_code;
            let parsed = phone::parse(typed, Some(&area)).map_err(|problem| refused(problem.error_code()))?;
            if parsed.kind.is_callable() { Ok(parsed.digits) } else { Err(refused(ErrorCode::BadPhone)) }
        }
        "id_number" => id_number::parse(typed, ctx.local_now().date())
            .map(|parsed| parsed.number)
            .map_err(|problem| refused(problem.error_code())),
        _ => NaiveDate::parse_from_str(typed.trim(), "%Y-%m-%d")
            .map(|day| day.to_string())
            .map_err(|_| refused(ErrorCode::BadDate)),
    }
}

/// Shown beside the worklist and in the status.
pub(super) fn open(connection: &Connection) -> Result<i64> {
    let sql = "SELECT count(*) AS open FROM conflict WHERE settled_at IS NULL";
    Ok(connection.prepare_cached(sql)?.query_row(params![], |row| row.get("open"))?)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn shown(field: &str, kept: &str, lost: &str) -> (String, String) {
        let (kept, lost) = told_apart(field, Some(kept), Some(lost));
        (kept.unwrap().reveal().to_owned(), lost.unwrap().reveal().to_owned())
    }

    #[test]
    fn what_would_look_the_same_shows_where_it_differs_and_no_more() {
        let (kept, lost) = shown("number", "13812345678", "13812945678");
        assert_ne!(kept, lost);
        for text in [&kept, &lost] {
            assert_eq!(text.chars().filter(|c| *c == '*').count(), 3, "{text}");
        }
        let (kept, lost) = shown("id_number", "11010519900307063X", "11010519881224063X");
        assert_ne!(kept, lost);
        let hidden = masked("id_number", "11010519900307063X").chars().filter(|c| *c == '*').count();
        assert_eq!(kept.chars().filter(|c| *c == '*').count(), hidden - TOLD);
        assert_eq!(lost.chars().filter(|c| *c == '*').count(), hidden - TOLD);
    }

    #[test]
    fn what_differs_anyway_stays_hidden() {
        let (kept, lost) = shown("number", "13900000001", "13900000002");
        assert_eq!((kept, lost), (phone::mask("13900000001"), phone::mask("13900000002")));
        let (kept, lost) = told_apart("number", Some("13900000001"), None);
        assert_eq!(kept.unwrap().reveal(), phone::mask("13900000001"));
        assert!(lost.is_none());
    }
}
