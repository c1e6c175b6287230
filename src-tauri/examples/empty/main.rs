//! The floor of the start benchmark: the same web view with a page that says one word.

#![allow(clippy::expect_used)]

use tauri::{WebviewUrl, WebviewWindowBuilder};

fn main() {
    let app = tauri::Builder::default()
        .build(tauri::generate_context!("examples/empty/tauri.conf.json"))
        .expect("the empty window's context");
    // A data folder of its own as the program's window has one, given as the program's `--home`.
    let mut args = std::env::args().skip_while(|arg| arg != "--home");
    let home = args.nth(1).map(std::path::PathBuf::from).unwrap_or_else(std::env::temp_dir);
    WebviewWindowBuilder::new(&app, "main", WebviewUrl::default())
        .inner_size(1366.0, 768.0)
        .data_directory(home.join("webview"))
        .build()
        .expect("the empty window");
    app.run(|_, _| {});
}
