//! A full disk at a desk and at the server: a name for it, what is unsent stays, and with room again
//! everything arrives.

use aftercare_suite::central::Place;
use aftercare_suite::desk_file::AtWork;
use aftercare_suite::headless::refusal;
use serde_json::json;

use super::world::{Person, World};
use crate::assert_whole;
use crate::full_disk::SmallDisk;

/// What is left of the disk, kilobytes.
const LEFT: [u64; 4] = [0, 100, 300, 600];

#[test]
fn a_desk_whose_disk_is_full_keeps_what_is_unsent() {
    let Some(disk) = SmallDisk::mounted("a sync on a full disk") else { return };
    let mut world = World::on(Place::Files);
    let dora = Person::joins(&world.central, &disk.path().join("home"), "本部");
    world.people.push(dora);
    world.settle();
    let last = world.people.len() - 1;
    let (mut refused, mut during) = (0, 0);
    for kilobytes in LEFT {
        world.work(0);
        world.work(last);
        world.people[0].sync();
        let before = unsent(&world.people[last]);
        assert!(before > 0);
        disk.leave(kilobytes);
        let ended = world.people[last].desk.run(&["sync", "--once"]).unwrap();
        let fits = AtWork::at(&world.people[last].desk).is_ok();
        disk.clear();
        assert_whole(&world.people[last].desk);
        if !ended.status.success() {
            assert_eq!(refusal(&ended).unwrap(), "disk_full", "{kilobytes} kB");
            refused += 1;
            during += usize::from(fits);
            assert_eq!(unsent(&world.people[last]), before, "nothing of it is forgotten");
        }
    }
    println!("{refused} of {} syncs refused for a full disk, {during} of them in the middle", LEFT.len());
    assert!(refused > 0);
    world.settle();
}

fn unsent(person: &Person) -> i64 {
    let status = AtWork::at(&person.desk).unwrap().call("sync_status", json!({})).unwrap();
    status["unsent"].as_i64().unwrap()
}

#[test]
fn a_server_whose_disk_is_full_says_so_and_takes_everything_later() {
    let Some(disk) = SmallDisk::mounted("a server on a full disk") else { return };
    let mut world = World::with_server_in(&disk.path().join("server"), Place::Files);
    let mut refused = 0;
    for kilobytes in [0, 50, 150] {
        disk.leave(kilobytes);
        for who in 0..world.people.len() {
            world.work(who);
            let before = unsent(&world.people[who]);
            let ended = world.people[who].desk.run(&["sync", "--once"]).unwrap();
            if !ended.status.success() {
                assert_eq!(refusal(&ended).unwrap(), "sync_quota", "{kilobytes} kB");
                refused += 1;
                assert_eq!(unsent(&world.people[who]), before);
            }
        }
        disk.clear();
        world.settle();
    }
    println!("{refused} syncs refused by a server with a full disk, everything arrived later");
    assert!(refused > 0);
    // Switched off while it was full, it starts again.
    disk.leave(0);
    world.work(0);
    let _ = world.people[0].desk.run(&["sync", "--once"]).unwrap();
    world.central.kill().unwrap();
    disk.clear();
    world.central.again(&[]).unwrap();
    world.settle();
}
