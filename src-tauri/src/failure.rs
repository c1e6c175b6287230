//! What is said when the page cannot speak: a start that failed, a crash.

use std::path::Path;
use std::thread;

use crate::words::{TITLE, words};

/// "Could not start, because …, do …".
pub fn sentence(reason: &str, logs: Option<&Path>) -> String {
    let logs = logs.map(|folder| folder.display().to_string()).unwrap_or_default();
    words("start_failed", &[("reason", reason), ("logs", &logs)])
}

/// Says it on standard error and, where there is a display, in a plain message box.
pub fn tell(message: &str) {
    eprintln!("{message}");
    if has_display() {
        rfd::MessageDialog::new()
            .set_level(rfd::MessageLevel::Error)
            .set_title(TITLE)
            .set_description(message)
            .show();
    }
}

/// Logs where every panic happened, never with what: a message may hold a patient's data. A panic of the
/// window's own thread ends the program, and says so.
pub fn watch(logs: &Path) {
    let logs = logs.display().to_string();
    let main = thread::current().id();
    std::panic::set_hook(Box::new(move |panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, thread = thread::current().name().unwrap_or("?"), "panic");
        if thread::current().id() == main {
            tell(&words("crashed", &[("logs", &logs)]));
            std::process::exit(70);
        }
    }));
}

fn has_display() -> bool {
    !cfg!(target_os = "linux")
        || ["DISPLAY", "WAYLAND_DISPLAY"]
            .iter()
            .any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()))
}
