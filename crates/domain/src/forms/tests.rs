#![allow(clippy::unwrap_used, clippy::expect_used)]
use chrono::NaiveDate;
use proptest::prelude::*;
use serde_json::json;

use super::*;

fn form(questions: serde_json::Value, rest: serde_json::Value) -> Form {
    let text = json!({"zh": "x", "en": "x"});
    let mut document = json!({"code": "T", "version": 1, "title": text, "questions": questions});
    for (key, value) in rest.as_object().unwrap() {
        document[key] = value.clone();
    }
    for question in document["questions"].as_array_mut().unwrap() {
        question["text"] = text.clone();
        for option in list_of(question, "options") {
            option["label"] = text.clone();
        }
    }
    for alert in list_of(&mut document, "alerts") {
        let defaults = json!({"level": "red", "say": text, "route": "department", "sla": {"unit": "minutes", "amount": 30}});
        for (key, value) in defaults.as_object().unwrap() {
            if alert.get(key).is_none() {
                alert[key] = value.clone();
            }
        }
    }
    for list in ["calculations", "classes"] {
        for item in list_of(&mut document, list) {
            item["label"] = text.clone();
        }
    }
    serde_json::from_value(document).unwrap()
}

fn list_of<'a>(
    value: &'a mut serde_json::Value,
    key: &str,
) -> impl Iterator<Item = &'a mut serde_json::Value> {
    value.get_mut(key).and_then(serde_json::Value::as_array_mut).into_iter().flatten()
}

fn single(id: &str) -> serde_json::Value {
    json!({"id": id, "type": "single", "options": [{"code": "a"}, {"code": "b"}]})
}

fn questions() -> serde_json::Value {
    json!([
        single("s"),
        {"id": "m", "type": "multi", "options": [{"code": "none", "exclusive": true}, {"code": "face"}, {"code": "arm"}]},
        {"id": "n", "type": "number", "decimals": 1, "min": 0, "max": 300},
        {"id": "yes", "type": "bool"},
        {"id": "bp", "type": "bp", "min": 40, "max": 300},
        {"id": "day", "type": "date"},
        {"id": "words", "type": "text"},
        {"id": "pain", "type": "scale", "min": 0, "max": 10},
    ])
}

/// Whether `condition` as an alert fires on `answers`.
fn fires(condition: &str, answers: &[(&str, AnswerValue)]) -> bool {
    let form = form(questions(), json!({"alerts": [{"code": "x", "when": condition}]}));
    let compiled = CompiledForm::new(form).expect(condition);
    let answers: Answers = answers.iter().map(|(id, answer)| ((*id).to_owned(), answer.clone())).collect();
    !compiled.evaluate(&answers, &FormContext::default()).alerts.is_empty()
}

fn refused(condition: &str) -> String {
    let form = form(questions(), json!({"alerts": [{"code": "x", "when": condition}]}));
    let problems = CompiledForm::new(form).err().unwrap_or_default();
    assert!(problems.len() <= 1, "{problems:?}");
    problems.first().map(|problem| problem.code.clone()).unwrap_or_default()
}

fn chose(code: &str) -> AnswerValue {
    AnswerValue::Single(code.to_owned())
}

fn chose_all(codes: &[&str]) -> AnswerValue {
    AnswerValue::Multi(codes.iter().map(|code| (*code).to_owned()).collect())
}

#[test]
fn silence_fires_nothing_not_even_a_negation() {
    for condition in [
        "s == 'a'",
        "s != 'a'",
        "!(s == 'a')",
        "!chosen(m, 'none')",
        "!(s in ['a'])",
        "n < 5",
        "!(n < 5)",
        "!yes",
        "yes == false",
        "bp.sbp < 90",
        "!(bp.dbp > 90)",
        "day < '2026-01-01'",
        "!mentions(words, ['x'])",
        "!(s == 'a' && yes)",
        "!(s == 'a' || yes)",
        "pain <= 10",
        "n + 1 > 0",
        "(yes ? n : n) >= 0",
        "yes ? true : true",
    ] {
        assert!(!fires(condition, &[]), "{condition}");
    }
}

