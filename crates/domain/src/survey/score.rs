//! What one sheet says: points by dimension and overall, and whether it counts.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::POINT;
use crate::forms::{AnswerValue, Answers, Form, Question, QuestionKind};

/// What a question is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Counts in its dimension.
    Item,
    /// The question for the whole: the satisfied rate.
    Overall,
    /// How likely one recommends the hospital, 0–10.
    Nps,
    /// Whether one would come back.
    Return,
    /// Anything else.
    Other,
}

/// What `question` is for, by its shape: options with points in a section are an item, without a section the question
/// for the whole; a scale of 0–10 is the NPS; the options yes/maybe/no are the question of returning.
pub fn role(question: &Question) -> Role {
    let has = |code: &str| question.options.iter().any(|option| option.code == code);
    match question.kind {
        QuestionKind::Single if question.options.iter().any(|option| option.points.is_some()) => {
            if question.section.is_some() { Role::Item } else { Role::Overall }
        }
        QuestionKind::Single if has("yes") && has("maybe") && has("no") => Role::Return,
        QuestionKind::Scale if question.range.min == Some(0.0) && question.range.max == Some(10.0) => {
            Role::Nps
        }
        _ => Role::Other,
    }
}

/// One dimension of a sheet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(rename = "SurveyDimensionScore")]
pub struct DimensionScore {
    /// The section's code.
    pub code: String,
    /// Mean of its items, ten-thousandths of the five-point scale; none when nothing applied.
    #[ts(type = "number | null")]
    pub points: Option<i64>,
    /// Items with "satisfied" or "very satisfied".
    pub good: u32,
    /// Items rated at all.
    pub rated: u32,
}

/// What a sheet says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SheetScore {
    /// By dimension, in the form's order; only those with an item that was asked.
    pub dimensions: Vec<DimensionScore>,
    /// Weighted mean of the dimensions that have a score, ten-thousandths of the five-point scale.
    pub points: Option<i64>,
    /// The lowest points of any question, whole points.
    pub lowest: Option<i64>,
    /// 0–10.
    pub nps: Option<i64>,
    /// 1–5.
    pub overall: Option<i64>,
    /// `yes`, `maybe` or `no`.
    pub come_back: Option<String>,
    /// Items asked.
    pub asked: u32,
    /// Items answered, also with "does not apply".
    pub answered: u32,
    /// Whether every answered item has the same option.
    pub all_same: bool,
}

#[allow(clippy::cast_possible_truncation, reason = "points are small")]
fn whole(points: f64) -> i64 {
    points.round() as i64
}

fn chosen_points(question: &Question, answer: &AnswerValue) -> Option<f64> {
    let AnswerValue::Single(code) = answer else { return None };
    question.options.iter().find(|option| option.code == *code).and_then(|option| option.points)
}

/// Scores a sheet. `visible` are the questions that were asked; `answers` must fit their questions.
pub fn score(form: &Form, visible: &[String], answers: &Answers) -> SheetScore {
    let mut result = SheetScore::default();
    // A form may use another scale: its factor brings a point to a hundredth, 20 of them to a point of five.
    let scale = form.scoring.as_ref().map_or(1.0, |scoring| scoring.factor / 20.0);
    let mut codes: Vec<&str> = Vec::new();
    let mut found: Vec<(&str, Vec<f64>)> =
        form.sections.iter().map(|section| (section.code.as_str(), Vec::new())).collect();
    let mut asked_in: Vec<&str> = Vec::new();
    for question in form.questions.iter().filter(|question| visible.contains(&question.id)) {
        let answer = answers.get(&question.id).filter(|answer| !answer.is_blank());
        let points = answer.and_then(|answer| chosen_points(question, answer)).map(|points| points * scale);
        if let Some(points) = points {
            let points = whole(points);
            result.lowest = Some(result.lowest.map_or(points, |lowest| lowest.min(points)));
        }
        match (role(question), answer) {
            (Role::Item, answer) => {
                result.asked += 1;
                let section = question.section.as_deref().unwrap_or_default();
                asked_in.push(section);
                if let Some(AnswerValue::Single(code)) = answer {
                    result.answered += 1;
                    codes.push(code);
                }
                if let (Some(points), Some((_, list))) =
                    (points, found.iter_mut().find(|(code, _)| *code == section))
                {
                    list.push(points);
                }
            }
            (Role::Overall, _) => result.overall = result.overall.or(points.map(whole)),
            (Role::Nps, Some(AnswerValue::Scale(step))) => result.nps = result.nps.or(Some(i64::from(*step))),
            (Role::Return, Some(AnswerValue::Single(code))) => {
                result.come_back = result.come_back.take().or_else(|| Some(code.clone()));
            }
            _ => {}
        }
    }
    result.all_same = codes.windows(2).all(|pair| matches!(pair, [first, second] if first == second));
    found.retain(|(code, _)| asked_in.contains(code));
    weigh(form, &found, &mut result);
    result
}

