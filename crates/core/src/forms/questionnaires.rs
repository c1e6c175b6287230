//! Questionnaires that belong to no plan, and the questions there are to choose from.

use aftercare_domain::error_code::ErrorCode;
use aftercare_domain::forms::{Form, FormContext};
use rusqlite::Connection;

use super::{
    BankRequest, BankResponse, Kind, PlanRequest, QuestionnaireResponse, QuestionnaireSaveRequest,
    TryRequest, TryResponse, bank, catalog, commands, save,
};
use crate::app::Ctx;
use crate::error::{Error, Result};

/// One questionnaire in one version.
///
/// # Errors
/// `NotFound`.
pub fn questionnaire(ctx: &Ctx, request: PlanRequest) -> Result<QuestionnaireResponse> {
    ctx.read(|connection| read_response(connection, &request.code, request.version))
}

fn read_response(connection: &Connection, code: &str, version: Option<u32>) -> Result<QuestionnaireResponse> {
    let (shown, versions) = commands::find(connection, code, version)?;
    if shown.kind != Kind::Questionnaire {
        return Err(Error::new(ErrorCode::NotFound).with("code", code));
    }
    let form = catalog::read_form(connection, &shown)?;
    Ok(QuestionnaireResponse { form, shown, versions, routes: catalog::content()?.routing.routes.clone() })
}

/// Saves an edited questionnaire as the next version, which is then in use. Answers already given keep theirs.
///
/// # Errors
/// `Invalid` with a path per mistake, `Conflict` when somebody else saved meanwhile, field `code` `Taken`.
pub fn save(ctx: &Ctx, request: QuestionnaireSaveRequest) -> Result<QuestionnaireResponse> {
    let QuestionnaireSaveRequest { mut form, based_on } = request;
    form.code = form.code.trim().to_owned();
    save::refuse(catalog::compile_form(form.clone()).err().unwrap_or_default())?;
    ctx.write(|writer| {
        let version = save::questionnaire(ctx, writer, form, Some(based_on), true)?;
        read_response(writer.connection(), &version.code, Some(version.version))
    })
}

/// Every question there is to choose from.
pub fn bank(ctx: &Ctx, _: BankRequest) -> Result<BankResponse> {
    ctx.read(|connection| Ok(BankResponse { questions: bank::questions(connection)? }))
}

/// The form of a draft, under the draft's code and name.
pub(super) fn form_of(draft: &TryRequest) -> Form {
    let mut form = draft.plan.form.clone();
    form.code.clone_from(&draft.plan.code);
    form.title.clone_from(&draft.plan.name);
    form
}

/// Checks a draft and evaluates sample answers on it.
pub(super) fn try_out(request: TryRequest) -> TryResponse {
    match catalog::compile_form(form_of(&request)) {
        Err(problems) => TryResponse { problems, evaluation: None },
        Ok(compiled) => {
            let context = FormContext { age: request.age, ..FormContext::default() };
            let evaluation = Some(compiled.evaluate(&request.answers, &context));
            TryResponse { problems: Vec::new(), evaluation }
        }
    }
}
