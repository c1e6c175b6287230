//! How often who may ask: buckets that fill with time.
//!
//! Most are this process's own: several processes together let through as many times more, which still bounds what one
//! caller costs. What is there against guessing is counted by all processes together, in the store: tries at
//! passwords and codes by address ([`Asker::shared`]), wrong passwords of a user
//! (`Store::note_login`) and tries at one code (`Store::enrol`).

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::Mutex;

use aftercare_sync::door::ProblemCode;
use uuid::Uuid;

use crate::problem::Refused;
use crate::store::Attempt;

/// Who asks, and for what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Asker {
    /// A desk with a token.
    Device(Uuid),
    /// Somebody who has shown no token yet. A hospital may stand behind one address.
    Address(IpAddr),
    /// Somebody at this address who tries codes.
    Codes(IpAddr),
    /// Somebody at this address who tries passwords.
    Passwords(IpAddr),
    /// A user who signs in.
    User(Uuid),
}

impl Asker {
    /// How many requests at once, and how many more per second.
    fn allowance(self) -> (f64, f64) {
        match self {
            Self::Device(_) => (2000.0, 50.0),
            Self::Address(_) => (1000.0, 20.0),
            Self::Codes(_) => (20.0, 1.0 / 15.0),
            Self::Passwords(_) => (30.0, 0.2),
            Self::User(_) => (10.0, 0.1),
        }
    }

    /// What all processes count together, besides each for itself.
    pub fn shared(self) -> Option<Attempt> {
        let (kind, address) = match self.normal() {
            Self::Codes(address) => ("code", address),
            Self::Passwords(address) => ("password", address),
            Self::Device(_) | Self::Address(_) | Self::User(_) => return None,
        };
        let (most, per_second) = self.allowance();
        let each = (1000.0 / per_second).round() as i64;
        Some(Attempt { kind, address: address.to_string(), most: most as i64, each })
    }

    fn normal(self) -> Self {
        match self {
            Self::Address(address) => Self::Address(network(address)),
            Self::Codes(address) => Self::Codes(network(address)),
            Self::Passwords(address) => Self::Passwords(network(address)),
            other => other,
        }
    }
}

/// Whoever has one IPv6 address has the 64 bits behind it.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let bits = u128::from(address) & !u128::from(u64::MAX);
            IpAddr::V6(bits.into())
        }
        v4 => v4,
    }
}

#[derive(Debug)]
struct Bucket {
    left: f64,
    at: i64,
}

/// More askers than this are forgotten and begin anew.
const MOST_ASKERS: usize = 200_000;

/// The buckets.
#[derive(Debug, Default)]
pub struct Limiter {
    buckets: Mutex<HashMap<Asker, Bucket>>,
}

impl Limiter {
    /// Takes one request out of the asker's bucket.
    ///
    /// # Errors
    /// `too_many` with the seconds until there is one again.
    pub fn take(&self, asker: Asker, now_millis: i64) -> Result<(), Refused> {
        let asker = asker.normal();
        let (most, per_second) = asker.allowance();
        let mut buckets = self.buckets.lock().unwrap_or_else(|poison| poison.into_inner());
        if buckets.len() >= MOST_ASKERS && !buckets.contains_key(&asker) {
            buckets.clear();
        }
        let bucket = buckets.entry(asker).or_insert(Bucket { left: most, at: now_millis });
        let seconds = (now_millis - bucket.at).max(0) as f64 / 1000.0;
        bucket.left = (bucket.left + seconds * per_second).min(most);
        bucket.at = bucket.at.max(now_millis);
        if bucket.left < 1.0 {
            let wait = ((1.0 - bucket.left) / per_second).ceil() as i64;
            return Err(Refused::new(ProblemCode::TooMany).with("seconds", wait.max(1)));
        }
        bucket.left -= 1.0;
        Ok(())
    }

    /// Puts a request back that was none of those to be limited.
    pub fn give_back(&self, asker: Asker) {
        let asker = asker.normal();
        let mut buckets = self.buckets.lock().unwrap_or_else(|poison| poison.into_inner());
        if let Some(bucket) = buckets.get_mut(&asker) {
            bucket.left = (bucket.left + 1.0).min(asker.allowance().0);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn who_tries_codes_is_stopped_and_may_go_on_later() {
        let limiter = Limiter::default();
        let mallory = Asker::Codes("10.0.0.9".parse().unwrap());
        for _ in 0..20 {
            limiter.take(mallory, 0).unwrap();
        }
        let refused = limiter.take(mallory, 0).unwrap_err();
        assert_eq!((refused.code, refused.params["seconds"]), (ProblemCode::TooMany, 15));
        limiter.take(Asker::Codes("10.0.0.10".parse().unwrap()), 0).unwrap();
        limiter.take(mallory, 15_000).unwrap();
        limiter.take(mallory, 15_000).unwrap_err();
        // A clock that is set back gives nothing away.
        limiter.take(mallory, 0).unwrap_err();
    }

    #[test]
    fn a_try_that_was_no_guess_is_put_back_and_no_more_than_that() {
        let limiter = Limiter::default();
        let it = Asker::Codes("10.0.0.9".parse().unwrap());
        for _ in 0..200 {
            limiter.take(it, 0).unwrap();
            limiter.give_back(it);
        }
        limiter.give_back(it);
        for _ in 0..20 {
            limiter.take(it, 0).unwrap();
        }
        limiter.take(it, 0).unwrap_err();
    }

    #[test]
    fn neighbours_in_one_ipv6_network_are_one() {
        let limiter = Limiter::default();
        for last in 0..20 {
            limiter.take(Asker::Codes(format!("2001:db8::{last:x}").parse().unwrap()), 0).unwrap();
        }
        limiter.take(Asker::Codes("2001:db8::ffff".parse().unwrap()), 0).unwrap_err();
        limiter.take(Asker::Codes("2001:db8:0:1::1".parse().unwrap()), 0).unwrap();
    }
}
