//! The workbook of rows with problems: the original cells as text, and beside them why and what to do, so that a
//! clerk can mend it and import it as it is.

use std::path::Path;

use aftercare_domain::error_code::ErrorCode;
use chrono::NaiveDateTime;
use rusqlite::Connection;
use rust_xlsxwriter::{Color, Format, Workbook, Worksheet, XlsxError};

use super::problem::{Problem, Weight};
use super::requests::BatchInfo;
use super::store;
use super::words;
use crate::error::{Error, Result};
use crate::words::Language;

/// Rows below the heading that one sheet can hold.
const SHEET_ROWS: u32 = 1_048_575;
/// Characters one cell can hold.
const CELL_CHARACTERS: usize = 32_767;
/// Width of a column that holds words to read.
const WIDE: f64 = 60.0;

/// Writes the workbook; says how many rows it has. All of them or an error.
pub fn write(
    connection: &Connection,
    batch: &BatchInfo,
    path: &Path,
    language: Language,
    dry_run: bool,
    now: NaiveDateTime,
) -> Result<u64> {
    let headings = store::batch_profile(connection, batch.id)?.headings;
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet_with_constant_memory().map_err(refused)?;
    sheet.set_name(words::text(language, "report.sheet_rows")).map_err(refused)?;
    let count = write_rows(connection, batch.number, sheet, &headings, language)?;
    let sheet = workbook.add_worksheet();
    sheet.set_name(words::text(language, "report.sheet_summary")).map_err(refused)?;
    write_summary(sheet, batch, language, dry_run, now).map_err(refused)?;
    workbook.save(path).map_err(refused)?;
    Ok(count)
}

/// The original columns come first and keep their headings, so that the sheet imports like the file did.
fn write_rows(
    connection: &Connection,
    batch: i64,
    sheet: &mut Worksheet,
    headings: &[String],
    language: Language,
) -> Result<u64> {
    let text = Format::new().set_num_format("@");
    let head = Format::new().set_bold().set_num_format("@").set_background_color(Color::RGB(0xEE_F1_F5));
    let wrapped = Format::new().set_num_format("@").set_text_wrap();
    let width = u16::try_from(headings.len()).map_err(Error::internal)?;
    sheet.set_column_width(width + 4, WIDE).map_err(refused)?;
    sheet.set_freeze_panes(1, 0).map_err(refused)?;
    for (at, heading) in (0_u16..).zip(headings) {
        sheet.write_string_with_format(0, at, heading, &head).map_err(refused)?;
    }
    for (at, key) in (width..).zip(words::REPORT_COLUMNS) {
        sheet.write_string_with_format(0, at, words::text(language, key), &head).map_err(refused)?;
    }
    let mut statement = connection.prepare(include_str!("sql/rows_with_problems.sql"))?;
    let mut rows = statement.query([batch])?;
    let mut line = 0_u32;
    while let Some(row) = rows.next()? {
        let problems: Vec<Problem> = serde_json::from_str(&row.get::<_, String>("problems")?)?;
        if problems.iter().all(|problem| problem.code.weight() == Weight::LeftOut) {
            continue;
        }
        line += 1;
        if line > SHEET_ROWS {
            return Err(Error::new(ErrorCode::TooManyRows).with("limit", SHEET_ROWS));
        }
        let cells: Vec<String> = serde_json::from_str(&row.get::<_, String>("cells")?)?;
        for (at, cell) in (0_u16..width).zip(&cells) {
            sheet.write_string_with_format(line, at, fitting(cell), &text).map_err(refused)?;
        }
        let number: i64 = row.get("row")?;
        let outcome: String = row.get("outcome")?;
        let all =
            |said: &dyn Fn(&Problem) -> String| problems.iter().map(said).collect::<Vec<_>>().join("\n");
        let told = [
            number.to_string(),
            words::text(language, &format!("outcome.{outcome}")).to_owned(),
            all(&|problem| words::field_name(language, problem).to_owned()),
            all(&|problem| problem.code.as_str().to_owned()),
            all(&|problem| words::message(language, problem)),
        ];
        for (at, value) in (width..).zip(&told) {
            sheet.write_string_with_format(line, at, fitting(value), &wrapped).map_err(refused)?;
        }
    }
    Ok(u64::from(line))
}

fn write_summary(
    sheet: &mut Worksheet,
    batch: &BatchInfo,
    language: Language,
    dry_run: bool,
    now: NaiveDateTime,
) -> std::result::Result<(), XlsxError> {
    sheet.set_column_width(0, 24)?;
    sheet.set_column_width(1, 40)?;
    let word = |key: &str| words::text(language, key);
    let name = if dry_run { word("report.dry_run").to_owned() } else { batch.number.to_string() };
    let made_at = now.format("%Y-%m-%d %H:%M").to_string();
    let said =
        [("report.file_name", &batch.file_name), ("report.batch", &name), ("report.made_at", &made_at)];
    let mut line = 0;
    for (key, value) in said {
        sheet.write_string(line, 0, word(key))?;
        sheet.write_string(line, 1, value)?;
        line += 1;
    }
    let counted = [
        ("report.rows", batch.rows),
        ("outcome.created", batch.created),
        ("outcome.updated", batch.updated),
        ("outcome.unchanged", batch.unchanged),
        ("outcome.rejected", batch.rejected),
        ("outcome.left_out", batch.left_out),
        ("report.warnings", batch.warnings),
        ("report.duplicates", batch.duplicates),
    ];
    for (key, count) in counted {
        sheet.write_string(line, 0, word(key))?;
        sheet.write_number(line, 1, count as f64)?;
        line += 1;
    }
    Ok(())
}

/// What a cell can hold of a text.
fn fitting(text: &str) -> &str {
    match text.char_indices().nth(CELL_CHARACTERS) {
        Some((end, _)) => &text[..end],
        None => text,
    }
}

fn refused(error: XlsxError) -> Error {
    match error {
        XlsxError::IoError(error) => Error::from(error),
        error => Error::new(ErrorCode::FileUnwritable).caused_by(error),
    }
}
