//! Satisfaction surveys 满意度调查: scores, validity, figures with their confidence, and who is drawn.
//!
//! Points are kept on the five-point scale in ten-thousandths, as whole numbers: sums are then the same in
//! whatever order sheets come. A hospital's hundred-point scale is applied when a figure is read ([`Scale`]).

mod figures;
mod interval;
mod sample;
mod score;
#[cfg(test)]
mod tests;

pub use figures::{LoyaltyWeights, Measures, loyalty};
pub use interval::{Estimate, mean_interval, nps_interval, student_t, wilson};
pub use sample::{Candidate, Exclusion, MINOR_BELOW, draw, exclusion};
pub use score::{DimensionScore, Invalid, Role, SheetScore, ValidityRule, role, score, validity};

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Ten-thousandths of a point.
pub const POINT: i64 = 10_000;

/// What a survey asks about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(rename = "SurveyKind")]
pub enum Kind {
    /// 门诊: a visit.
    Outpatient,
    /// 住院: a stay.
    Inpatient,
    /// 接触点: single places of a visit, from registration to the exit.
    Contact,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Outpatient, Self::Inpatient, Self::Contact];

    /// The stored word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Outpatient => "outpatient",
            Self::Inpatient => "inpatient",
            Self::Contact => "contact",
        }
    }

    /// Reads the stored word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    /// The shipped questionnaire of this kind.
    pub fn form_code(self) -> &'static str {
        match self {
            Self::Outpatient => "SAT_OPD",
            Self::Inpatient => "SAT_IPD",
            Self::Contact => "SAT_CONTACT",
        }
    }
}

/// How a sheet was filled in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(rename = "SurveyChannel")]
pub enum Channel {
    /// Asked by telephone.
    Phone,
    /// By the person at the desk's screen.
    Screen,
    /// On paper, typed in later.
    Paper,
}

impl Channel {
    /// Every channel.
    pub const ALL: [Self; 3] = [Self::Phone, Self::Screen, Self::Paper];

    /// The stored word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Phone => "phone",
            Self::Screen => "screen",
            Self::Paper => "paper",
        }
    }

    /// Reads the stored word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|channel| channel.as_str() == word)
    }
}

/// How five points become a hundred. Reports say which one was used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(rename = "SurveyScale")]
pub enum Scale {
    /// score × 20: 20 to 100.
    #[default]
    Times20,
    /// (score − 1) × 25: 0 to 100.
    LessOneTimes25,
}

impl Scale {
    /// What one point is worth.
    pub fn factor(self) -> f64 {
        match self {
            Self::Times20 => 20.0,
            Self::LessOneTimes25 => 25.0,
        }
    }

    /// Points of the five-point scale (1–5) as 0–100. Linear, so the score of a mean is the mean of the scores.
    pub fn score_100(self, points: f64) -> f64 {
        match self {
            Self::Times20 => points * 20.0,
            Self::LessOneTimes25 => (points - 1.0) * 25.0,
        }
    }
}
