//! A plan or questionnaire of ours as a FHIR R4 Questionnaire.

use serde_json::{Map, Value, json};

use super::export_item;
use super::import::plain_questions;
use super::model::{FhirError, NotCarried, own};
use super::own::{remainder, write_json, write_text};
use crate::error_code::ErrorCode;
use crate::forms::model::{Form, Question, QuestionKind};
use crate::plans::{Plan, Review};

/// A questionnaire, and what of it another program will not understand.
#[derive(Debug, Clone, PartialEq)]
pub struct Exported {
    /// The resource.
    pub questionnaire: Value,
    /// What is kept in extensions of our own only.
    pub not_carried: Vec<NotCarried>,
}

/// The canonical address of a form.
pub(super) fn address(form: &Form) -> String {
    format!("{}{}", own("questionnaire:"), form.code)
}

/// Writes a questionnaire.
///
/// # Errors
/// As for [`export_plan`].
pub fn export_form(form: &Form) -> Result<Exported, FhirError> {
    write(form, "active", Vec::new(), Vec::new())
}

/// Writes a plan: its questions in FHIR's words, who gets it, when and what is said in an extension of our own.
///
/// # Errors
/// `FhirProblem` when the form is not one that FHIR can hold at all; a checked form always is.
pub fn export_plan(plan: &Plan) -> Result<Exported, FhirError> {
    let mut form = plan.form.clone();
    form.code.clone_from(&plan.code);
    form.title.clone_from(&plan.name);
    form.version = plan.version;
    let status = match plan.review {
        Review::Draft => "draft",
        Review::Approved => "active",
    };
    let mut rest = json!(plan);
    if let Some(fields) = rest.as_object_mut() {
        fields.remove("form");
    }
    let timepoints: Vec<&str> = plan.timepoints.iter().map(|timepoint| timepoint.code.as_str()).collect();
    let note = NotCarried::new("plan", "", timepoints.join(" "));
    write(&form, status, vec![write_json("plan", &rest)], vec![note])
}

fn write(
    form: &Form,
    status: &str,
    mut extensions: Vec<Value>,
    mut notes: Vec<NotCarried>,
) -> Result<Exported, FhirError> {
    let mut root = Map::new();
    root.insert("resourceType".to_owned(), json!("Questionnaire"));
    root.insert("language".to_owned(), json!("zh-CN"));
    root.insert("url".to_owned(), json!(address(form)));
    root.insert("version".to_owned(), json!(form.version.to_string()));
    root.insert("name".to_owned(), json!(form.code));
    write_text(&mut root, "title", &form.title);
    root.insert("status".to_owned(), json!(status));
    root.insert("subjectType".to_owned(), json!(["Patient"]));
    extensions.extend(rules(form, &mut notes));
    if !extensions.is_empty() {
        root.insert("extension".to_owned(), Value::Array(extensions));
    }
    root.insert("item".to_owned(), items(form, &mut notes));
    let mut questionnaire = Value::Object(root);
    add_remainders(form, &mut questionnaire)?;
    notes.sort();
    notes.dedup();
    Ok(Exported { questionnaire, not_carried: notes })
}

/// Everything of the form besides its questions, in extensions of our own.
fn rules(form: &Form, notes: &mut Vec<NotCarried>) -> Vec<Value> {
    let mut list = Vec::new();
    for section in &form.sections {
        list.push(write_json("section", &json!(section)));
        if section.weight > 0.0 {
            notes.push(NotCarried::new("section_weight", &section.code, section.weight.to_string()));
        }
    }
    for part in &form.parts {
        list.push(write_json("part", &json!(part)));
        notes.push(NotCarried::new("part", &part.code, &part.title.zh));
    }
    for rule in &form.classes {
        list.push(write_json("class", &json!(rule)));
        notes.push(NotCarried::new("class", &rule.class, &rule.when));
    }
    for alert in &form.alerts {
        list.push(write_json("alert", &json!(alert)));
        notes.push(NotCarried::new("alert", &alert.code, &alert.when));
    }
    if let Some(scoring) = &form.scoring {
        list.push(write_json("scoring", &json!(scoring)));
        notes.push(NotCarried::new("scoring", "", format!("× {}", scoring.factor)));
    }
    for calculation in &form.calculations {
        notes.push(NotCarried::new("calculation", &calculation.id, &calculation.expr));
    }
    list
}

