//! Taking desks' ops in: one transaction under the tenant's row lock, for one desk or for several.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use aftercare_domain::hlc::Hlc;
use aftercare_domain::op::{FieldValue, Op, chain_hash};
use aftercare_sync::accept::{
    self, Accepted, FeedRow, Loaded, Needs, News, OpRow, Protections, Received, accept_in, accept_offers_in,
    read_batch,
};
use aftercare_sync::record::Key;
use aftercare_sync::wire::{Offer, Outcome, Refusal, Request, check_protocol, reason};
use aftercare_sync::{Scope, record::Record};
use hmac::{Hmac, Mac};
use serde_bytes::ByteBuf;
use sha2::Sha256;
use uuid::Uuid;

use super::hospitals::{Hospital, lineage, lock, move_head};
use super::tx::{Insert, Tx, Update};
use super::value::{Kind, Row, Value, mistake};
use super::{Device, Result, StoreError, devices, records};

pub(super) const OPS: Insert = Insert {
    table: "op",
    columns: &[
        ("seq", Kind::Int),
        ("op_id", Kind::Id),
        ("device", Kind::Id),
        ("dseq", Kind::Int),
        ("entity", Kind::Text),
        ("record_id", Kind::Id),
        ("root", Kind::Id),
        ("bytes", Kind::Bytes),
        ("hash", Kind::Bytes),
        ("effective", Kind::Int),
        ("outcome", Kind::Text),
        ("why", Kind::Text),
        ("repair", Kind::Int),
        ("extra", Kind::Bytes),
    ],
    conflict: "",
};

pub(super) const FEED: Insert = Insert {
    table: "feed",
    columns: &[("scope", Kind::Id), ("seq", Kind::Int), ("kind", Kind::Int), ("root", Kind::Id)],
    conflict: "",
};

/// How far the server has each desk.
const POSITIONS: Update = Update {
    table: "device",
    key: "id",
    columns: &[("last_dseq", Kind::Int), ("chain", Kind::Bytes), ("last_contact_at", Kind::Int)],
};

/// A line of the feed: the op of this sequence.
pub(super) const OP: i64 = 0;
/// The patient came.
pub(super) const ARRIVE: i64 = 1;
/// The patient left.
pub(super) const EVICT: i64 = 2;
/// The patient was erased.
pub(super) const ERASE: i64 = 3;

/// What the judge changed of an op: fields left alone, values put in place.
pub(super) type Extra = (Vec<String>, BTreeMap<String, FieldValue>);

/// Whether a request has anything to write. One that has not needs no lock and no commit.
pub(super) fn writes(request: &Request) -> bool {
    !request.ops.is_empty() || !request.offers.is_empty()
}

/// An op with its bytes and effective time.
pub(super) type OfferedOp = (Op, Vec<u8>, Hlc);

/// What became of a request's offers, in their order, or why nothing was taken in.
pub type Taken = std::result::Result<Vec<Outcome>, Refusal>;

/// A desk's word that waits to be taken in.
#[derive(Clone)]
pub struct Push {
    /// What it says.
    pub(super) request: Arc<Request>,
    /// When it came, milliseconds UTC.
    pub(super) now: i64,
}

impl Push {
    /// Whose.
    pub(super) fn device(&self) -> Uuid {
        self.request.device
    }

    /// How many ops.
    pub(super) fn size(&self) -> usize {
        self.request.ops.len() + self.request.offers.len()
    }
}

/// Parts a request after its first `count` ops: what is taken in now, and what follows it, if anything does. What is taken
/// in stays, also when the rest is not: the desk's next request finds out.
pub(super) fn part(mut request: Request, count: usize) -> (Request, Option<Request>) {
    if request.ops.len() <= count {
        return (request, None);
    }
    let ops = request.ops.split_off(count);
    let chain = request.ops.iter().fold(request.chain.to_vec(), |hash, op| chain_hash(&hash, op).to_vec());
    let first = request.first + request.ops.len() as i64;
    let rest = Request {
        first,
        chain: ByteBuf::from(chain),
        ops,
        cursors: BTreeMap::new(),
        offers: Vec::new(),
        ..request
    };
    (request, Some(rest))
}

/// Why a request that writes nothing would be refused if it did.
pub(super) async fn check(
    tx: &mut Tx,
    hospital: &Hospital,
    device: &Device,
    request: &Request,
) -> Result<Option<Refusal>> {
    Ok(admit(tx, hospital, device, request).await?.err())
}

/// A push that was let in.
struct Work {
    device: accept::Device,
    batch: Vec<Received>,
    offers: Vec<OfferedOp>,
    /// A place for what becomes of each offer.
    places: Vec<Option<Outcome>>,
    now: i64,
}

