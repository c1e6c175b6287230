//! Files on their way into a package.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::Outcome;
use crate::process::{root, target};

/// The version of every program: that of the workspace.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Where installers are made and left.
pub fn folder() -> PathBuf {
    target().join("installer")
}

/// An empty folder; what lay there is gone.
///
/// # Errors
/// When it cannot be made.
pub fn empty(path: &Path) -> Outcome {
    let _ = fs::remove_dir_all(path);
    fs::create_dir_all(path).map_err(|error| format!("{}: {error}", path.display()))
}

/// Copies `from` to `to` with a mode, making folders on the way.
///
/// # Errors
/// When it cannot be read or written.
pub fn put(from: &Path, to: &Path, mode: u32) -> Outcome {
    let bytes = fs::read(from).map_err(|error| format!("{}: {error}", from.display()))?;
    write(&bytes, to, mode)
}

/// Writes `bytes` to `to` with a mode, making folders on the way.
///
/// # Errors
/// When it cannot be written.
pub fn write(bytes: &[u8], to: &Path, mode: u32) -> Outcome {
    let failed = |error: std::io::Error| format!("{}: {error}", to.display());
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    fs::write(to, bytes).map_err(failed)?;
    #[cfg(unix)]
    fs::set_permissions(to, std::os::unix::fs::PermissionsExt::from_mode(mode)).map_err(failed)?;
    #[cfg(not(unix))]
    let _ = mode;
    Ok(())
}

/// A text of the repository with `@NAME@` filled in.
///
/// # Errors
/// When it cannot be read, or names something that is not filled in.
pub fn filled(template: &str, values: &[(&str, &str)]) -> Outcome<String> {
    let path = root().join(template);
    let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let text = values.iter().fold(text, |text, (name, value)| text.replace(&format!("@{name}@"), value));
    match text.lines().find(|line| line.split('@').count() > 2) {
        Some(line) => Err(format!("{template}: nothing is known for `{line}`")),
        None => Ok(text),
    }
}

/// The installer's words in a language, `zh-CN` (`assets/locales/zh-CN/installer.json`) or `en`.
///
/// # Errors
/// When the file cannot be read.
pub fn words(language: &str) -> Outcome<serde_json::Map<String, Value>> {
    let path = root().join(format!("assets/locales/{language}/installer.json"));
    let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))
}

/// One of the words.
pub fn word<'a>(words: &'a serde_json::Map<String, Value>, key: &str) -> &'a str {
    words.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// Who publishes the programs, as their executables say it.
///
/// # Errors
/// When the window's configuration cannot be read.
pub fn publisher() -> Outcome<String> {
    let path = root().join("src-tauri/tauri.conf.json");
    let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let config: Value =
        serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))?;
    let name = config.pointer("/bundle/publisher").and_then(Value::as_str);
    name.map(str::to_owned).ok_or_else(|| "tauri.conf.json names no publisher".into())
}

/// Bytes of all files below `path`.
pub fn size(path: &Path) -> u64 {
    let entries = fs::read_dir(path).into_iter().flatten().flatten();
    entries
        .map(|entry| match entry.metadata() {
            Ok(about) if about.is_dir() => size(&entry.path()),
            Ok(about) => about.len(),
            Err(_) => 0,
        })
        .sum()
}
