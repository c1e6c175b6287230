//! The people and sites of a hospital as its desks wrote them: records that everybody sees.

use aftercare_domain::access::Role;
use aftercare_sync::entities;
use aftercare_sync::record::Record;
use aftercare_sync::{HOSPITAL, Scope};
use uuid::Uuid;

use crate::app::App;
use crate::problem::Refused;

/// Somebody of the staff.
#[derive(Clone)]
pub struct Person {
    /// Their record.
    pub id: Uuid,
    /// What they type to sign in.
    pub login: String,
    /// Their name.
    pub name: String,
    /// Words of `aftercare_domain::access::Role`.
    pub roles: Vec<String>,
    /// Whether they still work here.
    pub active: bool,
}

/// A site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// Its record, and the scope of its patients.
    pub id: Scope,
    /// Its name.
    pub name: String,
}

/// Records of a page.
const PAGE: usize = 1000;

/// The person of this record. `device` is one of the hospital's.
///
/// # Errors
/// The store's.
pub async fn find(app: &App, tenant: Uuid, device: Uuid, user: Uuid) -> Result<Option<Person>, Refused> {
    let bucket = aftercare_sync::digest::bucket(user);
    let mut after = None;
    loop {
        let page = app.store.bucket_records(tenant, device, HOSPITAL, bucket, after, PAGE).await?;
        let found = page.records.iter().find(|each| each.key.id == user);
        if let Some(person) = found.filter(|each| each.key.entity == entities::USER.table) {
            return Ok(Some(read_person(person)));
        }
        match page.next {
            Some(next) => after = Some(next),
            None => return Ok(None),
        }
    }
}

/// The hospital's sites by name, as its desks wrote them; those of a desk that nobody named go
/// by their id.
///
/// # Errors
/// The store's.
pub async fn sites(app: &App, tenant: Uuid) -> Result<Vec<Site>, Refused> {
    let devices = app.store.devices(tenant).await?;
    let written = app.store.records_of(tenant, entities::SITE.table).await?;
    let present = written.iter().filter(|each| each.integer("removed") != Some(1));
    let mut sites: Vec<Site> = present
        .map(|each| Site { id: each.key.id, name: each.text("name").unwrap_or_default().to_owned() })
        .collect();
    for id in devices.iter().flat_map(|device| &device.sites) {
        if !sites.iter().any(|site| site.id == *id) {
            sites.push(Site { id: *id, name: id.to_string() });
        }
    }
    sites.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(sites)
}

/// The person of this login, as the desks wrote it. Nobody before the first desk.
///
/// # Errors
/// The store's.
pub async fn by_login(app: &App, tenant: Uuid, login: &str) -> Result<Option<Person>, Refused> {
    let mut people = app.store.records_of(tenant, entities::USER.table).await?;
    people.retain(|each| each.text("login") == Some(login));
    Ok(people.first().map(read_person))
}

/// Roles without the administrator's: nobody administers the server's page by a desk's word, an
/// administrator of the server appoints them.
pub fn ordinary(mut roles: Vec<String>) -> Vec<String> {
    roles.retain(|word| Role::parse(word) != Some(Role::Administrator));
    roles
}

fn read_person(record: &Record) -> Person {
    let words = record.text("roles").unwrap_or("[]");
    Person {
        id: record.key.id,
        login: record.text("login").unwrap_or_default().to_owned(),
        name: record.text("display_name").unwrap_or_default().to_owned(),
        roles: serde_json::from_str(words).unwrap_or_default(),
        active: record.integer("active").unwrap_or(1) == 1,
    }
}
