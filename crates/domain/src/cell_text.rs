//! What spreadsheets and input methods do to a cell before anybody reads it:
//! full-width digits, `="…"` guards, invisible characters, scientific notation.

/// Digits that a spreadsheet keeps of a number; every digit after these becomes 0.
const KEPT_DIGITS: usize = 15;

/// Turns full-width ASCII (U+FF01–FF5E) and every kind of space into its plain form
/// and drops invisible characters. Han characters and punctuation of their own stay.
pub fn half_width(text: &str) -> String {
    text.chars()
        .filter(|c| !is_invisible(*c))
        .map(|c| match c {
            '\u{FF01}'..='\u{FF5E}' => char::from_u32(u32::from(c) - 0xFEE0).unwrap_or(c),
            '\u{A0}' | '\u{1680}' | '\u{2000}'..='\u{200A}' | '\u{202F}' | '\u{205F}' | '\u{3000}' => ' ',
            '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{FE63}' => '-',
            other => other,
        })
        .collect()
}

/// Whether a character shows nothing and means nothing in names and numbers:
/// zero-width and direction marks, byte-order mark, soft hyphen, control characters except line breaks and tab.
pub fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{AD}' | '\u{180E}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}'
        | '\u{2060}'..='\u{2064}' | '\u{2066}'..='\u{2069}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}')
        || (c.is_control() && !matches!(c, '\n' | '\r' | '\t'))
}

/// Takes away what exports put around a number to keep spreadsheets off it:
/// `="138…"`, a leading apostrophe, quotes, surrounding space.
pub fn unguard(text: &str) -> &str {
    let mut rest = text.trim();
    loop {
        let before = rest;
        rest = rest.strip_prefix('=').filter(|r| r.starts_with('"')).unwrap_or(rest);
        rest = rest.strip_prefix(['\'', '`', '\u{2018}', '\u{2019}']).unwrap_or(rest);
        if rest.len() >= 2 && rest.starts_with('"') && rest.ends_with('"') {
            rest = &rest[1..rest.len() - 1];
        }
        rest = rest.trim();
        if rest == before {
            return rest;
        }
    }
}

/// What a text that looks like a spreadsheet's number says about its digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NumberText {
    /// Not a number with an exponent or a fraction.
    Plain,
    /// The whole number, every digit certain.
    Exact(String),
    /// Digits are gone and cannot be had back.
    Lost,
}

/// Reads `1.38001E+10`, `13800138000.0`, `1.3800138E10`. Expects half-width text without guards.
///
/// A mantissa with as many digits as the number is exact; so is the form without `+`, which Java programs write
/// with as many digits as the number needs. The rest was rounded to the width of a column.
pub fn read_number_text(text: &str) -> NumberText {
    let Some((mantissa, exponent)) = text.split_once(['e', 'E']) else {
        return match text.split_once('.') {
            Some((whole, zeros))
                if is_digits(whole) && !zeros.is_empty() && zeros.bytes().all(|b| b == b'0') =>
            {
                if significant(whole) > KEPT_DIGITS {
                    NumberText::Lost
                } else {
                    NumberText::Exact(whole.to_owned())
                }
            }
            _ => NumberText::Plain,
        };
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let shortest_form = !exponent.starts_with('+') && fraction.len() >= 6;
    let Ok(exponent) = exponent.trim_start_matches('+').parse::<usize>() else { return NumberText::Plain };
    if whole.len() != 1 || !is_digits(whole) || !(fraction.is_empty() || is_digits(fraction)) {
        return NumberText::Plain;
    }
    let short = exponent > fraction.len() && !shortest_form;
    if short || exponent < fraction.len() || exponent >= KEPT_DIGITS {
        return NumberText::Lost;
    }
    NumberText::Exact(format!("{whole}{fraction}{}", "0".repeat(exponent - fraction.len())))
}

/// The digits of a number cell, or none when the number has more digits than a spreadsheet keeps or is not whole.
pub fn digits_of_number(value: f64) -> Option<String> {
    let whole = value >= 0.0 && value.fract() == 0.0 && value < 1e15;
    whole.then(|| format!("{value:.0}"))
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

fn significant(digits: &str) -> usize {
    digits.trim_start_matches('0').len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_width_and_invisible_characters_become_plain() {
        assert_eq!(half_width("１３８\u{200B}　Ａ\u{FEFF}王"), "138 A王");
    }

    #[test]
    fn guards_come_off_whatever_their_order() {
        for guarded in
            ["=\"13800138000\"", "'13800138000", " \"13800138000\" ", "\"'13800138000\"", "13800138000"]
        {
            assert_eq!(unguard(guarded), "13800138000");
        }
        assert_eq!(unguard("=1+1"), "=1+1");
    }

    #[test]
    fn rounded_numbers_are_lost_and_complete_ones_are_not() {
        let exact = |digits: &str| NumberText::Exact(digits.to_owned());
        assert_eq!(read_number_text("1.38001E+10"), NumberText::Lost);
        assert_eq!(read_number_text("1.10105E+17"), NumberText::Lost);
        assert_eq!(read_number_text("1.1010519491231002E17"), NumberText::Lost);
        assert_eq!(read_number_text("1.3800138E10"), exact("13800138000"));
        assert_eq!(read_number_text("1.3800138000E+10"), exact("13800138000"));
        assert_eq!(read_number_text("3.10101220512931E+14"), exact("310101220512931"));
        assert_eq!(read_number_text("13800138000.0"), exact("13800138000"));
        assert_eq!(read_number_text("110105194912310000.0"), NumberText::Lost);
        assert_eq!(read_number_text("010-62345678"), NumberText::Plain);
        assert_eq!(read_number_text("2026.10.10"), NumberText::Plain);
        assert_eq!(digits_of_number(13_800_138_000.0).as_deref(), Some("13800138000"));
        assert_eq!(digits_of_number(110_105_194_912_310_016.0), None);
        assert_eq!(digits_of_number(1.5), None);
    }
}
