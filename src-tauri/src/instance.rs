//! One window for one data folder. A second start asks the first to come to the front and ends.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

const LOCK: &str = "window.lock";
const REQUEST: &str = "window.show";

/// The right to show the window of a data folder; held until the program ends.
pub struct Only {
    _lock: File,
    request: PathBuf,
}

/// Takes the folder, or asks the window that has it to come to the front and answers `None`.
///
/// # Errors
/// When the folder cannot be written to.
pub fn claim(home: &Path) -> io::Result<Option<Only>> {
    let lock = OpenOptions::new().create(true).truncate(false).write(true).open(home.join(LOCK))?;
    let request = home.join(REQUEST);
    match lock.try_lock() {
        Ok(()) => {
            // A request nobody answered, from a window that has ended since.
            let _ = fs::remove_file(&request);
            Ok(Some(Only { _lock: lock, request }))
        }
        Err(TryLockError::WouldBlock) => {
            fs::write(&request, [])?;
            Ok(None)
        }
        Err(TryLockError::Error(error)) => Err(error),
    }
}

impl Only {
    /// Whether another start asked for this window since the last question.
    pub fn wanted(&self) -> bool {
        self.request.exists() && fs::remove_file(&self.request).is_ok()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::claim;

    #[test]
    fn a_second_start_calls_the_first_to_the_front() {
        let home = tempfile::tempdir().unwrap();
        let first = claim(home.path()).unwrap().expect("nobody has it yet");
        assert!(!first.wanted());
        assert!(claim(home.path()).unwrap().is_none());
        assert!(first.wanted());
        assert!(!first.wanted(), "a request is answered once");
        drop(first);
        assert!(claim(home.path()).unwrap().is_some());
    }
}
