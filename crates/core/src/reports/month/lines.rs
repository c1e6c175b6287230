//! What a month counts, record by record: from the records themselves, or as a freeze kept it.

use std::collections::HashMap;

use aftercare_domain::error_code::ErrorCode;
use chrono::{Datelike, NaiveDate};
use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, params_from_iter};
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use uuid::Uuid;

use super::super::Scope;
use super::super::population::{Source as Rows, Today};
use super::super::sheet::day;
use super::Month;
use crate::error::{Error, Result};

/// A kind of record that figures count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(rename = "MonthPopulation")]
pub enum Population {
    /// 出院人次.
    Discharges,
    /// 到期任务.
    Tasks,
    /// 外呼通次.
    Calls,
    /// 外呼患者.
    Called,
    /// 在管患者.
    Managed,
    /// 异常.
    Alerts,
    /// 投诉、表扬、建议.
    Complaints,
    /// 满意度问卷.
    Surveys,
}

/// Which rows.
enum Query {
    /// The same that the figures on screen count.
    OnScreen(Rows),
    /// Parameters ?1 from, ?2 to, ?3 the day on which they are looked at.
    Own(&'static str),
}

/// Where a population's rows come from.
pub(super) struct Source {
    /// The table of `record_id`.
    pub table: &'static str,
    query: Query,
    /// The column with whom a row belongs to: a doctor's name, a user's id.
    owner: &'static str,
    /// One more word: plan, category, kind.
    word: &'static str,
    /// One more number: seconds, points.
    value: &'static str,
    /// Columns that are true or false; a flag's place is its bit.
    pub flags: &'static [&'static str],
}

impl Population {
    /// All, in the order of their details.
    pub const ALL: [Self; 8] = [
        Self::Discharges,
        Self::Tasks,
        Self::Calls,
        Self::Called,
        Self::Managed,
        Self::Alerts,
        Self::Complaints,
        Self::Surveys,
    ];

    /// The key of its words, and its name in a freeze.
    pub fn key(self) -> &'static str {
        match self {
            Self::Discharges => "discharges",
            Self::Tasks => "tasks",
            Self::Calls => "calls",
            Self::Called => "called",
            Self::Managed => "managed",
            Self::Alerts => "alerts",
            Self::Complaints => "complaints",
            Self::Surveys => "surveys",
        }
    }

    pub(super) fn source(self) -> Source {
        let source =
            |table, query, owner, word, value, flags| Source { table, query, owner, word, value, flags };
        match self {
            Self::Discharges => source(
                "encounter",
                Query::OnScreen(Rows::Discharges),
                "doctor",
                "NULL",
                "NULL",
                &["everyone", "expected", "followed"],
            ),
            Self::Tasks => source(
                "task",
                Query::OnScreen(Rows::Tasks),
                "user_id",
                "plan_code",
                "NULL",
                &["counted", "done", "timely"],
            ),
            Self::Calls => source(
                "call",
                Query::OnScreen(Rows::Calls),
                "user_id",
                "plan_code",
                "talk_seconds",
                &["everyone", "connected"],
            ),
            Self::Called => source(
                "patient",
                Query::OnScreen(Rows::PatientsCalled),
                "NULL",
                "NULL",
                "NULL",
                &["everyone", "reached"],
            ),
            Self::Managed => source(
                "enrolment",
                Query::OnScreen(Rows::Managed),
                "NULL",
                "plan_code",
                "NULL",
                &["everyone", "lost"],
            ),
            Self::Alerts => source(
                "alert",
                Query::OnScreen(Rows::Alerts),
                "user_id",
                "plan_code",
                "NULL",
                &["red", "red_in_time", "orange", "orange_in_time", "yellow", "yellow_in_time"],
            ),
            Self::Complaints => source(
                "complaint",
                Query::Own(include_str!("sql/complaints.sql")),
                "severity",
                "category",
                "NULL",
                &[
                    "complaint",
                    "praise",
                    "suggestion",
                    "in_time",
                    "answerable",
                    "founded",
                    "judged",
                    "satisfied",
                    "rated",
                    "reopened",
                    "closed",
                ],
            ),
            Self::Surveys => source(
                "survey_sheet",
                Query::Own(include_str!("sql/surveys.sql")),
                "doctor",
                "kind",
                "points",
                &["everyone", "valid", "scored", "good", "rated", "promoters", "detractors", "recommending"],
            ),
        }
    }

    /// The bit of a flag.
    pub(super) fn bit(self, flag: &str) -> u16 {
        let place = self.source().flags.iter().position(|name| *name == flag);
        place.map_or(0, |place| 1 << place)
    }
}

