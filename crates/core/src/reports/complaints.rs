//! Complaints of a scope: by category, by how long they have been open, and whether they were answered in time.

use rusqlite::{Connection, params_from_iter};

use super::population::{AGES, FigureCode, Source, Today};
use super::{ComplaintShare, Figure, Scope};
use crate::error::Result;

fn figure(code: FigureCode, slice: Option<&str>, numerator: i64, denominator: i64) -> Figure {
    let slice = slice.map(str::to_owned);
    Figure { code, slice, numerator, denominator, without: code.without().to_vec() }
}

/// Categories, most first, with how much of the whole they make together with those before (Pareto); and the figures.
pub(super) fn overview(
    connection: &Connection,
    scope: &Scope,
    today: &Today,
) -> Result<(Vec<ComplaintShare>, Vec<Figure>)> {
    let (sql, values) = Source::Complaints.of_scope(scope, today);
    let sql = format!(
        "SELECT category, count(*) AS complaints, count(*) FILTER (WHERE answerable) AS answerable,
                count(*) FILTER (WHERE answerable AND in_time) AS in_time
         FROM ({sql}) GROUP BY category ORDER BY complaints DESC, category"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query(params_from_iter(values))?;
    let mut shares = Vec::new();
    let [mut all, mut answerable, mut in_time] = [0; 3];
    while let Some(row) = rows.next()? {
        let complaints: i64 = row.get("complaints")?;
        all += complaints;
        answerable += row.get::<_, i64>("answerable")?;
        in_time += row.get::<_, i64>("in_time")?;
        shares.push(ComplaintShare { category: row.get("category")?, complaints, cumulative: all });
    }
    let mut figures = vec![
        figure(FigureCode::ComplaintInTime, None, in_time, answerable),
        figure(FigureCode::ComplaintCategory, None, all, all),
    ];
    figures.extend(ageing(connection, scope, today)?);
    Ok((shares, figures))
}

fn ageing(connection: &Connection, scope: &Scope, today: &Today) -> Result<Vec<Figure>> {
    let (sql, values) = Source::OpenComplaints.of_scope(scope, today);
    let counts: Vec<String> = AGES.iter().map(|age| format!("count(*) FILTER (WHERE {age})")).collect();
    let sql = format!("SELECT count(*), {} FROM ({sql})", counts.join(", "));
    let counts: [i64; 5] = connection.prepare_cached(&sql)?.query_row(params_from_iter(values), |row| {
        Ok([row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?])
    })?;
    let [all, ages @ ..] = counts;
    let one = |(age, count): (&str, i64)| figure(FigureCode::ComplaintAgeing, Some(age), count, all);
    Ok(AGES.into_iter().zip(ages).map(one).collect())
}
