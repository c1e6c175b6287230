//! Figures that can be asked, and the month's Excel.
//!
//! Every figure is a share of a population: two flags over the rows of one query (`population`). Showing the rows behind
//! a number uses it, and counting: for each patient once something was written of them (`dashboard`), into totals that
//! a year of any size is read from.

pub mod commands;
mod complaints;
pub mod dashboard;
mod detail;
mod detail_sheet;
mod discharges;
mod export;
mod figures;
mod gather;
mod labels;
pub mod month;
mod population;
mod rows_export;
pub(crate) mod sheet;
mod store;
#[cfg(test)]
mod tests;
pub(crate) mod unfinished;

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use uuid::Uuid;

use crate::words::Language;

pub use population::{FigureCode, Filter};

/// A period and, if wanted, one department, site, plan or nurse.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(rename = "ReportsScope")]
pub struct Scope {
    /// First day, `YYYY-MM-DD`.
    pub from: String,
    /// Last day, `YYYY-MM-DD`.
    pub to: String,
    /// Only this department.
    pub department: Option<String>,
    /// Only patients of this site.
    #[serde(default)]
    #[ts(optional = nullable)]
    pub site: Option<Uuid>,
    /// Only this plan, by its code.
    #[serde(default)]
    #[ts(optional = nullable)]
    pub plan: Option<String>,
    /// Only what this nurse did or was given.
    #[serde(default)]
    #[ts(optional = nullable)]
    pub nurse: Option<Uuid>,
}

/// One figure: how many of how many.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(rename = "ReportsFigure")]
pub struct Figure {
    /// Which.
    pub code: FigureCode,
    /// Which part of it: an age of open complaints.
    pub slice: Option<String>,
    /// How many.
    #[ts(type = "number")]
    pub numerator: i64,
    /// Of how many; 0 shows as "—", not as 0 %.
    #[ts(type = "number")]
    pub denominator: i64,
    /// Filters that say nothing about it and were passed over.
    pub without: Vec<Filter>,
}

/// What can be asked for by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(rename = "ReportsPart")]
pub enum Part {
    /// Discharges and whether they were followed up.
    Discharges,
    /// Tasks: completion, trend, funnel, workload.
    Tasks,
    /// Calls and who made them.
    Calls,
    /// Calls by weekday and hour.
    Hours,
    /// Alerts.
    Alerts,
    /// Plans under management.
    Managed,
    /// Complaints.
    Complaints,
    /// Patients called, each once; of at most 31 days.
    People,
}

impl Part {
    /// All of them.
    pub const ALL: [Part; 8] = [
        Self::Discharges,
        Self::Tasks,
        Self::Calls,
        Self::Hours,
        Self::Alerts,
        Self::Managed,
        Self::Complaints,
        Self::People,
    ];
}

/// Asks for the figures of a period.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "ReportsFiguresRequest")]
pub struct FiguresRequest {
    /// When and where.
    pub scope: Scope,
    /// Only these; all when there is none.
    #[serde(default)]
    #[ts(as = "Option<Vec<Part>>", optional)]
    pub parts: Vec<Part>,
}

/// The figures of a period and what charts draw.
#[derive(Debug, Serialize, TS)]
#[ts(rename = "ReportsFiguresResponse")]
pub struct FiguresResponse {
    /// Every figure.
    pub figures: Vec<Figure>,
    /// Due and done by day, of long periods by month.
    pub trend: Vec<TrendDay>,
    /// Due → called → reached → completed, by task.
    pub funnel: Vec<FunnelStep>,
    /// Calls by weekday and hour.
    pub answering: Vec<AnsweringHour>,
    /// Follow-up by department, most discharges first.
    pub departments: Vec<DepartmentLine>,
    /// What each nurse did, most calls first.
    pub workload: Vec<WorkloadLine>,
    /// What became of alerts, by level.
    pub alerts: Vec<AlertLine>,
    /// Complaints by category, most first.
    pub complaints: Vec<ComplaintShare>,
}

