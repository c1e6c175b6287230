//! Stories of surveys: alice supervises and draws, bob calls and types in, dora heads a department.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use aftercare_domain::access::Role;
use chrono::{Days, NaiveDate};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{By, Scope};
use crate::change_log::{ENCOUNTER, PATIENT, PHONE};
use crate::testing::{Desk, PASSWORD};

const HEART: &str = "心血管内科";
const BONES: &str = "骨科";

struct Office {
    desk: Desk,
}

fn id_of(value: &Value) -> Uuid {
    value.as_str().unwrap().parse().unwrap()
}

/// Answers to every item of the outpatient form, and the questions for the whole.
fn opd(item: &str, odd: &str, overall: &str, nps: i32) -> Value {
    let mut answers = serde_json::Map::new();
    for number in 1..=13 {
        let code = if number == 1 { odd } else { item };
        answers.insert(format!("o{number}"), json!({ "type": "single", "value": code }));
    }
    answers.insert("o_overall".into(), json!({ "type": "single", "value": overall }));
    answers.insert("o_nps".into(), json!({ "type": "scale", "value": nps }));
    answers.insert("o_return".into(), json!({ "type": "single", "value": "yes" }));
    Value::Object(answers)
}

impl Office {
    fn new() -> Self {
        let desk = Desk::new();
        desk.add("bob", &[Role::Nurse]);
        desk.add("dora", &[Role::DepartmentHead]);
        desk.login("bob").unwrap();
        Self { desk }
    }

    /// A patient with a stay that ended on `day`; gives patient, phone and stay.
    fn stay(&self, name: &str, department: &str, day: &str) -> (Uuid, Uuid, Uuid) {
        let ctx = self.desk.ctx();
        let (patient, phone, stay) = (ctx.new_id(), ctx.new_id(), ctx.new_id());
        ctx.write(|w| {
            let site: Uuid = w.connection().query_row("SELECT site_id FROM desk", [], |row| row.get(0))?;
            w.create(
                &PATIENT,
                patient,
                &[
                    ("name", name.into()),
                    ("sex", "1".into()),
                    ("birth_on", "1966-03-01".into()),
                    ("site_id", site.into()),
                ],
            )?;
            w.create(&PHONE, phone, &[("patient_id", patient.into()), ("number", "13800138000".into())])?;
            w.create(
                &ENCOUNTER,
                stay,
                &[
                    ("patient_id", patient.into()),
                    ("department", department.into()),
                    ("doctor", "王医生".into()),
                    ("admitted_at", "2026-11-01 08:00".into()),
                    ("discharged_at", format!("{day} 10:00").into()),
                    ("discharged_on", day.into()),
                    ("disposition", "1".into()),
                ],
            )
        })
        .unwrap();
        (patient, phone, stay)
    }

    fn paper(&self, more: Value) -> Value {
        let mut request = json!({
            "id": Uuid::now_v7(), "channel": "paper", "kind": "outpatient", "form_code": "SAT_OPD",
            "head": { "department": HEART, "answered_on": "2026-11-10" }, "answers": opd("4", "5", "4", 9),
        });
        for (name, value) in more.as_object().unwrap() {
            if name == "head" {
                for (field, value) in value.as_object().unwrap() {
                    request["head"][field] = value.clone();
                }
            } else {
                request[name] = value.clone();
            }
        }
        request
    }

    fn save(&self, more: Value) -> Value {
        self.desk.call("surveys_sheet_save", self.paper(more))
    }

    /// The refused fields with their codes.
    fn fields(&self, command: &str, request: Value) -> Vec<String> {
        let error = self.desk.app.call(command, request).expect_err(command);
        error.fields.iter().map(|field| format!("{} {}", field.field, field.code.as_str())).collect()
    }

    fn results(&self, more: Value) -> Value {
        let mut scope = json!({ "from": "2026-01-01", "to": "2026-11-30" });
        for (name, value) in more.as_object().unwrap() {
            scope[name] = value.clone();
        }
        self.desk.call("surveys_results", json!({ "scope": scope }))
    }

    fn count(&self, of: &str) -> Value {
        let scope = json!({ "from": "2026-01-01", "to": "2026-11-30" });
        self.desk.call("surveys_rows", json!({ "scope": scope, "of": of, "limit": 50 }))["total"].clone()
    }

