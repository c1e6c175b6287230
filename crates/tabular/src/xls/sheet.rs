//! The rows of one sheet of a BIFF workbook.

use crate::TableError;
use crate::limits::{Limits, Options};
use crate::number::number_cell;
use crate::row::{Cell, ProblemKind, Row};
use crate::text::Decoded;
use crate::xls::globals::{Globals, Version};
use crate::xls::records::{Cursor, Head, Records, f64_at, id, u16_at, u32_at};
use crate::xlsx::texts::Found;

/// BIFF ends at column IV.
const COLUMNS: u16 = 256;
/// Cell records of a sheet whose rows are not in order are put in order in memory, 16 bytes each.
const MOST_UNORDERED: usize = 3_000_000;

/// Where reading of a sheet stands.
pub(crate) struct SheetReader {
    start: u64,
    /// Places of the cell records by row, for a sheet that does not have them in order.
    ordered: Option<Vec<(u16, u64)>>,
    next_ordered: usize,
    /// The record read last when it belongs to the next row.
    waiting: Option<Head>,
    finished: bool,
    depth: u32,
    row: u64,
    sheet: String,
}

fn is_cell(id: u16) -> bool {
    matches!(
        id,
        id::NUMBER
            | id::LABEL
            | id::LABEL_SST
            | id::RSTRING
            | id::RK
            | id::MUL_RK
            | id::BOOL_ERR
            | id::FORMULA
    )
}

impl SheetReader {
    /// Goes to a sheet and looks whether its rows are in order, as Excel has them.
    pub(crate) fn open(
        records: &mut Records,
        globals: &Globals,
        index: usize,
        options: &Options,
    ) -> Result<Self, TableError> {
        let start = *globals.starts.get(index).ok_or(TableError::SheetMissing)?;
        let sheet = globals.sheets.get(index).map(|sheet| sheet.name.clone()).unwrap_or_default();
        let mut reader = Self {
            start,
            ordered: None,
            next_ordered: 0,
            waiting: None,
            finished: false,
            depth: 0,
            row: 0,
            sheet,
        };
        reader.begin(records)?;
        reader.put_in_order(records, options)?;
        reader.begin(records)?;
        Ok(reader)
    }

    fn begin(&mut self, records: &mut Records) -> Result<(), TableError> {
        records.go_to(self.start);
        match records.next().map_err(|error| self.located(error))? {
            Some(head) if head.id == id::BOF => {}
            Some(_) => return Err(self.damaged()),
            None => return Err(self.truncated()),
        }
        self.depth = 1;
        self.finished = false;
        self.waiting = None;
        self.next_ordered = 0;
        self.row = 0;
        Ok(())
    }

    pub(crate) fn rewind(&mut self, records: &mut Records) -> Result<(), TableError> {
        self.begin(records)
    }

    fn damaged(&self) -> TableError {
        TableError::FileDamaged { part: "sheet", sheet: Some(self.sheet.clone()), row: Some(self.row) }
    }

    fn truncated(&self) -> TableError {
        TableError::FileTruncated { sheet: Some(self.sheet.clone()), row: Some(self.row) }
    }

    fn located(&self, error: TableError) -> TableError {
        match error {
            TableError::FileTruncated { .. } => self.truncated(),
            TableError::FileDamaged { part, .. } => {
                TableError::FileDamaged { part, sheet: Some(self.sheet.clone()), row: Some(self.row) }
            }
            other => other,
        }
    }

    /// Walks once over the sheet; if a cell comes before its turn, once more to note the place of each.
    fn put_in_order(&mut self, records: &mut Records, options: &Options) -> Result<(), TableError> {
        let mut last = 0;
        let mut in_order = true;
        let mut seen = 0u32;
        while self.next_cell(records)?.is_some() {
            let row = u16_at(records.data(), 0).ok_or_else(|| self.damaged())?;
            in_order &= row >= last;
            last = row;
            seen = seen.wrapping_add(1);
            if seen.is_multiple_of(1 << 16) {
                options.check_cancelled()?;
            }
        }
        if in_order {
            return Ok(());
        }
        let mut places: Vec<(u16, u64)> = Vec::new();
        self.begin(records)?;
        while let Some(head) = self.next_cell(records)? {
            places.push((u16_at(records.data(), 0).ok_or_else(|| self.damaged())?, head.at));
            if places.len() > MOST_UNORDERED {
                return Err(self.damaged());
            }
        }
        places.sort_by_key(|(row, _)| *row);
        self.ordered = Some(places);
        Ok(())
    }

