#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::forms::{AnswerValue, Answers, CompiledForm, Form, FormContext};
use crate::plans::Content;

fn shipped(code: &str) -> Form {
    let content = Content::shipped().unwrap();
    content.forms.iter().find(|form| form.form().code == code).unwrap().form().clone()
}

fn evaluated(form: &Form, answers: &Answers) -> SheetScore {
    let compiled = CompiledForm::new(form.clone()).unwrap();
    let visible = compiled.evaluate(answers, &FormContext::default()).visible;
    score(form, &visible, answers)
}

fn items(form: &Form) -> Vec<String> {
    form.questions.iter().filter(|q| role(q) == Role::Item).map(|q| q.id.clone()).collect()
}

fn all_answered(form: &Form, code: &str) -> Answers {
    items(form).into_iter().map(|id| (id, AnswerValue::Single(code.to_owned()))).collect()
}

const RULE: ValidityRule = ValidityRule { min_answered_percent: 60, reject_same: true, min_seconds: 40 };

#[test]
fn the_whole_is_weighted_and_what_does_not_apply_leaves_the_weights() {
    let form = shipped("SAT_OPD");
    let mut answers = all_answered(&form, "4");
    // Doctors (25 of 100) very good, costs (10) do not apply.
    for id in ["o3", "o4", "o5"] {
        answers.insert(id.into(), AnswerValue::Single("5".into()));
    }
    answers.insert("o13".into(), AnswerValue::Single("0".into()));
    answers.insert("o_overall".into(), AnswerValue::Single("4".into()));
    answers.insert("o_nps".into(), AnswerValue::Scale(9));
    answers.insert("o_return".into(), AnswerValue::Single("yes".into()));
    let sheet = evaluated(&form, &answers);
    // (25 × 5 + 65 × 4) / 90
    assert_eq!(sheet.points, Some(42_778));
    assert!((Scale::Times20.score_100(4.2778) - 85.556).abs() < 1e-9);
    assert!((Scale::LessOneTimes25.score_100(4.2778) - 81.945).abs() < 1e-9);
    let costs = sheet.dimensions.iter().find(|d| d.code == "COST").unwrap();
    assert_eq!((costs.points, costs.rated), (None, 0));
    assert_eq!((sheet.nps, sheet.overall, sheet.come_back.as_deref()), (Some(9), Some(4), Some("yes")));
    assert_eq!((sheet.asked, sheet.answered, sheet.lowest), (13, 13, Some(4)));
    assert_eq!(validity(&sheet, Some(120), RULE), None);
}

#[test]
fn a_gated_dimension_is_not_asked_and_costs_nothing() {
    let form = shipped("SAT_IPD");
    let mut answers = all_answered(&form, "3");
    answers.insert("i1".into(), AnswerValue::Single("4".into()));
    answers.insert("i8g".into(), AnswerValue::Bool(false));
    answers.insert("i9g".into(), AnswerValue::Bool(true));
    answers.insert("i16g".into(), AnswerValue::Bool(false));
    let sheet = evaluated(&form, &answers);
    let codes: Vec<&str> = sheet.dimensions.iter().map(|d| d.code.as_str()).collect();
    assert!(!codes.contains(&"PAIN") && !codes.contains(&"FOOD") && codes.contains(&"MED"));
}

#[test]
fn a_sheet_counts_when_enough_is_answered_variedly_and_not_in_haste() {
    let form = shipped("SAT_OPD");
    let same = evaluated(&form, &all_answered(&form, "5"));
    assert_eq!(validity(&same, Some(120), RULE), Some(Invalid::AllSame));
    assert_eq!(validity(&same, Some(120), ValidityRule { reject_same: false, ..RULE }), None);

    let mut varied = all_answered(&form, "5");
    varied.insert("o1".into(), AnswerValue::Single("3".into()));
    let sheet = evaluated(&form, &varied);
    assert_eq!(validity(&sheet, Some(39), RULE), Some(Invalid::TooFast));
    assert_eq!(validity(&sheet, Some(40), RULE), None);
    assert_eq!(validity(&sheet, None, RULE), None, "nobody measured a paper sheet");
    assert_eq!(validity(&sheet, Some(1), ValidityRule { min_seconds: 0, ..RULE }), None);

    // 7 of 13 are less than 60 %, 8 are not.
    let few: Answers = varied.clone().into_iter().take(7).collect();
    assert_eq!(validity(&evaluated(&form, &few), None, RULE), Some(Invalid::TooFew));
    let enough: Answers = varied.into_iter().take(8).collect();
    assert_eq!(validity(&evaluated(&form, &enough), None, RULE), None);
    assert_eq!(validity(&SheetScore::default(), None, RULE), Some(Invalid::TooFew), "an empty sheet");
}

