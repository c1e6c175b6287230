//! What must hold when it is over.

use std::collections::{BTreeMap, HashMap, HashSet};

use aftercare_domain::op::{ChangeKind, FieldValue, Op, chain_hash};
use aftercare_sync::accept::{decode, named};
use aftercare_sync::canonical::content_hash;
use aftercare_sync::desk::waits_for;
use aftercare_sync::digest::ScopeDigest;
use aftercare_sync::entities;
use aftercare_sync::fold::Clock;
use aftercare_sync::wire::{Outcome, reason};
use aftercare_sync::{HOSPITAL, Scope};
use uuid::Uuid;

use crate::desk::Desk;
use crate::office::spread;
use crate::server::Server;
use crate::world::{Ledger, World};

/// What went wrong, by kind.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Faults {
    pub diverged: Vec<String>,
    pub lost: Vec<String>,
    pub stuck: Vec<String>,
    pub double_leases: Vec<String>,
    pub other: Vec<String>,
}

impl Faults {
    pub fn none(&self) -> bool {
        *self == Self::default()
    }
}

pub fn all(world: &World, settled: bool) -> Faults {
    let mut faults = Faults::default();
    if !settled {
        faults.stuck.push("it never came to rest".into());
    }
    faults.other.extend(world.ledger.given_up.iter().cloned());
    for (number, desk) in world.desks.iter().enumerate() {
        if desk.wiped {
            let empty =
                desk.store.rows.is_empty() && desk.store.own.is_empty() && desk.store.received.is_empty();
            faults.other.extend((!empty).then(|| format!("desk {number} was not wiped")));
            continue;
        }
        faults.other.extend(remains(desk, &world.ledger).map(|what| format!("desk {number}: {what}")));
        faults.stuck.extend(stuck(desk, &world.server).map(|what| format!("desk {number}: {what}")));
        let diverged = diverged(desk, &world.server);
        faults.diverged.extend(diverged.into_iter().map(|what| format!("desk {number}: {what}")));
    }
    if world.ledger.unexplained > 0 {
        faults.diverged.push(format!("digests differed {} times", world.ledger.unexplained));
    }
    faults.lost = lost(world);
    for fault in world.ledger.faults.iter().cloned().chain(server(&world.server, &world.ledger)) {
        if fault.starts_with("double lease") {
            faults.double_leases.push(fault);
        } else {
            faults.other.push(fault);
        }
    }
    faults
}

fn stuck(desk: &Desk, server: &Server) -> Option<String> {
    let waiting = desk.store.own.iter().filter(|own| own.verdict.is_none()).count();
    if waiting > 0 {
        return Some(format!("{waiting} ops without a verdict"));
    }
    let behind = std::iter::once(&HOSPITAL)
        .chain(&desk.sites)
        .any(|scope| desk.store.cursors.get(scope).copied().unwrap_or(0) != server.head);
    if behind {
        return Some("a cursor is behind".into());
    }
    if server.devices.get(&desk.store.device).is_none_or(|device| device.sites != desk.sites) {
        return Some("its sites are others than the server's".into());
    }
    let offers = desk.store.offers.iter().filter(|offered| offered.rests.is_none());
    let waiting = offers.filter(|offered| !waits_rightly(&offered.offer.bytes, server)).count();
    (waiting > 0).then(|| format!("{waiting} offers wait"))
}

/// After a restore an offer may wait for a record that no machine brings any more, or that waits for
/// an administrator itself; never for one that is there.
fn waits_rightly(bytes: &[u8], server: &Server) -> bool {
    let Some(op) = decode(bytes) else {
        return false;
    };
    let why = if op.op_id == op.id { reason::PARENT_MISSING } else { reason::MISSING };
    let key = waits_for(&op, &Outcome::Rejected(why.to_owned()));
    key.is_some_and(|key| !server.records.contains_key(&key))
}

type Content = BTreeMap<String, FieldValue>;
type Clocks = BTreeMap<String, Clock>;