/// What a nurse had, did and called.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, TS)]
#[ts(rename = "ReportsWorkloadLine")]
pub struct WorkloadLine {
    /// Who; none for tasks that were nobody's.
    pub user_id: Option<Uuid>,
    /// Their name; empty for somebody this desk does not know yet.
    pub name: String,
    /// Tasks due.
    #[ts(type = "number")]
    pub due: i64,
    /// Of these, done.
    #[ts(type = "number")]
    pub done: i64,
    /// Calls.
    #[ts(type = "number")]
    pub calls: i64,
    /// Of these, connected.
    #[ts(type = "number")]
    pub connected: i64,
}

/// What became of the alerts of a level.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(rename = "ReportsAlertLine")]
pub struct AlertLine {
    /// `red`, `orange`, `yellow`.
    pub level: String,
    /// Handled in time.
    #[ts(type = "number")]
    pub in_time: i64,
    /// Handled late.
    #[ts(type = "number")]
    pub late: i64,
    /// Not handled.
    #[ts(type = "number")]
    pub unhandled: i64,
}

/// Complaints of a category.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(rename = "ReportsComplaintShare")]
pub struct ComplaintShare {
    /// The category's code.
    pub category: String,
    /// Complaints.
    #[ts(type = "number")]
    pub complaints: i64,
    /// These and those of every category before.
    #[ts(type = "number")]
    pub cumulative: i64,
}

/// Tasks due on a day, or in a month.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(rename = "ReportsTrendDay")]
pub struct TrendDay {
    /// The day, or the first day.
    pub on: String,
    /// The same day, or the last.
    pub until: String,
    /// Tasks due.
    #[ts(type = "number")]
    pub due: i64,
    /// Of these, done.
    #[ts(type = "number")]
    pub done: i64,
}

/// A step of the funnel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(rename = "ReportsFunnelStep")]
pub struct FunnelStep {
    /// `due`, `called`, `reached`, `completed`.
    pub step: String,
    /// Tasks.
    #[ts(type = "number")]
    pub tasks: i64,
}

/// Calls of one hour of one weekday.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(rename = "ReportsAnsweringHour")]
pub struct AnsweringHour {
    /// 1 Monday to 7 Sunday.
    pub weekday: u8,
    /// 0 to 23, hospital's clock.
    pub hour: u8,
    /// Calls.
    #[ts(type = "number")]
    pub calls: i64,
    /// Of these, connected.
    #[ts(type = "number")]
    pub connected: i64,
}

/// Follow-up of one department.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(rename = "ReportsDepartmentLine")]
pub struct DepartmentLine {
    /// The department.
    pub department: String,
    /// Discharges.
    #[ts(type = "number")]
    pub discharges: i64,
    /// Of these, followed up.
    #[ts(type = "number")]
    pub followed: i64,
    /// Tasks due.
    #[ts(type = "number")]
    pub due: i64,
    /// Of these, done.
    #[ts(type = "number")]
    pub done: i64,
}

/// Asks for the rows behind a number.
#[derive(Debug, Clone, Deserialize, TS)]
#[ts(rename = "ReportsRowsRequest")]
pub struct RowsRequest {
    /// Which figure.
    pub code: FigureCode,
    /// The rows counted in the numerator, or in the denominator.
    pub numerator: bool,
    /// When and where.
    pub scope: Scope,
    /// Only calls of one hour of one weekday; for `connection_by_call`.
    #[serde(default)]
    pub cell: Option<Cell>,
    /// Only a part that a chart tells apart: the state of alerts, the category or age of complaints.
    #[serde(default)]
    #[ts(optional = nullable)]
    pub slice: Option<String>,
    /// Skip so many.
    pub offset: u32,
    /// How many, at most 500.
    pub limit: u32,
}

/// One hour of one weekday, by the hospital's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, TS)]
#[ts(rename = "ReportsCell")]
pub struct Cell {
    /// 1 Monday to 7 Sunday.
    pub weekday: u8,
    /// 0 to 23.
    pub hour: u8,
}

