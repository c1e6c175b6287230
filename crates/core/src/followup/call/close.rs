//! What the end of a task means for the rest of its plan.

use aftercare_domain::followup::MAX_ATTEMPTS;
use aftercare_domain::plans::{CompiledPlan, LastResponse, TaskCondition, decide, next_occurrence};
use aftercare_domain::task::{TaskCommand, TaskStatus};
use chrono::NaiveDate;
use rusqlite::Connection;
use uuid::Uuid;

use super::{form, history};
use crate::change_log::ENROLMENT;
use crate::error::Result;
use crate::followup::enrol::{self, TaskOwner};
use crate::followup::facts::{self, Patient, Stay};
use crate::followup::journal::Journal;
use crate::followup::manage;
use crate::followup::task::{self, Task};
use crate::forms;

/// End reasons that mean: the patient could not be reached.
const OUT_OF_REACH: [&str; 4] = [MAX_ATTEMPTS, "EMPTY", "WRONG", "NONUM"];

/// A task is done: decide what waited for it, extend a repetition, finish the plan.
pub(super) fn after_done(journal: &mut Journal<'_, '_>, patient: &Patient, task: &Task) -> Result<()> {
    settle(journal, patient, task)
}

/// A task ended without a response: as above, and perhaps the patient is lost.
pub(in crate::followup) fn after_end(
    journal: &mut Journal<'_, '_>,
    patient: &Patient,
    task: &Task,
) -> Result<()> {
    let Some(enrolment_id) = task.enrolment_id else { return Ok(()) };
    if task.status == TaskStatus::Failed && is_lost(journal.writer.connection(), enrolment_id, task)? {
        let why = task.end_reason.clone().unwrap_or_default();
        return manage::lose(journal, enrolment_id, &why);
    }
    settle(journal, patient, task)
}

/// So many timepoints in a row, this one the last, at which the patient could not be reached.
fn is_lost(connection: &Connection, enrolment_id: Uuid, task: &Task) -> Result<bool> {
    let needed = usize::from(forms::content()?.failure_reasons.policy.lost_after_timepoints);
    let tasks = task::of_enrolment(connection, enrolment_id)?;
    let ended = tasks.iter().rev().filter(|other| {
        let counts = matches!(other.status, TaskStatus::Done | TaskStatus::Failed | TaskStatus::Expired);
        counts && (other.due_on, other.id) <= (task.due_on, task.id)
    });
    let out_of_reach = ended.take(needed).filter(|other| {
        let reason = other.end_reason.as_deref().unwrap_or_default();
        other.status == TaskStatus::Failed && OUT_OF_REACH.contains(&reason)
    });
    Ok(needed > 0 && out_of_reach.count() == needed)
}

/// A plan's enrolment with what its rules need, read when a rule asks.
struct Course {
    plan: std::sync::Arc<CompiledPlan>,
    stay: Option<Stay>,
}

fn course(connection: &Connection, task: &Task, enrolment_id: Uuid) -> Result<Course> {
    let lace = form::lace(connection, enrolment_id)?;
    let stay = match task.encounter_id {
        Some(encounter_id) => facts::stay(connection, encounter_id, lace)?,
        None => None,
    };
    Ok(Course { plan: forms::plan(connection, &task.plan_code, task.plan_version)?, stay })
}

fn settle(journal: &mut Journal<'_, '_>, patient: &Patient, task: &Task) -> Result<()> {
    let Some(enrolment_id) = task.enrolment_id else { return Ok(()) };
    let tasks = task::of_enrolment(journal.writer.connection(), enrolment_id)?;
    let waiting = tasks.iter().any(|other| other.status == TaskStatus::Waiting);
    let repeats = task.kind == task::PLAN && task.label != task.timepoint;
    let mut extended = false;
    if waiting || repeats {
        let course = course(journal.writer.connection(), task, enrolment_id)?;
        if waiting {
            decide_waiting(journal, patient, &course, &tasks)?;
        }
        if repeats {
            extended = extend(journal, patient, &course, task, &tasks, enrolment_id)?;
        }
    }
    let unfinished = |other: &Task| matches!(other.status, TaskStatus::Open | TaskStatus::Waiting);
    if !waiting && !extended && !tasks.iter().any(unfinished) {
        finish(journal, enrolment_id)?;
    }
    Ok(())
}

fn finish(journal: &mut Journal<'_, '_>, enrolment_id: Uuid) -> Result<()> {
    let fields = [("state", "finished".into()), ("ended_at", journal.writer.now_millis().into())];
    journal.update(&ENROLMENT, enrolment_id, &fields)
}

