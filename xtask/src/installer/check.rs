//! The installers as hospitals meet them: made, installed, started, updated, removed, measured.

use std::fs;
use std::path::Path;
use std::process::Command;

use clap::Args;

use super::{deb, stage, update, windows};
use crate::process::{lines, program, root};
use crate::tally::{Count, Tally};
use crate::{Outcome, setup, xvfb};

/// Most bytes of Setup.exe without WebView2, and of the desktop program.
const SETUP_MOST: u64 = 25_000_000;
const DESK_MOST: u64 = 40_000_000;

/// What to check.
#[derive(Args)]
pub struct Options {
    /// Only the Debian packages.
    #[arg(long, group = "only")]
    deb: bool,
    /// Only what is for Windows.
    #[arg(long, group = "only")]
    windows: bool,
    /// Only the update from one version to the next.
    #[arg(long, group = "only")]
    update: bool,
    /// Pack and check the Windows programs of the last build instead of building them anew, which takes long.
    #[arg(long)]
    built: bool,
    /// How the Debian packages are made.
    #[command(flatten)]
    packing: deb::Packing,
}

/// Makes and checks. Needs root for the Debian part: packages are installed into a copy of this system's files.
///
/// # Errors
/// When set-up is impossible. What does not hold ends the program with code 1.
pub fn run(options: &Options) -> Outcome {
    setup::installer_check()?;
    let mut tally = Tally::new();
    let all = !(options.deb || options.windows || options.update);
    if all || options.deb {
        check_debian(&mut tally, &options.packing);
    }
    if all || options.windows {
        check_windows(&mut tally, options);
    }
    if all || options.update {
        tally.step("an update, from one version to the next", update::check);
    }
    tally.close()
}

fn check_debian(tally: &mut Tally, packing: &deb::Packing) {
    let mut made = None;
    tally.check("Debian packages", || deb::make(packing).map(|packages| made = Some(packages)));
    let Some([desk, server]) = made else { return };
    tally.step("Debian: installed, started, removed", || {
        let work = stage::folder().join("deb/check");
        stage::empty(&work)?;
        let mut script = program(root().join("installer/deb/check.sh"), &[]);
        counted(script.arg(&desk).arg(&server).arg(&work).arg(root().join("tests/fixtures/imports")))
    });
    if packing.is_release() {
        let program = packing.built("aftercare");
        tally.step("Debian: size", || measured(&[(&program, DESK_MOST), (&desk, SETUP_MOST)]));
    }
}

fn check_windows(tally: &mut Tally, options: &Options) {
    let packing = &options.packing;
    let mut made = None;
    tally.check("Windows programs and Setup.exe", || {
        let how = windows::Options { built: options.built, ..windows::Options::default() };
        windows::make(&how).map(|what| made = Some(what))
    });
    let Some(made) = made else { return };
    // The other side of a sync with Windows.
    let other = tally.check("this system's own programs", || deb::build(packing));
    if !other {
        return;
    }
    tally.step("Windows: under wine", || {
        let work = stage::folder().join("wine");
        stage::empty(&work)?;
        // wine here runs 64-bit programs only: the same script with NSIS's other stub, in two versions.
        let setup64 = work.join("Setup64.exe");
        let newer = work.join("Setup64-newer.exe");
        windows::pack(&made.stage, &setup64, stage::VERSION, None, true)?;
        windows::pack(&made.stage, &newer, "99.0.0", None, true)?;
        let display = xvfb::start("1366x768")?;
        let mut script = program(root().join("installer/windows/check.sh"), &[]);
        script.arg(&made.stage).arg(&setup64).arg(&newer).arg(&made.setup).arg(&work);
        script.arg(root().join("tests/fixtures/imports")).arg(packing.built(""));
        counted(script.env("DISPLAY", &display.name))
    });
    tally.step("Windows: size", || {
        measured(&[(&made.setup, SETUP_MOST), (&made.stage.join("aftercare.exe"), DESK_MOST)])
    });
}

/// Runs a script that prints `ok …` for everything that holds, and ends with another code than 0 at what does not.
fn counted(script: &mut Command) -> Outcome<Count> {
    let mut count = Count::default();
    let ended_well = lines(script, |line| {
        if line.starts_with("ok ") {
            count.passed += 1;
        }
    })?;
    if !ended_well {
        count.failed += 1;
    }
    Ok(count)
}

/// Prints sizes, and counts those that are too large.
fn measured(files: &[(&Path, u64)]) -> Outcome<Count> {
    let mut count = Count::default();
    for (file, most) in files {
        let bytes = fs::metadata(file).map_err(|error| format!("{}: {error}", file.display()))?.len();
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        println!("{name}: {:.1} MB (at most {} MB)", bytes as f64 / 1e6, most / 1_000_000);
        if bytes <= *most { count.passed += 1 } else { count.failed += 1 }
    }
    Ok(count)
}
