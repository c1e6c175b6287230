//! Names as they are searched: Han characters, full pinyin and initials.
//!
//! Surnames with a reading of their own are found both ways (单 shan and dan), because the person who types may know
//! only one. ü is found as v and as u.

mod dictionary;
mod query;

pub(crate) use dictionary::dictionary;
pub use query::{Part, Query, classify, matches};

/// A name has at most so many readings in the index; the likelier ones stay.
pub const MAX_READINGS: usize = 8;
/// Longer names have no Chinese surname: they are names of other languages in Han characters.
const LONGEST_CHINESE_NAME: usize = 4;

/// What goes into the search index for one name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SearchTerms {
    /// The Han characters, without spaces and dots. Empty for names in Latin letters.
    pub han: String,
    /// Joined pinyin of each reading, lower case: `shanxiongxin`, `danxiongxin`. Latin names as they are.
    pub pinyin_full: Vec<String>,
    /// First letters of each reading: `sxx`, `dxx`.
    pub initials: Vec<String>,
}

/// One character of a name with its readings, likeliest first; none when nobody knows how to read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Syllable {
    /// The character, or a whole Latin word.
    pub text: String,
    /// Readings with ü; a Latin word reads as itself.
    pub readings: Vec<String>,
}

/// The terms under which a name is found.
pub fn search_terms(name: &str) -> SearchTerms {
    let (mut pinyin_full, mut initials) = (Vec::new(), Vec::new());
    for reading in readings(name) {
        let joined = reading.concat();
        for spelling in [joined.replace('ü', "v"), joined.replace('ü', "u")] {
            push_new(&mut pinyin_full, spelling);
        }
        push_new(&mut initials, reading.iter().filter_map(|syllable| syllable.chars().next()).collect());
    }
    SearchTerms { han: han_only(name), pinyin_full, initials }
}

/// The Han characters of a text, in order.
pub fn han_only(text: &str) -> String {
    text.chars().filter(|c| is_han(*c)).collect()
}

/// Whether a character is written Chinese: all the unified blocks, the compatibility ones, 〇, radicals, and the
/// private ones that old code pages left behind.
pub fn is_han(c: char) -> bool {
    matches!(u32::from(c),
        0x2E80..=0x2FDF | 0x3007 | 0x3400..=0x4DBF | 0x4E00..=0x9FFF | 0xE000..=0xF8FF | 0xF900..=0xFAFF
        | 0x20000..=0x323AF)
}

/// Every reading of a name, likeliest first, at most [`MAX_READINGS`]. Characters without a known reading are left out.
pub fn readings(name: &str) -> Vec<Vec<String>> {
    let (surname, rest) = surname_and_rest(name);
    let rest: Vec<Vec<String>> =
        rest.into_iter().map(|syllable| syllable.readings).filter(|readings| !readings.is_empty()).collect();
    let mut ranked: Vec<(usize, Vec<String>)> = surname.into_iter().enumerate().collect();
    for options in &rest {
        let mut longer = Vec::with_capacity(ranked.len() * options.len());
        for (rank, reading) in &ranked {
            for (extra, option) in options.iter().enumerate() {
                let mut reading = reading.clone();
                reading.push(option.clone());
                // A rare reading of a given name is less likely than the other reading of a surname.
                longer.push((rank + extra * 2, reading));
            }
        }
        longer.sort_by_key(|(rank, _)| *rank);
        longer.truncate(MAX_READINGS);
        ranked = longer;
    }
    ranked.into_iter().map(|(_, reading)| reading).filter(|reading| !reading.is_empty()).collect()
}

/// The characters of a name with the readings each may have; positions are kept for characters nobody can read.
pub fn syllables(name: &str) -> Vec<Syllable> {
    let (surnames, rest) = surname_and_rest(name);
    let length = surnames.first().map_or(0, Vec::len);
    let mut all: Vec<Syllable> = surname_text(name)
        .chars()
        .take(length)
        .enumerate()
        .map(|(at, c)| {
            let mut readings = Vec::new();
            for reading in &surnames {
                if let Some(syllable) = reading.get(at) {
                    push_new(&mut readings, syllable.clone());
                }
            }
            Syllable { text: c.to_string(), readings }
        })
        .collect();
    all.extend(rest);
    all
}

/// Readings of the surname, each a list of syllables (one empty list when there is no surname), and what follows it.
fn surname_and_rest(name: &str) -> (Vec<Vec<String>>, Vec<Syllable>) {
    let surname = surname_text(name);
    let rest = given_syllables(&name.trim_start()[surname.len()..]);
    if surname.is_empty() {
        return (vec![Vec::new()], rest);
    }
    if let Some(readings) = dictionary().compound(&surname) {
        return (readings, rest);
    }
    let first = surname.chars().next();
    let readings: Vec<Vec<String>> = first
        .map(|c| dictionary().surname(c))
        .unwrap_or_default()
        .into_iter()
        .map(|reading| vec![reading])
        .collect();
    if readings.is_empty() {
        let unread = Syllable { text: surname, readings: Vec::new() };
        return (vec![Vec::new()], [vec![unread], rest].concat());
    }
    (readings, rest)
}

/// The surname of a Chinese name; empty for names of other languages.
fn surname_text(name: &str) -> String {
    let name = name.trim_start();
    let chinese = name.chars().next().is_some_and(is_han) && !name.contains('\u{B7}');
    if !chinese {
        return String::new();
    }
    if let Some(compound) = dictionary().compound_prefix(name) {
        return compound.to_owned();
    }
    if name.chars().filter(|c| is_han(*c)).count() > LONGEST_CHINESE_NAME && !is_newborn(name) {
        return String::new();
    }
    name.chars().take(1).collect()
}

fn is_newborn(name: &str) -> bool {
    name.contains("之") && name.chars().count() <= LONGEST_CHINESE_NAME + 3
}

/// Han characters one by one, Latin words whole, everything else dropped.
fn given_syllables(text: &str) -> Vec<Syllable> {
    let mut all: Vec<Syllable> = Vec::new();
    let mut word = String::new();
    for c in text.chars().chain([' ']) {
        if c.is_alphanumeric() && !is_han(c) {
            word.extend(c.to_lowercase());
            continue;
        }
        if !word.is_empty() {
            let text = std::mem::take(&mut word);
            all.push(Syllable { readings: vec![text.clone()], text });
        }
        if is_han(c) {
            all.push(Syllable { text: c.to_string(), readings: dictionary().given(c) });
        }
    }
    all
}

fn push_new(list: &mut Vec<String>, item: String) {
    if !item.is_empty() && !list.contains(&item) {
        list.push(item);
    }
}

#[cfg(test)]
mod tests;
