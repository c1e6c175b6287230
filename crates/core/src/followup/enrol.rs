//! From a discharge to dated tasks.

use std::sync::Arc;

use aftercare_domain::followup::{RiskFacts, risk};
use aftercare_domain::forms::Level;
use aftercare_domain::lace::{Comorbidity, LaceInput, charlson, lace};
use aftercare_domain::plans::{
    self, Choice, CompiledPlan, PatientFacts, PlanChoice, RunningPlan, ScheduleScope, SupersedeReason,
    TaskCondition, TaskDraft, select_plan,
};
use aftercare_domain::task::{TaskCommand, TaskStatus};
use chrono::{Months, NaiveDate};
use rusqlite::{Connection, params};
use uuid::Uuid;

use super::journal::Journal;
use super::task::{self, NewTask, Task};
use super::{facts, worklist};
use crate::change_log::{ENROLMENT, TASK, Writer};
use crate::error::Result;
use crate::forms;
use crate::settings::DEFAULT_EXPIRE_AFTER_DAYS;

/// A discharge that may start a plan.
#[derive(Debug, Clone)]
pub struct Discharge {
    /// Whose.
    pub patient_id: Uuid,
    /// The patient's number on this desk, when the caller knows it.
    pub patient_num: Option<i64>,
    /// Whether the patient was here before this import: a new one has no plans to look up.
    pub known_before: bool,
    /// The stay.
    pub encounter_id: Uuid,
    /// What is known of the patient; age on the day of discharge.
    pub patient: PatientFacts,
    /// What is known of the stay. Its LACE score is computed here.
    pub stay: plans::Discharge,
    /// Admitted through the emergency department; none when not known.
    pub acute: Option<bool>,
}

impl Discharge {
    /// Reads a discharge from the archive; none when the encounter has no discharge.
    pub fn load(connection: &Connection, encounter_id: Uuid) -> Result<Option<Self>> {
        let Some(stay) = facts::stay(connection, encounter_id, None)? else { return Ok(None) };
        let Some(patient) = facts::patient(connection, stay.patient_id)? else { return Ok(None) };
        Ok(Some(Self {
            patient_id: patient.id,
            patient_num: Some(patient.num),
            known_before: true,
            encounter_id,
            patient: patient.facts(stay.discharge.discharged_on),
            acute: Some(stay.acute),
            stay: stay.discharge,
        }))
    }
}

/// What came of a discharge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Enrolled {
    /// A plan started.
    Started {
        /// The enrolment.
        enrolment_id: Uuid,
        /// The plan.
        plan_code: String,
        /// Tasks made.
        tasks: usize,
    },
    /// A plan that goes on got this stay's tasks.
    Merged {
        /// The enrolment that goes on.
        enrolment_id: Uuid,
        /// Tasks made.
        tasks: usize,
    },
    /// No plan: a stable code, as `followup.why.<code>` in the locale files.
    Nothing {
        /// Why.
        code: String,
    },
}

/// Chooses plans and makes tasks. Holds the compiled catalog, so that a whole import reads it once.
pub struct Enroller {
    plans: Vec<Arc<CompiledPlan>>,
    red: Vec<bool>,
}

struct Running {
    plan: RunningPlan,
    enrolment_id: Uuid,
}

impl Enroller {
    /// The plans in use now.
    pub fn new(connection: &Connection) -> Result<Self> {
        let plans = forms::catalog(connection)?;
        let red = plans.iter().map(|plan| has_red_flags(plan)).collect();
        Ok(Self { plans, red })
    }

