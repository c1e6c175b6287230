//! Every endpoint, taken from the router's own source, with the ids of another hospital: as a desk, as
//! an administrator of a hospital, with a stolen token, and as nobody.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod support;

use std::collections::BTreeSet;

use aftercare_sync::code::EnrolCode;
use aftercare_sync::door::{
    ErasureRequest, LoginRequest, PACKED, PasswordRequest, RecordsRequest, SealedKey, TokenRequest,
    token_text,
};
use aftercare_sync::pack;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use support::{Desk, Reply, Server, ask, hospital};
use uuid::Uuid;

/// Stands in everything that the other hospital has.
const SECRET: &str = "北院秘密";
const ROUTES: [&str; 2] = [include_str!("../src/routes/mod.rs"), include_str!("../src/routes/office.rs")];

/// The hospital that must not be seen.
struct Foreign {
    tenant: Uuid,
    site: Uuid,
    patient: Uuid,
    user: Uuid,
    sha256: String,
    desk: Desk,
}

/// Method and path of every route.
fn endpoints() -> BTreeSet<(&'static str, String)> {
    let mut found = BTreeSet::new();
    for source in ROUTES {
        assert!(!source.contains(".nest(") && !source.contains("route_service"), "read these too");
        for line in source.lines().filter_map(|line| line.trim().strip_prefix(".route(\"")) {
            let (path, handlers) = line.split_once('"').unwrap();
            let before = found.len();
            for (word, method) in [("get(", "GET"), ("post(", "POST"), ("put(", "PUT"), ("delete(", "DELETE")]
            {
                if handlers.contains(word) {
                    found.insert((method, path.to_owned()));
                }
            }
            assert!(found.len() > before, "{path}: what methods?");
        }
    }
    found
}

/// The path with the other hospital's ids in every place.
fn aimed(path: &str, at: &Foreign) -> String {
    path.replace("{scope}", &at.site.to_string())
        .replace("{patient}", &at.patient.to_string())
        .replace("{sha256}", &at.sha256)
        .replace("{id}", &at.tenant.to_string())
        .replace("{device}", &at.desk.id.to_string())
        .replace("{login}", "nora")
        .replace("{number}", "1")
        .replace("{language}", "en")
        .replace("{site}", &at.site.to_string())
        .replace("{platform}", "linux-x86_64")
        .replace("{version}", "0.1.0")
        + match path {
            "/v1/blobs/{patient}/{sha256}" => "?offset=0&size=4",
            "/v1/blobs/{patient}/{sha256}/parts" => "?offset=0",
            _ => "",
        }
}

/// Bodies that name what belongs to the other hospital. A new endpoint needs a line here.
fn bodies(method: &str, path: &str, at: &Foreign, own: &Desk) -> Vec<Vec<u8>> {
    let erasure = json!(ErasureRequest { root: at.patient, login: "nora".into(), password: "guess".into() });
    let one = |body: Value| vec![body.to_string().into_bytes()];
    match (method, path) {
        ("GET", _) | ("POST", "/office/sign-out") => vec![Vec::new()],
        ("POST", "/v1/enrol") => {
            let mut request = own.enrol_request(&EnrolCode::new([7; 10], b"none").print(), false);
            request.device = at.desk.id;
            one(json!(request))
        }
        ("POST", "/v1/token") => {
            let at_millis = support::now();
            let signature = own.pair.sign(token_text(at.desk.id, at_millis).as_bytes()).as_ref().to_vec();
            one(json!(TokenRequest { device: at.desk.id, at_millis, signature }))
        }
        ("POST", "/v1/sync") => sync_bodies(at, own),
        ("POST", "/v1/records") => {
            let each = (0..64).map(|bucket| RecordsRequest { scope: at.site, bucket, after: None });
            each.map(|request| pack::pack(&request).unwrap()).collect()
        }
        ("POST", "/v1/login") => one(json!(LoginRequest { login: "nora".into(), password: "guess".into() })),
        ("PUT", "/v1/keys") => one(json!(SealedKey { sealed_key: vec![1; 40] })),
        ("PUT", "/v1/passwords") => one(json!(PasswordRequest {
            user: at.user,
            login: "nora".into(),
            old: None,
            new: "taken over now".into(),
        })),
        ("POST", "/v1/erasures" | "/v1/erasures/confirm") => one(erasure),
        ("PUT", "/v1/blobs/{patient}/{sha256}") => vec![b"file".to_vec()],
        ("POST", "/office/sign-in") => {
            one(json!({ "hospital": "north", "login": "nora", "password": "sam's own word" }))
        }
        ("POST", "/office/password") => one(json!({ "old": "guess", "new": "taken over now" })),
        ("POST", "/office/hospitals") => one(json!({ "word": "north", "name": "x" })),
        ("POST", "/office/hospitals/{id}/state") => one(json!({ "closed": true })),
        ("POST", "/office/hospitals/{id}/devices/{device}") => one(json!({ "status": "wipe" })),
        ("POST", "/office/hospitals/{id}/codes") => one(json!({ "sites": [], "history": true })),
        ("POST", "/office/hospitals/{id}/users") => one(json!({ "login": "x", "name": "y" })),
        (
            "POST",
            "/office/hospitals/{id}/users/{login}/reset" | "/office/hospitals/{id}/users/{login}/appoint",
        )
        | ("POST", "/office/hospitals/{id}/users/{login}/disable") => one(json!({})),
        ("POST", "/office/hospitals/{id}/waiting/{number}") => one(json!({ "counts": true })),
        ("POST", "/office/hospitals/{id}/sites" | "/office/hospitals/{id}/sites/{site}") => {
            one(json!({ "name": "x" }))
        }
        ("POST", "/office/hospitals/{id}/stick") => {
            vec![b"no stick's file".to_vec(), pack::pack(&at.desk.request()).unwrap()]
        }
        other => panic!("{other:?} is new: say here what a stranger would send"),
    }
}

