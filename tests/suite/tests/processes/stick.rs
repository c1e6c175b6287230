//! A clinic without a network and its USB sticks, and files that were added to a patient, with the real programs.

use std::path::Path;
use std::time::Duration;

use aftercare_suite::central::Central;
use aftercare_suite::headless::{Headless, Served};
use aftercare_suite::programs::root;
use serde_json::{Value, json};

use crate::{assert_whole, hospital};

/// Alice's desk with an import, at a server, and a second PC of her clinic that she has joined.
fn clinic(folder: &Path) -> (Central, Headless, Headless) {
    let central = Central::start(&folder.join("server")).unwrap();
    let office = hospital(&folder.join("office"));
    let address = central.address();
    office.done(&["enrol", "--server", &address, "--code", &central.code().unwrap()]).unwrap();
    office.done(&["sync", "--once"]).unwrap();
    let laptop = Headless { home: folder.join("laptop"), ..office.clone() };
    let made = central.say(&["code", "new", "--sites", "本部"]).unwrap();
    let code = made["code"].as_str().unwrap().to_owned();
    laptop.done(&["enrol", "--server", &address, "--code", &code]).unwrap();
    (central, office, laptop)
}

fn import(desk: &Headless) {
    let file = root().join("tests/fixtures/imports/出院患者_gb18030.csv");
    desk.done(&["import", file.to_str().unwrap()]).unwrap();
}

fn answer(central: &Central, from: &Path, to: &Path) -> Value {
    let words = ["usb", "answer", from.to_str().unwrap(), to.to_str().unwrap()];
    central.say(&words).unwrap()
}

#[test]
fn two_sticks_do_what_a_network_does() {
    let folder = tempfile::tempdir().unwrap();
    let (central, office, laptop) = clinic(folder.path());
    let file = |name: &str| folder.path().join(name);
    let (there, back) = (file("to-server.desk"), file("to-desk.answer"));
    import(&laptop);
    let written = laptop.done(&["sync", "export-usb", there.to_str().unwrap()]).unwrap();
    let changes = written["changes"].as_i64().unwrap();
    assert!(changes > 10, "{written}");
    let sealed = std::fs::read(&there).unwrap();
    assert!(!String::from_utf8_lossy(&sealed).contains("本部"), "nobody reads it on the way");
    let said = answer(&central, &there, &back);
    assert_eq!((&said["taken"], &said["changes"]), (&json!(changes), &json!(changes)));
    let read = laptop.done(&["sync", "import-usb", back.to_str().unwrap()]).unwrap();
    assert_eq!(
        (&read["pushed"], &read["pending"], &read["rejected"]),
        (&json!(changes), &json!(0), &json!(0))
    );

    let met = office.done(&["sync", "--once"]).unwrap();
    assert!(met["digest"].is_string(), "{met}");
    assert_eq!(met["digest"], read["digest"], "desk, server and desk have the same");
    // The same stick once more, on both sides, changes nothing.
    let again = file("again.answer");
    assert_eq!(answer(&central, &there, &again)["taken"], json!(0));
    for stick in [&back, &again] {
        let read = laptop.done(&["sync", "import-usb", stick.to_str().unwrap()]).unwrap();
        assert_eq!((&read["pushed"], &read["pulled"]), (&json!(0), &json!(0)));
    }
    assert_eq!(laptop.done(&["sync", "--once"]).unwrap()["digest"], met["digest"]);
    for desk in [&office, &laptop] {
        assert_whole(desk);
    }
}

