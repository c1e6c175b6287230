//! Whatever a file holds: it is taken whole, refused by name, or checked, and never breaks the program.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use proptest::prelude::*;
use serde_json::{Value, json};

use super::tests::{form, reread};
use super::{Document, import, parse, validate};
use crate::forms::{CompiledForm, Question, QuestionKind};

fn any_json() -> impl Strategy<Value = Value> {
    let word = prop_oneof![
        Just("group".to_owned()),
        Just("choice".to_owned()),
        Just("boolean".to_owned()),
        Just("integer".to_owned()),
        Just("a".to_owned()),
        Just("b".to_owned()),
        Just("=".to_owned()),
        Just("exists".to_owned()),
        Just("any".to_owned()),
        Just("bp".to_owned()),
        Just("urn:aftercare:fhir:kind".to_owned()),
        Just("urn:aftercare:fhir:question".to_owned()),
        any::<String>(),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        word.prop_map(Value::from)
    ];
    let key = prop_oneof![
        Just("linkId".to_owned()),
        Just("type".to_owned()),
        Just("item".to_owned()),
        Just("text".to_owned()),
        Just("enableWhen".to_owned()),
        Just("question".to_owned()),
        Just("operator".to_owned()),
        Just("answerBoolean".to_owned()),
        Just("answerCoding".to_owned()),
        Just("answerOption".to_owned()),
        Just("valueCoding".to_owned()),
        Just("valueInteger".to_owned()),
        Just("valueString".to_owned()),
        Just("extension".to_owned()),
        Just("url".to_owned()),
        Just("code".to_owned()),
        Just("answer".to_owned()),
        Just("repeats".to_owned()),
        Just("required".to_owned()),
        Just("enableBehavior".to_owned()),
        any::<String>(),
    ];
    leaf.prop_recursive(6, 60, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map(key.clone(), inner, 0..7)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

/// An item of some kind whose id and condition are drawn from few, so that files often hold together.
fn any_item() -> impl Strategy<Value = Value> {
    let kinds = prop::sample::select(vec![
        "group",
        "choice",
        "boolean",
        "integer",
        "decimal",
        "date",
        "string",
        "display",
        "quantity",
        "open-choice",
        "url",
    ]);
    (0..6_u8, kinds, any::<bool>(), prop::option::of((0..6_u8, prop::sample::select(vec!["=", "!=", ">", "exists"]))), any_json()).prop_map(|(id, kind, repeats, when, extra)| {
        let mut item = json!({ "linkId": format!("Q{id}"), "type": kind, "repeats": repeats, "text": format!("T{id}") });
        if kind == "choice" {
            item["answerOption"] = json!([{ "valueCoding": { "code": "x" } }, { "valueString": "y" }]);
        }
        if let Some((asked, operator)) = when {
            item["enableWhen"] = json!([{ "question": format!("Q{asked}"), "operator": operator, "answerBoolean": true }]);
        }
        if let Value::Object(extra) = extra {
            item.as_object_mut().unwrap().extend(extra.into_iter().filter(|(key, _)| !["linkId", "type", "item"].contains(&key.as_str())));
        }
        item
    })
}

fn any_question() -> impl Strategy<Value = Question> {
    let kinds = prop::sample::select(vec![
        "single", "multi", "bool", "number", "bp", "date", "text", "scale", "note",
    ]);
    (kinds, "[a-z]{1,3}", any::<[bool; 6]>(), -5..5_i32, 0..4_u8, "[甲乙丙a-c' \\\\]{1,8}").prop_map(|(kind, id, flags, low, decimals, words)| {
        let mut question = json!({ "id": format!("q_{id}"), "type": kind, "text": { "zh": words, "en": if flags[0] { "Words" } else { "" } }, "required": flags[1], "sensitive": flags[2] });
        if matches!(kind, "single" | "multi") {
            question["options"] = json!([
                { "code": "a'b", "label": { "zh": words }, "ends": flags[3], "points": if flags[4] { json!(low) } else { Value::Null } },
                { "code": "c", "label": { "zh": "丙", "en": "C" }, "exclusive": kind == "multi" && flags[5] },
            ]);
        }
        if matches!(kind, "number" | "scale" | "bp") {
            question["min"] = json!(low);
            question["max"] = json!(low + 7);
        }
        if kind == "number" {
            question["decimals"] = json!(decimals);
        }
        if flags[3] {
            question["at"] = json!(["D7"]);
        }
        serde_json::from_value(question).unwrap()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn no_json_makes_import_or_validation_panic(file in any_json(), response in any_json(), text in "\\PC{0,80}") {
        let wrap = |value: &Value, kind: &str| json!({ "resourceType": kind, "status": "completed", "item": value });
        let _ = import(&file);
        let _ = import(&wrap(&file, "Questionnaire"));
        let _ = validate(&wrap(&file, "Questionnaire"), &wrap(&response, "QuestionnaireResponse"));
        let _ = parse(&text);
    }

    #[test]
    fn items_that_nearly_hold_together_import_whole_or_not_at_all(
        items in prop::collection::vec(any_item(), 1..7), inside in prop::collection::vec(any_item(), 0..3), response in any_json(),
    ) {
        let mut items = items;
        items[0]["item"] = Value::from(inside);
        let file = json!({ "resourceType": "Questionnaire", "status": "draft", "title": "T", "item": items });
        if let Ok(read) = import(&file) {
            let Document::Form(form) = read.document else { panic!("a plan") };
            prop_assert!(CompiledForm::new((*form).clone()).is_ok());
            prop_assert_eq!(&reread(&form), &*form);
        }
        let answers = items.iter().map(|item| json!({ "linkId": item["linkId"], "answer": response })).collect::<Vec<_>>();
        let _ = validate(&file, &json!({ "resourceType": "QuestionnaireResponse", "status": "completed", "item": answers }));
    }

    #[test]
    fn any_form_of_ours_comes_back_equal(questions in prop::collection::vec(any_question(), 1..8)) {
        let mut form = form(json!([]), json!({ "sections": [{ "code": "S 1", "title": { "zh": "节" }, "weight": 1 }] }));
        for (index, mut question) in questions.into_iter().enumerate() {
            question.id = format!("{}{index}", question.id);
            question.section = (index % 3 == 1).then(|| "S 1".to_owned());
            if let Some(first) = form.questions.iter().find(|one| one.kind == QuestionKind::Bool) {
                question.show_if = Some(format!("{} == true", first.id));
            }
            form.questions.push(question);
        }
        if CompiledForm::new(form.clone()).is_ok() && form.questions.iter().any(|one| one.kind != QuestionKind::Note) {
            prop_assert_eq!(&reread(&form), &form);
        }
    }
}
