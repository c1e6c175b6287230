//! Claims, assignment, and tasks added, closed and reopened by hand.

use aftercare_domain::access::Permission;
use aftercare_domain::error_code::ErrorCode;
use aftercare_domain::task::{TaskCommand, TaskStatus};
use chrono::{Days, NaiveDate};
use rusqlite::Connection;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use ts_rs::TS;
use uuid::Uuid;

use super::call::PatientRequest;
use super::journal::Journal;
use super::task::{self, NewTask, Task};
use super::{checked_text, enrol, facts, worklist};
use crate::app::Ctx;
use crate::change_log::{ENROLMENT, TASK, Writer};
use crate::commands::Done;
use crate::error::{Error, FieldErrors, Result};
use crate::{audit, db};

/// Takes patients along before working where there is no network.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "FollowupTakeAlongRequest")]
pub struct TakeAlongRequest {
    /// The patients, at most 200.
    pub patient_ids: Vec<Uuid>,
    /// For how many hours, 1 to 72.
    pub hours: u32,
}

/// What was taken along.
#[derive(Debug, Serialize, TS)]
#[ts(rename = "FollowupTakeAlongResponse")]
pub struct TakeAlongResponse {
    /// Patients whose due tasks are claimed now.
    pub taken: Vec<Uuid>,
    /// Patients on whom a colleague works.
    pub left: Vec<Uuid>,
    /// Until when, milliseconds UTC.
    #[ts(type = "number")]
    pub until: i64,
}

/// How long a claim lasts.
pub(super) const CLAIM_MILLIS: i64 = 4 * 3_600_000;
/// The longest that patients are taken along.
const LONGEST_HOURS: u32 = 72;
/// Days after which a task added by hand counts as overdue.
const MANUAL_WINDOW_DAYS: u64 = 3;

/// Calls a patient again on a day.
#[derive(Deserialize, TS)]
#[ts(rename = "FollowupAddTaskRequest")]
pub struct AddTaskRequest {
    /// The patient.
    pub patient_id: Uuid,
    /// `YYYY-MM-DD`, today or later.
    pub due_on: String,
    /// Why.
    pub remark: String,
    /// For whom; nobody in particular if none.
    #[serde(default)]
    pub assigned_to: Option<Uuid>,
    /// With the questions of the patient's last plan.
    #[serde(default)]
    pub with_form: bool,
}

/// Gives patients to a colleague, or back to everybody.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "FollowupAssignRequest")]
pub struct AssignRequest {
    /// The patients, at most 500.
    pub patient_ids: Vec<Uuid>,
    /// To whom; nobody if none.
    pub assigned_to: Option<Uuid>,
}

/// Ends a task without a call.
#[derive(Deserialize, TS)]
#[ts(rename = "FollowupCloseTaskRequest")]
pub struct CloseTaskRequest {
    /// The task.
    pub task_id: Uuid,
    /// Why.
    pub reason: String,
}

/// Wants an ended task again.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "FollowupReopenTaskRequest")]
pub struct ReopenTaskRequest {
    /// The task.
    pub task_id: Uuid,
}

/// A task that was made or changed.
#[derive(Debug, Serialize, TS)]
#[ts(rename = "FollowupTaskResponse")]
pub struct TaskResponse {
    /// The task.
    pub task_id: Uuid,
    /// Its status.
    pub status: String,
}

fn log(writer: &Writer<'_>, ctx: &Ctx, action: &str, subject: Uuid, detail: Value) -> Result<()> {
    audit::append(writer.connection(), writer.now_millis(), ctx.user_id(), action, Some(subject), &detail)
}

/// Claims the due tasks of a patient for the user. Done for four hours, or until it is released or saved.
///
/// # Errors
/// `TaskClaimed` when a colleague works on the patient.
pub fn claim(ctx: &Ctx, request: PatientRequest) -> Result<Done> {
    ctx.write(|writer| {
        claim_due(&mut Journal::new(writer), request.patient_id, ctx.user_id(), CLAIM_MILLIS)?;
        worklist::refresh_patient(writer.connection(), request.patient_id, writer.now_millis())?;
        Ok(Done {})
    })
}

/// Claims the due tasks of many patients for up to three days, for work without a network. Whoever a
/// colleague works on is left out.
///
/// # Errors
/// `Invalid` with fields.
pub fn take_along(ctx: &Ctx, request: TakeAlongRequest) -> Result<TakeAlongResponse> {
    const MOST: usize = 200;
    let mut errors = FieldErrors::default();
    if request.patient_ids.is_empty() || request.patient_ids.len() > MOST {
        errors.add_with("patient_ids", ErrorCode::TooLong, "max", MOST);
    }
    if !(1..=LONGEST_HOURS).contains(&request.hours) {
        errors.add("hours", ErrorCode::BadNumber);
    }
    errors.check()?;
    let lasts = i64::from(request.hours) * 3_600_000;
    ctx.write(|writer| {
        let (now, user) = (writer.now_millis(), ctx.user_id());
        let (mut taken, mut left) = (Vec::new(), Vec::new());
        for patient_id in request.patient_ids {
            let tasks = task::unfinished(writer.connection(), patient_id)?;
            if tasks.iter().any(|task| task.claimed_by_other(user, now).is_some()) {
                left.push(patient_id);
                continue;
            }
            claim_due(&mut Journal::new(writer), patient_id, user, lasts)?;
            worklist::refresh_patient(writer.connection(), patient_id, now)?;
            taken.push(patient_id);
        }
        let detail = json!({ "patients": taken.len(), "hours": request.hours });
        audit::append(writer.connection(), now, user, "followup.take_along", None, &detail)?;
        Ok(TakeAlongResponse { taken, left, until: now + lasts })
    })
}

