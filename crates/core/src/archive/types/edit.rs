//! Changes to a record, and new ones.

use aftercare_domain::personal::Personal;
use aftercare_domain::same_person::Suspicion;
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use uuid::Uuid;

use super::FindHit;

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
