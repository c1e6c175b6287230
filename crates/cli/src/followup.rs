//! What is due.

use serde_json::{Value, json};

use crate::Answer;
use crate::desk::Desk;
use crate::failure::Failure;
use crate::words::words;

/// Rows that the core answers at once.
const PAGE: u32 = 200;

/// The whole worklist of a day, in the order of calling.
pub fn worklist(desk: &Desk, on: Option<&str>) -> Result<Answer, Failure> {
    let mut rows: Vec<Value> = Vec::new();
    let mut cursor = Value::Null;
    let day = loop {
        let page = desk.call("followup_worklist", json!({ "on": on, "cursor": cursor, "limit": PAGE }))?;
        rows.extend(page.get("rows").and_then(Value::as_array).into_iter().flatten().cloned());
        cursor = page.get("next_cursor").cloned().unwrap_or_default();
        if cursor.is_null() {
            break page.get("on").cloned().unwrap_or_default();
        }
    };
    let count = rows.len().to_string();
    let mut lines = vec![
        words(desk.language)
            .filled("worklist", &[("on", day.as_str().unwrap_or_default()), ("rows", &count)]),
    ];
    lines.extend(rows.iter().map(line));
    Ok(Answer { json: json!({ "on": day, "rows": rows }), text: lines.join("\n") })
}

fn line(row: &Value) -> String {
    let fields = ["level", "reason", "overdue_days", "name", "department"];
    let words = fields.iter().map(|field| match row.get(field) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Null) | None => String::new(),
        Some(other) => other.to_string(),
    });
    words.collect::<Vec<_>>().join("\t")
}
