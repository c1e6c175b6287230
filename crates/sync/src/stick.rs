//! What desk and server carry to each other on a USB stick where there is no network: a sealed file of
//! the same messages that go over the line.
//!
//! The file is a header in the clear (whose, which way), then frames. Each frame is one packed message
//! under ChaCha20-Poly1305; its number and whether it is the last stand in the nonce, so frames can be
//! neither left out, repeated, exchanged nor cut off behind. The key of a file comes by HKDF from the
//! [`StickKey`] that server and desk share since enrolment, the header and the file's random id: nobody
//! else reads it, and what was made for one desk or way opens for no other. The last frame of a desk's
//! file holds the desk's signature over everything before it.

use std::io::{Read, Write};

use chacha20poly1305::aead::{Aead, KeyInit};
use chacha20poly1305::{ChaCha20Poly1305, Key, Nonce};
use hkdf::Hkdf;
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use uuid::Uuid;

use crate::Scope;
use crate::pack::MAX_PACKED;
use crate::wire::{Answer, Refusal};

const MAGIC: &[u8; 18] = b"AFTERCARE-STICK-1\n";
/// A header is some hundred bytes.
const MAX_HEADER: usize = 4096;
/// Bytes that sealing adds to a frame.
const TAG: usize = 16;
/// Largest file that is read or written.
pub const MAX_FILE: u64 = 1 << 30;
/// A frame's first byte.
const MORE: u8 = 0;
const LAST: u8 = 1;

/// What server and desk share, for their sticks only. Given at enrolment, over the pinned line.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct StickKey(#[serde(with = "crate::door::base64url")] pub Vec<u8>);

impl std::fmt::Debug for StickKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("StickKey")
    }
}

/// Which way a file goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// Frames are packed `wire::Request`s.
    ToServer,
    /// Frames are packed [`Word`]s.
    ToDesk,
}

/// Whose file it is. Stands in the clear, and is bound to the frames by their key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// `wire::PROTOCOL` of its maker.
    pub protocol: u8,
    /// Which way it goes.
    pub way: Way,
    /// The hospital.
    pub tenant: Uuid,
    /// The desk that wrote it or that it is for.
    pub device: Uuid,
    /// The file's own random id.
    pub file: Uuid,
    /// When it was made, milliseconds UTC.
    pub made_at: i64,
}

/// A frame of the server's answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Word {
    /// The first: how the server knows the desk.
    State {
        /// The server's epoch.
        epoch: i64,
        /// Number of the desk's last op that the server has.
        last_dseq: i64,
        /// The chain's hash there: a desk with another is a copy or was set back.
        chain: ByteBuf,
        /// The sites that the desk may see.
        sites: BTreeSet<Scope>,
    },
    /// As over the line; each goes on where the one before it ended.
    Answer(Box<Answer>),
    /// As over the line.
    Refused(Refusal),
}

/// Why a file is none.
#[derive(Debug, thiserror::Error)]
pub enum StickError {
    /// Another file, a cut one, or one that was altered.
    #[error("not a whole exchange file")]
    Damaged,
    /// More than such a file may hold.
    #[error("the exchange file would be larger than {MAX_FILE} bytes")]
    TooLarge,
    /// What it is written to or read from.
    #[error("the exchange file: {0}")]
    Io(#[from] std::io::Error),
}

/// The text that the desk's key signs for a file: the hash over everything before the last frame.
pub fn signed_text(hash: &[u8; 32]) -> String {
    format!("aftercare-stick-1\n{}", data_encoding::HEXLOWER.encode(hash))
}

fn cipher(key: &StickKey, file: Uuid, header: &[u8]) -> Result<ChaCha20Poly1305, StickError> {
    let mut derived = [0_u8; 32];
    let info = [b"aftercare-stick-1 ".as_slice(), header].concat();
    // Only a length beyond 255 hashes fails.
    let expanded = Hkdf::<Sha256>::new(Some(file.as_bytes()), &key.0).expand(&info, &mut derived);
    expanded.map_err(|_| StickError::Damaged)?;
    Ok(ChaCha20Poly1305::new(Key::from_slice(&derived)))
}

fn nonce(number: u64, mark: u8) -> Nonce {
    let mut nonce = [0_u8; 12];
    nonce[0] = mark;
    nonce[4..].copy_from_slice(&number.to_be_bytes());
    Nonce::from(nonce)
}

/// Writes a file, frame by frame.
pub struct StickWriter<W> {
    to: W,
    cipher: ChaCha20Poly1305,
    hash: Sha256,
    number: u64,
    written: u64,
}

impl<W: Write> StickWriter<W> {
    /// Begins a file.
    ///
    /// # Errors
    /// Those of writing.
    pub fn begin(to: W, header: &Header, key: &StickKey) -> Result<Self, StickError> {
        let mut bytes = Vec::new();
        ciborium::into_writer(header, &mut bytes).map_err(|_| StickError::Damaged)?;
        let cipher = cipher(key, header.file, &bytes)?;
        let mut writer = Self { to, cipher, hash: Sha256::new(), number: 0, written: 0 };
        let length = u32::try_from(bytes.len()).map_err(|_| StickError::TooLarge)?;
        writer.put(MAGIC)?;
        writer.put(&length.to_le_bytes())?;
        writer.put(&bytes)?;
        Ok(writer)
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), StickError> {
        self.written += bytes.len() as u64;
        if self.written > MAX_FILE {
            return Err(StickError::TooLarge);
        }
        self.hash.update(bytes);
        Ok(self.to.write_all(bytes)?)
    }

