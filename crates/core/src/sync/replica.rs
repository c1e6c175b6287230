//! This desk's tables as the replica that `aftercare_sync` works on.
//!
//! One page, one transaction: rows, clocks, cursor, and then, once for everybody whom the page touched,
//! the search index and the worklist, which are made from the rows.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::AtomicBool;

use aftercare_domain::hlc::Hlc;
use aftercare_domain::op::{FieldValue, Op};
use aftercare_rehearsal::point;
use aftercare_sync::Scope;
use aftercare_sync::accept::decode;
use aftercare_sync::desk::{Replica, make_record, merge_record, take_kept, waits_for};
use aftercare_sync::entities::{self, Entity, Parent};
use aftercare_sync::fold::{Clock, UNSENT};
use aftercare_sync::record::{Key, Record};
use aftercare_sync::wire::{EpochStart, FedOp, Outcome, Verdict, reason};
use rusqlite::{Connection, params};
use uuid::Uuid;

use super::{digest, state};
use crate::change_log::{Incoming, patient_of};
use crate::db::optional;
use crate::error::{Error, Result};
use crate::{archive, attachments, followup, reports};

/// Tables from which the search index is made.
const SEARCHED: &[&str] = &["patient", "phone", "encounter"];
/// Tables from which the worklist is made.
const LISTED: &[&str] = &["patient", "encounter", "consent", "task", "alert", "consult"];

/// What a transaction of incoming changes did.
#[derive(Debug, Default, Clone)]
pub struct Taken {
    /// Records and changes that others made.
    pub changes: u64,
    /// Conflicts that came in.
    pub conflicts: u64,
    /// Own changes that did not come out as meant.
    pub rejected: u64,
    /// The features whose data changed.
    pub features: BTreeSet<&'static str>,
    /// People of the desk whose record changed.
    pub people: BTreeSet<Uuid>,
}

/// The desk's tables within one transaction.
pub struct DeskReplica<'t> {
    incoming: Incoming<'t>,
    device: Uuid,
    durable: i64,
    now_millis: i64,
    /// Search index and worklist are made anew at the end of the first sync, not page by page.
    rederive: bool,
    current: Option<(i64, FedOp)>,
    seen: Hlc,
    unsent: Option<BTreeSet<Uuid>>,
    searched: BTreeSet<Uuid>,
    listed: BTreeSet<Uuid>,
    taken: Taken,
}

impl<'t> DeskReplica<'t> {
    /// Begins in the transaction of `connection`.
    pub(crate) fn begin(connection: &'t Connection, open: &'t AtomicBool, now_millis: i64) -> Result<Self> {
        let device = connection.query_row("SELECT device_id FROM desk", [], |row| row.get("device_id"))?;
        let server = state::server(connection)?;
        Ok(Self {
            incoming: Incoming::begin(connection, open),
            device,
            durable: server.durable_seq,
            now_millis,
            rederive: server.rederive,
            current: None,
            seen: Hlc::default(),
            unsent: None,
            searched: BTreeSet::new(),
            listed: BTreeSet::new(),
            taken: Taken::default(),
        })
    }

