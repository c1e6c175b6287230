//! Cuts HTML into tags and text, as the HTML standard's tokenizer does, in bounded memory.
//!
//! It works on bytes: no character that matters to markup is ever the second byte of a GB18030
//! character, so that every cell can be decoded by itself.

use std::io::{self, Read};

use crate::TableError;
use crate::text::source::read_some;

const BLOCK: usize = 64 << 10;
/// A tag with all its attributes is below this; Excel's longest have some hundred bytes.
const TAG_BYTES: usize = 64 << 10;

/// A tag's name in lower case and those of its attributes that were asked for.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Tag {
    pub(crate) name: String,
    pub(crate) end: bool,
    attributes: Vec<(String, Vec<u8>)>,
}

/// The attributes that mean something to a table.
const WANTED: &[&str] = &["colspan", "rowspan", "x:num"];

impl Tag {
    /// An attribute's value; only those in `WANTED` are kept.
    pub(crate) fn attribute(&self, name: &str) -> Option<&[u8]> {
        self.attributes.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_slice())
    }
}

/// One piece of a page. Comments and declarations are passed over.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Token<'a> {
    /// Part of a text; a long one comes in several parts.
    Text(&'a [u8]),
    Tag(&'a Tag),
}

/// Reads a page from front to back.
pub(crate) struct Tokens<R> {
    pub(crate) inner: R,
    buffer: Vec<u8>,
    at: usize,
    end: usize,
    finished: bool,
    tag: Tag,
    /// The element whose content is not markup, such as `script`, until it ends.
    raw: Option<&'static str>,
}

/// Elements whose content is never shown.
const RAW: &[&str] = &["script", "style", "title", "xmp", "noembed", "noframes", "iframe"];

impl<R: Read> Tokens<R> {
    pub(crate) fn new(inner: R) -> Self {
        Self {
            inner,
            buffer: vec![0; BLOCK + TAG_BYTES],
            at: 0,
            end: 0,
            finished: false,
            tag: Tag::default(),
            raw: None,
        }
    }

    /// Forgets what was buffered, after the stream was started again.
    pub(crate) fn restart(&mut self) {
        self.at = 0;
        self.end = 0;
        self.finished = false;
        self.raw = None;
    }

    /// The next piece, or `None` at the end.
    ///
    /// # Errors
    /// What reading gives; `file_damaged` for a tag beyond reason; `file_truncated` for one that the end cuts off.
    pub(crate) fn next(&mut self) -> Result<Option<Token<'_>>, TableError> {
        if let Some(name) = self.raw.take() {
            self.skip_raw(name)?;
        }
        loop {
            self.ensure(4)?;
            let held = self.held();
            match held {
                [] => return Ok(None),
                [b'<', b'!', b'-', b'-', ..] => self.skip_comment()?,
                // Declarations, processing instructions and what the standard calls bogus comments.
                [b'<', b'!' | b'?', ..] => self.skip_past(b">")?,
                [b'<', b'/', b'>', ..] => self.at += 3,
                [b'<', b'/', letter, ..] if letter.is_ascii_alphabetic() => return self.read_tag(2),
                [b'<', b'/', _, ..] => self.skip_past(b">")?,
                [b'<', letter, ..] if letter.is_ascii_alphabetic() => return self.read_tag(1),
                _ => {
                    let length = memchr::memchr(b'<', held.get(1..).unwrap_or_default())
                        .map_or(held.len(), |found| found + 1);
                    let from = self.at;
                    self.at += length;
                    return Ok(Some(Token::Text(self.buffer.get(from..from + length).unwrap_or_default())));
                }
            }
        }
    }

    fn held(&self) -> &[u8] {
        self.buffer.get(self.at..self.end).unwrap_or_default()
    }

    /// Tries to hold so many bytes.
    fn ensure(&mut self, count: usize) -> io::Result<()> {
        while self.end - self.at < count && !self.finished {
            if self.at > 0 {
                self.buffer.copy_within(self.at..self.end, 0);
                self.end -= self.at;
                self.at = 0;
            }
            let room = self.buffer.get_mut(self.end..).unwrap_or_default();
            let read = read_some(&mut self.inner, room)?;
            self.end += read;
            self.finished = read == 0;
        }
        Ok(())
    }

    fn read_tag(&mut self, name_at: usize) -> Result<Option<Token<'_>>, TableError> {
        let mut wanted = 256;
        loop {
            self.ensure(wanted)?;
            let held = self.buffer.get(self.at..self.end).unwrap_or_default();
            self.tag.end = name_at == 2;
            let body = held.get(name_at..).unwrap_or_default();
            if let Some(length) = parse_tag(body, &mut self.tag) {
                self.at += name_at + length;
                break;
            }
            if self.finished {
                return Err(TableError::FileTruncated { sheet: None, row: None });
            }
            wanted = self.end - self.at + 1;
            if wanted > TAG_BYTES {
                return Err(TableError::damaged("markup"));
            }
        }
        if !self.tag.end {
            self.raw = RAW.iter().find(|name| **name == self.tag.name).copied();
        }
        Ok(Some(Token::Tag(&self.tag)))
    }

    fn skip_comment(&mut self) -> io::Result<()> {
        self.at += 4;
        self.ensure(2)?;
        match self.held() {
            [b'>', ..] => self.at += 1,
            [b'-', b'>', ..] => self.at += 2,
            _ => loop {
                self.skip_to(b'-')?;
                self.ensure(4)?;
                match self.held() {
                    [b'-', b'-', b'>', ..] => {
                        self.at += 3;
                        break;
                    }
                    [b'-', b'-', b'!', b'>', ..] => {
                        self.at += 4;
                        break;
                    }
                    [] => break,
                    _ => self.at += 1,
                }
            },
        }
        Ok(())
    }

    /// Goes to the next such byte, or to the end.
    fn skip_to(&mut self, byte: u8) -> io::Result<()> {
        loop {
            self.ensure(1)?;
            let held = self.held();
            if held.is_empty() {
                return Ok(());
            }
            if let Some(found) = memchr::memchr(byte, held) {
                self.at += found;
                return Ok(());
            }
            self.at = self.end;
        }
    }

    fn skip_past(&mut self, end: &[u8; 1]) -> io::Result<()> {
        self.skip_to(end[0])?;
        self.at = (self.at + 1).min(self.end);
        Ok(())
    }

    /// Goes to the end tag of an element whose content is not markup.
    fn skip_raw(&mut self, name: &str) -> io::Result<()> {
        loop {
            self.skip_to(b'<')?;
            self.ensure(name.len() + 3)?;
            let held = self.held();
            if held.is_empty() {
                return Ok(());
            }
            let found = held.get(2..2 + name.len()).is_some_and(|n| n.eq_ignore_ascii_case(name.as_bytes()))
                && held.get(1) == Some(&b'/')
                && held
                    .get(2 + name.len())
                    .is_none_or(|b| b.is_ascii_whitespace() || matches!(b, b'>' | b'/'));
            if found {
                return Ok(());
            }
            self.at += 1;
        }
    }
}

