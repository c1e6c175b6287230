//! What the server keeps, behind one narrow trait: SQLite with a file per hospital, or PostgreSQL
//! with row-level security. What is decided stands in `aftercare_sync`; here it is loaded, written
//! and read again, in one transaction each time.
//!
//! Every call names the tenant (one hospital). Time, ids and random bytes are the caller's.

mod address;
mod blobs;
mod both;
mod copy;
mod crowd;
mod devices;
mod driver;
mod erasure;
mod hospitals;
mod leave;
mod own;
mod people;
pub mod postgres;
mod pull;
mod push;
mod quarantine;
mod records;
pub mod sqlite;
mod trail;
mod tx;
mod types;
mod value;

use std::collections::BTreeSet;

use aftercare_sync::Scope;
use aftercare_sync::door::{BlobState, RecordsAnswer};
use aftercare_sync::record::{Key, Record};
use aftercare_sync::wire::{Answer, Outcome, Refusal, Request};
use async_trait::async_trait;
use uuid::Uuid;

pub use trail::{audit_hash, first_broken};
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
    /// Shuts a hospital off, or lets it in again: every sync of it is `Closed` meanwhile.
    async fn set_closed(&self, tenant: Uuid, closed: bool) -> Result<()>;
    /// What a hospital uses now.
    async fn usage(&self, tenant: Uuid) -> Result<Usage>;
    /// Deletes a hospital with everything of it, for ever.
    async fn delete_tenant(&self, tenant: Uuid) -> Result<()>;
    /// The records of one entity that the whole hospital sees: its sites, its staff.
    async fn records_of(&self, tenant: Uuid, entity: &str) -> Result<Vec<Record>>;
    /// A hospital's records for its own use elsewhere, by id and entity, at most `limit` after `after`.
    /// An empty answer is the end.
    async fn export(&self, tenant: Uuid, after: Option<Key>, limit: usize) -> Result<Vec<Record>>;
    /// The same of its ops, by number, at most `limit` after `after`.
    async fn export_ops(&self, tenant: Uuid, after: i64, limit: usize) -> Result<Vec<KeptOp>>;
    /// The same of its complete attachments.
    async fn export_blobs(&self, tenant: Uuid) -> Result<Vec<KeptBlob>>;
    /// A part of an attachment from `offset`, where a part must begin; empty at the end.
    async fn export_blob_part(&self, tenant: Uuid, id: BlobId, offset: i64) -> Result<Vec<u8>>;
    /// Makes a site or renames one, as the server's own op, so that desks hear of it. `Exists`, `NotFound`.
    async fn name_site(&self, tenant: Uuid, site: SiteName, now: i64) -> Result<()>;

    // ---- epoch and durability

    /// Where the hospital's feed is.
    async fn position(&self, tenant: Uuid) -> Result<Position>;
    /// Notes that everything up to `seq` is covered by a verified backup off this host. Never goes
    /// back, never beyond head.
    async fn set_durable_seq(&self, tenant: Uuid, seq: i64) -> Result<()>;
    /// Begins a new epoch after a restore: what desks have beyond head is offered again. Answers its
    /// number, which is later than `than`. Epochs are unique for ever, also among those that a restored copy
    /// does not know of: callers pass the time in seconds.
    async fn begin_epoch(&self, tenant: Uuid, than: i64) -> Result<i64>;

    // ---- enrolment

    /// Keeps a one-time code: its number, and its secret's hash. `Exists` when a code of this number waits.
    async fn make_code(&self, tenant: Uuid, code: NewCode) -> Result<()>;
    /// To which hospital the number of a code leads: the desk knows no more than the code.
    async fn tenant_of_code(&self, number: &str, now: i64) -> Result<Option<Uuid>>;
    /// Uses a code and makes the device, both or neither. `CodeInvalid` when the code is unknown, used,
    /// expired, its secret another, or it has been tried [`CODE_ATTEMPTS`] times (which of them is nobody's
    /// business); `CodeWithoutHistory`, `SiteNotAllowed`, `Quota`; `Exists` when the id belongs to another device.
    /// The same call again, when the answer was lost, answers the same device.
    async fn enrol(&self, tenant: Uuid, with: CodeUse, device: NewDevice, now: i64) -> Result<Device>;

    // ---- devices

    /// Every device, by name.
    async fn devices(&self, tenant: Uuid) -> Result<Vec<Device>>;
    /// To which hospital a device belongs: a desk that asks for a token tells its own id only.
    async fn tenant_of_device(&self, device: Uuid) -> Result<Option<Uuid>>;
    /// One device.
    async fn device(&self, tenant: Uuid, device: Uuid) -> Result<Device>;
    /// A device, and whether its hospital is shut off: what every request of a desk asks.
    async fn admission(&self, tenant: Uuid, device: Uuid) -> Result<Admission>;
    /// Changes what a device may see. Its first sync of a new site is a snapshot.
    async fn set_sites(&self, tenant: Uuid, device: Uuid, sites: BTreeSet<Scope>) -> Result<()>;
    /// Revokes a device, has it wiped, or lets it in again. A device that was wiped stays out:
    /// `NotAllowed`. With a desk that is shut out go the first passwords it set that do not count yet.
    async fn set_device_status(
        &self,
        tenant: Uuid,
        device: Uuid,
        status: DeviceStatus,
        now: i64,
    ) -> Result<()>;
    /// Notes that the device was heard of at `now` (milliseconds UTC).
    async fn note_contact(&self, tenant: Uuid, device: Uuid, now: i64) -> Result<()>;
    /// Notes how many changes the device keeps back for later requests.
    async fn note_unsent(&self, tenant: Uuid, device: Uuid, unsent: i64) -> Result<()>;

    // ---- people who sign in at the server

    /// Makes or replaces a user (by id). `Exists` when another user has the login.
    async fn put_user(&self, tenant: Uuid, user: ServerUser) -> Result<()>;
    /// The user of this login.
    async fn user_by_login(&self, tenant: Uuid, login: &str) -> Result<ServerUser>;
    /// Notes that a password was right or wrong; answers until when (milliseconds UTC) the user is locked.
    /// [`LOGIN_ATTEMPTS`] wrong ones lock for [`LOCK_MILLIS`], whichever server they were tried at.
    async fn note_login(&self, tenant: Uuid, user: Uuid, right: bool, now: i64) -> Result<Option<i64>>;
    /// Takes a try out of an address's bucket, whichever server it came to; answers how many milliseconds are to be
    /// waited where it is empty.
    async fn take_attempt(&self, attempt: Attempt, now: i64) -> Result<Option<i64>>;
    /// Puts a try back that was no guess.
    async fn give_back_attempt(&self, attempt: Attempt) -> Result<()>;
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
    /// A page of a resumable first sync: records of a scope that the device sees (else `NotAllowed`), at
    /// most `limit` after `after`, by id and entity: roughly as they were made. A desk takes the first page's `seq` as its cursor:
    /// what changes meanwhile comes in the feed. A record may come before the one it hangs on.
    async fn snapshot(
        &self,
        tenant: Uuid,
        device: Uuid,
        scope: Scope,
        after: Option<Key>,
        limit: usize,
    ) -> Result<Snapshot>;
    /// Records of a bucket of a scope, in the same order, to settle a difference of digests.
    async fn bucket_records(
        &self,
        tenant: Uuid,
        device: Uuid,
        scope: Scope,
        bucket: usize,
        after: Option<Key>,
        limit: usize,
    ) -> Result<RecordsAnswer>;

    // ---- attachments

    /// Adds a part, at most `door::MAX_PART` bytes, at `offset`; nothing is added when the server has
    /// those bytes already. `Position` when they do not follow, `NotAllowed` when the device does not see the
    /// patient, `Quota`, `TooLarge`. With the last bytes the SHA-256 is checked: `Damaged` when it is another,
    /// and the attachment begins anew.
    async fn put_blob_part(&self, tenant: Uuid, device: Uuid, part: BlobPart) -> Result<BlobState>;
    /// How much of an attachment is there.
    async fn blob_state(&self, tenant: Uuid, device: Uuid, id: BlobId) -> Result<BlobState>;
    /// The bytes of a complete attachment from `offset`, at most `door::MAX_PART`; empty at the end.
    async fn blob_part(&self, tenant: Uuid, device: Uuid, id: BlobId, offset: i64) -> Result<Vec<u8>>;

    // ---- audit

    /// Appends a line to the tenant's trail.
    async fn audit(&self, tenant: Uuid, line: AuditLine) -> Result<()>;
    /// Lines after number `after`, at most `limit`.
    async fn audit_lines(&self, tenant: Uuid, after: i64, limit: usize) -> Result<Vec<AuditEntry>>;

    // ---- erasure

    /// Asks for a patient's erasure. Nothing is erased yet; asked again, the later asking counts.
    /// `NotFound` when there is no such patient.
    async fn ask_erasure(&self, tenant: Uuid, patient: Uuid, by: Uuid, now: i64) -> Result<()>;
    /// What is asked for and was not confirmed yet.
    async fn open_erasures(&self, tenant: Uuid, now: i64) -> Result<Vec<Erasure>>;
    /// Withdraws a request. `NotFound` when there is none that is open.
    async fn withdraw_erasure(&self, tenant: Uuid, patient: Uuid) -> Result<()>;
    /// Within [`ERASURE_MILLIS`] of the asking. Erases: payloads, records and attachments go, hashes and numbers stay, and every scope that ever
    /// saw the patient is told. `NotAllowed` when `by` is the one who asked.
    async fn confirm_erasure(&self, tenant: Uuid, patient: Uuid, by: Uuid, now: i64) -> Result<Erased>;

    /// Every erasure that was confirmed, in that order.
    async fn confirmed_erasures(&self, tenant: Uuid) -> Result<Vec<Confirmed>>;
    /// Carries out what was decided before a backup was put back that is older. Nothing when it is erased here already.
    async fn repeat_erasure(&self, tenant: Uuid, erasure: Confirmed) -> Result<Option<Erased>>;

    // ---- quarantine

    /// Ops that wait for an administrator, by sequence, at most `limit` after `after`.
    async fn quarantine(&self, tenant: Uuid, after: i64, limit: usize) -> Result<Vec<Quarantined>>;
    /// Lets an op count, from now on; answers what became of it (it may hang on what is gone). `NotFound` when it is in quarantine no more.
    async fn release(&self, tenant: Uuid, seq: i64, now: i64) -> Result<Outcome>;
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
