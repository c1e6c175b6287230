//! A filled-in form: responses, alerts, tasks done, and what they bring about.

use std::sync::Arc;

use aftercare_domain::error_code::ErrorCode;
use aftercare_domain::followup::PhoneState;
use aftercare_domain::forms::{Effect, Evaluation};
use aftercare_domain::plans::CompiledPlan;
use aftercare_domain::task::TaskCommand;
use chrono::Days;
use uuid::Uuid;

use super::form::{self, Asked};
use super::history::Results;
use super::save::{Outcome, Saving, died_on};
use super::script::{self, Caller};
use super::{FormState, RaisedNow, close, evaluate, open};
use crate::app::Ctx;
use crate::change_log::RESPONSE;
use crate::error::{FieldErrors, Result};
use crate::followup::alert::{self, NewAlert};
use crate::followup::journal::Journal;
use crate::followup::stop::{self, StopReason};
use crate::followup::task::{self, NewTask};
use crate::followup::{consult, death, facts};

/// The form was filled in: responses, alerts, tasks done, and what they bring about.
pub(super) fn complete(ctx: &Ctx, journal: &mut Journal<'_, '_>, saving: &mut Saving<'_>) -> Result<Outcome> {
    let connection = journal.writer.connection();
    let asked = form::asked(connection, &saving.patient, &saving.tasks, saving.today)?;
    let merged = form::merge(&asked);
    let evaluations = evaluate::evaluations(&asked, &merged, &saving.request.answers);
    // Only what an alert says needs them.
    let raised = evaluations.iter().any(|evaluation| !evaluation.alerts.is_empty());
    let variables = if raised { variables(ctx, connection, saving)? } else { script::Variables::default() };
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
