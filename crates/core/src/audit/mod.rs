//! The audit trail: append-only, hash-chained, pseudonymous ids only.

pub mod commands;
mod store;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use uuid::Uuid;

pub use store::{append, verify};

/// One line of the trail.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
#[ts(rename = "AuditEntry")]
pub struct Entry {
    /// Dense number from 1.
    #[ts(type = "number")]
    pub seq: i64,
    /// When, milliseconds UTC.
    #[ts(type = "number")]
    pub at: i64,
    /// Who, by display name (staff, not patients).
    pub user: String,
    /// What: `feature.act`.
    pub action: String,
    /// On which record.
    pub subject_id: Option<Uuid>,
    /// Numbers and codes that belong to it.
    #[ts(type = "Record<string, unknown>")]
    pub detail: serde_json::Value,
}

/// Asks for the check of the whole chain.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "AuditVerifyRequest")]
pub struct VerifyRequest {}

/// A chain found whole; a broken one is the error `audit_broken` with its `seq`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(rename = "AuditVerifyResponse")]
pub struct VerifyResponse {
    /// Lines of the audit trail.
    #[ts(type = "number")]
    pub entries: i64,
    /// Records of the change log.
    #[ts(type = "number")]
    pub changes: i64,
    /// Hash of the newest line, hexadecimal: note it elsewhere to prove later that nothing was cut off.
    pub head: String,
}

/// Asks for a page of the trail, newest first.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "AuditListRequest")]
pub struct ListRequest {
    /// Only lines before this number.
    #[ts(type = "number | null")]
    pub before: Option<i64>,
    /// Only actions that start with this.
    pub action: Option<String>,
    /// How many, at most 200.
    pub limit: u32,
}

/// A page of the trail.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
#[ts(rename = "AuditListResponse")]
pub struct ListResponse {
    /// Newest first.
    pub entries: Vec<Entry>,
}
