//! The floor of a write: the rows that it changed, written bare into a copy of the database.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use aftercare_core::App;
use aftercare_core::testing::raw_connection_at;
use rusqlite::types::Value;
use rusqlite::{Connection, TransactionBehavior, params_from_iter};
use uuid::Uuid;

/// Rows by table and key.
type Rows = BTreeMap<(&'static str, Vec<Key>), Row>;

/// A row with the names of its columns.
#[derive(Clone)]
struct Row {
    columns: Rc<Vec<String>>,
    values: Vec<Value>,
}

/// A key that can be compared.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Null,
    Number(i64),
    Bytes(Vec<u8>),
    Text(String),
}

/// A table, how many of its columns are its key, and which rows a patient's call may change. `?1` is the patient.
struct Table {
    name: &'static str,
    key: &'static [&'static str],
    rows: &'static str,
}

const TABLES: [Table; 18] = [
    Table { name: "patient", key: &["num"], rows: "id = ?1" },
    Table { name: "phone", key: &["id"], rows: "patient_id = ?1" },
    Table { name: "enrolment", key: &["id"], rows: "patient_id = ?1" },
    Table { name: "task", key: &["id"], rows: "patient_id = ?1" },
    Table { name: "call", key: &["id"], rows: "patient_id = ?1" },
    Table { name: "response", key: &["id"], rows: "patient_id = ?1" },
    Table { name: "alert", key: &["id"], rows: "patient_id = ?1" },
    Table { name: "dial", key: &["token"], rows: "patient_id = ?1" },
    Table {
        name: "field_clock",
        key: &["record_id", "field"],
        rows: "record_id IN (SELECT id FROM task WHERE patient_id = ?1 UNION ALL SELECT id FROM phone WHERE patient_id = ?1
                 UNION ALL SELECT id FROM enrolment WHERE patient_id = ?1) OR record_id = ?1",
    },
    Table { name: "op", key: &["dseq"], rows: "dseq > (SELECT max(dseq) - 40 FROM op) AND ?1 IS NOT NULL" },
    Table { name: "audit", key: &["seq"], rows: "seq > (SELECT max(seq) - 4 FROM audit) AND ?1 IS NOT NULL" },
    Table { name: "desk", key: &["only_row"], rows: "?1 IS NOT NULL" },
    Table { name: "draft", key: &["user_id", "key"], rows: "?1 IS NOT NULL" },
    Table {
        name: "call_undo",
        key: &["call_id"],
        rows: "call_id IN (SELECT id FROM call WHERE patient_id = ?1)",
    },
    Table {
        name: "worklist",
        key: &["patient_num"],
        rows: "patient_num = (SELECT num FROM patient WHERE id = ?1)",
    },
    Table {
        name: "worklist_tag",
        key: &["tag", "rank", "patient_num"],
        rows: "(tag, rank, patient_num) IN (SELECT value, worklist.rank, patient_num
                 FROM worklist, json_each('[\"' || replace(worklist.tags, char(10), '\",\"') || '\"]')
                 WHERE patient_num = (SELECT num FROM patient WHERE id = ?1))",
    },
    Table { name: "worklist_total", key: &["bucket"], rows: "?1 IS NOT NULL" },
    Table { name: "report_changed", key: &["patient_id"], rows: "patient_id = ?1" },
];

/// What a patient's call may change.
pub struct State(Rows);

/// One row to write: SQL and its values.
pub type Change = (String, Vec<Value>);

impl State {
    /// Reads it.
    pub fn of(connection: &Connection, patient: Uuid) -> Self {
        let mut rows = Rows::new();
        for table in &TABLES {
            let mut statement = connection
                .prepare_cached(&format!("SELECT * FROM {} WHERE {}", table.name, table.rows))
                .unwrap();
            let names: Vec<String> = statement.column_names().map(str::to_owned).collect();
            let columns = Rc::new(names);
            let mut found = statement.query([patient]).unwrap();
            while let Some(row) = found.next().unwrap() {
                let values: Vec<Value> = (0..columns.len()).map(|at| row.get(at).unwrap()).collect();
                let row = Row { columns: Rc::clone(&columns), values };
                let key = table.key.iter().map(|column| comparable(row.value(column))).collect();
                rows.insert((table.name, key), row);
            }
        }
        Self(rows)
    }

