//! Chinese telephone numbers as hospitals write them: one number, and cells with several.
//!
//! Numbers are stored in their national form with digits only: `13800138000`, `01062345678`. New mobile prefixes
//! appear and numbers move between carriers, so any 11 digits that begin with 13–19 are a mobile number.

use std::fmt;

use crate::cell_text::{NumberText, digits_of_number, half_width, read_number_text, unguard};
use crate::error_code::ErrorCode;

mod split;

pub use split::{PhoneEntry, split};

/// What kind of number it is, and so whether a person answers it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PhoneKind {
    /// A person's mobile: 11 digits, 13–19.
    Mobile,
    /// A machine's card: 13 digits, 140–144.
    Iot,
    /// Landline with area code.
    Fixed,
    /// 400 and 800 numbers.
    Hotline,
    /// Banks, carriers, emergency and premium numbers: 95588, 10086, 120, 16812345.
    Service,
    /// Another country's or region's number, kept as 00 + country code.
    Foreign,
}

impl PhoneKind {
    /// Whether a follow-up call to it makes sense.
    pub fn is_callable(self) -> bool {
        !matches!(self, Self::Iot | Self::Service)
    }

    /// Whether it receives SMS.
    pub fn takes_sms(self) -> bool {
        self == Self::Mobile
    }
}

/// A readable number.
#[derive(Clone, PartialEq, Eq)]
pub struct Phone {
    /// National form, digits only.
    pub digits: String,
    /// What it is.
    pub kind: PhoneKind,
    /// What to dial after the switchboard answers.
    pub extension: Option<String>,
    /// `+86…`; none for numbers that cannot be dialled from abroad.
    pub e164: Option<String>,
    /// What had to be put right; worth a look, but certain enough to dial.
    pub repair: Option<PhoneRepair>,
}

/// What had to be added to a number to make it one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PhoneRepair {
    /// The 0 of the area code, which a spreadsheet drops from a number.
    LeadingZero,
    /// The area code of the hospital.
    LocalArea,
}

impl fmt::Debug for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Phone(*** {:?})", self.kind)
    }
}

/// Why a text is no phone number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PhoneProblem {
    /// Nothing there, or only words.
    #[error("empty")]
    Empty,
    /// A spreadsheet has rounded the number; digits are gone.
    #[error("precision lost")]
    PrecisionLost,
    /// Too few digits, or a mobile number with one missing.
    #[error("too short")]
    TooShort,
    /// Too many digits.
    #[error("too long")]
    TooLong,
    /// Letters or signs within the number.
    #[error("characters")]
    Characters,
    /// A local number, and the hospital's area code is not set.
    #[error("needs an area code")]
    NeedsAreaCode,
    /// The right length, but no number begins like this.
    #[error("not assigned")]
    NotAssigned,
    /// The same digit over and over: typed to fill the field.
    #[error("placeholder")]
    Placeholder,
}

impl PhoneProblem {
    /// The code under which it is reported.
    pub fn error_code(self) -> ErrorCode {
        match self {
            Self::Empty => ErrorCode::Required,
            Self::PrecisionLost => ErrorCode::PhonePrecisionLost,
            Self::TooShort => ErrorCode::PhoneTooShort,
            Self::TooLong => ErrorCode::PhoneTooLong,
            Self::Characters => ErrorCode::PhoneCharacters,
            Self::NeedsAreaCode => ErrorCode::PhoneNeedsAreaCode,
            Self::NotAssigned => ErrorCode::PhoneNotAssigned,
            Self::Placeholder => ErrorCode::PhonePlaceholder,
        }
    }
}

