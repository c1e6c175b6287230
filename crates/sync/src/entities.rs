//! Every synced entity: its table, how its changes merge, who may see and write it, and the fields
//! an op may name. Desk and server read the same list.
//!
//! A field's name in ops is its column's name. Names are never reused. `commanded` fields change
//! only by a judged command.

use std::sync::OnceLock;

use aftercare_domain::access::Permission;
use aftercare_domain::op::{ChangeKind, FieldValue};
use sha2::{Digest, Sha256};

/// Where a record hangs: it is seen by whoever sees what it hangs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parent {
    /// The whole hospital sees it.
    Hospital,
    /// It is a patient: the site named by this field sees it, and everything that hangs on it.
    Patient(&'static str),
    /// It hangs on the record that this field names.
    Of(&'static str, &'static str),
}

/// One synced entity.
#[derive(Debug)]
pub struct Entity {
    /// Table, and name in ops.
    pub table: &'static str,
    /// How changes merge.
    pub kind: ChangeKind,
    /// The feature whose pages show it.
    pub feature: &'static str,
    /// Where its records hang.
    pub parent: Parent,
    /// Its author needs one of these; empty: nobody but the server writes it.
    pub writers: &'static [Permission],
    /// Fields that `update` may set.
    pub fields: &'static [&'static str],
    /// Fields that only `command` may set.
    pub commanded: &'static [&'static str],
    /// Fields whose stricter value wins when two desks changed them without knowing of each other.
    pub strict: &'static [&'static str],
    /// Fields of which people are asked when two desks changed them without knowing of each other.
    pub asked: &'static [&'static str],
    /// What a column holds when a record was made without naming it, where that is not NULL.
    pub defaults: &'static [(&'static str, Default)],
}

/// A column's default.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Default {
    /// A number.
    Integer(i64),
    /// A word.
    Text(&'static str),
}

impl Default {
    /// Whether `value` is this default.
    pub fn is(self, value: &FieldValue) -> bool {
        match (self, value) {
            (Self::Integer(default), FieldValue::Integer(value)) => default == *value,
            (Self::Text(default), FieldValue::Text(value)) => default == value,
            _ => false,
        }
    }
}

impl Entity {
    /// Whether an op of this kind may set `field`.
    pub fn allows(&self, field: &str, kind: ChangeKind) -> bool {
        match kind {
            ChangeKind::Command => self.commanded.contains(&field) || self.fields.contains(&field),
            ChangeKind::Fields | ChangeKind::Fact => self.fields.contains(&field),
        }
    }

    /// Whether `field` follows the server's order alone, and never the writers' clocks.
    pub fn is_judged(&self, field: &str) -> bool {
        self.commanded.contains(&field) || self.strict.contains(&field)
    }

    /// Whether `value` in `field` says no more than leaving the field out.
    pub fn is_silent(&self, field: &str, value: &FieldValue) -> bool {
        *value == FieldValue::Null
            || self.defaults.iter().any(|(name, default)| *name == field && default.is(value))
    }
}

/// The entity of this name, if this program knows it.
pub fn find(table: &str) -> Option<&'static Entity> {
    ALL.iter().copied().find(|entity| entity.table == table)
}

/// A number that two programs share when they know the same entities and fields.
pub fn fingerprint() -> u64 {
    static ONCE: OnceLock<u64> = OnceLock::new();
    *ONCE.get_or_init(|| {
        let mut hash = Sha256::new();
        for entity in ALL {
            let said = format!("{:?}", (entity.table, entity.fields, entity.commanded, entity.defaults));
            hash.update(said.as_bytes());
        }
        let mut first = [0_u8; 8];
        first.copy_from_slice(&hash.finalize()[..8]);
        u64::from_be_bytes(first)
    })
}

macro_rules! words {
    ($($word:ident)*) => { &[$(stringify!($word),)*] };
}

/// `setting`, shown by `settings`.
pub static SETTING: Entity = Entity {
    table: "setting",
    kind: ChangeKind::Fields,
    feature: "settings",
    parent: Parent::Hospital,
    writers: &[Permission::SettingsEdit],
    fields: words![name value],
    commanded: &[],
    strict: &[],
    asked: &[],
    defaults: &[("value", Default::Text(""))],
};

