//! What the plans' rules need to know of a patient and a stay, read from the archive's tables.

use std::borrow::Cow;

use aftercare_domain::codes::Sex;
use aftercare_domain::plans::{Discharge, Optout, PatientFacts};
use chrono::{Datelike, NaiveDate, NaiveDateTime, NaiveTime};
use rusqlite::{Connection, Row};
use uuid::Uuid;

use super::task::day;
use crate::error::Result;
use crate::{archive, db, env, settings};
use aftercare_domain::calendar::{Calendar, CallingDays, CallingRule, parse_hours};

/// A patient as follow-up needs them.
#[derive(Debug, Clone)]
pub(super) struct Patient {
    pub num: i64,
    pub id: Uuid,
    pub sex: String,
    pub birth_on: Option<NaiveDate>,
    pub age_text: Option<String>,
    pub vip: bool,
    pub is_test: bool,
    pub is_unknown: bool,
    pub optout: Optout,
    pub deceased: bool,
    /// Removed, or merged into another record.
    pub gone: bool,
}

/// The stored word of an opt-out.
pub(super) fn optout(word: &str) -> Optout {
    match word {
        "phone" => Optout::Phone,
        "all" => Optout::All,
        _ => Optout::None,
    }
}

fn patient_row(row: &Row<'_>) -> rusqlite::Result<Patient> {
    Ok(Patient {
        num: row.get("num")?,
        id: row.get("id")?,
        sex: row.get("sex")?,
        birth_on: row.get::<_, Option<String>>("birth_on")?.as_deref().map(day),
        age_text: row.get("age_text")?,
        vip: row.get("vip")?,
        is_test: row.get("is_test")?,
        is_unknown: row.get("is_unknown")?,
        optout: optout(row.get_ref("contact_optout")?.as_str()?),
        deceased: row.get("deceased")?,
        gone: row.get::<_, bool>("removed")? || row.get::<_, Option<Uuid>>("merged_into")?.is_some(),
    })
}

const PATIENT: &str = "SELECT num, id, sex, birth_on, age_text, vip, is_test, is_unknown, contact_optout, deceased, \
     removed, merged_into FROM patient WHERE ";

/// The patient with this id.
pub(super) fn patient(connection: &Connection, id: Uuid) -> Result<Option<Patient>> {
    let mut statement = connection.prepare_cached(&format!("{PATIENT} id = ?1"))?;
    db::optional(statement.query_row([id], patient_row))
}

/// The patient with this number on this desk.
pub(super) fn patient_by_num(connection: &Connection, num: i64) -> Result<Option<Patient>> {
    let mut statement = connection.prepare_cached(&format!("{PATIENT} num = ?1"))?;
    db::optional(statement.query_row([num], patient_row))
}

impl Patient {
    /// Full years on `day`, from the birth date, else as the HIS gave it.
    pub fn age_on(&self, day: NaiveDate) -> Option<u16> {
        age(self.birth_on, self.age_text.as_deref(), day)
    }

    /// What the plans' conditions may use.
    pub fn facts(&self, on: NaiveDate) -> PatientFacts {
        PatientFacts {
            age: self.age_on(on),
            sex: Sex::from_code(&self.sex),
            vip: Some(self.vip),
            deceased: self.deceased,
            optout: self.optout,
            is_test: self.is_test,
            is_unknown: self.is_unknown,
        }
    }
}

/// Full years on `day`; `45岁` and `45` when there is no birth date (months and days are under one year).
pub(crate) fn age(birth_on: Option<NaiveDate>, age_text: Option<&str>, day: NaiveDate) -> Option<u16> {
    if let Some(birth) = birth_on.filter(|birth| *birth <= day && *birth != NaiveDate::MIN) {
        let before_birthday = (day.month(), day.day()) < (birth.month(), birth.day());
        return u16::try_from(day.year() - birth.year() - i32::from(before_birthday)).ok();
    }
    let text = age_text?.trim();
    let digits: String = text.chars().take_while(char::is_ascii_digit).collect();
    let unit = text[digits.len()..].trim();
    match unit.chars().next() {
        None | Some('岁' | 'Y' | 'y') => digits.parse().ok().filter(|age| *age < 150),
        Some('月' | '个' | '天' | '日' | '周' | '时' | 'M' | 'D') => Some(0),
        Some(_) => None,
    }
}

