//! One record as the fold of its ops: what the server keeps, sends to new desks, and repairs with.

use std::collections::BTreeMap;

use aftercare_domain::op::FieldValue;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::fold::Clock;
use crate::{HOSPITAL, Scope};

/// Which record.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Key {
    /// Its entity, by its table's name.
    #[serde(rename = "e")]
    pub entity: String,
    /// Its id.
    pub id: Uuid,
}

impl Key {
    /// The record `id` of `entity`.
    pub fn new(entity: &str, id: Uuid) -> Self {
        Self { entity: entity.to_owned(), id }
    }
}

/// A record, folded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Which one.
    #[serde(rename = "w")]
    pub key: Key,
    /// The patient it hangs on (a patient: itself); nil when the whole hospital sees it.
    #[serde(rename = "r")]
    pub root: Uuid,
    /// Who sees it.
    #[serde(rename = "s")]
    pub scope: Scope,
    /// The op that made it.
    #[serde(rename = "c")]
    pub created: Clock,
    /// Its fields that have a value.
    #[serde(rename = "f")]
    pub values: BTreeMap<String, FieldValue>,
    /// Who holds each field that was changed after the record was made.
    #[serde(rename = "k")]
    pub clocks: BTreeMap<String, Clock>,
}

impl Record {
    /// A record that `created` makes with these fields.
    pub fn new(
        key: Key,
        root: Uuid,
        scope: Scope,
        created: Clock,
        fields: &BTreeMap<String, FieldValue>,
    ) -> Self {
        let values = fields
            .iter()
            .filter(|(_, value)| **value != FieldValue::Null)
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        Self { key, root, scope, created, values, clocks: BTreeMap::new() }
    }

    /// The value of a field.
    pub fn value(&self, field: &str) -> &FieldValue {
        self.values.get(field).unwrap_or(&FieldValue::Null)
    }

    /// A field that holds a word.
    pub fn text(&self, field: &str) -> Option<&str> {
        match self.value(field) {
            FieldValue::Text(text) => Some(text),
            _ => None,
        }
    }

    /// A field that holds a number.
    pub fn integer(&self, field: &str) -> Option<i64> {
        match self.value(field) {
            FieldValue::Integer(value) => Some(*value),
            _ => None,
        }
    }

    /// A field that holds an id.
    pub fn id(&self, field: &str) -> Option<Uuid> {
        match self.value(field) {
            FieldValue::Bytes(bytes) => Uuid::from_slice(bytes).ok(),
            _ => None,
        }
    }

    /// The op that holds a field: the one that made the record until somebody changed it.
    pub fn holder(&self, field: &str) -> Uuid {
        self.clocks.get(field).map_or(self.created.op, |clock| clock.op)
    }

    /// Writes a field.
    pub fn set(&mut self, field: &str, value: &FieldValue, clock: Clock) {
        if *value == FieldValue::Null {
            self.values.remove(field);
        } else {
            self.values.insert(field.to_owned(), value.clone());
        }
        self.clocks.insert(field.to_owned(), clock);
    }

    /// Whether the whole hospital sees it.
    pub fn is_shared(&self) -> bool {
        self.scope == HOSPITAL
    }
}
