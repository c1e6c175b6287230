//! Dates, times and ages as hospital systems and spreadsheets write them.
//!
//! A date is read when it can mean one day only. Day and month that could be exchanged, and years of two digits that
//! fit two centuries, are problems to be reported, not guesses to be made.

use chrono::{Datelike, Days, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta};

use crate::cell_text::{NumberText, half_width, read_number_text, unguard};
use crate::error_code::ErrorCode;

mod age;
mod tokens;

pub use age::{Age, age_at, parse_age};

/// Systems write these when they have no date.
const PLACEHOLDERS: [(i32, u32, u32); 7] =
    [(1, 1, 1), (1753, 1, 1), (1899, 12, 30), (1899, 12, 31), (1900, 1, 1), (9999, 12, 31), (2999, 12, 31)];
/// Years outside are typing errors.
const YEARS: std::ops::RangeInclusive<i32> = 1800..=2200;
/// Nobody is older.
const OLDEST_PERSON_YEARS: i32 = 120;
/// Stays and visits further back are not in an extract.
const OLDEST_EVENT_YEARS: i32 = 60;
/// The last serial number of a spreadsheet, 9999-12-31.
const LAST_SERIAL: f64 = 2_958_466.0;

/// What a date is of, which decides what a year of two digits can mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DateOf {
    /// A birth: not in the future, at most 120 years ago.
    Birth,
    /// A visit, an admission, a discharge: recent, or planned soon.
    Event,
}

/// What a cell says about when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// The day.
    pub date: NaiveDate,
    /// The local time of day, when it was given.
    pub time: Option<NaiveTime>,
}

impl Moment {
    /// Day and time, midnight when no time was given.
    pub fn at(self) -> NaiveDateTime {
        self.date.and_time(self.time.unwrap_or(NaiveTime::MIN))
    }
}

/// The day that a spreadsheet counts from; a property of the workbook.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Epoch {
    /// 1 is 1900-01-01, with a 29 February 1900 that never was.
    Year1900,
    /// 0 is 1904-01-01: workbooks from old Macs.
    Year1904,
}

/// Why a text is no date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DateProblem {
    /// Nothing there.
    #[error("empty")]
    Empty,
    /// No form of date or time that is known.
    #[error("unreadable")]
    Unreadable,
    /// Year and month only.
    #[error("incomplete")]
    Incomplete,
    /// 30 February, 25 o'clock.
    #[error("no such date")]
    NoSuchDate,
    /// 3/4/2026 is March or April.
    #[error("day or month")]
    DayMonthAmbiguous,
    /// A year of two digits that can mean two years.
    #[error("year of two digits")]
    TwoDigitYear,
    /// A date that systems write when they have none.
    #[error("placeholder")]
    Placeholder,
    /// Far from any patient's life.
    #[error("out of range")]
    OutOfRange,
}

impl DateProblem {
    /// The code under which it is reported.
    pub fn error_code(self) -> ErrorCode {
        match self {
            Self::Empty => ErrorCode::Required,
            Self::Unreadable => ErrorCode::DateUnreadable,
            Self::Incomplete => ErrorCode::DateIncomplete,
            Self::NoSuchDate => ErrorCode::DateNoSuchDate,
            Self::DayMonthAmbiguous => ErrorCode::DateDayMonthAmbiguous,
            Self::TwoDigitYear => ErrorCode::DateTwoDigitYear,
            Self::Placeholder => ErrorCode::DatePlaceholder,
            Self::OutOfRange => ErrorCode::DateOutOfRange,
        }
    }
}

/// Reads a date with or without a time. A time with an offset is turned into China's time.
pub fn parse(text: &str, of: DateOf, today: NaiveDate) -> Result<Moment, DateProblem> {
    let text = half_width(text);
    let text = unguard(&text);
    if text.is_empty() {
        return Err(DateProblem::Empty);
    }
    if let Some(serial) = serial_text(text) {
        return from_serial(serial, Epoch::Year1900);
    }
    let whole;
    let text = match read_number_text(text) {
        NumberText::Exact(digits) => {
            whole = digits;
            whole.as_str()
        }
        _ => text,
    };
    let found = tokens::read(text)?;
    let date = resolve(&found, of, today)?;
    let Some(clock) = found.clock else { return checked(Moment { date, time: None }) };
    let date = if clock.next_day { date.succ_opt().ok_or(DateProblem::OutOfRange)? } else { date };
    let local = match clock.offset_minutes {
        Some(offset) => {
            let to_china = TimeDelta::minutes(i64::from(CHINA_MINUTES - offset));
            date.and_time(clock.time).checked_add_signed(to_china).ok_or(DateProblem::OutOfRange)?
        }
        None => date.and_time(clock.time),
    };
    checked(Moment { date: local.date(), time: Some(local.time()) })
}

