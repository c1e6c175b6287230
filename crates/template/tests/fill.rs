//! The hospital's own workbook filled: what is touched, and that nothing else is.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeMap;
use std::io::{Cursor, Read, Write};

use aftercare_template::{Data, Filled, Limits, Single, Table, TemplateError, Value, fill};
use calamine::{Data as Cell, Reader, Xlsx};
use rust_xlsxwriter::{
    Chart, ChartType, ConditionalFormatCell, ConditionalFormatCellRule, Format, Formula, Image, Workbook,
    Worksheet,
};
use zip::write::SimpleFileOptions;

fn text(value: &str) -> Value {
    Value::Text(value.to_owned())
}

fn departments(count: usize) -> Data {
    let mut data = Data::default();
    let mut single = |name: &str, value: Value, repeats: bool| {
        data.singles.insert(name.to_owned(), Single { value, repeats });
    };
    single("month", text("2026年10月"), true);
    single("period.from", Value::Day(46296.0, "2026-10-01".into()), true);
    single("FU_RATIO", Value::Share(0.9), false);
    single("FU_RATIO.num", Value::Number(90.0), false);
    let line = |n: usize| vec![text(&format!("科室{n}")), Value::Number(n as f64), Value::Share(0.5)];
    let lines = (1..=count).map(line).collect();
    data.tables.insert("departments", Table { fields: vec!["name", "due", "share"], lines });
    data.tables.insert(
        "nurses",
        Table { fields: vec!["name", "calls"], lines: vec![vec![text("护士甲"), Value::Number(7.0)]] },
    );
    data
}

/// A form with everything that must stay: styles, widths, merged cells, formulas, conditions, a chart, an image, names, print set-up.
fn form() -> Vec<u8> {
    let mut book = Workbook::new();
    let bold = Format::new().set_bold().set_background_color("#DDEEFF");
    let share = Format::new().set_num_format("0.0%");
    let sheet = book.add_worksheet().set_name("月报").unwrap();
    sheet.merge_range(0, 0, 0, 3, "{{month}} 随访月报", &bold).unwrap();
    sheet.write_with_format(1, 0, "{{period.from}}", &Format::new().set_num_format("yyyy/m/d")).unwrap();
    sheet.write(1, 1, "随访 {{FU_RATIO.num}} 人次，{{FU_RATIO}}").unwrap();
    sheet.write_row_with_format(2, 0, ["科室", "应访", "比例", "加倍"], &bold).unwrap();
    sheet.write(3, 0, "{{#departments}}").unwrap();
    sheet.write_with_format(4, 0, "{{name}}", &bold).unwrap();
    sheet.write(4, 1, "{{due}}").unwrap();
    sheet.write_with_format(4, 2, "{{departments.share}}", &share).unwrap();
    sheet.write(4, 3, Formula::new("=B5*2+$B$8").set_result("99")).unwrap();
    sheet.merge_range(4, 4, 4, 5, "", &bold).unwrap();
    sheet.write(5, 0, "{{/departments}}").unwrap();
    sheet.write(6, 0, "合计").unwrap();
    sheet.write(6, 1, Formula::new("=SUM(B5:B5)")).unwrap();
    sheet.write(7, 1, 5).unwrap();
    sheet.merge_range(8, 0, 8, 3, "制表人签字", &bold).unwrap();
    sheet.set_column_width(0, 31.5).unwrap();
    let rule =
        ConditionalFormatCell::new().set_rule(ConditionalFormatCellRule::GreaterThan(2)).set_format(&bold);
    sheet.add_conditional_format(4, 1, 4, 1, &rule).unwrap();
    let mut chart = Chart::new(ChartType::Column);
    chart.add_series().set_categories("月报!$A$5:$A$5").set_values("月报!$B$5:$B$5");
    sheet.insert_chart(11, 0, &chart).unwrap();
    sheet.insert_image(11, 8, &Image::new_from_buffer(&png()).unwrap()).unwrap();
    sheet.set_print_area(0, 0, 9, 5).unwrap().set_landscape().set_repeat_rows(0, 2).unwrap();
    sheet.set_freeze_panes(3, 0).unwrap();
    sheet.set_footer("&L{{month}}&R&P");
    let other: &mut Worksheet = book.add_worksheet().set_name("附表").unwrap();
    other.write(0, 0, Formula::new("=SUM(月报!B5)+月报!B8").set_result("1")).unwrap();
    other.write(1, 0, "不动").unwrap();
    book.define_name("各科应访", "=月报!$B$5:$B$5").unwrap();
    book.save_to_buffer().unwrap()
}

