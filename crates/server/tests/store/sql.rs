//! The SQL stays within what PostgreSQL, Citus, YugabyteDB and CockroachDB all have.

use std::path::{Path, PathBuf};

/// What one of them lacks, or what works only while one process has the database to itself.
const BANNED: [&str; 24] = [
    "listen",
    "notify",
    "trigger",
    "serial",
    "bigserial",
    "sequence",
    "nextval",
    "identity",
    "pg_advisory",
    "plpgsql",
    "function",
    "temporary",
    "unlogged",
    "inherits",
    "exclude",
    "rule",
    "xmin",
    "ctid",
    "txid_current",
    "pg_current_xact_id",
    "savepoint",
    "lock table",
    "materialized",
    "deferrable",
];

fn files(folder: &Path, end: &str, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, end, found);
        } else if path.to_string_lossy().ends_with(end) {
            found.push(path);
        }
    }
}

/// The statements of a migration, without its comments.
fn statements(file: &str) -> String {
    file.lines().map(|line| line.split("--").next().unwrap_or("")).collect::<Vec<_>>().join("\n")
}

/// The texts of a program's file that are SQL.
fn quoted(file: &str) -> String {
    let code =
        file.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
    let texts = code.split('"').skip(1).step_by(2);
    let words = ["SELECT ", "INSERT ", "UPDATE ", "DELETE ", "BEGIN ", "SET ", "GRANT ", "ON CONFLICT"];
    texts.filter(|text| words.iter().any(|word| text.contains(word))).collect::<Vec<_>>().join("\n")
}

fn banned(sql: &str) -> Option<&'static str> {
    let sql = format!(" {} ", sql.to_lowercase());
    BANNED.into_iter().find(|word| {
        sql.match_indices(word).any(|(at, _)| {
            let is_part = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
            let ends = *word == "pg_advisory" || !is_part(sql[at + word.len()..].chars().next());
            !is_part(sql[..at].chars().next_back()) && ends
        })
    })
}

#[test]
fn nothing_that_one_of_the_engines_lacks() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut read = Vec::new();
    files(&root.join("migrations/postgres"), ".sql", &mut read);
    let migrations = read.len();
    files(&root.join("src/store"), ".rs", &mut read);
    // SQLite's own side has one writer and savepoints.
    read.retain(|path| !path.ends_with("sqlite.rs"));
    let mut length = 0;
    for path in &read {
        let file = std::fs::read_to_string(path).unwrap();
        let is_migration = path.extension().is_some_and(|end| end == "sql");
        let sql = if is_migration { statements(&file) } else { quoted(&file) };
        assert_eq!(banned(&sql), None, "{}", path.display());
        length += sql.len();
        if is_migration {
            keys_start_with_the_tenant(&sql);
        }
    }
    assert!(migrations >= 2 && length > 20_000, "{migrations} migrations, {length} characters of SQL");
}

fn keys_start_with_the_tenant(sql: &str) {
    for word in ["PRIMARY KEY", "UNIQUE"] {
        for key in sql.split(word).skip(1).map(str::trim_start) {
            assert!(key.starts_with("(tenant_id"), "{word} {}", key.lines().next().unwrap_or(""));
        }
    }
}

#[test]
fn the_search_itself_finds_what_is_there() {
    assert_eq!(banned("CREATE TRIGGER hold AFTER INSERT"), Some("trigger"));
    assert_eq!(banned("SELECT pg_advisory_xact_lock(1)"), Some("pg_advisory"));
    assert_eq!(banned("id BIGSERIAL PRIMARY KEY"), Some("bigserial"));
    assert_eq!(banned(&quoted("tx.run(\"SELECT nextval('op_seq')\", &[])")), Some("nextval"));
    assert_eq!(banned(&statements("-- No triggers\nSELECT listened FROM op")), None);
}
