//! The demo hospital: who works there, whom it discharged, and a morning's calls.

mod calls;
mod complaints;
mod experts;
mod extract;
mod surveys;

use std::path::Path;
use std::sync::Arc;

use aftercare_core::App;
use aftercare_core::env::Env;
use serde_json::{Value, json};

use crate::Answer;

pub use calls::make_calls;
pub use complaints::complain;
pub use experts::ask_experts;
pub use extract::{moved_to, sample};
pub use surveys::survey;

/// The supervisor of the demo hospital, who sees every page.
pub const LOGIN: &str = "admin";
/// Everybody's password there. It is written in the README: the demo holds no real patient.
pub const PASSWORD: &str = "aftercare demo 1";
/// The nurse who makes the calls.
pub const NURSE: &str = "wangfang";
/// The doctor who answers what is passed on.
pub const EXPERT: &str = "chenwei";
/// Who reads the audit trail.
pub const AUDITOR: &str = "zhaomin";
/// Who answers for a department that is complained about.
pub const DEPARTMENT_HEAD: &str = "liuyang";
/// Who approves what departments propose.
pub const LEADER: &str = "sunli";

/// Login, name, department, roles.
const STAFF: [(&str, &str, &str, &[&str]); 6] = [
    (NURSE, "王芳", "客户关怀部", &["nurse"]),
    ("lina", "李娜", "客户关怀部", &["nurse", "archivist"]),
    (EXPERT, "陈伟", "心血管内科", &["doctor"]),
    (AUDITOR, "赵敏", "审计科", &["auditor"]),
    (DEPARTMENT_HEAD, "刘洋", "心血管内科", &["department_head"]),
    (LEADER, "孙丽", "院办", &["approver"]),
];

/// The core, called as a window calls it.
pub struct Hospital(Arc<App>);

impl Hospital {
    /// Founds it in an empty folder, with everybody who works there.
    ///
    /// # Errors
    /// When the folder is not empty or cannot be written to.
    pub fn found(home: &Path) -> Answer<Self> {
        Self::found_in(home, Env::real())
    }

    /// Founds it with another clock, or passwords of another cost.
    ///
    /// # Errors
    /// As for [`Self::found`].
    pub fn found_in(home: &Path, env: Env) -> Answer<Self> {
        let hospital = Self(App::open(home, env)?);
        hospital.call(
            "session_setup",
            json!({
                "hospital": "青山县人民医院", "site": "本部", "login": LOGIN, "display_name": "周静",
                "password": PASSWORD,
            }),
        )?;
        let status = hospital.log_in(LOGIN)?;
        // Scripts name the caller's number.
        let first = &status["user"];
        hospital.call(
            "staff_save",
            json!({
                "id": first["id"], "login": LOGIN, "display_name": first["display_name"], "job_number": "K001",
                "department": "客户关怀部", "roles": first["roles"], "active": true, "password": null,
            }),
        )?;
        for (number, (login, name, department, roles)) in (2..).zip(STAFF) {
            let person = json!({
                "id": null, "login": login, "display_name": name, "job_number": format!("K{number:03}"),
                "department": department, "roles": roles, "active": true, "password": PASSWORD,
            });
            hospital.call("staff_save", person)?;
        }
        Ok(hospital)
    }

    /// Calls a command.
    ///
    /// # Errors
    /// When it is refused; with the code and the refused fields.
    pub fn call(&self, command: &str, request: Value) -> Answer<Value> {
        self.0.call(command, request).map_err(|error| {
            let error = serde_json::to_string(&error).unwrap_or_default();
            format!("{command}: {error}").into()
        })
    }

    /// Logs somebody in.
    ///
    /// # Errors
    /// When it is refused.
    pub fn log_in(&self, login: &str) -> Answer<Value> {
        self.call("session_login", json!({ "login": login, "password": PASSWORD }))
    }

    /// Leaves the desk locked.
    ///
    /// # Errors
    /// When it is refused.
    pub fn lock(&self) -> Answer {
        self.call("session_lock", json!({})).map(|_| ())
    }
}

fn rows<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}
