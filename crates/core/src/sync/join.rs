//! A new PC of a hospital that has a server: no hospital of its own is made, everything comes from
//! there; and a colleague who is new to a PC.

use std::sync::Arc;

use aftercare_domain::error_code::ErrorCode;
use aftercare_rehearsal::point;
use aftercare_sync::HOSPITAL;
use aftercare_sync::code::EnrolCode;
use aftercare_sync::door::EnrolAnswer;
use rusqlite::{Connection, params};
use serde_json::json;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::client::{self, Https, Line};
use super::{JoinRequest, JoinResponse, OnlineLoginRequest, enrol, round};
use crate::app::jobs::Progress;
use crate::app::{App, Ctx};
use crate::db::{self, DatabaseKey, Db};
use crate::error::{Error, Result};
use crate::session::{
    DATABASE_FILE, KeyFile, OpenSession, RecoveryCode, RecoverySlot, ServerFile, SessionStatus, SessionUser,
    open_database_key, seal_database_key, start_database,
};
use crate::settings::Settings;
use crate::{audit, env, staff};

/// Makes an empty desk of the hospital behind the code, for somebody whom the server knows. Staff,
/// sites, settings and plans are here when this ends; the patients come with the first rounds.
///
/// # Errors
/// `AlreadySetUp`, `SyncCodeWithoutSites`, `SyncLogin`, and those of joining.
pub fn join(app: &Arc<App>, request: JoinRequest) -> Result<JoinResponse> {
    if KeyFile::exists(&app.home) {
        return Err(Error::new(ErrorCode::AlreadySetUp));
    }
    let address = client::address(&request.address)?;
    let code = EnrolCode::parse(&request.code)
        .map_err(|error| Error::new(ErrorCode::SyncBadCode).caused_by(error))?;
    let authority = client::authority(&address, &code)?;
    let (seed, device) = (client::new_seed()?, env::new_id(app.env.now()));
    let asked = enrol::request(&code, device, &seed, None, 0)?;
    let answer = client::enrol(&address, &authority, &asked)?;
    point("desk.join.asked");
    let Some(site) = answer.sites.first().copied() else {
        return Err(Error::new(ErrorCode::SyncCodeWithoutSites));
    };
    let database = app.home.join(DATABASE_FILE);
    let key = start_database(&database)?;
    let db = Db::open(&database, key.clone())?;
    db.write(|connection, _| {
        found_desk(connection, device, site, &answer, app.env.now().timestamp_millis())?;
        enrol::keep_server(connection, &address, &authority, &seed, &answer, app.env.now().timestamp_millis())
    })?;
    point("desk.join.founded");
    let clock = Arc::clone(&app.env.clock);
    let line = Https::new(&address, &authority, &seed, device, clock)?;
    let ctx = nobody(app, db);
    round::fill(&ctx, &line, &Progress::unwatched(), &mut round::Report::default(), Some(HOSPITAL))?;
    point("desk.join.filled");
    let site_name: Option<String> = ctx.read(|connection| {
        let name = connection.query_row("SELECT name FROM site WHERE id = ?1", [site], |row| row.get("name"));
        db::optional(name)
    })?;
    let mut keys = KeyFile::new(&answer.hospital, &site_name.unwrap_or_default())?;
    line.leave_key(&seal_database_key(&keys, &key)?)?;
    point("desk.join.key_left");
    let login = line.login(&request.login, &request.password)?;
    admit(&ctx, &mut keys, login.user, &request.login, &request.password, &key)?;
    point("desk.join.admitted");
    let recovery = RecoveryCode::random()?;
    keys.recovery = Some(RecoverySlot::new(&key, &recovery)?);
    ServerFile::save(&app.home, &keys, &address, &authority, device, &seed)?;
    point("desk.join.server_kept");
    keys.save(&app.home)?;
    Ok(JoinResponse { hospital: answer.hospital, recovery_code: recovery.text() })
}

/// The desk's first row. It has no history of its own.
fn found_desk(
    connection: &Connection,
    device: Uuid,
    site: Uuid,
    answer: &EnrolAnswer,
    now_millis: i64,
) -> Result<()> {
    connection.execute(
        "INSERT INTO desk (only_row, device_id, hospital, site_id, made_at, last_dseq, chain_hash, last_hlc)
         VALUES (1, ?1, ?2, ?3, ?4, 0, x'', 0)",
        params![device, answer.hospital, site, now_millis],
    )?;
    Ok(())
}

/// The database open with nobody at it.
fn nobody(app: &Arc<App>, db: Db) -> Ctx {
    let user = SessionUser {
        id: Uuid::nil(),
        login: String::new(),
        display_name: String::new(),
        roles: Vec::new(),
        permissions: Vec::new(),
    };
    let session = OpenSession::new(db, user, &Settings::default(), None, app.env.now());
    Ctx { app: Arc::clone(app), session: Arc::new(session) }
}

/// Gives somebody whom the server has let in a slot on this PC.
fn admit(
    ctx: &Ctx,
    keys: &mut KeyFile,
    user: Uuid,
    login: &str,
    password: &str,
    key: &DatabaseKey,
) -> Result<()> {
    let members = ctx.read(staff::all)?;
    let member = members.iter().find(|member| member.id == user && member.active);
    let member = member.ok_or_else(|| Error::new(ErrorCode::SyncLogin))?;
    if member.login != login.trim() {
        return Err(Error::new(ErrorCode::SyncLogin));
    }
    keys.put(user, &member.login, password, key, ctx.app.env.password_cost)?;
    let now = ctx.now().timestamp_millis();
    ctx.db().write(|c, _| audit::append(c, now, user, "sync.join", Some(user), &json!({})))
}

/// Somebody who is new to this PC logs in once at the server, and from then on here.
///
/// # Errors
/// `SyncNotEnrolled`, `SyncLogin`, and those of every request.
pub fn online_login(app: &Arc<App>, request: OnlineLoginRequest) -> Result<SessionStatus> {
    let mut keys = KeyFile::load(&app.home)?;
    let server = ServerFile::load(&app.home)?;
    let seed = server.seed(&keys)?;
    let clock = Arc::clone(&app.env.clock);
    let line = Https::new(&server.address, &server.authority()?, &seed[..], server.device, clock)?;
    let password = Zeroizing::new(request.password);
    let login = line.login(&request.login, &password)?;
    let key = open_database_key(&keys, &login.sealed_key)?;
    app.close_session("session.replaced");
    {
        let ctx = nobody(app, Db::open(&app.home.join(DATABASE_FILE), key.clone())?);
        // The colleague's record may have been made since this PC last heard of the server.
        round::run_as_guest(&ctx, &line)?;
        admit(&ctx, &mut keys, login.user, &request.login, &password, &key)?;
    }
    keys.save(&app.home)?;
    crate::session::commands::login(
        app,
        crate::session::LoginRequest { login: request.login, password: password.to_string() },
    )
}
