//! Sheets of a workbook: a watermark, headings, rows typed cell by cell.

use std::borrow::Cow;

use aftercare_domain::error_code::ErrorCode;
use chrono::{Datelike, NaiveDate};
use rust_xlsxwriter::{Chart, Color, Format, FormatAlign, FormatBorder, Workbook, Worksheet, XlsxError};

use crate::env;
use crate::error::{Error, Result};

/// Excel's own limits: rows of a sheet, characters of a cell (UTF-16 units).
pub(crate) const SHEET_ROWS: u32 = 1_048_576;
const CELL_UNITS: usize = 32_767;
/// Above the first data row: watermark and headings.
const HEAD_ROWS: u32 = 2;

/// A value with its type. Text is always written as a string, never as a formula.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Cell<'a> {
    Empty,
    Text(&'a str),
    Made(String),
    Integer(i64),
    Share(f64),
    /// A figure with one decimal place.
    Number(f64),
    /// Days since Excel's 1900 began, in a column of dates or minutes.
    Time(f64),
    /// The same in a column of other things: the cell itself is a date.
    Day(f64),
}

impl<'a> From<Option<&'a str>> for Cell<'a> {
    fn from(value: Option<&'a str>) -> Self {
        value.map_or(Self::Empty, Self::Text)
    }
}

impl From<Option<i64>> for Cell<'_> {
    fn from(value: Option<i64>) -> Self {
        value.map_or(Self::Empty, Self::Integer)
    }
}

impl<'a> Cell<'a> {
    /// A date `YYYY-MM-DD`; what is none, or lies before Excel's calendar, stays text.
    pub fn date(text: Option<&'a str>) -> Self {
        text.map_or(Self::Empty, |text| day(text).and_then(serial).map_or(Self::Text(text), Self::Time))
    }

    /// A wall clock time `YYYY-MM-DD HH:MM`; what is none stays text.
    pub fn minute(text: Option<&'a str>) -> Self {
        let time = |text: &str| {
            let (on, at) = text.split_at_checked(10)?;
            let minute = f64::from(number(at, 1, 2)? * 60 + number(at, 4, 2)?);
            Some(serial(day(on)?)? + minute / 1440.0)
        };
        text.map_or(Self::Empty, |text| time(text).map_or(Self::Text(text), Self::Time))
    }

    /// The hospital's wall clock at an instant, milliseconds UTC.
    pub fn instant(millis: Option<i64>) -> Self {
        const DAY: f64 = 86_400_000.0;
        let offset = i64::from(env::hospital_offset().local_minus_utc()) * 1000;
        // Day 25,569 of Excel's calendar is 1970-01-01.
        millis.map_or(Self::Empty, |millis| Self::Time((millis + offset) as f64 / DAY + 25_569.0))
    }
}

/// The day a text of ten characters or more begins with, `YYYY-MM-DD`. Read by hand: a report has a million of them.
pub(crate) fn day(text: &str) -> Option<NaiveDate> {
    let (year, month, day) = (number(text, 0, 4)?, number(text, 5, 2)?, number(text, 8, 2)?);
    NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day)
}

fn number(text: &str, at: usize, digits: usize) -> Option<u32> {
    let digits = text.as_bytes().get(at..at + digits)?;
    digits.iter().try_fold(0, |sum, byte| byte.is_ascii_digit().then(|| sum * 10 + u32::from(byte - b'0')))
}

/// Excel's number of a day. Excel takes 1900 for a leap year: days before 1900-03-01 would be wrong by one.
fn serial(day: NaiveDate) -> Option<f64> {
    let number = day.num_days_from_ce() - 693_594;
    (number > 60).then(|| f64::from(number))
}

/// A heading, how wide its column is in characters, and what it holds.
pub(crate) struct Column {
    pub title: String,
    pub width: f64,
    pub holds: Holds,
}

/// What [`Cell::Time`] means in a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Holds {
    Values,
    Dates,
    Minutes,
}

/// The formats of all sheets.
pub(crate) struct Look {
    mark: Format,
    head: Format,
    date: Format,
    minute: Format,
    share: Format,
    number: Format,
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
            number: Format::new().set_num_format("0.0"),
        }
    }
}

/// A sheet being written, row after row.
pub(crate) struct Sheet<'w> {
    worksheet: Worksheet,
    look: &'w Look,
    next_row: u32,
    /// Texts longer than a cell holds, cut with a mark; told on the reconciliation sheet.
    pub cut: u64,
}

