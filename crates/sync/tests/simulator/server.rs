//! The server over maps: what a store does around the core, in one place and without a database.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::rc::Rc;

use aftercare_domain::hlc::Hlc;
use aftercare_domain::op::{Op, chain_hash};
use aftercare_sync::accept::{self, Accepted, Device, Loaded, Needs, News, OpRow, decode, named};
use aftercare_sync::digest::{ScopeDigest, bucket};
use aftercare_sync::door::RecordsAnswer;
use aftercare_sync::entities;
use aftercare_sync::record::{Key, Record};
use aftercare_sync::wire::{
    Answer, Entry, EpochStart, Event, FedOp, Offer, Outcome, PROTOCOL, Page, Refusal, Repair, Request,
    Undurable, Verdict, check_protocol, reason,
};
use aftercare_sync::{HOSPITAL, Scope};
use serde_bytes::ByteBuf;
use uuid::Uuid;

use crate::office::Rights;
use crate::switches::Switches;

#[derive(Clone)]
pub struct Server {
    pub lineage: Vec<EpochStart>,
    pub head: i64,
    pub durable: i64,
    pub devices: BTreeMap<Uuid, Device>,
    /// Ops by sequence, with the server's time when they came.
    pub ops: BTreeMap<i64, Rc<(OpRow, i64)>>,
    pub records: BTreeMap<Key, Rc<Record>>,
    pub digests: BTreeMap<Scope, ScopeDigest>,
    /// Desks that were shut out: after which sequence, and whether they are to be wiped.
    pub shut_out: BTreeMap<Uuid, (i64, bool)>,
    /// Erased patients and the records that went with them, with the patient.
    pub erased: BTreeMap<Uuid, Uuid>,
    /// Erasures that wait for a second person, with the first.
    pub asked: BTreeMap<Uuid, Uuid>,
    /// What was let in without a right to it.
    pub trespasses: Vec<String>,
    pub counted: HashSet<Uuid>,
    pub(crate) feed: BTreeMap<Scope, BTreeMap<i64, News>>,
    numbers: HashMap<(Uuid, i64), i64>,
}

impl Server {
    pub fn new() -> Self {
        Self {
            lineage: vec![EpochStart { epoch: 1, head: 0 }],
            head: 0,
            durable: 0,
            devices: BTreeMap::new(),
            ops: BTreeMap::new(),
            records: BTreeMap::new(),
            digests: BTreeMap::new(),
            shut_out: BTreeMap::new(),
            erased: BTreeMap::new(),
            asked: BTreeMap::new(),
            trespasses: Vec::new(),
            counted: HashSet::new(),
            numbers: HashMap::new(),
            feed: BTreeMap::new(),
        }
    }

    pub fn epoch(&self) -> i64 {
        self.lineage.last().map_or(0, |start| start.epoch)
    }

    pub fn has(&self, op: Uuid) -> bool {
        self.counted.contains(&op)
    }

    pub fn handle(
        &mut self,
        request: &Request,
        now: i64,
        page: usize,
        switches: Switches,
    ) -> Result<Answer, Refusal> {
        check_protocol(request.protocol)?;
        let device = self.devices[&request.device].clone();
        if request.epoch != self.epoch() {
            return Err(Refusal::Epoch {
                epoch: self.epoch(),
                head: self.lineage.last().map_or(0, |start| start.head),
                lineage: self.lineage.clone(),
                last_dseq: device.last_dseq,
                chain: ByteBuf::from(device.chain),
            });
        }
        let protections = switches.server;
        let fresh = accept::read_batch(&device, request.first, &request.chain, &request.ops, protections)?;
        let offers = read_offers(&request.offers);
        let loaded = self.load(accept::needs_of(offers.iter().map(|(op, _, _)| op)));
        let taken = accept::accept_offers(&device, offers, loaded, self.head, now, protections);
        let offered = self.store(&device, taken, now);
        let loaded = self.load(accept::needs(&fresh));
        let rights = Rights::read(&device, &loaded, &fresh);
        let taken = accept::accept(&device, fresh, loaded, self.head, now, protections);
        self.trespasses.extend(rights.broken(&taken));
        self.store(&device, taken, now);
        Ok(self.answer(request, offered, now, page))
    }

    fn load(&self, needs: Needs) -> Loaded {
        let mut loaded = Loaded {
            known: needs.ops.iter().filter(|id| self.counted.contains(id)).copied().collect(),
            erased: needs.named.iter().filter_map(|id| Some((*id, *self.erased.get(id)?))).collect(),
            ..Loaded::default()
        };
        for key in &needs.records {
            self.load_record(key, &mut loaded);
        }
        for record in self.records.values().filter(|record| needs.whole.contains(&record.root)) {
            loaded.records.insert(record.key.clone(), Record::clone(record));
        }
        for key in accept::roots(loaded.records.values()) {
            self.load_record(&key, &mut loaded);
        }
        loaded
    }

