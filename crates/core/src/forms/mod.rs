//! Plans, questionnaires and rules: what ships, what the hospital made of it, and every version.
//!
//! A version's content never changes; editing adds the next one. At most one version of a plan is
//! in use: the highest enabled one. Tasks and responses name the version they were made with, so
//! older versions stay readable for good.

mod bank;
mod catalog;
pub mod commands;
mod compare;
pub mod exchange;
#[cfg(test)]
mod exchange_tests;
mod number;
pub mod questionnaires;
mod save;
mod seed;
mod store;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use aftercare_domain::forms::fhir::NotCarried;
use aftercare_domain::forms::{AnswerValue, Evaluation, Form, LocalText, Problem, Question, VariableRule};
use aftercare_domain::plans::{NamedCode, Plan, Review};
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use uuid::Uuid;

pub use catalog::{catalog, content, plan, questionnaire, questionnaires_in_use};
pub use number::label as version_label;
pub use seed::{is_due as seed_is_due, seed};

/// Where a version comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(rename = "FormsOrigin")]
pub enum Origin {
    /// The program.
    Shipped,
    /// This hospital.
    Edited,
}

/// What a version holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(rename = "FormsKind")]
pub enum Kind {
    /// A follow-up plan with its form.
    Plan,
    /// A form of its own.
    Questionnaire,
}

/// One version of a plan or questionnaire.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(rename = "FormsVersion")]
pub struct Version {
    /// The record.
    pub id: Uuid,
    /// Code of the plan or questionnaire.
    pub code: String,
    /// Number, the key under which tasks and answers name it; see `forms::number`.
    pub version: u32,
    /// What people count versions by, from 1.
    pub count: u32,
    /// The number as people see it, with the mark of the desk that made it.
    pub label: String,
    /// What it holds.
    pub kind: Kind,
    /// Where it comes from.
    pub origin: Origin,
    /// Whether it may be used.
    pub enabled: bool,
    /// When it was made, milliseconds UTC.
    #[ts(type = "number")]
    pub made_at: i64,
    /// Who made it.
    pub made_by: Uuid,
}

/// Asks for the plans and questionnaires.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "FormsPlansRequest")]
pub struct PlansRequest {}

/// The plans and questionnaires, each in its latest or used version.
#[derive(Debug, Serialize, TS)]
#[ts(rename = "FormsPlansResponse")]
pub struct PlansResponse {
    /// Plans by code.
    pub plans: Vec<PlanRow>,
    /// Questionnaires by code.
    pub questionnaires: Vec<QuestionnaireRow>,
}

/// A plan in the list.
#[derive(Debug, Serialize, TS)]
#[ts(rename = "FormsPlanRow")]
pub struct PlanRow {
    /// The version shown: the one in use, or the latest of a plan that is switched off.
    pub version: Version,
    /// How many versions there are.
    pub versions: u32,
    /// Name in both languages.
    pub name: LocalText,
    /// Whether the hospital has approved it.
    pub review: Review,
    /// Not to be named to others.
    pub sensitive: bool,
    /// Diagnosis prefixes.
    pub icd10: Vec<String>,
    /// Departments.
    pub departments: Vec<String>,
    /// Codes of the timepoints.
    pub timepoints: Vec<String>,
    /// How many questions.
    pub questions: u32,
    /// How many alert rules.
    pub alerts: u32,
}

/// A questionnaire in the list.
#[derive(Debug, Serialize, TS)]
#[ts(rename = "FormsQuestionnaireRow")]
pub struct QuestionnaireRow {
    /// The version shown.
    pub version: Version,
    /// How many versions there are.
    pub versions: u32,
    /// The form.
    pub form: Form,
}

/// Asks for a plan.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "FormsPlanRequest")]
pub struct PlanRequest {
    /// Code.
    pub code: String,
    /// A version, or the one the list shows.
    pub version: Option<u32>,
}

/// A plan in one version, with what an editor needs.
#[derive(Debug, Serialize, TS)]
#[ts(rename = "FormsPlanResponse")]
pub struct PlanResponse {
    /// The plan.
    pub plan: Plan,
    /// Which version it is.
    pub shown: Version,
    /// Every version, latest first.
    pub versions: Vec<Version>,
    /// Receivers of alerts.
    pub routes: Vec<NamedCode>,
    /// Owners of tasks.
    pub owners: Vec<NamedCode>,
    /// Variables of scripts.
    pub variables: Vec<VariableRule>,
}

/// A questionnaire in one version, with what an editor needs.
#[derive(Debug, Serialize, TS)]
#[ts(rename = "FormsQuestionnaireResponse")]
pub struct QuestionnaireResponse {
    /// The questionnaire.
    pub form: Form,
    /// Which version it is.
    pub shown: Version,
    /// Every version, latest first.
    pub versions: Vec<Version>,
    /// Receivers of alerts.
    pub routes: Vec<NamedCode>,
}

/// Saves an edited questionnaire as a new version.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "FormsQuestionnaireSaveRequest")]
pub struct QuestionnaireSaveRequest {
    /// The questionnaire; its version number is set here.
    pub form: Form,
    /// The latest version when editing began; `null` for a new questionnaire.
    pub based_on: Option<u32>,
}

/// Asks for every question there is to choose from.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "FormsBankRequest")]
pub struct BankRequest {}

/// The distinct questions of the common bank and of every plan and questionnaire in use.
#[derive(Debug, Serialize, TS)]
#[ts(rename = "FormsBankResponse")]
pub struct BankResponse {
    /// The common bank's first, then as plans and questionnaires ask them.
    pub questions: Vec<BankQuestion>,
}

