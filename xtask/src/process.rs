//! Running programs: echoed, from the repository's root, with a sentence when they fail.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::Outcome;

/// The repository's root: this package's parent.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}

/// Where cargo builds.
pub fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// A program to be run from the root.
pub fn program<S: AsRef<OsStr>>(name: S, args: &[&str]) -> Command {
    let mut command = Command::new(name);
    command.args(args).current_dir(root());
    command
}

/// The cargo that runs this program.
pub fn cargo(args: &[&str]) -> Command {
    program(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()), args)
}

/// npm inside `ui/`.
pub fn npm(args: &[&str]) -> Command {
    let mut command = program(if cfg!(windows) { "npm.cmd" } else { "npm" }, args);
    command.current_dir(root().join("ui"));
    command
}

/// One line as a person would type it.
pub fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words
        .map(|word| {
            let text = word.to_string_lossy();
            Path::new(text.as_ref())
                .file_name()
                .filter(|_| text.starts_with('/') && text.ends_with("/cargo"))
                .map_or_else(|| text.to_string(), |name| name.to_string_lossy().into_owned())
        })
        .collect::<Vec<_>>()
        .join(" ")
}

/// Runs to the end with the terminal's own output.
///
/// # Errors
/// When it cannot be started or ends with another code than 0.
pub fn run(command: &mut Command) -> Outcome {
    println!("$ {}", shown(command));
    let status =
        command.status().map_err(|error| format!("`{}` cannot be started: {error}", shown(command)))?;
    if status.success() { Ok(()) } else { Err(format!("`{}` ended with {status}", shown(command))) }
}

/// Runs to the end, echoing standard output and handing each line of it to `each`; true when it ended with 0.
///
/// # Errors
/// When it cannot be started or its output cannot be read.
pub fn lines(command: &mut Command, mut each: impl FnMut(&str)) -> Outcome<bool> {
    println!("$ {}", shown(command));
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| format!("`{}` cannot be started: {error}", shown(command)))?;
    if let Some(out) = child.stdout.take() {
        for line in BufReader::new(out).split(b'\n') {
            let bytes = line.map_err(|error| format!("its output cannot be read: {error}"))?;
            let line = String::from_utf8_lossy(&bytes);
            println!("{line}");
            each(&line);
        }
    }
    let status = child.wait().map_err(|error| format!("it was lost: {error}"))?;
    Ok(status.success())
}

/// What a program prints, or nothing when it is missing or fails.
pub fn answer(name: &str, args: &[&str]) -> Option<String> {
    let output = program(name, args).stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Where a program lies on the path.
pub fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())
}
