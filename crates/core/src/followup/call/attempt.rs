//! A call without a response: what the retry policy makes of its reason.

use aftercare_domain::followup::{Attempt, Decision, MAX_ATTEMPTS, PolicyInForce, after_attempt};
use aftercare_domain::plans::{FailureReason, Retry, RetryDelay};
use aftercare_domain::task::TaskCommand;
use chrono::TimeDelta;

use super::close;
use super::save::{Outcome, Saving, died_on};
use crate::error::Result;
use crate::followup::journal::Journal;
use crate::followup::task::{self, Task};
use crate::followup::{death, dial, enrol, facts, refuse_calls};
use crate::forms;

/// No response: what the retry policy makes of the reason, for each task, and once for the patient.
pub(super) fn attempt(
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
        refuse_calls(journal, saving.patient.id)?;
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
        other_number: saving
            .phones
            .iter()
            .any(|phone| Some(phone.id) != saving.request.phone_id && phone.usable()),
    }
}

fn decide(saving: &Saving<'_>, task: &Task, reason: &FailureReason, policy: &PolicyInForce<'_>) -> Decision {
    let mut decision =
        after_attempt(&attempt_of(saving, task.attempts, std::slice::from_ref(task)), reason, policy);
    // An expert's answer is owed to the patient however often nobody answers.
    if task.kind == task::RETURN_CALL && decision.ends.as_deref() == Some(MAX_ATTEMPTS) {
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
