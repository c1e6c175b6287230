#![allow(clippy::unwrap_used, clippy::expect_used)]

use calamine::{Data, Reader, Xlsx, open_workbook};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::change_log::{CALL, ENCOUNTER, ENROLMENT, PATIENT, PHONE, RESPONSE, TASK};
use crate::testing::{Desk, PASSWORD};

/// A discharge on 2026-11-02 with one task due on 2026-11-09.
struct Case {
    name: &'static str,
    disposition: &'static str,
    status: &'static str,
    /// Milliseconds at which the task ended.
    ended_on: Option<&'static str>,
    calls: &'static [&'static str],
}

const DONE_IN_TIME: Case = Case {
    name: "甲",
    disposition: "1",
    status: "done",
    ended_on: Some("2026-11-10"),
    calls: &["not_reached", "reached"],
};
const DONE_LATE: Case =
    Case { name: "乙", disposition: "1", status: "done", ended_on: Some("2026-11-20"), calls: &["reached"] };
const NOT_REACHED: Case = Case {
    name: "丙",
    disposition: "1",
    status: "failed",
    ended_on: Some("2026-11-10"),
    calls: &["not_reached"],
};
const DIED: Case = Case { name: "丁", disposition: "5", status: "cancelled", ended_on: None, calls: &[] };

fn millis(day: &str) -> i64 {
    format!("{day}T02:00:00Z").parse::<chrono::DateTime<chrono::Utc>>().unwrap().timestamp_millis()
}