/// Claims within a transaction, for `lasts` milliseconds.
pub(super) fn claim_due(
    journal: &mut Journal<'_, '_>,
    patient_id: Uuid,
    user: Uuid,
    lasts: i64,
) -> Result<()> {
    let now = journal.writer.now_millis();
    let today = facts::local(now).date();
    let until = now + lasts;
    for mut task in task::unfinished(journal.writer.connection(), patient_id)? {
        // A claim of mine with most of its time left is not written again at every look.
        let fresh = task.claim.is_some_and(|(by, end)| by == user && end - now > lasts / 2);
        if task.is_due(today) && !fresh {
            task::apply(journal, &mut task, TaskCommand::Claim { by: user, until }, None, &[])?;
        }
    }
    Ok(())
}

/// Gives a patient back. A supervisor may give back a colleague's.
pub fn release(ctx: &Ctx, request: PatientRequest) -> Result<Done> {
    let manages = ctx.may(Permission::FollowupManage);
    ctx.write(|writer| {
        let mut journal = Journal::new(writer);
        for mut task in task::unfinished(journal.writer.connection(), request.patient_id)? {
            let Some((by, _)) = task.claim else { continue };
            if by == ctx.user_id() || manages {
                task::apply(&mut journal, &mut task, TaskCommand::Release { by }, None, &[])?;
            }
        }
        worklist::refresh_patient(writer.connection(), request.patient_id, writer.now_millis())?;
        Ok(Done {})
    })
}

fn callable(connection: &Connection, patient_id: Uuid) -> Result<facts::Patient> {
    let patient = facts::patient(connection, patient_id)?.ok_or_else(|| Error::new(ErrorCode::NotFound))?;
    let refused = patient.optout != aftercare_domain::plans::Optout::None;
    if patient.deceased || patient.gone || refused || facts::consent_withdrawn(connection, patient_id)? {
        return Err(Error::new(ErrorCode::PatientNotContactable));
    }
    Ok(patient)
}

/// Adds a task by hand.
///
/// # Errors
/// `Invalid` with fields, `NotFound`, `PatientNotContactable`.
pub fn add_task(ctx: &Ctx, request: AddTaskRequest) -> Result<TaskResponse> {
    let today = ctx.local_now().date();
    let mut errors = FieldErrors::default();
    let due_on = NaiveDate::parse_from_str(&request.due_on, "%Y-%m-%d").ok().filter(|day| *day >= today);
    if due_on.is_none() {
        errors.add("due_on", ErrorCode::BadDate);
    }
    let remark = checked_text(&mut errors, "remark", &request.remark, 500);
    errors.check()?;
    let Some(due_on) = due_on else { return Err(Error::field("due_on", ErrorCode::BadDate)) };
    ctx.write(|writer| {
        callable(writer.connection(), request.patient_id)?;
        let template = last_plan_task(writer.connection(), request.patient_id)?;
        let with = template.as_ref().filter(|_| request.with_form);
        let mut journal = Journal::new(writer);
        let id = journal.new_id();
        let new = NewTask {
            patient_id: request.patient_id,
            enrolment_id: None,
            encounter_id: template.as_ref().and_then(|task| task.encounter_id),
            kind: task::MANUAL,
            timepoint: with.map_or("", |task| task.timepoint.as_str()),
            occurrence: 1,
            label: "",
            anchor_on: with.and_then(|task| task.anchor_on),
            plan_code: with.map_or("", |task| task.plan_code.as_str()),
            plan_version: with.map_or(0, |task| task.plan_version),
            form: with.map_or("", |task| task.form.as_str()),
            channel: "phone",
            owner: "center",
            due_on,
            window_starts_on: due_on,
            window_ends_on: due_on + Days::new(MANUAL_WINDOW_DAYS),
            condition: None,
            risk: template.as_ref().map_or(0, |task| task.risk),
            red: false,
            assigned_to: request.assigned_to,
            consult_id: None,
            remark: Some(&remark),
        };
        task::create(&mut journal, id, &new)?;
        log(writer, ctx, "followup.add_task", id, json!({}))?;
        worklist::refresh_patient(writer.connection(), request.patient_id, writer.now_millis())?;
        Ok(TaskResponse { task_id: id, status: TaskStatus::Open.as_str().to_owned() })
    })
}

