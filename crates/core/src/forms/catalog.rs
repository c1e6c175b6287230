//! Compiled plans. A version's content never changes, so what is compiled once stays right.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use aftercare_domain::forms::{CompiledForm, Form, Problem, is_form_code};
use aftercare_domain::plans::{CompiledPlan, Content, Plan};
use rusqlite::Connection;
use uuid::Uuid;

use super::{Kind, Version, store};
use crate::error::{Error, Result};

/// How many compiled plans are kept: every plan in use and some older versions.
const KEPT: usize = 200;

static CONTENT: LazyLock<std::result::Result<Content, Vec<Problem>>> = LazyLock::new(Content::shipped);
static COMPILED: LazyLock<Mutex<BTreeMap<Uuid, Arc<CompiledPlan>>>> = LazyLock::new(Mutex::default);

/// What ships with the program: tables, common questions and exclusions, plans.
pub fn content() -> Result<&'static Content> {
    CONTENT.as_ref().map_err(|problems| Error::internal(format!("shipped content: {problems:?}")))
}

/// Every plan in use, by code. A plan that this version of the program cannot read (a newer one
/// wrote it) is left out and noted in the log.
pub fn catalog(connection: &Connection) -> Result<Vec<Arc<CompiledPlan>>> {
    let mut plans = Vec::new();
    for version in in_use(&store::versions(connection)?).filter(|version| version.kind == Kind::Plan) {
        match compiled(connection, version) {
            Ok(plan) => plans.push(plan),
            Err(error) => {
                tracing::warn!(code = version.code, version = version.version, %error, "plan left out");
            }
        }
    }
    Ok(plans)
}

/// The version in use of each code, of a list sorted by code, latest first.
pub(super) fn in_use(versions: &[Version]) -> impl Iterator<Item = &Version> {
    let mut taken: Option<&str> = None;
    versions.iter().filter(move |version| {
        let first = version.enabled && taken != Some(version.code.as_str());
        if first {
            taken = Some(&version.code);
        }
        first
    })
}

/// A plan in the version a task or response names, enabled or not.
///
/// # Errors
/// `NotFound` when it is not here; `Internal` when this program cannot read it.
pub fn plan(connection: &Connection, code: &str, version: u32) -> Result<Arc<CompiledPlan>> {
    compiled(connection, &store::version(connection, code, version)?)
}

/// A questionnaire in the version a response names.
///
/// # Errors
/// As for [`plan`].
pub fn questionnaire(connection: &Connection, code: &str, version: u32) -> Result<CompiledForm> {
    let version = store::version(connection, code, version)?;
    CompiledForm::new(read_form(connection, &version)?).map_err(unreadable)
}

/// Every questionnaire in use with its version, by code. One that this program cannot read is left out.
pub fn questionnaires_in_use(connection: &Connection) -> Result<Vec<(Version, Form)>> {
    let versions = store::versions(connection)?;
    let used = in_use(&versions).filter(|version| version.kind == Kind::Questionnaire);
    let read = used.filter_map(|version| Some((version.clone(), read_form(connection, version).ok()?)));
    Ok(read.collect())
}

pub(super) fn read_plan(connection: &Connection, version: &Version) -> Result<Plan> {
    let mut plan: Plan = serde_json::from_str(&store::body(connection, version.id)?)?;
    plan.version = version.version;
    plan.form.version = version.version;
    Ok(plan)
}

pub(super) fn read_form(connection: &Connection, version: &Version) -> Result<Form> {
    let mut form: Form = serde_json::from_str(&store::body(connection, version.id)?)?;
    form.version = version.version;
    Ok(form)
}

fn compiled(connection: &Connection, version: &Version) -> Result<Arc<CompiledPlan>> {
    let kept = || COMPILED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(plan) = kept().get(&version.id).filter(|plan| plan.plan().version == version.version) {
        return Ok(Arc::clone(plan));
    }
    let plan = compile(read_plan(connection, version)?).map_err(unreadable)?;
    let plan = Arc::new(plan);
    let mut kept = kept();
    if kept.len() >= KEPT {
        kept.clear();
    }
    kept.insert(version.id, Arc::clone(&plan));
    Ok(plan)
}

/// Checks and compiles a plan with the shipped tables.
pub(super) fn compile(plan: Plan) -> std::result::Result<CompiledPlan, Vec<Problem>> {
    let content = CONTENT.as_ref().map_err(Clone::clone)?;
    CompiledPlan::new(plan, &content.routing, &content.variables)
}

/// Checks and compiles a questionnaire with the shipped routing table. Paths are as in a plan: the code and name of
/// the whole, and `form.…`.
pub(super) fn compile_form(form: Form) -> std::result::Result<CompiledForm, Vec<Problem>> {
    let content = CONTENT.as_ref().map_err(Clone::clone)?;
    let mut problems = Vec::new();
    if !is_form_code(&form.code) {
        problems.push(Problem::new("code", "bad_code"));
    }
    for (index, alert) in form.alerts.iter().enumerate() {
        if !content.routing.routes.iter().any(|route| route.code == alert.route) {
            problems.push(Problem::new(format!("form.alerts.{index}.route"), "unknown_route"));
        }
    }
    match CompiledForm::new(form) {
        Ok(compiled) if problems.is_empty() => Ok(compiled),
        Ok(_) => Err(problems),
        Err(found) => {
            problems.extend(found.into_iter().map(|problem| match problem.path.as_str() {
                "title" => Problem { path: "name".to_owned(), ..problem },
                _ => problem.under("form"),
            }));
            Err(problems)
        }
    }
}

fn unreadable(problems: Vec<Problem>) -> Error {
    Error::internal(format!("stored plan: {problems:?}"))
}
