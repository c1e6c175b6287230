//! How the other desks stand: heard from the server now and then while a supervisor is signed in, kept
//! for when there is no network, and summed up by site as "how complete are today's figures".

use aftercare_domain::access::Permission;
use aftercare_sync::door::{ClinicDesk, ClinicsAnswer};
use chrono::{DateTime, NaiveDate};
use rusqlite::{Connection, params};
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use uuid::Uuid;

use super::client::Line;
use super::state;
use crate::app::Ctx;
use crate::env;
use crate::error::Result;

/// By itself a desk asks again after this time: how others stand is by far the largest part of what an idle desk costs.
pub(super) const NOW_AND_THEN_MILLIS: i64 = 30 * 60_000;
/// Somebody who syncs by hand wants to know how things stand now.
pub(super) const ON_DEMAND_MILLIS: i64 = 60_000;

/// Asks how the clinics stand.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "SyncClinicsRequest")]
pub struct ClinicsRequest {}

/// How the clinics stand, as last heard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(rename = "SyncClinics")]
pub struct Clinics {
    /// When this was heard from the server, milliseconds UTC; none before the first time.
    #[ts(type = "number | null")]
    pub heard_at: Option<i64>,
    /// By name.
    pub sites: Vec<ClinicSite>,
}

/// A site, and how complete today's figures of it are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(rename = "SyncClinicSite")]
pub struct ClinicSite {
    /// The site.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// Everything that was done there until then is in the figures, but for what the silent desks did: the
    /// earliest last contact among the desks heard today; the latest of all when none was. Milliseconds UTC.
    #[ts(type = "number | null")]
    pub as_of: Option<i64>,
    /// Desks that were not heard today.
    pub silent: u32,
    /// Changes that its desks were known to keep back.
    #[ts(type = "number")]
    pub unsent: i64,
    /// Its desks, the longest silent first.
    pub desks: Vec<ClinicRow>,
}

/// A desk of a site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(rename = "SyncClinicDesk")]
pub struct ClinicRow {
    /// The desk.
    pub id: Uuid,
    /// What people call it.
    pub name: String,
    /// It is this one.
    pub here: bool,
    /// When it was last heard of, milliseconds UTC.
    #[ts(type = "number | null")]
    pub last_contact_at: Option<i64>,
    /// It was not heard today.
    pub silent: bool,
    /// Changes that it was known to keep back.
    #[ts(type = "number")]
    pub unsent: i64,
}

/// How the clinics stand, as last heard: also without a network.
pub fn clinics(ctx: &Ctx, _: ClinicsRequest) -> Result<Clinics> {
    let today = ctx.local_now().date();
    ctx.read(|connection| {
        let Some(server) = state::find_server(connection)? else {
            return Ok(Clinics { heard_at: None, sites: Vec::new() });
        };
        let own = state::own(connection)?;
        // Of itself this desk knows better than the server did then.
        let now_here = (server.heard_at, own.last_dseq - server.acknowledged);
        let heard_at = connection.query_row("SELECT clinics_at FROM sync_server", [], |row| row.get(0))?;
        let mut sites = Vec::new();
        for (id, name) in known_sites(connection)? {
            let desks = desks_of(connection, id, own.device, now_here, today)?;
            if !desks.is_empty() {
                sites.push(summed_up(id, name, desks));
            }
        }
        Ok(Clinics { heard_at, sites })
    })
}

/// Asks the server, while a supervisor is signed in and what was heard is older than `age_millis`.
/// A round does not fail for it.
pub(super) fn hear(ctx: &Ctx, line: &dyn Line, age_millis: i64) {
    if let Err(error) = ask(ctx, line, age_millis) {
        tracing::warn!(%error, "how the other desks stand was not heard");
    }
}

fn ask(ctx: &Ctx, line: &dyn Line, age_millis: i64) -> Result<()> {
    let now = ctx.now().timestamp_millis();
    let heard: Option<i64> =
        ctx.read(|c| Ok(c.query_row("SELECT clinics_at FROM sync_server", [], |row| row.get(0))?))?;
    if !ctx.may(Permission::FollowupManage) || heard.is_some_and(|at| (0..age_millis).contains(&(now - at))) {
        return Ok(());
    }
    let answer = line.clinics()?;
    ctx.db().write(|connection, _| keep(connection, &answer, now))
}

