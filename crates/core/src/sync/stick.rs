//! Meeting the server without a network: a sealed file on a USB stick each way, with the same requests and
//! answers as over the line, taken in by the same code as a round.
//!
//! What only a network brings: the first sync, sites that are new to this desk, attachments, buckets that
//! differ, and what others lost with a restored server. It waits for the next one.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufReader, BufWriter};
use std::path::Path;

use aftercare_domain::error_code::ErrorCode;
use aftercare_sync::desk::{Replica, Trouble, read_refusal};
use aftercare_sync::pack::{pack, unpack};
use aftercare_sync::stick::{Header, StickError, StickKey, StickReader, StickWriter, Way, Word};
use aftercare_sync::wire::{Answer, OLDEST_PROTOCOL, PROTOCOL, Refusal, Request};
use aftercare_sync::{HOSPITAL, Scope};
use rusqlite::Connection;
use serde_bytes::ByteBuf;
use serde_json::json;
use uuid::Uuid;

use super::round::{self, Course, Report, in_replica};
use super::state;
use super::{client, digest};
use crate::app::Ctx;
use crate::app::jobs::Progress;
use crate::error::{Error, Result};

/// What a file for the server holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    /// Own changes in it.
    pub changes: i64,
    /// Its size.
    pub bytes: u64,
}

impl From<StickError> for Error {
    fn from(error: StickError) -> Self {
        match error {
            StickError::Damaged => Self::new(ErrorCode::StickDamaged),
            StickError::TooLarge => Self::new(ErrorCode::SyncTooLarge).caused_by(error),
            StickError::Io(io) => Self::from(io),
        }
    }
}

/// Writes everything unsent into a file for the server. The file appears only when it is whole. It can be
/// written as often as one likes: nothing counts twice.
///
/// # Errors
/// `SyncNotEnrolled`, `SyncForked`, `StickTooEarly`, `FileUnwritable`, `DiskFull`, `Cancelled`.
pub fn export(ctx: &Ctx, target: &Path, progress: &Progress) -> Result<Written> {
    let (server, own, access) = ctx.read(|connection| {
        let server = state::server(connection)?;
        if server.forked {
            return Err(Error::new(ErrorCode::SyncForked));
        }
        check_filled(connection)?;
        Ok((server, state::own(connection)?, access(connection)?))
    })?;
    let header = Header {
        protocol: PROTOCOL,
        way: Way::ToServer,
        tenant: access.tenant,
        device: own.device,
        file: ctx.new_id(),
        made_at: ctx.now().timestamp_millis(),
    };
    let folder = target.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let file =
        tempfile::Builder::new().prefix(".aftercare-stick-").tempfile_in(folder).map_err(unwritable)?;
    let mut writer = StickWriter::begin(BufWriter::new(file.as_file()), &header, &access.key)?;
    let mut sent = server.acknowledged;
    let total = u64::try_from(own.last_dseq - sent).unwrap_or(0);
    loop {
        progress.check()?;
        sent = add_request(ctx, &mut writer, sent, own.last_dseq)?;
        progress.set(u64::try_from(sent - server.acknowledged).unwrap_or(0), total);
        if sent >= own.last_dseq {
            break;
        }
    }
    let key = client::key_pair(&server.device_key)?;
    let (_, bytes) = writer.finish(|text| key.sign(text.as_bytes()).as_ref().to_vec())?;
    file.as_file().sync_all().map_err(unwritable)?;
    file.persist(target).map_err(|error| unwritable(error.error))?;
    let changes = own.last_dseq - server.acknowledged;
    ctx.audit("sync.stick_write", None, json!({ "changes": changes }))?;
    Ok(Written { changes, bytes })
}

fn unwritable(error: std::io::Error) -> Error {
    match Error::from(error) {
        error if error.code == ErrorCode::DiskFull => error,
        error => Error::new(ErrorCode::FileUnwritable).caused_by(error),
    }
}

fn check_filled(connection: &Connection) -> Result<()> {
    if state::server(connection)?.filling || state::next_to_fill(connection)?.is_some() {
        return Err(Error::new(ErrorCode::StickTooEarly));
    }
    Ok(())
}

/// What the desk's server knows sticks by.
struct Access {
    tenant: Uuid,
    key: StickKey,
}

fn access(connection: &Connection) -> Result<Access> {
    let found = connection.query_row("SELECT tenant, stick_key FROM sync_server", [], |row| {
        Ok(Access { tenant: row.get("tenant")?, key: StickKey(row.get("stick_key")?) })
    })?;
    // A desk that joined before sticks were known has none until it joins again.
    if found.key.0.is_empty() { Err(Error::new(ErrorCode::StickTooEarly)) } else { Ok(found) }
}

