//! Lists, board, signals, figures.

use aftercare_domain::complaint::{Clock, ComplaintKind, ComplaintStatus};
use aftercare_domain::personal::Personal;
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use uuid::Uuid;

/// Which complaints.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(rename = "ComplaintView")]
pub enum View {
    /// Not ended, newest first.
    #[default]
    Open,
    /// Waiting for the signed-in person's move, most urgent first.
    Mine,
    /// Unanswered, most urgent first.
    Due,
    /// Ended.
    Ended,
    /// All.
    All,
}

/// Asks for a page of complaints.
#[derive(Debug, Default, Deserialize, TS)]
#[serde(default)]
#[ts(rename = "ComplaintListRequest")]
pub struct ListRequest {
    /// Which.
    pub view: View,
    /// Only in this state.
    pub status: Option<ComplaintStatus>,
    /// Only complaints, praise or suggestions.
    pub kind: Option<ComplaintKind>,
    /// Only about this department.
    pub department: Option<String>,
    /// Only of this category.
    pub category: Option<String>,
    /// Only of this patient.
    pub patient_id: Option<Uuid>,
    /// The beginning of a number, or a patient as one finds them.
    pub find: Option<Personal>,
    /// Where the page before ended.
    pub cursor: Option<String>,
    /// Rows, 1 to 200.
    pub limit: u32,
}

/// A page of complaints.
#[derive(Debug, Serialize, TS)]
#[ts(rename = "ComplaintListResponse")]
pub struct ListResponse {
    /// The page.
    pub rows: Vec<ListItem>,
    /// Where the next page begins; none at the end.
    pub next_cursor: Option<String>,
}

/// A complaint in a list.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(rename = "ComplaintItem")]
pub struct ListItem {
    /// The complaint.
    pub id: Uuid,
    /// Its number.
    pub number: String,
    /// What it is.
    pub kind: ComplaintKind,
    /// Where it stands.
    pub status: ComplaintStatus,
    /// First level.
    pub category: String,
    /// Second level.
    pub subcategory: String,
    /// `A`, `B`, `C`.
    pub severity: String,
    /// Departments, the lead first.
    pub departments: Vec<String>,
    /// Who complains; empty when anonymous.
    pub complainant: Personal,
    /// About whose care.
    pub patient_name: Personal,
    /// The beginning of the matter.
    pub summary: Personal,
    /// Milliseconds UTC.
    #[ts(type = "number")]
    pub received_at: i64,
    /// Until when, `YYYY-MM-DD`.
    pub due_on: Option<String>,
    /// How that stands today.
    pub clock: Clock,
    /// Who investigates.
    pub investigator: Option<String>,
    /// An extension waits for approval.
    pub wants_time: bool,
    /// Of a confidential category.
    pub confidential: bool,
    /// It was reopened.
    pub reopened: bool,
}

/// Asks for the numbers of the board.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "ComplaintBoardRequest")]
pub struct BoardRequest {}

/// How many stand where.
#[derive(Debug, Serialize, TS)]
#[ts(rename = "ComplaintBoard")]
pub struct Board {
    /// Complaints by state, every state that is not an end.
    pub states: Vec<BoardState>,
    /// Unanswered and past their day.
    pub overdue: u32,
    /// Due today.
    pub today: u32,
    /// Within the first warning.
    pub soon: u32,
    /// Waiting for the signed-in person.
    pub mine: u32,
    /// Praise and suggestions not yet taken note of.
    pub others: u32,
    /// Promises past their day.
    pub promises: u32,
    /// Complaints of one kind that came often: for the supervisor.
    pub signals: Vec<Signal>,
}

/// A state with its number.
#[derive(Debug, Serialize, TS)]
#[ts(rename = "ComplaintBoardState")]
pub struct BoardState {
    /// The state.
    pub status: ComplaintStatus,
    /// How many.
    pub count: u32,
}

/// Several complaints of one kind about one department.
#[derive(Debug, Serialize, TS)]
#[ts(rename = "ComplaintSignal")]
pub struct Signal {
    /// The department.
    pub department: String,
    /// The category.
    pub category: String,
    /// How many within the signal's days.
    pub count: u32,
    /// Within so many days.
    pub days: u32,
}

/// Asks for figures of a period.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "ComplaintFiguresRequest")]
pub struct FiguresRequest {
    /// First day, `YYYY-MM-DD`.
    pub from: String,
    /// Last day.
    pub to: String,
}

/// Figures of the complaints received in a period. Praise and suggestions are counted apart and in none of the others.
#[derive(Debug, PartialEq, Serialize, TS)]
#[ts(rename = "ComplaintFigures")]
pub struct Figures {
    /// Complaints received.
    pub complaints: u32,
    /// Praise received.
    pub praise: u32,
    /// Suggestions received.
    pub suggestions: u32,
    /// Answered by their deadline, of those answered or past it.
    pub in_time: Ratio,
    /// Founded or partly founded, of those with a verdict.
    pub founded: Ratio,
    /// Satisfied or fairly satisfied, of those who gave a rating.
    pub satisfied: Ratio,
    /// Reopened, of those ever closed.
    pub reopened: Ratio,
    /// By category, most first.
    pub categories: Vec<Share>,
    /// By department, most first; a complaint about two departments counts in both.
    pub departments: Vec<Share>,
}

/// A part of a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
#[ts(rename = "ComplaintRatio")]
pub struct Ratio {
    /// The part.
    pub part: u32,
    /// The whole.
    pub whole: u32,
}

/// A part with its name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(rename = "ComplaintShare")]
pub struct Share {
    /// Category code or department.
    pub name: String,
    /// How many.
    pub count: u32,
}

/// Asks when something received on a day must be answered.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "ComplaintDeadlineRequest")]
pub struct DeadlineRequest {
    /// The day of receipt, `YYYY-MM-DD`; it does not count.
    pub from: String,
    /// Working days, at most 1000.
    pub days: u32,
}

/// Until when.
#[derive(Debug, Serialize, TS)]
#[ts(rename = "ComplaintDeadline")]
pub struct DeadlineResponse {
    /// The last day, a working day.
    pub due_on: String,
    /// It lies beyond the last published calendar: holidays may still move it.
    pub unconfirmed: bool,
}
