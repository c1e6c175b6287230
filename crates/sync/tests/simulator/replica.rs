//! A desk's store over maps.

use std::collections::BTreeMap;
use std::convert::Infallible;

use aftercare_domain::hlc::Hlc;
use aftercare_domain::op::{FieldValue, Op, chain_hash};
use aftercare_sync::accept::decode;
use aftercare_sync::canonical::hash_fields;
use aftercare_sync::desk::{Replica, encode, renumber};
use aftercare_sync::digest::{ScopeDigest, bucket};
use aftercare_sync::entities::{Entity, Parent};
use aftercare_sync::fold::{Clock, UNSENT};
use aftercare_sync::record::Key;
use aftercare_sync::wire::{EpochStart, FedOp, Offer, Verdict};
use aftercare_sync::{HOSPITAL, Scope};
use uuid::Uuid;

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

#[derive(Debug, Clone, Default)]
pub struct Store {
    pub device: Uuid,
    pub rows: BTreeMap<Uuid, Row>,
    pub own: Vec<Own>,
    pub received: BTreeMap<i64, FedOp>,
    pub offers: Vec<Offer>,
    pub kept: BTreeMap<i64, FedOp>,
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

    /// The patient a record hangs on; nothing when it is the hospital's, or an orphan.
    pub fn root_of(&self, id: Uuid) -> Option<Uuid> {
        let row = self.rows.get(&id)?;
        match row.entity.parent {
            Parent::Hospital => None,
            Parent::Patient(_) => Some(id),
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

    fn own_hash(&mut self, dseq: i64) -> Result<Option<Vec<u8>>, Infallible> {
        Ok((0..=self.own.len() as i64).contains(&dseq).then(|| self.chain(dseq)))
    }

    fn own_bytes(&mut self, dseq: i64) -> Result<Option<Vec<u8>>, Infallible> {
        Ok(self.own.get(dseq as usize - 1).map(|own| own.bytes.clone()))
    }

    fn own_op(&mut self, dseq: i64) -> Result<Option<Op>, Infallible> {
        Ok(self.own.get(dseq as usize - 1).map(|own| own.op.clone()))
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

    fn remove_root(&mut self, root: Uuid, _erased: bool) -> Result<(), Infallible> {
        let gone: Vec<Uuid> =
            self.rows.keys().copied().filter(|id| self.root_of(*id) == Some(root)).collect();
        gone.iter().for_each(|id| {
            self.rows.remove(id);
        });
        Ok(())
    }

    fn settle(&mut self, verdict: &Verdict) -> Result<(), Infallible> {
        if let Some(own) = self.own.get_mut(verdict.dseq as usize - 1) {
            own.verdict = Some(verdict.clone());
        }
        Ok(())
    }

    fn keep_received(&mut self, seq: i64, op: &FedOp) -> Result<(), Infallible> {
        // What it wrote itself came with its verdict.
        if decode(&op.bytes).is_none_or(|read| read.device != self.device) {
            self.received.insert(seq, op.clone());
        }
        Ok(())
    }

    fn keep_own(&mut self, seq: i64, op: &FedOp) -> Result<(), Infallible> {
        self.received.insert(seq, op.clone());
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
        for (_, fed) in self.received.split_off(&(head + 1)) {
            self.offers.push(Offer { bytes: fed.bytes, effective: fed.effective, seal: fed.seal });
        }
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
