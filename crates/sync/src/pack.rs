//! CBOR in zstd, with caps on both sides of the packing: a bomb is refused before it has unpacked.

use std::io::Read;

use serde::Serialize;
use serde::de::DeserializeOwned;

/// Most bytes of a packed message.
pub const MAX_PACKED: usize = 1 << 20;
/// Most bytes of an unpacked message.
pub const MAX_UNPACKED: usize = 8 << 20;
/// A stream may not ask for a larger window than the largest message.
const MAX_WINDOW_LOG: u32 = 23;
/// Speed before size: the messages are small and mostly random ids.
const LEVEL: i32 = 3;

/// Why bytes are not a message.
#[derive(Debug, thiserror::Error)]
pub enum PackError {
    /// More than a message may have.
    #[error("the message is larger than {0} bytes")]
    TooLarge(usize),
    /// Not zstd, or cut off.
    #[error("the message cannot be unpacked")]
    Unpack(#[source] std::io::Error),
    /// Not CBOR of this form.
    #[error("the message cannot be read")]
    Read,
}

/// Packs a message.
///
/// # Errors
/// When it would be larger than its reader takes.
pub fn pack<T: Serialize>(message: &T) -> Result<Vec<u8>, PackError> {
    let mut plain = Vec::new();
    ciborium::into_writer(message, &mut plain).map_err(|_| PackError::Read)?;
    pack_plain(&plain)
}

/// Packs a message that is CBOR already.
///
/// # Errors
/// When it would be larger than its reader takes.
pub fn pack_plain(plain: &[u8]) -> Result<Vec<u8>, PackError> {
    if plain.len() > MAX_UNPACKED {
        return Err(PackError::TooLarge(MAX_UNPACKED));
    }
    let packed = zstd::bulk::compress(plain, LEVEL).map_err(PackError::Unpack)?;
    if packed.len() > MAX_PACKED {
        return Err(PackError::TooLarge(MAX_PACKED));
    }
    Ok(packed)
}

/// Unpacks a message from somebody who may mean harm.
///
/// # Errors
/// When it is too large on either side, cut off, or not of this form.
pub fn unpack<T: DeserializeOwned>(packed: &[u8]) -> Result<T, PackError> {
    if packed.len() > MAX_PACKED {
        return Err(PackError::TooLarge(MAX_PACKED));
    }
    let mut decoder = zstd::stream::read::Decoder::with_buffer(packed).map_err(PackError::Unpack)?;
    decoder.window_log_max(MAX_WINDOW_LOG).map_err(PackError::Unpack)?;
    let mut plain = Vec::new();
    decoder.take(MAX_UNPACKED as u64 + 1).read_to_end(&mut plain).map_err(PackError::Unpack)?;
    if plain.len() > MAX_UNPACKED {
        return Err(PackError::TooLarge(MAX_UNPACKED));
    }
    ciborium::from_reader(plain.as_slice()).map_err(|_| PackError::Read)
}
