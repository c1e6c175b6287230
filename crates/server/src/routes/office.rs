//! What the administrators' page asks for. Everything goes through `office`, as on the command line.

use aftercare_sync::door::ProblemCode;
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{AppendHeaders, IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::app::{App, Shared};
use crate::asked::{Asked, Place};
use crate::commands::check_trail;
use crate::failure::Failure;
use crate::limits::Asker;
use crate::office::{self, people};
use crate::password::{LONGEST, SHORTEST};
use crate::problem::{Refused, refuse};
use crate::routes::people::check_password;
use crate::serve::Peer;
use crate::session::{self, MARK, Office, SignedIn};
use crate::staff;
use crate::store::{DeviceStatus, Quota, SERVER, StoreError};

/// The latest lines of a trail that are shown.
const SHOWN: i64 = 200;

/// The page's requests.
pub fn routes() -> Router<Shared> {
    Router::new()
        .route("/office/sign-in", post(sign_in))
        .route("/office/sign-out", post(sign_out))
        .route("/office/password", post(password))
        .route("/office/me", get(me))
        .route("/office/hospitals", get(hospitals).post(add_hospital))
        .route("/office/hospitals/{id}/state", post(set_state))
        .route("/office/hospitals/{id}/sites", get(sites).post(add_site))
        .route("/office/hospitals/{id}/sites/{site}", post(rename_site))
        .route("/office/hospitals/{id}/devices", get(devices))
        .route("/office/hospitals/{id}/devices/{device}", post(set_device))
        .route("/office/hospitals/{id}/codes", post(make_code))
        .route("/office/hospitals/{id}/stick", post(super::sticks::answer))
        .route("/office/hospitals/{id}/users", get(users).post(add_administrator))
        .route("/office/hospitals/{id}/users/{login}/reset", post(reset))
        .route("/office/hospitals/{id}/users/{login}/appoint", post(appoint))
        .route("/office/hospitals/{id}/users/{login}/disable", post(disable))
        .route("/office/hospitals/{id}/waiting", get(waiting))
        .route("/office/hospitals/{id}/waiting/{number}", post(decide))
        .route("/office/hospitals/{id}/audit", get(audit))
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let refused = match self {
            Self::Refused(refused) => return refused.into_response(),
            Self::Store(StoreError::Exists) => Self::Store(StoreError::Exists),
            Self::Store(error) => return Refused::from(error).into_response(),
            other => other,
        };
        let body = json!({ "code": refused.code(), "about": refused.about() });
        (StatusCode::CONFLICT, Json(body)).into_response()
    }
}

#[derive(Deserialize)]
struct SignIn {
    #[serde(default)]
    hospital: String,
    login: String,
    password: String,
}

async fn sign_in(
    State(app): State<Shared>,
    Extension(Peer(peer)): Extension<Peer>,
    headers: HeaderMap,
    Asked(asked): Asked<SignIn>,
) -> Result<Response, Failure> {
    app.take_try(Asker::Passwords(peer.ip())).await?;
    if !headers.contains_key(MARK) {
        return Err(refuse(ProblemCode::Forbidden).into());
    }
    let tenant = match asked.hospital.trim() {
        "" => SERVER,
        word => match office::hospital(&app, Some(word)).await {
            // That there is no such hospital is told to nobody.
            Err(Failure::Command { .. }) => Uuid::max(),
            other => other?.id,
        },
    };
    if tenant == Uuid::max() {
        crate::password::check(asked.password, None, app.env.cost).await?;
        return Err(refuse(ProblemCode::Login).into());
    }
    let user = check_password(&app, tenant, &asked.login, asked.password).await?;
    if !session::administers(tenant, &user) {
        return Err(refuse(ProblemCode::Forbidden).into());
    }
    app.audit(tenant, user.id, "signed_in", Uuid::nil(), json!({})).await?;
    let cookie = session::open(&app, tenant, &user)?;
    Ok((AppendHeaders([(header::SET_COOKIE, cookie)]), StatusCode::NO_CONTENT).into_response())
}

async fn sign_out(_who: SignedIn) -> Result<Response, Failure> {
    Ok((AppendHeaders([(header::SET_COOKIE, session::close()?)]), StatusCode::NO_CONTENT).into_response())
}

#[derive(Deserialize)]
struct NewPassword {
    old: String,
    new: String,
}

