//! The turn from one version to the next: at closing, at the next start, and at the first log-in after it.

use std::fs;
use std::path::{Path, PathBuf};

use aftercare_domain::error_code::ErrorCode;
use aftercare_sync::updates::{OfferFault, read};

use super::VERSION;
use super::fetch::matches;
use super::place::{Place, State, UnderWay};
use crate::db::{DatabaseKey, Db};
use crate::error::{Error, Result};
use crate::session::DATABASE_FILE;

/// What the old program runs as its last act.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installer {
    /// The installer, checked a moment ago.
    pub file: PathBuf,
    /// The version that it brings.
    pub version: String,
}

/// How a start goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Start {
    /// As always.
    Here,
    /// This version could not open the data: the one before, kept here, does the work.
    Before(PathBuf),
}

/// When the window has closed and nobody is logged in any more: whether to install, with everything copied that the
/// way back needs.
///
/// # Errors
/// `DatabaseBusy` while somebody still has the data open; `UpdateSignature`, `UpdateDamaged`, `DiskFull`,
/// `FileUnwritable`: nothing is installed, and the old version goes on.
pub fn at_close(home: &Path, keys: &[Vec<u8>], program: &Path) -> Result<Option<Installer>> {
    let place = Place::of(home);
    let mut state = place.state();
    let Some(offer) = state.ready.clone() else { return Ok(None) };
    // The folder lies open to this PC's user: what was checked hours ago is checked again.
    let manifest = read(&offer, keys).map_err(|fault| match fault {
        OfferFault::Signature => Error::new(ErrorCode::UpdateSignature),
        OfferFault::Manifest => damaged(""),
    })?;
    let file = place.installer(&manifest.version, &manifest.file);
    if !file.is_file() || !matches(&file, &manifest)? {
        return Err(damaged(&manifest.version));
    }
    copy_data(home, &place.before())?;
    copy_program(program, &place.previous())?;
    state.under_way = Some(UnderWay { from: VERSION.to_owned(), to: manifest.version.clone() });
    state.ready = None;
    state.problem = None;
    place.save(&state)?;
    Ok(Some(Installer { file, version: manifest.version }))
}

/// Notes why nothing was installed, for the updates' page. A home that cannot be written to has other troubles.
pub fn note_problem(home: &Path, code: ErrorCode) {
    let place = Place::of(home);
    let state = State { problem: Some(code.as_str().to_owned()), ..place.state() };
    if place.save(&state).is_err() {
        tracing::warn!(code = code.as_str(), "the update's state could not be kept");
    }
}

/// Before anything is opened.
///
/// # Errors
/// When the state cannot be written.
pub fn at_start(home: &Path) -> Result<Start> {
    let place = Place::of(home);
    let mut state = place.state();
    if state.gone_back.as_deref() == Some(VERSION) {
        let kept = program_in(&place.previous());
        return Ok(kept.map_or(Start::Here, Start::Before));
    }
    // Neither the old nor the awaited one: somebody installed another by hand, and that is as well.
    let stayed = state.under_way.as_ref().is_some_and(|way| way.to != VERSION);
    if stayed {
        let same = state.under_way.take().is_some_and(|way| way.from == VERSION);
        if same {
            state.problem = Some(ErrorCode::UpdateNotInstalled.as_str().to_owned());
        }
        place.save(&state)?;
    }
    Ok(Start::Here)
}

/// Opens the database. If it is a new program's first time and it fails, the old data come back, and the next start
/// hands over to the old program.
///
/// # Errors
/// `UpdateWentBack`, and those of opening.
pub(crate) fn open(home: &Path, key: DatabaseKey) -> Result<Db> {
    let opened = Db::open(&home.join(DATABASE_FILE), key);
    let place = Place::of(home);
    let mut state = place.state();
    let Some(way) = state.under_way.clone().filter(|way| way.to == VERSION) else { return opened };
    let error = match opened {
        Ok(db) => {
            state.under_way = None;
            place.save(&state)?;
            return Ok(db);
        }
        // These pass, and say nothing about the version.
        Err(error) if matches!(error.code, ErrorCode::DatabaseBusy | ErrorCode::DiskFull) => {
            return Err(error);
        }
        Err(error) => error,
    };
    tracing::error!(from = way.from, to = way.to, code = error.code.as_str(), "the new version goes back");
    put_back(home, &place)?;
    state.under_way = None;
    state.gone_back = Some(way.to.clone());
    place.save(&state)?;
    let told = Error::new(ErrorCode::UpdateWentBack).with("version", way.to).with("kept", way.from);
    Err(told.caused_by(error))
}

fn damaged(version: &str) -> Error {
    Error::new(ErrorCode::UpdateDamaged).with("version", version)
}

/// The database and the keys, as they are while nobody has them open.
fn copy_data(home: &Path, to: &Path) -> Result<()> {
    refuse_open(home)?;
    renew(to)?;
    for name in data_files(home)? {
        fs::copy(home.join(&name), to.join(&name))?;
    }
    // Somebody who began meanwhile (the nightly import, say) may have moved pages under the copy.
    refuse_open(home)
}

/// SQLite removes its write-ahead log when the last one closes the database.
fn refuse_open(home: &Path) -> Result<()> {
    if home.join(format!("{DATABASE_FILE}-wal")).exists() {
        return Err(Error::new(ErrorCode::DatabaseBusy));
    }
    Ok(())
}

/// Database and key files by their names in a folder.
fn data_files(folder: &Path) -> Result<Vec<String>> {
    let names = fs::read_dir(folder)?.flatten().filter_map(|entry| entry.file_name().into_string().ok());
    Ok(names.filter(|name| name == DATABASE_FILE || name.starts_with("keys.")).collect())
}

/// The failed database is put aside, the one from before takes its place. Keys stay: a password changed since is
/// still the password, and the key itself never changes.
fn put_back(home: &Path, place: &Place) -> Result<()> {
    let before = place.before();
    let kept = data_files(&before)?;
    if !kept.iter().any(|name| name == DATABASE_FILE) {
        return Err(Error::new(ErrorCode::DatabaseDamaged));
    }
    renew(&place.failed())?;
    for ending in ["", "-wal", "-shm"] {
        let name = format!("{DATABASE_FILE}{ending}");
        if home.join(&name).exists() {
            fs::rename(home.join(&name), place.failed().join(&name))?;
        }
    }
    fs::copy(before.join(DATABASE_FILE), home.join(DATABASE_FILE))?;
    Ok(())
}

/// The program and the libraries that lie beside it.
fn copy_program(program: &Path, to: &Path) -> Result<()> {
    if program.parent() == Some(to) {
        // It is the kept one that runs.
        return Ok(());
    }
    renew(to)?;
    let name = program.file_name().ok_or_else(|| Error::internal("the program has no name"))?;
    fs::copy(program, to.join(name))?;
    let beside = program.parent().into_iter().flat_map(fs::read_dir).flatten().flatten();
    for library in beside.filter(|entry| entry.path().extension().is_some_and(|kind| kind == "dll")) {
        fs::copy(library.path(), to.join(library.file_name()))?;
    }
    Ok(())
}

/// The one program in a folder.
fn program_in(folder: &Path) -> Option<PathBuf> {
    let files = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    files.into_iter().find(|path| path.extension().is_none_or(|kind| kind == "exe"))
}

fn renew(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    fs::create_dir_all(folder)?;
    Ok(())
}
