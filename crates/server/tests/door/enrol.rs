//! Enrolment, codes and clocks.

use aftercare_sync::code::EnrolCode;
use aftercare_sync::door::{ClinicsAnswer, SnapshotPage};
use aftercare_sync::pack;
use aftercare_sync::wire::{Event, Outcome};
use uuid::Uuid;

use crate::support::{Desk, Server, ask, hospital, now};

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
fn a_desk_hears_how_the_desks_of_its_sites_stand_and_of_no_other() {
    let server = Server::start();
    let first = hospital(&server, &[]);
    let mut second = Desk::new(&server);
    second.enrol(&server.code(&["--sites", &first.site.to_string()]), false).unwrap();
    second.fetch_token().unwrap();
    let elsewhere = hospital(&server, &[]);
    let message = pack::pack(&second.request()).unwrap();
    assert_eq!(second.signed("POST", "/v1/sync?unsent=1500", &message).status, 200);
    let seen = |desk: &Desk| -> ClinicsAnswer { desk.signed("GET", "/v1/clinics", b"").unpack() };
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
