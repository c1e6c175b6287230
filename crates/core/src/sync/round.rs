//! One round with the server: fill up what is new here, send what is unsent, take the news, until
//! both have the same.

use std::collections::{BTreeMap, BTreeSet};

use aftercare_domain::error_code::ErrorCode;
use aftercare_domain::hlc::Hlc;
use aftercare_rehearsal::point;
use aftercare_sync::desk::{
    Offered, Replica, Trouble, read_offered, read_refusal, take_bucket, take_page, take_verdicts,
};
use aftercare_sync::digest::ScopeDigest;
use aftercare_sync::door::{CLOCK_TOLERANCE_MILLIS, RecordsRequest};
use aftercare_sync::entities;
use aftercare_sync::wire::{Answer, MAX_OPS, Offer, PROTOCOL, Refusal, Request};
use aftercare_sync::{HOSPITAL, Scope};
use rusqlite::{Connection, params};
use serde_bytes::ByteBuf;

use super::client::{Line, Reply};
use super::replica::{DeskReplica, Taken};
use super::state::{self, Round};
use super::{clinics, digest, fill, lane, people};
use crate::app::Ctx;
use crate::app::jobs::Progress;
use crate::db::optional;
use crate::error::{Error, Result};

/// Most bytes of ops in a request before packing: it must fit into a packed message even if it
/// does not pack at all.
const MAX_OP_BYTES: usize = 900_000;
/// Offers in one request.
const MAX_OFFERS: i64 = 200;
/// The digests are compared when the last time is so long ago.
const COMPARE_MILLIS: i64 = 24 * 3600 * 1000;
/// How often one round puts up with a new epoch, a lost answer, or a page that brings nothing.
const PATIENCE: u32 = 8;

/// What a round came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Own ops that got a verdict.
    pub pushed: u64,
    /// Changes of others.
    pub pulled: u64,
    /// Own ops that are still unsent.
    pub pending: u64,
    /// Open conflicts.
    pub conflicts: u64,
    /// Own ops that were refused in this round.
    pub rejected: u64,
    /// The server's number up to which this desk has everything.
    pub cursor: i64,
    /// Digest of everything, hexadecimal, when it was compared and is equal.
    pub digest: Option<String>,
    /// How far this PC's clock is from the server's, seconds, when that is worth a word.
    pub clock_off_seconds: Option<i64>,
}

/// Carries out a round and writes it down, however it ends. `compare`: in any case compare digests.
///
/// # Errors
/// Those of the line; `SyncForked`, `SyncUpgrade`, `SyncDiffers`, `Cancelled`. What was taken in
/// until then stays.
pub fn run(ctx: &Ctx, line: &dyn Line, progress: &Progress, compare: bool) -> Result<Report> {
    let _running = ctx.app.sync.counted();
    let _turn = ctx.app.sync.turn();
    let started_at = ctx.now().timestamp_millis();
    let mut report = Report::default();
    let result = exchange(ctx, line, progress, compare, &mut report, false);
    if result.as_ref().is_err_and(|error| error.code == ErrorCode::SyncWipe) {
        people::wipe(&ctx.app)?;
        return Err(Error::new(ErrorCode::SyncWipe));
    }
    write_down(ctx, started_at, &report, result.as_ref().err())?;
    result?;
    if let Err(error) = people::settle_in(ctx, line) {
        tracing::warn!(%error, "key or password was not left at the server");
    }
    clinics::hear(ctx, line, clinics::NOW_AND_THEN_MILLIS);
    // What is written is safe by now; a cut here costs one part.
    if let Err(error) = lane::run(ctx, line, progress) {
        if error.code == ErrorCode::Cancelled {
            return Err(error);
        }
        tracing::warn!(%error, "attachments were left for the next round");
    }
    complete(ctx, &mut report)?;
    Ok(report)
}

/// Keeps a round for the history.
pub(super) fn write_down(ctx: &Ctx, started_at: i64, report: &Report, problem: Option<&Error>) -> Result<()> {
    let round = Round {
        started_at,
        ended_at: ctx.now().timestamp_millis(),
        pushed: report.pushed,
        pulled: report.pulled,
        conflicts: report.conflicts,
        rejected: report.rejected,
        problem: problem.map(|error| error.code.as_str().to_owned()),
    };
    ctx.db().write(|connection, _| state::keep_round(connection, &round))
}

