//! What the server keeps, behind one narrow trait: SQLite with a file per hospital, or PostgreSQL
//! with row-level security. What is decided stands in `aftercare_sync`; here it is loaded, written
//! and read again, in one transaction each time.
//!
//! Every call names the tenant (one hospital). Time, ids and random bytes are the caller's.

mod types;

use std::collections::BTreeSet;

use aftercare_sync::Scope;
use aftercare_sync::record::Record;
use aftercare_sync::wire::{Answer, Refusal, Request};
use async_trait::async_trait;
use uuid::Uuid;

pub use types::*;

/// The server's own tenant: users who administer the server itself are known to it, and its audit
/// trail holds what was done across hospitals. It has no devices and no records.
pub const SERVER: Uuid = Uuid::nil();

/// What the server keeps.
///
/// Each call is one transaction (where it says so, several, each complete in itself): it has
/// happened, durably, when it returns `Ok`, and not at all when it returns an error other than
/// [`StoreError::Unavailable`], after which it may have happened. Every call may be repeated.
#[async_trait]
pub trait Store: Send + Sync {
    // ---- hospitals

    /// Makes a hospital. `Exists` when its id or word is taken.
    async fn make_tenant(&self, new: NewTenant) -> Result<()>;
    /// Every hospital, by word.
    async fn tenants(&self) -> Result<Vec<Tenant>>;
    /// One hospital. `NotFound` for [`SERVER`] too.
    async fn tenant(&self, tenant: Uuid) -> Result<Tenant>;
    /// Changes what a hospital may use. Takes effect with the next push and enrolment.
    async fn set_quota(&self, tenant: Uuid, quota: Quota) -> Result<()>;
    /// What a hospital uses now.
    async fn usage(&self, tenant: Uuid) -> Result<Usage>;
    /// Deletes a hospital with everything of it, for ever.
    async fn delete_tenant(&self, tenant: Uuid) -> Result<()>;
    /// A hospital's records for its own use elsewhere, in order of [`RecordKey`], at most `limit`
    /// after `after`. An empty answer is the end.
    async fn export(&self, tenant: Uuid, after: Option<RecordKey>, limit: usize) -> Result<Vec<Record>>;

    // ---- epoch and durability

    /// Where the hospital's feed is.
    async fn position(&self, tenant: Uuid) -> Result<Position>;
    /// Notes that everything up to `seq` is covered by a verified backup off this host. Never goes
    /// back, never beyond head.
    async fn set_durable_seq(&self, tenant: Uuid, seq: i64) -> Result<()>;
    /// Begins a new epoch after a restore: what desks have beyond head is offered again. Answers the
    /// new epoch, which is later than `than` (0: later than the database's own is enough). A restored
    /// copy does not know what epochs there were after it was taken, so callers pass the time
    /// in seconds.
    async fn begin_epoch(&self, tenant: Uuid, than: i64) -> Result<i64>;

    // ---- enrolment

    /// Keeps a one-time code, by its hash.
    async fn make_code(&self, tenant: Uuid, code: NewCode) -> Result<()>;
    /// To which hospital a code leads, if it is unused and not expired: the desk knows no more than the code.
    async fn tenant_of_code(&self, code_hash: [u8; 32], now: i64) -> Result<Option<Uuid>>;
    /// Uses a code and makes the device, both or neither. `CodeInvalid` when the code is unknown, used
    /// or expired (which of them is nobody's business), `SiteNotAllowed`, `Quota`, `Exists`.
    async fn enrol(&self, tenant: Uuid, code_hash: [u8; 32], device: NewDevice, now: i64) -> Result<Device>;

    // ---- devices

    /// Every device, by name.
    async fn devices(&self, tenant: Uuid) -> Result<Vec<Device>>;
    /// One device.
    async fn device(&self, tenant: Uuid, device: Uuid) -> Result<Device>;
    /// Changes what a device may see. Its first sync of a new site is a snapshot.
    async fn set_sites(&self, tenant: Uuid, device: Uuid, sites: BTreeSet<Scope>) -> Result<()>;
    /// Revokes a device, has it wiped, or lets it in again. A device that was wiped stays out:
    /// `NotAllowed`.
    async fn set_device_status(&self, tenant: Uuid, device: Uuid, status: DeviceStatus) -> Result<()>;
    /// Notes that the device was heard of at `now` (milliseconds UTC).
    async fn note_contact(&self, tenant: Uuid, device: Uuid, now: i64) -> Result<()>;

    // ---- people who sign in at the server

    /// Makes or replaces a user (by id). `Exists` when another user has the login.
    async fn put_user(&self, tenant: Uuid, user: ServerUser) -> Result<()>;
    /// The user of this login.
    async fn user_by_login(&self, tenant: Uuid, login: &str) -> Result<ServerUser>;
    /// Every user, by login.
    async fn users(&self, tenant: Uuid) -> Result<Vec<ServerUser>>;

