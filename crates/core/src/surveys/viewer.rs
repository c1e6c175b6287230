//! Who sees which sheets.

use aftercare_domain::access::Permission;
use aftercare_domain::error_code::ErrorCode;
use rusqlite::Connection;

use super::{Scope, ScopeRequest};
use crate::app::Ctx;
use crate::db;
use crate::error::{Error, FieldErrors, Result};
use crate::surveys::form;

/// Longest period of a scope, days.
const MOST_DAYS: i64 = 3 * 366;

/// The department that the signed-in person is kept to; none when they see all.
pub(super) fn only_department(ctx: &Ctx, connection: &Connection) -> Result<Option<String>> {
    if [Permission::SurveyWork, Permission::SurveyManage, Permission::ComplaintApprove]
        .into_iter()
        .any(|permission| ctx.may(permission))
    {
        return Ok(None);
    }
    let department: Option<String> = db::optional(
        connection
            .prepare_cached("SELECT department FROM staff WHERE id = ?1")?
            .query_row([ctx.user_id()], |row| row.get("department")),
    )?;
    Ok(Some(department.unwrap_or_default().trim().to_owned()))
}

/// Checks a scope and keeps it to what the signed-in person sees.
///
/// # Errors
/// `Invalid` with `scope.from` or `scope.to`; `Forbidden` for another department.
pub(super) fn scope(ctx: &Ctx, connection: &Connection, request: &ScopeRequest) -> Result<Scope> {
    let mut errors = FieldErrors::default();
    let from = form::day(&mut errors, "scope.from", &request.from);
    let to = form::day(&mut errors, "scope.to", &request.to);
    if let (Some(from), Some(to)) = (from, to)
        && !(0..MOST_DAYS).contains(&(to - from).num_days())
    {
        errors.add("scope.to", ErrorCode::BadDate);
    }
    errors.check()?;
    let (Some(from), Some(to)) = (from, to) else {
        return Err(Error::field("scope.from", ErrorCode::BadDate));
    };
    let given = |text: &Option<String>| text.clone().filter(|text| !text.trim().is_empty());
    let mut scope = Scope {
        from,
        to,
        kind: request.kind,
        department: given(&request.department),
        doctor: given(&request.doctor),
        site_id: request.site_id,
    };
    if let Some(own) = only_department(ctx, connection)? {
        if scope.department.as_ref().is_some_and(|wanted| *wanted != own) {
            return Err(Error::new(ErrorCode::Forbidden).with("permission", "survey_work"));
        }
        scope.department = Some(own);
    }
    Ok(scope)
}
