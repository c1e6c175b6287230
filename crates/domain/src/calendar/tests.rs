#![allow(clippy::unwrap_used, clippy::expect_used)]

use chrono::{NaiveDateTime, NaiveTime};
use proptest::prelude::*;

use super::*;

#[derive(Deserialize)]
struct Vectors {
    vectors: Vec<Vector>,
}

#[derive(Deserialize)]
struct Vector {
    received: NaiveDate,
    received_is_workday: bool,
    plus5: NaiveDate,
    plus10: NaiveDate,
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn at(text: &str) -> NaiveDateTime {
    NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M").unwrap()
}

fn desk_hours(days: CallingDays) -> CallingRule {
    CallingRule {
        hours: ["09:00-12:00", "14:00-17:30"].iter().map(|text| parse_hours(text).unwrap()).collect(),
        limits: parse_hours("08:00-20:00").unwrap(),
        days,
    }
}

#[test]
fn every_deadline_of_two_independent_calendars_holds() {
    let calendar = Calendar::shipped();
    let vectors: Vectors =
        serde_json::from_str(include_str!("../../../../tests/fixtures/rules/workday_deadlines_sample.json"))
            .unwrap();
    assert!(vectors.vectors.len() > 50);
    for vector in vectors.vectors {
        assert_eq!(
            calendar.is_working_day(vector.received),
            vector.received_is_workday,
            "{}",
            vector.received
        );
        for (n, due) in [(5, vector.plus5), (10, vector.plus10)] {
            let found = calendar.add_working_days(vector.received, n);
            assert_eq!((found.date, found.certainty), (due, Certainty::Known), "{}", vector.received);
            assert_eq!(calendar.working_days_between(vector.received, due), n);
        }
    }
}

#[test]
fn all_shipped_years_are_readable() {
    for json in SHIPPED_YEARS {
        HolidayYear::parse(json).unwrap();
    }
    assert_eq!(Calendar::shipped().last_known_year(), Some(2026));
    assert_eq!(Calendar::shipped().holiday(day("2026-10-01")), Some("国庆节"));
    assert!(Calendar::shipped().is_working_day(day("2026-10-10")));
}

#[test]
fn beyond_the_known_year_the_answer_says_so() {
    let calendar = Calendar::shipped();
    let due = calendar.add_working_days(day("2026-12-29"), 5);
    assert_eq!((due.date, due.certainty), (day("2027-01-05"), Certainty::BeyondKnownYear));
    assert_eq!(calendar.add_working_days(day("2026-12-21"), 5).certainty, Certainty::Known);
    assert_eq!(
        Calendar::default().certainty(day("2026-01-01"), day("2026-01-01")),
        Certainty::BeyondKnownYear
    );
}

#[test]
fn the_next_years_notice_is_imported_when_it_appears() {
    let mut calendar = Calendar::shipped().clone();
    let json = r#"{"year": 2027, "papers": [], "days": [
        {"name": "元旦", "date": "2026-12-31", "isOffDay": true}, {"name": "元旦", "date": "2027-01-01", "isOffDay": true}]}"#;
    calendar.add(HolidayYear::parse(json).unwrap());
    assert_eq!(calendar.last_known_year(), Some(2027));
    let due = calendar.add_working_days(day("2026-12-29"), 5);
    assert_eq!((due.date, due.certainty), (day("2027-01-07"), Certainty::Known));
}

#[test]
fn a_corrected_year_does_not_undo_the_next_years_ruling() {
    let year = |at: usize| HolidayYear::parse(SHIPPED_YEARS[at]).unwrap();
    let calendar = Calendar::from_years([year(4), year(3)]);
    assert!(calendar.is_working_day(day("2018-12-29")), "ruled by the notice for 2019");
}

