//! The workbook of the rows behind a number: the rows, and a sheet that ties them to the number.

use std::path::Path;

use aftercare_domain::error_code::ErrorCode;
use aftercare_domain::person_name;
use rusqlite::Connection;

use super::labels::masked;
use super::population::Today;
use super::sheet::{self, Cell, Column, Holds, Look};
use super::unfinished::Unfinished;
use super::{ReportRow, RowsRequest, Scope, store};
use crate::error::{Error, Result};
use crate::words::Words;

/// What to write and for whom.
pub(super) struct Order<'a> {
    pub rows: &'a RowsRequest,
    pub today: &'a Today,
    pub words: &'a Words,
    pub reveal: bool,
    pub watermark: &'a str,
    pub max_rows: u32,
}

/// Columns of patients' rows; those of complaints have a number in place of the name.
const COLUMNS: [(&str, f64, Holds); 7] = [
    ("name", 14.0, Holds::Values),
    ("mrn", 14.0, Holds::Values),
    ("department", 22.0, Holds::Values),
    ("on", 13.0, Holds::Dates),
    ("plan", 12.0, Holds::Values),
    ("nurse", 14.0, Holds::Values),
    ("counted", 12.0, Holds::Values),
];
const COMPLAINT_COLUMNS: [(&str, f64, Holds); 5] = [
    ("number", 20.0, Holds::Values),
    ("category", 16.0, Holds::Values),
    ("department", 22.0, Holds::Values),
    ("on", 13.0, Holds::Dates),
    ("counted", 12.0, Holds::Values),
];
const RECONCILIATION: [(&str, f64, Holds); 4] = [
    ("item", 44.0, Holds::Values),
    ("counted", 14.0, Holds::Values),
    ("written", 14.0, Holds::Values),
    ("difference", 12.0, Holds::Values),
];

/// Writes the workbook; `connection` is one snapshot. `target` appears only when its rows are as many as the number says.
/// Returns how many they are.
///
/// Errors: `ExportTooLarge`, `ExportMismatch`, `FileUnwritable`, `DiskFull`.
pub(super) fn write(connection: &Connection, order: &Order<'_>, target: &Path) -> Result<i64> {
    let request = order.rows;
    let (numerator, denominator) = store::counts(connection, request, order.today)?;
    let counted = if request.numerator { numerator } else { denominator };
    if counted > i64::from(order.max_rows) {
        return Err(Error::new(ErrorCode::ExportTooLarge).with("max", order.max_rows).with("rows", counted));
    }
    let mut unfinished = Unfinished::beside(target)?;
    let look = Look::new();
    let complaints = request.code.population().source.is_complaints();
    let columns: &[_] = if complaints { &COMPLAINT_COLUMNS } else { &COLUMNS };
    let title = |name: &str| order.words.text(&format!("export.sheet.{name}")).to_owned();
    let mut rows = sheet::make(
        &mut unfinished.workbook,
        &look,
        &title("rows"),
        order.watermark,
        &headings(order, "rows", columns),
    )?;
    let reconciled = headings(order, "reconciliation", &RECONCILIATION);
    let mut ties =
        sheet::make(&mut unfinished.workbook, &look, &title("reconciliation"), order.watermark, &reconciled)?;

    let (mut written, mut above) = (0, 0);
    store::each_row(connection, request, order.today, None, |row| {
        written += 1;
        above += i64::from(row.counted);
        if complaints { rows.row(complaint_cells(order, &row)) } else { rows.row(cells(order, &row)) }
    })?;
    let expected = [("rows_written", counted, written), ("rows_above", numerator, above)];
    if let Some((name, counted, written)) =
        expected.into_iter().find(|(_, counted, written)| counted != written)
    {
        return Err(Error::new(ErrorCode::ExportMismatch)
            .with("figure", name)
            .with("counted", counted)
            .with("written", written));
    }
    for (name, counted, written) in expected {
        let item = order.words.text(&format!("export.reconciliation.{name}")).to_owned();
        let difference = Cell::Integer(counted - written);
        ties.row([Cell::Made(item), Cell::Integer(counted), Cell::Integer(written), difference])?;
    }
    for (name, value) in filters(&request.scope) {
        let item = order.words.text(&format!("export.filter.{name}")).to_owned();
        ties.row([Cell::Made(item), Cell::Made(value)])?;
    }
    unfinished.finish([rows, ties])?;
    Ok(written)
}

fn headings(order: &Order<'_>, name: &str, columns: &[(&str, f64, Holds)]) -> Vec<Column> {
    let title = |key: &str| match (name, key) {
        ("rows", "on") => order.words.text(&format!("row.on_{}", order.rows.code.key())).to_owned(),
        _ => order.words.text(&format!("export.{name}.{key}")).to_owned(),
    };
    let column =
        |(key, width, holds): &(&str, f64, Holds)| Column { title: title(key), width: *width, holds: *holds };
    columns.iter().map(column).collect()
}

fn yes_no<'a>(order: &'a Order<'_>, yes: bool) -> Cell<'a> {
    Cell::Text(order.words.text(if yes { "export.yes" } else { "export.no" }))
}

fn cells<'a>(order: &'a Order<'_>, row: &'a ReportRow) -> Vec<Cell<'a>> {
    vec![
        masked(Some(row.name.reveal()), order.reveal, person_name::mask),
        row.mrn.as_deref().into(),
        Cell::Text(&row.department),
        Cell::date(Some(&row.on)),
        row.plan_code.as_deref().into(),
        Cell::Text(&row.nurse),
        yes_no(order, row.counted),
    ]
}

fn complaint_cells<'a>(order: &'a Order<'_>, row: &'a ReportRow) -> Vec<Cell<'a>> {
    vec![
        row.number.as_deref().into(),
        row.category.as_deref().into(),
        Cell::Text(&row.department),
        Cell::date(Some(&row.on)),
        yes_no(order, row.counted),
    ]
}

/// The filters that were set, so that who reads the file knows what it is about.
fn filters(scope: &Scope) -> Vec<(&'static str, String)> {
    let id = |id: Option<uuid::Uuid>| id.map(|id| id.to_string());
    let all = [
        ("from", Some(scope.from.clone())),
        ("to", Some(scope.to.clone())),
        ("department", scope.department.clone()),
        ("plan", scope.plan.clone()),
        ("nurse", id(scope.nurse)),
        ("site", id(scope.site)),
    ];
    all.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}
