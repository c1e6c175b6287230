//! The whole way of a file into the archive, in one transaction.

use std::path::Path;

use aftercare_domain::error_code::ErrorCode;
use aftercare_tabular::Row;
use rusqlite::Connection;
use serde_json::json;

use super::apply::{Apply, Outcome};
use super::clean::Cleaner;
use super::people;
use super::plan::{self, Matching, Plan};
use super::problem::{Code, Problem, Weight};
use super::report;
use super::requests::{ProblemLine, RunRequest, RunResult};
use super::source;
use super::spans::Span;
use super::store::{self, BatchRecord};
use super::words;
use crate::app::Ctx;
use crate::app::jobs::Progress;
use crate::archive::Indexer;
use crate::change_log::Writer;
use crate::error::{Error, Result};
use crate::followup::Enroller;
use crate::reports::dashboard;
use crate::words::Language;
use crate::{audit, settings};

/// Rows between two looks at progress and cancellation.
const ROWS_PER_LOOK: u64 = 64;
/// Problems listed in the answer; the report and the batch's page have all.
const LISTED: usize = 20_000;

/// What was counted.
#[derive(Debug, Clone, Copy, Default)]
pub struct Tally {
    /// Rows of data.
    pub rows: u64,
    /// New discharges.
    pub created: u64,
    /// Changed.
    pub updated: u64,
    /// Nothing new.
    pub unchanged: u64,
    /// Stayed in the file.
    pub rejected: u64,
    /// No data.
    pub left_out: u64,
    /// Warnings, those of rows that are no data included.
    pub warnings: u64,
    /// Suspected duplicates.
    pub duplicates: u64,
}

/// Imports a file. Nothing is written when it fails, is stopped, or is a dry run.
pub fn run(ctx: &Ctx, request: &RunRequest, progress: &Progress) -> Result<RunResult> {
    let path = Path::new(&request.path);
    let matching = request.columns.as_deref().map_or(Matching::Recognised, Matching::Chosen);
    let plan = ctx.read(|connection| plan::open(connection, path, request.sheet, &matching, progress))?;
    let sha = source::fingerprint(path, progress)?;
    let result = ctx.db().with_large_cache(|| {
        let mut tried = None;
        let written = ctx.write(|writer| {
            let result = write_batch(ctx, writer, plan, request, sha, progress)?;
            progress.check()?;
            if request.dry_run {
                tried = Some(result);
                // Rolls the transaction back; what it would have said is kept outside.
                return Err(Error::new(ErrorCode::Cancelled));
            }
            Ok(result)
        });
        match (written, tried) {
            (_, Some(result)) => {
                let detail =
                    json!({ "rows": result.rows, "created": result.created, "updated": result.updated });
                ctx.audit("imports.try", None, detail)?;
                Ok(result)
            }
            (written, None) => written,
        }
    })?;
    dashboard::beside(ctx);
    Ok(result)
}

fn write_batch(
    ctx: &Ctx,
    writer: &mut Writer<'_>,
    mut plan: Plan,
    request: &RunRequest,
    sha: [u8; 32],
    progress: &Progress,
) -> Result<RunResult> {
    let layout = plan.layout();
    let missing = plan.missing(&layout);
    if !missing.is_empty() {
        return Err(Error::new(ErrorCode::ColumnsMissing).with("missing", missing.join(",")));
    }
    writer.keep_overwritten();
    let cleaner = Cleaner {
        mrn_width: plan.mrn_width(&layout),
        layout,
        area: area_code(writer.connection())?,
        today: ctx.local_now().date(),
    };
    let span = Span::begin(writer)?;
    let mut apply = Apply {
        span,
        indexer: Indexer::default(),
        enroller: Enroller::new(writer.connection())?,
        site_id: store::site(writer.connection())?,
        today: cleaner.today,
        archive_width: if cleaner.mrn_width.is_none() {
            people::width_in_archive(writer.connection())?
        } else {
            None
        },
    };
    let mut told = Told::new(request.language.unwrap_or_default());
    let started_at = writer.now_millis();
    import_rows(writer, &mut plan, &cleaner, &mut apply, &mut told, progress)?;
    apply.indexer.finish(writer.connection())?;
    let format = source::format_word(&plan.table, &plan.path);
    let encoding = source::encoding_word(&plan.table);
    let batch = BatchRecord {
        id: writer.new_id(),
        number: span.batch,
        file_name: plan.file_name(),
        sha,
        format,
        encoding: encoding.clone(),
        started_at,
        finished_at: ctx.now().timestamp_millis(),
        tally: told.tally,
        profile: store::profile_json(&plan)?,
    };
    store::create_batch(writer, &batch)?;
    span.end(writer, false)?;
    if let Some(to) = &request.report {
        report::write(
            writer.connection(),
            &batch.info(),
            Path::new(to),
            told.language,
            request.dry_run,
            ctx.local_now(),
        )?;
    }
    if !request.dry_run {
        let detail = json!({ "batch": span.batch, "rows": told.tally.rows, "created": told.tally.created,
            "updated": told.tally.updated, "rejected": told.tally.rejected });
        audit::append(
            writer.connection(),
            started_at,
            ctx.user_id(),
            "imports.run",
            Some(batch.id),
            &detail,
        )?;
    }
    let deleted_rows = plan.table.deleted_rows();
    Ok(RunResult { deleted_rows, ..told.result((!request.dry_run).then_some(span.batch), format, encoding) })
}

