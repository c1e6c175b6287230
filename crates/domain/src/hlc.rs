//! Hybrid logical clock: wall time that never runs backwards on one desk.
//!
//! Kulkarni et al., "Logical Physical Clocks" (2014), in the 48 + 16 bit form.

use serde::{Deserialize, Serialize};

/// Milliseconds since 1970 (UTC) in the upper 48 bits, a counter in the lower 16.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Hlc(i64);

impl Hlc {
    /// The clock as stored in SQLite and in ops.
    pub fn from_i64(raw: i64) -> Self {
        Self(raw)
    }

    /// The raw value; order of raw values is order of clocks.
    pub fn as_i64(self) -> i64 {
        self.0
    }

    /// The wall-clock part, milliseconds since 1970 UTC.
    pub fn millis(self) -> i64 {
        self.0 >> 16
    }

    /// The next reading on this desk at wall time `now_millis`. Strictly later than
    /// `self`, even when the PC's clock was set back or stands still.
    pub fn tick(self, now_millis: i64) -> Self {
        let wall = Self(now_millis.max(0) << 16);
        if wall > self { wall } else { Self(self.0 + 1) }
    }

    /// The reading after seeing `other` from elsewhere.
    pub fn merge(self, other: Self, now_millis: i64) -> Self {
        self.max(other).tick(now_millis)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_clock_never_runs_backwards(times in prop::collection::vec(0i64..4_000_000_000_000, 1..200)) {
            let mut last = Hlc::default();
            for now in times {
                let next = last.tick(now);
                prop_assert!(next > last);
                prop_assert!(next.millis() >= now);
                last = next;
            }
        }

        #[test]
        fn a_merged_clock_is_later_than_both(a in 0i64..1 << 60, b in 0i64..1 << 60, now in 0i64..4_000_000_000_000) {
            let merged = Hlc::from_i64(a).merge(Hlc::from_i64(b), now);
            prop_assert!(merged > Hlc::from_i64(a) && merged > Hlc::from_i64(b));
        }
    }
}