/// `site`, shown by `staff`.
pub static SITE: Entity = Entity {
    table: "site",
    kind: ChangeKind::Fields,
    feature: "staff",
    parent: Parent::Hospital,
    writers: &[Permission::SettingsEdit],
    fields: words![name removed],
    commanded: &[],
    strict: &[],
    asked: &[],
    defaults: &[("removed", Default::Integer(0))],
};

/// `staff`, shown by `staff`.
pub static USER: Entity = Entity {
    table: "staff",
    kind: ChangeKind::Fields,
    feature: "staff",
    parent: Parent::Hospital,
    writers: &[Permission::StaffEdit],
    fields: words![login display_name job_number department roles active password_changed_at],
    commanded: &[],
    strict: &[],
    asked: &[],
    defaults: &[
        ("job_number", Default::Text("")),
        ("department", Default::Text("")),
        ("active", Default::Integer(1)),
        ("password_changed_at", Default::Integer(0)),
    ],
};

/// `patient`, shown by `archive`.
pub static PATIENT: Entity = Entity {
    table: "patient",
    kind: ChangeKind::Fields,
    feature: "archive",
    parent: Parent::Patient("site_id"),
    writers: &[
        Permission::ArchiveWrite,
        Permission::FollowupWork,
        Permission::ImportRun,
        Permission::ArchiveMerge,
    ],
    fields: words![
        mrn outpatient_no card_no name sex birth_on age_text id_type id_number nationality
        ethnicity marital occupation employer address native_place blood_type allergies
        insurance first_seen_on hobbies habits wishes preferences feedback remark best_hour
        dialect vip customer_kind customer_of is_test is_unknown contact_optout deceased
        deceased_on deceased_how merged_into site_id removed
    ],
    commanded: &[],
    strict: words![contact_optout deceased],
    asked: words![id_number],
    defaults: &[
        ("sex", Default::Text("0")),
        ("vip", Default::Integer(0)),
        ("customer_kind", Default::Text("current")),
        ("customer_of", Default::Text("ours")),
        ("is_test", Default::Integer(0)),
        ("is_unknown", Default::Integer(0)),
        ("contact_optout", Default::Text("none")),
        ("deceased", Default::Integer(0)),
        ("removed", Default::Integer(0)),
    ],
};

/// `phone`, shown by `archive`.
pub static PHONE: Entity = Entity {
    table: "phone",
    kind: ChangeKind::Fields,
    feature: "archive",
    parent: Parent::Of("patient_id", "patient"),
    writers: &[Permission::ArchiveWrite, Permission::FollowupWork, Permission::ImportRun],
    fields: words![
        patient_id number extension owner_name relation state state_at best_hour rank source
        removed
    ],
    commanded: &[],
    strict: &[],
    asked: words![number],
    defaults: &[
        ("relation", Default::Text("0")),
        ("state", Default::Text("unknown")),
        ("rank", Default::Integer(0)),
        ("source", Default::Text("desk")),
        ("removed", Default::Integer(0)),
    ],
};

/// `encounter`, shown by `archive`.
pub static ENCOUNTER: Entity = Entity {
    table: "encounter",
    kind: ChangeKind::Fields,
    feature: "archive",
    parent: Parent::Of("patient_id", "patient"),
    writers: &[
        Permission::ArchiveWrite,
        Permission::ImportRun,
        Permission::ImportUndo,
        Permission::FollowupWork,
        Permission::ExpertReply,
    ],
    fields: words![
        patient_id kind visit_no visit_count department ward bed admitted_at discharged_at
        discharged_on length_of_stay_days diagnosis_code diagnosis other_diagnoses surgery
        surgery_on delivery_on chemo doctor nurse disposition admit_route pay_mode total_fee_fen
        next_visit_on removed
    ],
    commanded: &[],
    strict: &[],
    asked: words![next_visit_on],
    defaults: &[
        ("kind", Default::Text("inpatient")),
        ("department", Default::Text("")),
        ("removed", Default::Integer(0)),
    ],
};

