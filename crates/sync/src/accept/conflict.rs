//! What people are asked: two desks changed one field without knowing of each other.

use std::collections::BTreeMap;

use aftercare_domain::op::{ChangeKind, FieldValue, OP_PROTOCOL, Op, chain_hash};
use uuid::Uuid;

use crate::entities;
use crate::fold::Clock;
use crate::record::Record;

/// The record of a conflict. Its id follows from op and field, so that the same op raises it once.
pub(super) fn conflict(
    record: &Record,
    op: &Op,
    field: &str,
    kept: &FieldValue,
    lost: &FieldValue,
    new_wins: bool,
    clock: Clock,
) -> Op {
    let holder = record.clocks.get(field).unwrap_or(&record.created);
    let (kept_at, lost_at) =
        if new_wins { (clock.effective, holder.effective) } else { (holder.effective, clock.effective) };
    let (kept_op, lost_op) = if new_wins { (op.op_id, holder.op) } else { (holder.op, op.op_id) };
    let id = conflict_id(op.op_id, field);
    let fields: BTreeMap<String, FieldValue> = [
        ("patient_id", record.root.into()),
        ("entity", record.key.entity.as_str().into()),
        ("record_id", record.key.id.into()),
        ("field", field.into()),
        ("kept", kept.clone()),
        ("kept_by", kept_op.into()),
        ("kept_at", kept_at.millis().into()),
        ("lost", lost.clone()),
        ("lost_by", lost_op.into()),
        ("lost_at", lost_at.millis().into()),
        ("found_at", clock.effective.millis().into()),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
    .collect();
    Op {
        protocol: OP_PROTOCOL,
        op_id: id,
        dseq: 0,
        device: Uuid::nil(),
        user: Uuid::nil(),
        hlc: clock.effective,
        kind: ChangeKind::Fields,
        entity: entities::CONFLICT.table.to_owned(),
        id,
        command: None,
        fields,
        base: BTreeMap::new(),
    }
}

/// The id of the conflict that `op` raises over `field`.
pub(super) fn conflict_id(op: Uuid, field: &str) -> Uuid {
    let hash = chain_hash(op.as_bytes(), field.as_bytes());
    let mut bytes = [0u8; 16];
    bytes.copy_from_slice(&hash[..16]);
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}
