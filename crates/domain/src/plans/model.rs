//! The data of a plan, as it is stored, edited and shipped.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::forms::{Form, LocalText, Script};

/// A follow-up plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct Plan {
    /// Stable code.
    pub code: String,
    /// Counts up with every edit.
    pub version: u32,
    /// The name people see.
    pub name: LocalText,
    /// Whether the hospital has approved it.
    #[serde(default)]
    pub review: Review,
    /// What it is based on.
    #[serde(default)]
    pub basis: LocalText,
    /// Its name and diagnosis must not be told to anyone but authorised people, nor appear in messages.
    #[serde(default)]
    pub sensitive: bool,
    /// Prefixes of ICD-10 codes of the principal diagnosis.
    #[serde(default)]
    pub icd10: Vec<String>,
    /// Names, or parts of names, of departments.
    #[serde(default)]
    pub departments: Vec<String>,
    /// The day the timepoints count from.
    pub anchor: Anchor,
    /// What a new discharge does to the same plan still running.
    #[serde(default)]
    pub on_readmission: OnReadmission,
    /// Discharges that must not start this plan.
    #[serde(default)]
    pub exclude: Vec<ExcludeRule>,
    /// When what is asked.
    pub timepoints: Vec<Timepoint>,
    /// What is said.
    pub script: Script,
    /// What is asked.
    pub form: Form,
    /// What patients should know.
    #[serde(default)]
    pub education: Vec<LocalText>,
}

/// Where a plan or form stands with the hospital's review.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(rename = "PlanReview")]
#[serde(rename_all = "snake_case")]
pub enum Review {
    /// Not yet approved by the hospital's clinicians.
    #[default]
    Draft,
    /// Approved.
    Approved,
}

/// The day timepoints count from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(rename = "PlanAnchor")]
#[serde(rename_all = "snake_case")]
pub enum Anchor {
    /// Discharge.
    Discharge,
    /// Operation.
    Surgery,
    /// Delivery.
    Delivery,
    /// End of the course of chemotherapy.
    Chemo,
}

/// What a new discharge does to the same plan still running.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum OnReadmission {
    /// The old one ends, a new one starts from the new discharge.
    #[default]
    Restart,
    /// The old one goes on; only timepoints with an anchor of their own are added (each course of
    /// chemotherapy has its calls, survival is followed from the first discharge).
    Merge,
}

/// Discharges that must not start a plan: a condition, diagnosis codes, or both (either suffices).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(rename = "PlanExclusion")]
pub struct ExcludeRule {
    /// Stable code of the reason.
    pub code: String,
    /// Condition over the discharge's facts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
    /// Prefixes of any of the discharge's diagnosis codes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub icd10: Vec<String>,
    /// The reason in words.
    pub why: LocalText,
}

/// How a patient is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(rename = "ContactChannel")]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// A call.
    Phone,
    /// A message with a link to the form.
    SmsForm,
    /// A message.
    Sms,
    /// A visit.
    Visit,
}

/// A point in time at which the patient is followed up, once or again and again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Timepoint {
    /// Unique in the plan; what questions' `at` names.
    pub code: String,
    /// The anchor, if not the plan's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub anchor: Option<Anchor>,
    /// Days after the anchor.
    pub offset_days: u16,
    /// Days before the due day on which it may already be done.
    pub window_before: u16,
    /// Days after the due day until which it may still be done.
    pub window_after: u16,
    /// How.
    pub channel: Channel,
    /// How, once calls have failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fallback: Option<Channel>,
    /// The part of the form.
    pub part: String,
    /// Who does it: a code of the routing table.
    pub owner: String,
    /// Condition; may use `last.class`, the class of the previous response.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub only_if: Option<String>,
    /// What to do when the condition cannot be decided.
    #[serde(default)]
    pub if_unknown: IfUnknown,
    /// Repetition.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeat: Option<Repeat>,
    /// For the people who plan.
    #[serde(default)]
    pub note: LocalText,
}

/// What to do when a condition cannot be decided.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum IfUnknown {
    /// Leave the timepoint out.
    #[default]
    Skip,
    /// Do it: silence is no reason to look away.
    Do,
}

/// Repetition of a timepoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(rename = "PlanRepeat")]
pub struct Repeat {
    /// Days from one to the next.
    pub every_days: u16,
    /// How many in all; 99 and more means for life.
    pub times: u16,
}