/// The patient's latest task of a plan: what a call by hand asks.
fn last_plan_task(connection: &Connection, patient_id: Uuid) -> Result<Option<Task>> {
    let mut tasks = task::of_patient(connection, patient_id)?;
    tasks.retain(|task| matches!(task.kind.as_str(), task::PLAN | task::EXTRA));
    let closed = tasks.iter().rposition(|task| task.status == TaskStatus::Done);
    let index = closed.or_else(|| tasks.len().checked_sub(1));
    Ok(index.and_then(|index| tasks.into_iter().nth(index)))
}

/// Assigns patients' unfinished tasks.
///
/// # Errors
/// `Invalid` with fields.
pub fn assign(ctx: &Ctx, request: AssignRequest) -> Result<Done> {
    const MOST: usize = 500;
    if request.patient_ids.len() > MOST {
        return Err(Error::field("patient_ids", ErrorCode::TooLong).with("max", MOST));
    }
    ctx.write(|writer| {
        if let Some(person) = request.assigned_to {
            let active = writer
                .connection()
                .prepare_cached("SELECT active FROM staff WHERE id = ?1")?
                .query_row([person], |row| row.get::<_, bool>("active"));
            if db::optional(active)? != Some(true) {
                return Err(Error::field("assigned_to", ErrorCode::NotAllowed));
            }
        }
        for patient_id in &request.patient_ids {
            for task in task::unfinished(writer.connection(), *patient_id)? {
                writer.update(&TASK, task.id, &[("assigned_to", request.assigned_to.into())])?;
            }
            worklist::refresh_patient(writer.connection(), *patient_id, writer.now_millis())?;
            let detail = json!({ "to": request.assigned_to });
            log(writer, ctx, "followup.assign", *patient_id, detail)?;
        }
        Ok(Done {})
    })
}

/// Ends a task without a call. A call that brings an expert's answer cannot be closed this way.
///
/// # Errors
/// `NotFound`, `TaskState`, `AnswerNotTold`, `Invalid` with field `reason`.
pub fn close_task(ctx: &Ctx, request: CloseTaskRequest) -> Result<TaskResponse> {
    let mut errors = FieldErrors::default();
    let reason = checked_text(&mut errors, "reason", &request.reason, 200);
    errors.check()?;
    ctx.write(|writer| {
        let mut task = task::load(writer.connection(), request.task_id)?;
        if task.kind == task::RETURN_CALL {
            return Err(Error::new(ErrorCode::AnswerNotTold));
        }
        let mut journal = Journal::new(writer);
        task::apply(&mut journal, &mut task, TaskCommand::Cancel, Some(&reason), &[])?;
        if let Some(patient) = facts::patient(journal.writer.connection(), task.patient_id)? {
            super::call::after_end(&mut journal, &patient, &task)?;
        }
        log(writer, ctx, "followup.close_task", task.id, json!({}))?;
        worklist::refresh_patient(writer.connection(), task.patient_id, writer.now_millis())?;
        Ok(TaskResponse { task_id: task.id, status: task.status.as_str().to_owned() })
    })
}

/// Wants an ended task again. A lost patient's plan goes on with it.
///
/// # Errors
/// `NotFound`, `TaskState`, `PatientNotContactable`.
pub fn reopen_task(ctx: &Ctx, request: ReopenTaskRequest) -> Result<TaskResponse> {
    ctx.write(|writer| {
        let mut task = task::load(writer.connection(), request.task_id)?;
        callable(writer.connection(), task.patient_id)?;
        let today = facts::local(writer.now_millis()).date();
        let mut journal = Journal::new(writer);
        // A window that has passed would only be given up again: the task is due now.
        if task.window_ends_on < today {
            enrol::shift(&mut journal, &task, today - task.due_on)?;
        }
        let waits = false;
        let fresh = [("attempts", 0_i64.into()), ("next_try_at", None::<i64>.into())];
        task::apply(&mut journal, &mut task, TaskCommand::Reopen { waits }, None, &fresh)?;
        if let Some(enrolment_id) = task.enrolment_id
            && is_lost(journal.writer.connection(), enrolment_id)?
        {
            enrol::revive_enrolment(&mut journal, enrolment_id, LOST, today)?;
        }
        log(writer, ctx, "followup.reopen_task", task.id, json!({}))?;
        worklist::refresh_patient(writer.connection(), task.patient_id, writer.now_millis())?;
        Ok(TaskResponse { task_id: task.id, status: task.status.as_str().to_owned() })
    })
}

/// The end reason of tasks of a patient who is lost to follow-up.
pub(super) const LOST: &str = "lost";

fn is_lost(connection: &Connection, enrolment_id: Uuid) -> Result<bool> {
    let state: String = connection
        .prepare_cached("SELECT state FROM enrolment WHERE id = ?1")?
        .query_row([enrolment_id], |row| row.get("state"))?;
    Ok(state == LOST)
}

/// Loses an enrolment: its remaining tasks are cancelled until somebody finds the patient again.
pub(super) fn lose(journal: &mut Journal<'_, '_>, enrolment_id: Uuid, why: &str) -> Result<()> {
    let now = journal.writer.now_millis();
    let fields = [("state", LOST.into()), ("state_why", why.into()), ("ended_at", now.into())];
    journal.update(&ENROLMENT, enrolment_id, &fields)?;
    enrol::cancel_rest(journal, enrolment_id, LOST)
}
