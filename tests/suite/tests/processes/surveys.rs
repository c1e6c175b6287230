//! The figures of surveys without a window.

use aftercare_suite::headless::refusal;
use serde_json::Value;

use crate::hospital;

#[test]
fn a_summary_names_numerators_and_denominators_also_of_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let desk = hospital(&folder.path().join("home"));
    let found = desk.done(&["survey", "summary", "--from", "2026-01-01", "--to", "2026-11-30"]).unwrap();
    let codes: Vec<&str> =
        found["figures"].as_array().unwrap().iter().map(|figure| figure["code"].as_str().unwrap()).collect();
    assert_eq!(codes, ["SAT_SCORE", "SAT_RATE", "NPS", "RETURN", "RESP_RATE", "LOYAL"]);
    assert_eq!((&found["sheets"], &found["figures"][1]["denominator"]), (&Value::from(0), &Value::from(0)));
    assert_eq!(found["figures"][1]["value"], Value::Null, "nothing of nothing is no rate");
    let wrong = desk.run(&["survey", "summary", "--from", "2026-12-01", "--to", "2026-11-30"]).unwrap();
    assert_eq!(refusal(&wrong).unwrap(), "invalid");
    let unknown = desk
        .run(&["survey", "summary", "--from", "2026-11-01", "--to", "2026-11-30", "--kind", "x"])
        .unwrap();
    assert_eq!(refusal(&unknown).unwrap(), "not_allowed");
}
