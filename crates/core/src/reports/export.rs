//! The month's workbook: summary, departments, detail, discharges, reconciliation.
//!
//! The summary counts by query, the detail is written row by row and counted as it is written;
//! the reconciliation sheet holds the two against each other, and a difference is an error,
//! not a workbook.

use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use aftercare_domain::error_code::ErrorCode;
use aftercare_domain::{id_number, person_name, phone};
use rusqlite::Connection;
use rust_xlsxwriter::Workbook;

use super::detail::{self, DetailRow, Names};
use super::figures::{self, FigureCode};
use super::sheet::{self, Cell, Column, Look, Sheet};
use super::{DepartmentLine, Figure, Scope};
use crate::error::{Error, Result};
use crate::words::{Language, Words};

/// Rows handed from the reader to the writer at a time.
const BATCH: usize = 512;

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

/// Writes the workbook. `target` appears only when it is whole and reconciled.
///
/// Errors: `ExportTooLarge`, `ExportMismatch`, `FileUnwritable`, `DiskFull`.
pub(super) fn write(connection: Connection, order: &Order<'_>, target: &Path) -> Result<Totals> {
    let words = Words::read(match order.language {
        Language::Chinese => include_str!("../../../../assets/locales/zh-CN/reports.json"),
        Language::English => include_str!("../../../../assets/locales/en/reports.json"),
    });
    let folder = target.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let unwritable = |error: std::io::Error| Error::new(ErrorCode::FileUnwritable).caused_by(error);
    let file =
        tempfile::Builder::new().prefix(".aftercare-export-").tempfile_in(folder).map_err(unwritable)?;
    // One snapshot: the summary and the detail see the same data while others write.
    connection.execute_batch("BEGIN")?;
    let figures = figures::figures(&connection, order.scope)?;
    let departments = figures::departments(&connection, order.scope)?;
    refuse_too_many(&figures, order)?;
    let look = Look::new();
    let mut workbook = Workbook::new();
    workbook.set_tempdir(folder).map_err(sheet::unwritten)?;
    write_summary(&mut workbook, &look, &words, order, &figures)?;
    write_departments(&mut workbook, &look, &words, order, &departments)?;
    let mut totals = write_detail(&mut workbook, &look, &words, order, &connection)?;
    write_discharges(&mut workbook, &look, &words, order, &connection, &mut totals)?;
    reconcile(&figures, &totals)?;
    write_reconciliation(&mut workbook, &look, &words, order, &figures, &totals)?;
    workbook.save_to_writer(file.as_file()).map_err(sheet::unwritten)?;
    file.as_file().sync_all()?;
    file.persist(target).map_err(|error| unwritable(error.error))?;
    Ok(totals)
}

