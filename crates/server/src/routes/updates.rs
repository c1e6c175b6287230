//! New versions for desks.

use aftercare_sync::door::ProblemCode;
use aftercare_sync::updates::OffersAnswer;
use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use crate::app::Shared;
use crate::asked::{Place, Wanted};
use crate::problem::{Refused, refuse};
use crate::signed::Signed;
use crate::updates;

/// Which part.
#[derive(Deserialize)]
pub struct Part {
    #[serde(default)]
    offset: u64,
}

/// `GET /v1/updates/{platform}`.
pub async fn offers(
    State(app): State<Shared>,
    Place(platform): Place<String>,
    _: Signed,
) -> Result<Json<OffersAnswer>, Refused> {
    let home = app.home.clone();
    let found = tokio::task::spawn_blocking(move || updates::offers(&home, &platform)).await;
    let found = found.map_err(|error| Refused::internal("updates", error))?;
    Ok(Json(OffersAnswer { offers: found.into_iter().map(|(offer, _)| offer).collect() }))
}

/// `GET /v1/updates/{platform}/{version}/parts?offset=N`.
pub async fn part(
    State(app): State<Shared>,
    Place((platform, version)): Place<(String, String)>,
    Wanted(Part { offset }): Wanted<Part>,
    _: Signed,
) -> Result<Response, Refused> {
    let home = app.home.clone();
    let read = tokio::task::spawn_blocking(move || updates::part(&home, &platform, &version, offset)).await;
    let bytes = read
        .map_err(|error| Refused::internal("updates", error))?
        .ok_or(refuse(ProblemCode::NotFound))?
        .map_err(|error| Refused::internal("updates", error))?;
    Ok(([(header::CONTENT_TYPE, "application/octet-stream")], bytes).into_response())
}
