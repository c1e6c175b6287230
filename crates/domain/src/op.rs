//! One change as it is recorded, hashed and, later, sent to the server.
//!
//! Fields go by name, never by position; an unknown field survives an older program.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
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
#[derive(Debug, Clone, PartialEq, Serialize)]
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
    Bytes(#[serde(serialize_with = "serialize_bytes")] Vec<u8>),
}

/// CBOR byte strings instead of arrays of numbers.
fn serialize_bytes<S: Serializer>(value: &[u8], to: S) -> Result<S::Ok, S::Error> {
    to.serialize_bytes(value)
}

/// By the wire's own types. Serde's untagged enums would take bytes for words wherever they happen
/// to be UTF-8, as the nil id is.
impl<'de> Deserialize<'de> for FieldValue {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> de::Visitor<'de> for ValueVisitor {
    type Value = FieldValue;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("nothing, a number, a text or a byte string")
    }

    fn visit_unit<E>(self) -> Result<FieldValue, E> {
        Ok(FieldValue::Null)
    }

    fn visit_none<E>(self) -> Result<FieldValue, E> {
        Ok(FieldValue::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, from: D) -> Result<FieldValue, D::Error> {
        from.deserialize_any(self)
    }

    fn visit_i64<E>(self, value: i64) -> Result<FieldValue, E> {
        Ok(FieldValue::Integer(value))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<FieldValue, E> {
        i64::try_from(value).map(FieldValue::Integer).map_err(|_| E::custom("the number is too large"))
    }

    fn visit_f64<E>(self, value: f64) -> Result<FieldValue, E> {
        Ok(FieldValue::Real(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<FieldValue, E> {
        Ok(FieldValue::Text(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<FieldValue, E> {
        Ok(FieldValue::Text(value))
    }

    fn visit_bytes<E>(self, value: &[u8]) -> Result<FieldValue, E> {
        Ok(FieldValue::Bytes(value.to_vec()))
    }

    fn visit_byte_buf<E>(self, value: Vec<u8>) -> Result<FieldValue, E> {
        Ok(FieldValue::Bytes(value))
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn bytes_that_happen_to_be_words_stay_bytes() {
        for value in [
            FieldValue::from(Uuid::nil()),
            FieldValue::from(Uuid::from_u128(0x6162_6364_6162_6364_6162_6364_6162_6364)),
            FieldValue::Bytes(Vec::new()),
            FieldValue::Text("abcd".to_owned()),
            FieldValue::Integer(-3),
            FieldValue::Real(3.0),
            FieldValue::Null,
        ] {
            let mut bytes = Vec::new();
            ciborium::into_writer(&value, &mut bytes).unwrap();
            assert_eq!(ciborium::from_reader::<FieldValue, _>(bytes.as_slice()).unwrap(), value);
        }
    }
}
