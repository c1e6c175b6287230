//! Taking a whole batch back: what it made goes, what it overwrote returns where it still holds the batch's value.
//!
//! People whom somebody has worked with since stay with their discharges: a call that was made is a fact. Nothing
//! is deleted; taking back is new changes.

use std::collections::{BTreeSet, HashMap};

use aftercare_domain::error_code::ErrorCode;
use aftercare_domain::op::{FieldValue, Op};
use rusqlite::{Connection, params};
use serde_json::json;
use uuid::Uuid;

use super::requests::{BatchInfo, UndoResult};
use super::spans::Span;
use super::store::{self, BeforeAfter};
use crate::app::Ctx;
use crate::app::jobs::Progress;
use crate::change_log::{self, Change, DUPLICATE, ENCOUNTER, Entity, IMPORT_BATCH, PATIENT, PHONE, Writer};
use crate::error::{Error, Result};
use crate::followup::{self, StopReason};
use crate::reports::dashboard;
use crate::{archive, audit};

/// Ops between two looks at progress and cancellation.
const OPS_PER_LOOK: u64 = 256;

/// Takes a batch back, all of it or nothing.
///
/// Errors: `NotFound`, `BatchUndone`, `BatchElsewhere`, `Cancelled`.
pub fn undo(ctx: &Ctx, named: &str, progress: &Progress) -> Result<UndoResult> {
    let batch = ctx.read(|connection| store::batch(connection, named))?;
    let result = ctx.db().with_large_cache(|| {
        ctx.write(|writer| {
            // Asked again inside: two people may press the same button.
            let batch = store::batch(writer.connection(), &batch.id.to_string())?;
            if batch.undone_at.is_some() {
                return Err(Error::new(ErrorCode::BatchUndone).with("batch", batch.number));
            }
            if !batch.here {
                return Err(Error::new(ErrorCode::BatchElsewhere).with("batch", batch.number));
            }
            let mut taking = TakingBack::begin(writer, &batch)?;
            taking.all(writer, progress)?;
            let result = taking.end(writer, &batch)?;
            let detail = json!({ "batch": batch.number, "patients": result.patients_removed,
                "encounters": result.encounters_removed, "kept": result.patients_kept });
            audit::append(
                writer.connection(),
                writer.now_millis(),
                ctx.user_id(),
                "imports.undo",
                Some(batch.id),
                &detail,
            )?;
            Ok(result)
        })
    })?;
    dashboard::beside(ctx);
    Ok(result)
}

struct TakingBack {
    span: Span,
    ops: std::ops::RangeInclusive<i64>,
    /// The instant that the batch's ids carry.
    at_millis: i64,
    /// People the batch made, and whether they stay.
    made: HashMap<Uuid, bool>,
    /// People whose search entries change.
    touched: BTreeSet<Uuid>,
    result: UndoResult,
}

impl TakingBack {
    fn begin(writer: &Writer<'_>, batch: &BatchInfo) -> Result<Self> {
        let (first, last, at_millis) = writer.connection().query_row(
            "SELECT first_dseq, last_dseq, at_millis FROM import_span WHERE batch = ?1 AND undoing = 0",
            [batch.number],
            |row| Ok((row.get("first_dseq")?, row.get("last_dseq")?, row.get("at_millis")?)),
        )?;
        Ok(Self {
            span: Span::of_undoing(writer, batch.number),
            ops: first..=last,
            at_millis,
            made: HashMap::new(),
            touched: BTreeSet::new(),
            result: UndoResult {
                batch: batch.number,
                patients_removed: 0,
                encounters_removed: 0,
                values_restored: 0,
                values_kept: 0,
                patients_kept: 0,
                tasks_withdrawn: 0,
            },
        })
    }

    /// Goes through the batch's changes from the last to the first.
    fn all(&mut self, writer: &mut Writer<'_>, progress: &Progress) -> Result<()> {
        let connection = writer.connection();
        let (first, last) = (*self.ops.start(), *self.ops.end());
        let total = u64::try_from(last - first + 1).unwrap_or(0);
        let mut statement = connection
            .prepare("SELECT dseq, bytes FROM op WHERE dseq BETWEEN ?1 AND ?2 ORDER BY dseq DESC")?;
        let mut ops = statement.query(params![first, last])?;
        let mut done = 0_u64;
        while let Some(row) = ops.next()? {
            done += 1;
            if done.is_multiple_of(OPS_PER_LOOK) {
                progress.check()?;
                progress.set(done, total);
            }
            let bytes = row.get_ref("bytes")?.as_blob().map_err(Error::internal)?;
            let op: Op = ciborium::from_reader(bytes).map_err(Error::internal)?;
            if op.op_id == op.id {
                self.take_away(writer, &op)?;
            } else {
                self.put_back(writer, row.get("dseq")?)?;
            }
        }
        Ok(())
    }

