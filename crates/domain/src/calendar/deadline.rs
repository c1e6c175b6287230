//! Response times of alerts: `30min`, `8h`, `2wd`.

use chrono::{NaiveDate, NaiveDateTime, NaiveTime, TimeDelta};

use super::{Calendar, Certainty};

/// A response time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sla {
    /// So many minutes, by the clock: an emergency does not wait for working time.
    Minutes(u32),
    /// So many hours, by the clock.
    Hours(u32),
    /// The end of working time on the n-th working day after.
    WorkingDays(u32),
}

/// When something is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due {
    /// Local time.
    pub at: NaiveDateTime,
    /// Whether it rests on a published calendar.
    pub certainty: Certainty,
}

/// Reads `30min`, `8h`, `2wd`; none for anything else, and for 0.
pub fn parse_sla(text: &str) -> Option<Sla> {
    let text = text.trim();
    let unit = text.find(|c: char| !c.is_ascii_digit())?;
    let count: u32 = text[..unit].parse().ok().filter(|count| *count > 0)?;
    match text[unit..].trim() {
        "min" => Some(Sla::Minutes(count)),
        "h" => Some(Sla::Hours(count)),
        "wd" => Some(Sla::WorkingDays(count)),
        _ => None,
    }
}

/// When a response is due to something that happened at `from` (local time). `closing` is the end of working time.
pub fn due_at(sla: Sla, from: NaiveDateTime, calendar: &Calendar, closing: NaiveTime) -> Due {
    let by_clock = |delta: Option<TimeDelta>| Due {
        at: delta
            .and_then(|delta| from.checked_add_signed(delta))
            .unwrap_or(NaiveDate::MAX.and_time(closing)),
        certainty: Certainty::Known,
    };
    match sla {
        Sla::Minutes(minutes) => by_clock(TimeDelta::try_minutes(i64::from(minutes))),
        Sla::Hours(hours) => by_clock(TimeDelta::try_hours(i64::from(hours))),
        Sla::WorkingDays(days) => {
            let day = calendar.add_working_days(from.date(), days);
            Due { at: day.date.and_time(closing), certainty: day.certainty }
        }
    }
}
