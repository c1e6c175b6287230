//! Figures that can be asked, and the month's Excel.
//!
//! Every figure is a share of a population: two flags over the rows of one query. Counting and
//! showing the rows behind a number use the same query, so they cannot disagree.

pub mod commands;
mod detail;
mod detail_sheet;
mod discharges;
mod export;
mod figures;
mod gather;
mod labels;
pub(crate) mod sheet;
mod store;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use uuid::Uuid;

use crate::words::Language;

pub use figures::FigureCode;

/// A period and, if wanted, one department.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(rename = "ReportsScope")]
pub struct Scope {
    /// First day, `YYYY-MM-DD`.
    pub from: String,
    /// Last day, `YYYY-MM-DD`.
    pub to: String,
    /// Only this department.
    pub department: Option<String>,
}

/// One figure: how many of how many.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(rename = "ReportsFigure")]
pub struct Figure {
    /// Which.
    pub code: FigureCode,
    /// How many.
    #[ts(type = "number")]
    pub numerator: i64,
    /// Of how many; 0 shows as "—", not as 0 %.
    #[ts(type = "number")]
    pub denominator: i64,
}

/// Asks for the figures of a period.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "ReportsFiguresRequest")]
pub struct FiguresRequest {
    /// When and where.
    pub scope: Scope,
}

/// The figures of a period and what charts draw.
#[derive(Debug, Serialize, TS)]
#[ts(rename = "ReportsFiguresResponse")]
pub struct FiguresResponse {
    /// Every figure.
    pub figures: Vec<Figure>,
    /// Due and done by day.
    pub trend: Vec<TrendDay>,
    /// Due → called → reached → completed, by patient.
    pub funnel: Vec<FunnelStep>,
    /// Calls by weekday and hour.
    pub answering: Vec<AnsweringHour>,
    /// Follow-up by department, most discharges first.
    pub departments: Vec<DepartmentLine>,
}

/// Tasks due on a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(rename = "ReportsTrendDay")]
pub struct TrendDay {
    /// The day.
    pub on: String,
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
    /// Patients.
    #[ts(type = "number")]
    pub patients: i64,
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
#[derive(Debug, Deserialize, TS)]
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
}

/// One row behind a number.
#[derive(Debug, Clone, Serialize, TS)]
pub struct ReportRow {
    /// Discharge, task, call, enrolment or alert.
    pub record_id: Uuid,
    /// Whose.
    pub patient_id: Uuid,
    /// The patient's name.
    pub name: aftercare_domain::personal::Personal,
    /// The hospital's number.
    pub mrn: Option<String>,
    /// Discharged, due, called, anchored or raised.
    pub on: String,
    /// Where.
    pub department: String,
    /// Plan, where there is one.
    pub plan_code: Option<String>,
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
}