/// A picture of one point.
fn png() -> Vec<u8> {
    let mut out = b"\x89PNG\r\n\x1a\n".to_vec();
    let crc = |bytes: &[u8]| {
        !bytes.iter().fold(!0_u32, |crc, byte| {
            (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
                if crc & 1 == 1 { (crc >> 1) ^ 0xEDB8_8320 } else { crc >> 1 }
            })
        })
    };
    let ihdr = [0, 0, 0, 1, 0, 0, 0, 1, 8, 0, 0, 0, 0];
    let idat = [0x78, 0x9c, 0x63, 0x60, 0x00, 0x00, 0x00, 0x02, 0x00, 0x01];
    for (kind, body) in [(b"IHDR", &ihdr[..]), (b"IDAT", &idat[..]), (b"IEND", &[][..])] {
        let chunk = [kind.as_slice(), body].concat();
        out.extend((body.len() as u32).to_be_bytes());
        out.extend(&chunk);
        out.extend(crc(&chunk).to_be_bytes());
    }
    out
}

fn filled(template: &[u8], data: &Data) -> Result<(Vec<u8>, Filled), TemplateError> {
    let mut out = Cursor::new(Vec::new());
    let filled = fill(Cursor::new(template), data, &Limits::default(), &mut out)?;
    Ok((out.into_inner(), filled))
}

fn parts(book: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let mut archive = zip::ZipArchive::new(Cursor::new(book)).unwrap();
    (0..archive.len())
        .map(|index| {
            let mut part = archive.by_index(index).unwrap();
            let mut bytes = Vec::new();
            part.read_to_end(&mut bytes).unwrap();
            (part.name().unwrap().into_owned(), bytes)
        })
        .collect()
}

/// The book with one part replaced or added.
fn with_part(book: &[u8], name: &str, bytes: &[u8]) -> Vec<u8> {
    let mut parts = parts(book);
    parts.insert(name.to_owned(), bytes.to_vec());
    packed(&parts)
}

fn packed(parts: &BTreeMap<String, Vec<u8>>) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in parts {
        writer.start_file(name, SimpleFileOptions::default()).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn cells(book: &[u8], sheet: &str) -> calamine::Range<Cell> {
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(book.to_vec())).unwrap();
    book.worksheet_range(sheet).unwrap()
}

fn sheet_text(book: &[u8]) -> String {
    String::from_utf8(parts(book)["xl/worksheets/sheet1.xml"].clone()).unwrap()
}

/// A sheet with these cells and nothing else.
fn small(rows: &[&[&str]]) -> Vec<u8> {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet().set_name("表").unwrap();
    for (row, cells) in rows.iter().enumerate() {
        for (column, text) in cells.iter().enumerate().filter(|(_, text)| !text.is_empty()) {
            match text.strip_prefix('=') {
                Some(_) => sheet.write_formula(row as u32, column as u16, *text).map(|_| ()).unwrap(),
                None => sheet.write_string(row as u32, column as u16, *text).map(|_| ()).unwrap(),
            }
        }
    }
    book.save_to_buffer().unwrap()
}

fn refused(rows: &[&[&str]]) -> TemplateError {
    filled(&small(rows), &departments(2)).unwrap_err()
}

