//! One question of ours as an item of FHIR.

use serde_json::{Map, Value, json};

use super::condition;
use super::import::CEL;
use super::model::{NotCarried, core, own};
use super::note;
use super::own::{integer, option_system, write_json, write_text};
use crate::forms::model::{Calculation, Form, LocalText, Question, QuestionKind, QuestionOption};

/// The item without the remainder of our own; what another program will not understand is noted.
pub(super) fn question(form: &Form, question: &Question, notes: &mut Vec<NotCarried>) -> Map<String, Value> {
    let mut item = Map::new();
    item.insert("linkId".to_owned(), json!(question.id));
    write_text(&mut item, "text", &question.text);
    let decimals = question.range.decimals.unwrap_or(0) > 0;
    let kind = match question.kind {
        QuestionKind::Single | QuestionKind::Multi => "choice",
        QuestionKind::Bool => "boolean",
        QuestionKind::Number if decimals => "decimal",
        QuestionKind::Number | QuestionKind::Scale => "integer",
        QuestionKind::Bp => "group",
        QuestionKind::Date => "date",
        QuestionKind::Text => "text",
        QuestionKind::Note => "display",
    };
    item.insert("type".to_owned(), json!(kind));
    write_condition(form, question, &mut item, notes);
    if question.required && question.kind != QuestionKind::Note {
        item.insert("required".to_owned(), json!(true));
    }
    if question.kind == QuestionKind::Multi {
        item.insert("repeats".to_owned(), json!(true));
    }
    if !question.options.is_empty() {
        let options = question.options.iter().map(|one| option(form, question, one));
        item.insert("answerOption".to_owned(), options.collect());
    }
    let extensions = extensions(question, decimals);
    if !extensions.is_empty() {
        item.insert("extension".to_owned(), Value::Array(extensions));
    }
    if question.kind == QuestionKind::Bp {
        item.insert("item".to_owned(), json!([half(question, "sbp"), half(question, "dbp")]));
    }
    list(question, notes);
    item
}

/// What of a question only this program will understand.
fn list(question: &Question, notes: &mut Vec<NotCarried>) {
    let mut note = |code: &str, what: String| notes.push(NotCarried::new(code, &question.id, what));
    for option in question.options.iter().filter(|option| option.ends) {
        note("option_ends", option.code.clone());
    }
    if let Some(step) = question.range.step {
        note("step", step.to_string());
    }
    if !question.labels.is_empty() {
        note("labels", question.labels.len().to_string());
    }
    if !question.at.is_empty() {
        note("timepoints", question.at.join(" "));
    }
    if question.sensitive {
        note("sensitive", String::new());
    }
}

fn write_condition(
    form: &Form,
    question: &Question,
    item: &mut Map<String, Value>,
    notes: &mut Vec<NotCarried>,
) {
    let Some(source) = question.show_if.as_deref() else { return };
    match condition::enable_when(source, form) {
        None => notes.push(NotCarried::new("condition", &question.id, source)),
        Some((when, behavior)) => {
            if when.len() > 1 {
                item.insert("enableBehavior".to_owned(), json!(behavior));
            }
            item.insert("enableWhen".to_owned(), Value::Array(when));
        }
    }
}

fn option(form: &Form, question: &Question, option: &QuestionOption) -> Value {
    let mut coding = Map::new();
    coding.insert("system".to_owned(), json!(option_system(form, question)));
    coding.insert("code".to_owned(), json!(option.code));
    write_text(&mut coding, "display", &option.label);
    if let Some(points) = option.points {
        let extension = json!([{ "url": core("ordinalValue"), "valueDecimal": points }]);
        coding.insert("extension".to_owned(), extension);
    }
    let mut extensions = Vec::new();
    if option.exclusive {
        extensions.push(json!({ "url": core("questionnaire-optionExclusive"), "valueBoolean": true }));
    }
    if option.ends {
        extensions.push(json!({ "url": own("ends"), "valueBoolean": true }));
    }
    let mut element = Map::new();
    element.insert("valueCoding".to_owned(), Value::Object(coding));
    if !extensions.is_empty() {
        element.insert("extension".to_owned(), Value::Array(extensions));
    }
    Value::Object(element)
}