#[test]
fn what_is_known_decides_in_spite_of_what_is_not() {
    let a = [("s", chose("a"))];
    assert!(fires("s == 'a' || yes", &a));
    assert!(fires("yes || s == 'a'", &a));
    assert!(fires("!(s == 'b' && yes)", &a), "one false side settles an and");
    assert!(!fires("s == 'a' && yes", &a));
    assert!(!fires("!(s == 'b' || yes)", &a));
}

#[test]
fn who_wants_to_react_to_silence_says_so() {
    assert!(fires("!answered(s)", &[]));
    assert!(!fires("!answered(s)", &[("s", chose("a"))]));
    assert!(fires("answered(m) && !chosen(m, 'none')", &[("m", chose_all(&["arm"]))]));
    assert!(fires("!answered(m)", &[("m", chose_all(&[]))]), "nothing chosen is not an answer");
    assert!(fires("!answered(words)", &[("words", AnswerValue::Text("  ".to_owned()))]));
}

#[test]
fn whole_and_decimal_numbers_mix() {
    let seven = [("n", AnswerValue::Number(7.0)), ("pain", AnswerValue::Scale(7))];
    for condition in [
        "n == 7",
        "n == 7.0",
        "n >= 7",
        "n <= 7.0",
        "pain == 7.0",
        "n in [6, 7]",
        "n - 0.5 == 6.5",
        "n / 2 == 3.5",
        "-n == -7",
        "n * 2 > pain",
        "n == pain",
    ] {
        assert!(fires(condition, &seven), "{condition}");
    }
    assert!(!fires("n / 0 > 1", &[("n", AnswerValue::Number(0.0))]), "no number is no alarm");
}

#[test]
fn each_kind_of_answer_can_be_asked_about() {
    let day = NaiveDate::from_ymd_opt(2026, 3, 9).unwrap();
    let answers = [
        ("m", chose_all(&["face", "arm"])),
        ("bp", AnswerValue::Bp { sbp: 190, dbp: None }),
        ("day", AnswerValue::Date(day)),
        ("words", AnswerValue::Text("医生收红包".to_owned())),
        ("yes", AnswerValue::Bool(true)),
    ];
    for condition in [
        "chosen(m, 'arm')",
        "'face' in m",
        "bp.sbp >= 180",
        "bp.sbp >= 180 || bp.dbp >= 110",
        "day > '2026-03-08'",
        "day == '2026-03-09'",
        "mentions(words, ['误诊', '红包'])",
        "yes",
        "yes == true",
        "yes != false",
    ] {
        assert!(fires(condition, &answers), "{condition}");
    }
    assert!(!fires("bp.dbp >= 60", &answers), "the lower value was not given");
}

#[test]
fn mistakes_in_conditions_are_found_when_the_form_is_loaded() {
    for (condition, code) in [
        ("selfharm == true", "expr_unknown_name"),
        ("patient.secret == 1", "expr_unknown_name"),
        ("chosen(m, 'ooze')", "expr_unknown_option"),
        ("s == 'ooze'", "expr_unknown_option"),
        ("s in ['a', 'zz']", "expr_unknown_option"),
        ("m in ['face']", "expr_needs_chosen"),
        ("m == 'face'", "expr_needs_chosen"),
        ("chosen(s, 'a')", "expr_chosen_needs_multi"),
        ("s == 1", "expr_type"),
        ("s > 'a'", "expr_type"),
        ("n == 'a'", "expr_type"),
        ("n && yes", "expr_type"),
        ("n", "expr_not_condition"),
        ("bp > 180", "expr_needs_field"),
        ("bp.pulse > 180", "expr_unknown_name"),
        ("day > 'tomorrow'", "expr_date"),
        ("points(s) > 1", "expr_no_points"),
        ("class == 'x'", "expr_unknown_name"),
        ("n >", "expr_syntax"),
        ("n > 1 and yes", "expr_syntax"),
        ("", "expr_empty"),
        ("words.matches('(a+)+$')", "expr_unknown_function"),
        ("matches(words, 'a')", "expr_unknown_function"),
        ("[1, 2].all(x, x > 0)", "expr_unsupported"),
        ("has(m.face)", "expr_unsupported"),
        ("{'a': 1}.a == 1", "expr_unsupported"),
        ("null == null", "expr_unsupported"),
        ("n % 2 == 0", "expr_unknown_function"),
    ] {
        assert_eq!(refused(condition), code, "{condition}");
    }
    assert_eq!(refused(&format!("n > {}", "1".repeat(1000))), "expr_too_long");
    assert_eq!(refused(&format!("{}yes{}", "(".repeat(60), ")".repeat(60))), "expr_too_complex");
    assert_eq!(refused(&format!("{}yes", "!".repeat(90))), "expr_too_complex");
    assert_eq!(refused(&vec!["n>1"; 200].join("||")), "expr_too_complex");
}