fn diverged(desk: &Desk, server: &Server) -> Option<String> {
    let sees = |scope: Scope| scope == HOSPITAL || desk.sites.contains(&scope);
    // Which op holds a value is not the same after a restore, nor where a program knew less.
    let exact = server.lineage.len() == 1 && !desk.was_older;
    let mut expected: BTreeMap<Uuid, (Content, Clocks)> = BTreeMap::new();
    for record in server.records.values().filter(|record| sees(record.scope)) {
        let Some(entity) = entities::find(&record.key.entity) else { continue };
        let known = |field: &String| entity.allows(field, ChangeKind::Command);
        let said = |field: &String, value: &FieldValue| known(field) && !entity.is_silent(field, value);
        let content = record.values.iter().filter(|(field, value)| said(field, value));
        let clocks = record.clocks.iter().filter(|(field, _)| known(field) && exact);
        expected.insert(
            record.key.id,
            (
                content.map(|(field, value)| (field.clone(), value.clone())).collect(),
                clocks.map(|(field, clock)| (field.clone(), *clock)).collect(),
            ),
        );
    }
    for (id, row) in &desk.store.rows {
        let Some((content, clocks)) = expected.remove(id) else {
            return Some(format!("{} {id} is only here", row.entity.table));
        };
        let mut here = row.values.clone();
        here.retain(|field, value| !row.entity.is_silent(field, value));
        if content != here {
            return Some(format!("{} {id}: {here:?} here, {content:?} there", row.entity.table));
        }
        if exact && clocks != row.clocks {
            return Some(format!("{} {id}: {:?} here, {clocks:?} there", row.entity.table, row.clocks));
        }
    }
    if let Some((id, (content, _))) = expected.first_key_value() {
        return Some(format!("{id} is only there: {content:?}"));
    }
    for scope in std::iter::once(HOSPITAL).chain(desk.sites.iter().copied()) {
        let there = server.digests.get(&scope).cloned().unwrap_or_default();
        if desk.store.digest(scope) != there {
            return Some(format!("the digests of {scope} differ"));
        }
    }
    None
}

/// Acknowledged ops that do not count exactly once. After a restore a command may come in another
/// order, and an author or a desk may have lost a right since: then its row says so, and an administrator
/// can let it count. What was said of an erased patient counts no more.
fn lost(world: &World) -> Vec<String> {
    let (server, ledger) = (&world.server, &world.ledger);
    let mut counted: HashMap<Uuid, usize> = HashMap::new();
    let mut judged_anew: HashMap<Uuid, (Op, Outcome)> = HashMap::new();
    for (row, _) in server.ops.values().map(|row| &**row) {
        if let Some(id) = row.op_id {
            *counted.entry(id).or_default() += 1;
        } else if let Some(op) = decode(&row.bytes) {
            judged_anew.insert(op.op_id, (op, row.outcome.clone()));
        }
    }
    let restored = server.lineage.len() > 1;
    let gone = if restored { gone(&judged_anew, world) } else { HashSet::new() };
    let erased = about_erased(ledger);
    let mut lost = Vec::new();
    for op in &ledger.acked {
        match (counted.get(op), judged_anew.get(op).map(|(_, outcome)| outcome)) {
            (Some(1), _) => {}
            (None, _) if gone.contains(op) || tells(ledger, op, &erased) => {}
            (None, Some(Outcome::Refused(_))) if restored => {}
            (count, outcome) => lost.push(format!("{op} counts {count:?} times, {outcome:?}")),
        }
    }
    lost.sort();
    lost
}

/// Erased patients, and every record that anybody ever hung on one.
fn about_erased(ledger: &Ledger) -> HashSet<Uuid> {
    let mut ids: HashSet<Uuid> = ledger.erased.iter().copied().collect();
    if !ids.is_empty() {
        spread(&mut ids, ledger.written.values());
    }
    ids
}

