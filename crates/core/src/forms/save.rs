//! Storing the next version of a plan or questionnaire.

use aftercare_domain::error_code::ErrorCode;
use aftercare_domain::forms::{Form, Problem};
use aftercare_domain::plans::Plan;
use serde_json::json;

use super::{Kind, Origin, Version, number, store};
use crate::app::Ctx;
use crate::audit;
use crate::change_log::Writer;
use crate::error::{Error, FieldErrors, Result};

/// The largest plan, in bytes of JSON. The largest shipped one has 30 kB.
const MAX_BODY: usize = 1_000_000;

/// Each mistake at its field.
pub(super) fn refuse(problems: Vec<Problem>) -> Result<()> {
    let mut errors = FieldErrors::default();
    for problem in problems {
        errors.add_with(problem.path, ErrorCode::PlanProblem, "problem", problem.code);
    }
    errors.check()
}

/// Stores a checked plan. `based_on` is the latest version when editing began; none asks for no particular one.
///
/// # Errors
/// `Conflict`, field `code` `Taken`, `TooLong`.
pub(super) fn plan(
    ctx: &Ctx,
    writer: &mut Writer<'_>,
    mut plan: Plan,
    based_on: Option<Option<u32>>,
    enable: bool,
) -> Result<Version> {
    let code = plan.code.clone();
    next(ctx, writer, (&code, Kind::Plan), based_on, enable, |version| {
        plan.version = version;
        plan.form.code.clone_from(&plan.code);
        plan.form.version = version;
        plan.form.title.clone_from(&plan.name);
        Ok(serde_json::to_string(&plan)?)
    })
}

/// Stores a checked questionnaire, as [`plan`] does.
///
/// # Errors
/// As for [`plan`].
pub(super) fn questionnaire(
    ctx: &Ctx,
    writer: &mut Writer<'_>,
    mut form: Form,
    based_on: Option<Option<u32>>,
    enable: bool,
) -> Result<Version> {
    let code = form.code.clone();
    next(ctx, writer, (&code, Kind::Questionnaire), based_on, enable, |version| {
        form.version = version;
        Ok(serde_json::to_string(&form)?)
    })
}

fn next(
    ctx: &Ctx,
    writer: &mut Writer<'_>,
    (code, kind): (&str, Kind),
    based_on: Option<Option<u32>>,
    enable: bool,
    body: impl FnOnce(u32) -> Result<String>,
) -> Result<Version> {
    let before = store::versions_of(writer.connection(), code)?;
    let latest = before.first().map(|version| version.version);
    if before.iter().any(|version| version.kind != kind) {
        return Err(Error::field("code", ErrorCode::Taken));
    }
    match (based_on, latest) {
        (Some(None), Some(_)) => return Err(Error::field("code", ErrorCode::Taken)),
        (Some(based_on), latest) if based_on != latest => return Err(Error::new(ErrorCode::Conflict)),
        _ => {}
    }
    let number = number::next(latest.unwrap_or(0), writer.device())
        .ok_or_else(|| Error::field("code", ErrorCode::TooLong))?;
    let body = body(number)?;
    if body.len() > MAX_BODY {
        return Err(Error::field("form.questions", ErrorCode::TooLong));
    }
    let version = Version {
        id: ctx.new_id(),
        code: code.to_owned(),
        version: number,
        count: number::count(number),
        label: number::label(number),
        kind,
        origin: Origin::Edited,
        enabled: enable,
        made_at: writer.now_millis(),
        made_by: ctx.user_id(),
    };
    store::create(writer, &version, body)?;
    for old in before.iter().filter(|old| old.enabled && enable) {
        store::set_enabled(writer, old.id, false)?;
    }
    let detail = json!({ "code": code, "version": version.label });
    audit::append(
        writer.connection(),
        writer.now_millis(),
        ctx.user_id(),
        "forms.save",
        Some(version.id),
        &detail,
    )?;
    Ok(version)
}
