//! Signed requests: the sync itself, and what a desk may not have.

use std::collections::BTreeMap;

use aftercare_sync::door::{ErasureRequest, LoginRequest, RecordsRequest, SealedKey};
use aftercare_sync::pack;
use aftercare_sync::wire::{Answer, OLDEST_PROTOCOL, PROTOCOL, Refusal};
use serde::Serialize;
use serde_bytes::ByteBuf;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::support::{self, Desk, Server, ask, hospital, now};

#[test]
fn every_part_of_a_request_is_signed_and_every_token_is_the_servers() {
    let server = Server::start();
    let mut desk = hospital(&server, &[]).desk;
    let body = pack::pack(&desk.request()).unwrap();
    let asks = |target: &str, headers: &[(&str, String)], body: &[u8]| {
        ask(desk.address, &desk.authority, "POST", target, headers, body).unwrap().problem().code
    };
    let mut headers = desk.headers("POST", "/v1/sync", &body);
    assert_eq!(asks("/v1/records", &headers, &body), "signature");
    assert_eq!(asks("/v1/sync", &headers, b"other"), "signature");
    headers[1].1 = (now() - 1).to_string();
    assert_eq!(asks("/v1/sync", &headers, &body), "signature");
    headers.pop();
    assert_eq!(asks("/v1/sync", &headers, &body), "signature");
    assert_eq!(asks("/v1/sync", &[], &body), "token");
    headers[0].1 = format!("Bearer {}x", &desk.token[1..]);
    assert_eq!(asks("/v1/sync", &headers, &body), "token");
    // A request from yesterday, well signed.
    desk.skew = -24 * 3600 * 1000;
    assert_eq!(desk.sync().unwrap_err().problem().code, "clock");
}

#[test]
fn broken_large_and_newer_messages_are_refused_by_name() {
    let server = Server::start();
    let mut desk = hospital(&server, &[]).desk;
    let refused = |desk: &Desk, body: &[u8]| desk.signed("POST", "/v1/sync", body).problem().code;
    assert_eq!(refused(&desk, b"not zstd"), "garbled");
    assert_eq!(refused(&desk, b""), "garbled");
    let good = pack::pack(&desk.request()).unwrap();
    assert_eq!(refused(&desk, &good[..good.len() / 2]), "garbled");
    assert_eq!(refused(&desk, &pack::pack(&"a word").unwrap()), "garbled");
    assert_eq!(refused(&desk, &vec![0; pack::MAX_PACKED + 1]), "too_large");
    // 64 MiB of nothing in a few kilobytes.
    let bomb = zstd::bulk::compress(&vec![0; 64 << 20], 3).unwrap();
    assert!(bomb.len() < 100_000);
    assert_eq!(refused(&desk, &bomb), "too_large");
    let mut request = desk.request();
    request.device = Uuid::now_v7();
    assert_eq!(refused(&desk, &pack::pack(&request).unwrap()), "forbidden");
    let mut request = desk.request();
    request.ops = vec![vec![1].into(); 501];
    assert_eq!(refused(&desk, &pack::pack(&request).unwrap()), "too_large");

    let mut request = desk.request();
    request.protocol = 99;
    let reply = desk.signed("POST", "/v1/sync", &pack::pack(&request).unwrap());
    assert_eq!(reply.status, 426);
    assert!(matches!(Desk::refusal(&reply), Refusal::Upgrade { newest: PROTOCOL, .. }));
    // A newer desk's message of a form that nobody here can read.
    let unknown = pack::pack(&Newer { protocol: PROTOCOL + 1, ops: "in another form" }).unwrap();
    let reply = desk.signed("POST", "/v1/sync", &unknown);
    assert_eq!(reply.status, 426);
    assert!(matches!(Desk::refusal(&reply), Refusal::Upgrade { oldest: OLDEST_PROTOCOL, newest: PROTOCOL }));
    let mut request = desk.request();
    request.epoch += 5;
    let reply = desk.signed("POST", "/v1/sync", &pack::pack(&request).unwrap());
    assert_eq!(reply.status, 410);
    let mut request = desk.request();
    request.chain = vec![1; 32].into();
    let reply = desk.signed("POST", "/v1/sync", &pack::pack(&request).unwrap());
    assert_eq!(reply.status, 409);
    assert!(matches!(Desk::refusal(&reply), Refusal::Position { last_dseq: 3, .. }));
    // After all that the desk goes on as if nothing had been.
    desk.sync().unwrap();
}

