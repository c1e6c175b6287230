//! Why a command of the command line failed: a code for scripts, words for people.

use crate::authority::AuthorityError;
use crate::problem::Refused;
use crate::serve::ServeError;
use crate::store::StoreError;

/// A failure.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// One of [`CODES`], with what it is about.
    #[error("{code}: {about}")]
    Command {
        /// The code.
        code: &'static str,
        /// A word, path or number; never a patient's data.
        about: String,
    },
    /// A file.
    #[error("{about}: {source}")]
    File {
        /// Which.
        about: String,
        /// What the system says.
        source: std::io::Error,
    },
    /// As a route would say it.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The store's.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The authority's.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
    /// The listener's.
    #[error(transparent)]
    Serve(#[from] ServeError),
}

/// Codes of failures that only the command line has.
pub const CODES: &[&str] = &[
    "authority",
    "backup_damaged",
    "database",
    "erasures_damaged",
    "file",
    "hospital_unclear",
    "hospital_unknown",
    "in_use",
    "name_differs",
    "name_unfit",
    "not_empty",
    "not_found",
    "password_short",
    "restore_unfinished",
    "serve",
    "service",
    "service_rights",
    "site_unknown",
    "stick_damaged",
    "stick_other_hospital",
    "stick_wrong_way",
    "taken",
    "update_file",
    "update_key",
    "update_offer",
];

impl Failure {
    /// A failure of the command line's own.
    pub fn new(code: &'static str, about: impl ToString) -> Self {
        Self::Command { code, about: about.to_string() }
    }

    /// A file that cannot be read or written.
    pub fn file(path: &std::path::Path) -> impl FnOnce(std::io::Error) -> Self {
        let about = path.display().to_string();
        move |source| Self::File { about, source }
    }

    /// Its code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Command { code, .. } => code,
            Self::File { .. } => "file",
            Self::Refused(refused) => refused.code.as_str(),
            Self::Store(StoreError::NotFound) => "not_found",
            Self::Store(StoreError::Exists) => "taken",
            Self::Store(_) => "database",
            Self::Authority(_) => "authority",
            Self::Serve(_) => "serve",
        }
    }

    /// What it is about.
    pub fn about(&self) -> String {
        match self {
            Self::Command { about, .. } => about.clone(),
            Self::Refused(_) => String::new(),
            other => other.to_string(),
        }
    }
}
