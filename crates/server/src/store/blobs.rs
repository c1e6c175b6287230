//! Attachments: bytes under their hash, in parts that follow each other, so that a cut line costs
//! one part. Who sees the patient sees them.

use aftercare_rehearsal::point;
use aftercare_sync::HOSPITAL;
use aftercare_sync::door::{BlobState, MAX_BLOB, MAX_PART};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::hospitals::{lock, move_head};
use super::tx::Tx;
use super::{BlobId, BlobPart, Result, StoreError, devices, records};

/// Parts that are read at a time to check the hash.
const AT_A_TIME: i64 = 4;

/// Whether a device may touch an attachment.
async fn allowed(tx: &mut Tx, device: Uuid, id: &BlobId) -> Result<()> {
    let scope = if id.root.is_nil() {
        HOSPITAL
    } else {
        *records::scopes_of(tx, &[id.root]).await?.get(&id.root).ok_or(StoreError::NotFound)?
    };
    devices::seen_by(tx, device, scope).await
}

async fn find(tx: &mut Tx, id: &BlobId) -> Result<Option<BlobState>> {
    let sql = "SELECT have, size, complete FROM blob WHERE tenant_id = $1 AND root = $2 AND sha256 = $3";
    let row = tx.row(sql, &[id.root.into(), id.sha256.into()]).await?;
    row.map(|row| Ok(BlobState { have: row.int(0)?, size: row.int(1)?, complete: row.flag(2)? })).transpose()
}

pub(super) async fn state(tx: &mut Tx, device: Uuid, id: &BlobId) -> Result<BlobState> {
    allowed(tx, device, id).await?;
    find(tx, id).await?.ok_or(StoreError::NotFound)
}

/// Adds a part. The outer error undoes the transaction; the inner one (another hash than promised)
/// leaves the attachment removed.
pub(super) async fn put(tx: &mut Tx, device: Uuid, part: &BlobPart) -> Result<Result<BlobState>> {
    let hospital = lock(tx).await?;
    allowed(tx, device, &part.id).await?;
    let length = part.bytes.len() as i64;
    if part.size > MAX_BLOB
        || part.bytes.len() > MAX_PART
        || part.offset < 0
        || part.offset + length > part.size
    {
        return Err(StoreError::TooLarge);
    }
    let state = match find(tx, &part.id).await? {
        Some(state) if state.size == part.size => state,
        Some(state) => return Err(StoreError::Position { have: state.have }),
        None => begin(tx, part).await?,
    };
    if state.complete || part.offset + length <= state.have && length > 0 {
        return Ok(Ok(state));
    }
    if part.offset != state.have {
        return Err(StoreError::Position { have: state.have });
    }
    if hospital.quota.bytes.is_some_and(|most| hospital.bytes_used + length > most) {
        return Err(StoreError::Quota { what: "bytes" });
    }
    if length > 0 {
        let sql = "INSERT INTO blob_part (tenant_id, root, sha256, start, bytes) VALUES ($1, $2, $3, $4, $5)";
        let id = &part.id;
        tx.run(sql, &[id.root.into(), id.sha256.into(), part.offset.into(), (&part.bytes).into()]).await?;
    }
    point("server.blob.part");
    let have = state.have + length;
    let complete = have == part.size;
    move_head(tx, hospital.position.head, length).await?;
    if complete && hash(tx, &part.id).await? != part.id.sha256 {
        remove(tx, &part.id).await?;
        move_head(tx, hospital.position.head, -have).await?;
        return Ok(Err(StoreError::Damaged));
    }
    let sql = "UPDATE blob SET have = $4, complete = $5 WHERE tenant_id = $1 AND root = $2 AND sha256 = $3";
    tx.run(sql, &[part.id.root.into(), part.id.sha256.into(), have.into(), complete.into()]).await?;
    Ok(Ok(BlobState { have, size: part.size, complete }))
}

async fn begin(tx: &mut Tx, part: &BlobPart) -> Result<BlobState> {
    let sql = "INSERT INTO blob (tenant_id, root, sha256, size, have, complete, made_at) VALUES ($1, $2, $3, $4, 0, 0, $5)";
    tx.run(sql, &[part.id.root.into(), part.id.sha256.into(), part.size.into(), part.at.into()]).await?;
    Ok(BlobState { have: 0, size: part.size, complete: false })
}

async fn hash(tx: &mut Tx, id: &BlobId) -> Result<[u8; 32]> {
    let sql = "SELECT start, bytes FROM blob_part WHERE tenant_id = $1 AND root = $2 AND sha256 = $3 AND start > $4 \
               ORDER BY start LIMIT $5";
    let mut hash = Sha256::new();
    let mut after = -1;
    loop {
        let rows = tx.rows(sql, &[id.root.into(), id.sha256.into(), after.into(), AT_A_TIME.into()]).await?;
        for row in &rows {
            after = row.int(0)?;
            hash.update(row.bytes(1)?);
        }
        if rows.len() < AT_A_TIME as usize {
            return Ok(hash.finalize().into());
        }
    }
}

async fn remove(tx: &mut Tx, id: &BlobId) -> Result<()> {
    for table in ["blob_part", "blob"] {
        let sql = format!("DELETE FROM {table} WHERE tenant_id = $1 AND root = $2 AND sha256 = $3");
        tx.run(&sql, &[id.root.into(), id.sha256.into()]).await?;
    }
    Ok(())
}

pub(super) async fn read(tx: &mut Tx, device: Uuid, id: &BlobId, offset: i64) -> Result<Vec<u8>> {
    if !state(tx, device, id).await?.complete {
        return Err(StoreError::NotFound);
    }
    let sql = "SELECT start, bytes FROM blob_part WHERE tenant_id = $1 AND root = $2 AND sha256 = $3 AND start <= $4 \
               ORDER BY start DESC LIMIT 1";
    let row = tx.row(sql, &[id.root.into(), id.sha256.into(), offset.max(0).into()]).await?;
    let Some(row) = row else {
        return Ok(Vec::new());
    };
    let bytes = row.bytes(1)?;
    let skip = usize::try_from(offset.max(0) - row.int(0)?).unwrap_or(usize::MAX);
    Ok(bytes.get(skip..).unwrap_or_default().to_vec())
}

/// Removes a patient's attachments; answers how many there were and their bytes.
pub(super) async fn erase(tx: &mut Tx, patient: Uuid) -> Result<(i64, i64)> {
    let rows = tx.rows("SELECT have FROM blob WHERE tenant_id = $1 AND root = $2", &[patient.into()]).await?;
    let mut freed = 0;
    for row in &rows {
        freed += row.int(0)?;
    }
    for table in ["blob_part", "blob"] {
        let sql = format!("DELETE FROM {table} WHERE tenant_id = $1 AND root = $2");
        tx.run(&sql, &[patient.into()]).await?;
    }
    Ok((rows.len() as i64, freed))
}