/// `consent`, shown by `archive`.
pub static CONSENT: Entity = Entity {
    table: "consent",
    kind: ChangeKind::Fact,
    feature: "archive",
    parent: Parent::Of("patient_id", "patient"),
    writers: &[Permission::ArchiveWrite, Permission::FollowupWork, Permission::ImportRun],
    fields: words![patient_id purpose channel granted given_at how proof user_id],
    commanded: &[],
    strict: &[],
    asked: &[],
    defaults: &[],
};

/// `note`, shown by `archive`.
pub static NOTE: Entity = Entity {
    table: "note",
    kind: ChangeKind::Fact,
    feature: "archive",
    parent: Parent::Of("patient_id", "patient"),
    writers: &[Permission::ArchiveWrite, Permission::FollowupWork],
    fields: words![patient_id kind body noted_at user_id],
    commanded: &[],
    strict: &[],
    asked: &[],
    defaults: &[],
};

/// `duplicate`, shown by `archive`.
pub static DUPLICATE: Entity = Entity {
    table: "duplicate",
    kind: ChangeKind::Fields,
    feature: "archive",
    parent: Parent::Of("first_id", "patient"),
    writers: &[
        Permission::ArchiveWrite,
        Permission::ArchiveMerge,
        Permission::ImportRun,
        Permission::ImportUndo,
    ],
    fields: words![first_id second_id reasons state found_at settled_at settled_by],
    commanded: &[],
    strict: &[],
    asked: &[],
    defaults: &[("state", Default::Text("open"))],
};

/// `patient_merge`, shown by `archive`.
pub static PATIENT_MERGE: Entity = Entity {
    table: "patient_merge",
    kind: ChangeKind::Fields,
    feature: "archive",
    parent: Parent::Of("kept_id", "patient"),
    writers: &[Permission::ArchiveMerge],
    fields: words![kept_id merged_id moved merged_at merged_by undone_at],
    commanded: &[],
    strict: &[],
    asked: &[],
    defaults: &[],
};

/// `import_batch`, shown by `imports`.
pub static IMPORT_BATCH: Entity = Entity {
    table: "import_batch",
    kind: ChangeKind::Fields,
    feature: "imports",
    parent: Parent::Hospital,
    writers: &[Permission::ImportRun, Permission::ImportUndo],
    fields: words![
        number file_name file_sha256 format encoding started_at finished_at user_id rows created
        updated unchanged rejected left_out warnings duplicates profile undone_at
    ],
    commanded: &[],
    strict: &[],
    asked: &[],
    defaults: &[],
};

/// `import_profile`, shown by `imports`.
pub static IMPORT_PROFILE: Entity = Entity {
    table: "import_profile",
    kind: ChangeKind::Fields,
    feature: "imports",
    parent: Parent::Hospital,
    writers: &[Permission::ImportRun],
    fields: words![name headings columns removed],
    commanded: &[],
    strict: &[],
    asked: &[],
    defaults: &[("removed", Default::Integer(0))],
};

/// `plan_version`, shown by `forms`.
pub static PLAN_VERSION: Entity = Entity {
    table: "plan_version",
    kind: ChangeKind::Fields,
    feature: "forms",
    parent: Parent::Hospital,
    writers: &[Permission::FormsEdit],
    fields: words![code version kind body origin enabled made_at made_by],
    commanded: &[],
    strict: &[],
    asked: &[],
    defaults: &[("enabled", Default::Integer(1))],
};

/// `enrolment`, shown by `followup`.
pub static ENROLMENT: Entity = Entity {
    table: "enrolment",
    kind: ChangeKind::Fields,
    feature: "followup",
    parent: Parent::Of("patient_id", "patient"),
    writers: &[
        Permission::FollowupWork,
        Permission::FollowupManage,
        Permission::ImportRun,
        Permission::ImportUndo,
        Permission::ArchiveWrite,
        Permission::ArchiveMerge,
    ],
    fields: words![
        patient_id encounter_id plan_code plan_version anchor_on why lace risk state state_why
        started_at ended_at ended_for
    ],
    commanded: &[],
    strict: &[],
    asked: &[],
    defaults: &[("risk", Default::Integer(0)), ("state", Default::Text("active"))],
};

