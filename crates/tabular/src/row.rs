//! Rows and cells as they stand in the file, without any idea of what they mean.

use std::borrow::Cow;
use std::fmt;

use chrono::NaiveDateTime;

use crate::TableError;
use crate::limits::Limits;

/// One cell. Its `Debug` shows the kind and never the content: cells are patient data.
#[derive(Clone, PartialEq, Default)]
pub enum Cell {
    /// Nothing, or an empty text.
    #[default]
    Empty,
    /// A text, with its spaces and `="…"` guards as they are in the file.
    Text(String),
    /// A number that the file stores as a binary number. See [`Cell::has_lost_digits`].
    Number(f64),
    /// A date, with the time of day if the file has one (else midnight), in the hospital's local time.
    DateTime(NaiveDateTime),
    /// A truth value.
    Bool(bool),
    /// An error value of a spreadsheet, such as `#N/A`.
    Error(String),
}

/// Integers from here on may have lost digits in a spreadsheet: it keeps 15 of them, so that an
/// 18-digit identity number becomes 110105200101041000.
const FIRST_UNSAFE_INTEGER: f64 = 1e15;

impl Cell {
    /// Makes a text cell, or an empty one of an empty text.
    pub fn from_text(text: &str) -> Self {
        if text.is_empty() { Self::Empty } else { Self::Text(text.to_owned()) }
    }

    /// Bytes of its text, if it has one.
    pub(crate) fn bytes(&self) -> u64 {
        match self {
            Self::Text(text) | Self::Error(text) => text.len() as u64,
            _ => 0,
        }
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        matches!(self, Self::Empty)
    }

    /// Whether this is a number of 16 or more digits, whose last digits a spreadsheet has replaced by zeros.
    pub fn has_lost_digits(&self) -> bool {
        matches!(self, Self::Number(value) if value.abs() >= FIRST_UNSAFE_INTEGER)
    }

    /// The cell as text: numbers without exponent and with the 15 digits a spreadsheet shows,
    /// dates as `2026-10-10` or `2026-10-10 09:42:00`, truth values as `TRUE` and `FALSE`.
    pub fn to_text(&self) -> Cow<'_, str> {
        match self {
            Self::Empty => Cow::Borrowed(""),
            Self::Text(text) | Self::Error(text) => Cow::Borrowed(text),
            Self::Number(value) => Cow::Owned(plain_number(*value)),
            Self::DateTime(at) => Cow::Owned(if at.time() == chrono::NaiveTime::MIN {
                at.format("%Y-%m-%d").to_string()
            } else {
                at.format("%Y-%m-%d %H:%M:%S").to_string()
            }),
            Self::Bool(true) => Cow::Borrowed("TRUE"),
            Self::Bool(false) => Cow::Borrowed("FALSE"),
        }
    }
}

impl fmt::Debug for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "Empty",
            Self::Text(_) => "Text(***)",
            Self::Number(_) => "Number(***)",
            Self::DateTime(_) => "DateTime(***)",
            Self::Bool(_) => "Bool(***)",
            Self::Error(_) => "Error(***)",
        })
    }
}

/// Writes a number without exponent and with at most 15 significant digits, as spreadsheets show
/// it: `20580.6` and not `20580.600000000002`.
pub fn plain_number(value: f64) -> String {
    if !value.is_finite() {
        return String::new();
    }
    if value == 0.0 {
        return "0".to_owned();
    }
    if value.fract() == 0.0 && value.abs() < FIRST_UNSAFE_INTEGER {
        return format!("{value:.0}");
    }
    // Fifteen significant digits, read back, is the shortest form without binary noise.
    let rounded: f64 = format!("{value:.14e}").parse().unwrap_or(value);
    format!("{rounded}")
}

/// Something about a row that its reader must know before trusting it. Other rows are unaffected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RowProblem {
    /// What is wrong.
    pub kind: ProblemKind,
    /// Column, from 1, where it concerns one cell.
    pub column: Option<u64>,
}

/// What can be wrong with one row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProblemKind {
    /// The row is in this encoding and not in the file's; the cells were decoded with it and are right.
    OtherEncoding(&'static str),
    /// Bytes that are valid in no known encoding; they stand as U+FFFD in the cell.
    Undecodable,
    /// The file itself has U+FFFD here: the character was lost before the file was written.
    LostCharacter,
    /// NUL bytes were left out.
    NulRemoved,
    /// A stored value that its own type does not allow, such as the date 20261340; given as text or empty.
    InvalidValue,
}

impl ProblemKind {
    /// The machine's word for it.
    pub fn code(self) -> &'static str {
        match self {
            Self::OtherEncoding(_) => "other_encoding",
            Self::Undecodable => "undecodable",
            Self::LostCharacter => "lost_character",
            Self::NulRemoved => "nul_removed",
            Self::InvalidValue => "invalid_value",
        }
    }
}

/// Every code that [`ProblemKind::code`] can answer, for tests that look for the texts.
pub const PROBLEM_CODES: &[&str] =
    &["other_encoding", "undecodable", "lost_character", "nul_removed", "invalid_value"];

/// One row that has at least one cell with content. Blank rows are left out and still counted.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Row {
    /// Number of the row from 1, as Excel shows it when the file is opened there. For a .dbf it is
    /// the record number as FoxPro shows it, and 0 is the row of field names.
    pub number: u64,
    /// The cells from the first column on. Empty cells at the end may be missing.
    pub cells: Vec<Cell>,
    /// What is wrong with this row, in no order.
    pub problems: Vec<RowProblem>,
}

impl Row {
    /// The cell of a column counted from 0; empty beyond the end.
    pub fn cell(&self, index: usize) -> &Cell {
        const EMPTY: &Cell = &Cell::Empty;
        self.cells.get(index).unwrap_or(EMPTY)
    }

    /// Empties the row for the next use.
    pub(crate) fn clear(&mut self) {
        self.number = 0;
        self.cells.clear();
        self.problems.clear();
    }

    /// Notes a problem once per kind and column.
    pub(crate) fn note(&mut self, kind: ProblemKind, column: Option<u64>) {
        let problem = RowProblem { kind, column };
        if !self.problems.contains(&problem) {
            self.problems.push(problem);
        }
    }

    /// Puts a cell into its column, counted from 1, where columns come in any order. An empty one is
    /// left out: formatted cells without content can reach to the last column of a spreadsheet.
    pub(crate) fn place(&mut self, column: u64, cell: Cell, limits: &Limits) -> Result<(), TableError> {
        if cell.is_empty() {
            return Ok(());
        }
        if column > limits.columns {
            return Err(TableError::TooManyColumns { row: self.number, limit: limits.columns });
        }
        let index = usize::try_from(column.saturating_sub(1)).unwrap_or(0);
        let is_long = cell.bytes() > 1024;
        if self.cells.len() <= index {
            self.cells.resize(index + 1, Cell::Empty);
        }
        if let Some(place) = self.cells.get_mut(index) {
            *place = cell;
        }
        // Short cells cannot make a row too long, however many there are of them.
        if is_long && self.cells.iter().map(Cell::bytes).sum::<u64>() > limits.row_bytes {
            return Err(TableError::RowTooLong { row: self.number, limit: limits.row_bytes });
        }
        Ok(())
    }

    /// Whether all cells are empty.
    pub(crate) fn is_blank(&self) -> bool {
        self.cells.iter().all(Cell::is_empty)
    }
}
