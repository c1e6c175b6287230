//! Folded records, their digests, and pages of them.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use aftercare_sync::digest::{BUCKETS, ScopeDigest, bucket};
use aftercare_sync::door::RecordsAnswer;
use aftercare_sync::record::{Key, Record};
use aftercare_sync::{HOSPITAL, Scope};
use uuid::Uuid;

use super::Result;
use super::devices::seen_by;
use super::hospitals::position;
use super::tx::{Insert, Tx};
use super::types::{Snapshot, read_state};
use super::value::{Kind, Row, Value, mistake};

/// Most bytes of the records of a page: a message holds eight megabytes.
const MOST_BYTES: usize = 6 << 20;

pub(super) const RECORDS: Insert = Insert {
    table: "record",
    columns: &[
        ("id", Kind::Id),
        ("entity", Kind::Text),
        ("root", Kind::Id),
        ("scope", Kind::Id),
        ("bucket", Kind::Int),
        ("state", Kind::Bytes),
    ],
    conflict: "ON CONFLICT (tenant_id, id, entity) DO UPDATE SET root = excluded.root, scope = excluded.scope, \
               state = excluded.state",
};

pub(super) const DIGESTS: Insert = Insert {
    table: "digest",
    columns: &[("scope", Kind::Id), ("sums", Kind::Bytes), ("records", Kind::Int)],
    conflict: "ON CONFLICT (tenant_id, scope) DO UPDATE SET sums = excluded.sums, records = excluded.records",
};

/// A scope's sums with the number of its records.
#[derive(Default)]
struct Sums {
    digest: Vec<u128>,
    records: i64,
}

/// Records by their ids, whatever their entity.
pub(super) const BY_IDS: &str = "SELECT state FROM record WHERE tenant_id = $1 AND id = ANY($2)";
/// Every record that hangs on these patients.
pub(super) const BY_ROOTS: &str = "SELECT state FROM record WHERE tenant_id = $1 AND root = ANY($2)";

/// Records by their ids, whatever their entity.
pub(super) async fn by_ids(tx: &mut Tx, ids: &[Uuid]) -> Result<Vec<Record>> {
    tx.rows_of(BY_IDS, ids, &[]).await?.iter().map(decode).collect()
}

/// Every record that hangs on these patients.
pub(super) async fn by_roots(tx: &mut Tx, roots: &[Uuid]) -> Result<Vec<Record>> {
    tx.rows_of(BY_ROOTS, roots, &[]).await?.iter().map(decode).collect()
}

/// Where patients are; those who are nowhere are left out.
pub(super) async fn scopes_of(tx: &mut Tx, patients: &[Uuid]) -> Result<HashMap<Uuid, Scope>> {
    let sql = "SELECT id, scope FROM record WHERE tenant_id = $1 AND id = ANY($2) AND entity = 'patient'";
    tx.rows_of(sql, patients, &[]).await?.iter().map(|row| Ok((row.id(0)?, row.id(1)?))).collect()
}

/// Writes records that were made or changed. `before`: in which scope they were, where they were.
pub(super) async fn write(
    tx: &mut Tx,
    records: impl Iterator<Item = &Record>,
    before: &HashMap<Key, Scope>,
    digests: &BTreeMap<(Scope, usize), u128>,
) -> Result<()> {
    let mut counts: BTreeMap<Scope, i64> = BTreeMap::new();
    let mut rows = Vec::new();
    for record in records {
        *counts.entry(record.scope).or_default() += 1;
        if let Some(scope) = before.get(&record.key) {
            *counts.entry(*scope).or_default() -= 1;
        }
        rows.push(vec![
            record.key.id.into(),
            Value::from(&record.key.entity),
            record.root.into(),
            record.scope.into(),
            Value::Int(bucket(record.key.id) as i64),
            Value::Bytes(encode(record)?),
        ]);
    }
    tx.insert(&RECORDS, rows).await?;
    add_to_digests(tx, digests, &counts).await
}

/// Adds to the sums and numbers of scopes, under the tenant's lock.
pub(super) async fn add_to_digests(
    tx: &mut Tx,
    digests: &BTreeMap<(Scope, usize), u128>,
    counts: &BTreeMap<Scope, i64>,
) -> Result<()> {
    let scopes: BTreeSet<Scope> =
        digests.keys().map(|(scope, _)| *scope).chain(counts.keys().copied()).collect();
    let scopes: Vec<Scope> = scopes.into_iter().collect();
    let mut all = sums_of(tx, &scopes).await?;
    for ((scope, bucket), amount) in digests {
        let sums = all.entry(*scope).or_default();
        sums.digest.resize(BUCKETS, 0);
        let place = sums.digest.get_mut(*bucket).ok_or_else(mistake)?;
        *place = place.wrapping_add(*amount);
    }
    for (scope, count) in counts {
        all.entry(*scope).or_default().records += count;
    }
    let rows = all
        .into_iter()
        .map(|(scope, sums)| {
            let bytes = sums.digest.iter().flat_map(|sum| sum.to_be_bytes()).collect::<Vec<u8>>();
            vec![scope.into(), bytes.into(), sums.records.into()]
        })
        .collect();
    tx.insert(&DIGESTS, rows).await
}

