//! The contact guard, and dialling.

use aftercare_domain::error_code::ErrorCode;
use aftercare_domain::followup::{FindingCode, GuardFacts, PhoneFacts, PhoneState, Verdict, guard};
use aftercare_domain::phone;
use rusqlite::{Connection, params};
use serde::{Deserialize, Serialize};
use serde_json::json;
use ts_rs::TS;
use uuid::Uuid;

use super::call::PhoneLine;
use super::facts::{self, Patient};
use super::task::{self, Task};
use crate::app::Ctx;
use crate::error::{Error, Result};
use crate::settings::Settings;
use crate::{audit, db, forms, settings};

/// Asks whether a number may be dialled now.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "FollowupGuardRequest")]
pub struct GuardRequest {
    /// The patient.
    pub patient_id: Uuid,
    /// The number.
    pub phone_id: Uuid,
}

/// Dials a number.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "FollowupDialRequest")]
pub struct DialRequest {
    /// The patient.
    pub patient_id: Uuid,
    /// The number.
    pub phone_id: Uuid,
    /// Why, when the guard warns.
    #[serde(default)]
    pub override_reason: Option<String>,
}

/// What the shell opens.
#[derive(Serialize, TS)]
#[ts(rename = "FollowupDialled")]
pub struct Dialled {
    /// `tel:` or `sip:`.
    pub url: String,
    /// Give it when saving.
    pub call_token: Uuid,
    /// Milliseconds UTC.
    #[ts(type = "number")]
    pub dialled_at: i64,
}

/// A number of a patient.
#[derive(Debug, Clone)]
pub(super) struct Phone {
    pub id: Uuid,
    pub number: String,
    pub extension: Option<String>,
    pub owner_name: Option<String>,
    pub relation: String,
    pub state: PhoneState,
    pub state_at: Option<i64>,
    pub best_hour: Option<String>,
    pub rank: i64,
    pub failures: u32,
}

/// Calls of a patient that the guard and the retry policy look at, newest first.
#[derive(Debug, Clone)]
pub(super) struct CallLine {
    pub phone_id: Option<Uuid>,
    pub called_at: i64,
    pub called_on: String,
    pub reached: bool,
    /// Counts as an attempt.
    pub counts: bool,
}

/// How many calls back the guard looks.
const CALLS_BACK: u32 = 30;

