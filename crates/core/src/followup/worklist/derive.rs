//! The list, kept ready: one local row for each patient, brought up to date with every write and once at
//! the change of day. It holds nothing that the tasks do not say, so it can be made anew at any time.

use std::collections::BTreeSet;

use aftercare_domain::error_code::ErrorCode;
use aftercare_domain::followup::{Bucket, EntryTask, Urgency, bucket_of, rank};
use aftercare_domain::forms::Level;
use aftercare_domain::plans::{Optout, PatientFacts, TaskCondition, TaskDraft};
use aftercare_domain::task::{TaskCommand, TaskStatus};
use chrono::{Datelike, NaiveDate};
use rusqlite::{Connection, params};
use uuid::Uuid;

use crate::app::Ctx;
use crate::db;
use crate::error::{Error, Result};
use crate::followup::journal::Journal;
use crate::followup::task::{self, Task};
use crate::followup::{call, facts, level};
use crate::settings::DEFAULT_EXPIRE_AFTER_DAYS;

/// Wakes nobody: later than any day.
const NEVER: i64 = 1 << 40;
/// Patients whose day has come are brought up to date so many at a time, so that others can write in between.
const WAKE_CHUNK: u32 = 500;
/// The filter that leaves nobody out.
pub(super) const EVERYBODY: &str = "*";

/// Days since 1970 of a date.
pub fn day_number(day: NaiveDate) -> i64 {
    i64::from(day.num_days_from_ce()) - 719_163
}

fn date_of(number: i64) -> NaiveDate {
    i32::try_from(number + 719_163)
        .ok()
        .and_then(NaiveDate::from_num_days_from_ce_opt)
        .unwrap_or(NaiveDate::MAX)
}

/// A patient's place in the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    /// None while there is nothing to do.
    pub rank: Option<i64>,
    pub bucket: Option<Bucket>,
    pub not_before: i64,
    pub wake_on: i64,
    pub tags: Vec<String>,
}

/// What a patient's place depends on.
pub(super) struct Situation {
    pub tasks: Vec<Task>,
    /// Levels of alerts that are not closed; deadlines of red ones that were passed on to nobody.
    pub levels: BTreeSet<Level>,
    pub red_unrouted_due: Option<i64>,
    /// Level and time of answers that due return calls bring.
    pub answers: Vec<(Level, i64)>,
    pub departments: BTreeSet<String>,
}

impl Situation {
    /// What makes the patient urgent today.
    pub fn urgency(&self) -> Option<Urgency> {
        let red = self.red_unrouted_due.map(|due| Urgency { level: Level::Red, minute: due / 60_000 });
        let answers = self.answers.iter().map(|(level, at)| Urgency { level: *level, minute: at / 60_000 });
        red.into_iter().chain(answers).min()
    }

    /// Tasks that a call may serve on `today`.
    pub fn due(&self, today: NaiveDate) -> impl Iterator<Item = &Task> {
        self.tasks.iter().filter(move |task| task.is_due(today))
    }

    fn level(&self) -> Option<Level> {
        self.levels.first().copied().into_iter().chain(self.answers.iter().map(|(level, _)| *level)).min()
    }
}

/// Reads a situation. Answers count only when their call is due on `today`.
pub(super) fn situation(connection: &Connection, patient_id: Uuid, today: NaiveDate) -> Result<Situation> {
    let mut situation = situation_without_departments(connection, patient_id, today)?;
    let stays: BTreeSet<Uuid> = situation.due(today).filter_map(|task| task.encounter_id).collect();
    for encounter_id in stays {
        situation.departments.extend(department(connection, encounter_id)?);
    }
    Ok(situation)
}