    fn text(&self, sql: &str) -> String {
        self.desk.ctx().read(|c| Ok(c.query_row(sql, [], |row| row.get(0))?)).unwrap()
    }
}

#[test]
fn bob_types_in_a_batch_of_paper_and_the_figures_follow_with_their_rows() {
    let office = Office::new();
    for (number, day) in ["2026-08-03", "2026-09-14", "2026-11-10"].iter().enumerate() {
        for sheet in 0..12 {
            let (overall, nps) = if sheet < 9 { ("5", 10) } else { ("3", 5) };
            office.save(json!({
                "head": { "sheet_no": format!("A{number}{sheet:02}"), "answered_on": day, "caller": "李志愿" },
                "answers": opd("4", "5", overall, nps),
            }));
        }
    }
    let small = office.save(json!({ "head": { "department": BONES } }));
    assert_eq!(small["invalid"], Value::Null);

    let found = office.results(json!({}));
    let whole = &found["whole"]["measures"];
    assert_eq!(
        (&whole["sheets"], &whole["valid"], &whole["good"], &whole["rated"]),
        (&json!(37), &json!(37), &json!(28), &json!(37))
    );
    assert_eq!(
        (&whole["promoters"], &whole["detractors"], &whole["recommending"]),
        (&json!(28), &json!(9), &json!(37))
    );
    for (of, counted) in
        [("sheets", 37), ("good", 28), ("rated", 37), ("promoters", 28), ("detractors", 9), ("come_back", 37)]
    {
        assert_eq!(office.count(of), counted, "{of}");
    }
    // The months in their order, by the day on the paper and not by that of typing.
    let months: Vec<&str> =
        found["months"].as_array().unwrap().iter().map(|m| m["key"].as_str().unwrap()).collect();
    assert_eq!(months, ["2026-08", "2026-09", "2026-11"]);
    assert!(found["months"][0]["figures"]["score"]["low"].as_f64().unwrap() > 20.0);
    // Enough sheets get a place, few are marked.
    let departments = found["departments"].as_array().unwrap();
    assert_eq!((&departments[0]["key"], &departments[0]["rank"]), (&json!(HEART), &json!(1)));
    assert_eq!((&departments[1]["rank"], &departments[1]["figures"]["small"]), (&Value::Null, &json!(true)));
    // By dimension, named, in the questionnaire's order; registration has one 5 and one 4.
    let first = &found["dimensions"][0];
    assert_eq!((&first["key"], &first["name"]["zh"]), (&json!("REG"), &json!("挂号体验")));
    assert!((first["figures"]["score"]["value"].as_f64().unwrap() - 90.0).abs() < 1e-9);
    let rows = office.desk.call(
        "surveys_rows",
        json!({ "scope": { "from": "2026-08-01", "to": "2026-08-31" }, "of": "sheets", "dimension": "REG", "limit": 5 }),
    );
    assert_eq!((rows["total"].clone(), rows["rows"].as_array().unwrap().len()), (json!(12), 5));
    assert_eq!(rows["rows"][0]["caller"], "李志愿");
    assert!(rows["next_cursor"].is_string());
}

#[test]
fn what_does_not_fit_names_its_field_and_leaves_nothing() {
    let office = Office::new();
    let (patient, _, stay) = office.stay("王伟", HEART, "2026-11-10");
    let (other, ..) = office.stay("李静", HEART, "2026-11-10");
    let mut odd = opd("4", "5", "4", 11);
    odd["o3"] = json!({ "type": "single", "value": "6" });
    odd["x9"] = json!({ "type": "bool", "value": true });
    for (request, expected) in [
        (
            json!({ "answers": odd }),
            vec!["answers.x9 not_allowed", "answers.o3 bad_answer", "answers.o_nps bad_answer"],
        ),
        (json!({ "head": { "answered_on": "2026-11-17" } }), vec!["head.answered_on in_future"]),
        (json!({ "head": { "answered_on": "2026-02-30" } }), vec!["head.answered_on bad_date"]),
        (json!({ "head": { "visited_on": "2026-11-12" } }), vec!["head.answered_on before_visit"]),
        (
            json!({ "head": { "patient_id": patient, "encounter_id": stay, "answered_on": "2026-11-09" } }),
            vec!["head.answered_on before_visit"],
        ),
        (
            json!({ "head": { "patient_id": other, "encounter_id": stay } }),
            vec!["head.encounter_id not_found"],
        ),
        (json!({ "head": { "department": "" } }), vec!["head.department required"]),
        (json!({ "answers": {} }), vec!["answers required"]),
        (json!({ "form_code": "general" }), vec!["form_code not_allowed"]),
        (json!({ "channel": "phone" }), vec!["channel not_allowed"]),
        (json!({ "head": { "seconds": -1 } }), vec!["head.seconds bad_number"]),
    ] {
        assert_eq!(office.fields("surveys_sheet_save", office.paper(request)), expected);
    }
    assert_eq!(office.count("sheets"), 0);
    assert_eq!(office.text("SELECT count(*) || '' FROM survey_total"), "0");
    let scope = json!({ "scope": { "from": "2026-11-30", "to": "2026-11-01" } });
    assert_eq!(office.fields("surveys_results", scope), ["scope.to bad_date"]);
}

