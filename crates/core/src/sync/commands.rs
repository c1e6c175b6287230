//! How the desk stands with its server, syncing now, joining, and what needs a person.

use std::path::Path;

use aftercare_domain::access::Permission;
use aftercare_domain::error_code::ErrorCode;
use aftercare_domain::personal::Personal;
use aftercare_sync::code::authority_mark;
use aftercare_sync::door::ErasureRequest;
use rusqlite::{Connection, params};
use serde_json::json;

use super::round::Report;
use super::{
    ConflictRevealRequest, ConflictsRequest, ConflictsResponse, EnrolRequest, EnrolResponse, EraseRequest,
    EraseResponse, HistoryRequest, HistoryResponse, NowRequest, RefusedRequest, RefusedResponse, RefusedRow,
    ReportResponse, RevealedConflict, RoundRow, SeenRequest, SettleRequest, Status, StatusRequest,
    StickRequest, StickWritten, background, clinics, conflicts, enrol, round, state, stick,
};
use crate::app::Ctx;
use crate::app::jobs::{self, Progress};
use crate::attachments::store;
use crate::commands::Done;
use crate::error::Result;
use crate::session::commands::confirm_password;
use crate::settings::{self, JobStarted};

/// How this desk stands with its server.
pub fn status(ctx: &Ctx, _: StatusRequest) -> Result<Status> {
    let sync = &ctx.app.sync;
    let mut status = Status {
        enrolled: false,
        address: String::new(),
        running: sync.is_running(),
        filling: false,
        held: sync.is_held(),
        filled: 0,
        fill_total: None,
        patients: 0,
        unsent: 0,
        oldest_unsent_at: None,
        heard_at: None,
        next_at: Some(sync.next_at()).filter(|at| *at > 0),
        problem: sync.problem().map(|code| code.as_str().to_owned()),
        refused: 0,
        conflicts: 0,
        unsent_files: 0,
        fingerprint: None,
        safe_to_shut_down: true,
    };
    ctx.read(|connection| {
        let Some(server) = state::find_server(connection)? else { return Ok(()) };
        status.enrolled = true;
        status.address = server.address;
        status.filling = server.filling;
        if server.filling {
            (status.filled, status.fill_total) = state::filled(connection)?;
            status.patients = connection
                .prepare_cached("SELECT count(*) AS patients FROM patient")?
                .query_row([], |row| row.get("patients"))?;
        }
        status.unsent = state::own(connection)?.last_dseq - server.acknowledged;
        status.oldest_unsent_at = state::oldest_unsent(connection, server.acknowledged)?;
        status.heard_at = server.heard_at;
        status.refused = connection
            .prepare_cached("SELECT count(*) AS unseen FROM sync_verdict WHERE seen_at IS NULL")?
            .query_row([], |row| row.get("unseen"))?;
        status.conflicts = conflicts::open(connection)?;
        status.unsent_files = store::unsent(connection)?.len().try_into().unwrap_or(i64::MAX);
        status.fingerprint = Some(authority_mark(&server.authority));
        status.safe_to_shut_down = status.unsent == 0 && status.unsent_files == 0 && !status.filling;
        if server.forked {
            status.problem = Some(ErrorCode::SyncForked.as_str().to_owned());
        }
        Ok(())
    })?;
    Ok(status)
}

/// Syncs now, as a job; it ends with a `SyncReport`.
///
/// # Errors
/// `SyncNotEnrolled`.
pub fn now(ctx: &Ctx, _: NowRequest) -> Result<JobStarted> {
    ctx.read(state::server)?;
    ctx.app.sync.go_on();
    Ok(JobStarted { id: jobs::start(ctx, "sync_now", |ctx, progress| sync(ctx, progress, true))? })
}

/// Stops the first sync for now. It goes on from there when somebody asks, or when the program is opened again.
pub fn stop(ctx: &Ctx, _: NowRequest) -> Result<Done> {
    if ctx.read(state::find_server)?.is_some_and(|server| server.filling) {
        ctx.app.sync.hold();
    }
    Ok(Done {})
}

