//! Running the steps of a search and checking every hit against the patient's row.

use std::collections::BTreeSet;

use aftercare_domain::error_code::ErrorCode;
use aftercare_domain::pinyin::{self, Query};
use chrono::{Datelike, NaiveDate};
use rusqlite::{Connection, params};
use uuid::Uuid;

use super::NUM_BITS;
use super::plan::{NumberIndex, Step, plan};
use crate::archive::{FindHit, FindResponse, Matched, kept_id, mask_number};
use crate::error::{Error, Result};

/// A search never shows more.
const MOST_HITS: usize = 50;
/// So many hits of the index may turn out wrong before a search gives up and says there may be more.
const MOST_MISSES: usize = 300;

/// Finds patients. An empty query gives those discharged last. `today` tells their age.
pub fn find(connection: &Connection, query: &str, limit: usize, today: NaiveDate) -> Result<FindResponse> {
    let limit = limit.clamp(1, MOST_HITS);
    let mut search =
        Search { connection, today, wanted: limit + 1, seen: BTreeSet::new(), hits: Vec::new(), misses: 0 };
    let meanings = pinyin::classify(query);
    if query.trim().is_empty() {
        search.recent()?;
    }
    for meaning in &meanings {
        search.run(meaning)?;
    }
    let more = search.hits.len() > limit || search.misses >= MOST_MISSES;
    search.hits.truncate(limit);
    Ok(FindResponse { hits: search.hits, more })
}

/// One patient in a list, without a search.
///
/// Errors: `NotFound`.
pub fn hit(connection: &Connection, id: Uuid, today: NaiveDate) -> Result<FindHit> {
    let num: i64 = connection
        .prepare_cached("SELECT num FROM patient WHERE id = ?1")?
        .query_row([kept_id(connection, id)?], |row| row.get("num"))?;
    let found = load(connection, num)?.ok_or_else(|| Error::new(ErrorCode::NotFound))?;
    show(connection, found, Matched::Recent, false, today)
}

/// What of a patient is needed to check and to show a hit.
struct Found {
    id: Uuid,
    num: i64,
    name: String,
    sex: String,
    birth_on: Option<String>,
    age_text: Option<String>,
    mrn: Option<String>,
    outpatient_no: Option<String>,
    card_no: Option<String>,
    id_number: Option<String>,
    deceased: bool,
    contact_optout: String,
    phones: Vec<String>,
}

struct Search<'c> {
    connection: &'c Connection,
    today: NaiveDate,
    wanted: usize,
    seen: BTreeSet<i64>,
    hits: Vec<FindHit>,
    misses: usize,
}

