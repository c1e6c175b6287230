//! XML parts as events, none of which can grow beyond a bound.

use std::io::{self, BufRead, BufReader, Read};

use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

use crate::TableError;
use crate::limits::Limits;
use crate::xlsx::inflate::PartReader;

const BLOCK: usize = 64 << 10;
/// What tags, comments and attributes may need beyond a cell's text.
const MARKUP_BYTES: u64 = 64 << 10;

/// Reads a part event by event.
pub(crate) struct XmlReader {
    reader: Reader<Bounded>,
    buffer: Vec<u8>,
    part: &'static str,
    depth: u64,
    deepest: u64,
    event_bytes: u64,
}

impl XmlReader {
    /// `part` is the word for it in [`TableError::FileDamaged`].
    pub(crate) fn new(source: PartReader, part: &'static str, limits: &Limits) -> Self {
        let longest = limits.cell_bytes + MARKUP_BYTES;
        let bounded = Bounded {
            inner: BufReader::with_capacity(BLOCK, source),
            run: 0,
            longest,
            left: longest * 2,
            cut: false,
        };
        let mut reader = Reader::from_reader(bounded);
        // A stray `&` is kept as it is rather than making the whole file unreadable.
        reader.config_mut().allow_dangling_amp = true;
        Self { reader, buffer: Vec::new(), part, depth: 0, deepest: limits.nesting, event_bytes: longest * 2 }
    }

    /// The next event. Documents with a type declaration are refused: they can define entities that
    /// grow without bound, and no workbook has one.
    pub(crate) fn next(&mut self) -> Result<Event<'_>, TableError> {
        self.buffer.clear();
        self.reader.get_mut().left = self.event_bytes;
        let part = self.part;
        let event = self.reader.read_event_into(&mut self.buffer).map_err(|error| xml_error(error, part))?;
        match &event {
            Event::Start(_) => self.depth += 1,
            Event::End(_) => self.depth = self.depth.saturating_sub(1),
            Event::DocType(_) => return Err(TableError::damaged(part)),
            _ => {}
        }
        if self.depth > self.deepest {
            return Err(TableError::damaged(part));
        }
        Ok(event)
    }

    /// Whether a text was longer than a cell may be and was cut since this was last asked.
    pub(crate) fn take_cut(&mut self) -> bool {
        std::mem::take(&mut self.reader.get_mut().cut)
    }

    /// Packed bytes read so far.
    pub(crate) fn packed_read(&self) -> u64 {
        self.reader.get_ref().inner.get_ref().packed_read()
    }

    /// Reads what is left without looking at it, so that the archive's check sum is compared.
    pub(crate) fn drain(&mut self) -> Result<(), TableError> {
        let inner = &mut self.reader.get_mut().inner;
        loop {
            let count = inner.fill_buf()?.len();
            if count == 0 {
                return Ok(());
            }
            inner.consume(count);
        }
    }
}

fn xml_error(error: quick_xml::Error, part: &'static str) -> TableError {
    match error {
        quick_xml::Error::Io(error) => match std::sync::Arc::try_unwrap(error) {
            Ok(error) => error.into(),
            Err(_) => TableError::damaged(part),
        },
        _ => TableError::damaged(part),
    }
}

/// Passes bytes on, but leaves out what exceeds the longest text between two `<`, and fails when a
/// single event takes more than its share all the same.
struct Bounded {
    inner: BufReader<PartReader>,
    /// Bytes since the last `<`.
    run: u64,
    longest: u64,
    /// Bytes that the event being read may still take.
    left: u64,
    cut: bool,
}

impl Bounded {
    fn skip_to_markup(&mut self) -> io::Result<()> {
        self.cut = true;
        loop {
            let block = self.inner.fill_buf()?;
            let (count, found) = match memchr::memchr(b'<', block) {
                Some(at) => (at, true),
                None => (block.len(), block.is_empty()),
            };
            self.inner.consume(count);
            if found {
                self.run = 0;
                return Ok(());
            }
        }
    }
}

impl Read for Bounded {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let block = self.fill_buf()?;
        let count = block.len().min(out.len());
        if let (Some(to), Some(from)) = (out.get_mut(..count), block.get(..count)) {
            to.copy_from_slice(from);
        }
        self.consume(count);
        Ok(count)
    }
}

impl BufRead for Bounded {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.left == 0 {
            return Err(TableError::damaged("markup").into());
        }
        if self.run >= self.longest {
            self.skip_to_markup()?;
        }
        let most = usize::try_from((self.longest - self.run).min(self.left)).unwrap_or(usize::MAX);
        let block = self.inner.fill_buf()?;
        Ok(block.get(..most.min(block.len())).unwrap_or_default())
    }

    fn consume(&mut self, count: usize) {
        let taken = self.inner.buffer().get(..count).unwrap_or_default();
        self.run = match memchr::memrchr(b'<', taken) {
            Some(at) => (count - at) as u64,
            None => self.run + count as u64,
        };
        self.left = self.left.saturating_sub(count as u64);
        self.inner.consume(count);
    }
}

/// An attribute's value by its local name, with entities resolved; `None` if there is none.
pub(crate) fn attribute(tag: &BytesStart<'_>, name: &str) -> Option<String> {
    for attribute in tag.attributes().with_checks(false) {
        let attribute = attribute.ok()?;
        if attribute.key.local_name().as_ref() == name {
            let value = attribute.normalized_value(XmlVersion::Implicit1_0).ok()?;
            return Some(value.into_owned());
        }
    }
    None
}

/// Appends what `&…;` stands for; an unknown entity is kept as it is written.
pub(crate) fn push_reference(reference: &BytesRef<'_>, out: &mut String) {
    if let Ok(Some(character)) = reference.resolve_char_ref() {
        out.push(character);
        return;
    }
    let name: &str = reference;
    match quick_xml::escape::resolve_predefined_entity(name) {
        Some(text) => out.push_str(text),
        None => {
            out.push('&');
            out.push_str(name);
            out.push(';');
        }
    }
}