    /// Starts the right plan for a discharge, ends the plans it replaces, and makes the tasks whose windows have not
    /// passed. The same discharge again changes nothing.
    pub fn on_discharge(&self, writer: &mut Writer<'_>, discharge: &Discharge) -> Result<Enrolled> {
        let connection = writer.connection();
        let mut running = Vec::new();
        if discharge.known_before {
            if is_enrolled(connection, discharge.encounter_id)? {
                return Ok(nothing("already_enrolled"));
            }
            running = running_plans(connection, discharge.patient_id)?;
        }
        let mut stay = discharge.stay.clone();
        stay.lace = self.lace(connection, discharge)?;
        let plans: Vec<RunningPlan> = running.iter().map(|r| r.plan.clone()).collect();
        let exclude = &forms::content()?.exclude;
        let today = facts::local(writer.now_millis()).date();
        let enrolled = match select_plan(&self.plans, exclude, &stay, &discharge.patient, &plans) {
            Choice::None(no_plan) => return Ok(nothing(&no_plan.code)),
            Choice::Start { plan, ends } => {
                let mut journal = Journal::new(writer);
                for ended in &ends {
                    let Some(old) = running.iter().find(|r| r.plan.id == ended.id) else { continue };
                    let why = match ended.reason {
                        SupersedeReason::Readmitted => "readmitted",
                        SupersedeReason::MoreSpecific => "more_specific",
                    };
                    end_enrolment(&mut journal, old.enrolment_id, why, Some(discharge.encounter_id))?;
                }
                self.start(&mut journal, discharge, &stay, &plan, today)?
            }
            Choice::Merge { plan, into } => {
                let old = running.iter().find(|r| r.plan.id == into).map(|r| r.enrolment_id);
                self.merge(&mut Journal::new(writer), discharge, &stay, &plan, old, today)?
            }
        };
        if !running.is_empty() {
            shift_past_stay(&mut Journal::new(writer), discharge)?;
        }
        if discharge.known_before {
            worklist::refresh_patient(writer.connection(), discharge.patient_id, writer.now_millis())?;
        }
        Ok(enrolled)
    }

    fn start(
        &self,
        journal: &mut Journal<'_, '_>,
        discharge: &Discharge,
        stay: &plans::Discharge,
        choice: &PlanChoice,
        today: NaiveDate,
    ) -> Result<Enrolled> {
        let Some(plan) = self.plans.iter().position(|plan| plan.plan().code == choice.code) else {
            return Ok(nothing("no_plan"));
        };
        let drafts = self.drafts(plan, discharge, stay, today, ScheduleScope::Whole);
        let Some(first) = drafts.first() else { return Ok(nothing("windows_passed")) };
        let enrolment_id = journal.new_id();
        let risk = self.risk(journal.writer.connection(), plan, discharge, stay)?;
        let fields = [
            ("patient_id", discharge.patient_id.into()),
            ("encounter_id", discharge.encounter_id.into()),
            ("plan_code", choice.code.as_str().into()),
            ("plan_version", i64::from(choice.version).into()),
            ("anchor_on", first.anchor_on.to_string().into()),
            ("why", match_word(&choice.matched).into()),
            ("lace", stay.lace.map(i64::from).into()),
            ("risk", i64::from(risk).into()),
            ("started_at", journal.writer.now_millis().into()),
        ];
        journal.create(&ENROLMENT, enrolment_id, &fields)?;
        self.make_tasks(journal, discharge, enrolment_id, plan, risk, &drafts)?;
        Ok(Enrolled::Started { enrolment_id, plan_code: choice.code.clone(), tasks: drafts.len() })
    }

    fn merge(
        &self,
        journal: &mut Journal<'_, '_>,
        discharge: &Discharge,
        stay: &plans::Discharge,
        choice: &PlanChoice,
        into: Option<Uuid>,
        today: NaiveDate,
    ) -> Result<Enrolled> {
        let plan = self.plans.iter().position(|plan| plan.plan().code == choice.code);
        let (Some(plan), Some(enrolment_id)) = (plan, into) else { return Ok(nothing("no_plan")) };
        let drafts = self.drafts(plan, discharge, stay, today, ScheduleScope::Episode);
        let risk = self.risk(journal.writer.connection(), plan, discharge, stay)?;
        self.make_tasks(journal, discharge, enrolment_id, plan, risk, &drafts)?;
        Ok(Enrolled::Merged { enrolment_id, tasks: drafts.len() })
    }

