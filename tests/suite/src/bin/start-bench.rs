//! `start-bench WINDOW EMPTY`: how long the window takes from its start to the worklist, and what it keeps in memory,
//! beside an empty window of the same web view. Prints a figure a line, as the other benchmarks do.
//!
//! Both are driven through WebDriver, whose own time does not count: a start is counted from the process to the first
//! painted content, as the page itself tells it, and a log-in from the click to the rows of the worklist. The hospital's
//! passwords are cheap ones, so that key derivation is left out.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use aftercare_core::env::{Env, PasswordCost};
use aftercare_suite::Answer;
use aftercare_suite::demo::{Hospital, NURSE, PASSWORD, make_calls, moved_to, sample};
use aftercare_suite::window::Window;
use chrono::{FixedOffset, Utc};
use serde_json::{Value, json};

/// Starts of each window; the first of each only warms the disk up.
const STARTS: usize = 8;
/// Until the memory of a window at rest is read.
const REST: Duration = Duration::from_secs(3);
/// Patients called in the demo hospital.
const CALLS: usize = 24;
/// Megabytes that the program may take beyond the empty window.
const BEYOND: f64 = 100.0;

/// One start.
struct Start {
    /// Milliseconds from the process to what can be used.
    millis: f64,
    /// Megabytes of the whole process tree, shared pages by their share.
    megabytes: f64,
}

