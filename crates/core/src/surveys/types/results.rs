//! Results, and the rows behind them.

use aftercare_domain::forms::LocalText;
use aftercare_domain::survey::{Channel, Estimate, Kind, LoyaltyWeights, Measures, Scale};
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use uuid::Uuid;

use crate::words::Language;

/// When and where figures are looked at.
#[derive(Debug, Clone, Default, Deserialize, TS)]
#[serde(default)]
#[ts(rename = "SurveyScope")]
pub struct ScopeRequest {
    /// Answered from this day, `YYYY-MM-DD`.
    pub from: String,
    /// To this day.
    pub to: String,
    /// Only this kind.
    pub kind: Option<Kind>,
    /// Only this department.
    pub department: Option<String>,
    /// Only this doctor.
    pub doctor: Option<String>,
    /// Only this site.
    pub site_id: Option<Uuid>,
}

/// Which figure's rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(rename = "SurveyRowsOf")]
pub enum RowsOf {
    /// Every sheet.
    #[default]
    Sheets,
    /// Those that count.
    Valid,
    /// Those that do not.
    Invalid,
    /// Those with a score.
    Scored,
    /// Satisfied with the whole.
    Good,
    /// Rated the whole.
    Rated,
    /// 9 or 10.
    Promoters,
    /// 0 to 6.
    Detractors,
    /// Answered the question of recommending.
    Recommending,
    /// Would come back.
    ComeBack,
    /// Answered that question.
    ComeBackAsked,
    /// Below the hospital's limit.
    Low,
}

/// Asks for the rows behind a figure, newest first.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "SurveyRowsRequest")]
pub struct RowsRequest {
    /// When and where.
    pub scope: ScopeRequest,
    /// Which.
    #[serde(default)]
    pub of: RowsOf,
    /// Only those with a score in this dimension.
    #[serde(default)]
    pub dimension: Option<String>,
    /// Only of this round.
    #[serde(default)]
    pub round_id: Option<Uuid>,
    /// Where the page before ended.
    #[serde(default)]
    pub cursor: Option<String>,
    /// Rows, 1 to 200.
    pub limit: u32,
}

/// A page of rows.
#[derive(Debug, Serialize, TS)]
#[ts(rename = "SurveyRows")]
pub struct RowsResponse {
    /// The page.
    pub rows: Vec<SheetRow>,
    /// How many there are in all.
    #[ts(type = "number")]
    pub total: i64,
    /// Where the next page begins; none at the end.
    pub next_cursor: Option<String>,
}

/// A sheet in a list.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(rename = "SurveySheetRow")]
pub struct SheetRow {
    /// The sheet that counts.
    pub id: Uuid,
    /// Number on the paper.
    pub sheet_no: String,
    /// What it asks about.
    pub kind: Kind,
    /// How.
    pub channel: Channel,
    /// When it was answered.
    pub answered_on: String,
    /// Day of the visit.
    pub visited_on: Option<String>,
    /// Department.
    pub department: String,
    /// Doctor.
    pub doctor: String,
    /// Score, 0–100.
    pub score: Option<f64>,
    /// The question for the whole, 1–5.
    #[ts(type = "number | null")]
    pub overall: Option<i64>,
    /// 0–10.
    #[ts(type = "number | null")]
    pub nps: Option<i64>,
    /// Whether it counts.
    pub valid: bool,
    /// Why not: `too_few`, `all_same`, `too_fast`.
    pub invalid_reason: Option<String>,
    /// How long it took.
    #[ts(type = "number | null")]
    pub seconds: Option<i64>,
    /// Who asked.
    pub caller: String,
    /// Who answered, if known.
    pub patient_id: Option<Uuid>,
    /// It was corrected.
    pub corrected: bool,
    /// It was taken back.
    pub withdrawn: bool,
}

/// Asks for the results of a scope.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "SurveyResultsRequest")]
pub struct ResultsRequest {
    /// When and where.
    pub scope: ScopeRequest,
}

/// Numbers of a group with what follows from them.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(rename = "SurveyFigures")]
pub struct Figures {
    /// Numerators and denominators.
    pub measures: Measures,
    /// 满意度得分, 0–100.
    pub score: Option<Estimate>,
    /// 满意率, percent.
    pub satisfied: Option<Estimate>,
    /// 净推荐值, −100 to 100.
    pub nps: Option<Estimate>,
    /// 愿再来比例, percent.
    pub come_back: Option<Estimate>,
    /// Too few sheets to be compared.
    pub small: bool,
}

/// A group of the results.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(rename = "SurveyGroup")]
pub struct Group {
    /// Code of the dimension, department, doctor, or month `YYYY-MM`.
    pub key: String,
    /// What people see; the key if empty.
    pub name: LocalText,
    /// Numbers.
    pub figures: Figures,
    /// Place by score among the groups with enough sheets; equal scores share one.
    pub rank: Option<u32>,
}

/// 忠诚度指数 with its parts.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(rename = "SurveyLoyalty")]
pub struct Loyalty {
    /// 0–100.
    pub index: Option<f64>,
    /// Shares of the parts.
    pub weights: LoyaltyWeights,
    /// 12 月复诊留存: people seen in the same days of the year before. The denominator.
    #[ts(type = "number")]
    pub observed: i64,
    /// Of these, came again within twelve months of the last time. The numerator.
    #[ts(type = "number")]
    pub retained: i64,
    /// 净推荐值 of the scope.
    pub nps: Option<f64>,
    /// 愿再来比例, percent.
    pub come_back: Option<f64>,
}

/// The results of a scope.
#[derive(Debug, Serialize, TS)]
#[ts(rename = "SurveyResults")]
pub struct ResultsResponse {
    /// How points became a hundred.
    pub scale: Scale,
    /// Groups with fewer valid sheets are marked.
    pub min_n: u32,
    /// The whole.
    pub whole: Figures,
    /// 问卷回收率: invited in the days.
    #[ts(type = "number")]
    pub invited: i64,
    /// Of these, answered validly.
    #[ts(type = "number")]
    pub answered: i64,
    /// With its interval, percent.
    pub response: Option<Estimate>,
    /// By dimension, in the order of the questionnaire.
    pub dimensions: Vec<Group>,
    /// By department, best first, small groups last.
    pub departments: Vec<Group>,
    /// By doctor, likewise; at most 200.
    pub doctors: Vec<Group>,
    /// By month of the period.
    pub months: Vec<Group>,
}

/// Asks for the loyalty index of a scope.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "SurveyLoyaltyRequest")]
pub struct LoyaltyRequest {
    /// When and where.
    pub scope: ScopeRequest,
}

/// Writes sheets and results as Excel.
#[derive(Deserialize, TS)]
#[ts(rename = "SurveyExportRequest")]
pub struct ExportRequest {
    /// When and where.
    pub scope: ScopeRequest,
    /// The file, `.xlsx`.
    pub path: String,
    /// The language of headings.
    pub language: Language,
    /// Why the data leaves the program.
    pub reason: String,
    /// The signed-in person's password.
    pub password: String,
}

/// What was written.
#[derive(Debug, Serialize, TS)]
#[ts(rename = "SurveyExported")]
pub struct ExportResponse {
    /// The file.
    pub path: String,
    /// Rows of sheets.
    #[ts(type = "number")]
    pub rows: i64,
}
