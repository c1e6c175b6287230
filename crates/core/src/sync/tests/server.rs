//! A server for stories: its decisions are the real ones (`aftercare_sync::accept`), its memory is a few maps.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Mutex};

use aftercare_domain::error_code::ErrorCode;
use aftercare_sync::accept::{
    Device, FeedRow, Loaded, News, OpRow, Protections, accept, accept_offers, decode, read_batch,
};
use aftercare_sync::digest::{BUCKETS, ScopeDigest, bucket};
use aftercare_sync::door::{
    BlobState, ClinicDesk, ClinicsAnswer, EnrolAnswer, LoginAnswer, PasswordRequest, RecordsAnswer,
    RecordsRequest, SnapshotPage,
};
use aftercare_sync::record::{Key, Record};
use aftercare_sync::stick::StickKey;
use aftercare_sync::wire::{
    Answer, Entry, EpochStart, Event, FedOp, Outcome, Page, Refusal, Repair, Request, Verdict,
};
use aftercare_sync::{HOSPITAL, Scope};
use serde_bytes::ByteBuf;
use uuid::Uuid;

use crate::attachments::store::BlobKey;
use crate::error::{Error, Result};
use crate::sync::client::{Line, PutBlob, Reply};
use crate::sync::round::{self, Report};
use crate::sync::{enrol, state};
use crate::testing::Desk;

/// Entries of a page: few, so that stories have many pages.
const PAGE: usize = 40;

#[derive(Clone, Default)]
pub struct Memory {
    pub head: i64,
    pub lineage: Vec<EpochStart>,
    pub devices: HashMap<Uuid, Device>,
    pub ops: Vec<OpRow>,
    pub feed: Vec<FeedRow>,
    pub records: HashMap<Key, Record>,
    pub known: HashSet<Uuid>,
    pub digests: BTreeMap<(Scope, usize), u128>,
    pub now: i64,
    pub erased: Vec<(Scope, i64, Uuid)>,
    /// Attachments: size and what has come of them.
    pub blobs: HashMap<(Uuid, [u8; 32]), (i64, Vec<u8>)>,
    /// Parts of attachments that came.
    pub parts: u32,
    /// What desks left for people who are new to them.
    pub keys: HashMap<Uuid, Vec<u8>>,
    /// Who may log in at the server, by login: their record and password.
    pub people: HashMap<String, (Uuid, String)>,
    pub shut_out: BTreeSet<Uuid>,
    /// How many changes each desk kept back, and when it was heard.
    pub heard: BTreeMap<Uuid, (i64, i64)>,
}

#[derive(Clone, Default)]
pub struct Server(pub Arc<Mutex<Memory>>);

/// A desk's line to it. `lose` answers are lost on their way back.
pub struct TestLine {
    pub server: Server,
    pub device: Uuid,
    pub lose: Cell<u32>,
    pub wipe: Cell<bool>,
    /// The line breaks with the answer to this part of an attachment; 0: never.
    pub cut_after: Cell<u32>,
    /// Nobody answers.
    pub cut: Cell<bool>,
    /// So many pages of a first sync come through.
    pub pages: Cell<u32>,
}

impl Server {
    pub fn new() -> Self {
        let server = Self::default();
        server.0.lock().unwrap().lineage.push(EpochStart { epoch: 1, head: 0 });
        server
    }

    pub fn line(&self, desk: &Desk) -> TestLine {
        let device = desk.ctx().read(state::own).unwrap().device;
        TestLine {
            server: self.clone(),
            device,
            lose: Cell::new(0),
            wipe: Cell::new(false),
            cut_after: Cell::new(0),
            cut: Cell::new(false),
            pages: Cell::new(u32::MAX),
        }
    }

    /// Takes the desk in with its history, and lets it see `sites` (and its own).
    pub fn enrol(&self, desk: &Desk, sites: &[Uuid]) {
        let ctx = desk.ctx();
        let own = ctx.read(state::own).unwrap();
        let sites: BTreeSet<Uuid> = sites.iter().copied().chain([site(desk)]).collect();
        let mut memory = self.0.lock().unwrap();
        memory.devices.insert(
            own.device,
            Device {
                id: own.device,
                last_dseq: 0,
                chain: Vec::new(),
                sites: sites.clone(),
                history_to: own.last_dseq,
            },
        );
        let answer = EnrolAnswer {
            tenant: Uuid::from_u128(7),
            hospital: "测试医院".to_owned(),
            epoch: memory.epoch(),
            sites,
            history_to: own.last_dseq,
            server_millis: memory.now,
            head: memory.head,
            oldest_protocol: 1,
            newest_protocol: 1,
            stick_key: StickKey(vec![9; 32]),
        };
        ctx.db()
            .write(|c, _| enrol::keep_server(c, "https://server", b"authority", &[7; 32], &answer, 0))
            .unwrap();
    }