/// As [`situation`], for who reads the stay anyway.
pub(super) fn situation_without_departments(
    connection: &Connection,
    patient_id: Uuid,
    today: NaiveDate,
) -> Result<Situation> {
    let tasks = task::unfinished(connection, patient_id)?;
    let mut levels = BTreeSet::new();
    let mut red_unrouted_due: Option<i64> = None;
    let mut statement = connection.prepare_cached(
        "SELECT level, status, due_at FROM alert WHERE patient_id = ?1 AND status <> 'closed'",
    )?;
    let mut rows = statement.query([patient_id])?;
    while let Some(row) = rows.next()? {
        let Some(found) = level(row.get_ref("level")?.as_str().unwrap_or_default()) else { continue };
        levels.insert(found);
        if found == Level::Red && row.get_ref("status")?.as_str().unwrap_or_default() == "open" {
            let due: i64 = row.get("due_at")?;
            red_unrouted_due = Some(red_unrouted_due.map_or(due, |first| first.min(due)));
        }
    }
    let mut answers = Vec::new();
    for task in tasks.iter().filter(|task| task.is_due(today)) {
        if let Some(consult_id) = task.consult_id {
            answers.extend(answer(connection, consult_id)?);
        }
    }
    Ok(Situation { tasks, levels, red_unrouted_due, answers, departments: BTreeSet::new() })
}

fn answer(connection: &Connection, consult_id: Uuid) -> Result<Option<(Level, i64)>> {
    db::optional(
        connection
            .prepare_cached("SELECT level, coalesce(answered_at, asked_at) AS at FROM consult WHERE id = ?1")?
            .query_row([consult_id], |row| {
                let word = row.get::<_, String>("level")?;
                Ok((level(&word).unwrap_or(Level::Yellow), row.get("at")?))
            }),
    )
}

fn department(connection: &Connection, encounter_id: Uuid) -> Result<Option<String>> {
    db::optional(
        connection
            .prepare_cached("SELECT department FROM encounter WHERE id = ?1")?
            .query_row([encounter_id], |row| row.get("department")),
    )
}

/// The place in the list that a situation gives on `today`; `days_after` windows' ends tasks expire.
pub(super) fn entry(situation: &Situation, today: NaiveDate, days_after: u32, now: i64) -> Entry {
    let due: Vec<&Task> = situation.due(today).collect();
    let entry_tasks: Vec<EntryTask> = due
        .iter()
        .filter(|task| task.kind != task::RETURN_CALL)
        .map(|task| EntryTask { due_on: task.due_on, window_ends_on: task.window_ends_on, risk: task.risk })
        .collect();
    let urgency = situation.urgency();
    let mut tags = BTreeSet::from([EVERYBODY.to_owned()]);
    let mut people: BTreeSet<Uuid> = due.iter().filter_map(|task| task.assigned_to).collect();
    if people.is_empty() {
        tags.insert("m-".to_owned());
    }
    people
        .extend(due.iter().filter_map(|task| task.claim.filter(|(_, until)| *until > now)).map(|(by, _)| by));
    tags.extend(people.iter().map(|person| format!("m{}", person.simple())));
    tags.extend(situation.departments.iter().map(|name| format!("d{name}")));
    tags.extend(
        due.iter().filter(|task| !task.plan_code.is_empty()).map(|task| format!("p{}", task.plan_code)),
    );
    tags.extend(situation.level().map(|level| format!("l{}", super::super::level_word(level))));
    Entry {
        rank: rank(urgency, &entry_tasks, today),
        bucket: bucket_of(urgency, &entry_tasks, today),
        not_before: not_before(&due, urgency.is_some()),
        wake_on: wake_on(&situation.tasks, today, days_after),
        tags: tags.into_iter().collect(),
    }
}

/// A planned retry keeps the patient off the list until it comes, except for what is urgent.
fn not_before(due: &[&Task], urgent: bool) -> i64 {
    let planned =
        due.iter().filter(|task| !urgent || task.kind == task::RETURN_CALL).map(|task| task.next_try_at);
    if urgent {
        // The earliest of the answers; a red flag without a call to make waits for nothing.
        planned.map(|at| at.unwrap_or(0)).min().unwrap_or(0)
    } else {
        planned.flatten().max().unwrap_or(0)
    }
}

/// The next day on which time alone changes the place: a window opens, passes or is given up.
fn wake_on(tasks: &[Task], today: NaiveDate, days_after: u32) -> i64 {
    let now = day_number(today);
    let days = tasks.iter().flat_map(|task| {
        let end = day_number(task.window_ends_on);
        let opens = match task.status {
            TaskStatus::Waiting => day_number(task.due_on),
            _ => day_number(task.window_starts_on),
        };
        [opens, end + 1, end + i64::from(days_after) + 1]
    });
    days.filter(|day| *day > now).min().unwrap_or(NEVER)
}

