//! A plan checked and compiled.

use std::collections::BTreeSet;

use super::content::Routing;
use super::model::{ExcludeRule, Plan, Timepoint};
use crate::forms::{
    CompiledForm, Expression, Problem, Scope, VarType, VariableRule, is_form_code, unknown_variables,
};
use crate::icd10;

const MAX_TIMEPOINTS: usize = 60;
/// Ten years: longer offsets are typing mistakes.
const MAX_OFFSET_DAYS: u16 = 3660;

/// A checked plan with its compiled expressions.
#[derive(Debug, Clone)]
pub struct CompiledPlan {
    plan: Plan,
    form: CompiledForm,
    only_if: Vec<Option<Expression>>,
    exclude: Vec<Option<Expression>>,
}

impl CompiledPlan {
    /// Checks and compiles `plan`. The form takes the plan's code and version.
    ///
    /// # Errors
    /// Every problem found, with paths into the plan.
    pub fn new(mut plan: Plan, routing: &Routing, variables: &[VariableRule]) -> Result<Self, Vec<Problem>> {
        plan.form.code.clone_from(&plan.code);
        plan.form.version = plan.version;
        plan.form.title.clone_from(&plan.name);
        let mut problems = Vec::new();
        check_head(&plan, &mut problems);
        check_timepoints(&plan, routing, &mut problems);
        check_script(&plan, variables, &mut problems);
        for (index, alert) in plan.form.alerts.iter().enumerate() {
            if !routing.routes.iter().any(|route| route.code == alert.route) {
                problems.push(Problem::new(format!("form.alerts.{index}.route"), "unknown_route"));
            }
        }
        let mut keep = |compiled: Option<Result<Expression, Problem>>| match compiled.transpose() {
            Ok(expression) => expression,
            Err(problem) => {
                problems.push(problem);
                None
            }
        };
        let scope = Scope::discharge();
        let exclude = compile_exclude(&plan.exclude, &scope, "exclude", &mut keep);
        let mut scope = scope;
        let classes: BTreeSet<String> = plan.form.classes.iter().map(|rule| rule.class.clone()).collect();
        if !classes.is_empty() {
            scope.add("last.class", VarType::Choice(classes.into_iter().collect()));
        }
        let only_if =
            plan.timepoints.iter().enumerate().map(|(index, timepoint)| {
                let source = timepoint.only_if.as_deref();
                keep(source.map(|source| {
                    Expression::condition(source, &scope, &format!("timepoints.{index}.only_if"))
                }))
            });
        let only_if: Vec<_> = only_if.collect();
        let form = CompiledForm::new(plan.form.clone());
        match form {
            Ok(form) if problems.is_empty() => Ok(Self { plan, form, only_if, exclude }),
            Ok(_) => Err(problems),
            Err(more) => {
                // The form's title is the plan's name, and was looked at there.
                let more = more.into_iter().filter(|problem| problem.path != "title");
                problems.extend(more.map(|problem| problem.under("form")));
                Err(problems)
            }
        }
    }

    /// The plan's data.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The compiled form.
    pub fn form(&self) -> &CompiledForm {
        &self.form
    }

    /// A timepoint with its condition.
    pub fn timepoint(&self, code: &str) -> Option<(&Timepoint, Option<&Expression>)> {
        self.timepoints().find(|(timepoint, _)| timepoint.code == code)
    }

    /// Every timepoint with its condition.
    pub(super) fn timepoints(&self) -> impl Iterator<Item = (&Timepoint, Option<&Expression>)> {
        self.plan.timepoints.iter().zip(self.only_if.iter().map(Option::as_ref))
    }

    /// The exclusions with their conditions.
    pub(super) fn exclusions(&self) -> impl Iterator<Item = (&ExcludeRule, Option<&Expression>)> {
        self.plan.exclude.iter().zip(self.exclude.iter().map(Option::as_ref))
    }
}

