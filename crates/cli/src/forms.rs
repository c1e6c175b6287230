//! Plans and questionnaires as FHIR files.

use std::path::{Path, absolute};

use aftercare_core::error::Error;
use aftercare_core::forms::exchange::{WORDS, fault_words, read, refused};
use aftercare_core::messages::of_error;
use aftercare_core::words::Language;
use aftercare_domain::forms::fhir;
use serde_json::{Value, json};

use crate::Answer;
use crate::desk::Desk;
use crate::failure::Failure;
use crate::words::words;

fn path(desk: &Desk, file: &Path) -> Result<String, Failure> {
    let whole = absolute(file).map_err(|_| Failure::of_code(desk.language, "file_unreadable", None))?;
    Ok(whole.to_string_lossy().into_owned())
}

/// Writes one as FHIR.
pub fn export(desk: &Desk, code: &str, file: &Path, version: Option<&str>) -> Result<Answer, Failure> {
    let number = version.map(|version| number_of(desk, code, version)).transpose()?;
    let request = json!({ "code": code, "version": number, "path": path(desk, file)? });
    let done = desk.call("forms_export", request)?;
    let label = word(&done, "/version/label");
    let head = words(desk.language).filled("forms_exported", &[("code", code), ("version", &label)]);
    Ok(Answer { text: listed(desk.language, head, "forms_kept", &done), json: done })
}

/// The number of a version that is named by its number or its label.
fn number_of(desk: &Desk, code: &str, named: &str) -> Result<u64, Failure> {
    let request = json!({ "code": code, "version": null });
    let found =
        desk.call("forms_plan", request.clone()).or_else(|_| desk.call("forms_questionnaire", request))?;
    let versions = found.get("versions").and_then(Value::as_array).cloned().unwrap_or_default();
    let asked: Option<u64> = named.parse().ok();
    let is_it = |one: &&Value| one["label"] == named || asked.is_some() && one["version"].as_u64() == asked;
    let number = versions.iter().find(is_it).and_then(|one| one["version"].as_u64());
    number.ok_or_else(|| Failure::of_code(desk.language, "not_found", None))
}

/// Reads one from FHIR.
pub fn import(desk: &Desk, file: &Path) -> Result<Answer, Failure> {
    let done = desk.call("forms_import", json!({ "path": path(desk, file)? }))?;
    let key = match (done["new"] == true, done.pointer("/version/enabled") == Some(&Value::Bool(true))) {
        (true, _) => "forms_imported_new",
        (false, true) => "forms_imported",
        (false, false) => "forms_imported_off",
    };
    let (code, version) = (word(&done, "/version/code"), word(&done, "/version/label"));
    let head = words(desk.language).filled(key, &[("code", &code), ("version", &version)]);
    Ok(Answer { text: listed(desk.language, head, "forms_left", &done), json: done })
}

fn word(value: &Value, pointer: &str) -> String {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// The heading, and below it what is not carried over: where, what kind of thing, what exactly.
fn listed(language: Language, head: String, key: &str, done: &Value) -> String {
    let entries = done.get("not_carried").and_then(Value::as_array).cloned().unwrap_or_default();
    let mut lines = vec![head];
    if !entries.is_empty() {
        lines.push(words(language).text(key).to_owned());
    }
    for entry in &entries {
        let kind = format!("carry.{}", word(entry, "/code"));
        let said = WORDS.of(language).text(&kind).to_owned();
        lines.push(format!("{}\t{said}\t{}", word(entry, "/link_id"), word(entry, "/what")));
    }
    lines.join("\n")
}

/// Checks a response against its questionnaire. The answer is JSON in any case; a file that cannot be used is an entry too.
pub fn validate(language: Language, questionnaire: &Path, response: &Path) -> Result<Answer, Failure> {
    let errors: Vec<Value> = match (read(questionnaire), read(response)) {
        (Ok(asked), Ok(given)) => match fhir::validate(&asked, &given) {
            Ok(faults) => faults.iter().map(|fault| told(language, fault)).collect(),
            Err(error) => vec![unusable(language, None, &refused(error))],
        },
        (Err(error), _) => vec![unusable(language, Some(questionnaire), &error)],
        (_, Err(error)) => vec![unusable(language, Some(response), &error)],
    };
    let answer = json!({ "errors": errors });
    let answer = Answer { text: answer.to_string(), json: answer };
    if errors.is_empty() {
        return Ok(answer);
    }
    Err(Failure::of_code(language, "fhir_response_invalid", Some(answer)))
}

/// One fault, in words.
fn told(language: Language, fault: &fhir::ResponseFault) -> Value {
    let message = fault_words(WORDS.of(language), fault);
    json!({ "link_id": fault.link_id, "code": fault.code, "message": message })
}

/// Why one of the files cannot be used, where it is known which, and at which item.
fn unusable(language: Language, file: Option<&Path>, error: &Error) -> Value {
    let wire = error.to_wire("cli");
    let shown = serde_json::to_value(&wire).unwrap_or_default();
    let at = shown.pointer("/params/link_id").and_then(Value::as_str).unwrap_or_default();
    let link_id = if at == "Questionnaire" { "" } else { at };
    let mut message = of_error(language, &wire);
    if let Some(file) = file {
        message = format!("{}: {message}", file.display());
    }
    json!({ "link_id": link_id, "code": wire.code.as_str(), "message": message })
}