#[test]
fn a_number_typed_twice_is_asked_about_and_a_click_sent_twice_is_one_sheet() {
    let office = Office::new();
    let sheet = office.paper(json!({ "head": { "sheet_no": "B-17" } }));
    office.desk.call("surveys_sheet_save", sheet.clone());
    office.desk.call("surveys_sheet_save", sheet.clone());
    assert_eq!(office.count("sheets"), 1);
    let again = office.paper(json!({ "head": { "sheet_no": "B-17" } }));
    assert_eq!(office.fields("surveys_sheet_save", again), ["sheet_no taken"]);
    office.save(json!({ "head": { "sheet_no": "B-17" }, "again": true }));
    assert_eq!(office.count("sheets"), 2);
}

#[test]
fn a_low_sheet_opens_one_recovery_and_the_alerts_once() {
    let office = Office::new();
    let (patient, _, stay) = office.stay("王伟", HEART, "2026-11-10");
    let head = json!({ "patient_id": patient, "encounter_id": stay, "answered_on": "2026-11-12", "department": "", "sheet_no": "L1" });
    let saved = office.save(json!({ "head": head, "answers": opd("2", "1", "2", 3) }));
    assert_eq!((&saved["recovery"], &saved["low"]), (&json!(true), &json!(true)));
    assert_eq!(saved["alerts"], json!(["bad_experience", "detractor"]));
    let list = office.desk.call("followup_worklist", json!({ "limit": 10 }));
    assert_eq!(id_of(&list["rows"][0]["patient_id"]), patient);
    let opened = office.desk.call("followup_open", json!({ "patient_id": patient, "look_only": true }));
    assert_eq!(opened["tasks"][0]["kind"], "recovery");
    assert!(
        opened["tasks"][0]["remark"].as_str().unwrap().contains(HEART),
        "the stay's department was taken over"
    );

    // A correction that is still low opens nothing more.
    let mut answers = opd("2", "2", "2", 4);
    answers["o_text"] = json!({ "type": "text", "value": "收红包" });
    let corrected = office
        .desk
        .call("surveys_sheet_correct", json!({ "id": saved["id"], "why": "看错一格", "answers": answers }));
    assert_eq!(corrected["alerts"], json!(["grave_words"]), "only what was not raised before");
    assert_eq!(office.text("SELECT count(*) || '' FROM task WHERE kind = 'recovery'"), "1");
    let prefill = office.desk.call("complaints_prefill", json!({ "sheet_id": corrected["id"] }));
    assert_eq!(prefill["form"]["departments"], json!([HEART]));
    assert_eq!(prefill["form"]["patient_name"], "王伟");

    // Nobody to call: said, and nothing opened.
    let nameless = office.save(json!({ "answers": opd("2", "1", "2", 3) }));
    assert_eq!((&nameless["recovery"], &nameless["low"]), (&json!(false), &json!(true)));
}

