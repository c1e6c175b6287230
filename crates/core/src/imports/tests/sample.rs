//! The sample extract in all its forms, compared with the truth it was written from.

use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use super::{count, fixture, import};
use crate::testing::Desk;

#[derive(Deserialize)]
struct Truth {
    mrn: String,
    visit_no: String,
    name: String,
    sex: String,
    birth: String,
    id_no: String,
    mobile: String,
    address: String,
    dept: String,
    admit: String,
    discharge: String,
    los: i64,
    icd: String,
    dx: String,
    doctor: String,
    leave: i64,
    cost: f64,
    pay: String,
    contact: String,
    relation: String,
    contact_phone: String,
}

fn truth() -> Vec<Truth> {
    serde_json::from_str(&std::fs::read_to_string(fixture("expected.json")).unwrap()).unwrap()
}

/// One stay as the archive has it, as a line that can be compared.
fn archived(desk: &Desk) -> Vec<String> {
    super::visible(
        desk,
        "SELECT mrn, visit_no, name, sex, birth_on, id_number, own.number, address, department, admitted_at,
                discharged_at, length_of_stay_days, diagnosis_code, diagnosis, doctor, disposition, total_fee_fen,
                pay_mode, kin.owner_name, kin.relation, kin.number, deceased
         FROM encounter JOIN patient ON patient.id = encounter.patient_id
         JOIN phone AS own ON own.patient_id = patient.id AND own.relation = '0'
         JOIN phone AS kin ON kin.patient_id = patient.id AND kin.relation <> '0'
         ORDER BY visit_no",
    )
}

fn expected() -> Vec<String> {
    let text = |value: &str| format!("Text({:?})", value.as_bytes());
    let relation = |word: &str| match word {
        "配偶" => "1",
        "子" => "2",
        "女" => "3",
        "父母" => "5",
        _ => "8",
    };
    truth()
        .iter()
        .map(|t| {
            [
                text(&t.mrn),
                text(&t.visit_no),
                text(&t.name),
                text(if t.sex == "男" { "1" } else { "2" }),
                text(&t.birth),
                text(&t.id_no),
                text(&t.mobile),
                text(&t.address),
                text(&t.dept),
                text(&t.admit),
                text(&t.discharge),
                format!("Integer({})", t.los),
                text(&t.icd),
                text(&t.dx),
                text(&t.doctor),
                text(&t.leave.to_string()),
                format!("Integer({})", (t.cost * 100.0).round() as i64),
                text(&t.pay),
                text(&t.contact),
                text(relation(&t.relation)),
                text(&t.contact_phone),
                format!("Integer({})", i64::from(t.leave == 5)),
            ]
            .join(" | ")
        })
        .collect()
}

/// Imports a form of the extract whose code page lacks the characters of `without` names.
fn imports_exactly(name: &str, format: &str, encoding: Value, without: &[&str]) {
    let desk = Desk::new();
    imports_file_exactly(&desk, &fixture(name), format, encoding, without);
}

fn imports_file_exactly(desk: &Desk, file: &Path, format: &str, encoding: Value, without: &[&str]) {
    let rows = 120 - without.len() as u64;
    let result = import(desk, file);
    assert_eq!((&result["format"], &result["encoding"]), (&Value::from(format), &encoding));
    assert_eq!(
        (&result["rows"], &result["created"]),
        (&rows.into(), &rows.into()),
        "{:?}",
        result["rejected"]
    );
    assert_eq!(result["suspected_duplicates"], 0);
    for warning in result["warnings"].as_array().unwrap() {
        assert_eq!(warning["code"], "discharge_planned", "{warning}");
    }
    let missing = |line: &String| without.iter().any(|name| line.contains(&format!("{:?}", name.as_bytes())));
    let expected: Vec<String> = expected().into_iter().filter(|line| !missing(line)).collect();
    let archived = archived(desk);
    assert_eq!((archived.len() as u64, expected.len() as u64), (rows, rows));
    for (ours, truth) in archived.iter().zip(&expected) {
        assert_eq!(ours, truth);
    }
    let ops = count(desk, "SELECT count(*) FROM op");
    let again = import(desk, file);
    assert_eq!(
        (&again["unchanged"], &again["created"], &again["updated"]),
        (&rows.into(), &0.into(), &0.into())
    );
    assert_eq!(count(desk, "SELECT count(*) FROM op"), ops + 1, "only the batch itself is new");
}

#[test]
fn the_extract_in_gb18030_imports_exactly() {
    imports_exactly("出院患者_gb18030.csv", "csv", "gb18030".into(), &[]);
}

#[test]
fn the_extract_in_utf8_imports_exactly() {
    imports_exactly("出院患者_utf8bom.csv", "csv", "utf-8".into(), &[]);
}

#[test]
fn the_extract_as_a_workbook_imports_exactly() {
    imports_exactly("出院患者.xlsx", "xlsx", Value::Null, &[]);
}

#[test]
fn the_extract_of_excel_97_imports_exactly_also_as_wps_names_it() {
    imports_exactly("出院患者_97.xls", "xls", Value::Null, &[]);
    let desk = Desk::new();
    let table = desk.home.path().join("出院患者.et");
    std::fs::copy(fixture("出院患者_97.xls"), &table).unwrap();
    imports_file_exactly(&desk, &table, "et", Value::Null, &[]);
}

/// What code page 936 cannot write stands in no such file.
const NOT_IN_936: &[&str] = &["刘㛃", "王䶮", "张𠮷祥"];

#[test]
fn the_extract_of_excel_95_imports_exactly() {
    imports_exactly("出院患者_95.xls", "xls", "gb18030".into(), NOT_IN_936);
}

#[test]
fn the_extract_of_foxpro_imports_exactly_without_its_twelve_deleted_records() {
    imports_exactly("出院患者_vfp.dbf", "dbf", "gb18030".into(), NOT_IN_936);
}
