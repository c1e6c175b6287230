//! Questions and replies in the tables.

use aftercare_domain::error_code::ErrorCode;
use aftercare_domain::followup::{ConsultCommand, ConsultStatus, judge_consult};
use aftercare_domain::personal::Personal;
use rusqlite::types::Value;
use rusqlite::{Connection, Row};
use uuid::Uuid;

use super::{ConsultItem, ConsultReply, ConsultStay};
use crate::change_log::{CONSULT, CONSULT_REPLY, Change};
use crate::db;
use crate::error::{Error, Result};
use crate::followup::journal::Journal;
use crate::followup::people::People;
use crate::followup::task::day;
use crate::followup::viewer::Viewer;
use crate::followup::{alert, call, facts, id_value};

/// A question to ask.
pub(in crate::followup) struct NewConsult<'a> {
    pub patient_id: Uuid,
    pub alert_id: Option<Uuid>,
    pub task_id: Option<Uuid>,
    pub level: &'a str,
    pub question: &'a str,
    pub department: &'a str,
    pub asked_of: Option<Uuid>,
    pub due_at: i64,
}

/// Asks.
pub(in crate::followup) fn ask(journal: &mut Journal<'_, '_>, new: &NewConsult<'_>) -> Result<Uuid> {
    let id = journal.new_id();
    let fields = [
        ("patient_id", new.patient_id.into()),
        ("alert_id", new.alert_id.into()),
        ("task_id", new.task_id.into()),
        ("level", new.level.into()),
        ("question", new.question.into()),
        ("department", new.department.into()),
        ("asked_of", new.asked_of.into()),
        ("asked_at", journal.writer.now_millis().into()),
        ("asked_by", journal.writer.user().into()),
        ("due_at", new.due_at.into()),
        ("status", ConsultStatus::Open.as_str().into()),
    ];
    journal.create(&CONSULT, id, &fields)?;
    Ok(id)
}

/// The department a question goes to: the asked person's own when none is given.
///
/// # Errors
/// `Invalid` with fields `department` or `asked_of`.
pub(in crate::followup) fn department_of(
    connection: &Connection,
    department: &str,
    asked_of: Option<Uuid>,
) -> Result<String> {
    let department = department.trim();
    let own = match asked_of {
        None => None,
        Some(person) => {
            let found = db::optional(
                connection
                    .prepare_cached("SELECT department FROM staff WHERE id = ?1 AND active = 1")?
                    .query_row([person], |row| row.get::<_, String>("department")),
            )?;
            Some(found.ok_or_else(|| Error::field("asked_of", ErrorCode::NotAllowed))?)
        }
    };
    if department.chars().count() > 100 {
        return Err(Error::field("department", ErrorCode::TooLong));
    }
    match (department.is_empty(), own) {
        (false, _) => Ok(department.to_owned()),
        (true, Some(own)) => Ok(own),
        (true, None) => Err(Error::field("department", ErrorCode::Required)),
    }
}

/// What the steps need of a question.
pub(in crate::followup) struct Stored {
    pub id: Uuid,
    pub patient_id: Uuid,
    pub alert_id: Option<Uuid>,
    pub task_id: Option<Uuid>,
    pub level: String,
    pub department: String,
    pub asked_of: Option<Uuid>,
    pub asked_by: Uuid,
    pub status: ConsultStatus,
    pub told_at: Option<i64>,
}

/// Reads a question.
///
/// # Errors
/// `NotFound`.
pub(in crate::followup) fn load(connection: &Connection, id: Uuid) -> Result<Stored> {
    let mut statement = connection.prepare_cached(
        "SELECT patient_id, alert_id, task_id, level, department, asked_of, asked_by, status, told_at
         FROM consult WHERE id = ?1",
    )?;
    Ok(statement.query_row([id], |row| {
        Ok(Stored {
            id,
            patient_id: row.get("patient_id")?,
            alert_id: row.get("alert_id")?,
            task_id: row.get("task_id")?,
            level: row.get("level")?,
            department: row.get("department")?,
            asked_of: row.get("asked_of")?,
            asked_by: row.get("asked_by")?,
            status: ConsultStatus::parse(row.get_ref("status")?.as_str()?)
                .unwrap_or(ConsultStatus::Withdrawn),
            told_at: row.get("told_at")?,
        })
    })?)
}

/// Judges and carries out a command on a question.
pub(super) fn apply(
    journal: &mut Journal<'_, '_>,
    consult: &Stored,
    command: ConsultCommand,
    more: &[Change],
) -> Result<()> {
    let status = judge_consult(consult.status, command)
        .map_err(|status| Error::new(ErrorCode::ConsultState).with("status", status.as_str()))?;
    let mut fields: Vec<Change> = vec![("status", status.as_str().into())];
    fields.extend_from_slice(more);
    journal.command(&CONSULT, consult.id, command.name(), &fields)
}

/// Writes a reply.
pub(super) fn reply(
    journal: &mut Journal<'_, '_>,
    consult_id: Uuid,
    reply: &str,
    advice: &str,
    next_visit_on: Option<&str>,
    call_back_on: &str,
) -> Result<()> {
    let fields = [
        ("consult_id", consult_id.into()),
        ("reply", reply.into()),
        ("advice", advice.into()),
        ("next_visit_on", next_visit_on.into()),
        ("call_back_on", call_back_on.into()),
        ("replied_at", journal.writer.now_millis().into()),
        ("user_id", journal.writer.user().into()),
    ];
    let id = journal.new_id();
    journal.create(&CONSULT_REPLY, id, &fields)
}

