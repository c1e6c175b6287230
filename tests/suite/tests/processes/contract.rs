//! What another program relies on: every command's JSON, exit codes, and errors as one line.

use std::fs;

use aftercare_suite::headless::{Headless, refusal};
use aftercare_suite::programs::{built, root};
use serde_json::Value;

use crate::hospital;

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

const IMPORT: [&str; 10] = [
    "batch",
    "format",
    "encoding",
    "rows",
    "created",
    "updated",
    "unchanged",
    "rejected",
    "warnings",
    "suspected_duplicates",
];
const PATIENT: [&str; 9] =
    ["mrn", "name", "sex", "birth_date", "id_number", "address", "phones", "deceased", "encounters"];
const ENCOUNTER: [&str; 9] = [
    "visit_no",
    "department",
    "admitted_at",
    "discharged_at",
    "diagnosis_code",
    "diagnosis",
    "doctor",
    "disposition",
    "total_fee",
];

fn imported(desk: &Headless, bad: &str) -> Value {
    let sample = root().join("tests/fixtures/imports/出院患者_utf8bom.csv");
    let file = desk.home.with_file_name("extract.csv");
    fs::write(&file, format!("{}{bad}", fs::read_to_string(sample).unwrap())).unwrap();
    desk.done(&["import", file.to_str().unwrap()]).unwrap()
}

#[test]
fn an_import_and_a_patient_have_the_documented_fields_in_their_order() {
    let folder = tempfile::tempdir().unwrap();
    let desk = hospital(&folder.path().join("home"));
    let done = imported(
        &desk,
        "00299999,ZY9999999,李梅,女,1990-01-01,,,,外科,2026-10-01 08:00,2026-09-01 08:00,,,,,,,,,,\r\n",
    );
    assert_eq!(keys(&done), IMPORT);
    assert_eq!((&done["batch"], &done["rows"], &done["created"]), (&1.into(), &121.into(), &120.into()));
    let rejected = &done["rejected"][0];
    assert_eq!(keys(rejected), ["row", "field", "code", "message"]);
    assert_eq!((&rejected["row"], &rejected["field"]), (&122.into(), &"discharged_at".into()));
    assert!(done["suspected_duplicates"].is_u64());

    let shown = desk.done(&["patient", "--mrn", "00212201"]).unwrap();
    assert_eq!(keys(&shown), PATIENT);
    let phone = &shown["phones"][1];
    assert_eq!(keys(phone), ["number", "owner", "relation"]);
    assert_eq!(
        (&phone["number"], &phone["owner"], &phone["relation"]),
        (&"13766585402".into(), &"李雪".into(), &"其他".into())
    );
    let stay = &shown["encounters"][0];
    assert_eq!(keys(stay), ENCOUNTER);
    assert_eq!(
        (&stay["admitted_at"], &stay["discharged_at"]),
        (&"2026-10-11 05:05".into(), &"2026-10-23 12:31".into())
    );
    // The file says 医嘱离院; the front page's code table says 1.
    assert_eq!((&stay["disposition"], &stay["total_fee"]), (&"1".into(), &68162.27.into()));
    assert_eq!((&shown["deceased"], &shown["id_number"]), (&false.into(), &"610113198209291425".into()));
}

#[test]
fn every_command_answers_in_json_and_every_refusal_is_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let desk = hospital(&folder.path().join("home"));
    let batch = imported(&desk, "")["batch"].to_string();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (workbook, backup, report) = (at("11月.xlsx"), at("backup"), at("refused.xlsx"));
    let extract = at("extract.csv");
    let period = ["--from", "2026-10-01", "--to", "2026-10-31"];
    let export: Vec<&str> =
        ["export", "followups"].into_iter().chain(period).chain(["--out", &workbook]).collect();
    for (words, field) in [
        (&["find", "王", "--limit", "3"][..], "hits"),
        (&["worklist"], "rows"),
        (&["worklist", "--on", "2026-11-20"], "rows"),
        (&export, "rows"),
        (&["audit", "verify"], "entries"),
        (&["import", &extract, "--dry-run", "--report", &report], "unchanged"),
        (&["doctor"], "checks"),
        (&["backup", &backup], "bytes"),
        (&["restore", &backup], "hospital"),
        (&["undo-import", &batch], "patients_removed"),
    ] {
        assert!(desk.done(words).unwrap().get(field).is_some(), "{words:?} answers with {field}");
    }
    for (words, code) in [
        (&["undo-import", &batch][..], "batch_undone"),
        (&["undo-import", "no-batch"], "not_found"),
        (&["patient", "--mrn", "00000000"], "not_found"),
        (&["import", "/nothing/here.csv"], "file_missing"),
        (&["worklist", "--on", "tomorrow"], "invalid"),
        (&["restore", &extract], "not_a_backup"),
        (&["backup", "/nothing/here/backup"], "file_unwritable"),
        (&["init", "--hospital", "H", "--site", "S"], "already_set_up"),
        (&["find"], "usage"),
        (&["find", "王", "--limit", "many"], "usage"),
        (&["export", "followups", "--from", "2026-10-01"], "usage"),
        (&["audit"], "usage"),
        (&["no-such-command"], "usage"),
        (&["doctor", "--no-such-option"], "usage"),
    ] {
        assert_eq!(desk.refused(words).unwrap(), code, "{words:?}");
    }
    let wrong = Headless { password: "not the password".into(), ..desk.clone() };
    assert_eq!(wrong.refused(&["doctor"]).unwrap(), "wrong_password");
    let empty = Headless { home: folder.path().join("empty"), ..desk };
    assert_eq!(empty.refused(&["doctor"]).unwrap(), "not_set_up");
    let nothing = std::process::Command::new(built("aftercare-cli").unwrap()).arg("--json").output().unwrap();
    assert_eq!(refusal(&nothing).unwrap(), "usage");
}