fn add(desk: &Desk, case: &Case) -> Uuid {
    let ctx = desk.ctx();
    let [patient, phone, encounter, enrolment, task] = [(); 5].map(|()| ctx.new_id());
    let user = ctx.user_id();
    ctx.write(|w| {
        let site: Uuid = w.connection().query_row("SELECT site_id FROM desk", [], |row| row.get(0))?;
        let died = case.disposition == "5";
        w.create(
            &PATIENT,
            patient,
            &[
                ("name", case.name.into()),
                ("mrn", "00123456".into()),
                ("sex", "1".into()),
                ("birth_on", "1960-11-10".into()),
                ("id_number", "11010519491231002X".into()),
                ("deceased", died.into()),
                ("site_id", site.into()),
            ],
        )?;
        w.create(&PHONE, phone, &[("patient_id", patient.into()), ("number", "13800138000".into())])?;
        w.create(
            &ENCOUNTER,
            encounter,
            &[
                ("patient_id", patient.into()),
                ("visit_no", "ZY1".into()),
                ("department", "心血管内科".into()),
                ("discharged_at", "2026-11-02 10:30".into()),
                ("discharged_on", "2026-11-02".into()),
                ("disposition", case.disposition.into()),
            ],
        )?;
        w.create(
            &ENROLMENT,
            enrolment,
            &[
                ("patient_id", patient.into()),
                ("encounter_id", encounter.into()),
                ("plan_code", "HTN".into()),
                ("plan_version", 1_i64.into()),
                ("anchor_on", "2026-11-02".into()),
                ("why", "diagnosis".into()),
                ("started_at", millis("2026-11-02").into()),
            ],
        )?;
        w.create(
            &TASK,
            task,
            &[
                ("patient_id", patient.into()),
                ("enrolment_id", enrolment.into()),
                ("encounter_id", encounter.into()),
                ("kind", "plan".into()),
                ("timepoint", "D7".into()),
                ("plan_code", "HTN".into()),
                ("plan_version", 1_i64.into()),
                ("form", "full".into()),
                ("channel", "phone".into()),
                ("owner", "".into()),
                ("due_on", "2026-11-09".into()),
                ("window_starts_on", "2026-11-07".into()),
                ("window_ends_on", "2026-11-12".into()),
                ("status", case.status.into()),
                ("attempts", (case.calls.len() as i64).into()),
                ("ended_at", case.ended_on.map(millis).into()),
            ],
        )?;
        for (at, outcome) in case.calls.iter().enumerate() {
            let call = ctx.new_id();
            w.create(
                &CALL,
                call,
                &[
                    ("patient_id", patient.into()),
                    ("task_id", task.into()),
                    ("tasks", json!([task]).to_string().into()),
                    ("number", "13800138000".into()),
                    ("called_at", (millis("2026-11-10") + at as i64).into()),
                    ("called_on", "2026-11-10".into()),
                    ("outcome", (*outcome).into()),
                    ("reason", (*outcome == "not_reached").then_some("NOANS").into()),
                    ("talk_seconds", (*outcome == "reached").then_some(95_i64).into()),
                    ("user_id", user.into()),
                ],
            )?;
            if *outcome == "reached" && case.status == "done" {
                let fields = [
                    ("task_id", task.into()),
                    ("patient_id", patient.into()),
                    ("encounter_id", encounter.into()),
                    ("call_id", call.into()),
                    ("plan_code", "HTN".into()),
                    ("plan_version", 1_i64.into()),
                    ("form", "full".into()),
                    ("answers", "{}".into()),
                    ("results", r#"{"class":"controlled"}"#.into()),
                    ("responded_at", millis("2026-11-10").into()),
                    ("responded_on", "2026-11-10".into()),
                    ("user_id", user.into()),
                ];
                w.create(&RESPONSE, ctx.new_id(), &fields)?;
            }
        }
        Ok(())
    })
    .unwrap();
    patient
}

fn november() -> Value {
    json!({ "from": "2026-11-01", "to": "2026-11-30", "department": null })
}

fn figure(answer: &Value, code: &str) -> (i64, i64) {
    let figure = answer["figures"].as_array().unwrap().iter().find(|f| f["code"] == code).unwrap();
    (figure["numerator"].as_i64().unwrap(), figure["denominator"].as_i64().unwrap())
}

#[test]
fn the_month_counts_as_the_definitions_say() {
    let desk = Desk::new();
    for case in [&DONE_IN_TIME, &DONE_LATE, &NOT_REACHED, &DIED] {
        add(&desk, case);
    }
    let month = desk.call("reports_figures", json!({ "scope": november() }));
    assert_eq!(figure(&month, "followup_ratio"), (2, 4), "the dead count below the line");
    assert_eq!(figure(&month, "expected_ratio"), (2, 3));
    assert_eq!(figure(&month, "completion"), (1, 3), "a cancelled task does not count");
    assert_eq!(figure(&month, "timeliness"), (1, 2));
    assert_eq!(figure(&month, "connection_by_call"), (2, 4));
    assert_eq!(figure(&month, "connection_by_patient"), (2, 3));
    let steps: Vec<i64> =
        month["funnel"].as_array().unwrap().iter().map(|s| s["tasks"].as_i64().unwrap()).collect();
    assert_eq!(steps, [3, 3, 2, 2]);
    assert_eq!(month["departments"][0]["followed"], 2);
}

#[test]
fn every_number_opens_as_many_rows_as_it_says() {
    let desk = Desk::new();
    for case in [&DONE_IN_TIME, &DONE_LATE, &NOT_REACHED, &DIED] {
        add(&desk, case);
    }
    let month = desk.call("reports_figures", json!({ "scope": november() }));
    for found in month["figures"].as_array().unwrap() {
        for (numerator, count) in [(true, &found["numerator"]), (false, &found["denominator"])] {
            let request = json!({ "code": found["code"], "numerator": numerator, "scope": november(), "offset": 0, "limit": 500 });
            let behind = desk.call("reports_rows", request);
            assert_eq!(&behind["total"], count, "{}", found["code"]);
            assert_eq!(&json!(behind["rows"].as_array().unwrap().len()), count);
        }
    }
}

#[test]
fn every_bar_and_cell_of_the_charts_opens_its_rows() {
    let desk = Desk::new();
    for case in [&DONE_IN_TIME, &DONE_LATE, &NOT_REACHED, &DIED] {
        add(&desk, case);
    }
    let month = desk.call("reports_figures", json!({ "scope": november() }));
    let behind = |code: &str, numerator: bool, cell: Value| {
        let request = json!({ "code": code, "numerator": numerator, "scope": november(), "cell": cell, "offset": 0, "limit": 500 });
        desk.call("reports_rows", request)
    };
    for (step, bar) in month["funnel"].as_array().unwrap().iter().enumerate() {
        let (code, numerator) = match step {
            0 => ("funnel_called".to_owned(), false),
            _ => (format!("funnel_{}", bar["step"].as_str().unwrap()), true),
        };
        let rows = behind(&code, numerator, Value::Null);
        assert_eq!(rows["total"], bar["tasks"], "{code}");
        assert_eq!(rows["rows"].as_array().unwrap().len() as i64, bar["tasks"].as_i64().unwrap());
    }
    let cells = month["answering"].as_array().unwrap();
    assert!(!cells.is_empty());
    for found in cells {
        let cell = json!({ "weekday": found["weekday"], "hour": found["hour"] });
        assert_eq!(behind("connection_by_call", false, cell.clone())["total"], found["calls"]);
        assert_eq!(behind("connection_by_call", true, cell)["total"], found["connected"]);
    }
    let elsewhere = json!({ "code": "completion", "numerator": true, "scope": november(),
        "cell": { "weekday": 1, "hour": 9 }, "offset": 0, "limit": 1 });
    assert_eq!(desk.refused("reports_rows", elsewhere), "invalid");
}

fn export(desk: &Desk, folder: &tempfile::TempDir, reveal: bool) -> Result<Value, String> {
    let path = folder.path().join("月报.xlsx");
    let request = json!({ "scope": november(), "path": path, "password": PASSWORD, "reason": "月度汇报", "reveal": reveal, "language": "zh-CN" });
    desk.app.call("reports_export", request).map_err(|error| error.code.as_str().to_owned())
}

fn rows_export(desk: &Desk, folder: &tempfile::TempDir, rows: Value) -> Result<Value, String> {
    let path = folder.path().join("月报.xlsx");
    let request = json!({ "rows": rows, "path": path, "password": PASSWORD, "reason": "核对", "reveal": true, "language": "zh-CN" });
    desk.app.call("reports_rows_export", request).map_err(|error| error.code.as_str().to_owned())
}

#[test]
fn the_rows_behind_a_number_export_with_its_filters_and_its_count() {
    let desk = Desk::new();
    for case in [&DONE_IN_TIME, &DONE_LATE, &NOT_REACHED, &DIED] {
        add(&desk, case);
    }
    let hers = json!({ "from": "2026-11-01", "to": "2026-11-30", "department": "心血管内科", "plan": "HTN",
                       "nurse": desk.ctx().user_id() });
    let asked = json!({ "code": "completion", "numerator": false, "scope": hers, "offset": 0, "limit": 1 });
    let shown = desk.call("reports_rows", asked.clone());
    assert_eq!((&shown["numerator"], &shown["denominator"]), (&json!(1), &json!(3)));
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(rows_export(&desk, &folder, asked.clone()).unwrap()["rows"], shown["total"]);
    let rows = sheet(&folder, "记录");
    assert_eq!(rows.len(), 2 + 3, "watermark, headings, rows");
    assert!(rows[2..].iter().all(|row| row[5] == "Alice" && row[4] == "HTN"));
    assert_eq!(rows[2..].iter().filter(|row| row[6] == "是").count(), 1);
    let ties = sheet(&folder, "核对");
    assert!(ties[2..4].iter().all(|row| row[3] == Data::Float(0.0)), "{ties:?}");

    // Nobody else did anything: their rows are none, and neither is there a file of what is not so.
    let mut others = asked.clone();
    others["scope"]["nurse"] = json!(Uuid::nil());
    assert_eq!(desk.call("reports_rows", others)["total"], 0);
    desk.ctx().db().write(|c, _| super::dashboard::settle(c)).unwrap();
    crate::testing::raw_connection(&desk.app)
        .execute("UPDATE report_total SET count = count + 1 WHERE measure = 2", [])
        .unwrap();
    std::fs::remove_file(folder.path().join("月报.xlsx")).unwrap();
    assert_eq!(rows_export(&desk, &folder, asked), Err("export_mismatch".to_owned()));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "no file that does not agree");
}

