//! The expert's inbox, replies, questions by hand.

use aftercare_domain::access::{Permission, Role};
use aftercare_domain::error_code::ErrorCode;
use aftercare_domain::followup::ConsultCommand;
use aftercare_domain::forms::Sla;
use chrono::{Days, NaiveDate};
use rusqlite::Connection;
use rusqlite::types::Value;
use serde_json::json;
use uuid::Uuid;

use super::store::{self, NewConsult, Stored};
use super::{
    AskRequest, ConsultDetail, ConsultItem, ConsultRequest, InboxRequest, InboxResponse, ReplyRequest,
    ReplyResponse,
};
use crate::app::Ctx;
use crate::audit;
use crate::change_log::Writer;
use crate::commands::Done;
use crate::db;
use crate::error::{Error, FieldErrors, Result};
use crate::followup::journal::Journal;
use crate::followup::people::People;
use crate::followup::task::{self, NewTask};
use crate::followup::viewer::Viewer;
use crate::followup::{alert, call, checked_text, facts, id_value, worklist};
use crate::settings;

/// Longest question or reply, in characters.
const LONGEST: usize = 2000;
/// Working days within which a question by hand is answered.
const QUESTION_DAYS: u32 = 2;
/// Days after which an answer that was not brought to the patient counts as overdue.
const RETURN_WINDOW_DAYS: u64 = 1;

fn log(writer: &Writer<'_>, ctx: &Ctx, action: &str, consult_id: Uuid) -> Result<()> {
    let now = writer.now_millis();
    audit::append(writer.connection(), now, ctx.user_id(), action, Some(consult_id), &json!({}))
}

/// The department whose inbox the user reads.
fn own_department(connection: &Connection, user: Uuid) -> Result<String> {
    Ok(connection
        .prepare_cached("SELECT department FROM staff WHERE id = ?1")?
        .query_row([user], |row| row.get("department"))?)
}

/// Questions asked of the user or of their department; supervisors see all.
///
/// # Errors
/// `Invalid` with field `limit`.
pub fn inbox(ctx: &Ctx, request: InboxRequest) -> Result<InboxResponse> {
    if !(1..=200).contains(&request.limit) {
        return Err(Error::field("limit", ErrorCode::BadNumber));
    }
    let now = ctx.now().timestamp_millis();
    let everything = sees_all(ctx);
    ctx.read(|connection| {
        let department = own_department(connection, ctx.user_id())?;
        let people = People::load(connection)?;
        let status = if request.answered {
            "(consult.status = 'open' OR consult.status IN ('answered', 'told') AND consult.asked_at >= ?4)"
        } else {
            "(consult.status = 'open' AND ?4 IS NOT NULL)"
        };
        let mine = "(?1 OR consult.asked_of = ?2 OR consult.asked_of IS NULL AND consult.department = ?3)";
        let condition = format!(
            "{status} AND {mine} ORDER BY consult.status <> 'open', \
             CASE consult.level WHEN 'red' THEN 0 WHEN 'orange' THEN 1 WHEN 'yellow' THEN 2 ELSE 3 END, \
             consult.due_at, consult.id LIMIT ?5"
        );
        let values = [
            Value::Integer(i64::from(everything)),
            id_value(ctx.user_id()),
            Value::Text(department),
            Value::Integer(now - 30 * 86_400_000),
            Value::Integer(request.limit.into()),
        ];
        let consults = store::items(connection, &condition, &values, now, &people)?;
        let (open, overdue) = connection
            .prepare_cached(
                "SELECT count(*) AS open, coalesce(sum(due_at < ?4), 0) AS overdue FROM consult
                 WHERE status = 'open' AND (?1 OR asked_of = ?2 OR asked_of IS NULL AND department = ?3)",
            )?
            .query_row((&values[0], &values[1], &values[2], now), |row| {
                Ok((row.get("open")?, row.get("overdue")?))
            })?;
        Ok(InboxResponse { consults, open, overdue })
    })
}

fn sees_all(ctx: &Ctx) -> bool {
    ctx.may(Permission::FollowupManage)
}

/// Whether the user may answer: asked in person, of their department, or a supervisor.
fn may_answer(ctx: &Ctx, connection: &Connection, consult: &Stored) -> Result<()> {
    let asked = match consult.asked_of {
        Some(person) => person == ctx.user_id(),
        None => consult.department == own_department(connection, ctx.user_id())?,
    };
    if asked || sees_all(ctx) { Ok(()) } else { Err(Error::new(ErrorCode::NotFound)) }
}

