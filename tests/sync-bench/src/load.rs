//! Steady syncing: many desks, each on a connection of its own, sending what was written since the last time at its
//! own moments. A sync counts from the moment at which it was due, also when the one before it was still under way.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use aftercare_bench::measure::{Figure, p99, print, rows, thousands, wanted};
use aftercare_domain::op::chain_hash;
use aftercare_server::store::Position;
use aftercare_sync::pack::{pack, unpack};
use aftercare_sync::wire::{Answer, MAX_OPS, Outcome, PROTOCOL, Request};
use aftercare_sync::{HOSPITAL, Scope};
use chrono::Utc;
use serde_bytes::ByteBuf;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_rustls::TlsConnector;
use uuid::Uuid;

use crate::central::{Central, Enrolled, Prepared};
use crate::history::{self, Fields, Writer};
use crate::line::{Line, trusting};
use crate::postgres::{Cluster, OWNER, SERVICE};

/// Changes in all.
const CHANGES: usize = 1_000_000;
/// Changes of one desk, where there are as many.
const EACH: usize = 2000;
/// Desks: no more than these, and no fewer.
const DESKS: std::ops::RangeInclusive<usize> = 10..=500;
/// Changes that wait when a desk syncs.
const TOGETHER: usize = 20;
/// Changes a second that the desks write together: somewhat more than the goal.
const OFFERED: f64 = 5500.0;
/// The goal, changes a second.
const GOAL: f64 = 5000.0;
/// The goal for a sync, milliseconds.
const PATIENCE: f64 = 1000.0;
/// How long the heavy desk is there and away, in turn, and how often it comes.
const TURNS: (Duration, usize) = (Duration::from_secs(5), 8);
/// The same for a first look.
const FEW_TURNS: (Duration, usize) = (Duration::from_millis(100), 2);

/// Measures what was asked for.
pub fn measure() {
    let changes = rows(CHANGES);
    let desks = (changes / EACH).clamp(*DESKS.start(), *DESKS.end());
    for database in ["SQLite", "PostgreSQL"] {
        let about = format!("{} desks × {} changes, {database}", desks, thousands(changes / desks));
        let names = Names {
            p99: format!("sync: p99 of {about}"),
            pace: format!("sync: a thousand changes, {about}"),
            errors: format!("sync: errors of {about}"),
            heavy: format!("sync: p99 beside a heavy desk, {database}"),
        };
        if names.all().iter().any(|name| wanted(name)) {
            on(database, (desks, changes), &names);
        }
    }
}

/// What the figures are called.
struct Names {
    p99: String,
    pace: String,
    errors: String,
    heavy: String,
}

impl Names {
    fn all(&self) -> [&str; 4] {
        [&self.p99, &self.pace, &self.errors, &self.heavy]
    }
}

fn on(database: &str, (desks, changes): (usize, usize), names: &Names) {
    let folder = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let cluster = (database == "PostgreSQL").then(|| {
        // Tests have it in another runtime, too: its connections end with their tasks.
        runtime.block_on(async {
            let cluster = Cluster::start(true).await;
            cluster.make_database("bench", None).await;
            cluster
        })
    });
    let databases = cluster.as_ref().map(|it| (it.url(SERVICE, "bench"), it.url(OWNER, "bench")));
    let server = Prepared::new(&folder.path().join("server"), databases);
    let sites: Vec<Scope> = (0..=desks).map(|_| Uuid::now_v7()).collect();
    let user = history::found(&server, &sites);
    let mut enrolled: Vec<Enrolled> =
        sites.iter().map(|site| server.enrol(Uuid::now_v7(), &[*site], 0)).collect();
    let heavy = enrolled.pop().unwrap();
    let position = server.wait(server.app.store.position(server.tenant)).unwrap();
    let central = server.serve();
    runtime.block_on(async {
        let door = Door::new(&central, position);
        let mut all = Vec::with_capacity(desks);
        for desk in enrolled {
            all.push(Desk::open(&door, desk, user).await);
        }
        let steady = run(all, changes / desks, desks, None).await;
        report(names, steady.samples, steady.errors, steady.changes, steady.seconds);
        let on = Arc::new(AtomicBool::new(false));
        let heavy = Desk::open(&door, heavy, user).await;
        let burden = tokio::spawn(burden(heavy, Arc::clone(&on)));
        let (turn, turns) = if changes == CHANGES { TURNS } else { FEW_TURNS };
        let each = (OFFERED * turn.as_secs_f64()) as usize * 2 * turns / desks;
        let changing = tokio::spawn(take_turns(turn, Arc::clone(&on)));
        let beside = run(steady.desks, each, desks, Some(&on)).await;
        changing.abort();
        burden.abort();
        let (mut with, mut without) = (Vec::new(), Vec::new());
        for sample in beside.samples {
            if sample.beside { with.push(sample.millis) } else { without.push(sample.millis) }
        }
        assert_eq!(beside.errors, 0);
        let (ours, base) = (p99(&mut with), p99(&mut without));
        print(&Figure { name: &names.heavy, ours, base, goal: 1.1, unit: "ms" });
    });
    eprintln!("{database}: the server's memory {:.0} MB", central.peak());
}