    /// Syncs as whoever sits at the desk, and compares digests.
    pub fn sync(&self, desk: &Desk) -> Report {
        self.try_sync(desk, &self.line(desk)).unwrap()
    }

    pub fn try_sync(&self, desk: &Desk, line: &TestLine) -> Result<Report> {
        self.0.lock().unwrap().now = desk.now().timestamp_millis();
        round::run(&desk.ctx(), line, &crate::app::jobs::Progress::unwatched(), true)
    }

    /// Puts an older state of the server in place, as a new epoch.
    pub fn restore(&self, old: Memory) {
        let mut memory = self.0.lock().unwrap();
        let next = memory.epoch() + 1;
        *memory = old;
        let head = memory.head;
        memory.lineage.push(EpochStart { epoch: next, head });
    }

    /// Erases a patient as two persons asked for: what is left is the news of it.
    pub fn erase(&self, root: Uuid) {
        let mut memory = self.0.lock().unwrap();
        let scope = memory.records[&Key::new("patient", root)].scope;
        let gone: Vec<Record> =
            memory.records.values().filter(|record| record.root == root).cloned().collect();
        for record in gone {
            let sum = memory.digests.entry((record.scope, bucket(record.key.id))).or_default();
            *sum = sum.wrapping_sub(aftercare_sync::canonical::content_hash(&record));
            memory.records.remove(&record.key);
        }
        memory.head += 1;
        let seq = memory.head;
        memory.erased.push((scope, seq, root));
        memory.blobs.retain(|(patient, _), _| *patient != root);
    }

    pub fn copy(&self) -> Memory {
        self.0.lock().unwrap().clone()
    }
}

pub fn site(desk: &Desk) -> Uuid {
    desk.ctx().read(|c| Ok(c.query_row("SELECT site_id FROM desk", [], |row| row.get(0))?)).unwrap()
}

impl Memory {
    fn sees(&self, device: Uuid, patient: Uuid) -> bool {
        let scope = self.records.get(&Key::new("patient", patient)).map(|record| record.scope);
        scope.is_some_and(|scope| self.devices[&device].sees(scope))
    }

    fn epoch(&self) -> i64 {
        self.lineage.last().unwrap().epoch
    }

    fn loaded(&self) -> Loaded {
        Loaded { known: self.known.clone(), records: self.records.clone(), erased: HashMap::new() }
    }

    fn keep(&mut self, accepted: aftercare_sync::accept::Accepted) -> Vec<Outcome> {
        self.head = accepted.head;
        self.known.extend(accepted.ops.iter().filter_map(|op| op.op_id));
        self.ops.extend(accepted.ops);
        self.feed.extend(accepted.feed);
        for record in accepted.records {
            self.records.insert(record.key.clone(), record);
        }
        for (place, amount) in accepted.digests {
            let sum = self.digests.entry(place).or_default();
            *sum = sum.wrapping_add(amount);
        }
        accepted.offered
    }

    pub fn sync(&mut self, request: &Request) -> std::result::Result<Answer, Refusal> {
        let device = self.devices[&request.device].clone();
        if request.epoch != self.epoch() {
            return Err(Refusal::Epoch {
                epoch: self.epoch(),
                head: self.head,
                lineage: self.lineage.clone(),
                last_dseq: device.last_dseq,
                chain: ByteBuf::from(device.chain),
            });
        }
        let batch = read_batch(&device, request.first, &request.chain, &request.ops, Protections::ALL)?;
        let offers = request
            .offers
            .iter()
            .filter_map(|offer| Some((decode(&offer.bytes)?, offer.bytes.to_vec(), offer.effective)))
            .collect();
        let taken = accept_offers(&device, offers, self.loaded(), self.head, self.now, Protections::ALL);
        let offered = self.keep(taken);
        let mut taken = accept(&device, batch, self.loaded(), self.head, self.now, Protections::ALL);
        if let Some((dseq, hash)) = taken.position.take() {
            let device = self.devices.get_mut(&request.device).unwrap();
            (device.last_dseq, device.chain) = (dseq, hash);
        }
        self.keep(taken);
        Ok(self.answer(request, offered))
    }

