//! Numbers of versions. Two desks that edit a plan without knowing of each other must not both make
//! "version 3": answers name their form by code and number.
//!
//! A number is `4096 × mark + count`. The count goes up by one from the latest version, whoever made
//! that. What ships has mark 0 and its own version as count, so it is the same on every desk. What a
//! desk makes has the desk's mark, twenty random bits of its id: two desks share one in a million.

use uuid::Uuid;

const COUNT_BITS: u32 = 12;
const MOST: u32 = (1 << COUNT_BITS) - 1;
const MARK_BITS: u32 = 20;
/// Crockford's letters and digits, which nobody mixes up.
const LETTERS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// What people count versions by.
pub fn count(version: u32) -> u32 {
    version & MOST
}

/// The version after `latest` (0: the first) made on `device`; none when there are 4095 already.
pub(super) fn next(latest: u32, device: Uuid) -> Option<u32> {
    let count = count(latest) + 1;
    (count <= MOST).then(|| (mark(device) << COUNT_BITS) | count)
}

/// The number of a shipped version.
pub(super) fn shipped(version: u32) -> u32 {
    version.min(MOST)
}

/// A desk's mark: the end of its id, which is random. Never 0.
fn mark(device: Uuid) -> u32 {
    let bits = u32::try_from(device.as_u128() & ((1 << MARK_BITS) - 1)).unwrap_or(0);
    bits.max(1)
}

/// The number as people see it: `3`, or `3-7K2M` with the mark of the desk that made it.
pub fn label(version: u32) -> String {
    let mark = version >> COUNT_BITS;
    let mut text = count(version).to_string();
    if mark > 0 {
        text.push('-');
        for place in (0..MARK_BITS / 5).rev() {
            let letter = LETTERS.get((mark >> (5 * place) & 31) as usize);
            text.push(letter.map_or('0', |letter| char::from(*letter)));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_desks_that_edit_the_same_version_make_two_numbers() {
        let (alice, bob) = (Uuid::from_u128(0xA_BCDE), Uuid::from_u128(0xF0_0001));
        let numbers = [alice, bob].map(|desk| next(1, desk).unwrap_or(0));
        assert_ne!(numbers[0], numbers[1]);
        assert!(numbers.iter().all(|number| count(*number) == 2));
        assert_eq!(numbers.map(label), ["2-NF6Y", "2-0001"]);
        assert_eq!(next(numbers[1], alice).map(count), Some(3), "the count goes on from whoever came last");
    }

    #[test]
    fn what_ships_has_the_same_plain_number_everywhere() {
        assert_eq!((shipped(2), label(shipped(2)).as_str()), (2, "2"));
        assert_eq!(next(MOST, Uuid::from_u128(7)), None, "no number is used twice");
    }
}
