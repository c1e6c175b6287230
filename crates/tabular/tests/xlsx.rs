//! Office Open XML workbooks, real ones and hostile ones.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;
mod oracle;

use std::io::Write;

use aftercare_tabular::{Cell, Format, Limits, Options, Row, TableError, open};
use chrono::{NaiveDate, NaiveDateTime};
use common::{file_of, fixture, numbers, problems, read, rows_of, texts};
use proptest::prelude::*;
use rust_xlsxwriter::{ExcelDateTime, Format as XlsxFormat, Workbook};
use zip::write::SimpleFileOptions;

#[test]
fn every_workbook_of_calamines_tests_is_read_as_calamine_reads_it() {
    let mut seen = 0;
    for entry in std::fs::read_dir(fixture("calamine")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if name.ends_with(".xlsx") && name != "pass_protected.xlsx" {
            let theirs: calamine::Xlsx<_> = calamine::open_workbook(&path).unwrap();
            seen += oracle::compare(&path, Format::Xlsx, theirs);
        }
    }
    assert!(seen > 100, "{seen}");
}

#[test]
fn the_sample_discharges_are_the_truth_they_were_made_from() {
    let truth: serde_json::Value =
        serde_json::from_slice(&std::fs::read(fixture("his-export-zh/expected.json")).unwrap()).unwrap();
    let truth = truth.as_array().unwrap();
    let rows =
        rows_of(&mut open(&fixture("his-export-zh/出院患者.xlsx"), &Options::default()).unwrap()).unwrap();
    let headings = texts(&rows[0]);
    let column = |name: &str| headings.iter().position(|heading| heading == name).unwrap();
    assert_eq!(rows.len(), truth.len() + 1);
    for (row, wanted) in rows[1..].iter().zip(truth) {
        let text = |name: &str| row.cell(column(name)).to_text().into_owned();
        for (heading, field) in [
            ("病案号", "mrn"),
            ("姓名", "name"),
            ("身份证号", "id_no"),
            ("现住址", "address"),
            ("主要诊断", "dx"),
        ] {
            assert_eq!(text(heading), wanted[field].as_str().unwrap());
        }
        let at = |name: &str| match row.cell(column(name)) {
            Cell::DateTime(at) => *at,
            other => panic!("{other:?}"),
        };
        let wanted_at = wanted["discharge"].as_str().unwrap();
        assert_eq!(at("出院时间"), NaiveDateTime::parse_from_str(wanted_at, "%Y-%m-%d %H:%M").unwrap());
        assert_eq!(row.cell(column("总费用")), &Cell::Number(wanted["cost"].as_f64().unwrap()));
    }
}

fn save(mut workbook: Workbook) -> Vec<u8> {
    workbook.save_to_buffer().unwrap()
}

#[test]
fn the_first_visible_sheet_with_content_is_taken_and_others_can_be_chosen() {
    let mut workbook = Workbook::new();
    workbook.add_worksheet().set_name("说明").unwrap();
    workbook.add_worksheet().set_name("隐藏").unwrap().set_hidden(true).write(0, 0, "secret").unwrap();
    workbook.add_worksheet().set_name("出院").unwrap().write(2, 1, "病案号").unwrap();
    workbook.add_worksheet().set_name("字典").unwrap().write(0, 0, "code").unwrap();
    let file = file_of(&save(workbook));
    let mut table = open(file.path(), &Options::default()).unwrap();
    let sheets: Vec<(String, bool)> = table.sheets().iter().map(|s| (s.name.clone(), s.visible)).collect();
    let wanted = [("说明", true), ("隐藏", false), ("出院", true), ("字典", true)];
    assert_eq!(sheets, wanted.map(|(name, visible)| (name.to_owned(), visible)));
    assert_eq!(table.sheet(), Some(2));
    let rows = rows_of(&mut table).unwrap();
    assert_eq!((numbers(&rows), texts(&rows[0])), (vec![3], vec![String::new(), "病案号".to_owned()]));
    table.select_sheet(1).unwrap();
    assert_eq!(texts(&rows_of(&mut table).unwrap()[0]), ["secret"]);
    table.rewind().unwrap();
    assert_eq!(rows_of(&mut table).unwrap().len(), 1);
    assert!(matches!(table.select_sheet(4), Err(TableError::SheetMissing)));
}

