//! A reader follows a hospital's feed while many desks write, their transactions held open on purpose
//! between numbering and commit. No row may be skipped.
//!
//! `AFTERCARE_RACE_ROWS` says how many rows; the test command takes some, the full proof 1,000,000. That the test can fail
//! is shown by writers who number under the lock and let go of it before they commit.

use std::collections::BTreeMap;
use std::sync::Arc;

use aftercare_domain::op::ChangeKind::{Fact, Fields};
use aftercare_server::store::{Answered, Limits, Store};
use aftercare_sync::wire::{Event, MAX_OPS};
use tokio_postgres::Client;
use uuid::Uuid;

use crate::desk::{Desk, accepted, id, make_hospital};
use crate::places::Place;
use crate::postgres::OWNER;

const TENANT: Uuid = Uuid::from_u128(0x7e);
const WRITERS: usize = 8;
/// Servers side by side on the one database: none knows of the others' transactions.
const SERVERS: usize = 4;
/// How many rows without being asked for more.
const ROWS: usize = 100_000;

/// Holds every transaction that fed something for up to 20 ms more: its numbers are given, and
/// not yet seen by anybody.
const HOLD: &str = "
    CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS
        'BEGIN PERFORM pg_sleep(random() * 0.02); RETURN NULL; END';
    CREATE TRIGGER hold AFTER INSERT ON feed FOR EACH STATEMENT EXECUTE FUNCTION hold();";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_skips_nothing_while_slow_writers_commit() {
    let rows = std::env::var("AFTERCARE_RACE_ROWS").ok().map_or(ROWS, |rows| rows.parse().unwrap());
    let place = Place::postgres().await;
    let Place::Postgres { cluster, database } = &place else { unreachable!() };
    cluster.connect(OWNER, database).await.batch_execute(HOLD).await.unwrap();
    let mut servers = Vec::new();
    for _ in 0..SERVERS {
        servers.push(place.open().await);
    }
    run(place.open().await, &servers, rows).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_skips_nothing_while_writers_share_a_commit() {
    let place = Place::sqlite();
    let store = place.open().await;
    run(Arc::clone(&store), &[store], ROWS / 10).await;
}

/// The same race without what the server's row lock is for: the number is given, and the lock let go of, before what
/// is numbered is committed. The reader then passes numbers that nobody can see yet.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_lock_until_the_commit_rows_are_skipped() {
    let place = Place::postgres().await;
    let Place::Postgres { cluster, database } = &place else { unreachable!() };
    cluster.connect(OWNER, database).await.batch_execute(HOLD).await.unwrap();
    let store = place.open().await;
    make_hospital(&*store, TENANT, "renmin").await;
    let mut reader = Desk::enrol(&*store, TENANT, id(0x4ead), &[], 0).await;
    let wanted = (WRITERS * CARELESS_PUSHES * CARELESS_ROWS) as i64;
    let mut tasks = Vec::new();
    for number in 0..WRITERS {
        let client = cluster.connect("postgres", database).await;
        tasks.push(tokio::spawn(async move { write_carelessly(&client, number).await }));
    }
    let mut read = 0;
    loop {
        let answered = store.sync(TENANT, reader.request(), reader.now, Limits::default()).await.unwrap();
        let Answered::Answer(answer) = answered else { panic!("refused") };
        read += answer.pages.iter().map(|page| page.entries.len() as i64).sum::<i64>();
        reader.cursors.extend(answer.pages.iter().map(|page| (page.scope, page.up_to)));
        let more = answer.pages.iter().any(|page| page.more);
        if answer.head >= wanted && !more && tasks.iter().all(tokio::task::JoinHandle::is_finished) {
            break;
        }
    }
    for task in tasks {
        task.await.unwrap();
    }
    let skipped = wanted - read;
    println!("without the lock until the commit: {skipped} of {wanted} rows skipped");
    assert!(skipped > 0, "the race is no race");
}

const CARELESS_PUSHES: usize = 40;
const CARELESS_ROWS: usize = 10;

