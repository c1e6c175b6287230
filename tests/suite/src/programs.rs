//! The programs under test, built when they are out of date.

use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use crate::Answer;

/// The repository's root.
pub fn root() -> PathBuf {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).map(PathBuf::from).unwrap_or(here)
}

/// Where cargo puts the programs of this build: beside this one, or above a test's `deps/`.
pub fn folder() -> Answer<PathBuf> {
    let own = std::env::current_exe()?;
    let folder = own.parent().ok_or("a program lies in a folder")?;
    let folder = if folder.ends_with("deps") { folder.parent().unwrap_or(folder) } else { folder };
    Ok(folder.to_path_buf())
}

/// A program of the workspace, such as `aftercare-cli`, brought up to date once in this process: a plain
/// `cargo test` does not build another package's programs.
///
/// # Errors
/// When it does not build.
pub fn built(name: &str) -> Answer<PathBuf> {
    static BUILT: OnceLock<bool> = OnceLock::new();
    let up_to_date = BUILT.get_or_init(|| {
        // Whoever runs just one test has built what it needs.
        if std::env::var_os("AFTERCARE_BUILT").is_some() {
            return true;
        }
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut build = Command::new(cargo);
        // The flags of the whole test run: others would build everything once more.
        build.args([
            "build",
            "--quiet",
            "--workspace",
            "--all-targets",
            "--features",
            "aftercare-suite/window",
        ]);
        build.current_dir(root());
        build.status().is_ok_and(|status| status.success())
    });
    if !up_to_date {
        return Err("the programs under test do not build".into());
    }
    Ok(folder()?.join(name))
}