#[test]
fn excels_damage_to_identity_numbers_can_be_seen_and_padding_is_undone() {
    let mut workbook = Workbook::new();
    let padded = XlsxFormat::new().set_num_format("00000000");
    let date = XlsxFormat::new().set_num_format("yyyy\"年\"m\"月\"d\"日\"");
    let sheet = workbook.add_worksheet();
    sheet.write(0, 0, 1.10105200101041E+17).unwrap();
    sheet.write(0, 1, "1.10105E+17").unwrap();
    sheet.write_with_format(0, 2, 212200, &padded).unwrap();
    let day = ExcelDateTime::from_ymd(2026, 10, 11).unwrap().and_hms(18, 11, 0).unwrap();
    sheet.write_with_format(0, 3, &day, &date).unwrap();
    sheet.write(0, 4, true).unwrap();
    sheet.write(0, 5, 20580.6).unwrap();
    sheet.write(0, 6, "=\"0012\"").unwrap();
    let row = read(&save(workbook)).unwrap().remove(0);
    assert!(row.cell(0).has_lost_digits());
    assert_eq!(row.cell(0).to_text(), "110105200101041000");
    assert_eq!(row.cell(1), &Cell::Text("1.10105E+17".to_owned()));
    assert_eq!(row.cell(2).to_text(), "00212200");
    let at = NaiveDate::from_ymd_opt(2026, 10, 11).unwrap().and_hms_opt(18, 11, 0).unwrap();
    assert_eq!(row.cell(3), &Cell::DateTime(at));
    assert_eq!(row.cell(4), &Cell::Bool(true));
    assert_eq!(row.cell(5).to_text(), "20580.6");
    assert_eq!(row.cell(6).to_text(), "=\"0012\"");
}

const CONTENT_TYPES: &str = "<Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\"/>";
const WORKBOOK: &str =
    "<workbook xmlns:r=\"r\"><sheets><sheet name=\"甲\" sheetId=\"1\" r:id=\"rId1\"/></sheets></workbook>";
const RELATIONS: &str = "<Relationships><Relationship Id=\"rId1\" \
    Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet\" \
    Target=\"worksheets/sheet1.xml\"/></Relationships>";

type Fill<'a> = &'a dyn Fn(&mut dyn Write);

/// A workbook of hand-written parts. `sheet` writes the sheet and `strings` the shared texts.
fn workbook(sheet: Fill<'_>, strings: Option<Fill<'_>>) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default();
    for (name, text) in [
        ("[Content_Types].xml", CONTENT_TYPES),
        ("xl/workbook.xml", WORKBOOK),
        ("xl/_rels/workbook.xml.rels", RELATIONS),
    ] {
        zip.start_file(name, options).unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    }
    zip.start_file("xl/worksheets/sheet1.xml", options).unwrap();
    sheet(&mut zip);
    if let Some(strings) = strings {
        zip.start_file("xl/sharedStrings.xml", options).unwrap();
        strings(&mut zip);
    }
    zip.finish().unwrap().into_inner()
}

fn sheet_of(rows: &str) -> Vec<u8> {
    let text = format!("<worksheet><sheetData>{rows}</sheetData></worksheet>");
    workbook(&|out| out.write_all(text.as_bytes()).unwrap(), None)
}

#[test]
fn the_freedoms_of_other_writers_are_taken_in() {
    let rows = read(&sheet_of(
        "<x:row><x:c t=\"inlineStr\"><x:is><x:r><x:t>王</x:t></x:r><x:r><x:t>&#x4F1F;&amp;</x:t></x:r>\
         <x:rPh><x:t>wang</x:t></x:rPh></x:is></x:c><x:c><x:v>5</x:v></x:c></x:row>\
         <row r=\"7\"><c r=\"C7\" t=\"str\"><f>1</f><v>a_x000D_b_x_x4E2D_</v></c><c r=\"XFD7\" s=\"1\"/></row>\
         <row/><row><c r=\"A9\" t=\"d\"><v>2026-10-10T09:42:00Z</v></c><c r=\"B9\" t=\"s\"/></row>\
         <row><c><v>nan</v></c></row>",
    ))
    .unwrap();
    assert_eq!(numbers(&rows), [1, 7, 9, 10]);
    assert_eq!(texts(&rows[0]), ["王伟&", "5"]);
    assert_eq!(texts(&rows[1]), ["", "", "a\rb_x中"]);
    assert_eq!(texts(&rows[2]), ["2026-10-10 09:42:00"]);
    assert_eq!(problems(&rows), [(10, "invalid_value", Some(1))]);
}

