//! Clocks that are ten years off, on a desk and on the server: who has seen a value and changes it
//! comes after it, no clock reaches beyond the server's, and nothing is lost.

use aftercare_suite::central::Place;
use aftercare_suite::desk_file::AtWork;
use chrono::Utc;
use serde_json::{Value, json};

use super::world::{World, postgres};

const TEN_YEARS: i64 = 10 * 365 * 86_400;

#[test]
fn clocks_ten_years_off_lose_nothing_on_sqlite() {
    story(World::on(Place::Files));
}

#[test]
fn clocks_ten_years_off_lose_nothing_on_postgresql() {
    story(World::on(postgres()));
}

fn story(mut world: World) {
    let mut changes = 0;
    for (who, off) in [(0, TEN_YEARS), (1, 0), (2, -TEN_YEARS), (0, TEN_YEARS), (1, 0), (2, -TEN_YEARS)] {
        changes += 1;
        let done = renames(&world, who, off, &format!("第{changes}名"));
        // A desk whose clock is wrong is told by how much.
        match done["clock_off_seconds"].as_i64() {
            Some(told) => assert!(off != 0 && (told - off).abs() < 600, "{done}"),
            None => assert_eq!(off, 0, "{done}"),
        }
        everybody_has(&world, &format!("第{changes}名"));
    }
    assert!(
        world.central.latest_millis().unwrap() < Utc::now().timestamp_millis() + 2_000,
        "a clock is capped"
    );
    // Written while the clock was ahead, and synced only when the others had gone on: still nothing is lost.
    let work = AtWork::at_clock(&world.people[0].desk, TEN_YEARS).unwrap();
    work.set(world.people[0].patients[0], "name", "未来").unwrap();
    drop(work);
    renames(&world, 1, 0, "现在");
    world.settle();
    for server in [TEN_YEARS, -TEN_YEARS, 0] {
        let off = server.to_string();
        world.central.again(&[("AFTERCARE_CLOCK_OFF_SECONDS", &off)]).unwrap();
        for who in 0..world.people.len() {
            changes += 1;
            renames(&world, who, 0, &format!("第{changes}名"));
            everybody_has(&world, &format!("第{changes}名"));
        }
    }
    let ops = world.settle();
    println!(
        "{}: {changes} changes in turn under clocks ten years off, {ops} ops, 0 lost, 0 out of order",
        world.central.place.word()
    );
}

/// Somebody who has seen the name gives another one, on a PC whose clock is so far off.
fn renames(world: &World, who: usize, off: i64, name: &str) -> Value {
    let person = &world.people[who];
    let patient = world.people[0].patients[0];
    let work = AtWork::at_clock(&person.desk, off).unwrap();
    work.set(patient, "name", name).unwrap();
    drop(work);
    let off = off.to_string();
    let output = person.desk.run_told(&["sync", "--once"], &[("AFTERCARE_CLOCK_OFF_SECONDS", &off)]).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn everybody_has(world: &World, name: &str) {
    let patient = world.people[0].patients[0];
    for person in &world.people {
        person.sync();
        let record =
            AtWork::at(&person.desk).unwrap().call("archive_patient", json!({ "id": patient })).unwrap();
        assert_eq!(record["fields"]["name"], name, "{:?}", person.desk.home);
    }
}
