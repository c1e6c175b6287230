//! The OLE compound file around a BIFF stream ([MS-CFB]), with every chain bounded by the file's length.

use std::fs::File;
use std::io::{Seek, SeekFrom};
use std::sync::Arc;

use crate::TableError;
use crate::text::source::read_full;

const HEADER_BYTES: usize = 512;
/// Where the header's own list of FAT sectors begins; it has 109 places.
const FAT_LIST_AT: usize = 76;
const ENTRY_BYTES: usize = 128;
/// Sector numbers from here on are marks, such as the end of a chain.
const FIRST_MARK: u32 = 0xFFFF_FFFA;
/// No entry of the directory.
const NONE: u32 = 0xFFFF_FFFF;
/// Directory entries beyond this are of no use to anybody.
const MOST_ENTRIES: usize = 20_000;

/// A stream of bytes that can be read from anywhere.
pub(crate) enum Stream {
    /// Sectors of a file.
    Sectors { file: Arc<File>, chain: Vec<u32>, shift: u32, length: u64 },
    /// A small stream, or a whole file.
    File { file: Arc<File>, length: u64 },
    /// A small stream in memory.
    Memory(Vec<u8>),
}

impl Stream {
    pub(crate) fn length(&self) -> u64 {
        match self {
            Self::Sectors { length, .. } | Self::File { length, .. } => *length,
            Self::Memory(bytes) => bytes.len() as u64,
        }
    }

    /// Reads from a place on; fewer bytes than asked for only at the end of the stream.
    pub(crate) fn read_at(&mut self, at: u64, out: &mut [u8]) -> Result<usize, TableError> {
        let left = usize::try_from(self.length().saturating_sub(at)).unwrap_or(usize::MAX);
        let wanted = left.min(out.len());
        let out = out.get_mut(..wanted).unwrap_or_default();
        match self {
            Self::Memory(bytes) => {
                let from = usize::try_from(at).unwrap_or(usize::MAX);
                let found = bytes.get(from..from.saturating_add(wanted)).unwrap_or_default();
                if let Some(out) = out.get_mut(..found.len()) {
                    out.copy_from_slice(found);
                }
                Ok(found.len())
            }
            Self::File { file, .. } => {
                file.seek(SeekFrom::Start(at))?;
                Ok(read_full(file, out)?)
            }
            Self::Sectors { file, chain, shift, .. } => read_sectors(file, chain, *shift, at, out),
        }
    }
}

/// Reads through a chain of sectors; neighbours are read at once.
fn read_sectors(
    file: &mut Arc<File>,
    chain: &[u32],
    shift: u32,
    at: u64,
    out: &mut [u8],
) -> Result<usize, TableError> {
    let sector_bytes = 1u64 << shift;
    let mut filled = 0;
    while filled < out.len() {
        let position = at + filled as u64;
        let index = usize::try_from(position >> shift).unwrap_or(usize::MAX);
        let Some(&first) = chain.get(index) else { return Err(truncated()) };
        let mut run = 1;
        while chain.get(index + run).is_some_and(|next| u64::from(*next) == u64::from(first) + run as u64) {
            run += 1;
        }
        let within = position & (sector_bytes - 1);
        let available = sector_bytes * run as u64 - within;
        let rest = out.get_mut(filled..).unwrap_or_default();
        let count = usize::try_from(available).unwrap_or(usize::MAX).min(rest.len());
        file.seek(SeekFrom::Start(((u64::from(first) + 1) << shift) + within))?;
        let read = read_full(file, rest.get_mut(..count).unwrap_or_default())?;
        if read < count {
            return Err(truncated());
        }
        filled += count;
    }
    Ok(filled)
}

fn truncated() -> TableError {
    TableError::FileTruncated { sheet: None, row: None }
}

fn damaged() -> TableError {
    TableError::damaged("directory")
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    let found = bytes.get(at..at + 4).and_then(|found| found.try_into().ok());
    u32::from_le_bytes(found.unwrap_or_default())
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    let found = bytes.get(at..at + 2).and_then(|found| found.try_into().ok());
    u16::from_le_bytes(found.unwrap_or_default())
}

