//! What a patient can be found by, as tokens.
//!
//! - Han: every character and every neighbouring pair; `^` and the surname's first character; the whole name and `.`
//! - Letters: for each reading and each character of the name, the beginnings (1–10 letters) of the pinyin from there
//!   on, and the initials from there on; `^` and the first 1–6 letters of the name; the whole reading and `.`
//! - Numbers: every three neighbouring digits of phones and ID number.
//!
//! `^` puts surnames before given names, `.` puts whole names before longer ones.

use std::collections::BTreeSet;

use aftercare_domain::pinyin;

/// Beginnings of pinyin are kept up to this many letters; what is typed beyond is checked on the hits.
pub(super) const LONGEST_LETTERS: usize = 10;
/// Beginnings marked with `^` are kept up to this many letters: only short ones are ambiguous.
pub(super) const LONGEST_MARKED: usize = 6;

/// The tokens of one patient, each once, joined by spaces.
pub fn document<'a>(name: &str, numbers: impl Iterator<Item = &'a str>) -> String {
    let mut tokens = BTreeSet::new();
    han(&mut tokens, name);
    letters(&mut tokens, name);
    for number in numbers {
        tokens.extend(trigrams(&number.to_ascii_lowercase()));
    }
    let mut text = String::with_capacity(tokens.len() * 6);
    for token in &tokens {
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(token);
    }
    text
}

/// Every three neighbouring characters.
pub(super) fn trigrams(number: &str) -> Vec<String> {
    let chars: Vec<char> = number.chars().filter(char::is_ascii_alphanumeric).collect();
    chars.windows(3).map(|three| three.iter().collect()).collect()
}

/// Every character when there is one, else every neighbouring pair.
pub(super) fn han_pairs(han: &str) -> Vec<String> {
    let chars: Vec<char> = han.chars().collect();
    match chars.as_slice() {
        [one] => vec![one.to_string()],
        many => many.windows(2).map(|pair| pair.iter().collect()).collect(),
    }
}

fn han(tokens: &mut BTreeSet<String>, name: &str) {
    let han = pinyin::han_only(name);
    tokens.extend(han.chars().map(String::from));
    tokens.extend(han_pairs(&han));
    if let Some(first) = han.chars().next() {
        tokens.insert(format!("^{first}"));
        tokens.insert(format!("{han}."));
    }
}

fn letters(tokens: &mut BTreeSet<String>, name: &str) {
    for reading in pinyin::readings(name) {
        for (from, to) in [("ü", "v"), ("ü", "u")] {
            let syllables: Vec<String> = reading.iter().map(|syllable| syllable.replace(from, to)).collect();
            for start in 0..syllables.len() {
                beginnings(tokens, &syllables[start..].concat(), start == 0);
                let initials: String = syllables[start..].iter().filter_map(|s| s.chars().next()).collect();
                beginnings(tokens, &initials, false);
            }
            tokens.insert(format!("{}.", syllables.concat()));
            if !reading.iter().any(|syllable| syllable.contains(from)) {
                break;
            }
        }
    }
}

fn beginnings(tokens: &mut BTreeSet<String>, text: &str, marked: bool) {
    for (count, (at, c)) in text.char_indices().take(LONGEST_LETTERS).enumerate() {
        let beginning = &text[..at + c.len_utf8()];
        if marked && count < LONGEST_MARKED {
            tokens.insert(format!("^{beginning}"));
        }
        tokens.insert(beginning.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(name: &str) -> Vec<String> {
        document(name, std::iter::empty()).split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn a_name_is_found_by_its_characters_pinyin_and_initials() {
        let all = tokens("王小明");
        for token in
            ["王", "小", "王小", "小明", "^王", "王小明.", "^wan", "wangxiao", "xiaom", "m", "wxm", "xm"]
        {
            assert!(all.iter().any(|t| t == token), "{token}");
        }
        assert!(!all.iter().any(|t| t == "wangxiaoming"), "beginnings end at ten letters");
        assert!(all.iter().any(|t| t == "wangxiaoming."));
    }

    #[test]
    fn a_surname_of_two_readings_and_u_umlaut_are_found_both_ways() {
        let shan = tokens("单绿");
        for token in ["shanlv", "shanlu", "danlv", "dl", "sl", "^sh", "^da"] {
            assert!(shan.iter().any(|t| t == token), "{token}");
        }
    }

    #[test]
    fn numbers_are_cut_into_threes() {
        let text = document("", ["0021X"].into_iter());
        assert_eq!(text, "002 021 21x");
    }
}