fn near(value: f64, expected: f64, by: f64) {
    assert!((value - expected).abs() <= by, "{value} is not {expected}");
}

/// Values of published tables, and of the formulas worked by hand.
#[test]
fn intervals_agree_with_tables() {
    for (freedom, expected) in
        [(1, 12.7062), (2, 4.3027), (3, 3.1824), (5, 2.5706), (10, 2.2281), (29, 2.0452), (120, 1.9799)]
    {
        near(student_t(freedom), expected, 2e-3);
    }
    // Wilson, 81 of 263: 0.2553–0.3662 (Newcombe, Statistics in Medicine 17 (1998) 857–872, table I).
    let rate = wilson(81, 263).unwrap();
    near(rate.low, 25.53, 0.01);
    near(rate.high, 36.62, 0.01);
    let none = wilson(0, 20).unwrap();
    near(none.low, 0.0, 1e-9);
    near(none.high, 16.11, 0.01);
    // 2, 4, 4, 6: mean 4, s 1.633, t(3) 3.1824.
    let mean = mean_interval(4, 16, 72, 0.0, 10.0).unwrap();
    near(mean.value, 4.0, 1e-12);
    near(mean.low, 4.0 - 3.1824 * 1.632_993 / 2.0, 2e-3);
    // 60 promoters, 10 detractors of 100.
    let nps = nps_interval(60, 10, 100).unwrap();
    near(nps.value, 50.0, 1e-9);
    near(nps.high - nps.low, 2.0 * 1.96 * 100.0 * 0.0661, 1.0);
    assert!(
        wilson(0, 0).is_none()
            && mean_interval(0, 0, 0, 1.0, 5.0).is_none()
            && nps_interval(0, 0, 0).is_none()
    );
}

#[test]
fn loyalty_needs_all_its_parts() {
    let weights = LoyaltyWeights::default();
    near(
        loyalty(Some(50.0), Some(80.0), Some(60.0), weights).unwrap(),
        0.4 * 75.0 + 0.3 * 80.0 + 0.3 * 60.0,
        1e-9,
    );
    assert_eq!(loyalty(Some(50.0), Some(80.0), None, weights), None);
    let without = LoyaltyWeights { retained: 0, ..weights };
    near(loyalty(Some(50.0), Some(80.0), None, without).unwrap(), (40.0 * 75.0 + 30.0 * 80.0) / 70.0, 1e-9);
}

fn candidates() -> impl Strategy<Value = Vec<Candidate>> {
    let one = (0_u128..2000, 0_u128..150, 0_u8..4, 0_u8..20, 0_u16..90).prop_map(
        |(id, patient, department, odd, age)| Candidate {
            encounter_id: Uuid::from_u128(id + 1),
            patient_id: Uuid::from_u128(patient + 10_000),
            department: format!("科{department}"),
            deceased: odd == 1,
            refused: odd == 2,
            not_a_person: odd == 3,
            staff: odd == 4,
            age: Some(age),
            phone: odd != 5,
            guardian_phone: odd % 2 == 0,
            surveyed_lately: odd == 6,
        },
    );
    prop::collection::vec(one, 0..120).prop_map(|mut list| {
        list.sort_by_key(|candidate| candidate.encounter_id);
        list.dedup_by_key(|candidate| candidate.encounter_id);
        list
    })
}

