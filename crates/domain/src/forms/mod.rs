//! Questionnaires as data: questions, conditions, calculations, classes, scores and alerts.
//!
//! # What an unanswered question means
//!
//! Conditions are three-valued. A question that was not asked (hidden), not answered or
//! answered with something invalid has no value, and a comparison with it is *unknown*. `&&`, `||` and `!` keep
//! CEL's own rules for missing values: `unknown || true` is true, `unknown && false` is
//! false, everything else stays unknown, `!unknown` too. At the top, unknown counts as
//! "does not hold". So neither `x == 'a'` nor `!(x == 'a')` fires on silence, and
//! `!chosen(fast, 'none')` asks its follow-up question only once `fast` was answered.
//! Who wants to react to silence says so: `!answered(x)`.
//!
//! # The language
//!
//! A part of CEL: `&& || ! == != < <= > >= in + - * / ?:`, literals and lists of literals,
//! question ids and `bp.sbp`/`bp.dbp`, and four functions that are rewritten to plain CEL
//! when compiled: `chosen(multi, 'code')`, `answered(id)`, `points(single)` (the chosen
//! option's points) and `mentions(text, ['word', …])`. All numbers are doubles, so 7 and
//! 7.0 are the same. Macros, regular expressions, maps and indexing are refused, which
//! keeps the time of an evaluation proportional to the length of the text.

mod answer;
mod check;
mod compile;
mod evaluate;
mod expression;
pub mod fhir;
mod model;
mod problem;
mod scope;
mod score;
mod script;
#[cfg(test)]
mod tests;

pub use answer::{ANSWER_CODES, AnswerValue, Answers, InvalidAnswer};
pub use compile::CompiledForm;
pub(crate) use evaluate::set_patient;
pub use evaluate::{Evaluation, FormContext, RaisedAlert};
pub use expression::{Expression, Truth, Values};
pub use model::{
    Alert, Calculation, ClassRule, Effect, Form, Lang, Level, LocalText, NumberRange, Part, Question,
    QuestionKind, QuestionOption, Scoring, Section, Sla,
};
pub use problem::{PROBLEM_CODES, Problem};
pub use scope::{Scope, VarType, is_form_code};
pub use score::Scores;
pub use script::{Missing, Rendered, Script, VarValue, VariableRule, render, unknown_variables};
