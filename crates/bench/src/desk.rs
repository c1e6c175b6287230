//! A desk on a throw-away home, opened as the program opens it.

use std::path::Path;
use std::sync::Arc;

use aftercare_core::env::PasswordCost;
use aftercare_core::{App, Env};
use chrono::{DateTime, TimeZone, Utc};
use serde_json::{Value, json};

/// Password of the only person.
pub const PASSWORD: &str = "benchmark horse 9";

/// The instant every benchmark takes as now: Monday 2026-11-16, 09:30 in China.
pub fn now() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 11, 16, 1, 30, 0).unwrap()
}

/// Opens `home`, setting it up when it is empty, and logs in. Passwords are cheap here: key
/// derivation is not what is measured.
pub fn open(home: &Path) -> Arc<App> {
    let env = Env {
        clock: Arc::new(now),
        password_cost: PasswordCost::Fixed { memory_kib: 64, passes: 1 },
        release_keys: Vec::new(),
    };
    let app = App::open(home, env).unwrap();
    if call(&app, "session_status", json!({}))["state"] == "setup" {
        let request = json!({ "hospital": "基准医院", "site": "总院", "login": "bench", "display_name": "Bench", "password": PASSWORD });
        call(&app, "session_setup", request);
    }
    call(&app, "session_login", json!({ "login": "bench", "password": PASSWORD }));
    app
}

/// Calls a command that must succeed.
pub fn call(app: &Arc<App>, command: &str, request: Value) -> Value {
    app.call(command, request).unwrap_or_else(|error| panic!("{command}: {error:?}"))
}
