//! Stories of people who go from PC to PC, of a PC that fills up, and of who watches over the clinics.

use aftercare_domain::access::Role;
use chrono::Duration;
use serde_json::{Value, json};
use uuid::Uuid;

use super::server::{TestLine, site};
use super::{Hospital, count};
use crate::error::Result;
use crate::session::SessionStatus;
use crate::sync::OnlineLoginRequest;
use crate::sync::join::login_over;
use crate::testing::{Desk, PASSWORD};

/// Bob has logged in at his own desk since it has a server, so that the server knows him; alice's PC
/// does not.
fn bob_is_known() -> Hospital {
    let hospital = Hospital::imported();
    for (desk, who) in [(&hospital.alice, "alice"), (&hospital.bob, "bob")] {
        desk.login(who).unwrap();
        hospital.server.sync(desk);
    }
    hospital.meet();
    hospital
}

fn new_here(desk: &Desk, line: &TestLine, login: &str, password: &str) -> Result<SessionStatus> {
    let request = OnlineLoginRequest { login: login.to_owned(), password: password.to_owned() };
    login_over(&desk.app, line, request)
}

fn id_of(desk: &Desk, login: &str) -> Uuid {
    let members = desk.call("staff_list", json!({}));
    let found =
        members["members"].as_array().unwrap().iter().find(|member| member["login"] == login).unwrap();
    found["id"].as_str().unwrap().parse().unwrap()
}

#[test]
fn bob_is_new_to_alices_pc_logs_in_once_at_the_server_and_from_then_on_here() {
    let hospital = bob_is_known();
    let pc = &hospital.alice;
    let line = hospital.server.line(pc);
    assert_eq!(pc.login("bob").unwrap_err().code.as_str(), "wrong_password");
    let status = new_here(pc, &line, " bob", PASSWORD).unwrap();
    assert_eq!(status.user.unwrap().login, "bob");
    pc.call("session_lock", json!({}));
    line.cut.set(true);
    pc.login("bob").unwrap();
    assert!(!pc.call("followup_worklist", json!({ "limit": 1 }))["rows"].as_array().unwrap().is_empty());
    pc.login("alice").unwrap();
}

#[test]
fn whom_the_server_does_not_believe_gets_no_slot() {
    let hospital = bob_is_known();
    let pc = &hospital.alice;
    let line = hospital.server.line(pc);
    for (login, password) in [("bob", "not it at all"), ("mallory", PASSWORD)] {
        assert_eq!(new_here(pc, &line, login, password).unwrap_err().code.as_str(), "sync_login");
    }
    assert_eq!(pc.call("session_status", json!({}))["user"]["login"], "alice", "who sits there stays there");
    line.cut.set(true);
    assert_eq!(new_here(pc, &line, "bob", PASSWORD).unwrap_err().code.as_str(), "sync_unreachable");
    assert!(pc.login("bob").is_err());
}

#[test]
fn whom_the_server_shuts_out_is_shut_out_here_at_the_next_contact() {
    let hospital = bob_is_known();
    let bob = id_of(&hospital.bob, "bob");
    hospital.server.0.lock().unwrap().shut_out.insert(bob);
    let line = hospital.server.line(&hospital.alice);
    assert_eq!(new_here(&hospital.alice, &line, "bob", PASSWORD).unwrap_err().code.as_str(), "sync_login");
    let line = hospital.server.line(&hospital.bob);
    let ended = hospital.server.try_sync(&hospital.bob, &line).unwrap_err();
    assert_eq!(ended.code.as_str(), "cancelled");
    assert_eq!(hospital.bob.call("session_status", json!({}))["state"], "locked");
    assert_eq!(hospital.bob.login("bob").unwrap_err().code.as_str(), "wrong_password");
    hospital.bob.login("alice").unwrap();
    // Let in again, he logs in at the server once more.
    hospital.server.0.lock().unwrap().shut_out.clear();
    new_here(&hospital.bob, &line, "bob", PASSWORD).unwrap();
    hospital.bob.login("bob").unwrap();
}

#[test]
fn a_first_sync_that_is_cut_says_how_far_it_is_and_goes_on_from_there() {
    let hospital = Hospital::imported();
    let pc = Desk::new();
    hospital.server.enrol(&pc, &[site(&hospital.alice), site(&hospital.bob)]);
    let whole = {
        let memory = hospital.server.copy();
        memory.records.len().div_ceil(40)
    };
    let line = hospital.server.line(&pc);
    line.pages.set(4);
    assert_eq!(hospital.server.try_sync(&pc, &line).unwrap_err().code.as_str(), "sync_unreachable");
    let status = pc.call("sync_status", json!({}));
    assert_eq!((&status["filling"], &status["safe_to_shut_down"]), (&json!(true), &json!(false)));
    assert!(status["filled"].as_i64().unwrap() > 0);
    pc.call("sync_stop", json!({}));
    assert_eq!(pc.call("sync_status", json!({}))["held"], true);
    let line = hospital.server.line(&pc);
    line.pages.set(1_000);
    hospital.server.try_sync(&pc, &line).unwrap();
    let asked = 1_000 - usize::try_from(line.pages.get()).unwrap();
    assert!(asked < whole + 3, "{asked} pages were asked for, and {whole} are all");
    assert_eq!(pc.call("sync_status", json!({}))["filling"], false);
    let patients = "SELECT count(*) FROM patient";
    assert_eq!(count(&pc, patients), count(&hospital.alice, patients));
    // The PC wrote alone before; what it brought is with the others now.
    hospital.meet();
}

fn site_named(clinics: &Value, id: Uuid) -> &Value {
    let sites = clinics["sites"].as_array().unwrap();
    sites.iter().find(|site| site["id"] == id.to_string()).unwrap()
}

#[test]
fn a_supervisor_sees_which_clinic_was_not_heard_and_how_old_its_figures_are() {
    let hospital = Hospital::imported();
    let (here, there) = (site(&hospital.alice), site(&hospital.bob));
    hospital.alice.wait(Duration::minutes(31));
    hospital.server.sync(&hospital.alice);
    let clinics = hospital.alice.call("sync_clinics", json!({}));
    let both = site_named(&clinics, there);
    assert_eq!((&both["silent"], both["desks"].as_array().unwrap().len()), (&json!(0), 2));
    assert_eq!(both["as_of"], hospital.bob.now().timestamp_millis(), "bob's desk was heard longest ago");
    hospital.alice.wait(Duration::days(1));
    hospital.server.sync(&hospital.alice);
    let clinics = hospital.alice.call("sync_clinics", json!({}));
    assert_eq!(clinics["heard_at"], hospital.alice.now().timestamp_millis());
    let silent = site_named(&clinics, there);
    assert_eq!(
        (&silent["silent"], &silent["as_of"]),
        (&json!(1), &json!(hospital.alice.now().timestamp_millis()))
    );
    assert_eq!(silent["desks"][0]["silent"], true);
    let own = site_named(&clinics, here)["desks"].as_array().unwrap().clone();
    assert!(own.iter().any(|desk| desk["here"] == true));
    hospital.alice.add("nina", &[Role::Nurse]);
    hospital.alice.login("nina").unwrap();
    hospital
        .alice
        .call("session_change_password", json!({ "password": PASSWORD, "new_password": "another one 17" }));
    assert_eq!(hospital.alice.refused("sync_clinics", json!({})), "forbidden");
}
