//! Syncing by itself: every few minutes while the desk is open, at once after something urgent,
//! more and more rarely while it fails.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aftercare_domain::error_code::ErrorCode;

use super::join::Applicant;
use super::{round, state};
use crate::app::jobs::Progress;
use crate::app::{App, Ctx};
use crate::error::Result;
use crate::settings;

/// The first pause after a failure; it doubles with each further one.
const FIRST_PAUSE_MILLIS: i64 = 15_000;
/// The longest pause after failures.
const LONGEST_PAUSE_MILLIS: i64 = 30 * 60_000;
/// After something urgent; long enough for a call's writes to be together.
const URGENT_MILLIS: i64 = 1_000;
/// The clock is looked at once a second; a longer pause than this means that the PC slept.
const JUMP_MILLIS: i64 = 30_000;
/// How often a desk without a server looks whether it got one.
const UNENROLLED_MILLIS: i64 = 10_000;

/// What an application knows of its syncing.
#[derive(Default)]
pub struct Background {
    turn: Mutex<()>,
    running: AtomicBool,
    rounds: AtomicU32,
    looked_at: AtomicI64,
    next_at: AtomicI64,
    failures: AtomicU32,
    problem: Mutex<Option<ErrorCode>>,
    /// Somebody stopped the first sync: it goes on when asked, or when the program is opened again.
    held: AtomicBool,
    /// The round that runs by itself, so that it can be stopped.
    course: Mutex<Option<Progress>>,
    /// Who this PC is about to be at a server.
    applicant: Mutex<Option<Applicant>>,
}

