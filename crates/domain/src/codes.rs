//! Code tables of the field: sex, relation, way of leaving, way of paying and so on.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Sex by GB/T 2261.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Sex {
    /// Not known: 0.
    Unknown,
    /// 1.
    Male,
    /// 2.
    Female,
    /// Not stated: 9.
    Unstated,
}

impl Sex {
    /// The code of GB/T 2261.1.
    pub fn code(self) -> &'static str {
        match self {
            Self::Unknown => "0",
            Self::Male => "1",
            Self::Female => "2",
            Self::Unstated => "9",
        }
    }

    /// Reads the code of GB/T 2261.1.
    pub fn from_code(code: &str) -> Option<Self> {
        [Self::Unknown, Self::Male, Self::Female, Self::Unstated].into_iter().find(|sex| sex.code() == code)
    }
}
