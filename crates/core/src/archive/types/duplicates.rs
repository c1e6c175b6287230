//! Suspected duplicates, merging and parting.

use aftercare_domain::personal::Personal;
use aftercare_domain::same_person::Suspicion;
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use uuid::Uuid;

use super::Phone;

/// Asks for suspected duplicates.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "ArchiveDuplicatesRequest")]
pub struct DuplicatesRequest {
    /// `open`, `merged`, `different`.
    pub state: String,
    /// Only of this patient.
    pub patient_id: Option<Uuid>,
    /// How many of the newest to leave out.
    pub skip: u32,
    /// How many, at most 100.
    pub limit: u32,
}

/// Suspected duplicates, newest first.
#[derive(Debug, Serialize, TS)]
#[ts(rename = "ArchiveDuplicatesResponse")]
pub struct DuplicatesResponse {
    /// The page.
    pub pairs: Vec<DuplicatePair>,
    /// How many there are in this state.
    pub count: u32,
}

/// Two records that may be one person.
#[derive(Debug, Serialize, TS)]
#[ts(rename = "ArchiveDuplicatePair")]
pub struct DuplicatePair {
    /// The suspicion.
    pub id: Uuid,
    /// Why.
    pub reasons: Vec<Suspicion>,
    /// `open`, `merged`, `different`.
    pub state: String,
    /// When, milliseconds UTC.
    #[ts(type = "number")]
    pub found_at: i64,
    /// The merge that settled it.
    pub merge_id: Option<Uuid>,
    /// The older record.
    pub first: Side,
    /// The newer one.
    pub second: Side,
}

/// One side of a suspected duplicate.
#[derive(Debug, Serialize, TS)]
#[ts(rename = "ArchiveDuplicateSide")]
pub struct Side {
    /// The patient.
    pub patient_id: Uuid,
    /// The fields as text, by column name; `id_number` and `address` are masked.
    #[ts(type = "Record<string, string>")]
    pub fields: std::collections::BTreeMap<&'static str, Personal>,
    /// Masked.
    pub phones: Vec<Phone>,
    /// How many encounters.
    pub encounter_count: u32,
    /// Department and day of the last one.
    pub last_department: Option<String>,
    /// See there.
    pub last_on: Option<String>,
}

/// Merges one record into another.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "ArchiveMergeRequest")]
pub struct MergeRequest {
    /// The record that stays.
    pub kept_id: Uuid,
    /// The record that becomes part of it.
    pub merged_id: Uuid,
    /// Fields whose value is taken from the merged record although the kept one has another.
    pub take: Vec<String>,
}

/// A merge.
#[derive(Debug, Serialize, TS)]
#[ts(rename = "ArchiveMergeResponse")]
pub struct MergeResponse {
    /// For taking it back.
    pub merge_id: Uuid,
}

/// Takes a merge back.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "ArchiveUnmergeRequest")]
pub struct UnmergeRequest {
    /// Which.
    pub merge_id: Uuid,
}

/// Says that two records are two people, or takes that back.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "ArchiveNotSameRequest")]
pub struct NotSameRequest {
    /// Which suspicion.
    pub duplicate_id: Uuid,
    /// False opens it again.
    pub different: bool,
}
