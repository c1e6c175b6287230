//! What a fresh Debian machine lacks: system packages, npm's modules, the window's driver.

use std::fs;
use std::path::PathBuf;

use crate::Outcome;
use crate::process::{answer, cargo, find, npm, program, root, run, target};

/// What the compiler and linker need.
const BUILD: &[&str] = &["build-essential", "pkg-config", "libssl-dev", "libwebkit2gtk-4.1-dev"];
/// What a window needs where nobody looks, and its Chinese characters.
const WINDOW: &[&str] = &["webkit2gtk-driver", "xvfb", "xauth", "imagemagick"];
/// The browser of the UI's tests.
const BROWSER: &[&str] = &["chromium"];
/// The server's other database: its tests start one of their own.
const DATABASE: &[&str] = &["postgresql"];
/// What reads a program's dependencies and packs it.
const PACKAGING: &[&str] = &["dpkg-dev"];
/// Debian's Rust, its library's source, a compiler for Windows and the maker of Setup.exe.
const WINDOWS: &[&str] = &[
    "rustc-web",
    "cargo-web",
    "rust-web-src",
    "gcc-mingw-w64-x86-64-win32",
    "g++-mingw-w64-x86-64-win32",
    "nsis",
    "osslsigncode",
    "perl",
];
/// What starts the packages as they are: wine for Windows' programs, tools that look at windows and shortcuts.
const INSTALLER_CHECK: &[&str] = &[
    "wine",
    "wine64",
    "xvfb",
    "imagemagick",
    "curl",
    "iproute2",
    "util-linux",
    "openssl",
    "desktop-file-utils",
];
const CHINESE_FONT: &str = "fonts-noto-cjk";
/// The driver between WebDriver and the window. Later ones were not tried.
const DRIVER: &str = "2.1.0";

/// What building needs.
///
/// # Errors
/// When a package is missing and cannot be installed.
pub fn build() -> Outcome {
    packages(BUILD)?;
    modules()
}

/// What packing for Debian needs.
///
/// # Errors
/// When something is missing and cannot be installed.
pub fn packaging() -> Outcome {
    packages(&[BUILD, PACKAGING].concat())?;
    modules()
}

/// What making Setup.exe needs.
///
/// # Errors
/// When something is missing and cannot be installed.
pub fn windows() -> Outcome {
    packages(&[BUILD, WINDOWS].concat())?;
    modules()
}

/// What trying the installers needs.
///
/// # Errors
/// When something is missing and cannot be installed.
pub fn installer_check() -> Outcome {
    packages(&[BUILD, PACKAGING, WINDOWS, INSTALLER_CHECK].concat())?;
    modules()
}

/// What building and a look at the window need: with no display, a virtual one and the driver.
///
/// # Errors
/// When something is missing and cannot be installed.
pub fn window() -> Outcome {
    packages(&[BUILD, WINDOW].concat())?;
    modules()?;
    driver().map(|_| ())
}

/// What the tests need.
///
/// # Errors
/// When something is missing and cannot be installed.
pub fn tests() -> Outcome {
    components()?;
    packages(&[BUILD, WINDOW, BROWSER, DATABASE].concat())?;
    modules()?;
    driver().map(|_| ())
}

/// The installed window driver.
///
/// # Errors
/// When it is missing and cannot be installed.
pub fn driver() -> Outcome<PathBuf> {
    let tools = target().join("tools");
    let driver = tools.join("bin").join("tauri-driver");
    let stamp = tools.join(".crates.toml");
    let known = fs::read_to_string(&stamp).unwrap_or_default();
    if driver.is_file() && known.contains(&format!("\"tauri-driver {DRIVER} ")) {
        return Ok(driver);
    }
    let mut install =
        cargo(&["install", "--quiet", "--locked", "tauri-driver", "--version", DRIVER, "--root"]);
    install.arg(&tools);
    // Its own target folder: the workspace's flags and locks are none of its business.
    install.env("CARGO_TARGET_DIR", tools.join("build"));
    run(&mut install)?;
    // Half a gigabyte of its objects is of no use afterwards; a leftover is harmless.
    let _ = fs::remove_dir_all(tools.join("build"));
    Ok(driver)
}

/// The compiler's own tools, through rustup where there is one.
fn components() -> Outcome {
    if answer("cargo", &["fmt", "--version"]).is_some() && answer("cargo", &["clippy", "--version"]).is_some()
    {
        return Ok(());
    }
    if find("rustup").is_none() {
        return Err(
            "rustfmt and clippy are missing; install them with your Rust (apt: rustfmt rust-clippy)".into()
        );
    }
    run(&mut program("rustup", &["component", "add", "rustfmt", "clippy"]))
}

/// Debian packages, by apt-get when some are missing.
fn packages(wanted: &[&str]) -> Outcome {
    if find("dpkg-query").is_none() {
        return without_apt();
    }
    let mut missing: Vec<&str> = wanted.iter().copied().filter(|name| !installed(name)).collect();
    if answer("fc-list", &[":lang=zh", "family"]).is_none_or(|fonts| fonts.trim().is_empty()) {
        missing.push(CHINESE_FONT);
    }
    if missing.is_empty() {
        return Ok(());
    }
    let by_hand = format!("apt-get install --no-install-recommends {}", missing.join(" "));
    let root = answer("id", &["-u"]).is_some_and(|id| id.trim() == "0");
    if !root && find("sudo").is_none() {
        return Err(format!(
            "these Debian packages are missing, and there is neither root nor sudo to install them. \
             As root: {by_hand}"
        ));
    }
    let apt = |args: &[&str]| {
        let mut words: Vec<&str> = if root { vec![] } else { vec!["sudo"] };
        words.extend(["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q"]);
        words.extend(args);
        run(&mut program(words[0], &words[1..]))
    };
    let mut install = vec!["install", "-y", "--no-install-recommends"];
    install.extend(&missing);
    apt(&["update"])
        .and_then(|()| apt(&install))
        .map_err(|error| format!("{error}. Install by hand: {by_hand}"))
}

fn installed(package: &str) -> bool {
    answer("dpkg-query", &["-W", "-f=${Status}", package])
        .is_some_and(|status| status.ends_with("ok installed"))
}

/// Elsewhere than on Debian nothing is installed; what is missing is named.
fn without_apt() -> Outcome {
    if cfg!(windows) || answer("pkg-config", &["--exists", "webkit2gtk-4.1", "openssl"]).is_some() {
        return Ok(());
    }
    Err(format!(
        "this is no Debian, so nothing is installed for you. Install what these Debian packages hold: {} {}",
        [BUILD, WINDOW, BROWSER, DATABASE].concat().join(" "),
        CHINESE_FONT
    ))
}

/// `npm ci` when the lock file is newer than what lies there.
fn modules() -> Outcome {
    if find("npm").is_none() && !cfg!(windows) {
        return Err("Node is missing; install Node 20 or newer with npm, then run this again".into());
    }
    let ui = root().join("ui");
    let lock =
        fs::read(ui.join("package-lock.json")).map_err(|error| format!("ui/package-lock.json: {error}"))?;
    let copy = ui.join("node_modules/.installed-lock.json");
    if fs::read(&copy).is_ok_and(|installed| installed == lock) {
        return Ok(());
    }
    run(&mut npm(&["ci", "--no-audit", "--no-fund"]))?;
    fs::write(&copy, lock).map_err(|error| format!("{}: {error}", copy.display()))
}
