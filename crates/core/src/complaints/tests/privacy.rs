use aftercare_domain::access::Role;
use serde_json::{Value, json};

use super::Office;

fn rows(office: &Office) -> Vec<Value> {
    office.desk.call("complaints_list", json!({ "view": "all", "limit": 50 }))["rows"]
        .as_array()
        .unwrap()
        .clone()
}

#[test]
fn a_confidential_complaint_is_for_named_roles_and_its_receiver() {
    let office = Office::new();
    let id = office.complaint(json!({ "category": "ETH", "subcategory": "gifts" }));
    let sees = |who: &str| {
        office.desk.login(who).unwrap();
        let listed = rows(&office).len();
        let opened = office.desk.app.call("complaints_open", json!({ "id": id })).is_ok();
        let note = json!({ "id": id, "kind": "internal", "body": "x" });
        let noted = office.desk.app.call("complaints_note", note).is_ok();
        assert_eq!((listed == 1, opened), (opened, noted), "{who}");
        opened
    };
    for (who, expected) in [("bob", true), ("alice", true), ("erin", true), ("nina", false), ("dora", false)]
    {
        assert_eq!(sees(who), expected, "{who}");
    }
    assert_eq!(office.refused("dora", &id, "accept", json!({})), "not_found");
    office.step("alice", &id, "accept", json!({}));
    office.step("alice", &id, "investigate", json!({ "investigator_id": office.dora }));
    assert!(sees("dora"), "who investigates has to see it");
}

#[test]
fn a_department_head_sees_the_complaints_of_the_own_department() {
    let office = Office::new();
    office.complaint(json!({}));
    let other = office.complaint(json!({ "departments": ["骨科"] }));
    office.desk.login("dora").unwrap();
    assert_eq!(rows(&office).len(), 1);
    assert_eq!(office.desk.refused("complaints_open", json!({ "id": other })), "not_found");
    assert_eq!(
        office.desk.refused("complaints_register", json!({ "form": office.form(json!({})) })),
        "forbidden"
    );
    office.desk.login("alice").unwrap();
    office.desk.add("arno", &[Role::Archivist]);
    office.desk.login("arno").unwrap();
    assert_eq!(office.desk.refused("complaints_list", json!({ "limit": 5 })), "forbidden");
}

#[test]
fn nothing_personal_reaches_the_audit_trail() {
    let office = Office::new();
    let id = office.complaint(json!({}));
    office.bring_to(&id, "closed");
    office.desk.call("complaints_reveal", json!({ "id": id, "field": "phone" }));
    office.desk.call("complaints_dossier", json!({ "id": id }));
    let lines: Vec<String> = office
        .desk
        .ctx()
        .read(|c| {
            let mut statement =
                c.prepare("SELECT action || detail FROM audit WHERE action LIKE 'complaints.%'")?;
            let rows = statement.query_map([], |row| row.get(0))?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
        .unwrap();
    assert!(lines.len() > 9);
    for line in lines {
        assert!(!line.contains("王伟") && !line.contains("13800138000") && !line.contains("态度"), "{line}");
    }
}