    /// Takes away a record that the batch made.
    fn take_away(&mut self, writer: &mut Writer<'_>, op: &Op) -> Result<()> {
        let owner = |field: &str| match op.fields.get(field) {
            Some(FieldValue::Bytes(id)) => Uuid::from_slice(id).ok(),
            _ => None,
        };
        match op.entity.as_str() {
            "patient" => {
                if self.stays(writer.connection(), op.id)? {
                    self.result.patients_kept += 1;
                } else {
                    writer.update(&PATIENT, op.id, &[("removed", true.into())])?;
                    self.result.patients_removed += 1;
                    self.touched.insert(op.id);
                }
            }
            "encounter" => self.take_stay(writer, op.id, owner("patient_id"))?,
            "phone" => {
                let Some(patient) = owner("patient_id") else { return Ok(()) };
                let keeps = self.is_made(patient) && self.stays(writer.connection(), patient)?;
                if !keeps
                    && !is_true(
                        writer.connection(),
                        include_str!("sql/edited_by_person.sql"),
                        params![op.id, self.span.before.hlc],
                    )?
                {
                    writer.update(&PHONE, op.id, &[("removed", true.into())])?;
                    self.touched.insert(patient);
                }
            }
            "duplicate" => {
                let open = writer.values(&DUPLICATE, op.id, &["state"])?;
                if open.first() == Some(&FieldValue::Text("open".to_owned())) {
                    let (at, by) = (writer.now_millis(), writer.user());
                    let settled =
                        [("state", "different".into()), ("settled_at", at.into()), ("settled_by", by.into())];
                    writer.update(&DUPLICATE, op.id, &settled)?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn take_stay(&mut self, writer: &mut Writer<'_>, stay: Uuid, patient: Option<Uuid>) -> Result<()> {
        let Some(patient) = patient else { return Ok(()) };
        let connection = writer.connection();
        let keeps = if self.is_made(patient) {
            is_true(connection, include_str!("sql/worked_on.sql"), params![patient, self.span.before.hlc])?
        } else {
            is_true(connection, include_str!("sql/stay_worked_on.sql"), [stay, patient])?
        };
        if !keeps {
            self.result.tasks_withdrawn += connection
                .prepare_cached(include_str!("sql/tasks_of_stay.sql"))?
                .query_row(params![patient, stay], |row| row.get::<_, u32>("open"))
                .map(u64::from)?;
            followup::withdraw_encounter(writer, stay)?;
            writer.update(&ENCOUNTER, stay, &[("removed", true.into())])?;
            self.result.encounters_removed += 1;
            self.touched.insert(patient);
        }
        Ok(())
    }

    /// Whether the batch itself made this person.
    fn is_made(&self, patient: Uuid) -> bool {
        i64::try_from(patient.as_u128() >> 80) == Ok(self.at_millis)
    }

    /// Whether a person the batch made stays: somebody worked with them, or a later batch knows them.
    fn stays(&mut self, connection: &Connection, patient: Uuid) -> Result<bool> {
        if let Some(known) = self.made.get(&patient) {
            return Ok(*known);
        }
        let mut stays =
            is_true(connection, include_str!("sql/worked_on.sql"), params![patient, self.span.before.hlc])?;
        if !stays {
            let mut statement = connection
                .prepare_cached("SELECT id FROM encounter WHERE patient_id = ?1 AND removed = 0")?;
            let mut rows = statement.query([patient])?;
            while let Some(row) = rows.next()? {
                let id: Uuid = row.get("id")?;
                stays |= i64::try_from(id.as_u128() >> 80) != Ok(self.at_millis);
            }
        }
        self.made.insert(patient, stays);
        Ok(stays)
    }

    /// Puts back the values that one change overwrote, where nobody has changed them since.
    fn put_back(&mut self, writer: &mut Writer<'_>, dseq: i64) -> Result<()> {
        let kept = crate::db::optional(
            writer
                .connection()
                .prepare_cached(
                    "SELECT entity, record, fields FROM import_before WHERE batch = ?1 AND dseq = ?2",
                )?
                .query_row(params![self.span.batch, dseq], |row| {
                    Ok((
                        row.get::<_, String>("entity")?,
                        row.get::<_, Uuid>("record")?,
                        row.get::<_, String>("fields")?,
                    ))
                }),
        )?;
        let Some((table, record, fields)) = kept else { return Ok(()) };
        let Some(entity) = entity(&table) else { return Ok(()) };
        let fields: Vec<(String, BeforeAfter)> = serde_json::from_str(&fields)?;
        let names: Vec<&'static str> = fields.iter().filter_map(|(name, _)| column(entity, name)).collect();
        let current = writer.values(entity, record, &names)?;
        let mut changes: Vec<Change> = Vec::new();
        for (name, current) in names.iter().zip(current) {
            let Some((_, (before, after))) = fields.iter().find(|(field, _)| field == name) else { continue };
            if current == *after {
                changes.push((name, before.clone()));
            } else {
                self.result.values_kept += 1;
            }
        }
        self.result.values_restored += changes.len() as u64;
        writer.update(entity, record, &changes)?;
        if changes.contains(&("deceased", FieldValue::Integer(0))) {
            followup::resume_patient(writer, record, StopReason::Deceased)?;
        }
        if table == "patient" {
            self.touched.insert(record);
        }
        Ok(())
    }

    fn end(self, writer: &mut Writer<'_>, batch: &BatchInfo) -> Result<UndoResult> {
        let at = writer.now_millis();
        writer.update(&IMPORT_BATCH, batch.id, &[("undone_at", at.into())])?;
        self.span.end(writer, true)?;
        let touched: Vec<Uuid> = self.touched.iter().copied().collect();
        archive::index_patients(writer.connection(), &touched)?;
        Ok(self.result)
    }
}

/// What is put back value by value. Follow-up takes up its plans and tasks by itself; only their dates, which a stay
/// had put off, return from here.
fn entity(table: &str) -> Option<&'static Entity> {
    let known = ["patient", "phone", "encounter", "task"].contains(&table);
    change_log::ALL.iter().copied().find(|entity| known && entity.table == table)
}

fn column(entity: &'static Entity, name: &str) -> Option<&'static str> {
    let date = ["due_on", "window_starts_on", "window_ends_on"].contains(&name);
    entity.fields.iter().copied().find(|field| *field == name && (date || entity.table != "task"))
}

fn is_true<P: rusqlite::Params>(connection: &Connection, sql: &str, params: P) -> Result<bool> {
    Ok(connection.prepare_cached(sql)?.query_row(params, |row| row.get(0))?)
}
