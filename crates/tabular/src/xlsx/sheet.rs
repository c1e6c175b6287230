//! The rows of one worksheet part.

use chrono::NaiveDateTime;
use quick_xml::events::{BytesStart, Event};

use crate::TableError;
use crate::limits::Limits;
use crate::number::{Epoch, NumberKind, number_cell};
use crate::row::{Cell, ProblemKind, Row};
use crate::xlsx::texts::{Found, Texts};
use crate::xlsx::xml::{XmlReader, attribute, push_reference};

/// What cells need to know of the workbook.
pub(crate) struct Context<'a> {
    pub(crate) texts: &'a mut Texts,
    pub(crate) styles: &'a [NumberKind],
    pub(crate) epoch: Epoch,
    pub(crate) sheet: &'a str,
    pub(crate) limits: &'a Limits,
}

/// Excel's own bounds; a number beyond them is damage and would make rows of any width.
const LAST_ROW: u64 = 1_048_576;
const LAST_COLUMN: u64 = 16_384;

/// The type attribute of a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CellType {
    Number,
    Shared,
    Text,
    Inline,
    Bool,
    Error,
    Date,
}

/// Reads a worksheet from its first row on.
pub(crate) struct SheetReader {
    xml: XmlReader,
    row: u64,
    in_row: bool,
    finished: bool,
    cell: OpenCell,
}

/// The cell being read.
struct OpenCell {
    open: bool,
    column: u64,
    kind: CellType,
    style: usize,
    value: String,
    /// What stands in `v` comes after an inline text and does not replace it.
    has_inline: bool,
    /// Within `v` or `t`, whose text is content.
    in_content: bool,
    /// Depth within phonetic hints, which are no content.
    phonetic: u32,
}

/// What an event means for the reader.
enum Step {
    Continue,
    RowComplete,
    End,
}

impl SheetReader {
    pub(crate) fn new(xml: XmlReader) -> Self {
        let cell = OpenCell {
            open: false,
            column: 0,
            kind: CellType::Number,
            style: 0,
            value: String::new(),
            has_inline: false,
            in_content: false,
            phonetic: 0,
        };
        Self { xml, row: 0, in_row: false, finished: false, cell }
    }

    /// Packed bytes read so far.
    pub(crate) fn packed_read(&self) -> u64 {
        self.xml.packed_read()
    }

    /// Reads the next row that is not blank.
    pub(crate) fn next(
        &mut self,
        context: &mut Context<'_>,
        check: &dyn Fn() -> Result<(), TableError>,
        out: &mut Row,
    ) -> Result<bool, TableError> {
        out.clear();
        while !self.finished {
            match self.step(context, out).map_err(|error| self.located(error, context.sheet))? {
                Step::Continue => {}
                Step::RowComplete => {
                    if self.row.is_multiple_of(4096) {
                        check()?;
                    }
                    if !out.is_blank() {
                        return Ok(true);
                    }
                    out.clear();
                }
                Step::End => {
                    self.finished = true;
                    self.xml.drain()?;
                }
            }
        }
        Ok(false)
    }

    /// Says where the sheet is damaged or cut off.
    fn located(&self, error: TableError, sheet: &str) -> TableError {
        match error {
            TableError::FileTruncated { .. } => {
                TableError::FileTruncated { sheet: Some(sheet.to_owned()), row: Some(self.row) }
            }
            TableError::FileDamaged { part, .. } => {
                TableError::FileDamaged { part, sheet: Some(sheet.to_owned()), row: Some(self.row) }
            }
            other => other,
        }
    }

    fn step(&mut self, context: &mut Context<'_>, out: &mut Row) -> Result<Step, TableError> {
        let event = self.xml.next()?;
        match event {
            Event::Text(text) if self.cell.in_content => self.cell.value.push_str(&text.xml10_content()),
            Event::CData(text) if self.cell.in_content => self.cell.value.push_str(&text.xml10_content()),
            Event::GeneralRef(reference) if self.cell.in_content => {
                push_reference(&reference, &mut self.cell.value);
            }
            Event::Start(tag) => match tag.local_name().as_ref() {
                "row" => {
                    self.row = row_number(&tag, self.row)?;
                    self.in_row = true;
                    self.cell.column = 0;
                    out.number = self.row;
                }
                "c" if self.in_row => self.cell.begin(&tag)?,
                "v" => self.cell.in_content = self.cell.open && !self.cell.has_inline,
                "is" if self.cell.open => {
                    self.cell.has_inline = true;
                    self.cell.value.clear();
                }
                "t" => self.cell.in_content = self.cell.has_inline && self.cell.phonetic == 0,
                "rPh" => self.cell.phonetic += 1,
                _ => {}
            },
            Event::Empty(tag) => match tag.local_name().as_ref() {
                "row" => self.row = row_number(&tag, self.row)?,
                "c" if self.in_row => {
                    self.cell.begin(&tag)?;
                    self.cell.open = false;
                }
                "sheetData" => return Ok(Step::End),
                _ => {}
            },
            Event::End(tag) => match tag.local_name().as_ref() {
                "v" | "t" => self.cell.in_content = false,
                "rPh" => self.cell.phonetic = self.cell.phonetic.saturating_sub(1),
                "c" if self.cell.open => {
                    self.cell.open = false;
                    let cut = self.xml.take_cut();
                    return self.cell.finish(cut, context, out).map(|()| Step::Continue);
                }
                "row" if self.in_row => {
                    self.in_row = false;
                    return Ok(Step::RowComplete);
                }
                "sheetData" => return Ok(Step::End),
                _ => {}
            },
            Event::Eof => return Err(TableError::FileTruncated { sheet: None, row: None }),
            _ => {}
        }
        if self.cell.value.len() as u64 > context.limits.cell_bytes {
            return Err(self.cell.too_long(context, out));
        }
        Ok(Step::Continue)
    }
}

