//! The figures: all that are sums over days come from the totals, the rest from the rows themselves.
//!
//! Definitions: shared KPI list of the department; `FollowupRatio` is indicator 21 of
//! 《改善就医感受提升患者体验评估操作手册(2023版)》: every discharge counts below the line, the dead too,
//! and several follow-ups of one stay count once.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use chrono::{Datelike, Months, NaiveDate};
use rusqlite::{Connection, params_from_iter};
use uuid::Uuid;

use super::dashboard::{LEVELS, Measure, Spans, Totals, month_of, task};
use super::population::{FigureCode, Today};
use super::{
    AlertLine, AnsweringHour, DepartmentLine, Figure, FiguresResponse, FunnelStep, Part, Scope, TrendDay,
    WorkloadLine, complaints, sheet,
};
use crate::error::Result;

/// Longer periods are drawn by months.
const MOST_TREND_DAYS: i64 = 92;
/// Of longer periods nobody asks how many different patients were called: that is no sum over days.
const MOST_PEOPLE_DAYS: i64 = 31;

/// First and last day of a scope that was checked.
fn period(scope: &Scope) -> (NaiveDate, NaiveDate) {
    let [from, to] = [&scope.from, &scope.to].map(|text| sheet::day(text).unwrap_or_default());
    (from, to)
}

/// How many of how many.
#[derive(Debug, Default, Clone, Copy)]
struct Ratio(i64, i64);

/// What the totals say.
#[derive(Default)]
struct Sums {
    figures: Vec<(FigureCode, Ratio)>,
    trend: BTreeMap<i64, (i64, i64)>,
    funnel: [i64; 4],
    answering: BTreeMap<(u8, u8), (i64, i64)>,
    alerts: [[i64; 3]; 3],
    departments: BTreeMap<String, DepartmentLine>,
    nurses: BTreeMap<i64, WorkloadLine>,
}

impl Sums {
    fn put(&mut self, code: FigureCode, numerator: i64, denominator: i64) {
        self.figures.push((code, Ratio(numerator, denominator)));
    }

    fn department(&mut self, name: &str) -> &mut DepartmentLine {
        self.departments.entry(name.to_owned()).or_insert_with(|| DepartmentLine {
            department: name.to_owned(),
            discharges: 0,
            followed: 0,
            due: 0,
            done: 0,
        })
    }
}

/// Discharges and how many of them were followed up.
fn stays(totals: &Totals<'_>, scope: &Scope, spans: &Spans, sums: &mut Sums) -> Result<()> {
    let [mut all, mut expected, mut followed] = [0; 3];
    let mut lines: BTreeMap<i64, (i64, i64)> = BTreeMap::new();
    totals.each(Measure::Stays, spans, scope, |cell, count| {
        all += count;
        expected += (cell.slot & 1) * count;
        followed += (cell.slot >> 1 & 1) * count;
        let line = lines.entry(cell.department).or_default();
        line.0 += count;
        line.1 += (cell.slot >> 1 & 1) * count;
    })?;
    for (department, (discharges, followed)) in lines {
        let line = sums.department(totals.name(department));
        line.discharges += discharges;
        line.followed += followed;
    }
    sums.put(FigureCode::FollowupRatio, followed, all);
    sums.put(FigureCode::ExpectedRatio, followed, expected);
    Ok(())
}

