//! A desk: what its people write, and how it goes through a sync.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::convert::Infallible;

use aftercare_domain::op::{ChangeKind, FieldValue, OP_PROTOCOL, Op};
use aftercare_sync::Scope;
use aftercare_sync::desk::{
    self, Replica, Trouble, read_offered, read_refusal, take_bucket, take_kept, take_page, take_verdicts,
    waits_for,
};
use aftercare_sync::entities::{self, Entity};
use aftercare_sync::fold::{Clock, UNSENT};
use aftercare_sync::record::Key;
use aftercare_sync::wire::{Answer, PROTOCOL, Refusal, Request};
use serde_bytes::ByteBuf;
use uuid::Uuid;

use crate::replica::{Offered, Row, Store};
use crate::server::Server;
use crate::switches::Switches;

/// An exchange under way.
#[derive(Debug, Clone)]
pub struct Outstanding {
    pub exchange: u64,
    /// The ops that were offered, in their order.
    offered: Vec<Uuid>,
}

#[derive(Debug, Clone)]
pub struct Desk {
    pub store: Store,
    pub sites: BTreeSet<Scope>,
    pub users: Vec<Uuid>,
    /// How far its clock is off, milliseconds.
    pub skew: i64,
    pub history_to: i64,
    /// In memory only, lost with a crash.
    pub outstanding: Option<Outstanding>,
    /// The server has so many of the desk's ops: the answer with their verdicts was lost.
    behind: Option<i64>,
    /// Offers have been tried and wait for others.
    tried: bool,
    /// A new site is being filled: from which sequence on its feed goes on, and after which record.
    pub filling: BTreeMap<Scope, (i64, Option<Key>)>,
    /// It ran a program that knew less.
    pub was_older: bool,
    /// It was erased because its PC was lost.
    pub wiped: bool,
}

/// How far an answer was taken in.
#[derive(Debug, PartialEq, Eq)]
pub enum Taken {
    All,
    /// The desk crashed on the way; what was committed before stays.
    Crashed,
    /// The desk needs a new identity.
    Forked,
    /// These buckets differ although everything is there.
    Differs(Vec<(Scope, usize)>),
}

/// After how many transactions of an answer the desk crashes; nothing: not at all.
pub type CrashAfter = Option<usize>;

impl Desk {
    pub fn new(device: Uuid, sites: BTreeSet<Scope>, users: Vec<Uuid>, skew: i64) -> Self {
        let store = Store { device, ..Store::default() };
        Self {
            store,
            sites,
            users,
            skew,
            history_to: 0,
            outstanding: None,
            behind: None,
            tried: false,
            filling: BTreeMap::new(),
            was_older: false,
            wiped: false,
        }
    }

    /// Writes one op and carries it out, in one transaction.
    #[allow(clippy::too_many_arguments)]
    pub fn write(
        &mut self,
        user: Uuid,
        entity: &'static Entity,
        id: Uuid,
        op_id: Uuid,
        command: Option<&str>,
        fields: BTreeMap<String, FieldValue>,
        now: i64,
    ) {
        let Some(entity) = self.store.find(entity.table) else { return };
        let mut fields = fields;
        if self.store.older {
            fields.retain(|field, _| entity.allows(field, ChangeKind::Command));
            if fields.is_empty() {
                return;
            }
        }
        let hlc = self.store.hlc.tick(now);
        self.store.hlc = hlc;
        let made = !self.store.rows.contains_key(&id);
        let op_id = if made { id } else { op_id };
        let mut base = BTreeMap::new();
        let row = self.store.rows.entry(id).or_insert_with(|| Row {
            entity,
            values: BTreeMap::new(),
            clocks: BTreeMap::new(),
        });
        let clock = Clock { op: op_id, effective: hlc, seq: UNSENT };
        for (field, value) in &fields {
            if !made {
                base.insert(field.clone(), row.clocks.get(field).map_or(id, |clock| clock.op));
            }
            if !entity.allows(field, ChangeKind::Command) {
                continue;
            }
            if *value == FieldValue::Null {
                row.values.remove(field);
            } else {
                row.values.insert(field.clone(), value.clone());
            }
            if !made {
                row.clocks.insert(field.clone(), clock);
            }
        }
        let kind = if command.is_some() { ChangeKind::Command } else { entity.kind };
        self.append(user, kind, entity.table, id, op_id, command, fields, base);
    }

    /// An op of a newer program, which this one can only pass on.
    #[allow(clippy::too_many_arguments)]
    pub fn append(
        &mut self,
        user: Uuid,
        kind: ChangeKind,
        entity: &str,
        id: Uuid,
        op_id: Uuid,
        command: Option<&str>,
        fields: BTreeMap<String, FieldValue>,
        base: BTreeMap<String, Uuid>,
    ) {
        self.store.append(&Op {
            protocol: OP_PROTOCOL,
            op_id,
            dseq: 0,
            device: self.store.device,
            user,
            hlc: self.store.hlc,
            kind,
            entity: entity.to_owned(),
            id,
            command: command.map(str::to_owned),
            fields,
            base,
        });
    }

