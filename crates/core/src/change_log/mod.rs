//! The one write path: row, change record and clock in one transaction.
//!
//! A feature's store reads freely and writes here. Every write to a synced table leaves an op:
//! numbered densely on this device, stamped by its clock, hash-chained, and naming for each field
//! the op it overwrote. `docs` of the form: `aftercare_domain::op`.

mod entities;
mod incoming;
#[cfg(test)]
mod tests;
mod verify;
mod wire;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};

use aftercare_domain::hlc::Hlc;
use aftercare_domain::op::{ChangeKind, FieldValue, OP_PROTOCOL, chain_hash};
use aftercare_sync::fold::UNSENT;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ToSql, params};
use uuid::Uuid;

use crate::env::IdSequence;
use crate::error::{Error, Result};

pub use aftercare_sync::entities::{
    ALERT, ALERT_STEP, ALL, ATTACHMENT, CALL, COMPLAINT, COMPLAINT_NOTE, COMPLAINT_PROMISE, COMPLAINT_STEP,
    CONFLICT, CONSENT, CONSULT, CONSULT_REPLY, DUPLICATE, ENCOUNTER, ENROLMENT, Entity, IMPORT_BATCH,
    IMPORT_PROFILE, NOTE, PATIENT, PATIENT_MERGE, PHONE, PLAN_VERSION, REPORT_DEFINITION, REPORT_FREEZE,
    REPORT_FREEZE_ROWS, RESPONSE, SETTING, SITE, SURVEY_INVITE, SURVEY_ROUND, SURVEY_SHEET, TASK, USER,
};
pub use entities::is_synced;
pub use incoming::{Incoming, patient_of};
pub use verify::{Verified, verify};

/// Others wait for what is written here.
const URGENT: &[&str] =
    &["alert", "alert_step", "consult", "consult_reply", "complaint", "complaint_note", "complaint_promise"];

/// A field and its new value.
pub type Change = (&'static str, FieldValue);

/// A field that an update really changed, with what it was.
#[derive(Debug, Clone, PartialEq)]
pub struct Changed {
    /// The field.
    pub field: &'static str,
    /// Its value before.
    pub before: FieldValue,
    /// Its value now.
    pub after: FieldValue,
}

/// Writes within one transaction on behalf of one user.
pub struct Writer<'t> {
    connection: &'t Connection,
    open: &'t AtomicBool,
    user: Uuid,
    now_millis: i64,
    device: Uuid,
    last_dseq: i64,
    chain: Vec<u8>,
    clock: Hlc,
    buffer: Vec<u8>,
    touched: BTreeSet<&'static str>,
    ids: IdSequence,
    overwritten: Option<Vec<Overwritten>>,
    last_row: i64,
    urgent: bool,
}

/// Values that an update replaced, by the number of its op. Kept only where a caller asks for it.
#[derive(Debug, Clone)]
pub struct Overwritten {
    /// The op's number on this desk.
    pub dseq: i64,
    /// Which entity.
    pub entity: &'static Entity,
    /// Which record.
    pub id: Uuid,
    /// What was there and what is there now.
    pub fields: Vec<Changed>,
}

/// How far the change log of this desk has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// Number of the last op.
    pub dseq: i64,
    /// Clock of the last op.
    pub hlc: i64,
}

impl<'t> Writer<'t> {
    /// Starts writing in the transaction of `connection`. The desk's numbers are read from the
    /// database each time, because a second program may have written meanwhile.
    pub(crate) fn begin(
        connection: &'t Connection,
        open: &'t AtomicBool,
        user: Uuid,
        now_millis: i64,
    ) -> Result<Self> {
        let (device, last_dseq, chain, clock) = connection
            .prepare_cached("SELECT device_id, last_dseq, chain_hash, last_hlc FROM desk")?
            .query_row([], |row| {
                Ok((
                    row.get("device_id")?,
                    row.get("last_dseq")?,
                    row.get("chain_hash")?,
                    row.get("last_hlc")?,
                ))
            })?;
        Ok(Self {
            connection,
            open,
            user,
            now_millis,
            device,
            last_dseq,
            chain,
            clock: Hlc::from_i64(clock),
            buffer: Vec::with_capacity(512),
            touched: BTreeSet::new(),
            ids: IdSequence::new(now_millis),
            overwritten: None,
            last_row: 0,
            urgent: false,
        })
    }

    /// A new id. Ids of one transaction ascend, so that a large import fills its tables in order
    /// and does not spread over all their pages.
    pub fn new_id(&mut self) -> Uuid {
        self.ids.next_id()
    }

    /// The row number that the last created record got: a patient's `num`.
    pub fn last_row(&self) -> i64 {
        self.last_row
    }

    /// How far the change log has come, this transaction included.
    pub fn position(&self) -> Position {
        Position { dseq: self.last_dseq, hlc: self.clock.as_i64() }
    }

