//! What the three panes show of a patient, a form and its history.

use aftercare_domain::followup::Verdict;
use aftercare_domain::forms::{AnswerValue, InvalidAnswer, Level, LocalText, Question, Scores, Sla};
use aftercare_domain::personal::Personal;
use aftercare_domain::plans::NamedCode;
use serde::Serialize;
use ts_rs::TS;
use uuid::Uuid;

use crate::followup::alert::AlertItem;
use crate::followup::consult::ConsultItem;
use crate::followup::worklist::{Claim, WorklistTask};

/// Everything for the three panes.
#[derive(Debug, Serialize, TS)]
#[ts(rename = "FollowupPatient")]
pub struct OpenedPatient {
    /// Who.
    pub patient: PatientCard,
    /// The stay the first due task follows.
    pub encounter: Option<EncounterCard>,
    /// Numbers in the order of dialling.
    pub phones: Vec<PhoneLine>,
    /// Whether the first number may be dialled now.
    pub guard: Verdict,
    /// Tasks that one call serves now.
    pub tasks: Vec<WorklistTask>,
    /// Tasks ahead.
    pub upcoming: Vec<WorklistTask>,
    /// Everything to ask, each shared question once.
    pub form: MergedForm,
    /// What follows from the answers kept in the draft (none: from no answers).
    pub state: FormState,
    /// What to say.
    pub script: CallScript,
    /// What was being typed, by this user.
    pub draft: Option<CallDraft>,
    /// Who works on it.
    pub claim: Option<Claim>,
    /// Earlier responses, newest first.
    pub responses: Vec<PastResponse>,
    /// Earlier calls, newest first.
    pub calls: Vec<PastCall>,
    /// Alerts that are not closed.
    pub alerts: Vec<AlertItem>,
    /// Questions to experts that are not yet told to the patient.
    pub consults: Vec<ConsultItem>,
    /// A number was dialled and nothing saved since (a crash, a lock).
    pub unsaved_dial: Option<UnsavedDial>,
}

/// The patient as the call needs it.
#[derive(Debug, Serialize, TS)]
#[ts(rename = "FollowupPatientCard")]
pub struct PatientCard {
    /// The patient.
    pub id: Uuid,
    /// Name.
    pub name: Personal,
    /// GB/T 2261.1.
    pub sex: String,
    /// `YYYY-MM-DD`.
    pub birth_on: Option<String>,
    /// Full years today.
    pub age: Option<u16>,
    /// As the HIS gave it.
    pub age_text: Option<String>,
    /// 病案号.
    pub mrn: Option<String>,
    /// Last four of the ID number, for the identity check; none when not known.
    pub id_tail: Option<Personal>,
    /// VIP.
    pub vip: bool,
    /// Death is on record.
    pub deceased: bool,
    /// `none`, `phone`, `all`.
    pub contact_optout: String,
    /// Under 14: speak to the guardian only.
    pub guardian_only: bool,
    /// Best hour to call.
    pub best_hour: Option<String>,
    /// Dialect.
    pub dialect: Option<String>,
    /// Allergies.
    pub allergies: Option<Personal>,
    /// What the desk has learnt.
    pub hobbies: Option<Personal>,
    /// What the desk has learnt.
    pub habits: Option<Personal>,
    /// What the desk has learnt.
    pub wishes: Option<Personal>,
    /// What the desk has learnt.
    pub preferences: Option<Personal>,
    /// Remark.
    pub remark: Option<Personal>,
    /// LACE of the enrolment of the first due task.
    pub lace: Option<u8>,
    /// Risk, 0 to 100.
    pub risk: u8,
}

