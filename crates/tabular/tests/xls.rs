//! BIFF workbooks: real ones against calamine, and streams made here record by record.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;
mod ole;
mod oracle;

use aftercare_tabular::{Cell, Format, Options, TableError, open};
use common::{file_of, fixture, gb18030, grid, numbers, problems, read, rows_of, texts};

#[test]
fn every_workbook_of_calamines_tests_is_read_as_calamine_reads_it() {
    let mut seen = 0;
    for entry in std::fs::read_dir(fixture("calamine")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "xls") {
            let theirs: calamine::Xls<_> = calamine::open_workbook(&path).unwrap();
            seen += oracle::compare(&path, Format::Xls, theirs);
        }
    }
    assert!(seen > 100, "{seen}");
}

fn record(id: u16, data: &[u8]) -> Vec<u8> {
    assert!(data.len() <= 8224);
    [&id.to_le_bytes()[..], &(data.len() as u16).to_le_bytes(), data].concat()
}

fn bof(version: u16, kind: u16) -> Vec<u8> {
    let mut data = [version.to_le_bytes(), kind.to_le_bytes()].concat();
    data.resize(if version == 0x0600 { 16 } else { 8 }, 0);
    record(0x0809, &data)
}

/// A string of BIFF8 after its length: flags and characters of one or two bytes.
fn characters(text: &str) -> Vec<u8> {
    if text.chars().all(|c| u32::from(c) < 256) {
        let mut out = vec![0];
        out.extend(text.chars().map(|c| u32::from(c) as u8));
        return out;
    }
    let mut out = vec![1];
    out.extend(text.encode_utf16().flat_map(u16::to_le_bytes));
    out
}

fn unicode(text: &str) -> Vec<u8> {
    [&(text.encode_utf16().count() as u16).to_le_bytes()[..], &characters(text)].concat()
}

fn cell(id: u16, row: u16, column: u16, style: u16, data: &[u8]) -> Vec<u8> {
    record(id, &[&row.to_le_bytes()[..], &column.to_le_bytes(), &style.to_le_bytes(), data].concat())
}

/// A stream of a workbook with `globals` records and sheets of (name, state, records).
fn stream(version: u16, globals: &[Vec<u8>], sheets: &[(&str, u8, Vec<u8>)]) -> Vec<u8> {
    let bound = |start: u32, name: &str, state: u8| {
        let name = match version {
            0x0600 => [&[name.encode_utf16().count() as u8][..], &characters(name)].concat(),
            _ => [&[gb18030(name).len() as u8][..], &gb18030(name)].concat(),
        };
        record(0x0085, &[&start.to_le_bytes()[..], &[state, 0], &name].concat())
    };
    let mut head = bof(version, 0x0005);
    globals.iter().for_each(|record| head.extend(record));
    let bounds: usize = sheets.iter().map(|(name, state, _)| bound(0, name, *state).len()).sum();
    let mut start = head.len() + bounds + 4;
    let mut bodies = Vec::new();
    for (name, state, records) in sheets {
        head.extend(bound(start as u32, name, *state));
        let body = [bof(version, 0x0010), records.clone(), record(0x000A, &[])].concat();
        start += body.len();
        bodies.extend(body);
    }
    head.extend(record(0x000A, &[]));
    head.extend(bodies);
    head
}

fn biff8(globals: &[Vec<u8>], records: Vec<Vec<u8>>) -> Vec<u8> {
    stream(0x0600, globals, &[("出院", 0, records.concat())])
}