/// Reads one number. `local_area` is the hospital's area code (`010`), for local numbers without one.
pub fn parse(text: &str, local_area: Option<&str>) -> Result<Phone, PhoneProblem> {
    let text = half_width(text);
    let text = unguard(&text);
    let exact;
    let text = match read_number_text(text) {
        NumberText::Lost => return Err(PhoneProblem::PrecisionLost),
        NumberText::Exact(digits) => {
            exact = digits;
            exact.as_str()
        }
        NumberText::Plain => text,
    };
    let (number, extension) = cut_extension(text);
    let international = number.trim_start_matches(['(', ' ']).starts_with('+');
    let mut digits = String::new();
    for c in number.chars() {
        match c {
            '0'..='9' => digits.push(c),
            '+' if digits.is_empty() => {}
            ' ' | '\t' | '-' | '.' | '(' | ')' | '_' | '\u{B7}' | '[' | ']' | '（' | '）' => {}
            _ => return Err(PhoneProblem::Characters),
        }
    }
    if digits.is_empty() {
        return Err(PhoneProblem::Empty);
    }
    if digits.len() >= 7 && digits.bytes().all(|b| Some(b) == digits.bytes().next()) {
        return Err(PhoneProblem::Placeholder);
    }
    let groups: Vec<&str> = number.split(['-', ' ', '(', ')']).filter(|group| !group.is_empty()).collect();
    if extension.is_none()
        && ends_in_extension(&groups)
        && let Some(phone) = with_dashed_extension(&groups, local_area)
    {
        return Ok(phone);
    }
    match classify(&digits, international, local_area) {
        Ok(phone) => Ok(Phone { extension, ..phone }),
        Err(problem) if extension.is_some() => Err(problem),
        Err(problem) => with_dashed_extension(&groups, local_area).ok_or(problem),
    }
}

/// Whether the dashes say that the last group is an extension although all the digits would make a number:
/// `0551-2345678-1` is not 0551-23456781.
fn ends_in_extension(groups: &[&str]) -> bool {
    match groups {
        [area, local, _] => area.starts_with('0') && (7..=8).contains(&local.len()),
        [local, extension] => {
            (7..=8).contains(&local.len()) && !local.starts_with('0') && extension.len() <= 6
        }
        _ => false,
    }
}

/// Reads a number from a number cell, where a leading 0 is gone.
pub fn from_number(value: f64, local_area: Option<&str>) -> Result<Phone, PhoneProblem> {
    match digits_of_number(value) {
        Some(digits) => parse(&digits, local_area),
        None => Err(PhoneProblem::PrecisionLost),
    }
}

/// How people write it: `138 0013 8000`, `010-62345678-8012`, `400-810-8888`.
pub fn display(phone: &Phone) -> String {
    let d = &phone.digits;
    let number = match phone.kind {
        PhoneKind::Mobile => format!("{} {} {}", &d[..3], &d[3..7], &d[7..]),
        PhoneKind::Fixed => {
            let (area, local) = d.split_at(area_length(d).min(d.len()));
            format!("{area}-{local}")
        }
        PhoneKind::Hotline => format!("{}-{}-{}", &d[..3], &d[3..6], &d[6..]),
        PhoneKind::Foreign => format!("+{}", &d[2..]),
        PhoneKind::Iot | PhoneKind::Service => d.clone(),
    };
    match &phone.extension {
        Some(extension) => format!("{number}-{extension}"),
        None => number,
    }
}

/// Hides the middle of stored digits: `138****8000`, `010****5678`.
pub fn mask(digits: &str) -> String {
    let chars: Vec<char> = digits.chars().collect();
    if chars.len() < 7 {
        return "*".repeat(chars.len());
    }
    let head = if digits.starts_with('0') {
        area_length(digits).min(4)
    } else {
        chars.len().saturating_sub(8).min(3)
    };
    chars[..head].iter().chain(['*'; 4].iter()).chain(&chars[chars.len() - 4..]).collect()
}

