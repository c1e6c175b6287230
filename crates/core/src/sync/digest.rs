//! The content of this desk's tables as digests, to compare with the server's.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicUsize, Ordering};

use aftercare_sync::canonical::{Said, hash_fields};
use aftercare_sync::digest::{ScopeDigest, bucket};
use aftercare_sync::entities::{self, Default as ColumnDefault, Entity, Parent};
use aftercare_sync::record::Key;
use aftercare_sync::{HOSPITAL, Scope};
use rusqlite::Connection;
use rusqlite::types::ValueRef;
use uuid::Uuid;

use crate::error::{Error, Result};

/// The digest of every scope that this desk holds something of. `readers` see one and the same state, and share the work.
pub fn digests(readers: [Connection; 2]) -> Result<BTreeMap<Scope, ScopeDigest>> {
    let homes = homes(&readers[0])?;
    let next = AtomicUsize::new(0);
    let [first, second] = readers;
    let (homes, next) = (&homes, &next);
    let (first, second) = std::thread::scope(|threads| {
        let other = threads.spawn(move || share(&second, homes, next));
        (share(&first, homes, next), other.join())
    });
    let mut digests = first?;
    for (scope, part) in second.map_err(|_| Error::internal("a digest was not made"))?? {
        digests.entry(scope).or_default().join(&part);
    }
    Ok(digests)
}

/// The same by one reader, in its own transaction.
pub fn digests_in(connection: &Connection) -> Result<BTreeMap<Scope, ScopeDigest>> {
    share(connection, &homes(connection)?, &AtomicUsize::new(0))
}

/// The digests of the entities whose turn it is, one after the other, until none is left.
fn share(connection: &Connection, homes: &Homes, next: &AtomicUsize) -> Result<BTreeMap<Scope, ScopeDigest>> {
    let mut digests: BTreeMap<Scope, ScopeDigest> = BTreeMap::new();
    while let Some(entity) = entities::ALL.get(next.fetch_add(1, Ordering::Relaxed)) {
        each(connection, entity, homes, |scope, id, content| {
            digests.entry(scope).or_default().add(id, content)
        })?;
    }
    Ok(digests)
}

/// Where each patient is.
type Homes = HashMap<Uuid, Scope>;

fn homes(connection: &Connection) -> Result<Homes> {
    let mut statement = connection.prepare("SELECT id, site_id FROM patient")?;
    let rows = statement.query_map([], |row| Ok((row.get("id")?, row.get("site_id")?)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// The records of a bucket that this desk holds.
pub fn keys_of(connection: &Connection, scope: Scope, of: usize) -> Result<Vec<Key>> {
    let mut keys = Vec::new();
    let homes = homes(connection)?;
    for entity in entities::ALL {
        each(connection, entity, &homes, |found, id, _| {
            if found == scope && bucket(id) == of {
                keys.push(Key::new(entity.table, id));
            }
        })?;
    }
    Ok(keys)
}

/// Every record of an entity with its scope and content. What hangs on nothing that is here is left out: it left with
/// its patient.
fn each(
    connection: &Connection,
    entity: &'static Entity,
    homes: &Homes,
    mut take: impl FnMut(Scope, Uuid, u128),
) -> Result<()> {
    let mut fields: Vec<&'static str> = entity.fields.iter().chain(entity.commanded).copied().collect();
    fields.sort_unstable();
    let columns: String = fields.iter().map(|field| format!(", {}.{field}", entity.table)).collect();
    let defaults: Vec<Option<ColumnDefault>> = fields
        .iter()
        .map(|field| entity.defaults.iter().find(|(name, _)| name == field).map(|(_, default)| *default))
        .collect();
    let (patient, joins) = patient_of(entity);
    let sql = format!("SELECT {}.id, {patient}{columns} FROM {}{joins}", entity.table, entity.table);
    let mut statement = connection.prepare(&sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let id: Uuid = row.get(0)?;
        let scope = match row.get::<_, Option<Uuid>>(1)? {
            None => HOSPITAL,
            Some(patient) => match homes.get(&patient) {
                Some(home) => *home,
                None => continue,
            },
        };
        let mut said = Vec::with_capacity(fields.len());
        for (index, (field, default)) in fields.iter().zip(&defaults).enumerate() {
            let value = row.get_ref(index + 2)?;
            if !is_silent(value, *default) {
                said.push((*field, borrowed(value)));
            }
        }
        take(scope, id, hash_fields(entity.table, id.as_bytes(), said.into_iter()));
    }
    Ok(())
}

/// The expression for the patient on whom a record hangs (NULL: the hospital shares it), and the joins it needs.
fn patient_of(entity: &Entity) -> (String, String) {
    let (mut joins, mut at) = (String::new(), entity);
    loop {
        match at.parent {
            Parent::Hospital => return ("NULL".to_owned(), joins),
            Parent::Patient(_) => return (format!("{}.id", at.table), joins),
            Parent::Of(field, "patient") => return (format!("{}.{field}", at.table), joins),
            Parent::Of(field, parent) => {
                joins.push_str(&format!(" JOIN {parent} ON {parent}.id = {}.{field}", at.table));
                let Some(next) = entities::find(parent) else { return ("NULL".to_owned(), joins) };
                at = next;
            }
        }
    }
}

/// As [`Entity::is_silent`], of a value that is not copied.
fn is_silent(value: ValueRef<'_>, default: Option<ColumnDefault>) -> bool {
    match (value, default) {
        (ValueRef::Null, _) => true,
        (ValueRef::Integer(value), Some(ColumnDefault::Integer(default))) => value == default,
        (ValueRef::Text(value), Some(ColumnDefault::Text(default))) => value == default.as_bytes(),
        _ => false,
    }
}

fn borrowed(value: ValueRef<'_>) -> Said<'_> {
    match value {
        ValueRef::Null => Said::Null,
        ValueRef::Integer(value) => Said::Integer(value),
        ValueRef::Real(value) => Said::Real(value),
        ValueRef::Text(text) => Said::Text(text),
        ValueRef::Blob(bytes) => Said::Bytes(bytes),
    }
}
