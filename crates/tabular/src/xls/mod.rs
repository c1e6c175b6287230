//! BIFF workbooks: .xls of Excel 5 to 2003 and .et of WPS, read row by row.
//!
//! The records are read here and not by a library: the one there is builds a grid from the first
//! cell to the last, which two cells in opposite corners make half a gigabyte large.

mod globals;
mod ole;
mod records;
mod sheet;

use std::fs::File;
use std::sync::Arc;

use crate::TableError;
use crate::limits::Options;
use crate::row::Row;
use crate::table::Sheet;
use globals::{Globals, Version};
use ole::{Ole, Stream};
use records::Records;
use sheet::SheetReader;

/// The rows of one sheet of a workbook.
pub(crate) struct XlsRows {
    records: Records,
    globals: Globals,
    options: Options,
    sheet: usize,
    reader: SheetReader,
    delivered: u64,
}

/// Streams that tell other kinds of compound files apart.
const OTHERS: &[(&str, &str)] = &[
    ("WordDocument", "doc"),
    ("PowerPoint Document", "ppt"),
    ("__properties_version1.0", "msg"),
    ("VisioDocument", "visio"),
    ("FileHeader", "hwp"),
];

fn workbook_stream(file: Arc<File>, file_bytes: u64) -> Result<Stream, TableError> {
    let mut ole = Ole::open(file, file_bytes)?;
    if ole.has("EncryptedPackage") {
        return Err(TableError::FileEncrypted);
    }
    // Excel 97 can write both, the older one for Excel 95.
    for name in ["Workbook", "Book"] {
        if ole.has(name) {
            return ole.stream(name);
        }
    }
    let found = OTHERS.iter().find(|(stream, _)| ole.has(stream)).map_or("ole", |(_, found)| found);
    Err(TableError::FormatUnsupported { found })
}

impl XlsRows {
    /// `bare` when the file is the stream itself, without OLE around it.
    pub(crate) fn open(
        file: Arc<File>,
        file_bytes: u64,
        bare: bool,
        options: &Options,
    ) -> Result<Self, TableError> {
        let stream =
            if bare { Stream::File { file, length: file_bytes } } else { workbook_stream(file, file_bytes)? };
        let mut records = Records::new(stream);
        let globals = Globals::read(&mut records, options)?;
        let visible: Vec<usize> =
            (0..globals.sheets.len()).filter(|&i| globals.sheets.get(i).is_some_and(|s| s.visible)).collect();
        let first = visible.first().copied().unwrap_or(0);
        let reader = SheetReader::open(&mut records, &globals, first, options)?;
        let mut rows =
            Self { records, globals, options: options.clone(), sheet: first, reader, delivered: 0 };
        let mut row = Row::default();
        for index in visible {
            rows.select_sheet(index)?;
            // A sheet that cannot be read has content, and reading it will say what is wrong.
            if !matches!(rows.next(&mut row), Ok(false)) {
                rows.rewind()?;
                return Ok(rows);
            }
        }
        rows.select_sheet(first)?;
        Ok(rows)
    }

    /// The encoding of texts: Unicode from Excel 97 on, and GB18030 before.
    pub(crate) fn encoding_name(&self) -> Option<&'static str> {
        (self.globals.version == Version::Biff5).then_some("GB18030")
    }

    pub(crate) fn sheets(&self) -> &[Sheet] {
        &self.globals.sheets
    }

    pub(crate) fn sheet(&self) -> usize {
        self.sheet
    }

    pub(crate) fn progress(&self) -> (u64, u64) {
        self.records.progress()
    }

    pub(crate) fn select_sheet(&mut self, index: usize) -> Result<(), TableError> {
        self.reader = SheetReader::open(&mut self.records, &self.globals, index, &self.options)?;
        self.sheet = index;
        self.delivered = 0;
        Ok(())
    }

    pub(crate) fn rewind(&mut self) -> Result<(), TableError> {
        self.delivered = 0;
        self.reader.rewind(&mut self.records)
    }

    pub(crate) fn next(&mut self, out: &mut Row) -> Result<bool, TableError> {
        if !self.reader.next(&mut self.records, &mut self.globals, &self.options, out)? {
            return Ok(false);
        }
        self.delivered += 1;
        if self.delivered.is_multiple_of(4096) {
            self.options.check_cancelled()?;
        }
        if self.delivered > self.options.limits.rows {
            return Err(TableError::TooManyRows { limit: self.options.limits.rows });
        }
        Ok(true)
    }
}
