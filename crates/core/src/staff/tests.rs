#![allow(clippy::unwrap_used, clippy::expect_used)]

use aftercare_domain::access::Role;
use serde_json::json;

use crate::testing::Desk;

#[test]
fn bob_the_nurse_may_work_but_not_make_users() {
    let desk = Desk::new();
    desk.add("bob", &[Role::Nurse]);
    desk.login("bob").unwrap();
    assert_eq!(desk.refused("staff_save", json!({})), "forbidden");
    assert_eq!(
        desk.refused("audit_list", json!({ "before": null, "action": null, "limit": 10 })),
        "forbidden"
    );
}

#[test]
fn the_last_administrator_stays() {
    let desk = Desk::new();
    let alice = desk.call("staff_list", json!({}))["members"][0].clone();
    let mut changed = alice.clone();
    changed["roles"] = json!(["supervisor"]);
    assert_eq!(desk.refused("staff_save", changed), "last_administrator");
}

#[test]
fn the_administrator_is_not_the_auditor() {
    let desk = Desk::new();
    let request = json!({ "id": null, "login": "carol", "display_name": "Carol", "job_number": "", "department": "",
        "roles": ["administrator", "auditor"], "active": true, "password": "long enough 1" });
    let error = desk.app.call("staff_save", request).unwrap_err();
    assert_eq!((error.code.as_str(), error.fields[0].field.as_str()), ("invalid", "roles"));
}

#[test]
fn somebody_who_left_cannot_log_in() {
    let desk = Desk::new();
    let mut bob = desk.add("bob", &[Role::Nurse]);
    bob["active"] = json!(false);
    desk.call("staff_save", bob);
    assert_eq!(desk.login("bob").unwrap_err().code.as_str(), "wrong_password");
}