    /// The rows to insert, update (only the columns that differ) and delete to come to `after`.
    pub fn changes_to(&self, after: &Self) -> Vec<Change> {
        let mut changes = Vec::new();
        for ((table, key), row) in &after.0 {
            match self.0.get(&(*table, key.clone())) {
                None => {
                    let places = vec!["?"; row.values.len()].join(", ");
                    changes.push((format!("INSERT INTO {table} VALUES ({places})"), row.values.clone()));
                }
                Some(before) if before.values != row.values => changes.push(update(table, before, row)),
                Some(_) => {}
            }
        }
        // Of the two logs only the end was read; nothing leaves them.
        let gone =
            self.0.keys().filter(|key| !after.0.contains_key(*key) && !["op", "audit"].contains(&key.0));
        changes.extend(gone.map(|(table, key)| {
            (format!("DELETE FROM {table} WHERE {}", of_key(table)), key.iter().map(valued).collect())
        }));
        changes
    }
}

impl Row {
    fn value(&self, column: &str) -> &Value {
        &self.values[self.columns.iter().position(|name| name == column).unwrap()]
    }
}

fn key_of(table: &str) -> &'static [&'static str] {
    TABLES.iter().find(|known| known.name == table).unwrap().key
}

fn of_key(table: &str) -> String {
    key_of(table).iter().map(|column| format!("{column} = ?")).collect::<Vec<_>>().join(" AND ")
}

fn update(table: &str, before: &Row, after: &Row) -> Change {
    let differing: Vec<usize> =
        (0..after.values.len()).filter(|at| before.values[*at] != after.values[*at]).collect();
    let sets: Vec<String> = differing.iter().map(|at| format!("{} = ?", after.columns[*at])).collect();
    let mut values: Vec<Value> = differing.iter().map(|at| after.values[*at].clone()).collect();
    values.extend(key_of(table).iter().map(|column| after.value(column).clone()));
    (format!("UPDATE {table} SET {} WHERE {}", sets.join(", "), of_key(table)), values)
}

fn comparable(value: &Value) -> Key {
    match value {
        Value::Null | Value::Real(_) => Key::Null,
        Value::Integer(number) => Key::Number(*number),
        Value::Text(text) => Key::Text(text.clone()),
        Value::Blob(bytes) => Key::Bytes(bytes.clone()),
    }
}

fn valued(key: &Key) -> Value {
    match key {
        Key::Null => Value::Null,
        Key::Number(number) => Value::Integer(*number),
        Key::Text(text) => Value::Text(text.clone()),
        Key::Bytes(bytes) => Value::Blob(bytes.clone()),
    }
}

/// Takes the triggers off that note whose totals change: the bare work writes their rows itself.
pub fn drop_report_triggers(connection: &Connection) {
    let mut statement = connection
        .prepare(
            "SELECT name FROM sqlite_schema WHERE type = 'trigger' AND name LIKE 'report\\_%' ESCAPE '\\'",
        )
        .unwrap();
    let names: Vec<String> = statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    for name in names {
        connection.execute_batch(&format!("DROP TRIGGER {name}")).unwrap();
    }
}

/// A copy of the database, set up as the program sets up its own, written without the program.
pub struct Bare(Connection);

impl Bare {
    /// Copies the database of `app`, which `raw` is open on.
    pub fn new(app: &Arc<App>, raw: &Connection) -> Self {
        raw.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
        let from = raw.path().unwrap().to_owned();
        let path = format!("{from}.bare");
        std::fs::copy(from, &path).unwrap();
        let connection = raw_connection_at(app, path.as_ref());
        connection.set_prepared_statement_cache_capacity(256);
        let settings = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY;
                        PRAGMA cache_size = -8000;";
        connection.execute_batch(settings).unwrap();
        drop_report_triggers(&connection);
        Self(connection)
    }

    /// Brings what a patient's call may change to where the program's own database is.
    pub fn follow(&mut self, raw: &Connection, patient: Uuid) {
        let changes = State::of(&self.0, patient).changes_to(&State::of(raw, patient));
        self.write(&changes);
    }

    /// Writes the rows in one durable transaction.
    pub fn write(&mut self, changes: &[Change]) {
        let transaction = self.0.transaction_with_behavior(TransactionBehavior::Immediate).unwrap();
        for (sql, values) in changes {
            transaction.prepare_cached(sql).unwrap().execute(params_from_iter(values)).unwrap();
        }
        transaction.commit().unwrap();
    }
}
