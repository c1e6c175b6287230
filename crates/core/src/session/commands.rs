//! Set-up, login, recovery, lock.

use std::path::Path;
use std::sync::Arc;

use aftercare_domain::access::Role;
use aftercare_domain::error_code::ErrorCode;
use serde_json::json;
use zeroize::Zeroizing;

use super::keys::{self, RecoveryCode};
use super::machine::{ServerFile, Wiped};
use super::slots::{KeyFile, RecoverySlot};
use super::{
    ChangePasswordRequest, ConfirmRequest, DATABASE_FILE, LoginRequest, OpenSession, Passing, RecoverRequest,
    SessionState, SessionStatus, SetupRequest, SetupResponse, StatusRequest,
};
use crate::app::{App, Ctx};
use crate::commands::Done;
use crate::db::{self, DatabaseKey, Db};
use crate::error::{Error, FieldErrors, Result};
use crate::reports::dashboard;
use crate::{env, forms, settings, staff};

/// Where the desk stands; needs no login.
pub fn status(app: &Arc<App>, _: StatusRequest) -> Result<SessionStatus> {
    let mut status = SessionStatus {
        state: SessionState::Setup,
        hospital: String::new(),
        site: String::new(),
        has_server: false,
        nobody_yet: false,
        wiped: false,
        user: None,
        password_due: None,
        idle_seconds: 0,
        password_min_length: settings::PasswordPolicy::default().min_length,
        app_version: env!("CARGO_PKG_VERSION").to_owned(),
    };
    if !KeyFile::exists(&app.home) {
        status.wiped = Wiped::is_left(&app.home);
        return Ok(status);
    }
    let keys = KeyFile::load(&app.home)?;
    (status.has_server, status.nobody_yet) = (ServerFile::exists(&app.home), keys.is_nobodys());
    (status.hospital, status.site) = (keys.hospital, keys.site);
    status.state = SessionState::Locked;
    if let Some(session) = app.current() {
        status.state = SessionState::Open;
        status.user = Some(session.user.clone());
        status.password_due = session.password_due();
        status.idle_seconds = session.idle_seconds.load(std::sync::atomic::Ordering::Relaxed);
        status.password_min_length = session.db.read(settings::load)?.password_policy.min_length;
    }
    Ok(status)
}

/// Makes the hospital: a new key, the database, the first person, the recovery code.
///
/// The key file is written last: a crash before leaves a folder that can be set up again.
pub fn setup(app: &Arc<App>, request: SetupRequest) -> Result<SetupResponse> {
    if KeyFile::exists(&app.home) {
        return Err(Error::new(ErrorCode::AlreadySetUp));
    }
    check_setup(&request)?;
    let database = app.home.join(DATABASE_FILE);
    let key = start_database(&database)?;
    let code = RecoveryCode::random()?;
    let first = staff::first_member(&request, env::new_id(app.env.now()));
    {
        let db = Db::open(&database, key.clone())?;
        let now = app.env.now();
        db.write(|connection, open| staff::found_hospital(connection, open, &request, &first, now))?;
    }
    let mut file = KeyFile::new(request.hospital.trim(), request.site.trim())?;
    file.put(first.id, &first.login, &request.password, &key, app.env.password_cost)?;
    file.recovery = Some(RecoverySlot::new(&key, &code)?);
    file.save(&app.home)?;
    Wiped::clear(&app.home)?;
    Ok(SetupResponse { recovery_code: code.text() })
}

/// An empty database under a new key.
pub(crate) fn start_database(database: &Path) -> Result<DatabaseKey> {
    discard_unfinished(database)?;
    let key = keys::new_database_key()?;
    db::create(database, &key)?;
    Ok(key)
}

fn check_setup(request: &SetupRequest) -> Result<()> {
    let mut errors = FieldErrors::default();
    for (field, value) in [("hospital", &request.hospital), ("site", &request.site)] {
        check_text(&mut errors, field, value, 100);
    }
    check_text(&mut errors, "display_name", &request.display_name, 50);
    staff::check_login(&mut errors, "login", &request.login);
    settings::PasswordPolicy::default().check(&mut errors, "password", &request.password, &request.login);
    errors.check()
}

