//! The first sync of a scope: its records as they are, page by page, resumable. While a page is written the next is on
//! its way.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use aftercare_rehearsal::point;
use aftercare_sync::Scope;
use aftercare_sync::door::SnapshotPage;

use super::client::Line;
use super::round::{Report, in_replica};
use super::state::{self, Filling};
use crate::app::Ctx;
use crate::app::jobs::Progress;
use crate::error::{Error, Result};

/// Pages that wait while one is written.
const AHEAD: usize = 1;

/// The first sync of each scope, or of `only` one.
///
/// # Errors
/// Those of the line and the database, `Cancelled`. What was written until then stays, and the next time goes on there.
pub(super) fn fill(
    ctx: &Ctx,
    line: &dyn Line,
    progress: &Progress,
    report: &mut Report,
    only: Option<Scope>,
) -> Result<()> {
    let wanted = |filling: &Filling| only.is_none_or(|only| only == filling.scope);
    if ctx.read(state::next_to_fill)?.is_some_and(|filling| wanted(&filling)) {
        ctx.db().with_large_cache(|| fill_scopes(ctx, line, progress, report, wanted))?;
    }
    let waits_for_others = ctx.read(state::next_to_fill)?.is_some();
    if !waits_for_others && ctx.read(state::server)?.rederive {
        ctx.db().with_large_cache(|| {
            in_replica(ctx, |replica| {
                replica.connection().execute("UPDATE sync_server SET filling = 0", [])?;
                replica.rederive()?;
                point("desk.fill.rederived");
                Ok(())
            })
        })?;
    }
    Ok(())
}

fn fill_scopes(
    ctx: &Ctx,
    line: &dyn Line,
    progress: &Progress,
    report: &mut Report,
    wanted: impl Fn(&Filling) -> bool,
) -> Result<()> {
    while let Some(filling) = ctx.read(state::next_to_fill)?.filter(&wanted) {
        let (written, fetched) = fill_scope(ctx, line, progress, &filling)?;
        report.pulled += written.changes;
        fetched?;
        if written.waits {
            return Ok(());
        }
    }
    Ok(())
}

/// What became of the pages of a scope.
#[derive(Default)]
struct Written {
    changes: u64,
    /// A site more for a desk that has others, of a server that was restored: the desk hears of the new epoch first, and
    /// keeps what the server may have lost.
    waits: bool,
}

/// Fetches here and writes beside it. Answers what was written, and how the fetching ended.
fn fill_scope(
    ctx: &Ctx,
    line: &dyn Line,
    progress: &Progress,
    filling: &Filling,
) -> Result<(Written, Result<()>)> {
    let (send, pages) = sync_channel(AHEAD);
    std::thread::scope(|threads| {
        let builder = std::thread::Builder::new().name("fill".to_owned());
        let writer = builder.spawn_scoped(threads, move || write(ctx, progress, filling, &pages))?;
        let fetched = fetch(line, progress, filling, send);
        let written = writer.join().map_err(|_| Error::internal("a page was not written"))??;
        Ok((written, fetched))
    })
}

fn fetch(
    line: &dyn Line,
    progress: &Progress,
    filling: &Filling,
    send: SyncSender<SnapshotPage>,
) -> Result<()> {
    let mut after = filling.after.clone();
    loop {
        progress.check()?;
        let page = line.snapshot(filling.scope, after.as_ref())?;
        after.clone_from(&page.next);
        // Nobody takes it any more: the writer knows why.
        if send.send(page).is_err() || after.is_none() {
            return Ok(());
        }
    }
}

fn write(
    ctx: &Ctx,
    progress: &Progress,
    filling: &Filling,
    pages: &Receiver<SnapshotPage>,
) -> Result<Written> {
    let mut written = Written::default();
    let (mut begun, mut first) = (filling.after.is_some(), filling.first_seq);
    for page in pages {
        let first_seq = *first.get_or_insert(page.seq);
        let (anew, taken) = in_replica(ctx, |replica| {
            let connection = replica.connection();
            let server = state::server(connection)?;
            if server.epoch != page.epoch {
                if !server.filling {
                    state::refill(connection)?;
                    written.waits = true;
                    return Ok(true);
                }
                connection.execute("UPDATE sync_server SET epoch = ?1", [page.epoch])?;
                if begun {
                    state::refill(connection)?;
                    return Ok(true);
                }
            }
            replica.take_records(&page.records)?;
            point("desk.fill.page");
            let counts = (page.records.len(), page.total);
            state::note_filled(connection, filling.scope, first_seq, page.next.as_ref(), counts)?;
            Ok(false)
        })?;
        written.changes += taken.changes;
        if anew {
            return Ok(written);
        }
        begun = true;
        let (done, total) = ctx.read(state::filled)?;
        progress.set(u64::try_from(done).unwrap_or(0), u64::try_from(total.unwrap_or(0)).unwrap_or(0));
    }
    Ok(written)
}
