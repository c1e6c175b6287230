//! Backup: a folder with a database file per hospital, the authority, and a manifest with their hashes. Of the
//! embedded database each file is copied in one step of SQLite's backup interface, so the copy is one state
//! of it, whatever is written meanwhile; writers wait for nothing. Of PostgreSQL all hospitals are read in one
//! snapshot into files of the same form, so that a backup of the one can be put back into the other.
//!
//! The authority's key is in it: whoever restores on another machine must be known to the desks.
//! So a backup is as secret as the server itself; its files have mode 0600, its folder 0700.
//!
//! What was put back by PostgreSQL's own tools has not begun new epochs: `new-epoch` does.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use aftercare_rehearsal::point;
use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::authority::{CERTIFICATE_FILE, KEY_FILE, write_new};
use crate::failure::Failure;
use crate::store::StoreError;
use crate::store::postgres::Postgres;

const MANIFEST: &str = "manifest.json";
const DIRECTORY: &str = "server.db";
const HOSPITALS: &str = "tenants";
/// Lies in a home into which a backup is being put, until its new epochs have begun: whoever served from it
/// before would take desks' changes under an old epoch, and the desks would not offer what it lacks.
const UNFINISHED: &str = "restore.unfinished";
/// Where a backup is read from while it is put back into PostgreSQL.
const WORK: &str = "restore.partial";
/// Version of the manifest's form.
const FORM: u32 = 1;

/// What a backup holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of this form.
    pub form: u32,
    /// When it was begun, milliseconds UTC.
    pub made_at: i64,
    /// Every file but this one.
    pub files: Vec<Piece>,
    /// Where each hospital was.
    pub hospitals: Vec<Covered>,
}

/// A file of a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Piece {
    /// Its path within the backup, with slashes.
    pub path: String,
    /// Its size.
    pub bytes: u64,
    /// SHA-256 of its bytes, in hexadecimal digits.
    pub sha256: String,
}

/// Where a hospital was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Covered {
    /// The hospital.
    pub tenant: Uuid,
    /// Its epoch.
    pub epoch: i64,
    /// Everything up to this sequence is in the backup.
    pub head: i64,
}

/// Writes a backup into the new folder `to` and reads it back. The folder appears only when it is
/// whole.
///
/// # Errors
/// `not_empty` when `to` is there already; `restore_unfinished`; files; `backup_damaged` when what was written is not
/// what is read.
pub fn write(home: &Path, to: &Path, now_millis: i64) -> Result<Manifest, Failure> {
    if is_unfinished(home) {
        return Err(Failure::new("restore_unfinished", home.display()));
    }
    let partial = begin(to)?;
    let files = copy_authority(home, &partial)?;
    let manifest = fill(home, &partial, files, now_millis)?;
    finish(&partial, to)?;
    Ok(manifest)
}

/// The same of a server that keeps its data in PostgreSQL.
///
/// # Errors
/// Those of [`write`], and the database's.
pub async fn write_postgres(
    store: &Postgres,
    home: &Path,
    to: &Path,
    now_millis: i64,
) -> Result<Manifest, Failure> {
    let partial = begin(to)?;
    let mut files = copy_authority(home, &partial)?;
    let directory = partial.join(DIRECTORY);
    store.copy_out(&directory, |tenant| partial.join(hospital_file(tenant))).await?;
    files.push(piece(&partial, DIRECTORY)?);
    let mut hospitals = Vec::new();
    for tenant in listed(&directory)? {
        let path = hospital_file(tenant);
        files.push(piece(&partial, &path)?);
        hospitals.push(covered(&partial.join(&path), tenant)?);
    }
    let manifest = Manifest { form: FORM, made_at: now_millis, files, hospitals };
    describe(&partial, &manifest)?;
    finish(&partial, to)?;
    Ok(manifest)
}

