use aftercare_domain::access::Role;
use serde_json::json;

use super::{Sketch, add, names, record};
use crate::testing::Desk;

fn change(field: &str, was: Option<&str>, value: Option<&str>) -> serde_json::Value {
    json!({ "field": field, "was": was, "value": value })
}

#[test]
fn alice_changes_a_field_and_bob_who_saw_the_old_value_is_told() {
    let desk = Desk::new();
    let id = add(&desk, &Sketch { name: "王小明", address: "青山县东街12号3室", ..Sketch::default() });
    let save =
        |changes: serde_json::Value| desk.app.call("archive_save", json!({ "id": id, "changes": changes }));
    let saved =
        save(json!([change("hobbies", None, Some("下棋")), change("name", Some("王小明"), Some("王晓明"))]));
    let saved = saved.unwrap();
    assert_eq!(
        (saved["fields"]["hobbies"].as_str(), saved["fields"]["name"].as_str()),
        (Some("下棋"), Some("王晓明"))
    );
    assert_eq!(names(&desk, "王晓明"), ["王晓明"], "found by the new name");
    assert!(names(&desk, "王小明").is_empty());
    let error = save(json!([change("hobbies", None, Some("钓鱼"))])).unwrap_err();
    assert_eq!((error.code.as_str(), &error.params["field"]), ("conflict", &json!("hobbies")));
    // The mask is what alice saw of the address.
    save(json!([change("address", Some("青山县东街****"), Some("青山县西街1号"))])).unwrap();
    save(json!([change("vip", Some("0"), Some("1"))])).unwrap();
    assert_eq!(record(&desk, id)["vip"], true);
}

#[test]
fn every_refused_field_is_named_with_its_reason() {
    let desk = Desk::new();
    add(&desk, &Sketch { name: "李四", mrn: "00000002", ..Sketch::default() });
    let id = add(&desk, &Sketch { name: "王小明", mrn: "00000001", ..Sketch::default() });
    let changes = json!([
        change("name", Some("王小明"), Some(" ")),
        change("birth_on", None, Some("2027-01-01")),
        change("sex", Some("0"), Some("男")),
        change("id_number", None, Some("110105194912310021")),
        change("mrn", Some("00000001"), Some("00000002")),
        change("merged_into", None, Some("x")),
    ]);
    let error = desk.app.call("archive_save", json!({ "id": id, "changes": changes })).unwrap_err();
    let refused: Vec<(String, &str)> =
        error.fields.iter().map(|f| (f.field.clone(), f.code.as_str())).collect();
    let named = |field: &str| refused.iter().find(|(name, _)| name == field).map(|(_, code)| *code);
    assert_eq!(named("name"), Some("required"));
    assert_eq!(named("birth_on"), Some("bad_date"));
    assert_eq!(named("sex"), Some("not_allowed"));
    assert_eq!(named("id_number"), Some("id_check_digit"));
    assert_eq!(named("mrn"), Some("taken"));
    assert_eq!(named("merged_into"), Some("not_allowed"));
    let passport = json!([change("id_type", None, Some("03")), change("id_number", None, Some("e12345678"))]);
    let saved = desk.call("archive_save", json!({ "id": id, "changes": passport }));
    assert_eq!(saved["fields"]["id_number"], "*******78");
}