async fn sums_of(tx: &mut Tx, scopes: &[Scope]) -> Result<BTreeMap<Scope, Sums>> {
    let sql = "SELECT scope, sums, records FROM digest WHERE tenant_id = $1 AND scope = ANY($2)";
    let rows = tx.rows_of(sql, scopes, &[]).await?;
    rows.iter()
        .map(|row| {
            let bytes = row.bytes(1)?;
            let parts = bytes.as_chunks::<16>().0.iter().map(|part| u128::from_be_bytes(*part)).collect();
            Ok((row.id(0)?, Sums { digest: parts, records: row.int(2)? }))
        })
        .collect()
}

/// The digests of scopes; of a scope without records the empty one.
pub(super) async fn digests(tx: &mut Tx, scopes: &[Scope]) -> Result<BTreeMap<Scope, ScopeDigest>> {
    let mut all: BTreeMap<Scope, ScopeDigest> =
        scopes.iter().map(|scope| (*scope, ScopeDigest::default())).collect();
    for (scope, sums) in sums_of(tx, scopes).await? {
        all.insert(scope, ScopeDigest::from_sums(sums.digest.into_iter().enumerate()));
    }
    Ok(all)
}

/// A page of a first sync: at most `limit` records, and no more bytes than a message holds.
pub(super) async fn snapshot(
    tx: &mut Tx,
    device: Uuid,
    scope: Scope,
    after: Option<&Key>,
    limit: usize,
) -> Result<Snapshot> {
    seen_by(tx, device, scope).await?;
    let position = position(tx).await?;
    let total = sums_of(tx, &[scope]).await?.get(&scope).map_or(0, |sums| sums.records);
    let sql = "SELECT state, id, entity FROM record WHERE tenant_id = $1 AND scope = $2 AND (id, entity) > ($3, $4) \
               ORDER BY id, entity LIMIT $5";
    let rows = tx.rows(sql, &[scope.into(), id_of(after), entity_of(after), limit_of(limit)]).await?;
    let (mut states, mut size) = (Vec::with_capacity(rows.len()), 0);
    for row in &rows {
        let state = row.bytes(0)?;
        size += state.len();
        if size > MOST_BYTES && !states.is_empty() {
            break;
        }
        states.push(state);
    }
    let more = states.len() < rows.len() || rows.len() >= limit.max(1);
    let next = match states.len().checked_sub(1).and_then(|last| rows.get(last)) {
        Some(row) if more => Some(Key { id: row.id(1)?, entity: row.text(2)? }),
        _ => None,
    };
    Ok(Snapshot { epoch: position.epoch, seq: position.head, total, states, next })
}

/// A page of the records of one bucket.
pub(super) async fn of_bucket(
    tx: &mut Tx,
    device: Uuid,
    (scope, bucket): (Scope, usize),
    after: Option<&Key>,
    limit: usize,
) -> Result<RecordsAnswer> {
    seen_by(tx, device, scope).await?;
    let head = position(tx).await?.head;
    let sql = "SELECT state FROM record WHERE tenant_id = $1 AND scope = $2 AND bucket = $3 AND (id, entity) > ($4, $5) \
               ORDER BY id, entity LIMIT $6";
    let bucket = Value::Int(bucket as i64);
    let rows = tx.rows(sql, &[scope.into(), bucket, id_of(after), entity_of(after), limit_of(limit)]).await?;
    let (records, next) = page(&rows, limit)?;
    Ok(RecordsAnswer { head, records, next })
}

/// Every record of an entity that the whole hospital sees.
pub(super) async fn of_entity(tx: &mut Tx, entity: &str) -> Result<Vec<Record>> {
    let sql = "SELECT state FROM record WHERE tenant_id = $1 AND scope = $2 AND entity = $3";
    tx.rows(sql, &[HOSPITAL.into(), entity.into()]).await?.iter().map(decode).collect()
}

/// A page of all records of a hospital.
pub(super) async fn export(tx: &mut Tx, after: Option<&Key>, limit: usize) -> Result<Vec<Record>> {
    let sql = "SELECT state FROM record WHERE tenant_id = $1 AND (id, entity) > ($2, $3) ORDER BY id, entity LIMIT $4";
    let rows = tx.rows(sql, &[id_of(after), entity_of(after), limit_of(limit)]).await?;
    rows.iter().map(decode).collect()
}

fn id_of(after: Option<&Key>) -> Value {
    Value::Id(after.map_or(Uuid::nil(), |key| key.id))
}

fn entity_of(after: Option<&Key>) -> Value {
    Value::Text(after.map_or(String::new(), |key| key.entity.clone()))
}

fn limit_of(limit: usize) -> Value {
    Value::Int(i64::try_from(limit.max(1)).unwrap_or(i64::MAX))
}

/// The records of a page; a full one is followed by another.
fn page(rows: &[Row], limit: usize) -> Result<(Vec<Record>, Option<Key>)> {
    let records = rows.iter().map(decode).collect::<Result<Vec<Record>>>()?;
    let full = records.len() >= limit.max(1);
    let next = records.last().filter(|_| full).map(|record| record.key.clone());
    Ok((records, next))
}

fn encode(record: &Record) -> Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(512);
    ciborium::into_writer(record, &mut bytes).map_err(|_| mistake())?;
    Ok(bytes)
}

/// The record whose state is the row's first column.
pub(super) fn decode(row: &Row) -> Result<Record> {
    read_state(&row.bytes(0)?)
}
