//! Complaints, and their deadlines.

use std::io::Read;
use std::path::Path;

use aftercare_core::words::Language;
use aftercare_domain::calendar::{Calendar, Certainty};
use aftercare_domain::complaint;
use serde_json::{Value, json};

use crate::Answer;
use crate::args::Global;
use crate::desk::Desk;
use crate::failure::Failure;
use crate::words::words;

/// Rows that the core answers at once.
const PAGE: u32 = 200;
/// A form has a few kilobytes.
const LARGEST_FORM: u64 = 1 << 20;

fn read(language: Language, file: &Path) -> Result<Value, Failure> {
    let mut text = String::new();
    let done = if file == Path::new("-") {
        std::io::stdin().take(LARGEST_FORM).read_to_string(&mut text)
    } else {
        std::fs::File::open(file).and_then(|opened| opened.take(LARGEST_FORM).read_to_string(&mut text))
    };
    let unreadable = || Failure::of_code(language, "file_unreadable", None);
    done.map_err(|_| unreadable())?;
    let value: Value =
        serde_json::from_str(&text).map_err(|_| Failure::of_code(language, "bad_request", None))?;
    if value.is_object() { Ok(value) } else { Err(Failure::of_code(language, "bad_request", None)) }
}

/// Registers what a JSON file tells.
pub fn register(desk: &Desk, file: &Path) -> Result<Answer, Failure> {
    let done = desk.call("complaints_register", read(desk.language, file)?)?;
    let word = |name: &str| done.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let text = words(desk.language)
        .filled("complaint_registered", &[("number", &word("number")), ("due", &word("due_on"))]);
    Ok(Answer { json: done, text })
}

/// Moves the complaint of a number on.
pub fn make_move(
    desk: &Desk,
    number: &str,
    name: &str,
    text: Option<&str>,
    form: Option<&Path>,
) -> Result<Answer, Failure> {
    let mut request = match form {
        Some(file) => read(desk.language, file)?,
        None => json!({}),
    };
    let found = desk.call("complaints_list", json!({ "view": "all", "find": number, "limit": 2 }))?;
    let rows = found.get("rows").and_then(Value::as_array).cloned().unwrap_or_default();
    let row = rows.iter().find(|row| row["number"] == number);
    let Some(row) = row else { return Err(Failure::of_code(desk.language, "not_found", None)) };
    request["id"] = row["id"].clone();
    request["move"] = json!(name);
    if let Some(text) = text {
        request["text"] = json!(text);
    }
    let done = desk.call("complaints_move", request)?;
    let item = done.get("item").cloned().unwrap_or_default();
    Ok(Answer { text: line(&item), json: item })
}

/// Lists complaints.
pub fn list(desk: &Desk, view: &str, department: Option<&str>, limit: u32) -> Result<Answer, Failure> {
    let mut rows: Vec<Value> = Vec::new();
    let mut cursor = Value::Null;
    loop {
        let left = limit.saturating_sub(u32::try_from(rows.len()).unwrap_or(u32::MAX));
        let request =
            json!({ "view": view, "department": department, "cursor": cursor, "limit": left.clamp(1, PAGE) });
        let page = desk.call("complaints_list", request)?;
        rows.extend(page.get("rows").and_then(Value::as_array).into_iter().flatten().cloned());
        cursor = page.get("next_cursor").cloned().unwrap_or_default();
        if cursor.is_null() || rows.len() >= limit as usize {
            break;
        }
    }
    let text = rows.iter().map(line).collect::<Vec<_>>().join("\n");
    Ok(Answer { json: json!({ "rows": rows }), text })
}

/// Number, state, deadline with its clock, department, severity.
fn line(row: &Value) -> String {
    let word = |pointer: &str| row.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let fields = ["/number", "/status", "/due_on", "/clock/state", "/departments/0", "/severity"];
    fields.map(word).join("\t")
}

/// The last day to answer; says so when it lies beyond the last published calendar.
pub fn deadline(global: &Global, language: Language, from: &str, days: u32) -> Result<Answer, Failure> {
    let done = if global.home().is_some() {
        Desk::open(global, language)?.call("complaints_deadline", json!({ "from": from, "days": days }))?
    } else {
        let day = from.parse().map_err(|_| Failure::of_code(language, "bad_date", None))?;
        let due = complaint::deadline(Calendar::shipped(), day, days);
        json!({ "due_on": due.date.to_string(), "unconfirmed": due.certainty == Certainty::BeyondKnownYear })
    };
    let due_on = done.get("due_on").and_then(Value::as_str).unwrap_or_default();
    let key = if done["unconfirmed"] == true { "deadline_unconfirmed" } else { "deadline" };
    let text = words(language).filled(key, &[("due", due_on)]);
    Ok(Answer { json: done, text })
}
