//! What desk and server say to each other: CBOR by field name, packed by [`crate::pack`].
//!
//! A field is never reused and never required after its release; the server answers protocol N−1 for a year.

use std::collections::BTreeMap;

use aftercare_domain::hlc::Hlc;
use aftercare_domain::op::FieldValue;
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;
use uuid::Uuid;

use crate::Scope;
use crate::digest::ScopeDigest;
use crate::record::Record;

/// The protocol of this program.
pub const PROTOCOL: u8 = 1;
/// The oldest protocol this program understands: the one before its own, if there ever was one.
pub const OLDEST_PROTOCOL: u8 = if PROTOCOL > 1 { PROTOCOL - 1 } else { PROTOCOL };
/// Most ops in one request or page.
pub const MAX_OPS: usize = 500;

/// Whether this server serves a desk that speaks `protocol`: its own version and the one before.
///
/// # Errors
/// `Refusal::Upgrade`.
pub fn check_protocol(protocol: u8) -> Result<(), Refusal> {
    if (OLDEST_PROTOCOL..=PROTOCOL).contains(&protocol) {
        return Ok(());
    }
    Err(Refusal::Upgrade { oldest: OLDEST_PROTOCOL, newest: PROTOCOL })
}

/// A desk's word to the server.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// The desk's protocol.
    pub protocol: u8,
    /// The server's epoch as the desk knows it; 0 before the first answer.
    pub epoch: i64,
    /// Which desk.
    pub device: Uuid,
    /// Number of the last op whose verdict the desk has stored.
    pub acknowledged: i64,
    /// Number of the first op in `ops`.
    pub first: i64,
    /// The chain's hash before that op.
    pub chain: ByteBuf,
    /// Ops, dense, as they were recorded.
    pub ops: Vec<ByteBuf>,
    /// How far the desk has each scope.
    pub cursors: BTreeMap<Scope, i64>,
    /// What others wrote and a restored server no longer has.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub offers: Vec<Offer>,
    /// Asks for the digests of its scopes.
    #[serde(default)]
    pub wants_digest: bool,
    /// [`crate::entities::fingerprint`] of the desk's program; 0: it does not say. Digests count the fields that
    /// a program knows: between two that know others they cannot be compared, and none are given.
    #[serde(default)]
    pub entities: u64,
}

/// The server's answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// The server's protocol.
    pub protocol: u8,
    /// The server's epoch.
    pub epoch: i64,
    /// The server's time, milliseconds UTC.
    pub server_millis: i64,
    /// Number of the desk's last op that the server has.
    pub last_dseq: i64,
    /// Verdicts on all the ops after `acknowledged` that the server has, in their order: a page may
    /// hold what the desk takes for its own unsent change, so no page comes without them.
    pub verdicts: Vec<Verdict>,
    /// News, a page per scope.
    pub pages: Vec<Page>,
    /// What became of the request's offers, in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub offered: Vec<Outcome>,
    /// The server's last sequence.
    pub head: i64,
    /// What of it a verified backup off the server's host covers.
    pub durable_seq: i64,
    /// The digests of the desk's scopes at `head`, when asked for.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub digests: BTreeMap<Scope, ScopeDigest>,
}

/// Why the server does not answer as asked, with what the desk needs to go on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "refusal", rename_all = "snake_case")]
pub enum Refusal {
    /// 409: the ops do not follow what the server has of this desk. Either an answer was lost (the
    /// desk's chain has this hash at this number) or the desk is a copy or was set back.
    #[error("the server is at number {last_dseq} of this desk")]
    Position {
        /// The last number the server has.
        last_dseq: i64,
        /// The chain's hash there.
        chain: ByteBuf,
    },
    /// 410: the server was restored.
    #[error("the server is in epoch {epoch}")]
    Epoch {
        /// The epoch that holds now.
        epoch: i64,
        /// What it was restored to.
        head: i64,
        /// The epochs that led to this one, oldest first: what the two have in common.
        #[serde(default)]
        lineage: Vec<EpochStart>,
        /// The last number it has of this desk.
        last_dseq: i64,
        /// The chain's hash there.
        chain: ByteBuf,
    },
    /// 426: one of the two is too old.
    #[error("the server speaks protocol {oldest} to {newest}")]
    Upgrade {
        /// The oldest protocol the server serves.
        oldest: u8,
        /// The newest.
        newest: u8,
    },
}

/// An epoch: the server was restored (or made) and counted on from here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct EpochStart {
    /// Its number: unique for ever, also among epochs that a later restore forgot.
    pub epoch: i64,
    /// The last sequence before it.
    pub head: i64,
}

