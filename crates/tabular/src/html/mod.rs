//! Tables in HTML pages: what many systems hand out under the name of .xls.

mod entities;
mod grid;
mod tokens;

use std::fs::File;
use std::sync::Arc;

use crate::TableError;
use crate::limits::Options;
use crate::row::Row;
use crate::text::source::{Layout, Source};
use crate::text::{Encoding, Tally};
use grid::{Grid, Placed};
use tokens::{Token, Tokens};

/// The rows of all tables of a page, one below the other.
pub(crate) struct HtmlRows {
    tokens: Tokens<Source>,
    grid: Grid,
    encoding: Encoding,
    encoding_name: &'static str,
    options: Options,
    delivered: u64,
    finished: bool,
}

impl HtmlRows {
    pub(crate) fn open(
        file: Arc<File>,
        layout: Layout,
        head: &[u8],
        options: &Options,
    ) -> Result<Self, TableError> {
        let mut tokens = Tokens::new(Source::new(file, layout)?);
        let survey = survey(&mut tokens, options)?;
        let encoding = match layout {
            Layout::Bytes { marked_utf8: false, .. } => {
                survey.tally.decide(declared(head)).ok_or(TableError::EncodingUnknown)?
            }
            _ => Encoding::Utf8,
        };
        let mut rows = Self {
            tokens,
            grid: Grid::new(survey.depth, encoding, &options.limits),
            encoding,
            encoding_name: layout.utf16_name().unwrap_or(encoding.name()),
            options: options.clone(),
            delivered: 0,
            finished: false,
        };
        rows.rewind()?;
        Ok(rows)
    }

    pub(crate) fn encoding_name(&self) -> &'static str {
        self.encoding_name
    }

    pub(crate) fn read_bytes(&self) -> u64 {
        self.tokens.inner.read_bytes()
    }

    pub(crate) fn rewind(&mut self) -> Result<(), TableError> {
        self.tokens.inner.restart()?;
        self.tokens.restart();
        self.grid = Grid::new(self.grid.data_depth(), self.encoding, &self.options.limits);
        self.delivered = 0;
        self.finished = false;
        Ok(())
    }

    pub(crate) fn next(&mut self, out: &mut Row) -> Result<bool, TableError> {
        out.clear();
        let mut seen = 0u32;
        while !self.finished {
            seen = seen.wrapping_add(1);
            if seen.is_multiple_of(1 << 16) {
                self.options.check_cancelled()?;
            }
            let placed = match self.tokens.next().map_err(|error| self.grid.located(error))? {
                Some(Token::Text(text)) => self.grid.text(text)?,
                Some(Token::Tag(tag)) => self.grid.tag(tag)?,
                None => {
                    self.finished = true;
                    self.grid.end()?
                }
            };
            if placed == Placed::RowComplete && self.grid.take_row(out) {
                self.delivered += 1;
                if self.delivered > self.options.limits.rows {
                    return Err(TableError::TooManyRows { limit: self.options.limits.rows });
                }
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// What reading the whole page once showed.
struct Survey {
    tally: Tally,
    /// The depth of tables within tables at which most rows stand.
    depth: usize,
}

fn survey(tokens: &mut Tokens<Source>, options: &Options) -> Result<Survey, TableError> {
    let mut tally = Tally::default();
    let deepest = usize::try_from(options.limits.nesting).unwrap_or(usize::MAX);
    let mut rows_at_depth: Vec<u64> = Vec::new();
    let mut depth = 0usize;
    let mut seen = 0u32;
    loop {
        seen = seen.wrapping_add(1);
        if seen.is_multiple_of(1 << 16) {
            options.check_cancelled()?;
        }
        match tokens.next()? {
            Some(Token::Text(text)) => tally.feed(text),
            Some(Token::Tag(tag)) => {
                tally.feed(b"\n");
                match (tag.name.as_str(), tag.end) {
                    ("table", false) => depth += 1,
                    ("table", true) => depth = depth.saturating_sub(1),
                    ("tr", false) => {
                        if rows_at_depth.len() <= depth {
                            rows_at_depth.resize(depth + 1, 0);
                        }
                        if let Some(count) = rows_at_depth.get_mut(depth) {
                            *count += 1;
                        }
                    }
                    _ => {}
                }
                if depth > deepest {
                    return Err(TableError::damaged("markup"));
                }
            }
            None => break,
        }
    }
    // Of equals the outermost: a table within a cell is content then.
    let most = rows_at_depth.iter().copied().max().unwrap_or(0);
    let depth = rows_at_depth.iter().position(|count| *count == most).unwrap_or(1).max(1);
    Ok(Survey { tally, depth })
}

/// The encoding that the page says it has. It only settles a tie: the declaration is often a leftover.
fn declared(head: &[u8]) -> Option<Encoding> {
    let head = head.get(..head.len().min(8 << 10))?.to_ascii_lowercase();
    let at = memchr::memmem::find(&head, b"charset")?;
    let rest = head.get(at + 7..)?;
    let value: Vec<u8> = rest
        .iter()
        .copied()
        .skip_while(|b| b.is_ascii_whitespace() || matches!(b, b'=' | b'"' | b'\''))
        .take_while(|b| b.is_ascii_alphanumeric() || *b == b'-')
        .collect();
    match value.as_slice() {
        b"utf-8" | b"utf8" => Some(Encoding::Utf8),
        b"gb2312" | b"gbk" | b"gb18030" | b"cp936" | b"gb-2312" => Some(Encoding::Gb18030),
        _ => None,
    }
}
