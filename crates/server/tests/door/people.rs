//! People: passwords, keys, erasures; attachments.

use aftercare_sync::door::{
    BlobState, ErasureAnswer, ErasureRequest, LoginAnswer, LoginRequest, PasswordRequest, SealedKey,
    SnapshotPage,
};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::support::{Desk, Server, hospital};

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

    // Passwords that the administrator gave count at once.
    let given = |login: &str| {
        let said = server.command(&["users", "reset", login]).unwrap();
        said["password"].as_str().unwrap().to_owned()
    };
    let (alice, sam) = (given("alice"), given("sam"));
    let erase = |target: &str, login: &str, password: &str| {
        let request = ErasureRequest { root: patient, login: login.into(), password: password.into() };
        desk.signed_json("POST", target, &request)
    };
    assert_eq!(erase("/v1/erasures", "alice", "wrong").problem().code, "login");
    let asked: ErasureAnswer = erase("/v1/erasures", "alice", &alice).json();
    assert!(!asked.erased);
    assert_eq!(erase("/v1/erasures/confirm", "alice", &alice).problem().code, "same_person");
    let done: ErasureAnswer = erase("/v1/erasures/confirm", "sam", &sam).json();
    assert!(done.erased);
    let page: SnapshotPage = desk.signed("GET", &format!("/v1/snapshots/{}", story.site), b"").unpack();
    assert!(page.records.is_empty());
    assert_eq!(desk.signed("GET", &format!("{path}/parts?offset=0"), b"").status, 404);
}

#[test]
fn a_stolen_desk_that_sets_two_peoples_passwords_cannot_erase_anybody() {
    let server = Server::start();
    let mut story = hospital(&server, &[]);
    let patient = Uuid::now_v7();
    let fields = [("name", "李四".into()), ("site_id", story.site.into())];
    story.desk.make("patient", patient, story.nurse, &fields);
    story.desk.sync().unwrap();
    let desk = &story.desk;
    for (user, login) in [(story.boss, "sam"), (story.nurse, "alice")] {
        let new = format!("mallory as {login}");
        let request = PasswordRequest { user, login: login.into(), old: None, new };
        assert_eq!(desk.signed_json("PUT", "/v1/passwords", &request).status, 204);
    }
    let erase = |target: &str, login: &str, password: &str| {
        let request = ErasureRequest { root: patient, login: login.into(), password: password.into() };
        desk.signed_json("POST", target, &request)
    };
    let young = |reply: &crate::support::Reply| {
        let problem = reply.problem();
        assert_eq!((reply.status, problem.code.as_str()), (403, "password_new"));
        assert!((86_000..=86_401).contains(&problem.params["seconds"]), "{problem:?}");
    };
    young(&erase("/v1/erasures", "alice", "mallory as alice"));
    // A second password inherits no more trust than the first one had.
    let again = PasswordRequest {
        user: story.nurse,
        login: "alice".into(),
        old: Some("mallory as alice".into()),
        new: "mallory once more".into(),
    };
    assert_eq!(desk.signed_json("PUT", "/v1/passwords", &again).status, 204);
    young(&erase("/v1/erasures", "alice", "mallory once more"));
    // Sam goes to the administrator and gets a password that counts. Alone he erases nobody either.
    let said = server.command(&["users", "reset", "sam"]).unwrap();
    let sam = said["password"].as_str().unwrap();
    let asked: ErasureAnswer = erase("/v1/erasures", "sam", sam).json();
    assert!(!asked.erased);
    young(&erase("/v1/erasures/confirm", "alice", "mallory once more"));

    // The desk is reported: what it set and did not count yet is gone, Sam's own password stays.
    server.command(&["devices", "revoke", &desk.id.to_string()]).unwrap();
    let users = server.command(&["users", "list"]).unwrap();
    let logins: Vec<_> = users.as_array().unwrap().iter().map(|user| user["login"].clone()).collect();
    assert_eq!(logins, ["sam"]);
}
