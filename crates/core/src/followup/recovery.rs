//! 服务补救: a call that a bad survey sheet asks for, and the alerts of a questionnaire's rules.

use aftercare_domain::followup::AlertStatus;
use aftercare_domain::forms::Alert;
use chrono::Days;
use rusqlite::Connection;
use uuid::Uuid;

use super::journal::Journal;
use super::task::{self, NewTask};
use super::{alert, facts, level_word, worklist};
use crate::change_log::{ALERT, Writer};
use crate::error::Result;
use crate::{db, settings};

/// Days within which the recovery is to be called.
const WINDOW_DAYS: u64 = 2;

/// Whom and why.
pub(crate) struct Recovery<'a> {
    /// The task's id: the same for the same sheet on every desk.
    pub id: Uuid,
    /// The patient.
    pub patient_id: Uuid,
    /// The stay.
    pub encounter_id: Option<Uuid>,
    /// What the caller sees.
    pub remark: &'a str,
}

fn is_there(connection: &Connection, sql: &str, id: Uuid) -> Result<bool> {
    let found = connection.prepare_cached(sql)?.query_row([id], |row| row.get::<_, i64>(0));
    Ok(db::optional(found)?.is_some())
}

/// Whether the recovery was opened.
pub(crate) fn is_open_or_done(connection: &Connection, id: Uuid) -> Result<bool> {
    is_there(connection, "SELECT 1 FROM task WHERE id = ?1", id)
}

/// Opens a recovery in the worklist, once. `false` when it is there already, or the patient must not be called.
pub(crate) fn open(writer: &mut Writer<'_>, new: &Recovery<'_>) -> Result<bool> {
    let connection = writer.connection();
    if is_open_or_done(connection, new.id)? {
        return Ok(false);
    }
    let Some(patient) = facts::patient(connection, new.patient_id)? else { return Ok(false) };
    let refused = patient.optout != aftercare_domain::plans::Optout::None;
    if patient.deceased || patient.gone || refused || facts::consent_withdrawn(connection, patient.id)? {
        return Ok(false);
    }
    let now = writer.now_millis();
    let today = facts::local(now).date();
    let task = NewTask {
        patient_id: patient.id,
        enrolment_id: None,
        encounter_id: new.encounter_id,
        kind: task::RECOVERY,
        timepoint: "",
        occurrence: 1,
        label: "",
        anchor_on: None,
        plan_code: "",
        plan_version: 0,
        form: "",
        channel: "phone",
        owner: "center",
        due_on: today,
        window_starts_on: today,
        window_ends_on: today + Days::new(WINDOW_DAYS),
        condition: None,
        risk: 0,
        red: false,
        assigned_to: None,
        consult_id: None,
        remark: Some(new.remark),
    };
    task::create(&mut Journal::new(writer), new.id, &task)?;
    worklist::refresh_patient(writer.connection(), patient.id, now)?;
    Ok(true)
}

/// Raises an alert of a questionnaire's rule about a patient, once for each id.
pub(crate) fn raise(
    writer: &mut Writer<'_>,
    id: Uuid,
    patient_id: Uuid,
    form: (&str, u32),
    rule: &Alert,
) -> Result<bool> {
    let connection = writer.connection();
    if is_there(connection, "SELECT 1 FROM alert WHERE id = ?1", id)? {
        return Ok(false);
    }
    let now = writer.now_millis();
    let calling = facts::calling_rule(&settings::load(connection)?);
    let due_at = alert::due_at(connection, rule.sla, now, &calling)?;
    let fields = [
        ("patient_id", patient_id.into()),
        ("plan_code", form.0.into()),
        ("plan_version", i64::from(form.1).into()),
        ("rule", rule.code.as_str().into()),
        ("level", level_word(rule.level).into()),
        ("say", serde_json::to_string(&rule.say)?.into()),
        ("route", rule.route.as_str().into()),
        ("raised_at", now.into()),
        ("due_at", due_at.into()),
        ("raised_by", writer.user().into()),
        ("status", AlertStatus::Open.as_str().into()),
    ];
    writer.create(&ALERT, id, &fields)?;
    worklist::refresh_patient(writer.connection(), patient_id, now)?;
    Ok(true)
}