/// Puts a backup of either database into a PostgreSQL database without hospitals, and its authority into the
/// home. Each hospital begins a new epoch, later than `than`.
///
/// # Errors
/// `not_empty` when either holds a server; what [`verify`] finds; files, the database's.
pub async fn restore_postgres(
    store: &Postgres,
    from: &Path,
    home: &Path,
    than: i64,
) -> Result<Vec<(Uuid, i64)>, Failure> {
    let manifest = verify(from)?;
    for name in [CERTIFICATE_FILE, KEY_FILE] {
        // A server that was cut off here, or whose home outlived its database, has the same authority already.
        let (theirs, ours) = (from.join(name), home.join(name));
        let bytes = fs::read(&theirs).map_err(Failure::file(&theirs))?;
        if ours.exists() && fs::read(&ours).map_err(Failure::file(&ours))? != bytes {
            return Err(Failure::new("not_empty", ours.display()));
        }
    }
    // The files are brought up to this program's schema, and a backup stays as it is: a copy is read.
    let work = home.join(WORK);
    if work.exists() {
        fs::remove_dir_all(&work).map_err(Failure::file(&work))?;
    }
    make_private(&work.join(HOSPITALS))?;
    for file in manifest.files.iter().filter(|file| file.path.ends_with(".db")) {
        fs::copy(from.join(&file.path), work.join(&file.path)).map_err(Failure::file(&work))?;
    }
    let hospitals = manifest.hospitals.iter().map(|each| each.tenant);
    let files = hospitals.map(|tenant| (tenant, work.join(hospital_file(tenant)))).collect();
    let epochs = store.copy_in(&work.join(DIRECTORY), files, than).await.map_err(|error| match error {
        StoreError::Exists => Failure::new("not_empty", "PostgreSQL"),
        other => other.into(),
    })?;
    for name in [CERTIFICATE_FILE, KEY_FILE].iter().filter(|name| !home.join(name).exists()) {
        let from = from.join(name);
        let bytes = fs::read(&from).map_err(Failure::file(&from))?;
        write_new(&home.join(name), &bytes, 0o600).map_err(Failure::file(&home.join(name)))?;
    }
    sync_folder(home)?;
    fs::remove_dir_all(&work).map_err(Failure::file(&work))?;
    Ok(epochs)
}

/// A new folder that becomes `to` when it is whole.
fn begin(to: &Path) -> Result<PathBuf, Failure> {
    if to.exists() {
        return Err(Failure::new("not_empty", to.display()));
    }
    let name = to.file_name().ok_or_else(|| Failure::new("file", to.display()))?;
    let partial = to.with_file_name(format!("{}.partial", name.to_string_lossy()));
    if partial.exists() {
        fs::remove_dir_all(&partial).map_err(Failure::file(&partial))?;
    }
    make_private(&partial.join(HOSPITALS))?;
    Ok(partial)
}

fn finish(partial: &Path, to: &Path) -> Result<(), Failure> {
    point("server.backup.written");
    verify(partial)?;
    point("server.backup.verified");
    fs::rename(partial, to).map_err(Failure::file(to))?;
    point("server.backup.renamed");
    sync_folder(to.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new(".")))
}

fn hospital_file(tenant: Uuid) -> String {
    format!("{HOSPITALS}/{tenant}.db")
}

fn copy_authority(home: &Path, into: &Path) -> Result<Vec<Piece>, Failure> {
    let mut files = Vec::new();
    for name in [CERTIFICATE_FILE, KEY_FILE] {
        let from = home.join(name);
        let bytes = fs::read(&from).map_err(Failure::file(&from))?;
        write_new(&into.join(name), &bytes, 0o600).map_err(Failure::file(&into.join(name)))?;
        files.push(piece(into, name)?);
    }
    Ok(files)
}

fn fill(home: &Path, into: &Path, mut files: Vec<Piece>, now_millis: i64) -> Result<Manifest, Failure> {
    // The directory first: a hospital that is added meanwhile is in neither, one that is deleted
    // meanwhile is passed over.
    copy_database(&home.join(DIRECTORY), &into.join(DIRECTORY))?;
    files.push(piece(into, DIRECTORY)?);
    let mut hospitals = Vec::new();
    for tenant in listed(&into.join(DIRECTORY))? {
        let path = hospital_file(tenant);
        if !home.join(&path).is_file() {
            continue;
        }
        copy_database(&home.join(&path), &into.join(&path))?;
        point("server.backup.copied");
        files.push(piece(into, &path)?);
        hospitals.push(covered(&into.join(&path), tenant)?);
    }
    let manifest = Manifest { form: FORM, made_at: now_millis, files, hospitals };
    describe(into, &manifest)?;
    Ok(manifest)
}