#[tokio::main]
async fn main() -> ExitCode {
    let mut programs = std::env::args_os().skip(1).map(PathBuf::from);
    let (Some(window), Some(empty)) = (programs.next(), programs.next()) else {
        eprintln!("usage: start-bench WINDOW EMPTY");
        return ExitCode::FAILURE;
    };
    match measure(&window, &empty).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("the start could not be measured: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn measure(window: &Path, empty: &Path) -> Answer {
    let folder = tempfile::tempdir()?;
    let home = folder.path().join("home");
    make_hospital(&home)?;
    let (mut ours, mut floor) = (Vec::new(), Vec::new());
    for number in 0..STARTS {
        let begun = begin(empty, &folder.path().join("empty"), folder.path()).await?;
        let painted = begun.painted;
        let floor_start = begun.rest(painted).await?;
        let begun = begin(window, &home, folder.path()).await?;
        let listed = log_in(&begun.window).await?;
        let usable = begun.painted + listed;
        let start = begun.rest(usable).await?;
        eprintln!(
            "start {number}: ours {:.0} ms (of it log-in to list {listed:.0}), {:.0} MB; empty {:.0} ms, {:.0} MB",
            start.millis, start.megabytes, floor_start.millis, floor_start.megabytes
        );
        if number > 0 {
            ours.push(start);
            floor.push(floor_start);
        }
    }
    let time = |starts: &[Start]| median(starts.iter().map(|start| start.millis).collect());
    let size = |starts: &[Start]| median(starts.iter().map(|start| start.megabytes).collect());
    print("start: to the worklist, beside an empty window", time(&ours), time(&floor), 1.3, "ms");
    print("start: memory of all processes", size(&ours), size(&floor) + BEYOND, 1.0, "MB");
    Ok(())
}

/// The demo hospital with passwords that cost nothing to check.
fn make_hospital(home: &Path) -> Answer {
    let env = Env { password_cost: PasswordCost::Fixed { memory_kib: 64, passes: 1 }, ..Env::real() };
    let hospital = Hospital::found_in(home, env)?;
    let china = FixedOffset::east_opt(8 * 3600).ok_or("a time zone")?;
    let extract = home.with_file_name("discharges.csv");
    fs::write(&extract, moved_to(&sample()?, Utc::now().with_timezone(&china).date_naive())?)?;
    hospital.call("imports_run", json!({ "path": extract, "language": "zh-CN" }))?;
    make_calls(&hospital, CALLS)?;
    hospital.lock()
}

/// A window whose page has been painted.
struct Begun {
    window: Window,
    process: u32,
    painted: f64,
}

async fn begin(program: &Path, home: &Path, folder: &Path) -> Answer<Begun> {
    // The driver starts the window: a script between them notes when, and which process it becomes.
    let (script, note) = (folder.join("start.sh"), folder.join("started"));
    let text = format!(
        "#!/bin/sh\necho $$ $(date +%s%N) > '{}'\nexec '{}' \"$@\"\n",
        note.display(),
        program.display()
    );
    fs::write(&script, text)?;
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755))?;
    let window = Window::open(&script, home).await?;
    let noted = fs::read_to_string(&note)?;
    let (process, nanos) = noted.trim().split_once(' ').ok_or("the start was not noted")?;
    let started = nanos.parse::<f64>()? / 1e6;
    let painted = loop {
        // The first paint that held a text or a picture, milliseconds since 1970.
        let script = "const [paint] = performance.getEntriesByName('first-contentful-paint');
            return paint ? performance.timeOrigin + paint.startTime : null";
        if let Some(at) = window.script(script, vec![]).await?.as_f64() {
            break at - started;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    Ok(Begun { window, process: process.parse()?, painted })
}

impl Begun {
    /// Lets the window come to rest, reads its memory and closes it.
    async fn rest(self, millis: f64) -> Answer<Start> {
        tokio::time::sleep(REST).await;
        let megabytes = memory_of(self.process)?;
        self.window.close().await?;
        Ok(Start { millis, megabytes })
    }
}

/// Logs the nurse in. Milliseconds from the click to the rows of the worklist, as the page counts them.
async fn log_in(window: &Window) -> Answer<f64> {
    window.ready().await?;
    window.fill("[data-test='login-name']", NURSE).await?;
    window.fill("[data-test='login-password']", PASSWORD).await?;
    let script = "location.hash = '#/followup';
        const begun = performance.now();
        window.startBench = null;
        document.querySelector(\"[data-test='login-submit']\").click();
        const look = () => {
            if (document.querySelector(\"[data-test='queue'][aria-busy='false'] [id^='row-']\")) {
                window.startBench = performance.now() - begun;
            } else setTimeout(look, 1);
        };
        look();";
    window.script(script, vec![]).await?;
    window.find("[data-test='queue'] [id^='row-']").await?;
    let listed = window.script("return window.startBench", vec![]).await?;
    listed.as_f64().ok_or_else(|| "the worklist's rows were not seen".into())
}

/// Megabytes of a process and all that it started.
fn memory_of(process: u32) -> Answer<f64> {
    let mut tree = vec![process];
    let mut parents = Vec::new();
    for entry in fs::read_dir("/proc")?.flatten() {
        let Some(id) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
        let stat = fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        // The name in brackets may hold spaces; state and parent follow it.
        let parent = stat.rsplit_once(") ").and_then(|(_, rest)| rest.split(' ').nth(1)?.parse::<u32>().ok());
        parents.extend(parent.map(|parent| (id, parent)));
    }
    let mut at = 0;
    while let Some(parent) = tree.get(at).copied() {
        tree.extend(parents.iter().filter(|(_, of)| *of == parent).map(|(id, _)| *id));
        at += 1;
    }
    let kilobytes = tree.iter().filter_map(|id| {
        let text = fs::read_to_string(format!("/proc/{id}/smaps_rollup")).ok()?;
        let line = text.lines().find(|line| line.starts_with("Pss:"))?;
        line.split_whitespace().nth(1)?.parse::<f64>().ok()
    });
    Ok(kilobytes.sum::<f64>() / 1024.0)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

fn print(name: &str, ours: f64, base: f64, goal: f64, unit: &str) {
    let round = |value: f64| (value * 1000.0).round() / 1000.0;
    let figure: Value = json!({
        "name": name, "ours": round(ours), "base": round(base), "ratio": round(ours / base), "goal": goal, "unit": unit,
    });
    println!("{figure}");
}
