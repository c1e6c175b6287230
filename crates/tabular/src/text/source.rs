//! A text file as a stream of bytes whose ASCII bytes stand for themselves.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::sync::Arc;

use encoding_rs::{CoderResult, Decoder, UTF_16BE, UTF_16LE};

use crate::TableError;
use crate::limits::Options;
use crate::text::{Encoding, Tally};

/// How the bytes of a text file are laid out, as far as its first block tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layout {
    /// One byte at a time; `skip` bytes of byte order mark come first.
    Bytes { skip: u64, marked_utf8: bool },
    /// UTF-16, low byte first.
    Utf16Le { skip: u64 },
    /// UTF-16, high byte first.
    Utf16Be { skip: u64 },
}

impl Layout {
    /// Reads a byte order mark, or finds UTF-16 without one by its zero bytes.
    pub(crate) fn of(head: &[u8]) -> Self {
        match head {
            [0xEF, 0xBB, 0xBF, ..] => Self::Bytes { skip: 3, marked_utf8: true },
            [0xFF, 0xFE, ..] => Self::Utf16Le { skip: 2 },
            [0xFE, 0xFF, ..] => Self::Utf16Be { skip: 2 },
            _ => Self::without_mark(head),
        }
    }

    fn without_mark(head: &[u8]) -> Self {
        let printable = |b: u8| matches!(b, b'\t' | b'\n' | b'\r' | b' '..=b'~');
        let mut pairs = 0usize;
        let mut low_first = 0usize;
        let mut high_first = 0usize;
        for pair in head.chunks_exact(2) {
            pairs += 1;
            match *pair {
                [a, 0] if printable(a) => low_first += 1,
                [0, b] if printable(b) => high_first += 1,
                _ => {}
            }
        }
        // A table has separators, digits and line ends: at least one unit in twenty is ASCII.
        let evident = |own: usize, other: usize, decoder: &'static encoding_rs::Encoding| {
            own * 20 >= pairs.max(1) && own > other * 20 && reads_as(decoder, head)
        };
        if evident(low_first, high_first, UTF_16LE) {
            Self::Utf16Le { skip: 0 }
        } else if evident(high_first, low_first, UTF_16BE) {
            Self::Utf16Be { skip: 0 }
        } else {
            Self::Bytes { skip: 0, marked_utf8: false }
        }
    }

    fn skip(self) -> u64 {
        match self {
            Self::Bytes { skip, .. } | Self::Utf16Le { skip } | Self::Utf16Be { skip } => skip,
        }
    }

    /// Name of the encoding where the layout alone tells it.
    pub(crate) fn utf16_name(self) -> Option<&'static str> {
        match self {
            Self::Bytes { .. } => None,
            Self::Utf16Le { .. } => Some("UTF-16LE"),
            Self::Utf16Be { .. } => Some("UTF-16BE"),
        }
    }

    /// The first block of the file as UTF-8-like bytes, to look for a format in.
    pub(crate) fn preview(self, head: &[u8]) -> Vec<u8> {
        let body = head.get(usize::try_from(self.skip()).unwrap_or(0)..).unwrap_or_default();
        match self {
            Self::Bytes { .. } => body.to_vec(),
            Self::Utf16Le { .. } => UTF_16LE.decode_without_bom_handling(body).0.into_owned().into_bytes(),
            Self::Utf16Be { .. } => UTF_16BE.decode_without_bom_handling(body).0.into_owned().into_bytes(),
        }
    }
}

/// Whether the block is free of unpaired surrogates and of NUL.
fn reads_as(encoding: &'static encoding_rs::Encoding, head: &[u8]) -> bool {
    let even = head.len() & !1;
    let mut body = head.get(..even).unwrap_or_default();
    // The block may end between the two halves of a pair.
    if body.len() >= 4 {
        body = body.get(..body.len() - 2).unwrap_or_default();
        let last_unit = [body.len() - 2, body.len() - 1].map(|i| body.get(i).copied().unwrap_or(0));
        if last_unit.iter().any(|b| matches!(b, 0xD8..=0xDB)) {
            body = body.get(..body.len() - 2).unwrap_or_default();
        }
    }
    let (text, replaced) = encoding.decode_without_bom_handling(body);
    !replaced && !text.contains('\0')
}

