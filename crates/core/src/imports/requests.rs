//! What the import commands take and answer.

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use uuid::Uuid;

use crate::words::Language;

/// Looks into a file without importing anything.
#[derive(Deserialize, TS)]
#[ts(rename = "ImportsInspectRequest")]
pub struct InspectRequest {
    /// The file.
    pub path: String,
    /// Index of the sheet; the first visible one with content when none.
    #[ts(type = "number | null")]
    pub sheet: Option<usize>,
    /// A profile to match columns by; when none, one is recognised by the headings.
    pub profile: Option<Uuid>,
}

/// A sheet of a workbook.
#[derive(Debug, Serialize, TS)]
#[ts(rename = "ImportsSheet")]
pub struct SheetInfo {
    /// As on its tab.
    pub name: String,
    /// Whether people see its tab.
    pub visible: bool,
}

/// A column of the file and what it was taken for.
#[derive(Debug, Serialize, TS)]
#[ts(rename = "ImportsColumn")]
pub struct ColumnInfo {
    /// From 0.
    #[ts(type = "number")]
    pub index: usize,
    /// The heading as it stands in the file.
    pub heading: String,
    /// The field it fills, if one was recognised.
    pub field: Option<String>,
    /// 0 to 100; from 80 on it is used without asking.
    pub confidence: u8,
    /// The first few different values, masked where they are a patient's.
    pub samples: Vec<String>,
}

/// A row of the preview, masked.
#[derive(Debug, Serialize, TS)]
#[ts(rename = "ImportsPreviewRow")]
pub struct PreviewRow {
    /// Its number in the file.
    #[ts(type = "number")]
    pub row: u64,
    /// Why it is no data: `title_row`, `total_row` …
    pub left_out: Option<String>,
    /// Its cells, masked.
    pub cells: Vec<String>,
}

/// What a file turned out to be.
#[derive(Debug, Serialize, TS)]
#[ts(rename = "ImportsInspectResponse")]
pub struct InspectResponse {
    /// Its name without the folder.
    pub file_name: String,
    /// Bytes on disk.
    #[ts(type = "number")]
    pub bytes: u64,
    /// csv, tsv, xlsx, xls, et, dbf, html.
    pub format: String,
    /// gb18030, utf-8, utf-16le …
    pub encoding: Option<String>,
    /// The sheets of a workbook.
    pub sheets: Vec<SheetInfo>,
    /// The sheet looked at.
    #[ts(type = "number | null")]
    pub sheet: Option<usize>,
    /// Number of the row of headings.
    #[ts(type = "number")]
    pub heading_row: u64,
    /// The columns.
    pub columns: Vec<ColumnInfo>,
    /// The first rows.
    pub preview: Vec<PreviewRow>,
    /// Fields that are needed and have no column: `name`, `identity`.
    pub missing: Vec<String>,
    /// The profile that was used.
    pub profile: Option<ProfileInfo>,
    /// Earlier batches of the very same file.
    #[ts(type = "number[]")]
    pub same_file: Vec<i64>,
}

/// What a column fills, as a person chose it.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
#[ts(rename = "ImportsColumnChoice")]
pub struct ColumnChoice {
    /// From 0.
    #[ts(type = "number")]
    pub index: usize,
    /// The field, or none to leave the column out.
    pub field: Option<String>,
}

/// Imports a file, or tries it.
#[derive(Deserialize, TS)]
#[ts(rename = "ImportsRunRequest")]
pub struct RunRequest {
    /// The file.
    pub path: String,
    /// Index of the sheet.
    #[ts(type = "number | null")]
    #[serde(default)]
    pub sheet: Option<usize>,
    /// What the columns fill; recognised by themselves when none.
    #[serde(default)]
    pub columns: Option<Vec<ColumnChoice>>,
    /// Whether to roll everything back at the end.
    #[serde(default)]
    pub dry_run: bool,
    /// Language of the messages.
    #[serde(default)]
    pub language: Option<Language>,
    /// Where to write the workbook of rows with problems.
    #[serde(default)]
    pub report: Option<String>,
}

