//! Questions to experts, their replies, and the call that brings the reply to the patient.

pub mod commands;
mod store;

use aftercare_domain::followup::ConsultStatus;
use aftercare_domain::personal::Personal;
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use uuid::Uuid;

pub(super) use store::{NewConsult, ask, department_of, item, of_alert, of_patient, tell};

/// A question to an expert.
#[derive(Debug, Clone, Serialize, TS)]
pub struct ConsultItem {
    /// The question.
    pub id: Uuid,
    /// Whose.
    pub patient_id: Uuid,
    /// Name.
    pub name: Personal,
    /// GB/T 2261.1.
    pub sex: String,
    /// Full years today.
    pub age: Option<u16>,
    /// Department and diagnosis of the stay.
    pub encounter: Option<ConsultStay>,
    /// The alert it comes from.
    pub alert_id: Option<Uuid>,
    /// `red`, `orange`, `yellow`, `question`.
    pub level: String,
    /// What is asked.
    pub question: Personal,
    /// Which department.
    pub department: String,
    /// Which person, by display name.
    pub asked_of: Option<String>,
    /// Milliseconds UTC.
    #[ts(type = "number")]
    pub asked_at: i64,
    /// By whom.
    pub asked_by: String,
    /// Answer until, milliseconds UTC.
    #[ts(type = "number")]
    pub due_at: i64,
    /// Past its time without an answer.
    pub overdue: bool,
    /// Where it stands.
    pub status: ConsultStatus,
    /// Replies, oldest first.
    pub replies: Vec<ConsultReply>,
}

/// The stay a question is about.
#[derive(Debug, Clone, Serialize, TS)]
pub struct ConsultStay {
    /// Department.
    pub department: String,
    /// Diagnosis.
    pub diagnosis: Option<Personal>,
    /// `YYYY-MM-DD`.
    pub discharged_on: Option<String>,
    /// Doctor.
    pub doctor: Option<String>,
}

/// A reply.
#[derive(Debug, Clone, Serialize, TS)]
pub struct ConsultReply {
    /// The answer.
    pub reply: Personal,
    /// Advice to the patient.
    pub advice: Personal,
    /// `YYYY-MM-DD`.
    pub next_visit_on: Option<String>,
    /// Call the patient back on this day.
    pub call_back_on: Option<String>,
    /// Milliseconds UTC.
    #[ts(type = "number")]
    pub replied_at: i64,
    /// By whom.
    pub user: String,
}

/// Asks for the inbox of the signed-in expert.
#[derive(Debug, Deserialize, TS)]
pub struct InboxRequest {
    /// Also what was answered in the last 30 days.
    #[serde(default)]
    pub answered: bool,
    /// Rows, 1 to 200.
    pub limit: u32,
}

/// Questions asked of the user or their department, red first, then the oldest deadline.
#[derive(Debug, Serialize, TS)]
pub struct InboxResponse {
    /// The questions.
    pub consults: Vec<ConsultItem>,
    /// Not answered.
    pub open: u32,
    /// Not answered and past their time.
    pub overdue: u32,
}

/// Which question.
#[derive(Debug, Deserialize, TS)]
pub struct ConsultRequest {
    /// The question.
    pub consult_id: Uuid,
}

/// A question with the patient's answers that led to it.
#[derive(Debug, Serialize, TS)]
pub struct ConsultDetail {
    /// The question.
    pub consult: ConsultItem,
    /// The last response.
    pub answers: Vec<super::call::AnsweredLine>,
    /// Earlier responses, newest first.
    pub responses: Vec<super::call::PastResponse>,
    /// The printed slips' call, if the patient was told.
    #[ts(type = "number | null")]
    pub told_at: Option<i64>,
}

/// Asks an expert something by hand.
#[derive(Deserialize, TS)]
pub struct AskRequest {
    /// About whom.
    pub patient_id: Uuid,
    /// Which department.
    pub department: String,
    /// Which person; the department's inbox if none.
    pub asked_of: Option<Uuid>,
    /// What is asked.
    pub question: String,
}

/// An expert's reply.
#[derive(Deserialize, TS)]
pub struct ReplyRequest {
    /// The question.
    pub consult_id: Uuid,
    /// The answer.
    pub reply: String,
    /// Advice to the patient.
    #[serde(default)]
    pub advice: String,
    /// `YYYY-MM-DD`.
    #[serde(default)]
    pub next_visit_on: Option<String>,
    /// Call back on this day; at once if none.
    #[serde(default)]
    pub call_back_on: Option<String>,
}

/// What came of a reply.
#[derive(Debug, Serialize, TS)]
pub struct ReplyResponse {
    /// The question as it stands now.
    pub consult: ConsultItem,
    /// The call that brings the answer; none when the patient may not be called.
    pub task_id: Option<Uuid>,
}
