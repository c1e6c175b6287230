//! Importing discharge extracts: open → headings → columns → clean → match person and stay → write.
//!
//! A batch is one transaction: all of it or nothing. A dry run is the same work, rolled back. Rows are
//! streamed; nothing of the file but a sample of its first rows is held in memory.

mod apply;
mod clean;
pub mod commands;
mod enrol;
mod fields;
mod headings;
mod people;
mod phones;
mod plan;
mod problem;
mod profiles;
mod report;
mod requests;
mod rows;
mod run;
mod source;
mod spans;
mod stays;
mod store;
#[cfg(test)]
pub(crate) mod tests;
mod undo;
mod values;
mod words;

pub use requests::*;
