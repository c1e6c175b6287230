//! Opening a file and walking through its rows.

use std::fs::File;
use std::io::Seek;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

use crate::TableError;
use crate::csv::CsvRows;
use crate::dbf::DbfRows;
use crate::detect::{self, Kind};
use crate::html::HtmlRows;
use crate::limits::Options;
use crate::row::Row;
use crate::text::source::read_full;
use crate::xls::XlsRows;
use crate::xlsx::XlsxRows;

/// What a file turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Delimited text with `,`, `;` or `|`.
    Csv,
    /// Delimited text with tabs.
    Tsv,
    /// Office Open XML: .xlsx and .xlsm.
    Xlsx,
    /// BIFF5 or BIFF8: .xls and WPS .et.
    Xls,
    /// dBase or FoxPro table.
    Dbf,
    /// Tables in an HTML page, mostly named .xls.
    Html,
}

impl Format {
    /// The short name of the format.
    pub fn name(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Tsv => "tsv",
            Self::Xlsx => "xlsx",
            Self::Xls => "xls",
            Self::Dbf => "dbf",
            Self::Html => "html",
        }
    }
}

/// One sheet of a workbook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sheet {
    /// As on its tab.
    pub name: String,
    /// Whether people see its tab.
    pub visible: bool,
}

/// How far reading has come, for a progress bar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Bytes read.
    pub done: u64,
    /// Bytes there are. A table may end a little before.
    pub total: u64,
}

/// An open file, positioned before its first row.
pub struct Table {
    rows: Rows,
    format: Format,
    total_bytes: u64,
}

enum Rows {
    Csv(Box<CsvRows>),
    Xlsx(Box<XlsxRows>),
    Xls(Box<XlsRows>),
    Dbf(Box<DbfRows>),
    Html(Box<HtmlRows>),
}

/// Opens a file of whatever format it really is.
///
/// Text files are read once from end to end to find their encoding; of a workbook the shared texts are loaded.
///
/// # Errors
/// Every reason why the file cannot be read at all; see [`TableError`].
pub fn open(path: &Path, options: &Options) -> Result<Table, TableError> {
    guard(|| open_unguarded(path, options))
}

/// The last resort against a bug in a parser: it must not take the whole import along.
fn guard<T>(work: impl FnOnce() -> Result<T, TableError>) -> Result<T, TableError> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err(TableError::damaged("reader")))
}

fn open_unguarded(path: &Path, options: &Options) -> Result<Table, TableError> {
    // Asked before opening: opening a pipe would wait for its other end.
    if !std::fs::metadata(path)?.is_file() {
        return Err(TableError::NotAFile);
    }
    let mut file = Arc::new(File::open(path)?);
    let bytes = file.metadata()?.len();
    let mut head = vec![0; detect::HEAD_BYTES];
    let count = read_full(&mut file, &mut head)?;
    head.truncate(count);
    file.rewind()?;
    if head.is_empty() || matches!(head.as_slice(), [0xEF, 0xBB, 0xBF] | [0xFF, 0xFE] | [0xFE, 0xFF]) {
        return Err(TableError::FileEmpty);
    }
    let accepted = |limit: u64| {
        if bytes > limit {
            return Err(TableError::FileTooLarge { bytes, limit });
        }
        Ok(())
    };
    match detect::detect(&head, bytes) {
        Kind::Text(layout) => {
            accepted(options.limits.stream_file_bytes)?;
            let rows = CsvRows::open(file, layout, options)?;
            let format = if rows.delimiter() == '\t' { Format::Tsv } else { Format::Csv };
            Ok(Table { rows: Rows::Csv(Box::new(rows)), format, total_bytes: bytes })
        }
        Kind::Html(layout) => {
            accepted(options.limits.stream_file_bytes)?;
            let rows = HtmlRows::open(file, layout, &head, options)?;
            Ok(Table { rows: Rows::Html(Box::new(rows)), format: Format::Html, total_bytes: bytes })
        }
        Kind::Zip => {
            accepted(options.limits.packed_file_bytes)?;
            let rows = XlsxRows::open(file, bytes, options)?;
            Ok(Table { rows: Rows::Xlsx(Box::new(rows)), format: Format::Xlsx, total_bytes: bytes })
        }
        kind @ (Kind::Ole | Kind::BareBiff) => {
            accepted(options.limits.xls_file_bytes)?;
            let rows = XlsRows::open(file, bytes, kind == Kind::BareBiff, options)?;
            Ok(Table { rows: Rows::Xls(Box::new(rows)), format: Format::Xls, total_bytes: bytes })
        }
        Kind::Dbf => {
            accepted(options.limits.stream_file_bytes)?;
            let rows = DbfRows::open(file, &head, bytes, options)?;
            Ok(Table { rows: Rows::Dbf(Box::new(rows)), format: Format::Dbf, total_bytes: bytes })
        }
        Kind::Unsupported(found) => Err(TableError::FormatUnsupported { found }),
    }
}

