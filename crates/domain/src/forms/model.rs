//! The data of a form, as it is stored, edited and shipped.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// A language of the content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(rename = "ContentLanguage")]
pub enum Lang {
    /// Simplified Chinese.
    #[serde(rename = "zh-CN")]
    Zh,
    /// English.
    #[serde(rename = "en")]
    En,
}

/// A content text in both languages. A hospital may leave English empty: Chinese is shown then.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct LocalText {
    /// Chinese.
    pub zh: String,
    /// English.
    #[serde(default)]
    pub en: String,
}

impl LocalText {
    /// The text in `lang`, or in the other language when that is empty.
    pub fn get(&self, lang: Lang) -> &str {
        let (first, second) = match lang {
            Lang::Zh => (&self.zh, &self.en),
            Lang::En => (&self.en, &self.zh),
        };
        if first.trim().is_empty() { second } else { first }
    }

    /// Whether both languages are empty.
    pub fn is_empty(&self) -> bool {
        self.zh.trim().is_empty() && self.en.trim().is_empty()
    }
}

/// A questionnaire, or the question part of a plan.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, TS)]
pub struct Form {
    /// Stable code, unique among forms; a plan's form has the plan's code.
    pub code: String,
    /// Counts up with every edit; a response keeps the version it was given on.
    pub version: u32,
    /// The name people see.
    pub title: LocalText,
    /// Groups of questions, also the dimensions of a score.
    #[serde(default)]
    pub sections: Vec<Section>,
    /// The questions in the order they are asked.
    pub questions: Vec<Question>,
    /// Named subsets of the questions; without parts every question belongs to the form.
    #[serde(default)]
    pub parts: Vec<Part>,
    /// Calculated numbers, each may use those before it.
    #[serde(default)]
    pub calculations: Vec<Calculation>,
    /// The first rule that holds gives the class.
    #[serde(default)]
    pub classes: Vec<ClassRule>,
    /// Rules that call for action.
    #[serde(default)]
    pub alerts: Vec<Alert>,
    /// How options' points become scores.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scoring: Option<Scoring>,
}

/// A group of questions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[ts(rename = "FormSection")]
pub struct Section {
    /// Code, unique in the form.
    pub code: String,
    /// Heading.
    pub title: LocalText,
    /// Share of the overall score; 0 for groups that are not scored.
    #[serde(default)]
    pub weight: f64,
}

/// A named subset of a form's questions, such as "early" or "short".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(rename = "FormPart")]
pub struct Part {
    /// Code, unique in the form.
    pub code: String,
    /// The name people see.
    pub title: LocalText,
    /// Ids of the questions; empty means all.
    #[serde(default)]
    pub questions: Vec<String>,
}

/// The kind of answer a question takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum QuestionKind {
    /// One of the options.
    Single,
    /// Any of the options.
    Multi,
    /// Yes or no.
    Bool,
    /// A number with a unit.
    Number,
    /// Blood pressure in mmHg: systolic, and diastolic if known.
    Bp,
    /// A calendar date.
    Date,
    /// Free text.
    Text,
    /// A whole number on a short scale.
    Scale,
    /// A hint without an answer.
    Note,
}

/// A question.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct Question {
    /// Unique in the form; also its name in conditions.
    pub id: String,
    /// Kind of answer.
    #[serde(rename = "type")]
    pub kind: QuestionKind,
    /// What is asked.
    pub text: LocalText,
    /// Must be answered when visible.
    #[serde(default)]
    pub required: bool,
    /// Choices of `single` and `multi`.
    #[serde(default)]
    pub options: Vec<QuestionOption>,
    /// Unit of a number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<LocalText>,
    /// Limits of `number`, `bp` and `scale`.
    #[serde(default, flatten)]
    pub range: NumberRange,
    /// Words for the steps of a scale, from `min` to `max`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<LocalText>,
    /// At most so many options of `multi`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_select: Option<u16>,
    /// Condition for asking; it may name only earlier questions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub show_if: Option<String>,
    /// Asked only at these timepoints; empty means at all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub at: Vec<String>,
    /// The section it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub section: Option<String>,
    /// Its answer is for the call and for the expert who is asked because of it: it is not printed, and
    /// no other expert reads it in the patient's history.
    #[serde(default)]
    pub sensitive: bool,
    /// The question of the common bank it was taken from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bank: Option<String>,
}

/// Limits of a numeric answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, TS)]
pub struct NumberRange {
    /// Smallest allowed value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<f64>,
    /// Largest allowed value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<f64>,
    /// Decimal places; none means whole numbers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decimals: Option<u8>,
    /// Values go in steps from `min` (or 0).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<f64>,
}

/// A choice of a question.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, TS)]
pub struct QuestionOption {
    /// Unique in the question; what is stored and compared.
    pub code: String,
    /// What people see.
    pub label: LocalText,
    /// Excludes every other option ("none of these").
    #[serde(default)]
    pub exclusive: bool,
    /// Ends the questions: later ones are not asked, except those whose condition names this question.
    #[serde(default)]
    pub ends: bool,
    /// Points for scores; "does not apply" has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub points: Option<f64>,
}

/// A calculated number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Calculation {
    /// Its name in later conditions.
    pub id: String,
    /// What people see.
    pub label: LocalText,
    /// A CEL expression that gives a number.
    pub expr: String,
    /// Unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<LocalText>,
    /// Decimal places it is rounded to; 6 if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decimals: Option<u8>,
}

/// A rule that classifies a response.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ClassRule {
    /// The class, compared as `class == '…'` and, by the next timepoint, `last.class`.
    pub class: String,
    /// What people see.
    pub label: LocalText,
    /// Condition.
    pub when: String,
}

/// How urgent an alert is. The order is the order of urgency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[ts(rename = "AlertLevel")]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Critical: act during the call.
    Red,
    /// The department answers the patient the same day.
    Orange,
    /// Within two working days.
    Yellow,
}

/// A time limit for the response to an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(rename = "AlertSla")]
#[serde(tag = "unit", content = "amount", rename_all = "snake_case")]
pub enum Sla {
    /// Minutes on the clock.
    Minutes(u32),
    /// Whole working days.
    WorkingDays(u32),
}

/// What an alert does besides being raised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(rename = "AlertEffect")]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Record the patient's death.
    MarkDeceased,
    /// End every running plan of the patient.
    StopAllPlans,
    /// Withdraw messages that were not sent yet.
    CancelSms,
    /// Show it only to who manages follow-up, who raised it, and who is asked about it.
    Restrict,
}

/// A rule that calls for action.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(rename = "AlertRule")]
pub struct Alert {
    /// Stable code, unique in the form.
    pub code: String,
    /// Condition.
    pub when: String,
    /// Urgency.
    pub level: Level,
    /// What the caller says or does at once.
    pub say: LocalText,
    /// Who has to respond: a code of the routing table.
    pub route: String,
    /// Until when.
    pub sla: Sla,
    /// Further effects.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub effects: Vec<Effect>,
    /// Calls for an extra follow-up after so many days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub followup_in_days: Option<u16>,
    /// Codes of common alerts that this one covers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub replaces: Vec<String>,
}

/// How options' points become scores.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[ts(rename = "FormScoring")]
pub struct Scoring {
    /// A question's points are multiplied by this (20 turns 1–5 into 20–100).
    pub factor: f64,
    /// The share of scored questions that must be answered for an overall score, 0–1.
    pub min_answered: f64,
}
