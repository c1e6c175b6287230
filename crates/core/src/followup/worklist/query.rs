//! Pages and counts of the list.

use aftercare_domain::error_code::ErrorCode;
use chrono::NaiveDate;
use rusqlite::{Connection, params};
use serde::Serialize;
use ts_rs::TS;
use uuid::Uuid;

use super::WorklistFilter;
use super::derive::{self, EVERYBODY, Entry};
use crate::error::{Error, Result};
use crate::followup::{facts, level_word, task};

const BUCKET: i64 = 1 << 56;

/// How much there is to do today; patients, not tasks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, TS)]
pub struct WorklistCounts {
    /// On the list now.
    pub due: u32,
    /// Red flags and answers to bring.
    pub flagged: u32,
    /// With a window that has passed.
    pub overdue: u32,
    /// Planned for later today or another day by the retry policy or an appointment.
    pub later: u32,
    /// Assigned to the user or claimed by them.
    pub mine: u32,
}

/// A place in the order: rank, then the patient's number.
pub(super) type Place = (i64, i64);

/// Before the first place.
pub(super) const START: Place = (-1, -1);

/// Reads a cursor.
pub(super) fn parse_cursor(cursor: Option<&str>) -> Result<Place> {
    let Some(cursor) = cursor else { return Ok(START) };
    let parsed = cursor.split_once('.').and_then(|(rank, num)| Some((rank.parse().ok()?, num.parse().ok()?)));
    parsed.ok_or_else(|| Error::field("cursor", ErrorCode::NotAllowed))
}

/// The list a filter reads, and the ranks of it.
pub(super) fn range(filter: &WorklistFilter, user: Uuid) -> (String, i64, i64) {
    let whole = (0, i64::MAX);
    let (tag, (from, to)) = match filter {
        WorklistFilter::All => (EVERYBODY.to_owned(), whole),
        WorklistFilter::Mine => (format!("m{}", user.simple()), whole),
        WorklistFilter::Unassigned => ("m-".to_owned(), whole),
        WorklistFilter::Person(person) => (format!("m{}", person.simple()), whole),
        WorklistFilter::Department(name) => (format!("d{name}"), whole),
        WorklistFilter::Plan(code) => (format!("p{code}"), whole),
        WorklistFilter::Level(level) => (format!("l{}", level_word(*level)), whole),
        WorklistFilter::Flagged => (EVERYBODY.to_owned(), (0, BUCKET)),
        WorklistFilter::Overdue => (EVERYBODY.to_owned(), (BUCKET, 2 * BUCKET)),
    };
    (tag, from, to)
}

/// Places after `after`, at most `limit`, of those that may be called at `now`.
pub(super) fn page(
    connection: &Connection,
    filter: &WorklistFilter,
    user: Uuid,
    after: Place,
    limit: u32,
    now: i64,
) -> Result<Vec<Place>> {
    let (tag, from, to) = range(filter, user);
    let after = if after.0 < from { (from, -1) } else { after };
    let mut statement = connection.prepare_cached(include_str!("../sql/worklist_page.sql"))?;
    let rows = statement.query_map(params![tag, after.0, after.1, to, now, limit], |row| {
        Ok((row.get("rank")?, row.get("patient_num")?))
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Counts for the status line and the start page. The totals are kept with the list; only what waits for a later time and
/// what is the user's own is counted.
pub fn counts(connection: &Connection, user: Uuid, now: i64) -> Result<WorklistCounts> {
    let mut totals = [0_u32; 3];
    let mut statement = connection.prepare_cached("SELECT bucket, patients FROM worklist_total")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        if let Some(total) = totals.get_mut(usize::from(row.get::<_, u8>("bucket")?)) {
            *total = row.get("patients")?;
        }
    }
    let later = |filter: &WorklistFilter| -> Result<u32> {
        let (tag, from, to) = range(filter, user);
        // `not_before > 0` names the partial index.
        let sql = "SELECT count(*) FROM worklist_tag
                   WHERE tag = ?1 AND rank >= ?2 AND rank < ?3 AND not_before > 0 AND not_before > ?4";
        Ok(connection.prepare_cached(sql)?.query_row(params![tag, from, to, now], |row| row.get(0))?)
    };
    let mine: u32 = connection
        .prepare_cached("SELECT count(*) FROM worklist_tag WHERE tag = ?1 AND not_before <= ?2")?
        .query_row(params![range(&WorklistFilter::Mine, user).0, now], |row| row.get(0))?;
    let waiting = later(&WorklistFilter::All)?;
    Ok(WorklistCounts {
        due: totals.iter().sum::<u32>().saturating_sub(waiting),
        flagged: totals[0].saturating_sub(later(&WorklistFilter::Flagged)?),
        overdue: totals[1].saturating_sub(later(&WorklistFilter::Overdue)?),
        later: waiting,
        mine,
    })
}

/// The list as the tasks of now would make it on another day: computed, not kept, so slower than today's.
pub(super) fn on_day(
    connection: &Connection,
    filter: &WorklistFilter,
    user: Uuid,
    day: NaiveDate,
    now: i64,
) -> Result<Vec<Place>> {
    let (tag, from, to) = range(filter, user);
    let mut statement = connection.prepare_cached(include_str!("../sql/worklist_on_day.sql"))?;
    let rows = statement.query_map([day.to_string()], |row| Ok((row.get("num")?, row.get("id")?)))?;
    let end_of_day = facts::instant(day.succ_opt().unwrap_or(day).into());
    let mut places = Vec::new();
    for row in rows {
        let (num, patient_id): (i64, Uuid) = row?;
        if facts::consent_withdrawn(connection, patient_id)? {
            continue;
        }
        let situation = derive::situation(connection, patient_id, day)?;
        let Entry { rank, tags, not_before, .. } = derive::entry(&situation, day, 0, now);
        if let Some(rank) = rank.filter(|rank| from <= *rank && *rank < to)
            && tags.contains(&tag)
            && not_before < end_of_day
        {
            places.push((rank, num));
        }
    }
    places.sort_unstable();
    Ok(places)
}

/// Tasks that a call may serve on `day`, the first to do first: answers, then by the end of the window.
pub(in crate::followup) fn in_order(mut due: Vec<task::Task>) -> Vec<task::Task> {
    due.sort_by_key(|task| (task.kind != task::RETURN_CALL, task.window_ends_on, task.due_on, task.id));
    due
}
