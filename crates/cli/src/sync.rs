//! Meeting the hospital's server.

use std::path::{Path, PathBuf};
use std::time::Duration;

use aftercare_core::words::Language;
use serde_json::{Value, json};

use crate::Answer;
use crate::args::Global;
use crate::desk::Desk;
use crate::failure::Failure;
use crate::secret::password;
use crate::words::words;

/// How often a job is asked whether it has ended.
const LOOK: Duration = Duration::from_millis(20);
/// Most conflicts that are listed.
const SHOWN: u32 = 200;

/// Joins a server, and waits for the first sync. An empty folder becomes a desk of the hospital, for
/// a user whom the server knows.
pub fn enrol(global: &Global, language: Language, server: &str, code: &str) -> Result<Answer, Failure> {
    let empty = Desk::signed_out(global, language)?;
    let state = empty.call("session_status", json!({}))?;
    let mut recovery = Value::Null;
    let is_new = state["state"] == "setup" || state["nobody_yet"] == true;
    if is_new {
        let user = global.user().ok_or_else(|| Failure::missing(language, "--user"))?;
        let password = password(language)?;
        if state["state"] == "setup" {
            let joined = empty.call("sync_join", json!({ "address": server, "code": code }))?;
            recovery = joined["recovery_code"].clone();
        }
        empty.call("sync_login", json!({ "login": user, "password": password }))?;
    }
    drop(empty);
    let desk = &Desk::open(global, language)?;
    let mut done = if !is_new {
        let joined = desk.call("sync_enrol", json!({ "address": server, "code": code }))?;
        wait(desk, &joined["job"])?
    } else {
        let started = desk.call("sync_now", json!({}))?;
        wait(desk, &started["id"])?
    };
    if !recovery.is_null() {
        done["recovery_code"] = recovery;
    }
    done["hospital"] = desk.call("session_status", json!({}))?["hospital"].clone();
    let text = words(desk.language).filled_from("enrol_done", &done);
    Ok(Answer { json: done, text })
}

/// Rounds until the program is stopped; each prints its line. With `once` a single round.
pub fn sync(global: &Global, language: Language, once: bool) -> Result<Answer, Failure> {
    loop {
        // Signed in for the round only: between rounds nothing is open on this PC.
        let desk = Desk::open(global, language)?;
        let result = round(&desk);
        if once {
            return result;
        }
        let minutes = desk.call("settings_get", json!({}))?["sync_minutes"].as_u64().unwrap_or(5);
        drop(desk);
        match result {
            Ok(answer) if global.json => println!("{}", answer.json),
            Ok(answer) => println!("{}", answer.text),
            Err(failure) => eprintln!("{}", json!({ "code": failure.code, "message": failure.message })),
        }
        std::thread::sleep(Duration::from_secs(60 * minutes.max(1)));
    }
}

fn round(desk: &Desk) -> Result<Answer, Failure> {
    let started = desk.call("sync_now", json!({}))?;
    let done = wait(desk, &started["id"])?;
    let mut text = words(desk.language).filled_from("sync_done", &done);
    if !done["clock_off_seconds"].is_null() {
        text.push('\n');
        text.push_str(&words(desk.language).filled_from("sync_clock_off", &done));
    }
    Ok(Answer { json: done, text })
}

/// Writes everything unsent to a file for the server.
pub fn export_usb(desk: &Desk, file: &Path) -> Result<Answer, Failure> {
    let started = desk.call("sync_stick_write", json!({ "path": absolute(desk, file)? }))?;
    let mut done = wait(desk, &started["id"])?;
    done["file"] = json!(file.display().to_string());
    let text = words(desk.language).filled_from("stick_written", &done);
    Ok(Answer { json: done, text })
}

/// Takes in what the server has answered.
pub fn import_usb(desk: &Desk, file: &Path) -> Result<Answer, Failure> {
    let started = desk.call("sync_stick_read", json!({ "path": absolute(desk, file)? }))?;
    let done = wait(desk, &started["id"])?;
    let text = words(desk.language).filled_from("sync_done", &done);
    Ok(Answer { json: done, text })
}

/// The file as the desk finds it, wherever its work runs.
fn absolute(desk: &Desk, file: &Path) -> Result<PathBuf, Failure> {
    std::path::absolute(file).map_err(|_| Failure::of_code(desk.language, "file_missing", None))
}

/// Waits for a job's result.
fn wait(desk: &Desk, job: &Value) -> Result<Value, Failure> {
    loop {
        let status = desk.call("settings_job", json!({ "id": job }))?;
        match status["state"].as_str() {
            Some("running") => std::thread::sleep(LOOK),
            Some("done") => return Ok(status["result"].clone()),
            _ => return Err(Failure::of_job(desk.language, &status["error"])),
        }
    }
}

/// What two people changed without knowing of each other.
pub fn conflicts(desk: &Desk) -> Result<Answer, Failure> {
    let found = desk.call("sync_conflicts", json!({ "limit": SHOWN }))?;
    let lines: Vec<String> = found["conflicts"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|conflict| words(desk.language).filled_from("conflict_line", conflict))
        .collect();
    let text =
        if lines.is_empty() { words(desk.language).filled("conflicts_none", &[]) } else { lines.join("\n") };
    Ok(Answer { json: found, text })
}

/// Asks for a patient's erasure, or confirms it.
pub fn erase(desk: &Desk, mrn: &str, confirm: bool) -> Result<Answer, Failure> {
    let found = desk.call("archive_find", json!({ "query": mrn, "limit": 50 }))?;
    let hits = found["hits"].as_array().into_iter().flatten();
    let Some(hit) = hits.into_iter().find(|hit| hit["mrn"] == mrn) else {
        return Err(Failure::of_code(desk.language, "not_found", None));
    };
    let request = json!({
        "patient_id": hit["patient_id"],
        "password": password(desk.language)?,
        "confirm": confirm,
    });
    let done = desk.call("sync_erase", request)?;
    let key = if done["erased"] == true { "erase_done" } else { "erase_asked" };
    Ok(Answer { text: words(desk.language).filled(key, &[]), json: done })
}
