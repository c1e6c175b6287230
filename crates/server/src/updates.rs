//! Versions of the desk that this server hands out: files of its home, put there by an administrator. What makes them
//! believable is the maker's signature, which desks check; the server only sees to it that file and manifest agree.

use std::fs;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use aftercare_sync::door::{MAX_PART, base64url};
use aftercare_sync::updates::{Manifest, Offer, PLATFORMS, numbers, parse, sha256_text, signed_text};
use data_encoding::BASE64URL_NOPAD;
use ring::signature::{Ed25519KeyPair, KeyPair};
use sha2::{Digest, Sha256};

use crate::authority::write_new;
use crate::failure::Failure;

/// What lies beside an installer: its manifest with the signature.
const ENDING: &str = ".offer.json";
const OFFER_FILE: &str = "offer.json";

fn folder(home: &Path, platform: &str) -> PathBuf {
    home.join("updates").join(platform)
}

/// The offer that lies beside `file`.
fn offer_beside(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(ENDING);
    PathBuf::from(name)
}

/// Takes an installer in, with the offer that lies beside it.
///
/// # Errors
/// `update_offer` without a readable offer, `update_file` when the file is another, `taken` when the version is there.
pub fn add(home: &Path, file: &Path) -> Result<Manifest, Failure> {
    let beside = offer_beside(file);
    let text = fs::read(&beside).map_err(Failure::file(&beside))?;
    let unreadable = || Failure::new("update_offer", beside.display());
    let offer: Offer = serde_json::from_slice(&text).map_err(|_| unreadable())?;
    let manifest = parse(&offer.manifest).ok_or_else(unreadable)?;
    let (size, sha256) = measure(file)?;
    if size != manifest.size || sha256 != manifest.sha256 {
        return Err(Failure::new("update_file", file.display()));
    }
    let platform = folder(home, &manifest.platform);
    let to = platform.join(&manifest.version);
    if to.exists() {
        return Err(Failure::new("taken", &manifest.version));
    }
    // Desks see the version when its folder has its name, and then all of it is there.
    let coming = platform.join(format!(".{}", manifest.version));
    let _ = fs::remove_dir_all(&coming);
    fs::create_dir_all(&coming).map_err(Failure::file(&coming))?;
    let copied = coming.join(&manifest.file);
    fs::copy(file, &copied).map_err(Failure::file(&copied))?;
    // Windows makes durable only what is open for writing.
    let written = fs::File::options().write(true).open(&copied);
    written.and_then(|written| written.sync_all()).map_err(Failure::file(&copied))?;
    write_new(&coming.join(OFFER_FILE), &text, 0o644).map_err(Failure::file(&coming))?;
    fs::rename(&coming, &to).map_err(Failure::file(&to))?;
    Ok(manifest)
}

/// Hands a version out no longer.
///
/// # Errors
/// `not_found`.
pub fn remove(home: &Path, platform: &str, version: &str) -> Result<(), Failure> {
    let known = PLATFORMS.contains(&platform) && numbers(version).is_some();
    let place = folder(home, platform).join(version);
    if !known || !place.is_dir() {
        return Err(Failure::new("not_found", format!("{platform} {version}")));
    }
    fs::remove_dir_all(&place).map_err(Failure::file(&place))
}

/// What there is for a platform, newest first. What cannot be read is not there.
pub fn offers(home: &Path, platform: &str) -> Vec<(Offer, Manifest)> {
    if !PLATFORMS.contains(&platform) {
        return Vec::new();
    }
    let folders = fs::read_dir(folder(home, platform)).into_iter().flatten().flatten();
    let mut found: Vec<(Offer, Manifest)> = folders
        .filter(|entry| numbers(&entry.file_name().to_string_lossy()).is_some())
        .filter_map(|entry| fs::read(entry.path().join(OFFER_FILE)).ok())
        .filter_map(|text| serde_json::from_slice::<Offer>(&text).ok())
        .filter_map(|offer| parse(&offer.manifest).map(|manifest| (offer, manifest)))
        .collect();
    found.sort_by_key(|(_, manifest)| std::cmp::Reverse(numbers(&manifest.version)));
    found
}

