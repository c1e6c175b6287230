//! The slower lane: attachments, part by part, after everything else of a round. It gives way as soon as
//! somebody writes something, and goes on in the next round where it stood.

use aftercare_domain::error_code::ErrorCode;

use super::client::{Line, PutBlob};
use super::state;
use crate::app::Ctx;
use crate::app::jobs::Progress;
use crate::attachments::store::{self, BlobHere, BlobKey};
use crate::error::{Error, Result};
use crate::settings;

/// How often the server may say that it is somewhere else with the same attachment.
const PATIENCE: u32 = 4;

/// Sends what is unsent and, where the hospital wants it so, fetches what is not here.
///
/// # Errors
/// Those of the line. What came through stays.
pub(super) fn run(ctx: &Ctx, line: &dyn Line, progress: &Progress) -> Result<()> {
    let now = ctx.now().timestamp_millis();
    ctx.db().write(|connection, _| store::sweep(connection, now))?;
    let (unsent, fetch) = ctx
        .read(|connection| Ok((store::unsent(connection)?, settings::load(connection)?.fetch_attachments)))?;
    for (key, here) in unsent {
        if !send(ctx, line, &key, here.size, progress)? {
            return Ok(());
        }
    }
    if !fetch {
        return Ok(());
    }
    for (key, here) in ctx.read(store::away)? {
        if gives_way(ctx)? {
            return Ok(());
        }
        match fetch_one(ctx, line, &key, here.size, progress, true) {
            // The desk that added it has not sent it yet.
            Err(error) if error.code == ErrorCode::AttachmentAway => {}
            other => other?,
        }
    }
    Ok(())
}

/// Whether something else has to go first, or nobody is at the desk any more.
fn gives_way(ctx: &Ctx) -> Result<bool> {
    let open = ctx.app.current().is_some_and(|session| std::sync::Arc::ptr_eq(&session, &ctx.session));
    if !open {
        return Ok(true);
    }
    let waiting = ctx
        .read(|connection| Ok(state::own(connection)?.last_dseq > state::server(connection)?.acknowledged))?;
    if waiting {
        ctx.app.sync.hurry(ctx.now().timestamp_millis());
    }
    Ok(waiting)
}

/// Sends one attachment; `false` when it gave way.
fn send(ctx: &Ctx, line: &dyn Line, key: &BlobKey, size: i64, progress: &Progress) -> Result<bool> {
    let mut sent = line.blob_state(key)?.map_or(0, |state| if state.complete { size } else { state.have });
    let mut astray = 0;
    loop {
        ctx.db().write(|connection, _| store::note_sent(connection, key, sent))?;
        if sent >= size {
            ctx.app.emit_changed(&std::collections::BTreeSet::from(["attachments"]));
            return Ok(true);
        }
        progress.check()?;
        if gives_way(ctx)? {
            return Ok(false);
        }
        let part = ctx.read(|connection| store::read_part(connection, key, sent))?;
        let end = sent + i64::try_from(part.len()).unwrap_or(0);
        match line.put_blob(key, size, sent, &part)? {
            PutBlob::Has(have) if have == end => sent = have,
            // The patient moved to where this desk does not see them: it waits until they are seen again.
            PutBlob::Hidden => return Ok(true),
            PutBlob::Has(have) => (sent, astray) = (have.clamp(0, size), astray + 1),
            PutBlob::Damaged => (sent, astray) = (0, astray + 1),
        }
        if astray > PATIENCE {
            return Err(Error::new(ErrorCode::SyncServerFault));
        }
    }
}

/// Fetches what is missing of one attachment. `yielding`: as a round does, giving way to others.
///
/// # Errors
/// `AttachmentAway` when the server does not have it; those of the line.
pub(super) fn fetch_one(
    ctx: &Ctx,
    line: &dyn Line,
    key: &BlobKey,
    size: i64,
    progress: &Progress,
    yielding: bool,
) -> Result<()> {
    let now = ctx.now().timestamp_millis();
    ctx.db().write(|connection, _| store::begin(connection, key, size, false, now))?;
    loop {
        let here = ctx.read(|connection| store::find(connection, key))?;
        let BlobHere { size, have } = here.ok_or_else(|| Error::new(ErrorCode::AttachmentAway))?;
        progress.set(u64::try_from(have).unwrap_or(0), u64::try_from(size).unwrap_or(0));
        if have >= size {
            break;
        }
        progress.check()?;
        if yielding && gives_way(ctx)? {
            return Ok(());
        }
        let away = || Error::new(ErrorCode::AttachmentAway);
        let part = line.blob_part(key, have)?.filter(|part| !part.is_empty()).ok_or_else(away)?;
        ctx.db().write(|connection, _| store::add_part(connection, key, have, &part))?;
    }
    if !store::check_whole(ctx, key)? {
        return Err(Error::new(ErrorCode::SyncServerFault));
    }
    ctx.app.emit_changed(&std::collections::BTreeSet::from(["attachments"]));
    Ok(())
}
