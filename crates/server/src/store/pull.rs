//! What a desk is answered: verdicts on its own ops, and news of its scopes. Reads one state.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use aftercare_domain::hlc::Hlc;
use aftercare_sync::record::{Key, Record};
use aftercare_sync::wire::{
    Answer, Entry, Event, FedOp, MAX_OPS, Outcome, PROTOCOL, Page, Repair, Request, Undurable, Verdict,
};
use aftercare_sync::{HOSPITAL, Scope, entities};
use serde_bytes::ByteBuf;
use uuid::Uuid;

use super::hospitals::Hospital;
use super::push::{self, ARRIVE, ERASE, EVICT, Extra, OP, known, outcome, seal};
use super::tx::Tx;
use super::value::{Row, Value, mistake};
use super::{Answered, Device, Limits, Result, devices, erasure, records};

/// What a message may still hold.
struct Room {
    bytes: usize,
}

impl Room {
    /// Takes bytes away; says whether there were as many.
    fn take(&mut self, bytes: usize) -> bool {
        let fits = bytes <= self.bytes;
        self.bytes = self.bytes.saturating_sub(bytes);
        fits
    }
}

/// Roughly what an entry costs beside its op's bytes.
const ENTRY_BYTES: usize = 64;

/// The answer to a request that writes nothing, or why it would be refused if it did.
pub(super) async fn reply(tx: &mut Tx, request: &Request, now: i64, limits: Limits) -> Result<Answered> {
    let (hospital, device) = devices::with_hospital(tx, request.device).await?;
    devices::may_come(Some(&device))?;
    if let Some(refusal) = push::check(tx, &hospital, &device, request).await? {
        return Ok(Answered::Refused(refusal));
    }
    let answer = compose(tx, &hospital, &device, request, (now, limits)).await?;
    Ok(Answered::Answer(Box::new(answer)))
}

/// The answer to a request that was taken in.
pub(super) async fn answer(tx: &mut Tx, request: &Request, now: i64, limits: Limits) -> Result<Answer> {
    let (hospital, device) = devices::with_hospital(tx, request.device).await?;
    devices::may_come(Some(&device))?;
    compose(tx, &hospital, &device, request, (now, limits)).await
}

const VERDICTS: &str = "SELECT dseq, seq, effective, outcome, why, repair, entity, record_id, bytes FROM op \
                        WHERE tenant_id = $1 AND device = $2 AND dseq > $3 ORDER BY dseq LIMIT $4";
const FEED: &str = "SELECT f.seq, f.kind, f.root, o.bytes, o.effective, o.extra, o.outcome FROM feed f \
                    LEFT JOIN op o ON o.tenant_id = f.tenant_id AND o.seq = f.seq \
                    WHERE f.tenant_id = $1 AND f.scope = $2 AND f.seq > $3 AND f.seq <= $4 ORDER BY f.seq LIMIT $5";

const UNDURABLE: &str = "SELECT root, seq, bytes, effective FROM op WHERE tenant_id = $1 AND op_id = ANY($2) \
                         AND seq > $3 AND outcome = 'accepted' AND length(bytes) > 0";

/// Verdicts and news, asked for in one go.
async fn compose(
    tx: &mut Tx,
    hospital: &Hospital,
    device: &Device,
    request: &Request,
    (now, limits): (i64, Limits),
) -> Result<Answer> {
    let head = hospital.position.head;
    let scopes: Vec<Scope> = std::iter::once(HOSPITAL).chain(device.sites.iter().copied()).collect();
    let mut asked: Vec<(&str, Vec<Value>)> = Vec::new();
    let news = device.last_dseq > request.acknowledged;
    if news {
        let most = MAX_OPS as i64;
        asked.push((VERDICTS, vec![device.id.into(), request.acknowledged.into(), most.into()]));
    }
    let entries = limits.entries.max(1);
    let most = i64::try_from(entries).unwrap_or(i64::MAX).saturating_add(1);
    let mut feeds = Vec::new();
    for scope in &scopes {
        let after = request.cursors.get(scope).copied().unwrap_or(0);
        if after < head {
            asked.push((FEED, vec![(*scope).into(), after.into(), head.into(), most.into()]));
            let durable = hospital.position.durable_seq;
            feeds.push(Feed { scope: *scope, after, head, entries, durable, key: &hospital.seal_key });
        }
    }
    let mut found = tx.rows_all(&asked).await?;
    let of_feeds = found.split_off(usize::from(news));
    let mut room = Room { bytes: limits.bytes };
    let rows = found.pop().unwrap_or_default();
    let (verdicts, all) = verdicts(tx, &known(device), &rows, &hospital.seal_key, &mut room).await?;
    let mut pages = Vec::with_capacity(feeds.len());
    // A page may hold what the desk takes for its own unsent change: none comes before all verdicts.
    if all {
        let place = places(tx, &of_feeds).await?;
        for (feed, rows) in feeds.iter().zip(&of_feeds) {
            pages.push(page(tx, feed, rows, &place, &mut room).await?);
        }
    }
    let comparable = request.wants_digest && request.entities == entities::fingerprint();
    let digests = if comparable { records::digests(tx, &scopes).await? } else { BTreeMap::new() };
    Ok(Answer {
        protocol: PROTOCOL,
        epoch: hospital.position.epoch,
        server_millis: now,
        last_dseq: device.last_dseq,
        verdicts,
        pages,
        offered: Vec::new(),
        head,
        durable_seq: hospital.position.durable_seq,
        digests,
    })
}

