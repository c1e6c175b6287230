//! The totals against a fresh count.

use std::collections::{BTreeMap, HashSet};

use rusqlite::Connection;
use uuid::Uuid;

use super::cell::{Cell, Fact};
use super::names::Names;
use super::read::Totals;
use super::share::facts;
use crate::error::Result;
use crate::reports::Scope;
use crate::reports::dashboard::{Measure, Spans};

const MEASURES: [Measure; 8] = [
    Measure::Stays,
    Measure::Tasks,
    Measure::Calls,
    Measure::Hours,
    Measure::NurseHours,
    Measure::Alerts,
    Measure::Began,
    Measure::Ended,
];

/// Counts everything anew, and returns how many totals differ from that, what waits to be settled taken into account.
pub fn check(connection: &Connection) -> Result<u64> {
    let totals = Totals::open(connection)?;
    let mut expected = fresh(connection)?;
    let everything = Spans::everything();
    for measure in MEASURES {
        totals.each(measure, &everything, &Scope::default(), |cell, count| {
            *expected.entry(*cell).or_default() -= count;
        })?;
    }
    // Numbers of names that wait are given in the order they are met, which is the same both times.
    let differing = expected.values().filter(|count| **count != 0).count();
    Ok(differing as u64)
}

fn fresh(connection: &Connection) -> Result<BTreeMap<Cell, i64>> {
    // First those that wait, in the order in which a reader counts them: what is named for the first time gets the same
    // number.
    let mut names = Names::load(connection)?;
    let mut cells = BTreeMap::new();
    let mut add = |facts: Vec<Fact>| {
        for fact in facts {
            fact.cells(|cell| *cells.entry(cell).or_default() += 1);
        }
    };
    let waiting = super::settle::waiting(connection)?;
    for patient in &waiting {
        add(facts(connection, &mut names, *patient)?);
    }
    for patient in everybody(connection)?.difference(&waiting.into_iter().collect()) {
        add(facts(connection, &mut names, *patient)?);
    }
    Ok(cells)
}

fn everybody(connection: &Connection) -> Result<HashSet<Uuid>> {
    let mut statement = connection.prepare(
        "SELECT id FROM patient UNION SELECT patient_id FROM encounter UNION SELECT patient_id FROM task
         UNION SELECT patient_id FROM call UNION SELECT patient_id FROM alert UNION SELECT patient_id FROM enrolment",
    )?;
    let rows = statement.query_map([], |row| row.get(0))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}
