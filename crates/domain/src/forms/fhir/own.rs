//! What only this program understands: written beside FHIR's words, so that our own file reads back equal.
//!
//! A question's remainder is a list of fields, each with what FHIR's words alone give and what it really is. It
//! counts only while FHIR's words still give the same: when another program changed the item, its change wins.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::model::{FhirError, NotCarried, OWN, extension_value, extensions, own, url};
use crate::error_code::ErrorCode;
use crate::forms::model::{Form, LocalText, Question};

/// The code system of a question's options.
pub(super) fn option_system(form: &Form, question: &Question) -> String {
    format!("{}option:{}:{}", OWN, form.code, question.id)
}

/// A whole number as FHIR writes it; none when it is not whole or does not fit.
pub(super) fn integer(number: f64) -> Option<Value> {
    #[allow(clippy::cast_possible_truncation, reason = "checked to be whole and of 32 bits")]
    let whole = (number.fract() == 0.0 && number.abs() <= f64::from(i32::MAX)).then_some(number as i64);
    whole.map(|whole| json!(whole))
}

/// Writes a text: the first language as it is, English as HL7's translation of it.
pub(super) fn write_text(element: &mut Map<String, Value>, key: &str, words: &LocalText) {
    let shown = if words.zh.is_empty() { &words.en } else { &words.zh };
    if shown.is_empty() {
        return;
    }
    element.insert(key.to_owned(), json!(shown));
    if words.zh.is_empty() {
        let english = json!({ "url": super::model::core("language"), "valueCode": "en" });
        element.insert(format!("_{key}"), json!({ "extension": [english] }));
    }
    if !words.zh.is_empty() && !words.en.is_empty() {
        let parts = json!([
            { "url": "lang", "valueCode": "en" },
            { "url": "content", "valueString": words.en },
        ]);
        let translation = json!({ "url": super::model::core("translation"), "extension": parts });
        element.insert(format!("_{key}"), json!({ "extension": [translation] }));
    }
}

/// Reads a text: `chinese` says which language it is in when nothing else does.
pub(super) fn read_text(element: &Map<String, Value>, key: &str, chinese: bool) -> LocalText {
    let shown = super::model::text(element, key).to_owned();
    let mut words = LocalText::default();
    let beside = element.get(&format!("_{key}")).and_then(Value::as_object);
    let said = beside.and_then(|beside| extension_value(beside, &super::model::core("language")));
    let chinese = said.and_then(Value::as_str).map_or(chinese, |language| language.starts_with("zh"));
    *(if chinese { &mut words.zh } else { &mut words.en }) = shown;
    let uri = super::model::core("translation");
    for translation in beside.into_iter().flat_map(extensions).filter(|found| url(found) == uri) {
        let language = extension_value(translation, "lang").and_then(Value::as_str).unwrap_or_default();
        let content = extension_value(translation, "content").and_then(Value::as_str).unwrap_or_default();
        if language.starts_with("en") && words.en.is_empty() {
            words.en = content.to_owned();
        } else if language.starts_with("zh") && words.zh.is_empty() {
            words.zh = content.to_owned();
        }
    }
    words
}

/// An extension of our own that holds JSON.
pub(super) fn write_json(name: &str, value: &Value) -> Value {
    json!({ "url": own(name), "valueString": value.to_string() })
}

/// Every extension of our own of this name, read.
///
/// # Errors
/// `FhirStructure` when one is not what this program writes.
pub(super) fn read_json<T: DeserializeOwned>(
    element: &Map<String, Value>,
    name: &str,
) -> Result<Vec<T>, FhirError> {
    let uri = own(name);
    let broken =
        || FhirError::new(ErrorCode::FhirStructure, super::model::text(element, "linkId"), uri.clone());
    extensions(element)
        .filter(|found| url(found) == uri)
        .map(|found| {
            let text = found.get("valueString").and_then(Value::as_str).ok_or_else(broken)?;
            serde_json::from_str(text).map_err(|_| broken())
        })
        .collect()
}

fn fields(question: &Question) -> Map<String, Value> {
    match serde_json::to_value(question) {
        Ok(Value::Object(fields)) => fields,
        _ => Map::new(),
    }
}

/// What FHIR's words do not say of `original`, given that they are read as `mapped`.
pub(super) fn remainder(mapped: &Question, original: &Question) -> Option<Value> {
    let (mapped, original) = (fields(mapped), fields(original));
    let mut rest = Map::new();
    for key in mapped.keys().chain(original.keys()) {
        let (read, meant) = (mapped.get(key), original.get(key));
        if read != meant {
            rest.insert(key.clone(), json!([read, meant]));
        }
    }
    (!rest.is_empty()).then_some(Value::Object(rest))
}

/// Puts the remainder back where FHIR's words still say what they said when it was written.
///
/// # Errors
/// `FhirStructure` when the result is no question.
pub(super) fn complete(
    mapped: Question,
    element: &Map<String, Value>,
    notes: &mut Vec<NotCarried>,
) -> Result<Question, FhirError> {
    let Some(rest) = read_json::<Map<String, Value>>(element, "question")?.into_iter().next() else {
        return Ok(mapped);
    };
    let link_id = super::model::text(element, "linkId");
    let mut question = fields(&mapped);
    for (key, pair) in rest {
        let [read, meant] = match pair {
            Value::Array(pair) => <[Value; 2]>::try_from(pair).unwrap_or_default(),
            _ => <[Value; 2]>::default(),
        };
        if question.get(&key).unwrap_or(&Value::Null) != &read {
            notes.push(NotCarried::new("own_outdated", link_id, key));
        } else if meant.is_null() {
            question.remove(&key);
        } else {
            question.insert(key, meant);
        }
    }
    serde_json::from_value(Value::Object(question))
        .map_err(|_| FhirError::new(ErrorCode::FhirStructure, link_id, own("question")))
}
