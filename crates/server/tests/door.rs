//! Stories at the server's door: real processes, real TLS, one refusal each.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod support;

use aftercare_sync::code::EnrolCode;
use aftercare_sync::door::{
    BlobState, ClinicsAnswer, ErasureAnswer, ErasureRequest, LoginAnswer, LoginRequest, PasswordRequest,
    RecordsRequest, SealedKey, SnapshotPage,
};
use aftercare_sync::pack;
use aftercare_sync::wire::{Event, Outcome, Refusal};
use sha2::{Digest, Sha256};
use support::{Desk, Server, ask, command, hospital, now};
use uuid::Uuid;

#[test]
fn a_hospital_begins_and_a_second_desk_fills_up() {
    let server = Server::start();
    assert!(server.first_words.contains("Administrator: admin"));
    let mut first = hospital(&server, &[]);
    let patient = Uuid::now_v7();
    first.desk.make(
        "patient",
        patient,
        first.nurse,
        &[("name", "张伟".into()), ("site_id", first.site.into())],
    );
    let answer = first.desk.sync().unwrap();
    assert!(answer.verdicts.iter().all(|verdict| verdict.outcome == Outcome::Accepted));

    // The code is for the site by its name, which the first desk brought along.
    let mut second = Desk::new(&server);
    let answer = second.enrol(&server.code(&["--sites", "本部"]), false).unwrap();
    assert_eq!((answer.hospital.as_str(), answer.head), ("县医院", 4));
    assert_eq!(second.sites, [first.site].into());
    second.fetch_token().unwrap();
    let page = second.signed("GET", &format!("/v1/snapshots/{}", first.site), b"");
    let page: SnapshotPage = page.unpack();
    assert_eq!((page.records.len(), page.total, page.seq), (1, 1, 4));
    assert_eq!(page.records[0].key.id, patient);
    assert!(page.next.is_none());
    let hospital_page: SnapshotPage =
        second.signed("GET", &format!("/v1/snapshots/{}", Uuid::nil()), b"").unpack();
    assert_eq!(hospital_page.records.len(), 3);
    let answer = second.sync().unwrap();
    let ops = answer.pages.iter().flat_map(|page| &page.entries);
    assert_eq!(ops.filter(|entry| matches!(entry.event, Event::Op(_))).count(), 4);

    // A third PC worked alone before: it keeps its own site and gets the code's besides.
    let third = hospital(&server, &["--sites", "本部"]);
    assert_eq!(third.desk.sites, [first.site, third.site].into());

    let devices = server.command(&["devices", "list"]).unwrap();
    assert_eq!(devices.as_array().unwrap().len(), 3);
    let sites: Vec<_> = devices.as_array().unwrap().iter().map(|device| device["sites"].clone()).collect();
    assert_eq!(sites.iter().filter(|sites| **sites == serde_json::json!(["本部"])).count(), 2);
}

#[test]
fn a_desk_hears_how_the_desks_of_its_sites_stand_and_of_no_other() {
    let server = Server::start();
    let first = hospital(&server, &[]);
    let mut second = Desk::new(&server);
    second.enrol(&server.code(&["--sites", &first.site.to_string()]), false).unwrap();
    second.fetch_token().unwrap();
    let elsewhere = hospital(&server, &[]);
    let message = pack::pack(&second.request()).unwrap();
    assert_eq!(second.signed("POST", "/v1/sync?unsent=1500", &message).status, 200);
    let seen = |desk: &Desk| -> ClinicsAnswer {
        serde_json::from_slice(&desk.signed("GET", "/v1/clinics", b"").body).unwrap()
    };
    let answer = seen(&first.desk);
    assert_eq!(answer.desks.len(), 2);
    assert!(
        answer.desks.iter().all(|desk| desk.sites == [first.site].into() && desk.last_contact_at.is_some())
    );
    let other = answer.desks.iter().find(|desk| desk.id == second.id).unwrap();
    assert_eq!(other.unsent, 1_500);
    let alone = seen(&elsewhere.desk);
    assert_eq!(alone.desks.iter().map(|desk| desk.id).collect::<Vec<_>>(), [elsewhere.desk.id]);
    assert_eq!(second.signed("POST", "/v1/sync?unsent=many", &message).status, 400);
    assert_eq!(Desk::new(&server).signed("GET", "/v1/clinics", b"").status, 401);
}