fn tells(ledger: &Ledger, op: &Uuid, ids: &HashSet<Uuid>) -> bool {
    ledger.written.get(op).is_some_and(|op| named(op).any(|id| ids.contains(&id)))
}

/// What a desk still has of an erased patient.
fn remains(desk: &Desk, ledger: &Ledger) -> Option<String> {
    let ids = about_erased(ledger);
    if ids.is_empty() {
        return None;
    }
    if let Some((id, row)) = desk.store.rows.iter().find(|(id, _)| ids.contains(*id)) {
        return Some(format!("{} {id} of an erased patient", row.entity.table));
    }
    let own = desk.store.own.iter().map(|own| own.bytes.as_slice());
    let received = desk.store.received.values().map(|received| received.fed.bytes.as_slice());
    let offers = desk.store.offers.iter().map(|offered| offered.offer.bytes.as_slice());
    let kept = desk.store.kept.values().map(|fed| fed.bytes.as_slice());
    let mut all = own.chain(received).chain(offers).chain(kept).filter_map(decode);
    all.find(|op| named(op).any(|id| ids.contains(&id)))
        .map(|op| format!("op {} of a {} tells of an erased patient", op.op_id, op.entity))
}

/// Ops that are on no machine any more, or wait for an administrator, and those that hang on records
/// which these had made: their desks keep them, but there is nothing to count them to.
fn gone(judged_anew: &HashMap<Uuid, (Op, Outcome)>, world: &World) -> HashSet<Uuid> {
    let mut gone = world.ledger.beyond_help.clone();
    let kept_apart = |outcome: &Outcome| matches!(outcome, Outcome::Quarantined(_));
    gone.extend(judged_anew.iter().filter(|(_, (_, outcome))| kept_apart(outcome)).map(|(id, _)| *id));
    let rejected = judged_anew.values().filter(|(_, outcome)| matches!(outcome, Outcome::Rejected(_)));
    let mut waiting: HashMap<Uuid, Op> = rejected.map(|(op, _)| (op.op_id, op.clone())).collect();
    let offers = world.desks.iter().flat_map(|desk| &desk.store.offers);
    let offers = offers.filter(|offered| offered.rests.is_none());
    waiting.extend(offers.filter_map(|offered| decode(&offered.offer.bytes)).map(|op| (op.op_id, op)));
    loop {
        let hangs = |op: &Op| named(op).any(|id| gone.contains(&id));
        let more: Vec<Uuid> =
            waiting.values().filter(|op| !gone.contains(&op.op_id) && hangs(op)).map(|op| op.op_id).collect();
        if more.is_empty() {
            return gone;
        }
        gone.extend(more);
    }
}

/// What holds on one server alone.
pub fn server(server: &Server, ledger: &Ledger) -> Vec<String> {
    let mut faults = chains(server);
    faults.extend(twice(server));
    faults.extend(leases(server));
    faults.extend(strictness(server));
    faults.extend(digests(server));
    faults.extend(server.trespasses.iter().cloned());
    faults.extend(server.intruders());
    faults.extend(server.remains());
    let future = server
        .ops
        .values()
        .find(|row| row.0.outcome == Outcome::Accepted && row.0.effective.millis() > ledger.latest + 1);
    faults.extend(future.map(|row| format!("op {} comes from the future", row.0.seq)));
    faults
}

fn twice(server: &Server) -> Option<String> {
    let mut seen: HashMap<Uuid, i64> = HashMap::new();
    server
        .ops
        .values()
        .filter_map(|row| row.0.op_id.map(|id| (id, row.0.seq)))
        .find_map(|(id, seq)| seen.insert(id, seq).map(|first| format!("op {first} counts again as {seq}")))
}

