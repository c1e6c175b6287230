//! References in formulas: found without understanding the rest, and moved with their rows.

use crate::rows::{Band, Maps, RowMap, column_letters, column_number};

/// From where a formula is looked at.
pub(crate) struct Seat<'a> {
    /// All sheets' rows.
    pub maps: &'a Maps,
    /// The sheet of the formula, in lower case: what a reference without a sheet means.
    pub sheet: &'a str,
    /// In which repetition of which rows it stands.
    pub copy: Option<(&'a Band, u32)>,
    /// Whether a single cell of a repeated row, alone as an argument, becomes all its repetitions: `SUM(B5)`.
    pub widen: bool,
}

/// The formula with its references moved; the same text when nothing moved.
pub(crate) fn moved(formula: &str, seat: &Seat<'_>) -> String {
    rewritten(formula, |found| {
        let sheet = found.sheet.map_or_else(|| seat.sheet.to_owned(), str::to_lowercase);
        let map = seat.maps.get(&sheet).filter(|map| !map.is_still())?;
        let own = seat.copy.filter(|_| sheet == seat.sheet);
        match found.second {
            None => single(&found, map, own, seat.widen),
            Some(second) => {
                let (first, second) =
                    if found.first.row <= second.row { (found.first, second) } else { (second, found.first) };
                let same =
                    own.and_then(|copy| Some((in_copy(first, map, copy)?, in_copy(second, map, copy)?)));
                let (low, high) = same.unwrap_or_else(|| (map.low(first.row), map.high(second.row)));
                Some(format!("{}:{}", first.at(low), second.at(high)))
            }
        }
    })
}

/// A reference that stands for a list (a chart's series, a name): also a single cell of a repeated row becomes all.
pub(crate) fn moved_list(reference: &str, seat: &Seat<'_>) -> String {
    let moved = moved(&format!("({reference})"), seat);
    moved.strip_prefix('(').and_then(|text| text.strip_suffix(')')).unwrap_or(&moved).to_owned()
}

/// A relative row of the repeated rows that the formula itself stands in, in its repetition.
fn in_copy(cell: Cell, map: &RowMap, (band, copy): (&Band, u32)) -> Option<u32> {
    let inside = !cell.row_fixed && (band.first..=band.last).contains(&cell.row);
    inside.then(|| map.low(cell.row) + band.length() * copy)
}

fn single(found: &Found<'_>, map: &RowMap, own: Option<(&Band, u32)>, widen: bool) -> Option<String> {
    let cell = found.first;
    if let Some(row) = own.and_then(|copy| in_copy(cell, map, copy)) {
        return Some(cell.at(row));
    }
    let (low, high) = (map.low(cell.row), map.high(cell.row));
    if widen && found.alone && map.band(cell.row).is_some_and(|band| band.copies > 1) {
        return Some(format!("{}:{}", cell.at(low), cell.at(high)));
    }
    Some(cell.at(low))
}

/// The formula as it reads `rows` further down and `columns` further right: a member of a shared formula.
pub(crate) fn shifted(formula: &str, rows: i64, columns: i64) -> String {
    let shift = |cell: Cell| {
        let row = if cell.row_fixed { i64::from(cell.row) } else { i64::from(cell.row) + rows };
        let column = cell.column.map(|column| {
            let moved = if cell.column_fixed { i64::from(column) } else { i64::from(column) + columns };
            u32::try_from(moved.max(1)).unwrap_or(column)
        });
        Cell { column, ..cell }.at(u32::try_from(row.max(1)).unwrap_or(cell.row))
    };
    rewritten(formula, |found| {
        let first = shift(found.first);
        Some(found.second.map_or_else(|| first.clone(), |second| format!("{first}:{}", shift(second))))
    })
}

/// A cell, or with no column a whole row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Cell {
    column: Option<u32>,
    column_fixed: bool,
    row: u32,
    row_fixed: bool,
}

impl Cell {
    fn at(self, row: u32) -> String {
        let mut out = String::new();
        if let Some(column) = self.column {
            out.push_str(if self.column_fixed { "$" } else { "" });
            out.push_str(&column_letters(column));
        }
        out.push_str(if self.row_fixed { "$" } else { "" });
        out.push_str(&row.to_string());
        out
    }
}

