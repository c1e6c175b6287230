//! Alice's desk learns of a new version, fetches it over a bad line, closes, and goes on, or goes back.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::cell::RefCell;
use std::path::Path;

use aftercare_domain::error_code::ErrorCode;
use aftercare_sync::updates::{Manifest, Offer, PLATFORM, sha256_text, signed_text};
use ring::signature::{Ed25519KeyPair, KeyPair};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::fetch::{Source, choose, fetch};
use super::place::{Place, State, UnderWay};
use super::{Start, VERSION, at_close, at_start, commands, open};
use crate::app::jobs::Progress;
use crate::error::{Error, Result};
use crate::testing::Desk;

const PART: usize = 1000;
const MAKER: [u8; 32] = [7; 32];

fn keys() -> Vec<Vec<u8>> {
    vec![Ed25519KeyPair::from_seed_unchecked(&MAKER).unwrap().public_key().as_ref().to_vec()]
}

fn offer(version: &str, bytes: &[u8], seed: &[u8; 32]) -> Offer {
    let manifest = serde_json::to_string(&Manifest {
        version: version.into(),
        platform: PLATFORM.into(),
        file: "Setup.bin".into(),
        size: bytes.len() as u64,
        sha256: sha256_text(Sha256::new_with_prefix(bytes)),
        notes_zh: "新".into(),
        notes_en: "new".into(),
    })
    .unwrap();
    let pair = Ed25519KeyPair::from_seed_unchecked(seed).unwrap();
    let signature = pair.sign(signed_text(&manifest).as_bytes()).as_ref().to_vec();
    Offer { manifest, signature }
}

/// A server that hands `bytes` out, and whose line breaks after `holds` parts.
struct Bad {
    offers: Vec<Offer>,
    bytes: Vec<u8>,
    holds: usize,
    asked: RefCell<Vec<u64>>,
}

impl Bad {
    fn new(version: &str, seed: &[u8; 32]) -> Self {
        let bytes: Vec<u8> = (0..4500_u32).flat_map(u32::to_le_bytes).collect();
        Self {
            offers: vec![offer(version, &bytes, seed)],
            bytes,
            holds: usize::MAX,
            asked: RefCell::default(),
        }
    }
}

impl Source for Bad {
    fn offers(&self, _: &str) -> Result<Vec<Offer>> {
        Ok(self.offers.clone())
    }

    fn part(&self, _: &Manifest, offset: u64) -> Result<Vec<u8>> {
        if self.asked.borrow().len() >= self.holds {
            return Err(Error::new(ErrorCode::SyncUnreachable));
        }
        self.asked.borrow_mut().push(offset);
        let from = usize::try_from(offset).unwrap().min(self.bytes.len());
        Ok(self.bytes[from..(from + PART).min(self.bytes.len())].to_vec())
    }
}

fn code<T>(result: Result<T>) -> ErrorCode {
    result.err().map(|error| error.code).unwrap()
}

/// A desk that has fetched version 99 and is closed, with its program beside it.
fn fetched() -> (Desk, Bad, std::path::PathBuf) {
    let desk = Desk::new();
    let server = Bad::new("99.0.0", &MAKER);
    let ctx = crate::Ctx { app: with_keys(&desk), ..desk.ctx() };
    commands::run(&ctx, &server, &Progress::unwatched()).unwrap();
    drop(ctx);
    desk.app.call("session_lock", json!({})).unwrap();
    let program = desk.home.path().join("old-program");
    std::fs::write(&program, b"the old program").unwrap();
    (desk, server, program)
}

/// The same application, of a build that knows the maker.
fn with_keys(desk: &Desk) -> std::sync::Arc<crate::App> {
    let env = crate::Env { release_keys: keys(), ..desk.app.env.clone() };
    crate::App::open(desk.home.path(), env).unwrap()
}

fn state(home: &Path) -> State {
    Place::of(home).state()
}

