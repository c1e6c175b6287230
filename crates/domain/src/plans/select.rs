//! Which plan a discharge starts, and why.

use std::fmt;

use chrono::NaiveDate;
use serde::Serialize;
use ts_rs::TS;

use super::check::CompiledPlan;
use super::model::{ExcludeRule, OnReadmission};
use crate::codes::Sex;
use crate::forms::{Expression, LocalText, Truth, Values, set_patient};
use crate::icd10;

/// The plan for discharges that no other plan fits.
const GENERAL: &str = "GEN";

/// What is known of a discharge. Prints as `***`.
#[derive(Clone)]
pub struct Discharge {
    /// Principal diagnosis, ICD-10.
    pub principal_icd: Option<String>,
    /// Other diagnoses, ICD-10.
    pub other_icd: Vec<String>,
    /// Department at discharge, as the hospital writes it.
    pub department: String,
    /// Way of leaving (离院方式): 1–5, 9.
    pub leave_mode: Option<String>,
    /// Admission.
    pub admitted_on: Option<NaiveDate>,
    /// Discharge.
    pub discharged_on: NaiveDate,
    /// Operation.
    pub surgery_on: Option<NaiveDate>,
    /// Delivery.
    pub delivery_on: Option<NaiveDate>,
    /// End of chemotherapy in this stay; its presence says that there was one.
    pub chemo_ended_on: Option<NaiveDate>,
    /// Insulin was started in this stay.
    pub new_insulin: Option<bool>,
    /// Stillbirth.
    pub stillbirth: Option<bool>,
    /// The newborn died.
    pub baby_deceased: Option<bool>,
    /// LACE score.
    pub lace: Option<u8>,
}

impl fmt::Debug for Discharge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Discharge(***)")
    }
}

impl fmt::Debug for PatientFacts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PatientFacts(***)")
    }
}

impl Discharge {
    /// A discharge of which only the day is known.
    pub fn on(discharged_on: NaiveDate) -> Self {
        Self {
            principal_icd: None,
            other_icd: Vec::new(),
            department: String::new(),
            leave_mode: None,
            admitted_on: None,
            discharged_on,
            surgery_on: None,
            delivery_on: None,
            chemo_ended_on: None,
            new_insulin: None,
            stillbirth: None,
            baby_deceased: None,
            lace: None,
        }
    }
}

/// What the patient has refused.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Optout {
    /// Nothing.
    #[default]
    None,
    /// Calls.
    Phone,
    /// Any contact.
    All,
}

/// What is known of the patient. Prints as `***`.
#[derive(Clone, Default)]
pub struct PatientFacts {
    /// Full years at discharge.
    pub age: Option<u16>,
    /// Sex.
    pub sex: Option<Sex>,
    /// VIP.
    pub vip: Option<bool>,
    /// Death is on record.
    pub deceased: bool,
    /// Refusals.
    pub optout: Optout,
    /// A test patient of the HIS.
    pub is_test: bool,
    /// An unknown person (无名氏).
    pub is_unknown: bool,
}

/// A plan of the patient that is still running. `id` is the caller's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunningPlan {
    /// The caller's id of the enrolment.
    pub id: String,
    /// The plan.
    pub plan_code: String,
    /// The discharge it came from.
    pub discharged_on: NaiveDate,
}

/// How a plan was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(tag = "by", rename_all = "snake_case")]
pub enum MatchedBy {
    /// The principal diagnosis begins with `prefix`.
    Diagnosis {
        /// The plan's prefix.
        prefix: String,
    },
    /// No diagnosis code; this is the only plan that names the department.
    Department {
        /// The plan's word for it.
        department: String,
    },
    /// No plan fits: general follow-up.
    General,
}

/// The chosen plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct PlanChoice {
    /// Plan.
    pub code: String,
    /// Its version.
    pub version: u32,
    /// How it was found.
    pub matched: MatchedBy,
}

/// A running plan that ends because of this discharge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Superseded {
    /// The caller's id of the enrolment.
    pub id: String,
    /// Why.
    pub reason: SupersedeReason,
}