    /// The next request: lost ops are offered first, what the desk wrote may hang on them.
    pub fn request(
        &mut self,
        exchange: u64,
        batch: usize,
        wants_digest: bool,
        switches: Switches,
    ) -> Request {
        let acknowledged = self.store.acknowledged();
        let before = self.behind.unwrap_or(acknowledged);
        let waiting = self.store.offers.iter().filter(|offered| switches.offers && offered.rests.is_none());
        let (offered, offers): (Vec<_>, Vec<_>) =
            waiting.take(batch).map(|offered| (offered.op, offered.offer.clone())).unzip();
        let silent = self.behind.is_some() || !(offers.is_empty() || self.tried);
        let ops = self.store.own.iter().skip(before as usize).take(if silent { 0 } else { batch });
        let request = Request {
            protocol: PROTOCOL,
            epoch: self.store.epochs.last().map_or(0, |start| start.epoch),
            device: self.store.device,
            acknowledged,
            first: before + 1,
            chain: ByteBuf::from(self.store.chain(before.min(self.store.own.len() as i64))),
            ops: ops.map(|own| ByteBuf::from(own.bytes.clone())).collect(),
            cursors: self.store.cursors.clone(),
            offers,
            wants_digest,
            entities: if self.store.older { 1 } else { entities::fingerprint() },
        };
        self.outstanding = Some(Outstanding { exchange, offered });
        request
    }

    /// Takes an answer in, transaction by transaction.
    pub fn take(
        &mut self,
        exchange: u64,
        answer: &Result<Answer, Refusal>,
        crash: CrashAfter,
        switches: Switches,
    ) -> Taken {
        if self.outstanding.as_ref().is_none_or(|out| out.exchange != exchange) {
            return Taken::All;
        }
        let offered = self.outstanding.take().map_or(Vec::new(), |out| out.offered);
        match answer {
            Ok(answer) => self.take_answer(answer, &offered, crash, switches),
            Err(refusal) => self.take_refusal(refusal, switches),
        }
    }

    /// The server does not speak with this desk any more. What is unsent stays, but for a lost PC.
    pub fn turned_away(&mut self, exchange: u64, wipe: bool) {
        if self.outstanding.take_if(|out| out.exchange == exchange).is_some() && wipe {
            self.store = Store { device: self.store.device, ..Store::default() };
            self.wiped = true;
        }
    }

    fn take_refusal(&mut self, refusal: &Refusal, switches: Switches) -> Taken {
        let trouble = sure(read_refusal(&mut self.store, refusal));
        match (trouble, refusal) {
            (Trouble::AnswerLost { last_dseq }, _) => self.behind = Some(last_dseq),
            (Trouble::NewEpoch, _) => (self.behind, self.tried) = (None, false),
            (Trouble::Forked, _) if switches.fork_detection => return Taken::Forked,
            (Trouble::Forked, Refusal::Position { last_dseq, .. } | Refusal::Epoch { last_dseq, .. }) => {
                self.behind = Some((*last_dseq).min(self.store.own.len() as i64));
            }
            (Trouble::Forked | Trouble::Upgrade, _) => {}
        }
        Taken::All
    }

    fn take_answer(
        &mut self,
        answer: &Answer,
        offered: &[Uuid],
        crash: CrashAfter,
        switches: Switches,
    ) -> Taken {
        let mut done = 0;
        let mut commit = || {
            done += 1;
            crash == Some(done)
        };
        sure(take_verdicts(&mut self.store, &answer.verdicts, &self.sites));
        self.behind = None;
        if commit() {
            return Taken::Crashed;
        }
        for (op, outcome) in offered.iter().zip(&answer.offered) {
            let fate = read_offered(outcome, answer.head);
            let mine = |offered: &Offered| offered.op == *op && offered.rests.is_none();
            match fate {
                desk::Offered::Again => {}
                desk::Offered::Rests(head) if switches.rest => {
                    self.store.offers.iter_mut().filter(|offered| mine(offered)).for_each(|offered| {
                        offered.rests = Some(head);
                    });
                }
                desk::Offered::Rests(_) | desk::Offered::Gone => self.store.offers.retain(|o| !mine(o)),
            }
        }
        self.tried |= !offered.is_empty();
        if commit() {
            return Taken::Crashed;
        }
        for page in &answer.pages {
            if !switches.cursor_with_page {
                sure(self.store.set_cursor(page.scope, page.up_to));
                if commit() {
                    return Taken::Crashed;
                }
            }
            sure(take_page(&mut self.store, page, &self.sites));
            if commit() {
                return Taken::Crashed;
            }
        }
        self.finish(answer)
    }