async fn password(
    State(app): State<Shared>,
    who: SignedIn,
    Asked(asked): Asked<NewPassword>,
) -> Result<Response, Failure> {
    if asked.new.chars().count() < SHORTEST || asked.new.len() > LONGEST || asked.new == asked.old {
        return Err(Failure::new("password_short", SHORTEST));
    }
    let user = check_password(&app, who.tenant, &who.user.login, asked.old).await?;
    people::choose_password(&app, who.tenant, user, asked.new).await?;
    let user = app.store.user_by_login(who.tenant, &who.user.login).await?;
    let cookie = session::open(&app, who.tenant, &user)?;
    Ok((AppendHeaders([(header::SET_COOKIE, cookie)]), StatusCode::NO_CONTENT).into_response())
}

async fn me(who: SignedIn) -> Json<Value> {
    Json(json!({
        "login": who.user.login,
        "name": who.user.name,
        "server": who.tenant == SERVER,
        "must_change": who.must_change(),
    }))
}

async fn hospitals(State(app): State<Shared>, who: Office) -> Result<Json<Value>, Failure> {
    let mut all = Vec::new();
    for tenant in app.store.tenants().await? {
        if who.allow(tenant.id).is_err() {
            continue;
        }
        let usage = app.store.usage(tenant.id).await?;
        let position = app.store.position(tenant.id).await?;
        all.push(json!({
            "id": tenant.id, "word": tenant.word, "name": tenant.name, "closed": tenant.closed,
            "devices": usage.devices, "most_devices": tenant.quota.devices,
            "bytes": usage.bytes, "most_bytes": tenant.quota.bytes, "records": usage.records,
            "epoch": position.epoch, "head": position.head, "durable": position.durable_seq,
            "quarantined": app.store.quarantine(tenant.id, 0, 1000).await?.len(),
        }));
    }
    Ok(Json(json!({ "now": app.now(), "hospitals": all })))
}

#[derive(Deserialize)]
struct NewHospital {
    word: String,
    name: String,
}

async fn add_hospital(
    State(app): State<Shared>,
    who: Office,
    Asked(asked): Asked<NewHospital>,
) -> Result<Json<Value>, Failure> {
    who.allow_server()?;
    let (word, name) = (asked.word.trim(), asked.name.trim());
    let fits = |text: &str, most: usize| !text.is_empty() && text.chars().count() <= most;
    if !fits(word, 40) || !fits(name, 100) {
        return Err(refuse(ProblemCode::Garbled).into());
    }
    let id = office::add_hospital(&app, who.actor(), word, name, Quota::default()).await?;
    Ok(Json(json!({ "id": id })))
}

#[derive(Deserialize)]
struct HospitalState {
    closed: bool,
}