    /// The transaction.
    pub fn connection(&self) -> &'t Connection {
        self.incoming.connection()
    }

    /// Takes records of a first sync. Where none of their ids is here they are new, and nothing is asked of each.
    pub fn take_records(&mut self, records: &[Record]) -> Result<()> {
        let there = self.there(records)?;
        for record in records {
            let is_new = there.as_ref().is_some_and(|there| !there.contains(&record.key.id));
            match entities::find(&record.key.entity).filter(|_| is_new) {
                Some(entity) => make_record(self, entity, record)?,
                None => merge_record(self, record, None)?,
            }
        }
        Ok(())
    }

    /// The ids of what is here between the first and the last of these records, or nothing when that is much: a new
    /// desk has nothing there.
    fn there(&self, records: &[Record]) -> Result<Option<BTreeSet<Uuid>>> {
        let ids = || records.iter().map(|record| record.key.id);
        let (Some(first), Some(last)) = (ids().min(), ids().max()) else { return Ok(None) };
        let tables: BTreeSet<&str> = records.iter().map(|record| record.key.entity.as_str()).collect();
        let most = i64::try_from(records.len()).unwrap_or(i64::MAX);
        let mut there = BTreeSet::new();
        for entity in tables.into_iter().filter_map(entities::find) {
            let sql = format!("SELECT id FROM {} WHERE id BETWEEN ?1 AND ?2 LIMIT ?3", entity.table);
            let mut statement = self.connection().prepare_cached(&sql)?;
            let found: Vec<Uuid> = statement
                .query_map(params![first, last, most], |row| row.get("id"))?
                .collect::<rusqlite::Result<_>>()?;
            if found.len() == records.len() {
                return Ok(None);
            }
            there.extend(found);
        }
        Ok(Some(there))
    }

    /// The first sync is through: search index and worklist are made from everything there is.
    pub fn rederive(&mut self) -> Result<()> {
        let connection = self.connection();
        archive::rebuild(connection, &crate::app::jobs::Progress::unwatched())?;
        followup::rebuild_worklist(connection, self.now_millis)?;
        connection.execute("UPDATE sync_server SET rederive = 0", [])?;
        reports::dashboard::settle(connection)?;
        self.searched.clear();
        self.listed.clear();
        self.rederive = false;
        Ok(())
    }

    /// Brings what is made from the rows up to date. The last thing in the transaction.
    pub fn finish(mut self) -> Result<Taken> {
        self.incoming.see(self.seen)?;
        if !self.rederive {
            let connection = self.connection();
            let searched: Vec<Uuid> = std::mem::take(&mut self.searched).into_iter().collect();
            archive::index_patients(connection, &searched)?;
            let mut kept = BTreeSet::new();
            for id in &self.listed {
                // A patient whose record has not come yet has no place.
                if self.incoming.exists(&entities::PATIENT, *id)? {
                    kept.insert(*id);
                    kept.insert(archive::kept_id(connection, *id)?);
                }
            }
            for id in &kept {
                followup::refresh_patient(connection, *id, self.now_millis)?;
            }
            if !kept.is_empty() {
                self.incoming.touch("followup");
            }
        }
        self.taken.features.extend(self.incoming.touched());
        self.taken.features.insert("sync");
        Ok(self.taken)
    }

    /// The sites of this desk have changed: patients at those that it does not see any more leave it. So do those whom
    /// the desk itself had just sent from there to a site that it never saw: what would say so came to the site it left.
    pub fn see_sites(&mut self, sites: &BTreeSet<Scope>) -> Result<()> {
        let connection = self.connection();
        if state::sites(connection)?.difference(sites).next().is_some() {
            for patient in leaving(connection, sites)? {
                self.remove_root(patient, false)?;
            }
        }
        state::set_sites(connection, sites)
    }

    /// Notes whom a changed record concerns.
    fn note(&mut self, entity: &'static Entity, id: Uuid) -> Result<()> {
        self.taken.changes += 1;
        if entity.table == entities::USER.table {
            self.taken.people.insert(id);
        }
        if self.rederive {
            return Ok(());
        }
        let (searched, listed) = (SEARCHED.contains(&entity.table), LISTED.contains(&entity.table));
        if (searched || listed)
            && let Some(patient) = patient_of(self.connection(), entity, id)?
        {
            if searched {
                self.searched.insert(patient);
            }
            if listed {
                self.listed.insert(patient);
            }
        }
        Ok(())
    }

    /// Keeps what this program's tables cannot hold.
    fn set_aside(&mut self, entity: &'static Entity, id: Uuid) -> Result<()> {
        tracing::warn!(entity = entity.table, record = %id, "a change from elsewhere does not fit and is kept aside");
        match self.current.take() {
            Some((seq, fed)) => self.keep_unknown(seq, &fed),
            None => Ok(()),
        }
    }
}

/// Patients at a site that is none of `sites`, and those of whom a fill that was broken off has brought only what
/// hangs on them.
fn leaving(connection: &Connection, sites: &BTreeSet<Scope>) -> Result<BTreeSet<Uuid>> {
    let mut patients = BTreeSet::new();
    let mut all = connection.prepare("SELECT id FROM site")?;
    let all: BTreeSet<Scope> = all.query_map([], |row| row.get("id"))?.collect::<rusqlite::Result<_>>()?;
    for site in all.difference(sites) {
        let mut there = connection.prepare_cached("SELECT id FROM patient WHERE site_id = ?1")?;
        patients
            .extend(there.query_map([site], |row| row.get("id"))?.collect::<rusqlite::Result<Vec<Uuid>>>()?);
    }
    for entity in entities::ALL.iter() {
        let Parent::Of(field, "patient") = entity.parent else { continue };
        let sql = format!(
            "SELECT DISTINCT {field} FROM {} WHERE {field} NOT IN (SELECT id FROM patient)",
            entity.table
        );
        let mut alone = connection.prepare(&sql)?;
        patients.extend(alone.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<Vec<Uuid>>>()?);
    }
    Ok(patients)
}

