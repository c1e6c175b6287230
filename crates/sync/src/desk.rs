//! What a desk does with the server's words. The desk's store is a [`Replica`]: the real one is
//! SQL over the typed tables, the simulator's a few maps; both run these functions.
//!
//! A caller runs each function in one transaction of the replica, so that a page and its cursor,
//! or a verdict and its repair, are stored together or not at all.

use std::collections::{BTreeMap, BTreeSet};

use aftercare_domain::hlc::Hlc;
use aftercare_domain::op::{ChangeKind, FieldValue, Op};
use serde_bytes::ByteBuf;
use uuid::Uuid;

use crate::Scope;
use crate::accept::decode;
use crate::entities::{self, Entity};
use crate::fold::{self, Clock};
use crate::record::Record;
use crate::wire::{Entry, Event, FedOp, Page, Refusal, Repair, Verdict};

/// A desk's store, within one transaction.
pub trait Replica {
    /// What can go wrong underneath.
    type Error;

    /// The chain's hash after the desk's own op `dseq` (0: before the first), if there is one.
    fn own_hash(&mut self, dseq: i64) -> Result<Option<Vec<u8>>, Self::Error>;
    /// The desk's own op of this number.
    fn own_op(&mut self, dseq: i64) -> Result<Option<Op>, Self::Error>;
    /// Whether the record is there.
    fn exists(&mut self, entity: &'static Entity, id: Uuid) -> Result<bool, Self::Error>;
    /// The write that holds a field, if it was changed after the record was made.
    fn clock(&mut self, id: Uuid, field: &str) -> Result<Option<Clock>, Self::Error>;
    /// Makes a record with fields of `entity`, made by `created`.
    fn create(
        &mut self,
        entity: &'static Entity,
        id: Uuid,
        values: &BTreeMap<String, FieldValue>,
        created: &Clock,
    ) -> Result<(), Self::Error>;
    /// Writes fields of a record, each with its clock; no clock: as the record was made.
    fn set(
        &mut self,
        entity: &'static Entity,
        id: Uuid,
        fields: &[(String, FieldValue, Option<Clock>)],
    ) -> Result<(), Self::Error>;
    /// Gives fields another clock and leaves their values.
    fn restamp(&mut self, id: Uuid, fields: &[String], clock: &Clock) -> Result<(), Self::Error>;
    /// Removes a record that the server never took.
    fn remove(&mut self, entity: &'static Entity, id: Uuid) -> Result<(), Self::Error>;
    /// Removes a patient with everything that hangs on them.
    fn remove_root(&mut self, root: Uuid, erased: bool) -> Result<(), Self::Error>;
    /// Stores the verdict on an own op.
    fn settle(&mut self, verdict: &Verdict) -> Result<(), Self::Error>;
    /// Keeps an op as it came, until the server says that it is durable.
    fn keep_received(&mut self, seq: i64, op: &FedOp) -> Result<(), Self::Error>;
    /// Keeps an event that this program does not understand, for its successor.
    fn keep_unknown(&mut self, seq: i64, op: &FedOp) -> Result<(), Self::Error>;
    /// How far the desk has the scope.
    fn set_cursor(&mut self, scope: Scope, seq: i64) -> Result<(), Self::Error>;
    /// Makes the desk's clock later than what it saw.
    fn see_clock(&mut self, seen: Hlc) -> Result<(), Self::Error>;
    /// The server was restored to `head` and has the desk's ops up to `last_dseq`: what came later
    /// is unsent again (own) or to be offered (others'), and nothing is numbered above `head`.
    fn begin_epoch(&mut self, epoch: i64, head: i64, last_dseq: i64) -> Result<(), Self::Error>;
}

/// What a refusal means for this desk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// An answer was lost: the server has the desk's ops up to here. Go on behind it.
    AnswerLost {
        /// The last number the server has.
        last_dseq: i64,
    },
    /// A new epoch was begun; ask again.
    NewEpoch,
    /// This database is a copy of another desk's, or an old state of it: it needs an identity of
    /// its own, under which what is unsent is numbered anew.
    Forked,
    /// Program or server is too old.
    Upgrade,
}

/// Deals with a refusal.
///
/// # Errors
/// The replica's.
pub fn read_refusal<R: Replica>(replica: &mut R, refusal: &Refusal) -> Result<Trouble, R::Error> {
    match refusal {
        Refusal::Upgrade { .. } => Ok(Trouble::Upgrade),
        Refusal::Position { last_dseq, chain } => {
            let ours = replica.own_hash(*last_dseq)?;
            let same = ours.as_deref() == Some(chain.as_slice());
            Ok(if same { Trouble::AnswerLost { last_dseq: *last_dseq } } else { Trouble::Forked })
        }
        Refusal::Epoch { epoch, head, last_dseq, chain } => {
            if replica.own_hash(*last_dseq)?.as_deref() != Some(chain.as_slice()) {
                return Ok(Trouble::Forked);
            }
            replica.begin_epoch(*epoch, *head, *last_dseq)?;
            Ok(Trouble::NewEpoch)
        }
    }
}

/// Takes the verdicts on the desk's own ops.
///
/// # Errors
/// The replica's.
pub fn take_verdicts<R: Replica>(replica: &mut R, verdicts: &[Verdict]) -> Result<(), R::Error> {
    for verdict in verdicts {
        replica.settle(verdict)?;
        let Some(op) = replica.own_op(verdict.dseq)? else {
            continue;
        };
        if verdict.outcome.counts() {
            let clock = Clock { op: op.op_id, effective: verdict.effective, seq: verdict.seq };
            restamp_own(replica, &op, &clock)?;
        }
        match (&verdict.repair, entities::find(&op.entity)) {
            (Some(Repair::Record(record)), _) => {
                let fields: BTreeSet<&str> = op.fields.keys().map(String::as_str).collect();
                merge_record(replica, record, Some((op.op_id, fields)))?;
            }
            (Some(Repair::Absent), Some(entity)) => replica.remove(entity, op.id)?,
            (Some(Repair::Absent), None) | (None, _) => {}
        }
    }
    Ok(())
}

/// The fields that an own op still holds get its number.
fn restamp_own<R: Replica>(replica: &mut R, op: &Op, clock: &Clock) -> Result<(), R::Error> {
    let mut held = Vec::new();
    for field in op.fields.keys() {
        if replica.clock(op.id, field)?.is_some_and(|holder| holder.op == op.op_id) {
            held.push(field.clone());
        }
    }
    if held.is_empty() { Ok(()) } else { replica.restamp(op.id, &held, clock) }
}

/// Applies a page and notes how far it goes. `sites` are the desk's.
///
/// # Errors
/// The replica's.
pub fn take_page<R: Replica>(replica: &mut R, page: &Page, sites: &BTreeSet<Scope>) -> Result<(), R::Error> {
    for entry in &page.entries {
        take_entry(replica, entry, sites)?;
    }
    replica.set_cursor(page.scope, page.up_to)
}

fn take_entry<R: Replica>(replica: &mut R, entry: &Entry, sites: &BTreeSet<Scope>) -> Result<(), R::Error> {
    match &entry.event {
        Event::Op(fed) => take_op(replica, entry.seq, fed),
        Event::Arrive { records, .. } => {
            records.iter().try_for_each(|record| merge_record(replica, record, None))
        }
        Event::Evict { to, .. } if sites.contains(to) || *to == crate::HOSPITAL => Ok(()),
        Event::Evict { root, .. } => replica.remove_root(*root, false),
        Event::Erase { root } => replica.remove_root(*root, true),
    }
}

/// Applies one op, in any order and any number of times.
///
/// # Errors
/// The replica's.
pub fn take_op<R: Replica>(replica: &mut R, seq: i64, fed: &FedOp) -> Result<(), R::Error> {
    replica.keep_received(seq, fed)?;
    replica.see_clock(fed.effective)?;
    let Some(op) = decode(&fed.bytes) else {
        return replica.keep_unknown(seq, fed);
    };
    let Some(entity) = entities::find(&op.entity) else {
        return replica.keep_unknown(seq, fed);
    };
    let knows = |field: &String| entity.allows(field, ChangeKind::Command);
    if !op.fields.keys().all(knows) {
        replica.keep_unknown(seq, fed)?;
    }
    let clock = Clock { op: op.op_id, effective: fed.effective, seq };
    let makes = op.kind != ChangeKind::Command && op.base.is_empty();
    if !replica.exists(entity, op.id)? {
        // A change of a record that is not here: it left with its patient.
        if makes {
            let values = op.fields.into_iter().filter(|(field, _)| knows(field)).collect();
            replica.create(entity, op.id, &values, &clock)?;
        }
        return Ok(());
    }
    if op.op_id == op.id {
        return Ok(());
    }
    let mut wins = Vec::new();
    let mut fields = op.fields;
    fields.extend(fed.amended.iter().map(|(field, value)| (field.clone(), value.clone())));
    for (field, value) in fields {
        if !knows(&field) || fed.without.contains(&field) {
            continue;
        }
        let holder = replica.clock(op.id, &field)?;
        if fold::takes_over(entity, &field, &clock, holder.as_ref()) {
            wins.push((field, value, Some(clock)));
        }
    }
    if wins.is_empty() { Ok(()) } else { replica.set(entity, op.id, &wins) }
}

/// Brings a record to the server's state, field by field where the server's write is the later
/// one. `undone`: an own op whose fields give way in any case; one that made the record (two desks
/// made it under the same id) holds every field that nobody changed since.
///
/// # Errors
/// The replica's.
pub fn merge_record<R: Replica>(
    replica: &mut R,
    record: &Record,
    undone: Option<(Uuid, BTreeSet<&str>)>,
) -> Result<(), R::Error> {
    let Some(entity) = entities::find(&record.key.entity) else {
        return Ok(());
    };
    let id = record.key.id;
    let knows = |field: &str| entity.allows(field, ChangeKind::Command);
    if !replica.exists(entity, id)? {
        let known = record.values.iter().filter(|(field, _)| knows(field));
        let values = known.map(|(field, value)| (field.clone(), value.clone())).collect();
        replica.create(entity, id, &values, &record.created)?;
        let clocks: Vec<_> = record
            .clocks
            .iter()
            .filter(|(field, _)| knows(field))
            .map(|(field, clock)| (field.clone(), record.value(field).clone(), Some(*clock)))
            .collect();
        return if clocks.is_empty() { Ok(()) } else { replica.set(entity, id, &clocks) };
    }
    let mut names: BTreeSet<&str> = record.clocks.keys().map(String::as_str).collect();
    if let Some((_, fields)) = &undone {
        names.extend(fields);
        if undone.as_ref().is_some_and(|(op, _)| *op == id) {
            names.extend(record.values.keys().map(String::as_str));
        }
    }
    let mut wins = Vec::new();
    for field in names.into_iter().filter(|field| knows(field)) {
        let theirs = record.clocks.get(field);
        let ours = replica.clock(id, field)?;
        let gives_way = undone.as_ref().is_some_and(|(op, _)| ours.map_or(id, |ours| ours.op) == *op);
        let later = theirs.is_some_and(|theirs| fold::takes_over(entity, field, theirs, ours.as_ref()));
        if gives_way || later {
            wins.push((field.to_owned(), record.value(field).clone(), theirs.copied()));
        }
    }
    if wins.is_empty() { Ok(()) } else { replica.set(entity, id, &wins) }
}

/// The desk's own op under a new identity: the same change with the same id, numbered anew.
pub fn renumber(op: &Op, device: Uuid, dseq: i64) -> Op {
    Op { device, dseq, ..op.clone() }
}

/// The bytes of an op.
pub fn encode(op: &Op) -> ByteBuf {
    let mut bytes = Vec::new();
    // Writing to memory cannot fail, and an op holds nothing that CBOR cannot say.
    let _ = ciborium::into_writer(op, &mut bytes);
    ByteBuf::from(bytes)
}