/// Whether the user may read it: who may answer, and who works the list unless it is about an alert that is not
/// for them.
fn may_read(ctx: &Ctx, connection: &Connection, consult: &Stored) -> Result<()> {
    if !ctx.may(Permission::FollowupWork) {
        return may_answer(ctx, connection, consult);
    }
    let condition = Viewer::of(ctx).of_consults();
    let sql = format!("SELECT 1 FROM consult WHERE id = ?1 AND (status = 'answered' OR {condition})");
    let seen = db::optional(connection.prepare_cached(&sql)?.query_row([consult.id], |_| Ok(())))?;
    if seen.is_some() { Ok(()) } else { may_answer(ctx, connection, consult) }
}

/// Refuses a question that the user may not read.
///
/// # Errors
/// `NotFound`.
pub(in crate::followup) fn check_reader(ctx: &Ctx, connection: &Connection, consult_id: Uuid) -> Result<()> {
    may_read(ctx, connection, &store::load(connection, consult_id)?)
}

/// A question with the answers that led to it, for whoever asked it or may answer it.
///
/// # Errors
/// `NotFound`.
pub fn consult(ctx: &Ctx, request: ConsultRequest) -> Result<ConsultDetail> {
    let now = ctx.now().timestamp_millis();
    let detail = ctx.read(|connection| {
        let stored = store::load(connection, request.consult_id)?;
        may_read(ctx, connection, &stored)?;
        let people = People::load(connection)?;
        let led_to_it = match stored.task_id {
            Some(task_id) => call::past::of_task(connection, task_id)?,
            None => call::past::responses(connection, stored.patient_id, 1)?.pop(),
        };
        Ok(ConsultDetail {
            consult: store::item(connection, stored.id, now, &people)?,
            answers: match led_to_it {
                Some(response) => call::past::answered(connection, &response)?,
                None => Vec::new(),
            },
            responses: call::past::past_responses(
                connection,
                stored.patient_id,
                5,
                &people,
                Viewer::of(ctx),
            )?,
            told_at: stored.told_at,
        })
    })?;
    ctx.audit("followup.consult", Some(request.consult_id), json!({}))?;
    Ok(detail)
}

/// Asks an expert something by hand.
///
/// # Errors
/// `NotFound`, `Invalid` with fields.
pub fn ask(ctx: &Ctx, request: AskRequest) -> Result<ConsultItem> {
    let mut errors = FieldErrors::default();
    let question = checked_text(&mut errors, "question", &request.question, LONGEST);
    errors.check()?;
    ctx.write(|writer| {
        let connection = writer.connection();
        let department = store::department_of(connection, &request.department, request.asked_of)?;
        let patient = facts::patient(connection, request.patient_id)?.filter(|patient| !patient.gone);
        let patient = patient.ok_or_else(|| Error::new(ErrorCode::NotFound))?;
        let rule = facts::calling_rule(&settings::load(connection)?);
        let now = writer.now_millis();
        let new = NewConsult {
            patient_id: patient.id,
            alert_id: None,
            task_id: None,
            level: "question",
            question: &question,
            department: &department,
            asked_of: request.asked_of,
            due_at: alert::due_at(connection, Sla::WorkingDays(QUESTION_DAYS), now, &rule)?,
        };
        let id = store::ask(&mut Journal::new(writer), &new)?;
        log(writer, ctx, "followup.ask", id)?;
        store::item(writer.connection(), id, now, &People::load(writer.connection())?)
    })
}

/// Takes a question back that nobody has answered.
///
/// # Errors
/// `NotFound`, `ConsultState`.
pub fn withdraw(ctx: &Ctx, request: ConsultRequest) -> Result<Done> {
    ctx.write(|writer| {
        let stored = store::load(writer.connection(), request.consult_id)?;
        if stored.asked_by != ctx.user_id() && !sees_all(ctx) {
            return Err(Error::new(ErrorCode::NotFound));
        }
        store::apply(&mut Journal::new(writer), &stored, ConsultCommand::Withdraw, &[])?;
        log(writer, ctx, "followup.consult_withdraw", stored.id)?;
        Ok(Done {})
    })
}

/// The days of a reply, checked: the next visit, and when to call back.
fn reply_days(request: &ReplyRequest, today: NaiveDate) -> Result<(Option<String>, NaiveDate)> {
    let mut errors = FieldErrors::default();
    let mut day = |field: &str, text: &Option<String>| -> Option<NaiveDate> {
        let text = text.as_deref().map(str::trim).filter(|text| !text.is_empty())?;
        let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().filter(|day| *day >= today);
        if day.is_none() {
            errors.add(field, ErrorCode::BadDate);
        }
        day
    };
    let next_visit_on = day("next_visit_on", &request.next_visit_on);
    let call_back_on = day("call_back_on", &request.call_back_on);
    errors.check()?;
    Ok((next_visit_on.map(|day| day.to_string()), call_back_on.unwrap_or(today)))
}

