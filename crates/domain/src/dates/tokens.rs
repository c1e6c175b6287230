//! The parts of a written date, before anybody decides what they mean.

use chrono::NaiveTime;

use super::DateProblem;

/// A year as written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Year {
    pub value: i32,
    /// 2 or 4.
    pub digits: usize,
}

/// Which number is which.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// The form says it.
    Known { year: Year, month: u32, day: u32 },
    /// The year comes last, and the form does not say which of the others is the month.
    DayAndMonth { first: u32, second: u32, year: Year },
}

/// A time of day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Clock {
    pub time: NaiveTime,
    /// 24:00 is the next day's midnight.
    pub next_day: bool,
    /// East of Greenwich, when given.
    pub offset_minutes: Option<i32>,
}

/// What stands in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Found {
    pub order: Order,
    pub clock: Option<Clock>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Half {
    Morning,
    Noon,
    Afternoon,
    Night,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Number(String),
    Month(u32),
    Half(Half),
    Utc,
    Sign(char),
}

const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const WEEKDAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const HALVES: [(&str, Half); 9] = [
    ("上午", Half::Morning),
    ("凌晨", Half::Morning),
    ("早上", Half::Morning),
    ("早晨", Half::Morning),
    ("中午", Half::Noon),
    ("下午", Half::Afternoon),
    ("傍晚", Half::Afternoon),
    ("晚上", Half::Night),
    ("夜间", Half::Night),
];

/// Reads half-width text without guards.
pub(super) fn read(text: &str) -> Result<Found, DateProblem> {
    let tokens = tokenise(text)?;
    let half = tokens.iter().find_map(|token| if let Token::Half(half) = token { Some(*half) } else { None });
    let tokens: Vec<Token> = tokens.into_iter().filter(|token| !matches!(token, Token::Half(_))).collect();
    if let Some(Token::Number(digits)) = tokens.first()
        && digits.len() >= 8
    {
        return compact(digits, &tokens[1..], half);
    }
    let (order, used) = date(&tokens)?;
    let clock = clock(&tokens[used..], half)?;
    Ok(Found { order, clock })
}

/// `20261010`, `20261010094200`, `202610100942`, `20261010 0942`.
fn compact(digits: &str, rest: &[Token], half: Option<Half>) -> Result<Found, DateProblem> {
    let (day, time) = digits.split_at(8);
    let order = Order::Known { year: year(&day[..4])?, month: number(&day[4..6])?, day: number(&day[6..])? };
    let mut tokens = rest.to_vec();
    match time.len() {
        0 => {}
        2 | 4 | 6
            if rest.iter().all(|token| matches!(token, Token::Sign(_) | Token::Number(_) | Token::Utc)) =>
        {
            tokens.insert(0, Token::Number(format!("{time:0<4}")));
        }
        _ => return Err(DateProblem::Unreadable),
    }
    Ok(Found { order, clock: clock(&tokens, half)? })
}