/// Verdicts from these rows, as many as there is room for, and whether that is all of them.
async fn verdicts(
    tx: &mut Tx,
    device: &aftercare_sync::accept::Device,
    rows: &[Row],
    seal_key: &[u8],
    room: &mut Room,
) -> Result<(Vec<Verdict>, bool)> {
    let mut wanted = BTreeSet::new();
    for row in rows {
        if row.flag(5)? {
            wanted.extend(row.id_or_null(7)?);
        }
    }
    let wanted: Vec<Uuid> = wanted.into_iter().collect();
    let there: HashMap<Key, Record> =
        records::by_ids(tx, &wanted).await?.into_iter().map(|record| (record.key.clone(), record)).collect();
    let mut verdicts = Vec::with_capacity(rows.len());
    for row in rows {
        let key = row.text_or_null(6)?.zip(row.id_or_null(7)?).filter(|_| matches!(row.flag(5), Ok(true)));
        let repair = key.map(|(entity, id)| {
            let record = there.get(&Key { entity, id }).filter(|record| device.sees(record.scope));
            record.map_or(Repair::Absent, |record| Repair::Record(Box::new(record.clone())))
        });
        let size = match &repair {
            Some(Repair::Record(record)) => size_of(record),
            _ => 0,
        };
        if !room.take(ENTRY_BYTES + size) && !verdicts.is_empty() {
            break;
        }
        let effective = Hlc::from_i64(row.int(2)?);
        let outcome = outcome(&row.text(3)?, row.text(4)?)?;
        let seal = match row.bytes_or_null(8)?.filter(|bytes| !bytes.is_empty()) {
            Some(bytes) if matches!(outcome, Outcome::Accepted | Outcome::Stored) => {
                Some(ByteBuf::from(seal(seal_key, &bytes, effective)?))
            }
            _ => None,
        };
        verdicts.push(Verdict { dseq: row.int(0)?, seq: row.int(1)?, effective, outcome, repair, seal });
    }
    let all = verdicts.last().is_none_or(|last| last.dseq >= device.last_dseq);
    Ok((verdicts, all))
}

/// A part of a scope's feed.
struct Feed<'a> {
    scope: Scope,
    after: i64,
    head: i64,
    entries: usize,
    durable: i64,
    key: &'a [u8],
}

/// News of a scope, from these rows of its feed.
async fn page(tx: &mut Tx, feed: &Feed<'_>, rows: &[Row], place: &Places, room: &mut Room) -> Result<Page> {
    let mut patients = patients(tx, feed, rows, place).await?;
    let mut page =
        Page { scope: feed.scope, after: feed.after, up_to: feed.head, entries: Vec::new(), more: false };
    for (n, row) in rows.iter().enumerate() {
        let seq = row.int(0)?;
        let entry = entry(feed, row, place, &mut patients)?;
        let size = entry.as_ref().map_or(0, |(_, size)| *size);
        let full = n >= feed.entries || !room.take(size);
        if full && n > 0 {
            page.more = true;
            page.up_to = row_before(rows, n)?;
            break;
        }
        page.entries.extend(entry.map(|(event, _)| Entry { seq, event }));
    }
    Ok(page)
}

fn row_before(rows: &[Row], n: usize) -> Result<i64> {
    rows.get(n - 1).ok_or_else(mistake)?.int(0)
}

type Places = HashMap<Uuid, Scope>;

/// Most bytes of ops that come with one patient: a desk keeps what it is given for a server that is restored,
/// and who brings the rest is the desk that wrote it.
const MOST_OPS_BYTES: usize = 256 << 10;

/// What is told of patients who came to a scope and are still there, and of those who were erased.
#[derive(Default)]
struct Patients {
    records: HashMap<Uuid, Vec<Record>>,
    ops: HashMap<Uuid, Vec<Undurable>>,
    gone_with: HashMap<Uuid, Vec<Uuid>>,
}

/// Where the patients of all these lines are now.
async fn places(tx: &mut Tx, feeds: &[Vec<Row>]) -> Result<Places> {
    let mut all = BTreeSet::new();
    for row in feeds.iter().flatten() {
        let root = row.id(2)?;
        if !root.is_nil() {
            all.insert(root);
        }
    }
    let all: Vec<Uuid> = all.into_iter().collect();
    records::scopes_of(tx, &all).await
}

