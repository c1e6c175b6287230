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
use crate::door::RecordsAnswer;
use crate::entities::{self, Entity, Parent};
use crate::fold::{self, Clock};
use crate::record::{Key, Record};
use crate::wire::{Entry, EpochStart, Event, FedOp, Outcome, Page, Refusal, Repair, Verdict, reason};

/// A desk's store, within one transaction.
pub trait Replica {
    /// What can go wrong underneath.
    type Error;

    /// The entity of this name, if this desk's program knows it.
    fn find(&self, table: &str) -> Option<&'static Entity> {
        entities::find(table)
    }
    /// The chain's hash after the desk's own op `dseq` (0: before the first), if there is one.
    fn own_hash(&mut self, dseq: i64) -> Result<Option<Vec<u8>>, Self::Error>;
    /// The bytes of the desk's own op of this number, as they were recorded.
    fn own_bytes(&mut self, dseq: i64) -> Result<Option<Vec<u8>>, Self::Error>;
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
    /// Removes a record that the server does not have, with everything that hangs on it.
    fn remove(&mut self, entity: &'static Entity, id: Uuid) -> Result<(), Self::Error>;
    /// Removes a patient with everything that hangs on them.
    fn remove_root(&mut self, root: Uuid, erased: bool) -> Result<(), Self::Error>;
    /// Removes what ops that are not under way say of records that went with an erased patient.
    fn forget(&mut self, records: &[Uuid]) -> Result<(), Self::Error>;
    /// Stores the verdict on an own op.
    fn settle(&mut self, verdict: &Verdict) -> Result<(), Self::Error>;
    /// Keeps an op as it came, until the server says that it is durable.
    fn keep_received(&mut self, seq: i64, op: &FedOp) -> Result<(), Self::Error>;
    /// Keeps an own op that the server has taken and sealed, like one that was received: it is offered to
    /// a restored server, also when the desk has another identity by then.
    fn keep_own(&mut self, seq: i64, op: &FedOp) -> Result<(), Self::Error>;
    /// Keeps an event that this program does not understand, for its successor.
    fn keep_unknown(&mut self, seq: i64, op: &FedOp) -> Result<(), Self::Error>;
    /// How far the desk has the scope.
    fn set_cursor(&mut self, scope: Scope, seq: i64) -> Result<(), Self::Error>;
    /// Makes the desk's clock later than what it saw.
    fn see_clock(&mut self, seen: Hlc) -> Result<(), Self::Error>;
    /// The records that the desk counts to this bucket of the scope, by id and entity: those after
    /// `after`, up to and with `until`.
    fn keys_in(
        &mut self,
        scope: Scope,
        bucket: usize,
        after: Option<&Key>,
        until: Option<&Key>,
    ) -> Result<Vec<Key>, Self::Error>;
    /// Whether the record was made by an own op that has no verdict yet.
    fn made_unsent(&mut self, id: Uuid) -> Result<bool, Self::Error>;
    /// The epochs of the server that the desk's data comes from, oldest first.
    fn epochs(&mut self) -> Result<Vec<EpochStart>, Self::Error>;
    /// The server was restored. What it and the desk have in common ends at `head`, and at the
    /// desk's own number `last_dseq`. The desk, all at once:
    /// - keeps `lineage` as its epochs;
    /// - turns what it received above `head` into offers;
    /// - takes back the verdicts on its own ops after `last_dseq` or numbered above `head`, which are
    ///   unsent again (of those up to `last_dseq` the server gives the verdicts anew); fields that
    ///   they hold get [`fold::UNSENT`];
    /// - lowers every other field's clock above `head` to `head`, so that what is numbered from now on
    ///   comes later, and every cursor above `head` to `head`;
    /// - compares digests when all that is settled, and pulls the buckets that differ: what the desk
    ///   knows from lost changes that nobody brings back gives way there.
    fn begin_epoch(&mut self, lineage: &[EpochStart], head: i64, last_dseq: i64) -> Result<(), Self::Error>;
}

