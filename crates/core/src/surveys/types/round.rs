//! Questionnaires, rounds, their queue.

use aftercare_domain::forms::{Answers, Form};
use aftercare_domain::personal::Personal;
use aftercare_domain::survey::{Exclusion, Kind, Scale};
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use uuid::Uuid;

use super::SheetSaved;

/// Asks for the questionnaires and what pages choose from.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "SurveyContentRequest")]
pub struct ContentRequest {}

/// What pages choose from.
#[derive(Debug, Serialize, TS)]
#[ts(rename = "SurveyContent")]
pub struct ContentResponse {
    /// Questionnaires in use that give a score.
    pub questionnaires: Vec<Questionnaire>,
    /// Departments known here.
    pub departments: Vec<String>,
    /// How points become a hundred.
    pub scale: Scale,
    /// Groups with fewer valid sheets are marked and not ranked.
    pub min_n: u32,
    /// A score below this opens a service recovery; 0–100.
    pub low_score: u32,
    /// The signed-in person sees this department alone.
    pub only_department: Option<String>,
}

/// A questionnaire.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(rename = "SurveyQuestionnaire")]
pub struct Questionnaire {
    /// The kind it ships for; none for the hospital's own, which fit any.
    pub kind: Option<Kind>,
    /// Its number as people see it.
    pub label: String,
    /// Whether it is still a draft that nobody here has approved.
    pub draft: bool,
    /// The form.
    pub form: Form,
}

/// What a round draws from.
#[derive(Debug, Clone, Deserialize, TS)]
#[ts(rename = "SurveyFrame")]
pub struct Frame {
    /// What is asked about.
    pub kind: Kind,
    /// Discharged or seen from this day, `YYYY-MM-DD`.
    pub visits_from: String,
    /// To this day.
    pub visits_to: String,
    /// How they are drawn.
    pub method: Method,
    /// The draw's seed: the same seed draws the same.
    #[ts(type = "number")]
    pub seed: u32,
    /// At most so many of each department; for `sample`.
    pub per_department: u32,
}

/// How a round finds whom to ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(rename = "SurveyMethod")]
pub enum Method {
    /// 按科室分层随机.
    Sample,
    /// Everybody in the frame.
    All,
    /// Nobody is invited: paper or the screen.
    Open,
}

/// What a draw would give.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(rename = "SurveyPreview")]
pub struct Preview {
    /// Stays or visits in the days.
    pub frame: usize,
    /// Of these, drawn.
    pub drawn: usize,
    /// Left out, by reason.
    pub left_out: Vec<LeftOut>,
    /// By department, most first.
    pub departments: Vec<PreviewDepartment>,
}

/// How many were left out for a reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(rename = "SurveyLeftOut")]
pub struct LeftOut {
    /// Why.
    pub why: Exclusion,
    /// How many.
    pub count: usize,
}

/// One department of a draw.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(rename = "SurveyPreviewDepartment")]
pub struct PreviewDepartment {
    /// The department.
    pub department: String,
    /// Stays or visits in the days.
    pub frame: usize,
    /// Of these, drawn.
    pub drawn: usize,
}

/// Makes a round.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "SurveyRoundMakeRequest")]
pub struct RoundMakeRequest {
    /// Its name.
    pub title: String,
    /// The questionnaire.
    pub form_code: String,
    /// From what it is drawn.
    pub frame: Frame,
    /// Paper sheets given out, if any.
    #[serde(default)]
    pub handed_out: u32,
}

/// Asks for the rounds.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "SurveyRoundsRequest")]
pub struct RoundsRequest {}

/// The rounds, newest first.
#[derive(Debug, Serialize, TS)]
#[ts(rename = "SurveyRounds")]
pub struct RoundsResponse {
    /// The rounds.
    pub rounds: Vec<Round>,
}

/// Which round.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "SurveyRoundRequest")]
pub struct RoundRequest {
    /// The round.
    pub id: Uuid,
}