/// A part of an installer, empty behind its end; `None` when there is no such version.
pub fn part(home: &Path, platform: &str, version: &str, offset: u64) -> Option<std::io::Result<Vec<u8>>> {
    let (_, manifest) = offers(home, platform).into_iter().find(|(_, each)| each.version == version)?;
    let path = folder(home, platform).join(&manifest.version).join(&manifest.file);
    Some(read_part(&path, offset))
}

fn read_part(path: &Path, offset: u64) -> std::io::Result<Vec<u8>> {
    let mut file = fs::File::open(path)?;
    file.seek(SeekFrom::Start(offset))?;
    let mut bytes = Vec::new();
    file.take(MAX_PART as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn measure(file: &Path) -> Result<(u64, String), Failure> {
    let mut opened = fs::File::open(file).map_err(Failure::file(file))?;
    let (mut digest, mut size, mut buffer) = (Sha256::new(), 0, vec![0; 256 * 1024]);
    loop {
        let read = opened.read(&mut buffer).map_err(Failure::file(file))?;
        if read == 0 {
            return Ok((size, sha256_text(digest)));
        }
        digest.update(&buffer[..read]);
        size += read as u64;
    }
}

/// Makes a release key: the seed into a new file that only its owner reads; answers with the public half.
///
/// # Errors
/// When the file is there already or cannot be written.
pub fn new_key(file: &Path) -> Result<String, Failure> {
    let seed = crate::app::random::<32>()?;
    write_new(file, BASE64URL_NOPAD.encode(&seed).as_bytes(), 0o600).map_err(Failure::file(file))?;
    Ok(public_half(&pair(file)?))
}

/// What a maker says of an installer.
pub struct Release<'a> {
    /// The version.
    pub version: &'a str,
    /// One of [`PLATFORMS`].
    pub platform: &'a str,
    /// What is new, in Chinese.
    pub notes_zh: &'a str,
    /// The same in English.
    pub notes_en: &'a str,
}

/// Writes the offer beside an installer; answers with the manifest and the public half of the key.
///
/// # Errors
/// `update_offer` when what is said makes no manifest.
pub fn sign(file: &Path, key: &Path, release: &Release<'_>) -> Result<(Manifest, String), Failure> {
    let pair = pair(key)?;
    let (size, sha256) = measure(file)?;
    let manifest = Manifest {
        version: release.version.to_owned(),
        platform: release.platform.to_owned(),
        file: file.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        size,
        sha256,
        notes_zh: release.notes_zh.to_owned(),
        notes_en: release.notes_en.to_owned(),
    };
    let wrong = |_| Failure::new("update_offer", file.display());
    let text = serde_json::to_string(&manifest).map_err(wrong)?;
    let manifest = parse(&text).ok_or_else(|| Failure::new("update_offer", file.display()))?;
    let signature = pair.sign(signed_text(&text).as_bytes()).as_ref().to_vec();
    let offer = serde_json::to_vec_pretty(&Offer { manifest: text, signature }).map_err(wrong)?;
    let beside = offer_beside(file);
    fs::write(&beside, offer).map_err(Failure::file(&beside))?;
    Ok((manifest, public_half(&pair)))
}

fn pair(file: &Path) -> Result<Ed25519KeyPair, Failure> {
    let text = zeroize::Zeroizing::new(fs::read_to_string(file).map_err(Failure::file(file))?);
    let seed = base64url::decode(text.trim()).map(zeroize::Zeroizing::new);
    let pair = seed.and_then(|seed| Ed25519KeyPair::from_seed_unchecked(&seed).ok());
    pair.ok_or_else(|| Failure::new("update_key", file.display()))
}

fn public_half(pair: &Ed25519KeyPair) -> String {
    base64url::encode(pair.public_key().as_ref())
}
