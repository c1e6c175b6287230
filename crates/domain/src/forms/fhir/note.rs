//! Listing what a foreign file says and this program has no place for.

use serde_json::{Map, Value};

use super::model::{NotCarried, OWN, core, extensions, text, url};
use super::read::{Item, ItemType};

/// Fields of an item that are read elsewhere.
const READ: &[&str] = &[
    "linkId",
    "type",
    "text",
    "_text",
    "prefix",
    "required",
    "repeats",
    "enableWhen",
    "enableBehavior",
    "answerOption",
    "answerValueSet",
    "item",
    "extension",
];

/// Extensions of HL7's core that are read elsewhere.
const EXTENSIONS: &[&str] = &[
    "minValue",
    "maxValue",
    "maxDecimalPlaces",
    "questionnaire-unit",
    "questionnaire-unitOption",
    "questionnaire-hidden",
];

/// Fields of a questionnaire that are read elsewhere, or are written by this program.
const ROOT: &[&str] = &[
    "resourceType",
    "item",
    "extension",
    "title",
    "_title",
    "language",
    "contained",
    "status",
    "subjectType",
    "url",
    "version",
    "name",
];

const CALCULATED: &str =
    "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-calculatedExpression";
const ENABLE_EXPRESSION: &str =
    "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-enableWhenExpression";
const CONTROLS: &[&str] = &["radio-button", "check-box", "drop-down", "slider", "text-box"];

/// The expression of an item that is calculated: language and text.
pub(super) fn calculated(item: &Map<String, Value>) -> Option<(&str, &str)> {
    let value = super::model::extension_value(item, CALCULATED)?.as_object()?;
    Some((text(value, "language"), text(value, "expression")))
}

/// The URI of an item's calculation.
pub(super) fn calculated_uri() -> &'static str {
    CALCULATED
}

/// The code of an item's `itemControl`.
pub(super) fn control(item: &Map<String, Value>) -> &str {
    let value = super::model::extension_value(item, &core("questionnaire-itemControl"));
    value.and_then(|value| value.pointer("/coding/0/code")).and_then(Value::as_str).unwrap_or_default()
}

/// Fields of an item without a place here.
pub(super) fn item(item: &Item<'_>, notes: &mut Vec<NotCarried>) {
    let mut note = |code: &str, what: String| notes.push(NotCarried::new(code, item.link_id, what));
    for (key, value) in item.raw {
        match key.as_str() {
            key if READ.contains(&key) => {}
            "maxLength" => note("max_length", value.to_string()),
            "initial" => note("initial", value.to_string()),
            "readOnly" if value == &Value::Bool(false) => {}
            "code" => {
                for coding in value.as_array().into_iter().flatten().filter_map(Value::as_object) {
                    note("code", format!("{}|{}", text(coding, "system"), text(coding, "code")));
                }
            }
            key => note("field", key.to_owned()),
        }
    }
    for extension in extensions(item.raw) {
        let uri = url(extension);
        let expression = || {
            let value = extension.get("valueExpression").and_then(Value::as_object);
            value.map(|value| text(value, "expression").to_owned()).unwrap_or_default()
        };
        let known = uri.starts_with(OWN)
            || EXTENSIONS.iter().any(|name| uri == core(name))
            || uri == core("questionnaire-maxOccurs") && item.kind == ItemType::Choice && item.repeats
            || uri.ends_with("/sdc-questionnaire-minQuantity")
            || uri.ends_with("/sdc-questionnaire-maxQuantity");
        if uri == CALCULATED {
            note("calculated_expression", expression());
        } else if uri == ENABLE_EXPRESSION {
            note("condition_expression", expression());
        } else if uri == core("questionnaire-itemControl") {
            let control = control(item.raw);
            if !CONTROLS.contains(&control) {
                note("extension", format!("itemControl {control}"));
            }
        } else if !known {
            note("extension", uri.to_owned());
        }
    }
}

/// Fields of the questionnaire without a place here. `own` says that this program wrote it.
pub(super) fn root(raw: &Map<String, Value>, own: bool, notes: &mut Vec<NotCarried>) {
    for (key, value) in raw {
        let ours = matches!(key.as_str(), "url" | "version" | "name") && own;
        if ours || ROOT.contains(&key.as_str()) && !matches!(key.as_str(), "url" | "version") {
            continue;
        }
        let short = value.as_str().map(|text| format!("{key}: {text}"));
        notes.push(NotCarried::new("metadata", "", short.unwrap_or_else(|| key.clone())));
    }
    for extension in extensions(raw).filter(|found| !url(found).starts_with(OWN)) {
        notes.push(NotCarried::new("extension", "", url(extension)));
    }
}
