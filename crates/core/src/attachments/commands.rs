//! Adding files, seeing what was added, taking a copy out, taking away.

use std::fs::File;
use std::path::Path;

use aftercare_domain::error_code::ErrorCode;
use aftercare_domain::personal::Personal;
use rusqlite::{Connection, params};
use serde_json::json;
use uuid::Uuid;

use super::store::{self, BlobKey};
use super::{
    AddRequest, Attachment, ExportRequest, ExportResponse, ListRequest, ListResponse, PATIENT_KIND,
    RemoveRequest, Subject, media_type, of,
};
use crate::app::Ctx;
use crate::app::jobs::{self, Progress};
use crate::change_log::{ATTACHMENT, Change};
use crate::commands::Done;
use crate::error::{Error, FieldErrors, Result};
use crate::settings::{self, JobStarted};
use crate::{audit, sync};

/// Characters of a file's name.
const LONGEST_NAME: usize = 200;
/// Letters of a subject's kind.
const LONGEST_KIND: usize = 30;

/// What was added to something.
///
/// # Errors
/// `NotFound`.
pub fn list(ctx: &Ctx, request: ListRequest) -> Result<ListResponse> {
    ctx.read(|connection| {
        Ok(ListResponse {
            attachments: of(connection, &request.subject_kind, request.subject_id)?,
            max_mib: settings::load(connection)?.attachment_max_mib,
        })
    })
}

/// Adds a file. The same file added to the same thing a second time is the one that is there.
///
/// # Errors
/// `Invalid`, `NotFound`, `AttachmentTooLarge`, `AttachmentChanged`, and those of reading a file.
pub fn add(ctx: &Ctx, request: AddRequest) -> Result<Attachment> {
    let subject =
        Subject { patient_id: request.patient_id, kind: request.subject_kind, id: request.subject_id };
    add_file(ctx, &subject, Path::new(&request.path), &Progress::unwatched())
}

/// Adds a file to a subject, for features that have commands of their own.
///
/// # Errors
/// Those of [`add`].
pub fn add_file(ctx: &Ctx, subject: &Subject, path: &Path, progress: &Progress) -> Result<Attachment> {
    check_subject(subject)?;
    let max_mib = ctx.read(|connection| {
        known_patient(connection, subject.patient_id)?;
        Ok(settings::load(connection)?.attachment_max_mib)
    })?;
    let name = file_name(path)?;
    let mut file = open(path)?;
    let (size, sha256) = store::measure(&mut file, max_mib)?;
    let key = BlobKey { patient: subject.patient_id, sha256 };
    store::keep(ctx, &key, size, &mut file, progress)?;
    let id = ctx.write(|writer| {
        let connection = writer.connection();
        known_patient(connection, subject.patient_id)?;
        if let Some(there) = same(connection, subject, &key)? {
            return Ok(there);
        }
        let id = writer.new_id();
        let fields: [Change; 9] = [
            ("patient_id", subject.patient_id.into()),
            ("subject_kind", subject.kind.as_str().into()),
            ("subject_id", subject.id.into()),
            ("name", name.reveal().into()),
            ("media_type", media_type(name.reveal()).into()),
            ("size", size.into()),
            ("sha256", aftercare_domain::op::FieldValue::Bytes(sha256.to_vec())),
            ("added_at", writer.now_millis().into()),
            ("user_id", writer.user().into()),
        ];
        writer.create(&ATTACHMENT, id, &fields)?;
        let detail = json!({ "attachment": id, "bytes": size });
        let (now, user) = (writer.now_millis(), writer.user());
        audit::append(connection, now, user, "attachments.add", Some(subject.patient_id), &detail)?;
        Ok(id)
    })?;
    let found = ctx.read(|connection| of(connection, &subject.kind, subject.id))?;
    found.into_iter().find(|attachment| attachment.id == id).ok_or_else(|| Error::new(ErrorCode::NotFound))
}

fn check_subject(subject: &Subject) -> Result<()> {
    let mut errors = FieldErrors::default();
    let plain = |kind: &str| kind.chars().all(|c| c.is_ascii_lowercase() || c == '_');
    let kind = &subject.kind;
    if kind.is_empty() || kind.len() > LONGEST_KIND || !plain(kind) {
        errors.add("subject_kind", ErrorCode::NotAllowed);
    }
    if kind == PATIENT_KIND && subject.id != subject.patient_id {
        errors.add("subject_id", ErrorCode::NotAllowed);
    }
    errors.check()
}

fn known_patient(connection: &Connection, id: Uuid) -> Result<()> {
    let sql = "SELECT id FROM patient WHERE id = ?1 AND removed = 0";
    Ok(connection.prepare_cached(sql)?.query_row([id], |_| Ok(()))?)
}