/// The return call was made: the patient knows, and the alert is done with.
pub(in crate::followup) fn tell(journal: &mut Journal<'_, '_>, consult_id: Uuid) -> Result<()> {
    let consult = load(journal.writer.connection(), consult_id)?;
    if consult.status != ConsultStatus::Answered {
        return Ok(());
    }
    let told = [("told_at", journal.writer.now_millis().into())];
    apply(journal, &consult, ConsultCommand::Tell, &told)?;
    match consult.alert_id {
        Some(alert_id) => alert::close_told(journal, alert_id),
        None => Ok(()),
    }
}

const ITEM: &str = "SELECT consult.id, consult.patient_id, consult.alert_id, consult.task_id, consult.level, \
     consult.question, consult.department, consult.asked_of, consult.asked_at, consult.asked_by, consult.due_at, \
     consult.status, patient.name, patient.sex, patient.birth_on, patient.age_text, task.encounter_id \
     FROM consult JOIN patient ON patient.id = consult.patient_id LEFT JOIN task ON task.id = consult.task_id WHERE ";

fn item_row(row: &Row<'_>, now: i64, people: &People) -> rusqlite::Result<(ConsultItem, Option<Uuid>)> {
    let status = ConsultStatus::parse(row.get_ref("status")?.as_str()?).unwrap_or(ConsultStatus::Withdrawn);
    let due_at: i64 = row.get("due_at")?;
    let birth_on = row.get::<_, Option<String>>("birth_on")?.as_deref().map(day);
    let age_text: Option<String> = row.get("age_text")?;
    let item = ConsultItem {
        id: row.get("id")?,
        patient_id: row.get("patient_id")?,
        name: row.get::<_, String>("name")?.into(),
        sex: row.get("sex")?,
        age: facts::age(birth_on, age_text.as_deref(), facts::local(now).date()),
        encounter: None,
        alert_id: row.get("alert_id")?,
        level: row.get("level")?,
        question: row.get::<_, String>("question")?.into(),
        department: row.get("department")?,
        asked_of: row.get::<_, Option<Uuid>>("asked_of")?.map(|person| people.name(person)),
        asked_at: row.get("asked_at")?,
        asked_by: people.name(row.get("asked_by")?),
        due_at,
        overdue: status == ConsultStatus::Open && due_at < now,
        status,
        replies: Vec::new(),
    };
    Ok((item, row.get("encounter_id")?))
}

/// Questions that fit `condition`, a constant of this program.
pub(super) fn items(
    connection: &Connection,
    condition: &str,
    values: &[Value],
    now: i64,
    people: &People,
) -> Result<Vec<ConsultItem>> {
    let mut statement = connection.prepare_cached(&format!("{ITEM}{condition}"))?;
    let rows = statement.query_map(rusqlite::params_from_iter(values), |row| item_row(row, now, people))?;
    let mut items = Vec::new();
    for row in rows {
        let (mut item, encounter_id) = row?;
        let stay = match encounter_id {
            Some(id) => call::encounter(connection, id)?,
            None => call::latest_encounter(connection, item.patient_id)?,
        };
        item.encounter = stay.map(|stay| ConsultStay {
            department: stay.department,
            diagnosis: stay.diagnosis,
            discharged_on: stay.discharged_on,
            doctor: stay.doctor,
        });
        item.replies = replies(connection, item.id, people)?;
        items.push(item);
    }
    Ok(items)
}

fn replies(connection: &Connection, consult_id: Uuid, people: &People) -> Result<Vec<ConsultReply>> {
    let mut statement = connection.prepare_cached(
        "SELECT reply, advice, next_visit_on, call_back_on, replied_at, user_id FROM consult_reply
         WHERE consult_id = ?1 ORDER BY replied_at, rowid",
    )?;
    let rows = statement.query_map([consult_id], |row| {
        Ok(ConsultReply {
            reply: Personal::new(row.get::<_, String>("reply")?),
            advice: Personal::new(row.get::<_, String>("advice")?),
            next_visit_on: row.get("next_visit_on")?,
            call_back_on: row.get("call_back_on")?,
            replied_at: row.get("replied_at")?,
            user: people.name(row.get("user_id")?),
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// One question.
pub(in crate::followup) fn item(
    connection: &Connection,
    id: Uuid,
    now: i64,
    people: &People,
) -> Result<ConsultItem> {
    let found = items(connection, "consult.id = ?1", &[id_value(id)], now, people)?.pop();
    found.ok_or_else(|| Error::new(ErrorCode::NotFound))
}

/// Questions asked because of an alert.
pub(in crate::followup) fn of_alert(
    connection: &Connection,
    alert_id: Uuid,
    now: i64,
    people: &People,
) -> Result<Vec<ConsultItem>> {
    items(connection, "consult.alert_id = ?1 ORDER BY consult.asked_at", &[id_value(alert_id)], now, people)
}

/// Questions about a patient that are open, or answered and not told.
pub(in crate::followup) fn of_patient(
    connection: &Connection,
    patient_id: Uuid,
    now: i64,
    people: &People,
    viewer: Viewer,
) -> Result<Vec<ConsultItem>> {
    // An answer is there to be told to the patient, by whoever calls.
    let condition = format!(
        "consult.patient_id = ?1 AND (consult.status = 'answered' OR consult.status = 'open' AND {}) \
         ORDER BY consult.due_at",
        viewer.of_consults()
    );
    items(connection, &condition, &[id_value(patient_id)], now, people)
}
