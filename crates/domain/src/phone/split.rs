//! Cells with several numbers and remarks: `13800138000(儿子)/010-62345678`.

use std::fmt;

use super::{Phone, PhoneProblem, parse};
use crate::cell_text::{NumberText, half_width, read_number_text, unguard};
use crate::codes::relation_hint;

/// The shortest number of a person, without area code.
const SHORTEST_NUMBER: usize = 7;
/// Digits of a bed or of a second contact.
const LONGEST_COUNTER: usize = 2;

/// A number from a cell, with what was written beside it.
#[derive(Clone, PartialEq, Eq)]
pub struct PhoneEntry {
    /// The number.
    pub phone: Phone,
    /// The words beside it, as written.
    pub note: Option<String>,
    /// Whose number it is (code of the table `relation`), when the words say so.
    pub relation: Option<&'static str>,
}

impl fmt::Debug for PhoneEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PhoneEntry({:?}, relation {:?})", self.phone, self.relation)
    }
}

/// Separates the numbers of one cell. An empty cell gives an empty list; a piece with digits that is no number
/// gives its problem in its place. The same number twice is given once.
pub fn split(text: &str, local_area: Option<&str>) -> Vec<Result<PhoneEntry, PhoneProblem>> {
    let text = half_width(text);
    let text = unguard(&text);
    match read_number_text(text) {
        NumberText::Lost => return vec![Err(PhoneProblem::PrecisionLost)],
        NumberText::Exact(digits) => return vec![parse(&digits, local_area).map(|phone| entry(phone, ""))],
        NumberText::Plain => {}
    }
    let mut found: Vec<Result<PhoneEntry, PhoneProblem>> = Vec::new();
    for piece in pieces(text) {
        for result in read_piece(&piece, local_area) {
            let known = result.as_ref().is_ok_and(|new| {
                found.iter().flatten().any(|old| {
                    old.phone.digits == new.phone.digits && old.phone.extension == new.phone.extension
                })
            });
            if !known {
                found.push(result);
            }
        }
    }
    found
}

/// One run of digits with the words that belong to it.
#[derive(Default)]
struct Piece {
    number: String,
    note: String,
}

/// Cuts at hard separators, then where words stand between two runs of digits.
fn pieces(text: &str) -> Vec<Piece> {
    let mut all = Vec::new();
    for part in text.split(['/', '、', ',', ';', '|', '\\', '&', '\n', '\r', '\t', '。', '，', '；']) {
        all.extend(by_words(part));
    }
    // A remark cut off from its number by a separator, as in 13800138000,儿子.
    let mut joined: Vec<Piece> = Vec::new();
    for piece in all {
        match joined.last_mut() {
            Some(last) if piece.number.is_empty() => {
                let gap = if last.note.is_empty() { "" } else { " " };
                last.note = format!("{}{gap}{}", last.note, piece.note);
            }
            Some(last) if last.number.is_empty() && piece.note.is_empty() => last.number = piece.number,
            _ => joined.push(piece),
        }
    }
    joined.retain(|piece| !piece.number.is_empty());
    // The 3 of 3床 and the 2 of 联系人2 count something; they are no numbers to call.
    let digits = |piece: &Piece| piece.number.bytes().filter(u8::is_ascii_digit).count();
    if joined.iter().any(|piece| digits(piece) >= SHORTEST_NUMBER) {
        joined.retain(|piece| digits(piece) > LONGEST_COUNTER);
    }
    joined
}

/// Words before the first number label what follows them; otherwise they explain what precedes.
fn by_words(part: &str) -> Vec<Piece> {
    if read_number_text(part.trim()) != NumberText::Plain {
        return vec![Piece { number: part.trim().to_owned(), note: String::new() }];
    }
    let runs = runs(part);
    let labels_first = runs.first().is_some_and(|(is_number, _)| !is_number);
    let mut pieces: Vec<Piece> = Vec::new();
    for (is_number, text) in runs {
        let fits = pieces.last().is_some_and(|last| match is_number {
            true => labels_first && last.number.is_empty(),
            false => !labels_first && last.note.is_empty(),
        });
        if !fits {
            pieces.push(Piece::default());
        }
        if let Some(last) = pieces.last_mut() {
            if is_number { last.number = text } else { last.note = text }
        }
    }
    pieces
}

