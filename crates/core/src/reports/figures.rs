//! The figures: which population, which flag counts below the line and which above.
//!
//! Definitions: shared KPI list of the department; `FollowupRatio` is indicator 21 of
//! 《改善就医感受提升患者体验评估操作手册(2023版)》: every discharge counts below the line, the dead too,
//! and several follow-ups of one stay count once.

use std::collections::BTreeMap;

use rusqlite::{Connection, Row, params};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::{AnsweringHour, DepartmentLine, Figure, FiguresResponse, FunnelStep, Scope, TrendDay};
use crate::error::Result;

/// A figure of the department.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum FigureCode {
    /// 出院患者随访比例: discharges followed up ÷ all discharges.
    FollowupRatio,
    /// 应随访比例: the same without the dead, refused and test patients below the line.
    ExpectedRatio,
    /// 随访完成率: tasks done within their window ÷ tasks due, cancelled ones left out.
    Completion,
    /// 随访及时率: tasks done within their window ÷ tasks done.
    Timeliness,
    /// 接通率(按通次): calls of 10 seconds or more ÷ calls.
    ConnectionByCall,
    /// 联系成功率(按人): patients with a finished conversation ÷ patients called.
    ConnectionByPatient,
    /// 失访率: lost ÷ under management.
    Lost,
    /// 红色异常处置及时率.
    RedInTime,
    /// 橙色异常处置及时率.
    OrangeInTime,
    /// 黄色异常处置及时率.
    YellowInTime,
    /// A step of the funnel, not of the summary: patients called ÷ patients with a task due.
    FunnelCalled,
    /// A step of the funnel: patients reached.
    FunnelReached,
    /// A step of the funnel: patients with a task completed.
    FunnelCompleted,
}

/// The rows a figure counts.
pub(super) struct Population {
    /// The query; parameters ?1 from, ?2 to, ?3 department or null.
    pub sql: &'static str,
    /// The flag of rows in the denominator.
    pub denominator: &'static str,
    /// The flag of rows in the numerator.
    pub numerator: &'static str,
}

pub(super) const DISCHARGES: &str = include_str!("sql/discharges.sql");
pub(super) const TASKS: &str = include_str!("sql/tasks.sql");
const CALLS: &str = include_str!("sql/calls.sql");
const PATIENTS_CALLED: &str = include_str!("sql/patients_called.sql");
const MANAGED: &str = include_str!("sql/managed.sql");
const ALERTS: &str = include_str!("sql/alerts.sql");
const FUNNEL: &str = include_str!("sql/funnel.sql");

impl FigureCode {
    /// Those of the summary, in its order.
    pub const ALL: [FigureCode; 10] = [
        Self::FollowupRatio,
        Self::ExpectedRatio,
        Self::Completion,
        Self::Timeliness,
        Self::ConnectionByCall,
        Self::ConnectionByPatient,
        Self::Lost,
        Self::RedInTime,
        Self::OrangeInTime,
        Self::YellowInTime,
    ];

    /// The key of its words.
    pub(super) fn key(self) -> &'static str {
        match self {
            Self::FollowupRatio => "followup_ratio",
            Self::ExpectedRatio => "expected_ratio",
            Self::Completion => "completion",
            Self::Timeliness => "timeliness",
            Self::ConnectionByCall => "connection_by_call",
            Self::ConnectionByPatient => "connection_by_patient",
            Self::Lost => "lost",
            Self::RedInTime => "red_in_time",
            Self::OrangeInTime => "orange_in_time",
            Self::YellowInTime => "yellow_in_time",
            Self::FunnelCalled => "funnel_called",
            Self::FunnelReached => "funnel_reached",
            Self::FunnelCompleted => "funnel_completed",
        }
    }

    pub(super) fn population(self) -> Population {
        let (sql, numerator, denominator) = match self {
            Self::FollowupRatio => (DISCHARGES, "followed", "everyone"),
            Self::ExpectedRatio => (DISCHARGES, "followed", "expected"),
            Self::Completion => (TASKS, "timely", "counted"),
            Self::Timeliness => (TASKS, "timely", "done"),
            Self::ConnectionByCall => (CALLS, "connected", "everyone"),
            Self::ConnectionByPatient => (PATIENTS_CALLED, "reached", "everyone"),
            Self::Lost => (MANAGED, "lost", "everyone"),
            Self::RedInTime => (ALERTS, "red_in_time", "red"),
            Self::OrangeInTime => (ALERTS, "orange_in_time", "orange"),
            Self::YellowInTime => (ALERTS, "yellow_in_time", "yellow"),
            Self::FunnelCalled => (FUNNEL, "called", "everyone"),
            Self::FunnelReached => (FUNNEL, "reached", "everyone"),
            Self::FunnelCompleted => (FUNNEL, "completed", "everyone"),
        };
        Population { sql, denominator, numerator }
    }
}

/// The condition in every population that `?3` narrows to one department.
const ANYWHERE: &str = "(?3 IS NULL OR encounter.department = ?3)";

/// A population's query for a scope. Where every department is meant it does not look at departments at all, so that
/// SQLite leaves the join out when nothing else needs it.
pub(super) fn scoped(sql: &str, scope: &Scope) -> String {
    let condition = if scope.department.is_some() { "encounter.department = ?3" } else { "?3 IS NULL" };
    sql.replace(ANYWHERE, condition)
}

