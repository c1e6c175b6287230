//! Stories at the follow-up desk: alice supervises, bob calls, dora answers as a doctor.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod alerts;
mod calls;
mod enrolment;
mod invariants;
mod lists;
mod privacy;
mod sql;
mod viewers;

use aftercare_domain::access::Role;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Discharge, Enrolled, Enroller};
use crate::change_log::{ENCOUNTER, PATIENT, PHONE, Writer};
use crate::testing::Desk;

/// A desk with alice (supervisor), bob (nurse) and dora (doctor of 心血管内科); bob is at it.
pub(super) struct Ward {
    pub desk: Desk,
    pub bob: Uuid,
    pub dora: Uuid,
}

/// A discharged patient with a number.
#[derive(Clone, Copy)]
pub(super) struct Someone {
    pub id: Uuid,
    pub phone: Uuid,
    pub encounter: Uuid,
}

pub(super) fn id_of(value: &Value) -> Uuid {
    value.as_str().unwrap().parse().unwrap()
}

impl Ward {
    pub fn new() -> Self {
        let desk = Desk::new();
        let bob = id_of(&desk.add("bob", &[Role::Nurse])["id"]);
        let dora = id_of(&desk.add("dora", &[Role::Doctor])["id"]);
        desk.login("bob").unwrap();
        Self { desk, bob, dora }
    }

