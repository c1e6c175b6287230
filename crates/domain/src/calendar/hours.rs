//! When a follow-up call may be made.

use chrono::{NaiveDate, NaiveDateTime, NaiveTime};

use super::{Calendar, Certainty};
use crate::error_code::ErrorCode;

/// How far ahead the next allowed time is looked for: longer than any holiday.
const SEARCH_DAYS: usize = 60;

/// On which days calls are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallingDays {
    /// Every day.
    Every,
    /// Weekends too, but not the days off of a public holiday.
    NotHolidays,
    /// Working days only.
    WorkingDays,
}

/// The hospital's calling hours, in local time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallingRule {
    /// From (inclusive) to (exclusive), in any order.
    pub hours: Vec<(NaiveTime, NaiveTime)>,
    /// No call outside these, whatever the hours say.
    pub limits: (NaiveTime, NaiveTime),
    /// On which days.
    pub days: CallingDays,
}

/// Why not now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotNowCode {
    /// Too early, too late, or the midday rest.
    OutsideHours,
    /// A day on which nobody is called.
    Holiday,
    /// The settings leave no hour at all.
    NoHours,
}

impl NotNowCode {
    /// The code under which it is reported.
    pub fn error_code(self) -> ErrorCode {
        match self {
            Self::OutsideHours => ErrorCode::OutsideCallingHours,
            Self::Holiday => ErrorCode::CallingHoliday,
            Self::NoHours => ErrorCode::NoCallingHours,
        }
    }
}

/// A call that may not be made now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotNow {
    /// Why.
    pub code: NotNowCode,
    /// The next time at which it may; none when there is none.
    pub next_ok: Option<NaiveDateTime>,
    /// Whether that rests on a published calendar.
    pub certainty: Certainty,
}

/// Whether a call may be made at this local time. Days beyond the known calendar are judged by the week, and marked.
pub fn callable_at(
    local: NaiveDateTime,
    rule: &CallingRule,
    calendar: &Calendar,
) -> Result<Certainty, NotNow> {
    let windows = windows(rule);
    let (today, time) = (local.date(), local.time());
    let day_allowed = allows(rule.days, today, calendar);
    if day_allowed && windows.iter().any(|(from, to)| *from <= time && time < *to) {
        return Ok(certainty(rule.days, today, today, calendar));
    }
    let code = match (windows.is_empty(), day_allowed) {
        (true, _) => NotNowCode::NoHours,
        (false, true) => NotNowCode::OutsideHours,
        (false, false) => NotNowCode::Holiday,
    };
    let next_ok = next_ok(local, rule.days, &windows, calendar);
    let last = next_ok.map_or(today, |next| next.date());
    Err(NotNow { code, next_ok, certainty: certainty(rule.days, today, last, calendar) })
}

/// Reads `09:00-12:00`; none when it is not that or ends before it begins.
pub fn parse_hours(text: &str) -> Option<(NaiveTime, NaiveTime)> {
    let (from, to) = text.split_once(['-', '–', '~'])?;
    let time = |text: &str| NaiveTime::parse_from_str(text.trim(), "%H:%M").ok();
    let (from, to) = (time(from)?, time(to)?);
    (from < to).then_some((from, to))
}

fn windows(rule: &CallingRule) -> Vec<(NaiveTime, NaiveTime)> {
    let (earliest, latest) = rule.limits;
    let mut windows: Vec<_> = rule
        .hours
        .iter()
        .map(|(from, to)| (*from.max(&earliest), *to.min(&latest)))
        .filter(|(from, to)| from < to)
        .collect();
    windows.sort_unstable();
    windows
}

fn allows(days: CallingDays, date: NaiveDate, calendar: &Calendar) -> bool {
    match days {
        CallingDays::Every => true,
        CallingDays::NotHolidays => calendar.holiday(date).is_none(),
        CallingDays::WorkingDays => calendar.is_working_day(date),
    }
}

fn certainty(days: CallingDays, from: NaiveDate, to: NaiveDate, calendar: &Calendar) -> Certainty {
    if days == CallingDays::Every { Certainty::Known } else { calendar.certainty(from, to) }
}

fn next_ok(
    local: NaiveDateTime,
    days: CallingDays,
    windows: &[(NaiveTime, NaiveTime)],
    calendar: &Calendar,
) -> Option<NaiveDateTime> {
    let allowed = local.date().iter_days().take(SEARCH_DAYS).filter(|date| allows(days, *date, calendar));
    allowed
        .flat_map(|date| windows.iter().map(move |(from, _)| date.and_time(*from)))
        .find(|start| *start > local)
}