    /// What the plan schedules, without what will not be done.
    fn drafts(
        &self,
        plan: usize,
        discharge: &Discharge,
        stay: &plans::Discharge,
        today: NaiveDate,
        scope: ScheduleScope,
    ) -> Vec<TaskDraft> {
        let Some(plan) = self.plans.get(plan) else { return Vec::new() };
        let mut drafts = plans::schedule(plan, stay, &discharge.patient, today, scope);
        drafts.retain(|draft| !matches!(draft.condition, TaskCondition::Skip { .. }));
        drafts
    }

    fn make_tasks(
        &self,
        journal: &mut Journal<'_, '_>,
        discharge: &Discharge,
        enrolment_id: Uuid,
        plan: usize,
        risk: u8,
        drafts: &[TaskDraft],
    ) -> Result<()> {
        let Some(plan) = self.plans.get(plan) else { return Ok(()) };
        let owner = TaskOwner {
            patient_id: discharge.patient_id,
            encounter_id: Some(discharge.encounter_id),
            enrolment_id: Some(enrolment_id),
            risk,
        };
        for draft in drafts {
            make_task(journal, plan, &owner, draft)?;
        }
        if !discharge.known_before {
            let fresh = worklist::Fresh {
                patient_id: discharge.patient_id,
                patient_num: discharge.patient_num,
                facts: &discharge.patient,
                department: &discharge.stay.department,
                plan_code: &plan.plan().code,
                risk,
                drafts,
            };
            worklist::add_fresh(journal.writer.connection(), &fresh, journal.writer.now_millis())?;
        }
        Ok(())
    }

    fn lace(&self, connection: &Connection, discharge: &Discharge) -> Result<Option<u8>> {
        let stay = &discharge.stay;
        let Some(admitted_on) = stay.admitted_on else { return Ok(None) };
        let ed_visits = if discharge.known_before {
            emergency_visits(connection, discharge.patient_id, admitted_on)?
        } else {
            0
        };
        let codes: Vec<&str> = stay.other_icd.iter().map(String::as_str).collect();
        let comorbidity =
            if codes.is_empty() { Comorbidity::AtLeast(0) } else { Comorbidity::Exactly(charlson(&codes)) };
        let input = LaceInput {
            los_days: u32::try_from((stay.discharged_on - admitted_on).num_days()).ok(),
            acute: discharge.acute,
            comorbidity,
            ed_visits_6m: Some(ed_visits),
        };
        // What is missing may leave the exact number open but not the verdict; then the least is kept.
        let lace = lace(input);
        Ok(lace.is_high().map(|_| lace.at_least))
    }

    fn risk(
        &self,
        connection: &Connection,
        plan: usize,
        discharge: &Discharge,
        stay: &plans::Discharge,
    ) -> Result<u8> {
        let recent_alert = if discharge.known_before {
            recent_alert(connection, discharge.patient_id, stay.discharged_on)?
        } else {
            None
        };
        Ok(risk(&RiskFacts {
            plan_has_red_flags: self.red.get(plan).copied().unwrap_or(false),
            plan_is_general: self.plans.get(plan).is_some_and(|plan| plan.plan().icd10.is_empty()),
            lace: stay.lace,
            age: discharge.patient.age,
            recent_alert,
        }))
    }
}

fn nothing(code: &str) -> Enrolled {
    Enrolled::Nothing { code: code.to_owned() }
}

fn has_red_flags(plan: &CompiledPlan) -> bool {
    plan.plan().form.alerts.iter().any(|alert| alert.level == Level::Red)
}

fn match_word(matched: &plans::MatchedBy) -> &'static str {
    match matched {
        plans::MatchedBy::Diagnosis { .. } => "diagnosis",
        plans::MatchedBy::Department { .. } => "department",
        plans::MatchedBy::General => "general",
    }
}