fn chains(server: &Server) -> Vec<String> {
    let mut faults = Vec::new();
    let mut last: HashMap<Uuid, (i64, Vec<u8>)> = HashMap::new();
    for (row, _) in server.ops.values().map(|row| &**row).filter(|(row, _)| row.dseq > 0) {
        let (dseq, hash) = last.entry(row.device).or_default();
        // Of a duplicate, and of what told of an erased patient, only the hash is there.
        let whole = row.outcome == Outcome::Duplicate
            || (row.bytes.is_empty() && !server.erased.is_empty())
            || row.hash == chain_hash(hash, &row.bytes);
        if row.dseq != *dseq + 1 || !whole {
            faults.push(format!("the chain of {} breaks at {}", row.device, row.dseq));
        }
        (*dseq, *hash) = (row.dseq, row.hash.clone());
    }
    for device in server.devices.values() {
        let (dseq, hash) = last.remove(&device.id).unwrap_or_default();
        if (dseq, &hash) != (device.last_dseq, &device.chain) {
            faults.push(format!("{} does not stand at the end of its chain", device.id));
        }
    }
    faults
}

/// Two confirmed claims of one task that hold at once, by the server's time when the second came.
fn leases(server: &Server) -> Vec<String> {
    let mut faults = Vec::new();
    let mut held: HashMap<Uuid, (Uuid, i64)> = HashMap::new();
    for (row, now) in server.ops.values().map(|row| &**row) {
        let Some(op) = decode(&row.bytes).filter(|op| {
            row.outcome == Outcome::Accepted && op.entity == "task" && op.kind == ChangeKind::Command
        }) else {
            continue;
        };
        if op.command.as_deref() != Some("claim") {
            held.remove(&op.id);
            continue;
        }
        let holder = held.get(&op.id).copied();
        if holder.is_some_and(|(by, until)| by != op.user && until > *now) {
            faults.push(format!("double lease: task {} at {}", op.id, row.seq));
        }
        let until = row.amended.get("claimed_until").or_else(|| op.fields.get("claimed_until"));
        let until = match until {
            Some(FieldValue::Integer(until)) => *until,
            _ => holder.map_or(0, |(_, until)| until),
        };
        held.insert(op.id, (op.user, until));
    }
    faults
}

/// A refusal to be called, or a death, that somebody overwrote without knowing of it.
fn strictness(server: &Server) -> Vec<String> {
    let mut faults = Vec::new();
    let mut held: HashMap<(Uuid, String), (Uuid, i64)> = HashMap::new();
    let strict = |value: &FieldValue| match value {
        FieldValue::Integer(value) => *value,
        FieldValue::Text(word) => ["none", "phone", "all"].iter().position(|w| w == word).unwrap_or(0) as i64,
        _ => 0,
    };
    let ops = server.ops.values().filter(|row| row.0.outcome == Outcome::Accepted);
    for (row, op) in ops.filter_map(|row| decode(&row.0.bytes).map(|op: Op| (&row.0, op))) {
        let fields = op.fields.iter().filter(|(field, _)| entities::PATIENT.strict.contains(&field.as_str()));
        for (field, value) in fields.filter(|(field, _)| !row.without.contains(field)) {
            let place = (op.id, field.clone());
            let (holder, before) = held.get(&place).copied().unwrap_or((op.id, 0));
            if op.base.get(field).is_some_and(|base| *base != holder) && strict(value) < before {
                faults.push(format!("{field} of {} was loosened unawares at {}", op.id, row.seq));
            }
            held.insert(place, (op.op_id, strict(value)));
        }
    }
    faults
}

fn digests(server: &Server) -> Option<String> {
    let mut sums: BTreeMap<Scope, ScopeDigest> = BTreeMap::new();
    for record in server.records.values() {
        sums.entry(record.scope).or_default().add(record.key.id, content_hash(record));
    }
    let zero = ScopeDigest::default();
    server
        .digests
        .iter()
        .find(|(scope, kept)| sums.get(scope).unwrap_or(&zero) != *kept)
        .map(|(scope, _)| format!("the kept digest of {scope} is not that of its records"))
}
