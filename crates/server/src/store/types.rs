//! What goes in and out of the store.

use std::collections::BTreeSet;

use aftercare_domain::hlc::Hlc;
use aftercare_domain::op::ChangeKind;
use aftercare_sync::Scope;
use aftercare_sync::door::SnapshotPage;
use aftercare_sync::record::{Key, Record};
use uuid::Uuid;

use super::value::mistake;

/// A one-time code is good for ten minutes.
pub const CODE_MILLIS: i64 = 10 * 60 * 1000;
/// How often a code's secret may be tried.
pub const CODE_ATTEMPTS: i64 = 5;
/// After so many wrong passwords a user is locked …
pub const LOGIN_ATTEMPTS: i64 = 5;
/// … for a quarter of an hour.
pub const LOCK_MILLIS: i64 = 15 * 60 * 1000;
/// A first password that a desk set counts after a day for what needs two persons: until then a lost desk is
/// reported, and its passwords go with it.
pub const TRUST_MILLIS: i64 = 24 * 3600 * 1000;
/// An erasure is confirmed within seven days or asked for anew.
pub const ERASURE_MILLIS: i64 = 7 * 24 * 3600 * 1000;

/// A result of the store.
pub type Result<T> = std::result::Result<T, StoreError>;

/// What can go wrong. Nothing here carries a patient's data: of the database's errors only their
/// code is kept, because their texts quote values.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// There is no such thing in this hospital.
    #[error("not found")]
    NotFound,
    /// There is one already.
    #[error("exists already")]
    Exists,
    /// The enrolment code is unknown, used, expired, wrong, or was tried too often.
    #[error("the code is not valid")]
    CodeInvalid,
    /// The code does not allow to bring what was written before.
    #[error("the code does not allow history")]
    CodeWithoutHistory,
    /// The hospital is shut off.
    #[error("the hospital is closed")]
    Closed,
    /// The attachment's bytes do not follow.
    #[error("the bytes do not follow the {have} that are there")]
    Position {
        /// How many bytes there are.
        have: i64,
    },
    /// A part or an attachment is larger than it may be.
    #[error("too large")]
    TooLarge,
    /// The code does not allow one of the sites.
    #[error("the code does not allow this site")]
    SiteNotAllowed,
    /// The device was revoked, and is to be wiped if it says so.
    #[error("the device is revoked (wipe: {wipe})")]
    Revoked {
        /// Whether the desk is to delete its data.
        wipe: bool,
    },
    /// The device does not see this, or the person may not do it.
    #[error("not allowed")]
    NotAllowed,
    /// The hospital has used up what it may.
    #[error("the quota of {what} is used up")]
    Quota {
        /// `devices` or `bytes`.
        what: &'static str,
    },
    /// Bytes are not what their hash says.
    #[error("the bytes are not what they should be")]
    Damaged,
    /// The database is of a newer program.
    #[error("the database is of a newer program")]
    Newer,
    /// The schema is of an older program: its owner has to bring it up to date.
    #[error("the schema is of an older program")]
    Older,
    /// The service would run with more rights than it may have; what is wrong, by a word.
    #[error("the database role has too many rights: {0}")]
    Privileged(&'static str),
    /// The database is on another host and the address names no authority (`sslrootcert=FILE`).
    #[error("the way to the database is not protected")]
    Insecure,
    /// The disk is full.
    #[error("the disk is full")]
    DiskFull,
    /// Others held the data too long; ask again.
    #[error("busy")]
    Busy,
    /// The database cannot be reached, or went away: what was asked may have happened.
    #[error("the database is not available ({0})")]
    Unavailable(String),
    /// Anything else: SQLSTATE or SQLite's code.
    #[error("database error {0}")]
    Database(String),
}

/// A hospital to be made.
#[derive(Debug, Clone)]
pub struct NewTenant {
    /// Its id; never [`super::SERVER`].
    pub id: Uuid,
    /// A short unique word that people type to sign in.
    pub word: String,
    /// Its name.
    pub name: String,
    /// What it may use.
    pub quota: Quota,
    /// Random: seals what the server has accepted.
    pub seal_key: [u8; 32],
    /// When, milliseconds UTC.
    pub made_at: i64,
}

/// A hospital.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tenant {
    /// Its id.
    pub id: Uuid,
    /// What people type to sign in.
    pub word: String,
    /// Its name.
    pub name: String,
    /// What it may use.
    pub quota: Quota,
    /// Whether it is shut off.
    pub closed: bool,
    /// When it was made, milliseconds UTC.
    pub made_at: i64,
}

/// What a hospital may use. Nothing: as much as there is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Quota {
    /// Active devices.
    pub devices: Option<i64>,
    /// Bytes of ops and attachments together.
    pub bytes: Option<i64>,
}

