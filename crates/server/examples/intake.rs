//! How many ops a second the store takes in: many desks push at once, on SQLite and on a PostgreSQL
//! of its own with fsync on.
//!
//!     cargo run --release -p aftercare-server --example intake -- [DESKS] [OPS PER DESK] [OPS PER PUSH]
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "../tests/store/postgres.rs"]
mod postgres;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aftercare_domain::hlc::Hlc;
use aftercare_domain::op::{ChangeKind, FieldValue, OP_PROTOCOL, Op, chain_hash};
use aftercare_server::store::postgres::{Postgres, migrate};
use aftercare_server::store::sqlite::Sqlite;
use aftercare_server::store::{Answered, CodeUse, Limits, NewCode, NewDevice, NewTenant, Quota, Store};
use aftercare_sync::wire::{Outcome, PROTOCOL, Request};
use serde_bytes::ByteBuf;
use uuid::Uuid;

const START: i64 = 1_790_000_000_000;
const TENANT: Uuid = Uuid::from_u128(1);

#[tokio::main]
async fn main() {
    let mut words = std::env::args().skip(1).map(|word| word.parse::<usize>().expect("a number"));
    let desks = words.next().unwrap_or(16);
    let ops = words.next().unwrap_or(10_000);
    let push = words.next().unwrap_or(500);
    let work: Vec<Vec<Request>> = (0..desks).map(|number| pushes(number, ops, push)).collect();
    println!("{desks} desks, {ops} ops each, {push} a push");
    let folder = tempfile::tempdir().unwrap();
    let sqlite: Arc<dyn Store> = Arc::new(Sqlite::open(folder.path()).unwrap());
    measure("SQLite", sqlite, work.clone()).await;
    let cluster = postgres::Cluster::start(true).await;
    cluster.make_database("aftercare", None).await;
    migrate(&cluster.url(postgres::OWNER, "aftercare"), postgres::SERVICE).await.unwrap();
    let url = cluster.url(postgres::SERVICE, "aftercare");
    let server: Arc<dyn Store> = Arc::new(Postgres::open(&url, 8).await.unwrap());
    measure("PostgreSQL", server, work).await;
}

async fn measure(name: &str, store: Arc<dyn Store>, work: Vec<Vec<Request>>) {
    let quota = Quota::default();
    let new = NewTenant {
        id: TENANT,
        word: "h".into(),
        name: "h".into(),
        quota,
        seal_key: [7; 32],
        made_at: START,
    };
    store.make_tenant(new).await.unwrap();
    for requests in &work {
        enrol(&*store, requests[0].device).await;
    }
    let begun = Instant::now();
    let tasks: Vec<_> = work
        .into_iter()
        .map(|requests| {
            let store = Arc::clone(&store);
            tokio::spawn(async move { push_all(&*store, requests).await })
        })
        .collect();
    let mut ops = 0;
    let mut times = Vec::new();
    for task in tasks {
        let (taken, took) = task.await.unwrap();
        ops += taken;
        times.extend(took);
    }
    let seconds = begun.elapsed().as_secs_f64();
    times.sort();
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize].as_millis();
    println!(
        "{name}: {ops} ops in {seconds:.1} s = {:.0} ops/s; a push: median {} ms, p99 {} ms",
        ops as f64 / seconds,
        at(0.5),
        at(0.99)
    );
}

async fn push_all(store: &dyn Store, requests: Vec<Request>) -> (usize, Vec<Duration>) {
    let mut taken = 0;
    let mut times = Vec::with_capacity(requests.len());
    for mut request in requests {
        // A desk that keeps up: it is not answered what others wrote, which is the readers' work.
        let head = store.position(TENANT).await.unwrap().head;
        for cursor in request.cursors.values_mut() {
            *cursor = head;
        }
        let ops = request.ops.len();
        let begun = Instant::now();
        let answered = store.sync(TENANT, request, START + 1_000_000, Limits::default()).await.unwrap();
        times.push(begun.elapsed());
        let Answered::Answer(answer) = answered else { panic!("refused") };
        assert_eq!(answer.verdicts.len(), ops);
        assert!(answer.verdicts.iter().all(|verdict| verdict.outcome == Outcome::Accepted));
        taken += ops;
    }
    (taken, times)
}

async fn enrol(store: &dyn Store, device: Uuid) {
    let number = device.simple().to_string();
    let code = NewCode {
        number: number.clone(),
        secret_hash: [1; 32],
        made_by: device,
        made_at: START,
        sites: BTreeSet::new(),
        history: true,
    };
    store.make_code(TENANT, code).await.unwrap();
    let new = NewDevice {
        id: device,
        name: "desk".into(),
        public_key: vec![1; 32],
        sites: BTreeSet::from([site(device)]),
        history_to: i64::MAX,
    };
    store.enrol(TENANT, CodeUse { number, secret_hash: [1; 32] }, new, START).await.unwrap();
}