/// `task`, shown by `followup`.
pub static TASK: Entity = Entity {
    table: "task",
    kind: ChangeKind::Fields,
    feature: "followup",
    parent: Parent::Of("patient_id", "patient"),
    writers: &[
        Permission::FollowupWork,
        Permission::FollowupManage,
        Permission::ImportRun,
        Permission::ImportUndo,
        Permission::ArchiveWrite,
        Permission::ArchiveMerge,
        Permission::ExpertReply,
    ],
    fields: words![
        patient_id enrolment_id encounter_id kind timepoint occurrence label anchor_on plan_code
        plan_version form channel owner due_on window_starts_on window_ends_on condition risk
        red assigned_to attempts next_try_at consult_id remark
    ],
    commanded: words![status claimed_by claimed_until ended_at end_reason],
    strict: &[],
    asked: &[],
    defaults: &[
        ("occurrence", Default::Integer(1)),
        ("label", Default::Text("")),
        ("risk", Default::Integer(0)),
        ("red", Default::Integer(0)),
        ("attempts", Default::Integer(0)),
    ],
};

/// `call`, shown by `followup`.
pub static CALL: Entity = Entity {
    table: "call",
    kind: ChangeKind::Fact,
    feature: "followup",
    parent: Parent::Of("patient_id", "patient"),
    writers: &[Permission::FollowupWork],
    fields: words![
        patient_id task_id tasks phone_id number called_at called_on talk_seconds outcome reason
        appointment_at remark replaces_id user_id
    ],
    commanded: &[],
    strict: &[],
    asked: &[],
    defaults: &[],
};

/// `response`, shown by `followup`.
pub static RESPONSE: Entity = Entity {
    table: "response",
    kind: ChangeKind::Fact,
    feature: "followup",
    parent: Parent::Of("patient_id", "patient"),
    writers: &[Permission::FollowupWork],
    fields: words![
        task_id patient_id encounter_id call_id plan_code plan_version form answers results
        responded_at responded_on replaces_id withdrawn user_id
    ],
    commanded: &[],
    strict: &[],
    asked: &[],
    defaults: &[("withdrawn", Default::Integer(0))],
};

/// `alert`, shown by `followup`.
pub static ALERT: Entity = Entity {
    table: "alert",
    kind: ChangeKind::Fields,
    feature: "followup",
    parent: Parent::Of("patient_id", "patient"),
    writers: &[
        Permission::FollowupWork,
        Permission::FollowupManage,
        Permission::ExpertReply,
        Permission::ArchiveWrite,
        Permission::ImportRun,
        Permission::ImportUndo,
        Permission::ArchiveMerge,
    ],
    fields: words![
        patient_id task_id response_id plan_code plan_version rule level say route raised_at
        due_at raised_by
    ],
    commanded: words![status handled_at closed_at closed_by closing],
    strict: &[],
    asked: &[],
    defaults: &[],
};

/// `alert_step`, shown by `followup`.
pub static ALERT_STEP: Entity = Entity {
    table: "alert_step",
    kind: ChangeKind::Fact,
    feature: "followup",
    parent: Parent::Of("alert_id", "alert"),
    writers: &[
        Permission::FollowupWork,
        Permission::FollowupManage,
        Permission::ExpertReply,
        Permission::ArchiveWrite,
        Permission::ImportRun,
        Permission::ImportUndo,
        Permission::ArchiveMerge,
    ],
    fields: words![alert_id kind body at user_id],
    commanded: &[],
    strict: &[],
    asked: &[],
    defaults: &[("body", Default::Text(""))],
};

