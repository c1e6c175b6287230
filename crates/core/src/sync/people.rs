//! What a changed record of a colleague means for this PC.

use std::collections::BTreeSet;
use std::sync::Arc;

use aftercare_domain::error_code::ErrorCode;
use aftercare_rehearsal::point;
use aftercare_sync::door::PasswordRequest;
use rusqlite::{Connection, params};
use uuid::Uuid;

use super::client::Line;
use super::enrol;
use crate::app::{App, Ctx};
use crate::error::{Error, Result};
use crate::session::{DATABASE_FILE, KeyFile, Wiped, remove_user_slot, seal_database_key};
use crate::staff;

/// Whether this desk has a server that does not know the person's present password.
pub fn password_is_news(connection: &Connection, user: Uuid) -> Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM sync_server) AND NOT EXISTS (
                 SELECT 1 FROM sync_password JOIN staff ON staff.id = user_id
                 WHERE user_id = ?1 AND chosen_at = password_changed_at) AS news";
    Ok(connection.prepare_cached(sql)?.query_row([user], |row| row.get("news"))?)
}

/// What lets people go from PC to PC: the database's key, sealed, and the signed-in person's password
/// are left at the server.
pub(super) fn settle_in(ctx: &Ctx, line: &dyn Line) -> Result<()> {
    enrol::keep_file(ctx)?;
    let left: bool =
        ctx.read(|c| Ok(c.query_row("SELECT key_left FROM sync_server", [], |row| row.get(0))?))?;
    if !left {
        let keys = KeyFile::load(&ctx.app.home)?;
        line.leave_key(&seal_database_key(&keys, ctx.db().key())?)?;
        point("desk.settle.key_left");
        ctx.db().write(|c, _| Ok(c.execute("UPDATE sync_server SET key_left = 1", [])?))?;
    }
    let Some(passing) = ctx.session.take_passing() else { return Ok(()) };
    let request = PasswordRequest {
        user: ctx.user_id(),
        login: ctx.session.user.login.clone(),
        old: passing.old.as_ref().map(|old| old.to_string()),
        new: passing.new.to_string(),
    };
    match line.pass_on(&request) {
        Ok(()) => {}
        // The server knows another password of theirs: that one holds there until an administrator resets it.
        Err(error) if matches!(error.code, ErrorCode::SyncLogin | ErrorCode::Forbidden) => {}
        Err(error) => {
            ctx.session.pass_on(passing);
            return Err(error);
        }
    }
    ctx.db().write(|connection, _| note_known(connection, ctx.user_id()))
}

/// Notes that the server knows the person's present password.
pub(super) fn note_known(connection: &Connection, user: Uuid) -> Result<()> {
    connection.execute(
        "INSERT INTO sync_password (user_id, chosen_at)
         SELECT id, password_changed_at FROM staff WHERE id = ?1
         ON CONFLICT (user_id) DO UPDATE SET chosen_at = excluded.chosen_at",
        params![user],
    )?;
    Ok(())
}

/// Who was made inactive elsewhere loses the key slot on this PC; if they sit here, the desk locks.
pub(super) fn after_changes(ctx: &Ctx, people: &BTreeSet<Uuid>) -> Result<()> {
    let members = ctx.read(staff::all)?;
    for member in members.iter().filter(|member| people.contains(&member.id) && !member.active) {
        remove_user_slot(&ctx.app.home, member.id)?;
        if member.id == ctx.user_id() {
            ctx.app.close_session("session.revoked");
        }
    }
    Ok(())
}

/// Whom the server lets in no more loses the key slot on this PC; if they sit here, the desk locks. Let in
/// again, they log in at the server once more.
///
/// # Errors
/// `Cancelled` when it is the signed-in person: the round ends with their session.
pub(super) fn shut_out(ctx: &Ctx, people: &BTreeSet<Uuid>) -> Result<()> {
    for user in people {
        remove_user_slot(&ctx.app.home, *user)?;
    }
    if people.contains(&ctx.user_id()) {
        ctx.app.close_session("session.revoked");
        return Err(Error::new(ErrorCode::Cancelled));
    }
    Ok(())
}

/// This PC was reported lost: its keys go first, then what they opened. The server's word came over
/// the pinned line, so it is the server's.
pub(super) fn wipe(app: &Arc<App>) -> Result<()> {
    let home = &app.home;
    KeyFile::destroy(home)?;
    Wiped::leave(home)?;
    app.close_session("session.wiped");
    for entry in std::fs::read_dir(home)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        // The database with its journal, copies before an upgrade, and how this PC spoke to its server.
        if name.starts_with(DATABASE_FILE) || name == "server.json" {
            std::fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}
