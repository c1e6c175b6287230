//! Everything for the three panes in one answer.

use aftercare_domain::error_code::ErrorCode;
use aftercare_domain::forms::Answers;
use aftercare_domain::personal::Personal;
use rusqlite::Connection;
use uuid::Uuid;

use super::form::{self, Asked};
use super::return_call;
use super::script::{self, Caller};
use super::{CallDraft, EncounterCard, FormState, MergedForm, OpenedPatient, PatientCard, UnsavedDial};
use super::{evaluate, history};
use crate::app::Ctx;
use crate::error::{Error, Result};
use crate::followup::facts::{self, Patient};
use crate::followup::people::People;
use crate::followup::task::Task;
use crate::followup::viewer::Viewer;
use crate::followup::worklist::{claim_of, in_order, line};
use crate::followup::{alert, consult, dial, task};
use crate::{db, forms, settings};

/// Earlier responses and calls shown beside the form.
const EARLIER: u32 = 10;

/// The draft's key for a patient.
pub(super) fn draft_key(patient_id: Uuid) -> String {
    format!("followup:{patient_id}")
}

/// Reads everything of a patient.
pub(super) fn opened(connection: &Connection, ctx: &Ctx, patient_id: Uuid) -> Result<OpenedPatient> {
    let now = ctx.now().timestamp_millis();
    let today = facts::local(now).date();
    let user = ctx.user_id();
    let viewer = Viewer::of(ctx);
    let patient = facts::patient(connection, patient_id)?.ok_or_else(|| Error::new(ErrorCode::NotFound))?;
    let people = People::load(connection)?;
    let settings = settings::load(connection)?;
    let (due, ahead): (Vec<Task>, Vec<Task>) =
        task::unfinished(connection, patient_id)?.into_iter().partition(|task| task.is_due(today));
    let due = in_order(due);
    let asked = form::asked(connection, &patient, &due, today)?;
    let encounter = match due.iter().chain(&ahead).find_map(|task| task.encounter_id) {
        Some(id) => encounter(connection, id)?,
        None => latest_encounter(connection, patient_id)?,
    };
    let lace = asked.first().and_then(|first| first.context.lace);
    let card = card(connection, &patient, &due, lace, today)?;
    let caller = Caller { name: people.name(user), job_number: people.job_number(user) };
    let variables = script::variables(connection, &settings, &caller, &card, encounter.as_ref())?;
    let draft = draft(connection, user, patient_id)?;
    let (form, state) = form_and_state(connection, &asked, &variables, draft.as_ref(), patient_id, viewer)?;
    let calls = dial::calls(connection, patient_id)?;
    let phones = dial::phones(connection, patient_id, &calls)?;
    let guard = dial::judge(connection, &patient, phones.first(), &calls, &settings, user, now)?;
    let lines = |tasks: &[Task]| tasks.iter().map(|task| line(connection, task)).collect::<Result<Vec<_>>>();
    let unsaved = dial::unsaved(connection, patient_id, user, now)?;
    let consults = consult::of_patient(connection, patient_id, now, &people, viewer)?;
    let mut script = script::script(&asked, &variables)?;
    return_call::open_with_answers(&mut script, &consults, &variables, asked.is_empty())?;
    Ok(OpenedPatient {
        script,
        patient: card,
        encounter,
        phones: phones.iter().map(dial::Phone::line).collect(),
        guard,
        tasks: lines(&due)?,
        upcoming: lines(&ahead)?,
        form,
        state,
        draft,
        claim: claim_of(connection, &due, user, now, &people)?,
        responses: history::past_responses(connection, patient_id, EARLIER, &people, viewer)?,
        calls: history::past_calls(connection, patient_id, EARLIER, &people)?,
        alerts: alert::of_patient(connection, patient_id, now, &people, viewer)?,
        consults,
        unsaved_dial: unsaved.map(|(call_token, phone_id, dialled_at)| UnsavedDial {
            call_token,
            phone_id,
            dialled_at,
        }),
    })
}

/// The merged form with the last answers, and what follows from the draft's.
fn form_and_state(
    connection: &Connection,
    asked: &[Asked],
    variables: &script::Variables,
    draft: Option<&CallDraft>,
    patient_id: Uuid,
    viewer: Viewer,
) -> Result<(MergedForm, FormState)> {
    let mut merged = form::merge(asked);
    let typed: Answers = draft
        .and_then(|draft| serde_json::from_value(draft.body.get("answers")?.clone()).ok())
        .unwrap_or_default();
    let evaluations = evaluate::evaluations(asked, &merged, &typed);
    let state = evaluate::state(asked, &merged, &evaluations, variables)?;
    if !asked.is_empty() {
        let earlier = history::responses(connection, patient_id, EARLIER)?;
        for question in &mut merged.questions {
            let plans = asked.iter().filter(|source| question.tasks.contains(&source.task.id));
            let plans: Vec<&str> = plans.map(|source| source.task.plan_code.as_str()).collect();
            let fitting = earlier.iter().filter(|response| {
                let plan = || forms::plan(connection, &response.plan_code, response.plan_version).ok();
                plans.contains(&response.plan_code.as_str())
                    && !(question.question.sensitive && viewer.hides_sensitive(response, plan().as_deref()))
            });
            question.last =
                fitting.filter_map(|response| response.answers.get(&question.question.id)).next().cloned();
        }
    }
    Ok((MergedForm { questions: merged.questions }, state))
}

