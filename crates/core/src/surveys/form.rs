//! Questionnaires of surveys, and what a sheet's answers come to.

use aftercare_domain::error_code::ErrorCode;
use aftercare_domain::forms::{Answers, CompiledForm, Evaluation, Form, FormContext};
use aftercare_domain::survey::{DimensionScore, Invalid, Kind, SheetScore, ValidityRule, score, validity};
use chrono::NaiveDate;
use rusqlite::Connection;
use serde::{Deserialize, Serialize};

use super::Questionnaire;
use crate::error::{Error, FieldErrors, Result};
use crate::forms;
use crate::settings::Settings;

/// What is stored beside the answers.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Results {
    pub dimensions: Vec<DimensionScore>,
    #[serde(default)]
    pub alerts: Vec<String>,
    #[serde(default)]
    pub asked: u32,
    #[serde(default)]
    pub answered: u32,
}

/// A sheet's answers, checked and scored.
pub(super) struct Judged {
    pub score: SheetScore,
    pub invalid: Option<Invalid>,
    pub evaluation: Evaluation,
}

impl Judged {
    pub fn results(&self) -> Results {
        Results {
            dimensions: self.score.dimensions.clone(),
            alerts: self.evaluation.alerts.iter().map(|alert| alert.code.clone()).collect(),
            asked: self.score.asked,
            answered: self.score.answered,
        }
    }
}

/// A day `YYYY-MM-DD`.
pub(super) fn day(errors: &mut FieldErrors, field: &str, text: &str) -> Option<NaiveDate> {
    let day = NaiveDate::parse_from_str(text.trim(), "%Y-%m-%d").ok().filter(|_| text.trim().len() == 10);
    if day.is_none() {
        errors.add(field, ErrorCode::BadDate);
    }
    day
}

/// The questionnaires in use that give a score, shipped ones first.
pub(super) fn questionnaires(connection: &Connection) -> Result<Vec<Questionnaire>> {
    let mut list = Vec::new();
    for (version, form) in forms::questionnaires_in_use(connection)? {
        if form.scoring.is_none() {
            continue;
        }
        let kind = Kind::ALL.into_iter().find(|kind| kind.form_code() == version.code);
        let draft = version.origin == forms::Origin::Shipped;
        list.push(Questionnaire { kind, label: version.label, draft, form });
    }
    list.sort_by_key(|one| (one.kind.is_none(), one.kind, one.form.code.clone()));
    Ok(list)
}

/// The form of a code, in a version or the one in use.
///
/// # Errors
/// `Invalid` with `form_code`.
pub(super) fn load(connection: &Connection, code: &str, version: Option<u32>) -> Result<CompiledForm> {
    let unknown = || Error::field("form_code", ErrorCode::NotAllowed);
    let version = match version {
        Some(version) => version,
        None => {
            let used = questionnaires(connection)?.into_iter().find(|one| one.form.code == code);
            used.ok_or_else(unknown)?.form.version
        }
    };
    let form = forms::questionnaire(connection, code, version)
        .map_err(|error| if error.code == ErrorCode::NotFound { unknown() } else { error })?;
    if form.form().scoring.is_none() { Err(unknown()) } else { Ok(form) }
}

/// What makes a sheet count here.
pub(super) fn rule(settings: &Settings) -> ValidityRule {
    ValidityRule {
        min_answered_percent: settings.survey_min_answered,
        reject_same: settings.survey_reject_same,
        min_seconds: settings.survey_min_seconds,
    }
}

/// Refuses answers that do not fit.
///
/// Adds `answers.<question>` for an unknown question or a value out of range, `answers` for an empty sheet.
pub(super) fn check(errors: &mut FieldErrors, form: &Form, evaluation: &Evaluation, answers: &Answers) {
    for id in answers.keys().filter(|id| !form.questions.iter().any(|question| question.id == **id)) {
        let short: String = id.chars().take(40).collect();
        errors.add(format!("answers.{short}"), ErrorCode::NotAllowed);
    }
    for invalid in &evaluation.invalid {
        let field = format!("answers.{}", invalid.question);
        errors.add_with(field, ErrorCode::BadAnswer, "problem", invalid.code.clone());
    }
    for id in &evaluation.missing {
        errors.add(format!("answers.{id}"), ErrorCode::Required);
    }
    if answers.values().all(aftercare_domain::forms::AnswerValue::is_blank) {
        errors.add("answers", ErrorCode::Required);
    }
}

/// Evaluates, checks and scores.
pub(super) fn judge(
    errors: &mut FieldErrors,
    form: &CompiledForm,
    answers: &Answers,
    seconds: Option<i64>,
    settings: &Settings,
) -> Judged {
    let evaluation = form.evaluate(answers, &FormContext::default());
    check(errors, form.form(), &evaluation, answers);
    let score = score(form.form(), &evaluation.visible, answers);
    let invalid = validity(&score, seconds, rule(settings));
    Judged { score, invalid, evaluation }
}

/// Points of a sheet as 0–100.
#[allow(clippy::cast_precision_loss, reason = "points are small")]
pub(super) fn hundred(points: Option<i64>, settings: &Settings) -> Option<f64> {
    let point = aftercare_domain::survey::POINT as f64;
    points.map(|points| settings.survey_scale.score_100(points as f64 / point))
}
