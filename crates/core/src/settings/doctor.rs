//! Examines a desk: what is broken, what will be.

use chrono::{Datelike, Days};
use rusqlite::Connection;
use serde_json::{Value, json};

use super::{DoctorCheck, DoctorResponse, backup, store};
use crate::app::Ctx;
use crate::error::{Error, Result};
use crate::reports::dashboard;
use crate::{audit, change_log, followup};

/// Days after which a missing backup is told.
const BACKUP_DAYS: i64 = 7;

/// How many days ahead the holidays must be known.
const CALENDAR_DAYS: u64 = 21;

/// Runs every check; a broken one does not stop the others.
pub(super) fn examine(ctx: &Ctx) -> Result<DoctorResponse> {
    let beside = ctx.db().connect_beside()?;
    let checks = vec![
        whole("pages", backup::check_pages(&beside).map(|()| json!({}))),
        whole("audit", audit::verify(&beside).map(|found| json!({ "entries": found.entries }))),
        whole("change_log", change_log::verify(&beside).map(|found| json!({ "records": found.records }))),
        worklist(ctx, &beside),
        totals(ctx, &beside),
        last_backup(ctx, store::last_backup(&beside)?),
        calendar(ctx, &beside)?,
        size(ctx)?,
    ];
    let healthy = checks.iter().all(|check| check.state != "broken");
    Ok(DoctorResponse { healthy, checks })
}

fn check(name: &str, state: &str, params: Value) -> DoctorCheck {
    DoctorCheck { check: name.to_owned(), state: state.to_owned(), params }
}

fn whole(name: &str, result: Result<Value, Error>) -> DoctorCheck {
    match result {
        Ok(params) => check(name, "ok", params),
        Err(error) => check(name, "broken", json!({ "code": error.code.as_str() })),
    }
}

/// The worklist is derived, so what is wrong with it is put right at once.
fn worklist(ctx: &Ctx, beside: &Connection) -> DoctorCheck {
    let now = ctx.now().timestamp_millis();
    let examined = followup::check_worklist(beside, now).and_then(|differing| {
        if differing > 0 {
            ctx.write(|writer| followup::rebuild_worklist(writer.connection(), now))?;
        }
        Ok(differing)
    });
    match examined {
        Ok(0) => check("worklist", "ok", json!({})),
        Ok(differing) => check("worklist", "warning", json!({ "repaired": differing })),
        Err(error) => check("worklist", "broken", json!({ "code": error.code.as_str() })),
    }
}

/// So are the totals of the reports.
fn totals(ctx: &Ctx, beside: &Connection) -> DoctorCheck {
    let examined = dashboard::check(beside).and_then(|differing| {
        if differing > 0 {
            ctx.db().write(|connection, _| dashboard::rebuild(connection))?;
        }
        Ok(differing)
    });
    match examined {
        Ok(0) => check("totals", "ok", json!({})),
        Ok(differing) => check("totals", "warning", json!({ "repaired": differing })),
        Err(error) => check("totals", "broken", json!({ "code": error.code.as_str() })),
    }
}

fn last_backup(ctx: &Ctx, at: Option<i64>) -> DoctorCheck {
    let days = at.map(|at| (ctx.now().timestamp_millis() - at).div_euclid(86_400_000));
    match days {
        Some(days) if days <= BACKUP_DAYS => check("backup", "ok", json!({ "days": days })),
        Some(days) => check("backup", "warning", json!({ "days": days })),
        None => check("backup", "warning", json!({})),
    }
}

/// Notices come out each November; without next year's, holidays of January would be called on.
fn calendar(ctx: &Ctx, connection: &Connection) -> Result<DoctorCheck> {
    let soon = ctx.local_now().date() + Days::new(CALENDAR_DAYS);
    let last = super::calendar(connection)?.last_known_year().unwrap_or_default();
    let state = if last >= soon.year() { "ok" } else { "warning" };
    Ok(check("calendar", state, json!({ "year": last })))
}

fn size(ctx: &Ctx) -> Result<DoctorCheck> {
    let bytes = std::fs::metadata(ctx.db().path())?.len();
    Ok(check("size", "ok", json!({ "megabytes": bytes / 1_000_000 })))
}
