//! What a changed record of a colleague means for this PC.

use std::collections::BTreeSet;

use uuid::Uuid;

use crate::app::Ctx;
use crate::error::Result;
use crate::session::remove_user_slot;
use crate::staff;

/// Who was made inactive elsewhere loses the key slot on this PC; if they sit here, the desk locks.
pub(super) fn after_changes(ctx: &Ctx, people: &BTreeSet<Uuid>) -> Result<()> {
    let members = ctx.read(staff::all)?;
    for member in members.iter().filter(|member| people.contains(&member.id) && !member.active) {
        remove_user_slot(&ctx.app.home, member.id)?;
        if member.id == ctx.user_id() {
            ctx.app.close_session("session.revoked");
        }
    }
    Ok(())
}
