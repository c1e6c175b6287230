//! The floor of a first sync: bytes through TLS, rows into tables.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aftercare_bench::desk;
use aftercare_bench::replay::drop_report_triggers;
use aftercare_core::archive::search_document;
use aftercare_core::testing::raw_connection;
use aftercare_server::authority::Authority;
use aftercare_sync::door::SnapshotPage;
use aftercare_sync::pack::unpack;
use rusqlite::types::Value;
use rusqlite::{Connection, Transaction, params_from_iter};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection, StreamOwned};
use uuid::Uuid;

/// How long the bare work takes, seconds.
pub struct Floor {
    /// The packed bytes over TLS.
    pub sending: f64,
    /// The rows of the synced tables, a transaction for each page.
    pub inserting: f64,
    /// The rows of search index and worklist, in one transaction.
    pub deriving: f64,
}

/// Tables that a desk makes from the synced ones.
const DERIVED: [&str; 5] = ["worklist", "worklist_tag", "report_name", "report_share", "report_total"];

/// Sends `pages` and inserts the rows that they became in the desk `from` into an empty desk `to`.
pub fn measure(from: &Path, to: &Path, pages: &[Vec<u8>], authority: &[u8]) -> Floor {
    let sending = send(pages, authority).as_secs_f64();
    let (source, target) = (desk::open(from), desk::open(to));
    let (source, mut target) = (raw_connection(&source), raw_connection(&target));
    configure(&target);
    drop_report_triggers(&target);
    let mut inserting = Duration::ZERO;
    let mut reader = Rows::new(&source);
    for page in pages {
        let page: SnapshotPage = unpack(page).unwrap();
        let rows: Vec<(Arc<str>, Vec<Value>)> =
            page.records.iter().map(|record| reader.row(&record.key.entity, record.key.id)).collect();
        inserting += insert(&mut target, |transaction| {
            for (sql, values) in &rows {
                transaction.prepare_cached(sql).unwrap().execute(params_from_iter(values)).unwrap();
            }
        });
    }
    let deriving = derive(&source, &mut target);
    let count = |connection: &Connection| -> i64 {
        connection.query_row("SELECT count(*) FROM archive_indexed", [], |row| row.get(0)).unwrap()
    };
    assert_eq!(count(&source), count(&target));
    Floor { sending, inserting: inserting.as_secs_f64(), deriving: deriving.as_secs_f64() }
}

/// As the desk sets its own up while it fills.
fn configure(connection: &Connection) {
    connection.set_prepared_statement_cache_capacity(256);
    let settings = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY;
                    PRAGMA cache_size = -65536; PRAGMA wal_autocheckpoint = 16000;";
    connection.execute_batch(settings).unwrap();
}

fn insert(target: &mut Connection, work: impl FnOnce(&Transaction<'_>)) -> Duration {
    let begun = Instant::now();
    let transaction = target.transaction().unwrap();
    work(&transaction);
    transaction.commit().unwrap();
    begun.elapsed()
}

/// Rows by their ids, and the statements that insert them.
struct Rows<'c> {
    connection: &'c Connection,
    statements: HashMap<String, (String, Arc<str>)>,
}

impl<'c> Rows<'c> {
    fn new(connection: &'c Connection) -> Self {
        connection.set_prepared_statement_cache_capacity(64);
        Self { connection, statements: HashMap::new() }
    }

    fn row(&mut self, table: &str, id: Uuid) -> (Arc<str>, Vec<Value>) {
        let connection = self.connection;
        let (select, insert) = self.statements.entry(table.to_owned()).or_insert_with(|| {
            let select = format!("SELECT * FROM {table} WHERE id = ?1");
            (select, insert_into(connection, table).into())
        });
        let mut statement = connection.prepare_cached(select).unwrap();
        let width = statement.column_count();
        let read = |row: &rusqlite::Row<'_>| (0..width).map(|at| row.get(at)).collect();
        (Arc::clone(insert), statement.query_row([id], read).unwrap())
    }
}

