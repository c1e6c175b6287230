//! The month's workbook: summary, departments, detail, discharges, reconciliation.
//!
//! The summary counts by query, the detail is written row by row and counted as it is written;
//! the reconciliation sheet holds the two against each other, and a difference is an error,
//! not a workbook.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use aftercare_domain::error_code::ErrorCode;
use rusqlite::Connection;
use rust_xlsxwriter::Workbook;

use super::figures;
use super::labels::Labels;
use super::sheet::{self, Cell, Column, Holds, Look, Sheet};
use super::unfinished::Unfinished;
use super::{DepartmentLine, Figure, FigureCode, Scope};
use super::{detail_sheet, discharges};
use crate::error::{Error, Result};
use crate::words::{Language, Words};

/// What to write and for whom.
pub(super) struct Order<'a> {
    pub scope: &'a Scope,
    pub language: Language,
    pub reveal: bool,
    pub watermark: String,
    pub max_rows: u32,
}

/// Counted while the detail was written.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Totals {
    pub rows: i64,
    pub counted: i64,
    pub done: i64,
    pub timely: i64,
    pub taken_back: i64,
    pub discharges: i64,
    pub followed: i64,
    pub cut: u64,
}

impl Totals {
    /// These and what was counted on another sheet.
    fn with(self, other: Self) -> Self {
        Self {
            rows: self.rows + other.rows,
            counted: self.counted + other.counted,
            done: self.done + other.done,
            timely: self.timely + other.timely,
            taken_back: self.taken_back + other.taken_back,
            discharges: self.discharges + other.discharges,
            followed: self.followed + other.followed,
            cut: self.cut + other.cut,
        }
    }
}

/// Writes the workbook. `target` appears only when it is whole and reconciled. `readers` see one and the same snapshot,
/// so that the summary and the detail, read side by side, show the same data while others write.
///
/// Errors: `ExportTooLarge`, `ExportMismatch`, `FileUnwritable`, `DiskFull`.
pub(super) fn write(readers: [Connection; 2], order: &Order<'_>, target: &Path) -> Result<Totals> {
    let words = Words::read(match order.language {
        Language::Chinese => include_str!("../../../../assets/locales/zh-CN/reports.json"),
        Language::English => include_str!("../../../../assets/locales/en/reports.json"),
    });
    let mut unfinished = Unfinished::beside(target)?;
    let look = Look::new();
    let mut book = Book { workbook: &mut unfinished.workbook, look: &look, words: &words, order };
    let mut summary = book.sheet("summary", &SUMMARY)?;
    let mut departments = book.sheet("departments", &DEPARTMENTS)?;
    let mut detail = book.sheet("detail", &detail_sheet::COLUMNS)?;
    let mut discharges = book.sheet("discharges", &discharges::COLUMNS)?;
    let mut reconciliation = book.sheet("reconciliation", &RECONCILIATION)?;

    let [detail_reader, reader] = readers;
    let labels = Labels::new(&words);
    let stop = AtomicBool::new(false);
    let (figures, totals) = std::thread::scope(|threads| {
        let beside = threads.spawn(|| detail_sheet::write(&mut detail, &labels, order, detail_reader, &stop));
        let mut here = || -> Result<(Vec<Figure>, Totals)> {
            let (figures, lines) = figures::figures_and_departments(&reader, order.scope)?;
            refuse_too_many(&figures, order)?;
            write_summary(&mut summary, &words, &figures)?;
            write_departments(&mut departments, &lines)?;
            let totals = discharges::write(&mut discharges, &labels, order, &reader)?;
            Ok((figures, totals))
        };
        let here = here();
        stop.store(here.is_err(), Ordering::Relaxed);
        let beside = beside.join().map_err(|_| Error::internal("the detail's thread panicked"))?;
        let (figures, totals) = here?;
        Ok::<_, Error>((figures, totals.with(beside?)))
    })?;
    reconcile(&figures, &totals)?;
    write_reconciliation(&mut reconciliation, &words, &figures, &totals)?;
    unfinished.finish([summary, departments, detail, discharges, reconciliation])?;
    Ok(totals)
}

/// What every sheet is made with.
struct Book<'b, 'w> {
    workbook: &'b mut Workbook,
    look: &'w Look,
    words: &'w Words,
    order: &'w Order<'w>,
}

impl<'w> Book<'_, 'w> {
    /// A sheet with headings. A column named `…_on` holds dates, one named `…_at` minutes.
    fn sheet(&mut self, name: &str, columns: &[(&str, f64)]) -> Result<Sheet<'w>> {
        let columns: Vec<Column> = columns
            .iter()
            .map(|(key, width)| Column {
                title: self.words.text(&format!("export.{name}.{key}")).to_owned(),
                width: *width,
                holds: match key.rsplit('_').next() {
                    Some("on") => Holds::Dates,
                    Some("at") => Holds::Minutes,
                    _ => Holds::Values,
                },
            })
            .collect();
        let title = self.words.text(&format!("export.sheet.{name}")).to_owned();
        sheet::make(self.workbook, self.look, &title, &self.order.watermark, &columns)
    }
}

