//! Synthetic hospitals, and what the program costs beside the bare work. Never shipped.
//!
//! Each file in `benches/` is one benchmark with a floor measured in the same run;
//! `cargo xtask bench` runs them all.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::missing_panics_doc)]

pub mod desk;
pub mod hospital;
pub mod measure;
pub mod replay;
pub mod workbook;
