//! Saving a call: the fact, the responses, what follows, in one transaction.

use std::sync::Arc;

use aftercare_domain::error_code::ErrorCode;
use aftercare_domain::followup::{Attempt, Decision, PhoneState, PolicyInForce, after_attempt, is_reached};
use aftercare_domain::forms::{Effect, Evaluation};
use aftercare_domain::plans::{CompiledPlan, FailureReason, OutcomeAction, Retry, RetryDelay};
use aftercare_domain::task::{TaskCommand, TaskStatus};
use chrono::{Days, NaiveDate, TimeDelta};
use rusqlite::params;
use serde_json::json;
use uuid::Uuid;

use super::form::{self, Asked};
use super::history::Results;
use super::script::{self, Caller};
use super::{FormState, RaisedNow, SaveCallRequest, SavedCall, TaskAfterCall, close, evaluate, open};
use crate::app::Ctx;
use crate::change_log::{CALL, PHONE, RESPONSE, Writer};
use crate::error::{Error, FieldErrors, Result};
use crate::followup::alert::{self, NewAlert};
use crate::followup::dial::{self, CallLine, Phone};
use crate::followup::facts::{self, Patient};
use crate::followup::journal::Journal;
use crate::followup::people::People;
use crate::followup::stop::{self, StopReason};
use crate::followup::task::{self, NewTask, Task};
use crate::followup::worklist::{self, in_order};
use crate::followup::{consult, death, enrol, undo_until};
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
struct Outcome {
    alerts: Vec<Uuid>,
    next_try_at: Option<i64>,
    phone: Option<PhoneState>,
    /// The patient's record was changed for good.
    grave: bool,
}

/// Saves a call; see [`super::commands::save_call`].
pub(super) fn save(ctx: &Ctx, writer: &mut Writer<'_>, request: &SaveCallRequest) -> Result<SavedCall> {
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

/// The form was filled in: responses, alerts, tasks done, and what they bring about.
fn complete(ctx: &Ctx, journal: &mut Journal<'_, '_>, saving: &mut Saving<'_>) -> Result<Outcome> {
    let connection = journal.writer.connection();
    let asked = form::asked(connection, &saving.patient, &saving.tasks, saving.today)?;
    let merged = form::merge(&asked);
    let evaluations = evaluate::evaluations(&asked, &merged, &saving.request.answers);
    let variables = variables(ctx, connection, saving)?;
    let state = evaluate::state(&asked, &merged, &evaluations, &variables)?;
    refuse_incomplete(&state)?;
    let mut outcome = Outcome { phone: Some(PhoneState::Good), ..Outcome::default() };
    for index in 0..saving.tasks.len() {
        let Some(mut task) = saving.tasks.get(index).cloned() else { break };
        let place = asked.iter().position(|source| source.task.id == task.id);
        let evaluated = place.and_then(|place| Some((asked.get(place)?, evaluations.get(place)?)));
        if let Some((source, evaluation)) = evaluated {
            let answers = merged.answers_of(task.id, &saving.request.answers);
            let response_id = respond(journal, saving, source, evaluation, &answers)?;
            let raised = state.alerts.iter().filter(|alert| alert.task_id == task.id);
            for raised in raised {
                outcome.alerts.push(raise(journal, saving, source, raised, response_id)?);
            }
            more_followup(journal, saving, source, evaluation)?;
        }
        let more = [("attempts", i64::from(task.attempts + 1).into())];
        task::apply(journal, &mut task, TaskCommand::Complete { by: saving.user }, None, &more)?;
        if let Some(consult_id) = task.consult_id {
            consult::tell(journal, consult_id)?;
        }
        if task.enrolment_id.is_some() {
            close::after_done(journal, &saving.patient, &task)?;
        }
        if let Some(there) = saving.tasks.get_mut(index) {
            *there = task;
        }
    }
    outcome.grave = take_effect(journal, saving, &asked, &state.alerts)?;
    Ok(outcome)
}

fn variables(ctx: &Ctx, connection: &rusqlite::Connection, saving: &Saving<'_>) -> Result<script::Variables> {
    let user = &ctx.session.user;
    let caller = Caller { name: user.display_name.clone(), job_number: String::new() };
    let encounter = match saving.tasks.iter().find_map(|task| task.encounter_id) {
        Some(id) => open::encounter(connection, id)?,
        None => None,
    };
    let due = &saving.tasks;
    let card = open::card(connection, &saving.patient, due, None, saving.today)?;
    script::variables(connection, &saving.settings, &caller, &card, encounter.as_ref())
}

fn refuse_incomplete(state: &FormState) -> Result<()> {
    let mut errors = FieldErrors::default();
    for key in &state.missing {
        errors.add(format!("answers.{key}"), ErrorCode::Required);
    }
    for invalid in &state.invalid {
        let field = format!("answers.{}", invalid.question);
        errors.add_with(field, ErrorCode::BadAnswer, "problem", invalid.code.clone());
    }
    errors.check()
}

fn respond(
    journal: &mut Journal<'_, '_>,
    saving: &Saving<'_>,
    source: &Asked,
    evaluation: &Evaluation,
    answers: &aftercare_domain::forms::Answers,
) -> Result<Uuid> {
    let id = journal.new_id();
    let results = Results {
        class: evaluation.class.clone(),
        values: evaluation.values.clone(),
        scores: evaluation.scores.as_ref().map(serde_json::to_value).transpose()?,
        alerts: evaluation.alerts.iter().map(|alert| alert.code.clone()).collect(),
        ended_by: evaluation.ended_by.clone(),
    };
    let task = &source.task;
    let fields = [
        ("task_id", task.id.into()),
        ("patient_id", task.patient_id.into()),
        ("encounter_id", task.encounter_id.into()),
        ("call_id", saving.request.call_id.into()),
        ("plan_code", task.plan_code.as_str().into()),
        ("plan_version", i64::from(task.plan_version).into()),
        ("form", task.form.as_str().into()),
        ("answers", serde_json::to_string(answers)?.into()),
        ("results", serde_json::to_string(&results)?.into()),
        ("responded_at", saving.now.into()),
        ("responded_on", saving.today.to_string().into()),
        ("user_id", saving.user.into()),
    ];
    journal.create(&RESPONSE, id, &fields)?;
    Ok(id)
}

fn raise(
    journal: &mut Journal<'_, '_>,
    saving: &Saving<'_>,
    source: &Asked,
    raised: &RaisedNow,
    response_id: Uuid,
) -> Result<Uuid> {
    let new = NewAlert {
        patient_id: saving.patient.id,
        task_id: source.task.id,
        response_id,
        plan_code: &source.task.plan_code,
        plan_version: source.task.plan_version,
        rule: &raised.rule,
        level: raised.level,
        say: &raised.say,
        route: &raised.route.code,
        sla: raised.sla,
        raised_by: saving.user,
    };
    alert::raise(journal, &new, &facts::calling_rule(&saving.settings))
}

fn rule_of<'a>(plan: &'a Arc<CompiledPlan>, code: &str) -> Option<&'a aftercare_domain::forms::Alert> {
    plan.form().form().alerts.iter().find(|alert| alert.code == code)
}

