//! What the server makes of a desk's ops: the whole write path between load and store, pure.
//!
//! The store opens its transaction, takes the tenant's row lock (so that sequence order is commit
//! order), loads what [`needs`] names, calls [`accept`] and writes the [`Accepted`] it gets.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use aftercare_domain::access::{Permission, Role, permissions_of};
use aftercare_domain::hlc::Hlc;
use aftercare_domain::op::{ChangeKind, FieldValue, OP_PROTOCOL, Op, chain_hash};
use uuid::Uuid;

use crate::canonical::content_hash;
use crate::digest::bucket;
use crate::entities::{self, Entity, Parent};
use crate::fold::{self, Clock};
use crate::judge::{self, Ruling};
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
}

impl Protections {
    /// All of them.
    pub const ALL: Self = Self { chain: true, clock_cap: true, once: true, judge: true, strict: true };
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
    /// Which of these ops are known.
    pub ops: Vec<Uuid>,
    /// These records, with the records they hang on.
    pub records: BTreeSet<Key>,
    /// Every record that hangs on these patients, who may move.
    pub whole: BTreeSet<Uuid>,
}

/// What `batch` touches.
pub fn needs(batch: &[Received]) -> Needs {
    let mut needs = Needs::default();
    for op in batch.iter().filter_map(|received| received.op.as_ref()) {
        needs.ops.push(op.op_id);
        needs.records.insert(Key::new(&op.entity, op.id));
        needs.records.insert(Key::new(entities::USER.table, op.user));
        match entities::find(&op.entity).map(|entity| entity.parent) {
            Some(Parent::Of(field, parent)) => {
                if let Some(id) = id_in(&op.fields, field) {
                    needs.records.insert(Key::new(parent, id));
                }
            }
            Some(Parent::Patient(field)) if op.fields.contains_key(field) && op.op_id != op.id => {
                needs.whole.insert(op.id);
            }
            _ => {}
        }
    }
    needs
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
    /// Patients who were erased: nothing of theirs comes back.
    pub erased: HashSet<Uuid>,
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
    /// What to add to each digest: scope, bucket, amount (modulo 2^128).
    pub digests: BTreeMap<(Scope, usize), u128>,
}

struct Run<'a> {
    device: &'a Device,
    loaded: Loaded,
    before: HashMap<Key, Option<(Scope, u128)>>,
    now: i64,
    protections: Protections,
    accepted: Accepted,
}

/// What became of one op within the run.
struct Fold {
    outcome: Outcome,
    repair: bool,
    root: Uuid,
    without: Vec<String>,
    amended: BTreeMap<String, FieldValue>,
    conflicts: Vec<Op>,
}

impl Fold {
    fn no(outcome: Outcome) -> Self {
        Self {
            outcome,
            repair: true,
            root: Uuid::nil(),
            without: Vec::new(),
            amended: BTreeMap::new(),
            conflicts: Vec::new(),
        }
    }
}

/// Judges and folds a batch. `head` is the tenant's last sequence under its lock, `server_millis`
/// the server's time.
pub fn accept(
    device: &Device,
    batch: Vec<Received>,
    loaded: Loaded,
    head: i64,
    server_millis: i64,
    protections: Protections,
) -> Accepted {
    let position = batch.last().map(|last| (last.dseq, last.hash.clone()));
    let mut run = Run {
        device,
        loaded,
        before: HashMap::new(),
        now: server_millis,
        protections,
        accepted: Accepted { head, position, ..Accepted::default() },
    };
    for received in batch {
        run.take(received);
    }
    run.finish()
}

/// Takes in ops that other desks received before the server was restored. Their seals have been
/// checked: each was accepted once, so nobody's rights are asked again.
pub fn accept_offers(
    device: &Device,
    offers: Vec<(Op, Vec<u8>, Hlc)>,
    loaded: Loaded,
    head: i64,
    server_millis: i64,
    protections: Protections,
) -> Accepted {
    let mut run = Run {
        device,
        loaded,
        before: HashMap::new(),
        now: server_millis,
        protections,
        accepted: Accepted { head, ..Accepted::default() },
    };
    for (op, bytes, effective) in offers {
        if run.loaded.known.contains(&op.op_id) {
            continue;
        }
        let seq = run.next_seq();
        let fold = run.fold(&op, effective, seq, true);
        run.keep(0, op.device, Some(&op), bytes, Vec::new(), effective, seq, fold);
    }
    run.finish()
}

