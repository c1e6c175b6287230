//! What callers hear and what must follow, plan by plan, on the shipped content.
#![allow(clippy::unwrap_used, clippy::expect_used)]
use std::sync::LazyLock;

use proptest::prelude::*;

use super::*;
use crate::forms::{AnswerValue, Answers, Evaluation, FormContext, QuestionKind};

static CONTENT: LazyLock<Content> = LazyLock::new(|| Content::shipped().expect("shipped content"));

fn plan(code: &str) -> &'static CompiledPlan {
    CONTENT.plans.iter().find(|plan| plan.plan().code == code).expect(code)
}

/// Answers written as people would: `bp=150/95`, `symptoms=headache+vision`, `adr=yes`, `temp=38.5`.
fn answers(plan: &CompiledPlan, text: &str) -> Answers {
    let mut answers = Answers::new();
    for pair in text.split_whitespace() {
        let (id, value) = pair.split_once('=').expect(pair);
        let question = plan.form().form().questions.iter().find(|question| question.id == id).expect(id);
        let answer = match question.kind {
            QuestionKind::Single => AnswerValue::Single(value.to_owned()),
            QuestionKind::Multi => AnswerValue::Multi(value.split('+').map(str::to_owned).collect()),
            QuestionKind::Bool => AnswerValue::Bool(value == "yes"),
            QuestionKind::Number => AnswerValue::Number(value.parse().expect(pair)),
            QuestionKind::Scale => AnswerValue::Scale(value.parse().expect(pair)),
            QuestionKind::Bp => {
                let (sbp, dbp) = value.split_once('/').unwrap_or((value, ""));
                AnswerValue::Bp { sbp: sbp.parse().expect(pair), dbp: dbp.parse().ok() }
            }
            QuestionKind::Date => AnswerValue::Date(value.parse().expect(pair)),
            QuestionKind::Text | QuestionKind::Note => AnswerValue::Text(value.to_owned()),
        };
        answers.insert(id.to_owned(), answer);
    }
    answers
}

fn told_at(code: &str, timepoint: &str, age: Option<u16>, text: &str) -> Evaluation {
    let plan = plan(code);
    let (found, _) = plan.timepoint(timepoint).expect(timepoint);
    let context = FormContext {
        part: Some(found.part.clone()),
        timepoint: Some(timepoint.to_owned()),
        age,
        ..FormContext::default()
    };
    plan.form().evaluate(&answers(plan, text), &context)
}

fn alerts(code: &str, timepoint: &str, text: &str) -> Vec<String> {
    told_at(code, timepoint, Some(60), text).alerts.into_iter().map(|alert| alert.code).collect()
}

#[test]
fn silence_raises_no_alert_in_any_plan_or_questionnaire() {
    for plan in &CONTENT.plans {
        for timepoint in &plan.plan().timepoints {
            let result = told_at(&plan.plan().code, &timepoint.code, None, "");
            assert!(
                result.alerts.is_empty() && result.class.is_none(),
                "{} {}",
                plan.plan().code,
                timepoint.code
            );
            assert!(!result.complete, "something is always required");
        }
    }
    for form in &CONTENT.forms {
        let result = form.evaluate(&Answers::new(), &FormContext::default());
        assert!(result.alerts.is_empty());
        assert_eq!(result.scores.and_then(|scores| scores.overall), None);
    }
}

#[test]
fn general_follow_up() {
    assert_eq!(alerts("GEN", "D3", "reach=self general=better temp=36.5 csat=5 nps=10"), [""; 0]);
    assert_eq!(alerts("GEN", "D3", "general=worse temp=39"), ["condition_worse", "fever"]);
    assert_eq!(alerts("GEN", "D3", "temp=38.9 csat=3 nps=7 pain=6"), [""; 0]);
    assert_eq!(alerts("GEN", "D3", "csat=2 nps=6 pain=7"), ["pain_severe", "dissatisfied", "detractor"]);
    let worse = told_at("GEN", "D3", None, "reach=self general=worse");
    assert!(worse.missing.contains(&"general_desc".to_owned()));
    let short = told_at("GEN", "D30", None, "");
    assert!(!short.visible.contains(&"csat".to_owned()) && short.visible.contains(&"readmit".to_owned()));
}