/// What a refusal means for this desk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// An answer was lost: the server has the desk's ops up to here. Ask again behind it, without ops,
    /// for the verdicts.
    AnswerLost {
        /// The last number the server has.
        last_dseq: i64,
    },
    /// A new epoch was begun; ask again.
    NewEpoch,
    /// This database is a copy of another desk's, or an old state of it: it needs an identity of
    /// its own, under which what has no verdict is numbered anew ([`renumber`]). What was history is
    /// history under the new identity too: so many numbers from 1 are.
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
        Refusal::Epoch { lineage, last_dseq, chain, .. } => {
            if replica.own_hash(*last_dseq)?.as_deref() != Some(chain.as_slice()) {
                return Ok(Trouble::Forked);
            }
            let head = common_head(&replica.epochs()?, lineage);
            replica.begin_epoch(lineage, head, *last_dseq)?;
            Ok(Trouble::NewEpoch)
        }
    }
}

/// The last sequence that two lines of epochs have in common: 0 when nothing is known to be.
pub fn common_head(ours: &[EpochStart], theirs: &[EpochStart]) -> i64 {
    let mut head = i64::MAX;
    for start in ours.iter().rev() {
        if let Some(place) = theirs.iter().position(|their| their.epoch == start.epoch) {
            return theirs[place + 1..].iter().fold(head, |head, later| head.min(later.head));
        }
        head = head.min(start.head);
    }
    0
}

/// What a desk does with an offer of which the server has spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Offered {
    /// It waits for what it hangs on, which another desk may bring: it is offered again.
    Again,
    /// The server has it, under a number up to this one. The desk keeps it until that is durable, and
    /// offers it again when a restore goes back behind it: the feed may never bring it here.
    Rests(i64),
    /// Nothing of it may stay: its patient was erased.
    Gone,
}

/// Reads the server's word on an offer. `head`: of the same answer.
pub fn read_offered(offered: &Outcome, head: i64) -> Offered {
    match offered {
        Outcome::Rejected(why) if matches!(why.as_str(), reason::MISSING | reason::PARENT_MISSING) => {
            Offered::Again
        }
        Outcome::Rejected(why) if why == reason::ERASED => Offered::Gone,
        _ => Offered::Rests(head),
    }
}

/// The record for which an own op with this verdict waits. When the desk has that record, has read
/// every page to the server's head, and its digests have been equal since the last epoch began, the
/// op is numbered anew at the end and sent once more: after a restore ops come in another order, and a patient who left
/// may come back.
pub fn waits_for(op: &Op, outcome: &Outcome) -> Option<Key> {
    let (Outcome::Rejected(why) | Outcome::Quarantined(why)) = outcome else {
        return None;
    };
    let parent = entities::find(&op.entity).and_then(|entity| parent_of(entity, &op.fields));
    match why.as_str() {
        reason::MISSING => Some(Key::new(&op.entity, op.id)),
        reason::PARENT_MISSING => parent,
        reason::SCOPE if makes(op) => parent,
        reason::SCOPE => Some(Key::new(&op.entity, op.id)),
        _ => None,
    }
}

/// Takes the verdicts on the desk's own ops. `sites` are the desk's.
///
/// # Errors
/// The replica's.
pub fn take_verdicts<R: Replica>(
    replica: &mut R,
    verdicts: &[Verdict],
    sites: &BTreeSet<Scope>,
) -> Result<(), R::Error> {
    for verdict in verdicts {
        replica.settle(verdict)?;
        keep_sealed(replica, verdict)?;
        let Some(op) = replica.own_op(verdict.dseq)? else {
            continue;
        };
        if verdict.outcome == Outcome::Accepted {
            let clock = Clock { op: op.op_id, effective: verdict.effective, seq: verdict.seq };
            restamp_own(replica, &op, &clock)?;
        }
        match (&verdict.repair, replica.find(&op.entity)) {
            (Some(Repair::Record(record)), _) if is_of_none(record, sites) => {
                // The server knows already of a site that this desk was not told of. What says that the patient
                // leaves it again would pass the desk by: it comes when the site is filled.
                if let Some(entity) = replica.find(&record.key.entity) {
                    remove(replica, entity, record.key.id)?;
                }
            }
            (Some(Repair::Record(record)), _) => merge_record(replica, record, Some(&op))?,
            (Some(Repair::Absent), Some(entity)) => remove(replica, entity, op.id)?,
            (Some(Repair::Absent), None) | (None, _) => {}
        }
    }
    Ok(())
}

