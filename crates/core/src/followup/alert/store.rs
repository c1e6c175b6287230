//! Alerts in the table: raising, judged steps, lists.

use aftercare_domain::calendar::{self, CallingRule};
use aftercare_domain::error_code::ErrorCode;
use aftercare_domain::followup::{AlertCommand, AlertRefusal, AlertState, AlertStatus, judge_alert};
use aftercare_domain::forms::{Level, LocalText, Sla};
use aftercare_domain::personal::Personal;
use rusqlite::types::Value;
use rusqlite::{Connection, Row};
use uuid::Uuid;

use super::{AlertFilter, AlertItem, AlertStep};
use crate::change_log::{ALERT, ALERT_STEP, Change};
use crate::db;
use crate::error::{Error, Result};
use crate::followup::journal::Journal;
use crate::followup::people::People;
use crate::followup::viewer::Viewer;
use crate::followup::{facts, id_value, level, level_word, plan_name};
use crate::forms;

/// An alert to raise.
pub(in crate::followup) struct NewAlert<'a> {
    pub patient_id: Uuid,
    pub task_id: Uuid,
    pub response_id: Uuid,
    pub plan_code: &'a str,
    pub plan_version: u32,
    pub rule: &'a str,
    pub level: Level,
    pub say: &'a LocalText,
    pub route: &'a str,
    pub sla: Sla,
    pub raised_by: Uuid,
}

/// When a response is due, milliseconds UTC.
pub(in crate::followup) fn due_at(
    connection: &Connection,
    sla: Sla,
    now: i64,
    rule: &CallingRule,
) -> Result<i64> {
    let sla = match sla {
        Sla::Minutes(minutes) => calendar::Sla::Minutes(minutes),
        Sla::WorkingDays(days) => calendar::Sla::WorkingDays(days),
    };
    let known = facts::calendar(connection)?;
    let due = calendar::due_at(sla, facts::local(now), &known, facts::closing_time(rule));
    Ok(facts::instant(due.at))
}

/// Raises an alert.
pub(in crate::followup) fn raise(
    journal: &mut Journal<'_, '_>,
    new: &NewAlert<'_>,
    rule: &CallingRule,
) -> Result<Uuid> {
    let id = journal.new_id();
    let now = journal.writer.now_millis();
    let fields = [
        ("patient_id", new.patient_id.into()),
        ("task_id", new.task_id.into()),
        ("response_id", new.response_id.into()),
        ("plan_code", new.plan_code.into()),
        ("plan_version", i64::from(new.plan_version).into()),
        ("rule", new.rule.into()),
        ("level", level_word(new.level).into()),
        ("say", serde_json::to_string(new.say)?.into()),
        ("route", new.route.into()),
        ("raised_at", now.into()),
        ("due_at", due_at(journal.writer.connection(), new.sla, now, rule)?.into()),
        ("raised_by", new.raised_by.into()),
        ("status", AlertStatus::Open.as_str().into()),
    ];
    journal.create(&ALERT, id, &fields)?;
    Ok(id)
}

/// What the judge and the other steps need of an alert.
pub(in crate::followup) struct Stored {
    pub id: Uuid,
    pub patient_id: Uuid,
    pub task_id: Option<Uuid>,
    pub response_id: Option<Uuid>,
    pub state: AlertState,
    pub due_at: i64,
    pub handled_at: Option<i64>,
    pub closing: Option<String>,
}

/// Reads an alert.
///
/// # Errors
/// `NotFound`.
pub(in crate::followup) fn load(connection: &Connection, id: Uuid) -> Result<Stored> {
    let mut statement = connection.prepare_cached(
        "SELECT patient_id, task_id, response_id, level, status, due_at, handled_at, closing
         FROM alert WHERE id = ?1",
    )?;
    Ok(statement.query_row([id], |row| {
        Ok(Stored {
            id,
            patient_id: row.get("patient_id")?,
            task_id: row.get("task_id")?,
            response_id: row.get("response_id")?,
            state: AlertState {
                // Words of a newer version count as what asks for most care.
                status: AlertStatus::parse(row.get_ref("status")?.as_str()?).unwrap_or(AlertStatus::Closed),
                level: level(row.get_ref("level")?.as_str()?).unwrap_or(Level::Red),
            },
            due_at: row.get("due_at")?,
            handled_at: row.get("handled_at")?,
            closing: row.get("closing")?,
        })
    })?)
}

