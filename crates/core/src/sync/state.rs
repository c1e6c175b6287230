//! What this desk remembers of its server, in local tables.

use std::collections::{BTreeMap, BTreeSet};

use aftercare_domain::error_code::ErrorCode;
use aftercare_domain::op::{Op, chain_hash};
use aftercare_rehearsal::point;
use aftercare_sync::accept::{decode, named};
use aftercare_sync::desk::{encode, renumber};
use aftercare_sync::entities;
use aftercare_sync::record::Key;
use aftercare_sync::wire::{EpochStart, FedOp, Verdict};
use aftercare_sync::{HOSPITAL, Scope};
use rusqlite::{Connection, params};
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::db::optional;
use crate::error::{Error, Result};

/// How many rounds the history keeps.
const ROUNDS: i64 = 500;

/// The desk's server.
pub struct Server {
    /// `https://host:port`.
    pub address: String,
    /// DER of the one certificate that is believed.
    pub authority: Vec<u8>,
    /// Ed25519 seed.
    pub device_key: Zeroizing<Vec<u8>>,
    /// The server's epoch as last heard.
    pub epoch: i64,
    /// Number of the last own op whose verdict is stored.
    pub acknowledged: i64,
    /// What of it lies in a verified backup elsewhere.
    pub durable_seq: i64,
    /// The first sync is under way.
    pub filling: bool,
    /// Search index and worklist have to be made anew.
    pub rederive: bool,
    /// Last answer, milliseconds UTC.
    pub heard_at: Option<i64>,
    /// Last time the digests were equal, milliseconds UTC.
    pub compared_at: Option<i64>,
    /// The server knows another desk of this identity.
    pub forked: bool,
}

/// The desk's server, if it has one.
pub fn find_server(connection: &Connection) -> Result<Option<Server>> {
    optional(
        connection
            .prepare_cached(
                "SELECT address, authority, device_key, epoch, acknowledged, durable_seq, filling, rederive,
                        heard_at, compared_at, forked
                 FROM sync_server",
            )?
            .query_row([], |row| {
                Ok(Server {
                    address: row.get("address")?,
                    authority: row.get("authority")?,
                    device_key: Zeroizing::new(row.get("device_key")?),
                    epoch: row.get("epoch")?,
                    acknowledged: row.get("acknowledged")?,
                    durable_seq: row.get("durable_seq")?,
                    filling: row.get("filling")?,
                    rederive: row.get("rederive")?,
                    heard_at: row.get("heard_at")?,
                    compared_at: row.get("compared_at")?,
                    forked: row.get("forked")?,
                })
            }),
    )
}

/// The desk's server.
///
/// # Errors
/// `SyncNotEnrolled`.
pub fn server(connection: &Connection) -> Result<Server> {
    find_server(connection)?.ok_or_else(|| Error::new(ErrorCode::SyncNotEnrolled))
}

/// Who this desk is and how far its log has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Own {
    /// Its identity.
    pub device: Uuid,
    /// Number of its last op.
    pub last_dseq: i64,
}

/// Who this desk is.
pub fn own(connection: &Connection) -> Result<Own> {
    Ok(connection.query_row("SELECT device_id, last_dseq FROM desk", [], |row| {
        Ok(Own { device: row.get("device_id")?, last_dseq: row.get("last_dseq")? })
    })?)
}

