//! Puts the cells of HTML tables into rows and columns.

use crate::TableError;
use crate::html::entities;
use crate::html::tokens::Tag;
use crate::limits::Limits;
use crate::row::{Cell, ProblemKind, Row};
use crate::text::{Decoded, Encoding, decode};

/// Stands for a line break within a cell until its text is put together. No text has this byte.
const BREAK: u8 = 0x0B;
/// The standard's own bound.
const MOST_COLSPAN: u64 = 1_000;
const MOST_ROWSPAN: u64 = 65_534;

/// What a token did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Placed {
    Nothing,
    /// A row is complete and waits to be taken.
    RowComplete,
}

/// The tables of a page as one grid.
pub(crate) struct Grid {
    /// Tables down to this depth have rows; a table deeper within is the text of a cell.
    data_depth: usize,
    encoding: Encoding,
    limits: Limits,
    depth: usize,
    row: Row,
    row_open: bool,
    row_bytes: u64,
    number: u64,
    cell: Option<OpenCell>,
    /// For each column, how many rows to come a cell above reaches into.
    reaching: Vec<u64>,
    /// Reaches begun in this row: first column, columns, rows.
    begun: Vec<(usize, usize, u64)>,
    done: Option<Row>,
}

struct OpenCell {
    raw: Vec<u8>,
    colspan: usize,
    rowspan: u64,
    number: Option<f64>,
}

impl Grid {
    pub(crate) fn new(data_depth: usize, encoding: Encoding, limits: &Limits) -> Self {
        Self {
            data_depth,
            encoding,
            limits: limits.clone(),
            depth: 0,
            row: Row::default(),
            row_open: false,
            row_bytes: 0,
            number: 0,
            cell: None,
            reaching: Vec::new(),
            begun: Vec::new(),
            done: None,
        }
    }

    pub(crate) fn data_depth(&self) -> usize {
        self.data_depth
    }

    /// Gives the complete row, if it is not blank.
    pub(crate) fn take_row(&mut self, out: &mut Row) -> bool {
        match self.done.take() {
            Some(row) if !row.is_blank() => {
                *out = row;
                true
            }
            _ => false,
        }
    }

    /// Says after which row the page is cut off or damaged.
    pub(crate) fn located(&self, error: TableError) -> TableError {
        match error {
            TableError::FileTruncated { .. } => self.truncated(),
            TableError::FileDamaged { part, .. } => {
                TableError::FileDamaged { part, sheet: None, row: Some(self.number) }
            }
            other => other,
        }
    }

    fn truncated(&self) -> TableError {
        TableError::FileTruncated { sheet: None, row: Some(self.number) }
    }

    pub(crate) fn text(&mut self, text: &[u8]) -> Result<Placed, TableError> {
        if let Some(cell) = &mut self.cell {
            if (cell.raw.len() + text.len()) as u64 > self.limits.cell_bytes {
                return Err(TableError::CellTooLong {
                    sheet: None,
                    row: self.number,
                    column: self.row.cells.len() as u64 + 1,
                    limit: self.limits.cell_bytes,
                });
            }
            cell.raw.extend_from_slice(text);
        }
        Ok(Placed::Nothing)
    }

    pub(crate) fn tag(&mut self, tag: &Tag) -> Result<Placed, TableError> {
        let within_cell = self.depth > self.data_depth;
        match (tag.name.as_str(), tag.end) {
            ("table", false) => {
                self.depth += 1;
                if self.depth > self.data_depth {
                    return self.text(&[BREAK]);
                }
                // A table that lays out others: what it said so far is a row of its own.
                let placed = self.close_row()?;
                self.reaching.clear();
                Ok(placed)
            }
            ("table", true) => {
                let placed = if within_cell { Placed::Nothing } else { self.close_row()? };
                self.depth = self.depth.saturating_sub(1);
                if !within_cell {
                    self.reaching.clear();
                }
                Ok(placed)
            }
            ("tr", end) if !within_cell && self.depth > 0 => {
                let placed = self.close_row()?;
                if !end {
                    self.open_row();
                }
                Ok(placed)
            }
            ("td" | "th", false) if !within_cell && self.depth > 0 => {
                self.close_cell()?;
                if !self.row_open {
                    self.open_row();
                }
                self.open_cell(tag)?;
                Ok(Placed::Nothing)
            }
            ("td" | "th", true) if !within_cell => {
                self.close_cell()?;
                Ok(Placed::Nothing)
            }
            ("br" | "p" | "div" | "li" | "tr", false) => self.text(&[BREAK]),
            ("td" | "th", false) => self.text(b" "),
            _ => Ok(Placed::Nothing),
        }
    }

    /// The page is at its end; it must have closed its tables.
    pub(crate) fn end(&mut self) -> Result<Placed, TableError> {
        if self.depth > 0 {
            return Err(self.truncated());
        }
        self.close_row()
    }

