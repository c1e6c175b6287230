//! Which rows a figure is about: one query for its number and for the rows behind it.

use aftercare_domain::calendar::Calendar;
use chrono::{Days, NaiveDate};
use rusqlite::types::Value;
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use uuid::Uuid;

use super::Scope;
use super::dashboard::ALERT_STATES;

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
    /// Tasks done, whenever ÷ tasks due; of the trend, of departments and of nurses.
    TasksDone,
    /// A step of the funnel, not of the summary: tasks called for ÷ tasks due.
    FunnelCalled,
    /// A step of the funnel: tasks whose patient was reached.
    FunnelReached,
    /// A step of the funnel: tasks completed.
    FunnelCompleted,
    /// Complaints of a category ÷ complaints.
    ComplaintCategory,
    /// Open complaints of an age ÷ open complaints, as of today.
    ComplaintAgeing,
    /// Complaints answered by their day ÷ complaints answered, or past it and not.
    ComplaintInTime,
}

/// What narrows a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(rename = "ReportsFilter")]
pub enum Filter {
    /// The days.
    Period,
    /// The plan.
    Plan,
    /// The nurse.
    Nurse,
}

/// A query over one kind of record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    Discharges,
    Tasks,
    Calls,
    PatientsCalled,
    Managed,
    Alerts,
    Complaints,
    OpenComplaints,
}

/// The rows a figure counts.
pub(super) struct Population {
    /// The query.
    pub source: Source,
    /// The flag of rows in the denominator.
    pub denominator: &'static str,
    /// The flag of rows in the numerator.
    pub numerator: &'static str,
}

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
            Self::TasksDone => "tasks_done",
            Self::FunnelCalled => "funnel_called",
            Self::FunnelReached => "funnel_reached",
            Self::FunnelCompleted => "funnel_completed",
            Self::ComplaintCategory => "complaint_category",
            Self::ComplaintAgeing => "complaint_ageing",
            Self::ComplaintInTime => "complaint_in_time",
        }
    }

    pub(super) fn population(self) -> Population {
        use Source::{Alerts, Calls, Complaints, Discharges, Managed, OpenComplaints, PatientsCalled, Tasks};
        let (source, numerator, denominator) = match self {
            Self::FollowupRatio => (Discharges, "followed", "everyone"),
            Self::ExpectedRatio => (Discharges, "followed", "expected"),
            Self::Completion => (Tasks, "timely", "counted"),
            Self::Timeliness => (Tasks, "timely", "done"),
            Self::ConnectionByCall => (Calls, "connected", "everyone"),
            Self::ConnectionByPatient => (PatientsCalled, "reached", "everyone"),
            Self::Lost => (Managed, "lost", "everyone"),
            Self::RedInTime => (Alerts, "red_in_time", "red"),
            Self::OrangeInTime => (Alerts, "orange_in_time", "orange"),
            Self::YellowInTime => (Alerts, "yellow_in_time", "yellow"),
            Self::TasksDone => (Tasks, "done", "counted"),
            Self::FunnelCalled => (Tasks, "called", "counted"),
            Self::FunnelReached => (Tasks, "reached", "counted"),
            Self::FunnelCompleted => (Tasks, "completed", "counted"),
            Self::ComplaintCategory => (Complaints, "everyone", "everyone"),
            Self::ComplaintAgeing => (OpenComplaints, "overdue", "everyone"),
            Self::ComplaintInTime => (Complaints, "in_time", "answerable"),
        };
        Population { source, denominator, numerator }
    }

    /// The filters that say nothing about what this counts, and are passed over.
    pub(super) fn without(self) -> &'static [Filter] {
        match self.population().source {
            Source::Discharges => &[Filter::Plan, Filter::Nurse],
            Source::Managed => &[Filter::Nurse],
            Source::Complaints => &[Filter::Plan, Filter::Nurse],
            Source::OpenComplaints => &[Filter::Period, Filter::Plan, Filter::Nurse],
            Source::Tasks | Source::Calls | Source::PatientsCalled | Source::Alerts => &[],
        }
    }

    /// The condition of rows above the line, in a part that charts tell apart: the state of alerts, the category or age of
    /// complaints. None where there is no such part.
    pub(super) fn above(self, slice: Option<&str>) -> Option<String> {
        let numerator = self.population().numerator;
        let Some(slice) = slice else { return Some(numerator.to_owned()) };
        match self {
            Self::RedInTime | Self::OrangeInTime | Self::YellowInTime => {
                ALERT_STATES.contains(&slice).then(|| format!("state = {}", quoted(slice)))
            }
            Self::ComplaintAgeing => AGES.contains(&slice).then(|| slice.to_owned()),
            Self::ComplaintCategory => Some(format!("category = {}", quoted(slice))),
            _ => None,
        }
    }
}

/// How long complaints have been open, in working days; the last is apart from the three others.
pub(super) const AGES: [&str; 4] = ["to_5", "to_10", "over_10", "overdue"];

/// Today, and the days since when a complaint has been open five and ten working days.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Today {
    pub on: String,
    pub five: String,
    pub ten: String,
}

impl Today {
    /// For figures that do not ask what day it is.
    pub fn unused() -> Self {
        Self { on: String::new(), five: String::new(), ten: String::new() }
    }

