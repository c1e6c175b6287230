//! From what was typed to look-ups, dearest last.

use aftercare_domain::pinyin::{Part, Query};

use super::tokens::{LONGEST_LETTERS, LONGEST_MARKED, han_pairs, trigrams};

/// Which columns a typed number may stand in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NumberIndex {
    Mrn,
    OutpatientNo,
    CardNo,
    VisitNo,
    IdNumber,
    Phone,
}

/// One step of a search. Steps of one query run in order until there are enough hits.
#[derive(Debug, PartialEq)]
pub(super) enum Step {
    /// The number as it stands, in an ordinary index.
    Exact(NumberIndex, String),
    /// Numbers that begin like this, in an ordinary index.
    Beginning(NumberIndex, String),
    /// A full-text expression, newest hits first; `exact` when every hit is exactly what was typed.
    Text { expression: String, exact: bool },
    /// A full-text expression that is asked only when nothing was found before it.
    Otherwise { expression: String },
}

/// From so many digits on a number is no telephone's, and so few people's ID numbers begin with it (a region, a year and
/// a month) that the ordinary index answers whole. Walking long lists for the few who fit costs far more.
const ID_BEGINS: usize = 12;

/// Hospital numbers are typed without their leading zeros: widths that are tried.
const PADDED: std::ops::RangeInclusive<usize> = 6..=10;

/// Up to so many trigrams (of seven digits) all are asked for.
const ALL_TRIGRAMS: usize = 5;
/// Of longer numbers at most so many: the last eleven digits.
const MOST_TRIGRAMS: usize = 5;

/// The steps for one meaning of the typed text.
pub(super) fn plan(query: &Query) -> Vec<Step> {
    match query {
        Query::Han(han) => han_steps(han),
        Query::Letters { joined, .. } => letter_steps(joined),
        Query::Digits(digits) => number_steps(digits),
        Query::IdTail(tail) => {
            let mut steps = vec![Step::Exact(NumberIndex::IdNumber, tail.clone())];
            steps.extend(text_of(query).map(text));
            steps
        }
        Query::Code(code) => code_steps(code),
        Query::Mixed(_) => text_of(query).map(text).into_iter().collect(),
        Query::All(all) => {
            let mut steps: Vec<Step> = all.iter().filter_map(digits_of).flat_map(exact_steps).collect();
            steps.extend(text_of(query).map(text));
            steps
        }
    }
}

fn text(expression: String) -> Step {
    Step::Text { expression, exact: false }
}

fn exact_text(expression: String) -> Step {
    Step::Text { expression, exact: true }
}

fn han_steps(han: &str) -> Vec<Step> {
    let one = han.chars().count() == 1;
    let first = if one { text(quoted(&format!("^{han}"))) } else { exact_text(quoted(&format!("{han}."))) };
    vec![first, text(all_of(&han_pairs(han)))]
}

fn letter_steps(letters: &str) -> Vec<Step> {
    let mut steps = vec![exact_text(quoted(&format!("{letters}.")))];
    if letters.chars().count() <= LONGEST_MARKED {
        steps.push(text(quoted(&format!("^{letters}"))));
    }
    steps.push(text(beginning(letters)));
    if let Some(split) = split_letters(letters) {
        steps.push(text(split));
    }
    steps
}

/// Half pinyin, half initials (`wangxm`, `wxiaom`): every way to cut the letters in two.
fn split_letters(letters: &str) -> Option<String> {
    let cuts = letters.char_indices().skip(1).map(|(at, _)| letters.split_at(at));
    let ways: Vec<String> =
        cuts.take(LONGEST_LETTERS).map(|(a, b)| format!("({} AND {})", beginning(a), beginning(b))).collect();
    (!ways.is_empty()).then(|| ways.join(" OR "))
}

fn number_steps(digits: &str) -> Vec<Step> {
    let mut steps = exact_steps(digits);
    if digits.len() >= 2 {
        for index in [NumberIndex::Mrn, NumberIndex::OutpatientNo, NumberIndex::CardNo, NumberIndex::VisitNo]
        {
            steps.push(Step::Beginning(index, digits.to_owned()));
        }
    }
    let threes = telling(trigrams(digits));
    if digits.len() >= ID_BEGINS {
        steps.push(Step::Beginning(NumberIndex::IdNumber, digits.to_owned()));
        steps.push(Step::Otherwise { expression: all_of(&threes) });
    } else if !threes.is_empty() {
        steps.push(text(all_of(&threes)));
    }
    steps
}

