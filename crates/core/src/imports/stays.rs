//! Which stay a row is about.

use rusqlite::{Connection, Row};
use uuid::Uuid;

use super::clean::StayValues;
use super::values;
use crate::error::Result;

/// What the archive knows of a stay, as far as it decides which one it is.
#[derive(Clone)]
pub struct KnownStay {
    /// The stay.
    pub id: Uuid,
    /// Whose.
    pub patient_id: Uuid,
    visit_no: Option<String>,
    visit_count: Option<i64>,
    admitted_at: Option<String>,
    /// 'YYYY-MM-DD HH:MM'.
    pub discharged_at: Option<String>,
}

fn read(row: &Row<'_>) -> rusqlite::Result<KnownStay> {
    Ok(KnownStay {
        id: row.get("id")?,
        patient_id: row.get("patient_id")?,
        visit_no: row.get("visit_no")?,
        visit_count: row.get("visit_count")?,
        admitted_at: row.get("admitted_at")?,
        discharged_at: row.get("discharged_at")?,
    })
}

/// Stays with this number, whoever's.
pub fn by_visit_no(connection: &Connection, visit_no: &str) -> Result<Vec<KnownStay>> {
    let mut statement = connection.prepare_cached(include_str!("sql/stays_by_visit_no.sql"))?;
    let found = statement.query_map([visit_no], read)?.collect::<rusqlite::Result<_>>()?;
    Ok(found)
}

/// Every stay of a person.
pub fn of_patient(connection: &Connection, patient_id: Uuid) -> Result<Vec<KnownStay>> {
    let mut statement = connection.prepare_cached(include_str!("sql/stays_by_patient.sql"))?;
    let found = statement.query_map([patient_id], read)?.collect::<rusqlite::Result<_>>()?;
    Ok(found)
}

/// The stay of this person that the row is about.
///
/// A number of the stay decides, unless the hospital gives a person the same number every time: then the count
/// or the days decide as well. Without a number the count, the admission or the discharge decides.
pub fn same_stay<'a>(stays: &'a [KnownStay], row: &StayValues) -> Option<&'a KnownStay> {
    stays.iter().find(|stay| is_same(stay, row))
}

fn is_same(stay: &KnownStay, row: &StayValues) -> bool {
    let numbers = stay.visit_no.as_deref().zip(row.visit_no.as_deref());
    if numbers.is_some_and(|(a, b)| a != b) {
        return false;
    }
    if let Some((a, b)) = stay.visit_count.zip(row.visit_count)
        && a != b
    {
        return false;
    }
    if numbers.is_some() {
        return !apart(stay, row);
    }
    let admitted = row.admitted.map(values::wall_clock);
    let discharged = row.discharged.map(values::wall_clock);
    if let Some((a, b)) = stay.admitted_at.as_deref().zip(admitted.as_deref()) {
        return day(a) == day(b);
    }
    if let Some((a, b)) = stay.discharged_at.as_deref().zip(discharged.as_deref()) {
        return day(a) == day(b);
    }
    stay.visit_count.is_some() && stay.visit_count == row.visit_count
}

/// Whether the two cannot be one stay: one ends before the other begins.
fn apart(stay: &KnownStay, row: &StayValues) -> bool {
    let row_admitted = row.admitted.map(values::wall_clock);
    let row_discharged = row.discharged.map(values::wall_clock);
    let ends_before = |end: Option<&str>, start: Option<&str>| {
        end.zip(start).is_some_and(|(end, start)| day(end) < day(start))
    };
    ends_before(stay.discharged_at.as_deref(), row_admitted.as_deref())
        || ends_before(row_discharged.as_deref(), stay.admitted_at.as_deref())
}

fn day(at: &str) -> &str {
    at.get(..10).unwrap_or(at)
}
