//! Making users, giving roles, resetting passwords.

use aftercare_domain::access::{Role, roles_clash};
use aftercare_domain::error_code::ErrorCode;
use serde_json::json;
use uuid::Uuid;

use super::{ListRequest, ListResponse, ResetPasswordRequest, SaveRequest, StaffMember, check_login, store};
use crate::app::Ctx;
use crate::commands::Done;
use crate::error::{Error, FieldErrors, Result};
use crate::session::{add_user_slot, remove_user_slot};
use crate::{audit, settings};

/// Everybody.
pub fn list(ctx: &Ctx, _: ListRequest) -> Result<ListResponse> {
    Ok(ListResponse { members: ctx.read(store::all)? })
}

/// Makes a person or changes one. A person made inactive loses their key slot on this PC.
///
/// Errors: `Invalid` with fields, `LastAdministrator`, `NotFound`.
pub fn save(ctx: &Ctx, request: SaveRequest) -> Result<StaffMember> {
    let members = ctx.read(store::all)?;
    check(ctx, &request, &members)?;
    let existing = match request.id {
        Some(id) => {
            Some(members.iter().find(|m| m.id == id).ok_or_else(|| Error::new(ErrorCode::NotFound))?.clone())
        }
        None => None,
    };
    let member = StaffMember {
        id: request.id.unwrap_or_else(|| ctx.new_id()),
        login: existing.as_ref().map_or_else(|| request.login.trim().to_owned(), |m| m.login.clone()),
        display_name: request.display_name.trim().to_owned(),
        job_number: request.job_number.trim().to_owned(),
        department: request.department.trim().to_owned(),
        roles: request.roles,
        active: request.active,
    };
    ctx.write(|writer| {
        match &existing {
            Some(_) => store::update(writer, &member)?,
            None => store::create(writer, &member, super::NEVER_CHOSEN)?,
        }
        let detail = json!({ "roles": member.roles, "active": member.active });
        audit::append(
            writer.connection(),
            writer.now_millis(),
            ctx.user_id(),
            "staff.save",
            Some(member.id),
            &detail,
        )
    })?;
    match (&existing, request.password) {
        (None, Some(password)) => {
            let cost = ctx.app.env.password_cost;
            add_user_slot(&ctx.app.home, member.id, &member.login, &password, ctx.db().key(), cost)?;
        }
        _ if !member.active => remove_user_slot(&ctx.app.home, member.id)?,
        _ => {}
    }
    Ok(member)
}

fn check(ctx: &Ctx, request: &SaveRequest, members: &[StaffMember]) -> Result<()> {
    let mut errors = FieldErrors::default();
    if request.id.is_none() {
        check_login(&mut errors, "login", &request.login);
        if members.iter().any(|m| m.login == request.login.trim()) {
            errors.add("login", ErrorCode::Taken);
        }
        match &request.password {
            None => errors.add("password", ErrorCode::Required),
            Some(password) => {
                let policy = ctx.read(settings::load)?.password_policy;
                policy.check(&mut errors, "password", password, &request.login);
            }
        }
    }
    for (field, value, max) in [
        ("display_name", &request.display_name, 50),
        ("job_number", &request.job_number, 20),
        ("department", &request.department, 50),
    ] {
        if field == "display_name" && value.trim().is_empty() {
            errors.add(field, ErrorCode::Required);
        } else if value.chars().count() > max {
            errors.add_with(field, ErrorCode::TooLong, "max", max);
        }
    }
    if request.roles.is_empty() {
        errors.add("roles", ErrorCode::Required);
    } else if roles_clash(&request.roles) {
        errors.add("roles", ErrorCode::NotAllowed);
    }
    errors.check()?;
    let keeps_administrator = |m: &StaffMember| m.active && m.roles.contains(&Role::Administrator);
    let others = members.iter().any(|m| Some(m.id) != request.id && keeps_administrator(m));
    let stays = request.active && request.roles.contains(&Role::Administrator);
    let was = members.iter().any(|m| Some(m.id) == request.id && keeps_administrator(m));
    if was && !stays && !others { Err(Error::new(ErrorCode::LastAdministrator)) } else { Ok(()) }
}

/// Gives somebody a new password.
pub fn reset_password(ctx: &Ctx, request: ResetPasswordRequest) -> Result<Done> {
    let (members, policy) = ctx.read(|c| Ok((store::all(c)?, settings::load(c)?.password_policy)))?;
    let member = find(&members, request.id)?;
    let mut errors = FieldErrors::default();
    policy.check(&mut errors, "password", &request.password, &member.login);
    errors.check()?;
    super::set_password(ctx, member.id, &member.login, &request.password)?;
    Ok(Done {})
}

fn find(members: &[StaffMember], id: Uuid) -> Result<&StaffMember> {
    members.iter().find(|m| m.id == id && m.active).ok_or_else(|| Error::new(ErrorCode::NotFound))
}
