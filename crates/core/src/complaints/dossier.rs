//! The dossier: patient, matter and evidence, investigation and answer, the rest; with the chain of steps, checked.

use serde_json::json;

use super::people::Names;
use super::{Dossier, OpenRequest, open};
use crate::app::Ctx;
use crate::error::Result;
use crate::settings;

/// What is printed. Each making is logged with whether the chain was whole.
///
/// # Errors
/// `NotFound`.
pub(super) fn make(ctx: &Ctx, request: &OpenRequest) -> Result<Dossier> {
    let dossier = ctx.read(|connection| {
        let detail = open::detail(ctx, connection, request.id)?;
        let hospital: String = connection
            .prepare_cached("SELECT hospital FROM desk")?
            .query_row([], |row| row.get("hospital"))?;
        Ok(Dossier {
            hospital,
            hospital_phone: settings::load(connection)?.hospital_phone,
            detail,
            made_at: ctx.now().timestamp_millis(),
            made_by: Names::load(connection)?.of(ctx.user_id()),
        })
    })?;
    let chain = &dossier.detail.chain;
    ctx.audit(
        "complaints.dossier",
        Some(request.id),
        json!({ "steps": chain.steps, "whole": chain.whole, "head": chain.head }),
    )?;
    Ok(dossier)
}
