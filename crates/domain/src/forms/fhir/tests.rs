#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use serde_json::{Value, json};

use super::{
    Document, NOT_CARRIED_CODES, RESPONSE_CODES, export_form, export_plan, export_response, import, parse,
    read_response, validate,
};
use crate::error_code::ErrorCode;
use crate::forms::{AnswerValue, Answers, CompiledForm, Form, FormContext};
use crate::plans::Content;

pub(super) fn form(questions: Value, rules: Value) -> Form {
    let mut form = json!({ "code": "TRY", "version": 3, "title": { "zh": "试" }, "questions": questions });
    form.as_object_mut().unwrap().extend(rules.as_object().unwrap().clone());
    for question in form["questions"].as_array_mut().unwrap() {
        let id = question["id"].clone();
        let question = question.as_object_mut().unwrap();
        question.entry("text").or_insert(json!({ "zh": format!("问{id}"), "en": format!("Ask {id}") }));
        for option in question.get_mut("options").into_iter().flat_map(|list| list.as_array_mut().unwrap()) {
            let code = option["code"].clone();
            option.as_object_mut().unwrap().entry("label").or_insert(json!({ "zh": code }));
        }
    }
    serde_json::from_value(form).unwrap()
}

pub(super) fn reread(form: &Form) -> Form {
    let written = export_form(form).unwrap().questionnaire;
    let text = serde_json::to_string_pretty(&written).unwrap();
    let read = import(&parse(&text).unwrap()).unwrap();
    assert_eq!(read.not_carried, [], "our own file is carried over whole");
    let Document::Form(form) = read.document else { panic!("a plan") };
    *form
}

#[test]
fn every_shipped_plan_and_questionnaire_comes_back_equal() {
    let content = Content::shipped().unwrap();
    for compiled in &content.plans {
        let plan = compiled.plan();
        let exported = export_plan(plan).unwrap();
        assert!(exported.not_carried.iter().any(|one| one.code == "plan"), "{}", plan.code);
        let read = import(&parse(&exported.questionnaire.to_string()).unwrap()).unwrap();
        assert_eq!(read.not_carried, [], "{}", plan.code);
        let mut meant = plan.clone();
        meant.form.code.clone_from(&plan.code);
        meant.form.title.clone_from(&plan.name);
        assert_eq!(read.document, Document::Plan(Box::new(meant)), "{}", plan.code);
    }
    for compiled in &content.forms {
        assert_eq!(&reread(compiled.form()), compiled.form(), "{}", compiled.form().code);
    }
}

