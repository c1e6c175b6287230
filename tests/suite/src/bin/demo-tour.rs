//! `demo-tour HOME FOLDER`: opens the window on a demo hospital and photographs every page of its menu, in both
//! languages and both common sizes.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use aftercare_suite::Answer;
use aftercare_suite::demo::{LOGIN, PASSWORD};
use aftercare_suite::programs::folder;
use aftercare_suite::window::{Window, remember_size};
use serde_json::Value;

/// The office PC and the comfortable one.
const SIZES: [(u32, u32); 2] = [(1366, 768), (1920, 1080)];

#[tokio::main]
async fn main() -> ExitCode {
    let mut args = std::env::args_os().skip(1).map(PathBuf::from);
    let (Some(home), Some(pictures)) = (args.next(), args.next()) else {
        eprintln!("usage: demo-tour HOME FOLDER");
        return ExitCode::FAILURE;
    };
    match tour(&home, &pictures).await {
        Ok(count) => {
            println!("{count} pictures in {}", pictures.display());
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("the tour stopped: {error}");
            ExitCode::FAILURE
        }
    }
}

/// One window for each size: it opens as large as it was closed.
async fn tour(home: &Path, pictures: &Path) -> Answer<usize> {
    let mut count = 0;
    for (width, height) in SIZES {
        remember_size(home, width, height)?;
        let window = Window::open(&folder()?.join("aftercare"), home).await?;
        window.ready().await?;
        let mut album =
            Album { window: &window, folder: pictures, language: "zh", size: (width, height), count: 0 };
        album.picture("login").await?;
        window.fill("[data-test='login-name']", LOGIN).await?;
        window.fill("[data-test='login-password']", PASSWORD).await?;
        window.click("[data-test='login-submit']").await?;
        window.find("[data-test='shell']").await?;
        // English first: the window is left in Chinese.
        for (language, locale) in [("en", "en"), ("zh", "zh-CN")] {
            album.language = language;
            window.go("#/settings/appearance").await?;
            window.click(&format!("[data-test='locale-{locale}']")).await?;
            for page in pages(&window).await? {
                window.click(&format!("[data-test='{page}']")).await?;
                album.picture(page.trim_start_matches("menu-")).await?;
                if page == "menu-followup" {
                    // The screen of the day: a patient with something due, opened from the queue. The first ones
                    // have been called already and wait for an expert.
                    window.click("[data-test='queue'] [data-patient]:nth-child(7)").await?;
                    window.find("[data-test='call']").await?;
                    album.picture("followup-call").await?;
                }
            }
        }
        count += album.count;
        window.close().await?;
    }
    Ok(count)
}

/// The entries of the menu, as the signed-in person sees them.
async fn pages(window: &Window) -> Answer<Vec<String>> {
    let script =
        "return [...document.querySelectorAll('[data-test^=menu-]')].map((entry) => entry.dataset.test)";
    let names = window.script(script, vec![]).await?;
    let names: Vec<String> =
        names.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect();
    if names.is_empty() {
        return Err("the menu has no pages".into());
    }
    Ok(names)
}

/// Pictures of one window.
struct Album<'a> {
    window: &'a Window,
    folder: &'a Path,
    language: &'static str,
    size: (u32, u32),
    count: usize,
}

impl Album<'_> {
    /// The page as it is now.
    async fn picture(&mut self, name: &str) -> Answer {
        self.window.settled().await?;
        let (width, height) = self.size;
        let file = format!("{}-{width}x{height}-{name}.png", self.language);
        self.window.photograph(&self.folder.join(&file)).await?;
        println!("{file}");
        self.count += 1;
        Ok(())
    }
}
