//! The log: one JSON object per line on standard error. What is logged are codes, counts, ids and
//! times; there is no field for anything of a patient's.

use std::path::Path;
use std::sync::Mutex;

use tracing_appender::rolling::{RollingFileAppender, Rotation};
use tracing_subscriber::fmt;

/// Days of log files that are kept.
const KEPT: usize = 30;

/// Starts the log.
pub fn start() {
    let logging = fmt::fmt()
        .json()
        .flatten_event(true)
        .with_target(false)
        .with_max_level(tracing::Level::INFO)
        // A log that cannot be written (a full disk) would else be complained of on the same standard error, and
        // the complaint that fails ends the request.
        .log_internal_errors(false)
        .with_writer(std::io::stderr);
    // A second start in one process (tests) changes nothing.
    let _ = logging.try_init();
}

/// The same into files of `folder`, one a day: a Windows service has no standard error. Without a folder to
/// write to the server still serves.
pub fn start_in(folder: &Path) {
    let files = RollingFileAppender::builder()
        .rotation(Rotation::DAILY)
        .filename_prefix("aftercare-server")
        .filename_suffix("log")
        .max_log_files(KEPT)
        .build(folder);
    let Ok(files) = files else { return start() };
    let logging = fmt::fmt()
        .json()
        .flatten_event(true)
        .with_target(false)
        .with_max_level(tracing::Level::INFO)
        .with_writer(Mutex::new(files));
    let _ = logging.try_init();
}
