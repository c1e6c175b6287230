//! XML around a sheet's rows, and of other parts: what refers to rows that moved is rewritten, the rest copied.

use std::ops::Range;

use crate::formula::{self, Seat};
use crate::rows::{RowMap, cell_name, cell_of};
use crate::xml::{Kind, Piece, Tag, Unreadable, escaped};

/// Attributes with ranges of cells, by element.
const RANGES: [(&str, &str); 13] = [
    ("dimension", "ref"),
    ("selection", "sqref"),
    ("autoFilter", "ref"),
    ("sortState", "ref"),
    ("sortCondition", "ref"),
    ("conditionalFormatting", "sqref"),
    ("dataValidation", "sqref"),
    ("hyperlink", "ref"),
    ("protectedRange", "sqref"),
    ("ignoredError", "sqref"),
    ("table", "ref"),
    ("comment", "ref"),
    ("threadedComment", "ref"),
];

/// Attributes with one cell.
const CELLS: [(&str, &str); 3] =
    [("selection", "activeCell"), ("pane", "topLeftCell"), ("sheetView", "topLeftCell")];

/// Elements whose text is a formula.
const FORMULAS: [&str; 6] =
    ["f", "formula", "formula1", "formula2", "calculatedColumnFormula", "definedName"];

/// Elements of page headers and footers.
const HEADERS: [&str; 6] =
    ["oddHeader", "oddFooter", "evenHeader", "evenFooter", "firstHeader", "firstFooter"];

/// What is done to a part.
pub(crate) struct Refit<'a> {
    /// Of the sheet that the part belongs to.
    pub map: &'a RowMap,
    pub seat: Seat<'a>,
    /// Formulas that stand for lists: of charts and names.
    pub lists: bool,
    /// What a placeholder in a page header says.
    pub single: &'a dyn Fn(&str) -> Option<String>,
}

