use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Someone, Ward, high_pressure, id_of};
use crate::followup::check_worklist;

#[derive(Debug, Clone)]
enum Step {
    Fail(usize, &'static str),
    Complete(usize, bool),
    Undo,
    Route,
    Close,
    Reply,
    Reopen,
    Claim(usize),
    Wait(i64),
    Discharge(usize),
    Add(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let reasons = prop::sample::select(vec![
        "NOANS", "BUSY", "EMPTY", "REFALL", "DEAD", "INHOSP", "REF1", "NONUM", "LANG",
    ]);
    prop_oneof![
        4 => (0..3_usize, reasons).prop_map(|(who, reason)| Step::Fail(who, reason)),
        4 => (0..3_usize, any::<bool>()).prop_map(|(who, high)| Step::Complete(who, high)),
        2 => Just(Step::Undo),
        2 => Just(Step::Route),
        2 => Just(Step::Close),
        2 => Just(Step::Reply),
        1 => Just(Step::Reopen),
        1 => (0..3_usize).prop_map(Step::Claim),
        4 => (1..96_i64).prop_map(Step::Wait),
        1 => (0..3_usize).prop_map(Step::Discharge),
        1 => (0..3_usize).prop_map(Step::Add),
    ]
}

struct Run {
    ward: Ward,
    people: Vec<Someone>,
    last_call: Option<Value>,
    reopened: Vec<uuid::Uuid>,
}

impl Run {
    fn try_call(&self, command: &str, request: Value) -> Option<Value> {
        self.ward.desk.app.call(command, request).ok()
    }

    fn first_id(&self, sql: &str) -> Option<uuid::Uuid> {
        self.ward.desk.ctx().read(|c| crate::db::optional(c.query_row(sql, [], |row| row.get(0)))).unwrap()
    }

    fn take(&mut self, step: &Step) {
        // alice may do everything that bob and dora do, so one login serves the whole run.
        match step {
            Step::Fail(who, reason) => {
                let someone = self.people[*who];
                let opened = self.ward.open(someone.id);
                let request = self.ward.save_request(&someone, &opened, json!({ "reason": reason }));
                self.last_call = self.try_call("followup_save_call", request).or(self.last_call.take());
            }
            Step::Complete(who, high) => {
                let someone = self.people[*who];
                let opened = self.ward.open(someone.id);
                let given = if *high { high_pressure() } else { json!({}) };
                let answers = self.ward.answers(&opened, given);
                let request = self.ward.save_request(&someone, &opened, json!({ "answers": answers }));
                self.last_call = self.try_call("followup_save_call", request).or(self.last_call.take());
            }
            Step::Undo => {
                if let Some(call) = self.last_call.take() {
                    self.try_call("followup_undo_call", json!({ "call_id": call["call_id"] }));
                }
            }
            Step::Route => {
                if let Some(id) = self.first_id("SELECT id FROM alert WHERE status <> 'closed' LIMIT 1") {
                    let route = json!({ "alert_id": id, "department": "心血管内科", "asked_of": null, "question": "请看" });
                    self.try_call("followup_alert_route", route);
                }
            }
            Step::Close => {
                if let Some(id) = self.first_id("SELECT id FROM alert WHERE status <> 'closed' LIMIT 1") {
                    self.try_call("followup_alert_close", json!({ "alert_id": id, "closing": "已处理" }));
                }
            }
            Step::Reply => {
                if let Some(id) = self.first_id("SELECT id FROM consult WHERE status = 'open' LIMIT 1") {
                    self.try_call("followup_reply", json!({ "consult_id": id, "reply": "知道了" }));
                }
            }
            Step::Reopen => {
                if let Some(id) =
                    self.first_id("SELECT id FROM task WHERE status IN ('failed', 'expired') LIMIT 1")
                {
                    self.try_call("followup_reopen_task", json!({ "task_id": id }));
                    self.reopened.push(id);
                }
            }
            Step::Claim(who) => {
                self.try_call("followup_claim", json!({ "patient_id": self.people[*who].id }));
            }
            Step::Wait(hours) => {
                self.ward.desk.wait(chrono::Duration::hours(*hours));
                self.ward.desk.call("session_touch", json!({}));
            }
            Step::Discharge(who) => {
                let day = self.ward.desk.ctx().local_now().date().to_string();
                let encounter = self.ward.stay(self.people[*who].id, "心血管内科", "I10", &day);
                self.ward.enrol(encounter);
            }
            Step::Add(who) => {
                let day = self.ward.desk.ctx().local_now().date().to_string();
                let request = json!({ "patient_id": self.people[*who].id, "due_on": day, "remark": "再问一次", "with_form": true });
                self.try_call("followup_add_task", request);
            }
        }
    }

    /// A task's attempts are the standing, counted calls that served it; a reopened one begins anew.
    fn check_attempts(&self) {
        let sql = "SELECT task.id, task.attempts,
                     (SELECT count(*) FROM standing_call AS c
                      WHERE c.patient_id = task.patient_id AND c.reason IS NOT 'NONUM' AND instr(c.tasks, text) > 0)
                   FROM (SELECT *, lower(substr(hex(id), 1, 8) || '-' || substr(hex(id), 9, 4) || '-' || substr(hex(id), 13, 4)
                      || '-' || substr(hex(id), 17, 4) || '-' || substr(hex(id), 21)) AS text FROM task) AS task";
        let rows: Vec<(uuid::Uuid, i64, i64)> = self
            .ward
            .desk
            .ctx()
            .read(|c| {
                let mut statement = c.prepare(sql)?;
                let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
                Ok(rows.collect::<rusqlite::Result<_>>()?)
            })
            .unwrap();
        for (id, attempts, calls) in rows {
            assert!(self.reopened.contains(&id) || attempts == calls, "{attempts} attempts, {calls} calls");
        }
    }

    fn check(&self) {
        let ward = &self.ward;
        let list = ward.list();
        assert_eq!(
            ward.desk.call("followup_counts", json!({}))["due"],
            list.len(),
            "the count is not the list"
        );
        for row in list {
            let who = id_of(&row["patient_id"]);
            let barred = ward.desk.ctx().read(|c| {
                let sql = "SELECT deceased = 1 OR contact_optout <> 'none' FROM patient WHERE id = ?1";
                Ok(c.query_row(sql, [who], |row| row.get::<_, bool>(0))?)
            });
            assert!(!barred.unwrap(), "a dead or refusing patient is on the list");
        }
        let none = [
            ("a red flag was closed unrouted", "SELECT count(*) FROM alert WHERE level = 'red' AND status = 'closed'
                AND NOT EXISTS (SELECT 1 FROM alert_step WHERE alert_id = alert.id AND kind IN ('routed', 'withdrawn'))"),
            ("a task was done twice", "SELECT count(*) FROM (SELECT task_id FROM standing_response GROUP BY task_id HAVING count(*) > 1)"),
            ("a done form task has no response", "SELECT count(*) FROM task WHERE status = 'done' AND form <> ''
                AND NOT EXISTS (SELECT 1 FROM standing_response AS r WHERE r.task_id = task.id)"),
            ("a dead patient has open tasks", "SELECT count(*) FROM task JOIN patient ON patient.id = task.patient_id
                WHERE task.status IN ('open', 'waiting') AND (patient.deceased = 1 OR patient.contact_optout <> 'none')"),
            ("an ended task keeps a claim", "SELECT count(*) FROM task WHERE status <> 'open' AND claimed_by IS NOT NULL"),
            ("a told consult was not answered", "SELECT count(*) FROM consult WHERE status = 'told' AND answered_at IS NULL"),
        ];
        for (what, sql) in none {
            assert_eq!(ward.count(sql), 0, "{what}");
        }
        self.check_attempts();
        let now = ward.desk.now().timestamp_millis();
        assert_eq!(
            ward.desk.ctx().read(|c| check_worklist(c, now)).unwrap(),
            0,
            "the kept list is not what the tasks say"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, max_shrink_iters: 60, ..ProptestConfig::default() })]
    #[test]
    fn whatever_people_do_in_whatever_order_the_rules_hold(steps in prop::collection::vec(step(), 1..25)) {
        let ward = Ward::new();
        ward.desk.login("alice").unwrap();
        let people = (0..3).map(|i| ward.hypertension(&format!("病人{i}"), "2026-11-09")).collect();
        let mut run = Run { ward, people, last_call: None, reopened: Vec::new() };
        for step in &steps {
            run.take(step);
            run.check();
        }
    }
}
