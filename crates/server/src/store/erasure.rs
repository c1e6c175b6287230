//! Erasing a patient, in two persons' hands.
//!
//! What goes: records, attachments, and the bytes of every op that speaks of the patient, also of
//! those that never counted. What stays: numbers and hashes, so that chains can still be checked, and
//! the patient's id, so that nothing of theirs comes back from a desk that was away.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use aftercare_rehearsal::point;
use aftercare_sync::accept::{decode, named};
use aftercare_sync::canonical::content_hash;
use aftercare_sync::digest::bucket;
use aftercare_sync::{HOSPITAL, Scope};
use uuid::Uuid;

use super::hospitals::{lock, move_head};
use super::push::{ERASE, FEED};
use super::tx::{Insert, Tx};
use super::value::Kind;
use super::{Confirmed, ERASURE_MILLIS, Erased, Erasure, Result, StoreError, blobs, records};

/// Ops without a patient of their own that are looked through at a time.
const AT_A_TIME: i64 = 1000;

pub(super) const RECORDS: Insert = Insert {
    table: "erased_record",
    columns: &[("id", Kind::Id), ("root", Kind::Id)],
    conflict: "ON CONFLICT (tenant_id, id) DO NOTHING",
};

/// Which of these are erased patients, or records that went with one, with the patient.
pub(super) const ERASED: &str = "SELECT id, root FROM erased_record WHERE tenant_id = $1 AND id = ANY($2)";
/// The records that went with these patients, with the patient.
pub(super) const GONE_WITH: &str =
    "SELECT id, root FROM erased_record WHERE tenant_id = $1 AND root = ANY($2)";

/// Remembers records that were refused because they name erased ones, with the patient; what was kept of them
/// goes.
pub(super) async fn remember(tx: &mut Tx, refused: &BTreeMap<Uuid, Uuid>) -> Result<()> {
    if refused.is_empty() {
        return Ok(());
    }
    let rows = refused.iter().map(|(id, root)| vec![(*id).into(), (*root).into()]);
    tx.insert(&RECORDS, rows.collect()).await?;
    erase_mentions(tx, &mut refused.keys().copied().collect()).await.map(|_| ())
}

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
    let sql = "UPDATE erasure SET confirmed_by = $3, confirmed_at = $4 WHERE tenant_id = $1 AND root = $2";
    tx.run(sql, &[patient.into(), by.into(), now.into()]).await?;
    carry_out(tx, patient, hospital.position.head + 1).await
}

/// What was confirmed, by when.
pub(super) async fn confirmed(tx: &mut Tx) -> Result<Vec<Confirmed>> {
    let sql = "SELECT root, asked_by, asked_at, confirmed_by, confirmed_at FROM erasure \
               WHERE tenant_id = $1 AND confirmed_at IS NOT NULL ORDER BY confirmed_at, root";
    let rows = tx.rows(sql, &[]).await?;
    rows.iter()
        .map(|row| {
            let asked = Erasure { patient: row.id(0)?, asked_by: row.id(1)?, asked_at: row.int(2)? };
            Ok(Confirmed { asked, confirmed_by: row.id(3)?, confirmed_at: row.int(4)? })
        })
        .collect()
}

pub(super) async fn repeat(tx: &mut Tx, erasure: Confirmed) -> Result<Option<Erased>> {
    let hospital = lock(tx).await?;
    let Confirmed { asked, confirmed_by, confirmed_at } = erasure;
    let sql = "SELECT 1 FROM erasure WHERE tenant_id = $1 AND root = $2 AND confirmed_at IS NOT NULL";
    if tx.row(sql, &[asked.patient.into()]).await?.is_some() {
        return Ok(None);
    }
    let sql = "INSERT INTO erasure (tenant_id, root, asked_by, asked_at, confirmed_by, confirmed_at) \
               VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (tenant_id, root) DO UPDATE SET \
               confirmed_by = excluded.confirmed_by, confirmed_at = excluded.confirmed_at";
    let values = [
        asked.patient.into(),
        asked.asked_by.into(),
        asked.asked_at.into(),
        confirmed_by.into(),
        confirmed_at.into(),
    ];
    tx.run(sql, &values).await?;
    carry_out(tx, asked.patient, hospital.position.head + 1).await.map(Some)
}

/// Erases, as number `seq` of the hospital, which is locked.
async fn carry_out(tx: &mut Tx, patient: Uuid, seq: i64) -> Result<Erased> {
    let (mut ids, gone) = erase_records(tx, patient).await?;
    point("server.erase.records");
    let mut ops = erase_ops(tx, patient).await?;
    // What never counted hangs on each other too: a step of an alert that was refused itself.
    loop {
        let known = ids.len();
        ops += erase_mentions(tx, &mut ids).await?;
        if ids.len() == known {
            break;
        }
    }
    tx.insert(&RECORDS, ids.iter().map(|id| vec![(*id).into(), patient.into()]).collect()).await?;
    let (blobs, freed) = blobs::erase(tx, patient).await?;
    tell_everybody(tx, patient, seq).await?;
    move_head(tx, seq, -freed).await?;
    Ok(Erased { ops, records: gone, blobs })
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
async fn erase_mentions(tx: &mut Tx, ids: &mut HashSet<Uuid>) -> Result<i64> {
    let sql = "SELECT seq, bytes FROM op WHERE tenant_id = $1 AND seq > $2 AND root = $3 AND outcome <> 'accepted' \
               AND length(bytes) > 0 ORDER BY seq LIMIT $4";
    let mut after = 0;
    let mut erased = 0;
    loop {
        let rows = tx.rows(sql, &[after.into(), Uuid::nil().into(), AT_A_TIME.into()]).await?;
        for row in &rows {
            after = row.int(0)?;
            if let Some(op) = decode(&row.bytes(1)?).filter(|op| named(op).any(|id| ids.contains(&id))) {
                erased += 1;
                if op.op_id == op.id {
                    ids.insert(op.id);
                }
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

/// Desks of every scope may have seen the patient once.
async fn tell_everybody(tx: &mut Tx, patient: Uuid, seq: i64) -> Result<()> {
    let mut scopes = BTreeSet::from([HOSPITAL]);
    for row in tx.rows("SELECT scope FROM digest WHERE tenant_id = $1", &[]).await? {
        scopes.insert(row.id(0)?);
    }
    let rows = scopes.into_iter().map(|scope| vec![scope.into(), seq.into(), ERASE.into(), patient.into()]);
    tx.insert(&FEED, rows.collect()).await
}
