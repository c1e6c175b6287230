//! What of the totals is a patient's: the rows of every population that are theirs.

use rusqlite::{Connection, Row, params};
use uuid::Uuid;

use super::cell::{ALERT_STATES, Fact, LEVELS, Measure, task};
use super::names::{Kind, Names};
use crate::error::Result;
use crate::reports::population::Source;
use crate::reports::sheet;

/// A population, what its rows count as, and the columns that make the slot.
const READ: [(Source, Measure, &str); 5] = [
    (Source::Discharges, Measure::Stays, "everyone, expected, followed"),
    (Source::Tasks, Measure::Tasks, "counted, done, timely, called, reached, completed"),
    (Source::Calls, Measure::NurseHours, "everyone, weekday, hour, connected"),
    (Source::Alerts, Measure::Alerts, "level IS NOT NULL, level, state"),
    (Source::Managed, Measure::Began, "everyone, lost, ended_on"),
];

/// Where the columns of a slot begin, after those that every population has; the first says whether the row counts.
const SLOT: usize = 5;

/// The facts of a patient, sorted.
///
/// # Errors
/// Those of the database.
pub fn facts(connection: &Connection, names: &mut Names, patient_id: Uuid) -> Result<Vec<Fact>> {
    let mut facts = Vec::new();
    for (source, measure, columns) in READ {
        let sql = format!(
            "SELECT on_date, department, plan_code, user_id, site_id, {columns} FROM ({})",
            source.of_patient()
        );
        let mut statement = connection.prepare_cached(&sql)?;
        let mut rows = statement.query(params![patient_id])?;
        while let Some(row) = rows.next()? {
            if row.get::<_, Option<bool>>(SLOT)? == Some(true) {
                count(names, measure, row, &mut facts)?;
            }
        }
    }
    facts.sort_unstable();
    Ok(facts)
}

fn count(names: &mut Names, measure: Measure, row: &Row<'_>, facts: &mut Vec<Fact>) -> Result<()> {
    let on: Option<String> = row.get(0)?;
    let Some(day) = on.as_deref().and_then(sheet::day) else { return Ok(()) };
    let department = names.number(Kind::Department, text(row, 1)?);
    let site = names.number_of_id(Kind::Site, row.get(4)?);
    let mut keys = [0, department, 0, site, slot(measure, row)?];
    if measure != Measure::Stays {
        keys[2] = names.number(Kind::Plan, text(row, 2)?);
    }
    if matches!(measure, Measure::Tasks | Measure::NurseHours | Measure::Alerts) {
        keys[0] = names.number_of_id(Kind::Nurse, row.get(3)?);
    }
    facts.push(Fact { measure, day, keys });
    if measure == Measure::Began {
        let ended_on: Option<String> = row.get(SLOT + 2)?;
        if let Some(day) = ended_on.as_deref().and_then(sheet::day) {
            facts.push(Fact { measure: Measure::Ended, day, keys });
        }
    }
    Ok(())
}

/// A column's text; empty where there is none.
fn text<'r>(row: &'r Row<'_>, at: usize) -> Result<&'r str> {
    Ok(row.get_ref(at)?.as_str_or_null().ok().flatten().unwrap_or_default())
}

/// The flags after the one that says whether the row counts.
fn slot(measure: Measure, row: &Row<'_>) -> Result<i64> {
    let flag =
        |at: usize| -> Result<i64> { Ok(i64::from(row.get::<_, Option<bool>>(SLOT + at)? == Some(true))) };
    let place = |at: usize, words: &[&str]| -> Result<i64> {
        let word = text(row, SLOT + at)?;
        Ok(words.iter().position(|known| *known == word).unwrap_or(words.len()) as i64)
    };
    Ok(match measure {
        Measure::Stays => flag(1)? | flag(2)? << 1,
        Measure::Tasks => {
            let flags = [task::DONE, task::TIMELY, task::CALLED, task::REACHED, task::COMPLETED];
            let mut slot = 0;
            for (at, bit) in flags.into_iter().enumerate() {
                slot |= flag(at + 1)? * bit;
            }
            slot
        }
        Measure::NurseHours => {
            let hour = row.get::<_, i64>(SLOT + 1)? * 24 + row.get::<_, i64>(SLOT + 2)?;
            hour * 2 + flag(3)?
        }
        Measure::Alerts => place(1, &LEVELS)? * 4 + place(2, &ALERT_STATES)?,
        _ => flag(1)?,
    })
}