/// Decides tasks whose condition waited for the response before them.
fn decide_waiting(
    journal: &mut Journal<'_, '_>,
    patient: &Patient,
    course: &Course,
    tasks: &[Task],
) -> Result<()> {
    let Some(stay) = &course.stay else { return Ok(()) };
    let facts = patient.facts(stay.discharge.discharged_on);
    let mut tasks = tasks.to_vec();
    for index in 0..tasks.len() {
        let Some(mut task) = tasks.get(index).cloned() else { break };
        if task.status != TaskStatus::Waiting {
            continue;
        }
        let last = last_before(journal.writer.connection(), &tasks[..index])?;
        let verdict = decide(&course.plan, &task.timepoint, &stay.discharge, &facts, &last);
        apply_verdict(journal, &mut task, &verdict)?;
        if let Some(there) = tasks.get_mut(index) {
            *there = task;
        }
    }
    Ok(())
}

fn apply_verdict(journal: &mut Journal<'_, '_>, task: &mut Task, verdict: &TaskCondition) -> Result<()> {
    match verdict {
        TaskCondition::Waiting => Ok(()),
        TaskCondition::Now => {
            let settled = [("condition", None::<&str>.into())];
            task::apply(journal, task, TaskCommand::Open, None, &settled)
        }
        TaskCondition::Skip { reason } => {
            task::apply(journal, task, TaskCommand::Skip, Some(reason.as_str()), &[])
        }
    }
}

/// What the nearest timepoint before brought.
fn last_before(connection: &Connection, before: &[Task]) -> Result<LastResponse> {
    let counts = |task: &&Task| {
        task.kind == task::PLAN && !matches!(task.status, TaskStatus::Skipped | TaskStatus::Cancelled)
    };
    let Some(previous) = before.iter().rev().find(counts) else { return Ok(LastResponse::Missing) };
    Ok(match previous.status {
        TaskStatus::Open | TaskStatus::Waiting => LastResponse::Pending,
        TaskStatus::Done => {
            let response = history::of_task(connection, previous.id)?;
            LastResponse::Given { class: response.and_then(|response| response.results.class) }
        }
        _ => LastResponse::Missing,
    })
}

/// Adds the next repetition when one has ended.
fn extend(
    journal: &mut Journal<'_, '_>,
    patient: &Patient,
    course: &Course,
    task: &Task,
    tasks: &[Task],
    enrolment_id: Uuid,
) -> Result<bool> {
    let Some(stay) = &course.stay else { return Ok(false) };
    let same = |other: &&Task| {
        other.kind == task::PLAN
            && other.timepoint == task.timepoint
            && other.encounter_id == task.encounter_id
    };
    let made = tasks.iter().filter(same).map(|other| other.occurrence).max().unwrap_or(task.occurrence);
    let today = facts::local(journal.writer.now_millis()).date();
    let facts = patient.facts(stay.discharge.discharged_on);
    let next = next_occurrence(&course.plan, &task.timepoint, made, &stay.discharge, &facts, today);
    let Some(draft) = next.filter(|draft| !matches!(draft.condition, TaskCondition::Skip { .. })) else {
        return Ok(false);
    };
    let owner = TaskOwner {
        patient_id: task.patient_id,
        encounter_id: task.encounter_id,
        enrolment_id: Some(enrolment_id),
        risk: task.risk,
    };
    enrol::make_task(journal, &course.plan, &owner, &draft)?;
    Ok(true)
}

/// Decides, on the planned day, tasks that still wait because the timepoint before was not reached in time: silence counts
/// as no response. What even then cannot be decided is left out once its window has passed.
pub(in crate::followup) fn decide_overdue(
    journal: &mut Journal<'_, '_>,
    patient: &Patient,
    today: NaiveDate,
) -> Result<()> {
    for mut task in task::unfinished(journal.writer.connection(), patient.id)? {
        let Some(enrolment_id) = task.enrolment_id else { continue };
        if task.status != TaskStatus::Waiting || task.due_on > today {
            continue;
        }
        let course = course(journal.writer.connection(), &task, enrolment_id)?;
        let Some(stay) = &course.stay else { continue };
        let facts = patient.facts(stay.discharge.discharged_on);
        let verdict = decide(&course.plan, &task.timepoint, &stay.discharge, &facts, &LastResponse::Missing);
        match verdict {
            TaskCondition::Now => apply_verdict(journal, &mut task, &verdict)?,
            TaskCondition::Skip { .. } if task.window_ends_on < today => {
                apply_verdict(journal, &mut task, &verdict)?;
            }
            _ => {}
        }
    }
    Ok(())
}
