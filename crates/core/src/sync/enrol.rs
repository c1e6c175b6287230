//! Joining a hospital's server, with everything this desk has written alone.

use aftercare_domain::error_code::ErrorCode;
use aftercare_rehearsal::point;
use aftercare_sync::code::EnrolCode;
use aftercare_sync::door::{EnrolAnswer, EnrolRequest, enrol_text};
use aftercare_sync::wire::{EpochStart, PROTOCOL};
use rusqlite::{Connection, params};
use serde_json::json;
use uuid::Uuid;

use super::{client, state};
use crate::app::Ctx;
use crate::audit;
use crate::error::{Error, Result};
use crate::session::{KeyFile, ServerFile};

/// What joining comes to.
pub(super) struct Joined {
    /// The hospital's name at the server.
    pub hospital: String,
}

/// Joins the server at `address` by a code that somebody typed. A copy of another desk (or an old
/// state of it) that joins again gets an identity of its own.
///
/// # Errors
/// `SyncEnrolled`, `SyncBadCode`, `SyncWrongServer`, `SyncCodeWrong`, `SyncCodeWithoutHistory`,
/// `SyncUnreachable`.
pub(super) fn join(ctx: &Ctx, typed_address: &str, typed_code: &str) -> Result<Joined> {
    let address = client::address(typed_address)?;
    let code =
        EnrolCode::parse(typed_code).map_err(|error| Error::new(ErrorCode::SyncBadCode).caused_by(error))?;
    let (server, own, site) = ctx.read(|connection| {
        let site: Uuid = connection.query_row("SELECT site_id FROM desk", [], |row| row.get("site_id"))?;
        Ok((state::find_server(connection)?, state::own(connection)?, site))
    })?;
    let forked = server.as_ref().is_some_and(|server| server.forked);
    if server.is_some() && !forked {
        return Err(Error::new(ErrorCode::SyncEnrolled));
    }
    let authority = client::authority(&address, &code)?;
    let seed = client::new_seed()?;
    let ask = |device: Uuid| {
        let request = request(&code, device, &seed, Some(site), own.last_dseq, "")?;
        client::enrol(&address, &authority, &request)
    };
    point("desk.enrol.before_ask");
    let device = if forked { ctx.new_id() } else { own.device };
    let (device, answer) = match ask(device) {
        // Another PC has this desk's identity: one is the copy of the other.
        Err(error) if error.code == ErrorCode::SyncForked => {
            let device = ctx.new_id();
            (device, ask(device)?)
        }
        other => (device, other?),
    };
    point("desk.enrol.asked");
    let now = ctx.now().timestamp_millis();
    // Server and identity in one: with the key of one and the id of the other the desk could never speak again.
    ctx.db().write(|connection, _| {
        keep_server(connection, &address, &authority, &seed, &answer, now)?;
        let detail = json!({ "history_to": answer.history_to });
        audit::append(connection, now, ctx.user_id(), "sync.enrol", Some(answer.tenant), &detail)?;
        if device != own.device {
            state::take_identity(connection, device)?;
            point("desk.identity.before_commit");
        }
        Ok(())
    })?;
    point("desk.enrol.kept");
    keep_file(ctx)?;
    point("desk.enrol.done");
    Ok(Joined { hospital: answer.hospital })
}

/// Keeps beside the database how this PC speaks to its server, for people who are new to it. Where a cut
/// came between the two, the next round does it.
pub(super) fn keep_file(ctx: &Ctx) -> Result<()> {
    let (server, own) = ctx.read(|connection| Ok((state::server(connection)?, state::own(connection)?)))?;
    let kept = ServerFile::load(&ctx.app.home).ok();
    if kept.is_some_and(|kept| kept.device == own.device && kept.address == server.address) {
        return Ok(());
    }
    let keys = KeyFile::load(&ctx.app.home)?;
    let seed = server.device_key.as_slice().try_into().map_err(Error::internal)?;
    ServerFile::save(&ctx.app.home, &keys, &server.address, &server.authority, own.device, seed)
}

/// What a desk asks. `site`: its own, which it has already. `name`: what people call it, or nothing.
pub(super) fn request(
    code: &EnrolCode,
    device: Uuid,
    seed: &[u8],
    site: Option<Uuid>,
    history_to: i64,
    name: &str,
) -> Result<EnrolRequest> {
    let key = client::key_pair(seed)?;
    let public_key = client::public_key(&key);
    let signature = key.sign(enrol_text(&code.number, device, &public_key).as_bytes()).as_ref().to_vec();
    Ok(EnrolRequest {
        protocol: PROTOCOL,
        number: code.number.clone(),
        secret: code.secret.clone(),
        device,
        public_key,
        signature,
        name: if name.trim().is_empty() { machine_name() } else { name.trim().chars().take(60).collect() },
        sites: site.into_iter().collect(),
        history_to,
    })
}

/// What the PC calls itself, for the administrator's list of desks.
pub(super) fn machine_name() -> String {
    let named = ["COMPUTERNAME", "HOSTNAME"].iter().find_map(|name| std::env::var(name).ok());
    let name = named.or_else(|| std::fs::read_to_string("/etc/hostname").ok()).unwrap_or_default();
    let name: String = name.trim().chars().take(60).collect();
    if name.is_empty() { "desk".to_owned() } else { name }
}

/// Keeps the server, from the beginning.
pub(super) fn keep_server(
    connection: &Connection,
    address: &str,
    authority: &[u8],
    seed: &[u8],
    answer: &EnrolAnswer,
    now_millis: i64,
) -> Result<()> {
    for table in ["sync_server", "sync_epoch", "sync_cursor", "sync_received", "sync_offer", "sync_verdict"] {
        connection.execute(&format!("DELETE FROM {table}"), [])?;
    }
    connection.execute(
        "INSERT INTO sync_server (only_row, address, authority, device_key, tenant, stick_key, epoch, enrolled_at)
         VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![address, authority, seed, answer.tenant, answer.stick_key.0, answer.epoch, now_millis],
    )?;
    state::set_epochs(connection, &[EpochStart { epoch: answer.epoch, head: 0 }])?;
    state::set_sites(connection, &answer.sites)
}
