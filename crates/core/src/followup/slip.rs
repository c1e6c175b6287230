//! The 回访单: what the patient said, what the expert answers, signed and kept.

use aftercare_domain::access::Permission;
use aftercare_domain::error_code::ErrorCode;
use aftercare_domain::forms::LocalText;
use aftercare_domain::personal::Personal;
use aftercare_domain::phone;
use rusqlite::Connection;
use serde::{Deserialize, Serialize};
use serde_json::json;
use ts_rs::TS;
use uuid::Uuid;

use super::call::past::Response;
use super::call::{self, AnsweredLine};
use super::consult::ConsultItem;
use super::people::People;
use super::{facts, plan_name, task};
use crate::app::Ctx;
use crate::commands::Done;
use crate::error::{Error, Result};
use crate::{db, settings};

/// Of which question or call.
#[derive(Debug, Clone, Copy, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(rename = "FollowupSlipRequest")]
pub enum SlipRequest {
    /// With the expert's answer.
    Consult(Uuid),
    /// Of a call.
    Call(Uuid),
}

/// What is printed.
#[derive(Debug, Serialize, TS)]
#[ts(rename = "FollowupSlip")]
pub struct Slip {
    /// The hospital's name.
    pub hospital: String,
    /// Its telephone.
    pub hospital_phone: String,
    /// Short number of the slip, from its id.
    pub number: String,
    /// Name.
    pub name: Personal,
    /// GB/T 2261.1.
    pub sex: String,
    /// Full years.
    pub age: Option<u16>,
    /// 病案号.
    pub mrn: Option<String>,
    /// 住院号.
    pub visit_no: Option<String>,
    /// Department.
    pub department: String,
    /// Diagnosis.
    pub diagnosis: Option<Personal>,
    /// `YYYY-MM-DD HH:MM`.
    pub admitted_at: Option<String>,
    /// `YYYY-MM-DD HH:MM`.
    pub discharged_at: Option<String>,
    /// Doctor.
    pub doctor: Option<String>,
    /// Masked.
    pub phone: Option<String>,
    /// Plan.
    pub plan: Option<LocalText>,
    /// `D7`.
    pub label: Option<String>,
    /// When the patient was called, milliseconds UTC.
    #[ts(type = "number | null")]
    pub called_at: Option<i64>,
    /// By whom.
    pub caller: Option<String>,
    /// Questions and answers.
    pub answers: Vec<AnsweredLine>,
    /// How many answers are not printed because the form marks them as sensitive.
    pub withheld: u32,
    /// Remark of the call.
    pub remark: Option<Personal>,
    /// The question with the replies.
    pub consult: Option<ConsultItem>,
    /// When the answer was told to the patient, milliseconds UTC.
    #[ts(type = "number | null")]
    pub told_at: Option<i64>,
    /// Agreed next visit.
    pub next_visit_on: Option<String>,
    /// When this was made, milliseconds UTC.
    #[ts(type = "number")]
    pub made_at: i64,
}

/// What is printed of a question with its answer, or of a call. Each making is logged.
///
/// # Errors
/// `NotFound`, `Forbidden` (a call, without the list).
pub fn slip(ctx: &Ctx, request: SlipRequest) -> Result<Slip> {
    let now = ctx.now().timestamp_millis();
    let slip = ctx.read(|connection| {
        check_reader(ctx, connection, request)?;
        let people = People::load(connection)?;
        let source = match request {
            SlipRequest::Consult(id) => of_consult(connection, id, now, &people)?,
            SlipRequest::Call(id) => of_call(connection, id)?,
        };
        fill(connection, source, now, &people)
    })?;
    let (subject, of) = match request {
        SlipRequest::Consult(id) => (id, "consult"),
        SlipRequest::Call(id) => (id, "call"),
    };
    ctx.audit("followup.slip", Some(subject), json!({ "of": of }))?;
    Ok(slip)
}

/// Paper of a call is for those who call; of a question, for those who may read it.
fn check_reader(ctx: &Ctx, connection: &Connection, request: SlipRequest) -> Result<()> {
    match request {
        SlipRequest::Consult(id) => super::consult::commands::check_reader(ctx, connection, id),
        SlipRequest::Call(_) if ctx.may(Permission::FollowupWork) => Ok(()),
        SlipRequest::Call(_) => Err(Error::new(ErrorCode::Forbidden).with("permission", "followup_work")),
    }
}

/// Where a slip's parts come from.
struct Source {
    id: Uuid,
    patient_id: Uuid,
    encounter_id: Option<Uuid>,
    response: Option<Response>,
    consult: Option<ConsultItem>,
    call_id: Option<Uuid>,
    told_at: Option<i64>,
}

fn of_consult(connection: &Connection, id: Uuid, now: i64, people: &People) -> Result<Source> {
    let (patient_id, task_id, told_at): (Uuid, Option<Uuid>, Option<i64>) = connection
        .prepare_cached("SELECT patient_id, task_id, told_at FROM consult WHERE id = ?1")?
        .query_row([id], |row| Ok((row.get("patient_id")?, row.get("task_id")?, row.get("told_at")?)))?;
    let task = match task_id {
        Some(task_id) => Some(task::load(connection, task_id)?),
        None => None,
    };
    let response = match task_id {
        Some(task_id) => call::past::of_task(connection, task_id)?,
        None => None,
    };
    let call_id = match &response {
        Some(response) => db::optional(
            connection
                .prepare_cached("SELECT call_id FROM response WHERE id = ?1")?
                .query_row([response.id], |row| row.get::<_, Option<Uuid>>("call_id")),
        )?
        .flatten(),
        None => None,
    };
    Ok(Source {
        id,
        patient_id,
        encounter_id: task.and_then(|task| task.encounter_id),
        response,
        consult: Some(super::consult::item(connection, id, now, people)?),
        call_id,
        told_at,
    })
}