/// What became of one of the desk's ops.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// Its number on the desk.
    pub dseq: i64,
    /// Its number on the server.
    pub seq: i64,
    /// Its effective time.
    pub effective: Hlc,
    /// Yes or no.
    pub outcome: Outcome,
    /// What the record is, where the op did not come out as its desk took it to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repair: Option<Repair>,
    /// Of an op that is accepted or stored: the server's seal on its bytes and effective time. With it the desk
    /// offers its op to a restored server, even when it has not seen it in the feed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seal: Option<ByteBuf>,
}

/// What the desk puts in place of what it had assumed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Repair {
    /// The record is so.
    Record(Box<Record>),
    /// There is no such record.
    Absent,
}

/// Yes or no, and why not: codes, never words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It counts.
    Accepted,
    /// It counts already: it came before under another number.
    Duplicate,
    /// A newer program's op: kept and passed on, not understood here.
    Stored,
    /// A command whose guard said no.
    Refused(String),
    /// Not a valid op.
    Rejected(String),
    /// Valid, but its author may not (any more): kept apart until an administrator decides.
    Quarantined(String),
}

/// Why an op does not count, as codes.
pub mod reason {
    /// The bytes are no op.
    pub const UNREADABLE: &str = "unreadable";
    /// The op names another desk or number than it came from, or is of a newer form.
    pub const NOT_ITS_OWN: &str = "not_its_own";
    /// A fact that changes, or a change of another kind than its entity's.
    pub const KIND: &str = "kind";
    /// A commanded field set without its judge.
    pub const UNJUDGED: &str = "unjudged";
    /// The record is not there (yet).
    pub const MISSING: &str = "missing";
    /// What the record hangs on is not there (yet).
    pub const PARENT_MISSING: &str = "parent_missing";
    /// There is another record of this id.
    pub const EXISTS: &str = "exists";
    /// The patient was erased.
    pub const ERASED: &str = "erased";
    /// Its author may not (any more).
    pub const AUTHOR: &str = "author";
    /// Its desk does not see the record (any more).
    pub const SCOPE: &str = "scope";
}

impl Outcome {
    /// Whether the op is part of the state.
    pub fn counts(&self) -> bool {
        matches!(self, Self::Accepted | Self::Duplicate | Self::Stored)
    }
}

/// News of one scope.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Page {
    /// Which scope.
    pub scope: Scope,
    /// Everything after this sequence …
    pub after: i64,
    /// … up to this one.
    pub up_to: i64,
    /// What happened, in order.
    pub entries: Vec<Entry>,
    /// Whether there is more behind `up_to`.
    pub more: bool,
}

/// One event of a scope.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// The server's number.
    pub seq: i64,
    /// What happened.
    pub event: Event,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// Somebody wrote.
    Op(FedOp),
    /// A patient moved into the scope, with everything that hangs on them.
    Arrive {
        /// The patient.
        root: Uuid,
        /// The patient's records as they are when the page is made; none when the patient has
        /// left the scope again.
        records: Vec<Record>,
        /// The ops behind these records that no verified backup covers yet: the desk keeps them as if it
        /// had received each, for a server that is restored.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        ops: Vec<Undurable>,
    },
    /// A patient moved out of the scope.
    Evict {
        /// The patient.
        root: Uuid,
        /// Where the patient is when the page is made.
        to: Scope,
    },
    /// A patient was erased everywhere, by two persons.
    Erase {
        /// The patient.
        root: Uuid,
        /// The records that went with the patient: a desk that no longer has them may still have its own ops
        /// about them.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        records: Vec<Uuid>,
    },
}

/// An op behind a record that arrives.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Undurable {
    /// The server's number.
    pub seq: i64,
    /// The op.
    pub fed: FedOp,
}

/// An op in the feed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FedOp {
    /// As its desk recorded it.
    pub bytes: ByteBuf,
    /// Its effective time.
    pub effective: Hlc,
    /// Fields that the server's judge left as they were.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub without: Vec<String>,
    /// Values that the server's judge put in place of the op's.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub amended: BTreeMap<String, FieldValue>,
    /// The server did not understand it either (`Outcome::Stored`): nobody applies it before the
    /// server does, and then it is fed again.
    #[serde(default)]
    pub stored: bool,
    /// The server's seal on bytes and effective time, which makes an offer believable.
    #[serde(default)]
    pub seal: ByteBuf,
}

/// An op that a desk received and a restored server lost.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Offer {
    /// As its desk recorded it.
    pub bytes: ByteBuf,
    /// Its effective time.
    pub effective: Hlc,
    /// The server's seal on both.
    pub seal: ByteBuf,
}