/// The rows behind a number.
#[derive(Debug, Serialize, TS)]
#[ts(rename = "ReportsRowsResponse")]
pub struct RowsResponse {
    /// The rows.
    pub rows: Vec<ReportRow>,
    /// How many there are in all: the number itself.
    #[ts(type = "number")]
    pub total: i64,
    /// Above the line.
    #[ts(type = "number")]
    pub numerator: i64,
    /// Below the line.
    #[ts(type = "number")]
    pub denominator: i64,
    /// Filters that say nothing about these rows and were passed over.
    pub without: Vec<Filter>,
}

/// One row behind a number.
#[derive(Debug, Clone, Serialize, TS)]
pub struct ReportRow {
    /// Discharge, task, call, enrolment, alert or complaint.
    pub record_id: Uuid,
    /// Whose; a complaint may be nobody's.
    pub patient_id: Option<Uuid>,
    /// The patient's name; of complaints empty, these stand by their number.
    pub name: aftercare_domain::personal::Personal,
    /// A complaint's number.
    pub number: Option<String>,
    /// A complaint's category.
    pub category: Option<String>,
    /// The hospital's number.
    pub mrn: Option<String>,
    /// Discharged, due, called, anchored or raised.
    pub on: String,
    /// Where.
    pub department: String,
    /// Plan, where there is one.
    pub plan_code: Option<String>,
    /// Who did it or was given it; empty where nobody is told apart.
    pub nurse: String,
    /// Whether the row is in the numerator.
    pub counted: bool,
}

/// The Excel of a period.
#[derive(Deserialize, TS)]
#[ts(rename = "ReportsExportRequest")]
pub struct ExportRequest {
    /// When and where.
    pub scope: Scope,
    /// The file; replaced when the new one is whole.
    pub path: String,
    /// The signed-in person's password again.
    pub password: String,
    /// What for; stands in the watermark and in the audit trail.
    pub reason: String,
    /// Names, IDs and phones in full (needs the right to reveal).
    pub reveal: bool,
    /// The language of headings.
    #[serde(default)]
    pub language: Language,
}

/// The Excel of the rows behind a number.
#[derive(Clone, Deserialize, TS)]
#[ts(rename = "ReportsRowsExportRequest")]
pub struct RowsExportRequest {
    /// Which rows; all of them, from the first on.
    pub rows: RowsRequest,
    /// The file; replaced when the new one is whole.
    pub path: String,
    /// The signed-in person's password again.
    pub password: String,
    /// What for; stands in the watermark and in the audit trail.
    pub reason: String,
    /// Names in full (needs the right to reveal).
    pub reveal: bool,
    /// The language of headings.
    #[serde(default)]
    pub language: Language,
}

/// What was exported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(rename = "ReportsExportResponse")]
pub struct ExportResponse {
    /// The file.
    pub path: String,
    /// Rows of the detail sheet.
    #[ts(type = "number")]
    pub rows: i64,
    /// Its size.
    #[ts(type = "number")]
    pub bytes: u64,
}

/// Asks for the departments that have discharged anybody.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "ReportsDepartmentsRequest")]
pub struct DepartmentsRequest {}

/// Departments to choose from.
#[derive(Debug, Serialize, TS)]
#[ts(rename = "ReportsDepartmentsResponse")]
pub struct DepartmentsResponse {
    /// By name.
    pub departments: Vec<String>,
    /// Plans that anybody was ever called by.
    pub plans: Vec<PlanChoice>,
    /// Who ever called or was given a task.
    pub nurses: Vec<Choice>,
    /// Sites of the patients here.
    pub sites: Vec<Choice>,
}

/// A plan to choose.
#[derive(Debug, Serialize, TS)]
#[ts(rename = "ReportsPlanChoice")]
pub struct PlanChoice {
    /// Its code.
    pub code: String,
    /// Its Chinese name.
    pub zh: String,
    /// Its English name.
    pub en: String,
}

/// A person or site to choose.
#[derive(Debug, Serialize, TS)]
#[ts(rename = "ReportsChoice")]
pub struct Choice {
    /// Which.
    pub id: Uuid,
    /// Its name.
    pub name: String,
}