/// What several pushes come to, to be written at once.
#[derive(Default)]
struct Sum {
    head: i64,
    ops: Vec<OpRow>,
    feed: Vec<FeedRow>,
    records: BTreeMap<Key, Record>,
    digests: BTreeMap<(Scope, usize), u128>,
    positions: Vec<Vec<Value>>,
    /// Records that were refused because they hang on an erased patient, with the patient.
    erased: BTreeMap<Uuid, Uuid>,
}

impl Sum {
    fn add(&mut self, device: Uuid, accepted: Accepted, now: i64) -> Vec<Outcome> {
        let Accepted { head, position, ops, feed, records, digests, erased, offered } = accepted;
        self.head = head;
        self.ops.extend(ops);
        self.feed.extend(feed);
        self.records.extend(records.into_iter().map(|record| (record.key.clone(), record)));
        self.erased.extend(erased);
        for (place, amount) in digests {
            let sum = self.digests.entry(place).or_default();
            *sum = sum.wrapping_add(amount);
        }
        if let Some((dseq, hash)) = position {
            self.positions.push(vec![device.into(), dseq.into(), hash.into(), now.into()]);
        }
        offered
    }
}

/// Takes the words of several desks in, one behind the other: of each its offers, then its ops, which may
/// hang on them. Every desk comes once at most. A desk that may not come, or has used up what it may, is told so
/// and leaves no trace; an error of the database is everybody's.
pub(super) async fn take_all(tx: &mut Tx, pushes: &[Push]) -> Result<Vec<Result<Taken>>> {
    let hospital = lock(tx).await?;
    let ids: Vec<Uuid> = pushes.iter().map(|push| push.request.device).collect();
    let devices = devices::by_ids(tx, &ids).await?;
    let mut bytes_used = hospital.bytes_used;
    let mut works = Vec::with_capacity(pushes.len());
    for push in pushes {
        works.push(match devices::may_come(devices.get(&push.request.device)) {
            Ok(device) => let_in(tx, &hospital, device, push, &mut bytes_used).await?,
            Err(error) => Err(error),
        });
    }
    let mut loaded = load(tx, needs_of_all(&works)).await?;
    let before = scopes_before(&loaded);
    let mut sum = Sum { head: hospital.position.head, ..Sum::default() };
    let taken =
        works.into_iter().map(|work| Ok(work?.map(|work| take(work, &mut loaded, &mut sum)))).collect();
    write(tx, sum, &before).await?;
    Ok(taken)
}

type LetIn = Result<std::result::Result<Work, Refusal>>;

/// What of a push is new. The outer error is the database's.
async fn let_in(
    tx: &mut Tx,
    hospital: &Hospital,
    device: &Device,
    push: &Push,
    bytes_used: &mut i64,
) -> Result<LetIn> {
    let request = &push.request;
    let batch = match admit(tx, hospital, device, request).await {
        Ok(Ok(batch)) => batch,
        Ok(Err(refusal)) => return Ok(Ok(Err(refusal))),
        Err(StoreError::Closed) => return Ok(Err(StoreError::Closed)),
        Err(error) => return Err(error),
    };
    let bytes = batch.iter().map(|op| op.bytes.len() as i64).sum::<i64>();
    if hospital.quota.bytes.is_some_and(|most| *bytes_used + bytes > most) {
        return Ok(Err(StoreError::Quota { what: "bytes" }));
    }
    *bytes_used += bytes;
    let (offers, places) = believable(&hospital.seal_key, &request.offers);
    Ok(Ok(Ok(Work { device: known(device), batch, offers, places, now: push.now })))
}

fn needs_of_all(works: &[LetIn]) -> Needs {
    let all = works.iter().flatten().flatten();
    accept::needs_of(all.flat_map(|work| {
        let offered = work.offers.iter().map(|(op, _, _)| op);
        offered.chain(work.batch.iter().filter_map(|received| received.op.as_ref()))
    }))
}

/// Judges and folds one push behind those before it; answers what became of its offers.
fn take(work: Work, loaded: &mut Loaded, sum: &mut Sum) -> Vec<Outcome> {
    let Work { device, batch, offers, mut places, now } = work;
    if !offers.is_empty() {
        let accepted = accept_offers_in(&device, offers, loaded, sum.head, now, Protections::ALL);
        let mut outcomes = sum.add(device.id, accepted, now).into_iter();
        for place in places.iter_mut().filter(|place| place.is_none()) {
            *place = outcomes.next();
        }
    }
    if !batch.is_empty() {
        let accepted = accept_in(&device, batch, loaded, sum.head, now, Protections::ALL);
        sum.add(device.id, accepted, now);
    }
    places.into_iter().flatten().collect()
}

