//! What the application takes from outside: time, randomness, the price of a password.

use std::sync::Arc;

use chrono::{DateTime, FixedOffset, NaiveDateTime, TimeDelta, Utc};
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
    /// Public keys (Ed25519) of who may sign new versions; none: no updates are taken.
    pub release_keys: Vec<Vec<u8>>,
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
    /// The real clock (which a rehearsal may have set off) and the real cost.
    pub fn real() -> Self {
        let clock = || Utc::now() + TimeDelta::milliseconds(aftercare_rehearsal::clock_off_millis());
        Self {
            clock: Arc::new(clock),
            password_cost: PasswordCost::Tuned,
            release_keys: crate::updates::built_in_keys(),
        }
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

/// Ids made in one go: UUIDv7 of one instant that ascend by small random steps, so that they stay
/// unguessable and land side by side in an index.
pub struct IdSequence {
    millis: u64,
    counter: u128,
    steps: [u8; 256],
    used: usize,
}

impl IdSequence {
    /// Ids of the instant `now_millis`, milliseconds UTC.
    pub fn new(now_millis: i64) -> Self {
        let mut start = [0_u8; 10];
        let _ = rand::rngs::OsRng.try_fill_bytes(&mut start);
        // The counter has 74 bits; the highest is left free so that it cannot run over.
        let counter = start.iter().fold(0_u128, |sum, byte| (sum << 8) | u128::from(*byte)) >> 7;
        let millis = u64::try_from(now_millis).unwrap_or(0);
        Self { millis, counter: counter & ((1 << 73) - 1), steps: [0; 256], used: 256 }
    }

    /// The next id.
    pub fn next_id(&mut self) -> Uuid {
        if self.used + 4 > self.steps.len() {
            let _ = rand::rngs::OsRng.try_fill_bytes(&mut self.steps);
            self.used = 0;
        }
        let step = self.steps[self.used..self.used + 4]
            .iter()
            .fold(0_u128, |sum, byte| (sum << 8) | u128::from(*byte));
        self.used += 4;
        self.counter += step + 1;
        // Twelve bits stand before the variant, sixty-two behind it (RFC 9562, method 2).
        let high = (self.counter >> 62) & 0xFFF;
        let low = self.counter & ((1 << 62) - 1);
        let bits = (u128::from(self.millis) << 80) | (0x7 << 76) | (high << 64) | (0b10 << 62) | low;
        Uuid::from_u128(bits)
    }
}

/// Fills `buffer` from the system's randomness, or fails.
pub fn fill_random(buffer: &mut [u8]) -> Result<()> {
    rand::rngs::OsRng.try_fill_bytes(buffer).map_err(Error::internal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_one_go_ascend_and_carry_their_instant() {
        let mut ids = IdSequence::new(1_763_256_600_000);
        let made: Vec<Uuid> = (0..10_000).map(|_| ids.next_id()).collect();
        assert!(made.windows(2).all(|pair| pair[0] < pair[1]));
        assert!(
            made.iter().all(|id| id.get_version_num() == 7 && id.get_variant() == uuid::Variant::RFC4122)
        );
        assert!(made.iter().all(|id| id.as_u128() >> 80 == 1_763_256_600_000));
    }
}