impl Search<'_> {
    fn is_done(&self) -> bool {
        self.hits.len() >= self.wanted || self.misses >= MOST_MISSES
    }

    fn run(&mut self, query: &Query) -> Result<()> {
        // Beginnings of numbers and fragments stand together, newest first.
        let mut level_from = None;
        for step in plan(query) {
            let begun = self.hits.len();
            match step {
                Step::Exact(index, number) if !self.is_done() => self.exact(query, index, &number)?,
                Step::Beginning(index, number) if level_from.is_some() || !self.is_done() => {
                    level_from.get_or_insert(begun);
                    self.beginning(query, index, &number)?;
                }
                Step::Text { expression, exact } if level_from.is_some() || !self.is_done() => {
                    self.text(query, &expression, exact)?;
                }
                Step::Otherwise { expression } if self.hits.is_empty() => {
                    self.text(query, &expression, false)?;
                }
                Step::Exact(..) | Step::Beginning(..) | Step::Text { .. } | Step::Otherwise { .. } => {}
            }
        }
        if let Some(level) = level_from {
            self.hits[level..].sort_by(|a, b| b.recent_on.cmp(&a.recent_on));
        }
        Ok(())
    }

    fn exact(&mut self, query: &Query, index: NumberIndex, number: &str) -> Result<()> {
        let mut statement = self.connection.prepare_cached(exact_sql(index))?;
        let ids: Vec<Uuid> = statement
            .query_map(params![number, self.wanted as i64], |row| row.get("id"))?
            .collect::<rusqlite::Result<_>>()?;
        let begun = self.hits.len();
        for id in ids {
            self.offer_person(query, id, matched(index), true)?;
        }
        self.hits[begun..].sort_by(|a, b| b.recent_on.cmp(&a.recent_on));
        Ok(())
    }

    fn beginning(&mut self, query: &Query, index: NumberIndex, number: &str) -> Result<()> {
        let Some(sql) = beginning_sql(index) else { return Ok(()) };
        let mut statement = self.connection.prepare_cached(sql)?;
        let end = format!("{number}\u{10FFFF}");
        let ids: Vec<Uuid> = statement
            .query_map(params![number, end, self.wanted as i64], |row| row.get("id"))?
            .collect::<rusqlite::Result<_>>()?;
        for id in ids {
            self.offer_person(query, id, matched(index), false)?;
        }
        Ok(())
    }

    /// Walks the index from the newest patient on, only as far as needed.
    fn text(&mut self, query: &Query, expression: &str, exact: bool) -> Result<()> {
        let enough = self.hits.len() + self.wanted;
        let mut statement = self.connection.prepare_cached(
            "SELECT rowid FROM archive_search WHERE archive_search MATCH ?1 ORDER BY rowid DESC",
        )?;
        let mut rows = statement.query([expression])?;
        while let Some(row) = rows.next()? {
            let num = row.get::<_, i64>(0)? & ((1 << NUM_BITS) - 1);
            if let Some(found) = self.unseen(num)? {
                let why = fits(&found, query);
                self.take(found, why, exact)?;
            }
            if self.misses >= MOST_MISSES || self.hits.len() >= enough {
                break;
            }
        }
        Ok(())
    }

    fn recent(&mut self) -> Result<()> {
        let mut statement = self.connection.prepare_cached(include_str!("../sql/recent_patients.sql"))?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            self.offer(row.get("patient_id")?, Some(Matched::Recent), None, false)?;
            if self.is_done() {
                break;
            }
        }
        Ok(())
    }

    /// A patient found by a number. Somebody merged is shown as the person kept.
    fn offer_person(&mut self, query: &Query, id: Uuid, by: Matched, exact: bool) -> Result<()> {
        // Within a combined query the number alone is not enough.
        let whole = !matches!(query, Query::All(_));
        self.offer(id, whole.then_some(by), Some(query), exact)
    }

    fn offer(&mut self, id: Uuid, why: Option<Matched>, query: Option<&Query>, exact: bool) -> Result<()> {
        let kept = kept_id(self.connection, id)?;
        let num: i64 = self
            .connection
            .prepare_cached("SELECT num FROM patient WHERE id = ?1")?
            .query_row([kept], |row| row.get("num"))?;
        if let Some(found) = self.unseen(num)? {
            let why = match (why, query) {
                (Some(why), _) => Some(why),
                (None, Some(query)) => fits(&found, query),
                (None, None) => None,
            };
            self.take(found, why, exact)?;
        }
        Ok(())
    }

    fn unseen(&mut self, num: i64) -> Result<Option<Found>> {
        if self.seen.contains(&num) {
            return Ok(None);
        }
        let found = load(self.connection, num)?;
        if found.is_none() {
            self.misses += 1;
        }
        Ok(found)
    }

    fn take(&mut self, found: Found, why: Option<Matched>, exact: bool) -> Result<()> {
        match why {
            None => self.misses += 1,
            Some(why) => {
                self.seen.insert(found.num);
                self.hits.push(show(self.connection, found, why, exact, self.today)?);
            }
        }
        Ok(())
    }
}

fn show(
    connection: &Connection,
    found: Found,
    matched: Matched,
    exact: bool,
    today: NaiveDate,
) -> Result<FindHit> {
    let last = crate::db::optional(
        connection.prepare_cached(include_str!("../sql/last_encounter.sql"))?.query_row([found.id], |row| {
            Ok((row.get::<_, Option<String>>("department")?, row.get::<_, Option<String>>("last_on")?))
        }),
    )?;
    let (department, recent_on) = last.unwrap_or((None, None));
    Ok(FindHit {
        patient_id: found.id,
        name: found.name.into(),
        sex: found.sex,
        age_years: found.birth_on.as_deref().and_then(|on| age_on(on, today)),
        age_text: found.age_text,
        birth_on: found.birth_on,
        mrn: found.mrn,
        phone: found.phones.first().map(|number| aftercare_domain::phone::mask(number)),
        id_number: found.id_number.as_deref().map(mask_number),
        department,
        recent_on,
        matched,
        exact,
        deceased: found.deceased,
        contact_optout: found.contact_optout,
    })
}

/// Whole years on `today`; none for a date that is no date or lies ahead.
pub(in crate::archive) fn age_on(birth_on: &str, today: NaiveDate) -> Option<u32> {
    let birth: NaiveDate = birth_on.parse().ok()?;
    let before_birthday = (today.month(), today.day()) < (birth.month(), birth.day());
    u32::try_from(today.year() - birth.year() - i32::from(before_birthday)).ok()
}

/// Why a patient fits, or `None`.
fn fits(found: &Found, query: &Query) -> Option<Matched> {
    match query {
        Query::Han(_) => pinyin::matches(&found.name, query).then_some(Matched::Name),
        Query::Letters { .. } | Query::Mixed(_) => {
            pinyin::matches(&found.name, query).then_some(Matched::Pinyin)
        }
        Query::Digits(number) | Query::IdTail(number) | Query::Code(number) => fits_number(found, number),
        Query::All(all) => {
            let each: Option<Vec<Matched>> = all.iter().map(|query| fits(found, query)).collect();
            each?.into_iter().max()
        }
    }
}

