//! Sessions of the administrators' page: a sealed cookie that any server process can read. It ends
//! after two hours, at the sign-out, and when the password changes or the user is shut out.

use aftercare_domain::access::Role;
use aftercare_sync::door::ProblemCode;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, header};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::app::{App, Shared};
use crate::office::people::NEVER;
use crate::problem::{Refused, refuse};
use crate::store::{SERVER, ServerUser, StoreError};
use crate::token;

const COOKIE: &str = "aftercare_office";
/// The page's script sets it; another site's form cannot.
pub const MARK: &str = "aftercare-office";
const SECONDS: i64 = 2 * 3600;

#[derive(Serialize, Deserialize)]
struct Claims {
    tenant: Uuid,
    login: String,
    user: Uuid,
    changed_at: i64,
    expires_at: i64,
}

/// Somebody who is signed in at the page, whatever they may still have to do first.
pub struct SignedIn {
    /// [`SERVER`] for an administrator of the server, else the hospital.
    pub tenant: Uuid,
    /// Who.
    pub user: ServerUser,
}

/// Somebody who is signed in with a password of their own choice.
pub struct Office(pub SignedIn);

impl SignedIn {
    /// Whether the password was given by somebody else and must be changed first.
    pub fn must_change(&self) -> bool {
        self.user.changed_at == NEVER
    }
}

impl Office {
    /// Who.
    pub fn actor(&self) -> Uuid {
        self.0.user.id
    }

    /// Administrators of the server may everything, those of a hospital their own.
    ///
    /// # Errors
    /// `not_found`: another hospital is nobody's business.
    pub fn allow(&self, tenant: Uuid) -> Result<(), Refused> {
        let allowed = self.0.tenant == SERVER || self.0.tenant == tenant;
        if allowed { Ok(()) } else { Err(refuse(ProblemCode::NotFound)) }
    }

    /// Only administrators of the server.
    ///
    /// # Errors
    /// `forbidden`.
    pub fn allow_server(&self) -> Result<(), Refused> {
        if self.0.tenant == SERVER { Ok(()) } else { Err(refuse(ProblemCode::Forbidden)) }
    }
}

/// Whether a user administers at all.
pub fn administers(tenant: Uuid, user: &ServerUser) -> bool {
    let role = |word: &String| Role::parse(word) == Some(Role::Administrator);
    tenant == SERVER || user.roles.iter().any(role)
}

/// The cookie of a new session.
///
/// # Errors
/// `internal`.
pub fn open(app: &App, tenant: Uuid, user: &ServerUser) -> Result<HeaderValue, Refused> {
    let claims = Claims {
        tenant,
        login: user.login.clone(),
        user: user.id,
        changed_at: user.changed_at,
        expires_at: app.now() + SECONDS * 1000,
    };
    cookie(&token::seal(&app.keys.session, &claims)?, SECONDS)
}

/// The cookie that ends a session.
///
/// # Errors
/// `internal`.
pub fn close() -> Result<HeaderValue, Refused> {
    cookie("", 0)
}

fn cookie(value: &str, seconds: i64) -> Result<HeaderValue, Refused> {
    let text = format!("{COOKIE}={value}; Path=/; Max-Age={seconds}; HttpOnly; Secure; SameSite=Strict");
    HeaderValue::from_str(&text).map_err(|error| Refused::internal("session", error))
}

impl FromRequestParts<Shared> for SignedIn {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, app: &Shared) -> Result<Self, Refused> {
        if parts.method != Method::GET && !parts.headers.contains_key(MARK) {
            return Err(refuse(ProblemCode::Forbidden));
        }
        let claims = parts
            .headers
            .get_all(header::COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(';'))
            .filter_map(|pair| pair.trim().strip_prefix(COOKIE)?.strip_prefix('='))
            .find_map(|text| token::unseal::<Claims>(&app.keys.session, text))
            .ok_or(refuse(ProblemCode::Token))?;
        if claims.expires_at <= app.now() {
            return Err(refuse(ProblemCode::TokenExpired));
        }
        let user = match app.store.user_by_login(claims.tenant, &claims.login).await {
            Err(StoreError::NotFound) => return Err(refuse(ProblemCode::Token)),
            other => other?,
        };
        let same = user.id == claims.user && user.changed_at == claims.changed_at;
        if !same || !user.active || !administers(claims.tenant, &user) {
            return Err(refuse(ProblemCode::Token));
        }
        Ok(Self { tenant: claims.tenant, user })
    }
}

impl FromRequestParts<Shared> for Office {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, app: &Shared) -> Result<Self, Refused> {
        let signed_in = SignedIn::from_request_parts(parts, app).await?;
        if signed_in.must_change() { Err(refuse(ProblemCode::Forbidden)) } else { Ok(Self(signed_in)) }
    }
}