/// Reads the serial number of a date cell. Seconds are rounded, as spreadsheets show them.
pub fn from_serial(value: f64, epoch: Epoch) -> Result<Moment, DateProblem> {
    if !value.is_finite() || !(0.0..LAST_SERIAL).contains(&value) {
        return Err(DateProblem::OutOfRange);
    }
    let seconds = (value * 86_400.0).round();
    let (day, second) = ((seconds / 86_400.0).floor(), seconds.rem_euclid(86_400.0));
    let day = day as u64;
    let origin = match epoch {
        Epoch::Year1904 => NaiveDate::from_ymd_opt(1904, 1, 1),
        // Day 60 is the 29 February that the spreadsheet invented; before it the count is one off.
        Epoch::Year1900 if day == 60 => return Err(DateProblem::NoSuchDate),
        Epoch::Year1900 if day < 60 => NaiveDate::from_ymd_opt(1899, 12, 31),
        Epoch::Year1900 => NaiveDate::from_ymd_opt(1899, 12, 30),
    };
    let date =
        origin.and_then(|origin| origin.checked_add_days(Days::new(day))).ok_or(DateProblem::OutOfRange)?;
    let time = NaiveTime::from_num_seconds_from_midnight_opt(second as u32, 0).filter(|_| second > 0.0);
    checked(Moment { date, time })
}

const CHINA_MINUTES: i32 = 8 * 60;

/// A serial number that was exported as text: five digits, with or without a fraction.
fn serial_text(text: &str) -> Option<f64> {
    let whole = text.split('.').next()?;
    let numeric = text.bytes().all(|b| b.is_ascii_digit() || b == b'.')
        && text.bytes().filter(|b| *b == b'.').count() <= 1;
    (whole.len() == 5 && numeric).then(|| text.parse().ok())?
}

fn resolve(found: &tokens::Found, of: DateOf, today: NaiveDate) -> Result<NaiveDate, DateProblem> {
    use tokens::Order;
    let (year, month, day) = match found.order {
        Order::Known { year, month, day } => (year, month, day),
        Order::DayAndMonth { first, second, year } => match (first > 12, second > 12) {
            (false, true) => (year, first, second),
            (true, false) => (year, second, first),
            (false, false) if first == second => (year, first, second),
            (false, false) => return Err(DateProblem::DayMonthAmbiguous),
            (true, true) => return Err(DateProblem::NoSuchDate),
        },
    };
    if year.digits == 2 {
        return two_digit_year(year.value, month, day, of, today);
    }
    NaiveDate::from_ymd_opt(year.value, month, day).ok_or(DateProblem::NoSuchDate)
}

/// The only century that fits, or a problem.
fn two_digit_year(
    short: i32,
    month: u32,
    day: u32,
    of: DateOf,
    today: NaiveDate,
) -> Result<NaiveDate, DateProblem> {
    let fits = |date: &NaiveDate| match of {
        DateOf::Birth => *date <= today && date.year() >= today.year() - OLDEST_PERSON_YEARS,
        DateOf::Event => (today.year() - OLDEST_EVENT_YEARS..=today.year() + 2).contains(&date.year()),
    };
    let candidates: Vec<NaiveDate> = [1900, 2000]
        .iter()
        .filter_map(|century| NaiveDate::from_ymd_opt(century + short, month, day))
        .collect();
    if candidates.is_empty() {
        return Err(DateProblem::NoSuchDate);
    }
    let mut fitting = candidates.into_iter().filter(fits);
    match (fitting.next(), fitting.next()) {
        (Some(only), None) => Ok(only),
        _ => Err(DateProblem::TwoDigitYear),
    }
}

fn checked(moment: Moment) -> Result<Moment, DateProblem> {
    let date = moment.date;
    if PLACEHOLDERS.contains(&(date.year(), date.month(), date.day())) {
        return Err(DateProblem::Placeholder);
    }
    if !YEARS.contains(&date.year()) {
        return Err(DateProblem::OutOfRange);
    }
    Ok(moment)
}

#[cfg(test)]
mod tests;
