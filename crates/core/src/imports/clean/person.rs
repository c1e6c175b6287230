//! Who a row is about.

use aftercare_domain::codes::{self, Sex};
use aftercare_domain::dates::{self, DateOf};
use aftercare_domain::id_number::{self, IdProblem};
use aftercare_domain::person_name::{self, NameFlag, NameProblem};
use aftercare_tabular::{Cell, Row};
use chrono::{Days, NaiveDate};

use super::super::fields::Field;
use super::super::problem::{Code, Problem};
use super::{Cleaner, Record, cells};

/// Under this age at admission a row may be about a newborn that was entered with a parent's ID number.
const NEWBORN_DAYS: u64 = 366;
/// A parent is at least this much older.
const PARENT_DAYS: u64 = 12 * 365;

impl Cleaner {
    pub(super) fn read_person(
        &self,
        row: &Row,
        usable: &dyn Fn(usize) -> bool,
        record: &mut Record,
        problems: &mut Vec<Problem>,
    ) {
        let mut birth = None;
        let mut sex = None;
        let mut id_type = None;
        let mut id_cell = None;
        for (index, field) in self.layout.columns.iter().filter(|(index, _)| usable(*index)) {
            let cell = row.cell(*index);
            if cell.is_empty() {
                continue;
            }
            match field {
                Field::Mrn => record.mrn = self.read_mrn(cell, problems),
                Field::OutpatientNo => record.outpatient_no = cells::number(cell, *field, problems),
                Field::CardNo => record.card_no = cells::number(cell, *field, problems),
                Field::Name => read_name(cell, record, problems),
                Field::Sex => sex = read_sex(cell, problems),
                Field::BirthDate => birth = self.read_birth(cell, problems),
                Field::Age => record.age_text = read_age(cell, problems),
                Field::IdType => id_type = codes::code_of("id_type", &cell.to_text()),
                Field::IdNumber => id_cell = Some(cell),
                Field::Nationality => record.nationality = cells::plain(cell, *field, 30, problems),
                Field::Ethnicity => record.ethnicity = cells::plain(cell, *field, 30, problems),
                Field::Marital => record.marital = read_marital(cell, problems),
                Field::Occupation => {
                    record.occupation = in_words("occupation_frontpage", cell, *field, problems)
                }
                Field::Employer => record.employer = cells::plain(cell, *field, 200, problems),
                Field::Address => record.address = cells::plain(cell, *field, 300, problems),
                Field::NativePlace => record.native_place = cells::plain(cell, *field, 100, problems),
                Field::BloodType => record.blood_type = cells::plain(cell, *field, 20, problems),
                Field::Allergies => record.allergies = read_allergies(cell, *field, problems),
                _ => {}
            }
        }
        if let Some(cell) = id_cell {
            self.read_id(cell, id_type, record, problems);
        }
        record.birth_on = birth;
        record.sex = sex.unwrap_or("0");
    }

    fn read_mrn(&self, cell: &Cell, problems: &mut Vec<Problem>) -> Option<String> {
        let mrn = cells::number(cell, Field::Mrn, problems)?;
        match self.mrn_width {
            Some(width) if mrn.len() < width && mrn.bytes().all(|b| b.is_ascii_digit()) => {
                problems.push(Problem::of(Field::Mrn, Code::ZerosRestored).with("width", width));
                Some(format!("{mrn:0>width$}"))
            }
            _ => Some(mrn),
        }
    }

    fn read_birth(&self, cell: &Cell, problems: &mut Vec<Problem>) -> Option<NaiveDate> {
        match cells::moment(cell, DateOf::Birth, self.today) {
            Ok(Some(moment)) if moment.date > self.today => {
                problems.push(Problem::of(Field::BirthDate, Code::DateUnreadable));
                None
            }
            Ok(moment) => moment.map(|moment| moment.date),
            Err(code) => {
                problems.push(Problem::of(Field::BirthDate, code));
                None
            }
        }
    }

    fn read_id(
        &self,
        cell: &Cell,
        id_type: Option<&'static str>,
        record: &mut Record,
        problems: &mut Vec<Problem>,
    ) {
        let read = match cell {
            Cell::Number(value) => id_number::from_number(*value, self.today),
            cell => match cells::words(cell) {
                Some(text) => id_number::parse(&text, self.today),
                None => return,
            },
        };
        let other_document = id_type.filter(|kind| !matches!(*kind, "01" | "02"));
        match (read, other_document) {
            (Ok(id), _) => record.id = Some(id),
            (Err(IdProblem::Empty), _) => {}
            (Err(IdProblem::PrecisionLost), None) => {
                problems.push(Problem::of(Field::IdNumber, Code::PrecisionLost));
            }
            (Err(_), Some(kind)) => {
                let number = cells::words(cell).map(|text| text.to_uppercase().replace(' ', ""));
                record.document = number.filter(|number| number.len() <= 40).map(|number| (kind, number));
            }
            (Err(IdProblem::Placeholder), None) => {
                problems.push(Problem::of(Field::IdNumber, Code::Placeholder));
            }
            (Err(problem), None) => {
                problems.push(
                    Problem::of(Field::IdNumber, Code::IdInvalid)
                        .with("reason", problem.error_code().as_str()),
                );
            }
        }
    }

