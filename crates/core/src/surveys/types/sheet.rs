//! Sheets.

use aftercare_domain::forms::{Answers, Form, InvalidAnswer, LocalText};
use aftercare_domain::personal::Personal;
use aftercare_domain::survey::{Channel, DimensionScore, Invalid, Kind};
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use uuid::Uuid;

use super::SheetRow;

/// Asks what follows from answers.
#[derive(Deserialize, TS)]
#[ts(rename = "SurveyEvaluateRequest")]
pub struct EvaluateRequest {
    /// The questionnaire.
    pub form_code: String,
    /// Its version; the one in use if none.
    #[serde(default)]
    pub form_version: Option<u32>,
    /// Question → answer.
    pub answers: Answers,
}

/// What follows from answers.
#[derive(Debug, Serialize, TS)]
#[ts(rename = "SurveyEvaluation")]
pub struct EvaluateResponse {
    /// Questions to ask, in order.
    pub visible: Vec<String>,
    /// Answers that do not fit.
    pub invalid: Vec<InvalidAnswer>,
    /// Score so far, 0–100.
    pub score: Option<f64>,
    /// What the caller says because of an answer.
    pub say: Vec<LocalText>,
}

/// What a sheet holds besides its answers.
#[derive(Clone, Default, Deserialize, TS)]
#[serde(default)]
#[ts(rename = "SurveySheetHead")]
pub struct SheetHead {
    /// The round, if it belongs to one.
    pub round_id: Option<Uuid>,
    /// Number printed on the paper.
    pub sheet_no: String,
    /// Who answered, if known; sheets may be anonymous.
    pub patient_id: Option<Uuid>,
    /// The stay or visit, if known.
    pub encounter_id: Option<Uuid>,
    /// Department; that of the stay if empty.
    pub department: String,
    /// Doctor; that of the stay if empty.
    pub doctor: String,
    /// Day of the visit or discharge.
    pub visited_on: Option<String>,
    /// The day it was answered; today if none.
    pub answered_on: Option<String>,
    /// How long the questions took, where it was measured.
    #[ts(type = "number | null")]
    pub seconds: Option<i64>,
    /// Who asked at the time; the signed-in person if empty. Kept by every correction.
    pub caller: String,
}

/// Saves a sheet from paper or the screen.
#[derive(Deserialize, TS)]
#[ts(rename = "SurveySheetSaveRequest")]
pub struct SheetSaveRequest {
    /// Made by the window, once for each sheet: saving twice changes nothing.
    pub id: Uuid,
    /// Paper or screen.
    pub channel: Channel,
    /// What it asks about.
    pub kind: Kind,
    /// The questionnaire.
    pub form_code: String,
    /// Its version; the one in use if none.
    #[serde(default)]
    pub form_version: Option<u32>,
    /// The rest.
    pub head: SheetHead,
    /// Question → answer.
    pub answers: Answers,
    /// A sheet of the same number is there, and this is another.
    #[serde(default)]
    pub again: bool,
}

/// A sheet that was saved.
#[derive(Debug, Serialize, TS)]
#[ts(rename = "SurveySheetSaved")]
pub struct SheetSaved {
    /// The sheet.
    pub id: Uuid,
    /// Score, 0–100.
    pub score: Option<f64>,
    /// Why it does not count; none when it does.
    pub invalid: Option<Invalid>,
    /// A service recovery was opened in the worklist.
    pub recovery: bool,
    /// Low, but nobody is known whom one could call.
    pub low: bool,
    /// Alerts that were raised, by the rule's code.
    pub alerts: Vec<String>,
}

/// Corrects a sheet by another one, or takes it back.
#[derive(Deserialize, TS)]
#[ts(rename = "SurveySheetCorrectRequest")]
pub struct SheetCorrectRequest {
    /// The sheet that counts now.
    pub id: Uuid,
    /// Why.
    pub why: String,
    /// Take it back: no sheet counts any more.
    #[serde(default)]
    pub withdraw: bool,
    /// As it should be; not needed to take it back.
    #[serde(default)]
    pub head: Option<SheetHead>,
    /// As they should be.
    #[serde(default)]
    pub answers: Option<Answers>,
}

/// Which sheet.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "SurveySheetRequest")]
pub struct SheetRequest {
    /// The sheet.
    pub id: Uuid,
}

/// A sheet, whole.
#[derive(Serialize, TS)]
#[ts(rename = "SurveySheet")]
pub struct SheetDetail {
    /// As in a list.
    pub row: SheetRow,
    /// The form it was answered on.
    pub form: Form,
    /// What was answered; answers for few eyes are left out for others.
    pub answers: Answers,
    /// Answers that were left out.
    pub hidden: u32,
    /// By dimension, in ten-thousandths of the five-point scale.
    pub dimensions: Vec<DimensionScore>,
    /// Who answered, if known and seen here.
    pub name: Option<Personal>,
    /// The stay or visit.
    pub encounter_id: Option<Uuid>,
    /// When it was typed in, milliseconds UTC.
    #[ts(type = "number")]
    pub entered_at: i64,
    /// By whom.
    pub entered_by: String,
    /// Every sheet of the same root, oldest first.
    pub versions: Vec<SheetVersion>,
    /// The service recovery, if one was opened.
    pub recovery: Option<Uuid>,
}

/// One of a sheet's corrections.
#[derive(Debug, Serialize, TS)]
#[ts(rename = "SurveySheetVersion")]
pub struct SheetVersion {
    /// The sheet.
    pub id: Uuid,
    /// When, milliseconds UTC.
    #[ts(type = "number")]
    pub entered_at: i64,
    /// By whom.
    pub entered_by: String,
    /// Why; empty for the first.
    pub why: String,
    /// It takes the sheet back.
    pub withdrawn: bool,
    /// Score, 0–100.
    pub score: Option<f64>,
}
