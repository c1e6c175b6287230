//! Answers of ours as a FHIR R4 QuestionnaireResponse, and back.

use serde_json::{Map, Value, json};

use super::export::{address, export_form, has_answer};
use super::model::{FhirError, NotCarried, text};
use super::own::{integer, option_system};
use super::validate::{ResponseFault, validate};
use super::value::Given;
use crate::error_code::ErrorCode;
use crate::forms::answer::{AnswerValue, Answers};
use crate::forms::model::{Form, Question, QuestionKind};
use crate::forms::{CompiledForm, FormContext};

/// Answers read from a response.
#[derive(Debug, Clone, PartialEq)]
pub struct ReadResponse {
    /// By question.
    pub answers: Answers,
    /// Items that are no question of the form.
    pub not_carried: Vec<NotCarried>,
}

/// Writes the answers of the questions that are asked. `authored` is an instant in RFC 3339.
pub fn export_response(
    compiled: &CompiledForm,
    answers: &Answers,
    context: &FormContext,
    authored: Option<&str>,
) -> Value {
    let form = compiled.form();
    let evaluation = compiled.evaluate(answers, context);
    let mut items: Vec<Value> = Vec::new();
    let mut group: Option<(String, usize)> = None;
    let mut times: Vec<(String, u32)> = Vec::new();
    for question in form.questions.iter().filter(|question| has_answer(question)) {
        let section =
            question.section.as_ref().filter(|code| form.sections.iter().any(|one| one.code == **code));
        if group.as_ref().map(|open| &open.0) != section {
            group = section.map(|code| (code.clone(), usize::MAX));
            if let Some(code) = section {
                match times.iter_mut().find(|one| one.0 == *code) {
                    Some(seen) => seen.1 += 1,
                    None => times.push((code.clone(), 1)),
                }
            }
        }
        let given = answers.get(&question.id).filter(|answer| !answer.is_blank());
        let Some(given) = given.filter(|_| evaluation.visible.contains(&question.id)) else { continue };
        let Some(item) = item(form, question, given) else { continue };
        let Some((code, place)) = &mut group else {
            items.push(item);
            continue;
        };
        if *place == usize::MAX {
            *place = items.len();
            let time = times.iter().find(|one| one.0 == *code).map_or(1, |one| one.1);
            let suffix = if time == 1 { String::new() } else { format!("#{time}") };
            items.push(json!({ "linkId": format!("section:{code}{suffix}"), "item": [] }));
        }
        if let Some(inside) =
            items.get_mut(*place).and_then(|group| group.get_mut("item")).and_then(Value::as_array_mut)
        {
            inside.push(item);
        }
    }
    let mut response = Map::new();
    response.insert("resourceType".to_owned(), json!("QuestionnaireResponse"));
    response.insert("questionnaire".to_owned(), json!(format!("{}|{}", address(form), form.version)));
    response
        .insert("status".to_owned(), json!(if evaluation.complete { "completed" } else { "in-progress" }));
    if let Some(authored) = authored {
        response.insert("authored".to_owned(), json!(authored));
    }
    if !items.is_empty() {
        response.insert("item".to_owned(), Value::Array(items));
    }
    Value::Object(response)
}

fn item(form: &Form, question: &Question, given: &AnswerValue) -> Option<Value> {
    let coding = |code: &String| {
        let option = question.options.iter().find(|option| option.code == *code);
        let display = option.map_or("", |option| option.label.zh.as_str());
        let mut coding = json!({ "system": option_system(form, question), "code": code });
        if let Some(fields) = coding.as_object_mut().filter(|_| !display.is_empty()) {
            fields.insert("display".to_owned(), json!(display));
        }
        json!({ "valueCoding": coding })
    };
    let whole = |number: f64| integer(number).map(|number| json!({ "valueInteger": number }));
    let answer = match given {
        AnswerValue::Single(code) => vec![coding(code)],
        AnswerValue::Multi(codes) => codes.iter().map(coding).collect(),
        AnswerValue::Bool(value) => vec![json!({ "valueBoolean": value })],
        AnswerValue::Number(number) if question.range.decimals.unwrap_or(0) > 0 => {
            vec![json!({ "valueDecimal": number })]
        }
        AnswerValue::Number(number) => vec![whole(*number)?],
        AnswerValue::Scale(step) => vec![json!({ "valueInteger": step })],
        AnswerValue::Date(day) => vec![json!({ "valueDate": day.to_string() })],
        AnswerValue::Text(words) => vec![json!({ "valueString": words })],
        AnswerValue::Bp { sbp, dbp } => {
            let half = |name: &str, value: i32| json!({ "linkId": format!("{}.{name}", question.id), "answer": [{ "valueInteger": value }] });
            let halves: Vec<Value> =
                [Some(half("sbp", *sbp)), dbp.map(|dbp| half("dbp", dbp))].into_iter().flatten().collect();
            return Some(json!({ "linkId": question.id, "item": halves }));
        }
    };
    Some(json!({ "linkId": question.id, "answer": answer }))
}

