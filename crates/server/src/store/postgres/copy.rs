//! Everything of a PostgreSQL database into files as the embedded database has them, and back: a backup of the one is a
//! backup of the other.
//!
//! What is read is one state of all hospitals, whatever is written meanwhile: one transaction's snapshot. Rows
//! stream, so that neither side needs to hold a table.

use std::path::{Path, PathBuf};

use futures_util::{TryStreamExt, pin_mut};
use rusqlite::Connection;
use tokio::sync::mpsc;
use uuid::Uuid;

use super::super::copy::{TABLES, select, values};
use super::super::tx::{Insert, Side, Tx, insert_rows, sqlite_error};
use super::super::value::{Row, Value, mistake};
use super::super::{Result, SERVER, StoreError, hospitals, sqlite};
use super::{Postgres, READ};

/// Rows that are written at a time, and most bytes of them.
const ROWS: usize = 500;
const BYTES: usize = 4 << 20;

const NAME_TENANT: &str = "SELECT set_config('app.tenant', $2, true) WHERE $1::uuid IS NOT NULL";
const LEAVE: &str = "SELECT set_config('app.leaving', 'yes', true) WHERE $1::uuid IS NOT NULL";

impl Postgres {
    /// Writes every hospital, and what is across them, into new files: `directory`, and what `file_of` names.
    ///
    /// # Errors
    /// The database's, the disk's.
    pub async fn copy_out(&self, directory: &Path, file_of: impl Fn(Uuid) -> PathBuf) -> Result<()> {
        let mut tx = self.inner.begin(SERVER, READ).await?;
        let done = copy_all(&mut tx, directory, file_of).await;
        if let Side::Postgres(mut link) = tx.database {
            link.let_go();
        }
        done
    }

    /// Puts files that [`Self::copy_out`] or the embedded database wrote into a database that has no hospital yet; each
    /// begins a new epoch, later than `than`. What is across hospitals comes last: before that, nobody knows of
    /// them, and a copy that was cut off is made again.
    ///
    /// # Errors
    /// `Exists` when there is a hospital; the database's, the disk's.
    pub async fn copy_in(
        &self,
        directory: &Path,
        files: Vec<(Uuid, PathBuf)>,
        than: i64,
    ) -> Result<Vec<(Uuid, i64)>> {
        let there = self.inner.repeat(SERVER, READ, |tx| Box::pin(hospitals::all(tx))).await?;
        if !there.is_empty() {
            return Err(StoreError::Exists);
        }
        let mut epochs = Vec::with_capacity(files.len());
        for (tenant, path) in files {
            let epoch = self
                .inner
                .write(tenant, move |tx| {
                    let path = path.clone();
                    Box::pin(async move {
                        fill(tx, path).await?;
                        hospitals::begin_epoch(tx, than).await
                    })
                })
                .await?;
            epochs.push((tenant, epoch));
        }
        let path = directory.to_owned();
        self.inner.write(SERVER, move |tx| Box::pin(fill(tx, path.clone()))).await?;
        Ok(epochs)
    }
}

async fn copy_all(tx: &mut Tx, directory: &Path, file_of: impl Fn(Uuid) -> PathBuf) -> Result<()> {
    let hospitals = hospitals::all(tx).await?;
    copy_tenant(tx, directory).await?;
    for tenant in hospitals {
        tx.tenant = tenant;
        tx.rows(NAME_TENANT, &[tenant.to_string().into()]).await?;
        copy_tenant(tx, &file_of(tenant)).await?;
    }
    Ok(())
}

async fn copy_tenant(tx: &mut Tx, path: &Path) -> Result<()> {
    let mut file = std::sync::Mutex::new(sqlite::create(path)?);
    for table in &TABLES {
        let tenant = tx.tenant;
        let Side::Postgres(link) = &mut tx.database else {
            return Err(mistake());
        };
        let rows = link.stream(&select(table), &tenant).await?;
        pin_mut!(rows);
        let mut some = Vec::new();
        let mut bytes = 0;
        while let Some(row) = rows.try_next().await.map_err(super::error)? {
            let row = values(table, &Row::Postgres(row))?;
            bytes += size(&row);
            some.push(row);
            if some.len() >= ROWS || bytes >= BYTES {
                write(&mut file, table, std::mem::take(&mut some))?;
                bytes = 0;
            }
        }
        write(&mut file, table, some)?;
    }
    let file = file.into_inner().map_err(|_| mistake())?;
    sqlite::seal(file)
}

fn write(file: &mut std::sync::Mutex<Connection>, table: &Insert, rows: Vec<Vec<Value>>) -> Result<()> {
    let connection = file.get_mut().map_err(|_| mistake())?;
    let all = connection.transaction().map_err(sqlite_error)?;
    insert_rows(&all, table, rows)?;
    all.commit().map_err(sqlite_error)
}

fn size(row: &[Value]) -> usize {
    let size = |value: &Value| match value {
        Value::Bytes(bytes) => bytes.len(),
        Value::Text(text) => text.len(),
        _ => 8,
    };
    row.iter().map(size).sum()
}

/// Rows of a table, by its place in the list.
type Some_ = Result<(usize, Vec<Vec<Value>>)>;

/// Puts a file's rows in place of whatever an attempt that was cut off has left.
async fn fill(tx: &mut Tx, path: PathBuf) -> Result<()> {
    tx.rows(LEAVE, &[]).await?;
    for table in super::TABLES {
        tx.run(&format!("DELETE FROM {table} WHERE tenant_id = $1"), &[]).await?;
    }
    let (send, mut rows) = mpsc::channel::<Some_>(2);
    let reader = std::thread::spawn(move || read(&path, &send));
    while let Some(some) = rows.recv().await {
        let (place, some) = some?;
        let table = TABLES.get(place).ok_or_else(mistake)?;
        tx.insert(table, some).await?;
    }
    reader.join().map_err(|_| mistake())
}

/// Reads a file's tables and sends their rows on, until all are sent or nobody takes them any more.
fn read(path: &Path, send: &mpsc::Sender<Some_>) {
    let tell = |place: usize, rows: Vec<Vec<Value>>| {
        rows.is_empty() || send.blocking_send(Ok((place, rows))).is_ok()
    };
    if let Err(error) = sqlite::read_tables(path, &TABLES, size, (ROWS, BYTES), tell) {
        let _ = send.blocking_send(Err(error));
    }
}