/// Another's device, another's scopes, and ops about another's records.
fn sync_bodies(at: &Foreign, own: &Desk) -> Vec<Vec<u8>> {
    let mut named = own.request();
    named.device = at.desk.id;
    let mut looking = own.request();
    looking.cursors.insert(at.site, 0);
    looking.wants_digest = true;
    let mut writing = own.twin();
    writing.make("patient", at.patient, at.user, &[("name", "幽灵".into()), ("site_id", at.site.into())]);
    writing.make("note", Uuid::now_v7(), at.user, &[("patient_id", at.patient.into()), ("body", "x".into())]);
    [named, looking, writing.request(), at.desk.request()]
        .iter()
        .map(|request| pack::pack(request).unwrap())
        .collect()
}

/// Whether an answer tells anything of the other hospital, packed or not.
fn tells(reply: &Reply) -> bool {
    let mut bytes = reply.body.clone();
    if reply.headers.get("content-type").is_some_and(|kind| kind == PACKED) {
        bytes = zstd::stream::decode_all(bytes.as_slice()).unwrap_or_default();
    }
    [SECRET.as_bytes(), b"file of the north"].iter().any(|secret| holds(&bytes, secret))
}

fn holds(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

fn other_hospital(server: &Server) -> Foreign {
    server.command(&["tenants", "add", "north", SECRET]).unwrap();
    let mut north = hospital(server, &["--hospital-word", "north"]);
    let (patient, user) = (Uuid::now_v7(), Uuid::now_v7());
    let person = [("login", "nora".into()), ("display_name", SECRET.into()), ("roles", "[]".into())];
    north.desk.make("staff", user, north.boss, &person);
    let fields = [("name", SECRET.into()), ("site_id", north.site.into())];
    north.desk.make("patient", patient, north.nurse, &fields);
    let sites = [("name", SECRET.into())];
    north.desk.make("site", Uuid::now_v7(), north.boss, &sites);
    north.desk.sync().unwrap();
    let file = b"file of the north";
    let sha256 = data_encoding::HEXLOWER.encode(&Sha256::digest(file));
    let target = format!("/v1/blobs/{patient}/{sha256}?offset=0&size={}", file.len());
    assert_eq!(north.desk.signed("PUT", &target, file).status, 200);
    Foreign { tenant: north.desk.tenant, site: north.site, patient, user, sha256, desk: north.desk }
}

/// Everything of the other hospital that could have been changed.
fn state(server: &Server, at: &mut Foreign) -> Value {
    let hospitals = server.command(&["tenants", "list"]).unwrap();
    let north = hospitals.as_array().unwrap().iter().find(|each| each["word"] == "north").unwrap().clone();
    let list = |what: &str| server.command(&[what, "list", "--hospital-word", "north"]).unwrap();
    let mut devices = list("devices");
    for device in devices.as_array_mut().unwrap() {
        device.as_object_mut().unwrap().remove("last_contact_at");
    }
    let answer = at.desk.sync().unwrap();
    json!([north, list("users"), list("sites"), list("quarantine"), devices, answer.head, answer.last_dseq])
}

#[test]
fn no_endpoint_tells_or_changes_anything_of_another_hospital() {
    let server = Server::start();
    let mut ours = hospital(&server, &[]);
    let own =
        PasswordRequest { user: ours.boss, login: "sam".into(), old: None, new: "sam's own word".into() };
    assert_eq!(ours.desk.signed_json("PUT", "/v1/passwords", &own).status, 204);
    server.command(&["users", "appoint", "sam"]).unwrap();
    let mut at = other_hospital(&server);
    let cookie = sign_in(&server);
    let before = state(&server, &mut at);
    assert!(
        tells(&at.desk.signed("GET", &format!("/v1/snapshots/{}", at.site), b"")),
        "its own desk is told"
    );

    let mut tried = 0;
    let all = endpoints();
    for (method, path) in &all {
        let target = aimed(path, &at);
        for body in bodies(method, path, &at, &ours.desk) {
            let mut stolen = Desk::new(&server);
            stolen.token.clone_from(&at.desk.token);
            let office = vec![("aftercare-office", "1".to_owned()), ("cookie", cookie.clone())];
            let ways = [
                ours.desk.headers(method, &target, &body),
                stolen.headers(method, &target, &body),
                office,
                vec![],
            ];
            for headers in ways {
                let reply =
                    ask(server.address, &server.authority(), method, &target, &headers, &body).unwrap();
                assert!(!tells(&reply), "{method} {path} tells of another hospital");
                tried += 1;
            }
        }
    }
    // Signing out ended the session; what follows is asked by nobody.
    ours.desk.fetch_token().unwrap();
    assert_eq!(state(&server, &mut at), before, "something of another hospital was changed");
    println!("{} endpoints tried {tried} times with foreign ids, leaks: 0", all.len());
}

fn sign_in(server: &Server) -> String {
    let enter = r#"{"hospital":"main","login":"sam","password":"sam's own word"}"#;
    let mark = [("aftercare-office", "1".to_owned())];
    let entered =
        ask(server.address, &server.authority(), "POST", "/office/sign-in", &mark, enter.as_bytes()).unwrap();
    entered.headers["set-cookie"].split(';').next().unwrap().to_owned()
}