fn describe(into: &Path, manifest: &Manifest) -> Result<(), Failure> {
    let text = serde_json::to_vec_pretty(manifest).map_err(|error| Failure::new("file", error))?;
    write_new(&into.join(MANIFEST), &text, 0o600).map_err(Failure::file(&into.join(MANIFEST)))?;
    sync_folder(&into.join(HOSPITALS))?;
    sync_folder(into)
}

/// Reads a backup to its last byte: hashes, SQLite's own check, and that each hospital is where the
/// manifest says.
///
/// # Errors
/// `backup_damaged` with the file.
pub fn verify(from: &Path) -> Result<Manifest, Failure> {
    let path = from.join(MANIFEST);
    let text = fs::read(&path).map_err(Failure::file(&path))?;
    let manifest: Manifest =
        serde_json::from_slice(&text).map_err(|_| Failure::new("backup_damaged", MANIFEST))?;
    if manifest.form != FORM {
        return Err(Failure::new("backup_damaged", MANIFEST));
    }
    for expected in &manifest.files {
        let damaged = || Failure::new("backup_damaged", &expected.path);
        if expected.path.split('/').any(|part| part.is_empty() || part.starts_with('.')) {
            return Err(damaged());
        }
        if piece(from, &expected.path).ok().as_ref() != Some(expected) {
            return Err(damaged());
        }
        if expected.path.ends_with(".db") && !is_sound(&from.join(&expected.path)) {
            return Err(damaged());
        }
    }
    for expected in &manifest.hospitals {
        let path = hospital_file(expected.tenant);
        let listed = manifest.files.iter().any(|file| file.path == path);
        if !listed || covered(&from.join(&path), expected.tenant)? != *expected {
            return Err(Failure::new("backup_damaged", path));
        }
    }
    Ok(manifest)
}

/// Whether a restore into this home was begun and not finished.
pub fn is_unfinished(home: &Path) -> bool {
    home.join(UNFINISHED).exists()
}

/// The restored hospitals have their new epochs: from now on the home is a server's like any other.
///
/// # Errors
/// Files.
pub fn finish_restore(home: &Path) -> Result<(), Failure> {
    let mark = home.join(UNFINISHED);
    fs::remove_file(&mark).map_err(Failure::file(&mark))?;
    sync_folder(home)
}

/// Puts a backup into a home that holds no server yet, or only the rest of a restore that was cut off. The
/// caller begins the new epochs, then calls [`finish_restore`].
///
/// # Errors
/// `not_empty`; what [`verify`] finds; files.
pub fn restore(from: &Path, home: &Path) -> Result<Manifest, Failure> {
    let manifest = verify(from)?;
    begin_restore(home)?;
    point("server.restore.begun");
    make_private(&home.join(HOSPITALS))?;
    for file in &manifest.files {
        let (source, target) = (from.join(&file.path), home.join(&file.path));
        let mut reader = File::open(&source).map_err(Failure::file(&source))?;
        write_new(&target, b"", 0o600).map_err(Failure::file(&target))?;
        let mut writer = File::options().write(true).open(&target).map_err(Failure::file(&target))?;
        std::io::copy(&mut reader, &mut writer).map_err(Failure::file(&target))?;
        writer.sync_all().map_err(Failure::file(&target))?;
        if piece(home, &file.path)? != *file {
            return Err(Failure::new("backup_damaged", &file.path));
        }
        point("server.restore.file");
    }
    sync_folder(&home.join(HOSPITALS))?;
    sync_folder(home)?;
    point("server.restore.copied");
    Ok(manifest)
}

