//! Earlier responses and calls of a patient, those of records merged into it included.

use std::collections::BTreeMap;

use aftercare_domain::forms::{AnswerValue, Answers, Form, LocalText, Question};
use aftercare_domain::personal::Personal;
use aftercare_domain::phone;
use rusqlite::types::Value;
use rusqlite::{Connection, params};
use uuid::Uuid;

use super::evaluate::class_name;
use super::{AnsweredLine, PastCall, PastResponse};
use crate::archive;
use crate::error::Result;
use crate::followup::id_value;
use crate::followup::people::People;
use crate::followup::viewer::Viewer;
use crate::forms;

/// What is kept of an evaluation with its response.
#[derive(Debug, Default, serde::Serialize, serde::Deserialize)]
pub(in crate::followup) struct Results {
    /// The class.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    /// Calculated numbers.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub values: BTreeMap<String, f64>,
    /// The overall score.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scores: Option<serde_json::Value>,
    /// Rules that were raised.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub alerts: Vec<String>,
    /// The question whose answer ended the form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_by: Option<String>,
}

/// A response as it was given.
pub(in crate::followup) struct Response {
    pub id: Uuid,
    pub plan_code: String,
    pub plan_version: u32,
    pub answers: Answers,
    pub results: Results,
    pub responded_at: i64,
    pub responded_on: String,
    pub user_id: Uuid,
    pub label: String,
}

const RESPONSE: &str = "SELECT r.id, r.plan_code, r.plan_version, r.answers, r.results, r.responded_at, \
     r.responded_on, r.user_id, coalesce(task.label, '') AS label \
     FROM standing_response AS r LEFT JOIN task ON task.id = r.task_id WHERE ";

