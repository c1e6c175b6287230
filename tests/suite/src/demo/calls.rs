//! A morning's calls: most patients are well, some do not answer, a few need an expert.

use serde_json::{Value, json};
use uuid::Uuid;

use super::{Hospital, NURSE, rows};
use crate::Answer;

/// How the calls end, over and over.
const ENDINGS: [Ending; 8] = [
    Ending::Well,
    Ending::Well,
    Ending::NoAnswer("NOANS"),
    Ending::Worried,
    Ending::Well,
    Ending::NoAnswer("BUSY"),
    Ending::Well,
    Ending::NoAnswer("OFF"),
];
/// More rounds than any form has questions.
const ROUNDS: usize = 200;

#[derive(Clone, Copy)]
enum Ending {
    /// Harmless answers.
    Well,
    /// Answers that raise alerts where the form has any.
    Worried,
    /// A failure reason's code.
    NoAnswer(&'static str),
}

/// The nurse calls the first `count` patients of her list; answers with how many calls raised an alert.
///
/// # Errors
/// When a command is refused.
pub fn make_calls(hospital: &Hospital, count: usize) -> Answer<usize> {
    hospital.log_in(NURSE)?;
    let list = hospital.call("followup_worklist", json!({ "limit": count }))?;
    let patients: Vec<Value> = rows(&list, "rows").iter().map(|row| row["patient_id"].clone()).collect();
    let mut alerts = 0;
    for (number, patient) in patients.iter().enumerate() {
        let opened = hospital.call("followup_open", json!({ "patient_id": patient }))?;
        let tasks: Vec<Value> = rows(&opened, "tasks").iter().map(|task| task["id"].clone()).collect();
        let mut request = json!({
            "call_id": Uuid::now_v7(), "patient_id": patient, "tasks": tasks,
            "phone_id": opened.pointer("/phones/0/id"), "reason": null,
        });
        match ENDINGS[number % ENDINGS.len()] {
            Ending::NoAnswer(reason) => request["reason"] = json!(reason),
            Ending::Well => request["answers"] = answers(hospital, &opened, &tasks, false)?,
            Ending::Worried => request["answers"] = answers(hospital, &opened, &tasks, true)?,
        }
        let saved = hospital.call("followup_save_call", request)?;
        alerts += usize::from(!rows(&saved, "alerts").is_empty());
    }
    Ok(alerts)
}

/// Answers every question that must be answered, in the order they appear.
fn answers(hospital: &Hospital, opened: &Value, tasks: &[Value], worried: bool) -> Answer<Value> {
    let questions = rows(&opened["form"], "questions");
    let mut answers = json!({});
    for _ in 0..ROUNDS {
        let state = hospital.call("followup_evaluate", json!({ "tasks": tasks, "answers": answers }))?;
        let Some(key) = state.pointer("/missing/0").and_then(Value::as_str) else { return Ok(answers) };
        let asked = questions.iter().find(|question| question["key"] == key);
        answers[key] = answer(&asked.ok_or("a missing answer has a question")?["question"], worried);
    }
    Err("the form never becomes complete".into())
}

fn answer(question: &Value, worried: bool) -> Value {
    let codes: Vec<&str> =
        rows(question, "options").iter().filter_map(|option| option["code"].as_str()).collect();
    let number = |name: &str| question[name].as_f64();
    let kind = question["type"].as_str().unwrap_or("text");
    let value = match kind {
        "single" => json!(choice(&codes, worried)),
        "multi" => json!([choice(&codes, worried)]),
        // Whoever is worried still takes the medicine and knows the next visit: only what hurts is a yes.
        "bool" => json!(question["id"] == "revisit_known" || (worried && is_symptom(question))),
        "number" => json!(harmless(number("min"), number("max"), question["decimals"].as_u64())),
        "scale" => json!(if worried { number("max") } else { number("min") }.unwrap_or(0.0) as i64),
        "bp" if worried => json!({ "sbp": 176, "dbp": 104 }),
        "bp" => json!({ "sbp": 128, "dbp": 78 }),
        "date" => json!(chrono::Utc::now().date_naive()),
        _ => json!("无"),
    };
    json!({ "type": kind, "value": value })
}

/// A low, but not the lowest value: glucose, temperature and weight are harmless there.
fn harmless(least: Option<f64>, most: Option<f64>, decimals: Option<u64>) -> f64 {
    let least = least.unwrap_or(1.0);
    let value = least + (most.unwrap_or(least) - least) * 0.2;
    if decimals.unwrap_or(0) > 0 { (value * 10.0).round() / 10.0 } else { value.ceil() }
}

fn choice<'a>(codes: &[&'a str], worried: bool) -> &'a str {
    let wished: &[&str] = if worried {
        &["worse", "severe", "often", "stopped", "irregular", "yes"]
    } else {
        &["regular", "no", "none", "good", "normal", "better", "self", "na"]
    };
    wished
        .iter()
        .find_map(|wish| codes.iter().find(|code| *code == wish))
        .or(codes.first())
        .copied()
        .unwrap_or("")
}

fn is_symptom(question: &Value) -> bool {
    let text = question.pointer("/text/zh").and_then(Value::as_str).unwrap_or_default();
    ["痛", "血", "热", "肿", "闷", "晕", "喘"].iter().any(|word| text.contains(word))
}
