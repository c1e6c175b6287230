//! One pass over a form at each answer: what to ask, what follows, what is missing.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Serialize;
use ts_rs::TS;

use super::answer::{self, AnswerValue, Answers, InvalidAnswer};
use super::compile::CompiledForm;
use super::expression::{Truth, Values};
use super::model::{Level, Question, QuestionKind};
use super::score::{self, Scores};
use crate::codes::Sex;

/// Decimal places of a calculation that does not say.
const DEFAULT_DECIMALS: u8 = 6;

/// What is known besides the answers. Prints as `***`.
#[derive(Clone, Default)]
pub struct FormContext {
    /// The part of the form in use; none means the whole form.
    pub part: Option<String>,
    /// The timepoint's code without repetition number; none means every question.
    pub timepoint: Option<String>,
    /// Days from the plan's anchor to the call.
    pub days_since_anchor: Option<i64>,
    /// Full years.
    pub age: Option<u16>,
    /// Sex.
    pub sex: Option<Sex>,
    /// Whether the patient is a VIP.
    pub vip: Option<bool>,
    /// LACE score of the stay.
    pub lace: Option<u8>,
}

/// An alert that was raised.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct RaisedAlert {
    /// The rule's code.
    pub code: String,
    /// Urgency.
    pub level: Level,
}

/// What follows from the answers. Prints without what was answered.
#[derive(Clone, Default, PartialEq, Serialize, TS)]
pub struct Evaluation {
    /// Ids of the questions to ask, in order.
    pub visible: Vec<String>,
    /// The question whose answer ended the form early.
    pub ended_by: Option<String>,
    /// Calculated numbers that could be computed.
    pub values: BTreeMap<String, f64>,
    /// The class.
    pub class: Option<String>,
    /// Scores, for forms that have them.
    pub scores: Option<Scores>,
    /// Alerts, most urgent first, each rule at most once.
    pub alerts: Vec<RaisedAlert>,
    /// Ids of required questions without an answer.
    pub missing: Vec<String>,
    /// Answers that do not fit.
    pub invalid: Vec<InvalidAnswer>,
    /// Nothing is missing or invalid.
    pub complete: bool,
}

impl fmt::Debug for FormContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FormContext(***)")
    }
}

impl fmt::Debug for Evaluation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Evaluation")
            .field("visible", &self.visible.len())
            .field("alerts", &self.alerts.len())
            .field("missing", &self.missing)
            .field("complete", &self.complete)
            .finish_non_exhaustive()
    }
}

impl FormContext {
    /// The values that conditions may use besides answers.
    fn values(&self) -> Values {
        let mut values = Values::default();
        set_patient(&mut values, self.age, self.sex, self.vip, self.lace);
        if let Some(days) = self.days_since_anchor.and_then(|days| i32::try_from(days).ok()) {
            values.number("days_since_anchor", f64::from(days));
        }
        values
    }
}

/// Sets what is known of the patient.
pub(crate) fn set_patient(
    values: &mut Values,
    age: Option<u16>,
    sex: Option<Sex>,
    vip: Option<bool>,
    lace: Option<u8>,
) {
    if let Some(age) = age {
        values.number("patient.age", f64::from(age));
    }
    if let Some(sex) = sex {
        let word = match sex {
            Sex::Male => "male",
            Sex::Female => "female",
            Sex::Unknown => "unknown",
            Sex::Unstated => "unstated",
        };
        values.text("patient.sex", word);
    }
    if let Some(vip) = vip {
        values.bool("patient.vip", vip);
    }
    if let Some(lace) = lace {
        values.number("score.lace", f64::from(lace));
    }
}

