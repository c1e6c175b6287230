//! Files that are cut short, overwritten or gone: refused by name, and left as they are.

use std::fs::{self, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;

use crate::hospital;

/// What is in the folder, to see that a refusal changes nothing.
fn bytes(home: &Path) -> Vec<u8> {
    fs::read(home.join("aftercare.db")).unwrap()
}

#[test]
fn a_database_of_noise_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let desk = hospital(folder.path());
    let noise: Vec<u8> = (0..200_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    fs::write(folder.path().join("aftercare.db"), &noise).unwrap();
    for words in [["audit", "verify"].as_slice(), &["doctor"]] {
        assert_eq!(desk.refused(words).unwrap(), "database_damaged");
    }
    assert_eq!(bytes(folder.path()), noise);
}

#[test]
fn an_empty_database_is_not_taken_for_a_new_hospital() {
    let folder = tempfile::tempdir().unwrap();
    let desk = hospital(folder.path());
    fs::write(folder.path().join("aftercare.db"), []).unwrap();
    assert_eq!(desk.refused(&["audit", "verify"]).unwrap(), "database_damaged");
    assert_eq!(desk.refused(&["init", "--hospital", "甲", "--site", "乙"]).unwrap(), "already_set_up");
    assert!(bytes(folder.path()).is_empty());
}

#[test]
fn a_database_that_was_cut_short_is_found_by_the_doctor() {
    let folder = tempfile::tempdir().unwrap();
    let desk = hospital(folder.path());
    let whole = bytes(folder.path()).len() as u64;
    let file = OpenOptions::new().write(true).open(folder.path().join("aftercare.db")).unwrap();
    file.set_len(whole / 2 / 4096 * 4096).unwrap();
    assert_eq!(desk.refused(&["doctor"]).unwrap(), "database_damaged");
}

#[test]
fn one_changed_byte_is_found_by_the_doctor() {
    let folder = tempfile::tempdir().unwrap();
    let desk = hospital(folder.path());
    let middle = bytes(folder.path()).len() as u64 / 2;
    let changed = !bytes(folder.path())[middle as usize];
    let mut file = OpenOptions::new().write(true).open(folder.path().join("aftercare.db")).unwrap();
    file.seek(SeekFrom::Start(middle)).unwrap();
    file.write_all(&[changed]).unwrap();
    drop(file);
    assert_eq!(desk.refused(&["doctor"]).unwrap(), "database_damaged");
}

#[test]
fn key_slots_survive_the_loss_of_one_copy_and_are_refused_without_both() {
    let folder = tempfile::tempdir().unwrap();
    let desk = hospital(folder.path());
    fs::write(folder.path().join("keys.json"), b"{\"half").unwrap();
    desk.done(&["audit", "verify"]).unwrap();
    for name in ["keys.json", "keys.twin.json"] {
        fs::write(folder.path().join(name), b"{\"half").unwrap();
    }
    assert_eq!(desk.refused(&["audit", "verify"]).unwrap(), "keys_damaged");
}

#[test]
fn guessing_passwords_is_stopped_across_processes() {
    let folder = tempfile::tempdir().unwrap();
    let alice = hospital(folder.path());
    let mut mallory = alice.clone();
    mallory.password = "a wild guess 1".into();
    for _ in 0..5 {
        assert_eq!(mallory.refused(&["audit", "verify"]).unwrap(), "wrong_password");
    }
    assert_eq!(alice.refused(&["audit", "verify"]).unwrap(), "locked_out", "even the right one has to wait");
}

#[test]
fn what_is_no_backup_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let desk = hospital(&folder.path().join("home"));
    let backup = folder.path().join("backup");
    let path = backup.to_str().unwrap();
    desk.done(&["backup", path]).unwrap();
    let whole = fs::read(&backup).unwrap();

    let mut elsewhere = desk.clone();
    elsewhere.home = folder.path().join("elsewhere");
    for (damage, expected) in [
        (b"not a backup at all".to_vec(), "not_a_backup"),
        (whole[..whole.len() / 2].to_vec(), "backup_damaged"),
        (whole[..whole.len() - 1].to_vec(), "backup_damaged"),
    ] {
        fs::write(&backup, damage).unwrap();
        assert_eq!(elsewhere.refused(&["restore", path]).unwrap(), expected);
        assert!(!elsewhere.home.join("aftercare.db").exists(), "nothing half restored");
    }
}