/// Takes in ops whose authors need not be asked again. Answers what became of each.
pub(super) async fn take_offers(
    tx: &mut Tx,
    device: &accept::Device,
    offers: Vec<OfferedOp>,
    head: i64,
    now: i64,
) -> Result<Vec<Outcome>> {
    let mut loaded = load(tx, accept::needs_of(offers.iter().map(|(op, _, _)| op))).await?;
    let before = scopes_before(&loaded);
    let mut sum = Sum { head, ..Sum::default() };
    let accepted = accept_offers_in(device, offers, &mut loaded, head, now, Protections::ALL);
    let offered = sum.add(device.id, accepted, now);
    write(tx, sum, &before).await?;
    Ok(offered)
}

/// The pure core's view of a device.
pub(super) fn known(device: &Device) -> accept::Device {
    accept::Device {
        id: device.id,
        last_dseq: device.last_dseq,
        chain: device.chain.clone(),
        sites: device.sites.clone(),
        history_to: device.history_to,
    }
}

type Admitted = std::result::Result<Vec<Received>, Refusal>;

/// What of the request is new, or why it is refused.
async fn admit(tx: &mut Tx, hospital: &Hospital, device: &Device, request: &Request) -> Result<Admitted> {
    if hospital.closed {
        return Err(StoreError::Closed);
    }
    if let Err(refusal) = check_protocol(request.protocol) {
        return Ok(Err(refusal));
    }
    let epoch = hospital.position.epoch;
    if request.epoch != epoch {
        let lineage = lineage(tx).await?;
        return Ok(Err(Refusal::Epoch {
            epoch,
            head: lineage.last().map_or(0, |start| start.head),
            lineage,
            last_dseq: device.last_dseq,
            chain: ByteBuf::from(device.chain.clone()),
        }));
    }
    Ok(read_batch(&known(device), request.first, &request.chain, &request.ops, Protections::ALL))
}

/// Loads what batches touch: what they name, the patients these hang on, everything of patients
/// who may move.
async fn load(tx: &mut Tx, needs: Needs) -> Result<Loaded> {
    let mut loaded = Loaded::default();
    let mut ids: BTreeSet<Uuid> = needs.records.iter().map(|key| key.id).collect();
    let first: Vec<Uuid> = ids.iter().copied().collect();
    let known = "SELECT op_id FROM op WHERE tenant_id = $1 AND op_id = ANY($2)";
    let mut found = tx.rows_of_all(&[(known, &needs.ops), (records::BY_IDS, &first)]).await?.into_iter();
    for row in found.next().unwrap_or_default() {
        loaded.known.insert(row.id(0)?);
    }
    keep(&mut loaded, &found.next().unwrap_or_default())?;
    let roots: Vec<Uuid> = accept::roots(loaded.records.values())
        .into_iter()
        .map(|key| key.id)
        .filter(|id| !ids.contains(id))
        .collect();
    let whole: Vec<Uuid> = needs.whole.into_iter().collect();
    ids.extend(&needs.named);
    let ids: Vec<Uuid> = ids.into_iter().collect();
    let asked = [(records::BY_IDS, &roots), (records::BY_ROOTS, &whole), (super::erasure::ERASED, &ids)];
    let mut found = tx.rows_of_all(&asked).await?.into_iter();
    keep(&mut loaded, &found.next().unwrap_or_default())?;
    keep(&mut loaded, &found.next().unwrap_or_default())?;
    for row in found.next().unwrap_or_default() {
        loaded.erased.insert(row.id(0)?, row.id(1)?);
    }
    Ok(loaded)
}

fn keep(loaded: &mut Loaded, rows: &[Row]) -> Result<()> {
    for row in rows {
        let record = records::decode(row)?;
        loaded.records.insert(record.key.clone(), record);
    }
    Ok(())
}

fn scopes_before(loaded: &Loaded) -> HashMap<Key, Scope> {
    loaded.records.values().map(|record| (record.key.clone(), record.scope)).collect()
}