/// Reads an alert that is for `viewer`; another is not there.
///
/// # Errors
/// `NotFound`.
pub(super) fn load_for(connection: &Connection, id: Uuid, viewer: Viewer) -> Result<Stored> {
    let sql = format!("SELECT 1 FROM alert WHERE id = ?1 AND {}", viewer.of_alerts());
    let seen = db::optional(connection.prepare_cached(&sql)?.query_row([id], |_| Ok(())))?;
    seen.ok_or_else(|| Error::new(ErrorCode::NotFound))?;
    load(connection, id)
}

/// Judges and carries out a command on an alert, with its step.
fn apply(
    journal: &mut Journal<'_, '_>,
    id: Uuid,
    command: AlertCommand,
    step: &str,
    body: &str,
    more: &[Change],
) -> Result<()> {
    let alert = load(journal.writer.connection(), id)?;
    let status = judge_alert(alert.state, command).map_err(refused)?;
    let now = journal.writer.now_millis();
    let mut fields: Vec<Change> = vec![("status", status.as_str().into())];
    if alert.handled_at.is_none() && command != AlertCommand::Withdraw {
        fields.push(("handled_at", now.into()));
    }
    if status == AlertStatus::Closed {
        fields.push(("closed_at", now.into()));
        fields.push(("closed_by", journal.writer.user().into()));
    }
    fields.extend_from_slice(more);
    journal.command(&ALERT, id, command.name(), &fields)?;
    note(journal, id, step, body)
}

fn refused(refusal: AlertRefusal) -> Error {
    match refusal {
        AlertRefusal::State(status) => Error::new(ErrorCode::AlertState).with("status", status.as_str()),
        AlertRefusal::Unrouted => Error::new(ErrorCode::RedFlagUnrouted),
    }
}

/// Writes a step.
pub(in crate::followup) fn note(
    journal: &mut Journal<'_, '_>,
    alert_id: Uuid,
    kind: &str,
    body: &str,
) -> Result<()> {
    let fields = [
        ("alert_id", alert_id.into()),
        ("kind", kind.into()),
        ("body", body.into()),
        ("at", journal.writer.now_millis().into()),
        ("user_id", journal.writer.user().into()),
    ];
    let id = journal.new_id();
    journal.create(&ALERT_STEP, id, &fields)
}

/// Notes what was done, which is a first handling if there was none.
pub(super) fn handle(journal: &mut Journal<'_, '_>, alert: &Stored, body: &str) -> Result<()> {
    if alert.state.status == AlertStatus::Closed {
        return Err(Error::new(ErrorCode::AlertState).with("status", "closed"));
    }
    if alert.handled_at.is_none() {
        let fields = [("handled_at", journal.writer.now_millis().into())];
        journal.command(&ALERT, alert.id, "handle", &fields)?;
    }
    note(journal, alert.id, "noted", body)
}

/// Passed on.
pub(in crate::followup) fn route(journal: &mut Journal<'_, '_>, id: Uuid, to: &str) -> Result<()> {
    apply(journal, id, AlertCommand::Route, "routed", to, &[])
}

/// The expert replied.
pub(in crate::followup) fn answer(journal: &mut Journal<'_, '_>, id: Uuid) -> Result<()> {
    if load(journal.writer.connection(), id)?.state.status == AlertStatus::Closed {
        return Ok(());
    }
    apply(journal, id, AlertCommand::Answer, "answered", "", &[])
}

/// Closed by a person.
pub(super) fn close(journal: &mut Journal<'_, '_>, id: Uuid, closing: &str) -> Result<()> {
    apply(journal, id, AlertCommand::Close, "closed", closing, &[("closing", closing.into())])
}

