//! dBase and FoxPro tables.
//!
//! The header says how long each record is, so records are read one by one; texts are GB18030
//! whatever code page the header claims, since most programs leave that byte at zero.

use std::fs::File;
use std::io::{BufReader, Seek, SeekFrom};
use std::sync::Arc;

use chrono::{Duration, NaiveDate, NaiveDateTime};

use crate::TableError;
use crate::limits::Options;
use crate::row::{Cell, ProblemKind, Row};
use crate::text::source::read_full;
use crate::text::{Decoded, Encoding, Tally, decode};

const HEAD_BYTES: usize = 32;
const FIELD_BYTES: usize = 32;
/// Where dBase IV notes that the records are encrypted.
const ENCRYPTED_AT: usize = 15;
/// Ends the list of fields.
const TERMINATOR: u8 = 0x0D;
const BLOCK: usize = 64 << 10;
/// Versions with the header read here: dBase III to 5, FoxPro and Visual FoxPro, with memos or without.
const VERSIONS: &[u8] =
    &[0x03, 0x04, 0x05, 0x30, 0x31, 0x32, 0x43, 0x63, 0x83, 0x8B, 0x8C, 0xCB, 0xE5, 0xF5, 0xFB];

/// One column.
#[derive(Debug, Clone)]
struct Field {
    name: Vec<u8>,
    kind: u8,
    offset: usize,
    length: usize,
}

/// The header.
#[derive(Debug, Clone)]
struct Layout {
    version: u8,
    records: u64,
    header_bytes: u64,
    record_bytes: usize,
    fields: Vec<Field>,
}

/// Whether the bytes begin with a dBase header. Its fields must fill its records exactly, so that
/// no text is ever taken for one.
pub(crate) fn looks_like(head: &[u8]) -> bool {
    Layout::parse(head).is_some()
}

impl Layout {
    /// Clipper and FoxPro keep the upper half of a long text's length where others have zero, or
    /// leave rubbish: whichever reading fills the record is right.
    fn parse(head: &[u8]) -> Option<Self> {
        Self::parse_with(head, true).or_else(|| Self::parse_with(head, false))
    }

    fn parse_with(head: &[u8], long_texts: bool) -> Option<Self> {
        let fixed = head.get(..HEAD_BYTES)?;
        let version = *fixed.first()?;
        let (month, day) = (fixed.get(2)?, fixed.get(3)?);
        if !VERSIONS.contains(&version) || *month > 12 || *day > 31 {
            return None;
        }
        let records = u64::from(u32::from_le_bytes(array(fixed, 4)));
        let header_bytes = u64::from(u16::from_le_bytes(array(fixed, 8)));
        let record_bytes = usize::from(u16::from_le_bytes(array(fixed, 10)));
        let mut fields = Vec::new();
        // The first byte of a record says whether it is deleted.
        let mut offset = 1;
        let mut at = HEAD_BYTES;
        // Some writers leave the terminator out.
        while *head.get(at)? != TERMINATOR && (at as u64) < header_bytes {
            let field = head.get(at..at + FIELD_BYTES)?;
            let kind = *field.get(11)?;
            if !kind.is_ascii_alphanumeric() && !matches!(kind, b'+' | b'@') {
                return None;
            }
            let mut length = usize::from(*field.get(16)?);
            if kind == b'C' && long_texts {
                length += usize::from(*field.get(17)?) << 8;
            }
            let name = field.get(..11)?.split(|&b| b == 0).next()?.to_vec();
            if name.is_empty() || length == 0 {
                return None;
            }
            fields.push(Field { name, kind, offset, length });
            offset += length;
            at += FIELD_BYTES;
        }
        let consistent = offset == record_bytes && header_bytes >= at as u64 && !fields.is_empty();
        consistent.then_some(Self { version, records, header_bytes, record_bytes, fields })
    }
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    bytes.get(at..at + N).and_then(|found| found.try_into().ok()).unwrap_or([0; N])
}

