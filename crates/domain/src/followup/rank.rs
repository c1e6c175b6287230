//! The order of the worklist as one number, so that a page is one walk along an index.

use chrono::{Datelike, NaiveDate};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::forms::Level;

/// The part of the list a patient stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(rename = "WorklistBucket")]
pub enum Bucket {
    /// A red flag that nobody was told of, or an expert's answer to bring to the patient.
    Flag,
    /// A window has passed.
    Overdue,
    /// A window is open.
    Due,
}

/// What makes a patient urgent today besides windows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Urgency {
    /// How urgent.
    pub level: Level,
    /// Since when or until when, minutes since 1970: earlier comes first.
    pub minute: i64,
}

/// What the order looks at in a task that may be done today.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EntryTask {
    /// The planned day.
    pub due_on: NaiveDate,
    /// The last day on which it counts.
    pub window_ends_on: NaiveDate,
    /// 0 to 100.
    pub risk: u8,
}

const BUCKET: i64 = 1 << 56;
const DAYS: i64 = 1 << 24;

/// Where a patient with these tasks stands; none without anything to do.
pub fn bucket_of(urgency: Option<Urgency>, tasks: &[EntryTask], today: NaiveDate) -> Option<Bucket> {
    if urgency.is_some() {
        return Some(Bucket::Flag);
    }
    let earliest_end = tasks.iter().map(|task| task.window_ends_on).min()?;
    Some(if earliest_end < today { Bucket::Overdue } else { Bucket::Due })
}

/// The order: flags by level, then time; overdue by the end of the window, oldest first, then
/// risk; the rest by risk, highest first, then the planned day. Smaller comes first.
pub fn rank(urgency: Option<Urgency>, tasks: &[EntryTask], today: NaiveDate) -> Option<i64> {
    let risk = i64::from(tasks.iter().map(|task| task.risk).max().unwrap_or(0).min(100));
    Some(match bucket_of(urgency, tasks, today)? {
        Bucket::Flag => {
            let urgency = urgency?;
            let level = match urgency.level {
                Level::Red => 0,
                Level::Orange => 1,
                Level::Yellow => 2,
            };
            (level << 48) + urgency.minute.clamp(0, (1 << 40) - 1)
        }
        Bucket::Overdue => {
            let end = tasks.iter().map(|task| task.window_ends_on).min()?;
            BUCKET + day_number(end) * 128 + (100 - risk)
        }
        Bucket::Due => {
            let due = tasks.iter().map(|task| task.due_on).min()?;
            2 * BUCKET + (100 - risk) * DAYS + day_number(due)
        }
    })
}

fn day_number(day: NaiveDate) -> i64 {
    i64::from(day.num_days_from_ce()).clamp(0, DAYS - 1)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    fn day(n: i32) -> NaiveDate {
        NaiveDate::from_num_days_from_ce_opt(739_000 + n).unwrap()
    }

    fn task(due: i32, after: i32, risk: u8) -> EntryTask {
        EntryTask { due_on: day(due), window_ends_on: day(due + after), risk }
    }

    #[test]
    fn flags_before_overdue_before_risk_before_date() {
        let today = day(100);
        let flag = rank(Some(Urgency { level: Level::Yellow, minute: 9 }), &[], today);
        let very_late = rank(None, &[task(60, 3, 0)], today);
        let late = rank(None, &[task(90, 3, 100)], today);
        let risky = rank(None, &[task(101, 3, 90)], today);
        let early = rank(None, &[task(98, 3, 20)], today);
        let later = rank(None, &[task(99, 3, 20)], today);
        let order = [flag, very_late, late, risky, early, later];
        assert!(order.windows(2).all(|pair| pair[0].unwrap() < pair[1].unwrap()));
        assert_eq!(rank(None, &[], today), None);
    }

    proptest! {
        #[test]
        fn a_patient_never_moves_back_because_of_one_more_task(
            tasks in prop::collection::vec((0..200i32, 0..30i32, 0..=100u8), 1..5),
            more in (0..200i32, 0..30i32, 0..=100u8),
        ) {
            let build = |list: &[(i32, i32, u8)]| -> Vec<EntryTask> {
                list.iter().map(|(due, after, risk)| task(*due, *after, *risk)).collect()
            };
            let before = rank(None, &build(&tasks), day(100));
            let mut with = tasks.clone();
            with.push(more);
            prop_assert!(rank(None, &build(&with), day(100)) <= before);
        }
    }
}