#[test]
fn a_correction_counts_instead_and_keeps_who_asked() {
    let office = Office::new();
    let saved = office.save(json!({ "head": { "caller": "李志愿" }, "answers": opd("5", "4", "5", 10) }));
    let head = json!({ "department": BONES, "answered_on": "2026-10-02", "caller": "别人" });
    let done = office.desk.call(
        "surveys_sheet_correct",
        json!({ "id": saved["id"], "why": "科室录错", "head": head, "answers": opd("3", "4", "3", 6) }),
    );
    let found = office.results(json!({}));
    assert_eq!(found["whole"]["measures"]["sheets"], 1);
    assert_eq!(found["departments"][0]["key"], BONES);
    assert_eq!(found["months"][0]["key"], "2026-10");
    let opened = office.desk.call("surveys_sheet_open", json!({ "id": saved["id"] }));
    assert_eq!((&opened["row"]["id"], &opened["row"]["caller"]), (&done["id"], &json!("李志愿")));
    assert_eq!(opened["versions"].as_array().unwrap().len(), 2);
    // The old one cannot be corrected a second time; only who manages takes sheets back.
    let late = json!({ "id": saved["id"], "why": "再改" });
    assert_eq!(office.desk.refused("surveys_sheet_correct", late), "conflict");
    let back = json!({ "id": done["id"], "why": "重复录入", "withdraw": true });
    assert_eq!(office.desk.refused("surveys_sheet_correct", back.clone()), "forbidden");
    office.desk.login("alice").unwrap();
    office.desk.call("surveys_sheet_correct", back);
    assert_eq!(office.results(json!({}))["whole"]["measures"]["sheets"], 0);
    assert_eq!(office.count("sheets"), 0);
}

#[test]
fn alice_draws_a_round_and_bob_calls_it_through_the_desk() {
    let office = Office::new();
    let mut phones = Vec::new();
    for number in 0..6 {
        phones.push(office.stay(
            &format!("病人{number}"),
            if number < 4 { HEART } else { BONES },
            "2026-11-12",
        ));
    }
    let (dead, ..) = office.stay("故人", HEART, "2026-11-12");
    let ctx = office.desk.ctx();
    ctx.write(|w| w.update(&PATIENT, dead, &[("deceased", true.into())])).unwrap();
    let frame = json!({ "kind": "inpatient", "visits_from": "2026-11-01", "visits_to": "2026-11-15", "method": "sample", "seed": 7, "per_department": 2 });
    assert_eq!(office.desk.refused("surveys_preview", frame.clone()), "forbidden");
    office.desk.login("alice").unwrap();
    let preview = office.desk.call("surveys_preview", frame.clone());
    assert_eq!((&preview["frame"], &preview["drawn"]), (&json!(7), &json!(4)));
    assert_eq!(preview["left_out"], json!([{ "why": "deceased", "count": 1 }]));
    let request = json!({ "title": "11 月出院患者", "form_code": "SAT_IPD", "frame": frame });
    let round = office.desk.call("surveys_round_make", request.clone());
    assert_eq!((&round["invited"], &round["open"]), (&json!(4), &json!(4)));
    // Whoever waits to be asked is not drawn again.
    let second = office.desk.call("surveys_preview", frame);
    assert_eq!(
        second["left_out"],
        json!([{ "why": "deceased", "count": 1 }, { "why": "surveyed_lately", "count": 4 }])
    );

    office.desk.login("bob").unwrap();
    let queue = office.desk.call("surveys_queue", json!({ "round_id": round["id"] }));
    let invites = queue["invites"].as_array().unwrap().clone();
    let phone_of = |invite: &Value| {
        phones.iter().find(|(patient, ..)| *patient == id_of(&invite["patient_id"])).unwrap().1
    };
    // Nobody answers: later again, and the call is in the patient's history.
    let first = &invites[0];
    let dialled = office
        .desk
        .call("followup_dial", json!({ "patient_id": first["patient_id"], "phone_id": phone_of(first) }));
    let missed = json!({
        "invite_id": first["id"], "call_id": Uuid::now_v7(), "call_token": dialled["call_token"],
        "phone_id": phone_of(first), "reason": "NOANS",
    });
    let saved = office.desk.call("surveys_call_save", missed.clone());
    assert_eq!(saved["status"], "open");
    assert!(saved["next_try_at"].is_number());
    office.desk.call("surveys_call_save", missed);
    assert_eq!(office.text("SELECT count(*) || '' FROM call"), "1", "a click sent twice is one call");
    // The next answers, within the time of reading.
    let second = &invites[1];
    let mut answers = serde_json::Map::new();
    for number in 1..=18 {
        let code = if number == 2 { "5" } else { "4" };
        answers.insert(format!("i{number}"), json!({ "type": "single", "value": code }));
    }
    answers.insert("i_nps".into(), json!({ "type": "scale", "value": 9 }));
    let call = json!({
        "invite_id": second["id"], "call_id": Uuid::now_v7(), "phone_id": phone_of(second), "reason": null,
        "answers": answers, "seconds": 120,
    });
    let saved = office.desk.call("surveys_call_save", call.clone());
    assert_eq!((&saved["status"], &saved["sheet"]["invalid"]), (&json!("answered"), &Value::Null));
    let mut again = call;
    again["call_id"] = json!(Uuid::now_v7());
    assert_eq!(office.desk.refused("surveys_call_save", again), "conflict");
    let found = office.results(json!({ "kind": "inpatient" }));
    assert_eq!((&found["invited"], &found["answered"]), (&json!(4), &json!(1)));

    office.desk.login("alice").unwrap();
    let closed = office.desk.call("surveys_round_close", json!({ "id": round["id"] }));
    assert_eq!(
        (&closed["open"], &closed["unreached"], &closed["answered"]),
        (&json!(0), &json!(3), &json!(1))
    );
    assert_eq!(office.desk.refused("surveys_round_close", json!({ "id": round["id"] })), "conflict");
}

