#![allow(clippy::unwrap_used, clippy::expect_used)]

use aftercare_domain::access::Role;
use serde_json::{Value, json};
use uuid::Uuid;

use super::store::{self, BlobKey, PART};
use crate::app::jobs::Progress;
use crate::imports::tests::{count, fixture, import};
use crate::testing::Desk;

fn patient(desk: &Desk) -> Uuid {
    import(desk, &fixture("出院患者_gb18030.csv"));
    let sql = "SELECT id FROM patient ORDER BY id LIMIT 1";
    desk.ctx().read(|c| Ok(c.query_row(sql, [], |row| row.get(0))?)).unwrap()
}

fn file(desk: &Desk, name: &str, size: usize) -> String {
    let path = desk.home.path().join(name);
    let bytes: Vec<u8> = (0..size).map(|at| (at * 31 % 251) as u8).collect();
    std::fs::write(&path, bytes).unwrap();
    path.to_str().unwrap().to_owned()
}

fn add(desk: &Desk, patient: Uuid, path: &str) -> Value {
    let on = json!({ "patient_id": patient, "subject_kind": "patient", "subject_id": patient, "path": path });
    desk.call("attachments_add", on)
}

fn listed(desk: &Desk, patient: Uuid) -> Vec<Value> {
    let list = desk.call("attachments_list", json!({ "subject_kind": "patient", "subject_id": patient }));
    list["attachments"].as_array().unwrap().clone()
}

fn exported(desk: &Desk, id: &Value, to: &str) -> Value {
    let path = desk.home.path().join(to);
    let job = desk.call("attachments_export", json!({ "id": id, "path": path }));
    loop {
        let status = desk.call("settings_job", json!({ "id": job["id"] }));
        if status["state"] != "running" {
            return status;
        }
        std::thread::yield_now();
    }
}

#[test]
fn alice_adds_a_picture_and_takes_a_copy_out_byte_for_byte() {
    let desk = Desk::new();
    let who = patient(&desk);
    let path = file(&desk, "伤口.JPG", 3 * PART + 17);
    let added = add(&desk, who, &path);
    assert_eq!((&added["name"], &added["media_type"]), (&json!("伤口.JPG"), &json!("image/jpeg")));
    assert_eq!((&added["size"], &added["place"]), (&json!(3 * PART + 17), &json!("desk")));
    assert_eq!(exported(&desk, &added["id"], "copy.jpg")["state"], "done");
    let copy = std::fs::read(desk.home.path().join("copy.jpg")).unwrap();
    assert_eq!(copy, std::fs::read(&path).unwrap());
    assert_eq!(count(&desk, "SELECT count(*) FROM blob_part"), 4);
    let said: String = desk
        .ctx()
        .read(|c| Ok(c.query_row("SELECT group_concat(action) FROM audit", [], |row| row.get(0))?))
        .unwrap();
    assert!(said.contains("attachments.add") && said.contains("attachments.export"));
}

#[test]
fn the_same_file_twice_is_one_and_what_is_removed_comes_back() {
    let desk = Desk::new();
    let who = patient(&desk);
    let path = file(&desk, "a.pdf", 1000);
    let first = add(&desk, who, &path);
    assert_eq!(add(&desk, who, &path)["id"], first["id"]);
    desk.call("attachments_remove", json!({ "id": first["id"], "removed": true }));
    assert!(listed(&desk, who).is_empty());
    let copy = json!({ "id": first["id"], "path": "x" });
    assert_eq!(desk.refused("attachments_export", copy), "not_found");
    desk.call("attachments_remove", json!({ "id": first["id"], "removed": false }));
    assert_eq!(listed(&desk, who).len(), 1);
}

