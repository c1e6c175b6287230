//! A new PC of a hospital that has a server: no hospital of its own is made, everything comes from
//! there; and a colleague who is new to a PC.

use std::sync::Arc;

use aftercare_domain::error_code::ErrorCode;
use aftercare_rehearsal::point;
use aftercare_sync::code::EnrolCode;
use aftercare_sync::door::EnrolAnswer;
use aftercare_sync::fingerprint::Fingerprint;
use rusqlite::{Connection, params};
use serde_json::json;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::client::{self, Https, Line};
use super::{FindRequest, FindResponse, JoinRequest, JoinResponse, OnlineLoginRequest, enrol, people, round};
use crate::app::{App, Ctx};
use crate::db::{DatabaseKey, Db};
use crate::error::{Error, Result};
use crate::session::{
    DATABASE_FILE, KeyFile, OpenSession, RecoveryCode, RecoverySlot, ServerFile, SessionStatus, SessionUser,
    Wiped, open_database_key, seal_database_key, start_database,
};
use crate::settings::Settings;
use crate::{audit, env, staff};

/// Which server answers at the address, if it is the one for which the code was made. Nothing is told to it.
///
/// # Errors
/// `AlreadySetUp`, `Invalid` at `address`, `SyncBadCode`, `SyncWrongServer`, `SyncUnreachable`.
pub fn find(app: &Arc<App>, request: FindRequest) -> Result<FindResponse> {
    if KeyFile::exists(&app.home) {
        return Err(Error::new(ErrorCode::AlreadySetUp));
    }
    let address = client::address(&request.address)?;
    let authority = client::authority(&address, &read_code(&request.code)?)?;
    let Fingerprint { chinese, english } = Fingerprint::of(&authority);
    Ok(FindResponse {
        server: address.trim_start_matches("https://").to_owned(),
        fingerprint: chinese,
        fingerprint_words: english,
        pc_name: enrol::machine_name(),
    })
}

fn read_code(typed: &str) -> Result<EnrolCode> {
    EnrolCode::parse(typed).map_err(|error| Error::new(ErrorCode::SyncBadCode).caused_by(error))
}

/// Who this PC is about to be at a server, from the first asking on: when an answer is lost on its way,
/// the same code is asked with again and means the same desk.
pub(super) struct Applicant {
    code: EnrolCode,
    device: Uuid,
    seed: [u8; 32],
}

fn applicant(app: &App, code: &EnrolCode) -> Result<(Uuid, [u8; 32])> {
    let mut kept = app.sync.applicant();
    if let Some(known) = kept.as_ref().filter(|known| known.code == *code) {
        return Ok((known.device, known.seed));
    }
    let (device, seed) = (env::new_id(app.env.now()), client::new_seed()?);
    *kept = Some(Applicant { code: code.clone(), device, seed });
    Ok((device, seed))
}

/// Makes an empty desk of the hospital behind the code. It belongs to nobody yet: who is known to the
/// server logs in with [`online_login`], also after the program was closed in between. Staff, sites, settings
/// and plans come with that at the latest, the patients with the first rounds.
///
/// # Errors
/// `AlreadySetUp`, `SyncCodeWithoutSites`, and those of joining.
pub fn join(app: &Arc<App>, request: JoinRequest) -> Result<JoinResponse> {
    if KeyFile::exists(&app.home) {
        return Err(Error::new(ErrorCode::AlreadySetUp));
    }
    let address = client::address(&request.address)?;
    let code = read_code(&request.code)?;
    let authority = client::authority(&address, &code)?;
    let (device, seed) = applicant(app, &code)?;
    let asked = enrol::request(&code, device, &seed, None, 0, &request.name)?;
    let answer = client::enrol(&address, &authority, &asked)?;
    point("desk.join.asked");
    let Some(site) = answer.sites.first().copied() else {
        return Err(Error::new(ErrorCode::SyncCodeWithoutSites));
    };
    let database = app.home.join(DATABASE_FILE);
    let key = start_database(&database)?;
    let db = Db::open(&database, key.clone())?;
    let now = app.env.now().timestamp_millis();
    db.write(|connection, _| {
        found_desk(connection, device, site, &answer, now)?;
        enrol::keep_server(connection, &address, &authority, &seed, &answer, now)
    })?;
    point("desk.join.founded");
    let line = Https::new(&address, &authority, &seed, device, Arc::clone(&app.env.clock))?;
    let mut keys = KeyFile::new(&answer.hospital, "")?;
    line.leave_key(&seal_database_key(&keys, &key)?)?;
    point("desk.join.key_left");
    db.write(|c, _| Ok(c.execute("UPDATE sync_server SET key_left = 1", [])?))?;
    let recovery = RecoveryCode::random()?;
    keys.recovery = Some(RecoverySlot::new(&key, &recovery)?);
    ServerFile::save(&app.home, &keys, &address, &authority, device, &seed)?;
    point("desk.join.server_kept");
    keys.save(&app.home)?;
    Wiped::clear(&app.home)?;
    let ctx = nobody(app, db);
    if let Err(error) = round::run_as_guest(&ctx, &line) {
        // The first person's login does it again.
        tracing::warn!(%error, "staff and sites did not come yet");
    }
    point("desk.join.filled");
    let sites = ctx.read(own_sites)?;
    Ok(JoinResponse { hospital: answer.hospital, sites, recovery_code: recovery.text() })
}

/// The names of this desk's sites, its own first, as far as they are known.
fn own_sites(connection: &Connection) -> Result<Vec<String>> {
    let mut statement = connection.prepare_cached(
        "SELECT name FROM site JOIN sync_cursor ON scope = site.id, desk
         ORDER BY site.id <> desk.site_id, name",
    )?;
    let names = statement.query_map([], |row| row.get("name"))?;
    Ok(names.collect::<rusqlite::Result<_>>()?)
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
    let keys = KeyFile::load(&app.home)?;
    let server = ServerFile::load(&app.home)?;
    let seed = server.seed(&keys)?;
    let clock = Arc::clone(&app.env.clock);
    let line = Https::new(&server.address, &server.authority()?, &seed[..], server.device, clock)?;
    let result = login_over(app, &line, request);
    if result.as_ref().is_err_and(|error| error.code == ErrorCode::SyncWipe) {
        people::wipe(app)?;
    }
    result
}

/// The same over any line.
///
/// # Errors
/// Those of [`online_login`].
pub(super) fn login_over(
    app: &Arc<App>,
    line: &dyn Line,
    request: OnlineLoginRequest,
) -> Result<SessionStatus> {
    let mut keys = KeyFile::load(&app.home)?;
    let password = Zeroizing::new(request.password);
    let login = line.login(&request.login, &password)?;
    let key = open_database_key(&keys, &login.sealed_key)?;
    app.close_session("session.replaced");
    {
        let ctx = nobody(app, Db::open(&app.home.join(DATABASE_FILE), key.clone())?);
        // The colleague's record may have been made since this PC last heard of the server.
        round::run_as_guest(&ctx, line)?;
        admit(&ctx, &mut keys, login.user, &request.login, &password, &key)?;
        point("desk.join.admitted");
        if keys.site.is_empty() {
            keys.site = ctx.read(own_sites)?.into_iter().next().unwrap_or_default();
        }
        ctx.db().write(|connection, _| people::note_known(connection, login.user))?;
    }
    keys.save(&app.home)?;
    crate::session::commands::login(
        app,
        crate::session::LoginRequest { login: request.login, password: password.to_string() },
    )
}
