//! What a hospital takes along when it leaves, beside its records: every op as it came, and its attachments.

use aftercare_domain::hlc::Hlc;
use aftercare_sync::accept::decode;

use super::tx::Tx;
use super::{BlobId, KeptBlob, KeptOp, Result};

/// Ops after this number.
pub(super) async fn ops(tx: &mut Tx, after: i64, limit: usize) -> Result<Vec<KeptOp>> {
    let sql = "SELECT seq, device, dseq, bytes, effective, outcome, why FROM op WHERE tenant_id = $1 AND seq > $2 \
               ORDER BY seq LIMIT $3";
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = tx.rows(sql, &[after.into(), limit.into()]).await?;
    rows.iter()
        .map(|row| {
            Ok(KeptOp {
                seq: row.int(0)?,
                device: row.id(1)?,
                dseq: row.int_or_null(2)?,
                op: decode(&row.bytes(3)?),
                effective: Hlc::from_i64(row.int(4)?),
                outcome: row.text(5)?,
                why: row.text(6)?,
            })
        })
        .collect()
}

/// Every complete attachment.
pub(super) async fn blobs(tx: &mut Tx) -> Result<Vec<KeptBlob>> {
    let sql =
        "SELECT root, sha256, size FROM blob WHERE tenant_id = $1 AND complete = 1 ORDER BY root, sha256";
    let rows = tx.rows(sql, &[]).await?;
    rows.iter()
        .map(|row| {
            let sha256 = row.bytes(1)?.try_into().map_err(|_| super::value::mistake())?;
            Ok(KeptBlob { id: BlobId { root: row.id(0)?, sha256 }, size: row.int(2)? })
        })
        .collect()
}

/// A part of an attachment from `offset`; empty at its end.
pub(super) async fn blob_part(tx: &mut Tx, id: &BlobId, offset: i64) -> Result<Vec<u8>> {
    let sql = "SELECT bytes FROM blob_part WHERE tenant_id = $1 AND root = $2 AND sha256 = $3 AND start = $4";
    let row = tx.row(sql, &[id.root.into(), id.sha256.into(), offset.into()]).await?;
    row.map_or(Ok(Vec::new()), |row| row.bytes(0))
}
