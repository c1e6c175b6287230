//! How the desks of a hospital stand, for who watches over them at one of the desks.

use std::collections::BTreeSet;

use aftercare_sync::Scope;
use aftercare_sync::door::{ClinicDesk, ClinicsAnswer};
use axum::extract::State;
use axum::response::Response;

use crate::app::Shared;
use crate::problem::Refused;
use crate::routes::packed;
use crate::signed::Signed;
use crate::store::{Device, DeviceStatus};

/// `GET /v1/clinics`: the desks that share a site with the one that asks. Of sites that it does not see
/// it does not learn that they exist.
pub async fn clinics(State(app): State<Shared>, signed: Signed) -> Result<Response, Refused> {
    let devices = app.store.devices(signed.claims.tenant).await?;
    let desks = devices.into_iter().filter_map(|device| shown_to(&signed.device.sites, device)).collect();
    packed(&ClinicsAnswer { server_millis: app.now(), desks })
}

/// A device as a desk of these sites sees it; nothing when they share none.
fn shown_to(sites: &BTreeSet<Scope>, device: Device) -> Option<ClinicDesk> {
    let shared: BTreeSet<Scope> = device.sites.intersection(sites).copied().collect();
    (device.status == DeviceStatus::Active && !shared.is_empty()).then_some(ClinicDesk {
        id: device.id,
        name: device.name,
        sites: shared,
        enrolled_at: device.enrolled_at,
        last_contact_at: device.last_contact_at,
        unsent: device.unsent,
    })
}
