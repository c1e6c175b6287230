use aftercare_domain::error_code::ErrorCode;
use aftercare_domain::personal::Personal;
use rusqlite::types::Value;
use rusqlite::{Connection, Row, params_from_iter};
use uuid::Uuid;

use super::dashboard::{Kind, Measure, Spans, Totals};
#[cfg(test)]
use super::population::Source;
use super::population::Today;
use super::{Cell, Choice, PlanChoice, ReportRow, RowsRequest, RowsResponse, Scope, figures, sheet};
use crate::db;
use crate::error::{Error, Result};
use crate::forms;

/// The query of the rows that were asked for, without its order.
struct Asked {
    sql: String,
    values: Vec<Value>,
    above: String,
    below: String,
}

impl Asked {
    fn new(request: &RowsRequest, today: &Today) -> Result<Self> {
        let population = request.code.population();
        let above = request
            .code
            .above(request.slice.as_deref())
            .ok_or_else(|| Error::field("slice", ErrorCode::NotAllowed))?;
        let (sql, values) = population.source.of_scope(&request.scope, today);
        let mut below = population.denominator.to_owned();
        if let Some(cell) = request.cell {
            // Two small numbers, not a person's text.
            below.push_str(&format!(" AND weekday = {} AND hour = {}", cell.weekday, cell.hour));
        }
        Ok(Self { sql, values, above, below })
    }

    fn wanted(&self, numerator: bool) -> String {
        let Self { below, above, .. } = self;
        if numerator { format!("{below} AND {above}") } else { below.clone() }
    }
}

/// How many rows stand above and below the line: from the totals, where these tell.
pub(super) fn counts(connection: &Connection, request: &RowsRequest, today: &Today) -> Result<(i64, i64)> {
    if let Some(cell) = request.cell {
        return hour(connection, &request.scope, cell);
    }
    if request.slice.is_none()
        && let Some(found) = figures::counted(connection, &request.scope, request.code)?
    {
        return Ok(found);
    }
    let asked = Asked::new(request, today)?;
    let sql = format!(
        "SELECT count(*) FILTER (WHERE {}), count(*) FILTER (WHERE {}) FROM ({})",
        asked.wanted(true),
        asked.wanted(false),
        asked.sql
    );
    Ok(connection
        .prepare_cached(&sql)?
        .query_row(params_from_iter(asked.values), |row| Ok((row.get(0)?, row.get(1)?)))?)
}

fn hour(connection: &Connection, scope: &Scope, cell: Cell) -> Result<(i64, i64)> {
    let [from, to] = [&scope.from, &scope.to].map(|text| sheet::day(text).unwrap_or_default());
    let measure = if scope.nurse.is_some() { Measure::NurseHours } else { Measure::Hours };
    let wanted = i64::from(cell.weekday) * 24 + i64::from(cell.hour);
    let [mut connected, mut calls] = [0; 2];
    Totals::open(connection)?.each(measure, &Spans::months(from, to), scope, |cell, count| {
        if cell.slot / 2 == wanted {
            calls += count;
            connected += (cell.slot & 1) * count;
        }
    })?;
    Ok((connected, calls))
}

/// A page of the rows behind a number.
pub(super) fn rows(connection: &Connection, request: &RowsRequest, today: &Today) -> Result<RowsResponse> {
    let (numerator, denominator) = counts(connection, request, today)?;
    let mut rows = Vec::new();
    let limit = request.limit.min(500);
    each_row(connection, request, today, Some((limit, request.offset)), |row| {
        rows.push(row);
        Ok(())
    })?;
    Ok(RowsResponse {
        rows,
        total: if request.numerator { numerator } else { denominator },
        numerator,
        denominator,
        without: request.code.without().to_vec(),
    })
}