#[test]
fn the_months_form_comes_out_filled_with_all_that_refers_to_moved_rows() {
    let (book, done) = filled(&form(), &departments(4)).unwrap();
    assert_eq!(done, Filled { cells: 15, rows: 1 });
    let sheet = cells(&book, "月报");
    let at = |row, column| sheet.get_value((row, column)).unwrap().clone();
    assert_eq!(at(0, 0), Cell::String("2026年10月 随访月报".into()));
    assert_eq!(at(1, 1), Cell::String("随访 90 人次，90.0%".into()));
    assert!(matches!(at(1, 0), Cell::DateTime(day) if (day.as_f64() - 46296.0).abs() < 1e-9), "a real date");
    for (row, n) in [(3, 1.0), (4, 2.0), (5, 3.0), (6, 4.0)] {
        assert_eq!(at(row, 0), Cell::String(format!("科室{n}")));
        assert_eq!((at(row, 1), at(row, 2)), (Cell::Float(n), Cell::Float(0.5)));
    }
    assert_eq!(at(7, 0), Cell::String("合计".into()));
    assert_eq!(at(8, 1), Cell::Float(5.0));

    let xml = sheet_text(&book);
    for wanted in [
        "<f>B4*2+$B$9</f>",
        "<f>B7*2+$B$9</f>",
        "<f>SUM(B4:B7)</f>",
        "<mergeCell ref=\"A1:D1\"/>",
        "<mergeCell ref=\"E4:F4\"/>",
        "<mergeCell ref=\"E7:F7\"/>",
        "<mergeCell ref=\"A10:D10\"/>",
        "conditionalFormatting sqref=\"B4:B7\"",
        "&amp;L2026年10月&amp;R&amp;P",
    ] {
        assert!(xml.contains(wanted), "{wanted} in {xml}");
    }
    assert!(!xml.contains("<v>99</v>"), "what a formula came to before is not kept");
    let parts = parts(&book);
    let text = |name: &str| String::from_utf8(parts[name].clone()).unwrap();
    assert!(text("xl/worksheets/sheet2.xml").contains("<f>SUM(月报!B4:B7)+月报!B9</f>"));
    let workbook = text("xl/workbook.xml");
    for wanted in ["fullCalcOnLoad=\"1\"", ">月报!$B$4:$B$7<", ">月报!$A$1:$F$11<", ">月报!$1:$3<"] {
        assert!(workbook.contains(wanted), "{wanted} in {workbook}");
    }
    assert!(text("xl/charts/chart1.xml").contains("<c:f>月报!$B$4:$B$7</c:f>"));
    assert!(
        text("xl/drawings/drawing1.xml").contains("<xdr:row>12</xdr:row>"),
        "the chart stands one row further down"
    );
}

#[test]
fn parts_that_are_not_asked_for_are_the_same_bytes() {
    let template = form();
    let before = parts(&template);
    let (book, _) = filled(&template, &departments(4)).unwrap();
    let after = parts(&book);
    let touched = [
        "xl/worksheets/sheet1.xml",
        "xl/worksheets/sheet2.xml",
        "xl/workbook.xml",
        "xl/charts/chart1.xml",
        "xl/drawings/drawing1.xml",
    ];
    assert_eq!(before.keys().collect::<Vec<_>>(), after.keys().collect::<Vec<_>>());
    for (name, bytes) in &before {
        assert_eq!(bytes == &after[name], !touched.contains(&name.as_str()), "{name}");
    }
    // Of a touched sheet, everything but the filled cells: styles of cells, widths, panes, print set-up.
    let (old, new) = (sheet_text(&template), sheet_text(&book));
    for element in ["<cols>", "<sheetViews>", "<pageSetup", "<printOptions", "<pageMargins"] {
        let cut = |xml: &str| {
            xml.find(element).map(|at| xml[at..].split_inclusive('>').take(2).collect::<String>())
        };
        assert_eq!(cut(&old), cut(&new), "{element}");
    }
    let style = |xml: &str, cell: &str| {
        let at = xml.find(&format!("<c r=\"{cell}\"")).unwrap();
        xml[at..].split_once(" s=\"").unwrap().1.split_once('"').unwrap().0.to_owned()
    };
    for (before, after) in [("A1", "A1"), ("A5", "A4"), ("A5", "A7"), ("C5", "C6"), ("A9", "A10")] {
        assert_eq!(style(&old, before), style(&new, after), "{before} → {after}");
    }
}

