//! Installers: `.deb` for Debian, UOS and Kylin, and Setup.exe for Windows, all made on one Debian machine.

mod check;
mod deb;
mod stage;
mod update;
mod windows;

use clap::Subcommand;

use crate::Outcome;

/// What to make, or to check.
#[derive(Subcommand)]
pub enum What {
    /// The .deb packages of the desktop and of the server.
    Deb(deb::Packing),
    /// The Windows programs and Setup.exe.
    Windows(windows::Options),
    /// Make everything, install and start it for real (in a copy of this system and under wine), measure it.
    Check(check::Options),
}

/// Does it.
///
/// # Errors
/// When a step fails; the message says which.
pub fn run(what: &What) -> Outcome {
    match what {
        What::Deb(options) => {
            for package in deb::make(options)? {
                println!("{}", package.display());
            }
            Ok(())
        }
        What::Windows(options) => {
            println!("{}", windows::make(options)?.setup.display());
            Ok(())
        }
        What::Check(options) => check::run(options),
    }
}