/// Whether the record is a patient's of a site that is not among `sites`.
fn is_of_none(record: &Record, sites: &BTreeSet<Scope>) -> bool {
    let Some(Parent::Patient(field)) = entities::find(&record.key.entity).map(|entity| entity.parent) else {
        return false;
    };
    match record.value(field) {
        FieldValue::Bytes(site) => Uuid::from_slice(site).is_ok_and(|site| !sites.contains(&site)),
        _ => false,
    }
}

fn keep_sealed<R: Replica>(replica: &mut R, verdict: &Verdict) -> Result<(), R::Error> {
    // The bytes of an op about an erased patient are gone.
    let own = replica.own_bytes(verdict.dseq)?.filter(|bytes| !bytes.is_empty());
    let (Some(seal), Some(bytes)) = (&verdict.seal, own) else {
        return Ok(());
    };
    let fed = FedOp {
        bytes: ByteBuf::from(bytes),
        effective: verdict.effective,
        without: Vec::new(),
        amended: BTreeMap::new(),
        stored: verdict.outcome == Outcome::Stored,
        seal: seal.clone(),
    };
    replica.keep_own(verdict.seq, &fed)
}

fn remove<R: Replica>(replica: &mut R, entity: &'static Entity, id: Uuid) -> Result<(), R::Error> {
    match entity.parent {
        Parent::Patient(_) => replica.remove_root(id, false),
        _ => replica.remove(entity, id),
    }
}

fn makes(op: &Op) -> bool {
    op.op_id == op.id
}

fn parent_of(entity: &Entity, fields: &BTreeMap<String, FieldValue>) -> Option<Key> {
    let Parent::Of(field, parent) = entity.parent else {
        return None;
    };
    match fields.get(field) {
        Some(FieldValue::Bytes(bytes)) => Uuid::from_slice(bytes).ok().map(|id| Key::new(parent, id)),
        _ => None,
    }
}

