//! The ZIP archive around a workbook.
//!
//! The directory is read here and not by a library, because it must be bounded before anything is
//! allocated for it: it can promise billions of entries. Names are only ever compared, never used as paths.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::sync::Arc;

use crate::TableError;
use crate::limits::Limits;
use crate::text::source::read_full;
use crate::xlsx::inflate::{Packing, PartReader};

/// One file inside the archive.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Part {
    header_at: u64,
    pub(crate) packed: u64,
    pub(crate) unpacked: u64,
    pub(crate) crc: u32,
    packing: Option<Packing>,
    encrypted: bool,
}

/// The archive with its directory.
pub(crate) struct Package {
    file: Arc<File>,
    file_bytes: u64,
    parts: HashMap<String, Part>,
    limits: Limits,
}

const END_BYTES: usize = 22;
/// The end record and the longest comment that may follow it.
const TAIL_BYTES: u64 = 22 + 0xFFFF;
/// A directory entry has 46 bytes and a name; ours are below 200.
const DIRECTORY_BYTES_PER_ENTRY: u64 = 1_024;

impl Package {
    pub(crate) fn open(mut file: Arc<File>, file_bytes: u64, limits: &Limits) -> Result<Self, TableError> {
        let end = find_end(&mut file, file_bytes)?;
        if end.entries > limits.archive_entries {
            return Err(TableError::TooManyParts { limit: limits.archive_entries });
        }
        let most = DIRECTORY_BYTES_PER_ENTRY * (end.entries + 1);
        if end.directory_bytes > most || end.directory_at.saturating_add(end.directory_bytes) > file_bytes {
            return Err(TableError::damaged("directory"));
        }
        file.seek(SeekFrom::Start(end.directory_at))?;
        let mut directory = vec![0; usize::try_from(end.directory_bytes).unwrap_or(0)];
        if read_full(&mut file, &mut directory)? < directory.len() {
            return Err(truncated());
        }
        let mut parts = HashMap::new();
        let mut rest = directory.as_slice();
        for _ in 0..end.entries {
            let (name, part, next) = entry(rest).ok_or_else(|| TableError::damaged("directory"))?;
            rest = next;
            if part.header_at.saturating_add(part.packed) > file_bytes {
                return Err(truncated());
            }
            // The first of two entries with one name counts.
            parts.entry(name).or_insert(part);
        }
        Ok(Self { file, file_bytes, parts, limits: limits.clone() })
    }

    /// Whether there is a part of that name. Names are compared without regard to case, as OPC says.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.parts.contains_key(&normal_name(name))
    }

    /// Whether any part's name begins like this.
    pub(crate) fn has_under(&self, folder: &str) -> bool {
        self.parts.keys().any(|name| name.starts_with(folder))
    }

    /// How many bytes a part has in the file; 0 if there is none.
    pub(crate) fn packed_bytes(&self, name: &str) -> u64 {
        self.parts.get(&normal_name(name)).map_or(0, |part| part.packed)
    }

    /// Opens a part for reading.
    pub(crate) fn read(&self, name: &str, damaged_part: &'static str) -> Result<PartReader, TableError> {
        let part = self.parts.get(&normal_name(name)).ok_or_else(|| TableError::damaged(damaged_part))?;
        if part.encrypted {
            return Err(TableError::FileEncrypted);
        }
        let packing = part.packing.ok_or(TableError::FormatUnsupported { found: "zip_method" })?;
        let mut header = [0; 30];
        let mut file = Arc::clone(&self.file);
        file.seek(SeekFrom::Start(part.header_at))?;
        if read_full(&mut file, &mut header)? < header.len() {
            return Err(truncated());
        }
        if !header.starts_with(b"PK\x03\x04") {
            return Err(TableError::damaged("directory"));
        }
        let extra = u64::from(u16_at(&header, 26)) + u64::from(u16_at(&header, 28));
        let start = part.header_at + 30 + extra;
        if start.saturating_add(part.packed) > self.file_bytes {
            return Err(truncated());
        }
        Ok(PartReader::new(file, start, *part, packing, &self.limits))
    }

    /// A small part as a whole, at most `most` bytes of it.
    pub(crate) fn read_small(&self, name: &str, most: u64) -> Result<Vec<u8>, TableError> {
        let mut bytes = Vec::new();
        self.read(name, "directory")?.take(most).read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}

fn truncated() -> TableError {
    TableError::FileTruncated { sheet: None, row: None }
}

/// Where the directory is and how large it says it is.
struct End {
    entries: u64,
    directory_at: u64,
    directory_bytes: u64,
}

