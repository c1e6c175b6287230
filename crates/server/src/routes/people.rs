//! People at a desk: who is new to a PC, what the desk leaves for them, and passwords.

use std::collections::BTreeSet;

use aftercare_sync::Scope;
use aftercare_sync::door::{LoginAnswer, LoginRequest, PasswordRequest, ProblemCode, SealedKey};
use axum::Json;
use axum::extract::{Extension, State};
use axum::http::StatusCode;
use serde_json::json;
use uuid::Uuid;

use crate::app::{App, Shared};
use crate::limits::Asker;
use crate::password;
use crate::problem::{Refused, refuse};
use crate::serve::Peer;
use crate::signed::Signed;
use crate::staff;
use crate::store::{ServerUser, StoreError, TRUST_MILLIS};

/// Largest sealed key, bytes.
const MOST_KEY: usize = 4096;

/// `POST /v1/login`: the password is checked here, the right to the desk's sites too, and the desk
/// gets back the key that it left.
pub async fn login(
    State(app): State<Shared>,
    Extension(Peer(peer)): Extension<Peer>,
    signed: Signed,
) -> Result<Json<LoginAnswer>, Refused> {
    app.take_try(Asker::Passwords(peer.ip())).await?;
    let request: LoginRequest = signed.json()?;
    let (tenant, device) = (signed.claims.tenant, signed.claims.device);
    let user = check_password(&app, tenant, &request.login, request.password).await?;
    let works_here = staff::find(&app, tenant, device, user.id).await?.is_some_and(|person| person.active);
    if !works_here || !may_use(&user.sites, &signed.device.sites) {
        app.audit(tenant, user.id, "login_refused", device, json!({})).await?;
        return Err(refuse(ProblemCode::Forbidden));
    }
    let sealed_key = match app.store.desk_key(tenant, device).await {
        Err(StoreError::NotFound) => return Err(refuse(ProblemCode::NoKey)),
        other => other?,
    };
    app.audit(tenant, user.id, "key_released", device, json!({})).await?;
    Ok(Json(LoginAnswer { user: user.id, sealed_key }))
}

/// A user without sites may use every desk; another only desks that see nothing beyond the user's.
fn may_use(user: &BTreeSet<Scope>, desk: &BTreeSet<Scope>) -> bool {
    user.is_empty() || desk.is_subset(user)
}

/// `PUT /v1/keys`: the desk leaves its database's key, sealed so that the server cannot use it.
pub async fn leave_key(State(app): State<Shared>, signed: Signed) -> Result<StatusCode, Refused> {
    let SealedKey { sealed_key } = signed.json()?;
    if sealed_key.is_empty() || sealed_key.len() > MOST_KEY {
        let most = i64::try_from(MOST_KEY).unwrap_or(i64::MAX);
        return Err(Refused::new(ProblemCode::TooLarge).with("max", most));
    }
    let (tenant, device) = (signed.claims.tenant, signed.claims.device);
    app.store.put_desk_key(tenant, device, sealed_key).await?;
    app.audit(tenant, device, "key_left", device, json!({})).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `PUT /v1/passwords`: a user's password at the desk becomes the one at the server. The first is
/// taken as it comes, for people of the hospital's staff only; a later one needs the one before
/// it, so that a desk in wrong hands cannot take over who is known here. A proper desk hands a password over
/// when its owner has just signed in with it. A desk in wrong hands may lie and set the first passwords of two
/// people: for what needs two persons (an erasure) they count only after [`TRUST_MILLIS`], and a desk that is shut
/// out before takes them along. A later password inherits the trust of the one before it, which it had to prove;
/// one that an administrator gave counts at once.
pub async fn password(
    State(app): State<Shared>,
    Extension(Peer(peer)): Extension<Peer>,
    signed: Signed,
) -> Result<StatusCode, Refused> {
    app.take_try(Asker::Passwords(peer.ip())).await?;
    let request: PasswordRequest = signed.json()?;
    let (tenant, device) = (signed.claims.tenant, signed.claims.device);
    if request.new.chars().count() < 6 || request.new.len() > password::LONGEST {
        return Err(refuse(ProblemCode::Garbled));
    }
    let person = staff::find(&app, tenant, device, request.user).await?;
    let person = person.filter(|person| person.active).ok_or(refuse(ProblemCode::Forbidden))?;
    let known = match app.store.user_by_login(tenant, &person.login).await {
        Err(StoreError::NotFound) => None,
        other => Some(other?),
    };
    if known.as_ref().is_some_and(|known| known.id != request.user) {
        return Err(refuse(ProblemCode::Forbidden));
    }
    if known.is_some() {
        let old = request.old.ok_or(refuse(ProblemCode::Login))?;
        check_password(&app, tenant, &person.login, old).await?;
    }
    let user = ServerUser {
        id: request.user,
        login: person.login,
        name: person.name,
        password_hash: password::hash(request.new, app.env.cost).await?,
        roles: known.as_ref().map_or_else(|| staff::ordinary(person.roles), |known| known.roles.clone()),
        trusted_from: known.as_ref().map_or(app.now() + TRUST_MILLIS, |known| known.trusted_from),
        set_by: known.as_ref().map_or(Some(device), |known| known.set_by),
        sites: known.map(|known| known.sites).unwrap_or_default(),
        active: true,
        changed_at: app.now(),
        locked_until: None,
    };
    app.store.put_user(tenant, user).await?;
    app.audit(tenant, request.user, "password_set", device, json!({})).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The active user of this login and password. Whoever does not exist takes as long.
///
/// # Errors
/// `login`; `locked` after too many wrong passwords.
pub(crate) async fn check_password(
    app: &App,
    tenant: Uuid,
    login: &str,
    password: String,
) -> Result<ServerUser, Refused> {
    let user = match app.store.user_by_login(tenant, login).await {
        Err(StoreError::NotFound) => None,
        other => Some(other?),
    };
    if let Some(user) = &user {
        app.limiter.take(Asker::User(user.id), app.now())?;
        refuse_locked(user.locked_until, app.now())?;
    }
    let stored = user.as_ref().map(|user| user.password_hash.clone());
    let fits = password::check(password, stored, app.env.cost).await?;
    let user = user.ok_or(refuse(ProblemCode::Login))?;
    let now = app.now();
    refuse_locked(app.store.note_login(tenant, user.id, fits, now).await?, now)?;
    if !fits || !user.active {
        return Err(refuse(ProblemCode::Login));
    }
    Ok(user)
}

fn refuse_locked(until: Option<i64>, now: i64) -> Result<(), Refused> {
    match until.filter(|until| *until > now) {
        Some(until) => {
            let seconds = (until - now).div_euclid(1000) + 1;
            Err(Refused::new(ProblemCode::Locked).with("seconds", seconds))
        }
        None => Ok(()),
    }
}