/// Means of the dimensions and the weighted whole: a dimension without points leaves the weights, which then sum to one
/// again. Forms without weights weigh all dimensions alike.
fn weigh(form: &Form, found: &[(&str, Vec<f64>)], result: &mut SheetScore) {
    #[allow(clippy::cast_precision_loss, reason = "ten thousand, and at most 200 questions")]
    let (point, count) = (POINT as f64, |list: &[f64]| list.len() as f64);
    let unweighted = form.sections.iter().all(|section| section.weight <= 0.0);
    let (mut total, mut weights) = (0.0, 0.0);
    for (code, list) in found {
        let weight = form.sections.iter().find(|section| section.code == *code).map_or(0.0, |s| s.weight);
        let weight = if unweighted { 1.0 } else { weight };
        let mean = (!list.is_empty()).then(|| list.iter().sum::<f64>() / count(list));
        if let Some(mean) = mean {
            total += mean * weight;
            weights += weight;
        }
        result.dimensions.push(DimensionScore {
            code: (*code).to_owned(),
            points: mean.map(|mean| whole(mean * point)),
            good: u32::try_from(list.iter().filter(|points| **points >= 4.0).count()).unwrap_or(u32::MAX),
            rated: u32::try_from(list.len()).unwrap_or(u32::MAX),
        });
    }
    result.points = (weights > 0.0).then(|| whole(total / weights * point));
}

/// What makes a sheet count. Each part can be switched off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ValidityRule {
    /// Share of items that must be answered, percent; 0 switches it off.
    pub min_answered_percent: u32,
    /// Whether a sheet with one option throughout does not count.
    pub reject_same: bool,
    /// Seconds that answering takes at least, where it was measured; 0 switches it off.
    pub min_seconds: u32,
}

/// Why a sheet does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(rename = "SurveyInvalid")]
pub enum Invalid {
    /// Too few items answered.
    TooFew,
    /// The same option throughout.
    AllSame,
    /// Answered faster than it can be read.
    TooFast,
}

impl Invalid {
    /// The stored word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TooFew => "too_few",
            Self::AllSame => "all_same",
            Self::TooFast => "too_fast",
        }
    }
}

/// Fewest answered items of which "all the same" says anything.
const SAME_AT_LEAST: u32 = 4;

/// Whether a sheet counts. `seconds` is none where nobody measured it (paper).
pub fn validity(sheet: &SheetScore, seconds: Option<i64>, rule: ValidityRule) -> Option<Invalid> {
    let enough =
        u64::from(sheet.answered) * 100 >= u64::from(rule.min_answered_percent) * u64::from(sheet.asked);
    if !enough || (rule.min_answered_percent > 0 && sheet.points.is_none()) {
        return Some(Invalid::TooFew);
    }
    if rule.reject_same && sheet.all_same && sheet.answered >= SAME_AT_LEAST {
        return Some(Invalid::AllSame);
    }
    match seconds {
        Some(seconds) if seconds < i64::from(rule.min_seconds) => Some(Invalid::TooFast),
        _ => None,
    }
}
