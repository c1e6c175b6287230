//! One hospital in one seed: desks, a server, a network that loses, repeats and delays, and
//! everything else that happens to PCs and servers.

use std::collections::{BTreeSet, HashSet};

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

enum Message {
    Request { desk: usize, exchange: u64, request: Box<Request> },
    Answer { desk: usize, exchange: u64, answer: Box<Result<Answer, Refusal>> },
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
}

pub struct World {
    rng: StdRng,
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
    pub fn new(seed: u64, switches: Switches) -> Self {
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
            rng,
        };
        for _ in 0..world.rng.random_range(2..5) {
            world.join(&users);
        }
        let now = world.desk_now(0);
        found(&mut world.desks[0], &mut world.rng, now);
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
        self.desks.push(Desk::new(device, sites, users.to_vec(), skew));
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
        let desk = self.rng.random_range(0..self.desks.len());
        match self.rng.random_range(0..1000) {
            0..400 => {
                let now = self.desk_now(desk);
                act(&mut self.desks[desk], &mut self.rng, now);
            }
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
        let request = self.desks[desk].request(self.exchanges, batch, digest, self.switches);
        let request = Box::new(request);
        self.messages.push(Message::Request { desk, exchange: self.exchanges, request });
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
            Message::Request { desk, exchange, request } => {
                let answer = self.serve(&request);
                // The server may stop between its commit and its answer.
                if self.rng.random_bool(0.95) {
                    self.messages.push(Message::Answer { desk, exchange, answer: Box::new(answer) });
                }
                if again {
                    self.messages.push(Message::Request { desk, exchange, request });
                }
            }
            Message::Answer { desk, exchange, answer } => {
                let crash = self.rng.random_bool(0.08).then(|| self.rng.random_range(1..6));
                self.receive(desk, exchange, &answer, crash);
                if again {
                    self.messages.push(Message::Answer { desk, exchange, answer });
                }
            }
        }
    }

    fn serve(&mut self, request: &Request) -> Result<Answer, Refusal> {
        let now = self.server_now();
        let page = if self.rng.random_bool(0.5) { self.rng.random_range(1..12) } else { 500 };
        if !self.server.devices.contains_key(&request.device) {
            // Forgotten by a restore, and nobody uses this identity any more.
            return Err(Refusal::Upgrade { oldest: 0, newest: 0 });
        }
        self.server.handle(request, now, page, self.switches)
    }

    fn receive(&mut self, desk: usize, exchange: u64, answer: &Result<Answer, Refusal>, crash: CrashAfter) {
        let taken = self.desks[desk].take(exchange, answer, crash, self.switches);
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

    /// A whole exchange over a network that works.
    fn talk(&mut self, desk: usize) {
        self.exchanges += 1;
        let exchange = self.exchanges;
        let request = self.desks[desk].request(exchange, 500, true, self.switches);
        let answer = self.serve(&request);
        self.receive(desk, exchange, &answer, None);
    }

    /// The last backup was taken off the host and verified: desks may forget what it covers.
    /// Older ones are not restored any more.
    fn verify_backup(&mut self) {
        if let Some(last) = self.backups.pop() {
            if last.epoch() == self.server.epoch() {
                self.server.durable = self.server.durable.max(last.head);
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
        self.server = restored;
        for desk in &self.desks {
            self.server.enrol(desk.store.device, &desk.sites, desk.history_to);
        }
        self.mourn();
    }

    fn clone_desk(&mut self, desk: usize) {
        if self.desks.len() < 7 {
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
            let now = self.desk_now(desk);
            act(&mut self.desks[desk], &mut self.rng, now);
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

    /// The storm is over: everybody talks until nothing changes. False when that never happens.
    pub fn settle(&mut self) -> bool {
        self.messages.clear();
        self.desks.iter_mut().for_each(Desk::restart);
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
            (store.acknowledged(), store.own.len(), store.offers.len(), store.doubt, cursors)
        };
        self.desks.iter().map(one).collect()
    }
}
