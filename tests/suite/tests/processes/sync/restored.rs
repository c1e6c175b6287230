//! A server that was put back from a backup, and a PC that was cloned: every acknowledged change is
//! there once in the end.

use std::collections::BTreeSet;

use aftercare_suite::central::Place;
use aftercare_suite::desk_file::{device, written};
use serde_json::json;
use uuid::Uuid;

use super::kills::copied;
use super::world::{Person, World, enrol, postgres};

#[test]
fn a_restored_server_gets_everything_back_on_sqlite() {
    restored(World::on(Place::Files));
}

#[test]
fn a_restored_server_gets_everything_back_on_postgresql() {
    restored(World::on(postgres()));
}

fn restored(mut world: World) {
    let backup = back_up(&mut world);
    for who in 0..world.people.len() {
        world.work(who);
        world.people[who].sync();
    }
    world.settle();
    let acknowledged = world.central.ops().unwrap();
    // Carol's PC burns down: what she wrote after the backup is only where others received it.
    let carol = world.people.pop().unwrap();
    let hers = ids(&carol);
    std::fs::remove_dir_all(&carol.desk.home).unwrap();
    world.work(0);
    put_back(&mut world, &backup);
    let missing = acknowledged.difference(&world.central.ops().unwrap()).count();
    assert!(missing > 10, "the backup is older");
    let ops = world.settle();
    let there = world.central.ops().unwrap();
    assert!(acknowledged.is_subset(&there), "{} are lost", acknowledged.difference(&there).count());
    assert!(hers.is_subset(&there));
    println!(
        "{}: {missing} acknowledged ops were not in the backup, {ops} on desks, 0 lost, {} of a burnt PC",
        world.central.place.word(),
        hers.len()
    );
}

fn ids(person: &Person) -> BTreeSet<Uuid> {
    let ops = written(&person.desk.home, &person.recovery).unwrap();
    ops.into_iter().filter(|op| op.refused.is_none()).filter_map(|op| op.id).collect()
}

/// With the server's own command, or by the database's own means.
fn back_up(world: &mut World) -> String {
    match world.central.place.clone() {
        Place::Files => {
            let to = world.folder.join("backup").to_str().unwrap().to_owned();
            world.central.say(&["backup", &to]).unwrap();
            to
        }
        Place::Database(cluster, name) => {
            // A copy of a database needs it without connections.
            world.central.kill().unwrap();
            cluster.copy(&name, "kept").unwrap();
            world.central.again(&[]).unwrap();
            "kept".into()
        }
    }
}

fn put_back(world: &mut World, backup: &str) {
    world.central.kill().unwrap();
    match world.central.place.clone() {
        Place::Files => {
            world.central.home = world.folder.join("restored");
            world.central.say(&["restore", backup]).unwrap();
        }
        Place::Database(cluster, _) => {
            world.central.uses(&cluster, backup);
            world.central.say(&["new-epoch"]).unwrap();
        }
    }
    world.central.again(&[]).unwrap();
}

#[test]
fn a_cloned_pc_and_its_original_both_go_on_on_sqlite() {
    cloned(World::on(Place::Files));
}

#[test]
fn a_cloned_pc_and_its_original_both_go_on_on_postgresql() {
    cloned(World::on(postgres()));
}

fn cloned(mut world: World) {
    // With something unsent on it, which both will bring.
    world.work(0);
    let copy = copied(&world.people[0], &world.folder.join("copy"));
    world.people.push(copy);
    let last = world.people.len() - 1;
    for who in [0, last] {
        world.work(who);
        world.work(who);
    }
    // The copy comes first; the original is the one that is told.
    world.people[last].sync();
    let original = &world.people[0];
    let before = device(&original.desk.home, &original.recovery).unwrap();
    assert_eq!(original.desk.refused(&["sync", "--once"]).unwrap(), "sync_forked");
    let done = enrol(&world.central, &original.desk);
    assert_eq!(done["pending"], json!(0), "{done}");
    assert_ne!(device(&original.desk.home, &original.recovery).unwrap(), before);
    world.open_all_sites();
    for who in [last, 0] {
        world.work(who);
    }
    let ops = world.settle();
    let shared = ids(&world.people[0]).intersection(&ids(&world.people[last])).count();
    println!("{}: {ops} ops on the desks, {shared} of them on both PCs, 0 lost", world.central.place.word());
    assert!(shared > 5);
}