fn begin_restore(home: &Path) -> Result<(), Failure> {
    let again = is_unfinished(home);
    for name in [DIRECTORY, CERTIFICATE_FILE, KEY_FILE, HOSPITALS, "server.db-wal", "server.db-shm"] {
        let path = home.join(name);
        if !path.exists() {
            continue;
        }
        if !again {
            return Err(Failure::new("not_empty", path.display()));
        }
        let removed = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
        removed.map_err(Failure::file(&path))?;
    }
    make_private(home)?;
    if !again {
        let mark = home.join(UNFINISHED);
        write_new(&mark, b"", 0o600).map_err(Failure::file(&mark))?;
    }
    sync_folder(home)
}

fn copy_database(from: &Path, to: &Path) -> Result<(), Failure> {
    let copy = || -> rusqlite::Result<bool> {
        let source = Connection::open_with_flags(from, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        source.busy_timeout(std::time::Duration::from_secs(30))?;
        let mut target = Connection::open(to)?;
        let done = {
            let backup = Backup::new(&source, &mut target)?;
            backup.step(-1)? == StepResult::Done
        };
        // A copy is read as one file: no write-ahead log beside it.
        target.pragma_update(None, "journal_mode", "DELETE")?;
        Ok(done)
    };
    write_new(to, b"", 0o600).map_err(Failure::file(to))?;
    match copy() {
        // Windows makes durable only what is open for writing.
        Ok(true) => {
            File::options().write(true).open(to).and_then(|file| file.sync_all()).map_err(Failure::file(to))
        }
        Ok(false) => Err(Failure::new("in_use", from.display())),
        Err(error) => Err(sqlite(&error)),
    }
}

fn read_only(path: &Path) -> Result<Connection, Failure> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags(path, flags).map_err(|error| sqlite(&error))
}

fn is_sound(path: &Path) -> bool {
    let check = |connection: Connection| {
        connection.query_row("PRAGMA integrity_check", [], |row| row.get::<_, String>(0)).ok()
    };
    read_only(path).ok().and_then(check).as_deref() == Some("ok")
}

fn listed(directory: &Path) -> Result<Vec<Uuid>, Failure> {
    let read = |connection: &Connection| -> rusqlite::Result<Vec<Uuid>> {
        let mut statement = connection.prepare("SELECT hospital FROM directory ORDER BY hospital")?;
        statement.query_map([], |row| row.get("hospital"))?.collect()
    };
    read(&read_only(directory)?).map_err(|error| sqlite(&error))
}

fn covered(database: &Path, tenant: Uuid) -> Result<Covered, Failure> {
    let read = |connection: &Connection| {
        connection.query_row("SELECT epoch, head_seq FROM tenant", [], |row| {
            Ok(Covered { tenant, epoch: row.get("epoch")?, head: row.get("head_seq")? })
        })
    };
    read(&read_only(database)?).map_err(|error| sqlite(&error))
}

fn piece(folder: &Path, path: &str) -> Result<Piece, Failure> {
    let full: PathBuf = folder.join(path);
    let mut file = File::open(&full).map_err(Failure::file(&full))?;
    let (mut hash, mut bytes, mut buffer) = (Sha256::new(), 0, vec![0; 1 << 16]);
    loop {
        let read = file.read(&mut buffer).map_err(Failure::file(&full))?;
        if read == 0 {
            break;
        }
        hash.update(&buffer[..read]);
        bytes += read as u64;
    }
    let sha256 = data_encoding::HEXLOWER.encode(&hash.finalize());
    Ok(Piece { path: path.to_owned(), bytes, sha256 })
}

fn make_private(folder: &Path) -> Result<(), Failure> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(Failure::file(folder))
}

/// Makes new names in a folder durable, where folders can be synced.
pub(crate) fn sync_folder(folder: &Path) -> Result<(), Failure> {
    #[cfg(unix)]
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(Failure::file(folder))?;
    #[cfg(not(unix))]
    let _ = folder;
    Ok(())
}

/// Texts of SQLite may quote values; its code does not.
fn sqlite(error: &rusqlite::Error) -> Failure {
    let code = error.sqlite_error_code().map_or_else(|| "SQLite".to_owned(), |code| format!("{code:?}"));
    Failure::new("database", code)
}
