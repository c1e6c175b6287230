//! USB sticks: a desk's sealed file in, the server's sealed answer out, through the same write path as
//! `/v1/sync`. On the command line and on the administrators' page.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, BufWriter, Seek};

use aftercare_sync::door::ProblemCode;
use aftercare_sync::pack::{self, PackError};
use aftercare_sync::stick::{Header, StickError, StickKey, StickReader, StickWriter, Way, Word};
use aftercare_sync::wire::{Answer, MAX_OPS, PROTOCOL, Refusal, Request, check_protocol};
use aftercare_sync::{HOSPITAL, Scope};
use ring::{hmac, signature};
use serde_bytes::ByteBuf;
use serde_json::json;
use uuid::Uuid;

use crate::app::{App, random};
use crate::failure::Failure;
use crate::problem::refuse;
use crate::signed::check_status;
use crate::store::{Answered, Device, Limits};

/// Most answers in one file: what is more than that goes with the next stick.
const MOST_ANSWERS: usize = 2000;
/// What an answer holds when the usual would be too large when packed: half, and half again.
const SMALLER: u32 = 4;

/// What a desk's file came to.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Exchange {
    /// The desk.
    pub device: Uuid,
    /// What people call it.
    pub name: String,
    /// Changes that were new to the server.
    pub taken: i64,
    /// Changes in the file.
    pub changes: i64,
    /// Whether the desk has to be told that the server was restored: it must bring another stick.
    pub again: bool,
    /// Bytes of the answer.
    pub bytes: u64,
}

impl App {
    /// What this server and a desk seal their sticks with. It follows from the authority and the desk's
    /// key: a restored server has it, and a desk that joins anew gets another.
    pub fn stick_key(&self, tenant: Uuid, device: Uuid, public_key: &[u8]) -> StickKey {
        let key = self.authority.derive("stick");
        let mut text = Vec::with_capacity(64);
        text.extend(tenant.as_bytes());
        text.extend(device.as_bytes());
        text.extend(public_key);
        StickKey(hmac::sign(&key, &text).as_ref().to_vec())
    }
}

fn damaged(_: impl std::fmt::Display) -> Failure {
    Failure::new("stick_damaged", "")
}

fn stick(error: StickError) -> Failure {
    match error {
        StickError::Io(source) => Failure::File { about: "stick".to_owned(), source },
        StickError::TooLarge => refuse(ProblemCode::TooLarge).into(),
        StickError::Damaged => damaged(error),
    }
}

/// Takes a desk's file in and writes the answer. The whole file is checked, with its signature, before
/// anything of it counts. `only`: the hospital whose administrator asks.
///
/// # Errors
/// `stick_damaged`, `stick_wrong_way`, `stick_other_hospital`, `device_unknown`, `device_revoked`,
/// `device_wipe`, `tenant_closed`, `upgrade`, and the store's.
pub async fn exchange(
    app: &App,
    only: Option<Uuid>,
    actor: Uuid,
    from: &mut File,
    to: &mut File,
) -> Result<Exchange, Failure> {
    let known = check(app, only, from).await?;
    let header = Header {
        protocol: PROTOCOL,
        way: Way::ToDesk,
        tenant: known.tenant,
        device: known.device.id,
        file: uuid::Builder::from_random_bytes(random()?).into_uuid(),
        made_at: app.now(),
    };
    let mut writer = StickWriter::begin(BufWriter::new(to), &header, &known.key).map_err(stick)?;
    let before = known.device.last_dseq;
    let (last, refusal) = take(app, &known, from).await?;
    let device = app.store.device(known.tenant, known.device.id).await?;
    let position = app.store.position(known.tenant).await?;
    word(
        &mut writer,
        &Word::State {
            epoch: position.epoch,
            last_dseq: device.last_dseq,
            chain: ByteBuf::from(device.chain.clone()),
            sites: device.sites.clone(),
        },
    )?;
    let again = refusal.is_some();
    match refusal {
        Some(refusal) => word(&mut writer, &Word::Refused(refusal))?,
        None => answers(app, &known, &device, last, &mut writer).await?,
    }
    let (_, bytes) = writer.finish(|_| Vec::new()).map_err(stick)?;
    let taken = device.last_dseq - before;
    app.note_contact(known.tenant, device.id).await;
    let details = json!({ "taken": taken, "made_at": known.made_at });
    app.audit(known.tenant, actor, "stick_answered", device.id, details).await?;
    Ok(Exchange { device: device.id, name: device.name, taken, changes: known.changes, again, bytes })
}

/// Whose file it is, once it has been checked.
struct Known {
    tenant: Uuid,
    device: Device,
    key: StickKey,
    changes: i64,
    made_at: i64,
}

fn reader(from: &mut File) -> Result<StickReader<BufReader<&mut File>>, Failure> {
    from.rewind().map_err(|error| stick(error.into()))?;
    StickReader::begin(BufReader::new(from)).map_err(stick)
}