fn site(device: Uuid) -> Uuid {
    Uuid::from_u128((0x51 << 64) | (device.as_u128() % 8))
}

/// What a desk has to say: patients with phone, stay and task, a call each, and two changes of the task.
fn pushes(number: usize, ops: usize, push: usize) -> Vec<Request> {
    let device = Uuid::from_u128((0xd0 << 64) | number as u128);
    let mut hash: Vec<u8> = Vec::new();
    let mut requests: Vec<Request> = Vec::new();
    let mut open: Option<Request> = None;
    for dseq in 1..=ops as i64 {
        let op = op(device, dseq);
        let mut bytes = Vec::new();
        ciborium::into_writer(&op, &mut bytes).unwrap();
        let request = open.get_or_insert_with(|| Request {
            protocol: PROTOCOL,
            epoch: 1,
            device,
            acknowledged: dseq - 1,
            first: dseq,
            chain: ByteBuf::from(hash.clone()),
            ops: Vec::new(),
            cursors: [(Uuid::nil(), 0), (site(device), 0)].into(),
            offers: Vec::new(),
            wants_digest: false,
            entities: 0,
        });
        hash = chain_hash(&hash, &bytes).to_vec();
        request.ops.push(ByteBuf::from(bytes));
        if request.ops.len() == push {
            requests.extend(open.take());
        }
    }
    requests.extend(open);
    requests
}

fn op(device: Uuid, dseq: i64) -> Op {
    let group = (dseq - 1) / 7;
    let id = |kind: u128| record(device, group, kind);
    let text = |word: &str| FieldValue::from(word);
    let patient = ("patient_id", FieldValue::from(id(0)));
    let (kind, entity, which, fields) = match (dseq - 1) % 7 {
        0 => {
            let site = ("site_id", FieldValue::from(site(device)));
            let mrn = ("mrn", FieldValue::from(format!("M{device}{group}")));
            (
                ChangeKind::Fields,
                "patient",
                0,
                vec![("name", text("王小明")), ("birth_on", text("1961-04-03")), mrn, site],
            )
        }
        1 => (
            ChangeKind::Fields,
            "phone",
            1,
            vec![patient, ("number", text("13812345678")), ("owner_name", text("本人"))],
        ),
        2 => {
            let dates = [("admitted_at", text("2026-11-01 08:30")), ("discharged_on", text("2026-11-09"))];
            let words = [("department", text("心内科")), ("diagnosis", text("冠状动脉粥样硬化性心脏病"))];
            (ChangeKind::Fields, "encounter", 2, [vec![patient], dates.to_vec(), words.to_vec()].concat())
        }
        3 => {
            let plan = [("plan_code", text("chd")), ("due_on", text("2026-11-16")), ("status", text("open"))];
            (ChangeKind::Fields, "task", 3, [vec![patient], plan.to_vec()].concat())
        }
        4 => {
            let said =
                [("task_id", id(3).into()), ("outcome", text("reached")), ("talk_seconds", 180.into())];
            (ChangeKind::Fact, "call", 4, [vec![patient], said.to_vec()].concat())
        }
        5 => (ChangeKind::Fields, "task", 3, vec![("remark", text("下午三点以后"))]),
        _ => (ChangeKind::Fields, "task", 3, vec![("attempts", 1.into())]),
    };
    let changes = (dseq - 1) % 7 > 4;
    let base = fields.iter().filter(|_| changes).map(|(name, _)| ((*name).to_owned(), id(3))).collect();
    Op {
        protocol: OP_PROTOCOL,
        op_id: if changes { record(device, group, 8 + (dseq - 1) as u128 % 7) } else { id(which) },
        dseq,
        device,
        user: device,
        hlc: Hlc::from_i64((START + dseq) << 16),
        kind,
        entity: entity.to_owned(),
        id: id(which),
        command: None,
        fields: fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        base,
    }
}

/// A time-ordered id with a random-looking end, as UUIDv7 has it.
fn record(device: Uuid, group: i64, kind: u128) -> Uuid {
    let end = chain_hash(device.as_bytes(), &[group.to_be_bytes().as_slice(), &[kind as u8]].concat());
    let mut bytes = ((START + group) as u64).to_be_bytes()[2..].to_vec();
    bytes.extend_from_slice(&end[..10]);
    Uuid::from_slice(&bytes).unwrap()
}
