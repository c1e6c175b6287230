//! The sync itself: a desk's word in, the server's answer out.

use std::sync::atomic::Ordering;

use aftercare_rehearsal::point;
use aftercare_sync::door::{PACKED, ProblemCode};
use aftercare_sync::pack;
use aftercare_sync::wire::{Answer, MAX_OPS, Outcome, Refusal, Request, check_protocol};
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use crate::app::{App, Shared};
use crate::asked::Wanted;
use crate::problem::{Refused, refuse};
use crate::routes::packed;
use crate::signed::{Signed, pack_problem};
use crate::store::{Answered, Limits};

/// Most scopes of which a desk may say how far it is.
const MOST_CURSORS: usize = 500;
/// What an answer holds when the usual would be too large when packed: half, and half again.
const SMALLER: u32 = 4;

/// What a desk says beside its message.
#[derive(serde::Deserialize)]
pub struct Beside {
    /// How many changes it keeps back for later requests.
    unsent: Option<i64>,
}

/// `POST /v1/sync`.
pub async fn sync(
    State(app): State<Shared>,
    Wanted(beside): Wanted<Beside>,
    signed: Signed,
) -> Result<Response, Refused> {
    let request: Request = match signed.unpack() {
        Ok(request) => request,
        Err(problem) => return other_protocol(&app, &signed).unwrap_or(Err(problem)),
    };
    if request.device != signed.claims.device {
        return Err(refuse(ProblemCode::Forbidden));
    }
    if request.ops.len() > MAX_OPS || request.offers.len() > MAX_OPS {
        let max = i64::try_from(MAX_OPS).unwrap_or(i64::MAX);
        return Err(Refused::new(ProblemCode::TooLarge).with("max", max));
    }
    if request.cursors.len() > MOST_CURSORS {
        return Err(refuse(ProblemCode::Garbled));
    }
    let ops = request.ops.len() as u64;
    let tenant = signed.claims.tenant;
    let limits = Limits::default();
    point("server.sync.decoded");
    let answered = app.store.sync(tenant, request.clone(), app.now(), limits).await?;
    point("server.sync.before_answer");
    app.metrics.ops_in.fetch_add(ops, Ordering::Relaxed);
    if let Some(unsent) = beside.unsent.filter(|unsent| *unsent >= 0 && *unsent != signed.device.unsent) {
        app.store.note_unsent(tenant, signed.device.id, unsent).await?;
    }
    match answered {
        Answered::Refused(refusal) => refused(&app, &refusal),
        Answered::Answer(answer) => {
            count(&app, &answer);
            match packed(&*answer) {
                Err(problem) if problem.code == ProblemCode::TooLarge => {
                    smaller(&app, &signed, request, limits).await
                }
                other => other,
            }
        }
    }
}

/// What is left of a message of a protocol that this program cannot read.
#[derive(Deserialize)]
struct Spoken {
    protocol: u8,
}

/// A newer desk's message may be of another form altogether: it is told which protocol is spoken here all the same.
fn other_protocol(app: &App, signed: &Signed) -> Option<Result<Response, Refused>> {
    let spoken: Spoken = signed.unpack().ok()?;
    check_protocol(spoken.protocol).err().map(|refusal| refused(app, &refusal))
}

/// The ops were taken in, but the answer does not fit into a message: the same with fewer news.
/// The ops are not sent a second time, so nothing is counted twice.
async fn smaller(
    app: &App,
    signed: &Signed,
    mut request: Request,
    limits: Limits,
) -> Result<Response, Refused> {
    let device = app.store.device(signed.claims.tenant, signed.claims.device).await?;
    request.ops.clear();
    request.offers.clear();
    request.first = device.last_dseq + 1;
    request.chain = device.chain.into();
    for halving in 1..=SMALLER {
        let limits = Limits { entries: (limits.entries >> halving).max(1), bytes: limits.bytes >> halving };
        match app.store.sync(signed.claims.tenant, request.clone(), app.now(), limits).await? {
            Answered::Refused(refusal) => return refused(app, &refusal),
            Answered::Answer(answer) => match packed(&*answer) {
                Err(problem) if problem.code == ProblemCode::TooLarge => {}
                other => return other,
            },
        }
    }
    Err(Refused::internal("sync", "the smallest answer is too large"))
}

fn refused(app: &App, refusal: &Refusal) -> Result<Response, Refused> {
    let (status, word) = match refusal {
        Refusal::Position { .. } => (StatusCode::CONFLICT, "refusal_position"),
        Refusal::Epoch { .. } => (StatusCode::GONE, "refusal_epoch"),
        Refusal::Upgrade { .. } => (StatusCode::UPGRADE_REQUIRED, "refusal_upgrade"),
    };
    app.metrics.refusal(word);
    let bytes = pack::pack(refusal).map_err(pack_problem)?;
    Ok((status, [(header::CONTENT_TYPE, PACKED)], bytes).into_response())
}

fn count(app: &App, answer: &Answer) {
    for verdict in &answer.verdicts {
        app.metrics.verdict(match verdict.outcome {
            Outcome::Accepted => "accepted",
            Outcome::Duplicate => "duplicate",
            Outcome::Stored => "stored",
            Outcome::Refused(_) => "refused",
            Outcome::Rejected(_) => "rejected",
            Outcome::Quarantined(_) => "quarantined",
        });
    }
    let entries: usize = answer.pages.iter().map(|page| page.entries.len()).sum();
    app.metrics.entries_out.fetch_add(entries as u64, Ordering::Relaxed);
}
