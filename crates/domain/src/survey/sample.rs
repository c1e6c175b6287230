//! Who is drawn: by department, at random, the same for the same seed.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use ts_rs::TS;
use uuid::Uuid;

/// Below this age, in years, the guardian answers.
pub const MINOR_BELOW: u16 = 18;

/// Why somebody is not asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(rename = "SurveyExclusion")]
pub enum Exclusion {
    /// Died.
    Deceased,
    /// Does not want to be called, or withdrew consent.
    Refused,
    /// A record for tests, of an unknown person, or merged into another.
    NotAPerson,
    /// Works here: the phone is a colleague's, or the employer is this hospital.
    Staff,
    /// A minor without another person's number.
    MinorAlone,
    /// No number that can be called.
    NoPhone,
    /// Asked within the last months, or waiting to be asked.
    SurveyedLately,
    /// Another stay of the same person is in the frame already.
    SamePerson,
}

impl Exclusion {
    /// Every reason, in the order in which they are asked.
    pub const ALL: [Self; 8] = [
        Self::Deceased,
        Self::Refused,
        Self::NotAPerson,
        Self::Staff,
        Self::MinorAlone,
        Self::NoPhone,
        Self::SurveyedLately,
        Self::SamePerson,
    ];
}

/// A stay or visit that may be drawn.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Candidate {
    /// The stay.
    pub encounter_id: Uuid,
    /// Whose.
    pub patient_id: Uuid,
    /// The stratum.
    pub department: String,
    /// Died.
    pub deceased: bool,
    /// Opted out of calls, or withdrew consent.
    pub refused: bool,
    /// Test, unknown, merged.
    pub not_a_person: bool,
    /// Works here.
    pub staff: bool,
    /// Full years, if known.
    pub age: Option<u16>,
    /// Has a number that can be called.
    pub phone: bool,
    /// Has a number of somebody else that can be called.
    pub guardian_phone: bool,
    /// Answered lately or waits to be asked.
    pub surveyed_lately: bool,
}

impl Candidate {
    /// A minor: the guardian answers.
    pub fn is_minor(&self) -> bool {
        self.age.is_some_and(|age| age < MINOR_BELOW)
    }
}

/// Why `candidate` alone is not asked; whether the same person is there twice, [`draw`] decides.
pub fn exclusion(candidate: &Candidate) -> Option<Exclusion> {
    let minor = candidate.is_minor();
    [
        (candidate.deceased, Exclusion::Deceased),
        (candidate.refused, Exclusion::Refused),
        (candidate.not_a_person, Exclusion::NotAPerson),
        (candidate.staff, Exclusion::Staff),
        (minor && candidate.phone && !candidate.guardian_phone, Exclusion::MinorAlone),
        (!candidate.phone, Exclusion::NoPhone),
        (candidate.surveyed_lately, Exclusion::SurveyedLately),
    ]
    .into_iter()
    .find_map(|(holds, why)| holds.then_some(why))
}

/// The place of a stay in the draw: its hash with the seed. It depends on nothing else, so the draw is the same on
/// every desk and in whatever order the stays are read.
fn place(seed: u64, encounter_id: Uuid) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(seed.to_be_bytes());
    hash.update(encounter_id.as_bytes());
    hash.finalize().into()
}

/// Draws at most `per_department` stays of each department at random (all of them for none), one for each person.
/// Gives the stays in the order of the draw, and how many were left out by reason.
pub fn draw(
    candidates: &[Candidate],
    per_department: Option<usize>,
    seed: u64,
) -> (Vec<&Candidate>, BTreeMap<Exclusion, usize>) {
    let mut left_out: BTreeMap<Exclusion, usize> = BTreeMap::new();
    let mut frame: Vec<([u8; 32], &Candidate)> = Vec::new();
    for candidate in candidates {
        match exclusion(candidate) {
            Some(why) => *left_out.entry(why).or_default() += 1,
            None => frame.push((place(seed, candidate.encounter_id), candidate)),
        }
    }
    frame.sort_by_key(|(place, _)| *place);
    let mut people = std::collections::BTreeSet::new();
    let mut taken: BTreeMap<&str, usize> = BTreeMap::new();
    let mut drawn = Vec::new();
    for (_, candidate) in frame {
        if !people.insert(candidate.patient_id) {
            *left_out.entry(Exclusion::SamePerson).or_default() += 1;
            continue;
        }
        let count = taken.entry(candidate.department.as_str()).or_default();
        if per_department.is_none_or(|most| *count < most) {
            *count += 1;
            drawn.push(candidate);
        }
    }
    (drawn, left_out)
}
