use aftercare_domain::personal::Personal;
use rusqlite::{Connection, params};

use super::figures::{Population, scoped};
use super::{ReportRow, RowsRequest, RowsResponse};
use crate::error::Result;

/// The rows behind a number: the same query that counts it.
pub(super) fn rows(connection: &Connection, request: &RowsRequest) -> Result<RowsResponse> {
    let Population { sql, denominator, numerator } = request.code.population();
    let scope = &request.scope;
    let sql = scoped(sql, scope);
    let mut wanted =
        if request.numerator { format!("{denominator} AND {numerator}") } else { denominator.to_owned() };
    if let Some(cell) = request.cell {
        // Two small numbers, not a person's text.
        wanted.push_str(&format!(" AND weekday = {} AND hour = {}", cell.weekday, cell.hour));
    }
    let total = connection
        .prepare_cached(&format!("WITH source AS ({sql}) SELECT count(*) FROM source WHERE {wanted}"))?
        .query_row(params![scope.from, scope.to, scope.department], |row| row.get(0))?;
    let page = format!(
        "WITH source AS ({sql})
         SELECT source.record_id, source.patient_id, source.on_date, source.department, source.plan_code,
                source.{numerator} AS counted, patient.name, patient.mrn
         FROM source JOIN patient ON patient.id = source.patient_id
         WHERE {wanted} ORDER BY source.on_date, source.record_id LIMIT ?4 OFFSET ?5"
    );
    let mut statement = connection.prepare_cached(&page)?;
    let limit = request.limit.min(500);
    let rows = statement.query_map(
        params![scope.from, scope.to, scope.department, limit, request.offset],
        |row| {
            Ok(ReportRow {
                record_id: row.get("record_id")?,
                patient_id: row.get("patient_id")?,
                name: Personal::new(row.get::<_, String>("name")?),
                mrn: row.get("mrn")?,
                on: row.get("on_date")?,
                department: row.get("department")?,
                plan_code: row.get("plan_code")?,
                counted: row.get::<_, Option<bool>>("counted")?.unwrap_or(false),
            })
        },
    )?;
    Ok(RowsResponse { rows: rows.collect::<rusqlite::Result<_>>()?, total })
}

/// Departments that have discharged anybody, by name.
pub(super) fn department_names(connection: &Connection) -> Result<Vec<String>> {
    // A loose index scan: one step per department instead of one per discharge.
    let mut statement = connection.prepare_cached(include_str!("sql/departments.sql"))?;
    let names = statement.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    Ok(names)
}
