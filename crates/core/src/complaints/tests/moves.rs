use serde_json::{Value, json};

use super::Office;

/// Every move that is not in the table for a state is refused by the state's name, by whomever it is tried.
#[test]
fn each_illegal_move_is_refused_by_name() {
    let office = Office::new();
    let road =
        ["registered", "accepted", "investigating", "approving", "replying", "replied", "rated", "closed"];
    let moves = [
        ("bob", "settle", &["registered"][..]),
        ("bob", "refuse", &["registered"][..]),
        ("dora", "accept", &["registered"][..]),
        ("dora", "investigate", &["accepted", "investigating"][..]),
        ("dora", "propose", &["investigating"][..]),
        ("erin", "approve", &["approving"][..]),
        ("erin", "send_back", &["approving"][..]),
        ("bob", "reply", &["replying"][..]),
        ("bob", "rate", &["replied"][..]),
        ("bob", "close", &["rated"][..]),
        ("bob", "reopen", &["closed"][..]),
    ];
    for state in road {
        office.desk.login("bob").unwrap();
        let id = office.complaint(json!({}));
        office.bring_to(&id, state);
        for (who, name, from) in moves {
            if !from.contains(&state) {
                let code = office.refused(who, &id, name, office.filled(name));
                assert_eq!(code, "complaint_state", "{name} from {state}");
            }
        }
    }
}

fn offer<'a>(detail: &'a Value, name: &str) -> &'a Value {
    detail["moves"].as_array().unwrap().iter().find(|offer| offer["move"] == name).unwrap()
}

#[test]
fn only_what_is_allowed_is_offered_and_the_rest_says_who_may() {
    let office = Office::new();
    let id = office.complaint(json!({}));
    let seen = office.open(&id);
    assert_eq!(offer(&seen, "settle")["allowed"], true);
    assert_eq!(
        (&offer(&seen, "accept")["allowed"], &offer(&seen, "accept")["why"], &offer(&seen, "accept")["who"]),
        (&json!(false), &json!("who"), &json!(["department", "supervisor"]))
    );
    office.desk.login("dora").unwrap();
    assert_eq!(offer(&office.open(&id), "accept")["allowed"], true);
    assert_eq!(office.refused("erin", &id, "accept", json!({})), "complaint_who");
    assert_eq!(office.refused("bob", &id, "pass_on", office.filled("pass_on")), "complaint_who");
}

#[test]
fn the_accused_does_nothing_in_it() {
    let office = Office::new();
    let accused = json!({ "accused": [{ "name": "nina", "staff_id": office.nina }] });
    let id = office.complaint(accused);
    assert_eq!(office.refused("nina", &id, "settle", office.filled("settle")), "complaint_accused");
    office.step("dora", &id, "accept", json!({}));
    let to_nina = json!({ "investigator_id": office.nina });
    assert_eq!(office.refused("dora", &id, "investigate", to_nina), "complaint_investigator_accused");
    office.step("dora", &id, "investigate", office.filled("investigate"));
    for (who, name) in [("dora", "propose"), ("erin", "approve")] {
        office.step(who, &id, name, office.filled(name));
    }
    assert_eq!(office.refused("nina", &id, "reply", office.filled("reply")), "complaint_accused");
    office.desk.login("nina").unwrap();
    let note = json!({ "id": id, "kind": "visible", "body": "已致电" });
    assert_eq!(office.desk.refused("complaints_note", note), "complaint_accused");
}

#[test]
fn an_investigator_does_not_approve() {
    let office = Office::new();
    office.desk.login("alice").unwrap();
    use aftercare_domain::access::Role;
    let both = super::id_of(&office.desk.add("fay", &[Role::DepartmentHead, Role::Approver])["id"]);
    office.desk.login("bob").unwrap();
    let id = office.complaint(json!({}));
    office.step("dora", &id, "accept", json!({}));
    office.step("dora", &id, "investigate", json!({ "investigator_id": both }));
    office.step("fay", &id, "propose", office.filled("propose"));
    assert_eq!(office.refused("fay", &id, "approve", json!({})), "complaint_own_work");
    let back = office.step("erin", &id, "send_back", json!({ "text": "请补充病历" }));
    assert_eq!(back["item"]["status"], "investigating");
}

#[test]
fn two_pages_of_one_complaint_the_second_has_to_look_again() {
    let office = Office::new();
    let id = office.complaint(json!({}));
    let seen = office.open(&id)["seen_step"].clone();
    office.step("dora", &id, "accept", json!({ "seen_step": seen }));
    let late = office.refused("alice", &id, "accept", json!({ "seen_step": seen }));
    assert_eq!(late, "conflict");
}

#[test]
fn what_was_slipped_into_the_file_breaks_the_chain() {
    let office = Office::new();
    let id = office.complaint(json!({}));
    office.bring_to(&id, "investigating");
    assert_eq!(office.open(&id)["chain"]["whole"], true);
    let raw = crate::testing::raw_connection(&office.desk.app);
    raw.execute("UPDATE complaint_step SET body = '{\"text\":\"x\"}' WHERE ordinal = 2", []).unwrap();
    let chain = office.open(&id)["chain"].clone();
    assert_eq!((&chain["whole"], &chain["broken_at"]), (&json!(false), &json!(2)));
}