impl Run<'_> {
    fn next_seq(&mut self) -> i64 {
        self.accepted.head += 1;
        self.accepted.head
    }

    fn take(&mut self, received: Received) {
        let seq = self.next_seq();
        let Received { dseq, bytes, hash, op } = received;
        let device = self.device.id;
        let Some(op) = op else {
            let fold = Fold::no(Outcome::Rejected("unreadable".into()));
            return self.keep(dseq, device, None, bytes, hash, Hlc::default(), seq, fold);
        };
        let effective = if self.protections.clock_cap { fold::effective(op.hlc, self.now) } else { op.hlc };
        if self.protections.once && self.loaded.known.contains(&op.op_id) {
            let fold = Fold::no(Outcome::Duplicate);
            return self.keep(dseq, device, Some(&op), Vec::new(), hash, effective, seq, fold);
        }
        let honest = op.device == device && op.dseq == dseq && op.protocol <= OP_PROTOCOL;
        let fold = if honest {
            let trusted = dseq <= self.device.history_to;
            self.fold(&op, effective, seq, trusted)
        } else {
            Fold::no(Outcome::Rejected("not_its_own".into()))
        };
        self.keep(dseq, device, Some(&op), bytes, hash, effective, seq, fold);
    }

    /// Stores the op with its verdict, and the conflicts it made as ops of the server's own.
    #[allow(clippy::too_many_arguments)]
    fn keep(
        &mut self,
        dseq: i64,
        device: Uuid,
        op: Option<&Op>,
        bytes: Vec<u8>,
        hash: Vec<u8>,
        effective: Hlc,
        seq: i64,
        fold: Fold,
    ) {
        let op_id =
            op.map(|op| op.op_id).filter(|_| matches!(fold.outcome, Outcome::Accepted | Outcome::Stored));
        self.loaded.known.extend(op_id);
        self.accepted.ops.push(OpRow {
            seq,
            dseq,
            device,
            op_id,
            key: op.map(|op| Key::new(&op.entity, op.id)),
            root: fold.root,
            bytes,
            hash,
            effective,
            outcome: fold.outcome,
            repair: fold.repair,
            without: fold.without,
            amended: fold.amended,
        });
        for conflict in fold.conflicts {
            self.raise(conflict, effective);
        }
    }

    /// A conflict is a record like any other, written by the server.
    fn raise(&mut self, conflict: Op, effective: Hlc) {
        let mut bytes = Vec::new();
        if ciborium::into_writer(&conflict, &mut bytes).is_err() {
            return;
        }
        let seq = self.next_seq();
        let fold = self.fold(&conflict, effective, seq, true);
        self.keep(0, Uuid::nil(), Some(&conflict), bytes, Vec::new(), effective, seq, fold);
    }

    fn fold(&mut self, op: &Op, effective: Hlc, seq: i64, trusted: bool) -> Fold {
        let key = Key::new(&op.entity, op.id);
        let Some(entity) = entities::find(&op.entity) else {
            return self.pass_on(seq);
        };
        if !trusted && !self.may_write(op.user, entity) {
            return Fold::no(Outcome::Quarantined("author".into()));
        }
        let existing = self.loaded.records.get(&key);
        let root = match (existing, entity.parent) {
            (Some(record), _) => record.root,
            (None, Parent::Hospital) => Uuid::nil(),
            (None, Parent::Patient(_)) => op.id,
            (None, Parent::Of(field, parent)) => {
                let parent = id_in(&op.fields, field).map(|id| Key::new(parent, id));
                match parent.and_then(|key| self.loaded.records.get(&key)) {
                    Some(parent) => parent.root,
                    None => return Fold::no(Outcome::Rejected("parent_missing".into())),
                }
            }
        };
        if self.loaded.erased.contains(&root) {
            return Fold::no(Outcome::Rejected("erased".into()));
        }
        let scope = match (existing, entity.parent) {
            (Some(record), _) => record.scope,
            (None, Parent::Patient(field)) => id_in(&op.fields, field).unwrap_or(HOSPITAL),
            (None, _) if root.is_nil() => HOSPITAL,
            (None, _) => {
                let patient = Key::new(entities::PATIENT.table, root);
                self.loaded.records.get(&patient).map_or(HOSPITAL, |patient| patient.scope)
            }
        };
        if !trusted && !self.device.sees(scope) {
            return Fold::no(Outcome::Quarantined("scope".into()));
        }
        let clock = Clock { op: op.op_id, effective, seq };
        let mut fold = match (op.kind, existing.is_some()) {
            (ChangeKind::Fact, true) => return Fold::no(Outcome::Rejected("exists".into())),
            (ChangeKind::Command, false) => return Fold::no(Outcome::Rejected("missing".into())),
            (ChangeKind::Fields, false) if !op.base.is_empty() => {
                return Fold::no(Outcome::Rejected("missing".into()));
            }
            (_, false) => {
                self.remember(&key);
                let record = Record::new(key.clone(), root, scope, clock, &op.fields);
                self.loaded.records.insert(key.clone(), record);
                Fold { repair: false, ..Fold::no(Outcome::Accepted) }
            }
            (ChangeKind::Fields, true) => self.merge(entity, &key, op, clock),
            (ChangeKind::Command, true) => {
                let ruling = match self.loaded.records.get(&key) {
                    Some(record) if self.protections.judge => judge::rule(record, op, effective.millis()),
                    _ => Ruling::Yes(BTreeMap::new()),
                };
                match ruling {
                    Ruling::No(why) => return Fold::no(Outcome::Refused(why.into())),
                    Ruling::Unknown => return self.pass_on_in(scope, root, seq),
                    Ruling::Yes(amended) => self.obey(entity, &key, op, clock, amended),
                }
            }
        };
        fold.root = root;
        self.tell(&key, scope, seq);
        fold
    }

    /// An op of a newer program: kept, and passed on to whoever sees the sites of its desk.
    fn pass_on(&mut self, seq: i64) -> Fold {
        let scope = self.device.sites.first().copied().unwrap_or(HOSPITAL);
        self.pass_on_in(scope, Uuid::nil(), seq)
    }

    fn pass_on_in(&mut self, scope: Scope, root: Uuid, seq: i64) -> Fold {
        self.accepted.feed.push(FeedRow { scope, seq, news: News::Op });
        Fold { repair: false, root, ..Fold::no(Outcome::Stored) }
    }

    /// Field by field: who wins, who lost without knowing, and what people must be asked.
    fn merge(&mut self, entity: &Entity, key: &Key, op: &Op, clock: Clock) -> Fold {
        self.remember(key);
        let strict = self.protections.strict;
        let mut fold = Fold { repair: false, ..Fold::no(Outcome::Accepted) };
        let Some(record) = self.loaded.records.get_mut(key) else {
            return Fold::no(Outcome::Rejected("missing".into()));
        };
        for (field, value) in &op.fields {
            let unaware = op.base.get(field).is_some_and(|base| *base != record.holder(field));
            let old = record.value(field).clone();
            let wins = if entity.strict.contains(&field.as_str()) {
                !strict || !unaware || strictness(value) >= strictness(&old)
            } else {
                fold::takes_over(entity, field, &clock, record.clocks.get(field))
            };
            if unaware && old != *value && entity.asked.contains(&field.as_str()) {
                let (kept, lost) = if wins { (value, &old) } else { (&old, value) };
                fold.conflicts.push(conflict(record, op, field, kept, lost, wins, clock));
            }
            if wins {
                record.set(field, value, clock);
            } else {
                fold.repair = true;
                if entity.is_judged(field) {
                    fold.without.push(field.clone());
                }
            }
        }
        fold
    }

    /// Carries out a command that the judge let pass.
    fn obey(
        &mut self,
        entity: &Entity,
        key: &Key,
        op: &Op,
        clock: Clock,
        amended: BTreeMap<String, FieldValue>,
    ) -> Fold {
        self.remember(key);
        let mut fold = Fold { repair: false, ..Fold::no(Outcome::Accepted) };
        let Some(record) = self.loaded.records.get_mut(key) else {
            return Fold::no(Outcome::Rejected("missing".into()));
        };
        for (field, value) in &op.fields {
            if amended.contains_key(field) {
                continue;
            }
            if fold::takes_over(entity, field, &clock, record.clocks.get(field)) {
                record.set(field, value, clock);
            } else {
                fold.repair = true;
            }
        }
        for (field, value) in amended {
            let said = op.fields.get(&field);
            if said.is_none() && record.value(&field) == &value {
                continue;
            }
            record.set(&field, &value, clock);
            if said != Some(&value) {
                fold.repair = true;
                fold.amended.insert(field, value);
            }
        }
        fold
    }

    /// Tells the record's scope, and both scopes when the patient moves.
    fn tell(&mut self, key: &Key, scope: Scope, seq: i64) {
        let site = match entities::find(&key.entity).map(|entity| entity.parent) {
            Some(Parent::Patient(field)) => {
                self.loaded.records.get(key).map(|record| record.id(field).unwrap_or(HOSPITAL))
            }
            _ => None,
        };
        match site {
            Some(site) if site != scope => {
                self.move_all(key.id, site);
                self.accepted.feed.push(FeedRow { scope, seq, news: News::Evict(key.id) });
                self.accepted.feed.push(FeedRow { scope: site, seq, news: News::Arrive(key.id) });
            }
            _ => self.accepted.feed.push(FeedRow { scope, seq, news: News::Op }),
        }
    }

    fn move_all(&mut self, root: Uuid, to: Scope) {
        let keys: Vec<Key> =
            self.loaded.records.values().filter(|r| r.root == root).map(|r| r.key.clone()).collect();
        for key in keys {
            self.remember(&key);
            if let Some(record) = self.loaded.records.get_mut(&key) {
                record.scope = to;
            }
        }
    }

    fn may_write(&self, user: Uuid, entity: &Entity) -> bool {
        let Some(person) = self.loaded.records.get(&Key::new(entities::USER.table, user)) else {
            return false;
        };
        let active = person.integer("active").unwrap_or(1) == 1;
        active && entity.writers.iter().any(|permission| permissions(person).contains(permission))
    }

    /// Notes a record's content before its first change.
    fn remember(&mut self, key: &Key) {
        if !self.before.contains_key(key) {
            let before = self.loaded.records.get(key).map(|record| (record.scope, content_hash(record)));
            self.before.insert(key.clone(), before);
        }
    }

    fn finish(mut self) -> Accepted {
        for (key, before) in std::mem::take(&mut self.before) {
            if let Some((scope, content)) = before {
                let sum = self.accepted.digests.entry((scope, bucket(key.id))).or_default();
                *sum = sum.wrapping_sub(content);
            }
            if let Some(record) = self.loaded.records.remove(&key) {
                let sum = self.accepted.digests.entry((record.scope, bucket(key.id))).or_default();
                *sum = sum.wrapping_add(content_hash(&record));
                self.accepted.records.push(record);
            }
        }
        self.accepted.records.sort_by(|a, b| a.key.cmp(&b.key));
        self.accepted
    }
}

