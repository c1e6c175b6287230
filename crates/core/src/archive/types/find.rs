//! What is asked of the search and what it answers.

use aftercare_domain::personal::Personal;
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use uuid::Uuid;

/// Looks for patients.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "ArchiveFindRequest")]
pub struct FindRequest {
    /// As typed; empty for those discharged last.
    pub query: Personal,
    /// How many, at most 50.
    pub limit: u32,
}

/// What was found, exact hits first, then the most recent.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(rename = "ArchiveFindResponse")]
pub struct FindResponse {
    /// The patients.
    pub hits: Vec<FindHit>,
    /// Whether there are (or may be) more.
    pub more: bool,
}

/// Why a patient was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(rename = "ArchiveMatched")]
pub enum Matched {
    /// Nothing was typed.
    Recent,
    /// By the characters of the name.
    Name,
    /// By pinyin or initials.
    Pinyin,
    /// By a phone, own or a relative's.
    Phone,
    /// By the ID number.
    IdNumber,
    /// By a card.
    CardNo,
    /// By 门诊号.
    OutpatientNo,
    /// By 住院号 or another visit's number.
    VisitNo,
    /// By 病案号.
    Mrn,
}

/// A patient in a list, masked.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(rename = "ArchiveFindHit")]
pub struct FindHit {
    /// The patient.
    pub patient_id: Uuid,
    /// Full name.
    pub name: Personal,
    /// Code of GB/T 2261.1.
    pub sex: String,
    /// Age today in whole years.
    pub age_years: Option<u32>,
    /// Age as the HIS gave it, when there is no birth date.
    pub age_text: Option<String>,
    /// `YYYY-MM-DD`.
    pub birth_on: Option<String>,
    /// 病案号.
    pub mrn: Option<String>,
    /// The first phone, masked.
    pub phone: Option<String>,
    /// The ID number, masked.
    pub id_number: Option<String>,
    /// Department of the last encounter.
    pub department: Option<String>,
    /// Day of the last discharge (or admission, while there is none).
    pub recent_on: Option<String>,
    /// Why it was found.
    pub matched: Matched,
    /// Whether it is exactly what was typed.
    pub exact: bool,
    /// Whether the patient died.
    pub deceased: bool,
    /// `none`, `phone`, `all`.
    pub contact_optout: String,
}
