//! Tasks as they lie in the table, and their judged changes.

use aftercare_domain::error_code::ErrorCode;
use aftercare_domain::op::FieldValue;
use aftercare_domain::task::{Refusal, TaskCommand, TaskState, TaskStatus, judge};
use chrono::NaiveDate;
use rusqlite::{Connection, Row};
use uuid::Uuid;

use super::journal::Journal;
use crate::change_log::{Change, TASK};
use crate::error::{Error, Result};

/// A task's kind: from a plan's timepoint.
pub(super) const PLAN: &str = "plan";
/// Called for by an alert, so many days later.
pub(super) const EXTRA: &str = "extra";
/// Added by a person.
pub(super) const MANUAL: &str = "manual";
/// Brings an expert's answer.
pub(super) const RETURN_CALL: &str = "return_call";

/// Makes good what a survey sheet was unhappy about.
pub(super) const RECOVERY: &str = "recovery";

/// A row of `task`.
#[derive(Debug, Clone)]
pub(super) struct Task {
    pub id: Uuid,
    pub patient_id: Uuid,
    pub enrolment_id: Option<Uuid>,
    pub encounter_id: Option<Uuid>,
    pub kind: String,
    pub timepoint: String,
    pub occurrence: u16,
    pub label: String,
    pub anchor_on: Option<NaiveDate>,
    pub plan_code: String,
    pub plan_version: u32,
    pub form: String,
    pub owner: String,
    pub due_on: NaiveDate,
    pub window_starts_on: NaiveDate,
    pub window_ends_on: NaiveDate,
    pub condition: Option<String>,
    pub risk: u8,
    pub status: TaskStatus,
    pub assigned_to: Option<Uuid>,
    pub claim: Option<(Uuid, i64)>,
    pub attempts: u32,
    pub next_try_at: Option<i64>,
    pub consult_id: Option<Uuid>,
    pub remark: Option<String>,
    pub end_reason: Option<String>,
}

const COLUMNS: &str = "id, patient_id, enrolment_id, encounter_id, kind, timepoint, occurrence, label, anchor_on, \
     plan_code, plan_version, form, owner, due_on, window_starts_on, window_ends_on, condition, risk, \
     status, assigned_to, claimed_by, claimed_until, attempts, next_try_at, consult_id, remark, end_reason";

/// Reads a day of the database; one that is none (a defect, or another program) is the first day there is.
pub(super) fn day(text: &str) -> NaiveDate {
    NaiveDate::parse_from_str(text, "%Y-%m-%d").unwrap_or(NaiveDate::MIN)
}

/// A row of a query over [`columns`].
pub(super) fn from_row(row: &Row<'_>) -> rusqlite::Result<Task> {
    let day_of = |name: &str| -> rusqlite::Result<NaiveDate> { Ok(day(row.get_ref(name)?.as_str()?)) };
    let claimed_by: Option<Uuid> = row.get("claimed_by")?;
    let claimed_until: Option<i64> = row.get("claimed_until")?;
    let status = row.get_ref("status")?.as_str()?;
    Ok(Task {
        id: row.get("id")?,
        patient_id: row.get("patient_id")?,
        enrolment_id: row.get("enrolment_id")?,
        encounter_id: row.get("encounter_id")?,
        kind: row.get("kind")?,
        timepoint: row.get("timepoint")?,
        occurrence: row.get("occurrence")?,
        label: row.get("label")?,
        anchor_on: row.get::<_, Option<String>>("anchor_on")?.as_deref().map(day),
        plan_code: row.get("plan_code")?,
        plan_version: row.get("plan_version")?,
        form: row.get("form")?,
        owner: row.get("owner")?,
        due_on: day_of("due_on")?,
        window_starts_on: day_of("window_starts_on")?,
        window_ends_on: day_of("window_ends_on")?,
        condition: row.get("condition")?,
        risk: row.get("risk")?,
        // A status of a newer version is nothing this one may act on.
        status: TaskStatus::parse(status).unwrap_or(TaskStatus::Cancelled),
        assigned_to: row.get("assigned_to")?,
        claim: claimed_by.zip(claimed_until),
        attempts: row.get("attempts")?,
        next_try_at: row.get("next_try_at")?,
        consult_id: row.get("consult_id")?,
        remark: row.get("remark")?,
        end_reason: row.get("end_reason")?,
    })
}

