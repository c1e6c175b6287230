//! What spreadsheets, printers and clerks do to extracts, and what comes of each row.

use serde_json::{Value, json};

use super::{count, import, import_text, visible, write};
use crate::testing::Desk;

const HEAD: &str = "病案号,住院号,姓名,性别,出生日期,身份证号,联系电话,出院科室,入院时间,出院时间,主要诊断编码,主要诊断,离院方式,总费用(元),联系人,关系,联系人电话\n";

/// A plain row of somebody, with room for one thing that is wrong.
struct Line<'a> {
    mrn: &'a str,
    visit: &'a str,
    name: &'a str,
    sex: &'a str,
    birth: &'a str,
    id: &'a str,
    phone: &'a str,
    admitted: &'a str,
    discharged: &'a str,
    leave: &'a str,
    fee: &'a str,
}

impl Default for Line<'_> {
    fn default() -> Self {
        Line {
            mrn: "A1001",
            visit: "Z1001",
            name: "王建国",
            sex: "男",
            birth: "1949-12-31",
            id: "",
            phone: "13800138000",
            admitted: "2026-11-01 08:00",
            discharged: "2026-11-10 10:00",
            leave: "医嘱离院",
            fee: "1234.50",
        }
    }
}

impl Line<'_> {
    fn text(&self) -> String {
        let l = self;
        format!(
            "{},{},{},{},{},{},{},心内科,{},{},I10.x00,高血压,{},{},,,\n",
            l.mrn, l.visit, l.name, l.sex, l.birth, l.id, l.phone, l.admitted, l.discharged, l.leave, l.fee
        )
    }
}

fn codes(list: &Value) -> Vec<(u64, String, String)> {
    let line = |p: &Value| {
        let text = |key: &str| p[key].as_str().unwrap().to_owned();
        assert!(!text("message").is_empty() && !text("message").contains('{'), "{p}");
        (p["row"].as_u64().unwrap(), text("field"), text("code"))
    };
    list.as_array().unwrap().iter().map(line).collect()
}

fn told(result: &Value, list: &str) -> Vec<String> {
    codes(&result[list]).into_iter().map(|(row, field, code)| format!("{row} {field} {code}")).collect()
}

fn one(line: &Line<'_>) -> (Desk, Value) {
    let desk = Desk::new();
    let result = import_text(&desk, "one.csv", &format!("{HEAD}{}", line.text()));
    (desk, result)
}

#[test]
fn titles_totals_footers_and_repeated_headings_are_left_out_and_told() {
    let desk = Desk::new();
    let second =
        Line { mrn: "A1002", visit: "Z1002", name: "李梅", phone: "13900139000", ..Line::default() };
    let text = format!(
        "某某市人民医院出院患者一览表,,,\n统计区间：2026-11-01至2026-11-15,,,\n{HEAD}{}{HEAD}{}小计,2,,,,,,,,,,,,2469.00,,,\n合计：2人次,,,,,,,,,,,,,2469.00,,,\n制表人：张三,,,打印时间：2026-11-16 08:00,,,第1页 共1页\n",
        Line::default().text(),
        second.text()
    );
    let result = import_text(&desk, "list.csv", &text);
    assert_eq!((&result["rows"], &result["created"]), (&json!(2), &json!(2)), "{result}");
    assert_eq!(
        told(&result, "warnings"),
        [
            "1 row title_row",
            "2 row title_row",
            "5 row repeated_heading",
            "7 row total_row",
            "8 row total_row",
            "9 row footer_row"
        ]
    );
    assert_eq!(count(&desk, "SELECT count(*) FROM import_row WHERE outcome = 'left_out'"), 6);
}

#[test]
fn a_rounded_id_number_is_left_empty_and_the_row_kept() {
    let (desk, result) = one(&Line { id: "1.10105E+17", ..Line::default() });
    assert_eq!(result["created"], 1);
    assert_eq!(told(&result, "warnings"), ["2 id_number precision_lost"]);
    assert_eq!(count(&desk, "SELECT count(*) FROM patient WHERE id_number IS NULL"), 1);
}

