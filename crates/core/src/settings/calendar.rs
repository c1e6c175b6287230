//! The years whose holidays are known: those that ship, and those imported since.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{ErrorKind, Read};

use aftercare_domain::calendar::{Calendar, HolidayYear};
use aftercare_domain::error_code::ErrorCode;
use rusqlite::Connection;
use serde_json::json;

use super::{CalendarDay, CalendarImportRequest, CalendarRequest, CalendarResponse, CalendarYear, store};
use crate::app::Ctx;
use crate::audit;
use crate::error::{Error, Result};

/// Settings of imported years are named `calendar_2027`.
const PREFIX: &str = "calendar_";

/// A year's file has some 5 kB.
const LARGEST_FILE: u64 = 1 << 20;

/// Working days of every known year.
///
/// A year that was imported stands for the one that ships: a notice may be corrected.
pub fn calendar(connection: &Connection) -> Result<Calendar> {
    let mut calendar = Calendar::shipped().clone();
    for year in imported(connection)? {
        calendar.add(year);
    }
    Ok(calendar)
}

/// A value that this version cannot read (a newer program wrote it) is left alone.
fn imported(connection: &Connection) -> Result<Vec<HolidayYear>> {
    let values = store::values_named(connection, PREFIX)?;
    Ok(values.iter().filter_map(|value| HolidayYear::parse(value).ok()).collect())
}

/// The known years.
pub(super) fn years(ctx: &Ctx, _: CalendarRequest) -> Result<CalendarResponse> {
    ctx.read(overview)
}

fn overview(connection: &Connection) -> Result<CalendarResponse> {
    let own: BTreeSet<i32> = imported(connection)?.iter().map(|year| year.year).collect();
    let calendar = calendar(connection)?;
    let years = calendar.years().map(|(year, days)| CalendarYear {
        year,
        imported: own.contains(&year),
        days: days
            .iter()
            .map(|day| CalendarDay { on: day.date.to_string(), name: day.name.clone(), off: day.is_off_day })
            .collect(),
    });
    Ok(CalendarResponse { years: years.collect() })
}

/// Stores one year's holidays for every desk.
///
/// Errors: `Invalid` with the field `path`.
pub(super) fn import(ctx: &Ctx, request: &CalendarImportRequest) -> Result<CalendarResponse> {
    let text = read(&request.path).map_err(|code| Error::field("path", code))?;
    let year = HolidayYear::parse(&text).map_err(|problem| Error::field("path", problem.error_code()))?;
    ctx.write(|writer| {
        store::put(writer, &format!("{PREFIX}{}", year.year), &serde_json::to_value(&year)?)?;
        let detail = json!({ "year": year.year, "days": year.days.len() });
        audit::append(
            writer.connection(),
            writer.now_millis(),
            ctx.user_id(),
            "settings.calendar",
            None,
            &detail,
        )
    })?;
    ctx.read(overview)
}

fn read(path: &str) -> Result<String, ErrorCode> {
    let file = File::open(path).map_err(|error| match error.kind() {
        ErrorKind::NotFound => ErrorCode::FileMissing,
        _ => ErrorCode::FileUnreadable,
    })?;
    let mut bytes = Vec::new();
    file.take(LARGEST_FILE + 1).read_to_end(&mut bytes).map_err(|_| ErrorCode::FileUnreadable)?;
    if bytes.len() as u64 > LARGEST_FILE {
        return Err(ErrorCode::CalendarUnreadable);
    }
    let text = String::from_utf8(bytes).map_err(|_| ErrorCode::CalendarUnreadable)?;
    Ok(text.trim_start_matches('\u{feff}').to_owned())
}
