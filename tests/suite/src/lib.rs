//! Whole-system tests: real processes, real window, hostile files.