/// The patient was told the expert's answer: done with.
pub(in crate::followup) fn close_told(journal: &mut Journal<'_, '_>, id: Uuid) -> Result<()> {
    if load(journal.writer.connection(), id)?.state.status == AlertStatus::Closed {
        return Ok(());
    }
    apply(journal, id, AlertCommand::Close, "told", "", &[])
}

/// The call that raised it is taken back.
pub(in crate::followup) fn withdraw(journal: &mut Journal<'_, '_>, id: Uuid) -> Result<()> {
    apply(journal, id, AlertCommand::Withdraw, "withdrawn", "", &[])
}

const ITEM: &str = "SELECT alert.id, alert.patient_id, alert.plan_code, alert.plan_version, alert.rule, alert.level, \
     alert.say, alert.route, alert.raised_at, alert.due_at, alert.status, alert.handled_at, alert.raised_by, \
     patient.name, coalesce(encounter.department, '') AS department \
     FROM alert JOIN patient ON patient.id = alert.patient_id \
     LEFT JOIN task ON task.id = alert.task_id LEFT JOIN encounter ON encounter.id = task.encounter_id WHERE ";

fn item_row(row: &Row<'_>, now: i64, people: &People) -> rusqlite::Result<(AlertItem, String, u32)> {
    let say: String = row.get("say")?;
    let status = AlertStatus::parse(row.get_ref("status")?.as_str()?).unwrap_or(AlertStatus::Closed);
    let (due_at, handled_at): (i64, Option<i64>) = (row.get("due_at")?, row.get("handled_at")?);
    let item = AlertItem {
        id: row.get("id")?,
        patient_id: row.get("patient_id")?,
        name: row.get::<_, String>("name")?.into(),
        department: row.get("department")?,
        plan: LocalText::default(),
        rule: row.get("rule")?,
        level: level(row.get_ref("level")?.as_str()?).unwrap_or(Level::Red),
        say: serde_json::from_str(&say).unwrap_or_default(),
        route: row.get("route")?,
        route_name: LocalText::default(),
        raised_at: row.get("raised_at")?,
        due_at,
        overdue: status != AlertStatus::Closed && handled_at.is_none() && due_at < now,
        status,
        handled_at,
        raised_by: people.name(row.get("raised_by")?),
    };
    Ok((item, row.get("plan_code")?, row.get("plan_version")?))
}

fn items(
    connection: &Connection,
    condition: &str,
    values: &[Value],
    now: i64,
    people: &People,
) -> Result<Vec<AlertItem>> {
    let mut statement = connection.prepare_cached(&format!("{ITEM}{condition}"))?;
    let rows = statement.query_map(rusqlite::params_from_iter(values), |row| item_row(row, now, people))?;
    let routes = &forms::content()?.routing.routes;
    let mut items = Vec::new();
    for row in rows {
        let (mut item, code, version) = row?;
        item.plan = plan_name(connection, &code, version)?.unwrap_or_default();
        let route = routes.iter().find(|route| route.code == item.route);
        item.route_name = match route {
            Some(route) => route.name.clone(),
            None => LocalText { zh: item.route.clone(), en: item.route.clone() },
        };
        items.push(item);
    }
    Ok(items)
}

/// One alert.
pub(in crate::followup) fn item(
    connection: &Connection,
    id: Uuid,
    now: i64,
    people: &People,
) -> Result<AlertItem> {
    let found = items(connection, "alert.id = ?1", &[id_value(id)], now, people)?.pop();
    found.ok_or_else(|| Error::new(ErrorCode::NotFound))
}

/// Alerts of a patient that are not closed, most urgent first.
pub(in crate::followup) fn of_patient(
    connection: &Connection,
    patient_id: Uuid,
    now: i64,
    people: &People,
    viewer: Viewer,
) -> Result<Vec<AlertItem>> {
    let condition = format!(
        "alert.patient_id = ?1 AND alert.status <> 'closed' AND {} ORDER BY alert.due_at",
        viewer.of_alerts()
    );
    items(connection, &condition, &[id_value(patient_id)], now, people)
}