    /// Reads up to the next record that is a cell; `None` at the end of the sheet.
    fn next_cell(&mut self, records: &mut Records) -> Result<Option<Head>, TableError> {
        while self.depth > 0 {
            let Some(head) = records.next().map_err(|error| self.located(error))? else {
                return Err(self.truncated());
            };
            match head.id {
                // Charts within the sheet have records of their own.
                id::BOF => self.depth += 1,
                id::EOF => self.depth -= 1,
                _ if self.depth == 1 && is_cell(head.id) => return Ok(Some(head)),
                _ => {}
            }
        }
        Ok(None)
    }

    /// The next cell record in the order of rows.
    fn advance(&mut self, records: &mut Records) -> Result<Option<Head>, TableError> {
        if let Some(head) = self.waiting.take() {
            records.go_to(head.at);
            return records.next();
        }
        match &self.ordered {
            None => self.next_cell(records),
            Some(places) => {
                let Some((_, at)) = places.get(self.next_ordered) else { return Ok(None) };
                self.next_ordered += 1;
                records.go_to(*at);
                records.next()
            }
        }
    }

    /// Reads the next row that is not blank.
    pub(crate) fn next(
        &mut self,
        records: &mut Records,
        globals: &mut Globals,
        options: &Options,
        out: &mut Row,
    ) -> Result<bool, TableError> {
        out.clear();
        while !self.finished {
            let Some(head) = self.advance(records)? else {
                self.finished = true;
                break;
            };
            let number = u64::from(u16_at(records.data(), 0).ok_or_else(|| self.damaged())?) + 1;
            if out.number != 0 && number != out.number {
                if !out.is_blank() {
                    self.waiting = Some(head);
                    return Ok(true);
                }
                out.clear();
            }
            out.number = number;
            self.row = number;
            if let Err(error) = add_cell(head, records, globals, &self.sheet, &options.limits, out) {
                return Err(self.located(error));
            }
        }
        Ok(out.number != 0 && !out.is_blank())
    }
}

/// Puts the cell of the record read last into its row.
fn add_cell(
    head: Head,
    records: &mut Records,
    globals: &mut Globals,
    sheet: &str,
    limits: &Limits,
    out: &mut Row,
) -> Result<(), TableError> {
    let damaged = || TableError::damaged("sheet");
    let data = records.data();
    let column = u16_at(data, 2).ok_or_else(damaged)?;
    let style = u16_at(data, 4).ok_or_else(damaged)?;
    let kind = |style: u16| globals.styles.get(usize::from(style)).copied().unwrap_or_default();
    let mut problem = None;
    let cell = match head.id {
        id::MUL_RK => return add_numbers(data, column, globals, limits, out),
        id::NUMBER => number_cell(f64_at(data, 6).ok_or_else(damaged)?, kind(style), globals.epoch),
        id::RK => number_cell(rk(u32_at(data, 6).ok_or_else(damaged)?), kind(style), globals.epoch),
        id::BOOL_ERR => match (data.get(6), data.get(7)) {
            (Some(value), Some(0)) => Cell::Bool(*value != 0),
            (Some(code), _) => error_cell(*code),
            _ => return Err(damaged()),
        },
        id::FORMULA => match formula(data).ok_or_else(damaged)? {
            Result8::Number(value) => number_cell(value, kind(style), globals.epoch),
            Result8::Other(cell) => cell,
            Result8::Text => {
                let (cell, decoded) = formula_text(records, globals.version)?;
                problem = decoded;
                cell
            }
        },
        id::LABEL_SST => match globals.texts.get(u32_at(data, 6).ok_or_else(damaged)?) {
            Found::Text(text) => Cell::from_text(text),
            Found::Overlong => {
                return Err(TableError::CellTooLong {
                    sheet: Some(sheet.to_owned()),
                    row: out.number,
                    column: u64::from(column) + 1,
                    limit: limits.cell_bytes,
                });
            }
            Found::Missing => {
                problem = Some(ProblemKind::InvalidValue);
                Cell::Empty
            }
        },
        _ => {
            let (cell, decoded) = label(records, globals.version)?;
            problem = decoded;
            cell
        }
    };
    if matches!(&cell, Cell::Text(text) if text.contains('\u{FFFD}')) {
        problem = problem.or(Some(ProblemKind::LostCharacter));
    }
    match problem {
        Some(kind @ ProblemKind::OtherEncoding(_)) => out.note(kind, None),
        Some(kind) => out.note(kind, Some(u64::from(column) + 1)),
        None => {}
    }
    place(cell, column, limits, out)
}

