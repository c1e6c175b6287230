//! Stories of a desk without a network: its stick at the server's command line and on the administrators' page.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod support;

use aftercare_sync::stick::{Header, StickKey, StickReader, StickWriter, Way, Word};
use aftercare_sync::wire::{Outcome, PROTOCOL, Request};
use aftercare_sync::{entities, pack};
use support::{Desk, Hospital, Reply, Server, ask, hospital, now};
use uuid::Uuid;

/// A desk that is enrolled and has synced, with the key of its sticks.
fn clinic(server: &Server) -> (Hospital, StickKey) {
    let mut story = hospital(server, &[]);
    // The same answer comes to who asks again: the desk's key has not changed.
    let mut second = Desk::new(server);
    let answer = second.enrol(&server.code(&["--sites", "本部"]), false).unwrap();
    assert_eq!(answer.stick_key.0.len(), 32);
    second.fetch_token().unwrap();
    std::mem::swap(&mut story.desk, &mut second);
    (story, answer.stick_key)
}

fn stick(desk: &Desk, key: &StickKey, requests: &[Request], signer: &Desk) -> Vec<u8> {
    let header = Header {
        protocol: PROTOCOL,
        way: Way::ToServer,
        tenant: desk.tenant,
        device: desk.id,
        file: Uuid::now_v7(),
        made_at: now(),
    };
    let mut writer = StickWriter::begin(Vec::new(), &header, key).unwrap();
    for request in requests {
        writer.frame(&pack::pack(request).unwrap()).unwrap();
    }
    writer.finish(|text| signer.pair.sign(text.as_bytes()).as_ref().to_vec()).unwrap().0
}

fn words(bytes: &[u8], key: &StickKey) -> Vec<Word> {
    let mut reader = StickReader::begin(bytes).unwrap();
    assert_eq!(reader.header().way, Way::ToDesk);
    reader.open(key).unwrap();
    let mut words = Vec::new();
    while let Some(frame) = reader.next_frame().unwrap() {
        words.push(pack::unpack(&frame).unwrap());
    }
    words
}

