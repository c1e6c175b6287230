//! The script of a call with its variables filled in.

use std::collections::BTreeMap;

use aftercare_domain::codes::Sex;
use aftercare_domain::forms::{Lang, LocalText, VarValue, render};
use aftercare_domain::person_name;
use rusqlite::Connection;

use super::form::Asked;
use super::{CallScript, EncounterCard, PatientCard, ScriptSection};
use crate::error::Result;
use crate::followup::task::day;
use crate::forms;
use crate::settings::Settings;

/// The values of the variables, by language.
#[derive(Clone, Default)]
pub(super) struct Variables {
    zh: BTreeMap<String, VarValue>,
    en: BTreeMap<String, VarValue>,
}

impl Variables {
    /// Those of one language.
    pub fn of(&self, lang: Lang) -> &BTreeMap<String, VarValue> {
        match lang {
            Lang::Zh => &self.zh,
            Lang::En => &self.en,
        }
    }

    pub(super) fn set(&mut self, name: &str, value: VarValue) {
        self.zh.insert(name.to_owned(), value.clone());
        self.en.insert(name.to_owned(), value);
    }

    pub(super) fn set_text(&mut self, name: &str, value: &str) {
        if !value.trim().is_empty() {
            self.set(name, VarValue::Text(value.to_owned()));
        }
    }
}

/// Who calls.
pub(super) struct Caller {
    pub name: String,
    pub job_number: String,
}

/// The variables of a call.
pub(super) fn variables(
    connection: &Connection,
    settings: &Settings,
    caller: &Caller,
    patient: &PatientCard,
    encounter: Option<&EncounterCard>,
) -> Result<Variables> {
    let mut variables = Variables::default();
    let hospital: String =
        connection.prepare_cached("SELECT hospital FROM desk")?.query_row([], |row| row.get("hospital"))?;
    variables.set_text("org.name", &hospital);
    variables.set_text("org.sign", &hospital);
    variables.set_text("org.phone", &settings.hospital_phone);
    variables.set_text("agent.name", &caller.name);
    variables.set_text("agent.no", &caller.job_number);
    variables.set_text("patient.name", patient.name.reveal());
    for (lang, title) in titles(patient) {
        let map = if lang == Lang::Zh { &mut variables.zh } else { &mut variables.en };
        map.insert("patient.title".to_owned(), VarValue::Text(title));
    }
    if let Some(stay) = encounter {
        if let Some(discharged_on) = &stay.discharged_on {
            variables.set("encounter.discharge_date", VarValue::Date(day(discharged_on)));
        }
        if let Some(doctor) = &stay.doctor {
            variables.set_text("encounter.doctor", doctor);
        }
        if let Some(next_visit_on) = &stay.next_visit_on {
            variables.set("revisit.date", VarValue::Date(day(next_visit_on)));
        }
    }
    Ok(variables)
}

/// How scripts address the patient. None when sex is not known: then the script's own word for "the patient" is said.
fn titles(patient: &PatientCard) -> Vec<(Lang, String)> {
    let name = patient.name.reveal();
    let sex = Sex::from_code(&patient.sex).unwrap_or(Sex::Unknown);
    let mut titles = Vec::new();
    titles
        .extend(person_name::title_zh(name, sex, patient.age.map(u32::from)).map(|title| (Lang::Zh, title)));
    let surname = person_name::split_surname(name).map_or(name, |(surname, _)| surname);
    match (patient.guardian_only, sex) {
        (true, _) => titles.push((Lang::En, "Your child".to_owned())),
        (false, Sex::Male) => titles.push((Lang::En, format!("Mr {surname}"))),
        (false, Sex::Female) => titles.push((Lang::En, format!("Ms {surname}"))),
        _ => {}
    }
    titles
}

/// The scripts of all due tasks as one: the first plan's greeting and farewell, every plan's topics.
pub(super) fn script(asked: &[Asked], variables: &Variables) -> Result<CallScript> {
    let rules = &forms::content()?.variables;
    let mut blocked: Vec<String> = Vec::new();
    let mut fill = |text: &LocalText| -> LocalText {
        let mut say = |lang| {
            let rendered = render(text.get(lang), lang, variables.of(lang), rules);
            blocked.extend(rendered.blocked);
            rendered.text
        };
        LocalText { zh: say(Lang::Zh), en: say(Lang::En) }
    };
    let mut script = CallScript::default();
    for (index, source) in asked.iter().enumerate() {
        let plan = source.plan.plan();
        if asked[..index].iter().any(|before| before.plan.plan().code == plan.code) {
            continue;
        }
        if index == 0 {
            let own = &plan.script;
            script.identity_check = own.identity_check.iter().map(&mut fill).collect();
            script.opening = fill(&own.opening);
            script.busy = fill(&own.busy);
            script.refuse = fill(&own.refuse);
            script.complaint = fill(&own.complaint);
            script.emergency = fill(&own.emergency);
            script.not_medical = fill(&own.not_medical);
            script.closing = fill(&own.closing);
        }
        script.sections.push(ScriptSection {
            plan: plan.name.clone(),
            topics: plan.script.sections.iter().map(&mut fill).collect(),
            tone: fill(&plan.script.tone),
        });
        script.education.extend(plan.education.iter().map(&mut fill));
    }
    blocked.sort();
    blocked.dedup();
    script.blocked = blocked;
    Ok(script)
}
