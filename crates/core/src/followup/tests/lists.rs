use aftercare_domain::forms::Level;
use serde_json::{Value, json};

use super::{Ward, high_pressure, id_of};
use crate::change_log::TASK;
use crate::followup::{check_worklist, rebuild_worklist, worklist};

#[test]
fn the_list_is_by_patient_and_the_most_overdue_comes_first() {
    let ward = Ward::new();
    let due = ward.hypertension("王伟", "2026-11-09");
    let overdue = ward.hypertension("李娜", "2026-11-06");
    ward.hypertension("张敏", "2026-11-14");
    ward.go_to("2026-11-17", "09:30");
    let rows = ward.list();
    assert_eq!(ward.queue(), [overdue.id, due.id], "who is not yet due is not here");
    assert_eq!((&rows[0]["bucket"], &rows[0]["overdue_days"]), (&json!("overdue"), &json!(1)));
    assert_eq!((&rows[0]["reason"], &rows[1]["reason"]), (&json!("overdue"), &json!("due")));
    assert_eq!(rows[0]["plans"].as_array().unwrap().len(), 1);
    assert_eq!((&rows[0]["department"], &rows[0]["age"]), (&json!("心血管内科"), &json!(60)));
}

#[test]
fn pages_follow_each_other_without_gaps_or_repeats() {
    let ward = Ward::new();
    for index in 0..7 {
        ward.hypertension(&format!("病人{index}"), "2026-11-09");
    }
    let (mut cursor, mut seen) = (Value::Null, Vec::new());
    loop {
        let page = ward.desk.call("followup_worklist", json!({ "limit": 3, "cursor": cursor }));
        seen.extend(page["rows"].as_array().unwrap().iter().map(|row| id_of(&row["patient_id"])));
        cursor = page["next_cursor"].clone();
        if cursor.is_null() {
            break;
        }
    }
    assert_eq!(seen, ward.queue());
    assert_eq!(seen.len(), 7);
}

#[test]
fn filters_show_mine_unassigned_department_plan_and_level() {
    let ward = Ward::new();
    let first = ward.hypertension("王伟", "2026-11-09");
    let second = ward.hypertension("李娜", "2026-11-09");
    let with = |filter: Value| -> Vec<uuid::Uuid> {
        let page = ward.desk.call("followup_worklist", json!({ "limit": 50, "filter": filter }));
        page["rows"].as_array().unwrap().iter().map(|row| id_of(&row["patient_id"])).collect()
    };
    assert!(with(json!({ "kind": "mine" })).is_empty());
    ward.desk.login("alice").unwrap();
    ward.desk.call("followup_assign", json!({ "patient_ids": [first.id], "assigned_to": ward.bob }));
    ward.desk.login("bob").unwrap();
    assert_eq!(with(json!({ "kind": "mine" })), [first.id]);
    assert_eq!(with(json!({ "kind": "unassigned" })), [second.id]);
    assert_eq!(with(json!({ "kind": "department", "value": "心血管内科" })).len(), 2);
    assert!(with(json!({ "kind": "department", "value": "骨科" })).is_empty());
    assert_eq!(with(json!({ "kind": "plan", "value": "HTN" })).len(), 2);
    ward.complete(&first, high_pressure());
    assert_eq!(with(json!({ "kind": "level", "value": Level::Red })), [first.id]);
    assert_eq!(with(json!({ "kind": "flagged" })), [first.id]);
}

#[test]
fn the_list_of_another_day_is_as_the_tasks_of_now_make_it() {
    let ward = Ward::new();
    let someone = ward.hypertension("王伟", "2026-11-14");
    assert!(ward.queue().is_empty());
    let page = ward.desk.call("followup_worklist", json!({ "limit": 50, "on": "2026-11-21" }));
    assert_eq!(page["rows"].as_array().unwrap().len(), 1);
    assert_eq!(id_of(&page["rows"][0]["patient_id"]), someone.id);
}

