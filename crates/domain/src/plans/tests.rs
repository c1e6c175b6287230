#![allow(clippy::unwrap_used, clippy::expect_used)]
use std::sync::LazyLock;

use chrono::NaiveDate;
use proptest::prelude::*;

use super::*;
use crate::forms::Lang;

static CONTENT: LazyLock<Content> = LazyLock::new(|| Content::shipped().expect("shipped content"));

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn plan(code: &str) -> &'static CompiledPlan {
    CONTENT.plans.iter().find(|plan| plan.plan().code == code).expect(code)
}

fn discharge(icd: &str, department: &str) -> Discharge {
    let principal_icd = (!icd.is_empty()).then(|| icd.to_owned());
    Discharge { principal_icd, department: department.to_owned(), ..Discharge::on(day("2026-03-02")) }
}

fn choose(discharge: &Discharge, running: &[RunningPlan]) -> Choice {
    select_plan(&CONTENT.plans, &CONTENT.exclude, discharge, &PatientFacts::default(), running)
}

fn code(choice: &Choice) -> &str {
    match choice {
        Choice::Start { plan, .. } | Choice::Merge { plan, .. } => &plan.code,
        Choice::None(none) => &none.code,
    }
}

#[test]
fn the_shipped_content_has_no_mistakes() {
    let problems = Content::shipped().err().unwrap_or_default();
    assert!(problems.is_empty(), "{problems:#?}");
    assert_eq!((CONTENT.plans.len(), CONTENT.forms.len()), (11, 3));
}

#[test]
fn every_shipped_text_is_in_both_languages() {
    fn walk(path: &str, value: &serde_json::Value, bare: &mut Vec<String>) {
        match value {
            serde_json::Value::Object(map) => {
                if let (Some(zh), Some(en)) = (map.get("zh"), map.get("en"))
                    && (zh == "") != (en == "")
                {
                    bare.push(path.to_owned());
                }
                map.iter().for_each(|(key, value)| walk(&format!("{path}.{key}"), value, bare));
            }
            serde_json::Value::Array(list) => {
                list.iter()
                    .enumerate()
                    .for_each(|(index, value)| walk(&format!("{path}.{index}"), value, bare));
            }
            _ => {}
        }
    }
    let mut bare = Vec::new();
    for plan in &CONTENT.plans {
        walk(&plan.plan().code, &serde_json::to_value(plan.plan()).unwrap(), &mut bare);
        assert_ne!(plan.plan().name.get(Lang::Zh), plan.plan().name.get(Lang::En));
    }
    walk("reasons", &serde_json::to_value(&CONTENT.failure_reasons).unwrap(), &mut bare);
    walk("routing", &serde_json::to_value(&CONTENT.routing).unwrap(), &mut bare);
    for form in &CONTENT.forms {
        walk(&form.form().code, &serde_json::to_value(form.form()).unwrap(), &mut bare);
    }
    assert!(bare.is_empty(), "{bare:?}");
}

#[test]
fn a_sensitive_plan_says_nothing_of_the_disease_to_the_phone() {
    let onco = plan("ONCO").plan();
    assert!(onco.sensitive);
    for text in [&onco.script.opening, &onco.script.busy, &onco.script.closing] {
        for word in ["肿瘤", "癌", "化疗", "放疗"] {
            assert!(!text.zh.contains(word));
        }
    }
}

#[test]
fn the_longest_diagnosis_prefix_wins() {
    for (icd, department, expected) in [
        ("I10.x00x002", "心血管内科", "HTN"),
        ("i10", "", "HTN"),
        ("I11.900", "", "HTN"),
        ("I11.000", "", "HF"),
        ("I11000", "", "HF"),
        ("I50.9", "", "HF"),
        ("E11.900x001", "", "DM2"),
        ("K80.2", "", "GSURG"),
        ("I63.9", "", "STROKE"),
        ("I25.1", "", "PCI"),
        ("O82.1", "", "MATNB"),
        ("C34.1", "", "ONCO"),
        ("Z96.600", "", "ORTHO"),
        ("J44.1", "", "COPD"),
        ("I48.0", "心血管内科一病区", "GEN"),
        ("N20.0", "泌尿外科", "GEN"),
        ("", "呼吸与危重症医学科", "COPD"),
        ("", "心血管内科", "GEN"),
        (" - ", "", "GEN"),
    ] {
        assert_eq!(code(&choose(&discharge(icd, department), &[])), expected, "{icd} {department}");
    }
    let Choice::Start { plan, .. } = choose(&discharge("I11.000", ""), &[]) else { panic!() };
    assert_eq!(plan.matched, MatchedBy::Diagnosis { prefix: "I11.0".to_owned() });
}

