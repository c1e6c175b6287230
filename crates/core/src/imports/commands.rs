//! Looking into files, importing them, and what became of them.

use std::path::Path;

use aftercare_domain::error_code::ErrorCode;
use aftercare_domain::{id_number, person_name, phone};
use aftercare_tabular::Row;
use serde_json::json;

use super::fields::{Field, Kind};
use super::plan::{self, Matching, Plan};
use super::rows::Layout;
use super::{
    BatchRequest, BatchResponse, BatchesRequest, BatchesResponse, ColumnInfo, InspectRequest,
    InspectResponse, JobStarted, PreviewRow, ProfileDeleteRequest, ProfileInfo, ProfileSaveRequest,
    ProfilesRequest, ProfilesResponse, ReportRequest, ReportResponse, RunRequest, RunResult, SheetInfo,
    UndoRequest, UndoResult,
};
use super::{profiles, report, run, source, store, undo};
use crate::app::Ctx;
use crate::app::jobs::{self, Progress};
use crate::audit;
use crate::commands::Done;
use crate::error::{Error, Result};

/// Rows of the preview.
const PREVIEW_ROWS: usize = 12;
/// Different values shown beside a heading.
const SAMPLES: usize = 3;
/// Characters of an address that are shown: enough to tell that it is one.
const PLACE: usize = 6;
/// Characters of a value that are shown.
const SHOWN: usize = 40;

/// Looks into a file: what it is, its sheets, its columns and what they were taken for, its first rows masked.
pub fn inspect(ctx: &Ctx, request: InspectRequest) -> Result<InspectResponse> {
    let path = Path::new(&request.path);
    let progress = Progress::unwatched();
    let matching = request.profile.map_or(Matching::Recognised, Matching::Profile);
    let plan = ctx.read(|connection| plan::open(connection, path, request.sheet, &matching, &progress))?;
    let sha = source::fingerprint(path, &progress)?;
    let same_file = ctx.read(|connection| store::of_same_file(connection, &sha))?;
    let layout = plan.layout();
    let sheets = plan.table.sheets().iter();
    Ok(InspectResponse {
        file_name: plan.file_name(),
        bytes: std::fs::metadata(path)?.len(),
        format: source::format_word(&plan.table, path).to_owned(),
        encoding: source::encoding_word(&plan.table),
        sheets: sheets.map(|sheet| SheetInfo { name: sheet.name.clone(), visible: sheet.visible }).collect(),
        sheet: plan.table.sheet(),
        heading_row: plan.headings.last_row,
        columns: columns(&plan, &layout),
        preview: preview(&plan, &layout),
        missing: plan.missing(&layout).into_iter().map(str::to_owned).collect(),
        profile: plan.profile,
        same_file,
    })
}

fn columns(plan: &Plan, layout: &Layout) -> Vec<ColumnInfo> {
    let data = |row: &&Row| !layout.is_heading(row) && layout.left_out(row).is_none();
    let rows: Vec<&Row> = plan.sample.iter().filter(data).take(50).collect();
    plan.headings
        .columns
        .iter()
        .map(|column| {
            let mut samples: Vec<String> = Vec::new();
            for row in &rows {
                let text = masked(column.field, &row.cell(column.index).to_text());
                if !text.is_empty() && !samples.contains(&text) && samples.len() < SAMPLES {
                    samples.push(text);
                }
            }
            ColumnInfo {
                index: column.index,
                heading: column.heading.clone(),
                field: column.field.map(|field| field.code().to_owned()),
                confidence: column.confidence,
                samples,
            }
        })
        .collect()
}

fn preview(plan: &Plan, layout: &Layout) -> Vec<PreviewRow> {
    let width = plan.headings.columns.iter().map(|column| column.index + 1).max().unwrap_or(0);
    let field = |at: usize| {
        plan.headings.columns.iter().find(|column| column.index == at).and_then(|column| column.field)
    };
    let rows = plan.sample.iter().filter(|row| !layout.is_heading(row)).take(PREVIEW_ROWS);
    rows.map(|row| {
        let left_out = layout.left_out(row);
        // A title or a footer names the hospital and perhaps a clerk, not a patient.
        let cells = (0..width).map(|at| masked(field(at), &row.cell(at).to_text())).collect();
        PreviewRow { row: row.number, left_out: left_out.map(|code| code.as_str().to_owned()), cells }
    })
    .collect()
}

/// A value as it may be shown to anybody who imports. Of a column that is not known only the shape is shown.
fn masked(field: Option<Field>, text: &str) -> String {
    let text = text.trim();
    let shown = match field.map(Field::kind) {
        Some(Kind::Name) => {
            person_name::clean(text).map_or_else(|_| shape(text), |clean| person_name::mask(&clean.bare))
        }
        Some(Kind::IdNumber) => id_number::mask(text),
        Some(Kind::Phone) => phone::mask(text),
        Some(Kind::Private) => {
            text.chars().take((text.chars().count() / 2).min(PLACE)).chain(['…']).collect()
        }
        Some(Kind::Birth) => text.chars().take(4).chain(['…']).collect(),
        None => shape(text),
        Some(_) => text.to_owned(),
    };
    if text.is_empty() { String::new() } else { shown.chars().take(SHOWN).collect() }
}

