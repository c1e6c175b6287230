//! HTML tables under the name of .xls.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::io::Write;

use aftercare_tabular::{Cell, Format, Limits, Options, TableError, open};
use common::{discharges, file_of, gb18030, grid, numbers, problems, read, rows_of, texts, utf16};

/// A page as Excel and the report tools of hospital systems write it.
fn page(charset: &str, body: &str) -> String {
    format!(
        "<html xmlns:o=\"urn:schemas-microsoft-com:office:office\" xmlns:x=\"urn:schemas-microsoft-com:office:excel\">\r\n\
         <head><meta http-equiv=Content-Type content=\"text/html; charset={charset}\">\r\n\
         <style><!-- td {{mso-number-format:\"\\@\"; }} .a:before {{content:\"<td>\"}} --></style>\r\n\
         <!--[if gte mso 9]><xml><x:ExcelWorkbook><x:Name>出院 <table><tr><td>no</td></tr></table></x:Name></xml><![endif]-->\r\n\
         </head><body>\r\n{body}\r\n</body></html>\r\n"
    )
}

#[test]
fn the_discharges_come_back_from_pages_in_every_encoding() {
    let text = discharges();
    let wanted: Vec<Vec<String>> =
        text.lines().map(|line| line.split(',').map(str::to_owned).collect()).collect();
    let mut body = String::from("<table border=1>");
    for row in &wanted {
        body.push_str("<tr height=18 style='height:13.5pt'>");
        for cell in row {
            body.push_str(&format!("<td class=xl24 x:str style=\"mso-number-format:'\\@'\">{cell}</td>"));
        }
        body.push_str("</tr>\r\n");
    }
    body.push_str("</table>");
    let html = |charset: &str| page(charset, &body);
    let cases = [
        ("GB18030", gb18030(&html("gb2312"))),
        ("UTF-8", html("utf-8").into_bytes()),
        // What a page says of itself is often a leftover.
        ("UTF-8", html("gb2312").into_bytes()),
        ("GB18030", gb18030(&html("utf-8"))),
        ("UTF-8", [b"\xEF\xBB\xBF".to_vec(), html("utf-8").into_bytes()].concat()),
        ("UTF-16LE", [b"\xFF\xFE".to_vec(), utf16(&html("unicode"), false)].concat()),
    ];
    for (encoding, bytes) in cases {
        let file = file_of(&bytes);
        let mut table = open(file.path(), &Options::default()).unwrap();
        assert_eq!((table.format(), table.encoding()), (Format::Html, Some(encoding)));
        let rows = rows_of(&mut table).unwrap();
        assert!(problems(&rows).is_empty());
        assert_eq!(grid(&rows), wanted);
        table.rewind().unwrap();
        assert_eq!(rows_of(&mut table).unwrap(), rows);
    }
}

#[test]
fn cells_say_what_a_browser_shows() {
    let rows = read(
        page(
            "utf-8",
            "<table><tr><th>a&amp;b</th><th> 两个\r\n   词 <br> <b>下</b>一<i>行</i> </th><th>&nbsp;</th>\
             <th>&#x20BB7;&#31077;</th><th>=\"0012\"</th></tr>\
             <tr><td x:num=\"110105200101041000\">1.10105E+17</td><td x:num>0.50</td>\
             <td x:num=\"46305.404\">2026/10/10</td><td><span style='mso-spacerun:yes'>&nbsp;</span>x</td></tr></table>",
        )
        .as_bytes(),
    )
    .unwrap();
    assert_eq!(texts(&rows[0]), ["a&b", "两个 词\n下一行", "", "𠮷祥", "=\"0012\""]);
    assert_eq!(texts(&rows[1]), ["110105200101041000", "0.50", "2026/10/10", "x"]);
    assert!(rows[1].cell(0).has_lost_digits());
    assert!(matches!(rows[1].cell(1), Cell::Text(_)));
}

#[test]
fn spans_keep_columns_in_their_place() {
    let rows = read(
        b"<table><tr><td colspan=3>title<tr><td rowspan=2>a<td>b<td>c<tr><td colspan='2'>d<tr><td>e</td><td></td>\
          <td>f</td></tr><tr></tr><tr><td>g</table>",
    )
    .unwrap();
    let wanted: [&[&str]; 5] =
        [&["title", "", ""], &["a", "b", "c"], &["", "d", ""], &["e", "", "f"], &["g"]];
    assert_eq!(grid(&rows), wanted);
    assert_eq!(numbers(&rows), [1, 2, 3, 4, 6]);
}

