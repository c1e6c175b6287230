//! A desk's store over maps.

use std::collections::{BTreeMap, HashSet};
use std::convert::Infallible;

use aftercare_domain::hlc::Hlc;
use aftercare_domain::op::{FieldValue, Op, chain_hash};
use aftercare_sync::accept::{decode, named};
use aftercare_sync::canonical::hash_fields;
use aftercare_sync::desk::{Replica, encode, renumber};
use aftercare_sync::digest::{ScopeDigest, bucket};
use aftercare_sync::entities::{self, Entity, Parent};
use aftercare_sync::fold::{Clock, UNSENT};
use aftercare_sync::record::Key;
use aftercare_sync::wire::{EpochStart, FedOp, Offer, Outcome, Verdict, reason};
use aftercare_sync::{HOSPITAL, Scope};
use uuid::Uuid;

use crate::office::spread;
use crate::older;

/// A record as a desk has it: typed columns in the product, so no null and no unknown field.
#[derive(Debug, Clone)]
pub struct Row {
    pub entity: &'static Entity,
    pub values: BTreeMap<String, FieldValue>,
    pub clocks: BTreeMap<String, Clock>,
}

impl Row {
    fn put(&mut self, field: &str, value: &FieldValue) {
        if *value == FieldValue::Null {
            self.values.remove(field);
        } else {
            self.values.insert(field.to_owned(), value.clone());
        }
    }

    pub fn id(&self, field: &str) -> Option<Uuid> {
        match self.values.get(field) {
            Some(FieldValue::Bytes(bytes)) => Uuid::from_slice(bytes).ok(),
            _ => None,
        }
    }
}

/// An own op.
#[derive(Debug, Clone)]
pub struct Own {
    pub op: Op,
    pub bytes: Vec<u8>,
    pub hash: Vec<u8>,
    pub verdict: Option<Verdict>,
    /// Sent once more under a later number.
    pub again: bool,
}

/// An op that a restored server lost, or might lose again.
#[derive(Debug, Clone)]
pub struct Offered {
    pub op: Uuid,
    pub offer: Offer,
    /// The server has it, under a number up to this one; nothing: it is to be offered.
    pub rests: Option<i64>,
}

/// An op that was received.
#[derive(Debug, Clone)]
pub struct Received {
    pub op: Uuid,
    pub fed: FedOp,
}

impl Received {
    fn new(fed: &FedOp) -> Self {
        Self { op: decode(&fed.bytes).map_or(Uuid::nil(), |op| op.op_id), fed: fed.clone() }
    }
}

#[derive(Debug, Clone, Default)]
pub struct Store {
    pub device: Uuid,
    pub rows: BTreeMap<Uuid, Row>,
    pub own: Vec<Own>,
    pub received: BTreeMap<i64, Received>,
    pub offers: Vec<Offered>,
    pub kept: BTreeMap<i64, FedOp>,
    /// Erased patients, and what went with them.
    pub erased: HashSet<Uuid>,
    /// Runs a program that knows less.
    pub older: bool,
    /// Does not forget an erased patient, or not let go of one who left.
    pub stubborn: (bool, bool),
    pub cursors: BTreeMap<Scope, i64>,
    pub epochs: Vec<EpochStart>,
    pub hlc: Hlc,
    /// A new epoch has begun and the digests have not been equal since.
    pub doubt: bool,
}

impl Store {
    /// Number of the last op up to which every verdict is there.
    pub fn acknowledged(&self) -> i64 {
        self.own.iter().take_while(|own| own.verdict.is_some()).count() as i64
    }

    pub fn chain(&self, dseq: i64) -> Vec<u8> {
        if dseq == 0 { Vec::new() } else { self.own[dseq as usize - 1].hash.clone() }
    }

    /// Appends an op under the desk's next number.
    pub fn append(&mut self, op: &Op) {
        let dseq = self.own.len() as i64 + 1;
        let op = renumber(op, self.device, dseq);
        let bytes = encode(&op).into_vec();
        let hash = chain_hash(&self.chain(dseq - 1), &bytes).to_vec();
        self.own.push(Own { op, bytes, hash, verdict: None, again: false });
    }

    /// Chains what comes after `dseq` anew: ops that were emptied since have another hash.
    fn chain_anew(&mut self, dseq: i64) {
        let mut hash = self.chain(dseq);
        for own in self.own.iter_mut().skip(dseq as usize) {
            hash = chain_hash(&hash, &own.bytes).to_vec();
            own.hash.clone_from(&hash);
        }
    }

