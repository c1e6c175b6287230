//! Who is at the desk: set-up, login, lockout, lock, recovery.
//!
//! The database's random key lies wrapped in key slots, one per user and one for the printed
//! recovery code. A password is checked by unwrapping; no hash of it is kept anywhere.

pub mod commands;
mod keys;
mod lockout;
mod machine;
mod slots;
#[cfg(test)]
mod tests;

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use aftercare_domain::access::{Permission, Role};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::db::Db;
use crate::settings::Settings;
use crate::sync::Https;

pub(crate) use commands::start_database;
pub use keys::RecoveryCode;
pub(crate) use machine::{ServerFile, Wiped, open_database_key, seal_database_key};
pub use slots::{KeyFile, RecoverySlot, add_user_slot, remove_user_slot};

/// The database's file name in the home folder.
pub const DATABASE_FILE: &str = "aftercare.db";

/// The signed-in person and the open database.
pub struct OpenSession {
    /// The database; closes with the session.
    pub db: Db,
    /// Who.
    pub user: SessionUser,
    /// What they may do.
    pub permissions: Vec<Permission>,
    /// After how many idle seconds the desk locks.
    pub idle_seconds: AtomicI64,
    last_touch_millis: AtomicI64,
    password_due: Mutex<Option<PasswordDue>>,
    /// A password that the server does not know yet, until it was told.
    passing: Mutex<Option<Passing>>,
    /// The line to the server, with its token and the end of its last handshake.
    line: Mutex<Option<Arc<Https>>>,
}

/// A password on its way to the server, so that its owner can go to another PC.
pub(crate) struct Passing {
    /// The one before, when it was changed.
    pub old: Option<Zeroizing<String>>,
    /// The one that holds.
    pub new: Zeroizing<String>,
}

impl OpenSession {
    pub(crate) fn new(
        db: Db,
        user: SessionUser,
        settings: &Settings,
        due: Option<PasswordDue>,
        now: DateTime<Utc>,
    ) -> Self {
        let permissions = user.permissions.clone();
        Self {
            db,
            user,
            permissions,
            idle_seconds: AtomicI64::new(settings.idle_seconds),
            last_touch_millis: AtomicI64::new(now.timestamp_millis()),
            password_due: Mutex::new(due),
            passing: Mutex::new(None),
            line: Mutex::new(None),
        }
    }

    /// The line kept from the last time.
    pub(crate) fn line(&self) -> Option<Arc<Https>> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Keeps a line for the next time.
    pub(crate) fn keep_line(&self, line: Arc<Https>) {
        *self.line.lock().unwrap_or_else(PoisonError::into_inner) = Some(line);
    }

    /// Why the password has to be changed before anything else, if it has.
    pub fn password_due(&self) -> Option<PasswordDue> {
        *self.password_due.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn password_changed(&self) {
        *self.password_due.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    pub(crate) fn pass_on(&self, passing: Passing) {
        *self.passing.lock().unwrap_or_else(PoisonError::into_inner) = Some(passing);
    }

    pub(crate) fn take_passing(&self) -> Option<Passing> {
        self.passing.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    pub(crate) fn touch(&self, now: DateTime<Utc>) {
        self.last_touch_millis.store(now.timestamp_millis(), Ordering::Relaxed);
    }
}

/// Whether nobody has touched the desk for too long. A clock set back counts as a touch at the
/// new time, not as an endless session.
pub(crate) fn lock_is_due(session: &OpenSession, now: DateTime<Utc>) -> bool {
    let now = now.timestamp_millis();
    let last = session.last_touch_millis.load(Ordering::Relaxed);
    if now < last {
        session.last_touch_millis.store(now, Ordering::Relaxed);
        return false;
    }
    now - last >= session.idle_seconds.load(Ordering::Relaxed).saturating_mul(1000)
}

/// What the window knows of the signed-in person.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
pub struct SessionUser {
    /// The person.
    pub id: Uuid,
    /// What they type to log in.
    pub login: String,
    /// What others see.
    pub display_name: String,
    /// Their parts.
    pub roles: Vec<Role>,
    /// What these allow.
    pub permissions: Vec<Permission>,
}

/// Asks for nothing but an answer.
#[derive(Debug, Deserialize, TS)]
pub struct StatusRequest {}

/// Where the desk stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum SessionState {
    /// No hospital yet: show the first-run wizard.
    Setup,
    /// Somebody has to log in.
    Locked,
    /// Somebody is logged in.
    Open,
}

/// Why a password has to be changed before anything else. Only where the hospital limits the
/// age of passwords.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum PasswordDue {
    /// It is older than the hospital allows.
    TooOld,
    /// Somebody else chose it: the first password, or one given after it was forgotten.
    Given,
}

/// The desk as the window first sees it.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
pub struct SessionStatus {
    /// Which page to show.
    pub state: SessionState,
    /// The hospital's name, once set up.
    pub hospital: String,
    /// The site's name, once set up.
    pub site: String,
    /// Whether this PC has a server, at which somebody new to it can log in.
    pub has_server: bool,
    /// Whether nobody can log in without that server yet.
    pub nobody_yet: bool,
    /// Whether the PC was erased because it had been reported lost.
    pub wiped: bool,
    /// Who is logged in.
    pub user: Option<SessionUser>,
    /// Why they can do nothing but change their password, if so.
    pub password_due: Option<PasswordDue>,
    /// After how many idle seconds the desk locks.
    #[ts(type = "number")]
    pub idle_seconds: i64,
    /// Fewest characters of a new password: the hospital's rule, or the program's while the settings are closed.
    pub password_min_length: u32,
    /// Version of the program.
    pub app_version: String,
}

/// The first run: the hospital, the site, and the first person, who administers and supervises.
#[derive(Deserialize, TS)]
pub struct SetupRequest {
    /// The hospital's name.
    pub hospital: String,
    /// The site's name.
    pub site: String,
    /// Login of the first person.
    pub login: String,
    /// Their name.
    pub display_name: String,
    /// Their password.
    pub password: String,
}

/// What must be printed or written down now: it is shown once.
#[derive(Serialize, TS)]
pub struct SetupResponse {
    /// Opens the database, or a backup on another PC, when every password is lost.
    pub recovery_code: String,
}

/// A login.
#[derive(Deserialize, TS)]
pub struct LoginRequest {
    /// What the person is called here.
    pub login: String,
    /// Their password.
    pub password: String,
}

/// Every password is lost: the code gives `login` a new one.
#[derive(Deserialize, TS)]
pub struct RecoverRequest {
    /// As printed; spaces, dashes and case do not matter.
    pub recovery_code: String,
    /// An active person of this desk.
    pub login: String,
    /// Their new password.
    pub new_password: String,
}

/// The signed-in person's password again.
#[derive(Deserialize, TS)]
pub struct ConfirmRequest {
    /// The password.
    pub password: String,
}

/// A new password for the signed-in person.
#[derive(Deserialize, TS)]
pub struct ChangePasswordRequest {
    /// The password until now.
    pub password: String,
    /// The password from now on.
    pub new_password: String,
}