/// The questions in their order; those of one section that lie together lie in one group.
fn items(form: &Form, notes: &mut Vec<NotCarried>) -> Value {
    let mut items: Vec<Value> = Vec::new();
    let mut open: Option<(String, Map<String, Value>, Vec<Value>)> = None;
    let mut used: Vec<String> = Vec::new();
    let close = |open: &mut Option<(String, Map<String, Value>, Vec<Value>)>, items: &mut Vec<Value>| {
        if let Some((_, mut group, inside)) = open.take() {
            if inside.iter().any(|item| item.get("required").is_some() && item.get("enableWhen").is_none()) {
                group.insert("required".to_owned(), json!(true));
            }
            group.insert("item".to_owned(), Value::Array(inside));
            items.push(Value::Object(group));
        }
    };
    for question in &form.questions {
        let item = Value::Object(export_item::question(form, question, notes));
        let section = question
            .section
            .as_ref()
            .and_then(|code| form.sections.iter().find(|section| section.code == *code));
        if open.as_ref().map(|group| &group.0) != section.map(|section| &section.code) {
            close(&mut open, &mut items);
        }
        let Some(section) = section else {
            items.push(item);
            continue;
        };
        let (_, _, inside) = open.get_or_insert_with(|| {
            let times = used.iter().filter(|code| **code == section.code).count();
            used.push(section.code.clone());
            let suffix = if times == 0 { String::new() } else { format!("#{}", times + 1) };
            let mut group = Map::new();
            group.insert("linkId".to_owned(), json!(format!("section:{}{suffix}", section.code)));
            write_text(&mut group, "text", &section.title);
            group.insert("type".to_owned(), json!("group"));
            (section.code.clone(), group, Vec::new())
        });
        inside.push(item);
    }
    close(&mut open, &mut items);
    items.extend(form.calculations.iter().map(|one| Value::Object(export_item::calculation(one))));
    Value::Array(items)
}

/// Reads the file back as another program's and writes beside each item what that does not give.
fn add_remainders(form: &Form, questionnaire: &mut Value) -> Result<(), FhirError> {
    let plain = plain_questions(questionnaire)?;
    let mut rest = Vec::new();
    for question in &form.questions {
        let read = plain.iter().find(|(link_id, _)| *link_id == question.id);
        let lost = || FhirError::new(ErrorCode::FhirProblem, &question.id, "question");
        let (_, read) = read.ok_or_else(lost)?;
        if let Some(remainder) = remainder(read, question) {
            rest.push((question.id.as_str(), remainder));
        }
    }
    let mut items: Vec<&mut Value> =
        questionnaire.get_mut("item").and_then(Value::as_array_mut).into_iter().flatten().collect();
    while let Some(item) = items.pop() {
        let link_id = item.get("linkId").and_then(Value::as_str).unwrap_or_default();
        let found = rest
            .iter()
            .find(|(id, _)| *id == link_id)
            .map(|(_, remainder)| write_json("question", remainder));
        let Some(item) = item.as_object_mut() else { continue };
        if let Some(extension) = found
            && let Some(list) = item.entry("extension").or_insert_with(|| json!([])).as_array_mut()
        {
            list.push(extension);
        }
        items.extend(item.get_mut("item").and_then(Value::as_array_mut).into_iter().flatten());
    }
    Ok(())
}

/// Whether a question's answer is written as an item of its own.
pub(super) fn has_answer(question: &Question) -> bool {
    question.kind != QuestionKind::Note
}