/// Tasks: completion, the trend, the funnel, and who did them.
fn tasks(totals: &Totals<'_>, scope: &Scope, by_day: bool, sums: &mut Sums) -> Result<()> {
    let (from, to) = period(scope);
    let spans = if by_day { Spans::days(from, to) } else { Spans::months(from, to) };
    let [mut due, mut done, mut timely] = [0; 3];
    let mut steps = [0; 3];
    let mut lines: BTreeMap<i64, (i64, i64)> = BTreeMap::new();
    totals.each(Measure::Tasks, &spans, scope, |cell, count| {
        let part = |flag: i64| if cell.slot & flag == flag { count } else { 0 };
        due += count;
        done += part(task::DONE);
        timely += part(task::TIMELY);
        for (step, flag) in steps.iter_mut().zip([task::CALLED, task::REACHED, task::COMPLETED]) {
            *step += part(flag);
        }
        let point = sums.trend.entry(if by_day { cell.span } else { month_of(cell.span) }).or_default();
        point.0 += count;
        point.1 += part(task::DONE);
        let line = lines.entry(cell.department).or_default();
        line.0 += count;
        line.1 += part(task::DONE);
        let nurse = sums.nurses.entry(cell.nurse).or_default();
        nurse.due += count;
        nurse.done += part(task::DONE);
    })?;
    for (department, (due, done)) in lines {
        let line = sums.department(totals.name(department));
        line.due += due;
        line.done += done;
    }
    sums.funnel = [due, steps[0], steps[1], steps[2]];
    sums.put(FigureCode::Completion, timely, due);
    sums.put(FigureCode::Timeliness, timely, done);
    sums.put(FigureCode::TasksDone, done, due);
    Ok(())
}

fn calls(totals: &Totals<'_>, scope: &Scope, spans: &Spans, sums: &mut Sums) -> Result<()> {
    let [mut all, mut connected] = [0; 2];
    totals.each(Measure::Calls, spans, scope, |cell, count| {
        all += count;
        connected += cell.slot * count;
        let nurse = sums.nurses.entry(cell.nurse).or_default();
        nurse.calls += count;
        nurse.connected += cell.slot * count;
    })?;
    sums.put(FigureCode::ConnectionByCall, connected, all);
    Ok(())
}

fn hours(totals: &Totals<'_>, scope: &Scope, spans: &Spans, sums: &mut Sums) -> Result<()> {
    let measure = if scope.nurse.is_some() { Measure::NurseHours } else { Measure::Hours };
    totals.each(measure, spans, scope, |cell, count| {
        let hour = cell.slot / 2;
        let at = ((hour / 24) as u8, (hour % 24) as u8);
        let sum = sums.answering.entry(at).or_default();
        sum.0 += count;
        sum.1 += (cell.slot & 1) * count;
    })
}

fn alerts(totals: &Totals<'_>, scope: &Scope, spans: &Spans, sums: &mut Sums) -> Result<()> {
    totals.each(Measure::Alerts, spans, scope, |cell, count| {
        let level = sums.alerts.get_mut((cell.slot / 4) as usize);
        if let Some(state) = level.and_then(|level| level.get_mut((cell.slot % 4) as usize)) {
            *state += count;
        }
    })?;
    let codes = [FigureCode::RedInTime, FigureCode::OrangeInTime, FigureCode::YellowInTime];
    for (code, states) in codes.into_iter().zip(sums.alerts) {
        sums.put(code, states[0], states.iter().sum());
    }
    Ok(())
}

/// Plans under management in a period: begun by its end, less those ended before it began.
fn managed(totals: &Totals<'_>, scope: &Scope, sums: &mut Sums) -> Result<()> {
    let (from, to) = period(scope);
    let [mut all, mut lost] = [0; 2];
    let before = from.pred_opt().unwrap_or(from);
    for (measure, until, sign) in [(Measure::Began, to, 1), (Measure::Ended, before, -1)] {
        totals.each(measure, &Spans::until(until), scope, |cell, count| {
            all += sign * count;
            lost += sign * cell.slot * count;
        })?;
    }
    sums.put(FigureCode::Lost, lost, all);
    Ok(())
}

/// Counts a figure's rows themselves.
fn people(connection: &Connection, scope: &Scope, today: &Today, sums: &mut Sums) -> Result<()> {
    let code = FigureCode::ConnectionByPatient;
    let population = code.population();
    let (sql, values) = population.source.of_scope(scope, today);
    let sql = format!("SELECT count(*), count(*) FILTER (WHERE {}) FROM ({sql})", population.numerator);
    let (all, reached) = connection
        .prepare_cached(&sql)?
        .query_row(params_from_iter(values), |row| Ok((row.get(0)?, row.get(1)?)))?;
    sums.put(code, reached, all);
    Ok(())
}

