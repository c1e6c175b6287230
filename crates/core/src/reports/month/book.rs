//! The workbook of a month: cover, the chosen sheets in their order, the detail, what was restated, and the reconciliation,
//! without which no file appears.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::AtomicU64;

use aftercare_domain::error_code::ErrorCode;
use chrono::NaiveDate;
use rusqlite::Connection;
use rust_xlsxwriter::Workbook;

use super::super::sheet::{self, Cell, Column, Holds, Look, Sheet};
use super::super::unfinished::Unfinished;
use super::content::{Content, MonthFigure};
use super::freeze::{self, Frozen, SiteState};
use super::lines::{self, Part, Parts, Population, Tally, part};
use super::restate;
use super::sheets::{self, Flag, Sum};
use super::voice::Voice;
use super::{Month, SheetKind, details};
use crate::app::jobs::Progress;
use crate::error::{Error, Result};
use crate::words::Language;

/// What to write and for whom.
pub(super) struct Order<'a> {
    pub month: Month,
    pub sheets: &'a [SheetKind],
    pub language: Language,
    pub reveal: bool,
    /// Complaints of confidential categories in full.
    pub confidential: bool,
    pub watermark: String,
    pub max_rows: u32,
    /// Today, by the hospital's clock.
    pub today: NaiveDate,
    /// When and by whom, for the cover.
    pub made: String,
    /// How complete each site is now.
    pub sites: Vec<SiteState>,
    pub progress: &'a Progress,
}

/// A month as a report shows it.
pub(super) struct Shown {
    pub parts: Parts,
    pub content: Content,
    pub figures: Vec<MonthFigure>,
    pub staff: BTreeMap<String, String>,
    pub frozen: Option<Frozen>,
}

/// Reads a month: frozen where it is frozen. Two readers share the work.
pub(super) fn shown(readers: &mut [Connection; 2], month: &Month, today: NaiveDate) -> Result<Shown> {
    let [first, second] = readers;
    if let Some(mut frozen) = freeze::read(first, month)? {
        let parts = std::mem::take(&mut frozen.parts);
        let staff = frozen.staff.clone();
        return Ok(of(parts, staff, Some(frozen)));
    }
    let read = |connection: &Connection, populations: &[Population]| -> Result<Vec<(Population, Part)>> {
        populations.iter().map(|one| Ok((*one, lines::read(connection, month, today, *one)?))).collect()
    };
    use Population::{Alerts, Called, Calls, Complaints, Discharges, Managed, Surveys, Tasks};
    let second: &mut Connection = second;
    let (one, other) = std::thread::scope(|threads| {
        let beside = threads.spawn(move || read(second, &[Tasks, Called, Alerts, Complaints]));
        let here = read(first, &[Discharges, Calls, Managed, Surveys]);
        (here, beside.join())
    });
    let other = other.map_err(|_| Error::internal("a reader's thread panicked"))?;
    let mut parts = Parts::default();
    for (population, found) in one?.into_iter().chain(other?) {
        if let Some(place) = parts.get_mut(population as usize) {
            *place = found;
        }
    }
    let staff = freeze::staff(first, &parts)?;
    Ok(of(parts, staff, None))
}

fn of(parts: Parts, staff: BTreeMap<String, String>, frozen: Option<Frozen>) -> Shown {
    let content = Content::of(&parts);
    let figures = content.figures();
    Shown { parts, content, figures, staff, frozen }
}

/// Which details the chosen sheets stand on.
fn populations(sheets: &[SheetKind]) -> Vec<Population> {
    use Population::{Alerts, Calls, Complaints, Discharges, Surveys, Tasks};
    let of = |kind: &SheetKind| -> &[Population] {
        match kind {
            SheetKind::Followup => &[Discharges, Tasks, Calls, Alerts],
            SheetKind::Complaints => &[Complaints],
            SheetKind::Satisfaction => &[Surveys],
            SheetKind::Workload => &[Tasks, Calls, Alerts],
            SheetKind::Doctors => &[Discharges, Surveys],
            SheetKind::Departments => &[Discharges, Tasks, Calls, Complaints, Surveys],
        }
    };
    let mut wanted: Vec<Population> = sheets.iter().flat_map(of).copied().collect();
    wanted.sort_unstable();
    wanted.dedup();
    wanted
}

