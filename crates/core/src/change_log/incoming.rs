//! What others wrote, on its way into the synced tables: rows and clocks, no ops. Which write wins is
//! decided by `aftercare_sync`; here it is only stored.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use aftercare_domain::hlc::Hlc;
use aftercare_domain::op::FieldValue;
use aftercare_sync::entities::{self, Default as ColumnDefault, Entity, Parent};
use aftercare_sync::fold::Clock;
use rusqlite::types::ToSql;
use rusqlite::{CachedStatement, Connection, params};
use uuid::Uuid;

use super::{Bound, field_value};
use crate::db::optional;
use crate::error::{Error, Result};

/// Writes foreign changes within one transaction.
pub struct Incoming<'t> {
    connection: &'t Connection,
    open: &'t AtomicBool,
    touched: BTreeSet<&'static str>,
}

impl<'t> Incoming<'t> {
    /// Starts in the transaction of `connection`.
    pub(crate) fn begin(connection: &'t Connection, open: &'t AtomicBool) -> Self {
        Self { connection, open, touched: BTreeSet::new() }
    }

    /// The transaction, for reads and for local tables.
    pub fn connection(&self) -> &'t Connection {
        self.connection
    }

    /// The features whose data this has changed.
    pub fn touched(&self) -> &BTreeSet<&'static str> {
        &self.touched
    }

    /// Says that data of `feature` changed in a local table.
    pub fn touch(&mut self, feature: &'static str) {
        self.touched.insert(feature);
    }

    fn prepare(&self, sql: &str) -> Result<CachedStatement<'t>> {
        // Only while this prepares may a statement write a synced table (see db::open).
        self.open.store(true, Ordering::Relaxed);
        let prepared = self.connection.prepare_cached(sql);
        self.open.store(false, Ordering::Relaxed);
        Ok(prepared?)
    }

    /// Whether the record is there.
    pub fn exists(&self, entity: &'static Entity, id: Uuid) -> Result<bool> {
        let sql = format!("SELECT EXISTS (SELECT 1 FROM {} WHERE id = ?1) AS there", entity.table);
        Ok(self.connection.prepare_cached(&sql)?.query_row([id], |row| row.get("there"))?)
    }

    /// Makes a record. `false` when it cannot stand in this program's table: a field is missing that
    /// it needs, or is of another kind.
    pub fn insert(
        &mut self,
        entity: &'static Entity,
        id: Uuid,
        values: &BTreeMap<String, FieldValue>,
    ) -> Result<bool> {
        let form = form(entity)?;
        let mut bound: Vec<&FieldValue> = form.defaults.iter().collect();
        for (name, value) in values.iter().filter(|(_, value)| **value != FieldValue::Null) {
            if let Ok(at) = form.columns.binary_search(&name.as_str())
                && let Some(place) = bound.get_mut(at)
            {
                *place = value;
            }
        }
        let mut statement = self.prepare(&form.sql)?;
        statement.raw_bind_parameter(1, id)?;
        for (at, value) in bound.into_iter().enumerate() {
            statement.raw_bind_parameter(at + 2, Bound(value))?;
        }
        self.ended(entity, statement.raw_execute())
    }

    /// Sets fields of a record; no value means what the column holds by itself. `false` as for
    /// [`Incoming::insert`].
    pub fn assign(
        &mut self,
        entity: &'static Entity,
        id: Uuid,
        fields: &[(&str, &FieldValue)],
    ) -> Result<bool> {
        let fields: Vec<(&'static str, FieldValue)> = fields
            .iter()
            .filter_map(|(name, value)| Some((column(entity, name)?, or_default(entity, name, value))))
            .collect();
        if fields.is_empty() {
            return Ok(true);
        }
        let sets: Vec<String> =
            fields.iter().enumerate().map(|(index, (name, _))| format!("{name} = ?{}", index + 2)).collect();
        let sql = format!("UPDATE {} SET {} WHERE id = ?1", entity.table, sets.join(", "));
        let values: Vec<Bound<'_>> = fields.iter().map(|(_, value)| Bound(value)).collect();
        self.run(entity, &sql, id, &values)
    }

    fn run(&mut self, entity: &'static Entity, sql: &str, id: Uuid, values: &[Bound<'_>]) -> Result<bool> {
        let mut statement = self.prepare(sql)?;
        let mut bound: Vec<&dyn ToSql> = vec![&id];
        bound.extend(values.iter().map(|value| value as &dyn ToSql));
        let done = statement.execute(bound.as_slice());
        self.ended(entity, done)
    }

    fn ended(&mut self, entity: &'static Entity, done: rusqlite::Result<usize>) -> Result<bool> {
        match done {
            Ok(_) => {
                self.touched.insert(entity.feature);
                Ok(true)
            }
            Err(error) if error.sqlite_error_code() == Some(rusqlite::ErrorCode::ConstraintViolation) => {
                Ok(false)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The values of a record's fields that say something, by name.
    pub fn values(&self, entity: &'static Entity, id: Uuid) -> Result<Option<BTreeMap<String, FieldValue>>> {
        let names: Vec<&'static str> = entity.fields.iter().chain(entity.commanded).copied().collect();
        let sql = format!("SELECT {} FROM {} WHERE id = ?1", names.join(", "), entity.table);
        optional(self.connection.prepare_cached(&sql)?.query_row([id], |row| {
            names
                .iter()
                .enumerate()
                .map(|(index, name)| Ok(((*name).to_owned(), field_value(row.get_ref(index)?))))
                .filter(|read| !matches!(read, Ok((_, FieldValue::Null))))
                .collect()
        }))
    }

    /// Removes a record and its clocks.
    pub fn delete(&mut self, entity: &'static Entity, id: Uuid) -> Result<()> {
        self.connection.prepare_cached("DELETE FROM field_clock WHERE record_id = ?1")?.execute([id])?;
        let sql = format!("DELETE FROM {} WHERE id = ?1", entity.table);
        self.prepare(&sql)?.execute([id])?;
        self.touched.insert(entity.feature);
        Ok(())
    }

    /// The ids of every record of `entity` that hangs on a patient (the patient too).
    pub fn hanging_on(&self, entity: &'static Entity, patient_id: Uuid) -> Result<Vec<Uuid>> {
        let Some(condition) = patient_condition(entity) else { return Ok(Vec::new()) };
        let sql = format!("SELECT id FROM {} WHERE {condition}", entity.table);
        let mut statement = self.connection.prepare_cached(&sql)?;
        let ids = statement.query_map([patient_id], |row| row.get("id"))?;
        Ok(ids.collect::<rusqlite::Result<_>>()?)
    }

    /// The write that holds a field, if it was changed after its record was made.
    pub fn clock(&self, id: Uuid, field: &str) -> Result<Option<Clock>> {
        optional(
            self.connection
                .prepare_cached(
                    "SELECT op_id, effective_hlc, seq FROM field_clock WHERE record_id = ?1 AND field = ?2",
                )?
                .query_row(params![id, field], |row| {
                    Ok(Clock {
                        op: row.get("op_id")?,
                        effective: Hlc::from_i64(row.get("effective_hlc")?),
                        seq: row.get("seq")?,
                    })
                }),
        )
    }

    /// Notes which write holds a field; none: the one that made the record.
    pub fn stamp(&self, id: Uuid, field: &str, clock: Option<&Clock>) -> Result<()> {
        match clock {
            Some(clock) => self
                .connection
                .prepare_cached(
                    "INSERT INTO field_clock (record_id, field, op_id, effective_hlc, seq) VALUES (?1, ?2, ?3, ?4, ?5)
                     ON CONFLICT (record_id, field) DO UPDATE SET op_id = excluded.op_id,
                       effective_hlc = excluded.effective_hlc, seq = excluded.seq",
                )?
                .execute(params![id, field, clock.op, clock.effective.as_i64(), clock.seq])?,
            None => self
                .connection
                .prepare_cached("DELETE FROM field_clock WHERE record_id = ?1 AND field = ?2")?
                .execute(params![id, field])?,
        };
        Ok(())
    }

    /// Makes the desk's clock at least as late as `seen`.
    pub fn see(&self, seen: Hlc) -> Result<()> {
        self.connection
            .prepare_cached("UPDATE desk SET last_hlc = ?1 WHERE last_hlc < ?1")?
            .execute([seen.as_i64()])?;
        Ok(())
    }
}

/// How records of an entity are made: one statement for all of them, that names every column.
struct Form {
    sql: String,
    /// By name; the parameters after the id.
    columns: Vec<&'static str>,
    /// What each column holds when nothing is said of it.
    defaults: Vec<FieldValue>,
}

fn form(entity: &'static Entity) -> Result<&'static Form> {
    static FORMS: OnceLock<HashMap<&'static str, Form>> = OnceLock::new();
    let forms = FORMS.get_or_init(|| {
        entities::ALL.iter().copied().map(|entity| (entity.table, Form::new(entity))).collect()
    });
    forms.get(entity.table).ok_or_else(|| Error::internal(format!("{} is no entity", entity.table)))
}

impl Form {
    fn new(entity: &'static Entity) -> Self {
        let mut columns: Vec<&'static str> = entity.fields.iter().chain(entity.commanded).copied().collect();
        columns.sort_unstable();
        let places: String = (0..columns.len()).map(|index| format!(", ?{}", index + 2)).collect();
        let names = columns.join(", ");
        let sql = format!("INSERT INTO {} (id, {names}) VALUES (?1{places})", entity.table);
        let defaults = columns.iter().map(|column| or_default(entity, column, &FieldValue::Null)).collect();
        Self { sql, columns, defaults }
    }
}

/// The patient a record hangs on (a patient: itself); none for what the whole hospital shares, and
/// where the record or what it hangs on is not here.
pub fn patient_of(connection: &Connection, entity: &'static Entity, id: Uuid) -> Result<Option<Uuid>> {
    let (mut entity, mut id) = (entity, id);
    loop {
        match entity.parent {
            Parent::Hospital => return Ok(None),
            Parent::Patient(_) => return Ok(Some(id)),
            Parent::Of(field, parent) => {
                let sql = format!("SELECT {field} AS parent FROM {} WHERE id = ?1", entity.table);
                let found = connection.prepare_cached(&sql)?.query_row([id], |row| row.get("parent"));
                let Some(parent_id) = optional(found)? else { return Ok(None) };
                entity = entities::find(parent)
                    .ok_or_else(|| Error::internal(format!("{} hangs on {parent}", entity.table)))?;
                id = parent_id;
            }
        }
    }
}

/// The condition that finds an entity's records of patient `?1`.
fn patient_condition(entity: &Entity) -> Option<String> {
    match entity.parent {
        Parent::Hospital => None,
        Parent::Patient(_) => Some("id = ?1".to_owned()),
        Parent::Of(field, "patient") => Some(format!("{field} = ?1")),
        Parent::Of(field, parent) => {
            let inner = patient_condition(entities::find(parent)?)?;
            Some(format!("{field} IN (SELECT id FROM {parent} WHERE {inner})"))
        }
    }
}

/// The column of this name: what comes from elsewhere is never put into a statement by itself.
fn column(entity: &'static Entity, name: &str) -> Option<&'static str> {
    entity.fields.iter().chain(entity.commanded).copied().find(|field| *field == name)
}

fn or_default(entity: &Entity, name: &str, value: &FieldValue) -> FieldValue {
    let default = || entity.defaults.iter().find(|(field, _)| *field == name).map(|(_, default)| default);
    match (value, default()) {
        (FieldValue::Null, Some(ColumnDefault::Integer(value))) => FieldValue::Integer(*value),
        (FieldValue::Null, Some(ColumnDefault::Text(text))) => FieldValue::Text((*text).to_owned()),
        _ => value.clone(),
    }
}
