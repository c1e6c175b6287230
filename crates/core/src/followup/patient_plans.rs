//! The plans a patient is on, with every task of them: for the record, where no call is being made.

use aftercare_domain::forms::LocalText;
use rusqlite::Connection;
use serde::Serialize;
use ts_rs::TS;
use uuid::Uuid;

use super::task::{self, Task};
use super::{call::PatientRequest, plan_name};
use crate::app::Ctx;
use crate::archive;
use crate::error::Result;

/// The plans of a patient, the newest first, and what was added by hand.
#[derive(Debug, Serialize, TS)]
#[ts(rename = "FollowupPatientPlans")]
pub struct PatientPlans {
    /// Plans.
    pub plans: Vec<PatientPlan>,
    /// Tasks of no plan: calls added by hand, answers to bring.
    pub others: Vec<PlanTask>,
}

/// A plan that a stay started.
#[derive(Debug, Serialize, TS)]
#[ts(rename = "FollowupPatientPlan")]
pub struct PatientPlan {
    /// The enrolment.
    pub id: Uuid,
    /// The plan's code.
    pub code: String,
    /// Its version.
    pub version: u32,
    /// Its name in that version.
    pub name: LocalText,
    /// The day its timepoints count from.
    pub anchor_on: String,
    /// `active`, `finished`, `stopped`, `lost`.
    pub state: String,
    /// Its tasks, by planned day.
    pub tasks: Vec<PlanTask>,
}

/// A task as it stands.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(rename = "FollowupPlanTask")]
pub struct PlanTask {
    /// The task.
    pub id: Uuid,
    /// `plan`, `extra`, `manual`, `return_call`.
    pub kind: String,
    /// `D7`, `Q2`.
    pub label: String,
    /// Planned day.
    pub due_on: String,
    /// `open`, `waiting`, `done`, `failed`, `expired`, `cancelled`, `skipped`.
    pub status: String,
    /// Why it ended: a code, or what a person wrote.
    pub end_reason: Option<String>,
}

impl From<&Task> for PlanTask {
    fn from(task: &Task) -> Self {
        Self {
            id: task.id,
            kind: task.kind.clone(),
            label: task.label.clone(),
            due_on: task.due_on.to_string(),
            status: task.status.as_str().to_owned(),
            end_reason: task.end_reason.clone(),
        }
    }
}

/// Every plan of a patient with its tasks.
///
/// # Errors
/// `NotFound`.
pub fn patient_plans(ctx: &Ctx, request: PatientRequest) -> Result<PatientPlans> {
    ctx.read(|connection| {
        let mut tasks = Vec::new();
        let mut plans = Vec::new();
        for id in archive::person_ids(connection, request.patient_id)? {
            tasks.extend(task::of_patient(connection, id)?);
            enrolments(connection, id, &mut plans)?;
        }
        for plan in &mut plans {
            let own = tasks.iter().filter(|task| task.enrolment_id == Some(plan.id));
            plan.tasks = own.map(PlanTask::from).collect();
        }
        plans.sort_by(|a, b| b.anchor_on.cmp(&a.anchor_on).then(b.id.cmp(&a.id)));
        let others = tasks.iter().filter(|task| task.enrolment_id.is_none()).map(PlanTask::from).collect();
        Ok(PatientPlans { plans, others })
    })
}

fn enrolments(connection: &Connection, patient_id: Uuid, plans: &mut Vec<PatientPlan>) -> Result<()> {
    let mut statement = connection.prepare_cached(
        "SELECT id, plan_code, plan_version, anchor_on, state FROM enrolment WHERE patient_id = ?1",
    )?;
    let mut rows = statement.query([patient_id])?;
    while let Some(row) = rows.next()? {
        let (code, version): (String, u32) = (row.get("plan_code")?, row.get("plan_version")?);
        let name = plan_name(connection, &code, version)?;
        plans.push(PatientPlan {
            id: row.get("id")?,
            name: name.unwrap_or_else(|| LocalText { zh: code.clone(), en: code.clone() }),
            code,
            version,
            anchor_on: row.get("anchor_on")?,
            state: row.get("state")?,
            tasks: Vec::new(),
        });
    }
    Ok(())
}
