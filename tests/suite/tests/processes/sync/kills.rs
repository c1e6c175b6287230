//! kill −9 of desks and server at every named point: nothing that was acknowledged is lost, nothing
//! is there twice, nobody is stuck. `AFTERCARE_KILLS=n` kills more often.

use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::Output;
use std::time::Instant;

use aftercare_rehearsal::POINTS;
use aftercare_suite::central::{Central, KILL, Place};
use aftercare_suite::desk_file::AtWork;
use aftercare_suite::headless::{Served, refusal};
use serde_json::json;

use super::world::{Person, World, enrol, join_request, login_request, postgres};
use crate::founded;

/// Kills of each run, at least.
const KILLS: usize = 105;

/// Where a desk dies in a round, and at which time it passes there.
const IN_A_ROUND: [(&str, u32); 10] = [
    ("desk.send.before", 1),
    ("desk.send.answered", 1),
    ("desk.apply.verdicts", 1),
    ("desk.apply.page", 1),
    ("desk.apply.page", 2),
    ("desk.apply.before_commit", 1),
    ("desk.apply.after_commit", 1),
    ("desk.send.before", 2),
    ("desk.send.answered", 2),
    ("desk.apply.before_commit", 2),
];
/// Where the server dies in a round.
const AT_THE_SERVER: [&str; 5] = [
    "server.sync.decoded",
    "server.commit.before",
    "server.commit.after",
    "server.sync.taken",
    "server.sync.before_answer",
];

/// Which points were died at, how often.
#[derive(Default)]
struct Deaths(BTreeMap<String, usize>);

impl Deaths {
    /// A process that was to die at a point must have died, and of nothing else.
    fn of(&mut self, point: &str, output: &Output) {
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.signal(), Some(KILL), "{point}: {said}");
        self.note(point);
    }

    fn note(&mut self, point: &str) {
        *self.0.entry(point.to_owned()).or_default() += 1;
    }

    fn count(&self) -> usize {
        self.0.values().sum()
    }
}

