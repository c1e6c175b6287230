//! Saving a call: the fact, the responses, what follows, in one transaction.

use aftercare_domain::error_code::ErrorCode;
use aftercare_domain::followup::{PhoneState, is_reached};
use aftercare_domain::plans::{FailureReason, OutcomeAction};
use aftercare_domain::task::TaskStatus;
use chrono::NaiveDate;
use rusqlite::params;
use serde_json::json;
use uuid::Uuid;

use super::attempt::attempt;
use super::complete::complete;
use super::{SaveCallRequest, SavedCall, TaskAfterCall, open};
use crate::app::Ctx;
use crate::change_log::{CALL, PHONE, Writer};
use crate::error::{Error, FieldErrors, Result};
use crate::followup::dial::{self, CallLine, Phone};
use crate::followup::facts::{self, Patient};
use crate::followup::journal::Journal;
use crate::followup::people::People;
use crate::followup::task::{self, Task};
use crate::followup::worklist::{self, in_order};
use crate::followup::{alert, undo_until};
use crate::settings::{self, Settings};
use crate::{audit, db, forms};

/// What a call that is being saved works with.
pub(super) struct Saving<'a> {
    pub request: &'a SaveCallRequest,
    pub patient: Patient,
    pub tasks: Vec<Task>,
    pub phones: Vec<Phone>,
    pub calls: Vec<CallLine>,
    pub settings: Settings,
    pub reason: Option<&'static FailureReason>,
    pub user: Uuid,
    pub now: i64,
    pub today: NaiveDate,
}

/// What has been found to follow, gathered for the answer.
#[derive(Default)]
pub(super) struct Outcome {
    pub alerts: Vec<Uuid>,
    pub next_try_at: Option<i64>,
    pub phone: Option<PhoneState>,
    /// The patient's record was changed for good.
    pub grave: bool,
}

/// Saves a call; see [`super::commands::save_call`].
pub(crate) fn save(ctx: &Ctx, writer: &mut Writer<'_>, request: &SaveCallRequest) -> Result<SavedCall> {
    if let Some(saved) = repeated(ctx, writer, request)? {
        return Ok(saved);
    }
    let mut saving = prepare(ctx, writer, request)?;
    let mut journal = Journal::new(writer);
    let called_at = call_fact(&mut journal, &saving)?;
    let outcome = match saving.reason {
        None => complete(ctx, &mut journal, &mut saving)?,
        Some(reason) => attempt(&mut journal, &mut saving, reason)?,
    };
    learn_of_phone(&mut journal, &saving, outcome.phone)?;
    let log = journal.into_log();
    let grave = outcome.grave || saving.reason.is_some_and(is_grave);
    let undo_until = if grave || log.changed(&crate::change_log::CONSULT) {
        None
    } else {
        super::undo::keep(writer.connection(), request, &log, saving.user, saving.now)?;
        Some(undo_until(saving.now))
    };
    settle_local(writer, &saving)?;
    let detail = json!({
        "call": request.call_id,
        "reason": request.reason,
        "tasks": saving.tasks.len(),
        "alerts": outcome.alerts.len(),
        "called_at": called_at,
    });
    let connection = writer.connection();
    audit::append(
        connection,
        saving.now,
        saving.user,
        "followup.save_call",
        Some(saving.patient.id),
        &detail,
    )?;
    worklist::refresh_patient(connection, saving.patient.id, saving.now)?;
    answer(ctx, writer, request, &saving, outcome, undo_until)
}

fn answer(
    ctx: &Ctx,
    writer: &Writer<'_>,
    request: &SaveCallRequest,
    saving: &Saving<'_>,
    outcome: Outcome,
    undo_until: Option<i64>,
) -> Result<SavedCall> {
    let connection = writer.connection();
    let mut alerts = Vec::new();
    if !outcome.alerts.is_empty() {
        let people = People::load(connection)?;
        for id in outcome.alerts {
            alerts.push(alert::item(connection, id, saving.now, &people)?);
        }
    }
    let next =
        worklist::next_after(connection, &request.filter, ctx.user_id(), saving.patient.id, saving.now)?;
    let after = |task: &Task| TaskAfterCall {
        id: task.id,
        status: task.status.as_str().to_owned(),
        end_reason: task.end_reason.clone(),
    };
    Ok(SavedCall {
        call_id: request.call_id,
        repeated: false,
        tasks: saving.tasks.iter().map(after).collect(),
        alerts,
        next_try_at: outcome.next_try_at,
        next_patient_id: next,
        undo_until,
    })
}