/// `张三丰` is `×××`, `13800138000` is `00000000000`: enough to know a column by.
fn shape(text: &str) -> String {
    let letter = |c: char| match c {
        '0'..='9' => '0',
        c if c.is_ascii_alphabetic() => 'a',
        c if c.is_alphabetic() => '×',
        c => c,
    };
    text.chars().map(letter).collect()
}

/// Imports a file, or tries it, and waits for the end: for the command line and nightly runs.
pub fn run(ctx: &Ctx, request: RunRequest) -> Result<RunResult> {
    run::run(ctx, &request, &Progress::unwatched())
}

/// Begins to import a file, or to try it. The job's result is the same as that of `imports_run`.
pub fn start(ctx: &Ctx, request: RunRequest) -> Result<JobStarted> {
    let job = jobs::start(ctx, "imports_start", move |ctx, progress| run::run(ctx, &request, progress))?;
    Ok(JobStarted { job })
}

/// The newest batches.
pub fn batches(ctx: &Ctx, request: BatchesRequest) -> Result<BatchesResponse> {
    Ok(BatchesResponse { batches: ctx.read(|connection| store::batches(connection, request.limit))? })
}

/// One batch with a page of its rows.
///
/// Errors: `NotFound`.
pub fn batch(ctx: &Ctx, request: BatchRequest) -> Result<BatchResponse> {
    let limit = request.limit.clamp(1, 500);
    let language = request.language.unwrap_or_default();
    let outcome = request.outcome.as_deref();
    ctx.read(|connection| {
        let batch = store::batch(connection, &request.batch)?;
        let after = request.after.unwrap_or(-1);
        let mut rows = if batch.here {
            store::rows(connection, batch.number, outcome, after, limit + 1, language)?
        } else {
            Vec::new()
        };
        let more = rows.len() > limit as usize;
        rows.truncate(limit as usize);
        Ok(BatchResponse { batch, rows, more })
    })
}

/// Writes the workbook of a batch's rows with problems. It holds patients in full, so it is written down.
///
/// Errors: `NotFound`, `BatchElsewhere`, `FileUnwritable`, `DiskFull`.
pub fn write_report(ctx: &Ctx, request: ReportRequest) -> Result<ReportResponse> {
    let language = request.language.unwrap_or_default();
    let (batch, rows) = ctx.read(|connection| {
        let batch = store::batch(connection, &request.batch)?;
        if !batch.here {
            return Err(Error::new(ErrorCode::BatchElsewhere).with("batch", batch.number));
        }
        let path = Path::new(&request.path);
        let rows = report::write(connection, &batch, path, language, false, ctx.local_now())?;
        Ok((batch, rows))
    })?;
    ctx.audit("imports.report", Some(batch.id), json!({ "rows": rows }))?;
    Ok(ReportResponse { path: request.path, rows })
}

/// Begins to take a batch back.
pub fn start_undo(ctx: &Ctx, request: UndoRequest) -> Result<JobStarted> {
    let job =
        jobs::start(ctx, "imports_undo", move |ctx, progress| undo::undo(ctx, &request.batch, progress))?;
    Ok(JobStarted { job })
}

/// Takes a batch back and waits for the end.
///
/// Errors: `NotFound`, `BatchUndone`, `BatchElsewhere`.
pub fn run_undo(ctx: &Ctx, request: UndoRequest) -> Result<UndoResult> {
    undo::undo(ctx, &request.batch, &Progress::unwatched())
}

/// The saved profiles.
pub fn profiles(ctx: &Ctx, _: ProfilesRequest) -> Result<ProfilesResponse> {
    Ok(ProfilesResponse { profiles: ctx.read(profiles::all)? })
}

/// Saves a profile.
///
/// Errors: `Invalid` with fields.
pub fn profile_save(ctx: &Ctx, request: ProfileSaveRequest) -> Result<ProfileInfo> {
    ctx.write(|writer| {
        let saved = profiles::save(writer, &request)?;
        let (now, user) = (writer.now_millis(), writer.user());
        audit::append(writer.connection(), now, user, "imports.profile_save", Some(saved.id), &json!({}))?;
        Ok(saved)
    })
}

/// Deletes a profile.
///
/// Errors: `NotFound`.
pub fn profile_delete(ctx: &Ctx, request: ProfileDeleteRequest) -> Result<Done> {
    ctx.write(|writer| {
        profiles::delete(writer, request.id)?;
        let (now, user) = (writer.now_millis(), writer.user());
        audit::append(writer.connection(), now, user, "imports.profile_delete", Some(request.id), &json!({}))
    })?;
    Ok(Done {})
}