/// Reads a response to this form, after checking it against the form's questionnaire.
///
/// # Errors
/// Everything that is wrong with it; `Err` inside when the form itself cannot be written as FHIR.
pub fn read_response(
    form: &Form,
    value: &Value,
) -> Result<Result<ReadResponse, Vec<ResponseFault>>, FhirError> {
    let questionnaire = export_form(form)?.questionnaire;
    let faults = validate(&questionnaire, value)?;
    if !faults.is_empty() {
        return Ok(Err(faults));
    }
    let mut read = ReadResponse { answers: Answers::new(), not_carried: Vec::new() };
    let mut open: Vec<&Value> = value.get("item").and_then(Value::as_array).into_iter().flatten().collect();
    let mut halves: Vec<(&str, &str, i32)> = Vec::new();
    while let Some(item) = open.pop() {
        let Some(item) = item.as_object() else { continue };
        let answers: Vec<&Map<String, Value>> = item
            .get("answer")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_object)
            .collect();
        for holder in std::iter::once(item).chain(answers.iter().copied()) {
            open.extend(holder.get("item").and_then(Value::as_array).into_iter().flatten());
        }
        let link_id = text(item, "linkId");
        let given: Vec<Given<'_>> = answers.iter().filter_map(|answer| Given::of(answer, "value")).collect();
        if let (Some((id, half)), Some(Given::Integer(number))) = (link_id.split_once('.'), given.first()) {
            halves.push((id, half, i32::try_from(*number).unwrap_or_default()));
        } else if let Some(question) = form.questions.iter().find(|question| question.id == link_id) {
            if let Some(answer) = answer(question, &given) {
                read.answers.insert(question.id.clone(), answer);
            }
        } else if !given.is_empty() {
            read.not_carried.push(NotCarried::new("unknown_item", link_id, ""));
        }
    }
    for (id, _, sbp) in halves.iter().filter(|half| half.1 == "sbp") {
        let dbp = halves.iter().find(|half| half.0 == *id && half.1 == "dbp").map(|half| half.2);
        read.answers.insert((*id).to_owned(), AnswerValue::Bp { sbp: *sbp, dbp });
    }
    Ok(Ok(read))
}

fn answer(question: &Question, given: &[Given<'_>]) -> Option<AnswerValue> {
    let code = |given: &Given<'_>| match given {
        Given::Coding { code, .. } => Some((*code).to_owned()),
        _ => None,
    };
    let first = given.first()?;
    Some(match (question.kind, first) {
        (QuestionKind::Single, _) => AnswerValue::Single(code(first)?),
        (QuestionKind::Multi, _) => AnswerValue::Multi(given.iter().filter_map(code).collect()),
        (QuestionKind::Bool, Given::Boolean(value)) => AnswerValue::Bool(*value),
        (QuestionKind::Number, _) => AnswerValue::Number(first.number()?),
        (QuestionKind::Scale, Given::Integer(step)) => AnswerValue::Scale(i32::try_from(*step).ok()?),
        (QuestionKind::Date, Given::Date(day)) => AnswerValue::Date(day.parse().ok()?),
        (QuestionKind::Text, Given::String(words)) => AnswerValue::Text((*words).to_owned()),
        _ => return None,
    })
}

/// The code of a file that is no response at all.
pub(super) const NOT_RESPONSE: ErrorCode = ErrorCode::FhirNotQuestionnaire;