/// Why a running plan ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SupersedeReason {
    /// The patient was in hospital again; the same plan starts anew.
    Readmitted,
    /// General follow-up gives way to a plan for the disease.
    MoreSpecific,
}

/// Why a discharge starts no plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct NoPlan {
    /// Stable code: an exclusion's, or `same_plan_active`, `older_discharge`, `no_plan`.
    pub code: String,
    /// The exclusion's words.
    pub why: Option<LocalText>,
    /// The plan it would have been.
    pub plan: Option<PlanChoice>,
}

/// What a discharge does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    /// Starts a plan; the listed ones end.
    Start {
        /// The plan.
        plan: PlanChoice,
        /// Plans that end.
        ends: Vec<Superseded>,
    },
    /// Adds this stay's own timepoints to a plan that goes on.
    Merge {
        /// The plan (in the version to schedule from).
        plan: PlanChoice,
        /// The caller's id of the running enrolment.
        into: String,
    },
    /// Starts nothing.
    None(NoPlan),
}

/// Chooses among the enabled `plans`.
///
/// 1. The common exclusions come first.
/// 2. The plan with the longest prefix of the principal diagnosis wins; between equals the one
///    that names the department, then the first by code.
/// 3. Without a diagnosis code, a department decides if exactly one plan names it. With a code
///    that no plan lists it does not: a cardiology patient with an arrhythmia is no stent patient.
/// 4. Otherwise the general plan, if enabled.
/// 5. The plan's own exclusions; they end the matter and do not fall back to general follow-up,
///    because they ask for something gentler than a routine call.
/// 6. The same plan still running: the same or an older discharge changes nothing, a newer one
///    restarts or merges as the plan says. General follow-up ends when a specific plan starts.
pub fn select_plan<P: AsRef<CompiledPlan>>(
    plans: &[P],
    common: &[(ExcludeRule, Option<Expression>)],
    discharge: &Discharge,
    patient: &PatientFacts,
    running: &[RunningPlan],
) -> Choice {
    let values = facts(discharge, patient);
    let common = common.iter().map(|(rule, condition)| (rule, condition.as_ref()));
    if let Some(rule) = excluded(common, discharge, &values) {
        return Choice::None(NoPlan { code: rule.code.clone(), why: Some(rule.why.clone()), plan: None });
    }
    let Some((found, matched)) = best(plans, discharge) else {
        return Choice::None(NoPlan { code: "no_plan".to_owned(), why: None, plan: None });
    };
    let plan = found.plan();
    let choice = PlanChoice { code: plan.code.clone(), version: plan.version, matched };
    if let Some(rule) = excluded(found.exclusions(), discharge, &values) {
        return Choice::None(NoPlan {
            code: rule.code.clone(),
            why: Some(rule.why.clone()),
            plan: Some(choice),
        });
    }
    let mut ends = Vec::new();
    for other in running {
        if other.plan_code != plan.code {
            if other.plan_code == GENERAL && other.discharged_on <= discharge.discharged_on {
                ends.push(Superseded { id: other.id.clone(), reason: SupersedeReason::MoreSpecific });
            }
            continue;
        }
        let code = match discharge.discharged_on.cmp(&other.discharged_on) {
            std::cmp::Ordering::Less => "older_discharge",
            std::cmp::Ordering::Equal => "same_plan_active",
            std::cmp::Ordering::Greater if plan.on_readmission == OnReadmission::Merge => {
                return Choice::Merge { plan: choice, into: other.id.clone() };
            }
            std::cmp::Ordering::Greater => {
                ends.push(Superseded { id: other.id.clone(), reason: SupersedeReason::Readmitted });
                continue;
            }
        };
        return Choice::None(NoPlan { code: code.to_owned(), why: None, plan: Some(choice) });
    }
    Choice::Start { plan: choice, ends }
}