/// A person's permissions, from the list of roles in their record.
fn permissions(person: &Record) -> Vec<Permission> {
    let words = person.text("roles").unwrap_or("[]");
    let roles: Vec<Role> =
        words.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).filter_map(Role::parse).collect();
    permissions_of(&roles)
}

/// How strict a value is: no < yes, none < phone < all.
fn strictness(value: &FieldValue) -> i64 {
    match value {
        FieldValue::Integer(value) => *value,
        FieldValue::Text(word) => match word.as_str() {
            "none" => 0,
            "phone" => 1,
            _ => 2,
        },
        _ => 0,
    }
}

/// The record of a conflict. Its id follows from op and field, so that the same op raises it once.
fn conflict(
    record: &Record,
    op: &Op,
    field: &str,
    kept: &FieldValue,
    lost: &FieldValue,
    new_wins: bool,
    clock: Clock,
) -> Op {
    let holder = record.clocks.get(field).unwrap_or(&record.created);
    let (kept_at, lost_at) =
        if new_wins { (clock.effective, holder.effective) } else { (holder.effective, clock.effective) };
    let (kept_op, lost_op) = if new_wins { (op.op_id, holder.op) } else { (holder.op, op.op_id) };
    let id = conflict_id(op.op_id, field);
    let fields: BTreeMap<String, FieldValue> = [
        ("patient_id", record.root.into()),
        ("entity", record.key.entity.as_str().into()),
        ("record_id", record.key.id.into()),
        ("field", field.into()),
        ("kept", kept.clone()),
        ("kept_by", kept_op.into()),
        ("kept_at", kept_at.millis().into()),
        ("lost", lost.clone()),
        ("lost_by", lost_op.into()),
        ("lost_at", lost_at.millis().into()),
        ("found_at", clock.effective.millis().into()),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
    .collect();
    Op {
        protocol: OP_PROTOCOL,
        op_id: id,
        dseq: 0,
        device: Uuid::nil(),
        user: Uuid::nil(),
        hlc: clock.effective,
        kind: ChangeKind::Fields,
        entity: entities::CONFLICT.table.to_owned(),
        id,
        command: None,
        fields,
        base: BTreeMap::new(),
    }
}

fn conflict_id(op: Uuid, field: &str) -> Uuid {
    let hash = chain_hash(op.as_bytes(), field.as_bytes());
    let mut bytes = [0u8; 16];
    bytes.copy_from_slice(&hash[..16]);
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}

fn id_in(fields: &BTreeMap<String, FieldValue>, name: &str) -> Option<Uuid> {
    match fields.get(name) {
        Some(FieldValue::Bytes(bytes)) => Uuid::from_slice(bytes).ok(),
        _ => None,
    }
}