/// The answer to a call that was saved before: nothing is changed.
fn repeated(ctx: &Ctx, writer: &Writer<'_>, request: &SaveCallRequest) -> Result<Option<SavedCall>> {
    let connection = writer.connection();
    let there = db::optional(
        connection
            .prepare_cached("SELECT patient_id, tasks FROM call WHERE id = ?1")?
            .query_row([request.call_id], |row| {
                Ok((row.get::<_, Uuid>("patient_id")?, row.get::<_, String>("tasks")?))
            }),
    )?;
    let Some((patient_id, tasks)) = there else { return Ok(None) };
    if patient_id != request.patient_id {
        return Err(Error::field("call_id", ErrorCode::Taken));
    }
    let ids: Vec<Uuid> = serde_json::from_str(&tasks)?;
    let mut after = Vec::new();
    for id in ids {
        let task = task::load(connection, id)?;
        after.push(TaskAfterCall {
            id,
            status: task.status.as_str().to_owned(),
            end_reason: task.end_reason.clone(),
        });
    }
    let now = writer.now_millis();
    let people = People::load(connection)?;
    Ok(Some(SavedCall {
        call_id: request.call_id,
        repeated: true,
        tasks: after,
        alerts: alert::of_call(connection, patient_id, request.call_id, now, &people)?,
        next_try_at: None,
        next_patient_id: worklist::next_after(connection, &request.filter, ctx.user_id(), patient_id, now)?,
        undo_until: super::undo::until(connection, request.call_id)?,
    }))
}

/// Reads what the call needs and refuses what does not fit.
fn prepare<'a>(ctx: &Ctx, writer: &Writer<'_>, request: &'a SaveCallRequest) -> Result<Saving<'a>> {
    let connection = writer.connection();
    let (user, now) = (ctx.user_id(), writer.now_millis());
    let mut errors = FieldErrors::default();
    let reasons = &forms::content()?.failure_reasons.reasons;
    let reason = match &request.reason {
        None => None,
        Some(code) => {
            let known = reasons.iter().find(|reason| reason.code == *code && !reason.system);
            if known.is_none() {
                errors.add("reason", ErrorCode::NotAllowed);
            }
            known
        }
    };
    let does = |action| reason.is_some_and(|reason| reason.actions.contains(&action));
    if does(OutcomeAction::NeedsNote) && request.remark.trim().is_empty() {
        errors.add("remark", ErrorCode::Required);
    }
    if request.remark.chars().count() > 2000 {
        errors.add_with("remark", ErrorCode::TooLong, "max", 2000);
    }
    if request.appointment_at.is_some_and(|at| at <= now) {
        errors.add("appointment_at", ErrorCode::BadDate);
    }
    let died = request.deceased_on.as_deref().map(|day| NaiveDate::parse_from_str(day, "%Y-%m-%d"));
    if died.is_some_and(|day| day.map_or(true, |day| day > facts::local(now).date())) {
        errors.add("deceased_on", ErrorCode::BadDate);
    }
    let patient =
        facts::patient(connection, request.patient_id)?.ok_or_else(|| Error::new(ErrorCode::NotFound))?;
    let calls = dial::calls(connection, patient.id)?;
    let phones = dial::phones(connection, patient.id, &calls)?;
    let without_number = reason.is_some_and(|reason| reason.code == "NONUM");
    match request.phone_id {
        Some(id) if !phones.iter().any(|phone| phone.id == id) => {
            errors.add("phone_id", ErrorCode::NotAllowed)
        }
        None if !without_number => errors.add("phone_id", ErrorCode::Required),
        _ => {}
    }
    errors.check()?;
    let mut tasks = Vec::new();
    for id in &request.tasks {
        let task = task::load(connection, *id)?;
        if task.patient_id != patient.id {
            return Err(Error::field("tasks", ErrorCode::NotAllowed));
        }
        if task.status != TaskStatus::Open {
            return Err(Error::new(ErrorCode::TaskState).with("status", task.status.as_str()));
        }
        if task.claimed_by_other(user, now).is_some() {
            return Err(Error::new(ErrorCode::TaskClaimed));
        }
        tasks.push(task);
    }
    let today = facts::local(now).date();
    let settings = settings::load(connection)?;
    let tasks = in_order(tasks);
    Ok(Saving { request, patient, tasks, phones, calls, settings, reason, user, now, today })
}

