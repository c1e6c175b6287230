//! The question bank: every distinct question that the hospital asks somewhere.

use aftercare_domain::forms::Question;
use rusqlite::Connection;

use super::{BankQuestion, Kind, catalog, store};
use crate::error::Result;

/// The common bank's questions, then those of every plan and questionnaire in use, each once. A version that this
/// program cannot read (a newer one wrote it) is left out.
pub(super) fn questions(connection: &Connection) -> Result<Vec<BankQuestion>> {
    let mut found: Vec<BankQuestion> = Vec::new();
    for question in &catalog::content()?.question_bank {
        add(&mut found, question, None);
    }
    let versions = store::versions(connection)?;
    for version in catalog::in_use(&versions) {
        let form = match version.kind {
            Kind::Plan => catalog::read_plan(connection, version).map(|plan| plan.form),
            Kind::Questionnaire => catalog::read_form(connection, version),
        };
        match form {
            Ok(form) => {
                form.questions.iter().for_each(|question| add(&mut found, question, Some(&version.code)))
            }
            Err(error) => tracing::warn!(code = version.code, %error, "questions left out of the bank"),
        }
    }
    Ok(found)
}

fn add(found: &mut Vec<BankQuestion>, question: &Question, code: Option<&str>) {
    let loose = Question {
        show_if: None,
        at: Vec::new(),
        section: None,
        bank: None,
        required: false,
        ..question.clone()
    };
    let place = found.iter().position(|one| one.question == loose).unwrap_or_else(|| {
        found.push(BankQuestion { question: loose, used_in: Vec::new() });
        found.len() - 1
    });
    if let (Some(code), Some(known)) = (code, found.get_mut(place))
        && !known.used_in.iter().any(|one| one == code)
    {
        known.used_in.push(code.to_owned());
    }
}
