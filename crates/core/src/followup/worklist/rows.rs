//! What the list shows of each patient.

use std::cell::RefCell;
use std::collections::BTreeMap;

use aftercare_domain::followup::Bucket;
use aftercare_domain::forms::{Level, LocalText};
use aftercare_domain::personal::Personal;
use aftercare_sync::fold::UNSENT;
use chrono::NaiveDate;
use rusqlite::{Connection, params};
use uuid::Uuid;

use super::derive::{self, Situation};
use super::query::{self, Place, START, in_order};
use super::{Claim, WorklistFilter, WorklistReason, WorklistRow, WorklistTask};
use crate::db;
use crate::error::Result;
use crate::followup::people::People;
use crate::followup::task::{self, Task};
use crate::followup::{facts, plan_name};

/// What all rows of a page share.
pub(super) struct RowContext<'a> {
    pub user: Uuid,
    pub today: NaiveDate,
    pub now: i64,
    pub max_attempts: u32,
    pub people: &'a People,
    /// Names of plans that were looked up already.
    pub plans: RefCell<BTreeMap<(String, u32), Option<LocalText>>>,
}

impl RowContext<'_> {
    fn plan_name(&self, connection: &Connection, task: &Task) -> Result<Option<LocalText>> {
        let key = (task.plan_code.clone(), task.plan_version);
        if let Some(known) = self.plans.borrow().get(&key) {
            return Ok(known.clone());
        }
        let name = plan_name(connection, &task.plan_code, task.plan_version)?;
        self.plans.borrow_mut().insert(key, name.clone());
        Ok(name)
    }
}

struct Head {
    id: Uuid,
    name: String,
    sex: String,
    age: Option<u16>,
}

/// The row of a patient; none when there is nothing to do for them any more.
pub(super) fn row(connection: &Connection, num: i64, ctx: &RowContext<'_>) -> Result<Option<WorklistRow>> {
    let Some(head) = head(connection, num, ctx.today)? else { return Ok(None) };
    let situation = derive::situation_without_departments(connection, head.id, ctx.today)?;
    let entry = derive::entry(&situation, ctx.today, 0, ctx.now);
    let Some(bucket) = entry.bucket else { return Ok(None) };
    let due = in_order(situation.due(ctx.today).cloned().collect());
    let stay = stay(connection, &situation, &due)?;
    let mut plans = Vec::new();
    let mut tasks = Vec::new();
    for task in &due {
        let line = line_named(task, ctx.plan_name(connection, task)?);
        if let Some(plan) = &line.plan
            && !plans.contains(plan)
        {
            plans.push(plan.clone());
        }
        tasks.push(line);
    }
    let claim = claim(connection, &due, ctx.user, ctx.now, ctx.people)?;
    let (department, diagnosis, discharged_on) = stay.unwrap_or_default();
    let ends = due.iter().filter(|task| task.kind != task::RETURN_CALL).map(|task| task.window_ends_on).min();
    let overdue_days = ends.map_or(0, |end| (ctx.today - end).num_days().max(0));
    Ok(Some(WorklistRow {
        patient_id: head.id,
        name: head.name.into(),
        sex: head.sex,
        age: head.age,
        department,
        diagnosis: diagnosis.map(Personal::new),
        discharged_on,
        plans,
        bucket,
        reason: reason(bucket, &situation, &due, ctx),
        level: level_of(&situation),
        overdue_days,
        risk: due.iter().map(|task| task.risk).max().unwrap_or(0),
        attempts: due.iter().map(|task| task.attempts).max().unwrap_or(0),
        max_attempts: ctx.max_attempts,
        next_try_at: due.iter().filter_map(|task| task.next_try_at).max(),
        mine: due.iter().any(|task| task.assigned_to == Some(ctx.user))
            || claim.as_ref().is_some_and(|c| c.mine),
        claim,
        assigned_to: due.iter().find_map(|task| task.assigned_to).map(|person| ctx.people.name(person)),
        tasks,
    }))
}

fn level_of(situation: &Situation) -> Option<Level> {
    situation
        .levels
        .first()
        .copied()
        .into_iter()
        .chain(situation.answers.iter().map(|(level, _)| *level))
        .min()
}

