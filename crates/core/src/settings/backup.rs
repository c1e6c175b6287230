//! Backup and restore. A backup is one file: a header in the clear (whose hospital, when, the key
//! slots), sealed by the database key, and the encrypted database.
//!
//! It opens on another PC with the recovery code, on this PC with a password. A restore puts the
//! desk that was there aside and can be cut off at any point.

use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use aftercare_domain::error_code::ErrorCode;
use hkdf::Hkdf;
use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::app::jobs::Progress;
use crate::db::{self, DatabaseKey, Db};
use crate::error::{Error, Result};
use crate::session::{DATABASE_FILE, KeyFile};

const MAGIC: &[u8; 18] = b"AFTERCARE-BACKUP-1";
/// A header is a few kilobytes; more is not one.
const LONGEST_HEADER: u32 = 4 * 1024 * 1024;
/// Pages copied before other writers get a turn.
const PAGES_A_STEP: i32 = 2048;
/// Pause when another connection holds the database.
const BUSY: Duration = Duration::from_millis(20);

#[derive(Serialize, Deserialize)]
pub(super) struct Header {
    pub hospital: String,
    pub made_at: i64,
    pub program: String,
    pub keys: KeyFile,
    pub database_bytes: u64,
    pub database_sha256: String,
}

/// What was written and read back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Written {
    pub bytes: u64,
}

/// The four rounds of a backup, each over the whole database: copying, checking its pages, packing, reading back.
#[derive(Clone, Copy)]
enum Round {
    Copy,
    Check,
    Pack,
    ReadBack,
}

/// What a round is divided into when it reports how far the backup is.
const PER_ROUND: u64 = 250;

/// Says how far a round is: `done` of `total`, in any unit.
fn report(progress: &Progress, round: Round, done: u64, total: u64) {
    let part = done.saturating_mul(PER_ROUND).checked_div(total).unwrap_or(0).min(PER_ROUND);
    progress.set(round as u64 * PER_ROUND + part, 4 * PER_ROUND);
}

/// Writes a backup of `db` to `target` while others go on writing, then checks every page and
/// every byte of it. `target` appears only when all of that went well.
pub(super) fn write(
    db: &Db,
    home: &Path,
    target: &Path,
    made_at: i64,
    program: &str,
    progress: &Progress,
) -> Result<Written> {
    let folder = target.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !folder.is_dir() {
        return Err(Error::new(ErrorCode::FileUnwritable));
    }
    let copy = tempfile::Builder::new().prefix(".aftercare-copy-").tempfile_in(folder).map_err(unwritable)?;
    copy_database(db, copy.path(), progress)?;
    let (bytes, hash) = hash_of(&mut File::open(copy.path())?)?;
    let keys = KeyFile::load(home)?.for_backup();
    let header = Header {
        hospital: keys.hospital.clone(),
        made_at,
        program: program.to_owned(),
        keys,
        database_bytes: bytes,
        database_sha256: data_encoding::HEXLOWER.encode(&hash),
    };
    let mut packed =
        tempfile::Builder::new().prefix(".aftercare-backup-").tempfile_in(folder).map_err(unwritable)?;
    pack(packed.as_file_mut(), &header, db.key(), copy.path(), progress)?;
    packed.as_file().sync_all()?;
    let mut reading = BufReader::new(File::open(packed.path())?);
    let read_back = read_header(&mut reading)?;
    check_seal(&read_back, db.key())?;
    let mut watched = Watched { inner: reading, progress, round: Round::ReadBack, done: 0, total: bytes };
    skim_database(&mut watched, &read_back.header, std::io::sink())?;
    progress.check()?;
    let size = packed.as_file().metadata()?.len();
    packed.persist(target).map_err(|error| unwritable(error.error))?;
    Ok(Written { bytes: size })
}

fn unwritable(error: std::io::Error) -> Error {
    match Error::from(error) {
        error if matches!(error.code, ErrorCode::DiskFull) => error,
        error => Error::new(ErrorCode::FileUnwritable).caused_by(error),
    }
}

