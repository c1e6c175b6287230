//! Hospitals: what they may, what they use, and where their feeds are.

use aftercare_sync::wire::EpochStart;
use uuid::Uuid;

use super::tx::Tx;
use super::value::{Row, Value};
use super::{NewTenant, Position, Quota, Result, StoreError, Tenant, Usage};

/// What a transaction needs to know of its tenant.
pub(super) struct Hospital {
    pub(super) position: Position,
    pub(super) closed: bool,
    pub(super) quota: Quota,
    pub(super) bytes_used: i64,
    pub(super) seal_key: Vec<u8>,
}

/// Later ones are numbered by the time of the restore.
const FIRST_EPOCH: i64 = 1;

/// What a transaction needs to know of its tenant.
pub(super) const HOSPITAL: &str = "SELECT epoch, head_seq, durable_seq, closed, quota_devices, quota_bytes, bytes_used, seal_key \
                        FROM tenant WHERE tenant_id = $1";

/// The tenant's row, locked until the transaction ends: from here on nobody else numbers anything,
/// so the order of sequences is the order of commits.
pub(super) async fn lock(tx: &mut Tx) -> Result<Hospital> {
    hospital(tx.row(&format!("{HOSPITAL} FOR UPDATE"), &[]).await?.as_ref())
}

/// The tenant's row, to be read.
pub(super) async fn look(tx: &mut Tx) -> Result<Hospital> {
    hospital(tx.row(HOSPITAL, &[]).await?.as_ref())
}

/// The answer to [`HOSPITAL`].
pub(super) fn hospital(row: Option<&Row>) -> Result<Hospital> {
    let row = row.ok_or(StoreError::NotFound)?;
    Ok(Hospital {
        position: Position { epoch: row.int(0)?, head: row.int(1)?, durable_seq: row.int(2)? },
        closed: row.flag(3)?,
        quota: Quota { devices: row.int_or_null(4)?, bytes: row.int_or_null(5)? },
        bytes_used: row.int(6)?,
        seal_key: row.bytes(7)?,
    })
}

pub(super) async fn position(tx: &mut Tx) -> Result<Position> {
    Ok(look(tx).await?.position)
}

/// Notes the last sequence and how many bytes came in.
pub(super) async fn move_head(tx: &mut Tx, head: i64, bytes: i64) -> Result<()> {
    let sql = "UPDATE tenant SET head_seq = $2, bytes_used = bytes_used + $3 WHERE tenant_id = $1";
    tx.run(sql, &[head.into(), bytes.into()]).await.map(|_| ())
}

/// In the server's own tenant: whether a word is free for this hospital.
pub(super) async fn word_is_free(tx: &mut Tx, new: &NewTenant) -> Result<()> {
    let sql = "SELECT hospital FROM directory WHERE tenant_id = $1 AND (word = $2 OR hospital = $3)";
    match tx.row(sql, &[Value::from(&new.word), new.id.into()]).await? {
        Some(_) => Err(StoreError::Exists),
        None => Ok(()),
    }
}

/// In the hospital's tenant: its row. There already when an earlier attempt was cut off here.
pub(super) async fn make(tx: &mut Tx, new: &NewTenant) -> Result<()> {
    let sql = "INSERT INTO tenant (tenant_id, word, name, made_at, closed, quota_devices, quota_bytes, seal_key, epoch, \
               head_seq, durable_seq, bytes_used) VALUES ($1, $2, $3, $4, 0, $5, $6, $7, $8, 0, 0, 0) \
               ON CONFLICT (tenant_id) DO NOTHING";
    let values = [
        Value::from(&new.word),
        Value::from(&new.name),
        new.made_at.into(),
        new.quota.devices.into(),
        new.quota.bytes.into(),
        new.seal_key.into(),
        FIRST_EPOCH.into(),
    ];
    tx.run(sql, &values).await?;
    let sql = "INSERT INTO epoch (tenant_id, epoch, head) VALUES ($1, $2, 0) ON CONFLICT (tenant_id, epoch) DO NOTHING";
    tx.run(sql, &[FIRST_EPOCH.into()]).await.map(|_| ())
}

/// In the server's own tenant: the line that makes the hospital known.
pub(super) async fn enter(tx: &mut Tx, new: &NewTenant) -> Result<()> {
    let sql = "INSERT INTO directory (tenant_id, hospital, word, name, made_at) VALUES ($1, $2, $3, $4, $5)";
    let values = [new.id.into(), Value::from(&new.word), Value::from(&new.name), new.made_at.into()];
    tx.run(sql, &values).await.map(|_| ())
}

