//! The detail rows of a period, one per task, read in one pass.
//!
//! What hangs on a task (calls, responses, alerts) is read beforehand in three range scans and kept
//! by task: looking each up in the encrypted file would cost more than writing the workbook.

use std::collections::HashMap;

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime};
use rusqlite::{Connection, Row, params};
use serde::Deserialize;
use uuid::Uuid;

use super::Scope;
use super::sheet::Cell;
use crate::env;
use crate::error::Result;
use crate::words::Language;

/// One task as the detail sheet shows it.
#[derive(Debug, Clone, Default)]
pub(super) struct DetailRow {
    pub mrn: Option<String>,
    pub visit_no: Option<String>,
    pub name: String,
    pub sex: String,
    pub age_years: Option<i64>,
    pub id_number: Option<String>,
    pub number: Option<String>,
    pub department: Option<String>,
    pub doctor: Option<String>,
    pub diagnosis_code: Option<String>,
    pub diagnosis: Option<String>,
    pub admitted_at: Option<NaiveDateTime>,
    pub discharged_at: Option<NaiveDateTime>,
    pub disposition: Option<String>,
    pub plan_code: String,
    pub plan_version: u32,
    pub timepoint: String,
    pub due_on: Option<NaiveDate>,
    pub window_starts_on: Option<NaiveDate>,
    pub window_ends_on: Option<NaiveDate>,
    pub status: String,
    pub end_reason: Option<String>,
    pub attempts: i64,
    pub ended_at: Option<NaiveDateTime>,
    pub timely: bool,
    pub assigned_to: Option<Uuid>,
    pub last_call: Option<LastCall>,
    pub class: Option<String>,
    pub alert: Option<WorstAlert>,
}

/// The last call that was made for a task.
#[derive(Debug, Clone)]
pub(super) struct LastCall {
    pub called_at: i64,
    pub outcome: String,
    pub reason: Option<String>,
    pub talk_seconds: Option<i64>,
    pub remark: Option<String>,
    pub user_id: Uuid,
}

/// The gravest alert that a task raised.
#[derive(Debug, Clone)]
pub(super) struct WorstAlert {
    pub level: String,
    pub status: String,
}

/// What hangs on tasks, by task.
struct Beside {
    calls: HashMap<Uuid, LastCall>,
    classes: HashMap<Uuid, String>,
    alerts: HashMap<Uuid, WorstAlert>,
}

/// Calls and responses of a task lie at most this long before the day it is due.
const EARLY_DAYS: i64 = 62;

/// Reads every detail row and hands them to `take` in the order they were due.
pub(super) fn each_row(
    connection: &Connection,
    scope: &Scope,
    mut take: impl FnMut(DetailRow) -> Result<()>,
) -> Result<()> {
    let mut beside = Beside::read(connection, scope)?;
    let mut statement = connection.prepare(include_str!("sql/detail.sql"))?;
    let mut rows = statement.query(params![scope.from, scope.to, scope.department])?;
    while let Some(row) = rows.next()? {
        take(read(row, &mut beside)?)?;
    }
    Ok(())
}

fn read(row: &Row<'_>, beside: &mut Beside) -> Result<DetailRow> {
    let task_id: Uuid = row.get("task_id")?;
    let due_on = date(row.get("due_on")?);
    let window_starts_on = date(row.get("window_starts_on")?);
    let window_ends_on = date(row.get("window_ends_on")?);
    let status: String = row.get("status")?;
    let ended_at = row.get::<_, Option<i64>>("ended_at")?.map(wall_clock);
    let ended_on = ended_at.map(|at| at.date());
    let timely = status == "done" && ended_on >= window_starts_on && ended_on <= window_ends_on;
    let birth_on = date(row.get("birth_on")?);
    Ok(DetailRow {
        mrn: row.get("mrn")?,
        visit_no: row.get("visit_no")?,
        name: row.get("name")?,
        sex: row.get("sex")?,
        age_years: birth_on.zip(due_on).map(|(birth, due)| age_years(birth, due)),
        id_number: row.get("id_number")?,
        number: row.get("number")?,
        department: row.get("department")?,
        doctor: row.get("doctor")?,
        diagnosis_code: row.get("diagnosis_code")?,
        diagnosis: row.get("diagnosis")?,
        admitted_at: minute(row.get("admitted_at")?),
        discharged_at: minute(row.get("discharged_at")?),
        disposition: row.get("disposition")?,
        plan_code: row.get("plan_code")?,
        plan_version: row.get("plan_version")?,
        timepoint: row.get("timepoint")?,
        due_on,
        window_starts_on,
        window_ends_on,
        status,
        end_reason: row.get("end_reason")?,
        attempts: row.get("attempts")?,
        ended_at,
        timely,
        assigned_to: row.get("assigned_to")?,
        last_call: beside.calls.remove(&task_id),
        class: beside.classes.remove(&task_id),
        alert: beside.alerts.remove(&task_id),
    })
}

