//! The shared texts of a workbook, in little memory.
//!
//! A sheet of a million rows can have eight million distinct texts; as one `String` each they
//! would need half a gigabyte. Here they stand end to end in blocks of 32 kB. The first blocks,
//! with the texts that come back in every row, stay as they are; later ones are packed and
//! unpacked again when asked for, mostly in the order of the rows and so once each.

use std::collections::HashSet;
use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;

use crate::TableError;

const BLOCK_BYTES: usize = 32 << 10;
/// Unpacked blocks are kept up to this; 300,000 rows fit in and never need unpacking.
const PLAIN_BYTES: u64 = 48 << 20;
/// Blocks that are kept unpacked for the next question: 8 MB.
const KEPT_BLOCKS: usize = 256;
/// Every so many texts the place within the block is noted.
const MARK_EVERY: u32 = 16;

struct Block {
    /// Index of its first text.
    first: u32,
    /// Where each sixteenth text begins.
    marks: Box<[u32]>,
    bytes: Bytes,
}

enum Bytes {
    Plain(Box<[u8]>),
    Packed { bytes: Box<[u8]>, length: usize },
}

/// Texts by index. A text is its length, in seven bits a byte, and its bytes.
pub(crate) struct Texts {
    blocks: Vec<Block>,
    open: Vec<u8>,
    open_first: u32,
    open_marks: Vec<u32>,
    count: u32,
    plain_bytes: u64,
    stored_bytes: u64,
    limit: u64,
    overlong: HashSet<u32>,
    kept: Vec<Kept>,
    turn: u64,
}

struct Kept {
    block: usize,
    bytes: Vec<u8>,
    used: u64,
}

/// What an index leads to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found<'a> {
    Text(&'a str),
    /// A text longer than a cell may be; it was not kept.
    Overlong,
    Missing,
}

impl Texts {
    /// `limit` is how many bytes may be stored.
    pub(crate) fn new(limit: u64) -> Self {
        Self {
            blocks: Vec::new(),
            open: Vec::new(),
            open_first: 0,
            open_marks: Vec::new(),
            count: 0,
            plain_bytes: 0,
            stored_bytes: 0,
            limit,
            overlong: HashSet::new(),
            kept: Vec::new(),
            turn: 0,
        }
    }

    /// Appends a text.
    pub(crate) fn push(&mut self, text: &str) -> Result<(), TableError> {
        if self.open.len() + text.len() > BLOCK_BYTES {
            self.close()?;
        }
        if (self.count - self.open_first).is_multiple_of(MARK_EVERY) {
            self.open_marks.push(u32::try_from(self.open.len()).unwrap_or(u32::MAX));
        }
        let mut length = text.len();
        while length >= 0x80 {
            self.open.push((length & 0x7F) as u8 | 0x80);
            length >>= 7;
        }
        self.open.push(length as u8);
        self.open.extend_from_slice(text.as_bytes());
        self.count = self.count.checked_add(1).ok_or(TableError::TooManyTexts { limit: self.limit })?;
        Ok(())
    }

    /// Appends a text that is longer than a cell may be.
    pub(crate) fn push_overlong(&mut self) -> Result<(), TableError> {
        self.overlong.insert(self.count);
        self.push("")
    }

    /// Ends the block being filled; to be called once after the last text as well.
    pub(crate) fn close(&mut self) -> Result<(), TableError> {
        if self.open.is_empty() {
            return Ok(());
        }
        let bytes = if self.plain_bytes + self.open.len() as u64 <= PLAIN_BYTES {
            self.plain_bytes += self.open.len() as u64;
            Bytes::Plain(self.open.as_slice().into())
        } else {
            Bytes::Packed { bytes: pack(&self.open)?, length: self.open.len() }
        };
        let stored = match &bytes {
            Bytes::Plain(bytes) | Bytes::Packed { bytes, .. } => bytes.len(),
        };
        self.stored_bytes += (stored + self.open_marks.len() * 4 + size_of::<Block>()) as u64;
        if self.stored_bytes > self.limit {
            return Err(TableError::TooManyTexts { limit: self.limit });
        }
        self.blocks.push(Block { first: self.open_first, marks: self.open_marks.as_slice().into(), bytes });
        self.open.clear();
        self.open_marks.clear();
        self.open_first = self.count;
        Ok(())
    }

