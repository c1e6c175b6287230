//! A form checked and compiled once, ready to be evaluated at each answer.

use std::collections::{BTreeMap, BTreeSet};

use super::expression::Expression;
use super::model::{Form, Level, Question, QuestionKind, Sla};
use super::problem::Problem;
use super::scope::{Scope, VarType, is_name};

const MAX_QUESTIONS: usize = 200;
const MAX_OPTIONS: usize = 60;
const MAX_RULES: usize = 100;

/// A checked form with its compiled expressions.
#[derive(Debug, Clone)]
pub struct CompiledForm {
    pub(super) form: Form,
    pub(super) show_if: Vec<Option<Expression>>,
    pub(super) calculations: Vec<Expression>,
    pub(super) classes: Vec<Expression>,
    pub(super) alerts: Vec<Expression>,
    /// Indices of the alerts, most urgent first.
    pub(super) by_urgency: Vec<usize>,
}

impl CompiledForm {
    /// Checks and compiles `form`.
    ///
    /// # Errors
    /// Every problem found, with paths into the form.
    pub fn new(form: Form) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        check_shape(&form, &mut problems);
        let mut scope = Scope::form();
        for question in &form.questions {
            scope.add_question(question);
        }
        let show_if = compile_show_if(&form, &scope, &mut problems);
        let mut keep = |compiled: Result<Expression, Problem>| match compiled {
            Ok(expression) => Some(expression),
            Err(problem) => {
                problems.push(problem);
                None
            }
        };
        let mut calculations = Vec::new();
        for (index, calculation) in form.calculations.iter().enumerate() {
            let path = format!("calculations.{index}.expr");
            calculations.extend(keep(Expression::number(&calculation.expr, &scope, &path)));
            scope.add(&calculation.id, VarType::Number);
        }
        scope.add("lowest_points", VarType::Number);
        let classes = form.classes.iter().enumerate();
        let classes = classes.filter_map(|(index, rule)| {
            keep(Expression::condition(&rule.when, &scope, &format!("classes.{index}.when")))
        });
        let classes: Vec<_> = classes.collect();
        let class_codes: BTreeSet<_> = form.classes.iter().map(|rule| rule.class.clone()).collect();
        if !class_codes.is_empty() {
            scope.add("class", VarType::Choice(class_codes.into_iter().collect()));
        }
        let alerts = form.alerts.iter().enumerate();
        let alerts = alerts.filter_map(|(index, alert)| {
            keep(Expression::condition(&alert.when, &scope, &format!("alerts.{index}.when")))
        });
        let alerts: Vec<_> = alerts.collect();
        if !problems.is_empty() {
            return Err(problems);
        }
        let mut by_urgency: Vec<usize> = (0..form.alerts.len()).collect();
        by_urgency.sort_by_key(|index| form.alerts.get(*index).map_or(Level::Yellow, |alert| alert.level));
        Ok(Self { form, show_if, calculations, classes, alerts, by_urgency })
    }

    /// The form's data.
    pub fn form(&self) -> &Form {
        &self.form
    }

    /// Whether a question belongs to `part` at `timepoint` (before its condition is looked at).
    pub fn is_asked(&self, question: &Question, part: Option<&str>, timepoint: Option<&str>) -> bool {
        let listed =
            |codes: &[String], code: &str| codes.is_empty() || codes.iter().any(|known| known == code);
        let part = part.and_then(|code| self.form.parts.iter().find(|part| part.code == code));
        part.is_none_or(|part| listed(&part.questions, &question.id))
            && timepoint.is_none_or(|code| listed(&question.at, code))
    }
}

