//! Which tasks a plan makes.

use chrono::{Days, NaiveDate};
use serde::Serialize;
use ts_rs::TS;

use super::check::CompiledPlan;
use super::model::{Anchor, Channel, IfUnknown, Plan, Timepoint};
use super::select::{Discharge, PatientFacts, facts};
use crate::forms::{Expression, Truth, Values};

/// How many tasks of a repeating timepoint are made ahead; each one done adds the next.
const AHEAD: u16 = 4;

/// Which timepoints to schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScheduleScope {
    /// All.
    Whole,
    /// Only those with an anchor of their own: what a further stay adds to a plan that goes on.
    Episode,
}

/// A task to be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct TaskDraft {
    /// The timepoint's code, for the form's `at`.
    pub timepoint: String,
    /// Which repetition, from 1.
    pub occurrence: u16,
    /// What people see: `D7`, `Q2`, `S1-2`.
    pub label: String,
    /// The anchor used.
    pub anchor: Anchor,
    /// The anchor's day.
    #[ts(type = "string")]
    pub anchor_on: NaiveDate,
    /// The anchor's own day is not known; discharge was used.
    pub anchor_assumed: bool,
    /// Due.
    #[ts(type = "string")]
    pub due_on: NaiveDate,
    /// First day on which it may be done.
    #[ts(type = "string")]
    pub window_starts_on: NaiveDate,
    /// Last day on which it counts.
    #[ts(type = "string")]
    pub window_ends_on: NaiveDate,
    /// Part of the form.
    pub part: String,
    /// How.
    pub channel: Channel,
    /// How, once calls have failed.
    pub fallback: Option<Channel>,
    /// Who: a code of the routing table.
    pub owner: String,
    /// Whether it is to be done.
    pub condition: TaskCondition,
}

/// Whether a task is to be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum TaskCondition {
    /// It is.
    Now,
    /// That is decided when the previous response is saved, by [`decide`].
    Waiting,
    /// It is not.
    Skip {
        /// Why.
        reason: SkipReason,
    },
}

/// Why a timepoint is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum SkipReason {
    /// Its condition is false.
    ConditionFalse,
    /// Its condition cannot be decided from what is known.
    ConditionUnknown,
    /// Its window had passed before the task was made: discharges imported late make no overdue tasks.
    WindowPassed,
    /// Its window ends before the patient is home.
    BeforeDischarge,
}

impl SkipReason {
    /// The word stored in the table.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ConditionFalse => "condition_false",
            Self::ConditionUnknown => "condition_unknown",
            Self::WindowPassed => "window_passed",
            Self::BeforeDischarge => "before_discharge",
        }
    }
}

/// What is known of the previous timepoint of the same plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LastResponse {
    /// It is still open.
    Pending,
    /// It ended without a response.
    Missing,
    /// Its response, with its class if it had one.
    Given {
        /// The class.
        class: Option<String>,
    },
}

/// The tasks of `plan` for a discharge. `today` keeps windows that have passed from becoming tasks.
/// Of a repeating timepoint the first four that are not over yet are made.
pub fn schedule(
    plan: &CompiledPlan,
    discharge: &Discharge,
    patient: &PatientFacts,
    today: NaiveDate,
    scope: ScheduleScope,
) -> Vec<TaskDraft> {
    let values = facts(discharge, patient);
    let mut drafts = Vec::new();
    for (timepoint, only_if) in plan.timepoints() {
        if scope == ScheduleScope::Episode && timepoint.anchor.is_none() {
            continue;
        }
        let condition = first_decision(timepoint, only_if, &values);
        let times = timepoint.repeat.map_or(1, |repeat| repeat.times);
        let mut ahead = 0;
        for occurrence in 1..=times {
            let Some(draft) = draft(plan.plan(), timepoint, occurrence, discharge, today, &condition) else {
                break;
            };
            let over = matches!(draft.condition, TaskCondition::Skip { reason: SkipReason::WindowPassed });
            // Years of repetitions that are over would be noise; a single timepoint that is over is a fact.
            if over && times > 1 {
                continue;
            }
            drafts.push(draft);
            ahead += 1;
            if ahead >= AHEAD {
                break;
            }
        }
    }
    drafts.sort_by(|left, right| (left.due_on, &left.label).cmp(&(right.due_on, &right.label)));
    drafts
}

/// The next task of a repeating timepoint after those up to `made`, to be made when one is done.
pub fn next_occurrence(
    plan: &CompiledPlan,
    timepoint: &str,
    made: u16,
    discharge: &Discharge,
    patient: &PatientFacts,
    today: NaiveDate,
) -> Option<TaskDraft> {
    let (timepoint, only_if) = plan.timepoint(timepoint)?;
    let condition = first_decision(timepoint, only_if, &facts(discharge, patient));
    let times = timepoint.repeat?.times;
    let upcoming = (made.saturating_add(1)..=times)
        .filter_map(|occurrence| draft(plan.plan(), timepoint, occurrence, discharge, today, &condition));
    let mut usable =
        upcoming.filter(|draft| draft.condition != TaskCondition::Skip { reason: SkipReason::WindowPassed });
    usable.next()
}

