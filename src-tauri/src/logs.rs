//! The program's log: one file a day in `logs/`, a fortnight of them, codes and times only.

use std::path::Path;

use tracing_appender::rolling::{RollingFileAppender, Rotation};

/// Days of logs that are kept.
const KEPT: usize = 14;

/// Starts logging into `folder`. Without a folder to write to the program still runs, and logs nothing.
pub fn start(folder: &Path) {
    let _ = std::fs::create_dir_all(folder);
    let appender = RollingFileAppender::builder()
        .rotation(Rotation::DAILY)
        .filename_prefix("aftercare")
        .filename_suffix("log")
        .max_log_files(KEPT)
        .build(folder);
    if let Ok(appender) = appender {
        // Written at once, not by a thread: the last lines before a crash are the ones that matter.
        let _ = tracing_subscriber::fmt()
            .with_writer(std::sync::Mutex::new(appender))
            .with_ansi(false)
            .with_max_level(tracing::Level::INFO)
            .try_init();
    }
}
