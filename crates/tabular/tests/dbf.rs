//! dBase and FoxPro tables as old hospital systems write them.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use aftercare_tabular::{Cell, Format, Options, TableError, open};
use common::{discharges, file_of, fixture, gb18030, numbers, problems, read, rows_of, texts};

/// A table of one version. A field is its name, type, length and second length byte; a record is
/// its mark and its fields' bytes.
fn dbf(version: u8, fields: &[(&[u8], u8, u8, u8)], records: &[(u8, Vec<Vec<u8>>)]) -> Vec<u8> {
    let length = |field: &(&[u8], u8, u8, u8)| {
        usize::from(field.2) + if field.1 == b'C' { usize::from(field.3) << 8 } else { 0 }
    };
    let record_bytes = 1 + fields.iter().map(length).sum::<usize>();
    let mut out = vec![version, 126, 11, 22];
    out.extend((records.len() as u32).to_le_bytes());
    out.extend((32 + 32 * fields.len() as u16 + 1).to_le_bytes());
    out.extend((record_bytes as u16).to_le_bytes());
    out.resize(32, 0);
    for field in fields {
        let start = out.len();
        out.extend(field.0);
        out.resize(start + 11, 0);
        out.push(field.1);
        out.resize(start + 16, 0);
        out.extend([field.2, field.3]);
        out.resize(start + 32, 0);
    }
    out.push(0x0D);
    for (mark, values) in records {
        out.push(*mark);
        for (field, value) in fields.iter().zip(values) {
            let start = out.len();
            out.extend(value);
            out.resize(start + length(field), b' ');
        }
    }
    out.push(0x1A);
    out
}

#[test]
fn the_sample_tables_are_read_and_deleted_records_passed_over() {
    for (name, columns) in [("dbf/people.dbf", 2), ("dbf/memotest.dbf", 3)] {
        let mut table = open(&fixture(name), &Options::default()).unwrap();
        assert_eq!((table.format(), table.encoding()), (Format::Dbf, Some("GB18030")));
        let rows = rows_of(&mut table).unwrap();
        assert_eq!(texts(&rows[0])[..2], ["NAME", "BIRTHDATE"]);
        assert_eq!(texts(&rows[1])[..2], ["Alice", "1987-03-01"]);
        assert_eq!(texts(&rows[2])[..2], ["Bob", "1980-11-12"]);
        assert_eq!((rows.len(), rows[1].cells.len(), table.deleted_rows()), (3, columns, 1));
        assert_eq!(numbers(&rows), [0, 1, 2]);
        table.rewind().unwrap();
        assert_eq!((rows_of(&mut table).unwrap(), table.deleted_rows()), (rows, 1));
    }
}

#[test]
fn the_discharges_come_back_from_a_table_of_texts() {
    let text = discharges();
    let wanted: Vec<Vec<&str>> = text.lines().map(|line| line.split(',').collect()).collect();
    // A field's name has at most ten bytes: five characters.
    let names: Vec<Vec<u8>> =
        wanted[0].iter().map(|name| gb18030(&name.chars().take(5).collect::<String>())).collect();
    let fields: Vec<(&[u8], u8, u8, u8)> = names.iter().map(|name| (name.as_slice(), b'C', 80, 0)).collect();
    let records: Vec<(u8, Vec<Vec<u8>>)> =
        wanted[1..].iter().map(|row| (b' ', row.iter().map(|cell| gb18030(cell)).collect())).collect();
    let rows = read(&dbf(0x03, &fields, &records)).unwrap();
    assert!(problems(&rows).is_empty());
    assert_eq!(texts(&rows[0])[..4], ["病案号", "住院号", "姓名", "性别"]);
    assert_eq!(texts(&rows[0])[12], "主要诊断编");
    for (row, wanted) in rows[1..].iter().zip(&wanted[1..]) {
        assert_eq!(texts(row), *wanted);
    }
}