#[test]
fn where_nothing_repeats_only_the_filled_cells_change() {
    let template = small(&[&["{{month}}", "固定"], &["=1+1", "{{FU_RATIO}}"]]);
    let (book, _) = filled(&template, &departments(1)).unwrap();
    let (old, new) = (sheet_text(&template), sheet_text(&book));
    let cell = "<c r=\"A1\" t=\"inlineStr\"><is><t xml:space=\"preserve\">2026年10月</t></is></c>";
    let expected = old
        .replace("<c r=\"A1\" t=\"s\"><v>0</v></c>", cell)
        .replace("<f>1+1</f><v>0</v>", "<f>1+1</f>")
        .replace("<c r=\"B2\" t=\"s\"><v>2</v></c>", "<c r=\"B2\"><v>0.9</v></c>");
    assert_eq!(new, expected);
}

#[test]
fn one_row_with_the_tables_name_repeats_and_none_leaves_it_empty() {
    let template = small(&[&["{{departments.name}}", "{{departments.due}}", "{{month}}"], &["尾"]]);
    let (book, done) = filled(&template, &departments(3)).unwrap();
    assert_eq!(done.rows, 2);
    let sheet = cells(&book, "表");
    assert_eq!(sheet.get_value((2, 0)), Some(&Cell::String("科室3".into())));
    assert_eq!(sheet.get_value((2, 2)), Some(&Cell::String("2026年10月".into())));
    assert_eq!(sheet.get_value((3, 0)), Some(&Cell::String("尾".into())));
    let (book, _) = filled(&template, &departments(0)).unwrap();
    let sheet = cells(&book, "表");
    assert_eq!(sheet.get_value((0, 0)).cloned().unwrap_or_default(), Cell::Empty);
    assert_eq!(sheet.get_value((1, 0)), Some(&Cell::String("尾".into())));
}

#[test]
fn a_text_is_never_a_formula_and_keeps_its_letters() {
    let mut data = departments(1);
    let odd = "=1+1 <b> & \"x\"\u{1}";
    data.singles.insert("month".into(), Single { value: text(odd), repeats: true });
    let (book, _) = filled(&small(&[&["{{month}}"]]), &data).unwrap();
    let sheet = cells(&book, "表");
    assert_eq!(sheet.get_value((0, 0)), Some(&Cell::String("=1+1 <b> & \"x\"".into())));
}

#[test]
fn what_cannot_be_filled_is_named_with_its_cell() {
    let said = |rows: &[&[&str]]| refused(rows).to_string();
    for (rows, expected) in [
        (&[&["{{month}}"][..], &["", "{{nothing}}"]][..], "表!B2: unknown placeholder nothing"),
        (&[&["{{FU_RATIO}}"], &["", "{{FU_RATIO}}"]], "表!B2: FU_RATIO stands already in A1"),
        (
            &[&["{{departments.name}}", "{{departments.name}}"]],
            "表!B1: departments.name stands already in A1",
        ),
        (&[&["{{#departments}}"], &["{{name}}"]], "表!A1: block departments is not closed"),
        (&[&["{{name}}"]], "表!A1: unknown placeholder name"),
        (&[&["{{month}}"], &["{{/departments}}"]], "表!A2: block departments is not open"),
        (&[&["{{#departments}}"], &["{{#nurses}}"]], "表!A2: nurses lies within departments"),
        (
            &[&["{{#departments}}"], &["{{name}}"], &["{{#departments}}"]],
            "表!A3: departments stands already in A1",
        ),
        (&[&["{{#departments}}"], &["{{/departments}}"]], "表!A1: block departments has no field"),
        (&[&["{{departments.name}}", "{{nurses.name}}"]], "表!B1: nurses lies within departments"),
        (&[&["{{month"]], "表!A1: a placeholder that cannot be read"),
        (&[&["=\"{{month}}\""]], "表!A1: a placeholder that cannot be read"),
        (&[&["{{#no_such}}"]], "表!A1: unknown placeholder no_such"),
        (&[&["只有字"]], "no placeholder"),
    ] {
        assert_eq!(said(rows), expected);
    }
}

