//! 更正: what came or changed after a month was frozen. The frozen figures stay; these stand beside them.

use std::collections::HashMap;

use rusqlite::Connection;
use serde::Serialize;
use ts_rs::TS;
use uuid::Uuid;

use super::content::{Content, MonthFigure};
use super::freeze::Frozen;
use super::lines::{Line, Part, Parts, Population, part};
use super::{Month, read_live};
use crate::error::Result;
use crate::reports::gather::{Keys, walk};

/// What became of a record since the freeze.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(rename = "MonthChange")]
pub enum Change {
    /// It came later.
    Came,
    /// It counts otherwise than then.
    Changed,
    /// It does not belong to the month any more.
    Gone,
}

/// A figure as it was frozen and as it would be now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(rename = "MonthRestatedFigure")]
pub struct RestatedFigure {
    /// As frozen.
    pub before: MonthFigure,
    /// As it would be now.
    pub after: MonthFigure,
}

/// How many records of a kind came, changed or went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(rename = "MonthRestatedCount")]
pub struct RestatedCount {
    /// Of what.
    pub population: Population,
    /// Came later.
    #[ts(type = "number")]
    pub came: i64,
    /// Count otherwise.
    #[ts(type = "number")]
    pub changed: i64,
    /// Went.
    #[ts(type = "number")]
    pub gone: i64,
}

/// What came after the freeze.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(rename = "MonthRestatement")]
pub struct Restatement {
    /// Every figure, in its order.
    pub figures: Vec<RestatedFigure>,
    /// Kinds of record of which any differs.
    pub counts: Vec<RestatedCount>,
    /// Frozen records that this desk does not have (other sites', or erased): they stay as they were frozen.
    #[ts(type = "number")]
    pub elsewhere: i64,
}

/// A record that differs. `before` and `after` are flags; none where there was or is no such record.
pub(super) struct Difference {
    pub population: Population,
    pub change: Change,
    pub id: Uuid,
    pub on: chrono::NaiveDate,
    pub department: String,
    pub before: Option<u16>,
    pub after: Option<u16>,
}

/// The differences in order, and what they come to.
pub(super) struct Compared {
    pub restatement: Restatement,
    pub differences: Vec<Difference>,
}

/// Holds a frozen month, whose lines are `parts`, against the records as they are.
pub(super) fn compare(
    connection: &Connection,
    month: &Month,
    frozen: &Frozen,
    parts: &Parts,
) -> Result<Compared> {
    // As on the day of the freeze: time alone restates nothing.
    let live = read_live(connection, month, frozen.today)?;
    let mut after = Parts::default();
    let mut differences = Vec::new();
    let mut elsewhere = 0;
    for (population, kept) in Population::ALL.into_iter().zip(&mut after) {
        let (old, new) = (part(parts, population), part(&live, population));
        let now: HashMap<Uuid, &Line> = new.lines.iter().map(|line| (line.id, line)).collect();
        let mut missing: Vec<&Line> = Vec::new();
        let was: HashMap<Uuid, &Line> = old.lines.iter().map(|line| (line.id, line)).collect();
        for line in &old.lines {
            match now.get(&line.id) {
                None => missing.push(line),
                Some(found) if !same((old, line), (new, found)) => {
                    differences.push(difference(
                        population,
                        Change::Changed,
                        (new, found),
                        Some(line.flags),
                        Some(found.flags),
                    ));
                }
                Some(_) => {}
            }
        }
        for line in new.lines.iter().filter(|line| !was.contains_key(&line.id)) {
            differences.push(difference(population, Change::Came, (new, line), None, Some(line.flags)));
        }
        let here = existing(connection, population, &missing)?;
        *kept = new.clone();
        for (line, here) in missing.iter().zip(here) {
            if here {
                differences.push(difference(population, Change::Gone, (old, line), Some(line.flags), None));
            } else {
                elsewhere += 1;
                kept.take_over(old, line);
            }
        }
    }
    differences.sort_by_key(|one| (one.population, one.on, one.id));
    let before = Content::of(parts).figures();
    let figures = before.into_iter().zip(Content::of(&after).figures());
    let restatement = Restatement {
        figures: figures.map(|(before, after)| RestatedFigure { before, after }).collect(),
        counts: counts(&differences),
        elsewhere,
    };
    Ok(Compared { restatement, differences })
}

fn same((old, before): (&Part, &Line), (new, after): (&Part, &Line)) -> bool {
    let names = |part: &Part, line: &Line| {
        [line.department, line.owner, line.word].map(|place| part.name(place).to_owned())
    };
    (before.flags, before.value, before.on) == (after.flags, after.value, after.on)
        && names(old, before) == names(new, after)
}

fn difference(
    population: Population,
    change: Change,
    (part, line): (&Part, &Line),
    before: Option<u16>,
    after: Option<u16>,
) -> Difference {
    Difference {
        population,
        change,
        id: line.id,
        on: super::lines::day_of(line),
        department: part.name(line.department).to_owned(),
        before,
        after,
    }
}

fn counts(differences: &[Difference]) -> Vec<RestatedCount> {
    let of = |population| {
        let count = |change| {
            let same = |one: &&Difference| one.population == population && one.change == change;
            i64::try_from(differences.iter().filter(same).count()).unwrap_or(i64::MAX)
        };
        let [came, changed, gone] = [Change::Came, Change::Changed, Change::Gone].map(count);
        RestatedCount { population, came, changed, gone }
    };
    Population::ALL.map(of).into_iter().filter(|one| one.came + one.changed + one.gone > 0).collect()
}

/// Which of the records are on this desk.
fn existing(connection: &Connection, population: Population, lines: &[&Line]) -> Result<Vec<bool>> {
    let mut here = vec![false; lines.len()];
    let mut keys: Keys<Uuid> = lines.iter().zip(0..).map(|(line, place)| (line.id, place)).collect();
    keys.sort_unstable();
    let sql = format!("SELECT id FROM {} WHERE id >= ?1 ORDER BY id", population.source().table);
    walk(connection, &sql, &keys, |place, _| {
        if let Some(here) = here.get_mut(place as usize) {
            *here = true;
        }
        Ok(())
    })?;
    Ok(here)
}

impl Part {
    /// Adds a line of another part, with its names.
    fn take_over(&mut self, from: &Part, line: &Line) {
        let mut place = |name: &str| {
            let found = self.names.iter().position(|known| known == name).unwrap_or_else(|| {
                self.names.push(name.to_owned());
                self.names.len() - 1
            });
            u16::try_from(found).unwrap_or(0)
        };
        let [department, owner, word] =
            [line.department, line.owner, line.word].map(|old| place(from.name(old)));
        self.lines.push(Line { department, owner, word, ..*line });
    }
}
