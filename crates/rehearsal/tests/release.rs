//! A release cannot be told to die or to lie about the time: its machine code does not know the words.
#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::process::Command;

/// The library's machine code, as text, with or without debug assertions.
fn compiled(assertions: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("rehearsal.s");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs");
    let status = Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()))
        .args(["--edition", "2024", "--crate-type", "lib", "--emit", "asm", "-C", "opt-level=3"])
        .args(["-C", &format!("debug-assertions={assertions}"), "-o"])
        .arg(&out)
        .arg(source)
        .status()
        .unwrap();
    assert!(status.success());
    std::fs::read_to_string(out).unwrap()
}

#[test]
fn nothing_of_it_is_in_a_release() {
    let (tests, release) = (compiled("yes"), compiled("no"));
    for word in ["AFTERCARE_DIE_AT", "AFTERCARE_CLOCK_OFF_SECONDS"] {
        assert!(tests.contains(word), "{word} works in a test build");
        assert!(!release.contains(word), "{word} is in a release");
    }
}
