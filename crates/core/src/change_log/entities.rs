//! What the change log adds to the list of synced entities that desk and server share.

use aftercare_domain::op::ChangeKind;
use aftercare_sync::entities::{Entity, find};

use crate::error::{Error, Result};

/// Whether `table` is written by the change log alone.
pub fn is_synced(table: &str) -> bool {
    find(table).is_some()
}

/// Refuses a field that `entity` does not have for the kind of change.
pub(super) fn check(entity: &Entity, field: &str, kind: ChangeKind) -> Result<()> {
    if entity.allows(field, kind) {
        Ok(())
    } else {
        Err(Error::internal(format!("{}.{field} is not set this way", entity.table)))
    }
}
