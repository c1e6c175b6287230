//! What a person means who types into the search field.

use super::{Syllable, is_han, syllables};
use crate::cell_text::{half_width, unguard};

/// One thing a typed text can mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Query {
    /// A piece of a name in Han characters.
    Han(String),
    /// Pinyin in full or initials, or a Latin name: the letters joined, and the words as they were separated.
    Letters {
        /// Lower case, ü as v, without spaces: `wangwei`.
        joined: String,
        /// As typed between spaces: `wang`, `wei`.
        words: Vec<String>,
    },
    /// Digits of a phone, ID or hospital number, without spaces, dashes and country code.
    Digits(String),
    /// The end of an ID number with its X: `002X`.
    IdTail(String),
    /// A hospital or card number with letters, upper case: `ZY2622000`.
    Code(String),
    /// Han characters and letters of one name: `王w`.
    Mixed(Vec<Part>),
    /// All of these at once: `王伟 8000`.
    All(Vec<Query>),
}

/// One run of a mixed query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// Han characters as they stand in the name.
    Han(String),
    /// Pinyin or initials of the characters that follow.
    Letters(String),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Han,
    Letter,
    Digit,
}

/// What the text can be, likeliest first. Empty for a text that says nothing.
pub fn classify(text: &str) -> Vec<Query> {
    let text = half_width(text);
    let text = unguard(&text).to_lowercase();
    let words: Vec<String> =
        text.split_whitespace().map(clean_word).filter(|word| !word.is_empty()).collect();
    let kinds: Vec<Vec<Class>> = words.iter().map(|word| classes(word)).collect();
    let all_one = |class| kinds.iter().all(|kind| kind.as_slice() == [class]);
    if words.is_empty() {
        return Vec::new();
    }
    let joined = words.concat();
    if all_one(Class::Digit) {
        return vec![Query::Digits(without_country(&text, joined))];
    }
    if all_one(Class::Han) {
        return vec![Query::Han(joined)];
    }
    if all_one(Class::Letter) {
        return vec![Query::Letters { joined, words }];
    }
    if let [word] = words.as_slice() {
        return one_word(word, &kinds[0]);
    }
    let no_digits = kinds.iter().flatten().all(|class| *class != Class::Digit);
    if no_digits {
        return vec![Query::Mixed(parts(&joined))];
    }
    // An ID typed in groups: 1101 0519 4912 3100 2x.
    let (head, tail) = joined.split_at(joined.len() - joined.chars().last().map_or(0, char::len_utf8));
    if tail == "x" && head.bytes().all(|b| b.is_ascii_digit()) {
        return vec![Query::IdTail(joined.to_uppercase())];
    }
    let each: Vec<Query> =
        group_words(&words, &kinds).iter().filter_map(|word| classify(word).into_iter().next()).collect();
    vec![Query::All(each)]
}

/// Whether a name fits a query about names: Han fragments, letters as pinyin or initials in any reading, and mixtures.
/// The match may begin at any character. Queries about numbers fit no name.
pub fn matches(name: &str, query: &Query) -> bool {
    let parts = match query {
        Query::Han(han) => vec![Part::Han(han.clone())],
        Query::Letters { joined, .. } => vec![Part::Letters(joined.clone())],
        Query::Mixed(parts) => parts.clone(),
        Query::All(all) => return all.iter().all(|query| matches(name, query)),
        Query::Digits(_) | Query::IdTail(_) | Query::Code(_) => return false,
    };
    let syllables = syllables(name);
    (0..syllables.len()).any(|start| fits(&syllables[start..], &parts))
}

fn fits(syllables: &[Syllable], parts: &[Part]) -> bool {
    let Some((part, later)) = parts.split_first() else { return true };
    match part {
        Part::Han(han) => {
            let count = han.chars().count();
            let same = syllables.len() >= count
                && han.chars().zip(syllables).all(|(c, syllable)| syllable.text.chars().eq([c]));
            same && fits(&syllables[count..], later)
        }
        Part::Letters(letters) => letters_fit(syllables, letters, later),
    }
}

