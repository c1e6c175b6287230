//! Stories at the server's door: real processes, real TLS, one refusal each.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod enrol;
mod office;
mod operation;
mod people;
mod sites;
#[path = "../support/mod.rs"]
mod support;
mod sync;
