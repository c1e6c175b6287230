//! The sample extract in its three forms, compared with the truth it was written from.

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

fn imports_exactly(name: &str, format: &str, encoding: Value) {
    let desk = Desk::new();
    let result = import(&desk, &fixture(name));
    assert_eq!((&result["format"], &result["encoding"]), (&Value::from(format), &encoding));
    assert_eq!((&result["rows"], &result["created"]), (&120.into(), &120.into()), "{:?}", result["rejected"]);
    assert_eq!(result["suspected_duplicates"], 0);
    for warning in result["warnings"].as_array().unwrap() {
        assert_eq!(warning["code"], "discharge_planned", "{warning}");
    }
    let (archived, expected) = (archived(&desk), expected());
    assert_eq!(archived.len(), 120);
    for (ours, truth) in archived.iter().zip(&expected) {
        assert_eq!(ours, truth);
    }
    let ops = count(&desk, "SELECT count(*) FROM op");
    let again = import(&desk, &fixture(name));
    assert_eq!(
        (&again["unchanged"], &again["created"], &again["updated"]),
        (&120.into(), &0.into(), &0.into())
    );
    assert_eq!(count(&desk, "SELECT count(*) FROM op"), ops + 1, "only the batch itself is new");
}

#[test]
fn the_extract_in_gb18030_imports_exactly() {
    imports_exactly("出院患者_gb18030.csv", "csv", "gb18030".into());
}

#[test]
fn the_extract_in_utf8_imports_exactly() {
    imports_exactly("出院患者_utf8bom.csv", "csv", "utf-8".into());
}

#[test]
fn the_extract_as_a_workbook_imports_exactly() {
    imports_exactly("出院患者.xlsx", "xlsx", Value::Null);
}
