//! Figures of surveys from the sums that triggers keep: what reports, the dashboard and the survey's own pages read.

use std::collections::BTreeMap;

use aftercare_domain::survey::{Kind, Measures};
use chrono::{Datelike, Days, Months, NaiveDate};
use rusqlite::types::Value;
use rusqlite::{Connection, Row, params_from_iter};
use uuid::Uuid;

use crate::error::Result;

/// Which sheets: those answered from one day to another, narrowed by what is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    /// First day, inclusive.
    pub from: NaiveDate,
    /// Last day, inclusive.
    pub to: NaiveDate,
    /// Only this kind.
    pub kind: Option<Kind>,
    /// Only this department.
    pub department: Option<String>,
    /// Only this doctor.
    pub doctor: Option<String>,
    /// Only this site.
    pub site_id: Option<Uuid>,
}

impl Scope {
    /// Everything from one day to another.
    pub fn period(from: NaiveDate, to: NaiveDate) -> Self {
        Self { from, to, kind: None, department: None, doctor: None, site_id: None }
    }
}

/// What figures are told apart by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// Dimension of the questionnaire; its counts are of items, not of sheets.
    Dimension,
    /// Department.
    Department,
    /// Doctor.
    Doctor,
    /// Month, `YYYY-MM`.
    Month,
    /// Kind of survey.
    Kind,
}

/// How many were invited in a scope, and of these, how many gave a valid sheet: 问卷回收率. Invited on the days of the scope.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Invited {
    /// The denominator.
    pub invited: i64,
    /// The numerator.
    pub answered: i64,
}

/// The sums of a scope.
pub fn measures(connection: &Connection, scope: &Scope) -> Result<Measures> {
    let mut sums = Measures::default();
    for (_, part) in read(connection, scope, "''")? {
        sums.add(&part);
    }
    Ok(sums)
}

/// The sums of a scope by group, keys ascending. Groups without a sheet are absent.
pub fn measures_by(connection: &Connection, scope: &Scope, by: By) -> Result<Vec<(String, Measures)>> {
    let key = match by {
        By::Dimension => return dimensions(connection, scope),
        By::Department => "department",
        By::Doctor => "doctor",
        By::Month => "substr(starts_on, 1, 7)",
        By::Kind => "kind",
    };
    if by == By::Doctor {
        return read_from(connection, scope, key, DOCTORS);
    }
    read(connection, scope, key)
}

/// Invitations of a scope. Doctors are not told apart.
pub fn invited(connection: &Connection, scope: &Scope) -> Result<Invited> {
    let mut sums = Invited::default();
    for segment in segments(scope.from, scope.to) {
        let (condition, values) = conditions(scope, &segment, false);
        let sql = format!(
            "SELECT coalesce(sum(invited), 0) AS invited, coalesce(sum(answered), 0) AS answered
             FROM survey_invite_total WHERE {condition}"
        );
        let (invited, answered): (i64, i64) = connection
            .prepare_cached(&sql)?
            .query_row(params_from_iter(values), |row| Ok((row.get("invited")?, row.get("answered")?)))?;
        sums.invited += invited;
        sums.answered += answered;
    }
    Ok(sums)
}

/// The table of sums by department and dimension, and that by doctor.
const TOTALS: &str = "survey_total";
const DOCTORS: &str = "survey_doctor_total";

const SUMS: &str = "sum(sheets) AS sheets, sum(valid) AS valid, sum(scored) AS scored, sum(points) AS points, \
    sum(squares) AS squares, sum(good) AS good, sum(rated) AS rated, sum(promoters) AS promoters, \
    sum(detractors) AS detractors, sum(recommending) AS recommending, sum(come_back) AS come_back, \
    sum(come_back_asked) AS come_back_asked";

fn sums(row: &Row<'_>) -> rusqlite::Result<Measures> {
    Ok(Measures {
        sheets: row.get("sheets")?,
        valid: row.get("valid")?,
        scored: row.get("scored")?,
        points: row.get("points")?,
        squares: row.get("squares")?,
        good: row.get("good")?,
        rated: row.get("rated")?,
        promoters: row.get("promoters")?,
        detractors: row.get("detractors")?,
        recommending: row.get("recommending")?,
        come_back: row.get("come_back")?,
        come_back_asked: row.get("come_back_asked")?,
    })
}

fn read(connection: &Connection, scope: &Scope, key: &str) -> Result<Vec<(String, Measures)>> {
    let table = if scope.doctor.is_some() { DOCTORS } else { TOTALS };
    read_from(connection, scope, key, table)
}

fn read_from(
    connection: &Connection,
    scope: &Scope,
    key: &str,
    table: &str,
) -> Result<Vec<(String, Measures)>> {
    let whole = if table == TOTALS && key != "dimension" { "AND dimension = ''" } else { "" };
    let mut groups: BTreeMap<String, Measures> = BTreeMap::new();
    for segment in segments(scope.from, scope.to) {
        let (condition, values) = conditions(scope, &segment, table == DOCTORS);
        let sql = format!("SELECT {key} AS name, {SUMS} FROM {table} WHERE {condition} {whole} GROUP BY 1");
        let mut statement = connection.prepare_cached(&sql)?;
        let mut rows = statement.query(params_from_iter(values))?;
        while let Some(row) = rows.next()? {
            groups.entry(row.get("name")?).or_default().add(&sums(row)?);
        }
    }
    groups.retain(|_, group| group.sheets > 0);
    Ok(groups.into_iter().collect())
}

