//! A desk's database as its owner could read it with the printed recovery code, and a desk at work
//! in this process.

use std::path::Path;
use std::sync::Arc;

use aftercare_core::App;
use aftercare_core::db::Db;
use aftercare_core::env::{Env, PasswordCost};
use aftercare_core::session::{DATABASE_FILE, KeyFile, RecoveryCode};
use aftercare_sync::accept::decode;
use chrono::{TimeDelta, Utc};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::Answer;
use crate::headless::Headless;

/// An op of a desk's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Its number.
    pub dseq: i64,
    /// Its id; none when it was erased.
    pub id: Option<Uuid>,
    /// Why the server did not let it count, where the desk was told so.
    pub refused: Option<String>,
}

/// Every op that a desk has written.
///
/// # Errors
/// When the code does not open the database.
pub fn written(home: &Path, recovery_code: &str) -> Answer<Vec<Written>> {
    let db = open(home, recovery_code)?;
    Ok(db.read(|connection| {
        let mut statement = connection.prepare(
            "SELECT op.dseq AS dseq, bytes, why FROM op LEFT JOIN sync_verdict ON sync_verdict.dseq = op.dseq
             ORDER BY op.dseq",
        )?;
        let rows = statement.query_map([], |row| {
            let bytes: Vec<u8> = row.get("bytes")?;
            let id = decode(&bytes).map(|op| op.op_id);
            Ok(Written { dseq: row.get("dseq")?, id, refused: row.get("why")? })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    })?)
}

/// The desk's identity.
///
/// # Errors
/// When the code does not open the database.
pub fn device(home: &Path, recovery_code: &str) -> Answer<Uuid> {
    let db = open(home, recovery_code)?;
    let sql = "SELECT device_id FROM desk";
    Ok(db.read(|connection| Ok(connection.query_row(sql, [], |row| row.get("device_id"))?))?)
}

/// Whether the open database holds this text anywhere: in a table, an index, a log.
///
/// # Errors
/// When the code does not open the database.
pub fn holds(home: &Path, recovery_code: &str, canary: &str) -> Answer<Option<String>> {
    let db = open(home, recovery_code)?;
    Ok(db.read(|connection| {
        let mut tables = connection.prepare(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name",
        )?;
        let names: Vec<String> =
            tables.query_map([], |row| row.get("name"))?.collect::<rusqlite::Result<_>>()?;
        for name in names {
            let mut statement = connection.prepare(&format!("SELECT * FROM \"{name}\""))?;
            let columns = statement.column_count();
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                for column in 0..columns {
                    let bytes = match row.get_ref(column)? {
                        rusqlite::types::ValueRef::Text(bytes) | rusqlite::types::ValueRef::Blob(bytes) => {
                            bytes
                        }
                        _ => continue,
                    };
                    if contains(bytes, canary.as_bytes()) {
                        return Ok(Some(name));
                    }
                }
            }
        }
        Ok(None)
    })?)
}

/// Whether `bytes` hold `part`.
pub fn contains(bytes: &[u8], part: &[u8]) -> bool {
    memchr::memmem::find(bytes, part).is_some()
}

/// Changes the database behind the program's back.
///
/// # Errors
/// When the code does not open the database, or the database refuses the SQL.
pub fn change(home: &Path, recovery_code: &str, sql: &str) -> Answer {
    let db = open(home, recovery_code)?;
    Ok(db.maintain(|connection| Ok(connection.execute_batch(sql)?))?)
}

fn open(home: &Path, recovery_code: &str) -> Answer<Db> {
    let code = RecoveryCode::parse(recovery_code)?;
    let key = KeyFile::load(home)?.recovery_slot()?.open(&code)?;
    Ok(Db::open(&home.join(DATABASE_FILE), key)?)
}

/// A desk with somebody at it, in this process.
pub struct AtWork(Arc<App>);

impl AtWork {
    /// Signs in.
    ///
    /// # Errors
    /// When it is refused.
    pub fn at(desk: &Headless) -> Answer<Self> {
        Self::at_clock(desk, 0)
    }

    /// The same at a PC whose clock is so many seconds off.
    ///
    /// # Errors
    /// When it is refused.
    pub fn at_clock(desk: &Headless, off_seconds: i64) -> Answer<Self> {
        let password_cost = PasswordCost::Fixed { memory_kib: 256, passes: 1 };
        let clock = move || Utc::now() + TimeDelta::seconds(off_seconds);
        let env = Env { clock: Arc::new(clock), password_cost, ..Env::real() };
        let work = Self(App::open(&desk.home, env)?);
        work.call("session_login", json!({ "login": desk.user, "password": desk.password }))?;
        Ok(work)
    }

    /// Calls a command.
    ///
    /// # Errors
    /// When it is refused.
    pub fn call(&self, command: &str, request: Value) -> Answer<Value> {
        self.0.call(command, request).map_err(|error| {
            let error = serde_json::to_string(&error).unwrap_or_default();
            format!("{command}: {error}").into()
        })
    }

    /// A new patient.
    ///
    /// # Errors
    /// When it is refused.
    pub fn patient(&self, fields: Value, phone: &str) -> Answer<Uuid> {
        let made =
            self.call("archive_create", json!({ "fields": fields, "phone": phone, "confirmed": true }))?;
        Ok(Uuid::parse_str(made["id"].as_str().ok_or("a new patient has an id")?)?)
    }

    /// A note about a patient.
    ///
    /// # Errors
    /// When it is refused.
    pub fn note(&self, patient: Uuid, body: &str) -> Answer {
        self.call("archive_note", json!({ "patient_id": patient, "body": body })).map(|_| ())
    }

    /// Another value of a field.
    ///
    /// # Errors
    /// When it is refused.
    pub fn set(&self, patient: Uuid, field: &str, to: &str) -> Answer {
        let record = self.call("archive_patient", json!({ "id": patient }))?;
        let before = record["fields"].get(field).cloned().unwrap_or_else(|| json!(""));
        let change = json!({ "field": field, "was": before, "value": to });
        self.call("archive_save", json!({ "id": patient, "changes": [change] })).map(|_| ())
    }
}

impl Drop for AtWork {
    fn drop(&mut self) {
        let _ = self.0.call("session_lock", json!({}));
    }
}
