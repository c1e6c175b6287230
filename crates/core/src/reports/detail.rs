//! The detail rows of a period, one per task.
//!
//! Tasks are read in portions. What belongs to a portion's tasks (patients, phones, stays, calls, responses, alerts)
//! is gathered kind by kind in the order of the file, because looking it up task by task would take ten times as long
//! as writing the workbook.

use std::collections::HashMap;

use chrono::{Datelike, NaiveDate};
use rusqlite::{Connection, params};
use serde::Deserialize;
use uuid::Uuid;

use super::Scope;
use super::gather::{Columns, Keys, Shelf, row_numbers, walk};
use super::sheet::day;
use crate::error::Result;
use crate::words::Language;

/// Tasks read at a time: so many that the usual month is one portion, and few enough to bound memory.
const PORTION: usize = 1 << 17;

/// Calls and responses of a task lie at most this long before the day it is due.
const EARLY_DAYS: i64 = 62;

/// Tasks in the order they were due, with all that the sheet shows of each.
pub(super) struct Portion {
    tasks: Shelf,
    patients: Shelf,
    phones: Shelf,
    stays: Shelf,
    calls: Shelf,
    responses: Shelf,
    alerts: Shelf,
}

/// One task as the detail sheet shows it: what was read, column by column in the order of the queries below.
#[derive(Clone, Copy)]
pub(super) struct Detail<'a> {
    pub task: Columns<'a>,
    pub patient: Columns<'a>,
    pub phone: Columns<'a>,
    pub stay: Columns<'a>,
    pub call: Option<Columns<'a>>,
    pub response: Columns<'a>,
    pub alert: Option<Columns<'a>>,
}

const DUE: &str = "SELECT rowid FROM task WHERE due_on BETWEEN ?1 AND ?2 ORDER BY due_on, rowid";
const TASKS: &str = include_str!("sql/detail_tasks.sql");
const STAY_NUMBERS: &str = "SELECT id, rowid FROM encounter WHERE id >= ?1 ORDER BY id";
const STAYS: &str = include_str!("sql/detail_stays.sql");
pub(super) const PATIENT_NUMBERS: &str = "SELECT id, num FROM patient WHERE id >= ?1 ORDER BY id";
const PATIENTS: &str =
    "SELECT num, mrn, name, sex, birth_on, id_number FROM patient WHERE num >= ?1 ORDER BY num";
const PHONE_NUMBERS: &str = "SELECT patient_id, rowid FROM phone WHERE patient_id >= ?1 ORDER BY patient_id";
const PHONES: &str =
    "SELECT rowid, number, rank, id FROM phone WHERE rowid >= ?1 AND removed = 0 ORDER BY rowid";
const CALL_NUMBERS: &str =
    "SELECT patient_id, rowid, called_at FROM call WHERE patient_id >= ?1 ORDER BY patient_id, called_at";
const CALLS: &str = include_str!("sql/detail_calls.sql");
const RESPONSE_NUMBERS: &str = "SELECT task_id, rowid FROM response WHERE task_id >= ?1 ORDER BY task_id";
const RESPONSES: &str = include_str!("sql/detail_responses.sql");
const ALERT_NUMBERS: &str =
    "SELECT patient_id, rowid FROM alert WHERE patient_id >= ?1 ORDER BY patient_id, raised_at";
const ALERTS: &str = "SELECT rowid, level, status, task_id FROM alert WHERE rowid >= ?1 ORDER BY rowid";