/// One stream or folder of the compound file.
struct Entry {
    name: String,
    is_stream: bool,
    left: u32,
    right: u32,
    child: u32,
    start: u32,
    bytes: u64,
}

/// A compound file with its directory.
pub(crate) struct Ole {
    file: Arc<File>,
    file_bytes: u64,
    shift: u32,
    fat: Vec<u32>,
    small_below: u64,
    small_shift: u32,
    small_fat_start: u32,
    entries: Vec<Entry>,
    /// The streams directly below the root, by index into `entries`.
    top: Vec<usize>,
}

impl Ole {
    pub(crate) fn open(mut file: Arc<File>, file_bytes: u64) -> Result<Self, TableError> {
        let mut header = [0; HEADER_BYTES];
        file.rewind()?;
        if read_full(&mut file, &mut header)? < HEADER_BYTES {
            return Err(truncated());
        }
        let shift = u32::from(u16_at(&header, 30));
        let small_shift = u32::from(u16_at(&header, 32));
        if !matches!(shift, 9 | 12) || small_shift >= shift || small_shift < 4 {
            return Err(damaged());
        }
        let mut ole = Self {
            file,
            file_bytes,
            shift,
            fat: Vec::new(),
            small_below: u64::from(u32_at(&header, 56)),
            small_shift,
            small_fat_start: u32_at(&header, 60),
            entries: Vec::new(),
            top: Vec::new(),
        };
        ole.read_fat(&header)?;
        ole.read_directory(u32_at(&header, 48))?;
        Ok(ole)
    }

    fn sector_bytes(&self) -> usize {
        1 << self.shift
    }

    /// Sectors that fit into the file, the last perhaps in part.
    fn sectors(&self) -> u64 {
        (self.file_bytes >> self.shift) + 1
    }

    fn read_sector(&mut self, number: u32) -> Result<Vec<u8>, TableError> {
        let mut sector = vec![0; self.sector_bytes()];
        self.file.seek(SeekFrom::Start((u64::from(number) + 1) << self.shift))?;
        if read_full(&mut self.file, &mut sector)? == 0 {
            return Err(truncated());
        }
        Ok(sector)
    }

    fn read_fat(&mut self, header: &[u8]) -> Result<(), TableError> {
        let mut list: Vec<u32> = (0..109).map(|i| u32_at(header, FAT_LIST_AT + 4 * i)).collect();
        let mut next = u32_at(header, 68);
        let most = self.sectors();
        let mut seen = 0;
        while next < FIRST_MARK {
            seen += 1;
            if seen > most {
                return Err(damaged());
            }
            let sector = self.read_sector(next)?;
            let numbers = sector.len() / 4 - 1;
            list.extend((0..numbers).map(|i| u32_at(&sector, 4 * i)));
            next = u32_at(&sector, 4 * numbers);
        }
        for number in list.into_iter().filter(|number| *number < FIRST_MARK) {
            if self.fat.len() as u64 > most {
                break;
            }
            let sector = self.read_sector(number)?;
            self.fat.extend(sector.chunks_exact(4).map(|entry| u32_at(entry, 0)));
        }
        Ok(())
    }

    /// The sectors of a chain that holds so many bytes; all of it if the number is not known.
    fn chain(&self, start: u32, bytes: Option<u64>) -> Result<Vec<u32>, TableError> {
        let wanted = bytes.map(|bytes| bytes.div_ceil(1 << self.shift));
        if wanted.is_some_and(|wanted| wanted > self.sectors()) {
            return Err(truncated());
        }
        let mut chain = Vec::new();
        let mut next = start;
        while next < FIRST_MARK && wanted.is_none_or(|wanted| (chain.len() as u64) < wanted) {
            if u64::from(next) >= self.sectors() {
                return Err(truncated());
            }
            if chain.len() as u64 > self.sectors() {
                return Err(damaged());
            }
            chain.push(next);
            next = *self.fat.get(next as usize).ok_or_else(truncated)?;
        }
        if wanted.is_some_and(|wanted| (chain.len() as u64) < wanted) {
            return Err(damaged());
        }
        Ok(chain)
    }