/// Adds to a report how the desk stands after the round.
pub(super) fn complete(ctx: &Ctx, report: &mut Report) -> Result<()> {
    let (pending, conflicts, cursor) = ctx.read(|connection| {
        let server = state::server(connection)?;
        let pending = state::own(connection)?.last_dseq - server.acknowledged;
        let conflicts: i64 = connection
            .prepare_cached("SELECT count(*) AS open FROM conflict WHERE settled_at IS NULL")?
            .query_row([], |row| row.get("open"))?;
        Ok((pending, conflicts, state::cursors(connection)?.into_values().min().unwrap_or(0)))
    })?;
    report.pending = u64::try_from(pending).unwrap_or(0);
    report.conflicts = u64::try_from(conflicts).unwrap_or(0);
    report.cursor = cursor;
    Ok(())
}

/// A round for somebody who is about to be let in: nobody is at the desk yet.
///
/// # Errors
/// Those of a round.
pub(super) fn run_as_guest(ctx: &Ctx, line: &dyn Line) -> Result<()> {
    let _turn = ctx.app.sync.turn();
    let (progress, report) = (Progress::unwatched(), &mut Report::default());
    if ctx.read(state::next_to_fill)?.is_none() {
        return exchange(ctx, line, &progress, false, report, true);
    }
    // The first sync is on its way: patients come when somebody is in. Staff may have changed meanwhile.
    ctx.db().write(|connection, _| state::refill_hospital(connection))?;
    fill::fill(ctx, line, &progress, report, Some(HOSPITAL))
}

fn exchange(
    ctx: &Ctx,
    line: &dyn Line,
    progress: &Progress,
    compare: bool,
    report: &mut Report,
    guest: bool,
) -> Result<()> {
    if ctx.read(state::server)?.forked {
        return Err(Error::new(ErrorCode::SyncForked));
    }
    let sites = line.sites()?;
    people::shut_out(ctx, &line.shut_out()?)?;
    if ctx.read(state::sites)? != sites {
        in_replica(ctx, |replica| replica.see_sites(&sites))?;
    }
    if ctx.read(state::knows_more)? {
        in_replica(ctx, |replica| replica.catch_up())?;
    }
    fill::fill(ctx, line, progress, report, None)?;
    let mut course = Course { compare, ..Course::default() };
    loop {
        progress.check()?;
        if !still_open(ctx, guest) {
            return Err(Error::new(ErrorCode::Cancelled));
        }
        let outgoing = ctx.read(|connection| next_request(ctx, connection, &course))?;
        point("desk.send.before");
        let reply = match line.sync(&outgoing.request, outgoing.unsent) {
            Err(error) if error.code == ErrorCode::SyncTooLarge && outgoing.request.ops.len() > 1 => {
                course.max_ops = outgoing.request.ops.len() / 2;
                continue;
            }
            other => other?,
        };
        point("desk.send.answered");
        match reply {
            Reply::Refused(refusal) => course.turn_back(ctx, &refusal)?,
            Reply::Answer(answer) => {
                report.clock_off_seconds = clock_off(ctx.now().timestamp_millis(), answer.server_millis);
                let step = take_answer(ctx, &answer, &outgoing.offers)?;
                report.pushed += u64::try_from(answer.verdicts.len()).unwrap_or(0);
                report.pulled += step.taken.changes;
                report.rejected += step.taken.rejected;
                course.behind = 0;
                if !step.done {
                    course.moved(&step)?;
                } else if outgoing.request.wants_digest {
                    if course.settle_difference(ctx, line, &answer.digests, report)? {
                        return Ok(());
                    }
                } else if course.compare || ctx.read(|c| comparison_is_due(ctx, c))? {
                    course.moved(&step)?;
                } else {
                    return Ok(());
                }
            }
        }
    }
}

