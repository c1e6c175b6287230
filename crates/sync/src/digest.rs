//! The content of a scope as 64 sums, so that two replicas can be compared in one message and a
//! difference is narrowed to 1/64 of the records before any of them is named.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// How many buckets a scope's records fall into.
pub const BUCKETS: usize = 64;

/// The bucket of a record, from the random end of its id.
pub fn bucket(id: Uuid) -> usize {
    usize::from(id.as_bytes()[15]) % BUCKETS
}

/// The sums of a scope's records.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScopeDigest {
    /// One sum per bucket; missing at the end means zero.
    sums: Vec<u128>,
}

impl Default for ScopeDigest {
    fn default() -> Self {
        Self { sums: vec![0; BUCKETS] }
    }
}

impl ScopeDigest {
    /// From stored sums, by bucket.
    pub fn from_sums(sums: impl IntoIterator<Item = (usize, u128)>) -> Self {
        let mut digest = Self::default();
        for (bucket, sum) in sums {
            if let Some(place) = digest.sums.get_mut(bucket) {
                *place = sum;
            }
        }
        digest
    }

    /// Counts a record's content in.
    pub fn add(&mut self, id: Uuid, content: u128) {
        let place = &mut self.sums[bucket(id)];
        *place = place.wrapping_add(content);
    }

    /// Takes a record's content out.
    pub fn take(&mut self, id: Uuid, content: u128) {
        let place = &mut self.sums[bucket(id)];
        *place = place.wrapping_sub(content);
    }

    /// Counts everything in that another digest has counted.
    pub fn join(&mut self, other: &Self) {
        for (place, sum) in self.sums.iter_mut().zip(&other.sums) {
            *place = place.wrapping_add(*sum);
        }
    }

    /// The buckets in which the two differ.
    pub fn differing(&self, other: &Self) -> Vec<usize> {
        (0..BUCKETS).filter(|bucket| self.sums.get(*bucket) != other.sums.get(*bucket)).collect()
    }

    /// All of it in one number, to print and to compare.
    pub fn total(&self) -> u128 {
        self.sums
            .iter()
            .enumerate()
            .fold(0, |sum, (bucket, part)| sum.wrapping_add(part.wrapping_mul(2 * bucket as u128 + 1)))
    }

    /// The sum of one bucket.
    pub fn sum(&self, bucket: usize) -> u128 {
        self.sums.get(bucket).copied().unwrap_or(0)
    }
}