impl CompiledForm {
    /// Evaluates the answers. Never fails: what does not fit is reported in the result, and
    /// answers of questions that are not visible do not count (but are the caller's to keep).
    pub fn evaluate(&self, answers: &Answers, context: &FormContext) -> Evaluation {
        let mut values = context.values();
        let mut result = Evaluation::default();
        let mut counted: Vec<(&Question, &AnswerValue)> = Vec::new();
        for question in &self.form.questions {
            values.answered(&question.id, false);
        }
        for (index, question) in self.form.questions.iter().enumerate() {
            if !self.is_visible(index, question, context, &values, result.ended_by.as_deref()) {
                continue;
            }
            result.visible.push(question.id.clone());
            let given = answers.get(&question.id).filter(|answer| !answer.is_blank());
            match given.map(|given| (given, answer::check(question, given))) {
                None if question.required && question.kind != QuestionKind::Note => {
                    result.missing.push(question.id.clone());
                }
                None => {}
                Some((_, Err(invalid))) => result.invalid.push(invalid),
                Some((given, Ok(()))) => {
                    set_answer(&mut values, question, given);
                    counted.push((question, given));
                    if result.ended_by.is_none() && ends(question, given) {
                        result.ended_by = Some(question.id.clone());
                    }
                }
            }
        }
        self.conclude(&mut values, &counted, &mut result);
        result.complete = result.missing.is_empty() && result.invalid.is_empty();
        result
    }

    fn is_visible(
        &self,
        index: usize,
        question: &Question,
        context: &FormContext,
        values: &Values,
        ended_by: Option<&str>,
    ) -> bool {
        if !self.is_asked(question, context.part.as_deref(), context.timepoint.as_deref()) {
            return false;
        }
        match self.show_if.get(index).and_then(Option::as_ref) {
            None => ended_by.is_none(),
            Some(condition) => {
                ended_by.is_none_or(|end| condition.names().contains(end))
                    && condition.holds(values) == Truth::True
            }
        }
    }

    /// Calculations, scores, class and alerts, in that order.
    fn conclude(&self, values: &mut Values, counted: &[(&Question, &AnswerValue)], result: &mut Evaluation) {
        for (calculation, expression) in self.form.calculations.iter().zip(&self.calculations) {
            if let Some(number) = expression.compute(values) {
                let number = round(number, calculation.decimals.unwrap_or(DEFAULT_DECIMALS));
                values.number(&calculation.id, number);
                result.values.insert(calculation.id.clone(), number);
            }
        }
        if let Some(lowest) = score::lowest_points(counted) {
            values.number("lowest_points", lowest);
        }
        if let Some(scoring) = &self.form.scoring {
            let visible: BTreeSet<&str> = result.visible.iter().map(String::as_str).collect();
            result.scores = Some(score::scores(&self.form, scoring, &visible, counted));
        }
        let held = self.classes.iter().position(|condition| condition.holds(values) == Truth::True);
        if let Some(rule) = held.and_then(|index| self.form.classes.get(index)) {
            values.text("class", &rule.class);
            result.class = Some(rule.class.clone());
        }
        for index in &self.by_urgency {
            if let (Some(alert), Some(condition)) = (self.form.alerts.get(*index), self.alerts.get(*index))
                && condition.holds(values) == Truth::True
            {
                result.alerts.push(RaisedAlert { code: alert.code.clone(), level: alert.level });
            }
        }
    }
}

/// Rounds away the noise of binary fractions, so that 70.1 − 68.1 reaches a threshold of 2.
fn round(number: f64, decimals: u8) -> f64 {
    let scale = 10f64.powi(i32::from(decimals.min(12)));
    (number * scale).round() / scale
}

fn ends(question: &Question, answer: &AnswerValue) -> bool {
    question.options.iter().filter(|option| option.ends).any(|option| match answer {
        AnswerValue::Single(code) => *code == option.code,
        AnswerValue::Multi(codes) => codes.contains(&option.code),
        _ => false,
    })
}

fn set_answer(values: &mut Values, question: &Question, answer: &AnswerValue) {
    let id = question.id.as_str();
    values.answered(id, true);
    match answer {
        AnswerValue::Single(code) => {
            values.text(id, code);
            if let Some(points) = score::points(question, answer) {
                values.points(id, points);
            }
        }
        AnswerValue::Multi(codes) => values.codes(id, codes),
        AnswerValue::Bool(value) => values.bool(id, *value),
        AnswerValue::Number(number) => values.number(id, *number),
        AnswerValue::Scale(step) => values.number(id, f64::from(*step)),
        AnswerValue::Bp { sbp, dbp } => {
            values.number(&format!("{id}.sbp"), f64::from(*sbp));
            if let Some(dbp) = dbp {
                values.number(&format!("{id}.dbp"), f64::from(*dbp));
            }
        }
        AnswerValue::Date(date) => values.text(id, &date.to_string()),
        AnswerValue::Text(text) => values.text(id, text),
    }
}
