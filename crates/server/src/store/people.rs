//! Who signs in at the server.

use uuid::Uuid;

use super::hospitals::one;
use super::tx::Tx;
use super::value::{Row, Value, join_ids};
use super::{Attempt, LOCK_MILLIS, LOGIN_ATTEMPTS, Result, ServerUser, StoreError};

/// One try, in a bucket's thousandths.
const TRY: i64 = 1000;

const PERSON: &str = "SELECT id, login, name, password_hash, roles, sites, active, locked_until, changed_at, \
                      trusted_from, set_by FROM person WHERE tenant_id = $1";

pub(super) async fn put(tx: &mut Tx, user: &ServerUser) -> Result<()> {
    let sql = "INSERT INTO person (tenant_id, id, login, name, password_hash, roles, sites, active, failures, locked_until, \
               changed_at, trusted_from, set_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, NULL, $9, $10, $11) ON CONFLICT (tenant_id, id) DO UPDATE SET \
               login = excluded.login, name = excluded.name, password_hash = excluded.password_hash, \
               roles = excluded.roles, sites = excluded.sites, active = excluded.active, failures = 0, \
               locked_until = NULL, changed_at = excluded.changed_at, trusted_from = excluded.trusted_from, \
               set_by = excluded.set_by";
    let values = [
        user.id.into(),
        Value::from(&user.login),
        Value::from(&user.name),
        Value::from(&user.password_hash),
        user.roles.join(" ").into(),
        join_ids(&user.sites).into(),
        user.active.into(),
        user.changed_at.into(),
        user.trusted_from.into(),
        user.set_by.into(),
    ];
    tx.run(sql, &values).await.map(|_| ())
}

pub(super) async fn by_login(tx: &mut Tx, login: &str) -> Result<ServerUser> {
    let row = tx.row(&format!("{PERSON} AND login = $2"), &[login.into()]).await?;
    person(&row.ok_or(StoreError::NotFound)?)
}

pub(super) async fn all(tx: &mut Tx) -> Result<Vec<ServerUser>> {
    tx.rows(&format!("{PERSON} ORDER BY login"), &[]).await?.iter().map(person).collect()
}

fn person(row: &Row) -> Result<ServerUser> {
    Ok(ServerUser {
        id: row.id(0)?,
        login: row.text(1)?,
        name: row.text(2)?,
        password_hash: row.text(3)?,
        roles: row.text(4)?.split_ascii_whitespace().map(str::to_owned).collect(),
        sites: row.ids(5)?,
        active: row.flag(6)?,
        locked_until: row.int_or_null(7)?,
        changed_at: row.int(8)?,
        trusted_from: row.int(9)?,
        set_by: row.id_or_null(10)?,
    })
}

/// Counts wrong passwords. One statement changes the count, so that two servers count together.
pub(super) async fn note_login(tx: &mut Tx, user: Uuid, right: bool, now: i64) -> Result<Option<i64>> {
    if right {
        let sql = "UPDATE person SET failures = 0, locked_until = NULL WHERE tenant_id = $1 AND id = $2";
        one(tx.run(sql, &[user.into()]).await?)?;
        return Ok(None);
    }
    let sql = "UPDATE person SET failures = failures + 1 WHERE tenant_id = $1 AND id = $2";
    one(tx.run(sql, &[user.into()]).await?)?;
    let sql = "SELECT failures FROM person WHERE tenant_id = $1 AND id = $2";
    let failures = tx.row(sql, &[user.into()]).await?.ok_or(StoreError::NotFound)?.int(0)?;
    if failures < LOGIN_ATTEMPTS {
        return Ok(None);
    }
    let until = now + LOCK_MILLIS;
    let sql = "UPDATE person SET failures = 0, locked_until = $3 WHERE tenant_id = $1 AND id = $2";
    tx.run(sql, &[user.into(), until.into()]).await?;
    Ok(Some(until))
}

/// Forgets first passwords that a desk set and that do not count yet: it is not in its people's hands.
pub(super) async fn forget_new(tx: &mut Tx, device: Uuid, now: i64) -> Result<()> {
    let sql = "DELETE FROM person WHERE tenant_id = $1 AND set_by = $2 AND trusted_from > $3";
    tx.run(sql, &[device.into(), now.into()]).await.map(|_| ())
}

/// In the server's own tenant: takes one try out of the address's bucket, which fills with time; answers how many
/// milliseconds are to be waited where it is empty.
pub(super) async fn attempt(tx: &mut Tx, try_: &Attempt, now: i64) -> Result<Option<i64>> {
    let most = try_.most * TRY;
    let full = now - try_.most * try_.each;
    let sql = "DELETE FROM attempt WHERE tenant_id = $1 AND kind = $2 AND at <= $3";
    tx.run(sql, &[try_.kind.into(), full.into()]).await?;
    let sql = "INSERT INTO attempt (tenant_id, kind, address, tokens, at) VALUES ($1, $2, $3, $4, $5) \
               ON CONFLICT (tenant_id, kind, address) DO NOTHING";
    let key: [Value; 2] = [try_.kind.into(), Value::from(&try_.address)];
    let [kind, address] = key.clone();
    tx.run(sql, &[kind, address, most.into(), now.into()]).await?;
    let sql = "SELECT tokens, at FROM attempt WHERE tenant_id = $1 AND kind = $2 AND address = $3 FOR UPDATE";
    let row = tx.row(sql, &key).await?.ok_or(StoreError::NotFound)?;
    // A clock that is set back gives nothing away.
    let (left, at) = (row.int(0)?, row.int(1)?.max(now));
    let filled = (left + (now - row.int(1)?).max(0) * TRY / try_.each).min(most);
    let wait = (TRY - filled).max(0) * try_.each / TRY;
    let left = if filled >= TRY { filled - TRY } else { filled };
    let sql = "UPDATE attempt SET tokens = $4, at = $5 WHERE tenant_id = $1 AND kind = $2 AND address = $3";
    let [kind, address] = key;
    tx.run(sql, &[kind, address, left.into(), at.into()]).await?;
    Ok(Some(wait.max(1)).filter(|_| filled < TRY))
}

/// In the server's own tenant: puts a try back that was no guess, up to a full bucket.
pub(super) async fn give_back(tx: &mut Tx, try_: &Attempt) -> Result<()> {
    let [kind, address] = [Value::from(try_.kind), Value::from(&try_.address)];
    let sql = "SELECT tokens FROM attempt WHERE tenant_id = $1 AND kind = $2 AND address = $3 FOR UPDATE";
    let Some(row) = tx.row(sql, &[kind.clone(), address.clone()]).await? else {
        return Ok(());
    };
    let left = (row.int(0)? + TRY).min(try_.most * TRY);
    let sql = "UPDATE attempt SET tokens = $4 WHERE tenant_id = $1 AND kind = $2 AND address = $3";
    tx.run(sql, &[kind, address, left.into()]).await.map(|_| ())
}
