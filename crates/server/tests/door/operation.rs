//! Stopping, backup, and what waits for an administrator.

use aftercare_sync::door::SnapshotPage;
use aftercare_sync::wire::Outcome;
use uuid::Uuid;

use crate::support::{Server, ask, command, hospital};

#[test]
fn the_server_stops_when_told_and_goes_on_where_it_was() {
    let server = Server::start();
    let ready = ask(server.address, &server.authority(), "GET", "/readyz", &[], b"").unwrap();
    assert_eq!(ready.status, 200);
    let mut story = hospital(&server, &[]);
    let (home, took, well) = server.terminate();
    assert!(well && took.as_secs() < 15);
    let again = Server::start_in(home);
    assert!(again.first_words.is_empty(), "no second administrator");
    story.desk.address = again.address;
    assert_eq!(story.desk.authority, again.authority());
    story.desk.sync().unwrap();
}

#[test]
fn a_backup_is_made_while_people_work_and_a_restore_begins_a_new_epoch() {
    let server = Server::start();
    let mut story = hospital(&server, &[]);
    let place = tempfile::tempdir().unwrap();
    let to = place.path().join("backup");
    let to = to.to_str().unwrap();
    server.command(&["backup", to, "--off-host"]).unwrap();
    let answer = story.desk.sync().unwrap();
    assert_eq!(answer.durable_seq, 3);
    assert_eq!(server.command(&["backup", to]).unwrap_err()["code"], "not_empty");
    // What comes after the backup is lost by the restore, and the desk hears of it.
    story.desk.make("patient", Uuid::now_v7(), story.nurse, &[("site_id", story.site.into())]);
    story.desk.sync().unwrap();
    let (_old, _, _) = server.terminate();

    let home = tempfile::tempdir().unwrap();
    command(home.path(), &["verify", to]).unwrap();
    command(home.path(), &["restore", to]).unwrap();
    assert_eq!(command(home.path(), &["restore", to]).unwrap_err()["code"], "not_empty");
    let restored = Server::start_in(home);
    assert_eq!(restored.authority(), story.desk.authority, "desks know the restored server");
    story.desk.address = restored.address;
    let reply = story.desk.sync().unwrap_err();
    assert_eq!(reply.status, 410);
    let trail = restored.command(&["audit", "verify"]).unwrap();
    assert!(trail.as_array().unwrap().iter().all(|trail| trail["broken_at"].is_null()));

    // One flipped bit is found.
    let manifest = std::path::Path::new(to).join("server.db");
    let mut bytes = std::fs::read(&manifest).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&manifest, bytes).unwrap();
    assert_eq!(restored.command(&["verify", to]).unwrap_err()["code"], "backup_damaged");
}

#[test]
fn a_change_without_the_right_to_it_waits_for_an_administrator() {
    let server = Server::start();
    let mut story = hospital(&server, &[]);
    let (patient, stranger) = (Uuid::now_v7(), Uuid::now_v7());
    story.desk.make("patient", patient, stranger, &[("site_id", story.site.into())]);
    let answer = story.desk.sync().unwrap();
    assert!(matches!(&answer.verdicts[0].outcome, Outcome::Quarantined(why) if why == "author"));
    let waiting = server.command(&["quarantine", "list"]).unwrap();
    assert_eq!(waiting[0]["record"], patient.to_string().as_str());
    let number = waiting[0]["number"].to_string();
    server.command(&["quarantine", "release", &number]).unwrap();
    assert_eq!(server.command(&["quarantine", "reject", &number]).unwrap_err()["code"], "not_found");
    let page: SnapshotPage = story.desk.signed("GET", &format!("/v1/snapshots/{}", story.site), b"").unpack();
    assert_eq!(page.records.len(), 1);
    assert_eq!(server.command(&["quarantine", "list"]).unwrap(), serde_json::json!([]));
}
