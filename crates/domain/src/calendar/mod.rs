//! Working days and holidays of China, calling hours, and deadlines.
//!
//! Each year's calendar follows a notice of the State Council in the autumn before, so the future is only known for a
//! year at most. Every answer says whether it rests on a known year; beyond, weekends alone are days off.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use chrono::{Datelike, NaiveDate, Weekday};
use serde::{Deserialize, Serialize};

use crate::error_code::ErrorCode;

mod deadline;
mod hours;

pub use deadline::{Due, Sla, due_at, parse_sla};
pub use hours::{CallingDays, CallingRule, NotNow, NotNowCode, callable_at, parse_hours};

/// Days beside the year that its notice may rule on: New Year's bridge begins in December.
const DAYS_BESIDE_YEAR: i64 = 31;

/// One year's notice, in the form of the holiday-cn project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HolidayYear {
    /// The year.
    pub year: i32,
    /// Where the notice was published.
    #[serde(default)]
    pub papers: Vec<String>,
    /// Days that differ from the week, or that a holiday names.
    pub days: Vec<HolidayDay>,
}

/// One day of a notice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HolidayDay {
    /// The holiday it belongs to.
    pub name: String,
    /// The day.
    pub date: NaiveDate,
    /// A day off, or a weekend day worked instead.
    #[serde(rename = "isOffDay")]
    pub is_off_day: bool,
}

/// Why a calendar file cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CalendarProblem {
    /// Not JSON of the expected form.
    #[error("unreadable")]
    Unreadable,
    /// No day in it: a year without New Year's Day is not a calendar yet.
    #[error("empty")]
    Empty,
    /// A day that does not belong to the year.
    #[error("a day of another year")]
    OtherYear,
    /// The same day twice, once off and once worked.
    #[error("contradiction")]
    Contradiction,
}

impl CalendarProblem {
    /// The code under which it is reported.
    pub fn error_code(self) -> ErrorCode {
        match self {
            Self::Unreadable => ErrorCode::CalendarUnreadable,
            Self::Empty => ErrorCode::CalendarEmpty,
            Self::OtherYear => ErrorCode::CalendarOtherYear,
            Self::Contradiction => ErrorCode::CalendarContradiction,
        }
    }
}

impl HolidayYear {
    /// Reads one year's file and checks that it can be one.
    pub fn parse(json: &str) -> Result<Self, CalendarProblem> {
        let year: Self = serde_json::from_str(json).map_err(|_| CalendarProblem::Unreadable)?;
        let first = NaiveDate::from_ymd_opt(year.year, 1, 1).ok_or(CalendarProblem::Unreadable)?;
        let last = NaiveDate::from_ymd_opt(year.year, 12, 31).ok_or(CalendarProblem::Unreadable)?;
        if !year.days.iter().any(|day| day.date.year() == year.year && day.is_off_day) {
            return Err(CalendarProblem::Empty);
        }
        let beside = |date: NaiveDate| {
            (first - date).num_days() > DAYS_BESIDE_YEAR || (date - last).num_days() > DAYS_BESIDE_YEAR
        };
        if year.days.iter().any(|day| beside(day.date)) {
            return Err(CalendarProblem::OtherYear);
        }
        let mut seen = BTreeMap::new();
        for day in &year.days {
            if seen.insert(day.date, day.is_off_day).is_some_and(|before| before != day.is_off_day) {
                return Err(CalendarProblem::Contradiction);
            }
        }
        Ok(year)
    }
}

/// Whether an answer rests on a published calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Certainty {
    /// Every day it looked at lies in a known year.
    Known,
    /// It looked at days whose year is not known; holidays may still move it. Say so.
    BeyondKnownYear,
}

/// A computed day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CalendarDay {
    /// The day.
    pub date: NaiveDate,
    /// What it rests on.
    pub certainty: Certainty,
}

/// Working days of the known years.
#[derive(Debug, Clone, Default)]
pub struct Calendar {
    days: BTreeMap<NaiveDate, HolidayDay>,
    years: BTreeMap<i32, Vec<HolidayDay>>,
}

