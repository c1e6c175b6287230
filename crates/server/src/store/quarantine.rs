//! Ops whose author or desk may not (any more): an administrator lets them count or refuses them.

use aftercare_domain::hlc::Hlc;
use aftercare_sync::accept::decode;
use aftercare_sync::wire::Outcome;
use uuid::Uuid;

use super::hospitals::{lock, one};
use super::push::{known, take_offers};
use super::tx::Tx;
use super::value::mistake;
use super::{Quarantined, Result, StoreError, devices};

pub(super) async fn list(tx: &mut Tx, after: i64, limit: usize) -> Result<Vec<Quarantined>> {
    let sql = "SELECT seq, device, dseq, bytes, effective, why FROM op \
               WHERE tenant_id = $1 AND seq > $2 AND outcome = 'quarantined' ORDER BY seq LIMIT $3";
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = tx.rows(sql, &[after.into(), limit.into()]).await?;
    rows.iter()
        .map(|row| {
            let op = decode(&row.bytes(3)?).ok_or_else(mistake)?;
            Ok(Quarantined {
                seq: row.int(0)?,
                device: row.id(1)?,
                dseq: row.int_or_null(2)?.unwrap_or(0),
                user: op.user,
                kind: op.kind,
                entity: op.entity,
                record: op.id,
                fields: op.fields.into_keys().collect(),
                effective: Hlc::from_i64(row.int(4)?),
                why: row.text(5)?,
            })
        })
        .collect()
}

/// Counts the op under a new sequence, if it still can. Its old row stays as a duplicate of the new one: that is
/// what its desk is told, with the record as it came out.
pub(super) async fn release(tx: &mut Tx, seq: i64, now: i64) -> Result<Outcome> {
    let hospital = lock(tx).await?;
    let sql = "SELECT device, bytes, effective FROM op WHERE tenant_id = $1 AND seq = $2 AND outcome = 'quarantined'";
    let row = tx.row(sql, &[seq.into()]).await?.ok_or(StoreError::NotFound)?;
    let (device, bytes, effective) = (row.id(0)?, row.bytes(1)?, Hlc::from_i64(row.int(2)?));
    let op = decode(&bytes).ok_or_else(mistake)?;
    let device = devices::find(tx, device).await?.ok_or(StoreError::NotFound)?;
    let head = hospital.position.head;
    let became = take_offers(tx, &known(&device), vec![(op, bytes, effective)], head, now).await?;
    let outcome = became.into_iter().next().ok_or_else(mistake)?;
    match &outcome {
        Outcome::Rejected(why) => settle(tx, seq, "rejected", why).await?,
        _ => settle(tx, seq, "duplicate", "").await?,
    }
    Ok(outcome)
}

pub(super) async fn reject(tx: &mut Tx, seq: i64) -> Result<()> {
    lock(tx).await?;
    settle(tx, seq, "rejected", "administrator").await
}

async fn settle(tx: &mut Tx, seq: i64, outcome: &str, why: &str) -> Result<()> {
    let sql = "UPDATE op SET outcome = $3, why = $4, root = $5 WHERE tenant_id = $1 AND seq = $2 AND outcome = 'quarantined'";
    one(tx.run(sql, &[seq.into(), outcome.into(), why.into(), Uuid::nil().into()]).await?)
}