/// A round that is running.
pub(super) struct Counted<'b>(&'b AtomicU32);

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Background {
    /// Waits until no other round runs, and keeps others from running.
    pub(super) fn turn(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a round runs now, by itself or because somebody asked for it.
    pub fn is_running(&self) -> bool {
        self.rounds.load(Ordering::Relaxed) > 0
    }

    /// A round counts as running until what this gives is dropped.
    pub(super) fn counted(&self) -> Counted<'_> {
        self.rounds.fetch_add(1, Ordering::Relaxed);
        Counted(&self.rounds)
    }

    /// Notes that the clock was looked at. After a jump (the PC slept, somebody set the clock) the next round is
    /// due at once and the failures before it say nothing any more: the network may be another.
    fn look(&self, now_millis: i64) {
        let before = self.looked_at.swap(now_millis, Ordering::Relaxed);
        if before != 0 && (now_millis - before).abs() > JUMP_MILLIS {
            self.failures.store(0, Ordering::Relaxed);
            self.next_at.store(now_millis + URGENT_MILLIS, Ordering::Relaxed);
        }
    }

    /// When the next round begins by itself, milliseconds UTC; 0: at the next look.
    pub fn next_at(&self) -> i64 {
        self.next_at.load(Ordering::Relaxed)
    }

    /// Why the last round failed.
    pub fn problem(&self) -> Option<ErrorCode> {
        *self.problem.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether somebody stopped the first sync.
    pub fn is_held(&self) -> bool {
        self.held.load(Ordering::Relaxed)
    }

    /// Nothing begins by itself until [`Background::go_on`]; the round that runs by itself ends after its page.
    pub(super) fn hold(&self) {
        self.held.store(true, Ordering::Relaxed);
        if let Some(progress) = self.course().as_ref() {
            progress.cancel();
        }
    }

    /// Rounds begin by themselves again.
    pub(super) fn go_on(&self) {
        self.held.store(false, Ordering::Relaxed);
    }

    pub(super) fn applicant(&self) -> MutexGuard<'_, Option<Applicant>> {
        self.applicant.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn course(&self) -> MutexGuard<'_, Option<Progress>> {
        self.course.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Something urgent was written: sync at once, unless the server does not answer anyway.
    pub(crate) fn hurry(&self, now_millis: i64) {
        if self.failures.load(Ordering::Relaxed) == 0 {
            self.next_at.fetch_min(now_millis + URGENT_MILLIS, Ordering::Relaxed);
        }
    }

    /// Notes how a round ended and when the next begins. `jitter`: 0 to 255, so that the desks of a
    /// hospital that lost its network do not all come back in the same second.
    pub(super) fn note(
        &self,
        result: std::result::Result<(), ErrorCode>,
        every_millis: i64,
        now: i64,
        jitter: u8,
    ) {
        *self.problem.lock().unwrap_or_else(PoisonError::into_inner) = result.err();
        let failures = match result {
            Ok(()) => 0,
            Err(_) => self.failures.load(Ordering::Relaxed).saturating_add(1),
        };
        self.failures.store(failures, Ordering::Relaxed);
        let pause = pause_millis(failures, every_millis);
        let spread = pause / 5 * i64::from(jitter) / 256;
        self.next_at.store(now + pause - pause / 10 + spread, Ordering::Relaxed);
    }
}

/// The pause after so many failures in a row.
fn pause_millis(failures: u32, every_millis: i64) -> i64 {
    if failures == 0 {
        return every_millis;
    }
    let doubled = FIRST_PAUSE_MILLIS.saturating_mul(1 << (failures - 1).min(12));
    doubled.min(LONGEST_PAUSE_MILLIS.max(every_millis))
}

/// Starts a round when its time has come. Called about once a second.
pub(crate) fn tick(app: &Arc<App>) {
    let now = app.env.now().timestamp_millis();
    app.sync.look(now);
    let Some(session) = app.current().filter(|_| !app.sync.is_held()) else { return };
    if now < app.sync.next_at() && app.sync.next_at() - now <= LONGEST_PAUSE_MILLIS * 8 {
        return;
    }
    if app.sync.running.swap(true, Ordering::Relaxed) {
        return;
    }
    let ctx = Ctx { app: Arc::clone(app), session };
    let spawned = std::thread::Builder::new().name("sync".to_owned()).spawn(move || {
        let run = std::panic::AssertUnwindSafe(|| one_round(&ctx));
        if !matches!(std::panic::catch_unwind(run), Ok(Ok(()))) {
            tracing::warn!("a round with the server ended early");
        }
        ctx.app.sync.running.store(false, Ordering::Relaxed);
    });
    if spawned.is_err() {
        app.sync.running.store(false, Ordering::Relaxed);
        app.sync.next_at.store(now + FIRST_PAUSE_MILLIS, Ordering::Relaxed);
    }
}

fn one_round(ctx: &Ctx) -> Result<()> {
    let now = || ctx.now().timestamp_millis();
    ctx.app.sync.next_at.store(now() + UNENROLLED_MILLIS, Ordering::Relaxed);
    let (server, every) = ctx
        .read(|connection| Ok((state::find_server(connection)?, settings::load(connection)?.sync_minutes)))?;
    if server.is_none() {
        return Ok(());
    }
    let progress = Progress::unwatched();
    *ctx.app.sync.course() = Some(progress.clone());
    let result = super::line(ctx)
        .and_then(|line| round::run(ctx, &*line, &progress, false))
        .map(|_| ())
        .map_err(|error| {
            tracing::warn!(%error, "sync failed");
            error.code
        });
    *ctx.app.sync.course() = None;
    finished(ctx, result, i64::from(every) * 60_000);
    if result.is_ok() {
        crate::updates::after_round(ctx);
    }
    Ok(())
}

/// Notes the end of a round and tells the window.
pub(super) fn finished(ctx: &Ctx, result: std::result::Result<(), ErrorCode>, every_millis: i64) {
    let mut jitter = [0_u8; 1];
    // Without randomness the desks come back together, which the server survives.
    let _ = crate::env::fill_random(&mut jitter);
    ctx.app.sync.note(result, every_millis, ctx.now().timestamp_millis(), jitter[0]);
    ctx.app.emit("sync", serde_json::json!({ "problem": result.err().map(ErrorCode::as_str) }));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_while_it_fails_and_end_with_the_first_success() {
        let minutes = 5 * 60_000;
        let pauses: Vec<i64> = (0..10).map(|failures| pause_millis(failures, minutes) / 1000).collect();
        assert_eq!(pauses, [300, 15, 30, 60, 120, 240, 480, 960, 1800, 1800]);
        let background = Background::default();
        background.note(Err(ErrorCode::SyncUnreachable), minutes, 1_000_000, 128);
        assert_eq!(background.problem(), Some(ErrorCode::SyncUnreachable));
        let failed = background.next_at();
        background.hurry(1_000_001);
        assert_eq!(background.next_at(), failed, "hurrying does not help while nobody answers");
        background.note(Ok(()), minutes, 1_100_000, 0);
        assert_eq!((background.problem(), background.next_at()), (None, 1_100_000 + minutes * 9 / 10));
        background.hurry(1_100_001);
        assert_eq!(background.next_at(), 1_101_001);
    }

    #[test]
    fn after_sleep_a_round_comes_at_once_however_often_it_had_failed() {
        let background = Background::default();
        background.look(1_000_000);
        for _ in 0..8 {
            background.note(Err(ErrorCode::SyncUnreachable), 300_000, 1_000_000, 128);
        }
        let failing = background.next_at();
        assert!(failing > 1_000_000 + 20 * 60_000);
        background.look(1_001_000);
        assert_eq!(background.next_at(), failing, "nothing happened");
        background.look(1_301_000);
        assert_eq!(background.next_at(), 1_302_000, "five minutes later it wakes up");
        background.note(Err(ErrorCode::SyncUnreachable), 300_000, 1_302_000, 128);
        assert_eq!(background.next_at(), 1_302_000 + 15_000, "and the pauses begin anew");
        background.look(900_000);
        assert_eq!(background.next_at(), 901_000, "a clock that was set back is no reason to wait");
    }

    #[test]
    fn a_round_is_running_until_it_has_ended() {
        let background = Background::default();
        {
            let (_by_itself, _by_hand) = (background.counted(), background.counted());
            assert!(background.is_running());
        }
        assert!(!background.is_running());
    }

    #[test]
    fn a_first_sync_that_was_stopped_waits_until_somebody_asks() {
        let background = Background::default();
        let progress = Progress::unwatched();
        *background.course() = Some(progress.clone());
        background.hold();
        assert!(background.is_held() && progress.is_cancelled());
        background.go_on();
        assert!(!background.is_held());
    }
}