/// The records of a .dbf that are not deleted.
pub(crate) struct DbfRows {
    reader: BufReader<Arc<File>>,
    layout: Layout,
    encoding: Encoding,
    options: Options,
    record: Vec<u8>,
    /// Records read so far; the heading is not one.
    number: u64,
    heading_given: bool,
    delivered: u64,
    deleted: u64,
}

impl DbfRows {
    pub(crate) fn open(
        mut file: Arc<File>,
        head: &[u8],
        file_bytes: u64,
        options: &Options,
    ) -> Result<Self, TableError> {
        let layout = Layout::parse(head).ok_or_else(|| TableError::damaged("header"))?;
        if head.get(ENCRYPTED_AT) == Some(&1) {
            return Err(TableError::FileEncrypted);
        }
        if layout.fields.len() as u64 > options.limits.columns {
            return Err(TableError::TooManyColumns { row: 0, limit: options.limits.columns });
        }
        let body = file_bytes.saturating_sub(layout.header_bytes);
        let present = body / layout.record_bytes as u64;
        if present < layout.records {
            return Err(TableError::FileTruncated { sheet: None, row: Some(present) });
        }
        file.seek(SeekFrom::Start(layout.header_bytes))?;
        let encoding = find_encoding(&mut file, &layout, options)?;
        let mut rows = Self {
            reader: BufReader::with_capacity(BLOCK, file),
            record: vec![0; layout.record_bytes],
            layout,
            encoding,
            options: options.clone(),
            number: 0,
            heading_given: false,
            delivered: 0,
            deleted: 0,
        };
        rows.rewind()?;
        Ok(rows)
    }

    pub(crate) fn encoding_name(&self) -> &'static str {
        self.encoding.name()
    }

    pub(crate) fn deleted(&self) -> u64 {
        self.deleted
    }

    pub(crate) fn read_bytes(&self) -> u64 {
        self.layout.header_bytes + self.number * self.layout.record_bytes as u64
    }

    pub(crate) fn rewind(&mut self) -> Result<(), TableError> {
        self.reader.seek(SeekFrom::Start(self.layout.header_bytes))?;
        self.number = 0;
        self.heading_given = false;
        self.delivered = 0;
        self.deleted = 0;
        Ok(())
    }

    pub(crate) fn next(&mut self, out: &mut Row) -> Result<bool, TableError> {
        out.clear();
        if !self.heading_given {
            self.heading_given = true;
            self.heading(out);
            return Ok(true);
        }
        while self.number < self.layout.records {
            if read_full(&mut self.reader, &mut self.record)? < self.record.len() {
                return Err(TableError::FileTruncated { sheet: None, row: Some(self.number) });
            }
            self.number += 1;
            if self.number.is_multiple_of(4096) {
                self.options.check_cancelled()?;
            }
            if self.record.first() == Some(&b'*') {
                self.deleted += 1;
                continue;
            }
            out.number = self.number;
            self.cells(out);
            if !out.is_blank() {
                self.delivered += 1;
                if self.delivered > self.options.limits.rows {
                    return Err(TableError::TooManyRows { limit: self.options.limits.rows });
                }
                return Ok(true);
            }
            out.clear();
        }
        Ok(false)
    }

    /// The names of the fields. They have at most ten bytes, so a Chinese one may be cut in the middle of a character.
    fn heading(&self, out: &mut Row) {
        for field in self.layout.fields.iter().filter(|field| field.is_visible()) {
            let mut name = String::new();
            decode(self.encoding, &field.name, &mut name);
            out.cells.push(Cell::from_text(name.trim_end_matches('\u{FFFD}').trim()));
        }
    }

    fn cells(&self, out: &mut Row) {
        let visible = self.layout.fields.iter().filter(|field| field.is_visible());
        for (index, field) in visible.enumerate() {
            let column = index as u64 + 1;
            let raw = self.record.get(field.offset..field.offset + field.length).unwrap_or_default();
            let (cell, problem) = field.cell(raw, self.layout.version, self.encoding);
            match problem {
                // The whole record is from elsewhere, not only this cell of it.
                Some(kind @ ProblemKind::OtherEncoding(_)) => out.note(kind, None),
                Some(kind) => out.note(kind, Some(column)),
                None => {}
            }
            out.cells.push(cell);
        }
    }
}

