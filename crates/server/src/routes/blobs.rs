//! Attachments, in parts, so that a broken line costs one part only.

use aftercare_rehearsal::point;
use aftercare_sync::door::{BlobState, MAX_BLOB, MAX_PART, ProblemCode};
use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use uuid::Uuid;

use crate::app::Shared;
use crate::asked::{Place, Wanted};
use crate::problem::{Refused, refuse};
use crate::signed::Signed;
use crate::store::{BlobId, BlobPart};

/// Which part.
#[derive(Deserialize)]
pub struct Part {
    #[serde(default)]
    offset: i64,
    #[serde(default)]
    size: i64,
}

/// `PUT /v1/blobs/{patient}/{sha256}?offset=N&size=N`.
pub async fn put_part(
    State(app): State<Shared>,
    Place((root, sha256)): Place<(Uuid, String)>,
    Wanted(Part { offset, size }): Wanted<Part>,
    signed: Signed,
) -> Result<Json<BlobState>, Refused> {
    let id = read_id(root, &sha256)?;
    if signed.body.len() > MAX_PART {
        let max = i64::try_from(MAX_PART).unwrap_or(i64::MAX);
        return Err(Refused::new(ProblemCode::TooLarge).with("max", max));
    }
    let length = i64::try_from(signed.body.len()).unwrap_or(i64::MAX);
    if !(1..=MAX_BLOB).contains(&size) || offset < 0 || offset.saturating_add(length) > size {
        return Err(Refused::new(ProblemCode::TooLarge).with("max", MAX_BLOB));
    }
    let part = BlobPart { id, size, offset, bytes: signed.body.to_vec(), at: app.now() };
    let state = app.store.put_blob_part(signed.claims.tenant, signed.claims.device, part).await?;
    point("server.blob.before_answer");
    Ok(Json(state))
}

/// `GET /v1/blobs/{patient}/{sha256}`.
pub async fn state(
    State(app): State<Shared>,
    Place((root, sha256)): Place<(Uuid, String)>,
    signed: Signed,
) -> Result<Json<BlobState>, Refused> {
    let id = read_id(root, &sha256)?;
    Ok(Json(app.store.blob_state(signed.claims.tenant, signed.claims.device, id).await?))
}

/// `GET /v1/blobs/{patient}/{sha256}/parts?offset=N`.
pub async fn part(
    State(app): State<Shared>,
    Place((root, sha256)): Place<(Uuid, String)>,
    Wanted(Part { offset, .. }): Wanted<Part>,
    signed: Signed,
) -> Result<Response, Refused> {
    let id = read_id(root, &sha256)?;
    if offset < 0 {
        return Err(refuse(ProblemCode::Garbled));
    }
    let bytes = app.store.blob_part(signed.claims.tenant, signed.claims.device, id, offset).await?;
    Ok(([(header::CONTENT_TYPE, "application/octet-stream")], bytes).into_response())
}

fn read_id(root: Uuid, sha256: &str) -> Result<BlobId, Refused> {
    let bytes = data_encoding::HEXLOWER.decode(sha256.as_bytes()).ok();
    let sha256 = bytes.and_then(|bytes| bytes.try_into().ok()).ok_or(refuse(ProblemCode::NotFound))?;
    Ok(BlobId { root, sha256 })
}