#[test]
fn a_document_type_is_refused_so_that_entities_cannot_explode() {
    let bomb = "<!DOCTYPE lolz [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;\">]>\
                <worksheet><sheetData><row><c t=\"str\"><v>&b;</v></c></row></sheetData></worksheet>";
    let error = read(&workbook(&|out| out.write_all(bomb.as_bytes()).unwrap(), None)).unwrap_err();
    assert!(matches!(error, TableError::FileDamaged { part: "sheet", .. }), "{error:?}");
}

#[test]
fn a_cell_of_300_mb_is_named_and_not_kept() {
    let giant = |out: &mut dyn Write, megabytes: u32| {
        let block = vec![b'x'; 1 << 20];
        (0..megabytes).for_each(|_| out.write_all(&block).unwrap());
    };
    let sheet = |out: &mut dyn Write| {
        out.write_all(b"<worksheet><sheetData><row><c t=\"str\"><v>a</v></c></row><row><c/><c t=\"str\"><v>")
            .unwrap();
        giant(out, 300);
        out.write_all(b"</v></c></row></sheetData></worksheet>").unwrap();
    };
    // A real 300 MB cell packs a thousand times better than a real sheet: allow it, to test the cell's own limit.
    let limits = Limits { unpack_ratio: 2_000, ..Limits::default() };
    let options = Options { limits, cancelled: None };
    let error = |bytes: &[u8]| {
        let file = file_of(bytes);
        rows_of(&mut open(file.path(), &options).unwrap()).unwrap_err()
    };
    let bytes = workbook(&sheet, None);
    let found = error(&bytes);
    assert!(matches!(&found, TableError::CellTooLong { row: 2, column: 2, .. }), "{found:?}");
    assert_eq!(found.params()[0], ("sheet", "甲".to_owned()));
    // With the default limits it is a bomb already.
    let bomb = read(&bytes).unwrap_err();
    assert!(matches!(bomb, TableError::UnpacksTooLarge { .. }), "{bomb:?}");

    let strings = |out: &mut dyn Write| {
        out.write_all(b"<sst><si><t>ok</t></si><si><t>").unwrap();
        giant(out, 30);
        out.write_all(b"</t></si></sst>").unwrap();
    };
    let sheet = |out: &mut dyn Write| {
        let rows = "<row><c t=\"s\"><v>0</v></c></row><row r=\"5\"><c r=\"C5\" t=\"s\"><v>1</v></c></row>";
        out.write_all(format!("<worksheet><sheetData>{rows}</sheetData></worksheet>").as_bytes()).unwrap();
    };
    let found = error(&workbook(&sheet, Some(&strings)));
    assert!(matches!(&found, TableError::CellTooLong { row: 5, column: 3, .. }), "{found:?}");
}

#[test]
fn attributes_nesting_and_coordinates_are_bounded() {
    let attribute = format!("<row a=\"{}\"><c><v>1</v></c></row>", "y".repeat(3 << 20));
    let nested = format!("{}{}", "<a>".repeat(100), "</a>".repeat(100));
    for rows in
        [attribute.as_str(), &nested, "<row r=\"1048577\"/>", "<row r=\"1\"><c r=\"XFE1\"><v>1</v></c></row>"]
    {
        let error = read(&sheet_of(rows)).unwrap_err();
        assert!(matches!(error, TableError::FileDamaged { .. }), "{error:?}");
    }
    let wide = read(&sheet_of("<row r=\"1\"><c r=\"XFD1\"><v>1</v></c></row>")).unwrap_err();
    assert!(matches!(wide, TableError::TooManyColumns { row: 1, .. }), "{wide:?}");
    let strings = read(&sheet_of("<row r=\"1\"><c t=\"s\"><v>1</v></c></row>")).unwrap_err();
    assert!(matches!(strings, TableError::FileDamaged { part: "shared_strings", .. }), "{strings:?}");
}

