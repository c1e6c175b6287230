//! Finds the delimiter by trying them on the first lines.

use std::collections::HashMap;
use std::io::Read;

use crate::TableError;
use crate::csv::record::{Fed, RecordParser};
use crate::limits::Limits;
use crate::row::Row;
use crate::text::lines::Lines;
use crate::text::{Encoding, decode};

/// How a file separates its cells.
pub(crate) struct Dialect {
    pub(crate) delimiter: u8,
    pub(crate) skipped_lines: u64,
}

/// Most likely first: where nothing speaks for one of them, the earlier one is taken.
const CANDIDATES: [u8; 4] = [b',', b'\t', b';', b'|'];
const SAMPLE_LINES: usize = 300;
const SAMPLE_BYTES: usize = 512 << 10;

/// Reads the first lines; the caller starts the stream again.
pub(crate) fn find<R: Read>(
    lines: &mut Lines<R>,
    encoding: Encoding,
    limits: &Limits,
) -> Result<Dialect, TableError> {
    let mut sample: Vec<String> = Vec::new();
    let mut bytes = 0;
    while sample.len() < SAMPLE_LINES && bytes < SAMPLE_BYTES {
        let Some(line) = lines.next()? else { break };
        let mut text = String::new();
        // A line of megabytes tells no more than its beginning.
        let head = line.bytes.get(..line.bytes.len().min(SAMPLE_BYTES)).unwrap_or_default();
        decode(encoding, head, &mut text);
        bytes += text.len();
        sample.push(text);
    }
    if let Some(delimiter) = sample.first().and_then(|line| declared(line)) {
        return Ok(Dialect { delimiter, skipped_lines: 1 });
    }
    let mut best = (CANDIDATES[0], Score::default());
    for candidate in CANDIDATES {
        let score = Score::of(&sample, candidate, limits);
        if score.beats(&best.1) {
            best = (candidate, score);
        }
    }
    Ok(Dialect { delimiter: best.0, skipped_lines: 0 })
}

/// The delimiter that Excel's first line `sep=;` names.
fn declared(line: &str) -> Option<u8> {
    let line = line.trim_end();
    let line = line.strip_prefix('"').and_then(|l| l.strip_suffix('"')).unwrap_or(line);
    let head = line.get(..4)?;
    if !head.eq_ignore_ascii_case("sep=") {
        return None;
    }
    match line.as_bytes().get(4..)? {
        // `sep=` and a tab, which trimming took away.
        [] => Some(b'\t'),
        [one] if one.is_ascii() && *one != b'"' => Some(*one),
        _ => None,
    }
}

/// How well a delimiter fits: most rows should have the same number of cells, from early on.
#[derive(Debug, Default)]
struct Score {
    /// Number of cells that most rows with several cells have.
    columns: usize,
    /// Rows that have it.
    fitting: usize,
    /// Rows that are not blank.
    rows: usize,
    /// Rows before the first that fits: titles.
    lead: usize,
}

impl Score {
    fn of(sample: &[String], delimiter: u8, limits: &Limits) -> Self {
        let mut parser = RecordParser::new(delimiter, limits);
        let mut widths = Vec::new();
        let mut row = Row::default();
        for (line, text) in sample.iter().enumerate() {
            match parser.feed(text, "\n", line as u64 + 1, &mut row) {
                Ok(Fed::Open) => continue,
                Ok(Fed::Complete) if row.is_blank() => {}
                Ok(Fed::Complete) => widths.push(row.cells.len()),
                Err(_) => break,
            }
            row.clear();
        }
        let mut counts: HashMap<usize, usize> = HashMap::new();
        for width in widths.iter().copied().filter(|&width| width > 1) {
            *counts.entry(width).or_default() += 1;
        }
        let most = counts.into_iter().max_by_key(|&(width, count)| (count, width));
        let Some((columns, fitting)) = most else {
            return Self::default();
        };
        Self {
            columns,
            fitting,
            rows: widths.len(),
            lead: widths.iter().position(|&width| width == columns).unwrap_or(0),
        }
    }

    /// A regular one beats an irregular one; then the one with fewer titles before it (a delimiter
    /// inside the cells does not occur in the headings); then the one with more columns.
    fn beats(&self, other: &Self) -> bool {
        let regular = |score: &Self| score.columns > 1 && score.fitting * 2 >= score.rows;
        match (regular(self), regular(other)) {
            (true, false) => true,
            (false, true) => false,
            (true, true) => (other.lead, self.columns) > (self.lead, other.columns),
            (false, false) => {
                let weight = |score: &Self| score.fitting * score.columns.saturating_sub(1);
                weight(self) > weight(other)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn delimiter(text: &str) -> char {
        let mut lines = Lines::new(text.as_bytes(), 1 << 20);
        char::from(find(&mut lines, Encoding::Utf8, &Limits::default()).unwrap().delimiter)
    }

    #[test]
    fn the_delimiter_is_the_one_that_gives_a_regular_table() {
        assert_eq!(delimiter("a,b,c\n1,2,3\n"), ',');
        assert_eq!(delimiter("a\tb\n1,5\t2,5\n3,5\t4,5\n"), '\t');
        assert_eq!(delimiter("name;age\nx;1,5\ny;2,5\n"), ';');
        assert_eq!(delimiter("a|b|c\n1|2|3\n"), '|');
        assert_eq!(delimiter("one column\nonly\n"), ',');
        assert_eq!(delimiter(""), ',');
    }

    #[test]
    fn lists_inside_cells_and_titles_before_the_table_do_not_mislead() {
        assert_eq!(delimiter("name,tags\nx,a;b;c\ny,d;e;f\n"), ',');
        assert_eq!(delimiter("医院,报表\n\na\tb\tc\n1\t2\t3\n4\t5\t6\n"), '\t');
        assert_eq!(delimiter("\"a\tb\",\"c\n\td\"\n\"e\tf\",g\n"), ',');
    }

    #[test]
    fn excels_own_declaration_is_followed() {
        let mut lines = Lines::new("sep=;\na,b;c\n".as_bytes(), 1 << 20);
        let dialect = find(&mut lines, Encoding::Utf8, &Limits::default()).unwrap();
        assert_eq!((dialect.delimiter, dialect.skipped_lines), (b';', 1));
        assert_eq!(declared("sep=\t"), Some(b'\t'));
        assert_eq!(declared("\"sep=|\""), Some(b'|'));
        assert_eq!(declared("separator"), None);
        assert_eq!(declared("sep=你"), None);
    }
}
