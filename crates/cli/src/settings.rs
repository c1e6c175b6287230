//! Backup, restore, and the examination of a desk.

use std::path::Path;

use aftercare_core::words::Language;
use serde_json::{Value, json};

use crate::Answer;
use crate::args::Global;
use crate::desk::{Desk, path};
use crate::failure::Failure;
use crate::secret;
use crate::words::words;

/// Writes an encrypted backup, which is read back before it counts.
pub fn backup(desk: &Desk, file: &Path) -> Result<Answer, Failure> {
    let written = desk.call("settings_backup", json!({ "path": path(desk.language, file)? }))?;
    let bytes = written.get("bytes").map(Value::to_string).unwrap_or_default();
    let shown = file.display().to_string();
    let text = words(desk.language).filled("backup_done", &[("file", &shown), ("bytes", &bytes)]);
    Ok(Answer { json: written, text })
}

/// Puts a backup in place. On the PC that wrote it the user's password opens it; on another one the printed code
/// does, and the password becomes the user's new one there.
pub fn restore(global: &Global, language: Language, file: &Path) -> Result<Answer, Failure> {
    let user = global.user().ok_or_else(|| Failure::missing(language, "--user"))?;
    let path = path(language, file)?;
    let code = secret::recovery_code(language)?;
    let ask = if code.is_some() { secret::new_password } else { secret::password };
    let request = json!({ "path": path, "login": user, "password": ask(language)?, "recovery_code": code });
    let desk = Desk::signed_out(global, language)?;
    let restored = desk.call("settings_restore", request)?;
    let hospital = restored.get("hospital").and_then(Value::as_str).unwrap_or_default().to_owned();
    let text = words(language).filled("restore_done", &[("hospital", &hospital)]);
    Ok(Answer { json: restored, text })
}

/// Examines the desk; what is broken is an error after everything that was found.
pub fn doctor(desk: &Desk) -> Result<Answer, Failure> {
    let found = desk.call("settings_doctor", json!({}))?;
    let checks = found.get("checks").and_then(Value::as_array).cloned().unwrap_or_default();
    let lines: Vec<String> = checks.iter().map(|check| line(desk.language, check)).collect();
    let answer = Answer { json: found, text: lines.join("\n") };
    match checks.iter().find(|check| check["state"] == "broken") {
        None => Ok(answer),
        Some(broken) => {
            let code = broken.pointer("/params/code").and_then(Value::as_str).unwrap_or("internal");
            Err(Failure::of_code(desk.language, code, Some(answer)))
        }
    }
}

/// `pages: ok` with the numbers that belong to it.
fn line(language: Language, check: &Value) -> String {
    let word = |key: &str| check.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let name = words(language).filled(&format!("doctor_{}", word("check")), &[]);
    let state = words(language).filled(&format!("doctor_state_{}", word("state")), &[]);
    let params = check.get("params").and_then(Value::as_object).cloned().unwrap_or_default();
    let numbers: Vec<String> =
        params.values().map(|value| value.as_str().map_or(value.to_string(), str::to_owned)).collect();
    format!("{name}: {state} {}", numbers.join(" ")).trim_end().to_owned()
}
