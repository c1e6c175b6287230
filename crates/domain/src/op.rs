//! One change as it is recorded, hashed and, later, sent to the server.
//!
//! Fields go by name, never by position; an unknown field survives an older program.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::hlc::Hlc;

/// Version of the op's form.
pub const OP_PROTOCOL: u8 = 1;

/// How changes to an entity are merged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// Last writer wins, field by field.
    Fields,
    /// Append-only; a correction is a new fact.
    Fact,
    /// A request with a guard, judged in the server's order (or by the desk that has no server).
    Command,
}

/// A field's value on the wire.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum FieldValue {
    /// No value.
    Null,
    /// Counts, flags (0/1), money in fen, instants in milliseconds.
    Integer(i64),
    /// Measures.
    Real(f64),
    /// Words, dates, JSON.
    Text(String),
    /// Ids and hashes.
    Bytes(#[serde(with = "bytes")] Vec<u8>),
}

mod bytes {
    //! CBOR byte strings instead of arrays of numbers.
    use serde::{Deserializer, Serializer, de};

    pub fn serialize<S: Serializer>(value: &[u8], to: S) -> Result<S::Ok, S::Error> {
        to.serialize_bytes(value)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = Vec<u8>;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a byte string")
            }
            fn visit_bytes<E>(self, value: &[u8]) -> Result<Vec<u8>, E> {
                Ok(value.to_vec())
            }
        }
        from.deserialize_bytes(Visitor)
    }
}

/// One change of one record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Op {
    /// Version of this form.
    #[serde(rename = "v")]
    pub protocol: u8,
    /// Identity of the change. A record's first op carries the record's own id.
    #[serde(rename = "op")]
    pub op_id: Uuid,
    /// Dense number on the device, from 1.
    #[serde(rename = "n")]
    pub dseq: i64,
    /// The desk that wrote it.
    #[serde(rename = "dev")]
    pub device: Uuid,
    /// The person who wrote it.
    #[serde(rename = "usr")]
    pub user: Uuid,
    /// The writer's clock.
    #[serde(rename = "hlc")]
    pub hlc: Hlc,
    /// How it merges.
    #[serde(rename = "k")]
    pub kind: ChangeKind,
    /// Which entity, by its table's name.
    #[serde(rename = "e")]
    pub entity: String,
    /// Which record.
    #[serde(rename = "id")]
    pub id: Uuid,
    /// The command's name, for commands.
    #[serde(rename = "c", default, skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// The fields it sets, by name.
    #[serde(rename = "f")]
    pub fields: BTreeMap<String, FieldValue>,
    /// For each field that had a value before: the op it overwrites.
    #[serde(rename = "b", default, skip_serializing_if = "BTreeMap::is_empty")]
    pub base: BTreeMap<String, Uuid>,
}

/// SHA-256 over the previous op's hash and this op's bytes, as they are sent.
pub fn chain_hash(previous: &[u8], bytes: &[u8]) -> [u8; 32] {
    Sha256::new().chain_update(previous).chain_update(bytes).finalize().into()
}

impl From<i64> for FieldValue {
    fn from(value: i64) -> Self {
        Self::Integer(value)
    }
}

impl From<bool> for FieldValue {
    fn from(value: bool) -> Self {
        Self::Integer(i64::from(value))
    }
}

impl From<f64> for FieldValue {
    fn from(value: f64) -> Self {
        Self::Real(value)
    }
}

impl From<&str> for FieldValue {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<String> for FieldValue {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl From<Uuid> for FieldValue {
    fn from(value: Uuid) -> Self {
        Self::Bytes(value.as_bytes().to_vec())
    }
}

impl<T: Into<FieldValue>> From<Option<T>> for FieldValue {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}
