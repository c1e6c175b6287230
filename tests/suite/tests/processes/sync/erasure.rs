//! A patient is erased by two persons: afterwards no desk, no table, no log and no later backup
//! holds a word of theirs, and what comes late about them is refused and shown.

use std::path::Path;

use aftercare_suite::central::Place;
use aftercare_suite::desk_file::{AtWork, contains, holds};
use aftercare_suite::headless::{Headless, refusal};
use serde_json::json;
use uuid::Uuid;

use super::world::{World, postgres};

/// What must be nowhere: number, name, phone, address, what was noted, before and after the desks heard of it.
const CANARIES: [&str; 7] = [
    "C7700001",
    "金丝雀伟㛃",
    "13987650001",
    "金丝雀胡同77号",
    "金丝雀备注甲",
    "金丝雀迟到的话",
    "金丝雀改名",
];

/// The server's clock, a day later.
const TOMORROW: (&str, &str) = ("AFTERCARE_CLOCK_OFF_SECONDS", "90000");

#[test]
fn an_erased_patient_is_nowhere_on_sqlite() {
    story(World::on(Place::Files));
}

#[test]
fn an_erased_patient_is_nowhere_on_postgresql() {
    story(World::on(postgres()));
}

fn story(mut world: World) {
    let patient = canary_comes(&world);
    let second = second_person(&world);
    world.settle();
    for who in 0..world.people.len() {
        assert!(desk_holds(&world, who).is_some(), "the search finds what is there");
    }
    assert!(server_holds(&world).is_some(), "the search finds what is there");

    // Carol works offline meanwhile.
    let late = AtWork::at(&world.people[2].desk).unwrap();
    late.note(patient, CANARIES[5]).unwrap();
    late.set(patient, "name", CANARIES[6]).unwrap();
    drop(late);

    let first = &world.people[0].desk;
    let erase = ["erase", "--mrn", CANARIES[0]];
    let confirm = ["erase", "--mrn", CANARIES[0], "--confirm"];
    // Passwords that desks handed over today do not erase anybody before tomorrow.
    assert_eq!(refusal(&first.run(&erase).unwrap()).unwrap(), "sync_password_new");
    world.central.again(&[TOMORROW]).unwrap();
    assert_eq!(first.done(&erase).unwrap()["erased"], json!(false));
    assert_eq!(refusal(&first.run(&confirm).unwrap()).unwrap(), "sync_same_person");
    // The server's power is cut in the middle: nothing of it has happened, and it is asked again.
    world.central.again(&[TOMORROW, ("AFTERCARE_DIE_AT", "server.erase.records:1")]).unwrap();
    assert_eq!(refusal(&second.run(&confirm).unwrap()).unwrap(), "sync_unreachable");
    assert!(world.central.died().unwrap());
    world.central.again(&[TOMORROW]).unwrap();
    assert_eq!(second.done(&confirm).unwrap()["erased"], json!(true));

    world.people[0].sync();
    world.people[1].sync();
    let told = world.people[2].sync();
    assert!(told["rejected"].as_u64().unwrap() >= 2, "{told}");
    let shown =
        AtWork::at(&world.people[2].desk).unwrap().call("sync_refused", json!({ "limit": 50 })).unwrap();
    let erased = shown["rows"].as_array().unwrap().iter().filter(|row| row["why"] == "erased").count();
    assert!(erased >= 2, "{shown}");
    world.settle();
    for who in 0..world.people.len() {
        assert_eq!(desk_holds(&world, who), None);
    }
    assert_eq!(server_holds(&world), None);
    if matches!(world.central.place, Place::Files) {
        let backup = world.folder.join("backup");
        world.central.say(&["backup", backup.to_str().unwrap()]).unwrap();
        assert_eq!(folder_holds(&backup), None, "a backup made later");
    }
    println!(
        "{}: {} words of an erased patient searched on {} desks and the server, 0 found, {erased} late changes refused",
        world.central.place.word(),
        CANARIES.len(),
        world.people.len()
    );
}

/// The patient comes with an import, as most do, and is written about.
fn canary_comes(world: &World) -> Uuid {
    let [mrn, name, phone, address, note, ..] = CANARIES;
    let file = world.folder.join("出院患者.csv");
    let text = format!(
        "病案号,姓名,性别,联系电话,现住址,出院科室,入院时间,出院时间\n\
         {mrn},{name},男,{phone},{address},眼科,2026-10-11 05:05,2026-10-23 12:31\n"
    );
    std::fs::write(&file, text).unwrap();
    world.people[0].desk.done(&["import", file.to_str().unwrap()]).unwrap();
    std::fs::remove_file(&file).unwrap();
    let work = AtWork::at(&world.people[0].desk).unwrap();
    let found = work.call("archive_find", json!({ "query": mrn, "limit": 1 })).unwrap();
    let patient = Uuid::parse_str(found["hits"][0]["patient_id"].as_str().unwrap()).unwrap();
    work.note(patient, note).unwrap();
    patient
}

/// A colleague whom the server knows, at Alice's PC.
fn second_person(world: &World) -> Headless {
    let alice = &world.people[0].desk;
    let work = AtWork::at(alice).unwrap();
    let person = json!({
        "id": null, "login": "sam", "display_name": "孙主任", "job_number": "K002", "department": "客户关怀部",
        "roles": ["supervisor"], "active": true, "password": "correct horse 43",
    });
    work.call("staff_save", person).unwrap();
    drop(work);
    world.people[0].sync();
    let sam = Headless { user: "sam".into(), password: "correct horse 43".into(), ..alice.clone() };
    sam.done(&["sync", "--once"]).unwrap();
    sam
}

/// The first canary on a desk and where it is: in its database, or in any file beside it.
fn desk_holds(world: &World, who: usize) -> Option<String> {
    let person = &world.people[who];
    let in_tables = CANARIES.iter().find_map(|canary| {
        holds(&person.desk.home, &person.recovery, canary)
            .unwrap()
            .map(|table| format!("{canary} in {table}"))
    });
    in_tables.or_else(|| folder_holds(&person.desk.home))
}

/// The first canary in the server's files or tables, or in its log.
fn server_holds(world: &World) -> Option<String> {
    let mut found = folder_holds(&world.central.home);
    if let Place::Database(cluster, name) = &world.central.place {
        let dump = cluster.dump(name).unwrap();
        let hex = |text: &str| text.bytes().map(|byte| format!("{byte:02x}")).collect::<String>();
        let there = |canary: &&str| dump.contains(*canary) || dump.contains(&hex(canary));
        found =
            found.or_else(|| CANARIES.iter().find(|canary| there(canary)).map(|c| format!("{c} in a table")));
    }
    let log = std::fs::read(world.central.log()).unwrap();
    found.or_else(|| in_bytes(&log).map(|canary| format!("{canary} in the log")))
}

fn folder_holds(folder: &Path) -> Option<String> {
    let mut open = vec![folder.to_path_buf()];
    while let Some(next) = open.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if let Some(canary) = in_bytes(&std::fs::read(&path).unwrap_or_default()) {
                return Some(format!("{canary} in {}", path.display()));
            }
        }
    }
    None
}

fn in_bytes(bytes: &[u8]) -> Option<&'static str> {
    CANARIES.into_iter().find(|canary| contains(bytes, canary.as_bytes()))
}
