use serde_json::{Value, json};

use super::{DEPARTMENT, Office};

fn names(list: &Value, field: &str) -> Vec<String> {
    list.as_array().unwrap().iter().map(|one| one[field].as_str().unwrap().to_owned()).collect()
}

#[test]
fn from_the_call_to_the_closed_dossier() {
    let office = Office::new();
    let made = office.register(json!({ "accused": [{ "name": "nina", "staff_id": office.nina }] }));
    assert!(made["number"].as_str().unwrap().starts_with("2026-"));
    assert!(made["number"].as_str().unwrap().ends_with("-00001"));
    assert_eq!((&made["due_on"], &made["signal"]), (&json!("2026-11-23"), &json!(false)));
    let id = made["id"].clone();
    office.bring_to(&id, "closed");

    let dossier = office.desk.call("complaints_dossier", json!({ "id": id }));
    let detail = &dossier["detail"];
    assert_eq!(
        names(&detail["steps"], "name"),
        ["register", "accept", "investigate", "propose", "approve", "reply", "rate", "close"]
    );
    assert_eq!(names(&detail["steps"], "by"), ["bob", "dora", "dora", "dora", "erin", "bob", "bob", "bob"]);
    assert_eq!((&detail["chain"]["whole"], &detail["chain"]["steps"]), (&json!(true), &json!(8)));
    assert_eq!(detail["handling"]["reply"], "经调查情况属实,我们向您道歉");
    assert_eq!(detail["item"]["clock"]["state"], "none");
    assert_eq!(detail["form"]["complainant_phone"], "138****8000");
    office.desk.call("complaints_dossier_printed", json!({ "id": id }));

    // After closing only additions, and one reopening.
    let offers = names(&detail["moves"], "move");
    assert_eq!(offers, ["reopen"]);
    let request = json!({ "id": id, "seen_step": null, "form": office.form(json!({})), "text": "更正" });
    assert_eq!(office.desk.refused("complaints_amend", request), "complaint_state");
    let noted = office
        .desk
        .call("complaints_note", json!({ "id": id, "kind": "improvement", "body": "培训已完成,抽查合格" }));
    assert_eq!(noted["notes"][0]["kind"], "improvement");
    let again = office.step("bob", &id, "reopen", json!({ "text": "对答复不满意" }));
    assert_eq!(
        (&again["item"]["status"], &again["item"]["due_on"]),
        (&json!("accepted"), &json!("2026-11-23"))
    );
    assert_eq!(again["handling"]["investigator_id"], Value::Null);
    office.step("dora", &id, "investigate", office.filled("investigate"));
    for (who, name) in
        [("dora", "propose"), ("erin", "approve"), ("bob", "reply"), ("bob", "rate"), ("bob", "close")]
    {
        office.step(who, &id, name, office.filled(name));
    }
    assert_eq!(office.refused("bob", &id, "reopen", json!({ "text": "再次" })), "complaint_reopened_once");
}

#[test]
fn the_other_ends() {
    let office = Office::new();
    for (who, name, end) in [
        ("bob", "settle", "closed"),
        ("bob", "refuse", "not_accepted"),
        ("alice", "pass_on", "passed_on"),
        ("bob", "withdraw", "withdrawn"),
    ] {
        office.desk.login("bob").unwrap();
        let id = office.complaint(json!({}));
        let detail = office.step(who, &id, name, office.filled(name));
        assert_eq!(detail["item"]["status"], end);
        assert!(detail["handling"]["ended_at"].is_i64(), "{name}");
    }
}

#[test]
fn each_move_needs_its_form() {
    let office = Office::new();
    let id = office.complaint(json!({}));
    let missing = |who: &str, name: &str, more: Value| -> Vec<String> {
        office.desk.login(who).unwrap();
        let mut request = json!({ "id": id, "move": name });
        for (field, value) in more.as_object().unwrap() {
            request[field] = value.clone();
        }
        let error = office.desk.app.call("complaints_move", request).unwrap_err();
        error.fields.iter().map(|field| field.field.clone()).collect()
    };
    assert_eq!(missing("bob", "settle", json!({})), ["reply", "reply_way"]);
    assert_eq!(missing("bob", "refuse", json!({ "reason": "weather" })), ["text", "reason"]);
    office.bring_to(&id, "accepted");
    assert_eq!(missing("dora", "investigate", json!({})), ["investigator_id"]);
    assert_eq!(missing("dora", "pause", json!({})), ["reason"]);
    assert_eq!(missing("dora", "ask_extension", json!({ "until": "someday" })), ["text", "until"]);
    office.step("dora", &id, "investigate", office.filled("investigate"));
    assert_eq!(missing("dora", "propose", json!({})), ["finding", "reply", "verdict", "resolutions"]);
}