fn extensions(question: &Question, decimals: bool) -> Vec<Value> {
    let mut list = Vec::new();
    let control = match question.kind {
        QuestionKind::Single => Some("radio-button"),
        QuestionKind::Multi => Some("check-box"),
        QuestionKind::Scale => Some("slider"),
        QuestionKind::Bp => {
            list.push(json!({ "url": own("kind"), "valueCode": "bp" }));
            return list;
        }
        _ => None,
    };
    if let Some(code) = control {
        let coding = json!([{ "system": "http://hl7.org/fhir/questionnaire-item-control", "code": code }]);
        let value = json!({ "coding": coding });
        list.push(json!({ "url": core("questionnaire-itemControl"), "valueCodeableConcept": value }));
    }
    if let Some(most) = question.max_select {
        list.push(json!({ "url": core("questionnaire-maxOccurs"), "valueInteger": most }));
    }
    list.extend(limits(question, decimals));
    if let Some(places) = question.range.decimals.filter(|_| decimals) {
        list.push(json!({ "url": core("maxDecimalPlaces"), "valueInteger": places }));
    }
    if let Some(unit) = &question.unit {
        list.push(unit_extension(unit));
    }
    list
}

fn unit_extension(unit: &LocalText) -> Value {
    let mut coding = Map::new();
    write_text(&mut coding, "display", unit);
    json!({ "url": core("questionnaire-unit"), "valueCoding": coding })
}

fn limits(question: &Question, decimals: bool) -> Vec<Value> {
    let limit = |name: &str, number: Option<f64>| {
        let number = number?;
        Some(match integer(number).filter(|_| !decimals) {
            Some(whole) => json!({ "url": core(name), "valueInteger": whole }),
            None => json!({ "url": core(name), "valueDecimal": number }),
        })
    };
    [limit("minValue", question.range.min), limit("maxValue", question.range.max)]
        .into_iter()
        .flatten()
        .collect()
}

/// One half of a blood pressure. Who remembers only the upper value gives only that.
fn half(question: &Question, half: &str) -> Value {
    let words = match half {
        "sbp" => LocalText { zh: "收缩压".to_owned(), en: "Systolic".to_owned() },
        _ => LocalText { zh: "舒张压".to_owned(), en: "Diastolic".to_owned() },
    };
    let mut item = Map::new();
    item.insert("linkId".to_owned(), json!(format!("{}.{half}", question.id)));
    write_text(&mut item, "text", &words);
    item.insert("type".to_owned(), json!("integer"));
    if question.required && half == "sbp" {
        item.insert("required".to_owned(), json!(true));
    }
    let mut extensions = limits(question, false);
    let unit = json!({ "system": "http://unitsofmeasure.org", "code": "mm[Hg]", "display": "mmHg" });
    extensions.push(json!({ "url": core("questionnaire-unit"), "valueCoding": unit }));
    item.insert("extension".to_owned(), Value::Array(extensions));
    Value::Object(item)
}

/// A calculated number: an item that nobody fills in.
pub(super) fn calculation(one: &Calculation) -> Map<String, Value> {
    let mut item = Map::new();
    item.insert("linkId".to_owned(), json!(one.id));
    write_text(&mut item, "text", &one.label);
    item.insert("type".to_owned(), json!("decimal"));
    item.insert("readOnly".to_owned(), json!(true));
    let expression = json!({ "language": CEL, "expression": one.expr });
    let mut extensions = vec![
        json!({ "url": core("questionnaire-hidden"), "valueBoolean": true }),
        json!({ "url": note::calculated_uri(), "valueExpression": expression }),
        write_json("calculation", &json!(one)),
    ];
    extensions.extend(one.unit.as_ref().map(unit_extension));
    item.insert("extension".to_owned(), Value::Array(extensions));
    item
}
