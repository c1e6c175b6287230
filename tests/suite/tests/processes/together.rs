//! Two programs on one database.

use aftercare_suite::headless::Served;
use serde_json::json;

use crate::{assert_whole, hospital};

#[test]
fn the_nightly_program_and_an_open_desk_do_not_disturb_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let desk = hospital(folder.path());
    let host = Served::start(folder.path()).unwrap();
    host.log_in(&desk).unwrap();
    let before = desk.done(&["audit", "verify"]).unwrap()["entries"].as_i64().unwrap();
    let saved = 60;
    std::thread::scope(|scope| {
        let nightly: Vec<_> = (0..3).map(|_| scope.spawn(|| desk.done(&["audit", "verify"]))).collect();
        for number in 0..saved {
            let draft = json!({ "key": format!("followup:{number}"), "body": { "n": number } });
            host.call("settings_draft_save", &draft).unwrap();
        }
        for program in nightly {
            program.join().unwrap().unwrap();
        }
    });
    for number in 0..saved {
        let loaded =
            host.call("settings_draft_load", &json!({ "key": format!("followup:{number}") })).unwrap();
        assert_eq!(loaded["body"]["n"], number);
    }
    // Each program's lines are in the one chain: log-in, verification and log-out of three, and ours.
    let after = desk.done(&["audit", "verify"]).unwrap()["entries"].as_i64().unwrap();
    assert!(after >= before + 9, "{before} → {after}");
    assert_whole(&desk);
}
