//! LACE: the risk of death or unplanned readmission within 30 days of discharge.
//!
//! Points of van Walraven et al., CMAJ 2010;182:551 (0 to 19, high from 10). The comorbidity weights are those of the
//! LACE tool as printed in BMC Cardiovascular Disorders 2014;14:97, with AIDS 4 as in the original. Diagnoses are told
//! by the ICD-10 codes of Quan et al., Med Care 2005;43:1130; that list has one group for renal disease, which is
//! divided here: dialysis, transplant and stages 4 and 5 are severe, the rest mild.

use crate::icd10;

/// From this score on the risk is high.
pub const HIGH: u8 = 10;
/// Points of the comorbidity part, whatever the sum above 4.
const MOST_FOR_COMORBIDITY: u8 = 5;

/// What is known of a patient's other diseases, in Charlson points.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comorbidity {
    /// Nothing is known.
    Unknown,
    /// Some diagnoses are known, perhaps only the first.
    AtLeast(u32),
    /// All diagnoses of the stay are known.
    Exactly(u32),
}

/// What a stay tells; none where the hospital's data are silent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LaceInput {
    /// Whole days from admission to discharge.
    pub los_days: Option<u32>,
    /// Whether it was an emergency admission.
    pub acute: Option<bool>,
    /// Other diseases.
    pub comorbidity: Comorbidity,
    /// Emergency visits in the six months before, without the one that led to this stay.
    pub ed_visits_6m: Option<u32>,
}

/// The score, as far as it can be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lace {
    /// What is known adds up to this.
    pub at_least: u8,
    /// What is not known can add up to this.
    pub at_most: u8,
}

impl Lace {
    /// The score, when nothing that is missing can change it.
    pub fn score(self) -> Option<u8> {
        (self.at_least == self.at_most).then_some(self.at_least)
    }

    /// Whether the risk is high, when what is missing cannot change that.
    pub fn is_high(self) -> Option<bool> {
        match (self.at_least >= HIGH, self.at_most >= HIGH) {
            (true, _) => Some(true),
            (false, false) => Some(false),
            (false, true) => None,
        }
    }
}

/// Adds up what is known.
pub fn lace(input: LaceInput) -> Lace {
    let length = exact(input.los_days.map(length_points), 7);
    let acute = exact(input.acute.map(|acute| if acute { 3 } else { 0 }), 3);
    let comorbidity = match input.comorbidity {
        Comorbidity::Unknown => (0, MOST_FOR_COMORBIDITY),
        Comorbidity::AtLeast(points) => (comorbidity_points(points), MOST_FOR_COMORBIDITY),
        Comorbidity::Exactly(points) => exact(Some(comorbidity_points(points)), MOST_FOR_COMORBIDITY),
    };
    let visits = exact(input.ed_visits_6m.map(|visits| u8::try_from(visits.min(4)).unwrap_or(4)), 4);
    let parts = [length, acute, comorbidity, visits];
    Lace { at_least: parts.iter().map(|part| part.0).sum(), at_most: parts.iter().map(|part| part.1).sum() }
}

/// Charlson points, with the weights of LACE, of a list of ICD-10 codes. Each disease counts once, and the severer
/// form of a disease takes the place of the milder.
pub fn charlson(codes: &[&str]) -> u32 {
    let codes: Vec<String> = codes.iter().filter_map(|code| icd10::compact(code)).collect();
    let has = |form: &&Form| {
        codes.iter().any(|code| form.codes.iter().any(|prefix| icd10::compact_is_under(code, prefix)))
    };
    DISEASES.iter().map(|forms| forms.iter().filter(has).map(|form| form.points).max().unwrap_or(0)).sum()
}

fn exact(points: Option<u8>, most: u8) -> (u8, u8) {
    points.map_or((0, most), |points| (points, points))
}

fn length_points(days: u32) -> u8 {
    match days {
        0 => 0,
        1 => 1,
        2 => 2,
        3 => 3,
        4..=6 => 4,
        7..=13 => 5,
        14.. => 7,
    }
}

