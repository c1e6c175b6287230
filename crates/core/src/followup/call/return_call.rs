//! A call that brings an expert's answer opens with it: the answer is read to the patient as it stands.

use std::sync::OnceLock;

use aftercare_domain::followup::ConsultStatus;
use aftercare_domain::forms::{Lang, LocalText, VarValue, VariableRule, render};
use serde::Deserialize;

use super::CallScript;
use super::script::Variables;
use crate::error::{Error, Result};
use crate::followup::consult::{ConsultItem, ConsultReply};
use crate::followup::task::day;
use crate::forms;

const FILE: &str = include_str!("../../../../../assets/content/return_call.json");

/// The script as it ships.
#[derive(Deserialize)]
struct Words {
    identity_check: Vec<LocalText>,
    opening: LocalText,
    answer: LocalText,
    again: LocalText,
    variables: Vec<VariableRule>,
}

fn words() -> Result<&'static Words> {
    static WORDS: OnceLock<Option<Words>> = OnceLock::new();
    WORDS
        .get_or_init(|| serde_json::from_str(FILE).ok())
        .as_ref()
        .ok_or_else(|| Error::internal("the script of return calls cannot be read"))
}

/// Puts the answers of experts that wait to be told before everything else. Without a plan's questions
/// the call has this script's own way to make sure of the person too.
pub(super) fn open_with_answers(
    script: &mut CallScript,
    consults: &[ConsultItem],
    variables: &Variables,
    alone: bool,
) -> Result<()> {
    let waiting: Vec<&ConsultItem> =
        consults.iter().filter(|consult| consult.status == ConsultStatus::Answered).collect();
    if waiting.is_empty() {
        return Ok(());
    }
    let words = words()?;
    let mut rules = forms::content()?.variables.clone();
    rules.extend(words.variables.iter().cloned());
    let fill = |text: &LocalText, variables: &Variables| {
        let say = |lang| render(text.get(lang), lang, variables.of(lang), &rules).text;
        LocalText { zh: say(Lang::Zh), en: say(Lang::En) }
    };
    script.opening = fill(&words.opening, variables);
    if alone {
        script.identity_check = words.identity_check.iter().map(|line| fill(line, variables)).collect();
    }
    for consult in waiting {
        for reply in &consult.replies {
            script.answers.push(fill(&words.answer, &with_reply(variables, consult, reply)));
        }
    }
    script.answers.push(fill(&words.again, variables));
    Ok(())
}

fn with_reply(variables: &Variables, consult: &ConsultItem, reply: &ConsultReply) -> Variables {
    let mut variables = variables.clone();
    variables.set_text("reply.department", &consult.department);
    variables.set_text("reply.expert", &reply.user);
    variables.set_text("reply.answer", reply.reply.reveal());
    variables.set_text("reply.advice", reply.advice.reveal());
    if let Some(on) = &reply.next_visit_on {
        variables.set("reply.next_visit", VarValue::Date(day(on)));
    }
    variables
}
