//! One call: everything for the three panes, what follows from the answers, saving, taking back.

mod attempt;
mod close;
pub mod commands;
mod complete;
mod evaluate;
mod form;
mod history;
mod open;
mod return_call;
mod save;
mod screen;
mod script;
mod undo;

use aftercare_domain::forms::{Answers, LocalText};
pub(super) use close::{after_end, decide_overdue};
pub(super) use open::{encounter, latest_encounter};
pub(crate) use save::save as save_within;
pub use screen::*;
pub(super) mod past {
    pub(in crate::followup) use super::history::{
        Response, answered, of_call, of_task, past_responses, response, responses,
    };
}
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use uuid::Uuid;

use super::alert::AlertItem;
use super::worklist::WorklistFilter;

/// Which patient.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "FollowupPatientRequest")]
pub struct PatientRequest {
    /// The patient.
    pub patient_id: Uuid,
}

/// Opens a patient and claims the due tasks for the user.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "FollowupOpenRequest")]
pub struct OpenRequest {
    /// The patient.
    pub patient_id: Uuid,
    /// Look without claiming.
    #[serde(default)]
    pub look_only: bool,
}

/// Asks what follows from answers.
#[derive(Deserialize, TS)]
#[ts(rename = "FollowupEvaluateRequest")]
pub struct EvaluateRequest {
    /// The tasks of the merged form.
    pub tasks: Vec<Uuid>,
    /// Key → answer.
    pub answers: Answers,
}

/// A call that has ended.
#[derive(Deserialize, TS)]
#[ts(rename = "FollowupSaveCallRequest")]
pub struct SaveCallRequest {
    /// Made by the window, once for each call: saving twice changes nothing.
    pub call_id: Uuid,
    /// From dialling, if it was dialled here.
    #[serde(default)]
    pub call_token: Option<Uuid>,
    /// The patient.
    pub patient_id: Uuid,
    /// The tasks it served: those that were open on the screen.
    pub tasks: Vec<Uuid>,
    /// The number; none when there is none.
    pub phone_id: Option<Uuid>,
    /// Why there is no response (a failure reason's code); none when the form was filled in.
    pub reason: Option<String>,
    /// Key → answer.
    #[serde(default)]
    pub answers: Answers,
    /// Agreed next time, milliseconds UTC.
    #[serde(default)]
    #[ts(type = "number | null")]
    pub appointment_at: Option<i64>,
    /// Remark.
    #[serde(default)]
    pub remark: String,
    /// Date of death, when it was learnt.
    #[serde(default)]
    pub deceased_on: Option<String>,
    /// Milliseconds UTC; the time of dialling if not given.
    #[serde(default)]
    #[ts(type = "number | null")]
    pub started_at: Option<i64>,
    /// Milliseconds UTC.
    #[serde(default)]
    #[ts(type = "number | null")]
    pub ended_at: Option<i64>,
    /// The part of the list to take the next patient from.
    #[serde(default)]
    pub filter: WorklistFilter,
}

/// What came of saving.
#[derive(Debug, Serialize, TS)]
#[ts(rename = "FollowupSaved")]
pub struct SavedCall {
    /// The call.
    pub call_id: Uuid,
    /// It had been saved before; nothing was changed now.
    pub repeated: bool,
    /// What became of each task.
    pub tasks: Vec<TaskAfterCall>,
    /// Alerts that were raised.
    pub alerts: Vec<AlertItem>,
    /// When to try again, milliseconds UTC.
    #[ts(type = "number | null")]
    pub next_try_at: Option<i64>,
    /// Whom to call next.
    pub next_patient_id: Option<Uuid>,
    /// Until when the call can be taken back, milliseconds UTC; none when it cannot.
    #[ts(type = "number | null")]
    pub undo_until: Option<i64>,
}

/// What became of a task.
#[derive(Debug, Clone, Serialize, TS)]
pub struct TaskAfterCall {
    /// The task.
    pub id: Uuid,
    /// Its status.
    pub status: String,
    /// Why it ended without a response.
    pub end_reason: Option<String>,
}

/// Takes back the user's own last call.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "FollowupUndoCallRequest")]
pub struct UndoCallRequest {
    /// The call.
    pub call_id: Uuid,
}

/// What a call may end with, for the keys 1–9 and the list behind them.
#[derive(Debug, Serialize, TS)]
#[ts(rename = "FollowupReasons")]
pub struct ReasonsResponse {
    /// In the order of the keys.
    pub reasons: Vec<ReasonChoice>,
}

/// A reason for the outcome keys.
#[derive(Debug, Serialize, TS)]
#[ts(rename = "FollowupReason")]
pub struct ReasonChoice {
    /// Code.
    pub code: String,
    /// Name.
    pub name: LocalText,
    /// Ask for the agreed time.
    pub asks_time: bool,
    /// Ask for a remark.
    pub asks_remark: bool,
    /// Ends all calls (death, refusal): show it apart.
    pub grave: bool,
}
