//! 月结: a month as it was reported. Facts, so every desk sees the same; a later freeze supersedes and changes nothing.

use std::collections::BTreeMap;

use aftercare_domain::error_code::ErrorCode;
use aftercare_domain::op::FieldValue;
use chrono::NaiveDate;
use rusqlite::{Connection, params};
use serde::{Deserialize, Serialize};
use serde_json::json;
use ts_rs::TS;
use uuid::Uuid;

use super::content::{Content, MonthFigure};
use super::lines::{self, CHUNK, Line, Part, Parts, Population};
use super::{Month, read_live};
use crate::app::Ctx;
use crate::change_log::{REPORT_FREEZE, REPORT_FREEZE_ROWS};
use crate::env;
use crate::error::{Error, Result};
use crate::sync::clinics::{self, ClinicsRequest};

/// How complete the figures of a site were.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(rename = "MonthSite")]
pub struct SiteState {
    /// The site.
    pub name: String,
    /// What was done there until then is in the figures, milliseconds UTC; none: never heard of.
    #[ts(type = "number | null")]
    pub as_of: Option<i64>,
    /// Desks that were not heard on that day.
    pub silent: u32,
    /// Changes its desks were known to keep back.
    #[ts(type = "number")]
    pub unsent: i64,
    /// Heard of after the month's end, nothing known to be missing.
    pub complete: bool,
}

/// A freeze as lists show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(rename = "MonthFreeze")]
pub struct FreezeItem {
    /// The freeze.
    pub id: Uuid,
    /// `YYYY-MM`.
    pub month: String,
    /// Data as of, milliseconds UTC.
    #[ts(type = "number")]
    pub as_of: i64,
    /// By whom.
    pub by: String,
    /// Why the one before was superseded.
    pub reason: String,
    /// The one before.
    pub supersedes: Option<Uuid>,
    /// It is the one that reports show.
    pub in_force: bool,
    /// Whether all of it has arrived at this desk.
    pub whole: bool,
    /// How complete each site was.
    pub sites: Vec<SiteState>,
    /// Its figures.
    pub figures: Vec<MonthFigure>,
}

/// The part of a freeze that is not lines.
#[derive(Debug, Serialize, Deserialize)]
struct Body {
    figures: Vec<MonthFigure>,
    sites: Vec<SiteState>,
    /// The day on which it was looked at, by the hospital's clock.
    today: NaiveDate,
    by: String,
    /// Names that lines of a population refer to.
    names: BTreeMap<String, Vec<String>>,
    /// Names of the users that lines refer to by id.
    staff: BTreeMap<String, String>,
}

/// A frozen month.
pub(super) struct Frozen {
    pub item: FreezeItem,
    pub today: NaiveDate,
    pub parts: Parts,
    pub staff: BTreeMap<String, String>,
}

/// How complete the figures of each site are now. Nothing where there is only this desk.
pub(super) fn sites(ctx: &Ctx, month: &Month) -> Result<Vec<SiteState>> {
    let ended = month.ended_at();
    let state = |site: clinics::ClinicSite| SiteState {
        complete: site.silent == 0 && site.unsent == 0 && site.as_of.is_some_and(|at| at >= ended),
        name: site.name,
        as_of: site.as_of,
        silent: site.silent,
        unsent: site.unsent,
    };
    Ok(clinics::clinics(ctx, ClinicsRequest {})?.sites.into_iter().map(state).collect())
}

/// Freezes a month that is over. Where it is frozen already, `reason` says why again.
///
/// # Errors
/// `MonthNotOver`; `MonthFrozen` without a reason.
pub(super) fn make(ctx: &Ctx, month: &Month, reason: &str) -> Result<Uuid> {
    let today = ctx.local_now().date();
    if today <= month.to {
        return Err(Error::new(ErrorCode::MonthNotOver).with("month", month.text()));
    }
    let sites = sites(ctx, month)?;
    let id = ctx.new_id();
    let as_of = ctx.now().timestamp_millis();
    let by = ctx.session.user.display_name.clone();
    let user = ctx.user_id();
    let rows = ctx.write(|w| {
        // Read and written in one transaction: nothing comes between what was counted and what is kept.
        let connection = w.connection();
        let before = in_force(&list(connection, Some(month))?).map(|item| item.id);
        if before.is_some() && reason.is_empty() {
            return Err(Error::new(ErrorCode::MonthFrozen).with("month", month.text()));
        }
        let parts = read_live(connection, month, today)?;
        let body = body(connection, &parts, sites.clone(), today, by.clone())?;
        let chunks: usize = parts.iter().map(|part| part.lines.len().div_ceil(CHUNK)).sum();
        w.create(
            &REPORT_FREEZE,
            id,
            &[
                ("month", month.text().into()),
                ("as_of", as_of.into()),
                ("body", serde_json::to_string(&body)?.into()),
                ("chunks", i64::try_from(chunks).unwrap_or(i64::MAX).into()),
                ("reason", reason.into()),
                ("supersedes", before.into()),
                ("user_id", user.into()),
            ],
        )?;
        for population in Population::ALL {
            for (ordinal, chunk) in lines::part(&parts, population).lines.chunks(CHUNK).enumerate() {
                let row = w.new_id();
                w.create(
                    &REPORT_FREEZE_ROWS,
                    row,
                    &[
                        ("freeze_id", id.into()),
                        ("population", population.key().into()),
                        ("ordinal", i64::try_from(ordinal).unwrap_or(i64::MAX).into()),
                        ("lines", FieldValue::Bytes(lines::packed(chunk))),
                    ],
                )?;
            }
        }
        Ok(parts.iter().map(|part| part.lines.len()).sum::<usize>())
    })?;
    let detail = json!({ "month": month.text(), "rows": rows, "reason": reason });
    ctx.audit("reports.freeze", Some(id), detail)?;
    Ok(id)
}

