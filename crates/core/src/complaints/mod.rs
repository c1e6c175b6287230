//! 投诉: from the call to the closed dossier.
//!
//! - `form`: what is registered, checked; `number`: its serial number;
//! - `moves`: every move, asked of `aftercare_domain::complaint::judge` and appended as a step;
//! - `steps`: the chain of steps; `notes`: additions and promises;
//! - `list`, `open`, `similar`, `dossier`, `figures`: what is read.
//!
//! A complaint hangs on no patient's record: it may know none, goes through departments of several sites, and its file is
//! kept as it was told. Who sees which is decided in `viewer`, here as on the server's verdicts.

pub mod commands;
mod dossier;
mod figures;
mod form;
mod list;
mod moves;
mod notes;
mod number;
mod open;
mod people;
mod similar;
mod steps;
mod store;
#[cfg(test)]
mod tests;
mod types;
mod viewer;
mod when;

use aftercare_domain::complaint::Content;

pub use types::*;

use crate::error::{Error, Result};

/// The tables that ship.
fn content() -> Result<&'static Content> {
    Content::shipped().ok_or_else(|| Error::internal("shipped complaint tables"))
}