#[test]
fn a_head_sees_her_department_alone_and_answers_for_few_eyes_stay_with_few() {
    let office = Office::new();
    office.save(json!({}));
    let bones = office.save(json!({ "head": { "department": BONES } }));
    office.desk.login("dora").unwrap();
    assert_eq!(office.results(json!({}))["whole"]["measures"]["sheets"], 1);
    assert_eq!(office.count("sheets"), 1);
    let wanted = json!({ "scope": { "from": "2026-01-01", "to": "2026-11-30", "department": BONES } });
    assert_eq!(office.desk.refused("surveys_results", wanted), "forbidden");
    assert_eq!(office.desk.refused("surveys_sheet_open", json!({ "id": bones["id"] })), "not_found");
    assert_eq!(office.desk.refused("surveys_sheet_save", office.paper(json!({}))), "forbidden");

    office.desk.login("bob").unwrap();
    let mut answers = serde_json::Map::new();
    for number in 1..=18 {
        answers.insert(
            format!("i{number}"),
            json!({ "type": "single", "value": if number % 2 == 0 { "5" } else { "4" } }),
        );
    }
    answers.insert("i_bribe".into(), json!({ "type": "bool", "value": true }));
    let saved = office.save(json!({ "kind": "inpatient", "form_code": "SAT_IPD", "answers": answers }));
    let hidden = || office.desk.call("surveys_sheet_open", json!({ "id": saved["id"] }))["hidden"].clone();
    assert_eq!(hidden(), 0, "bob typed it in himself");
    office.desk.login("dora").unwrap();
    assert_eq!(hidden(), 1);
}

#[test]
fn haste_and_one_option_throughout_do_not_count_until_the_hospital_says_so() {
    let office = Office::new();
    let hasty = json!({ "channel": "screen", "head": { "seconds": 12 } });
    assert_eq!(office.save(hasty)["invalid"], "too_fast");
    assert_eq!(office.save(json!({ "answers": opd("5", "5", "5", 10) }))["invalid"], "all_same");
    let measures = office.results(json!({}))["whole"]["measures"].clone();
    assert_eq!(
        (&measures["sheets"], &measures["valid"], &measures["rated"]),
        (&json!(2), &json!(0), &json!(0))
    );
    assert_eq!(office.count("invalid"), 2);
}

