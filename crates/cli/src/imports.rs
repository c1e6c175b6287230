//! Extracts of the HIS: importing them, and taking an import back.

use std::path::Path;

use serde_json::{Value, json};

use crate::Answer;
use crate::desk::{Desk, path};
use crate::failure::Failure;
use crate::words::words;

/// Rows with problems that a person reads on the terminal; the report has all.
const SHOWN: usize = 20;

/// Imports a file, or with `dry_run` says what it would do.
pub fn import(desk: &Desk, file: &Path, dry_run: bool, report: Option<&Path>) -> Result<Answer, Failure> {
    let report = report.map(|report| path(desk.language, report)).transpose()?;
    let request = json!({
        "path": path(desk.language, file)?,
        "dry_run": dry_run,
        "language": desk.locale(),
        "report": report,
    });
    let mut done = desk.call("imports_run", request)?;
    let text = described(desk, &done, dry_run);
    // Told to people; programs are given the documented fields and no others.
    if let Some(fields) = done.as_object_mut() {
        fields.remove("deleted_rows");
    }
    Ok(Answer { json: done, text })
}

/// Takes a whole batch back.
pub fn undo(desk: &Desk, batch: &str) -> Result<Answer, Failure> {
    let undone = desk.call("imports_undo_run", json!({ "batch": batch }))?;
    let text = words(desk.language).filled_from("undo_done", &undone);
    Ok(Answer { json: undone, text })
}

fn described(desk: &Desk, done: &Value, dry_run: bool) -> String {
    let mut text =
        words(desk.language).filled_from(if dry_run { "import_tried" } else { "import_done" }, done);
    if done.get("deleted_rows").and_then(Value::as_u64).is_some_and(|count| count > 0) {
        text.push('\n');
        text.push_str(&words(desk.language).filled_from("import_deleted", done));
    }
    let rejected = done.get("rejected").and_then(Value::as_array).cloned().unwrap_or_default();
    for problem in rejected.iter().take(SHOWN) {
        text.push('\n');
        text.push_str(&words(desk.language).filled_from("import_rejected", problem));
    }
    if rejected.len() > SHOWN {
        text.push('\n');
        let more = (rejected.len() - SHOWN).to_string();
        text.push_str(&words(desk.language).filled("and_more", &[("more", &more)]));
    }
    text
}