/// A round in the foreground. `compare`: in any case compare digests.
///
/// # Errors
/// Those of a round.
pub fn sync(ctx: &Ctx, progress: &Progress, compare: bool) -> Result<ReportResponse> {
    let every = ctx.read(settings::load)?.sync_minutes;
    let result = super::line(ctx).and_then(|line| {
        let report = round::run(ctx, &*line, progress, compare)?;
        clinics::hear(ctx, &*line, clinics::ON_DEMAND_MILLIS);
        Ok(report)
    });
    if progress.is_cancelled() {
        stop(ctx, NowRequest {})?;
    }
    let outcome = result.as_ref().map(|_| ()).map_err(|error| error.code);
    background::finished(ctx, outcome, i64::from(every) * 60_000);
    result.map(ReportResponse::from)
}

/// Writes everything unsent to a file on a USB stick, as a job; it ends with a `SyncStickWritten`.
///
/// # Errors
/// `SyncNotEnrolled`; the job: `SyncForked`, `StickTooEarly`, `FileUnwritable`, `DiskFull`, `Cancelled`.
pub fn stick_write(ctx: &Ctx, request: StickRequest) -> Result<JobStarted> {
    ctx.read(state::server)?;
    let work = move |ctx: &Ctx, progress: &Progress| {
        let written = stick::export(ctx, Path::new(&request.path), progress)?;
        Ok(StickWritten { changes: written.changes, bytes: written.bytes })
    };
    Ok(JobStarted { id: jobs::start(ctx, "sync_stick_write", work)? })
}

/// Takes the server's answer in from a USB stick, as a job; it ends with a `SyncReport`.
///
/// # Errors
/// `SyncNotEnrolled`; the job: `StickDamaged`, `StickWrongWay`, `StickOtherHospital`, `StickOtherDesk`, `StickGap`,
/// `SyncForked`, `SyncUpgrade`, `FileMissing`.
pub fn stick_read(ctx: &Ctx, request: StickRequest) -> Result<JobStarted> {
    ctx.read(state::server)?;
    let work = move |ctx: &Ctx, progress: &Progress| {
        let report = stick::import(ctx, Path::new(&request.path), progress)?;
        ctx.app.emit("sync", json!({ "problem": null }));
        Ok(ReportResponse::from(report))
    };
    Ok(JobStarted { id: jobs::start(ctx, "sync_stick_read", work)? })
}

impl From<Report> for ReportResponse {
    fn from(report: Report) -> Self {
        let Report { pushed, pulled, pending, conflicts, rejected, cursor, digest, clock_off_seconds } =
            report;
        Self { pushed, pulled, pending, conflicts, rejected, cursor, digest, clock_off_seconds }
    }
}

/// Joins a server with everything this desk has, and begins the first sync as a job.
///
/// # Errors
/// `SyncEnrolled`, `SyncBadCode`, `SyncWrongServer`, `SyncCodeWrong`, `SyncCodeWithoutHistory`, `SyncUnreachable`.
pub fn join(ctx: &Ctx, request: EnrolRequest) -> Result<EnrolResponse> {
    let joined = enrol::join(ctx, &request.address, &request.code)?;
    let job = jobs::start(ctx, "sync_enrol", |ctx, progress| sync(ctx, progress, true))?;
    Ok(EnrolResponse { hospital: joined.hospital, job })
}

/// Asks for a patient's erasure everywhere, or confirms it as the second person. What is erased leaves this
/// desk with the next round, like every other.
///
/// # Errors
/// `WrongPassword`, `SyncSamePerson`, `SyncNotEnrolled`, and those of every request.
pub fn erase(ctx: &Ctx, request: EraseRequest) -> Result<EraseResponse> {
    confirm_password(ctx, &request.password)?;
    let asked = ErasureRequest {
        root: request.patient_id,
        login: ctx.session.user.login.clone(),
        password: request.password,
    };
    let answer = super::line(ctx)?.erase(&asked, request.confirm)?;
    ctx.audit("sync.erase", Some(request.patient_id), json!({ "confirm": request.confirm }))?;
    Ok(EraseResponse { erased: answer.erased })
}

