//! Long work in the background: progress, cancel, result.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;
use serde_json::{Value, json};
use ts_rs::TS;
use uuid::Uuid;

use super::Ctx;
use crate::error::{Error, Result, WireError};
use aftercare_domain::error_code::ErrorCode;

/// Where a job stands.
#[derive(Debug, Clone, Serialize, TS)]
pub struct JobStatus {
    /// The job.
    pub id: Uuid,
    /// What it does: a command's name.
    pub kind: String,
    /// `running`, `done`, `failed`, `cancelled`.
    pub state: String,
    /// How much is done, in units of the job (rows, bytes).
    #[ts(type = "number")]
    pub done: u64,
    /// How much there is, 0 while unknown.
    #[ts(type = "number")]
    pub total: u64,
    /// What it ended with.
    #[ts(type = "unknown")]
    pub result: Option<Value>,
    /// Why it failed.
    pub error: Option<WireError>,
}

/// Handed to the work: says how far it is and whether it should stop.
#[derive(Clone)]
pub struct Progress {
    done: Arc<AtomicU64>,
    total: Arc<AtomicU64>,
    cancelled: Arc<AtomicBool>,
}

impl Progress {
    /// Progress that nobody watches, for work in the foreground.
    pub fn unwatched() -> Self {
        Self { done: Arc::default(), total: Arc::default(), cancelled: Arc::default() }
    }

    /// Says how far the work is.
    pub fn set(&self, done: u64, total: u64) {
        self.done.store(done, Ordering::Relaxed);
        self.total.store(total, Ordering::Relaxed);
    }

    /// Asks the work to stop.
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }

    /// Whether the user asked to stop.
    pub fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }

    /// `Cancelled` when the user asked to stop.
    pub fn check(&self) -> Result<()> {
        if self.is_cancelled() { Err(Error::new(ErrorCode::Cancelled)) } else { Ok(()) }
    }
}

struct Job {
    kind: &'static str,
    owner: Uuid,
    progress: Progress,
    ended: Option<Result<Value, WireError>>,
}

/// The jobs of one application. Ended ones are kept until they are asked for or the program ends.
#[derive(Default)]
pub struct Jobs(Mutex<BTreeMap<Uuid, Job>>);

impl Jobs {
    fn with<T>(&self, work: impl FnOnce(&mut BTreeMap<Uuid, Job>) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The state of a job of `owner`.
    ///
    /// Errors: `NotFound`.
    pub fn status(&self, id: Uuid, owner: Uuid) -> Result<JobStatus> {
        self.with(|jobs| {
            let job = jobs.get(&id).filter(|job| job.owner == owner);
            let job = job.ok_or_else(|| Error::new(ErrorCode::NotFound))?;
            let (state, result, error) = match &job.ended {
                None => ("running", None, None),
                Some(Ok(value)) => ("done", Some(value.clone()), None),
                Some(Err(error)) if error.code == ErrorCode::Cancelled => {
                    ("cancelled", None, Some(error.clone()))
                }
                Some(Err(error)) => ("failed", None, Some(error.clone())),
            };
            Ok(JobStatus {
                id,
                kind: job.kind.to_owned(),
                state: state.to_owned(),
                done: job.progress.done.load(Ordering::Relaxed),
                total: job.progress.total.load(Ordering::Relaxed),
                result,
                error,
            })
        })
    }

    /// Asks a job of `owner` to stop. It ends at its next check, with nothing written.
    pub fn cancel(&self, id: Uuid, owner: Uuid) {
        self.with(|jobs| {
            if let Some(job) = jobs.get(&id).filter(|job| job.owner == owner) {
                job.progress.cancel();
            }
        });
    }
}

/// Whether a job of this kind is under way.
pub fn is_running(ctx: &Ctx, kind: &str) -> bool {
    ctx.app.jobs.with(|jobs| jobs.values().any(|job| job.kind == kind && job.ended.is_none()))
}

/// Starts `work` on a thread of its own and returns the job's id at once. The window hears a
/// `job` event when it ends and asks `settings_job` for progress meanwhile.
pub fn start<T: Serialize>(
    ctx: &Ctx,
    kind: &'static str,
    work: impl FnOnce(&Ctx, &Progress) -> Result<T> + Send + 'static,
) -> Result<Uuid> {
    let id = ctx.new_id();
    let progress = Progress::unwatched();
    let job = Job { kind, owner: ctx.user_id(), progress: progress.clone(), ended: None };
    ctx.app.jobs.with(|jobs| jobs.insert(id, job));
    let ctx = ctx.clone();
    let spawned = std::thread::Builder::new().name(kind.to_owned()).spawn(move || {
        let run = std::panic::AssertUnwindSafe(|| {
            work(&ctx, &progress).and_then(|result| Ok(serde_json::to_value(result)?))
        });
        let result = std::panic::catch_unwind(run)
            .unwrap_or_else(|_| Err(Error::internal(format!("{kind} panicked"))))
            .map_err(|error| {
                tracing::warn!(job = %id, kind, %error, "job ended early");
                error.to_wire(id.to_string())
            });
        ctx.app.jobs.with(|jobs| {
            if let Some(job) = jobs.get_mut(&id) {
                job.ended = Some(result);
            }
        });
        ctx.app.emit("job", json!({ "id": id, "kind": kind }));
    });
    spawned.map_err(Error::from)?;
    Ok(id)
}
