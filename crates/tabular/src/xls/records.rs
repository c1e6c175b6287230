//! BIFF records and the strings in them ([MS-XLS] 2.1.4, 2.5.293 and 2.5.294).

use crate::TableError;
use crate::text::{Decoded, Encoding, decode};
use crate::xls::ole::Stream;

const BLOCK: usize = 32 << 10;

pub(crate) mod id {
    //! Numbers of the records that matter.
    pub(crate) const BOF: u16 = 0x0809;
    pub(crate) const EOF: u16 = 0x000A;
    pub(crate) const CONTINUE: u16 = 0x003C;
    pub(crate) const FILE_PASS: u16 = 0x002F;
    pub(crate) const DATE_MODE: u16 = 0x0022;
    pub(crate) const BOUND_SHEET: u16 = 0x0085;
    pub(crate) const FORMAT: u16 = 0x041E;
    pub(crate) const XF: u16 = 0x00E0;
    pub(crate) const SST: u16 = 0x00FC;
    pub(crate) const NUMBER: u16 = 0x0203;
    pub(crate) const LABEL: u16 = 0x0204;
    pub(crate) const LABEL_SST: u16 = 0x00FD;
    pub(crate) const RSTRING: u16 = 0x00D6;
    pub(crate) const RK: u16 = 0x027E;
    pub(crate) const MUL_RK: u16 = 0x00BD;
    pub(crate) const BOOL_ERR: u16 = 0x0205;
    pub(crate) const FORMULA: u16 = 0x0006;
    pub(crate) const STRING: u16 = 0x0207;
}

/// Reads records one after the other.
pub(crate) struct Records {
    stream: Stream,
    block: Vec<u8>,
    block_at: u64,
    block_bytes: usize,
    /// Where the next record begins.
    at: u64,
    data: Vec<u8>,
}

/// What is known of a record before its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) id: u16,
    pub(crate) at: u64,
}

impl Records {
    pub(crate) fn new(stream: Stream) -> Self {
        Self { stream, block: vec![0; BLOCK], block_at: 0, block_bytes: 0, at: 0, data: Vec::new() }
    }

    /// Goes to the record that begins there.
    pub(crate) fn go_to(&mut self, at: u64) {
        self.at = at;
    }

    /// How far reading has come, and how far it can go.
    pub(crate) fn progress(&self) -> (u64, u64) {
        (self.at, self.stream.length())
    }

    /// The content of the record read last.
    pub(crate) fn data(&self) -> &[u8] {
        &self.data
    }

    /// Reads the next record; `None` at the end of the stream.
    pub(crate) fn next(&mut self) -> Result<Option<Head>, TableError> {
        let at = self.at;
        let mut head = [0; 4];
        if self.read(at, &mut head)? < 4 {
            return Ok(None);
        }
        let [a, b, c, d] = head;
        let length = usize::from(u16::from_le_bytes([c, d]));
        let mut data = std::mem::take(&mut self.data);
        data.resize(length, 0);
        let count = self.read(at + 4, &mut data)?;
        self.data = data;
        if count < length {
            return Err(TableError::FileTruncated { sheet: None, row: None });
        }
        self.at = at + 4 + length as u64;
        Ok(Some(Head { id: u16::from_le_bytes([a, b]), at }))
    }

    /// Reads the next record if it continues the last one.
    pub(crate) fn next_continued(&mut self) -> Result<bool, TableError> {
        let mut head = [0; 2];
        if self.read(self.at, &mut head)? < 2 || u16::from_le_bytes(head) != id::CONTINUE {
            return Ok(false);
        }
        Ok(self.next()?.is_some())
    }

    fn read(&mut self, at: u64, out: &mut [u8]) -> Result<usize, TableError> {
        let mut filled = 0;
        while filled < out.len() {
            let position = at + filled as u64;
            let within = position.checked_sub(self.block_at).and_then(|w| usize::try_from(w).ok());
            let Some(within) = within.filter(|within| *within < self.block_bytes) else {
                self.block_at = position;
                self.block_bytes = self.stream.read_at(position, &mut self.block)?;
                if self.block_bytes == 0 {
                    break;
                }
                continue;
            };
            let held = self.block.get(within..self.block_bytes).unwrap_or_default();
            let rest = out.get_mut(filled..).unwrap_or_default();
            let count = held.len().min(rest.len());
            if let (Some(to), Some(from)) = (rest.get_mut(..count), held.get(..count)) {
                to.copy_from_slice(from);
            }
            filled += count;
        }
        Ok(filled)
    }
}