#[test]
fn phones_are_read_as_people_write_them_put_in_order_and_brought_back() {
    let desk = Desk::new();
    let id = add(&desk, &Sketch { name: "王小明", phones: &[("13800138000", "0")], ..Sketch::default() });
    let new = |number: &str| {
        json!({ "patient_id": id, "id": null, "number": number, "owner_name": "王芳", "relation": "3",
                "state": "unknown", "best_hour": "18:00-20:00" })
    };
    let saved = desk.call("archive_phone_save", new("+86 139 0013 9000"));
    assert_eq!(saved["phones"][1]["number"], "139****9000");
    assert_eq!(names(&desk, "13900139000"), ["王小明"]);
    for (number, code) in
        [("139 0013 9000", "taken"), ("1390013900", "phone_too_short"), ("95588", "bad_phone")]
    {
        let error = desk.app.call("archive_phone_save", new(number)).unwrap_err();
        assert_eq!(error.fields[0].code.as_str(), code, "{number}");
    }
    let first = saved["phones"][0]["id"].clone();
    let second = saved["phones"][1]["id"].clone();
    let ordered = desk.call("archive_phone_order", json!({ "patient_id": id, "ids": [second, first] }));
    assert_eq!(ordered["phones"][0]["id"], second);
    let dead = json!({ "patient_id": id, "id": first, "number": null, "owner_name": null, "relation": "0",
                       "state": "empty", "best_hour": null });
    desk.call("archive_phone_save", dead);
    let timeline = desk.call("archive_timeline", json!({ "patient_id": id, "before": null, "limit": 10 }));
    assert_eq!(timeline["entries"][0]["code"], "phone_state");
    assert_eq!(timeline["entries"][0]["params"]["status"], "empty");
    desk.call("archive_phone_remove", json!({ "id": first, "removed": true }));
    assert!(names(&desk, "13800138000").is_empty());
    let back = desk.call("archive_phone_remove", json!({ "id": first, "removed": false }));
    assert_eq!(back["phones"].as_array().unwrap().len(), 2);
}

#[test]
fn a_reveal_shows_one_value_and_is_audited_every_time() {
    let desk = Desk::new();
    let phones = &[("13800138000", "0")][..];
    let id =
        add(&desk, &Sketch { name: "王小明", id_number: "11010519491231002X", phones, ..Sketch::default() });
    let phone = record(&desk, id)["phones"][0]["id"].clone();
    let ask = |field: &str, record_id: &serde_json::Value| {
        desk.call("archive_reveal", json!({ "patient_id": id, "field": field, "record_id": record_id }))
    };
    assert_eq!(ask("phone", &phone)["display"], "138 0013 8000");
    assert_eq!(ask("id_number", &json!(null))["value"], "11010519491231002X");
    let audited: i64 = desk
        .ctx()
        .read(|c| {
            Ok(c.query_row("SELECT count(*) FROM audit WHERE action = 'archive.reveal'", [], |r| r.get(0))?)
        })
        .unwrap();
    assert_eq!(audited, 2);
    assert_eq!(
        desk.refused("archive_reveal", json!({ "patient_id": id, "field": "address", "record_id": null })),
        "not_found"
    );
    desk.add("hugo", &[Role::DepartmentHead]);
    desk.login("hugo").unwrap();
    let request = json!({ "patient_id": id, "field": "phone", "record_id": phone });
    assert_eq!(desk.refused("archive_reveal", request), "forbidden");
}

#[test]
fn a_death_is_taken_back_only_with_a_reason_by_those_who_may_correct() {
    let desk = Desk::new();
    let id = add(&desk, &Sketch { name: "王小明", ..Sketch::default() });
    desk.add("nina", &[Role::Nurse]);
    desk.login("nina").unwrap();
    let dead =
        desk.call("archive_death", json!({ "patient_id": id, "deceased_on": "2026-11-10", "how": "family" }));
    assert_eq!((dead["deceased"].as_bool(), dead["deceased_on"].as_str()), (Some(true), Some("2026-11-10")));
    let again = desk.call("archive_death", json!({ "patient_id": id, "deceased_on": null, "how": "other" }));
    assert_eq!(again["deceased_on"], "2026-11-10", "a date once known stays");
    assert_eq!(desk.refused("archive_death_undo", json!({ "patient_id": id, "reason": "x" })), "forbidden");
    desk.wait(chrono::Duration::minutes(1));
    desk.login("alice").unwrap();
    assert_eq!(desk.refused("archive_death_undo", json!({ "patient_id": id, "reason": " " })), "invalid");
    let alive = desk.call("archive_death_undo", json!({ "patient_id": id, "reason": "同名" }));
    assert_eq!(alive["deceased"], false);
    let timeline = desk.call("archive_timeline", json!({ "patient_id": id, "before": null, "limit": 10 }));
    let codes: Vec<&str> =
        timeline["entries"].as_array().unwrap().iter().map(|entry| entry["code"].as_str().unwrap()).collect();
    assert_eq!(codes, ["death_undone", "death"]);
}

