//! A desk for tests: a throw-away home, a clock that tests move, cheap passwords.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use aftercare_domain::access::{Permission, Role};
use chrono::{DateTime, TimeZone, Utc};
use serde_json::{Value, json};

use crate::app::{App, Ctx};
use crate::env::{Env, PasswordCost};
use crate::error::WireError;

pub const PASSWORD: &str = "correct horse 9";

/// A hospital with `alice`, its first person, at the desk.
pub struct Desk {
    pub home: tempfile::TempDir,
    pub app: Arc<App>,
    pub recovery_code: String,
    millis: Arc<AtomicI64>,
}

impl Desk {
    /// Set up and logged in, on Monday 2026-11-16 at 09:30 in China.
    pub fn new() -> Self {
        let millis = Arc::new(AtomicI64::new(
            Utc.with_ymd_and_hms(2026, 11, 16, 1, 30, 0).unwrap().timestamp_millis(),
        ));
        let home = tempfile::tempdir().unwrap();
        let app = App::open(home.path(), env(&millis)).unwrap();
        let answer = app
            .call(
                "session_setup",
                json!({ "hospital": "测试医院", "site": "总院", "login": "alice", "display_name": "Alice", "password": PASSWORD }),
            )
            .unwrap();
        let recovery_code = answer["recovery_code"].as_str().unwrap().to_owned();
        let desk = Self { home, app, recovery_code, millis };
        desk.login("alice").unwrap();
        desk
    }

    /// A copy of the whole PC, with the same person at it.
    pub fn copied(&self) -> Self {
        let home = tempfile::tempdir().unwrap();
        self.ctx().db().maintain(|c| Ok(c.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")?)).unwrap();
        for entry in std::fs::read_dir(self.home.path()).unwrap() {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_file() {
                std::fs::copy(entry.path(), home.path().join(entry.file_name())).unwrap();
            }
        }
        let app = App::open(home.path(), env(&self.millis)).unwrap();
        let copy =
            Self { home, app, recovery_code: self.recovery_code.clone(), millis: Arc::clone(&self.millis) };
        copy.login("alice").unwrap();
        copy
    }

    /// The same home opened again, as after a restart; nobody is logged in.
    pub fn restarted(&self) -> Arc<App> {
        App::open(self.home.path(), env(&self.millis)).unwrap()
    }

    pub fn login(&self, who: &str) -> Result<Value, WireError> {
        self.app.call("session_login", json!({ "login": who, "password": PASSWORD }))
    }

    /// Adds a colleague with the usual password.
    pub fn add(&self, login: &str, roles: &[Role]) -> Value {
        self.call(
            "staff_save",
            json!({ "id": null, "login": login, "display_name": login, "job_number": "", "department": "心血管内科",
                    "roles": roles, "active": true, "password": PASSWORD }),
        )
    }

    /// Calls a command that must succeed.
    pub fn call(&self, command: &str, request: Value) -> Value {
        self.app.call(command, request).unwrap_or_else(|error| panic!("{command}: {error:?}"))
    }

    /// Calls a command that must fail; its code.
    pub fn refused(&self, command: &str, request: Value) -> String {
        self.app.call(command, request).expect_err(command).code.as_str().to_owned()
    }

    /// The signed-in person's context, for calling Rust functions directly.
    pub fn ctx(&self) -> Ctx {
        self.app.signed_in("session_touch", Permission::SignedIn).unwrap()
    }

    pub fn now(&self) -> DateTime<Utc> {
        self.app.env.now()
    }

    /// Moves the clock.
    pub fn wait(&self, time: chrono::Duration) {
        self.millis.fetch_add(time.num_milliseconds(), Ordering::Relaxed);
    }
}

impl Default for Desk {
    fn default() -> Self {
        Self::new()
    }
}

/// A connection to the signed-in desk's database that no guard watches, for filling it in bulk.
pub fn raw_connection(app: &Arc<App>) -> rusqlite::Connection {
    raw_connection_at(app, app.current().unwrap().db.path())
}

/// The same on a copy of that database at `path`.
pub fn raw_connection_at(app: &Arc<App>, path: &std::path::Path) -> rusqlite::Connection {
    let connection = rusqlite::Connection::open(path).unwrap();
    crate::db::apply_key(&connection, app.current().unwrap().db.key()).unwrap();
    connection
}

/// An empty home, as on another PC.
pub fn other_pc() -> (tempfile::TempDir, Arc<App>) {
    let home = tempfile::tempdir().unwrap();
    let millis =
        Arc::new(AtomicI64::new(Utc.with_ymd_and_hms(2026, 11, 17, 1, 0, 0).unwrap().timestamp_millis()));
    let app = App::open(home.path(), env(&millis)).unwrap();
    (home, app)
}

fn env(millis: &Arc<AtomicI64>) -> Env {
    let millis = Arc::clone(millis);
    Env {
        clock: Arc::new(move || DateTime::from_timestamp_millis(millis.load(Ordering::Relaxed)).unwrap()),
        password_cost: PasswordCost::Fixed { memory_kib: 64, passes: 1 },
        release_keys: Vec::new(),
    }
}
