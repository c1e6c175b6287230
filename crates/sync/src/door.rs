//! What desk and server say to each other around the sync itself: enrolment, tokens, signatures,
//! people who are new to a PC, sealed keys, erasures and attachments. JSON, bytes in base64url without padding.
//!
//! | Request | Body | Answer |
//! |---|---|---|
//! | `GET /v1/authority` | | the authority's certificate, PEM; compared with the code before anything is said |
//! | `POST /v1/enrol` | [`EnrolRequest`] | [`EnrolAnswer`] |
//! | `POST /v1/token` | [`TokenRequest`], signed by itself | [`TokenAnswer`] |
//! | `POST /v1/sync?unsent=N` | `wire::Request`, packed; N: what the desk keeps back for later requests | `wire::Answer`, packed; 409, 410, 426: `wire::Refusal`, packed |
//! | `GET /v1/snapshots/{scope}?after=E:ID` | | [`SnapshotPage`], packed |
//! | `POST /v1/records` | [`RecordsRequest`], packed | [`RecordsAnswer`], packed |
//! | `POST /v1/login` | [`LoginRequest`] | [`LoginAnswer`] |
//! | `PUT /v1/keys` | [`SealedKey`] | 204 |
//! | `PUT /v1/passwords` | [`PasswordRequest`] | 204 |
//! | `GET /v1/clinics` | | [`ClinicsAnswer`], packed |
//! | `POST /v1/erasures`, `/v1/erasures/confirm` | [`ErasureRequest`] | [`ErasureAnswer`] |
//! | `PUT /v1/blobs/{patient}/{sha256}?offset=N&size=N` | a part, at most [`MAX_PART`] bytes | [`BlobState`] |
//! | `GET /v1/blobs/{patient}/{sha256}` | | [`BlobState`] |
//! | `GET /v1/blobs/{patient}/{sha256}/parts?offset=N` | | the bytes from there, at most [`MAX_PART`]; empty at the end |
//!
//! All but the first three carry `Authorization: Bearer TOKEN` and the headers [`HEADER_AT`] and
//! [`HEADER_SIGNATURE`] (see [`request_text`]). What goes wrong is a [`Problem`] in JSON, except
//! for the three refusals of `/v1/sync`, which are packed; their content type tells them apart.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::Scope;
use crate::record::{Key, Record};
use crate::stick::StickKey;

/// Content type of packed messages.
pub const PACKED: &str = "application/vnd.aftercare+zstd";
/// The desk's time of a signed request, milliseconds UTC in decimal digits.
pub const HEADER_AT: &str = "aftercare-at";
/// The desk's Ed25519 signature over [`request_text`], base64url.
pub const HEADER_SIGNATURE: &str = "aftercare-signature";
/// How far the time of a signed request may be from the server's. A desk whose clock is wrong is
/// told the server's time ([`ProblemCode::Clock`]) and signs with that.
pub const CLOCK_TOLERANCE_MILLIS: i64 = 5 * 60 * 1000;
/// Most bytes of a part of an attachment.
pub const MAX_PART: usize = 512 * 1024;
/// Most bytes of an attachment.
pub const MAX_BLOB: i64 = 64 << 20;

/// The text that the desk's key signs for a request beside `/v1/token`. `target` is path and
/// query as sent. The same request sent twice does the same as once, so no nonce is remembered.
pub fn request_text(method: &str, target: &str, body: &[u8], at_millis: i64, token: &str) -> String {
    format!(
        "aftercare-request-1\n{method}\n{target}\n{at_millis}\n{}\n{}",
        hex(&Sha256::digest(body)),
        hex(&Sha256::digest(token.as_bytes()))
    )
}

/// The text that the desk's key signs to get a token.
pub fn token_text(device: Uuid, at_millis: i64) -> String {
    format!("aftercare-token-1\n{device}\n{at_millis}")
}