/// Makes a sheet that keeps one row in memory. It joins the workbook when it is written; until then each can be
/// written on a thread of its own.
pub(crate) fn make<'w>(
    workbook: &mut Workbook,
    look: &'w Look,
    name: &str,
    watermark: &str,
    columns: &[Column],
) -> Result<Sheet<'w>> {
    let mut worksheet = workbook.new_worksheet_with_constant_memory().map_err(unwritten)?;
    worksheet.set_name(name).map_err(unwritten)?;
    for (index, column) in columns.iter().enumerate() {
        let number = column_number(index);
        worksheet.set_column_width(number, column.width).map_err(unwritten)?;
        // A format for the column is looked up once; one for each cell costs more than writing it.
        let format = match column.holds {
            Holds::Values => continue,
            Holds::Dates => &look.date,
            Holds::Minutes => &look.minute,
        };
        worksheet.set_column_format(number, format).map_err(unwritten)?;
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
    pub fn row<'a>(&mut self, cells: impl IntoIterator<Item = Cell<'a>>) -> Result<()> {
        if self.next_row >= SHEET_ROWS {
            return Err(Error::new(ErrorCode::ExportTooLarge).with("max", SHEET_ROWS - HEAD_ROWS));
        }
        for (index, cell) in cells.into_iter().enumerate() {
            self.cell(column_number(index), cell)?;
        }
        self.next_row += 1;
        Ok(())
    }

    fn cell(&mut self, column: u16, cell: Cell<'_>) -> Result<()> {
        let (row, look) = (self.next_row, self.look);
        let sheet = &mut self.worksheet;
        let written = match cell {
            Cell::Empty => return Ok(()),
            Cell::Text(text) => sheet.write_string(row, column, fitting(text, &mut self.cut)),
            Cell::Made(text) => sheet.write_string(row, column, fitting(&text, &mut self.cut)),
            Cell::Integer(value) => sheet.write_number(row, column, value as f64),
            Cell::Number(value) => sheet.write_number_with_format(row, column, value, &look.number),
            Cell::Share(value) => sheet.write_number_with_format(row, column, value, &look.share),
            Cell::Time(value) => sheet.write_number(row, column, value),
            Cell::Day(value) => sheet.write_number_with_format(row, column, value, &look.date),
        };
        written.map(|_| ()).map_err(unwritten)
    }

    /// Leaves a row free and writes the headings of another table below.
    pub fn heading<'a>(&mut self, titles: impl IntoIterator<Item = &'a str>) -> Result<()> {
        self.next_row += 1;
        for (index, title) in titles.into_iter().enumerate() {
            self.worksheet
                .write_string_with_format(self.next_row, column_number(index), title, &self.look.head)
                .map_err(unwritten)?;
        }
        self.next_row += 1;
        Ok(())
    }

    /// The row that is written next, counted from 0.
    pub fn next_row(&self) -> u32 {
        self.next_row
    }

    /// Puts a chart beside or below what is written.
    pub fn chart(&mut self, row: u32, column: u16, chart: &Chart) -> Result<()> {
        self.worksheet.insert_chart(row, column, chart).map(|_| ()).map_err(unwritten)
    }

    /// Prints on A4, one page wide.
    pub fn fit(&mut self) {
        self.worksheet.set_paper_size(9).set_print_fit_to_pages(1, 0);
    }

    /// Rows written below the headings.
    pub fn rows(&self) -> i64 {
        i64::from(self.next_row - HEAD_ROWS)
    }

    /// The sheet as it stands.
    pub fn into_worksheet(self) -> Worksheet {
        self.worksheet
    }
}

/// The text, or as much as a cell holds with a mark where it was cut.
fn fitting<'a>(text: &'a str, cut: &mut u64) -> Cow<'a, str> {
    if text.len() <= CELL_UNITS || text.encode_utf16().count() <= CELL_UNITS {
        return Cow::Borrowed(text);
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
    Cow::Owned(kept)
}

fn column_number(index: usize) -> u16 {
    u16::try_from(index).unwrap_or(u16::MAX)
}

/// Why a workbook could not be written.
pub(crate) fn unwritten(error: XlsxError) -> Error {
    match error {
        XlsxError::IoError(error) => error.into(),
        XlsxError::ZipError(zip) => Error::new(ErrorCode::FileUnwritable).caused_by(zip.to_string()),
        other => Error::internal(other.to_string()),
    }
}