#[test]
fn every_kind_of_record_becomes_its_kind_of_cell() {
    let format =
        |number: u16, text: &str| record(0x041E, &[&number.to_le_bytes()[..], &unicode(text)].concat());
    let style = |format: u16| record(0x00E0, &[&[0, 0][..], &format.to_le_bytes(), &[0; 16]].concat());
    let globals = [
        format(164, "yyyy\"年\"m\"月\"d\"日\" hh:mm"),
        format(165, "00000000"),
        style(0),
        style(164),
        style(165),
        style(14),
        record(0x00FC, &[&[3, 0, 0, 0, 2, 0, 0, 0][..], &unicode("病案号"), &unicode("plain")].concat()),
    ];
    let integer = |value: i32| ((value << 2) | 2).to_le_bytes();
    let formula = |result: [u8; 8]| [&result[..], &[0; 8]].concat();
    let rows = read(&biff8(
        &globals,
        vec![
            cell(0x00FD, 0, 0, 0, &[0, 0, 0, 0]),
            cell(0x00FD, 0, 1, 0, &[1, 0, 0, 0]),
            cell(0x00FD, 0, 2, 0, &[9, 0, 0, 0]),
            cell(0x0204, 0, 3, 0, &unicode("王䶮")),
            cell(0x0203, 2, 0, 1, &46_305.404_166_666_7_f64.to_le_bytes()),
            cell(0x027E, 2, 1, 2, &integer(212_200)),
            cell(
                0x027E,
                2,
                2,
                0,
                &(integer(1234).map(u32::from).iter().rev().fold(0, |a, b| a << 8 | b) | 1).to_le_bytes(),
            ),
            cell(0x0203, 2, 3, 0, &1.10105200101041E17_f64.to_le_bytes()),
            cell(0x0205, 2, 4, 0, &[1, 0]),
            cell(0x0205, 2, 5, 0, &[0x2A, 1]),
            cell(0x0201, 2, 6, 0, &[]),
            record(
                0x00BD,
                &[&[2, 0, 7, 0][..], &[0, 0], &integer(5), &[3, 0], &integer(46_305), &[8, 0]].concat(),
            ),
            cell(0x0006, 3, 0, 0, &formula(1.5f64.to_le_bytes())),
            cell(0x0006, 3, 1, 0, &formula([0, 0, 0, 0, 0, 0, 0xFF, 0xFF])),
            record(0x04BC, &[0; 8]),
            record(0x0207, &unicode("=\"0012\"")),
            cell(0x0006, 3, 2, 0, &formula([1, 0, 1, 0, 0, 0, 0xFF, 0xFF])),
            cell(0x0006, 3, 3, 0, &formula([2, 0, 7, 0, 0, 0, 0xFF, 0xFF])),
            cell(0x0006, 3, 4, 0, &formula([3, 0, 0, 0, 0, 0, 0xFF, 0xFF])),
        ],
    ))
    .unwrap();
    assert_eq!(numbers(&rows), [1, 3, 4]);
    assert_eq!(texts(&rows[0]), ["病案号", "plain", "", "王䶮"]);
    let wanted = [
        "2026-10-10 09:42:00",
        "00212200",
        "12.34",
        "110105200101041000",
        "TRUE",
        "#N/A",
        "",
        "5",
        "2026-10-10",
    ];
    assert_eq!(texts(&rows[1]), wanted);
    assert!(rows[1].cell(3).has_lost_digits());
    assert_eq!(texts(&rows[2]), ["1.5", "=\"0012\"", "TRUE", "#DIV/0!"]);
    assert_eq!(problems(&rows), [(1, "invalid_value", Some(3))]);
}

#[test]
fn shared_texts_go_on_in_the_next_record_in_either_width() {
    // 张𠮷祥 is cut after two of its four units, and goes on in two bytes each; "abcdef" is cut and
    // goes on in one byte each; the third text has formatting runs and phonetic data around the cut.
    let wide: Vec<u8> = "张𠮷祥".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let first = [&[3, 0, 0, 0, 3, 0, 0, 0][..], &[4, 0, 1], &wide[..4]].concat();
    let second = [&[1][..], &wide[4..], &[6, 0, 1], &[b'a', 0, b'b', 0]].concat();
    let third = [&[0][..], b"cdef", &[2, 0, 0x0C, 1, 0, 3, 0, 0, 0], b"xy", &[9, 9]].concat();
    let fourth = vec![9, 9, 7, 7, 7];
    let globals =
        [record(0x00FC, &first), record(0x003C, &second), record(0x003C, &third), record(0x003C, &fourth)];
    let cells = (0..3).map(|i| cell(0x00FD, 0, i, 0, &[i as u8, 0, 0, 0])).collect();
    let rows = read(&biff8(&globals, cells)).unwrap();
    assert_eq!(texts(&rows[0]), ["张𠮷祥", "abcdef", "xy"]);
}

