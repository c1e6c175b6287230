use aftercare_domain::error_code::ErrorCode;
use aftercare_domain::op::chain_hash;
use rusqlite::{Connection, params};
use serde_json::Value;
use uuid::Uuid;

use super::{Entry, VerifyResponse};
use crate::error::{Error, Result};

/// Adds a line to the trail, in the caller's transaction. `detail` holds numbers, codes and ids only.
pub fn append(
    connection: &Connection,
    at_millis: i64,
    user_id: Uuid,
    action: &str,
    subject_id: Option<Uuid>,
    detail: &Value,
) -> Result<()> {
    let last = crate::db::optional(
        connection
            .prepare_cached("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1")?
            .query_row([], |row| Ok((row.get::<_, i64>("seq")?, row.get::<_, Vec<u8>>("hash")?))),
    )?;
    let (seq, previous) = last.map_or((1, Vec::new()), |(seq, hash)| (seq + 1, hash));
    let detail = detail.to_string();
    let hash = line_hash(&previous, seq, at_millis, user_id, action, subject_id, &detail);
    connection
        .prepare_cached(
            "INSERT INTO audit (seq, at, user_id, action, subject_id, detail, hash)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute(params![seq, at_millis, user_id, action, subject_id, detail, hash])?;
    Ok(())
}

/// Hash of a line over the line before. Lengths stand before texts, so that no two lines share bytes.
fn line_hash(
    previous: &[u8],
    seq: i64,
    at_millis: i64,
    user_id: Uuid,
    action: &str,
    subject_id: Option<Uuid>,
    detail: &str,
) -> Vec<u8> {
    let mut line = Vec::with_capacity(96 + detail.len());
    line.extend_from_slice(&seq.to_be_bytes());
    line.extend_from_slice(&at_millis.to_be_bytes());
    line.extend_from_slice(user_id.as_bytes());
    line.extend_from_slice(subject_id.unwrap_or_default().as_bytes());
    for text in [action, detail] {
        line.extend_from_slice(&(text.len() as u64).to_be_bytes());
        line.extend_from_slice(text.as_bytes());
    }
    chain_hash(previous, &line).to_vec()
}

/// Walks the whole trail.
///
/// Errors: `AuditBroken` with the first line that does not fit.
pub fn verify(connection: &Connection) -> Result<VerifyResponse> {
    let mut statement = connection
        .prepare("SELECT seq, at, user_id, action, subject_id, detail, hash FROM audit ORDER BY seq")?;
    let mut rows = statement.query([])?;
    let (mut last, mut hash) = (0_i64, Vec::new());
    while let Some(row) = rows.next()? {
        let seq: i64 = row.get("seq")?;
        let broken = || Error::new(ErrorCode::AuditBroken).with("seq", last + 1);
        if seq != last + 1 {
            return Err(broken());
        }
        let (action, detail): (String, String) = (row.get("action")?, row.get("detail")?);
        let subject = row.get("subject_id")?;
        hash = line_hash(&hash, seq, row.get("at")?, row.get("user_id")?, &action, subject, &detail);
        if row.get::<_, Vec<u8>>("hash")? != hash {
            return Err(broken());
        }
        last = seq;
    }
    let changes = crate::change_log::verify(connection)?.records;
    Ok(VerifyResponse { entries: last, changes, head: data_encoding::HEXLOWER.encode(&hash) })
}

/// A page of the trail, newest first.
pub(super) fn list(
    connection: &Connection,
    before: Option<i64>,
    action: &str,
    limit: u32,
) -> Result<Vec<Entry>> {
    let mut statement = connection.prepare_cached(include_str!("sql/list.sql"))?;
    let rows = statement.query_map(params![before.unwrap_or(i64::MAX), action, limit], |row| {
        Ok(Entry {
            seq: row.get("seq")?,
            at: row.get("at")?,
            user: row.get("user")?,
            action: row.get("action")?,
            subject_id: row.get("subject_id")?,
            detail: serde_json::from_str(&row.get::<_, String>("detail")?).unwrap_or(Value::Null),
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}
