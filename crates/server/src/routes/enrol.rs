//! How a desk comes to belong to a hospital, and gets a token afterwards.

use aftercare_rehearsal::point;
use aftercare_sync::door::{
    EnrolAnswer, EnrolRequest, ProblemCode, TokenAnswer, TokenRequest, enrol_text, token_text,
};
use aftercare_sync::wire::{OLDEST_PROTOCOL, PROTOCOL, check_protocol};
use axum::Json;
use axum::extract::{Extension, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use ring::signature;
use serde_json::json;

use crate::app::{App, Shared};
use crate::asked::Asked;
use crate::limits::Asker;
use crate::problem::{Refused, refuse};
use crate::serve::Peer;
use crate::signed::check_status;
use crate::store::{CodeUse, NewDevice};
use crate::token::{self, Claims, TOKEN_SECONDS};

/// Longest name of a desk, characters.
const LONGEST_NAME: usize = 100;
/// Most sites of a desk.
const MOST_SITES: usize = 200;

/// The authority's certificate. A desk compares it with its code before it says anything.
pub async fn authority(State(app): State<Shared>) -> Response {
    ([(header::CONTENT_TYPE, "application/x-pem-file")], app.authority.pem().to_owned()).into_response()
}

/// `POST /v1/enrol`.
pub async fn enrol(
    State(app): State<Shared>,
    Extension(Peer(peer)): Extension<Peer>,
    Asked(request): Asked<EnrolRequest>,
) -> Result<Json<EnrolAnswer>, Refused> {
    let now = app.now();
    app.take_try(Asker::Codes(peer.ip())).await?;
    check_form(&request)?;
    let device = take_in(&app, &request, now).await?;
    app.give_back_try(Asker::Codes(peer.ip())).await?;
    point("server.enrol.before_answer");
    Ok(Json(device))
}

fn check_form(request: &EnrolRequest) -> Result<(), Refused> {
    check_protocol(request.protocol).map_err(|_| {
        Refused::new(ProblemCode::Upgrade)
            .with("oldest", i64::from(OLDEST_PROTOCOL))
            .with("newest", i64::from(PROTOCOL))
    })?;
    let name = request.name.trim();
    let fits = request.public_key.len() == 32
        && name.chars().count() <= LONGEST_NAME
        && request.sites.len() <= MOST_SITES
        && !request.device.is_nil()
        && request.history_to >= 0;
    if !fits {
        return Err(refuse(ProblemCode::Garbled));
    }
    let text = enrol_text(&request.number, request.device, &request.public_key);
    signature::UnparsedPublicKey::new(&signature::ED25519, &request.public_key)
        .verify(text.as_bytes(), &request.signature)
        .map_err(|_| refuse(ProblemCode::Signature))
}

async fn take_in(app: &App, request: &EnrolRequest, now: i64) -> Result<EnrolAnswer, Refused> {
    let tenant = app.store.tenant_of_code(&request.number, now).await?;
    let tenant = tenant.ok_or(refuse(ProblemCode::CodeWrong))?;
    let hospital = app.store.tenant(tenant).await?;
    if hospital.closed {
        return Err(refuse(ProblemCode::TenantClosed));
    }
    let with = CodeUse {
        number: request.number.clone(),
        secret_hash: app.code_hash(&request.number, &request.secret),
    };
    let new = NewDevice {
        id: request.device,
        name: desk_name(request),
        public_key: request.public_key.clone(),
        sites: request.sites.clone(),
        history_to: request.history_to,
    };
    let device = app.store.enrol(tenant, with, new, now).await?;
    let details = json!({ "sites": device.sites, "history_to": device.history_to });
    app.audit(tenant, device.id, "device_enrolled", device.id, details).await?;
    let position = app.store.position(tenant).await?;
    Ok(EnrolAnswer {
        tenant,
        hospital: hospital.name,
        epoch: position.epoch,
        sites: device.sites,
        history_to: device.history_to,
        server_millis: now,
        head: position.head,
        oldest_protocol: OLDEST_PROTOCOL,
        newest_protocol: PROTOCOL,
        stick_key: app.stick_key(tenant, request.device, &request.public_key),
    })
}

/// What people call the desk; a PC without a name goes by the end of its id.
fn desk_name(request: &EnrolRequest) -> String {
    match request.name.trim() {
        "" => request.device.simple().to_string().split_off(24),
        name => name.to_owned(),
    }
}

/// `POST /v1/token`.
pub async fn token(
    State(app): State<Shared>,
    Extension(Peer(peer)): Extension<Peer>,
    Asked(request): Asked<TokenRequest>,
) -> Result<Json<TokenAnswer>, Refused> {
    let now = app.now();
    app.limiter.take(Asker::Address(peer.ip()), now)?;
    app.limiter.take(Asker::Device(request.device), now)?;
    let tenant = app.store.tenant_of_device(request.device).await?;
    let tenant = tenant.ok_or(refuse(ProblemCode::DeviceUnknown))?;
    let device = app.store.device(tenant, request.device).await?;
    // Only the desk itself learns what became of it.
    let text = token_text(request.device, request.at_millis);
    token::check_signature(&device.public_key, &text, &request.signature, request.at_millis, now)?;
    check_status(device.status)?;
    if app.store.tenant(tenant).await?.closed {
        return Err(refuse(ProblemCode::TenantClosed));
    }
    let claims = Claims {
        tenant,
        device: device.id,
        public_key: device.public_key,
        expires_at: now + TOKEN_SECONDS * 1000,
    };
    let users = app.store.users(tenant).await?;
    let shut_out = users.into_iter().filter(|user| !user.active).map(|user| user.id).collect();
    app.note_contact(tenant, device.id).await;
    Ok(Json(TokenAnswer {
        token: token::issue(&app.keys.token, &claims),
        expires_in_seconds: TOKEN_SECONDS,
        server_millis: now,
        sites: device.sites,
        shut_out,
    }))
}
