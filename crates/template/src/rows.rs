//! Where rows go when others are repeated.

use std::collections::HashMap;

/// The last row of a sheet.
pub(crate) const LAST_ROW: u32 = 1_048_576;

/// Rows that are repeated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Band {
    /// The first row that goes: a row with nothing but the opening mark, or `first`.
    pub start: u32,
    /// The first repeated row.
    pub first: u32,
    /// The last repeated row.
    pub last: u32,
    /// The last row that goes: a row with nothing but the closing mark, or `last`.
    pub end: u32,
    /// How often, at least once.
    pub copies: u32,
}

impl Band {
    pub fn length(&self) -> u32 {
        self.last - self.first + 1
    }
}

/// Where each row of a sheet goes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct RowMap {
    bands: Vec<Band>,
}

/// The maps of all sheets, by name in lower case.
pub(crate) type Maps = HashMap<String, RowMap>;

impl RowMap {
    /// `bands` in ascending order, apart from each other.
    pub fn new(bands: Vec<Band>) -> Self {
        Self { bands }
    }

    pub fn bands(&self) -> &[Band] {
        &self.bands
    }

    /// Whether every row stays where it is.
    pub fn is_still(&self) -> bool {
        self.bands.is_empty()
    }

    /// Where a row goes as the beginning of a range: of a repeated row, its first repetition.
    pub fn low(&self, row: u32) -> u32 {
        self.place(row, false)
    }

    /// Where a row goes as the end of a range: of a repeated row, its last repetition.
    pub fn high(&self, row: u32) -> u32 {
        self.place(row, true)
    }

    fn place(&self, row: u32, as_end: bool) -> u32 {
        let mut shift = 0_i64;
        for band in &self.bands {
            if row < band.start {
                break;
            }
            let (length, copies) = (i64::from(band.length()), i64::from(band.copies));
            let begin = i64::from(band.start) + shift;
            if row <= band.end {
                let at = if row < band.first {
                    begin - i64::from(as_end)
                } else if row > band.last {
                    begin + length * copies - i64::from(as_end)
                } else {
                    let last = if as_end { length * (copies - 1) } else { 0 };
                    begin + i64::from(row - band.first) + last
                };
                return u32::try_from(at.max(1)).unwrap_or(1);
            }
            shift += length * copies - i64::from(band.end - band.start + 1);
        }
        // A range to the last row of the sheet stays one.
        let moved = (i64::from(row) + shift).clamp(1, i64::from(LAST_ROW));
        if row >= LAST_ROW { row } else { u32::try_from(moved).unwrap_or(row) }
    }

    /// The band that repeats a row.
    pub fn band(&self, row: u32) -> Option<&Band> {
        self.bands.iter().find(|band| (band.first..=band.last).contains(&row))
    }

    /// Rows that the sheet has more than before.
    pub fn added(&self) -> u32 {
        self.bands
            .iter()
            .map(|band| (band.length() * band.copies).saturating_sub(band.end - band.start + 1))
            .sum()
    }
}

/// `BC` as a number, A being 1.
pub(crate) fn column_number(letters: &str) -> Option<u32> {
    let in_bounds = !letters.is_empty() && letters.len() <= 3;
    let digit = |c: char| c.is_ascii_alphabetic().then(|| c.to_ascii_uppercase() as u32 - 'A' as u32 + 1);
    let number = letters.chars().try_fold(0_u32, |sum, c| Some(sum * 26 + digit(c)?))?;
    (in_bounds && number <= 16_384).then_some(number)
}

/// A column's letters.
pub(crate) fn column_letters(mut number: u32) -> String {
    let mut letters = Vec::new();
    while number > 0 {
        number -= 1;
        letters.push(char::from(b'A' + u8::try_from(number % 26).unwrap_or(0)));
        number /= 26;
    }
    letters.into_iter().rev().collect()
}

/// `B7` as column and row.
pub(crate) fn cell_of(name: &str) -> Option<(u32, u32)> {
    let digits = name.find(|c: char| c.is_ascii_digit())?;
    let (letters, digits) = name.split_at(digits);
    let row = digits.parse().ok().filter(|row| (1..=LAST_ROW).contains(row))?;
    Some((column_number(letters)?, row))
}

/// Column and row as `B7`.
pub(crate) fn cell_name(column: u32, row: u32) -> String {
    format!("{}{row}", column_letters(column))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn columns_read_and_write() {
        for (letters, number) in [("A", 1), ("Z", 26), ("AA", 27), ("XFD", 16_384)] {
            assert_eq!(column_number(letters), Some(number));
            assert_eq!(column_letters(number), letters);
        }
        assert_eq!(column_number("XFE"), None);
        assert_eq!(cell_of("b7"), Some((2, 7)));
        assert_eq!(cell_of("B0"), None);
    }

    #[test]
    fn rows_below_follow_and_ranges_grow() {
        // Marks alone in rows 4 and 6; row 5 three times: 4, 5, 6.
        let map = RowMap::new(vec![Band { start: 4, first: 5, last: 5, end: 6, copies: 3 }]);
        assert_eq!((map.low(3), map.low(7)), (3, 7));
        assert_eq!((map.low(5), map.high(5)), (4, 6));
        assert_eq!((map.low(4), map.high(6)), (4, 6), "a range from mark to mark");
        let map = RowMap::new(vec![
            Band { start: 5, first: 5, last: 6, end: 6, copies: 4 },
            Band { start: 9, first: 9, last: 9, end: 9, copies: 1 },
        ]);
        assert_eq!((map.low(5), map.high(6), map.low(8), map.low(9), map.high(10)), (5, 12, 14, 15, 16));
        assert_eq!((map.high(LAST_ROW), map.added()), (LAST_ROW, 6));
    }
}
