//! Which rows are data: titles, repeated headings, totals and footers are told apart.

use aftercare_domain::cell_text::half_width;
use aftercare_tabular::{Cell, Row};

use super::fields::Field;
use super::headings::{self, Headings};
use super::problem::Code;

/// Columns that are compared with their headings in every row.
const LOOKED_AT: usize = 3;

/// What stands where: the columns of the file that fill a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// Numbers of the first and the last row of headings.
    pub heading_rows: (u64, u64),
    /// Columns with their field, from left to right.
    pub columns: Vec<(usize, Field)>,
    /// Comparable headings by column, to notice them when they are repeated.
    headings: Vec<(usize, String)>,
}

impl Layout {
    /// The layout of headings whose columns fill these fields.
    pub fn new(found: &Headings, columns: Vec<(usize, Field)>) -> Self {
        let headings = found
            .columns
            .iter()
            .map(|column| (column.index, headings::comparable(&column.heading)))
            .filter(|(_, heading)| !heading.is_empty())
            .collect();
        Self { heading_rows: (found.first_row, found.last_row), columns, headings }
    }

    /// The first column that fills a field.
    pub fn column_of(&self, field: Field) -> Option<usize> {
        self.columns.iter().find(|(_, known)| *known == field).map(|(index, _)| *index)
    }

    /// Whether this is the row, or one of the two rows, of headings itself.
    pub fn is_heading(&self, row: &Row) -> bool {
        (self.heading_rows.0..=self.heading_rows.1).contains(&row.number)
    }

    /// Why a row is no data, or none when it is.
    pub fn left_out(&self, row: &Row) -> Option<Code> {
        if row.number < self.heading_rows.0 {
            return Some(Code::TitleRow);
        }
        // Most rows have an identity or a name and a date; only the others are looked at closely.
        let filled = row.cells.iter().filter(|cell| !cell.is_empty()).count();
        let first = row.cells.iter().position(|cell| !cell.is_empty())?;
        let lead = half_width(&row.cell(first).to_text());
        let lead: String = lead.chars().filter(|c| !c.is_whitespace()).collect();
        if self.repeats_headings(row) {
            return Some(Code::RepeatedHeading);
        }
        let identities = self.columns.iter().filter(|(index, field)| {
            let holds_number = field.is_identity()
                && row.cell(*index).to_text().chars().filter(char::is_ascii_digit).count() >= 2;
            holds_number && !begins_with(&row.cell(*index).to_text(), headings::totals())
        });
        if identities.count() > 0 && !begins_with(&lead, headings::totals()) {
            return None;
        }
        if begins_with(&lead, headings::totals()) && filled * 2 <= self.headings.len().max(4) {
            return Some(Code::TotalRow);
        }
        if filled <= 6 && row.cells.iter().any(|cell| is_footer(&cell.to_text())) {
            return Some(Code::FooterRow);
        }
        let mapped = self.columns.iter().filter(|(index, _)| !row.cell(*index).is_empty()).count();
        match (filled, mapped) {
            (_, 0) => Some(Code::BlankRow),
            (1, _) if self.columns.len() >= 4 => Some(Code::TitleRow),
            _ => None,
        }
    }

    /// Most columns of a repeated heading agree; of a row of data none of the first few does.
    fn repeats_headings(&self, row: &Row) -> bool {
        let agrees = |(index, heading): &&(usize, String)| {
            let cell = row.cell(*index);
            matches!(cell, Cell::Text(_)) && headings::comparable(&cell.to_text()) == *heading
        };
        let first_few = self.headings.iter().take(LOOKED_AT);
        first_few.filter(agrees).count() > 0
            && self.headings.iter().filter(agrees).take(3).count() >= self.headings.len().min(3)
    }
}

fn begins_with(text: &str, words: &[String]) -> bool {
    let text: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    words.iter().any(|word| {
        text.strip_prefix(word.as_str())
            .or_else(|| text.to_ascii_uppercase().starts_with(word.as_str()).then(|| &text[word.len()..]))
            .is_some_and(|rest| {
                !rest.starts_with(|c: char| {
                    c.is_alphabetic() && !c.is_ascii() && !"人次例共数金费元行".contains(c)
                })
            })
    })
}

fn is_footer(text: &str) -> bool {
    let compact: String = half_width(text).chars().filter(|c| !c.is_whitespace()).collect();
    let page = compact.starts_with('第') && compact.contains('页')
        || compact.starts_with('共')
            && (compact.contains('页') || compact.contains('条') || compact.contains("记录"));
    page || headings::footers()
        .iter()
        .any(|word| compact.to_uppercase().starts_with(&half_width(word).to_uppercase()))
}
