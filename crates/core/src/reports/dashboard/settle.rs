//! Brings the totals up to what was written.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use rusqlite::{Connection, params};
use uuid::Uuid;

use super::cell::{Cell, Fact, unpack};
use super::names::Names;
use super::share::facts;
use crate::app::Ctx;
use crate::app::jobs::{self, Progress};
use crate::db::optional;
use crate::error::Result;

/// So many patients may wait: fewer would be settled so often that saving a call would wait for it, and what a reader adds
/// by itself stays small.
const WAITING: i64 = 256;
/// More than so many are not settled within a write: the import of a year would take a third longer. `beside` does it.
const AT_ONCE: i64 = 2_000;
/// So many are settled in one transaction beside people's work, which waits for it some hundredths of a second.
const PART: i64 = 500;
/// The kind of the job that does so.
const JOB: &str = "reports_totals";

/// By how much facts differ from the totals.
pub type Differences = HashMap<Fact, i64>;

/// The last thing in every writing transaction: settles once many patients wait, unless they are very many. Not before the
/// first sync is through, which brings each patient's records kind by kind.
pub fn after_write(connection: &Connection) -> Result<()> {
    let waiting = how_many(connection)?;
    if !(WAITING..=AT_ONCE).contains(&waiting) || is_filling(connection)? {
        return Ok(());
    }
    settle(connection)
}

/// Settles very many by parts, in the background, after an import or where the last one was cut off. Until it is through
/// whoever reads counts for those who wait.
pub fn beside(ctx: &Ctx) {
    let begun = are_left(ctx).and_then(|left| match left && !jobs::is_running(ctx, JOB) {
        true => jobs::start(ctx, JOB, settle_all).map(|_| ()),
        false => Ok(()),
    });
    if let Err(error) = begun {
        tracing::warn!(%error, "totals are not settled yet");
    }
}

fn settle_all(ctx: &Ctx, progress: &Progress) -> Result<()> {
    while are_left(ctx)? {
        progress.check()?;
        ctx.db().write(|connection, _| settle_part(connection))?;
    }
    Ok(())
}

fn are_left(ctx: &Ctx) -> Result<bool> {
    ctx.read(|connection| Ok(how_many(connection)? > AT_ONCE && !is_filling(connection)?))
}

/// How many patients wait, at most one more than [`AT_ONCE`].
fn how_many(connection: &Connection) -> Result<i64> {
    Ok(connection
        .prepare_cached("SELECT count(*) FROM (SELECT 1 FROM report_changed LIMIT ?1)")?
        .query_row([AT_ONCE + 1], |row| row.get(0))?)
}

fn is_filling(connection: &Connection) -> Result<bool> {
    Ok(connection
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM sync_server WHERE rederive = 1)")?
        .query_row([], |row| row.get(0))?)
}

/// Counts the shares of all who wait anew, and corrects the totals.
pub fn settle(connection: &Connection) -> Result<()> {
    recount(connection, waiting(connection)?)?;
    connection.execute("DELETE FROM report_changed", [])?;
    Ok(())
}

/// The same of [`PART`] of them.
fn settle_part(connection: &Connection) -> Result<()> {
    let mut statement =
        connection.prepare_cached("SELECT patient_id FROM report_changed ORDER BY patient_id LIMIT ?1")?;
    let noted: BTreeSet<Uuid> =
        statement.query_map([PART], |row| row.get("patient_id"))?.collect::<rusqlite::Result<_>>()?;
    recount(connection, with_merged(connection, noted.clone())?)?;
    let mut done = connection.prepare_cached("DELETE FROM report_changed WHERE patient_id = ?1")?;
    for patient_id in noted {
        done.execute([patient_id])?;
    }
    Ok(())
}

fn recount(connection: &Connection, patients: BTreeSet<Uuid>) -> Result<()> {
    let mut names = Names::load(connection)?;
    let mut differences = Differences::new();
    let mut write = connection.prepare_cached(
        "INSERT INTO report_share (patient_id, facts) VALUES (?1, ?2)
         ON CONFLICT (patient_id) DO UPDATE SET facts = excluded.facts",
    )?;
    let mut bytes = Vec::new();
    for patient_id in patients {
        let Some(fresh) = differ(connection, &mut names, patient_id, &mut differences)? else { continue };
        bytes.clear();
        fresh.iter().for_each(|fact| fact.pack(&mut bytes));
        if bytes.is_empty() {
            connection
                .prepare_cached("DELETE FROM report_share WHERE patient_id = ?1")?
                .execute([patient_id])?;
        } else {
            write.execute(params![patient_id, bytes])?;
        }
    }
    names.keep(connection)?;
    add(connection, &cells(&differences))
}

