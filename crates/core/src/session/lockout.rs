//! Five failures lock a user for 15 minutes, across restarts.

use std::collections::BTreeMap;

use aftercare_domain::error_code::ErrorCode;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

const MOST_FAILURES: u32 = 5;
const LOCKED_MILLIS: i64 = 15 * 60 * 1000;

/// Failures by login. Unknown logins count too, so that names cannot be probed.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Failures(BTreeMap<String, Count>);

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Count {
    failures: u32,
    /// Of the last failure, milliseconds UTC.
    at: i64,
}

impl Failures {
    /// Refuses a login that is locked out at `now`. A clock set back does not shorten the wait:
    /// it starts again from the new time.
    pub fn check(&mut self, login: &str, now: i64) -> Result<()> {
        let Some(count) = self.0.get_mut(login) else { return Ok(()) };
        if now < count.at {
            count.at = now;
        }
        if count.failures < MOST_FAILURES {
            return Ok(());
        }
        let until = count.at + LOCKED_MILLIS;
        if now >= until {
            self.0.remove(login);
            return Ok(());
        }
        Err(Error::new(ErrorCode::LockedOut)
            .with("until", until)
            .with("minutes", (until - now).div_euclid(60_000) + 1))
    }

    /// Counts a try before it is made, so that pulling the plug during it saves nothing.
    /// Returns how many are left.
    pub fn count(&mut self, login: &str, now: i64) -> u32 {
        // Names that nobody has could fill the file: the oldest make room.
        if self.0.len() >= 1000 && !self.0.contains_key(login) {
            let oldest = self.0.iter().min_by_key(|(_, count)| count.at).map(|(name, _)| name.clone());
            oldest.map(|name| self.0.remove(&name));
        }
        let count = self.0.entry(login.to_owned()).or_insert(Count { failures: 0, at: now });
        count.failures += 1;
        count.at = now;
        MOST_FAILURES.saturating_sub(count.failures)
    }

    /// Forgets the failures of a login.
    pub fn clear(&mut self, login: &str) {
        self.0.remove(login);
    }
}
