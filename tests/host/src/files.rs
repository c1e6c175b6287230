//! The built page, as the desktop embeds it.

use std::path::{Component, Path};

use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::http::{HeaderName, StatusCode};
use serde_json::Value;

/// The desktop's own configuration: one content policy for both.
const SHELL: &str = include_str!("../../../src-tauri/tauri.conf.json");

/// A file's bytes with the headers the browser needs.
pub type Served = (StatusCode, [(HeaderName, String); 3], Vec<u8>);

/// The file of the page at `path`; a path without a file in it is a route of the page itself.
pub fn file(page: &Path, path: &str) -> Served {
    let relative = Path::new(path.trim_start_matches('/'));
    let inside = relative.components().all(|part| matches!(part, Component::Normal(_)));
    let is_file = inside && relative.extension().is_some();
    let wanted = if is_file { page.join(relative) } else { page.join("index.html") };
    match std::fs::read(&wanted) {
        Ok(bytes) if inside => (StatusCode::OK, headers(kind(&wanted)), bytes),
        _ => (
            StatusCode::NOT_FOUND,
            headers("text/plain; charset=utf-8"),
            b"no such file; is the page built?".to_vec(),
        ),
    }
}

fn headers(kind: &str) -> [(HeaderName, String); 3] {
    [
        (CONTENT_TYPE, kind.to_owned()),
        (CONTENT_SECURITY_POLICY, policy()),
        (CACHE_CONTROL, "no-store".to_owned()),
    ]
}

/// The desktop's policy as a header.
fn policy() -> String {
    let shell: Value = serde_json::from_str(SHELL).unwrap_or_default();
    let rules = shell.pointer("/app/security/csp").and_then(Value::as_object).cloned().unwrap_or_default();
    rules
        .iter()
        .map(|(name, value)| format!("{name} {}", value.as_str().unwrap_or("'none'")))
        .collect::<Vec<_>>()
        .join("; ")
}

fn kind(file: &Path) -> &'static str {
    match file.extension().and_then(|kind| kind.to_str()).unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" => "application/json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "woff2" => "font/woff2",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use axum::http::StatusCode;

    use super::{file, policy};

    #[test]
    fn only_files_of_the_page_are_served() {
        let folder = tempfile::tempdir().unwrap();
        let page = folder.path().join("dist");
        std::fs::create_dir(&page).unwrap();
        std::fs::write(page.join("index.html"), "page").unwrap();
        std::fs::write(folder.path().join("secret.txt"), "secret").unwrap();
        assert_eq!(file(&page, "/").2, b"page");
        assert_eq!(file(&page, "/worklist").2, b"page");
        assert_eq!(file(&page, "/missing.js").0, StatusCode::NOT_FOUND);
        assert_eq!(file(&page, "/../secret.txt").0, StatusCode::NOT_FOUND);
        assert_eq!(file(&page, "//etc/passwd.txt").0, StatusCode::NOT_FOUND);
    }

    #[test]
    fn the_policy_is_the_desktops() {
        assert!(policy().contains("default-src 'none'"));
        assert!(policy().contains("script-src 'self';"));
    }
}