fn knows(entity: &Entity, field: &str) -> bool {
    entity.allows(field, ChangeKind::Command)
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

/// Applies a page and notes how far it goes. `sites` are the desk's. A page of a site that the desk has not
/// been told of says nothing yet: it is filled first.
///
/// # Errors
/// The replica's.
pub fn take_page<R: Replica>(replica: &mut R, page: &Page, sites: &BTreeSet<Scope>) -> Result<(), R::Error> {
    if page.scope != crate::HOSPITAL && !sites.contains(&page.scope) {
        return Ok(());
    }
    for entry in &page.entries {
        take_entry(replica, entry, sites)?;
    }
    replica.set_cursor(page.scope, page.up_to)
}

fn take_entry<R: Replica>(replica: &mut R, entry: &Entry, sites: &BTreeSet<Scope>) -> Result<(), R::Error> {
    match &entry.event {
        Event::Op(fed) => take_op(replica, entry.seq, fed),
        Event::Arrive { records, ops, .. } => {
            ops.iter().try_for_each(|op| replica.keep_received(op.seq, &op.fed))?;
            records.iter().try_for_each(|record| merge_record(replica, record, None))
        }
        Event::Evict { to, .. } if sites.contains(to) || *to == crate::HOSPITAL => Ok(()),
        Event::Evict { root, .. } => replica.remove_root(*root, false),
        Event::Erase { root, records } => {
            replica.remove_root(*root, true)?;
            replica.forget(records)
        }
    }
}

/// Applies one op, in any order and any number of times.
///
/// # Errors
/// The replica's.
pub fn take_op<R: Replica>(replica: &mut R, seq: i64, fed: &FedOp) -> Result<(), R::Error> {
    replica.keep_received(seq, fed)?;
    replica.see_clock(fed.effective)?;
    let read = decode(&fed.bytes).filter(|_| !fed.stored);
    let Some((op, entity)) = read.and_then(|op| replica.find(&op.entity).map(|entity| (op, entity))) else {
        return replica.keep_unknown(seq, fed);
    };
    if !op.fields.keys().chain(fed.amended.keys()).all(|field| knows(entity, field)) {
        replica.keep_unknown(seq, fed)?;
    }
    let clock = Clock { op: op.op_id, effective: fed.effective, seq };
    if !replica.exists(entity, op.id)? {
        // A change of what is not here, or a new record of it: it left with its patient.
        if makes(&op) && has_parent(replica, entity, &op.fields)? {
            let values = op.fields.into_iter().filter(|(field, _)| knows(entity, field)).collect();
            replica.create(entity, op.id, &values, &clock)?;
        }
        return Ok(());
    }
    if makes(&op) {
        return Ok(());
    }
    let mut wins = Vec::new();
    let mut fields = op.fields;
    fields.extend(fed.amended.iter().map(|(field, value)| (field.clone(), value.clone())));
    for (field, value) in fields {
        if !knows(entity, &field) || fed.without.contains(&field) {
            continue;
        }
        let holder = replica.clock(op.id, &field)?;
        if fold::takes_over(entity, &field, &clock, holder.as_ref()) {
            wins.push((field, value, Some(clock)));
        }
    }
    if wins.is_empty() { Ok(()) } else { replica.set(entity, op.id, &wins) }
}

fn has_parent<R: Replica>(
    replica: &mut R,
    entity: &Entity,
    fields: &BTreeMap<String, FieldValue>,
) -> Result<bool, R::Error> {
    if !matches!(entity.parent, Parent::Of(..)) {
        return Ok(true);
    }
    match parent_of(entity, fields) {
        Some(key) => replica.find(&key.entity).map_or(Ok(false), |parent| replica.exists(parent, key.id)),
        None => Ok(false),
    }
}

/// Applies an op that an older program kept ([`Replica::keep_unknown`]), in the order of sequences,
/// once after the upgrade. Answers whether all of it is understood now and it need not be kept.
/// What only the server stored waits until the server feeds it again.
///
/// # Errors
/// The replica's.
pub fn take_kept<R: Replica>(replica: &mut R, seq: i64, fed: &FedOp) -> Result<bool, R::Error> {
    let read = decode(&fed.bytes).filter(|_| !fed.stored);
    let Some((op, entity)) = read.and_then(|op| replica.find(&op.entity).map(|entity| (op, entity))) else {
        return Ok(false);
    };
    let understood = op.fields.keys().chain(fed.amended.keys()).all(|field| knows(entity, field));
    if !(makes(&op) && replica.exists(entity, op.id)?) {
        take_op(replica, seq, fed)?;
        return Ok(understood);
    }
    // The record was made without the fields that were unknown: they are as it was made with,
    // unless somebody changed them since.
    let mut late = Vec::new();
    for (field, value) in op.fields.iter().filter(|(field, _)| knows(entity, field)) {
        if replica.clock(op.id, field)?.is_none() {
            late.push((field.clone(), value.clone(), None));
        }
    }
    if !late.is_empty() {
        replica.set(entity, op.id, &late)?;
    }
    Ok(understood)
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
    undone: Option<&Op>,
) -> Result<(), R::Error> {
    let Some(entity) = replica.find(&record.key.entity) else {
        return Ok(());
    };
    let id = record.key.id;
    if !replica.exists(entity, id)? {
        // A repair of what left with its patient: it comes back with the patient, if at all.
        let comes = undone.is_none() || has_parent(replica, entity, &record.values)?;
        return if comes { make_record(replica, entity, record) } else { Ok(()) };
    }
    see_clocks(replica, record)?;
    let remade = undone.is_some_and(makes);
    let mut names: BTreeSet<&str> = record.clocks.keys().map(String::as_str).collect();
    names.extend(undone.iter().flat_map(|op| op.fields.keys()).map(String::as_str));
    if remade {
        names.extend(record.values.keys().map(String::as_str));
    }
    let mut wins = Vec::new();
    for field in names.into_iter().filter(|field| knows(entity, field)) {
        let theirs = record.clocks.get(field);
        let ours = replica.clock(id, field)?;
        let gives_way = match (undone, ours) {
            (Some(op), Some(ours)) => ours.op == op.op_id,
            // Two desks made the record of one name: the first counts, with all it says.
            (Some(_), None) => remade,
            (None, _) => false,
        };
        let later = theirs.is_some_and(|theirs| fold::takes_over(entity, field, theirs, ours.as_ref()));
        if gives_way || later {
            wins.push((field.to_owned(), record.value(field).clone(), theirs.copied()));
        }
    }
    if wins.is_empty() { Ok(()) } else { replica.set(entity, id, &wins) }
}

/// Makes a record that is not here, as the server has it.
///
/// # Errors
/// The replica's.
pub fn make_record<R: Replica>(
    replica: &mut R,
    entity: &'static Entity,
    record: &Record,
) -> Result<(), R::Error> {
    see_clocks(replica, record)?;
    if record.values.keys().all(|field| knows(entity, field)) {
        replica.create(entity, record.key.id, &record.values, &record.created)?;
    } else {
        let known = record.values.iter().filter(|(field, _)| knows(entity, field));
        let values = known.map(|(field, value)| (field.clone(), value.clone())).collect();
        replica.create(entity, record.key.id, &values, &record.created)?;
    }
    let clocks: Vec<_> = record
        .clocks
        .iter()
        .filter(|(field, _)| knows(entity, field))
        .map(|(field, clock)| (field.clone(), record.value(field).clone(), Some(*clock)))
        .collect();
    if clocks.is_empty() { Ok(()) } else { replica.set(entity, record.key.id, &clocks) }
}

/// What this desk writes over a record it was shown comes later than what it saw.
fn see_clocks<R: Replica>(replica: &mut R, record: &Record) -> Result<(), R::Error> {
    let seen = record.clocks.values().map(|clock| clock.effective).fold(record.created.effective, Hlc::max);
    replica.see_clock(seen)
}

/// Takes a page of the records of a bucket in which the digests differed: what the desk holds
/// there gives way, all but its own unsent changes. `after`: where the page begins. The desk's cursor of the
/// scope must not be beyond the page's head.
///
/// # Errors
/// The replica's.
pub fn take_bucket<R: Replica>(
    replica: &mut R,
    scope: Scope,
    bucket: usize,
    after: Option<&Key>,
    page: &RecordsAnswer,
) -> Result<(), R::Error> {
    let there: BTreeSet<&Key> = page.records.iter().map(|record| &record.key).collect();
    for key in replica.keys_in(scope, bucket, after, page.next.as_ref())? {
        if there.contains(&key) || replica.made_unsent(key.id)? {
            continue;
        }
        if let Some(entity) = replica.find(&key.entity) {
            remove(replica, entity, key.id)?;
        }
    }
    page.records.iter().try_for_each(|record| take_as_it_is(replica, record))
}

fn take_as_it_is<R: Replica>(replica: &mut R, record: &Record) -> Result<(), R::Error> {
    let Some(entity) = replica.find(&record.key.entity) else {
        return Ok(());
    };
    let id = record.key.id;
    if !replica.exists(entity, id)? {
        return make_record(replica, entity, record);
    }
    see_clocks(replica, record)?;
    let made_here = replica.made_unsent(id)?;
    let mut fields = Vec::new();
    for field in entity.fields.iter().chain(entity.commanded) {
        let ours = replica.clock(id, field)?;
        let unsent = ours.map_or(made_here, |ours| ours.seq == fold::UNSENT);
        if !unsent {
            let theirs = record.clocks.get(*field).copied();
            fields.push(((*field).to_owned(), record.value(field).clone(), theirs));
        }
    }
    replica.set(entity, id, &fields)
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
