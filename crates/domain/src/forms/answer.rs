//! Answers and whether they fit their questions.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::model::{NumberRange, Question, QuestionKind};

/// The longest free text, in characters.
const MAX_TEXT: usize = 4000;

/// An answer. It prints as `***`: what a patient said never reaches a log by accident.
#[derive(Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "type", content = "value", rename_all = "snake_case")]
pub enum AnswerValue {
    /// The chosen option's code.
    Single(String),
    /// The chosen options' codes.
    Multi(Vec<String>),
    /// Yes or no.
    Bool(bool),
    /// A number in the question's unit.
    Number(f64),
    /// Blood pressure in mmHg; people often remember only the upper one.
    Bp {
        /// Systolic.
        sbp: i32,
        /// Diastolic.
        dbp: Option<i32>,
    },
    /// A calendar date.
    Date(#[ts(type = "string")] NaiveDate),
    /// Free text.
    Text(String),
    /// A step of a scale.
    Scale(i32),
}

impl fmt::Debug for AnswerValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl AnswerValue {
    /// Whether there is nothing in it: no option chosen, blank text.
    pub fn is_blank(&self) -> bool {
        match self {
            Self::Single(code) => code.is_empty(),
            Self::Multi(codes) => codes.is_empty(),
            Self::Text(text) => text.trim().is_empty(),
            _ => false,
        }
    }
}

/// Question id → answer.
pub type Answers = BTreeMap<String, AnswerValue>;

/// An answer that does not fit its question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct InvalidAnswer {
    /// Question id.
    pub question: String,
    /// A stable word with a message in `forms.json` (`answer.<code>`).
    pub code: String,
    /// Limits for the message; never what was answered.
    pub params: Vec<(String, String)>,
}

/// Every code of an invalid answer; each has a message in `forms.json`.
pub const ANSWER_CODES: &[&str] = &[
    "unknown_option",
    "exclusive",
    "chosen_twice",
    "too_many",
    "too_small",
    "too_large",
    "decimals",
    "step",
    "bp_order",
    "too_long",
    "wrong_type",
];

type Fault = (&'static str, Vec<(String, String)>);

fn fault<T>(code: &'static str) -> Result<T, Fault> {
    Err((code, Vec::new()))
}

fn limit<T>(code: &'static str, name: &str, value: impl ToString) -> Result<T, Fault> {
    Err((code, vec![(name.to_owned(), value.to_string())]))
}

/// Whether `answer` fits `question`.
pub(super) fn check(question: &Question, answer: &AnswerValue) -> Result<(), InvalidAnswer> {
    fits(question, answer).map_err(|(code, params)| {
        debug_assert!(ANSWER_CODES.contains(&code), "{code} has no message");
        InvalidAnswer { question: question.id.clone(), code: code.to_owned(), params }
    })
}

fn fits(question: &Question, answer: &AnswerValue) -> Result<(), Fault> {
    match (question.kind, answer) {
        (QuestionKind::Single, AnswerValue::Single(code)) => known_option(question, code),
        (QuestionKind::Multi, AnswerValue::Multi(codes)) => options_fit(question, codes),
        (QuestionKind::Bool, AnswerValue::Bool(_)) | (QuestionKind::Date, AnswerValue::Date(_)) => Ok(()),
        (QuestionKind::Number, AnswerValue::Number(number)) => number_fits(&question.range, *number),
        (QuestionKind::Scale, AnswerValue::Scale(step)) => number_fits(&question.range, f64::from(*step)),
        (QuestionKind::Bp, AnswerValue::Bp { sbp, dbp }) => {
            number_fits(&question.range, f64::from(*sbp))?;
            match dbp {
                None => Ok(()),
                Some(dbp) if dbp >= sbp => fault("bp_order"),
                Some(dbp) => number_fits(&question.range, f64::from(*dbp)),
            }
        }
        (QuestionKind::Text, AnswerValue::Text(text)) if text.chars().count() > MAX_TEXT => {
            limit("too_long", "max", MAX_TEXT)
        }
        (QuestionKind::Text, AnswerValue::Text(_)) => Ok(()),
        _ => fault("wrong_type"),
    }
}

fn known_option(question: &Question, code: &str) -> Result<(), Fault> {
    if question.options.iter().any(|option| option.code == code) { Ok(()) } else { fault("unknown_option") }
}

fn options_fit(question: &Question, codes: &[String]) -> Result<(), Fault> {
    for code in codes {
        known_option(question, code)?;
    }
    if codes.iter().collect::<BTreeSet<_>>().len() != codes.len() {
        return fault("chosen_twice");
    }
    let exclusive = question.options.iter().any(|option| option.exclusive && codes.contains(&option.code));
    if exclusive && codes.len() > 1 {
        return fault("exclusive");
    }
    match question.max_select {
        Some(max) if codes.len() > usize::from(max) => limit("too_many", "max", max),
        _ => Ok(()),
    }
}

fn number_fits(range: &NumberRange, number: f64) -> Result<(), Fault> {
    if !number.is_finite() {
        return fault("wrong_type");
    }
    if let Some(min) = range.min.filter(|min| number < *min) {
        return limit("too_small", "min", min);
    }
    if let Some(max) = range.max.filter(|max| number > *max) {
        return limit("too_large", "max", max);
    }
    let decimals = range.decimals.unwrap_or(0);
    if !is_whole(number * 10f64.powi(i32::from(decimals))) {
        return limit("decimals", "decimals", decimals);
    }
    match range.step {
        Some(step) if step > 0.0 && !is_whole((number - range.min.unwrap_or(0.0)) / step) => {
            limit("step", "step", step)
        }
        _ => Ok(()),
    }
}

/// Whole but for the noise of binary fractions (36.6 × 10).
fn is_whole(number: f64) -> bool {
    (number - number.round()).abs() <= 1e-6 * number.abs().max(1.0)
}
