//! Putting what ships into the database, once per shipped version.

use aftercare_domain::plans::shipped_versions;
use rusqlite::Connection;
use uuid::Uuid;

use super::{Kind, Origin, Version, catalog, number, store};
use crate::change_log::Writer;
use crate::error::Result;

/// The same shipped version has the same id on every desk, so that two desks' copies meet.
fn shipped_id(code: &str, version: u32) -> Uuid {
    const SHIPPED: Uuid = Uuid::from_u128(0x8d0b_1c52_66b1_4f4e_b9a3_57c2_1a90_e6f4);
    Uuid::new_v5(&SHIPPED, format!("{code} {version}").as_bytes())
}

/// Whether something that ships is not in the database yet.
pub fn is_due(connection: &Connection) -> Result<bool> {
    for shipped in shipped_versions() {
        if !store::is_here(connection, shipped_id(&shipped.code, shipped.version))? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Adds what ships and is not there yet. A newer shipped version takes over from an older shipped
/// one, but never from what the hospital made or switched off: it is then added switched off.
pub fn seed(writer: &mut Writer<'_>) -> Result<()> {
    if !is_due(writer.connection())? {
        return Ok(());
    }
    let content = catalog::content()?;
    for plan in &content.plans {
        let body = serde_json::to_string(plan.plan())?;
        add(writer, &plan.plan().code, plan.plan().version, Kind::Plan, body)?;
    }
    for form in &content.forms {
        let body = serde_json::to_string(form.form())?;
        add(writer, &form.form().code, form.form().version, Kind::Questionnaire, body)?;
    }
    Ok(())
}

pub(super) fn add(writer: &mut Writer<'_>, code: &str, shipped: u32, kind: Kind, body: String) -> Result<()> {
    let id = shipped_id(code, shipped);
    if store::is_here(writer.connection(), id)? {
        return Ok(());
    }
    let before = store::versions_of(writer.connection(), code)?;
    let used = before.iter().find(|version| version.enabled);
    let takes_over = before.is_empty() || used.is_some_and(|version| version.origin == Origin::Shipped);
    let version = Version {
        id,
        code: code.to_owned(),
        version: number::shipped(shipped),
        count: shipped,
        label: number::label(shipped),
        kind,
        origin: Origin::Shipped,
        enabled: takes_over,
        made_at: writer.now_millis(),
        made_by: writer.user(),
    };
    store::create(writer, &version, body)?;
    if takes_over {
        for old in before.iter().filter(|old| old.enabled) {
            store::set_enabled(writer, old.id, false)?;
        }
    }
    Ok(())
}