fn told(point: &str, time: u32) -> [(&'static str, String); 1] {
    assert!(POINTS.contains(&point), "{point}");
    [("AFTERCARE_DIE_AT", format!("{point}:{time}"))]
}

/// Runs the desk's program until it dies at the point.
fn dies(deaths: &mut Deaths, person: &Person, words: &[&str], point: &str, time: u32) {
    let [(name, value)] = &told(point, time);
    deaths.of(point, &person.desk.run_told(words, &[(name, value)]).unwrap());
}

#[test]
fn kills_at_every_point_lose_nothing_on_sqlite() {
    story(Place::Files);
}

#[test]
fn kills_at_every_point_lose_nothing_on_postgresql() {
    story(postgres());
}

fn story(place: Place) {
    let begun = Instant::now();
    let wanted = std::env::var("AFTERCARE_KILLS").ok().and_then(|n| n.parse().ok()).unwrap_or(KILLS);
    let mut world = World::on(place);
    let mut deaths = Deaths::default();
    while_enrolling(&mut world, &mut deaths);
    while_joining(&mut world, &mut deaths);
    while_changing_identity(&mut world, &mut deaths);
    if matches!(world.central.place, Place::Files) {
        in_backup_and_restore(&mut world, &mut deaths);
    }
    world.settle();
    let mut turn = 0;
    while deaths.count() < wanted {
        desks_die(&mut world, &mut deaths, turn);
        server_dies(&mut world, &mut deaths, turn);
        turn += 1;
    }
    let ops = world.settle();
    println!(
        "{}: {} kills at {} points, {ops} ops, 0 lost, {} s",
        world.central.place.word(),
        deaths.count(),
        deaths.0.len(),
        begun.elapsed().as_secs()
    );
    for point in POINTS.iter().filter(|point| is_reached(point, &world.central.place)) {
        assert!(deaths.0.contains_key(*point), "nobody died at {point}");
    }
}

/// Attachments and erasures have stories of their own; with PostgreSQL the database's tools make the backup.
fn is_reached(point: &str, place: &Place) -> bool {
    let files_only = ["server.backup.", "server.restore.", "desk.epoch."];
    let elsewhere = ["server.blob.", "server.erase."];
    !elsewhere.iter().any(|other| point.starts_with(other))
        && (matches!(place, Place::Files) || !files_only.iter().any(|only| point.starts_with(only)))
}

/// A desk with a history is cut off at each step of joining, and the server at each of its own.
fn while_enrolling(world: &mut World, deaths: &mut Deaths) {
    let of_the_desk = ["desk.enrol.before_ask", "desk.enrol.asked", "desk.enrol.kept", "desk.enrol.done"];
    for (number, point) in of_the_desk.into_iter().enumerate() {
        let person = Person::alone(&world.folder.join(format!("new{number}")), &format!("{number}号站"));
        let code = world.central.code().unwrap();
        let words = ["enrol", "--server", &world.central.address(), "--code", &code];
        dies(deaths, &person, &words, point, 1);
        joins_after_all(world, person);
    }
    for (number, point) in ["server.enrol.pointed", "server.enrol.before_answer"].into_iter().enumerate() {
        let person = Person::alone(&world.folder.join(format!("late{number}")), &format!("{number}号分院"));
        let code = world.central.code().unwrap();
        let [(name, value)] = &told(point, 1);
        world.central.again(&[(name, value)]).unwrap();
        let words = ["enrol", "--server", &world.central.address(), "--code", &code];
        assert_eq!(person.desk.refused(&words).unwrap(), "sync_unreachable");
        assert!(world.central.died().unwrap(), "{point}");
        deaths.note(point);
        world.central.again(&[]).unwrap();
        joins_after_all(world, person);
    }
    world.open_all_sites();
}

/// Whoever was cut off while joining has joined already, or joins with a new code.
fn joins_after_all(world: &mut World, person: Person) {
    let code = world.central.code().unwrap();
    let words = ["enrol", "--server", &world.central.address(), "--code", &code];
    let again = person.desk.run(&words).unwrap();
    if !again.status.success() {
        assert_eq!(refusal(&again).unwrap(), "sync_enrolled");
    }
    person.sync();
    assert!(person.desk.home.join("server.json").exists(), "a colleague may sign in here");
    world.has_all_of(&person);
}

/// An empty PC is cut off at each step of becoming a desk.
fn while_joining(world: &mut World, deaths: &mut Deaths) {
    let points = ["desk.join.asked", "desk.join.founded", "desk.join.key_left", "desk.join.server_kept"];
    let home = world.folder.join("dora");
    for point in points {
        let code = world.central.code_for(&["--sites", "本部"]).unwrap();
        let [(name, value)] = &told(point, 1);
        let host = Served::start_told(&home, &[(name, value)]).unwrap();
        assert!(host.call("sync_join", &join_request(&world.central, &code)).is_err(), "{point}");
        assert!(host.was_killed().unwrap(), "{point}");
        deaths.note(point);
    }
    // From its keys on the PC belongs to the hospital: what is left is that somebody signs in.
    let late = world.folder.join("late");
    let code = world.central.code_for(&["--sites", "本部"]).unwrap();
    let steps = [
        ("desk.join.filled", "sync_join", join_request(&world.central, &code)),
        ("desk.join.admitted", "sync_login", login_request()),
    ];
    for (point, command, request) in steps {
        let [(name, value)] = &told(point, 1);
        let host = Served::start_told(&late, &[(name, value)]).unwrap();
        assert!(host.call(command, &request).is_err(), "{point}");
        assert!(host.was_killed().unwrap(), "{point}");
        deaths.note(point);
    }
    Served::start(&late).unwrap().call("sync_login", &login_request()).unwrap();
    let dora = Person::joins(&world.central, &home, "本部");
    for (point, time) in [("desk.fill.page", 1), ("desk.fill.rederived", 1), ("desk.settle.key_left", 1)] {
        // The key was left while joining; a desk that brings its history leaves it in its first round.
        if point == "desk.settle.key_left" {
            let erin = Person::alone(&world.folder.join("erin"), "西院");
            let code = world.central.code().unwrap();
            let words = ["enrol", "--server", &world.central.address(), "--code", &code];
            dies(deaths, &erin, &words, point, time);
            joins_after_all(world, erin);
        } else {
            dies(deaths, &dora, &["sync", "--once"], point, time);
        }
    }
    dora.sync();
    world.people.push(dora);
    world.settle();
}

/// A copy of a PC takes an identity of its own, and is cut off meanwhile.
fn while_changing_identity(world: &mut World, deaths: &mut Deaths) {
    world.work(0);
    world.people[0].sync();
    let copy = copied(&world.people[0], &world.folder.join("copy"));
    for (who, name) in [(&world.people[0], "原机"), (&copy, "副本")] {
        let work = AtWork::at(&who.desk).unwrap();
        work.note(who.patients[0], name).unwrap();
    }
    world.people[0].sync();
    assert_eq!(copy.desk.refused(&["sync", "--once"]).unwrap(), "sync_forked");
    for (point, time) in [("desk.identity.op", 2), ("desk.identity.before_commit", 1)] {
        let code = world.central.code().unwrap();
        let words = ["enrol", "--server", &world.central.address(), "--code", &code];
        dies(deaths, &copy, &words, point, time);
        assert_eq!(copy.desk.refused(&["sync", "--once"]).unwrap(), "sync_forked", "nothing was half done");
    }
    enrol(&world.central, &copy.desk);
    world.people.push(copy);
    world.open_all_sites();
    world.settle();
    world.people.truncate(4);
}

/// A copy of the whole folder, as somebody makes who clones a PC.
pub fn copied(person: &Person, home: &Path) -> Person {
    std::fs::create_dir(home).unwrap();
    for entry in std::fs::read_dir(&person.desk.home).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_file() {
            std::fs::copy(entry.path(), home.join(entry.file_name())).unwrap();
        }
    }
    Person::copy_of(person, home)
}

