//! What a person holds for themselves: how many patients and until when, and giving all of them back.

use aftercare_domain::task::TaskCommand;
use rusqlite::{Connection, params};
use serde::{Deserialize, Serialize};
use serde_json::json;
use ts_rs::TS;
use uuid::Uuid;

use super::journal::Journal;
use super::{task, worklist};
use crate::app::Ctx;
use crate::audit;
use crate::error::Result;

/// Asks what the signed-in person holds.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "FollowupAlongRequest")]
pub struct AlongRequest {}

/// Patients whose due tasks are claimed by the signed-in person.
#[derive(Debug, PartialEq, Eq, Serialize, TS)]
#[ts(rename = "FollowupAlong")]
pub struct Along {
    /// The patients.
    pub patient_ids: Vec<Uuid>,
    /// When the last of the claims ends, milliseconds UTC.
    #[ts(type = "number | null")]
    pub until: Option<i64>,
}

/// What the signed-in person holds.
pub fn along(ctx: &Ctx, _: AlongRequest) -> Result<Along> {
    let now = ctx.now().timestamp_millis();
    ctx.read(|connection| held(connection, ctx.user_id(), now))
}

/// Gives everything back that the signed-in person holds; answers what it was.
pub fn give_back(ctx: &Ctx, _: AlongRequest) -> Result<Along> {
    let user = ctx.user_id();
    ctx.write(|writer| {
        let now = writer.now_millis();
        let given = held(writer.connection(), user, now)?;
        for patient_id in &given.patient_ids {
            let mut journal = Journal::new(writer);
            for mut task in task::unfinished(journal.writer.connection(), *patient_id)? {
                if task.claim.is_some_and(|(by, _)| by == user) {
                    task::apply(&mut journal, &mut task, TaskCommand::Release { by: user }, None, &[])?;
                }
            }
            worklist::refresh_patient(writer.connection(), *patient_id, now)?;
        }
        let detail = json!({ "patients": given.patient_ids.len() });
        audit::append(writer.connection(), now, user, "followup.give_back", None, &detail)?;
        Ok(given)
    })
}

fn held(connection: &Connection, user: Uuid, now_millis: i64) -> Result<Along> {
    let mut statement = connection.prepare_cached(
        "SELECT patient_id, max(claimed_until) AS until FROM task
         WHERE claimed_by = ?1 AND claimed_until > ?2 AND status IN ('open', 'waiting')
         GROUP BY patient_id ORDER BY patient_id",
    )?;
    let rows = statement.query_map(params![user, now_millis], |row| {
        Ok((row.get::<_, Uuid>("patient_id")?, row.get::<_, i64>("until")?))
    })?;
    let found: Vec<(Uuid, i64)> = rows.collect::<rusqlite::Result<_>>()?;
    let until = found.iter().map(|(_, until)| *until).max();
    Ok(Along { patient_ids: found.into_iter().map(|(patient, _)| patient).collect(), until })
}
