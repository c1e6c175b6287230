//! The stay of a row: when, where, why, how it ended, what it cost.

use aftercare_domain::cell_text::half_width;
use aftercare_domain::codes;
use aftercare_domain::dates::{DateOf, Moment};
use aftercare_domain::icd10;
use aftercare_tabular::{Cell, Row};
use chrono::{Days, NaiveDate, NaiveTime};
use serde_json::json;

use super::super::fields::Field;
use super::super::problem::{Code, Problem};
use super::{Cleaner, Record, cells};

/// Planned discharges and clocks that run ahead are accepted this far; beyond is a typing error.
const FUTURE_DAYS: u64 = 31;
/// A longer stay than ten years is a typing error.
const LONGEST_STAY_DAYS: i64 = 3_660;

/// What a row says about the stay.
#[derive(Clone, Default)]
pub struct StayValues {
    /// 住院号.
    pub visit_no: Option<String>,
    /// 第几次住院.
    pub visit_count: Option<i64>,
    /// 出院科室.
    pub department: Option<String>,
    /// 病区.
    pub ward: Option<String>,
    /// 床号.
    pub bed: Option<String>,
    /// 入院时间.
    pub admitted: Option<Moment>,
    /// 出院时间.
    pub discharged: Option<Moment>,
    /// 住院天数, as the hospital counts it.
    pub length_of_stay_days: Option<i64>,
    /// ICD-10.
    pub diagnosis_code: Option<String>,
    /// 主要诊断.
    pub diagnosis: Option<String>,
    /// JSON list of {code, name}.
    pub other_diagnoses: Option<String>,
    /// The codes of the other diagnoses alone.
    pub other_codes: Vec<String>,
    /// 手术.
    pub surgery: Option<String>,
    /// 手术日期.
    pub surgery_on: Option<NaiveDate>,
    /// 分娩日期.
    pub delivery_on: Option<NaiveDate>,
    /// 主管医师.
    pub doctor: Option<String>,
    /// 责任护士.
    pub nurse: Option<String>,
    /// 离院方式 1–5, 9.
    pub disposition: Option<&'static str>,
    /// 入院途径.
    pub admit_route: Option<String>,
    /// 付费方式: the code, or the hospital's own word.
    pub pay_mode: Option<String>,
    /// 总费用 in fen.
    pub total_fee_fen: Option<i64>,
    /// 复诊日期.
    pub next_visit_on: Option<NaiveDate>,
}

impl Cleaner {
    pub(super) fn read_stay(
        &self,
        row: &Row,
        usable: &dyn Fn(usize) -> bool,
        record: &mut Record,
        problems: &mut Vec<Problem>,
    ) {
        let stay = &mut record.stay;
        let (mut names, mut codes_of_others) = (Vec::new(), Vec::new());
        let (mut admitted_hour, mut discharged_hour) = (None, None);
        for (index, field) in self.layout.columns.iter().filter(|(index, _)| usable(*index)) {
            let (cell, field) = (row.cell(*index), *field);
            if cell.is_empty() {
                continue;
            }
            match field {
                Field::VisitNo => stay.visit_no = cells::number(cell, field, problems),
                Field::VisitCount => {
                    stay.visit_count = cells::count(cell, field, 999, problems).filter(|count| *count > 0);
                }
                Field::Department => stay.department = cells::plain(cell, field, 50, problems),
                Field::Ward => stay.ward = cells::plain(cell, field, 50, problems),
                Field::Bed => stay.bed = cells::plain(cell, field, 20, problems),
                Field::AdmittedAt => stay.admitted = self.moment(cell, field, problems),
                Field::DischargedAt => stay.discharged = self.moment(cell, field, problems),
                Field::AdmittedHour => admitted_hour = cells::count(cell, field, 23, problems),
                Field::DischargedHour => discharged_hour = cells::count(cell, field, 23, problems),
                Field::LengthOfStay => {
                    stay.length_of_stay_days = cells::count(cell, field, LONGEST_STAY_DAYS, problems);
                }
                Field::DiagnosisCode => stay.diagnosis_code = read_icd(cell, field, problems),
                Field::Diagnosis => stay.diagnosis = cells::plain(cell, field, 300, problems),
                Field::OtherDiagnosis => names.extend(cells::plain(cell, field, 2_000, problems)),
                Field::OtherDiagnosisCode => codes_of_others.extend(cells::plain(cell, field, 500, problems)),
                Field::Surgery => add_surgery(&mut stay.surgery, cells::plain(cell, field, 500, problems)),
                Field::SurgeryDate => stay.surgery_on = cells::day(cell, field, self.today, problems),
                Field::DeliveryDate => stay.delivery_on = cells::day(cell, field, self.today, problems),
                Field::Doctor => stay.doctor = cells::plain(cell, field, 50, problems),
                Field::Nurse => stay.nurse = cells::plain(cell, field, 50, problems),
                Field::Disposition => stay.disposition = read_disposition(cell, field, problems),
                Field::AdmitRoute => stay.admit_route = code_or_word("admit_route", cell, field, problems),
                Field::PayMode => stay.pay_mode = code_or_word("pay_mode", cell, field, problems),
                Field::TotalFee => stay.total_fee_fen = cells::fen(cell, field, problems),
                Field::NextVisitDate => stay.next_visit_on = cells::day(cell, field, self.today, problems),
                _ => {}
            }
        }
        (stay.other_diagnoses, stay.other_codes) = other_diagnoses(&names, &codes_of_others);
        add_hour(&mut stay.admitted, admitted_hour);
        add_hour(&mut stay.discharged, discharged_hour);
        self.judge_dates(stay, problems);
    }

