//! What the tests share.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used)]

use std::path::{Path, PathBuf};

use aftercare_tabular::{Options, Row, Table, TableError, open};

/// A file of tests/fixtures/tabular.
pub fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/tabular").join(name)
}

/// A temporary file that holds these bytes. Its name never says what it is.
pub fn file_of(bytes: &[u8]) -> tempfile::NamedTempFile {
    let file = tempfile::Builder::new().suffix(".dat").tempfile().unwrap();
    std::fs::write(file.path(), bytes).unwrap();
    file
}

/// All rows of a table from where it stands.
pub fn rows_of(table: &mut Table) -> Result<Vec<Row>, TableError> {
    let mut rows = Vec::new();
    let mut row = Row::default();
    while table.next_row(&mut row)? {
        rows.push(row.clone());
    }
    Ok(rows)
}

/// Opens bytes and reads all rows with the default limits.
pub fn read(bytes: &[u8]) -> Result<Vec<Row>, TableError> {
    let file = file_of(bytes);
    let mut table = open(file.path(), &Options::default())?;
    rows_of(&mut table)
}

/// The cells of a row as texts.
pub fn texts(row: &Row) -> Vec<String> {
    row.cells.iter().map(|cell| cell.to_text().into_owned()).collect()
}

/// The rows as texts.
pub fn grid(rows: &[Row]) -> Vec<Vec<String>> {
    rows.iter().map(texts).collect()
}

/// The rows' numbers.
pub fn numbers(rows: &[Row]) -> Vec<u64> {
    rows.iter().map(|row| row.number).collect()
}

/// The problems of each row, as codes with columns.
pub fn problems(rows: &[Row]) -> Vec<(u64, &'static str, Option<u64>)> {
    let one = |row: &Row| {
        let number = row.number;
        row.problems.iter().map(move |p| (number, p.kind.code(), p.column)).collect::<Vec<_>>()
    };
    rows.iter().flat_map(one).collect()
}

/// Encodes as GB18030; every character must have a code.
pub fn gb18030(text: &str) -> Vec<u8> {
    let (bytes, _, lost) = encoding_rs::GB18030.encode(text);
    assert!(!lost);
    bytes.into_owned()
}

/// Encodes as UTF-16 without a byte order mark.
pub fn utf16(text: &str, big_endian: bool) -> Vec<u8> {
    let unit = |u: u16| if big_endian { u.to_be_bytes() } else { u.to_le_bytes() };
    text.encode_utf16().flat_map(unit).collect()
}

/// The 120 synthetic discharges as a UTF-8 text without byte order mark.
pub fn discharges() -> String {
    let bytes = std::fs::read(fixture("his-export-zh/出院患者_utf8bom.csv")).unwrap();
    String::from_utf8(bytes).unwrap().trim_start_matches('\u{FEFF}').to_owned()
}
