//! The figures: which population, which flag counts below the line and which above.
//!
//! Definitions: shared KPI list of the department; `FollowupRatio` is indicator 21 of
//! 《改善就医感受提升患者体验评估操作手册(2023版)》: every discharge counts below the line, the dead too,
//! and several follow-ups of one stay count once.

use rusqlite::{Connection, params};
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

impl FigureCode {
    /// In the order of the summary.
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
        };
        Population { sql, denominator, numerator }
    }
}

/// Every figure of a scope.
pub(super) fn figures(connection: &Connection, scope: &Scope) -> Result<Vec<Figure>> {
    FigureCode::ALL.into_iter().map(|code| figure(connection, code, scope)).collect()
}

fn figure(connection: &Connection, code: FigureCode, scope: &Scope) -> Result<Figure> {
    let Population { sql, denominator, numerator } = code.population();
    let sql = format!(
        "WITH source AS ({sql})
         SELECT count(*) FILTER (WHERE {denominator} AND {numerator}) AS numerator,
                count(*) FILTER (WHERE {denominator}) AS denominator FROM source"
    );
    let (numerator, denominator) = connection
        .prepare_cached(&sql)?
        .query_row(params![scope.from, scope.to, scope.department], |row| {
            Ok((row.get("numerator")?, row.get("denominator")?))
        })?;
    Ok(Figure { code, numerator, denominator })
}

/// The figures and what the charts draw.
pub(super) fn overview(connection: &Connection, scope: &Scope) -> Result<FiguresResponse> {
    Ok(FiguresResponse {
        figures: figures(connection, scope)?,
        trend: trend(connection, scope)?,
        funnel: funnel(connection, scope)?,
        answering: answering(connection, scope)?,
        departments: departments(connection, scope)?,
    })
}

fn trend(connection: &Connection, scope: &Scope) -> Result<Vec<TrendDay>> {
    let sql = format!(
        "WITH source AS ({TASKS})
         SELECT on_date, count(*) FILTER (WHERE counted) AS due, count(*) FILTER (WHERE done) AS done
         FROM source GROUP BY on_date ORDER BY on_date"
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
    let row = connection.prepare_cached(include_str!("sql/funnel.sql"))?.query_row(
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
    let mut statement = connection.prepare_cached(include_str!("sql/answering.sql"))?;
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

/// Follow-up by department, most discharges first.
pub(super) fn departments(connection: &Connection, scope: &Scope) -> Result<Vec<DepartmentLine>> {
    let sql = format!(
        "WITH discharges AS ({DISCHARGES}), tasks AS ({TASKS}),
         lines AS (
           SELECT department, 1 AS discharges, followed, 0 AS due, 0 AS done FROM discharges
           UNION ALL
           SELECT department, 0, 0, counted, done FROM tasks)
         SELECT department, sum(discharges) AS discharges, sum(followed) AS followed,
                sum(due) AS due, sum(done) AS done
         FROM lines GROUP BY department ORDER BY discharges DESC, department"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query_map(params![scope.from, scope.to, scope.department], |row| {
        Ok(DepartmentLine {
            department: row.get("department")?,
            discharges: row.get("discharges")?,
            followed: row.get("followed")?,
            due: row.get("due")?,
            done: row.get("done")?,
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}