/// The stay.
#[derive(Debug, Serialize, TS)]
#[ts(rename = "FollowupEncounterCard")]
pub struct EncounterCard {
    /// The encounter.
    pub id: Uuid,
    /// 住院号.
    pub visit_no: Option<String>,
    /// Department.
    pub department: String,
    /// Ward.
    pub ward: Option<String>,
    /// Hospital's wall clock.
    pub admitted_at: Option<String>,
    /// Hospital's wall clock.
    pub discharged_at: Option<String>,
    /// `YYYY-MM-DD`.
    pub discharged_on: Option<String>,
    /// Principal diagnosis.
    pub diagnosis: Option<Personal>,
    /// Its code.
    pub diagnosis_code: Option<Personal>,
    /// Operation.
    pub surgery: Option<Personal>,
    /// `YYYY-MM-DD`.
    pub surgery_on: Option<String>,
    /// Doctor.
    pub doctor: Option<String>,
    /// Nurse.
    pub nurse: Option<String>,
    /// Agreed next visit.
    pub next_visit_on: Option<String>,
}

/// A number, masked.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(rename = "FollowupPhone")]
pub struct PhoneLine {
    /// The number's id.
    pub id: Uuid,
    /// `138****8000`.
    pub masked: String,
    /// Whose.
    pub owner_name: Option<Personal>,
    /// GB/T 4761 main group, `0` the patient.
    pub relation: String,
    /// What was learnt of it.
    pub state: String,
    /// When, milliseconds UTC.
    #[ts(type = "number | null")]
    pub state_at: Option<i64>,
    /// Best hour.
    pub best_hour: Option<String>,
    /// Failures in a row.
    pub failures: u32,
    /// It may still lead to the patient.
    pub usable: bool,
}

/// The questions of all due tasks, each shared one once.
#[derive(Debug, Clone, Default, Serialize, TS)]
pub struct MergedForm {
    /// In the order of asking.
    pub questions: Vec<MergedQuestion>,
}

/// A question of the merged form.
#[derive(Debug, Clone, Serialize, TS)]
pub struct MergedQuestion {
    /// Its name in `answers`: the question's id, or `PLAN.id` where two plans mean different things by it.
    pub key: String,
    /// What is asked and how it is answered.
    pub question: Question,
    /// The tasks that want it.
    pub tasks: Vec<Uuid>,
    /// The section it stands in, or its plan where the call serves several.
    pub heading: Option<LocalText>,
    /// The answer of the last response, to compare or to take over.
    pub last: Option<AnswerValue>,
}

/// What follows from the answers so far.
#[derive(Debug, Clone, Default, Serialize, TS)]
pub struct FormState {
    /// Keys to ask, in order.
    pub visible: Vec<String>,
    /// Keys of required questions without an answer.
    pub missing: Vec<String>,
    /// Answers that do not fit; `question` holds the key.
    pub invalid: Vec<InvalidAnswer>,
    /// The key whose answer ended the questions.
    pub ended_by: Option<String>,
    /// What came of each task.
    pub results: Vec<TaskResult>,
    /// Alerts as they would be raised now, most urgent first.
    pub alerts: Vec<RaisedNow>,
    /// Nothing is missing or invalid.
    pub complete: bool,
}

/// What came of a task's answers.
#[derive(Debug, Clone, Serialize, TS)]
pub struct TaskResult {
    /// The task.
    pub task_id: Uuid,
    /// The class, in words.
    pub class: Option<NamedCode>,
    /// Calculated numbers.
    pub values: Vec<CalculatedValue>,
    /// Scores.
    pub scores: Option<Scores>,
}

/// A calculated number.
#[derive(Debug, Clone, Serialize, TS)]
pub struct CalculatedValue {
    /// What it is.
    pub label: LocalText,
    /// The number.
    pub value: f64,
    /// Its unit.
    pub unit: Option<LocalText>,
}

/// An alert the answers raise.
#[derive(Debug, Clone, Serialize, TS)]
pub struct RaisedNow {
    /// The rule.
    pub rule: String,
    /// The task it comes from.
    pub task_id: Uuid,
    /// How urgent.
    pub level: Level,
    /// What to say at once, variables filled in.
    pub say: LocalText,
    /// Who has to respond.
    pub route: NamedCode,
    /// Within which time.
    pub sla: Sla,
}

