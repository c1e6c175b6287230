//! Whole-system tests: real processes, real window, hostile files. What they share is here.

pub mod bad_line;
pub mod central;
pub mod demo;
pub mod desk_file;
pub mod headless;
pub mod postgres;
pub mod programs;
pub mod tour;
pub mod trick;
pub mod window;

/// What a step of a test answers.
pub type Answer<T = ()> = Result<T, Box<dyn std::error::Error + Send + Sync>>;
