//! What tests may do to desk and server from outside: end them at a named point as a power cut
//! would, and set their clock off.
//!
//! Only builds with debug assertions can be told so; in a release [`point`] is empty and
//! [`clock_off_millis`] is 0, and not even the variables' names are in the program.

#[cfg(debug_assertions)]
mod told;

/// A named point of a program's work. `AFTERCARE_DIE_AT=name:n` ends the process here at the n-th
/// time with SIGKILL. Names are listed in [`POINTS`].
#[inline]
pub fn point(name: &'static str) {
    #[cfg(debug_assertions)]
    told::point(name);
    #[cfg(not(debug_assertions))]
    let _ = name;
}

/// How far this program's clock is to be off, milliseconds: `AFTERCARE_CLOCK_OFF_SECONDS`.
#[inline]
pub fn clock_off_millis() -> i64 {
    #[cfg(debug_assertions)]
    return told::clock_off_millis();
    #[cfg(not(debug_assertions))]
    0
}

#[cfg(debug_assertions)]
pub use told::POINTS;
