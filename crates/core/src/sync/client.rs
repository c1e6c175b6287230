//! The desk's side of the line: HTTPS to one server whose certificate authority was pinned at
//! enrolment, a signature on every request, a token for a quarter of an hour.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use aftercare_domain::error_code::ErrorCode;
use aftercare_sync::Scope;
use aftercare_sync::code::EnrolCode;
use aftercare_sync::door::{
    BlobState, ClinicsAnswer, EnrolAnswer, EnrolRequest, ErasureAnswer, ErasureRequest, HEADER_AT,
    HEADER_SIGNATURE, LoginAnswer, LoginRequest, PACKED, PasswordRequest, Problem, ProblemCode,
    RecordsAnswer, RecordsRequest, SealedKey, SnapshotPage, TokenAnswer, TokenRequest, base64url,
    request_text, token_text,
};
use aftercare_sync::pack::{MAX_PACKED, pack, unpack};
use aftercare_sync::record::Key;
use aftercare_sync::updates::{Manifest, Offer, OffersAnswer};
use aftercare_sync::wire::{Answer, Refusal, Request};
use ring::signature::{Ed25519KeyPair, KeyPair};
use serde::Serialize;
use serde::de::DeserializeOwned;
use ureq::config::AutoHeaderValue;
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use uuid::Uuid;

use super::state::Server;
use crate::attachments::store::BlobKey;
use crate::env::Clock;
use crate::error::{Error, Result};

const CONNECT: Duration = Duration::from_secs(10);
const WHOLE: Duration = Duration::from_secs(120);
const JSON: &str = "application/json";
const BYTES: &str = "application/octet-stream";
/// A certificate is a few hundred bytes.
const MAX_AUTHORITY: u64 = 64 * 1024;
/// A token is thrown away this long before its end.
const TOKEN_MARGIN_MILLIS: i64 = 30_000;

/// What the server says to a round.
pub enum Reply {
    /// Taken in; here is the news.
    Answer(Box<Answer>),
    /// Not as asked.
    Refused(Refusal),
}

/// What became of a part of an attachment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PutBlob {
    /// The server has so much of it now, or had it already.
    Has(i64),
    /// This desk does not see the patient (any more).
    Hidden,
    /// All parts are there and their hash is another: the server begins anew.
    Damaged,
}

/// A line to the server: the network, or what tests put in its place.
pub trait Line {
    /// `POST /v1/sync`. `unsent`: how many own changes wait for later requests.
    fn sync(&self, request: &Request, unsent: i64) -> Result<Reply>;
    /// `GET /v1/snapshots/{scope}`.
    fn snapshot(&self, scope: Scope, after: Option<&Key>) -> Result<SnapshotPage>;
    /// `POST /v1/records`.
    fn records(&self, request: &RecordsRequest) -> Result<RecordsAnswer>;
    /// The sites that the desk may see and write now.
    fn sites(&self) -> Result<BTreeSet<Scope>>;
    /// People whom the server lets in no more.
    fn shut_out(&self) -> Result<BTreeSet<Uuid>>;
    /// `GET /v1/clinics`.
    fn clinics(&self) -> Result<ClinicsAnswer>;
    /// `POST /v1/login`: the server checks somebody who is new to this PC.
    ///
    /// # Errors
    /// `SyncLogin` and those of every request.
    fn login(&self, login: &str, password: &str) -> Result<LoginAnswer>;
    /// `PUT /v1/keys`: the database's key, sealed, for people who are new to this PC.
    fn leave_key(&self, sealed: &[u8]) -> Result<()>;
    /// `PUT /v1/passwords`.
    fn pass_on(&self, password: &PasswordRequest) -> Result<()>;
    /// `GET /v1/blobs/…`: how much of an attachment the server has; nothing when it has none of it or this
    /// desk does not see the patient.
    fn blob_state(&self, key: &BlobKey) -> Result<Option<BlobState>>;
    /// `PUT /v1/blobs/…`: the next part of an attachment of `size` bytes.
    fn put_blob(&self, key: &BlobKey, size: i64, offset: i64, bytes: &[u8]) -> Result<PutBlob>;
    /// `GET /v1/blobs/…/parts`: the bytes from `offset` to the end of a part; nothing when the server does
    /// not have the attachment whole, or this desk does not see the patient.
    fn blob_part(&self, key: &BlobKey, offset: i64) -> Result<Option<Vec<u8>>>;
}