    pub fn write<T>(&self, work: impl FnOnce(&mut Writer<'_>) -> T) -> T {
        self.desk.ctx().write(|writer| Ok(work(writer))).unwrap()
    }

    /// A patient of 60 with one mobile number and nothing else.
    pub fn patient(&self, name: &str) -> (Uuid, Uuid) {
        let ctx = self.desk.ctx();
        let (patient, phone) = (ctx.new_id(), ctx.new_id());
        self.write(|w| {
            let site: Vec<u8> =
                w.connection().query_row("SELECT site_id FROM desk", [], |row| row.get(0)).unwrap();
            let fields = [
                ("name", name.into()),
                ("sex", "1".into()),
                ("birth_on", "1966-03-01".into()),
                ("site_id", aftercare_domain::op::FieldValue::Bytes(site)),
            ];
            w.create(&PATIENT, patient, &fields).unwrap();
            w.create(&PHONE, phone, &[("patient_id", patient.into()), ("number", "13800138000".into())])
                .unwrap();
        });
        (patient, phone)
    }

    /// A stay of ten days that ended on `day`.
    pub fn stay(&self, patient: Uuid, department: &str, icd: &str, day: &str) -> Uuid {
        let encounter = self.desk.ctx().new_id();
        let admitted = chrono::NaiveDate::parse_from_str(day, "%Y-%m-%d").unwrap() - chrono::Days::new(10);
        self.write(|w| {
            let fields = [
                ("patient_id", patient.into()),
                ("department", department.into()),
                ("diagnosis_code", icd.into()),
                ("diagnosis", "诊断".into()),
                ("admitted_at", format!("{admitted} 08:00").into()),
                ("discharged_at", format!("{day} 10:00").into()),
                ("discharged_on", day.into()),
                ("disposition", "1".into()),
                ("admit_route", "2".into()),
            ];
            w.create(&ENCOUNTER, encounter, &fields).unwrap();
        });
        encounter
    }

    /// What the importer does with a discharge.
    pub fn enrol(&self, encounter: Uuid) -> Enrolled {
        self.write(|w| {
            let enroller = Enroller::new(w.connection()).unwrap();
            let discharge = Discharge::load(w.connection(), encounter).unwrap().unwrap();
            enroller.on_discharge(w, &discharge).unwrap()
        })
    }

    /// A patient with hypertension who left hospital on `day`; D7 is due seven days later.
    pub fn hypertension(&self, name: &str, day: &str) -> Someone {
        let (id, phone) = self.patient(name);
        let encounter = self.stay(id, "心血管内科", "I10.x00", day);
        assert!(matches!(self.enrol(encounter), Enrolled::Started { .. }));
        Someone { id, phone, encounter }
    }

    pub fn list(&self) -> Vec<Value> {
        self.desk.call("followup_worklist", json!({ "limit": 50 }))["rows"].as_array().unwrap().clone()
    }

    /// The ids on the list, in order.
    pub fn queue(&self) -> Vec<Uuid> {
        self.list().iter().map(|row| id_of(&row["patient_id"])).collect()
    }

    pub fn open(&self, who: Uuid) -> Value {
        self.desk.call("followup_open", json!({ "patient_id": who }))
    }

    pub fn tasks(opened: &Value) -> Vec<Value> {
        opened["tasks"].as_array().unwrap().iter().map(|task| task["id"].clone()).collect()
    }

    /// Answers everything that must be answered, `given` first, the rest with the most harmless answer.
    pub fn answers(&self, opened: &Value, given: Value) -> Value {
        let mut answers = given;
        let tasks = Self::tasks(opened);
        for _ in 0..60 {
            let state = self.desk.call("followup_evaluate", json!({ "tasks": tasks, "answers": answers }));
            assert_eq!(state["invalid"], json!([]));
            let Some(key) = state["missing"].get(0).and_then(Value::as_str) else { return answers };
            let questions = opened["form"]["questions"].as_array().unwrap();
            let question = &questions.iter().find(|q| q["key"] == key).unwrap()["question"];
            answers[key] = harmless(question);
        }
        panic!("the form never becomes complete");
    }

    /// A save request for an opened patient.
    pub fn save_request(&self, who: &Someone, opened: &Value, more: Value) -> Value {
        let mut request = json!({
            "call_id": self.desk.ctx().new_id(),
            "patient_id": who.id,
            "tasks": Self::tasks(opened),
            "phone_id": who.phone,
            "reason": null,
        });
        for (name, value) in more.as_object().unwrap() {
            request[name] = value.clone();
        }
        request
    }

    /// Opens, and saves a call that ended for `reason`.
    pub fn fail(&self, who: &Someone, reason: &str) -> Value {
        let opened = self.open(who.id);
        let request = self.save_request(who, &opened, json!({ "reason": reason }));
        self.desk.call("followup_save_call", request)
    }

    /// Opens, answers, and saves.
    pub fn complete(&self, who: &Someone, given: Value) -> Value {
        let opened = self.open(who.id);
        let answers = self.answers(&opened, given);
        let request = self.save_request(who, &opened, json!({ "answers": answers }));
        self.desk.call("followup_save_call", request)
    }

    pub fn count(&self, sql: &str) -> i64 {
        self.desk.ctx().read(|c| Ok(c.query_row(sql, [], |row| row.get(0))?)).unwrap()
    }

    pub fn text(&self, sql: &str) -> String {
        self.desk.ctx().read(|c| Ok(c.query_row(sql, [], |row| row.get(0))?)).unwrap()
    }

    /// Moves to a time of a day on the hospital's clock.
    pub fn go_to(&self, day: &str, time: &str) {
        let wanted =
            chrono::NaiveDateTime::parse_from_str(&format!("{day} {time}"), "%Y-%m-%d %H:%M").unwrap();
        let now = self.desk.ctx().local_now();
        self.desk.wait(wanted - now);
        self.desk.call("session_touch", json!({}));
    }
}

/// The answer to a question that raises nothing.
pub(crate) fn harmless(question: &Value) -> Value {
    let codes = || -> Vec<&str> {
        let options = question["options"].as_array().unwrap();
        options.iter().map(|option| option["code"].as_str().unwrap()).collect()
    };
    match question["type"].as_str().unwrap() {
        "single" => {
            let wished = ["regular", "no", "none", "good", "normal", "better", "self", "na"];
            let codes = codes();
            let code = wished.iter().find(|code| codes.contains(code)).copied().unwrap_or(codes[0]);
            json!({ "type": "single", "value": code })
        }
        "multi" => {
            let codes = codes();
            let code = if codes.contains(&"none") { "none" } else { codes[0] };
            json!({ "type": "multi", "value": [code] })
        }
        "bool" => json!({ "type": "bool", "value": question["id"] == "revisit_known" }),
        "number" => json!({ "type": "number", "value": question["min"].as_f64().unwrap_or(1.0) }),
        "scale" => json!({ "type": "scale", "value": question["min"].as_f64().unwrap_or(0.0) as i64 }),
        "bp" => json!({ "type": "bp", "value": { "sbp": 128, "dbp": 78 } }),
        "date" => json!({ "type": "date", "value": "2026-11-15" }),
        _ => json!({ "type": "text", "value": "无" }),
    }
}

pub(super) fn high_pressure() -> Value {
    json!({ "bp": { "type": "bp", "value": { "sbp": 190, "dbp": 115 } } })
}