#[test]
fn an_untouched_task_is_given_up_two_weeks_after_its_window() {
    let ward = Ward::new();
    let someone = ward.hypertension("王伟", "2026-11-09");
    ward.go_to("2026-12-03", "09:30");
    assert_eq!(ward.queue(), [someone.id]);
    ward.go_to("2026-12-04", "09:30");
    ward.list();
    let d7 = "SELECT status || ' ' || end_reason FROM task WHERE label = 'D7'";
    assert_eq!(ward.text(d7), "expired expired");
    assert_eq!(
        ward.text("SELECT status FROM task WHERE label = 'D14'"),
        "open",
        "silence is no reason to look away"
    );
}

#[test]
fn the_kept_list_equals_one_made_anew() {
    let ward = Ward::new();
    let people: Vec<_> = (0..5).map(|i| ward.hypertension(&format!("病人{i}"), "2026-11-09")).collect();
    ward.fail(&people[0], "NOANS");
    ward.complete(&people[1], high_pressure());
    ward.fail(&people[2], "REFALL");
    ward.list();
    let now = ward.desk.now().timestamp_millis();
    let kept = dump(&ward);
    assert_eq!(ward.desk.ctx().read(|c| check_worklist(c, now)).unwrap(), 0);
    let rebuilt = ward.desk.ctx().write(|w| rebuild_worklist(w.connection(), now)).unwrap();
    assert_eq!(dump(&ward), kept);
    assert_eq!(rebuilt as usize, kept.lines().count());
    ward.write(|w| w.update(&TASK, id_of(&json!(people_task(&ward))), &[("risk", 99_i64.into())]).unwrap());
    worklist::wake(&ward.desk.ctx()).unwrap();
    assert_eq!(
        ward.desk.ctx().read(|c| check_worklist(c, now)).unwrap(),
        1,
        "a list that was not kept up is told"
    );
}

fn people_task(ward: &Ward) -> String {
    let id: uuid::Uuid = ward
        .desk
        .ctx()
        .read(|c| {
            Ok(c.query_row(
                "SELECT task.id FROM task JOIN patient ON patient.id = task.patient_id
                 WHERE patient.name = '病人3' AND task.label = 'D7'",
                [],
                |row| row.get(0),
            )?)
        })
        .unwrap();
    id.to_string()
}

fn dump(ward: &Ward) -> String {
    ward.text(
        "SELECT coalesce(group_concat(patient_num || ' ' || coalesce(rank, '-') || ' ' || not_before || ' '
            || wake_on || ' ' || replace(tags, char(10), ','), char(10)), '')
         FROM (SELECT * FROM worklist ORDER BY patient_num)",
    )
}

#[test]
fn the_record_shows_the_plans_and_a_closed_task_can_be_wanted_again() {
    let ward = Ward::new();
    let someone = ward.hypertension("王伟", "2026-11-09");
    let plans = || ward.desk.call("followup_patient_plans", json!({ "patient_id": someone.id }));
    let before = plans();
    assert_eq!(
        (&before["plans"][0]["code"], &before["plans"][0]["state"]),
        (&json!("HTN"), &json!("active"))
    );
    assert_eq!(before["plans"][0]["anchor_on"], "2026-11-09");
    assert!(before["plans"][0]["name"]["zh"].as_str().unwrap().contains("高血压"));
    let tasks = before["plans"][0]["tasks"].as_array().unwrap();
    assert!(tasks.windows(2).all(|pair| pair[0]["due_on"].as_str() <= pair[1]["due_on"].as_str()));
    assert_eq!((&tasks[0]["label"], &tasks[0]["status"]), (&json!("D7"), &json!("open")));
    ward.desk.login("alice").unwrap();
    ward.desk.call("followup_close_task", json!({ "task_id": tasks[0]["id"], "reason": "已在门诊随访" }));
    let closed = plans()["plans"][0]["tasks"][0].clone();
    assert_eq!((&closed["status"], &closed["end_reason"]), (&json!("cancelled"), &json!("已在门诊随访")));
    ward.desk.call("followup_reopen_task", json!({ "task_id": tasks[0]["id"] }));
    assert_eq!(plans()["plans"][0]["tasks"][0]["status"], "open");
    ward.desk.call(
        "followup_add_task",
        json!({ "patient_id": someone.id, "due_on": "2026-11-18", "remark": "再问一次血压" }),
    );
    assert_eq!(plans()["others"][0]["kind"], "manual");
}
