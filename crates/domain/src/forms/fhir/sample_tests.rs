//! Files of other projects: what is carried over, what is listed, what is found wrong.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::PathBuf;

use super::{Document, NotCarried, import, parse, validate};
use crate::error_code::ErrorCode;
use crate::forms::{Form, QuestionKind};

fn fixture(name: &str) -> serde_json::Value {
    let folder: PathBuf =
        [env!("CARGO_MANIFEST_DIR"), "..", "..", "tests", "fixtures", "fhir"].iter().collect();
    parse(&std::fs::read_to_string(folder.join(name)).expect(name)).expect(name)
}

fn taken(name: &str) -> (Form, Vec<NotCarried>) {
    let read = import(&fixture(name)).unwrap_or_else(|error| panic!("{name}: {error:?}"));
    let Document::Form(form) = read.document else { panic!("a plan") };
    (*form, read.not_carried)
}

fn lists(notes: &[NotCarried], code: &str, link_id: &str) -> bool {
    notes.iter().any(|one| one.code == code && one.link_id == link_id)
}

#[test]
fn the_flu_sample_keeps_its_choice_its_hint_and_its_condition() {
    let (form, notes) = taken("android/behavior_skip_logic.json");
    let kinds: Vec<_> = form.questions.iter().map(|question| (question.id.as_str(), question.kind)).collect();
    assert_eq!(
        kinds,
        [
            ("q_1_0", QuestionKind::Single),
            ("q_1_select_one", QuestionKind::Note),
            ("q_1_1", QuestionKind::Date)
        ]
    );
    assert_eq!(form.questions[2].show_if.as_deref(), Some("q_1_0 == 'Y'"));
    assert!(lists(&notes, "option_system", "1.0") && lists(&notes, "nested", "1-select-one"));
    assert!(lists(&notes, "renamed", "1.1") && lists(&notes, "extension", ""));
}

#[test]
fn conditions_on_a_group_hold_for_all_that_lies_in_it() {
    let (form, _) = taken("lforms/q-with-nested-enableWhen.json");
    let shown = |id: &str| form.questions.iter().find(|question| question.id == id).unwrap().show_if.clone();
    assert_eq!(shown("c1").as_deref(), Some("p1 == 'YES'"));
    assert_eq!(shown("d1").as_deref(), Some("p1 == 'YES' && (!answered(c1) || c1 != 'A')"));
    assert_eq!(shown("dd1").as_deref(), Some("p1 == 'YES' && (!answered(cc1) || cc1 != 'A')"));
}

#[test]
fn scores_of_foreign_options_are_taken_and_their_calculations_listed() {
    let (form, notes) = taken("lforms/apgar-with-itemWeight-variable.json");
    let scored = form
        .questions
        .iter()
        .filter(|question| question.options.iter().any(|option| option.points.is_some()));
    assert_eq!(scored.count(), 5, "{:?}", form.questions.len());
    assert!(
        notes.iter().any(|one| one.code == "calculated_expression" || one.code == "extension"),
        "{notes:?}"
    );
}

#[test]
fn kinds_without_a_place_here_are_listed_and_the_rest_is_taken() {
    let (form, notes) = taken("lforms/bit-of-everything.json");
    assert!(
        lists(&notes, "type_unsupported", "Item-reference")
            && lists(&notes, "type_unsupported", "Item-attachment")
    );
    assert!(lists(&notes, "type_simplified", "Item-time") && lists(&notes, "value_set", "Item-rb"));
    assert!(lists(&notes, "metadata", "") && lists(&notes, "unit", "Item-quantity"));
    assert!(form.questions.iter().any(|question| question.kind == QuestionKind::Note));
    assert_eq!(form.title.en, "Bit of everything");
}

