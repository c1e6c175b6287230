//! What a route says when it does not do as asked: a code, its parameters, and a status.

use std::collections::BTreeMap;

use aftercare_sync::door::{MAX_BLOB, Problem, ProblemCode};
use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::store::StoreError;

/// A refusal. It holds no patient's data, so it can be logged.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{}", code.as_str())]
pub struct Refused {
    /// What is wrong.
    pub code: ProblemCode,
    /// What belongs to it.
    pub params: BTreeMap<String, i64>,
}

/// A refusal without parameters.
pub fn refuse(code: ProblemCode) -> Refused {
    Refused::new(code)
}

impl Refused {
    /// A refusal without parameters.
    pub fn new(code: ProblemCode) -> Self {
        Self { code, params: BTreeMap::new() }
    }

    /// Adds a parameter.
    pub fn with(mut self, name: &str, value: i64) -> Self {
        self.params.insert(name.to_owned(), value);
        self
    }

    /// A defect: the log gets the source, the caller only the code.
    pub fn internal(at: &'static str, source: impl std::fmt::Display) -> Self {
        tracing::error!(at, %source, "internal error");
        Self::new(ProblemCode::Internal)
    }
}

impl From<&Refused> for Problem {
    fn from(refused: &Refused) -> Self {
        Self { code: refused.code.as_str().to_owned(), params: refused.params.clone() }
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let retry = self.params.get("seconds").copied();
        let mut response = (status, Json(Problem::from(&self))).into_response();
        if let Some(seconds) = retry {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        // The access log tells refusals apart by this.
        response.extensions_mut().insert(self.code);
        response
    }
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound => Self::new(ProblemCode::NotFound),
            StoreError::Exists => Self::new(ProblemCode::DeviceTaken),
            StoreError::CodeInvalid => Self::new(ProblemCode::CodeWrong),
            StoreError::CodeWithoutHistory => Self::new(ProblemCode::CodeWithoutHistory),
            StoreError::SiteNotAllowed => Self::new(ProblemCode::SiteNotAllowed),
            StoreError::Closed => Self::new(ProblemCode::TenantClosed),
            StoreError::Position { have } => Self::new(ProblemCode::Position).with("have", have),
            StoreError::TooLarge => Self::new(ProblemCode::TooLarge).with("max", MAX_BLOB),
            StoreError::Revoked { wipe: true } => Self::new(ProblemCode::DeviceWipe),
            StoreError::Revoked { wipe: false } => Self::new(ProblemCode::DeviceRevoked),
            StoreError::NotAllowed => Self::new(ProblemCode::Forbidden),
            StoreError::Quota { .. } => Self::new(ProblemCode::Quota),
            StoreError::Damaged => Self::new(ProblemCode::Hash),
            StoreError::Busy => Self::new(ProblemCode::Busy).with("seconds", 2),
            StoreError::DiskFull => {
                tracing::error!("the disk is full");
                Self::new(ProblemCode::Full)
            }
            error @ StoreError::Unavailable(_) => {
                tracing::error!(%error, "store");
                Self::new(ProblemCode::Busy).with("seconds", 30)
            }
            error @ (StoreError::Newer
            | StoreError::Older
            | StoreError::Insecure
            | StoreError::Privileged(_)
            | StoreError::Database(_)) => Self::internal("store", error),
        }
    }
}
