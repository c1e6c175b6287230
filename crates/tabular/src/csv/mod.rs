//! Delimited text: CSV, TSV and their relatives with `;` and `|`.

mod dialect;
mod record;

use std::fs::File;
use std::sync::Arc;

use crate::TableError;
use crate::limits::Options;
use crate::row::{Cell, ProblemKind, Row};
use crate::text::encoding::FIRST_TRAIL;
use crate::text::lines::Lines;
use crate::text::source::{Layout, Source};
use crate::text::{Decoded, Encoding, decode};
use record::{Fed, RecordParser};

/// The rows of a delimited text file.
pub(crate) struct CsvRows {
    lines: Lines<Source>,
    encoding: Encoding,
    encoding_name: &'static str,
    delimiter: u8,
    /// Lines at the front that belong to no row: Excel's `sep=,`.
    skipped_lines: u64,
    parser: RecordParser,
    options: Options,
    /// The decoded line.
    text: String,
    line: u64,
    row: u64,
    delivered: u64,
}

/// What decoding the lines of one record showed.
#[derive(Default)]
struct Findings {
    other: Option<Encoding>,
    lossy: bool,
    lost: bool,
    nul: bool,
}

impl CsvRows {
    pub(crate) fn open(file: Arc<File>, layout: Layout, options: &Options) -> Result<Self, TableError> {
        let mut source = Source::new(file, layout)?;
        let encoding = source.find_encoding(None, options)?;
        let mut lines = Lines::new(source, options.limits.row_bytes);
        let dialect = dialect::find(&mut lines, encoding, &options.limits)?;
        let mut rows = Self {
            lines,
            encoding,
            encoding_name: layout.utf16_name().unwrap_or(encoding.name()),
            delimiter: dialect.delimiter,
            skipped_lines: dialect.skipped_lines,
            parser: RecordParser::new(dialect.delimiter, &options.limits),
            options: options.clone(),
            text: String::new(),
            line: 0,
            row: 0,
            delivered: 0,
        };
        rows.rewind()?;
        Ok(rows)
    }

    pub(crate) fn encoding_name(&self) -> &'static str {
        self.encoding_name
    }

    pub(crate) fn delimiter(&self) -> char {
        char::from(self.delimiter)
    }

    pub(crate) fn read_bytes(&self) -> u64 {
        self.lines.inner.read_bytes()
    }

    pub(crate) fn rewind(&mut self) -> Result<(), TableError> {
        self.lines.inner.restart()?;
        self.lines.restart();
        self.parser.restart();
        self.line = 0;
        self.row = 0;
        self.delivered = 0;
        for _ in 0..self.skipped_lines {
            self.lines.next()?;
            self.line += 1;
        }
        Ok(())
    }

    pub(crate) fn next(&mut self, out: &mut Row) -> Result<bool, TableError> {
        loop {
            out.clear();
            if !self.next_record(out)? {
                return Ok(false);
            }
            if self.row.is_multiple_of(4096) {
                self.options.check_cancelled()?;
            }
            if !out.is_blank() {
                break;
            }
        }
        self.delivered += 1;
        if self.delivered > self.options.limits.rows {
            let limit = self.options.limits.rows;
            return Err(TableError::TooManyRows { limit });
        }
        Ok(true)
    }

    fn next_record(&mut self, out: &mut Row) -> Result<bool, TableError> {
        let mut findings = Findings::default();
        self.row += 1;
        out.number = self.row;
        loop {
            let Some(line) = self.lines.next()? else {
                return match self.parser.open_quote() {
                    None => Ok(false),
                    Some((line, column)) => Err(TableError::QuoteUnclosed { row: self.row, line, column }),
                };
            };
            self.line += 1;
            self.text.clear();
            let decoded = decode(self.encoding, line.bytes, &mut self.text);
            if decoded == Decoded::Lossy && self.delimiter < FIRST_TRAIL {
                self.text.clear();
                findings.decode_cells(self.encoding, line.bytes, self.delimiter, &mut self.text);
            } else {
                findings.add(decoded, &self.text);
            }
            if self.text.contains('\0') {
                findings.nul = true;
                self.text.retain(|c| c != '\0');
            }
            // Ctrl-Z: the end of file mark of DOS programs.
            if self.text == "\u{1A}" {
                self.text.clear();
            }
            let fed = self.parser.feed(&self.text, line.end, self.line, out)?;
            if line.overlong {
                let limit = self.options.limits.row_bytes;
                return Err(TableError::RowTooLong { row: self.row, limit });
            }
            if fed == Fed::Complete {
                break;
            }
        }
        findings.note(out);
        Ok(true)
    }
}

impl Findings {
    fn add(&mut self, decoded: Decoded, text: &str) {
        match decoded {
            Decoded::Clean => self.lost |= text.contains('\u{FFFD}'),
            Decoded::Other(other) => self.other = Some(other),
            Decoded::Lossy => self.lossy = true,
        }
    }

    /// Decodes the cells of a line one by one, so that one that cannot be read spoils no other.
    fn decode_cells(&mut self, encoding: Encoding, line: &[u8], delimiter: u8, out: &mut String) {
        for (index, cell) in line.split(|byte| *byte == delimiter).enumerate() {
            if index > 0 {
                out.push(char::from(delimiter));
            }
            let start = out.len();
            let decoded = decode(encoding, cell, out);
            self.add(decoded, out.get(start..).unwrap_or_default());
        }
    }

    fn note(&self, out: &mut Row) {
        if let Some(other) = self.other {
            out.note(ProblemKind::OtherEncoding(other.name()), None);
        }
        if self.nul {
            out.note(ProblemKind::NulRemoved, None);
        }
        if !(self.lossy || self.lost) {
            return;
        }
        let kind = if self.lossy { ProblemKind::Undecodable } else { ProblemKind::LostCharacter };
        for index in 0..out.cells.len() {
            if matches!(out.cell(index), Cell::Text(text) if text.contains('\u{FFFD}')) {
                out.note(kind, Some(index as u64 + 1));
            }
        }
    }
}
