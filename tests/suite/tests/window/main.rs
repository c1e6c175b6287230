//! The real window, driven as a person would.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod session;
mod shell;
mod work;

use std::path::Path;

use aftercare_suite::programs::built;
use aftercare_suite::window::Window;

/// The first person of a test's hospital.
pub const LOGIN: &str = "alice";
/// Her password.
pub const PASSWORD: &str = "correct horse 42";

/// The window on a data folder.
pub async fn open(home: &Path) -> Window {
    let window = Window::open(&built("aftercare").unwrap(), home).await.unwrap();
    window.ready().await.unwrap();
    window
}

/// Walks through the first-run wizard to the log-in page or the desk; answers with the recovery code.
pub async fn set_up(window: &Window) -> String {
    window.click(&at("choose-own")).await.unwrap();
    window.fill(&at("hospital"), "青山县人民医院").await.unwrap();
    window.fill(&at("site"), "本部").await.unwrap();
    window.click(&at("next")).await.unwrap();
    window.fill(&at("display-name"), "张𠮷祥").await.unwrap();
    window.fill(&at("login-name"), LOGIN).await.unwrap();
    window.fill(&at("password"), PASSWORD).await.unwrap();
    window.fill(&at("repeat"), PASSWORD).await.unwrap();
    window.click(&at("next")).await.unwrap();
    let code = window.text(&at("code")).await.unwrap();
    window.fill(&at("code-typed"), &code).await.unwrap();
    window.click(&at("next")).await.unwrap();
    window.click(&at("to-home")).await.unwrap();
    code
}

/// Logs alice in, from the log-in page or a locked screen.
pub async fn log_in(window: &Window, password: &str) {
    window.find(&at("login-password")).await.unwrap();
    if window.script("return !!document.querySelector('[data-test=login-name]')", vec![]).await.unwrap()
        == true
    {
        window.fill(&at("login-name"), LOGIN).await.unwrap();
    }
    window.fill(&at("login-password"), password).await.unwrap();
    window.click(&at("login-submit")).await.unwrap();
}

/// The selector of a part of the page by its test name.
pub fn at(name: &str) -> String {
    format!("[data-test='{name}']")
}