/// By dimension. One doctor's sheets are few enough to be read themselves.
fn dimensions(connection: &Connection, scope: &Scope) -> Result<Vec<(String, Measures)>> {
    if scope.doctor.is_none() {
        let mut groups = read(connection, scope, "dimension")?;
        groups.retain(|(code, _)| !code.is_empty());
        return Ok(groups);
    }
    let (condition, values) = standing(scope);
    let sql = format!(
        "SELECT part.dimension AS name, sum(part.sheets) AS sheets, sum(part.valid) AS valid, sum(part.scored) AS scored,
                sum(part.points) AS points, sum(part.points * part.points) AS squares, sum(part.good) AS good,
                sum(part.rated) AS rated, 0 AS promoters, 0 AS detractors, 0 AS recommending, 0 AS come_back,
                0 AS come_back_asked
         FROM survey_standing CROSS JOIN survey_part AS part ON part.sheet_id = survey_standing.sheet_id
         WHERE {condition} AND part.dimension <> '' GROUP BY 1 ORDER BY 1"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query_map(params_from_iter(values), |row| Ok((row.get("name")?, sums(row)?)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// A condition on `survey_standing` that holds for the sheets of a scope, with its values. Sheets that do not count for
/// any figure (taken back) are left out.
pub(super) fn standing(scope: &Scope) -> (String, Vec<Value>) {
    let mut values = vec![text(&scope.from.to_string()), text(&scope.to.to_string())];
    let mut condition =
        String::from("survey_standing.withdrawn = 0 AND survey_standing.answered_on BETWEEN ? AND ?");
    narrow(scope, true, "survey_standing.", &mut condition, &mut values);
    (condition, values)
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

fn narrow(scope: &Scope, doctor: bool, prefix: &str, condition: &mut String, values: &mut Vec<Value>) {
    let mut with = |column: &str, value: Option<Value>| {
        if let Some(value) = value {
            condition.push_str(&format!(" AND {prefix}{column} = ?"));
            values.push(value);
        }
    };
    with("kind", scope.kind.map(|kind| text(kind.as_str())));
    with("department", scope.department.as_deref().map(text));
    with("site_id", scope.site_id.map(|site| Value::Blob(site.as_bytes().to_vec())));
    if doctor {
        with("doctor", scope.doctor.as_deref().map(text));
    }
}

/// Days of one grain that a period is made of.
struct Segment {
    grain: &'static str,
    from: NaiveDate,
    to: NaiveDate,
}

fn conditions(scope: &Scope, segment: &Segment, doctor: bool) -> (String, Vec<Value>) {
    let mut values =
        vec![text(segment.grain), text(&segment.from.to_string()), text(&segment.to.to_string())];
    let mut condition = String::from("grain = ? AND starts_on BETWEEN ? AND ?");
    narrow(scope, doctor, "", &mut condition, &mut values);
    (condition, values)
}

/// Whole months are read by the month, what is left at both ends by the day.
fn segments(from: NaiveDate, to: NaiveDate) -> Vec<Segment> {
    let first_of = |day: NaiveDate| day.with_day(1).unwrap_or(day);
    let next_month = |day: NaiveDate| first_of(day) + Months::new(1);
    let start = if from.day() == 1 { from } else { next_month(from) };
    // The month of `to` is whole when the day after it begins another.
    let after = to + Days::new(1);
    let end = first_of(after);
    let days = |from: NaiveDate, to: NaiveDate| Segment { grain: "d", from, to };
    if start >= end {
        return if from <= to { vec![days(from, to)] } else { Vec::new() };
    }
    let mut segments = vec![Segment { grain: "m", from: start, to: end - Days::new(1) }];
    if from < start {
        segments.push(days(from, start - Days::new(1)));
    }
    if end <= to {
        segments.push(days(end, to));
    }
    segments
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn a_period_is_made_of_whole_months_and_the_days_around_them() {
        let day = |text: &str| -> NaiveDate { text.parse().unwrap() };
        let cut = |from: &str, to: &str| -> Vec<String> {
            segments(day(from), day(to)).iter().map(|s| format!("{} {}..{}", s.grain, s.from, s.to)).collect()
        };
        assert_eq!(cut("2026-01-01", "2026-12-31"), ["m 2026-01-01..2026-12-31"]);
        assert_eq!(cut("2026-01-15", "2026-01-20"), ["d 2026-01-15..2026-01-20"]);
        assert_eq!(
            cut("2026-01-15", "2026-04-03"),
            ["m 2026-02-01..2026-03-31", "d 2026-01-15..2026-01-31", "d 2026-04-01..2026-04-03"]
        );
        assert_eq!(cut("2026-02-10", "2026-02-28"), ["d 2026-02-10..2026-02-28"]);
        assert_eq!(cut("2026-02-01", "2026-02-28"), ["m 2026-02-01..2026-02-28"]);
        assert!(cut("2026-02-02", "2026-02-01").is_empty());
    }
}
