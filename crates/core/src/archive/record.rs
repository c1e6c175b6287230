//! Reading a patient's record, masked.

use std::collections::BTreeMap;

use aftercare_domain::personal::Personal;
use chrono::NaiveDate;
use rusqlite::{Connection, Row, params};
use uuid::Uuid;

use super::search::age_on;
use super::{
    ConsentState, Encounter, MergedRecord, Phone, Record, consents, kept_id, mask_address, mask_number,
    person_ids,
};
use crate::error::Result;

/// Encounters that come with the record; more by `archive_encounters`.
const FIRST_ENCOUNTERS: u32 = 20;

/// Text fields of a patient, by column name.
pub(super) const TEXT_FIELDS: [&str; 28] = [
    "mrn",
    "outpatient_no",
    "card_no",
    "name",
    "sex",
    "birth_on",
    "age_text",
    "id_type",
    "id_number",
    "nationality",
    "ethnicity",
    "marital",
    "occupation",
    "employer",
    "address",
    "native_place",
    "blood_type",
    "allergies",
    "insurance",
    "first_seen_on",
    "hobbies",
    "habits",
    "wishes",
    "preferences",
    "feedback",
    "remark",
    "best_hour",
    "dialect",
];

/// What other features show of a patient beside their own work.
#[derive(Debug, Clone)]
pub struct PatientBrief {
    /// The record that stands for the person now.
    pub id: Uuid,
    /// Full name.
    pub name: Personal,
    /// Code of GB/T 2261.1.
    pub sex: String,
    /// Age today in whole years.
    pub age_years: Option<u32>,
    /// 病案号.
    pub mrn: Option<String>,
    /// Whether the patient died.
    pub deceased: bool,
    /// `none`, `phone`, `all`.
    pub contact_optout: String,
    /// A record for trying things out.
    pub is_test: bool,
}

/// A patient in one line.
///
/// Errors: `NotFound`.
pub fn patient_brief(connection: &Connection, id: Uuid, today: NaiveDate) -> Result<PatientBrief> {
    let id = kept_id(connection, id)?;
    let brief = connection.prepare_cached(include_str!("sql/brief.sql"))?.query_row([id], |row| {
        let birth_on: Option<String> = row.get("birth_on")?;
        Ok(PatientBrief {
            id,
            name: personal(row, "name")?.unwrap_or_default(),
            sex: row.get("sex")?,
            age_years: birth_on.as_deref().and_then(|on| age_on(on, today)),
            mrn: row.get("mrn")?,
            deceased: row.get("deceased")?,
            contact_optout: row.get("contact_optout")?,
            is_test: row.get("is_test")?,
        })
    })?;
    Ok(brief)
}

/// Everything of a patient; somebody merged gives the person kept.
///
/// Errors: `NotFound`.
pub(super) fn read(connection: &Connection, id: Uuid, today: NaiveDate) -> Result<Record> {
    let id = kept_id(connection, id)?;
    let ids = person_ids(connection, id)?;
    let mut record = connection.prepare_cached(include_str!("sql/record.sql"))?.query_row([id], |row| {
        let birth_on: Option<String> = row.get("birth_on")?;
        Ok(Record {
            id,
            fields: text_fields(row)?,
            age_years: birth_on.as_deref().and_then(|on| age_on(on, today)),
            vip: row.get("vip")?,
            is_test: row.get("is_test")?,
            is_unknown: row.get("is_unknown")?,
            customer_kind: row.get("customer_kind")?,
            customer_of: row.get("customer_of")?,
            contact_optout: row.get("contact_optout")?,
            deceased: row.get("deceased")?,
            deceased_on: row.get("deceased_on")?,
            deceased_how: row.get("deceased_how")?,
            phones: Vec::new(),
            encounters: Vec::new(),
            encounter_count: 0,
            consents: Vec::new(),
            merged: Vec::new(),
            open_duplicates: 0,
        })
    })?;
    record.phones = phones(connection, id)?;
    (record.encounters, record.encounter_count) = encounters(connection, id, 0, FIRST_ENCOUNTERS)?;
    record.consents = consents::current(connection, &ids)?;
    record.merged = merged(connection, id)?;
    record.open_duplicates = connection
        .prepare_cached(
            "SELECT count(*) FROM duplicate WHERE state = 'open' AND (first_id = ?1 OR second_id = ?1)",
        )?
        .query_row([id], |row| row.get(0))?;
    Ok(record)
}

/// The text fields that are there, `id_number` and `address` masked.
pub(super) fn text_fields(row: &Row<'_>) -> rusqlite::Result<BTreeMap<&'static str, Personal>> {
    let mut fields = BTreeMap::new();
    for name in TEXT_FIELDS {
        let value: Option<String> = row.get(name)?;
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            fields.insert(name, Personal::from(masked(name, value)));
        }
    }
    Ok(fields)
}

