//! What the window asks and hears about syncing.

use aftercare_domain::personal::Personal;
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use uuid::Uuid;

/// Asks how this desk stands with its server.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "SyncStatusRequest")]
pub struct StatusRequest {}

/// How this desk stands with its server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(rename = "SyncStatus")]
pub struct Status {
    /// Whether there is a server. Without one, nothing else here says anything.
    pub enrolled: bool,
    /// Where it is.
    pub address: String,
    /// A round runs now.
    pub running: bool,
    /// The first sync is under way.
    pub filling: bool,
    /// Somebody stopped the first sync for now.
    pub held: bool,
    /// Records that the first sync has brought, while it is under way.
    #[ts(type = "number")]
    pub filled: i64,
    /// Of so many, when that is known.
    #[ts(type = "number | null")]
    pub fill_total: Option<i64>,
    /// Patients that are here, while it is under way.
    #[ts(type = "number")]
    pub patients: i64,
    /// Changes that the server does not have yet.
    #[ts(type = "number")]
    pub unsent: i64,
    /// When the oldest of them was written, milliseconds UTC.
    #[ts(type = "number | null")]
    pub oldest_unsent_at: Option<i64>,
    /// The server's last answer, milliseconds UTC.
    #[ts(type = "number | null")]
    pub heard_at: Option<i64>,
    /// When the next round begins by itself, milliseconds UTC.
    #[ts(type = "number | null")]
    pub next_at: Option<i64>,
    /// Code of the error that ended the last round.
    pub problem: Option<String>,
    /// Changes that did not come out as meant and that nobody has looked at.
    #[ts(type = "number")]
    pub refused: i64,
    /// Conflicts that wait for a person.
    #[ts(type = "number")]
    pub conflicts: i64,
    /// Added files that the server does not have whole yet.
    #[ts(type = "number")]
    pub unsent_files: i64,
    /// How the fingerprint of the server that is believed begins, in the letters of the code it was joined by.
    pub fingerprint: Option<String>,
    /// Whether everything is at the server, so that this PC may be put away.
    pub safe_to_shut_down: bool,
}

/// Syncs now.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "SyncNowRequest")]
pub struct NowRequest {}

/// What a round came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(rename = "SyncReport")]
pub struct ReportResponse {
    /// Own changes that the server has taken in.
    #[ts(type = "number")]
    pub pushed: u64,
    /// Changes of others.
    #[ts(type = "number")]
    pub pulled: u64,
    /// Own changes that are still unsent.
    #[ts(type = "number")]
    pub pending: u64,
    /// Open conflicts.
    #[ts(type = "number")]
    pub conflicts: u64,
    /// Own changes that were refused in this round.
    #[ts(type = "number")]
    pub rejected: u64,
    /// The server's number up to which this desk has everything.
    #[ts(type = "number")]
    pub cursor: i64,
    /// Digest of everything, hexadecimal, when it was compared with the server's and is equal.
    pub digest: Option<String>,
    /// How far this PC's clock is ahead of the server's, seconds, when it is minutes or more.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional, type = "number")]
    pub clock_off_seconds: Option<i64>,
}

/// Writes what is unsent to a file for the server, or takes the server's answer in.
#[derive(Deserialize, TS)]
#[ts(rename = "SyncStickRequest")]
pub struct StickRequest {
    /// The file.
    pub path: String,
}

/// The file for the server was written.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(rename = "SyncStickWritten")]
pub struct StickWritten {
    /// Own changes in it.
    #[ts(type = "number")]
    pub changes: i64,
    /// Its size.
    #[ts(type = "number")]
    pub bytes: u64,
}

/// Joins a server.
#[derive(Deserialize, TS)]
#[ts(rename = "SyncEnrolRequest")]
pub struct EnrolRequest {
    /// `host`, `host:port` or `https://host:port`.
    pub address: String,
    /// The administrator's one-time code, as typed.
    pub code: String,
}

/// Joined; the first sync goes on as a job.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(rename = "SyncEnrolResponse")]
pub struct EnrolResponse {
    /// The hospital's name at the server.
    pub hospital: String,
    /// The job of the first sync.
    pub job: Uuid,
}

