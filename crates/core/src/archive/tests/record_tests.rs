use serde_json::json;

use super::{Sketch, add, record};
use crate::testing::Desk;

#[test]
fn a_record_shows_everything_masked_and_its_opening_is_audited() {
    let desk = Desk::new();
    let id = add(
        &desk,
        &Sketch {
            name: "王小明",
            mrn: "00012345",
            birth_on: "1949-12-31",
            id_number: "11010519491231002X",
            address: "青山县东街12号3室",
            phones: &[("13800138000", "0"), ("01062345678", "3")],
            stays: &[("ZY1", "2026-10-01"), ("ZY2", "2026-11-01")],
        },
    );
    let record = record(&desk, id);
    assert_eq!(record["fields"]["id_number"], "110105********002X");
    assert_eq!(record["fields"]["address"], "青山县东街****");
    assert_eq!(record["age_years"], 76);
    assert_eq!(record["phones"][1]["number"], "010****5678");
    assert_eq!(record["encounters"][0]["visit_no"], "ZY2");
    assert_eq!(record["encounter_count"], 2);
    assert!(!record.to_string().contains("138001"), "nothing in full");
    let read = desk.ctx().read(|c| {
        Ok(c.query_row("SELECT count(*) FROM audit WHERE action = 'archive.read'", [], |r| {
            r.get::<_, i64>(0)
        })?)
    });
    assert_eq!(read.unwrap(), 1);
}

#[test]
fn the_latest_consent_holds_and_a_withdrawal_takes_one_call() {
    let desk = Desk::new();
    let id = add(&desk, &Sketch { name: "王小明", ..Sketch::default() });
    let say = |granted: bool| {
        desk.call(
            "archive_consent",
            json!({ "patient_id": id, "purpose": "caring", "channel": "phone", "granted": granted, "how": "oral", "proof": null }),
        )
    };
    say(true);
    assert_eq!(
        desk.ctx().read(|c| crate::archive::consent_of(c, id, "caring", "phone")).unwrap(),
        Some(true)
    );
    desk.wait(chrono::Duration::minutes(5));
    let record = say(false);
    assert_eq!(record["consents"][0]["granted"], false);
    assert_eq!(desk.ctx().read(|c| crate::archive::consent_of(c, id, "caring", "sms")).unwrap(), None);
    let refused = desk.refused(
        "archive_consent",
        json!({ "patient_id": id, "purpose": "spying", "channel": "phone", "granted": true, "how": "oral", "proof": null }),
    );
    assert_eq!(refused, "invalid");
}