/// One record as it counts. Names are places in [`Part::names`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Line {
    pub id: Uuid,
    /// Days since the first of January of the year 1.
    pub on: i32,
    pub department: u16,
    pub owner: u16,
    pub word: u16,
    pub flags: u16,
    pub value: u32,
}

/// The lines of one population, and the names they refer to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Part {
    pub lines: Vec<Line>,
    pub names: Vec<String>,
}

impl Part {
    pub fn name(&self, place: u16) -> &str {
        self.names.get(usize::from(place)).map_or("", String::as_str)
    }
}

/// The parts of all populations, in their order.
pub(super) type Parts = [Part; 8];

/// The part of a population.
pub(super) fn part(parts: &Parts, population: Population) -> &Part {
    let [discharges, tasks, calls, called, managed, alerts, complaints, surveys] = parts;
    match population {
        Population::Discharges => discharges,
        Population::Tasks => tasks,
        Population::Calls => calls,
        Population::Called => called,
        Population::Managed => managed,
        Population::Alerts => alerts,
        Population::Complaints => complaints,
        Population::Surveys => surveys,
    }
}

/// Names, each once.
#[derive(Default)]
struct Interned {
    names: Vec<String>,
    places: HashMap<String, u16>,
}

impl Interned {
    fn place(&mut self, name: &str) -> Result<u16> {
        if let Some(place) = self.places.get(name) {
            return Ok(*place);
        }
        let place =
            u16::try_from(self.names.len()).map_err(|_| Error::internal("too many names in a month"))?;
        self.names.push(name.to_owned());
        self.places.insert(name.to_owned(), place);
        Ok(place)
    }

    fn column(&mut self, value: ValueRef<'_>) -> Result<u16> {
        match value {
            ValueRef::Text(text) => self.place(std::str::from_utf8(text).unwrap_or_default()),
            ValueRef::Blob(bytes) => match Uuid::from_slice(bytes) {
                Ok(id) => self.place(&id.to_string()),
                Err(_) => self.place(""),
            },
            _ => self.place(""),
        }
    }
}

