//! A patient's history in one line of time.

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use uuid::Uuid;

/// Where a page of the timeline ends.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
#[ts(rename = "ArchiveTimelineCursor")]
pub struct TimelineCursor {
    /// Instant, milliseconds UTC.
    #[ts(type = "number")]
    pub at: i64,
    /// The last entry's record.
    pub id: Uuid,
}

/// Asks for a page of the timeline.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "ArchiveTimelineRequest")]
pub struct TimelineRequest {
    /// Whose.
    pub patient_id: Uuid,
    /// Older than this; none for the newest.
    pub before: Option<TimelineCursor>,
    /// How many, at most 100.
    pub limit: u32,
}

/// Something that happened. Prints nothing: it may quote what people said.
#[derive(Clone, Serialize, TS)]
#[ts(rename = "ArchiveTimelineEntry")]
pub struct TimelineEntry {
    /// The record it shows.
    pub id: Uuid,
    /// `encounter`, `call`, `response`, `alert`, `consult`, `consult_reply`, `consent`, `note`,
    /// `complaint`, `merge`, `import`.
    pub kind: String,
    /// Instant, milliseconds UTC.
    #[ts(type = "number")]
    pub at: i64,
    /// The words of the summary, by code, in the locale files.
    pub code: String,
    /// What the summary names: departments, outcomes, plans by name, what people wrote.
    #[ts(type = "Record<string, string | number | { zh: string, en: string }>")]
    pub params: std::collections::BTreeMap<&'static str, serde_json::Value>,
    /// Who did it.
    pub by: Option<String>,
    /// Whether it belongs to a record that was merged into this one.
    pub of_merged: bool,
}

/// A page of the timeline, newest first.
#[derive(Serialize, TS)]
#[ts(rename = "ArchiveTimelineResponse")]
pub struct TimelineResponse {
    /// The page.
    pub entries: Vec<TimelineEntry>,
    /// Where the next page begins; none at the end.
    pub next: Option<TimelineCursor>,
}
