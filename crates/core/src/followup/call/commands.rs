//! Opening, evaluating, saving and taking back calls.

use aftercare_domain::error_code::ErrorCode;
use aftercare_domain::plans::{FailureReason, OutcomeAction, RetryDelay};
use rusqlite::Connection;
use serde::Deserialize;
use serde_json::json;
use ts_rs::TS;
use uuid::Uuid;

use super::form;
use super::script::{self, Caller};
use super::{
    EvaluateRequest, FormState, OpenRequest, OpenedPatient, ReasonChoice, ReasonsResponse, SaveCallRequest,
    SavedCall, UndoCallRequest, evaluate, open, save, undo,
};
use crate::app::Ctx;
use crate::commands::Done;
use crate::error::{Error, Result};
use crate::followup::journal::Journal;
use crate::followup::people::People;
use crate::followup::{facts, manage, task, worklist};
use crate::{audit, forms, settings};

/// Most tasks one call may serve.
const MOST_TASKS: usize = 50;

/// Everything of a patient for a call. Claims the due tasks for the user, unless asked only to look or a colleague works on
/// the patient: the answer's `claim` says so.
///
/// # Errors
/// `NotFound`.
pub fn open(ctx: &Ctx, request: OpenRequest) -> Result<OpenedPatient> {
    worklist::wake(ctx)?;
    let now = ctx.now().timestamp_millis();
    let user = ctx.user_id();
    let wants = ctx.read(|connection| {
        let today = facts::local(now).date();
        let tasks = task::unfinished(connection, request.patient_id)?;
        let due: Vec<_> = tasks.iter().filter(|task| task.is_due(today)).collect();
        let taken = due.iter().any(|task| task.claimed_by_other(user, now).is_some());
        Ok(!request.look_only && !taken && !due.is_empty())
    })?;
    if wants {
        let claimed = ctx.write(|writer| {
            manage::claim_due(&mut Journal::new(writer), request.patient_id, user, manage::CLAIM_MILLIS)?;
            worklist::refresh_patient(writer.connection(), request.patient_id, now)?;
            note_opening(writer.connection(), now, user, request.patient_id)
        });
        match claimed {
            // Somebody was quicker between the look and the claim: the screen shows whose it is.
            Err(error) if error.code == ErrorCode::TaskClaimed => {}
            other => {
                other?;
                return ctx.read(|connection| open::opened(connection, ctx, request.patient_id));
            }
        }
    }
    let opened = ctx.read(|connection| open::opened(connection, ctx, request.patient_id))?;
    ctx.audit(OPENED, Some(request.patient_id), json!({}))?;
    Ok(opened)
}

/// What the audit trail calls opening a patient.
const OPENED: &str = "followup.open";

/// The opening in the trail, in the claim's own transaction.
fn note_opening(connection: &Connection, now: i64, user: Uuid, patient_id: Uuid) -> Result<()> {
    audit::append(connection, now, user, OPENED, Some(patient_id), &json!({}))
}

/// What follows from the answers so far. Nothing is stored.
///
/// # Errors
/// `NotFound`; `Invalid` with field `tasks` when they are not all of one patient.
pub fn evaluate(ctx: &Ctx, request: EvaluateRequest) -> Result<FormState> {
    if request.tasks.len() > MOST_TASKS {
        return Err(Error::field("tasks", ErrorCode::TooLong));
    }
    let today = ctx.local_now().date();
    ctx.read(|connection| {
        let mut tasks = Vec::with_capacity(request.tasks.len());
        for id in &request.tasks {
            tasks.push(task::load(connection, *id)?);
        }
        let Some(patient_id) = tasks.first().map(|task| task.patient_id) else {
            return Ok(FormState::default());
        };
        if tasks.iter().any(|task| task.patient_id != patient_id) {
            return Err(Error::field("tasks", ErrorCode::NotAllowed));
        }
        let patient =
            facts::patient(connection, patient_id)?.ok_or_else(|| Error::new(ErrorCode::NotFound))?;
        let tasks = worklist::in_order(tasks);
        let asked = form::asked(connection, &patient, &tasks, today)?;
        let merged = form::merge(&asked);
        let evaluations = evaluate::evaluations(&asked, &merged, &request.answers);
        let people = People::load(connection)?;
        let user = ctx.user_id();
        let caller = Caller { name: people.name(user), job_number: people.job_number(user) };
        let encounter = match tasks.iter().find_map(|task| task.encounter_id) {
            Some(id) => open::encounter(connection, id)?,
            None => None,
        };
        let card = open::card(connection, &patient, &tasks, None, today)?;
        let settings = settings::load(connection)?;
        let variables = script::variables(connection, &settings, &caller, &card, encounter.as_ref())?;
        evaluate::state(&asked, &merged, &evaluations, &variables)
    })
}

/// Saves a call with everything that follows from it, in one transaction. Saving the same call again changes nothing.
///
/// # Errors
/// `Invalid` with fields (`answers.<key>`, `reason`, `remark`, `appointment_at`, `phone_id`), `TaskState`, `TaskClaimed`,
/// `NotFound`.
pub fn save_call(ctx: &Ctx, request: SaveCallRequest) -> Result<SavedCall> {
    if request.tasks.len() > MOST_TASKS {
        return Err(Error::field("tasks", ErrorCode::TooLong));
    }
    ctx.write(|writer| save::save(ctx, writer, &request))
}

/// Takes back the user's last call of a patient, a few minutes long.
///
/// # Errors
/// `CallNotUndoable` when it is too late, not the user's, or something was built on it (an alert passed on, a death, a
/// refusal, an answer told).
pub fn undo_call(ctx: &Ctx, request: UndoCallRequest) -> Result<Done> {
    ctx.write(|writer| undo::undo(ctx, writer, request.call_id))
}

/// Asks for the reasons.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "FollowupReasonsRequest")]
pub struct ReasonsRequest {}

/// Keys 1 to 9 of the call screen: what happens most comes first; the others follow behind them.
const KEYS: [&str; 9] = ["NOANS", "BUSY", "OFF", "NOTCONV", "HANGUP", "OTHERP", "EMPTY", "STOP", "REF1"];

/// What a call may end with.
pub fn reasons(_: &Ctx, _: ReasonsRequest) -> Result<ReasonsResponse> {
    let mut reasons: Vec<&FailureReason> =
        forms::content()?.failure_reasons.reasons.iter().filter(|reason| !reason.system).collect();
    reasons.sort_by_key(|reason| KEYS.iter().position(|key| *key == reason.code).unwrap_or(KEYS.len()));
    let choice = |reason: &FailureReason| ReasonChoice {
        code: reason.code.clone(),
        name: reason.name.clone(),
        asks_time: reason.retry.kind == RetryDelay::AsAgreed,
        asks_remark: reason.actions.contains(&OutcomeAction::NeedsNote),
        grave: save::is_grave(reason),
    };
    Ok(ReasonsResponse { reasons: reasons.into_iter().map(choice).collect() })
}