/// How far this PC's clock is ahead of the server's, seconds; nothing when it is near enough. Requests are signed
/// with the server's time and ops are capped by it, so a wrong clock hurts nothing here; people should know of it.
fn clock_off(own_millis: i64, server_millis: i64) -> Option<i64> {
    let off = own_millis.saturating_sub(server_millis);
    (off.saturating_abs() > CLOCK_TOLERANCE_MILLIS).then_some(off / 1000)
}

/// Whether the session in which this runs is still the open one.
fn still_open(ctx: &Ctx, guest: bool) -> bool {
    guest || ctx.app.current().is_some_and(|session| std::sync::Arc::ptr_eq(&session, &ctx.session))
}

/// Where a round stands between two requests.
pub(super) struct Course {
    /// Compare in any case.
    compare: bool,
    /// Most ops in the next request.
    pub(super) max_ops: usize,
    /// The server has the ops up to here; only their verdicts are asked for. 0: send what is unsent.
    behind: i64,
    /// Steps in a row that brought nothing.
    idle: u32,
    /// Refusals so far.
    refusals: u32,
    /// What waited for a record was sent again already.
    sent_again: bool,
    /// What differed was pulled again already.
    repaired: bool,
}

impl Default for Course {
    fn default() -> Self {
        Self {
            compare: false,
            max_ops: MAX_OPS,
            behind: 0,
            idle: 0,
            refusals: 0,
            sent_again: false,
            repaired: false,
        }
    }
}

impl Course {
    fn turn_back(&mut self, ctx: &Ctx, refusal: &Refusal) -> Result<()> {
        self.refusals += 1;
        if self.refusals > PATIENCE {
            return Err(Error::new(ErrorCode::SyncServerFault));
        }
        let (trouble, _) = in_replica(ctx, |replica| read_refusal(replica, refusal))?;
        match trouble {
            Trouble::AnswerLost { last_dseq } => self.behind = last_dseq,
            Trouble::NewEpoch => self.behind = 0,
            Trouble::Upgrade => return Err(Error::new(ErrorCode::SyncUpgrade)),
            Trouble::Forked => {
                ctx.db().write(|c, _| Ok(c.execute("UPDATE sync_server SET forked = 1", [])?))?;
                return Err(Error::new(ErrorCode::SyncForked));
            }
        }
        Ok(())
    }

    /// Compares digests, and pulls the buckets in which they differ. `true` when they are equal.
    fn settle_difference(
        &mut self,
        ctx: &Ctx,
        line: &dyn Line,
        theirs: &BTreeMap<Scope, ScopeDigest>,
        report: &mut Report,
    ) -> Result<bool> {
        let readers = ctx.db().snapshots()?;
        if state::own(&readers[0])?.last_dseq > state::server(&readers[0])?.acknowledged {
            // Somebody wrote on this desk meanwhile.
            return Ok(false);
        }
        if theirs.is_empty() {
            // The server's program knows other fields: the sums cannot be compared.
            return Ok(true);
        }
        let ours = digest::digests(readers)?;
        let empty = ScopeDigest::default();
        let differing: Vec<(Scope, usize)> = theirs
            .iter()
            .flat_map(|(scope, their)| {
                let our = ours.get(scope).unwrap_or(&empty);
                our.differing(their).into_iter().map(|bucket| (*scope, bucket))
            })
            .collect();
        if differing.is_empty() {
            let now = ctx.now().timestamp_millis();
            let again = !std::mem::replace(&mut self.sent_again, true);
            let sent = ctx.db().write(|connection, _| {
                connection.execute("UPDATE sync_server SET compared_at = ?1", [now])?;
                Ok(again && state::send_waiting(connection)?)
            })?;
            report.digest = Some(digest_text(theirs));
            return Ok(!sent);
        }
        if self.repaired {
            return Err(Error::new(ErrorCode::SyncDiffers).with("count", differing.len()));
        }
        self.repaired = true;
        tracing::warn!(buckets = differing.len(), "the digests differ; what differs is pulled again");
        for (scope, bucket) in differing {
            pull_bucket(ctx, line, scope, bucket, report)?;
        }
        Ok(false)
    }

    fn moved(&mut self, step: &Step) -> Result<()> {
        self.idle = if step.moved { 0 } else { self.idle + 1 };
        if self.idle > PATIENCE { Err(Error::new(ErrorCode::SyncServerFault)) } else { Ok(()) }
    }
}