/// A new device key's seed.
pub fn new_seed() -> Result<[u8; 32]> {
    let mut seed = [0_u8; 32];
    crate::env::fill_random(&mut seed)?;
    Ok(seed)
}

/// The key pair of a seed.
pub fn key_pair(seed: &[u8]) -> Result<Ed25519KeyPair> {
    Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| Error::internal("the device key is damaged"))
}

/// The port at which a server listens unless it was told another.
const PORT: u16 = 8443;

/// `host`, `host:port` or a full address, as somebody typed it, as `https://host:port`. What is written is tried and
/// nothing else; without a port it is the server's own default, 8443.
///
/// # Errors
/// `Invalid` at `address`.
pub fn address(typed: &str) -> Result<String> {
    let refused = || Error::field("address", ErrorCode::NotAllowed);
    let typed = typed.trim().trim_end_matches('/');
    let host = typed.strip_prefix("https://").unwrap_or(typed);
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '[' | ']');
    if host.is_empty() || host.len() > 255 || !host.chars().all(plain) {
        return Err(refused());
    }
    // An IPv6 address stands in brackets; behind them, or behind a name, a colon begins the port.
    let behind = host.rsplit_once(']').map_or(host, |(_, behind)| behind);
    match behind.split_once(':') {
        None => Ok(format!("https://{host}:{PORT}")),
        Some((_, port)) if port.parse::<u16>().is_ok_and(|port| port > 0) => Ok(format!("https://{host}")),
        Some(_) => Err(refused()),
    }
}

fn agent(tls: TlsConfig) -> ureq::Agent {
    ureq::Agent::config_builder()
        .https_only(true)
        .http_status_as_error(false)
        .max_redirects(0)
        .timeout_connect(Some(CONNECT))
        .timeout_global(Some(WHOLE))
        .user_agent(concat!("aftercare/", env!("CARGO_PKG_VERSION")))
        // Each answer has one form: a server is not told what else would do, many times a day.
        .accept(AutoHeaderValue::None)
        .accept_encoding(AutoHeaderValue::None)
        .tls_config(tls)
        .build()
        .into()
}

fn pinned(authority: &[u8]) -> ureq::Agent {
    let certificate = Certificate::from_der(authority).to_owned();
    agent(TlsConfig::builder().root_certs(RootCerts::new_with_certs(&[certificate])).build())
}

/// The certificate authority of the server at `address`, DER, if it is the one for which `code` was
/// made. Nothing is told to a server before this has been checked.
///
/// # Errors
/// `SyncWrongServer`, `SyncUnreachable`.
pub fn authority(address: &str, code: &EnrolCode) -> Result<Vec<u8>> {
    let open = agent(TlsConfig::builder().disable_verification(true).build());
    let mut response = open.get(format!("{address}/v1/authority")).call().map_err(unreachable)?;
    if response.status().as_u16() != 200 {
        return Err(Error::new(ErrorCode::SyncWrongServer));
    }
    let pem = response.body_mut().with_config().limit(MAX_AUTHORITY).read_to_vec().map_err(unreachable)?;
    let wrong = || Error::new(ErrorCode::SyncWrongServer);
    let certificate = Certificate::from_pem(&pem).map_err(|_| wrong())?;
    if code.fits(certificate.der()) { Ok(certificate.der().to_vec()) } else { Err(wrong()) }
}

/// Asks the server to take this desk in.
///
/// # Errors
/// `SyncCodeWrong`, `SyncCodeWithoutHistory` and those of every request.
pub fn enrol(address: &str, authority: &[u8], request: &EnrolRequest) -> Result<EnrolAnswer> {
    let body = serde_json::to_vec(request)?;
    let sent = pinned(authority)
        .post(format!("{address}/v1/enrol"))
        .content_type("application/json")
        .send(&body[..]);
    let response = Response::read(sent)?;
    response.json()
}

