//! THE list of commands: name, permission, function, request, response. One line each.
//!
//! The dispatcher, the permission check and the window's typed map all come from this list.

use std::path::Path;
use std::sync::Arc;

use aftercare_domain::access::Permission;
use aftercare_domain::error_code::ErrorCode;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use ts_rs::{Config, TS};

use crate::app::App;
use crate::error::{Error, Result, WireError};

/// What a command is called and needs.
#[derive(Debug, Clone, Copy)]
pub struct CommandInfo {
    /// `feature_verb`.
    pub name: &'static str,
    /// The permission it needs; `None` for the few that work before login.
    pub permission: Option<Permission>,
}

macro_rules! commands {
    (
        before_login { $($open:ident: $open_path:path, $open_request:ty => $open_response:ty;)* }
        signed_in { $($name:ident: $permission:ident, $path:path, $request:ty => $response:ty;)* }
    ) => {
        /// Every command.
        pub static COMMANDS: &[CommandInfo] = &[
            $(CommandInfo { name: stringify!($open), permission: None },)*
            $(CommandInfo { name: stringify!($name), permission: Some(Permission::$permission) },)*
        ];

        pub(crate) fn dispatch(app: &Arc<App>, command: &str, request: Value) -> Result<Value> {
            match command {
                $(stringify!($open) => {
                    let request: $open_request = read(request)?;
                    let response: $open_response = $open_path(app, request)?;
                    write(response)
                })*
                $(stringify!($name) => {
                    let ctx = app.signed_in(stringify!($name), Permission::$permission)?;
                    let request: $request = read(request)?;
                    let response: $response = $path(&ctx, request)?;
                    write(response)
                })*
                _ => Err(Error::new(ErrorCode::UnknownCommand).with("command", command.chars().take(60).collect::<String>())),
            }
        }

        fn signatures(config: &Config) -> Vec<(&'static str, String, String)> {
            vec![
                $((stringify!($open), <$open_request as TS>::name(config), <$open_response as TS>::name(config)),)*
                $((stringify!($name), <$request as TS>::name(config), <$response as TS>::name(config)),)*
            ]
        }

        fn export_types(config: &Config) -> Result<(), ts_rs::ExportError> {
            $(<$open_request as TS>::export_all(config)?; <$open_response as TS>::export_all(config)?;)*
            $(<$request as TS>::export_all(config)?; <$response as TS>::export_all(config)?;)*
            <WireError as TS>::export_all(config)?;
            <Permission as TS>::export_all(config)?;
            Ok(())
        }
    };
}

use crate::app::jobs::JobStatus;
use crate::{
    archive, attachments, audit, complaints, followup, forms, imports, reports, session, settings, staff,
    surveys, sync, updates,
};

/// An empty answer.
#[derive(Debug, Clone, Copy, Serialize, TS)]
pub struct Done {}