/// Makes sheets with headings.
struct Book<'b, 'w> {
    workbook: &'b mut Workbook,
    look: &'w Look,
    voice: &'b Voice,
    watermark: &'b str,
}

impl<'w> Book<'_, 'w> {
    fn sheet(&mut self, title: &str, columns: &[(&str, f64)], words: &str) -> Result<Sheet<'w>> {
        let columns: Vec<Column> = columns
            .iter()
            .map(|(key, width)| Column {
                title: self.voice.text(&format!("{words}.{key}")).to_owned(),
                width: *width,
                holds: match key.rsplit('_').next() {
                    Some("on") => Holds::Dates,
                    Some("at") => Holds::Minutes,
                    _ => Holds::Values,
                },
            })
            .collect();
        let title = self.voice.text(title).to_owned();
        let mut made = sheet::make(self.workbook, self.look, &title, self.watermark, &columns)?;
        made.fit();
        Ok(made)
    }
}

/// Writes the workbook of `shown`; `target` appears only when it is whole and reconciled. Returns the rows of detail.
///
/// # Errors
/// `ExportTooLarge`, `ExportMismatch`, `FileUnwritable`, `DiskFull`, `Cancelled`.
pub(super) fn write(
    readers: [Connection; 2],
    shown: &Shown,
    order: &Order<'_>,
    target: &Path,
) -> Result<i64> {
    let [first, second] = readers;
    let wanted = populations(order.sheets);
    let rows = wanted.iter().map(|one| part(&shown.parts, *one).lines.len()).max().unwrap_or(0);
    if rows > order.max_rows as usize {
        return Err(Error::new(ErrorCode::ExportTooLarge).with("max", order.max_rows).with("rows", rows));
    }
    let voice = Voice::new(&first, order.language, shown.staff.clone())?;
    let compared = match &shown.frozen {
        Some(frozen) => Some(restate::compare(&first, &order.month, frozen, &shown.parts)?),
        None => None,
    };
    let mut unfinished = Unfinished::beside(target)?;
    let look = Look::new();
    let mut book =
        Book { workbook: &mut unfinished.workbook, look: &look, voice: &voice, watermark: &order.watermark };

    let mut cover = book.sheet("sheet.cover", &sheets::COVER, "cover")?;
    let sites = shown.frozen.as_ref().map_or(&order.sites, |frozen| &frozen.item.sites);
    sheets::cover(&mut cover, &voice, &facts(shown, order, &voice), sites)?;
    let mut finished = vec![cover];
    let mut sums = Vec::new();
    for kind in order.sheets {
        let mut sheet = book.sheet(&format!("sheet.{}", kind.key()), sheets::columns(*kind), "column")?;
        sums.extend(sheets::write(*kind, &mut sheet, &voice, &shown.content, &shown.figures)?);
        finished.push(sheet);
    }
    let mut detail = Vec::new();
    for population in &wanted {
        let title = format!("detail.{}", population.key());
        let sheet = book.sheet(&title, details::columns(*population), "column")?;
        detail.push((*population, sheet, Tally::default()));
    }
    write_details(&mut detail, [first, second], shown, order, &voice)?;
    let tallies: Vec<(Population, Tally)> = detail.iter().map(|(one, _, tally)| (*one, *tally)).collect();
    let written = reconcile(&sums, &tallies)?;
    let mut reconciliation = book.sheet("sheet.reconciliation", &sheets::RECONCILIATION, "reconciliation")?;
    let cut: u64 = detail.iter().map(|(_, sheet, _)| sheet.cut).sum();
    write_reconciliation(&mut reconciliation, &voice, &sums, &written, &tallies, cut)?;
    if let Some(compared) = &compared {
        let mut sheet = book.sheet("sheet.restatement", &sheets::RESTATEMENT, "restated")?;
        sheets::restatement(&mut sheet, &voice, compared)?;
        finished.push(sheet);
    }
    finished.extend(detail.into_iter().map(|(_, sheet, _)| sheet));
    finished.push(reconciliation);
    order.progress.check()?;
    unfinished.finish(finished)?;
    Ok(tallies.iter().map(|(_, tally)| tally.lines).sum())
}

