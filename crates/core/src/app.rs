//! The open application: a home folder, perhaps a session, and who listens.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use aftercare_domain::access::Permission;
use aftercare_domain::error_code::ErrorCode;
use aftercare_rehearsal::point;
use chrono::{DateTime, NaiveDateTime, Utc};
use rusqlite::Connection;
use serde::Serialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::change_log::Writer;
use crate::db::Db;
use crate::env::{self, Env};
use crate::error::{Error, Result, WireError};
use crate::session::{OpenSession, lock_is_due};
use crate::{audit, commands};

/// Something the window wants to know without asking.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Event {
    /// `changed` (payload `{features}`), `locked`, `job` (payload of the job), `sync` (a round ended).
    pub name: &'static str,
    /// What is said.
    pub payload: Value,
}

type Listener = Box<dyn Fn(&Event) + Send + Sync>;

/// What a person may do whose password has to be changed first. A draft that could not be kept
/// when the desk locked is kept even then.
const WHILE_PASSWORD_DUE: &[&str] = &["session_change_password", "session_touch", "settings_draft_save"];

/// One home folder, opened by one process.
pub struct App {
    pub(crate) home: PathBuf,
    pub(crate) env: Env,
    session: Mutex<Option<Arc<OpenSession>>>,
    listeners: RwLock<Vec<Listener>>,
    /// Long work in the background, by feature.
    pub(crate) jobs: crate::app::jobs::Jobs,
    /// Meeting the server.
    pub(crate) sync: crate::sync::Background,
}

pub mod jobs;

impl App {
    /// Opens the application on `home`, which need not exist yet.
    pub fn open(home: &Path, env: Env) -> Result<Arc<Self>> {
        std::fs::create_dir_all(home)?;
        crate::settings::finish_restore(home)?;
        Ok(Arc::new(Self {
            home: home.to_owned(),
            env,
            session: Mutex::new(None),
            listeners: RwLock::new(Vec::new()),
            jobs: jobs::Jobs::default(),
            sync: crate::sync::Background::default(),
        }))
    }

    /// The folder that holds everything of this desk.
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// Calls `command` with its request, as every host does. Panics inside become `Internal`.
    pub fn call(self: &Arc<Self>, command: &str, request: Value) -> Result<Value, WireError> {
        let trace = env::new_id(self.env.now()).simple().to_string()[20..].to_owned();
        let run = std::panic::AssertUnwindSafe(|| commands::dispatch(self, command, request));
        let result = std::panic::catch_unwind(run)
            .unwrap_or_else(|_| Err(Error::internal(format!("{command} panicked"))));
        result.map_err(|error| {
            if error.code == ErrorCode::Internal {
                tracing::error!(command, trace, %error, "command failed");
            } else {
                tracing::info!(command, trace, code = error.code.as_str(), "command refused");
            }
            error.to_wire(trace)
        })
    }

    /// Hears every event from now on.
    pub fn subscribe(&self, listener: impl Fn(&Event) + Send + Sync + 'static) {
        self.listeners.write().unwrap_or_else(PoisonError::into_inner).push(Box::new(listener));
    }

    /// To be called by the host about once a second: locks an idle desk, and meets the server when it is time.
    pub fn tick(self: &Arc<Self>) {
        let idle = self.current().is_some_and(|session| lock_is_due(&session, self.env.now()));
        if idle {
            self.close_session("session.idle_lock");
        }
        crate::sync::tick(self);
    }

    pub(crate) fn emit(&self, name: &'static str, payload: Value) {
        let event = Event { name, payload };
        for listener in self.listeners.read().unwrap_or_else(PoisonError::into_inner).iter() {
            listener(&event);
        }
    }

    pub(crate) fn emit_changed(&self, features: &BTreeSet<&'static str>) {
        if !features.is_empty() {
            self.emit("changed", json!({ "features": features }));
        }
    }

