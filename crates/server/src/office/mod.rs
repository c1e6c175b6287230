//! What administrators do, on the command line and on their page: the same functions for both.

pub mod people;

use std::collections::BTreeSet;

use aftercare_sync::Scope;
use aftercare_sync::code::EnrolCode;
use aftercare_sync::fingerprint::Fingerprint;
use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

use crate::app::{App, new_id, random};
use crate::failure::Failure;
use crate::staff::{self, Site};
use crate::store::{
    Device, DeviceStatus, NewCode, NewTenant, Quarantined, Quota, SiteName, StoreError, Tenant,
};

/// A code for a new desk, as it is read out.
#[derive(Serialize)]
pub struct MadeCode {
    /// Five groups of five.
    pub code: String,
    /// When it ends, milliseconds UTC.
    pub expires_at: i64,
    /// The authority's fingerprint as the desk will show it, in Chinese.
    pub fingerprint: String,
    /// The same in English words.
    pub fingerprint_words: String,
}

/// Makes a one-time code.
///
/// # Errors
/// `site_unknown`, the store's.
pub async fn make_code(
    app: &App,
    tenant: Uuid,
    actor: Uuid,
    sites: &[String],
    history: bool,
) -> Result<MadeCode, Failure> {
    let sites = resolve_sites(app, tenant, sites).await?;
    let now = app.now();
    loop {
        let code = EnrolCode::new(random()?, app.authority.der());
        let new = NewCode {
            number: code.number.clone(),
            secret_hash: app.code_hash(&code.number, &code.secret),
            made_by: actor,
            made_at: now,
            sites: sites.clone(),
            history,
        };
        match app.store.make_code(tenant, new).await {
            // Another code of this number waits: numbers are short.
            Err(StoreError::Exists) => {}
            Err(error) => return Err(error.into()),
            Ok(()) => {
                let details = json!({ "number": code.number, "sites": sites, "history": history });
                app.audit(tenant, actor, "code_made", Uuid::nil(), details).await?;
                let Fingerprint { chinese, english } = Fingerprint::of(app.authority.der());
                let expires_at = now + crate::store::CODE_MILLIS;
                return Ok(MadeCode {
                    code: code.print(),
                    expires_at,
                    fingerprint: chinese,
                    fingerprint_words: english,
                });
            }
        }
    }
}

/// Sites by name or id.
///
/// # Errors
/// `site_unknown` with the word.
pub async fn resolve_sites(app: &App, tenant: Uuid, words: &[String]) -> Result<BTreeSet<Scope>, Failure> {
    if words.is_empty() {
        return Ok(BTreeSet::new());
    }
    let known: Vec<Site> = staff::sites(app, tenant).await?;
    let mut sites = BTreeSet::new();
    for word in words.iter().map(|word| word.trim()).filter(|word| !word.is_empty()) {
        let id = Uuid::parse_str(word).ok();
        let site = known.iter().find(|site| site.name == word || Some(site.id) == id);
        sites.insert(site.ok_or_else(|| Failure::new("site_unknown", word))?.id);
    }
    Ok(sites)
}

/// Longest name of a site, characters.
const LONGEST_SITE: usize = 100;

/// A site's name without what is around it.
///
/// # Errors
/// `name_unfit` when it is empty or too long, `taken` when another site has it.
async fn site_name(app: &App, tenant: Uuid, name: &str, besides: Option<Scope>) -> Result<String, Failure> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > LONGEST_SITE || name.contains('\0') {
        return Err(Failure::new("name_unfit", LONGEST_SITE));
    }
    let others = staff::sites(app, tenant).await?;
    if others.iter().any(|site| site.name == name && Some(site.id) != besides) {
        return Err(Failure::new("taken", name));
    }
    Ok(name.to_owned())
}

/// Adds a site. Desks hear of it at their next sync; a code may name it at once.
///
/// # Errors
/// `name_unfit`, `taken`, the store's.
pub async fn add_site(app: &App, tenant: Uuid, actor: Uuid, name: &str) -> Result<Uuid, Failure> {
    let name = site_name(app, tenant, name, None).await?;
    let id = new_id(app.now())?;
    app.store.name_site(tenant, SiteName { id, op: id, name }, app.now()).await?;
    app.audit(tenant, actor, "site_added", id, json!({})).await?;
    Ok(id)
}

/// Gives a site another name.
///
/// # Errors
/// `site_unknown`, `name_unfit`, `taken`, the store's.
pub async fn rename_site(
    app: &App,
    tenant: Uuid,
    actor: Uuid,
    site: &str,
    name: &str,
) -> Result<Uuid, Failure> {
    let found = resolve_sites(app, tenant, &[site.to_owned()]).await?;
    let id = found.into_iter().next().ok_or_else(|| Failure::new("site_unknown", site))?;
    let name = site_name(app, tenant, name, Some(id)).await?;
    app.store.name_site(tenant, SiteName { id, op: new_id(app.now())?, name }, app.now()).await?;
    app.audit(tenant, actor, "site_renamed", id, json!({})).await?;
    Ok(id)
}

/// The hospital of this word; without a word the only one.
///
/// # Errors
/// `hospital_unknown`, `hospital_unclear` when there are several.
pub async fn hospital(app: &App, word: Option<&str>) -> Result<Tenant, Failure> {
    let mut all = app.store.tenants().await?;
    match word {
        Some(word) => all
            .into_iter()
            .find(|tenant| tenant.word == word)
            .ok_or_else(|| Failure::new("hospital_unknown", word)),
        None if all.len() == 1 => Ok(all.remove(0)),
        None => {
            let words: Vec<_> = all.into_iter().map(|tenant| tenant.word).collect();
            Err(Failure::new("hospital_unclear", words.join(", ")))
        }
    }
}

