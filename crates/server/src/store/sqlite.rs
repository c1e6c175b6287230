//! SQLite: `server.db` for what is across hospitals, and a file per hospital under `tenants/`.
//!
//! Each file has one writer thread. What waits for it is written in one transaction, each piece
//! under a savepoint of its own, and answered after the commit: many desks share one fsync.

use std::collections::HashMap;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::thread::JoinHandle;
use std::time::Duration;

use aftercare_rehearsal::point;
use rusqlite::Connection;
use tokio::sync::{Semaphore, oneshot};
use uuid::Uuid;

use super::crowd::Crowd;
use super::driver::{Driver, Later};
use super::tx::{Insert, Side, Tx, each_row, sqlite_error};
use super::value::Value;
use super::{Result, SERVER, StoreError, copy};

mod embedded {
    refinery::embed_migrations!("migrations/sqlite");
}

/// How long a write waits for another program on the same file (a backup, say).
const BUSY: Duration = Duration::from_secs(5);
/// Most pieces of work in one transaction.
const MOST_TOGETHER: usize = 64;
/// Readers of one file beside its writer.
const READERS: usize = 4;

/// The embedded database of one server.
pub struct Sqlite {
    inner: Arc<Inner>,
}

struct Inner {
    home: PathBuf,
    files: Mutex<HashMap<Uuid, Arc<File>>>,
    crowd: Crowd,
}

struct File {
    path: PathBuf,
    tenant: Uuid,
    writer: Mutex<Option<Sender<Work>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
    idle: Mutex<Vec<Tx>>,
    readers: Semaphore,
}

/// Says whether its writes are to stay, and delivers its answer once it is known whether they did.
type Work = Box<dyn FnOnce(&mut Tx) -> (bool, Deliver) + Send>;
type Deliver = Box<dyn FnOnce(Option<StoreError>) + Send>;

impl Sqlite {
    /// Opens the database under `home`, making what is not there yet. Blocks; for a program's start.
    ///
    /// # Errors
    /// `Newer` when a newer program wrote it, and what the disk says.
    pub fn open(home: &Path) -> Result<Self> {
        let tenants = home.join("tenants");
        fs::create_dir_all(&tenants).map_err(|error| disk(&error))?;
        let inner =
            Inner { home: home.to_owned(), files: Mutex::new(HashMap::new()), crowd: Crowd::default() };
        inner.file(SERVER, true)?;
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Where a tenant's file lies.
    pub fn path(&self, tenant: Uuid) -> PathBuf {
        self.inner.path(tenant)
    }

    async fn file(&self, tenant: Uuid, make: bool) -> Result<Arc<File>> {
        if let Some(file) = lock(&self.inner.files).get(&tenant).filter(|file| file.path.exists()) {
            return Ok(Arc::clone(file));
        }
        let inner = Arc::clone(&self.inner);
        blocking(move || inner.file(tenant, make)).await
    }
}

impl Inner {
    fn path(&self, tenant: Uuid) -> PathBuf {
        if tenant == SERVER {
            self.home.join("server.db")
        } else {
            self.home.join("tenants").join(format!("{tenant}.db"))
        }
    }

    /// The open file of a tenant. Under the lock, so that it is opened once.
    fn file(&self, tenant: Uuid, make: bool) -> Result<Arc<File>> {
        let mut files = lock(&self.files);
        let path = self.path(tenant);
        if let Some(file) = files.get(&tenant) {
            if path.exists() {
                return Ok(Arc::clone(file));
            }
            // The command line deleted the hospital beside this process: what is still open of it is served no more.
            files.remove(&tenant);
        }
        if !make && !path.is_file() {
            return Err(StoreError::NotFound);
        }
        let mut connection = connect(&path)?;
        migrate(&mut connection)?;
        let (writer, work) = channel();
        let tx = Tx { tenant, database: Side::Sqlite(connection) };
        let thread = std::thread::Builder::new()
            .name(format!("write {tenant}"))
            .spawn(move || write_all(tx, &work))
            .map_err(|error| disk(&error))?;
        let file = Arc::new(File {
            path,
            tenant,
            writer: Mutex::new(Some(writer)),
            thread: Mutex::new(Some(thread)),
            idle: Mutex::new(Vec::new()),
            readers: Semaphore::new(READERS),
        });
        files.insert(tenant, Arc::clone(&file));
        Ok(file)
    }
}

impl File {
    fn send(&self, work: Work) -> Result<()> {
        let writer = lock(&self.writer);
        let gone = || StoreError::Unavailable("closed".into());
        writer.as_ref().ok_or_else(gone)?.send(work).map_err(|_| gone())
    }

