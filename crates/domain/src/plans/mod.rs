//! Follow-up plans as data: which discharge starts which plan, and which tasks come of it.
//!
//! A task keeps everything it needs (plan code and version, part of the form, dates), so
//! editing a plan makes version n+1 and never changes tasks already made.
//!
//! A due date on a weekend or holiday stays where the plan puts it: the window around it
//! is for that, and whether a call may be made on a given day is the call guard's decision.

mod check;
mod content;
mod model;
mod schedule;
mod select;
#[cfg(test)]
mod story_tests;
#[cfg(test)]
mod tests;

pub use check::CompiledPlan;
pub use content::{
    AttemptPolicy, Content, FailureReason, FailureReasons, NamedCode, OutcomeAction, Retry, RetryDelay,
    Routing, ShippedVersion, shipped_versions,
};
pub use model::{Anchor, Channel, ExcludeRule, IfUnknown, OnReadmission, Plan, Repeat, Review, Timepoint};
pub use schedule::{
    LastResponse, ScheduleScope, SkipReason, TaskCondition, TaskDraft, decide, next_occurrence, schedule,
};
pub use select::{
    Choice, Discharge, MatchedBy, NoPlan, Optout, PatientFacts, PlanChoice, RunningPlan, SupersedeReason,
    Superseded, select_plan,
};