fn insert_into(connection: &Connection, table: &str) -> String {
    let width = connection.prepare(&format!("SELECT * FROM {table}")).unwrap().column_count();
    format!("INSERT INTO {table} VALUES ({})", vec!["?"; width].join(", "))
}

/// The search index keeps no texts: they are made again, which is not counted.
fn derive(source: &Connection, target: &mut Connection) -> Duration {
    let mut statement = source
        .prepare(
            "SELECT search_row, archive_indexed.num, name, id_number,
                    (SELECT group_concat(number, ' ') FROM phone WHERE patient_id = patient.id)
             FROM archive_indexed JOIN patient ON patient.num = archive_indexed.num ORDER BY search_row",
        )
        .unwrap();
    let entries = statement.query_map([], |row| {
        let (name, id): (String, Option<String>) = (row.get(2)?, row.get(3)?);
        let phones: Option<String> = row.get(4)?;
        let numbers = id.iter().map(String::as_str).chain(phones.iter().flat_map(|all| all.split(' ')));
        Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, search_document(&name, numbers)))
    });
    let entries: Vec<(i64, i64, String)> = entries.unwrap().map(Result::unwrap).collect();
    let derived: Vec<(String, Vec<Vec<Value>>)> =
        DERIVED.iter().map(|table| (insert_into(source, table), all(source, table))).collect();
    insert(target, |transaction| {
        let mut search =
            transaction.prepare("INSERT INTO archive_search (rowid, tokens) VALUES (?1, ?2)").unwrap();
        let mut indexed =
            transaction.prepare("INSERT INTO archive_indexed (num, search_row) VALUES (?1, ?2)").unwrap();
        for (row, num, text) in &entries {
            search.execute((row, text)).unwrap();
            indexed.execute((num, row)).unwrap();
        }
        for (sql, rows) in &derived {
            let mut statement = transaction.prepare(sql).unwrap();
            for row in rows {
                statement.execute(params_from_iter(row)).unwrap();
            }
        }
    })
}

fn all(connection: &Connection, table: &str) -> Vec<Vec<Value>> {
    let mut statement = connection.prepare(&format!("SELECT * FROM {table}")).unwrap();
    let width = statement.column_count();
    let rows = statement.query_map([], |row| (0..width).map(|at| row.get(at)).collect());
    rows.unwrap().map(Result::unwrap).collect()
}

/// The same bytes over the same TLS, with nothing done at either end.
fn send(pages: &[Vec<u8>], authority: &[u8]) -> Duration {
    let folder = tempfile::tempdir().unwrap();
    let own = Authority::open(folder.path(), chrono::Utc::now().timestamp_millis()).unwrap();
    assert_ne!(own.der(), authority, "a server of its own");
    let issued = own.issue(&["127.0.0.1".to_owned()], chrono::Utc::now().timestamp_millis()).unwrap();
    let provider = || Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(issued.chain, issued.key)
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let expected: usize = pages.iter().map(Vec::len).sum();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            let connection = ServerConnection::new(Arc::new(config)).unwrap();
            let mut stream = StreamOwned::new(connection, listener.accept().unwrap().0);
            for page in pages {
                stream.write_all(page).unwrap();
            }
            stream.conn.send_close_notify();
            stream.flush().unwrap();
        });
        let mut roots = RootCertStore::empty();
        roots.add(own.der().to_vec().into()).unwrap();
        let config = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let begun = Instant::now();
        let name = ServerName::try_from("127.0.0.1").unwrap();
        let connection = ClientConnection::new(Arc::new(config), name).unwrap();
        let mut stream = StreamOwned::new(connection, TcpStream::connect(address).unwrap());
        let (mut buffer, mut read) = (vec![0; 64 << 10], 0);
        while read < expected {
            read += stream.read(&mut buffer).unwrap();
        }
        begun.elapsed()
    })
}
