//! Who signs in at the server.

use uuid::Uuid;

use super::hospitals::one;
use super::tx::Tx;
use super::value::{Row, Value, join_ids};
use super::{LOCK_MILLIS, LOGIN_ATTEMPTS, Result, ServerUser, StoreError};

const PERSON: &str = "SELECT id, login, name, password_hash, roles, sites, active, locked_until, changed_at FROM person WHERE tenant_id = $1";

pub(super) async fn put(tx: &mut Tx, user: &ServerUser) -> Result<()> {
    let sql = "INSERT INTO person (tenant_id, id, login, name, password_hash, roles, sites, active, failures, locked_until, \
               changed_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, NULL, $9) ON CONFLICT (tenant_id, id) DO UPDATE SET \
               login = excluded.login, name = excluded.name, password_hash = excluded.password_hash, \
               roles = excluded.roles, sites = excluded.sites, active = excluded.active, failures = 0, \
               locked_until = NULL, changed_at = excluded.changed_at";
    let values = [
        user.id.into(),
        Value::from(&user.login),
        Value::from(&user.name),
        Value::from(&user.password_hash),
        user.roles.join(" ").into(),
        join_ids(&user.sites).into(),
        user.active.into(),
        user.changed_at.into(),
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