#[test]
fn circles_and_looking_ahead_are_found() {
    let codes = |questions| -> Vec<String> {
        let problems = CompiledForm::new(form(questions, json!({}))).err().unwrap_or_default();
        problems.into_iter().map(|problem| format!("{} {}", problem.path, problem.code)).collect()
    };
    let with = |id: &str, condition: &str| json!({"id": id, "type": "bool", "show_if": condition});
    assert_eq!(codes(json!([with("a", "a")])), ["questions.0.show_if condition_cycle"]);
    assert_eq!(
        codes(json!([with("a", "b"), with("b", "a")])),
        ["questions.0.show_if condition_cycle", "questions.1.show_if condition_cycle"]
    );
    let ahead = json!([with("a", "b"), {"id": "b", "type": "bool"}]);
    assert_eq!(codes(ahead), ["questions.0.show_if condition_refers_later"]);
    assert!(codes(json!([{"id": "b", "type": "bool"}, with("a", "b"), with("c", "a && b")])).is_empty());
}

#[test]
fn a_hidden_answer_does_not_count_but_comes_back() {
    let form = form(
        json!([{"id": "sick", "type": "bool"}, {"id": "fever", "type": "bool", "show_if": "sick", "required": true}]),
        json!({"alerts": [{"code": "x", "when": "fever"}]}),
    );
    let compiled = CompiledForm::new(form).unwrap();
    let mut answers = Answers::from([
        ("sick".to_owned(), AnswerValue::Bool(true)),
        ("fever".to_owned(), AnswerValue::Bool(true)),
    ]);
    assert_eq!(compiled.evaluate(&answers, &FormContext::default()).alerts.len(), 1);
    answers.insert("sick".to_owned(), AnswerValue::Bool(false));
    let hidden = compiled.evaluate(&answers, &FormContext::default());
    assert_eq!((hidden.visible, hidden.alerts, hidden.complete), (vec!["sick".to_owned()], vec![], true));
    answers.insert("sick".to_owned(), AnswerValue::Bool(true));
    assert_eq!(compiled.evaluate(&answers, &FormContext::default()).alerts.len(), 1);
    answers.remove("fever");
    assert_eq!(compiled.evaluate(&answers, &FormContext::default()).missing, ["fever"]);
}

