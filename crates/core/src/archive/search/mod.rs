//! Find as you type: a full-text index whose row ids tell how recent a patient is.
//!
//! The index (`archive_search`, contentless FTS5 without positions) holds only tokens made here. A row's id is
//! `day of the last encounter << 24 | patient.num`, so `ORDER BY rowid DESC LIMIT n` walks the newest hits first and
//! stops: a name that thousands share costs no more than a rare one. Every hit is checked against the patient's row
//! before it is shown, so tokens may promise too much but never too little.

mod find;
mod index;
mod plan;
mod tokens;

pub use find::find;
pub(super) use find::{age_on, hit};
pub use index::{Indexer, Searchable, forget_patient, index_patient, index_patients, rebuild};
pub use tokens::document as search_document;

/// Bits of a row id that hold `patient.num`.
const NUM_BITS: u32 = 24;