#[test]
fn without_any_number_that_says_who_it_is_a_row_stays_in_the_file() {
    let (desk, result) =
        one(&Line { mrn: "1.23E+11", visit: "", id: "110105194912310021", ..Line::default() });
    assert_eq!((&result["rows"], &result["created"]), (&json!(1), &json!(0)));
    assert_eq!(told(&result, "rejected"), ["2 mrn no_identity"]);
    assert_eq!(told(&result, "warnings"), ["2 mrn precision_lost", "2 id_number id_invalid"]);
    assert_eq!(count(&desk, "SELECT count(*) FROM patient"), 0);
}

#[test]
fn guards_full_width_and_two_phones_in_a_cell_are_repaired() {
    let (desk, result) = one(&Line {
        mrn: "\"=\"\"00123456\"\"\"",
        id: "１１０１０５１９４９１２３１００２ｘ",
        sex: "",
        phone: "13800138000(儿子)/010-62345678",
        fee: "\"¥1,234.5元\"",
        birth: "",
        ..Line::default()
    });
    assert_eq!(result["created"], 1, "{result}");
    assert_eq!(
        visible(&desk, "SELECT mrn, id_number, sex, birth_on, total_fee_fen FROM patient JOIN encounter ON patient_id = patient.id")
            .len(),
        1
    );
    let fee = count(
        &desk,
        "SELECT total_fee_fen FROM encounter WHERE patient_id = (SELECT id FROM patient WHERE mrn = '00123456' AND id_number = '11010519491231002X' AND sex = '2' AND birth_on = '1949-12-31')",
    );
    assert_eq!(fee, 123_450);
    assert_eq!(count(&desk, "SELECT count(*) FROM phone WHERE number = '13800138000' AND relation = '2'"), 1);
    assert_eq!(count(&desk, "SELECT count(*) FROM phone WHERE number = '01062345678' AND relation = '0'"), 1);
}

#[test]
fn lost_zeros_come_back_only_where_the_file_or_the_archive_proves_them() {
    let desk = Desk::new();
    let row = |mrn: &str, visit: &str, name: &str| Line { mrn, visit, name, ..Line::default() }.text();
    let mixed = format!(
        "{HEAD}{}{}{}",
        row("00001001", "Z1", "王一"),
        row("00001002", "Z2", "王二"),
        row("1003", "Z3", "王三")
    );
    let result = import_text(&desk, "mixed.csv", &mixed);
    assert_eq!(told(&result, "warnings"), ["4 mrn zeros_restored"]);
    assert_eq!(count(&desk, "SELECT count(*) FROM patient WHERE mrn = '00001003'"), 1);
    // The next extract went through a spreadsheet: every zero is gone, and the archive knows two of three.
    let opened = format!(
        "{HEAD}{}{}{}",
        row("1001", "Z1", "王一"),
        row("1002", "Z2", "李四"),
        row("1004", "Z4", "王四")
    );
    let result = import_text(&desk, "opened.csv", &opened);
    assert_eq!(
        told(&result, "warnings"),
        ["2 mrn zeros_restored", "3 mrn zeros_missing", "3 visit_no visit_no_shared", "4 mrn zeros_missing"]
    );
    assert_eq!(result["unchanged"], 1);
}

#[test]
fn dates_that_cannot_be_are_refused_with_what_to_do() {
    let late = Line { admitted: "2026-11-12 08:00", ..Line::default() };
    let (_, result) = one(&late);
    assert_eq!(told(&result, "rejected"), ["2 discharged_at discharge_before_admission"]);
    let (_, result) = one(&Line { discharged: "2099-01-01 10:00", ..Line::default() });
    assert_eq!(told(&result, "rejected"), ["2 discharged_at date_in_future"]);
    let (_, result) = one(&Line { discharged: "下周出院", ..Line::default() });
    assert_eq!(told(&result, "rejected"), ["2 discharged_at discharge_unreadable"]);
    let (desk, result) = one(&Line { admitted: "46327.375", discharged: "20261110", ..Line::default() });
    assert_eq!(result["created"], 1, "serial numbers and dates without signs are dates: {result}");
    assert_eq!(
        count(
            &desk,
            "SELECT count(*) FROM encounter WHERE admitted_at = '2026-11-01 09:00' AND discharged_on = '2026-11-10'"
        ),
        1
    );
}

