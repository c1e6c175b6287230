//! Stories of two desks of one hospital: alice's, where the HIS is imported, and bob's at a clinic.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod attachments;
mod claims;
mod complaints;
mod people;
mod server;
mod stick;
mod surveys;

use aftercare_domain::access::Role;
use aftercare_domain::op::FieldValue;
use serde_json::{Value, json};
use uuid::Uuid;

use self::server::{Server, shared, site};
use crate::change_log::{PATIENT, verify};
use crate::imports::tests::{count, fixture, import, visible};
use crate::testing::{Desk, PASSWORD};

/// Alice supervises at her desk, bob at his; both see both sites. Nothing was synced yet.
struct Hospital {
    server: Server,
    alice: Desk,
    bob: Desk,
}

impl Hospital {
    fn new() -> Self {
        let (alice, bob) = (Desk::new(), Desk::new());
        bob.add("bob", &[Role::Supervisor]);
        bob.login("bob").unwrap();
        let server = Server::new();
        server.enrol(&alice, &[site(&bob)]);
        server.enrol(&bob, &[site(&alice)]);
        Self { server, alice, bob }
    }

    /// Until both have everything.
    fn meet(&self) {
        for desk in [&self.alice, &self.bob, &self.alice, &self.bob] {
            self.server.sync(desk);
        }
        for sql in [
            "SELECT id, name, site_id, address FROM patient ORDER BY id",
            "SELECT id, patient_id, number, removed FROM phone ORDER BY id",
            "SELECT id, patient_id, status, claimed_by, claimed_until, due_on FROM task ORDER BY id",
            "SELECT id, task_id, user_id FROM call ORDER BY id",
            "SELECT name, value FROM setting ORDER BY id",
            "SELECT code, version, enabled, made_at FROM plan_version ORDER BY id",
            "SELECT patient.id, worklist.rank FROM worklist JOIN patient ON num = patient_num ORDER BY patient.id",
        ] {
            assert_eq!(visible(&self.alice, sql), visible(&self.bob, sql), "{sql}");
        }
    }

    /// Alice has imported, and both have met.
    fn imported() -> Self {
        let hospital = Self::new();
        import(&hospital.alice, &fixture("出院患者_gb18030.csv"));
        hospital.meet();
        hospital
    }

    /// Somebody on both lists with a task that is due.
    fn somebody(&self) -> Uuid {
        let list = self.bob.call("followup_worklist", json!({ "limit": 1 }));
        list["rows"][0]["patient_id"].as_str().unwrap().parse().unwrap()
    }
}

fn phones(desk: &Desk, patient: Uuid) -> Vec<Value> {
    desk.call("archive_patient", json!({ "id": patient }))["phones"].as_array().unwrap().clone()
}

#[test]
fn what_alice_imports_is_on_bobs_desk_with_list_and_search() {
    let hospital = Hospital::new();
    import(&hospital.alice, &fixture("出院患者_gb18030.csv"));
    hospital.alice.call("settings_get", json!({}));
    hospital.meet();
    let patients = count(&hospital.alice, "SELECT count(*) FROM patient");
    assert!(patients > 0);
    assert_eq!(count(&hospital.bob, "SELECT count(*) FROM patient"), patients);
    assert!(count(&hospital.bob, "SELECT count(*) FROM worklist WHERE rank IS NOT NULL") > 0);
    let name: String = hospital
        .bob
        .ctx()
        .read(|c| Ok(c.query_row("SELECT name FROM patient ORDER BY id LIMIT 1", [], |row| row.get(0))?))
        .unwrap();
    let found = hospital.bob.call("archive_find", json!({ "query": name, "limit": 5 }));
    assert!(!found["hits"].as_array().unwrap().is_empty(), "the search index follows");
    let doctor = hospital.alice.call("settings_doctor", json!({}));
    assert_eq!(doctor["healthy"], true, "{doctor}");
    hospital.bob.ctx().read(verify).unwrap();
    assert_eq!(shared(&hospital.server.copy(), "site"), 2);
}

#[test]
fn nothing_is_pending_and_digests_are_equal_after_a_round() {
    let hospital = Hospital::imported();
    let (hers, his) = (hospital.server.sync(&hospital.alice), hospital.server.sync(&hospital.bob));
    assert_eq!((hers.pending, his.pending, hers.rejected, his.rejected), (0, 0, 0, 0));
    assert_eq!(hers.digest, his.digest);
    assert!(hers.digest.is_some());
    let status = hospital.bob.call("sync_status", json!({}));
    assert_eq!((&status["unsent"], &status["safe_to_shut_down"]), (&json!(0), &json!(true)));
    let history = hospital.bob.call("sync_history", json!({ "limit": 10 }));
    assert!(history["rounds"].as_array().unwrap().iter().any(|round| round["pulled"].as_i64().unwrap() > 0));
}

