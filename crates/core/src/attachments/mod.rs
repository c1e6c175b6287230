//! Files added to a patient, or to what hangs on one (a complaint's evidence): what they are is a synced
//! record, their bytes lie under their hash in this desk's database and go to the server by themselves,
//! after everything else (`sync::lane`).
//!
//! The bytes are in the encrypted database and not in files beside it: what protects, backs up, wipes and
//! erases the one does it for the other. They are written and read in parts, so that memory is bounded and
//! nobody else waits for long.

pub mod commands;
pub(crate) mod store;
#[cfg(test)]
mod tests;

use aftercare_domain::personal::Personal;
use rusqlite::{Connection, params};
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use uuid::Uuid;

use crate::archive;
use crate::error::Result;

/// What an attachment hangs on when it hangs on nothing but the patient.
pub const PATIENT_KIND: &str = "patient";

/// What an attachment was or is to be added to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// The patient, who says who may see it.
    pub patient_id: Uuid,
    /// `patient`, `complaint`.
    pub kind: String,
    /// Which; of a patient the patient's id.
    pub id: Uuid,
}

/// Asks what was added to something.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "AttachmentsListRequest")]
pub struct ListRequest {
    /// `patient`, `complaint`.
    pub subject_kind: String,
    /// Which.
    pub subject_id: Uuid,
}

/// What was added to something.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(rename = "AttachmentsListResponse")]
pub struct ListResponse {
    /// Oldest first.
    pub attachments: Vec<Attachment>,
    /// Largest file that may be added, MiB.
    pub max_mib: u32,
}

/// Where the bytes of an attachment are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
#[ts(rename = "AttachmentPlace")]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// On this desk, which has no server.
    Desk,
    /// On this desk; the server does not have them yet.
    Unsent,
    /// On this desk and at the server.
    Server,
    /// Not on this desk (yet); they come when they are asked for.
    Away,
}

/// A file that was added.
#[derive(Debug, Clone, Serialize, TS)]
pub struct Attachment {
    /// The attachment.
    pub id: Uuid,
    /// The file's name; people write patients' names into it.
    pub name: Personal,
    /// As `image/jpeg`, by the name's ending.
    pub media_type: String,
    /// Bytes.
    #[ts(type = "number")]
    pub size: i64,
    /// When it was added, milliseconds UTC.
    #[ts(type = "number")]
    pub added_at: i64,
    /// Who added it, by display name.
    pub by: String,
    /// Where its bytes are.
    pub place: Place,
    /// Bytes of it that the server has, while it goes there.
    #[ts(type = "number")]
    pub sent: i64,
}

/// Adds a file.
#[derive(Deserialize, TS)]
#[ts(rename = "AttachmentsAddRequest")]
pub struct AddRequest {
    /// The patient.
    pub patient_id: Uuid,
    /// `patient`, `complaint`.
    pub subject_kind: String,
    /// Which; of a patient the patient's id.
    pub subject_id: Uuid,
    /// The file.
    pub path: String,
}

/// Writes a copy of an attachment to a file, fetching its bytes from the server where they are not here.
#[derive(Deserialize, TS)]
#[ts(rename = "AttachmentsExportRequest")]
pub struct ExportRequest {
    /// The attachment.
    pub id: Uuid,
    /// The file; one that is there is replaced when the new one is whole.
    pub path: String,
}

/// A copy was written.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(rename = "AttachmentsExportResponse")]
pub struct ExportResponse {
    /// Its bytes.
    #[ts(type = "number")]
    pub bytes: i64,
}

/// Takes an attachment away, or brings it back.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "AttachmentsRemoveRequest")]
pub struct RemoveRequest {
    /// The attachment.
    pub id: Uuid,
    /// `false` brings it back.
    pub removed: bool,
}

/// What was added to something, oldest first. A patient's are those of every record merged into theirs.
///
/// # Errors
/// `NotFound` for a patient who is not here.
pub fn of(connection: &Connection, kind: &str, id: Uuid) -> Result<Vec<Attachment>> {
    let ids = if kind == PATIENT_KIND { archive::person_ids(connection, id)? } else { vec![id] };
    let mut statement = connection.prepare_cached(include_str!("sql/of_subject.sql"))?;
    let mut found = Vec::new();
    for id in ids {
        let rows = statement.query_map(params![id, kind], |row| {
            let (size, have): (i64, Option<i64>) = (row.get("size")?, row.get("have")?);
            let (own, sent): (bool, i64) = (row.get("own")?, row.get("sent")?);
            let place = match (have == Some(size), row.get("has_server")?) {
                (false, _) => Place::Away,
                (true, false) => Place::Desk,
                (true, true) if own && sent < size => Place::Unsent,
                (true, true) => Place::Server,
            };
            Ok(Attachment {
                id: row.get("id")?,
                name: row.get::<_, String>("name")?.into(),
                media_type: row.get("media_type")?,
                size,
                added_at: row.get("added_at")?,
                by: row.get("by")?,
                place,
                sent,
            })
        })?;
        for row in rows {
            found.push(row?);
        }
    }
    found.sort_by_key(|attachment| (attachment.added_at, attachment.id));
    Ok(found)
}

/// The media type by a name's ending. What is none of the usual is bytes.
pub(crate) fn media_type(name: &str) -> &'static str {
    const TYPES: &[(&str, &str)] = &[
        ("jpg", "image/jpeg"),
        ("jpeg", "image/jpeg"),
        ("png", "image/png"),
        ("gif", "image/gif"),
        ("bmp", "image/bmp"),
        ("webp", "image/webp"),
        ("tif", "image/tiff"),
        ("tiff", "image/tiff"),
        ("pdf", "application/pdf"),
        ("txt", "text/plain"),
        ("csv", "text/csv"),
        ("doc", "application/msword"),
        ("docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
        ("xls", "application/vnd.ms-excel"),
        ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        ("wps", "application/vnd.ms-works"),
        ("mp3", "audio/mpeg"),
        ("m4a", "audio/mp4"),
        ("amr", "audio/amr"),
        ("wav", "audio/wav"),
        ("mp4", "video/mp4"),
        ("zip", "application/zip"),
    ];
    let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase());
    TYPES
        .iter()
        .find(|(known, _)| Some(*known) == ending.as_deref())
        .map_or("application/octet-stream", |(_, media)| media)
}