/// The digest of everything, as people and scripts compare it.
pub(super) fn digest_text(digests: &BTreeMap<Scope, ScopeDigest>) -> String {
    let total = digests.values().fold(0_u128, |sum, digest| sum.wrapping_add(digest.total()));
    format!("{total:032x}")
}

/// Runs `work` on the desk's tables in one transaction, and tells the window what changed.
pub(super) fn in_replica<T>(
    ctx: &Ctx,
    work: impl FnOnce(&mut DeskReplica<'_>) -> Result<T>,
) -> Result<(T, Taken)> {
    let now = ctx.now().timestamp_millis();
    let (result, taken) = ctx.db().write(|connection, open| {
        let mut replica = DeskReplica::begin(connection, open, now)?;
        let result = work(&mut replica)?;
        let taken = replica.finish()?;
        point("desk.apply.before_commit");
        Ok((result, taken))
    })?;
    point("desk.apply.after_commit");
    ctx.app.emit_changed(&taken.features);
    if !taken.people.is_empty() {
        people::after_changes(ctx, &taken.people)?;
    }
    Ok((result, taken))
}

/// A request, and what it carries.
struct Outgoing {
    request: Request,
    /// Numbers of the offers in it.
    offers: Vec<i64>,
    /// Own changes that wait for later requests.
    unsent: i64,
}

fn next_request(ctx: &Ctx, connection: &Connection, course: &Course) -> Result<Outgoing> {
    let server = state::server(connection)?;
    let own = state::own(connection)?;
    let first = course.behind.max(server.acknowledged) + 1;
    let ops =
        if course.behind > server.acknowledged { Vec::new() } else { unsent(connection, first, course)? };
    let (offers, numbers) = offers(connection)?;
    let compare = course.compare || comparison_is_due(ctx, connection)?;
    let nothing_unsent = own.last_dseq == server.acknowledged && offers.is_empty();
    let request = Request {
        protocol: PROTOCOL,
        epoch: server.epoch,
        device: own.device,
        acknowledged: server.acknowledged,
        first,
        chain: ByteBuf::from(hash_before(connection, first)?),
        ops,
        cursors: state::cursors(connection)?,
        offers,
        wants_digest: compare && nothing_unsent,
        entities: entities::fingerprint(),
    };
    let sent = i64::try_from(request.ops.len()).unwrap_or(0);
    let unsent = (own.last_dseq - (first - 1) - sent).max(0);
    Ok(Outgoing { request, offers: numbers, unsent })
}

/// Whether the digests were last found equal a day ago, or never.
fn comparison_is_due(ctx: &Ctx, connection: &Connection) -> Result<bool> {
    let compared = state::server(connection)?.compared_at;
    Ok(compared.is_none_or(|at| ctx.now().timestamp_millis() - at > COMPARE_MILLIS))
}

pub(super) fn hash_before(connection: &Connection, first: i64) -> Result<Vec<u8>> {
    let sql = "SELECT hash FROM op WHERE dseq = ?1";
    let found = connection.prepare_cached(sql)?.query_row([first - 1], |row| row.get("hash"));
    Ok(optional(found)?.unwrap_or_default())
}

pub(super) fn unsent(connection: &Connection, first: i64, course: &Course) -> Result<Vec<ByteBuf>> {
    let mut statement =
        connection.prepare_cached("SELECT bytes FROM op WHERE dseq >= ?1 ORDER BY dseq LIMIT ?2")?;
    let limit = i64::try_from(course.max_ops.clamp(1, MAX_OPS)).unwrap_or(1);
    let mut rows = statement.query(params![first, limit])?;
    let (mut ops, mut size) = (Vec::new(), 0);
    while let Some(row) = rows.next()? {
        let bytes: Vec<u8> = row.get("bytes")?;
        size += bytes.len();
        if size > MAX_OP_BYTES && !ops.is_empty() {
            break;
        }
        ops.push(ByteBuf::from(bytes));
    }
    Ok(ops)
}

fn offers(connection: &Connection) -> Result<(Vec<Offer>, Vec<i64>)> {
    let mut statement = connection.prepare_cached(
        "SELECT num, bytes, effective, seal FROM sync_offer WHERE rests IS NULL ORDER BY num LIMIT ?1",
    )?;
    let mut rows = statement.query([MAX_OFFERS])?;
    let (mut offers, mut numbers) = (Vec::new(), Vec::new());
    while let Some(row) = rows.next()? {
        offers.push(Offer {
            bytes: ByteBuf::from(row.get::<_, Vec<u8>>("bytes")?),
            effective: Hlc::from_i64(row.get("effective")?),
            seal: ByteBuf::from(row.get::<_, Vec<u8>>("seal")?),
        });
        numbers.push(row.get("num")?);
    }
    Ok((offers, numbers))
}

/// What an answer brought.
pub(super) struct Step {
    pub(super) taken: Taken,
    /// Whether anything went forward.
    moved: bool,
    /// Whether both have the same now.
    done: bool,
}

/// Verdicts, pages, cursors: one transaction. `offered`: numbers of the offers that this answers.
pub(super) fn take_answer(ctx: &Ctx, answer: &Answer, offered: &[i64]) -> Result<Step> {
    let now = ctx.now().timestamp_millis();
    let ((moved, done), taken) = in_replica(ctx, |replica| {
        let connection = replica.connection();
        let before = (state::server(connection)?.acknowledged, state::cursors(connection)?);
        replica.see_clock(Hlc::from_i64(answer.server_millis.max(0) << 16))?;
        let sites: BTreeSet<Scope> = state::sites(connection)?;
        take_verdicts(replica, &answer.verdicts, &sites)?;
        point("desk.apply.verdicts");
        for page in &answer.pages {
            take_page(replica, page, &sites)?;
            point("desk.apply.page");
        }
        let mut settled = false;
        for (number, outcome) in offered.iter().zip(&answer.offered) {
            let word = read_offered(outcome, answer.head);
            settled |= word != Offered::Again;
            let sql = match word {
                Offered::Gone => "DELETE FROM sync_offer WHERE num = ?1 AND ?2 IS NULL",
                Offered::Rests(_) => "UPDATE sync_offer SET rests = ?2 WHERE num = ?1",
                // Behind the others: what it waits for may be among them.
                Offered::Again => {
                    "UPDATE sync_offer SET num = (SELECT max(num) + 1 FROM sync_offer)
                     WHERE num = ?1 AND ?2 IS NULL"
                }
            };
            let rests = if let Offered::Rests(head) = word { Some(head) } else { None };
            connection.execute(sql, params![number, rests])?;
        }
        connection.execute("DELETE FROM sync_offer WHERE rests <= ?1", [answer.durable_seq])?;
        connection.execute("DELETE FROM sync_received WHERE seq <= ?1", [answer.durable_seq])?;
        connection.execute(
            "UPDATE sync_server SET epoch = ?1, head = ?2, durable_seq = ?3, heard_at = ?4",
            params![answer.epoch, answer.head, answer.durable_seq, now],
        )?;
        if state::epochs(connection)?.is_empty() {
            state::set_epochs(
                connection,
                &[aftercare_sync::wire::EpochStart { epoch: answer.epoch, head: 0 }],
            )?;
        }
        let after = (state::server(connection)?.acknowledged, state::cursors(connection)?);
        let unsent = state::own(connection)?.last_dseq > after.0;
        let more = answer.pages.iter().any(|page| page.more);
        Ok((before != after || settled, !unsent && !more && !settled))
    })?;
    Ok(Step { taken, moved, done })
}

fn pull_bucket(ctx: &Ctx, line: &dyn Line, scope: Scope, bucket: usize, report: &mut Report) -> Result<()> {
    let mut after = None;
    loop {
        let number = u8::try_from(bucket).unwrap_or(0);
        let page = line.records(&RecordsRequest { scope, bucket: number, after: after.clone() })?;
        let ((), taken) =
            in_replica(ctx, |replica| take_bucket(replica, scope, bucket, after.as_ref(), &page))?;
        report.pulled += taken.changes;
        match page.next {
            Some(next) => after = Some(next),
            None => return Ok(()),
        }
    }
}