/// Alerts that a call raised.
pub(in crate::followup) fn of_call(
    connection: &Connection,
    patient_id: Uuid,
    call_id: Uuid,
    now: i64,
    people: &People,
) -> Result<Vec<AlertItem>> {
    let condition = "alert.patient_id = ?1 AND alert.response_id IN \
                     (SELECT id FROM response WHERE patient_id = ?1 AND call_id = ?2) ORDER BY alert.due_at";
    items(connection, condition, &[id_value(patient_id), id_value(call_id)], now, people)
}

/// The part of the alerts a filter names, as a condition on constants and its values.
fn filtered(filter: AlertFilter, now: i64) -> (&'static str, Option<Value>) {
    match filter {
        AlertFilter::Open => ("alert.status IN ('open', 'routed', 'answered')", None),
        AlertFilter::Overdue => (
            "alert.status IN ('open', 'routed', 'answered') AND alert.handled_at IS NULL AND alert.due_at < ?",
            Some(Value::Integer(now)),
        ),
        AlertFilter::Unrouted => ("alert.status = 'open'", None),
        AlertFilter::Closed => ("alert.status = 'closed'", None),
    }
}

/// A page of alerts: red before orange before yellow, the earliest deadline first; closed ones newest first.
pub(super) fn page(
    connection: &Connection,
    request: &super::AlertsRequest,
    now: i64,
    people: &People,
    viewer: Viewer,
) -> Result<Vec<AlertItem>> {
    let (mut condition, value) = {
        let (condition, value) = filtered(request.filter, now);
        (condition.to_owned(), value)
    };
    let mut values: Vec<Value> = value.into_iter().collect();
    condition.push_str(&format!(" AND {}", viewer.of_alerts()));
    if let Some(level) = request.level {
        condition.push_str(" AND alert.level = ?");
        values.push(Value::Text(level_word(level).to_owned()));
    }
    condition.push_str(if request.filter == AlertFilter::Closed {
        " ORDER BY alert.due_at DESC, alert.id"
    } else {
        " ORDER BY CASE alert.level WHEN 'red' THEN 0 WHEN 'orange' THEN 1 ELSE 2 END, alert.due_at, alert.id"
    });
    condition.push_str(" LIMIT ? OFFSET ?");
    values.push(Value::Integer(request.limit.into()));
    values.push(Value::Integer(request.offset.into()));
    items(connection, &condition, &values, now, people)
}

/// Open alerts by level, and how many of all are past their time.
pub(super) fn counts(connection: &Connection, now: i64, viewer: Viewer) -> Result<([u32; 3], u32)> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT level, count(*) AS n, sum(handled_at IS NULL AND due_at < ?1) AS late FROM alert
         WHERE status IN ('open', 'routed', 'answered') AND {} GROUP BY level",
        viewer.of_alerts()
    ))?;
    let mut rows = statement.query([now])?;
    let (mut open, mut late) = ([0; 3], 0);
    while let Some(row) = rows.next()? {
        let place = match level(row.get_ref("level")?.as_str().unwrap_or_default()) {
            Some(Level::Red) | None => 0,
            Some(Level::Orange) => 1,
            Some(Level::Yellow) => 2,
        };
        open[place] += row.get::<_, u32>("n")?;
        late += row.get::<_, u32>("late")?;
    }
    Ok((open, late))
}

/// What was done about an alert, oldest first.
pub(super) fn steps(connection: &Connection, alert_id: Uuid, people: &People) -> Result<Vec<AlertStep>> {
    let mut statement = connection.prepare_cached(
        "SELECT kind, body, at, user_id FROM alert_step WHERE alert_id = ?1 ORDER BY at, rowid",
    )?;
    let rows = statement.query_map([alert_id], |row| {
        Ok(AlertStep {
            kind: row.get("kind")?,
            body: Personal::new(row.get::<_, String>("body")?),
            at: row.get("at")?,
            user: people.name(row.get("user_id")?),
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}