/// `consult`, shown by `followup`.
pub static CONSULT: Entity = Entity {
    table: "consult",
    kind: ChangeKind::Fields,
    feature: "followup",
    parent: Parent::Of("patient_id", "patient"),
    writers: &[
        Permission::FollowupWork,
        Permission::FollowupManage,
        Permission::ExpertReply,
        Permission::ArchiveWrite,
        Permission::ImportRun,
        Permission::ImportUndo,
        Permission::ArchiveMerge,
    ],
    fields: words![
        patient_id alert_id task_id level question department asked_of asked_at asked_by due_at
    ],
    commanded: words![status answered_at told_at],
    strict: &[],
    asked: &[],
    defaults: &[],
};

/// `consult_reply`, shown by `followup`.
pub static CONSULT_REPLY: Entity = Entity {
    table: "consult_reply",
    kind: ChangeKind::Fact,
    feature: "followup",
    parent: Parent::Of("consult_id", "consult"),
    writers: &[Permission::ExpertReply],
    fields: words![consult_id reply advice next_visit_on call_back_on replied_at user_id],
    commanded: &[],
    strict: &[],
    asked: &[],
    defaults: &[("advice", Default::Text(""))],
};

/// `conflict`, shown by `sync`: what lost when two desks changed one field without knowing of each
/// other, and people are to decide. Made by the server, settled by anybody who works with patients.
pub static CONFLICT: Entity = Entity {
    table: "conflict",
    kind: ChangeKind::Fields,
    feature: "sync",
    parent: Parent::Of("patient_id", "patient"),
    writers: &[Permission::ArchiveWrite, Permission::FollowupWork],
    fields: words![
        patient_id entity record_id field kept kept_by kept_at lost lost_by lost_at found_at settled_at settled_by
        settled_how
    ],
    commanded: &[],
    strict: &[],
    asked: &[],
    defaults: &[],
};

/// `attachment`, shown by `attachments`: a file that somebody added to a patient, or to what hangs on one.
/// `subject_kind` and `subject_id` say to what; the patient says who sees it. The bytes go apart, under
/// `sha256`.
pub static ATTACHMENT: Entity = Entity {
    table: "attachment",
    kind: ChangeKind::Fields,
    feature: "attachments",
    parent: Parent::Of("patient_id", "patient"),
    writers: &[Permission::ArchiveWrite, Permission::FollowupWork],
    fields: words![patient_id subject_kind subject_id name media_type size sha256 added_at user_id removed],
    commanded: &[],
    strict: &[],
    asked: &[],
    defaults: &[("removed", Default::Integer(0))],
};

/// `complaint`, shown by `complaints`. The whole hospital's: a complaint goes through departments of several sites and
/// need not know its patient. Who sees which is decided where it is read. Every change after its making is a judged command.
pub static COMPLAINT: Entity = Entity {
    table: "complaint",
    kind: ChangeKind::Fields,
    feature: "complaints",
    parent: Parent::Hospital,
    writers: COMPLAINT_WRITERS,
    fields: &[],
    commanded: words![
        number kind received_at received_on first_receiver first_department registered_at registered_by site_id
        call_id alert_id response_id channel anonymous complainant complainant_relation complainant_phone
        complainant_id authorisation patient_id patient_name patient_sex patient_age patient_mrn
        patient_visit_no visit_department visited_on doctor happened_at happened_where departments accused
        category subcategory confidential summary demand evidence confirmation severity harm risks
        deadline_rule status due_on respond_by paused_on pause_reason wanted_until wanted_by accepted_at
        investigator_id finding verdict resolutions measures reply replied_at reply_way attitude end_reason
        ended_at reopened last_step steps edited_at
    ],
    strict: &[],
    asked: &[],
    defaults: &[
        ("first_department", Default::Text("")),
        ("anonymous", Default::Integer(0)),
        ("complainant", Default::Text("")),
        ("complainant_relation", Default::Text("")),
        ("complainant_phone", Default::Text("")),
        ("complainant_id", Default::Text("")),
        ("authorisation", Default::Text("")),
        ("patient_name", Default::Text("")),
        ("patient_sex", Default::Text("0")),
        ("patient_mrn", Default::Text("")),
        ("patient_visit_no", Default::Text("")),
        ("visit_department", Default::Text("")),
        ("doctor", Default::Text("")),
        ("happened_where", Default::Text("")),
        ("departments", Default::Text("[]")),
        ("accused", Default::Text("[]")),
        ("subcategory", Default::Text("")),
        ("confidential", Default::Integer(0)),
        ("demand", Default::Text("")),
        ("evidence", Default::Text("")),
        ("confirmation", Default::Text("")),
        ("harm", Default::Integer(0)),
        ("risks", Default::Text("[]")),
        ("deadline_rule", Default::Text("")),
        ("finding", Default::Text("")),
        ("resolutions", Default::Text("[]")),
        ("measures", Default::Text("")),
        ("reply", Default::Text("")),
        ("reopened", Default::Integer(0)),
        ("steps", Default::Integer(0)),
        ("edited_at", Default::Integer(0)),
    ],
};

