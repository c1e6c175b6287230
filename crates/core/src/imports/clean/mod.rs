//! From the cells of one row to a record: cleaned, repaired where that is certain, told where it is not.

mod cells;
mod person;
mod phones;
mod stay;

use aftercare_domain::id_number::IdNumber;
use aftercare_tabular::{ProblemKind, Row};
use chrono::NaiveDate;

pub use phones::PhoneValue;
pub use stay::StayValues;

use super::fields::Field;
use super::problem::{Code, Problem, Weight};
use super::rows::Layout;

/// What the whole file and the hospital tell about single rows.
#[derive(Debug, Clone)]
pub struct Cleaner {
    /// What stands where.
    pub layout: Layout,
    /// The hospital's area code with its 0.
    pub area: Option<String>,
    /// The hospital's date.
    pub today: NaiveDate,
    /// How long hospital numbers are in this file, when some begin with 0 and all are this long or lost their zeros.
    pub mrn_width: Option<usize>,
}

/// One row, understood. No value of it is ever printed.
#[derive(Clone, Default)]
pub struct Record {
    /// 病案号.
    pub mrn: Option<String>,
    /// 门诊号.
    pub outpatient_no: Option<String>,
    /// 就诊卡号.
    pub card_no: Option<String>,
    /// Cleaned, with remarks.
    pub name: String,
    /// Entered under a parent's name.
    pub is_newborn: bool,
    /// Nobody knows the name.
    pub is_unknown: bool,
    /// Somebody tried out the sending system.
    pub is_test: bool,
    /// Code of GB/T 2261.1; `0` when nothing is known.
    pub sex: &'static str,
    /// Date of birth, from the ID number where that is valid.
    pub birth_on: Option<NaiveDate>,
    /// Age as written, when there is no date of birth.
    pub age_text: Option<String>,
    /// A valid resident ID number.
    pub id: Option<IdNumber>,
    /// Another document: kind and number.
    pub document: Option<(&'static str, String)>,
    /// 国籍.
    pub nationality: Option<String>,
    /// 民族.
    pub ethnicity: Option<String>,
    /// 婚姻, in words.
    pub marital: Option<String>,
    /// 职业, in words.
    pub occupation: Option<String>,
    /// 工作单位.
    pub employer: Option<String>,
    /// 现住址.
    pub address: Option<String>,
    /// 籍贯.
    pub native_place: Option<String>,
    /// 血型.
    pub blood_type: Option<String>,
    /// 过敏药物.
    pub allergies: Option<String>,
    /// The patient's numbers and the contact's, in the order of dialling.
    pub phones: Vec<PhoneValue>,
    /// The stay.
    pub stay: StayValues,
}

impl Record {
    /// Whether anything tells who or which stay this is.
    fn has_identity(&self) -> bool {
        self.mrn.is_some()
            || self.id.is_some()
            || self.stay.visit_no.is_some()
            || self.card_no.is_some()
            || self.outpatient_no.is_some()
    }
}

impl Cleaner {
    /// Understands one row. None when a problem among `problems` keeps the row in the file.
    pub fn clean(&self, row: &Row, problems: &mut Vec<Problem>) -> Option<Record> {
        let mut record = Record { sex: "0", ..Record::default() };
        let damaged = self.damaged(row, problems);
        let usable = |at: usize| !damaged.contains(&at);
        self.read_person(row, &usable, &mut record, problems);
        self.read_phones(row, &usable, &mut record, problems);
        self.read_stay(row, &usable, &mut record, problems);
        self.judge_newborn(&mut record, problems);
        if record.name.is_empty() && !problems.iter().any(|p| p.field == Some(Field::Name)) {
            problems.push(Problem::of(Field::Name, Code::NoName));
        }
        if !record.has_identity() {
            problems.push(Problem::of(Field::Mrn, Code::NoIdentity));
        }
        let rejected = problems.iter().any(|problem| problem.code.weight() == Weight::Rejection);
        (!rejected).then_some(record)
    }

    /// Columns whose characters were lost; those that say who it is keep the row out.
    fn damaged(&self, row: &Row, problems: &mut Vec<Problem>) -> Vec<usize> {
        let mut damaged = Vec::new();
        for problem in &row.problems {
            match problem.kind {
                ProblemKind::OtherEncoding(name) => {
                    problems.push(Problem::of_row(Code::OtherEncoding).with("encoding", name));
                }
                ProblemKind::Undecodable | ProblemKind::LostCharacter => match problem.column {
                    Some(column) => damaged.push(usize::try_from(column).unwrap_or(1).saturating_sub(1)),
                    None => damaged.extend(
                        row.cells
                            .iter()
                            .enumerate()
                            .filter_map(|(at, cell)| cell.to_text().contains('\u{FFFD}').then_some(at)),
                    ),
                },
                _ => {}
            }
        }
        for (index, field) in &self.layout.columns {
            if damaged.contains(index) {
                let tells_who = field.is_identity() || *field == Field::Name;
                let code = if tells_who { Code::IdentityUndecodable } else { Code::CellUndecodable };
                problems.push(Problem::of(*field, code));
            } else if matches!(row.cell(*index), aftercare_tabular::Cell::Error(_)) {
                problems.push(Problem::of(*field, Code::CellError));
                damaged.push(*index);
            }
        }
        damaged
    }
}