/// A problem of a row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(rename = "ImportsProblem")]
pub struct ProblemLine {
    /// The row's number in the file, as Excel shows it.
    #[ts(type = "number")]
    pub row: u64,
    /// Which field; `row` for the row as a whole.
    pub field: String,
    /// A stable word.
    pub code: String,
    /// What it means and what to do, in the language asked for.
    pub message: String,
}

/// What an import, or a dry run, did. Exactly what `import --json` prints.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(rename = "ImportsResult")]
pub struct RunResult {
    /// The batch's number on this desk; none for a dry run.
    #[ts(type = "number | null")]
    pub batch: Option<i64>,
    /// csv, tsv, xlsx, xls, et, dbf, html.
    pub format: String,
    /// gb18030, utf-8, utf-16le …
    pub encoding: Option<String>,
    /// Rows of data: created + updated + unchanged + rejected.
    #[ts(type = "number")]
    pub rows: u64,
    /// Rows whose discharge is new.
    #[ts(type = "number")]
    pub created: u64,
    /// Rows that changed a person or a discharge the archive had.
    #[ts(type = "number")]
    pub updated: u64,
    /// Rows that said nothing new.
    #[ts(type = "number")]
    pub unchanged: u64,
    /// Why rows were not imported.
    pub rejected: Vec<ProblemLine>,
    /// What is worth a look in rows that were, and rows that are no data.
    pub warnings: Vec<ProblemLine>,
    /// Pairs noted for a person to settle.
    #[ts(type = "number")]
    pub suspected_duplicates: u64,
    /// Records that the file itself marks as deleted; a .dbf keeps them until it is packed. They were passed over.
    #[ts(type = "number")]
    pub deleted_rows: u64,
}

/// Long work that was begun.
#[derive(Debug, Serialize, TS)]
#[ts(rename = "ImportsJob")]
pub struct JobStarted {
    /// Ask `settings_job` for it.
    pub job: Uuid,
}

/// Asks for batches, newest first.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "ImportsBatchesRequest")]
pub struct BatchesRequest {
    /// How many at most, up to 200.
    pub limit: u32,
}

/// One import.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(rename = "ImportsBatch")]
pub struct BatchInfo {
    /// The batch.
    pub id: Uuid,
    /// What people call it.
    #[ts(type = "number")]
    pub number: i64,
    /// The file's name without the folder.
    pub file_name: String,
    /// csv, tsv …
    pub format: String,
    /// gb18030 …
    pub encoding: Option<String>,
    /// When, milliseconds UTC.
    #[ts(type = "number")]
    pub started_at: i64,
    /// When it was written, milliseconds UTC.
    #[ts(type = "number")]
    pub finished_at: i64,
    /// Who, by display name.
    pub user: String,
    /// Rows of data.
    #[ts(type = "number")]
    pub rows: i64,
    /// Rows whose discharge was new.
    #[ts(type = "number")]
    pub created: i64,
    /// Rows that changed something.
    #[ts(type = "number")]
    pub updated: i64,
    /// Rows that said nothing new.
    #[ts(type = "number")]
    pub unchanged: i64,
    /// Rows that stayed in the file.
    #[ts(type = "number")]
    pub rejected: i64,
    /// Rows that are no data.
    #[ts(type = "number")]
    pub left_out: i64,
    /// Warnings.
    #[ts(type = "number")]
    pub warnings: i64,
    /// Suspected duplicates.
    #[ts(type = "number")]
    pub duplicates: i64,
    /// When it was taken back.
    #[ts(type = "number | null")]
    pub undone_at: Option<i64>,
    /// Whether this desk has its rows, so that it can be looked into and taken back here.
    pub here: bool,
}

/// Batches, newest first.
#[derive(Debug, Serialize, TS)]
#[ts(rename = "ImportsBatchesResponse")]
pub struct BatchesResponse {
    /// Newest first.
    pub batches: Vec<BatchInfo>,
}