commands! {
    before_login {
        session_status: session::commands::status, session::StatusRequest => session::SessionStatus;
        session_setup: session::commands::setup, session::SetupRequest => session::SetupResponse;
        session_login: session::commands::login, session::LoginRequest => session::SessionStatus;
        session_recover: session::commands::recover, session::RecoverRequest => session::SessionStatus;
        settings_restore: settings::commands::restore, settings::RestoreRequest => settings::RestoreResponse;
        sync_find: sync::join::find, sync::FindRequest => sync::FindResponse;
        sync_join: sync::join::join, sync::JoinRequest => sync::JoinResponse;
        sync_login: sync::join::online_login, sync::OnlineLoginRequest => session::SessionStatus;
        session_lock: session::commands::lock, session::StatusRequest => Done;
    }
    signed_in {
        session_touch: SignedIn, session::commands::touch, session::StatusRequest => Done;
        session_change_password: SignedIn, session::commands::change_password, session::ChangePasswordRequest => Done;
        session_new_recovery_code: Backup, session::commands::new_recovery_code, session::ConfirmRequest => session::SetupResponse;
        settings_draft_save: SignedIn, settings::commands::draft_save, settings::DraftSaveRequest => Done;
        settings_draft_load: SignedIn, settings::commands::draft_load, settings::DraftKeyRequest => settings::DraftResponse;
        settings_draft_clear: SignedIn, settings::commands::draft_clear, settings::DraftKeyRequest => Done;
        settings_get: SignedIn, settings::commands::get, settings::GetRequest => settings::Settings;
        settings_save: SettingsEdit, settings::commands::save, settings::Settings => settings::Settings;
        settings_job: SignedIn, settings::commands::job, settings::JobRequest => JobStatus;
        settings_job_cancel: SignedIn, settings::commands::job_cancel, settings::JobRequest => Done;
        settings_backup: Backup, settings::commands::backup, settings::BackupRequest => settings::BackupResponse;
        settings_backup_start: Backup, settings::commands::backup_start, settings::BackupRequest => settings::JobStarted;
        settings_doctor: Backup, settings::commands::doctor, settings::DoctorRequest => settings::DoctorResponse;
        settings_calendar: SignedIn, settings::commands::calendar_years, settings::CalendarRequest => settings::CalendarResponse;
        settings_calendar_import: SettingsEdit, settings::commands::calendar_import, settings::CalendarImportRequest => settings::CalendarResponse;
        forms_plans: FormsRead, forms::commands::plans, forms::PlansRequest => forms::PlansResponse;
        forms_plan: FormsRead, forms::commands::plan, forms::PlanRequest => forms::PlanResponse;
        forms_form: FormsRead, forms::commands::form, forms::FormRequest => forms::FormResponse;
        forms_plan_save: FormsEdit, forms::commands::plan_save, forms::PlanSaveRequest => forms::PlanResponse;
        forms_plan_enable: FormsEdit, forms::commands::plan_enable, forms::PlanEnableRequest => Done;
        forms_plan_disable: FormsEdit, forms::commands::plan_disable, forms::PlanDisableRequest => Done;
        forms_questionnaire: FormsRead, forms::questionnaires::questionnaire, forms::PlanRequest => forms::QuestionnaireResponse;
        forms_questionnaire_save: FormsEdit, forms::questionnaires::save, forms::QuestionnaireSaveRequest => forms::QuestionnaireResponse;
        forms_bank: FormsRead, forms::questionnaires::bank, forms::BankRequest => forms::BankResponse;
        forms_compare: FormsRead, forms::commands::compare, forms::CompareRequest => forms::CompareResponse;
        forms_export: FormsRead, forms::exchange::export, forms::ExportRequest => forms::ExportResponse;
        forms_import: FormsEdit, forms::exchange::import, forms::ImportRequest => forms::ImportResponse;
        forms_answers_write: FormsEdit, forms::exchange::write_answers, forms::AnswersWriteRequest => Done;
        forms_answers_read: FormsEdit, forms::exchange::read_answers, forms::AnswersReadRequest => forms::AnswersReadResponse;
        forms_try: FormsEdit, forms::commands::try_out, forms::TryRequest => forms::TryResponse;
        sync_status: SignedIn, sync::commands::status, sync::StatusRequest => sync::Status;
        sync_now: SignedIn, sync::commands::now, sync::NowRequest => settings::JobStarted;
        sync_stick_write: SignedIn, sync::commands::stick_write, sync::StickRequest => settings::JobStarted;
        sync_stick_read: SignedIn, sync::commands::stick_read, sync::StickRequest => settings::JobStarted;
        sync_stop: SignedIn, sync::commands::stop, sync::NowRequest => Done;
        sync_clinics: FollowupManage, sync::clinics::clinics, sync::clinics::ClinicsRequest => sync::clinics::Clinics;
        sync_enrol: SettingsEdit, sync::commands::join, sync::EnrolRequest => sync::EnrolResponse;
        sync_history: SignedIn, sync::commands::history, sync::HistoryRequest => sync::HistoryResponse;
        sync_refused: SignedIn, sync::commands::refused, sync::RefusedRequest => sync::RefusedResponse;
        sync_refused_seen: SignedIn, sync::commands::seen, sync::SeenRequest => Done;
        sync_conflicts: ArchiveRead, sync::commands::list_conflicts, sync::ConflictsRequest => sync::ConflictsResponse;
        sync_conflict_reveal: ArchiveReveal, sync::commands::reveal_conflict, sync::ConflictRevealRequest => sync::RevealedConflict;
        sync_erase: ArchiveMerge, sync::commands::erase, sync::EraseRequest => sync::EraseResponse;
        sync_settle: ArchiveWrite, sync::commands::settle, sync::SettleRequest => Done;
        updates_status: SignedIn, updates::commands::status, updates::StatusRequest => updates::Status;
        updates_look: SignedIn, updates::commands::look, updates::LookRequest => settings::JobStarted;
        staff_list: SignedIn, staff::commands::list, staff::ListRequest => staff::ListResponse;
        staff_save: StaffEdit, staff::commands::save, staff::SaveRequest => staff::StaffMember;
        staff_reset_password: StaffEdit, staff::commands::reset_password, staff::ResetPasswordRequest => Done;
        reports_figures: ReportRead, reports::commands::figures, reports::FiguresRequest => reports::FiguresResponse;
        reports_rows: ReportRead, reports::commands::rows, reports::RowsRequest => reports::RowsResponse;
        reports_departments: ReportRead, reports::commands::departments, reports::DepartmentsRequest => reports::DepartmentsResponse;
        reports_rows_export: ReportExport, reports::commands::rows_export, reports::RowsExportRequest => reports::ExportResponse;
        reports_rows_export_start: ReportExport, reports::commands::rows_export_start, reports::RowsExportRequest => settings::JobStarted;
        reports_export: ReportExport, reports::commands::export, reports::ExportRequest => reports::ExportResponse;
        reports_export_start: ReportExport, reports::commands::export_start, reports::ExportRequest => settings::JobStarted;
        reports_month: ReportRead, reports::month::commands::overview, reports::month::MonthRequest => reports::month::MonthOverview;
        reports_month_restatement: ReportRead, reports::month::commands::restatement, reports::month::MonthRequest => reports::month::RestatementResponse;
        reports_month_freeze: FollowupManage, reports::month::commands::freeze, reports::month::FreezeRequest => reports::month::FreezeItem;
        reports_month_export: ReportExport, reports::month::commands::export, reports::month::MonthExportRequest => reports::month::MonthExportResponse;
        reports_month_export_start: ReportExport, reports::month::commands::export_start, reports::month::MonthExportRequest => settings::JobStarted;
        reports_month_placeholders: ReportRead, reports::month::commands::placeholders, reports::month::PlaceholdersRequest => reports::month::PlaceholdersResponse;
        reports_month_example: ReportExport, reports::month::commands::example, reports::month::ExampleRequest => Done;
        reports_definition_save: ReportExport, reports::month::commands::definition_save, reports::month::ReportDefinition => reports::month::ReportDefinition;
        reports_definition_remove: ReportExport, reports::month::commands::definition_remove, reports::month::DefinitionRemoveRequest => Done;
        archive_find: ArchiveRead, archive::commands::find, archive::FindRequest => archive::FindResponse;
        archive_patient: ArchiveRead, archive::commands::patient, archive::PatientRequest => archive::Record;
        archive_sheet: ArchiveRead, archive::sheet::sheet, archive::sheet::SheetRequest => archive::sheet::Sheet;
        archive_encounters: ArchiveRead, archive::commands::encounters, archive::EncountersRequest => archive::EncountersResponse;
        archive_reveal: ArchiveReveal, archive::commands::reveal, archive::RevealRequest => archive::RevealResponse;
        archive_save: ArchiveWrite, archive::commands::save, archive::SaveRequest => archive::Record;
        archive_create: ArchiveWrite, archive::commands::create, archive::CreateRequest => archive::CreateResponse;
        archive_phone_save: ArchiveWrite, archive::commands::phone_save, archive::PhoneSaveRequest => archive::Record;
        archive_phone_order: ArchiveWrite, archive::commands::phone_order, archive::PhoneOrderRequest => archive::Record;
        archive_phone_remove: ArchiveWrite, archive::commands::phone_remove, archive::PhoneRemoveRequest => archive::Record;
        archive_consent: ArchiveWrite, archive::commands::consent, archive::ConsentRequest => archive::Record;
        followup_worklist: FollowupWork, followup::worklist::commands::worklist, followup::worklist::WorklistRequest => followup::worklist::Worklist;
        followup_counts: FollowupWork, followup::worklist::commands::worklist_counts, followup::worklist::commands::WorklistCountsRequest => followup::WorklistCounts;
        followup_open: FollowupWork, followup::call::commands::open, followup::call::OpenRequest => followup::call::OpenedPatient;
        followup_evaluate: FollowupWork, followup::call::commands::evaluate, followup::call::EvaluateRequest => followup::call::FormState;
        followup_guard: FollowupWork, followup::dial::check, followup::dial::GuardRequest => aftercare_domain::followup::Verdict;
        followup_dial: FollowupWork, followup::dial::dial, followup::dial::DialRequest => followup::dial::Dialled;
        followup_save_call: FollowupWork, followup::call::commands::save_call, followup::call::SaveCallRequest => followup::call::SavedCall;
        followup_undo_call: FollowupWork, followup::call::commands::undo_call, followup::call::UndoCallRequest => Done;
        followup_reasons: FollowupWork, followup::call::commands::reasons, followup::call::commands::ReasonsRequest => followup::call::ReasonsResponse;
        followup_people: FollowupWork, followup::people, followup::PeopleRequest => followup::PeopleResponse;
        followup_patient_plans: ArchiveRead, followup::patient_plans::patient_plans, followup::call::PatientRequest => followup::patient_plans::PatientPlans;
        followup_claim: FollowupWork, followup::manage::claim, followup::call::PatientRequest => Done;
        followup_take_along: FollowupWork, followup::manage::take_along, followup::manage::TakeAlongRequest => followup::manage::TakeAlongResponse;
        followup_along: FollowupWork, followup::along::along, followup::along::AlongRequest => followup::along::Along;
        followup_give_back: FollowupWork, followup::along::give_back, followup::along::AlongRequest => followup::along::Along;
        followup_release: FollowupWork, followup::manage::release, followup::call::PatientRequest => Done;
        followup_add_task: FollowupWork, followup::manage::add_task, followup::manage::AddTaskRequest => followup::manage::TaskResponse;
        followup_assign: FollowupManage, followup::manage::assign, followup::manage::AssignRequest => Done;
        followup_close_task: FollowupManage, followup::manage::close_task, followup::manage::CloseTaskRequest => followup::manage::TaskResponse;
        followup_reopen_task: FollowupManage, followup::manage::reopen_task, followup::manage::ReopenTaskRequest => followup::manage::TaskResponse;
        followup_alerts: FollowupWork, followup::alert::commands::alerts, followup::alert::AlertsRequest => followup::alert::AlertsResponse;
        followup_alert: FollowupWork, followup::alert::commands::alert, followup::alert::AlertRequest => followup::alert::AlertDetail;
        followup_alert_route: FollowupWork, followup::alert::commands::route, followup::alert::AlertRouteRequest => followup::consult::ConsultItem;
        followup_alert_note: FollowupWork, followup::alert::commands::note, followup::alert::AlertNoteRequest => followup::alert::AlertDetail;
        followup_alert_close: FollowupWork, followup::alert::commands::close, followup::alert::AlertCloseRequest => followup::alert::AlertDetail;
        followup_ask: FollowupWork, followup::consult::commands::ask, followup::consult::AskRequest => followup::consult::ConsultItem;
        followup_consult_withdraw: FollowupWork, followup::consult::commands::withdraw, followup::consult::ConsultRequest => Done;
        followup_inbox: FollowupRead, followup::consult::commands::inbox, followup::consult::InboxRequest => followup::consult::InboxResponse;
        followup_consult: FollowupRead, followup::consult::commands::consult, followup::consult::ConsultRequest => followup::consult::ConsultDetail;
        followup_reply: ExpertReply, followup::consult::commands::reply, followup::consult::ReplyRequest => followup::consult::ReplyResponse;
        followup_slip: FollowupRead, followup::slip::slip, followup::slip::SlipRequest => followup::slip::Slip;
        followup_slip_printed: FollowupRead, followup::slip::printed, followup::slip::SlipRequest => Done;
        attachments_list: ArchiveRead, attachments::commands::list, attachments::ListRequest => attachments::ListResponse;
        attachments_add: ArchiveWrite, attachments::commands::add, attachments::AddRequest => attachments::Attachment;
        attachments_export: ArchiveReveal, attachments::commands::export, attachments::ExportRequest => settings::JobStarted;
        attachments_remove: ArchiveWrite, attachments::commands::remove, attachments::RemoveRequest => Done;
        archive_note: ArchiveWrite, archive::commands::note, archive::NoteRequest => archive::Record;
        archive_customer: ArchiveWrite, archive::commands::customer, archive::CustomerRequest => archive::Record;
        archive_death: ArchiveWrite, archive::commands::death, archive::DeathRequest => archive::Record;
        archive_death_undo: ArchiveMerge, archive::commands::death_undo, archive::DeathUndoRequest => archive::Record;
        archive_optout: ArchiveWrite, archive::commands::optout, archive::OptoutRequest => archive::Record;
        archive_timeline: ArchiveRead, archive::commands::timeline, archive::TimelineRequest => archive::TimelineResponse;
        archive_duplicates: ArchiveRead, archive::commands::duplicates, archive::DuplicatesRequest => archive::DuplicatesResponse;
        archive_merge: ArchiveMerge, archive::commands::merge, archive::MergeRequest => archive::MergeResponse;
        archive_unmerge: ArchiveMerge, archive::commands::unmerge, archive::UnmergeRequest => Done;
        archive_not_same: ArchiveMerge, archive::commands::not_same, archive::NotSameRequest => Done;
        complaints_content: ComplaintRead, complaints::commands::tables, complaints::ContentRequest => complaints::ContentResponse;
        complaints_people: ComplaintRead, complaints::commands::people, complaints::PeopleRequest => complaints::PeopleResponse;
        complaints_prefill: ComplaintWork, complaints::commands::prefill, complaints::PrefillRequest => complaints::PrefillResponse;
        complaints_register: ComplaintWork, complaints::commands::register, complaints::RegisterRequest => complaints::RegisterResponse;
        complaints_list: ComplaintRead, complaints::commands::list, complaints::ListRequest => complaints::ListResponse;
        complaints_board: ComplaintRead, complaints::commands::board, complaints::BoardRequest => complaints::Board;
        complaints_open: ComplaintRead, complaints::commands::open, complaints::OpenRequest => complaints::Detail;
        complaints_move: ComplaintRead, complaints::commands::make_move, complaints::MoveRequest => complaints::Detail;
        complaints_amend: ComplaintWork, complaints::commands::amend, complaints::AmendRequest => complaints::Detail;
        complaints_note: ComplaintRead, complaints::commands::note, complaints::NoteRequest => complaints::Detail;
        complaints_promise: ComplaintWork, complaints::commands::promise, complaints::PromiseRequest => complaints::Detail;
        complaints_promise_kept: ComplaintWork, complaints::commands::promise_kept, complaints::PromiseKeptRequest => complaints::Detail;
        complaints_reveal: ComplaintWork, complaints::commands::reveal, complaints::RevealRequest => complaints::RevealResponse;
        complaints_dossier: ComplaintRead, complaints::commands::dossier, complaints::OpenRequest => complaints::Dossier;
        complaints_dossier_printed: ComplaintRead, complaints::commands::dossier_printed, complaints::OpenRequest => Done;
        complaints_deadline: SignedIn, complaints::commands::deadline, complaints::DeadlineRequest => complaints::DeadlineResponse;
        complaints_figures: ReportRead, complaints::commands::figures, complaints::FiguresRequest => complaints::Figures;
        surveys_content: SurveyRead, surveys::commands::content, surveys::ContentRequest => surveys::ContentResponse;
        surveys_rounds: SurveyRead, surveys::commands::rounds, surveys::RoundsRequest => surveys::RoundsResponse;
        surveys_preview: SurveyManage, surveys::commands::preview, surveys::Frame => surveys::Preview;
        surveys_round_make: SurveyManage, surveys::commands::round_make, surveys::RoundMakeRequest => surveys::Round;
        surveys_round_close: SurveyManage, surveys::commands::round_close, surveys::RoundRequest => surveys::Round;
        surveys_queue: SurveyWork, surveys::commands::queue, surveys::QueueRequest => surveys::QueueResponse;
        surveys_call_save: SurveyWork, surveys::commands::call_save, surveys::CallSaveRequest => surveys::CallSaved;
        surveys_evaluate: SurveyWork, surveys::commands::evaluate, surveys::EvaluateRequest => surveys::EvaluateResponse;
        surveys_sheet_save: SurveyWork, surveys::commands::sheet_save, surveys::SheetSaveRequest => surveys::SheetSaved;
        surveys_sheet_correct: SurveyWork, surveys::commands::sheet_correct, surveys::SheetCorrectRequest => surveys::SheetSaved;
        surveys_sheet_open: SurveyRead, surveys::commands::sheet_open, surveys::SheetRequest => surveys::SheetDetail;
        surveys_rows: SurveyRead, surveys::commands::rows, surveys::RowsRequest => surveys::RowsResponse;
        surveys_results: SurveyRead, surveys::commands::results, surveys::ResultsRequest => surveys::ResultsResponse;
        surveys_loyalty: SurveyRead, surveys::commands::loyalty, surveys::LoyaltyRequest => surveys::Loyalty;
        surveys_export: ReportExport, surveys::commands::export, surveys::ExportRequest => surveys::ExportResponse;
        audit_verify: AuditVerify, audit::commands::verify, audit::VerifyRequest => audit::VerifyResponse;
        audit_list: AuditRead, audit::commands::list, audit::ListRequest => audit::ListResponse;
        imports_inspect: ImportRun, imports::commands::inspect, imports::InspectRequest => imports::InspectResponse;
        imports_start: ImportRun, imports::commands::start, imports::RunRequest => imports::JobStarted;
        imports_run: ImportRun, imports::commands::run, imports::RunRequest => imports::RunResult;
        imports_batches: ImportRun, imports::commands::batches, imports::BatchesRequest => imports::BatchesResponse;
        imports_batch: ImportRun, imports::commands::batch, imports::BatchRequest => imports::BatchResponse;
        imports_report: ImportRun, imports::commands::write_report, imports::ReportRequest => imports::ReportResponse;
        imports_undo: ImportUndo, imports::commands::start_undo, imports::UndoRequest => imports::JobStarted;
        imports_undo_run: ImportUndo, imports::commands::run_undo, imports::UndoRequest => imports::UndoResult;
        imports_profiles: ImportRun, imports::commands::profiles, imports::ProfilesRequest => imports::ProfilesResponse;
        imports_profile_save: ImportRun, imports::commands::profile_save, imports::ProfileSaveRequest => imports::ProfileInfo;
        imports_profile_delete: ImportRun, imports::commands::profile_delete, imports::ProfileDeleteRequest => Done;
    }
}