/// What a hospital uses.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Active devices.
    pub devices: i64,
    /// Bytes of ops and attachments together, as they came.
    pub bytes: i64,
    /// Records.
    pub records: i64,
}

/// Where a hospital's feed is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// Its epoch.
    pub epoch: i64,
    /// The last sequence.
    pub head: i64,
    /// What a verified backup off the host covers.
    pub durable_seq: i64,
}

/// A one-time code to be kept.
#[derive(Debug, Clone)]
pub struct NewCode {
    /// Its number: unique among the codes that wait.
    pub number: String,
    /// SHA-256 of its secret.
    pub secret_hash: [u8; 32],
    /// The administrator who made it.
    pub made_by: Uuid,
    /// When, milliseconds UTC; good for [`CODE_MILLIS`].
    pub made_at: i64,
    /// The sites it allows; empty: those that the desk names (the first desk brings its sites along).
    /// With history the desk keeps its own besides.
    pub sites: BTreeSet<Scope>,
    /// Whether the desk may bring what it wrote before: taken as it stands.
    pub history: bool,
}

/// A code as a desk brings it.
#[derive(Clone)]
pub struct CodeUse {
    /// Its number.
    pub number: String,
    /// SHA-256 of its secret.
    pub secret_hash: [u8; 32],
}

/// A device to be made.
#[derive(Debug, Clone)]
pub struct NewDevice {
    /// Its id.
    pub id: Uuid,
    /// What people call it.
    pub name: String,
    /// Its public key.
    pub public_key: Vec<u8>,
    /// The sites it asks for; empty: those of the code.
    pub sites: BTreeSet<Scope>,
    /// The number of its last op so far, which the code must allow; 0: it brings nothing.
    pub history_to: i64,
}

/// A device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// Its id.
    pub id: Uuid,
    /// What people call it.
    pub name: String,
    /// Its public key.
    pub public_key: Vec<u8>,
    /// What it may see beside the hospital's own scope.
    pub sites: BTreeSet<Scope>,
    /// Ops up to this number are taken as they stand.
    pub history_to: i64,
    /// Whether it may come.
    pub status: DeviceStatus,
    /// The number of its last op.
    pub last_dseq: i64,
    /// The chain's hash there.
    pub chain: Vec<u8>,
    /// When it was enrolled, milliseconds UTC.
    pub enrolled_at: i64,
    /// When it was last heard of, milliseconds UTC.
    pub last_contact_at: Option<i64>,
    /// How many changes it kept back when it last sent some.
    pub unsent: i64,
}

/// What a desk's request is let in by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admission {
    /// The device.
    pub device: Device,
    /// Whether its hospital is shut off.
    pub closed: bool,
}

/// Whether a device may come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeviceStatus {
    /// It may.
    Active,
    /// It may not.
    Revoked,
    /// It may not, and is told to delete its data.
    Wipe,
}

impl DeviceStatus {
    /// The stored word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Revoked => "revoked",
            Self::Wipe => "wipe",
        }
    }

    /// Reads the stored word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Active, Self::Revoked, Self::Wipe].into_iter().find(|status| status.as_str() == word)
    }
}

/// Somebody who signs in at the server.
#[derive(Clone, PartialEq, Eq)]
pub struct ServerUser {
    /// Id: for a hospital's user that of the staff record.
    pub id: Uuid,
    /// What they type.
    pub login: String,
    /// Their name.
    pub name: String,
    /// Argon2id, as a PHC string.
    pub password_hash: String,
    /// Words of `aftercare_domain::access::Role`.
    pub roles: Vec<String>,
    /// Sites for which a desk's key is released to them; empty: all.
    pub sites: BTreeSet<Scope>,
    /// Whether they may sign in.
    pub active: bool,
    /// Until when they are locked, milliseconds UTC. [`super::Store::put_user`] unlocks.
    pub locked_until: Option<i64>,
    /// When this was last changed, milliseconds UTC.
    pub changed_at: i64,
    /// From when their password counts for what needs two persons, milliseconds UTC.
    pub trusted_from: i64,
    /// The desk that set their first password; nothing when an administrator did.
    pub set_by: Option<Uuid>,
}

/// A site's name, as an administrator gives it at the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SiteName {
    /// The site.
    pub id: Uuid,
    /// The change's own id; the site's where it makes one.
    pub op: Uuid,
    /// Its name from now on.
    pub name: String,
}

/// An op as a hospital takes it along.
#[derive(Debug, Clone, PartialEq)]
pub struct KeptOp {
    /// Its number here.
    pub seq: i64,
    /// The desk that wrote it; nil: the server.
    pub device: Uuid,
    /// Its number there; nothing when it came by another desk.
    pub dseq: Option<i64>,
    /// What it says; nothing when its patient was erased, or it is no op.
    pub op: Option<aftercare_domain::op::Op>,
    /// Its effective time.
    pub effective: Hlc,
    /// What became of it …
    pub outcome: String,
    /// … and why.
    pub why: String,
}