impl AsRef<CompiledPlan> for CompiledPlan {
    fn as_ref(&self) -> &CompiledPlan {
        self
    }
}

/// Compiles the conditions of exclusions.
pub(super) fn compile_exclude(
    rules: &[ExcludeRule],
    scope: &Scope,
    path: &str,
    keep: &mut impl FnMut(Option<Result<Expression, Problem>>) -> Option<Expression>,
) -> Vec<Option<Expression>> {
    let compiled = rules.iter().enumerate().map(|(index, rule)| {
        let source = rule.when.as_deref();
        keep(source.map(|source| Expression::condition(source, scope, &format!("{path}.{index}.when"))))
    });
    compiled.collect()
}

fn check_head(plan: &Plan, problems: &mut Vec<Problem>) {
    if !is_form_code(&plan.code) {
        problems.push(Problem::new("code", "bad_code"));
    }
    if plan.name.is_empty() {
        problems.push(Problem::new("name", "text_missing"));
    }
    for (index, prefix) in plan.icd10.iter().enumerate() {
        // A prefix is itself a code (`I10`, `Z96.6`), or a range of categories (`S72-S73`).
        let (first, last) = prefix.split_once('-').unwrap_or((prefix, prefix));
        if icd10::normalise(first).is_none() || icd10::normalise(last).is_none() {
            problems.push(Problem::new(format!("icd10.{index}"), "bad_icd10"));
        }
    }
    for (index, rule) in plan.exclude.iter().enumerate() {
        if rule.when.is_none() && rule.icd10.is_empty() {
            problems.push(Problem::new(format!("exclude.{index}.when"), "expr_empty"));
        }
        if rule.why.is_empty() {
            problems.push(Problem::new(format!("exclude.{index}.why"), "text_missing"));
        }
    }
}

fn check_timepoints(plan: &Plan, routing: &Routing, problems: &mut Vec<Problem>) {
    if plan.timepoints.is_empty() {
        problems.push(Problem::new("timepoints", "timepoints_missing"));
    }
    if plan.timepoints.len() > MAX_TIMEPOINTS {
        problems.push(Problem::new("timepoints", "too_many"));
    }
    let mut codes = BTreeSet::new();
    for (index, timepoint) in plan.timepoints.iter().enumerate() {
        let mut add = |field: &str, code: &str| {
            problems.push(Problem::new(format!("timepoints.{index}.{field}"), code));
        };
        if timepoint.code.trim().is_empty() {
            add("code", "code_missing");
        } else if !codes.insert(timepoint.code.as_str()) {
            add("code", "duplicate");
        }
        if timepoint.offset_days > MAX_OFFSET_DAYS {
            add("offset_days", "offset_large");
        }
        if timepoint.window_before > timepoint.offset_days {
            add("window_before", "window_before_anchor");
        }
        if timepoint.window_after > 365 {
            add("window_after", "window_large");
        }
        if !plan.form.parts.is_empty() && !plan.form.parts.iter().any(|part| part.code == timepoint.part) {
            add("part", "unknown_part");
        }
        if !routing.owners.iter().any(|owner| owner.code == timepoint.owner) {
            add("owner", "unknown_owner");
        }
        if timepoint.repeat.is_some_and(|repeat| repeat.every_days == 0 || repeat.times == 0) {
            add("repeat", "repeat_zero");
        }
    }
    for (index, question) in plan.form.questions.iter().enumerate() {
        for code in question.at.iter().filter(|code| !codes.contains(code.as_str())) {
            problems.push(
                Problem::new(format!("form.questions.{index}.at"), "unknown_timepoint").with("name", code),
            );
        }
    }
}

fn check_script(plan: &Plan, variables: &[VariableRule], problems: &mut Vec<Problem>) {
    for (field, text) in plan.script.texts() {
        for name in [&text.zh, &text.en].into_iter().flat_map(|words| unknown_variables(words, variables)) {
            problems.push(Problem::new(format!("script.{field}"), "unknown_variable").with("name", name));
        }
    }
}