/// Brings a patient's place up to date after anything changed that it depends on: tasks, alerts, death, refusal,
/// consent, merging. `now` is in milliseconds UTC.
pub fn refresh_patient(connection: &Connection, patient_id: Uuid, now: i64) -> Result<()> {
    let Some(patient) = facts::patient(connection, patient_id)? else { return Ok(()) };
    let today = facts::local(now).date();
    let barred = patient.deceased || patient.gone || patient.optout != Optout::None || patient.is_test;
    let entry = if barred || facts::consent_withdrawn(connection, patient_id)? {
        None
    } else {
        let situation = situation(connection, patient_id, today)?;
        let anything = !situation.tasks.is_empty() || situation.red_unrouted_due.is_some();
        anything.then(|| entry(&situation, today, expire_after_days(connection), now))
    };
    store(connection, patient.num, entry.as_ref())
}

/// Takes a patient off the list, before the patient leaves this desk.
pub fn forget_patient(connection: &Connection, patient_id: Uuid) -> Result<()> {
    match facts::patient(connection, patient_id)? {
        Some(patient) => store(connection, patient.num, None),
        None => Ok(()),
    }
}

/// Days after a window's end on which an untouched task is given up. Read alone: this runs with every write.
fn expire_after_days(connection: &Connection) -> u32 {
    let read = || -> Result<Option<String>> {
        db::optional(
            connection
                .prepare_cached("SELECT value FROM setting WHERE name = 'expire_after_days'")?
                .query_row([], |row| row.get("value")),
        )
    };
    read().ok().flatten().and_then(|value| value.parse().ok()).unwrap_or(DEFAULT_EXPIRE_AFTER_DAYS)
}

fn store(connection: &Connection, num: i64, entry: Option<&Entry>) -> Result<()> {
    let old = db::optional(
        connection
            .prepare_cached("SELECT rank, not_before, wake_on, tags FROM worklist WHERE patient_num = ?1")?
            .query_row([num], |row| {
                Ok(Entry {
                    rank: row.get("rank")?,
                    bucket: None,
                    not_before: row.get("not_before")?,
                    wake_on: row.get("wake_on")?,
                    tags: split(row.get_ref("tags")?.as_str()?),
                })
            }),
    )?;
    let same = |new: &Entry| {
        old.as_ref().is_some_and(|old| {
            old.rank == new.rank
                && old.not_before == new.not_before
                && old.wake_on == new.wake_on
                && old.tags == new.tags
        })
    };
    match entry {
        None if old.is_none() => return Ok(()),
        Some(new) if same(new) => return Ok(()),
        _ => {}
    }
    if let Some(Entry { rank: Some(rank), tags, .. }) = &old {
        let mut delete = connection
            .prepare_cached("DELETE FROM worklist_tag WHERE tag = ?1 AND rank = ?2 AND patient_num = ?3")?;
        for tag in tags {
            delete.execute(params![tag, rank, num])?;
        }
    }
    count(connection, old.and_then(|old| old.rank), -1)?;
    match entry {
        None => {
            connection.prepare_cached("DELETE FROM worklist WHERE patient_num = ?1")?.execute([num])?;
        }
        Some(new) => put(connection, num, new)?,
    }
    Ok(())
}

fn put(connection: &Connection, num: i64, entry: &Entry) -> Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO worklist (patient_num, rank, not_before, wake_on, tags) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (patient_num) DO UPDATE SET rank = excluded.rank, not_before = excluded.not_before,
               wake_on = excluded.wake_on, tags = excluded.tags",
        )?
        .execute(params![num, entry.rank, entry.not_before, entry.wake_on, entry.tags.join("\n")])?;
    count(connection, entry.rank, 1)?;
    let Some(rank) = entry.rank else { return Ok(()) };
    let mut insert = connection.prepare_cached(
        "INSERT INTO worklist_tag (tag, rank, patient_num, not_before) VALUES (?1, ?2, ?3, ?4)",
    )?;
    for tag in &entry.tags {
        insert.execute(params![tag, rank, num, entry.not_before])?;
    }
    Ok(())
}

