//! Reading XML as stretches of bytes, so that what is not changed can be copied.

use std::ops::Range;

use quick_xml::Reader;
use quick_xml::events::Event;

/// The XML cannot be read.
#[derive(Debug)]
pub(crate) struct Unreadable;

/// Deeper than any workbook goes.
const NESTING: usize = 200;

/// One piece of a document and where it stands.
pub(crate) struct Piece<'a> {
    pub kind: Kind<'a>,
    pub span: Range<usize>,
}

pub(crate) enum Kind<'a> {
    /// A start tag with its local name; `true`: it is its own end.
    Start(&'a str, bool),
    End(&'a str),
    /// Text, with entities resolved.
    Text(String),
    /// Declarations, comments, instructions.
    Other,
}

/// Every piece of a document, in order.
pub(crate) fn pieces(bytes: &[u8]) -> Result<Vec<Piece<'_>>, Unreadable> {
    let mut reader = Reader::from_reader(bytes);
    reader.config_mut().allow_dangling_amp = true;
    let mut pieces = Vec::new();
    let mut depth = 0_usize;
    loop {
        let from = position(&reader)?;
        let event = reader.read_event().map_err(|_| Unreadable)?;
        let to = position(&reader)?;
        let kind = match &event {
            Event::Start(_) => {
                depth += 1;
                Kind::Start(name_at(bytes, from + 1)?, false)
            }
            Event::Empty(_) => Kind::Start(name_at(bytes, from + 1)?, true),
            Event::End(_) => {
                depth = depth.checked_sub(1).ok_or(Unreadable)?;
                Kind::End(name_at(bytes, from + 2)?)
            }
            Event::Text(_) => Kind::Text(text_at(bytes, from..to)?.to_owned()),
            Event::CData(_) => {
                let text = text_at(bytes, from..to)?;
                let inner = text.strip_prefix("<![CDATA[").and_then(|text| text.strip_suffix("]]>"));
                Kind::Text(inner.ok_or(Unreadable)?.to_owned())
            }
            Event::GeneralRef(_) => Kind::Text(unescaped(text_at(bytes, from..to)?)),
            // It could define entities that grow without bound; no workbook has one.
            Event::DocType(_) => return Err(Unreadable),
            Event::Eof => break,
            _ => Kind::Other,
        };
        if depth > NESTING {
            return Err(Unreadable);
        }
        pieces.push(Piece { kind, span: from..to });
    }
    if depth == 0 { Ok(pieces) } else { Err(Unreadable) }
}

fn position(reader: &Reader<&[u8]>) -> Result<usize, Unreadable> {
    usize::try_from(reader.buffer_position()).map_err(|_| Unreadable)
}

/// The local name that begins at `at`.
fn name_at(bytes: &[u8], at: usize) -> Result<&str, Unreadable> {
    let rest = bytes.get(at..).ok_or(Unreadable)?;
    let end = rest
        .iter()
        .position(|b| matches!(b, b'>' | b'/' | b' ' | b'\t' | b'\r' | b'\n'))
        .ok_or(Unreadable)?;
    let name = std::str::from_utf8(rest.get(..end).unwrap_or_default()).map_err(|_| Unreadable)?;
    Ok(name.rsplit(':').next().unwrap_or(name))
}

fn text_at(bytes: &[u8], span: Range<usize>) -> Result<&str, Unreadable> {
    std::str::from_utf8(bytes.get(span).ok_or(Unreadable)?).map_err(|_| Unreadable)
}

/// A start tag taken apart. Values stay as they are written.
#[derive(Debug, Clone)]
pub(crate) struct Tag {
    /// With its prefix.
    pub name: String,
    attributes: Vec<(String, String)>,
    empty: bool,
}

impl Tag {
    pub fn read(bytes: &[u8]) -> Result<Self, Unreadable> {
        let text = std::str::from_utf8(bytes).map_err(|_| Unreadable)?;
        let inner = text.strip_prefix('<').and_then(|text| text.strip_suffix('>')).ok_or(Unreadable)?;
        let (inner, empty) = inner.strip_suffix('/').map_or((inner, false), |inner| (inner, true));
        let name_end = inner.find(|c: char| c.is_ascii_whitespace()).unwrap_or(inner.len());
        let (name, mut rest) = inner.split_at(name_end);
        let mut attributes = Vec::new();
        loop {
            rest = rest.trim_start();
            if rest.is_empty() {
                return Ok(Self { name: name.to_owned(), attributes, empty });
            }
            let (key, after) = rest.split_once('=').ok_or(Unreadable)?;
            let after = after.trim_start();
            let quote = after.chars().next().filter(|c| matches!(c, '"' | '\'')).ok_or(Unreadable)?;
            let (value, after) =
                after.get(1..).and_then(|after| after.split_once(quote)).ok_or(Unreadable)?;
            attributes.push((key.trim().to_owned(), value.replace('"', "&quot;")));
            rest = after;
        }
    }

    /// The namespace prefix with its colon, or nothing.
    pub fn prefix(&self) -> &str {
        self.name.rfind(':').and_then(|at| self.name.get(..=at)).unwrap_or_default()
    }

    /// An attribute as written, by its full name.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.attributes.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }

    /// An attribute by its local name, whatever its prefix, with entities resolved.
    pub fn local(&self, key: &str) -> Option<String> {
        let of = |name: &str| name.rsplit(':').next() == Some(key);
        self.attributes.iter().find(|(name, _)| of(name)).map(|(_, value)| unescaped(value))
    }

    /// Sets an attribute; a new one comes last.
    pub fn set(&mut self, key: &str, value: &str) {
        let value = escaped(value);
        match self.attributes.iter_mut().find(|(name, _)| name == key) {
            Some((_, old)) => *old = value,
            None => self.attributes.push((key.to_owned(), value)),
        }
    }

    pub fn remove(&mut self, key: &str) {
        self.attributes.retain(|(name, _)| name != key);
    }

    /// Writes the tag; `empty`: as its own end.
    pub fn write(&self, out: &mut Vec<u8>, empty: bool) {
        out.push(b'<');
        out.extend_from_slice(self.name.as_bytes());
        for (key, value) in &self.attributes {
            out.extend_from_slice(format!(" {key}=\"{value}\"").as_bytes());
        }
        out.extend_from_slice(if empty { b"/>" } else { b">" });
    }

    /// Writes the tag as it was.
    pub fn write_same(&self, out: &mut Vec<u8>) {
        self.write(out, self.empty);
    }

    pub fn write_end(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(format!("</{}>", self.name).as_bytes());
    }
}

/// A text as XML has it. What XML cannot hold is left out.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\t' | '\n' | '\r' => out.push(c),
            c if (c as u32) < 0x20 || matches!(c, '\u{FFFE}' | '\u{FFFF}') => {}
            c => out.push(c),
        }
    }
    out
}

fn unescaped(text: &str) -> String {
    quick_xml::escape::unescape(text).map_or_else(|_| text.to_owned(), std::borrow::Cow::into_owned)
}
