//! Reading, editing, switching and trying plans.

use aftercare_domain::error_code::ErrorCode;
use aftercare_domain::forms::FormContext;
use rusqlite::Connection;
use serde_json::json;

use super::{
    CompareRequest, CompareResponse, FormRequest, FormResponse, Kind, PlanDisableRequest, PlanEnableRequest,
    PlanRequest, PlanResponse, PlanRow, PlanSaveRequest, PlansRequest, PlansResponse, QuestionnaireRow,
    TryRequest, TryResponse, Version, catalog, compare, number, questionnaires, save, store,
};
use crate::app::Ctx;
use crate::audit;
use crate::commands::Done;
use crate::error::{Error, Result};

/// The version the list shows of each code: the one in use, or the latest.
fn shown(versions: &[Version]) -> Vec<(&Version, u32)> {
    let mut shown: Vec<(&Version, u32)> = Vec::new();
    for group in versions.chunk_by(|left, right| left.code == right.code) {
        if let Some(version) = group.iter().find(|version| version.enabled).or_else(|| group.first()) {
            shown.push((version, u32::try_from(group.len()).unwrap_or(u32::MAX)));
        }
    }
    shown
}

/// The list of plans and questionnaires.
pub fn plans(ctx: &Ctx, _: PlansRequest) -> Result<PlansResponse> {
    ctx.read(|connection| {
        let versions = store::versions(connection)?;
        let mut response = PlansResponse { plans: Vec::new(), questionnaires: Vec::new() };
        for (version, count) in shown(&versions) {
            match version.kind {
                Kind::Plan => response.plans.push(plan_row(connection, version, count)?),
                Kind::Questionnaire => response.questionnaires.push(QuestionnaireRow {
                    form: catalog::read_form(connection, version)?,
                    version: version.clone(),
                    versions: count,
                }),
            }
        }
        Ok(response)
    })
}

fn plan_row(connection: &Connection, version: &Version, versions: u32) -> Result<PlanRow> {
    let plan = catalog::read_plan(connection, version)?;
    let count = |length: usize| u32::try_from(length).unwrap_or(u32::MAX);
    Ok(PlanRow {
        version: version.clone(),
        versions,
        name: plan.name,
        review: plan.review,
        sensitive: plan.sensitive,
        icd10: plan.icd10,
        departments: plan.departments,
        timepoints: plan.timepoints.into_iter().map(|timepoint| timepoint.code).collect(),
        questions: count(plan.form.questions.len()),
        alerts: count(plan.form.alerts.len()),
    })
}

/// One plan in one version.
///
/// # Errors
/// `NotFound`.
pub fn plan(ctx: &Ctx, request: PlanRequest) -> Result<PlanResponse> {
    ctx.read(|connection| read_response(connection, &request.code, request.version))
}

/// A version, or the one in use, or else the latest; with every version, latest first.
pub(super) fn find(
    connection: &Connection,
    code: &str,
    version: Option<u32>,
) -> Result<(Version, Vec<Version>)> {
    let versions = store::versions_of(connection, code)?;
    let found = match version {
        Some(number) => versions.iter().find(|version| version.version == number),
        None => versions.iter().find(|version| version.enabled).or_else(|| versions.first()),
    };
    let found = found.cloned().ok_or_else(|| Error::new(ErrorCode::NotFound).with("code", code))?;
    Ok((found, versions))
}

fn read_response(connection: &Connection, code: &str, version: Option<u32>) -> Result<PlanResponse> {
    let (shown, versions) = find(connection, code, version)?;
    if shown.kind != Kind::Plan {
        return Err(Error::new(ErrorCode::NotFound).with("code", code));
    }
    let content = catalog::content()?;
    Ok(PlanResponse {
        plan: catalog::read_plan(connection, &shown)?,
        shown,
        versions,
        routes: content.routing.routes.clone(),
        owners: content.routing.owners.clone(),
        variables: content.variables.clone(),
    })
}

