//! Every developer command: demo, test, check, fix, types, e2e, bench, installer, setup.
//!
//! Each does the set-up it needs, so that a fresh Debian machine with Rust and Node needs nothing else.

mod bench;
mod demo;
mod installer;
mod process;
mod setup;
mod suite;
mod tally;
mod xvfb;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// What a step answers: nothing, or a sentence that says what to do.
type Outcome<T = ()> = Result<T, String>;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Every developer command of Aftercare 随访台")]
struct Cli {
    #[command(subcommand)]
    command: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Build, make a demo hospital from the sample extract and open the window.
    Demo(demo::Options),
    /// Everything that must hold before a change lands, counted.
    Test,
    /// Format, lints, types and generated files; no tests.
    Check,
    /// Write what `check` can repair: format, lints, generated files.
    Fix,
    /// Generate the UI's types from the Rust ones.
    Types,
    /// The UI in a browser and the real window.
    E2e(suite::E2eOptions),
    /// The benchmarks, ours beside the bare floor.
    Bench(bench::Options),
    /// The installers for Debian and Windows.
    #[command(subcommand)]
    Installer(installer::What),
    /// Install what is missing for tests, and nothing else.
    Setup,
}

fn main() -> ExitCode {
    let answer = match Cli::parse().command {
        Task::Demo(options) => demo::run_demo(&options),
        Task::Test => suite::test(),
        Task::Check => suite::check(),
        Task::Fix => suite::fix(),
        Task::Types => suite::types(),
        Task::E2e(options) => suite::e2e(&options),
        Task::Bench(options) => bench::run(&options),
        Task::Installer(what) => installer::run(&what),
        Task::Setup => setup::tests(),
    };
    match answer {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("xtask: {message}");
            ExitCode::FAILURE
        }
    }
}
