//! Ages: `45岁`, `3月`, `15天`, `2岁6月`.

use chrono::{Datelike, NaiveDate};

use crate::cell_text::{half_width, unguard};

use super::DateProblem;

/// Nobody is older.
const OLDEST_YEARS: u32 = 130;

/// An age as written: what was not said is 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Age {
    /// Completed years.
    pub years: u32,
    /// Completed months after them.
    pub months: u32,
    /// Days after them.
    pub days: u32,
}

/// Reads an age. A number alone is years; weeks count seven days, hours and minutes of the newborn count nothing.
pub fn parse_age(text: &str) -> Result<Age, DateProblem> {
    let text = half_width(text).to_lowercase();
    let text = unguard(&text);
    let mut rest: &str = &text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
    if rest.is_empty() {
        return Err(DateProblem::Empty);
    }
    let mut age = Age::default();
    let mut last_rank = 0;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let count = whole(&rest[..end])?;
        let (unit, after) = unit(&rest[end..])?;
        // Units only get smaller: 3天2岁 is a typing error.
        if unit.rank <= last_rank {
            return Err(DateProblem::Unreadable);
        }
        last_rank = unit.rank;
        let scaled = count.checked_mul(unit.times).ok_or(DateProblem::OutOfRange)?;
        match unit.of {
            Field::Years => age.years = scaled,
            Field::Months => age.months = scaled,
            Field::Days => age.days += scaled,
        }
        rest = after;
    }
    if age.years > OLDEST_YEARS || age.months > OLDEST_YEARS * 12 || age.days > OLDEST_YEARS * 366 {
        return Err(DateProblem::OutOfRange);
    }
    age.years += age.months / 12;
    age.months %= 12;
    Ok(age)
}

/// The age on a day: completed years, months and days. Somebody born on 29 February has a birthday on 1 March in
/// other years. Zero when the day lies before the birth.
pub fn age_at(birth: NaiveDate, on: NaiveDate) -> Age {
    if on <= birth {
        return Age::default();
    }
    let mut months = (on.year() - birth.year()) * 12 + i32::try_from(on.month()).unwrap_or(0)
        - i32::try_from(birth.month()).unwrap_or(0);
    if on.day() < birth.day() {
        months -= 1;
    }
    let completed = u32::try_from(months).unwrap_or(0);
    let anniversary = birth.checked_add_months(chrono::Months::new(completed)).unwrap_or(birth);
    let days = u32::try_from((on - anniversary).num_days()).unwrap_or(0);
    Age { years: completed / 12, months: completed % 12, days }
}

enum Field {
    Years,
    Months,
    Days,
}

struct Unit {
    of: Field,
    times: u32,
    rank: u8,
}

fn unit(text: &str) -> Result<(Unit, &str), DateProblem> {
    const UNITS: [(&str, Field, u32, u8); 21] = [
        ("周岁", Field::Years, 1, 1),
        ("岁", Field::Years, 1, 1),
        ("年", Field::Years, 1, 1),
        ("years", Field::Years, 1, 1),
        ("year", Field::Years, 1, 1),
        ("y", Field::Years, 1, 1),
        ("个月", Field::Months, 1, 2),
        ("months", Field::Months, 1, 2),
        ("月", Field::Months, 1, 2),
        ("周", Field::Days, 7, 3),
        ("天", Field::Days, 1, 4),
        ("日", Field::Days, 1, 4),
        ("days", Field::Days, 1, 4),
        ("day", Field::Days, 1, 4),
        ("d", Field::Days, 1, 4),
        ("小时", Field::Days, 0, 5),
        ("时", Field::Days, 0, 5),
        ("h", Field::Days, 0, 5),
        ("分钟", Field::Days, 0, 6),
        ("分", Field::Days, 0, 6),
        ("m", Field::Months, 1, 2),
    ];
    if text.is_empty() {
        return Ok((Unit { of: Field::Years, times: 1, rank: 1 }, ""));
    }
    UNITS
        .into_iter()
        .find_map(|(word, of, times, rank)| {
            text.strip_prefix(word).map(|rest| (Unit { of, times, rank }, rest))
        })
        .ok_or(DateProblem::Unreadable)
}

fn whole(digits: &str) -> Result<u32, DateProblem> {
    let digits = match digits.split_once('.') {
        Some((whole, zeros)) if zeros.bytes().all(|b| b == b'0') => whole,
        Some(_) => return Err(DateProblem::Unreadable),
        None => digits,
    };
    digits.parse().map_err(|_| DateProblem::Unreadable)
}