/// An alert may call for one more call before the plan's next: the soonest that any of them wants.
fn more_followup(
    journal: &mut Journal<'_, '_>,
    saving: &Saving<'_>,
    source: &Asked,
    evaluation: &Evaluation,
) -> Result<()> {
    let wanted =
        evaluation.alerts.iter().filter_map(|alert| rule_of(&source.plan, &alert.code)?.followup_in_days);
    let Some(days) = wanted.min() else { return Ok(()) };
    let task = &source.task;
    let due_on = saving.today + Days::new(u64::from(days));
    let planned = task::unfinished(journal.writer.connection(), saving.patient.id)?;
    let covered = planned.iter().any(|other| {
        other.id != task.id
            && other.plan_code == task.plan_code
            && (other.due_on - due_on).num_days().abs() <= 2
    });
    if covered {
        return Ok(());
    }
    let label = format!("{}+{days}", task.label);
    let new = NewTask {
        patient_id: saving.patient.id,
        enrolment_id: task.enrolment_id,
        encounter_id: task.encounter_id,
        kind: task::EXTRA,
        timepoint: &task.timepoint,
        occurrence: 1,
        label: &label,
        anchor_on: task.anchor_on,
        plan_code: &task.plan_code,
        plan_version: task.plan_version,
        form: &task.form,
        channel: "phone",
        owner: &task.owner,
        due_on,
        window_starts_on: due_on - Days::new(1),
        window_ends_on: due_on + Days::new(2),
        condition: None,
        risk: task.risk,
        red: false,
        assigned_to: task.assigned_to,
        consult_id: None,
        remark: None,
    };
    let id = journal.new_id();
    task::create(journal, id, &new)
}

/// Death and the end of all plans, as the alerts' rules say. Returns whether there was any.
fn take_effect(
    journal: &mut Journal<'_, '_>,
    saving: &Saving<'_>,
    asked: &[Asked],
    alerts: &[RaisedNow],
) -> Result<bool> {
    let effects = alerts.iter().flat_map(|alert| {
        let source = asked.iter().find(|source| source.task.id == alert.task_id);
        source.and_then(|source| rule_of(&source.plan, &alert.rule)).map(|rule| rule.effects.as_slice())
    });
    let effects: Vec<Effect> = effects.flatten().copied().collect();
    if effects.contains(&Effect::MarkDeceased) {
        death(journal, saving.patient.id, died_on(saving.request))?;
    } else if effects.contains(&Effect::StopAllPlans) {
        stop::stop(journal, saving.patient.id, StopReason::ByAnswer)?;
    } else {
        return Ok(false);
    }
    Ok(true)
}

