//! Records as they are: for a desk's first sync, and to settle a difference of digests.

use aftercare_sync::Scope;
use aftercare_sync::digest::BUCKETS;
use aftercare_sync::door::{ProblemCode, RecordsRequest};
use aftercare_sync::record::Key;
use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use uuid::Uuid;

use crate::app::Shared;
use crate::asked::{Place, Wanted};
use crate::problem::{Refused, refuse};
use crate::routes::{packed, packed_plain};
use crate::signed::Signed;

/// Records of a page of a first sync: some 160 bytes each, packed.
const FIRST: [usize; 5] = [5000, 2500, 600, 60, 1];
/// Records of a page that settles a difference. A record is seldom over a kilobyte.
const PAGE: usize = 2000;
/// Fewer when the records are large.
const PAGES: [usize; 4] = [PAGE, PAGE / 8, PAGE / 64, 1];

/// Where a page begins.
#[derive(Deserialize)]
pub struct After {
    after: Option<String>,
}

/// `GET /v1/snapshots/{scope}?after=entity:id`.
pub async fn snapshot(
    State(app): State<Shared>,
    Place(scope): Place<Scope>,
    Wanted(After { after }): Wanted<After>,
    signed: Signed,
) -> Result<Response, Refused> {
    if !signed.device_sees(scope) {
        return Err(refuse(ProblemCode::NotFound));
    }
    let after = after.as_deref().map(read_key).transpose()?;
    let (tenant, device) = (signed.claims.tenant, signed.claims.device);
    for limit in FIRST {
        let page = app.store.snapshot(tenant, device, scope, after.clone(), limit).await?;
        match packed_plain(&page.message()?) {
            Err(problem) if problem.code == ProblemCode::TooLarge => {}
            other => return other,
        }
    }
    Err(Refused::internal("snapshot", "one record is too large"))
}

/// `POST /v1/records`.
pub async fn bucket(State(app): State<Shared>, signed: Signed) -> Result<Response, Refused> {
    let request: RecordsRequest = signed.unpack()?;
    let bucket = usize::from(request.bucket);
    if bucket >= BUCKETS {
        return Err(refuse(ProblemCode::Garbled));
    }
    if !signed.device_sees(request.scope) {
        return Err(refuse(ProblemCode::NotFound));
    }
    let (tenant, device) = (signed.claims.tenant, signed.claims.device);
    for limit in PAGES {
        let after = request.after.clone();
        let page = app.store.bucket_records(tenant, device, request.scope, bucket, after, limit).await?;
        match packed(&page) {
            Err(problem) if problem.code == ProblemCode::TooLarge => {}
            other => return other,
        }
    }
    Err(Refused::internal("records", "one record is too large"))
}

impl Signed {
    /// Whether the desk sees the scope.
    fn device_sees(&self, scope: Scope) -> bool {
        scope == aftercare_sync::HOSPITAL || self.device.sites.contains(&scope)
    }
}

fn read_key(text: &str) -> Result<Key, Refused> {
    let read = || {
        let (entity, id) = text.split_once(':')?;
        Some(Key::new(entity, Uuid::parse_str(id).ok()?))
    };
    read().ok_or(refuse(ProblemCode::Garbled))
}
