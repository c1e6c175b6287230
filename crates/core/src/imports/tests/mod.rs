#![allow(clippy::unwrap_used, clippy::expect_used)]

mod hostile;
mod mess;
mod sample;
mod story;

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::testing::Desk;

/// A file of the fixtures of this feature.
pub fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/imports").join(name)
}

/// Imports a file as alice.
pub fn import(desk: &Desk, path: &Path) -> Value {
    desk.call("imports_run", json!({ "path": path, "language": "en" }))
}

/// Writes a file into the desk's folder and imports it.
pub fn import_text(desk: &Desk, name: &str, text: &str) -> Value {
    let path = write(desk, name, text.as_bytes());
    import(desk, &path)
}

/// Writes a file beside the desk's own.
pub fn write(desk: &Desk, name: &str, bytes: &[u8]) -> PathBuf {
    let path = desk.home.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

/// The visible rows of a table as text, without ids of records and what an import alone makes differ.
pub fn visible(desk: &Desk, sql: &str) -> Vec<String> {
    desk.ctx()
        .read(|connection| {
            let mut statement = connection.prepare(sql)?;
            let width = statement.column_count();
            let rows = statement.query_map([], |row| {
                let cells = (0..width).map(|at| format!("{:?}", row.get_ref(at).unwrap()));
                Ok(cells.collect::<Vec<_>>().join(" | "))
            })?;
            Ok(rows.collect::<rusqlite::Result<Vec<_>>>()?)
        })
        .unwrap()
}

/// One number from the database.
pub fn count(desk: &Desk, sql: &str) -> i64 {
    desk.ctx().read(|connection| Ok(connection.query_row(sql, [], |row| row.get(0))?)).unwrap()
}