/// What the oldest program that is served says: only what every protocol requires.
#[derive(Serialize)]
struct Older {
    protocol: u8,
    epoch: i64,
    device: Uuid,
    acknowledged: i64,
    first: i64,
    chain: ByteBuf,
    ops: Vec<ByteBuf>,
    cursors: BTreeMap<Uuid, i64>,
}

#[derive(Serialize)]
struct Newer {
    protocol: u8,
    ops: &'static str,
}

#[test]
fn the_oldest_program_that_is_served_says_less_and_is_answered() {
    let server = Server::start();
    let story = hospital(&server, &[]);
    let full = story.desk.request();
    let older = Older {
        protocol: OLDEST_PROTOCOL,
        epoch: full.epoch,
        device: full.device,
        acknowledged: full.acknowledged,
        first: full.first,
        chain: full.chain,
        ops: full.ops,
        cursors: full.cursors,
    };
    let reply = story.desk.signed("POST", "/v1/sync", &pack::pack(&older).unwrap());
    assert_eq!(reply.status, 200);
    let answer: Answer = reply.unpack();
    assert_eq!((answer.last_dseq, answer.pages.len()), (3, 2));
    let reply = story.desk.signed("POST", "/v1/sync", &pack::pack(&Older { protocol: 0, ..older }).unwrap());
    assert_eq!(reply.status, 426, "there was never a protocol 0");
}

#[test]
fn a_desk_that_was_shut_out_or_lost_learns_it_at_its_next_contact() {
    let server = Server::start();
    let mut alice = hospital(&server, &[]).desk;
    let id = alice.id.to_string();
    server.command(&["devices", "revoke", &id]).unwrap();
    assert_eq!(alice.sync().unwrap_err().problem().code, "device_revoked");
    assert_eq!(alice.fetch_token().unwrap_err().code, "device_revoked");
    server.command(&["devices", "admit", &id]).unwrap();
    alice.sync().unwrap();
    server.command(&["devices", "wipe", &id]).unwrap();
    assert_eq!(
        alice.signed("GET", &format!("/v1/snapshots/{}", Uuid::nil()), b"").problem().code,
        "device_wipe"
    );
    assert_eq!(alice.fetch_token().unwrap_err().code, "device_wipe");
    let mut unknown = Desk::new(&server);
    assert_eq!(unknown.fetch_token().unwrap_err().code, "device_unknown");
    // Only the desk's own key asks what became of it.
    unknown.id = alice.id;
    assert_eq!(unknown.fetch_token().unwrap_err().code, "signature");
}

