//! Opening an extract: what it is, its sheets, and the table's refusals as the program's errors.

use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use aftercare_domain::error_code::ErrorCode;
use aftercare_tabular::{Format, Options, Row, Table, TableError};
use sha2::{Digest, Sha256};

use crate::app::jobs::Progress;
use crate::error::{Error, Result};

/// Rows that are looked at to find headings and to judge columns.
pub const SAMPLE_ROWS: usize = 2_000;

/// Opens a file and the sheet asked for.
pub fn open(path: &Path, sheet: Option<usize>, progress: &Progress) -> Result<Table> {
    let watched = progress.clone();
    let options = Options { cancelled: Some(Arc::new(move || watched.is_cancelled())), ..Options::default() };
    let mut table = aftercare_tabular::open(path, &options).map_err(refusal)?;
    if let Some(index) = sheet
        && table.sheet() != Some(index)
    {
        table.select_sheet(index).map_err(refusal)?;
    }
    Ok(table)
}

/// The first rows, and the table back at its beginning.
pub fn sample(table: &mut Table, count: usize) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    let mut row = Row::default();
    while rows.len() < count && table.next_row(&mut row).map_err(refusal)? {
        rows.push(std::mem::take(&mut row));
    }
    table.rewind().map_err(refusal)?;
    Ok(rows)
}

/// The word for a format. An .et is an .xls inside: the name of the file tells which program wrote it.
pub fn format_word(table: &Table, path: &Path) -> &'static str {
    let named_et = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("et"));
    match table.format() {
        Format::Xls if named_et => "et",
        format => format.name(),
    }
}

/// The word for the encoding of its text, if it has one.
pub fn encoding_word(table: &Table) -> Option<String> {
    table.encoding().map(str::to_ascii_lowercase)
}

/// SHA-256 of the file, which tells a person whether the same file was imported before.
pub fn fingerprint(path: &Path, progress: &Progress) -> Result<[u8; 32]> {
    let mut file = std::fs::File::open(path).map_err(|error| refusal(TableError::from(error)))?;
    let mut hash = Sha256::new();
    let mut block = vec![0_u8; 1 << 20];
    loop {
        progress.check()?;
        let count = file.read(&mut block).map_err(|error| refusal(TableError::from(error)))?;
        if count == 0 {
            return Ok(hash.finalize().into());
        }
        hash.update(&block[..count]);
    }
}

/// A table's refusal as the program's error: code and numbers, nothing from the file.
pub fn refusal(error: TableError) -> Error {
    let code = match &error {
        TableError::FileNotFound => ErrorCode::FileMissing,
        TableError::AccessDenied | TableError::Io { .. } => ErrorCode::FileUnreadable,
        TableError::FileLocked => ErrorCode::FileLocked,
        TableError::NotAFile => ErrorCode::FileNotRegular,
        TableError::FileEmpty => ErrorCode::FileEmpty,
        TableError::FileTooLarge { .. } => ErrorCode::FileTooLarge,
        TableError::FormatUnsupported { .. } => ErrorCode::FormatUnsupported,
        TableError::FileEncrypted => ErrorCode::FileEncrypted,
        TableError::FileTruncated { .. } => ErrorCode::FileTruncated,
        TableError::FileDamaged { .. } => ErrorCode::FileDamaged,
        TableError::UnpacksTooLarge { .. }
        | TableError::TooManyParts { .. }
        | TableError::TooManyTexts { .. } => ErrorCode::UnpacksTooLarge,
        TableError::CellTooLong { .. } | TableError::RowTooLong { .. } => ErrorCode::CellTooLong,
        TableError::TooManyRows { .. } => ErrorCode::TooManyRows,
        TableError::TooManyColumns { .. } => ErrorCode::TooManyColumns,
        TableError::QuoteUnclosed { .. } => ErrorCode::QuoteUnclosed,
        TableError::EncodingUnknown => ErrorCode::EncodingUnknown,
        TableError::SheetMissing => ErrorCode::SheetMissing,
        TableError::Cancelled => ErrorCode::Cancelled,
    };
    // A message needs the row; a refusal that has none says 0.
    let mut refused = Error::new(code).with("row", "0");
    for (name, value) in error.params() {
        // The tab's name is the hospital's word and may hold a patient's: the index is enough.
        if name != "sheet" {
            refused = refused.with(name, value);
        }
    }
    refused.caused_by(error)
}