    fn answer(&self, request: &Request, offered: Vec<Outcome>) -> Answer {
        let device = &self.devices[&request.device];
        let mut own: Vec<&OpRow> = self
            .ops
            .iter()
            .filter(|op| op.device == request.device && op.dseq > request.acknowledged)
            .collect();
        own.sort_by_key(|op| op.dseq);
        let digests = request.cursors.keys().map(|scope| {
            let sums = (0..BUCKETS).filter_map(|at| Some((at, *self.digests.get(&(*scope, at))?)));
            (*scope, ScopeDigest::from_sums(sums))
        });
        Answer {
            protocol: 1,
            epoch: self.epoch(),
            server_millis: self.now,
            last_dseq: device.last_dseq,
            verdicts: own.into_iter().map(|op| self.verdict(device, op)).collect(),
            pages: request.cursors.iter().map(|(scope, after)| self.page(*scope, *after)).collect(),
            offered,
            head: self.head,
            durable_seq: 0,
            digests: if request.wants_digest { digests.collect() } else { BTreeMap::new() },
        }
    }

    fn verdict(&self, device: &Device, op: &OpRow) -> Verdict {
        let record = op.key.as_ref().and_then(|key| self.records.get(key));
        let repair = op.repair.then(|| match record.filter(|record| device.sees(record.scope)) {
            Some(record) => Repair::Record(Box::new(record.clone())),
            None => Repair::Absent,
        });
        Verdict {
            dseq: op.dseq,
            seq: op.seq,
            effective: op.effective,
            outcome: op.outcome.clone(),
            repair,
            seal: None,
        }
    }

    fn page(&self, scope: Scope, after: i64) -> Page {
        let mut rows: Vec<&FeedRow> =
            self.feed.iter().filter(|row| row.scope == scope && row.seq > after).collect();
        rows.sort_by_key(|row| row.seq);
        let more = rows.len() > PAGE;
        rows.truncate(PAGE);
        let up_to = if more { rows.last().unwrap().seq } else { self.head };
        let mut entries: Vec<Entry> =
            rows.into_iter().map(|row| Entry { seq: row.seq, event: self.event(row) }).collect();
        let erased = self.erased.iter().filter(|(at, seq, _)| *at == scope && *seq > after && *seq <= up_to);
        entries.extend(erased.map(|(_, seq, root)| Entry {
            seq: *seq,
            event: Event::Erase { root: *root, records: Vec::new() },
        }));
        Page { scope, after, up_to, entries, more }
    }

    fn event(&self, row: &FeedRow) -> Event {
        match row.news {
            News::Op => {
                let op = self.ops.iter().find(|op| op.seq == row.seq).unwrap();
                Event::Op(FedOp {
                    bytes: ByteBuf::from(op.bytes.clone()),
                    effective: op.effective,
                    without: op.without.clone(),
                    amended: op.amended.clone(),
                    stored: op.outcome == Outcome::Stored,
                    seal: ByteBuf::new(),
                })
            }
            News::Arrive(root) => {
                let mut records: Vec<Record> = self
                    .records
                    .values()
                    .filter(|record| record.root == root && record.scope == row.scope)
                    .cloned()
                    .collect();
                records.sort_by_key(|record| record.key.id != root);
                Event::Arrive { root, records, ops: Vec::new() }
            }
            News::Erase(root) => Event::Erase { root, records: Vec::new() },
            News::Evict(root) => Event::Evict { root, to: self.records[&Key::new("patient", root)].scope },
        }
    }

    fn in_order(&self, scope: Scope, only: Option<usize>, after: Option<&Key>) -> Vec<Record> {
        let order = |key: &Key| (bucket(key.id), key.id, key.entity.clone());
        let mut records: Vec<Record> = self
            .records
            .values()
            .filter(|record| record.scope == scope)
            .filter(|record| only.is_none_or(|only| bucket(record.key.id) == only))
            .filter(|record| after.is_none_or(|after| order(&record.key) > order(after)))
            .cloned()
            .collect();
        records.sort_by_key(|record| order(&record.key));
        records
    }
}

impl Line for TestLine {
    fn sync(&self, request: &Request, unsent: i64) -> Result<Reply> {
        let now = self.server.0.lock().unwrap().now;
        self.server.0.lock().unwrap().heard.insert(self.device, (unsent, now));
        if self.wipe.get() {
            return Err(Error::new(ErrorCode::SyncWipe));
        }
        let reply = match self.server.0.lock().unwrap().sync(request) {
            Ok(answer) => Reply::Answer(Box::new(answer)),
            Err(refusal) => Reply::Refused(refusal),
        };
        if self.lose.get() > 0 {
            self.lose.set(self.lose.get() - 1);
            return Err(Error::new(ErrorCode::SyncUnreachable));
        }
        Ok(reply)
    }

    fn snapshot(&self, scope: Scope, after: Option<&Key>) -> Result<SnapshotPage> {
        let left = self.pages.get().checked_sub(1).ok_or_else(|| Error::new(ErrorCode::SyncUnreachable))?;
        self.pages.set(left);
        let memory = self.server.0.lock().unwrap();
        let mut records = memory.in_order(scope, None, after);
        let more = records.len() > PAGE;
        records.truncate(PAGE);
        Ok(SnapshotPage {
            epoch: memory.epoch(),
            seq: memory.head,
            total: i64::try_from(memory.in_order(scope, None, None).len()).unwrap(),
            next: records.last().filter(|_| more).map(|record| record.key.clone()),
            records,
        })
    }