#[test]
fn a_correction_keeps_before_and_after_and_leaves_masked_numbers_alone() {
    let office = Office::new();
    let id = office.complaint(json!({ "complainant_id": "11010519491231002X" }));
    let opened = office.open(&id);
    let mut form = opened["form"].clone();
    assert_eq!(form["complainant_id"], "110105********002X");
    form["summary"] = json!("护士态度生硬");
    form["severity"] = json!("B");
    let request =
        json!({ "id": id, "seen_step": opened["seen_step"], "form": form, "text": "核对录音后更正" });
    let amended = office.desk.call("complaints_amend", request.clone());
    let step = &amended["steps"][1];
    assert_eq!((&step["name"], &step["text"]), (&json!("amend"), &json!("核对录音后更正")));
    let change = step["changes"].as_array().unwrap().iter().find(|one| one["field"] == "summary").unwrap();
    assert_eq!(
        (&change["before"], &change["after"]),
        (&json!("护士态度生硬,三次询问没有回答"), &json!("护士态度生硬"))
    );
    assert_eq!(amended["receipt"]["first_receiver"], "bob");
    let shown = office.desk.call("complaints_reveal", json!({ "id": id, "field": "id_number" }));
    assert_eq!(shown["value"], "11010519491231002X");
    assert_eq!(office.desk.refused("complaints_amend", request), "conflict", "an old page changes nothing");
}

#[test]
fn a_form_names_every_field_that_is_wrong() {
    let office = Office::new();
    let request = json!({ "received_at": "2026-11-16 09:00", "form": office.form(json!({
        "channel": "", "complainant": "", "complainant_phone": "12", "category": "ATT", "subcategory": "surgery",
        "severity": "Z", "summary": " ", "departments": [], "happened_at": "2026-11-16 09:10", "visited_on": "2026-11-17",
        "accused": [{ "name": "" }], "risks": ["dragon"],
    })) });
    let error = office.desk.app.call("complaints_register", request).unwrap_err();
    let mut wrong: Vec<(String, &str)> =
        error.fields.iter().map(|field| (field.field.clone(), field.code.as_str())).collect();
    wrong.sort();
    let expected = [
        ("accused.0.name", "required"),
        ("channel", "required"),
        ("complainant", "required"),
        ("complainant_phone", "phone_too_short"),
        ("departments", "required"),
        ("happened_at", "after_receipt"),
        ("risks.0", "not_allowed"),
        ("severity", "not_allowed"),
        ("subcategory", "not_allowed"),
        ("summary", "required"),
        ("visited_on", "after_receipt"),
    ];
    assert_eq!(wrong, expected.map(|(field, code)| (field.to_owned(), code)));
    let future = json!({ "received_at": "2026-11-16 09:31", "form": office.form(json!({})) });
    let error = office.desk.app.call("complaints_register", future).unwrap_err();
    assert_eq!((error.fields[0].field.as_str(), error.fields[0].code.as_str()), ("received_at", "in_future"));
    assert_eq!(
        office.desk.call("complaints_list", json!({ "limit": 10 }))["rows"],
        json!([]),
        "nothing half done"
    );
}

#[test]
fn three_of_a_kind_in_thirty_days_are_a_signal_for_the_supervisor() {
    let office = Office::new();
    let old = json!({ "form": office.form(json!({})), "received_at": "2026-10-01 10:00" });
    office.desk.call("complaints_register", old);
    assert_eq!(office.register(json!({}))["similar"], 1, "the old one does not count");
    office.register(json!({ "category": "FEE", "subcategory": "refund" }));
    office.register(json!({ "category": "PRAISE", "subcategory": "nurse", "departments": [DEPARTMENT] }));
    assert_eq!(office.register(json!({}))["signal"], false);
    let third = office.register(json!({}));
    assert_eq!((&third["similar"], &third["signal"]), (&json!(3), &json!(true)));
    let opened = office.open(&third["id"]);
    assert_eq!((opened["similar"].as_array().unwrap().len(), &opened["signal"]), (3, &json!(true)));
    let board = |who: &str| {
        office.desk.login(who).unwrap();
        office.desk.call("complaints_board", json!({}))
    };
    assert_eq!(board("bob")["signals"], json!([]));
    let expected = json!([{ "department": DEPARTMENT, "category": "ATT", "count": 3, "days": 30 }]);
    assert_eq!(board("alice")["signals"], expected);
}

#[test]
fn promises_are_made_and_kept() {
    let office = Office::new();
    let id = office.complaint(json!({}));
    let past = json!({ "id": id, "promise": "回电", "due_on": "2026-11-13" });
    assert_eq!(office.desk.refused("complaints_promise", past), "invalid");
    let made = office
        .desk
        .call("complaints_promise", json!({ "id": id, "promise": "周三前回电", "due_on": "2026-11-18" }));
    let promise = made["promises"][0]["id"].clone();
    office.desk.wait(chrono::Duration::days(3));
    office.desk.login("bob").unwrap();
    assert_eq!(office.open(&id)["promises"][0]["overdue"], true);
    assert_eq!(office.desk.call("complaints_board", json!({}))["promises"], 1);
    let kept = json!({ "promise_id": promise, "how": "已电话告知" });
    let after = office.desk.call("complaints_promise_kept", kept.clone());
    assert_eq!(
        (&after["promises"][0]["overdue"], &after["promises"][0]["kept_how"]),
        (&json!(false), &json!("已电话告知"))
    );
    assert_eq!(office.desk.refused("complaints_promise_kept", kept), "conflict");
}