/// Reads what a month counts of a population. Complaints are looked at as on the day `today`.
pub(super) fn read(
    connection: &Connection,
    month: &Month,
    today: NaiveDate,
    population: Population,
) -> Result<Part> {
    let source = population.source();
    let scope = Scope { from: month.from.to_string(), to: month.to.to_string(), ..Scope::default() };
    let (rows, values) = match source.query {
        Query::OnScreen(rows) => rows.of_scope(&scope, &Today::unused()),
        Query::Own(sql) => {
            let text = |day: NaiveDate| Value::Text(day.to_string());
            (sql.to_owned(), vec![text(month.from), text(month.to), text(today)])
        }
    };
    let sql = format!(
        "SELECT record_id, on_date, department, {}, {}, {}, {} FROM ({rows})",
        source.owner,
        source.word,
        source.value,
        source.flags.join(", "),
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query(params_from_iter(values))?;
    let mut names = Interned::default();
    let mut lines = Vec::new();
    while let Some(row) = rows.next()? {
        let mut flags = 0;
        for place in 0..source.flags.len() {
            if row.get::<_, Option<bool>>(6 + place)? == Some(true) {
                flags |= 1 << place;
            }
        }
        let on = row.get_ref(1)?.as_str().ok().and_then(day).unwrap_or_default();
        lines.push(Line {
            id: row.get(0)?,
            on: on.num_days_from_ce(),
            department: names.column(row.get_ref(2)?)?,
            owner: names.column(row.get_ref(3)?)?,
            word: names.column(row.get_ref(4)?)?,
            flags,
            value: row.get::<_, Option<i64>>(5)?.and_then(|value| u32::try_from(value).ok()).unwrap_or(0),
        });
    }
    lines.sort_unstable_by_key(|line| (line.on, line.id));
    Ok(Part { lines, names: names.names })
}

/// Bytes of a packed line.
const LINE_BYTES: usize = 32;
/// Lines to a row of a freeze: some 64 KB.
pub(super) const CHUNK: usize = 2_000;

/// Packs lines for a freeze.
pub(super) fn packed(lines: &[Line]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(lines.len() * LINE_BYTES);
    for line in lines {
        bytes.extend_from_slice(line.id.as_bytes());
        bytes.extend_from_slice(&line.on.to_le_bytes());
        for place in [line.department, line.owner, line.word, line.flags] {
            bytes.extend_from_slice(&place.to_le_bytes());
        }
        bytes.extend_from_slice(&line.value.to_le_bytes());
    }
    bytes
}

/// Unpacks what [`packed`] has packed.
///
/// # Errors
/// `FreezeDamaged`.
pub(super) fn unpacked(bytes: &[u8], into: &mut Vec<Line>) -> Result<()> {
    let damaged = || Error::new(ErrorCode::FreezeDamaged);
    if !bytes.len().is_multiple_of(LINE_BYTES) {
        return Err(damaged());
    }
    for line in bytes.chunks_exact(LINE_BYTES) {
        let (id, rest) = line.split_first_chunk::<16>().ok_or_else(damaged)?;
        let (on, rest) = rest.split_first_chunk::<4>().ok_or_else(damaged)?;
        let (places, value) = rest.split_first_chunk::<8>().ok_or_else(damaged)?;
        let place = |at: usize| u16::from_le_bytes([places[at * 2], places[at * 2 + 1]]);
        into.push(Line {
            id: Uuid::from_bytes(*id),
            on: i32::from_le_bytes(*on),
            department: place(0),
            owner: place(1),
            word: place(2),
            flags: place(3),
            value: value.try_into().map(u32::from_le_bytes).map_err(|_| damaged())?,
        });
    }
    Ok(())
}

/// Counts of lines: how many, how many with each flag, and the sum of their numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub lines: i64,
    pub flags: [i64; 16],
    pub value: i64,
}

impl Tally {
    pub fn add(&mut self, line: &Line) {
        self.lines += 1;
        for (place, count) in self.flags.iter_mut().enumerate() {
            *count += i64::from(line.flags >> place & 1);
        }
        self.value += i64::from(line.value);
    }

    /// How many have a flag.
    pub fn of(&self, population: Population, flag: &str) -> i64 {
        let place = population.source().flags.iter().position(|name| *name == flag);
        place.and_then(|place| self.flags.get(place)).copied().unwrap_or(0)
    }
}

/// The day of a line.
pub(super) fn day_of(line: &Line) -> NaiveDate {
    NaiveDate::from_num_days_from_ce_opt(line.on).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn lines_come_back_as_they_were_packed(
            lines in proptest::collection::vec((any::<u128>(), any::<i32>(), any::<[u16; 4]>(), any::<u32>()), 0..50),
        ) {
            let lines: Vec<Line> = lines
                .into_iter()
                .map(|(id, on, [department, owner, word, flags], value)| Line {
                    id: Uuid::from_u128(id), on, department, owner, word, flags, value,
                })
                .collect();
            let mut back = Vec::new();
            unpacked(&packed(&lines), &mut back).unwrap();
            prop_assert_eq!(back, lines);
        }
    }

    #[test]
    fn a_chunk_that_was_cut_is_refused() {
        assert_eq!(unpacked(&[0; 33], &mut Vec::new()).unwrap_err().code, ErrorCode::FreezeDamaged);
    }
}