/// Looks which server answers at an address, before anything is told to it.
#[derive(Deserialize, TS)]
#[ts(rename = "SyncFindRequest")]
pub struct FindRequest {
    /// `host`, `host:port` or `https://host:port`.
    pub address: String,
    /// The administrator's one-time code, as typed.
    pub code: String,
}

/// The server for which the code was made.
#[derive(Serialize, TS)]
#[ts(rename = "SyncFindResponse")]
pub struct FindResponse {
    /// Where it is: `host` or `host:port`.
    pub server: String,
    /// The fingerprint of its authority in eight Chinese characters.
    pub fingerprint: String,
    /// The same in eight English words.
    pub fingerprint_words: String,
    /// What this PC calls itself.
    pub pc_name: String,
}

/// A new PC joins a hospital that has a server.
#[derive(Deserialize, TS)]
#[ts(rename = "SyncJoinRequest")]
pub struct JoinRequest {
    /// `host`, `host:port` or `https://host:port`.
    pub address: String,
    /// The administrator's one-time code, as typed.
    pub code: String,
    /// What people shall call this PC; its own name when empty.
    #[serde(default)]
    pub name: String,
}

/// The PC belongs to the hospital. Somebody whom the server knows logs in next, with `sync_login`.
#[derive(Serialize, TS)]
#[ts(rename = "SyncJoinResponse")]
pub struct JoinResponse {
    /// The hospital.
    pub hospital: String,
    /// The names of the sites whose patients come to this PC, as far as they are known yet.
    pub sites: Vec<String>,
    /// Opens this PC's database, or a backup of it, when every password is lost. Shown once.
    pub recovery_code: String,
}

/// Somebody who is new to this PC logs in at the server.
#[derive(Deserialize, TS)]
#[ts(rename = "SyncOnlineLoginRequest")]
pub struct OnlineLoginRequest {
    /// What they are called at login.
    pub login: String,
    /// Their password.
    pub password: String,
}

/// Erases a patient everywhere: asked for by one person, confirmed by another within seven days.
#[derive(Deserialize, TS)]
#[ts(rename = "SyncEraseRequest")]
pub struct EraseRequest {
    /// The patient.
    pub patient_id: Uuid,
    /// The signed-in person's password.
    pub password: String,
    /// Confirms what another person has asked for.
    #[serde(default)]
    pub confirm: bool,
}

/// How far an erasure is.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(rename = "SyncEraseResponse")]
pub struct EraseResponse {
    /// Whether it was carried out; otherwise it waits for the second person.
    pub erased: bool,
}

/// Asks for the rounds.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "SyncHistoryRequest")]
pub struct HistoryRequest {
    /// At most so many, up to 500.
    pub limit: u32,
}

/// The rounds, latest first.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(rename = "SyncHistory")]
pub struct HistoryResponse {
    /// Rounds; those in a row in which nothing happened stand as one.
    pub rounds: Vec<RoundRow>,
}

/// A round.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(rename = "SyncRound")]
pub struct RoundRow {
    /// Milliseconds UTC.
    #[ts(type = "number")]
    pub started_at: i64,
    /// Milliseconds UTC.
    #[ts(type = "number")]
    pub ended_at: i64,
    /// Own changes sent.
    #[ts(type = "number")]
    pub pushed: i64,
    /// Changes of others.
    #[ts(type = "number")]
    pub pulled: i64,
    /// Own changes refused.
    #[ts(type = "number")]
    pub rejected: i64,
    /// Code of the error that ended it.
    pub problem: Option<String>,
}

/// Asks for own changes that did not come out as meant.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "SyncRefusedRequest")]
pub struct RefusedRequest {
    /// At most so many, up to 200.
    pub limit: u32,
}

/// Own changes that did not come out as meant, latest first.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(rename = "SyncRefusedResponse")]
pub struct RefusedResponse {
    /// Each of them.
    pub rows: Vec<RefusedRow>,
}

