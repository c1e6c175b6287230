//! The Windows programs and Setup.exe, made on Debian by Debian's own cross compiler, Rust and NSIS.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Args;

use super::stage::{self, VERSION, put, words};
use crate::Outcome;
use crate::process::{program, root, run, target};
use crate::{setup, suite};

/// Of the Rust target.
const TRIPLE: &str = "x86_64-pc-windows-gnu";
/// What Setup.exe carries.
pub const PROGRAMS: [&str; 3] = ["aftercare.exe", "aftercare-cli.exe", "aftercare-server.exe"];
/// Microsoft's loader of the web view, which must lie beside the window's program.
pub const LOADER: &str = "WebView2Loader.dll";
/// Certificate (PKCS#12) that signs what is made; nothing is signed without it.
const CERTIFICATE: &str = "AFTERCARE_SIGN_PKCS12";

/// How to make Setup.exe.
#[derive(Args, Default)]
pub struct Options {
    /// Microsoft's offline installer of WebView2 to be carried inside; without it Setup.exe looks for it beside itself.
    #[arg(long, value_name = "MicrosoftEdgeWebView2RuntimeInstallerX64.exe")]
    pub webview2: Option<PathBuf>,
    /// Pack the programs of the last build instead of building them anew.
    #[arg(long)]
    pub built: bool,
}

/// What was made.
pub struct Made {
    /// The folder with the programs.
    pub stage: PathBuf,
    /// Setup.exe.
    pub setup: PathBuf,
}

/// Builds the programs and packs them.
///
/// # Errors
/// When a package is missing, or something does not build.
pub fn make(options: &Options) -> Outcome<Made> {
    setup::windows()?;
    if !options.built {
        suite::build_ui()?;
        build()?;
    }
    let stage = stage::folder().join("windows");
    stage::empty(&stage)?;
    for name in PROGRAMS.into_iter().chain([LOADER]) {
        let to = stage.join(name);
        put(&built(name), &to, 0o755)?;
        if name != LOADER {
            // Names of functions are a quarter of a program, and of no use to a hospital.
            run(program("x86_64-w64-mingw32-strip", &[]).arg(&to))?;
            let folders = [root().display().to_string(), cargo_home()?];
            let bytes = fs::read(&to).map_err(|error| format!("{}: {error}", to.display()))?;
            stage::write(&without_folders(bytes, &folders), &to, 0o755)?;
            sign(&to)?;
        }
    }
    let setup = stage::folder().join(format!("Aftercare-Setup-{VERSION}.exe"));
    pack(&stage, &setup, VERSION, options.webview2.as_deref(), false)?;
    Ok(Made { stage, setup })
}

/// A file of the Windows build.
fn built(name: &str) -> PathBuf {
    target().join("windows").join(TRIPLE).join("release").join(name)
}

/// Debian's cargo with a standard library for Windows. Its own target folder: another compiler's objects.
fn build() -> Outcome {
    let folder = target().join("windows");
    let sysroot = folder.join("sysroot");
    run(program(root().join("installer/windows/mk-sysroot.sh"), &[]).arg(&sysroot))?;
    let mut cargo = program("/usr/bin/cargo", &["build", "--locked", "--release", "--target", TRIPLE]);
    cargo.args(["-p", "aftercare", "-p", "aftercare-cli", "-p", "aftercare-server"]);
    cargo.args(["--features", "aftercare/vendored,aftercare-cli/vendored,aftercare-server/vendored"]);
    cargo.env("RUSTC", sysroot.join("bin/rustc")).env("CARGO_TARGET_DIR", &folder);
    // What runs this program through cargo says where its own tools are; these are others.
    for name in ["CARGO", "RUSTUP_TOOLCHAIN", "RUSTC_WRAPPER", "RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS"] {
        cargo.env_remove(name);
    }
    cargo.env("CARGO_TARGET_X86_64_PC_WINDOWS_GNU_LINKER", "x86_64-w64-mingw32-gcc");
    // No name of this machine's folders in what hospitals get.
    let home = cargo_home()?;
    let flags =
        format!("--remap-path-prefix={}=/aftercare --remap-path-prefix={home}=/cargo", root().display());
    cargo.env("CARGO_TARGET_X86_64_PC_WINDOWS_GNU_RUSTFLAGS", flags);
    run(&mut cargo)
}

