//! Ending and resuming everything of a patient, and taking back a discharge.

use aftercare_domain::error_code::ErrorCode;
use aftercare_domain::task::{TaskCommand, TaskStatus};
use rusqlite::Connection;
use uuid::Uuid;

use super::journal::Journal;
use super::{enrol, facts, task, worklist};
use crate::change_log::{ALERT, CONSULT, ENROLMENT, TASK, Writer};
use crate::error::{Error, Result};

/// Why a patient's follow-up ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopReason {
    /// Death.
    Deceased,
    /// The patient refuses calls, or any contact.
    Refused,
    /// Consent to follow-up was withdrawn.
    ConsentWithdrawn,
    /// The record was removed.
    Removed,
    /// An answer in a call ends every plan.
    ByAnswer,
}

impl StopReason {
    /// The word stored as the end reason of tasks and enrolments.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Deceased => "deceased",
            Self::Refused => "refused",
            Self::ConsentWithdrawn => "consent_withdrawn",
            Self::Removed => "removed",
            Self::ByAnswer => "by_answer",
        }
    }
}

fn enrolments(connection: &Connection, patient_id: Uuid, state: &str) -> Result<Vec<(Uuid, Option<String>)>> {
    let mut statement = connection.prepare_cached(
        "SELECT id, state_why FROM enrolment WHERE patient_id = ?1 AND state = ?2 ORDER BY id",
    )?;
    let rows = statement.query_map((patient_id, state), |row| Ok((row.get("id")?, row.get("state_why")?)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Ends every plan and task of a patient and takes them off the list. What is written about the reason itself (the
/// death, the refusal) is the caller's.
pub fn stop_patient(writer: &mut Writer<'_>, patient_id: Uuid, reason: StopReason) -> Result<()> {
    stop(&mut Journal::new(writer), patient_id, reason)?;
    worklist::refresh_patient(writer.connection(), patient_id, writer.now_millis())
}

/// As [`stop_patient`], within a call that is being saved.
pub(super) fn stop(journal: &mut Journal<'_, '_>, patient_id: Uuid, reason: StopReason) -> Result<()> {
    let why = reason.as_str();
    for (enrolment_id, _) in enrolments(journal.writer.connection(), patient_id, "active")? {
        enrol::end_enrolment(journal, enrolment_id, why, None)?;
    }
    for mut task in task::unfinished(journal.writer.connection(), patient_id)? {
        task::apply(journal, &mut task, TaskCommand::Cancel, Some(why), &[])?;
    }
    Ok(())
}

/// Takes up again what was ended for `reason`, as far as windows have not passed: a death recorded by mistake, a refusal
/// taken back.
pub fn resume_patient(writer: &mut Writer<'_>, patient_id: Uuid, reason: StopReason) -> Result<()> {
    let why = reason.as_str();
    let today = facts::local(writer.now_millis()).date();
    let mut journal = Journal::new(writer);
    for (enrolment_id, state_why) in enrolments(journal.writer.connection(), patient_id, "stopped")? {
        if state_why.as_deref() == Some(why) {
            enrol::revive_enrolment(&mut journal, enrolment_id, why, today)?;
        }
    }
    // Tasks without an enrolment: added by hand, and calls that bring an answer.
    for mut task in task::of_patient(journal.writer.connection(), patient_id)? {
        if task.enrolment_id.is_none() {
            enrol::revive_task(&mut journal, &mut task, why, today)?;
        }
    }
    worklist::refresh_patient(writer.connection(), patient_id, writer.now_millis())
}

/// Takes back what a discharge started, because its import is undone: its plan ends, and the plans it had ended go on.
pub fn withdraw_encounter(writer: &mut Writer<'_>, encounter_id: Uuid) -> Result<()> {
    const WHY: &str = "import_undone";
    let connection = writer.connection();
    let today = facts::local(writer.now_millis()).date();
    let mut statement = connection
        .prepare_cached("SELECT id, patient_id, state FROM enrolment WHERE encounter_id = ?1 ORDER BY id")?;
    let started: Vec<(Uuid, Uuid, String)> = statement
        .query_map([encounter_id], |row| Ok((row.get("id")?, row.get("patient_id")?, row.get("state")?)))?
        .collect::<rusqlite::Result<_>>()?;
    let patient_id: Uuid = connection
        .prepare_cached("SELECT patient_id FROM encounter WHERE id = ?1")?
        .query_row([encounter_id], |row| row.get("patient_id"))
        .map_err(|_| Error::new(ErrorCode::NotFound))?;
    let mut journal = Journal::new(writer);
    for (enrolment_id, _, state) in &started {
        if state == "active" {
            enrol::end_enrolment(&mut journal, *enrolment_id, WHY, None)?;
        }
    }
    // Tasks that this stay added to a plan that goes on.
    for mut task in task::unfinished(connection, patient_id)? {
        if task.encounter_id == Some(encounter_id) && task.status != TaskStatus::Cancelled {
            task::apply(&mut journal, &mut task, TaskCommand::Cancel, Some(WHY), &[])?;
        }
    }
    let mut statement = connection.prepare_cached(
        "SELECT id, state_why FROM enrolment WHERE patient_id = ?1 AND state = 'stopped' AND ended_for = ?2",
    )?;
    let ended: Vec<(Uuid, String)> = statement
        .query_map((patient_id, encounter_id), |row| Ok((row.get("id")?, row.get("state_why")?)))?
        .collect::<rusqlite::Result<_>>()?;
    for (enrolment_id, why) in ended {
        enrol::revive_enrolment(&mut journal, enrolment_id, &why, today)?;
    }
    worklist::refresh_patient(connection, patient_id, writer.now_millis())
}

/// Gives enrolments, tasks, alerts and questions of one patient to another, when two records are merged. Returns the
/// ids that moved, so that parting the records gives back exactly these. Calls and responses are facts and stay; a
/// patient's history reads those of the records merged into it.
pub fn move_patient(
    writer: &mut Writer<'_>,
    from: Uuid,
    to: Uuid,
    only: Option<&[Uuid]>,
) -> Result<Vec<Uuid>> {
    let mut moved = Vec::new();
    for entity in [&ENROLMENT, &TASK, &ALERT, &CONSULT] {
        let sql = format!("SELECT id FROM {} WHERE patient_id = ?1 ORDER BY id", entity.table);
        let ids: Vec<Uuid> = {
            let mut statement = writer.connection().prepare_cached(&sql)?;
            let rows = statement.query_map([from], |row| row.get("id"))?;
            rows.collect::<rusqlite::Result<_>>()?
        };
        for id in ids.into_iter().filter(|id| only.is_none_or(|only| only.contains(id))) {
            writer.update(entity, id, &[("patient_id", to.into())])?;
            moved.push(id);
        }
    }
    let now = writer.now_millis();
    worklist::refresh_patient(writer.connection(), from, now)?;
    worklist::refresh_patient(writer.connection(), to, now)?;
    Ok(moved)
}
