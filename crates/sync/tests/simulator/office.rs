//! What administrators do at the server, and whether everybody keeps to it.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::rc::Rc;

use aftercare_domain::op::{FieldValue, Op};
use aftercare_sync::accept::{Accepted, Device, Loaded, News, OpRow, Received, decode, named};
use aftercare_sync::canonical::content_hash;
use aftercare_sync::entities::{self, Parent};
use aftercare_sync::record::Record;
use aftercare_sync::wire::{Outcome, reason};
use aftercare_sync::{HOSPITAL, Scope};
use uuid::Uuid;

use crate::server::Server;

/// Who may not, as it was before a batch: told from the outside, without the core's own reasons.
pub struct Rights {
    shut_out: HashSet<Uuid>,
    unseen: HashSet<Uuid>,
    history_to: i64,
}

impl Rights {
    /// What must not come of `batch`. Who gets a right within the batch is left out.
    pub fn read(device: &Device, loaded: &Loaded, batch: &[Received]) -> Self {
        let changed: HashSet<Uuid> = batch
            .iter()
            .filter_map(|received| received.op.as_ref())
            .filter(|op| op.entity == entities::USER.table || op.entity == entities::PATIENT.table)
            .map(|op| op.id)
            .collect();
        let left = |record: &&Record| {
            record.key.entity == entities::USER.table && record.integer("active") == Some(0)
        };
        let apart = |record: &&Record| !device.sees(record.scope) && !changed.contains(&record.root);
        let records = loaded.records.values().filter(|record| !changed.contains(&record.key.id));
        Self {
            shut_out: records.clone().filter(left).map(|record| record.key.id).collect(),
            unseen: records.filter(apart).map(|record| record.key.id).collect(),
            history_to: device.history_to,
        }
    }

    /// Ops that count although their author or desk may not.
    pub fn broken(&self, taken: &Accepted) -> Vec<String> {
        let counts = |row: &&OpRow| row.outcome == Outcome::Accepted && row.dseq > self.history_to;
        let ops = taken.ops.iter().filter(counts).filter_map(|row| decode(&row.bytes).map(|op| (row, op)));
        ops.filter(|(_, op)| self.shut_out.contains(&op.user) || self.unseen.contains(&op.id))
            .map(|(row, _)| format!("op {} was let in without a right", row.seq))
            .collect()
    }
}

impl Server {
    /// A person asks that a patient be erased; the second person who does carries it out. Answers
    /// whether it was.
    pub fn erase(&mut self, patient: Uuid, by: Uuid) -> bool {
        match self.asked.get(&patient) {
            None => {
                self.asked.insert(patient, by);
                false
            }
            Some(first) if *first == by => false,
            Some(_) => {
                self.carry_out(patient);
                true
            }
        }
    }

    /// Takes a patient out of everything.
    fn carry_out(&mut self, patient: Uuid) {
        self.asked.remove(&patient);
        let gone: Vec<Rc<Record>> =
            self.records.values().filter(|record| record.root == patient).cloned().collect();
        for record in &gone {
            self.records.remove(&record.key);
            self.digests.entry(record.scope).or_default().take(record.key.id, content_hash(record));
        }
        let mut ids: HashSet<Uuid> = gone.iter().map(|record| record.key.id).collect();
        ids.insert(patient);
        let rows: Vec<(i64, Option<Op>, Uuid)> =
            self.ops.values().map(|row| (row.0.seq, decode(&row.0.bytes), row.0.root)).collect();
        spread(&mut ids, rows.iter().filter_map(|(_, op, _)| op.as_ref()));
        for (seq, op, root) in rows {
            if root == patient || op.is_some_and(|op| named(&op).any(|id| ids.contains(&id))) {
                self.blank(seq);
            }
        }
        self.erased.extend(ids.into_iter().map(|id| (id, patient)));
        self.head += 1;
        let scopes: BTreeSet<Scope> =
            self.feed.keys().chain(self.digests.keys()).copied().chain([HOSPITAL]).collect();
        for scope in scopes {
            self.feed.entry(scope).or_default().insert(self.head, News::Erase(patient));
        }
    }

    /// Empties the ops that tell of something.
    pub(crate) fn blank_all(&mut self, tells: impl Fn(&Op) -> bool) {
        let rows = self.ops.values().filter(|row| decode(&row.0.bytes).is_some_and(|op| tells(&op)));
        let rows: Vec<i64> = rows.map(|row| row.0.seq).collect();
        rows.into_iter().for_each(|seq| self.blank(seq));
    }

    /// What it says is gone; number, hash and verdict stay. Nobody can let in any more what waited.
    fn blank(&mut self, seq: i64) {
        if let Some(row) = self.ops.get_mut(&seq) {
            let (mut op, at) = (**row).clone();
            op.bytes.clear();
            op.without.clear();
            op.amended.clear();
            if matches!(op.outcome, Outcome::Quarantined(_)) {
                op.outcome = Outcome::Rejected(reason::ERASED.into());
            }
            *row = Rc::new((op, at));
        }
    }

    /// The records that went with an erased patient.
    pub fn gone_with(&self, patient: Uuid) -> Vec<Uuid> {
        self.erased.iter().filter(|(_, root)| **root == patient).map(|(id, _)| *id).collect()
    }

    /// Carries out again, on a restored server, what was erased since the backup was made.
    pub fn erase_again(&mut self, patients: &BTreeSet<Uuid>) {
        for patient in patients {
            if !self.erased.contains_key(patient) {
                self.carry_out(*patient);
            }
        }
    }

    /// Shuts a desk out; it may be lost, and is wiped when it comes.
    pub fn shut_out(&mut self, device: Uuid, wipe: bool) {
        self.shut_out.entry(device).or_insert((self.head, wipe)).1 |= wipe;
    }

    /// Ops of desks that had been shut out.
    pub fn intruders(&self) -> Vec<String> {
        let by: BTreeMap<Uuid, i64> = self.shut_out.iter().map(|(id, (since, _))| (*id, *since)).collect();
        self.ops
            .values()
            .filter(|row| row.0.dseq > 0 && by.get(&row.0.device).is_some_and(|since| row.0.seq > *since))
            .map(|row| format!("op {} comes from a desk that was shut out", row.0.seq))
            .collect()
    }

    /// What is left of erased patients.
    pub fn remains(&self) -> Vec<String> {
        let record = self.records.values().find(|record| self.erased.contains_key(&record.root));
        let row = self.ops.values().find(|row| {
            decode(&row.0.bytes).is_some_and(|op| named(&op).any(|id| self.erased.contains_key(&id)))
        });
        let records = record.map(|record| format!("{:?} of an erased patient is there", record.key));
        records
            .into_iter()
            .chain(row.map(|row| format!("op {} tells of an erased patient", row.0.seq)))
            .collect()
    }
}

/// Adds the records that hang on `ids`, by what ops say of them.
pub fn spread<'a>(ids: &mut HashSet<Uuid>, ops: impl Iterator<Item = &'a Op> + Clone) {
    loop {
        let before = ids.len();
        for op in ops.clone() {
            if parent_in(op).is_some_and(|parent| ids.contains(&parent)) {
                ids.insert(op.id);
            }
        }
        if ids.len() == before {
            return;
        }
    }
}

fn parent_in(op: &Op) -> Option<Uuid> {
    let field = match entities::find(&op.entity)?.parent {
        Parent::Of(field, _) => field,
        _ => return None,
    };
    match op.fields.get(field) {
        Some(FieldValue::Bytes(bytes)) => Uuid::from_slice(bytes).ok(),
        _ => None,
    }
}
