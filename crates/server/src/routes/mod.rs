//! Every address of the server.

mod blobs;
mod clinics;
mod enrol;
mod erasures;
mod office;
mod page;
mod people;
mod records;
mod status;
mod sticks;
mod sync;
mod updates;

use std::time::{Duration, Instant};

use aftercare_sync::door::{PACKED, ProblemCode};
use aftercare_sync::pack;
use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::http::header;
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};

use crate::app::Shared;
use crate::problem::{Refused, refuse};
use crate::signed::pack_problem;

/// A request that takes longer has something wrong with it.
const LONGEST: Duration = Duration::from_secs(180);

/// All routes over one process's state.
pub fn router(app: Shared) -> Router {
    let page = office::routes()
        .route("/", get(page::html))
        .route("/page.js", get(page::script))
        .route("/page.css", get(page::style))
        .route("/tokens.css", get(page::tokens))
        .route("/words/{language}", get(page::words))
        .layer(from_fn(page::guard));
    Router::new()
        .merge(page)
        .route("/healthz", get(status::health))
        .route("/readyz", get(status::ready))
        .route("/metrics", get(status::metrics))
        .route("/v1/authority", get(enrol::authority))
        .route("/v1/enrol", post(enrol::enrol))
        .route("/v1/token", post(enrol::token))
        .route("/v1/sync", post(sync::sync))
        .route("/v1/snapshots/{scope}", get(records::snapshot))
        .route("/v1/records", post(records::bucket))
        .route("/v1/clinics", get(clinics::clinics))
        .route("/v1/login", post(people::login))
        .route("/v1/keys", put(people::leave_key))
        .route("/v1/passwords", put(people::password))
        .route("/v1/erasures", post(erasures::ask))
        .route("/v1/erasures/confirm", post(erasures::confirm))
        .route("/v1/blobs/{patient}/{sha256}", put(blobs::put_part).get(blobs::state))
        .route("/v1/blobs/{patient}/{sha256}/parts", get(blobs::part))
        .route("/v1/updates/{platform}", get(updates::offers))
        .route("/v1/updates/{platform}/{version}/parts", get(updates::part))
        .method_not_allowed_fallback(|| async { refuse(ProblemCode::NotFound) })
        .fallback(|| async { refuse(ProblemCode::NotFound) })
        .layer(from_fn_with_state(app.clone(), observe))
        .with_state(app)
}

/// Counts each request and writes its line: pattern, status and code, never a path with ids in it
/// nor anything of a body.
async fn observe(State(app): State<Shared>, request: Request, next: Next) -> Response {
    let start = Instant::now();
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().map_or("other", |path| path.as_str()).to_owned();
    let response = match tokio::time::timeout(LONGEST, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Refused::new(ProblemCode::Busy).with("seconds", 30).into_response(),
    };
    let (status, elapsed) = (response.status().as_u16(), start.elapsed());
    let code = response.extensions().get::<ProblemCode>().map_or("", |code| code.as_str());
    app.metrics.request(&route, status, elapsed.as_secs_f64());
    if !code.is_empty() {
        app.metrics.refusal(code);
    }
    let millis = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
    if route != "/healthz" && route != "/readyz" && route != "/metrics" {
        tracing::info!(%method, route, status, code, millis, "request");
    }
    response
}

/// An answer as a packed message.
pub(crate) fn packed<T: serde::Serialize>(message: &T) -> Result<Response, Refused> {
    answer(pack::pack(message))
}

/// A message that is CBOR already, packed.
pub(crate) fn packed_plain(message: &[u8]) -> Result<Response, Refused> {
    answer(pack::pack_plain(message))
}

fn answer(packed: Result<Vec<u8>, pack::PackError>) -> Result<Response, Refused> {
    let bytes = packed.map_err(pack_problem)?;
    Ok(([(header::CONTENT_TYPE, PACKED)], bytes).into_response())
}
