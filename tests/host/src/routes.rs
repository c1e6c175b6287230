//! The host's addresses.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, PoisonError};

use aftercare_core::error::{Error, WireError};
use aftercare_domain::error_code::ErrorCode;
use axum::extract::{DefaultBodyLimit, Path, Request, State};
use axum::http::{StatusCode, Uri};
use axum::middleware::{Next, from_fn};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use chrono::{DateTime, Utc};
use futures_util::stream::{Stream, unfold};
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::broadcast::error::RecvError;

use crate::{Host, files, guard};

/// All of them, behind the check of where a request comes from.
pub fn router(host: Host, address: SocketAddr) -> Router {
    Router::new()
        .route("/rpc/{name}", post(rpc))
        .route("/events", get(events))
        .route("/dialog/open", post(dialog))
        .route("/dialog/save", post(dialog))
        .route("/dial", post(dial))
        .route("/test/dialog", post(prepare_dialog))
        .route("/test/dialled", get(dialled))
        .route("/test/clock", post(set_clock))
        // Browsers ask for it; the desktop's window does not.
        .route("/favicon.ico", get(|| async { StatusCode::NO_CONTENT }))
        .fallback(get(page))
        .layer(DefaultBodyLimit::max(16 << 20))
        .layer(from_fn(move |request: Request, next: Next| async move {
            if guard::is_own(request.method(), request.headers(), address) {
                next.run(request).await
            } else {
                StatusCode::FORBIDDEN.into_response()
            }
        }))
        .with_state(host)
}

/// A command, away from the threads that serve.
async fn rpc(State(host): State<Host>, Path(name): Path<String>, Json(request): Json<Value>) -> Response {
    let core = Arc::clone(&host.core);
    let answer = tokio::task::spawn_blocking(move || core.call(&name, request))
        .await
        .unwrap_or_else(|_| Err(Error::new(ErrorCode::Internal).to_wire("host")));
    match answer {
        Ok(answer) => Json(answer).into_response(),
        Err(error) => refused(&error),
    }
}

fn refused(error: &WireError) -> Response {
    (StatusCode::UNPROCESSABLE_ENTITY, Json(error)).into_response()
}

/// What the core tells without being asked.
async fn events(State(host): State<Host>) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let stream = unfold(host.events.subscribe(), |mut heard| async move {
        loop {
            match heard.recv().await {
                Ok(event) => return Some((Ok(Event::default().data(event.to_string())), heard)),
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return None,
            }
        }
    });
    Sse::new(stream).keep_alive(KeepAlive::default())
}

/// Answers a file dialog with the next prepared path; with none prepared it is cancelled.
async fn dialog(State(host): State<Host>) -> Json<Option<String>> {
    let mut answers = host.answers.lock().unwrap_or_else(PoisonError::into_inner);
    Json(if answers.is_empty() { None } else { answers.remove(0) })
}

#[derive(Deserialize)]
struct Prepared {
    /// Null is a cancelled dialog.
    path: Option<String>,
}

async fn prepare_dialog(State(host): State<Host>, Json(prepared): Json<Prepared>) {
    host.answers.lock().unwrap_or_else(PoisonError::into_inner).push(prepared.path);
}

#[derive(Deserialize)]
struct Dial {
    url: String,
}

/// Collects what the desktop would hand to the phone program.
async fn dial(State(host): State<Host>, Json(dial): Json<Dial>) {
    host.dialled.lock().unwrap_or_else(PoisonError::into_inner).push(dial.url);
}

async fn dialled(State(host): State<Host>) -> Json<Vec<String>> {
    Json(host.dialled.lock().unwrap_or_else(PoisonError::into_inner).clone())
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum ClockChange {
    /// It is this instant now.
    Now(DateTime<Utc>),
    /// So many seconds pass at once.
    AdvanceSeconds(i64),
}

async fn set_clock(State(host): State<Host>, Json(change): Json<ClockChange>) -> StatusCode {
    match change {
        ClockChange::Now(instant) => host.clock.set(instant),
        ClockChange::AdvanceSeconds(seconds) => host.clock.advance(seconds),
    }
    // What hangs on the clock (idle lock, a new day) happens before the answer, not within a second.
    let core = Arc::clone(&host.core);
    match tokio::task::spawn_blocking(move || core.tick()).await {
        Ok(_) => StatusCode::NO_CONTENT,
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

async fn page(State(host): State<Host>, uri: Uri) -> files::Served {
    files::file(&host.page, uri.path())
}