/// Alternating runs of number and words. Extension words stay in the number they follow.
fn runs(part: &str) -> Vec<(bool, String)> {
    let marked = mark_extensions(part);
    let mut runs: Vec<(bool, String)> = Vec::new();
    let mut cut = false;
    for c in marked.chars() {
        // A colon ends a label such as 联系人2: and never stands within a number.
        if c == ':' {
            cut = true;
            continue;
        }
        let number = c.is_ascii_digit() || c == '+' || c == '#';
        let neutral = !number && !c.is_alphabetic();
        match runs.last_mut() {
            Some((kind, text)) if neutral || (*kind == number && !cut) => text.push(c),
            None if neutral => {}
            _ => {
                runs.push((number, c.to_string()));
                cut = false;
            }
        }
    }
    for (is_number, text) in &mut runs {
        if *is_number {
            *text = text.trim_end_matches(|c: char| !c.is_ascii_digit()).to_owned();
        } else {
            *text = text.trim_matches(|c: char| !c.is_alphabetic()).to_owned();
        }
    }
    runs.retain(|(_, text)| !text.is_empty());
    runs
}

/// Turns the words for an extension between digits into `#`.
fn mark_extensions(part: &str) -> String {
    let mut text = part.to_owned();
    for mark in ["转分机", "分机号", "分机", "内线", "轉", "转", "ext.", "ext", "EXT", "Ext", "x", "X"]
    {
        let mut from = 0;
        while let Some(at) = text[from..].find(mark).map(|at| at + from) {
            let before = text[..at].trim_end_matches([' ', '(', '-']).ends_with(|c: char| c.is_ascii_digit());
            let after = text[at + mark.len()..].trim_start_matches([' ', ':', '：', '.']);
            if before && after.starts_with(|c: char| c.is_ascii_digit()) {
                let head = text[..at].trim_end_matches([' ', '(', '-']).len();
                text = format!("{}#{after}", &text[..head]);
            }
            from = (at + mark.len()).min(text.len());
            while !text.is_char_boundary(from) {
                from += 1;
            }
        }
    }
    text
}

fn read_piece(piece: &Piece, local_area: Option<&str>) -> Vec<Result<PhoneEntry, PhoneProblem>> {
    let whole = parse(&piece.number, local_area);
    let problem = match whole {
        Ok(phone) => return vec![Ok(entry(phone, &piece.note))],
        Err(problem) => problem,
    };
    match several(&piece.number, local_area) {
        Some(phones) => phones.into_iter().map(|phone| Ok(entry(phone, &piece.note))).collect(),
        None => vec![Err(problem)],
    }
}

/// Two or more numbers with nothing but spaces or dashes between them, or two mobiles run together.
fn several(text: &str, local_area: Option<&str>) -> Option<Vec<Phone>> {
    let groups: Vec<&str> = text.split([' ', '-']).filter(|group| !group.is_empty()).collect();
    if let [glued] = groups.as_slice() {
        if glued.len() != 22 || !glued.is_ascii() {
            return None;
        }
        let (first, second) = glued.split_at(11);
        return [first, second]
            .into_iter()
            .map(|half| parse(half, None).ok().filter(|p| p.kind.takes_sms()))
            .collect();
    }
    if groups.len() > 12 {
        return None;
    }
    partition(&groups, local_area)
}

/// The fewest numbers that use up all the groups. Short numbers would fit anywhere and are not guessed.
fn partition(groups: &[&str], local_area: Option<&str>) -> Option<Vec<Phone>> {
    let mut best: Vec<Option<Vec<Phone>>> = vec![None; groups.len() + 1];
    best[0] = Some(Vec::new());
    for end in 1..=groups.len() {
        for start in 0..end {
            let Some(before) = best[start].clone() else { continue };
            let Ok(phone) = parse(&groups[start..end].join("-"), local_area) else { continue };
            if !phone.kind.is_callable() {
                continue;
            }
            if best[end].as_ref().is_none_or(|known| known.len() > before.len() + 1) {
                let mut longer = before;
                longer.push(phone);
                best[end] = Some(longer);
            }
        }
    }
    best.pop().flatten()
}

fn entry(phone: Phone, note: &str) -> PhoneEntry {
    let note = note.trim();
    PhoneEntry { phone, relation: relation_hint(note), note: (!note.is_empty()).then(|| note.to_owned()) }
}
