//! What is wrong has a name and says what to do next, in both languages; what is unsent stays.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;

use aftercare_suite::central::{Central, Place};
use aftercare_suite::desk_file::{AtWork, device};
use aftercare_suite::headless::refusal;
use aftercare_suite::programs::root;
use aftercare_suite::trick::{Said, Trick};
use aftercare_sync::door::PACKED;
use aftercare_sync::pack::pack;
use aftercare_sync::wire::Refusal;
use serde_json::{Value, json};

use super::world::{Person, World};

const JSON: &str = "application/json";
const LANGUAGES: [(&str, &str); 2] = [("zh-CN", "zh_CN.UTF-8"), ("en", "en_US.UTF-8")];

/// Refuses in both languages with this code, in the words of the locales, and forgets nothing.
fn refuses(person: &Person, words: &[&str], code: &str) {
    let before = unsent(person);
    for (locale, system) in LANGUAGES {
        let output = person.desk.run_told(words, &[("LANG", system), ("LC_ALL", system)]).unwrap();
        assert_eq!(refusal(&output).unwrap(), code, "{words:?}");
        let said: Value = serde_json::from_slice(output.stderr.trim_ascii()).unwrap();
        let file = root().join("assets/locales").join(locale).join("errors.json");
        let texts: BTreeMap<String, String> =
            serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
        assert_eq!(said["message"], texts[code], "{locale}");
    }
    assert_eq!(unsent(person), before, "{code}: what is unsent stays");
}

fn unsent(person: &Person) -> Value {
    AtWork::at(&person.desk).unwrap().call("sync_status", json!({})).unwrap()["unsent"].clone()
}

#[test]
fn what_is_wrong_at_enrolment_has_a_name() {
    let folder = tempfile::tempdir().unwrap();
    let mut central = Central::start(&folder.path().join("server")).unwrap();
    let other = Central::start(&folder.path().join("other")).unwrap();
    let alice = Person::alone(&folder.path().join("alice"), "本部");
    let address = central.address();
    let enrol = |code: &str, name: &str| {
        refuses(&alice, &["enrol", "--server", &address, "--code", code], name);
    };
    enrol("ABCDE-FGHJK-LMNPQ-RSTUV-WXYZ2", "sync_bad_code");
    // The code of another server: its certificate does not fit.
    enrol(&other.code().unwrap(), "sync_wrong_server");
    let used = central.code().unwrap();
    let bob = Person::alone(&folder.path().join("bob"), "东院");
    bob.desk.done(&["enrol", "--server", &address, "--code", &used]).unwrap();
    enrol(&used, "sync_code_wrong");
    enrol(&central.code_for(&[]).unwrap(), "sync_code_without_history");
    refuses(&alice, &["sync", "--once"], "sync_not_enrolled");
    let code = central.code().unwrap();
    central.kill().unwrap();
    enrol(&code, "sync_unreachable");
    // A code holds ten minutes by the server's clock.
    central.again(&[("AFTERCARE_CLOCK_OFF_SECONDS", "700")]).unwrap();
    enrol(&code, "sync_code_wrong");
    println!("8 wrong enrolments, each with its name in both languages");
}

#[test]
fn what_is_wrong_at_a_sync_has_a_name() {
    let mut world = World::on(Place::Files);
    world.work(0);
    let id = device(&world.people[0].desk.home, &world.people[0].recovery).unwrap().to_string();
    let sync = ["sync", "--once"];
    let mut named = 0;
    let mut check = |world: &World, code: &str| {
        refuses(&world.people[0], &sync, code);
        named += 1;
    };
    world.central.say(&["devices", "revoke", &id]).unwrap();
    check(&world, "sync_revoked");
    world.central.say(&["devices", "admit", &id]).unwrap();
    world.central.say(&["tenants", "close", "main"]).unwrap();
    check(&world, "sync_closed");
    world.central.say(&["tenants", "open", "main"]).unwrap();
    world.central.kill().unwrap();
    check(&world, "sync_unreachable");
    let listen: SocketAddr = world.central.address().trim_start_matches("https://").parse().unwrap();
    let sites = world.central.say(&["sites", "list"]).unwrap();
    let sites: Vec<Value> = sites.as_array().unwrap().iter().map(|site| site["id"].clone()).collect();
    for (code, said) in strange_answers() {
        let trick = trick(&world.central.home, listen, &sites, said);
        check(&world, code);
        drop(trick);
    }
    // Another server at the same address, with a certificate of its own.
    let stranger = world.folder.join("stranger");
    let trick = trick(&stranger, listen, &sites, || body(200, PACKED, Vec::new()));
    check(&world, "sync_wrong_server");
    drop(trick);
    // It was only the line: everything arrives.
    world.central.again(&[]).unwrap();
    world.settle();
    println!("{named} wrong syncs, each with its name in both languages");
}

fn body(status: u16, content_type: &'static str, body: Vec<u8>) -> Said {
    Said { status, content_type, body }
}

type Says = fn() -> Said;

/// What a server may say to a round, and what a desk calls that.
fn strange_answers() -> [(&'static str, Says); 9] {
    [
        ("sync_server_fault", || body(200, PACKED, b"no packed message".to_vec())),
        ("sync_server_fault", || body(200, "text/html", b"<p>Sign in to the hotel's network</p>".to_vec())),
        // Larger than any answer may be.
        ("sync_server_fault", || body(200, PACKED, vec![7; 3 << 20])),
        // Small on the line, and larger than any message when unpacked.
        ("sync_server_fault", || body(200, PACKED, bomb())),
        ("sync_upgrade", || body(426, PACKED, pack(&Refusal::Upgrade { oldest: 7, newest: 9 }).unwrap())),
        ("sync_unreachable", || body(502, "text/html", b"<p>Bad gateway</p>".to_vec())),
        ("sync_server_busy", || body(503, JSON, br#"{"code":"busy","params":{"seconds":30}}"#.to_vec())),
        ("sync_clock", || body(401, JSON, br#"{"code":"clock","params":{"server_millis":1}}"#.to_vec())),
        ("sync_server_fault", || body(400, JSON, br#"{"code":"garbled","params":{}}"#.to_vec())),
    ]
}

/// Zeros without end, packed by the same packer as every message.
fn bomb() -> Vec<u8> {
    zstd::bulk::compress(&vec![0_u8; 64 << 20], 19).unwrap()
}

/// A server with the certificate of `home` that gives a token and then says `said` to everything.
fn trick(home: &Path, listen: SocketAddr, sites: &[Value], said: Says) -> Trick {
    std::fs::create_dir_all(home).unwrap();
    let token = json!({
        "token": "token", "expires_in_seconds": 900, "sites": sites, "shut_out": [],
        "server_millis": chrono::Utc::now().timestamp_millis(),
    });
    let token = token.to_string().into_bytes();
    Trick::open(home, listen, move |path| match path {
        "/v1/token" => body(200, JSON, token.clone()),
        _ => said(),
    })
    .unwrap()
}