fn comorbidity_points(charlson: u32) -> u8 {
    match charlson {
        0..=3 => u8::try_from(charlson).unwrap_or(0),
        4.. => MOST_FOR_COMORBIDITY,
    }
}

struct Form {
    points: u32,
    codes: &'static [&'static str],
}

/// One line per disease, milder and severer forms together.
const DISEASES: [&[Form]; 11] = [
    // Previous myocardial infarction
    &[Form { points: 1, codes: &["I21", "I22", "I25.2"] }],
    // Cerebrovascular disease
    &[Form { points: 1, codes: &["G45", "G46", "H34.0", "I60-I69"] }],
    // Peripheral vascular disease
    &[Form {
        points: 1,
        codes: &[
            "I70", "I71", "I73.1", "I73.8", "I73.9", "I77.1", "I79.0", "I79.2", "K55.1", "K55.8", "K55.9",
            "Z95.8", "Z95.9",
        ],
    }],
    // Diabetes without complications; with end-organ damage
    &[
        Form {
            points: 1,
            codes: &[
                "E10.0", "E10.1", "E10.6", "E10.8", "E10.9", "E11.0", "E11.1", "E11.6", "E11.8", "E11.9",
                "E12.0", "E12.1", "E12.6", "E12.8", "E12.9", "E13.0", "E13.1", "E13.6", "E13.8", "E13.9",
                "E14.0", "E14.1", "E14.6", "E14.8", "E14.9",
            ],
        },
        Form {
            points: 2,
            codes: &[
                "E10.2", "E10.3", "E10.4", "E10.5", "E10.7", "E11.2", "E11.3", "E11.4", "E11.5", "E11.7",
                "E12.2", "E12.3", "E12.4", "E12.5", "E12.7", "E13.2", "E13.3", "E13.4", "E13.5", "E13.7",
                "E14.2", "E14.3", "E14.4", "E14.5", "E14.7",
            ],
        },
    ],
    // Congestive heart failure
    &[Form {
        points: 2,
        codes: &[
            "I09.9", "I11.0", "I13.0", "I13.2", "I25.5", "I42.0", "I42.5", "I42.6", "I42.7", "I42.8",
            "I42.9", "I43", "I50", "P29.0",
        ],
    }],
    // Chronic pulmonary disease
    &[Form { points: 2, codes: &["I27.8", "I27.9", "J40-J47", "J60-J67", "J68.4", "J70.1", "J70.3"] }],
    // Mild liver or renal disease; moderate or severe
    &[
        Form {
            points: 2,
            codes: &[
                "B18", "K70.0", "K70.1", "K70.2", "K70.3", "K70.9", "K71.3", "K71.4", "K71.5", "K71.7",
                "K73", "K74", "K76.0", "K76.2", "K76.3", "K76.4", "K76.8", "K76.9", "Z94.4", "I12.0",
                "I13.1", "N03.2", "N03.3", "N03.4", "N03.5", "N03.6", "N03.7", "N05.2", "N05.3", "N05.4",
                "N05.5", "N05.6", "N05.7", "N18", "N19", "N25.0",
            ],
        },
        Form {
            points: 4,
            codes: &[
                "I85.0", "I85.9", "I86.4", "I98.2", "K70.4", "K71.1", "K72.1", "K72.9", "K76.5", "K76.6",
                "K76.7", "N18.0", "N18.4", "N18.5", "Z49.0", "Z49.1", "Z49.2", "Z94.0", "Z99.2",
            ],
        },
    ],
    // Any tumour with lymphoma and leukaemia, without skin; metastatic solid tumour
    &[
        Form {
            points: 2,
            codes: &[
                "C00-C26", "C30-C34", "C37-C41", "C43", "C45-C58", "C60-C76", "C81-C85", "C88", "C90-C97",
            ],
        },
        Form { points: 6, codes: &["C77-C80"] },
    ],
    // Dementia
    &[Form { points: 3, codes: &["F00-F03", "F05.1", "G30", "G31.1"] }],
    // Connective tissue disease
    &[Form { points: 3, codes: &["M05", "M06", "M31.5", "M32", "M33", "M34", "M35.1", "M35.3", "M36.0"] }],
    // AIDS
    &[Form { points: 4, codes: &["B20", "B21", "B22", "B24"] }],
];

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use proptest::prelude::*;
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize)]
    struct Vectors {
        vectors: Vec<Vector>,
    }

    #[derive(Deserialize)]
    struct Vector {
        los_days: u32,
        acute: u8,
        charlson: u32,
        ed_visits_6m: u32,
        lace: u8,
    }

    fn known(los_days: u32, acute: bool, charlson: u32, visits: u32) -> LaceInput {
        LaceInput {
            los_days: Some(los_days),
            acute: Some(acute),
            comorbidity: Comorbidity::Exactly(charlson),
            ed_visits_6m: Some(visits),
        }
    }

    #[test]
    fn every_cell_of_the_table_holds() {
        let vectors: Vectors =
            serde_json::from_str(include_str!("../../../tests/fixtures/rules/lace_vectors.json")).unwrap();
        assert!(vectors.vectors.len() > 100);
        for v in vectors.vectors {
            let found = lace(known(v.los_days, v.acute == 1, v.charlson, v.ed_visits_6m));
            assert_eq!(
                found.score(),
                Some(v.lace),
                "{} {} {} {}",
                v.los_days,
                v.acute,
                v.charlson,
                v.ed_visits_6m
            );
        }
    }

    #[test]
    fn what_is_missing_leaves_a_range() {
        let nothing =
            LaceInput { los_days: None, acute: None, comorbidity: Comorbidity::Unknown, ed_visits_6m: None };
        assert_eq!(lace(nothing), Lace { at_least: 0, at_most: 19 });
        let long_and_acute = LaceInput { los_days: Some(20), acute: Some(true), ..nothing };
        assert_eq!(lace(long_and_acute), Lace { at_least: 10, at_most: 19 });
        assert_eq!((lace(long_and_acute).score(), lace(long_and_acute).is_high()), (None, Some(true)));
        let short = LaceInput { ed_visits_6m: None, ..known(1, false, 0, 0) };
        assert_eq!((lace(short).score(), lace(short).is_high()), (None, Some(false)));
        let open = LaceInput { comorbidity: Comorbidity::AtLeast(2), ..known(5, true, 0, 0) };
        assert_eq!((lace(open), lace(open).is_high()), (Lace { at_least: 9, at_most: 12 }, None));
        let full = LaceInput { comorbidity: Comorbidity::AtLeast(6), ..known(5, true, 0, 0) };
        assert_eq!(lace(full).score(), Some(12), "no more can come");
    }

    #[test]
    fn diagnoses_give_points() {
        assert_eq!(charlson(&[]), 0);
        assert_eq!(charlson(&["I10.x00x002", "N20.000"]), 0);
        assert_eq!(charlson(&["I21.900", "I25.200"]), 1, "one disease, once");
        assert_eq!(charlson(&["E11.900", "E11.200x021"]), 2, "the severer form");
        assert_eq!(charlson(&["C34.900", "C79.500"]), 6);
        assert_eq!(charlson(&["I50.900", "J44.100", "I63.900"]), 5);
        assert_eq!(charlson(&["N18.900"]), 2);
        assert_eq!(charlson(&["N18.900", "Z99.200"]), 4);
        assert_eq!(charlson(&["C44.300"]), 0, "skin does not count");
    }

    proptest! {
        #[test]
        fn knowing_more_narrows_the_range(days in 0..40u32, acute: bool, points in 0..12u32, visits in 0..9u32, mask in 0..16u8) {
            let full = known(days, acute, points, visits);
            let part = LaceInput {
                los_days: full.los_days.filter(|_| mask & 1 != 0),
                acute: full.acute.filter(|_| mask & 2 != 0),
                comorbidity: if mask & 4 != 0 { full.comorbidity } else { Comorbidity::AtLeast(points / 2) },
                ed_visits_6m: full.ed_visits_6m.filter(|_| mask & 8 != 0),
            };
            let score = lace(full).score().unwrap();
            prop_assert!(lace(part).at_least <= score && score <= lace(part).at_most);
            prop_assert!(score <= 19);
        }
    }
}