impl DeskReplica<'_> {
    /// Own ops after `last_dseq` that have a verdict.
    fn acknowledged_after(&self, last_dseq: i64) -> Result<Vec<Op>> {
        let mut statement = self
            .connection()
            .prepare("SELECT bytes FROM op WHERE dseq > ?1 AND acknowledged_seq IS NOT NULL ORDER BY dseq")?;
        let mut ops = Vec::new();
        for bytes in statement.query_map([last_dseq], |row| row.get::<_, Vec<u8>>("bytes"))? {
            ops.extend(decode(&bytes?));
        }
        Ok(ops)
    }
}

impl DeskReplica<'_> {
    /// The first own op whose verdict is numbered above `head`.
    fn first_judged_above(&self, head: i64) -> Result<Option<i64>> {
        let sql = "SELECT min(dseq) AS first FROM op WHERE acknowledged_seq > ?1";
        Ok(self.connection().prepare_cached(sql)?.query_row([head], |row| row.get("first"))?)
    }

    /// The program knows more than the one that read the feed before it: what that one kept is applied, and the
    /// digests are compared, because what came as whole records had lost what was unknown.
    pub fn catch_up(&mut self) -> Result<()> {
        let kept = state::kept_unknown(self.connection())?;
        for (seq, fed) in kept {
            if take_kept(self, seq, &fed)? {
                self.connection().execute("DELETE FROM sync_unknown WHERE seq = ?1", [seq])?;
            }
        }
        state::note_entities(self.connection())
    }

    fn insert_received(&self, seq: i64, op: &FedOp) -> Result<()> {
        self.connection()
            .prepare_cached(
                "INSERT INTO sync_received (seq, bytes, effective, seal) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (seq) DO NOTHING",
            )?
            .execute(params![seq, op.bytes.as_slice(), op.effective.as_i64(), op.seal.as_slice()])?;
        Ok(())
    }
}

