//! Putting a backup in place.

use std::fs::File;
use std::io::BufReader;
use std::sync::Arc;

use aftercare_domain::error_code::ErrorCode;
use serde_json::json;

use super::{RestoreRequest, RestoreResponse, backup};
use crate::app::App;
use crate::db::{DatabaseKey, Db};
use crate::error::{Error, FieldErrors, Result};
use crate::session::{KeyFile, RecoveryCode};
use crate::{audit, staff};

/// Checks the whole backup first; only then the desk that is there is put aside.
///
/// Errors: `NotABackup`, `BackupDamaged`, `WrongPassword`, `WrongRecoveryCode`, `Invalid` (unknown
/// person, weak password), `DatabaseNewer`, `DiskFull`.
pub(super) fn restore(app: &Arc<App>, request: &RestoreRequest) -> Result<RestoreResponse> {
    let mut file = BufReader::new(File::open(&request.path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => Error::new(ErrorCode::FileMissing),
        _ => Error::new(ErrorCode::FileUnreadable).caused_by(error),
    })?);
    let read = backup::read_header(&mut file)?;
    let login = request.login.trim();
    let key = key_of(app, &read.header.keys, request)?;
    let database = backup::unpack(&app.home, &mut file, &read, &key)?;
    let now = app.env.now().timestamp_millis();
    let keys = {
        let db = Db::open(&database, key.clone())?;
        let member = db.read(|c| staff::by_login(c, login))?.filter(|member| member.active);
        let member = member.ok_or_else(|| Error::field("login", ErrorCode::NotFound))?;
        let detail = json!({ "made_at": read.header.made_at });
        db.write(|c, _| audit::append(c, now, member.id, "settings.restore", None, &detail))?;
        match request.recovery_code {
            None => read.header.keys.clone(),
            Some(_) => {
                let policy = db.read(super::load)?.password_policy;
                let mut errors = FieldErrors::default();
                policy.check(&mut errors, "password", &request.password, login);
                errors.check()?;
                let mut keys = read.header.keys.for_another_machine()?;
                keys.put(member.id, &member.login, &request.password, &key, app.env.password_cost)?;
                keys
            }
        }
    };
    app.close_session("session.replaced");
    backup::install(&app.home, &keys, now)?;
    Ok(RestoreResponse { hospital: read.header.hospital, made_at: read.header.made_at })
}

/// The key by the printed code, or by a password on the PC that made the backup.
fn key_of(app: &App, keys: &KeyFile, request: &RestoreRequest) -> Result<DatabaseKey> {
    match &request.recovery_code {
        Some(code) => keys.recovery_slot()?.open(&RecoveryCode::parse(code)?),
        None => {
            let login = request.login.trim();
            let from_backup = keys.open(login, &request.password)?;
            let opened = match from_backup {
                Some(opened) => Some(opened),
                // A password changed since the backup still opens it on the desk that made it.
                None if KeyFile::exists(&app.home) => {
                    KeyFile::load(&app.home)?.open(login, &request.password)?
                }
                None => None,
            };
            opened.map(|(_, key)| key).ok_or_else(|| Error::new(ErrorCode::WrongPassword).with("left", "–"))
        }
    }
}
