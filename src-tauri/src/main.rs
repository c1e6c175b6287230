//! The desktop window around aftercare-core.
fn main() {}