fn report(names: &Names, samples: Vec<Sample>, errors: usize, changes: usize, seconds: f64) {
    let mut millis: Vec<f64> = samples.iter().map(|sample| sample.millis).collect();
    let ours = p99(&mut millis);
    eprintln!(
        "steady: {changes} changes in {seconds:.1} s, {:.0} a second of {OFFERED} offered; median {:.0} ms, p99 \
         {ours:.0} ms, longest {:.0} ms",
        changes as f64 / seconds,
        millis[millis.len() / 2],
        millis.last().unwrap()
    );
    print(&Figure { name: &names.p99, ours, base: PATIENCE, goal: 1.0, unit: "ms" });
    let per_thousand = seconds * 1e6 / changes as f64;
    print(&Figure { name: &names.pace, ours: per_thousand, base: 1e6 / GOAL, goal: 1.0, unit: "ms" });
    print(&Figure { name: &names.errors, ours: errors as f64, base: 1.0, goal: 0.0, unit: "errors" });
}

/// One sync.
struct Sample {
    millis: f64,
    /// The heavy desk was there.
    beside: bool,
}

/// What the desks did.
struct Ran {
    desks: Vec<Desk>,
    samples: Vec<Sample>,
    errors: usize,
    changes: usize,
    seconds: f64,
}

/// The heavy desk comes and goes.
async fn take_turns(turn: Duration, on: Arc<AtomicBool>) {
    loop {
        sleep(turn).await;
        on.fetch_xor(true, Ordering::Relaxed);
    }
}

/// Every desk writes `each` changes and syncs at its own moments. `heavy`: whether the heavy desk is there.
async fn run(desks: Vec<Desk>, each: usize, count: usize, heavy: Option<&Arc<AtomicBool>>) -> Ran {
    let pause = Duration::from_secs_f64(count as f64 * TOGETHER as f64 / OFFERED);
    let begun = Instant::now() + Duration::from_millis(100);
    let tasks: Vec<_> = desks
        .into_iter()
        .enumerate()
        .map(|(number, mut desk)| {
            let first = begun + pause.mul_f64(number as f64 / count as f64);
            let heavy = heavy.cloned();
            tokio::spawn(async move {
                let (mut samples, mut errors) = (Vec::with_capacity(each / TOGETHER), 0);
                for turn in 0..each.div_ceil(TOGETHER) {
                    let due = first + pause * u32::try_from(turn).unwrap();
                    sleep_until(due).await;
                    let beside = heavy.as_ref().is_some_and(|on| on.load(Ordering::Relaxed));
                    let ops = desk.write(TOGETHER.min(each - turn * TOGETHER));
                    errors += usize::from(desk.sync(ops).await.is_err());
                    samples.push(Sample { millis: due.elapsed().as_secs_f64() * 1000.0, beside });
                }
                (desk, samples, errors)
            })
        })
        .collect();
    let mut ran =
        Ran { desks: Vec::new(), samples: Vec::new(), errors: 0, changes: each * count, seconds: 0.0 };
    for task in tasks {
        let (desk, samples, errors) = task.await.unwrap();
        ran.desks.push(desk);
        ran.samples.extend(samples);
        ran.errors += errors;
    }
    ran.seconds = begun.elapsed().as_secs_f64();
    ran
}

/// A desk that has come back after months and sends all it has, as fast as it is let, while it is there.
async fn burden(mut desk: Desk, on: Arc<AtomicBool>) {
    loop {
        if !on.load(Ordering::Relaxed) {
            sleep(Duration::from_millis(20)).await;
            continue;
        }
        let ops = desk.write(MAX_OPS);
        desk.sync(ops).await.unwrap();
    }
}

/// Where the server is.
#[derive(Clone)]
pub struct Door {
    address: SocketAddr,
    tls: TlsConnector,
    position: Position,
}

impl Door {
    /// The door of a server. Desks have everything up to `position`.
    pub fn new(central: &Central, position: Position) -> Self {
        Self { address: central.address.parse().unwrap(), tls: trusting(&central.authority), position }
    }
}

/// A desk that is as cheap as it can be made and says what a real one says.
pub struct Desk {
    line: Line,
    who: Enrolled,
    token: String,
    epoch: i64,
    writer: Writer,
    chain: Vec<u8>,
    acknowledged: i64,
    cursors: BTreeMap<Scope, i64>,
    patient: Uuid,
}

