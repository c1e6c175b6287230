//! The benchmark of syncing, at a scale at which its figures mean nothing: that it runs, that what it checks holds, and
//! that every figure is printed.

#![allow(clippy::unwrap_used)]

use std::process::Command;

use serde_json::Value;

/// The names of the figures that a small run of `what` prints.
fn figures(what: &str) -> Vec<String> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_aftercare-sync-bench"));
    let output = command.args(["--json", what]).env("AFTERCARE_BENCH_ROWS", "300").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.map(|line| line["name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_new_pc_joins_beside_the_bare_work() {
    assert_eq!(figures("patients").len(), 3);
}

#[test]
fn desks_sync_steadily_on_both_databases() {
    assert_eq!(figures("SQLite").len(), 4);
    assert_eq!(figures("PostgreSQL").len(), 4);
}

#[test]
fn a_desk_comes_back_and_another_rests() {
    assert_eq!(figures("ninety").len(), 1);
    assert_eq!(figures("idle").len(), 1);
}

#[test]
fn pouchdb_replicates_the_same_records() {
    assert_eq!(figures("PouchDB").len(), 2);
}