/// Whoever has a part in complaints; which part, the judge asks.
const COMPLAINT_WRITERS: &[Permission] = &[
    Permission::ComplaintWork,
    Permission::ComplaintAccept,
    Permission::ComplaintApprove,
    Permission::ComplaintManage,
];

/// `complaint_step`, shown by `complaints`.
pub static COMPLAINT_STEP: Entity = Entity {
    table: "complaint_step",
    kind: ChangeKind::Fact,
    feature: "complaints",
    parent: Parent::Of("complaint_id", "complaint"),
    writers: COMPLAINT_WRITERS,
    fields: words![complaint_id previous_id ordinal name body at user_id hash],
    commanded: &[],
    strict: &[],
    asked: &[],
    defaults: &[],
};

/// `complaint_note`, shown by `complaints`.
pub static COMPLAINT_NOTE: Entity = Entity {
    table: "complaint_note",
    kind: ChangeKind::Fact,
    feature: "complaints",
    parent: Parent::Of("complaint_id", "complaint"),
    writers: COMPLAINT_WRITERS,
    fields: words![complaint_id kind body at user_id],
    commanded: &[],
    strict: &[],
    asked: &[],
    defaults: &[],
};

/// `complaint_promise`, shown by `complaints`.
pub static COMPLAINT_PROMISE: Entity = Entity {
    table: "complaint_promise",
    kind: ChangeKind::Fields,
    feature: "complaints",
    parent: Parent::Of("complaint_id", "complaint"),
    writers: COMPLAINT_WRITERS,
    fields: words![complaint_id promise due_on made_at made_by kept_at kept_by kept_how],
    commanded: &[],
    strict: &[],
    asked: &[],
    defaults: &[],
};

/// `survey_round`, shown by `surveys`: a batch of a survey. The whole hospital's, like its questionnaires.
pub static SURVEY_ROUND: Entity = Entity {
    table: "survey_round",
    kind: ChangeKind::Fields,
    feature: "surveys",
    parent: Parent::Hospital,
    writers: &[Permission::SurveyManage, Permission::SurveyWork],
    fields: words![
        title kind form_code form_version visits_from visits_to method seed per_department counts handed_out
        site_id status made_at made_by closed_at closed_by
    ],
    commanded: &[],
    strict: &[],
    asked: &[],
    defaults: &[("counts", Default::Text("{}")), ("handed_out", Default::Integer(0))],
};

/// `survey_invite`, shown by `surveys`: somebody drawn for a round.
pub static SURVEY_INVITE: Entity = Entity {
    table: "survey_invite",
    kind: ChangeKind::Fields,
    feature: "surveys",
    parent: Parent::Of("patient_id", "patient"),
    writers: &[Permission::SurveyManage, Permission::SurveyWork],
    fields: words![
        round_id patient_id encounter_id kind site_id department doctor visited_on invited_on guardian place
        assigned_to status attempts next_try_at reason settled_at sheet_id
    ],
    commanded: &[],
    strict: &[],
    asked: &[],
    defaults: &[
        ("department", Default::Text("")),
        ("doctor", Default::Text("")),
        ("guardian", Default::Integer(0)),
        ("place", Default::Integer(0)),
        ("attempts", Default::Integer(0)),
    ],
};