fn find(figures: &[Figure], code: FigureCode) -> Figure {
    let none = Figure { code, numerator: 0, denominator: 0 };
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

fn columns(words: &Words, sheet: &str, keys: &[(&str, f64)]) -> Vec<Column> {
    keys.iter()
        .map(|(key, width)| Column {
            title: words.text(&format!("export.{sheet}.{key}")).to_owned(),
            width: *width,
        })
        .collect()
}

fn share(numerator: i64, denominator: i64) -> Cell {
    // A share of nothing is a dash, not 0 %.
    if denominator == 0 {
        Cell::Text("—".to_owned())
    } else {
        Cell::Share(numerator as f64 / denominator as f64)
    }
}

fn write_summary(
    workbook: &mut Workbook,
    look: &Look,
    words: &Words,
    order: &Order<'_>,
    figures: &[Figure],
) -> Result<()> {
    let columns = columns(
        words,
        "summary",
        &[("figure", 28.0), ("numerator", 12.0), ("denominator", 12.0), ("share", 10.0), ("meaning", 80.0)],
    );
    let mut sheet =
        sheet::add(workbook, look, words.text("export.sheet.summary"), &order.watermark, &columns)?;
    for figure in figures {
        let key = figure.code.key();
        sheet.row([
            Cell::Text(words.text(&format!("figure.{key}")).to_owned()),
            Cell::Integer(figure.numerator),
            Cell::Integer(figure.denominator),
            share(figure.numerator, figure.denominator),
            Cell::Text(words.text(&format!("meaning.{key}")).to_owned()),
        ])?;
    }
    Ok(())
}

fn write_departments(
    workbook: &mut Workbook,
    look: &Look,
    words: &Words,
    order: &Order<'_>,
    lines: &[DepartmentLine],
) -> Result<()> {
    let keys = [
        ("department", 20.0),
        ("discharges", 12.0),
        ("followed", 12.0),
        ("ratio", 12.0),
        ("due", 12.0),
        ("done", 12.0),
        ("done_share", 12.0),
    ];
    let columns = columns(words, "departments", &keys);
    let mut sheet =
        sheet::add(workbook, look, words.text("export.sheet.departments"), &order.watermark, &columns)?;
    for line in lines {
        sheet.row([
            Cell::Text(line.department.clone()),
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

/// The columns of the detail sheet, in their order.
pub(super) const DETAIL: [(&str, f64); 32] = [
    ("mrn", 12.0),
    ("visit_no", 14.0),
    ("name", 10.0),
    ("sex", 6.0),
    ("age", 6.0),
    ("id_number", 20.0),
    ("number", 14.0),
    ("department", 14.0),
    ("doctor", 10.0),
    ("diagnosis_code", 14.0),
    ("diagnosis", 24.0),
    ("admitted_at", 16.0),
    ("discharged_at", 16.0),
    ("disposition", 12.0),
    ("plan", 18.0),
    ("plan_version", 8.0),
    ("timepoint", 8.0),
    ("due_on", 11.0),
    ("window_starts_on", 11.0),
    ("window_ends_on", 11.0),
    ("status", 10.0),
    ("end_reason", 16.0),
    ("attempts", 8.0),
    ("called_at", 16.0),
    ("outcome", 12.0),
    ("talk_seconds", 10.0),
    ("ended_at", 16.0),
    ("timely", 8.0),
    ("class", 12.0),
    ("alert", 14.0),
    ("caller", 10.0),
    ("remark", 30.0),
];

/// Reads on one thread and writes on this one: the two take about as long.
fn write_detail(
    workbook: &mut Workbook,
    look: &Look,
    words: &Words,
    order: &Order<'_>,
    connection: &Connection,
) -> Result<Totals> {
    let columns = columns(words, "detail", &DETAIL);
    let sheet = sheet::add(workbook, look, words.text("export.sheet.detail"), &order.watermark, &columns)?;
    let names = Names::read(connection, order.language)?;
    let (send, receive) = sync_channel::<Vec<DetailRow>>(4);
    std::thread::scope(|threads| {
        // The connection stays on this thread with its snapshot; the cells are written on the other.
        let writer = threads.spawn(|| write_batches(sheet, receive, words, &names, order));
        let read = read_batches(connection, order.scope, send);
        let written = writer.join().map_err(|_| Error::internal("the sheet's thread panicked"))?;
        // The writer's error is the cause when it hung up on the reader.
        let totals = written?;
        read.map(|()| totals)
    })
}

fn read_batches(connection: &Connection, scope: &Scope, send: SyncSender<Vec<DetailRow>>) -> Result<()> {
    let hung_up = |_| Error::internal("the sheet's thread hung up");
    let mut batch = Vec::with_capacity(BATCH);
    detail::each_row(connection, scope, |row| {
        batch.push(row);
        if batch.len() == BATCH {
            send.send(std::mem::replace(&mut batch, Vec::with_capacity(BATCH))).map_err(hung_up)?;
        }
        Ok(())
    })?;
    send.send(batch).map_err(hung_up)
}

fn write_batches(
    mut sheet: Sheet<'_>,
    receive: Receiver<Vec<DetailRow>>,
    words: &Words,
    names: &Names,
    order: &Order<'_>,
) -> Result<Totals> {
    let labels = Labels::new(words);
    let mut totals = Totals::default();
    for row in receive.into_iter().flatten() {
        totals.rows += 1;
        match row.status.as_str() {
            "cancelled" | "skipped" | "waiting" => totals.taken_back += 1,
            _ => totals.counted += 1,
        }
        totals.done += i64::from(row.status == "done");
        totals.timely += i64::from(row.timely);
        sheet.row(detail_cells(row, &labels, names, order.reveal))?;
    }
    totals.cut = sheet.cut;
    Ok(totals)
}

/// Words looked up once instead of once a cell.
struct Labels<'a> {
    words: &'a Words,
    yes: String,
    no: String,
}

impl<'a> Labels<'a> {
    fn new(words: &'a Words) -> Self {
        Self { words, yes: words.text("export.yes").to_owned(), no: words.text("export.no").to_owned() }
    }

    /// The word for a code, or the code itself when a newer program wrote it.
    fn of(&self, group: &str, code: &str) -> Cell {
        if code.is_empty() {
            return Cell::Empty;
        }
        Cell::Text(self.words.find(&format!("{group}.{code}")).unwrap_or(code).to_owned())
    }

    fn maybe(&self, group: &str, code: Option<&str>) -> Cell {
        code.map_or(Cell::Empty, |code| self.of(group, code))
    }
}

fn detail_cells(row: DetailRow, labels: &Labels<'_>, names: &Names, reveal: bool) -> [Cell; DETAIL.len()] {
    let call = row.last_call;
    let caller = call.as_ref().map(|call| call.user_id).or(row.assigned_to);
    let outcome = call.as_ref().map_or(Cell::Empty, |call| match &call.reason {
        Some(reason) => names.reason(Some(reason.clone())),
        None => labels.of("outcome", &call.outcome),
    });
    let alert = row.alert.map_or(Cell::Empty, |alert| {
        let text = |group: &str, code: &str| match labels.of(group, code) {
            Cell::Text(text) => text,
            _ => String::new(),
        };
        Cell::Text(format!("{} · {}", text("level", &alert.level), text("alert_status", &alert.status)))
    });
    [
        row.mrn.into(),
        row.visit_no.into(),
        Cell::Text(if reveal { row.name } else { person_name::mask(&row.name) }),
        labels.of("sex", &row.sex),
        row.age_years.map_or(Cell::Empty, Cell::Integer),
        row.id_number.map(|id| if reveal { id } else { id_number::mask(&id) }).into(),
        row.number.map(|number| if reveal { number } else { phone::mask(&number) }).into(),
        row.department.into(),
        row.doctor.into(),
        row.diagnosis_code.into(),
        row.diagnosis.into(),
        row.admitted_at.map_or(Cell::Empty, Cell::Minute),
        row.discharged_at.map_or(Cell::Empty, Cell::Minute),
        labels.maybe("disposition", row.disposition.as_deref()),
        Cell::Text(names.plan(&row.plan_code)),
        Cell::Text(crate::forms::version_label(row.plan_version)),
        Cell::Text(row.timepoint),
        row.due_on.map_or(Cell::Empty, Cell::Date),
        row.window_starts_on.map_or(Cell::Empty, Cell::Date),
        row.window_ends_on.map_or(Cell::Empty, Cell::Date),
        labels.of("status", &row.status),
        names.reason(row.end_reason),
        Cell::Integer(row.attempts),
        call.as_ref().map_or(Cell::Empty, |call| Cell::Minute(detail::wall_clock(call.called_at))),
        outcome,
        call.as_ref().and_then(|call| call.talk_seconds).map_or(Cell::Empty, Cell::Integer),
        row.ended_at.map_or(Cell::Empty, Cell::Minute),
        Cell::Text(if row.timely { labels.yes.clone() } else { labels.no.clone() }),
        labels.maybe("class", row.class.as_deref()),
        alert,
        caller.map_or(Cell::Empty, |id| Cell::Text(names.person(id))),
        call.and_then(|call| call.remark).into(),
    ]
}

fn write_discharges(
    workbook: &mut Workbook,
    look: &Look,
    words: &Words,
    order: &Order<'_>,
    connection: &Connection,
    totals: &mut Totals,
) -> Result<()> {
    let keys = [
        ("mrn", 12.0),
        ("visit_no", 14.0),
        ("name", 10.0),
        ("department", 16.0),
        ("discharged_on", 12.0),
        ("disposition", 14.0),
        ("followed", 10.0),
        ("expected", 12.0),
    ];
    let columns = columns(words, "discharges", &keys);
    let mut sheet =
        sheet::add(workbook, look, words.text("export.sheet.discharges"), &order.watermark, &columns)?;
    let labels = Labels::new(words);
    let yes_no = |yes: bool| Cell::Text(if yes { labels.yes.clone() } else { labels.no.clone() });
    let sql = format!(
        "WITH source AS ({})
         SELECT patient.mrn, encounter.visit_no, patient.name, source.department, source.on_date,
                encounter.disposition, source.followed, source.expected
         FROM source JOIN patient ON patient.id = source.patient_id
         JOIN encounter ON encounter.id = source.record_id",
        figures::DISCHARGES
    );
    let mut statement = connection.prepare(&sql)?;
    let mut rows =
        statement.query(rusqlite::params![order.scope.from, order.scope.to, order.scope.department])?;
    while let Some(row) = rows.next()? {
        let (name, followed): (String, bool) = (row.get("name")?, row.get("followed")?);
        let on: Option<String> = row.get("on_date")?;
        totals.discharges += 1;
        totals.followed += i64::from(followed);
        sheet.row([
            row.get::<_, Option<String>>("mrn")?.into(),
            row.get::<_, Option<String>>("visit_no")?.into(),
            Cell::Text(if order.reveal { name } else { person_name::mask(&name) }),
            Cell::Text(row.get("department")?),
            on.and_then(|on| on.parse().ok()).map_or(Cell::Empty, Cell::Date),
            labels.maybe("disposition", row.get::<_, Option<String>>("disposition")?.as_deref()),
            yes_no(followed),
            yes_no(row.get("expected")?),
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
    match pairs(figures, totals).into_iter().find(|(_, by_query, written)| by_query != written) {
        None => Ok(()),
        Some((name, by_query, written)) => Err(Error::new(ErrorCode::ExportMismatch)
            .with("figure", name)
            .with("counted", by_query)
            .with("written", written)),
    }
}

fn write_reconciliation(
    workbook: &mut Workbook,
    look: &Look,
    words: &Words,
    order: &Order<'_>,
    figures: &[Figure],
    totals: &Totals,
) -> Result<()> {
    let columns = columns(
        words,
        "reconciliation",
        &[("item", 44.0), ("counted", 14.0), ("written", 14.0), ("difference", 12.0)],
    );
    let mut sheet =
        sheet::add(workbook, look, words.text("export.sheet.reconciliation"), &order.watermark, &columns)?;
    for (name, counted, written) in pairs(figures, totals) {
        sheet.row([
            Cell::Text(words.text(&format!("export.reconciliation.{name}")).to_owned()),
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
        let text = words.text(&format!("export.reconciliation.{name}")).to_owned();
        sheet.row([Cell::Text(text), Cell::Empty, Cell::Integer(number)])?;
    }
    Ok(())
}