fn gather(
    connection: &Connection,
    totals: &Totals<'_>,
    scope: &Scope,
    today: &Today,
    parts: &[Part],
) -> Result<Sums> {
    let (from, to) = period(scope);
    let spans = Spans::months(from, to);
    let mut sums = Sums::default();
    for part in parts {
        match part {
            Part::Discharges => stays(totals, scope, &spans, &mut sums)?,
            Part::Tasks => tasks(totals, scope, by_day(scope), &mut sums)?,
            Part::Calls => calls(totals, scope, &spans, &mut sums)?,
            Part::Hours => hours(totals, scope, &spans, &mut sums)?,
            Part::Alerts => alerts(totals, scope, &spans, &mut sums)?,
            Part::Managed => managed(totals, scope, &mut sums)?,
            Part::People => people(connection, scope, today, &mut sums)?,
            Part::Complaints => {}
        }
    }
    Ok(sums)
}

fn by_day(scope: &Scope) -> bool {
    let (from, to) = period(scope);
    (to - from).num_days() < MOST_TREND_DAYS
}

/// The summary's figures, in its order; those that were not asked for are left out.
fn summary(sums: &Sums, codes: &[FigureCode]) -> Vec<Figure> {
    let find = |code: &FigureCode| sums.figures.iter().find(|(known, _)| known == code);
    let figure = |(code, Ratio(numerator, denominator)): &(FigureCode, Ratio)| Figure {
        code: *code,
        slice: None,
        numerator: *numerator,
        denominator: *denominator,
        without: code.without().to_vec(),
    };
    codes.iter().filter_map(find).map(figure).collect()
}

fn departments(sums: &mut Sums) -> Vec<DepartmentLine> {
    let mut lines: Vec<DepartmentLine> = std::mem::take(&mut sums.departments).into_values().collect();
    lines.sort_by_key(|line| Reverse((line.discharges, line.due)));
    lines
}

/// Every figure of a scope, and the follow-up of each department, most discharges first. For workbooks.
pub(super) fn figures_and_departments(
    connection: &Connection,
    scope: &Scope,
) -> Result<(Vec<Figure>, Vec<DepartmentLine>)> {
    let parts = [Part::Discharges, Part::Tasks, Part::Calls, Part::Alerts, Part::Managed, Part::People];
    let totals = Totals::open(connection)?;
    let mut sums = gather(connection, &totals, scope, &Today::unused(), &parts)?;
    let lines = departments(&mut sums);
    Ok((summary(&sums, &FigureCode::ALL), lines))
}

/// How many rows stand behind a figure of the totals. None where the rows must be counted themselves.
pub(super) fn counted(
    connection: &Connection,
    scope: &Scope,
    code: FigureCode,
) -> Result<Option<(i64, i64)>> {
    use FigureCode::{
        Completion, ConnectionByCall, ExpectedRatio, FollowupRatio, FunnelCalled, FunnelCompleted,
        FunnelReached, Lost, OrangeInTime, RedInTime, TasksDone, Timeliness, YellowInTime,
    };
    let part = match code {
        FollowupRatio | ExpectedRatio => Part::Discharges,
        Completion | Timeliness | TasksDone | FunnelCalled | FunnelReached | FunnelCompleted => Part::Tasks,
        ConnectionByCall => Part::Calls,
        Lost => Part::Managed,
        RedInTime | OrangeInTime | YellowInTime => Part::Alerts,
        _ => return Ok(None),
    };
    let totals = Totals::open(connection)?;
    let sums = gather(connection, &totals, scope, &Today::unused(), &[part])?;
    let [due, called, reached, completed] = sums.funnel;
    let found = sums.figures.iter().find(|(known, _)| *known == code);
    Ok(match code {
        FunnelCalled => Some((called, due)),
        FunnelReached => Some((reached, due)),
        FunnelCompleted => Some((completed, due)),
        _ => found.map(|(_, Ratio(numerator, denominator))| (*numerator, *denominator)),
    })
}

