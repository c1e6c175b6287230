//! Cuts decoded lines into cells, as RFC 4180 says and more leniently where files do not keep to it.

use crate::TableError;
use crate::limits::Limits;
use crate::row::{Cell, Row};

/// Whether a line ended its record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fed {
    /// The record is complete.
    Complete,
    /// A quoted cell goes on in the next line.
    Open,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    CellStart,
    Quoted,
    AfterQuote,
}

/// Takes lines, gives cells.
pub(crate) struct RecordParser {
    delimiter: u8,
    state: State,
    /// The cell being put together, where it is not a plain piece of a line.
    cell: String,
    /// Line and column of the quotation mark that is open.
    opened: (u64, u64),
    record_bytes: u64,
    cell_bytes: u64,
    row_bytes: u64,
    columns: u64,
    quoted_lines: u64,
}

impl RecordParser {
    pub(crate) fn new(delimiter: u8, limits: &Limits) -> Self {
        Self {
            delimiter,
            state: State::CellStart,
            cell: String::new(),
            opened: (0, 0),
            record_bytes: 0,
            cell_bytes: limits.cell_bytes,
            row_bytes: limits.row_bytes,
            columns: limits.columns,
            quoted_lines: limits.quoted_lines,
        }
    }

    /// Forgets a record that was begun.
    pub(crate) fn restart(&mut self) {
        self.state = State::CellStart;
        self.cell.clear();
        self.record_bytes = 0;
    }

    /// Line and column, both from 1, of a quotation mark that is still open.
    pub(crate) fn open_quote(&self) -> Option<(u64, u64)> {
        (self.state == State::Quoted).then_some(self.opened)
    }

    /// Takes a line of the record `out` and the line's own end.
    pub(crate) fn feed(
        &mut self,
        text: &str,
        end: &str,
        line: u64,
        out: &mut Row,
    ) -> Result<Fed, TableError> {
        self.record_bytes += text.len() as u64;
        let mut rest = text;
        loop {
            match self.state {
                State::CellStart => {
                    if let Some(quoted) = rest.strip_prefix('"') {
                        self.state = State::Quoted;
                        self.opened = (line, out.cells.len() as u64 + 1);
                        rest = quoted;
                        continue;
                    }
                    let (cell, next) = self.split(rest);
                    self.check_cell(cell.len(), line, out)?;
                    self.push(Cell::from_text(cell), out)?;
                    match next {
                        Some(next) => rest = next,
                        None => return self.complete(out),
                    }
                }
                State::Quoted => {
                    let Some((before, after)) = rest.split_once('"') else {
                        self.cell.push_str(rest);
                        self.cell.push_str(end);
                        self.check_cell(self.cell.len(), line, out)?;
                        self.check_record(out)?;
                        return Ok(Fed::Open);
                    };
                    self.cell.push_str(before);
                    self.check_cell(self.cell.len(), line, out)?;
                    match after.strip_prefix('"') {
                        Some(after) => {
                            self.cell.push('"');
                            rest = after;
                        }
                        None => {
                            self.state = State::AfterQuote;
                            rest = after;
                        }
                    }
                }
                State::AfterQuote => {
                    // Anything between the closing mark and the delimiter is kept as it is.
                    let (tail, next) = self.split(rest);
                    self.cell.push_str(tail);
                    self.check_cell(self.cell.len(), line, out)?;
                    let cell = Cell::from_text(&self.cell);
                    self.cell.clear();
                    self.state = State::CellStart;
                    self.push(cell, out)?;
                    match next {
                        Some(next) => rest = next,
                        None => return self.complete(out),
                    }
                }
            }
        }
    }

    /// What stands before the next delimiter, and what after it if there is one.
    fn split<'a>(&self, text: &'a str) -> (&'a str, Option<&'a str>) {
        let found = memchr::memchr(self.delimiter, text.as_bytes())
            .and_then(|at| Some((text.get(..at)?, text.get(at + 1..)?)));
        match found {
            Some((cell, next)) => (cell, Some(next)),
            None => (text, None),
        }
    }

    fn complete(&mut self, out: &Row) -> Result<Fed, TableError> {
        self.check_record(out)?;
        self.record_bytes = 0;
        Ok(Fed::Complete)
    }

    fn push(&self, cell: Cell, out: &mut Row) -> Result<(), TableError> {
        if out.cells.len() as u64 >= self.columns {
            return Err(TableError::TooManyColumns { row: out.number, limit: self.columns });
        }
        out.cells.push(cell);
        Ok(())
    }

    fn check_cell(&self, length: usize, line: u64, out: &Row) -> Result<(), TableError> {
        let quoted = self.state == State::Quoted;
        let spanned = if quoted { line - self.opened.0 } else { 0 };
        let too_long = length as u64 > self.cell_bytes;
        if spanned >= self.quoted_lines || (too_long && spanned > 0) {
            return Err(TableError::QuoteUnclosed {
                row: out.number,
                line: self.opened.0,
                column: self.opened.1,
            });
        }
        if too_long {
            return Err(TableError::CellTooLong {
                sheet: None,
                row: out.number,
                column: out.cells.len() as u64 + 1,
                limit: self.cell_bytes,
            });
        }
        Ok(())
    }

    fn check_record(&self, out: &Row) -> Result<(), TableError> {
        if self.record_bytes > self.row_bytes {
            return Err(TableError::RowTooLong { row: out.number, limit: self.row_bytes });
        }
        Ok(())
    }
}