/// Decides a task that waited for the previous response.
pub fn decide(
    plan: &CompiledPlan,
    timepoint: &str,
    discharge: &Discharge,
    patient: &PatientFacts,
    last: &LastResponse,
) -> TaskCondition {
    let Some((timepoint, Some(condition))) = plan.timepoint(timepoint) else { return TaskCondition::Now };
    let mut values = facts(discharge, patient);
    match last {
        LastResponse::Pending if needs_last(condition) => return TaskCondition::Waiting,
        LastResponse::Given { class: Some(class) } => values.text("last.class", class),
        _ => {}
    }
    decided(timepoint, condition, &values)
}

fn needs_last(condition: &Expression) -> bool {
    condition.names().iter().any(|name| name.starts_with("last."))
}

fn first_decision(timepoint: &Timepoint, only_if: Option<&Expression>, values: &Values) -> TaskCondition {
    match only_if {
        None => TaskCondition::Now,
        Some(condition) => match condition.holds(values) {
            // Some conditions are settled without the previous response (`score.lace >= 10 || last.class …`).
            Truth::Unknown if needs_last(condition) => TaskCondition::Waiting,
            _ => decided(timepoint, condition, values),
        },
    }
}

fn decided(timepoint: &Timepoint, condition: &Expression, values: &Values) -> TaskCondition {
    match (condition.holds(values), timepoint.if_unknown) {
        (Truth::True, _) | (Truth::Unknown, IfUnknown::Do) => TaskCondition::Now,
        (Truth::False, _) => TaskCondition::Skip { reason: SkipReason::ConditionFalse },
        (Truth::Unknown, IfUnknown::Skip) => TaskCondition::Skip { reason: SkipReason::ConditionUnknown },
    }
}

/// The anchor's day, and whether discharge stands in for it.
fn anchor_day(anchor: Anchor, discharge: &Discharge) -> (NaiveDate, bool) {
    let own = match anchor {
        Anchor::Discharge => Some(discharge.discharged_on),
        Anchor::Surgery => discharge.surgery_on,
        Anchor::Delivery => discharge.delivery_on,
        Anchor::Chemo => discharge.chemo_ended_on,
    };
    // An operation after discharge belongs to another stay, or is a typing mistake.
    let own = own.filter(|day| *day <= discharge.discharged_on);
    (own.unwrap_or(discharge.discharged_on), own.is_none())
}

/// The task of one occurrence; none when the date leaves the calendar.
fn draft(
    plan: &Plan,
    timepoint: &Timepoint,
    occurrence: u16,
    discharge: &Discharge,
    today: NaiveDate,
    condition: &TaskCondition,
) -> Option<TaskDraft> {
    let anchor = timepoint.anchor.unwrap_or(plan.anchor);
    let (anchor_on, anchor_assumed) = anchor_day(anchor, discharge);
    let every = timepoint.repeat.map_or(0, |repeat| repeat.every_days);
    let days = u64::from(timepoint.offset_days) + u64::from(every) * u64::from(occurrence.saturating_sub(1));
    let due = anchor_on.checked_add_days(Days::new(days))?;
    let window_ends_on = due.checked_add_days(Days::new(u64::from(timepoint.window_after)))?;
    let window_start = due.checked_sub_days(Days::new(u64::from(timepoint.window_before)))?;
    let first_day_home = discharge.discharged_on.checked_add_days(Days::new(1))?;
    let condition = if window_ends_on < first_day_home {
        TaskCondition::Skip { reason: SkipReason::BeforeDischarge }
    } else if window_ends_on < today {
        TaskCondition::Skip { reason: SkipReason::WindowPassed }
    } else {
        condition.clone()
    };
    let repeats = timepoint.repeat.is_some_and(|repeat| repeat.times > 1);
    let gap = if timepoint.code.ends_with(|letter: char| letter.is_ascii_digit()) { "-" } else { "" };
    Some(TaskDraft {
        timepoint: timepoint.code.clone(),
        occurrence,
        label: if repeats { format!("{}{gap}{occurrence}", timepoint.code) } else { timepoint.code.clone() },
        anchor,
        anchor_on,
        anchor_assumed,
        // Still in hospital on the planned day: the first day at home instead.
        due_on: due.max(first_day_home.min(window_ends_on)),
        window_starts_on: window_start.max(first_day_home.min(window_ends_on)),
        window_ends_on,
        part: timepoint.part.clone(),
        channel: timepoint.channel,
        fallback: timepoint.fallback,
        owner: timepoint.owner.clone(),
        condition,
    })
}
