//! The desk without a window: nightly imports, exports, backup, doctor.
fn main() {}