/// Reads all texts once to see whether they are the GB18030 they should be.
fn find_encoding(file: &mut Arc<File>, layout: &Layout, options: &Options) -> Result<Encoding, TableError> {
    let mut tally = Tally::default();
    let names: Vec<&[u8]> = layout.fields.iter().map(|field| field.name.as_slice()).collect();
    for name in names {
        tally.feed(name);
        tally.feed(b"\n");
    }
    let texts: Vec<&Field> = layout.fields.iter().filter(|field| field.kind == b'C').collect();
    let mut reader = BufReader::with_capacity(BLOCK, file);
    let mut record = vec![0; layout.record_bytes];
    for number in 0..layout.records {
        if read_full(&mut reader, &mut record)? < record.len() {
            break;
        }
        if number.is_multiple_of(4096) {
            options.check_cancelled()?;
        }
        // Cells are told apart, so that one cut in the middle of a character does not count for all.
        for field in &texts {
            let raw = record.get(field.offset..field.offset + field.length).unwrap_or_default();
            if !raw.is_ascii() {
                tally.feed(trimmed(raw));
                tally.feed(b"\n");
            }
        }
    }
    tally.decide(Some(Encoding::Gb18030)).ok_or(TableError::EncodingUnknown)
}

/// Without the spaces and NULs that fill a field up.
fn trimmed(raw: &[u8]) -> &[u8] {
    let end = raw.iter().rposition(|b| !matches!(b, b' ' | 0)).map_or(0, |at| at + 1);
    raw.get(..end).unwrap_or_default()
}

/// What a field holds, and what is wrong with it.
type Found = (Cell, Option<ProblemKind>);

impl Field {
    /// System fields (which fields are null) are not shown.
    fn is_visible(&self) -> bool {
        self.kind != b'0'
    }

    fn cell(&self, raw: &[u8], version: u8, encoding: Encoding) -> Found {
        match self.kind {
            b'C' | b'V' => text(raw, encoding),
            b'N' | b'F' => number(raw, encoding),
            b'D' => date(raw, encoding),
            b'L' => match raw.first() {
                Some(b'T' | b't' | b'Y' | b'y') => (Cell::Bool(true), None),
                Some(b'F' | b'f' | b'N' | b'n') => (Cell::Bool(false), None),
                Some(b' ' | b'?' | 0) | None => (Cell::Empty, None),
                Some(_) => (Cell::Empty, Some(ProblemKind::InvalidValue)),
            },
            b'T' | b'@' if self.length == 8 => moment(raw),
            b'I' | b'+' if self.length == 4 => {
                (Cell::Number(f64::from(i32::from_le_bytes(array(raw, 0)))), None)
            }
            b'Y' if self.length == 8 => {
                (Cell::Number(i64::from_le_bytes(array(raw, 0)) as f64 / 10_000.0), None)
            }
            // In Visual FoxPro a double; in dBase the number of a memo block, like M.
            b'B' | b'O' if self.length == 8 && matches!(version, 0x30..=0x32) => {
                let value = f64::from_le_bytes(array(raw, 0));
                if value.is_finite() {
                    (Cell::Number(value), None)
                } else {
                    (Cell::Empty, Some(ProblemKind::InvalidValue))
                }
            }
            // Memos and pictures stand in another file, which was not handed over.
            b'M' | b'G' | b'P' | b'B' | b'W' => (Cell::Empty, None),
            _ => text(raw, encoding),
        }
    }
}

