//! The content the program ships with: plans, common questions, questionnaires, tables.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::check::{CompiledPlan, compile_exclude};
use super::model::{Anchor, ExcludeRule, OnReadmission, Plan, Review, Timepoint};
use crate::forms::{
    Alert, Calculation, ClassRule, CompiledForm, Expression, Form, LocalText, Part, Problem, Question, Scope,
    Script, Section, VariableRule,
};

macro_rules! file {
    ($name:literal) => {
        ($name, include_str!(concat!("../../../../assets/content/", $name)))
    };
}

const PLANS: &[(&str, &str)] = &[
    file!("plans/general.json"),
    file!("plans/hypertension.json"),
    file!("plans/diabetes.json"),
    file!("plans/general_surgery.json"),
    file!("plans/stroke.json"),
    file!("plans/coronary_stent.json"),
    file!("plans/maternity_newborn.json"),
    file!("plans/oncology.json"),
    file!("plans/joint_fracture.json"),
    file!("plans/copd.json"),
    file!("plans/heart_failure.json"),
];
const FORMS: &[(&str, &str)] = &[
    file!("forms/satisfaction_contact.json"),
    file!("forms/satisfaction_inpatient.json"),
    file!("forms/satisfaction_outpatient.json"),
];
const COMMON: (&str, &str) = file!("common.json");
const ROUTING: (&str, &str) = file!("routing.json");
const VARIABLES: (&str, &str) = file!("variables.json");
const FAILURE_REASONS: (&str, &str) = file!("failure_reasons.json");

/// A code and its name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct NamedCode {
    /// Code.
    pub code: String,
    /// Name.
    pub name: LocalText,
}

/// Who responds to alerts, and who does tasks.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Routing {
    /// Receivers of alerts.
    pub routes: Vec<NamedCode>,
    /// Owners of tasks.
    pub owners: Vec<NamedCode>,
}

/// When calls may be tried again, and what may come of a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct FailureReasons {
    /// The retry policy.
    pub policy: AttemptPolicy,
    /// The reasons.
    pub reasons: Vec<FailureReason>,
}

/// The retry policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct AttemptPolicy {
    /// Attempts per task.
    pub max_attempts: u8,
    /// On at least so many different days.
    pub min_days: u8,
    /// Usual calling hours, `HH:MM` from and to.
    pub calling_hours: Vec<(String, String)>,
    /// Never outside of these.
    pub outer_hours: (String, String),
    /// Minutes between two attempts.
    pub min_gap_minutes: u16,
    /// After so many failures of a number, the next contact's number.
    pub next_number_after: u8,
    /// Lost to follow-up after so many unsuccessful timepoints in a row.
    pub lost_after_timepoints: u8,
}

/// Why a call did not lead to a response.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct FailureReason {
    /// Code.
    pub code: String,
    /// Name.
    pub name: LocalText,
    /// Counts as an attempt.
    pub counts: bool,
    /// The number (or the patient) is not called again.
    #[serde(rename = "final")]
    pub is_final: bool,
    /// When to try again.
    pub retry: Retry,
    /// What else to do.
    #[serde(default)]
    pub actions: Vec<OutcomeAction>,
    /// Set by the program, not chosen by people.
    #[serde(default)]
    pub system: bool,
}

/// When to try again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(rename = "CallRetry")]
pub struct Retry {
    /// How it is counted.
    pub kind: RetryDelay,
    /// Minutes or days, where the kind needs them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<u16>,
}

/// How a retry is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum RetryDelay {
    /// Not by itself.
    None,
    /// The next calling period (morning, afternoon).
    NextSlot,
    /// After so many minutes.
    AfterMinutes,
    /// After so many days.
    AfterDays,
    /// At the agreed time.
    AsAgreed,
    /// After the patient has left hospital again.
    AfterDischarge,
}

/// What follows from an outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum OutcomeAction {
    /// Announce the next call by message.
    SendNotice,
    /// Mark the number as not in service.
    MarkNumberInvalid,
    /// Look for another number in the HIS and among the contacts.
    LookUpNumber,
    /// Never dial this number again for this patient.
    BlockNumber,
    /// Call from another number.
    ChangeCallerNumber,
    /// Ask the department for a number.
    AskDepartmentForNumber,
    /// Say nothing of the illness.
    SayNothingOfIllness,
    /// End this task.
    CloseTask,
    /// Record that the patient refuses calls.
    RefusePhone,
    /// Speak to a relative, write or visit.
    UseRelativeOrVisit,
    /// Record the death.
    MarkDeceased,
    /// End every plan.
    StopAllPlans,
    /// A note is needed.
    NeedsNote,
}

