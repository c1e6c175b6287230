//! Meeting the hospital's server: joining it, sending what was written here, taking what others
//! wrote, and showing people what became of both.
//!
//! What is decided stands in `aftercare_sync`, without IO; here are the tables ([`replica`]), the line
//! ([`client`]), the order of a round ([`round`]) and when it runs ([`background`]).

mod background;
pub(crate) mod client;
pub mod clinics;
pub mod commands;
mod conflicts;
mod digest;
mod enrol;
mod fill;
pub mod join;
mod lane;
mod people;
mod replica;
mod round;
mod state;
mod stick;
#[cfg(test)]
mod tests;
mod types;

use std::sync::Arc;

use aftercare_domain::error_code::ErrorCode;

use crate::app::Ctx;
use crate::app::jobs::Progress;
use crate::attachments::store::{self, BlobKey};
use crate::error::{Error, Result};

pub use background::Background;
pub(crate) use background::tick;
pub(crate) use client::Https;
pub(crate) use people::password_is_news;
pub use types::*;

/// Whether this desk belongs to a server.
pub(crate) fn is_enrolled(ctx: &Ctx) -> Result<bool> {
    Ok(ctx.read(state::find_server)?.is_some())
}

/// The line to this desk's server. It is kept while the session lasts: a token holds for several rounds, and a
/// handshake that goes on from the last one costs a third of the bytes.
///
/// # Errors
/// `SyncNotEnrolled`.
pub(crate) fn line(ctx: &Ctx) -> Result<Arc<Https>> {
    let (server, own) = ctx.read(|connection| Ok((state::server(connection)?, state::own(connection)?)))?;
    if let Some(line) = ctx.session.line().filter(|line| line.is_to(&server, own.device)) {
        return Ok(line);
    }
    let clock = Arc::clone(&ctx.app.env.clock);
    let line = Https::new(&server.address, &server.authority, &server.device_key, own.device, clock)?;
    let line = Arc::new(line);
    ctx.session.keep_line(Arc::clone(&line));
    Ok(line)
}

/// Has an attachment's bytes on this desk when it ends, fetching from the server what is missing.
///
/// # Errors
/// `AttachmentAway` when nobody has them yet; those of a request.
pub(crate) fn fetch_attachment(ctx: &Ctx, key: &BlobKey, size: i64, progress: &Progress) -> Result<()> {
    let here = ctx.read(|connection| store::find(connection, key))?;
    if here.is_some_and(|here| here.have >= here.size) {
        return Ok(());
    }
    match line(ctx) {
        Ok(line) => lane::fetch_one(ctx, &*line, key, size, progress, false),
        Err(error) if error.code == ErrorCode::SyncNotEnrolled => Err(Error::new(ErrorCode::AttachmentAway)),
        Err(error) => Err(error),
    }
}
