//! The audit trail: appended under the tenant's lock, chained by hash.

use sha2::{Digest, Sha256};

use super::hospitals::lock;
use super::tx::Tx;
use super::value::Value;
use super::{AuditEntry, AuditLine, Result, SERVER};

/// The hash of a line behind the line with the hash `previous` (empty: none).
pub fn audit_hash(previous: &[u8], number: i64, line: &AuditLine) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(previous);
    hash.update(number.to_be_bytes());
    hash.update(line.at.to_be_bytes());
    hash.update(line.actor.as_bytes());
    hash.update(line.object.as_bytes());
    for text in [&line.act, &line.details] {
        hash.update((text.len() as u64).to_be_bytes());
        hash.update(text.as_bytes());
    }
    hash.finalize().into()
}

/// The number of the first line in `entries` that does not follow from the one before it.
/// `previous`: number and hash of the line before the first (0 and empty at the beginning).
pub fn first_broken(previous: (i64, &[u8]), entries: &[AuditEntry]) -> Option<i64> {
    let (mut number, mut hash) = (previous.0, previous.1.to_vec());
    for entry in entries {
        number += 1;
        if entry.number != number || entry.hash != audit_hash(&hash, number, &entry.line) {
            return Some(number);
        }
        hash.clone_from(&entry.hash);
    }
    None
}

pub(super) async fn append(tx: &mut Tx, line: &AuditLine) -> Result<()> {
    if tx.tenant == SERVER {
        // The server's own tenant has a row for its lock only.
        let sql = "INSERT INTO tenant (tenant_id, word, name, made_at, closed, seal_key, epoch, head_seq, durable_seq, \
                   bytes_used) VALUES ($1, '', '', $2, 0, $3, 1, 0, 0, 0) ON CONFLICT (tenant_id) DO NOTHING";
        tx.run(sql, &[line.at.into(), Vec::new().into()]).await?;
    }
    lock(tx).await?;
    let sql = "SELECT number, hash FROM audit WHERE tenant_id = $1 ORDER BY number DESC LIMIT 1";
    let last = tx.row(sql, &[]).await?;
    let (number, previous) = match last {
        Some(row) => (row.int(0)? + 1, row.bytes(1)?),
        None => (1, Vec::new()),
    };
    let sql = "INSERT INTO audit (tenant_id, number, at, actor, act, object, details, hash) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    let values = [
        number.into(),
        line.at.into(),
        line.actor.into(),
        Value::from(&line.act),
        line.object.into(),
        Value::from(&line.details),
        audit_hash(&previous, number, line).into(),
    ];
    tx.run(sql, &values).await.map(|_| ())
}

pub(super) async fn read(tx: &mut Tx, after: i64, limit: usize) -> Result<Vec<AuditEntry>> {
    let sql = "SELECT number, at, actor, act, object, details, hash FROM audit WHERE tenant_id = $1 AND number > $2 \
               ORDER BY number LIMIT $3";
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = tx.rows(sql, &[after.into(), limit.into()]).await?;
    rows.iter()
        .map(|row| {
            let line = AuditLine {
                at: row.int(1)?,
                actor: row.id(2)?,
                act: row.text(3)?,
                object: row.id(4)?,
                details: row.text(5)?,
            };
            Ok(AuditEntry { number: row.int(0)?, line, hash: row.bytes(6)? })
        })
        .collect()
}
