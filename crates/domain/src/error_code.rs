//! The one list of error codes. Every code has a message in
//! `assets/locales/{zh-CN,en}/errors.json` that says what to do next.

use serde::Serialize;
use ts_rs::TS;

macro_rules! error_codes {
    ($($(#[doc = $doc:literal])+ $name:ident => $text:literal,)+) => {
        /// What went wrong, as a stable word that crosses every boundary.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, TS)]
        pub enum ErrorCode {
            $($(#[doc = $doc])+ #[serde(rename = $text)] $name,)+
        }

        impl ErrorCode {
            /// Every code, for the test that each has a message in each language.
            pub const ALL: &'static [ErrorCode] = &[$(ErrorCode::$name,)+];

            /// The word that stands for this code on the wire and in locale files.
            pub fn as_str(self) -> &'static str {
                match self { $(ErrorCode::$name => $text,)+ }
            }
        }
    };
}

error_codes! {
    // General
    /// A defect of the program; the trace leads to the log line.
    Internal => "internal",
    /// The request is not of the command's shape.
    BadRequest => "bad_request",
    /// One or more fields were refused; see the field errors.
    Invalid => "invalid",
    /// The thing asked for is not here (or was removed).
    NotFound => "not_found",
    /// The user's roles do not allow this.
    Forbidden => "forbidden",
    /// Somebody changed it meanwhile; look again.
    Conflict => "conflict",
    /// The user stopped it.
    Cancelled => "cancelled",
    /// The command is not known to this version.
    UnknownCommand => "unknown_command",
    /// Not a phone address (`tel:`, `sip:`, `callto:`).
    DialAddress => "dial_address",
    /// No program on this PC takes phone addresses.
    DialNoProgram => "dial_no_program",

    // Field errors
    /// A value is needed here.
    Required => "required",
    /// Longer than allowed (`max`).
    TooLong => "too_long",
    /// Shorter than allowed (`min`).
    TooShort => "too_short",
    /// Not one of the allowed values.
    NotAllowed => "not_allowed",
    /// Taken by another record.
    Taken => "taken",
    /// Not a valid date or time.
    BadDate => "bad_date",
    /// Not before the event itself: what it tells of came later.
    AfterReceipt => "after_receipt",
    /// Later than now.
    InFuture => "in_future",
    /// A date before the visit it is about.
    BeforeVisit => "before_visit",
    /// Nobody in these days can be asked.
    NobodyDrawn => "nobody_drawn",
    /// Earlier than today.
    InPast => "in_past",
    /// Not a number, or out of range.
    BadNumber => "bad_number",
    /// Not a valid phone number.
    BadPhone => "bad_phone",
    /// Not a valid ID number.
    BadIdNumber => "bad_id_number",

    // What a cell says
    /// An ID number of neither 15 nor 18 characters.
    IdLength => "id_length",
    /// An ID number with other signs than digits and a final X.
    IdCharacters => "id_characters",
    /// A spreadsheet has rounded the ID number.
    IdPrecisionLost => "id_precision_lost",
    /// An ID number of no province.
    IdArea => "id_area",
    /// The birth date in an ID number is no date.
    IdBirthDate => "id_birth_date",
    /// The birth date in an ID number lies in the future.
    IdBornInFuture => "id_born_in_future",
    /// A digit of an ID number is wrong.
    IdCheckDigit => "id_check_digit",
    /// The same digit over and over.
    IdPlaceholder => "id_placeholder",
    /// A spreadsheet has rounded the phone number.
    PhonePrecisionLost => "phone_precision_lost",
    /// A phone number with digits missing.
    PhoneTooShort => "phone_too_short",
    /// A phone number with too many digits.
    PhoneTooLong => "phone_too_long",
    /// Signs within a phone number.
    PhoneCharacters => "phone_characters",
    /// A local number without area code.
    PhoneNeedsAreaCode => "phone_needs_area_code",
    /// No phone number begins like this.
    PhoneNotAssigned => "phone_not_assigned",
    /// The same digit over and over.
    PhonePlaceholder => "phone_placeholder",
    /// No form of date that is known.
    DateUnreadable => "date_unreadable",
    /// Year and month only.
    DateIncomplete => "date_incomplete",
    /// 30 February, 25 o'clock.
    DateNoSuchDate => "date_no_such_date",
    /// Day and month can be exchanged.
    DateDayMonthAmbiguous => "date_day_month_ambiguous",
    /// A year of two digits that can mean two.
    DateTwoDigitYear => "date_two_digit_year",
    /// A date that systems write when they have none.
    DatePlaceholder => "date_placeholder",
    /// Far from any patient's life.
    DateOutOfRange => "date_out_of_range",
    /// Longer than any name.
    NameTooLong => "name_too_long",
    /// Digits or signs only.
    NameNoLetters => "name_no_letters",
    /// Not a calendar file.
    CalendarUnreadable => "calendar_unreadable",
    /// A calendar file without days off.
    CalendarEmpty => "calendar_empty",
    /// A calendar file with days of another year.
    CalendarOtherYear => "calendar_other_year",
    /// A day that is both off and worked.
    CalendarContradiction => "calendar_contradiction",
    /// Too early, too late, or the midday rest.
    OutsideCallingHours => "outside_calling_hours",
    /// A day on which nobody is called.
    CallingHoliday => "calling_holiday",
    /// The settings leave no hour for calling.
    NoCallingHours => "no_calling_hours",

    // Store
    /// The disk is full; nothing was saved.
    DiskFull => "disk_full",
    /// Another program holds the database too long.
    DatabaseBusy => "database_busy",
    /// The database file is damaged.
    DatabaseDamaged => "database_damaged",
    /// The database was made by a newer version of the program.
    DatabaseNewer => "database_newer",
    /// A file could not be read.
    FileUnreadable => "file_unreadable",
    /// A file could not be written.
    FileUnwritable => "file_unwritable",
    /// There is no such file.
    FileMissing => "file_missing",

    // Files of tables, and importing them
    /// Another program holds the file open.
    FileLocked => "file_locked",
    /// A folder, a device or a pipe.
    FileNotRegular => "file_not_regular",
    /// No bytes at all.
    FileEmpty => "file_empty",
    /// More bytes than are accepted (`bytes`, `limit`).
    FileTooLarge => "file_too_large",
    /// A format that is not read (`found`).
    FormatUnsupported => "format_unsupported",
    /// Protected by a password.
    FileEncrypted => "file_encrypted",
    /// Ends before it should (`row`).
    FileTruncated => "file_truncated",
    /// Contradicts itself (`part`, `row`).
    FileDamaged => "file_damaged",
    /// Unpacks to more than is accepted (`limit`).
    UnpacksTooLarge => "unpacks_too_large",
    /// One cell is too long (`row`, `limit`).
    CellTooLong => "cell_too_long",
    /// More rows than are accepted (`limit`).
    TooManyRows => "too_many_rows",
    /// A row with too many columns (`row`, `limit`).
    TooManyColumns => "too_many_columns",
    /// A quotation mark that is not closed (`row`, `line`).
    QuoteUnclosed => "quote_unclosed",
    /// Text in no known encoding.
    EncodingUnknown => "encoding_unknown",
    /// The workbook has no such sheet.
    SheetMissing => "sheet_missing",
    /// No row of headings among the first rows.
    NoHeadings => "no_headings",
    /// No column for the name, or none that tells who it is.
    ColumnsMissing => "columns_missing",
    /// The batch was already taken back.
    BatchUndone => "batch_undone",
    /// The batch was imported at another desk, which knows its rows.
    BatchElsewhere => "batch_elsewhere",

    // Session
    /// No hospital has been set up in this folder.
    NotSetUp => "not_set_up",
    /// A hospital is already set up in this folder.
    AlreadySetUp => "already_set_up",
    /// Log in first.
    SignedOut => "signed_out",
    /// Name or password is wrong (`left` tries).
    WrongPassword => "wrong_password",
    /// Too many failures; wait until `until`.
    LockedOut => "locked_out",
    /// The recovery code does not open this database.
    WrongRecoveryCode => "wrong_recovery_code",
    /// The password does not meet the hospital's policy.
    WeakPassword => "weak_password",
    /// The new password is the one until now.
    SamePassword => "same_password",
    /// The password has to be changed before anything else.
    PasswordDue => "password_due",
    /// The key file is damaged or missing.
    KeysDamaged => "keys_damaged",
    /// The last active administrator cannot be removed or demoted.
    LastAdministrator => "last_administrator",

    // Audit and backup
    /// The audit chain breaks at `seq`.
    AuditBroken => "audit_broken",
    /// The change log's chain breaks at `dseq`.
    ChangeLogBroken => "change_log_broken",
    /// The file is not a backup of this program.
    NotABackup => "not_a_backup",
    /// The backup is cut short or altered.
    BackupDamaged => "backup_damaged",

    // Plans and forms
    /// A plan's field is wrong; `problem` says how (see `forms.json`).
    PlanProblem => "plan_problem",
    /// The file is not JSON (`what`: line and column).
    FhirNotJson => "fhir_not_json",
    /// The file is no FHIR resource of this kind (`what`).
    FhirNotQuestionnaire => "fhir_not_questionnaire",
    /// The file is larger than `what` MB.
    FhirTooLarge => "fhir_too_large",
    /// Items lie in items deeper than `what`, at `link_id`.
    FhirTooDeep => "fhir_too_deep",
    /// More than `what` items; `link_id` is the first beyond.
    FhirTooMany => "fhir_too_many",
    /// The questionnaire asks nothing.
    FhirEmpty => "fhir_empty",
    /// The item at `link_id` has no linkId.
    FhirLinkIdMissing => "fhir_link_id_missing",
    /// Two items have the linkId `link_id`.
    FhirLinkIdDuplicate => "fhir_link_id_duplicate",
    /// The item `link_id` is of the unknown type `what`.
    FhirTypeUnknown => "fhir_type_unknown",
    /// The condition of `link_id` asks for `what`, which is not there.
    FhirReferenceDangling => "fhir_reference_dangling",
    /// Whether `link_id` is asked depends on itself.
    FhirConditionLoop => "fhir_condition_loop",
    /// The field `what` of `link_id` is not of FHIR's shape.
    FhirStructure => "fhir_structure",
    /// Read as a form, `link_id` has a mistake (`what`: a code of a form's problem).
    FhirProblem => "fhir_problem",
    /// The file's code belongs to a plan and the file is a questionnaire, or the other way round (`code`).
    FhirKindDiffers => "fhir_kind_differs",
    /// The response does not fit its questionnaire; the answer lists where.
    FhirResponseInvalid => "fhir_response_invalid",
    // Exports
    /// More rows than one export may have (`max`).
    ExportTooLarge => "export_too_large",
    /// What was written is not what was counted; no file was kept.
    ExportMismatch => "export_mismatch",
    /// The month is not over yet.
    MonthNotOver => "month_not_over",
    /// The month is frozen already; freezing it again needs a reason.
    MonthFrozen => "month_frozen",
    /// A frozen month does not give its own figures.
    FreezeDamaged => "freeze_damaged",
    /// The template is no .xlsx workbook.
    TemplateNotWorkbook => "template_not_workbook",
    /// A part of the template (`part`) is broken.
    TemplateDamaged => "template_damaged",
    /// The template has a password, or is an old .xls.
    TemplateEncrypted => "template_encrypted",
    /// The template has macros.
    TemplateMacros => "template_macros",
    /// The template, or what it unpacks to, is larger than accepted (`max` MB).
    TemplateTooLarge => "template_too_large",
    /// The template has no placeholder.
    TemplateEmpty => "template_empty",
    /// Nothing is known for the placeholder `name` in `sheet`, `cell`.
    TemplateUnknown => "template_unknown",
    /// The placeholder `name` in `sheet`, `cell` stands already in `first`.
    TemplateDoubled => "template_doubled",
    /// The block `name` that is opened in `sheet`, `cell` is not closed.
    TemplateNotClosed => "template_not_closed",
    /// The block `name` that is closed in `sheet`, `cell` was not opened.
    TemplateNotOpened => "template_not_opened",
    /// The block `name` in `sheet`, `cell` lies within `within`.
    TemplateNested => "template_nested",
    /// The block `name` in `sheet`, `cell` has no field.
    TemplateEmptyBlock => "template_empty_block",
    /// The placeholder in `sheet`, `cell` cannot be read, or stands in a formula.
    TemplateBroken => "template_broken",
    /// `sheet` would have more rows than a sheet has.
    TemplateTooManyRows => "template_too_many_rows",

    // Follow-up tasks
    /// The task is not in a state in which this can be done.
    TaskState => "task_state",
    /// Somebody else has claimed the task.
    TaskClaimed => "task_claimed",
    /// An answer does not fit its question (`problem`).
    BadAnswer => "bad_answer",
    /// The guard forbids the call (`reasons`).
    CallBlocked => "call_blocked",
    /// The guard asks for a reason (`reasons`).
    CallNeedsReason => "call_needs_reason",
    /// The call cannot be taken back any more.
    CallNotUndoable => "call_not_undoable",
    /// The patient has died, has refused or has withdrawn consent.
    PatientNotContactable => "patient_not_contactable",
    /// A call that brings an expert's answer is closed by making it.
    AnswerNotTold => "answer_not_told",
    /// The alert is not in a state in which this can be done (`status`).
    AlertState => "alert_state",
    /// A red flag is closed only after it was passed on.
    RedFlagUnrouted => "red_flag_unrouted",
    /// The question is not in a state in which this can be done (`status`).
    ConsultState => "consult_state",

    // Attachments
    /// The file is larger than the hospital allows (`max_mib`).
    AttachmentTooLarge => "attachment_too_large",
    /// The file changed while it was being read.
    AttachmentChanged => "attachment_changed",
    /// The bytes are neither on this desk nor at the server yet.
    AttachmentAway => "attachment_away",
    // Complaints
    /// The complaint is not in a state in which this can be done (`status`).
    ComplaintState => "complaint_state",
    /// Praise and suggestions are not handled like complaints.
    ComplaintKind => "complaint_kind",
    /// Somebody else has to do this.
    ComplaintWho => "complaint_who",
    /// The person is complained about in it.
    ComplaintAccused => "complaint_accused",
    /// Nobody approves their own work.
    ComplaintOwnWork => "complaint_own_work",
    /// The one who shall investigate is complained about.
    ComplaintInvestigatorAccused => "complaint_investigator_accused",
    /// The clock is paused.
    ComplaintPaused => "complaint_paused",
    /// The clock is not paused.
    ComplaintNotPaused => "complaint_not_paused",
    /// The deadline has passed.
    ComplaintPastDeadline => "complaint_past_deadline",
    /// The new deadline is not later than the old one.
    ComplaintNotLater => "complaint_not_later",
    /// An extension was asked for already.
    ComplaintExtensionAsked => "complaint_extension_asked",
    /// No extension was asked for.
    ComplaintNoExtension => "complaint_no_extension",
    /// A complaint is reopened once.
    ComplaintReopenedOnce => "complaint_reopened_once",
    // Updates
    /// A new version is signed by nobody whom this program knows.
    UpdateSignature => "update_signature",
    /// What was fetched of a new version is not what was signed (`version`).
    UpdateDamaged => "update_damaged",
    /// The installer was started, and this is still the old version.
    UpdateNotInstalled => "update_not_installed",
    /// The new version (`version`) could not open the data; they are as before, for the old one (`kept`).
    UpdateWentBack => "update_went_back",

    // Sync
    /// This desk has no server.
    SyncNotEnrolled => "sync_not_enrolled",
    /// This desk has a server already.
    SyncEnrolled => "sync_enrolled",
    /// The server does not answer.
    SyncUnreachable => "sync_unreachable",
    /// Not the server for which the code was made, or whose authority was pinned.
    SyncWrongServer => "sync_wrong_server",
    /// The code was mistyped.
    SyncBadCode => "sync_bad_code",
    /// The code is used, over, or unknown.
    SyncCodeWrong => "sync_code_wrong",
    /// The code does not allow to bring what is here.
    SyncCodeWithoutHistory => "sync_code_without_history",
    /// The PC's clock is off.
    SyncClock => "sync_clock",
    /// The server shut this desk out.
    SyncRevoked => "sync_revoked",
    /// The desk is to be erased.
    SyncWipe => "sync_wipe",
    /// The hospital is shut off at this server.
    SyncClosed => "sync_closed",
    /// The server has no more room for this hospital.
    SyncQuota => "sync_quota",
    /// The server is busy.
    SyncServerBusy => "sync_server_busy",
    /// The server answered something that cannot be read.
    SyncServerFault => "sync_server_fault",
    /// Program or server is too old.
    SyncUpgrade => "sync_upgrade",
    /// This database is a copy of another desk's, or an old state of it.
    SyncForked => "sync_forked",
    /// One change is larger than a message may be.
    SyncTooLarge => "sync_too_large",
    /// The data differ from the server's even after they were pulled again.
    SyncDiffers => "sync_differs",
    /// The conflict was settled by somebody else.
    SyncSettled => "sync_settled",
    /// The second person must be another one than the first.
    SyncSamePerson => "sync_same_person",
    /// The person's password at the server is too new for this.
    SyncPasswordNew => "sync_password_new",
    /// Name or password is wrong at the server, or it does not know the person yet.
    SyncLogin => "sync_login",
    /// The code names no site, and a new PC has none.
    SyncCodeWithoutSites => "sync_code_without_sites",
    /// The file from the USB stick is none of ours, cut short or altered.
    StickDamaged => "stick_damaged",
    /// The file is one for the server, or one for the desk, and not the other way round.
    StickWrongWay => "stick_wrong_way",
    /// The file comes from another hospital.
    StickOtherHospital => "stick_other_hospital",
    /// The file is for another desk.
    StickOtherDesk => "stick_other_desk",
    /// The file answers a later one than this desk has heard of: something between the two is missing.
    StickGap => "stick_gap",
    /// The first sync must be finished on a network before sticks can go to and fro.
    StickTooEarly => "stick_too_early",
}
