//! Erasing a patient, in two persons' hands.
//!
//! What goes: records, attachments, and the bytes of every op that speaks of the patient, also of
//! those that never counted. What stays: numbers and hashes, so that chains can still be checked, and
//! the patient's id, so that nothing of theirs comes back from a desk that was away.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use aftercare_domain::op::{FieldValue, Op};
use aftercare_rehearsal::point;
use aftercare_sync::accept::decode;
use aftercare_sync::canonical::content_hash;
use aftercare_sync::digest::bucket;
use aftercare_sync::{HOSPITAL, Scope};
use uuid::Uuid;

use super::hospitals::{lock, move_head};
use super::push::ERASE;
use super::tx::{Insert, Tx};
use super::value::Kind;
use super::{ERASURE_MILLIS, Erased, Erasure, Result, StoreError, blobs, records};

const FEED: Insert = Insert {
    table: "feed",
    columns: &[("scope", Kind::Id), ("seq", Kind::Int), ("kind", Kind::Int), ("root", Kind::Id)],
    conflict: "",
};

/// Records of erased patients, among the patients: a late change of one must not be taken for one of nobody's.
const GONE: Insert = Insert {
    table: "erasure",
    columns: &[
        ("root", Kind::Id),
        ("asked_by", Kind::Id),
        ("asked_at", Kind::Int),
        ("confirmed_by", Kind::Id),
        ("confirmed_at", Kind::Int),
    ],
    conflict: "ON CONFLICT (tenant_id, root) DO NOTHING",
};

/// Ops without a patient of their own that are looked through at a time.
const AT_A_TIME: i64 = 1000;

/// Which of these patients were erased.
pub(super) const ERASED: &str =
    "SELECT root FROM erasure WHERE tenant_id = $1 AND root = ANY($2) AND confirmed_at IS NOT NULL";

pub(super) async fn ask(tx: &mut Tx, patient: Uuid, by: Uuid, now: i64) -> Result<()> {
    lock(tx).await?;
    if !records::scopes_of(tx, &[patient]).await?.contains_key(&patient) {
        return Err(StoreError::NotFound);
    }
    let sql = "INSERT INTO erasure (tenant_id, root, asked_by, asked_at) VALUES ($1, $2, $3, $4) \
               ON CONFLICT (tenant_id, root) DO UPDATE SET asked_by = excluded.asked_by, asked_at = excluded.asked_at";
    tx.run(sql, &[patient.into(), by.into(), now.into()]).await.map(|_| ())
}

pub(super) async fn open(tx: &mut Tx, now: i64) -> Result<Vec<Erasure>> {
    let sql = "SELECT root, asked_by, asked_at FROM erasure \
               WHERE tenant_id = $1 AND confirmed_at IS NULL AND asked_at > $2 ORDER BY asked_at, root";
    let rows = tx.rows(sql, &[(now - ERASURE_MILLIS).into()]).await?;
    rows.iter()
        .map(|row| Ok(Erasure { patient: row.id(0)?, asked_by: row.id(1)?, asked_at: row.int(2)? }))
        .collect()
}

pub(super) async fn withdraw(tx: &mut Tx, patient: Uuid) -> Result<()> {
    let sql = "DELETE FROM erasure WHERE tenant_id = $1 AND root = $2 AND confirmed_at IS NULL";
    super::hospitals::one(tx.run(sql, &[patient.into()]).await?)
}

pub(super) async fn confirm(tx: &mut Tx, patient: Uuid, by: Uuid, now: i64) -> Result<Erased> {
    let hospital = lock(tx).await?;
    let sql = "SELECT asked_by FROM erasure WHERE tenant_id = $1 AND root = $2 AND confirmed_at IS NULL AND asked_at > $3";
    let asked = tx.row(sql, &[patient.into(), (now - ERASURE_MILLIS).into()]).await?;
    if asked.ok_or(StoreError::NotFound)?.id(0)? == by {
        return Err(StoreError::NotAllowed);
    }
    let (ids, gone) = erase_records(tx, patient).await?;
    point("server.erase.records");
    let mut ops = erase_ops(tx, patient).await?;
    ops += erase_mentions(tx, &ids).await?;
    let (blobs, freed) = blobs::erase(tx, patient).await?;
    tell_everybody(tx, patient, hospital.position.head + 1).await?;
    move_head(tx, hospital.position.head + 1, -freed).await?;
    let sql = "UPDATE erasure SET confirmed_by = $3, confirmed_at = $4 WHERE tenant_id = $1 AND root = $2";
    tx.run(sql, &[patient.into(), by.into(), now.into()]).await?;
    remember(tx, ids.into_iter().map(|id| (id, now)), by).await?;
    Ok(Erased { ops, records: gone, blobs })
}

