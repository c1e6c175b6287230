//! Reading one cell as a word, a number, a day, an amount.

use aftercare_domain::cell_text::{NumberText, half_width, read_number_text, unguard};
use aftercare_domain::codes::is_empty_marker;
use aftercare_domain::dates::{self, DateOf, DateProblem, Epoch, Moment};
use aftercare_tabular::Cell;
use chrono::{NaiveDate, Timelike};

use super::super::fields::Field;
use super::super::problem::{Code, Problem};

/// Serial numbers of days that can be meant: 1918 to 2119. Smaller numbers are counts, larger are written dates.
const SERIALS: std::ops::Range<f64> = 6_600.0..80_500.0;
/// More than any stay ever cost, in yuan; beyond it the column is a wrong one.
const MOST_YUAN: f64 = 100_000_000.0;

/// The words of a cell, half-width, without guards and markers of emptiness.
pub fn words(cell: &Cell) -> Option<String> {
    let text = cell.to_text();
    if text.is_empty() || is_empty_marker(&text) {
        return None;
    }
    let text = half_width(&text);
    let trimmed = unguard(&text);
    (!trimmed.is_empty()).then(|| trimmed.to_owned())
}

/// Words with every run of spaces made one, cut to `longest` characters.
pub fn plain(cell: &Cell, field: Field, longest: usize, problems: &mut Vec<Problem>) -> Option<String> {
    let text = words(cell)?;
    let joined: String = if text.contains(char::is_whitespace) {
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    } else {
        text
    };
    if joined.len() > longest && joined.chars().count() > longest {
        problems.push(Problem::of(field, Code::CellTooLong).with("max", longest));
        return Some(joined.chars().take(longest).collect());
    }
    Some(joined)
}

/// A hospital's number for a person or a stay: as it is, with a spreadsheet's damage told.
pub fn number(cell: &Cell, field: Field, problems: &mut Vec<Problem>) -> Option<String> {
    if cell.has_lost_digits() {
        problems.push(Problem::of(field, Code::PrecisionLost));
        return None;
    }
    let text = words(cell)?;
    let compact: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let digits = match read_number_text(&compact) {
        NumberText::Plain => compact,
        NumberText::Exact(digits) => digits,
        NumberText::Lost => {
            problems.push(Problem::of(field, Code::PrecisionLost));
            return None;
        }
    };
    if digits.bytes().all(|b| b == b'0') {
        return None;
    }
    if digits.len() > 40 {
        problems.push(Problem::of(field, Code::CellTooLong).with("max", 40));
        return None;
    }
    Some(digits)
}

/// What a cell says about when.
pub fn moment(cell: &Cell, of: DateOf, today: NaiveDate) -> Result<Option<Moment>, Code> {
    let read = match cell {
        Cell::Empty => return Ok(None),
        Cell::DateTime(at) => {
            let time = at.time();
            let given = time.num_seconds_from_midnight() > 0;
            Ok(Moment { date: at.date(), time: given.then_some(time) })
        }
        Cell::Number(value) if SERIALS.contains(value) => dates::from_serial(*value, Epoch::Year1900),
        cell => {
            let text = cell.to_text();
            if is_empty_marker(&text) {
                return Ok(None);
            }
            dates::parse(&text, of, today)
        }
    };
    match read {
        Ok(moment) => Ok(Some(moment)),
        Err(DateProblem::Empty | DateProblem::Placeholder) => Ok(None),
        Err(DateProblem::DayMonthAmbiguous | DateProblem::TwoDigitYear) => Err(Code::DateAmbiguous),
        Err(_) => Err(Code::DateUnreadable),
    }
}

/// A day; what cannot be read is told and left empty.
pub fn day(cell: &Cell, field: Field, today: NaiveDate, problems: &mut Vec<Problem>) -> Option<NaiveDate> {
    match moment(cell, DateOf::Event, today) {
        Ok(moment) => moment.map(|moment| moment.date),
        Err(code) => {
            problems.push(Problem::of(field, code));
            None
        }
    }
}

/// A small count such as days of stay: `12`, `12天`, `第2次`.
pub fn count(cell: &Cell, field: Field, most: i64, problems: &mut Vec<Problem>) -> Option<i64> {
    if let Cell::Number(value) = cell
        && value.fract() == 0.0
        && (0.0..=most as f64).contains(value)
    {
        return Some(*value as i64);
    }
    let text = words(cell).or_else(|| Some(cell.to_text().trim().to_owned()).filter(|text| text == "0"))?;
    let bare = text.trim_start_matches('第').trim_end_matches(['天', '日', '次', '时', '住', '院']).trim();
    let bare = bare.strip_suffix(".0").or_else(|| bare.strip_suffix(".00")).unwrap_or(bare);
    let read = bare.parse::<i64>().ok().filter(|count| (0..=most).contains(count));
    if read.is_none() {
        problems.push(Problem::of(field, Code::NumberUnreadable));
    }
    read
}

/// An amount in yuan, as fen: `¥20,580.60`, `20580.6元`.
pub fn fen(cell: &Cell, field: Field, problems: &mut Vec<Problem>) -> Option<i64> {
    let yuan = match cell {
        Cell::Empty => return None,
        Cell::Number(value) => Some(*value),
        cell => {
            let text = half_width(&cell.to_text());
            let text = unguard(&text);
            if text.is_empty() || (text != "0" && is_empty_marker(text)) {
                return None;
            }
            let upper = text.to_uppercase();
            let bare = upper.trim_start_matches("RMB").trim_start_matches("CNY").trim_start_matches("人民币");
            let bare: String = bare
                .chars()
                .filter(|c| !matches!(c, ',' | '，' | '¥' | '￥' | '元' | '$') && !c.is_whitespace())
                .collect();
            let plain = !bare.is_empty()
                && bare.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'E' | b'+'));
            if plain { bare.parse::<f64>().ok() } else { None }
        }
    };
    match yuan {
        Some(yuan) if yuan.is_finite() && (0.0..MOST_YUAN).contains(&yuan) => {
            Some((yuan * 100.0).round() as i64)
        }
        _ => {
            problems.push(Problem::of(field, Code::NumberUnreadable));
            None
        }
    }
}
