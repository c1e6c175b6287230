//! One complaint with everything that belongs to it.

use std::collections::BTreeMap;

use aftercare_domain::complaint::{MoveKind, Who};
use aftercare_domain::personal::Personal;
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use uuid::Uuid;

use super::{Form, ListItem};

/// Which complaint.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "ComplaintRequest")]
pub struct OpenRequest {
    /// The complaint.
    pub id: Uuid,
}

/// A complaint with all that was done.
#[derive(Debug, Serialize, TS)]
#[ts(rename = "ComplaintDetail")]
pub struct Detail {
    /// As in a list.
    pub item: ListItem,
    /// What was registered, as it stands; phone and ID number masked.
    pub form: Form,
    /// What never changes.
    pub receipt: Receipt,
    /// What came of it so far.
    pub handling: Handling,
    /// What can be done now, by whom, and why not by the signed-in person.
    pub moves: Vec<Offer>,
    /// What was done, oldest first.
    pub steps: Vec<StepItem>,
    /// Whether the steps are whole.
    pub chain: ChainState,
    /// The last step; give it back with a move.
    pub seen_step: Option<Uuid>,
    /// Additions, oldest first.
    pub notes: Vec<Note>,
    /// Promises, by day.
    pub promises: Vec<Promise>,
    /// Others of its kind about its departments.
    pub similar: Vec<ListItem>,
    /// Those of the last days make a signal.
    pub signal: bool,
    /// From which day to which the complainant is to be called after closing, `YYYY-MM-DD`.
    pub revisit: Option<[String; 2]>,
}

/// How it came. Never changed.
#[derive(Debug, Serialize, TS)]
#[ts(rename = "ComplaintReceipt")]
pub struct Receipt {
    /// Milliseconds UTC.
    #[ts(type = "number")]
    pub received_at: i64,
    /// 首诉责任人.
    pub first_receiver: String,
    /// Their department.
    pub first_department: String,
    /// Who registered it.
    pub registered_by: String,
    /// When, milliseconds UTC.
    #[ts(type = "number")]
    pub registered_at: i64,
    /// The call in which it was told.
    pub call_id: Option<Uuid>,
    /// The alert from which it came.
    pub alert_id: Option<Uuid>,
    /// Until when somebody must respond, milliseconds UTC; while nobody has.
    #[ts(type = "number | null")]
    pub respond_by: Option<i64>,
}

/// What came of it so far.
#[derive(Debug, Serialize, TS)]
#[ts(rename = "ComplaintHandling")]
pub struct Handling {
    /// When the department accepted it, milliseconds UTC.
    #[ts(type = "number | null")]
    pub accepted_at: Option<i64>,
    /// Who investigates.
    pub investigator_id: Option<Uuid>,
    /// 调查经过, internal.
    pub finding: Personal,
    /// 责任认定.
    pub verdict: Option<String>,
    /// What was done.
    pub resolutions: Vec<String>,
    /// 改进措施.
    pub measures: Personal,
    /// What the complainant is told, word for word.
    pub reply: Personal,
    /// When they were told, milliseconds UTC.
    #[ts(type = "number | null")]
    pub replied_at: Option<i64>,
    /// How.
    pub reply_way: Option<String>,
    /// Their rating.
    pub attitude: Option<String>,
    /// Why it ended, or the clock is paused.
    pub reason: Option<String>,
    /// Since when it is paused.
    pub paused_on: Option<String>,
    /// The extension that was asked for.
    pub wanted_until: Option<String>,
    /// When it ended, milliseconds UTC.
    #[ts(type = "number | null")]
    pub ended_at: Option<i64>,
}

/// A move from where the complaint stands.
#[derive(Debug, Serialize, TS)]
#[ts(rename = "ComplaintOffer")]
pub struct Offer {
    /// The move.
    #[serde(rename = "move")]
    pub kind: MoveKind,
    /// Whether the signed-in person may make it.
    pub allowed: bool,
    /// Why not, a code.
    pub why: Option<String>,
    /// Who may.
    pub who: Vec<Who>,
}

/// Something that was done.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(rename = "ComplaintStep")]
pub struct StepItem {
    /// The step.
    pub id: Uuid,
    /// Its place in the chain, from 1.
    pub ordinal: u32,
    /// `register` or the move.
    pub name: String,
    /// What was said.
    pub text: Personal,
    /// What the move's form held.
    #[ts(type = "Record<string, unknown>")]
    pub form: BTreeMap<String, serde_json::Value>,
    /// What a correction changed.
    pub changes: Vec<StepChange>,
    /// Milliseconds UTC.
    #[ts(type = "number")]
    pub at: i64,
    /// By whom.
    pub by: String,
    /// False: another desk was faster; kept, without effect.
    pub counts: bool,
    /// The beginning of its hash.
    pub hash: String,
}

/// A field that a correction changed.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
#[ts(rename = "ComplaintStepChange")]
pub struct StepChange {
    /// The field.
    pub field: String,
    /// Before.
    #[ts(type = "unknown")]
    pub before: serde_json::Value,
    /// After.
    #[ts(type = "unknown")]
    pub after: serde_json::Value,
}