    fn seal(&mut self, plain: &[u8], mark: u8) -> Result<(), StickError> {
        let sealed =
            self.cipher.encrypt(&nonce(self.number, mark), plain).map_err(|_| StickError::Damaged)?;
        let length = u32::try_from(sealed.len()).map_err(|_| StickError::TooLarge)?;
        self.put(&[mark])?;
        self.put(&length.to_le_bytes())?;
        self.put(&sealed)?;
        self.number += 1;
        Ok(())
    }

    /// Adds a packed message.
    ///
    /// # Errors
    /// `TooLarge`, and those of writing.
    pub fn frame(&mut self, packed: &[u8]) -> Result<(), StickError> {
        if packed.len() > MAX_PACKED {
            return Err(StickError::TooLarge);
        }
        self.seal(packed, MORE)
    }

    /// Ends the file. `sign` gets the text of [`signed_text`]; a server's file has no signature (nothing).
    /// Answers what it was written to, and its bytes.
    ///
    /// # Errors
    /// Those of writing.
    pub fn finish(mut self, sign: impl FnOnce(&str) -> Vec<u8>) -> Result<(W, u64), StickError> {
        let hash: [u8; 32] = self.hash.clone().finalize().into();
        let signature = sign(&signed_text(&hash));
        self.seal(&signature, LAST)?;
        self.to.flush()?;
        Ok((self.to, self.written))
    }
}

/// Reads a file from somebody who may mean harm: bounded memory, every frame checked before it is given.
pub struct StickReader<R> {
    from: R,
    header: Header,
    header_bytes: Vec<u8>,
    cipher: Option<ChaCha20Poly1305>,
    hash: Sha256,
    number: u64,
    read: u64,
    signature: Option<(String, Vec<u8>)>,
}

impl<R: Read> StickReader<R> {
    /// Reads the header. It is believed only once a frame has been opened.
    ///
    /// # Errors
    /// `Damaged`, and those of reading.
    pub fn begin(from: R) -> Result<Self, StickError> {
        let header = Header {
            protocol: 0,
            way: Way::ToDesk,
            tenant: Uuid::nil(),
            device: Uuid::nil(),
            file: Uuid::nil(),
            made_at: 0,
        };
        let mut reader = Self {
            from,
            header,
            header_bytes: Vec::new(),
            cipher: None,
            hash: Sha256::new(),
            number: 0,
            read: 0,
            signature: None,
        };
        if reader.take(MAGIC.len())? != MAGIC {
            return Err(StickError::Damaged);
        }
        let length = reader.length()?;
        if length > MAX_HEADER {
            return Err(StickError::Damaged);
        }
        reader.header_bytes = reader.take(length)?;
        reader.header =
            ciborium::from_reader(reader.header_bytes.as_slice()).map_err(|_| StickError::Damaged)?;
        Ok(reader)
    }

    /// Whose file it says to be.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// From now on frames can be read.
    ///
    /// # Errors
    /// None that a key of 32 bytes brings.
    pub fn open(&mut self, key: &StickKey) -> Result<(), StickError> {
        self.cipher = Some(cipher(key, self.header.file, &self.header_bytes)?);
        Ok(())
    }

    fn take(&mut self, length: usize) -> Result<Vec<u8>, StickError> {
        self.read += length as u64;
        if self.read > MAX_FILE {
            return Err(StickError::TooLarge);
        }
        let mut bytes = vec![0; length];
        self.from.read_exact(&mut bytes).map_err(|error| match error.kind() {
            std::io::ErrorKind::UnexpectedEof => StickError::Damaged,
            _ => StickError::Io(error),
        })?;
        self.hash.update(&bytes);
        Ok(bytes)
    }

    fn length(&mut self) -> Result<usize, StickError> {
        let bytes = self.take(4)?;
        let bytes: [u8; 4] = bytes.try_into().map_err(|_| StickError::Damaged)?;
        usize::try_from(u32::from_le_bytes(bytes)).map_err(|_| StickError::Damaged)
    }