fn compile_show_if(form: &Form, scope: &Scope, problems: &mut Vec<Problem>) -> Vec<Option<Expression>> {
    let place: BTreeMap<&str, usize> =
        form.questions.iter().enumerate().map(|(index, question)| (question.id.as_str(), index)).collect();
    let mut compiled = Vec::new();
    for (index, question) in form.questions.iter().enumerate() {
        let path = format!("questions.{index}.show_if");
        let expression =
            question.show_if.as_deref().map(|source| Expression::condition(source, scope, &path));
        compiled.push(match expression.transpose() {
            Ok(expression) => expression,
            Err(problem) => {
                problems.push(problem);
                None
            }
        });
    }
    let uses: Vec<BTreeSet<usize>> = compiled
        .iter()
        .map(|expression| {
            let names = expression.iter().flat_map(|expression: &Expression| expression.names());
            names.filter_map(|name| place.get(name.as_str()).copied()).collect()
        })
        .collect();
    for (index, used) in uses.iter().enumerate() {
        let path = format!("questions.{index}.show_if");
        if reaches(&uses, index, index) {
            problems.push(Problem::new(path, "condition_cycle"));
        } else if let Some(later) = used.iter().find(|other| **other > index) {
            let id = form.questions.get(*later).map_or("", |question| question.id.as_str());
            problems.push(Problem::new(path, "condition_refers_later").with("name", id));
        }
    }
    compiled
}

/// Whether `from`'s condition depends, directly or through others, on `target`.
fn reaches(uses: &[BTreeSet<usize>], from: usize, target: usize) -> bool {
    let (mut seen, mut open) = (BTreeSet::new(), vec![from]);
    while let Some(next) = open.pop() {
        for used in uses.get(next).into_iter().flatten() {
            if *used == target {
                return true;
            }
            if seen.insert(*used) {
                open.push(*used);
            }
        }
    }
    false
}

/// Everything that is not an expression.
fn check_shape(form: &Form, problems: &mut Vec<Problem>) {
    let mut add = |path: String, code: &str| problems.push(Problem::new(path, code));
    if form.title.is_empty() {
        add("title".to_owned(), "text_missing");
    }
    if form.questions.is_empty() {
        add("questions".to_owned(), "questions_missing");
    }
    if form.questions.len() > MAX_QUESTIONS
        || form.alerts.len() > MAX_RULES
        || form.calculations.len() > MAX_RULES
    {
        add("questions".to_owned(), "too_many");
    }
    let sections: BTreeSet<_> = form.sections.iter().map(|section| section.code.as_str()).collect();
    let mut names = BTreeSet::new();
    for (index, question) in form.questions.iter().enumerate() {
        let path = format!("questions.{index}");
        if !is_name(&question.id) {
            add(format!("{path}.id"), "bad_name");
        } else if !names.insert(question.id.as_str()) {
            add(format!("{path}.id"), "duplicate");
        }
        if question.section.as_deref().is_some_and(|section| !sections.contains(section)) {
            add(format!("{path}.section"), "unknown_section");
        }
    }
    for (index, calculation) in form.calculations.iter().enumerate() {
        if !is_name(&calculation.id) {
            add(format!("calculations.{index}.id"), "bad_name");
        } else if !names.insert(calculation.id.as_str()) {
            add(format!("calculations.{index}.id"), "duplicate");
        }
    }
    let ids: BTreeSet<_> = form.questions.iter().map(|question| question.id.as_str()).collect();
    check_codes("sections", form.sections.iter().map(|section| (&section.code, &section.title)), problems);
    check_codes("parts", form.parts.iter().map(|part| (&part.code, &part.title)), problems);
    for (index, part) in form.parts.iter().enumerate() {
        for id in part.questions.iter().filter(|id| !ids.contains(id.as_str())) {
            problems
                .push(Problem::new(format!("parts.{index}.questions"), "unknown_question").with("name", id));
        }
    }
    for (index, question) in form.questions.iter().enumerate() {
        check_question(question, &format!("questions.{index}"), problems);
    }
    check_alerts(form, problems);
}