    fn finish(&mut self, answer: &Answer) -> Taken {
        let server = aftercare_domain::hlc::Hlc::default().tick(answer.server_millis);
        sure(self.store.see_clock(server));
        self.store.received = self.store.received.split_off(&(answer.durable_seq + 1));
        self.store.offers.retain(|offered| offered.rests.is_none_or(|rests| rests > answer.durable_seq));
        if !self.store.doubt && answer.pages.iter().all(|page| !page.more) {
            self.send_again();
        }
        if answer.digests.is_empty() || !self.is_quiet(answer) {
            return Taken::All;
        }
        let differing: Vec<(Scope, usize)> = answer
            .digests
            .iter()
            .flat_map(|(scope, digest)| {
                let ours = self.store.digest(*scope);
                digest.differing(&ours).into_iter().map(|bucket| (*scope, bucket))
            })
            .collect();
        if differing.is_empty() {
            self.store.doubt = false;
            return Taken::All;
        }
        Taken::Differs(differing)
    }

    /// Ops that wait for a record which is here now go out once more.
    fn send_again(&mut self) {
        for place in 0..self.store.own.len() {
            let own = self.store.own[place].clone();
            let Some(verdict) = own.verdict.as_ref().filter(|_| !own.again && !own.bytes.is_empty()) else {
                continue;
            };
            let here = waits_for(&own.op, &verdict.outcome).is_some_and(|key| {
                self.store.find(&key.entity).is_some_and(|entity| sure(self.store.exists(entity, key.id)))
            });
            if here {
                self.store.own[place].again = true;
                self.store.append(&own.op);
            }
        }
    }

    /// Whether nothing is under way between the desk and the server's head.
    pub fn is_quiet(&self, answer: &Answer) -> bool {
        self.store.own.iter().all(|own| own.verdict.is_some())
            && self.store.offers.iter().all(|offered| offered.rests.is_some())
            && answer.pages.iter().all(|page| !page.more && page.up_to == answer.head)
    }

    /// Pulls a bucket in which the digests differ, page by page.
    pub fn pull(&mut self, server: &Server, scope: Scope, bucket: usize, limit: usize) {
        let mut after = None;
        loop {
            let page = server.bucket_records(scope, bucket, after.as_ref(), limit);
            sure(take_bucket(&mut self.store, scope, bucket, after.as_ref(), &page));
            if page.next.is_none() {
                return;
            }
            after = page.next;
        }
    }

    /// Takes another identity: what has no verdict, or waits, is numbered anew. Answers how many of
    /// the new numbers were history.
    pub fn fork(&mut self, device: Uuid) -> i64 {
        let own = std::mem::take(&mut self.store.own);
        self.store.device = device;
        (self.behind, self.tried) = (None, false);
        let mut history = 0;
        for own in own {
            let waits = |outcome| waits_for(&own.op, outcome).is_some() && !own.again;
            match &own.verdict {
                _ if own.bytes.is_empty() => {}
                Some(verdict) if !waits(&verdict.outcome) => {}
                _ => {
                    history += i64::from(own.op.dseq <= self.history_to);
                    self.store.append(&own.op);
                }
            }
        }
        self.history_to = history;
        history
    }

    /// Whether the desk still has the op's bytes.
    pub fn holds(&self, op: Uuid) -> bool {
        self.store.own.iter().any(|own| own.op.op_id == op && !own.bytes.is_empty()) || self.spares(op)
    }

    fn spares(&self, op: Uuid) -> bool {
        self.store.received.values().any(|received| received.op == op)
            || self.store.offers.iter().any(|offered| offered.op == op)
    }

    /// The ops that the desk keeps for a server that is restored.
    pub fn kept_ops(&self) -> HashSet<Uuid> {
        let received = self.store.received.values().map(|received| received.op);
        received.chain(self.store.offers.iter().map(|offered| offered.op)).collect()
    }

    /// The program is exchanged for this year's.
    pub fn upgrade(&mut self, switches: Switches) {
        if !std::mem::take(&mut self.store.older) {
            return;
        }
        self.was_older = true;
        for row in self.store.rows.values_mut() {
            row.entity = entities::find(row.entity.table).unwrap_or(row.entity);
        }
        if !switches.upgrade {
            // It takes what the older program left for the whole.
            self.store.doubt = false;
            return;
        }
        for (seq, fed) in self.store.kept.clone() {
            if sure(take_kept(&mut self.store, seq, &fed)) {
                self.store.kept.remove(&seq);
            }
        }
        self.store.doubt = true;
    }

    pub fn restart(&mut self) {
        self.outstanding = None;
        (self.behind, self.tried) = (None, false);
    }
}

/// Maps do not fail.
pub fn sure<T>(result: Result<T, Infallible>) -> T {
    result.unwrap_or_else(|never| match never {})
}
