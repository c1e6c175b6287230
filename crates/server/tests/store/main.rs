//! The store, on SQLite and on a PostgreSQL of the tests' own.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod desk;
mod guesses;
mod isolation;
mod office;
mod places;
mod postgres;
mod race;
mod sql;
mod story;
mod together;
