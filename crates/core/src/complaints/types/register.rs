//! What is registered, and what is chosen from.

use aftercare_domain::complaint::Content;
use aftercare_domain::personal::Personal;
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use uuid::Uuid;

/// Somebody complained about.
#[derive(Debug, Clone, Default, Serialize, Deserialize, TS)]
#[ts(rename = "ComplaintAccused")]
pub struct AccusedPerson {
    /// As the complainant names them.
    pub name: Personal,
    /// Where they work.
    #[serde(default)]
    pub department: String,
    /// The colleague, where it is one who uses the program: they are kept from investigating and calling.
    #[serde(default)]
    pub staff_id: Option<Uuid>,
}

/// Everything of a complaint that is filled in by hand. Empty texts mean "not told".
#[derive(Debug, Clone, Default, Serialize, Deserialize, TS)]
#[serde(default)]
#[ts(rename = "ComplaintForm")]
pub struct Form {
    /// A code of the channels.
    pub channel: String,
    /// The complainant gives no name.
    pub anonymous: bool,
    /// Name.
    pub complainant: Personal,
    /// Main group of GB/T 4761; `0` is the patient.
    pub complainant_relation: String,
    /// As typed.
    pub complainant_phone: Personal,
    /// ID number.
    pub complainant_id: Personal,
    /// What shows that they may speak for the patient.
    pub authorisation: Personal,
    /// The patient, if found.
    pub patient_id: Option<Uuid>,
    /// Name.
    pub patient_name: Personal,
    /// GB/T 2261.1.
    pub patient_sex: String,
    /// Full years.
    pub patient_age: Option<u16>,
    /// 病案号/门诊号.
    pub patient_mrn: String,
    /// 住院号.
    pub patient_visit_no: String,
    /// 就诊科室.
    pub visit_department: String,
    /// 就诊日期, `YYYY-MM-DD`.
    pub visited_on: Option<String>,
    /// 经治医生.
    pub doctor: String,
    /// `YYYY-MM-DD`, with `HH:MM` if known.
    pub happened_at: Option<String>,
    /// Where.
    pub happened_where: String,
    /// Complained-about departments, the lead first.
    pub departments: Vec<String>,
    /// Complained-about people.
    pub accused: Vec<AccusedPerson>,
    /// First level.
    pub category: String,
    /// Second level.
    pub subcategory: String,
    /// What it is about.
    pub summary: Personal,
    /// What the complainant wants.
    pub demand: Personal,
    /// What was handed in.
    pub evidence: Personal,
    /// Signature, or number of the recording.
    pub confirmation: String,
    /// `A`, `B`, `C`.
    pub severity: String,
    /// Somebody's safety is at stake: harm is to be prevented at once.
    pub harm: bool,
    /// Codes of what security must know.
    pub risks: Vec<String>,
    /// `spot`, `single`, `multi`; empty: by the number of departments.
    pub deadline_rule: String,
}

/// Registers a complaint, praise or suggestion.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "ComplaintRegisterRequest")]
pub struct RegisterRequest {
    /// What was told.
    pub form: Form,
    /// When it was received, `YYYY-MM-DD HH:MM` on the hospital's clock; now if none.
    #[serde(default)]
    pub received_at: Option<String>,
    /// 首诉责任人; the signed-in person if empty. Cannot be changed later.
    #[serde(default)]
    pub first_receiver: String,
    /// Their department.
    #[serde(default)]
    pub first_department: String,
    /// The call in which it was told.
    #[serde(default)]
    pub call_id: Option<Uuid>,
    /// The alert from which it came.
    #[serde(default)]
    pub alert_id: Option<Uuid>,
}

/// What was registered.
#[derive(Debug, Serialize, TS)]
#[ts(rename = "ComplaintRegistered")]
pub struct RegisterResponse {
    /// The complaint.
    pub id: Uuid,
    /// Its number.
    pub number: String,
    /// Until when it must be answered.
    pub due_on: Option<String>,
    /// How many of its kind the department has had within the signal's days, this one included.
    pub similar: u32,
    /// That many make a signal.
    pub signal: bool,
}

/// Corrects or completes what was registered.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "ComplaintAmendRequest")]
pub struct AmendRequest {
    /// The complaint.
    pub id: Uuid,
    /// The last step that the person saw.
    pub seen_step: Option<Uuid>,
    /// Everything as it shall be. A number that comes masked stays as it was.
    pub form: Form,
    /// Why.
    pub text: Personal,
}

/// Where the form begins.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "ComplaintPrefillRequest")]
pub struct PrefillRequest {
    /// Of this patient.
    #[serde(default)]
    pub patient_id: Option<Uuid>,
    /// From this alert.
    #[serde(default)]
    pub alert_id: Option<Uuid>,
    /// From this survey sheet.
    #[serde(default)]
    pub sheet_id: Option<Uuid>,
}

/// A form that has begun.
#[derive(Debug, Serialize, TS)]
#[ts(rename = "ComplaintPrefill")]
pub struct PrefillResponse {
    /// What is known.
    pub form: Form,
    /// The alert's call.
    pub call_id: Option<Uuid>,
}

/// Asks for the tables, or for the people.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "ComplaintContentRequest")]
pub struct ContentRequest {}

/// The tables of complaints, and the hospital's working days for each deadline rule.
#[derive(Debug, Serialize, TS)]
#[ts(rename = "ComplaintContentResponse")]
pub struct ContentResponse {
    /// Tables and phrases.
    pub content: &'static Content,
    /// `spot`, `single`, `multi`.
    pub days: [u32; 3],
}

/// Asks for the people.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "ComplaintPeopleRequest")]
pub struct PeopleRequest {}

/// Whom one may choose.
#[derive(Debug, Serialize, TS)]
#[ts(rename = "ComplaintPeopleResponse")]
pub struct PeopleResponse {
    /// Everybody active.
    pub colleagues: Vec<Person>,
    /// Who may investigate.
    pub investigators: Vec<Person>,
    /// Departments of colleagues and of recent discharges.
    pub departments: Vec<String>,
}

/// A colleague.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(rename = "ComplaintColleague")]
pub struct Person {
    /// The person.
    pub id: Uuid,
    /// Display name.
    pub name: String,
    /// Department.
    pub department: String,
}
