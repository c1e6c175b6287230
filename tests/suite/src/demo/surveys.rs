//! Sheets of half a year on paper and from the screen, a round to call, and a few that were unhappy.

use chrono::{Datelike, Days, Months, NaiveDate, Utc};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{Hospital, LOGIN, NURSE, rows};
use crate::Answer;

/// Department, doctors, sheets a month, how content people are (of 100).
const DEPARTMENTS: [(&str, [&str; 2], u32, u32); 5] = [
    ("心血管内科", ["陈伟", "张敏"], 14, 78),
    ("骨科", ["李强", "王磊"], 11, 70),
    ("内分泌科", ["赵琳", "孙洁"], 9, 84),
    ("妇产科", ["周颖", "吴萍"], 8, 74),
    ("康复医学科", ["郑凯", "冯雪"], 3, 80),
];
/// Months with sheets, the current one included.
const MONTHS: u32 = 6;

/// A sheet's answers are drawn by a counter, so that the demo is the same every time.
struct Dice(u64);

impl Dice {
    /// A number below `below`.
    fn roll(&mut self, below: u32) -> u32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        u32::try_from((self.0 >> 33) % u64::from(below.max(1))).unwrap_or(0)
    }

    /// A rating, better where people are more content.
    fn rating(&mut self, content: u32) -> u32 {
        let roll = self.roll(100);
        if roll < content * 6 / 10 {
            5
        } else if roll < content {
            4
        } else if roll < content + (100 - content) * 7 / 10 {
            3
        } else {
            2
        }
    }
}

fn answers(dice: &mut Dice, content: u32) -> Value {
    let mut answers = Map::new();
    for number in 1..=13 {
        // Waiting (o2) is what people complain of most; one in nine had nothing to do with costs.
        let of = if number == 2 { content.saturating_sub(18) } else { content };
        let rating = if number == 13 && dice.roll(9) == 0 { 0 } else { dice.rating(of) };
        answers.insert(format!("o{number}"), json!({ "type": "single", "value": rating.to_string() }));
    }
    let overall = dice.rating(content);
    let recommends = [2, 4, 6, 8, 10][overall as usize % 5] - i64::from(dice.roll(2));
    let recommends = if overall == 5 { 9 + i64::from(dice.roll(2)) } else { recommends.min(8) };
    answers.insert("o_overall".into(), json!({ "type": "single", "value": overall.to_string() }));
    answers.insert("o_nps".into(), json!({ "type": "scale", "value": recommends }));
    let back = if overall >= 4 { "yes" } else { ["maybe", "no"][dice.roll(2) as usize] };
    answers.insert("o_return".into(), json!({ "type": "single", "value": back }));
    Value::Object(answers)
}

/// Types in the sheets, opens a recovery, and draws a round; answers with how many sheets there are.
///
/// # Errors
/// When a command is refused.
pub fn survey(hospital: &Hospital) -> Answer<usize> {
    hospital.log_in(NURSE)?;
    let today = (Utc::now() + chrono::TimeDelta::hours(8)).date_naive();
    let mut dice = Dice(20_261_101);
    let mut made = 0;
    for back in (0..MONTHS).rev() {
        let first = first_of(today, back)?;
        for (department, doctors, sheets, content) in DEPARTMENTS {
            for sheet in 0..sheets {
                let day =
                    first.checked_add_days(Days::new(u64::from(dice.roll(27)))).ok_or("a day")?.min(today);
                let channel = if sheet % 4 == 3 { "screen" } else { "paper" };
                // It gets better, slowly.
                let content = content + (MONTHS - back) * 2;
                made += 1;
                let request = json!({
                    "id": Uuid::now_v7(), "channel": channel, "kind": "outpatient", "form_code": "SAT_OPD",
                    "answers": answers(&mut dice, content.min(95)),
                    "head": {
                        "sheet_no": if channel == "paper" { format!("{}-{made:04}", day.format("%y%m")) } else { String::new() },
                        "department": department, "doctor": doctors[dice.roll(2) as usize], "answered_on": day.to_string(),
                        "visited_on": day.to_string(), "seconds": if channel == "screen" { json!(60 + dice.roll(120)) } else { Value::Null },
                        "caller": if channel == "paper" { "志愿者" } else { "" },
                    },
                });
                hospital.call("surveys_sheet_save", request)?;
            }
        }
    }
    unhappy(hospital, today, &mut dice)?;
    round(hospital, today)?;
    Ok(made + 1)
}

fn first_of(today: NaiveDate, months_back: u32) -> Answer<NaiveDate> {
    let first = today.with_day(1).ok_or("a first day")?;
    Ok(first.checked_sub_months(Months::new(months_back)).ok_or("a month")?)
}

/// Somebody of the archive who was not content: a recovery in the worklist.
fn unhappy(hospital: &Hospital, today: NaiveDate, dice: &mut Dice) -> Answer {
    let found = hospital.call("archive_find", json!({ "query": "", "limit": 5 }))?;
    let Some(patient) = rows(&found, "hits").last().map(|hit| hit["patient_id"].clone()) else {
        return Ok(());
    };
    let mut answers = answers(dice, 40);
    answers["o2"] = json!({ "type": "single", "value": "1" });
    answers["o_overall"] = json!({ "type": "single", "value": "2" });
    answers["o_nps"] = json!({ "type": "scale", "value": 3 });
    answers["o_text"] = json!({ "type": "text", "value": "等了两个小时，叫号也不清楚。" });
    hospital.call(
        "surveys_sheet_save",
        json!({
            "id": Uuid::now_v7(), "channel": "paper", "kind": "outpatient", "form_code": "SAT_OPD", "answers": answers,
            "head": { "patient_id": patient, "department": "心血管内科", "doctor": "陈伟", "answered_on": today.to_string(), "sheet_no": "K-0001" },
        }),
    )?;
    Ok(())
}

/// A round of last month's stays, drawn by the supervisor.
fn round(hospital: &Hospital, today: NaiveDate) -> Answer {
    hospital.log_in(LOGIN)?;
    let from = today.checked_sub_days(Days::new(45)).ok_or("a day")?;
    let frame = json!({
        "kind": "inpatient", "visits_from": from.to_string(), "visits_to": today.to_string(), "method": "sample",
        "seed": 2026, "per_department": 4,
    });
    hospital.call(
        "surveys_round_make",
        json!({ "title": "出院患者满意度", "form_code": "SAT_IPD", "frame": frame, "handed_out": 0 }),
    )?;
    Ok(())
}
