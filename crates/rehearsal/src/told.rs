//! The part that is only there with debug assertions.

use std::process::Command;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// Every point: the program's, the work's, the moment's name.
pub const POINTS: &[&str] = &[
    "desk.write.before_commit",
    "desk.write.after_commit",
    "desk.send.before",
    "desk.send.answered",
    "desk.apply.verdicts",
    "desk.apply.page",
    "desk.apply.before_commit",
    "desk.apply.after_commit",
    "desk.fill.page",
    "desk.fill.rederived",
    "desk.epoch.begun",
    "desk.enrol.before_ask",
    "desk.enrol.asked",
    "desk.enrol.kept",
    "desk.enrol.done",
    "desk.identity.op",
    "desk.identity.before_commit",
    "desk.join.asked",
    "desk.join.founded",
    "desk.join.filled",
    "desk.join.key_left",
    "desk.join.admitted",
    "desk.join.server_kept",
    "desk.settle.key_left",
    "server.sync.decoded",
    "server.sync.taken",
    "server.sync.before_answer",
    "server.commit.before",
    "server.commit.after",
    "server.enrol.pointed",
    "server.enrol.before_answer",
    "server.blob.part",
    "server.blob.before_answer",
    "server.erase.records",
    "server.backup.copied",
    "server.backup.written",
    "server.backup.verified",
    "server.backup.renamed",
    "server.restore.begun",
    "server.restore.file",
    "server.restore.copied",
    "server.restore.epoch",
];

struct Death {
    at: String,
    left: AtomicU64,
}

pub(crate) fn point(name: &'static str) {
    static DEATH: OnceLock<Option<Death>> = OnceLock::new();
    debug_assert!(POINTS.contains(&name), "{name} is not listed");
    let death = DEATH.get_or_init(|| {
        let told = std::env::var("AFTERCARE_DIE_AT").ok()?;
        let (at, times) = told.split_once(':').unwrap_or((&told, "1"));
        Some(Death { at: at.to_owned(), left: AtomicU64::new(times.parse().unwrap_or(1)) })
    });
    let Some(death) = death.as_ref().filter(|death| death.at == name) else { return };
    if death.left.fetch_sub(1, Ordering::SeqCst) == 1 {
        let own = std::process::id().to_string();
        let _ = Command::new("kill").args(["-KILL", &own]).status();
        // Where there is no such program, the next hardest end.
        std::process::abort();
    }
}

pub(crate) fn clock_off_millis() -> i64 {
    static OFF: OnceLock<i64> = OnceLock::new();
    *OFF.get_or_init(|| {
        let told = std::env::var("AFTERCARE_CLOCK_OFF_SECONDS").ok();
        told.and_then(|seconds| seconds.parse::<i64>().ok()).unwrap_or(0).saturating_mul(1000)
    })
}