/// Asks for rows of a batch.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "ImportsBatchRequest")]
pub struct BatchRequest {
    /// Its number or its id.
    pub batch: String,
    /// created, updated, unchanged, rejected, left_out; `warned` for imported rows with a warning; all when none.
    pub outcome: Option<String>,
    /// Rows after this number.
    #[ts(type = "number | null")]
    pub after: Option<i64>,
    /// How many at most, up to 500.
    pub limit: u32,
    /// Language of the messages.
    pub language: Option<Language>,
}

/// What became of one row.
#[derive(Debug, Serialize, TS)]
#[ts(rename = "ImportsRow")]
pub struct RowInfo {
    /// Its number in the file.
    #[ts(type = "number")]
    pub row: i64,
    /// created, updated, unchanged, rejected, left_out.
    pub outcome: String,
    /// Whom it became.
    pub patient_id: Option<Uuid>,
    /// That person's name, masked.
    pub patient_name: Option<String>,
    /// What was wrong.
    pub problems: Vec<ProblemLine>,
}

/// A batch and a page of its rows.
#[derive(Debug, Serialize, TS)]
#[ts(rename = "ImportsBatchResponse")]
pub struct BatchResponse {
    /// The batch.
    pub batch: BatchInfo,
    /// The rows.
    pub rows: Vec<RowInfo>,
    /// Whether there are more.
    pub more: bool,
}

/// Writes the workbook of a batch's rows with problems.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "ImportsReportRequest")]
pub struct ReportRequest {
    /// Its number or its id.
    pub batch: String,
    /// Where to.
    pub path: String,
    /// Language of the messages.
    pub language: Option<Language>,
}

/// The workbook that was written.
#[derive(Debug, Serialize, TS)]
#[ts(rename = "ImportsReportResponse")]
pub struct ReportResponse {
    /// Where it lies.
    pub path: String,
    /// How many rows it has.
    #[ts(type = "number")]
    pub rows: u64,
}

/// Takes a batch back.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "ImportsUndoRequest")]
pub struct UndoRequest {
    /// Its number or its id.
    pub batch: String,
}

/// What taking a batch back did. Exactly what `undo-import --json` prints.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(rename = "ImportsUndoResult")]
pub struct UndoResult {
    /// The batch's number.
    #[ts(type = "number")]
    pub batch: i64,
    /// People who are no longer in the archive.
    #[ts(type = "number")]
    pub patients_removed: u64,
    /// Discharges that are no longer in the archive.
    #[ts(type = "number")]
    pub encounters_removed: u64,
    /// Values that were put back.
    #[ts(type = "number")]
    pub values_restored: u64,
    /// Values that somebody changed since; they stay.
    #[ts(type = "number")]
    pub values_kept: u64,
    /// People whom somebody has worked with since; they stay with their discharges.
    #[ts(type = "number")]
    pub patients_kept: u64,
    /// Follow-up tasks that were withdrawn.
    #[ts(type = "number")]
    pub tasks_withdrawn: u64,
}

/// Asks for the saved profiles.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "ImportsProfilesRequest")]
pub struct ProfilesRequest {}

/// A saved matching of columns.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(rename = "ImportsProfile")]
pub struct ProfileInfo {
    /// The profile.
    pub id: Uuid,
    /// What people call it.
    pub name: String,
}

/// The saved profiles, by name.
#[derive(Debug, Serialize, TS)]
#[ts(rename = "ImportsProfilesResponse")]
pub struct ProfilesResponse {
    /// By name.
    pub profiles: Vec<ProfileInfo>,
}

/// Saves how the columns of a file are matched; it is recognised by its headings from then on.
#[derive(Deserialize, TS)]
#[ts(rename = "ImportsProfileSaveRequest")]
pub struct ProfileSaveRequest {
    /// Which one to change.
    pub id: Option<Uuid>,
    /// What people call it.
    pub name: String,
    /// Heading and field of every column, in order.
    pub columns: Vec<ProfileColumn>,
}

/// One column of a profile.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
#[ts(rename = "ImportsProfileColumn")]
pub struct ProfileColumn {
    /// The heading.
    pub heading: String,
    /// The field, or none.
    pub field: Option<String>,
}

/// Deletes a profile.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "ImportsProfileDeleteRequest")]
pub struct ProfileDeleteRequest {
    /// Which.
    pub id: Uuid,
}
