//! One hospital in one seed: desks, a server, a network that loses, repeats and delays, and
//! everything else that happens to PCs and servers.

use std::collections::{BTreeSet, HashMap, HashSet};

use aftercare_domain::op::Op;
use aftercare_sync::accept::named;
use aftercare_sync::pack::{pack, unpack};
use aftercare_sync::wire::{Answer, EpochStart, Refusal, Request};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use uuid::Uuid;

use crate::desk::{CrashAfter, Desk, Taken};
use crate::people::{act, any_id, found, site};
use crate::server::Server;
use crate::switches::Switches;

const START: i64 = 1_790_000_000_000;
const MINUTE: i64 = 60_000;
const TEN_YEARS: i64 = 10 * 365 * 24 * 60 * MINUTE;

/// Everything travels packed.
enum Message {
    Request { desk: usize, exchange: u64, packed: Vec<u8> },
    Answer { desk: usize, exchange: u64, reply: Reply },
}

/// What comes back.
#[derive(Clone)]
enum Reply {
    Answer(Vec<u8>),
    Refused(Vec<u8>),
    /// The desk was shut out; its data is to be erased where the PC was lost.
    ShutOut {
        wipe: bool,
    },
    /// No answer that a desk could use.
    Nothing,
}

/// What a run comes to, beside its state.
#[derive(Default)]
pub struct Ledger {
    /// Ops of which a desk was told that they count.
    pub acked: HashSet<Uuid>,
    /// Acknowledged ops that two misfortunes at once took from every machine: no copy is left.
    pub beyond_help: HashSet<Uuid>,
    /// The latest time that the server has believed in.
    pub latest: i64,
    /// Differing buckets although no epoch had begun.
    pub unexplained: usize,
    /// What the checks found on a server that was given up for a restored one.
    pub faults: Vec<String>,
    /// Ops that a verified backup covers: desks may forget them.
    pub durable: HashSet<Uuid>,
    /// Ops that a desk gave up although no backup covers them.
    pub given_up: Vec<String>,
    /// Patients who were erased.
    pub erased: BTreeSet<Uuid>,
    /// Every op that anybody wrote, to tell whom it was about.
    pub written: HashMap<Uuid, Op>,
}

pub struct World {
    pub(crate) rng: StdRng,
    /// What happens beside, in a hospital with everything: erasures, lost PCs, other sites, older programs.
    pub(crate) beside: Option<StdRng>,
    time: i64,
    server_skew: i64,
    pub server: Server,
    pub desks: Vec<Desk>,
    copies: Vec<(usize, Desk)>,
    messages: Vec<Message>,
    backups: Vec<Server>,
    exchanges: u64,
    epochs: i64,
    pub switches: Switches,
    pub ledger: Ledger,
}

