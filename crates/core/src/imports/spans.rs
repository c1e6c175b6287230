//! Which changes came from the hospital's system and which from a person.

use rusqlite::{Connection, params};
use uuid::Uuid;

use crate::change_log::{Position, Writer};
use crate::error::Result;

/// The beginning of a batch, or of its undoing, within the change log.
#[derive(Debug, Clone, Copy)]
pub struct Span {
    /// Number of the batch on this desk.
    pub batch: i64,
    /// Where the change log stood before it.
    pub before: Position,
    /// The instant its ids carry.
    pub at_millis: i64,
}

impl Span {
    /// Begins a batch under the next number of this desk.
    pub fn begin(writer: &Writer<'_>) -> Result<Self> {
        let batch = writer
            .connection()
            .prepare_cached("SELECT coalesce(max(batch), 0) + 1 FROM import_span")?
            .query_row([], |row| row.get(0))?;
        Ok(Self { batch, before: writer.position(), at_millis: writer.now_millis() })
    }

    /// Begins taking back a batch.
    pub fn of_undoing(writer: &Writer<'_>, batch: i64) -> Self {
        Self { batch, before: writer.position(), at_millis: writer.now_millis() }
    }

    /// Notes what was written between the beginning and now.
    pub fn end(&self, writer: &Writer<'_>, undoing: bool) -> Result<()> {
        let after = writer.position();
        writer
            .connection()
            .prepare_cached(
                "INSERT INTO import_span (first_hlc, last_hlc, first_dseq, last_dseq, at_millis, batch, undoing)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?
            .execute(params![
                self.before.hlc + 1,
                after.hlc,
                self.before.dseq + 1,
                after.dseq,
                self.at_millis,
                self.batch,
                undoing
            ])?;
        Ok(())
    }

    /// Whether a person, and not an import, gave this field of a record its value.
    pub fn held_by_person(&self, connection: &Connection, record: Uuid, field: &str) -> Result<bool> {
        let clock: Option<i64> = crate::db::optional(
            connection
                .prepare_cached("SELECT effective_hlc FROM field_clock WHERE record_id = ?1 AND field = ?2")?
                .query_row(params![record, field], |row| row.get("effective_hlc")),
        )?;
        match clock {
            Some(hlc) if hlc > self.before.hlc => Ok(false),
            Some(hlc) => {
                let within: Option<i64> = crate::db::optional(
                    connection
                        .prepare_cached(
                            "SELECT last_hlc FROM import_span WHERE first_hlc <= ?1 ORDER BY first_hlc DESC LIMIT 1",
                        )?
                        .query_row([hlc], |row| row.get("last_hlc")),
                )?;
                Ok(within.is_none_or(|last| hlc > last))
            }
            None => Ok(!self.made_by_import(connection, record)?),
        }
    }

    /// Whether an import made this record: its id carries the instant of a batch.
    pub fn made_by_import(&self, connection: &Connection, record: Uuid) -> Result<bool> {
        let millis = i64::try_from(record.as_u128() >> 80).unwrap_or(0);
        if millis == self.at_millis {
            return Ok(true);
        }
        let known = connection
            .prepare_cached("SELECT 1 FROM import_span WHERE at_millis = ?1 LIMIT 1")?
            .exists([millis])?;
        Ok(known)
    }
}
