//! A demo hospital from the sample extract, in the window.

use std::fs;
use std::path::Path;

use clap::Args;

use crate::process::{cargo, program, run, target};
use crate::{Outcome, setup, suite, xvfb};

/// How to show the demo.
#[derive(Args)]
pub struct Options {
    /// Keep the demo hospital of the last run instead of making a new one.
    #[arg(long)]
    keep: bool,
    /// Take screenshots under a virtual display although there is a real one.
    #[arg(long)]
    screenshots: bool,
}

/// Builds, makes the hospital and opens the window, or takes its pictures where there is no display.
///
/// # Errors
/// When a step fails; the message says which.
pub fn run_demo(options: &Options) -> Outcome {
    let display = cfg!(windows)
        || ["DISPLAY", "WAYLAND_DISPLAY"]
            .iter()
            .any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()));
    let pictures = options.screenshots || !display;
    if pictures {
        setup::window()?;
    } else {
        setup::build()?;
    }
    suite::build_ui()?;
    run(&mut cargo(&["build", "--workspace", "--bins"]))?;

    let folder = target().join("demo");
    let home = folder.join("home");
    if !(options.keep && home.is_dir()) {
        let _ = fs::remove_dir_all(&home);
        fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        run(program(target().join("debug").join("demo-hospital"), &[]).arg(&home))?;
    }
    if pictures { take_pictures(&home, &folder) } else { open_window(&home) }
}

fn open_window(home: &Path) -> Outcome {
    println!("The window opens. Close it to end the demo.");
    run(program(target().join("debug").join("aftercare"), &["--home"]).arg(home))
}

fn take_pictures(home: &Path, folder: &Path) -> Outcome {
    let driver = setup::driver()?;
    let display = xvfb::start("1920x1080")?;
    println!("There is no display: the window opens under {} and its pages are photographed.", display.name);
    let mut tour = program(target().join("debug").join("demo-tour"), &[]);
    tour.arg(home).arg(folder);
    tour.env("DISPLAY", &display.name).env("TAURI_DRIVER", driver);
    tour.env("WEBKIT_DISABLE_COMPOSITING_MODE", "1").env_remove("WAYLAND_DISPLAY");
    run(&mut tour)?;
    println!("Screenshots: {}", folder.display());
    Ok(())
}
