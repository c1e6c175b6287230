//! Scores from options' points, by section and overall.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use ts_rs::TS;

use super::answer::AnswerValue;
use super::model::{Form, Question, Scoring};

/// Scores of a response.
#[derive(Debug, Clone, Default, PartialEq, Serialize, TS)]
pub struct Scores {
    /// Section code → mean of its answered questions. Sections where everything "does not apply" are absent.
    pub sections: BTreeMap<String, f64>,
    /// Weighted mean of the sections that have a score, their weights summing to one again;
    /// none when too few questions were answered.
    pub overall: Option<f64>,
    /// Scored questions that were asked.
    pub asked: usize,
    /// Of these, answered (also with "does not apply").
    pub answered: usize,
}

/// The points of the chosen option.
pub(super) fn points(question: &Question, answer: &AnswerValue) -> Option<f64> {
    let AnswerValue::Single(code) = answer else { return None };
    question.options.iter().find(|option| option.code == *code).and_then(|option| option.points)
}

/// The lowest points anywhere: one bad experience matters even when the mean is good.
pub(super) fn lowest_points(counted: &[(&Question, &AnswerValue)]) -> Option<f64> {
    counted.iter().filter_map(|(question, answer)| points(question, answer)).reduce(f64::min)
}

fn is_scored(question: &Question) -> bool {
    question.section.is_some() && question.options.iter().any(|option| option.points.is_some())
}

fn mean(values: &[f64]) -> Option<f64> {
    #[allow(clippy::cast_precision_loss, reason = "a form has at most 200 questions")]
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// Scores of the sections and overall.
pub(super) fn scores(
    form: &Form,
    scoring: &Scoring,
    visible: &BTreeSet<&str>,
    counted: &[(&Question, &AnswerValue)],
) -> Scores {
    let asked = form.questions.iter().filter(|q| is_scored(q) && visible.contains(q.id.as_str())).count();
    let answered = counted.iter().filter(|(question, _)| is_scored(question)).count();
    let mut result = Scores { asked, answered, ..Scores::default() };
    let (mut total, mut weights) = (0.0, 0.0);
    for section in &form.sections {
        let of_section =
            counted.iter().filter(|(question, _)| question.section.as_ref() == Some(&section.code));
        let found: Vec<f64> = of_section.filter_map(|(question, answer)| points(question, answer)).collect();
        if let Some(mean) = mean(&found) {
            let score = mean * scoring.factor;
            result.sections.insert(section.code.clone(), score);
            total += score * section.weight;
            weights += section.weight;
        }
    }
    #[allow(clippy::cast_precision_loss, reason = "a form has at most 200 questions")]
    let enough = asked > 0 && answered as f64 >= scoring.min_answered * asked as f64;
    result.overall = (enough && weights > 0.0).then(|| total / weights);
    result
}
