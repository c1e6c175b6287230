//! Patients.

use serde_json::{Value, json};

use crate::Answer;
use crate::desk::Desk;
use crate::failure::Failure;
use crate::words::words;

/// The core answers one page of a search with at most so many.
const MOST: u32 = 50;

/// Finds patients as the window's search does, masked.
pub fn find(desk: &Desk, query: &str, limit: u32) -> Result<Answer, Failure> {
    let found = desk.call("archive_find", json!({ "query": query, "limit": limit.clamp(1, MOST) }))?;
    let hits = found.get("hits").and_then(Value::as_array).cloned().unwrap_or_default();
    let lines: Vec<String> = hits.iter().map(hit).collect();
    let text =
        if lines.is_empty() { words(desk.language).filled("found_none", &[]) } else { lines.join("\n") };
    Ok(Answer { json: found, text })
}

/// One patient with everything known, in full where the user may.
pub fn patient(desk: &Desk, mrn: &str) -> Result<Answer, Failure> {
    let sheet = desk.call("archive_sheet", json!({ "mrn": mrn }))?;
    let text = serde_json::to_string_pretty(&sheet).unwrap_or_default();
    Ok(Answer { json: sheet, text })
}

fn hit(hit: &Value) -> String {
    let fields = ["mrn", "name", "age_years", "phone", "department", "discharged_on"];
    let words = fields.iter().filter_map(|field| match hit.get(field)? {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    });
    words.collect::<Vec<_>>().join("\t")
}
