//! Unpacks one part, and stops as soon as it grows beyond reason.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::sync::Arc;

use flate2::Crc;
use flate2::bufread::DeflateDecoder;

use crate::TableError;
use crate::limits::Limits;
use crate::xlsx::package::{Part, Window};

/// How a part is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Packing {
    Stored,
    Deflated,
}

const BLOCK: usize = 64 << 10;

enum Body {
    Stored(BufReader<Window>),
    Deflated(Box<DeflateDecoder<BufReader<Window>>>),
}

/// The unpacked bytes of a part.
pub(crate) struct PartReader {
    body: Body,
    part: Part,
    unpacked: u64,
    crc: Crc,
    most: u64,
    ratio: u64,
    free: u64,
}

impl PartReader {
    pub(crate) fn new(file: Arc<File>, start: u64, part: Part, packing: Packing, limits: &Limits) -> Self {
        let window = BufReader::with_capacity(BLOCK, Window::new(file, start, part.packed));
        let body = match packing {
            Packing::Stored => Body::Stored(window),
            Packing::Deflated => Body::Deflated(Box::new(DeflateDecoder::new(window))),
        };
        Self {
            body,
            part,
            unpacked: 0,
            crc: Crc::new(),
            most: limits.unpacked_bytes,
            ratio: limits.unpack_ratio,
            free: limits.unpacked_free_bytes,
        }
    }

    /// Packed bytes of the part that were read from the file.
    pub(crate) fn packed_read(&self) -> u64 {
        let left = match &self.body {
            Body::Stored(body) => body.get_ref().left(),
            Body::Deflated(body) => body.get_ref().get_ref().left(),
        };
        self.part.packed - left.min(self.part.packed)
    }

    /// What the directory says must have come out.
    fn check_end(&self) -> Result<(), TableError> {
        if self.unpacked < self.part.unpacked {
            return Err(TableError::FileTruncated { sheet: None, row: None });
        }
        if self.unpacked != self.part.unpacked || self.crc.sum() != self.part.crc {
            return Err(TableError::damaged("archive"));
        }
        Ok(())
    }

    fn check_growth(&self) -> Result<(), TableError> {
        // Where unpacking has come to is compared with what was read for it, so that a bomb is
        // found at its beginning and not when it has gone off.
        let by_ratio = self.packed_read().max(1).saturating_mul(self.ratio).max(self.free);
        let limit = by_ratio.min(self.most);
        if self.unpacked > limit {
            return Err(TableError::UnpacksTooLarge { limit });
        }
        Ok(())
    }
}

impl Read for PartReader {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if out.is_empty() {
            return Ok(0);
        }
        let result = match &mut self.body {
            Body::Stored(body) => body.read(out),
            Body::Deflated(body) => body.read(out),
        };
        let count = match result {
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Err(error),
            // Flate2 gives both kinds for bytes that are no deflate stream.
            Err(error)
                if matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData) =>
            {
                return Err(TableError::damaged("archive").into());
            }
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                return Err(TableError::FileTruncated { sheet: None, row: None }.into());
            }
            Err(error) => return Err(error),
        };
        if count == 0 {
            self.check_end()?;
            return Ok(0);
        }
        self.unpacked += count as u64;
        self.crc.update(out.get(..count).unwrap_or_default());
        self.check_growth()?;
        Ok(count)
    }
}
