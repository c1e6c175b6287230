//! A record as it is shown, and what is revealed of it.

use aftercare_domain::personal::Personal;
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use uuid::Uuid;

/// Names one patient.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "ArchivePatientRequest")]
pub struct PatientRequest {
    /// The patient; somebody merged gives the person kept.
    pub id: Uuid,
}

/// Everything known of a patient. Phone, ID number and address are masked.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(rename = "ArchiveRecord")]
pub struct Record {
    /// The patient.
    pub id: Uuid,
    /// The fields as text, by column name; absent ones are left out. `id_number` and `address` are masked.
    #[ts(type = "Record<string, string>")]
    pub fields: std::collections::BTreeMap<&'static str, Personal>,
    /// Age today in whole years.
    pub age_years: Option<u32>,
    /// A person to be looked after with special care.
    pub vip: bool,
    /// A record for trying things out.
    pub is_test: bool,
    /// An unidentified person.
    pub is_unknown: bool,
    /// `current_new`, `current`, `potential`, `prospective`.
    pub customer_kind: String,
    /// `ours`, `general`, `competitor`.
    pub customer_of: String,
    /// `none`, `phone`, `all`.
    pub contact_optout: String,
    /// Whether the patient died.
    pub deceased: bool,
    /// When, `YYYY-MM-DD`.
    pub deceased_on: Option<String>,
    /// Where the death is known from.
    pub deceased_how: Option<String>,
    /// In the order of dialling.
    pub phones: Vec<Phone>,
    /// The last ones, newest first.
    pub encounters: Vec<Encounter>,
    /// How many there are.
    pub encounter_count: u32,
    /// What holds now, for each purpose and channel ever asked about.
    pub consents: Vec<ConsentState>,
    /// Records merged into this one.
    pub merged: Vec<MergedRecord>,
    /// Suspected duplicates that nobody has settled.
    pub open_duplicates: u32,
}

/// A phone, masked.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(rename = "ArchivePhone")]
pub struct Phone {
    /// The phone.
    pub id: Uuid,
    /// Masked.
    pub number: String,
    /// `mobile`, `fixed`, `hotline`, `foreign`, `other`.
    pub kind: String,
    /// To dial after the switchboard answers.
    pub extension: Option<String>,
    /// Whose it is; the patient's own when the relation is `0`.
    pub owner_name: Option<Personal>,
    /// Main group of GB/T 4761.
    pub relation: String,
    /// `unknown`, `good`, `empty`, `stopped`, `off`, `wrong`, `refused`, `blocked`.
    pub state: String,
    /// Since when, milliseconds UTC.
    #[ts(type = "number | null")]
    pub state_at: Option<i64>,
    /// When it is best answered, `HH:MM`–`HH:MM` or words.
    pub best_hour: Option<String>,
    /// `his`, `desk`, `patient`.
    pub source: String,
}

/// A stay or a visit.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(rename = "ArchiveEncounter")]
#[allow(missing_docs)] // The columns of `encounter`, by their names.
pub struct Encounter {
    pub id: Uuid,
    pub kind: String,
    pub visit_no: Option<String>,
    pub visit_count: Option<u32>,
    pub department: String,
    pub ward: Option<String>,
    pub bed: Option<String>,
    pub admitted_at: Option<String>,
    pub discharged_at: Option<String>,
    pub discharged_on: Option<String>,
    pub length_of_stay_days: Option<u32>,
    pub diagnosis_code: Option<String>,
    pub diagnosis: Option<Personal>,
    pub other_diagnoses: Vec<OtherDiagnosis>,
    pub surgery: Option<Personal>,
    pub surgery_on: Option<String>,
    pub delivery_on: Option<String>,
    pub doctor: Option<String>,
    pub nurse: Option<String>,
    pub disposition: Option<String>,
    pub admit_route: Option<String>,
    pub pay_mode: Option<String>,
    #[ts(type = "number | null")]
    pub total_fee_fen: Option<i64>,
    pub next_visit_on: Option<String>,
}

/// A diagnosis beside the main one.
#[derive(Debug, Clone, Default, Serialize, Deserialize, TS)]
#[ts(rename = "ArchiveOtherDiagnosis")]
pub struct OtherDiagnosis {
    /// ICD-10.
    #[serde(default)]
    pub code: String,
    /// Its words.
    #[serde(default)]
    pub name: Personal,
}

/// What holds now for one purpose and channel.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
#[ts(rename = "ArchiveConsentState")]
pub struct ConsentState {
    /// `care_followup`, `caring`, `marketing`, `research`.
    pub purpose: String,
    /// `phone`, `sms`, `web`.
    pub channel: String,
    /// Given, or withdrawn.
    pub granted: bool,
    /// When, milliseconds UTC.
    #[ts(type = "number")]
    pub given_at: i64,
    /// `oral`, `paper`, `web`, `hospital_notice`.
    pub how: String,
    /// What proves it.
    pub proof: Option<Personal>,
}

/// A record that was merged into this one.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(rename = "ArchiveMergedRecord")]
pub struct MergedRecord {
    /// The merge, for taking it back.
    pub merge_id: Uuid,
    /// The record.
    pub patient_id: Uuid,
    /// Its name.
    pub name: Personal,
    /// Its hospital number.
    pub mrn: Option<String>,
    /// When, milliseconds UTC.
    #[ts(type = "number")]
    pub merged_at: i64,
}

/// Asks for a page of encounters.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "ArchiveEncountersRequest")]
pub struct EncountersRequest {
    /// Whose.
    pub patient_id: Uuid,
    /// How many of the newest to leave out.
    pub skip: u32,
    /// How many, at most 100.
    pub limit: u32,
}

/// A page of encounters, newest first.
#[derive(Debug, Serialize, TS)]
#[ts(rename = "ArchiveEncountersResponse")]
pub struct EncountersResponse {
    /// The page.
    pub encounters: Vec<Encounter>,
    /// How many there are altogether.
    pub count: u32,
}

/// A masked value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(rename = "ArchiveMaskedField")]
pub enum MaskedField {
    /// A phone; `record_id` names it.
    Phone,
    /// The ID number.
    IdNumber,
    /// The address.
    Address,
}

/// Asks to see a masked value in full. Each time is audited.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "ArchiveRevealRequest")]
pub struct RevealRequest {
    /// Whose.
    pub patient_id: Uuid,
    /// Which value.
    pub field: MaskedField,
    /// Which phone.
    pub record_id: Option<Uuid>,
}

/// The value in full.
#[derive(Debug, Serialize, TS)]
#[ts(rename = "ArchiveRevealResponse")]
pub struct RevealResponse {
    /// The value; a phone as digits for dialling.
    pub value: Personal,
    /// As people write it.
    pub display: Personal,
}
