use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::Hospital;
use crate::imports::tests::visible;
use crate::testing::Desk;

fn answers(rating: &str, odd: &str) -> Value {
    let mut answers = Map::new();
    for number in 1..=13 {
        let code = if number == 1 { odd } else { rating };
        answers.insert(format!("o{number}"), json!({ "type": "single", "value": code }));
    }
    Value::Object(answers)
}

fn save(desk: &Desk, rating: &str, odd: &str) -> Value {
    let request = json!({
        "id": Uuid::now_v7(), "channel": "paper", "kind": "outpatient", "form_code": "SAT_OPD",
        "head": { "department": "心血管内科", "answered_on": "2026-11-10" }, "answers": answers(rating, odd),
    });
    desk.call("surveys_sheet_save", request)["id"].clone()
}

fn same(hospital: &Hospital) {
    hospital.meet();
    for sql in [
        "SELECT id, root_id, points, valid FROM survey_sheet ORDER BY id",
        "SELECT root_id, sheet_id FROM survey_standing ORDER BY root_id",
        "SELECT grain, starts_on, department, dimension, sheets, points, squares, good FROM survey_total WHERE sheets <> 0
         ORDER BY grain, starts_on, department, dimension",
    ] {
        assert_eq!(visible(&hospital.alice, sql), visible(&hospital.bob, sql), "{sql}");
    }
}

#[test]
fn two_desks_correct_one_sheet_and_both_count_the_same() {
    let hospital = Hospital::new();
    hospital.meet();
    let sheet = save(&hospital.bob, "4", "5");
    save(&hospital.alice, "3", "4");
    same(&hospital);
    // Neither knows of the other's correction.
    for (desk, rating) in [(&hospital.bob, "5"), (&hospital.alice, "2")] {
        let request = json!({ "id": sheet, "why": "录错", "answers": answers(rating, "3") });
        desk.call("surveys_sheet_correct", request);
    }
    same(&hospital);
    let scope = json!({ "scope": { "from": "2026-11-01", "to": "2026-11-30" } });
    for desk in [&hospital.alice, &hospital.bob] {
        let found = desk.call("surveys_results", scope.clone());
        assert_eq!(
            found["whole"]["measures"]["sheets"], 2,
            "one correction counts, the other stays in the file"
        );
    }
}