impl Replica for DeskReplica<'_> {
    type Error = Error;

    fn own_hash(&mut self, dseq: i64) -> Result<Option<Vec<u8>>> {
        if dseq == 0 {
            return Ok(Some(Vec::new()));
        }
        let sql = "SELECT hash FROM op WHERE dseq = ?1";
        optional(self.connection().prepare_cached(sql)?.query_row([dseq], |row| row.get("hash")))
    }

    fn own_bytes(&mut self, dseq: i64) -> Result<Option<Vec<u8>>> {
        let sql = "SELECT bytes FROM op WHERE dseq = ?1";
        optional(self.connection().prepare_cached(sql)?.query_row([dseq], |row| row.get("bytes")))
    }

    fn own_op(&mut self, dseq: i64) -> Result<Option<Op>> {
        Ok(self.own_bytes(dseq)?.and_then(|bytes| decode(&bytes)))
    }

    fn exists(&mut self, entity: &'static Entity, id: Uuid) -> Result<bool> {
        self.incoming.exists(entity, id)
    }

    fn clock(&mut self, id: Uuid, field: &str) -> Result<Option<Clock>> {
        self.incoming.clock(id, field)
    }

    fn create(
        &mut self,
        entity: &'static Entity,
        id: Uuid,
        values: &BTreeMap<String, FieldValue>,
        _: &Clock,
    ) -> Result<()> {
        if !self.incoming.insert(entity, id, values)? {
            return self.set_aside(entity, id);
        }
        self.taken.conflicts += u64::from(entity.table == entities::CONFLICT.table);
        self.note(entity, id)
    }

    fn set(
        &mut self,
        entity: &'static Entity,
        id: Uuid,
        fields: &[(String, FieldValue, Option<Clock>)],
    ) -> Result<()> {
        // Whoever stood somewhere before the change (a task's patient never changes, a phone's may).
        self.note(entity, id)?;
        self.taken.changes -= 1;
        let values: Vec<(&str, &FieldValue)> =
            fields.iter().map(|(name, value, _)| (name.as_str(), value)).collect();
        if !self.incoming.assign(entity, id, &values)? {
            return self.set_aside(entity, id);
        }
        for (name, _, clock) in fields {
            self.incoming.stamp(id, name, clock.as_ref())?;
        }
        self.note(entity, id)
    }

    fn restamp(&mut self, id: Uuid, fields: &[String], clock: &Clock) -> Result<()> {
        fields.iter().try_for_each(|field| self.incoming.stamp(id, field, Some(clock)))
    }

    fn remove(&mut self, entity: &'static Entity, id: Uuid) -> Result<()> {
        if entity.table == entities::PATIENT.table {
            return self.remove_root(id, false);
        }
        self.note(entity, id)?;
        self.incoming.delete(entity, id)
    }

    fn remove_root(&mut self, root: Uuid, erased: bool) -> Result<()> {
        let connection = self.connection();
        archive::forget_patient(connection, root)?;
        followup::forget_patient(connection, root)?;
        state::forget_locally(connection, root)?;
        attachments::store::forget_patient(connection, root, erased)?;
        // What hangs on something else than the patient goes first: it is found through that.
        for deep in [true, false] {
            for entity in entities::ALL.iter().copied() {
                let direct = matches!(entity.parent, Parent::Patient(_) | Parent::Of(_, "patient"));
                if direct == deep {
                    continue;
                }
                for id in self.incoming.hanging_on(entity, root)? {
                    if erased {
                        state::erase_ops(connection, id)?;
                    }
                    self.incoming.delete(entity, id)?;
                    self.taken.changes += 1;
                }
            }
        }
        self.searched.remove(&root);
        self.listed.remove(&root);
        self.incoming.touch("archive");
        self.incoming.touch("followup");
        Ok(())
    }

    fn settle(&mut self, verdict: &Verdict) -> Result<()> {
        let connection = self.connection();
        connection
            .prepare_cached("UPDATE op SET acknowledged_seq = ?2 WHERE dseq = ?1")?
            .execute(params![verdict.dseq, verdict.seq])?;
        connection
            .prepare_cached("UPDATE sync_server SET acknowledged = max(acknowledged, ?1)")?
            .execute([verdict.dseq])?;
        let op = self.own_op(verdict.dseq)?;
        if let Some(op) = &op {
            state::keep_author(connection, op)?;
        }
        let (outcome, why) = match &verdict.outcome {
            Outcome::Refused(why) => ("refused", why),
            Outcome::Rejected(why) => ("rejected", why),
            Outcome::Quarantined(why) => ("quarantined", why),
            Outcome::Accepted | Outcome::Duplicate | Outcome::Stored => return Ok(()),
        };
        let Some(op) = op else { return Ok(()) };
        if why == reason::ERASED || state::tells_of_erased(connection, &op)? {
            // The patient was erased while this was on its way: nothing of it stays.
            connection
                .prepare_cached("UPDATE op SET bytes = x'' WHERE dseq = ?1")?
                .execute([verdict.dseq])?;
        }
        self.taken.rejected += 1;
        let patient = match entities::find(&op.entity) {
            Some(entity) => patient_of(connection, entity, op.id)?,
            None => None,
        };
        let waits = waits_for(&op, &verdict.outcome).map(|key| key.id);
        let shown = state::Shown { outcome, why, patient, waits };
        state::keep_verdict(connection, &op, verdict, &shown, self.now_millis)
    }

    fn keep_received(&mut self, seq: i64, op: &FedOp) -> Result<()> {
        self.current = Some((seq, op.clone()));
        let decoded = decode(&op.bytes);
        if let Some(decoded) = &decoded {
            state::keep_author(self.connection(), decoded)?;
        }
        // What lies in a backup already is not needed, and what this desk wrote came with its verdict.
        if seq <= self.durable || decoded.is_some_and(|op| op.device == self.device) {
            return Ok(());
        }
        self.insert_received(seq, op)
    }

    fn keep_own(&mut self, seq: i64, op: &FedOp) -> Result<()> {
        if seq <= self.durable { Ok(()) } else { self.insert_received(seq, op) }
    }

    fn keep_unknown(&mut self, seq: i64, op: &FedOp) -> Result<()> {
        let mut fed = Vec::new();
        ciborium::into_writer(op, &mut fed).map_err(Error::internal)?;
        self.connection()
            .prepare_cached(
                "INSERT INTO sync_unknown (seq, fed) VALUES (?1, ?2) ON CONFLICT (seq) DO NOTHING",
            )?
            .execute(params![seq, fed])?;
        Ok(())
    }

    fn set_cursor(&mut self, scope: Scope, seq: i64) -> Result<()> {
        self.connection()
            .prepare_cached("UPDATE sync_cursor SET seq = max(seq, ?2) WHERE scope = ?1")?
            .execute(params![scope, seq])?;
        Ok(())
    }

    fn see_clock(&mut self, seen: Hlc) -> Result<()> {
        self.seen = self.seen.max(seen);
        Ok(())
    }

    fn keys_in(
        &mut self,
        scope: Scope,
        bucket: usize,
        after: Option<&Key>,
        until: Option<&Key>,
    ) -> Result<Vec<Key>> {
        let mut keys = digest::keys_of(self.connection(), scope, bucket)?;
        let order = |key: &Key| (key.id, key.entity.clone());
        keys.retain(|key| {
            after.is_none_or(|after| order(key) > order(after))
                && until.is_none_or(|until| order(key) <= order(until))
        });
        keys.sort_by_key(order);
        Ok(keys)
    }

    fn made_unsent(&mut self, id: Uuid) -> Result<bool> {
        if self.unsent.is_none() {
            self.unsent = Some(state::unsent_ops(self.connection())?);
        }
        Ok(self.unsent.as_ref().is_some_and(|unsent| unsent.contains(&id)))
    }

    fn epochs(&mut self) -> Result<Vec<EpochStart>> {
        state::epochs(self.connection())
    }

    fn forget(&mut self, records: &[Uuid]) -> Result<()> {
        records.iter().try_for_each(|record| state::erase_ops(self.connection(), *record))
    }

    fn begin_epoch(&mut self, lineage: &[EpochStart], head: i64, last_dseq: i64) -> Result<()> {
        let connection = self.connection();
        state::set_epochs(connection, lineage)?;
        // A verdict from above the common head is another server's word, also on what the server has.
        let first_lost = self.first_judged_above(head)?.unwrap_or(i64::MAX);
        let holds = last_dseq.min(first_lost - 1);
        connection.execute(
            "UPDATE sync_server SET epoch = ?1, head = ?2, acknowledged = min(acknowledged, ?3),
               durable_seq = min(durable_seq, ?2), compared_at = NULL",
            params![lineage.last().map_or(0, |start| start.epoch), head, holds],
        )?;
        let acknowledged_before = self.acknowledged_after(holds)?;
        for op in &acknowledged_before {
            for field in op.fields.keys() {
                connection
                    .prepare_cached(
                        "UPDATE field_clock SET seq = ?4 WHERE record_id = ?1 AND field = ?2 AND op_id = ?3",
                    )?
                    .execute(params![op.id, field, op.op_id, UNSENT])?;
            }
        }
        connection.execute("UPDATE op SET acknowledged_seq = NULL WHERE dseq > ?1", [holds])?;
        connection.execute("DELETE FROM sync_verdict WHERE dseq > ?1", [holds])?;
        state::chain_anew(connection, last_dseq)?;
        connection
            .execute("UPDATE field_clock SET seq = ?1 WHERE seq > ?1 AND seq < ?2", params![head, UNSENT])?;
        connection.execute("UPDATE sync_offer SET rests = NULL WHERE rests > ?1", [head])?;
        connection.execute(
            "INSERT INTO sync_offer (bytes, effective, seal)
             SELECT bytes, effective, seal FROM sync_received WHERE seq > ?1
               AND NOT EXISTS (SELECT 1 FROM sync_offer WHERE sync_offer.bytes = sync_received.bytes)
             ORDER BY seq",
            [head],
        )?;
        connection.execute("DELETE FROM sync_received WHERE seq > ?1", [head])?;
        connection.execute("DELETE FROM sync_unknown WHERE seq > ?1", [head])?;
        connection.execute("UPDATE sync_cursor SET seq = min(seq, ?1)", [head])?;
        attachments::store::ask_anew(connection)?;
        self.durable = self.durable.min(head);
        self.unsent = None;
        point("desk.epoch.begun");
        Ok(())
    }
}
