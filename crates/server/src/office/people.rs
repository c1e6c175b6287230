//! People who sign in at the server: its administrators, and users of hospitals.

use serde_json::json;
use uuid::Uuid;

use crate::app::{App, new_id, random};
use crate::failure::Failure;
use crate::password;
use crate::staff;
use crate::store::{SERVER, ServerUser, StoreError};

/// The role that signs in at the page.
const ADMINISTRATOR: &str = "administrator";
/// The administrator made on first start.
pub const FIRST_LOGIN: &str = "admin";
/// A password that nobody chose has this time of change: it opens nothing but the change itself.
pub const NEVER: i64 = 0;

/// A one-time password: sixteen characters without those that are read as others, 80 bits.
///
/// # Errors
/// `internal` without randomness.
pub fn one_time_password() -> Result<String, Failure> {
    let bytes = random::<16>()?;
    let letters = b"23456789abcdefghjkmnpqrstuvwxyz";
    let mut text = String::new();
    for (index, byte) in bytes.iter().enumerate() {
        if index > 0 && index % 4 == 0 {
            text.push('-');
        }
        text.push(char::from(letters[usize::from(*byte) % letters.len()]));
    }
    Ok(text)
}

/// Makes an administrator of the server; answers the one-time password.
///
/// # Errors
/// `taken` when the login is.
pub async fn add_administrator(app: &App, actor: Uuid, login: &str, name: &str) -> Result<String, Failure> {
    let password = one_time_password()?;
    let id = new_id(app.now())?;
    let user = ServerUser {
        id,
        login: login.to_owned(),
        name: name.to_owned(),
        password_hash: password::hash(password.clone(), app.env.cost).await?,
        roles: vec![ADMINISTRATOR.to_owned()],
        sites: Default::default(),
        active: true,
        locked_until: None,
        changed_at: NEVER,
        trusted_from: 0,
        set_by: None,
    };
    app.store.put_user(SERVER, user).await?;
    app.audit_server(actor, "administrator_added", id).await?;
    Ok(password)
}

/// Gives somebody a one-time password and unlocks them: also somebody of the staff whose first one this is.
///
/// # Errors
/// `not_found`.
pub async fn reset_password(app: &App, tenant: Uuid, actor: Uuid, login: &str) -> Result<String, Failure> {
    let password = one_time_password()?;
    let mut user = match app.store.user_by_login(tenant, login).await {
        Err(StoreError::NotFound) => first_time(app, tenant, login).await?,
        other => other?,
    };
    let id = user.id;
    user.password_hash = password::hash(password.clone(), app.env.cost).await?;
    user.changed_at = NEVER;
    user.trusted_from = 0;
    user.set_by = None;
    user.active = true;
    app.store.put_user(tenant, user).await?;
    app.audit(tenant, actor, "password_reset", id, json!({})).await?;
    Ok(password)
}

/// Somebody of the staff whom the server knows no password of.
async fn first_time(app: &App, tenant: Uuid, login: &str) -> Result<ServerUser, Failure> {
    let person = staff::by_login(app, tenant, login).await?.filter(|person| person.active);
    let person = person.ok_or_else(|| Failure::new("not_found", login))?;
    Ok(ServerUser {
        id: person.id,
        login: person.login,
        name: person.name,
        password_hash: String::new(),
        roles: staff::ordinary(person.roles),
        sites: Default::default(),
        active: true,
        locked_until: None,
        changed_at: NEVER,
        trusted_from: 0,
        set_by: None,
    })
}

/// Makes somebody of a hospital an administrator of the hospital's part of the page.
///
/// # Errors
/// `not_found` when the server has no password of theirs yet.
pub async fn appoint(app: &App, tenant: Uuid, actor: Uuid, login: &str) -> Result<(), Failure> {
    let mut user = app.store.user_by_login(tenant, login).await?;
    let id = user.id;
    if !user.roles.iter().any(|word| word == ADMINISTRATOR) {
        user.roles.push(ADMINISTRATOR.to_owned());
    }
    app.store.put_user(tenant, user).await?;
    Ok(app.audit(tenant, actor, "administrator_appointed", id, json!({})).await?)
}

/// Shuts somebody out of the server and of PCs that are new to them.
///
/// # Errors
/// `not_found`.
pub async fn disable(app: &App, tenant: Uuid, actor: Uuid, login: &str) -> Result<(), Failure> {
    let mut user = app.store.user_by_login(tenant, login).await?;
    let id = user.id;
    user.active = false;
    user.changed_at = app.now();
    app.store.put_user(tenant, user).await?;
    Ok(app.audit(tenant, actor, "user_disabled", id, json!({})).await?)
}

/// Sets the password that somebody chose.
///
/// # Errors
/// The store's.
pub async fn choose_password(
    app: &App,
    tenant: Uuid,
    mut user: ServerUser,
    new: String,
) -> Result<(), Failure> {
    let id = user.id;
    user.password_hash = password::hash(new, app.env.cost).await?;
    user.changed_at = app.now();
    app.store.put_user(tenant, user).await?;
    Ok(app.audit(tenant, id, "password_changed", id, json!({})).await?)
}
