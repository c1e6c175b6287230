//! The telephones of a row: the patient's and the contact's.

use aftercare_domain::codes::{self, relation_hint};
use aftercare_domain::person_name;
use aftercare_domain::phone::{self, Phone, PhoneProblem};
use aftercare_tabular::{Cell, Row};

use super::super::fields::Field;
use super::super::problem::{Code, Problem};
use super::{Cleaner, Record, cells};

/// One telephone and whose it is.
#[derive(Clone, PartialEq, Eq)]
pub struct PhoneValue {
    /// National form.
    pub number: String,
    /// To dial after the switchboard answers.
    pub extension: Option<String>,
    /// Whose phone, when it is not the patient's own.
    pub owner_name: Option<String>,
    /// Code of the table `relation`; `0` the patient.
    pub relation: &'static str,
}

impl Cleaner {
    pub(super) fn read_phones(
        &self,
        row: &Row,
        usable: &dyn Fn(usize) -> bool,
        record: &mut Record,
        problems: &mut Vec<Problem>,
    ) {
        let mut contact_name = None;
        let mut relation = None;
        for (index, field) in self.layout.columns.iter().filter(|(index, _)| usable(*index)) {
            let cell = row.cell(*index);
            match field {
                _ if cell.is_empty() => {}
                Field::ContactName => contact_name = read_contact(cell),
                Field::ContactRelation => relation = read_relation(cell),
                _ => {}
            }
        }
        // The contact's name may say who it is: 张三(儿子).
        let relation = relation.or_else(|| {
            contact_name
                .as_deref()
                .and_then(|name: &str| name.contains('(').then(|| relation_hint(name)).flatten())
        });
        let mut phones: Vec<PhoneValue> = Vec::new();
        for (index, field) in self.layout.columns.iter().filter(|(index, _)| usable(*index)) {
            if !matches!(field, Field::Phone | Field::ContactPhone) || row.cell(*index).is_empty() {
                continue;
            }
            for (found, hint) in self.numbers(row.cell(*index), *field, problems) {
                let owner = match (field, hint) {
                    (Field::ContactPhone, hint) => PhoneValue {
                        number: found.digits,
                        extension: found.extension,
                        owner_name: contact_name.clone().filter(|name| *name != record.name),
                        relation: relation.or(hint).unwrap_or("8"),
                    },
                    (_, hint) => PhoneValue {
                        number: found.digits,
                        extension: found.extension,
                        owner_name: None,
                        relation: hint.unwrap_or("0"),
                    },
                };
                // One number in both columns answers to the contact: the extract asked the family for it.
                match phones.iter_mut().find(|known| known.number == owner.number) {
                    Some(known) if known.relation == "0" && owner.relation != "0" => *known = owner,
                    Some(_) => {}
                    None => phones.push(owner),
                }
            }
        }
        record.phones = phones;
    }

    fn numbers(
        &self,
        cell: &Cell,
        field: Field,
        problems: &mut Vec<Problem>,
    ) -> Vec<(Phone, Option<&'static str>)> {
        let area = self.area.as_deref();
        let read: Vec<Result<(Phone, Option<&'static str>), PhoneProblem>> = match cell {
            Cell::Number(value) => vec![phone::from_number(*value, area).map(|phone| (phone, None))],
            cell => match cells::words(cell) {
                Some(text) => phone::split(&text, area)
                    .into_iter()
                    .map(|entry| entry.map(|entry| (entry.phone, entry.relation)))
                    .collect(),
                None => Vec::new(),
            },
        };
        let mut numbers = Vec::with_capacity(read.len());
        for entry in read {
            match entry {
                Ok((phone, hint)) => {
                    if phone.repair.is_some() {
                        problems.push(Problem::of(field, Code::PhoneRepaired));
                    }
                    numbers.push((phone, hint));
                }
                Err(PhoneProblem::Empty) => {}
                Err(problem) => problems.push(match problem {
                    PhoneProblem::PrecisionLost => Problem::of(field, Code::PrecisionLost),
                    PhoneProblem::NeedsAreaCode => Problem::of(field, Code::PhoneNeedsAreaCode),
                    PhoneProblem::Placeholder => Problem::of(field, Code::Placeholder),
                    other => {
                        Problem::of(field, Code::PhoneInvalid).with("reason", other.error_code().as_str())
                    }
                }),
            }
        }
        numbers
    }
}

fn read_contact(cell: &Cell) -> Option<String> {
    let text = cells::words(cell)?;
    person_name::clean(&text).ok().filter(|clean| !clean.is_unknown()).map(|clean| clean.name)
}

fn read_relation(cell: &Cell) -> Option<&'static str> {
    let text = cells::words(cell)?;
    codes::code_of("relation", &text).or_else(|| relation_hint(&text)).or(Some("8"))
}