/// The first three numbers, and how many tokens they took.
fn date(tokens: &[Token]) -> Result<(Order, usize), DateProblem> {
    let mut parts: Vec<(usize, &Token)> = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        match token {
            Token::Number(_) | Token::Month(_) => parts.push((at, token)),
            Token::Sign('-' | '/' | '.' | ',' | ' ' | '年' | '月' | '日') => {}
            _ => break,
        }
        if parts.len() == 3 {
            break;
        }
    }
    let [(a_at, a), (b_at, b), (c_at, c)] = parts.as_slice() else {
        return Err(if parts.len() == 2 { DateProblem::Incomplete } else { DateProblem::Unreadable });
    };
    let marked = |at: usize, mark: char| tokens.get(at + 1) == Some(&Token::Sign(mark));
    let used = if marked(*c_at, '日') { c_at + 2 } else { c_at + 1 };
    let order = match (a, b, c) {
        (Token::Number(a), Token::Month(month), Token::Number(c)) if a.len() == 4 => {
            Order::Known { year: year(a)?, month: *month, day: number(c)? }
        }
        (Token::Number(a), Token::Month(month), Token::Number(c)) => {
            Order::Known { year: year(c)?, month: *month, day: number(a)? }
        }
        (Token::Month(month), Token::Number(b), Token::Number(c)) => {
            Order::Known { year: year(c)?, month: *month, day: number(b)? }
        }
        (Token::Number(a), Token::Number(b), Token::Number(c)) => {
            let by_words = marked(*a_at, '年') && marked(*b_at, '月');
            if by_words || a.len() == 4 {
                Order::Known { year: year(a)?, month: number(b)?, day: number(c)? }
            } else if marked(*b_at, '月') {
                // Oracle in Chinese: 10-10月-26.
                Order::Known { year: year(c)?, month: number(b)?, day: number(a)? }
            } else if c.len() == 4 && a.len() <= 2 && b.len() <= 2 {
                Order::DayAndMonth { first: number(a)?, second: number(b)?, year: year(c)? }
            } else if [a, b, c].iter().all(|part| part.len() <= 2) {
                return Err(DateProblem::TwoDigitYear);
            } else {
                return Err(DateProblem::Unreadable);
            }
        }
        _ => return Err(DateProblem::Unreadable),
    };
    Ok((order, used))
}

/// The time after a date; none when nothing follows.
fn clock(tokens: &[Token], half: Option<Half>) -> Result<Option<Clock>, DateProblem> {
    let start = tokens.iter().position(|token| !matches!(token, Token::Sign(' ' | 't' | ',')));
    let Some(start) = start else {
        return if half.is_some() { Err(DateProblem::Unreadable) } else { Ok(None) };
    };
    let mut numbers: Vec<&str> = Vec::new();
    let mut offset: Option<(char, String)> = None;
    let mut utc = false;
    for token in &tokens[start..] {
        match token {
            Token::Number(digits) => match &mut offset {
                Some((_, of)) => of.push_str(digits),
                None => numbers.push(digits),
            },
            Token::Sign(':' | '.' | ' ' | '时' | '分' | '秒') => {}
            Token::Sign(sign @ ('+' | '-')) if !numbers.is_empty() => offset = Some((*sign, String::new())),
            Token::Utc => utc = true,
            _ => return Err(DateProblem::Unreadable),
        }
    }
    // 0942 and 094200 are written together.
    let split: Vec<&str> = match numbers.as_slice() {
        [glued] | [glued, _] if matches!(glued.len(), 4 | 6) => {
            (0..glued.len()).step_by(2).map(|at| &glued[at..at + 2]).collect()
        }
        [_] if !tokens.contains(&Token::Sign('时')) => return Err(DateProblem::Unreadable),
        _ => numbers,
    };
    // A fourth number is a fraction of a second.
    let [hour, rest @ ..] = split.as_slice() else { return Err(DateProblem::Unreadable) };
    if rest.len() > 3 {
        return Err(DateProblem::Unreadable);
    }
    let minute = rest.first().map_or(Ok(0), |digits| number(digits))?;
    let second = rest.get(1).map_or(Ok(0), |digits| number(digits))?;
    let hour = of_day(number(hour)?, half)?;
    let next_day = hour == 24 && minute == 0 && second == 0;
    let hour = if next_day { 0 } else { hour };
    let time = NaiveTime::from_hms_opt(hour, minute, second.min(59)).filter(|_| second <= 60);
    let offset_minutes =
        if utc { Some(0) } else { offset.map(|(sign, digits)| minutes(sign, &digits)).transpose()? };
    Ok(Some(Clock { time: time.ok_or(DateProblem::NoSuchDate)?, next_day, offset_minutes }))
}