fn find_end(file: &mut Arc<File>, file_bytes: u64) -> Result<End, TableError> {
    let tail_bytes = file_bytes.min(TAIL_BYTES);
    let tail_at = file_bytes - tail_bytes;
    file.seek(SeekFrom::Start(tail_at))?;
    let mut tail = vec![0; usize::try_from(tail_bytes).unwrap_or(0)];
    let count = read_full(file, &mut tail)?;
    tail.truncate(count);
    let at = memchr::memmem::rfind(&tail, b"PK\x05\x06").ok_or_else(truncated)?;
    let record = tail.get(at..at + END_BYTES).ok_or_else(truncated)?;
    let end = End {
        entries: u64::from(u16_at(record, 10)),
        directory_bytes: u64::from(u32_at(record, 12)),
        directory_at: u64::from(u32_at(record, 16)),
    };
    if end.entries != 0xFFFF && end.directory_at != 0xFFFF_FFFF && end.directory_bytes != 0xFFFF_FFFF {
        return Ok(end);
    }
    let locator = at.checked_sub(20).and_then(|from| tail.get(from..at));
    match locator {
        Some(locator) if locator.starts_with(b"PK\x06\x07") => large_end(file, u64_at(locator, 8)),
        _ => Ok(end),
    }
}

/// The end record of archives beyond 4 GB or 65,534 entries; some writers always use it.
fn large_end(file: &mut Arc<File>, at: u64) -> Result<End, TableError> {
    let mut record = [0; 56];
    file.seek(SeekFrom::Start(at))?;
    if read_full(file, &mut record)? < record.len() || !record.starts_with(b"PK\x06\x06") {
        return Err(TableError::damaged("directory"));
    }
    Ok(End {
        entries: u64_at(&record, 32),
        directory_bytes: u64_at(&record, 40),
        directory_at: u64_at(&record, 48),
    })
}

/// The first entry of a directory, and what follows it.
fn entry(directory: &[u8]) -> Option<(String, Part, &[u8])> {
    let head = directory.get(..46).filter(|head| head.starts_with(b"PK\x01\x02"))?;
    let name_length = usize::from(u16_at(head, 28));
    let extra_length = usize::from(u16_at(head, 30));
    let comment_length = usize::from(u16_at(head, 32));
    let name = directory.get(46..46 + name_length)?;
    let extra = directory.get(46 + name_length..46 + name_length + extra_length)?;
    let next = directory.get(46 + name_length + extra_length + comment_length..)?;
    let mut part = Part {
        encrypted: u16_at(head, 8) & 1 != 0,
        packing: match u16_at(head, 10) {
            0 => Some(Packing::Stored),
            8 => Some(Packing::Deflated),
            _ => None,
        },
        crc: u32_at(head, 16),
        packed: u64::from(u32_at(head, 20)),
        unpacked: u64::from(u32_at(head, 24)),
        header_at: u64::from(u32_at(head, 42)),
    };
    widen(&mut part, extra);
    Some((normal_name(&String::from_utf8_lossy(name)), part, next))
}

/// Replaces fields that did not fit into 32 bits by those of the ZIP64 extra field. Some writers
/// leave one with placeholders before the right one, so the last counts.
fn widen(part: &mut Part, mut extra: &[u8]) {
    const MISSING: u64 = 0xFFFF_FFFF;
    let missing = [part.unpacked, part.packed, part.header_at].map(|field| field == MISSING);
    while let Some(head) = extra.get(..4) {
        let length = usize::from(u16_at(head, 2));
        let Some(body) = extra.get(4..4 + length) else { return };
        if u16_at(head, 0) == 1 {
            let mut fields = body.chunks_exact(8).map(|field| u64_at(field, 0));
            let places = [&mut part.unpacked, &mut part.packed, &mut part.header_at];
            for (place, _) in places.into_iter().zip(missing).filter(|(_, missing)| *missing) {
                *place = fields.next().unwrap_or(*place);
            }
        }
        extra = extra.get(4 + length..).unwrap_or_default();
    }
}

/// The form in which names are compared. Some writers use backslashes, some a leading slash.
pub(crate) fn normal_name(name: &str) -> String {
    name.replace('\\', "/").trim_start_matches('/').to_ascii_lowercase()
}

fn array_at<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    bytes.get(at..at + N).and_then(|found| found.try_into().ok()).unwrap_or([0; N])
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes(array_at(bytes, at))
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(array_at(bytes, at))
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(array_at(bytes, at))
}

/// A stretch of a file. It keeps its own position, so that several can be open at a time.
pub(crate) struct Window {
    file: Arc<File>,
    at: u64,
    end: u64,
}

impl Window {
    pub(crate) fn new(file: Arc<File>, start: u64, length: u64) -> Self {
        Self { file, at: start, end: start.saturating_add(length) }
    }

    /// Bytes that are still to come.
    pub(crate) fn left(&self) -> u64 {
        self.end - self.at
    }
}

impl Read for Window {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left()).unwrap_or(usize::MAX).min(out.len());
        self.file.seek(SeekFrom::Start(self.at))?;
        let count = self.file.read(out.get_mut(..most).unwrap_or_default())?;
        self.at += count as u64;
        Ok(count)
    }
}