    fn slot(&self) -> MutexGuard<'_, Option<Arc<OpenSession>>> {
        self.session.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn current(&self) -> Option<Arc<OpenSession>> {
        self.slot().clone()
    }

    pub(crate) fn set_session(&self, session: Arc<OpenSession>) {
        *self.slot() = Some(session);
    }

    /// Ends the session. The database closes and its key is wiped when the last command or job
    /// that still uses it has ended.
    pub(crate) fn close_session(self: &Arc<Self>, action: &'static str) {
        let ended = self.slot().take();
        if let Some(session) = ended {
            let ctx = Ctx { app: Arc::clone(self), session };
            // Locking must not fail because its audit line cannot be written (a full disk, say).
            if let Err(error) = ctx.audit(action, None, json!({})) {
                tracing::warn!(%error, "the end of the session was not audited");
            }
            self.emit("locked", json!({}));
        }
    }

    /// The context of the signed-in user, if `permission` is among theirs.
    ///
    /// Errors: `SignedOut`, `PasswordDue` (unless `command` is one of those that changing needs), `Forbidden`.
    pub(crate) fn signed_in(self: &Arc<Self>, command: &str, permission: Permission) -> Result<Ctx> {
        let session = self.current().ok_or_else(|| Error::new(ErrorCode::SignedOut))?;
        if session.password_due().is_some() && !WHILE_PASSWORD_DUE.contains(&command) {
            return Err(Error::new(ErrorCode::PasswordDue));
        }
        if !session.permissions.contains(&permission) {
            let word = serde_json::to_value(permission)?;
            return Err(Error::new(ErrorCode::Forbidden).with("permission", word));
        }
        Ok(Ctx { app: Arc::clone(self), session })
    }
}

/// What a signed-in command works with.
#[derive(Clone)]
pub struct Ctx {
    pub(crate) app: Arc<App>,
    pub(crate) session: Arc<OpenSession>,
}

impl Ctx {
    /// Now, UTC.
    pub fn now(&self) -> DateTime<Utc> {
        self.app.env.now()
    }

    /// The hospital's wall clock.
    pub fn local_now(&self) -> NaiveDateTime {
        env::local(self.now())
    }

    /// A new id.
    pub fn new_id(&self) -> Uuid {
        env::new_id(self.now())
    }

    /// Who is signed in.
    pub fn user_id(&self) -> Uuid {
        self.session.user.id
    }

    /// Whether the signed-in user has `permission`.
    pub fn may(&self, permission: Permission) -> bool {
        self.session.permissions.contains(&permission)
    }

    /// The open database.
    pub fn db(&self) -> &Db {
        &self.session.db
    }

    /// Reads in one consistent snapshot.
    pub fn read<T>(&self, read: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        self.session.db.read(read)
    }

    /// Writes in one transaction through the change log, then tells the window what changed.
    pub fn write<T>(&self, write: impl FnOnce(&mut Writer<'_>) -> Result<T>) -> Result<T> {
        let now = self.now().timestamp_millis();
        let (result, touched, urgent) = self.session.db.write(|connection, open| {
            let mut writer = Writer::begin(connection, open, self.user_id(), now)?;
            let result = write(&mut writer)?;
            let urgent = writer.is_urgent();
            let touched = writer.finish()?;
            point("desk.write.before_commit");
            Ok((result, touched, urgent))
        })?;
        point("desk.write.after_commit");
        self.app.emit_changed(&touched);
        if urgent {
            self.app.sync.hurry(now);
        }
        Ok(result)
    }

    /// Writes one line of the audit trail in a transaction of its own (for reads and exports;
    /// writes call `audit::append` inside theirs). Ids only, never names or numbers.
    pub fn audit(&self, action: &str, subject: Option<Uuid>, detail: Value) -> Result<()> {
        let now = self.now().timestamp_millis();
        self.session
            .db
            .write(|connection, _| audit::append(connection, now, self.user_id(), action, subject, &detail))
    }
}
