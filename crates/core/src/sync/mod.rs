//! Meeting the hospital's server: joining it, sending what was written here, taking what others
//! wrote, and showing people what became of both.
//!
//! What is decided stands in `aftercare_sync`, without IO; here are the tables ([`replica`]), the line
//! ([`client`]), the order of a round ([`round`]) and when it runs ([`background`]).

mod background;
mod client;
pub mod commands;
mod conflicts;
mod digest;
mod enrol;
pub mod join;
mod people;
mod replica;
mod round;
mod state;
#[cfg(test)]
mod tests;
mod types;

use crate::app::Ctx;
use crate::error::Result;

pub use background::Background;
pub(crate) use background::tick;
pub(crate) use people::password_is_news;
pub use types::*;

/// The line to this desk's server.
///
/// # Errors
/// `SyncNotEnrolled`.
fn line(ctx: &Ctx) -> Result<client::Https> {
    let (server, own) = ctx.read(|connection| Ok((state::server(connection)?, state::own(connection)?)))?;
    let clock = std::sync::Arc::clone(&ctx.app.env.clock);
    client::Https::new(&server.address, &server.authority, &server.device_key, own.device, clock)
}
