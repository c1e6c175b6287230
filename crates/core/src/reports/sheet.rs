//! Sheets of a workbook: a watermark, headings, rows typed cell by cell.

use aftercare_domain::error_code::ErrorCode;
use chrono::{NaiveDate, NaiveDateTime};
use rust_xlsxwriter::{Color, Format, FormatAlign, FormatBorder, Workbook, Worksheet, XlsxError};

use crate::error::{Error, Result};

/// Excel's own limits: rows of a sheet, characters of a cell (UTF-16 units).
pub(super) const SHEET_ROWS: u32 = 1_048_576;
const CELL_UNITS: usize = 32_767;
/// Above the first data row: watermark and headings.
const HEAD_ROWS: u32 = 2;

/// A value with its type. Text is always written as a string, never as a formula.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cell {
    Empty,
    Text(String),
    Integer(i64),
    Share(f64),
    Date(NaiveDate),
    Minute(NaiveDateTime),
}

impl From<Option<String>> for Cell {
    fn from(value: Option<String>) -> Self {
        value.map_or(Self::Empty, Self::Text)
    }
}

/// A heading and how wide its column is, in characters.
pub(super) struct Column {
    pub title: String,
    pub width: f64,
}

/// The formats of all sheets.
pub(super) struct Look {
    mark: Format,
    head: Format,
    date: Format,
    minute: Format,
    share: Format,
}

impl Look {
    pub fn new() -> Self {
        Self {
            mark: Format::new().set_font_color(Color::RGB(0x6b_72_80)).set_italic(),
            head: Format::new()
                .set_bold()
                .set_background_color(Color::RGB(0xe6_ee_ed))
                .set_border_bottom(FormatBorder::Thin)
                .set_align(FormatAlign::VerticalCenter),
            date: Format::new().set_num_format("yyyy-mm-dd"),
            minute: Format::new().set_num_format("yyyy-mm-dd hh:mm"),
            share: Format::new().set_num_format("0.0%"),
        }
    }
}

/// A sheet being written, row after row.
pub(super) struct Sheet<'w> {
    worksheet: &'w mut Worksheet,
    look: &'w Look,
    next_row: u32,
    /// Texts longer than a cell holds, cut with a mark; told on the reconciliation sheet.
    pub cut: u64,
}

/// Adds a sheet that keeps one row in memory.
pub(super) fn add<'w>(
    workbook: &'w mut Workbook,
    look: &'w Look,
    name: &str,
    watermark: &str,
    columns: &[Column],
) -> Result<Sheet<'w>> {
    let worksheet = workbook.add_worksheet_with_constant_memory().map_err(unwritten)?;
    worksheet.set_name(name).map_err(unwritten)?;
    for (index, column) in columns.iter().enumerate() {
        worksheet.set_column_width(column_number(index), column.width).map_err(unwritten)?;
    }
    worksheet.set_freeze_panes(HEAD_ROWS, 0).map_err(unwritten)?;
    worksheet.set_landscape();
    worksheet.set_repeat_rows(0, HEAD_ROWS - 1).map_err(unwritten)?;
    // Excel refuses footers of more than 255 characters.
    let foot: String = watermark.replace('&', "&&").chars().take(200).collect();
    worksheet.set_footer(format!("&L{foot}&R&P / &N"));
    worksheet.write_string_with_format(0, 0, watermark, &look.mark).map_err(unwritten)?;
    for (index, column) in columns.iter().enumerate() {
        worksheet
            .write_string_with_format(1, column_number(index), &column.title, &look.head)
            .map_err(unwritten)?;
    }
    Ok(Sheet { worksheet, look, next_row: HEAD_ROWS, cut: 0 })
}

impl Sheet<'_> {
    /// Writes the next row.
    ///
    /// Errors: `ExportTooLarge` past Excel's last row.
    pub fn row(&mut self, cells: impl IntoIterator<Item = Cell>) -> Result<()> {
        if self.next_row >= SHEET_ROWS {
            return Err(Error::new(ErrorCode::ExportTooLarge).with("max", SHEET_ROWS - HEAD_ROWS));
        }
        for (index, cell) in cells.into_iter().enumerate() {
            self.cell(column_number(index), cell)?;
        }
        self.next_row += 1;
        Ok(())
    }

    fn cell(&mut self, column: u16, cell: Cell) -> Result<()> {
        let (row, look) = (self.next_row, self.look);
        let sheet = &mut *self.worksheet;
        let written = match cell {
            Cell::Empty => return Ok(()),
            Cell::Text(text) => {
                let text = fitting(text, &mut self.cut);
                sheet.write_string(row, column, text)
            }
            Cell::Integer(value) => sheet.write_number(row, column, value as f64),
            Cell::Share(value) => sheet.write_number_with_format(row, column, value, &look.share),
            Cell::Date(value) => sheet.write_datetime_with_format(row, column, value, &look.date),
            Cell::Minute(value) => sheet.write_datetime_with_format(row, column, value, &look.minute),
        };
        written.map(|_| ()).map_err(unwritten)
    }
}

/// The text, or as much as a cell holds with a mark where it was cut.
fn fitting(text: String, cut: &mut u64) -> String {
    if text.len() <= CELL_UNITS || text.encode_utf16().count() <= CELL_UNITS {
        return text;
    }
    *cut += 1;
    let mut units = 0;
    let mut kept: String = text
        .chars()
        .take_while(|c| {
            units += c.len_utf16();
            units < CELL_UNITS
        })
        .collect();
    kept.push('…');
    kept
}

fn column_number(index: usize) -> u16 {
    u16::try_from(index).unwrap_or(u16::MAX)
}

/// Why a workbook could not be written.
pub(super) fn unwritten(error: XlsxError) -> Error {
    match error {
        XlsxError::IoError(error) => error.into(),
        XlsxError::ZipError(zip) => Error::new(ErrorCode::FileUnwritable).caused_by(zip.to_string()),
        other => Error::internal(other.to_string()),
    }
}