#[test]
fn a_refusal_is_easily_made_stricter_and_not_easily_taken_back() {
    let desk = Desk::new();
    let id = add(&desk, &Sketch { name: "王小明", ..Sketch::default() });
    desk.add("nina", &[Role::Nurse]);
    desk.login("nina").unwrap();
    let set = |level: &str, reason: Option<&str>| {
        desk.app.call("archive_optout", json!({ "patient_id": id, "level": level, "reason": reason }))
    };
    assert_eq!(set("phone", None).unwrap()["contact_optout"], "phone");
    assert_eq!(set("all", None).unwrap()["contact_optout"], "all");
    assert_eq!(set("none", Some("说错了")).unwrap_err().code.as_str(), "forbidden");
    desk.login("alice").unwrap();
    assert_eq!(set("none", None).unwrap_err().code.as_str(), "invalid");
    assert_eq!(set("none", Some("患者来电要求恢复")).unwrap()["contact_optout"], "none");
}

#[test]
fn somebody_new_is_compared_with_who_is_there_before_saving() {
    let desk = Desk::new();
    let phones = &[("13800138000", "0")][..];
    let there = add(
        &desk,
        &Sketch { name: "王小明", mrn: "00000001", birth_on: "1980-02-03", phones, ..Sketch::default() },
    );
    let create = |fields: serde_json::Value, confirmed: bool| {
        desk.call(
            "archive_create",
            json!({ "fields": fields, "phone": "138 0013 8000", "confirmed": confirmed }),
        )
    };
    let namesake = json!({ "name": "王小明", "sex": "1", "birth_on": "1980-02-03" });
    let asked = create(namesake.clone(), false);
    assert_eq!(asked["id"], json!(null));
    assert_eq!(asked["suspects"][0]["patient"]["patient_id"], json!(there));
    assert_eq!(asked["suspects"][0]["reasons"], json!(["name_birth", "name_phone"]));
    let made = create(namesake, true);
    assert!(made["id"].is_string());
    assert_eq!(names(&desk, "王小明").len(), 2);
    let open = desk
        .call("archive_duplicates", json!({ "state": "open", "patient_id": null, "skip": 0, "limit": 10 }));
    assert_eq!(open["count"], 1, "the suspicion stays for later");
    let same_number = create(json!({ "name": "王明", "mrn": "00000001" }), true);
    assert_eq!((same_number["id"].is_null(), &same_number["suspects"][0]["certain"]), (true, &json!(true)));
}

#[test]
fn the_record_for_other_programs_is_in_full_only_for_those_who_may_reveal() {
    let desk = Desk::new();
    let sketch = Sketch {
        name: "王小明",
        mrn: "00000001",
        id_number: "11010519491231002X",
        address: "青山县东街12号3室",
        phones: &[("13800138000", "0"), ("13900139000", "3")],
        stays: &[("ZY1", "2026-11-01")],
        ..Sketch::default()
    };
    add(&desk, &Sketch { stays: &[("ZY0", "2026-01-01")], id_number: "", ..sketch.clone() });
    add(&desk, &sketch);
    let export = || desk.call("archive_sheet", json!({ "mrn": "00000001" }));
    let full = export();
    assert_eq!(full["id_number"], "11010519491231002X", "the one with the latest encounter");
    assert_eq!(full["others_with_this_mrn"], 1);
    assert_eq!(full["phones"][0], json!({ "number": "13800138000", "owner": "王小明", "relation": "本人" }));
    assert_eq!(full["phones"][1]["relation"], "女");
    assert_eq!(full["encounters"][0]["discharged_at"], "2026-11-01 10:00");
    desk.add("hugo", &[Role::DepartmentHead]);
    desk.login("hugo").unwrap();
    let masked = export();
    assert_eq!(masked["phones"][0]["number"], "138****8000");
    assert_eq!(desk.refused("archive_sheet", json!({ "mrn": "404" })), "not_found");
}
