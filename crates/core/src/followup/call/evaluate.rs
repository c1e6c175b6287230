//! What follows from the answers, over all due tasks.

use std::collections::BTreeSet;

use aftercare_domain::forms::{Answers, Evaluation, InvalidAnswer, Lang, LocalText, render};
use aftercare_domain::plans::NamedCode;

use super::form::{Asked, Merged};
use super::script::Variables;
use super::{CalculatedValue, FormState, RaisedNow, TaskResult};
use crate::error::Result;
use crate::forms;

/// Each task's evaluation, in the tasks' order.
pub(super) fn evaluations(asked: &[Asked], merged: &Merged, answers: &Answers) -> Vec<Evaluation> {
    let evaluate = |source: &Asked| {
        let own = merged.answers_of(source.task.id, answers);
        source.plan.form().evaluate(&own, &source.context)
    };
    asked.iter().map(evaluate).collect()
}

/// The tasks' evaluations as one.
pub(super) fn state(
    asked: &[Asked],
    merged: &Merged,
    evaluations: &[Evaluation],
    variables: &Variables,
) -> Result<FormState> {
    let mut visible = BTreeSet::new();
    let mut missing = BTreeSet::new();
    let mut state = FormState::default();
    for (source, evaluation) in asked.iter().zip(evaluations) {
        let key = |question: &String| merged.key_of(source.task.id, question).map(str::to_owned);
        visible.extend(evaluation.visible.iter().filter_map(key));
        missing.extend(evaluation.missing.iter().filter_map(key));
        for invalid in &evaluation.invalid {
            let named = InvalidAnswer {
                question: key(&invalid.question).unwrap_or_else(|| invalid.question.clone()),
                ..invalid.clone()
            };
            if !state.invalid.iter().any(|there| there.question == named.question) {
                state.invalid.push(named);
            }
        }
        if state.ended_by.is_none() {
            state.ended_by = evaluation.ended_by.as_ref().and_then(key);
        }
        state.results.push(result(source, evaluation));
        raise(&mut state.alerts, source, evaluation, variables)?;
    }
    state.alerts.sort_by_key(|alert| alert.level);
    let ordered = |keys: &BTreeSet<String>| -> Vec<String> {
        let in_form = merged.questions.iter().filter(|question| keys.contains(&question.key));
        in_form.map(|question| question.key.clone()).collect()
    };
    state.visible = ordered(&visible);
    state.missing = ordered(&missing);
    state.complete = state.missing.is_empty() && state.invalid.is_empty();
    Ok(state)
}

fn result(source: &Asked, evaluation: &Evaluation) -> TaskResult {
    let form = source.plan.form().form();
    let values = form.calculations.iter().filter_map(|calculation| {
        let value = *evaluation.values.get(&calculation.id)?;
        Some(CalculatedValue { label: calculation.label.clone(), value, unit: calculation.unit.clone() })
    });
    TaskResult {
        task_id: source.task.id,
        class: evaluation.class.as_deref().and_then(|code| class_name(source.plan.plan(), code)),
        values: values.collect(),
        scores: evaluation.scores.clone(),
    }
}

/// A class in words.
pub(super) fn class_name(plan: &aftercare_domain::plans::Plan, code: &str) -> Option<NamedCode> {
    let rule = plan.form.classes.iter().find(|rule| rule.class == code)?;
    Some(NamedCode { code: code.to_owned(), name: rule.label.clone() })
}

/// The alerts of a task's answers. A rule that several plans share is raised once.
fn raise(
    alerts: &mut Vec<RaisedNow>,
    source: &Asked,
    evaluation: &Evaluation,
    variables: &Variables,
) -> Result<()> {
    let content = forms::content()?;
    for raised in &evaluation.alerts {
        let rule = source.plan.form().form().alerts.iter().find(|alert| alert.code == raised.code);
        let Some(rule) = rule.filter(|rule| !alerts.iter().any(|there| there.rule == rule.code)) else {
            continue;
        };
        let say = |lang| render(rule.say.get(lang), lang, variables.of(lang), &content.variables).text;
        let named = content.routing.routes.iter().find(|route| route.code == rule.route).cloned();
        let unnamed = || NamedCode {
            code: rule.route.clone(),
            name: LocalText { zh: rule.route.clone(), en: rule.route.clone() },
        };
        alerts.push(RaisedNow {
            rule: rule.code.clone(),
            task_id: source.task.id,
            level: rule.level,
            say: LocalText { zh: say(Lang::Zh), en: say(Lang::En) },
            route: named.unwrap_or_else(unnamed),
            sla: rule.sla,
        });
    }
    Ok(())
}
