//! The folder `updates` of a desk's home: what was fetched, what was before, and how far an update has come.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use aftercare_sync::updates::Offer;
use serde::{Deserialize, Serialize};

use crate::error::Result;

/// How far an update has come.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// Fetched and checked; installed when the window closes.
    #[serde(default)]
    pub ready: Option<Offer>,
    /// The installer was started; the new program has not opened the data yet.
    #[serde(default)]
    pub under_way: Option<UnderWay>,
    /// A version that could not open the data. It is not tried again.
    #[serde(default)]
    pub gone_back: Option<String>,
    /// Why the last try failed: an error code.
    #[serde(default)]
    pub problem: Option<String>,
    /// When the server was last asked, milliseconds UTC.
    #[serde(default)]
    pub looked_at: Option<i64>,
}

/// From which version to which.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnderWay {
    /// The program that closed.
    pub from: String,
    /// The one that is to come.
    pub to: String,
}

/// The folder.
pub struct Place(PathBuf);

impl Place {
    /// Of a home.
    pub fn of(home: &Path) -> Self {
        Self(home.join("updates"))
    }

    /// Where a version's installer lies.
    pub fn installer(&self, version: &str, file: &str) -> PathBuf {
        self.0.join(version).join(file)
    }

    /// Locked by whoever fetches.
    pub fn lock(&self) -> PathBuf {
        self.0.join("fetch.lock")
    }

    /// The database and its keys as they were before the update.
    pub fn before(&self) -> PathBuf {
        self.0.join("before")
    }

    /// The program as it was before.
    pub fn previous(&self) -> PathBuf {
        self.0.join("previous")
    }

    /// The database that a new program could not open; kept for whoever looks into it.
    pub fn failed(&self) -> PathBuf {
        self.0.join("failed")
    }

    /// Removes installers of other versions; what cannot be removed stays until the next time.
    pub fn keep_only(&self, version: &str) {
        for entry in fs::read_dir(&self.0).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if aftercare_sync::updates::numbers(&name).is_some() && name != version {
                let _ = fs::remove_dir_all(entry.path());
            }
        }
    }

    /// What is known; a file that cannot be read is as good as none, because everything in it is found again.
    pub fn state(&self) -> State {
        let read = fs::read(self.0.join("state.json"));
        read.ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default()
    }

    /// Writes it, whole or not at all.
    ///
    /// # Errors
    /// `DiskFull`, `FileUnwritable`.
    pub fn save(&self, state: &State) -> Result<()> {
        fs::create_dir_all(&self.0)?;
        let mut file = tempfile::NamedTempFile::new_in(&self.0)?;
        file.write_all(&serde_json::to_vec(state)?)?;
        file.as_file().sync_all()?;
        file.persist(self.0.join("state.json")).map_err(|error| error.error)?;
        Ok(())
    }
}
