//! The people of the desk and the sites.

pub mod commands;
mod store;
#[cfg(test)]
mod tests;

use std::sync::atomic::AtomicBool;

use aftercare_domain::access::{Role, permissions_of};
use aftercare_domain::error_code::ErrorCode;
use chrono::{DateTime, Utc};
use rusqlite::{Connection, params};
use serde::{Deserialize, Serialize};
use serde_json::json;
use ts_rs::TS;
use uuid::Uuid;

use crate::app::Ctx;
use crate::change_log::{SITE, USER, Writer};
use crate::error::{FieldErrors, Result};
use crate::session::{SessionUser, SetupRequest, add_user_slot};
use crate::{audit, env, forms};

pub use store::{all, by_login};

/// A person of the department.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct StaffMember {
    /// The person.
    pub id: Uuid,
    /// What they type to log in.
    pub login: String,
    /// What others see, and patients hear.
    pub display_name: String,
    /// 工号, said at the beginning of a call.
    pub job_number: String,
    /// For doctors: whose questions they answer.
    pub department: String,
    /// Their parts.
    pub roles: Vec<Role>,
    /// Whether they may log in.
    pub active: bool,
}

impl StaffMember {
    /// What the window knows of the person once signed in.
    pub fn session_user(&self) -> SessionUser {
        SessionUser {
            id: self.id,
            login: self.login.clone(),
            display_name: self.display_name.clone(),
            roles: self.roles.clone(),
            permissions: permissions_of(&self.roles),
        }
    }
}

/// Asks for everybody.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "StaffListRequest")]
pub struct ListRequest {}

/// Everybody, active first, by name.
#[derive(Debug, Serialize, TS)]
#[ts(rename = "StaffListResponse")]
pub struct ListResponse {
    /// The people.
    pub members: Vec<StaffMember>,
}

/// A new person (no `id`, a password) or changes to one.
#[derive(Deserialize, TS)]
#[ts(rename = "StaffSaveRequest")]
pub struct SaveRequest {
    /// Whom to change.
    pub id: Option<Uuid>,
    /// Cannot be changed later.
    pub login: String,
    /// What others see.
    pub display_name: String,
    /// 工号.
    pub job_number: String,
    /// For doctors.
    pub department: String,
    /// Their parts.
    pub roles: Vec<Role>,
    /// Whether they may log in.
    pub active: bool,
    /// Their first password, for a new person.
    pub password: Option<String>,
}

/// A new password for somebody who forgot theirs.
#[derive(Deserialize, TS)]
#[ts(rename = "StaffResetPasswordRequest")]
pub struct ResetPasswordRequest {
    /// Whose.
    pub id: Uuid,
    /// The password, told to them by word of mouth.
    pub password: String,
}

/// The first person, who administers and supervises.
pub(crate) fn first_member(request: &SetupRequest, id: Uuid) -> StaffMember {
    StaffMember {
        id,
        login: request.login.trim().to_owned(),
        display_name: request.display_name.trim().to_owned(),
        job_number: String::new(),
        department: String::new(),
        roles: crate::session::commands::FIRST_ROLES.to_vec(),
        active: true,
    }
}

/// Writes the desk's first rows in one transaction: the desk, the site, the first person.
pub(crate) fn found_hospital(
    connection: &Connection,
    open: &AtomicBool,
    request: &SetupRequest,
    first: &StaffMember,
    now: DateTime<Utc>,
) -> Result<()> {
    let (device, site) = (env::new_id(now), env::new_id(now));
    let now = now.timestamp_millis();
    connection.execute(
        "INSERT INTO desk (only_row, device_id, hospital, site_id, made_at, last_dseq, chain_hash, last_hlc)
         VALUES (1, ?1, ?2, ?3, ?4, 0, x'', 0)",
        params![device, request.hospital.trim(), site, now],
    )?;
    let mut writer = Writer::begin(connection, open, first.id, now)?;
    writer.create(&SITE, site, &[("name", request.site.trim().into())])?;
    store::create(&mut writer, first, now)?;
    forms::seed(&mut writer)?;
    audit::append(connection, now, first.id, "session.setup", None, &json!({}))?;
    writer.finish()?;
    Ok(())
}

/// A login is 2 to 40 letters, digits, Chinese characters, dots, dashes or underscores.
pub(crate) fn check_login(errors: &mut FieldErrors, field: &str, login: &str) {
    let login = login.trim();
    let length = login.chars().count();
    if length == 0 {
        errors.add(field, ErrorCode::Required);
    } else if length < 2 {
        errors.add_with(field, ErrorCode::TooShort, "min", 2);
    } else if length > 40 {
        errors.add_with(field, ErrorCode::TooLong, "max", 40);
    } else if !login.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | '_')) {
        errors.add(field, ErrorCode::NotAllowed);
    }
}

/// Stands where a person has not chosen their password themselves.
const NEVER_CHOSEN: i64 = 0;

/// When a person last chose their own password, milliseconds UTC; 0 when somebody else gave it to them.
pub(crate) fn password_chosen_at(connection: &Connection, id: Uuid) -> Result<i64> {
    let sql = "SELECT password_changed_at FROM staff WHERE id = ?1";
    Ok(connection.prepare_cached(sql)?.query_row([id], |row| row.get("password_changed_at"))?)
}

/// Notes when a person chose their password.
pub(crate) fn note_password(writer: &mut Writer<'_>, id: Uuid, chosen_at: i64) -> Result<()> {
    writer.update(&USER, id, &[("password_changed_at", chosen_at.into())])?;
    Ok(())
}

/// Replaces a person's key slot and notes when; one that somebody else chose counts as never chosen.
pub(crate) fn set_password(ctx: &Ctx, id: Uuid, login: &str, password: &str) -> Result<()> {
    let now = ctx.now().timestamp_millis();
    let chosen_at = if id == ctx.user_id() { now } else { NEVER_CHOSEN };
    add_user_slot(&ctx.app.home, id, login, password, ctx.db().key(), ctx.app.env.password_cost)?;
    ctx.write(|writer| {
        note_password(writer, id, chosen_at)?;
        audit::append(writer.connection(), now, ctx.user_id(), "staff.password", Some(id), &json!({}))
    })
}
