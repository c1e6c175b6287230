//! What a request says in its path, its query or its body, read so that everything wrong with it has a
//! code like any other refusal.

use aftercare_sync::door::ProblemCode;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use crate::app::Shared;
use crate::problem::{Refused, refuse};
use crate::signed::{read_body, read_json};

/// Largest JSON body of an unsigned request, bytes.
const MOST: usize = 16 * 1024;

/// From the path; what is none of ours is not found.
pub struct Place<T>(pub T);

/// From the query.
pub struct Wanted<T>(pub T);

/// A small JSON body.
pub struct Asked<T>(pub T);

impl<T: DeserializeOwned + Send> FromRequestParts<Shared> for Place<T> {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, app: &Shared) -> Result<Self, Refused> {
        let read = Path::<T>::from_request_parts(parts, app).await;
        read.map(|Path(place)| Self(place)).map_err(|_| refuse(ProblemCode::NotFound))
    }
}

impl<T: DeserializeOwned + Send> FromRequestParts<Shared> for Wanted<T> {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, app: &Shared) -> Result<Self, Refused> {
        let read = Query::<T>::from_request_parts(parts, app).await;
        read.map(|Query(wanted)| Self(wanted)).map_err(|_| refuse(ProblemCode::Garbled))
    }
}

impl<T: DeserializeOwned> FromRequest<Shared> for Asked<T> {
    type Rejection = Refused;

    async fn from_request(request: Request, app: &Shared) -> Result<Self, Refused> {
        Ok(Self(read_json(&read_body(app, request.into_body(), MOST).await?)?))
    }
}
