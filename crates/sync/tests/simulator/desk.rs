//! A desk: what its people write, and how it goes through a sync.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;

use aftercare_domain::op::{ChangeKind, FieldValue, OP_PROTOCOL, Op};
use aftercare_sync::Scope;
use aftercare_sync::desk::{
    Replica, Trouble, is_settled, read_refusal, take_bucket, take_page, take_verdicts, waits_for,
};
use aftercare_sync::entities::{self, Entity};
use aftercare_sync::fold::{Clock, UNSENT};
use aftercare_sync::wire::{Answer, PROTOCOL, Refusal, Request};
use serde_bytes::ByteBuf;
use uuid::Uuid;

use crate::replica::{Row, Store};
use crate::server::Server;
use crate::switches::Switches;

/// An exchange under way.
#[derive(Debug, Clone)]
pub struct Outstanding {
    pub exchange: u64,
    offered: usize,
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
        Self { store, sites, users, skew, history_to: 0, outstanding: None, behind: None, tried: false }
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
        let offers: Vec<_> =
            self.store.offers.iter().filter(|_| switches.offers).take(batch).cloned().collect();
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
        };
        self.outstanding = Some(Outstanding { exchange, offered: request.offers.len() });
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
        let offered = self.outstanding.take().map_or(0, |out| out.offered);
        match answer {
            Ok(answer) => self.take_answer(answer, offered, crash, switches),
            Err(refusal) => self.take_refusal(refusal, switches),
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
        offered: usize,
        crash: CrashAfter,
        switches: Switches,
    ) -> Taken {
        let mut done = 0;
        let mut commit = || {
            done += 1;
            crash == Some(done)
        };
        sure(take_verdicts(&mut self.store, &answer.verdicts));
        self.behind = None;
        if commit() {
            return Taken::Crashed;
        }
        let mut outcomes = answer.offered.iter();
        let mut place = 0;
        self.store.offers.retain(|_| {
            place += 1;
            place > offered || !outcomes.next().is_some_and(is_settled)
        });
        self.tried |= offered > 0;
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
            let Some(verdict) = own.verdict.as_ref().filter(|_| !own.again) else {
                continue;
            };
            let here = waits_for(&own.op, &verdict.outcome).is_some_and(|key| {
                entities::find(&key.entity).is_some_and(|entity| sure(self.store.exists(entity, key.id)))
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
            && self.store.offers.is_empty()
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
        self.store.own.iter().any(|own| own.op.op_id == op)
            || self.store.received.values().map(|fed| &fed.bytes).any(|bytes| is(bytes, op))
            || self.store.offers.iter().any(|offer| is(&offer.bytes, op))
    }

    pub fn restart(&mut self) {
        self.outstanding = None;
        (self.behind, self.tried) = (None, false);
    }
}

fn is(bytes: &[u8], op: Uuid) -> bool {
    aftercare_sync::accept::decode(bytes).is_some_and(|read| read.op_id == op)
}

/// Maps do not fail.
pub fn sure<T>(result: Result<T, Infallible>) -> T {
    result.unwrap_or_else(|never| match never {})
}