/// What to say, variables filled in, both languages.
#[derive(Debug, Clone, Default, Serialize, TS)]
#[ts(rename = "FollowupScript")]
pub struct CallScript {
    /// Make sure of the person first.
    pub identity_check: Vec<LocalText>,
    /// Greeting.
    pub opening: LocalText,
    /// Experts' answers that this call brings, to be read out as they stand.
    pub answers: Vec<LocalText>,
    /// Topics, by plan.
    pub sections: Vec<ScriptSection>,
    /// Not a good time.
    pub busy: LocalText,
    /// Does not want to talk.
    pub refuse: LocalText,
    /// Complains.
    pub complaint: LocalText,
    /// Danger.
    pub emergency: LocalText,
    /// Only a doctor may answer.
    pub not_medical: LocalText,
    /// Farewell.
    pub closing: LocalText,
    /// What patients should know.
    pub education: Vec<LocalText>,
    /// Variables without a value, whose sentences were left out.
    pub blocked: Vec<String>,
}

/// Topics of one plan.
#[derive(Debug, Clone, Serialize, TS)]
pub struct ScriptSection {
    /// The plan.
    pub plan: LocalText,
    /// Its topics.
    pub topics: Vec<LocalText>,
    /// How to talk.
    pub tone: LocalText,
}

/// What was being typed.
#[derive(Debug, Serialize, TS)]
pub struct CallDraft {
    /// As the window kept it under `followup:<patient_id>`.
    #[ts(type = "unknown")]
    pub body: serde_json::Value,
    /// When, milliseconds UTC.
    #[ts(type = "number")]
    pub saved_at: i64,
}

/// An earlier response.
#[derive(Debug, Serialize, TS)]
pub struct PastResponse {
    /// The response.
    pub id: Uuid,
    /// The day.
    pub responded_on: String,
    /// `D7`.
    pub label: String,
    /// Plan.
    pub plan: LocalText,
    /// Class, in words.
    pub class: Option<NamedCode>,
    /// Answers in the order of asking.
    pub answers: Vec<AnsweredLine>,
    /// By whom.
    pub user: String,
}

/// A question and what was answered, on the version of the form it was given on.
#[derive(Debug, Clone, Serialize, TS)]
pub struct AnsweredLine {
    /// Question id.
    pub id: String,
    /// Question.
    pub text: LocalText,
    /// The answer.
    pub value: AnswerValue,
    /// The chosen options in words.
    pub labels: Vec<LocalText>,
    /// Unit of a number.
    pub unit: Option<LocalText>,
    /// Whether the form marks the question as sensitive.
    pub sensitive: bool,
}

/// An earlier call.
#[derive(Debug, Serialize, TS)]
pub struct PastCall {
    /// The call.
    pub id: Uuid,
    /// Milliseconds UTC.
    #[ts(type = "number")]
    pub called_at: i64,
    /// Number, masked.
    pub masked: String,
    /// `reached`, `not_reached`.
    pub outcome: String,
    /// Failure reason's code.
    pub reason: Option<String>,
    /// Milliseconds UTC.
    #[ts(type = "number | null")]
    pub appointment_at: Option<i64>,
    /// Seconds.
    #[ts(type = "number | null")]
    pub talk_seconds: Option<i64>,
    /// Remark.
    pub remark: Option<Personal>,
    /// By whom.
    pub user: String,
}

/// A number was dialled and nothing saved.
#[derive(Debug, Serialize, TS)]
pub struct UnsavedDial {
    /// Give it when saving.
    pub call_token: Uuid,
    /// Which number.
    pub phone_id: Uuid,
    /// Milliseconds UTC.
    #[ts(type = "number")]
    pub dialled_at: i64,
}