#[test]
fn a_code_opens_once_for_a_while_and_only_with_its_secret() {
    let server = Server::start();
    let printed = server.code(&[]);
    let code = EnrolCode::parse(&printed).unwrap();
    assert!(code.fits(&server.authority()), "the code names this server's authority");
    let pem = ask(server.address, &server.authority(), "GET", "/v1/authority", &[], b"").unwrap();
    assert_eq!(pem.body, std::fs::read(server.home.path().join("authority.pem")).unwrap());

    let mut mallory = Desk::new(&server);
    mallory.sites.insert(Uuid::now_v7());
    let mut wrong = code.clone();
    wrong.secret = wrong.secret.chars().rev().collect::<String>();
    assert_ne!(wrong.secret, code.secret);
    for _ in 0..5 {
        assert_eq!(mallory.enrol(&wrong.print(), false).unwrap_err().code, "code_wrong");
    }
    // Five wrong secrets use the code up, also for who has the right one.
    let mut alice = Desk::new(&server);
    alice.sites.insert(Uuid::now_v7());
    assert_eq!(alice.enrol(&printed, false).unwrap_err().code, "code_wrong");

    let fresh = server.code(&[]);
    alice.ops.push(vec![1]);
    assert_eq!(alice.enrol(&fresh, true).unwrap_err().code, "code_without_history");
    alice.enrol(&fresh, false).unwrap();
    assert_eq!(mallory.enrol(&fresh, false).unwrap_err().code, "code_wrong");

    // A key that does not belong to whoever asks.
    let mut request = mallory.enrol_request(&server.code(&[]), false);
    request.public_key = vec![7; 32];
    assert_eq!(mallory.post("/v1/enrol", &request).problem().code, "signature");
    let mut request = mallory.enrol_request(&server.code(&[]), false);
    request.protocol = 99;
    let problem = mallory.post("/v1/enrol", &request);
    assert_eq!((problem.status, problem.problem().params["newest"]), (426, 1));
}

#[test]
fn who_tries_codes_without_end_has_to_wait() {
    let server = Server::start();
    let mut mallory = Desk::new(&server);
    let code = EnrolCode::new([9; 10], &server.authority()).print();
    let codes: Vec<String> = (0..25).map(|_| mallory.enrol(&code, false).unwrap_err().code).collect();
    assert_eq!(codes[0], "code_wrong");
    assert_eq!(codes[24], "too_many");
}

#[test]
fn a_stranger_with_another_certificate_is_not_spoken_to() {
    let (server, stranger) = (Server::start(), Server::start());
    let error = ask(stranger.address, &server.authority(), "GET", "/healthz", &[], b"").unwrap_err();
    assert!(error.to_string().contains("certificate"), "{error}");
    let code = EnrolCode::parse(&server.code(&[])).unwrap();
    assert!(!code.fits(&stranger.authority()));
}

