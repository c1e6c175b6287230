//! The command line: global options before or after the subcommand.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// 随访台 headless: nightly imports, exports, backup, doctor.
///
/// The password comes from AFTERCARE_PASSWORD. Exit code 0 means done; an error is one JSON line on standard error.
#[derive(Parser)]
#[command(name = "aftercare-cli", version)]
pub struct Cli {
    /// Where the data are and who works on them.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Options of every subcommand.
#[derive(Args)]
pub struct Global {
    /// The data folder.
    #[arg(long, global = true, value_name = "DIR")]
    home: Option<PathBuf>,
    /// The user's name.
    #[arg(long, global = true, value_name = "U")]
    user: Option<String>,
    /// Answer in JSON.
    #[arg(long, global = true)]
    pub json: bool,
}

/// An option that is needed and was not given.
pub struct Missing(pub &'static str);

impl Global {
    /// The data folder.
    pub fn home(&self) -> Result<&std::path::Path, Missing> {
        self.home.as_deref().ok_or(Missing("--home"))
    }

    /// The user's name.
    pub fn user(&self) -> Result<&str, Missing> {
        self.user.as_deref().ok_or(Missing("--user"))
    }
}

/// Everything the command line can do.
#[derive(Subcommand)]
pub enum Command {
    /// Set up a hospital in an empty folder; the user becomes its administrator.
    Init {
        /// The hospital's name.
        #[arg(long, value_name = "H")]
        hospital: String,
        /// The site's name.
        #[arg(long, value_name = "S")]
        site: String,
    },
    /// The audit trail.
    Audit {
        /// What to do with it.
        #[command(subcommand)]
        what: Audit,
    },
}

/// What can be done with the audit trail.
#[derive(Subcommand)]
pub enum Audit {
    /// Recompute the hash chain and say where it breaks.
    Verify,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use clap::{CommandFactory, Parser};

    use super::{Audit, Cli, Command};

    #[test]
    fn the_definition_holds() {
        Cli::command().debug_assert();
    }

    #[test]
    fn global_options_stand_before_or_after() {
        let before = ["aftercare-cli", "--home", "/h", "--user", "alice", "--json", "audit", "verify"];
        let after = ["aftercare-cli", "audit", "verify", "--json", "--user", "alice", "--home", "/h"];
        for words in [before, after] {
            let cli = Cli::try_parse_from(words).unwrap();
            assert!(cli.global.json);
            assert_eq!(cli.global.user().ok().unwrap(), "alice");
            assert!(matches!(cli.command, Command::Audit { what: Audit::Verify }));
        }
    }
}