    // ---- keys

    /// Keeps the key of a device's database, sealed by the caller.
    async fn put_desk_key(&self, tenant: Uuid, device: Uuid, sealed: Vec<u8>) -> Result<()>;
    /// The sealed key of a device's database.
    async fn desk_key(&self, tenant: Uuid, device: Uuid) -> Result<Vec<u8>>;

    // ---- sync

    /// Takes a desk's word in and answers it. `request.device` must be who the caller has authenticated.
    async fn sync(&self, tenant: Uuid, request: Request, now: i64, limits: Limits) -> Result<Answered>;
    /// A page of a resumable first sync: records of a scope that the device sees, in order of
    /// [`RecordKey`], at most `limit` after `after`. A desk takes `position` before the first page as its
    /// cursor: what changes meanwhile comes in the feed. A record may come before the one it hangs on.
    async fn snapshot(
        &self,
        tenant: Uuid,
        device: Uuid,
        scope: Scope,
        after: Option<RecordKey>,
        limit: usize,
    ) -> Result<Vec<Record>>;
    /// How many records a scope has: what a progress bar needs.
    async fn count_records(&self, tenant: Uuid, device: Uuid, scope: Scope) -> Result<i64>;
    /// Records of some buckets of a scope, in order of [`RecordKey`], to settle a difference of digests.
    async fn bucket_records(
        &self,
        tenant: Uuid,
        device: Uuid,
        scope: Scope,
        buckets: &[usize],
        after: Option<RecordKey>,
        limit: usize,
    ) -> Result<Vec<Record>>;

    // ---- attachments

    /// Begins or continues an attachment; answers how many bytes the server has. `NotAllowed` when
    /// the device does not see the patient, `Quota`.
    async fn begin_blob(&self, tenant: Uuid, device: Uuid, blob: NewBlob) -> Result<i64>;
    /// Adds bytes at `offset`, which must be what the server has; answers what it has then. With the last
    /// bytes the SHA-256 is checked: `Damaged` when it is another, and the attachment starts again.
    async fn put_blob_part(
        &self,
        tenant: Uuid,
        device: Uuid,
        id: BlobId,
        offset: i64,
        bytes: Vec<u8>,
    ) -> Result<i64>;
    /// The stored part of a complete attachment that begins at `offset`, at most [`MAX_BLOB_PART`] bytes;
    /// empty at the end.
    async fn blob_part(&self, tenant: Uuid, device: Uuid, id: BlobId, offset: i64) -> Result<Vec<u8>>;

    // ---- audit

    /// Appends a line to the tenant's trail.
    async fn audit(&self, tenant: Uuid, line: AuditLine) -> Result<()>;
    /// Lines after number `after`, at most `limit`.
    async fn audit_lines(&self, tenant: Uuid, after: i64, limit: usize) -> Result<Vec<AuditEntry>>;

    // ---- erasure

    /// Asks for a patient's erasure. Nothing is erased yet.
    async fn ask_erasure(&self, tenant: Uuid, patient: Uuid, by: Uuid, now: i64) -> Result<()>;
    /// What is asked for and was not confirmed yet.
    async fn open_erasures(&self, tenant: Uuid) -> Result<Vec<Erasure>>;
    /// Withdraws a request. `NotFound` when there is none that is open.
    async fn withdraw_erasure(&self, tenant: Uuid, patient: Uuid) -> Result<()>;
    /// Erases: payloads, records and attachments go, hashes and numbers stay, and every scope that ever
    /// saw the patient is told. `NotAllowed` when `by` is the one who asked.
    async fn confirm_erasure(&self, tenant: Uuid, patient: Uuid, by: Uuid, now: i64) -> Result<Erased>;

    // ---- quarantine

    /// Ops that wait for an administrator, by sequence, at most `limit` after `after`.
    async fn quarantine(&self, tenant: Uuid, after: i64, limit: usize) -> Result<Vec<Quarantined>>;
    /// Lets an op count, from now on. `NotFound` when it is in quarantine no more.
    async fn release(&self, tenant: Uuid, seq: i64, now: i64) -> Result<()>;
    /// Refuses an op for good. `NotFound` when it is in quarantine no more.
    async fn reject(&self, tenant: Uuid, seq: i64) -> Result<()>;

    // ---- operation

    /// Whether the database answers.
    async fn ready(&self) -> Result<()>;
}

/// What a sync comes to.
#[derive(Debug, Clone, PartialEq)]
pub enum Answered {
    /// Taken in; here is the news.
    Answer(Box<Answer>),
    /// Not as asked; nothing was taken in.
    Refused(Refusal),
}
