//! The benchmarks: ours and the bare floor in one run, in a release build.

use std::fs;
use std::path::PathBuf;

use clap::Args;
use serde_json::Value;

use crate::Outcome;
use crate::process::{cargo, root};

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
        command.stderr(std::process::Stdio::inherit());
        let output = command.output().map_err(|error| format!("{bench}: {error}"))?;
        if !output.status.success() {
            return Err(format!("{bench} ended with {}", output.status));
        }
        for line in String::from_utf8_lossy(&output.stdout).lines().filter(|line| line.starts_with('{')) {
            rows.push(serde_json::from_str(line).map_err(|error| format!("{bench}: {error}: {line}"))?);
        }
    }
    Ok(rows)
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
