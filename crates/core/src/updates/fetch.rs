//! Looking for a new version and fetching it, in parts, from where it was broken off.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use aftercare_domain::error_code::ErrorCode;
use aftercare_sync::updates::{Manifest, Offer, OfferFault, PLATFORM, is_newer, numbers, read, sha256_text};
use sha2::{Digest, Sha256};

use super::VERSION;
use super::place::Place;
use crate::app::jobs::Progress;
use crate::error::{Error, Result};

/// Between two looks whether another fetch has ended.
const PAUSE: Duration = Duration::from_millis(200);

/// Where versions come from: the server, or what tests put in its place.
pub trait Source {
    /// `GET /v1/updates/{platform}`.
    fn offers(&self, platform: &str) -> Result<Vec<Offer>>;
    /// `GET /v1/updates/{platform}/{version}/parts?offset=N`.
    fn part(&self, manifest: &Manifest, offset: u64) -> Result<Vec<u8>>;
}

/// The newest offer that this program may follow.
///
/// # Errors
/// `UpdateSignature` when there are newer ones but none of them is signed by whom it should be.
pub fn choose(
    offers: Vec<Offer>,
    keys: &[Vec<u8>],
    gone_back: Option<&str>,
) -> Result<Option<(Offer, Manifest)>> {
    let mut foreign = false;
    let mut best: Option<(Offer, Manifest)> = None;
    for offer in offers {
        let manifest = match read(&offer, keys) {
            Ok(manifest) => manifest,
            Err(OfferFault::Signature) => {
                foreign = true;
                continue;
            }
            // Of a maker's later way of writing them: for later programs.
            Err(OfferFault::Manifest) => continue,
        };
        let fits = manifest.platform == PLATFORM
            && is_newer(&manifest.version, VERSION)
            && gone_back != Some(manifest.version.as_str());
        let better =
            best.as_ref().is_none_or(|(_, other)| numbers(&manifest.version) > numbers(&other.version));
        if fits && better {
            best = Some((offer, manifest));
        }
    }
    if best.is_none() && foreign { Err(Error::new(ErrorCode::UpdateSignature)) } else { Ok(best) }
}

/// Fetches what is missing of an installer and checks the whole.
///
/// # Errors
/// `UpdateDamaged` (what came is thrown away), `DiskFull`, `FileUnwritable`, `Cancelled`, and those of the line: what
/// has come by then is kept and gone on with the next time.
pub fn fetch(
    source: &impl Source,
    place: &Place,
    manifest: &Manifest,
    progress: &Progress,
) -> Result<PathBuf> {
    let whole = place.installer(&manifest.version, &manifest.file);
    // The look after a sync and one that somebody asked for would both write to the same file.
    let _alone = alone(place, progress)?;
    if whole.is_file() && matches(&whole, manifest)? {
        return Ok(whole);
    }
    let mut name = whole.as_os_str().to_owned();
    name.push(".part");
    let part = PathBuf::from(name);
    if let Some(folder) = whole.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut there = part.metadata().map_or(0, |about| about.len());
    if there > manifest.size {
        fs::remove_file(&part)?;
        there = 0;
    }
    let mut file = OpenOptions::new().create(true).append(true).open(&part)?;
    while there < manifest.size {
        progress.check()?;
        progress.set(there, manifest.size);
        let bytes = source.part(manifest, there)?;
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        if bytes.is_empty() || length > manifest.size - there {
            break;
        }
        file.write_all(&bytes)?;
        there += length;
    }
    file.sync_all()?;
    drop(file);
    if !matches(&part, manifest)? {
        fs::remove_file(&part)?;
        return Err(Error::new(ErrorCode::UpdateDamaged).with("version", manifest.version.clone()));
    }
    fs::rename(&part, &whole)?;
    place.keep_only(&manifest.version);
    Ok(whole)
}

/// Waits until nobody else fetches here, in this process or another; others wait until the file is dropped.
fn alone(place: &Place, progress: &Progress) -> Result<File> {
    let lock = place.lock();
    if let Some(folder) = lock.parent() {
        fs::create_dir_all(folder)?;
    }
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(lock)?;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) => {
                progress.check()?;
                std::thread::sleep(PAUSE);
            }
            Err(TryLockError::Error(error)) => return Err(error.into()),
        }
    }
}

/// Whether a file is the one that was signed.
///
/// # Errors
/// When it cannot be read.
pub fn matches(path: &Path, manifest: &Manifest) -> Result<bool> {
    let mut file = File::open(path)?;
    if file.metadata()?.len() != manifest.size {
        return Ok(false);
    }
    let (mut digest, mut buffer) = (Sha256::new(), vec![0; 256 * 1024]);
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            return Ok(sha256_text(digest) == manifest.sha256);
        }
        digest.update(&buffer[..read]);
    }
}