    fn load_record(&self, key: &Key, loaded: &mut Loaded) {
        if let Some(record) = self.records.get(key) {
            loaded.records.insert(key.clone(), Record::clone(record));
        }
    }

    fn store(&mut self, device: &Device, taken: Accepted, now: i64) -> Vec<Outcome> {
        self.head = taken.head;
        let refused: Vec<Uuid> = taken.erased.keys().copied().collect();
        self.erased.extend(taken.erased);
        if let (Some((dseq, chain)), Some(device)) = (taken.position, self.devices.get_mut(&device.id)) {
            device.last_dseq = dseq;
            device.chain = chain;
        }
        for mut row in taken.ops {
            if row.outcome == Outcome::Rejected(reason::ERASED.into()) {
                row.bytes.clear();
            }
            self.counted.extend(row.op_id);
            if row.dseq > 0 {
                self.numbers.insert((row.device, row.dseq), row.seq);
            }
            self.ops.insert(row.seq, Rc::new((row, now)));
        }
        for line in taken.feed {
            self.feed.entry(line.scope).or_default().insert(line.seq, line.news);
        }
        for record in taken.records {
            self.records.insert(record.key.clone(), Rc::new(record));
        }
        let mut sums: BTreeMap<Scope, BTreeMap<usize, u128>> = BTreeMap::new();
        for ((scope, bucket), amount) in taken.digests {
            let old = self.digests.get(&scope).map_or(0, |digest| digest.sum(bucket));
            sums.entry(scope).or_default().insert(bucket, old.wrapping_add(amount));
        }
        for (scope, changed) in sums {
            let old = self.digests.remove(&scope).unwrap_or_default();
            let all = (0..aftercare_sync::digest::BUCKETS)
                .map(|bucket| (bucket, changed.get(&bucket).copied().unwrap_or_else(|| old.sum(bucket))));
            self.digests.insert(scope, ScopeDigest::from_sums(all));
        }
        if !refused.is_empty() {
            self.blank_all(|op| named(op).any(|id| refused.contains(&id)));
        }
        taken.offered
    }

    fn answer(&self, request: &Request, offered: Vec<Outcome>, now: i64, limit: usize) -> Answer {
        let device = &self.devices[&request.device];
        let verdicts = (request.acknowledged + 1..=device.last_dseq)
            .filter_map(|dseq| self.verdict(device, dseq))
            .collect();
        let scopes = std::iter::once(HOSPITAL).chain(device.sites.iter().copied());
        let pages = scopes
            .clone()
            .map(|scope| self.page(scope, request.cursors.get(&scope).copied().unwrap_or(0), limit));
        let comparable = request.wants_digest && request.entities == entities::fingerprint();
        let digests = scopes.clone().filter(|_| comparable);
        Answer {
            protocol: PROTOCOL,
            epoch: self.epoch(),
            server_millis: now,
            last_dseq: device.last_dseq,
            verdicts,
            pages: pages.collect(),
            offered,
            head: self.head,
            durable_seq: self.durable,
            digests: digests
                .map(|scope| (scope, self.digests.get(&scope).cloned().unwrap_or_default()))
                .collect(),
        }
    }

    fn verdict(&self, device: &Device, dseq: i64) -> Option<Verdict> {
        let (row, _) = &**self.ops.get(self.numbers.get(&(device.id, dseq))?)?;
        let record = row.key.as_ref().and_then(|key| self.records.get(key));
        let repair = row.repair.then(|| match record {
            Some(record) if device.sees(record.scope) => Repair::Record(Box::new(Record::clone(record))),
            _ => Repair::Absent,
        });
        let counts = matches!(row.outcome, Outcome::Accepted | Outcome::Stored) && !row.bytes.is_empty();
        Some(Verdict {
            dseq,
            seq: row.seq,
            effective: row.effective,
            outcome: row.outcome.clone(),
            repair,
            seal: counts.then(|| seal(&row.bytes, row.effective)),
        })
    }

    fn page(&self, scope: Scope, after: i64, limit: usize) -> Page {
        let empty = BTreeMap::new();
        let feed = self.feed.get(&scope).unwrap_or(&empty);
        let mut lines = feed.range(after + 1..);
        let taken: Vec<_> = lines.by_ref().take(limit).collect();
        let more = lines.next().is_some();
        let last = taken.last().map_or(after, |(seq, _)| **seq);
        let entries = taken
            .into_iter()
            .filter_map(|(seq, news)| self.event(scope, *seq, *news).map(|event| Entry { seq: *seq, event }))
            .collect();
        Page { scope, after, up_to: if more { last } else { self.head.max(after) }, entries, more }
    }