/// A field's value as it is shown before it is revealed.
pub(super) fn masked(field: &str, value: String) -> String {
    match field {
        "id_number" => mask_number(&value),
        "address" => mask_address(&value),
        _ => value,
    }
}

/// The phones that are not removed, in the order of dialling.
pub(super) fn phones(connection: &Connection, patient_id: Uuid) -> Result<Vec<Phone>> {
    let mut statement = connection.prepare_cached(include_str!("sql/phones.sql"))?;
    let rows = statement.query_map([patient_id], |row| {
        let number: String = row.get("number")?;
        Ok(Phone {
            id: row.get("id")?,
            kind: phone_kind(&number).to_owned(),
            number: aftercare_domain::phone::mask(&number),
            extension: row.get("extension")?,
            owner_name: personal(row, "owner_name")?,
            relation: row.get("relation")?,
            state: row.get("state")?,
            state_at: row.get("state_at")?,
            best_hour: row.get("best_hour")?,
            source: row.get("source")?,
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

fn phone_kind(number: &str) -> &'static str {
    use aftercare_domain::phone::PhoneKind;
    match aftercare_domain::phone::parse(number, None).map(|phone| phone.kind) {
        Ok(PhoneKind::Mobile) => "mobile",
        Ok(PhoneKind::Fixed) => "fixed",
        Ok(PhoneKind::Hotline) => "hotline",
        Ok(PhoneKind::Foreign) => "foreign",
        Ok(PhoneKind::Iot | PhoneKind::Service) | Err(_) => "other",
    }
}

/// A page of encounters, newest first, and how many there are.
pub(super) fn encounters(
    connection: &Connection,
    patient_id: Uuid,
    skip: u32,
    limit: u32,
) -> Result<(Vec<Encounter>, u32)> {
    let mut statement = connection.prepare_cached(include_str!("sql/encounters.sql"))?;
    let rows = statement.query_map(params![patient_id, limit, skip], encounter)?;
    let page = rows.collect::<rusqlite::Result<_>>()?;
    let count = connection
        .prepare_cached("SELECT count(*) FROM encounter WHERE patient_id = ?1 AND removed = 0")?
        .query_row([patient_id], |row| row.get(0))?;
    Ok((page, count))
}

fn encounter(row: &Row<'_>) -> rusqlite::Result<Encounter> {
    let others: Option<String> = row.get("other_diagnoses")?;
    Ok(Encounter {
        id: row.get("id")?,
        kind: row.get("kind")?,
        visit_no: row.get("visit_no")?,
        visit_count: row.get("visit_count")?,
        department: row.get("department")?,
        ward: row.get("ward")?,
        bed: row.get("bed")?,
        admitted_at: row.get("admitted_at")?,
        discharged_at: row.get("discharged_at")?,
        discharged_on: row.get("discharged_on")?,
        length_of_stay_days: row.get("length_of_stay_days")?,
        diagnosis_code: row.get("diagnosis_code")?,
        diagnosis: personal(row, "diagnosis")?,
        other_diagnoses: others.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default(),
        surgery: personal(row, "surgery")?,
        surgery_on: row.get("surgery_on")?,
        delivery_on: row.get("delivery_on")?,
        doctor: row.get("doctor")?,
        nurse: row.get("nurse")?,
        disposition: row.get("disposition")?,
        admit_route: row.get("admit_route")?,
        pay_mode: row.get("pay_mode")?,
        total_fee_fen: row.get("total_fee_fen")?,
        next_visit_on: row.get("next_visit_on")?,
    })
}

fn merged(connection: &Connection, kept: Uuid) -> Result<Vec<MergedRecord>> {
    let mut statement = connection.prepare_cached(include_str!("sql/merged.sql"))?;
    let rows = statement.query_map([kept], |row| {
        Ok(MergedRecord {
            merge_id: row.get("merge_id")?,
            patient_id: row.get("patient_id")?,
            name: personal(row, "name")?.unwrap_or_default(),
            mrn: row.get("mrn")?,
            merged_at: row.get("merged_at")?,
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// A personal column.
pub(super) fn personal(row: &Row<'_>, column: &str) -> rusqlite::Result<Option<Personal>> {
    Ok(row.get::<_, Option<String>>(column)?.map(Personal::from))
}

/// What of the consents belongs to one purpose and channel is the latest fact.
pub(super) fn consent(row: &Row<'_>) -> rusqlite::Result<ConsentState> {
    Ok(ConsentState {
        purpose: row.get("purpose")?,
        channel: row.get("channel")?,
        granted: row.get("granted")?,
        given_at: row.get("given_at")?,
        how: row.get("how")?,
        proof: personal(row, "proof")?,
    })
}
