//! The serial number that people see: `2026-7K3F-00012`.
//!
//! Desks work offline for days, so no desk can know the hospital's next number, and a number that the server would give
//! later could not be told to the complainant on the telephone. So each desk counts its own range: year, four signs of the
//! desk's identity, and the desk's own count without gaps. Another desk cannot give the same number unless its signs are
//! the same; the desk that then meets a number of a foreign complaint in its range takes more signs. A number names a
//! complaint to people; to the program the id does, so even two equal numbers would harm nothing.

use chrono::{Datelike, NaiveDate};
use rusqlite::{Connection, params};
use uuid::Uuid;

use crate::error::Result;

/// Digits and letters that are not mistaken for each other on the telephone.
const SIGNS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const FEWEST_SIGNS: usize = 4;
const MOST_SIGNS: usize = 12;

/// The first `count` signs of a desk's identity. The random end of an id is read first: its beginning is a time.
fn signs(device: Uuid, count: usize) -> String {
    let bits = device.as_u128();
    (0..count).map(|place| char::from(SIGNS[((bits >> (5 * place)) & 31) as usize])).collect()
}

/// The next number of this desk. Its own range is the one whose first complaint it registered itself, which it knows by
/// the count it keeps: a number that came from elsewhere in that range moves it to a longer one.
pub(super) fn next(connection: &Connection, device: Uuid, received_on: NaiveDate) -> Result<String> {
    for count in FEWEST_SIGNS..=MOST_SIGNS {
        let range = format!("{}-{}-", received_on.year(), signs(device, count));
        let own: i64 = connection
            .prepare_cached("SELECT coalesce(max(used), 0) FROM complaint_range WHERE range = ?1")?
            .query_row([&range], |row| row.get(0))?;
        let there: i64 = connection
            .prepare_cached("SELECT count(*) FROM complaint WHERE number > ?1 AND number < ?2")?
            .query_row(params![range, format!("{range}~")], |row| row.get(0))?;
        if there > own && count < MOST_SIGNS {
            continue;
        }
        connection
            .prepare_cached(
                "INSERT INTO complaint_range (range, used) VALUES (?1, ?2)
                 ON CONFLICT (range) DO UPDATE SET used = excluded.used",
            )?
            .execute(params![range, own + 1])?;
        return Ok(format!("{range}{:05}", own + 1));
    }
    Ok(format!("{}-{}", received_on.year(), device.simple()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signs_of_two_desks_differ_where_their_ids_differ() {
        let desk = Uuid::from_u128(0x0192_0000_0000_7000_8000_0000_0000_0FFF);
        assert_eq!(signs(desk, 4), "ZZ30");
        assert_ne!(signs(desk, 4), signs(Uuid::from_u128(desk.as_u128() + 1), 4));
    }
}
