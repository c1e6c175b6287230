//! ICD-10 codes as Chinese hospitals write them: `I10.x00x002`, `Ｉ10`, `N20000`.

use std::cmp::Ordering;

use crate::cell_text::{half_width, unguard};

/// Longest code of the national extensions, with room.
const LONGEST: usize = 16;

/// Chapters of ICD-10 by their first and last category.
const CHAPTERS: [(&str, &str); 22] = [
    ("A00", "B99"),
    ("C00", "D48"),
    ("D50", "D89"),
    ("E00", "E90"),
    ("F00", "F99"),
    ("G00", "G99"),
    ("H00", "H59"),
    ("H60", "H95"),
    ("I00", "I99"),
    ("J00", "J99"),
    ("K00", "K93"),
    ("L00", "L99"),
    ("M00", "M99"),
    ("N00", "N99"),
    ("O00", "O99"),
    ("P00", "P96"),
    ("Q00", "Q99"),
    ("R00", "R99"),
    ("S00", "T98"),
    ("V01", "Y98"),
    ("Z00", "Z99"),
    ("U00", "U99"),
];

/// The usual form of a disease code: half-width, capital letter, dot after the category, small x for an unused place.
/// None when the text is no disease code (morphology codes and procedures are not).
pub fn normalise(text: &str) -> Option<String> {
    let text = half_width(text);
    let kept: String =
        unguard(&text).chars().filter(|c| !c.is_whitespace() && !matches!(c, '*' | '+' | '†')).collect();
    let (category, rest) = kept.split_at_checked(3)?;
    let [letter, tens, ones] = category.as_bytes() else { return None };
    if !letter.is_ascii_alphabetic()
        || !tens.is_ascii_digit()
        || !ones.is_ascii_digit()
        || kept.len() > LONGEST
    {
        return None;
    }
    let detail = rest.strip_prefix('.').unwrap_or(rest);
    if !detail.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return None;
    }
    let category = category.to_ascii_uppercase();
    let detail = detail.to_ascii_lowercase();
    Some(if detail.is_empty() { category } else { format!("{category}.{detail}") })
}

/// Whether a code lies under a prefix (`I10`, `Z96.6`) or a range of categories (`S72-S73`). Dots and case do not matter.
pub fn is_under(code: &str, prefix: &str) -> bool {
    compact(code).is_some_and(|code| compact_is_under(&code, prefix))
}

/// Whether a code lies under any of the prefixes or ranges.
pub fn is_under_any<P: AsRef<str>>(code: &str, prefixes: &[P]) -> bool {
    compact(code).is_some_and(|code| prefixes.iter().any(|prefix| compact_is_under(&code, prefix.as_ref())))
}

/// A code for many comparisons: capitals and digits only. None when the text is no disease code. Of a pair
/// (`E11.500x040+I79.2*`) the disease itself counts, not where it shows.
pub(crate) fn compact(code: &str) -> Option<String> {
    let disease = code.split(['+', '＋', '†']).next().unwrap_or(code);
    let mut code = normalise(disease)?;
    code.retain(|c| c != '.');
    code.make_ascii_uppercase();
    Some(code)
}

/// [`is_under`] for a compact code.
pub(crate) fn compact_is_under(code: &str, prefix: &str) -> bool {
    let Some((from, to)) = prefix.split_once(['-', '–', '~']) else {
        return compare_beginning(code, prefix) == Some(Ordering::Equal);
    };
    let above = compare_beginning(code, from).is_some_and(Ordering::is_ge);
    above && compare_beginning(code, to).is_some_and(Ordering::is_le)
}

/// How as much of the code as the bound has compares to the bound; none for a bound that says nothing.
fn compare_beginning(code: &str, bound: &str) -> Option<Ordering> {
    let mut bound =
        bound.bytes().filter(u8::is_ascii_alphanumeric).map(|b| b.to_ascii_uppercase()).peekable();
    bound.peek()?;
    let mut code = code.bytes();
    for wanted in bound {
        match code.next().map(|found| found.cmp(&wanted)) {
            Some(Ordering::Equal) => {}
            Some(other) => return Some(other),
            None => return Some(Ordering::Less),
        }
    }
    Some(Ordering::Equal)
}

/// The chapter of a code, 1 to 22.
pub fn chapter(code: &str) -> Option<u8> {
    let code = normalise(code)?;
    let category = code.get(..3)?;
    let at = CHAPTERS.iter().position(|(from, to)| (*from..=*to).contains(&category))?;
    u8::try_from(at + 1).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_take_their_usual_form() {
        for (text, code) in [
            ("Ｉ10.X00X002", "I10.x00x002"),
            ("i10.x00x002", "I10.x00x002"),
            ("I10", "I10"),
            ("I10.", "I10"),
            ("N20000", "N20.000"),
            (" S72.000x011 ", "S72.000x011"),
            ("G59.0*", "G59.0"),
            ("E14.4+", "E14.4"),
        ] {
            assert_eq!(normalise(text).as_deref(), Some(code), "{text}");
        }
        for text in ["", "高血压", "M8140/3", "47.09", "I1", "I10.x00.1", "I10;E11"] {
            assert_eq!(normalise(text), None, "{text}");
        }
    }

    #[test]
    fn a_prefix_or_a_range_takes_in_what_lies_under_it() {
        assert!(is_under("I10.x00x002", "I10"));
        assert!(is_under("E11.500x040+I79.2*", "E11"));
        assert!(!is_under("E11.500x040+I79.2*", "I79"), "a pair is its disease");
        assert!(is_under("I10.X00", "i10.x00"));
        assert!(is_under("I11.000", "I11.0"));
        assert!(!is_under("I11.900", "I11.0"));
        assert!(!is_under("I10.x00", "I1O"));
        assert!(is_under("S73.100", "S72-S73"));
        assert!(is_under("C50.900", "C00-C97"));
        assert!(!is_under("S74.0", "S72-S73"));
        assert!(is_under_any("Z96.600x003", &["M16", "Z96.6"]));
        assert!(!is_under("", "I10") && !is_under("I10", ""));
    }

    #[test]
    fn chapters_are_known() {
        assert_eq!(chapter("I10.x00"), Some(9));
        assert_eq!(chapter("D50.0"), Some(3));
        assert_eq!(chapter("T84.0"), Some(19));
        assert_eq!(chapter("U07.1"), Some(22));
        assert_eq!(chapter("D49"), None);
    }
}