/// The last part of the path, shortened from its middle so that the ending stays.
fn file_name(path: &Path) -> Result<Personal> {
    let name = path.file_name().ok_or_else(|| Error::new(ErrorCode::FileNotRegular))?.to_string_lossy();
    let name: String = name.chars().filter(|c| !c.is_control()).collect();
    let count = name.chars().count();
    if count <= LONGEST_NAME {
        return Ok(name.into());
    }
    let ending: String = name.chars().skip(count - 20).collect();
    Ok(format!("{}…{ending}", name.chars().take(LONGEST_NAME - 21).collect::<String>()).into())
}

fn open(path: &Path) -> Result<File> {
    let unreadable = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => Error::new(ErrorCode::FileMissing),
        _ => Error::new(ErrorCode::FileUnreadable).caused_by(error),
    };
    // Asked before it is opened: opening a pipe would wait for its other end.
    if !std::fs::metadata(path).map_err(unreadable)?.is_file() {
        return Err(Error::new(ErrorCode::FileNotRegular));
    }
    File::open(path).map_err(unreadable)
}

fn same(connection: &Connection, subject: &Subject, key: &BlobKey) -> Result<Option<Uuid>> {
    let sql = "SELECT id FROM attachment WHERE patient_id = ?1 AND sha256 = ?2 AND subject_kind = ?3
                 AND subject_id = ?4 AND removed = 0 LIMIT 1";
    let wanted = params![key.patient, key.sha256, subject.kind, subject.id];
    crate::db::optional(connection.prepare_cached(sql)?.query_row(wanted, |row| row.get("id")))
}

struct Found {
    key: BlobKey,
    size: i64,
}

fn find(connection: &Connection, id: Uuid) -> Result<Found> {
    let sql = "SELECT patient_id, sha256, size FROM attachment WHERE id = ?1 AND removed = 0";
    Ok(connection.prepare_cached(sql)?.query_row([id], |row| {
        let key = BlobKey { patient: row.get("patient_id")?, sha256: row.get("sha256")? };
        Ok(Found { key, size: row.get("size")? })
    })?)
}

/// Writes a copy to a file, as a job that ends with an `AttachmentsExportResponse`. The line in the audit
/// trail is written before the bytes leave.
///
/// # Errors
/// `NotFound`; the job: `AttachmentAway`, those of a request, `FileUnwritable`, `DiskFull`.
pub fn export(ctx: &Ctx, request: ExportRequest) -> Result<JobStarted> {
    ctx.read(|connection| find(connection, request.id))?;
    let work = move |ctx: &Ctx, progress: &Progress| export_now(ctx, &request, progress);
    Ok(JobStarted { id: jobs::start(ctx, "attachments_export", work)? })
}

fn export_now(ctx: &Ctx, request: &ExportRequest, progress: &Progress) -> Result<ExportResponse> {
    let found = ctx.read(|connection| find(connection, request.id))?;
    sync::fetch_attachment(ctx, &found.key, found.size, progress)?;
    let detail = json!({ "attachment": request.id, "bytes": found.size });
    ctx.audit("attachments.export", Some(found.key.patient), detail)?;
    let target = Path::new(&request.path);
    let folder = target.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let unwritable = |error: std::io::Error| match Error::from(error) {
        error if error.code == ErrorCode::DiskFull => error,
        error => Error::new(ErrorCode::FileUnwritable).caused_by(error),
    };
    let mut file =
        tempfile::Builder::new().prefix(".aftercare-copy-").tempfile_in(folder).map_err(unwritable)?;
    let bytes = store::write_out(ctx, &found.key, file.as_file_mut())?;
    file.as_file().sync_all().map_err(unwritable)?;
    file.persist(target).map_err(|error| unwritable(error.error))?;
    Ok(ExportResponse { bytes })
}

/// Takes an attachment away, or brings it back. Its bytes stay until the patient is erased.
///
/// # Errors
/// `NotFound`.
pub fn remove(ctx: &Ctx, request: RemoveRequest) -> Result<Done> {
    ctx.write(|writer| {
        let patient: Uuid = writer
            .connection()
            .prepare_cached("SELECT patient_id FROM attachment WHERE id = ?1")?
            .query_row([request.id], |row| row.get("patient_id"))?;
        writer.update(&ATTACHMENT, request.id, &[("removed", request.removed.into())])?;
        let detail = json!({ "attachment": request.id, "removed": request.removed });
        let (now, user) = (writer.now_millis(), writer.user());
        audit::append(writer.connection(), now, user, "attachments.remove", Some(patient), &detail)?;
        Ok(Done {})
    })
}