fn copy_database(db: &Db, to: &Path, progress: &Progress) -> Result<()> {
    let source = db.connect_beside()?;
    let mut copy = Connection::open(to)?;
    db::apply_key(&copy, db.key())?;
    // A copy that fails is thrown away: a journal of it would stay beside it on a full disk.
    copy.pragma_update(None, "journal_mode", "MEMORY")?;
    {
        let backup = Backup::new(&source, &mut copy)?;
        loop {
            let step = backup.step(PAGES_A_STEP)?;
            let pages = backup.progress();
            let count = |pages: i32| u64::try_from(pages).unwrap_or(0);
            report(progress, Round::Copy, count(pages.pagecount - pages.remaining), count(pages.pagecount));
            progress.check()?;
            match step {
                StepResult::Done => break,
                // Somebody writes: they get their turn.
                StepResult::Busy | StepResult::Locked => std::thread::sleep(BUSY),
                _ => {}
            }
        }
    }
    report(progress, Round::Check, 0, 1);
    // A copied WAL database would leave a -wal file beside the copy.
    copy.execute_batch("PRAGMA journal_mode = DELETE; PRAGMA synchronous = FULL;")?;
    check_pages(&copy)
}

/// Every page's seal and the b-trees' shape.
///
/// Errors: `DatabaseDamaged`.
pub(super) fn check_pages(connection: &Connection) -> Result<()> {
    let mut sealed = connection.prepare("PRAGMA cipher_integrity_check")?;
    let broken = sealed.query([])?.next()?.is_some();
    let shape: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if broken || shape != "ok" { Err(Error::new(ErrorCode::DatabaseDamaged)) } else { Ok(()) }
}

/// A file that is read from end to end and says how far it is.
struct Watched<'a, R> {
    inner: R,
    progress: &'a Progress,
    round: Round,
    done: u64,
    total: u64,
}

impl<R: Read> Read for Watched<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.done += read as u64;
        report(self.progress, self.round, self.done, self.total);
        Ok(read)
    }
}

fn pack(
    out: &mut File,
    header: &Header,
    key: &DatabaseKey,
    database: &Path,
    progress: &Progress,
) -> Result<()> {
    let json = serde_json::to_vec(header)?;
    let length = u32::try_from(json.len()).map_err(Error::internal)?;
    let mut out = BufWriter::new(out);
    out.write_all(MAGIC)?;
    out.write_all(&length.to_be_bytes())?;
    out.write_all(&json)?;
    out.write_all(&seal(&json, key)?)?;
    let total = header.database_bytes;
    let mut watched = Watched { inner: File::open(database)?, progress, round: Round::Pack, done: 0, total };
    std::io::copy(&mut watched, &mut out)?;
    out.flush()?;
    progress.check()
}

/// Binds the header to the database key, so that slots cannot be swapped into a backup.
fn seal(header: &[u8], key: &DatabaseKey) -> Result<[u8; 32]> {
    let mut out = [0_u8; 32];
    Hkdf::<Sha256>::new(Some(&key[..]), &Sha256::digest(header))
        .expand(b"aftercare backup header v1", &mut out)
        .map_err(|e| Error::internal(e.to_string()))?;
    Ok(out)
}

/// A header as it was read, not yet trusted.
pub(super) struct ReadHeader {
    pub header: Header,
    json: Vec<u8>,
    seal: [u8; 32],
}

/// Reads a backup's header.
///
/// Errors: `NotABackup`, `BackupDamaged`.
pub(super) fn read_header(from: &mut impl Read) -> Result<ReadHeader> {
    let mut magic = [0_u8; MAGIC.len()];
    let mut length = [0_u8; 4];
    if from.read_exact(&mut magic).is_err() || &magic != MAGIC {
        return Err(Error::new(ErrorCode::NotABackup));
    }
    let damaged = || Error::new(ErrorCode::BackupDamaged);
    from.read_exact(&mut length).map_err(|_| damaged())?;
    let length = u32::from_be_bytes(length);
    if length > LONGEST_HEADER {
        return Err(damaged());
    }
    let mut json = vec![0; length as usize];
    let mut seal = [0_u8; 32];
    from.read_exact(&mut json).map_err(|_| damaged())?;
    from.read_exact(&mut seal).map_err(|_| damaged())?;
    let header = serde_json::from_slice(&json).map_err(|_| damaged())?;
    Ok(ReadHeader { header, json, seal })
}

