//! One batch, op by op: who may, what wins, who is told.

use std::collections::{BTreeMap, HashMap};

use aftercare_domain::access::{Permission, Role, permissions_of};
use aftercare_domain::hlc::Hlc;
use aftercare_domain::op::{ChangeKind, FieldValue, OP_PROTOCOL, Op};
use uuid::Uuid;

use super::conflict::conflict;
use super::{Accepted, Device, FeedRow, Loaded, News, OpRow, Protections, Received, id_in, named};
use crate::canonical::content_hash;
use crate::digest::bucket;
use crate::entities::{self, Entity, Parent};
use crate::fold::{self, Clock};
use crate::judge::{self, Author, Ruling};
use crate::record::{Key, Record};
use crate::wire::{Outcome, reason};
use crate::{HOSPITAL, Scope};

pub(super) struct Run<'a> {
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

impl<'a> Run<'a> {
    pub(super) fn new(
        device: &'a Device,
        loaded: Loaded,
        head: i64,
        server_millis: i64,
        protections: Protections,
    ) -> Self {
        let accepted = Accepted { head, ..Accepted::default() };
        Self { device, loaded, before: HashMap::new(), now: server_millis, protections, accepted }
    }

    fn next_seq(&mut self) -> i64 {
        self.accepted.head += 1;
        self.accepted.head
    }

    pub(super) fn take(&mut self, received: Received) {
        let seq = self.next_seq();
        let Received { dseq, bytes, hash, op } = received;
        let device = self.device.id;
        let Some(op) = op else {
            let fold = Fold::no(Outcome::Rejected(reason::UNREADABLE.into()));
            return self.keep(dseq, device, None, bytes, hash, Hlc::default(), seq, fold);
        };
        let effective = self.effective(&op);
        if self.protections.once && self.loaded.known.contains(&op.op_id) && self.erased(&op).is_none() {
            let fold = Fold::no(Outcome::Duplicate);
            return self.keep(dseq, device, Some(&op), Vec::new(), hash, effective, seq, fold);
        }
        let honest = op.device == device && op.dseq == dseq && op.protocol <= OP_PROTOCOL;
        let fold = if honest {
            let trusted = dseq <= self.device.history_to;
            self.fold(&op, effective, seq, trusted)
        } else {
            Fold::no(Outcome::Rejected(reason::NOT_ITS_OWN.into()))
        };
        self.keep(dseq, device, Some(&op), bytes, hash, effective, seq, fold);
    }

    /// An offer counts where it still can. What waits for another offer uses up no number: its desk
    /// keeps it and comes again.
    pub(super) fn take_offer(&mut self, op: &Op, bytes: Vec<u8>, effective: Hlc) {
        if self.loaded.known.contains(&op.op_id) && self.erased(op).is_none() {
            return self.accepted.offered.push(Outcome::Duplicate);
        }
        let seq = self.next_seq();
        let fold = self.fold(op, effective, seq, true);
        self.accepted.offered.push(fold.outcome.clone());
        if matches!(fold.outcome, Outcome::Rejected(_)) {
            let told = self.accepted.feed.last().is_some_and(|line| line.seq == seq);
            self.accepted.head -= i64::from(!told);
        } else {
            self.keep(0, op.device, Some(op), bytes, Vec::new(), effective, seq, fold);
        }
    }

    /// The writer's clock, capped at the server's time, but never below what the op overwrites
    /// knowingly: who has seen a value and changes it comes after it, even when that value was
    /// written while the server's own clock ran ahead.
    fn effective(&self, op: &Op) -> Hlc {
        let capped = if self.protections.clock_cap { fold::effective(op.hlc, self.now) } else { op.hlc };
        let Some(record) = self.loaded.records.get(&Key::new(&op.entity, op.id)) else {
            return capped;
        };
        let seen = op.base.iter().filter_map(|(field, base)| {
            record.clocks.get(field).filter(|holder| holder.op == *base).map(|holder| holder.effective)
        });
        match seen.max() {
            Some(seen) if seen >= capped => Hlc::from_i64(seen.as_i64().saturating_add(1)),
            _ => capped,
        }
    }