    /// The day of receipt does not count, so what came on `five` is five working days old today.
    pub fn new(on: NaiveDate, calendar: &Calendar) -> Self {
        let since = |days: u32| {
            let mut first = on;
            while let Some(before) = first.checked_sub_days(Days::new(1))
                && calendar.working_days_between(before, on) <= days
            {
                first = before;
            }
            first.to_string()
        };
        Self { on: on.to_string(), five: since(5), ten: since(10) }
    }
}

/// What the queries have in place of the condition that narrows them, so that each can be prepared by itself.
const WITHIN: &str = "true /* within */";

/// 外呼患者, one row per patient called, from rows of calls.
const PATIENTS_CALLED: &str =
    "SELECT patient_id AS record_id, patient_id AS patient_id, max(on_date) AS on_date, max(on_date) AS at,
       max(department) AS department, max(plan_code) AS plan_code, NULL AS user_id, NULL AS site_id,
       1 AS everyone, max(answered) AS reached";

/// A text as SQL writes it.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

const ALERT_DAYS: &str = "alert.raised_at >= unixepoch(?1) * 1000 - 28800000
  AND alert.raised_at < unixepoch(?2, '+1 day') * 1000 - 28800000";
const MANAGED_DAYS: &str = "enrolment.anchor_on <= ?2 AND (enrolment.ended_at IS NULL
  OR max(date(enrolment.ended_at / 1000 + 28800, 'unixepoch'), enrolment.anchor_on) >= ?1)";

impl Source {
    /// The query's text, which records of a period it is about, and which of a patient.
    fn parts(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Discharges => (
                include_str!("sql/discharges.sql"),
                "encounter.discharged_on BETWEEN ?1 AND ?2",
                "encounter.patient_id = ?1",
            ),
            Self::Tasks => {
                (include_str!("sql/tasks.sql"), "task.due_on BETWEEN ?1 AND ?2", "task.patient_id = ?1")
            }
            Self::Calls | Self::PatientsCalled => {
                (include_str!("sql/calls.sql"), "call.called_on BETWEEN ?1 AND ?2", "call.patient_id = ?1")
            }
            Self::Managed => (include_str!("sql/managed.sql"), MANAGED_DAYS, "enrolment.patient_id = ?1"),
            Self::Alerts => (include_str!("sql/alerts.sql"), ALERT_DAYS, "alert.patient_id = ?1"),
            Self::Complaints => (
                include_str!("sql/complaints.sql"),
                "complaint.received_on BETWEEN ?1 AND ?2",
                "complaint.patient_id = ?1",
            ),
            Self::OpenComplaints => {
                (include_str!("sql/open_complaints.sql"), "1", "complaint.patient_id = ?1")
            }
        }
    }

    /// The rows that are patient `?1`'s.
    pub fn of_patient(self) -> String {
        let (sql, _, patient) = self.parts();
        sql.replace(WITHIN, patient)
    }

    /// Whether it is about complaints, which hang on no patient.
    pub fn is_complaints(self) -> bool {
        matches!(self, Self::Complaints | Self::OpenComplaints)
    }

    /// The rows of a scope, with the values of its parameters.
    pub fn of_scope(self, scope: &Scope, today: &Today) -> (String, Vec<Value>) {
        let (sql, within, _) = self.parts();
        let text = |text: &str| Value::Text(text.to_owned());
        let id = |id: Uuid| Value::Blob(id.as_bytes().to_vec());
        let mut values =
            if within.contains("?2") { vec![text(&scope.from), text(&scope.to)] } else { Vec::new() };
        let mut sql = sql.replace(WITHIN, within);
        for (word, day) in [("'today'", &today.on), ("'five'", &today.five), ("'ten'", &today.ten)] {
            sql = sql.replace(word, &quoted(day));
        }
        let mut conditions = String::from("1");
        let mut narrow = |condition: &str, value: Option<Value>| {
            if let Some(value) = value {
                values.push(value);
                conditions.push_str(" AND ");
                conditions.push_str(&condition.replace('?', &format!("?{}", values.len())));
            }
        };
        let department = scope.department.as_deref().map(text);
        if self.is_complaints() {
            let of = "record_id IN (SELECT complaint_id FROM complaint_department WHERE department = ?)";
            narrow(of, department);
        } else {
            narrow("department = ?", department);
        }
        narrow("site_id = ?", scope.site.map(id));
        if !matches!(self, Self::Discharges) && !self.is_complaints() {
            narrow("plan_code = ?", scope.plan.as_deref().map(text));
        }
        if matches!(self, Self::Tasks | Self::Calls | Self::PatientsCalled | Self::Alerts) {
            narrow("user_id = ?", scope.nurse.map(id));
        }
        sql = format!("SELECT * FROM ({sql}) WHERE {conditions}");
        if self == Self::PatientsCalled {
            sql = format!("{PATIENTS_CALLED} FROM ({sql}) GROUP BY patient_id");
        }
        (sql, values)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_complaint_is_so_many_working_days_old_however_many_holidays_lie_between() {
        // Monday 2026-10-12: National Day's week and its working Saturday lie behind.
        let on: NaiveDate = "2026-10-12".parse().unwrap();
        let calendar = Calendar::shipped();
        let today = Today::new(on, calendar);
        for (since, days) in [(&today.five, 5), (&today.ten, 10)] {
            let since: NaiveDate = since.parse().unwrap();
            assert_eq!(calendar.working_days_between(since, on), days);
            assert!(calendar.working_days_between(since.pred_opt().unwrap(), on) > days);
        }
    }
}
