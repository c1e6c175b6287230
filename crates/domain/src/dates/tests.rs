#![allow(clippy::unwrap_used, clippy::expect_used)]

use proptest::prelude::*;

use super::*;

fn today() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 11, 22).unwrap()
}

fn event(text: &str) -> Result<String, DateProblem> {
    parse(text, DateOf::Event, today()).map(show)
}

fn birth(text: &str) -> Result<String, DateProblem> {
    parse(text, DateOf::Birth, today()).map(show)
}

fn show(moment: Moment) -> String {
    match moment.time {
        Some(time) => moment.date.and_time(time).format("%Y-%m-%d %H:%M:%S").to_string(),
        None => moment.date.to_string(),
    }
}

#[test]
fn one_day_is_written_in_many_ways() {
    for text in [
        "2026-10-10",
        "2026/10/10",
        "2026.10.10",
        "20261010",
        "2026年10月10日",
        "２０２６年１０月１０日",
        "2026年10月10日 星期六",
        "2026-10-10T",
        "10-OCT-26",
        "10-OCT-2026",
        "10-10月-26",
        "10-10月-2026",
        "Oct 10, 2026",
        "10 October 2026",
        "Sat, 10 Oct 2026",
        "10/10/2026",
        "46305",
        "46305.0",
        "=\"2026-10-10\"",
        "20261010.0",
        "26年10月10日",
        "2026 10 10",
        "2026年10月10号",
    ] {
        assert_eq!(event(text).as_deref(), Ok("2026-10-10"), "{text}");
    }
}

#[test]
fn one_time_is_written_in_many_ways() {
    for text in [
        "2026-10-10 09:42",
        "2026/10/10 9:42:00",
        "20261010094200",
        "202610100942",
        "2026年10月10日 9时42分",
        "2026年10月10日9时42分00秒",
        "2026-10-10T09:42:00",
        "2026-10-10 09:42:00.000",
        "2026-10-10 上午9:42",
        "2026/10/10 9:42:00 AM",
        "20261010 0942",
        "20261010 09:42",
        "2026-10-10T01:42:00Z",
        "2026-10-10T09:42:00+08:00",
        "20261010094200+0800",
        "10-10月-26 09.42.00.000000 上午",
        "10-OCT-26 09.42.00 AM",
        "2026年10月10日上午9点42分",
    ] {
        assert_eq!(event(text).as_deref(), Ok("2026-10-10 09:42:00"), "{text}");
    }
    assert_eq!(event("2026-10-10 下午2:05").as_deref(), Ok("2026-10-10 14:05:00"));
    assert_eq!(event("2026/10/10 12:05 AM").as_deref(), Ok("2026-10-10 00:05:00"));
    assert_eq!(event("2026/10/10 12:05 PM").as_deref(), Ok("2026-10-10 12:05:00"));
    assert_eq!(event("2026-10-10 9时").as_deref(), Ok("2026-10-10 09:00:00"));
    assert_eq!(event("2026-10-31 24:00").as_deref(), Ok("2026-11-01 00:00:00"));
    assert_eq!(event("2026-10-10T20:00:00Z").as_deref(), Ok("2026-10-11 04:00:00"));
    assert_eq!(event("46305.404166667").as_deref(), Ok("2026-10-10 09:42:00"));
}

#[test]
fn what_can_mean_two_days_is_a_problem() {
    assert_eq!(event("3/4/2026"), Err(DateProblem::DayMonthAmbiguous));
    assert_eq!(event("13/4/2026").as_deref(), Ok("2026-04-13"));
    assert_eq!(event("4/13/2026").as_deref(), Ok("2026-04-13"));
    assert_eq!(event("26-10-10"), Err(DateProblem::TwoDigitYear));
    assert_eq!(event("10/10/26"), Err(DateProblem::TwoDigitYear));
    assert_eq!(birth("10-OCT-20"), Err(DateProblem::TwoDigitYear));
    assert_eq!(birth("10-OCT-58").as_deref(), Ok("1958-10-10"));
    assert_eq!(birth("10-DEC-26").as_deref(), Ok("1926-12-10"), "December 2026 has not come");
    assert_eq!(event("10-DEC-26").as_deref(), Ok("2026-12-10"));
    assert_eq!(event("2026-10-10 晚上12:10"), Err(DateProblem::Unreadable));
}

#[test]
fn each_refusal_says_why() {
    assert_eq!(event(" "), Err(DateProblem::Empty));
    assert_eq!(event("不详"), Err(DateProblem::Unreadable));
    assert_eq!(event("2026-10"), Err(DateProblem::Incomplete));
    assert_eq!(event("2026年10月"), Err(DateProblem::Incomplete));
    assert_eq!(event("2026-02-30"), Err(DateProblem::NoSuchDate));
    assert_eq!(event("2026-10-10 25:00"), Err(DateProblem::NoSuchDate));
    assert_eq!(event("20261310"), Err(DateProblem::NoSuchDate));
    assert_eq!(event("2026-10-10 9"), Err(DateProblem::Unreadable));
    assert_eq!(event("2026101009420"), Err(DateProblem::Unreadable));
    assert_eq!(event("1900-01-01"), Err(DateProblem::Placeholder));
    assert_eq!(event("0001-01-01 00:00:00"), Err(DateProblem::Placeholder));
    assert_eq!(event("9999-12-31"), Err(DateProblem::Placeholder));
    assert_eq!(event("1026-10-10"), Err(DateProblem::OutOfRange));
}