#[test]
fn figures_say_which_filters_they_pass_over() {
    let desk = Desk::new();
    add(&desk, &DONE_IN_TIME);
    let mut scope = november();
    scope["plan"] = json!("T2DM");
    let month = desk.call("reports_figures", json!({ "scope": scope }));
    assert_eq!(figure(&month, "followup_ratio"), (1, 1), "a discharge has no plan");
    assert_eq!(month["figures"][0]["without"], json!(["plan", "nurse"]));
    assert_eq!(figure(&month, "completion"), (0, 0), "tasks have one");
    let year = json!({ "from": "2026-01-01", "to": "2026-12-31", "department": null });
    let year = desk.call("reports_figures", json!({ "scope": year }));
    assert!(
        year["figures"].as_array().unwrap().iter().all(|figure| figure["code"] != "connection_by_patient")
    );
    assert_eq!(year["trend"].as_array().unwrap().len(), 12, "by month");
    assert_eq!(year["trend"][10], json!({ "on": "2026-11-01", "until": "2026-11-30", "due": 1, "done": 1 }));
}

#[test]
fn complaints_stand_by_category_and_by_how_long_they_have_been_open() {
    let desk = Desk::new();
    let register = |day: i64, category: &str, subcategory: &str, department: &str| {
        desk.wait(chrono::Duration::days(day));
        desk.call("complaints_register", json!({ "form": {
            "channel": "phone", "complainant": "王伟", "complainant_relation": "0", "complainant_phone": "13800138000",
            "departments": [department], "category": category, "subcategory": subcategory, "severity": "C",
            "summary": "三次询问没有回答", "demand": "道歉" } }))
    };
    // Monday the 16th, and the Thursday after next.
    register(0, "ATT", "cold", "心血管内科");
    register(0, "FEE", "refund", "骨科");
    register(10, "ATT", "cold", "骨科");
    let scope = json!({ "from": "2026-11-01", "to": "2026-11-30", "department": null });
    let month = desk.call("reports_figures", json!({ "scope": scope, "parts": ["complaints"] }));
    assert_eq!(month["complaints"][0], json!({ "category": "ATT", "complaints": 2, "cumulative": 2 }));
    assert_eq!(month["complaints"][1], json!({ "category": "FEE", "complaints": 1, "cumulative": 3 }));
    let ages: Vec<(i64, i64)> = ["to_5", "to_10", "over_10", "overdue"]
        .iter()
        .map(|age| {
            let one =
                month["figures"].as_array().unwrap().iter().find(|figure| figure["slice"] == *age).unwrap();
            (one["numerator"].as_i64().unwrap(), one["denominator"].as_i64().unwrap())
        })
        .collect();
    assert_eq!(&ages[..3], &[(1, 3), (2, 3), (0, 3)], "eight working days lie between");
    let rows = |code: &str, slice: Value, scope: &Value| {
        desk.call("reports_rows", json!({ "code": code, "numerator": true, "slice": slice, "scope": scope, "offset": 0, "limit": 10 }))
    };
    let old = rows("complaint_ageing", json!("to_10"), &scope);
    assert_eq!((&old["total"], old["rows"].as_array().unwrap().len()), (&json!(2), 2));
    assert_eq!(old["without"], json!(["period", "plan", "nurse"]));
    assert_eq!(old["rows"][0]["name"], "", "a complaint stands by its number");
    assert!(old["rows"][0]["number"].as_str().unwrap().starts_with("2026-"));
    assert_eq!(rows("complaint_ageing", json!("overdue"), &scope)["total"].as_i64().unwrap(), ages[3].0);
    let bones = json!({ "from": "2026-11-01", "to": "2026-11-30", "department": "骨科" });
    assert_eq!(rows("complaint_category", json!("ATT"), &bones)["denominator"], 2);
    assert_eq!(rows("complaint_category", json!("ATT"), &bones)["numerator"], 1);
    let refused = json!({ "code": "complaint_ageing", "numerator": true, "slice": "1 OR 1", "scope": scope, "offset": 0, "limit": 1 });
    assert_eq!(desk.refused("reports_rows", refused), "invalid");
    let folder = tempfile::tempdir().unwrap();
    let asked =
        json!({ "code": "complaint_category", "numerator": false, "scope": bones, "offset": 0, "limit": 1 });
    assert_eq!(rows_export(&desk, &folder, asked).unwrap()["rows"], 2);
}