fn read<T: DeserializeOwned>(request: Value) -> Result<T> {
    // The text of the parser's error may quote a patient's value: only its kind is kept.
    serde_json::from_value(request).map_err(|error| {
        Error::new(ErrorCode::BadRequest).caused_by(format!("{:?} error in request", error.classify()))
    })
}

fn write<T: Serialize>(response: T) -> Result<Value> {
    Ok(serde_json::to_value(response)?)
}

/// Writes the window's types into `folder`: one file per type and `commands.ts`, the typed map.
pub fn write_bindings(folder: &Path) -> Result<()> {
    let config = Config::new().with_large_int("number").with_out_dir(folder);
    export_types(&config).map_err(Error::internal)?;
    std::fs::write(folder.join("commands.ts"), commands_ts(&config))?;
    Ok(())
}

fn commands_ts(config: &Config) -> String {
    let signatures = signatures(config);
    let mut names: Vec<&str> =
        signatures.iter().flat_map(|(_, request, response)| [request.as_str(), response.as_str()]).collect();
    names.sort_unstable();
    names.dedup();
    let mut text =
        String::from("// Generated from the command list in Rust by `cargo xtask types`. Do not edit.\n");
    for name in names {
        text.push_str(&format!("import type {{ {name} }} from './{name}';\n"));
    }
    text.push_str("\nexport interface Commands {\n");
    for (command, request, response) in &signatures {
        text.push_str(&format!("  {command}: {{ request: {request}; response: {response} }};\n"));
    }
    text.push_str("}\n");
    text
}
