//! Keys: derivation from a password or a recovery code, and wrapping of the database key.

use std::time::Instant;

use aftercare_domain::error_code::ErrorCode;
use argon2::{Algorithm, Argon2, Params, Version};
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use hkdf::Hkdf;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::db::DatabaseKey;
use crate::env::{PasswordCost, fill_random};
use crate::error::{Error, Result};

/// What a password costs to try: Argon2id, version 0x13, one lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Cost {
    pub memory_kib: u32,
    pub passes: u32,
}

/// Floor and memory of the tuned cost (security.md: 64 MiB, t = 3, half a second to one).
const TUNED: Cost = Cost { memory_kib: 64 * 1024, passes: 3 };
const MOST_PASSES: u32 = 12;

impl Cost {
    /// The cost for new slots on this PC.
    pub fn of(cost: PasswordCost) -> Result<Self> {
        match cost {
            PasswordCost::Fixed { memory_kib, passes } => Ok(Self { memory_kib, passes }),
            PasswordCost::Tuned => {
                let start = Instant::now();
                stretch(b"tuning", &[0; 16], TUNED)?;
                let millis = u32::try_from(start.elapsed().as_millis()).unwrap_or(500).max(1);
                let passes = (TUNED.passes * 500).div_ceil(millis).clamp(TUNED.passes, MOST_PASSES);
                Ok(Self { passes, ..TUNED })
            }
        }
    }
}

/// Argon2id of a secret.
pub(super) fn stretch(secret: &[u8], salt: &[u8; 16], cost: Cost) -> Result<Zeroizing<[u8; 32]>> {
    let params =
        Params::new(cost.memory_kib, cost.passes, 1, Some(32)).map_err(|e| Error::internal(e.to_string()))?;
    let mut out = Zeroizing::new([0_u8; 32]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(secret, salt, &mut out[..])
        .map_err(|e| Error::internal(e.to_string()))?;
    Ok(out)
}

/// HKDF-SHA256 of a stretched secret and the machine's secret, for one purpose.
pub(super) fn derive(stretched: &[u8; 32], machine: &[u8], purpose: &str) -> Result<Zeroizing<[u8; 32]>> {
    let mut out = Zeroizing::new([0_u8; 32]);
    Hkdf::<Sha256>::new(Some(machine), stretched)
        .expand(purpose.as_bytes(), &mut out[..])
        .map_err(|e| Error::internal(e.to_string()))?;
    Ok(out)
}

/// A wrapped database key.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Wrapped {
    pub nonce: String,
    pub sealed: String,
}

/// Seals the database key. `bound_to` is authenticated with it.
pub(super) fn wrap(key: &DatabaseKey, with: &[u8; 32], bound_to: &str) -> Result<Wrapped> {
    let mut nonce = [0_u8; 24];
    fill_random(&mut nonce)?;
    let sealed = XChaCha20Poly1305::new(with.into())
        .encrypt(XNonce::from_slice(&nonce), Payload { msg: &key[..], aad: bound_to.as_bytes() })
        .map_err(|e| Error::internal(e.to_string()))?;
    Ok(Wrapped { nonce: data_encoding::BASE64.encode(&nonce), sealed: data_encoding::BASE64.encode(&sealed) })
}

/// Opens a wrapped key; `None` when `with` is not the right key or a byte was changed.
pub(super) fn unwrap(wrapped: &Wrapped, with: &[u8; 32], bound_to: &str) -> Option<DatabaseKey> {
    let nonce = data_encoding::BASE64.decode(wrapped.nonce.as_bytes()).ok().filter(|n| n.len() == 24)?;
    let sealed = data_encoding::BASE64.decode(wrapped.sealed.as_bytes()).ok()?;
    let opened = XChaCha20Poly1305::new(with.into())
        .decrypt(XNonce::from_slice(&nonce), Payload { msg: &sealed, aad: bound_to.as_bytes() })
        .ok()
        .map(Zeroizing::new)?;
    let mut key = Zeroizing::new([0_u8; 32]);
    (opened.len() == 32).then(|| key.copy_from_slice(&opened))?;
    Some(key)
}

/// A new random database key.
pub(super) fn new_database_key() -> Result<DatabaseKey> {
    let mut key = Zeroizing::new([0_u8; 32]);
    fill_random(&mut key[..])?;
    Ok(key)
}

/// A printed code of 128 random bits and a check character group, in the letters and digits that
/// nobody mixes up (Crockford's base 32: no I, L, O, U).
pub struct RecoveryCode(Zeroizing<[u8; 16]>);

const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

impl RecoveryCode {
    /// A new code.
    pub fn random() -> Result<Self> {
        let mut bits = Zeroizing::new([0_u8; 16]);
        fill_random(&mut bits[..])?;
        Ok(Self(bits))
    }

    /// The code as printed: seven groups of four, the last two letters check the rest.
    pub fn text(&self) -> String {
        let mut value = u128::from_be_bytes(*self.0);
        let mut letters = [0_u8; 28];
        for letter in letters[..26].iter_mut().rev() {
            *letter = ALPHABET[(value & 31) as usize];
            value >>= 5;
        }
        letters[26..].copy_from_slice(&check_letters(&self.0));
        letters
            .chunks(4)
            .map(|group| String::from_utf8_lossy(group).into_owned())
            .collect::<Vec<_>>()
            .join("-")
    }

    /// Reads a code as somebody typed it.
    ///
    /// Errors: `WrongRecoveryCode` when it cannot be one (also told by its check letters).
    pub fn parse(text: &str) -> Result<Self> {
        let wrong = || Error::new(ErrorCode::WrongRecoveryCode);
        let mut value = 0_u128;
        let letters: Vec<u8> = text
            .chars()
            .filter(|c| !c.is_whitespace() && !matches!(c, '-' | '－' | '—'))
            .map(|c| match c.to_ascii_uppercase() {
                'O' => b'0',
                'I' | 'L' => b'1',
                c => u8::try_from(c).unwrap_or(b'?'),
            })
            .collect();
        if letters.len() != 28 {
            return Err(wrong());
        }
        // 26 letters carry 130 bits; the first may use three of its five.
        if letters[0] > b'7' {
            return Err(wrong());
        }
        for letter in &letters[..26] {
            let digit = ALPHABET.iter().position(|a| a == letter).ok_or_else(wrong)?;
            value = (value << 5) | digit as u128;
        }
        let bits = Zeroizing::new(value.to_be_bytes());
        if letters[26..] != check_letters(&bits) {
            return Err(wrong());
        }
        Ok(Self(bits))
    }

    /// The key that opens the recovery slot. 128 random bits need no stretching.
    pub(super) fn key(&self) -> Result<Zeroizing<[u8; 32]>> {
        let mut wide = Zeroizing::new([0_u8; 32]);
        wide[..16].copy_from_slice(&self.0[..]);
        derive(&wide, b"aftercare recovery code", "aftercare key slot v1")
    }
}

fn check_letters(bits: &[u8; 16]) -> [u8; 2] {
    let digest = Sha256::digest(bits);
    [ALPHABET[usize::from(digest[0] & 31)], ALPHABET[usize::from(digest[1] & 31)]]
}