/// How the chain of steps stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(rename = "ComplaintChain")]
pub struct ChainState {
    /// Nothing altered, left out or slipped in.
    pub whole: bool,
    /// Steps that count.
    pub steps: u32,
    /// The first that does not fit.
    pub broken_at: Option<u32>,
    /// The beginning of the last hash: printed on the dossier, it shows later that nothing was changed.
    pub head: String,
}

/// An addition.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(rename = "ComplaintNote")]
pub struct Note {
    /// The note.
    pub id: Uuid,
    /// Who reads it, and what it is about.
    pub kind: NoteKind,
    /// In words.
    pub body: Personal,
    /// Milliseconds UTC.
    #[ts(type = "number")]
    pub at: i64,
    /// By whom.
    pub by: String,
}

/// What a note is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(rename = "ComplaintNoteKind")]
pub enum NoteKind {
    /// For colleagues.
    Internal,
    /// What the complainant was told or may read.
    Visible,
    /// An improvement was verified.
    Improvement,
    /// The call after closing.
    Revisit,
}

/// Adds a note, also after closing.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "ComplaintNoteRequest")]
pub struct NoteRequest {
    /// The complaint.
    pub id: Uuid,
    /// What it is.
    pub kind: NoteKind,
    /// In words.
    pub body: Personal,
}

/// Something promised to the complainant.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(rename = "ComplaintPromise")]
pub struct Promise {
    /// The promise.
    pub id: Uuid,
    /// What.
    pub promise: Personal,
    /// Until when, `YYYY-MM-DD`.
    pub due_on: String,
    /// By whom.
    pub made_by: String,
    /// When it was kept, milliseconds UTC.
    #[ts(type = "number | null")]
    pub kept_at: Option<i64>,
    /// How.
    pub kept_how: Option<Personal>,
    /// Not kept, and its day has passed.
    pub overdue: bool,
}

/// Makes a promise.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "ComplaintPromiseRequest")]
pub struct PromiseRequest {
    /// The complaint.
    pub id: Uuid,
    /// What.
    pub promise: Personal,
    /// Until when, `YYYY-MM-DD`.
    pub due_on: String,
}

/// Says that a promise was kept.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "ComplaintPromiseKeptRequest")]
pub struct PromiseKeptRequest {
    /// The promise.
    pub promise_id: Uuid,
    /// How.
    pub how: Personal,
}

/// Moves a complaint on. Which fields are needed depends on the move.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "ComplaintMoveRequest")]
pub struct MoveRequest {
    /// The complaint.
    pub id: Uuid,
    /// The move.
    #[serde(rename = "move")]
    pub kind: MoveKind,
    /// The last step that the person saw; a newer one refuses the move. None: whatever it is.
    #[serde(default)]
    pub seen_step: Option<Uuid>,
    /// What is to be said of it.
    #[serde(default)]
    pub text: Personal,
    /// A code of the reasons: not accepted, passed on, pause.
    #[serde(default)]
    pub reason: Option<String>,
    /// Who investigates.
    #[serde(default)]
    pub investigator_id: Option<Uuid>,
    /// 调查经过.
    #[serde(default)]
    pub finding: Personal,
    /// 责任认定.
    #[serde(default)]
    pub verdict: Option<String>,
    /// What was or will be done.
    #[serde(default)]
    pub resolutions: Vec<String>,
    /// 改进措施.
    #[serde(default)]
    pub measures: Personal,
    /// What the complainant is told.
    #[serde(default)]
    pub reply: Personal,
    /// How they were told.
    #[serde(default)]
    pub reply_way: Option<String>,
    /// Their rating.
    #[serde(default)]
    pub attitude: Option<String>,
    /// More time until then, `YYYY-MM-DD`; a day off becomes the next working day.
    #[serde(default)]
    pub until: Option<String>,
}

/// Shows the complainant's phone or ID number in full; audited.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "ComplaintRevealRequest")]
pub struct RevealRequest {
    /// The complaint.
    pub id: Uuid,
    /// Which.
    pub field: RevealField,
}

/// What is masked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(rename = "ComplaintRevealField")]
pub enum RevealField {
    /// The complainant's phone.
    Phone,
    /// Their ID number.
    IdNumber,
}

/// A value in full.
#[derive(Debug, Serialize, TS)]
#[ts(rename = "ComplaintRevealResponse")]
pub struct RevealResponse {
    /// The value.
    pub value: Personal,
}

/// What is printed: the four parts that a complaint's file must have.
#[derive(Debug, Serialize, TS)]
#[ts(rename = "ComplaintDossier")]
pub struct Dossier {
    /// The hospital's name.
    pub hospital: String,
    /// Its telephone.
    pub hospital_phone: String,
    /// The complaint with its steps, notes and promises.
    pub detail: Detail,
    /// When this was made, milliseconds UTC.
    #[ts(type = "number")]
    pub made_at: i64,
    /// By whom.
    pub made_by: String,
}
