//! Real processes: killed, stopped, out of disk, on damaged files, two at once.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod complaints;
mod contract;
mod damaged;
mod disk;
mod forms;
mod full_disk;
mod hostile;
mod imports;
mod killed;
mod month;
mod stick;
mod surveys;
mod sync;
mod terminal;
mod together;

use std::path::Path;

use aftercare_suite::headless::{Headless, Served};
use serde_json::json;

/// A hospital whose password checks are cheap, made through the host: tests log in often.
pub fn hospital(home: &Path) -> Headless {
    founded(home, "本部").0
}

/// The same with another site; with the recovery code, which opens the database.
pub fn founded(home: &Path, site: &str) -> (Headless, String) {
    let desk =
        Headless { home: home.to_path_buf(), user: "alice".into(), password: "correct horse 42".into() };
    let host = Served::start(home).unwrap();
    let request = json!({
        "hospital": "青山县人民医院", "site": site, "login": desk.user, "display_name": "李爱丽",
        "password": desk.password,
    });
    let made = host.call("session_setup", &request).unwrap();
    host.call("session_lock", &json!({})).unwrap();
    (desk, made["recovery_code"].as_str().unwrap().to_owned())
}

/// The desk opens, and its audit trail, change log and pages are whole.
pub fn assert_whole(desk: &Headless) {
    let found = desk.done(&["doctor"]).unwrap();
    assert_eq!(found["healthy"], true, "{found}");
    desk.done(&["audit", "verify"]).unwrap();
}
