//! `value[x]` and `answer[x]`: one value of one of FHIR's types.

use std::cmp::Ordering;

use serde_json::{Map, Value};

use super::model::text;

/// A value of a type that answers have.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Given<'a> {
    Boolean(bool),
    Decimal(f64),
    Integer(i64),
    Date(&'a str),
    DateTime(&'a str),
    Time(&'a str),
    String(&'a str),
    Uri(&'a str),
    Coding { system: &'a str, code: &'a str, display: &'a str },
    Quantity { number: f64, unit: &'a str },
    Reference(&'a str),
    Attachment,
}

impl<'a> Given<'a> {
    /// The one value of an element (`value…`, `answer…`); none when there is none, more than one, or it is malformed.
    pub(super) fn of(element: &'a Map<String, Value>, prefix: &str) -> Option<Self> {
        let mut named = element.iter().filter(|(key, _)| {
            key.strip_prefix(prefix)
                .is_some_and(|rest| rest.starts_with(|letter: char| letter.is_ascii_uppercase()))
        });
        let (key, value) = named.next()?;
        if named.next().is_some() {
            return None;
        }
        Self::read(key.strip_prefix(prefix)?, value)
    }

    fn read(kind: &str, value: &'a Value) -> Option<Self> {
        Some(match kind {
            "Boolean" => Self::Boolean(value.as_bool()?),
            "Decimal" => Self::Decimal(value.as_f64()?),
            "Integer" => Self::Integer(value.as_i64().filter(|number| i32::try_from(*number).is_ok())?),
            "Date" => Self::Date(value.as_str().filter(|text| is_date(text))?),
            "DateTime" => Self::DateTime(value.as_str().filter(|text| is_date_time(text))?),
            "Time" => Self::Time(value.as_str().filter(|text| is_time(text))?),
            "String" => Self::String(value.as_str()?),
            "Uri" => Self::Uri(value.as_str()?),
            "Coding" => {
                let coding = value.as_object()?;
                let display = text(coding, "display");
                Self::Coding { system: text(coding, "system"), code: text(coding, "code"), display }
            }
            "Quantity" => {
                let quantity = value.as_object()?;
                let code = text(quantity, "code");
                let unit = if code.is_empty() { text(quantity, "unit") } else { code };
                Self::Quantity { number: quantity.get("value")?.as_f64()?, unit }
            }
            "Reference" => Self::Reference(text(value.as_object()?, "reference")),
            "Attachment" => value.as_object().map(|_| Self::Attachment)?,
            _ => return None,
        })
    }

    /// Whether it is the same answer. A coding without a system is its code in any system.
    pub(super) fn same(&self, other: &Given<'_>) -> bool {
        match (self, other) {
            (
                Self::Coding { system, code, display },
                Given::Coding { system: theirs, code: other, display: name },
            ) => {
                let systems = system.is_empty() || theirs.is_empty() || system == theirs;
                let codes = if code.is_empty() && other.is_empty() { display == name } else { code == other };
                systems && codes
            }
            _ => self.compare(other) == Some(Ordering::Equal),
        }
    }

    /// The order of two values of kinds that have one.
    pub(super) fn compare(&self, other: &Given<'_>) -> Option<Ordering> {
        if let (Some(left), Some(right)) = (self.number(), other.number()) {
            return match (self, other) {
                (Self::Quantity { unit, .. }, Given::Quantity { unit: theirs, .. }) if unit != theirs => None,
                _ => left.partial_cmp(&right),
            };
        }
        match (self, other) {
            (Self::Boolean(left), Given::Boolean(right)) => left.partial_cmp(right),
            (Self::Date(left) | Self::DateTime(left), Given::Date(right) | Given::DateTime(right)) => {
                // A year is compared with a day by the year: what is not said is not compared.
                let length = left.len().min(right.len());
                Some(left.get(..length)?.cmp(right.get(..length)?))
            }
            (Self::Time(left), Given::Time(right))
            | (Self::String(left), Given::String(right))
            | (Self::Uri(left), Given::Uri(right))
            | (Self::Reference(left), Given::Reference(right)) => Some(left.cmp(right)),
            _ => None,
        }
    }

    /// The number, for kinds that are one.
    #[allow(clippy::cast_precision_loss, reason = "integers of FHIR have 32 bits")]
    pub(super) fn number(&self) -> Option<f64> {
        match self {
            Self::Decimal(number) | Self::Quantity { number, .. } => Some(*number),
            Self::Integer(number) => Some(*number as f64),
            _ => None,
        }
    }
}

fn digits(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// `2026`, `2026-11` or `2026-11-23`, a day that exists.
pub(super) fn is_date(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    match parts.as_slice() {
        [year] => digits(year, 4),
        [year, month] => digits(year, 4) && digits(month, 2) && ("01"..="12").contains(month),
        [year, month, day] => {
            digits(year, 4) && digits(month, 2) && digits(day, 2) && text.parse::<chrono::NaiveDate>().is_ok()
        }
        _ => false,
    }
}

fn is_time(text: &str) -> bool {
    text.len() >= 8 && text.parse::<chrono::NaiveTime>().is_ok()
}

/// A date, or a date and time with its zone.
fn is_date_time(text: &str) -> bool {
    is_date(text) || chrono::DateTime::parse_from_rfc3339(text).is_ok()
}