/// Hands over the rows that were asked for, in the order they happened, walking the index of their days; `page` is how
/// many, after how many.
pub(super) fn each_row(
    connection: &Connection,
    request: &RowsRequest,
    today: &Today,
    page: Option<(u32, u32)>,
    mut take: impl FnMut(ReportRow) -> Result<()>,
) -> Result<()> {
    let mut asked = Asked::new(request, today)?;
    let complaints = request.code.population().source.is_complaints();
    let own = if complaints { "number, category" } else { "NULL AS number, NULL AS category" };
    let wanted = asked.wanted(request.numerator);
    let (limit, offset) = page.map_or((-1, 0), |(limit, offset)| (i64::from(limit), i64::from(offset)));
    asked.values.extend([Value::Integer(limit), Value::Integer(offset)]);
    let at = asked.values.len();
    let sql = format!(
        "SELECT source.*, patient.name, patient.mrn, staff.display_name AS nurse
         FROM (SELECT record_id, patient_id, on_date, department, plan_code, user_id, {own}, ({}) AS above, at
               FROM ({}) WHERE {wanted} ORDER BY at, record_id LIMIT ?{} OFFSET ?{at}) AS source
         LEFT JOIN patient ON patient.id = source.patient_id
         LEFT JOIN staff ON staff.id = source.user_id
         ORDER BY source.at, source.record_id",
        asked.above,
        asked.sql,
        at - 1
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query(params_from_iter(asked.values))?;
    while let Some(row) = rows.next()? {
        take(report_row(row, complaints)?)?;
    }
    Ok(())
}

fn report_row(row: &Row<'_>, complaint: bool) -> rusqlite::Result<ReportRow> {
    let name: Option<String> = row.get("name")?;
    Ok(ReportRow {
        record_id: row.get("record_id")?,
        patient_id: row.get::<_, Option<Uuid>>("patient_id")?.filter(|_| !complaint),
        name: Personal::new(name.filter(|_| !complaint).unwrap_or_default()),
        number: row.get("number")?,
        category: row.get("category")?,
        mrn: row.get::<_, Option<String>>("mrn")?.filter(|_| !complaint),
        on: row.get::<_, Option<String>>("on_date")?.unwrap_or_default(),
        department: row.get("department")?,
        plan_code: row.get("plan_code")?,
        nurse: row.get::<_, Option<String>>("nurse")?.unwrap_or_default(),
        counted: row.get::<_, Option<bool>>("above")?.unwrap_or(false),
    })
}

/// Whether a source is asked for with every filter; for the test that prepares each.
#[cfg(test)]
pub(super) fn prepare_all(connection: &Connection) -> Result<usize> {
    let scope = Scope {
        from: "2026-01-01".into(),
        to: "2026-12-31".into(),
        department: Some("d".into()),
        site: Some(Uuid::nil()),
        plan: Some("p".into()),
        nurse: Some(Uuid::nil()),
    };
    let today = Today { on: "2026-11-16".into(), five: "2026-11-09".into(), ten: "2026-11-02".into() };
    let all = [
        Source::Discharges,
        Source::Tasks,
        Source::Calls,
        Source::PatientsCalled,
        Source::Managed,
        Source::Alerts,
        Source::Complaints,
        Source::OpenComplaints,
    ];
    for source in all {
        for scope in
            [&scope, &Scope { department: None, site: None, plan: None, nurse: None, ..scope.clone() }]
        {
            let (sql, values) = source.of_scope(scope, &today);
            let statement = connection.prepare(&sql)?;
            assert_eq!(statement.parameter_count(), values.len());
        }
    }
    Ok(all.len())
}

/// Departments that have discharged anybody, by name.
pub(super) fn department_names(connection: &Connection) -> Result<Vec<String>> {
    // A loose index scan: one step per department instead of one per discharge.
    let mut statement = connection.prepare_cached(include_str!("sql/departments.sql"))?;
    let names = statement.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    Ok(names)
}

/// Plans by which something was counted, by code.
pub(super) fn plans(connection: &Connection, totals: &Totals<'_>) -> Result<Vec<PlanChoice>> {
    let catalog = forms::catalog(connection)?;
    let named = |code: String| {
        let entry = catalog.iter().map(|entry| entry.plan()).find(|plan| plan.code == code);
        let (zh, en) =
            entry.map_or((code.clone(), code.clone()), |plan| (plan.name.zh.clone(), plan.name.en.clone()));
        PlanChoice { code, zh, en }
    };
    Ok(totals.names(Kind::Plan).into_iter().map(named).collect())
}

/// Nurses or sites under whom something was counted, by name. Those this desk does not know are left out.
pub(super) fn choices(connection: &Connection, totals: &Totals<'_>, kind: Kind) -> Result<Vec<Choice>> {
    let sql = match kind {
        Kind::Nurse => "SELECT display_name FROM staff WHERE id = ?1",
        _ => "SELECT name FROM site WHERE id = ?1",
    };
    let mut find = connection.prepare_cached(sql)?;
    let mut choices = Vec::new();
    for id in totals.names(kind).iter().filter_map(|name| name.parse::<Uuid>().ok()) {
        if let Some(name) = db::optional(find.query_row([id], |row| row.get(0)))? {
            choices.push(Choice { id, name });
        }
    }
    choices.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(choices)
}
