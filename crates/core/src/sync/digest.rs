//! The content of this desk's tables as digests, to compare with the server's.

use std::collections::BTreeMap;

use aftercare_domain::op::FieldValue;
use aftercare_sync::canonical::hash_fields;
use aftercare_sync::digest::{ScopeDigest, bucket};
use aftercare_sync::entities::{self, Entity, Parent};
use aftercare_sync::record::Key;
use aftercare_sync::{HOSPITAL, Scope};
use rusqlite::Connection;
use rusqlite::types::ValueRef;
use uuid::Uuid;

use crate::error::Result;

/// The digest of every scope that this desk holds something of.
pub fn digests(connection: &Connection) -> Result<BTreeMap<Scope, ScopeDigest>> {
    let mut digests: BTreeMap<Scope, ScopeDigest> = BTreeMap::new();
    for entity in entities::ALL {
        each(connection, entity, |scope, id, content| digests.entry(scope).or_default().add(id, content))?;
    }
    Ok(digests)
}

/// The records of a bucket that this desk holds.
pub fn keys_of(connection: &Connection, scope: Scope, of: usize) -> Result<Vec<Key>> {
    let mut keys = Vec::new();
    for entity in entities::ALL {
        each(connection, entity, |found, id, _| {
            if found == scope && bucket(id) == of {
                keys.push(Key::new(entity.table, id));
            }
        })?;
    }
    Ok(keys)
}

/// Every record of an entity with its scope and content.
fn each(
    connection: &Connection,
    entity: &'static Entity,
    mut take: impl FnMut(Scope, Uuid, u128),
) -> Result<()> {
    let mut fields: Vec<&'static str> = entity.fields.iter().chain(entity.commanded).copied().collect();
    fields.sort_unstable();
    let columns: String = fields.iter().map(|field| format!(", {}.{field}", entity.table)).collect();
    let (scope, joins) = scope_of(entity);
    let sql = format!("SELECT {}.id, {scope}{columns} FROM {}{joins}", entity.table, entity.table);
    let mut statement = connection.prepare(&sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (id, scope): (Uuid, Uuid) = (row.get(0)?, row.get(1)?);
        let values: Vec<FieldValue> =
            (0..fields.len()).map(|index| Ok(value(row.get_ref(index + 2)?))).collect::<Result<_>>()?;
        let said =
            fields.iter().copied().zip(&values).filter(|(field, value)| !entity.is_silent(field, value));
        take(scope, id, hash_fields(entity.table, id.as_bytes(), said));
    }
    Ok(())
}

/// The expression for a record's scope, and the joins it needs. What hangs on nothing that is here is
/// left out: it left with its patient.
fn scope_of(entity: &Entity) -> (String, String) {
    let (mut joins, mut at) = (String::new(), entity);
    loop {
        match at.parent {
            Parent::Hospital => return (format!("x'{}'", HOSPITAL.simple()), joins),
            Parent::Patient(field) => return (format!("{}.{field}", at.table), joins),
            Parent::Of(field, parent) => {
                joins.push_str(&format!(" JOIN {parent} ON {parent}.id = {}.{field}", at.table));
                let Some(next) = entities::find(parent) else {
                    return (format!("x'{}'", HOSPITAL.simple()), joins);
                };
                at = next;
            }
        }
    }
}

fn value(value: ValueRef<'_>) -> FieldValue {
    match value {
        ValueRef::Null => FieldValue::Null,
        ValueRef::Integer(value) => FieldValue::Integer(value),
        ValueRef::Real(value) => FieldValue::Real(value),
        ValueRef::Text(text) => FieldValue::Text(String::from_utf8_lossy(text).into_owned()),
        ValueRef::Blob(bytes) => FieldValue::Bytes(bytes.to_vec()),
    }
}
