//! What pages choose from, and what follows from answers while they are given.

use aftercare_domain::forms::FormContext;
use aftercare_domain::survey::score;

use super::{ContentRequest, ContentResponse, EvaluateRequest, EvaluateResponse, form, viewer};
use crate::app::Ctx;
use crate::error::Result;
use crate::settings;

pub use super::correct::correct as sheet_correct;
pub use super::export::export;
pub use super::opened::open as sheet_open;
pub use super::queue::{list as queue, save as call_save};
pub use super::results::{loyalty_of as loyalty, results};
pub use super::rounds::{close as round_close, list as rounds, make as round_make, preview};
pub use super::rows::page as rows;
pub use super::sheet::save as sheet_save;

/// Questionnaires, departments and the settings that pages show.
pub fn content(ctx: &Ctx, _: ContentRequest) -> Result<ContentResponse> {
    ctx.read(|connection| {
        let settings = settings::load(connection)?;
        let mut statement = connection.prepare_cached(include_str!("sql/departments.sql"))?;
        let departments = statement.query_map([], |row| row.get("department"))?;
        Ok(ContentResponse {
            questionnaires: form::questionnaires(connection)?,
            departments: departments.collect::<rusqlite::Result<_>>()?,
            scale: settings.survey_scale,
            min_n: settings.survey_min_n,
            low_score: settings.survey_low_score,
            only_department: viewer::only_department(ctx, connection)?,
        })
    })
}

/// Which questions are asked after these answers, what does not fit, and the score so far.
///
/// # Errors
/// `Invalid` with `form_code`.
pub fn evaluate(ctx: &Ctx, request: EvaluateRequest) -> Result<EvaluateResponse> {
    ctx.read(|connection| {
        let settings = settings::load(connection)?;
        let form = form::load(connection, &request.form_code, request.form_version)?;
        let evaluation = form.evaluate(&request.answers, &FormContext::default());
        let sheet = score(form.form(), &evaluation.visible, &request.answers);
        let rule = |code: &str| form.form().alerts.iter().find(|rule| rule.code == code);
        let say = evaluation.alerts.iter().filter_map(|raised| Some(rule(&raised.code)?.say.clone()));
        Ok(EvaluateResponse {
            say: say.collect(),
            visible: evaluation.visible,
            invalid: evaluation.invalid,
            score: form::hundred(sheet.points, &settings),
        })
    })
}