/// Reads `columns` of every row of a population.
fn each(
    connection: &Connection,
    sql: &str,
    columns: &[&str],
    scope: &Scope,
    mut take: impl FnMut(&Row<'_>) -> Result<()>,
) -> Result<()> {
    let sql = format!("SELECT {} FROM ({})", columns.join(", "), scoped(sql, scope));
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query(params![scope.from, scope.to, scope.department])?;
    while let Some(row) = rows.next()? {
        take(row)?;
    }
    Ok(())
}

/// Every figure of a scope, and the follow-up of each department, most discharges first. Each population is read once.
pub(super) fn figures_and_departments(
    connection: &Connection,
    scope: &Scope,
) -> Result<(Vec<Figure>, Vec<DepartmentLine>)> {
    let mut figures: Vec<Figure> =
        FigureCode::ALL.into_iter().map(|code| Figure { code, numerator: 0, denominator: 0 }).collect();
    let mut lines: BTreeMap<String, DepartmentLine> = BTreeMap::new();
    for sql in [DISCHARGES, TASKS, CALLS, PATIENTS_CALLED, MANAGED, ALERTS] {
        let mut counted: Vec<(&mut Figure, Population)> = figures
            .iter_mut()
            .map(|figure| (figure.code.population(), figure))
            .filter(|(population, _)| population.sql == sql)
            .map(|(population, figure)| (figure, population))
            .collect();
        let by_department: &[&str] = match sql {
            DISCHARGES => &["department", "everyone", "followed"],
            TASKS => &["department", "counted", "done"],
            _ => &[],
        };
        let mut columns = by_department.to_vec();
        for (_, population) in &counted {
            for flag in [population.numerator, population.denominator] {
                if !columns.contains(&flag) {
                    columns.push(flag);
                }
            }
        }
        let column = |flag: &str| columns.iter().position(|column| *column == flag).unwrap_or_default();
        let places: Vec<(usize, usize)> = counted
            .iter()
            .map(|(_, population)| (column(population.numerator), column(population.denominator)))
            .collect();
        each(connection, sql, &columns, scope, |row| {
            for ((figure, _), (numerator, denominator)) in counted.iter_mut().zip(&places) {
                if row.get::<_, Option<bool>>(*denominator)? == Some(true) {
                    figure.denominator += 1;
                    figure.numerator += i64::from(row.get::<_, Option<bool>>(*numerator)? == Some(true));
                }
            }
            if by_department.is_empty() {
                return Ok(());
            }
            let line = line_of(&mut lines, row.get_ref(0)?.as_str().unwrap_or_default());
            let (below, above): (bool, bool) = (row.get(1)?, row.get(2)?);
            if sql == DISCHARGES {
                line.discharges += i64::from(below);
                line.followed += i64::from(above);
            } else {
                line.due += i64::from(below);
                line.done += i64::from(above);
            }
            Ok(())
        })?;
    }
    let mut lines: Vec<DepartmentLine> = lines.into_values().collect();
    lines.sort_by_key(|line| std::cmp::Reverse(line.discharges));
    Ok((figures, lines))
}

fn line_of<'a>(lines: &'a mut BTreeMap<String, DepartmentLine>, department: &str) -> &'a mut DepartmentLine {
    let new = || {
        let department = department.to_owned();
        DepartmentLine { department, discharges: 0, followed: 0, due: 0, done: 0 }
    };
    lines.entry(department.to_owned()).or_insert_with(new)
}

/// The figures and what the charts draw.
pub(super) fn overview(connection: &Connection, scope: &Scope) -> Result<FiguresResponse> {
    let (figures, departments) = figures_and_departments(connection, scope)?;
    Ok(FiguresResponse {
        figures,
        trend: trend(connection, scope)?,
        funnel: funnel(connection, scope)?,
        answering: answering(connection, scope)?,
        departments,
    })
}

fn trend(connection: &Connection, scope: &Scope) -> Result<Vec<TrendDay>> {
    let sql = format!(
        "WITH source AS ({})
         SELECT on_date, count(*) FILTER (WHERE counted) AS due, count(*) FILTER (WHERE done) AS done
         FROM source GROUP BY on_date ORDER BY on_date",
        scoped(TASKS, scope)
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query_map(params![scope.from, scope.to, scope.department], |row| {
        Ok(TrendDay { on: row.get("on_date")?, due: row.get("due")?, done: row.get("done")? })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Each step is a part of the one before: a patient with a task due in the period who was called
/// for it, reached, completed.
fn funnel(connection: &Connection, scope: &Scope) -> Result<Vec<FunnelStep>> {
    let sql = format!(
        "WITH source AS ({})
         SELECT count(*) AS due, count(*) FILTER (WHERE called) AS called,
                count(*) FILTER (WHERE reached) AS reached, count(*) FILTER (WHERE completed) AS completed
         FROM source",
        scoped(FUNNEL, scope)
    );
    let row = connection.prepare_cached(&sql)?.query_row(
        params![scope.from, scope.to, scope.department],
        |row| {
            ["due", "called", "reached", "completed"]
                .iter()
                .map(|step| Ok(FunnelStep { step: (*step).to_owned(), patients: row.get(*step)? }))
                .collect::<rusqlite::Result<_>>()
        },
    )?;
    Ok(row)
}

fn answering(connection: &Connection, scope: &Scope) -> Result<Vec<AnsweringHour>> {
    let sql = format!(
        "WITH source AS ({})
         SELECT weekday, hour, count(*) AS calls, count(*) FILTER (WHERE connected) AS connected
         FROM source GROUP BY weekday, hour ORDER BY weekday, hour",
        scoped(CALLS, scope)
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query_map(params![scope.from, scope.to, scope.department], |row| {
        Ok(AnsweringHour {
            weekday: row.get("weekday")?,
            hour: row.get("hour")?,
            calls: row.get("calls")?,
            connected: row.get("connected")?,
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}