fn head(connection: &Connection, num: i64, today: NaiveDate) -> Result<Option<Head>> {
    let mut statement =
        connection.prepare_cached("SELECT id, name, sex, birth_on, age_text FROM patient WHERE num = ?1")?;
    db::optional(statement.query_row([num], |row| {
        let birth_on = row.get::<_, Option<String>>("birth_on")?.as_deref().map(task::day);
        let age_text: Option<String> = row.get("age_text")?;
        Ok(Head {
            id: row.get("id")?,
            name: row.get("name")?,
            sex: row.get("sex")?,
            age: facts::age(birth_on, age_text.as_deref(), today),
        })
    }))
}

type StayWords = (String, Option<String>, Option<String>);

/// Department, diagnosis and discharge of the stay that the first task follows.
fn stay(connection: &Connection, situation: &Situation, due: &[Task]) -> Result<Option<StayWords>> {
    let encounter = due.iter().chain(&situation.tasks).find_map(|task| task.encounter_id);
    let Some(encounter_id) = encounter else { return Ok(None) };
    let mut statement = connection
        .prepare_cached("SELECT department, diagnosis, discharged_on FROM encounter WHERE id = ?1")?;
    db::optional(statement.query_row([encounter_id], |row| {
        Ok((row.get("department")?, row.get("diagnosis")?, row.get("discharged_on")?))
    }))
}

/// A task as lists show it.
pub(in crate::followup) fn line(connection: &Connection, task: &Task) -> Result<WorklistTask> {
    Ok(line_named(task, plan_name(connection, &task.plan_code, task.plan_version)?))
}

fn line_named(task: &Task, plan: Option<LocalText>) -> WorklistTask {
    WorklistTask {
        id: task.id,
        kind: task.kind.clone(),
        label: task.label.clone(),
        plan,
        plan_code: task.plan_code.clone(),
        due_on: task.due_on.to_string(),
        window_starts_on: task.window_starts_on.to_string(),
        window_ends_on: task.window_ends_on.to_string(),
        attempts: task.attempts,
        remark: task.remark.clone(),
        consult_id: task.consult_id,
    }
}

/// A running claim on any of the tasks.
pub(in crate::followup) fn claim(
    connection: &Connection,
    due: &[Task],
    user: Uuid,
    now: i64,
    people: &People,
) -> Result<Option<Claim>> {
    let running =
        due.iter().filter_map(|task| Some((task.id, task.claim?))).filter(|(_, (_, until))| *until > now);
    let strongest = running.max_by_key(|(_, (by, until))| (*by != user, *until));
    let Some((task, (by, until))) = strongest else { return Ok(None) };
    let unconfirmed = is_unconfirmed(connection, task)?;
    Ok(Some(Claim { by: people.name(by), until, mine: by == user, unconfirmed }))
}

/// Whether the task's claim was written here and the server's verdict on it has not come. A desk without a
/// server is its own judge.
fn is_unconfirmed(connection: &Connection, task: Uuid) -> Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM sync_server) AND EXISTS (
                 SELECT 1 FROM field_clock WHERE record_id = ?1 AND field = 'claimed_until' AND seq = ?2) AS waits";
    Ok(connection.prepare_cached(sql)?.query_row(params![task, UNSENT], |row| row.get("waits"))?)
}

fn reason(bucket: Bucket, situation: &Situation, due: &[Task], ctx: &RowContext<'_>) -> WorklistReason {
    if situation.red_unrouted_due.is_some() {
        return WorklistReason::RedFlag;
    }
    if bucket == Bucket::Flag {
        return WorklistReason::ReturnCall;
    }
    if due.iter().any(|task| task.next_try_at.is_some_and(|at| at <= ctx.now)) {
        return WorklistReason::Appointment;
    }
    if bucket == Bucket::Overdue {
        return WorklistReason::Overdue;
    }
    if due.iter().any(|task| task.due_on <= ctx.today) {
        WorklistReason::Due
    } else {
        WorklistReason::WindowOpen
    }
}

/// The next patient of the list that nobody else works on, other than `except`.
pub(in crate::followup) fn next_after(
    connection: &Connection,
    filter: &WorklistFilter,
    user: Uuid,
    except: Uuid,
    now: i64,
) -> Result<Option<Uuid>> {
    let mut after: Place = START;
    loop {
        let places = query::page(connection, filter, user, after, 20, now)?;
        let Some(last) = places.last() else { return Ok(None) };
        after = *last;
        for (_, num) in &places {
            let Some(patient) = facts::patient_by_num(connection, *num)? else { continue };
            if patient.id == except {
                continue;
            }
            let tasks = task::unfinished(connection, patient.id)?;
            if tasks.iter().all(|task| task.claimed_by_other(user, now).is_none()) {
                return Ok(Some(patient.id));
            }
        }
    }
}
