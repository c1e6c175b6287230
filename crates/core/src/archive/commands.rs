//! Permission, validation and audit of the archive's commands.

use serde_json::json;

use super::{
    ConsentRequest, CreateRequest, CreateResponse, CustomerRequest, DeathRequest, DeathUndoRequest,
    DuplicatesRequest, DuplicatesResponse, EncountersRequest, EncountersResponse, FindRequest, FindResponse,
    MergeRequest, MergeResponse, NotSameRequest, NoteRequest, OptoutRequest, PatientRequest,
    PhoneOrderRequest, PhoneRemoveRequest, PhoneSaveRequest, Record, RevealRequest, RevealResponse,
    SaveRequest, TimelineRequest, TimelineResponse, UnmergeRequest, consents, create, duplicates, edit,
    kept_id, life, merge, phones, record, reveal, search, timeline,
};
use crate::app::Ctx;
use crate::commands::Done;
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

/// Shows a masked value in full; audited.
pub fn reveal(ctx: &Ctx, request: RevealRequest) -> Result<RevealResponse> {
    reveal::reveal(ctx, &request)
}

/// Saves changed fields.
pub fn save(ctx: &Ctx, request: SaveRequest) -> Result<Record> {
    edit::save(ctx, &request)
}

/// Makes a patient by hand.
pub fn create(ctx: &Ctx, request: CreateRequest) -> Result<CreateResponse> {
    create::create(ctx, &request)
}

/// Adds or changes a phone.
pub fn phone_save(ctx: &Ctx, request: PhoneSaveRequest) -> Result<Record> {
    phones::save(ctx, &request)
}

/// Puts phones in order.
pub fn phone_order(ctx: &Ctx, request: PhoneOrderRequest) -> Result<Record> {
    phones::order(ctx, &request)
}

/// Removes a phone or brings it back.
pub fn phone_remove(ctx: &Ctx, request: PhoneRemoveRequest) -> Result<Record> {
    phones::remove(ctx, &request)
}

/// Writes a note.
pub fn note(ctx: &Ctx, request: NoteRequest) -> Result<Record> {
    life::add_note(ctx, &request)
}

/// Says what kind of customer somebody is.
pub fn customer(ctx: &Ctx, request: CustomerRequest) -> Result<Record> {
    life::set_customer(ctx, &request)
}

/// Registers a death.
pub fn death(ctx: &Ctx, request: DeathRequest) -> Result<Record> {
    life::death(ctx, &request)
}

/// Takes a wrong death back.
pub fn death_undo(ctx: &Ctx, request: DeathUndoRequest) -> Result<Record> {
    life::undo_death(ctx, &request)
}

/// Sets how far a patient refuses contact.
pub fn optout(ctx: &Ctx, request: OptoutRequest) -> Result<Record> {
    life::optout(ctx, &request)
}

/// A page of the timeline.
pub fn timeline(ctx: &Ctx, request: TimelineRequest) -> Result<TimelineResponse> {
    ctx.read(|c| timeline::page(c, &request))
}

/// Suspected duplicates.
pub fn duplicates(ctx: &Ctx, request: DuplicatesRequest) -> Result<DuplicatesResponse> {
    ctx.read(|c| duplicates::list(c, &request))
}

/// Merges two records.
pub fn merge(ctx: &Ctx, request: MergeRequest) -> Result<MergeResponse> {
    merge::merge(ctx, &request)
}

/// Parts two records again.
pub fn unmerge(ctx: &Ctx, request: UnmergeRequest) -> Result<Done> {
    merge::unmerge(ctx, &request)
}

/// Says that two records are two people.
pub fn not_same(ctx: &Ctx, request: NotSameRequest) -> Result<Done> {
    duplicates::not_same(ctx, &request)
}
