//! A display where nobody looks, ended with its owner.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use crate::Outcome;

/// A running Xvfb; dropping it ends it.
pub struct Display {
    child: Child,
    /// As in `DISPLAY`, such as `:7`.
    pub name: String,
}

/// Starts Xvfb on a free number; it chooses the number itself, so parallel runs do not collide.
///
/// # Errors
/// When it cannot be started or ends at once.
pub fn start(size: &str) -> Outcome<Display> {
    let mut child = Command::new("Xvfb")
        .args(["-displayfd", "1", "-screen", "0", &format!("{size}x24"), "-nolisten", "tcp", "-noreset"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| format!("Xvfb cannot be started: {error}"))?;
    let mut number = String::new();
    if let Some(out) = child.stdout.take() {
        let _ = BufReader::new(out).read_line(&mut number);
    }
    let number = number.trim();
    if number.is_empty() {
        let _ = child.kill();
        let _ = child.wait();
        return Err("Xvfb ended before it had a display".into());
    }
    Ok(Display { name: format!(":{number}"), child })
}

impl Drop for Display {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