/// Reads a tag from its name on; its length up to and with `>`, or `None` if it is not complete.
fn parse_tag(bytes: &[u8], tag: &mut Tag) -> Option<usize> {
    tag.attributes.clear();
    let is_end = |b: &u8| b.is_ascii_whitespace() || matches!(b, b'>' | b'/');
    let name_end = bytes.iter().position(is_end)?;
    tag.name.clear();
    tag.name.push_str(&String::from_utf8_lossy(bytes.get(..name_end)?));
    tag.name.make_ascii_lowercase();
    let mut at = name_end;
    loop {
        at += bytes.get(at..)?.iter().position(|b| !b.is_ascii_whitespace() && *b != b'/')?;
        if bytes.get(at) == Some(&b'>') {
            return Some(at + 1);
        }
        // The first byte belongs to the name even if it is `=`.
        let length = bytes.get(at + 1..)?.iter().position(|b| is_end(b) || *b == b'=')? + 1;
        let name = bytes.get(at..at + length)?;
        at += length;
        at += bytes.get(at..)?.iter().position(|b| !b.is_ascii_whitespace())?;
        let mut value: &[u8] = &[];
        if bytes.get(at) == Some(&b'=') {
            at += 1;
            at += bytes.get(at..)?.iter().position(|b| !b.is_ascii_whitespace())?;
            match bytes.get(at)? {
                quote @ (b'"' | b'\'') => {
                    let length = memchr::memchr(*quote, bytes.get(at + 1..)?)?;
                    value = bytes.get(at + 1..at + 1 + length)?;
                    at += length + 2;
                }
                b'>' => return Some(at + 1),
                _ => {
                    let length =
                        bytes.get(at..)?.iter().position(|b| b.is_ascii_whitespace() || *b == b'>')?;
                    value = bytes.get(at..at + length)?;
                    at += length;
                }
            }
        }
        if let Some(name) = WANTED.iter().find(|wanted| name.eq_ignore_ascii_case(wanted.as_bytes())) {
            tag.attributes.push(((*name).to_owned(), value.to_vec()));
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use std::cell::RefCell;

    use html5ever::tendril::StrTendril;
    use html5ever::tokenizer::{
        BufferQueue, Token as TheirToken, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts,
    };
    use proptest::prelude::*;

    use super::*;

    /// Tags with a slash for end tags, and texts between them put together.
    fn ours(page: &[u8]) -> (Vec<String>, bool) {
        let mut tokens = Tokens::new(page);
        let mut found: Vec<String> = Vec::new();
        loop {
            match tokens.next() {
                Ok(Some(Token::Text(text))) => push_text(&mut found, std::str::from_utf8(text).unwrap()),
                Ok(Some(Token::Tag(tag))) => {
                    let slash = if tag.end { "</" } else { "<" };
                    found.push(format!("{slash}{}", tag.name));
                }
                Ok(None) => return (found, true),
                Err(_) => return (found, false),
            }
        }
    }

    fn push_text(found: &mut Vec<String>, text: &str) {
        match found.last_mut() {
            Some(last) if last.starts_with('#') => last.push_str(text),
            _ => found.push(format!("#{text}")),
        }
    }

    #[derive(Default)]
    struct Sink(RefCell<Vec<String>>);

    impl TokenSink for Sink {
        type Handle = ();

        fn process_token(&self, token: TheirToken, _: u64) -> TokenSinkResult<()> {
            match token {
                TheirToken::TagToken(tag) => {
                    let end = tag.kind == html5ever::tokenizer::TagKind::EndTag;
                    let slash = if end { "</" } else { "<" };
                    self.0.borrow_mut().push(format!("{slash}{}", tag.name));
                }
                TheirToken::CharacterTokens(text) => push_text(&mut self.0.borrow_mut(), &text),
                _ => {}
            }
            TokenSinkResult::Continue
        }
    }

    fn theirs(page: &str) -> Vec<String> {
        let tokenizer = Tokenizer::new(Sink::default(), TokenizerOpts::default());
        let queue = BufferQueue::default();
        queue.push_back(StrTendril::from(page));
        let _ = tokenizer.feed(&queue);
        tokenizer.end();
        tokenizer.sink.0.into_inner()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]
        #[test]
        fn html5ever_cuts_the_same_way(page in "([<>/!?=\"' -]|<td|</td|<!--|-->|x|a=|\"b\"|王| )*") {
            let (found, whole) = ours(page.as_bytes());
            let wanted = theirs(&page);
            if whole {
                prop_assert_eq!(found, wanted);
            } else {
                // A tag cut off by the end is an error here and dropped there.
                prop_assert!(wanted.starts_with(&found[..found.len()]));
            }
        }
    }

    #[test]
    fn attributes_are_read_however_they_are_quoted() {
        let page = b"<TD x:num=\"1.1E+17\" colspan=3 rowspan='2' nowrap class=\"a>b\">";
        let mut tokens = Tokens::new(page.as_slice());
        let Some(Token::Tag(tag)) = tokens.next().unwrap() else { panic!() };
        assert_eq!(tag.name, "td");
        assert_eq!(tag.attribute("x:num"), Some(b"1.1E+17".as_slice()));
        assert_eq!(tag.attribute("colspan"), Some(b"3".as_slice()));
        assert_eq!(tag.attribute("rowspan"), Some(b"2".as_slice()));
        assert_eq!(tag.attribute("class"), None);
    }

    #[test]
    fn scripts_and_styles_are_passed_over() {
        let page = b"<style>td:before{content:'<td>'}</style>a<script>if (a</b) '</scripty>'</SCRIPT >b";
        assert_eq!(ours(page).0, ["<style", "</style", "#a", "<script", "</script", "#b"]);
    }
}
