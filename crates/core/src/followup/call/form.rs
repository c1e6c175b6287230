//! The questions of all due tasks of a patient, each shared one once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use aftercare_domain::codes::Sex;
use aftercare_domain::forms::{Answers, FormContext, LocalText, Question};
use aftercare_domain::plans::CompiledPlan;
use chrono::NaiveDate;
use rusqlite::Connection;
use uuid::Uuid;

use super::MergedQuestion;
use crate::db;
use crate::error::Result;
use crate::followup::facts::Patient;
use crate::followup::task::Task;
use crate::forms;

/// A task with the plan it asks from.
pub(super) struct Asked {
    pub task: Task,
    pub plan: Arc<CompiledPlan>,
    pub context: FormContext,
}

/// The merged form and how its keys map to each task's questions.
#[derive(Default)]
pub(super) struct Merged {
    pub questions: Vec<MergedQuestion>,
    keys: BTreeMap<(Uuid, String), String>,
}

/// The plans and contexts of the tasks that ask something.
pub(super) fn asked(
    connection: &Connection,
    patient: &Patient,
    tasks: &[Task],
    today: NaiveDate,
) -> Result<Vec<Asked>> {
    let mut asked = Vec::new();
    for task in tasks.iter().filter(|task| !task.form.is_empty()) {
        let plan = forms::plan(connection, &task.plan_code, task.plan_version)?;
        let lace = match task.enrolment_id {
            Some(enrolment_id) => lace(connection, enrolment_id)?,
            None => None,
        };
        let context = FormContext {
            part: Some(task.form.clone()),
            timepoint: Some(task.timepoint.clone()).filter(|code| !code.is_empty()),
            days_since_anchor: task.anchor_on.map(|anchor| (today - anchor).num_days()),
            age: patient.age_on(today),
            sex: Sex::from_code(&patient.sex),
            vip: Some(patient.vip),
            lace,
        };
        asked.push(Asked { task: task.clone(), plan, context });
    }
    Ok(asked)
}

/// The LACE score kept with an enrolment.
pub(super) fn lace(connection: &Connection, enrolment_id: Uuid) -> Result<Option<u8>> {
    let found = db::optional(
        connection
            .prepare_cached("SELECT lace FROM enrolment WHERE id = ?1")?
            .query_row([enrolment_id], |row| row.get::<_, Option<u8>>("lace")),
    )?;
    Ok(found.flatten())
}

/// Whether two plans ask the same thing by this question.
fn same(left: &Question, right: &Question) -> bool {
    let codes = |question: &Question| -> Vec<String> {
        question.options.iter().map(|option| option.code.clone()).collect()
    };
    let meaning = left.bank.is_some() && left.bank == right.bank || left.text == right.text;
    left.id == right.id && left.kind == right.kind && meaning && codes(left) == codes(right)
}

/// Merges the forms of the tasks, in their order.
pub(super) fn merge(asked: &[Asked]) -> Merged {
    let mut merged = Merged::default();
    let plans: BTreeSet<&str> = asked.iter().map(|source| source.plan.plan().code.as_str()).collect();
    for source in asked {
        let form = source.plan.form();
        let (part, timepoint) = (source.context.part.as_deref(), source.context.timepoint.as_deref());
        for question in
            form.form().questions.iter().filter(|question| form.is_asked(question, part, timepoint))
        {
            let key = merged.place(source, question, plans.len() > 1);
            merged.keys.insert((source.task.id, question.id.clone()), key);
        }
    }
    merged
}

/// Under what a question stands: its section, or its plan where the call serves several.
fn heading(source: &Asked, question: &Question, several: bool) -> Option<LocalText> {
    let section = question
        .section
        .as_deref()
        .and_then(|code| source.plan.form().form().sections.iter().find(|section| section.code == code));
    section.map(|section| section.title.clone()).or_else(|| several.then(|| source.plan.plan().name.clone()))
}

impl Merged {
    /// The key of a question, which is added unless it is there already.
    fn place(&mut self, source: &Asked, question: &Question, several: bool) -> String {
        if let Some(there) = self.questions.iter_mut().find(|there| same(&there.question, question)) {
            there.tasks.push(source.task.id);
            there.question.required |= question.required;
            return there.key.clone();
        }
        let taken = self.questions.iter().any(|there| there.key == question.id);
        let key = if taken {
            format!("{}{}.{}", source.plan.plan().code, source.plan.plan().version, question.id)
        } else {
            question.id.clone()
        };
        self.questions.push(MergedQuestion {
            key: key.clone(),
            question: question.clone(),
            tasks: vec![source.task.id],
            heading: heading(source, question, several),
            last: None,
        });
        key
    }

    /// A task's own answers out of those by key. Answers to questions that are not in the form are left out.
    pub fn answers_of(&self, task: Uuid, given: &Answers) -> Answers {
        let own = self.keys.iter().filter(|((id, _), _)| *id == task);
        own.filter_map(|((_, question), key)| Some((question.clone(), given.get(key)?.clone()))).collect()
    }

    /// The key of a task's question.
    pub fn key_of(&self, task: Uuid, question: &str) -> Option<&str> {
        self.keys.get(&(task, question.to_owned())).map(String::as_str)
    }
}
