//! Settings, drafts and jobs.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use aftercare_domain::error_code::ErrorCode;
use serde_json::json;

use super::{
    BackupRequest, BackupResponse, CalendarImportRequest, CalendarRequest, CalendarResponse, DoctorRequest,
    DoctorResponse, RestoreRequest, RestoreResponse, backup, calendar, doctor, restore,
};
use super::{
    DraftKeyRequest, DraftResponse, DraftSaveRequest, GetRequest, JobRequest, JobStarted, Settings, store,
};
use crate::app::jobs::{self, JobStatus, Progress};
use crate::app::{App, Ctx};
use crate::audit;
use crate::commands::Done;
use crate::error::{Error, FieldErrors, Result};

/// Longest age of a password that can be set, in days: two years.
const MOST_AGE_DAYS: u32 = 730;

/// The server takes no larger attachment, MiB.
const MOST_ATTACHMENT_MIB: u32 = 64;

/// Largest draft, in bytes of JSON.
const LARGEST_DRAFT: usize = 512 * 1024;

/// The settings in force.
pub fn get(ctx: &Ctx, _: GetRequest) -> Result<Settings> {
    ctx.read(store::load)
}

/// Stores the settings.
///
/// Errors: `Invalid` with fields.
pub fn save(ctx: &Ctx, settings: Settings) -> Result<Settings> {
    check(&settings)?;
    ctx.write(|writer| {
        let changed = store::save(writer, &settings)?;
        let detail = json!({ "names": changed });
        audit::append(writer.connection(), writer.now_millis(), ctx.user_id(), "settings.save", None, &detail)
    })?;
    ctx.session.idle_seconds.store(settings.idle_seconds, Ordering::Relaxed);
    Ok(settings)
}

fn check(settings: &Settings) -> Result<()> {
    let mut errors = FieldErrors::default();
    if !(60..=3600).contains(&settings.idle_seconds) {
        errors.add("idle_seconds", ErrorCode::BadNumber);
    }
    let policy = &settings.password_policy;
    if !(6..=64).contains(&policy.min_length) || policy.min_kinds > 4 || policy.max_age_days > MOST_AGE_DAYS {
        errors.add("password_policy", ErrorCode::BadNumber);
    }
    let schemes = ["tel:", "sip:", "callto:"];
    let template = &settings.dial_template;
    if !schemes.iter().any(|scheme| template.starts_with(scheme)) || !template.contains("{number}") {
        errors.add("dial_template", ErrorCode::NotAllowed);
    }
    if !settings.area_code.chars().all(|c| c.is_ascii_digit()) || settings.area_code.len() > 3 {
        errors.add("area_code", ErrorCode::NotAllowed);
    }
    if !settings.dial_prefix.chars().all(|c| c.is_ascii_digit() || matches!(c, ',' | '*' | '#')) {
        errors.add("dial_prefix", ErrorCode::NotAllowed);
    }
    if settings.calling_hours.is_empty() {
        errors.add("calling_hours", ErrorCode::Required);
    } else if !settings.calling_hours.iter().all(|span| is_span(span)) {
        errors.add("calling_hours", ErrorCode::BadDate);
    }
    if !is_span(&settings.calling_limits) {
        errors.add("calling_limits", ErrorCode::BadDate);
    }
    if !(1..=20).contains(&settings.max_attempts) {
        errors.add("max_attempts", ErrorCode::BadNumber);
    }
    if !(1..=120).contains(&settings.sync_minutes) {
        errors.add("sync_minutes", ErrorCode::BadNumber);
    }
    if !(1..=MOST_ATTACHMENT_MIB).contains(&settings.attachment_max_mib) {
        errors.add("attachment_max_mib", ErrorCode::BadNumber);
    }
    for (name, days) in [
        ("complaint_spot_days", settings.complaint_spot_days),
        ("complaint_single_days", settings.complaint_single_days),
        ("complaint_multi_days", settings.complaint_multi_days),
        ("complaint_warn_days", settings.complaint_warn_days),
    ] {
        if days > 250 {
            errors.add(name, ErrorCode::BadNumber);
        }
    }
    for (name, number, most) in [
        ("survey_min_answered", settings.survey_min_answered, 100),
        ("survey_min_seconds", settings.survey_min_seconds, 600),
        ("survey_min_n", settings.survey_min_n, 1000),
        ("survey_repeat_days", settings.survey_repeat_days, 365),
        ("survey_low_score", settings.survey_low_score, 100),
    ] {
        if number > most {
            errors.add(name, ErrorCode::BadNumber);
        }
    }
    let loyalty = settings.survey_loyalty;
    if [loyalty.nps, loyalty.come_back, loyalty.retained].iter().any(|share| *share > 100) {
        errors.add("survey_loyalty", ErrorCode::BadNumber);
    }
    if settings.expire_after_days > 365 {
        errors.add("expire_after_days", ErrorCode::BadNumber);
    }
    errors.check()
}