/// A placeholder in a page header that nothing is known for.
pub(crate) enum Trouble {
    Unreadable,
    Unknown(&'static str, String),
}

impl From<Unreadable> for Trouble {
    fn from(_: Unreadable) -> Self {
        Self::Unreadable
    }
}

impl Refit<'_> {
    /// Appends the pieces that lie in `range`, refitted.
    pub fn write(
        &self,
        bytes: &[u8],
        pieces: &[Piece<'_>],
        range: Range<usize>,
        out: &mut Vec<u8>,
    ) -> Result<(), Trouble> {
        // The element whose text is gathered.
        let mut gathering: Option<(&str, String)> = None;
        let mut row_breaks = false;
        let inside = |piece: &&Piece<'_>| range.start <= piece.span.start && piece.span.end <= range.end;
        for piece in pieces.iter().filter(inside) {
            let same = bytes.get(piece.span.clone()).unwrap_or_default();
            match &piece.kind {
                Kind::Start(name, empty) => {
                    row_breaks = *name == "rowBreaks" || row_breaks && *name == "brk";
                    if !self.start(name, same, row_breaks, *empty, out)? {
                        out.extend_from_slice(same);
                    }
                    let text = FORMULAS.contains(name) || HEADERS.contains(name) || *name == "sqref";
                    gathering = (text && !empty).then(|| (*name, String::new()));
                }
                Kind::End(name) => {
                    if let Some((_, text)) = gathering.take() {
                        out.extend_from_slice(escaped(&self.text(name, &text)?).as_bytes());
                    }
                    // The single breaks have ends of their own.
                    row_breaks = row_breaks && *name == "brk";
                    out.extend_from_slice(same);
                }
                Kind::Text(text) => match &mut gathering {
                    Some((_, gathered)) => gathered.push_str(text),
                    None => out.extend_from_slice(same),
                },
                Kind::Other => out.extend_from_slice(same),
            }
        }
        Ok(())
    }

    /// A start tag that changes; `false`: it stays.
    fn start(
        &self,
        name: &str,
        same: &[u8],
        row_breaks: bool,
        empty: bool,
        out: &mut Vec<u8>,
    ) -> Result<bool, Unreadable> {
        if self.map.is_still() && name != "hyperlink" {
            return Ok(false);
        }
        let ranges = RANGES.iter().filter(|(element, _)| *element == name);
        let cells = CELLS.iter().filter(|(element, _)| *element == name);
        let mut tag = match name {
            "mergeCells" | "mergeCell" | "brk" => Tag::read(same)?,
            _ if RANGES.iter().chain(&CELLS).any(|(element, _)| *element == name) => Tag::read(same)?,
            _ => return Ok(false),
        };
        match name {
            // Only a hint, and another one now.
            "mergeCells" => tag.remove("count"),
            "mergeCell" => {
                let Some(merged) = tag.get("ref").map(str::to_owned) else { return Ok(false) };
                for reference in self.merged(&merged) {
                    tag.set("ref", &reference);
                    tag.write_same(out);
                    if !empty {
                        tag.write_end(out);
                    }
                }
                return Ok(empty);
            }
            "brk" if row_breaks => {
                if let Some(row) = tag.get("id").and_then(|id| id.parse().ok()) {
                    tag.set("id", &self.map.high(row).to_string());
                }
            }
            _ => {}
        }
        for (_, key) in ranges {
            if let Some(text) = tag.get(key).map(|text| ranges_moved(text, self.map)) {
                tag.set(key, &text);
            }
        }
        for (_, key) in cells {
            if let Some((column, row)) = tag.get(key).and_then(cell_of) {
                tag.set(key, &cell_name(column, self.map.low(row)));
            }
        }
        if name == "hyperlink"
            && let Some(location) = tag.get("location").map(str::to_owned)
        {
            tag.set("location", &formula::moved(&location, &self.seat));
        }
        tag.write_same(out);
        Ok(true)
    }

    /// Merged cells within repeated rows are merged in each repetition.
    fn merged(&self, reference: &str) -> Vec<String> {
        let ends = reference.split_once(':').and_then(|(a, b)| Some((cell_of(a)?, cell_of(b)?)));
        let Some(((left, top), (right, bottom))) = ends else { return vec![reference.to_owned()] };
        let whole = self.map.band(top).filter(|band| (band.first..=band.last).contains(&bottom));
        let Some(band) = whole else { return vec![ranges_moved(reference, self.map)] };
        (0..band.copies)
            .map(|copy| {
                let down = band.length() * copy;
                let (top, bottom) = (self.map.low(top) + down, self.map.low(bottom) + down);
                format!("{}:{}", cell_name(left, top), cell_name(right, bottom))
            })
            .collect()
    }

    fn text(&self, name: &str, text: &str) -> Result<String, Trouble> {
        if let Some(header) = HEADERS.iter().find(|header| **header == name) {
            return self.header(header, text);
        }
        if name == "sqref" {
            return Ok(ranges_moved(text, self.map));
        }
        Ok(if self.lists { formula::moved_list(text, &self.seat) } else { formula::moved(text, &self.seat) })
    }

    fn header(&self, header: &'static str, text: &str) -> Result<String, Trouble> {
        let mut out = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{{") {
            let (name, behind) =
                after.split_once("}}").ok_or_else(|| Trouble::Unknown(header, after.to_owned()))?;
            let value =
                (self.single)(name.trim()).ok_or_else(|| Trouble::Unknown(header, name.to_owned()))?;
            out.push_str(before);
            // `&` begins a code in page headers.
            out.push_str(&value.replace('&', "&&"));
            rest = behind;
        }
        out.push_str(rest);
        Ok(out)
    }
}

/// Ranges separated by spaces, each grown over the repetitions of its rows.
pub(crate) fn ranges_moved(text: &str, map: &RowMap) -> String {
    let moved = text.split_ascii_whitespace().map(|range| {
        let (first, second) = range.split_once(':').unwrap_or((range, range));
        let ends = cell_of(&first.replace('$', "")).zip(cell_of(&second.replace('$', "")));
        let Some(((left, top), (right, bottom))) = ends else { return range.to_owned() };
        let (first, second) = (cell_name(left, map.low(top)), cell_name(right, map.high(bottom)));
        if first == second { first } else { format!("{first}:{second}") }
    });
    moved.collect::<Vec<_>>().join(" ")
}
