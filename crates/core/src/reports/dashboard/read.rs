//! The totals, and whatever was written since they were settled.

use std::collections::BTreeMap;

use rusqlite::{Connection, params};
use uuid::Uuid;

use super::cell::{Cell, Measure, Spans};
use super::names::{Kind, Names};
use super::settle::{Differences, cells, differ, waiting};
use crate::error::Result;
use crate::reports::Scope;

/// The totals of one snapshot.
pub struct Totals<'c> {
    connection: &'c Connection,
    names: Names,
    since: BTreeMap<Cell, i64>,
}

/// What cells must be like. `Some(None)` is a name that nothing was ever counted under.
struct Wanted {
    department: Option<Option<i64>>,
    plan: Option<Option<i64>>,
    site: Option<Option<i64>>,
    nurses: Vec<i64>,
}

impl<'c> Totals<'c> {
    /// Reads what was written since.
    pub fn open(connection: &'c Connection) -> Result<Self> {
        let mut names = Names::load(connection)?;
        let mut differences = Differences::new();
        for patient_id in waiting(connection)? {
            differ(connection, &mut names, patient_id, &mut differences)?;
        }
        Ok(Self { connection, names, since: cells(&differences) })
    }

    /// The name of a number; empty for none.
    pub fn name(&self, number: i64) -> &str {
        self.names.name(number)
    }

    /// The names something was counted under, ascending; without the empty one.
    pub fn names(&self, kind: Kind) -> Vec<String> {
        let numbers = self.names.numbers(kind);
        let mut names: Vec<String> = numbers
            .into_iter()
            .map(|number| self.name(number).to_owned())
            .filter(|name| !name.is_empty())
            .collect();
        names.sort_unstable();
        names
    }

    fn wanted(&self, measure: Measure, scope: &Scope) -> Wanted {
        let id = |id: Uuid| id.to_string();
        let find = |kind, name: Option<String>| name.map(|name| self.names.find(kind, &name));
        let has_plan = measure != Measure::Stays;
        let nurses = match (measure, scope.nurse) {
            (Measure::Stays | Measure::Hours | Measure::Began | Measure::Ended, _) => vec![0],
            (_, Some(nurse)) => self.names.find(Kind::Nurse, &id(nurse)).into_iter().collect(),
            (_, None) => self.names.numbers(Kind::Nurse),
        };
        Wanted {
            department: find(Kind::Department, scope.department.clone()),
            plan: find(Kind::Plan, scope.plan.clone().filter(|_| has_plan)),
            site: find(Kind::Site, scope.site.map(id)),
            nurses,
        }
    }

    /// Hands over every cell of a measure that lies in `spans` and that the scope's filters leave; those that the measure
    /// does not know are passed over.
    pub fn each(
        &self,
        measure: Measure,
        spans: &Spans,
        scope: &Scope,
        mut take: impl FnMut(&Cell, i64),
    ) -> Result<()> {
        let wanted = self.wanted(measure, scope);
        let fits = |wanted: Option<Option<i64>>, number: i64| wanted.is_none_or(|one| one == Some(number));
        let mut give = |cell: &Cell, count: i64| {
            if fits(wanted.department, cell.department)
                && fits(wanted.plan, cell.plan)
                && fits(wanted.site, cell.site)
            {
                take(cell, count);
            }
        };
        let mut statement = self.connection.prepare_cached(
            "SELECT span, department, plan, site, slot, count FROM report_total
             WHERE measure = ?1 AND nurse = ?2 AND span BETWEEN ?3 AND ?4",
        )?;
        for nurse in &wanted.nurses {
            for (first, last) in spans.ranges() {
                let mut rows = statement.query(params![measure as i64, nurse, first, last])?;
                while let Some(row) = rows.next()? {
                    let cell = Cell {
                        measure,
                        nurse: *nurse,
                        span: row.get(0)?,
                        department: row.get(1)?,
                        plan: row.get(2)?,
                        site: row.get(3)?,
                        slot: row.get(4)?,
                    };
                    give(&cell, row.get(5)?);
                }
            }
        }
        for (cell, count) in &self.since {
            if cell.measure == measure && spans.holds(cell.span) && wanted.nurses.contains(&cell.nurse) {
                give(cell, *count);
            }
        }
        Ok(())
    }
}