#[test]
fn sums_are_the_same_in_whatever_order_sheets_and_corrections_come() {
    let office = Office::new();
    let first = office.save(json!({ "answers": opd("5", "4", "5", 10) }));
    office.desk.wait(chrono::Duration::minutes(1));
    let second = office.desk.call(
        "surveys_sheet_correct",
        json!({ "id": first["id"], "why": "改", "answers": opd("3", "4", "3", 6) }),
    );
    office.desk.wait(chrono::Duration::minutes(1));
    office.desk.call(
        "surveys_sheet_correct",
        json!({ "id": second["id"], "why": "再改", "answers": opd("4", "5", "4", 8) }),
    );
    office.save(json!({ "head": { "department": BONES } }));
    // Taken out and put in again in every order, as rows come from other desks; the database's file is copied, the
    // desk itself is not touched.
    let raw = crate::testing::raw_connection(&office.desk.app);
    let sums = |raw: &rusqlite::Connection| -> String {
        let sql = "SELECT coalesce(group_concat(line, '/'), '') FROM (SELECT grain || starts_on || department || dimension || ':' || sheets
                   || ',' || points || ',' || squares || ',' || good || ',' || promoters || ',' || detractors AS line
                   FROM survey_total WHERE sheets <> 0 ORDER BY 1)";
        raw.query_row(sql, [], |row| row.get(0)).unwrap()
    };
    let expected = sums(&raw);
    raw.execute_batch("CREATE TEMP TABLE kept AS SELECT * FROM survey_sheet").unwrap();
    for order in ["entered_at", "entered_at DESC", "department, entered_at DESC", "points", "id DESC"] {
        raw.execute_batch("DELETE FROM survey_sheet").unwrap();
        assert_eq!(sums(&raw), "", "nothing is left without sheets");
        raw.execute_batch(&format!("INSERT INTO survey_sheet SELECT * FROM temp.kept ORDER BY {order}"))
            .unwrap();
        assert_eq!(sums(&raw), expected, "{order}");
    }
    // And a period cut in the middle of months adds up to the whole.
    let scope = |from: &str, to: &str| Scope::period(from.parse().unwrap(), to.parse().unwrap());
    let day: NaiveDate = "2026-11-10".parse().unwrap();
    let mut parts = super::measures(&raw, &scope("2026-01-15", "2026-11-09")).unwrap();
    parts.add(&super::measures(&raw, &Scope::period(day, day + Days::new(30))).unwrap());
    assert_eq!(parts, super::measures(&raw, &scope("2026-01-15", "2026-12-10")).unwrap());
    let by = super::measures_by(&raw, &scope("2026-11-01", "2026-11-30"), By::Department).unwrap();
    assert_eq!(
        by.iter().map(|(name, sums)| (name.as_str(), sums.sheets)).collect::<Vec<_>>(),
        [(HEART, 1), (BONES, 1)]
    );
}

#[test]
fn the_workbook_holds_the_sheets_and_ties_its_results_to_them() {
    let office = Office::new();
    for number in 0..5 {
        office.save(json!({ "head": { "sheet_no": format!("W{number}") } }));
    }
    office.desk.login("alice").unwrap();
    let path = office.desk.home.path().join("survey.xlsx");
    let mut request = json!({
        "scope": { "from": "2026-11-01", "to": "2026-11-30" }, "path": path, "language": "zh-CN", "reason": "", "password": PASSWORD,
    });
    assert_eq!(office.fields("surveys_export", request.clone()), ["reason required"]);
    request["reason"] = json!("季度分析");
    assert_eq!(office.desk.call("surveys_export", request)["rows"], 5);
    assert!(std::fs::metadata(&path).unwrap().len() > 4000);
}

#[test]
fn every_statement_reads_an_index() {
    let office = Office::new();
    let plan = |sql: &str| -> String {
        let read = |c: &rusqlite::Connection| {
            let mut statement = c.prepare(&format!("EXPLAIN QUERY PLAN {sql}"))?;
            let nothing = vec![rusqlite::types::Null; statement.parameter_count()];
            let rows = statement
                .query_map(rusqlite::params_from_iter(nothing), |row| row.get::<_, String>("detail"))?;
            Ok(rows.collect::<rusqlite::Result<Vec<_>>>()?.join(" / "))
        };
        office.desk.ctx().read(read).unwrap()
    };
    let totals = plan(
        "SELECT sum(points) FROM survey_total WHERE grain = 'm' AND starts_on BETWEEN 'a' AND 'b' AND dimension = ''",
    );
    assert!(totals.contains("SEARCH survey_total"), "{totals}");
    let frame = plan(include_str!("sql/frame.sql"));
    assert!(!frame.contains("SCAN encounter") && !frame.contains("SCAN survey"), "{frame}");
    let rows = plan(
        "SELECT sheet_id FROM survey_standing WHERE withdrawn = 0 AND answered_on BETWEEN 'a' AND 'b' ORDER BY answered_on DESC, root_id DESC LIMIT 50",
    );
    assert!(rows.contains("survey_standing_by_day") && !rows.contains("TEMP"), "{rows}");
    for sql in
        [include_str!("sql/round.sql"), include_str!("sql/retained.sql"), include_str!("sql/departments.sql")]
    {
        let plan = plan(sql);
        assert!(!plan.contains("SCAN survey_sheet") && !plan.contains("SCAN survey_invite"), "{plan}");
    }
}
