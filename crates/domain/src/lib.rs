//! Ids, codes and pure rules of hospital follow-up. No IO.
//!
//! Time, ids and randomness come in as arguments, so that the desk, the server
//! and the tests compute the same results from the same inputs.

pub mod access;
pub mod calendar;
pub mod cell_text;
pub mod codes;
pub mod complaint;
pub mod dates;
pub mod error_code;
pub mod followup;
pub mod forms;
pub mod hlc;
pub mod icd10;
pub mod id_number;
pub mod lace;
pub mod op;
pub mod person_name;
pub mod personal;
pub mod phone;
pub mod pinyin;
pub mod plans;
pub mod same_person;
pub mod survey;
pub mod task;