/// Reads the tasks due in a period and hands them to `take`, portion by portion in the order they were due.
pub(super) fn each_portion(
    connection: &Connection,
    scope: &Scope,
    mut take: impl FnMut(Portion) -> Result<()>,
) -> Result<()> {
    let mut statement = connection.prepare(DUE)?;
    let due: Vec<i64> = statement
        .query_map(params![scope.from, scope.to], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    for portion in due.chunks(PORTION) {
        take(Portion::read(connection, scope, portion)?)?;
    }
    Ok(())
}

impl Portion {
    fn read(connection: &Connection, scope: &Scope, due: &[i64]) -> Result<Self> {
        let mut wanted: Keys<i64> = due.iter().zip(0..).map(|(number, place)| (*number, place)).collect();
        wanted.sort_unstable();
        let mut tasks = Shelf::new(due.len(), 192);
        walk(connection, TASKS, &wanted, |place, row| tasks.put(place, row))?;

        let mut stays = Shelf::new(due.len(), 128);
        let ids = tasks.keys(|task| Task::of(task).encounter_id);
        shelve(connection, STAYS, &row_numbers(connection, STAY_NUMBERS, &ids)?, &mut stays)?;
        if let Some(department) = scope.department.as_deref() {
            let elsewhere = |place: &u32| stays.at(*place).and_then(of_department) != Some(department);
            let elsewhere: Vec<u32> = tasks.places().filter(elsewhere).collect();
            elsewhere.into_iter().for_each(|place| tasks.clear(place));
        }

        let people = tasks.keys(|task| Task::of(task).patient_id);
        let mut patients = Shelf::new(due.len(), 80);
        shelve(connection, PATIENTS, &row_numbers(connection, PATIENT_NUMBERS, &people)?, &mut patients)?;
        let from = day(&scope.from).unwrap_or_default() - chrono::Duration::days(EARLY_DAYS);
        Ok(Self {
            phones: phones(connection, &people, due.len())?,
            calls: calls(connection, &people, &tasks, from)?,
            responses: responses(connection, &tasks)?,
            alerts: alerts(connection, &people, &tasks)?,
            tasks,
            patients,
            stays,
        })
    }

    /// The tasks in the order they were due.
    pub fn rows(&self) -> impl Iterator<Item = Detail<'_>> {
        self.tasks.places().filter_map(|place| {
            Some(Detail {
                task: self.tasks.at(place)?,
                patient: self.patients.at(place)?,
                phone: self.phones.at(place).unwrap_or_default(),
                stay: self.stays.at(place).unwrap_or_default(),
                call: self.calls.at(place),
                response: self.responses.at(place).unwrap_or_default(),
                alert: self.alerts.at(place),
            })
        })
    }
}

/// The ids that tie a task to other records.
struct Task {
    id: Option<Uuid>,
    patient_id: Option<Uuid>,
    encounter_id: Option<Uuid>,
}

impl Task {
    fn of(mut task: Columns<'_>) -> Self {
        Self { id: task.id(), patient_id: task.id(), encounter_id: task.id() }
    }
}

fn of_department(mut stay: Columns<'_>) -> Option<&str> {
    stay.text();
    stay.text()
}

fn shelve(connection: &Connection, sql: &str, numbers: &Keys<i64>, shelf: &mut Shelf) -> Result<()> {
    walk(connection, sql, numbers, |place, row| shelf.put(place, row))
}

/// The first number of each patient.
pub(super) fn phones(connection: &Connection, people: &Keys<Uuid>, places: usize) -> Result<Shelf> {
    let mut shelf = Shelf::new(places, 48);
    let first = |mut phone: Columns<'_>| {
        phone.text();
        phone.integer().zip(phone.id())
    };
    walk(connection, PHONES, &row_numbers(connection, PHONE_NUMBERS, people)?, |place, row| {
        let there = shelf.at(place).and_then(first);
        let new = (row.get(2)?, row.get(3)?);
        if there.is_none_or(|there| new < there) { shelf.put(place, row) } else { Ok(()) }
    })?;
    Ok(shelf)
}

/// The last call that was made for each task.
fn calls(connection: &Connection, people: &Keys<Uuid>, tasks: &Shelf, from: NaiveDate) -> Result<Shelf> {
    let mut shelf = Shelf::new(tasks.len(), 80);
    let since = from.and_time(chrono::NaiveTime::MIN).and_utc().timestamp_millis();
    let mut numbers: Vec<(i64, u32)> = Vec::with_capacity(people.len());
    walk(connection, CALL_NUMBERS, people, |_, row| {
        if row.get::<_, i64>(2)? >= since {
            numbers.push((row.get(1)?, 0));
        }
        Ok(())
    })?;
    // A patient with several tasks is met several times.
    numbers.sort_unstable();
    numbers.dedup();
    let ids = tasks.keys(|task| Task::of(task).id);
    let called_at = |mut call: Columns<'_>| {
        call.text();
        call.integer()
    };
    walk(connection, CALLS, &numbers, |_, row| {
        let at: Option<i64> = row.get(2)?;
        for task in serde_json::from_str::<Vec<Uuid>>(row.get_ref(1)?.as_str().unwrap_or_default())
            .unwrap_or_default()
        {
            let place = ids.binary_search_by_key(&task, |(id, _)| *id).ok().and_then(|found| ids.get(found));
            if let Some((_, place)) = place
                && shelf.at(*place).and_then(called_at) <= at
            {
                shelf.put(*place, row)?;
            }
        }
        Ok(())
    })?;
    Ok(shelf)
}

