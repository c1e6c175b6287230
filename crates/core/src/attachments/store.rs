//! The bytes of attachments in this desk's database, in parts.

use std::fs::File;
use std::io::{Read, Seek, Write};

use aftercare_domain::error_code::ErrorCode;
use rusqlite::{Connection, params};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::app::Ctx;
use crate::app::jobs::Progress;
use crate::db::optional;
use crate::error::{Error, Result};

/// Bytes of a part: small enough that a slow line loses little when it is cut.
pub const PART: usize = 256 * 1024;
/// What was begun and belongs to no attachment after so long was cut off.
const LEFTOVER_MILLIS: i64 = 24 * 3600 * 1000;

/// Which bytes: of a patient, under their hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlobKey {
    /// The patient.
    pub patient: Uuid,
    /// SHA-256 of the bytes.
    pub sha256: [u8; 32],
}

/// How far they are here and at the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlobHere {
    /// Bytes of the whole.
    pub size: i64,
    /// Bytes that are here, from the beginning.
    pub have: i64,
}

/// How far bytes are here.
pub fn find(connection: &Connection, key: &BlobKey) -> Result<Option<BlobHere>> {
    optional(
        connection
            .prepare_cached("SELECT size, have FROM blob WHERE patient_id = ?1 AND sha256 = ?2")?
            .query_row(params![key.patient, key.sha256], |row| {
                Ok(BlobHere { size: row.get("size")?, have: row.get("have")? })
            }),
    )
}

/// Size and hash of a file, read from its beginning.
///
/// # Errors
/// `AttachmentTooLarge`, `FileUnreadable`, `FileEmpty`.
pub fn measure(file: &mut File, max_mib: u32) -> Result<(i64, [u8; 32])> {
    let most = u64::from(max_mib) << 20;
    let mut hash = Sha256::new();
    let mut size = 0_u64;
    each_part(file, |part| {
        size += part.len() as u64;
        if size > most {
            return Err(Error::new(ErrorCode::AttachmentTooLarge).with("max_mib", max_mib));
        }
        hash.update(part);
        Ok(())
    })?;
    if size == 0 {
        return Err(Error::new(ErrorCode::FileEmpty));
    }
    Ok((i64::try_from(size).unwrap_or(i64::MAX), hash.finalize().into()))
}

fn each_part(file: &mut File, mut take: impl FnMut(&[u8]) -> Result<()>) -> Result<()> {
    let unreadable = |error: std::io::Error| Error::new(ErrorCode::FileUnreadable).caused_by(error);
    file.rewind().map_err(unreadable)?;
    loop {
        let mut part = Vec::with_capacity(PART);
        (&mut *file).take(PART as u64).read_to_end(&mut part).map_err(unreadable)?;
        if part.is_empty() {
            return Ok(());
        }
        take(&part)?;
    }
}

/// Keeps a file's bytes as added on this desk, each part in a transaction of its own. What was cut off goes
/// on where it stood.
///
/// # Errors
/// `AttachmentChanged` when the file is not any more what was measured; then nothing of it is kept.
pub fn keep(ctx: &Ctx, key: &BlobKey, size: i64, file: &mut File, progress: &Progress) -> Result<()> {
    let now = ctx.now().timestamp_millis();
    ctx.db().write(|connection, _| begin(connection, key, size, true, now))?;
    let mut hash = Sha256::new();
    let mut at = 0_i64;
    let kept = each_part(file, |part| {
        progress.check()?;
        hash.update(part);
        ctx.db().write(|connection, _| add_part(connection, key, at, part))?;
        at += i64::try_from(part.len()).unwrap_or(i64::MAX);
        progress.set(u64::try_from(at).unwrap_or(0), u64::try_from(size).unwrap_or(0));
        Ok(())
    });
    let same = hash.finalize().as_slice() == key.sha256;
    if kept.is_ok() && !same {
        ctx.db().write(|connection, _| drop_unused(connection, key))?;
        return Err(Error::new(ErrorCode::AttachmentChanged));
    }
    kept
}