fn sheet(folder: &tempfile::TempDir, name: &str) -> Vec<Vec<Data>> {
    let mut book: Xlsx<_> = open_workbook(folder.path().join("月报.xlsx")).unwrap();
    book.worksheet_range(name).unwrap().rows().map(<[Data]>::to_vec).collect()
}

#[test]
fn the_workbook_holds_every_row_as_text_and_reconciles() {
    let desk = Desk::new();
    for case in [&DONE_IN_TIME, &DONE_LATE, &NOT_REACHED, &DIED] {
        add(&desk, case);
    }
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(export(&desk, &folder, true).unwrap()["rows"], 4);

    let detail = sheet(&folder, "随访明细");
    assert_eq!(detail.len(), 2 + 4, "watermark, headings, rows");
    assert!(detail[0][0].to_string().contains("月度汇报"), "the watermark says what for");
    let first = &detail[2];
    assert_eq!(first[0], Data::String("00123456".into()), "a hospital number keeps its zeros");
    assert_eq!(first[5], Data::String("11010519491231002X".into()));
    assert_eq!(first[6], Data::String("13800138000".into()));
    assert_eq!(first[4], Data::Float(65.0), "the day before the birthday");

    let summary = sheet(&folder, "汇总");
    assert_eq!(summary[2][1..3], [Data::Float(2.0), Data::Float(4.0)]);
    let reconciliation = sheet(&folder, "核对");
    for row in &reconciliation[2..7] {
        assert_eq!(row[3], Data::Float(0.0), "{row:?}");
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "no rests beside the file");
}

