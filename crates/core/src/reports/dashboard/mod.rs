//! Totals of follow-up by day and month, from which a year of any size is read.
//!
//! - `cell`: what is counted and how it is kept; `names`: departments, plans, nurses and sites as small numbers;
//! - `share`: what of the totals is a patient's, counted by the same queries that show the rows behind a number;
//! - `settle`: brings the totals up to what was written; `read`: the totals, and whatever was written since;
//! - `check`: the totals against a fresh count.
//!
//! Triggers note whose records were written, by the desk, an import, its undoing or the server alike. A reader adds what
//! these patients' shares differ by, so a number is true in every snapshot; writers settle the differences now and then.

mod cell;
mod check;
mod names;
mod read;
mod settle;
mod share;
#[cfg(test)]
mod tests;

pub use check::check;
pub use settle::{after_write, beside, rebuild, settle};

pub(super) use cell::{ALERT_STATES, LEVELS, Measure, Spans, month_of, task};
pub(super) use names::Kind;
pub(super) use read::Totals;