#[test]
fn files_that_are_no_plain_workbook_are_named() {
    let good = small(&[&["{{month}}"]]);
    let refused = |bytes: &[u8]| filled(bytes, &departments(1)).unwrap_err();
    assert!(matches!(refused(b""), TemplateError::NotWorkbook));
    assert!(matches!(refused(b"month;ratio"), TemplateError::NotWorkbook));
    assert!(matches!(refused(b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1"), TemplateError::Encrypted));
    assert!(matches!(refused(&good[..good.len() / 2]), TemplateError::NotWorkbook));
    assert!(matches!(refused(&with_part(&good, "xl/vbaProject.bin", b"x")), TemplateError::Macros));
    let damaged = with_part(&good, "xl/worksheets/sheet1.xml", b"<worksheet><sheetData><row>");
    assert!(
        matches!(refused(&damaged), TemplateError::Damaged { part } if part == "xl/worksheets/sheet1.xml")
    );
    let entities = b"<!DOCTYPE w [<!ENTITY a \"aa\">]><worksheet><sheetData/></worksheet>";
    assert!(matches!(
        refused(&with_part(&good, "xl/worksheets/sheet1.xml", entities)),
        TemplateError::Damaged { .. }
    ));
    let bomb = vec![b' '; (Limits::default().part_bytes + 1) as usize];
    assert!(matches!(
        refused(&with_part(&good, "xl/worksheets/sheet1.xml", &bomb)),
        TemplateError::TooLarge { .. }
    ));
}

#[test]
fn any_damage_is_an_error_or_a_workbook_and_never_a_panic() {
    let template = form();
    let step = template.len() / 400 + 1;
    for at in (0..template.len()).step_by(step) {
        let mut damaged = template.clone();
        damaged[at] ^= 0x41;
        let _ = filled(&damaged, &departments(2));
    }
    // The same within the sheet's XML.
    let sheet = parts(&template)["xl/worksheets/sheet1.xml"].clone();
    for at in (0..sheet.len()).step_by(sheet.len() / 300 + 1) {
        let mut damaged = sheet.clone();
        damaged[at] ^= 0x11;
        let _ = filled(&with_part(&template, "xl/worksheets/sheet1.xml", &damaged), &departments(2));
    }
}

#[test]
fn shared_formulas_and_the_order_of_calculation_follow() {
    let template = small(&[&["{{departments.due}}", "=A1*2"], &["1", "=A2*2"], &["1", "=A3*2"]]);
    let sheet = sheet_text(&template)
        .replace("<f>A1*2</f>", "<f t=\"shared\" ref=\"B1:B3\" si=\"0\">A1*2</f>")
        .replace("<f>A2*2</f>", "<f t=\"shared\" si=\"0\"/>")
        .replace("<f>A3*2</f>", "<f t=\"shared\" si=\"0\"/>");
    assert!(sheet.contains("si=\"0\"/>"));
    let mut parts_of = parts(&with_part(&template, "xl/worksheets/sheet1.xml", sheet.as_bytes()));
    let with = |parts: &mut BTreeMap<String, Vec<u8>>, name: &str, end: &str, add: &str| {
        let text = String::from_utf8(parts[name].clone()).unwrap().replace(end, &format!("{add}{end}"));
        parts.insert(name.to_owned(), text.into_bytes());
    };
    with(
        &mut parts_of,
        "[Content_Types].xml",
        "</Types>",
        "<Override PartName=\"/xl/calcChain.xml\" ContentType=\"application/vnd.openxmlformats-officedocument.spreadsheetml.calcChain+xml\"/>",
    );
    with(
        &mut parts_of,
        "xl/_rels/workbook.xml.rels",
        "</Relationships>",
        "<Relationship Id=\"rId99\" Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/calcChain\" Target=\"calcChain.xml\"/>",
    );
    parts_of.insert("xl/calcChain.xml".into(), b"<calcChain><c r=\"B3\" i=\"1\"/></calcChain>".to_vec());
    let (book, _) = filled(&packed(&parts_of), &departments(2)).unwrap();
    let xml = sheet_text(&book);
    for formula in [
        "<c r=\"B1\"><f>A1*2</f>",
        "<c r=\"B2\"><f>A2*2</f>",
        "<c r=\"B3\"><f>A3*2</f>",
        "<c r=\"B4\"><f>A4*2</f>",
    ] {
        assert!(xml.contains(formula), "{formula} in {xml}");
    }
    let after = parts(&book);
    assert!(!after.contains_key("xl/calcChain.xml"));
    for list in ["[Content_Types].xml", "xl/_rels/workbook.xml.rels"] {
        assert!(!String::from_utf8_lossy(&after[list]).contains("calcChain"), "{list}");
    }
}