pub(crate) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

pub(crate) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

pub(crate) fn f64_at(bytes: &[u8], at: usize) -> Option<f64> {
    Some(f64::from_le_bytes(bytes.get(at..at + 8)?.try_into().ok()?))
}

/// A place within a record and those that continue it.
pub(crate) struct Cursor<'a> {
    records: &'a mut Records,
    at: usize,
}

/// How a string's characters are stored.
const WIDE: u8 = 1;
const PHONETIC: u8 = 4;
const RICH: u8 = 8;

impl<'a> Cursor<'a> {
    /// Within the record read last.
    pub(crate) fn new(records: &'a mut Records, at: usize) -> Self {
        Self { records, at }
    }

    /// Whether nothing follows in this record or a continued one.
    fn exhausted(&mut self) -> Result<bool, TableError> {
        while self.at >= self.records.data.len() {
            if !self.records.next_continued()? {
                return Ok(true);
            }
            self.at = 0;
        }
        Ok(false)
    }

    fn bytes<const N: usize>(&mut self) -> Result<[u8; N], TableError> {
        let mut out = [0; N];
        for byte in &mut out {
            if self.exhausted()? {
                return Err(TableError::damaged("strings"));
            }
            *byte = self.records.data.get(self.at).copied().unwrap_or(0);
            self.at += 1;
        }
        Ok(out)
    }

    pub(crate) fn skip(&mut self, mut count: usize) -> Result<(), TableError> {
        while count > 0 {
            if self.exhausted()? {
                return Err(TableError::damaged("strings"));
            }
            let step = count.min(self.records.data.len() - self.at);
            self.at += step;
            count -= step;
        }
        Ok(())
    }

    /// A string of BIFF8 with its length in two bytes.
    pub(crate) fn unicode(&mut self) -> Result<String, TableError> {
        let length = usize::from(u16::from_le_bytes(self.bytes()?));
        self.unicode_of(length)
    }

    /// A string of BIFF8 after its length.
    pub(crate) fn unicode_of(&mut self, length: usize) -> Result<String, TableError> {
        let [flags] = self.bytes()?;
        let runs = if flags & RICH != 0 { usize::from(u16::from_le_bytes(self.bytes()?)) } else { 0 };
        let phonetic = if flags & PHONETIC != 0 { u32::from_le_bytes(self.bytes()?) } else { 0 };
        let units = self.characters(length, flags & WIDE != 0)?;
        self.skip(runs * 4)?;
        self.skip(usize::try_from(phonetic).unwrap_or(usize::MAX))?;
        Ok(String::from_utf16_lossy(&units))
    }

    /// Characters of one or two bytes each. Where they go on in the next record, it says anew which.
    fn characters(&mut self, length: usize, wide: bool) -> Result<Vec<u16>, TableError> {
        let mut wide = wide;
        let mut units = Vec::new();
        while units.len() < length {
            if self.at >= self.records.data.len() {
                if self.exhausted()? {
                    return Err(TableError::damaged("strings"));
                }
                let [flags] = self.bytes()?;
                wide = flags & WIDE != 0;
                continue;
            }
            let held = self.records.data.get(self.at..).unwrap_or_default();
            let missing = length - units.len();
            if wide {
                let count = missing.min(held.len() / 2);
                if count == 0 {
                    return Err(TableError::damaged("strings"));
                }
                units.extend(held.chunks_exact(2).take(count).map(|pair| u16_at(pair, 0).unwrap_or(0)));
                self.at += count * 2;
            } else {
                let count = missing.min(held.len());
                units.extend(held.iter().take(count).map(|byte| u16::from(*byte)));
                self.at += count;
            }
        }
        Ok(units)
    }

    /// A string of BIFF5, whose length is known, in the file's code page.
    pub(crate) fn narrow(&mut self, length: usize) -> Result<(String, Decoded), TableError> {
        let mut raw = Vec::new();
        while raw.len() < length {
            if self.exhausted()? {
                return Err(TableError::damaged("strings"));
            }
            let held = self.records.data.get(self.at..).unwrap_or_default();
            let count = held.len().min(length - raw.len());
            raw.extend_from_slice(held.get(..count).unwrap_or_default());
            self.at += count;
        }
        let mut text = String::new();
        // Chinese programs write GBK and leave the code page at that of Western Europe.
        let decoded = decode(Encoding::Gb18030, &raw, &mut text);
        Ok((text, decoded))
    }
}
