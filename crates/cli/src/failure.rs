//! Why a subcommand ended without having done its work.

use aftercare_core::error::{Error, WireError};
use aftercare_core::messages::of_error;
use aftercare_core::words::Language;

use crate::args::Missing;
use crate::words;

/// A code for programs and a sentence for people.
pub struct Failure {
    /// As in the list of error codes; `usage` when the command line itself is wrong.
    pub code: String,
    /// What happened and what to do.
    pub message: String,
}

impl Failure {
    /// The command line is wrong.
    pub fn usage(message: &str) -> Self {
        Self { code: "usage".into(), message: message.trim_end().to_owned() }
    }

    /// The core refused or failed.
    pub fn of_wire(language: Language, error: &WireError) -> Self {
        Self { code: error.code.as_str().to_owned(), message: of_error(language, error) }
    }

    /// The core could not be opened.
    pub fn of_core(language: Language, error: &Error) -> Self {
        Self::of_wire(language, &error.to_wire("cli"))
    }

    /// An option or a variable that is needed was not given.
    pub fn missing(language: Language, missing: &Missing) -> Self {
        Self::usage(&words::say(language, "missing", &[("what", missing.0)]))
    }
}