async fn check(app: &App, only: Option<Uuid>, from: &mut File) -> Result<Known, Failure> {
    let mut reader = reader(from)?;
    let header = reader.header().clone();
    if check_protocol(header.protocol).is_err() {
        return Err(refuse(ProblemCode::Upgrade).into());
    }
    if header.way != Way::ToServer {
        return Err(Failure::new("stick_wrong_way", ""));
    }
    let tenant = app.store.tenant_of_device(header.device).await?;
    let tenant = tenant.ok_or(refuse(ProblemCode::DeviceUnknown))?;
    if header.tenant != tenant || only.is_some_and(|only| only != tenant) {
        return Err(Failure::new("stick_other_hospital", ""));
    }
    if app.store.tenant(tenant).await?.closed {
        return Err(refuse(ProblemCode::TenantClosed).into());
    }
    let device = app.store.device(tenant, header.device).await?;
    check_status(device.status)?;
    let key = app.stick_key(tenant, device.id, &device.public_key);
    reader.open(&key).map_err(stick)?;
    let mut changes = 0;
    while let Some(frame) = reader.next_frame().map_err(stick)? {
        let request = read(&frame, device.id)?;
        changes += i64::try_from(request.ops.len()).unwrap_or(0);
    }
    let (text, signed) = reader.signature().ok_or_else(|| damaged("no signature"))?;
    signature::UnparsedPublicKey::new(&signature::ED25519, &device.public_key)
        .verify(text.as_bytes(), signed)
        .map_err(damaged)?;
    Ok(Known { tenant, device, key, changes, made_at: header.made_at })
}

fn read(frame: &[u8], device: Uuid) -> Result<Request, Failure> {
    let request: Request = pack::unpack(frame).map_err(damaged)?;
    let fits = request.device == device && request.ops.len() <= MAX_OPS && request.first > 0;
    if fits && request.offers.is_empty() { Ok(request) } else { Err(damaged("not such a request")) }
}

/// Takes the file's ops in. Answers its last request, and why the server did not go on.
async fn take(app: &App, known: &Known, from: &mut File) -> Result<(Request, Option<Refusal>), Failure> {
    let mut reader = reader(from)?;
    reader.open(&known.key).map_err(stick)?;
    let mut last = None;
    while let Some(frame) = reader.next_frame().map_err(stick)? {
        let request = read(&frame, known.device.id)?;
        let mut sent = request.clone();
        // No news yet: they come behind the last op's verdict.
        sent.cursors = everything(&known.device);
        sent.wants_digest = false;
        let device = app.store.device(known.tenant, known.device.id).await?;
        let end = request.first + i64::try_from(request.ops.len()).unwrap_or(0) - 1;
        if end < device.last_dseq {
            // An older file, or one that was written twice: these are here already.
            (sent.first, sent.chain) = (device.last_dseq + 1, ByteBuf::from(device.chain));
            sent.ops.clear();
        }
        let limits = Limits::default();
        match app.store.sync(known.tenant, sent, app.now(), limits).await? {
            Answered::Refused(refusal) => return Ok((request, Some(refusal))),
            Answered::Answer(_) => last = Some(request),
        }
    }
    Ok((last.ok_or_else(|| damaged("nothing in it"))?, None))
}

/// Cursors that ask for nothing.
fn everything(device: &Device) -> BTreeMap<Scope, i64> {
    std::iter::once(HOSPITAL).chain(device.sites.iter().copied()).map(|scope| (scope, i64::MAX)).collect()
}

/// Verdicts and news up to the head, as the desk would get them round by round.
async fn answers<W: std::io::Write>(
    app: &App,
    known: &Known,
    device: &Device,
    last: Request,
    writer: &mut StickWriter<W>,
) -> Result<(), Failure> {
    let mut ask = Request {
        first: device.last_dseq + 1,
        chain: ByteBuf::from(device.chain.clone()),
        ops: Vec::new(),
        wants_digest: false,
        ..last
    };
    for scope in &device.sites {
        // A site that is new to the desk comes as a snapshot, over a network.
        ask.cursors.entry(*scope).or_insert(i64::MAX);
    }
    for _ in 0..MOST_ANSWERS {
        let (answer, packed) = match one(app, known.tenant, &ask).await? {
            Ok(answered) => answered,
            Err(refusal) => return word(writer, &Word::Refused(refusal)),
        };
        writer.frame(&packed).map_err(stick)?;
        let before = (ask.acknowledged, ask.cursors.clone());
        if let Some(verdict) = answer.verdicts.last() {
            ask.acknowledged = ask.acknowledged.max(verdict.dseq);
        }
        for page in &answer.pages {
            ask.cursors.insert(page.scope, page.up_to);
        }
        let moved = before != (ask.acknowledged, ask.cursors.clone());
        let level = ask.acknowledged >= answer.last_dseq && answer.pages.iter().all(|page| !page.more);
        if level && ask.wants_digest || !level && !moved {
            return Ok(());
        }
        // When everything is in, once more, to compare.
        ask.wants_digest = level;
    }
    Ok(())
}

/// An answer, and it packed as a frame; with fewer news where it would be too large.
async fn one(
    app: &App,
    tenant: Uuid,
    ask: &Request,
) -> Result<Result<(Box<Answer>, Vec<u8>), Refusal>, Failure> {
    for halving in 0..=SMALLER {
        let usual = Limits::default();
        let limits = Limits { entries: (usual.entries >> halving).max(1), bytes: usual.bytes >> halving };
        let answer = match app.store.sync(tenant, ask.clone(), app.now(), limits).await? {
            Answered::Refused(refusal) => return Ok(Err(refusal)),
            Answered::Answer(answer) => answer,
        };
        match pack::pack(&Word::Answer(answer.clone())) {
            Ok(packed) => return Ok(Ok((answer, packed))),
            Err(PackError::TooLarge(_)) => {}
            Err(error) => return Err(damaged(error)),
        }
    }
    Err(refuse(ProblemCode::TooLarge).into())
}

fn word<W: std::io::Write>(writer: &mut StickWriter<W>, word: &Word) -> Result<(), Failure> {
    let packed = pack::pack(word).map_err(damaged)?;
    writer.frame(&packed).map_err(stick)
}