    fn open_row(&mut self) {
        self.number += 1;
        self.row.clear();
        self.row.number = self.number;
        self.row_open = true;
        self.row_bytes = 0;
    }

    fn close_row(&mut self) -> Result<Placed, TableError> {
        if !self.row_open {
            return Ok(Placed::Nothing);
        }
        self.close_cell()?;
        self.row_open = false;
        for reach in &mut self.reaching {
            *reach = reach.saturating_sub(1);
        }
        for (first, columns, rows) in self.begun.drain(..) {
            if self.reaching.len() < first + columns {
                self.reaching.resize(first + columns, 0);
            }
            for reach in self.reaching.iter_mut().skip(first).take(columns) {
                *reach = rows;
            }
        }
        self.done = Some(std::mem::take(&mut self.row));
        Ok(Placed::RowComplete)
    }

    fn open_cell(&mut self, tag: &Tag) -> Result<(), TableError> {
        // Columns that a cell above reaches into are taken.
        while self.reaching.get(self.row.cells.len()).is_some_and(|rows| *rows > 0) {
            self.push(Cell::Empty)?;
        }
        let span = |name: &str, most: u64| {
            let written = tag.attribute(name).and_then(|value| std::str::from_utf8(value).ok());
            written.and_then(|text| text.trim().parse::<u64>().ok()).unwrap_or(1).clamp(1, most)
        };
        let number = tag.attribute("x:num").and_then(|value| std::str::from_utf8(value).ok());
        self.cell = Some(OpenCell {
            raw: Vec::new(),
            colspan: usize::try_from(span("colspan", MOST_COLSPAN)).unwrap_or(1),
            rowspan: span("rowspan", MOST_ROWSPAN),
            number: number.and_then(|text| text.trim().parse().ok()).filter(|value: &f64| value.is_finite()),
        });
        Ok(())
    }

    fn close_cell(&mut self) -> Result<(), TableError> {
        let Some(cell) = self.cell.take() else { return Ok(()) };
        let first = self.row.cells.len();
        let value = self.value(&cell, first as u64 + 1);
        self.row_bytes += cell.raw.len() as u64;
        if self.row_bytes > self.limits.row_bytes {
            return Err(TableError::RowTooLong { row: self.number, limit: self.limits.row_bytes });
        }
        self.push(value)?;
        for _ in 1..cell.colspan {
            self.push(Cell::Empty)?;
        }
        if cell.rowspan > 1 {
            self.begun.push((first, cell.colspan, cell.rowspan - 1));
        }
        Ok(())
    }

    fn push(&mut self, cell: Cell) -> Result<(), TableError> {
        if self.row.cells.len() as u64 >= self.limits.columns {
            return Err(TableError::TooManyColumns { row: self.number, limit: self.limits.columns });
        }
        self.row.cells.push(cell);
        Ok(())
    }

    /// The cell's text as a browser shows it, or the number behind it where the text has lost it.
    fn value(&mut self, cell: &OpenCell, column: u64) -> Cell {
        let mut decoded = String::new();
        match decode(self.encoding, &cell.raw, &mut decoded) {
            Decoded::Clean if decoded.contains('\u{FFFD}') => {
                self.row.note(ProblemKind::LostCharacter, Some(column));
            }
            Decoded::Clean => {}
            Decoded::Other(other) => self.row.note(ProblemKind::OtherEncoding(other.name()), None),
            Decoded::Lossy => self.row.note(ProblemKind::Undecodable, Some(column)),
        }
        if decoded.contains('\0') {
            decoded.retain(|c| c != '\0');
            self.row.note(ProblemKind::NulRemoved, None);
        }
        let text = shown(&decoded);
        match cell.number {
            Some(number) if is_scientific(&text) => Cell::Number(number),
            _ => Cell::from_text(&text),
        }
    }
}

/// References resolved, spaces and line ends of the source made one space, breaks made line ends.
fn shown(source: &str) -> String {
    let mut out = String::with_capacity(source.len());
    for line in source.split(char::from(BREAK)) {
        let mut words = String::with_capacity(line.len());
        for word in line.split_ascii_whitespace() {
            if !words.is_empty() {
                words.push(' ');
            }
            words.push_str(word);
        }
        let line = entities::resolve(&words).replace('\u{A0}', " ");
        let line = line.trim();
        if !line.is_empty() {
            if !out.is_empty() {
                out.push('\n');
            }
            out.push_str(line);
        }
    }
    out
}

/// Whether a text is a number as `1.10105E+17`.
fn is_scientific(text: &str) -> bool {
    text.contains(['e', 'E']) && text.bytes().any(|b| b.is_ascii_digit()) && text.parse::<f64>().is_ok()
}
