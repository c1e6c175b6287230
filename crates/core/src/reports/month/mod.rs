//! 月报: the month's sheets, chosen and ordered by the supervisor, as one workbook or in the hospital's own form; and 月结,
//! the month as it was reported.
//!
//! - `lines`: what is counted, record by record; `content`: what sheets show, folded from lines;
//! - `freeze`: lines kept as facts; `restate`: a frozen month held against the records as they are;
//! - `book`, `sheets`, `details`: the workbook; `fill`: placeholders of a template and what stands for them.
//!
//! A frozen month is folded from its own lines by the same code, so its sheets, its form and its detail agree as well.

mod book;
pub mod commands;
mod content;
mod details;
mod fill;
mod freeze;
mod lines;
mod restate;
mod sheets;
#[cfg(test)]
mod tests;
mod voice;

use chrono::{Datelike, Months, NaiveDate};
use rusqlite::Connection;
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use uuid::Uuid;

use crate::error::{Error, Result};
use crate::words::Language;
use aftercare_domain::error_code::ErrorCode;

pub use content::MonthFigure;
pub use fill::PlaceholderInfo;
pub use freeze::{FreezeItem, SiteState};
pub use lines::Population;
pub use restate::{RestatedCount, RestatedFigure, Restatement};

/// A calendar month.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Month {
    pub from: NaiveDate,
    pub to: NaiveDate,
}

impl Month {
    /// Reads `YYYY-MM`.
    ///
    /// # Errors
    /// `Invalid` with `month`.
    fn parse(text: &str) -> Result<Self> {
        let from = (text.len() == 7).then(|| format!("{text}-01").parse::<NaiveDate>().ok()).flatten();
        let to = from.and_then(|from| from.checked_add_months(Months::new(1))?.pred_opt());
        match from.zip(to) {
            Some((from, to)) if (2000..=2199).contains(&from.year()) => Ok(Self { from, to }),
            _ => Err(Error::field("month", ErrorCode::BadDate)),
        }
    }

    /// `YYYY-MM`.
    fn text(&self) -> String {
        self.from.format("%Y-%m").to_string()
    }
}

/// A sheet that a report may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(rename = "MonthSheet")]
pub enum SheetKind {
    /// 随访: figures and days.
    Followup,
    /// 投诉.
    Complaints,
    /// 满意度.
    Satisfaction,
    /// 工作量: by nurse.
    Workload,
    /// 医生.
    Doctors,
    /// 科室.
    Departments,
}

impl SheetKind {
    /// All, in the order that is offered first.
    pub const ALL: [Self; 6] = [
        Self::Followup,
        Self::Complaints,
        Self::Satisfaction,
        Self::Workload,
        Self::Doctors,
        Self::Departments,
    ];

    pub(super) fn key(self) -> &'static str {
        match self {
            Self::Followup => "followup",
            Self::Complaints => "complaints",
            Self::Satisfaction => "satisfaction",
            Self::Workload => "workload",
            Self::Doctors => "doctors",
            Self::Departments => "departments",
        }
    }
}

/// Reads everything that a month counts, one population after the other.
fn read_live(connection: &Connection, month: &Month, today: NaiveDate) -> Result<lines::Parts> {
    let mut parts = lines::Parts::default();
    for (population, part) in Population::ALL.into_iter().zip(&mut parts) {
        *part = lines::read(connection, month, today, population)?;
    }
    Ok(parts)
}

/// Asks how a month stands.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "MonthRequest")]
pub struct MonthRequest {
    /// `YYYY-MM`.
    pub month: String,
}

/// How a month stands.
#[derive(Debug, Serialize, TS)]
#[ts(rename = "MonthOverview")]
pub struct MonthOverview {
    /// `YYYY-MM`.
    pub month: String,
    /// First day.
    pub from: String,
    /// Last day.
    pub to: String,
    /// Whether it is over: only then it can be frozen.
    pub over: bool,
    /// Its figures: frozen ones where it is frozen.
    pub figures: Vec<MonthFigure>,
    /// How complete each site is now. Empty where there is only this desk.
    pub sites: Vec<SiteState>,
    /// Its freezes, newest first.
    pub freezes: Vec<FreezeItem>,
    /// Named reports.
    pub definitions: Vec<ReportDefinition>,
}

/// What came after a month was frozen.
#[derive(Debug, Serialize, TS)]
#[ts(rename = "MonthRestatementResponse")]
pub struct RestatementResponse {
    /// None where the month is not frozen.
    pub restatement: Option<Restatement>,
}

/// Freezes a month.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "MonthFreezeRequest")]
pub struct FreezeRequest {
    /// `YYYY-MM`; it must be over.
    pub month: String,
    /// Why it is frozen again; needed where it is frozen already.
    #[serde(default)]
    pub reason: String,
}

/// A named report: which sheets in which order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(rename = "ReportDefinition")]
pub struct ReportDefinition {
    /// None for a new one.
    pub id: Option<Uuid>,
    /// What the supervisor calls it.
    pub name: String,
    /// Its sheets.
    pub sheets: Vec<SheetKind>,
}

/// Removes a named report.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "ReportDefinitionRemoveRequest")]
pub struct DefinitionRemoveRequest {
    /// Which.
    pub id: Uuid,
}

/// Writes a month's workbook, or fills the hospital's form.
#[derive(Deserialize, TS)]
#[ts(rename = "MonthExportRequest")]
pub struct MonthExportRequest {
    /// `YYYY-MM`.
    pub month: String,
    /// The sheets, in their order; for a template they are not asked.
    #[serde(default)]
    pub sheets: Vec<SheetKind>,
    /// The hospital's own form to fill.
    #[serde(default)]
    pub template: Option<String>,
    /// The file; replaced when the new one is whole.
    pub path: String,
    /// The signed-in person's password again.
    pub password: String,
    /// What for; stands in the watermark and in the audit trail.
    pub reason: String,
    /// Names, IDs and phones in full (needs the right to reveal).
    #[serde(default)]
    pub reveal: bool,
    /// The language of headings.
    #[serde(default)]
    pub language: Language,
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(rename = "MonthExportResponse")]
pub struct MonthExportResponse {
    /// The file.
    pub path: String,
    /// Rows of detail; of a form, cells that were filled.
    #[ts(type = "number")]
    pub rows: i64,
    /// Its size.
    #[ts(type = "number")]
    pub bytes: u64,
    /// The freeze whose figures it shows.
    pub freeze: Option<Uuid>,
}

/// Asks for everything a template may name.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "MonthPlaceholdersRequest")]
pub struct PlaceholdersRequest {
    /// The language of their meanings.
    #[serde(default)]
    pub language: Language,
}

/// Everything a template may name.
#[derive(Debug, Serialize, TS)]
#[ts(rename = "MonthPlaceholdersResponse")]
pub struct PlaceholdersResponse {
    /// In the order they are listed.
    pub placeholders: Vec<PlaceholderInfo>,
}

/// Writes the example template to a file.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "MonthExampleRequest")]
pub struct ExampleRequest {
    /// Where to.
    pub path: String,
    /// The language of its words.
    #[serde(default)]
    pub language: Language,
}