/// Makes totals and shares anew. Returns how many patients have a share.
pub fn rebuild(connection: &Connection) -> Result<u64> {
    connection.execute_batch(
        "DELETE FROM report_total; DELETE FROM report_share; DELETE FROM report_name; DELETE FROM report_changed;
         INSERT INTO report_changed (patient_id)
           SELECT id FROM patient UNION SELECT patient_id FROM encounter UNION SELECT patient_id FROM task
           UNION SELECT patient_id FROM call UNION SELECT patient_id FROM alert UNION SELECT patient_id FROM enrolment;",
    )?;
    settle(connection)?;
    let shares: i64 = connection.query_row("SELECT count(*) FROM report_share", [], |row| row.get(0))?;
    Ok(u64::try_from(shares).unwrap_or(0))
}

/// Patients whose share may differ, ascending: those noted, and the records that were merged with theirs, whose calls and
/// tasks refer to each other.
pub fn waiting(connection: &Connection) -> Result<BTreeSet<Uuid>> {
    let mut statement = connection.prepare_cached("SELECT patient_id FROM report_changed")?;
    let noted = statement.query_map([], |row| row.get("patient_id"))?.collect::<rusqlite::Result<_>>()?;
    with_merged(connection, noted)
}

fn with_merged(connection: &Connection, mut patients: BTreeSet<Uuid>) -> Result<BTreeSet<Uuid>> {
    let any_merged: bool = connection
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM patient WHERE merged_into IS NOT NULL)")?
        .query_row([], |row| row.get(0))?;
    if !any_merged {
        return Ok(patients);
    }
    let mut related = connection.prepare_cached(
        "SELECT merged_into AS id FROM patient WHERE id = ?1 AND merged_into IS NOT NULL
         UNION ALL SELECT id FROM patient WHERE merged_into = ?1",
    )?;
    let mut open: Vec<Uuid> = patients.iter().copied().collect();
    while let Some(patient) = open.pop() {
        let found: Vec<Uuid> =
            related.query_map([patient], |row| row.get("id"))?.collect::<rusqlite::Result<_>>()?;
        open.extend(found.into_iter().filter(|id| patients.insert(*id)));
    }
    Ok(patients)
}

/// Adds what a patient's facts differ from their share by. The facts, where they differ.
pub fn differ(
    connection: &Connection,
    names: &mut Names,
    patient_id: Uuid,
    differences: &mut Differences,
) -> Result<Option<Vec<Fact>>> {
    let fresh = facts(connection, names, patient_id)?;
    let stored: Option<Vec<u8>> = optional(
        connection
            .prepare_cached("SELECT facts FROM report_share WHERE patient_id = ?1")?
            .query_row([patient_id], |row| row.get("facts")),
    )?;
    let stored = unpack(&stored.unwrap_or_default());
    if stored == fresh {
        return Ok(None);
    }
    for (facts, sign) in [(&stored, -1), (&fresh, 1)] {
        for fact in facts {
            *differences.entry(*fact).or_default() += sign;
        }
    }
    Ok(Some(fresh))
}

/// The cells that differences concern, in the order of the table.
pub fn cells(differences: &Differences) -> BTreeMap<Cell, i64> {
    let mut cells = BTreeMap::new();
    for (fact, count) in differences.iter().filter(|(_, count)| **count != 0) {
        fact.cells(|cell| *cells.entry(cell).or_default() += count);
    }
    cells.retain(|_, count| *count != 0);
    cells
}

fn add(connection: &Connection, cells: &BTreeMap<Cell, i64>) -> Result<()> {
    let mut upsert = connection.prepare_cached(
        "INSERT INTO report_total (measure, nurse, span, department, plan, site, slot, count)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
         ON CONFLICT DO UPDATE SET count = count + excluded.count",
    )?;
    let mut empty = connection.prepare_cached(
        "DELETE FROM report_total WHERE measure = ?1 AND nurse = ?2 AND span = ?3 AND department = ?4 AND plan = ?5
           AND site = ?6 AND slot = ?7 AND count = 0",
    )?;
    for (cell, count) in cells {
        let Cell { measure, nurse, span, department, plan, site, slot } = *cell;
        let measure = measure as i64;
        upsert.execute(params![measure, nurse, span, department, plan, site, slot, count])?;
        if *count < 0 {
            empty.execute(params![measure, nurse, span, department, plan, site, slot])?;
        }
    }
    Ok(())
}
