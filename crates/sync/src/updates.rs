//! New versions of the desk, handed out by the hospital's server and signed by whoever makes the program: a server
//! that was broken into can keep a version back, but not bring desks one of its own.
//!
//! | Request | Answer |
//! |---|---|
//! | `GET /v1/updates/{platform}` | [`OffersAnswer`] |
//! | `GET /v1/updates/{platform}/{version}/parts?offset=N` | the bytes from there, at most `door::MAX_PART`; empty at the end |
//!
//! Both are signed requests like the others.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::door::base64url;

/// Most bytes of an installer.
pub const MAX_FILE: u64 = 512 << 20;

/// The platform that this program was built for; empty where there are no installers.
pub const PLATFORM: &str = if cfg!(all(windows, target_arch = "x86_64")) {
    "windows-x86_64"
} else if cfg!(all(target_os = "linux", target_arch = "x86_64")) {
    "debian-amd64"
} else if cfg!(all(target_os = "linux", target_arch = "aarch64")) {
    "debian-arm64"
} else {
    ""
};

/// Every platform that an installer can be for.
pub const PLATFORMS: [&str; 3] = ["windows-x86_64", "debian-amd64", "debian-arm64"];

/// What an installer is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The program's version, three numbers.
    pub version: String,
    /// One of [`PLATFORMS`].
    pub platform: String,
    /// The installer's file name, without a folder.
    pub file: String,
    /// Its bytes.
    pub size: u64,
    /// Its SHA-256, hexadecimal.
    pub sha256: String,
    /// What is new, in Chinese.
    pub notes_zh: String,
    /// The same in English.
    pub notes_en: String,
}

/// A manifest with its signature. The text is kept as it was signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// A [`Manifest`] as JSON.
    pub manifest: String,
    /// Ed25519 over [`signed_text`].
    #[serde(with = "base64url")]
    pub signature: Vec<u8>,
}

/// What a server has for a platform, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OffersAnswer {
    /// The offers.
    pub offers: Vec<Offer>,
}

/// Why an offer is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OfferFault {
    /// Signed by nobody whose key is known.
    #[error("the signature is of nobody known")]
    Signature,
    /// Signed, but it cannot be followed.
    #[error("the manifest cannot be read")]
    Manifest,
}

/// The text that is signed.
pub fn signed_text(manifest: &str) -> String {
    format!("aftercare-update-1\n{manifest}")
}

/// The manifest of an offer that one of `keys` (Ed25519 public keys, 32 bytes) has signed.
///
/// # Errors
/// When the signature is of none of them, or what is signed is no manifest.
pub fn read(offer: &Offer, keys: &[Vec<u8>]) -> Result<Manifest, OfferFault> {
    let text = signed_text(&offer.manifest);
    let signed = keys.iter().any(|key| {
        let key = ring::signature::UnparsedPublicKey::new(&ring::signature::ED25519, key);
        key.verify(text.as_bytes(), &offer.signature).is_ok()
    });
    if !signed {
        return Err(OfferFault::Signature);
    }
    parse(&offer.manifest).ok_or(OfferFault::Manifest)
}

/// A manifest whose names can do no harm as parts of a path.
pub fn parse(text: &str) -> Option<Manifest> {
    let manifest: Manifest = serde_json::from_str(text).ok()?;
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '+');
    let file = &manifest.file;
    let fits = numbers(&manifest.version).is_some()
        && PLATFORMS.contains(&manifest.platform.as_str())
        && !file.is_empty()
        && file.len() <= 100
        && !file.starts_with('.')
        && file.chars().all(plain)
        && (1..=MAX_FILE).contains(&manifest.size)
        && manifest.sha256.len() == 64;
    fits.then_some(manifest)
}

/// Whether `version` comes after `than`. What is no version comes after nothing.
pub fn is_newer(version: &str, than: &str) -> bool {
    match (numbers(version), numbers(than)) {
        (Some(version), Some(than)) => version > than,
        _ => false,
    }
}

/// A version as something to compare.
pub fn numbers(version: &str) -> Option<[u32; 3]> {
    let mut parts = version.split('.');
    let mut next = || {
        let part = parts.next()?;
        let digits = !part.is_empty() && part.len() <= 6 && part.bytes().all(|byte| byte.is_ascii_digit());
        if digits { part.parse().ok() } else { None }
    };
    let found = [next()?, next()?, next()?];
    parts.next().is_none().then_some(found)
}

/// A SHA-256 in the manifest's way of writing.
pub fn sha256_text(digest: Sha256) -> String {
    data_encoding::HEXLOWER.encode(&digest.finalize())
}

/// Keys as they are written for a build: base64url, with commas between where an old and a new one hold.
pub fn read_keys(text: &str) -> Vec<Vec<u8>> {
    let keys = text.split(',').filter_map(|key| base64url::decode(key.trim()));
    keys.filter(|key| key.len() == 32).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use ring::signature::{Ed25519KeyPair, KeyPair};

    use super::*;

    fn manifest(version: &str, file: &str) -> String {
        let sha256 = "0".repeat(64);
        let manifest = Manifest {
            version: version.into(),
            platform: "windows-x86_64".into(),
            file: file.into(),
            size: 7,
            sha256,
            notes_zh: "新".into(),
            notes_en: "new".into(),
        };
        serde_json::to_string(&manifest).unwrap()
    }

    #[test]
    fn only_a_known_key_makes_an_offer() {
        let (maker, other) = (
            Ed25519KeyPair::from_seed_unchecked(&[1; 32]).unwrap(),
            Ed25519KeyPair::from_seed_unchecked(&[2; 32]).unwrap(),
        );
        let known = [maker.public_key().as_ref().to_vec()];
        let text = manifest("1.2.0", "Setup.exe");
        let sign = |pair: &Ed25519KeyPair| pair.sign(signed_text(&text).as_bytes()).as_ref().to_vec();
        let good = Offer { manifest: text.clone(), signature: sign(&maker) };
        assert_eq!(read(&good, &known).unwrap().version, "1.2.0");
        assert_eq!(read(&good, &[]), Err(OfferFault::Signature));
        let foreign = Offer { signature: sign(&other), ..good.clone() };
        assert_eq!(read(&foreign, &known), Err(OfferFault::Signature));
        let changed = Offer { manifest: text.replace("1.2.0", "1.3.0"), ..good.clone() };
        assert_eq!(read(&changed, &known), Err(OfferFault::Signature));
        let stale = Offer { signature: maker.sign(text.as_bytes()).as_ref().to_vec(), ..good };
        assert_eq!(read(&stale, &known), Err(OfferFault::Signature), "other texts of the key are no offers");
    }

    #[test]
    fn a_manifest_names_no_folder() {
        assert!(parse(&manifest("1.2.0", "Aftercare-Setup-1.2.0.exe")).is_some());
        for file in ["", ".", "..", "../x", "a/b", "a\\b", "C:x", ".profile", "a b"] {
            assert!(parse(&manifest("1.2.0", file)).is_none(), "{file}");
        }
        for version in ["", "1", "1.2", "1.2.3.4", "1.2.x", "../1.2", "1.-2.3"] {
            assert!(parse(&manifest(version, "Setup.exe")).is_none(), "{version}");
        }
    }

    #[test]
    fn versions_are_numbers_not_texts() {
        assert!(is_newer("0.10.0", "0.9.9"));
        assert!(is_newer("1.0.0", "0.99.99"));
        assert!(!is_newer("0.9.0", "0.9.0"));
        assert!(!is_newer("0.9.0", "0.10.0"));
        assert!(!is_newer("new", "0.1.0"));
    }
}