#[test]
fn both_write_a_phone_down_and_a_person_settles_it() {
    let hospital = Hospital::imported();
    let who = hospital.somebody();
    let phone = phones(&hospital.bob, who)[0].clone();
    for (desk, number) in [(&hospital.alice, "13900000001"), (&hospital.bob, "13900000002")] {
        desk.wait(chrono::Duration::minutes(5));
        let save = json!({ "patient_id": who, "id": phone["id"], "number": number, "owner_name": null,
                         "relation": phone["relation"], "state": phone["state"], "best_hour": null });
        desk.call("archive_phone_save", save);
    }
    hospital.meet();
    let open = hospital.alice.call("sync_conflicts", json!({ "limit": 10 }));
    let conflict = &open["conflicts"][0];
    assert_eq!((&conflict["entity"], &conflict["field"]), (&json!("phone"), &json!("number")));
    assert_eq!(conflict["kept"].as_str().unwrap().len(), 11);
    assert!(conflict["kept"].as_str().unwrap().contains('*'), "masked like everywhere");
    assert!(conflict["kept_by"].is_string() && conflict["lost_by"].is_string(), "{conflict}");
    hospital.alice.call("sync_settle", json!({ "id": conflict["id"], "how": { "kind": "lost" } }));
    let again = json!({ "id": conflict["id"], "how": { "kind": "kept" } });
    assert_eq!(hospital.alice.refused("sync_settle", again), "sync_settled");
    hospital.meet();
    let open = hospital.bob.call("sync_conflicts", json!({ "limit": 10 }));
    assert_eq!(open["conflicts"], json!([]));
    let tail = conflict["lost"].as_str().unwrap()[7..].to_owned();
    assert!(["0001", "0002"].contains(&tail.as_str()));
    let sql = format!("SELECT number FROM phone WHERE number = '1390000{tail}'");
    assert_eq!(visible(&hospital.bob, &sql).len(), 1, "what had lost stands now");
}

#[test]
fn two_claims_made_apart_become_one_and_the_other_is_told() {
    let hospital = Hospital::imported();
    let who = hospital.somebody();
    for desk in [&hospital.bob, &hospital.alice] {
        desk.call("followup_claim", json!({ "patient_id": who }));
    }
    hospital.server.sync(&hospital.bob);
    let report = hospital.server.sync(&hospital.alice);
    assert!(report.rejected > 0, "bob's claim came first");
    let refused = hospital.alice.call("sync_refused", json!({ "limit": 10 }));
    let row = &refused["rows"][0];
    assert_eq!((&row["command"], &row["why"]), (&json!("claim"), &json!("claimed")));
    assert_eq!(row["patient_id"], json!(who));
    hospital.alice.call("sync_refused_seen", json!({ "numbers": [row["number"]] }));
    let left = hospital.alice.call("sync_status", json!({}))["refused"].as_i64().unwrap();
    assert_eq!(left, refused["rows"].as_array().unwrap().len() as i64 - 1);
    hospital.meet();
}

#[test]
fn a_lost_answer_changes_nothing() {
    let hospital = Hospital::new();
    import(&hospital.alice, &fixture("出院患者_gb18030.csv"));
    let line = hospital.server.line(&hospital.alice);
    for _ in 0..3 {
        line.lose.set(1);
        let error = hospital.server.try_sync(&hospital.alice, &line).unwrap_err();
        assert_eq!(error.code.as_str(), "sync_unreachable");
    }
    hospital.meet();
    let memory = hospital.server.copy();
    let ids: Vec<Uuid> = memory.ops.iter().filter_map(|op| op.op_id).collect();
    assert_eq!(ids.len(), memory.known.len(), "each op is present once");
}

#[test]
fn a_restored_server_gets_back_what_it_lost() {
    let hospital = Hospital::imported();
    let old = hospital.server.copy();
    let who = hospital.somebody();
    for (desk, text) in [(&hospital.alice, "东街 1 号"), (&hospital.bob, "西街 2 号")] {
        desk.wait(chrono::Duration::minutes(1));
        let change = [("address", text.into())];
        desk.ctx().write(|w| w.update(&PATIENT, who, &change)).unwrap();
    }
    hospital.meet();
    hospital.server.restore(old);
    // Bob comes first: he brings his own change and offers alice's.
    hospital.server.sync(&hospital.bob);
    hospital.meet();
    let address = visible(&hospital.alice, "SELECT address FROM patient WHERE address LIKE '西街%'");
    assert_eq!(address.len(), 1);
}