/// Codes are present and unique, and names are not empty.
fn check_codes<'a>(
    list: &str,
    items: impl Iterator<Item = (&'a String, &'a super::model::LocalText)>,
    problems: &mut Vec<Problem>,
) {
    let mut seen = BTreeSet::new();
    for (index, (code, title)) in items.enumerate() {
        if code.trim().is_empty() {
            problems.push(Problem::new(format!("{list}.{index}.code"), "code_missing"));
        } else if !seen.insert(code) {
            problems.push(Problem::new(format!("{list}.{index}.code"), "duplicate"));
        }
        if title.is_empty() {
            problems.push(Problem::new(format!("{list}.{index}.title"), "text_missing"));
        }
    }
}

fn check_question(question: &Question, path: &str, problems: &mut Vec<Problem>) {
    let mut add = |field: &str, code: &str| problems.push(Problem::new(format!("{path}.{field}"), code));
    if question.text.is_empty() {
        add("text", "text_missing");
    }
    let has_options = matches!(question.kind, QuestionKind::Single | QuestionKind::Multi);
    if has_options == question.options.is_empty() {
        add("options", if has_options { "options_missing" } else { "options_not_here" });
    }
    if question.options.len() > MAX_OPTIONS {
        add("options", "too_many");
    }
    let range = &question.range;
    let numeric = matches!(question.kind, QuestionKind::Number | QuestionKind::Bp | QuestionKind::Scale);
    if !numeric && (range.min.is_some() || range.max.is_some()) {
        add("min", "range_not_here");
    }
    if let (Some(min), Some(max)) = (range.min, range.max)
        && min >= max
    {
        add("max", "range_empty");
    }
    if range.decimals.is_some_and(|decimals| decimals > 6) {
        add("decimals", "decimals_many");
    }
    if question.kind == QuestionKind::Scale {
        match (range.min, range.max) {
            (Some(min), Some(max)) if max - min <= 100.0 => {
                let steps = (max - min).round() + 1.0;
                #[allow(clippy::cast_precision_loss, reason = "a scale has at most 101 steps")]
                if !question.labels.is_empty() && (question.labels.len() as f64 - steps).abs() > 0.5 {
                    add("labels", "labels_count");
                }
            }
            _ => add("max", "scale_range"),
        }
    }
    let mut codes = BTreeSet::new();
    for (index, option) in question.options.iter().enumerate() {
        let field = format!("options.{index}");
        if option.code.trim().is_empty() || option.code.len() > 40 {
            add(&format!("{field}.code"), "code_missing");
        } else if !codes.insert(option.code.as_str()) {
            add(&format!("{field}.code"), "duplicate");
        }
        if option.label.is_empty() {
            add(&format!("{field}.label"), "text_missing");
        }
        if option.exclusive && question.kind != QuestionKind::Multi {
            add(&format!("{field}.exclusive"), "exclusive_not_here");
        }
    }
}

fn check_alerts(form: &Form, problems: &mut Vec<Problem>) {
    let mut seen = BTreeSet::new();
    for (index, alert) in form.alerts.iter().enumerate() {
        let mut add =
            |field: &str, code: &str| problems.push(Problem::new(format!("alerts.{index}.{field}"), code));
        if alert.code.trim().is_empty() {
            add("code", "code_missing");
        } else if !seen.insert(alert.code.as_str()) {
            add("code", "duplicate");
        }
        if alert.say.is_empty() {
            add("say", "text_missing");
        }
        if alert.route.trim().is_empty() {
            add("route", "route_missing");
        }
        if matches!(alert.sla, Sla::Minutes(0) | Sla::WorkingDays(0)) {
            add("sla", "sla_zero");
        }
    }
    for (index, rule) in form.classes.iter().enumerate() {
        if rule.class.trim().is_empty() {
            problems.push(Problem::new(format!("classes.{index}.class"), "code_missing"));
        }
        if rule.label.is_empty() {
            problems.push(Problem::new(format!("classes.{index}.label"), "text_missing"));
        }
    }
    if let Some(scoring) = &form.scoring
        && !(scoring.factor > 0.0 && (0.0..=1.0).contains(&scoring.min_answered))
    {
        problems.push(Problem::new("scoring", "scoring_range"));
    }
}
