//! What a hospital may set, with defaults; and drafts of what is being typed.

mod backup;
mod calendar;
pub mod commands;
mod doctor;
mod password_policy;
mod restore;
mod store;
#[cfg(test)]
mod tests;

use aftercare_domain::survey::{LoyaltyWeights, Scale};
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use uuid::Uuid;

pub use backup::finish_restore;
pub use calendar::calendar;
pub use password_policy::PasswordPolicy;
pub use store::load;

/// The default of `Settings::expire_after_days`.
pub const DEFAULT_EXPIRE_AFTER_DAYS: u32 = 14;

/// Everything a hospital may set. Thresholds that no rule confirms are settings, not constants.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(default)]
pub struct Settings {
    /// After how many idle seconds the desk locks.
    #[ts(type = "number")]
    pub idle_seconds: i64,
    /// What a password must be.
    pub password_policy: PasswordPolicy,
    /// The telephone said to patients.
    pub hospital_phone: String,
    /// Area code for local numbers, without the trunk 0 ("10", "755").
    pub area_code: String,
    /// What dialling opens: `{number}` is replaced. Only `tel:`, `sip:` and `callto:`.
    pub dial_template: String,
    /// Dialled before outside numbers by the office telephone ("0", "9,").
    pub dial_prefix: String,
    /// Hours in which patients are called, `HH:MM-HH:MM`.
    pub calling_hours: Vec<String>,
    /// Never before or after these, whatever the hours above.
    pub calling_limits: String,
    /// Whether to call on days off and holidays.
    pub call_on_days_off: bool,
    /// Tries before a task fails.
    pub max_attempts: u32,
    /// Minutes between two tries of the same patient.
    pub min_gap_minutes: u32,
    /// Days after the end of its window on which a task that nobody did is given up.
    pub expire_after_days: u32,
    /// How many rows one export may have.
    pub export_max_rows: u32,
    /// Minutes between two meetings with the server.
    pub sync_minutes: u32,
    /// Largest file that may be added to a patient, MiB.
    pub attachment_max_mib: u32,
    /// Whether files that colleagues added come to this desk by themselves; otherwise when they are opened.
    pub fetch_attachments: bool,
    /// Working days to answer a complaint that can be settled on the spot.
    pub complaint_spot_days: u32,
    /// Working days to answer a complaint that must be verified.
    pub complaint_single_days: u32,
    /// Working days to answer a complaint about several departments.
    pub complaint_multi_days: u32,
    /// Working days before a complaint's deadline at which its handler is warned.
    pub complaint_warn_days: u32,
    /// How five points of a survey become a hundred.
    pub survey_scale: Scale,
    /// Share of a sheet's items that must be answered, percent; 0 takes every sheet.
    pub survey_min_answered: u32,
    /// Whether a sheet with the same option throughout does not count.
    pub survey_reject_same: bool,
    /// Seconds that a sheet takes at least by telephone or on the screen; 0 takes every sheet.
    pub survey_min_seconds: u32,
    /// Groups with fewer valid sheets are marked and not ranked.
    pub survey_min_n: u32,
    /// Days within which nobody is asked again.
    pub survey_repeat_days: u32,
    /// A score below this, 0-100, opens a service recovery; 0 opens none.
    pub survey_low_score: u32,
    /// Shares of the loyalty index.
    pub survey_loyalty: LoyaltyWeights,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            idle_seconds: 300,
            password_policy: PasswordPolicy::default(),
            hospital_phone: String::new(),
            area_code: String::new(),
            dial_template: "tel:{number}".to_owned(),
            dial_prefix: String::new(),
            calling_hours: vec!["09:00-12:00".to_owned(), "14:00-17:30".to_owned()],
            calling_limits: "08:00-20:00".to_owned(),
            call_on_days_off: false,
            max_attempts: 3,
            min_gap_minutes: 120,
            expire_after_days: DEFAULT_EXPIRE_AFTER_DAYS,
            export_max_rows: 200_000,
            sync_minutes: 5,
            attachment_max_mib: 50,
            fetch_attachments: false,
            complaint_spot_days: 0,
            complaint_single_days: 5,
            complaint_multi_days: 10,
            complaint_warn_days: 2,
            survey_scale: Scale::default(),
            survey_min_answered: 60,
            survey_reject_same: true,
            survey_min_seconds: 40,
            survey_min_n: 30,
            survey_repeat_days: 90,
            survey_low_score: 60,
            survey_loyalty: LoyaltyWeights::default(),
        }
    }
}

