//! What the server makes of a desk's ops: the whole write path between load and store, pure.
//!
//! The store opens its transaction, takes the tenant's row lock (so that sequence order is commit
//! order), loads what [`needs`] names, calls [`accept`] and writes the [`Accepted`] it gets.

mod conflict;
mod run;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use aftercare_domain::hlc::Hlc;
use aftercare_domain::op::{FieldValue, Op, chain_hash};
use uuid::Uuid;

use self::conflict::conflict_id;
use self::run::Run;
use crate::entities::{self, Parent};
use crate::record::{Key, Record};
use crate::wire::{Outcome, Refusal};
use crate::{HOSPITAL, Scope};

/// What the server knows of a desk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// Its id.
    pub id: Uuid,
    /// Number of its last op.
    pub last_dseq: i64,
    /// The chain's hash there.
    pub chain: Vec<u8>,
    /// The sites it may see and write, without the hospital's own scope.
    pub sites: BTreeSet<Scope>,
    /// Ops up to this number were written before the desk was enrolled: they stand as they are.
    pub history_to: i64,
}

impl Device {
    /// Whether this desk sees the scope.
    pub fn sees(&self, scope: Scope) -> bool {
        scope == HOSPITAL || self.sites.contains(&scope)
    }
}

/// Which of the protections are on. All of them, always; the simulator proves that each is needed
/// by switching it off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Protections {
    /// Ops must be numbered densely and chained by hash.
    pub chain: bool,
    /// A clock that runs ahead is capped at the server's time.
    pub clock_cap: bool,
    /// An op is counted once, whatever number it comes under.
    pub once: bool,
    /// Commands are judged.
    pub judge: bool,
    /// The stricter value of a strict field wins.
    pub strict: bool,
    /// Author and desk are asked for their rights.
    pub rights: bool,
    /// Nothing of an erased patient comes back.
    pub erased: bool,
}

impl Protections {
    /// All of them.
    pub const ALL: Self = Self {
        chain: true,
        clock_cap: true,
        once: true,
        judge: true,
        strict: true,
        rights: true,
        erased: true,
    };
}

/// One op of a batch, decoded, or why it cannot be.
#[derive(Debug, Clone, PartialEq)]
pub struct Received {
    /// Its number on the desk.
    pub dseq: i64,
    /// As it came.
    pub bytes: Vec<u8>,
    /// The chain's hash after it.
    pub hash: Vec<u8>,
    /// What it says; nothing when it is not an op.
    pub op: Option<Op>,
}

/// The part of a desk's batch that is new, decoded. What an answer that got lost has acknowledged
/// already is skipped.
///
/// # Errors
/// `Refusal::Position` when the ops do not follow what the server has of this desk.
pub fn read_batch(
    device: &Device,
    first: i64,
    chain: &[u8],
    ops: &[impl AsRef<[u8]>],
    protections: Protections,
) -> Result<Vec<Received>, Refusal> {
    let position = || Refusal::Position {
        last_dseq: device.last_dseq,
        chain: serde_bytes::ByteBuf::from(device.chain.clone()),
    };
    let mut hash = chain.to_vec();
    let mut dseq = first - 1;
    let mut follows = dseq == device.last_dseq && hash == device.chain;
    let mut fresh = Vec::with_capacity(ops.len());
    for bytes in ops {
        let bytes = bytes.as_ref();
        dseq += 1;
        hash = chain_hash(&hash, bytes).to_vec();
        if dseq > device.last_dseq {
            fresh.push(Received { dseq, bytes: bytes.to_vec(), hash: hash.clone(), op: decode(bytes) });
        } else if dseq == device.last_dseq {
            follows = hash == device.chain;
        }
    }
    if protections.chain && !follows {
        return Err(position());
    }
    Ok(fresh)
}