    fn read_directory(&mut self, start: u32) -> Result<(), TableError> {
        for number in self.chain(start, None)? {
            let sector = self.read_sector(number)?;
            self.entries.extend(sector.chunks_exact(ENTRY_BYTES).map(parse_entry));
            if self.entries.len() > MOST_ENTRIES {
                return Err(damaged());
            }
        }
        let mut seen = vec![false; self.entries.len()];
        let mut open = vec![self.entries.first().ok_or_else(damaged)?.child];
        while let Some(index) = open.pop() {
            let place = index as usize;
            let (Some(entry), Some(seen)) = (self.entries.get(place), seen.get_mut(place)) else { continue };
            if index == NONE || std::mem::replace(seen, true) {
                continue;
            }
            if entry.is_stream {
                self.top.push(place);
            }
            open.extend([entry.left, entry.right]);
        }
        Ok(())
    }

    /// Whether a stream of that name stands at the top. Names are compared without regard to case.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.find(name).is_some()
    }

    fn find(&self, name: &str) -> Option<&Entry> {
        let entries = self.top.iter().filter_map(|index| self.entries.get(*index));
        entries.into_iter().find(|entry| entry.name.eq_ignore_ascii_case(name))
    }

    /// Opens a stream.
    pub(crate) fn stream(&mut self, name: &str) -> Result<Stream, TableError> {
        let entry = self.find(name).ok_or_else(damaged)?;
        let (start, bytes) = (entry.start, entry.bytes);
        if bytes >= self.small_below {
            let chain = self.chain(start, Some(bytes))?;
            return Ok(Stream::Sectors {
                file: Arc::clone(&self.file),
                chain,
                shift: self.shift,
                length: bytes,
            });
        }
        let root = self.entries.first().ok_or_else(damaged)?;
        let (root_start, root_bytes) = (root.start, root.bytes);
        let mut smalls = Stream::Sectors {
            file: Arc::clone(&self.file),
            chain: self.chain(root_start, Some(root_bytes))?,
            shift: self.shift,
            length: root_bytes,
        };
        let mut small_fat = Vec::new();
        for number in self.chain(self.small_fat_start, None)? {
            let sector = self.read_sector(number)?;
            small_fat.extend(sector.chunks_exact(4).map(|entry| u32_at(entry, 0)));
        }
        let mut out = Vec::new();
        let mut piece = vec![0; 1 << self.small_shift];
        let mut next = start;
        while (out.len() as u64) < bytes {
            if next >= FIRST_MARK {
                return Err(damaged());
            }
            let count = smalls.read_at(u64::from(next) << self.small_shift, &mut piece)?;
            if count == 0 {
                return Err(truncated());
            }
            out.extend_from_slice(piece.get(..count).unwrap_or_default());
            next = *small_fat.get(next as usize).ok_or_else(damaged)?;
        }
        out.truncate(usize::try_from(bytes).unwrap_or(0));
        Ok(Stream::Memory(out))
    }
}

fn parse_entry(bytes: &[u8]) -> Entry {
    let name_bytes = usize::from(u16_at(bytes, 64)).clamp(2, 64) - 2;
    let units: Vec<u16> = (0..name_bytes / 2).map(|i| u16_at(bytes, 2 * i)).collect();
    Entry {
        name: String::from_utf16_lossy(&units),
        is_stream: bytes.get(66) == Some(&2),
        left: u32_at(bytes, 68),
        right: u32_at(bytes, 72),
        child: u32_at(bytes, 76),
        start: u32_at(bytes, 116),
        // The upper half is rubbish in files with small sectors.
        bytes: u64::from(u32_at(bytes, 120)),
    }
}