/// Adds a hospital.
///
/// # Errors
/// `taken` when its word is; the store's.
pub async fn add_hospital(
    app: &App,
    actor: Uuid,
    word: &str,
    name: &str,
    quota: Quota,
) -> Result<Uuid, Failure> {
    let now = app.now();
    let id = new_id(now)?;
    let new = NewTenant {
        id,
        word: word.to_owned(),
        name: name.to_owned(),
        quota,
        seal_key: random()?,
        made_at: now,
    };
    app.store.make_tenant(new).await?;
    app.audit_server(actor, "hospital_added", id).await?;
    Ok(id)
}

/// Shuts a hospital off or lets it in.
///
/// # Errors
/// The store's.
pub async fn set_closed(app: &App, actor: Uuid, tenant: Uuid, closed: bool) -> Result<(), Failure> {
    app.store.set_closed(tenant, closed).await?;
    let act = if closed { "hospital_closed" } else { "hospital_opened" };
    Ok(app.audit_server(actor, act, tenant).await?)
}

/// The hospital of a device.
///
/// # Errors
/// `not_found`.
pub async fn tenant_of(app: &App, device: Uuid) -> Result<Uuid, Failure> {
    app.store.tenant_of_device(device).await?.ok_or_else(|| Failure::new("not_found", device))
}

/// Revokes, wipes or admits a device.
///
/// # Errors
/// The store's.
pub async fn set_device(
    app: &App,
    tenant: Uuid,
    actor: Uuid,
    device: Uuid,
    status: DeviceStatus,
) -> Result<(), Failure> {
    app.store.set_device_status(tenant, device, status, app.now()).await?;
    let act = match status {
        DeviceStatus::Active => "device_admitted",
        DeviceStatus::Revoked => "device_revoked",
        DeviceStatus::Wipe => "device_wipe_ordered",
    };
    Ok(app.audit(tenant, actor, act, device, json!({})).await?)
}

/// Changes what a device may see.
///
/// # Errors
/// `site_unknown`, the store's.
pub async fn set_device_sites(
    app: &App,
    tenant: Uuid,
    actor: Uuid,
    device: Uuid,
    sites: &[String],
) -> Result<(), Failure> {
    let sites = resolve_sites(app, tenant, sites).await?;
    let details = json!({ "sites": sites });
    app.store.set_sites(tenant, device, sites).await?;
    Ok(app.audit(tenant, actor, "device_sites", device, details).await?)
}

/// A device as lists show it.
#[derive(Serialize)]
pub struct DeviceLine {
    /// Its id.
    pub id: Uuid,
    /// What people call it.
    pub name: String,
    /// `active`, `revoked` or `wipe`.
    pub status: &'static str,
    /// The names of its sites, or their ids where the name is not known.
    pub sites: Vec<String>,
    /// The number of its last op.
    pub last_dseq: i64,
    /// When it was enrolled, milliseconds UTC.
    pub enrolled_at: i64,
    /// When it was last heard of, milliseconds UTC.
    pub last_contact_at: Option<i64>,
}

/// Every device of a hospital.
///
/// # Errors
/// The store's.
pub async fn devices(app: &App, tenant: Uuid) -> Result<Vec<DeviceLine>, Failure> {
    let sites = staff::sites(app, tenant).await?;
    let devices = app.store.devices(tenant).await?;
    Ok(devices.into_iter().map(|device| device_line(device, &sites)).collect())
}

fn device_line(device: Device, sites: &[Site]) -> DeviceLine {
    let name = |id: &Scope| {
        let site = sites.iter().find(|site| site.id == *id);
        site.map_or_else(|| id.to_string(), |site| site.name.clone())
    };
    DeviceLine {
        id: device.id,
        name: device.name,
        status: device.status.as_str(),
        sites: device.sites.iter().map(name).collect(),
        last_dseq: device.last_dseq,
        enrolled_at: device.enrolled_at,
        last_contact_at: device.last_contact_at,
    }
}

/// A change that waits for an administrator, as lists show it: what it touches, never its values.
#[derive(Serialize)]
pub struct WaitingLine {
    /// Its number.
    pub number: i64,
    /// The desk that wrote it.
    pub device: Uuid,
    /// Its author.
    pub user: Uuid,
    /// What kind of record.
    pub entity: String,
    /// Which.
    pub record: Uuid,
    /// The names of the fields it sets.
    pub fields: Vec<String>,
    /// Its time, milliseconds UTC.
    pub at: i64,
    /// `author` or `scope`.
    pub why: String,
}

/// Most changes that a list shows.
const MOST_WAITING: usize = 500;

/// What waits, by number.
///
/// # Errors
/// The store's.
pub async fn waiting(app: &App, tenant: Uuid) -> Result<Vec<WaitingLine>, Failure> {
    let ops = app.store.quarantine(tenant, 0, MOST_WAITING).await?;
    let line = |op: Quarantined| WaitingLine {
        number: op.seq,
        device: op.device,
        user: op.user,
        entity: op.entity,
        record: op.record,
        fields: op.fields,
        at: op.effective.millis(),
        why: op.why,
    };
    Ok(ops.into_iter().map(line).collect())
}

/// Lets a change count from now on, or refuses it for good.
///
/// # Errors
/// `not_found` when it waits no more.
pub async fn decide(app: &App, tenant: Uuid, actor: Uuid, number: i64, counts: bool) -> Result<(), Failure> {
    if counts {
        app.store.release(tenant, number, app.now()).await?;
    } else {
        app.store.reject(tenant, number).await?;
    }
    let act = if counts { "change_released" } else { "change_rejected" };
    Ok(app.audit(tenant, actor, act, Uuid::nil(), json!({ "number": number })).await?)
}