/// The figures and what the charts draw.
pub(super) fn overview(
    connection: &Connection,
    scope: &Scope,
    today: &Today,
    asked: &[Part],
) -> Result<FiguresResponse> {
    let (from, to) = period(scope);
    let mut parts = if asked.is_empty() { Part::ALL.to_vec() } else { asked.to_vec() };
    if (to - from).num_days() >= MOST_PEOPLE_DAYS {
        parts.retain(|part| *part != Part::People);
    }
    let totals = Totals::open(connection)?;
    let mut sums = gather(connection, &totals, scope, today, &parts)?;
    let departments = departments(&mut sums);
    let (complaints, mut others) = if parts.contains(&Part::Complaints) {
        complaints::overview(connection, scope, today)?
    } else {
        Default::default()
    };
    let mut codes = FigureCode::ALL.to_vec();
    codes.push(FigureCode::TasksDone);
    let mut figures = summary(&sums, &codes);
    figures.append(&mut others);
    Ok(FiguresResponse {
        figures,
        trend: if parts.contains(&Part::Tasks) { trend(&sums, scope) } else { Vec::new() },
        funnel: funnel(&sums),
        answering: sums
            .answering
            .iter()
            .map(|((weekday, hour), (calls, connected))| AnsweringHour {
                weekday: *weekday,
                hour: *hour,
                calls: *calls,
                connected: *connected,
            })
            .filter(|hour| hour.calls > 0)
            .collect(),
        departments,
        workload: workload(connection, &totals, &sums)?,
        alerts: alert_lines(&sums),
        complaints,
    })
}

/// Every day of the period, or every month of a long one.
fn trend(sums: &Sums, scope: &Scope) -> Vec<TrendDay> {
    let (from, to) = period(scope);
    let mut points = Vec::new();
    let (mut at, daily) = (from, by_day(scope));
    while at <= to {
        let first = at.with_day(1).unwrap_or(at);
        let next = if daily { at.succ_opt().unwrap_or(to) } else { first + Months::new(1) };
        let key =
            if daily { i64::from(at.num_days_from_ce()) } else { month_of(i64::from(at.num_days_from_ce())) };
        let (due, done) = sums.trend.get(&key).copied().unwrap_or_default();
        let last = next.pred_opt().unwrap_or(to).min(to);
        points.push(TrendDay { on: at.to_string(), until: last.to_string(), due, done });
        if next <= at {
            break;
        }
        at = next;
    }
    points
}

/// Each step is a part of the one before: a task due in the period that was called for, whose patient was reached, that
/// is completed.
fn funnel(sums: &Sums) -> Vec<FunnelStep> {
    ["due", "called", "reached", "completed"]
        .into_iter()
        .zip(sums.funnel)
        .map(|(step, tasks)| FunnelStep { step: step.to_owned(), tasks })
        .collect()
}

/// What each nurse had, did and called, most calls first. Tasks that were nobody's stand last, without a name.
fn workload(connection: &Connection, totals: &Totals<'_>, sums: &Sums) -> Result<Vec<WorkloadLine>> {
    let mut find = connection.prepare_cached("SELECT display_name FROM staff WHERE id = ?1")?;
    let mut lines = Vec::new();
    for (number, line) in &sums.nurses {
        let user_id = totals.name(*number).parse::<Uuid>().ok();
        let name = match user_id {
            Some(id) => crate::db::optional(find.query_row([id], |row| row.get(0)))?.unwrap_or_default(),
            None => String::new(),
        };
        lines.push(WorkloadLine { user_id, name, ..line.clone() });
    }
    lines.retain(|line| line.due > 0 || line.calls > 0);
    lines.sort_by(|one, other| {
        let key = |line: &WorkloadLine| (line.user_id.is_none(), Reverse((line.calls, line.done, line.due)));
        key(one).cmp(&key(other)).then_with(|| (&one.name, one.user_id).cmp(&(&other.name, other.user_id)))
    });
    Ok(lines)
}

fn alert_lines(sums: &Sums) -> Vec<AlertLine> {
    let line = |(level, [in_time, late, unhandled]): (&str, [i64; 3])| AlertLine {
        level: level.to_owned(),
        in_time,
        late,
        unhandled,
    };
    LEVELS.into_iter().zip(sums.alerts).map(line).collect()
}