async fn patients(tx: &mut Tx, feed: &Feed<'_>, rows: &[Row], place: &Places) -> Result<Patients> {
    let mut here = BTreeSet::new();
    let mut gone = BTreeSet::new();
    for row in rows {
        let (kind, root) = (row.int(1)?, row.id(2)?);
        if kind == ARRIVE && place.get(&root) == Some(&feed.scope) {
            here.insert(root);
        }
        if kind == ERASE || (kind == EVICT && !place.contains_key(&root)) {
            gone.insert(root);
        }
    }
    let (here, gone): (Vec<Uuid>, Vec<Uuid>) = (here.into_iter().collect(), gone.into_iter().collect());
    let mut patients = Patients::default();
    for record in records::by_roots(tx, &here).await? {
        patients.records.entry(record.root).or_default().push(record);
    }
    for records in patients.records.values_mut() {
        // What others hang on first: the patient, then in the order of the entities' list.
        records.sort_by_key(|record| {
            let place = entities::ALL.iter().position(|entity| entity.table == record.key.entity);
            (place.unwrap_or(usize::MAX), record.created.seq, record.key.id)
        });
    }
    let made = patients.records.values().flatten().flat_map(ops_of).collect::<BTreeSet<Uuid>>();
    let made: Vec<Uuid> = made.into_iter().collect();
    for row in tx.rows_of(UNDURABLE, &made, &[feed.durable.into()]).await? {
        let (bytes, effective) = (row.bytes(2)?, Hlc::from_i64(row.int(3)?));
        let seal = ByteBuf::from(seal(feed.key, &bytes, effective)?);
        let ops = patients.ops.entry(row.id(0)?).or_default();
        let so_far: usize = ops.iter().map(|op| op.fed.bytes.len()).sum();
        if so_far + bytes.len() <= MOST_OPS_BYTES {
            ops.push(Undurable { seq: row.int(1)?, fed: plain(bytes, effective, seal) });
        }
    }
    for row in tx.rows_of(erasure::GONE_WITH, &gone, &[]).await? {
        patients.gone_with.entry(row.id(1)?).or_default().push(row.id(0)?);
    }
    Ok(patients)
}

/// The ops that made a record what it is.
fn ops_of(record: &Record) -> impl Iterator<Item = Uuid> {
    std::iter::once(record.created.op).chain(record.clocks.values().map(|clock| clock.op))
}

/// An op that is kept and not applied.
fn plain(bytes: Vec<u8>, effective: Hlc, seal: ByteBuf) -> FedOp {
    let bytes = ByteBuf::from(bytes);
    FedOp { bytes, effective, without: Vec::new(), amended: BTreeMap::new(), stored: false, seal }
}

/// A line of the feed with its size. Nothing: the op was erased, or its patient is elsewhere by now (an
/// Evict or Erase behind it in the same feed says so), and what they write there is not for this scope.
fn entry(
    feed: &Feed<'_>,
    row: &Row,
    place: &Places,
    patients: &mut Patients,
) -> Result<Option<(Event, usize)>> {
    let root = row.id(2)?;
    Ok(match row.int(1)? {
        OP => {
            let bytes = row.bytes_or_null(3)?.unwrap_or_default();
            let elsewhere = !root.is_nil() && place.get(&root) != Some(&feed.scope);
            if bytes.is_empty() || elsewhere {
                return Ok(None);
            }
            let effective = Hlc::from_i64(row.int(4)?);
            let (without, amended): Extra = match row.bytes_or_null(5)? {
                Some(extra) => ciborium::from_reader(extra.as_slice()).map_err(|_| mistake())?,
                None => Extra::default(),
            };
            let seal = ByteBuf::from(seal(feed.key, &bytes, effective)?);
            let size = bytes.len() + 2 * ENTRY_BYTES;
            let stored = row.text(6)? == "stored";
            let fed = FedOp { bytes: ByteBuf::from(bytes), effective, without, amended, stored, seal };
            Some((Event::Op(fed), size))
        }
        ARRIVE => {
            let records = patients.records.get(&root).cloned().unwrap_or_default();
            let ops = patients.ops.get(&root).cloned().unwrap_or_default();
            let size = ENTRY_BYTES
                + records.iter().map(size_of).sum::<usize>()
                + ops.iter().map(|op| op.fed.bytes.len() + 2 * ENTRY_BYTES).sum::<usize>();
            Some((Event::Arrive { root, records, ops }, size))
        }
        // Of an erased patient nothing is anywhere: the old scope lets go of it here already.
        EVICT if place.contains_key(&root) => {
            Some((Event::Evict { root, to: place.get(&root).copied().unwrap_or(HOSPITAL) }, ENTRY_BYTES))
        }
        EVICT | ERASE => {
            let records = patients.gone_with.get(&root).cloned().unwrap_or_default();
            let size = ENTRY_BYTES + 20 * records.len();
            Some((Event::Erase { root, records }, size))
        }
        _ => return Err(mistake()),
    })
}

/// Roughly how many bytes a record takes in a message.
fn size_of(record: &Record) -> usize {
    use aftercare_domain::op::FieldValue;
    let values = record.values.iter().map(|(name, value)| {
        name.len()
            + match value {
                FieldValue::Text(text) => text.len() + 3,
                FieldValue::Bytes(bytes) => bytes.len() + 3,
                _ => 9,
            }
    });
    160 + values.sum::<usize>() + record.clocks.len() * 64
}
