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

/// Every sheet of a month, in the order that the window offers first.
const SHEETS: [&str; 6] = ["followup", "complaints", "satisfaction", "workload", "doctors", "departments"];

/// Writes a month's workbook, or fills the hospital's form.
pub fn month(
    desk: &Desk,
    month: &str,
    out: &Path,
    template: Option<&Path>,
    sheets: &[String],
) -> Result<Answer, Failure> {
    let template = template.map(|template| path(desk.language, template)).transpose()?;
    let sheets = if sheets.is_empty() { json!(SHEETS) } else { json!(sheets) };
    let written = desk.call(
        "reports_month_export",
        json!({
            "month": month,
            "sheets": sheets,
            "template": template,
            "path": path(desk.language, out)?,
            "password": desk.password,
            "reason": words(desk.language).filled("export_reason", &[]),
            "reveal": desk.may("archive_reveal"),
            "language": desk.locale(),
        }),
    )?;
    let rows = written.get("rows").map(Value::to_string).unwrap_or_default();
    let shown = out.display().to_string();
    let key = if template.is_some() { "month_filled" } else { "export_done" };
    let text = words(desk.language).filled(key, &[("file", &shown), ("rows", &rows)]);
    Ok(Answer { json: written, text })
}

/// Freezes a month.
pub fn freeze(desk: &Desk, month: &str, reason: &str) -> Result<Answer, Failure> {
    let made = desk.call("reports_month_freeze", json!({ "month": month, "reason": reason }))?;
    let sites = made.get("sites").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let open: Vec<&str> = sites
        .iter()
        .filter(|site| site["complete"] == false)
        .filter_map(|site| site.get("name").and_then(Value::as_str))
        .collect();
    let key = if open.is_empty() { "month_frozen" } else { "month_frozen_incomplete" };
    let text = words(desk.language).filled(key, &[("month", month), ("sites", &open.join(", "))]);
    Ok(Answer { json: made, text })
}