async fn write_carelessly(client: &Client, number: usize) {
    let count = CARELESS_ROWS as i64;
    let numbered = "UPDATE tenant SET head_seq = head_seq + $2 WHERE tenant_id = $1 RETURNING head_seq";
    let op = "INSERT INTO op (tenant_id, seq, device, root, bytes, hash, effective, outcome, why, repair)
              SELECT $1, n, $3, $3, $4, $4, 1, 'accepted', '', 0 FROM generate_series($2::bigint + 1, $2::bigint + $5) n";
    let feed = "INSERT INTO feed (tenant_id, scope, seq, kind, root)
                SELECT $1, $3, n, 0, $3 FROM generate_series($2::bigint + 1, $2::bigint + $4) n";
    let (nobody, bytes) = (Uuid::nil(), format!("writer {number}").into_bytes());
    for _ in 0..CARELESS_PUSHES {
        let head: i64 = client.query_one(numbered, &[&TENANT, &count]).await.unwrap().get(0);
        let before = head - count;
        client.batch_execute("BEGIN").await.unwrap();
        client.execute(op, &[&TENANT, &before, &nobody, &bytes, &count]).await.unwrap();
        client.execute(feed, &[&TENANT, &before, &nobody, &count]).await.unwrap();
        client.batch_execute("COMMIT").await.unwrap();
    }
}

async fn run(store: Arc<dyn Store>, servers: &[Arc<dyn Store>], rows: usize) {
    make_hospital(&*store, TENANT, "renmin").await;
    // Few rows come in small pushes, so that there are as many transactions to race with.
    let push = if rows < 100_000 { MAX_OPS / 5 } else { MAX_OPS };
    let pushes = rows.div_ceil(WRITERS * push);
    let mut tasks = Vec::new();
    for number in 0..WRITERS {
        let desk = Desk::enrol(&*store, TENANT, id(0xd00 + number as u128), &[], i64::MAX).await;
        let server = Arc::clone(&servers[number % servers.len()]);
        tasks.push(tokio::spawn(async move { write(&*server, desk, number, (pushes, push)).await }));
    }
    let reader = Desk::enrol(&*store, TENANT, id(0x4ead), &[], 0).await;
    let wanted = (pushes * WRITERS * push) as i64;
    let reader = tokio::spawn(async move { follow(&*store, reader, wanted).await });
    for task in tasks {
        task.await.unwrap();
    }
    let (read, partly) = reader.await.unwrap();
    println!("{read} rows read of {wanted} written, 0 skipped, {partly} reads in the midst of writing");
    assert_eq!(read, wanted);
    assert!(partly >= 10, "the reader was in the race: {partly}");
}

async fn write(store: &dyn Store, mut desk: Desk, number: usize, (pushes, push_of): (usize, usize)) {
    let patient = id((0x9a << 64) + number as u128);
    for push in 0..pushes {
        for n in 0..push_of {
            let record = id((0x9b_u128 << 64) + ((number * pushes + push) * push_of + n) as u128);
            if push + n == 0 {
                desk.write((Fields, "patient"), patient, &[("name", "王".into())], &[]);
            } else {
                desk.write((Fact, "note"), record, &[("patient_id", patient.into())], &[]);
            }
        }
        // What others write is the reader's to follow.
        let head = store.position(TENANT).await.unwrap().head;
        desk.cursors.insert(Uuid::nil(), head);
        let request = desk.request();
        let limits = Limits { entries: 1, ..Limits::default() };
        let Answered::Answer(answer) = store.sync(TENANT, request, desk.now, limits).await.unwrap() else {
            panic!("refused")
        };
        assert!(accepted(&answer));
        desk.acknowledged = answer.last_dseq;
    }
}

/// Reads page after page until `wanted` rows are there or nothing more can come; answers how many came,
/// each once and in order, and how many reads found the writers busy.
async fn follow(store: &dyn Store, mut desk: Desk, wanted: i64) -> (i64, i64) {
    let mut per_writer: BTreeMap<Uuid, i64> = BTreeMap::new();
    let mut last = 0;
    let mut read = 0;
    let mut partly = 0;
    loop {
        let answered = store.sync(TENANT, desk.request(), desk.now, Limits::default()).await.unwrap();
        let Answered::Answer(answer) = answered else { panic!("refused") };
        for page in &answer.pages {
            for entry in &page.entries {
                assert!(entry.seq > last, "{} after {last}", entry.seq);
                last = entry.seq;
                let Event::Op(fed) = &entry.event else { panic!("only ops were written") };
                let op = aftercare_sync::accept::decode(&fed.bytes).unwrap();
                // Each writer numbers its ops densely: a skipped row is a gap here.
                let before = per_writer.insert(op.device, op.dseq).unwrap_or(0);
                assert_eq!(op.dseq, before + 1);
                read += 1;
            }
            desk.cursors.insert(page.scope, page.up_to);
        }
        partly += i64::from(answer.head < wanted);
        if answer.head >= wanted && answer.pages.iter().all(|page| !page.more) {
            return (read, partly);
        }
    }
}