/// The text that the new key signs at enrolment: who asks has the key's other half.
pub fn enrol_text(number: &str, device: Uuid, public_key: &[u8]) -> String {
    format!("aftercare-enrol-1\n{number}\n{device}\n{}", hex(public_key))
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// A desk asks to belong to the hospital.
#[derive(Clone, Serialize, Deserialize)]
pub struct EnrolRequest {
    /// `wire::PROTOCOL` of the desk.
    pub protocol: u8,
    /// The code's number.
    pub number: String,
    /// The code's secret.
    pub secret: String,
    /// The desk's own id, which its ops carry.
    pub device: Uuid,
    /// Its Ed25519 public key, 32 bytes.
    #[serde(with = "base64url")]
    pub public_key: Vec<u8>,
    /// [`enrol_text`] signed by that key.
    #[serde(with = "base64url")]
    pub signature: Vec<u8>,
    /// What people call this PC.
    pub name: String,
    /// The sites that the desk has already, where the code lets it name them; empty: those of the
    /// code. With history the desk keeps its own besides the code's. Names come and go as records.
    #[serde(default)]
    pub sites: BTreeSet<Scope>,
    /// Number of the desk's last op: what it wrote alone and wants to bring. 0: nothing.
    #[serde(default)]
    pub history_to: i64,
}

/// The desk belongs to the hospital.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnrolAnswer {
    /// The hospital.
    pub tenant: Uuid,
    /// Its name.
    pub hospital: String,
    /// The server's epoch.
    pub epoch: i64,
    /// The sites that the desk may see and write.
    pub sites: BTreeSet<Scope>,
    /// Ops up to this number stand as they are.
    pub history_to: i64,
    /// The server's time, milliseconds UTC.
    pub server_millis: i64,
    /// The server's last sequence.
    pub head: i64,
    /// The oldest protocol that the server serves.
    pub oldest_protocol: u8,
    /// The newest.
    pub newest_protocol: u8,
    /// Seals what goes to and fro on USB sticks.
    #[serde(default)]
    pub stick_key: StickKey,
}

/// A desk asks for a token.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TokenRequest {
    /// Which desk.
    pub device: Uuid,
    /// Its time, milliseconds UTC.
    pub at_millis: i64,
    /// [`token_text`] signed by its key.
    #[serde(with = "base64url")]
    pub signature: Vec<u8>,
}

/// A token for fifteen minutes.
#[derive(Clone, Serialize, Deserialize)]
pub struct TokenAnswer {
    /// Goes into `Authorization: Bearer`.
    pub token: String,
    /// How long it holds.
    pub expires_in_seconds: i64,
    /// The server's time, milliseconds UTC.
    pub server_millis: i64,
    /// The sites that the desk may see and write now.
    pub sites: BTreeSet<Scope>,
    /// People who were shut out at the server: the desk deletes their way in.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub shut_out: BTreeSet<Uuid>,
}

/// Records of a scope for a desk's first sync. The desk takes `seq` of its first page as the
/// scope's cursor once it has the last page: what changed meanwhile comes by the feed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SnapshotPage {
    /// The server's epoch: another one than before means to begin anew.
    pub epoch: i64,
    /// The server's last sequence when the page was made.
    pub seq: i64,
    /// How many records the scope has, for a progress bar.
    pub total: i64,
    /// Records in the order of their keys.
    pub records: Vec<Record>,
    /// Where the next page begins; nothing after the last.
    pub next: Option<Key>,
}

impl SnapshotPage {
    /// The CBOR of a page whose records (`states`) are CBOR already: the server keeps them as they are sent.
    ///
    /// # Errors
    /// None that can happen: writing to memory does not fail.
    pub fn of_states(
        (epoch, seq, total): (i64, i64, i64),
        states: &[Vec<u8>],
        next: Option<&Key>,
    ) -> Result<Vec<u8>, ciborium::ser::Error<std::io::Error>> {
        let mut page = Vec::with_capacity(256 + states.iter().map(Vec::len).sum::<usize>());
        // A map of five, and within it an array of so many, by their definite lengths (RFC 8949, 3.1).
        page.push(0xa5);
        for (name, number) in [("epoch", epoch), ("seq", seq), ("total", total)] {
            ciborium::into_writer(name, &mut page)?;
            ciborium::into_writer(&number, &mut page)?;
        }
        ciborium::into_writer("records", &mut page)?;
        page.push(0x9a);
        page.extend_from_slice(&u32::try_from(states.len()).unwrap_or(u32::MAX).to_be_bytes());
        states.iter().for_each(|state| page.extend_from_slice(state));
        ciborium::into_writer("next", &mut page)?;
        ciborium::into_writer(&next, &mut page)?;
        Ok(page)
    }
}

/// Asks for the records of a bucket in which the digests differ.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RecordsRequest {
    /// Which scope.
    pub scope: Scope,
    /// Which bucket.
    pub bucket: u8,
    /// Only what comes after this record.
    #[serde(default)]
    pub after: Option<Key>,
}

/// The records of a bucket.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RecordsAnswer {
    /// The server's last sequence when they were read.
    pub head: i64,
    /// The records in the order of their keys.
    pub records: Vec<Record>,
    /// Where the next page begins: after this, the last of `records`. Nothing: this was the last page.
    pub next: Option<Key>,
}

/// A user who is new to a PC logs in once at the server.
#[derive(Clone, Serialize, Deserialize)]
pub struct LoginRequest {
    /// The user's name at login.
    pub login: String,
    /// The password as typed.
    pub password: String,
}

