//! A desk that comes back after ninety days, and a desk to which nothing happens.

use std::path::Path;

use aftercare_bench::desk::call;
use aftercare_bench::hospital::{Hospital, csv_gb18030};
use aftercare_bench::measure::{Figure, print, rows, thousands, wanted};
use aftercare_sync::wire::MAX_OPS;
use chrono::Utc;
use serde_json::json;

use crate::child::{Asked, open, sign_in, start_desk};
use crate::first::{Joined, join};
use crate::load::{Desk, Door};

/// Changes of ninety days, 200 a day.
const CHANGES: usize = 18_000;
/// Patients whom the desk has from before.
const PATIENTS: usize = 2000;
/// Until it has caught up, seconds.
const PATIENCE: f64 = 60.0;
/// Discharges of one extract.
const EXTRACT: usize = 200;
/// Rounds of the idle desk that count.
const IDLE: usize = 6;
/// What one of them may cost, bytes both ways.
const BUDGET: f64 = 2048.0;

/// Measures what was asked for.
pub fn measure() {
    let changes = rows(CHANGES);
    let back = format!("sync: ninety days offline, {} changes here and there", thousands(changes));
    let idle = "sync: bytes of an idle desk's sync";
    if wanted(&back) || wanted(idle) {
        let folder = tempfile::tempdir().unwrap();
        let joined = join(folder.path(), PATIENTS.min(rows(PATIENTS)));
        if wanted(&back) {
            come_back(&joined, folder.path(), changes, &back);
        }
        if wanted(idle) {
            rest(&joined, idle);
        }
    }
}

/// The desk imports extracts for ninety days while another desk of the site works with the server.
fn come_back(joined: &Joined, folder: &Path, changes: usize, name: &str) {
    let app = open(&joined.home());
    sign_in(&app);
    let mut hospital = Hospital::new(77, Utc::now().date_naive(), 90);
    let waiting = || call(&app, "sync_status", json!({}))["unsent"].as_u64().unwrap() as usize;
    let before = waiting();
    let mut extracts = 0;
    while waiting() - before < changes {
        extracts += 1;
        let extract = folder.join(format!("{extracts}.csv"));
        std::fs::write(&extract, csv_gb18030(&mut hospital, EXTRACT.min(changes))).unwrap();
        call(&app, "imports_run", json!({ "path": extract }));
    }
    let own = waiting();
    call(&app, "session_lock", json!({}));
    drop(app);
    let other = joined.other.lock().unwrap().take().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let door = Door::new(&joined.central, joined.position);
        let mut other = Desk::open(&door, other, joined.user).await;
        let mut left = changes;
        while left > 0 {
            let ops = other.write(left.min(MAX_OPS));
            left -= ops.len();
            other.sync(ops).await.unwrap();
        }
    });
    let (home, server) = (joined.home(), String::new());
    let asked = Asked { home, server, code: None, rounds: 1, by_itself: false };
    let done = start_desk(&asked, |_| {});
    let report = &done.rounds[0].report;
    assert_eq!((&report["pending"], &report["rejected"]), (&json!(0), &json!(0)), "{report}");
    assert_eq!(report["pushed"].as_u64().unwrap() as usize, own, "{report}");
    eprintln!("ninety days: {report}, the desk's memory {:.0} MB", done.peak);
    print(&Figure { name, ours: done.rounds[0].seconds, base: PATIENCE, goal: 1.0, unit: "s" });
}

/// Rounds in which nothing happened, each on a connection of its own, as they are minutes apart.
fn rest(joined: &Joined, name: &str) {
    let proxy = &joined.proxy;
    let asked = Asked {
        home: joined.home(),
        server: String::new(),
        code: None,
        // The first shakes hands in full and gets a token.
        rounds: 1 + IDLE,
        by_itself: true,
    };
    let mut seen = vec![proxy.bytes()];
    start_desk(&asked, |_| {
        proxy.cut();
        seen.push(proxy.bytes());
        joined.central.pass();
    });
    let costs: Vec<u64> = seen.windows(2).map(|two| two[1] - two[0]).collect();
    eprintln!(
        "idle: {costs:?} bytes a round, the first with a full handshake; every third with a new token, now and then with the clinics"
    );
    let ours = costs[1..].iter().sum::<u64>() as f64 / IDLE as f64;
    print(&Figure { name, ours, base: BUDGET, goal: 1.0, unit: "bytes" });
}