#[test]
fn without_reveal_nothing_personal_leaves() {
    let desk = Desk::new();
    add(&desk, &DONE_IN_TIME);
    let folder = tempfile::tempdir().unwrap();
    export(&desk, &folder, false).unwrap();
    let detail = sheet(&folder, "随访明细");
    assert_eq!(detail[2][6], Data::String("138****8000".into()));
    assert_ne!(detail[2][5], Data::String("11010519491231002X".into()));
}

#[test]
fn an_export_asks_for_the_password_a_reason_and_the_right() {
    let desk = Desk::new();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.xlsx");
    let with = |password: &str, reason: &str| json!({ "scope": november(), "path": path, "password": password, "reason": reason, "reveal": false, "language": "en" });
    assert_eq!(desk.refused("reports_export", with("wrong", "r")), "wrong_password");
    assert_eq!(desk.refused("reports_export", with(PASSWORD, " ")), "invalid");
    desk.add("bob", &[aftercare_domain::access::Role::Nurse]);
    desk.login("bob").unwrap();
    assert_eq!(desk.refused("reports_export", with(PASSWORD, "r")), "forbidden");
    assert!(!path.exists());
}

#[test]
fn an_export_above_the_cap_is_refused_whole() {
    let desk = Desk::new();
    add(&desk, &DONE_IN_TIME);
    add(&desk, &DONE_LATE);
    let mut settings = desk.call("settings_get", json!({}));
    settings["export_max_rows"] = json!(1);
    desk.call("settings_save", settings);
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(export(&desk, &folder, false), Err("export_too_large".to_owned()));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_name_that_looks_like_a_formula_stays_text() {
    let desk = Desk::new();
    add(&desk, &Case { name: "=HYPERLINK(\"http://x\")", ..DONE_IN_TIME });
    let folder = tempfile::tempdir().unwrap();
    export(&desk, &folder, true).unwrap();
    assert_eq!(sheet(&folder, "随访明细")[2][2], Data::String("=HYPERLINK(\"http://x\")".into()));
}

#[test]
fn both_languages_have_every_heading() {
    let read = |json: &str| serde_json::from_str::<Value>(json).unwrap();
    let zh = read(include_str!("../../../../assets/locales/zh-CN/reports.json"));
    let en = read(include_str!("../../../../assets/locales/en/reports.json"));
    for (key, _) in super::detail_sheet::COLUMNS {
        for words in [&zh, &en] {
            assert!(words["export"]["detail"][key].is_string(), "{key}");
        }
    }
    for code in super::FigureCode::ALL {
        for words in [&zh, &en] {
            assert!(words["figure"][code.key()].is_string() && words["meaning"][code.key()].is_string());
        }
    }
}
