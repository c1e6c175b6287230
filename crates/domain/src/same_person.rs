//! Whether two records are about one person.
//!
//! A valid ID number or the hospital's number decides. Anything else only raises a suspicion that a person settles,
//! and a telephone shared within a family is not even that.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::cell_text::half_width;
use crate::id_number;

/// Shorter addresses name a town, not a home.
const SHORTEST_ADDRESS: usize = 6;

/// What is known of a person. Borrowed, so that an import can compare without copying.
#[derive(Clone, Copy, Default)]
pub struct PersonFacts<'a> {
    /// Full name.
    pub name: &'a str,
    /// Code of GB/T 2261.1.
    pub sex: &'a str,
    /// `YYYY-MM-DD`.
    pub birth_on: Option<&'a str>,
    /// As stored; need not be valid.
    pub id_number: Option<&'a str>,
    /// 病案号.
    pub mrn: Option<&'a str>,
    /// Where the person lives.
    pub address: Option<&'a str>,
    /// Every number of the person and of relatives, national form.
    pub phones: &'a [&'a str],
}

/// Why one may think that two records are one person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(rename = "ArchiveSuspicion")]
pub enum Suspicion {
    /// Same name, same date of birth.
    NameBirth,
    /// Same name, a telephone in common.
    NamePhone,
    /// The ID numbers differ by one character, or by two that changed places.
    IdTypo,
    /// Same name, same address.
    NameAddress,
    /// One hospital number, but two valid ID numbers.
    MrnOtherId,
    /// One ID number, but one of the names is a newborn's: it may be the mother's.
    ParentsId,
}

impl Suspicion {
    /// The word stored and shown through the locale files.
    pub fn code(self) -> &'static str {
        match self {
            Self::NameBirth => "name_birth",
            Self::NamePhone => "name_phone",
            Self::IdTypo => "id_typo",
            Self::NameAddress => "name_address",
            Self::MrnOtherId => "mrn_other_id",
            Self::ParentsId => "parents_id",
        }
    }
}

/// What decides that two records are one person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// The same valid ID number.
    IdNumber,
    /// The same hospital number.
    Mrn,
}

/// The verdict on two records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sameness {
    /// One person.
    Same(Proof),
    /// Perhaps one person: a person decides. Never empty, sorted.
    Suspected(Vec<Suspicion>),
    /// Two people.
    Different,
}

/// Compares two records. `today` judges whether ID numbers are valid (nobody is born tomorrow).
pub fn same_person(a: &PersonFacts<'_>, b: &PersonFacts<'_>, today: NaiveDate) -> Sameness {
    let (a_id, b_id) = (valid_id(a, today), valid_id(b, today));
    let same_mrn = both(a.mrn, b.mrn).is_some_and(|(x, y)| x == y);
    if let (Some(x), Some(y)) = (&a_id, &b_id) {
        return match (x == y, same_mrn) {
            (true, _) if newborn_beside_parent(a.name, b.name) => {
                Sameness::Suspected(vec![Suspicion::ParentsId])
            }
            (true, _) => Sameness::Same(Proof::IdNumber),
            (false, true) => Sameness::Suspected(vec![Suspicion::MrnOtherId]),
            (false, false) => Sameness::Different,
        };
    }
    if same_mrn {
        return Sameness::Same(Proof::Mrn);
    }
    let reasons = suspicions(a, b);
    if reasons.is_empty() { Sameness::Different } else { Sameness::Suspected(reasons) }
}

fn suspicions(a: &PersonFacts<'_>, b: &PersonFacts<'_>) -> Vec<Suspicion> {
    let mut reasons = Vec::new();
    let same_name = !a.name.is_empty() && plain(a.name) == plain(b.name);
    let known = |sex: &str| matches!(sex, "1" | "2");
    let other_sex = known(a.sex) && known(b.sex) && a.sex != b.sex;
    if same_name && !other_sex {
        if both(a.birth_on, b.birth_on).is_some_and(|(x, y)| x == y) {
            reasons.push(Suspicion::NameBirth);
        }
        if a.phones.iter().any(|phone| b.phones.contains(phone)) {
            reasons.push(Suspicion::NamePhone);
        }
        if both(a.address, b.address).is_some_and(|(x, y)| same_address(x, y)) {
            reasons.push(Suspicion::NameAddress);
        }
    }
    if both(a.id_number, b.id_number).is_some_and(|(x, y)| is_typo(x, y)) {
        reasons.push(Suspicion::IdTypo);
    }
    reasons.sort_unstable();
    reasons
}

fn valid_id(person: &PersonFacts<'_>, today: NaiveDate) -> Option<String> {
    id_number::parse(person.id_number?, today).ok().map(|id| id.number)
}

fn both<'a>(a: Option<&'a str>, b: Option<&'a str>) -> Option<(&'a str, &'a str)> {
    let said = |text: Option<&'a str>| text.map(str::trim).filter(|text| !text.is_empty());
    said(a).zip(said(b))
}

