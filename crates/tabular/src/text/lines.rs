//! Lines of a stream, each at most as long as a row may be.

use std::io::{self, Read};

use crate::text::source::read_some;

const BLOCK: usize = 64 << 10;
/// A decoder needs room for at least one character, and small reads are slow.
const SMALLEST_READ: usize = 1 << 10;

/// One line without its end.
pub(crate) struct Line<'a> {
    pub(crate) bytes: &'a [u8],
    /// `\n`, `\r\n`, `\r`, or nothing at the end of the stream or of an overlong line.
    pub(crate) end: &'static str,
    /// Longer than accepted; `bytes` is its beginning.
    pub(crate) overlong: bool,
}

/// Splits a stream at `\n`, `\r\n`, `\r` and also `\r\r\n`, which comes of translating line ends twice.
pub(crate) struct Lines<R> {
    pub(crate) inner: R,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    finished: bool,
    longest: usize,
}

impl<R: Read> Lines<R> {
    pub(crate) fn new(inner: R, longest: u64) -> Self {
        Self {
            inner,
            buffer: vec![0; BLOCK],
            start: 0,
            end: 0,
            finished: false,
            longest: usize::try_from(longest).unwrap_or(usize::MAX),
        }
    }

    /// Forgets what was buffered, after the stream was started again.
    pub(crate) fn restart(&mut self) {
        self.start = 0;
        self.end = 0;
        self.finished = false;
    }

    /// The next line, or `None` at the end.
    pub(crate) fn next(&mut self) -> io::Result<Option<Line<'_>>> {
        let mut scanned = 0;
        loop {
            let held = self.buffer.get(self.start..self.end).unwrap_or_default();
            let found = held
                .get(scanned..)
                .and_then(|rest| memchr::memchr2(b'\n', b'\r', rest))
                .map(|at| scanned + at);
            if let Some(at) = found
                && let Some((end, length)) = line_end(held.get(at..).unwrap_or_default(), self.finished)
            {
                return Ok(Some(self.take(at, length, end, false)));
            }
            scanned = found.unwrap_or(held.len());
            if scanned > self.longest {
                let length = self.longest;
                return Ok(Some(self.take(length, 0, "", true)));
            }
            if self.finished {
                if held.is_empty() {
                    return Ok(None);
                }
                let length = held.len();
                return Ok(Some(self.take(length, 0, "", false)));
            }
            self.fill()?;
        }
    }

    fn take(&mut self, length: usize, end_length: usize, end: &'static str, overlong: bool) -> Line<'_> {
        let from = self.start;
        self.start = (from + length + end_length).min(self.end);
        Line { bytes: self.buffer.get(from..from + length).unwrap_or_default(), end, overlong }
    }

    fn fill(&mut self) -> io::Result<()> {
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        if self.buffer.len() - self.end < SMALLEST_READ {
            // At most twice the longest line: an overlong one is ended before it grows further.
            self.buffer.resize(self.buffer.len() * 2, 0);
        }
        let room = self.buffer.get_mut(self.end..).unwrap_or_default();
        let count = read_some(&mut self.inner, room)?;
        self.end += count;
        self.finished = count == 0;
        Ok(())
    }
}

/// The line end that `rest` begins with and its length; `None` when more bytes are needed to tell.
fn line_end(rest: &[u8], finished: bool) -> Option<(&'static str, usize)> {
    match rest {
        [b'\n', ..] => Some(("\n", 1)),
        [b'\r', b'\n', ..] => Some(("\r\n", 2)),
        [b'\r', b'\r', b'\n', ..] => Some(("\r\n", 3)),
        [b'\r'] | [b'\r', b'\r'] if !finished => None,
        _ => Some(("\r", 1)),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn split(text: &str) -> Vec<(String, &'static str)> {
        let mut lines = Lines::new(text.as_bytes(), 1000);
        let mut found = Vec::new();
        while let Some(line) = lines.next().unwrap() {
            found.push((String::from_utf8(line.bytes.to_vec()).unwrap(), line.end));
        }
        found
    }

    #[test]
    fn every_kind_of_line_end_is_known() {
        let found = split("a\nb\r\nc\rd\r\r\n\ne");
        let expected = [("a", "\n"), ("b", "\r\n"), ("c", "\r"), ("d", "\r\n"), ("", "\n"), ("e", "")];
        assert_eq!(found, expected.map(|(text, end)| (text.to_owned(), end)));
    }

    #[test]
    fn a_line_without_end_is_cut_off_and_memory_stays_bounded() {
        let mut lines = Lines::new(io::repeat(b'x'), 100_000);
        let line = lines.next().unwrap().unwrap();
        assert!(line.overlong);
        assert_eq!(line.bytes.len(), 100_000);
        assert!(lines.buffer.len() <= 256 << 10);
    }
}