impl Calendar {
    /// The calendars that ship, 2015 to 2026.
    pub fn shipped() -> &'static Calendar {
        static SHIPPED: OnceLock<Calendar> = OnceLock::new();
        SHIPPED.get_or_init(|| {
            Calendar::from_years(SHIPPED_YEARS.iter().filter_map(|json| HolidayYear::parse(json).ok()))
        })
    }

    /// A calendar of these years. Of two notices on one day that of the later year counts.
    pub fn from_years(years: impl IntoIterator<Item = HolidayYear>) -> Self {
        let mut calendar = Self::default();
        for year in years {
            calendar.add(year);
        }
        calendar
    }

    /// Adds a year, or replaces it by a corrected notice.
    pub fn add(&mut self, year: HolidayYear) {
        self.years.insert(year.year, year.days);
        self.days = self.years.values().flatten().map(|day| (day.date, day.clone())).collect();
    }

    /// The last year whose notice is known; none for an empty calendar.
    pub fn last_known_year(&self) -> Option<i32> {
        self.years.keys().next_back().copied()
    }

    /// The known years, earliest first, each with the days its notice names.
    pub fn years(&self) -> impl Iterator<Item = (i32, &[HolidayDay])> {
        self.years.iter().map(|(year, days)| (*year, days.as_slice()))
    }

    /// Whether people work on this day.
    pub fn is_working_day(&self, date: NaiveDate) -> bool {
        match self.days.get(&date) {
            Some(day) => !day.is_off_day,
            None => !matches!(date.weekday(), Weekday::Sat | Weekday::Sun),
        }
    }

    /// The holiday this day off belongs to; none for working days and ordinary weekends.
    pub fn holiday(&self, date: NaiveDate) -> Option<&str> {
        self.days.get(&date).filter(|day| day.is_off_day).map(|day| day.name.as_str())
    }

    /// Whether the answers for the days from one to another rest on published calendars.
    pub fn certainty(&self, from: NaiveDate, to: NaiveDate) -> Certainty {
        let mut years = from.year().min(to.year())..=from.year().max(to.year());
        if years.all(|year| self.years.contains_key(&year)) {
            Certainty::Known
        } else {
            Certainty::BeyondKnownYear
        }
    }

    /// The n-th working day after `from`. The day of receipt is not counted (Civil Code art. 201). With 0 it is
    /// `from` itself.
    pub fn add_working_days(&self, from: NaiveDate, n: u32) -> CalendarDay {
        let mut date = from;
        let mut left = n;
        while left > 0 {
            let Some(next) = date.succ_opt() else { break };
            date = next;
            left -= u32::from(self.is_working_day(date));
        }
        CalendarDay { date, certainty: self.certainty(from, date) }
    }

    /// The last day of a period of calendar days: when it falls on a day off, the next working day
    /// (Civil Code art. 203).
    pub fn end_of_period(&self, from: NaiveDate, days: u32) -> CalendarDay {
        let end = from.checked_add_days(chrono::Days::new(u64::from(days))).unwrap_or(NaiveDate::MAX);
        let mut date = end;
        while !self.is_working_day(date) {
            let Some(next) = date.succ_opt() else { break };
            date = next;
        }
        CalendarDay { date, certainty: self.certainty(from, date) }
    }

    /// Working days after `from` up to and including `to`; 0 when `to` is not later.
    pub fn working_days_between(&self, from: NaiveDate, to: NaiveDate) -> u32 {
        let days = from.iter_days().skip(1).take_while(|date| *date <= to);
        days.map(|date| u32::from(self.is_working_day(date))).sum()
    }
}

const SHIPPED_YEARS: [&str; 12] = [
    include_str!("../../../../assets/content/calendar/2015.json"),
    include_str!("../../../../assets/content/calendar/2016.json"),
    include_str!("../../../../assets/content/calendar/2017.json"),
    include_str!("../../../../assets/content/calendar/2018.json"),
    include_str!("../../../../assets/content/calendar/2019.json"),
    include_str!("../../../../assets/content/calendar/2020.json"),
    include_str!("../../../../assets/content/calendar/2021.json"),
    include_str!("../../../../assets/content/calendar/2022.json"),
    include_str!("../../../../assets/content/calendar/2023.json"),
    include_str!("../../../../assets/content/calendar/2024.json"),
    include_str!("../../../../assets/content/calendar/2025.json"),
    include_str!("../../../../assets/content/calendar/2026.json"),
];

#[cfg(test)]
mod tests;
