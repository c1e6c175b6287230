#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::{Path, PathBuf};

use aftercare_domain::access::Role;
use calamine::{Data, Range, Reader, Xlsx, open_workbook};
use rust_xlsxwriter::{Format, Formula, Workbook};
use serde_json::{Value, json};
use uuid::Uuid;

use super::voice::MONTH;
use crate::change_log::{
    CALL, COMPLAINT, ENCOUNTER, ENROLMENT, PATIENT, PHONE, RESPONSE, SURVEY_SHEET, TASK,
};
use crate::testing::{Desk, PASSWORD};
use crate::words::Language;

fn millis(day: &str) -> i64 {
    format!("{day}T02:00:00Z").parse::<chrono::DateTime<chrono::Utc>>().unwrap().timestamp_millis()
}

/// A discharge in October with a task due on the 12th.
#[derive(Clone, Copy)]
struct Stay {
    patient: Uuid,
    encounter: Uuid,
    task: Uuid,
}

fn discharged(desk: &Desk, name: &str, department: &str) -> Stay {
    let ctx = desk.ctx();
    let [patient, encounter, enrolment, task] = [(); 4].map(|()| ctx.new_id());
    ctx.write(|w| {
        let site: Uuid = w.connection().query_row("SELECT site_id FROM desk", [], |row| row.get(0))?;
        let phone = w.new_id();
        w.create(
            &PATIENT,
            patient,
            &[
                ("name", name.into()),
                ("mrn", "00123456".into()),
                ("id_number", "11010519491231002X".into()),
                ("site_id", site.into()),
            ],
        )?;
        w.create(&PHONE, phone, &[("patient_id", patient.into()), ("number", "13800138000".into())])?;
        w.create(
            &ENCOUNTER,
            encounter,
            &[
                ("patient_id", patient.into()),
                ("visit_no", "0007".into()),
                ("department", department.into()),
                ("doctor", "赵医生".into()),
                ("discharged_at", "2026-10-05 10:30".into()),
                ("discharged_on", "2026-10-05".into()),
                ("disposition", "1".into()),
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
                ("anchor_on", "2026-10-05".into()),
                ("why", "diagnosis".into()),
                ("started_at", millis("2026-10-05").into()),
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
                ("due_on", "2026-10-12".into()),
                ("window_starts_on", "2026-10-10".into()),
                ("window_ends_on", "2026-10-15".into()),
                ("status", "open".into()),
                ("assigned_to", ctx.user_id().into()),
            ],
        )
    })
    .unwrap();
    Stay { patient, encounter, task }
}

/// The patient is reached, answers, and the task is done.
fn called(desk: &Desk, stay: Stay, on: &str) {
    let ctx = desk.ctx();
    let user = ctx.user_id();
    ctx.write(|w| {
        let [call, response] = [w.new_id(), w.new_id()];
        w.create(
            &CALL,
            call,
            &[
                ("patient_id", stay.patient.into()),
                ("task_id", stay.task.into()),
                ("tasks", json!([stay.task]).to_string().into()),
                ("number", "13800138000".into()),
                ("called_at", millis(on).into()),
                ("called_on", on.into()),
                ("talk_seconds", 95_i64.into()),
                ("outcome", "reached".into()),
                ("user_id", user.into()),
            ],
        )?;
        w.create(
            &RESPONSE,
            response,
            &[
                ("task_id", stay.task.into()),
                ("patient_id", stay.patient.into()),
                ("encounter_id", stay.encounter.into()),
                ("call_id", call.into()),
                ("plan_code", "HTN".into()),
                ("plan_version", 1_i64.into()),
                ("form", "full".into()),
                ("answers", "{}".into()),
                ("results", "{}".into()),
                ("responded_at", millis(on).into()),
                ("responded_on", on.into()),
                ("user_id", user.into()),
            ],
        )?;
        let done = [("status", "done".into()), ("ended_at", millis(on).into())];
        w.command(&TASK, stay.task, "done", &done).map(|_| ())
    })
    .unwrap();
}