/// A backup and its restore are cut off at each step; nobody serves from half a restore.
fn in_backup_and_restore(world: &mut World, deaths: &mut Deaths) {
    let backup = world.folder.join("backup");
    let to = backup.to_str().unwrap().to_owned();
    let of_backup =
        ["server.backup.copied", "server.backup.written", "server.backup.verified", "server.backup.renamed"];
    for point in of_backup {
        let _ = std::fs::remove_dir_all(&backup);
        let [(name, value)] = &told(point, 1);
        deaths.of(point, &world.central.run(&["backup", &to], &[(name, value)]).unwrap());
        assert_eq!(backup.exists(), point == "server.backup.renamed", "whole, or not there");
    }
    std::fs::remove_dir_all(&backup).unwrap();
    world.central.say(&["backup", &to]).unwrap();
    world.central.say(&["verify", &to]).unwrap();
    // Acknowledged after the backup: the desks bring it again.
    for who in 0..world.people.len() {
        world.work(who);
        world.people[who].sync();
    }
    let restored = world.folder.join("restored");
    world.central.kill().unwrap();
    world.central.home.clone_from(&restored);
    for point in
        ["server.restore.begun", "server.restore.file", "server.restore.copied", "server.restore.epoch"]
    {
        let [(name, value)] = &told(point, 1);
        deaths.of(point, &world.central.run(&["restore", &to], &[(name, value)]).unwrap());
        assert!(world.central.again(&[]).is_err(), "nobody serves from half a restore");
        let refused = world.central.run(&["tenants", "list"], &[]).unwrap();
        assert_eq!(refusal(&refused).unwrap(), "restore_unfinished");
    }
    world.central.say(&["restore", &to]).unwrap();
    world.central.again(&[]).unwrap();
    for person in &world.people {
        dies(deaths, person, &["sync", "--once"], "desk.epoch.begun", 1);
    }
    world.settle();
}

/// Desks die while they write and while they sync.
fn desks_die(world: &mut World, deaths: &mut Deaths, turn: usize) {
    world.central.again(&[]).unwrap();
    for (number, (point, time)) in IN_A_ROUND.into_iter().enumerate() {
        let who = (turn + number) % world.people.len();
        world.work(who);
        dies(deaths, &world.people[who], &["sync", "--once"], point, time);
    }
    for point in ["desk.write.before_commit", "desk.write.after_commit"] {
        let person = &world.people[turn % world.people.len()];
        let [(name, value)] = &told(point, 1);
        let host = Served::start_told(&person.desk.home, &[(name, value)]).unwrap();
        host.log_in(&person.desk).unwrap();
        let note = json!({ "patient_id": person.patients[0], "body": "断电前的一句" });
        assert!(host.call("archive_note", &note).is_err());
        assert!(host.was_killed().unwrap(), "{point}");
        deaths.note(point);
    }
}

/// The server dies while a desk syncs, and comes back.
fn server_dies(world: &mut World, deaths: &mut Deaths, turn: usize) {
    for (number, point) in AT_THE_SERVER.into_iter().enumerate() {
        let who = (turn + number) % world.people.len();
        world.work(who);
        let [(name, value)] = &told(point, 1);
        world.central.again(&[(name, value)]).unwrap();
        assert_eq!(world.people[who].desk.refused(&["sync", "--once"]).unwrap(), "sync_unreachable");
        assert!(world.central.died().unwrap(), "{point}");
        deaths.note(point);
    }
    world.central.again(&[]).unwrap();
}

/// Joining twice over the same folder is what a cut-off wizard comes to; the first hospital of a folder stays.
#[test]
fn a_folder_with_a_hospital_of_its_own_is_not_joined_over() {
    let folder = tempfile::tempdir().unwrap();
    let central = Central::start(&folder.path().join("server")).unwrap();
    let (desk, _) = founded(&folder.path().join("alice"), "本部");
    enrol(&central, &desk);
    let code = central.code_for(&["--sites", "本部"]).unwrap();
    let host = Served::start(&desk.home).unwrap();
    let refused = host.call("sync_join", &join_request(&central, &code)).unwrap_err().to_string();
    assert!(refused.contains("already_set_up"), "{refused}");
}