#[test]
fn an_unpacking_bomb_is_stopped_at_its_beginning() {
    let spaces = [b' '; 1 << 16];
    let bomb = workbook(&|out| (0..2 << 10).for_each(|_| out.write_all(&spaces).unwrap()), None);
    assert!(bomb.len() < 300 << 10);
    let error = read(&bomb).unwrap_err();
    assert!(matches!(error, TableError::UnpacksTooLarge { limit } if limit < 1 << 30), "{error:?}");
}

#[test]
fn an_archive_with_a_huge_directory_is_refused_before_it_is_read() {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for index in 0..10_001 {
        zip.start_file(format!("{index}"), SimpleFileOptions::default()).unwrap();
    }
    let error = read(&zip.finish().unwrap().into_inner()).unwrap_err();
    assert!(matches!(error, TableError::TooManyParts { limit: 10_000 }), "{error:?}");
    // A promise of four billion entries in a small file.
    let mut bytes = sheet_of("<row/>");
    let end = bytes.len() - 22;
    bytes[end + 10..end + 12].copy_from_slice(&[0xFF, 0xFF]);
    let mut large = b"PK\x06\x06".to_vec();
    large.resize(56, 0xFF);
    let mut locator = b"PK\x06\x07\0\0\0\0".to_vec();
    locator.extend((end as u64).to_le_bytes());
    locator.extend([1, 0, 0, 0]);
    bytes.splice(end..end, large.into_iter().chain(locator));
    let error = read(&bytes).unwrap_err();
    assert!(matches!(error, TableError::TooManyParts { .. }), "{error:?}");
}

#[test]
fn other_packages_are_named() {
    let found = |path: &std::path::Path| match open(path, &Options::default()).map(|_| ()) {
        Err(TableError::FormatUnsupported { found }) => found,
        other => panic!("{other:?}"),
    };
    assert_eq!(found(&fixture("calamine/any_sheets.ods")), "ods");
    assert_eq!(found(&fixture("calamine/any_sheets.xlsb")), "xlsb");
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    zip.start_file("../../etc/passwd", SimpleFileOptions::default()).unwrap();
    let file = file_of(&zip.finish().unwrap().into_inner());
    assert_eq!(found(file.path()), "zip");
}

#[test]
fn a_workbook_cut_off_anywhere_is_an_error_and_never_a_shorter_table() {
    let whole = std::fs::read(fixture("his-export-zh/出院患者.xlsx")).unwrap();
    assert_eq!(read(&whole).unwrap().len(), 121);
    for part in 1..40 {
        let cut = &whole[..whole.len() * part / 40];
        let error = read(cut).unwrap_err();
        assert!(matches!(error, TableError::FileTruncated { .. }), "{error:?}");
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(grid in prop::collection::vec(prop::collection::vec("[ -~王伟㛃𠮷\n_x0Dé]{0,12}", 4), 1..30), lean in any::<bool>()) {
        let mut workbook = Workbook::new();
        let sheet = if lean { workbook.add_worksheet_with_constant_memory().unwrap() } else { workbook.add_worksheet() };
        let mut wanted = Vec::new();
        for (r, row) in grid.iter().enumerate() {
            for (c, text) in row.iter().enumerate() {
                sheet.write_string(r as u32, c as u16, text).unwrap();
            }
            let mut cells: Vec<Cell> = row.iter().map(|text| Cell::from_text(text)).collect();
            while cells.last().is_some_and(Cell::is_empty) {
                cells.pop();
            }
            if !cells.is_empty() {
                wanted.push(Row { number: r as u64 + 1, cells, problems: Vec::new() });
            }
        }
        prop_assert_eq!(read(&save(workbook)).unwrap(), wanted);
    }
}