#[test]
fn answers_that_do_not_fit_are_named_and_do_not_count() {
    let compiled = CompiledForm::new(form(
        questions(),
        json!({"alerts": [{"code": "x", "when": "n >= 0 || answered(m)"}]}),
    ))
    .unwrap();
    for (id, answer, code) in [
        ("s", chose("zz"), "unknown_option"),
        ("s", AnswerValue::Bool(true), "wrong_type"),
        ("m", chose_all(&["none", "arm"]), "exclusive"),
        ("m", chose_all(&["arm", "arm"]), "chosen_twice"),
        ("n", AnswerValue::Number(-0.1), "too_small"),
        ("n", AnswerValue::Number(300.1), "too_large"),
        ("n", AnswerValue::Number(36.65), "decimals"),
        ("n", AnswerValue::Number(f64::NAN), "wrong_type"),
        ("pain", AnswerValue::Scale(11), "too_large"),
        ("bp", AnswerValue::Bp { sbp: 80, dbp: Some(120) }, "bp_order"),
        ("bp", AnswerValue::Bp { sbp: 301, dbp: None }, "too_large"),
        ("words", AnswerValue::Text("啊".repeat(4001)), "too_long"),
    ] {
        let result = compiled.evaluate(&Answers::from([(id.to_owned(), answer)]), &FormContext::default());
        assert_eq!(
            result.invalid.iter().map(|invalid| invalid.code.as_str()).collect::<Vec<_>>(),
            [code],
            "{id}"
        );
        assert!(result.alerts.is_empty() && !result.complete, "{id} {code}");
    }
    for number in [0.0, 0.1, 36.6, 37.3, 299.9, 300.0] {
        let result = compiled.evaluate(
            &Answers::from([("n".to_owned(), AnswerValue::Number(number))]),
            &FormContext::default(),
        );
        assert!(result.invalid.is_empty(), "{number}");
    }
}

#[test]
fn an_ending_answer_leaves_only_its_own_follow_up_questions() {
    let compiled = CompiledForm::new(form(
        json!([
            {"id": "status", "type": "single", "required": true, "options": [{"code": "alive"}, {"code": "dead", "ends": true}]},
            {"id": "pain", "type": "scale", "min": 0, "max": 10, "required": true},
            {"id": "date", "type": "date", "show_if": "status == 'dead'", "required": true},
            {"id": "late", "type": "bool", "show_if": "pain > 1", "required": true},
        ]),
        json!({}),
    ))
    .unwrap();
    let answers =
        Answers::from([("pain".to_owned(), AnswerValue::Scale(5)), ("status".to_owned(), chose("dead"))]);
    let result = compiled.evaluate(&answers, &FormContext::default());
    assert_eq!(result.visible, ["status", "date"]);
    assert_eq!(
        (result.missing.as_slice(), result.ended_by.as_deref()),
        (["date".to_owned()].as_slice(), Some("status"))
    );
}

#[test]
fn calculations_classes_and_alerts_build_on_each_other() {
    let compiled = CompiledForm::new(form(
        json!([{"id": "now", "type": "number", "decimals": 1}, {"id": "before", "type": "number", "decimals": 1}]),
        json!({
            "calculations": [{"id": "gain", "expr": "now - before"}, {"id": "double", "expr": "gain * 2"}],
            "classes": [{"class": "fast", "when": "double >= 4"}, {"class": "slow", "when": "double >= 0"}],
            "alerts": [
                {"code": "y", "when": "class == 'fast'", "level": "yellow"},
                {"code": "o", "when": "gain >= 2", "level": "orange"},
                {"code": "r", "when": "gain >= 50"},
                {"code": "r2", "when": "now > 0"},
            ],
        }),
    ))
    .unwrap();
    let answers = Answers::from([
        ("now".to_owned(), AnswerValue::Number(70.1)),
        ("before".to_owned(), AnswerValue::Number(68.1)),
    ]);
    let result = compiled.evaluate(&answers, &FormContext::default());
    assert_eq!(result.values["gain"], 2.0, "70.1 - 68.1 is 1.9999999999999858 to a computer, 2 to a nurse");
    assert_eq!(result.class.as_deref(), Some("fast"));
    assert_eq!(result.alerts.iter().map(|alert| alert.code.as_str()).collect::<Vec<_>>(), ["r2", "o", "y"]);
    let half = Answers::from([("now".to_owned(), AnswerValue::Number(70.1))]);
    let result = compiled.evaluate(&half, &FormContext::default());
    assert!(result.values.is_empty() && result.class.is_none() && result.alerts.len() == 1);
}