fn excluded<'a>(
    mut rules: impl Iterator<Item = (&'a ExcludeRule, Option<&'a Expression>)>,
    discharge: &Discharge,
    values: &Values,
) -> Option<&'a ExcludeRule> {
    let codes: Vec<String> = discharge
        .principal_icd
        .iter()
        .chain(&discharge.other_icd)
        .filter_map(|code| icd10::compact(code))
        .collect();
    let has_code = |prefix: &String| codes.iter().any(|code| icd10::compact_is_under(code, prefix));
    let found = rules.find(|(rule, condition)| {
        rule.icd10.iter().any(has_code)
            || condition.is_some_and(|condition| condition.holds(values) == Truth::True)
    });
    found.map(|(rule, _)| rule)
}

/// The length of `prefix` if a compact code lies under it. A range (`S72-S73`) is as long as its first category.
fn prefix_length(code: &str, prefix: &str) -> Option<usize> {
    icd10::compact_is_under(code, prefix).then(|| {
        let first = prefix.split(['-', '–', '~']).next().unwrap_or(prefix);
        first.chars().filter(char::is_ascii_alphanumeric).count()
    })
}

fn best<'a, P: AsRef<CompiledPlan>>(
    plans: &'a [P],
    discharge: &Discharge,
) -> Option<(&'a CompiledPlan, MatchedBy)> {
    let names_department = |plan: &'a CompiledPlan| {
        let named = plan.plan().departments.iter();
        named.filter(|name| !name.is_empty()).find(|name| discharge.department.contains(name.as_str()))
    };
    let plans = || plans.iter().map(AsRef::as_ref);
    // Read once: an import compares each code with the prefixes of every plan.
    let code = discharge.principal_icd.as_deref().and_then(icd10::compact);
    if let Some(code) = &code {
        let matching = plans().filter_map(|plan| {
            let prefixes = plan.plan().icd10.iter();
            let longest =
                prefixes.filter_map(|prefix| prefix_length(code, prefix).map(|length| (length, prefix)));
            longest.max_by_key(|(length, _)| *length).map(|(length, prefix)| (length, prefix, plan))
        });
        let winner = matching.min_by_key(|(length, _, plan)| {
            (std::cmp::Reverse(*length), names_department(plan).is_none(), plan.plan().code.clone())
        });
        if let Some((_, prefix, plan)) = winner {
            return Some((plan, MatchedBy::Diagnosis { prefix: prefix.clone() }));
        }
    } else {
        let mut naming = plans().filter_map(|plan| names_department(plan).map(|name| (plan, name)));
        if let (Some((plan, name)), None) = (naming.next(), naming.next()) {
            return Some((plan, MatchedBy::Department { department: name.clone() }));
        }
    }
    plans().find(|plan| plan.plan().code == GENERAL).map(|plan| (plan, MatchedBy::General))
}

/// The values that exclusions and timepoints' conditions may use.
pub(super) fn facts(discharge: &Discharge, patient: &PatientFacts) -> Values {
    let mut values = Values::default();
    set_patient(&mut values, patient.age, patient.sex, patient.vip, discharge.lace);
    values.bool("patient.deceased", patient.deceased);
    values.bool("patient.is_test", patient.is_test);
    values.bool("patient.is_unknown", patient.is_unknown);
    let optout = match patient.optout {
        Optout::None => "none",
        Optout::Phone => "phone",
        Optout::All => "all",
    };
    values.text("patient.contact_optout", optout);
    if let Some(mode) = &discharge.leave_mode {
        values.text("encounter.leave_mode", mode);
    }
    if let Some(days) =
        discharge.admitted_on.map(|day| discharge.discharged_on.signed_duration_since(day).num_days())
        && let Ok(days) = i32::try_from(days)
    {
        values.number("encounter.stay_days", f64::from(days));
    }
    if discharge.chemo_ended_on.is_some() {
        values.bool("encounter.chemo", true);
    }
    let known = [
        ("encounter.new_insulin", discharge.new_insulin),
        ("delivery.stillbirth", discharge.stillbirth),
        ("delivery.baby_deceased", discharge.baby_deceased),
    ];
    for (name, value) in known {
        if let Some(value) = value {
            values.bool(name, value);
        }
    }
    values
}