/// Whether the latest word on follow-up by phone is a withdrawal; what was said for records merged into this one counts.
pub(crate) fn consent_withdrawn(connection: &Connection, patient_id: Uuid) -> Result<bool> {
    let mut latest: Option<(i64, Uuid, bool)> = None;
    for record in archive::person_ids(connection, patient_id)? {
        let found = db::optional(
            connection
                .prepare_cached(
                    "SELECT given_at, id, granted FROM consent
                     WHERE patient_id = ?1 AND purpose = 'care_followup' AND channel = 'phone'
                     ORDER BY given_at DESC, id DESC LIMIT 1",
                )?
                .query_row([record], |row| Ok((row.get("given_at")?, row.get("id")?, row.get("granted")?))),
        )?;
        latest = latest.max(found);
    }
    Ok(latest.is_some_and(|(_, _, granted)| !granted))
}

/// A stay as the plans see it, with the codes needed for LACE.
#[derive(Debug, Clone)]
pub(super) struct Stay {
    pub patient_id: Uuid,
    pub discharge: Discharge,
    pub acute: bool,
}

/// The stay of an encounter; none when it has no discharge.
pub(super) fn stay(connection: &Connection, encounter_id: Uuid, lace: Option<u8>) -> Result<Option<Stay>> {
    let mut statement = connection.prepare_cached(
        "SELECT patient_id, department, admitted_at, discharged_on, diagnosis_code, other_diagnoses, surgery_on,
                delivery_on, chemo, disposition, admit_route
         FROM encounter WHERE id = ?1 AND discharged_on IS NOT NULL",
    )?;
    db::optional(statement.query_row([encounter_id], |row| {
        let discharged_on = day(row.get_ref("discharged_on")?.as_str()?);
        let optional_day = |name: &str| -> rusqlite::Result<Option<NaiveDate>> {
            Ok(row
                .get::<_, Option<String>>(name)?
                .as_deref()
                .and_then(|text| NaiveDate::parse_from_str(text.get(..10).unwrap_or(text), "%Y-%m-%d").ok()))
        };
        let others: Option<String> = row.get("other_diagnoses")?;
        Ok(Stay {
            patient_id: row.get("patient_id")?,
            acute: row.get::<_, Option<String>>("admit_route")?.as_deref() == Some(EMERGENCY),
            discharge: Discharge {
                principal_icd: row.get("diagnosis_code")?,
                other_icd: others.as_deref().map(other_codes).unwrap_or_default(),
                department: row.get("department")?,
                leave_mode: row.get("disposition")?,
                admitted_on: optional_day("admitted_at")?,
                surgery_on: optional_day("surgery_on")?,
                delivery_on: optional_day("delivery_on")?,
                chemo_ended_on: row
                    .get::<_, Option<bool>>("chemo")?
                    .unwrap_or(false)
                    .then_some(discharged_on),
                lace,
                ..Discharge::on(discharged_on)
            },
        })
    }))
}

/// 入院途径 of an emergency admission.
pub(super) const EMERGENCY: &str = "1";

/// The codes in `[{"code": …, "name": …}]`.
fn other_codes(json: &str) -> Vec<String> {
    #[derive(serde::Deserialize)]
    struct Other {
        #[serde(default)]
        code: Option<String>,
    }
    let list: Vec<Other> = serde_json::from_str(json).unwrap_or_default();
    list.into_iter().filter_map(|other| other.code).collect()
}

/// The hospital's clock at an instant.
pub(super) fn local(millis: i64) -> NaiveDateTime {
    env::local(chrono::DateTime::from_timestamp_millis(millis).unwrap_or_default())
}

/// The instant of a time on the hospital's clock.
pub(super) fn instant(local: NaiveDateTime) -> i64 {
    local.and_local_timezone(env::hospital_offset()).single().map_or(0, |time| time.timestamp_millis())
}

/// The settings' calling hours.
pub(super) fn calling_rule(settings: &settings::Settings) -> CallingRule {
    let limits = parse_hours(&settings.calling_limits).unwrap_or((NaiveTime::MIN, NaiveTime::MIN));
    CallingRule {
        hours: settings.calling_hours.iter().filter_map(|span| parse_hours(span)).collect(),
        limits,
        days: if settings.call_on_days_off { CallingDays::Every } else { CallingDays::WorkingDays },
    }
}

/// The end of the hospital's working time: the end of the last calling hours.
pub(super) fn closing_time(rule: &CallingRule) -> NaiveTime {
    rule.hours.iter().map(|(_, to)| *to).max().unwrap_or(rule.limits.1)
}

/// The working days in force: those that ship, unless the hospital has imported a year.
pub(super) fn calendar(connection: &Connection) -> Result<Cow<'static, Calendar>> {
    let sql = "SELECT EXISTS (SELECT 1 FROM setting WHERE name >= 'calendar_' AND name < 'calendar`')";
    let imported: bool = connection.prepare_cached(sql)?.query_row([], |row| row.get(0))?;
    Ok(if imported {
        Cow::Owned(settings::calendar(connection)?)
    } else {
        Cow::Borrowed(Calendar::shipped())
    })
}