proptest! {
    #[test]
    fn a_draw_is_fair_to_its_rules(list in candidates(), per in 1_usize..8, seed in any::<u64>()) {
        let (drawn, left_out) = draw(&list, Some(per), seed);
        let mut by_department: BTreeMap<&str, usize> = BTreeMap::new();
        let mut people = BTreeSet::new();
        for candidate in &drawn {
            prop_assert_eq!(exclusion(candidate), None);
            prop_assert!(people.insert(candidate.patient_id), "asked twice");
            *by_department.entry(&candidate.department).or_default() += 1;
        }
        prop_assert!(by_department.values().all(|count| *count <= per));
        // Whoever is left out has a reason; the rest of the frame is drawn when there is room.
        let (all, same) = draw(&list, None, seed);
        prop_assert_eq!(&same, &left_out);
        prop_assert_eq!(all.len() + left_out.values().sum::<usize>(), list.len());
        for candidate in &drawn {
            prop_assert!(all.contains(candidate));
        }
    }

    #[test]
    fn a_draw_depends_on_its_seed_and_not_on_the_order(list in candidates(), seed in any::<u64>()) {
        let mut turned = list.clone();
        turned.reverse();
        let ids = |list: &[&Candidate]| list.iter().map(|c| c.encounter_id).collect::<Vec<_>>();
        prop_assert_eq!(ids(&draw(&list, Some(3), seed).0), ids(&draw(&turned, Some(3), seed).0));
    }

    #[test]
    fn scores_stay_between_the_worst_and_the_best(codes in prop::collection::vec(0_u8..=5, 13)) {
        let form = shipped("SAT_OPD");
        let answers: Answers = items(&form)
            .into_iter()
            .zip(&codes)
            .map(|(id, code)| (id, AnswerValue::Single(code.to_string())))
            .collect();
        let sheet = evaluated(&form, &answers);
        let given: Vec<i64> = codes.iter().filter(|code| **code > 0).map(|code| i64::from(*code)).collect();
        prop_assert_eq!(sheet.points.is_some(), !given.is_empty());
        if let (Some(points), Some(least), Some(most)) = (sheet.points, given.iter().min(), given.iter().max()) {
            prop_assert!((least * POINT..=most * POINT).contains(&points));
            prop_assert_eq!(sheet.lowest, Some(*least));
        }
        let rated: u32 = sheet.dimensions.iter().map(|d| d.rated).sum();
        prop_assert_eq!(rated as usize, given.len());
    }

    #[test]
    fn intervals_hold_their_figure_and_narrow_with_more_cases(hits in 0_i64..50, more in 0_i64..50) {
        let of = (hits + more).max(1);
        let (few, many) = (wilson(hits, of).unwrap(), wilson(hits * 20, of * 20).unwrap());
        for rate in [few, many] {
            prop_assert!(0.0 <= rate.low && rate.low <= rate.value && rate.value <= rate.high && rate.high <= 100.0);
        }
        prop_assert!(many.high - many.low < few.high - few.low);
        let nps = nps_interval(hits.min(of), of - hits.min(of), of).unwrap();
        prop_assert!(-100.0 <= nps.low && nps.low <= nps.value && nps.value <= nps.high && nps.high <= 100.0);
    }

    #[test]
    fn sums_give_the_mean_of_the_sheets_in_any_order(points in prop::collection::vec(10_000_i64..=50_000, 1..60), cut in 0_usize..60) {
        let one = |points: &i64| Measures {
            sheets: 1, valid: 1, scored: 1, points: *points, squares: points * points, ..Measures::default()
        };
        let sum = |list: &[i64]| list.iter().fold(Measures::default(), |mut all, points| { all.add(&one(points)); all });
        let whole = sum(&points);
        let cut = cut.min(points.len());
        let mut parts = sum(&points[cut..]);
        parts.add(&sum(&points[..cut]));
        prop_assert_eq!(whole, parts);
        #[allow(clippy::cast_precision_loss)]
        let mean = points.iter().sum::<i64>() as f64 / points.len() as f64 / POINT as f64;
        let score = whole.score(Scale::Times20).unwrap();
        prop_assert!((score.value - mean * 20.0).abs() < 1e-9);
        prop_assert!(20.0 - 1e-9 <= score.low && score.low <= score.value + 1e-9 && score.high <= 100.0 + 1e-9);
        let other = whole.score(Scale::LessOneTimes25).unwrap();
        prop_assert!((other.value - (mean - 1.0) * 25.0).abs() < 1e-9);
    }
}
