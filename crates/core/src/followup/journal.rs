//! Writes that remember what they changed, so that a call can be taken back as it was saved.

use aftercare_domain::op::FieldValue;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::change_log::{self, Change, Changed, Entity, Writer};
use crate::error::{Error, Result};

/// What a transaction wrote, in order.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Log(Vec<Entry>);

#[derive(Debug, Serialize, Deserialize)]
struct Entry {
    table: String,
    id: Uuid,
    /// None for a record that was made.
    fields: Option<Vec<(String, FieldValue, FieldValue)>>,
}

/// A writer that keeps a log.
pub(super) struct Journal<'w, 't> {
    /// Writes without leaving a trace in the log, for what is not taken back.
    pub writer: &'w mut Writer<'t>,
    log: Log,
}

impl<'w, 't> Journal<'w, 't> {
    /// An empty log over `writer`.
    pub fn new(writer: &'w mut Writer<'t>) -> Self {
        Self { writer, log: Log::default() }
    }

    /// A new id at the transaction's instant.
    pub fn new_id(&mut self) -> Uuid {
        self.writer.new_id()
    }

    /// Makes a record.
    pub fn create(&mut self, entity: &'static Entity, id: Uuid, fields: &[Change]) -> Result<()> {
        self.writer.create(entity, id, fields)?;
        self.log.0.push(Entry { table: entity.table.to_owned(), id, fields: None });
        Ok(())
    }

    /// Sets fields; see `Writer::update`.
    pub fn update(&mut self, entity: &'static Entity, id: Uuid, fields: &[Change]) -> Result<()> {
        let changed = self.writer.update(entity, id, fields)?;
        self.keep(entity, id, changed);
        Ok(())
    }

    /// Carries out a judged command; see `Writer::command`.
    pub fn command(
        &mut self,
        entity: &'static Entity,
        id: Uuid,
        name: &'static str,
        fields: &[Change],
    ) -> Result<()> {
        let changed = self.writer.command(entity, id, name, fields)?;
        self.keep(entity, id, changed);
        Ok(())
    }

    fn keep(&mut self, entity: &'static Entity, id: Uuid, changed: Vec<Changed>) {
        if !changed.is_empty() {
            let fields = changed.into_iter().map(|c| (c.field.to_owned(), c.before, c.after)).collect();
            self.log.0.push(Entry { table: entity.table.to_owned(), id, fields: Some(fields) });
        }
    }

    /// The log so far.
    pub fn into_log(self) -> Log {
        self.log
    }
}

impl Log {
    /// Ids of the records made in `entity`.
    pub fn made(&self, entity: &'static Entity) -> impl Iterator<Item = Uuid> + '_ {
        self.0.iter().filter(|e| e.table == entity.table && e.fields.is_none()).map(|e| e.id)
    }

    /// Whether any record of `entity` was changed (not made).
    pub fn changed(&self, entity: &'static Entity) -> bool {
        self.0.iter().any(|e| e.table == entity.table && e.fields.is_some())
    }

    /// Changes in `entity`, newest first: the record, and for each field its name, its value before and after.
    #[allow(clippy::type_complexity)]
    pub fn changes_back(&self) -> impl Iterator<Item = (&str, Uuid, &[(String, FieldValue, FieldValue)])> {
        self.0.iter().rev().filter_map(|e| Some((e.table.as_str(), e.id, e.fields.as_deref()?)))
    }
}

/// The entity of a table, with the field's static name.
pub(super) fn field_of(table: &str, field: &str) -> Result<(&'static Entity, &'static str)> {
    let entity = change_log::ALL.iter().find(|entity| entity.table == table);
    let entity = entity.ok_or_else(|| Error::internal("unknown table in an undo log"))?;
    let name = entity.fields.iter().chain(entity.commanded).find(|name| **name == field);
    Ok((entity, name.ok_or_else(|| Error::internal("unknown field in an undo log"))?))
}
