//! What this PC can open while nobody is signed in: how it speaks to its server, and the database key
//! that it left there. Sealed with the machine's secret, so that a copied folder alone opens neither.

use std::io::Write;
use std::path::Path;

use aftercare_domain::error_code::ErrorCode;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::keys::{self, Wrapped};
use super::slots::KeyFile;
use crate::db::DatabaseKey;
use crate::error::{Error, Result};

const FILE: &str = "server.json";
const WIPED: &str = "wiped";
const DEVICE: &str = "device key v1";
const DATABASE: &str = "database key left at the server v1";

/// How this PC speaks to its server before anybody is signed in.
#[derive(Serialize, Deserialize)]
pub struct ServerFile {
    /// `https://host:port`.
    pub address: String,
    /// DER of the one certificate that is believed, base64.
    authority: String,
    /// The desk's identity.
    pub device: Uuid,
    seed: Wrapped,
}

impl ServerFile {
    /// Writes the file.
    pub(crate) fn save(
        home: &Path,
        keys: &KeyFile,
        address: &str,
        authority: &[u8],
        device: Uuid,
        seed: &[u8; 32],
    ) -> Result<()> {
        let seed = keys::wrap(&Zeroizing::new(*seed), &*wrapping(keys, DEVICE)?, DEVICE)?;
        let authority = data_encoding::BASE64.encode(authority);
        let file = Self { address: address.to_owned(), authority, device, seed };
        let mut written = tempfile::NamedTempFile::new_in(home)?;
        written.write_all(&serde_json::to_vec_pretty(&file)?)?;
        written.as_file().sync_all()?;
        written.persist(home.join(FILE)).map_err(|error| Error::from(error.error))?;
        Ok(())
    }

    /// Whether this PC has a server.
    pub(crate) fn exists(home: &Path) -> bool {
        home.join(FILE).exists()
    }

    /// Reads the file.
    ///
    /// # Errors
    /// `SyncNotEnrolled` when this PC has no server.
    pub(crate) fn load(home: &Path) -> Result<Self> {
        let bytes = std::fs::read(home.join(FILE)).ok();
        let file = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        file.ok_or_else(|| Error::new(ErrorCode::SyncNotEnrolled))
    }

    /// DER of the one certificate that is believed.
    pub(crate) fn authority(&self) -> Result<Vec<u8>> {
        data_encoding::BASE64
            .decode(self.authority.as_bytes())
            .map_err(|_| Error::new(ErrorCode::KeysDamaged))
    }

    /// The device key's seed.
    pub(crate) fn seed(&self, keys: &KeyFile) -> Result<DatabaseKey> {
        keys::unwrap(&self.seed, &*wrapping(keys, DEVICE)?, DEVICE)
            .ok_or_else(|| Error::new(ErrorCode::KeysDamaged))
    }
}

/// A mark that this PC was erased because it was reported lost: whoever finds it empty is told why.
pub(crate) struct Wiped;

impl Wiped {
    /// Leaves the mark.
    pub(crate) fn leave(home: &Path) -> Result<()> {
        Ok(std::fs::write(home.join(WIPED), b"reported lost\n")?)
    }

    /// Whether it is there.
    pub(crate) fn is_left(home: &Path) -> bool {
        home.join(WIPED).exists()
    }

    /// Takes it away: the PC begins anew.
    pub(crate) fn clear(home: &Path) -> Result<()> {
        match std::fs::remove_file(home.join(WIPED)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
            _ => Ok(()),
        }
    }
}

/// The database key, to be left at the server: only this PC can open it.
pub(crate) fn seal_database_key(keys: &KeyFile, key: &DatabaseKey) -> Result<Vec<u8>> {
    Ok(serde_json::to_vec(&keys::wrap(key, &*wrapping(keys, DATABASE)?, DATABASE)?)?)
}

/// Opens what [`seal_database_key`] has sealed on this PC.
///
/// # Errors
/// `KeysDamaged`.
pub(crate) fn open_database_key(keys: &KeyFile, sealed: &[u8]) -> Result<DatabaseKey> {
    let damaged = || Error::new(ErrorCode::KeysDamaged);
    let wrapped: Wrapped = serde_json::from_slice(sealed).map_err(|_| damaged())?;
    keys::unwrap(&wrapped, &*wrapping(keys, DATABASE)?, DATABASE).ok_or_else(damaged)
}

fn wrapping(keys: &KeyFile, purpose: &str) -> Result<Zeroizing<[u8; 32]>> {
    let secret = keys.machine_secret();
    let stretched = Zeroizing::new(<[u8; 32]>::from(Sha256::digest(secret.as_slice())));
    keys::derive(&stretched, &secret, purpose)
}