#[test]
fn a_file_that_is_no_calendar_is_refused() {
    let problem = |json: &str| HolidayYear::parse(json).err();
    assert_eq!(problem("[]"), Some(CalendarProblem::Unreadable));
    assert_eq!(problem(r#"{"year": 2027, "days": []}"#), Some(CalendarProblem::Empty));
    let one = |date: &str, off: bool| format!(r#"{{"name": "元旦", "date": "{date}", "isOffDay": {off}}}"#);
    let year = |days: &[String]| format!(r#"{{"year": 2027, "days": [{}]}}"#, days.join(","));
    assert_eq!(
        problem(&year(&[one("2027-01-01", true), one("2025-01-01", true)])),
        Some(CalendarProblem::OtherYear)
    );
    assert_eq!(
        problem(&year(&[one("2027-01-01", true), one("2027-01-01", false)])),
        Some(CalendarProblem::Contradiction)
    );
}

#[test]
fn a_period_that_ends_on_a_holiday_ends_after_it() {
    let end = Calendar::shipped().end_of_period(day("2026-09-21"), 10);
    assert_eq!((end.date, end.certainty), (day("2026-10-08"), Certainty::Known));
    assert_eq!(Calendar::shipped().end_of_period(day("2026-09-21"), 1).date, day("2026-09-22"));
}

#[test]
fn calls_keep_to_the_hours() {
    let calendar = Calendar::shipped();
    let rule = desk_hours(CallingDays::WorkingDays);
    assert_eq!(callable_at(at("2026-11-20 09:00"), &rule, calendar), Ok(Certainty::Known));
    let next = |text: &str| {
        let not_now = callable_at(at(text), &rule, calendar).unwrap_err();
        (not_now.code, not_now.next_ok.unwrap())
    };
    assert_eq!(next("2026-11-20 08:59"), (NotNowCode::OutsideHours, at("2026-11-20 09:00")));
    assert_eq!(next("2026-11-20 12:00"), (NotNowCode::OutsideHours, at("2026-11-20 14:00")));
    assert_eq!(next("2026-11-20 17:30"), (NotNowCode::OutsideHours, at("2026-11-23 09:00")));
    assert_eq!(next("2026-09-30 18:00"), (NotNowCode::OutsideHours, at("2026-10-08 09:00")));
    assert_eq!(next("2026-10-01 10:00"), (NotNowCode::Holiday, at("2026-10-08 09:00")));
    assert!(callable_at(at("2026-10-10 10:00"), &rule, calendar).is_ok(), "a Saturday worked instead");
}

#[test]
fn weekends_may_be_called_while_holidays_are_not() {
    let calendar = Calendar::shipped();
    let rule = desk_hours(CallingDays::NotHolidays);
    assert!(callable_at(at("2026-11-21 10:00"), &rule, calendar).is_ok());
    assert_eq!(callable_at(at("2026-10-03 10:00"), &rule, calendar).unwrap_err().code, NotNowCode::Holiday);
    assert!(callable_at(at("2026-10-03 10:00"), &desk_hours(CallingDays::Every), calendar).is_ok());
    assert_eq!(callable_at(at("2027-03-01 10:00"), &rule, calendar), Ok(Certainty::BeyondKnownYear));
}

#[test]
fn the_limits_cut_the_hours_and_may_leave_none() {
    let mut rule = desk_hours(CallingDays::Every);
    rule.hours = vec![parse_hours("06:00-23:00").unwrap()];
    let early = callable_at(at("2026-11-20 07:00"), &rule, Calendar::shipped()).unwrap_err();
    assert_eq!(early.next_ok, Some(at("2026-11-20 08:00")));
    assert!(callable_at(at("2026-11-20 20:00"), &rule, Calendar::shipped()).is_err());
    rule.hours.clear();
    let never = callable_at(at("2026-11-20 10:00"), &rule, Calendar::shipped()).unwrap_err();
    assert_eq!((never.code, never.next_ok), (NotNowCode::NoHours, None));
    assert_eq!(parse_hours("12:00-09:00"), None);
    assert_eq!(parse_hours("nine"), None);
}

#[test]
fn response_times_run_by_the_clock_or_by_working_days() {
    let closing: NaiveTime = "17:30:00".parse().unwrap();
    let due = |sla: &str, from: &str| due_at(parse_sla(sla).unwrap(), at(from), Calendar::shipped(), closing);
    assert_eq!(due("30min", "2026-10-01 23:50").at, at("2026-10-02 00:20"));
    assert_eq!(due("8h", "2026-11-20 10:00").at, at("2026-11-20 18:00"));
    assert_eq!(due("2wd", "2026-11-20 10:00").at, at("2026-11-24 17:30"));
    assert_eq!(due("1wd", "2026-09-30 10:00").at, at("2026-10-08 17:30"));
    assert_eq!(due("2wd", "2026-12-31 10:00").certainty, Certainty::BeyondKnownYear);
    for wrong in ["", "2", "wd", "0h", "2 weeks", "-1h", "99999999999h"] {
        assert_eq!(parse_sla(wrong), None, "{wrong}");
    }
}

proptest! {
    #[test]
    fn deadlines_never_run_backwards(start in 0..4300u64, later in 0..40u64, n in 0..30u32, more in 0..30u32) {
        let calendar = Calendar::shipped();
        let from = day("2015-01-01") + chrono::Days::new(start);
        let due = calendar.add_working_days(from, n).date;
        prop_assert!(due <= calendar.add_working_days(from, n + more).date);
        prop_assert!(due <= calendar.add_working_days(from + chrono::Days::new(later), n).date);
        prop_assert!(n == 0 || calendar.is_working_day(due));
        prop_assert_eq!(calendar.working_days_between(from, due), n);
    }

    #[test]
    fn what_is_offered_next_may_be_called(start in 0..4300u64, minute in 0..1440u32) {
        let rule = desk_hours(CallingDays::WorkingDays);
        let time = NaiveTime::from_hms_opt(minute / 60, minute % 60, 0).unwrap();
        let local = (day("2015-01-01") + chrono::Days::new(start)).and_time(time);
        if let Err(not_now) = callable_at(local, &rule, Calendar::shipped()) {
            let next = not_now.next_ok.unwrap();
            prop_assert!(next > local);
            prop_assert!(callable_at(next, &rule, Calendar::shipped()).is_ok());
        }
    }
}