    /// From now on keeps what updates overwrite, until it is taken.
    pub fn keep_overwritten(&mut self) {
        self.overwritten.get_or_insert_default();
    }

    /// Takes what updates have overwritten since the last time.
    pub fn take_overwritten(&mut self) -> Vec<Overwritten> {
        self.overwritten.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// Whether somebody elsewhere waits for this: an alert, a question to an expert, or an answer.
    pub fn is_urgent(&self) -> bool {
        self.urgent
    }

    /// The transaction, for reads and for local tables (indexes, drafts) that are not synced.
    pub fn connection(&self) -> &'t Connection {
        self.connection
    }

    /// This desk's identity.
    pub fn device(&self) -> Uuid {
        self.device
    }

    /// The user on whose behalf this writes.
    pub fn user(&self) -> Uuid {
        self.user
    }

    /// The instant of this transaction, milliseconds UTC.
    pub fn now_millis(&self) -> i64 {
        self.now_millis
    }

    /// The features whose data this has changed so far.
    pub fn touched(&self) -> &BTreeSet<&'static str> {
        &self.touched
    }

    /// Says that data of `feature` changed in a local table.
    pub fn touch(&mut self, feature: &'static str) {
        self.touched.insert(feature);
    }

    /// Makes a record. Its first op carries the record's own id.
    pub fn create(&mut self, entity: &'static Entity, id: Uuid, fields: &[Change]) -> Result<()> {
        let mut sql = String::with_capacity(256);
        sql.push_str("INSERT INTO ");
        sql.push_str(entity.table);
        sql.push_str(" (id");
        for (field, _) in fields {
            sql.push_str(", ");
            sql.push_str(field);
        }
        sql.push_str(") VALUES (?1");
        for index in 0..fields.len() {
            sql.push_str(", ?");
            sql.push_str(&(index + 2).to_string());
        }
        sql.push(')');
        self.execute(&sql, id, fields)?;
        self.last_row = self.connection.last_insert_rowid();
        self.record(entity, id, id, entity.kind, None, fields, &[])
    }

    /// Sets fields of a record, those that differ from what is there. Returns what changed;
    /// nothing changed leaves no op.
    ///
    /// Errors: `NotFound` when there is no such record.
    pub fn update(&mut self, entity: &'static Entity, id: Uuid, fields: &[Change]) -> Result<Vec<Changed>> {
        self.set(entity, id, ChangeKind::Fields, None, fields)
    }

    /// Carries out a judged command: sets what it sets, and records its name. The guard has
    /// been passed by `aftercare_domain`'s pure `judge` in the same transaction.
    pub fn command(
        &mut self,
        entity: &'static Entity,
        id: Uuid,
        name: &'static str,
        fields: &[Change],
    ) -> Result<Vec<Changed>> {
        self.set(entity, id, ChangeKind::Command, Some(name), fields)
    }

    /// Current values of fields of a record, in their order.
    ///
    /// Errors: `NotFound` when there is no such record.
    pub fn values(
        &self,
        entity: &'static Entity,
        id: Uuid,
        fields: &[&'static str],
    ) -> Result<Vec<FieldValue>> {
        if fields.is_empty() {
            return Ok(Vec::new());
        }
        let mut sql = String::from("SELECT ");
        for (index, field) in fields.iter().enumerate() {
            if index > 0 {
                sql.push_str(", ");
            }
            sql.push_str(field);
        }
        sql.push_str(" FROM ");
        sql.push_str(entity.table);
        sql.push_str(" WHERE id = ?1");
        let row = self
            .connection
            .prepare_cached(&sql)?
            .query_row([id], |row| (0..fields.len()).map(|i| row.get_ref(i).map(field_value)).collect())?;
        Ok(row)
    }

    fn set(
        &mut self,
        entity: &'static Entity,
        id: Uuid,
        kind: ChangeKind,
        command: Option<&'static str>,
        fields: &[Change],
    ) -> Result<Vec<Changed>> {
        if entity.kind == ChangeKind::Fact {
            return Err(Error::internal(format!("{} is append-only", entity.table)));
        }
        for (field, _) in fields {
            entities::check(entity, field, kind)?;
        }
        let names: Vec<&'static str> = fields.iter().map(|(field, _)| *field).collect();
        let before = self.values(entity, id, &names)?;
        let changed: Vec<Changed> = fields
            .iter()
            .zip(before)
            .filter(|((_, after), before)| after != before)
            .map(|((field, after), before)| Changed { field, before, after: after.clone() })
            .collect();
        if changed.is_empty() {
            return Ok(changed);
        }
        let fields: Vec<Change> = changed.iter().map(|c| (c.field, c.after.clone())).collect();
        let mut sql = format!("UPDATE {} SET ", entity.table);
        for (index, (field, _)) in fields.iter().enumerate() {
            if index > 0 {
                sql.push_str(", ");
            }
            sql.push_str(&format!("{field} = ?{}", index + 2));
        }
        sql.push_str(" WHERE id = ?1");
        self.execute(&sql, id, &fields)?;
        let op_id = self.new_id();
        let base = self.move_clocks(id, op_id, &fields)?;
        self.record(entity, id, op_id, kind, command, &fields, &base)?;
        if let Some(overwritten) = &mut self.overwritten {
            overwritten.push(Overwritten { dseq: self.last_dseq, entity, id, fields: changed.clone() });
        }
        Ok(changed)
    }

    /// Notes for each field the op that now holds it, and returns the ops overwritten. A field
    /// never changed since its record was made is held by the record's first op: its own id.
    fn move_clocks(&mut self, id: Uuid, op_id: Uuid, fields: &[Change]) -> Result<Vec<(&'static str, Uuid)>> {
        let mut base = Vec::with_capacity(fields.len());
        let clock = self.clock.tick(self.now_millis);
        for (field, _) in fields {
            let holder = crate::db::optional(
                self.connection
                    .prepare_cached("SELECT op_id FROM field_clock WHERE record_id = ?1 AND field = ?2")?
                    .query_row(params![id, field], |row| row.get::<_, Uuid>("op_id")),
            )?;
            base.push((*field, holder.unwrap_or(id)));
            self.connection
                .prepare_cached(
                    "INSERT INTO field_clock (record_id, field, op_id, effective_hlc, seq) VALUES (?1, ?2, ?3, ?4, ?5)
                     ON CONFLICT (record_id, field) DO UPDATE SET
                       op_id = excluded.op_id, effective_hlc = excluded.effective_hlc, seq = excluded.seq",
                )?
                .execute(params![id, field, op_id, clock.as_i64(), UNSENT])?;
        }
        Ok(base)
    }

    fn execute(&self, sql: &str, id: Uuid, fields: &[Change]) -> Result<()> {
        // Only while this prepares may a statement write a synced table (see db::open).
        self.open.store(true, Ordering::Relaxed);
        let prepared = self.connection.prepare_cached(sql);
        self.open.store(false, Ordering::Relaxed);
        let mut statement = prepared?;
        statement.raw_bind_parameter(1, id)?;
        for (index, (_, value)) in fields.iter().enumerate() {
            statement.raw_bind_parameter(index + 2, Bound(value))?;
        }
        statement.raw_execute()?;
        Ok(())
    }

    #[allow(clippy::too_many_arguments)]
    fn record(
        &mut self,
        entity: &'static Entity,
        id: Uuid,
        op_id: Uuid,
        kind: ChangeKind,
        command: Option<&str>,
        fields: &[Change],
        base: &[(&'static str, Uuid)],
    ) -> Result<()> {
        self.clock = self.clock.tick(self.now_millis);
        self.last_dseq += 1;
        self.touched.insert(entity.feature);
        self.urgent |= URGENT.contains(&entity.table);
        self.buffer.clear();
        wire::write_op(
            &mut self.buffer,
            &wire::OpRef {
                protocol: OP_PROTOCOL,
                op_id,
                dseq: self.last_dseq,
                device: self.device,
                user: self.user,
                hlc: self.clock,
                kind,
                entity: entity.table,
                id,
                command,
                fields: wire::Fields { changes: fields, with_nulls: op_id != id },
                base,
            },
        )?;
        self.chain = chain_hash(&self.chain, &self.buffer).to_vec();
        self.connection
            .prepare_cached("INSERT INTO op (dseq, bytes, hash) VALUES (?1, ?2, ?3)")?
            .execute(params![self.last_dseq, self.buffer, self.chain])?;
        Ok(())
    }

    /// Keeps the desk's numbers. Called once, at the end of the transaction.
    pub(crate) fn finish(self) -> Result<BTreeSet<&'static str>> {
        self.connection
            .prepare_cached("UPDATE desk SET last_dseq = ?1, chain_hash = ?2, last_hlc = ?3")?
            .execute(params![self.last_dseq, self.chain, self.clock.as_i64()])?;
        Ok(self.touched)
    }
}

struct Bound<'a>(&'a FieldValue);

impl ToSql for Bound<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self.0 {
            FieldValue::Null => ValueRef::Null,
            FieldValue::Integer(value) => ValueRef::Integer(*value),
            FieldValue::Real(value) => ValueRef::Real(*value),
            FieldValue::Text(value) => ValueRef::Text(value.as_bytes()),
            FieldValue::Bytes(value) => ValueRef::Blob(value),
        }))
    }
}

fn field_value(value: ValueRef<'_>) -> FieldValue {
    match value {
        ValueRef::Null => FieldValue::Null,
        ValueRef::Integer(value) => FieldValue::Integer(value),
        ValueRef::Real(value) => FieldValue::Real(value),
        ValueRef::Text(value) => FieldValue::Text(String::from_utf8_lossy(value).into_owned()),
        ValueRef::Blob(value) => FieldValue::Bytes(value.to_vec()),
    }
}