/// Tasks that fit `condition`, a constant of this program, with one id.
fn select(connection: &Connection, condition: &str, id: Uuid) -> Result<Vec<Task>> {
    let sql = format!("SELECT {COLUMNS} FROM task WHERE {condition}");
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query_map([id], from_row)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// One task.
///
/// # Errors
/// `NotFound`.
pub(super) fn load(connection: &Connection, id: Uuid) -> Result<Task> {
    let found = select(connection, "id = ?1", id)?.pop();
    found.ok_or_else(|| Error::new(ErrorCode::NotFound))
}

/// Open and waiting tasks of a patient, by planned day.
pub(super) fn unfinished(connection: &Connection, patient_id: Uuid) -> Result<Vec<Task>> {
    select(connection, "patient_id = ?1 AND status IN ('open', 'waiting') ORDER BY due_on, id", patient_id)
}

/// Every task of a patient, by planned day.
pub(super) fn of_patient(connection: &Connection, patient_id: Uuid) -> Result<Vec<Task>> {
    select(connection, "patient_id = ?1 ORDER BY due_on, id", patient_id)
}

/// Every task of an enrolment, by planned day.
pub(super) fn of_enrolment(connection: &Connection, enrolment_id: Uuid) -> Result<Vec<Task>> {
    select(connection, "enrolment_id = ?1 ORDER BY due_on, id", enrolment_id)
}

impl Task {
    /// Whether a call may serve it on `today`.
    pub fn is_due(&self, today: NaiveDate) -> bool {
        self.status == TaskStatus::Open && self.window_starts_on <= today
    }

    /// What the judge looks at.
    pub fn state(&self) -> TaskState {
        TaskState { status: self.status, claim: self.claim }
    }

    /// Who else works on it at `now`.
    pub fn claimed_by_other(&self, user: Uuid, now: i64) -> Option<Uuid> {
        self.claim.filter(|(by, until)| *by != user && *until > now).map(|(by, _)| by)
    }
}

/// Judges and carries out `command`; `more` are further fields to set with it. `reason` says why it ended.
///
/// # Errors
/// `TaskState`, `TaskClaimed`.
pub(super) fn apply(
    journal: &mut Journal<'_, '_>,
    task: &mut Task,
    command: TaskCommand,
    reason: Option<&str>,
    more: &[Change],
) -> Result<()> {
    let now = journal.writer.now_millis();
    let after = judge(&task.state(), &command, now).map_err(refused)?;
    let ended = !matches!(after.status, TaskStatus::Open | TaskStatus::Waiting);
    let mut fields: Vec<Change> = Vec::with_capacity(6 + more.len());
    if after.status != task.status {
        fields.push(("status", after.status.as_str().into()));
        fields.push(("ended_at", ended.then_some(now).into()));
        fields.push(("end_reason", reason.into()));
    }
    if after.claim != task.claim {
        fields.push(("claimed_by", after.claim.map(|(by, _)| by).into()));
        fields.push(("claimed_until", after.claim.map(|(_, until)| until).into()));
    }
    fields.extend_from_slice(more);
    if !fields.is_empty() {
        journal.command(&TASK, task.id, command.name(), &fields)?;
    }
    task.status = after.status;
    task.claim = after.claim;
    task.end_reason = reason.map(str::to_owned);
    Ok(())
}

/// The refusal as an error.
pub(super) fn refused(refusal: Refusal) -> Error {
    match refusal {
        Refusal::State(status) => Error::new(ErrorCode::TaskState).with("status", status.as_str()),
        Refusal::Claimed => Error::new(ErrorCode::TaskClaimed),
    }
}

/// Everything a new task needs.
#[derive(Debug, Clone)]
pub(super) struct NewTask<'a> {
    pub patient_id: Uuid,
    pub enrolment_id: Option<Uuid>,
    pub encounter_id: Option<Uuid>,
    pub kind: &'static str,
    pub timepoint: &'a str,
    pub occurrence: u16,
    pub label: &'a str,
    pub anchor_on: Option<NaiveDate>,
    pub plan_code: &'a str,
    pub plan_version: u32,
    pub form: &'a str,
    pub channel: &'a str,
    pub owner: &'a str,
    pub due_on: NaiveDate,
    pub window_starts_on: NaiveDate,
    pub window_ends_on: NaiveDate,
    /// The condition's text while it waits.
    pub condition: Option<&'a str>,
    pub risk: u8,
    pub red: bool,
    pub assigned_to: Option<Uuid>,
    pub consult_id: Option<Uuid>,
    pub remark: Option<&'a str>,
}

/// Makes a task, open or waiting.
pub(super) fn create(journal: &mut Journal<'_, '_>, id: Uuid, new: &NewTask<'_>) -> Result<()> {
    let status = if new.condition.is_some() { TaskStatus::Waiting } else { TaskStatus::Open };
    let text = |day: NaiveDate| FieldValue::Text(day.to_string());
    let fields = [
        ("patient_id", new.patient_id.into()),
        ("enrolment_id", new.enrolment_id.into()),
        ("encounter_id", new.encounter_id.into()),
        ("kind", new.kind.into()),
        ("timepoint", new.timepoint.into()),
        ("occurrence", i64::from(new.occurrence).into()),
        ("label", new.label.into()),
        ("anchor_on", new.anchor_on.map(|day| day.to_string()).into()),
        ("plan_code", new.plan_code.into()),
        ("plan_version", i64::from(new.plan_version).into()),
        ("form", new.form.into()),
        ("channel", new.channel.into()),
        ("owner", new.owner.into()),
        ("due_on", text(new.due_on)),
        ("window_starts_on", text(new.window_starts_on)),
        ("window_ends_on", text(new.window_ends_on)),
        ("condition", new.condition.into()),
        ("risk", i64::from(new.risk).into()),
        ("red", new.red.into()),
        ("status", status.as_str().into()),
        ("assigned_to", new.assigned_to.into()),
        ("consult_id", new.consult_id.into()),
        ("remark", new.remark.into()),
    ];
    journal.create(&TASK, id, &fields)
}

/// The word stored for a channel.
pub(super) fn channel_word(channel: aftercare_domain::plans::Channel) -> &'static str {
    use aftercare_domain::plans::Channel;
    match channel {
        Channel::Phone => "phone",
        Channel::SmsForm => "sms_form",
        Channel::Sms => "sms",
        Channel::Visit => "visit",
    }
}
