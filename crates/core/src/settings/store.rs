use rusqlite::{Connection, params};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::Settings;
use crate::change_log::{SETTING, Writer};
use crate::error::Result;

/// The settings: each stored value, the default for the rest. A value that this version cannot
/// read (a newer program wrote it) is the default here and stays in the table.
pub fn load(connection: &Connection) -> Result<Settings> {
    let mut statement = connection.prepare_cached("SELECT name, value FROM setting")?;
    let mut rows = statement.query([])?;
    let Value::Object(mut known) = serde_json::to_value(Settings::default())? else {
        return Ok(Settings::default());
    };
    let mut stored = Vec::new();
    while let Some(row) = rows.next()? {
        let name: String = row.get("name")?;
        if let Ok(value) = serde_json::from_str::<Value>(row.get_ref("value")?.as_str().unwrap_or_default()) {
            stored.push((name, value));
        }
    }
    // Every saved call reads them: one by one only when some cannot be read.
    let mut all = known.clone();
    all.extend(stored.iter().cloned());
    if let Ok(settings) = serde_json::from_value(Value::Object(all)) {
        return Ok(settings);
    }
    for (name, value) in stored {
        let mut with = known.clone();
        with.insert(name, value);
        if serde_json::from_value::<Settings>(Value::Object(with.clone())).is_ok() {
            known = with;
        }
    }
    Ok(serde_json::from_value(Value::Object(known))?)
}

/// Stores what differs from what is there.
pub(super) fn save(writer: &mut Writer<'_>, settings: &Settings) -> Result<Vec<String>> {
    let values = |settings: &Settings| -> Result<Map<String, Value>> {
        Ok(serde_json::to_value(settings)?.as_object().cloned().unwrap_or_default())
    };
    let before = values(&load(writer.connection())?)?;
    let mut changed = Vec::new();
    for (name, value) in values(settings)? {
        if before.get(&name) == Some(&value) {
            continue;
        }
        put(writer, &name, &value)?;
        changed.push(name);
    }
    Ok(changed)
}

/// Stores one value under its name.
pub(super) fn put(writer: &mut Writer<'_>, name: &str, value: &Value) -> Result<()> {
    let id = setting_id(name);
    let there: i64 = writer
        .connection()
        .prepare_cached("SELECT count(*) FROM setting WHERE id = ?1")?
        .query_row([id], |row| row.get(0))?;
    // The record is the same on every desk; the value is a change of its own, so that the later of
    // two desks' values wins even when both made the record.
    if there == 0 {
        writer.create(&SETTING, id, &[("name", name.into())])?;
    }
    writer.update(&SETTING, id, &[("value", value.to_string().into())])?;
    Ok(())
}

/// Every stored value whose name begins like this, by name.
pub(super) fn values_named(connection: &Connection, beginning: &str) -> Result<Vec<String>> {
    let mut statement = connection
        .prepare_cached("SELECT value FROM setting WHERE substr(name, 1, length(?1)) = ?1 ORDER BY name")?;
    let rows = statement.query_map([beginning], |row| row.get("value"))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// The same setting has the same id on every desk, so that two desks' values meet.
fn setting_id(name: &str) -> Uuid {
    const SETTINGS: Uuid = Uuid::from_u128(0x3a6d_52a8_41b7_4e0f_9c57_6f1d_a1f2_88c3);
    Uuid::new_v5(&SETTINGS, name.as_bytes())
}

pub(super) fn save_draft(
    connection: &Connection,
    user: Uuid,
    key: &str,
    body: &Value,
    at_millis: i64,
) -> Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO draft (user_id, key, body, saved_at) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (user_id, key) DO UPDATE SET body = excluded.body, saved_at = excluded.saved_at",
        )?
        .execute(params![user, key, body.to_string(), at_millis])?;
    Ok(())
}

pub(super) fn load_draft(connection: &Connection, user: Uuid, key: &str) -> Result<Option<(Value, i64)>> {
    let found = crate::db::optional(
        connection
            .prepare_cached("SELECT body, saved_at FROM draft WHERE user_id = ?1 AND key = ?2")?
            .query_row(params![user, key], |row| Ok((row.get::<_, String>("body")?, row.get("saved_at")?))),
    )?;
    Ok(match found {
        Some((body, at)) => Some((serde_json::from_str(&body)?, at)),
        None => None,
    })
}

pub(super) fn clear_draft(connection: &Connection, user: Uuid, key: &str) -> Result<()> {
    connection
        .prepare_cached("DELETE FROM draft WHERE user_id = ?1 AND key = ?2")?
        .execute(params![user, key])?;
    Ok(())
}

/// Remembers on this desk when a backup last went well.
pub(super) fn note_backup(connection: &Connection, at_millis: i64) -> Result<()> {
    connection.execute("UPDATE desk SET last_backup_at = ?1", [at_millis])?;
    Ok(())
}

/// When a backup last went well on this desk, milliseconds UTC.
pub(super) fn last_backup(connection: &Connection) -> Result<Option<i64>> {
    Ok(connection.query_row("SELECT last_backup_at FROM desk", [], |row| row.get(0))?)
}
