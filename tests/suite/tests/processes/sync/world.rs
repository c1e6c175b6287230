//! A server with several desks at it, and what must hold of them whenever everybody has synced.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use aftercare_suite::central::{Central, Place};
use aftercare_suite::desk_file::{AtWork, written};
use aftercare_suite::headless::{Headless, Served};
use aftercare_suite::postgres::Cluster;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{assert_whole, founded};

/// A desk, the paper in its owner's safe, and the patients whom they took in.
pub struct Person {
    pub desk: Headless,
    pub recovery: String,
    pub patients: Vec<Uuid>,
    turn: usize,
}

impl Person {
    /// With a hospital of their own, and a first patient.
    pub fn alone(home: &Path, site: &str) -> Self {
        let (desk, recovery) = founded(home, site);
        let mut person = Self { desk, recovery, patients: Vec::new(), turn: 0 };
        person.works(None);
        person
    }

    /// An empty PC becomes a desk of the server's hospital.
    pub fn joins(central: &Central, home: &Path, site: &str) -> Self {
        let code = central.code_for(&["--sites", site]).unwrap();
        let host = Served::start(home).unwrap();
        let joined = host.call("sync_join", &join_request(central, &code)).unwrap();
        host.call("sync_login", &login_request()).unwrap();
        Self::admitted(home, &joined)
    }

    pub fn admitted(home: &Path, answer: &Value) -> Self {
        let desk =
            Headless { home: home.to_path_buf(), user: "alice".into(), password: "correct horse 42".into() };
        let recovery = answer["recovery_code"].as_str().unwrap().to_owned();
        Self { desk, recovery, patients: Vec::new(), turn: 0 }
    }

    /// The same person at a copy of the PC.
    pub fn copy_of(person: &Self, home: &Path) -> Self {
        let desk = Headless { home: home.to_path_buf(), ..person.desk.clone() };
        let (recovery, patients) = (person.recovery.clone(), person.patients.clone());
        Self { desk, recovery, patients, turn: person.turn + 1000 }
    }

    /// A little of everything: a new patient, notes, a change, and a change of what a colleague wrote.
    pub fn works(&mut self, others: Option<Uuid>) {
        self.turn += 1;
        let turn = self.turn;
        let work = AtWork::at(&self.desk).unwrap();
        let fields = json!({ "name": format!("王{turn}"), "address": format!("河东路{turn}号") });
        let phone = format!("139{:08}", turn * 97 + self.desk.home.as_os_str().len());
        self.patients.push(work.patient(fields, &phone).unwrap());
        let mine = self.patients[self.patients.len() / 2];
        work.note(mine, &format!("第{turn}次回访：恢复良好 㛃䶮")).unwrap();
        work.set(mine, "address", &format!("河西路{turn}号")).unwrap();
        if let Some(theirs) = others {
            // They may have gone to a site that is not seen here.
            let _ = work.set(theirs, "address", &format!("新街{turn}号"));
        }
    }

    pub fn sync(&self) -> Value {
        self.desk.done(&["sync", "--once"]).unwrap()
    }
}

pub fn join_request(central: &Central, code: &str) -> Value {
    json!({ "address": central.address(), "code": code })
}

/// The first person of a PC that has joined.
pub fn login_request() -> Value {
    json!({ "login": "alice", "password": "correct horse 42" })
}

/// A server, its folder, and the desks at it.
pub struct World {
    pub folder: PathBuf,
    pub central: Central,
    pub people: Vec<Person>,
    // Last, so that everybody has ended before it goes.
    _root: tempfile::TempDir,
}

impl World {
    /// Alice brought her history, Bob's PC came empty, Carol brought another site; all see both sites.
    pub fn on(place: Place) -> Self {
        let root = tempfile::tempdir().unwrap();
        let server = root.path().join("server");
        Self::at(root, &server, place)
    }

    /// The same with the server's files in a folder of their own.
    pub fn with_server_in(server: &Path, place: Place) -> Self {
        Self::at(tempfile::tempdir().unwrap(), server, place)
    }

    fn at(root: tempfile::TempDir, server: &Path, place: Place) -> Self {
        let folder = root.path().to_path_buf();
        let central = Central::start_on(server, place).unwrap();
        let alice = Person::alone(&folder.join("alice"), "本部");
        enrol(&central, &alice.desk);
        // Whoever signs in from now on is known to the server, and may go to another PC.
        alice.sync();
        let bob = Person::joins(&central, &folder.join("bob"), "本部");
        let carol = Person::alone(&folder.join("carol"), "东院");
        enrol(&central, &carol.desk);
        let mut world = Self { folder, central, people: vec![alice, bob, carol], _root: root };
        world.open_all_sites();
        world.settle();
        world
    }

    /// Every desk sees every site.
    pub fn open_all_sites(&mut self) {
        let ids = |list: &[&str], key: &str| -> Vec<String> {
            let said = self.central.say(list).unwrap();
            said.as_array().unwrap().iter().map(|row| row[key].as_str().unwrap().to_owned()).collect()
        };
        let sites = ids(&["sites", "list"], "id").join(",");
        for device in ids(&["devices", "list"], "id") {
            self.central.say(&["devices", "sites", &device, &sites]).unwrap();
        }
    }

    /// Somebody works, on their own patients and on a colleague's.
    pub fn work(&mut self, who: usize) {
        let colleague = &self.people[(who + 1) % self.people.len()];
        let theirs = colleague.patients.last().copied();
        self.people[who].works(theirs);
    }

    /// Everybody syncs until nothing is under way any more; then everything that any desk ever wrote is at the server
    /// once (or its desk was told why not), and every desk holds what the server holds. Answers how many ops there are.
    pub fn settle(&mut self) -> usize {
        for _ in 0..2 {
            for person in &self.people {
                person.sync();
            }
        }
        let ops = self.people.iter().map(|person| self.has_all_of(person)).sum();
        for trail in self.central.say(&["audit", "verify"]).unwrap().as_array().unwrap() {
            assert_eq!(trail["broken_at"], Value::Null, "{trail}");
        }
        ops
    }
}

impl World {
    /// One more round of a desk; then everything it ever wrote is at the server, or it was told why not.
    pub fn has_all_of(&self, person: &Person) -> usize {
        let done = person.sync();
        assert_eq!(done["pending"], json!(0), "{done}");
        assert!(done["digest"].is_string(), "the desk holds what the server holds: {done}");
        assert_whole(&person.desk);
        let there = self.central.ops().unwrap();
        let ops = written(&person.desk.home, &person.recovery).unwrap();
        for op in &ops {
            let present = op.id.is_none_or(|id| there.contains(&id));
            assert!(present || op.refused.is_some(), "{} of {:?} is lost", op.dseq, person.desk.home);
        }
        ops.len()
    }
}

/// A desk joins with its history.
pub fn enrol(central: &Central, desk: &Headless) -> Value {
    let code = central.code().unwrap();
    desk.done(&["enrol", "--server", &central.address(), "--code", &code]).unwrap()
}

/// A PostgreSQL of the story's own.
pub fn postgres() -> Place {
    Place::Database(Arc::new(Cluster::start().unwrap()), "aftercare".into())
}
