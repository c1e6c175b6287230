//! The whole application without a window.
//!
//! Hosts (the desktop shell, the command line, the test host) open an [`App`] on a home folder and
//! call commands by name; `commands.rs` is the list. Features are folders, each with the same
//! word in every layer.

pub mod app;
pub mod archive;
pub mod attachments;
pub mod audit;
pub mod change_log;
pub mod commands;
pub mod complaints;
pub mod db;
pub mod env;
pub mod error;
#[cfg(test)]
mod error_tests;
pub mod followup;
pub mod forms;
pub mod imports;
pub mod messages;
pub mod reports;
pub mod session;
pub mod settings;
pub mod staff;
pub mod surveys;
pub mod sync;
#[cfg(any(test, feature = "test-support"))]
pub mod testing;
pub mod updates;

pub mod words;

pub use app::{App, Ctx, Event};
pub use env::Env;
pub use error::{Error, Result, WireError};