/// Asks for the settings.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "SettingsGetRequest")]
pub struct GetRequest {}

/// Keeps what is being typed, for the signed-in person.
#[derive(Deserialize, TS)]
pub struct DraftSaveRequest {
    /// Which form: `feature:record`.
    pub key: String,
    /// What is in it.
    #[ts(type = "unknown")]
    pub body: serde_json::Value,
}

/// Which draft.
#[derive(Deserialize, TS)]
pub struct DraftKeyRequest {
    /// Which form: `feature:record`.
    pub key: String,
}

/// A draft, if there is one.
#[derive(Serialize, TS)]
pub struct DraftResponse {
    /// What was in the form.
    #[ts(type = "unknown")]
    pub body: Option<serde_json::Value>,
    /// When it was kept, milliseconds UTC.
    #[ts(type = "number | null")]
    pub saved_at: Option<i64>,
}

/// Which job.
#[derive(Debug, Deserialize, TS)]
pub struct JobRequest {
    /// The job.
    pub id: Uuid,
}

/// Where to write a backup.
#[derive(Deserialize, TS)]
pub struct BackupRequest {
    /// The file; one that is there is replaced when the new one is whole.
    pub path: String,
}

/// A backup that was written, read back and checked.
#[derive(Debug, Clone, Serialize, TS)]
pub struct BackupResponse {
    /// The file.
    pub path: String,
    /// Its size.
    #[ts(type = "number")]
    pub bytes: u64,
    /// When it was made, milliseconds UTC.
    #[ts(type = "number")]
    pub made_at: i64,
}

/// A backup to put in place.
#[derive(Deserialize, TS)]
pub struct RestoreRequest {
    /// The file.
    pub path: String,
    /// A person of the backed-up desk.
    pub login: String,
    /// Their password; with a recovery code their new one.
    pub password: String,
    /// The printed code: needed on another PC.
    pub recovery_code: Option<String>,
}

/// What was put in place.
#[derive(Debug, Clone, Serialize, TS)]
pub struct RestoreResponse {
    /// Whose desk.
    pub hospital: String,
    /// When the backup was made, milliseconds UTC.
    #[ts(type = "number")]
    pub made_at: i64,
}

/// Asks for an examination of the desk.
#[derive(Debug, Deserialize, TS)]
pub struct DoctorRequest {}

/// What the examination found.
#[derive(Debug, Clone, Serialize, TS)]
pub struct DoctorResponse {
    /// Whether nothing is broken. Warnings do not count.
    pub healthy: bool,
    /// Each check.
    pub checks: Vec<DoctorCheck>,
}

/// One check.
#[derive(Debug, Clone, Serialize, TS)]
pub struct DoctorCheck {
    /// What was looked at: `pages`, `audit`, `change_log`, `search_index`, `disk`, `backup`, `calendar` …
    pub check: String,
    /// `ok`, `warning`, `broken`.
    pub state: String,
    /// Numbers that belong to it.
    #[ts(type = "Record<string, string | number>")]
    pub params: serde_json::Value,
}

/// A job that has been started; `settings_job` tells how far it is.
#[derive(Debug, Clone, Serialize, TS)]
pub struct JobStarted {
    /// The job.
    pub id: Uuid,
}

/// Asks which years' holidays are known.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "SettingsCalendarRequest")]
pub struct CalendarRequest {}

/// Which years' holidays are known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(rename = "SettingsCalendar")]
pub struct CalendarResponse {
    /// Earliest first. Beyond the last, only weekends count as days off.
    pub years: Vec<CalendarYear>,
}

/// One year's notice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(rename = "SettingsCalendarYear")]
pub struct CalendarYear {
    /// The year.
    pub year: i32,
    /// Imported here; otherwise it came with the program.
    pub imported: bool,
    /// The days its notice names.
    pub days: Vec<CalendarDay>,
}

/// A day that a notice names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(rename = "SettingsCalendarDay")]
pub struct CalendarDay {
    /// The day, `YYYY-MM-DD`.
    pub on: String,
    /// The holiday it belongs to, in Chinese.
    pub name: String,
    /// A day off, or a weekend day worked instead.
    pub off: bool,
}

/// Takes a year's holidays from a file of the holiday-cn project.
#[derive(Deserialize, TS)]
#[ts(rename = "SettingsCalendarImportRequest")]
pub struct CalendarImportRequest {
    /// The JSON file.
    pub path: String,
}