#[test]
fn a_table_within_a_cell_is_its_text_and_one_that_holds_the_table_is_not() {
    let inner = "<table><tr><td>1<td>2<tr><td>3</table>";
    let rows =
        read(format!("<table><tr><td>a<td>{inner}<tr><td>b<td>c<tr><td>d</table>").as_bytes()).unwrap();
    assert_eq!(grid(&rows)[0], ["a", "1 2\n3"]);
    assert_eq!(rows.len(), 3);

    let data = "<table><tr><td>姓名<td>科室</tr><tr><td>王伟<td>骨科</tr><tr><td>李娜<td>眼科</tr></table>";
    let layout = format!("<table><tr><td>出院患者</td></tr><tr><td>日期</td><td>{data}</td></tr></table>");
    let rows = read(layout.as_bytes()).unwrap();
    let wanted: [&[&str]; 5] =
        [&["出院患者"], &["日期", ""], &["姓名", "科室"], &["王伟", "骨科"], &["李娜", "眼科"]];
    assert_eq!(grid(&rows), wanted);
}

#[test]
fn a_row_in_another_encoding_is_repaired_and_reported_alone() {
    let mut bytes = gb18030("<table><tr><td>姓名<td>科室</tr><tr><td>王伟<td>骨科</tr><tr><td>");
    bytes.extend("张𠮷祥<td>眼科".as_bytes());
    bytes.extend(gb18030("</tr><tr><td>刘㛃<td>外科</tr></table>"));
    let rows = read(&bytes).unwrap();
    assert_eq!(texts(&rows[2]), ["张𠮷祥", "眼科"]);
    assert_eq!(texts(&rows[3]), ["刘㛃", "外科"]);
    assert_eq!(problems(&rows), [(3, "other_encoding", None)]);
}

#[test]
fn a_page_that_is_cut_off_is_an_error_and_never_a_shorter_table() {
    let whole = page("utf-8", "<table><tr><td>1</td></tr><tr><td>2</td></tr></table>");
    assert_eq!(read(whole.as_bytes()).unwrap().len(), 2);
    let table = whole.find("<table><tr><td>1").unwrap();
    for cut in table + 8..whole.find("</table>\r\n</body>").unwrap() + 8 {
        let error = read(&whole.as_bytes()[..cut]).unwrap_err();
        assert!(matches!(error, TableError::FileTruncated { .. }), "{cut} {error:?}");
    }
}

#[test]
fn hostile_pages_end_in_an_error_that_names_the_place() {
    let cell = format!("<table><tr><td>a<tr><td>b<td>{}</table>", "x".repeat(300 << 20));
    let error = read(cell.as_bytes()).unwrap_err();
    assert!(matches!(error, TableError::CellTooLong { row: 2, column: 2, .. }), "{error:?}");
    drop(cell);
    let error = read(format!("<table><tr><td a=\"{}\">", "y".repeat(1 << 20)).as_bytes()).unwrap_err();
    assert!(matches!(error, TableError::FileDamaged { part: "markup", .. }), "{error:?}");
    let error = read("<table>".repeat(100).as_bytes()).unwrap_err();
    assert!(matches!(error, TableError::FileDamaged { part: "markup", .. }), "{error:?}");
    let wide = format!("<table><tr>{}</table>", "<td colspan=1000>x".repeat(5));
    let error = read(wide.as_bytes()).unwrap_err();
    assert!(matches!(error, TableError::TooManyColumns { row: 1, .. }), "{error:?}");
    let limits = Limits { rows: 10, ..Limits::default() };
    let file = file_of(format!("<table>{}</table>", "<tr><td>1".repeat(11)).as_bytes());
    let mut table = open(file.path(), &Options { limits, cancelled: None }).unwrap();
    assert!(matches!(rows_of(&mut table), Err(TableError::TooManyRows { limit: 10 })));
}

#[test]
fn a_comment_without_end_hides_the_rest_in_bounded_memory() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(b"<table><tr><td>1</td></tr></table><!--").unwrap();
    file.write_all(&vec![b'-'; 8 << 20]).unwrap();
    let rows = rows_of(&mut open(file.path(), &Options::default()).unwrap()).unwrap();
    assert_eq!(grid(&rows), [["1"]]);
}
