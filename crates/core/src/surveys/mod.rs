//! 满意度: rounds, sheets by telephone, on the screen and from paper, and what they say.
//!
//! - `rounds`: whom to ask, drawn once; `queue`: their telephone calls, saved by the follow-up desk's own path;
//! - `sheet`: one sheet and what follows from it; `correct`, `opened`: its corrections and how it is read;
//!   `form`: its answers checked and scored;
//! - `figures`: sums of a scope, for every page and report; `results`: what they come to; `rows`: the sheets behind them;
//! - `export`: sheets and results as a workbook.
//!
//! A sheet is a fact; a correction is another sheet with the same root, and the latest of a root counts. Sums by day and
//! month are local tables that triggers keep, whoever writes the sheets.

pub mod commands;
mod correct;
mod export;
mod figures;
mod form;
mod opened;
mod queue;
mod results;
mod rounds;
mod rows;
mod sheet;
#[cfg(test)]
mod tests;
mod types;
mod viewer;

pub use figures::{By, Invited, Scope, invited, measures, measures_by};
pub(crate) use opened::told;
pub use types::*;
