//! Figures of a period for reports: each a part of a whole. Praise and suggestions are in none of them.

use aftercare_domain::error_code::ErrorCode;
use rusqlite::params;

use super::{Figures, FiguresRequest, Ratio, Share, when};
use crate::app::Ctx;
use crate::error::{Error, Result};

/// Counts what was received from one day to another.
///
/// # Errors
/// `Invalid` with `from` or `to`.
pub(super) fn of(ctx: &Ctx, request: &FiguresRequest) -> Result<Figures> {
    let from = when::parse_day(&request.from).ok_or_else(|| Error::field("from", ErrorCode::BadDate))?;
    let to = when::parse_day(&request.to).ok_or_else(|| Error::field("to", ErrorCode::BadDate))?;
    if to < from {
        return Err(Error::field("to", ErrorCode::BadDate));
    }
    let today = ctx.local_now().date().to_string();
    let (from, to) = (from.to_string(), to.to_string());
    ctx.read(|connection| {
        let shares = |sql: &str| -> Result<Vec<Share>> {
            let mut statement = connection.prepare_cached(sql)?;
            let rows = statement.query_map(params![from, to], |row| {
                Ok(Share { name: row.get("name")?, count: row.get("count")? })
            })?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        };
        let categories = shares(include_str!("sql/figures_categories.sql"))?;
        let departments = shares(include_str!("sql/figures_departments.sql"))?;
        let mut statement = connection.prepare_cached(include_str!("sql/figures.sql"))?;
        Ok(statement.query_row(params![from, to, today], |row| {
            let ratio = |part: &str, whole: &str| -> rusqlite::Result<Ratio> {
                Ok(Ratio { part: row.get(part)?, whole: row.get(whole)? })
            };
            Ok(Figures {
                complaints: row.get("complaints")?,
                praise: row.get("praise")?,
                suggestions: row.get("suggestions")?,
                in_time: ratio("in_time", "answerable")?,
                founded: ratio("founded", "judged")?,
                satisfied: ratio("satisfied", "rated")?,
                reopened: ratio("reopened", "closed")?,
                categories,
                departments,
            })
        })?)
    })
}