/// In the server's own tenant: the ids of all hospitals, by word.
pub(super) async fn all(tx: &mut Tx) -> Result<Vec<Uuid>> {
    let sql = "SELECT hospital FROM directory WHERE tenant_id = $1 ORDER BY word";
    tx.rows(sql, &[]).await?.iter().map(|row| row.id(0)).collect()
}

/// In the server's own tenant: a hospital and what leads to it is forgotten.
pub(super) async fn strike(tx: &mut Tx, hospital: Uuid) -> Result<()> {
    for table in ["device_index", "code_index", "directory"] {
        let sql = format!("DELETE FROM {table} WHERE tenant_id = $1 AND hospital = $2");
        tx.run(&sql, &[hospital.into()]).await?;
    }
    Ok(())
}

pub(super) async fn read(tx: &mut Tx) -> Result<Tenant> {
    let sql =
        "SELECT word, name, quota_devices, quota_bytes, closed, made_at FROM tenant WHERE tenant_id = $1";
    let row = tx.row(sql, &[]).await?.ok_or(StoreError::NotFound)?;
    Ok(Tenant {
        id: tx.tenant,
        word: row.text(0)?,
        name: row.text(1)?,
        quota: Quota { devices: row.int_or_null(2)?, bytes: row.int_or_null(3)? },
        closed: row.flag(4)?,
        made_at: row.int(5)?,
    })
}

pub(super) async fn set_quota(tx: &mut Tx, quota: Quota) -> Result<()> {
    let sql = "UPDATE tenant SET quota_devices = $2, quota_bytes = $3 WHERE tenant_id = $1";
    one(tx.run(sql, &[quota.devices.into(), quota.bytes.into()]).await?)
}

pub(super) async fn set_closed(tx: &mut Tx, closed: bool) -> Result<()> {
    one(tx.run("UPDATE tenant SET closed = $2 WHERE tenant_id = $1", &[closed.into()]).await?)
}

pub(super) async fn usage(tx: &mut Tx) -> Result<Usage> {
    let bytes = look(tx).await?.bytes_used;
    let sql = "SELECT records FROM digest WHERE tenant_id = $1";
    let mut records = 0;
    for row in tx.rows(sql, &[]).await? {
        records += row.int(0)?;
    }
    Ok(Usage { devices: active_devices(tx).await?, bytes, records })
}

pub(super) async fn active_devices(tx: &mut Tx) -> Result<i64> {
    let sql = "SELECT count(*) FROM device WHERE tenant_id = $1 AND status = 'active'";
    tx.row(sql, &[]).await?.ok_or(StoreError::NotFound)?.int(0)
}

/// Never back, never beyond head.
pub(super) async fn set_durable_seq(tx: &mut Tx, seq: i64) -> Result<()> {
    let position = lock(tx).await?.position;
    let seq = seq.min(position.head).max(position.durable_seq);
    tx.run("UPDATE tenant SET durable_seq = $2 WHERE tenant_id = $1", &[seq.into()]).await.map(|_| ())
}

/// Desks tell by the epoch that what they know beyond head is to be offered again.
pub(super) async fn begin_epoch(tx: &mut Tx, than: i64) -> Result<i64> {
    let position = lock(tx).await?.position;
    let epoch = position.epoch.max(than) + 1;
    tx.run("UPDATE tenant SET epoch = $2 WHERE tenant_id = $1", &[epoch.into()]).await?;
    let sql = "INSERT INTO epoch (tenant_id, epoch, head) VALUES ($1, $2, $3)";
    tx.run(sql, &[epoch.into(), position.head.into()]).await?;
    Ok(epoch)
}

/// The epochs that led to this one, oldest first.
pub(super) async fn lineage(tx: &mut Tx) -> Result<Vec<EpochStart>> {
    let rows = tx.rows("SELECT epoch, head FROM epoch WHERE tenant_id = $1 ORDER BY epoch", &[]).await?;
    rows.iter().map(|row| Ok(EpochStart { epoch: row.int(0)?, head: row.int(1)? })).collect()
}

/// A change that was to hit one row.
pub(super) fn one(rows: u64) -> Result<()> {
    if rows == 1 { Ok(()) } else { Err(StoreError::NotFound) }
}
