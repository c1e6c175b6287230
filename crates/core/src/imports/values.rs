//! A record's values under the names of the archive's columns.

use aftercare_domain::codes;
use aftercare_domain::dates::Moment;
use aftercare_domain::icd10;
use aftercare_domain::op::FieldValue;
use chrono::NaiveDate;

use super::clean::{Record, StayValues};
use super::fields::Field;
use crate::change_log::Change;

/// Columns of `patient` that the hospital's system fills, with the field of the file each comes from.
pub const PERSON_COLUMNS: [(&str, Field); 19] = [
    ("mrn", Field::Mrn),
    ("outpatient_no", Field::OutpatientNo),
    ("card_no", Field::CardNo),
    ("name", Field::Name),
    ("sex", Field::Sex),
    ("birth_on", Field::BirthDate),
    ("age_text", Field::Age),
    ("id_type", Field::IdType),
    ("id_number", Field::IdNumber),
    ("nationality", Field::Nationality),
    ("ethnicity", Field::Ethnicity),
    ("marital", Field::Marital),
    ("occupation", Field::Occupation),
    ("employer", Field::Employer),
    ("address", Field::Address),
    ("native_place", Field::NativePlace),
    ("blood_type", Field::BloodType),
    ("allergies", Field::Allergies),
    ("insurance", Field::PayMode),
];

/// Columns of `encounter` that the hospital's system fills.
pub const STAY_COLUMNS: [(&str, Field); 23] = [
    ("visit_no", Field::VisitNo),
    ("visit_count", Field::VisitCount),
    ("department", Field::Department),
    ("ward", Field::Ward),
    ("bed", Field::Bed),
    ("admitted_at", Field::AdmittedAt),
    ("discharged_at", Field::DischargedAt),
    ("discharged_on", Field::DischargedAt),
    ("length_of_stay_days", Field::LengthOfStay),
    ("diagnosis_code", Field::DiagnosisCode),
    ("diagnosis", Field::Diagnosis),
    ("other_diagnoses", Field::OtherDiagnosis),
    ("surgery", Field::Surgery),
    ("surgery_on", Field::SurgeryDate),
    ("delivery_on", Field::DeliveryDate),
    ("doctor", Field::Doctor),
    ("nurse", Field::Nurse),
    ("disposition", Field::Disposition),
    ("admit_route", Field::AdmitRoute),
    ("pay_mode", Field::PayMode),
    ("total_fee_fen", Field::TotalFee),
    ("next_visit_on", Field::NextVisitDate),
    ("chemo", Field::DiagnosisCode),
];

/// The code of 离院方式 that means death.
pub const DIED: &str = "5";
/// Chemotherapy sessions for neoplasm.
const CHEMOTHERAPY: &str = "Z51.1";

/// Whether the stay was for chemotherapy.
pub fn has_chemotherapy(stay: &StayValues) -> bool {
    let mut codes = stay.diagnosis_code.iter().chain(&stay.other_codes);
    codes.any(|code| code.starts_with('Z') && icd10::is_under(code, CHEMOTHERAPY))
}

/// The person's values, in the order of [`PERSON_COLUMNS`]; what the row does not say is null.
pub fn of_person(record: &Record) -> Vec<Change> {
    let (id_type, id_number) = match (&record.id, &record.document) {
        (Some(id), _) => (Some("01"), Some(id.number.as_str())),
        (None, Some((kind, number))) => (Some(*kind), Some(number.as_str())),
        (None, None) => (None, None),
    };
    let insurance =
        record.stay.pay_mode.as_deref().map(|mode| codes::name_of("pay_mode", mode).unwrap_or(mode));
    let age = if record.birth_on.is_some() { None } else { record.age_text.as_deref() };
    let values: [FieldValue; PERSON_COLUMNS.len()] = [
        text(record.mrn.as_deref()),
        text(record.outpatient_no.as_deref()),
        text(record.card_no.as_deref()),
        text(Some(&record.name)),
        text(Some(record.sex)),
        day(record.birth_on),
        text(age),
        text(id_type),
        text(id_number),
        text(record.nationality.as_deref()),
        text(record.ethnicity.as_deref()),
        text(record.marital.as_deref()),
        text(record.occupation.as_deref()),
        text(record.employer.as_deref()),
        text(record.address.as_deref()),
        text(record.native_place.as_deref()),
        text(record.blood_type.as_deref()),
        text(record.allergies.as_deref()),
        text(insurance),
    ];
    PERSON_COLUMNS.iter().map(|(name, _)| *name).zip(values).collect()
}

/// The stay's values, in the order of [`STAY_COLUMNS`].
pub fn of_stay(stay: &StayValues) -> Vec<Change> {
    let values: [FieldValue; STAY_COLUMNS.len()] = [
        text(stay.visit_no.as_deref()),
        number(stay.visit_count),
        text(Some(stay.department.as_deref().unwrap_or(""))),
        text(stay.ward.as_deref()),
        text(stay.bed.as_deref()),
        moment(stay.admitted),
        moment(stay.discharged),
        day(stay.discharged.map(|moment| moment.date)),
        number(stay.length_of_stay_days),
        text(stay.diagnosis_code.as_deref()),
        text(stay.diagnosis.as_deref()),
        text(stay.other_diagnoses.as_deref()),
        text(stay.surgery.as_deref()),
        day(stay.surgery_on),
        day(stay.delivery_on),
        text(stay.doctor.as_deref()),
        text(stay.nurse.as_deref()),
        text(stay.disposition),
        text(stay.admit_route.as_deref()),
        text(stay.pay_mode.as_deref()),
        number(stay.total_fee_fen),
        day(stay.next_visit_on),
        if has_chemotherapy(stay) { FieldValue::Integer(1) } else { FieldValue::Null },
    ];
    STAY_COLUMNS.iter().map(|(name, _)| *name).zip(values).collect()
}

/// Whether a value says nothing: it never replaces one that does.
pub fn says_nothing(column: &str, value: &FieldValue) -> bool {
    match value {
        FieldValue::Null => true,
        FieldValue::Text(text) => text.is_empty() || (column == "sex" && matches!(text.as_str(), "0" | "9")),
        _ => false,
    }
}

/// `YYYY-MM-DD HH:MM`, midnight when no time was given.
pub fn wall_clock(moment: Moment) -> String {
    moment.at().format("%Y-%m-%d %H:%M").to_string()
}

/// `YYYY-MM-DD`.
pub fn date(day: NaiveDate) -> String {
    day.format("%Y-%m-%d").to_string()
}

fn text(value: Option<&str>) -> FieldValue {
    value.map_or(FieldValue::Null, FieldValue::from)
}

fn number(value: Option<i64>) -> FieldValue {
    value.map_or(FieldValue::Null, FieldValue::Integer)
}

fn day(value: Option<NaiveDate>) -> FieldValue {
    value.map_or(FieldValue::Null, |value| FieldValue::Text(date(value)))
}

fn moment(value: Option<Moment>) -> FieldValue {
    value.map_or(FieldValue::Null, |value| FieldValue::Text(wall_clock(value)))
}
