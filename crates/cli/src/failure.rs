//! Why a subcommand ended without having done its work.

use aftercare_core::error::{Error, WireError};
use aftercare_core::messages::{of_error, of_json};
use aftercare_core::words::Language;

use serde_json::json;

use crate::Answer;
use crate::words::words;

/// A code for programs and a sentence for people.
pub struct Failure {
    /// As in the list of error codes; `usage` when the command line itself is wrong.
    pub code: String,
    /// What happened and what to do.
    pub message: String,
    /// What was found before it failed; still worth printing.
    pub found: Option<Box<Answer>>,
}

impl Failure {
    /// The command line is wrong.
    pub fn usage(message: &str) -> Self {
        Self { code: "usage".into(), message: message.trim_end().to_owned(), found: None }
    }

    /// The core refused or failed.
    pub fn of_wire(language: Language, error: &WireError) -> Self {
        Self { code: error.code.as_str().to_owned(), message: of_error(language, error), found: None }
    }

    /// Something was found broken, by its code.
    pub fn of_code(language: Language, code: &str, found: Option<Answer>) -> Self {
        let message = of_json(language, &json!({ "code": code }));
        Self { code: code.to_owned(), message, found: found.map(Box::new) }
    }

    /// A job ended early, with its error as JSON.
    pub fn of_job(language: Language, error: &serde_json::Value) -> Self {
        let code = error.get("code").and_then(serde_json::Value::as_str).unwrap_or("internal").to_owned();
        Self { code, message: of_json(language, error), found: None }
    }

    /// The core could not be opened.
    pub fn of_core(language: Language, error: &Error) -> Self {
        Self::of_wire(language, &error.to_wire("cli"))
    }

    /// An option or a variable that is needed was not given.
    pub fn missing(language: Language, what: &str) -> Self {
        Self::usage(&words(language).filled("missing", &[("what", what)]))
    }
}
