//! Permission, validation and audit of the archive's commands.

use serde_json::json;

use super::{
    ConsentRequest, EncountersRequest, EncountersResponse, FindRequest, FindResponse, PatientRequest, Record,
    consents, kept_id, record, search,
};
use crate::app::Ctx;
use crate::error::Result;

/// Finds patients as the person types. Not audited: opening a record is.
pub fn find(ctx: &Ctx, request: FindRequest) -> Result<FindResponse> {
    let today = ctx.local_now().date();
    ctx.read(|c| search::find(c, request.query.reveal(), request.limit as usize, today))
}

/// Opens a record.
///
/// Errors: `NotFound`.
pub fn patient(ctx: &Ctx, request: PatientRequest) -> Result<Record> {
    let record = ctx.read(|c| record::read(c, request.id, ctx.local_now().date()))?;
    ctx.audit("archive.read", Some(record.id), json!({}))?;
    Ok(record)
}

/// A page of a patient's encounters.
pub fn encounters(ctx: &Ctx, request: EncountersRequest) -> Result<EncountersResponse> {
    let (encounters, count) = ctx.read(|c| {
        let id = kept_id(c, request.patient_id)?;
        record::encounters(c, id, request.skip, request.limit.min(100))
    })?;
    Ok(EncountersResponse { encounters, count })
}

/// Records a consent or its withdrawal.
pub fn consent(ctx: &Ctx, request: ConsentRequest) -> Result<Record> {
    consents::set(ctx, &request)
}
