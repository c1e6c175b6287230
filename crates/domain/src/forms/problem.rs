//! What is wrong with a form or plan, in a shape that attaches to the editor's fields.

use serde::Serialize;
use ts_rs::TS;

/// One mistake in a form or plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(rename = "PlanProblem")]
pub struct Problem {
    /// Where: a path in dots, such as `form.alerts.2.when`.
    pub path: String,
    /// What: a stable word with a message in `forms.json` (`problem.<code>`).
    pub code: String,
    /// Words and numbers for the message, in the order the message names them.
    pub params: Vec<(String, String)>,
}

impl Problem {
    /// A problem at `path`.
    pub fn new(path: impl Into<String>, code: &str) -> Self {
        Self { path: path.into(), code: code.to_owned(), params: Vec::new() }
    }

    /// Adds a word for the message.
    pub fn with(mut self, name: &str, value: impl ToString) -> Self {
        self.params.push((name.to_owned(), value.to_string()));
        self
    }

    /// The same problem seen from an enclosing document.
    pub fn under(mut self, prefix: &str) -> Self {
        self.path = if self.path.is_empty() { prefix.to_owned() } else { format!("{prefix}.{}", self.path) };
        self
    }
}