#[test]
fn compound_files_of_every_size_are_followed_through_their_chains() {
    // Within the small stream; with a FAT that fits the header; with one that does not (7 MB and more).
    for rows in [20u16, 2_000, 60_000] {
        let records: Vec<Vec<u8>> = (0..rows)
            .flat_map(|row| {
                (0..8).map(move |column| cell(0x0203, row, column, 0, &f64::from(row).to_le_bytes()))
            })
            .collect();
        let bytes = ole::wrap("Workbook", &biff8(&[], records));
        let file = file_of(&bytes);
        let mut calamine: calamine::Xls<_> = calamine::open_workbook(file.path()).unwrap();
        let range = calamine::Reader::worksheet_range(&mut calamine, "出院").unwrap();
        assert_eq!(range.height(), usize::from(rows));
        let found = read(&bytes).unwrap();
        assert_eq!(found.len(), usize::from(rows));
        for (row, expected) in found.iter().zip(0..) {
            assert_eq!(row.number, expected + 1);
            assert!(row.cells.iter().all(|cell| *cell == Cell::Number(expected as f64)));
        }
    }
}

#[test]
fn excel_95_texts_are_gb18030_whatever_the_code_page_says() {
    let label = |row: u16, column: u16, bytes: &[u8]| {
        cell(0x0204, row, column, 0, &[&(bytes.len() as u16).to_le_bytes()[..], bytes].concat())
    };
    let records = [
        label(0, 0, &gb18030("姓名")),
        label(1, 0, &gb18030("刘㛃")),
        label(1, 1, &gb18030("心血管内科")),
        label(2, 0, "张𠮷祥".as_bytes()),
        label(3, 0, &[0xCE]),
    ];
    let bytes = stream(0x0500, &[record(0x0042, &1252u16.to_le_bytes())], &[("出院", 0, records.concat())]);
    let file = file_of(&bytes);
    let mut table = open(file.path(), &Options::default()).unwrap();
    assert_eq!((table.encoding(), table.sheets()[0].name.as_str()), (Some("GB18030"), "出院"));
    let rows = rows_of(&mut table).unwrap();
    let wanted: [&[&str]; 4] = [&["姓名"], &["刘㛃", "心血管内科"], &["张𠮷祥"], &["\u{FFFD}"]];
    assert_eq!(grid(&rows), wanted);
    assert_eq!(problems(&rows), [(3, "other_encoding", None), (4, "undecodable", Some(1))]);
}

#[test]
fn the_first_visible_sheet_with_content_is_taken() {
    let one = |text: &str| cell(0x0204, 4, 1, 0, &unicode(text));
    let sheets =
        [("空", 0, Vec::new()), ("隐", 1, one("secret")), ("数据", 0, one("data")), ("深隐", 2, one("deep"))];
    let file = file_of(&stream(0x0600, &[], &sheets));
    let mut table = open(file.path(), &Options::default()).unwrap();
    let visible: Vec<bool> = table.sheets().iter().map(|sheet| sheet.visible).collect();
    assert_eq!((table.sheet(), visible), (Some(2), vec![true, false, true, false]));
    let rows = rows_of(&mut table).unwrap();
    assert_eq!((numbers(&rows), texts(&rows[0])), (vec![5], vec![String::new(), "data".to_owned()]));
    table.rewind().unwrap();
    assert_eq!(rows_of(&mut table).unwrap(), rows);
    table.select_sheet(3).unwrap();
    assert_eq!(texts(&rows_of(&mut table).unwrap()[0]), ["", "deep"]);
    assert!(matches!(table.select_sheet(9), Err(TableError::SheetMissing)));
}

