//! What crosses to the window.

use aftercare_domain::personal::Personal;
use aftercare_domain::same_person::Suspicion;
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

/// One field that a person changed.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "ArchiveFieldChange")]
pub struct FieldChange {
    /// Column name.
    pub field: String,
    /// What the person saw (for a masked field, the mask will do).
    pub was: Option<Personal>,
    /// What it should be; empty takes the value away.
    pub value: Option<Personal>,
}

/// Changes fields of a patient.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "ArchiveSaveRequest")]
pub struct SaveRequest {
    /// Whose.
    pub id: Uuid,
    /// What.
    pub changes: Vec<FieldChange>,
}

/// Adds a phone, or changes one.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "ArchivePhoneSaveRequest")]
pub struct PhoneSaveRequest {
    /// Whose.
    pub patient_id: Uuid,
    /// Which; none for a new one.
    pub id: Option<Uuid>,
    /// As typed; none leaves the number as it is.
    pub number: Option<Personal>,
    /// Whose it is.
    pub owner_name: Option<Personal>,
    /// Main group of GB/T 4761.
    pub relation: String,
    /// See [`Phone::state`].
    pub state: String,
    /// When it is best answered.
    pub best_hour: Option<String>,
}

/// Puts phones into an order of dialling.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "ArchivePhoneOrderRequest")]
pub struct PhoneOrderRequest {
    /// Whose.
    pub patient_id: Uuid,
    /// First to last.
    pub ids: Vec<Uuid>,
}

/// Removes a phone, or brings it back.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "ArchivePhoneRemoveRequest")]
pub struct PhoneRemoveRequest {
    /// Which.
    pub id: Uuid,
    /// False brings it back.
    pub removed: bool,
}

/// Records a consent or its withdrawal.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "ArchiveConsentRequest")]
pub struct ConsentRequest {
    /// Whose.
    pub patient_id: Uuid,
    /// See [`ConsentState::purpose`].
    pub purpose: String,
    /// See [`ConsentState::channel`].
    pub channel: String,
    /// Given, or withdrawn.
    pub granted: bool,
    /// See [`ConsentState::how`].
    pub how: String,
    /// What proves it.
    pub proof: Option<Personal>,
}

/// Writes a note.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "ArchiveNoteRequest")]
pub struct NoteRequest {
    /// About whom.
    pub patient_id: Uuid,
    /// What.
    pub body: Personal,
}

/// Says what kind of customer a person is.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "ArchiveCustomerRequest")]
pub struct CustomerRequest {
    /// Who.
    pub patient_id: Uuid,
    /// `current_new`, `current`, `potential`, `prospective`.
    pub kind: String,
    /// `ours`, `general`, `competitor`.
    pub of: String,
}

/// Registers a death.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "ArchiveDeathRequest")]
pub struct DeathRequest {
    /// Who.
    pub patient_id: Uuid,
    /// When, when it is known.
    pub deceased_on: Option<String>,
    /// Where it is known from: `family`, `hospital`, `registry`, `other`.
    pub how: String,
}

/// Takes a wrong death back.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "ArchiveDeathUndoRequest")]
pub struct DeathUndoRequest {
    /// Who lives.
    pub patient_id: Uuid,
    /// How it came about.
    pub reason: Personal,
}

/// Sets how far a patient refuses contact.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "ArchiveOptoutRequest")]
pub struct OptoutRequest {
    /// Who.
    pub patient_id: Uuid,
    /// `none`, `phone`, `all`.
    pub level: String,
    /// Needed for a lower level than before.
    pub reason: Option<Personal>,
}

/// Makes a patient by hand.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "ArchiveCreateRequest")]
pub struct CreateRequest {
    /// Fields by column name; `name` at least.
    #[ts(type = "Record<string, string>")]
    pub fields: std::collections::BTreeMap<String, Personal>,
    /// The first phone, as typed.
    pub phone: Option<Personal>,
    /// Suspected duplicates were shown, and this is somebody else.
    pub confirmed: bool,
}

/// The new patient, or why to look first.
#[derive(Debug, Serialize, TS)]
#[ts(rename = "ArchiveCreateResponse")]
pub struct CreateResponse {
    /// The new patient; none when somebody like this is there.
    pub id: Option<Uuid>,
    /// Who is there.
    pub suspects: Vec<Suspect>,
}

/// Somebody who may be the same person.
#[derive(Debug, Serialize, TS)]
#[ts(rename = "ArchiveSuspect")]
pub struct Suspect {
    /// Masked.
    pub patient: FindHit,
    /// Certain: same valid ID number or hospital number.
    pub certain: bool,
    /// Why.
    pub reasons: Vec<Suspicion>,
}

/// Where a page of the timeline ends.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
#[ts(rename = "ArchiveTimelineCursor")]
pub struct TimelineCursor {
    /// Instant, milliseconds UTC.
    #[ts(type = "number")]
    pub at: i64,
    /// The last entry's record.
    pub id: Uuid,
}

/// Asks for a page of the timeline.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "ArchiveTimelineRequest")]
pub struct TimelineRequest {
    /// Whose.
    pub patient_id: Uuid,
    /// Older than this; none for the newest.
    pub before: Option<TimelineCursor>,
    /// How many, at most 100.
    pub limit: u32,
}

/// Something that happened. Prints nothing: it may quote what people said.
#[derive(Clone, Serialize, TS)]
#[ts(rename = "ArchiveTimelineEntry")]
pub struct TimelineEntry {
    /// The record it shows.
    pub id: Uuid,
    /// `encounter`, `call`, `response`, `alert`, `consult`, `consult_reply`, `consent`, `note`, `merge`, `import`.
    pub kind: String,
    /// Instant, milliseconds UTC.
    #[ts(type = "number")]
    pub at: i64,
    /// The words of the summary, by code, in the locale files.
    pub code: String,
    /// What the summary names: departments, outcomes, plans by name, what people wrote.
    #[ts(type = "Record<string, string | number | { zh: string, en: string }>")]
    pub params: std::collections::BTreeMap<&'static str, serde_json::Value>,
    /// Who did it.
    pub by: Option<String>,
    /// Whether it belongs to a record that was merged into this one.
    pub of_merged: bool,
}

/// A page of the timeline, newest first.
#[derive(Serialize, TS)]
#[ts(rename = "ArchiveTimelineResponse")]
pub struct TimelineResponse {
    /// The page.
    pub entries: Vec<TimelineEntry>,
    /// Where the next page begins; none at the end.
    pub next: Option<TimelineCursor>,
}

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