/// A newborn is entered as the mother's name with 之子 or 之女, often with the mother's ID number.
fn newborn_beside_parent(a: &str, b: &str) -> bool {
    let newborn = |name: &str| ["之子", "之女", "之婴"].iter().any(|mark| name.contains(mark));
    newborn(a) != newborn(b)
}

fn same_address(a: &str, b: &str) -> bool {
    let (a, b) = (plain(a), plain(b));
    a == b && a.chars().count() >= SHORTEST_ADDRESS
}

/// Without spaces and signs, full-width forms as plain ones.
fn plain(text: &str) -> String {
    half_width(text).chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Whether two ID numbers of one length differ in one character or in two neighbours that changed places.
fn is_typo(a: &str, b: &str) -> bool {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    if a.len() != b.len() || a.len() < 15 {
        return false;
    }
    let differing: Vec<usize> = (0..a.len()).filter(|at| !a[*at].eq_ignore_ascii_case(&b[*at])).collect();
    match differing.as_slice() {
        [_] => true,
        [first, second] => second - first == 1 && a[*first] == b[*second] && a[*second] == b[*first],
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LI: &str = "11010519491231002X";

    fn today() -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 11, 16).unwrap_or_default()
    }

    fn judge(a: PersonFacts<'_>, b: PersonFacts<'_>) -> Sameness {
        let there = same_person(&a, &b, today());
        assert_eq!(there, same_person(&b, &a, today()), "the verdict does not depend on the order");
        there
    }

    fn wang<'a>() -> PersonFacts<'a> {
        PersonFacts { name: "王伟", sex: "1", ..PersonFacts::default() }
    }

    #[test]
    fn a_valid_id_number_decides_whatever_else_differs() {
        let a = PersonFacts { id_number: Some(LI), birth_on: Some("1949-12-31"), ..wang() };
        let b = PersonFacts { name: "王卫", id_number: Some("110105 19491231 002x"), ..wang() };
        assert_eq!(judge(a, b), Sameness::Same(Proof::IdNumber));
    }

    #[test]
    fn two_valid_id_numbers_are_two_people_even_with_one_name_birth_and_phone() {
        let phones = ["13800138000"];
        let a = PersonFacts { id_number: Some(LI), birth_on: Some("1949-12-31"), phones: &phones, ..wang() };
        let b = PersonFacts { id_number: Some("440524188001010014"), ..a };
        assert_eq!(judge(a, b), Sameness::Different);
        let (a, b) = (PersonFacts { mrn: Some("1"), ..a }, PersonFacts { mrn: Some("1"), ..b });
        assert_eq!(judge(a, b), Sameness::Suspected(vec![Suspicion::MrnOtherId]));
    }

    #[test]
    fn a_hospital_number_decides_when_no_id_number_objects() {
        let a = PersonFacts { mrn: Some("00123"), ..wang() };
        let b = PersonFacts { mrn: Some("00123"), id_number: Some(LI), ..wang() };
        assert_eq!(judge(a, b), Sameness::Same(Proof::Mrn));
    }

    #[test]
    fn a_family_phone_alone_is_no_suspicion() {
        let phones = ["13800138000"];
        let father = PersonFacts { phones: &phones, address: Some("青山县东街12号"), ..wang() };
        let child = PersonFacts { name: "王小明", ..father };
        assert_eq!(judge(father, child), Sameness::Different);
    }

    #[test]
    fn one_name_with_birth_phone_or_address_is_suspected_with_its_reasons() {
        let phones = ["13800138000", "01062345678"];
        let a = PersonFacts {
            birth_on: Some("1949-12-31"),
            phones: &phones,
            address: Some("青山县 东街１２号"),
            ..wang()
        };
        let b = PersonFacts { phones: &phones[1..], address: Some("青山县东街12号"), ..a };
        assert_eq!(
            judge(a, b),
            Sameness::Suspected(vec![Suspicion::NameBirth, Suspicion::NamePhone, Suspicion::NameAddress])
        );
        let town = PersonFacts { address: Some("青山县"), ..wang() };
        assert_eq!(judge(town, town), Sameness::Different, "a town is not a home");
        let sister = PersonFacts { sex: "2", ..a };
        assert_eq!(judge(a, sister), Sameness::Different);
    }

    #[test]
    fn an_id_number_with_one_slip_is_suspected() {
        let a = PersonFacts { id_number: Some(LI), ..wang() };
        for slip in ["11010519491231003X", "11010519491213002X"] {
            let b = PersonFacts { name: "汪伟", id_number: Some(slip), ..wang() };
            assert_eq!(judge(a, b), Sameness::Suspected(vec![Suspicion::IdTypo]), "{slip}");
        }
        let far = PersonFacts { name: "汪伟", id_number: Some("11010519491231999X"), ..wang() };
        assert_eq!(judge(a, far), Sameness::Different);
    }

    #[test]
    fn a_newborn_with_the_mothers_id_number_is_not_the_mother() {
        let mother = PersonFacts { name: "李娜", sex: "2", id_number: Some(LI), ..PersonFacts::default() };
        let child = PersonFacts { name: "李娜之子", sex: "1", ..mother };
        assert_eq!(judge(mother, child), Sameness::Suspected(vec![Suspicion::ParentsId]));
    }
}