    fn reader(&self) -> Result<Tx> {
        if let Some(tx) = lock(&self.idle).pop() {
            return Ok(tx);
        }
        let connection = connect(&self.path)?;
        connection.pragma_update(None, "query_only", true).map_err(sqlite_error)?;
        Ok(Tx { tenant: self.tenant, database: Side::Sqlite(connection) })
    }

    /// Waits for what was begun, then lets go of the file.
    fn close(&self) {
        lock(&self.writer).take();
        if let Some(thread) = lock(&self.thread).take() {
            // The thread catches the panics of its work; one of its own ends it, which is all that is asked here.
            let _ = thread.join();
        }
        lock(&self.idle).clear();
    }
}

impl Drop for File {
    fn drop(&mut self) {
        self.close();
    }
}

impl Driver for Sqlite {
    async fn write<T, J>(&self, tenant: Uuid, job: J) -> Result<T>
    where
        T: Send + 'static,
        J: for<'a> Fn(&'a mut Tx) -> Later<'a, T> + Send + Sync + 'static,
    {
        let (answer, wait) = oneshot::channel();
        let file = self.file(tenant, false).await?;
        file.send(Box::new(move |tx| {
            let result = at_once(job(tx));
            let stays = result.is_ok();
            let deliver: Deliver = Box::new(move |failed| {
                // Nobody waits any more when the caller was cut off; what is written stays.
                let _ = answer.send(match failed {
                    Some(error) if stays => Err(error),
                    _ => result,
                });
            });
            (stays, deliver)
        }))?;
        wait.await.map_err(|_| StoreError::Database("defect".into()))?
    }

    async fn read<T, J>(&self, tenant: Uuid, job: J) -> Result<T>
    where
        T: Send + 'static,
        J: for<'a> Fn(&'a mut Tx) -> Later<'a, T> + Send + Sync + 'static,
    {
        let file = self.file(tenant, false).await?;
        let held = Arc::clone(&file);
        let _turn = held.readers.acquire().await.map_err(|_| StoreError::Unavailable("closed".into()))?;
        blocking(move || {
            let mut tx = file.reader()?;
            batch(&tx, "BEGIN")?;
            let result = at_once(job(&mut tx));
            batch(&tx, "COMMIT")?;
            lock(&file.idle).push(tx);
            result
        })
        .await
    }

    fn crowd(&self) -> &Crowd {
        &self.inner.crowd
    }

    async fn make_room(&self, tenant: Uuid) -> Result<()> {
        self.file(tenant, true).await.map(|_| ())
    }

    async fn scrub(&self, tenant: Uuid) -> Result<()> {
        let path = self.path(tenant);
        blocking(move || {
            let connection = connect(&path)?;
            let sql = "PRAGMA wal_checkpoint(TRUNCATE)";
            let busy: bool = connection.query_row(sql, [], |row| row.get(0)).map_err(sqlite_error)?;
            if busy { Err(StoreError::Busy) } else { Ok(()) }
        })
        .await
    }

    async fn clear_room(&self, tenant: Uuid) -> Result<()> {
        let inner = Arc::clone(&self.inner);
        blocking(move || {
            let file = lock(&inner.files).remove(&tenant);
            if let Some(file) = file {
                file.close();
            }
            let path = inner.path(tenant);
            for end in ["", "-wal", "-shm"] {
                let mut name = path.as_os_str().to_owned();
                name.push(end);
                match fs::remove_file(PathBuf::from(name)) {
                    Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(disk(&error)),
                    _ => {}
                }
            }
            Ok(())
        })
        .await
    }
}

/// The writer of one file: everything that waits, in one transaction.
fn write_all(mut tx: Tx, work: &Receiver<Work>) {
    while let Ok(first) = work.recv() {
        let mut together = vec![first];
        while together.len() < MOST_TOGETHER {
            match work.try_recv() {
                Ok(next) => together.push(next),
                Err(_) => break,
            }
        }
        let (delivers, failed) = write_together(&mut tx, together);
        for deliver in delivers {
            deliver(failed.clone());
        }
    }
}

