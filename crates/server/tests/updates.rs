//! New versions at the server's door: signed by their maker, taken in by an administrator, fetched by desks.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod support;

use std::path::{Path, PathBuf};

use aftercare_sync::door::{MAX_PART, base64url};
use aftercare_sync::updates::{OffersAnswer, read};
use support::{Desk, Server, ask, command, hospital};

const PLATFORM: &str = "windows-x86_64";

/// A maker with a key, and an installer of more than one part.
struct Maker {
    folder: tempfile::TempDir,
    public: String,
    bytes: Vec<u8>,
}

impl Maker {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let made = command(folder.path(), &["updates", "key", text(&folder.path().join("key"))]).unwrap();
        let bytes = (0..u32::try_from(MAX_PART / 4 + 1000).unwrap()).flat_map(u32::to_le_bytes).collect();
        Self { public: made["key"].as_str().unwrap().to_owned(), folder, bytes }
    }

    fn installer(&self, version: &str) -> PathBuf {
        let file = self.folder.path().join(format!("Setup-{version}.exe"));
        std::fs::write(&file, &self.bytes).unwrap();
        let key = self.folder.path().join("key");
        let words = ["updates", "sign", text(&file), "--key", text(&key), "--release", version];
        let notes = ["--platform", PLATFORM, "--notes-zh", "更快", "--notes-en", "faster"];
        command(self.folder.path(), &[&words[..], &notes[..]].concat()).unwrap();
        file
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn a_desk_sees_the_newest_version_and_fetches_it_in_parts() {
    let (server, maker) = (Server::start(), Maker::new());
    let desk = hospital(&server, &[]).desk;
    for version in ["0.9.0", "0.10.0"] {
        server.command(&["updates", "add", text(&maker.installer(version))]).unwrap();
    }
    let answer: OffersAnswer = desk.signed("GET", &format!("/v1/updates/{PLATFORM}"), b"").json();
    let keys = [base64url::decode(&maker.public).unwrap()];
    let found: Vec<_> = answer.offers.iter().map(|offer| read(offer, &keys).unwrap()).collect();
    assert_eq!(found.iter().map(|each| each.version.as_str()).collect::<Vec<_>>(), ["0.10.0", "0.9.0"]);
    assert_eq!((found[0].notes_zh.as_str(), found[0].size), ("更快", maker.bytes.len() as u64));

    let part = |offset: usize| {
        let target = format!("/v1/updates/{PLATFORM}/0.10.0/parts?offset={offset}");
        let reply = desk.signed("GET", &target, b"");
        assert_eq!(reply.status, 200);
        reply.body
    };
    let (first, second) = (part(0), part(MAX_PART));
    assert_eq!(first.len(), MAX_PART);
    assert!([first, second].concat() == maker.bytes);
    assert!(part(maker.bytes.len()).is_empty());
    assert_eq!(part(MAX_PART + 1000), maker.bytes[MAX_PART + 1000..]);

    server.command(&["updates", "remove", PLATFORM, "0.10.0"]).unwrap();
    let answer: OffersAnswer = desk.signed("GET", &format!("/v1/updates/{PLATFORM}"), b"").json();
    assert_eq!(answer.offers.len(), 1);
    let listed = server.command(&["updates", "list"]).unwrap();
    assert_eq!(listed[0]["version"], "0.9.0");
}

#[test]
fn nobody_fetches_without_being_a_desk_and_no_path_leads_out() {
    let (server, maker) = (Server::start(), Maker::new());
    let desk = hospital(&server, &[]).desk;
    server.command(&["updates", "add", text(&maker.installer("1.0.0"))]).unwrap();
    let stranger = Desk::new(&server);
    for target in [format!("/v1/updates/{PLATFORM}"), format!("/v1/updates/{PLATFORM}/1.0.0/parts?offset=0")]
    {
        let reply = ask(server.address, &stranger.authority, "GET", &target, &[], b"").unwrap();
        assert_eq!(reply.problem().code, "token", "{target}");
    }
    for target in [
        "/v1/updates/windows-x86_64/2.0.0/parts",
        "/v1/updates/windows-x86_64/../parts",
        "/v1/updates/windows-x86_64/%2E%2E%2F%2E%2E/parts",
        "/v1/updates/..%2F..%2Fetc/1.0.0/parts",
        "/v1/updates/solaris/1.0.0/parts",
    ] {
        assert_eq!(desk.signed("GET", target, b"").status, 404, "{target}");
    }
    let answer: OffersAnswer = desk.signed("GET", "/v1/updates/..%2F..", b"").json();
    assert!(answer.offers.is_empty());
}

#[test]
fn what_its_maker_did_not_sign_as_it_is_is_not_taken_in() {
    let (server, maker) = (Server::start(), Maker::new());
    let refused = |file: &Path| server.command(&["updates", "add", text(file)]).unwrap_err()["code"].clone();
    let file = maker.installer("1.0.0");
    let mut bytes = maker.bytes.clone();
    bytes[5] ^= 1;
    std::fs::write(&file, &bytes).unwrap();
    assert_eq!(refused(&file), "update_file");
    std::fs::write(&file, &maker.bytes).unwrap();
    server.command(&["updates", "add", text(&file)]).unwrap();
    assert_eq!(refused(&file), "taken");
    let bare = maker.folder.path().join("bare.exe");
    std::fs::write(&bare, b"x").unwrap();
    assert_eq!(refused(&bare), "file");
    std::fs::write(maker.folder.path().join("bare.exe.offer.json"), b"{}").unwrap();
    assert_eq!(refused(&bare), "update_offer");
    assert_eq!(server.command(&["updates", "remove", PLATFORM, "../.."]).unwrap_err()["code"], "not_found");
}
