//! Keeping the search index in step with patients. A local table: it is never synced and can be made anew.

use chrono::NaiveDate;
use rusqlite::{Connection, params};
use uuid::Uuid;

use super::{NUM_BITS, tokens};
use crate::app::jobs::Progress;
use crate::error::Result;

/// An import keeps at most so many documents in memory (some 30 MB).
const PENDING: usize = 100_000;

/// After so many patients a rebuilding asks whether it should stop.
const CHECKED: u64 = 1000;

/// What a patient is found by.
pub struct Searchable<'a> {
    /// Full name.
    pub name: &'a str,
    /// ID number as stored.
    pub id_number: Option<&'a str>,
    /// All phones, own and relatives', national form.
    pub phones: &'a [&'a str],
    /// Day of the last discharge, or of the admission while there is none.
    pub last_on: Option<NaiveDate>,
}

struct Entry {
    row: i64,
    document: String,
}

/// Indexes many patients in one transaction. The index takes rows in rising order at a fraction of the price,
/// so they are gathered and sorted. Nothing is in the index before [`Indexer::finish`].
#[derive(Default)]
pub struct Indexer {
    fresh: Vec<Entry>,
    changed: Vec<Uuid>,
}

impl Indexer {
    /// A patient made in this transaction, with what the caller has at hand.
    pub fn add_new(&mut self, connection: &Connection, id: Uuid, patient: &Searchable<'_>) -> Result<()> {
        let num: i64 = connection
            .prepare_cached("SELECT num FROM patient WHERE id = ?1")?
            .query_row([id], |row| row.get("num"))?;
        let numbers = patient.id_number.into_iter().chain(patient.phones.iter().copied());
        let document = tokens::document(patient.name, numbers);
        self.fresh.push(Entry { row: row_id(num, patient.last_on.unwrap_or_else(|| made_on(id))), document });
        if self.fresh.len() >= PENDING {
            insert(connection, &mut self.fresh)?;
        }
        Ok(())
    }

    /// A patient who was there before, or one made in this transaction that got something more.
    pub fn add_changed(&mut self, id: Uuid) {
        self.changed.push(id);
    }

    /// Writes everything into the index.
    pub fn finish(mut self, connection: &Connection) -> Result<()> {
        insert(connection, &mut self.fresh)?;
        index_patients(connection, &self.changed)
    }
}

/// Writes a patient's search entry anew. Somebody removed or merged into another leaves the index.
pub fn index_patient(connection: &Connection, id: Uuid) -> Result<()> {
    index_patients(connection, &[id])
}

/// Takes a patient's entry out of the index, before the patient leaves this desk.
pub fn forget_patient(connection: &Connection, id: Uuid) -> Result<()> {
    take_out(connection, id).map(|_| ())
}

/// The same for many patients.
pub fn index_patients(connection: &Connection, ids: &[Uuid]) -> Result<()> {
    let mut ids = ids.to_vec();
    ids.sort_unstable();
    ids.dedup();
    let mut entries = Vec::new();
    for id in ids {
        let Some(num) = take_out(connection, id)? else { continue };
        entries.extend(entry(connection, id, num)?);
        if entries.len() >= PENDING {
            insert(connection, &mut entries)?;
        }
    }
    insert(connection, &mut entries)
}

/// Makes the whole index anew from the patients, in the caller's transaction. Returns how many are in it.
///
/// Errors: `Cancelled`.
pub fn rebuild(connection: &Connection, progress: &Progress) -> Result<u64> {
    connection.execute("INSERT INTO archive_search (archive_search) VALUES ('delete-all')", [])?;
    connection.execute("DELETE FROM archive_indexed", [])?;
    let total: i64 = connection.query_row("SELECT count(*) FROM patient", [], |row| row.get(0))?;
    let (mut seen, mut indexed) = (0_u64, 0_u64);
    let mut statement = connection.prepare(include_str!("../sql/searchable.sql"))?;
    let mut rows = statement.query([])?;
    let mut entries = Vec::new();
    while let Some(row) = rows.next()? {
        let id_number: Option<String> = row.get("id_number")?;
        let phones: Option<String> = row.get("phones")?;
        let last_on: Option<String> = row.get("last_on")?;
        let last_on = match last_on.and_then(|text| text.parse().ok()) {
            Some(day) => day,
            None => made_on(row.get("id")?),
        };
        let numbers =
            id_number.iter().map(String::as_str).chain(phones.iter().flat_map(|all| all.split('\n')));
        let document = tokens::document(row.get_ref("name")?.as_str().unwrap_or_default(), numbers);
        entries.push(Entry { row: row_id(row.get("num")?, last_on), document });
        seen += 1;
        if seen % CHECKED == 0 {
            progress.check()?;
            progress.set(seen, u64::try_from(total).unwrap_or(0));
        }
        if entries.len() >= PENDING {
            indexed += entries.len() as u64;
            insert(connection, &mut entries)?;
        }
    }
    indexed += entries.len() as u64;
    insert(connection, &mut entries)?;
    Ok(indexed)
}