fn responses_where(connection: &Connection, condition: &str, values: &[Value]) -> Result<Vec<Response>> {
    let mut statement = connection.prepare_cached(&format!("{RESPONSE}{condition}"))?;
    let rows = statement.query_map(rusqlite::params_from_iter(values), |row| {
        let (answers, results): (String, String) = (row.get("answers")?, row.get("results")?);
        Ok(Response {
            id: row.get("id")?,
            plan_code: row.get("plan_code")?,
            plan_version: row.get("plan_version")?,
            // What this version cannot read (a newer program's kind of answer) is left out of the lists.
            answers: serde_json::from_str(&answers).unwrap_or_default(),
            results: serde_json::from_str(&results).unwrap_or_default(),
            responded_at: row.get("responded_at")?,
            responded_on: row.get("responded_on")?,
            user_id: row.get("user_id")?,
            label: row.get("label")?,
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// The latest responses of a patient, newest first.
pub(in crate::followup) fn responses(
    connection: &Connection,
    patient_id: Uuid,
    limit: u32,
) -> Result<Vec<Response>> {
    let mut all = Vec::new();
    for record in archive::person_ids(connection, patient_id)? {
        let condition = "r.patient_id = ?1 ORDER BY r.responded_at DESC LIMIT ?2";
        all.extend(responses_where(
            connection,
            condition,
            &[id_value(record), Value::Integer(limit.into())],
        )?);
    }
    all.sort_by_key(|response| std::cmp::Reverse((response.responded_at, response.id)));
    all.truncate(limit as usize);
    Ok(all)
}

/// The standing response of a task.
pub(in crate::followup) fn of_task(connection: &Connection, task_id: Uuid) -> Result<Option<Response>> {
    let condition = "r.task_id = ?1 ORDER BY r.responded_at DESC LIMIT 1";
    Ok(responses_where(connection, condition, &[id_value(task_id)])?.pop())
}

/// The responses of a call.
pub(in crate::followup) fn of_call(
    connection: &Connection,
    patient_id: Uuid,
    call_id: Uuid,
) -> Result<Vec<Response>> {
    let condition = "r.patient_id = ?1 AND r.call_id = ?2 ORDER BY r.id";
    responses_where(connection, condition, &[id_value(patient_id), id_value(call_id)])
}

/// A response with this id.
pub(in crate::followup) fn response(connection: &Connection, id: Uuid) -> Result<Option<Response>> {
    Ok(responses_where(connection, "r.id = ?1", &[id_value(id)])?.pop())
}

/// Questions and answers of a response, on the form's version it was given on, in the order of asking.
pub(in crate::followup) fn answered(
    connection: &Connection,
    response: &Response,
) -> Result<Vec<AnsweredLine>> {
    let Ok(plan) = forms::plan(connection, &response.plan_code, response.plan_version) else {
        return Ok(Vec::new());
    };
    Ok(answered_on(plan.form().form(), &response.answers))
}

fn answered_on(form: &Form, answers: &Answers) -> Vec<AnsweredLine> {
    let lines = form.questions.iter().filter_map(|question| {
        let value = answers.get(&question.id)?.clone();
        Some(AnsweredLine {
            id: question.id.clone(),
            text: question.text.clone(),
            labels: labels(question, &value),
            unit: question.unit.clone(),
            sensitive: question.sensitive,
            value,
        })
    });
    lines.collect()
}

fn labels(question: &Question, value: &AnswerValue) -> Vec<LocalText> {
    let label = |code: &String| {
        question.options.iter().find(|option| option.code == *code).map(|option| option.label.clone())
    };
    match value {
        AnswerValue::Single(code) => label(code).into_iter().collect(),
        AnswerValue::Multi(codes) => codes.iter().filter_map(label).collect(),
        AnswerValue::Scale(step) => {
            let first = question.range.min.unwrap_or(0.0);
            let index = f64::from(*step) - first;
            let labels = question.labels.iter().enumerate();
            labels.filter(|(place, _)| *place as f64 == index).map(|(_, label)| label.clone()).collect()
        }
        _ => Vec::new(),
    }
}

/// The latest responses as the call screen shows them to `viewer`.
pub(in crate::followup) fn past_responses(
    connection: &Connection,
    patient_id: Uuid,
    limit: u32,
    people: &People,
    viewer: Viewer,
) -> Result<Vec<PastResponse>> {
    let mut past = Vec::new();
    for response in responses(connection, patient_id, limit)? {
        let plan = forms::plan(connection, &response.plan_code, response.plan_version);
        let class = plan.as_ref().ok().zip(response.results.class.as_deref());
        past.push(PastResponse {
            id: response.id,
            responded_on: response.responded_on.clone(),
            label: response.label.clone(),
            plan: match &plan {
                Ok(plan) => plan.plan().name.clone(),
                Err(_) => LocalText { zh: response.plan_code.clone(), en: response.plan_code.clone() },
            },
            class: class.and_then(|(plan, code)| class_name(plan.plan(), code)),
            answers: viewer.without_hidden(&response, plan.as_deref().ok(), answered(connection, &response)?),
            user: people.name(response.user_id),
        });
    }
    Ok(past)
}

/// The latest calls, newest first.
pub(in crate::followup) fn past_calls(
    connection: &Connection,
    patient_id: Uuid,
    limit: u32,
    people: &People,
) -> Result<Vec<PastCall>> {
    let mut calls = Vec::new();
    for record in archive::person_ids(connection, patient_id)? {
        let mut statement = connection.prepare_cached(
            "SELECT id, called_at, number, outcome, reason, appointment_at, talk_seconds, remark, user_id
             FROM standing_call WHERE patient_id = ?1 ORDER BY called_at DESC LIMIT ?2",
        )?;
        let rows = statement.query_map(params![record, limit], |row| {
            Ok(PastCall {
                id: row.get("id")?,
                called_at: row.get("called_at")?,
                masked: phone::mask(row.get_ref("number")?.as_str()?),
                outcome: row.get("outcome")?,
                reason: row.get("reason")?,
                appointment_at: row.get("appointment_at")?,
                talk_seconds: row.get("talk_seconds")?,
                remark: row.get::<_, Option<String>>("remark")?.map(Personal::new),
                user: people.name(row.get("user_id")?),
            })
        })?;
        calls.extend(rows.collect::<rusqlite::Result<Vec<_>>>()?);
    }
    calls.sort_by_key(|call| std::cmp::Reverse((call.called_at, call.id)));
    calls.truncate(limit as usize);
    Ok(calls)
}
