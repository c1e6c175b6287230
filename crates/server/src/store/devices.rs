//! One-time codes, desks, and the sealed keys of their databases.

use std::collections::{BTreeSet, HashMap};

use aftercare_sync::{HOSPITAL, Scope};
use uuid::Uuid;

use super::hospitals::{HOSPITAL as HOSPITAL_ROW, Hospital, active_devices, hospital, lock, one};
use super::tx::Tx;
use super::value::{Row, Value, join_ids, mistake};
use super::{
    Admission, CODE_ATTEMPTS, CODE_MILLIS, CodeUse, Device, DeviceStatus, NewCode, NewDevice, Result,
    StoreError,
};

/// A contact is noted again after a minute: an idle desk costs no write each time.
const CONTACT_MILLIS: i64 = 60_000;

/// In the server's own tenant: where a code's number leads. A number that waits for somebody else is taken.
pub(super) async fn point_code(tx: &mut Tx, hospital: Uuid, code: &NewCode) -> Result<()> {
    let sql = "DELETE FROM code_index WHERE tenant_id = $1 AND expires_at <= $2";
    tx.run(sql, &[code.made_at.into()]).await?;
    let sql = "INSERT INTO code_index (tenant_id, number, hospital, expires_at) VALUES ($1, $2, $3, $4)";
    let expires_at = code.made_at + CODE_MILLIS;
    tx.run(sql, &[Value::from(&code.number), hospital.into(), expires_at.into()]).await.map(|_| ())
}

/// In the server's own tenant.
pub(super) async fn hospital_of_code(tx: &mut Tx, number: &str, now: i64) -> Result<Option<Uuid>> {
    let sql = "SELECT hospital FROM code_index WHERE tenant_id = $1 AND number = $2 AND expires_at > $3";
    tx.row(sql, &[number.into(), now.into()]).await?.map(|row| row.id(0)).transpose()
}

/// In the server's own tenant: a device belongs to one hospital for ever.
pub(super) async fn point_device(tx: &mut Tx, hospital: Uuid, device: Uuid) -> Result<()> {
    match hospital_of_device(tx, device).await? {
        Some(known) if known == hospital => Ok(()),
        Some(_) => Err(StoreError::Exists),
        None => {
            let sql = "INSERT INTO device_index (tenant_id, device, hospital) VALUES ($1, $2, $3)";
            tx.run(sql, &[device.into(), hospital.into()]).await.map(|_| ())
        }
    }
}

/// In the server's own tenant.
pub(super) async fn hospital_of_device(tx: &mut Tx, device: Uuid) -> Result<Option<Uuid>> {
    let sql = "SELECT hospital FROM device_index WHERE tenant_id = $1 AND device = $2";
    tx.row(sql, &[device.into()]).await?.map(|row| row.id(0)).transpose()
}

pub(super) async fn make_code(tx: &mut Tx, code: &NewCode) -> Result<()> {
    lock(tx).await?;
    let sql = "DELETE FROM code WHERE tenant_id = $1 AND made_at <= $2";
    tx.run(sql, &[(code.made_at - CODE_MILLIS).into()]).await?;
    let sql = "INSERT INTO code (tenant_id, number, secret_hash, made_by, made_at, sites, history, attempts) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, 0)";
    let values = [
        Value::from(&code.number),
        code.secret_hash.into(),
        code.made_by.into(),
        code.made_at.into(),
        join_ids(&code.sites).into(),
        code.history.into(),
    ];
    tx.run(sql, &values).await.map(|_| ())
}

/// What a code is good for.
pub(super) enum Tried {
    /// For a new device with these sites.
    Good { sites: BTreeSet<Scope> },
    /// This same device used it already: its answer was lost.
    Used(Box<Device>),
}