fn body(
    connection: &Connection,
    parts: &Parts,
    sites: Vec<SiteState>,
    today: NaiveDate,
    by: String,
) -> Result<Body> {
    let names = Population::ALL.map(|one| (one.key().to_owned(), lines::part(parts, one).names.clone()));
    Ok(Body {
        figures: Content::of(parts).figures(),
        sites,
        today,
        by,
        names: names.into_iter().collect(),
        staff: staff(connection, parts)?,
    })
}

/// The names of the users that lines refer to.
pub(super) fn staff(connection: &Connection, parts: &Parts) -> Result<BTreeMap<String, String>> {
    let known: BTreeMap<String, String> = crate::staff::all(connection)?
        .into_iter()
        .map(|one| (one.id.to_string(), one.display_name))
        .collect();
    let users = [Population::Tasks, Population::Calls, Population::Alerts];
    let ids = users.into_iter().flat_map(|one| &lines::part(parts, one).names);
    Ok(ids.filter_map(|id| Some((id.clone(), known.get(id)?.clone()))).collect())
}

/// The freezes of a month, or of all, newest first.
pub(super) fn list(connection: &Connection, month: Option<&Month>) -> Result<Vec<FreezeItem>> {
    let mut statement = connection.prepare_cached(
        "SELECT id, month, as_of, body, chunks, reason, supersedes,
                (SELECT count(*) FROM report_freeze_rows WHERE freeze_id = report_freeze.id) AS arrived
         FROM report_freeze WHERE ?1 IS NULL OR month = ?1 ORDER BY as_of DESC, id DESC",
    )?;
    let rows = statement.query_map([month.map(Month::text)], |row| {
        let body: String = row.get("body")?;
        let (chunks, arrived): (i64, i64) = (row.get("chunks")?, row.get("arrived")?);
        let item = FreezeItem {
            id: row.get("id")?,
            month: row.get("month")?,
            as_of: row.get("as_of")?,
            by: String::new(),
            reason: row.get("reason")?,
            supersedes: row.get("supersedes")?,
            in_force: false,
            whole: chunks == arrived,
            sites: Vec::new(),
            figures: Vec::new(),
        };
        Ok((item, body))
    })?;
    let mut items = Vec::new();
    for row in rows {
        let (mut item, body) = row?;
        let body = parsed(&body)?;
        (item.by, item.sites, item.figures) = (body.by, body.sites, body.figures);
        items.push(item);
    }
    // The newest of each month that is here as a whole. Two desks may freeze a month without knowing of each other.
    let mut seen: Vec<String> = Vec::new();
    for item in items.iter_mut().filter(|item| item.whole) {
        if !seen.contains(&item.month) {
            seen.push(item.month.clone());
            item.in_force = true;
        }
    }
    Ok(items)
}

fn parsed(body: &str) -> Result<Body> {
    serde_json::from_str(body).map_err(|_| Error::new(ErrorCode::FreezeDamaged))
}

/// The freeze that reports of a month show.
pub(super) fn in_force(items: &[FreezeItem]) -> Option<&FreezeItem> {
    items.iter().find(|item| item.in_force)
}

/// The frozen month, if it is frozen.
///
/// # Errors
/// `FreezeDamaged` when its lines do not give its figures.
pub(super) fn read(connection: &Connection, month: &Month) -> Result<Option<Frozen>> {
    let items = list(connection, Some(month))?;
    let Some(item) = in_force(&items).cloned() else { return Ok(None) };
    let body: String = connection
        .prepare_cached("SELECT body FROM report_freeze WHERE id = ?1")?
        .query_row([item.id], |row| row.get("body"))?;
    let mut body = parsed(&body)?;
    let mut parts = Parts::default();
    for (population, part) in Population::ALL.into_iter().zip(&mut parts) {
        let names = body.names.remove(population.key()).unwrap_or_default();
        *part = Part { lines: lines_of(connection, item.id, population)?, names };
    }
    if Content::of(&parts).figures() != item.figures {
        return Err(Error::new(ErrorCode::FreezeDamaged));
    }
    Ok(Some(Frozen { item, today: body.today, parts, staff: body.staff }))
}

fn lines_of(connection: &Connection, freeze: Uuid, population: Population) -> Result<Vec<Line>> {
    let mut statement = connection.prepare_cached(
        "SELECT lines FROM report_freeze_rows WHERE freeze_id = ?1 AND population = ?2 ORDER BY ordinal",
    )?;
    let mut rows = statement.query(params![freeze, population.key()])?;
    let mut lines = Vec::new();
    while let Some(row) = rows.next()? {
        lines::unpacked(row.get_ref("lines")?.as_blob().unwrap_or_default(), &mut lines)?;
    }
    Ok(lines)
}

impl Month {
    /// When the month was over, by the hospital's clock, milliseconds UTC.
    fn ended_at(&self) -> i64 {
        let after = self.to.succ_opt().unwrap_or(self.to).and_time(chrono::NaiveTime::MIN);
        after.and_utc().timestamp_millis() - i64::from(env::hospital_offset().local_minus_utc()) * 1000
    }
}
