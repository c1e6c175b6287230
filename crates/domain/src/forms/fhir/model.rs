//! The words of FHIR that are used here, and what is said about a file.

use serde::Serialize;
use serde_json::{Map, Value};
use ts_rs::TS;

use crate::error_code::ErrorCode;

/// Begins every extension and code system of our own.
pub(super) const OWN: &str = "urn:aftercare:fhir:";
const CORE: &str = "http://hl7.org/fhir/StructureDefinition/";

/// The largest file, in bytes. The largest shipped plan has 130 kB as FHIR.
pub(super) const MAX_BYTES: usize = 4_000_000;
/// How deep items may lie in items.
pub(super) const MAX_DEPTH: usize = 16;
/// How many items a questionnaire or response may have.
pub(super) const MAX_ITEMS: usize = 5000;

/// The URI of an extension of HL7's core (`hl7.org/fhir/StructureDefinition/…`).
pub(super) fn core(name: &str) -> String {
    format!("{CORE}{name}")
}

/// The URI of an extension of our own.
pub(super) fn own(name: &str) -> String {
    format!("{OWN}{name}")
}

/// Something that a file says and the other side does not understand.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, TS)]
#[ts(rename = "FormsNotCarried")]
pub struct NotCarried {
    /// A stable word with a message in `forms.json` (`carry.<code>`).
    pub code: String,
    /// The item, or the code of an alert or class; empty for the questionnaire as a whole.
    pub link_id: String,
    /// What it is: a field, an extension's URI, an expression.
    pub what: String,
}

/// Every code of what is not carried over; each has a message in `forms.json`.
pub const NOT_CARRIED_CODES: &[&str] = &[
    // Ours, for other programs
    "alert",
    "calculation",
    "class",
    "condition",
    "labels",
    "option_ends",
    "part",
    "plan",
    "scoring",
    "section_weight",
    "sensitive",
    "step",
    "timepoints",
    // Theirs, for this program
    "calculated_expression",
    "code",
    "condition_expression",
    "condition_later",
    "condition_left_out",
    "extension",
    "field",
    "group_repeats",
    "hidden",
    "initial",
    "max_length",
    "metadata",
    "nested",
    "open_choice",
    "option_renamed",
    "option_system",
    "options_cut",
    "options_missing",
    "own_outdated",
    "range",
    "renamed",
    "repeats",
    "type_simplified",
    "type_unsupported",
    "unit",
    "unknown_item",
    "value_set",
];

impl NotCarried {
    /// An entry of the list.
    pub(super) fn new(code: &str, link_id: &str, what: impl Into<String>) -> Self {
        debug_assert!(NOT_CARRIED_CODES.contains(&code), "{code} has no message");
        let what: String = what.into();
        Self {
            code: code.to_owned(),
            link_id: link_id.to_owned(),
            what: if what.chars().count() > 300 {
                what.chars().take(299).chain(['…']).collect()
            } else {
                what
            },
        }
    }
}

/// Why a file cannot be used at all, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FhirError {
    /// What.
    pub code: ErrorCode,
    /// The item; empty when it is the file as a whole.
    pub link_id: String,
    /// The field, type or other item in question.
    pub what: String,
}

impl FhirError {
    pub(super) fn new(code: ErrorCode, link_id: &str, what: impl Into<String>) -> Self {
        let short = |text: &str| text.chars().take(120).collect();
        Self { code, link_id: short(link_id), what: short(&what.into()) }
    }
}

/// Reads JSON.
///
/// # Errors
/// `FhirTooLarge`, `FhirNotJson` with line and column.
pub fn parse(text: &str) -> Result<Value, FhirError> {
    if text.len() > MAX_BYTES {
        return Err(FhirError::new(ErrorCode::FhirTooLarge, "", (MAX_BYTES / 1_000_000).to_string()));
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    serde_json::from_str(text).map_err(|error| {
        FhirError::new(ErrorCode::FhirNotJson, "", format!("{}:{}", error.line(), error.column()))
    })
}

/// The extensions of an element.
pub(super) fn extensions(element: &Map<String, Value>) -> impl Iterator<Item = &Map<String, Value>> {
    element.get("extension").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_object)
}

/// An extension's URI.
pub(super) fn url(extension: &Map<String, Value>) -> &str {
    extension.get("url").and_then(Value::as_str).unwrap_or_default()
}

/// The first extension with this URI.
pub(super) fn extension<'a>(element: &'a Map<String, Value>, uri: &str) -> Option<&'a Map<String, Value>> {
    extensions(element).find(|found| url(found) == uri)
}

/// The value of the first extension with this URI.
pub(super) fn extension_value<'a>(element: &'a Map<String, Value>, uri: &str) -> Option<&'a Value> {
    let found = extension(element, uri)?;
    found.iter().find(|(key, _)| key.starts_with("value")).map(|(_, value)| value)
}

/// A text of an element.
pub(super) fn text<'a>(element: &'a Map<String, Value>, key: &str) -> &'a str {
    element.get(key).and_then(Value::as_str).unwrap_or_default()
}