/// Reads an op's bytes; nothing when they are none, or are not all of the message.
pub fn decode(bytes: &[u8]) -> Option<Op> {
    let mut rest = bytes;
    let op: Op = ciborium::from_reader(&mut rest).ok()?;
    rest.is_empty().then_some(op)
}

/// What must be loaded before [`accept`].
#[derive(Debug, Default, Clone)]
pub struct Needs {
    /// Which of these ops count already.
    pub ops: Vec<Uuid>,
    /// These records, with the records they hang on.
    pub records: BTreeSet<Key>,
    /// Every record that hangs on these patients, who may move.
    pub whole: BTreeSet<Uuid>,
    /// Which of these are erased patients, or records that went with one.
    pub named: BTreeSet<Uuid>,
}

/// What `batch` touches.
pub fn needs(batch: &[Received]) -> Needs {
    needs_of(batch.iter().filter_map(|received| received.op.as_ref()))
}

/// What these ops touch: a batch's, or what is offered.
pub fn needs_of<'a>(ops: impl Iterator<Item = &'a Op>) -> Needs {
    let mut needs = Needs::default();
    for op in ops {
        needs.ops.push(op.op_id);
        needs.records.insert(Key::new(&op.entity, op.id));
        needs.records.insert(Key::new(entities::USER.table, op.user));
        needs.named.extend(named(op));
        let Some(entity) = entities::find(&op.entity) else {
            continue;
        };
        // A conflict that was raised before the op came again is not raised twice.
        let asked = entity.asked.iter().filter(|field| op.fields.contains_key(**field));
        needs.ops.extend(asked.map(|field| conflict_id(op.op_id, field)));
        match entity.parent {
            Parent::Of(field, parent) => {
                if let Some(id) = id_in(&op.fields, field) {
                    needs.records.insert(Key::new(parent, id));
                }
            }
            Parent::Patient(field) if op.fields.contains_key(field) && op.op_id != op.id => {
                needs.whole.insert(op.id);
            }
            _ => {}
        }
    }
    needs
}

/// The records that an op names: its own, and those in its fields.
pub fn named(op: &Op) -> impl Iterator<Item = Uuid> {
    let ids = op.fields.values().filter_map(|value| match value {
        FieldValue::Bytes(bytes) => Uuid::from_slice(bytes).ok(),
        _ => None,
    });
    std::iter::once(op.id).chain(ids)
}

/// The patients on which these records hang, whose records must be loaded too.
pub fn roots<'a>(records: impl Iterator<Item = &'a Record>) -> BTreeSet<Key> {
    records
        .filter(|record| !record.root.is_nil() && record.root != record.key.id)
        .map(|record| Key::new(entities::PATIENT.table, record.root))
        .collect()
}

/// What was loaded.
#[derive(Debug, Default, Clone)]
pub struct Loaded {
    /// Ops that count already.
    pub known: HashSet<Uuid>,
    /// Records as they are.
    pub records: HashMap<Key, Record>,
    /// Patients who were erased, and the records that went with them, with the patient: nothing of theirs
    /// comes back.
    pub erased: HashMap<Uuid, Uuid>,
}

/// An op as it is stored.
#[derive(Debug, Clone, PartialEq)]
pub struct OpRow {
    /// The server's number.
    pub seq: i64,
    /// The desk's number; 0 for what another desk offered after a restore.
    pub dseq: i64,
    /// The desk that wrote it.
    pub device: Uuid,
    /// Identity of the change; nothing when this row is not where it counts.
    pub op_id: Option<Uuid>,
    /// Which record, where it is known.
    pub key: Option<Key>,
    /// The patient it belongs to; nil when there is none.
    pub root: Uuid,
    /// As it came; empty for a duplicate.
    pub bytes: Vec<u8>,
    /// The chain's hash after it.
    pub hash: Vec<u8>,
    /// Its effective time.
    pub effective: Hlc,
    /// The verdict.
    pub outcome: Outcome,
    /// Whether the desk must put something right.
    pub repair: bool,
    /// Fields the judge left alone.
    pub without: Vec<String>,
    /// Values the judge put in place of the op's.
    pub amended: BTreeMap<String, FieldValue>,
}