#[test]
fn every_type_of_field_becomes_its_own_kind_of_cell() {
    let fields: [(&[u8], u8, u8, u8); 12] = [
        (b"C", b'C', 0x2C, 1),
        (b"N", b'N', 10, 2),
        (b"ID", b'N', 18, 0),
        (b"D", b'D', 8, 0),
        (b"L", b'L', 1, 0),
        (b"T", b'T', 8, 0),
        (b"I", b'I', 4, 0),
        (b"Y", b'Y', 8, 4),
        (b"B", b'B', 8, 2),
        (b"M", b'M', 4, 0),
        (b"ZERO", b'N', 6, 0),
        (b"_NullFlags", b'0', 1, 0),
    ];
    let long = "长".repeat(150);
    let moment = [2_461_324i32.to_le_bytes(), (34_919_999i32).to_le_bytes()].concat();
    let record = vec![
        gb18030(&long),
        b"  20580.60".to_vec(),
        b"110105200101040634".to_vec(),
        b"20261010".to_vec(),
        b"T".to_vec(),
        moment,
        (-7i32).to_le_bytes().to_vec(),
        123_456i64.to_le_bytes().to_vec(),
        2.5f64.to_le_bytes().to_vec(),
        vec![1, 0, 0, 0],
        b"000120".to_vec(),
        vec![0],
    ];
    let rows = read(&dbf(0x30, &fields, &[(b' ', record)])).unwrap();
    let row = &rows[1];
    assert!(problems(&rows).is_empty());
    assert_eq!(row.cells.len(), 11);
    let wanted = [
        &long,
        "20580.6",
        "110105200101040634",
        "2026-10-10",
        "TRUE",
        "2026-10-10 09:42:00",
        "-7",
        "12.3456",
        "2.5",
        "",
        "000120",
    ];
    assert_eq!(texts(row), wanted);
    assert!(matches!(row.cell(1), Cell::Number(_)) && matches!(row.cell(2), Cell::Text(_)));
}

#[test]
fn wrong_values_and_other_encodings_concern_their_own_record() {
    let fields: [(&[u8], u8, u8, u8); 4] =
        [(b"NAME", b'C', 12, 0), (b"BORN", b'D', 8, 0), (b"FEE", b'N', 8, 2), (b"WARD", b'C', 3, 0)];
    let record = |name: Vec<u8>, born: &str, fee: &str, ward: Vec<u8>| {
        (b' ', vec![name, born.as_bytes().to_vec(), fee.as_bytes().to_vec(), ward])
    };
    let records = [
        record(gb18030("王䶮"), "20010104", "    1.50", gb18030("骨")),
        record("李娜".as_bytes().to_vec(), "", "", gb18030("眼")),
        record(gb18030("张伟"), "20261340", "********", gb18030("心内")[..3].to_vec()),
        (b' ', vec![Vec::new(); 4]),
        record(gb18030("赵云"), "00000000", "abc", Vec::new()),
    ];
    let rows = read(&dbf(0x03, &fields, &records)).unwrap();
    assert_eq!(numbers(&rows), [0, 1, 2, 3, 5]);
    assert_eq!(texts(&rows[2]), ["李娜", "", "", "眼"]);
    assert_eq!(texts(&rows[3]), ["张伟", "20261340", "", "心\u{FFFD}"]);
    assert_eq!(texts(&rows[4]), ["赵云", "", "abc", ""]);
    let wanted = [
        (2, "other_encoding", None),
        (3, "invalid_value", Some(2)),
        (3, "invalid_value", Some(3)),
        (3, "undecodable", Some(4)),
        (5, "invalid_value", Some(3)),
    ];
    assert_eq!(problems(&rows), wanted);
}

#[test]
fn a_table_that_is_cut_off_or_encrypted_is_refused() {
    let fields: [(&[u8], u8, u8, u8); 1] = [(b"NAME", b'C', 20, 0)];
    let records: Vec<(u8, Vec<Vec<u8>>)> = (0..50).map(|_| (b' ', vec![b"x".to_vec()])).collect();
    let whole = dbf(0x03, &fields, &records);
    assert_eq!(read(&whole).unwrap().len(), 51);
    let error = read(&whole[..whole.len() - 100]).unwrap_err();
    assert!(matches!(error, TableError::FileTruncated { row: Some(45), .. }), "{error:?}");
    let mut locked = whole.clone();
    locked[15] = 1;
    assert!(matches!(read(&locked), Err(TableError::FileEncrypted)));
}

#[test]
fn a_text_that_begins_like_a_table_is_still_a_text() {
    let file = file_of(b"03,name\n1,x\n");
    assert_eq!(open(file.path(), &Options::default()).unwrap().format(), Format::Csv);
}