    /// The ID number decides about birth and sex, unless it is the parent's.
    pub(super) fn judge_newborn(&self, record: &mut Record, problems: &mut Vec<Problem>) {
        let Some(id) = record.id.clone() else { return };
        let admitted = record.stay.admitted.map_or(self.today, |moment| moment.date);
        let young = match record.birth_on {
            Some(birth) => birth + Days::new(NEWBORN_DAYS) >= admitted,
            None => record.age_text.as_deref().is_some_and(is_newborn_age),
        };
        let parents = id.birth_date + Days::new(PARENT_DAYS) <= record.birth_on.unwrap_or(admitted);
        if parents && (young || (record.is_newborn && record.birth_on != Some(id.birth_date))) {
            problems.push(Problem::of(Field::IdNumber, Code::IdOfRelative));
            record.id = None;
            return;
        }
        if record.birth_on.is_some_and(|birth| birth != id.birth_date) {
            problems.push(Problem::of(Field::BirthDate, Code::BirthContradictsId));
        }
        let known = matches!(record.sex, "1" | "2");
        if known && record.sex != id.sex.code() {
            problems.push(Problem::of(Field::Sex, Code::SexContradictsId));
        }
        record.birth_on = Some(id.birth_date);
        record.sex = id.sex.code();
    }
}

/// Days and hours of life, or months: `3天`, `2月`. A number alone is years.
fn is_newborn_age(text: &str) -> bool {
    dates::parse_age(text).is_ok_and(|age| age.years == 0)
}

fn read_name(cell: &Cell, record: &mut Record, problems: &mut Vec<Problem>) {
    let text = cell.to_text();
    if codes::is_empty_marker(&text) {
        return;
    }
    match person_name::clean(&text) {
        Ok(clean) => {
            record.is_newborn = clean.flags.contains(&NameFlag::Newborn);
            record.is_unknown = clean.is_unknown();
            record.is_test = clean.is_test();
            record.name = clean.name;
        }
        Err(NameProblem::Empty) => {}
        Err(NameProblem::TooLong | NameProblem::NoLetters) => {
            problems.push(Problem::of(Field::Name, Code::NoName));
        }
    }
}

fn read_sex(cell: &Cell, problems: &mut Vec<Problem>) -> Option<&'static str> {
    let text = cell.to_text();
    let sex = Sex::from_text(&text);
    if sex.is_none() && !codes::is_empty_marker(&text) {
        problems.push(Problem::of(Field::Sex, Code::CodeUnknown));
    }
    sex.map(Sex::code)
}

fn read_age(cell: &Cell, problems: &mut Vec<Problem>) -> Option<String> {
    let text = cells::plain(cell, Field::Age, 20, problems)?;
    let years = text.bytes().all(|b| b.is_ascii_digit());
    Some(if years { format!("{text}岁") } else { text })
}

/// The name of a code, or the hospital's own word.
fn in_words(table: &str, cell: &Cell, field: Field, problems: &mut Vec<Problem>) -> Option<String> {
    let text = cells::plain(cell, field, 50, problems)?;
    let name = codes::code_of(table, &text).and_then(|code| codes::name_of(table, code));
    Some(name.map_or(text, str::to_owned))
}

/// Two standards number marriage: one digit on the front page, two in GB/T 2261.2.
fn read_marital(cell: &Cell, problems: &mut Vec<Problem>) -> Option<String> {
    let text = cell.to_text();
    let two_digits = text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit()) && !text.starts_with('0');
    let table = if two_digits { "marital_gbt" } else { "marital_frontpage" };
    in_words(table, cell, Field::Marital, problems)
}

/// 无 says that there are none, which is worth knowing.
fn read_allergies(cell: &Cell, field: Field, problems: &mut Vec<Problem>) -> Option<String> {
    match cell.to_text().trim() {
        none @ ("无" | "否认" | "未发现") => Some(none.to_owned()),
        _ => cells::plain(cell, field, 300, problems),
    }
}