#[test]
fn a_desk_ten_years_off_is_told_the_time_and_goes_on() {
    let server = Server::start();
    for years in [-10, 10] {
        let mut desk = Desk::new(&server);
        desk.sites.insert(Uuid::now_v7());
        desk.enrol(&server.code(&[]), false).unwrap();
        desk.skew = years * 365 * 24 * 3600 * 1000;
        let problem = desk.fetch_token().unwrap_err();
        assert_eq!(problem.code, "clock");
        desk.skew += problem.params["server_millis"] - (now() + desk.skew);
        desk.fetch_token().unwrap();
        desk.sync().unwrap();
    }
}

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
    assert!(matches!(Desk::refusal(&reply), Refusal::Upgrade { newest: 1, .. }));
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
fn people_sign_in_at_a_new_pc_and_the_desks_key_comes_back() {
    let server = Server::start();
    let story = hospital(&server, &[]);
    let mut desk = story.desk;
    let login = |desk: &Desk, password: &str| {
        desk.signed_json(
            "POST",
            "/v1/login",
            &LoginRequest { login: "alice".into(), password: password.into() },
        )
    };
    let set = |desk: &Desk, old: Option<&str>, new: &str| {
        let request = PasswordRequest {
            user: story.nurse,
            login: "alice".into(),
            old: old.map(str::to_owned),
            new: new.into(),
        };
        desk.signed_json("PUT", "/v1/passwords", &request)
    };
    assert_eq!(login(&desk, "spring rain 1").problem().code, "login");
    assert_eq!(set(&desk, None, "spring rain 1").status, 204);
    assert_eq!(set(&desk, None, "summer rain 2").problem().code, "login");
    assert_eq!(login(&desk, "spring rain 1").problem().code, "no_key");
    let key = SealedKey { sealed_key: vec![5; 60] };
    assert_eq!(desk.signed_json("PUT", "/v1/keys", &key).status, 204);
    let answer: LoginAnswer = login(&desk, "spring rain 1").json();
    assert_eq!((answer.user, answer.sealed_key), (story.nurse, vec![5; 60]));
    assert_eq!(set(&desk, Some("spring rain 1"), "summer rain 2").status, 204);
    for _ in 0..4 {
        assert_eq!(login(&desk, "spring rain 1").problem().code, "login");
    }
    login(&desk, "spring rain 1");
    let locked = login(&desk, "summer rain 2");
    assert_eq!((locked.status, locked.problem().code.as_str()), (429, "locked"));
    let stranger =
        PasswordRequest { user: Uuid::now_v7(), login: "eve".into(), old: None, new: "winter 1".into() };
    assert_eq!(desk.signed_json("PUT", "/v1/passwords", &stranger).problem().code, "forbidden");
    assert!(desk.fetch_token().unwrap().is_empty());
    server.command(&["users", "disable", "alice"]).unwrap();
    assert_eq!(desk.fetch_token().unwrap(), [story.nurse].into());
}