fn complained(desk: &Desk, kind: &str, replied_on: Option<&str>) {
    let ctx = desk.ctx();
    let user = ctx.user_id();
    ctx.write(|w| {
        let id = w.new_id();
        w.create(
            &COMPLAINT,
            id,
            &[
                ("number", "2026-7K3F-00012".into()),
                ("kind", kind.into()),
                ("received_at", millis("2026-10-08").into()),
                ("received_on", "2026-10-08".into()),
                ("first_receiver", "Alice".into()),
                ("registered_at", millis("2026-10-08").into()),
                ("registered_by", user.into()),
                ("channel", "phone".into()),
                ("departments", json!(["心血管内科", "护理部"]).to_string().into()),
                ("category", "MED".into()),
                ("summary", "等候太久".into()),
                ("severity", "B".into()),
                ("status", "replying".into()),
                ("due_on", "2026-10-15".into()),
                ("replied_at", replied_on.map(millis).into()),
            ],
        )
    })
    .unwrap();
}

fn surveyed(desk: &Desk, points: i64, overall: i64, nps: i64) {
    let ctx = desk.ctx();
    let user = ctx.user_id();
    ctx.write(|w| {
        let site: Uuid = w.connection().query_row("SELECT site_id FROM desk", [], |row| row.get(0))?;
        let id = w.new_id();
        w.create(
            &SURVEY_SHEET,
            id,
            &[
                ("root_id", id.into()),
                ("kind", "inpatient".into()),
                ("form_code", "SAT_IN".into()),
                ("form_version", 1_i64.into()),
                ("channel", "paper".into()),
                ("site_id", site.into()),
                ("department", "心血管内科".into()),
                ("doctor", "赵医生".into()),
                ("answered_on", "2026-10-09".into()),
                ("answers", "{}".into()),
                ("results", "{}".into()),
                ("points", points.into()),
                ("valid", 1_i64.into()),
                ("overall", overall.into()),
                ("nps", nps.into()),
                ("entered_at", millis("2026-10-09").into()),
                ("entered_by", user.into()),
            ],
        )
    })
    .unwrap();
}

/// October: three discharges of two departments, one followed up; a complaint answered in time, one late, praise; two sheets.
fn october(desk: &Desk) -> [Stay; 3] {
    let stays = [
        discharged(desk, "王小明", "心血管内科"),
        discharged(desk, "李小红", "心血管内科"),
        discharged(desk, "张三", "骨科"),
    ];
    called(desk, stays[0], "2026-10-12");
    complained(desk, "complaint", Some("2026-10-14"));
    complained(desk, "complaint", Some("2026-10-20"));
    complained(desk, "praise", None);
    surveyed(desk, 45_000, 5, 10);
    surveyed(desk, 30_000, 3, 5);
    stays
}

const ALL: [&str; 6] = ["followup", "complaints", "satisfaction", "workload", "doctors", "departments"];

fn request(desk: &Desk, name: &str, sheets: &[&str]) -> (Value, PathBuf) {
    let path = desk.home.path().join(name);
    let request = json!({ "month": "2026-10", "sheets": sheets, "path": path, "password": PASSWORD, "reason": "十月月报",
                          "reveal": false, "language": "zh-CN" });
    (request, path)
}