/// The server over HTTPS.
pub struct Https {
    agent: ureq::Agent,
    address: String,
    authority: Vec<u8>,
    device: Uuid,
    key: Ed25519KeyPair,
    clock: Clock,
    /// How far the server's time is ahead of this PC's, milliseconds.
    ahead: AtomicI64,
    token: Mutex<Option<Token>>,
}

struct Token {
    text: String,
    until: i64,
    sites: BTreeSet<Scope>,
    shut_out: BTreeSet<Uuid>,
}

impl Https {
    /// A line to `address`, on which only certificates of `authority` (DER) are believed.
    pub fn new(address: &str, authority: &[u8], seed: &[u8], device: Uuid, clock: Clock) -> Result<Self> {
        Ok(Self {
            agent: pinned(authority),
            address: address.to_owned(),
            authority: authority.to_owned(),
            device,
            key: key_pair(seed)?,
            clock,
            ahead: AtomicI64::new(0),
            token: Mutex::new(None),
        })
    }

    /// Whether this is a line to that server, as this device with its key of now.
    pub fn is_to(&self, server: &Server, device: Uuid) -> bool {
        let same_key =
            || key_pair(&server.device_key).is_ok_and(|key| public_key(&key) == public_key(&self.key));
        self.address == server.address
            && self.authority == server.authority
            && self.device == device
            && same_key()
    }

    fn now(&self) -> i64 {
        (self.clock)().timestamp_millis() + self.ahead.load(Ordering::Relaxed)
    }

    fn sign(&self, text: &str) -> String {
        base64url::encode(self.key.sign(text.as_bytes()).as_ref())
    }

    fn token(&self) -> Result<String> {
        let mut kept = self.token.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(token) = kept.as_ref().filter(|token| self.now() < token.until) {
            return Ok(token.text.clone());
        }
        let answer = self.correcting_clock(|| {
            let at_millis = self.now();
            let signature = self.key.sign(token_text(self.device, at_millis).as_bytes()).as_ref().to_vec();
            let body = serde_json::to_vec(&TokenRequest { device: self.device, at_millis, signature })?;
            let url = format!("{}/v1/token", self.address);
            let sent = self.agent.post(url).content_type("application/json").send(&body[..]);
            Response::read(sent)?.json::<TokenAnswer>()
        })?;
        let until = self.now() + answer.expires_in_seconds * 1000 - TOKEN_MARGIN_MILLIS;
        let TokenAnswer { token: text, sites, shut_out, .. } = answer;
        *kept = Some(Token { text: text.clone(), until, sites, shut_out });
        Ok(text)
    }

    /// What the present token says beside itself.
    fn told<T: Default>(&self, read: impl FnOnce(&Token) -> T) -> Result<T> {
        self.correcting_clock(|| self.token())?;
        Ok(self.token.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map(read).unwrap_or_default())
    }

    /// Tries once more with the server's time when the server says that this PC's is off.
    fn correcting_clock<T>(&self, attempt: impl Fn() -> Result<T>) -> Result<T> {
        match attempt() {
            Err(error) if error.code == ErrorCode::SyncClock => {
                let server = error.params.get("server_millis").and_then(serde_json::Value::as_i64);
                let Some(server) = server else { return Err(error) };
                self.ahead.store(server - (self.clock)().timestamp_millis(), Ordering::Relaxed);
                attempt()
            }
            other => other,
        }
    }

    fn signed(&self, method: &str, target: &str, body: &[u8], content_type: &str) -> Result<Response> {
        self.correcting_clock(|| {
            let response = self.once(method, target, body, content_type)?;
            // A token may end on the way: a new one, once.
            if response.is(ProblemCode::TokenExpired) || response.is(ProblemCode::Token) {
                *self.token.lock().unwrap_or_else(PoisonError::into_inner) = None;
                return self.once(method, target, body, content_type)?.checked();
            }
            response.checked()
        })
    }