/// The rounds, latest first.
pub fn history(ctx: &Ctx, request: HistoryRequest) -> Result<HistoryResponse> {
    let limit = request.limit.clamp(1, 500);
    let rounds = ctx.read(|connection| {
        let mut statement = connection.prepare_cached(
            "SELECT started_at, ended_at, pushed, pulled, rejected, problem FROM sync_round
             ORDER BY num DESC LIMIT ?1",
        )?;
        let rows = statement.query_map([limit], |row| {
            Ok(RoundRow {
                started_at: row.get("started_at")?,
                ended_at: row.get("ended_at")?,
                pushed: row.get("pushed")?,
                pulled: row.get("pulled")?,
                rejected: row.get("rejected")?,
                problem: row.get("problem")?,
            })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    })?;
    Ok(HistoryResponse { rounds })
}

/// Own changes that did not come out as meant, latest first. Patients' names only for who may read the archive.
pub fn refused(ctx: &Ctx, request: RefusedRequest) -> Result<RefusedResponse> {
    let reads = ctx.may(Permission::ArchiveRead);
    let mut rows = ctx.read(|connection| refused_rows(connection, request.limit.clamp(1, 200)))?;
    if !reads {
        rows.iter_mut().for_each(|row| row.patient = None);
    }
    Ok(RefusedResponse { rows })
}

fn refused_rows(connection: &Connection, limit: u32) -> Result<Vec<RefusedRow>> {
    let mut statement = connection.prepare_cached(
        "SELECT dseq, outcome, why, entity, command, patient_id, written_at, heard_at, seen_at,
                (SELECT name FROM patient WHERE patient.id = patient_id) AS patient,
                coalesce((SELECT display_name FROM staff WHERE staff.id = user_id), '') AS by
         FROM sync_verdict ORDER BY heard_at DESC, dseq DESC LIMIT ?1",
    )?;
    let rows = statement.query_map([limit], |row| {
        let (command, why): (Option<String>, String) = (row.get("command")?, row.get("why")?);
        Ok(RefusedRow {
            number: row.get("dseq")?,
            outcome: row.get("outcome")?,
            called_twice: command.as_deref() == Some("complete") && why == "already_done",
            why,
            entity: row.get("entity")?,
            command,
            patient_id: row.get("patient_id")?,
            patient: row.get::<_, Option<String>>("patient")?.map(Personal::new),
            by: row.get("by")?,
            written_at: row.get("written_at")?,
            heard_at: row.get("heard_at")?,
            seen: row.get::<_, Option<i64>>("seen_at")?.is_some(),
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Somebody has looked at refused changes.
pub fn seen(ctx: &Ctx, request: SeenRequest) -> Result<Done> {
    let now = ctx.now().timestamp_millis();
    ctx.write(|writer| {
        let mut statement = writer
            .connection()
            .prepare_cached("UPDATE sync_verdict SET seen_at = ?2 WHERE dseq = ?1 AND seen_at IS NULL")?;
        for number in request.numbers.iter().take(500) {
            statement.execute(params![number, now])?;
        }
        writer.touch("sync");
        Ok(Done {})
    })
}

/// Conflicts, oldest first.
pub fn list_conflicts(ctx: &Ctx, request: ConflictsRequest) -> Result<ConflictsResponse> {
    Ok(ConflictsResponse { conflicts: ctx.read(|connection| conflicts::list(connection, &request))? })
}

/// Both values of a conflict in full; audited.
///
/// # Errors
/// `NotFound`.
pub fn reveal_conflict(ctx: &Ctx, request: ConflictRevealRequest) -> Result<RevealedConflict> {
    conflicts::reveal(ctx, request.id)
}

/// Settles a conflict: the value that stands, the other, or a third.
///
/// # Errors
/// `NotFound`, `SyncSettled`, `Invalid` at `how`.
pub fn settle(ctx: &Ctx, request: SettleRequest) -> Result<Done> {
    conflicts::settle(ctx, &request)?;
    Ok(Done {})
}
