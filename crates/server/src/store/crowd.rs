//! Who pushes at the same time. A desk that has much to say goes slowly while others speak, and at once when it is alone.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use uuid::Uuid;

/// Somebody who came so long ago is still there.
const PRESENT: Duration = Duration::from_secs(1);

/// The last two desks that came, the later first.
#[derive(Default)]
pub struct Crowd(Mutex<[Option<(Uuid, Instant)>; 2]>);

impl Crowd {
    /// A desk comes; says whether another is there.
    pub fn join(&self, desk: Uuid, now: Instant) -> bool {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let [later, earlier] = *seen;
        let other = [later, earlier].into_iter().flatten().find(|(other, _)| *other != desk);
        *seen = [Some((desk, now)), other];
        other.is_some_and(|(_, at)| now.saturating_duration_since(at) < PRESENT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_desk_is_alone_until_another_comes_and_again_when_that_has_gone() {
        let crowd = Crowd::default();
        let (alice, bob, begun) = (Uuid::from_u128(1), Uuid::from_u128(2), Instant::now());
        let at = |millis| begun + Duration::from_millis(millis);
        assert!(!crowd.join(alice, at(0)));
        assert!(!crowd.join(alice, at(10)));
        assert!(crowd.join(bob, at(20)));
        assert!(crowd.join(alice, at(30)) && crowd.join(alice, at(1000)));
        assert!(!crowd.join(alice, at(1020)));
    }
}
