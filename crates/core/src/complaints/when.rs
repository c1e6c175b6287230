//! Days and instants as complaints need them.

use aftercare_domain::calendar::{self, Calendar, Sla};
use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime};
use rusqlite::Connection;

use crate::env;
use crate::error::Result;
use crate::settings::{self, Settings};

/// The calendar and the settings in force.
pub(super) struct Rules {
    pub calendar: Calendar,
    pub settings: Settings,
}

impl Rules {
    pub fn load(connection: &Connection) -> Result<Self> {
        Ok(Self { calendar: settings::calendar(connection)?, settings: settings::load(connection)? })
    }

    /// Working days that a deadline rule gives.
    pub fn days(&self, rule: &str) -> u32 {
        match rule {
            "spot" => self.settings.complaint_spot_days,
            "multi" => self.settings.complaint_multi_days,
            _ => self.settings.complaint_single_days,
        }
    }

    /// When something is due that happened at `from`, milliseconds UTC.
    pub fn due_at(&self, sla: Sla, from: i64) -> i64 {
        let ends = self.settings.calling_hours.iter().filter_map(|span| calendar::parse_hours(span));
        let closing = ends.map(|(_, to)| to).max().unwrap_or(NaiveTime::MIN);
        instant(calendar::due_at(sla, local(from), &self.calendar, closing).at)
    }
}

/// The hospital's clock at an instant.
pub(super) fn local(millis: i64) -> NaiveDateTime {
    env::local(DateTime::from_timestamp_millis(millis).unwrap_or_default())
}

/// The hospital's date at an instant.
pub(super) fn day(millis: i64) -> NaiveDate {
    local(millis).date()
}

/// The instant of a time on the hospital's clock.
pub(super) fn instant(local: NaiveDateTime) -> i64 {
    local.and_local_timezone(env::hospital_offset()).single().map_or(0, |time| time.timestamp_millis())
}

/// A day as it is stored.
pub(super) fn parse_day(text: &str) -> Option<NaiveDate> {
    NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()
}

/// `YYYY-MM-DD` or `YYYY-MM-DD HH:MM`; a day alone is its beginning.
pub(super) fn parse_clock(text: &str) -> Option<NaiveDateTime> {
    NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M")
        .ok()
        .or_else(|| Some(parse_day(text)?.and_time(NaiveTime::MIN)))
}