/// The page, with the administrator signed in.
fn page(server: &Server) -> impl Fn(&str, &[u8]) -> Reply + '_ {
    let call = |path: &str, cookie: &str, body: &[u8]| {
        let headers = [("aftercare-office", "1".to_owned()), ("cookie", cookie.to_owned())];
        ask(server.address, &server.authority(), "POST", path, &headers, body).unwrap()
    };
    let cookie = |reply: &Reply| reply.headers["set-cookie"].split(';').next().unwrap().to_owned();
    let password = server.first_words.split(": ").last().unwrap().trim();
    let enter = format!(r#"{{"login":"admin","password":"{password}"}}"#);
    let first = cookie(&call("/office/sign-in", "", enter.as_bytes()));
    let change = format!(r#"{{"old":"{password}","new":"my own password"}}"#);
    let own = cookie(&call("/office/password", &first, change.as_bytes()));
    move |path, body| call(path, &own, body)
}

#[test]
fn a_desks_file_is_taken_in_on_the_page_and_its_answer_comes_down() {
    let server = Server::start();
    let (mut story, key) = clinic(&server);
    let patients = [Uuid::now_v7(), Uuid::now_v7()];
    for patient in patients {
        story.desk.make(
            "patient",
            patient,
            story.nurse,
            &[("name", "张伟".into()), ("site_id", story.site.into())],
        );
    }
    let whole = Request { entities: entities::fingerprint(), ..story.desk.request() };
    // Two frames, as a long time without a network brings.
    let (mut first, mut second) = (whole.clone(), whole.clone());
    first.ops.truncate(1);
    second.ops.remove(0);
    second.first += 1;
    second.chain = aftercare_domain::op::chain_hash(&whole.chain, &whole.ops[0]).to_vec().into();
    let file = stick(&story.desk, &key, &[first, second], &story.desk);
    let call = page(&server);
    let path = format!("/office/hospitals/{}/stick", story.desk.tenant);
    let reply = call(&path, &file);
    assert_eq!(reply.status, 200, "{}", String::from_utf8_lossy(&reply.body));
    let said: serde_json::Value = serde_json::from_str(&reply.headers["aftercare-result"]).unwrap();
    assert_eq!((&said["taken"], &said["changes"], &said["again"]), (&2.into(), &2.into(), &false.into()));

    let words = words(&reply.body, &key);
    assert!(matches!(&words[0], Word::State { last_dseq: 2, .. }), "{:?}", words[0]);
    let answers: Vec<_> = words
        .iter()
        .filter_map(|word| match word {
            Word::Answer(answer) => Some(answer),
            _ => None,
        })
        .collect();
    let verdicts: Vec<_> = answers.iter().flat_map(|answer| &answer.verdicts).collect();
    assert_eq!(verdicts.iter().map(|verdict| verdict.dseq).collect::<Vec<_>>(), [1, 2]);
    assert!(verdicts.iter().all(|verdict| verdict.outcome == Outcome::Accepted));
    let last = answers.last().unwrap();
    assert!(!last.digests.is_empty() && last.pages.iter().all(|page| !page.more));

    // Once more is the same and counts nothing twice.
    let again = call(&path, &file);
    let said: serde_json::Value = serde_json::from_str(&again.headers["aftercare-result"]).unwrap();
    assert_eq!(said["taken"], 0);
}

#[test]
fn what_is_no_such_file_is_refused_before_anything_of_it_counts() {
    let server = Server::start();
    let (mut story, key) = clinic(&server);
    let patient = Uuid::now_v7();
    story.desk.make(
        "patient",
        patient,
        story.nurse,
        &[("name", "张伟".into()), ("site_id", story.site.into())],
    );
    let request = story.desk.request();
    let good = stick(&story.desk, &key, std::slice::from_ref(&request), &story.desk);
    let call = page(&server);
    let path = format!("/office/hospitals/{}/stick", story.desk.tenant);
    let code = |bytes: &[u8]| {
        let reply = call(&path, bytes);
        let body: serde_json::Value = serde_json::from_slice(&reply.body).unwrap();
        body["code"].as_str().unwrap().to_owned()
    };
    let stranger = Desk::new(&server);
    assert_eq!(code(b""), "stick_damaged");
    assert_eq!(code(&good[..good.len() - 1]), "stick_damaged");
    assert_eq!(code(&stick(&story.desk, &key, std::slice::from_ref(&request), &stranger)), "stick_damaged");
    let other = StickKey(vec![1; 32]);
    assert_eq!(
        code(&stick(&story.desk, &other, std::slice::from_ref(&request), &story.desk)),
        "stick_damaged"
    );
    assert_eq!(code(&stick(&stranger, &key, std::slice::from_ref(&request), &stranger)), "device_unknown");
    let mut foreign = request.clone();
    foreign.device = stranger.id;
    assert_eq!(code(&stick(&story.desk, &key, &[request.clone(), foreign], &story.desk)), "stick_damaged");
    // Another hospital's administrator page is another door.
    let north: Uuid = server.command(&["tenants", "add", "north", "北县医院"]).unwrap()["id"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    let elsewhere = call(&format!("/office/hospitals/{north}/stick"), &good);
    assert!(String::from_utf8_lossy(&elsewhere.body).contains("stick_other_hospital"));
    let devices = server.command(&["devices", "list"]);
    assert!(devices.is_err(), "two hospitals: which must be said");
    server.command(&["devices", "revoke", &story.desk.id.to_string()]).unwrap();
    assert_eq!(code(&good), "device_revoked");
    server.command(&["devices", "admit", &story.desk.id.to_string()]).unwrap();
    let taken = call(&path, &good);
    assert!(taken.headers["aftercare-result"].contains(r#""taken":1"#), "nothing of the others had counted");
}
