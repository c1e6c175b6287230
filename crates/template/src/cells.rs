//! A sheet taken apart into what stands before its rows, the rows with their cells, and what stands behind.

use std::collections::HashMap;
use std::ops::Range;

use crate::formula;
use crate::rows::{cell_of, column_letters};
use crate::xml::{Kind, Piece, Tag, Unreadable, pieces};

/// A sheet's XML and what it says.
pub(crate) struct Parsed<'a> {
    pub bytes: &'a [u8],
    pub pieces: Vec<Piece<'a>>,
    /// Before the first row.
    pub head: Range<usize>,
    pub rows: Vec<RowXml>,
    /// Behind the last row.
    pub tail: Range<usize>,
}

pub(crate) struct RowXml {
    pub number: u32,
    pub tag: Tag,
    pub cells: Vec<CellXml>,
    /// All of it.
    pub span: Range<usize>,
}

pub(crate) struct CellXml {
    pub column: u32,
    pub tag: Tag,
    /// What it says, where that is a text and no formula.
    pub text: Option<String>,
    pub formula: Option<Formula>,
    pub span: Range<usize>,
    /// What follows its start tag, with its end tag.
    pub inner: Range<usize>,
    /// Neither value nor formula.
    pub blank: bool,
}

pub(crate) struct Formula {
    pub tag: Tag,
    pub text: String,
    /// All of it.
    pub span: Range<usize>,
}

/// The pieces of a `<c>`.
#[derive(Default)]
struct Open {
    value: String,
    inline: String,
    formula: Option<Formula>,
    start: usize,
    inner: usize,
    column: u32,
    has_value: bool,
}

impl<'a> Parsed<'a> {
    /// Reads a sheet; `texts` are the workbook's shared texts.
    pub fn read(bytes: &'a [u8], texts: &[String]) -> Result<Self, Unreadable> {
        let pieces = pieces(bytes)?;
        let mut rows: Vec<RowXml> = Vec::new();
        let (mut data, mut end) = (None, None);
        let (mut open, mut tag): (Option<Open>, Option<Tag>) = (None, None);
        // Which element's text is read, and whether it is a reading aid of Japanese text.
        let (mut inside, mut phonetic) = ("", false);
        for piece in &pieces {
            let within = data.is_some() && end.is_none();
            match &piece.kind {
                Kind::Start("sheetData", empty) => {
                    data = Some(if *empty { piece.span.start } else { piece.span.end });
                    end = empty.then_some(piece.span.start);
                }
                Kind::End("sheetData") => end = Some(piece.span.start),
                Kind::Start("row", _) if within => {
                    let tag = Tag::read(bytes.get(piece.span.clone()).unwrap_or_default())?;
                    let next = rows.last().map_or(1, |row| row.number + 1);
                    let number = match tag.get("r") {
                        Some(text) => {
                            text.trim().parse().ok().filter(|number| *number >= next).ok_or(Unreadable)?
                        }
                        None => next,
                    };
                    if number > crate::rows::LAST_ROW {
                        return Err(Unreadable);
                    }
                    rows.push(RowXml { number, tag, cells: Vec::new(), span: piece.span.clone() });
                }
                Kind::End("row") if within => {
                    if let Some(row) = rows.last_mut() {
                        row.span.end = piece.span.end;
                    }
                }
                Kind::Start("c", empty) if within => {
                    let found = Tag::read(bytes.get(piece.span.clone()).unwrap_or_default())?;
                    let row = rows.last_mut().ok_or(Unreadable)?;
                    let next = row.cells.last().map_or(1, |cell| cell.column + 1);
                    let column = match found.get("r") {
                        Some(name) => {
                            let (column, number) = cell_of(name).ok_or(Unreadable)?;
                            (number == row.number && column >= next).then_some(column).ok_or(Unreadable)?
                        }
                        None => next,
                    };
                    if *empty {
                        let (span, inner) = (piece.span.clone(), piece.span.end..piece.span.end);
                        row.cells.push(CellXml {
                            column,
                            tag: found,
                            text: None,
                            formula: None,
                            span,
                            inner,
                            blank: true,
                        });
                    } else {
                        open = Some(Open {
                            start: piece.span.start,
                            inner: piece.span.end,
                            column,
                            ..Open::default()
                        });
                        tag = Some(found);
                    }
                }
                Kind::End("c") if within => {
                    let (open, tag) = open.take().zip(tag.take()).ok_or(Unreadable)?;
                    let row = rows.last_mut().ok_or(Unreadable)?;
                    row.cells.push(open.closed(tag, piece.span.end, texts)?);
                }
                Kind::Start("f", empty) if open.is_some() => {
                    let tag = Tag::read(bytes.get(piece.span.clone()).unwrap_or_default())?;
                    if let Some(open) = &mut open {
                        open.formula = Some(Formula { tag, text: String::new(), span: piece.span.clone() });
                    }
                    inside = if *empty { "" } else { "f" };
                }
                Kind::Start(name @ ("v" | "t"), false) if open.is_some() => {
                    inside = if *name == "v" { "v" } else { "t" }
                }
                Kind::Start("rPh", _) => phonetic = true,
                Kind::End("rPh") => phonetic = false,
                Kind::End(name @ ("f" | "v" | "t")) => {
                    inside = "";
                    if let Some(formula) =
                        open.as_mut().filter(|_| *name == "f").and_then(|open| open.formula.as_mut())
                    {
                        formula.span.end = piece.span.end;
                    }
                }
                Kind::Text(text) => {
                    if let Some(open) = &mut open {
                        match inside {
                            "f" => open.formula.iter_mut().for_each(|formula| formula.text.push_str(text)),
                            "v" => {
                                open.has_value = true;
                                open.value.push_str(text);
                            }
                            "t" if !phonetic => open.inline.push_str(text),
                            _ => {}
                        }
                    }
                }
                _ => {}
            }
        }
        let (data, end) = data.zip(end).ok_or(Unreadable)?;
        let mut parsed = Self { bytes, pieces, head: 0..data, rows, tail: end..bytes.len() };
        parsed.head.end = parsed.rows.first().map_or(data, |row| row.span.start);
        parsed.tail.start = parsed.rows.last().map_or(end, |row| row.span.end);
        parsed.spell_out_shared();
        Ok(parsed)
    }

