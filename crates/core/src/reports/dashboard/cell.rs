//! What is counted: facts of a patient, and the cells of the totals that a fact is counted in.

use chrono::{Datelike, Months, NaiveDate};

/// Which of a patient's facts a cell counts, and what its slot says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Measure {
    /// Discharges; 1 expected, 2 followed.
    Stays = 1,
    /// Tasks due; see [`task`].
    Tasks = 2,
    /// Calls; 1 connected.
    Calls = 3,
    /// Calls by weekday and hour, nurses not told apart; twice the hour of the week, and 1 connected.
    Hours = 4,
    /// The same of each nurse.
    NurseHours = 5,
    /// Alerts; the place of the level in [`LEVELS`] times four, and the place of the state in [`ALERT_STATES`].
    Alerts = 6,
    /// Plans of patients by the day they began; 1 lost.
    Began = 7,
    /// The same by the day they ended.
    Ended = 8,
}

/// Flags of a task.
pub mod task {
    /// Done.
    pub const DONE: i64 = 1;
    /// Done within its window.
    pub const TIMELY: i64 = 2;
    /// Called for.
    pub const CALLED: i64 = 4;
    /// Called for and reached.
    pub const REACHED: i64 = 8;
    /// Called for, reached and done.
    pub const COMPLETED: i64 = 16;
}

/// Levels of alerts, as slots number them.
pub const LEVELS: [&str; 3] = ["red", "orange", "yellow"];
/// What became of an alert, as slots number it.
pub const ALERT_STATES: [&str; 3] = ["in_time", "late", "unhandled"];

/// Where a fact is counted: all but the day are numbers of `report_name`, 0 where there is nothing to tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Cell {
    /// What is counted.
    pub measure: Measure,
    /// The nurse.
    pub nurse: i64,
    /// A day or a month; see [`Spans`].
    pub span: i64,
    /// The department.
    pub department: i64,
    /// The plan.
    pub plan: i64,
    /// The site.
    pub site: i64,
    /// Flags of the measure.
    pub slot: i64,
}

/// The day of a span that is a day.
pub fn day_of(span: i64) -> Option<NaiveDate> {
    NaiveDate::from_num_days_from_ce_opt(i32::try_from(span).ok()?)
}

/// The month that a day, or a month, lies in: 12 × year + month.
pub fn month_of(span: i64) -> i64 {
    match day_of(span) {
        Some(day) if span > LAST_MONTH => number_of_month(day),
        _ => span,
    }
}

/// Months are smaller than this, and days that anybody was treated on larger: the year 1850 begins with day 675,333.
const LAST_MONTH: i64 = 12 * 10_000;

fn number_of_month(day: NaiveDate) -> i64 {
    i64::from(day.year()) * 12 + i64::from(day.month0())
}

fn number_of_day(day: NaiveDate) -> i64 {
    i64::from(day.num_days_from_ce())
}

/// Ranges of spans that together are a period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spans(Vec<(i64, i64)>);

impl Spans {
    /// A period day by day.
    pub fn days(from: NaiveDate, to: NaiveDate) -> Self {
        Self(vec![(number_of_day(from), number_of_day(to))])
    }

    /// A period by whole months, and what is left at both ends by days.
    pub fn months(from: NaiveDate, to: NaiveDate) -> Self {
        let first_of = |day: NaiveDate| day.with_day(1).unwrap_or(day);
        let start = if from.day() == 1 { from } else { first_of(from) + Months::new(1) };
        let end = to.succ_opt().map_or(to, first_of);
        if start >= end {
            return Self::days(from, to);
        }
        let mut ranges = vec![(number_of_month(start), number_of_month(end) - 1)];
        if from < start {
            ranges.push((number_of_day(from), number_of_day(start) - 1));
        }
        if end <= to {
            ranges.push((number_of_day(end), number_of_day(to)));
        }
        Self(ranges)
    }

    /// Everything up to a day.
    pub fn until(to: NaiveDate) -> Self {
        let end = to.succ_opt().unwrap_or(to);
        let first = end.with_day(1).unwrap_or(end);
        let mut ranges = vec![(0, number_of_month(first) - 1)];
        if first <= to {
            ranges.push((number_of_day(first), number_of_day(to)));
        }
        Self(ranges)
    }

    /// All there is, by days and by months.
    pub fn everything() -> Self {
        Self(vec![(0, i64::MAX)])
    }

    /// First and last span of each range.
    pub fn ranges(&self) -> &[(i64, i64)] {
        &self.0
    }

    /// Whether a span is one of these.
    pub fn holds(&self, span: i64) -> bool {
        self.0.iter().any(|(first, last)| (*first..=*last).contains(&span))
    }
}

/// One thing that happened to a patient on a day; what [`Cell`] says without its span. Calls come as
/// [`Measure::NurseHours`] alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fact {
    /// What.
    pub measure: Measure,
    /// When.
    pub day: NaiveDate,
    /// Whose, where, and its flags: nurse, department, plan, site, slot.
    pub keys: [i64; 5],
}

impl Fact {
    /// The cells it is counted in: of its day and of its month.
    pub fn cells(&self, mut take: impl FnMut(Cell)) {
        let [nurse, department, plan, site, slot] = self.keys;
        let mut both = |measure: Measure, nurse: i64, slot: i64| {
            for span in [number_of_day(self.day), number_of_month(self.day)] {
                take(Cell { measure, nurse, span, department, plan, site, slot });
            }
        };
        both(self.measure, nurse, slot);
        if self.measure == Measure::NurseHours {
            both(Measure::Hours, 0, slot);
            both(Measure::Calls, nurse, slot & 1);
        }
    }

    /// Appends it as [`unpack`] reads it.
    pub fn pack(&self, bytes: &mut Vec<u8>) {
        bytes.push(self.measure as u8);
        for number in std::iter::once(number_of_day(self.day)).chain(self.keys) {
            let mut rest = number.unsigned_abs();
            while rest >= 0x80 {
                bytes.push((rest & 0x7f) as u8 | 0x80);
                rest >>= 7;
            }
            bytes.push(rest as u8);
        }
    }
}

/// The facts of a patient's share; those of another program's kind are left out, and the check finds them.
pub fn unpack(mut bytes: &[u8]) -> Vec<Fact> {
    let mut facts = Vec::new();
    while let Some((kind, rest)) = bytes.split_first() {
        bytes = rest;
        let mut numbers = [0_i64; 6];
        for number in &mut numbers {
            let mut shift = 0;
            while let Some((byte, rest)) = bytes.split_first() {
                bytes = rest;
                *number |= i64::from(byte & 0x7f) << shift;
                shift = (shift + 7).min(56);
                if byte & 0x80 == 0 {
                    break;
                }
            }
        }
        let [day, keys @ ..] = numbers;
        if let (Some(measure), Some(day)) = (measure(*kind), day_of(day)) {
            facts.push(Fact { measure, day, keys });
        }
    }
    facts
}

fn measure(kind: u8) -> Option<Measure> {
    use Measure::{Alerts, Began, Calls, Ended, Hours, NurseHours, Stays, Tasks};
    [Stays, Tasks, Calls, Hours, NurseHours, Alerts, Began, Ended]
        .into_iter()
        .find(|measure| *measure as u8 == kind)
}