fn place(cell: Cell, column: u16, limits: &Limits, out: &mut Row) -> Result<(), TableError> {
    if column >= COLUMNS {
        return Err(TableError::damaged("sheet"));
    }
    out.place(u64::from(column) + 1, cell, limits)
}

/// Several numbers side by side: column, then style and number of each, then the last column.
fn add_numbers(
    data: &[u8],
    first: u16,
    globals: &Globals,
    limits: &Limits,
    out: &mut Row,
) -> Result<(), TableError> {
    let body = data.get(4..data.len().saturating_sub(2)).unwrap_or_default();
    for (step, pair) in body.chunks_exact(6).enumerate() {
        let (Some(style), Some(number)) = (u16_at(pair, 0), u32_at(pair, 2)) else { break };
        let kind = globals.styles.get(usize::from(style)).copied().unwrap_or_default();
        let column = u16::try_from(usize::from(first) + step).unwrap_or(u16::MAX);
        place(number_cell(rk(number), kind, globals.epoch), column, limits, out)?;
    }
    Ok(())
}

/// A number in four bytes: 30 bits of an integer or of a double's upper half, perhaps times a hundred.
fn rk(bits: u32) -> f64 {
    let value = if bits & 2 != 0 {
        f64::from(bits.cast_signed() >> 2)
    } else {
        f64::from_bits(u64::from(bits & !3) << 32)
    };
    if bits & 1 != 0 { value / 100.0 } else { value }
}

fn error_cell(code: u8) -> Cell {
    let text = match code {
        0x00 => "#NULL!",
        0x07 => "#DIV/0!",
        0x0F => "#VALUE!",
        0x17 => "#REF!",
        0x1D => "#NAME?",
        0x24 => "#NUM!",
        0x2A => "#N/A",
        _ => "#ERROR",
    };
    Cell::Error(text.to_owned())
}

/// The last result of a formula.
enum Result8 {
    Number(f64),
    Other(Cell),
    /// Follows in a record of its own.
    Text,
}

fn formula(data: &[u8]) -> Option<Result8> {
    let result = data.get(6..14)?;
    if result.get(6..8) != Some(&[0xFF, 0xFF]) {
        return Some(Result8::Number(f64_at(result, 0)?));
    }
    let value = *result.get(2)?;
    Some(match result.first()? {
        0 => Result8::Text,
        1 => Result8::Other(Cell::Bool(value != 0)),
        2 => Result8::Other(error_cell(value)),
        _ => Result8::Other(Cell::Empty),
    })
}

type FoundText = (Cell, Option<ProblemKind>);

/// The text that follows a formula; between them may stand the formula that several cells share.
fn formula_text(records: &mut Records, version: Version) -> Result<FoundText, TableError> {
    let (back, _) = records.progress();
    for _ in 0..4 {
        match records.next()? {
            Some(head) if head.id == id::STRING => return text(records, version, 0),
            Some(head) if !is_cell(head.id) && head.id != id::EOF => {}
            _ => break,
        }
    }
    records.go_to(back);
    Ok((Cell::Empty, None))
}

fn label(records: &mut Records, version: Version) -> Result<FoundText, TableError> {
    text(records, version, 6)
}

fn text(records: &mut Records, version: Version, at: usize) -> Result<FoundText, TableError> {
    match version {
        Version::Biff8 => Ok((Cell::from_text(&Cursor::new(records, at).unicode()?), None)),
        Version::Biff5 => {
            let length = u16_at(records.data(), at).ok_or_else(|| TableError::damaged("sheet"))?;
            let (text, decoded) = Cursor::new(records, at + 2).narrow(usize::from(length))?;
            let problem = match decoded {
                Decoded::Clean => None,
                Decoded::Other(other) => Some(ProblemKind::OtherEncoding(other.name())),
                Decoded::Lossy => Some(ProblemKind::Undecodable),
            };
            Ok((Cell::from_text(&text), problem))
        }
    }
}
