use aftercare_domain::error_code::ErrorCode;
use rusqlite::{Connection, Row, params};
use uuid::Uuid;

use super::{Kind, Origin, Version, number};
use crate::change_log::{PLAN_VERSION, Writer};
use crate::error::{Error, Result};

const COLUMNS: &str = "id, code, version, kind, origin, enabled, made_at, made_by";

fn read(row: &Row<'_>) -> rusqlite::Result<Version> {
    let (kind, origin): (String, String) = (row.get("kind")?, row.get("origin")?);
    let version: u32 = row.get("version")?;
    Ok(Version {
        id: row.get("id")?,
        code: row.get("code")?,
        version,
        count: number::count(version),
        label: number::label(version),
        kind: if kind == "plan" { Kind::Plan } else { Kind::Questionnaire },
        origin: if origin == "shipped" { Origin::Shipped } else { Origin::Edited },
        enabled: row.get("enabled")?,
        made_at: row.get("made_at")?,
        made_by: row.get("made_by")?,
    })
}

/// Every version, by code, latest first.
pub(super) fn versions(connection: &Connection) -> Result<Vec<Version>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM plan_version WHERE kind IN ('plan', 'questionnaire') ORDER BY code, (version & 4095) DESC, version DESC"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let versions = statement.query_map([], read)?.collect::<rusqlite::Result<_>>()?;
    Ok(versions)
}

/// Every version of one plan or questionnaire, latest first.
pub(super) fn versions_of(connection: &Connection, code: &str) -> Result<Vec<Version>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM plan_version WHERE code = ?1 ORDER BY (version & 4095) DESC, version DESC"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let versions = statement.query_map([code], read)?.collect::<rusqlite::Result<_>>()?;
    Ok(versions)
}

/// One version.
pub(super) fn version(connection: &Connection, code: &str, version: u32) -> Result<Version> {
    let sql =
        format!("SELECT {COLUMNS} FROM plan_version WHERE code = ?1 AND version = ?2 ORDER BY id LIMIT 1");
    let found = connection.prepare_cached(&sql)?.query_row(params![code, version], read);
    crate::db::optional(found)?.ok_or_else(|| Error::new(ErrorCode::NotFound).with("code", code))
}

/// The content of a version, as JSON.
pub(super) fn body(connection: &Connection, id: Uuid) -> Result<String> {
    let sql = "SELECT body FROM plan_version WHERE id = ?1";
    Ok(connection.prepare_cached(sql)?.query_row([id], |row| row.get("body"))?)
}

/// Whether a version with this id is here.
pub(super) fn is_here(connection: &Connection, id: Uuid) -> Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM plan_version WHERE id = ?1)";
    Ok(connection.prepare_cached(sql)?.query_row([id], |row| row.get(0))?)
}

pub(super) fn create(writer: &mut Writer<'_>, version: &Version, body: String) -> Result<()> {
    let kind = match version.kind {
        Kind::Plan => "plan",
        Kind::Questionnaire => "questionnaire",
    };
    let origin = match version.origin {
        Origin::Shipped => "shipped",
        Origin::Edited => "edited",
    };
    writer.create(
        &PLAN_VERSION,
        version.id,
        &[
            ("code", version.code.clone().into()),
            ("version", i64::from(version.version).into()),
            ("kind", kind.into()),
            ("body", body.into()),
            ("origin", origin.into()),
            ("enabled", version.enabled.into()),
            ("made_at", version.made_at.into()),
            ("made_by", version.made_by.into()),
        ],
    )
}

pub(super) fn set_enabled(writer: &mut Writer<'_>, id: Uuid, enabled: bool) -> Result<()> {
    writer.update(&PLAN_VERSION, id, &[("enabled", enabled.into())])?;
    Ok(())
}
