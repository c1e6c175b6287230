//! An update carried through with real programs: this version of the desk and a later one are built, signed with a
//! release key of their own and packed; the server hands the later one out, and a window takes it.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::deb::{self, Contents};
use super::stage::{self, VERSION};
use crate::process::{answer, cargo, program, root, run, target};
use crate::tally::{Count, cargo_test};
use crate::{Outcome, setup, suite, xvfb};

/// The version that is to come.
const LATER: &str = "99.0.0";
/// What it brings for the database, so that an older program must not touch it any more.
const MIGRATION: (&str, &str) =
    ("crates/core/migrations/V9001__later.sql", "CREATE TABLE later (id INTEGER PRIMARY KEY) STRICT;\n");

/// What is built of this version: the story with its programs in one go, or their libraries would be built twice.
const NOW: [&str; 8] =
    ["--bin", "aftercare", "--bin", "aftercare-cli", "--bin", "aftercare-server", "--test", "update"];

/// Builds both versions and runs their story.
///
/// # Errors
/// When something cannot be built or packed.
pub fn check() -> Outcome<Count> {
    setup::window()?;
    suite::build_ui()?;
    let folder = stage::folder().join("update");
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let key = release_key(&folder)?;
    build(&root(), &key, &NOW)?;
    let now = package(VERSION, &folder)?;
    build(&later_source(&folder)?, &key, &["--bin", "aftercare", "--bin", "aftercare-cli"])?;
    let later = package(LATER, &folder)?;
    // The later programs lie where the story looks for these.
    build(&root(), &key, &NOW)?;

    let driver = setup::driver()?;
    let display = xvfb::start("1920x1080")?;
    let mut story = cargo(&["test", "--no-fail-fast", "--test", "update"]);
    story.args(suite::ALL).args(["--", "--test-threads=1"]);
    story.env("AFTERCARE_BUILT", "1").env("AFTERCARE_RELEASE_KEY", &key);
    story.env("AFTERCARE_RELEASE_KEY_FILE", folder.join("release.key"));
    story.env("AFTERCARE_PACKAGE", &now).env("AFTERCARE_PACKAGE_LATER", &later);
    // Instead of the question for an administrator's password, somebody who allows it.
    let path = std::env::var("PATH").unwrap_or_default();
    story.env("PATH", format!("{}:{path}", root().join("tests/suite/tests/update/allowed").display()));
    story.env("DISPLAY", &display.name).env("TAURI_DRIVER", driver);
    story.env("WEBKIT_DISABLE_COMPOSITING_MODE", "1").env_remove("WAYLAND_DISPLAY");
    cargo_test(&mut story)
}

/// The public half of a release key that lies in `folder`, made once: another would build everything again.
fn release_key(folder: &Path) -> Outcome<String> {
    let public = folder.join("release.pub");
    if let Ok(known) = fs::read_to_string(&public) {
        return Ok(known);
    }
    run(cargo(&["build", "--locked"]).args(suite::ALL).args(["--bin", "aftercare-server"]))?;
    let file = folder.join("release.key");
    let _ = fs::remove_file(&file);
    let server = target().join("debug/aftercare-server").display().to_string();
    let (home, key) = (folder.display().to_string(), file.display().to_string());
    let said = answer(&server, &["--json", "--home", &home, "updates", "key", &key]).unwrap_or_default();
    let made: Value = serde_json::from_str(&said).map_err(|error| format!("no release key: {error}"))?;
    let half = made["key"].as_str().ok_or("no release key")?;
    fs::write(&public, half).map_err(|error| format!("{}: {error}", public.display()))?;
    Ok(half.to_owned())
}

/// Builds from `source` what takes updates signed with `key`.
fn build(source: &Path, key: &str, what: &[&str]) -> Outcome {
    let mut build = cargo(&["build", "--locked"]);
    build.args(suite::ALL).args(what).current_dir(source);
    run(build.env("AFTERCARE_RELEASE_KEY", key).env("CARGO_TARGET_DIR", target()))
}

/// The desk's package of the version that was built last.
fn package(version: &str, folder: &Path) -> Outcome<PathBuf> {
    let programs = folder.join(version);
    stage::empty(&programs)?;
    for name in ["aftercare", "aftercare-cli"] {
        // Names for debuggers are most of a development build, and would all be fetched and hashed.
        let mut strip = program("strip", &["-o"]);
        run(strip.arg(programs.join(name)).arg(target().join("debug").join(name)))?;
    }
    deb::desk(&Contents { programs, version, quick: true, to: folder.to_path_buf() })
}

/// A copy of the sources with another version and one more migration.
fn later_source(folder: &Path) -> Outcome<PathBuf> {
    let copy = folder.join("source");
    stage::empty(&copy)?;
    let listed = answer("git", &["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .ok_or("the sources are no checkout of git")?;
    let files = listed.split('\0').filter(|file| !file.is_empty() && root().join(file).is_file());
    // With their times: what did not change is not built again.
    let mut put = program("cp", &["-rp", "--parents", "-t"]);
    put.arg(&copy).args(files).arg("ui/dist");
    println!("$ cp (the sources) {}", copy.display());
    if !put.status().is_ok_and(|status| status.success()) {
        return Err(format!("the sources cannot be copied to {}", copy.display()));
    }
    let (was, becomes) = (format!("version = \"{VERSION}\""), format!("version = \"{LATER}\""));
    change(&copy.join("Cargo.toml"), |text| text.replacen(&was, &becomes, 1))?;
    change(&copy.join("Cargo.lock"), |text| {
        // Packages without a source are the workspace's own.
        let packages = text.split("\n\n").map(|package| {
            if package.contains("source = ") { package.to_owned() } else { package.replace(&was, &becomes) }
        });
        packages.collect::<Vec<_>>().join("\n\n")
    })?;
    stage::write(MIGRATION.1.as_bytes(), &copy.join(MIGRATION.0), 0o644)?;
    Ok(copy)
}

fn change(file: &Path, how: impl FnOnce(&str) -> String) -> Outcome {
    let text = fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    stage::write(how(&text).as_bytes(), file, 0o644)
}
