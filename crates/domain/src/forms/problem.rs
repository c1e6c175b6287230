//! What is wrong with a form or plan, in a shape that attaches to the editor's fields.

use serde::Serialize;
use ts_rs::TS;

/// Every code of a problem; each has a message in `forms.json`.
pub const PROBLEM_CODES: &[&str] = &[
    "text_missing",
    "questions_missing",
    "too_many",
    "bad_name",
    "duplicate",
    "unknown_section",
    "code_missing",
    "unknown_question",
    "options_missing",
    "options_not_here",
    "range_not_here",
    "range_empty",
    "decimals_many",
    "labels_count",
    "scale_range",
    "exclusive_not_here",
    "route_missing",
    "sla_zero",
    "scoring_range",
    "condition_cycle",
    "condition_refers_later",
    "expr_empty",
    "expr_too_long",
    "expr_too_complex",
    "expr_syntax",
    "expr_not_condition",
    "expr_not_number",
    "expr_unsupported",
    "expr_unknown_name",
    "expr_needs_field",
    "expr_unknown_function",
    "expr_type",
    "expr_unknown_option",
    "expr_date",
    "expr_needs_chosen",
    "expr_chosen_needs_multi",
    "expr_no_points",
    "expr_arguments",
    "bad_code",
    "bad_icd10",
    "timepoints_missing",
    "offset_large",
    "window_before_anchor",
    "window_large",
    "unknown_part",
    "unknown_owner",
    "repeat_zero",
    "unknown_timepoint",
    "unknown_route",
    "unknown_variable",
    "json",
];

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
        debug_assert!(PROBLEM_CODES.contains(&code), "{code} has no message");
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
