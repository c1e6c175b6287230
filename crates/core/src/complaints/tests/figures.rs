use serde_json::{Value, json};

use super::{DEPARTMENT, Office};

fn list(office: &Office, request: Value) -> Value {
    office.desk.call("complaints_list", request)
}

#[test]
fn praise_and_suggestions_share_the_register_and_not_the_figures() {
    let office = Office::new();
    let closed = office.complaint(json!({}));
    office.bring_to(&closed, "closed");
    office.complaint(
        json!({ "departments": [DEPARTMENT, "门诊部"], "category": "FEE", "subcategory": "refund" }),
    );
    let praise = office.complaint(json!({ "category": "PRAISE", "subcategory": "nurse", "departments": [] }));
    office.complaint(json!({ "category": "SUG", "subcategory": "process", "departments": [] }));
    assert_eq!(office.desk.call("complaints_board", json!({}))["others"], 2);
    let thanked = office.step("bob", &praise, "settle", json!({}));
    assert_eq!((&thanked["item"]["status"], &thanked["item"]["due_on"]), (&json!("closed"), &Value::Null));
    let figures = office.desk.call("complaints_figures", json!({ "from": "2026-11-01", "to": "2026-11-30" }));
    assert_eq!(
        (&figures["complaints"], &figures["praise"], &figures["suggestions"]),
        (&json!(2), &json!(1), &json!(1))
    );
    assert_eq!(figures["in_time"], json!({ "part": 1, "whole": 1 }));
    assert_eq!(figures["founded"], json!({ "part": 1, "whole": 1 }));
    assert_eq!(figures["satisfied"], json!({ "part": 1, "whole": 1 }));
    assert_eq!(figures["reopened"], json!({ "part": 0, "whole": 1 }));
    assert_eq!(figures["departments"][0], json!({ "name": DEPARTMENT, "count": 2 }));
    assert_eq!(
        office.desk.refused("complaints_figures", json!({ "from": "2026-11-30", "to": "2026-11-01" })),
        "invalid"
    );
}

#[test]
fn pages_follow_each_other_without_gap_or_repetition() {
    let office = Office::new();
    let mut made = Vec::new();
    for number in 0..25 {
        if number % 3 == 0 {
            office.desk.wait(chrono::Duration::minutes(1));
        }
        made.push(office.complaint(json!({})));
    }
    for view in ["open", "due", "all"] {
        let mut seen: Vec<Value> = Vec::new();
        let mut cursor = Value::Null;
        loop {
            let page = list(&office, json!({ "view": view, "limit": 10, "cursor": cursor }));
            seen.extend(page["rows"].as_array().unwrap().iter().map(|row| row["id"].clone()));
            cursor = page["next_cursor"].clone();
            if cursor.is_null() {
                break;
            }
        }
        assert_eq!(seen.len(), 25, "{view}");
        assert!(made.iter().all(|id| seen.contains(id)), "{view}");
    }
    assert_eq!(list(&office, json!({ "limit": 5, "department": "骨科" }))["rows"], json!([]));
    let number = list(&office, json!({ "limit": 1 }))["rows"][0]["number"].clone();
    let found = list(&office, json!({ "limit": 5, "view": "all", "find": number }));
    assert_eq!(found["rows"].as_array().unwrap().len(), 1);
    assert_eq!(office.desk.refused("complaints_list", json!({ "limit": 5, "cursor": "x" })), "invalid");
}

#[test]
fn two_desks_count_their_own_numbers() {
    let (one, other) = (Office::new(), Office::new());
    let numbers: Vec<String> = [&one, &one, &other, &other]
        .map(|office| office.register(json!({}))["number"].as_str().unwrap().to_owned())
        .into();
    assert!(numbers[0].ends_with("-00001") && numbers[1].ends_with("-00002"));
    assert!(numbers[2].ends_with("-00001") && numbers[3].ends_with("-00002"));
    assert_ne!(numbers[0], numbers[2]);
}