fn check_text(errors: &mut FieldErrors, field: &str, value: &str, max: usize) {
    if value.trim().is_empty() {
        errors.add(field, ErrorCode::Required);
    } else if value.chars().count() > max {
        errors.add_with(field, ErrorCode::TooLong, "max", max);
    }
}

/// A database without a key file is the rest of a set-up that was cut off: nobody can open it.
/// It is put aside, not deleted.
fn discard_unfinished(database: &Path) -> Result<()> {
    if database.exists() {
        let mut aside = database.as_os_str().to_owned();
        aside.push(".unfinished");
        std::fs::rename(database, Path::new(&aside))?;
    }
    for ending in ["-wal", "-shm"] {
        let mut beside = database.as_os_str().to_owned();
        beside.push(ending);
        match std::fs::remove_file(Path::new(&beside)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
    }
    Ok(())
}

/// Checks the password by unwrapping the key, and opens the database.
///
/// Errors: `WrongPassword` (with `left`), `LockedOut`, `NotSetUp`, and those of opening.
pub fn login(app: &Arc<App>, request: LoginRequest) -> Result<SessionStatus> {
    let login = request.login.trim();
    let (user_id, key) = unlock(app, login, &request.password)?;
    let status = open_session(app, key, |member| member.id == user_id, "session.login", None)?;
    if let Some(session) = app.current()
        && session.db.read(|connection| crate::sync::password_is_news(connection, user_id))?
    {
        session.pass_on(Passing { old: None, new: Zeroizing::new(request.password) });
    }
    Ok(status)
}

/// The key, if the password is right; counts failures.
fn unlock(app: &App, login: &str, password: &str) -> Result<(uuid::Uuid, DatabaseKey)> {
    let mut file = KeyFile::load(&app.home)?;
    let left = count_try(app, &mut file, login)?;
    match file.open(login, password)? {
        Some(opened) => {
            file.failures.clear(login);
            file.save(&app.home)?;
            Ok(opened)
        }
        None => Err(Error::new(ErrorCode::WrongPassword).with("left", left)),
    }
}

/// Counts a try before it is made, or refuses it. Returns how many are left.
fn count_try(app: &App, file: &mut KeyFile, login: &str) -> Result<u32> {
    let now = app.env.now().timestamp_millis();
    let refused = file.failures.check(login, now);
    let left = if refused.is_ok() { file.failures.count(login, now) } else { 0 };
    file.save(&app.home)?;
    refused.map(|()| left)
}

fn open_session(
    app: &Arc<App>,
    key: DatabaseKey,
    is_user: impl Fn(&staff::StaffMember) -> bool,
    action: &'static str,
    chosen_at: Option<i64>,
) -> Result<SessionStatus> {
    app.close_session("session.replaced");
    let db = crate::updates::open(&app.home, key)?;
    let now = app.env.now();
    let (member, settings, noted) = db.read(|connection| {
        let member = staff::all(connection)?.into_iter().find(|member| is_user(member) && member.active);
        let member = member.ok_or_else(|| Error::new(ErrorCode::WrongPassword))?;
        let noted = staff::password_chosen_at(connection, member.id)?;
        Ok((member, settings::load(connection)?, noted))
    })?;
    let due = settings.password_policy.due(chosen_at.unwrap_or(noted), now.timestamp_millis());
    let session = Arc::new(OpenSession::new(db, member.session_user(), &settings, due, now));
    let ctx = Ctx { app: Arc::clone(app), session: Arc::clone(&session) };
    if let Some(at) = chosen_at {
        ctx.write(|writer| staff::note_password(writer, member.id, at))?;
    }
    ctx.audit(action, Some(member.id), json!({}))?;
    // A newer program may bring newer plans.
    if ctx.read(forms::seed_is_due)? {
        ctx.write(forms::seed)?;
    }
    app.set_session(session);
    // What a large import left, if the program was ended meanwhile.
    dashboard::beside(&ctx);
    status(app, StatusRequest {})
}

/// The printed code gives a person a new password and logs them in.
///
/// Errors: `WrongRecoveryCode`, `LockedOut`, `Invalid` (a weak password), `NotFound` (no such person).
pub fn recover(app: &Arc<App>, request: RecoverRequest) -> Result<SessionStatus> {
    let login = request.login.trim().to_owned();
    let mut file = KeyFile::load(&app.home)?;
    // Counted apart from passwords: a locked-out person may still use the code.
    let counted = "recovery code";
    count_try(app, &mut file, counted)?;
    let key = file.recovery_slot()?.open(&RecoveryCode::parse(&request.recovery_code)?)?;
    let member = {
        let db = Db::open(&app.home.join(DATABASE_FILE), key.clone())?;
        let (member, settings) = db.read(|c| Ok((staff::by_login(c, &login)?, settings::load(c)?)))?;
        let mut errors = FieldErrors::default();
        settings.password_policy.check(&mut errors, "new_password", &request.new_password, &login);
        errors.check()?;
        member.filter(|member| member.active).ok_or_else(|| Error::field("login", ErrorCode::NotFound))?
    };
    file.put(member.id, &member.login, &request.new_password, &key, app.env.password_cost)?;
    file.failures.clear(counted);
    file.failures.clear(&login);
    file.save(&app.home)?;
    let now = app.env.now().timestamp_millis();
    open_session(app, key, |m| m.id == member.id, "session.recovered", Some(now))
}

/// Locks the desk; works for anybody, also when it is locked already.
pub fn lock(app: &Arc<App>, _: StatusRequest) -> Result<Done> {
    app.close_session("session.lock");
    Ok(Done {})
}

/// Somebody is at the desk.
pub fn touch(ctx: &Ctx, _: StatusRequest) -> Result<Done> {
    ctx.session.touch(ctx.now());
    Ok(Done {})
}

/// Checks the signed-in person's password again, as exports and new codes ask.
///
/// Errors: `WrongPassword`, `LockedOut`.
pub fn confirm_password(ctx: &Ctx, password: &str) -> Result<()> {
    unlock(&ctx.app, &ctx.session.user.login, password).map(|_| ())
}

/// A new password for the signed-in person.
pub fn change_password(ctx: &Ctx, request: ChangePasswordRequest) -> Result<Done> {
    let policy = ctx.read(settings::load)?.password_policy;
    let mut errors = FieldErrors::default();
    policy.check(&mut errors, "new_password", &request.new_password, &ctx.session.user.login);
    if request.new_password == request.password {
        errors.add("new_password", ErrorCode::SamePassword);
    }
    errors.check()?;
    confirm_password(ctx, &request.password)?;
    staff::set_password(ctx, ctx.user_id(), &ctx.session.user.login, &request.new_password)?;
    ctx.session.password_changed();
    if ctx.read(|connection| crate::sync::password_is_news(connection, ctx.user_id()))? {
        let old = Some(Zeroizing::new(request.password));
        ctx.session.pass_on(Passing { old, new: Zeroizing::new(request.new_password) });
    }
    Ok(Done {})
}

/// A new printed code; the old one opens nothing any more (but old backups).
pub fn new_recovery_code(ctx: &Ctx, request: ConfirmRequest) -> Result<SetupResponse> {
    confirm_password(ctx, &request.password)?;
    let code = RecoveryCode::random()?;
    let mut file = KeyFile::load(&ctx.app.home)?;
    file.recovery = Some(RecoverySlot::new(ctx.db().key(), &code)?);
    file.save(&ctx.app.home)?;
    ctx.audit("session.new_recovery_code", None, json!({}))?;
    Ok(SetupResponse { recovery_code: code.text() })
}

/// Roles of the first person: a small hospital has one who does everything but audit.
pub(crate) const FIRST_ROLES: &[Role] = &[Role::Administrator, Role::Supervisor];