/// What the cover says.
fn facts(shown: &Shown, order: &Order<'_>, voice: &Voice) -> Vec<(&'static str, String)> {
    let month = &order.month;
    let mut facts = vec![
        ("cover.month", voice.month(month)),
        ("cover.period", format!("{} – {}", month.from, month.to)),
        ("cover.made", order.made.clone()),
    ];
    if let Some(frozen) = &shown.frozen {
        let item = &frozen.item;
        facts.push(("cover.frozen", sheets::local_minute(item.as_of)));
        facts.push(("cover.frozen_by", item.by.clone()));
        if !item.reason.is_empty() {
            facts.push(("cover.frozen_why", item.reason.clone()));
        }
    } else {
        facts.push(("cover.frozen", voice.text("cover.not_frozen").to_owned()));
    }
    facts
}

/// Writes the details, the tasks on a thread of their own: they are nearly half of everything.
fn write_details<'w>(
    detail: &mut [(Population, Sheet<'w>, Tally)],
    [first, second]: [Connection; 2],
    shown: &Shown,
    order: &Order<'_>,
    voice: &Voice,
) -> Result<()> {
    let total = detail.iter().map(|(one, ..)| part(&shown.parts, *one).lines.len() as u64).sum();
    let done = AtomicU64::new(0);
    let writing = details::Writing {
        voice,
        reveal: order.reveal,
        confidential: order.confidential,
        progress: order.progress,
        done: &done,
        total,
    };
    order.progress.set(0, total);
    let (mut beside, mut here) = (Vec::new(), Vec::new());
    for one in detail.iter_mut() {
        if one.0 == Population::Tasks { beside.push(one) } else { here.push(one) }
    }
    let write = |connection: &Connection, sheets: Vec<&mut (Population, Sheet<'w>, Tally)>| -> Result<()> {
        for (population, sheet, tally) in sheets {
            *tally =
                details::write(sheet, &writing, connection, *population, part(&shown.parts, *population))?;
        }
        Ok(())
    };
    let write = &write;
    std::thread::scope(|threads| {
        let beside = threads.spawn(move || write(&second, beside));
        let here = write(&first, here);
        if here.is_err() {
            order.progress.cancel();
        }
        let beside = beside.join().map_err(|_| Error::internal("a detail's thread panicked"))?;
        here.and(beside)
    })
}

/// What the detail comes to for each sum, in their order.
///
/// # Errors
/// `ExportMismatch` where a sheet says something else.
fn reconcile(sums: &[Sum], tallies: &[(Population, Tally)]) -> Result<Vec<i64>> {
    let mut written = Vec::with_capacity(sums.len());
    for sum in sums {
        let tally = tallies.iter().find(|(one, _)| *one == sum.population).map(|(_, tally)| *tally);
        let tally = tally.unwrap_or_default();
        let count = match sum.flag {
            Flag::Rows => tally.lines,
            Flag::Of(flag) => tally.of(sum.population, flag),
            Flag::Value => tally.value,
        };
        if count != sum.on_sheet {
            return Err(Error::new(ErrorCode::ExportMismatch)
                .with("figure", format!("{}.{}", sum.sheet.key(), sum.item))
                .with("counted", sum.on_sheet)
                .with("written", count));
        }
        written.push(count);
    }
    Ok(written)
}

fn write_reconciliation(
    sheet: &mut Sheet<'_>,
    voice: &Voice,
    sums: &[Sum],
    written: &[i64],
    tallies: &[(Population, Tally)],
    cut: u64,
) -> Result<()> {
    for (sum, written) in sums.iter().zip(written) {
        let (name, item) = (format!("sheet.{}", sum.sheet.key()), format!("sum.{}", sum.item));
        sheet.row([
            Cell::Text(voice.text(&name)),
            Cell::Text(voice.text(&item)),
            Cell::Integer(sum.on_sheet),
            Cell::Integer(*written),
            Cell::Integer(sum.on_sheet - written),
        ])?;
    }
    for (population, tally) in tallies {
        let name = format!("detail.{}", population.key());
        let rows = Cell::Text(voice.text("sum.rows"));
        sheet.row([Cell::Text(voice.text(&name)), rows, Cell::Empty, Cell::Integer(tally.lines)])?;
    }
    let cut = Cell::Integer(i64::try_from(cut).unwrap_or(i64::MAX));
    sheet.row([Cell::Empty, Cell::Text(voice.text("sum.cut")), Cell::Empty, cut])
}
