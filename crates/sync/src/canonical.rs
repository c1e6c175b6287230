//! The content of a record as bytes that are equal exactly when the content is: what digests are
//! made of. Clocks are not content.

use aftercare_domain::op::{ChangeKind, FieldValue};
use sha2::{Digest, Sha256};

use crate::entities::{self, Entity};
use crate::record::Record;

/// A hash of the record's content. Fields that say nothing (no value, or what a column holds
/// by itself) do not count, because a desk's table cannot tell them from fields left out. Nor do
/// fields that this program does not know: no table has them. So a program whose entities changed
/// must sum its digests anew.
pub fn content_hash(record: &Record) -> u128 {
    let entity = entities::find(&record.key.entity);
    let said = record
        .values
        .iter()
        .filter(|(name, value)| entity.is_none_or(|entity| counts(entity, name, value)))
        .map(|(name, value)| (name.as_str(), value));
    hash_fields(&record.key.entity, record.key.id.as_bytes(), said)
}

fn counts(entity: &Entity, name: &str, value: &FieldValue) -> bool {
    entity.allows(name, ChangeKind::Command) && !entity.is_silent(name, value)
}

/// A value that is not copied to be counted.
#[derive(Debug, Clone, Copy)]
pub enum Said<'a> {
    /// No value.
    Null,
    /// A whole number.
    Integer(i64),
    /// A measure.
    Real(f64),
    /// A text, UTF-8.
    Text(&'a [u8]),
    /// Bytes.
    Bytes(&'a [u8]),
}

impl<'a> From<&'a FieldValue> for Said<'a> {
    fn from(value: &'a FieldValue) -> Self {
        match value {
            FieldValue::Null => Self::Null,
            FieldValue::Integer(value) => Self::Integer(*value),
            FieldValue::Real(value) => Self::Real(*value),
            FieldValue::Text(text) => Self::Text(text.as_bytes()),
            FieldValue::Bytes(bytes) => Self::Bytes(bytes),
        }
    }
}

/// The same over fields in the order of their names.
pub fn hash_fields<'a, V: Into<Said<'a>>>(
    entity: &str,
    id: &[u8; 16],
    fields: impl Iterator<Item = (&'a str, V)>,
) -> u128 {
    let mut hash = Sha256::new();
    hash.update(entity.as_bytes());
    hash.update([0]);
    hash.update(id);
    for (name, value) in fields {
        hash.update(name.as_bytes());
        hash.update([0]);
        match value.into() {
            Said::Null => hash.update([0]),
            Said::Integer(value) => {
                hash.update([1]);
                hash.update(value.to_be_bytes());
            }
            // A column of reals gives 3 back as 3.0.
            Said::Real(value) if value.fract() == 0.0 && value.abs() < 9e15 => {
                hash.update([1]);
                hash.update((value as i64).to_be_bytes());
            }
            Said::Real(value) => {
                hash.update([2]);
                hash.update(value.to_be_bytes());
            }
            Said::Text(text) => {
                hash.update([3]);
                hash.update((text.len() as u64).to_be_bytes());
                hash.update(text);
            }
            Said::Bytes(bytes) => {
                hash.update([4]);
                hash.update((bytes.len() as u64).to_be_bytes());
                hash.update(bytes);
            }
        }
    }
    let mut first = [0u8; 16];
    first.copy_from_slice(&hash.finalize()[..16]);
    u128::from_be_bytes(first)
}