/// A question to choose, with its options and scores.
#[derive(Debug, Serialize, TS)]
#[ts(rename = "FormsBankQuestion")]
pub struct BankQuestion {
    /// The question without what ties it to where it was: condition, timepoints, section.
    pub question: Question,
    /// Codes of the plans and questionnaires that ask it.
    pub used_in: Vec<String>,
}

/// Asks what changed between two versions.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "FormsCompareRequest")]
pub struct CompareRequest {
    /// Plan or questionnaire.
    pub code: String,
    /// The earlier version.
    pub from: u32,
    /// The later version.
    pub to: u32,
}

/// What changed, in the order of the document.
#[derive(Debug, Serialize, TS)]
#[ts(rename = "FormsCompareResponse")]
pub struct CompareResponse {
    /// One entry for each field, question, option, rule or text that differs.
    pub changes: Vec<compare::Change>,
}

/// Writes a plan or questionnaire as a FHIR R4 Questionnaire.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "FormsExportRequest")]
pub struct ExportRequest {
    /// Plan or questionnaire.
    pub code: String,
    /// Its version; none means the one in use, or the latest.
    pub version: Option<u32>,
    /// The file, ending in `.json`.
    pub path: String,
}

/// What was written.
#[derive(Debug, Serialize, TS)]
#[ts(rename = "FormsExportResponse")]
pub struct ExportResponse {
    /// The version written.
    pub version: Version,
    /// What another program will not understand.
    pub not_carried: Vec<NotCarried>,
}

/// Reads a FHIR R4 Questionnaire as the next version of the plan or questionnaire with its code, or as a new one.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "FormsImportRequest")]
pub struct ImportRequest {
    /// The file.
    pub path: String,
}

/// What was read.
#[derive(Debug, Serialize, TS)]
#[ts(rename = "FormsImportResponse")]
pub struct ImportResponse {
    /// The version made. It is in use at once, unless something was lost and another version is in use.
    pub version: Version,
    /// The name in both languages.
    pub name: LocalText,
    /// Whether nothing had this code before.
    pub new: bool,
    /// What the file says and this program has no place for.
    pub not_carried: Vec<NotCarried>,
}

/// Writes sample answers as a FHIR R4 QuestionnaireResponse.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "FormsAnswersWriteRequest")]
pub struct AnswersWriteRequest {
    /// The draft the answers belong to.
    pub draft: TryRequest,
    /// The file, ending in `.json`.
    pub path: String,
}

/// Reads a FHIR R4 QuestionnaireResponse as sample answers.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "FormsAnswersReadRequest")]
pub struct AnswersReadRequest {
    /// The draft the answers belong to.
    pub draft: TryRequest,
    /// The file.
    pub path: String,
}

/// Sample answers, or what is wrong with the file.
#[derive(Serialize, TS)]
#[ts(rename = "FormsAnswersReadResponse")]
pub struct AnswersReadResponse {
    /// By question; none when something is wrong.
    pub answers: Option<BTreeMap<String, AnswerValue>>,
    /// What is wrong, and where.
    pub faults: Vec<ResponseFault>,
}

/// Something wrong with a response, in words for people.
#[derive(Serialize, TS)]
#[ts(rename = "FormsResponseFault")]
pub struct ResponseFault {
    /// The item; empty for the response as a whole.
    pub link_id: String,
    /// A word with a message in `forms.json` (`response.<code>`).
    pub code: String,
    /// Limits for the message.
    pub params: BTreeMap<String, String>,
}

/// Saves an edited plan as a new version.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "FormsPlanSaveRequest")]
pub struct PlanSaveRequest {
    /// The plan; its version number is set here.
    pub plan: Plan,
    /// The latest version when editing began; `null` for a new plan.
    pub based_on: Option<u32>,
}

/// Chooses the version in use.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "FormsPlanEnableRequest")]
pub struct PlanEnableRequest {
    /// Code.
    pub code: String,
    /// The version to use.
    pub version: u32,
}

/// Switches a plan off: no new discharge starts it; running ones go on.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "FormsPlanDisableRequest")]
pub struct PlanDisableRequest {
    /// Code.
    pub code: String,
}

/// Asks for the form of a task.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "FormsFormRequest")]
pub struct FormRequest {
    /// Plan or questionnaire.
    pub code: String,
    /// Its version.
    pub version: u32,
}

/// A form with the script that goes with it.
#[derive(Debug, Serialize, TS)]
#[ts(rename = "FormsFormResponse")]
pub struct FormResponse {
    /// The form, whole: which questions are asked, an evaluation says.
    pub form: Form,
    /// The script, for plans.
    pub script: Option<aftercare_domain::forms::Script>,
    /// What patients should know.
    pub education: Vec<LocalText>,
    /// Receivers of alerts.
    pub routes: Vec<NamedCode>,
}

/// Checks a draft and tries it with sample answers.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "FormsTryRequest")]
pub struct TryRequest {
    /// The draft; of a questionnaire, only code, name and form count.
    pub plan: Plan,
    /// Whether it is a questionnaire.
    #[serde(default)]
    pub questionnaire: bool,
    /// At which timepoint; none means every question.
    pub timepoint: Option<String>,
    /// Sample answers.
    pub answers: BTreeMap<String, AnswerValue>,
    /// Sample age.
    pub age: Option<u16>,
}

/// What is wrong with a draft, or what follows from the sample answers.
#[derive(Debug, Serialize, TS)]
#[ts(rename = "FormsTryResponse")]
pub struct TryResponse {
    /// Mistakes; none means it can be saved.
    pub problems: Vec<Problem>,
    /// What follows; none while there are mistakes.
    pub evaluation: Option<Evaluation>,
}