/// No response: what the retry policy makes of the reason, for each task, and once for the patient.
fn attempt(
    journal: &mut Journal<'_, '_>,
    saving: &mut Saving<'_>,
    reason: &'static FailureReason,
) -> Result<Outcome> {
    let mut outcome = Outcome::default();
    let rule = facts::calling_rule(&saving.settings);
    let shipped = &forms::content()?.failure_reasons.policy;
    let calendar = facts::calendar(journal.writer.connection())?;
    let policy = PolicyInForce {
        max_attempts: saving.settings.max_attempts,
        min_days: u32::from(shipped.min_days),
        next_number_after: u32::from(shipped.next_number_after),
        rule: &rule,
        calendar: &calendar,
    };
    let mut decisions = Vec::new();
    for index in 0..saving.tasks.len() {
        let Some(mut task) = saving.tasks.get(index).cloned() else { break };
        let decision = decide(saving, &task, reason, &policy);
        carry_out(journal, saving, &mut task, &decision)?;
        outcome.next_try_at = outcome.next_try_at.max(decision.next_try.map(facts::instant));
        if let Some(there) = saving.tasks.get_mut(index) {
            *there = task;
        }
        decisions.push(decision);
    }
    if decisions.is_empty() {
        decisions.push(decide_without_task(saving, reason, &policy));
    }
    outcome.phone = decisions.iter().find_map(|decision| decision.phone);
    if decisions.iter().any(|decision| decision.deceased) {
        death(journal, saving.patient.id, died_on(saving.request))?;
    } else if decisions.iter().any(|decision| decision.refuses_calls) {
        crate::followup::refuse_calls(journal, saving.patient.id)?;
    }
    Ok(outcome)
}

fn attempt_of(saving: &Saving<'_>, attempts_before: u32, window: &[Task]) -> Attempt {
    let phone = saving.request.phone_id;
    let failures = phone.map_or(0, |id| {
        let found = saving.phones.iter().find(|phone| phone.id == id);
        found.map_or(0, |phone| phone.failures)
    });
    let (days, _) = dial::spread(&saving.calls, window);
    let today = saving.today.to_string();
    let called_today = saving.calls.iter().any(|call| call.counts && call.called_on == today);
    Attempt {
        now: facts::local(saving.now),
        attempts_before,
        days: days + u32::from(!called_today),
        appointment: saving.request.appointment_at.map(facts::local),
        number_failures: failures + 1,
        other_number: saving.phones.iter().any(|phone| Some(phone.id) != phone_id(saving) && phone.usable()),
    }
}

fn phone_id(saving: &Saving<'_>) -> Option<Uuid> {
    saving.request.phone_id
}

fn decide(saving: &Saving<'_>, task: &Task, reason: &FailureReason, policy: &PolicyInForce<'_>) -> Decision {
    let mut decision =
        after_attempt(&attempt_of(saving, task.attempts, std::slice::from_ref(task)), reason, policy);
    // An expert's answer is owed to the patient however often nobody answers.
    if task.kind == task::RETURN_CALL
        && decision.ends.as_deref() == Some(aftercare_domain::followup::MAX_ATTEMPTS)
    {
        let again =
            FailureReason { retry: Retry { kind: RetryDelay::AfterDays, amount: Some(1) }, ..reason.clone() };
        decision = after_attempt(&attempt_of(saving, 0, std::slice::from_ref(task)), &again, policy);
    }
    decision
}

fn decide_without_task(saving: &Saving<'_>, reason: &FailureReason, policy: &PolicyInForce<'_>) -> Decision {
    after_attempt(&attempt_of(saving, 0, &[]), reason, policy)
}

fn carry_out(
    journal: &mut Journal<'_, '_>,
    saving: &Saving<'_>,
    task: &mut Task,
    decision: &Decision,
) -> Result<()> {
    task.attempts += u32::from(decision.counts);
    task.next_try_at = decision.next_try.map(facts::instant);
    let more = [("attempts", i64::from(task.attempts).into()), ("next_try_at", task.next_try_at.into())];
    if let Some(why) = &decision.ends {
        task::apply(journal, task, TaskCommand::Fail, Some(why), &more)?;
        return close::after_end(journal, &saving.patient, task);
    }
    // Whoever could not be reached is everybody's again, unless assigned.
    let command = TaskCommand::Release { by: saving.user };
    task::apply(journal, task, command, None, &more)?;
    if let Some(days) = decision.shift_days {
        let overrun = (saving.today - task.window_starts_on).num_days().max(0) + i64::from(days);
        enrol::shift(journal, task, TimeDelta::days(overrun))?;
    }
    Ok(())
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
fn died_on(request: &SaveCallRequest) -> Option<NaiveDate> {
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