    /// Removes every trace of these records, and of what hangs on them. What is unsent keeps its bytes until
    /// the server has refused it.
    fn forget_all(&mut self, mut ids: HashSet<Uuid>) {
        if self.stubborn.0 {
            return;
        }
        let own = self.own.iter().filter_map(|own| decode(&own.bytes));
        let others = self.received.values().filter_map(|received| decode(&received.fed.bytes));
        let offers = self.offers.iter().filter_map(|offered| decode(&offered.offer.bytes));
        let kept = self.kept.values().filter_map(|fed| decode(&fed.bytes));
        let all: Vec<Op> = own.chain(others).chain(offers).chain(kept).collect();
        spread(&mut ids, all.iter());
        let tells = |bytes: &[u8]| decode(bytes).is_some_and(|op| named(&op).any(|id| ids.contains(&id)));
        for own in self.own.iter_mut().filter(|own| own.verdict.is_some() && tells(&own.bytes)) {
            own.bytes.clear();
        }
        self.erased.extend(&ids);
        self.received.retain(|_, received| !tells(&received.fed.bytes));
        self.offers.retain(|offered| !tells(&offered.offer.bytes));
        self.kept.retain(|_, fed| !tells(&fed.bytes));
    }

    /// The patient a record hangs on; nothing when it is the hospital's, or an orphan.
    pub fn root_of(&self, id: Uuid) -> Option<Uuid> {
        let row = self.rows.get(&id)?;
        match row.entity.parent {
            Parent::Hospital => None,
            Parent::Patient(_) => Some(id),
            // A fill may bring a task before its patient.
            Parent::Of(field, "patient") => row.id(field),
            Parent::Of(field, _) => row.id(field).and_then(|parent| self.root_of(parent)),
        }
    }

    pub fn scope_of(&self, id: Uuid) -> Option<Scope> {
        let row = self.rows.get(&id)?;
        if row.entity.parent == Parent::Hospital {
            return Some(HOSPITAL);
        }
        let patient = self.rows.get(&self.root_of(id)?)?;
        Some(patient.id("site_id").unwrap_or(HOSPITAL))
    }

    pub fn digest(&self, scope: Scope) -> ScopeDigest {
        let mut digest = ScopeDigest::default();
        for (id, row) in self.rows.iter().filter(|(id, _)| self.scope_of(**id) == Some(scope)) {
            let said = row.values.iter().filter(|(name, value)| !row.entity.is_silent(name, value));
            let said = said.map(|(name, value)| (name.as_str(), value));
            digest.add(*id, hash_fields(row.entity.table, id.as_bytes(), said));
        }
        digest
    }
}

impl Replica for Store {
    type Error = Infallible;