/// The patient's standing calls, newest first.
pub(super) fn calls(connection: &Connection, patient_id: Uuid) -> Result<Vec<CallLine>> {
    let reasons = &forms::content()?.failure_reasons.reasons;
    let mut statement = connection.prepare_cached(
        "SELECT phone_id, called_at, called_on, outcome, reason FROM standing_call
         WHERE patient_id = ?1 ORDER BY called_at DESC LIMIT ?2",
    )?;
    let rows = statement.query_map(params![patient_id, CALLS_BACK], |row| {
        let reason: Option<String> = row.get("reason")?;
        let known = reason.as_ref().and_then(|code| reasons.iter().find(|known| known.code == *code));
        Ok(CallLine {
            phone_id: row.get("phone_id")?,
            called_at: row.get("called_at")?,
            called_on: row.get("called_on")?,
            reached: row.get_ref("outcome")?.as_str()? == "reached",
            counts: known.is_none_or(|known| known.counts),
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// The patient's numbers in the order of dialling: usable ones first, those that failed often enough after the others,
/// then as the archive ranks them.
pub(super) fn phones(connection: &Connection, patient_id: Uuid, calls: &[CallLine]) -> Result<Vec<Phone>> {
    let mut statement = connection.prepare_cached(
        "SELECT id, number, extension, owner_name, relation, state, state_at, best_hour, rank FROM phone
         WHERE patient_id = ?1 AND removed = 0",
    )?;
    let rows = statement.query_map([patient_id], |row| {
        let id: Uuid = row.get("id")?;
        let of_number = calls.iter().filter(|call| call.phone_id == Some(id));
        let failures = of_number.take_while(|call| !call.reached).count();
        Ok(Phone {
            id,
            number: row.get("number")?,
            extension: row.get("extension")?,
            owner_name: row.get("owner_name")?,
            relation: row.get("relation")?,
            state: PhoneState::parse(row.get_ref("state")?.as_str()?),
            state_at: row.get("state_at")?,
            best_hour: row.get("best_hour")?,
            rank: row.get("rank")?,
            failures: u32::try_from(failures).unwrap_or(u32::MAX),
        })
    })?;
    let mut phones: Vec<Phone> = rows.collect::<rusqlite::Result<_>>()?;
    let worn = u32::from(forms::content()?.failure_reasons.policy.next_number_after);
    phones.sort_by_key(|phone| {
        let patient_own = phone.relation == "0";
        (!phone.usable(), phone.failures >= worn, phone.rank, !patient_own, phone.id)
    });
    Ok(phones)
}

impl Phone {
    /// Whether it may still lead to the patient.
    pub fn usable(&self) -> bool {
        self.state.is_usable() && self.callable()
    }

    fn callable(&self) -> bool {
        phone::parse(&self.number, None).is_ok_and(|parsed| parsed.kind.is_callable())
    }

    fn facts(&self) -> PhoneFacts {
        PhoneFacts {
            state: self.state,
            callable: self.callable(),
            own: self.relation == "0",
            state_at: self.state_at.map(facts::local),
        }
    }

    /// As the call screen shows it.
    pub fn line(&self) -> PhoneLine {
        PhoneLine {
            id: self.id,
            masked: phone::mask(&self.number),
            owner_name: self.owner_name.clone().map(Into::into),
            relation: self.relation.clone(),
            state: self.state.as_str().to_owned(),
            state_at: self.state_at,
            best_hour: self.best_hour.clone(),
            failures: self.failures,
            usable: self.usable(),
        }
    }
}

/// Different days with a counted attempt since the due tasks' windows opened, and the last attempt.
pub(super) fn spread(calls: &[CallLine], due: &[Task]) -> (u32, Option<i64>) {
    let since = due.iter().map(|task| task.window_starts_on.to_string()).min().unwrap_or_default();
    let mut days: Vec<&str> = calls
        .iter()
        .filter(|call| call.counts && call.called_on >= since)
        .map(|call| call.called_on.as_str())
        .collect();
    days.dedup();
    (u32::try_from(days.len()).unwrap_or(u32::MAX), calls.first().map(|call| call.called_at))
}

/// What the guard finds for a number of the patient; none of the patient's for `phone` none.
pub(super) fn judge(
    connection: &Connection,
    patient: &Patient,
    phone: Option<&Phone>,
    calls: &[CallLine],
    settings: &Settings,
    user: Uuid,
    now: i64,
) -> Result<Verdict> {
    let local = facts::local(now);
    let tasks = task::unfinished(connection, patient.id)?;
    let due: Vec<Task> = tasks.into_iter().filter(|task| task.is_due(local.date())).collect();
    let red: bool = connection
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM alert WHERE patient_id = ?1 AND level = 'red' AND status <> 'closed')")?
        .query_row([patient.id], |row| row.get(0))?;
    let (attempt_days, last) = spread(calls, &due);
    let facts = GuardFacts {
        now: local,
        deceased: patient.deceased,
        optout: patient.optout,
        consent_withdrawn: facts::consent_withdrawn(connection, patient.id)?,
        gone: patient.gone,
        age: patient.age_on(local.date()),
        phone: phone.map(Phone::facts),
        flagged: red || due.iter().any(|task| task.kind == task::RETURN_CALL),
        attempts: due.iter().map(|task| task.attempts).max().unwrap_or(0),
        attempt_days,
        last_attempt: last.map(facts::local),
        next_try: due.iter().filter_map(|task| task.next_try_at).max().map(facts::local),
        claimed: due.iter().any(|task| task.claimed_by_other(user, now).is_some()),
        max_attempts: settings.max_attempts,
        min_days: u32::from(forms::content()?.failure_reasons.policy.min_days),
        min_gap_minutes: settings.min_gap_minutes,
    };
    let calendar = facts::calendar(connection)?;
    Ok(guard(&facts, &facts::calling_rule(settings), &calendar))
}

fn judged(
    connection: &Connection,
    ctx: &Ctx,
    patient_id: Uuid,
    phone_id: Uuid,
) -> Result<(Verdict, Phone, Settings)> {
    let patient = facts::patient(connection, patient_id)?.ok_or_else(|| Error::new(ErrorCode::NotFound))?;
    let calls = calls(connection, patient_id)?;
    let phones = phones(connection, patient_id, &calls)?;
    let phone = phones.into_iter().find(|phone| phone.id == phone_id);
    let phone = phone.ok_or_else(|| Error::new(ErrorCode::NotFound))?;
    let settings = settings::load(connection)?;
    let now = ctx.now().timestamp_millis();
    let verdict = judge(connection, &patient, Some(&phone), &calls, &settings, ctx.user_id(), now)?;
    Ok((verdict, phone, settings))
}

/// Whether a number may be dialled now.
///
/// # Errors
/// `NotFound`.
pub fn check(ctx: &Ctx, request: GuardRequest) -> Result<Verdict> {
    ctx.read(|connection| Ok(judged(connection, ctx, request.patient_id, request.phone_id)?.0))
}

/// Dials: asks the guard, notes the dial, and gives the shell what to open.
///
/// # Errors
/// `NotFound`, `CallBlocked` (param `reasons`), `CallNeedsReason` (param `reasons`).
pub fn dial(ctx: &Ctx, request: DialRequest) -> Result<Dialled> {
    ctx.write(|writer| {
        let connection = writer.connection();
        let (verdict, phone, settings) = judged(connection, ctx, request.patient_id, request.phone_id)?;
        if !verdict.blocks.is_empty() {
            let codes = words(verdict.blocks.iter().map(|finding| finding.code));
            return Err(Error::new(ErrorCode::CallBlocked).with("reasons", codes));
        }
        let reason = request.override_reason.as_deref().map(str::trim).filter(|reason| !reason.is_empty());
        let warned = words(verdict.warnings.iter().map(|finding| finding.code));
        if !verdict.warnings.is_empty() && reason.is_none() {
            return Err(Error::new(ErrorCode::CallNeedsReason).with("reasons", warned));
        }
        let (token, now) = (ctx.new_id(), writer.now_millis());
        connection
            .prepare_cached(
                "INSERT INTO dial (token, patient_id, phone_id, user_id, dialled_at) VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute(params![token, request.patient_id, phone.id, ctx.user_id(), now])?;
        let detail = json!({ "phone": phone.id, "warnings": warned, "override": reason.is_some() });
        audit::append(connection, now, ctx.user_id(), "followup.dial", Some(request.patient_id), &detail)?;
        if let Some(reason) = reason {
            note_override(writer, ctx, request.patient_id, &warned, reason)?;
        }
        Ok(Dialled { url: dial_url(&settings, &phone), call_token: token, dialled_at: now })
    })
}

/// The reason is free text, so it belongs to the patient's record, not to the audit trail.
fn note_override(
    writer: &mut crate::change_log::Writer<'_>,
    ctx: &Ctx,
    patient_id: Uuid,
    warned: &str,
    reason: &str,
) -> Result<()> {
    let fields = [
        ("patient_id", patient_id.into()),
        ("kind", "guard_override".into()),
        ("body", json!({ "warnings": warned, "reason": reason }).to_string().into()),
        ("noted_at", writer.now_millis().into()),
        ("user_id", ctx.user_id().into()),
    ];
    writer.create(&crate::change_log::NOTE, ctx.new_id(), &fields)
}

fn words(codes: impl Iterator<Item = FindingCode>) -> String {
    let words = codes.filter_map(|code| serde_json::to_value(code).ok()?.as_str().map(str::to_owned));
    words.collect::<Vec<_>>().join(",")
}

/// The template with the number: outside numbers get the office telephone's prefix, local ones lose their area code.
fn dial_url(settings: &Settings, phone: &Phone) -> String {
    let own_area = format!("0{}", settings.area_code);
    let number = match phone.number.strip_prefix(&own_area) {
        Some(local) if !settings.area_code.is_empty() && local.len() >= 7 => local,
        _ => phone.number.as_str(),
    };
    let mut digits = format!("{}{number}", settings.dial_prefix);
    if let Some(extension) = &phone.extension {
        // A pause, then the extension: what telephones understand in tel: links.
        digits.push_str(&format!(",{extension}"));
    }
    settings.dial_template.replace("{number}", &digits)
}

/// The newest dial of this user without a saved call, of the last twelve hours.
pub(super) fn unsaved(
    connection: &Connection,
    patient_id: Uuid,
    user: Uuid,
    now: i64,
) -> Result<Option<(Uuid, Uuid, i64)>> {
    const HALF_DAY: i64 = 12 * 3_600_000;
    db::optional(
        connection
            .prepare_cached(
                "SELECT token, phone_id, dialled_at FROM dial
                 WHERE patient_id = ?1 AND user_id = ?2 AND dialled_at >= ?3 AND call_id IS NULL
                 ORDER BY dialled_at DESC LIMIT 1",
            )?
            .query_row(params![patient_id, user, now - HALF_DAY], |row| {
                Ok((row.get("token")?, row.get("phone_id")?, row.get("dialled_at")?))
            }),
    )
}
