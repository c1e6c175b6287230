//! Red, orange and yellow alerts: raised by answers, passed on, answered, closed.

pub mod commands;
mod store;

use aftercare_domain::followup::AlertStatus;
use aftercare_domain::forms::{Level, LocalText};
use aftercare_domain::personal::Personal;
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use uuid::Uuid;

pub(super) use store::{NewAlert, answer, close_told, due_at, item, of_call, of_patient, raise, withdraw};

/// Which alerts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum AlertFilter {
    /// Not closed.
    #[default]
    Open,
    /// Not closed and past their time.
    Overdue,
    /// Passed on to nobody yet.
    Unrouted,
    /// Closed.
    Closed,
}

/// Asks for alerts, most urgent first.
#[derive(Debug, Deserialize, TS)]
pub struct AlertsRequest {
    /// Which.
    #[serde(default)]
    pub filter: AlertFilter,
    /// Only of this level.
    #[serde(default)]
    pub level: Option<Level>,
    /// Rows to leave out: those of earlier pages.
    #[serde(default)]
    pub offset: u32,
    /// Rows, 1 to 200.
    pub limit: u32,
}

/// A page of alerts with counts over all.
#[derive(Debug, Serialize, TS)]
pub struct AlertsResponse {
    /// The page.
    pub alerts: Vec<AlertItem>,
    /// Not closed, by level: red, orange, yellow.
    pub open: [u32; 3],
    /// Not closed and past their time.
    pub overdue: u32,
}

/// An alert in a list.
#[derive(Debug, Clone, Serialize, TS)]
pub struct AlertItem {
    /// The alert.
    pub id: Uuid,
    /// Whose.
    pub patient_id: Uuid,
    /// Name.
    pub name: Personal,
    /// Department of the stay.
    pub department: String,
    /// Plan.
    pub plan: LocalText,
    /// The rule's code.
    pub rule: String,
    /// How urgent.
    pub level: Level,
    /// What was said on the spot.
    pub say: LocalText,
    /// Who has to respond: a code of the routing table.
    pub route: String,
    /// In words.
    pub route_name: LocalText,
    /// Milliseconds UTC.
    #[ts(type = "number")]
    pub raised_at: i64,
    /// Respond until, milliseconds UTC.
    #[ts(type = "number")]
    pub due_at: i64,
    /// Nothing was done in time.
    pub overdue: bool,
    /// Where it stands.
    pub status: AlertStatus,
    /// When somebody first acted, milliseconds UTC.
    #[ts(type = "number | null")]
    pub handled_at: Option<i64>,
    /// By whom it was raised.
    pub raised_by: String,
}

/// Which alert.
#[derive(Debug, Deserialize, TS)]
pub struct AlertRequest {
    /// The alert.
    pub alert_id: Uuid,
}

/// An alert with all that was done.
#[derive(Debug, Serialize, TS)]
pub struct AlertDetail {
    /// The alert.
    pub alert: AlertItem,
    /// The answers of the response that raised it.
    pub answers: Vec<super::call::AnsweredLine>,
    /// What was done, oldest first.
    pub steps: Vec<AlertStep>,
    /// Questions asked because of it.
    pub consults: Vec<super::consult::ConsultItem>,
    /// How it was closed.
    pub closing: Option<Personal>,
}

/// Something that was done about an alert.
#[derive(Debug, Serialize, TS)]
pub struct AlertStep {
    /// `routed`, `noted`, `answered`, `told`, `closed`, `withdrawn`.
    pub kind: String,
    /// In words.
    pub body: Personal,
    /// Milliseconds UTC.
    #[ts(type = "number")]
    pub at: i64,
    /// By whom.
    pub user: String,
}

/// Passes an alert on with a question.
#[derive(Deserialize, TS)]
pub struct AlertRouteRequest {
    /// The alert.
    pub alert_id: Uuid,
    /// To this department.
    pub department: String,
    /// To this person; the department's inbox if none.
    pub asked_of: Option<Uuid>,
    /// What is asked.
    pub question: String,
}

/// Notes what was done.
#[derive(Deserialize, TS)]
pub struct AlertNoteRequest {
    /// The alert.
    pub alert_id: Uuid,
    /// What was done.
    pub note: String,
}

/// Closes an alert.
#[derive(Deserialize, TS)]
pub struct AlertCloseRequest {
    /// The alert.
    pub alert_id: Uuid,
    /// What came of it.
    pub closing: String,
}
