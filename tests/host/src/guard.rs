//! Only pages that this host served may call it.

use std::net::SocketAddr;

use axum::http::header::{HOST, ORIGIN};
use axum::http::{HeaderMap, Method};

/// The address must be this host's own (no rebound name), and anything that changes something must come from its own page.
pub fn is_own(method: &Method, headers: &HeaderMap, address: SocketAddr) -> bool {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let hosts = [address.to_string(), format!("localhost:{}", address.port())];
    let Some(host) = text(HOST).filter(|host| hosts.iter().any(|own| own == host)) else { return false };
    match text(ORIGIN) {
        Some(origin) => origin.strip_prefix("http://") == Some(host),
        // Browsers always send it with a POST from another site; programs on this PC (tests) send none.
        None => method == Method::GET || !headers.contains_key("sec-fetch-site"),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use axum::http::{HeaderMap, HeaderValue, Method};

    use super::is_own;

    fn asked(method: Method, headers: &[(&'static str, &'static str)]) -> bool {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(*name, HeaderValue::from_static(value));
        }
        is_own(&method, &map, "127.0.0.1:4000".parse().unwrap())
    }

    #[test]
    fn the_own_page_may_call() {
        assert!(asked(Method::GET, &[("host", "127.0.0.1:4000")]));
        assert!(asked(Method::POST, &[("host", "127.0.0.1:4000"), ("origin", "http://127.0.0.1:4000")]));
        assert!(asked(Method::POST, &[("host", "localhost:4000")]));
    }

    #[test]
    fn another_site_may_not() {
        assert!(!asked(Method::GET, &[("host", "evil.example:4000")]));
        assert!(!asked(Method::GET, &[]));
        assert!(!asked(Method::POST, &[("host", "127.0.0.1:4000"), ("origin", "http://evil.example")]));
        assert!(!asked(Method::POST, &[("host", "127.0.0.1:4000"), ("origin", "null")]));
        assert!(!asked(Method::POST, &[("host", "127.0.0.1:4000"), ("sec-fetch-site", "cross-site")]));
    }
}