#[test]
fn a_broken_download_goes_on_where_it_broke() {
    let home = tempfile::tempdir().unwrap();
    let place = Place::of(home.path());
    let mut server = Bad::new("99.0.0", &MAKER);
    let manifest = aftercare_sync::updates::read(&server.offers[0], &keys()).unwrap();
    server.holds = 5;
    assert_eq!(code(fetch(&server, &place, &manifest, &Progress::unwatched())), ErrorCode::SyncUnreachable);
    server.holds = usize::MAX;
    let file = fetch(&server, &place, &manifest, &Progress::unwatched()).unwrap();
    assert_eq!(std::fs::read(&file).unwrap(), server.bytes);
    let expected: Vec<u64> = (0..18).map(|part| part * PART as u64).collect();
    assert_eq!(*server.asked.borrow(), expected, "no byte is fetched twice");
    fetch(&server, &place, &manifest, &Progress::unwatched()).unwrap();
    assert_eq!(server.asked.borrow().len(), 18, "what is there whole is not fetched again");
}

#[test]
fn what_came_damaged_is_thrown_away_and_fetched_anew() {
    let home = tempfile::tempdir().unwrap();
    let place = Place::of(home.path());
    let mut server = Bad::new("99.0.0", &MAKER);
    let manifest = aftercare_sync::updates::read(&server.offers[0], &keys()).unwrap();
    server.bytes[3333] ^= 1;
    assert_eq!(code(fetch(&server, &place, &manifest, &Progress::unwatched())), ErrorCode::UpdateDamaged);
    server.bytes[3333] ^= 1;
    assert!(fetch(&server, &place, &manifest, &Progress::unwatched()).is_ok());
}

#[test]
fn two_who_fetch_at_once_do_not_mix_their_bytes() {
    let home = tempfile::tempdir().unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let (place, server) = (Place::of(home.path()), Bad::new("99.0.0", &MAKER));
                let manifest = aftercare_sync::updates::read(&server.offers[0], &keys()).unwrap();
                let file = fetch(&server, &place, &manifest, &Progress::unwatched()).unwrap();
                assert_eq!(std::fs::read(file).unwrap(), server.bytes);
            });
        }
    });
}

#[test]
fn only_a_newer_version_of_the_maker_for_this_platform_is_taken() {
    let take = |offers: Vec<Offer>, gone_back| {
        choose(offers, &keys(), gone_back).map(|found| found.map(|(_, manifest)| manifest.version))
    };
    let by = |version: &str| offer(version, b"x", &MAKER);
    assert_eq!(
        take(vec![by("98.0.0"), by("99.0.0"), by("97.5.0")], None).unwrap().as_deref(),
        Some("99.0.0")
    );
    assert_eq!(take(vec![by("98.0.0"), by("99.0.0")], Some("99.0.0")).unwrap().as_deref(), Some("98.0.0"));
    assert_eq!(take(vec![by(VERSION), by("0.0.1")], None).unwrap(), None);
    assert_eq!(code(take(vec![offer("99.0.0", b"x", &[8; 32])], None)), ErrorCode::UpdateSignature);
    let mut elsewhere = by("99.0.0");
    elsewhere.manifest = elsewhere.manifest.replace(PLATFORM, "debian-arm64");
    assert_eq!(code(take(vec![elsewhere], None)), ErrorCode::UpdateSignature);
}

#[test]
fn the_window_closes_with_everything_kept_for_the_way_back() {
    let (desk, server, program) = fetched();
    let home = desk.home.path();
    let installer = at_close(home, &keys(), &program).unwrap().unwrap();
    assert_eq!(installer.version, "99.0.0");
    assert_eq!(std::fs::read(installer.file).unwrap(), server.bytes);
    let kept = Place::of(home);
    for name in ["aftercare.db", "keys.json"] {
        let (then, now) = (kept.before().join(name), home.join(name));
        assert_eq!(std::fs::read(then).unwrap(), std::fs::read(now).unwrap(), "{name}");
    }
    assert_eq!(std::fs::read(kept.previous().join("old-program")).unwrap(), b"the old program");
    assert_eq!(at_close(home, &keys(), &program).unwrap(), None, "it is started once");
}