/// Takes a patient's old entry out; the patient's number, or `None` when there is no such patient.
fn take_out(connection: &Connection, id: Uuid) -> Result<Option<i64>> {
    let found = crate::db::optional(
        connection
            .prepare_cached(include_str!("../sql/indexed.sql"))?
            .query_row([id], |row| Ok((row.get::<_, i64>("num")?, row.get::<_, Option<i64>>("search_row")?))),
    )?;
    let Some((num, old)) = found else { return Ok(None) };
    if let Some(old) = old {
        connection.prepare_cached("DELETE FROM archive_search WHERE rowid = ?1")?.execute([old])?;
        connection.prepare_cached("DELETE FROM archive_indexed WHERE num = ?1")?.execute([num])?;
    }
    Ok(Some(num))
}

/// What the index should hold of a patient; none for somebody removed or merged.
fn entry(connection: &Connection, id: Uuid, num: i64) -> Result<Option<Entry>> {
    let patient = crate::db::optional(
        connection
            .prepare_cached(
                "SELECT name, id_number FROM patient WHERE num = ?1 AND removed = 0 AND merged_into IS NULL",
            )?
            .query_row([num], |row| {
                Ok((row.get::<_, String>("name")?, row.get::<_, Option<String>>("id_number")?))
            }),
    )?;
    let Some((name, id_number)) = patient else { return Ok(None) };
    let phones: Vec<String> = connection
        .prepare_cached("SELECT number FROM phone WHERE patient_id = ?1 AND removed = 0")?
        .query_map([id], |row| row.get("number"))?
        .collect::<rusqlite::Result<_>>()?;
    let last_on: Option<String> = connection
        .prepare_cached(include_str!("../sql/last_encounter_on.sql"))?
        .query_row([id], |row| row.get("last_on"))?;
    let last_on = last_on.and_then(|text| text.parse().ok()).unwrap_or_else(|| made_on(id));
    let numbers = id_number.iter().chain(&phones).map(String::as_str);
    Ok(Some(Entry { row: row_id(num, last_on), document: tokens::document(&name, numbers) }))
}

fn insert(connection: &Connection, entries: &mut Vec<Entry>) -> Result<()> {
    entries.sort_unstable_by_key(|entry| entry.row);
    let mut search =
        connection.prepare_cached("INSERT INTO archive_search (rowid, tokens) VALUES (?1, ?2)")?;
    let mut indexed =
        connection.prepare_cached("INSERT INTO archive_indexed (num, search_row) VALUES (?1, ?2)")?;
    for entry in entries.drain(..) {
        search.execute(params![entry.row, entry.document])?;
        indexed.execute(params![entry.row & ((1 << NUM_BITS) - 1), entry.row])?;
    }
    Ok(())
}

fn row_id(num: i64, last_on: NaiveDate) -> i64 {
    let days = last_on.signed_duration_since(NaiveDate::default()).num_days().max(0);
    (days << NUM_BITS) | num
}

/// The day in the patient's id, a UUIDv7: somebody without encounters is as recent as their record.
fn made_on(id: Uuid) -> NaiveDate {
    let millis = id.get_timestamp().map_or(0, |time| i64::try_from(time.to_unix().0).unwrap_or(0) * 1000);
    chrono::DateTime::from_timestamp_millis(millis).map(crate::env::local).unwrap_or_default().date()
}
