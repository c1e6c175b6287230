//! New versions of this program: seen at the hospital's server, fetched in parts, checked, and installed when the
//! window closes. The old program and the old database are kept until the new ones have worked together once.

mod closing;
pub mod commands;
mod fetch;
mod place;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

pub(crate) use closing::open;
pub use closing::{Installer, Start, at_close, at_start, note_problem};
pub(crate) use commands::after_round;
pub(crate) use fetch::Source;

/// This program's version.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The keys that a build was given for its updates (`AFTERCARE_RELEASE_KEY`); none: it takes no updates.
pub fn built_in_keys() -> Vec<Vec<u8>> {
    aftercare_sync::updates::read_keys(option_env!("AFTERCARE_RELEASE_KEY").unwrap_or_default())
}

/// Asks where updates stand.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "UpdatesStatusRequest")]
pub struct StatusRequest {}

/// Looks for a new version now.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "UpdatesLookRequest")]
pub struct LookRequest {}

/// A version that is ready to be installed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(rename = "UpdateReady")]
pub struct Ready {
    /// Its version.
    pub version: String,
    /// What is new, in Chinese.
    pub notes_zh: String,
    /// The same in English.
    pub notes_en: String,
}

/// Where updates stand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(rename = "UpdatesStatus")]
pub struct Status {
    /// The version that runs.
    pub version: String,
    /// Whether this build takes updates at all: it knows a release key and belongs to a server.
    pub possible: bool,
    /// What will be installed when the window closes.
    pub ready: Option<Ready>,
    /// A version that could not open the data: this one came back.
    pub gone_back: Option<String>,
    /// Why the last try failed: an error code.
    pub problem: Option<String>,
    /// When the server was last asked, milliseconds UTC.
    #[ts(type = "number | null")]
    pub looked_at: Option<i64>,
}
