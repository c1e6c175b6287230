//! A full disk: said by name, and nothing that was there is lost.

use aftercare_suite::headless::{Headless, refusal};

use crate::{assert_whole, hospital};

#[test]
fn a_backup_that_does_not_fit_leaves_the_old_one() {
    let folder = tempfile::tempdir().unwrap();
    let desk = hospital(&folder.path().join("home"));
    let backup = folder.path().join("backup");
    let path = backup.to_str().unwrap();
    desk.done(&["backup", path]).unwrap();
    let old = std::fs::read(&backup).unwrap();

    let output = desk.run_with_little_disk(100, &["backup", path]).unwrap();
    assert_eq!(refusal(&output).unwrap(), "disk_full");
    assert_eq!(std::fs::read(&backup).unwrap(), old);
    let beside = std::fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(beside, 2, "nothing half written stays beside it");
    assert_whole(&desk);
}

#[test]
fn a_hospital_that_does_not_fit_can_be_set_up_later() {
    let folder = tempfile::tempdir().unwrap();
    let desk = Headless {
        home: folder.path().join("home"),
        user: "alice".into(),
        password: "correct horse 42".into(),
    };
    let words = ["init", "--hospital", "青山县人民医院", "--site", "本部"];
    let output = desk.run_with_little_disk(100, &words).unwrap();
    assert_eq!(refusal(&output).unwrap(), "disk_full");
    desk.done(&words).unwrap();
    assert_whole(&desk);
}