    fn once(&self, method: &str, target: &str, body: &[u8], content_type: &str) -> Result<Response> {
        let token = self.token()?;
        let at = self.now();
        let signature = self.sign(&request_text(method, target, body, at, &token));
        let url = format!("{}{target}", self.address);
        let bearer = format!("Bearer {token}");
        let sent = if method == "GET" {
            self.agent
                .get(url)
                .header("authorization", bearer)
                .header(HEADER_AT, at.to_string())
                .header(HEADER_SIGNATURE, signature)
                .call()
        } else {
            let to = if method == "PUT" { self.agent.put(url) } else { self.agent.post(url) };
            to.header("authorization", bearer)
                .header(HEADER_AT, at.to_string())
                .header(HEADER_SIGNATURE, signature)
                .content_type(content_type)
                .send(body)
        };
        Response::read(sent)
    }
}

impl Line for Https {
    fn sync(&self, request: &Request, unsent: i64) -> Result<Reply> {
        let body = packed(request)?;
        let response = self.signed("POST", &format!("/v1/sync?unsent={unsent}"), &body, PACKED)?;
        match response.status {
            200 => Ok(Reply::Answer(Box::new(response.unpacked()?))),
            _ => Ok(Reply::Refused(response.unpacked()?)),
        }
    }

    fn snapshot(&self, scope: Scope, after: Option<&Key>) -> Result<SnapshotPage> {
        let mut target = format!("/v1/snapshots/{scope}");
        if let Some(key) = after {
            target.push_str(&format!("?after={}:{}", key.entity, key.id));
        }
        self.signed("GET", &target, b"", PACKED)?.unpacked()
    }

    fn records(&self, request: &RecordsRequest) -> Result<RecordsAnswer> {
        self.signed("POST", "/v1/records", &packed(request)?, PACKED)?.unpacked()
    }

    fn sites(&self) -> Result<BTreeSet<Scope>> {
        self.told(|token| token.sites.clone())
    }

    fn shut_out(&self) -> Result<BTreeSet<Uuid>> {
        self.told(|token| token.shut_out.clone())
    }

    fn clinics(&self) -> Result<ClinicsAnswer> {
        self.signed("GET", "/v1/clinics", b"", PACKED)?.unpacked()
    }

    fn login(&self, login: &str, password: &str) -> Result<LoginAnswer> {
        let request = LoginRequest { login: login.trim().to_owned(), password: password.to_owned() };
        self.signed("POST", "/v1/login", &serde_json::to_vec(&request)?, JSON)?.json()
    }

    fn leave_key(&self, sealed: &[u8]) -> Result<()> {
        let body = serde_json::to_vec(&SealedKey { sealed_key: sealed.to_vec() })?;
        self.signed("PUT", "/v1/keys", &body, JSON).map(|_| ())
    }

    fn pass_on(&self, password: &PasswordRequest) -> Result<()> {
        self.signed("PUT", "/v1/passwords", &serde_json::to_vec(password)?, JSON).map(|_| ())
    }

    fn blob_state(&self, key: &BlobKey) -> Result<Option<BlobState>> {
        unless_hidden(self.signed("GET", &blob_target(key), b"", JSON).and_then(Response::json))
    }

    fn put_blob(&self, key: &BlobKey, size: i64, offset: i64, bytes: &[u8]) -> Result<PutBlob> {
        let target = format!("{}?offset={offset}&size={size}", blob_target(key));
        let answer = self.signed("PUT", &target, bytes, BYTES).and_then(Response::json::<BlobState>);
        match answer {
            Ok(state) => Ok(PutBlob::Has(state.have)),
            Err(error) if error.code == ErrorCode::Forbidden => Ok(PutBlob::Hidden),
            Err(error) => match error.params.get("blob").and_then(serde_json::Value::as_i64) {
                Some(have) if have >= 0 => Ok(PutBlob::Has(have)),
                Some(_) => Ok(PutBlob::Damaged),
                None => Err(error),
            },
        }
    }

