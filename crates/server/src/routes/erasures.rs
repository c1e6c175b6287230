//! A patient is erased everywhere: one person asks, another confirms, each with their password.

use aftercare_domain::access::{Permission, Role, permissions_of};
use aftercare_sync::door::{ErasureAnswer, ErasureRequest, ProblemCode};
use axum::Json;
use axum::extract::{Extension, State};
use serde_json::json;

use crate::app::{App, Shared};
use crate::erased;
use crate::limits::Asker;
use crate::problem::{Refused, refuse};
use crate::routes::people::check_password;
use crate::serve::Peer;
use crate::signed::Signed;
use crate::staff;
use crate::store::{ServerUser, StoreError};

/// `POST /v1/erasures`.
pub async fn ask(
    State(app): State<Shared>,
    Extension(Peer(peer)): Extension<Peer>,
    signed: Signed,
) -> Result<Json<ErasureAnswer>, Refused> {
    app.take_try(Asker::Passwords(peer.ip())).await?;
    let request: ErasureRequest = signed.json()?;
    let root = request.root;
    let user = person(&app, &signed, request).await?;
    let tenant = signed.claims.tenant;
    app.store.ask_erasure(tenant, root, user.id, app.now()).await?;
    app.audit(tenant, user.id, "erasure_asked", root, json!({})).await?;
    Ok(Json(ErasureAnswer { erased: false }))
}

/// `POST /v1/erasures/confirm`.
pub async fn confirm(
    State(app): State<Shared>,
    Extension(Peer(peer)): Extension<Peer>,
    signed: Signed,
) -> Result<Json<ErasureAnswer>, Refused> {
    app.take_try(Asker::Passwords(peer.ip())).await?;
    let request: ErasureRequest = signed.json()?;
    let root = request.root;
    let user = person(&app, &signed, request).await?;
    let tenant = signed.claims.tenant;
    let erased = match app.store.confirm_erasure(tenant, root, user.id, app.now()).await {
        Err(StoreError::NotAllowed) => return Err(refuse(ProblemCode::SamePerson)),
        other => other?,
    };
    let details = json!({ "ops": erased.ops, "records": erased.records, "blobs": erased.blobs });
    app.audit(tenant, user.id, "erasure_confirmed", root, details).await?;
    if let Err(failure) = erased::keep(&app).await {
        // It is erased; the list catches up at the next start or backup.
        tracing::error!(%failure, "the list of erasures was not written");
    }
    Ok(Json(ErasureAnswer { erased: true }))
}

/// Who asks, if their roles allow it (those who may correct the archive) and their password has stood long enough:
/// see `people::password`.
async fn person(app: &App, signed: &Signed, request: ErasureRequest) -> Result<ServerUser, Refused> {
    let tenant = signed.claims.tenant;
    let user = check_password(app, tenant, &request.login, request.password).await?;
    let wait = user.trusted_from - app.now();
    if wait > 0 {
        let seconds = wait.div_euclid(1000) + 1;
        return Err(Refused::new(ProblemCode::PasswordNew).with("seconds", seconds));
    }
    let staff = staff::find(app, tenant, signed.claims.device, user.id).await?;
    let roles: Vec<Role> = staff
        .filter(|person| person.active)
        .map(|person| person.roles.iter().filter_map(|word| Role::parse(word)).collect())
        .unwrap_or_default();
    if !permissions_of(&roles).contains(&Permission::ArchiveMerge) {
        return Err(refuse(ProblemCode::Forbidden));
    }
    Ok(user)
}