fn find(figures: &[Figure], code: FigureCode) -> Figure {
    let none = Figure { code, slice: None, numerator: 0, denominator: 0, without: Vec::new() };
    figures.iter().find(|figure| figure.code == code).cloned().unwrap_or(none)
}

fn refuse_too_many(figures: &[Figure], order: &Order<'_>) -> Result<()> {
    let rows = find(figures, FigureCode::Completion)
        .denominator
        .max(find(figures, FigureCode::FollowupRatio).denominator);
    if rows > i64::from(order.max_rows) {
        return Err(Error::new(ErrorCode::ExportTooLarge).with("max", order.max_rows).with("rows", rows));
    }
    Ok(())
}

const SUMMARY: [(&str, f64); 5] =
    [("figure", 28.0), ("numerator", 12.0), ("denominator", 12.0), ("share", 10.0), ("meaning", 80.0)];
const DEPARTMENTS: [(&str, f64); 7] = [
    ("department", 20.0),
    ("discharges", 12.0),
    ("followed", 12.0),
    ("ratio", 12.0),
    ("due", 12.0),
    ("done", 12.0),
    ("done_share", 12.0),
];
const RECONCILIATION: [(&str, f64); 4] =
    [("item", 44.0), ("counted", 14.0), ("written", 14.0), ("difference", 12.0)];

fn share(numerator: i64, denominator: i64) -> Cell<'static> {
    // A share of nothing is a dash, not 0 %.
    if denominator == 0 { Cell::Text("—") } else { Cell::Share(numerator as f64 / denominator as f64) }
}

fn write_summary(sheet: &mut Sheet<'_>, words: &Words, figures: &[Figure]) -> Result<()> {
    for figure in figures {
        let key = figure.code.key();
        sheet.row([
            Cell::Text(words.text(&format!("figure.{key}"))),
            Cell::Integer(figure.numerator),
            Cell::Integer(figure.denominator),
            share(figure.numerator, figure.denominator),
            Cell::Text(words.text(&format!("meaning.{key}"))),
        ])?;
    }
    Ok(())
}

fn write_departments(sheet: &mut Sheet<'_>, lines: &[DepartmentLine]) -> Result<()> {
    for line in lines {
        sheet.row([
            Cell::Text(&line.department),
            Cell::Integer(line.discharges),
            Cell::Integer(line.followed),
            share(line.followed, line.discharges),
            Cell::Integer(line.due),
            Cell::Integer(line.done),
            share(line.done, line.due),
        ])?;
    }
    Ok(())
}

/// Pairs of the same number counted twice: by query, and while writing.
fn pairs(figures: &[Figure], totals: &Totals) -> [(&'static str, i64, i64); 5] {
    let completion = find(figures, FigureCode::Completion);
    let timeliness = find(figures, FigureCode::Timeliness);
    let ratio = find(figures, FigureCode::FollowupRatio);
    [
        ("due", completion.denominator, totals.counted),
        ("done", timeliness.denominator, totals.done),
        ("timely", completion.numerator, totals.timely),
        ("discharges", ratio.denominator, totals.discharges),
        ("followed", ratio.numerator, totals.followed),
    ]
}

fn reconcile(figures: &[Figure], totals: &Totals) -> Result<()> {
    let rows = [("rows", totals.counted + totals.taken_back, totals.rows)];
    let mut pairs = pairs(figures, totals).into_iter().chain(rows);
    match pairs.find(|(_, by_query, written)| by_query != written) {
        None => Ok(()),
        Some((name, by_query, written)) => Err(Error::new(ErrorCode::ExportMismatch)
            .with("figure", name)
            .with("counted", by_query)
            .with("written", written)),
    }
}

fn write_reconciliation(
    sheet: &mut Sheet<'_>,
    words: &Words,
    figures: &[Figure],
    totals: &Totals,
) -> Result<()> {
    for (name, counted, written) in pairs(figures, totals) {
        sheet.row([
            Cell::Text(words.text(&format!("export.reconciliation.{name}"))),
            Cell::Integer(counted),
            Cell::Integer(written),
            Cell::Integer(counted - written),
        ])?;
    }
    for (name, number) in [
        ("taken_back", totals.taken_back),
        ("rows", totals.rows),
        ("cut", i64::try_from(totals.cut).unwrap_or(i64::MAX)),
    ] {
        let key = format!("export.reconciliation.{name}");
        sheet.row([Cell::Text(words.text(&key)), Cell::Empty, Cell::Integer(number)])?;
    }
    Ok(())
}
