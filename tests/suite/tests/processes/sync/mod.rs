//! Real desks and a real server on loopback: joined by a code, synced over TLS, cut off at any moment.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use aftercare_suite::bad_line::{BadLine, Fault};
use aftercare_suite::central::Central;
use aftercare_suite::headless::{Headless, signal};
use aftercare_suite::programs::root;
use serde_json::{Value, json};

mod bad_input;
mod clocks;
mod disk;
mod erasure;
mod kills;
mod restored;
mod world;

use crate::{assert_whole, hospital};

/// Rounds of the story in which a desk is cut off; each cuts at another moment.
const CUTS: u64 = 10;
/// What a bad line does to one connection after the other: a refusal, half a question, half an answer,
/// an answer that comes late and one that comes byte by byte.
const FAULTS: [Fault; 6] = [
    Fault::Refuse,
    Fault::CutQuestion(900),
    Fault::CutAnswer(1_500),
    Fault::CutAnswer(4_000),
    Fault::Delay(Duration::from_millis(300)),
    Fault::Dribble,
];

fn joined(central: &Central, home: &Path) -> Headless {
    let desk = hospital(home);
    join(central, &desk);
    desk
}

fn join(central: &Central, desk: &Headless) -> Value {
    let code = central.code().unwrap();
    desk.done(&["enrol", "--server", &central.address(), "--code", &code]).unwrap()
}

fn import(desk: &Headless) -> Value {
    let file = root().join("tests/fixtures/imports/出院患者_gb18030.csv");
    desk.done(&["import", file.to_str().unwrap()]).unwrap()
}

fn sync(desk: &Headless) -> Value {
    desk.done(&["sync", "--once"]).unwrap()
}

#[test]
fn two_desks_join_and_have_the_same_after_a_round() {
    let folder = tempfile::tempdir().unwrap();
    let central = Central::start(&folder.path().join("server")).unwrap();
    let alice = hospital(&folder.path().join("alice"));
    import(&alice);
    let done = join(&central, &alice);
    assert_eq!((&done["hospital"], &done["pending"]), (&json!("青山县人民医院"), &json!(0)));
    assert!(done["pushed"].as_u64().unwrap() > 10);

    let bob = joined(&central, &folder.path().join("bob"));
    let first = sync(&alice);
    let second = sync(&bob);
    assert_eq!(
        (&first["pending"], &second["pending"], &second["rejected"]),
        (&json!(0), &json!(0), &json!(0))
    );
    assert!(first["digest"].is_string() && second["digest"].is_string(), "{first} {second}");
    for desk in [&alice, &bob] {
        assert_whole(desk);
        assert_eq!(desk.done(&["conflicts"]).unwrap()["conflicts"], json!([]));
    }
    // The same request again brings nothing new.
    let again = sync(&bob);
    assert_eq!((&again["pushed"], &again["pulled"]), (&json!(0), &json!(0)));
}

#[test]
fn a_code_works_once_and_a_mistyped_one_goes_nowhere() {
    let folder = tempfile::tempdir().unwrap();
    let central = Central::start(&folder.path().join("server")).unwrap();
    let alice = hospital(&folder.path().join("alice"));
    let bob = hospital(&folder.path().join("bob"));
    let code = central.code().unwrap();
    let address = central.address();
    let enrol =
        |desk: &Headless, code: &str| desk.refused(&["enrol", "--server", &address, "--code", code]).unwrap();
    assert_eq!(enrol(&alice, "ABCDE-FGHJK"), "sync_bad_code");
    alice.done(&["enrol", "--server", &address, "--code", &code]).unwrap();
    assert_eq!(enrol(&alice, &code), "sync_enrolled");
    assert_eq!(enrol(&bob, &code), "sync_code_wrong");
    assert_eq!(bob.refused(&["sync", "--once"]).unwrap(), "sync_not_enrolled");
    // A code of one server does not let a desk speak to another.
    let other = Central::start(&folder.path().join("other")).unwrap();
    let wrong = ["enrol", "--server", &other.address(), "--code", &central.code().unwrap()];
    assert_eq!(bob.refused(&wrong).unwrap(), "sync_wrong_server");
    drop(central);
    assert_eq!(alice.refused(&["sync", "--once"]).unwrap(), "sync_unreachable");
    assert_whole(&alice);
}

#[test]
fn desk_and_server_may_be_cut_off_at_any_moment() {
    let folder = tempfile::tempdir().unwrap();
    let mut central = Central::start(&folder.path().join("server")).unwrap();
    let alice = joined(&central, &folder.path().join("alice"));
    import(&alice);
    for round in 0..CUTS {
        let mut running = alice.start(&["sync", "--once"]).unwrap();
        std::thread::sleep(Duration::from_millis(20 + round * 53 % 400));
        if round % 3 == 2 {
            central.again(&[]).unwrap();
        } else if running.try_wait().unwrap().is_none() {
            signal(running.id(), "KILL").unwrap();
        }
        running.wait().unwrap();
        assert_whole(&alice);
    }
    let done = sync(&alice);
    assert_eq!(done["pending"], json!(0));
    assert!(done["digest"].is_string(), "{done}");
    assert_whole(&alice);
}

#[test]
fn a_line_that_misbehaves_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let central = Central::start(&folder.path().join("server")).unwrap();
    let misbehaves = Arc::new(AtomicBool::new(false));
    let plan = {
        let misbehaves = misbehaves.clone();
        move |number: u64| match misbehaves.load(Ordering::Relaxed) {
            true => FAULTS[number as usize % FAULTS.len()],
            false => Fault::None,
        }
    };
    let server = central.address().trim_start_matches("https://").parse().unwrap();
    let line = BadLine::open(server, plan).unwrap();
    let alice = hospital(&folder.path().join("alice"));
    let code = central.code().unwrap();
    let address = format!("https://{}", line.address());
    alice.done(&["enrol", "--server", &address, "--code", &code]).unwrap();
    import(&alice);
    misbehaves.store(true, Ordering::Relaxed);
    let before = line.connections();
    for _ in 0..FAULTS.len() {
        // It may get through or not; what it has stays whole either way.
        alice.run(&["sync", "--once"]).unwrap();
        assert_whole(&alice);
    }
    assert!(line.connections() - before >= FAULTS.len() as u64);
    misbehaves.store(false, Ordering::Relaxed);
    let done = sync(&alice);
    assert_eq!((&done["pending"], &done["rejected"]), (&json!(0), &json!(0)));
    assert!(done["digest"].is_string(), "{done}");
}