#[test]
fn nothing_more_is_asked_of_the_bereaved_or_of_strangers() {
    for code in ["GEN", "HTN", "DM2", "GSURG", "STROKE", "PCI", "ORTHO", "COPD", "HF"] {
        let first = plan(code).plan().timepoints.first().unwrap().code.clone();
        let died = told_at(code, &first, Some(80), "reach=authorized general=dead");
        assert!(died.complete, "{code}: {:?}", died.missing);
        assert_eq!(
            died.alerts.iter().map(|alert| alert.code.as_str()).collect::<Vec<_>>(),
            ["patient_died"],
            "{code}"
        );
        let stranger = told_at(code, &first, Some(80), "reach=other");
        assert_eq!((stranger.visible.len(), stranger.ended_by.as_deref()), (1, Some("reach")), "{code}");
    }
}

#[test]
fn hypertension() {
    let class = |age, text: &str| told_at("HTN", "D7", age, text).class.unwrap_or_default();
    assert_eq!(class(Some(64), "bp=139/89"), "controlled");
    assert_eq!(class(Some(64), "bp=140/80"), "uncontrolled");
    assert_eq!(class(Some(65), "bp=140/80"), "controlled");
    assert_eq!(class(Some(65), "bp=150/80"), "uncontrolled");
    assert_eq!(class(Some(50), "bp=120/90"), "uncontrolled");
    assert_eq!(class(None, "bp=145/80"), "", "without an age nobody calls 145 controlled");
    assert_eq!(class(None, "bp=120/80"), "controlled");
    assert_eq!(class(Some(50), "bp=179"), "uncontrolled");
    assert_eq!(class(Some(50), "bp=120/80 adr=yes"), "adr");
    assert_eq!(class(Some(50), "bp=180/80 adr=yes"), "urgent");
    assert_eq!(alerts("HTN", "D7", "bp=179/109"), ["uncontrolled"]);
    assert_eq!(alerts("HTN", "D7", "bp=180"), ["bp_critical"]);
    assert_eq!(alerts("HTN", "D7", "bp=120/110"), ["bp_critical"]);
    assert_eq!(alerts("HTN", "D7", "bp=120/80 symptoms=dyspnea hr=50"), ["danger_symptoms"]);
    assert_eq!(alerts("HTN", "D7", "bp=89/60 hr=121"), ["bp_low", "heart_rate"]);
    let both = told_at("HTN", "D7", Some(60), "symptoms=none+headache");
    assert_eq!(both.invalid[0].code, "exclusive");
}

#[test]
fn diabetes() {
    assert_eq!(alerts("DM2", "D7", "fpg=6.9 hypo=none symptoms=none"), [""; 0]);
    assert_eq!(alerts("DM2", "D7", "fpg=7"), ["uncontrolled"]);
    assert_eq!(alerts("DM2", "D7", "fpg=16.7"), ["glucose_critical"]);
    assert_eq!(alerts("DM2", "D7", "fpg=3.9"), ["glucose_low"]);
    assert_eq!(alerts("DM2", "D7", "fpg=4"), [""; 0]);
    assert_eq!(alerts("DM2", "D7", "fpg=6 foot=ulcer hypo=frequent"), ["foot_ulcer", "hypo_frequent"]);
    assert_eq!(alerts("DM2", "D7", "insulin=yes inject=dose"), ["insulin_dose"]);
    assert_eq!(alerts("DM2", "D7", "insulin=no inject=dose"), [""; 0], "hidden, so it does not count");
    let early = told_at("DM2", "D3", None, "");
    assert!(early.visible.contains(&"insulin".to_owned()) && !early.visible.contains(&"staple".to_owned()));
    let late = |timepoint| told_at("DM2", timepoint, None, "").visible.contains(&"hba1c".to_owned());
    assert!(!late("D7") && late("D30") && late("Q"));
}