fn of_call(connection: &Connection, id: Uuid) -> Result<Source> {
    let (patient_id, task_id): (Uuid, Option<Uuid>) = connection
        .prepare_cached("SELECT patient_id, task_id FROM standing_call WHERE id = ?1")?
        .query_row([id], |row| Ok((row.get("patient_id")?, row.get("task_id")?)))?;
    let encounter_id = match task_id {
        Some(task_id) => task::load(connection, task_id)?.encounter_id,
        None => None,
    };
    let response = call::past::of_call(connection, patient_id, id)?.into_iter().next();
    Ok(Source { id, patient_id, encounter_id, response, consult: None, call_id: Some(id), told_at: None })
}

struct CallWords {
    called_at: i64,
    masked: String,
    remark: Option<String>,
    user_id: Uuid,
}

fn call_words(connection: &Connection, id: Uuid) -> Result<Option<CallWords>> {
    db::optional(
        connection
            .prepare_cached("SELECT called_at, number, remark, user_id FROM call WHERE id = ?1")?
            .query_row([id], |row| {
                Ok(CallWords {
                    called_at: row.get("called_at")?,
                    masked: phone::mask(row.get_ref("number")?.as_str()?),
                    remark: row.get("remark")?,
                    user_id: row.get("user_id")?,
                })
            }),
    )
}

fn fill(connection: &Connection, source: Source, now: i64, people: &People) -> Result<Slip> {
    let stay = match source.encounter_id {
        Some(id) => call::encounter(connection, id)?,
        None => call::latest_encounter(connection, source.patient_id)?,
    };
    let made = match source.call_id {
        Some(id) => call_words(connection, id)?,
        None => None,
    };
    let plan = match &source.response {
        Some(response) => plan_name(connection, &response.plan_code, response.plan_version)?,
        None => None,
    };
    let hospital: String =
        connection.prepare_cached("SELECT hospital FROM desk")?.query_row([], |row| row.get("hospital"))?;
    let patient = facts::patient(connection, source.patient_id)?;
    let (name, mrn): (String, Option<String>) = connection
        .prepare_cached("SELECT name, mrn FROM patient WHERE id = ?1")?
        .query_row([source.patient_id], |row| Ok((row.get("name")?, row.get("mrn")?)))?;
    let replied = source
        .consult
        .as_ref()
        .and_then(|consult| consult.replies.iter().rev().find_map(|r| r.next_visit_on.clone()));
    let mut answers = match &source.response {
        Some(response) => call::past::answered(connection, response)?,
        None => Vec::new(),
    };
    let said = answers.len();
    // Paper is read by whoever finds it.
    answers.retain(|line| !line.sensitive);
    let withheld = said - answers.len();
    let number = source.id.simple().to_string().to_uppercase();
    Ok(Slip {
        hospital,
        hospital_phone: settings::load(connection)?.hospital_phone,
        number: number[number.len() - 8..].to_owned(),
        name: name.into(),
        sex: patient.as_ref().map(|patient| patient.sex.clone()).unwrap_or_default(),
        age: patient.and_then(|patient| patient.age_on(facts::local(now).date())),
        mrn,
        visit_no: stay.as_ref().and_then(|stay| stay.visit_no.clone()),
        department: stay.as_ref().map(|stay| stay.department.clone()).unwrap_or_default(),
        diagnosis: stay.as_ref().and_then(|stay| stay.diagnosis.clone()),
        admitted_at: stay.as_ref().and_then(|stay| stay.admitted_at.clone()),
        discharged_at: stay
            .as_ref()
            .and_then(|stay| stay.discharged_at.clone().or(stay.discharged_on.clone())),
        doctor: stay.as_ref().and_then(|stay| stay.doctor.clone()),
        phone: made.as_ref().map(|made| made.masked.clone()).filter(|masked| !masked.is_empty()),
        plan,
        label: source.response.as_ref().map(|response| response.label.clone()),
        called_at: made.as_ref().map(|made| made.called_at),
        caller: made.as_ref().map(|made| people.name(made.user_id)),
        answers,
        withheld: u32::try_from(withheld).unwrap_or(u32::MAX),
        remark: made.and_then(|made| made.remark).map(Personal::new),
        consult: source.consult,
        told_at: source.told_at,
        next_visit_on: replied.or(stay.and_then(|stay| stay.next_visit_on)),
        made_at: now,
    })
}

/// Says that a slip was printed.
pub fn printed(ctx: &Ctx, request: SlipRequest) -> Result<Done> {
    ctx.read(|connection| check_reader(ctx, connection, request))?;
    let (subject, of) = match request {
        SlipRequest::Consult(id) => (id, "consult"),
        SlipRequest::Call(id) => (id, "call"),
    };
    ctx.audit("followup.slip_printed", Some(subject), json!({ "of": of }))?;
    Ok(Done {})
}