impl Beside {
    fn read(connection: &Connection, scope: &Scope) -> Result<Self> {
        let from = date(Some(scope.from.clone())).unwrap_or_default() - chrono::Duration::days(EARLY_DAYS);
        let from = from.to_string();
        Ok(Self {
            calls: last_calls(connection, &from)?,
            classes: classes(connection, &from)?,
            alerts: worst_alerts(connection, &from)?,
        })
    }
}

fn last_calls(connection: &Connection, from: &str) -> Result<HashMap<Uuid, LastCall>> {
    let mut statement = connection.prepare(
        "SELECT tasks, called_at, outcome, reason, talk_seconds, remark, user_id
         FROM standing_call AS call WHERE called_on >= ?1 ORDER BY called_on, called_at",
    )?;
    let mut rows = statement.query([from])?;
    let mut calls = HashMap::new();
    while let Some(row) = rows.next()? {
        let call = LastCall {
            called_at: row.get("called_at")?,
            outcome: row.get("outcome")?,
            reason: row.get("reason")?,
            talk_seconds: row.get("talk_seconds")?,
            remark: row.get("remark")?,
            user_id: row.get("user_id")?,
        };
        let tasks = row.get_ref("tasks")?.as_str().unwrap_or("[]");
        for task in serde_json::from_str::<Vec<Uuid>>(tasks).unwrap_or_default() {
            calls.insert(task, call.clone());
        }
    }
    Ok(calls)
}

/// The part of a response's stored results that the sheet shows.
#[derive(Deserialize)]
struct Results {
    class: Option<String>,
}

fn classes(connection: &Connection, from: &str) -> Result<HashMap<Uuid, String>> {
    let mut statement = connection.prepare(
        "SELECT task_id, results FROM standing_response AS response WHERE responded_on >= ?1 ORDER BY responded_on, responded_at",
    )?;
    let mut rows = statement.query([from])?;
    let mut classes = HashMap::new();
    while let Some(row) = rows.next()? {
        let results = row.get_ref("results")?.as_str().unwrap_or("{}");
        if let Ok(Results { class: Some(class) }) = serde_json::from_str(results) {
            classes.insert(row.get("task_id")?, class);
        }
    }
    Ok(classes)
}

fn worst_alerts(connection: &Connection, from: &str) -> Result<HashMap<Uuid, WorstAlert>> {
    let mut statement = connection.prepare(
        "SELECT task_id, level, status FROM alert
         WHERE raised_at >= unixepoch(?1) * 1000 - 28800000 AND task_id IS NOT NULL",
    )?;
    let mut rows = statement.query([from])?;
    let mut alerts: HashMap<Uuid, WorstAlert> = HashMap::new();
    while let Some(row) = rows.next()? {
        let alert = WorstAlert { level: row.get("level")?, status: row.get("status")? };
        let task: Uuid = row.get("task_id")?;
        if alerts.get(&task).is_none_or(|known| gravity(&known.level) < gravity(&alert.level)) {
            alerts.insert(task, alert);
        }
    }
    Ok(alerts)
}

fn gravity(level: &str) -> u8 {
    match level {
        "red" => 3,
        "orange" => 2,
        "yellow" => 1,
        _ => 0,
    }
}

fn date(text: Option<String>) -> Option<NaiveDate> {
    NaiveDate::parse_from_str(text?.get(..10)?, "%Y-%m-%d").ok()
}

fn minute(text: Option<String>) -> Option<NaiveDateTime> {
    NaiveDateTime::parse_from_str(&text?, "%Y-%m-%d %H:%M").ok()
}

/// The hospital's wall clock at an instant.
pub(super) fn wall_clock(millis: i64) -> NaiveDateTime {
    env::local(DateTime::from_timestamp_millis(millis).unwrap_or_default())
}

fn age_years(birth: NaiveDate, on: NaiveDate) -> i64 {
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
    pub fn reason(&self, code: Option<String>) -> Cell {
        code.map(|code| self.reasons.get(&code).cloned().unwrap_or(code)).into()
    }

    /// The plan's name, or its code.
    pub fn plan(&self, code: &str) -> String {
        self.plans.get(code).cloned().unwrap_or_else(|| code.to_owned())
    }

    /// The person's name.
    pub fn person(&self, id: Uuid) -> String {
        self.staff.get(&id).cloned().unwrap_or_default()
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
