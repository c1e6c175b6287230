use serde_json::{Value, json};

use super::{Sketch, add};
use crate::testing::Desk;

#[test]
fn pages_of_the_timeline_join_without_gap_or_repetition() {
    let desk = Desk::new();
    let stays = &[("ZY1", "2026-10-01"), ("ZY2", "2026-11-10")][..];
    let id = add(&desk, &Sketch { name: "王小明", stays, ..Sketch::default() });
    for at in 0..5 {
        desk.call("archive_note", json!({ "patient_id": id, "body": format!("第{at}条") }));
        // Two notes within one millisecond keep their order too.
        if at % 2 == 0 {
            desk.wait(chrono::Duration::minutes(1));
        }
    }
    let page = |before: &Value, limit: u32| {
        desk.call("archive_timeline", json!({ "patient_id": id, "before": before, "limit": limit }))
    };
    let whole = page(&Value::Null, 100);
    assert!(whole["next"].is_null());
    let whole: Vec<Value> = whole["entries"].as_array().unwrap().clone();
    assert_eq!(whole.len(), 7);
    assert_eq!(whole[6]["params"]["visit_no"], "ZY1");
    let mut pieces: Vec<Value> = Vec::new();
    let mut before = Value::Null;
    loop {
        let next = page(&before, 2);
        pieces.extend(next["entries"].as_array().unwrap().iter().cloned());
        before = next["next"].clone();
        if before.is_null() {
            break;
        }
    }
    assert_eq!(pieces, whole);
}