#[test]
fn shipped_conditions_are_said_in_fhirs_own_words() {
    let content = Content::shipped().unwrap();
    for compiled in &content.plans {
        let exported = export_plan(compiled.plan()).unwrap();
        let left: Vec<_> = exported.not_carried.iter().filter(|one| one.code == "condition").collect();
        assert!(left.is_empty(), "{} {left:?}", compiled.plan().code);
        let text = exported.questionnaire.to_string();
        let asked =
            compiled.plan().form.questions.iter().filter(|question| question.show_if.is_some()).count();
        assert_eq!(text.matches("\"enableWhen\"").count(), asked, "{}", compiled.plan().code);
        assert!(
            !text.contains(r#"\"show_if\":["#),
            "{}: a condition is in the remainder",
            compiled.plan().code
        );
    }
}

/// Each condition with what FHIR says for it: behaviour, then question, operator, answer.
#[test]
fn simple_conditions_become_enable_when_and_others_are_listed() {
    for (condition, said) in [
        ("s == 'a'", "all s=a"),
        ("s != 'a'", "all s exists s!=a"),
        ("!(s == 'a')", "all s exists s!=a"),
        ("s in ['a', 'b']", "any s=a s=b"),
        ("s == 'a' || n > 3", "any s=a n>3"),
        ("s == 'a' && n >= 3 && yes", "all s=a n>=3 yes=true"),
        ("!yes", "all yes=false"),
        ("yes != true", "all yes=false"),
        ("chosen(m, 'b')", "all m=b"),
        ("'b' in m", "all m=b"),
        ("!chosen(m, 'b')", "all m exists m!=b"),
        ("answered(words)", "all words exists"),
        ("!answered(s) || yes", "any s !exists yes=true"),
        ("bp.sbp >= 140 || bp.dbp >= 90", "any bp.sbp>=140 bp.dbp>=90"),
        ("day > '2026-01-31'", "all day>2026-01-31"),
        ("n == -2", "all n=-2"),
        ("s == 'a' && (n > 3 || yes)", ""),
        ("n + 1 > 3", ""),
        ("patient.age >= 65", ""),
        ("s != 'a' || yes", ""),
        ("mentions(words, ['痛'])", ""),
        ("n > 2.5", ""),
    ] {
        let asked = json!({ "id": "extra", "type": "bool", "show_if": condition });
        let form = all_kinds(asked);
        let exported = export_form(&form).unwrap();
        let items = exported.questionnaire["item"].as_array().unwrap();
        let item = items.iter().find(|item| item["linkId"] == "extra").unwrap().clone();
        assert_eq!(tell(&item), said, "{condition}");
        let listed = exported.not_carried.iter().any(|one| one.code == "condition" && one.link_id == "extra");
        assert_eq!(listed, said.is_empty(), "{condition}");
        assert_eq!(reread(&form), form, "{condition}");
    }
}

fn tell(item: &Value) -> String {
    let Some(list) = item["enableWhen"].as_array() else { return String::new() };
    let mut words = vec![item["enableBehavior"].as_str().unwrap_or("all").to_owned()];
    for when in list {
        let answer = when.as_object().unwrap().iter().find(|(key, _)| key.starts_with("answer")).unwrap().1;
        let answer = answer["code"].as_str().or(answer.as_str()).map_or(answer.to_string(), str::to_owned);
        words.push(match (when["operator"].as_str().unwrap(), answer.as_str()) {
            ("exists", "true") => format!("{} exists", when["question"].as_str().unwrap()),
            ("exists", _) => format!("{} !exists", when["question"].as_str().unwrap()),
            (operator, answer) => format!("{}{operator}{answer}", when["question"].as_str().unwrap()),
        });
    }
    words.join(" ")
}

fn all_kinds(last: Value) -> Form {
    let options = json!([{ "code": "a", "points": 1.5 }, { "code": "b", "ends": true }]);
    form(
        json!([
            { "id": "s", "type": "single", "options": options, "required": true, "section": "X" },
            { "id": "m", "type": "multi", "options": [{ "code": "a" }, { "code": "b", "exclusive": true }], "max_select": 1, "section": "X" },
            { "id": "yes", "type": "bool", "sensitive": true },
            { "id": "n", "type": "number", "min": -5, "max": 9, "unit": { "zh": "次", "en": "times" }, "section": "X" },
            { "id": "t", "type": "number", "decimals": 1, "min": 34.5, "max": 43, "step": 0.5, "unit": { "zh": "℃" } },
            { "id": "bp", "type": "bp", "min": 30, "max": 300, "required": true, "section": "Y" },
            { "id": "day", "type": "date", "at": ["D7"] },
            { "id": "words", "type": "text", "bank": "words" },
            { "id": "pain", "type": "scale", "min": 0, "max": 2, "labels": [{ "zh": "无" }, { "zh": "轻" }, { "zh": "重" }] },
            { "id": "hint", "type": "note", "required": true },
            last,
        ]),
        json!({
            "sections": [{ "code": "X", "title": { "zh": "甲" }, "weight": 60 }, { "code": "Y", "title": { "zh": "乙", "en": "Y" }, "weight": 0 }, { "code": "EMPTY", "title": { "zh": "空" }, "weight": 40 }],
            "parts": [{ "code": "short", "title": { "zh": "短" }, "questions": ["s", "n"] }],
            "calculations": [{ "id": "sum", "label": { "zh": "和" }, "expr": "n + pain", "decimals": 1, "unit": { "zh": "分" } }],
            "classes": [{ "class": "bad", "label": { "zh": "差" }, "when": "sum > 5" }],
            "alerts": [{ "code": "high", "when": "class == 'bad'", "level": "orange", "say": { "zh": "请就诊" }, "route": "department", "sla": { "unit": "working_days", "amount": 1 } }],
            "scoring": { "factor": 20.0, "min_answered": 0.5 },
        }),
    )
}

#[test]
fn every_kind_of_question_comes_back_equal_and_what_others_lose_is_listed() {
    let form = all_kinds(json!({ "id": "extra", "type": "bool" }));
    CompiledForm::new(form.clone()).unwrap();
    let exported = export_form(&form).unwrap();
    assert_eq!(reread(&form), form);
    let told: Vec<String> =
        exported.not_carried.iter().map(|one| format!("{} {}", one.code, one.link_id)).collect();
    let expected = [
        "alert high",
        "calculation sum",
        "class bad",
        "labels pain",
        "option_ends s",
        "part short",
        "scoring ",
        "section_weight EMPTY",
        "section_weight X",
        "sensitive yes",
        "step t",
        "timepoints day",
    ];
    assert_eq!(told, expected);
    let items = exported.questionnaire["item"].as_array().unwrap();
    let order: Vec<&str> = items.iter().map(|item| item["linkId"].as_str().unwrap()).collect();
    let expected =
        ["section:X", "yes", "section:X#2", "t", "section:Y", "day", "words", "pain", "hint", "extra", "sum"];
    assert_eq!(order, expected, "the order of the questions is kept: their section is written twice");
}

#[test]
fn what_another_program_changed_wins_over_our_remainder() {
    let form = form(
        json!([{ "id": "t", "type": "number", "decimals": 1, "step": 0.5, "max": 9, "sensitive": true }]),
        json!({}),
    );
    let mut written = export_form(&form).unwrap().questionnaire;
    written["item"][0]["text"] = json!("体温是多少？");
    let read = import(&written).unwrap();
    let Document::Form(read) = read.document else { panic!("a plan") };
    assert_eq!(
        (read.questions[0].text.zh.as_str(), read.questions[0].range.step),
        ("体温是多少？", Some(0.5))
    );
    let condition = json!({ "id": "w", "type": "bool", "show_if": "t + 1.0 > 3.0" });
    let mut form = form;
    form.questions.push(
        serde_json::from_value(
            json!({ "id": "w", "type": "bool", "text": { "zh": "w" }, "show_if": condition["show_if"] }),
        )
        .unwrap(),
    );
    let mut written = export_form(&form).unwrap().questionnaire;
    written["item"][1]["enableWhen"] = json!([{ "question": "t", "operator": ">", "answerDecimal": 5.5 }]);
    let read = import(&written).unwrap();
    assert_eq!(read.not_carried.len(), 1);
    assert_eq!(
        (read.not_carried[0].code.as_str(), read.not_carried[0].link_id.as_str()),
        ("own_outdated", "w")
    );
    let Document::Form(read) = read.document else { panic!("a plan") };
    assert_eq!(read.questions[1].show_if.as_deref(), Some("t > 5.5"));
}

fn refused(change: impl FnOnce(&mut Value)) -> (ErrorCode, String) {
    let mut file = json!({ "resourceType": "Questionnaire", "status": "active", "item": [
        { "linkId": "g", "type": "group", "text": "G", "item": [{ "linkId": "a", "type": "boolean", "text": "A" }] },
        { "linkId": "b", "type": "string", "text": "B", "enableWhen": [{ "question": "a", "operator": "=", "answerBoolean": true }] },
    ]});
    change(&mut file);
    let error = import(&file).unwrap_err();
    (error.code, error.link_id)
}

#[test]
fn a_file_that_cannot_be_used_is_refused_with_where_and_why() {
    let is = |code: ErrorCode, at: &str| (code, at.to_owned());
    assert_eq!(
        refused(|file| file["resourceType"] = json!("Patient")),
        is(ErrorCode::FhirNotQuestionnaire, "")
    );
    assert_eq!(refused(|file| *file = json!([1])), is(ErrorCode::FhirNotQuestionnaire, ""));
    assert_eq!(refused(|file| file["item"] = json!([])), is(ErrorCode::FhirEmpty, ""));
    assert_eq!(refused(|file| file["item"] = json!({})), is(ErrorCode::FhirStructure, ""));
    assert_eq!(
        refused(|file| file["item"][1]["type"] = json!("matrix")),
        is(ErrorCode::FhirTypeUnknown, "b")
    );
    assert_eq!(
        refused(|file| file["item"][1]["linkId"] = json!("a")),
        is(ErrorCode::FhirLinkIdDuplicate, "a")
    );
    assert_eq!(
        refused(|file| file["item"][0]["item"][0]["linkId"] = json!(null)),
        is(ErrorCode::FhirLinkIdMissing, "g.item[0]")
    );
    assert_eq!(
        refused(|file| file["item"][1]["enableWhen"][0]["question"] = json!("zz")),
        is(ErrorCode::FhirReferenceDangling, "b")
    );
    assert_eq!(
        refused(|file| file["item"][1]["enableWhen"][0]["operator"] = json!("~")),
        is(ErrorCode::FhirStructure, "b")
    );
    let on_b = json!([{ "question": "b", "operator": "exists", "answerBoolean": true }]);
    let looped = refused(|file| file["item"][0]["item"][0]["enableWhen"] = on_b.clone());
    assert_eq!(looped.0, ErrorCode::FhirConditionLoop);
    let through_group = refused(|file| file["item"][0]["enableWhen"] = on_b);
    assert_eq!(through_group.0, ErrorCode::FhirConditionLoop, "a group that its own question switches");
    let deep = refused(|file| {
        for number in 0..40 {
            let inside = file["item"].take();
            file["item"] = json!([{ "linkId": format!("d{number}"), "type": "group", "item": inside }]);
        }
    });
    assert_eq!(deep.0, ErrorCode::FhirTooDeep);
    let many = refused(|file| {
        let items = (0..201).map(|number| json!({ "linkId": format!("n{number}"), "type": "boolean" }));
        file["item"] = items.collect();
    });
    assert_eq!(many, is(ErrorCode::FhirTooMany, "n200"));
    assert_eq!(parse("{\n  \"a\": 1,,").unwrap_err().what, "2:10");
    assert_eq!(parse(&"[".repeat(1000)).unwrap_err().code, ErrorCode::FhirNotJson, "nested without end");
    assert_eq!(parse(&" ".repeat(4_000_001)).unwrap_err().code, ErrorCode::FhirTooLarge);
}

fn answers() -> Answers {
    Answers::from([
        ("s".to_owned(), AnswerValue::Single("a".to_owned())),
        ("m".to_owned(), AnswerValue::Multi(vec!["a".to_owned()])),
        ("yes".to_owned(), AnswerValue::Bool(true)),
        ("n".to_owned(), AnswerValue::Number(7.0)),
        ("t".to_owned(), AnswerValue::Number(36.5)),
        ("bp".to_owned(), AnswerValue::Bp { sbp: 150, dbp: Some(90) }),
        ("day".to_owned(), AnswerValue::Date("2026-11-23".parse().unwrap())),
        ("words".to_owned(), AnswerValue::Text("好多了".to_owned())),
        ("pain".to_owned(), AnswerValue::Scale(2)),
        ("extra".to_owned(), AnswerValue::Bool(false)),
    ])
}

#[test]
fn answers_go_out_and_come_back_and_fit_the_exported_questionnaire() {
    let form = all_kinds(json!({ "id": "extra", "type": "bool", "show_if": "s == 'a'" }));
    let compiled = CompiledForm::new(form.clone()).unwrap();
    let context = FormContext::default();
    let response = export_response(&compiled, &answers(), &context, Some("2026-11-23T10:00:00+08:00"));
    assert_eq!(
        (&response["status"], &response["questionnaire"]),
        (&json!("completed"), &json!("urn:aftercare:fhir:questionnaire:TRY|3"))
    );
    let read = read_response(&form, &response).unwrap().unwrap();
    assert!(read.answers == answers() && read.not_carried.is_empty());
    let mut some = answers();
    some.remove("s");
    let partly = export_response(&compiled, &some, &context, None);
    assert_eq!(partly["status"], "in-progress");
    assert!(!partly.to_string().contains("\"extra\""), "what is not asked is not written");
    let mut claimed = partly;
    claimed["status"] = json!("completed");
    let faults = read_response(&form, &claimed).unwrap().unwrap_err();
    assert_eq!(
        faults.iter().map(|fault| (fault.link_id.as_str(), fault.code.as_str())).collect::<Vec<_>>(),
        [("s", "required")]
    );
}

/// What the validation says of a response to `all_kinds` after a change.
fn told(change: impl FnOnce(&mut Value)) -> Vec<String> {
    let form = all_kinds(json!({ "id": "extra", "type": "bool", "show_if": "s == 'b'" }));
    let compiled = CompiledForm::new(form.clone()).unwrap();
    let mut given = answers();
    given.remove("extra");
    let mut response = export_response(&compiled, &given, &FormContext::default(), None);
    change(&mut response);
    let questionnaire = export_form(&form).unwrap().questionnaire;
    let faults = validate(&questionnaire, &response).unwrap();
    faults
        .iter()
        .map(|fault| {
            let params: Vec<String> = fault.params.values().cloned().collect();
            format!("{} {} {}", fault.link_id, fault.code, params.join(" ")).trim_end().to_owned()
        })
        .collect()
}

#[test]
fn a_response_is_checked_against_its_questionnaire() {
    let none: Vec<String> = Vec::new();
    assert_eq!(told(|_| ()), none);
    let coding = |code: &str| json!([{ "valueCoding": { "code": code } }]);
    assert_eq!(told(|r| r["item"][0]["item"][0]["answer"] = coding("zz")), ["s not_an_option"]);
    assert_eq!(
        told(|r| r["item"][0]["item"][0]["answer"] = json!([{ "valueString": "a" }])),
        ["s wrong_type"]
    );
    assert_eq!(told(|r| r["item"][0]["item"][0]["answer"] = json!([{}])), ["s invalid_value"]);
    assert_eq!(
        told(|r| r["item"][0]["item"][1]["answer"] =
            json!([{ "valueCoding": { "code": "a" } }, { "valueCoding": { "code": "b" } }])),
        ["m too_many 1"]
    );
    assert_eq!(
        told(|r| r["item"][1]["answer"] = json!([{ "valueBoolean": true }, { "valueBoolean": false }])),
        ["yes too_many 1"]
    );
    assert_eq!(
        told(|r| r["item"][2]["item"][0]["answer"] = json!([{ "valueInteger": 10 }])),
        ["n range_max 9"]
    );
    assert_eq!(
        told(|r| r["item"][2]["item"][0]["answer"] = json!([{ "valueInteger": -6 }])),
        ["n range_min -5"]
    );
    assert_eq!(
        told(|r| r["item"][2]["item"][0]["answer"] = json!([{ "valueInteger": 1.5 }])),
        ["n invalid_value"]
    );
    assert_eq!(told(|r| r["item"][3]["answer"] = json!([{ "valueDecimal": 36.55 }])), ["t decimals 1"]);
    assert_eq!(
        told(|r| r["item"][5]["answer"] = json!([{ "valueDate": "2026-02-30" }])),
        ["day invalid_value"]
    );
    assert_eq!(
        told(|r| {
            r["item"][0]["item"].as_array_mut().unwrap().remove(0);
        }),
        ["s required"]
    );
    assert_eq!(
        told(|r| {
            r["item"].as_array_mut().unwrap().remove(4);
        }),
        ["bp.sbp required"]
    );
    assert_eq!(
        told(|r| {
            r["item"]
                .as_array_mut()
                .unwrap()
                .push(json!({ "linkId": "extra", "answer": [{ "valueBoolean": true }] }));
        }),
        ["extra not_enabled"]
    );
    assert_eq!(
        told(|r| {
            r["item"].as_array_mut().unwrap().push(json!({ "linkId": "zz" }));
        }),
        ["zz unknown_link_id"]
    );
    assert_eq!(told(|r| r["item"].as_array_mut().unwrap().swap(1, 2)), ["yes order"]);
    assert_eq!(
        told(|r| {
            let again = r["item"][1].clone();
            r["item"].as_array_mut().unwrap().insert(2, again);
        }),
        ["yes duplicate"]
    );
    assert_eq!(
        told(|r| {
            r["item"][0]["answer"] = json!([{ "valueString": "x" }]);
        }),
        ["section:X group_answered"]
    );
    assert_eq!(
        told(|r| {
            let moved = r["item"][0]["item"].as_array_mut().unwrap().remove(1);
            r["item"].as_array_mut().unwrap().push(moved);
        }),
        ["m wrong_place"]
    );
    assert_eq!(told(|r| r["item"][1]["item"] = json!([])), ["yes answers_here"]);
    assert_eq!(told(|r| r["item"][1]["answer"] = json!(true)), ["yes structure answer"]);
    assert_eq!(told(|r| r["status"] = json!("done")), ["status"].map(|code| format!(" {code}")));
    assert_eq!(told(|r| r["questionnaire"] = json!("http://other")), [" other_questionnaire"]);
    assert_eq!(
        told(|r| {
            r["status"] = json!("in-progress");
            r["item"] = json!([]);
        }),
        none,
        "an unfinished one may lack anything"
    );
    let not_one = validate(
        &json!({ "resourceType": "Questionnaire", "item": [{ "linkId": "a", "type": "date" }] }),
        &json!({}),
    );
    assert_eq!(not_one.unwrap_err().code, ErrorCode::FhirNotQuestionnaire);
}

#[test]
fn in_a_repeated_group_each_repetition_decides_for_itself() {
    let asked = json!({ "resourceType": "Questionnaire", "status": "active", "item": [
        { "linkId": "drug", "type": "group", "repeats": true, "item": [
            { "linkId": "taken", "type": "boolean" },
            { "linkId": "why", "type": "string", "required": true, "enableWhen": [{ "question": "taken", "operator": "=", "answerBoolean": false }] },
        ]},
    ]});
    let group = |taken: bool, why: bool| {
        let mut items = vec![json!({ "linkId": "taken", "answer": [{ "valueBoolean": taken }] })];
        if why {
            items.push(json!({ "linkId": "why", "answer": [{ "valueString": "x" }] }));
        }
        json!({ "linkId": "drug", "item": items })
    };
    let told = |groups: Value| {
        let response =
            json!({ "resourceType": "QuestionnaireResponse", "status": "completed", "item": groups });
        let faults = validate(&asked, &response).unwrap();
        faults.into_iter().map(|fault| fault.code).collect::<Vec<_>>()
    };
    assert!(told(json!([group(true, false), group(false, true)])).is_empty());
    assert_eq!(told(json!([group(true, true), group(false, false)])), ["not_enabled", "required"]);
}

#[test]
fn every_code_has_its_words() {
    for language in ["zh-CN", "en"] {
        let path = format!("{}/../../assets/locales/{language}/forms.json", env!("CARGO_MANIFEST_DIR"));
        let words: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        for (list, codes) in [("carry", NOT_CARRIED_CODES), ("response", RESPONSE_CODES)] {
            let mut known: Vec<&str> = words[list].as_object().unwrap().keys().map(String::as_str).collect();
            let mut codes = codes.to_vec();
            known.sort_unstable();
            codes.sort_unstable();
            assert_eq!(known, codes, "{language} {list}");
        }
    }
}
