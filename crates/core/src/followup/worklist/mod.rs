//! The right next call: a list by patient, red flags first, then overdue windows, then risk.

pub mod commands;
mod derive;
mod query;
mod rows;

use aftercare_domain::followup::Bucket;
use aftercare_domain::forms::{Level, LocalText};
use aftercare_domain::personal::Personal;
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use uuid::Uuid;

pub(super) use derive::{Fresh, add_fresh};
pub use derive::{check_worklist, day_number, forget_patient, rebuild_worklist, refresh_patient, wake};
pub(super) use query::in_order;
pub use query::{WorklistCounts, counts};
pub(super) use rows::{claim as claim_of, line, next_after};

/// Which part of the list.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, Serialize, TS)]
#[serde(tag = "kind", content = "value", rename_all = "snake_case")]
pub enum WorklistFilter {
    /// Everything.
    #[default]
    All,
    /// Assigned to me or claimed by me.
    Mine,
    /// Assigned to nobody.
    Unassigned,
    /// Assigned to this person.
    Person(Uuid),
    /// Of this department at discharge.
    Department(String),
    /// With a due task of this plan.
    Plan(String),
    /// With an open alert or an expert's answer of this level.
    Level(Level),
    /// Red flags and answers to bring.
    Flagged,
    /// A window has passed.
    Overdue,
}

/// Asks for a page of the list.
#[derive(Debug, Clone, Default, Deserialize, TS)]
pub struct WorklistRequest {
    /// Which part.
    #[serde(default)]
    pub filter: WorklistFilter,
    /// As it stands on this day, `YYYY-MM-DD`; today if not given.
    #[serde(default)]
    pub on: Option<String>,
    /// Where the page before ended.
    #[serde(default)]
    pub cursor: Option<String>,
    /// Rows, 1 to 200.
    pub limit: u32,
}

/// A page of the list.
#[derive(Debug, Serialize, TS)]
pub struct Worklist {
    /// The day it stands for.
    pub on: String,
    /// In the order of calling.
    pub rows: Vec<WorklistRow>,
    /// Give it to get the next page; none at the end.
    pub next_cursor: Option<String>,
}

/// Why a patient stands here, most urgent first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum WorklistReason {
    /// A red flag was raised and passed on to nobody.
    RedFlag,
    /// An expert has answered; bring it to the patient.
    ReturnCall,
    /// A time was agreed and has come.
    Appointment,
    /// The window has passed.
    Overdue,
    /// The planned day has come.
    Due,
    /// The window is open, the planned day lies ahead.
    WindowOpen,
}

/// A patient to call, with everything one call serves.
#[derive(Debug, Serialize, TS)]
pub struct WorklistRow {
    /// The patient.
    pub patient_id: Uuid,
    /// Name.
    pub name: Personal,
    /// GB/T 2261.1.
    pub sex: String,
    /// Full years today.
    pub age: Option<u16>,
    /// Department of the stay that the first task follows.
    pub department: String,
    /// Its diagnosis.
    pub diagnosis: Option<Personal>,
    /// Its discharge, `YYYY-MM-DD`.
    pub discharged_on: Option<String>,
    /// Plans with due tasks.
    pub plans: Vec<LocalText>,
    /// Due tasks, the first to do first.
    pub tasks: Vec<WorklistTask>,
    /// In which part of the list.
    pub bucket: Bucket,
    /// Why it is here.
    pub reason: WorklistReason,
    /// The most urgent open alert or answer.
    pub level: Option<Level>,
    /// Days since the earliest window ended; 0 within windows.
    #[ts(type = "number")]
    pub overdue_days: i64,
    /// 0 to 100.
    pub risk: u8,
    /// Counted attempts so far.
    pub attempts: u32,
    /// Attempts before it fails.
    pub max_attempts: u32,
    /// Agreed or planned next time, milliseconds UTC.
    #[ts(type = "number | null")]
    pub next_try_at: Option<i64>,
    /// Who works on it now.
    pub claim: Option<Claim>,
    /// Assigned to me, or claimed by me.
    pub mine: bool,
    /// Whose it is, by display name.
    pub assigned_to: Option<String>,
}

/// A task of a row.
#[derive(Debug, Clone, Serialize, TS)]
pub struct WorklistTask {
    /// The task.
    pub id: Uuid,
    /// `plan`, `extra`, `manual`, `return_call`.
    pub kind: String,
    /// `D7`, `Q2`.
    pub label: String,
    /// Its plan's name; none for tasks without one.
    pub plan: Option<LocalText>,
    /// Its plan's code.
    pub plan_code: String,
    /// Planned day.
    pub due_on: String,
    /// First day.
    pub window_starts_on: String,
    /// Last day.
    pub window_ends_on: String,
    /// Counted attempts.
    pub attempts: u32,
    /// Why a person added it.
    pub remark: Option<String>,
    /// The expert's answer it brings.
    pub consult_id: Option<Uuid>,
}

/// Who works on a patient now.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(rename = "FollowupClaim")]
pub struct Claim {
    /// Display name.
    pub by: String,
    /// Ends by itself, milliseconds UTC.
    #[ts(type = "number")]
    pub until: i64,
    /// It is me.
    pub mine: bool,
    /// Made on this desk and not heard of by the server yet: a colleague elsewhere may have been quicker.
    pub unconfirmed: bool,
}
