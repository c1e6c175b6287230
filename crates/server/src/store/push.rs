//! Taking a desk's ops in: one transaction under the tenant's row lock.

use std::collections::{BTreeSet, HashMap};

use aftercare_domain::hlc::Hlc;
use aftercare_domain::op::{FieldValue, Op};
use aftercare_sync::accept::{
    self, Accepted, FeedRow, Loaded, Needs, News, OpRow, Protections, Received, accept_offers, read_batch,
};
use aftercare_sync::record::Key;
use aftercare_sync::wire::{OLDEST_PROTOCOL, Offer, Outcome, PROTOCOL, Refusal, Request, reason};
use aftercare_sync::{Scope, record::Record};
use hmac::{Hmac, Mac};
use serde_bytes::ByteBuf;
use sha2::Sha256;
use uuid::Uuid;

use super::hospitals::{Hospital, lineage, lock, look, move_head};
use super::tx::{Insert, Tx};
use super::value::{Kind, Value, mistake};
use super::{Device, Result, StoreError, devices, records};

const OPS: Insert = Insert {
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

const FEED: Insert = Insert {
    table: "feed",
    columns: &[("scope", Kind::Id), ("seq", Kind::Int), ("kind", Kind::Int), ("root", Kind::Id)],
    conflict: "",
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
pub(super) type Extra = (Vec<String>, std::collections::BTreeMap<String, FieldValue>);

/// Whether a request has anything to write. One that has not needs no lock and no commit.
pub(super) fn writes(request: &Request) -> bool {
    !request.ops.is_empty() || !request.offers.is_empty()
}

/// An op with its bytes and effective time.
pub(super) type OfferedOp = (Op, Vec<u8>, Hlc);

/// What became of a request's offers, in their order, or why nothing was taken in.
pub(super) type Taken = std::result::Result<Vec<Outcome>, Refusal>;

/// Looks at a request that writes nothing as if it did.
pub(super) async fn check(tx: &mut Tx, request: &Request) -> Result<Taken> {
    let hospital = look(tx).await?;
    let device = devices::active(tx, request.device).await?;
    Ok(admit(tx, &hospital, &device, request).await?.map(|_| Vec::new()))
}

/// Takes the request's offers in, then its ops, which may hang on them.
pub(super) async fn take(tx: &mut Tx, request: &Request, now: i64) -> Result<Taken> {
    let hospital = lock(tx).await?;
    let device = devices::active(tx, request.device).await?;
    let batch = match admit(tx, &hospital, &device, request).await? {
        Ok(batch) => batch,
        Err(refusal) => return Ok(Err(refusal)),
    };
    if let Some(most) = hospital.quota.bytes
        && hospital.bytes_used + batch.iter().map(|op| op.bytes.len() as i64).sum::<i64>() > most
    {
        return Err(StoreError::Quota { what: "bytes" });
    }
    let device = known(&device);
    let mut head = hospital.position.head;
    let (offers, mut offered) = believable(&hospital.seal_key, &request.offers);
    if !offers.is_empty() {
        let (outcomes, after) = take_offers(tx, &device, offers, head, now).await?;
        head = after;
        let mut outcomes = outcomes.into_iter();
        for place in offered.iter_mut().filter(|place| place.is_none()) {
            *place = outcomes.next();
        }
    }
    if !batch.is_empty() {
        let loaded = load(tx, accept::needs(&batch)).await?;
        let before = scopes_before(&loaded);
        let accepted = accept::accept(&device, batch, loaded, head, now, Protections::ALL);
        write(tx, device.id, accepted, &before, now).await?;
    }
    Ok(Ok(offered.into_iter().flatten().collect()))
}

/// Takes in ops whose authors need not be asked again. Answers what became of each, and the head.
pub(super) async fn take_offers(
    tx: &mut Tx,
    device: &accept::Device,
    offers: Vec<OfferedOp>,
    head: i64,
    now: i64,
) -> Result<(Vec<Outcome>, i64)> {
    let loaded = load(tx, accept::needs_of(offers.iter().map(|(op, _, _)| op))).await?;
    let before = scopes_before(&loaded);
    let mut accepted = accept_offers(device, offers, loaded, head, now, Protections::ALL);
    let offered = std::mem::take(&mut accepted.offered);
    let head = write(tx, device.id, accepted, &before, now).await?;
    Ok((offered, head))
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
    if !(OLDEST_PROTOCOL..=PROTOCOL).contains(&request.protocol) {
        return Ok(Err(Refusal::Upgrade { oldest: OLDEST_PROTOCOL, newest: PROTOCOL }));
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

/// Loads what a batch touches: what it names, the patients these hang on, everything of patients
/// who may move.
async fn load(tx: &mut Tx, needs: Needs) -> Result<Loaded> {
    let mut loaded = Loaded::default();
    let sql = "SELECT op_id FROM op WHERE tenant_id = $1 AND op_id = ANY($2)";
    for row in tx.rows_of(sql, &needs.ops, &[]).await? {
        loaded.known.insert(row.id(0)?);
    }
    let mut ids: BTreeSet<Uuid> = needs.records.iter().map(|key| key.id).collect();
    let first: Vec<Uuid> = ids.iter().copied().collect();
    keep(&mut loaded, records::by_ids(tx, &first).await?);
    let roots: Vec<Uuid> = accept::roots(loaded.records.values())
        .into_iter()
        .map(|key| key.id)
        .filter(|id| !ids.contains(id))
        .collect();
    keep(&mut loaded, records::by_ids(tx, &roots).await?);
    let whole: Vec<Uuid> = needs.whole.into_iter().collect();
    keep(&mut loaded, records::by_roots(tx, &whole).await?);
    ids.extend(roots);
    let ids: Vec<Uuid> = ids.into_iter().collect();
    loaded.erased = super::erasure::erased(tx, &ids).await?;
    Ok(loaded)
}

fn keep(loaded: &mut Loaded, records: Vec<Record>) {
    loaded.records.extend(records.into_iter().map(|record| (record.key.clone(), record)));
}

fn scopes_before(loaded: &Loaded) -> HashMap<Key, Scope> {
    loaded.records.values().map(|record| (record.key.clone(), record.scope)).collect()
}

/// Writes what was accepted; answers the head.
async fn write(
    tx: &mut Tx,
    device: Uuid,
    accepted: Accepted,
    before: &HashMap<Key, Scope>,
    now: i64,
) -> Result<i64> {
    let Accepted { head, position, ops, feed, records, digests, offered: _ } = accepted;
    let roots: HashMap<i64, Uuid> = ops.iter().map(|op| (op.seq, op.root)).collect();
    let bytes = ops.iter().map(|op| op.bytes.len() as i64).sum();
    let rows = ops.into_iter().map(op_row).collect::<Result<Vec<_>>>()?;
    tx.insert(&OPS, rows).await?;
    tx.insert(&FEED, feed.iter().map(|line| feed_row(line, &roots)).collect()).await?;
    records::write(tx, &records, before, &digests).await?;
    if let Some((dseq, hash)) = position {
        let sql = "UPDATE device SET last_dseq = $3, chain = $4, last_contact_at = $5 WHERE tenant_id = $1 AND id = $2";
        tx.run(sql, &[device.into(), dseq.into(), hash.into(), now.into()]).await?;
    }
    move_head(tx, head, bytes).await?;
    Ok(head)
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
    let (entity, record_id) = op.key.map(|key| (key.entity, key.id)).unzip();
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
