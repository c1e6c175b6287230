#![allow(clippy::unwrap_used, clippy::expect_used)]

use aftercare_domain::access::Role;
use serde_json::json;

use crate::testing::Desk;

#[test]
fn a_whole_trail_verifies_and_a_changed_or_missing_line_is_named() {
    let desk = Desk::new();
    desk.login("alice").unwrap();
    let whole = desk.call("audit_verify", json!({}));
    assert!(whole["entries"].as_i64().unwrap() >= 3);
    desk.ctx().db().write(|c, _| Ok(c.execute("UPDATE audit SET at = at + 1 WHERE seq = 2", [])?)).unwrap();
    let error = desk.app.call("audit_verify", json!({})).unwrap_err();
    assert_eq!((error.code.as_str(), &error.params["seq"]), ("audit_broken", &json!(2)));
    desk.ctx().db().write(|c, _| Ok(c.execute("DELETE FROM audit WHERE seq = 1", [])?)).unwrap();
    let error = desk.app.call("audit_verify", json!({})).unwrap_err();
    assert_eq!(error.params["seq"], 1);
}

#[test]
fn the_auditor_reads_who_did_what() {
    let desk = Desk::new();
    desk.add("dora", &[Role::Auditor]);
    desk.login("dora").unwrap();
    let page = desk.call("audit_list", json!({ "before": null, "action": "staff.", "limit": 50 }));
    assert_eq!(page["entries"][0]["action"], "staff.save");
    assert_eq!(page["entries"][0]["user"], "Alice");
}