fn text(raw: &[u8], encoding: Encoding) -> Found {
    let mut out = String::new();
    let decoded = decode(encoding, trimmed(raw), &mut out);
    let mut problem = match decoded {
        Decoded::Clean => out.contains('\u{FFFD}').then_some(ProblemKind::LostCharacter),
        Decoded::Other(other) => Some(ProblemKind::OtherEncoding(other.name())),
        Decoded::Lossy => Some(ProblemKind::Undecodable),
    };
    if out.contains('\0') {
        out.retain(|c| c != '\0');
        problem = problem.or(Some(ProblemKind::NulRemoved));
    }
    (Cell::from_text(&out), problem)
}

/// A number written in digits. One with more digits than a spreadsheet keeps stays a text: it is an
/// identity number, and here it is still whole. So does one with leading zeros.
fn number(raw: &[u8], encoding: Encoding) -> Found {
    let Some(written) = std::str::from_utf8(raw).ok().map(|w| w.trim_matches([' ', '\0'])) else {
        return (text(raw, encoding).0, Some(ProblemKind::InvalidValue));
    };
    // Asterisks are what FoxPro writes when a number does not fit its field.
    if written.is_empty() || written == "." || written.bytes().all(|b| b == b'*') {
        let overflow = written.contains('*').then_some(ProblemKind::InvalidValue);
        return (Cell::Empty, overflow);
    }
    let digits = written.bytes().filter(u8::is_ascii_digit).count();
    match written.parse::<f64>() {
        Ok(value) if value.is_finite() && digits > 0 => {
            let whole = !written.contains(['.', 'e', 'E']);
            let leading_zero = written.len() > 1 && written.starts_with('0');
            if whole && (digits > 15 || leading_zero) {
                (Cell::from_text(written), None)
            } else {
                (Cell::Number(value), None)
            }
        }
        _ => (Cell::from_text(written), Some(ProblemKind::InvalidValue)),
    }
}

fn date(raw: &[u8], encoding: Encoding) -> Found {
    let written = trimmed(raw);
    if written.is_empty() || written.iter().all(|b| *b == b'0') {
        return (Cell::Empty, None);
    }
    let parsed =
        std::str::from_utf8(written).ok().filter(|w| w.len() == 8 && w.bytes().all(|b| b.is_ascii_digit()));
    let day = parsed.and_then(|w| NaiveDate::parse_from_str(w, "%Y%m%d").ok()?.and_hms_opt(0, 0, 0));
    match day {
        Some(day) => (Cell::DateTime(day), None),
        None => (text(raw, encoding).0, Some(ProblemKind::InvalidValue)),
    }
}

/// A day in Julian days and a time in milliseconds.
fn moment(raw: &[u8]) -> Found {
    let days = i32::from_le_bytes(array(raw, 0));
    let milliseconds = i32::from_le_bytes(array(raw, 4));
    // Filled with spaces is empty, too.
    if days == 0 || raw.iter().all(|b| *b == b' ') {
        return (Cell::Empty, None);
    }
    match julian(days, milliseconds) {
        Some(at) => (Cell::DateTime(at), None),
        None => (Cell::Empty, Some(ProblemKind::InvalidValue)),
    }
}

/// Day 2,440,588 is 1970-01-01.
fn julian(days: i32, milliseconds: i32) -> Option<NaiveDateTime> {
    let since = i64::from(days) - 2_440_588;
    if !(0..=86_400_000).contains(&milliseconds) || since.abs() > 3_000_000 {
        return None;
    }
    let first = NaiveDate::from_ymd_opt(1970, 1, 1)?.and_hms_opt(0, 0, 0)?;
    let at = first + Duration::days(since);
    // FoxPro's fractions of a second come out a millisecond short.
    let rounded = (i64::from(milliseconds) + 500) / 1000;
    Some(at + Duration::seconds(rounded))
}