/// `HH:MM-HH:MM`, the first before the second.
fn is_span(text: &str) -> bool {
    let time = |text: &str| chrono::NaiveTime::parse_from_str(text, "%H:%M").ok();
    text.split_once('-').and_then(|(from, to)| Some(time(from)? < time(to)?)).unwrap_or(false)
}

/// Keeps what is being typed.
pub fn draft_save(ctx: &Ctx, request: DraftSaveRequest) -> Result<Done> {
    let mut errors = FieldErrors::default();
    if request.key.is_empty() || request.key.len() > 200 {
        errors.add("key", ErrorCode::NotAllowed);
    }
    if request.body.to_string().len() > LARGEST_DRAFT {
        errors.add_with("body", ErrorCode::TooLong, "max", LARGEST_DRAFT);
    }
    errors.check()?;
    let now = ctx.now().timestamp_millis();
    ctx.db().write(|c, _| store::save_draft(c, ctx.user_id(), &request.key, &request.body, now))?;
    Ok(Done {})
}

/// What was being typed.
pub fn draft_load(ctx: &Ctx, request: DraftKeyRequest) -> Result<DraftResponse> {
    let found = ctx.read(|c| store::load_draft(c, ctx.user_id(), &request.key))?;
    let (body, saved_at) = found.map_or((None, None), |(body, at)| (Some(body), Some(at)));
    Ok(DraftResponse { body, saved_at })
}

/// The form was saved or given up.
pub fn draft_clear(ctx: &Ctx, request: DraftKeyRequest) -> Result<Done> {
    ctx.db().write(|c, _| store::clear_draft(c, ctx.user_id(), &request.key))?;
    Ok(Done {})
}

/// How far a job of mine is.
pub fn job(ctx: &Ctx, request: JobRequest) -> Result<JobStatus> {
    ctx.app.jobs.status(request.id, ctx.user_id())
}

/// Asks a job of mine to stop.
pub fn job_cancel(ctx: &Ctx, request: JobRequest) -> Result<Done> {
    ctx.app.jobs.cancel(request.id, ctx.user_id());
    Ok(Done {})
}

/// Writes a backup and checks it, and waits for it.
///
/// Errors: `Invalid` with field `path`, `FileUnwritable`, `DiskFull`, `DatabaseDamaged`.
pub fn backup(ctx: &Ctx, request: BackupRequest) -> Result<BackupResponse> {
    let target = backup_target(ctx, &request)?;
    backup_now(ctx, request, &target, &Progress::unwatched())
}

/// Starts to write a backup; the job's result is what `settings_backup` answers.
///
/// Errors: `Invalid` with field `path`; the job: `FileUnwritable`, `DiskFull`, `DatabaseDamaged`, `Cancelled`.
pub fn backup_start(ctx: &Ctx, request: BackupRequest) -> Result<JobStarted> {
    let target = backup_target(ctx, &request)?;
    let work = move |ctx: &Ctx, progress: &Progress| backup_now(ctx, request, &target, progress);
    Ok(JobStarted { id: jobs::start(ctx, "settings_backup", work)? })
}

/// A backup beside the database dies with it, and could take its name.
fn backup_target(ctx: &Ctx, request: &BackupRequest) -> Result<PathBuf> {
    let target = std::path::absolute(&request.path)?;
    if target.parent() == Some(&*std::path::absolute(&ctx.app.home)?) {
        return Err(Error::field("path", ErrorCode::NotAllowed));
    }
    Ok(target)
}

fn backup_now(
    ctx: &Ctx,
    request: BackupRequest,
    target: &Path,
    progress: &Progress,
) -> Result<BackupResponse> {
    let made_at = ctx.now().timestamp_millis();
    let program = env!("CARGO_PKG_VERSION");
    let written = backup::write(ctx.db(), &ctx.app.home, target, made_at, program, progress)?;
    ctx.db().write(|c, _| {
        store::note_backup(c, made_at)?;
        audit::append(c, made_at, ctx.user_id(), "settings.backup", None, &json!({ "bytes": written.bytes }))
    })?;
    Ok(BackupResponse { path: request.path, bytes: written.bytes, made_at })
}

/// Examines the desk.
pub fn doctor(ctx: &Ctx, _: DoctorRequest) -> Result<DoctorResponse> {
    doctor::examine(ctx)
}

/// Puts a backup in place; nobody need be logged in, and whoever is gets logged out.
pub fn restore(app: &Arc<App>, request: RestoreRequest) -> Result<RestoreResponse> {
    restore::restore(app, &request)
}

/// Which years' holidays are known.
pub fn calendar_years(ctx: &Ctx, request: CalendarRequest) -> Result<CalendarResponse> {
    calendar::years(ctx, request)
}

/// Takes a year's holidays from a file.
pub fn calendar_import(ctx: &Ctx, request: CalendarImportRequest) -> Result<CalendarResponse> {
    calendar::import(ctx, &request)
}