/// Cuts off `转8012`, `分机8012`, `ext 8012`, `x8012`, `#8012`.
fn cut_extension(text: &str) -> (&str, Option<String>) {
    let lower = text.to_ascii_lowercase();
    for mark in
        ["转分机", "分机号", "分机", "內線", "内线", "轉", "转", "extension", "ext.", "ext", "x", "#", ",,"]
    {
        let Some(at) = lower.find(mark).filter(|at| *at > 0) else { continue };
        let digits: String = text[at + mark.len()..]
            .chars()
            .filter(|c| !matches!(c, ' ' | ':' | '：' | '.' | '-' | ')' | '）'))
            .collect();
        if (1..=6).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()) {
            let number = text[..at].trim_end_matches([' ', '(', '（', '-', ',', '，']);
            return (number, Some(digits));
        }
    }
    (text, None)
}

/// `010-62345678-8012`: the last group is an extension when what stands before is a whole number.
fn with_dashed_extension(groups: &[&str], local_area: Option<&str>) -> Option<Phone> {
    let (extension, number) = groups.split_last()?;
    let all_digits = extension.bytes().all(|b| b.is_ascii_digit());
    if !(1..=6).contains(&extension.len()) || !all_digits || number.is_empty() {
        return None;
    }
    let joined: String = number.concat().chars().filter(char::is_ascii_digit).collect();
    let international = number.first().is_some_and(|group| group.contains('+'));
    let mut phone = classify(&joined, international, local_area).ok()?;
    matches!(phone.kind, PhoneKind::Fixed | PhoneKind::Hotline).then(|| {
        phone.extension = Some((*extension).to_owned());
        phone
    })
}

fn classify(digits: &str, international: bool, local_area: Option<&str>) -> Result<Phone, PhoneProblem> {
    if international {
        let Some(national) = digits.strip_prefix("86") else { return foreign(digits) };
        return from_abroad(national);
    }
    if let Some(national) = digits.strip_prefix("0086") {
        return from_abroad(national);
    }
    if let Some(abroad) = digits.strip_prefix("00") {
        return foreign(abroad);
    }
    // 86 and 086 before a mobile number: no area code begins like this with so many digits behind.
    for prefix in ["086", "86"] {
        if let Some(national) = digits.strip_prefix(prefix).filter(|rest| is_mobile(rest)) {
            return Ok(phone(national, PhoneKind::Mobile));
        }
    }
    if let Some(national) = digits.strip_prefix("86").filter(|rest| (10..=12).contains(&rest.len()))
        && let Ok(fixed) = from_abroad(national)
    {
        return Ok(fixed);
    }
    national_number(digits, local_area)
}

/// Behind a country code the area code has no 0, so nothing is missing.
fn from_abroad(national: &str) -> Result<Phone, PhoneProblem> {
    national_number(national, None).map(|phone| Phone { repair: None, ..phone })
}

/// Reads what stands after the country code, with or without the trunk 0.
fn national_number(digits: &str, local_area: Option<&str>) -> Result<Phone, PhoneProblem> {
    if is_mobile(digits) {
        return Ok(phone(digits, PhoneKind::Mobile));
    }
    if let Some(rest) = digits.strip_prefix('0') {
        if is_mobile(rest) {
            return Ok(phone(rest, PhoneKind::Mobile));
        }
        return fixed(rest, None);
    }
    match digits.len() {
        10 if digits.starts_with("400") || digits.starts_with("800") => Ok(phone(digits, PhoneKind::Hotline)),
        13 if matches!(digits.as_bytes(), [b'1', b'4', b'0'..=b'4', ..]) => Ok(phone(digits, PhoneKind::Iot)),
        3..=8 if is_service(digits) => Ok(phone(digits, PhoneKind::Service)),
        7 | 8 => local(digits, local_area),
        0..=6 => Err(PhoneProblem::TooShort),
        // A mobile number with a digit missing must not turn into a landline.
        9 | 10 if matches!(digits.as_bytes(), [b'1', b'3'..=b'9', ..]) => Err(PhoneProblem::TooShort),
        9..=11 => fixed(digits, Some(PhoneRepair::LeadingZero)),
        _ => Err(PhoneProblem::TooLong),
    }
}

