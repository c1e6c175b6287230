//! Excel files.

use std::path::Path;

use serde_json::{Value, json};

use crate::Answer;
use crate::desk::{Desk, path};
use crate::failure::Failure;
use crate::words::words;

/// Writes the follow-ups of a period, in full where the user may see them so.
pub fn followups(desk: &Desk, from: &str, to: &str, out: &Path) -> Result<Answer, Failure> {
    let written = desk.call(
        "reports_export",
        json!({
            "scope": { "from": from, "to": to, "department": null },
            "path": path(desk.language, out)?,
            "password": desk.password,
            "reason": words(desk.language).filled("export_reason", &[]),
            "reveal": desk.may("archive_reveal"),
            "language": desk.locale(),
        }),
    )?;
    let rows = written.get("rows").map(Value::to_string).unwrap_or_default();
    let shown = out.display().to_string();
    let text = words(desk.language).filled("export_done", &[("file", &shown), ("rows", &rows)]);
    Ok(Answer { json: written, text })
}