#[test]
fn two_persons_erase_a_patient_and_attachments_come_in_parts() {
    let server = Server::start();
    let mut story = hospital(&server, &[]);
    let patient = Uuid::now_v7();
    story.desk.make(
        "patient",
        patient,
        story.nurse,
        &[("name", "李四".into()), ("site_id", story.site.into())],
    );
    story.desk.sync().unwrap();
    let desk = &story.desk;

    let file: Vec<u8> = (0..700_000_u32).map(|n| (n % 251) as u8).collect();
    let sha = data_encoding::HEXLOWER.encode(&Sha256::digest(&file));
    let path = format!("/v1/blobs/{patient}/{sha}");
    let put = |offset: usize, part: &[u8]| {
        desk.signed("PUT", &format!("{path}?offset={offset}&size={}", file.len()), part)
    };
    let state: BlobState = put(0, &file[..500_000]).json();
    assert_eq!((state.have, state.complete), (500_000, false));
    let gap = put(600_000, &file[600_000..]).problem();
    assert_eq!((gap.code.as_str(), gap.params["have"]), ("position", 500_000));
    let state: BlobState = put(500_000, &file[500_000..]).json();
    assert!(state.complete);
    let mut got = Vec::new();
    loop {
        let part = desk.signed("GET", &format!("{path}/parts?offset={}", got.len()), b"");
        if part.body.is_empty() {
            break;
        }
        got.extend(part.body);
    }
    assert_eq!(got, file);

    for (user, login) in [(story.boss, "sam"), (story.nurse, "alice")] {
        let request =
            PasswordRequest { user, login: login.into(), old: None, new: format!("password {login}") };
        assert_eq!(desk.signed_json("PUT", "/v1/passwords", &request).status, 204);
    }
    let erase = |target: &str, login: &str, password: &str| {
        let request = ErasureRequest { root: patient, login: login.into(), password: password.into() };
        desk.signed_json("POST", target, &request)
    };
    assert_eq!(erase("/v1/erasures", "alice", "wrong").problem().code, "login");
    let asked: ErasureAnswer = erase("/v1/erasures", "alice", "password alice").json();
    assert!(!asked.erased);
    assert_eq!(erase("/v1/erasures/confirm", "alice", "password alice").problem().code, "same_person");
    let done: ErasureAnswer = erase("/v1/erasures/confirm", "sam", "password sam").json();
    assert!(done.erased);
    let page: SnapshotPage = desk.signed("GET", &format!("/v1/snapshots/{}", story.site), b"").unpack();
    assert!(page.records.is_empty());
    assert_eq!(desk.signed("GET", &format!("{path}/parts?offset=0"), b"").status, 404);
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

#[test]
fn the_server_stops_when_told_and_goes_on_where_it_was() {
    let server = Server::start();
    let ready = ask(server.address, &server.authority(), "GET", "/readyz", &[], b"").unwrap();
    assert_eq!(ready.status, 200);
    let mut story = hospital(&server, &[]);
    let (home, took, well) = server.terminate();
    assert!(well && took.as_secs() < 15);
    let again = Server::start_in(home);
    assert!(again.first_words.is_empty(), "no second administrator");
    story.desk.address = again.address;
    assert_eq!(story.desk.authority, again.authority());
    story.desk.sync().unwrap();
}

#[test]
fn a_backup_is_made_while_people_work_and_a_restore_begins_a_new_epoch() {
    let server = Server::start();
    let mut story = hospital(&server, &[]);
    let place = tempfile::tempdir().unwrap();
    let to = place.path().join("backup");
    let to = to.to_str().unwrap();
    server.command(&["backup", to, "--off-host"]).unwrap();
    let answer = story.desk.sync().unwrap();
    assert_eq!(answer.durable_seq, 3);
    assert_eq!(server.command(&["backup", to]).unwrap_err()["code"], "not_empty");
    // What comes after the backup is lost by the restore, and the desk hears of it.
    story.desk.make("patient", Uuid::now_v7(), story.nurse, &[("site_id", story.site.into())]);
    story.desk.sync().unwrap();
    let (_old, _, _) = server.terminate();

    let home = tempfile::tempdir().unwrap();
    command(home.path(), &["verify", to]).unwrap();
    command(home.path(), &["restore", to]).unwrap();
    assert_eq!(command(home.path(), &["restore", to]).unwrap_err()["code"], "not_empty");
    let restored = Server::start_in(home);
    assert_eq!(restored.authority(), story.desk.authority, "desks know the restored server");
    story.desk.address = restored.address;
    let reply = story.desk.sync().unwrap_err();
    assert_eq!(reply.status, 410);
    let trail = restored.command(&["audit", "verify"]).unwrap();
    assert!(trail.as_array().unwrap().iter().all(|trail| trail["broken_at"].is_null()));

    // One flipped bit is found.
    let manifest = std::path::Path::new(to).join("server.db");
    let mut bytes = std::fs::read(&manifest).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&manifest, bytes).unwrap();
    assert_eq!(restored.command(&["verify", to]).unwrap_err()["code"], "backup_damaged");
}