/// Whether the header belongs to the database that `key` opens.
///
/// Errors: `BackupDamaged`.
pub(super) fn check_seal(read: &ReadHeader, key: &DatabaseKey) -> Result<()> {
    let right = seal(&read.json, key)?;
    if bool::from(right.ct_eq(&read.seal)) { Ok(()) } else { Err(Error::new(ErrorCode::BackupDamaged)) }
}

/// Copies the database out of a backup and checks its length and hash.
///
/// Errors: `BackupDamaged`, `DiskFull`.
pub(super) fn skim_database(from: &mut impl Read, header: &Header, mut to: impl Write) -> Result<()> {
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 256 * 1024];
    let mut bytes = 0_u64;
    loop {
        let read = from.read(&mut buffer)?;
        if read == 0 {
            break;
        }
        bytes += read as u64;
        if bytes > header.database_bytes {
            return Err(Error::new(ErrorCode::BackupDamaged));
        }
        hash.update(&buffer[..read]);
        to.write_all(&buffer[..read])?;
    }
    to.flush()?;
    let whole = bytes == header.database_bytes
        && data_encoding::HEXLOWER.encode(&hash.finalize()) == header.database_sha256;
    if whole { Ok(()) } else { Err(Error::new(ErrorCode::BackupDamaged)) }
}

fn hash_of(file: &mut File) -> Result<(u64, [u8; 32])> {
    let mut hash = Sha256::new();
    file.seek(SeekFrom::Start(0))?;
    let bytes = std::io::copy(file, &mut hash)?;
    Ok((bytes, hash.finalize().into()))
}

/// Where a restore is prepared, and where it waits complete to be put in place.
fn preparing(home: &Path) -> PathBuf {
    home.join("restore.preparing")
}

fn ready(home: &Path) -> PathBuf {
    home.join("restore.ready")
}

/// Unpacks the database of a backup and proves that `key` opens a whole one.
pub(super) fn unpack(
    home: &Path,
    from: &mut impl Read,
    read: &ReadHeader,
    key: &DatabaseKey,
) -> Result<PathBuf> {
    check_seal(read, key)?;
    let folder = preparing(home);
    remove_folder(&folder)?;
    std::fs::create_dir_all(&folder)?;
    let database = folder.join(DATABASE_FILE);
    let file = File::create(&database)?;
    skim_database(from, &read.header, BufWriter::new(&file))?;
    file.sync_all()?;
    let db = Db::open(&database, key.clone())?;
    db.maintain(|connection| check_pages(connection))?;
    drop(db);
    Ok(database)
}

/// Puts the prepared desk in place. `stamp` names what it puts aside.
pub(super) fn install(home: &Path, keys: &KeyFile, stamp: i64) -> Result<()> {
    let folder = preparing(home);
    keys.save(&folder)?;
    std::fs::write(folder.join("stamp"), stamp.to_string())?;
    std::fs::rename(&folder, ready(home))?;
    finish_restore(home)
}

/// Carries a prepared restore through, also after a crash in the middle: every step can be
/// repeated, and the folder goes last.
pub fn finish_restore(home: &Path) -> Result<()> {
    let folder = ready(home);
    if !folder.exists() {
        return Ok(());
    }
    let stamp = std::fs::read_to_string(folder.join("stamp")).unwrap_or_default();
    let aside = home.join(format!("before-restore-{}", stamp.trim()));
    std::fs::create_dir_all(&aside)?;
    let wal = format!("{DATABASE_FILE}-wal");
    let shm = format!("{DATABASE_FILE}-shm");
    for name in [DATABASE_FILE, &wal, &shm, "keys.json", "keys.twin.json"] {
        let (new, current) = (folder.join(name), home.join(name));
        let is_old = current.exists() && !aside.join(name).exists();
        // Without a new file beside it, the current one is either the old desk's or already the new.
        if is_old && (new.exists() || name.ends_with("-wal") || name.ends_with("-shm")) {
            std::fs::rename(&current, aside.join(name))?;
        }
        if new.exists() {
            std::fs::rename(&new, &current)?;
        }
    }
    remove_folder(&folder)
}

fn remove_folder(folder: &Path) -> Result<()> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}