impl Desk {
    /// Connects and gets a token.
    pub async fn open(door: &Door, who: Enrolled, user: Uuid) -> Self {
        let mut line = Line::open(door.address, &door.tls).await.unwrap();
        let token = line.token(&who).await.unwrap();
        let cursors =
            who.sites.iter().copied().chain([HOSPITAL]).map(|scope| (scope, door.position.head)).collect();
        let seed = u64::from_be_bytes(who.device.as_bytes()[8..].try_into().unwrap());
        let writer = Writer::new(who.device, user, seed);
        let (chain, patient) = (Vec::new(), Uuid::nil());
        Self {
            line,
            who,
            token,
            epoch: door.position.epoch,
            writer,
            chain,
            acknowledged: 0,
            cursors,
            patient,
        }
    }

    /// Writes so many changes, of the kinds that a day at a desk brings.
    pub fn write(&mut self, count: usize) -> Vec<ByteBuf> {
        (0..count).map(|_| self.write_one()).collect()
    }

    fn write_one(&mut self) -> ByteBuf {
        let now = Utc::now().timestamp_millis();
        let writer = &mut self.writer;
        let number = writer.dseq;
        let id = writer.id(now);
        match number % 10 {
            0 => {
                self.patient = id;
                let fields: Fields<'_> = &[
                    ("mrn", format!("{:08}", number + 10_000_000).into()),
                    ("name", "王伟".into()),
                    ("sex", "1".into()),
                    ("birth_on", "1961-04-12".into()),
                    ("site_id", (*self.who.sites.first().unwrap()).into()),
                ];
                writer.make("patient", id, now, fields)
            }
            1 => {
                let phone = format!("138{:08}", number % 100_000_000);
                let fields: Fields<'_> = &[("patient_id", self.patient.into()), ("number", phone.into())];
                writer.make("phone", id, now, fields)
            }
            2 => {
                let fields: Fields<'_> = &[
                    ("patient_id", self.patient.into()),
                    ("visit_no", format!("ZY{number:08}").into()),
                    ("department", "心血管内科".into()),
                    ("discharged_at", "2026-11-14 10:30".into()),
                    ("discharged_on", "2026-11-14".into()),
                    ("diagnosis_code", "I10.x00x002".into()),
                    ("diagnosis", "高血压病".into()),
                ];
                writer.make("encounter", id, now, fields)
            }
            3..=5 => {
                let fields: Fields<'_> = &[
                    ("patient_id", self.patient.into()),
                    ("kind", "note".into()),
                    ("body", format!("第{number}次：血压平稳，按时服药").into()),
                    ("noted_at", now.into()),
                    ("user_id", writer.user.into()),
                ];
                writer.state("note", id, now, fields)
            }
            _ => {
                let field = ["remark", "best_hour", "wishes", "feedback"][(number % 4) as usize];
                let fields: Fields<'_> = &[(field, format!("上午{number}").into())];
                writer.change("patient", self.patient, now, fields)
            }
        }
    }

    /// Sends ops and takes the answer; all must be accepted.
    ///
    /// # Errors
    /// What the line or the server says.
    pub async fn sync(&mut self, ops: Vec<ByteBuf>) -> Result<(), String> {
        let before = std::mem::take(&mut self.chain);
        self.chain = ops.iter().fold(before.clone(), |hash, op| chain_hash(&hash, op).to_vec());
        let request = Request {
            protocol: PROTOCOL,
            epoch: self.epoch,
            device: self.who.device,
            acknowledged: self.acknowledged,
            first: self.acknowledged + 1,
            chain: ByteBuf::from(before),
            ops,
            cursors: self.cursors.clone(),
            offers: Vec::new(),
            wants_digest: false,
            entities: aftercare_sync::entities::fingerprint(),
        };
        let body = pack(&request).map_err(|error| error.to_string())?;
        let reply = self.line.signed(&self.who, &self.token, ("POST", "/v1/sync"), &body).await;
        let reply = reply.map_err(|error| error.to_string())?;
        if reply.status != 200 {
            return Err(format!("status {}", reply.status));
        }
        let answer: Answer = unpack(&reply.body).map_err(|error| error.to_string())?;
        if answer.verdicts.iter().any(|verdict| verdict.outcome != Outcome::Accepted) {
            return Err("an op was not accepted".to_owned());
        }
        self.acknowledged = answer.verdicts.last().map_or(self.acknowledged, |verdict| verdict.dseq);
        for page in &answer.pages {
            self.cursors.insert(page.scope, page.up_to);
        }
        Ok(())
    }
}
