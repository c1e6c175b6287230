//! The benchmarks: ours and the bare floor in one run, in a release build.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use clap::Args;
use serde_json::Value;

use crate::process::{cargo, npm, program, root, shown, target};
use crate::{Outcome, setup, xvfb};

/// What to measure.
#[derive(Args)]
pub struct Options {
    /// Print `[{"name","ours","base","ratio","goal","unit"}]` alone on standard output.
    #[arg(long)]
    json: bool,
    /// Only the measurements whose name holds this.
    filter: Option<String>,
}

/// Runs every bench target of the workspace; each prints one JSON line per measurement.
///
/// # Errors
/// When one cannot be built or run.
fn measured(options: &Options) -> Outcome<Vec<Value>> {
    let mut rows = Vec::new();
    for (package, bench) in targets()? {
        let mut command = cargo(&["bench", "--quiet", "--package", &package, "--bench", &bench, "--"]);
        command.arg("--json").args(options.filter.iter());
        command.stderr(Stdio::inherit());
        let output = command.output().map_err(|error| format!("{bench}: {error}"))?;
        if !output.status.success() {
            return Err(format!("{bench} ended with {}", output.status));
        }
        rows.extend(figures(&bench, &output.stdout)?);
    }
    let filter = options.filter.as_deref().unwrap_or_default();
    if START.iter().any(|name| name.contains(filter)) {
        rows.extend(start()?);
    }
    if SYNC.iter().any(|name| name.contains(filter) || filter.contains(name)) {
        rows.extend(sync(filter)?);
    }
    Ok(rows)
}

/// What the benchmark of syncing measures, without its counts.
const SYNC: [&str; 8] = [
    "sync: first sync",
    "memory",
    "SQLite",
    "PostgreSQL",
    "heavy desk",
    "ninety days offline",
    "idle desk",
    "PouchDB",
];

/// Desks and a server on loopback.
fn sync(filter: &str) -> Outcome<Vec<Value>> {
    setup::tests()?;
    let mut command = cargo(&words("run --quiet --release --package aftercare-sync-bench -- --json"));
    command.args(Some(filter).filter(|filter| !filter.is_empty()));
    command.stderr(Stdio::inherit());
    let output = command.output().map_err(|error| format!("aftercare-sync-bench: {error}"))?;
    if !output.status.success() {
        return Err(format!("aftercare-sync-bench ended with {}", output.status));
    }
    figures("aftercare-sync-bench", &output.stdout)
}

/// The lines that a benchmark printed as figures.
fn figures(bench: &str, printed: &[u8]) -> Outcome<Vec<Value>> {
    let text = String::from_utf8_lossy(printed);
    let lines = text.lines().filter(|line| line.starts_with('{'));
    lines
        .map(|line| serde_json::from_str(line).map_err(|error| format!("{bench}: {error}: {line}")))
        .collect()
}

/// What `start-bench` measures.
const START: [&str; 2] = ["start: to the worklist, beside an empty window", "start: memory of all processes"];

/// The start of the real window beside an empty one, under a virtual display.
///
/// A window of a release refuses to be driven. This one is built like it, only that its own crate keeps its debug
/// assertions; it is taken out of the release folder at once, so that nobody ships it.
fn start() -> Outcome<Vec<Value>> {
    let this = std::env::current_exe().map_err(|error| format!("this program's path: {error}"))?;
    quietly(&mut program(this, &["setup"]))?;
    quietly(&mut npm(&["run", "--silent", "build"]))?;
    let window = "build --quiet --release --package aftercare --bin aftercare --example empty";
    let drivable = ["--config", "profile.release.package.aftercare.debug-assertions=true"];
    quietly(cargo(&words(window)).args(drivable))?;
    // Only drives the two windows; as the tests build it.
    quietly(&mut cargo(&words("build --quiet --package aftercare-suite --bin start-bench")))?;
    let (release, folder) = (target().join("release"), target().join("bench"));
    let moved = fs::create_dir_all(&folder)
        .and_then(|()| fs::rename(release.join("aftercare"), folder.join("aftercare")))
        .and_then(|()| fs::rename(release.join("examples").join("empty"), folder.join("empty")));
    moved.map_err(|error| format!("{}: {error}", folder.display()))?;
    let display = xvfb::start("1920x1080")?;
    let mut command = program(target().join("debug").join("start-bench"), &[]);
    command.arg(folder.join("aftercare")).arg(folder.join("empty"));
    command.env("DISPLAY", &display.name).env("TAURI_DRIVER", setup::driver()?);
    command.env("WEBKIT_DISABLE_COMPOSITING_MODE", "1").env_remove("WAYLAND_DISPLAY");
    command.stderr(Stdio::inherit());
    let output = command.output().map_err(|error| format!("start-bench: {error}"))?;
    if !output.status.success() {
        return Err(format!("start-bench ended with {}", output.status));
    }
    figures("start-bench", &output.stdout)
}

fn words(line: &str) -> Vec<&str> {
    line.split(' ').collect()
}

/// Runs a step whose output is not the benchmark's: it goes to standard error.
fn quietly(command: &mut Command) -> Outcome {
    let status = command.stdout(Stdio::from(std::io::stderr())).status();
    let status = status.map_err(|error| format!("{}: {error}", shown(command)))?;
    if status.success() { Ok(()) } else { Err(format!("`{}` ended with {status}", shown(command))) }
}

/// `benches/*.rs` of each crate that says `harness = false`.
fn targets() -> Outcome<Vec<(String, String)>> {
    let mut found = Vec::new();
    let crates = root().join("crates");
    for entry in fs::read_dir(&crates).map_err(|error| format!("crates/: {error}"))?.flatten() {
        let benches: PathBuf = entry.path().join("benches");
        let Ok(files) = fs::read_dir(&benches) else {
            continue;
        };
        for file in files.flatten().map(|file| file.path()) {
            if file.extension().is_some_and(|kind| kind == "rs")
                && let Some(stem) = file.file_stem().and_then(|stem| stem.to_str())
            {
                let package = format!("aftercare-{}", entry.file_name().to_string_lossy());
                found.push((package, stem.to_owned()));
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Measures and prints, as a table or as one JSON array.
///
/// # Errors
/// When a benchmark cannot be built or run.
pub fn run(options: &Options) -> Outcome {
    if !options.json {
        println!("Release build; this takes a while.");
    }
    let rows = measured(options)?;
    if options.json {
        println!("{}", Value::Array(rows));
        return Ok(());
    }
    println!("{:<48} {:>12} {:>12} {:>8} {:>8}  unit", "", "ours", "base", "ratio", "goal");
    for row in &rows {
        let text = |key: &str| row.get(key).and_then(Value::as_str).unwrap_or("-").to_owned();
        let number = |key: &str| {
            row.get(key).and_then(Value::as_f64).map_or_else(|| text(key), |value| format!("{value:.2}"))
        };
        println!(
            "{:<48} {:>12} {:>12} {:>8} {:>8}  {}",
            text("name"),
            number("ours"),
            number("base"),
            number("ratio"),
            number("goal"),
            text("unit")
        );
    }
    Ok(())
}
