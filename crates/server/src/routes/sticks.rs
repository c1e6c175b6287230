//! A USB stick's file on the administrators' page: the desk's goes up, the answer comes down. Neither is
//! ever whole in memory, and both stay sealed on this host's disk.

use std::fs::File;
use std::io::{Read, Seek, Write};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use aftercare_sync::door::ProblemCode;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use http_body_util::BodyExt;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use serde_json::json;
use uuid::Uuid;

use crate::app::Shared;
use crate::asked::Place;
use crate::failure::Failure;
use crate::problem::{Refused, refuse};
use crate::session::Office;
use crate::stick;

/// Largest file that the page takes: more than a year of a busy clinic.
const MOST: u64 = 256 << 20;
/// How long a file may take to arrive.
const PATIENCE: Duration = Duration::from_secs(150);
/// Bytes of the answer that are read at a time.
const PIECE: usize = 64 * 1024;
/// What came of it, as JSON, beside the answer's bytes.
pub const RESULT: &str = "aftercare-result";

/// `POST /office/hospitals/{id}/stick`.
pub async fn answer(
    State(app): State<Shared>,
    Place(tenant): Place<Uuid>,
    who: Office,
    body: Body,
) -> Result<Response, Failure> {
    who.allow(tenant)?;
    let mut from = scratch()?;
    let received = tokio::time::timeout(PATIENCE, receive(body, &mut from)).await;
    received.map_err(|_| refuse(ProblemCode::Garbled))??;
    let mut to = scratch()?;
    let exchanged = stick::exchange(&app, Some(tenant), who.actor(), &mut from, &mut to).await?;
    let result = json!({
        "device": exchanged.device, "taken": exchanged.taken, "changes": exchanged.changes,
        "again": exchanged.again,
    });
    to.rewind().map_err(|source| file(&source))?;
    let headers = [
        (header::CONTENT_TYPE.as_str(), "application/octet-stream".to_owned()),
        (RESULT, result.to_string()),
    ];
    Ok((headers, Body::new(FileBody { file: to, left: exchanged.bytes })).into_response())
}

fn file(source: &std::io::Error) -> Refused {
    Refused::internal("stick", source)
}

/// A file that goes with its last reader.
fn scratch() -> Result<File, Refused> {
    tempfile::tempfile().map_err(|source| file(&source))
}

async fn receive(mut body: Body, to: &mut File) -> Result<(), Refused> {
    let mut size = 0_u64;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| refuse(ProblemCode::Garbled))?;
        let Ok(bytes) = frame.into_data() else { continue };
        size += bytes.len() as u64;
        if size > MOST {
            return Err(
                Refused::new(ProblemCode::TooLarge).with("max", i64::try_from(MOST).unwrap_or(i64::MAX))
            );
        }
        to.write_all(&bytes).map_err(|source| file(&source))?;
    }
    Ok(())
}

/// A file as a body, piece by piece.
struct FileBody {
    file: File,
    left: u64,
}

impl HttpBody for FileBody {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        let mut piece = vec![0; PIECE.min(usize::try_from(self.left).unwrap_or(PIECE))];
        Poll::Ready(Some(self.file.read_exact(&mut piece).map(|()| {
            self.left -= piece.len() as u64;
            Frame::data(Bytes::from(piece))
        })))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
