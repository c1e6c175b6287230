//! What this program does when it starts itself: a server, or a desk. Each has a process of its own, so that its
//! memory is its own.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use aftercare_bench::desk::{PASSWORD, call};
use aftercare_core::env::PasswordCost;
use aftercare_core::{App, Env};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::central;
use crate::history::LOGIN;

/// How often a job is asked whether it has ended.
const LOOK: Duration = Duration::from_millis(5);
/// Until a round by itself has ended.
const PATIENCE: Duration = Duration::from_secs(60);
/// Where a child finds what it needs.
const ASKED: &str = "AFTERCARE_BENCH_ASKED";

/// What a desk is to do.
#[derive(Serialize, Deserialize)]
pub struct Asked {
    /// Its folder.
    pub home: PathBuf,
    /// The server's address.
    pub server: String,
    /// A code, for an empty folder.
    pub code: Option<String>,
    /// Rounds with the server, each measured.
    pub rounds: usize,
    /// After the first, rounds come by themselves, each after [`PAUSE_MILLIS`].
    pub by_itself: bool,
}

/// A little longer than a desk's pause between two rounds, which is about five minutes.
pub const PAUSE_MILLIS: i64 = 6 * 60_000;

/// How far this process's clock is ahead of the machine's, milliseconds: nobody waits for minutes here.
static AHEAD: AtomicI64 = AtomicI64::new(0);

/// The time that this process goes by, milliseconds UTC.
pub fn now() -> i64 {
    Utc::now().timestamp_millis() + AHEAD.load(Ordering::Relaxed)
}

/// Lets the time of one pause pass.
pub fn pass() {
    AHEAD.fetch_add(PAUSE_MILLIS, Ordering::Relaxed);
}

/// Between two rounds of a desk: what the one that has ended came to is said, and a line awaited.
const NEXT: &[u8] = b"\n";

/// One round of a desk.
#[derive(Debug, Serialize, Deserialize)]
pub struct Round {
    /// How long it took.
    pub seconds: f64,
    /// What the desk said of it.
    pub report: Value,
}

/// A line of what a desk says.
#[derive(Serialize, Deserialize)]
enum Said {
    Round(Round),
    Peak(f64),
}

/// What a desk did.
pub struct Done {
    /// Its rounds.
    pub rounds: Vec<Round>,
    /// Peak resident memory, megabytes.
    pub peak: f64,
}

/// Carries out what this process was started for.
pub fn run(task: &str) {
    match task {
        "server" => central::serve(),
        "desk" => {
            let asked: Asked = serde_json::from_str(&std::env::var(ASKED).unwrap()).unwrap();
            desk(&asked);
        }
        other => panic!("{other}: no such task"),
    }
}

/// A desk in a process of its own. `between` is called after each round, while the desk waits.
pub fn start_desk(asked: &Asked, mut between: impl FnMut(&Round)) -> Done {
    let mut command = itself("desk");
    command.env(ASKED, serde_json::to_string(asked).unwrap()).stderr(Stdio::inherit());
    let mut desk = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut said = BufReader::new(desk.stdout.take().unwrap()).lines();
    let mut next = desk.stdin.take().unwrap();
    let mut rounds = Vec::with_capacity(asked.rounds);
    let peak = loop {
        let line = said.next().expect("the desk has ended").unwrap();
        match serde_json::from_str(&line).unwrap() {
            Said::Round(round) => {
                between(&round);
                rounds.push(round);
                next.write_all(NEXT).unwrap();
            }
            Said::Peak(peak) => break peak,
        }
    };
    assert!(desk.wait().unwrap().success(), "the desk failed");
    Done { rounds, peak }
}

/// This program, for a task.
pub fn itself(task: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.env("AFTERCARE_BENCH_CHILD", task);
    command
}

/// Peak resident memory of a process, megabytes.
pub fn peak_of(process: &Child) -> f64 {
    peak_at(Path::new("/proc").join(process.id().to_string()).join("status"))
}

fn peak_at(status: PathBuf) -> f64 {
    let status = std::fs::read_to_string(status).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    let kilobytes: f64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kilobytes / 1024.0
}

fn desk(asked: &Asked) {
    let app = open(&asked.home);
    if let Some(code) = &asked.code {
        call(&app, "sync_join", json!({ "address": asked.server, "code": code }));
        call(&app, "sync_login", json!({ "login": LOGIN, "password": PASSWORD }));
    }
    sign_in(&app);
    for number in 0..asked.rounds {
        let by_itself = asked.by_itself && number > 0;
        say(&Said::Round(if by_itself { round_by_itself(&app) } else { round(&app) }));
        std::io::stdin().read_line(&mut String::new()).unwrap();
    }
    say(&Said::Peak(peak_at(PathBuf::from("/proc/self/status"))));
}

fn say(what: &Said) {
    println!("{}", serde_json::to_string(what).unwrap());
}

/// Signs the one person in.
pub fn sign_in(app: &Arc<App>) {
    call(app, "session_login", json!({ "login": LOGIN, "password": PASSWORD }));
}

/// Opens a home. Passwords are cheap here: key derivation is not what is measured.
pub fn open(home: &Path) -> Arc<App> {
    let cost = PasswordCost::Fixed { memory_kib: 64, passes: 1 };
    let clock = Arc::new(|| DateTime::from_timestamp_millis(now()).unwrap());
    App::open(home, Env { clock, password_cost: cost, ..Env::real() }).unwrap()
}

/// A round that begins because its time has come, somebody sitting at the desk. A desk takes the jump of its clock for a
/// night's sleep, and meets the server a second later.
fn round_by_itself(app: &Arc<App>) -> Round {
    pass();
    call(app, "session_touch", json!({}));
    let (begun, passed) = (Instant::now(), now());
    loop {
        app.tick();
        let status = call(app, "sync_status", json!({}));
        let heard = status["heard_at"].as_i64().is_some_and(|at| at >= passed);
        if heard && status["running"] == json!(false) {
            assert_eq!((&status["problem"], &status["unsent"]), (&Value::Null, &json!(0)), "{status}");
            return Round { seconds: begun.elapsed().as_secs_f64(), report: status };
        }
        assert!(begun.elapsed() < PATIENCE, "no round: {status}");
        std::thread::sleep(LOOK);
    }
}

/// A round with the server, as the window's button starts it.
pub fn round(app: &Arc<App>) -> Round {
    let begun = Instant::now();
    let job = call(app, "sync_now", json!({}))["id"].clone();
    loop {
        let status = call(app, "settings_job", json!({ "id": job }));
        match status["state"].as_str() {
            Some("running") => std::thread::sleep(LOOK),
            Some("done") => {
                return Round { seconds: begun.elapsed().as_secs_f64(), report: status["result"].clone() };
            }
            _ => panic!("the round ended: {status}"),
        }
    }
}