    fn moment(&self, cell: &Cell, field: Field, problems: &mut Vec<Problem>) -> Option<Moment> {
        match cells::moment(cell, DateOf::Event, self.today) {
            Ok(moment) => moment,
            // Without its day a discharge starts nothing; a wrong one would start the wrong calls.
            Err(_) if field == Field::DischargedAt => {
                problems.push(Problem::of(field, Code::DischargeUnreadable));
                None
            }
            Err(code) => {
                problems.push(Problem::of(field, code));
                None
            }
        }
    }

    fn judge_dates(&self, stay: &StayValues, problems: &mut Vec<Problem>) {
        let latest = self.today + Days::new(FUTURE_DAYS);
        for (field, moment) in [(Field::AdmittedAt, stay.admitted), (Field::DischargedAt, stay.discharged)] {
            if moment.is_some_and(|moment| moment.date > latest) {
                problems.push(Problem::of(field, Code::DateInFuture));
            }
        }
        if let (Some(admitted), Some(discharged)) = (stay.admitted, stay.discharged) {
            let earlier = match (admitted.time, discharged.time) {
                (Some(_), Some(_)) => discharged.at() < admitted.at(),
                _ => discharged.date < admitted.date,
            };
            if earlier {
                problems.push(Problem::of(Field::DischargedAt, Code::DischargeBeforeAdmission));
            }
        }
        match stay.discharged {
            Some(discharged) if discharged.date > self.today && discharged.date <= latest => {
                problems.push(Problem::of(Field::DischargedAt, Code::DischargePlanned));
            }
            None if !problems.iter().any(|p| p.field == Some(Field::DischargedAt)) => {
                problems.push(Problem::of(Field::DischargedAt, Code::DischargeMissing));
            }
            _ => {}
        }
    }
}

fn add_hour(moment: &mut Option<Moment>, hour: Option<i64>) {
    if let (Some(moment), Some(hour)) = (moment, hour)
        && moment.time.is_none()
    {
        moment.time = u32::try_from(hour).ok().and_then(|hour| NaiveTime::from_hms_opt(hour, 0, 0));
    }
}

/// A disease code in its usual form; codes of Chinese medicine and others stay as they are and are told.
fn read_icd(cell: &Cell, field: Field, problems: &mut Vec<Problem>) -> Option<String> {
    let text = cells::plain(cell, field, 30, problems)?;
    // E11.500x040+I79.2*: a disease and where it shows, two codes that belong together.
    let pair = text.split_once('+').filter(|(disease, sign)| {
        icd10::normalise(disease).is_some() && (sign.is_empty() || icd10::normalise(sign).is_some())
    });
    match (pair, icd10::normalise(&text)) {
        (Some((disease, sign)), _) => {
            let disease = icd10::normalise(disease)?;
            let sign = icd10::normalise(sign);
            Some(sign.map_or(disease.clone(), |sign| format!("{disease}+{sign}*")))
        }
        (None, Some(code)) => Some(code),
        (None, None) => {
            problems.push(Problem::of(field, Code::DiagnosisCodeInvalid));
            Some(text)
        }
    }
}

fn read_disposition(cell: &Cell, field: Field, problems: &mut Vec<Problem>) -> Option<&'static str> {
    let text = cell.to_text();
    let code = codes::code_of("leave_mode", &text);
    if code.is_none() && !codes::is_empty_marker(&text) {
        problems.push(Problem::of(field, Code::CodeUnknown));
    }
    code
}

/// Hospitals have kinds of their own; those stay in their words.
fn code_or_word(table: &str, cell: &Cell, field: Field, problems: &mut Vec<Problem>) -> Option<String> {
    let text = cells::plain(cell, field, 50, problems)?;
    Some(codes::code_of(table, &text).map_or(text, str::to_owned))
}

fn add_surgery(all: &mut Option<String>, one: Option<String>) {
    match (all.as_mut(), one) {
        (Some(all), Some(one)) => {
            all.push('；');
            all.push_str(&one);
        }
        (None, one) => *all = one,
        _ => {}
    }
}

/// Names and codes side by side, however many cells they came in.
fn other_diagnoses(names: &[String], codes: &[String]) -> (Option<String>, Vec<String>) {
    let split = |cells: &[String]| -> Vec<String> {
        cells
            .iter()
            .flat_map(|cell| cell.split([';', '；', '|', '\n', '、']))
            .map(|part| half_width(part).trim().to_owned())
            .filter(|part| !part.is_empty())
            .collect()
    };
    let (names, mut codes) = (split(names), split(codes));
    for code in &mut codes {
        if let Some(usual) = icd10::normalise(code) {
            *code = usual;
        }
    }
    // Lists of different lengths cannot be told apart pair by pair: names first, then codes.
    let pairs: Vec<_> = if names.len() == codes.len() {
        names.iter().zip(&codes).map(|(name, code)| json!({ "code": code, "name": name })).collect()
    } else {
        let named = names.iter().map(|name| json!({ "code": null, "name": name }));
        named.chain(codes.iter().map(|code| json!({ "code": code, "name": null }))).collect()
    };
    ((!pairs.is_empty()).then(|| json!(pairs).to_string()), codes)
}
