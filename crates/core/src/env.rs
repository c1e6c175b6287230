//! What the application takes from outside: time, randomness, the price of a password.

use std::sync::Arc;

use chrono::{DateTime, FixedOffset, NaiveDateTime, Utc};
use rand::TryRngCore;
use uuid::Uuid;

use crate::error::{Error, Result};

/// Reads the wall clock.
pub type Clock = Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>;

/// Time, randomness and costs, passed in once when the application opens.
#[derive(Clone)]
pub struct Env {
    /// The wall clock.
    pub clock: Clock,
    /// How dear a password check is.
    pub password_cost: PasswordCost,
}

/// The Argon2id parameters for new key slots.
#[derive(Debug, Clone, Copy)]
pub enum PasswordCost {
    /// 64 MiB and as many passes (at least 3) as take half a second on this PC.
    Tuned,
    /// Fixed memory (KiB) and passes, for tests.
    Fixed {
        /// Memory in KiB.
        memory_kib: u32,
        /// Passes over it.
        passes: u32,
    },
}

impl Env {
    /// The real clock and the real cost.
    pub fn real() -> Self {
        Self { clock: Arc::new(Utc::now), password_cost: PasswordCost::Tuned }
    }

    /// Now, in UTC.
    pub fn now(&self) -> DateTime<Utc> {
        (self.clock)()
    }
}

/// China Standard Time. Hospitals in China keep it everywhere and it has no summer time.
pub fn hospital_offset() -> FixedOffset {
    FixedOffset::east_opt(8 * 3600).unwrap_or_else(unreachable_offset)
}

fn unreachable_offset() -> FixedOffset {
    // Eight hours is always in range; zero keeps this total without a panic.
    chrono::Offset::fix(&Utc)
}

/// The hospital's wall clock at `instant`.
pub fn local(instant: DateTime<Utc>) -> NaiveDateTime {
    instant.with_timezone(&hospital_offset()).naive_local()
}

/// A new id: UUIDv7 at `now`, so that new rows sort last.
pub fn new_id(now: DateTime<Utc>) -> Uuid {
    let mut random = [0_u8; 10];
    // Without the system's randomness ids would still be unique by time within one desk;
    // a failing source is reported where keys are made.
    let _ = rand::rngs::OsRng.try_fill_bytes(&mut random);
    let millis = u64::try_from(now.timestamp_millis()).unwrap_or(0);
    uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
}

/// Fills `buffer` from the system's randomness, or fails.
pub fn fill_random(buffer: &mut [u8]) -> Result<()> {
    rand::rngs::OsRng.try_fill_bytes(buffer).map_err(Error::internal)
}
