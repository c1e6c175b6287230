//! Reading and checking the trail.

use serde_json::json;

use super::{ListRequest, ListResponse, VerifyRequest, VerifyResponse, store};
use crate::app::Ctx;
use crate::error::Result;

/// Checks the audit trail and the change log from the first line.
pub fn verify(ctx: &Ctx, _: VerifyRequest) -> Result<VerifyResponse> {
    let whole = ctx.read(store::verify)?;
    ctx.audit("audit.verify", None, json!({ "entries": whole.entries }))?;
    Ok(whole)
}

/// A page of the trail. Reading the trail is itself a line of it.
pub fn list(ctx: &Ctx, request: ListRequest) -> Result<ListResponse> {
    let action = request.action.unwrap_or_default();
    let entries = ctx.read(|db| store::list(db, request.before, &action, request.limit.min(200)))?;
    if request.before.is_none() {
        ctx.audit("audit.read", None, json!({}))?;
    }
    Ok(ListResponse { entries })
}