#[test]
fn a_stick_that_is_not_ours_is_named_and_costs_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (central, office, laptop) = clinic(folder.path());
    let file = |name: &str| folder.path().join(name);
    let (there, back, cut) = (file("a"), file("b"), file("cut"));
    import(&laptop);
    laptop.done(&["sync", "export-usb", there.to_str().unwrap()]).unwrap();
    let whole = std::fs::read(&there).unwrap();
    std::fs::write(&cut, &whole[..whole.len() - 7]).unwrap();
    let refused = |central: &Central, from: &Path| {
        let words =
            ["usb", "answer", from.to_str().unwrap(), file("none").to_str().unwrap()].map(str::to_owned);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let said = central.say(&words).unwrap_err().to_string();
        assert!(!file("none").exists(), "half an answer is none");
        said
    };
    assert!(refused(&central, &cut).contains("stick_damaged"));
    let other = Central::start(&folder.path().join("other")).unwrap();
    assert!(refused(&other, &there).contains("device_unknown"));
    answer(&central, &there, &back);
    assert!(refused(&central, &back).contains("stick_wrong_way"));
    let read =
        |desk: &Headless, from: &Path| desk.refused(&["sync", "import-usb", from.to_str().unwrap()]).unwrap();
    assert_eq!(read(&office, &back), "stick_other_desk");
    assert_eq!(read(&laptop, &there), "stick_wrong_way");
    assert_eq!(read(&laptop, &cut), "stick_wrong_way");
    let half = std::fs::read(&back).unwrap();
    std::fs::write(&cut, &half[..half.len() / 2]).unwrap();
    assert_eq!(read(&laptop, &cut), "stick_damaged");
    laptop.done(&["sync", "import-usb", back.to_str().unwrap()]).unwrap();
    assert_whole(&laptop);
}

fn ended(host: &Served, job: &Value) -> Value {
    loop {
        let status = host.call("settings_job", &json!({ "id": job["id"] })).unwrap();
        if status["state"] != "running" {
            assert_eq!(status["state"], "done", "{status}");
            return status["result"].clone();
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn listed(host: &Served, patient: &Value) -> Value {
    let on = json!({ "subject_kind": "patient", "subject_id": patient });
    host.call("attachments_list", &on).unwrap()["attachments"].clone()
}

#[test]
fn a_file_goes_to_the_server_in_parts_and_comes_to_who_opens_it() {
    let folder = tempfile::tempdir().unwrap();
    let (mut central, office, laptop) = clinic(folder.path());
    import(&office);
    let picture = folder.path().join("伤口.jpg");
    let bytes: Vec<u8> = (0..3_000_000_u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    std::fs::write(&picture, &bytes).unwrap();

    let host = Served::start(&office.home).unwrap();
    host.log_in(&office).unwrap();
    let found = host.call("archive_find", &json!({ "query": "", "limit": 1 })).unwrap();
    let patient = found["hits"][0]["patient_id"].clone();
    let add =
        json!({ "patient_id": patient, "subject_kind": "patient", "subject_id": patient, "path": picture });
    host.call("attachments_add", &add).unwrap();
    // The server's power is cut while it comes; the desk is killed and starts again.
    host.call("sync_now", &json!({})).unwrap();
    std::thread::sleep(Duration::from_millis(300));
    central.kill().unwrap();
    central.again(&[]).unwrap();
    host.kill().unwrap();
    let host = Served::start(&office.home).unwrap();
    host.log_in(&office).unwrap();
    ended(&host, &host.call("sync_now", &json!({})).unwrap());
    assert_eq!(listed(&host, &patient)[0]["place"], "server");
    assert_eq!(host.call("sync_status", &json!({})).unwrap()["unsent_files"], 0);

    laptop.done(&["sync", "--once"]).unwrap();
    let other = Served::start(&laptop.home).unwrap();
    other.log_in(&laptop).unwrap();
    let there = listed(&other, &patient);
    assert_eq!((&there[0]["name"], &there[0]["place"]), (&json!("伤口.jpg"), &json!("away")));
    let copy = folder.path().join("copy.jpg");
    let started = other.call("attachments_export", &json!({ "id": there[0]["id"], "path": copy })).unwrap();
    assert_eq!(ended(&other, &started)["bytes"], json!(bytes.len()));
    assert_eq!(std::fs::read(&copy).unwrap(), bytes);
    drop(central);
}