fn is_enrolled(connection: &Connection, encounter_id: Uuid) -> Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM enrolment WHERE encounter_id = ?1 AND state_why IS NOT 'import_undone')";
    Ok(connection.prepare_cached(sql)?.query_row([encounter_id], |row| row.get(0))?)
}

fn running_plans(connection: &Connection, patient_id: Uuid) -> Result<Vec<Running>> {
    let mut statement = connection.prepare_cached(
        "SELECT enrolment.id, enrolment.plan_code, encounter.discharged_on
         FROM enrolment JOIN encounter ON encounter.id = enrolment.encounter_id
         WHERE enrolment.patient_id = ?1 AND enrolment.state = 'active'
         ORDER BY enrolment.id",
    )?;
    let rows = statement.query_map([patient_id], |row| {
        let enrolment_id: Uuid = row.get("id")?;
        let plan = RunningPlan {
            id: enrolment_id.to_string(),
            plan_code: row.get("plan_code")?,
            discharged_on: task::day(row.get_ref("discharged_on")?.as_str()?),
        };
        Ok(Running { plan, enrolment_id })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Emergency visits in the six months before an admission, without the day of admission itself.
fn emergency_visits(connection: &Connection, patient_id: Uuid, admitted_on: NaiveDate) -> Result<u32> {
    let from = admitted_on.checked_sub_months(Months::new(6)).unwrap_or(admitted_on);
    Ok(connection
        .prepare_cached(
            "SELECT count(*) FROM encounter
             WHERE patient_id = ?1 AND kind = 'emergency' AND removed = 0
               AND substr(admitted_at, 1, 10) >= ?2 AND substr(admitted_at, 1, 10) < ?3",
        )?
        .query_row(params![patient_id, from.to_string(), admitted_on.to_string()], |row| row.get(0))?)
}

/// The most urgent alert of the 90 days before `day`.
fn recent_alert(connection: &Connection, patient_id: Uuid, day: NaiveDate) -> Result<Option<Level>> {
    let from = facts::instant((day - chrono::Days::new(90)).into());
    let mut statement =
        connection.prepare_cached("SELECT level FROM alert WHERE patient_id = ?1 AND raised_at >= ?2")?;
    let levels = statement.query_map(params![patient_id, from], |row| row.get::<_, String>("level"))?;
    let mut worst = None;
    for level in levels {
        if let Some(level) = super::level(&level?) {
            worst = Some(worst.map_or(level, |worst: Level| worst.min(level)));
        }
    }
    Ok(worst)
}

/// Whose a task is.
pub(super) struct TaskOwner {
    pub patient_id: Uuid,
    pub encounter_id: Option<Uuid>,
    pub enrolment_id: Option<Uuid>,
    pub risk: u8,
}

/// Makes the task of a plan's draft.
pub(super) fn make_task(
    journal: &mut Journal<'_, '_>,
    plan: &CompiledPlan,
    owner: &TaskOwner,
    draft: &TaskDraft,
) -> Result<Uuid> {
    let id = journal.new_id();
    let waits = draft.condition == TaskCondition::Waiting;
    let condition = plan.timepoint(&draft.timepoint).and_then(|(timepoint, _)| timepoint.only_if.as_deref());
    let new = NewTask {
        patient_id: owner.patient_id,
        enrolment_id: owner.enrolment_id,
        encounter_id: owner.encounter_id,
        kind: task::PLAN,
        timepoint: &draft.timepoint,
        occurrence: draft.occurrence,
        label: &draft.label,
        anchor_on: Some(draft.anchor_on),
        plan_code: &plan.plan().code,
        plan_version: plan.plan().version,
        form: &draft.part,
        channel: task::channel_word(draft.channel),
        owner: &draft.owner,
        due_on: draft.due_on,
        window_starts_on: draft.window_starts_on,
        window_ends_on: draft.window_ends_on,
        condition: condition.filter(|_| waits),
        risk: owner.risk,
        red: false,
        assigned_to: None,
        consult_id: None,
        remark: None,
    };
    task::create(journal, id, &new)?;
    Ok(id)
}

/// Ends an enrolment and cancels what is left of it.
pub(super) fn end_enrolment(
    journal: &mut Journal<'_, '_>,
    enrolment_id: Uuid,
    why: &str,
    ended_for: Option<Uuid>,
) -> Result<()> {
    let now = journal.writer.now_millis();
    let fields = [
        ("state", "stopped".into()),
        ("state_why", why.into()),
        ("ended_at", now.into()),
        ("ended_for", ended_for.into()),
    ];
    journal.update(&ENROLMENT, enrolment_id, &fields)?;
    cancel_rest(journal, enrolment_id, why)
}

/// Cancels the open and waiting tasks of an enrolment.
pub(super) fn cancel_rest(journal: &mut Journal<'_, '_>, enrolment_id: Uuid, why: &str) -> Result<()> {
    for mut task in task::of_enrolment(journal.writer.connection(), enrolment_id)? {
        if matches!(task.status, TaskStatus::Open | TaskStatus::Waiting) {
            task::apply(journal, &mut task, TaskCommand::Cancel, Some(why), &[])?;
        }
    }
    Ok(())
}

/// Wants an ended enrolment's cancelled tasks again, those that were cancelled for `why` and whose windows have not
/// passed long ago.
pub(super) fn revive_enrolment(
    journal: &mut Journal<'_, '_>,
    enrolment_id: Uuid,
    why: &str,
    today: NaiveDate,
) -> Result<()> {
    let fields = [
        ("state", "active".into()),
        ("state_why", None::<&str>.into()),
        ("ended_at", None::<i64>.into()),
        ("ended_for", None::<Uuid>.into()),
    ];
    journal.update(&ENROLMENT, enrolment_id, &fields)?;
    for mut task in task::of_enrolment(journal.writer.connection(), enrolment_id)? {
        revive_task(journal, &mut task, why, today)?;
    }
    Ok(())
}

/// Wants a task again that was cancelled for `why`.
pub(super) fn revive_task(
    journal: &mut Journal<'_, '_>,
    task: &mut Task,
    why: &str,
    today: NaiveDate,
) -> Result<()> {
    let fits = task.status == TaskStatus::Cancelled && task.end_reason.as_deref() == Some(why);
    let grace = chrono::Days::new(u64::from(DEFAULT_EXPIRE_AFTER_DAYS));
    if fits && task.window_ends_on + grace >= today {
        let waits = task.condition.is_some();
        task::apply(journal, task, TaskCommand::Reopen { waits }, None, &[])?;
    }
    Ok(())
}

/// Tasks of other plans that fell into the stay are put off to the first days at home, as long as the window was.
fn shift_past_stay(journal: &mut Journal<'_, '_>, discharge: &Discharge) -> Result<()> {
    let Some(admitted_on) = discharge.stay.admitted_on else { return Ok(()) };
    let discharged_on = discharge.stay.discharged_on;
    let today = facts::local(journal.writer.now_millis()).date();
    for task in task::unfinished(journal.writer.connection(), discharge.patient_id)? {
        let of_this_stay = task.encounter_id == Some(discharge.encounter_id);
        let in_stay = admitted_on <= task.due_on && task.due_on <= discharged_on;
        if of_this_stay || !in_stay || task.kind != task::PLAN {
            continue;
        }
        let days = chrono::TimeDelta::days((discharged_on - task.due_on).num_days() + 1);
        if task.window_ends_on + days < today {
            continue;
        }
        shift(journal, &task, days)?;
    }
    Ok(())
}

/// Puts a task off with its window.
pub(super) fn shift(journal: &mut Journal<'_, '_>, task: &Task, by: chrono::TimeDelta) -> Result<()> {
    let fields = [
        ("due_on", (task.due_on + by).to_string().into()),
        ("window_starts_on", (task.window_starts_on + by).to_string().into()),
        ("window_ends_on", (task.window_ends_on + by).to_string().into()),
    ];
    journal.update(&TASK, task.id, &fields)
}