fn keep(connection: &Connection, answer: &ClinicsAnswer, now_millis: i64) -> Result<()> {
    connection.execute("DELETE FROM sync_clinic", [])?;
    let mut insert = connection.prepare_cached(
        "INSERT INTO sync_clinic (device, site, name, enrolled_at, last_contact_at, unsent)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING",
    )?;
    for ClinicDesk { id, name, sites, enrolled_at, last_contact_at, unsent } in &answer.desks {
        for site in sites {
            insert.execute(params![id, site, name, enrolled_at, last_contact_at, unsent])?;
        }
    }
    connection.execute("UPDATE sync_server SET clinics_at = ?1", [now_millis])?;
    Ok(())
}

fn known_sites(connection: &Connection) -> Result<Vec<(Uuid, String)>> {
    let mut statement =
        connection.prepare_cached("SELECT id, name FROM site WHERE removed = 0 ORDER BY name, id")?;
    let rows = statement.query_map([], |row| Ok((row.get("id")?, row.get("name")?)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

fn desks_of(
    connection: &Connection,
    site: Uuid,
    own: Uuid,
    (own_contact, own_unsent): (Option<i64>, i64),
    today: NaiveDate,
) -> Result<Vec<ClinicRow>> {
    let mut statement = connection.prepare_cached(
        "SELECT device, name, last_contact_at, unsent FROM sync_clinic WHERE site = ?1 ORDER BY name, device",
    )?;
    let rows = statement.query_map([site], |row| {
        let id: Uuid = row.get("device")?;
        let here = id == own;
        let (told, unsent): (Option<i64>, i64) = (row.get("last_contact_at")?, row.get("unsent")?);
        let last_contact_at = if here { told.max(own_contact) } else { told };
        let silent = !last_contact_at.is_some_and(|at| is_on(at, today));
        let unsent = if here { own_unsent } else { unsent };
        Ok(ClinicRow { id, name: row.get("name")?, here, last_contact_at, silent, unsent })
    })?;
    let mut desks: Vec<ClinicRow> = rows.collect::<rusqlite::Result<_>>()?;
    desks.sort_by_key(|desk| desk.last_contact_at);
    Ok(desks)
}

fn is_on(millis: i64, day: NaiveDate) -> bool {
    DateTime::from_timestamp_millis(millis).is_some_and(|at| env::local(at).date() >= day)
}

fn summed_up(id: Uuid, name: String, desks: Vec<ClinicRow>) -> ClinicSite {
    let heard_today = desks.iter().filter(|desk| !desk.silent).filter_map(|desk| desk.last_contact_at).min();
    let ever = desks.iter().filter_map(|desk| desk.last_contact_at).max();
    let silent = desks.iter().filter(|desk| desk.silent).count();
    ClinicSite {
        id,
        name,
        as_of: heard_today.or(ever),
        silent: u32::try_from(silent).unwrap_or(u32::MAX),
        unsent: desks.iter().map(|desk| desk.unsent).sum(),
        desks,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn desk(number: u128, last_contact_at: Option<i64>, silent: bool, unsent: i64) -> ClinicRow {
        let name = format!("{number}");
        ClinicRow { id: Uuid::from_u128(number), name, here: false, last_contact_at, silent, unsent }
    }

    #[test]
    fn figures_are_as_old_as_the_desk_heard_longest_ago_today() {
        let desks = vec![
            desk(1, None, true, 0),
            desk(2, Some(5), true, 40),
            desk(3, Some(90), false, 0),
            desk(4, Some(70), false, 2),
        ];
        let site = summed_up(Uuid::nil(), "东院".to_owned(), desks);
        assert_eq!((site.as_of, site.silent, site.unsent), (Some(70), 2, 42));
        let site = summed_up(
            Uuid::nil(),
            "东院".to_owned(),
            vec![desk(1, Some(5), true, 0), desk(2, Some(9), true, 0)],
        );
        assert_eq!((site.as_of, site.silent), (Some(9), 2), "nobody was heard today");
    }
}
