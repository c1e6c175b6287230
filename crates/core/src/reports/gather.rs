//! Reading many records of the encrypted file in the order they lie in.
//!
//! Looking a record up decrypts the pages it lies on, so a hundred thousand look-ups in the order of a report decrypt
//! each page again and again. Here the wanted keys are sorted first and met by one walk in ascending order: every
//! page is read once. What is read is kept in one buffer until the report's order is known.

use rusqlite::types::{FromSql, ToSql, ValueRef};
use rusqlite::{Connection, Row};
use uuid::Uuid;

use crate::error::Result;

/// Wanted keys, ascending, each with the place in the report that it belongs to.
pub(super) type Keys<K> = Vec<(K, u32)>;

/// So many rows that nobody wants are walked over before the next wanted key is sought instead.
const FRUITLESS: u32 = 12;

/// Walks `sql`, whose first column is the key and which is ordered by it from `?1` on, and hands over the rows with
/// wanted keys, once for each place.
pub(super) fn walk<K: Copy + Ord + ToSql + FromSql>(
    connection: &Connection,
    sql: &str,
    keys: &[(K, u32)],
    mut take: impl FnMut(u32, &Row<'_>) -> Result<()>,
) -> Result<()> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut wanted = keys;
    while let Some((first, _)) = wanted.first() {
        let mut rows = statement.query([first])?;
        let mut fruitless = 0;
        while fruitless < FRUITLESS {
            let Some(row) = rows.next()? else { return Ok(()) };
            let key: K = row.get(0)?;
            // Left behind are keys without a row, and the one before.
            while wanted.first().is_some_and(|(first, _)| *first < key) {
                wanted = wanted.get(1..).unwrap_or_default();
            }
            fruitless += 1;
            for (_, place) in wanted.iter().take_while(|(first, _)| *first == key) {
                fruitless = 0;
                take(*place, row)?;
            }
            if wanted.is_empty() {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// The row numbers that an index gives for keys, ascending. `sql` walks the index: key, row number.
pub(super) fn row_numbers<K: Copy + Ord + ToSql + FromSql>(
    connection: &Connection,
    sql: &str,
    keys: &[(K, u32)],
) -> Result<Keys<i64>> {
    let mut found = Vec::with_capacity(keys.len());
    walk(connection, sql, keys, |place, row| {
        found.push((row.get(1)?, place));
        Ok(())
    })?;
    found.sort_unstable();
    Ok(found)
}

/// Rows by place, their columns one after the other in one buffer.
#[derive(Default)]
pub(super) struct Shelf {
    bytes: Vec<u8>,
    /// Where a place's row begins, plus one; 0 where there is none.
    starts: Vec<usize>,
}

const NULL: u8 = 0;
const INTEGER: u8 = 1;
const BYTES: u8 = 2;

impl Shelf {
    /// Room for `places` rows of about `width` bytes.
    pub fn new(places: usize, width: usize) -> Self {
        Self { bytes: Vec::with_capacity(places * width), starts: vec![0; places] }
    }

    /// How many places there are, filled or not.
    pub fn len(&self) -> usize {
        self.starts.len()
    }

    /// Keeps the columns of `row` after its key, in place of what was there.
    pub fn put(&mut self, place: u32, row: &Row<'_>) -> Result<()> {
        let Some(start) = self.starts.get_mut(place as usize) else { return Ok(()) };
        *start = self.bytes.len() + 1;
        for column in 1..row.as_ref().column_count() {
            match row.get_ref(column)? {
                ValueRef::Integer(value) => {
                    self.bytes.push(INTEGER);
                    self.bytes.extend_from_slice(&value.to_le_bytes());
                }
                ValueRef::Text(bytes) | ValueRef::Blob(bytes) => {
                    self.bytes.push(BYTES);
                    self.bytes.extend_from_slice(&u32::try_from(bytes.len()).unwrap_or(0).to_le_bytes());
                    self.bytes.extend_from_slice(bytes);
                }
                ValueRef::Null | ValueRef::Real(_) => self.bytes.push(NULL),
            }
        }
        Ok(())
    }

    /// The columns at a place, to be taken one after the other.
    pub fn at(&self, place: u32) -> Option<Columns<'_>> {
        let start = self.starts.get(place as usize)?.checked_sub(1)?;
        Some(Columns(self.bytes.get(start..)?))
    }

    /// What is at a place is not wanted.
    pub fn clear(&mut self, place: u32) {
        if let Some(start) = self.starts.get_mut(place as usize) {
            *start = 0;
        }
    }

    /// The places that hold a row, ascending.
    pub fn places(&self) -> impl Iterator<Item = u32> + '_ {
        let filled = self.starts.iter().enumerate().filter(|(_, start)| **start > 0);
        filled.map(|(place, _)| place as u32)
    }

    /// A key from each row, ascending; rows without one are left out.
    pub fn keys<K: Ord>(&self, key: impl Fn(Columns<'_>) -> Option<K>) -> Keys<K> {
        let found = self.places().filter_map(|place| Some((key(self.at(place)?)?, place)));
        let mut keys: Keys<K> = found.collect();
        keys.sort_unstable();
        keys
    }
}

/// The columns of a kept row. Each call takes the next one; a column of another kind reads as none.
#[derive(Clone, Copy, Default)]
pub(super) struct Columns<'a>(&'a [u8]);

impl<'a> Columns<'a> {
    fn next(&mut self) -> (u8, &'a [u8]) {
        let Some((kind, rest)) = self.0.split_first() else { return (NULL, &[]) };
        let (length, rest) = match *kind {
            INTEGER => (8, rest),
            BYTES => match rest.split_first_chunk::<4>() {
                Some((length, rest)) => (u32::from_le_bytes(*length) as usize, rest),
                None => (0, rest),
            },
            _ => (0, rest),
        };
        let (value, rest) = rest.split_at_checked(length).unwrap_or((rest, &[]));
        self.0 = rest;
        (*kind, value)
    }

    /// The next column as text.
    pub fn text(&mut self) -> Option<&'a str> {
        match self.next() {
            (BYTES, bytes) => std::str::from_utf8(bytes).ok(),
            _ => None,
        }
    }

    /// The next column as a whole number.
    pub fn integer(&mut self) -> Option<i64> {
        match self.next() {
            (INTEGER, bytes) => bytes.try_into().ok().map(i64::from_le_bytes),
            _ => None,
        }
    }

    /// The next column as an id.
    pub fn id(&mut self) -> Option<Uuid> {
        match self.next() {
            (BYTES, bytes) => Uuid::from_slice(bytes).ok(),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn numbers() -> Connection {
        let connection = Connection::open_in_memory().unwrap();
        connection
            .execute_batch(
                "CREATE TABLE t (id INTEGER PRIMARY KEY, word TEXT, more INTEGER);
                 WITH RECURSIVE n(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n WHERE id < 1000)
                 INSERT INTO t SELECT id, 'w' || id, nullif(id % 7, 0) FROM n WHERE id % 5 <> 0;",
            )
            .unwrap();
        connection
    }

    #[test]
    fn a_walk_finds_what_a_look_up_finds() {
        let connection = numbers();
        let mut wanted: Keys<i64> =
            (0..400_u32).map(|place| (i64::from(place * place) % 1010, place)).collect();
        wanted.sort_unstable();
        let mut shelf = Shelf::new(400, 16);
        let sql = "SELECT id, word, more FROM t WHERE id >= ?1 ORDER BY id";
        walk(&connection, sql, &wanted, |place, row| shelf.put(place, row)).unwrap();
        for (id, place) in wanted {
            let found = connection
                .query_row("SELECT word, more FROM t WHERE id = ?1", [id], |row| {
                    Ok((row.get::<_, Option<String>>(0)?, row.get::<_, Option<i64>>(1)?))
                })
                .ok();
            let kept = shelf.at(place).map(|mut row| (row.text().map(str::to_owned), row.integer()));
            assert_eq!(kept, found, "{id}");
        }
    }

    #[test]
    fn a_key_with_several_rows_and_several_places_gives_all_of_them() {
        let connection = numbers();
        let sql = "SELECT id / 100, word FROM t WHERE id >= ?1 * 100 ORDER BY id";
        let mut found = vec![0; 3];
        walk(&connection, sql, &[(2_i64, 0), (2, 1), (7, 2)], |place, _| {
            found[place as usize] += 1;
            Ok(())
        })
        .unwrap();
        assert_eq!(found, [80, 80, 80]);
    }

    #[test]
    fn a_later_row_takes_the_place_of_an_earlier_one() {
        let connection = numbers();
        let mut shelf = Shelf::new(2, 4);
        for sql in ["SELECT 0, 'first', 1", "SELECT 0, 'second', NULL"] {
            connection
                .query_row(sql, [], |row| {
                    shelf.put(1, row).unwrap();
                    Ok(())
                })
                .unwrap();
        }
        assert!(shelf.at(0).is_none());
        let mut row = shelf.at(1).unwrap();
        assert_eq!((row.text(), row.integer(), row.text()), (Some("second"), None, None));
        shelf.clear(1);
        assert_eq!(shelf.places().count(), 0);
    }
}