    fn records(&self, request: &RecordsRequest) -> Result<RecordsAnswer> {
        let memory = self.server.0.lock().unwrap();
        let records =
            memory.in_order(request.scope, Some(usize::from(request.bucket)), request.after.as_ref());
        Ok(RecordsAnswer { head: memory.head, records, next: None })
    }

    fn sites(&self) -> Result<BTreeSet<Scope>> {
        Ok(self.server.0.lock().unwrap().devices[&self.device].sites.clone())
    }

    fn shut_out(&self) -> Result<BTreeSet<Uuid>> {
        Ok(self.server.0.lock().unwrap().shut_out.clone())
    }

    fn clinics(&self) -> Result<ClinicsAnswer> {
        let memory = self.server.0.lock().unwrap();
        let desk = |(id, (unsent, at)): (&Uuid, &(i64, i64))| ClinicDesk {
            id: *id,
            name: format!("{id}"),
            sites: memory.devices[id].sites.clone(),
            enrolled_at: 0,
            last_contact_at: Some(*at),
            unsent: *unsent,
        };
        Ok(ClinicsAnswer { server_millis: memory.now, desks: memory.heard.iter().map(desk).collect() })
    }

    fn login(&self, login: &str, password: &str) -> Result<LoginAnswer> {
        if self.cut.get() {
            return Err(Error::new(ErrorCode::SyncUnreachable));
        }
        if self.wipe.get() {
            return Err(Error::new(ErrorCode::SyncWipe));
        }
        let memory = self.server.0.lock().unwrap();
        let known = memory
            .people
            .get(login.trim())
            .filter(|(user, kept)| kept == password && !memory.shut_out.contains(user));
        let key = memory.keys.get(&self.device);
        let (Some((user, _)), Some(key)) = (known, key) else { return Err(Error::new(ErrorCode::SyncLogin)) };
        Ok(LoginAnswer { user: *user, sealed_key: key.clone() })
    }

    fn leave_key(&self, sealed: &[u8]) -> Result<()> {
        self.server.0.lock().unwrap().keys.insert(self.device, sealed.to_vec());
        Ok(())
    }

    fn pass_on(&self, password: &PasswordRequest) -> Result<()> {
        let known = (password.user, password.new.clone());
        self.server.0.lock().unwrap().people.insert(password.login.clone(), known);
        Ok(())
    }

    fn blob_state(&self, key: &BlobKey) -> Result<Option<BlobState>> {
        let memory = self.server.0.lock().unwrap();
        let there = memory.blobs.get(&(key.patient, key.sha256));
        Ok(there.map(|(size, bytes)| {
            let have = i64::try_from(bytes.len()).unwrap();
            BlobState { have, size: *size, complete: have == *size }
        }))
    }

    fn put_blob(&self, key: &BlobKey, size: i64, offset: i64, bytes: &[u8]) -> Result<PutBlob> {
        let mut memory = self.server.0.lock().unwrap();
        if !memory.sees(self.device, key.patient) {
            return Ok(PutBlob::Hidden);
        }
        let (_, there) = memory.blobs.entry((key.patient, key.sha256)).or_insert((size, Vec::new()));
        if i64::try_from(there.len()).unwrap() == offset {
            there.extend_from_slice(bytes);
        }
        let have = i64::try_from(there.len()).unwrap();
        memory.parts += 1;
        drop(memory);
        if self.cut_after.get() > 0 {
            self.cut_after.set(self.cut_after.get() - 1);
            if self.cut_after.get() == 0 {
                return Err(Error::new(ErrorCode::SyncUnreachable));
            }
        }
        Ok(PutBlob::Has(have))
    }

    fn blob_part(&self, key: &BlobKey, offset: i64) -> Result<Option<Vec<u8>>> {
        let memory = self.server.0.lock().unwrap();
        if !memory.sees(self.device, key.patient) {
            return Ok(None);
        }
        let there = memory.blobs.get(&(key.patient, key.sha256));
        let whole = there.filter(|(size, bytes)| i64::try_from(bytes.len()).unwrap() == *size);
        let from = usize::try_from(offset).unwrap();
        Ok(whole.map(|(_, bytes)| bytes[from..bytes.len().min(from + 100_000)].to_vec()))
    }
}

/// Who is known to the whole hospital.
pub fn shared(memory: &Memory, entity: &str) -> usize {
    memory.records.values().filter(|record| record.scope == HOSPITAL && record.key.entity == entity).count()
}