/// The user may use this desk.
#[derive(Clone, Serialize, Deserialize)]
pub struct LoginAnswer {
    /// The user's record.
    pub user: Uuid,
    /// What the desk left with [`SealedKey`].
    #[serde(with = "base64url")]
    pub sealed_key: Vec<u8>,
}

/// The desk's database key, sealed so that only this PC can open it.
#[derive(Clone, Serialize, Deserialize)]
pub struct SealedKey {
    /// At most 4096 bytes.
    #[serde(with = "base64url")]
    pub sealed_key: Vec<u8>,
}

/// The desk passes on a password that its user chose, so that the user can go to another PC.
/// The first is taken as it comes; a later one needs the one before it.
#[derive(Clone, Serialize, Deserialize)]
pub struct PasswordRequest {
    /// The user's record.
    pub user: Uuid,
    /// The user's name at login.
    pub login: String,
    /// The password that holds now at the server, if the desk knows of one.
    #[serde(default)]
    pub old: Option<String>,
    /// The password from now on.
    pub new: String,
}

/// How the desks stand that share a site with the one that asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClinicsAnswer {
    /// The server's time, milliseconds UTC.
    pub server_millis: i64,
    /// The desks that may come, by name.
    pub desks: Vec<ClinicDesk>,
}

/// A desk as its colleagues see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClinicDesk {
    /// Its id.
    pub id: Uuid,
    /// What people call it.
    pub name: String,
    /// Those of its sites that the asking desk sees too.
    pub sites: BTreeSet<Scope>,
    /// When it was enrolled, milliseconds UTC.
    pub enrolled_at: i64,
    /// When it was last heard of, milliseconds UTC.
    pub last_contact_at: Option<i64>,
    /// How many changes it kept back when it last sent some.
    pub unsent: i64,
}

/// A patient is to be erased everywhere. Asked by one person, confirmed by another within seven days.
#[derive(Clone, Serialize, Deserialize)]
pub struct ErasureRequest {
    /// The patient.
    pub root: Uuid,
    /// Who asks or confirms.
    pub login: String,
    /// That person's password.
    pub password: String,
}

/// How far an erasure is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErasureAnswer {
    /// Whether it has been carried out; otherwise it waits for the second person.
    pub erased: bool,
}

/// How much of an attachment the server has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlobState {
    /// Bytes that it has, from the beginning.
    pub have: i64,
    /// Bytes of the whole.
    pub size: i64,
    /// Whether it is whole and its hash was checked.
    pub complete: bool,
}

/// What went wrong, as it crosses the wire: a code and what belongs to it, never words, never a
/// patient's data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Problem {
    /// A [`ProblemCode`]; a newer server may have one that this program does not know.
    pub code: String,
    /// What belongs to it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub params: BTreeMap<String, i64>,
}

macro_rules! problem_codes {
    ($($(#[doc = $doc:literal])+ $name:ident => ($word:literal, $status:literal),)+) => {
        /// What the server says when it does not do as asked.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum ProblemCode {
            $($(#[doc = $doc])+ $name,)+
        }

        impl ProblemCode {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The word on the wire.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word,)+ }
            }

            /// The HTTP status it goes with.
            pub fn status(self) -> u16 {
                match self { $(Self::$name => $status,)+ }
            }

            /// Reads the word.
            pub fn parse(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|code| code.as_str() == word)
            }
        }
    };
}