#[test]
fn general_surgery() {
    assert_eq!(alerts("GSURG", "D3", "wound=ok temp=38.4 bowel=ok drain=none"), [""; 0]);
    assert_eq!(alerts("GSURG", "D3", "wound=bleed+red"), ["surgical_emergency", "wound_mild"]);
    assert_eq!(alerts("GSURG", "D3", "temp=39"), ["wound_infection"], "one alert for one fever");
    assert_eq!(
        alerts("GSURG", "D3", "calf=yes stitches=overdue"),
        ["leg_clot"],
        "stitches are not asked on day 3"
    );
    assert_eq!(
        alerts("GSURG", "D7", "pathology=notyet stitches=overdue"),
        ["wound_mild", "pathology_pending"]
    );
}

#[test]
fn stroke() {
    let asked = |text| told_at("STROKE", "D7", None, text).visible.contains(&"fast_when".to_owned());
    assert!(!asked("") && !asked("fast=none") && asked("fast=arm"));
    assert_eq!(alerts("STROKE", "D7", "fast=arm+speech bp=150/90"), ["stroke_signs"]);
    assert_eq!(alerts("STROKE", "D7", "inr=2.9"), [""; 0]);
    assert_eq!(alerts("STROKE", "D7", "inr=3"), ["inr_high"]);
    assert_eq!(alerts("STROKE", "D7", "inr=5"), ["bleeding_major"]);
    assert_eq!(alerts("STROKE", "D90", "mrs=6"), ["patient_died_mrs"]);
    assert_eq!(alerts("STROKE", "D7", "mrs=6"), [""; 0], "the Rankin scale is asked at day 90 and year 1");
}

#[test]
fn coronary_stent() {
    assert_eq!(alerts("PCI", "D3", "angina=exertion"), [""; 0]);
    assert_eq!(alerts("PCI", "D3", "angina=exertion ntg=no"), ["angina_severe"]);
    assert_eq!(alerts("PCI", "D3", "angina=none ntg=no"), [""; 0]);
    assert_eq!(alerts("PCI", "D30", "dapt=stop2 bp=160/80"), ["bleeding_or_stopped", "vital_signs"]);
    assert_eq!(alerts("PCI", "D30", "ldl=1.79"), [""; 0]);
    assert_eq!(alerts("PCI", "D30", "ldl=1.8"), ["prevention"]);
}

#[test]
fn mother_and_newborn() {
    assert_eq!(alerts("MATNB", "D7", "selfharm=yes"), [""; 0], "asked only after low mood");
    assert_eq!(alerts("MATNB", "D7", "mood=daily selfharm=yes"), ["mother_emergency", "mood_low"]);
    assert_eq!(alerts("MATNB", "D7", "mood=some selfharm=yes"), [""; 0]);
    assert_eq!(alerts("MATNB", "D7", "baby=fever+cord"), ["baby_emergency", "baby_today"]);
    assert_eq!(alerts("MATNB", "D7", "urine_times=6 temp=37.9"), [""; 0]);
    assert_eq!(alerts("MATNB", "D7", "urine_times=5 temp=38"), ["mother_infection", "baby_today"]);
    assert_eq!(alerts("MATNB", "D28", "d42=no"), ["mother_baby_care"]);
    assert_eq!(alerts("MATNB", "D7", "d42=no"), [""; 0]);
}

#[test]
fn oncology() {
    assert_eq!(alerts("ONCO", "C7", "temp=37.9 cbc=ok"), [""; 0]);
    assert_eq!(alerts("ONCO", "C7", "temp=38"), ["fever_mild"]);
    assert_eq!(
        alerts("ONCO", "C7", "temp=38 cbc=low anc=0.9"),
        ["fever_neutropenia", "treatment_toxicity", "fever_mild"]
    );
    assert_eq!(alerts("ONCO", "C7", "temp=39"), ["fever_neutropenia"]);
    assert_eq!(alerts("ONCO", "C7", "pain=8"), ["treatment_toxicity"]);
    let died = told_at("ONCO", "S1", None, "reach=authorized status=dead_cancer");
    assert_eq!(died.missing, ["death_date"]);
    assert_eq!(alerts("ONCO", "S1", "kps=50"), ["recurrence_care"]);
    assert_eq!(told_at("ONCO", "S1", None, "kps=55").invalid[0].code, "step");
}