fn draft(connection: &Connection, user: Uuid, patient_id: Uuid) -> Result<Option<CallDraft>> {
    let found = db::optional(
        connection
            .prepare_cached("SELECT body, saved_at FROM draft WHERE user_id = ?1 AND key = ?2")?
            .query_row((user, draft_key(patient_id)), |row| {
                Ok((row.get::<_, String>("body")?, row.get("saved_at")?))
            }),
    )?;
    let draft = found.map(|(body, saved_at)| Ok(CallDraft { body: serde_json::from_str(&body)?, saved_at }));
    draft.transpose()
}

/// The patient as the call needs them.
pub(super) fn card(
    connection: &Connection,
    patient: &Patient,
    due: &[Task],
    lace: Option<u8>,
    today: chrono::NaiveDate,
) -> Result<PatientCard> {
    let age = patient.age_on(today);
    let mut statement = connection.prepare_cached(include_str!("../sql/patient_card.sql"))?;
    let card = statement.query_row([patient.id], |row| {
        let personal = |name: &str| -> rusqlite::Result<Option<Personal>> {
            Ok(row.get::<_, Option<String>>(name)?.map(Personal::new))
        };
        let id_number: Option<String> = row.get("id_number")?;
        Ok(PatientCard {
            id: patient.id,
            name: row.get::<_, String>("name")?.into(),
            sex: row.get("sex")?,
            birth_on: row.get("birth_on")?,
            age,
            age_text: row.get("age_text")?,
            mrn: row.get("mrn")?,
            id_tail: id_number.as_deref().and_then(tail).map(Personal::new),
            vip: row.get("vip")?,
            deceased: row.get("deceased")?,
            contact_optout: row.get("contact_optout")?,
            guardian_only: age.is_some_and(|age| age < 14),
            best_hour: row.get("best_hour")?,
            dialect: row.get("dialect")?,
            allergies: personal("allergies")?,
            hobbies: personal("hobbies")?,
            habits: personal("habits")?,
            wishes: personal("wishes")?,
            preferences: personal("preferences")?,
            remark: personal("remark")?,
            lace,
            risk: due.iter().map(|task| task.risk).max().unwrap_or(0),
        })
    })?;
    Ok(card)
}

/// The last four characters of an ID number, which the identity check asks for.
fn tail(id_number: &str) -> Option<String> {
    let letters: Vec<char> = id_number.chars().collect();
    (letters.len() >= 8).then(|| letters[letters.len() - 4..].iter().collect())
}

fn encounter_where(connection: &Connection, condition: &str, id: Uuid) -> Result<Option<EncounterCard>> {
    let sql = format!(
        "SELECT id, visit_no, department, ward, admitted_at, discharged_at, discharged_on, diagnosis, \
         diagnosis_code, surgery, surgery_on, doctor, nurse, next_visit_on FROM encounter WHERE {condition}"
    );
    db::optional(connection.prepare_cached(&sql)?.query_row([id], |row| {
        let personal = |name: &str| -> rusqlite::Result<Option<Personal>> {
            Ok(row.get::<_, Option<String>>(name)?.map(Personal::new))
        };
        Ok(EncounterCard {
            id: row.get("id")?,
            visit_no: row.get("visit_no")?,
            department: row.get("department")?,
            ward: row.get("ward")?,
            admitted_at: row.get("admitted_at")?,
            discharged_at: row.get("discharged_at")?,
            discharged_on: row.get("discharged_on")?,
            diagnosis: personal("diagnosis")?,
            diagnosis_code: personal("diagnosis_code")?,
            surgery: personal("surgery")?,
            surgery_on: row.get("surgery_on")?,
            doctor: row.get("doctor")?,
            nurse: row.get("nurse")?,
            next_visit_on: row.get("next_visit_on")?,
        })
    }))
}

/// A stay.
pub(in crate::followup) fn encounter(connection: &Connection, id: Uuid) -> Result<Option<EncounterCard>> {
    encounter_where(connection, "id = ?1", id)
}

/// The patient's latest stay.
pub(in crate::followup) fn latest_encounter(
    connection: &Connection,
    patient_id: Uuid,
) -> Result<Option<EncounterCard>> {
    encounter_where(
        connection,
        "patient_id = ?1 AND removed = 0 ORDER BY discharged_on DESC LIMIT 1",
        patient_id,
    )
}
