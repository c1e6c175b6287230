//! Handing discharges to follow-up.

use aftercare_domain::codes::Sex;
use aftercare_domain::dates;
use aftercare_domain::plans::{self, Optout, PatientFacts};
use chrono::NaiveDate;
use uuid::Uuid;

use super::clean::Record;
use super::values;
use crate::change_log::Writer;
use crate::error::Result;
use crate::followup::{Discharge, Enroller};

/// 入院途径 of an emergency admission.
const EMERGENCY: &str = "1";

/// Whose discharge it is.
pub struct Whose {
    /// The person.
    pub patient_id: Uuid,
    /// The person's number on this desk, of somebody made in this row.
    pub fresh_num: Option<i64>,
    /// The stay.
    pub encounter_id: Uuid,
}

/// Starts the plan of a discharge, if there is one for it. A row without a discharge starts nothing.
pub fn enrol(enroller: &Enroller, writer: &mut Writer<'_>, whose: &Whose, record: &Record) -> Result<()> {
    let discharge = match (whose.fresh_num, record.stay.discharged) {
        (_, None) => None,
        // What the archive knows of a person counts as well: refusals, death, plans that run.
        (None, Some(_)) => Discharge::load(writer.connection(), whose.encounter_id)?,
        (Some(num), Some(moment)) => Some(Discharge {
            patient_id: whose.patient_id,
            patient_num: Some(num),
            known_before: false,
            encounter_id: whose.encounter_id,
            patient: patient_facts(record, moment.date),
            stay: stay_facts(record, moment.date),
            acute: Some(record.stay.admit_route.as_deref() == Some(EMERGENCY)),
        }),
    };
    if let Some(discharge) = discharge {
        enroller.on_discharge(writer, &discharge)?;
    }
    Ok(())
}

fn patient_facts(record: &Record, on: NaiveDate) -> PatientFacts {
    let age = match record.birth_on {
        Some(birth) => Some(dates::age_at(birth, on).years),
        None => record.age_text.as_deref().and_then(|text| dates::parse_age(text).ok()).map(|age| age.years),
    };
    PatientFacts {
        age: age.and_then(|years| u16::try_from(years).ok()),
        sex: Sex::from_code(record.sex),
        vip: Some(false),
        deceased: record.stay.disposition == Some(values::DIED),
        optout: Optout::None,
        is_test: record.is_test,
        is_unknown: record.is_unknown,
    }
}

fn stay_facts(record: &Record, discharged_on: NaiveDate) -> plans::Discharge {
    let stay = &record.stay;
    plans::Discharge {
        principal_icd: stay.diagnosis_code.clone(),
        other_icd: stay.other_codes.clone(),
        department: stay.department.clone().unwrap_or_default(),
        leave_mode: stay.disposition.map(str::to_owned),
        admitted_on: stay.admitted.map(|moment| moment.date),
        surgery_on: stay.surgery_on,
        delivery_on: stay.delivery_on,
        chemo_ended_on: values::has_chemotherapy(stay).then_some(discharged_on),
        ..plans::Discharge::on(discharged_on)
    }
}