const BLOCK: usize = 64 << 10;

/// The stream. It can be started again at any time.
pub(crate) struct Source {
    file: Arc<File>,
    layout: Layout,
    decoder: Option<Decoder>,
    raw: Vec<u8>,
    raw_start: usize,
    raw_end: usize,
    finished: bool,
    read_bytes: u64,
}

impl Source {
    pub(crate) fn new(file: Arc<File>, layout: Layout) -> Result<Self, TableError> {
        let mut source = Self {
            file,
            layout,
            decoder: None,
            raw: Vec::new(),
            raw_start: 0,
            raw_end: 0,
            finished: false,
            read_bytes: 0,
        };
        source.restart()?;
        Ok(source)
    }

    /// Goes back to the beginning.
    pub(crate) fn restart(&mut self) -> Result<(), TableError> {
        let skip = self.layout.skip();
        self.file.seek(SeekFrom::Start(skip))?;
        self.decoder = match self.layout {
            Layout::Bytes { .. } => None,
            Layout::Utf16Le { .. } => Some(UTF_16LE.new_decoder_without_bom_handling()),
            Layout::Utf16Be { .. } => Some(UTF_16BE.new_decoder_without_bom_handling()),
        };
        self.raw_start = 0;
        self.raw_end = 0;
        self.finished = false;
        self.read_bytes = skip;
        Ok(())
    }

    /// Bytes of the file that were read so far.
    pub(crate) fn read_bytes(&self) -> u64 {
        self.read_bytes
    }

    /// Reads the whole file once to find its encoding, then starts again. A byte order mark is believed.
    pub(crate) fn find_encoding(
        &mut self,
        hint: Option<Encoding>,
        options: &Options,
    ) -> Result<Encoding, TableError> {
        if !matches!(self.layout, Layout::Bytes { marked_utf8: false, .. }) {
            return Ok(Encoding::Utf8);
        }
        let mut tally = Tally::default();
        let mut block = vec![0; BLOCK];
        loop {
            options.check_cancelled()?;
            let count = read_some(self, &mut block)?;
            if count == 0 {
                break;
            }
            tally.feed(block.get(..count).unwrap_or_default());
        }
        self.restart()?;
        tally.decide(hint).ok_or(TableError::EncodingUnknown)
    }

    fn read_utf16(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.raw.is_empty() {
            self.raw = vec![0; BLOCK];
        }
        loop {
            if self.raw_start == self.raw_end && !self.finished {
                self.raw_start = 0;
                self.raw_end = read_some(&mut self.file, &mut self.raw)?;
                self.read_bytes += self.raw_end as u64;
                self.finished = self.raw_end == 0;
            }
            let Some(decoder) = &mut self.decoder else {
                return Ok(0);
            };
            let raw = self.raw.get(self.raw_start..self.raw_end).unwrap_or_default();
            let (result, read, written, _) = decoder.decode_to_utf8(raw, out, self.finished);
            self.raw_start += read;
            if self.finished && result == CoderResult::InputEmpty {
                // A finished decoder must not be asked again.
                self.decoder = None;
                return Ok(written);
            }
            if written > 0 {
                return Ok(written);
            }
            if result == CoderResult::OutputFull {
                return Err(io::Error::other("the buffer is too small for one character"));
            }
        }
    }
}

impl Read for Source {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        match self.layout {
            Layout::Bytes { .. } => {
                let count = read_some(&mut self.file, out)?;
                self.read_bytes += count as u64;
                Ok(count)
            }
            Layout::Utf16Le { .. } | Layout::Utf16Be { .. } => self.read_utf16(out),
        }
    }
}

/// Reads once, again if a signal interrupted.
pub(crate) fn read_some(from: &mut impl Read, block: &mut [u8]) -> io::Result<usize> {
    loop {
        match from.read(block) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            other => return other,
        }
    }
}

/// Reads until the block is full or the stream ends.
pub(crate) fn read_full(from: &mut impl Read, block: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while let Some(rest) = block.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match read_some(from, rest)? {
            0 => break,
            count => filled += count,
        }
    }
    Ok(filled)
}