/// The hour of 24 for an hour with 上午 or PM.
fn of_day(hour: u32, half: Option<Half>) -> Result<u32, DateProblem> {
    match half {
        Some(Half::Morning) if hour == 12 => Ok(0),
        Some(Half::Afternoon | Half::Night) if (1..12).contains(&hour) => Ok(hour + 12),
        Some(Half::Noon) if (1..=2).contains(&hour) => Ok(hour + 12),
        // Twelve at night begins one day or the other.
        Some(Half::Night) if hour == 12 => Err(DateProblem::Unreadable),
        _ => Ok(hour),
    }
}

fn minutes(sign: char, digits: &str) -> Result<i32, DateProblem> {
    if !matches!(digits.len(), 2 | 4) {
        return Err(DateProblem::Unreadable);
    }
    let hours = number(&digits[..2])?;
    let minutes = if digits.len() == 4 { number(&digits[2..])? } else { 0 };
    let total = i32::try_from(hours * 60 + minutes).map_err(|_| DateProblem::Unreadable)?;
    Ok(if sign == '-' { -total } else { total })
}

fn tokenise(text: &str) -> Result<Vec<Token>, DateProblem> {
    let mut tokens = Vec::new();
    let mut rest = text.trim();
    while let Some(c) = rest.chars().next() {
        if c.is_ascii_digit() {
            let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
            tokens.push(Token::Number(rest[..end].to_owned()));
            rest = &rest[end..];
        } else if c.is_ascii_alphabetic() {
            let end = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
            if let Some(token) = word(&rest[..end].to_ascii_lowercase())? {
                tokens.push(token);
            }
            rest = &rest[end..];
        } else if let Some((mark, half)) = HALVES.iter().find(|(mark, _)| rest.starts_with(mark)) {
            tokens.push(Token::Half(*half));
            rest = &rest[mark.len()..];
        } else if let Some(day) = ["星期", "周", "礼拜"].iter().find_map(|mark| rest.strip_prefix(mark))
        {
            let name = day
                .chars()
                .next()
                .filter(|c| "一二三四五六日天".contains(*c))
                .ok_or(DateProblem::Unreadable)?;
            rest = &day[name.len_utf8()..];
        } else {
            let sign = match c {
                '号' => '日',
                '点' => '时',
                '钟' | '(' | ')' => ' ',
                c if c.is_whitespace() => ' ',
                '-' | '/' | '.' | ',' | ':' | '+' | '年' | '月' | '日' | '时' | '分' | '秒' => c,
                '：' => ':',
                '，' => ',',
                _ => return Err(DateProblem::Unreadable),
            };
            tokens.push(Token::Sign(sign));
            rest = &rest[c.len_utf8()..];
        }
    }
    Ok(tokens)
}

fn word(word: &str) -> Result<Option<Token>, DateProblem> {
    let begins = |name: &&str| word.starts_with(*name);
    match word {
        "am" | "a" => return Ok(Some(Token::Half(Half::Morning))),
        "pm" | "p" => return Ok(Some(Token::Half(Half::Afternoon))),
        "t" => return Ok(Some(Token::Sign('t'))),
        "z" | "utc" | "gmt" => return Ok(Some(Token::Utc)),
        "th" | "st" | "nd" | "rd" | "of" => return Ok(None),
        _ => {}
    }
    if let Some(at) = MONTHS.iter().position(begins) {
        return Ok(u32::try_from(at + 1).ok().map(Token::Month));
    }
    if WEEKDAYS.iter().any(|name| word.starts_with(name)) {
        return Ok(None);
    }
    Err(DateProblem::Unreadable)
}

fn year(digits: &str) -> Result<Year, DateProblem> {
    match digits.len() {
        2 | 4 => {
            Ok(Year { value: digits.parse().map_err(|_| DateProblem::Unreadable)?, digits: digits.len() })
        }
        _ => Err(DateProblem::Unreadable),
    }
}

fn number(digits: &str) -> Result<u32, DateProblem> {
    digits.parse().map_err(|_| DateProblem::Unreadable)
}
