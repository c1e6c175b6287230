//! Departments, plans, nurses and sites as small numbers.

use std::collections::HashMap;

use rusqlite::{Connection, params};
use uuid::Uuid;

use crate::error::Result;

/// What a name names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A department.
    Department,
    /// A plan's code.
    Plan,
    /// A user's id.
    Nurse,
    /// A site's id.
    Site,
}

impl Kind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Department => "department",
            Self::Plan => "plan",
            Self::Nurse => "nurse",
            Self::Site => "site",
        }
    }
}

/// The names known so far. New ones are numbered from the last on, and kept by [`Names::keep`]; who only reads forgets
/// them again.
pub struct Names {
    numbers: HashMap<Kind, HashMap<String, i64>>,
    by_number: HashMap<i64, (Kind, String)>,
    kept: i64,
    last: i64,
}

impl Names {
    /// Reads them.
    pub fn load(connection: &Connection) -> Result<Self> {
        let mut names = Self { numbers: HashMap::new(), by_number: HashMap::new(), kept: 0, last: 0 };
        let mut statement = connection.prepare_cached("SELECT num, kind, name FROM report_name")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let (num, word, name): (i64, String, String) =
                (row.get("num")?, row.get("kind")?, row.get("name")?);
            let kinds = [Kind::Department, Kind::Plan, Kind::Nurse, Kind::Site];
            if let Some(kind) = kinds.into_iter().find(|kind| kind.as_str() == word) {
                names.note(num, kind, name);
            }
            names.last = names.last.max(num);
        }
        names.kept = names.last;
        Ok(names)
    }

    fn note(&mut self, num: i64, kind: Kind, name: String) {
        self.numbers.entry(kind).or_default().insert(name.clone(), num);
        self.by_number.insert(num, (kind, name));
    }

    /// The number of a name, a new one if need be.
    pub fn number(&mut self, kind: Kind, name: &str) -> i64 {
        if let Some(num) = self.find(kind, name) {
            return num;
        }
        self.last += 1;
        self.note(self.last, kind, name.to_owned());
        self.last
    }

    /// The same for an id; nobody has the number of the empty name.
    pub fn number_of_id(&mut self, kind: Kind, id: Option<Uuid>) -> i64 {
        let mut buffer = Uuid::encode_buffer();
        self.number(kind, id.map_or("", |id| id.hyphenated().encode_lower(&mut buffer)))
    }

    /// The number of a name, if it has one.
    pub fn find(&self, kind: Kind, name: &str) -> Option<i64> {
        self.numbers.get(&kind)?.get(name).copied()
    }

    /// The name of a number; empty for none.
    pub fn name(&self, num: i64) -> &str {
        self.by_number.get(&num).map_or("", |(_, name)| name)
    }

    /// Every number of a kind.
    pub fn numbers(&self, kind: Kind) -> Vec<i64> {
        let mut all: Vec<i64> =
            self.by_number.iter().filter(|(_, (known, _))| *known == kind).map(|(num, _)| *num).collect();
        all.sort_unstable();
        all
    }

    /// Writes the new ones.
    pub fn keep(&mut self, connection: &Connection) -> Result<()> {
        let mut insert =
            connection.prepare_cached("INSERT INTO report_name (num, kind, name) VALUES (?1, ?2, ?3)")?;
        for num in self.kept + 1..=self.last {
            if let Some((kind, name)) = self.by_number.get(&num) {
                insert.execute(params![num, kind.as_str(), name])?;
            }
        }
        self.kept = self.last;
        Ok(())
    }
}
