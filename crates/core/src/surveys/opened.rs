//! A sheet as it is read.

use std::collections::BTreeMap;

use aftercare_domain::access::Permission;
use aftercare_domain::error_code::ErrorCode;
use aftercare_domain::forms::{AnswerValue, Answers};
use rusqlite::Connection;
use serde_json::json;
use uuid::Uuid;

use super::form::{self, Results};
use super::sheet::derived_id;
use super::{SheetDetail, SheetRequest, SheetVersion, rows, viewer};
use crate::app::Ctx;
use crate::archive;
use crate::error::{Error, Result};
use crate::followup::recovery;
use crate::settings::{self, Settings};

/// What a complaint takes over from a sheet.
pub(crate) struct Told {
    pub patient_id: Option<Uuid>,
    pub call_id: Option<Uuid>,
    pub department: String,
    pub doctor: String,
    pub visited_on: Option<String>,
    /// What was written in words.
    pub comments: String,
}

/// What a complaint takes over from a sheet: the latest of its root.
///
/// # Errors
/// `NotFound`.
pub(crate) fn told(connection: &Connection, id: Uuid) -> Result<Told> {
    let sql = "SELECT sheet.patient_id, sheet.call_id, sheet.department, sheet.doctor, sheet.visited_on, sheet.answers,
                      sheet.form_code, sheet.form_version
               FROM survey_sheet AS named JOIN survey_standing ON survey_standing.root_id = named.root_id
               JOIN survey_sheet AS sheet ON sheet.id = survey_standing.sheet_id WHERE named.id = ?1";
    let (mut told, answers, code, version) = connection.prepare_cached(sql)?.query_row([id], |row| {
        let told = Told {
            patient_id: row.get("patient_id")?,
            call_id: row.get("call_id")?,
            department: row.get("department")?,
            doctor: row.get("doctor")?,
            visited_on: row.get("visited_on")?,
            comments: String::new(),
        };
        let answers: String = row.get("answers")?;
        Ok((told, answers, row.get::<_, String>("form_code")?, row.get::<_, u32>("form_version")?))
    })?;
    let answers: Answers = serde_json::from_str(&answers)?;
    let form = form::load(connection, &code, Some(version))?;
    let texts = form.form().questions.iter().filter(|question| !question.sensitive).filter_map(|question| {
        match answers.get(&question.id) {
            Some(AnswerValue::Text(text)) if !text.trim().is_empty() => Some(text.trim()),
            _ => None,
        }
    });
    told.comments = texts.collect::<Vec<_>>().join("\n");
    Ok(told)
}

/// Opens a sheet; the latest of its root is shown.
///
/// # Errors
/// `NotFound`, also when it is not for the signed-in person.
pub fn open(ctx: &Ctx, request: SheetRequest) -> Result<SheetDetail> {
    let detail = ctx.read(|connection| detail(ctx, connection, request.id))?;
    ctx.audit("surveys.read", Some(request.id), json!({}))?;
    Ok(detail)
}

fn detail(ctx: &Ctx, connection: &Connection, id: Uuid) -> Result<SheetDetail> {
    let settings = settings::load(connection)?;
    let (row, root_id) = rows::one(connection, id, &settings)?;
    if viewer::only_department(ctx, connection)?.is_some_and(|own| own != row.department) {
        return Err(Error::new(ErrorCode::NotFound));
    }
    let stored: (String, String, String, u32, Option<Uuid>, i64, Uuid) = connection
        .prepare_cached(
            "SELECT answers, results, form_code, form_version, encounter_id, entered_at, entered_by
             FROM survey_sheet WHERE id = ?1",
        )?
        .query_row([row.id], |row| {
            Ok((
                row.get("answers")?,
                row.get("results")?,
                row.get("form_code")?,
                row.get("form_version")?,
                row.get("encounter_id")?,
                row.get("entered_at")?,
                row.get("entered_by")?,
            ))
        })?;
    let (answers, results, code, version, encounter_id, entered_at, entered_by) = stored;
    let form = form::load(connection, &code, Some(version))?.form().clone();
    let mut answers: Answers = serde_json::from_str(&answers)?;
    let all = answers.len();
    if !ctx.may(Permission::SurveyManage) && entered_by != ctx.user_id() {
        answers
            .retain(|id, _| !form.questions.iter().any(|question| question.id == *id && question.sensitive));
    }
    let people = rows::people(connection)?;
    let name = match row.patient_id {
        Some(id) => {
            archive::patient_brief(connection, id, ctx.local_now().date()).ok().map(|brief| brief.name)
        }
        None => None,
    };
    let results: Results = serde_json::from_str(&results)?;
    let recovery = derived_id(root_id, "recovery");
    Ok(SheetDetail {
        hidden: u32::try_from(all - answers.len()).unwrap_or(u32::MAX),
        answers,
        dimensions: results.dimensions,
        name,
        encounter_id,
        entered_at,
        entered_by: named(&people, entered_by),
        versions: versions(connection, root_id, &people, &settings)?,
        recovery: recovery::is_open_or_done(connection, recovery)?.then_some(recovery),
        form,
        row,
    })
}

fn named(people: &BTreeMap<Uuid, String>, id: Uuid) -> String {
    people.get(&id).cloned().unwrap_or_default()
}

fn versions(
    connection: &Connection,
    root_id: Uuid,
    people: &BTreeMap<Uuid, String>,
    settings: &Settings,
) -> Result<Vec<SheetVersion>> {
    let sql = "SELECT id, entered_at, entered_by, why, withdrawn, points FROM survey_sheet
               WHERE root_id = ?1 ORDER BY entered_at, id";
    let mut statement = connection.prepare_cached(sql)?;
    let list = statement.query_map([root_id], |row| {
        Ok(SheetVersion {
            id: row.get("id")?,
            entered_at: row.get("entered_at")?,
            entered_by: named(people, row.get("entered_by")?),
            why: row.get("why")?,
            withdrawn: row.get("withdrawn")?,
            score: form::hundred(row.get("points")?, settings),
        })
    })?;
    Ok(list.collect::<rusqlite::Result<_>>()?)
}