#[test]
fn nothing_is_installed_of_what_changed_on_the_disk() {
    let (desk, _, program) = fetched();
    let home = desk.home.path();
    assert_eq!(code(at_close(home, &[], &program)), ErrorCode::UpdateSignature);
    let file = Place::of(home).installer("99.0.0", "Setup.bin");
    let mut bytes = std::fs::read(&file).unwrap();
    bytes[17] ^= 1;
    std::fs::write(&file, bytes).unwrap();
    assert_eq!(code(at_close(home, &keys(), &program)), ErrorCode::UpdateDamaged);
    assert_eq!(state(home).under_way, None);
}

#[test]
fn nothing_is_installed_while_somebody_has_the_data_open() {
    let (desk, _, program) = fetched();
    desk.login("alice").unwrap();
    assert_eq!(code(at_close(desk.home.path(), &keys(), &program)), ErrorCode::DatabaseBusy);
    desk.app.call("session_lock", json!({})).unwrap();
    assert!(at_close(desk.home.path(), &keys(), &program).unwrap().is_some());
}

#[test]
fn nothing_is_installed_where_the_copy_cannot_be_written() {
    let (desk, _, program) = fetched();
    let home = desk.home.path();
    // In the copy's place lies a file: as good as a disk that takes nothing.
    std::fs::write(Place::of(home).before(), b"").unwrap();
    assert!(at_close(home, &keys(), &program).is_err());
    assert_eq!(state(home).under_way, None);
    desk.login("alice").expect("the old version goes on");
}

#[test]
fn an_installer_that_did_nothing_is_told() {
    let (desk, _, program) = fetched();
    let home = desk.home.path();
    at_close(home, &keys(), &program).unwrap().unwrap();
    assert_eq!(at_start(home).unwrap(), Start::Here);
    assert_eq!(state(home).problem.as_deref(), Some("update_not_installed"));
    assert_eq!(state(home).under_way, None);
    desk.login("alice").expect("the old version goes on");
}

/// As if this program were the new one, started after the installer.
fn arrived(home: &Path) {
    let way = UnderWay { from: "0.0.1".into(), to: VERSION.into() };
    Place::of(home).save(&State { under_way: Some(way), ..state(home) }).unwrap();
}

#[test]
fn a_new_version_that_opens_the_data_stays() {
    let (desk, _, program) = fetched();
    let home = desk.home.path();
    at_close(home, &keys(), &program).unwrap().unwrap();
    arrived(home);
    assert_eq!(at_start(home).unwrap(), Start::Here);
    desk.login("alice").unwrap();
    assert_eq!((state(home).under_way, state(home).gone_back), (None, None));
}

#[test]
fn a_new_version_that_cannot_open_the_data_goes_back() {
    let (desk, _, program) = fetched();
    let home = desk.home.path();
    at_close(home, &keys(), &program).unwrap().unwrap();
    arrived(home);
    // What a failed migration leaves behind, at its worst.
    std::fs::write(home.join("aftercare.db"), vec![9; 8192]).unwrap();
    let refused = desk.login("alice").unwrap_err();
    assert_eq!(refused.code, ErrorCode::UpdateWentBack);
    assert_eq!(refused.params["version"], VERSION);
    assert_eq!(state(home).gone_back.as_deref(), Some(VERSION));
    assert_eq!(std::fs::read(Place::of(home).failed().join("aftercare.db")).unwrap(), vec![9; 8192]);
    let Start::Before(old) = at_start(home).unwrap() else { panic!("the old program does the work") };
    assert_eq!(std::fs::read(old).unwrap(), b"the old program");
    desk.login("alice").expect("the data are as they were before the update");
}

#[test]
fn a_database_of_a_newer_version_is_refused_by_name_without_an_update_too() {
    let desk = Desk::new();
    desk.ctx()
        .db()
        .maintain(|c| {
            Ok(c.execute_batch(
                "INSERT INTO refinery_schema_history (version, name, applied_on, checksum)
                 VALUES (9999, 'later', '2030-01-01T00:00:00Z', '1')",
            )?)
        })
        .unwrap();
    desk.app.call("session_lock", json!({})).unwrap();
    let key = zeroize::Zeroizing::new([0; 32]);
    assert!(open(desk.home.path(), key).is_err());
    assert_eq!(desk.login("alice").unwrap_err().code, ErrorCode::DatabaseNewer);
}