async fn set_state(
    State(app): State<Shared>,
    Place(tenant): Place<Uuid>,
    who: Office,
    Asked(HospitalState { closed }): Asked<HospitalState>,
) -> Result<StatusCode, Failure> {
    who.allow_server()?;
    office::set_closed(&app, who.actor(), tenant, closed).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn sites(
    State(app): State<Shared>,
    Place(tenant): Place<Uuid>,
    who: Office,
) -> Result<Json<Value>, Failure> {
    who.allow(tenant)?;
    let sites = staff::sites(&app, tenant).await?;
    Ok(Json(sites.iter().map(|site| json!({ "id": site.id, "name": site.name })).collect()))
}

#[derive(Deserialize)]
struct Named {
    name: String,
}

async fn add_site(
    State(app): State<Shared>,
    Place(tenant): Place<Uuid>,
    who: Office,
    Asked(Named { name }): Asked<Named>,
) -> Result<Json<Value>, Failure> {
    who.allow(tenant)?;
    Ok(Json(json!({ "id": office::add_site(&app, tenant, who.actor(), &name).await? })))
}

async fn rename_site(
    State(app): State<Shared>,
    Place((tenant, site)): Place<(Uuid, Uuid)>,
    who: Office,
    Asked(Named { name }): Asked<Named>,
) -> Result<StatusCode, Failure> {
    who.allow(tenant)?;
    office::rename_site(&app, tenant, who.actor(), &site.to_string(), &name).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn devices(
    State(app): State<Shared>,
    Place(tenant): Place<Uuid>,
    who: Office,
) -> Result<Json<Value>, Failure> {
    who.allow(tenant)?;
    Ok(Json(json!(office::devices(&app, tenant).await?)))
}

#[derive(Deserialize)]
struct NewStatus {
    status: String,
}

async fn set_device(
    State(app): State<Shared>,
    Place((tenant, device)): Place<(Uuid, Uuid)>,
    who: Office,
    Asked(asked): Asked<NewStatus>,
) -> Result<StatusCode, Failure> {
    who.allow(tenant)?;
    let status = DeviceStatus::parse(&asked.status).ok_or(refuse(ProblemCode::Garbled))?;
    office::set_device(&app, tenant, who.actor(), device, status).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
struct NewCode {
    #[serde(default)]
    sites: Vec<String>,
    #[serde(default)]
    history: bool,
}

async fn make_code(
    State(app): State<Shared>,
    Place(tenant): Place<Uuid>,
    who: Office,
    Asked(asked): Asked<NewCode>,
) -> Result<Json<Value>, Failure> {
    who.allow(tenant)?;
    Ok(Json(json!(office::make_code(&app, tenant, who.actor(), &asked.sites, asked.history).await?)))
}

async fn users(
    State(app): State<Shared>,
    Place(tenant): Place<Uuid>,
    who: Office,
) -> Result<Json<Value>, Failure> {
    who.allow(tenant)?;
    let now = app.now();
    let users = app.store.users(tenant).await?;
    let lines = users.iter().map(|user| {
        json!({
            "id": user.id, "login": user.login, "name": user.name, "roles": user.roles, "active": user.active,
            "locked": user.locked_until.is_some_and(|until| until > now),
            "never_changed": user.changed_at == people::NEVER,
            "trusted_from": Some(user.trusted_from).filter(|from| *from > now),
        })
    });
    Ok(Json(lines.collect()))
}

#[derive(Deserialize)]
struct NewAdministrator {
    login: String,
    name: String,
}

async fn add_administrator(
    State(app): State<Shared>,
    Place(tenant): Place<Uuid>,
    who: Office,
    Asked(asked): Asked<NewAdministrator>,
) -> Result<Json<Value>, Failure> {
    who.allow_server()?;
    let (login, name) = (asked.login.trim(), asked.name.trim());
    if tenant != SERVER || login.is_empty() || login.chars().count() > 40 || name.chars().count() > 100 {
        return Err(refuse(ProblemCode::Garbled).into());
    }
    let password = people::add_administrator(&app, who.actor(), login, name).await?;
    Ok(Json(json!({ "password": password })))
}

async fn reset(
    State(app): State<Shared>,
    Place((tenant, login)): Place<(Uuid, String)>,
    who: Office,
) -> Result<Json<Value>, Failure> {
    who.allow(tenant)?;
    let password = people::reset_password(&app, tenant, who.actor(), &login).await?;
    Ok(Json(json!({ "password": password })))
}

async fn appoint(
    State(app): State<Shared>,
    Place((tenant, login)): Place<(Uuid, String)>,
    who: Office,
) -> Result<StatusCode, Failure> {
    who.allow_server()?;
    people::appoint(&app, tenant, who.actor(), &login).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn disable(
    State(app): State<Shared>,
    Place((tenant, login)): Place<(Uuid, String)>,
    who: Office,
) -> Result<StatusCode, Failure> {
    who.allow(tenant)?;
    if tenant == who.0.tenant && login == who.0.user.login {
        // Nobody locks themselves out by a slip.
        return Err(refuse(ProblemCode::SamePerson).into());
    }
    people::disable(&app, tenant, who.actor(), &login).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn waiting(
    State(app): State<Shared>,
    Place(tenant): Place<Uuid>,
    who: Office,
) -> Result<Json<Value>, Failure> {
    who.allow(tenant)?;
    Ok(Json(json!(office::waiting(&app, tenant).await?)))
}

#[derive(Deserialize)]
struct Decision {
    counts: bool,
}

async fn decide(
    State(app): State<Shared>,
    Place((tenant, number)): Place<(Uuid, i64)>,
    who: Office,
    Asked(Decision { counts }): Asked<Decision>,
) -> Result<StatusCode, Failure> {
    who.allow(tenant)?;
    office::decide(&app, tenant, who.actor(), number, counts).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The latest lines, and whether the whole trail holds.
async fn audit(
    State(app): State<Shared>,
    Place(tenant): Place<Uuid>,
    who: Office,
) -> Result<Json<Value>, Failure> {
    who.allow(tenant)?;
    let (count, broken) = check_trail(&app, tenant).await?;
    let lines = lines_after(&app, tenant, (count - SHOWN).max(0)).await?;
    Ok(Json(json!({ "count": count, "broken_at": broken, "lines": lines })))
}

async fn lines_after(app: &App, tenant: Uuid, after: i64) -> Result<Vec<Value>, Failure> {
    let most = usize::try_from(SHOWN).unwrap_or(usize::MAX);
    let entries = app.store.audit_lines(tenant, after, most).await?;
    let lines = entries.iter().rev().map(|entry| {
        let line = &entry.line;
        json!({ "number": entry.number, "at": line.at, "actor": line.actor, "act": line.act, "object": line.object })
    });
    Ok(lines.collect())
}