#[test]
fn the_department_decides_between_equal_prefixes() {
    let mut cardio = plan("HTN").plan().clone();
    cardio.code = "AAA".to_owned();
    cardio.departments = vec!["肾内科".to_owned()];
    let compile = |plan: Plan| CompiledPlan::new(plan, &CONTENT.routing, &CONTENT.variables).unwrap();
    let mut htn = plan("HTN").plan().clone();
    htn.departments = vec!["心血管内科".to_owned()];
    let plans = [compile(cardio), compile(htn)];
    let pick =
        |department| select_plan(&plans, &[], &discharge("I10", department), &PatientFacts::default(), &[]);
    assert_eq!(code(&pick("心血管内科")), "HTN");
    assert_eq!(code(&pick("肾内科二病区")), "AAA");
    assert_eq!(code(&pick("外科")), "AAA");
    let other = select_plan(&plans, &[], &discharge("Z00", ""), &PatientFacts::default(), &[]);
    assert_eq!(code(&other), "no_plan");
}

#[test]
fn exclusions_hold_and_say_why() {
    let with = |change: &dyn Fn(&mut Discharge, &mut PatientFacts)| {
        let (mut discharge, mut patient) = (discharge("O80", "产科"), PatientFacts::default());
        change(&mut discharge, &mut patient);
        let choice = select_plan(&CONTENT.plans, &CONTENT.exclude, &discharge, &patient, &[]);
        code(&choice).to_owned()
    };
    assert_eq!(with(&|_, _| {}), "MATNB");
    assert_eq!(with(&|discharge, _| discharge.leave_mode = Some("1".to_owned())), "MATNB");
    assert_eq!(with(&|discharge, _| discharge.leave_mode = Some("5".to_owned())), "death_disposition");
    assert_eq!(with(&|_, patient| patient.deceased = true), "deceased");
    assert_eq!(with(&|_, patient| patient.optout = Optout::All), "refused_all");
    assert_eq!(with(&|_, patient| patient.optout = Optout::Phone), "refused_phone");
    assert_eq!(with(&|_, patient| patient.is_test = true), "test_or_unknown");
    assert_eq!(with(&|_, patient| patient.is_unknown = true), "test_or_unknown");
    assert_eq!(with(&|discharge, _| discharge.other_icd = vec!["Z37.100".to_owned()]), "bereavement");
    assert_eq!(with(&|discharge, _| discharge.other_icd = vec!["Z37.000".to_owned()]), "MATNB");
    assert_eq!(with(&|discharge, _| discharge.baby_deceased = Some(true)), "bereavement");
}

#[test]
fn coming_back_to_hospital_restarts_merges_or_changes_nothing() {
    let running = |code: &str, on: &str| RunningPlan {
        id: "e1".into(),
        plan_code: code.into(),
        discharged_on: day(on),
    };
    let ended = |choice: Choice| match choice {
        Choice::Start { ends, .. } => ends.into_iter().map(|end| end.reason).collect(),
        _ => Vec::new(),
    };
    let copd = discharge("J44", "");
    assert_eq!(ended(choose(&copd, &[running("COPD", "2026-02-01")])), [SupersedeReason::Readmitted]);
    assert_eq!(code(&choose(&copd, &[running("COPD", "2026-03-02")])), "same_plan_active");
    assert_eq!(code(&choose(&copd, &[running("COPD", "2026-04-01")])), "older_discharge");
    assert_eq!(ended(choose(&copd, &[running("GEN", "2026-02-01")])), [SupersedeReason::MoreSpecific]);
    assert_eq!(ended(choose(&copd, &[running("HTN", "2026-02-01")])), []);
    assert_eq!(ended(choose(&discharge("N20", ""), &[running("COPD", "2026-02-01")])), []);
    let chemo = choose(&discharge("C50", ""), &[running("ONCO", "2026-02-01")]);
    assert!(matches!(chemo, Choice::Merge { ref into, .. } if into == "e1"));
}

fn tasks(code: &str, discharge: &Discharge, today: &str) -> Vec<TaskDraft> {
    schedule(plan(code), discharge, &PatientFacts::default(), day(today), ScheduleScope::Whole)
}

fn dates(drafts: &[TaskDraft]) -> Vec<String> {
    drafts.iter().map(|draft| format!("{} {}", draft.label, draft.due_on)).collect()
}

