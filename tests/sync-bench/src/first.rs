//! The first sync of a new PC at a large hospital, beside what it cannot do without: the same packed bytes over the
//! same TLS, and the same rows inserted bare.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Instant;

use aftercare_bench::measure::{Figure, print, rows, thousands, wanted};
use aftercare_server::store::Position;
use aftercare_sync::door::SnapshotPage;
use aftercare_sync::pack::unpack;
use serde_json::json;
use uuid::Uuid;

use crate::central::{Central, Enrolled, Prepared};
use crate::child::{Asked, Done, start_desk};
use crate::line::{Line, trusting};
use crate::proxy::Proxy;
use crate::{bare, history};

/// Patients of the hospital.
const PATIENTS: usize = 200_000;
/// What desk and server may take each, megabytes.
const BUDGET: f64 = 300.0;

/// Measures what was asked for.
pub fn measure() {
    let count = thousands(rows(PATIENTS));
    let time = format!("sync: first sync of {count} patients");
    let desk = format!("sync: the desk's memory, {count} patients");
    let server = format!("sync: the server's memory, {count} patients");
    if ![&time, &desk, &server].iter().any(|name| wanted(name)) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let joined = join(folder.path(), rows(PATIENTS));
    let (done, central) = (&joined.done, &joined.central);
    let [ours, peaks] = [done.rounds[0].seconds, central.peak()];
    let pages = pages(central, &joined.reader, joined.site);
    let floor = bare::measure(&joined.home(), &folder.path().join("bare"), &pages, &central.authority);
    eprintln!(
        "first sync: {} records in {ours:.1} s, {} pages of {:.1} MB; bare: sending {:.2} s, inserting {:.2} s, search \
         index and worklist {:.2} s",
        done.rounds[0].report["pulled"],
        pages.len(),
        pages.iter().map(Vec::len).sum::<usize>() as f64 / 1e6,
        floor.sending,
        floor.inserting,
        floor.deriving,
    );
    let base = floor.sending + floor.inserting + floor.deriving;
    print(&Figure { name: &time, ours, base, goal: 2.0, unit: "s" });
    print(&Figure { name: &desk, ours: done.peak, base: BUDGET, goal: 1.0, unit: "MB" });
    print(&Figure { name: &server, ours: peaks, base: BUDGET, goal: 1.0, unit: "MB" });
}

/// A desk after its first sync, and its server.
pub struct Joined {
    folder: PathBuf,
    /// What the desk measured.
    pub done: Done,
    /// Bytes of the round, both ways.
    pub bytes: u64,
    /// The server.
    pub central: Central,
    /// The door through which the desk speaks to it.
    pub proxy: Proxy,
    /// A desk of the same site that only reads.
    pub reader: Enrolled,
    /// Another that writes.
    pub other: Mutex<Option<Enrolled>>,
    /// Who sits at every desk.
    pub user: Uuid,
    /// The site.
    pub site: Uuid,
    /// Where the server was when the desk joined.
    pub position: Position,
}

impl Joined {
    /// The desk's folder.
    pub fn home(&self) -> PathBuf {
        self.folder.join("desk")
    }
}

/// Fills a hospital with patients, and lets a new PC join it.
pub fn join(folder: &Path, patients: usize) -> Joined {
    let server = Prepared::new(&folder.join("server"), None);
    let site = Uuid::now_v7();
    let user = history::found(&server, &[site]);
    let begun = Instant::now();
    history::fill(&server, site, user, patients);
    eprintln!("{patients} patients written in {:.0} s", begun.elapsed().as_secs_f64());
    let [reader, other] = [Uuid::now_v7(), Uuid::now_v7()].map(|device| server.enrol(device, &[site], 0));
    let code = server.code(&[site]);
    let position = server.wait(server.app.store.position(server.tenant)).unwrap();
    let central = server.serve();
    let proxy = Proxy::before(central.address.parse().unwrap());
    let asked = Asked {
        home: folder.join("desk"),
        server: proxy.address.to_string(),
        code: Some(code),
        rounds: 1,
        by_itself: false,
    };
    let done = start_desk(&asked, |_| {});
    let report = &done.rounds[0].report;
    let expected = patients * history::RECORDS;
    assert_eq!(report["pulled"], json!(expected), "{report}");
    assert!(report["digest"].is_string(), "{report}");
    let (folder, other, bytes) = (folder.to_owned(), Mutex::new(Some(other)), proxy.bytes());
    Joined { folder, done, bytes, central, proxy, reader, other, user, site, position }
}

/// Every page of the site as it crosses the line, packed.
pub fn pages(central: &Central, desk: &Enrolled, site: Uuid) -> Vec<Vec<u8>> {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let address = central.address.parse().unwrap();
        let mut line = Line::open(address, &trusting(&central.authority)).await.unwrap();
        let token = line.token(desk).await.unwrap();
        let mut target = format!("/v1/snapshots/{site}");
        let mut pages = Vec::new();
        loop {
            let reply = line.signed(desk, &token, ("GET", &target), b"").await.unwrap();
            assert_eq!(reply.status, 200);
            let page: SnapshotPage = unpack(&reply.body).unwrap();
            pages.push(reply.body);
            let Some(next) = page.next else { return pages };
            target = format!("/v1/snapshots/{site}?after={}:{}", next.entity, next.id);
        }
    })
}