#[test]
fn every_sample_is_taken_or_refused_by_name() {
    let mut seen = 0;
    for folder in ["lforms", "android", "hl7"] {
        let path: PathBuf =
            [env!("CARGO_MANIFEST_DIR"), "..", "..", "tests", "fixtures", "fhir", folder].iter().collect();
        for entry in std::fs::read_dir(path).unwrap() {
            let name = format!("{folder}/{}", entry.unwrap().file_name().to_string_lossy());
            match import(&fixture(&name)) {
                Ok(read) => {
                    assert!(!read.not_carried.is_empty(), "{name}: each has something that is foreign here")
                }
                // One is an answer, and one says `"repeats": "true"` in quotation marks.
                Err(error) if name.contains("questionnaireresponse") => {
                    assert_eq!(error.code, ErrorCode::FhirNotQuestionnaire);
                }
                Err(error) => {
                    assert!(name.contains("enableWhen-test"), "{name}: {error:?}");
                    assert_eq!(
                        (error.code, error.link_id.as_str(), error.what.as_str()),
                        (ErrorCode::FhirStructure, "Q8", "repeats")
                    );
                }
            }
            seen += 1;
        }
    }
    assert!(seen >= 15, "{seen}");
}

#[test]
fn each_operator_of_a_foreign_condition_is_read_or_listed() {
    let mut file = fixture("lforms/enableWhen-test.R4.json");
    let refused = import(&file).unwrap_err();
    assert_eq!(
        (refused.code, refused.link_id.as_str(), refused.what.as_str()),
        (ErrorCode::FhirStructure, "Q8", "repeats"),
        "the file's authors wrote it in quotation marks"
    );
    file["item"].as_array_mut().unwrap().truncate(4);
    let read = import(&file).unwrap();
    let Document::Form(form) = read.document else { panic!("a plan") };
    let shown = |link_id: &str| {
        let name = link_id.to_lowercase().replace('-', "_");
        form.questions.iter().find(|one| one.id == name).unwrap_or_else(|| panic!("{name}")).show_if.clone()
    };
    assert_eq!(shown("Q1-exists").as_deref(), Some("answered(q1)"));
    assert_eq!(shown("Q1-not-exists").as_deref(), Some("!answered(q1)"));
    assert_eq!(shown("Q1-not-true").as_deref(), Some("(!answered(q1) || q1 != true)"));
    assert_eq!(shown("Q2-ge").as_deref(), Some("q2 >= 4.8"));
    assert_eq!(shown("Q4-ge").as_deref(), Some("q4 >= '2020-05-01'"));
}

/// The cases of FHIR's own test set, with what this program finds. Value sets outside of the file are not looked up,
/// and a retired or constrained questionnaire is no fault of the answers.
#[test]
fn the_test_cases_of_fhir_are_judged_as_they_should_be() {
    for (name, expected) in [
        ("attachment-invalid-type", &["q1 wrong_type"][..]),
        ("boolean-invalid-type", &["q1 wrong_type"]),
        ("choice-async", &[]),
        ("date-min-max", &["q1 range_min", "q1 range_max"]),
        ("decimal-invalid-type", &["q1 wrong_type"]),
        ("decimal", &[]),
        (
            "group-with-string-invalid-nesting-link-id",
            &["grp2 unknown_link_id", "q1 wrong_place", "q1 required", "q2 required"],
        ),
        ("integer-answer-option", &["q1 not_an_option"]),
        ("integer", &[]),
        ("invariant-questionnaire", &[]),
        ("open-choice-invalid-type", &["q1 invalid_value"]),
        ("quantity", &[]),
        ("questionnaire-inactive-end", &[]),
        ("questionnaire-retired", &[]),
        ("reference-invalid-type", &["q1 wrong_type"]),
        ("string-invalid-type", &["q1 wrong_type"]),
        ("string-min-occurs", &["q1 too_few"]),
        ("string-required", &["q1 required"]),
        ("text-invalid-type", &["q1 wrong_type"]),
        ("url-invalid-type", &["q1 wrong_type"]),
    ] {
        let asked = fixture(&format!("validation/{name}-q.json"));
        let given = fixture(&format!("validation/{name}-qr.json"));
        let faults = validate(&asked, &given).unwrap();
        let told: Vec<String> =
            faults.iter().map(|fault| format!("{} {}", fault.link_id, fault.code)).collect();
        assert_eq!(told, expected, "{name}");
    }
    let asked = fixture("validation/abstract-question-type-included-q.json");
    let error = validate(&asked, &fixture("validation/abstract-question-type-included-qr.json")).unwrap_err();
    assert_eq!((error.code, error.link_id.as_str()), (ErrorCode::FhirTypeUnknown, "q1"));
}
