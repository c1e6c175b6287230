//! 满意度: rounds, sheets by telephone, on the screen and from paper, and what they say.
//!
//! A sheet is a fact; a correction is another sheet with the same root, and the latest of a root counts. Sums by day and
//! month are local tables that triggers keep, whoever writes the sheets: `figures` reads them, for every page and report.

mod figures;

pub use figures::{By, Invited, Scope, invited, measures, measures_by};