/// Tries a code. A wrong secret is counted, and so this answers in two layers: the outer error
/// undoes the transaction, the inner one does not.
pub(super) async fn try_code(
    tx: &mut Tx,
    with: &CodeUse,
    new: &NewDevice,
    now: i64,
) -> Result<Result<Tried>> {
    lock(tx).await?;
    let sql = "SELECT secret_hash, made_at, sites, history, attempts, used_by FROM code WHERE tenant_id = $1 AND number = $2";
    let Some(code) = tx.row(sql, &[Value::from(&with.number)]).await? else {
        return Ok(Err(StoreError::CodeInvalid));
    };
    if now >= code.int(1)? + CODE_MILLIS || code.int(4)? >= CODE_ATTEMPTS {
        return Ok(Err(StoreError::CodeInvalid));
    }
    if code.bytes(0)? != with.secret_hash {
        let sql = "UPDATE code SET attempts = attempts + 1 WHERE tenant_id = $1 AND number = $2";
        tx.run(sql, &[Value::from(&with.number)]).await?;
        return Ok(Err(StoreError::CodeInvalid));
    }
    let known = find(tx, new.id).await?;
    match (code.id_or_null(5)?, known) {
        (Some(used_by), Some(device)) if used_by == new.id && device.public_key == new.public_key => {
            return Ok(Ok(Tried::Used(Box::new(device))));
        }
        (Some(_), _) => return Ok(Err(StoreError::CodeInvalid)),
        (None, Some(_)) => return Ok(Err(StoreError::Exists)),
        (None, None) => {}
    }
    let (mut sites, brings) = (code.ids(2)?, code.flag(3)?);
    if new.history_to > 0 && !brings {
        return Ok(Err(StoreError::CodeWithoutHistory));
    }
    if !sites.is_empty() && !brings && !new.sites.is_subset(&sites) {
        return Ok(Err(StoreError::SiteNotAllowed));
    }
    if brings {
        // What the desk wrote alone stands at its own site; the code's come to it.
        sites.extend(&new.sites);
    } else if !new.sites.is_empty() {
        sites.clone_from(&new.sites);
    }
    Ok(Ok(Tried::Good { sites }))
}

/// Uses a code that was tried and is good.
pub(super) async fn enrol(tx: &mut Tx, with: &CodeUse, new: &NewDevice, now: i64) -> Result<Result<Device>> {
    let sites = match try_code(tx, with, new, now).await? {
        Ok(Tried::Good { sites }) => sites,
        Ok(Tried::Used(device)) => return Ok(Ok(*device)),
        Err(refused) => return Ok(Err(refused)),
    };
    if let Some(most) = lock(tx).await?.quota.devices
        && active_devices(tx).await? >= most
    {
        return Ok(Err(StoreError::Quota { what: "devices" }));
    }
    let sql = "UPDATE code SET used_by = $3 WHERE tenant_id = $1 AND number = $2";
    tx.run(sql, &[Value::from(&with.number), new.id.into()]).await?;
    let sql = "INSERT INTO device (tenant_id, id, name, public_key, sites, history_to, status, last_dseq, chain, enrolled_at) \
               VALUES ($1, $2, $3, $4, $5, $6, 'active', 0, $7, $8)";
    let values = [
        new.id.into(),
        Value::from(&new.name),
        Value::from(&new.public_key),
        join_ids(&sites).into(),
        new.history_to.into(),
        Value::Bytes(Vec::new()),
        now.into(),
    ];
    tx.run(sql, &values).await?;
    Ok(find(tx, new.id).await?.ok_or(StoreError::NotFound))
}

const DEVICE: &str = "SELECT id, name, public_key, sites, history_to, status, last_dseq, chain, enrolled_at, last_contact_at, unsent \
                      FROM device WHERE tenant_id = $1";

pub(super) async fn all(tx: &mut Tx) -> Result<Vec<Device>> {
    tx.rows(&format!("{DEVICE} ORDER BY name, id"), &[]).await?.iter().map(device).collect()
}

pub(super) async fn find(tx: &mut Tx, id: Uuid) -> Result<Option<Device>> {
    tx.row(&format!("{DEVICE} AND id = $2"), &[id.into()]).await?.as_ref().map(device).transpose()
}

fn device(row: &Row) -> Result<Device> {
    Ok(Device {
        id: row.id(0)?,
        name: row.text(1)?,
        public_key: row.bytes(2)?,
        sites: row.ids(3)?,
        history_to: row.int(4)?,
        status: DeviceStatus::parse(&row.text(5)?).ok_or_else(mistake)?,
        last_dseq: row.int(6)?,
        chain: row.bytes(7)?,
        enrolled_at: row.int(8)?,
        last_contact_at: row.int_or_null(9)?,
        unsent: row.int(10)?,
    })
}

/// Several devices.
pub(super) async fn by_ids(tx: &mut Tx, ids: &[Uuid]) -> Result<HashMap<Uuid, Device>> {
    let rows = tx.rows_of(&format!("{DEVICE} AND id = ANY($2)"), ids, &[]).await?;
    rows.iter().map(|row| device(row).map(|device| (device.id, device))).collect()
}

/// A device that may come.
pub(super) async fn active(tx: &mut Tx, id: Uuid) -> Result<Device> {
    let device = find(tx, id).await?;
    may_come(device.as_ref()).cloned()
}