fn fits_number(found: &Found, number: &str) -> Option<Matched> {
    let begins = |stored: &Option<String>| {
        stored.as_deref().is_some_and(|stored| {
            let stored = stored.to_uppercase();
            stored.starts_with(number) || stored.trim_start_matches('0').starts_with(number)
        })
    };
    if begins(&found.mrn) {
        Some(Matched::Mrn)
    } else if begins(&found.outpatient_no) {
        Some(Matched::OutpatientNo)
    } else if begins(&found.card_no) {
        Some(Matched::CardNo)
    } else if found.phones.iter().any(|phone| phone.contains(number)) {
        Some(Matched::Phone)
    } else if found.id_number.as_deref().is_some_and(|id| id.to_uppercase().contains(number)) {
        Some(Matched::IdNumber)
    } else {
        None
    }
}

fn load(connection: &Connection, num: i64) -> Result<Option<Found>> {
    let found = crate::db::optional(connection.prepare_cached(include_str!("../sql/found.sql"))?.query_row(
        [num],
        |row| {
            Ok(Found {
                id: row.get("id")?,
                num,
                name: row.get("name")?,
                sex: row.get("sex")?,
                birth_on: row.get("birth_on")?,
                age_text: row.get("age_text")?,
                mrn: row.get("mrn")?,
                outpatient_no: row.get("outpatient_no")?,
                card_no: row.get("card_no")?,
                id_number: row.get("id_number")?,
                deceased: row.get("deceased")?,
                contact_optout: row.get("contact_optout")?,
                phones: Vec::new(),
            })
        },
    ))?;
    let Some(mut found) = found else { return Ok(None) };
    found.phones = connection
        .prepare_cached("SELECT number FROM phone WHERE patient_id = ?1 AND removed = 0 ORDER BY rank, id")?
        .query_map([found.id], |row| row.get("number"))?
        .collect::<rusqlite::Result<_>>()?;
    Ok(Some(found))
}

fn matched(index: NumberIndex) -> Matched {
    match index {
        NumberIndex::Mrn => Matched::Mrn,
        NumberIndex::OutpatientNo => Matched::OutpatientNo,
        NumberIndex::CardNo => Matched::CardNo,
        NumberIndex::VisitNo => Matched::VisitNo,
        NumberIndex::IdNumber => Matched::IdNumber,
        NumberIndex::Phone => Matched::Phone,
    }
}

fn exact_sql(index: NumberIndex) -> &'static str {
    match index {
        NumberIndex::Mrn => "SELECT id FROM patient WHERE mrn = ?1 AND removed = 0 LIMIT ?2",
        NumberIndex::OutpatientNo => {
            "SELECT id FROM patient WHERE outpatient_no = ?1 AND removed = 0 LIMIT ?2"
        }
        NumberIndex::CardNo => "SELECT id FROM patient WHERE card_no = ?1 AND removed = 0 LIMIT ?2",
        NumberIndex::IdNumber => "SELECT id FROM patient WHERE id_number = ?1 AND removed = 0 LIMIT ?2",
        NumberIndex::VisitNo => {
            "SELECT patient_id AS id FROM encounter WHERE visit_no = ?1 AND removed = 0 LIMIT ?2"
        }
        NumberIndex::Phone => "SELECT patient_id AS id FROM phone WHERE number = ?1 AND removed = 0 LIMIT ?2",
    }
}

/// Greater numbers are newer ones. Beginnings of phones are fragments: the full-text index has them.
fn beginning_sql(index: NumberIndex) -> Option<&'static str> {
    Some(match index {
        NumberIndex::Mrn => {
            "SELECT id FROM patient WHERE mrn >= ?1 AND mrn < ?2 AND removed = 0 ORDER BY mrn DESC LIMIT ?3"
        }
        NumberIndex::OutpatientNo => {
            "SELECT id FROM patient WHERE outpatient_no >= ?1 AND outpatient_no < ?2 AND removed = 0
             ORDER BY outpatient_no DESC LIMIT ?3"
        }
        NumberIndex::CardNo => {
            "SELECT id FROM patient WHERE card_no >= ?1 AND card_no < ?2 AND removed = 0
             ORDER BY card_no DESC LIMIT ?3"
        }
        NumberIndex::VisitNo => {
            "SELECT patient_id AS id FROM encounter WHERE visit_no >= ?1 AND visit_no < ?2 AND removed = 0
             ORDER BY visit_no DESC LIMIT ?3"
        }
        // Greater ID numbers are not newer patients: the few who fit are put in order by their place in the index.
        NumberIndex::IdNumber => {
            "SELECT patient.id FROM patient LEFT JOIN archive_indexed ON archive_indexed.num = patient.num
             WHERE id_number >= ?1 AND id_number < ?2 AND removed = 0
             ORDER BY archive_indexed.search_row DESC LIMIT ?3"
        }
        NumberIndex::Phone => return None,
    })
}