fn local(digits: &str, local_area: Option<&str>) -> Result<Phone, PhoneProblem> {
    if !matches!(digits.as_bytes().first(), Some(b'2'..=b'8')) {
        return Err(if digits.starts_with('1') { PhoneProblem::TooShort } else { PhoneProblem::NotAssigned });
    }
    let area = local_area.map(|area| area.trim_start_matches('0')).filter(|area| !area.is_empty());
    let Some(area) = area else { return Err(PhoneProblem::NeedsAreaCode) };
    fixed(&format!("{area}{digits}"), Some(PhoneRepair::LocalArea))
}

/// Reads an area code without its 0 and the local number after it.
fn fixed(rest: &str, repair: Option<PhoneRepair>) -> Result<Phone, PhoneProblem> {
    let bytes = rest.as_bytes();
    let area = match bytes {
        [b'1', b'0', ..] | [b'2', b'0' | b'1'..=b'5' | b'7'..=b'9', ..] => 2,
        [b'3'..=b'9', b'0'..=b'9', b'0'..=b'9', ..] => 3,
        _ => return Err(if rest.len() < 9 { PhoneProblem::TooShort } else { PhoneProblem::NotAssigned }),
    };
    let local = rest.len().saturating_sub(area);
    // Cities with two-digit codes have eight digits everywhere.
    let shortest = if area == 2 { 8 } else { 7 };
    if local < shortest {
        return Err(PhoneProblem::TooShort);
    }
    if local > 8 {
        return Err(PhoneProblem::TooLong);
    }
    if bytes.get(area) == Some(&b'0') {
        return Err(PhoneProblem::NotAssigned);
    }
    let mut found = phone(&format!("0{rest}"), PhoneKind::Fixed);
    found.repair = repair;
    Ok(found)
}

fn foreign(digits: &str) -> Result<Phone, PhoneProblem> {
    match digits.len() {
        0..=7 => Err(PhoneProblem::TooShort),
        8..=15 if !digits.starts_with('0') => Ok(phone(&format!("00{digits}"), PhoneKind::Foreign)),
        8..=15 => Err(PhoneProblem::NotAssigned),
        _ => Err(PhoneProblem::TooLong),
    }
}

fn phone(digits: &str, kind: PhoneKind) -> Phone {
    let e164 = match kind {
        PhoneKind::Service => None,
        PhoneKind::Foreign => digits.strip_prefix("00").map(|rest| format!("+{rest}")),
        PhoneKind::Fixed => digits.strip_prefix('0').map(|rest| format!("+86{rest}")),
        PhoneKind::Mobile | PhoneKind::Iot | PhoneKind::Hotline => Some(format!("+86{digits}")),
    };
    Phone { digits: digits.to_owned(), kind, extension: None, e164, repair: None }
}

fn is_mobile(digits: &str) -> bool {
    digits.len() == 11 && matches!(digits.as_bytes(), [b'1', b'3'..=b'9', ..])
}

/// Short numbers of carriers, banks, public services (10086, 12345, 95588, 120), access codes and premium 160/168.
fn is_service(digits: &str) -> bool {
    match digits.len() {
        3 => digits.starts_with("11") || digits.starts_with("12") || digits.starts_with("10"),
        5 | 6 => ["10", "11", "12", "95", "96", "16"].iter().any(|head| digits.starts_with(head)),
        7 | 8 => digits.starts_with("95") || digits.starts_with("168") || digits.starts_with("160"),
        _ => false,
    }
}

/// Length of the area code of a landline in national form, with its 0.
fn area_length(digits: &str) -> usize {
    if matches!(digits.as_bytes(), [b'0', b'1' | b'2', ..]) { 3 } else { 4 }
}

#[cfg(test)]
mod tests;
