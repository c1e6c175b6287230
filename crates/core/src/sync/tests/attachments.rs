//! Attachments between alice's desk, the server and bob's.

use serde_json::{Value, json};
use uuid::Uuid;

use super::Hospital;
use crate::attachments::store::PART;
use crate::change_log::PATIENT;
use crate::imports::tests::count;
use crate::testing::Desk;

fn add(desk: &Desk, patient: Uuid, size: usize) -> Value {
    let path = desk.home.path().join("照片.png");
    std::fs::write(&path, (0..size).map(|at| (at % 251) as u8).collect::<Vec<u8>>()).unwrap();
    let on = json!({ "patient_id": patient, "subject_kind": "patient", "subject_id": patient,
                     "path": path.to_str().unwrap() });
    desk.call("attachments_add", on)
}

fn listed(desk: &Desk, patient: Uuid) -> Value {
    desk.call("attachments_list", json!({ "subject_kind": "patient", "subject_id": patient }))["attachments"]
        .clone()
}

/// From now on attachments come to every desk of the hospital by themselves.
fn fetches(desk: &Desk) {
    let mut settings = desk.call("settings_get", json!({}));
    settings["fetch_attachments"] = json!(true);
    desk.call("settings_save", settings);
}

#[test]
fn what_alice_adds_goes_to_the_server_and_to_bob_who_wants_it() {
    let hospital = Hospital::imported();
    let who = hospital.somebody();
    add(&hospital.alice, who, 2 * PART + 9);
    assert_eq!(listed(&hospital.alice, who)[0]["place"], "unsent");
    let status = hospital.alice.call("sync_status", json!({}));
    assert_eq!((&status["unsent_files"], &status["safe_to_shut_down"]), (&json!(1), &json!(false)));
    hospital.server.sync(&hospital.alice);
    assert_eq!(listed(&hospital.alice, who)[0]["place"], "server");
    let status = hospital.alice.call("sync_status", json!({}));
    assert_eq!((&status["unsent_files"], &status["safe_to_shut_down"]), (&json!(0), &json!(true)));

    hospital.server.sync(&hospital.bob);
    assert_eq!(listed(&hospital.bob, who)[0]["place"], "away", "it comes when it is asked for");
    fetches(&hospital.alice);
    hospital.server.sync(&hospital.alice);
    hospital.server.sync(&hospital.bob);
    assert_eq!(listed(&hospital.bob, who)[0]["place"], "server");
    let bytes = "SELECT sum(length(bytes)) FROM blob_part";
    assert_eq!(count(&hospital.bob, bytes), count(&hospital.alice, bytes));
}

#[test]
fn a_cut_line_costs_one_part() {
    let hospital = Hospital::imported();
    let who = hospital.somebody();
    add(&hospital.alice, who, 5 * PART);
    let line = hospital.server.line(&hospital.alice);
    line.cut_after.set(3);
    // The round itself is through; the attachment waits.
    let report = hospital.server.try_sync(&hospital.alice, &line).unwrap();
    assert_eq!(report.pending, 0);
    assert_eq!(listed(&hospital.alice, who)[0]["place"], "unsent");
    hospital.server.sync(&hospital.alice);
    assert_eq!(listed(&hospital.alice, who)[0]["place"], "server");
    assert_eq!(hospital.server.copy().parts, 5, "nothing went twice, not even what no answer came to");
}

#[test]
fn who_was_erased_leaves_no_attachment_anywhere() {
    let hospital = Hospital::imported();
    let who = hospital.somebody();
    fetches(&hospital.alice);
    add(&hospital.alice, who, 1000);
    hospital.meet();
    assert_eq!(count(&hospital.bob, "SELECT count(*) FROM blob_part"), 1);
    hospital.server.erase(who);
    hospital.server.sync(&hospital.alice);
    hospital.server.sync(&hospital.bob);
    assert!(hospital.server.copy().blobs.is_empty());
    for desk in [&hospital.alice, &hospital.bob] {
        for table in ["attachment", "blob", "blob_part"] {
            assert_eq!(count(desk, &format!("SELECT count(*) FROM {table}")), 0, "{table}");
        }
    }
}

#[test]
fn a_restored_server_gets_its_attachments_back() {
    let hospital = Hospital::imported();
    let who = hospital.somebody();
    let before = hospital.server.copy();
    add(&hospital.alice, who, 1000);
    hospital.meet();
    hospital.server.restore(before);
    hospital.meet();
    hospital.server.sync(&hospital.alice);
    assert_eq!(hospital.server.copy().blobs.len(), 1);
    assert_eq!(listed(&hospital.bob, who)[0]["place"], "away");
}

#[test]
fn what_is_unsent_of_a_patient_who_moved_away_is_kept() {
    let hospital = Hospital::imported();
    let who = hospital.somebody();
    let (his, hers) = (super::site(&hospital.bob), super::site(&hospital.alice));
    // Bob's clinic sees only its own patients from now on.
    let device = hospital.server.line(&hospital.bob).device;
    let line = hospital.server.line(&hospital.bob);
    let to = |site: Uuid| {
        hospital.alice.ctx().write(|w| w.update(&PATIENT, who, &[("site_id", site.into())])).unwrap();
        hospital.server.sync(&hospital.alice);
    };
    to(his);
    hospital.server.0.lock().unwrap().devices.get_mut(&device).unwrap().sites = [his].into();
    hospital.server.sync(&hospital.bob);
    add(&hospital.bob, who, 4 * PART);
    line.cut_after.set(2);
    hospital.server.try_sync(&hospital.bob, &line).unwrap();
    to(hers);
    hospital.server.sync(&hospital.bob);
    assert_eq!(
        count(
            &hospital.bob,
            "SELECT count(*) FROM patient WHERE removed = 0 AND id IN (SELECT patient_id FROM blob)"
        ),
        0
    );
    assert_eq!(count(&hospital.bob, "SELECT count(*) FROM blob"), 1, "only this desk has its bytes");
    to(his);
    hospital.server.sync(&hospital.bob);
    assert_eq!(listed(&hospital.bob, who)[0]["place"], "server");
}