/// Everything shipped, expanded and checked.
#[derive(Debug, Clone)]
pub struct Content {
    /// The plans with common questions, alerts and script filled in.
    pub plans: Vec<CompiledPlan>,
    /// Questionnaires that belong to no plan.
    pub forms: Vec<CompiledForm>,
    /// Common questions, to choose from when editing.
    pub question_bank: Vec<Question>,
    /// Exclusions that hold for every plan, with their conditions.
    pub exclude: Vec<(ExcludeRule, Option<Expression>)>,
    /// Routing table.
    pub routing: Routing,
    /// Variables of scripts and messages.
    pub variables: Vec<VariableRule>,
    /// Failure reasons.
    pub failure_reasons: FailureReasons,
}

#[derive(Deserialize)]
struct Common {
    exclude: Vec<ExcludeRule>,
    script: Script,
    questions: Vec<Question>,
    alerts: Vec<Alert>,
}

#[derive(Deserialize)]
struct VariablesFile {
    variables: Vec<VariableRule>,
}

#[derive(Deserialize)]
struct FormFile {
    form: Form,
}

/// A question of its own, or one of the bank.
#[derive(Deserialize)]
#[serde(untagged)]
enum QuestionSource {
    Bank {
        #[serde(rename = "use")]
        id: String,
        #[serde(default)]
        at: Vec<String>,
    },
    Own(Box<Question>),
}

#[derive(Deserialize)]
struct FormSource {
    #[serde(default)]
    sections: Vec<Section>,
    #[serde(default)]
    parts: Vec<Part>,
    questions: Vec<QuestionSource>,
    #[serde(default)]
    calculations: Vec<Calculation>,
    #[serde(default)]
    classes: Vec<ClassRule>,
    #[serde(default)]
    alerts: Vec<Alert>,
}

#[derive(Deserialize)]
struct PlanSource {
    code: String,
    version: u32,
    name: LocalText,
    #[serde(default)]
    review: Review,
    #[serde(default)]
    basis: LocalText,
    #[serde(default)]
    sensitive: bool,
    icd10: Vec<String>,
    departments: Vec<String>,
    anchor: Anchor,
    #[serde(default)]
    on_readmission: OnReadmission,
    #[serde(default)]
    exclude: Vec<ExcludeRule>,
    timepoints: Vec<Timepoint>,
    script: Script,
    form: FormSource,
    education: Vec<LocalText>,
}

/// A shipped plan's or questionnaire's code and version, read without the rest.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ShippedVersion {
    /// Code.
    pub code: String,
    /// Version.
    pub version: u32,
}

/// What ships, without compiling anything.
pub fn shipped_versions() -> Vec<ShippedVersion> {
    PLANS.iter().chain(FORMS).filter_map(|file| serde_json::from_str(file.1).ok()).collect()
}

