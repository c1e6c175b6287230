//! The one window: its page, its size, and everything it must not do.

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tauri::webview::NewWindowResponse;
use tauri::{
    App, AppHandle, DragDropEvent, Manager, Url, WebviewUrl, WebviewWindow, WebviewWindowBuilder, WindowEvent,
};

use crate::desk;
use crate::words::TITLE;

/// The window's label, as the capability names it.
pub const LABEL: &str = "main";
const SMALLEST: (f64, f64) = (1180.0, 680.0);

/// How large the window was when it was last closed, in logical pixels.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Size {
    width: f64,
    height: f64,
    maximized: bool,
}

impl Size {
    const FIRST: Self = Self { width: 1366.0, height: 768.0, maximized: false };

    /// Within what is usable, whatever the file said.
    fn usable(self) -> Self {
        let within =
            |value: f64, least: f64| if value.is_finite() { value.clamp(least, 16_384.0) } else { least };
        Self { width: within(self.width, SMALLEST.0), height: within(self.height, SMALLEST.1), ..self }
    }
}

/// Opens the window, hidden from everything but its own page. `status` is how the session stands: it goes along with the
/// page, so that the page need not ask before it paints.
///
/// # Errors
/// When the system has no web view or no display.
pub fn open(app: &App, home: &Path, status: &Value) -> tauri::Result<WebviewWindow> {
    let memory = home.join("window.json");
    let size = remembered(&memory).usable();
    let development = app.config().build.dev_url.clone().filter(|_| cfg!(dev));
    let window = WebviewWindowBuilder::new(app, LABEL, WebviewUrl::default())
        .title(TITLE)
        .inner_size(size.width, size.height)
        .min_inner_size(SMALLEST.0, SMALLEST.1)
        .prevent_overflow()
        .maximized(size.maximized)
        .center()
        .data_directory(home.join("webview"))
        .general_autofill_enabled(false)
        .initialization_script(format!("window.aftercareStart = {status};"))
        .devtools(cfg!(debug_assertions))
        .on_navigation(move |url| is_own_page(url, development.as_ref()))
        .on_new_window(|_, _| NewWindowResponse::Deny)
        .on_download(|_, _| false)
        .build()?;
    let observed = window.clone();
    window.on_window_event(move |event| {
        match event {
            WindowEvent::CloseRequested { .. } => remember(&memory, &observed),
            // A file dropped on the window was chosen by a person, as in a dialog: the page gets its path.
            WindowEvent::DragDrop(DragDropEvent::Enter { .. }) => tell_dragging(&observed, true),
            WindowEvent::DragDrop(DragDropEvent::Leave) => tell_dragging(&observed, false),
            WindowEvent::DragDrop(DragDropEvent::Drop { paths, .. }) => {
                tell_dragging(&observed, false);
                let named: Vec<&str> = paths.iter().filter_map(|path| path.to_str()).collect();
                desk::tell(observed.app_handle(), "dropped", &json!({ "paths": named }));
            }
            _ => {}
        }
    });
    Ok(window)
}

fn tell_dragging(window: &WebviewWindow, over: bool) {
    desk::tell(window.app_handle(), "dragging", &json!({ "over": over }));
}

/// Brings the window to the front.
pub fn show(app: &AppHandle) {
    if let Some(window) = app.get_webview_window(LABEL) {
        let _ = window.unminimize();
        let _ = window.show();
        let _ = window.set_focus();
    }
}

/// The embedded page, and while developing the dev server; nothing else is ever loaded.
fn is_own_page(url: &Url, development: Option<&Url>) -> bool {
    let embedded = match url.scheme() {
        "tauri" => url.host_str() == Some("localhost"),
        "http" | "https" => url.host_str() == Some("tauri.localhost") && url.port().is_none(),
        _ => url.as_str() == "about:blank",
    };
    embedded || development.is_some_and(|own| own.origin() == url.origin())
}

fn remembered(memory: &PathBuf) -> Size {
    fs::read(memory).ok().and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or(Size::FIRST)
}

/// The size is a comfort: a window that cannot store it closes all the same.
fn remember(memory: &Path, window: &WebviewWindow) {
    let (Ok(scale), Ok(size)) = (window.scale_factor(), window.inner_size()) else { return };
    let maximized = window.is_maximized().unwrap_or(false);
    let now = size.to_logical::<f64>(scale);
    // A maximised window keeps the size it will have again when it is not.
    let kept = if maximized {
        Size { maximized, ..remembered(&memory.to_path_buf()) }
    } else {
        Size { width: now.width, height: now.height, maximized }
    };
    if let Ok(text) = serde_json::to_vec(&kept) {
        let _ = fs::write(memory, text);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::{SMALLEST, Size, is_own_page};

    #[test]
    fn only_the_embedded_page_is_loaded() {
        let own = |text: &str| is_own_page(&text.parse().unwrap(), None);
        assert!(own("tauri://localhost/index.html"));
        assert!(own("http://tauri.localhost/#/worklist"));
        for foreign in [
            "https://example.com/",
            "http://tauri.localhost.example.com/",
            "http://tauri.localhost:81/",
            "http://localhost:5173/",
            "tauri://elsewhere/",
            "file:///etc/passwd",
            "data:text/html,x",
            "javascript:alert(1)",
        ] {
            assert!(!own(foreign), "{foreign}");
        }
        let dev = "http://localhost:5173/".parse().unwrap();
        assert!(is_own_page(&"http://localhost:5173/@vite/client".parse().unwrap(), Some(&dev)));
    }

    #[test]
    fn a_damaged_size_is_made_usable() {
        let size = Size { width: f64::NAN, height: -3.0, maximized: false }.usable();
        assert_eq!((size.width, size.height), SMALLEST);
    }
}
