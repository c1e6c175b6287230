//! Whether the process lives, whether it can work, and what it counted.

use aftercare_sync::door::ProblemCode;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};

use crate::app::Shared;
use crate::problem::Refused;

/// The process answers.
pub async fn health() -> &'static str {
    "ok\n"
}

/// The process takes requests and its database answers.
pub async fn ready(State(app): State<Shared>) -> Result<&'static str, Refused> {
    if app.is_stopping() {
        return Err(Refused::new(ProblemCode::Busy).with("seconds", 30));
    }
    app.store.ready().await?;
    Ok("ready\n")
}

/// For Prometheus.
pub async fn metrics(State(app): State<Shared>) -> Response {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], app.metrics.text()).into_response()
}