    pub fn slice(&self, span: &Range<usize>) -> &'a [u8] {
        self.bytes.get(span.clone()).unwrap_or_default()
    }

    /// Gives each member of a shared formula its own text. The tags stay: what is copied unchanged is copied as bytes.
    fn spell_out_shared(&mut self) {
        let mut masters: HashMap<String, (u32, u32, String)> = HashMap::new();
        for row in &mut self.rows {
            for cell in &mut row.cells {
                let Some(formula) = &mut cell.formula else { continue };
                if formula.tag.get("t") != Some("shared") {
                    continue;
                }
                let Some(index) = formula.tag.get("si").map(str::to_owned) else { continue };
                if formula.text.is_empty() {
                    if let Some((at_row, at_column, text)) = masters.get(&index) {
                        let down = i64::from(row.number) - i64::from(*at_row);
                        let right = i64::from(cell.column) - i64::from(*at_column);
                        formula.text = formula::shifted(text, down, right);
                    }
                } else {
                    masters.insert(index, (row.number, cell.column, formula.text.clone()));
                }
            }
        }
    }
}

impl Open {
    fn closed(self, tag: Tag, end: usize, texts: &[String]) -> Result<CellXml, Unreadable> {
        let text = match (tag.get("t"), &self.formula) {
            (_, Some(_)) => None,
            (Some("s"), None) if self.has_value => {
                let index: usize = self.value.trim().parse().map_err(|_| Unreadable)?;
                Some(texts.get(index).ok_or(Unreadable)?.clone())
            }
            (Some("inlineStr"), None) => Some(self.inline),
            (Some("str"), None) => Some(self.value),
            _ => None,
        };
        let blank =
            !self.has_value && self.formula.is_none() && text.as_deref().unwrap_or_default().is_empty();
        let (span, inner) = (self.start..end, self.inner..end);
        Ok(CellXml { column: self.column, tag, text, formula: self.formula, span, inner, blank })
    }
}

impl CellXml {
    /// Its name in a row.
    pub fn name(&self, row: u32) -> String {
        format!("{}{row}", column_letters(self.column))
    }
}