/// Adds one request with what comes after number `sent`; answers how far it goes.
fn add_request<W: std::io::Write>(
    ctx: &Ctx,
    writer: &mut StickWriter<W>,
    sent: i64,
    last: i64,
) -> Result<i64> {
    let mut course = Course::default();
    loop {
        let mut request = ctx.read(|connection| request(connection, &course, sent, last))?;
        let to = sent + i64::try_from(request.ops.len()).unwrap_or(0);
        match pack(&request) {
            Ok(packed) => {
                writer.frame(&packed)?;
                return Ok(to);
            }
            Err(error) if request.ops.len() < 2 => {
                return Err(Error::new(ErrorCode::SyncTooLarge).caused_by(error));
            }
            Err(_) => course.max_ops = std::mem::take(&mut request.ops).len() / 2,
        }
    }
}

fn request(connection: &Connection, course: &Course, sent: i64, last: i64) -> Result<Request> {
    let server = state::server(connection)?;
    let mut ops = round::unsent(connection, sent + 1, course)?;
    // What is written meanwhile goes with the next file.
    ops.truncate(usize::try_from(last - sent).unwrap_or(0));
    Ok(Request {
        protocol: PROTOCOL,
        epoch: server.epoch,
        device: state::own(connection)?.device,
        acknowledged: server.acknowledged,
        first: sent + 1,
        chain: ByteBuf::from(round::hash_before(connection, sent + 1)?),
        ops,
        cursors: state::cursors(connection)?,
        offers: Vec::new(),
        wants_digest: true,
        entities: aftercare_sync::entities::fingerprint(),
    })
}

/// Takes the server's answer in, as a round would, and writes it down as one. The whole file is checked
/// before anything of it counts.
///
/// # Errors
/// `StickDamaged`, `StickWrongWay`, `StickOtherHospital`, `StickOtherDesk`, `StickGap`, `SyncForked`,
/// `SyncUpgrade`, `SyncNotEnrolled`, `FileMissing`.
pub fn import(ctx: &Ctx, source: &Path, progress: &Progress) -> Result<Report> {
    let _running = ctx.app.sync.counted();
    let _turn = ctx.app.sync.turn();
    let access = ctx.read(|connection| {
        state::server(connection)?;
        access(connection)
    })?;
    check_file(ctx, source, &access)?;
    let started_at = ctx.now().timestamp_millis();
    let mut report = Report::default();
    let result = take_file(ctx, source, &access, progress, &mut report);
    round::write_down(ctx, started_at, &report, result.as_ref().err())?;
    result?;
    ctx.audit("sync.stick_read", None, json!({ "pushed": report.pushed, "pulled": report.pulled }))?;
    round::complete(ctx, &mut report)?;
    Ok(report)
}

fn reader(source: &Path, key: &StickKey) -> Result<StickReader<BufReader<File>>> {
    if !std::fs::metadata(source)?.is_file() {
        return Err(Error::new(ErrorCode::FileNotRegular));
    }
    let mut reader = StickReader::begin(BufReader::new(File::open(source)?))?;
    reader.open(key)?;
    Ok(reader)
}

/// Whether the file is this desk's, whole and unaltered.
fn check_file(ctx: &Ctx, source: &Path, access: &Access) -> Result<()> {
    let mut reader = reader(source, &access.key)?;
    let header = reader.header();
    if header.protocol < OLDEST_PROTOCOL || header.protocol > PROTOCOL {
        return Err(Error::new(ErrorCode::SyncUpgrade));
    }
    if header.tenant != access.tenant {
        return Err(Error::new(ErrorCode::StickOtherHospital));
    }
    if header.device != ctx.read(state::own)?.device {
        return Err(Error::new(ErrorCode::StickOtherDesk));
    }
    if header.way != Way::ToDesk {
        return Err(Error::new(ErrorCode::StickWrongWay));
    }
    while reader.next_frame()?.is_some() {}
    Ok(())
}

fn take_file(
    ctx: &Ctx,
    source: &Path,
    access: &Access,
    progress: &Progress,
    report: &mut Report,
) -> Result<()> {
    let mut reader = reader(source, &access.key)?;
    let size = std::fs::metadata(source)?.len();
    let mut read = 0;
    while let Some(frame) = reader.next_frame()? {
        progress.check()?;
        read += frame.len() as u64;
        progress.set(read, size.max(read));
        let word: Word = unpack(&frame).map_err(|_| Error::new(ErrorCode::StickDamaged))?;
        match word {
            Word::State { epoch, last_dseq, chain, sites } => {
                take_state(ctx, epoch, last_dseq, &chain, &sites)?
            }
            Word::Refused(refusal) => return take_refusal(ctx, &refusal),
            Word::Answer(answer) => take(ctx, *answer, report)?,
        }
    }
    Ok(())
}

