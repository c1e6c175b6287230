//! A disk that is really full: what was acknowledged stays, the refusal has a name, and work goes on once there is
//! room again. The disk is a small file system in memory, which only root may mount; others see the line that says so.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use aftercare_suite::demo::{moved_to, sample};
use aftercare_suite::headless::{Headless, Served};
use chrono::{FixedOffset, NaiveDate, Utc};
use serde_json::{Value, json};

use crate::{assert_whole, hospital};

/// Patients who are called while the disk fills up: more than fit.
const CALLS: usize = 40;

/// A file system of its own, gone at the end.
pub struct SmallDisk {
    folder: tempfile::TempDir,
}

impl SmallDisk {
    /// None where it may not be mounted.
    pub fn mounted(story: &str) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mount = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=64m", "tmpfs"])
            .arg(folder.path())
            .output();
        if mount.is_ok_and(|output| output.status.success()) {
            return Some(Self { folder });
        }
        eprintln!("SKIPPED {story}: only root may mount a small disk");
        None
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    fn ballast(&self) -> PathBuf {
        self.path().join("ballast")
    }

    /// Fills it up to the last `kilobytes`.
    pub fn leave(&self, kilobytes: u64) {
        let mut ballast = File::create(self.ballast()).unwrap();
        let block = [7_u8; 4096];
        let mut size = 0;
        while ballast.write_all(&block).is_ok() {
            size += 4096;
        }
        ballast.set_len(u64::saturating_sub(size, kilobytes * 1024)).unwrap();
    }

    /// Makes room again.
    pub fn clear(&self) {
        fs::remove_file(self.ballast()).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.path()).status();
    }
}

fn today() -> NaiveDate {
    FixedOffset::east_opt(8 * 3600).map(|china| Utc::now().with_timezone(&china).date_naive()).unwrap()
}

/// The sample with discharges of the last weeks, on another disk.
fn extract(folder: &Path) -> PathBuf {
    let file = folder.join("出院患者.csv");
    fs::write(&file, moved_to(&sample().unwrap(), today()).unwrap()).unwrap();
    file
}

fn import(desk: &Headless, file: &Path) -> Value {
    desk.done(&["import", file.to_str().unwrap()]).unwrap()
}

#[test]
fn an_import_onto_a_full_disk_brings_nothing_and_then_everything() {
    let Some(disk) = SmallDisk::mounted("an import onto a full disk") else { return };
    let elsewhere = tempfile::tempdir().unwrap();
    let file = extract(elsewhere.path());
    let desk = hospital(&disk.path().join("home"));
    for kilobytes in [0, 300, 900] {
        disk.leave(kilobytes);
        assert_eq!(desk.refused(&["import", file.to_str().unwrap()]).unwrap(), "disk_full", "{kilobytes} kB");
        disk.clear();
        assert_whole(&desk);
        let tried = desk.done(&["import", file.to_str().unwrap(), "--dry-run"]).unwrap();
        assert_eq!((&tried["unchanged"], &tried["updated"]), (&json!(0), &json!(0)), "nobody came halfway");
    }
    assert_eq!(import(&desk, &file)["created"], 120);
    assert_whole(&desk);
}

/// A failed try of each patient on the list, ready to be saved.
fn tries(host: &Served) -> Vec<Value> {
    let list = host.call("followup_worklist", &json!({ "limit": CALLS })).unwrap();
    let rows = list["rows"].as_array().unwrap();
    let request = |row: &Value| {
        let opened = host.call("followup_open", &json!({ "patient_id": row["patient_id"] })).unwrap();
        let tasks: Vec<&Value> = opened["tasks"].as_array().unwrap().iter().map(|task| &task["id"]).collect();
        json!({
            "call_id": uuid::Uuid::now_v7(), "patient_id": row["patient_id"], "tasks": tasks,
            "phone_id": opened.pointer("/phones/0/id"), "reason": "NOANS",
            "remark": "已改约明天上午".repeat(60),
        })
    };
    rows.iter().map(request).collect()
}

/// Whether the patient's history has this call.
fn has(host: &Served, call: &Value) -> bool {
    let opened = host.call("followup_open", &json!({ "patient_id": call["patient_id"] })).unwrap();
    opened["calls"].as_array().unwrap().iter().any(|made| made["id"] == call["call_id"])
}

#[test]
fn calls_saved_while_the_disk_fills_up_stay_and_the_others_can_be_saved_later() {
    let Some(disk) = SmallDisk::mounted("calls saved while the disk fills up") else { return };
    let elsewhere = tempfile::tempdir().unwrap();
    let desk = hospital(&disk.path().join("home"));
    import(&desk, &extract(elsewhere.path()));
    let host = Served::start(&desk.home).unwrap();
    host.log_in(&desk).unwrap();
    let calls = tries(&host);
    assert!(calls.len() > 10, "only {} patients are due", calls.len());

    disk.leave(600);
    let (mut saved, mut refused) = (Vec::new(), Vec::new());
    for call in &calls {
        match host.call("followup_save_call", call) {
            Ok(_) => saved.push(call),
            Err(error) => {
                assert!(error.to_string().contains("\"disk_full\""), "{error}");
                refused.push(call);
            }
        }
    }
    println!("{} calls saved, {} refused", saved.len(), refused.len());
    assert!(!saved.is_empty() && !refused.is_empty(), "the disk has to fill up in between");
    // The power goes too.
    host.kill().unwrap();
    disk.clear();

    let host = Served::start(&desk.home).unwrap();
    host.log_in(&desk).unwrap();
    for call in saved {
        assert!(has(&host, call), "it was acknowledged");
    }
    for call in refused {
        assert!(!has(&host, call), "half a call");
        host.call("followup_save_call", call).unwrap();
        assert!(has(&host, call));
    }
    drop(host);
    assert_whole(&desk);
}

#[test]
fn a_backup_onto_a_full_disk_leaves_the_old_one_and_fits_later() {
    let Some(disk) = SmallDisk::mounted("a backup onto a full disk") else { return };
    let elsewhere = tempfile::tempdir().unwrap();
    let desk = hospital(&elsewhere.path().join("home"));
    let backup = disk.path().join("backup");
    let path = backup.to_str().unwrap();
    desk.done(&["backup", path]).unwrap();
    let old = fs::read(&backup).unwrap();
    import(&desk, &extract(elsewhere.path()));
    disk.leave(100);
    assert_eq!(desk.refused(&["backup", path]).unwrap(), "disk_full");
    assert_eq!(fs::read(&backup).unwrap(), old);
    assert_eq!(fs::read_dir(disk.path()).unwrap().count(), 2, "nothing half written stays beside it");
    disk.clear();
    desk.done(&["backup", path]).unwrap();
    let copy = Headless { home: elsewhere.path().join("copy"), ..desk.clone() };
    copy.done(&["restore", path]).unwrap();
    assert_whole(&copy);
    assert_eq!(
        copy.done(&["find", "刘㛃"]).unwrap()["hits"][0]["name"],
        "刘㛃",
        "the new one holds the import"
    );
}
