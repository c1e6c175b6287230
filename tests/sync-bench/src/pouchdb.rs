//! Side by side with PouchDB: the same records, replicated from express-pouchdb on loopback.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use aftercare_bench::measure::{Figure, print, rows, thousands, wanted};
use aftercare_domain::op::FieldValue;
use aftercare_sync::door::SnapshotPage;
use aftercare_sync::pack::unpack;
use aftercare_sync::record::Record;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::first::{join, pages};
use crate::history;

/// Records of the hospital.
const RECORDS: usize = 200_000;

/// Measures what was asked for.
pub fn measure() {
    let records = rows(RECORDS) / history::RECORDS * history::RECORDS;
    let count = thousands(records);
    let time = format!("sync: first sync of {count} records, beside PouchDB");
    let size = format!("sync: bytes of {count} records, beside PouchDB");
    if !wanted(&time) && !wanted(&size) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let joined = join(folder.path(), records / history::RECORDS);
    let bytes = joined.bytes as f64;
    let file = folder.path().join("records.ndjson");
    let pages = pages(&joined.central, &joined.reader, joined.site);
    write(&file, &pages, records);
    let theirs = replicate(&file);
    assert_eq!(theirs["records"], json!(records));
    let number = |name: &str| theirs[name].as_f64().unwrap();
    let ours = joined.done.rounds[0].seconds;
    print(&Figure { name: &time, ours, base: number("seconds"), goal: 0.1, unit: "s" });
    print(&Figure { name: &size, ours: bytes / 1e6, base: number("bytes") / 1e6, goal: 0.2, unit: "MB" });
}

/// The records as documents, one a line.
fn write(file: &Path, pages: &[Vec<u8>], expected: usize) {
    let mut to = BufWriter::new(File::create(file).unwrap());
    let mut count = 0;
    for page in pages {
        let page: SnapshotPage = unpack(page).unwrap();
        for record in &page.records {
            serde_json::to_writer(&mut to, &document(record)).unwrap();
            to.write_all(b"\n").unwrap();
            count += 1;
        }
    }
    to.flush().unwrap();
    assert_eq!(count, expected);
}

/// What a document database holds of a record: its fields, under one name.
fn document(record: &Record) -> Value {
    let mut fields = Map::new();
    fields.insert("_id".to_owned(), json!(format!("{}:{}", record.key.entity, record.key.id)));
    for (name, value) in &record.values {
        let value = match value {
            FieldValue::Null => Value::Null,
            FieldValue::Integer(value) => json!(value),
            FieldValue::Real(value) => json!(value),
            FieldValue::Text(value) => json!(value),
            FieldValue::Bytes(bytes) => match Uuid::from_slice(bytes) {
                Ok(id) => json!(id),
                Err(_) => json!(data_encoding::BASE64.encode(bytes)),
            },
        };
        fields.insert(name.clone(), value);
    }
    Value::Object(fields)
}

fn replicate(file: &Path) -> Value {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("pouchdb");
    install(&here);
    let mut node = Command::new("node");
    let output = node.arg("replicate.mjs").arg(file).current_dir(&here).stderr(Stdio::inherit()).output();
    let output = output.unwrap();
    assert!(output.status.success(), "replicate.mjs ended with {}", output.status);
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The packages of the lock file, unless they lie there already.
fn install(here: &Path) {
    let changed = |file: &str| here.join(file).metadata().and_then(|file| file.modified()).ok();
    if changed("node_modules/.package-lock.json") > changed("package-lock.json") {
        return;
    }
    let mut install = Command::new("npm");
    install.args(["ci", "--silent", "--no-audit", "--no-fund"]).current_dir(here);
    let installed = install.stdout(Stdio::from(std::io::stderr())).status().unwrap();
    assert!(installed.success(), "npm ci ended with {installed}");
}