fn exact_steps(digits: &str) -> Vec<Step> {
    let whole = digits.to_owned();
    let mut steps = vec![Step::Exact(NumberIndex::Mrn, whole.clone())];
    for width in PADDED.filter(|width| *width > digits.len()) {
        steps.push(Step::Exact(NumberIndex::Mrn, format!("{digits:0>width$}")));
    }
    for index in [NumberIndex::OutpatientNo, NumberIndex::CardNo, NumberIndex::VisitNo] {
        steps.push(Step::Exact(index, whole.clone()));
    }
    if digits.len() >= 15 {
        steps.push(Step::Exact(NumberIndex::IdNumber, whole.clone()));
    }
    if digits.len() >= 7 {
        steps.push(Step::Exact(NumberIndex::Phone, whole));
    }
    steps
}

fn code_steps(code: &str) -> Vec<Step> {
    let indexes = [
        NumberIndex::Mrn,
        NumberIndex::OutpatientNo,
        NumberIndex::CardNo,
        NumberIndex::VisitNo,
        NumberIndex::IdNumber,
    ];
    let spellings = [code.to_owned(), code.to_lowercase()];
    let each = |spelling: &String, step: fn(NumberIndex, String) -> Step| {
        indexes.iter().map(|index| step(*index, spelling.clone())).collect::<Vec<_>>()
    };
    let mut steps: Vec<Step> = spellings.iter().flat_map(|s| each(s, Step::Exact)).collect();
    steps.extend(spellings.iter().flat_map(|s| each(s, Step::Beginning)));
    steps
}

/// The expression that every patient fits whom the query means; none for what the index cannot narrow.
fn text_of(query: &Query) -> Option<String> {
    match query {
        Query::Han(han) => Some(all_of(&han_pairs(han))),
        Query::Letters { joined, .. } => {
            let whole = beginning(joined);
            Some(split_letters(joined).map_or(whole.clone(), |split| format!("({whole} OR {split})")))
        }
        Query::Digits(number) | Query::IdTail(number) => {
            let threes = telling(trigrams(&number.to_lowercase()));
            (!threes.is_empty()).then(|| all_of(&threes))
        }
        Query::Code(_) => None,
        Query::Mixed(parts) => Some(
            parts
                .iter()
                .map(|part| match part {
                    Part::Han(han) => all_of(&han_pairs(han)),
                    Part::Letters(letters) => beginning(letters),
                })
                .collect::<Vec<_>>()
                .join(" AND "),
        ),
        Query::All(all) => {
            let parts: Vec<String> = all.iter().filter_map(text_of).collect();
            (!parts.is_empty()).then(|| parts.join(" AND "))
        }
    }
}

fn digits_of(query: &Query) -> Option<&str> {
    match query {
        Query::Digits(digits) => Some(digits),
        _ => None,
    }
}

fn beginning(letters: &str) -> String {
    quoted(&letters.chars().take(LONGEST_LETTERS).collect::<String>())
}

/// Trigrams of a long number that narrow enough: every second one from its end on, which overlap and so still say how the
/// digits follow each other. Each trigram is a list to walk, and the first ones of an ID number (a region, a century) have
/// the longest lists and tell the least. What is found is checked against the whole number anyway.
fn telling(trigrams: Vec<String>) -> Vec<String> {
    if trigrams.len() <= ALL_TRIGRAMS {
        return trigrams;
    }
    let mut from_end: Vec<String> = trigrams.iter().rev().step_by(2).take(MOST_TRIGRAMS).cloned().collect();
    // An even number of them leaves the first digit out.
    if from_end.len() < MOST_TRIGRAMS && trigrams.len().is_multiple_of(2) {
        from_end.extend(trigrams.into_iter().next());
    }
    from_end
}

fn all_of(tokens: &[String]) -> String {
    tokens.iter().map(|token| quoted(token)).collect::<Vec<_>>().join(" AND ")
}

fn quoted(token: &str) -> String {
    format!("\"{}\"", token.replace('"', ""))
}