/// Remembers ids of what was erased, with the time.
pub(super) async fn remember(tx: &mut Tx, gone: impl Iterator<Item = (Uuid, i64)>, by: Uuid) -> Result<()> {
    let row = |(id, at): (Uuid, i64)| vec![id.into(), by.into(), at.into(), by.into(), at.into()];
    tx.insert(&GONE, gone.map(row).collect()).await
}

/// Takes the patient's records out of the state and of the digests; answers their ids.
async fn erase_records(tx: &mut Tx, patient: Uuid) -> Result<(HashSet<Uuid>, i64)> {
    let all = records::by_roots(tx, &[patient]).await?;
    let mut digests: BTreeMap<(Scope, usize), u128> = BTreeMap::new();
    let mut counts: BTreeMap<Scope, i64> = BTreeMap::new();
    for record in &all {
        let sum = digests.entry((record.scope, bucket(record.key.id))).or_default();
        *sum = sum.wrapping_sub(content_hash(record));
        *counts.entry(record.scope).or_default() -= 1;
    }
    records::add_to_digests(tx, &digests, &counts).await?;
    tx.run("DELETE FROM record WHERE tenant_id = $1 AND root = $2", &[patient.into()]).await?;
    let mut ids: HashSet<Uuid> = all.iter().map(|record| record.key.id).collect();
    ids.insert(patient);
    Ok((ids, all.len() as i64))
}

async fn erase_ops(tx: &mut Tx, patient: Uuid) -> Result<i64> {
    let sql = "UPDATE op SET bytes = $3, extra = NULL WHERE tenant_id = $1 AND root = $2";
    Ok(tx.run(sql, &[patient.into(), Vec::new().into()]).await? as i64)
}

/// Ops that never counted have no patient in their row: those that name one of these ids go too.
async fn erase_mentions(tx: &mut Tx, ids: &HashSet<Uuid>) -> Result<i64> {
    let sql = "SELECT seq, bytes FROM op WHERE tenant_id = $1 AND seq > $2 AND root = $3 AND outcome <> 'accepted' \
               AND length(bytes) > 0 ORDER BY seq LIMIT $4";
    let mut after = 0;
    let mut erased = 0;
    loop {
        let rows = tx.rows(sql, &[after.into(), Uuid::nil().into(), AT_A_TIME.into()]).await?;
        for row in &rows {
            after = row.int(0)?;
            if decode(&row.bytes(1)?).is_some_and(|op| mentions(&op, ids)) {
                erased += 1;
                // Nobody can let in any more what waited in quarantine.
                let sql = "UPDATE op SET bytes = $3, extra = NULL, \
                           why = CASE outcome WHEN 'quarantined' THEN 'erased' ELSE why END, \
                           outcome = CASE outcome WHEN 'quarantined' THEN 'rejected' ELSE outcome END \
                           WHERE tenant_id = $1 AND seq = $2";
                tx.run(sql, &[after.into(), Vec::new().into()]).await?;
            }
        }
        if rows.len() < AT_A_TIME as usize {
            return Ok(erased);
        }
    }
}

fn mentions(op: &Op, ids: &HashSet<Uuid>) -> bool {
    let named = |value: &FieldValue| match value {
        FieldValue::Bytes(bytes) => Uuid::from_slice(bytes).is_ok_and(|id| ids.contains(&id)),
        _ => false,
    };
    ids.contains(&op.id) || op.fields.values().any(named)
}

/// Desks of every scope may have seen the patient once.
async fn tell_everybody(tx: &mut Tx, patient: Uuid, seq: i64) -> Result<()> {
    let mut scopes = BTreeSet::from([HOSPITAL]);
    for row in tx.rows("SELECT scope FROM digest WHERE tenant_id = $1", &[]).await? {
        scopes.insert(row.id(0)?);
    }
    let rows = scopes.into_iter().map(|scope| vec![scope.into(), seq.into(), ERASE.into(), patient.into()]);
    tx.insert(&FEED, rows.collect()).await
}