struct Found<'a> {
    sheet: Option<&'a str>,
    first: Cell,
    second: Option<Cell>,
    /// It is the whole of a function's argument.
    alone: bool,
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '$' | '.' | '\\' | '?') || !c.is_ascii()
}

/// The word at the beginning of a text.
fn word(text: &str) -> &str {
    let end = text.find(|c: char| !is_word(c)).unwrap_or(text.len());
    text.get(..end).unwrap_or_default()
}

fn parse(word: &str) -> Option<Cell> {
    let (column_fixed, rest) = word.strip_prefix('$').map_or((false, word), |rest| (true, rest));
    let letters = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
    let (letters, rest) = rest.split_at(letters);
    let (row_fixed, digits) = rest.strip_prefix('$').map_or((false, rest), |digits| (true, digits));
    if digits.is_empty() || digits.starts_with('0') || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let row = digits.parse().ok().filter(|row| *row <= crate::rows::LAST_ROW)?;
    if letters.is_empty() {
        // `$7` alone: the fixed mark belongs to the row.
        return (!(column_fixed && row_fixed)).then_some(Cell {
            column: None,
            column_fixed: false,
            row,
            row_fixed: column_fixed || row_fixed,
        });
    }
    Some(Cell { column: Some(column_number(letters)?), column_fixed, row, row_fixed })
}

/// The text up to and with the closing quotation mark of the one it begins with; a doubled one is a letter.
fn quoted(text: &str, quote: char) -> &str {
    let mut characters = text.char_indices().skip(1).peekable();
    while let Some((at, c)) = characters.next() {
        if c == quote {
            if characters.peek().is_some_and(|(_, next)| *next == quote) {
                characters.next();
            } else {
                return text.get(..=at).unwrap_or(text);
            }
        }
    }
    text
}

/// The text up to the bracket that closes the one it begins with.
fn bracketed(text: &str) -> &str {
    let mut depth = 0_i32;
    for (at, c) in text.char_indices() {
        depth += i32::from(c == '[') - i32::from(c == ']');
        if depth == 0 {
            return text.get(..=at).unwrap_or(text);
        }
    }
    text
}