    /// The next packed message; nothing behind the last, once the file has proved whole.
    ///
    /// # Errors
    /// `Damaged`, also when the key is another; those of reading.
    pub fn next_frame(&mut self) -> Result<Option<Vec<u8>>, StickError> {
        if self.signature.is_some() {
            return Ok(None);
        }
        let before: [u8; 32] = self.hash.clone().finalize().into();
        let mark = self.take(1)?;
        let mark =
            mark.first().copied().filter(|mark| [MORE, LAST].contains(mark)).ok_or(StickError::Damaged)?;
        let length = self.length()?;
        if length > MAX_PACKED + TAG {
            return Err(StickError::Damaged);
        }
        let sealed = self.take(length)?;
        let cipher = self.cipher.as_ref().ok_or(StickError::Damaged)?;
        let plain = cipher.decrypt(&nonce(self.number, mark), sealed.as_slice());
        let plain = plain.map_err(|_| StickError::Damaged)?;
        self.number += 1;
        if mark == MORE {
            return Ok(Some(plain));
        }
        if self.from.read(&mut [0])? > 0 {
            return Err(StickError::Damaged);
        }
        self.signature = Some((signed_text(&before), plain));
        Ok(None)
    }

    /// The signed text and the signature, after the last frame.
    pub fn signature(&self) -> Option<(&str, &[u8])> {
        self.signature.as_ref().map(|(text, signature)| (text.as_str(), signature.as_slice()))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn header(way: Way, device: u128) -> Header {
        Header {
            protocol: 1,
            way,
            tenant: Uuid::from_u128(1),
            device: Uuid::from_u128(device),
            file: Uuid::from_u128(3),
            made_at: 7,
        }
    }

    fn key(byte: u8) -> StickKey {
        StickKey(vec![byte; 32])
    }

    fn file(frames: &[&[u8]]) -> Vec<u8> {
        let mut writer = StickWriter::begin(Vec::new(), &header(Way::ToServer, 2), &key(1)).unwrap();
        frames.iter().for_each(|frame| writer.frame(frame).unwrap());
        writer.finish(|text| text.as_bytes().to_vec()).unwrap().0
    }

    fn read(bytes: &[u8], with: &StickKey) -> Result<Vec<Vec<u8>>, StickError> {
        let mut reader = StickReader::begin(bytes)?;
        reader.open(with)?;
        let mut frames = Vec::new();
        while let Some(frame) = reader.next_frame()? {
            frames.push(frame);
        }
        let (text, signature) = reader.signature().unwrap();
        assert_eq!(text.as_bytes(), signature);
        Ok(frames)
    }

    #[test]
    fn what_was_written_is_read_and_nobody_else_reads_it() {
        let bytes = file(&[b"one", b"two"]);
        assert_eq!(read(&bytes, &key(1)).unwrap(), [b"one", b"two"]);
        assert!(matches!(read(&bytes, &key(2)), Err(StickError::Damaged)));
        assert!(!bytes.windows(3).any(|window| window == b"one"));
        assert!(read(&file(&[]), &key(1)).unwrap().is_empty());
    }

    #[test]
    fn no_byte_can_be_changed_added_or_left_out() {
        let bytes = file(&[b"one", b"two"]);
        for at in 0..bytes.len() {
            let mut other = bytes.clone();
            other[at] ^= 1;
            assert!(read(&other, &key(1)).is_err(), "byte {at}");
            assert!(read(&bytes[..at], &key(1)).is_err(), "cut at {at}");
        }
        let mut longer = bytes.clone();
        longer.push(0);
        assert!(read(&longer, &key(1)).is_err());
    }

    #[test]
    fn frames_cannot_change_places() {
        let first = file(&[b"one", b"two"]);
        let (begin, size) = (head_len(), file(&[b"one"]).len() - file(&[]).len());
        let mut swapped = first.clone();
        swapped[begin..begin + size].copy_from_slice(&first[begin + size..begin + 2 * size]);
        swapped[begin + size..begin + 2 * size].copy_from_slice(&first[begin..begin + size]);
        assert!(matches!(read(&swapped, &key(1)), Err(StickError::Damaged)));
    }

    fn head_len() -> usize {
        let mut bytes = Vec::new();
        ciborium::into_writer(&header(Way::ToServer, 2), &mut bytes).unwrap();
        MAGIC.len() + 4 + bytes.len()
    }

    #[test]
    fn a_header_that_lies_about_its_size_costs_nothing() {
        let mut bytes = MAGIC.to_vec();
        bytes.extend(u32::MAX.to_le_bytes());
        assert!(matches!(StickReader::begin(bytes.as_slice()), Err(StickError::Damaged)));
        let mut bytes = file(&[]);
        bytes.truncate(head_len());
        bytes.push(MORE);
        bytes.extend(u32::MAX.to_le_bytes());
        assert!(matches!(read(&bytes, &key(1)), Err(StickError::Damaged)));
    }
}