impl World {
    /// `beside`: with everything that can happen, not only what happens to machines and networks.
    pub fn new(seed: u64, beside: bool, switches: Switches) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        let users: Vec<Uuid> = (0..4).map(|_| any_id(&mut rng)).collect();
        let mut world = Self {
            time: START,
            server_skew: 0,
            server: Server::new(),
            desks: Vec::new(),
            copies: Vec::new(),
            messages: Vec::new(),
            backups: Vec::new(),
            exchanges: 0,
            epochs: 1,
            switches,
            ledger: Ledger::default(),
            beside: beside.then(|| StdRng::seed_from_u64(!seed)),
            rng,
        };
        for _ in 0..world.rng.random_range(2..5) {
            world.join(&users);
        }
        let now = world.desk_now(0);
        found(&mut world.desks[0], &mut world.rng, now);
        world.note_written(0, 0);
        world.enrol_history(0);
        world.talk(0);
        world.talk(0);
        world
    }

    fn join(&mut self, users: &[Uuid]) {
        let sites: BTreeSet<Uuid> = (0..3).filter(|_| self.rng.random_bool(0.6)).map(site).collect();
        let skew = if self.rng.random_bool(0.3) { self.rng.random_range(-TEN_YEARS..TEN_YEARS) } else { 0 };
        let device = any_id(&mut self.rng);
        self.server.enrol(device, &sites, 0);
        let mut desk = Desk::new(device, sites, users.to_vec(), skew);
        desk.store.older =
            self.desks.len() > 1 && self.beside.as_mut().is_some_and(|rng| rng.random_bool(0.3));
        desk.store.stubborn = (!self.switches.forget, !self.switches.evict);
        self.desks.push(desk);
    }

    /// Somebody at a desk does something.
    fn act(&mut self, desk: usize) {
        if self.desks[desk].wiped {
            return;
        }
        let (now, before) = (self.desk_now(desk), self.desks[desk].store.own.len());
        act(&mut self.desks[desk], &mut self.rng, now);
        self.note_written(desk, before);
    }

    fn note_written(&mut self, desk: usize, before: usize) {
        let new = self.desks[desk].store.own[before..].iter();
        self.ledger.written.extend(new.map(|own| (own.op.op_id, own.op.clone())));
    }

    /// What the desk wrote so far counts as it stands.
    fn enrol_history(&mut self, desk: usize) {
        let history = self.desks[desk].store.own.len() as i64;
        self.desks[desk].history_to = history;
        let id = self.desks[desk].store.device;
        if let Some(device) = self.server.devices.get_mut(&id) {
            device.history_to = history;
        }
    }

    fn desk_now(&self, desk: usize) -> i64 {
        (self.time + self.desks[desk].skew).max(0)
    }

    fn server_now(&mut self) -> i64 {
        let now = (self.time + self.server_skew).max(0);
        self.ledger.latest = self.ledger.latest.max(now);
        now
    }

    /// Something happens.
    pub fn step(&mut self) {
        self.time += self.rng.random_range(0..10 * MINUTE);
        self.happen_beside();
        let desk = self.rng.random_range(0..self.desks.len());
        match self.rng.random_range(0..1000) {
            0..400 => self.act(desk),
            400..620 => self.ask(desk),
            620..920 => self.deliver(),
            920..930 => self.desks[desk].restart(),
            930..945 => self.move_a_clock(desk),
            945..960 => self.backups.push(self.server.clone()),
            960..966 => self.verify_backup(),
            966..972 => self.restore(),
            972..976 => self.clone_desk(desk),
            976..986 => self.copies.push((desk, self.desks[desk].clone())),
            986..990 => self.set_back(),
            990..994 => self.late_comer(),
            _ => self.time += self.rng.random_range(0..100 * 60 * MINUTE),
        }
    }

    fn move_a_clock(&mut self, desk: usize) {
        let skew = match self.rng.random_range(0..3) {
            0 => 0,
            1 => self.rng.random_range(-TEN_YEARS..TEN_YEARS),
            _ => self.rng.random_range(-600 * MINUTE..600 * MINUTE),
        };
        match self.rng.random_range(0..4) {
            0 => self.server_skew = skew,
            _ => self.desks[desk].skew = skew,
        }
    }

    /// A desk asks; what it had asked before it no longer waits for.
    fn ask(&mut self, desk: usize) {
        self.exchanges += 1;
        let batch = self.rng.random_range(1..30);
        let digest = self.rng.random_bool(0.1);
        if self.prepare(desk, false) {
            let packed = self.request(desk, batch, digest);
            self.messages.push(Message::Request { desk, exchange: self.exchanges, packed });
        }
    }

    /// What a desk does before it asks: it learns its sites and fills new ones. False when it cannot ask now.
    fn prepare(&mut self, desk: usize, calm: bool) -> bool {
        if self.desks[desk].wiped {
            return false;
        }
        let Some(rng) = &mut self.beside else {
            return true;
        };
        let (pages, limit) =
            if calm { (usize::MAX, 500) } else { (rng.random_range(0..4), rng.random_range(1..20)) };
        let desk = &mut self.desks[desk];
        let known = self.server.devices.get(&desk.store.device);
        if self.server.shut_out.contains_key(&desk.store.device) || known.is_none() {
            return true;
        }
        desk.outstanding = None;
        known.iter().for_each(|device| desk.see_sites(&device.sites));
        desk.fill(&self.server, pages, limit)
    }

    fn request(&mut self, desk: usize, batch: usize, digest: bool) -> Vec<u8> {
        let request = self.desks[desk].request(self.exchanges, batch, digest, self.switches);
        self.packed(&request)
    }

    fn packed<T: serde::Serialize>(&mut self, message: &T) -> Vec<u8> {
        pack(message).unwrap_or_else(|error| {
            self.ledger.faults.push(error.to_string());
            Vec::new()
        })
    }

    /// A message arrives, or is lost on the way (cut off is lost), or arrives and comes again later.
    fn deliver(&mut self) {
        if self.messages.is_empty() {
            return;
        }
        let place = self.rng.random_range(0..self.messages.len());
        let again = self.rng.random_bool(0.08);
        let message = self.messages.swap_remove(place);
        if self.rng.random_bool(0.06) {
            return;
        }
        match message {
            Message::Request { desk, exchange, packed } => {
                let reply = self.serve(&packed);
                // The server may stop between its commit and its answer.
                if self.rng.random_bool(0.95) {
                    self.messages.push(Message::Answer { desk, exchange, reply });
                }
                if again {
                    self.messages.push(Message::Request { desk, exchange, packed });
                }
            }
            Message::Answer { desk, exchange, reply } => {
                let crash = self.rng.random_bool(0.08).then(|| self.rng.random_range(1..6));
                self.receive(desk, exchange, &reply, crash);
                if again {
                    self.messages.push(Message::Answer { desk, exchange, reply });
                }
            }
        }
    }

    fn serve(&mut self, packed: &[u8]) -> Reply {
        let now = self.server_now();
        let page = if self.rng.random_bool(0.5) { self.rng.random_range(1..12) } else { 500 };
        let Ok(request) = unpack::<Request>(packed) else {
            self.ledger.faults.push("a request could not be unpacked".into());
            return Reply::Nothing;
        };
        if let Some((_, wipe)) = self.server.shut_out.get(&request.device).filter(|_| self.switches.shut_out)
        {
            return Reply::ShutOut { wipe: *wipe };
        }
        if !self.server.devices.contains_key(&request.device) {
            // Forgotten by a restore, and nobody uses this identity any more.
            return Reply::Nothing;
        }
        match self.server.handle(&request, now, page, self.switches) {
            Ok(answer) => Reply::Answer(self.packed(&answer)),
            Err(refusal) => Reply::Refused(self.packed(&refusal)),
        }
    }

    fn receive(&mut self, desk: usize, exchange: u64, reply: &Reply, crash: CrashAfter) {
        let answer = match reply {
            Reply::Answer(packed) => unpack::<Answer>(packed).map(Ok),
            Reply::Refused(packed) => unpack::<Refusal>(packed).map(Err),
            Reply::ShutOut { wipe } => {
                self.desks[desk].turned_away(exchange, *wipe);
                return self.mourn();
            }
            Reply::Nothing => return,
        };
        let Ok(answer) = answer else {
            return self.ledger.faults.push("an answer could not be unpacked".into());
        };
        let before = self.desks[desk].kept_ops();
        let taken = self.desks[desk].take(exchange, &answer, crash, self.switches);
        self.note_given_up(desk, before);
        let own = &self.desks[desk].store.own;
        let counted = own.iter().filter(|own| own.verdict.as_ref().is_some_and(|v| v.outcome.counts()));
        self.ledger.acked.extend(counted.map(|own| own.op.op_id));
        match taken {
            Taken::All => {}
            Taken::Crashed => self.desks[desk].restart(),
            Taken::Forked => {
                let device = any_id(&mut self.rng);
                let history = self.desks[desk].fork(device);
                let sites = self.desks[desk].sites.clone();
                self.server.enrol(device, &sites, history);
            }
            Taken::Differs(buckets) => {
                self.ledger.unexplained += usize::from(!self.desks[desk].store.doubt);
                let limit = self.rng.random_range(1..4);
                for (scope, bucket) in buckets {
                    self.desks[desk].pull(&self.server, scope, bucket, limit);
                }
            }
        }
    }

    /// Notes what a desk no longer keeps for a restored server although no backup covers it.
    fn note_given_up(&mut self, desk: usize, before: HashSet<Uuid>) {
        let after = self.desks[desk].kept_ops();
        let own = &self.desks[desk].store.own;
        for op in before.difference(&after).filter(|op| !self.ledger.durable.contains(op)) {
            let written = self.ledger.written.get(op);
            let erased = written.is_none_or(|op| named(op).any(|id| self.server.erased.contains_key(&id)));
            if !erased && !own.iter().any(|own| own.op.op_id == *op) {
                self.ledger.given_up.push(format!("desk {desk} gave {op} up"));
            }
        }
    }

    /// A whole exchange over a network that works.
    fn talk(&mut self, desk: usize) {
        if !self.prepare(desk, true) {
            return;
        }
        self.exchanges += 1;
        let exchange = self.exchanges;
        let packed = self.request(desk, 500, true);
        let reply = self.serve(&packed);
        self.receive(desk, exchange, &reply, None);
    }

    /// The last backup was taken off the host and verified: desks may forget what it covers.
    /// Older ones are not restored any more.
    fn verify_backup(&mut self) {
        if let Some(last) = self.backups.pop() {
            if last.epoch() == self.server.epoch() {
                self.server.durable = self.server.durable.max(last.head);
                self.ledger.durable.extend(&last.counted);
                self.backups.clear();
            }
            self.backups.push(last);
        }
    }

    fn restore(&mut self) {
        if self.backups.is_empty() {
            return;
        }
        let place = self.rng.random_range(0..self.backups.len());
        let mut restored = self.backups[place].clone();
        self.ledger.faults.extend(crate::checks::server(&self.server, &self.ledger));
        self.epochs += 1;
        restored.lineage.push(EpochStart { epoch: self.epochs, head: restored.head });
        self.ledger.faults.extend(std::mem::take(&mut restored.trespasses));
        self.server = restored;
        self.server.erase_again(&self.ledger.erased);
        for desk in self.desks.iter().filter(|desk| !desk.wiped) {
            self.server.enrol(desk.store.device, &desk.sites, desk.history_to);
        }
        self.mourn();
    }

    fn clone_desk(&mut self, desk: usize) {
        if self.desks.len() < 7 && !self.desks[desk].wiped {
            let mut copy = self.desks[desk].clone();
            copy.restart();
            self.desks.push(copy);
        }
    }

    fn set_back(&mut self) {
        if self.copies.is_empty() {
            return;
        }
        let place = self.rng.random_range(0..self.copies.len());
        let (desk, mut copy) = self.copies.swap_remove(place);
        if self.desks[desk].wiped {
            return;
        }
        copy.restart();
        copy.skew = self.desks[desk].skew;
        self.desks[desk] = copy;
        let (id, sites) = (self.desks[desk].store.device, self.desks[desk].sites.clone());
        self.server.enrol(id, &sites, self.desks[desk].history_to);
        self.mourn();
    }

    /// A desk that worked alone joins with its history.
    fn late_comer(&mut self) {
        if self.desks.len() >= 7 {
            return;
        }
        let users = self.desks[0].users.clone();
        self.join(&users);
        let desk = self.desks.len() - 1;
        for _ in 0..self.rng.random_range(1..10) {
            self.act(desk);
        }
        self.enrol_history(desk);
    }

    /// Notes which acknowledged ops are on no machine any more.
    fn mourn(&mut self) {
        let gone: Vec<Uuid> = self
            .ledger
            .acked
            .iter()
            .filter(|op| !self.server.has(**op) && !self.desks.iter().any(|desk| desk.holds(**op)))
            .copied()
            .collect();
        self.ledger.beyond_help.extend(gone);
    }

    /// The storm is over: everybody talks until nothing changes, then every program is upgraded, and they
    /// talk again. False when that never happens.
    pub fn settle(&mut self) -> bool {
        self.messages.clear();
        self.desks.iter_mut().for_each(Desk::restart);
        (0..self.desks.len()).for_each(|desk| self.let_in(desk));
        let mut settled = self.come_to_rest();
        if self.desks.iter().any(|desk| desk.store.older) {
            self.upgrade_all();
            settled &= self.come_to_rest();
        }
        settled
    }

    fn come_to_rest(&mut self) -> bool {
        let mut still = 0;
        for _ in 0..120 {
            let before = (self.server.head, self.state());
            for desk in 0..self.desks.len() {
                self.talk(desk);
            }
            let same = before == (self.server.head, self.state());
            still = if same { still + 1 } else { 0 };
            if still == 2 {
                return true;
            }
        }
        false
    }

    /// What moves while there is work to do.
    fn state(&self) -> Vec<(i64, usize, usize, bool, i64)> {
        let one = |desk: &Desk| {
            let store = &desk.store;
            let cursors = store.cursors.values().sum();
            let offers = store.offers.iter().filter(|offered| offered.rests.is_none()).count();
            (store.acknowledged(), store.own.len(), offers, store.doubt, cursors)
        };
        self.desks.iter().map(one).collect()
    }
}
