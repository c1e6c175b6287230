//! Reading the list.

use std::cell::RefCell;

use aftercare_domain::error_code::ErrorCode;
use serde::Deserialize;
use ts_rs::TS;

use super::derive::{requested_day, wake};
use super::query::{self, WorklistCounts};
use super::rows::{self, RowContext};
use super::{Worklist, WorklistFilter, WorklistRequest};
use crate::app::Ctx;
use crate::error::{Error, Result};
use crate::followup::people::People;
use crate::settings;

const MOST_ROWS: u32 = 200;

/// Asks for the counts.
#[derive(Debug, Deserialize, TS)]
pub struct WorklistCountsRequest {}

/// A page of the list.
///
/// # Errors
/// `Invalid` with fields `limit`, `cursor`, `on`.
pub fn worklist(ctx: &Ctx, request: WorklistRequest) -> Result<Worklist> {
    if !(1..=MOST_ROWS).contains(&request.limit) {
        return Err(Error::field("limit", ErrorCode::BadNumber));
    }
    let after = query::parse_cursor(request.cursor.as_deref())?;
    let today = ctx.local_now().date();
    let day = request.on.as_deref().map_or(Ok(today), requested_day)?;
    wake(ctx)?;
    let now = ctx.now().timestamp_millis();
    ctx.read(|connection| {
        let mut places = if day == today {
            query::page(connection, &request.filter, ctx.user_id(), after, request.limit + 1, now)?
        } else {
            let all = query::on_day(connection, &request.filter, ctx.user_id(), day, now)?;
            all.into_iter().filter(|place| *place > after).take(request.limit as usize + 1).collect()
        };
        let more = places.len() > request.limit as usize;
        places.truncate(request.limit as usize);
        let last = places.last().filter(|_| more);
        let next_cursor = last.map(|(rank, num)| format!("{rank}.{num}"));
        let people = People::load(connection)?;
        let shared = RowContext {
            user: ctx.user_id(),
            today: day,
            now,
            max_attempts: settings::load(connection)?.max_attempts,
            people: &people,
            plans: RefCell::default(),
        };
        let mut page = Vec::with_capacity(places.len());
        for (_, num) in places {
            let row = rows::row(connection, num, &shared)?;
            // A claim that ran out leaves the kept list of its holder only with the next write.
            page.extend(row.filter(|row| request.filter != WorklistFilter::Mine || row.mine));
        }
        Ok(Worklist { on: day.to_string(), rows: page, next_cursor })
    })
}

/// How much there is to do today.
pub fn worklist_counts(ctx: &Ctx, _: WorklistCountsRequest) -> Result<WorklistCounts> {
    wake(ctx)?;
    let now = ctx.now().timestamp_millis();
    ctx.read(|connection| query::counts(connection, ctx.user_id(), now))
}