/// A complete attachment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeptBlob {
    /// Which.
    pub id: BlobId,
    /// Its bytes.
    pub size: i64,
}

/// A try at a password or a code, from an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// What is tried.
    pub kind: &'static str,
    /// From where.
    pub address: String,
    /// Most tries at once.
    pub most: i64,
    /// Milliseconds until there is one try more.
    pub each: i64,
}

impl std::fmt::Debug for ServerUser {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ServerUser")
            .field("id", &self.id)
            .field("active", &self.active)
            .finish_non_exhaustive()
    }
}

/// How much an answer may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Entries of a scope's page.
    pub entries: usize,
    /// Bytes of all pages and repairs, before packing. One entry goes in any case.
    pub bytes: usize,
}

impl Default for Limits {
    /// A full page, well below what a message may unpack to.
    fn default() -> Self {
        Self { entries: aftercare_sync::wire::MAX_OPS, bytes: 2 << 20 }
    }
}

/// Which attachment: the same file of two patients is two, so that erasing one leaves the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct BlobId {
    /// The patient it belongs to; nil: the hospital.
    pub root: Uuid,
    /// SHA-256 of its bytes.
    pub sha256: [u8; 32],
}

/// A part of an attachment.
#[derive(Clone)]
pub struct BlobPart {
    /// Which attachment.
    pub id: BlobId,
    /// Bytes of the whole.
    pub size: i64,
    /// Where the part begins.
    pub offset: i64,
    /// The part.
    pub bytes: Vec<u8>,
    /// When it came, milliseconds UTC.
    pub at: i64,
}

/// A line for the audit trail: pseudonymous ids, codes and counts only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditLine {
    /// When, milliseconds UTC.
    pub at: i64,
    /// Who; nil: the server itself.
    pub actor: Uuid,
    /// What was done, by a code.
    pub act: String,
    /// To what: a device, user, patient; nil when to nothing.
    pub object: Uuid,
    /// More, as JSON.
    pub details: String,
}

/// A line of the trail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// Its dense number, from 1.
    pub number: i64,
    /// What it says.
    pub line: AuditLine,
    /// SHA-256 over the line before and this one: see `audit`.
    pub hash: Vec<u8>,
}

/// An erasure that waits for a second person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Erasure {
    /// The patient.
    pub patient: Uuid,
    /// Who asked.
    pub asked_by: Uuid,
    /// When, milliseconds UTC.
    pub asked_at: i64,
}

/// An erasure that two persons have decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Confirmed {
    /// Of whom, and who asked.
    pub asked: Erasure,
    /// Who confirmed.
    pub confirmed_by: Uuid,
    /// When, milliseconds UTC.
    pub confirmed_at: i64,
}

/// What an erasure took away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Erased {
    /// Ops without their bytes.
    pub ops: i64,
    /// Records.
    pub records: i64,
    /// Attachments.
    pub blobs: i64,
}

/// An op that waits for an administrator.
#[derive(Debug, Clone, PartialEq)]
pub struct Quarantined {
    /// The server's number.
    pub seq: i64,
    /// The desk that wrote it.
    pub device: Uuid,
    /// The desk's number.
    pub dseq: i64,
    /// Its author.
    pub user: Uuid,
    /// How it merges.
    pub kind: ChangeKind,
    /// Its entity.
    pub entity: String,
    /// Its record.
    pub record: Uuid,
    /// The names of the fields it sets.
    pub fields: Vec<String>,
    /// Its time.
    pub effective: Hlc,
    /// Why: `author` or `scope`.
    pub why: String,
}

/// A page of a first sync.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// The epoch.
    pub epoch: i64,
    /// The last sequence when the page was made.
    pub seq: i64,
    /// How many records the scope has.
    pub total: i64,
    /// Records as they are kept and sent, CBOR.
    pub states: Vec<Vec<u8>>,
    /// After which record the next page begins; nothing after the last page.
    pub next: Option<Key>,
}

impl Snapshot {
    /// The records, read.
    ///
    /// # Errors
    /// When a stored record cannot be read.
    pub fn records(&self) -> Result<Vec<Record>> {
        self.states.iter().map(|state| read_state(state)).collect()
    }

    /// The page as it is sent, before it is packed.
    ///
    /// # Errors
    /// None that can happen.
    pub fn message(&self) -> Result<Vec<u8>> {
        SnapshotPage::of_states((self.epoch, self.seq, self.total), &self.states, self.next.as_ref())
            .map_err(|_| mistake())
    }
}

/// A record as it is kept.
pub(super) fn read_state(state: &[u8]) -> Result<Record> {
    ciborium::from_reader(state).map_err(|_| mistake())
}