#[test]
fn joints_and_fractures() {
    assert_eq!(alerts("ORTHO", "D7", "pe=yes dvt=yes"), ["embolism", "clot_or_infection"]);
    assert_eq!(alerts("ORTHO", "D7", "exercise=0 wound=ooze"), ["recovery_care"]);
    assert_eq!(alerts("ORTHO", "D7", "exercise=1 pe=no dvt=no wound=ok xray=no"), [""; 0]);
    assert_eq!(alerts("ORTHO", "M3", "xray=no wound=pus"), ["recovery_care"]);
}

#[test]
fn copd() {
    assert_eq!(alerts("COPD", "D3", "spo2=88 change=none mmrc=3"), [""; 0]);
    assert_eq!(alerts("COPD", "D3", "spo2=87"), ["respiratory_failure"]);
    assert_eq!(alerts("COPD", "D3", "change=breath"), [""; 0]);
    assert_eq!(alerts("COPD", "D3", "change=breath+sputum mmrc=4"), ["exacerbation", "deterioration"]);
    assert_eq!(alerts("COPD", "D3", "rescue=7"), ["inhaler_care"]);
}

#[test]
fn heart_failure() {
    assert_eq!(alerts("HF", "D7", "weight=70 weight3=68.1"), [""; 0]);
    assert_eq!(alerts("HF", "D7", "weight=70.1 weight3=68.1"), ["fluid_retention"]);
    assert_eq!(alerts("HF", "D7", "weight=70"), [""; 0]);
    assert_eq!(alerts("HF", "D7", "nyha=4 med_adherence=none"), ["acute_failure", "self_care"]);
    assert_eq!(told_at("HF", "D7", None, "weight=66.3 weight3=68.1").values["weight_gain"], -1.8);
}

#[test]
fn satisfaction_scores_leave_out_what_does_not_apply() {
    let form = CONTENT.forms.iter().find(|form| form.form().code == "SAT_OPD").unwrap();
    let score = |points: &[(&str, &str)]| {
        let answers: Answers = points
            .iter()
            .map(|(id, code)| ((*id).to_owned(), AnswerValue::Single((*code).to_owned())))
            .collect();
        form.evaluate(&answers, &FormContext::default())
    };
    let all: Vec<String> = (1..=13).map(|number| format!("o{number}")).collect();
    let mut best: Vec<(&str, &str)> = all.iter().map(|id| (id.as_str(), "5")).collect();
    assert_eq!(score(&best).scores.unwrap().overall, Some(100.0));
    best[9].1 = "0";
    let without_privacy = score(&best).scores.unwrap();
    assert_eq!((without_privacy.overall, without_privacy.sections.get("PRIV")), (Some(100.0), None));
    best[0].1 = "2";
    let spoiled = score(&best);
    assert_eq!(spoiled.alerts[0].code, "bad_experience");
    assert_eq!(spoiled.scores.as_ref().unwrap().sections["REG"], 70.0);
    assert!(score(&best[..7]).scores.unwrap().overall.is_none(), "7 of 13 is too few");
}

#[test]
fn grave_words_in_a_comment_go_to_the_complaints_office() {
    let form = CONTENT.forms.iter().find(|form| form.form().code == "SAT_IPD").unwrap();
    let said = |text: &str| {
        let answers = Answers::from([("i_text".to_owned(), AnswerValue::Text(text.to_owned()))]);
        form.evaluate(&answers, &FormContext::default()).alerts.len()
    };
    assert_eq!((said("医生很好"), said("再不处理我就起诉")), (0, 1));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn the_order_of_answering_changes_nothing(
        order in Just(["reach=self", "general=worse", "bp=185/95", "symptoms=dyspnea+headache", "adr=yes", "hr=48"]).prop_shuffle()
    ) {
        let plan = plan("HTN");
        let mut given = Answers::new();
        let context = FormContext { age: Some(70), ..FormContext::default() };
        for answer in order {
            given.extend(answers(plan, answer));
            plan.form().evaluate(&given, &context);
        }
        let sorted = answers(plan, "adr=yes bp=185/95 general=worse hr=48 reach=self symptoms=dyspnea+headache");
        prop_assert_eq!(plan.form().evaluate(&given, &context), plan.form().evaluate(&sorted, &context));
    }
}