/// Whether a device may come.
pub(super) fn may_come(device: Option<&Device>) -> Result<&Device> {
    let device = device.ok_or(StoreError::NotFound)?;
    match device.status {
        DeviceStatus::Active => Ok(device),
        status => Err(StoreError::Revoked { wipe: status == DeviceStatus::Wipe }),
    }
}

/// A device and its hospital, asked for in one go. Neither status nor quota is judged here.
pub(super) async fn with_hospital(tx: &mut Tx, id: Uuid) -> Result<(Hospital, Device)> {
    let device_sql = format!("{DEVICE} AND id = $2");
    let asked = [(HOSPITAL_ROW, Vec::new()), (device_sql.as_str(), vec![id.into()])];
    let mut found = tx.rows_all(&asked).await?.into_iter();
    let hospital = hospital(found.next().unwrap_or_default().first())?;
    let device = found.next().unwrap_or_default().first().map(device).transpose()?;
    Ok((hospital, device.ok_or(StoreError::NotFound)?))
}

/// Whether a device that may come sees the scope.
pub(super) async fn seen_by(tx: &mut Tx, device: Uuid, scope: Scope) -> Result<()> {
    let device = active(tx, device).await?;
    if scope == HOSPITAL || device.sites.contains(&scope) { Ok(()) } else { Err(StoreError::NotAllowed) }
}

pub(super) async fn set_sites(tx: &mut Tx, id: Uuid, sites: &BTreeSet<Scope>) -> Result<()> {
    let sql = "UPDATE device SET sites = $3 WHERE tenant_id = $1 AND id = $2";
    one(tx.run(sql, &[id.into(), join_ids(sites).into()]).await?)
}

/// What was to be wiped may be anybody's: it needs a new id and a new code.
pub(super) async fn set_status(tx: &mut Tx, id: Uuid, status: DeviceStatus, now: i64) -> Result<()> {
    lock(tx).await?;
    let device = find(tx, id).await?.ok_or(StoreError::NotFound)?;
    if device.status == DeviceStatus::Wipe && status != DeviceStatus::Wipe {
        return Err(StoreError::NotAllowed);
    }
    if status != DeviceStatus::Active {
        super::people::forget_new(tx, id, now).await?;
    }
    let sql = "UPDATE device SET status = $3 WHERE tenant_id = $1 AND id = $2";
    one(tx.run(sql, &[id.into(), status.as_str().into()]).await?)
}

/// Whether a contact at `now` is worth a write.
pub(super) async fn contact_is_old(tx: &mut Tx, id: Uuid, now: i64) -> Result<bool> {
    let device = find(tx, id).await?.ok_or(StoreError::NotFound)?;
    Ok(device.last_contact_at.is_none_or(|last| now >= last + CONTACT_MILLIS))
}

pub(super) async fn note_contact(tx: &mut Tx, id: Uuid, now: i64) -> Result<()> {
    let sql = "UPDATE device SET last_contact_at = $3 WHERE tenant_id = $1 AND id = $2";
    one(tx.run(sql, &[id.into(), now.into()]).await?)
}

pub(super) async fn note_unsent(tx: &mut Tx, id: Uuid, unsent: i64) -> Result<()> {
    let sql = "UPDATE device SET unsent = $3 WHERE tenant_id = $1 AND id = $2";
    one(tx.run(sql, &[id.into(), unsent.into()]).await?)
}

pub(super) async fn put_key(tx: &mut Tx, device: Uuid, sealed: &[u8]) -> Result<()> {
    active(tx, device).await?;
    let sql = "INSERT INTO desk_key (tenant_id, device, sealed) VALUES ($1, $2, $3) \
               ON CONFLICT (tenant_id, device) DO UPDATE SET sealed = excluded.sealed";
    tx.run(sql, &[device.into(), sealed.into()]).await.map(|_| ())
}

pub(super) async fn key(tx: &mut Tx, device: Uuid) -> Result<Vec<u8>> {
    active(tx, device).await?;
    let sql = "SELECT sealed FROM desk_key WHERE tenant_id = $1 AND device = $2";
    tx.row(sql, &[device.into()]).await?.ok_or(StoreError::NotFound)?.bytes(0)
}

/// Whether a desk and its hospital may come.
pub(super) async fn admission(tx: &mut Tx, id: Uuid) -> Result<Admission> {
    let (hospital, device) = with_hospital(tx, id).await?;
    Ok(Admission { device, closed: hospital.closed })
}