/// Writes what was accepted.
async fn write(tx: &mut Tx, sum: Sum, before: &HashMap<Key, Scope>) -> Result<()> {
    let Sum { head, ops, feed, records, digests, positions, erased } = sum;
    if ops.is_empty() && feed.is_empty() {
        return Ok(());
    }
    let roots: HashMap<i64, Uuid> = ops.iter().map(|op| (op.seq, op.root)).collect();
    let bytes = ops.iter().map(|op| op.bytes.len() as i64).sum();
    let rows = ops.into_iter().map(op_row).collect::<Result<Vec<_>>>()?;
    tx.insert(&OPS, rows).await?;
    tx.insert(&FEED, feed.iter().map(|line| feed_row(line, &roots)).collect()).await?;
    records::write(tx, records.values(), before, &digests).await?;
    tx.update(&POSITIONS, positions).await?;
    super::erasure::remember(tx, &erased).await?;
    move_head(tx, head, bytes).await
}

fn op_row(op: OpRow) -> Result<Vec<Value>> {
    let (outcome, why) = word(&op.outcome);
    // What comes back of an erased patient is not kept.
    let erased = why == reason::ERASED;
    let bytes = if erased { Vec::new() } else { op.bytes };
    let extra = if op.without.is_empty() && op.amended.is_empty() {
        Value::Null
    } else {
        let mut bytes = Vec::new();
        let extra: Extra = (op.without, op.amended);
        ciborium::into_writer(&extra, &mut bytes).map_err(|_| mistake())?;
        Value::Bytes(bytes)
    };
    // No database keeps this character in a text; such an op is a newer program's or nobody's.
    let key = op.key.filter(|key| !key.entity.contains('\0'));
    let (entity, record_id) = key.map(|key| (key.entity, key.id)).unzip();
    Ok(vec![
        op.seq.into(),
        op.op_id.into(),
        op.device.into(),
        Some(op.dseq).filter(|dseq| *dseq > 0).into(),
        entity.into(),
        record_id.into(),
        op.root.into(),
        bytes.into(),
        op.hash.into(),
        op.effective.as_i64().into(),
        outcome.into(),
        why.into(),
        op.repair.into(),
        extra,
    ])
}

fn feed_row(line: &FeedRow, roots: &HashMap<i64, Uuid>) -> Vec<Value> {
    let (kind, root) = match line.news {
        News::Op => (OP, roots.get(&line.seq).copied().unwrap_or_default()),
        News::Arrive(root) => (ARRIVE, root),
        News::Evict(root) => (EVICT, root),
        News::Erase(root) => (ERASE, root),
    };
    vec![line.scope.into(), line.seq.into(), kind.into(), root.into()]
}

/// An outcome as it is stored: a word, and why.
pub(super) fn word(outcome: &Outcome) -> (&'static str, &str) {
    match outcome {
        Outcome::Accepted => ("accepted", ""),
        Outcome::Duplicate => ("duplicate", ""),
        Outcome::Stored => ("stored", ""),
        Outcome::Refused(why) => ("refused", why),
        Outcome::Rejected(why) => ("rejected", why),
        Outcome::Quarantined(why) => ("quarantined", why),
    }
}

/// The outcome of these words.
pub(super) fn outcome(word: &str, why: String) -> Result<Outcome> {
    Ok(match word {
        "accepted" => Outcome::Accepted,
        "duplicate" => Outcome::Duplicate,
        "stored" => Outcome::Stored,
        "refused" => Outcome::Refused(why),
        "rejected" => Outcome::Rejected(why),
        "quarantined" => Outcome::Quarantined(why),
        _ => return Err(mistake()),
    })
}

/// Offers that carry the server's seal, read, and a place for what becomes of each. The others are nobody's
/// word: they are refused for good.
fn believable(key: &[u8], offers: &[Offer]) -> (Vec<OfferedOp>, Vec<Option<Outcome>>) {
    let mut read = Vec::with_capacity(offers.len());
    let mut places = Vec::with_capacity(offers.len());
    for offer in offers {
        let sealed = sealer(key, &offer.bytes, offer.effective)
            .is_some_and(|mac| mac.verify_slice(&offer.seal).is_ok());
        match accept::decode(&offer.bytes).filter(|_| sealed) {
            Some(op) => {
                read.push((op, offer.bytes.to_vec(), offer.effective));
                places.push(None);
            }
            None => places.push(Some(Outcome::Rejected(reason::UNREADABLE.to_owned()))),
        }
    }
    (read, places)
}

/// The server's seal on an op and its effective time.
pub(super) fn seal(key: &[u8], bytes: &[u8], effective: Hlc) -> Result<Vec<u8>> {
    let mac = sealer(key, bytes, effective).ok_or_else(mistake)?;
    Ok(mac.finalize().into_bytes().to_vec())
}

fn sealer(key: &[u8], bytes: &[u8], effective: Hlc) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    mac.update(bytes);
    mac.update(&effective.as_i64().to_be_bytes());
    Some(mac)
}