/// Keeps the totals: `by` patients more at this rank.
fn count(connection: &Connection, rank: Option<i64>, by: i64) -> Result<()> {
    let Some(rank) = rank else { return Ok(()) };
    connection
        .prepare_cached("UPDATE worklist_total SET patients = patients + ?2 WHERE bucket = ?1 >> 56")?
        .execute(params![rank, by])?;
    Ok(())
}

fn split(tags: &str) -> Vec<String> {
    tags.split('\n').filter(|tag| !tag.is_empty()).map(str::to_owned).collect()
}

/// A patient made just now with the first tasks: nothing has to be read to place them.
pub(in crate::followup) struct Fresh<'a> {
    pub patient_id: Uuid,
    pub patient_num: Option<i64>,
    pub facts: &'a PatientFacts,
    pub department: &'a str,
    pub plan_code: &'a str,
    pub risk: u8,
    pub drafts: &'a [TaskDraft],
}

/// Places a new patient.
pub(in crate::followup) fn add_fresh(connection: &Connection, fresh: &Fresh<'_>, now: i64) -> Result<()> {
    let facts = fresh.facts;
    if facts.deceased || facts.is_test || facts.optout != Optout::None || fresh.drafts.is_empty() {
        return Ok(());
    }
    let num = match fresh.patient_num {
        Some(num) => num,
        None => connection
            .prepare_cached("SELECT num FROM patient WHERE id = ?1")?
            .query_row([fresh.patient_id], |row| row.get("num"))?,
    };
    let today = facts::local(now).date();
    let open = fresh.drafts.iter().filter(|draft| draft.condition == TaskCondition::Now);
    let due: Vec<EntryTask> = open
        .filter(|draft| draft.window_starts_on <= today)
        .map(|draft| EntryTask {
            due_on: draft.due_on,
            window_ends_on: draft.window_ends_on,
            risk: fresh.risk,
        })
        .collect();
    let today_number = day_number(today);
    let wakes = fresh.drafts.iter().flat_map(|draft| {
        let opens =
            if draft.condition == TaskCondition::Waiting { draft.due_on } else { draft.window_starts_on };
        [day_number(opens), day_number(draft.window_ends_on) + 1]
    });
    let wake_on = wakes.filter(|day| *day > today_number).min().unwrap_or(NEVER);
    let mut tags = vec![EVERYBODY.to_owned(), "m-".to_owned()];
    if !due.is_empty() {
        tags.extend([format!("d{}", fresh.department), format!("p{}", fresh.plan_code)]);
    }
    tags.sort_unstable();
    let entry = Entry { rank: rank(None, &due, today), bucket: None, not_before: 0, wake_on, tags };
    put(connection, num, &entry)
}

/// Carries the list over to today: windows open and pass, untouched tasks are given up, conditions that waited too long
/// are decided. Called before the list is read; does nothing on the second call of a day.
pub fn wake(ctx: &Ctx) -> Result<()> {
    let today = day_number(ctx.local_now().date());
    let made_for = ctx.read(made_for)?;
    if made_for.is_some_and(|day| day >= today) {
        return Ok(());
    }
    loop {
        let woken = ctx.write(|writer| {
            let mut statement = writer.connection().prepare_cached(
                "SELECT patient_num FROM worklist WHERE wake_on <= ?1 ORDER BY wake_on LIMIT ?2",
            )?;
            let nums: Vec<i64> = statement
                .query_map(params![today, WAKE_CHUNK], |row| row.get("patient_num"))?
                .collect::<rusqlite::Result<_>>()?;
            for num in &nums {
                wake_patient(&mut Journal::new(writer), *num)?;
            }
            Ok(nums.len())
        })?;
        if woken == 0 {
            break;
        }
    }
    ctx.write(|writer| {
        writer
            .connection()
            .prepare_cached(
                "INSERT INTO worklist_day (only_row, day) VALUES (1, ?1)
                 ON CONFLICT (only_row) DO UPDATE SET day = excluded.day",
            )?
            .execute([today])?;
        Ok(())
    })
}

