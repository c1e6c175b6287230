//! The administrators' page itself: static, from the program, with nothing from anywhere else.

use axum::Json;
use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value};

use aftercare_sync::door::ProblemCode;

use crate::asked::Place;
use crate::problem::{Refused, refuse};

const HTML: &str = include_str!("../../page/index.html");
const SCRIPT: &str = include_str!("../../page/page.js");
const STYLE: &str = include_str!("../../page/page.css");
const TOKENS: &str = include_str!("../../../../ui/src/shared/design/tokens.css");
const CHINESE: [&str; 2] = [
    include_str!("../../../../assets/locales/zh-CN/server.json"),
    include_str!("../../../../assets/locales/zh-CN/server_page.json"),
];
const ENGLISH: [&str; 2] = [
    include_str!("../../../../assets/locales/en/server.json"),
    include_str!("../../../../assets/locales/en/server_page.json"),
];

/// Scripts, styles and requests from and to this server only; no frames, no forms.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// `GET /`.
pub async fn html() -> Response {
    text("text/html; charset=utf-8", HTML)
}

/// `GET /page.js`.
pub async fn script() -> Response {
    text("text/javascript; charset=utf-8", SCRIPT)
}

/// `GET /page.css`.
pub async fn style() -> Response {
    text("text/css; charset=utf-8", STYLE)
}

/// `GET /tokens.css`: the desk's colours and sizes.
pub async fn tokens() -> Response {
    text("text/css; charset=utf-8", TOKENS)
}

/// `GET /words/{language}`.
pub async fn words(Place(language): Place<String>) -> Result<Json<Value>, Refused> {
    let files = match language.as_str() {
        "zh-CN" => CHINESE,
        "en" => ENGLISH,
        _ => return Err(refuse(ProblemCode::NotFound)),
    };
    let mut all = Map::new();
    for file in files {
        let read: Map<String, Value> =
            serde_json::from_str(file).map_err(|error| Refused::internal("words", error))?;
        all.extend(read);
    }
    Ok(Json(Value::Object(all)))
}

fn text(kind: &'static str, body: &'static str) -> Response {
    ([(header::CONTENT_TYPE, kind)], body).into_response()
}

/// What every answer of the page and of its requests carries.
pub async fn guard(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    let fixed = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn keys(file: &str) -> Vec<String> {
        serde_json::from_str::<Map<String, Value>>(file).unwrap().keys().cloned().collect()
    }

    #[test]
    fn the_page_speaks_both_languages_and_every_word_it_asks_for_is_there() {
        assert_eq!(keys(CHINESE[1]), keys(ENGLISH[1]));
        let known: Vec<String> = ENGLISH.iter().flat_map(|file| keys(file)).collect();
        // The function `t` alone, not the end of another's name.
        let calls = SCRIPT.match_indices("t('").filter(|(at, _)| {
            !SCRIPT[..*at]
                .ends_with(|before: char| before.is_alphanumeric() || before == '_' || before == '.')
        });
        let asked = calls.filter_map(|(at, call)| SCRIPT[at + call.len()..].split('\'').next());
        let marked = HTML.split("data-word=\"").skip(1).filter_map(|rest| rest.split('"').next());
        let mut count = 0;
        for key in asked.chain(marked) {
            assert!(known.iter().any(|known| known == key), "{key}");
            count += 1;
        }
        assert!(count > 30);
    }

    #[test]
    fn the_page_holds_no_script_or_style_of_its_own() {
        assert!(!HTML.contains("<style") && !HTML.contains(" style=") && !HTML.contains(" on"));
        assert!(!SCRIPT.contains("innerHTML") && !SCRIPT.contains("eval("));
    }
}
