//! The clock of a complaint: working days, the day of receipt not counted (Civil Code art. 201), pauses.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::words;
use crate::calendar::{Calendar, CalendarDay, Certainty};

words! {
    /// How a deadline stands today.
    ClockState {
        /// No answer is owed, or it was given.
        None => "none",
        /// Stands still, with a reason.
        Paused => "paused",
        /// More days left than the first warning.
        Ahead => "ahead",
        /// The first warning.
        Soon => "soon",
        /// The last day.
        Today => "today",
        /// Past.
        Overdue => "overdue",
    }
}

/// How a deadline stands on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(rename = "ComplaintClock")]
pub struct Clock {
    /// In a word.
    pub state: ClockState,
    /// Working days left; negative: so many past.
    pub days_left: i32,
    /// Who is warned: 0 nobody, 1 the handler, 2 the head of the lead department, 3 the leader in charge.
    pub escalation: u8,
    /// The deadline lies beyond the last published calendar: holidays may still move it.
    pub unconfirmed: bool,
}

/// Until when something received on `from` must be answered: the end of the `days`-th working day after it.
/// With 0 the day itself, or the first working day after it.
pub fn deadline(calendar: &Calendar, from: NaiveDate, days: u32) -> CalendarDay {
    if days == 0 { calendar.end_of_period(from, 0) } else { calendar.add_working_days(from, days) }
}

/// The deadline after a pause: later by the working days that passed meanwhile, so that a pause never costs a day.
pub fn resumed_deadline(
    calendar: &Calendar,
    due_on: NaiveDate,
    paused_on: NaiveDate,
    today: NaiveDate,
) -> CalendarDay {
    calendar.add_working_days(due_on, calendar.working_days_between(paused_on, today))
}

/// How a deadline stands `today`; `soon` is the number of working days before it at which the first warning comes.
pub fn clock(
    due_on: Option<NaiveDate>,
    paused: bool,
    today: NaiveDate,
    calendar: &Calendar,
    soon: u32,
) -> Clock {
    let Some(due_on) = due_on else {
        return Clock { state: ClockState::None, days_left: 0, escalation: 0, unconfirmed: false };
    };
    let days = |from, to| i32::try_from(calendar.working_days_between(from, to)).unwrap_or(i32::MAX);
    let days_left = if today <= due_on { days(today, due_on) } else { -days(due_on, today) };
    let (state, escalation) = match (paused, today.cmp(&due_on)) {
        (true, _) => (ClockState::Paused, 0),
        // A weekend after the last day is no working day past it, but the day has gone.
        (_, std::cmp::Ordering::Greater) => (ClockState::Overdue, if days_left < 0 { 3 } else { 2 }),
        (_, std::cmp::Ordering::Equal) => (ClockState::Today, 2),
        _ if days_left <= i32::try_from(soon).unwrap_or(i32::MAX) => (ClockState::Soon, 1),
        _ => (ClockState::Ahead, 0),
    };
    let unconfirmed = calendar.certainty(due_on, due_on) == Certainty::BeyondKnownYear;
    Clock { state, days_left, escalation, unconfirmed }
}