/// An own change that did not come out as meant. The window words it by `outcome`, `command` and `why`.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(rename = "SyncRefused")]
pub struct RefusedRow {
    /// Its number on this desk.
    #[ts(type = "number")]
    pub number: i64,
    /// `refused`, `rejected`, `quarantined`.
    pub outcome: String,
    /// Code: `claimed`, `already_done`, `state`, `author`, `scope` …
    pub why: String,
    /// Entity.
    pub entity: String,
    /// The command's name, for commands.
    pub command: Option<String>,
    /// Two people called: the call stands, the task had been done by somebody else.
    pub called_twice: bool,
    /// The patient, if it is one who is here.
    pub patient_id: Option<Uuid>,
    /// The patient's name.
    pub patient: Option<Personal>,
    /// Who wrote it, by display name.
    pub by: String,
    /// When it was written, milliseconds UTC.
    #[ts(type = "number")]
    pub written_at: i64,
    /// When the server said no, milliseconds UTC.
    #[ts(type = "number")]
    pub heard_at: i64,
    /// Whether somebody has looked at it.
    pub seen: bool,
}

/// Somebody has looked at refused changes.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "SyncSeenRequest")]
pub struct SeenRequest {
    /// Their numbers.
    #[ts(type = "number[]")]
    pub numbers: Vec<i64>,
}

/// Asks for conflicts.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "SyncConflictsRequest")]
pub struct ConflictsRequest {
    /// Settled ones too.
    #[serde(default)]
    pub settled: bool,
    /// At most so many, up to 200.
    pub limit: u32,
}

/// Conflicts, oldest first.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(rename = "SyncConflictsResponse")]
pub struct ConflictsResponse {
    /// Each of them.
    pub conflicts: Vec<ConflictRow>,
}

/// A field that two people changed without knowing of each other.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(rename = "SyncConflict")]
pub struct ConflictRow {
    /// The conflict.
    pub id: Uuid,
    /// The patient.
    pub patient_id: Uuid,
    /// The patient's name.
    pub patient: Option<Personal>,
    /// `patient`, `phone`, `encounter`.
    pub entity: String,
    /// `id_number`, `number`, `next_visit_on`.
    pub field: String,
    /// The value that stands, phones and ID numbers masked.
    pub kept: Option<Personal>,
    /// When it was written, milliseconds UTC.
    #[ts(type = "number")]
    pub kept_at: i64,
    /// Who wrote it, where this desk knows.
    pub kept_by: Option<String>,
    /// The other value, masked.
    pub lost: Option<Personal>,
    /// When it was written, milliseconds UTC.
    #[ts(type = "number")]
    pub lost_at: i64,
    /// Who wrote it, where this desk knows.
    pub lost_by: Option<String>,
    /// When it was settled, milliseconds UTC.
    #[ts(type = "number | null")]
    pub settled_at: Option<i64>,
    /// `kept`, `lost`, `other`.
    pub settled_how: Option<String>,
}

/// Shows both values of a conflict in full; audited.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "SyncConflictRevealRequest")]
pub struct ConflictRevealRequest {
    /// The conflict.
    pub id: Uuid,
}

/// Both values of a conflict in full.
#[derive(Debug, Serialize, TS)]
#[ts(rename = "SyncRevealedConflict")]
pub struct RevealedConflict {
    /// The value that stands.
    pub kept: Option<Personal>,
    /// The other.
    pub lost: Option<Personal>,
}

/// Which value shall stand.
#[derive(Deserialize, TS)]
#[ts(rename = "SyncSettleHow")]
#[serde(tag = "kind", content = "value", rename_all = "snake_case")]
pub enum SettleHow {
    /// The one that stands.
    Kept,
    /// The other.
    Lost,
    /// A third.
    Other(String),
}

/// Settles a conflict.
#[derive(Deserialize, TS)]
#[ts(rename = "SyncSettleRequest")]
pub struct SettleRequest {
    /// The conflict.
    pub id: Uuid,
    /// Which value shall stand.
    pub how: SettleHow,
}