#[test]
fn scripts_leave_out_sentences_whose_words_are_missing() {
    let rules = vec![
        VariableRule {
            name: "org.name".into(),
            missing: Missing::Block,
            max: None,
            script_only: false,
            note: LocalText::default(),
        },
        VariableRule {
            name: "agent.name".into(),
            missing: Missing::Say {
                text: LocalText { zh: "工作人员".into(), en: "a member of staff".into() },
            },
            max: None,
            script_only: false,
            note: LocalText::default(),
        },
        VariableRule {
            name: "org.hotline".into(),
            missing: Missing::Use { name: "org.phone".into() },
            max: None,
            script_only: false,
            note: LocalText::default(),
        },
        VariableRule {
            name: "org.phone".into(),
            missing: Missing::Use { name: "org.hotline".into() },
            max: None,
            script_only: false,
            note: LocalText::default(),
        },
        VariableRule {
            name: "day".into(),
            missing: Missing::Block,
            max: None,
            script_only: false,
            note: LocalText::default(),
        },
    ];
    let template =
        "您好，我是{{agent.name}}。这里是{{org.name}}。请打{{ org.hotline }}，{{day}}前有效!再见。";
    let mut vars = std::collections::BTreeMap::new();
    let bare = render(template, Lang::Zh, &vars, &rules);
    assert_eq!(bare.text, "您好，我是工作人员。再见。");
    assert_eq!(bare.blocked, ["org.name", "day", "org.hotline"]);
    vars.insert("org.name".to_owned(), VarValue::Text("某院".to_owned()));
    vars.insert("org.phone".to_owned(), VarValue::Text("12345".to_owned()));
    vars.insert("day".to_owned(), VarValue::Date(NaiveDate::from_ymd_opt(2026, 11, 7).unwrap()));
    let full = render(template, Lang::Zh, &vars, &rules);
    assert_eq!(full.text, "您好，我是工作人员。这里是某院。请打12345，11月7日前有效!再见。");
    assert!(full.blocked.is_empty());
    assert_eq!(render("Due {{day}}. Call 12.5", Lang::En, &vars, &rules).text, "Due 7 Nov. Call 12.5");
    assert_eq!(unknown_variables("{{day}} {{patient.id}} {{open", &rules), ["patient.id"]);
    assert_eq!(render("{{open", Lang::Zh, &vars, &rules).text, "{{open");
}

fn any_answer() -> impl Strategy<Value = AnswerValue> {
    let code =
        prop_oneof![Just("a".to_owned()), Just("none".to_owned()), Just("arm".to_owned()), any::<String>()];
    prop_oneof![
        code.clone().prop_map(AnswerValue::Single),
        prop::collection::vec(code, 0..4).prop_map(AnswerValue::Multi),
        any::<bool>().prop_map(AnswerValue::Bool),
        any::<f64>().prop_map(AnswerValue::Number),
        (-10_i32..400, prop::option::of(-10_i32..400)).prop_map(|(sbp, dbp)| AnswerValue::Bp { sbp, dbp }),
        any::<String>().prop_map(AnswerValue::Text),
        any::<i32>().prop_map(AnswerValue::Scale),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_text_as_a_condition_is_compiled_or_refused(text in "\\PC{0,60}", shape in "[sn1!()&|<=>' .,a-]{0,60}") {
        for source in [text, shape] {
            let _ = Expression::condition(&source, &Scope::form(), "x");
        }
    }

    #[test]
    fn any_answers_evaluate_without_panic(answers in prop::collection::btree_map("s|m|n|yes|bp|day|words|pain|zz", any_answer(), 0..9)) {
        let rules = json!({"alerts": [{"code": "x", "when": "s == 'a' || chosen(m, 'arm') && !(n > 5 || yes) || bp.sbp > 3"}]});
        let compiled = CompiledForm::new(form(questions(), rules)).unwrap();
        let once = compiled.evaluate(&answers, &FormContext::default());
        prop_assert_eq!(once.complete, once.missing.is_empty() && once.invalid.is_empty());
        prop_assert_eq!(once, compiled.evaluate(&answers, &FormContext::default()));
    }
}