#[test]
fn an_administrator_works_from_the_page_once_the_password_is_theirs() {
    let server = Server::start();
    let story = hospital(&server, &[]);
    let password = server.first_words.split(": ").last().unwrap().trim().to_owned();
    let call = |method: &str, path: &str, cookie: &str, body: &str| {
        let mut headers =
            vec![("content-type", "application/json".to_owned()), ("aftercare-office", "1".to_owned())];
        headers.push(("cookie", cookie.to_owned()));
        ask(server.address, &server.authority(), method, path, &headers, body.as_bytes()).unwrap()
    };
    let html = ask(server.address, &server.authority(), "GET", "/", &[], b"").unwrap();
    assert!(html.headers["content-security-policy"].starts_with("default-src 'none'"));
    for file in ["/page.js", "/page.css", "/tokens.css", "/words/en", "/words/zh-CN"] {
        assert_eq!(ask(server.address, &server.authority(), "GET", file, &[], b"").unwrap().status, 200);
    }
    assert_eq!(call("GET", "/office/hospitals", "", "").problem().code, "token");

    let enter = format!(r#"{{"login":"admin","password":"{password}"}}"#);
    let wrong = call("POST", "/office/sign-in", "", r#"{"login":"admin","password":"guess"}"#);
    assert_eq!(wrong.problem().code, "login");
    let cookie_of =
        |reply: &support::Reply| reply.headers["set-cookie"].split(';').next().unwrap().to_owned();
    let entered = call("POST", "/office/sign-in", "", &enter);
    assert!(entered.headers["set-cookie"].contains("HttpOnly; Secure; SameSite=Strict"));
    let cookie = cookie_of(&entered);
    assert_eq!(call("GET", "/office/hospitals", &cookie, "").problem().code, "forbidden");
    let change = format!(r#"{{"old":"{password}","new":"my own password"}}"#);
    let changed = call("POST", "/office/password", &cookie, &change);
    let fresh = cookie_of(&changed);
    assert_eq!(call("GET", "/office/me", &cookie, "").problem().code, "token", "the old session is over");

    let hospitals: serde_json::Value = call("GET", "/office/hospitals", &fresh, "").json();
    let tenant = story.desk.tenant.to_string();
    assert_eq!(hospitals["hospitals"][0]["id"], tenant.as_str());
    assert_eq!(hospitals["hospitals"][0]["records"], 3);
    let made: serde_json::Value =
        call("POST", &format!("/office/hospitals/{tenant}/codes"), &fresh, r#"{"sites":[],"history":false}"#)
            .json();
    assert!(EnrolCode::parse(made["code"].as_str().unwrap()).unwrap().fits(&server.authority()));
    let revoke = format!("/office/hospitals/{tenant}/devices/{}", story.desk.id);
    // Another site's form has the cookie at most, never the mark.
    let forged = [("cookie", fresh.clone()), ("content-type", "application/json".to_owned())];
    let body = br#"{"status":"revoked"}"#;
    let reply = ask(server.address, &server.authority(), "POST", &revoke, &forged, body).unwrap();
    assert_eq!(reply.problem().code, "forbidden");
    assert_eq!(call("POST", &revoke, &fresh, r#"{"status":"revoked"}"#).status, 204);
    let mut desk = story.desk;
    assert_eq!(desk.sync().unwrap_err().problem().code, "device_revoked");
    for path in ["devices", "sites", "users", "waiting", "audit"] {
        assert_eq!(
            call("GET", &format!("/office/hospitals/{tenant}/{path}"), &fresh, "").status,
            200,
            "{path}"
        );
    }
    assert_eq!(call("POST", "/office/sign-out", &fresh, "").status, 204);
}

#[test]
fn a_change_without_the_right_to_it_waits_for_an_administrator() {
    let server = Server::start();
    let mut story = hospital(&server, &[]);
    let (patient, stranger) = (Uuid::now_v7(), Uuid::now_v7());
    story.desk.make("patient", patient, stranger, &[("site_id", story.site.into())]);
    let answer = story.desk.sync().unwrap();
    assert!(matches!(&answer.verdicts[0].outcome, Outcome::Quarantined(why) if why == "author"));
    let waiting = server.command(&["quarantine", "list"]).unwrap();
    assert_eq!(waiting[0]["record"], patient.to_string().as_str());
    let number = waiting[0]["number"].to_string();
    server.command(&["quarantine", "release", &number]).unwrap();
    assert_eq!(server.command(&["quarantine", "reject", &number]).unwrap_err()["code"], "not_found");
    let page: SnapshotPage = story.desk.signed("GET", &format!("/v1/snapshots/{}", story.site), b"").unpack();
    assert_eq!(page.records.len(), 1);
    assert_eq!(server.command(&["quarantine", "list"]).unwrap(), serde_json::json!([]));
}

#[test]
fn a_hospitals_administrator_is_appointed_and_sees_one_hospital() {
    let server = Server::start();
    let mut story = hospital(&server, &[]);
    let boss = Uuid::now_v7();
    let person =
        [("login", "ida".into()), ("display_name", "Ida".into()), ("roles", r#"["administrator"]"#.into())];
    story.desk.make("staff", boss, boss, &person);
    // The desk's word alone does not count here: its author is unknown. Enrolled history does.
    story.desk.sync().unwrap();
    let first =
        PasswordRequest { user: story.boss, login: "sam".into(), old: None, new: "sam's own word".into() };
    assert_eq!(story.desk.signed_json("PUT", "/v1/passwords", &first).status, 204);
    let rogue = PasswordRequest { user: boss, login: "ida".into(), old: None, new: "taken over".into() };
    assert_eq!(story.desk.signed_json("PUT", "/v1/passwords", &rogue).problem().code, "forbidden");
    server.command(&["tenants", "add", "north", "北院"]).unwrap();
    let north = server.command(&["tenants", "list"]).unwrap();
    let north = north.as_array().unwrap().iter().find(|each| each["word"] == "north").unwrap()["id"].clone();
    let call = |method: &str, path: &str, cookie: &str, body: &str| {
        let headers = [("aftercare-office", "1".to_owned()), ("cookie", cookie.to_owned())];
        ask(server.address, &server.authority(), method, path, &headers, body.as_bytes()).unwrap()
    };
    let enter = r#"{"hospital":"main","login":"sam","password":"sam's own word"}"#;
    assert_eq!(call("POST", "/office/sign-in", "", enter).problem().code, "forbidden");
    server.command(&["users", "appoint", "sam", "--hospital-word", "main"]).unwrap();
    let entered = call("POST", "/office/sign-in", "", enter);
    let cookie = entered.headers["set-cookie"].split(';').next().unwrap().to_owned();
    let seen: serde_json::Value = call("GET", "/office/hospitals", &cookie, "").json();
    assert_eq!(seen["hospitals"].as_array().unwrap().len(), 1);
    let north = north.as_str().unwrap();
    let nobody = Uuid::nil();
    for path in [
        format!("{north}/devices"),
        format!("{north}/users"),
        format!("{north}/sites"),
        format!("{north}/waiting"),
        format!("{north}/audit"),
        format!("{nobody}/users"),
        format!("{nobody}/audit"),
    ] {
        let reply = call("GET", &format!("/office/hospitals/{path}"), &cookie, "");
        assert_eq!(reply.problem().code, "not_found", "{path}");
    }
    let code = call("POST", &format!("/office/hospitals/{north}/codes"), &cookie, "{}");
    assert_eq!(code.problem().code, "not_found");
    for (path, body) in [
        ("/office/hospitals".to_owned(), r#"{"word":"x","name":"y"}"#),
        (format!("/office/hospitals/{north}/state"), r#"{"closed":true}"#),
        (format!("/office/hospitals/{nobody}/users"), r#"{"login":"x","name":"y"}"#),
    ] {
        assert_eq!(call("POST", &path, &cookie, body).problem().code, "forbidden", "{path}");
    }
    assert_eq!(call("POST", "/office/sign-in", "", "no json").problem().code, "garbled");
    assert_eq!(call("GET", "/office/hospitals/no-id/devices", &cookie, "").problem().code, "not_found");
    assert_eq!(call("DELETE", "/v1/sync", "", "").problem().code, "not_found");
}