fn take_state(ctx: &Ctx, epoch: i64, last_dseq: i64, chain: &[u8], sites: &BTreeSet<Scope>) -> Result<()> {
    let ((ours, same), _) = in_replica(ctx, |replica| {
        let connection = replica.connection();
        let before = state::sites(connection)?;
        // A site that is new to this desk is filled over the network; one it may not see any more leaves now.
        let kept: BTreeSet<Scope> = before.intersection(sites).copied().collect();
        let same = replica.own_hash(last_dseq)?.as_deref() == Some(chain);
        let ours = state::server(connection)?.epoch;
        if same && epoch == ours && kept != before {
            replica.see_sites(&kept)?;
        }
        Ok((ours, same))
    })?;
    if !same {
        return mark_forked(ctx);
    }
    // The answer of an epoch that is over tells of numbers that mean something else by now.
    if epoch < ours { Err(Error::new(ErrorCode::StickGap)) } else { Ok(()) }
}

fn mark_forked(ctx: &Ctx) -> Result<()> {
    ctx.db().write(|c, _| Ok(c.execute("UPDATE sync_server SET forked = 1", [])?))?;
    Err(Error::new(ErrorCode::SyncForked))
}

fn take_refusal(ctx: &Ctx, refusal: &Refusal) -> Result<()> {
    if let Refusal::Epoch { epoch, .. } = refusal
        && ctx.read(state::server)?.epoch >= *epoch
    {
        // An old file: this desk has begun that epoch already.
        return Ok(());
    }
    match in_replica(ctx, |replica| read_refusal(replica, refusal))?.0 {
        Trouble::Forked => mark_forked(ctx),
        Trouble::Upgrade => Err(Error::new(ErrorCode::SyncUpgrade)),
        // What the server has lost is unsent again, and goes with the next file.
        Trouble::NewEpoch | Trouble::AnswerLost { .. } => Ok(()),
    }
}

/// Takes one answer, without what this desk has already.
fn take(ctx: &Ctx, mut answer: Answer, report: &mut Report) -> Result<()> {
    let (server, cursors) =
        ctx.read(|connection| Ok((state::server(connection)?, state::cursors(connection)?)))?;
    let gap = || Error::new(ErrorCode::StickGap);
    if answer.epoch != server.epoch {
        return Err(gap());
    }
    answer.verdicts.retain(|verdict| verdict.dseq > server.acknowledged);
    if answer.verdicts.first().is_some_and(|first| first.dseq != server.acknowledged + 1) {
        return Err(gap());
    }
    let own = ctx.read(state::own)?;
    if answer.verdicts.last().is_some_and(|last| last.dseq > own.last_dseq) {
        return mark_forked(ctx);
    }
    let mut pages = Vec::new();
    for mut page in std::mem::take(&mut answer.pages) {
        // Of a scope that is not this desk's (any more) nothing is taken; what is known is not told twice:
        // an old word that somebody left must not remove them after they have come back.
        let Some(cursor) = cursors.get(&page.scope).copied() else { continue };
        if page.after > cursor {
            return Err(gap());
        }
        if page.up_to > cursor {
            page.after = cursor;
            page.entries.retain(|entry| entry.seq > cursor);
            pages.push(page);
        }
    }
    answer.pages = pages;
    answer.durable_seq = answer.durable_seq.max(server.durable_seq);
    let step = round::take_answer(ctx, &answer, &[])?;
    report.pushed += u64::try_from(answer.verdicts.len()).unwrap_or(0);
    report.pulled += step.taken.changes;
    report.rejected += step.taken.rejected;
    if !answer.digests.is_empty() {
        compare(ctx, &answer, report)?;
    }
    Ok(())
}

/// Compares digests where both have the same numbers. What differs is pulled by the next round on a network.
fn compare(ctx: &Ctx, answer: &Answer, report: &mut Report) -> Result<()> {
    let ours = ctx.read(|connection| {
        let unsent = state::own(connection)?.last_dseq > state::server(connection)?.acknowledged;
        let cursors = state::cursors(connection)?;
        let seen = |scope: &Scope| *scope == HOSPITAL || cursors.contains_key(scope);
        let level = cursors.values().all(|cursor| *cursor == answer.head);
        let comparable = !unsent && level && answer.digests.keys().all(seen);
        if comparable { Ok(Some(digest::digests_in(connection)?)) } else { Ok(None) }
    })?;
    let Some(ours) = ours else { return Ok(()) };
    let now = ctx.now().timestamp_millis();
    let empty = aftercare_sync::digest::ScopeDigest::default();
    let equal = answer
        .digests
        .iter()
        .all(|(scope, their)| ours.get(scope).unwrap_or(&empty).differing(their).is_empty());
    if equal {
        report.digest = Some(round::digest_text(&answer.digests));
    } else {
        tracing::warn!("the digests differ; the next round on a network pulls what differs");
    }
    let compared = equal.then_some(now);
    ctx.db().write(|c, _| Ok(c.execute("UPDATE sync_server SET compared_at = ?1", [compared])?))?;
    Ok(())
}