fn import_rows(
    writer: &mut Writer<'_>,
    plan: &mut Plan,
    cleaner: &Cleaner,
    apply: &mut Apply,
    told: &mut Told,
    progress: &Progress,
) -> Result<()> {
    let batch = apply.span.batch;
    let mut row = Row::default();
    let mut problems = Vec::new();
    let mut count = 0_u64;
    while plan.table.next_row(&mut row).map_err(source::refusal)? {
        count += 1;
        if count.is_multiple_of(ROWS_PER_LOOK) {
            progress.check()?;
            let read = plan.table.progress();
            progress.set(read.done, read.total);
        }
        if cleaner.layout.is_heading(&row) {
            continue;
        }
        problems.clear();
        let mut patient_id = None;
        let outcome = if let Some(code) = cleaner.layout.left_out(&row) {
            problems.push(Problem::of_row(code));
            Outcome::LeftOut
        } else {
            match cleaner.clean(&row, &mut problems) {
                None => Outcome::Rejected,
                Some(record) => {
                    let applied = apply.record(writer, record, &mut problems)?;
                    patient_id = applied.patient_id;
                    told.tally.duplicates += applied.duplicates;
                    applied.outcome
                }
            }
        };
        told.row(row.number, outcome, &problems);
        store::add_row(writer.connection(), batch, &row, outcome, patient_id, &problems)?;
        for overwritten in writer.take_overwritten() {
            store::add_before(writer.connection(), batch, &overwritten)?;
        }
    }
    Ok(())
}

/// The hospital's area code with its 0, as numbers are written within China.
fn area_code(connection: &Connection) -> Result<Option<String>> {
    let code = settings::load(connection)?.area_code;
    let code = code.trim().trim_start_matches('0');
    Ok((!code.is_empty()).then(|| format!("0{code}")))
}

/// What is told at the end.
struct Told {
    language: Language,
    tally: Tally,
    rejected: Vec<ProblemLine>,
    warnings: Vec<ProblemLine>,
    not_listed: (u64, u64),
}

impl Told {
    fn new(language: Language) -> Self {
        Self {
            language,
            tally: Tally::default(),
            rejected: Vec::new(),
            warnings: Vec::new(),
            not_listed: (0, 0),
        }
    }

    fn row(&mut self, number: u64, outcome: Outcome, problems: &[Problem]) {
        match outcome {
            Outcome::Created => self.tally.created += 1,
            Outcome::Updated => self.tally.updated += 1,
            Outcome::Unchanged => self.tally.unchanged += 1,
            Outcome::Rejected => self.tally.rejected += 1,
            Outcome::LeftOut => self.tally.left_out += 1,
        }
        if outcome != Outcome::LeftOut {
            self.tally.rows += 1;
        }
        for problem in problems {
            let refuses = problem.code.weight() == Weight::Rejection;
            let (list, over) = if refuses {
                (&mut self.rejected, &mut self.not_listed.0)
            } else {
                self.tally.warnings += 1;
                (&mut self.warnings, &mut self.not_listed.1)
            };
            if list.len() < LISTED {
                list.push(words::line(self.language, number, problem));
            } else {
                *over += 1;
            }
        }
    }

    fn result(mut self, batch: Option<i64>, format: &str, encoding: Option<String>) -> RunResult {
        for (list, over) in [(&mut self.rejected, self.not_listed.0), (&mut self.warnings, self.not_listed.1)]
        {
            if over > 0 {
                let more = Problem::of_row(Code::MoreNotListed).with("count", over);
                list.push(words::line(self.language, 0, &more));
            }
        }
        RunResult {
            batch,
            format: format.to_owned(),
            encoding,
            rows: self.tally.rows,
            created: self.tally.created,
            updated: self.tally.updated,
            unchanged: self.tally.unchanged,
            rejected: self.rejected,
            warnings: self.warnings,
            suspected_duplicates: self.tally.duplicates,
            deleted_rows: 0,
        }
    }
}