/// Begins to keep bytes. `own`: added here, so that they have to go to the server.
pub fn begin(connection: &Connection, key: &BlobKey, size: i64, own: bool, now_millis: i64) -> Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO blob (patient_id, sha256, size, own, made_at) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (patient_id, sha256) DO UPDATE SET made_at = max(made_at, excluded.made_at)",
        )?
        .execute(params![key.patient, key.sha256, size, own, now_millis])?;
    Ok(())
}

/// Adds a part behind what is here; one that is here already is left alone.
///
/// # Errors
/// `Conflict` when the part does not follow.
pub fn add_part(connection: &Connection, key: &BlobKey, start: i64, bytes: &[u8]) -> Result<()> {
    let here = find(connection, key)?.ok_or_else(|| Error::new(ErrorCode::NotFound))?;
    let end = start.saturating_add(i64::try_from(bytes.len()).unwrap_or(i64::MAX));
    if end <= here.have || bytes.is_empty() {
        return Ok(());
    }
    if start != here.have || end > here.size {
        return Err(Error::new(ErrorCode::Conflict));
    }
    connection
        .prepare_cached("INSERT INTO blob_part (patient_id, sha256, start, bytes) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![key.patient, key.sha256, start, bytes])?;
    connection
        .prepare_cached("UPDATE blob SET have = ?3 WHERE patient_id = ?1 AND sha256 = ?2")?
        .execute(params![key.patient, key.sha256, end])?;
    Ok(())
}

/// The bytes from `offset` to the end of the part in which it lies; none behind the last.
pub fn read_part(connection: &Connection, key: &BlobKey, offset: i64) -> Result<Vec<u8>> {
    let found: Option<(i64, Vec<u8>)> = optional(
        connection
            .prepare_cached(
                "SELECT start, bytes FROM blob_part WHERE patient_id = ?1 AND sha256 = ?2 AND start <= ?3
                 ORDER BY start DESC LIMIT 1",
            )?
            .query_row(params![key.patient, key.sha256, offset], |row| {
                Ok((row.get("start")?, row.get("bytes")?))
            }),
    )?;
    let Some((start, bytes)) = found else { return Ok(Vec::new()) };
    let skip = usize::try_from(offset - start).unwrap_or(usize::MAX);
    Ok(bytes.get(skip..).map(<[u8]>::to_vec).unwrap_or_default())
}

/// Writes bytes that are here out, checking their hash.
///
/// # Errors
/// `DatabaseDamaged` when they are not what their name says.
pub fn write_out(ctx: &Ctx, key: &BlobKey, to: &mut dyn Write) -> Result<i64> {
    let mut hash = Sha256::new();
    let mut at = 0_i64;
    loop {
        let part = ctx.read(|connection| read_part(connection, key, at))?;
        if part.is_empty() {
            break;
        }
        hash.update(&part);
        to.write_all(&part)?;
        at += i64::try_from(part.len()).unwrap_or(i64::MAX);
    }
    if hash.finalize().as_slice() == key.sha256 {
        Ok(at)
    } else {
        Err(Error::new(ErrorCode::DatabaseDamaged))
    }
}

/// Whether the hash of bytes that have come whole is theirs; otherwise they are thrown away.
pub fn check_whole(ctx: &Ctx, key: &BlobKey) -> Result<bool> {
    match write_out(ctx, key, &mut std::io::sink()) {
        Ok(_) => Ok(true),
        Err(error) if error.code == ErrorCode::DatabaseDamaged => {
            ctx.db().write(|connection, _| delete(connection, key))?;
            Ok(false)
        }
        Err(error) => Err(error),
    }
}

fn delete(connection: &Connection, key: &BlobKey) -> Result<()> {
    for table in ["blob_part", "blob"] {
        let sql = format!("DELETE FROM {table} WHERE patient_id = ?1 AND sha256 = ?2");
        connection.prepare_cached(&sql)?.execute(params![key.patient, key.sha256])?;
    }
    Ok(())
}

fn drop_unused(connection: &Connection, key: &BlobKey) -> Result<()> {
    let sql = "SELECT EXISTS (SELECT 1 FROM attachment WHERE patient_id = ?1 AND sha256 = ?2) AS used";
    let used: bool =
        connection.prepare_cached(sql)?.query_row(params![key.patient, key.sha256], |row| row.get("used"))?;
    if used { Ok(()) } else { delete(connection, key) }
}

/// Throws away what was begun and never became an attachment.
pub fn sweep(connection: &Connection, now_millis: i64) -> Result<()> {
    let mut statement = connection.prepare_cached(
        "SELECT patient_id, sha256 FROM blob WHERE made_at < ?1 AND NOT EXISTS
           (SELECT 1 FROM attachment WHERE attachment.patient_id = blob.patient_id
              AND attachment.sha256 = blob.sha256)
         AND (own = 0 OR sent >= size OR EXISTS (SELECT 1 FROM patient WHERE patient.id = blob.patient_id))",
    )?;
    let left: Vec<BlobKey> = statement
        .query_map([now_millis - LEFTOVER_MILLIS], |row| {
            Ok(BlobKey { patient: row.get("patient_id")?, sha256: row.get("sha256")? })
        })?
        .collect::<rusqlite::Result<_>>()?;
    left.iter().try_for_each(|key| delete(connection, key))
}

/// Removes a patient's bytes. Of one who only moved to a site that this desk does not see, what the server
/// does not have yet stays until the patient is seen again.
pub fn forget_patient(connection: &Connection, patient: Uuid, erased: bool) -> Result<()> {
    let mut statement = connection.prepare_cached(
        "SELECT sha256 FROM blob WHERE patient_id = ?1 AND (?2 OR NOT (own = 1 AND sent < size))",
    )?;
    let gone: Vec<[u8; 32]> = statement
        .query_map(params![patient, erased], |row| row.get("sha256"))?
        .collect::<rusqlite::Result<_>>()?;
    gone.into_iter().try_for_each(|sha256| delete(connection, &BlobKey { patient, sha256 }))
}

/// The server was restored: what it has of the bytes is asked anew, and whoever has them brings them back.
pub fn ask_anew(connection: &Connection) -> Result<()> {
    connection.execute("UPDATE blob SET sent = 0, own = 1 WHERE have = size", [])?;
    Ok(())
}

/// Bytes that have to go to the server, oldest first, with how far they are there.
pub fn unsent(connection: &Connection) -> Result<Vec<(BlobKey, BlobHere)>> {
    let sql = "SELECT patient_id, sha256, size, have FROM blob
               WHERE own = 1 AND have = size AND sent < size AND EXISTS
                 (SELECT 1 FROM attachment WHERE attachment.patient_id = blob.patient_id
                    AND attachment.sha256 = blob.sha256 AND removed = 0)
               ORDER BY made_at, sha256";
    blobs(connection, sql)
}

/// What of others' is not here (whole), oldest first.
pub fn away(connection: &Connection) -> Result<Vec<(BlobKey, BlobHere)>> {
    let sql = "SELECT DISTINCT attachment.patient_id, attachment.sha256, attachment.size,
                      coalesce(blob.have, 0) AS have
               FROM attachment LEFT JOIN blob ON blob.patient_id = attachment.patient_id
                 AND blob.sha256 = attachment.sha256
               WHERE removed = 0 AND coalesce(blob.have, 0) < attachment.size
               ORDER BY added_at, attachment.sha256";
    blobs(connection, sql)
}

fn blobs(connection: &Connection, sql: &str) -> Result<Vec<(BlobKey, BlobHere)>> {
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map([], |row| {
        let key = BlobKey { patient: row.get("patient_id")?, sha256: row.get("sha256")? };
        Ok((key, BlobHere { size: row.get("size")?, have: row.get("have")? }))
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Notes how many bytes the server has.
pub fn note_sent(connection: &Connection, key: &BlobKey, sent: i64) -> Result<()> {
    connection
        .prepare_cached("UPDATE blob SET sent = ?3 WHERE patient_id = ?1 AND sha256 = ?2")?
        .execute(params![key.patient, key.sha256, sent])?;
    Ok(())
}