#[test]
fn a_discharge_becomes_dated_tasks() {
    let drafts = tasks("HTN", &discharge("I10", ""), "2026-03-03");
    assert_eq!(
        dates(&drafts),
        [
            "D7 2026-03-09",
            "D14 2026-03-16",
            "D30 2026-04-01",
            "Q1 2026-05-31",
            "Q2 2026-08-29",
            "Q3 2026-11-27",
            "Q4 2027-02-25"
        ]
    );
    let first = &drafts[0];
    assert_eq!((first.window_starts_on, first.window_ends_on), (day("2026-03-07"), day("2026-03-12")));
    assert_eq!(
        (first.fallback, first.owner.as_str(), first.anchor_assumed),
        (Some(Channel::SmsForm), "center", false)
    );
    assert_eq!(first.condition, TaskCondition::Now);
    assert_eq!(drafts[1].condition, TaskCondition::Waiting);
}

#[test]
fn the_second_call_depends_on_the_first() {
    let after = |last| decide(plan("HTN"), "D14", &discharge("I10", ""), &PatientFacts::default(), &last);
    let class = |word: &str| LastResponse::Given { class: Some(word.to_owned()) };
    assert_eq!(after(LastResponse::Pending), TaskCondition::Waiting);
    assert_eq!(after(class("controlled")), TaskCondition::Skip { reason: SkipReason::ConditionFalse });
    assert_eq!(after(class("uncontrolled")), TaskCondition::Now);
    assert_eq!(
        after(LastResponse::Given { class: None }),
        TaskCondition::Now,
        "no reading is no reason to look away"
    );
    assert_eq!(after(LastResponse::Missing), TaskCondition::Now);
}

#[test]
fn risk_adds_calls_where_it_is_known() {
    let at = |lace, vip| {
        let discharge = Discharge { lace, ..discharge("N20", "") };
        let patient = PatientFacts { vip, ..PatientFacts::default() };
        schedule(plan("GEN"), &discharge, &patient, day("2026-03-03"), ScheduleScope::Whole)[1]
            .condition
            .clone()
    };
    assert_eq!(at(Some(10), None), TaskCondition::Now);
    assert_eq!(at(None, Some(true)), TaskCondition::Now);
    assert_eq!(at(Some(9), Some(false)), TaskCondition::Skip { reason: SkipReason::ConditionFalse });
    assert_eq!(at(Some(9), None), TaskCondition::Skip { reason: SkipReason::ConditionUnknown });
}

#[test]
fn anchors_count_from_their_own_day_or_say_that_they_do_not() {
    let known = Discharge { surgery_on: Some(day("2026-02-27")), ..discharge("K80", "") };
    let drafts = tasks("GSURG", &known, "2026-03-03");
    assert_eq!(dates(&drafts), ["D3 2026-03-05", "D7 2026-03-06", "D30 2026-03-29"]);
    assert!(drafts.iter().all(|draft| !draft.anchor_assumed));
    let unknown = tasks("GSURG", &discharge("K80", ""), "2026-03-03");
    assert_eq!(dates(&unknown), ["D3 2026-03-05", "D7 2026-03-09", "D30 2026-04-01"]);
    assert_eq!(unknown.iter().map(|draft| draft.anchor_assumed).collect::<Vec<_>>(), [false, true, true]);
    let long_stay = Discharge { surgery_on: Some(day("2026-02-22")), ..discharge("K80", "") };
    let drafts = tasks("GSURG", &long_stay, "2026-03-03");
    assert_eq!(
        dates(&drafts)[0],
        "D7 2026-03-03",
        "due on the last day in hospital: the first day at home instead"
    );
    let longer = Discharge { surgery_on: Some(day("2026-02-01")), ..discharge("K80", "") };
    let seventh =
        tasks("GSURG", &longer, "2026-03-03").into_iter().find(|draft| draft.label == "D7").unwrap();
    assert_eq!(seventh.condition, TaskCondition::Skip { reason: SkipReason::BeforeDischarge });
    let typo = Discharge { surgery_on: Some(day("2027-02-27")), ..discharge("K80", "") };
    assert!(tasks("GSURG", &typo, "2026-03-03")[1].anchor_assumed);
}

#[test]
fn discharges_imported_late_make_no_overdue_tasks() {
    let drafts = tasks("HTN", &discharge("I10", ""), "2026-09-01");
    let skipped = TaskCondition::Skip { reason: SkipReason::WindowPassed };
    let passed: Vec<_> =
        drafts.iter().filter(|draft| draft.condition == skipped).map(|draft| draft.label.as_str()).collect();
    assert_eq!(passed, ["D7", "D14", "D30"]);
    let rest: Vec<_> =
        drafts.iter().filter(|draft| draft.condition != skipped).map(|draft| draft.label.as_str()).collect();
    assert_eq!(rest, ["Q2", "Q3", "Q4"]);
}