/// A round with where it stands.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(rename = "SurveyRound")]
pub struct Round {
    /// The record.
    pub id: Uuid,
    /// Its name.
    pub title: String,
    /// What it asks about.
    pub kind: Kind,
    /// The questionnaire.
    pub form_code: String,
    /// Its version.
    pub form_version: u32,
    /// Visits from.
    pub visits_from: String,
    /// Visits to.
    pub visits_to: String,
    /// How it was drawn.
    pub method: Method,
    /// The seed.
    #[ts(type = "number")]
    pub seed: i64,
    /// At most so many of each department.
    pub per_department: u32,
    /// Stays or visits in the frame when it was drawn.
    pub frame: usize,
    /// Left out then, by reason.
    pub left_out: Vec<LeftOut>,
    /// Paper sheets given out.
    #[ts(type = "number")]
    pub handed_out: i64,
    /// `open` or `closed`.
    pub status: String,
    /// Made, milliseconds UTC.
    #[ts(type = "number")]
    pub made_at: i64,
    /// By whom.
    pub made_by: String,
    /// Invited.
    #[ts(type = "number")]
    pub invited: i64,
    /// Of these, still to be asked.
    #[ts(type = "number")]
    pub open: i64,
    /// Answered validly.
    #[ts(type = "number")]
    pub answered: i64,
    /// Answered, but it does not count.
    #[ts(type = "number")]
    pub invalid: i64,
    /// Refused.
    #[ts(type = "number")]
    pub refused: i64,
    /// Not reached.
    #[ts(type = "number")]
    pub unreached: i64,
    /// Sheets of the round, from every channel.
    #[ts(type = "number")]
    pub sheets: i64,
    /// Of these, valid.
    #[ts(type = "number")]
    pub valid: i64,
}

/// Asks for a round's queue.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "SurveyQueueRequest")]
pub struct QueueRequest {
    /// The round.
    pub round_id: Uuid,
    /// Only those still to be asked.
    #[serde(default)]
    pub open_only: bool,
}

/// A round's queue.
#[derive(Debug, Serialize, TS)]
#[ts(rename = "SurveyQueue")]
pub struct QueueResponse {
    /// The round.
    pub round: Round,
    /// Those who can be called now come first, then in the order of the draw. At most 500.
    pub invites: Vec<Invite>,
}

/// Somebody drawn.
#[derive(Debug, Serialize, TS)]
#[ts(rename = "SurveyInvite")]
pub struct Invite {
    /// The record.
    pub id: Uuid,
    /// Whom.
    pub patient_id: Uuid,
    /// Name.
    pub name: Personal,
    /// `1` male, `2` female…
    pub sex: String,
    /// Full years.
    pub age_years: Option<u32>,
    /// Department of the stay.
    pub department: String,
    /// Doctor.
    pub doctor: String,
    /// Day of the discharge or visit.
    pub visited_on: String,
    /// The guardian answers.
    pub guardian: bool,
    /// `open`, `answered`, `invalid`, `refused`, `unreached`, `left_out`.
    pub status: String,
    /// Calls so far.
    pub attempts: u32,
    /// Not before, milliseconds UTC.
    #[ts(type = "number | null")]
    pub next_try_at: Option<i64>,
    /// Of the last call, a failure reason's code.
    pub reason: Option<String>,
    /// The sheet.
    pub sheet_id: Option<Uuid>,
}

/// A call of a round that has ended.
#[derive(Deserialize, TS)]
#[ts(rename = "SurveyCallSaveRequest")]
pub struct CallSaveRequest {
    /// Who was called.
    pub invite_id: Uuid,
    /// Made by the window, once for each call: saving twice changes nothing.
    pub call_id: Uuid,
    /// From dialling, if it was dialled here.
    #[serde(default)]
    pub call_token: Option<Uuid>,
    /// The number.
    pub phone_id: Option<Uuid>,
    /// Why there is no answer (a failure reason's code); none when the sheet was filled in.
    pub reason: Option<String>,
    /// Question → answer.
    #[serde(default)]
    pub answers: Answers,
    /// How long the questions took.
    #[serde(default)]
    #[ts(type = "number | null")]
    pub seconds: Option<i64>,
    /// Agreed next time, milliseconds UTC.
    #[serde(default)]
    #[ts(type = "number | null")]
    pub appointment_at: Option<i64>,
    /// Remark of the call.
    #[serde(default)]
    pub remark: String,
    /// Milliseconds UTC; the time of dialling if not given.
    #[serde(default)]
    #[ts(type = "number | null")]
    pub started_at: Option<i64>,
    /// Milliseconds UTC.
    #[serde(default)]
    #[ts(type = "number | null")]
    pub ended_at: Option<i64>,
}

/// What came of a call.
#[derive(Debug, Serialize, TS)]
#[ts(rename = "SurveyCallSaved")]
pub struct CallSaved {
    /// The invitation's status now.
    pub status: String,
    /// When to try again, milliseconds UTC.
    #[ts(type = "number | null")]
    pub next_try_at: Option<i64>,
    /// The sheet, when there is one.
    pub sheet: Option<SheetSaved>,
    /// Whom to call next.
    pub next_invite_id: Option<Uuid>,
}
