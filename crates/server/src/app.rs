//! What every route of one server process shares. Nothing in it is needed by another process: what
//! must last is in the store, what must be equal follows from the authority.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use aftercare_sync::door::ProblemCode;
use ring::hmac;
use ring::rand::{SecureRandom, SystemRandom};
use uuid::Uuid;

use crate::authority::Authority;
use crate::limits::{Asker, Limiter};
use crate::metrics::Metrics;
use crate::password::Cost;
use crate::problem::Refused;
use crate::store::{AuditLine, SERVER, Store};

/// Time and randomness, passed in.
#[derive(Clone, Copy)]
pub struct Env {
    /// The time, milliseconds UTC.
    pub now: fn() -> i64,
    /// What a password costs to try.
    pub cost: Cost,
}

impl Env {
    /// The machine's clock (which a rehearsal may have set off), and passwords as costly as they should be.
    pub fn system() -> Self {
        Self { now: system_millis, cost: Cost::FULL }
    }
}

fn system_millis() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let now = since.ok().and_then(|since| i64::try_from(since.as_millis()).ok()).unwrap_or(0);
    now + aftercare_rehearsal::clock_off_millis()
}

/// Random bytes from the system.
///
/// # Errors
/// `internal` when the system has none.
pub fn random<const N: usize>() -> Result<[u8; N], Refused> {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).map_err(|_| Refused::internal("random", "no randomness"))?;
    Ok(bytes)
}

/// A new id at this time (UUIDv7).
///
/// # Errors
/// `internal` when the system has no randomness.
pub fn new_id(now_millis: i64) -> Result<Uuid, Refused> {
    let random = random::<10>()?;
    let millis = u64::try_from(now_millis).unwrap_or(0);
    Ok(uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid())
}

/// Keys that follow from the authority.
pub struct Keys {
    /// Signs desks' tokens.
    pub token: hmac::Key,
    /// Signs the sessions of the administrators' page.
    pub session: hmac::Key,
    /// Hashes the secrets of enrolment codes.
    pub code: hmac::Key,
}

/// One server process.
pub struct App {
    /// Folder of the server's files.
    pub home: PathBuf,
    /// What is kept.
    pub store: Arc<dyn Store>,
    /// The authority that desks pin.
    pub authority: Authority,
    /// Keys that follow from it.
    pub keys: Keys,
    /// Time and cost.
    pub env: Env,
    /// Who may ask how often.
    pub limiter: Limiter,
    /// What Prometheus reads.
    pub metrics: Metrics,
    contacts: Mutex<HashMap<Uuid, i64>>,
    stopping: AtomicBool,
}

/// As routes get it.
pub type Shared = Arc<App>;

/// A desk's contact is noted once in this time.
const CONTACT_MILLIS: i64 = 60_000;

impl App {
    /// A process over this store.
    pub fn new(home: PathBuf, store: Arc<dyn Store>, authority: Authority, env: Env) -> Self {
        let keys = Keys {
            token: authority.derive("token"),
            session: authority.derive("session"),
            code: authority.derive("code"),
        };
        Self {
            home,
            store,
            authority,
            keys,
            env,
            limiter: Limiter::default(),
            metrics: Metrics::default(),
            contacts: Mutex::default(),
            stopping: AtomicBool::new(false),
        }
    }

    /// The time, milliseconds UTC.
    pub fn now(&self) -> i64 {
        (self.env.now)()
    }

    /// From now on `/readyz` says no, so that a balancer sends nobody here any more.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    /// Whether the process is about to end.
    pub fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    /// The hash under which a code's secret is kept.
    pub fn code_hash(&self, number: &str, secret: &str) -> [u8; 32] {
        let tag = hmac::sign(&self.keys.code, format!("{number} {secret}").as_bytes());
        let mut hash = [0; 32];
        hash.copy_from_slice(tag.as_ref());
        hash
    }

    /// Notes that a desk was here, at most once a minute. That it fails hurts nobody.
    pub async fn note_contact(&self, tenant: Uuid, device: Uuid) {
        let now = self.now();
        {
            let mut contacts = self.contacts.lock().unwrap_or_else(|poison| poison.into_inner());
            if contacts.get(&device).is_some_and(|last| now - last < CONTACT_MILLIS) {
                return;
            }
            if contacts.len() > 100_000 {
                contacts.clear();
            }
            contacts.insert(device, now);
        }
        if let Err(error) = self.store.note_contact(tenant, device, now).await {
            tracing::warn!(%error, %device, "contact not noted");
        }
    }

    /// Takes a try at a password or code: first of this process's own, then of what all count together.
    ///
    /// # Errors
    /// `too_many` with the seconds until there is one again; the store's.
    pub async fn take_try(&self, asker: Asker) -> Result<(), Refused> {
        let now = self.now();
        self.limiter.take(asker, now)?;
        let Some(attempt) = asker.shared() else {
            return Ok(());
        };
        match self.store.take_attempt(attempt, now).await? {
            None => Ok(()),
            Some(millis) => Err(Refused::new(ProblemCode::TooMany).with("seconds", (millis + 999) / 1000)),
        }
    }

    /// Puts a try back that turned out to be no guess: two hundred PCs of a hospital may join from behind one address.
    ///
    /// # Errors
    /// The store's.
    pub async fn give_back_try(&self, asker: Asker) -> Result<(), Refused> {
        self.limiter.give_back(asker);
        match asker.shared() {
            Some(attempt) => Ok(self.store.give_back_attempt(attempt).await?),
            None => Ok(()),
        }
    }

    /// Writes a line of the audit trail.
    ///
    /// # Errors
    /// The store's.
    pub async fn audit(
        &self,
        tenant: Uuid,
        actor: Uuid,
        act: &str,
        object: Uuid,
        details: serde_json::Value,
    ) -> Result<(), Refused> {
        let line =
            AuditLine { at: self.now(), actor, act: act.to_owned(), object, details: details.to_string() };
        Ok(self.store.audit(tenant, line).await?)
    }

    /// The same in the server's own trail.
    ///
    /// # Errors
    /// The store's.
    pub async fn audit_server(&self, actor: Uuid, act: &str, object: Uuid) -> Result<(), Refused> {
        self.audit(SERVER, actor, act, object, serde_json::json!({})).await
    }
}