#[test]
fn a_lifelong_plan_makes_only_the_next_few_tasks() {
    let drafts = tasks("ONCO", &discharge("C50", ""), "2026-03-03");
    let labels: Vec<_> = drafts.iter().map(|draft| draft.label.as_str()).collect();
    assert_eq!(labels.len(), 2 + 4 * 3, "{labels:?}");
    assert!(labels.contains(&"S1-4") && !labels.contains(&"S1-5"));
    let next = next_occurrence(
        plan("ONCO"),
        "S1",
        4,
        &discharge("C50", ""),
        &PatientFacts::default(),
        day("2027-03-03"),
    )
    .unwrap();
    assert_eq!((next.label.as_str(), next.occurrence), ("S1-5", 5));
    let last = next_occurrence(
        plan("ONCO"),
        "S1",
        8,
        &discharge("C50", ""),
        &PatientFacts::default(),
        day("2027-03-03"),
    );
    assert!(last.is_none());
}

#[test]
fn a_further_course_adds_only_its_own_calls() {
    let course = Discharge { chemo_ended_on: Some(day("2026-03-01")), ..discharge("C50", "") };
    let drafts =
        schedule(plan("ONCO"), &course, &PatientFacts::default(), day("2026-03-03"), ScheduleScope::Episode);
    assert_eq!(dates(&drafts), ["C3 2026-03-04", "C7 2026-03-08"]);
    assert!(drafts.iter().all(|draft| draft.condition == TaskCondition::Now));
}

#[test]
fn editing_a_plan_does_not_touch_tasks_already_made() {
    let before = tasks("HTN", &discharge("I10", ""), "2026-03-03");
    let mut edited = plan("HTN").plan().clone();
    edited.version += 1;
    edited.timepoints[0].offset_days = 10;
    let edited = CompiledPlan::new(edited, &CONTENT.routing, &CONTENT.variables).unwrap();
    assert_eq!(edited.form().form().version, 2);
    let after = schedule(
        &edited,
        &discharge("I10", ""),
        &PatientFacts::default(),
        day("2026-03-03"),
        ScheduleScope::Whole,
    );
    assert_ne!(before[0].due_on, after[0].due_on);
    assert_eq!(before, tasks("HTN", &discharge("I10", ""), "2026-03-03"));
}

#[test]
fn an_edited_plan_is_checked_field_by_field() {
    let mut broken = plan("HTN").plan().clone();
    broken.code = "高血压".to_owned();
    broken.icd10.push("10I".to_owned());
    broken.timepoints[1].only_if = Some("last.class == 'cured'".to_owned());
    broken.timepoints[2].code = "D7".to_owned();
    broken.timepoints[3].owner = "nobody".to_owned();
    broken.timepoints[0].window_before = 9;
    broken.script.opening.zh = "{{patient.phone}}".to_owned();
    broken.form.alerts[0].when = "bp.sbp >= 180 || selfharm".to_owned();
    broken.form.alerts[1].route = "moon".to_owned();
    broken.form.questions[4].at = vec!["D99".to_owned()];
    let problems = CompiledPlan::new(broken, &CONTENT.routing, &CONTENT.variables).unwrap_err();
    let mut paths: Vec<_> =
        problems.iter().map(|problem| format!("{} {}", problem.path, problem.code)).collect();
    paths.sort();
    assert_eq!(
        paths,
        [
            "code bad_code",
            "form.alerts.0.when expr_unknown_name",
            "form.alerts.1.route unknown_route",
            "form.questions.4.at unknown_timepoint",
            "icd10.5 bad_icd10",
            "script.opening unknown_variable",
            "timepoints.0.window_before window_before_anchor",
            "timepoints.1.only_if expr_unknown_option",
            "timepoints.2.code duplicate",
            "timepoints.3.owner unknown_owner",
        ]
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn windows_hold_their_due_day_and_tasks_come_in_order(
        offset in -2000_i64..2000, stay in 0_i64..400, index in 0_usize..11, today in -100_i64..800
    ) {
        let base = day("2026-03-02");
        let shifted = |days| base + chrono::Duration::days(days);
        let discharge = Discharge {
            surgery_on: Some(shifted(offset - stay)),
            delivery_on: Some(shifted(offset - stay)),
            chemo_ended_on: Some(shifted(offset)),
            ..Discharge::on(shifted(offset))
        };
        let plan = &CONTENT.plans[index];
        let drafts = schedule(plan, &discharge, &PatientFacts::default(), shifted(offset + today), ScheduleScope::Whole);
        prop_assert!(drafts.is_sorted_by_key(|draft| draft.due_on));
        for draft in drafts {
            prop_assert!(draft.window_starts_on <= draft.due_on && draft.due_on <= draft.window_ends_on);
            let skipped = matches!(draft.condition, TaskCondition::Skip { .. });
            prop_assert!(skipped || draft.due_on > discharge.discharged_on);
        }
    }
}