    /// When a command is judged: never later than now, or a claim that still holds would have run out.
    fn instant(&self, effective: Hlc) -> i64 {
        if self.protections.clock_cap { effective.millis().min(self.now) } else { effective.millis() }
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
        if self.loaded.known.contains(&conflict.op_id) {
            return;
        }
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
        let trusted = trusted || !self.protections.rights;
        if let Some(root) = self.erased(op) {
            if makes(op) && self.loaded.erased.insert(op.id, root).is_none() {
                self.accepted.erased.insert(op.id, root);
                // Desks that changed this record, and do not have it any more, are told of it too.
                self.accepted.feed.push(FeedRow { scope: HOSPITAL, seq, news: News::Erase(root) });
            }
            return Fold::no(Outcome::Rejected(reason::ERASED.into()));
        }
        let Some(entity) = entities::find(&op.entity) else {
            return self.pass_on(seq);
        };
        if let Some(why) = malformed(entity, op) {
            return Fold::no(Outcome::Rejected(why.into()));
        }
        if !trusted && !self.may_write(op.user, entity) {
            return Fold::no(Outcome::Quarantined(reason::AUTHOR.into()));
        }
        let existing = self.loaded.records.get(&key);
        let root = match (existing, entity.parent) {
            (Some(record), _) => record.root,
            (None, _) if !makes(op) => return Fold::no(Outcome::Rejected(reason::MISSING.into())),
            (None, Parent::Hospital) => Uuid::nil(),
            (None, Parent::Patient(_)) => op.id,
            (None, Parent::Of(field, parent)) => {
                let parent = id_in(&op.fields, field).map(|id| Key::new(parent, id));
                match parent.and_then(|key| self.loaded.records.get(&key)) {
                    Some(parent) => parent.root,
                    None => return Fold::no(Outcome::Rejected(reason::PARENT_MISSING.into())),
                }
            }
        };
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
            return Fold::no(Outcome::Quarantined(reason::SCOPE.into()));
        }
        let clock = Clock { op: op.op_id, effective, seq };
        let mut fold = match (op.kind, existing.is_some()) {
            (_, true) if makes(op) => return Fold::no(Outcome::Rejected(reason::EXISTS.into())),
            (_, false) => {
                self.remember(&key);
                let record = Record::new(key.clone(), root, scope, clock, &op.fields);
                self.loaded.records.insert(key.clone(), record);
                Fold { repair: false, ..Fold::no(Outcome::Accepted) }
            }
            (ChangeKind::Fields | ChangeKind::Fact, true) => self.merge(entity, &key, op, clock),
            (ChangeKind::Command, true) => {
                let ruling = match self.loaded.records.get(&key) {
                    Some(record) if self.protections.judge => {
                        judge::rule(record, op, self.instant(effective), self.author(op.user, trusted))
                    }
                    _ => Ruling::Yes(BTreeMap::new()),
                };
                match ruling {
                    Ruling::No(why) => return Fold::no(Outcome::Refused(why.into())),
                    // Its desk has carried it out already, and must wait like everybody else.
                    Ruling::Unknown => return Fold { repair: true, ..self.pass_on_in(scope, root, seq) },
                    Ruling::Yes(amended) => self.obey(entity, &key, op, clock, amended),
                }
            }
        };
        fold.root = root;
        self.tell(&key, scope, seq);
        fold
    }

    /// The erased patient of whom the op tells, by the patient's id or that of a record that went along.
    fn erased(&self, op: &Op) -> Option<Uuid> {
        named(op).filter(|_| self.protections.erased).find_map(|id| self.loaded.erased.get(&id).copied())
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
            return Fold::no(Outcome::Rejected(reason::MISSING.into()));
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
            return Fold::no(Outcome::Rejected(reason::MISSING.into()));
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

    /// What a judge may ask of the author; nothing when their rights are not asked.
    fn author(&self, user: Uuid, trusted: bool) -> Option<Author> {
        if trusted {
            return None;
        }
        let person = self.loaded.records.get(&Key::new(entities::USER.table, user));
        Some(Author {
            permissions: person.map(permissions).unwrap_or_default(),
            department: person.and_then(|person| person.text("department")).unwrap_or_default().to_owned(),
        })
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

    /// What is to be written, and what the next batch finds.
    pub(super) fn finish(mut self) -> (Accepted, Loaded) {
        for (key, before) in std::mem::take(&mut self.before) {
            if let Some((scope, content)) = before {
                let sum = self.accepted.digests.entry((scope, bucket(key.id))).or_default();
                *sum = sum.wrapping_sub(content);
            }
            if let Some(record) = self.loaded.records.get(&key) {
                let sum = self.accepted.digests.entry((record.scope, bucket(key.id))).or_default();
                *sum = sum.wrapping_add(content_hash(record));
                self.accepted.records.push(record.clone());
            }
        }
        self.accepted.records.sort_by(|a, b| a.key.cmp(&b.key));
        (self.accepted, self.loaded)
    }
}

/// Whether the op makes its record: a record's first op carries the record's own id.
fn makes(op: &Op) -> bool {
    op.op_id == op.id
}

/// Why the op cannot be one of a proper program: a fact that changes, or a commanded field that is
/// set without its judge.
fn malformed(entity: &Entity, op: &Op) -> Option<&'static str> {
    let kind = match op.kind {
        ChangeKind::Command => entity.kind == ChangeKind::Fields && !makes(op),
        kind => kind == entity.kind && (kind == ChangeKind::Fields || makes(op)),
    };
    let judged = op.kind == ChangeKind::Fields
        && !makes(op)
        && op.fields.keys().any(|field| entity.commanded.contains(&field.as_str()));
    if !kind {
        Some(reason::KIND)
    } else if judged {
        Some(reason::UNJUDGED)
    } else {
        None
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