/// Where cargo keeps other people's sources.
fn cargo_home() -> Outcome<String> {
    std::env::var("CARGO_HOME")
        .or_else(|_| std::env::var("HOME").map(|home| format!("{home}/.cargo")))
        .map_err(|_| "neither CARGO_HOME nor HOME is set".into())
}

/// A program without this machine's folders. The compiler is told not to name them, but OpenSSL writes down where it
/// was built, as the place of settings and engines that nobody has. The texts keep their length.
fn without_folders(mut bytes: Vec<u8>, folders: &[String]) -> Vec<u8> {
    for folder in folders.iter().map(String::as_bytes).filter(|folder| !folder.is_empty()) {
        let mut other = b"/aftercare".to_vec();
        other.resize(folder.len(), b'/');
        let mut from = 0;
        while let Some(found) = bytes[from..].windows(folder.len()).position(|part| part == folder) {
            from += found + folder.len();
            bytes[from - folder.len()..from].copy_from_slice(&other);
        }
    }
    bytes
}

/// Packs a stage into a Setup.exe. `stub64` for tests: wine here runs 64-bit programs only.
///
/// # Errors
/// When makensis does not like it.
pub fn pack(stage: &Path, setup: &Path, version: &str, runtime: Option<&Path>, stub64: bool) -> Outcome {
    let words = stage::folder().join("words.nsh");
    fs::write(&words, language_strings()?).map_err(|error| format!("{}: {error}", words.display()))?;
    let script = root().join("installer/windows/setup.nsi");
    let mut makensis = program("makensis", &["-V2", "-WX", "-INPUTCHARSET", "UTF8"]);
    let mut define = |name: &str, value: &str| {
        makensis.arg(format!("-D{name}={value}"));
    };
    define("VERSION", version);
    define("PUBLISHER", &stage::publisher()?);
    define("STAGE", &stage.to_string_lossy());
    define("WORDS", &words.to_string_lossy());
    define("ICON", &root().join("src-tauri/icons/icon.ico").to_string_lossy());
    define("OUT", &setup.to_string_lossy());
    if let Some(runtime) = runtime {
        define("RUNTIME", &runtime.to_string_lossy());
    }
    if std::env::var_os(CERTIFICATE).is_some() {
        define("SIGN", &signer().to_string_lossy());
    }
    if stub64 {
        define("STUB64", "");
    }
    run(makensis.arg(&script))
}

/// The installer's words as NSIS reads them.
fn language_strings() -> Outcome<String> {
    let mut text = String::new();
    for (language, constant) in [("zh-CN", "LANG_SIMPCHINESE"), ("en", "LANG_ENGLISH")] {
        for (key, value) in words(language)? {
            let value = value.as_str().unwrap_or_default();
            text.push_str(&format!("LangString {key} ${{{constant}}} \"{}\"\n", nsis(value)));
        }
    }
    Ok(text)
}

/// A text inside NSIS's quotes, with the two values that its words name.
fn nsis(text: &str) -> String {
    text.replace('$', "$$")
        .replace('"', "$\\\"")
        .replace('\n', "$\\r$\\n")
        .replace("{folder}", "$INSTDIR")
        .replace("{runtime}", "${RUNTIME_FILE}")
}

fn signer() -> PathBuf {
    root().join("installer/windows/sign.sh")
}

/// Signs a program where a certificate is configured.
fn sign(file: &Path) -> Outcome {
    if std::env::var_os(CERTIFICATE).is_none() {
        return Ok(());
    }
    run(Command::new(signer()).arg(file))
}

#[cfg(test)]
mod tests {
    use super::{nsis, without_folders};

    #[test]
    fn a_program_names_no_folder_it_was_built_in_and_keeps_its_length() {
        let folders = ["/home/me/code/aftercare".to_owned(), "/root".to_owned()];
        let program = b"\0/home/me/code/aftercare/target\0/root/.cargo\0/root".to_vec();
        let other = without_folders(program.clone(), &folders);
        assert_eq!(other, b"\0/aftercare//////////////target\0/afte/.cargo\0/afte");
        assert_eq!(other.len(), program.len());
        assert_eq!(without_folders(Vec::new(), &folders), b"");
    }

    #[test]
    fn words_cannot_break_out_of_their_quotes() {
        assert_eq!(nsis("a \"b\"\n$c"), "a $\\\"b$\\\"$\\r$\\n$$c");
        assert_eq!(nsis("{folder}: {runtime}"), "$INSTDIR: ${RUNTIME_FILE}");
    }
}