/// How far the desk has each scope.
pub fn cursors(connection: &Connection) -> Result<BTreeMap<Scope, i64>> {
    let mut statement = connection.prepare_cached("SELECT scope, seq FROM sync_cursor ORDER BY scope")?;
    let rows = statement.query_map([], |row| Ok((row.get("scope")?, row.get("seq")?)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// The sites whose patients this desk sees.
pub fn sites(connection: &Connection) -> Result<BTreeSet<Scope>> {
    Ok(cursors(connection)?.into_keys().filter(|scope| *scope != HOSPITAL).collect())
}

/// Sets the desk's sites. A new one is filled from its beginning; who is at a site no longer seen
/// stays until the server says so.
pub fn set_sites(connection: &Connection, sites: &BTreeSet<Scope>) -> Result<()> {
    for scope in sites.iter().chain([&HOSPITAL]) {
        connection.execute(
            "INSERT INTO sync_cursor (scope, seq) VALUES (?1, 0) ON CONFLICT (scope) DO NOTHING",
            [scope],
        )?;
    }
    for gone in cursors(connection)?.into_keys().filter(|scope| *scope != HOSPITAL && !sites.contains(scope))
    {
        connection.execute("DELETE FROM sync_cursor WHERE scope = ?1", [gone])?;
    }
    Ok(())
}

/// A scope that the first sync has not finished.
pub struct Filling {
    /// Which scope.
    pub scope: Scope,
    /// Number of the first page.
    pub first_seq: Option<i64>,
    /// The record after which it goes on.
    pub after: Option<Key>,
}

/// The next scope to fill.
pub fn next_to_fill(connection: &Connection) -> Result<Option<Filling>> {
    optional(
        connection
            .prepare_cached(
                "SELECT scope, fill_seq, fill_entity, fill_id FROM sync_cursor WHERE filled = 0
                 ORDER BY scope LIMIT 1",
            )?
            .query_row([], |row| {
                let entity: Option<String> = row.get("fill_entity")?;
                let id: Option<Uuid> = row.get("fill_id")?;
                Ok(Filling {
                    scope: row.get("scope")?,
                    first_seq: row.get("fill_seq")?,
                    after: entity.zip(id).map(|(entity, id)| Key { entity, id }),
                })
            }),
    )
}

/// How far the first sync is: records brought, and of how many; none while a scope has not begun.
pub fn filled(connection: &Connection) -> Result<(i64, Option<i64>)> {
    let sql =
        "SELECT coalesce(sum(fill_done), 0) AS done, coalesce(sum(max(fill_total, fill_done)), 0) AS total,
                 coalesce(min(filled = 1 OR fill_total > 0), 1) AS known FROM sync_cursor";
    Ok(connection.prepare_cached(sql)?.query_row([], |row| {
        let known: bool = row.get("known")?;
        Ok((row.get("done")?, Some(row.get("total")?).filter(|_| known)))
    })?)
}

/// Notes how far a scope is filled, with how many records a page brought and how many there are; nothing
/// next: it is full, and goes on from the feed.
pub fn note_filled(
    connection: &Connection,
    scope: Scope,
    first_seq: i64,
    next: Option<&Key>,
    (brought, total): (usize, i64),
) -> Result<()> {
    let brought = i64::try_from(brought).unwrap_or(0);
    connection.execute(
        "UPDATE sync_cursor SET fill_done = fill_done + ?2, fill_total = max(?3, fill_done + ?2)
         WHERE scope = ?1",
        params![scope, brought, total],
    )?;
    match next {
        Some(key) => connection.execute(
            "UPDATE sync_cursor SET fill_seq = ?2, fill_entity = ?3, fill_id = ?4 WHERE scope = ?1",
            params![scope, first_seq, key.entity, key.id],
        )?,
        None => connection.execute(
            "UPDATE sync_cursor SET filled = 1, seq = ?2, fill_seq = NULL, fill_entity = NULL, fill_id = NULL
             WHERE scope = ?1",
            params![scope, first_seq],
        )?,
    };
    Ok(())
}

/// Begins filling anew: the server was restored meanwhile.
pub fn refill(connection: &Connection) -> Result<()> {
    connection.execute(
        "UPDATE sync_cursor SET fill_seq = NULL, fill_entity = NULL, fill_id = NULL, fill_done = 0
         WHERE filled = 0",
        [],
    )?;
    Ok(())
}

/// Has what the whole hospital shares read again from its beginning, while the rest is still on its way.
pub fn refill_hospital(connection: &Connection) -> Result<()> {
    connection.execute(
        "UPDATE sync_cursor SET filled = 0, fill_seq = NULL, fill_entity = NULL, fill_id = NULL, fill_done = 0
         WHERE scope = ?1",
        [HOSPITAL],
    )?;
    Ok(())
}

/// What is kept of a verdict.
pub struct Shown<'a> {
    /// `refused`, `rejected`, `quarantined`.
    pub outcome: &'a str,
    /// The reason's code.
    pub why: &'a str,
    /// The patient it is about.
    pub patient: Option<Uuid>,
    /// The record without which it could not count.
    pub waits: Option<Uuid>,
}

/// Keeps an own op that did not come out as meant, with what is needed to show it.
pub fn keep_verdict(
    connection: &Connection,
    op: &Op,
    verdict: &Verdict,
    shown: &Shown<'_>,
    now_millis: i64,
) -> Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO sync_verdict (dseq, seq, outcome, why, entity, record_id, patient_id, command, user_id,
               written_at, heard_at, waits_for)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12) ON CONFLICT (dseq) DO NOTHING",
        )?
        .execute(params![
            verdict.dseq,
            verdict.seq,
            shown.outcome,
            shown.why,
            op.entity,
            op.id,
            shown.patient,
            op.command,
            op.user,
            op.hlc.millis(),
            now_millis,
            shown.waits
        ])?;
    Ok(())
}