problem_codes! {
    /// The body is not what belongs here.
    Garbled => ("garbled", 400),
    /// The body, packed or unpacked, is larger than `max` bytes.
    TooLarge => ("too_large", 413),
    /// No such page, patient, scope or attachment for this desk.
    NotFound => ("not_found", 404),
    /// No code of this number waits, its time is over, its secret is another, or it has been tried too often.
    CodeWrong => ("code_wrong", 403),
    /// The code does not allow to bring what the desk wrote alone.
    CodeWithoutHistory => ("code_without_history", 403),
    /// The code does not allow one of the sites that the desk brings.
    SiteNotAllowed => ("site_not_allowed", 403),
    /// Another desk has this id: this one is a copy and needs an id of its own.
    DeviceTaken => ("device_taken", 409),
    /// No token, or not one of this server's.
    Token => ("token", 401),
    /// The token's time is over: get another.
    TokenExpired => ("token_expired", 401),
    /// The signature is not this desk's over this request.
    Signature => ("signature", 401),
    /// The desk's clock is off; `server_millis` is the server's time.
    Clock => ("clock", 401),
    /// The server does not know this desk.
    DeviceUnknown => ("device_unknown", 403),
    /// The desk was shut out.
    DeviceRevoked => ("device_revoked", 403),
    /// The PC was lost: its data is to be erased now.
    DeviceWipe => ("device_wipe", 403),
    /// The hospital is shut off at this server.
    TenantClosed => ("tenant_closed", 403),
    /// The hospital has used up what it may store, or how many desks it may have.
    Quota => ("quota", 507),
    /// The disk of the server or of its database is full.
    Full => ("full", 507),
    /// Name or password is wrong, or the user has no password here yet.
    Login => ("login", 403),
    /// Too many wrong passwords; again in `seconds`.
    Locked => ("locked", 429),
    /// The user may not do this, or not at this desk's sites.
    Forbidden => ("forbidden", 403),
    /// The desk has left no key.
    NoKey => ("no_key", 404),
    /// The second person must be another one than the first.
    SamePerson => ("same_person", 403),
    /// The person's password was first set by a desk less than a day ago; this counts from `seconds` on.
    PasswordNew => ("password_new", 403),
    /// The attachment's bytes do not follow: the server has `have` of them.
    Position => ("position", 409),
    /// The attachment is not what its name (its hash) says; it begins anew.
    Hash => ("hash", 422),
    /// Too many requests; again in `seconds`.
    TooMany => ("too_many", 429),
    /// One of the two is too old; the server speaks `oldest` to `newest`.
    Upgrade => ("upgrade", 426),
    /// The server is stopping or its database does not answer; again in `seconds`.
    Busy => ("busy", 503),
    /// A defect of the server, noted in its log.
    Internal => ("internal", 500),
}

pub mod base64url {
    //! Bytes as text in JSON: base64url without padding.

    use serde::{Deserialize, Deserializer, Serializer, de};

    /// Writes bytes.
    ///
    /// # Errors
    /// The serializer's.
    pub fn serialize<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&encode(bytes))
    }

    /// Reads bytes.
    ///
    /// # Errors
    /// When the text is not base64url.
    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(from)?;
        decode(&text).ok_or_else(|| de::Error::custom("not base64url"))
    }

    /// Bytes as text.
    pub fn encode(bytes: &[u8]) -> String {
        data_encoding::BASE64URL_NOPAD.encode(bytes)
    }

    /// Text as bytes, if it is base64url.
    pub fn decode(text: &str) -> Option<Vec<u8>> {
        data_encoding::BASE64URL_NOPAD.decode(text.as_bytes()).ok()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn every_code_is_read_back_and_none_stands_twice() {
        for code in ProblemCode::ALL {
            assert_eq!(ProblemCode::parse(code.as_str()), Some(*code));
        }
    }

    #[test]
    fn whatever_changes_in_a_request_changes_the_signed_text() {
        let text = request_text("POST", "/v1/sync", b"body", 1_000, "token");
        for other in [
            request_text("GET", "/v1/sync", b"body", 1_000, "token"),
            request_text("POST", "/v1/records", b"body", 1_000, "token"),
            request_text("POST", "/v1/sync", b"other", 1_000, "token"),
            request_text("POST", "/v1/sync", b"body", 1_001, "token"),
            request_text("POST", "/v1/sync", b"body", 1_000, "other"),
        ] {
            assert_ne!(text, other);
        }
    }

    #[test]
    fn a_page_made_of_states_is_read_like_one_made_of_records() {
        use crate::fold::Clock;
        use aftercare_domain::hlc::Hlc;
        let id = Uuid::from_u128(7);
        let clock = Clock { op: id, effective: Hlc::from_i64(5), seq: 3 };
        let fields = [("name".to_owned(), "\u{738b}".into())].into_iter().collect();
        let record = Record::new(Key::new("patient", id), id, Uuid::nil(), clock, &fields);
        let mut state = Vec::new();
        ciborium::into_writer(&record, &mut state).unwrap();
        for count in [0, 1, 300] {
            let next = (count == 1).then(|| record.key.clone());
            let bytes =
                SnapshotPage::of_states((2, -1, 900), &vec![state.clone(); count], next.as_ref()).unwrap();
            let page: SnapshotPage = ciborium::from_reader(bytes.as_slice()).unwrap();
            let records = vec![record.clone(); count];
            assert_eq!(page, SnapshotPage { epoch: 2, seq: -1, total: 900, records, next });
        }
    }

    #[test]
    fn a_newer_servers_code_is_read_as_a_word() {
        let problem: Problem = serde_json::from_str(r#"{"code":"moon_phase","params":{"max":3}}"#).unwrap();
        assert_eq!(ProblemCode::parse(&problem.code), None);
        assert_eq!(problem.params["max"], 3);
    }
}
