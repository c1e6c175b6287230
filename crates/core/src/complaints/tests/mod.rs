//! Stories of complaints: bob takes the call, dora heads the department, erin approves, alice supervises, nina is complained about.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod clock;
mod figures;
mod moves;
mod privacy;
mod sql;
mod story;

use aftercare_domain::access::Role;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::testing::Desk;

/// A desk with everybody whom a complaint needs; bob is at it, on Monday 2026-11-16.
pub(super) struct Office {
    pub desk: Desk,
    pub dora: Uuid,
    pub nina: Uuid,
}

pub(super) const DEPARTMENT: &str = "心血管内科";

pub(super) fn id_of(value: &Value) -> Uuid {
    value.as_str().unwrap().parse().unwrap()
}

impl Office {
    pub fn new() -> Self {
        let desk = Desk::new();
        desk.add("bob", &[Role::Nurse]);
        let dora = id_of(&desk.add("dora", &[Role::DepartmentHead])["id"]);
        desk.add("erin", &[Role::Approver]);
        let nina = id_of(&desk.add("nina", &[Role::Nurse])["id"]);
        desk.login("bob").unwrap();
        Self { desk, dora, nina }
    }

    /// The smallest form that is complete, with some fields of its own.
    pub fn form(&self, more: Value) -> Value {
        let mut form = json!({
            "channel": "phone", "complainant": "王伟", "complainant_relation": "0", "complainant_phone": "138 0013 8000",
            "departments": [DEPARTMENT], "category": "ATT", "subcategory": "cold", "severity": "C",
            "summary": "护士态度生硬,三次询问没有回答", "demand": "道歉",
        });
        for (name, value) in more.as_object().unwrap() {
            form[name] = value.clone();
        }
        form
    }

    pub fn register(&self, more: Value) -> Value {
        self.desk.call("complaints_register", json!({ "form": self.form(more) }))
    }

    /// A registered complaint's id.
    pub fn complaint(&self, more: Value) -> Value {
        self.register(more)["id"].clone()
    }

    pub fn open(&self, id: &Value) -> Value {
        self.desk.call("complaints_open", json!({ "id": id }))
    }

    fn request(id: &Value, name: &str, more: Value) -> Value {
        let mut request = json!({ "id": id, "move": name });
        for (field, value) in more.as_object().unwrap() {
            request[field] = value.clone();
        }
        request
    }

    /// `who` logs in and moves.
    pub fn step(&self, who: &str, id: &Value, name: &str, more: Value) -> Value {
        self.desk.login(who).unwrap();
        self.desk.call("complaints_move", Self::request(id, name, more))
    }

    /// `who` logs in and is refused: the code.
    pub fn refused(&self, who: &str, id: &Value, name: &str, more: Value) -> String {
        self.desk.login(who).unwrap();
        self.desk.refused("complaints_move", Self::request(id, name, more))
    }

    /// Everything that a move's form may need.
    pub fn filled(&self, name: &str) -> Value {
        match name {
            "investigate" => json!({ "investigator_id": self.dora }),
            "propose" => {
                json!({ "finding": "调阅监控,护士确未回应", "verdict": "founded", "resolutions": ["apology"],
                "measures": "科室培训", "reply": "经调查情况属实,我们向您道歉" })
            }
            "reply" => json!({ "reply": "经调查情况属实,我们向您道歉", "reply_way": "phone" }),
            "settle" => json!({ "reply": "当场核实并道歉", "reply_way": "phone" }),
            "rate" => json!({ "attitude": "satisfied" }),
            "refuse" => json!({ "reason": "court", "text": "已告知其等待法院判决" }),
            "pass_on" => json!({ "reason": "mediation" }),
            "pause" => json!({ "reason": "material" }),
            "ask_extension" => json!({ "until": "2026-11-30", "text": "需要再次核实" }),
            _ => json!({ "text": "说明" }),
        }
    }

    /// Takes it to where `until` stands, each step by whose it is.
    pub fn bring_to(&self, id: &Value, until: &str) {
        let road = [
            ("registered", "dora", "accept"),
            ("accepted", "dora", "investigate"),
            ("investigating", "dora", "propose"),
            ("approving", "erin", "approve"),
            ("replying", "bob", "reply"),
            ("replied", "bob", "rate"),
            ("rated", "bob", "close"),
        ];
        for (from, who, name) in road {
            if from == until {
                break;
            }
            self.step(who, id, name, self.filled(name));
        }
        self.desk.login("bob").unwrap();
        assert_eq!(self.open(id)["item"]["status"], until);
    }
}