impl Content {
    /// The shipped content.
    ///
    /// # Errors
    /// Every problem, with the file's name before the path. A test keeps this from happening.
    pub fn shipped() -> Result<Self, Vec<Problem>> {
        let routing: Routing = parse(ROUTING)?;
        let variables = parse::<VariablesFile>(VARIABLES)?.variables;
        let common: Common = parse(COMMON)?;
        let bank = common_scope(&common);
        let mut problems = Vec::new();
        let mut keep = |compiled: Option<Result<Expression, Problem>>| match compiled.transpose() {
            Ok(expression) => expression,
            Err(problem) => {
                problems.push(problem.under(COMMON.0));
                None
            }
        };
        let conditions = compile_exclude(&common.exclude, &Scope::discharge(), "exclude", &mut keep);
        let sources = common.alerts.iter().enumerate();
        let alert_conditions: Vec<_> = sources
            .map(|(index, alert)| {
                keep(Some(Expression::condition(&alert.when, &bank, &format!("alerts.{index}.when"))))
            })
            .collect();
        let mut plans = Vec::new();
        for file in PLANS {
            let expanded = parse(*file).and_then(|source| expand(source, &common, &alert_conditions));
            match expanded.and_then(|plan| CompiledPlan::new(plan, &routing, &variables)) {
                Ok(plan) => plans.push(plan),
                Err(found) => problems.extend(found.into_iter().map(|problem| problem.under(file.0))),
            }
        }
        let mut forms = Vec::new();
        for file in FORMS {
            match parse::<FormFile>(*file).and_then(|source| CompiledForm::new(source.form)) {
                Ok(form) => forms.push(form),
                Err(found) => problems.extend(found.into_iter().map(|problem| problem.under(file.0))),
            }
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        Ok(Self {
            plans,
            forms,
            exclude: common.exclude.into_iter().zip(conditions).collect(),
            question_bank: common.questions,
            routing,
            variables,
            failure_reasons: parse(FAILURE_REASONS)?,
        })
    }
}

fn parse<T: serde::de::DeserializeOwned>(file: (&str, &str)) -> Result<T, Vec<Problem>> {
    serde_json::from_str(file.1).map_err(|error| vec![Problem::new(file.0, "json").with("error", error)])
}

fn common_scope(common: &Common) -> Scope {
    let mut scope = Scope::form();
    for question in &common.questions {
        scope.add_question(question);
    }
    scope
}

/// Fills in common questions, the common alerts whose questions the plan asks (unless the plan has
/// a stricter one), and the common script where the plan has no words of its own.
fn expand(
    source: PlanSource,
    common: &Common,
    conditions: &[Option<Expression>],
) -> Result<Plan, Vec<Problem>> {
    let mut questions = Vec::new();
    for (index, question) in source.form.questions.into_iter().enumerate() {
        questions.push(match question {
            QuestionSource::Own(question) => *question,
            QuestionSource::Bank { id, at } => {
                let Some(found) = common.questions.iter().find(|question| question.id == id) else {
                    let problem = Problem::new(format!("form.questions.{index}.use"), "unknown_question");
                    return Err(vec![problem.with("name", id)]);
                };
                Question { at, bank: Some(id), ..found.clone() }
            }
        });
    }
    let asked: BTreeSet<&str> = questions.iter().map(|question| question.id.as_str()).collect();
    let replaced: BTreeSet<&String> = source.form.alerts.iter().flat_map(|alert| &alert.replaces).collect();
    let applies = |condition: &Option<Expression>| {
        condition
            .as_ref()
            .is_some_and(|condition| condition.names().iter().all(|name| asked.contains(name.as_str())))
    };
    let shared = common.alerts.iter().zip(conditions);
    let shared = shared.filter(|(alert, condition)| applies(condition) && !replaced.contains(&alert.code));
    let mut alerts = source.form.alerts.clone();
    alerts.extend(shared.map(|(alert, _)| alert.clone()));
    let form = Form {
        code: source.code.clone(),
        version: source.version,
        title: source.name.clone(),
        sections: source.form.sections,
        questions,
        parts: source.form.parts,
        calculations: source.form.calculations,
        classes: source.form.classes,
        alerts,
        scoring: None,
    };
    Ok(Plan {
        code: source.code,
        version: source.version,
        name: source.name,
        review: source.review,
        basis: source.basis,
        sensitive: source.sensitive,
        icd10: source.icd10,
        departments: source.departments,
        anchor: source.anchor,
        on_readmission: source.on_readmission,
        exclude: source.exclude,
        timepoints: source.timepoints,
        script: fill_script(source.script, &common.script),
        form,
        education: source.education,
    })
}

fn fill_script(own: Script, common: &Script) -> Script {
    let or = |own: LocalText, common: &LocalText| if own.is_empty() { common.clone() } else { own };
    let or_list =
        |own: Vec<LocalText>, common: &[LocalText]| if own.is_empty() { common.to_vec() } else { own };
    Script {
        identity_check: or_list(own.identity_check, &common.identity_check),
        opening: or(own.opening, &common.opening),
        sections: or_list(own.sections, &common.sections),
        tone: or(own.tone, &common.tone),
        busy: or(own.busy, &common.busy),
        refuse: or(own.refuse, &common.refuse),
        complaint: or(own.complaint, &common.complaint),
        emergency: or(own.emergency, &common.emergency),
        not_medical: or(own.not_medical, &common.not_medical),
        closing: or(own.closing, &common.closing),
    }
}