/// What a scope is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum News {
    /// The op of this sequence.
    Op,
    /// The patient came.
    Arrive(Uuid),
    /// The patient left.
    Evict(Uuid),
    /// The patient was erased.
    Erase(Uuid),
}

/// A line of a scope's feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeedRow {
    /// Which scope.
    pub scope: Scope,
    /// The server's number.
    pub seq: i64,
    /// What it is told.
    pub news: News,
}

/// What the store writes.
#[derive(Debug, Default)]
pub struct Accepted {
    /// The last sequence given.
    pub head: i64,
    /// The desk's last number and hash, if it moved.
    pub position: Option<(i64, Vec<u8>)>,
    /// Ops, in order of sequence.
    pub ops: Vec<OpRow>,
    /// Feeds.
    pub feed: Vec<FeedRow>,
    /// Records made or changed.
    pub records: Vec<Record>,
    /// Records that were refused because they name an erased patient, or one of that patient's, with the
    /// patient: what names them is refused too, and what was kept of them goes.
    pub erased: BTreeMap<Uuid, Uuid>,
    /// What became of each offer, in their order; see [`crate::desk::read_offered`].
    pub offered: Vec<Outcome>,
    /// What to add to each digest: scope, bucket, amount (modulo 2^128).
    pub digests: BTreeMap<(Scope, usize), u128>,
}

/// Judges and folds a batch. `head` is the tenant's last sequence under its lock, `server_millis`
/// the server's time.
pub fn accept(
    device: &Device,
    batch: Vec<Received>,
    mut loaded: Loaded,
    head: i64,
    server_millis: i64,
    protections: Protections,
) -> Accepted {
    accept_in(device, batch, &mut loaded, head, server_millis, protections)
}

/// The same over what several batches share: afterwards `loaded` is what the next one finds, so that a
/// store can take in many desks' batches, one behind the other, in one transaction.
pub fn accept_in(
    device: &Device,
    batch: Vec<Received>,
    loaded: &mut Loaded,
    head: i64,
    server_millis: i64,
    protections: Protections,
) -> Accepted {
    let position = batch.last().map(|last| (last.dseq, last.hash.clone()));
    let mut run = Run::new(device, std::mem::take(loaded), head, server_millis, protections);
    for received in batch {
        run.take(received);
    }
    let (accepted, after) = run.finish();
    *loaded = after;
    Accepted { position, ..accepted }
}

/// Takes in ops that desks received before the server was restored. Their seals have been
/// checked: each was accepted once, so nobody's rights are asked again. A request's offers are
/// taken before its ops, which may hang on them. What became of each stands in `offered`.
pub fn accept_offers(
    device: &Device,
    offers: Vec<(Op, Vec<u8>, Hlc)>,
    mut loaded: Loaded,
    head: i64,
    server_millis: i64,
    protections: Protections,
) -> Accepted {
    accept_offers_in(device, offers, &mut loaded, head, server_millis, protections)
}

/// The same over what several batches share, as [`accept_in`] does it.
pub fn accept_offers_in(
    device: &Device,
    offers: Vec<(Op, Vec<u8>, Hlc)>,
    loaded: &mut Loaded,
    head: i64,
    server_millis: i64,
    protections: Protections,
) -> Accepted {
    let mut run = Run::new(device, std::mem::take(loaded), head, server_millis, protections);
    for (op, bytes, effective) in offers {
        run.take_offer(&op, bytes, effective);
    }
    let (accepted, after) = run.finish();
    *loaded = after;
    accepted
}

fn id_in(fields: &BTreeMap<String, FieldValue>, name: &str) -> Option<Uuid> {
    match fields.get(name) {
        Some(FieldValue::Bytes(bytes)) => Uuid::from_slice(bytes).ok(),
        _ => None,
    }
}