#[test]
fn a_patient_who_moves_to_another_site_leaves_the_desk_that_does_not_see_it() {
    let hospital = Hospital::imported();
    let who = hospital.somebody();
    let elsewhere = Uuid::from_u128(0xE15E);
    let to = FieldValue::Bytes(elsewhere.as_bytes().to_vec());
    {
        let mut memory = hospital.server.0.lock().unwrap();
        let alice = hospital.alice.ctx().read(crate::sync::state::own).unwrap().device;
        memory.devices.get_mut(&alice).unwrap().sites.insert(elsewhere);
    }
    hospital.alice.ctx().write(|w| w.update(&PATIENT, who, &[("site_id", to)])).unwrap();
    hospital.server.sync(&hospital.alice);
    hospital.server.sync(&hospital.bob);
    for table in ["patient WHERE id", "phone WHERE patient_id", "task WHERE patient_id"] {
        let sql = format!("SELECT count(*) FROM {table} = x'{}'", who.simple());
        assert_eq!(count(&hospital.bob, &sql), 0, "{table}");
    }
    assert!(hospital.bob.refused("archive_patient", json!({ "id": who })) == "not_found");
}

#[test]
fn a_copied_desk_is_told_so_and_joins_again_under_its_own_name() {
    let hospital = Hospital::imported();
    let copy = hospital.alice.copied();
    hospital
        .alice
        .ctx()
        .write(|w| w.update(&PATIENT, hospital.somebody(), &[("address", "东街".into())]))
        .unwrap();
    hospital.server.sync(&hospital.alice);
    copy.ctx().write(|w| w.update(&PATIENT, hospital.somebody(), &[("employer", "码头".into())])).unwrap();
    let error = hospital.server.try_sync(&copy, &hospital.server.line(&copy)).unwrap_err();
    assert_eq!(error.code.as_str(), "sync_forked");
    assert_eq!(copy.call("sync_status", json!({}))["problem"], "sync_forked");
    copy.ctx().db().write(|c, _| crate::sync::state::take_identity(c, Uuid::from_u128(0xC0B1))).unwrap();
    hospital.server.enrol(&copy, &[site(&hospital.bob)]);
    hospital.server.sync(&copy);
    copy.ctx().read(verify).unwrap();
    hospital.meet();
    assert_eq!(count(&hospital.alice, "SELECT count(*) FROM patient WHERE employer = '码头'"), 1);
    assert_eq!(hospital.server.sync(&copy).digest, hospital.server.sync(&hospital.bob).digest);
}

#[test]
fn who_was_made_inactive_elsewhere_is_locked_out_here() {
    let hospital = Hospital::imported();
    let members = hospital.alice.call("staff_list", json!({}));
    let bob = members["members"].as_array().unwrap().iter().find(|m| m["login"] == "bob").unwrap().clone();
    let mut left = bob;
    left["active"] = json!(false);
    left["password"] = Value::Null;
    hospital.alice.call("staff_save", left);
    hospital.server.sync(&hospital.alice);
    let result = hospital.server.try_sync(&hospital.bob, &hospital.server.line(&hospital.bob));
    assert!(result.is_err() || hospital.bob.app.call("settings_get", json!({})).is_err());
    assert!(hospital.bob.login("bob").is_err());
    hospital.bob.login("alice").unwrap();
}

#[test]
fn a_lost_pc_erases_itself() {
    let hospital = Hospital::imported();
    let line = hospital.server.line(&hospital.bob);
    line.wipe.set(true);
    let error = hospital.server.try_sync(&hospital.bob, &line).unwrap_err();
    assert_eq!(error.code.as_str(), "sync_wipe");
    let left: Vec<String> = std::fs::read_dir(hospital.bob.home.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .filter(|name| name.starts_with("aftercare.db") || name.starts_with("keys"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
    let found = hospital.bob.restarted();
    let status = found.call("session_status", json!({})).unwrap();
    assert_eq!(
        (&status["state"], &status["wiped"]),
        (&json!("setup"), &json!(true)),
        "whoever finds it is told why"
    );
    let anew = json!({ "hospital": "测试医院", "site": "东院", "login": "bob", "display_name": "Bob", "password": PASSWORD });
    found.call("session_setup", anew).unwrap();
    assert_eq!(found.call("session_status", json!({})).unwrap()["wiped"], false);
}

#[test]
fn who_was_erased_leaves_nothing_on_a_desk() {
    let hospital = Hospital::imported();
    let who = hospital.somebody();
    let note = [("address", "东街".into())];
    hospital.bob.ctx().write(|w| w.update(&PATIENT, who, &note)).unwrap();
    hospital.server.sync(&hospital.bob);
    hospital.server.erase(who);
    hospital.server.sync(&hospital.bob);
    let hex = who.simple();
    for sql in [
        format!("SELECT count(*) FROM patient WHERE id = x'{hex}'"),
        format!("SELECT count(*) FROM task WHERE patient_id = x'{hex}'"),
        format!("SELECT count(*) FROM op WHERE instr(bytes, x'{hex}') > 0"),
        format!("SELECT count(*) FROM sync_received WHERE instr(bytes, x'{hex}') > 0"),
    ] {
        assert_eq!(count(&hospital.bob, &sql), 0, "{sql}");
    }
    hospital.bob.ctx().read(verify).unwrap();
}
