//! kill −9 at any moment: nothing that was acknowledged is lost, and nothing is half done.

use std::sync::Mutex;
use std::time::Duration;

use aftercare_suite::headless::{Headless, Served, refusal, signal};
use serde_json::{Value, json};

use crate::{assert_whole, hospital};

/// Rounds of each story; each kills at another moment.
const ROUNDS: u64 = 6;

#[test]
fn what_was_acknowledged_survives() {
    let folder = tempfile::tempdir().unwrap();
    let desk = hospital(folder.path());
    let mut kept: Vec<(String, Value)> = Vec::new();
    for round in 0..ROUNDS {
        let host = Served::start(folder.path()).unwrap();
        host.log_in(&desk).unwrap();
        for (key, body) in &kept {
            let loaded = host.call("settings_draft_load", &json!({ "key": key })).unwrap();
            assert_eq!(&loaded["body"], body, "{key} was acknowledged before the cut");
        }
        kept.extend(type_until_cut(&host, round));
        host.kill().unwrap();
        assert_whole(&desk);
    }
    assert!(kept.len() as u64 > ROUNDS, "something was acknowledged in most rounds");
}

/// Saves drafts one after the other while another thread cuts the power; answers with what was acknowledged.
fn type_until_cut(host: &Served, round: u64) -> Vec<(String, Value)> {
    let acknowledged = Mutex::new(Vec::new());
    let process = host.process();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(Duration::from_millis(15 + round * 67 % 250));
            signal(process, "KILL").unwrap();
        });
        for number in 0.. {
            let key = format!("followup:{round}-{number}");
            let body = json!({ "answer": "患者恢复良好 㛃䶮𠮷".repeat(number % 40 + 1) });
            match host.call("settings_draft_save", &json!({ "key": key, "body": body })) {
                Ok(_) => acknowledged.lock().unwrap().push((key, body)),
                Err(_) => break,
            }
        }
    });
    acknowledged.into_inner().unwrap()
}

#[test]
fn a_backup_that_was_cut_off_is_not_there_or_whole() {
    let folder = tempfile::tempdir().unwrap();
    let desk = hospital(&folder.path().join("home"));
    let backup = folder.path().join("backup");
    for round in 0..ROUNDS {
        let _ = std::fs::remove_file(&backup);
        let mut running = desk.start(&["backup", backup.to_str().unwrap()]).unwrap();
        std::thread::sleep(Duration::from_millis(20 + round * 53 % 300));
        // It may have ended already: then it is whole.
        let _ = running.kill();
        running.wait().unwrap();
        if backup.exists() {
            let copy = Headless { home: folder.path().join(format!("restored-{round}")), ..desk.clone() };
            copy.done(&["restore", backup.to_str().unwrap()]).unwrap();
            assert_whole(&copy);
        }
        assert_whole(&desk);
    }
}

#[test]
fn a_set_up_that_was_cut_off_can_be_done_again() {
    let folder = tempfile::tempdir().unwrap();
    let words = ["init", "--hospital", "青山县人民医院", "--site", "本部"];
    for round in 0..ROUNDS {
        let home = folder.path().join(round.to_string());
        let desk = Headless { home, user: "alice".into(), password: "correct horse 42".into() };
        let mut running = desk.start(&words).unwrap();
        std::thread::sleep(Duration::from_millis(10 + round * 97 % 500));
        let _ = running.kill();
        let ended = running.wait().unwrap();
        if !ended.success() {
            // Either it can be done again, or it was finished at the last moment and is refused as there already.
            let again = desk.run(&words).unwrap();
            assert!(again.status.success() || refusal(&again).unwrap() == "already_set_up");
        }
        assert_whole(&desk);
    }
}