#[test]
fn one_hospitals_desk_gets_nothing_of_another() {
    let server = Server::start();
    let ours = hospital(&server, &[]);
    server.command(&["tenants", "add", "north", "北院"]).unwrap();
    assert_eq!(server.command(&["code", "new"]).unwrap_err()["code"], "hospital_unclear");
    let mut theirs = hospital_of(&server, "north");
    let patient = Uuid::now_v7();
    let fields = [("name", "王五".into()), ("site_id", theirs.site.into())];
    theirs.desk.make("patient", patient, theirs.nurse, &fields);
    theirs.desk.sync().unwrap();
    let sha = data_encoding::HEXLOWER.encode(&Sha256::digest(b"file"));
    let path = format!("/v1/blobs/{patient}/{sha}");
    assert_eq!(theirs.desk.signed("PUT", &format!("{path}?offset=0&size=4"), b"file").status, 200);

    let desk = &ours.desk;
    let mut leaks = 0;
    let mut check = |reply: support::Reply| leaks += usize::from(reply.status == 200);
    check(desk.signed("GET", &format!("/v1/snapshots/{}", theirs.site), b""));
    let request = RecordsRequest { scope: theirs.site, bucket: 0, after: None };
    check(desk.signed("POST", "/v1/records", &pack::pack(&request).unwrap()));
    check(desk.signed("GET", &path, b""));
    check(desk.signed("GET", &format!("{path}/parts?offset=0"), b""));
    check(desk.signed("PUT", &format!("{path}?offset=0&size=4"), b"file"));
    let mut request = desk.request();
    request.device = theirs.desk.id;
    check(desk.signed("POST", "/v1/sync", &pack::pack(&request).unwrap()));
    // Their token with our key, our token with their key.
    let mut mixed = Desk::new(&server);
    mixed.token = theirs.desk.token.clone();
    check(mixed.signed("GET", &format!("/v1/snapshots/{}", theirs.site), b""));
    check(mixed.signed("POST", "/v1/sync", &pack::pack(&theirs.desk.request()).unwrap()));
    check(mixed.signed_json(
        "POST",
        "/v1/login",
        &LoginRequest { login: "alice".into(), password: "x".into() },
    ));
    check(mixed.signed_json("PUT", "/v1/keys", &SealedKey { sealed_key: vec![1] }));
    let erasure = ErasureRequest { root: patient, login: "sam".into(), password: "x".into() };
    check(desk.signed_json("POST", "/v1/erasures", &erasure));
    check(desk.signed_json("POST", "/v1/erasures/confirm", &erasure));
    assert_eq!(leaks, 0);

    // Cursors for scopes that the desk does not see bring no page.
    let mut request = desk.request();
    request.cursors.insert(theirs.site, 0);
    let reply = desk.signed("POST", "/v1/sync", &pack::pack(&request).unwrap());
    if reply.status == 200 {
        let answer: aftercare_sync::wire::Answer = reply.unpack();
        assert!(answer.pages.iter().all(|page| page.scope != theirs.site));
    }
    server.command(&["tenants", "close", "north"]).unwrap();
    assert_eq!(theirs.desk.sync().unwrap_err().problem().code, "tenant_closed");
    let page = theirs.desk.signed("GET", &format!("/v1/snapshots/{}", theirs.site), b"");
    assert_eq!(page.problem().code, "tenant_closed");
    println!("endpoints tried with foreign ids: 12, leaks: 0");
}

fn hospital_of(server: &Server, word: &str) -> support::Hospital {
    support::hospital(server, &["--hospital-word", word])
}

#[test]
fn no_patients_word_gets_into_the_log_or_the_metrics() {
    let server = Server::start();
    let mut story = hospital(&server, &[]);
    let canaries = ["金丝雀伟", "13912345678", "110101199003071234"];
    let patient = Uuid::now_v7();
    let fields =
        [("name", canaries[0].into()), ("id_number", canaries[2].into()), ("site_id", story.site.into())];
    story.desk.make("patient", patient, story.nurse, &fields);
    let phone = [("patient_id", patient.into()), ("number", canaries[1].into())];
    story.desk.make("phone", Uuid::now_v7(), story.nurse, &phone);
    story.desk.sync().unwrap();
    // Also where something is wrong with it.
    story.desk.signed("POST", "/v1/sync", canaries.concat().as_bytes());
    let target = "/v1/snapshots/110101199003071234?after=13912345678";
    story.desk.signed("GET", target, b"");
    let login = LoginRequest { login: canaries[0].into(), password: canaries[1].into() };
    story.desk.signed_json("POST", "/v1/login", &login);
    let metrics = ask(server.address, &server.authority(), "GET", "/metrics", &[], b"").unwrap();
    let metrics = String::from_utf8(metrics.body).unwrap();
    let log = server.log();
    assert!(log.lines().count() >= 6 && metrics.contains("aftercare_verdicts_total{outcome=\"accepted\"} 5"));
    for canary in canaries {
        assert!(!log.contains(canary) && !metrics.contains(canary));
    }
    for line in log.lines() {
        serde_json::from_str::<serde_json::Value>(line).expect("each line is JSON");
    }
}