#[test]
fn what_cannot_be_added_is_said_and_leaves_nothing() {
    let desk = Desk::new();
    let who = patient(&desk);
    let mut settings = desk.call("settings_get", json!({}));
    settings["attachment_max_mib"] = json!(65);
    assert_eq!(desk.refused("settings_save", settings.clone()), "invalid");
    settings["attachment_max_mib"] = json!(1);
    desk.call("settings_save", settings);
    let refused = |path: &str, patient: Uuid, subject: Uuid, kind: &str| {
        let on = json!({ "patient_id": patient, "subject_kind": kind, "subject_id": subject, "path": path });
        desk.refused("attachments_add", on)
    };
    let small = file(&desk, "small", 10);
    assert_eq!(refused(&file(&desk, "large", (1 << 20) + 1), who, who, "patient"), "attachment_too_large");
    assert_eq!(refused(&file(&desk, "empty", 0), who, who, "patient"), "file_empty");
    assert_eq!(refused("nowhere/at/all", who, who, "patient"), "file_missing");
    assert_eq!(refused(desk.home.path().to_str().unwrap(), who, who, "patient"), "file_not_regular");
    assert_eq!(refused(&small, Uuid::from_u128(5), Uuid::from_u128(5), "patient"), "not_found");
    assert_eq!(refused(&small, who, Uuid::from_u128(5), "patient"), "invalid");
    assert_eq!(refused(&small, who, who, "Drop Table"), "invalid");
    for table in ["attachment", "blob", "blob_part"] {
        assert_eq!(count(&desk, &format!("SELECT count(*) FROM {table}")), 0, "{table}");
    }
}

#[test]
fn evidence_hangs_on_its_complaint_and_not_on_the_patients_page() {
    let desk = Desk::new();
    let who = patient(&desk);
    let complaint = Uuid::from_u128(9);
    let path = file(&desk, "录音.mp3", 100);
    let on = json!({ "patient_id": who, "subject_kind": "complaint", "subject_id": complaint, "path": path });
    let added = desk.call("attachments_add", on);
    assert!(listed(&desk, who).is_empty());
    let list = desk.call("attachments_list", json!({ "subject_kind": "complaint", "subject_id": complaint }));
    assert_eq!(list["attachments"][0]["id"], added["id"]);
}

#[test]
fn what_was_cut_off_goes_on_and_leftovers_are_swept_after_a_day() {
    let desk = Desk::new();
    let who = patient(&desk);
    let ctx = desk.ctx();
    let path = file(&desk, "film.mp4", 2 * PART + 5);
    let mut open = std::fs::File::open(&path).unwrap();
    let (size, sha256) = store::measure(&mut open, 50).unwrap();
    let key = BlobKey { patient: who, sha256 };
    let progress = Progress::unwatched();
    progress.cancel();
    assert!(store::keep(&ctx, &key, size, &mut open, &progress).is_err());
    let begun = || count(&desk, "SELECT count(*) FROM blob");
    assert_eq!(begun(), 1);
    ctx.db().write(|c, _| store::sweep(c, desk.now().timestamp_millis())).unwrap();
    assert_eq!(begun(), 1, "somebody may be at it");
    add(&desk, who, &path);
    let other = BlobKey { patient: who, sha256: [7; 32] };
    ctx.db().write(|c, _| store::begin(c, &other, 10, true, desk.now().timestamp_millis())).unwrap();
    desk.wait(chrono::Duration::days(2));
    ctx.db().write(|c, _| store::sweep(c, desk.now().timestamp_millis())).unwrap();
    assert_eq!(begun(), 1, "only what belongs to nothing goes");
}

#[test]
fn a_file_that_changes_under_our_hands_is_refused() {
    let desk = Desk::new();
    let who = patient(&desk);
    let mut open = std::fs::File::open(file(&desk, "a", 500)).unwrap();
    let (size, _) = store::measure(&mut open, 50).unwrap();
    let other = BlobKey { patient: who, sha256: [1; 32] };
    let error = store::keep(&desk.ctx(), &other, size, &mut open, &Progress::unwatched()).unwrap_err();
    assert_eq!(error.code.as_str(), "attachment_changed");
    assert_eq!(count(&desk, "SELECT count(*) FROM blob"), 0);
}

#[test]
fn who_may_not_see_in_full_takes_no_copy() {
    let desk = Desk::new();
    let who = patient(&desk);
    let added = add(&desk, who, &file(&desk, "a.txt", 10));
    desk.add("bob", &[Role::Approver]);
    desk.login("bob").unwrap();
    assert_eq!(listed(&desk, who).len(), 1);
    let copy = json!({ "id": added["id"], "path": "x" });
    assert_eq!(desk.refused("attachments_export", copy), "forbidden");
}