    /// The text of an index.
    pub(crate) fn get(&mut self, index: u32) -> Found<'_> {
        if index >= self.open_first {
            return Found::Missing;
        }
        if self.overlong.contains(&index) {
            return Found::Overlong;
        }
        let at = self.blocks.partition_point(|block| block.first <= index).saturating_sub(1);
        let slot = match self.blocks.get(at) {
            Some(Block { bytes: Bytes::Packed { .. }, .. }) => self.unpacked(at),
            _ => None,
        };
        let Some(block) = self.blocks.get(at) else { return Found::Missing };
        let bytes: &[u8] = match (&block.bytes, slot.and_then(|slot| self.kept.get(slot))) {
            (Bytes::Plain(bytes), _) => bytes,
            (Bytes::Packed { .. }, Some(kept)) => &kept.bytes,
            (Bytes::Packed { .. }, None) => return Found::Missing,
        };
        text_in(block, bytes, index - block.first).map_or(Found::Missing, Found::Text)
    }

    /// Whether there is no text at all.
    pub(crate) fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Unpacks a block unless it is still there; gives its place among the kept ones.
    fn unpacked(&mut self, at: usize) -> Option<usize> {
        self.turn += 1;
        let turn = self.turn;
        if let Some(slot) = self.kept.iter().position(|kept| kept.block == at) {
            self.kept.get_mut(slot)?.used = turn;
            return Some(slot);
        }
        let Bytes::Packed { bytes, length } = &self.blocks.get(at)?.bytes else { return None };
        let slot = if self.kept.len() < KEPT_BLOCKS {
            self.kept.push(Kept { block: at, bytes: Vec::new(), used: turn });
            self.kept.len() - 1
        } else {
            self.kept.iter().enumerate().min_by_key(|(_, kept)| kept.used)?.0
        };
        let kept = self.kept.get_mut(slot)?;
        kept.block = at;
        kept.used = turn;
        kept.bytes.clear();
        kept.bytes.reserve_exact(*length);
        DeflateDecoder::new(bytes.as_ref()).read_to_end(&mut kept.bytes).ok()?;
        Some(slot)
    }
}

fn pack(bytes: &[u8]) -> Result<Box<[u8]>, TableError> {
    let mut encoder = DeflateEncoder::new(Vec::with_capacity(bytes.len() / 2), Compression::fast());
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?.into_boxed_slice())
}

fn text_in<'a>(block: &Block, bytes: &'a [u8], number: u32) -> Option<&'a str> {
    let mark = block.marks.get((number / MARK_EVERY) as usize)?;
    let mut rest = bytes.get(*mark as usize..)?;
    for _ in 0..number % MARK_EVERY {
        rest = split_text(rest)?.1;
    }
    std::str::from_utf8(split_text(rest)?.0).ok()
}

fn split_text(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut length = 0usize;
    for (place, byte) in bytes.iter().enumerate().take(5) {
        length |= usize::from(byte & 0x7F) << (7 * place);
        if byte & 0x80 == 0 {
            let body = bytes.get(place + 1..)?;
            return body.split_at_checked(length);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn texts_come_back_by_their_index_packed_or_not() {
        let mut texts = Texts::new(1 << 30);
        let text = |i: u32| format!("{}号患者{}", i, "长".repeat((i % 50) as usize));
        let count = 700_000;
        for i in 0..count {
            texts.push(&text(i)).unwrap();
        }
        texts.push(&"x".repeat(100_000)).unwrap();
        texts.push("").unwrap();
        texts.push_overlong().unwrap();
        texts.close().unwrap();
        assert!(texts.blocks.iter().any(|block| matches!(block.bytes, Bytes::Packed { .. })));
        assert!(texts.blocks.iter().any(|block| matches!(block.bytes, Bytes::Plain(_))));
        let mut index = 17;
        for _ in 0..3_000 {
            index = (index * 48_271) % 0x7FFF_FFFF;
            let i = (index % u64::from(count)) as u32;
            assert_eq!(texts.get(i), Found::Text(&text(i)));
        }
        for i in count - 2_000..count {
            assert_eq!(texts.get(i), Found::Text(&text(i)));
        }
        assert_eq!(texts.get(count), Found::Text(&"x".repeat(100_000)));
        assert_eq!(texts.get(count + 1), Found::Text(""));
        assert_eq!(texts.get(count + 2), Found::Overlong);
        assert_eq!(texts.get(count + 3), Found::Missing);
    }

    #[test]
    fn memory_has_a_limit() {
        let mut texts = Texts::new(100_000);
        let error = (0..1_000_000).find_map(|i: u32| texts.push(&format!("text {i}")).err());
        assert!(matches!(error, Some(TableError::TooManyTexts { limit: 100_000 })));
    }
}