/// Replies to a question. A call that brings the answer to the patient goes to the top of the list of the day it is wanted;
/// a second reply before that call adds to it.
///
/// # Errors
/// `NotFound` (also when it was asked of somebody else), `ConsultState`, `Invalid` with fields.
pub fn reply(ctx: &Ctx, request: ReplyRequest) -> Result<ReplyResponse> {
    let mut errors = FieldErrors::default();
    let text = checked_text(&mut errors, "reply", &request.reply, LONGEST);
    if request.advice.chars().count() > LONGEST {
        errors.add_with("advice", ErrorCode::TooLong, "max", LONGEST);
    }
    errors.check()?;
    let (next_visit_on, call_back_on) = reply_days(&request, ctx.local_now().date())?;
    ctx.write(|writer| {
        let stored = store::load(writer.connection(), request.consult_id)?;
        may_answer(ctx, writer.connection(), &stored)?;
        let now = writer.now_millis();
        let mut journal = Journal::new(writer);
        let answered = [("answered_at", now.into()), ("told_at", None::<i64>.into())];
        store::apply(&mut journal, &stored, ConsultCommand::Answer, &answered)?;
        let advice = request.advice.trim();
        let call_back = call_back_on.to_string();
        store::reply(&mut journal, stored.id, &text, advice, next_visit_on.as_deref(), &call_back)?;
        if let Some(alert_id) = stored.alert_id {
            alert::answer(&mut journal, alert_id)?;
        }
        let task_id = return_call(&mut journal, &stored, call_back_on)?;
        log(writer, ctx, "followup.reply", stored.id)?;
        let connection = writer.connection();
        worklist::refresh_patient(connection, stored.patient_id, now)?;
        Ok(ReplyResponse {
            consult: store::item(connection, stored.id, now, &People::load(connection)?)?,
            task_id,
        })
    })
}

/// The call that brings the answer: the one that waits already, or a new one for the nurse who asked. None when the patient
/// may not be called any more.
fn return_call(journal: &mut Journal<'_, '_>, consult: &Stored, on: NaiveDate) -> Result<Option<Uuid>> {
    let connection = journal.writer.connection();
    let patient = facts::patient(connection, consult.patient_id)?;
    let Some(patient) = patient.filter(|patient| {
        !patient.deceased && !patient.gone && patient.optout == aftercare_domain::plans::Optout::None
    }) else {
        return Ok(None);
    };
    if facts::consent_withdrawn(connection, patient.id)? {
        return Ok(None);
    }
    let open = task::unfinished(connection, patient.id)?;
    if let Some(there) = open.iter().find(|task| task.consult_id == Some(consult.id)) {
        return Ok(Some(there.id));
    }
    let from = match consult.task_id {
        Some(task_id) => Some(task::load(connection, task_id)?),
        None => None,
    };
    let id = journal.new_id();
    let new = NewTask {
        patient_id: patient.id,
        enrolment_id: None,
        encounter_id: from.as_ref().and_then(|task| task.encounter_id),
        kind: task::RETURN_CALL,
        timepoint: "",
        occurrence: 1,
        label: "",
        anchor_on: None,
        plan_code: from.as_ref().map_or("", |task| task.plan_code.as_str()),
        plan_version: from.as_ref().map_or(0, |task| task.plan_version),
        form: "",
        channel: "phone",
        owner: "center",
        due_on: on,
        window_starts_on: on,
        window_ends_on: on + Days::new(RETURN_WINDOW_DAYS),
        condition: None,
        risk: from.as_ref().map_or(0, |task| task.risk),
        red: consult.level == "red",
        assigned_to: is_caller(connection, consult.asked_by)?.then_some(consult.asked_by),
        consult_id: Some(consult.id),
        remark: None,
    };
    task::create(journal, id, &new)?;
    Ok(Some(id))
}

/// Whether a person still works here and makes calls.
fn is_caller(connection: &Connection, person: Uuid) -> Result<bool> {
    let members = crate::staff::all(connection)?;
    let found = members.iter().find(|member| member.id == person && member.active);
    Ok(found
        .is_some_and(|member| member.roles.iter().any(|role| matches!(role, Role::Nurse | Role::Supervisor))))
}