    pub fn scope_of(&self, root: Uuid) -> Option<Scope> {
        self.records.get(&Key::new(entities::PATIENT.table, root)).map(|patient| patient.scope)
    }

    fn event(&self, scope: Scope, seq: i64, news: News) -> Option<Event> {
        Some(match news {
            News::Op => {
                let row = &self.ops.get(&seq)?.0;
                // The patient is elsewhere by now: an Evict or Erase behind it says so.
                let elsewhere = !row.root.is_nil() && self.scope_of(row.root) != Some(scope);
                if row.bytes.is_empty() || elsewhere {
                    return None;
                }
                Event::Op(fed(row))
            }
            News::Erase(root) => Event::Erase { root, records: self.gone_with(root) },
            News::Evict(root) => match self.scope_of(root) {
                Some(to) => Event::Evict { root, to },
                None => Event::Erase { root, records: self.gone_with(root) },
            },
            News::Arrive(root) if self.scope_of(root) != Some(scope) => {
                Event::Arrive { root, records: Vec::new(), ops: Vec::new() }
            }
            News::Arrive(root) => {
                let records = self.records.values().filter(|record| record.root == root);
                let mut records: Vec<Record> = records.map(|record| Record::clone(record)).collect();
                records.sort_by_key(|record| record.created.seq);
                let made: HashSet<Uuid> = records.iter().flat_map(ops_of).collect();
                let ops = self.ops.range(self.durable + 1..).map(|(_, row)| &row.0);
                let ops = ops.filter(|row| row.op_id.is_some_and(|op| made.contains(&op)));
                let ops = ops.map(|row| Undurable { seq: row.seq, fed: fed(row) }).collect();
                Event::Arrive { root, records, ops }
            }
        })
    }

    /// A page of a bucket's records, by id and entity.
    pub fn bucket_records(
        &self,
        scope: Scope,
        number: usize,
        after: Option<&Key>,
        limit: usize,
    ) -> RecordsAnswer {
        let order = |key: &Key| (key.id, key.entity.clone());
        let mut records: Vec<Record> = self
            .records
            .values()
            .filter(|record| record.scope == scope && bucket(record.key.id) == number)
            .filter(|record| after.is_none_or(|after| order(&record.key) > order(after)))
            .map(|record| Record::clone(record))
            .collect();
        records.sort_by_key(|record| order(&record.key));
        let more = records.len() > limit;
        records.truncate(limit);
        let next = records.last().filter(|_| more).map(|record| record.key.clone());
        RecordsAnswer { head: self.head, records, next }
    }

    /// A page of a scope's records as they are, what others hang on first.
    pub fn snapshot(&self, scope: Scope, after: Option<&Key>, limit: usize) -> RecordsAnswer {
        let order = |key: &Key| {
            let place = entities::ALL.iter().position(|entity| entity.table == key.entity);
            (place.unwrap_or(usize::MAX), key.id)
        };
        let mut records: Vec<Record> = self
            .records
            .values()
            .filter(|record| record.scope == scope)
            .filter(|record| after.is_none_or(|after| order(&record.key) > order(after)))
            .map(|record| Record::clone(record))
            .collect();
        records.sort_by_key(|record| order(&record.key));
        let more = records.len() > limit;
        records.truncate(limit);
        let next = records.last().filter(|_| more).map(|record| record.key.clone());
        RecordsAnswer { head: self.head, records, next }
    }

    /// Who needs a new code after a restore: devices that it forgot.
    pub fn enrol(&mut self, id: Uuid, sites: &BTreeSet<Scope>, history_to: i64) {
        let device = Device { id, last_dseq: 0, chain: Vec::new(), sites: sites.clone(), history_to };
        self.devices.entry(id).or_insert(device);
    }
}

/// The ops that made a record what it is.
fn ops_of(record: &Record) -> impl Iterator<Item = Uuid> {
    std::iter::once(record.created.op).chain(record.clocks.values().map(|clock| clock.op))
}

fn fed(row: &OpRow) -> FedOp {
    FedOp {
        bytes: ByteBuf::from(row.bytes.clone()),
        effective: row.effective,
        without: row.without.clone(),
        amended: row.amended.clone(),
        stored: row.outcome == Outcome::Stored,
        seal: seal(&row.bytes, row.effective),
    }
}

fn seal(bytes: &[u8], effective: Hlc) -> ByteBuf {
    ByteBuf::from(chain_hash(format!("the hospital's key {}", effective.as_i64()).as_bytes(), bytes).to_vec())
}

fn read_offers(offers: &[Offer]) -> Vec<(Op, Vec<u8>, Hlc)> {
    offers
        .iter()
        .filter(|offer| offer.seal == seal(&offer.bytes, offer.effective))
        .filter_map(|offer| decode(&offer.bytes).map(|op| (op, offer.bytes.to_vec(), offer.effective)))
        .collect()
}
