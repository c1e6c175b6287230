//! What must hold: checks, tests in Rust, in a browser and in the real window.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Args;

use crate::process::{cargo, npm, program, root, run, target};
use crate::tally::{Tally, cargo_test, vitest};
use crate::{Outcome, setup, xvfb};

/// One set of flags for every cargo call: another set would build everything again.
pub const ALL: [&str; 3] = ["--workspace", "--features", "aftercare-suite/window"];

/// Which end-to-end tests to run.
#[derive(Args)]
pub struct E2eOptions {
    /// Only the UI in a browser.
    #[arg(long, conflicts_with = "window")]
    browser: bool,
    /// Only the real window.
    #[arg(long)]
    window: bool,
    /// Only tests whose name holds this.
    filter: Option<String>,
}

/// Everything, counted; the last line says how many passed and failed.
///
/// # Errors
/// When set-up is impossible. Failed tests end the program with code 1.
pub fn test() -> Outcome {
    setup::tests()?;
    let mut tally = Tally::new();
    tally.check("format", || run(&mut cargo(&["fmt", "--all", "--check"])));
    tally.check("types of the UI", || run(&mut npm(&["run", "--silent", "check"])));
    tally.check("lint of the UI", || run(&mut npm(&["run", "--silent", "lint"])));
    tally.step("unit tests of the UI", || {
        let mut command = npm(&["exec", "--", "vitest", "run"]);
        vitest(&mut command, &target().join("vitest.json"))
    });
    let ui = tally.check("build of the UI", build_ui);
    tally.check("clippy, warnings as errors", clippy);
    let built = tally.check("build", build);
    if built {
        tally.check("generated bindings", drift);
        tally.step("Rust tests", || cargo_test(&mut cargo_tests(&[])));
    } else {
        tally.missed("generated bindings", "the build failed");
        tally.missed("Rust tests", "the build failed");
    }
    if ui && built {
        tally.step("the UI in a browser", || browser(None));
        tally.step("the real window", || window(None));
    } else {
        tally.missed("the UI in a browser", "a build failed");
        tally.missed("the real window", "a build failed");
    }
    tally.close()
}

/// Format, lints, types and generated files.
///
/// # Errors
/// When set-up is impossible. What does not hold ends the program with code 1.
pub fn check() -> Outcome {
    setup::tests()?;
    let mut tally = Tally::new();
    tally.check("format", || run(&mut cargo(&["fmt", "--all", "--check"])));
    tally.check("clippy, warnings as errors", clippy);
    tally.check("generated bindings", drift);
    tally.check("types of the UI", || run(&mut npm(&["run", "--silent", "check"])));
    tally.check("lint of the UI", || run(&mut npm(&["run", "--silent", "lint"])));
    tally.close()
}

/// Writes what can be repaired without a person.
///
/// # Errors
/// When a step fails.
pub fn fix() -> Outcome {
    setup::tests()?;
    run(&mut cargo(&["fmt", "--all"]))?;
    let mut clippy = cargo(&["clippy", "--fix", "--allow-dirty", "--allow-staged", "--all-targets"]);
    run(clippy.args(ALL))?;
    run(&mut cargo(&["fmt", "--all"]))?;
    types()?;
    run(&mut npm(&["run", "--silent", "lint", "--", "--fix"]))
}

/// Writes the UI's types anew.
///
/// # Errors
/// When they cannot be built or written.
pub fn types() -> Outcome {
    bindings(&root().join("ui/src/bindings"))
}

/// The UI in a browser and the real window, without the rest.
///
/// # Errors
/// When something cannot be built. Failed tests end the program with code 1.
pub fn e2e(options: &E2eOptions) -> Outcome {
    setup::tests()?;
    build_ui()?;
    build()?;
    let filter = options.filter.as_deref();
    let mut tally = Tally::new();
    if !options.window {
        tally.step("the UI in a browser", || browser(filter));
    }
    if !options.browser {
        tally.step("the real window", || window(filter));
    }
    tally.close()
}

/// Builds the UI into `ui/dist`.
///
/// # Errors
/// When it does not build.
pub fn build_ui() -> Outcome {
    run(&mut npm(&["run", "--silent", "build"]))
}

/// Builds every program, with the same flags as the tests.
///
/// # Errors
/// When it does not build.
pub fn build() -> Outcome {
    run(cargo(&["build", "--all-targets"]).args(ALL))
}

fn clippy() -> Outcome {
    run(cargo(&["clippy", "--all-targets"]).args(ALL).args(["--", "-D", "warnings"]))
}

/// The tests of the workspace without the window's own.
fn cargo_tests(more: &[&str]) -> Command {
    let mut command = cargo(&["test", "--no-fail-fast", "--workspace"]);
    // What proofs counted (seeds, rows, endpoints) stands in the log of a good run too.
    command.args(more).args(["--", "--show-output"]);
    command
}

fn browser(filter: Option<&str>) -> Outcome<crate::tally::Count> {
    let mut command = npm(&["exec", "--", "vitest", "run", "--config", "vitest.e2e.config.ts"]);
    command.args(filter.map(|name| format!("--testNamePattern={name}")));
    command.env("AFTERCARE_HOST", target().join("debug").join("aftercare-host"));
    command.env("AFTERCARE_SERVER", target().join("debug").join("aftercare-server"));
    vitest(&mut command, &target().join("browser.json"))
}

fn window(filter: Option<&str>) -> Outcome<crate::tally::Count> {
    let driver = setup::driver()?;
    let display = xvfb::start("1920x1080")?;
    let mut command = cargo(&["test", "--no-fail-fast", "--test", "window"]);
    command.args(ALL).arg("--").args(["--test-threads=2"]).args(filter);
    command.env("DISPLAY", &display.name).env("TAURI_DRIVER", driver);
    // Less memory and time, and nobody sees the difference on a virtual screen.
    command.env("WEBKIT_DISABLE_COMPOSITING_MODE", "1").env_remove("WAYLAND_DISPLAY");
    cargo_test(&mut command)
}

/// Generates into `folder`.
fn bindings(folder: &Path) -> Outcome {
    build()?;
    run(program(target().join("debug").join("bindings"), &[]).arg(folder))
}

/// The committed bindings are what the Rust types say now.
fn drift() -> Outcome {
    let fresh = target().join("bindings");
    let _ = fs::remove_dir_all(&fresh);
    bindings(&fresh)?;
    let committed = root().join("ui/src/bindings");
    let (now, then) = (files(&fresh)?, files(&committed)?);
    let differing: Vec<String> = now
        .iter()
        .chain(&then)
        .filter(|name| fs::read(fresh.join(name)).ok() != fs::read(committed.join(name)).ok())
        .map(|name| name.display().to_string())
        .collect();
    if differing.is_empty() {
        return Ok(());
    }
    let _ = run(&mut program("diff", &["-ru", "ui/src/bindings", &fresh.to_string_lossy()]));
    Err(format!("out of date: {}. Run `cargo xtask types` and commit what it writes", differing.join(", ")))
}

/// Every file below `folder`, relative to it.
fn files(folder: &Path) -> Outcome<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(next) = open.pop() {
        let entries = fs::read_dir(&next).map_err(|error| format!("{}: {error}", next.display()))?;
        for path in entries.flatten().map(|entry| entry.path()) {
            if path.is_dir() {
                open.push(path);
            } else if let Ok(name) = path.strip_prefix(folder) {
                found.push(name.to_path_buf());
            }
        }
    }
    found.sort();
    Ok(found)
}
