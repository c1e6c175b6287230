//! Opening SQLCipher files.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use aftercare_domain::error_code::ErrorCode;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::{Connection, OpenFlags};
use zeroize::Zeroizing;

use super::DatabaseKey;
use crate::change_log::is_synced;
use crate::error::{Error, Result};

/// How long a write waits for another program on the same file (the nightly import, say).
const BUSY: Duration = Duration::from_secs(5);

/// Creates a new database file at `path`, with the whole schema.
pub fn create(path: &Path, key: &DatabaseKey) -> Result<()> {
    let mut connection = Connection::open(path)?;
    apply_key(&connection, key)?;
    configure(&connection)?;
    super::migrate::run(&mut connection)?;
    Ok(())
}

/// Opens an existing file for writing.
pub(super) fn connect(path: &Path, key: &DatabaseKey) -> Result<Connection> {
    // SQLite takes an empty file for a new database: a hospital whose data are gone must not open as an empty one.
    if std::fs::metadata(path)?.len() == 0 {
        return Err(Error::new(ErrorCode::DatabaseDamaged));
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    apply_key(&connection, key)?;
    configure(&connection)?;
    Ok(connection)
}

/// Opens an existing file so that nothing can be written through it.
pub(super) fn connect_reader(path: &Path, key: &DatabaseKey) -> Result<Connection> {
    let connection = connect(path, key)?;
    connection.pragma_update(None, "query_only", true)?;
    Ok(connection)
}

/// Gives SQLCipher its raw key (no passphrase derivation, which would cost 236 ms a connection)
/// and reads one page, so that a wrong key or a foreign file is told here.
pub fn apply_key(connection: &Connection, key: &DatabaseKey) -> Result<()> {
    let hex = Zeroizing::new(data_encoding::HEXLOWER.encode(&key[..]));
    let pragma = Zeroizing::new(format!("PRAGMA key = \"x'{}'\"", hex.as_str()));
    // SQLCipher would write its own lines to standard error; what went wrong comes back as an error.
    connection.execute_batch("PRAGMA cipher_log_level = NONE")?;
    connection.execute_batch(&pragma)?;
    connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
    Ok(())
}

fn configure(connection: &Connection) -> Result<()> {
    connection.busy_timeout(BUSY)?;
    connection.set_prepared_statement_cache_capacity(256);
    // FULL: an acknowledged write survives a power cut. MEMORY: no plain temporary files.
    connection.execute_batch(
        "PRAGMA journal_mode = WAL;
         PRAGMA synchronous = FULL;
         PRAGMA temp_store = MEMORY;
         PRAGMA cache_size = -8000;
         PRAGMA trusted_schema = OFF;",
    )?;
    Ok(())
}

/// Refuses to prepare any statement that writes a synced table while the change log is not
/// the one preparing it: the one write path, enforced by the database itself.
pub(super) fn guard_synced_tables(
    connection: &mut Connection,
    change_log_open: Arc<AtomicBool>,
) -> Result<()> {
    connection.authorizer(Some(move |context: AuthContext<'_>| {
        let table = match context.action {
            AuthAction::Insert { table_name } | AuthAction::Delete { table_name } => table_name,
            AuthAction::Update { table_name, .. } => table_name,
            _ => return Authorization::Allow,
        };
        if is_synced(table) && !change_log_open.load(Ordering::Relaxed) {
            Authorization::Deny
        } else {
            Authorization::Allow
        }
    }))?;
    Ok(())
}