fn write_together(tx: &mut Tx, together: Vec<Work>) -> (Vec<Deliver>, Option<StoreError>) {
    let mut delivers = Vec::with_capacity(together.len());
    let mut failed = batch(tx, "BEGIN IMMEDIATE").err();
    for work in together {
        // A panic undoes its own piece of work only; whoever waits for it is told by the closed channel.
        let done = catch_unwind(AssertUnwindSafe(|| {
            let opened = batch(tx, "SAVEPOINT piece");
            let (stays, deliver) = work(tx);
            (opened, stays, deliver)
        }));
        let ended = match done {
            Ok((opened, stays, deliver)) => {
                delivers.push(deliver);
                let end = if stays { "RELEASE piece" } else { "ROLLBACK TO piece; RELEASE piece" };
                opened.and_then(|()| batch(tx, end))
            }
            Err(_) => batch(tx, "ROLLBACK TO piece; RELEASE piece"),
        };
        failed = failed.or(ended.err());
    }
    point("server.commit.before");
    let failed = failed.or_else(|| batch(tx, "COMMIT").err());
    point("server.commit.after");
    if failed.is_some() {
        // A full disk has rolled back already; then this says so, and nothing is lost by it.
        let _ = batch(tx, "ROLLBACK");
    }
    (delivers, failed)
}

/// The answer of work that never waits.
fn at_once<T>(mut work: Later<'_, T>) -> Result<T> {
    match Pin::new(&mut work).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(answer) => answer,
        Poll::Pending => Err(StoreError::Database("waits".into())),
    }
}

fn batch(tx: &Tx, sql: &str) -> Result<()> {
    match &tx.database {
        Side::Sqlite(connection) => connection.execute_batch(sql).map_err(sqlite_error),
        Side::Postgres(_) => Err(StoreError::Database("side".into())),
    }
}

fn connect(path: &Path) -> Result<Connection> {
    let connection = Connection::open(path).map_err(sqlite_error)?;
    connection.busy_timeout(BUSY).map_err(sqlite_error)?;
    connection.set_prepared_statement_cache_capacity(128);
    // FULL: what is acknowledged survives a power cut. secure_delete: an erased patient's bytes are
    // overwritten, not only let go.
    connection
        .execute_batch(
            "PRAGMA journal_mode = WAL;
             PRAGMA synchronous = FULL;
             PRAGMA secure_delete = ON;
             PRAGMA temp_store = MEMORY;
             PRAGMA cache_size = -16000;
             PRAGMA wal_autocheckpoint = 4000;
             PRAGMA trusted_schema = OFF;",
        )
        .map_err(sqlite_error)?;
    Ok(connection)
}

fn migrate(connection: &mut Connection) -> Result<()> {
    use refinery::error::Kind;
    match embedded::migrations::runner().run(connection) {
        Ok(_) => Ok(()),
        Err(error) => Err(match error.kind() {
            Kind::MissingVersion(_) | Kind::DivergentVersion(..) => StoreError::Newer,
            _ => StoreError::Database("migration".into()),
        }),
    }
}

/// A new file with the schema of this program, for a copy.
pub(super) fn create(path: &Path) -> Result<Connection> {
    let mut connection = connect(path)?;
    migrate(&mut connection)?;
    Ok(connection)
}

/// Ends a copy: one file, durable, without a log beside it.
pub(super) fn seal(connection: Connection) -> Result<()> {
    connection.pragma_update(None, "journal_mode", "DELETE").map_err(sqlite_error)?;
    connection.close().map_err(|(_, error)| sqlite_error(error))
}

/// Reads a file's tables row by row and hands them on, at most so many rows and bytes at a time. The file is brought up
/// to this program's schema before.
pub(super) fn read_tables(
    path: &Path,
    tables: &[Insert],
    size: impl Fn(&[Value]) -> usize,
    (most_rows, most_bytes): (usize, usize),
    take: impl Fn(usize, Vec<Vec<Value>>) -> bool,
) -> Result<()> {
    let connection = create(path)?;
    for (place, table) in tables.iter().enumerate() {
        let (mut some, mut bytes) = (Vec::new(), 0);
        each_row(&connection, &copy::select(table), &[], |row| {
            let row = copy::values(table, &row)?;
            bytes += size(&row);
            some.push(row);
            let full = some.len() >= most_rows || bytes >= most_bytes;
            if !full {
                return Ok(true);
            }
            bytes = 0;
            Ok(take(place, std::mem::take(&mut some)))
        })?;
        if !take(place, some) {
            break;
        }
    }
    Ok(())
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(|_| StoreError::Database("defect".into()))?
}

fn disk(error: &std::io::Error) -> StoreError {
    match error.kind() {
        std::io::ErrorKind::StorageFull => StoreError::DiskFull,
        kind => StoreError::Unavailable(kind.to_string()),
    }
}

/// A panic under the lock leaves these lists as they were or one shorter: both are sound.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