impl Table {
    /// What the file is.
    pub fn format(&self) -> Format {
        self.format
    }

    /// The encoding of its text, where it has one: `UTF-8`, `UTF-16LE`, `UTF-16BE` or `GB18030`.
    pub fn encoding(&self) -> Option<&'static str> {
        match &self.rows {
            Rows::Csv(rows) => Some(rows.encoding_name()),
            Rows::Dbf(rows) => Some(rows.encoding_name()),
            Rows::Html(rows) => Some(rows.encoding_name()),
            Rows::Xls(rows) => rows.encoding_name(),
            Rows::Xlsx(_) => None,
        }
    }

    /// What separates the cells of a text file.
    pub fn delimiter(&self) -> Option<char> {
        match &self.rows {
            Rows::Csv(rows) => Some(rows.delimiter()),
            Rows::Xlsx(_) | Rows::Xls(_) | Rows::Dbf(_) | Rows::Html(_) => None,
        }
    }

    /// The sheets of a workbook in the order of their tabs; none for other formats.
    pub fn sheets(&self) -> &[Sheet] {
        match &self.rows {
            Rows::Xlsx(rows) => rows.sheets(),
            Rows::Xls(rows) => rows.sheets(),
            Rows::Csv(_) | Rows::Dbf(_) | Rows::Html(_) => &[],
        }
    }

    /// Index in [`Table::sheets`] of the sheet being read. At first that is the first visible one with content.
    pub fn sheet(&self) -> Option<usize> {
        match &self.rows {
            Rows::Xlsx(rows) => Some(rows.sheet()),
            Rows::Xls(rows) => Some(rows.sheet()),
            Rows::Csv(_) | Rows::Dbf(_) | Rows::Html(_) => None,
        }
    }

    /// Reads another sheet from its first row on.
    ///
    /// # Errors
    /// [`TableError::SheetMissing`], or what makes that sheet unreadable.
    pub fn select_sheet(&mut self, index: usize) -> Result<(), TableError> {
        guard(|| match &mut self.rows {
            Rows::Xlsx(rows) => rows.select_sheet(index),
            Rows::Xls(rows) => rows.select_sheet(index),
            Rows::Csv(_) | Rows::Dbf(_) | Rows::Html(_) => Err(TableError::SheetMissing),
        })
    }

    /// Records marked as deleted that were passed over so far; a .dbf keeps them until it is packed.
    pub fn deleted_rows(&self) -> u64 {
        match &self.rows {
            Rows::Dbf(rows) => rows.deleted(),
            Rows::Csv(_) | Rows::Xlsx(_) | Rows::Xls(_) | Rows::Html(_) => 0,
        }
    }

    /// How far reading has come.
    pub fn progress(&self) -> Progress {
        let (done, total) = match &self.rows {
            Rows::Csv(rows) => (rows.read_bytes(), self.total_bytes),
            Rows::Dbf(rows) => (rows.read_bytes(), self.total_bytes),
            Rows::Html(rows) => (rows.read_bytes(), self.total_bytes),
            Rows::Xlsx(rows) => rows.progress(),
            Rows::Xls(rows) => rows.progress(),
        };
        Progress { done: done.min(total), total }
    }

    /// Reads the next row that is not blank into `row`; false at the end.
    ///
    /// # Errors
    /// Whatever makes the rest unreadable. What is read after an error is not to be trusted.
    pub fn next_row(&mut self, row: &mut Row) -> Result<bool, TableError> {
        row.clear();
        guard(|| match &mut self.rows {
            Rows::Csv(rows) => rows.next(row),
            Rows::Xlsx(rows) => rows.next(row),
            Rows::Xls(rows) => rows.next(row),
            Rows::Dbf(rows) => rows.next(row),
            Rows::Html(rows) => rows.next(row),
        })
    }

    /// Goes back before the first row of the sheet, so that headings can be looked for first.
    ///
    /// # Errors
    /// When the file can no longer be read.
    pub fn rewind(&mut self) -> Result<(), TableError> {
        guard(|| match &mut self.rows {
            Rows::Csv(rows) => rows.rewind(),
            Rows::Xlsx(rows) => rows.rewind(),
            Rows::Xls(rows) => rows.rewind(),
            Rows::Dbf(rows) => rows.rewind(),
            Rows::Html(rows) => rows.rewind(),
        })
    }
}
