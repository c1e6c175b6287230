//! A request whose desk is known: token, signature over all of it, and leave to come.

use aftercare_sync::door::{HEADER_AT, HEADER_SIGNATURE, ProblemCode, base64url, request_text};
use aftercare_sync::pack::{self, MAX_PACKED, PackError};
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, header};
use http_body_util::BodyExt;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::app::{App, Shared};
use crate::limits::Asker;
use crate::problem::{Refused, refuse};
use crate::store::{Admission, Device, DeviceStatus, StoreError};
use crate::token::{self, Claims};

/// How long a body may take to arrive: a megabyte at 20 kB/s.
const BODY_PATIENCE: Duration = Duration::from_secs(60);

/// How much, and for how long, is read of a body that is too large in any case.
const MOST_DRAINED: usize = 4 << 20;
const DRAIN_PATIENCE: Duration = Duration::from_secs(10);

/// A signed request. The desk has been neither revoked nor wiped.
pub struct Signed {
    /// Who asks.
    pub claims: Claims,
    /// The desk as the store has it now.
    pub device: Device,
    /// The body, at most `MAX_PACKED` bytes.
    pub body: Bytes,
}

impl FromRequest<Shared> for Signed {
    type Rejection = Refused;

    async fn from_request(request: Request, app: &Shared) -> Result<Self, Refused> {
        let (parts, body) = request.into_parts();
        let now = app.now();
        let token = bearer(&parts.headers)?;
        let claims = token::read(&app.keys.token, token, now)?;
        app.limiter.take(Asker::Device(claims.device), now)?;
        let at = text(&parts.headers, HEADER_AT).and_then(|at| at.parse().ok());
        let signature = text(&parts.headers, HEADER_SIGNATURE).and_then(base64url::decode);
        let (Some(at), Some(signature)) = (at, signature) else {
            return Err(refuse(ProblemCode::Signature));
        };
        let target = parts.uri.path_and_query().map_or("/", |target| target.as_str());
        let body = read_body(app, body, MAX_PACKED).await?;
        let signed = request_text(parts.method.as_str(), target, &body, at, token);
        token::check_signature(&claims.public_key, &signed, &signature, at, app.now())?;
        let device = admit(app, &claims).await?;
        Ok(Self { claims, device, body })
    }
}

impl Signed {
    /// The body as a packed message.
    ///
    /// # Errors
    /// `garbled` or `too_large`.
    pub fn unpack<T: serde::de::DeserializeOwned>(&self) -> Result<T, Refused> {
        pack::unpack(&self.body).map_err(pack_problem)
    }

    /// The body as JSON.
    ///
    /// # Errors
    /// `garbled`.
    pub fn json<T: serde::de::DeserializeOwned>(&self) -> Result<T, Refused> {
        read_json(&self.body)
    }
}

/// Whether the desk of this token may still come, and has the key that the token says: a desk that
/// was enrolled anew has another.
async fn admit(app: &App, claims: &Claims) -> Result<Device, Refused> {
    let Admission { device, closed } = match app.store.admission(claims.tenant, claims.device).await {
        Err(StoreError::NotFound) => return Err(refuse(ProblemCode::DeviceUnknown)),
        other => other?,
    };
    check_status(device.status)?;
    if device.public_key != claims.public_key {
        return Err(refuse(ProblemCode::Token));
    }
    if closed {
        return Err(refuse(ProblemCode::TenantClosed));
    }
    app.note_contact(claims.tenant, claims.device).await;
    Ok(device)
}

/// What a desk that may not come is told.
///
/// # Errors
/// `device_revoked`, `device_wipe`.
pub fn check_status(status: DeviceStatus) -> Result<(), Refused> {
    match status {
        DeviceStatus::Active => Ok(()),
        DeviceStatus::Revoked => Err(refuse(ProblemCode::DeviceRevoked)),
        DeviceStatus::Wipe => Err(refuse(ProblemCode::DeviceWipe)),
    }
}

/// Reads a body of at most `most` bytes, within a minute.
///
/// # Errors
/// `too_large`; `garbled` when the client goes away or takes too long.
pub async fn read_body(app: &App, body: Body, most: usize) -> Result<Bytes, Refused> {
    let too_large =
        || Refused::new(ProblemCode::TooLarge).with("max", i64::try_from(most).unwrap_or(i64::MAX));
    if axum::body::HttpBody::size_hint(&body).lower() > most as u64 {
        let _ = tokio::time::timeout(DRAIN_PATIENCE, drain(body)).await;
        return Err(too_large());
    }
    let read = tokio::time::timeout(BODY_PATIENCE, to_bytes(body, most)).await;
    let bytes = read.map_err(|_| refuse(ProblemCode::Garbled))?.map_err(|error| {
        let limit = std::error::Error::source(&error)
            .is_some_and(|source| source.is::<http_body_util::LengthLimitError>());
        if limit { too_large() } else { refuse(ProblemCode::Garbled) }
    })?;
    app.metrics.bytes_in.fetch_add(bytes.len() as u64, Ordering::Relaxed);
    Ok(bytes)
}

/// Lets a client that sends a little too much finish, because many read the answer only then.
async fn drain(mut body: Body) {
    let mut seen = 0;
    while let Some(Ok(frame)) = body.frame().await {
        seen += frame.data_ref().map_or(0, Bytes::len);
        if seen > MOST_DRAINED {
            return;
        }
    }
}

/// Reads JSON.
///
/// # Errors
/// `garbled`.
pub fn read_json<T: serde::de::DeserializeOwned>(body: &[u8]) -> Result<T, Refused> {
    serde_json::from_slice(body).map_err(|_| refuse(ProblemCode::Garbled))
}

/// What a message that cannot be unpacked means.
pub fn pack_problem(error: PackError) -> Refused {
    match error {
        PackError::TooLarge(most) => {
            Refused::new(ProblemCode::TooLarge).with("max", i64::try_from(most).unwrap_or(i64::MAX))
        }
        PackError::Unpack(_) | PackError::Read => refuse(ProblemCode::Garbled),
    }
}

fn bearer(headers: &HeaderMap) -> Result<&str, Refused> {
    text(headers, header::AUTHORIZATION.as_str())
        .and_then(|value| value.strip_prefix("Bearer "))
        .ok_or(refuse(ProblemCode::Token))
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}
