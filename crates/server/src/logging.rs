//! The log: one JSON object per line on standard error. What is logged are codes, counts, ids and
//! times; there is no field for anything of a patient's.

use tracing_subscriber::fmt;

/// Starts the log.
pub fn start() {
    let logging = fmt::fmt()
        .json()
        .flatten_event(true)
        .with_target(false)
        .with_max_level(tracing::Level::INFO)
        .with_writer(std::io::stderr);
    // A second start in one process (tests) changes nothing.
    let _ = logging.try_init();
}