    fn find(&self, table: &str) -> Option<&'static Entity> {
        if self.older { older::find(table) } else { entities::find(table) }
    }

    fn own_hash(&mut self, dseq: i64) -> Result<Option<Vec<u8>>, Infallible> {
        Ok((0..=self.own.len() as i64).contains(&dseq).then(|| self.chain(dseq)))
    }

    fn own_bytes(&mut self, dseq: i64) -> Result<Option<Vec<u8>>, Infallible> {
        Ok(self.own.get(dseq as usize - 1).map(|own| own.bytes.clone()))
    }

    fn own_op(&mut self, dseq: i64) -> Result<Option<Op>, Infallible> {
        let own = self.own.get(dseq as usize - 1).filter(|own| !own.bytes.is_empty());
        Ok(own.map(|own| own.op.clone()))
    }

    fn exists(&mut self, entity: &'static Entity, id: Uuid) -> Result<bool, Infallible> {
        Ok(self.rows.get(&id).is_some_and(|row| row.entity.table == entity.table))
    }

    fn clock(&mut self, id: Uuid, field: &str) -> Result<Option<Clock>, Infallible> {
        Ok(self.rows.get(&id).and_then(|row| row.clocks.get(field).copied()))
    }

    fn create(
        &mut self,
        entity: &'static Entity,
        id: Uuid,
        values: &BTreeMap<String, FieldValue>,
        _created: &Clock,
    ) -> Result<(), Infallible> {
        let mut row = Row { entity, values: BTreeMap::new(), clocks: BTreeMap::new() };
        values.iter().for_each(|(field, value)| row.put(field, value));
        self.rows.insert(id, row);
        Ok(())
    }

    fn set(
        &mut self,
        _entity: &'static Entity,
        id: Uuid,
        fields: &[(String, FieldValue, Option<Clock>)],
    ) -> Result<(), Infallible> {
        if let Some(row) = self.rows.get_mut(&id) {
            for (field, value, clock) in fields {
                row.put(field, value);
                match clock {
                    Some(clock) => row.clocks.insert(field.clone(), *clock),
                    None => row.clocks.remove(field),
                };
            }
        }
        Ok(())
    }

    fn restamp(&mut self, id: Uuid, fields: &[String], clock: &Clock) -> Result<(), Infallible> {
        if let Some(row) = self.rows.get_mut(&id) {
            row.clocks.extend(fields.iter().map(|field| (field.clone(), *clock)));
        }
        Ok(())
    }

    #[allow(clippy::only_used_in_recursion)]
    fn remove(&mut self, entity: &'static Entity, id: Uuid) -> Result<(), Infallible> {
        let hangs = |row: &Row| match row.entity.parent {
            Parent::Of(field, _) => row.id(field) == Some(id),
            _ => false,
        };
        let children: Vec<Uuid> =
            self.rows.iter().filter(|(_, row)| hangs(row)).map(|(child, _)| *child).collect();
        self.rows.remove(&id);
        children.into_iter().try_for_each(|child| self.remove(entity, child))
    }

    fn remove_root(&mut self, root: Uuid, erased: bool) -> Result<(), Infallible> {
        if self.stubborn.1 && !erased {
            return Ok(());
        }
        let gone: Vec<Uuid> =
            self.rows.keys().copied().filter(|id| self.root_of(*id) == Some(root)).collect();
        gone.iter().for_each(|id| {
            self.rows.remove(id);
        });
        if erased {
            self.forget_all(gone.into_iter().chain([root]).collect());
        }
        Ok(())
    }

    fn forget(&mut self, records: &[Uuid]) -> Result<(), Infallible> {
        self.forget_all(records.iter().copied().collect());
        Ok(())
    }

    fn settle(&mut self, verdict: &Verdict) -> Result<(), Infallible> {
        if let Some(own) = self.own.get_mut(verdict.dseq as usize - 1) {
            own.verdict = Some(verdict.clone());
            let tells = !verdict.outcome.counts() && named(&own.op).any(|id| self.erased.contains(&id));
            if tells || verdict.outcome == Outcome::Rejected(reason::ERASED.into()) {
                own.bytes.clear();
            }
        }
        Ok(())
    }

    fn keep_received(&mut self, seq: i64, op: &FedOp) -> Result<(), Infallible> {
        // What it wrote itself came with its verdict.
        if decode(&op.bytes).is_none_or(|read| read.device != self.device) {
            self.received.insert(seq, Received::new(op));
        }
        Ok(())
    }

    fn keep_own(&mut self, seq: i64, op: &FedOp) -> Result<(), Infallible> {
        self.received.insert(seq, Received::new(op));
        Ok(())
    }

    fn keep_unknown(&mut self, seq: i64, op: &FedOp) -> Result<(), Infallible> {
        self.kept.insert(seq, op.clone());
        Ok(())
    }

    fn set_cursor(&mut self, scope: Scope, seq: i64) -> Result<(), Infallible> {
        self.cursors.insert(scope, seq);
        Ok(())
    }

    fn see_clock(&mut self, seen: Hlc) -> Result<(), Infallible> {
        self.hlc = self.hlc.max(seen);
        Ok(())
    }

    fn keys_in(
        &mut self,
        scope: Scope,
        number: usize,
        after: Option<&Key>,
        until: Option<&Key>,
    ) -> Result<Vec<Key>, Infallible> {
        let order = |key: &Key| (key.id, key.entity.clone());
        let keys = self.rows.iter().map(|(id, row)| Key::new(row.entity.table, *id));
        Ok(keys
            .filter(|key| bucket(key.id) == number && self.scope_of(key.id) == Some(scope))
            .filter(|key| after.is_none_or(|after| order(key) > order(after)))
            .filter(|key| until.is_none_or(|until| order(key) <= order(until)))
            .collect())
    }

    fn made_unsent(&mut self, id: Uuid) -> Result<bool, Infallible> {
        Ok(self.own.iter().any(|own| own.op.op_id == id && own.verdict.is_none()))
    }

    fn epochs(&mut self) -> Result<Vec<EpochStart>, Infallible> {
        Ok(self.epochs.clone())
    }

    fn begin_epoch(&mut self, lineage: &[EpochStart], head: i64, last_dseq: i64) -> Result<(), Infallible> {
        self.epochs = lineage.to_vec();
        self.doubt = true;
        let mut unsent = std::collections::BTreeSet::new();
        for own in &mut self.own {
            let lost = own.verdict.as_ref().is_none_or(|verdict| verdict.seq > head);
            if own.op.dseq > last_dseq || lost {
                own.verdict = None;
                own.again = false;
                unsent.insert(own.op.op_id);
            }
        }
        for offered in &mut self.offers {
            offered.rests = offered.rests.filter(|rests| *rests <= head);
        }
        for (_, Received { op, fed }) in self.received.split_off(&(head + 1)) {
            let offer = Offer { bytes: fed.bytes, effective: fed.effective, seal: fed.seal };
            if !self.offers.iter().any(|offered| offered.op == op && offered.offer == offer) {
                self.offers.push(Offered { op, offer, rests: None });
            }
        }
        self.chain_anew(last_dseq);
        self.kept.split_off(&(head + 1));
        for clock in self.rows.values_mut().flat_map(|row| row.clocks.values_mut()) {
            if unsent.contains(&clock.op) {
                clock.seq = UNSENT;
            } else if clock.seq > head {
                clock.seq = head;
            }
        }
        self.cursors.values_mut().for_each(|cursor| *cursor = (*cursor).min(head));
        Ok(())
    }
}
