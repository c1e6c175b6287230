//! The server as a service of the system: registered, taken away, and run by systemd or by Windows' service manager.

#[cfg(unix)]
mod systemd;
#[cfg(windows)]
mod windows;

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::args::Args;
use crate::commands::Said;
use crate::failure::Failure;
use crate::words::Words;

#[cfg(unix)]
use systemd as system;
#[cfg(windows)]
use windows as system;

/// What a service is told of how to serve; kept where only administrators and the service read it, because the
/// database's address may hold a password.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// Address and port.
    pub listen: String,
    /// Names under which desks reach the machine.
    pub names: Vec<String>,
    /// Name of the first hospital.
    pub hospital: Option<String>,
    /// PostgreSQL instead of SQLite.
    pub database: Option<String>,
}

impl Settings {
    fn of(args: &Args) -> Self {
        Self {
            listen: args.serving.listen.to_string(),
            names: args.serving.names.clone(),
            hospital: args.serving.hospital.clone(),
            database: args.database.clone(),
        }
    }
}

/// Registers the service for this program and this home, and starts it where a service manager runs.
///
/// # Errors
/// `service_rights`, `service`, and those of files and of the store.
pub async fn install(args: &Args, words: &Words) -> Result<Said, Failure> {
    let installed = system::install(args, words).await?;
    let key = if installed.started { "service_started" } else { "service_enabled" };
    let home = args.home.display().to_string();
    Ok(Said {
        text: words.text(key, &[("service", system::NAME), ("home", &home)]),
        json: json!({ "service": system::NAME, "started": installed.started }),
    })
}

/// Stops the service and takes it away. Its data stay. Where there is none, there is nothing to do.
///
/// # Errors
/// `service_rights`, `service`.
pub fn uninstall(words: &Words) -> Result<Said, Failure> {
    let was_there = system::uninstall()?;
    let key = if was_there { "service_removed" } else { "service_absent" };
    Ok(Said {
        text: words.text(key, &[("service", system::NAME)]),
        json: json!({ "service": system::NAME, "removed": was_there }),
    })
}

/// Serves under the service manager, until that says stop.
///
/// # Errors
/// As serving does.
pub fn run(args: Args) -> Result<(), Failure> {
    system::run(args)
}

/// What became of a registration.
struct Installed {
    /// Whether it runs now, too.
    started: bool,
}
