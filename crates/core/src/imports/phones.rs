//! Telephones of a person: what the hospital's system gives is added, what the desk learned stays.

use aftercare_domain::op::FieldValue;
use rusqlite::{Connection, Row};
use uuid::Uuid;

use super::clean::PhoneValue;
use super::spans::Span;
use crate::change_log::{PHONE, Writer};
use crate::error::Result;

struct KnownPhone {
    id: Uuid,
    number: String,
    owner_name: Option<String>,
    relation: String,
    source: String,
    removed: bool,
}

fn read(row: &Row<'_>) -> rusqlite::Result<KnownPhone> {
    Ok(KnownPhone {
        id: row.get("id")?,
        number: row.get("number")?,
        owner_name: row.get("owner_name")?,
        relation: row.get("relation")?,
        source: row.get("source")?,
        removed: row.get("removed")?,
    })
}

fn of_patient(connection: &Connection, patient_id: Uuid) -> Result<Vec<KnownPhone>> {
    let mut statement = connection.prepare_cached(include_str!("sql/phones_by_patient.sql"))?;
    let found = statement.query_map([patient_id], read)?.collect::<rusqlite::Result<_>>()?;
    Ok(found)
}

/// Writes the telephones of a new person, in their order.
pub fn create(writer: &mut Writer<'_>, patient_id: Uuid, phones: &[PhoneValue]) -> Result<()> {
    for (rank, phone) in phones.iter().enumerate() {
        add(writer, patient_id, phone, rank)?;
    }
    Ok(())
}

/// Adds numbers that are new, and corrects whose they are where only the hospital's system said so.
/// A number that somebody took away stays away. Says whether anything changed.
pub fn update(
    writer: &mut Writer<'_>,
    span: &Span,
    patient_id: Uuid,
    phones: &[PhoneValue],
    newest: bool,
) -> Result<bool> {
    if phones.is_empty() {
        return Ok(false);
    }
    let known = of_patient(writer.connection(), patient_id)?;
    let (familiar, fresh): (Vec<&PhoneValue>, Vec<&PhoneValue>) =
        phones.iter().partition(|phone| known.iter().any(|known| known.number == phone.number));
    for (rank, phone) in (known.len()..).zip(&fresh) {
        add(writer, patient_id, phone, rank)?;
    }
    let mut changed = !fresh.is_empty();
    for phone in familiar {
        let Some(same) = known.iter().find(|known| known.number == phone.number) else {
            continue;
        };
        let mut fields = Vec::new();
        if same.removed {
            if span.held_by_person(writer.connection(), same.id, "removed")? {
                continue;
            }
            fields.push(("removed", FieldValue::from(false)));
        }
        if newest && same.source == "his" {
            let relation =
                phone.relation != same.relation && (phone.relation != "0" || same.owner_name.is_none());
            if relation && !span.held_by_person(writer.connection(), same.id, "relation")? {
                fields.push(("relation", phone.relation.into()));
            }
            if phone.owner_name.is_some()
                && phone.owner_name != same.owner_name
                && !span.held_by_person(writer.connection(), same.id, "owner_name")?
            {
                fields.push(("owner_name", phone.owner_name.clone().into()));
            }
        }
        changed |= !writer.update(&PHONE, same.id, &fields)?.is_empty();
    }
    Ok(changed)
}

fn add(writer: &mut Writer<'_>, patient_id: Uuid, phone: &PhoneValue, rank: usize) -> Result<()> {
    let id = writer.new_id();
    writer.create(
        &PHONE,
        id,
        &[
            ("patient_id", patient_id.into()),
            ("number", phone.number.as_str().into()),
            ("extension", phone.extension.clone().into()),
            ("owner_name", phone.owner_name.clone().into()),
            ("relation", phone.relation.into()),
            ("rank", i64::try_from(rank).unwrap_or(0).into()),
            ("source", "his".into()),
        ],
    )
}