/// Sends own ops again that waited for a record which is here now. Only when nothing is in doubt: every page
/// is read and the digests are equal. Answers whether there were any.
pub fn send_waiting(connection: &Connection) -> Result<bool> {
    let mut statement = connection
        .prepare_cached("SELECT DISTINCT waits_for FROM sync_verdict WHERE waits_for IS NOT NULL")?;
    let waited: Vec<Uuid> =
        statement.query_map([], |row| row.get("waits_for"))?.collect::<rusqlite::Result<_>>()?;
    let mut sent = false;
    for record in waited {
        if is_here(connection, record)? {
            send_again(connection, record)?;
            sent = true;
        }
    }
    Ok(sent)
}

fn is_here(connection: &Connection, record: Uuid) -> Result<bool> {
    for entity in entities::ALL {
        let sql = format!("SELECT EXISTS (SELECT 1 FROM {} WHERE id = ?1) AS here", entity.table);
        if connection.prepare_cached(&sql)?.query_row([record], |row| row.get("here"))? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The record has come (again): the own ops that waited for it are numbered anew at the end of the log
/// and sent once more, under their own ids.
fn send_again(connection: &Connection, record: Uuid) -> Result<()> {
    let mut statement = connection.prepare_cached(
        "SELECT sync_verdict.dseq AS dseq, bytes FROM sync_verdict JOIN op ON op.dseq = sync_verdict.dseq
         WHERE waits_for = ?1 ORDER BY sync_verdict.dseq",
    )?;
    let waiting: Vec<(i64, Vec<u8>)> = statement
        .query_map([record], |row| Ok((row.get("dseq")?, row.get("bytes")?)))?
        .collect::<rusqlite::Result<_>>()?;
    for (dseq, bytes) in waiting {
        connection.execute("DELETE FROM sync_verdict WHERE dseq = ?1", [dseq])?;
        let Some(op) = decode(&bytes) else { continue };
        let (device, last, chain): (Uuid, i64, Vec<u8>) =
            connection.query_row("SELECT device_id, last_dseq, chain_hash FROM desk", [], |row| {
                Ok((row.get("device_id")?, row.get("last_dseq")?, row.get("chain_hash")?))
            })?;
        let again = encode(&renumber(&op, device, last + 1));
        let hash = chain_hash(&chain, &again).to_vec();
        connection.execute(
            "INSERT INTO op (dseq, bytes, hash) VALUES (?1, ?2, ?3)",
            params![last + 1, again.as_slice(), hash],
        )?;
        connection.execute("UPDATE desk SET last_dseq = ?1, chain_hash = ?2", params![last + 1, hash])?;
    }
    Ok(())
}

/// Chains the ops after `dseq` anew, where one was emptied since: sent again it has another hash. Only of what
/// the server does not have.
pub fn chain_anew(connection: &Connection, dseq: i64) -> Result<()> {
    let sql = "SELECT EXISTS (SELECT 1 FROM op WHERE dseq > ?1 AND bytes = x'') AS emptied";
    if !connection.prepare_cached(sql)?.query_row([dseq], |row| row.get::<_, bool>("emptied"))? {
        return Ok(());
    }
    let sql = "SELECT hash FROM op WHERE dseq = ?1";
    let before = connection.prepare_cached(sql)?.query_row([dseq], |row| row.get("hash"));
    let mut chain: Vec<u8> = optional(before)?.unwrap_or_default();
    let mut statement =
        connection.prepare_cached("SELECT dseq, bytes FROM op WHERE dseq > ?1 ORDER BY dseq")?;
    let mut rows = statement.query([dseq])?;
    while let Some(row) = rows.next()? {
        let (number, bytes): (i64, Vec<u8>) = (row.get("dseq")?, row.get("bytes")?);
        chain = chain_hash(&chain, &bytes).to_vec();
        connection
            .prepare_cached("UPDATE op SET hash = ?2 WHERE dseq = ?1")?
            .execute(params![number, chain])?;
    }
    connection.execute("UPDATE desk SET chain_hash = ?1", [chain])?;
    Ok(())
}

/// What an older program could not read, in the server's order.
pub fn kept_unknown(connection: &Connection) -> Result<Vec<(i64, FedOp)>> {
    let mut statement = connection.prepare_cached("SELECT seq, fed FROM sync_unknown ORDER BY seq")?;
    let mut rows = statement.query([])?;
    let mut kept = Vec::new();
    while let Some(row) = rows.next()? {
        let bytes = row.get_ref("fed")?.as_blob().map_err(rusqlite::Error::from)?;
        kept.push((row.get("seq")?, ciborium::from_reader(bytes).map_err(Error::internal)?));
    }
    Ok(kept)
}

/// Whether another program read the feed before this one.
pub fn knows_more(connection: &Connection) -> Result<bool> {
    let sql = "SELECT entities IS NOT ?1 AS other FROM sync_server";
    Ok(connection.prepare_cached(sql)?.query_row([fingerprint()], |row| row.get("other"))?)
}

/// This program reads the feed from now on.
pub fn note_entities(connection: &Connection) -> Result<()> {
    connection.execute("UPDATE sync_server SET entities = ?1, compared_at = NULL", [fingerprint()])?;
    Ok(())
}

/// SQLite's integers have a sign.
fn fingerprint() -> i64 {
    entities::fingerprint().cast_signed()
}

/// Gives this database an identity of its own: every op is signed over to it under its old number and
/// id. What the server has already counts once.
pub fn take_identity(connection: &Connection, device: Uuid) -> Result<()> {
    let mut chain: Vec<u8> = Vec::new();
    let mut at = 0_i64;
    loop {
        let found: Option<(i64, Vec<u8>)> = optional(
            connection
                .prepare_cached("SELECT dseq, bytes FROM op WHERE dseq > ?1 ORDER BY dseq LIMIT 1")?
                .query_row([at], |row| Ok((row.get("dseq")?, row.get("bytes")?))),
        )?;
        let Some((dseq, bytes)) = found else { break };
        at = dseq;
        // What was erased stays empty, and its number is used up.
        let bytes = decode(&bytes).map_or(bytes, |op| encode(&renumber(&op, device, dseq)).into_vec());
        chain = chain_hash(&chain, &bytes).to_vec();
        connection
            .prepare_cached("UPDATE op SET bytes = ?2, hash = ?3, acknowledged_seq = NULL WHERE dseq = ?1")?
            .execute(params![dseq, bytes, chain])?;
        point("desk.identity.op");
    }
    connection.execute("UPDATE desk SET device_id = ?1, chain_hash = ?2", params![device, chain])?;
    Ok(())
}

/// The ids of own ops without a verdict.
pub fn unsent_ops(connection: &Connection) -> Result<BTreeSet<Uuid>> {
    let mut statement = connection.prepare_cached(
        "SELECT bytes FROM op WHERE dseq > coalesce((SELECT acknowledged FROM sync_server), 0)",
    )?;
    let mut ids = BTreeSet::new();
    for bytes in statement.query_map([], |row| row.get::<_, Vec<u8>>("bytes"))? {
        ids.extend(decode(&bytes?).map(|op| op.op_id));
    }
    Ok(ids)
}

/// The epochs of the server that this desk's data comes from, oldest first.
pub fn epochs(connection: &Connection) -> Result<Vec<EpochStart>> {
    let mut statement =
        connection.prepare_cached("SELECT epoch, head FROM sync_epoch ORDER BY head, epoch")?;
    let rows =
        statement.query_map([], |row| Ok(EpochStart { epoch: row.get("epoch")?, head: row.get("head")? }))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Keeps the server's line of epochs.
pub fn set_epochs(connection: &Connection, lineage: &[EpochStart]) -> Result<()> {
    connection.execute("DELETE FROM sync_epoch", [])?;
    for start in lineage {
        connection.execute(
            "INSERT INTO sync_epoch (epoch, head) VALUES (?1, ?2)
             ON CONFLICT (epoch) DO UPDATE SET head = excluded.head",
            params![start.epoch, start.head],
        )?;
    }
    Ok(())
}

/// Removes what only this desk keeps of a patient who leaves it.
pub fn forget_locally(connection: &Connection, patient: Uuid) -> Result<()> {
    for sql in [
        "DELETE FROM dial WHERE patient_id = ?1",
        "DELETE FROM call_undo WHERE call_id IN (SELECT id FROM call WHERE patient_id = ?1)",
        "UPDATE import_row SET cells = NULL WHERE patient_id = ?1",
        "DELETE FROM import_before WHERE record = ?1",
    ] {
        connection.prepare_cached(sql)?.execute([patient])?;
    }
    let keys = format!("%{patient}%");
    connection.execute("DELETE FROM draft WHERE key LIKE ?1", [keys])?;
    Ok(())
}

/// Empties the ops that wrote a record of an erased patient, own and received. Their hashes stay, so
/// that the chain can still be followed.
pub fn erase_ops(connection: &Connection, record: Uuid) -> Result<()> {
    // The id stands in the op as 16 bytes; there is no index, and erasures are rare. What is unsent keeps its
    // bytes until the server has refused it: the server follows the chain by them.
    connection.execute(
        "UPDATE op SET bytes = x'' WHERE acknowledged_seq IS NOT NULL AND instr(bytes, ?1) > 0",
        [record.as_bytes()],
    )?;
    connection.execute("DELETE FROM sync_received WHERE instr(bytes, ?1) > 0", [record.as_bytes()])?;
    connection.execute("DELETE FROM sync_offer WHERE instr(bytes, ?1) > 0", [record.as_bytes()])?;
    connection.execute("DELETE FROM sync_unknown WHERE instr(fed, ?1) > 0", [record.as_bytes()])?;
    connection.execute("INSERT INTO sync_erased (id) VALUES (?1) ON CONFLICT (id) DO NOTHING", [record])?;
    connection.execute("DELETE FROM import_before WHERE record = ?1", [record])?;
    Ok(())
}

/// Whether the op tells of an erased patient.
pub fn tells_of_erased(connection: &Connection, op: &Op) -> Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM sync_erased WHERE id = ?1) AS gone";
    let mut statement = connection.prepare_cached(sql)?;
    for id in named(op) {
        if statement.query_row([id], |row| row.get("gone"))? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Remembers who changed a field of which people may be asked.
pub fn keep_author(connection: &Connection, op: &Op) -> Result<()> {
    let Some(entity) = entities::find(&op.entity) else { return Ok(()) };
    if op.op_id == op.id || !entity.asked.iter().any(|field| op.fields.contains_key(*field)) {
        return Ok(());
    }
    connection
        .prepare_cached(
            "INSERT INTO sync_author (op_id, user_id) VALUES (?1, ?2) ON CONFLICT (op_id) DO NOTHING",
        )?
        .execute(params![op.op_id, op.user])?;
    Ok(())
}

/// One round with the server.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Round {
    /// When it began, milliseconds UTC.
    pub started_at: i64,
    /// When it ended, milliseconds UTC.
    pub ended_at: i64,
    /// Own ops that the server has taken in.
    pub pushed: u64,
    /// Changes of others.
    pub pulled: u64,
    /// Conflicts found.
    pub conflicts: u64,
    /// Own ops that were refused.
    pub rejected: u64,
    /// Code of the error that ended it.
    pub problem: Option<String>,
}

/// Writes a round down. A round in which nothing happened replaces the one before in which nothing did.
pub fn keep_round(connection: &Connection, round: &Round) -> Result<()> {
    let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    if round.pushed + round.pulled + round.rejected == 0 {
        connection.execute(
            "DELETE FROM sync_round WHERE num = (SELECT max(num) FROM sync_round)
               AND pushed + pulled + rejected = 0 AND problem IS ?1",
            [&round.problem],
        )?;
    }
    connection.execute(
        "INSERT INTO sync_round (started_at, ended_at, pushed, pulled, conflicts, rejected, problem)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![
            round.started_at,
            round.ended_at,
            number(round.pushed),
            number(round.pulled),
            number(round.conflicts),
            number(round.rejected),
            round.problem
        ],
    )?;
    connection
        .execute("DELETE FROM sync_round WHERE num <= (SELECT max(num) FROM sync_round) - ?1", [ROUNDS])?;
    Ok(())
}

/// When the oldest unsent op was written, milliseconds UTC.
pub fn oldest_unsent(connection: &Connection, acknowledged: i64) -> Result<Option<i64>> {
    let bytes: Option<Vec<u8>> = optional(
        connection
            .prepare_cached("SELECT bytes FROM op WHERE dseq > ?1 ORDER BY dseq LIMIT 1")?
            .query_row([acknowledged], |row| row.get("bytes")),
    )?;
    Ok(bytes.and_then(|bytes| decode(&bytes)).map(|op| op.hlc.millis()))
}