/// Uses the letters up syllable by syllable: each gives its whole reading or its first letter, the last one any
/// beginning of its reading.
fn letters_fit(syllables: &[Syllable], letters: &str, later: &[Part]) -> bool {
    if letters.is_empty() {
        return fits(syllables, later);
    }
    let Some((syllable, rest)) = syllables.split_first() else { return false };
    if syllable.readings.is_empty() {
        return letters_fit(rest, letters, later);
    }
    syllable.readings.iter().flat_map(|reading| [reading.replace('ü', "v"), reading.replace('ü', "u")]).any(
        |reading| {
            let begun = reading.starts_with(letters) && fits(rest, later);
            let whole =
                letters.strip_prefix(reading.as_str()).is_some_and(|left| letters_fit(rest, left, later));
            let first: String = reading.chars().take(1).collect();
            begun
                || whole
                || letters.strip_prefix(first.as_str()).is_some_and(|left| letters_fit(rest, left, later))
        },
    )
}

fn one_word(word: &str, kinds: &[Class]) -> Vec<Query> {
    let has = |class| kinds.contains(&class);
    if !has(Class::Han) {
        let code = Query::Code(word.to_uppercase());
        let tail = word.strip_suffix('x').is_some_and(|head| head.bytes().all(|b| b.is_ascii_digit()));
        return if tail { vec![Query::IdTail(word.to_uppercase()), code] } else { vec![code] };
    }
    if !has(Class::Digit) {
        return vec![Query::Mixed(parts(word))];
    }
    // 王伟8000: the name and the number.
    let split = word
        .char_indices()
        .find(|(_, c)| c.is_ascii_digit() != word.starts_with(|c: char| c.is_ascii_digit()));
    match split {
        Some((at, _)) => {
            let (first, second) = word.split_at(at);
            vec![Query::All(
                [classify(first), classify(second)]
                    .into_iter()
                    .filter_map(|q| q.into_iter().next())
                    .collect(),
            )]
        }
        None => Vec::new(),
    }
}

/// Puts neighbouring words of one kind together again: `138 0013 王 伟` is one number and one name.
fn group_words(words: &[String], kinds: &[Vec<Class>]) -> Vec<String> {
    let mut groups: Vec<(Vec<Class>, String)> = Vec::new();
    for (word, kind) in words.iter().zip(kinds) {
        match groups.last_mut() {
            Some((last, text)) if last == kind && kind.len() == 1 => {
                if kind[0] == Class::Letter {
                    text.push(' ');
                }
                text.push_str(word);
            }
            _ => groups.push((kind.clone(), word.clone())),
        }
    }
    groups.into_iter().map(|(_, text)| text).collect()
}

fn parts(text: &str) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    for c in text.chars() {
        match parts.last_mut() {
            Some(Part::Han(han)) if is_han(c) => han.push(c),
            Some(Part::Letters(letters)) if !is_han(c) => letters.push(c),
            _ if is_han(c) => parts.push(Part::Han(c.to_string())),
            _ => parts.push(Part::Letters(c.to_string())),
        }
    }
    parts
}

/// Keeps Han characters, letters and digits; ü becomes v, as the index has it.
fn clean_word(word: &str) -> String {
    word.chars()
        .filter(|c| is_han(*c) || c.is_alphanumeric())
        .map(|c| if matches!(c, 'ü' | 'ǖ' | 'ǘ' | 'ǚ' | 'ǜ') { 'v' } else { c })
        .collect()
}

/// The kinds of character in a word, each once, in order of appearance.
fn classes(word: &str) -> Vec<Class> {
    let mut found = Vec::new();
    for c in word.chars() {
        let class = match c {
            '0'..='9' => Class::Digit,
            c if is_han(c) => Class::Han,
            _ => Class::Letter,
        };
        if !found.contains(&class) {
            found.push(class);
        }
    }
    found
}

fn without_country(typed: &str, digits: String) -> String {
    let prefix = if typed.starts_with("+86") { "86" } else { "0086" };
    let explicit = typed.starts_with('+') || digits.starts_with("0086");
    match digits.strip_prefix(prefix).filter(|_| explicit) {
        Some(rest) => rest.to_owned(),
        None => digits,
    }
}