    fn blob_part(&self, key: &BlobKey, offset: i64) -> Result<Option<Vec<u8>>> {
        let target = format!("{}/parts?offset={offset}", blob_target(key));
        unless_hidden(self.signed("GET", &target, b"", BYTES).map(|response| response.body))
    }
}

fn blob_target(key: &BlobKey) -> String {
    format!("/v1/blobs/{}/{}", key.patient, data_encoding::HEXLOWER.encode(&key.sha256))
}

impl Https {
    /// Asks for a patient's erasure everywhere, or confirms what another person asked for.
    ///
    /// # Errors
    /// `SyncSamePerson`, `SyncLogin` and those of every request.
    pub fn erase(&self, request: &ErasureRequest, confirm: bool) -> Result<ErasureAnswer> {
        let target = if confirm { "/v1/erasures/confirm" } else { "/v1/erasures" };
        self.signed("POST", target, &serde_json::to_vec(request)?, JSON)?.json()
    }
}

/// What this desk does not see is not told apart from what is not there.
fn unless_hidden<T>(result: Result<T>) -> Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.code == ErrorCode::Forbidden => Ok(None),
        Err(error) => Err(error),
    }
}

impl crate::updates::Source for Https {
    fn offers(&self, platform: &str) -> Result<Vec<Offer>> {
        let answer: OffersAnswer =
            self.signed("GET", &format!("/v1/updates/{platform}"), b"", JSON)?.json()?;
        Ok(answer.offers)
    }

    fn part(&self, manifest: &Manifest, offset: u64) -> Result<Vec<u8>> {
        let Manifest { platform, version, .. } = manifest;
        let target = format!("/v1/updates/{platform}/{version}/parts?offset={offset}");
        Ok(self.signed("GET", &target, b"", JSON)?.body)
    }
}

/// Packs a request.
///
/// # Errors
/// `SyncTooLarge`: with fewer ops it will fit.
fn packed<T: Serialize>(message: &T) -> Result<Vec<u8>> {
    pack(message).map_err(|error| Error::new(ErrorCode::SyncTooLarge).caused_by(error))
}

/// What came back, whole.
struct Response {
    status: u16,
    is_packed: bool,
    body: Vec<u8>,
}