/// The day the list was made for, as days since 1970.
fn made_for(connection: &Connection) -> Result<Option<i64>> {
    db::optional(
        connection.prepare_cached("SELECT day FROM worklist_day")?.query_row([], |row| row.get("day")),
    )
}

fn wake_patient(journal: &mut Journal<'_, '_>, num: i64) -> Result<()> {
    let connection = journal.writer.connection();
    let now = journal.writer.now_millis();
    let today = facts::local(now).date();
    let Some(patient) = facts::patient_by_num(connection, num)? else {
        return store(connection, num, None);
    };
    let days_after = expire_after_days(connection);
    for mut task in task::unfinished(connection, patient.id)? {
        let given_up = task.window_ends_on + chrono::TimeDelta::days(i64::from(days_after)) < today;
        if given_up && task.kind != task::RETURN_CALL {
            task::apply(journal, &mut task, TaskCommand::Expire, Some("expired"), &[])?;
            call::after_end(journal, &patient, &task)?;
        }
    }
    call::decide_overdue(journal, &patient, today)?;
    refresh_patient(connection, patient.id, now)
}

/// Makes the whole list anew. Returns how many patients have a place in it.
pub fn rebuild_worklist(connection: &Connection, now: i64) -> Result<u64> {
    connection.execute_batch(
        "DELETE FROM worklist_tag; DELETE FROM worklist; UPDATE worklist_total SET patients = 0;",
    )?;
    for patient_id in candidates(connection)? {
        refresh_patient(connection, patient_id, now)?;
    }
    let placed: i64 = connection.query_row("SELECT count(*) FROM worklist", [], |row| row.get(0))?;
    Ok(u64::try_from(placed).unwrap_or(0))
}

/// Patients with an unfinished task or an unrouted red alert.
fn candidates(connection: &Connection) -> Result<Vec<Uuid>> {
    let mut statement = connection.prepare(
        "SELECT patient_id FROM task WHERE status IN ('open', 'waiting')
         UNION SELECT patient_id FROM alert WHERE status = 'open' AND level = 'red'",
    )?;
    let rows = statement.query_map([], |row| row.get("patient_id"))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Compares the list with what the tasks say, for the day it was made for. Returns how many places differ; those of
/// patients whose day has come since are not compared.
///
/// # Errors
/// Those of the database.
pub fn check_worklist(connection: &Connection, now: i64) -> Result<u64> {
    let Some(made_for) = made_for(connection)? else { return Ok(0) };
    if made_for != day_number(facts::local(now).date()) {
        return Ok(0);
    }
    let today = date_of(made_for);
    let days_after = expire_after_days(connection);
    let mut differing = 0;
    let mut seen = 0;
    for patient_id in candidates(connection)? {
        let Some(patient) = facts::patient(connection, patient_id)? else { continue };
        let barred = patient.deceased || patient.gone || patient.optout != Optout::None || patient.is_test;
        if barred || facts::consent_withdrawn(connection, patient_id)? {
            continue;
        }
        seen += 1;
        let situation = situation(connection, patient_id, today)?;
        let expected = entry(&situation, today, days_after, now);
        let there: Option<Option<i64>> = db::optional(
            connection
                .prepare_cached("SELECT rank FROM worklist WHERE patient_num = ?1")?
                .query_row([patient.num], |row| row.get("rank")),
        )?;
        differing += u64::from(there != Some(expected.rank));
    }
    let places: i64 = connection.query_row("SELECT count(*) FROM worklist", [], |row| row.get(0))?;
    let totals_fit: bool = connection.query_row(
        "SELECT (SELECT sum(patients) FROM worklist_total) = (SELECT count(*) FROM worklist WHERE rank IS NOT NULL)",
        [],
        |row| row.get(0),
    )?;
    differing += u64::from(!totals_fit);
    Ok(differing + u64::try_from(places).unwrap_or(0).saturating_sub(seen))
}

/// The day of a request, `YYYY-MM-DD`.
pub(super) fn requested_day(text: &str) -> Result<NaiveDate> {
    NaiveDate::parse_from_str(text, "%Y-%m-%d").map_err(|_| Error::field("on", ErrorCode::BadDate))
}