#[test]
fn the_id_number_decides_about_birth_and_sex_but_not_a_mothers_about_her_child() {
    let (desk, result) =
        one(&Line { id: "11010519491231002X", birth: "1950-01-01", sex: "男", ..Line::default() });
    assert_eq!(told(&result, "warnings"), ["2 birth_date birth_contradicts_id", "2 sex sex_contradicts_id"]);
    assert_eq!(count(&desk, "SELECT count(*) FROM patient WHERE birth_on = '1949-12-31' AND sex = '2'"), 1);
    let child = Line {
        id: "610113198209291425",
        name: "李娟之女",
        birth: "2026-11-05",
        sex: "女",
        ..Line::default()
    };
    let (desk, result) = one(&child);
    assert_eq!(told(&result, "warnings"), ["2 id_number id_of_relative"]);
    assert_eq!(
        count(&desk, "SELECT count(*) FROM patient WHERE id_number IS NULL AND birth_on = '2026-11-05'"),
        1
    );
}

#[test]
fn a_row_in_another_encoding_is_told_alone() {
    let desk = Desk::new();
    let others: String = (0..40)
        .map(|n| {
            Line {
                mrn: &format!("B{n:03}"),
                visit: &format!("V{n:03}"),
                birth: "",
                phone: "",
                ..Line::default()
            }
            .text()
        })
        .collect();
    let mut bytes = format!("{HEAD}{others}").into_bytes();
    // 李梅,女 in GB18030 within a file of UTF-8.
    bytes.extend(b"C001,W001,\xC0\xEE\xC3\xB7,\xC5\xAE,1980-01-01,,13900139000,,2026-11-01 08:00,2026-11-10 10:00,I10,,1,5,,,\n");
    let path = write(&desk, "mixed-encoding.csv", &bytes);
    let result = import(&desk, &path);
    assert_eq!(result["created"], 41, "{result}");
    assert_eq!(told(&result, "warnings"), ["42 row other_encoding"]);
    assert_eq!(count(&desk, "SELECT count(*) FROM patient WHERE name = '李梅' AND sex = '2'"), 1);
}

#[test]
fn headings_of_two_lines_and_of_the_front_page_data_set_are_understood() {
    let desk = Desk::new();
    let two = "患者信息,,,住院,,联系人,,\n病案号,姓名,性别,入院时间,出院时间,姓名,关系,电话\nA1,王建国,男,2026-11-01,2026-11-02,王小,子,13800138000\n";
    let result = import_text(&desk, "two.csv", two);
    assert_eq!(result["created"], 1, "{result}");
    assert_eq!(count(&desk, "SELECT count(*) FROM phone WHERE owner_name = '王小' AND relation = '2'"), 1);
    let hqms = "BAH,XM,XB,CSRQ,SFZH,DH,CYKB,RYSJ,RYSJS,CYSJ,CYSJS,JBDM,LYFS,ZFY\nA2,李梅,2,19800101,,13900139000,内科,20261101,8,20261102,17,I10,5,88.8\n";
    let result = import_text(&desk, "hqms.csv", hqms);
    assert_eq!(result["created"], 1, "{result}");
    assert_eq!(
        count(
            &desk,
            "SELECT count(*) FROM encounter JOIN patient ON patient.id = patient_id WHERE mrn = 'A2' AND admitted_at = '2026-11-01 08:00' AND disposition = '5' AND deceased = 1 AND deceased_on = '2026-11-02'"
        ),
        1
    );
}

#[test]
fn a_file_without_headings_or_without_what_is_needed_is_refused() {
    let desk = Desk::new();
    let refused = |name: &str, text: &str| {
        let path = write(&desk, name, text.as_bytes());
        desk.refused("imports_run", json!({ "path": path }))
    };
    assert_eq!(refused("a.csv", "1,2,3\n4,5,6\n"), "no_headings");
    assert_eq!(refused("b.csv", "姓名,性别,出院时间\n王伟,男,2026-11-01\n"), "columns_missing");
    assert_eq!(refused("c.csv", ""), "file_empty");
    assert_eq!(desk.refused("imports_run", json!({ "path": "/nowhere/x.csv" })), "file_missing");
    assert_eq!(count(&desk, "SELECT count(*) FROM import_batch"), 0);
}
