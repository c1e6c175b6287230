//! Every developer command: demo, test, check, fix, types, e2e, bench.
fn main() {}
