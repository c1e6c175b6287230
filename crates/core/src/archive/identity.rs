//! Whether somebody is known already.

use std::collections::BTreeMap;

use aftercare_domain::same_person::{PersonFacts, Proof, Sameness, Suspicion, same_person};
use chrono::NaiveDate;
use rusqlite::{Connection, params};
use uuid::Uuid;

use super::kept_id;
use crate::error::Result;

/// More records of one name are not compared by address alone.
const MOST_NAMESAKES: u32 = 200;

/// Who a described person is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Identity {
    /// This patient, and what proves it.
    Known(Uuid, Proof),
    /// Nobody for certain; perhaps one of these, each with reasons.
    Suspected(Vec<(Uuid, Vec<Suspicion>)>),
    /// Nobody like this is here.
    New,
}

/// Looks somebody up by what is known of them. Several patients with one hospital number or ID number give the
/// oldest record, always the same one. A merged record gives the one it was merged into.
pub fn identify(connection: &Connection, person: &PersonFacts<'_>, today: NaiveDate) -> Result<Identity> {
    identify_except(connection, person, today, None)
}

pub(super) fn identify_except(
    connection: &Connection,
    person: &PersonFacts<'_>,
    today: NaiveDate,
    except: Option<Uuid>,
) -> Result<Identity> {
    let mut suspected: BTreeMap<Uuid, Vec<Suspicion>> = BTreeMap::new();
    let mut candidates = by_numbers(connection, person)?;
    let numbered = candidates.len();
    for at in 0.. {
        if at == numbered {
            // Neither number has decided: look for likeness.
            by_likeness(connection, person, &mut candidates)?;
        }
        let Some(id) = candidates.get(at).copied() else { break };
        let kept = kept_id(connection, id)?;
        if Some(kept) == except {
            continue;
        }
        match compare(connection, person, id, today)? {
            Some(Sameness::Same(proof)) => return Ok(Identity::Known(kept, proof)),
            Some(Sameness::Suspected(reasons)) => {
                suspected.entry(kept).or_insert(reasons);
            }
            Some(Sameness::Different) | None => {}
        }
    }
    if suspected.is_empty() {
        return Ok(Identity::New);
    }
    Ok(Identity::Suspected(suspected.into_iter().collect()))
}

fn by_numbers(connection: &Connection, person: &PersonFacts<'_>) -> Result<Vec<Uuid>> {
    let mut found = Vec::new();
    let said = |text: Option<&str>| text.map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned);
    if let Some(id_number) = said(person.id_number) {
        let normal =
            aftercare_domain::id_number::parse(&id_number, NaiveDate::MAX).map_or(id_number, |id| id.number);
        push_ids(
            connection,
            "SELECT id FROM patient WHERE id_number = ?1 AND removed = 0 ORDER BY num LIMIT 20",
            &normal,
            &mut found,
        )?;
    }
    if let Some(mrn) = said(person.mrn) {
        push_ids(
            connection,
            "SELECT id FROM patient WHERE mrn = ?1 AND removed = 0 ORDER BY num LIMIT 20",
            &mrn,
            &mut found,
        )?;
    }
    Ok(found)
}

fn by_likeness(connection: &Connection, person: &PersonFacts<'_>, found: &mut Vec<Uuid>) -> Result<()> {
    if person.name.trim().is_empty() {
        return Ok(());
    }
    if let Some(birth_on) = person.birth_on {
        let mut statement = connection.prepare_cached(
            "SELECT id FROM patient WHERE name = ?1 AND birth_on = ?2 AND removed = 0 ORDER BY num LIMIT 50",
        )?;
        for id in statement.query_map(params![person.name, birth_on], |row| row.get("id"))? {
            push_new(found, id?);
        }
    }
    for phone in person.phones {
        push_ids(
            connection,
            "SELECT DISTINCT patient_id AS id FROM phone WHERE number = ?1 AND removed = 0 LIMIT 50",
            phone,
            found,
        )?;
    }
    // An address is compared among namesakes; thousands of them only when nothing else could tell.
    let nothing_else = person.birth_on.is_none() && person.phones.is_empty();
    if person.address.is_some() && nothing_else {
        let mut statement =
            connection.prepare_cached("SELECT id FROM patient WHERE name = ?1 AND removed = 0 LIMIT ?2")?;
        for id in statement.query_map(params![person.name, MOST_NAMESAKES], |row| row.get("id"))? {
            push_new(found, id?);
        }
    }
    Ok(())
}

fn push_ids(connection: &Connection, sql: &str, key: &str, found: &mut Vec<Uuid>) -> Result<()> {
    let mut statement = connection.prepare_cached(sql)?;
    for id in statement.query_map([key], |row| row.get("id"))? {
        push_new(found, id?);
    }
    Ok(())
}

fn push_new(found: &mut Vec<Uuid>, id: Uuid) {
    if !found.contains(&id) {
        found.push(id);
    }
}

/// The verdict on one stored patient; `None` when it is removed.
fn compare(
    connection: &Connection,
    person: &PersonFacts<'_>,
    id: Uuid,
    today: NaiveDate,
) -> Result<Option<Sameness>> {
    let Some(stored) = Stored::load(connection, id)? else { return Ok(None) };
    Ok(Some(stored.with_facts(|facts| same_person(person, facts, today))))
}

/// A stored patient's facts, owned.
pub(super) struct Stored {
    name: String,
    sex: String,
    birth_on: Option<String>,
    id_number: Option<String>,
    mrn: Option<String>,
    address: Option<String>,
    phones: Vec<String>,
}

impl Stored {
    pub(super) fn load(connection: &Connection, id: Uuid) -> Result<Option<Self>> {
        let found = crate::db::optional(
            connection.prepare_cached(include_str!("sql/person_facts.sql"))?.query_row([id], |row| {
                Ok(Self {
                    name: row.get("name")?,
                    sex: row.get("sex")?,
                    birth_on: row.get("birth_on")?,
                    id_number: row.get("id_number")?,
                    mrn: row.get("mrn")?,
                    address: row.get("address")?,
                    phones: Vec::new(),
                })
            }),
        )?;
        let Some(mut stored) = found else { return Ok(None) };
        stored.phones = connection
            .prepare_cached("SELECT number FROM phone WHERE patient_id = ?1 AND removed = 0")?
            .query_map([id], |row| row.get("number"))?
            .collect::<rusqlite::Result<_>>()?;
        Ok(Some(stored))
    }

    pub(super) fn with_facts<T>(&self, look: impl FnOnce(&PersonFacts<'_>) -> T) -> T {
        let phones: Vec<&str> = self.phones.iter().map(String::as_str).collect();
        look(&PersonFacts {
            name: &self.name,
            sex: &self.sex,
            birth_on: self.birth_on.as_deref(),
            id_number: self.id_number.as_deref(),
            mrn: self.mrn.as_deref(),
            address: self.address.as_deref(),
            phones: &phones,
        })
    }
}