fn rewritten(formula: &str, mut change: impl FnMut(Found<'_>) -> Option<String>) -> String {
    let mut out = String::with_capacity(formula.len() + 8);
    let mut rest = formula;
    let mut sheet: Option<String> = None;
    // What stands before a sheet's name stands before its reference.
    let mut ahead: Option<char> = None;
    // Of another workbook: its rows stay.
    let mut foreign = false;
    while let Some(c) = rest.chars().next() {
        let before = out.trim_end().chars().next_back();
        let taken = match c {
            '"' => quoted(rest, '"'),
            '\'' => {
                let name = quoted(rest, '\'');
                if rest.get(name.len()..).is_some_and(|after| after.starts_with('!')) {
                    foreign = name.contains('[');
                    let inner = name.get(1..name.len().saturating_sub(1)).unwrap_or_default();
                    sheet = Some(inner.replace("''", "'"));
                    ahead = before;
                    out.push_str(name);
                    out.push('!');
                    rest = rest.get(name.len() + 1..).unwrap_or_default();
                    continue;
                }
                name
            }
            '[' => {
                foreign = !before.is_some_and(is_word);
                bracketed(rest)
            }
            c if is_word(c) => {
                let first = word(rest);
                let after = rest.get(first.len()..).unwrap_or_default();
                if after.starts_with('!') {
                    sheet = Some(first.to_owned());
                    ahead = before;
                    out.push_str(first);
                    out.push('!');
                    rest = after.get(1..).unwrap_or_default();
                    continue;
                }
                let before = if sheet.is_some() { ahead } else { before };
                let (length, text) = reference(first, after, before, sheet.as_deref(), foreign, &mut change);
                sheet = None;
                foreign = false;
                match text {
                    Some(text) => out.push_str(&text),
                    None => out.push_str(rest.get(..length).unwrap_or_default()),
                }
                rest = rest.get(length..).unwrap_or_default();
                continue;
            }
            _ => {
                sheet = None;
                foreign = false;
                rest.get(..c.len_utf8()).unwrap_or_default()
            }
        };
        out.push_str(taken);
        rest = rest.get(taken.len().max(1)..).unwrap_or_default();
    }
    out
}

/// What a word and what follows it refer to: how many bytes it takes, and its new text.
fn reference(
    first: &str,
    after: &str,
    before: Option<char>,
    sheet: Option<&str>,
    foreign: bool,
    change: &mut impl FnMut(Found<'_>) -> Option<String>,
) -> (usize, Option<String>) {
    let same = (first.len(), None);
    if foreign || after.starts_with(['(', '[']) {
        return same;
    }
    let Some(cell) = parse(first) else { return same };
    let second = after.strip_prefix(':').map(word).and_then(|text| {
        let behind = after.get(1 + text.len()..).unwrap_or_default();
        let other = parse(text).filter(|other| other.column.is_some() == cell.column.is_some())?;
        (!behind.starts_with(['(', '!', '['])).then_some((text, other))
    });
    match second {
        Some((text, other)) => {
            let length = first.len() + 1 + text.len();
            (length, change(Found { sheet, first: cell, second: Some(other), alone: false }))
        }
        // A number, or the begin of a range that is none.
        None if cell.column.is_none() || after.starts_with(':') => same,
        None => {
            let alone = before.is_some_and(|c| matches!(c, '(' | ',' | ';'))
                && after.trim_start().starts_with([')', ',', ';']);
            (first.len(), change(Found { sheet, first: cell, second: None, alone }))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn maps() -> Maps {
        let band = Band { start: 5, first: 5, last: 5, end: 5, copies: 3 };
        Maps::from([("数据 1".to_owned(), RowMap::new(vec![band])), ("other".to_owned(), RowMap::default())])
    }

    fn outside(formula: &str) -> String {
        let maps = maps();
        moved(formula, &Seat { maps: &maps, sheet: "数据 1", copy: None, widen: true })
    }

    #[test]
    fn references_follow_their_rows() {
        for (before, after) in [
            ("SUM(B5:B5)", "SUM(B5:B7)"),
            ("SUM(B5)", "SUM(B5:B7)"),
            ("B5*2", "B5*2"),
            ("B6/$C$6", "B8/$C$8"),
            ("SUM(B$2:B$9)", "SUM(B$2:B$11)"),
            ("IF(A6=\"B6 says \"\"A6\"\"\",LOG10(6),A6)", "IF(A8=\"B6 says \"\"A6\"\"\",LOG10(6),A8)"),
            ("'数据 1'!B6+Other!B6", "'数据 1'!B8+Other!B6"),
            ("[1]Sheet1!B6+'[2]数据 1'!B6", "[1]Sheet1!B6+'[2]数据 1'!B6"),
            ("Table1[[#This Row],[B6]]", "Table1[[#This Row],[B6]]"),
            ("SUM(6:7)+SUM(A:C)+1E6+6", "SUM(8:9)+SUM(A:C)+1E6+6"),
            ("VLOOKUP(A6,Rates_2026,2)", "VLOOKUP(A8,Rates_2026,2)"),
        ] {
            assert_eq!(outside(before), after, "{before}");
        }
    }

    #[test]
    fn a_repeated_row_keeps_to_itself() {
        let maps = maps();
        let Some(band) = maps.get("数据 1").and_then(|map| map.bands().first()) else { unreachable!() };
        let seat = Seat { maps: &maps, sheet: "数据 1", copy: Some((band, 2)), widen: true };
        assert_eq!(moved("B5/C5", &seat), "B7/C7");
        assert_eq!(moved("SUM(B5:D5)/SUM(B$5:B$5)+B6", &seat), "SUM(B7:D7)/SUM(B$5:B$7)+B8");
    }

    #[test]
    fn a_member_of_a_shared_formula_reads_relative_to_the_first() {
        assert_eq!(shifted("A2*$B$1+SUM(A2:B$2)", 3, 1), "B5*$B$1+SUM(B5:C$2)");
    }
}
