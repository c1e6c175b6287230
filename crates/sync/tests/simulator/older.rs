//! What a program of last year knows: fewer fields, and one entity less.

use aftercare_sync::entities::{self, Entity};

static PATIENT: Entity = Entity {
    fields: &[
        "mrn",
        "name",
        "id_number",
        "remark",
        "contact_optout",
        "deceased",
        "site_id",
        "merged_into",
        "removed",
    ],
    ..entities::PATIENT
};

static TASK: Entity = Entity {
    fields: &["patient_id", "enrolment_id", "encounter_id", "label", "due_on", "remark"],
    ..entities::TASK
};

/// The entity of this name as that program knows it.
pub fn find(table: &str) -> Option<&'static Entity> {
    match table {
        "patient" => Some(&PATIENT),
        "task" => Some(&TASK),
        "alert_step" => None,
        _ => entities::find(table),
    }
}