/// Writes the call itself. Returns when it began.
fn call_fact(journal: &mut Journal<'_, '_>, saving: &Saving<'_>) -> Result<i64> {
    let request = saving.request;
    let connection = journal.writer.connection();
    let dialled = match request.call_token {
        Some(token) => db::optional(
            connection
                .prepare_cached("SELECT dialled_at FROM dial WHERE token = ?1 AND patient_id = ?2")?
                .query_row(params![token, request.patient_id], |row| row.get::<_, i64>("dialled_at")),
        )?,
        None => None,
    };
    let called_at = request.started_at.or(dialled).unwrap_or(saving.now).min(saving.now);
    let reached = is_reached(request.reason.as_deref());
    let talked =
        request.ended_at.filter(|_| reached).map(|end| (end.min(saving.now) - called_at).max(0) / 1000);
    let phone = request.phone_id.and_then(|id| saving.phones.iter().find(|phone| phone.id == id));
    let ids: Vec<Uuid> = saving.tasks.iter().map(|task| task.id).collect();
    let remark = Some(request.remark.trim()).filter(|remark| !remark.is_empty());
    let fields = [
        ("patient_id", saving.patient.id.into()),
        ("task_id", ids.first().copied().into()),
        ("tasks", serde_json::to_string(&ids)?.into()),
        ("phone_id", request.phone_id.into()),
        ("number", phone.map_or("", |phone| phone.number.as_str()).into()),
        ("called_at", called_at.into()),
        ("called_on", facts::local(called_at).date().to_string().into()),
        ("talk_seconds", talked.into()),
        ("outcome", (if reached { "reached" } else { "not_reached" }).into()),
        ("reason", request.reason.as_deref().into()),
        ("appointment_at", request.appointment_at.into()),
        ("remark", remark.into()),
        ("user_id", saving.user.into()),
    ];
    journal.create(&CALL, request.call_id, &fields)?;
    Ok(called_at)
}

fn learn_of_phone(
    journal: &mut Journal<'_, '_>,
    saving: &Saving<'_>,
    state: Option<PhoneState>,
) -> Result<()> {
    let (Some(state), Some(id)) = (state, saving.request.phone_id) else { return Ok(()) };
    let before = saving.phones.iter().find(|phone| phone.id == id).map(|phone| phone.state);
    if before == Some(state) {
        return Ok(());
    }
    let fields = [("state", state.as_str().into()), ("state_at", saving.now.into())];
    journal.update(&PHONE, id, &fields)
}

/// The date of death that was learnt; `prepare` has refused what is no date.
pub(super) fn died_on(request: &SaveCallRequest) -> Option<NaiveDate> {
    NaiveDate::parse_from_str(request.deceased_on.as_deref()?, "%Y-%m-%d").ok()
}

/// Whether the reason changes the patient's record for good.
pub(super) fn is_grave(reason: &FailureReason) -> bool {
    let grave = [OutcomeAction::MarkDeceased, OutcomeAction::StopAllPlans, OutcomeAction::RefusePhone];
    reason.actions.iter().any(|action| grave.contains(action))
}

/// The dial is answered for, and what was typed is saved. After a failed call the answers so far stay in the draft.
fn settle_local(writer: &Writer<'_>, saving: &Saving<'_>) -> Result<()> {
    let connection = writer.connection();
    if let Some(token) = saving.request.call_token {
        connection
            .prepare_cached("UPDATE dial SET call_id = ?1 WHERE token = ?2")?
            .execute(params![saving.request.call_id, token])?;
    }
    if saving.reason.is_none() || saving.request.answers.is_empty() {
        connection
            .prepare_cached("DELETE FROM draft WHERE user_id = ?1 AND key = ?2")?
            .execute(params![saving.user, open::draft_key(saving.patient.id)])?;
    }
    Ok(())
}
