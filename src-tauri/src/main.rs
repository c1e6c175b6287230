//! The desktop window around aftercare-core: it opens, shows, passes calls on, and holds nothing of the domain.

#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

mod args;
mod desk;
mod dial;
mod dialogs;
mod failure;
mod instance;
mod logs;
mod updates;
mod window;
mod words;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use aftercare_core::App as Core;
use aftercare_core::env::Env;
use aftercare_core::messages::of_error;
use aftercare_core::updates::{Start, at_start};
use aftercare_core::words::Language;
use clap::Parser;
use serde_json::{Value, json};
use tauri::{Manager, RunEvent};

use crate::args::Args;
use crate::desk::Desk;
use crate::dial::Dialler;
use crate::words::words;

/// What the program ends with where WebView2 is missing; the same as Setup.exe's.
const NO_WEBVIEW: u8 = 5;

fn main() -> ExitCode {
    let args = Args::parse();
    // WebDriver can read and click everything: fine in tests, never where patients' data are real.
    if !cfg!(debug_assertions) && std::env::var_os("TAURI_WEBVIEW_AUTOMATION").is_some() {
        failure::tell(&words("automated", &[]));
        return ExitCode::FAILURE;
    }
    // Windows 10 may lack it; without this the window would fail with a number.
    if cfg!(windows) && tauri::webview_version().is_err() {
        failure::tell(&words("no_webview", &[]));
        return ExitCode::from(NO_WEBVIEW);
    }
    match start(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            failure::tell(&message);
            ExitCode::FAILURE
        }
    }
}

/// Opens the window and runs until it is closed. The error is a sentence for the person.
fn start(args: &Args) -> Result<(), String> {
    let app = tauri::Builder::default()
        .invoke_handler(tauri::generate_handler![
            desk::rpc,
            desk::pick_file,
            desk::pick_save,
            desk::open_dial
        ])
        .build(tauri::generate_context!())
        .map_err(|error| failure::sentence(&error.to_string(), None))?;
    let home = home(args, &app)?;
    let logs = home.join("logs");
    logs::start(&logs);
    failure::watch(&logs);

    let failed = |error: &dyn std::fmt::Display| {
        tracing::error!(%error, "start failed");
        failure::sentence(&error.to_string(), Some(&logs))
    };
    let Some(only) = instance::claim(&home).map_err(|error| failed(&error))? else {
        eprintln!("{}", words("already_open", &[]));
        return Ok(());
    };
    if let Start::Before(program) = at_start(&home).unwrap_or(Start::Here) {
        drop(only);
        return updates::hand_over(&program).map_err(|error| failed(&error));
    }
    let core = Core::open(&home, Env::real()).map_err(|error| {
        tracing::error!(%error, "start failed");
        failure::sentence(&of_error(Language::of_system(), &error.to_wire("start")), Some(&logs))
    })?;
    app.manage(Desk::new(Arc::clone(&core), Dialler(args.dial_log()), args.dialog_answers()));
    let status = core.call("session_status", json!({})).unwrap_or(Value::Null);
    window::open(&app, &home, &status).map_err(|error| failed(&error))?;
    desk::connect(&core, only, app.handle());
    tracing::info!(version = env!("CARGO_PKG_VERSION"), "started");
    let (at_end, its_home) = (core, home);
    app.run(move |_, event| {
        if matches!(event, RunEvent::Exit) {
            updates::at_exit(&at_end, &its_home);
        }
    });
    Ok(())
}

/// The data folder, made when it is not there.
fn home(args: &Args, app: &tauri::App) -> Result<PathBuf, String> {
    let home = match &args.home {
        Some(home) => home.clone(),
        None => app.path().app_local_data_dir().map_err(|_| words("no_home", &[]))?,
    };
    make_private(&home).map_err(|error| failure::sentence(&format!("{}: {error}", home.display()), None))?;
    // Windows' canonical form is one that the web view does not take as its folder.
    let whole = if cfg!(windows) { std::path::absolute(&home) } else { fs::canonicalize(&home) };
    whole.map_err(|error| failure::sentence(&format!("{}: {error}", home.display()), None))
}

/// A folder that only this user of the PC can look into.
fn make_private(folder: &Path) -> std::io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}