#[test]
fn serial_numbers_count_from_the_workbooks_first_day() {
    let serial = |value, epoch| from_serial(value, epoch).map(show);
    assert_eq!(serial(61.0, Epoch::Year1900).as_deref(), Ok("1900-03-01"));
    assert_eq!(serial(59.0, Epoch::Year1900).as_deref(), Ok("1900-02-28"));
    assert_eq!(serial(60.0, Epoch::Year1900), Err(DateProblem::NoSuchDate));
    assert_eq!(serial(46_305.404_166_667, Epoch::Year1900).as_deref(), Ok("2026-10-10 09:42:00"));
    assert_eq!(serial(44843.0, Epoch::Year1904).as_deref(), Ok("2026-10-10"));
    assert_eq!(serial(46_305.999_999, Epoch::Year1900).as_deref(), Ok("2026-10-11"));
    assert_eq!(serial(f64::NAN, Epoch::Year1900), Err(DateProblem::OutOfRange));
    assert_eq!(serial(-1.0, Epoch::Year1900), Err(DateProblem::OutOfRange));
    assert_eq!(serial(0.0, Epoch::Year1900), Err(DateProblem::Placeholder));
}

#[test]
fn ages_are_read_with_their_units() {
    let age = |years, months, days| Ok(Age { years, months, days });
    assert_eq!(parse_age("45岁"), age(45, 0, 0));
    assert_eq!(parse_age("45"), age(45, 0, 0));
    assert_eq!(parse_age("４５ 岁"), age(45, 0, 0));
    assert_eq!(parse_age("3月"), age(0, 3, 0));
    assert_eq!(parse_age("3个月15天"), age(0, 3, 15));
    assert_eq!(parse_age("15天"), age(0, 0, 15));
    assert_eq!(parse_age("2岁6月"), age(2, 6, 0));
    assert_eq!(parse_age("18月"), age(1, 6, 0));
    assert_eq!(parse_age("2周"), age(0, 0, 14));
    assert_eq!(parse_age("1天6小时"), age(0, 0, 1));
    assert_eq!(parse_age("45Y"), age(45, 0, 0));
    assert_eq!(parse_age("6M"), age(0, 6, 0));
    assert_eq!(parse_age("45.0"), age(45, 0, 0));
    for wrong in ["", "岁", "老年", "3天2岁", "200岁", "4.5岁", "45岁岁", "99999999999岁"] {
        assert!(parse_age(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn ages_are_counted_in_completed_years_months_and_days() {
    let day = |text: &str| text.parse::<NaiveDate>().unwrap();
    let age = |birth: &str, on: &str| age_at(day(birth), day(on));
    assert_eq!(age("1980-11-22", "2026-11-22"), Age { years: 46, months: 0, days: 0 });
    assert_eq!(age("1980-11-23", "2026-11-22"), Age { years: 45, months: 11, days: 30 });
    assert_eq!(age("2024-02-29", "2025-02-28").years, 0);
    assert_eq!(age("2024-02-29", "2025-03-01").years, 1);
    assert_eq!(age("2026-11-30", "2026-11-22"), Age::default());
}

proptest! {
    #[test]
    fn a_date_reads_back_from_every_certain_form(days in 0..100_000u64, minute in 0..1440u32) {
        let date = NaiveDate::from_ymd_opt(1901, 1, 1).unwrap() + Days::new(days);
        let time = NaiveTime::from_hms_opt(minute / 60, minute % 60, 0).unwrap();
        let at = date.and_time(time);
        for form in ["%Y-%m-%d %H:%M", "%Y/%-m/%-d %-H:%M:%S", "%Y%m%d%H%M%S", "%Y年%m月%d日 %H时%M分", "%Y.%m.%d %H:%M",
            "%d-%b-%Y %H:%M", "%d-%m月-%Y %I:%M:%S %p", "%Y-%m-%dT%H:%M:%S+08:00"]
        {
            let read = parse(&at.format(form).to_string(), DateOf::Event, today()).unwrap();
            prop_assert_eq!(read.at(), at, "{}", form);
        }
    }

    #[test]
    fn an_exchangeable_day_and_month_is_never_guessed(day in 1..=31u32, month in 1..=12u32) {
        let read = parse(&format!("{day}/{month}/2024"), DateOf::Event, today());
        let certain = day > 12 || day == month;
        prop_assert_eq!(read.is_ok(), certain && NaiveDate::from_ymd_opt(2024, month, day).is_some());
    }

    #[test]
    fn any_text_is_read_without_a_panic(text in "\\PC{0,30}", digits in "[0-9年月日 :./-]{0,24}") {
        let _ = (parse(&text, DateOf::Birth, today()), parse(&digits, DateOf::Event, today()), parse_age(&text));
    }
}
