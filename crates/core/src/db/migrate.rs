//! Numbered, append-only, checksummed migrations, each in one transaction, after an encrypted backup.

use std::path::Path;
use std::time::Duration;

use aftercare_domain::error_code::ErrorCode;
use refinery::Runner;
use refinery::error::Kind;
use rusqlite::Connection;
use rusqlite::backup::Backup;

use super::DatabaseKey;
use crate::error::{Error, Result, code_of};

mod embedded {
    refinery::embed_migrations!("migrations");
}

fn runner() -> Runner {
    embedded::migrations::runner()
}

/// Brings the schema up to this version. A database that needs it is copied first
/// to `<name>.before-<version>`, encrypted under the same key.
pub(super) fn migrate(connection: &mut Connection, path: &Path, key: &DatabaseKey) -> Result<()> {
    let newest = runner().get_migrations().iter().map(|m| m.version()).max().unwrap_or(0);
    let current = version(connection)?;
    if current > newest {
        return Err(Error::new(ErrorCode::DatabaseNewer).with("database", current).with("program", newest));
    }
    if current < newest {
        copy_aside(connection, path, key, current)?;
        run(connection)?;
    }
    Ok(())
}

/// Applies every migration that is not there yet.
pub(super) fn run(connection: &mut Connection) -> Result<()> {
    runner().set_grouped(false).run(connection).map_err(|error| {
        let code = match error.kind() {
            Kind::MissingVersion(_) | Kind::DivergentVersion(..) => ErrorCode::DatabaseNewer,
            _ => cause(&error),
        };
        Error::new(code).caused_by(error)
    })?;
    Ok(())
}

/// What the database said: a full disk is the same to a person whether it fills in a migration or a call.
fn cause(error: &refinery::Error) -> ErrorCode {
    let mut next: Option<&(dyn std::error::Error + 'static)> = std::error::Error::source(error);
    while let Some(source) = next {
        if let Some(database) = source.downcast_ref::<rusqlite::Error>() {
            return code_of(database);
        }
        next = source.source();
    }
    ErrorCode::Internal
}

fn version(connection: &Connection) -> Result<i32> {
    let known: i64 = connection.query_row(
        "SELECT count(*) FROM sqlite_schema WHERE name = 'refinery_schema_history'",
        [],
        |row| row.get(0),
    )?;
    if known == 0 {
        return Ok(0);
    }
    let version: Option<i32> =
        connection.query_row("SELECT max(version) FROM refinery_schema_history", [], |row| row.get(0))?;
    Ok(version.unwrap_or(0))
}

fn copy_aside(connection: &Connection, path: &Path, key: &DatabaseKey, current: i32) -> Result<()> {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".before-{}", current + 1));
    let mut copy = Connection::open(Path::new(&name))?;
    super::open::apply_key(&copy, key)?;
    Backup::new(connection, &mut copy)?.run_to_completion(2048, Duration::ZERO, None)?;
    Ok(())
}
