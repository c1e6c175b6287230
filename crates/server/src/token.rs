//! Tokens that any server process can check without a database: claims and an HMAC over them,
//! under a key that follows from the authority's.
//!
//! A token carries the desk's public key, so that a request with a wrong signature is turned away
//! before anything is looked up. Whether the desk was shut out is asked at every request besides.

use aftercare_sync::door::{CLOCK_TOLERANCE_MILLIS, ProblemCode, base64url};
use ring::{hmac, signature};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::problem::{Refused, refuse};

/// How long a token holds.
pub const TOKEN_SECONDS: i64 = 15 * 60;

/// What a token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claims {
    /// The hospital.
    pub tenant: Uuid,
    /// The desk.
    pub device: Uuid,
    /// The desk's Ed25519 public key, 32 bytes.
    pub public_key: Vec<u8>,
    /// When it ends, milliseconds UTC.
    pub expires_at: i64,
}

impl Claims {
    /// One behind the other, without names: a token crosses the line with every request.
    fn to_bytes(&self) -> Vec<u8> {
        let Self { tenant, device, public_key, expires_at } = self;
        [&tenant.as_bytes()[..], &device.as_bytes()[..], &expires_at.to_be_bytes()[..], public_key].concat()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (tenant, rest) = bytes.split_first_chunk::<16>()?;
        let (device, rest) = rest.split_first_chunk::<16>()?;
        let (expires_at, public_key) = rest.split_first_chunk::<8>()?;
        (public_key.len() == 32).then(|| Self {
            tenant: Uuid::from_bytes(*tenant),
            device: Uuid::from_bytes(*device),
            public_key: public_key.to_vec(),
            expires_at: i64::from_be_bytes(*expires_at),
        })
    }
}

/// A desk's token.
pub fn issue(key: &hmac::Key, claims: &Claims) -> String {
    sealed(key, &claims.to_bytes())
}

/// Claims as text, sealed under `key`.
pub fn seal<T: Serialize>(key: &hmac::Key, claims: &T) -> Result<String, Refused> {
    let body = serde_json::to_vec(claims).map_err(|error| Refused::internal("token", error))?;
    Ok(sealed(key, &body))
}

fn sealed(key: &hmac::Key, body: &[u8]) -> String {
    let tag = hmac::sign(key, body);
    format!("{}.{}", base64url::encode(body), base64url::encode(tag.as_ref()))
}

/// The claims of a text that was sealed under `key`; nothing for any other.
pub fn unseal<T: for<'de> Deserialize<'de>>(key: &hmac::Key, text: &str) -> Option<T> {
    serde_json::from_slice(&opened(key, text)?).ok()
}

fn opened(key: &hmac::Key, text: &str) -> Option<Vec<u8>> {
    let (body, tag) = text.split_once('.')?;
    let (body, tag) = (base64url::decode(body)?, base64url::decode(tag)?);
    hmac::verify(key, &body, &tag).ok()?;
    Some(body)
}

/// Reads a desk's token.
///
/// # Errors
/// `token` when it is none of ours, `token_expired` when its time is over.
pub fn read(key: &hmac::Key, text: &str, now_millis: i64) -> Result<Claims, Refused> {
    let claims = opened(key, text).and_then(|body| Claims::from_bytes(&body));
    let claims = claims.ok_or(refuse(ProblemCode::Token))?;
    if claims.expires_at <= now_millis {
        return Err(refuse(ProblemCode::TokenExpired));
    }
    Ok(claims)
}

/// Checks a desk's signature, and its clock: a signature from another time might be a recording.
///
/// # Errors
/// `signature`; `clock` with the server's time, which the desk then signs with.
pub fn check_signature(
    public_key: &[u8],
    text: &str,
    signature: &[u8],
    at_millis: i64,
    now_millis: i64,
) -> Result<(), Refused> {
    signature::UnparsedPublicKey::new(&signature::ED25519, public_key)
        .verify(text.as_bytes(), signature)
        .map_err(|_| refuse(ProblemCode::Signature))?;
    if at_millis.abs_diff(now_millis) > CLOCK_TOLERANCE_MILLIS.unsigned_abs() {
        return Err(Refused::new(ProblemCode::Clock).with("server_millis", now_millis));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use ring::rand::SystemRandom;
    use ring::signature::KeyPair;

    const NOW: i64 = 1_795_000_000_000;

    fn claims() -> Claims {
        Claims {
            tenant: Uuid::from_u128(1),
            device: Uuid::from_u128(2),
            public_key: vec![3; 32],
            expires_at: NOW + 1,
        }
    }

    #[test]
    fn a_token_is_read_until_it_ends_and_never_when_changed() {
        let key = hmac::Key::new(hmac::HMAC_SHA256, b"one");
        let token = issue(&key, &claims());
        assert_eq!(read(&key, &token, NOW).unwrap(), claims());
        assert_eq!(read(&key, &token, NOW + 1).unwrap_err().code, ProblemCode::TokenExpired);
        for at in 0..token.len() {
            let mut changed = token.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            // The last letter of a text without padding has bits that say nothing.
            if let Ok(read) = read(&key, &changed, NOW) {
                assert_eq!(read, claims());
                assert!(at + 1 == token.len() || token.as_bytes()[at + 1] == b'.');
            }
        }
        let other = hmac::Key::new(hmac::HMAC_SHA256, b"two");
        assert_eq!(read(&other, &token, NOW).unwrap_err().code, ProblemCode::Token);
    }

    #[test]
    fn a_signature_counts_only_near_its_time() {
        let pkcs8 = signature::Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        let pair = signature::Ed25519KeyPair::from_pkcs8(pkcs8.as_ref()).unwrap();
        let public = pair.public_key().as_ref();
        let signed = pair.sign(b"text");
        check_signature(public, "text", signed.as_ref(), NOW, NOW + CLOCK_TOLERANCE_MILLIS).unwrap();
        let late = check_signature(public, "text", signed.as_ref(), NOW, NOW + 600_000).unwrap_err();
        assert_eq!((late.code, late.params["server_millis"]), (ProblemCode::Clock, NOW + 600_000));
        check_signature(public, "text", signed.as_ref(), i64::MIN, NOW).unwrap_err();
        let other = check_signature(public, "other", signed.as_ref(), NOW, NOW).unwrap_err();
        assert_eq!(other.code, ProblemCode::Signature);
    }
}