fn sheet(path: &Path, name: &str) -> Range<Data> {
    let mut book: Xlsx<_> = open_workbook(path).unwrap();
    book.worksheet_range(name).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The row that begins with a text.
fn row(sheet: &Range<Data>, first: &str) -> Vec<Data> {
    let found = sheet.rows().find(|row| row[0] == Data::String(first.to_owned()));
    found.unwrap_or_else(|| panic!("{first} in {sheet:?}")).to_vec()
}

fn figure(answer: &Value, code: &str) -> (i64, i64) {
    let figure = answer["figures"].as_array().unwrap().iter().find(|one| one["code"] == code).unwrap();
    (figure["numerator"].as_i64().unwrap(), figure["denominator"].as_i64().unwrap())
}

fn months(desk: &Desk) -> Value {
    desk.call("reports_month", json!({ "month": "2026-10" }))
}

#[test]
fn octobers_workbook_says_what_the_screen_says_and_ties_to_its_rows() {
    let desk = Desk::new();
    october(&desk);
    let (request, path) = request(&desk, "october.xlsx", &ALL);
    let done = desk.call("reports_month_export", request);
    assert_eq!((done["rows"].as_i64(), done["freeze"].clone()), (Some(3 + 3 + 1 + 3 + 2), Value::Null));

    let book: Xlsx<_> = open_workbook(&path).unwrap();
    let names = [
        "说明",
        "随访",
        "投诉",
        "满意度",
        "工作量",
        "医生",
        "科室",
        "出院明细",
        "随访明细",
        "外呼明细",
        "异常明细",
        "投诉明细",
        "满意度明细",
        "核对",
    ];
    assert_eq!(book.sheet_names(), names);
    let month = months(&desk);
    let scope = json!({ "from": "2026-10-01", "to": "2026-10-31", "department": null });
    let screen = desk.call("reports_figures", json!({ "scope": scope }));
    let complaints = desk.call("complaints_figures", json!({ "from": "2026-10-01", "to": "2026-10-31" }));
    for (code, own) in [
        ("followup_ratio", "FU_RATIO"),
        ("completion", "FU_DUE_RATE"),
        ("connection_by_call", "CONN_CALL"),
        ("lost", "LOST_RATE"),
    ] {
        assert_eq!(figure(&screen, code), figure(&month, own), "{code}");
    }
    assert_eq!(figure(&month, "CPL_ONTIME"), (1, 2));
    assert_eq!(complaints["in_time"], json!({ "part": 1, "whole": 2 }));
    assert_eq!(figure(&month, "SAT_RATE"), (1, 2));

    let followup = sheet(&path, "随访");
    assert_eq!(
        row(&followup, "出院患者随访比例")[1..4],
        [Data::Float(1.0), Data::Float(3.0), Data::Float(1.0 / 3.0)]
    );
    let satisfaction = sheet(&path, "满意度");
    assert_eq!(row(&satisfaction, "满意度得分（0–100）")[1], Data::Float(75.0));
    assert_eq!(row(&satisfaction, "净推荐值")[1], Data::Float(0.0));
    assert_eq!(row(&sheet(&path, "投诉"), "医疗质量与安全")[1], Data::Float(2.0));
    assert_eq!(row(&sheet(&path, "科室"), "骨科")[1..3], [Data::Float(1.0), Data::Float(0.0)]);
    assert_eq!(row(&sheet(&path, "工作量"), "Alice")[1..3], [Data::Float(1.0), Data::Float(1.0)]);
    let reconciliation = sheet(&path, "核对");
    let differences: Vec<&Data> = reconciliation.rows().skip(2).map(|row| &row[4]).collect();
    assert!(
        differences.len() > 30
            && differences.iter().all(|cell| **cell == Data::Float(0.0) || **cell == Data::Empty)
    );
}

#[test]
fn rows_hold_real_dates_and_numbers_that_stay_text_and_nothing_unmasked() {
    let desk = Desk::new();
    october(&desk);
    let (request, path) = request(&desk, "october.xlsx", &["followup"]);
    desk.call("reports_month_export", request);
    let discharges = sheet(&path, "出院明细");
    let first = discharges.rows().nth(2).unwrap().to_vec();
    assert_eq!(first[0], Data::String("00123456".into()));
    assert_eq!(first[1], Data::String("0007".into()));
    assert!(
        matches!(&first[6], Data::DateTime(day) if day.is_datetime() && (day.as_f64() - 46300.0).abs() < 1e-9),
        "{first:?}"
    );
    let tasks = sheet(&path, "随访明细");
    let row =
        tasks.rows().find(|row| matches!(&row[3], Data::String(phone) if phone.starts_with("138"))).unwrap();
    for cell in row {
        let text = cell.to_string();
        assert!(
            !text.contains("13800138000") && !text.contains("11010519491231002X") && !text.contains("小明"),
            "{text}"
        );
    }
}

#[test]
fn no_key_stands_where_a_word_should() {
    for (language, locale) in [(Language::Chinese, "zh-CN"), (Language::English, "en")] {
        let desk = Desk::new();
        let stays = october(&desk);
        desk.call("reports_month_freeze", json!({ "month": "2026-10" }));
        called(&desk, stays[1], "2026-10-14");
        let (mut request, path) = request(&desk, "october.xlsx", &ALL);
        request["language"] = json!(locale);
        desk.call("reports_month_export", request);
        let mut book: Xlsx<_> = open_workbook(&path).unwrap();
        for name in book.sheet_names() {
            assert!(!name.contains('.'), "{name}");
            for cell in book.worksheet_range(&name).unwrap().rows().skip(1).flatten() {
                if let Data::String(text) = cell {
                    let roots = [
                        "column.",
                        "figure.",
                        "meaning.",
                        "sum.",
                        "cover.",
                        "restated.",
                        "flag.",
                        "sheet.",
                        "detail.",
                        "population.",
                    ];
                    assert!(!roots.iter().any(|root| text.starts_with(root)), "{name}: {text}");
                }
            }
        }
        for placeholder in super::fill::placeholders(language) {
            let bad = ["column.", "figure.", "table.", "field.", "placeholder.", "cover.", "restated."];
            assert!(!bad.iter().any(|root| placeholder.meaning.contains(root)), "{placeholder:?}");
        }
    }
    assert_eq!(MONTH.keys(Language::Chinese), MONTH.keys(Language::English));
}

#[test]
fn a_frozen_month_keeps_its_figures_and_says_what_came_later() {
    let desk = Desk::new();
    let stays = october(&desk);
    let frozen = desk.call("reports_month_freeze", json!({ "month": "2026-10" }));
    assert_eq!((frozen["in_force"].as_bool(), frozen["by"].as_str()), (Some(true), Some("Alice")));
    assert_eq!(
        desk.call("reports_month_restatement", json!({ "month": "2026-10" }))["restatement"]["counts"],
        json!([])
    );

    // A call that another desk had not sent yet, a complaint, and a discharge that turns out to be November's.
    desk.wait(chrono::Duration::days(1));
    called(&desk, stays[1], "2026-10-14");
    complained(&desk, "complaint", None);
    let moved = [("discharged_on", "2026-11-01".into())];
    desk.ctx().write(|w| w.update(&ENCOUNTER, stays[2].encounter, &moved).map(|_| ())).unwrap();

    assert_eq!(figure(&months(&desk), "FU_RATIO"), (1, 3), "frozen figures stay");
    let restated =
        desk.call("reports_month_restatement", json!({ "month": "2026-10" }))["restatement"].clone();
    let ratio = restated["figures"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["before"]["code"] == "FU_RATIO")
        .unwrap();
    assert_eq!(ratio["before"]["denominator"], 3);
    assert_eq!(
        (ratio["after"]["numerator"].as_i64(), ratio["after"]["denominator"].as_i64()),
        (Some(2), Some(2))
    );
    let count = |population: &str| {
        let counts = restated["counts"].as_array().unwrap();
        counts.iter().find(|one| one["population"] == population).cloned().unwrap_or_default()
    };
    assert_eq!((count("tasks")["changed"].as_i64(), count("calls")["came"].as_i64()), (Some(1), Some(1)));
    assert_eq!(
        (count("discharges")["gone"].as_i64(), count("discharges")["changed"].as_i64()),
        (Some(1), Some(1))
    );
    assert_eq!(count("complaints")["came"], 1);
    assert_eq!(restated["elsewhere"], 0);

    let (request, path) = request(&desk, "october.xlsx", &ALL);
    let done = desk.call("reports_month_export", request);
    assert_eq!(done["freeze"], frozen["id"]);
    assert_eq!(row(&sheet(&path, "随访"), "出院患者随访比例")[1..3], [Data::Float(1.0), Data::Float(3.0)]);
    assert_eq!(sheet(&path, "出院明细").rows().count(), 2 + 3, "the rows that were counted then");
    let later = sheet(&path, "月结后更正");
    assert_eq!(
        row(&later, "出院患者随访比例")[1..3],
        [Data::String("1 / 3".into()), Data::String("2 / 2".into())]
    );
    assert!(
        later
            .rows()
            .any(|row| row[0] == Data::String("外呼".into()) && row[4] == Data::String("月结后到达".into()))
    );
}

#[test]
fn a_month_is_frozen_again_only_with_a_reason_and_the_first_is_kept() {
    let desk = Desk::new();
    october(&desk);
    assert_eq!(desk.refused("reports_month_freeze", json!({ "month": "2026-11" })), "month_not_over");
    assert_eq!(desk.refused("reports_month_freeze", json!({ "month": "2026-13" })), "invalid");
    let first = desk.call("reports_month_freeze", json!({ "month": "2026-10" }));
    assert_eq!(
        desk.refused("reports_month_freeze", json!({ "month": "2026-10", "reason": " " })),
        "month_frozen"
    );
    desk.wait(chrono::Duration::hours(1));
    complained(&desk, "complaint", None);
    let second = desk.call("reports_month_freeze", json!({ "month": "2026-10", "reason": "东院区补传" }));
    assert_eq!(second["supersedes"], first["id"]);
    let month = months(&desk);
    let freezes = month["freezes"].as_array().unwrap();
    assert_eq!(
        freezes.iter().map(|one| one["in_force"].as_bool().unwrap()).collect::<Vec<_>>(),
        [true, false]
    );
    assert_eq!((figure(&freezes[0], "CPL_ONTIME").1, figure(&freezes[1], "CPL_ONTIME").1), (3, 2));
    desk.add("nina", &[Role::Nurse]);
    desk.login("nina").unwrap();
    assert_eq!(
        desk.refused("reports_month_freeze", json!({ "month": "2026-10", "reason": "x" })),
        "forbidden"
    );
}

#[test]
fn rows_of_a_freeze_that_are_not_here_stay_as_they_were_frozen() {
    let desk = Desk::new();
    let stays = october(&desk);
    desk.call("reports_month_freeze", json!({ "month": "2026-10" }));
    // As on a desk of another site, or after an erasure: the record is not here.
    crate::testing::raw_connection(&desk.app)
        .execute("DELETE FROM encounter WHERE id = ?1", [stays[0].encounter])
        .unwrap();
    let restated =
        desk.call("reports_month_restatement", json!({ "month": "2026-10" }))["restatement"].clone();
    assert_eq!(restated["elsewhere"], 1);
    let ratio = restated["figures"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["before"]["code"] == "FU_RATIO")
        .unwrap();
    assert_eq!(ratio["before"], ratio["after"]);
    let (request, path) = request(&desk, "october.xlsx", &["doctors"]);
    desk.call("reports_month_export", request);
    assert_eq!(sheet(&path, "出院明细").rows().count(), 2 + 3);
}

#[test]
fn a_freeze_that_was_altered_is_refused() {
    let desk = Desk::new();
    october(&desk);
    desk.call("reports_month_freeze", json!({ "month": "2026-10" }));
    crate::testing::raw_connection(&desk.app)
        .execute("UPDATE report_freeze_rows SET lines = zeroblob(64) WHERE population = 'calls'", [])
        .unwrap();
    assert_eq!(desk.refused("reports_month", json!({ "month": "2026-10" })), "freeze_damaged");
}

/// The hospital's form: a title, a figure, a table of departments with a sum.
fn form(desk: &Desk, figure: &str) -> PathBuf {
    let path = desk.home.path().join("form.xlsx");
    let mut book = Workbook::new();
    let sheet = book.add_worksheet().set_name("月报").unwrap();
    sheet.write_with_format(0, 0, "{{hospital}} {{month}}", &Format::new().set_bold()).unwrap();
    sheet.write(1, 0, figure).unwrap();
    sheet
        .write_row(3, 0, ["{{departments.name}}", "{{departments.discharges}}", "{{departments.ratio}}"])
        .unwrap();
    sheet.write(4, 1, Formula::new("=SUM(B4:B4)")).unwrap();
    book.save(&path).unwrap();
    path
}

#[test]
fn the_hospitals_own_form_is_filled() {
    let desk = Desk::new();
    october(&desk);
    let template = form(&desk, "{{FU_RATIO.num}}");
    let before = std::fs::read(&template).unwrap();
    let (mut request, path) = request(&desk, "filled.xlsx", &[]);
    request["template"] = json!(template);
    let done = desk.call("reports_month_export", request.clone());
    assert_eq!(done["rows"], 2 + 2 * 3);
    let filled = sheet(&path, "月报");
    assert_eq!(filled.get_value((0, 0)), Some(&Data::String("测试医院 2026年10月".into())));
    assert_eq!(filled.get_value((1, 0)), Some(&Data::Float(1.0)));
    assert_eq!(row(&filled, "心血管内科")[1..3], [Data::Float(2.0), Data::Float(0.5)]);
    let mut book: Xlsx<_> = open_workbook(&path).unwrap();
    assert_eq!(book.worksheet_formula("月报").unwrap().get_value((5, 1)), Some(&"SUM(B4:B5)".to_owned()));
    assert_eq!(std::fs::read(&template).unwrap(), before);

    request["path"] = json!(template);
    assert_eq!(
        desk.refused("reports_month_export", request),
        "invalid",
        "the form itself is never written over"
    );
}

#[test]
fn a_form_with_a_wrong_placeholder_is_named_by_sheet_and_cell_and_nothing_is_written() {
    let desk = Desk::new();
    october(&desk);
    for (figure, code, name) in [
        ("{{FU_RATE}}", "template_unknown", Some("FU_RATE")),
        ("{{FU_RATIO}} {{FU_RATIO}}", "template_doubled", Some("FU_RATIO")),
        ("{{#doctors}}{{name}}", "template_not_closed", Some("doctors")),
        ("{{/doctors}}", "template_not_opened", Some("doctors")),
        ("{{month", "template_broken", None),
    ] {
        let template = form(&desk, figure);
        let (mut request, path) = request(&desk, "filled.xlsx", &[]);
        request["template"] = json!(template);
        let error = desk.app.call("reports_month_export", request).unwrap_err();
        assert_eq!(error.code.as_str(), code);
        let params = serde_json::to_value(&error).unwrap()["params"].clone();
        assert_eq!(
            (params["sheet"].as_str(), params["cell"].as_str()),
            (Some("月报"), Some("A2")),
            "{figure}"
        );
        assert_eq!(params["name"].as_str(), name);
        assert!(!path.exists());
    }
}

#[test]
fn the_example_fills_with_a_frozen_month() {
    for (locale, sheet_name) in [("zh-CN", "月报"), ("en", "Month")] {
        let desk = Desk::new();
        october(&desk);
        desk.call("reports_month_freeze", json!({ "month": "2026-10" }));
        let example = desk.home.path().join("example.xlsx");
        desk.call("reports_month_example", json!({ "path": example, "language": locale }));
        let (mut request, path) = request(&desk, "filled.xlsx", &[]);
        request["template"] = json!(example);
        request["language"] = json!(locale);
        desk.call("reports_month_export", request);
        let filled = sheet(&path, sheet_name);
        let left = filled.rows().flatten().filter(|cell| cell.to_string().contains("{{")).count();
        assert_eq!(left, 0);
        assert!(filled.rows().any(|row| row[0] == Data::String("骨科".into())));
    }
}

#[test]
fn named_reports_are_kept_and_removed() {
    let desk = Desk::new();
    let saved = desk.call(
        "reports_definition_save",
        json!({ "id": null, "name": " 院办 ", "sheets": ["departments", "followup"] }),
    );
    assert_eq!(
        months(&desk)["definitions"],
        json!([{ "id": saved["id"], "name": "院办", "sheets": ["departments", "followup"] }])
    );
    for sheets in [json!([]), json!(["followup", "followup"])] {
        assert_eq!(
            desk.refused("reports_definition_save", json!({ "id": null, "name": "x", "sheets": sheets })),
            "invalid"
        );
    }
    desk.call("reports_definition_remove", json!({ "id": saved["id"] }));
    assert_eq!(months(&desk)["definitions"], json!([]));
}

#[test]
fn an_export_needs_password_reason_and_the_right_to_reveal() {
    let desk = Desk::new();
    october(&desk);
    let (request, path) = request(&desk, "october.xlsx", &["followup"]);
    let with = |field: &str, value: Value| {
        let mut request = request.clone();
        request[field] = value;
        request
    };
    assert_eq!(desk.refused("reports_month_export", with("password", json!("wrong"))), "wrong_password");
    for (field, value) in [
        ("reason", json!(" ")),
        ("path", json!("october.xls")),
        ("sheets", json!([])),
        ("month", json!("2026-1")),
    ] {
        assert_eq!(desk.refused("reports_month_export", with(field, value)), "invalid", "{field}");
    }
    assert!(!path.exists());
}