impl OpenCell {
    fn begin(&mut self, tag: &BytesStart<'_>) -> Result<(), TableError> {
        self.open = true;
        self.has_inline = false;
        self.in_content = false;
        self.phonetic = 0;
        self.value.clear();
        self.column += 1;
        self.kind = CellType::Number;
        self.style = 0;
        for attribute in tag.attributes().with_checks(false).flatten() {
            let value = attribute.value.as_ref();
            match attribute.key.as_ref() {
                "r" => self.column = column_of(value).unwrap_or(self.column),
                "s" => self.style = value.parse().unwrap_or(0),
                "t" => {
                    self.kind = match value {
                        "s" => CellType::Shared,
                        "str" => CellType::Text,
                        "inlineStr" => CellType::Inline,
                        "b" => CellType::Bool,
                        "e" => CellType::Error,
                        "d" => CellType::Date,
                        _ => CellType::Number,
                    }
                }
                _ => {}
            }
        }
        if self.column > LAST_COLUMN {
            return Err(TableError::damaged("sheet"));
        }
        Ok(())
    }

    fn too_long(&self, context: &Context<'_>, out: &Row) -> TableError {
        TableError::CellTooLong {
            sheet: Some(context.sheet.to_owned()),
            row: out.number,
            column: self.column,
            limit: context.limits.cell_bytes,
        }
    }

    /// Puts the cell into its row.
    fn finish(&mut self, cut: bool, context: &mut Context<'_>, out: &mut Row) -> Result<(), TableError> {
        if cut {
            return Err(self.too_long(context, out));
        }
        let mut problem = None;
        let cell = match self.kind {
            _ if self.value.is_empty() => Cell::Empty,
            _ if self.has_inline => text_cell(&self.value),
            CellType::Shared if context.texts.is_empty() => {
                return Err(TableError::damaged("shared_strings"));
            }
            CellType::Shared => match context.texts.get(self.value.trim().parse().unwrap_or(u32::MAX)) {
                Found::Text(text) => text_cell(text),
                Found::Overlong => return Err(self.too_long(context, out)),
                Found::Missing => {
                    problem = Some(ProblemKind::InvalidValue);
                    Cell::Empty
                }
            },
            CellType::Text | CellType::Inline => text_cell(&self.value),
            CellType::Bool => Cell::Bool(matches!(self.value.trim(), "1" | "true")),
            CellType::Error => Cell::Error(self.value.clone()),
            CellType::Date => {
                iso_date(self.value.trim()).map_or_else(|| text_cell(&self.value), Cell::DateTime)
            }
            CellType::Number => match self.value.trim().parse::<f64>() {
                Ok(value) if value.is_finite() => {
                    let kind = context.styles.get(self.style).copied().unwrap_or_default();
                    number_cell(value, kind, context.epoch)
                }
                _ => {
                    problem = Some(ProblemKind::InvalidValue);
                    text_cell(&self.value)
                }
            },
        };
        if matches!(&cell, Cell::Text(text) if text.contains('\u{FFFD}')) {
            problem = Some(ProblemKind::LostCharacter);
        }
        if let Some(kind) = problem {
            out.note(kind, Some(self.column));
        }
        out.place(self.column, cell, context.limits)
    }
}

/// The row's own number; without one it follows the last.
fn row_number(tag: &BytesStart<'_>, last: u64) -> Result<u64, TableError> {
    let number = match attribute(tag, "r") {
        Some(text) => text.trim().parse().map_err(|_| TableError::damaged("sheet"))?,
        None => last + 1,
    };
    if number == 0 || number > LAST_ROW {
        return Err(TableError::damaged("sheet"));
    }
    Ok(number)
}

/// The column, from 1, of a reference such as `AB12`.
fn column_of(reference: &str) -> Option<u64> {
    let mut column = 0u64;
    for byte in reference.bytes() {
        match byte {
            b'A'..=b'Z' => column = column * 26 + u64::from(byte - b'A') + 1,
            b'a'..=b'z' => column = column * 26 + u64::from(byte - b'a') + 1,
            b'$' => {}
            _ => break,
        }
        if column > LAST_COLUMN {
            return Some(column);
        }
    }
    (column > 0).then_some(column)
}

fn iso_date(text: &str) -> Option<NaiveDateTime> {
    let text = text.trim_end_matches('Z');
    NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f")
        .or_else(|_| NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M"))
        .ok()
        .or_else(|| chrono::NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?.and_hms_opt(0, 0, 0))
}

/// A text with the escapes of ECMA-376 (`_x000D_`) resolved.
fn text_cell(text: &str) -> Cell {
    if !text.contains("_x") {
        return Cell::from_text(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("_x") {
        out.push_str(before);
        let code = after
            .get(..5)
            .and_then(|code| code.strip_suffix('_'))
            .filter(|code| code.bytes().all(|b| b.is_ascii_hexdigit()))
            .and_then(|code| u32::from_str_radix(code, 16).ok())
            .and_then(char::from_u32);
        match (code, after.get(5..)) {
            (Some(character), Some(tail)) => {
                out.push(character);
                rest = tail;
            }
            _ => {
                out.push_str("_x");
                rest = after;
            }
        }
    }
    out.push_str(rest);
    Cell::from_text(&out)
}