/// The last response to each task.
fn responses(connection: &Connection, tasks: &Shelf) -> Result<Shelf> {
    let mut shelf = Shelf::new(tasks.len(), 64);
    let ids = tasks.keys(|task| Task::of(task).id);
    let responded_at = |mut response: Columns<'_>| {
        response.text();
        response.integer()
    };
    walk(connection, RESPONSES, &row_numbers(connection, RESPONSE_NUMBERS, &ids)?, |place, row| {
        let earlier = shelf.at(place).and_then(responded_at) <= row.get(2)?;
        if earlier { shelf.put(place, row) } else { Ok(()) }
    })?;
    Ok(shelf)
}

/// The gravest alert that each task raised.
fn alerts(connection: &Connection, people: &Keys<Uuid>, tasks: &Shelf) -> Result<Shelf> {
    let mut shelf = Shelf::new(tasks.len(), 0);
    let level = |mut alert: Columns<'_>| alert.text().map_or(0, gravity);
    walk(connection, ALERTS, &row_numbers(connection, ALERT_NUMBERS, people)?, |place, row| {
        let of_task = tasks.at(place).and_then(|task| Task::of(task).id) == row.get(3)?;
        let graver = shelf.at(place).map_or(0, level) < gravity(row.get_ref(1)?.as_str().unwrap_or_default());
        if of_task && graver { shelf.put(place, row) } else { Ok(()) }
    })?;
    Ok(shelf)
}

fn gravity(level: &str) -> u8 {
    match level {
        "red" => 3,
        "orange" => 2,
        "yellow" => 1,
        _ => 0,
    }
}

/// The part of a response's stored results that the sheet shows.
#[derive(Deserialize)]
pub(super) struct Results<'a> {
    /// The patient's class by the plan's rules.
    #[serde(borrow)]
    pub class: Option<std::borrow::Cow<'a, str>>,
}

/// Full years on a day.
pub(super) fn age_years(birth: NaiveDate, on: NaiveDate) -> i64 {
    let had_birthday = (on.month(), on.day()) >= (birth.month(), birth.day());
    i64::from(on.year() - birth.year()) - i64::from(!had_birthday)
}

/// Names that rows refer to by code or id.
pub(super) struct Names {
    plans: HashMap<String, String>,
    staff: HashMap<Uuid, String>,
    reasons: HashMap<String, String>,
}

impl Names {
    /// Reads the names in one language. A plan's name is that of its newest version.
    pub fn read(connection: &Connection, language: Language) -> Result<Self> {
        let mut plans = HashMap::new();
        let mut statement = connection.prepare(
            "SELECT code, json_extract(body, '$.name.' || ?1) AS name FROM plan_version ORDER BY code, version",
        )?;
        let mut rows = statement.query([language.content_key()])?;
        while let Some(row) = rows.next()? {
            if let Some(name) = row.get::<_, Option<String>>("name")? {
                plans.insert(row.get("code")?, name);
            }
        }
        let staff = crate::staff::all(connection)?.into_iter().map(|m| (m.id, m.display_name)).collect();
        Ok(Self { plans, staff, reasons: reasons(language)? })
    }

    /// The name of a failure reason, or its code.
    pub fn reason<'a>(&'a self, code: &'a str) -> &'a str {
        self.reasons.get(code).map_or(code, String::as_str)
    }

    /// The plan's name, or its code.
    pub fn plan<'a>(&'a self, code: &'a str) -> &'a str {
        self.plans.get(code).map_or(code, String::as_str)
    }

    /// The person's name.
    pub fn person(&self, id: Uuid) -> &str {
        self.staff.get(&id).map_or("", String::as_str)
    }
}

#[derive(Deserialize)]
struct ReasonFile {
    reasons: Vec<Reason>,
}

#[derive(Deserialize)]
struct Reason {
    code: String,
    name: HashMap<String, String>,
}

fn reasons(language: Language) -> Result<HashMap<String, String>> {
    let file: ReasonFile =
        serde_json::from_str(include_str!("../../../../assets/content/failure_reasons.json"))?;
    let named = |mut reason: Reason| Some((reason.code, reason.name.remove(language.content_key())?));
    Ok(file.reasons.into_iter().filter_map(named).collect())
}