impl Response {
    fn read(sent: std::result::Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Result<Self> {
        let mut response = sent.map_err(unreachable)?;
        let is_packed = response
            .headers()
            .get("content-type")
            .is_some_and(|value| value.as_bytes().starts_with(PACKED.as_bytes()));
        let status = response.status().as_u16();
        let limit = u64::try_from(MAX_PACKED).unwrap_or(u64::MAX);
        let body = response.body_mut().with_config().limit(limit).read_to_vec().map_err(unreachable)?;
        Ok(Self { status, is_packed, body })
    }

    fn problem(&self) -> Option<Problem> {
        (!(200..300).contains(&self.status) && !self.is_packed)
            .then(|| serde_json::from_slice(&self.body).ok())
            .flatten()
    }

    fn is(&self, code: ProblemCode) -> bool {
        self.problem().is_some_and(|problem| problem.code == code.as_str())
    }

    /// An answer, or one of the refusals that are packed; anything else as an error.
    fn checked(self) -> Result<Self> {
        if (200..300).contains(&self.status) || self.is_packed {
            return Ok(self);
        }
        match self.problem() {
            Some(problem) => Err(refused(&problem)),
            // Not this server's way of speaking: a proxy, a login page, another program.
            None => Err(Error::new(ErrorCode::SyncUnreachable)
                .caused_by(format!("status {} from somebody between", self.status))),
        }
    }

    fn json<T: DeserializeOwned>(self) -> Result<T> {
        let response = self.checked()?;
        serde_json::from_slice(&response.body).map_err(|error| garbled(error.to_string()))
    }

    fn unpacked<T: DeserializeOwned>(self) -> Result<T> {
        unpack(&self.body).map_err(|error| garbled(error.to_string()))
    }
}

fn garbled(what: String) -> Error {
    Error::new(ErrorCode::SyncServerFault).caused_by(what)
}

/// The server's problem as this program's error.
fn refused(problem: &Problem) -> Error {
    let code = match ProblemCode::parse(&problem.code) {
        Some(ProblemCode::CodeWrong) => ErrorCode::SyncCodeWrong,
        Some(ProblemCode::CodeWithoutHistory) => ErrorCode::SyncCodeWithoutHistory,
        Some(ProblemCode::DeviceTaken) => ErrorCode::SyncForked,
        Some(ProblemCode::DeviceUnknown | ProblemCode::DeviceRevoked) => ErrorCode::SyncRevoked,
        Some(ProblemCode::DeviceWipe) => ErrorCode::SyncWipe,
        Some(ProblemCode::Clock) => ErrorCode::SyncClock,
        Some(ProblemCode::TenantClosed) => ErrorCode::SyncClosed,
        Some(ProblemCode::Quota | ProblemCode::Full) => ErrorCode::SyncQuota,
        Some(ProblemCode::TooMany | ProblemCode::Busy | ProblemCode::Locked) => ErrorCode::SyncServerBusy,
        Some(ProblemCode::Upgrade) => ErrorCode::SyncUpgrade,
        Some(ProblemCode::Login | ProblemCode::NoKey) => ErrorCode::SyncLogin,
        Some(ProblemCode::SamePerson) => ErrorCode::SyncSamePerson,
        Some(ProblemCode::PasswordNew) => ErrorCode::SyncPasswordNew,
        Some(ProblemCode::TooLarge) => ErrorCode::SyncTooLarge,
        Some(ProblemCode::Forbidden | ProblemCode::NotFound) => ErrorCode::Forbidden,
        _ => ErrorCode::SyncServerFault,
    };
    let mut error = Error::new(code).caused_by(format!("the server says {}", short(&problem.code)));
    for name in ["server_millis", "seconds", "max"] {
        if let Some(value) = problem.params.get(name) {
            error = error.with(name, *value);
        }
    }
    // Where an attachment goes on: behind so many bytes, or (below 0) from its beginning.
    match ProblemCode::parse(&problem.code) {
        Some(ProblemCode::Position) => error.with("blob", problem.params.get("have").copied().unwrap_or(0)),
        Some(ProblemCode::Hash) => error.with("blob", -1),
        _ => error,
    }
}

fn short(word: &str) -> String {
    word.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').take(40).collect()
}

fn unreachable(error: ureq::Error) -> Error {
    let code = match &error {
        // Said by TLS in the middle of a handshake, where it comes wrapped in an error of the connection.
        ureq::Error::Rustls(_) | ureq::Error::Io(_) => match format!("{error:?}") {
            said if !said.contains("InvalidCertificate") => ErrorCode::SyncUnreachable,
            // Certificates are good for years: it is this PC's clock that is wrong.
            said if said.contains("NotValidYet") || said.contains("Expired") => ErrorCode::SyncClock,
            _ => ErrorCode::SyncWrongServer,
        },
        // More than any answer may have.
        ureq::Error::BodyExceedsLimit(_) => ErrorCode::SyncServerFault,
        _ => ErrorCode::SyncUnreachable,
    };
    Error::new(code).caused_by(error)
}

/// The public half of a key, as the server keeps it.
pub fn public_key(key: &Ed25519KeyPair) -> Vec<u8> {
    key.public_key().as_ref().to_vec()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::address;

    #[test]
    fn what_is_written_is_tried_and_without_a_port_the_servers_own() {
        for (typed, meant) in [
            ("server.hospital.local", "https://server.hospital.local:8443"),
            (" https://server/ ", "https://server:8443"),
            ("server:443", "https://server:443"),
            ("https://10.0.0.7:9000", "https://10.0.0.7:9000"),
            ("[fd00::7]", "https://[fd00::7]:8443"),
            ("[fd00::7]:443", "https://[fd00::7]:443"),
        ] {
            assert_eq!(address(typed).unwrap(), meant);
        }
        for typed in
            ["", "server:", "server:0", "server:99999", "server:80:80", "server/path", "http://server"]
        {
            assert!(address(typed).is_err(), "{typed}");
        }
    }
}
