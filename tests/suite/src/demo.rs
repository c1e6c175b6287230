//! The demo hospital: who works there.

/// The supervisor of the demo hospital, who sees every page.
pub const LOGIN: &str = "admin";
/// Everybody's password there. It is written in the README: the demo holds no real patient.
pub const PASSWORD: &str = "aftercare demo 1";