/// `survey_sheet`, shown by `surveys`: an answered sheet. The whole hospital's: it may know no patient, and figures
/// are the hospital's. Who sees which is decided where it is read.
pub static SURVEY_SHEET: Entity = Entity {
    table: "survey_sheet",
    kind: ChangeKind::Fact,
    feature: "surveys",
    parent: Parent::Hospital,
    writers: &[Permission::SurveyWork],
    fields: words![
        root_id replaces_id withdrawn why round_id invite_id call_id kind form_code form_version channel sheet_no
        patient_id encounter_id site_id department doctor visited_on answered_on seconds answers results points
        valid invalid_reason nps overall come_back lowest caller caller_id entered_at entered_by
    ],
    commanded: &[],
    strict: &[],
    asked: &[],
    defaults: &[
        ("withdrawn", Default::Integer(0)),
        ("why", Default::Text("")),
        ("sheet_no", Default::Text("")),
        ("department", Default::Text("")),
        ("doctor", Default::Text("")),
        ("caller", Default::Text("")),
    ],
};

/// `report_freeze`, shown by `reports`: a month as it was reported. Whoever reads reports sees all of it, and nothing of a
/// patient is in it.
pub static REPORT_FREEZE: Entity = Entity {
    table: "report_freeze",
    kind: ChangeKind::Fact,
    feature: "reports",
    parent: Parent::Hospital,
    writers: &[Permission::FollowupManage],
    fields: words![month as_of body chunks reason supersedes user_id],
    commanded: &[],
    strict: &[],
    asked: &[],
    defaults: &[("reason", Default::Text(""))],
};

/// `report_freeze_rows`, shown by `reports`.
pub static REPORT_FREEZE_ROWS: Entity = Entity {
    table: "report_freeze_rows",
    kind: ChangeKind::Fact,
    feature: "reports",
    parent: Parent::Of("freeze_id", "report_freeze"),
    writers: &[Permission::FollowupManage],
    fields: words![freeze_id population ordinal lines],
    commanded: &[],
    strict: &[],
    asked: &[],
    defaults: &[],
};

/// `report_definition`, shown by `reports`.
pub static REPORT_DEFINITION: Entity = Entity {
    table: "report_definition",
    kind: ChangeKind::Fields,
    feature: "reports",
    parent: Parent::Hospital,
    writers: &[Permission::ReportExport],
    fields: words![name sheets removed],
    commanded: &[],
    strict: &[],
    asked: &[],
    defaults: &[("removed", Default::Integer(0))],
};

/// Every synced entity.
pub static ALL: &[&Entity] = &[
    &SETTING,
    &SITE,
    &USER,
    &PATIENT,
    &PHONE,
    &ENCOUNTER,
    &CONSENT,
    &NOTE,
    &DUPLICATE,
    &PATIENT_MERGE,
    &IMPORT_BATCH,
    &IMPORT_PROFILE,
    &PLAN_VERSION,
    &ENROLMENT,
    &TASK,
    &CALL,
    &RESPONSE,
    &ALERT,
    &ALERT_STEP,
    &CONSULT,
    &CONSULT_REPLY,
    &CONFLICT,
    &ATTACHMENT,
    &COMPLAINT,
    &COMPLAINT_STEP,
    &COMPLAINT_NOTE,
    &COMPLAINT_PROMISE,
    &REPORT_FREEZE,
    &REPORT_FREEZE_ROWS,
    &REPORT_DEFINITION,
    &SURVEY_ROUND,
    &SURVEY_INVITE,
    &SURVEY_SHEET,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_record_hangs_on_something_that_exists() {
        for entity in ALL {
            if let Parent::Of(field, parent) = entity.parent {
                assert!(entity.fields.contains(&field), "{}.{field}", entity.table);
                assert!(find(parent).is_some(), "{} hangs on {parent}", entity.table);
            }
            for field in entity.strict.iter().chain(entity.asked) {
                assert!(entity.fields.contains(field), "{}.{field}", entity.table);
            }
        }
    }
}
