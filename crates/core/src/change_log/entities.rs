//! Every synced entity: its table, how its changes merge, and the fields an op may name.
//!
//! A field's name in ops is its column's name. Names are never reused. `commanded` fields change
//! only by a judged command.

use aftercare_domain::op::ChangeKind;

use crate::error::{Error, Result};

/// One synced entity.
#[derive(Debug)]
pub struct Entity {
    /// Table, and name in ops.
    pub table: &'static str,
    /// How changes merge.
    pub kind: ChangeKind,
    /// The feature whose pages show it.
    pub feature: &'static str,
    /// Fields that `update` may set.
    pub fields: &'static [&'static str],
    /// Fields that only `command` may set.
    pub commanded: &'static [&'static str],
}

impl Entity {
    /// Refuses a field this entity does not have for the kind of change.
    pub(super) fn check(&self, field: &str, kind: ChangeKind) -> Result<()> {
        let allowed = match kind {
            ChangeKind::Command => self.commanded.contains(&field) || self.fields.contains(&field),
            ChangeKind::Fields | ChangeKind::Fact => self.fields.contains(&field),
        };
        if allowed {
            Ok(())
        } else {
            Err(Error::internal(format!("{}.{field} is not set this way", self.table)))
        }
    }
}

macro_rules! entities {
    // Name: kind "table" of "feature" { fields } [ commanded fields ]
    ($($name:ident: $kind:ident $table:literal of $feature:literal { $($field:ident)* } $([ $($commanded:ident)* ])?)*) => {
        $(
            #[doc = concat!("`", $table, "`, shown by `", $feature, "`.")]
            pub static $name: Entity = Entity {
                table: $table,
                kind: ChangeKind::$kind,
                feature: $feature,
                fields: &[$(stringify!($field),)*],
                commanded: &[$($(stringify!($commanded),)*)?],
            };
        )*

        /// Every synced entity.
        pub static ALL: &[&Entity] = &[$(&$name,)*];

        /// Whether `table` is written by the change log alone.
        pub fn is_synced(table: &str) -> bool {
            matches!(table, $($table)|*)
        }
    };
}

entities! {
    SETTING: Fields "setting" of "settings" { name value }
    SITE: Fields "site" of "staff" { name removed }
    USER: Fields "staff" of "staff" {
        login display_name job_number department roles active password_changed_at
    }
    PATIENT: Fields "patient" of "archive" {
        mrn outpatient_no card_no name sex birth_on age_text id_type id_number nationality ethnicity marital
        occupation employer address native_place blood_type allergies insurance first_seen_on hobbies habits
        wishes preferences feedback remark best_hour dialect vip customer_kind customer_of is_test is_unknown
        contact_optout deceased deceased_on deceased_how merged_into site_id removed
    }
    PHONE: Fields "phone" of "archive" {
        patient_id number extension owner_name relation state state_at best_hour rank source removed
    }
    ENCOUNTER: Fields "encounter" of "archive" {
        patient_id kind visit_no visit_count department ward bed admitted_at discharged_at discharged_on
        length_of_stay_days diagnosis_code diagnosis other_diagnoses surgery surgery_on delivery_on chemo doctor
        nurse disposition admit_route pay_mode total_fee_fen next_visit_on removed
    }
    CONSENT: Fact "consent" of "archive" { patient_id purpose channel granted given_at how proof user_id }
    NOTE: Fact "note" of "archive" { patient_id kind body noted_at user_id }
    DUPLICATE: Fields "duplicate" of "archive" { first_id second_id reasons state found_at settled_at settled_by }
    PATIENT_MERGE: Fields "patient_merge" of "archive" { kept_id merged_id moved merged_at merged_by undone_at }
    IMPORT_BATCH: Fields "import_batch" of "imports" {
        number file_name file_sha256 format encoding started_at finished_at user_id rows created updated unchanged
        rejected left_out warnings duplicates profile undone_at
    }
    IMPORT_PROFILE: Fields "import_profile" of "imports" { name headings columns removed }
    PLAN_VERSION: Fields "plan_version" of "forms" { code version kind body origin enabled made_at made_by }
    ENROLMENT: Fields "enrolment" of "followup" {
        patient_id encounter_id plan_code plan_version anchor_on why lace risk state state_why started_at ended_at
        ended_for
    }
    TASK: Fields "task" of "followup" {
        patient_id enrolment_id encounter_id kind timepoint occurrence label anchor_on plan_code plan_version form channel owner due_on
        window_starts_on window_ends_on condition risk red assigned_to attempts next_try_at consult_id
        remark
    } [ status claimed_by claimed_until ended_at end_reason ]
    CALL: Fact "call" of "followup" {
        patient_id task_id tasks phone_id number called_at called_on talk_seconds outcome reason appointment_at
        remark replaces_id user_id
    }
    RESPONSE: Fact "response" of "followup" {
        task_id patient_id encounter_id call_id plan_code plan_version form answers results responded_at
        responded_on replaces_id withdrawn user_id
    }
    ALERT: Fields "alert" of "followup" {
        patient_id task_id response_id plan_code plan_version rule level say route raised_at due_at raised_by
    } [ status handled_at closed_at closed_by closing ]
    ALERT_STEP: Fact "alert_step" of "followup" { alert_id kind body at user_id }
    CONSULT: Fields "consult" of "followup" {
        patient_id alert_id task_id level question department asked_of asked_at asked_by due_at
    } [ status answered_at told_at ]
    CONSULT_REPLY: Fact "consult_reply" of "followup" {
        consult_id reply advice next_visit_on call_back_on replied_at user_id
    }
}
