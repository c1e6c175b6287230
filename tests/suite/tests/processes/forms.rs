//! Plans and questionnaires as FHIR files, by the command line.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use aftercare_suite::headless::refusal;
use aftercare_suite::programs::{built, root};
use serde_json::{Value, json};

use crate::hospital;

fn sample(name: &str) -> String {
    root().join("tests/fixtures/fhir").join(name).to_string_lossy().into_owned()
}

/// Without any data folder, as another program would.
fn validated(asked: &str, given: &str) -> Output {
    let mut command = Command::new(built("aftercare-cli").unwrap());
    command.args(["forms", "validate", asked, given]).env("LANG", "en_GB.UTF-8").env_remove("LC_ALL");
    command.output().unwrap()
}

fn answer(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn a_plan_goes_out_as_fhir_and_comes_back_as_the_next_version() {
    let folder = tempfile::tempdir().unwrap();
    let desk = hospital(&folder.path().join("home"));
    let file = folder.path().join("htn.json");
    let path = file.to_str().unwrap();
    let written = desk.done(&["forms", "export", "HTN", path]).unwrap();
    assert_eq!((&written["version"]["label"], written["not_carried"].is_array()), (&json!("1"), true));
    let first: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
    assert_eq!((&first["resourceType"], &first["name"]), (&json!("Questionnaire"), &json!("HTN")));
    let read = desk.done(&["forms", "import", path]).unwrap();
    assert_eq!(
        (&read["not_carried"], &read["version"]["count"], &read["new"]),
        (&json!([]), &json!(2), &json!(false))
    );
    let again = folder.path().join("again.json");
    desk.done(&["forms", "export", "HTN", again.to_str().unwrap()]).unwrap();
    let second: Value = serde_json::from_str(&fs::read_to_string(&again).unwrap()).unwrap();
    assert_eq!((&second["item"], &second["title"]), (&first["item"], &first["title"]));
    assert_ne!(second["version"], first["version"]);
    desk.done(&["forms", "export", "HTN", again.to_str().unwrap(), "--version", "1"]).unwrap();
    assert_eq!(fs::read_to_string(&again).unwrap(), fs::read_to_string(&file).unwrap());
    let unknown = desk.run(&["forms", "export", "HTN", path, "--version", "77"]).unwrap();
    assert_eq!(refusal(&unknown).unwrap(), "not_found");
}

#[test]
fn a_foreign_questionnaire_comes_in_with_a_list_of_what_did_not() {
    let folder = tempfile::tempdir().unwrap();
    let desk = hospital(&folder.path().join("home"));
    let read = desk.done(&["forms", "import", &sample("lforms/weightHeightQuestionnaire.json")]).unwrap();
    assert_eq!(read["new"], true);
    assert!(
        read["not_carried"]
            .as_array()
            .unwrap()
            .iter()
            .all(|one| { ["code", "link_id", "what"].iter().all(|name| one[*name].is_string()) })
    );
    assert!(!read["not_carried"].as_array().unwrap().is_empty());
    let unknown = sample("validation/abstract-question-type-included-q.json");
    assert_eq!(desk.refused(&["forms", "import", &unknown]).unwrap(), "fhir_type_unknown");
    let missing = folder.path().join("none.json");
    assert_eq!(desk.refused(&["forms", "import", missing.to_str().unwrap()]).unwrap(), "file_missing");
}

#[test]
fn answers_are_checked_without_a_hospital() {
    let fine = validated(&sample("validation/decimal-q.json"), &sample("validation/decimal-qr.json"));
    assert!(fine.status.success());
    assert_eq!(answer(&fine), json!({ "errors": [] }));
    let wrong = validated(
        &sample("validation/string-required-q.json"),
        &sample("validation/string-required-qr.json"),
    );
    assert!(!wrong.status.success());
    let message = "Must be answered; add the answer.";
    assert_eq!(
        answer(&wrong),
        json!({ "errors": [{ "link_id": "q1", "code": "required", "message": message }] })
    );
    let unusable = validated(
        &sample("validation/abstract-question-type-included-q.json"),
        &sample("validation/decimal-qr.json"),
    );
    assert_eq!(answer(&unusable)["errors"][0]["code"], "fhir_type_unknown");
    assert_eq!(answer(&unusable)["errors"][0]["link_id"], "q1");
    let missing = validated("/nowhere/q.json", "/nowhere/r.json");
    assert!(!missing.status.success() && !Path::new("/nowhere").exists());
    assert_eq!(answer(&missing)["errors"][0]["code"], "file_missing");
}
