//! Writes an op's bytes without building the owned form: an import writes millions.

use aftercare_domain::hlc::Hlc;
use aftercare_domain::op::{ChangeKind, FieldValue};
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use uuid::Uuid;

use super::Change;
use crate::error::{Error, Result};

/// The same fields, names and order as `aftercare_domain::op::Op`; a test holds the two together.
#[derive(Serialize)]
pub(super) struct OpRef<'a> {
    #[serde(rename = "v")]
    pub protocol: u8,
    #[serde(rename = "op")]
    pub op_id: Uuid,
    #[serde(rename = "n")]
    pub dseq: i64,
    #[serde(rename = "dev")]
    pub device: Uuid,
    #[serde(rename = "usr")]
    pub user: Uuid,
    #[serde(rename = "hlc")]
    pub hlc: Hlc,
    #[serde(rename = "k")]
    pub kind: ChangeKind,
    #[serde(rename = "e")]
    pub entity: &'a str,
    pub id: Uuid,
    #[serde(rename = "c", skip_serializing_if = "Option::is_none")]
    pub command: Option<&'a str>,
    #[serde(rename = "f")]
    pub fields: Fields<'a>,
    #[serde(rename = "b", serialize_with = "base_by_name", skip_serializing_if = "<[_]>::is_empty")]
    pub base: &'a [(&'static str, Uuid)],
}

/// Fields as a map by name. A new record's nulls say nothing and are left out.
pub(super) struct Fields<'a> {
    pub changes: &'a [Change],
    pub with_nulls: bool,
}

impl Serialize for Fields<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let said = |change: &&Change| self.with_nulls || change.1 != FieldValue::Null;
        let mut map = to.serialize_map(Some(self.changes.iter().filter(said).count()))?;
        for (name, value) in self.changes.iter().filter(said) {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

fn base_by_name<S: Serializer>(base: &[(&'static str, Uuid)], to: S) -> Result<S::Ok, S::Error> {
    to.collect_map(base.iter().map(|(name, op)| (name, op)))
}

/// Appends the op's CBOR to `buffer`.
pub(super) fn write_op(buffer: &mut Vec<u8>, op: &OpRef<'_>) -> Result<()> {
    debug_assert!(!matches!(op.kind, ChangeKind::Command) || op.command.is_some());
    ciborium::into_writer(op, buffer).map_err(Error::internal)
}
