//! Complaints of one kind about one department: beside a complaint, and as a signal (苗头性问题) for the supervisor.

use chrono::{Days, NaiveDate};
use rusqlite::types::Value;
use rusqlite::{Connection, params};
use uuid::Uuid;

use super::store::ITEM_COLUMNS;
use super::viewer::Viewer;
use super::{ListItem, Signal, content, list};
use crate::error::Result;

/// How far back similar ones are shown, in days; more than make a signal.
const LOOK_BACK_DAYS: u64 = 180;
const SHOWN: i64 = 20;

/// Others of this category about any of these departments, newest first.
pub(super) fn of(
    connection: &Connection,
    viewer: &Viewer,
    complaint_id: Uuid,
    today: NaiveDate,
) -> Result<Vec<ListItem>> {
    let (sees, mut values) = viewer.condition();
    let since = today.checked_sub_days(Days::new(LOOK_BACK_DAYS)).unwrap_or(today);
    values.extend([
        Value::Blob(complaint_id.as_bytes().to_vec()),
        Value::Text(since.to_string()),
        Value::Blob(complaint_id.as_bytes().to_vec()),
        Value::Integer(SHOWN),
    ]);
    let sql = format!(
        "SELECT {ITEM_COLUMNS} FROM complaint WHERE {sees} AND complaint.id IN
           (SELECT other.complaint_id FROM complaint_department AS own
            JOIN complaint_department AS other ON other.department = own.department AND other.category = own.category
            WHERE own.complaint_id = ? AND own.kind = 'complaint' AND other.kind = 'complaint' AND other.received_on >= ?)
         AND complaint.id <> ? ORDER BY complaint.received_at DESC, complaint.id DESC LIMIT ?"
    );
    list::items(connection, &sql, values, today)
}

/// How many of one category about one department were received within the signal's days up to `on`.
pub(super) fn count(connection: &Connection, department: &str, category: &str, on: NaiveDate) -> Result<u32> {
    let since = since(on)?;
    Ok(connection
        .prepare_cached(
            "SELECT count(*) FROM complaint_department
             WHERE department = ?1 AND category = ?2 AND received_on >= ?3 AND received_on <= ?4 AND kind = 'complaint'",
        )?
        .query_row(params![department, category, since.to_string(), on.to_string()], |row| row.get(0))?)
}

fn since(on: NaiveDate) -> Result<NaiveDate> {
    let days = u64::from(content()?.signal.days);
    Ok(on.checked_sub_days(Days::new(days)).unwrap_or(on))
}

/// Every department and category with as many within the last days as make a signal, most first.
pub(super) fn signals(connection: &Connection, today: NaiveDate) -> Result<Vec<Signal>> {
    let rule = content()?.signal;
    let mut statement = connection.prepare_cached(include_str!("sql/signals.sql"))?;
    let rows =
        statement.query_map(params![since(today)?.to_string(), today.to_string(), rule.count], |row| {
            Ok(Signal {
                department: row.get("department")?,
                category: row.get("category")?,
                count: row.get("count")?,
                days: rule.days,
            })
        })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Whether any department of a complaint has a signal for its category within the days before `today`.
pub(super) fn is_signal(
    connection: &Connection,
    departments: &[String],
    category: &str,
    today: NaiveDate,
) -> Result<(u32, bool)> {
    let mut most = 0;
    for department in departments {
        most = most.max(count(connection, department, category, today)?);
    }
    Ok((most, most >= content()?.signal.count))
}