/// Saves an edited plan as the next version, which is then in use. Tasks already made keep theirs.
///
/// # Errors
/// `Invalid` with a path per mistake, `Conflict` when somebody else saved meanwhile, field `code` `Taken`.
pub fn plan_save(ctx: &Ctx, request: PlanSaveRequest) -> Result<PlanResponse> {
    let PlanSaveRequest { mut plan, based_on } = request;
    plan.code = plan.code.trim().to_owned();
    save::refuse(catalog::compile(plan.clone()).err().unwrap_or_default())?;
    ctx.write(|writer| {
        let version = save::plan(ctx, writer, plan, Some(based_on), true)?;
        read_response(writer.connection(), &version.code, Some(version.version))
    })
}

/// Uses one version and no other.
///
/// # Errors
/// `NotFound`.
pub fn plan_enable(ctx: &Ctx, request: PlanEnableRequest) -> Result<Done> {
    switch(ctx, &request.code, Some(request.version))
}

/// Uses no version: no new discharge starts the plan.
///
/// # Errors
/// `NotFound`.
pub fn plan_disable(ctx: &Ctx, request: PlanDisableRequest) -> Result<Done> {
    switch(ctx, &request.code, None)
}

fn switch(ctx: &Ctx, code: &str, to: Option<u32>) -> Result<Done> {
    ctx.write(|writer| {
        let versions = store::versions_of(writer.connection(), code)?;
        let known = |number: u32| versions.iter().any(|version| version.version == number);
        if versions.is_empty() || to.is_some_and(|number| !known(number)) {
            return Err(Error::new(ErrorCode::NotFound).with("code", code));
        }
        for version in &versions {
            store::set_enabled(writer, version.id, Some(version.version) == to)?;
        }
        let detail = json!({ "code": code, "version": to.map(number::label) });
        audit::append(
            writer.connection(),
            writer.now_millis(),
            ctx.user_id(),
            "forms.switch",
            None,
            &detail,
        )?;
        Ok(Done {})
    })
}

/// The form of a task or response, in the version it was given on.
///
/// # Errors
/// `NotFound`.
pub fn form(ctx: &Ctx, request: FormRequest) -> Result<FormResponse> {
    ctx.read(|connection| {
        let version = store::version(connection, &request.code, request.version)?;
        let routes = catalog::content()?.routing.routes.clone();
        Ok(match version.kind {
            Kind::Plan => {
                let plan = catalog::read_plan(connection, &version)?;
                FormResponse { form: plan.form, script: Some(plan.script), education: plan.education, routes }
            }
            Kind::Questionnaire => {
                let form = catalog::read_form(connection, &version)?;
                FormResponse { form, script: None, education: Vec::new(), routes }
            }
        })
    })
}

/// What changed between two versions.
///
/// # Errors
/// `NotFound`.
pub fn compare(ctx: &Ctx, request: CompareRequest) -> Result<CompareResponse> {
    ctx.read(|connection| {
        let read = |number: u32| -> Result<serde_json::Value> {
            let version = store::version(connection, &request.code, number)?;
            Ok(serde_json::from_str(&store::body(connection, version.id)?)?)
        };
        Ok(CompareResponse { changes: compare::changes(&read(request.from)?, &read(request.to)?) })
    })
}

/// Checks a draft and evaluates sample answers on it. Nothing is stored.
pub fn try_out(_: &Ctx, request: TryRequest) -> Result<TryResponse> {
    if request.questionnaire {
        return Ok(questionnaires::try_out(request));
    }
    let compiled = match catalog::compile(request.plan) {
        Ok(compiled) => compiled,
        Err(problems) => return Ok(TryResponse { problems, evaluation: None }),
    };
    let timepoint = request.timepoint.as_deref().and_then(|code| compiled.timepoint(code));
    let context = FormContext {
        part: timepoint.map(|(timepoint, _)| timepoint.part.clone()),
        timepoint: timepoint.map(|(timepoint, _)| timepoint.code.clone()),
        days_since_anchor: timepoint.map(|(timepoint, _)| i64::from(timepoint.offset_days)),
        age: request.age,
        ..FormContext::default()
    };
    let evaluation = compiled.form().evaluate(&request.answers, &context);
    Ok(TryResponse { problems: Vec::new(), evaluation: Some(evaluation) })
}
