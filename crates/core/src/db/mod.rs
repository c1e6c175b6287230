//! The encrypted database of one desk: one writer, a few readers, one transaction wrapper.

mod migrate;
mod open;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aftercare_domain::error_code::ErrorCode;
use rusqlite::{Connection, TransactionBehavior};
use zeroize::Zeroizing;

use crate::error::{Error, Result};

pub use open::{apply_key, create};

/// The random 256-bit key of a database.
pub type DatabaseKey = Zeroizing<[u8; 32]>;

/// Readers beside the writer. Two let a find-as-you-type run while a page loads.
const READERS: usize = 2;

/// What the writer keeps in memory while very much is written; some indexes are written all over.
const LARGE_CACHE_KIB: i64 = 64 * 1024;
/// What it keeps otherwise, as a connection is set up.
const USUAL_CACHE_KIB: i64 = 8000;
/// Pages of the log after which it is carried over into the file while very much is written: the same pages of the
/// indexes come again and again.
const RARE_CHECKPOINT: i64 = 16_000;
/// The same otherwise: SQLite's own default.
const USUAL_CHECKPOINT: i64 = 1000;

/// How often two readers try to begin between the same two writes.
const SNAPSHOT_TRIES: usize = 20;

/// An open database. Dropping it closes the file and wipes the key.
pub struct Db {
    path: PathBuf,
    key: DatabaseKey,
    writer: Mutex<Connection>,
    readers: Vec<Mutex<Connection>>,
    next_reader: AtomicUsize,
    change_log_open: Arc<AtomicBool>,
}

impl Db {
    /// Opens the database at `path`, bringing it up to this version after a backup beside it.
    ///
    /// Errors: `DatabaseDamaged` (also for a wrong key), `DatabaseNewer`, `DatabaseBusy`, `DiskFull`.
    pub fn open(path: &Path, key: DatabaseKey) -> Result<Self> {
        let mut writer = open::connect(path, &key)?;
        migrate::migrate(&mut writer, path, &key)?;
        let change_log_open = Arc::new(AtomicBool::new(false));
        open::guard_synced_tables(&mut writer, Arc::clone(&change_log_open))?;
        let readers = (0..READERS)
            .map(|_| open::connect_reader(path, &key).map(Mutex::new))
            .collect::<Result<Vec<_>>>()?;
        Ok(Self {
            path: path.to_owned(),
            key,
            writer: Mutex::new(writer),
            readers,
            next_reader: AtomicUsize::new(0),
            change_log_open,
        })
    }

    /// Where the file lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The key, for a backup or a new key slot.
    pub fn key(&self) -> &DatabaseKey {
        &self.key
    }

    /// Reads in one consistent snapshot. `read` may run many queries.
    pub fn read<T>(&self, read: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        let mut connection = self.reader();
        let transaction = connection.transaction()?;
        let result = read(&transaction)?;
        transaction.commit()?;
        Ok(result)
    }

    /// Runs `write` in one immediate transaction; an error rolls everything back.
    /// Synced tables are written through `change_log::Writer` only.
    pub fn write<T>(&self, write: impl FnOnce(&Connection, &AtomicBool) -> Result<T>) -> Result<T> {
        let mut connection = lock(&self.writer);
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let result = write(&transaction, &self.change_log_open)?;
        crate::reports::dashboard::after_write(&transaction)?;
        transaction.commit()?;
        Ok(result)
    }

    /// The writer without a transaction, for backup and maintenance statements.
    pub fn maintain<T>(&self, work: impl FnOnce(&mut Connection) -> Result<T>) -> Result<T> {
        work(&mut lock(&self.writer))
    }

    /// Does work that touches every page of many indexes, an import or a first sync: the writer gets more memory while it
    /// runs, and carries its log over into the file more rarely.
    ///
    /// # Errors
    /// Those of `work`, and of the database.
    pub fn with_large_cache<T>(&self, work: impl FnOnce() -> Result<T>) -> Result<T> {
        self.tune(LARGE_CACHE_KIB, RARE_CHECKPOINT)?;
        let result = work();
        self.tune(USUAL_CACHE_KIB, USUAL_CHECKPOINT)?;
        self.maintain(|connection| {
            // Readers may hold the log; the next checkpoint then shortens it.
            let folded: rusqlite::Result<i64> =
                connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0));
            if let Err(error) = folded {
                tracing::info!(%error, "the log was not folded after much was written");
            }
            connection.execute_batch("PRAGMA shrink_memory")?;
            Ok(())
        })?;
        result
    }

    fn tune(&self, cache_kib: i64, checkpoint: i64) -> Result<()> {
        self.maintain(|connection| {
            connection.pragma_update(None, "cache_size", -cache_kib)?;
            connection.pragma_update_and_check(None, "wal_autocheckpoint", checkpoint, |_| Ok(()))?;
            Ok(())
        })
    }

    /// A connection of its own that only reads, for work that takes long (a backup) and must not
    /// hold up the desk's readers.
    pub fn connect_beside(&self) -> Result<Connection> {
        open::connect_reader(&self.path, &self.key)
    }

    /// Two readers of one and the same snapshot of what is shared, for work on two threads. Their transactions are open.
    ///
    /// # Errors
    /// `DatabaseBusy` when others write without a pause.
    pub fn snapshots(&self) -> Result<[Connection; 2]> {
        for _ in 0..SNAPSHOT_TRIES {
            let pair = [self.connect_beside()?, self.connect_beside()?];
            let (first, second) = (begin_reading(&pair[0])?, begin_reading(&pair[1])?);
            if first == second {
                return Ok(pair);
            }
        }
        Err(Error::new(ErrorCode::DatabaseBusy))
    }

    fn reader(&self) -> MutexGuard<'_, Connection> {
        for reader in &self.readers {
            if let Ok(free) = reader.try_lock() {
                return free;
            }
        }
        let turn = self.next_reader.fetch_add(1, Ordering::Relaxed) % self.readers.len();
        lock(&self.readers[turn])
    }
}

/// Begins a reading transaction. Returns the number that every write to a shared table moves.
fn begin_reading(connection: &Connection) -> Result<i64> {
    connection.execute_batch("BEGIN")?;
    Ok(connection.query_row("SELECT last_dseq FROM desk", [], |row| row.get("last_dseq"))?)
}

/// A panic inside a transaction rolls it back, so the connection behind a poisoned lock is sound.
fn lock(connection: &Mutex<Connection>) -> MutexGuard<'_, Connection> {
    connection.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Turns "no row" into `None`.
pub fn optional<T>(result: rusqlite::Result<T>) -> Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(rusqlite::Error::QueryReturnedNoRows) => Ok(None),
        Err(error) => Err(Error::from(error)),
    }
}