#[test]
fn cells_out_of_order_are_put_in_order() {
    // Column by column, as some programs write.
    let mut records = Vec::new();
    for column in 0..3 {
        for row in [5, 1, 3] {
            records.push(cell(0x0204, row, column, 0, &unicode(&format!("{row}{column}"))));
        }
    }
    let rows = read(&biff8(&[], records)).unwrap();
    assert_eq!(numbers(&rows), [2, 4, 6]);
    assert_eq!(grid(&rows), [["10", "11", "12"], ["30", "31", "32"], ["50", "51", "52"]]);
}

#[test]
fn two_cells_in_opposite_corners_take_no_room_between() {
    let records = vec![cell(0x0204, 0, 0, 0, &unicode("a")), cell(0x0204, 65_535, 255, 0, &unicode("b"))];
    let rows = read(&biff8(&[], records)).unwrap();
    assert_eq!(numbers(&rows), [1, 65_536]);
    assert_eq!(rows[1].cells.len(), 256);
    let error = read(&biff8(&[], vec![cell(0x0204, 7, 256, 0, &unicode("b"))])).unwrap_err();
    assert!(matches!(error, TableError::FileDamaged { part: "sheet", row: Some(8), .. }), "{error:?}");
}

#[test]
fn protected_and_foreign_files_are_named() {
    let protected = open(&fixture("calamine/pass_protected.xlsx"), &Options::default());
    assert!(matches!(protected.map(|_| ()), Err(TableError::FileEncrypted)));
    let error = read(&biff8(&[record(0x002F, &[1, 0, 1, 0])], Vec::new())).unwrap_err();
    assert!(matches!(error, TableError::FileEncrypted));
    let mut other = std::fs::read(fixture("calamine/date.xls")).unwrap();
    let name: Vec<u8> = "Workbook".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let at = other.windows(name.len()).position(|window| window == name).unwrap();
    other[at] = b'X';
    assert!(matches!(read(&other), Err(TableError::FormatUnsupported { found: "ole" })));
}

#[test]
fn a_workbook_cut_off_anywhere_is_an_error_and_never_a_shorter_table() {
    let rows: Vec<Vec<u8>> =
        (0..300).map(|row| cell(0x0204, row, 0, 0, &unicode(&format!("{row}")))).collect();
    let whole = biff8(&[], rows);
    assert_eq!(read(&whole).unwrap().len(), 300);
    for part in 1..50 {
        let cut = &whole[..whole.len() * part / 50];
        let error = read(cut).unwrap_err();
        assert!(matches!(error, TableError::FileTruncated { .. }), "{error:?}");
    }
    let whole = std::fs::read(fixture("calamine/any_sheets.xls")).unwrap();
    for part in 1..40 {
        let result = read(&whole[..whole.len() * part / 40]);
        // What is cut off may be beyond the last sheet: properties, or nothing but padding.
        if let Err(error) = result {
            let expected = matches!(error, TableError::FileTruncated { .. } | TableError::FileDamaged { .. });
            assert!(expected, "{error:?}");
        }
    }
}

#[test]
fn a_wps_workbook_is_an_ordinary_one() {
    // WPS writes BIFF8 in OLE under the name of .et; nothing in the content is its own.
    let file = tempfile::Builder::new().suffix(".et").tempfile().unwrap();
    std::fs::copy(fixture("calamine/date.xls"), file.path()).unwrap();
    let mut table = open(file.path(), &Options::default()).unwrap();
    assert_eq!(table.format(), Format::Xls);
    let rows = rows_of(&mut table).unwrap();
    assert!(matches!(rows[0].cell(0), Cell::DateTime(_)));
}
