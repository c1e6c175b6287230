//! The follow-up desk: discharges become tasks, tasks a worklist, calls responses, responses alerts,
//! alerts questions to experts, and their answers calls again.
//!
//! - `enrol`: plans and tasks from discharges (called by the importer);
//! - `worklist`: the right next call, kept ready in a local table;
//! - `dial`: the contact guard before every dial;
//! - `call`: the three panes, evaluation, saving in one transaction, taking back;
//! - `manage`: claims, assignment, tasks added and closed by hand;
//! - `alert`, `consult`, `slip`: red flags, experts, the printed 回访单.
//!
//! Calls, responses and steps are facts: a correction is a new fact that names what it replaces. Tasks, alerts and
//! questions change status only by a command that a pure judge in `aftercare_domain` has passed.

pub mod alert;
pub mod along;
pub mod call;
pub mod consult;
pub mod dial;
mod enrol;
mod facts;
mod journal;
pub mod manage;
pub mod patient_plans;
mod people;
pub(crate) mod recovery;
pub mod slip;
mod stop;
mod task;
#[cfg(test)]
pub(crate) mod tests;
mod viewer;
pub mod worklist;

use aftercare_domain::error_code::ErrorCode;
use aftercare_domain::forms::{Level, LocalText};
use chrono::NaiveDate;
use rusqlite::Connection;
use uuid::Uuid;

use self::journal::Journal;
use crate::archive;
use crate::error::{FieldErrors, Result};
use crate::forms;

pub use enrol::{Discharge, Enrolled, Enroller};
pub(crate) use facts::{age, consent_withdrawn};
pub use people::{PeopleRequest, PeopleResponse, Person, people};
pub use stop::{StopReason, move_patient, resume_patient, stop_patient, withdraw_encounter};
pub use worklist::{
    WorklistCounts, check_worklist, counts, forget_patient, rebuild_worklist, refresh_patient,
};

/// Reads a level's stored word.
pub(crate) fn level(word: &str) -> Option<Level> {
    match word {
        "red" => Some(Level::Red),
        "orange" => Some(Level::Orange),
        "yellow" => Some(Level::Yellow),
        _ => None,
    }
}

/// The word stored for a level.
pub(crate) fn level_word(level: Level) -> &'static str {
    match level {
        Level::Red => "red",
        Level::Orange => "orange",
        Level::Yellow => "yellow",
    }
}

/// An id as a query's value.
fn id_value(id: Uuid) -> rusqlite::types::Value {
    rusqlite::types::Value::Blob(id.as_bytes().to_vec())
}

/// The name of a plan in the version a task names; its code when this desk does not have that version.
fn plan_name(connection: &Connection, code: &str, version: u32) -> Result<Option<LocalText>> {
    if code.is_empty() {
        return Ok(None);
    }
    // What a questionnaire's rule has raised bears its name.
    Ok(Some(match forms::plan(connection, code, version) {
        Ok(plan) => plan.plan().name.clone(),
        Err(_) => match forms::questionnaire(connection, code, version) {
            Ok(form) => form.form().title.clone(),
            Err(_) => LocalText { zh: code.to_owned(), en: code.to_owned() },
        },
    }))
}

/// How long a saved call can be taken back.
const UNDO_MILLIS: i64 = 10 * 60_000;

/// Until when a call saved at `saved_at` can be taken back.
fn undo_until(saved_at: i64) -> i64 {
    saved_at + UNDO_MILLIS
}

/// A text that must be there, trimmed, with a longest length in characters.
fn checked_text(errors: &mut FieldErrors, field: &str, text: &str, max: usize) -> String {
    let text = text.trim();
    if text.is_empty() {
        errors.add(field, ErrorCode::Required);
    } else if text.chars().count() > max {
        errors.add_with(field, ErrorCode::TooLong, "max", max);
    }
    text.to_owned()
}

/// Death was learnt in a call, from whoever answered.
fn death(journal: &mut Journal<'_, '_>, patient_id: Uuid, on: Option<NaiveDate>) -> Result<()> {
    let note_id = journal.new_id();
    archive::register_death(journal.writer, note_id, patient_id, on, "family")
}

/// The patient said in a call that nobody shall call again.
fn refuse_calls(journal: &mut Journal<'_, '_>, patient_id: Uuid) -> Result<()> {
    let note_id = journal.new_id();
    archive::set_optout(journal.writer, note_id, patient_id, archive::Optout::Phone, None)
}
