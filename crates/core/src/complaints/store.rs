//! Complaints as they stand in their table.

use aftercare_domain::complaint::{Accused, Clock, ComplaintKind, ComplaintState, ComplaintStatus, clock};
use aftercare_domain::error_code::ErrorCode;
use aftercare_domain::op::FieldValue;
use aftercare_domain::personal::Personal;
use aftercare_domain::{id_number, phone};
use chrono::NaiveDate;
use rusqlite::types::Value;
use rusqlite::{Connection, Row, params_from_iter};
use uuid::Uuid;

use super::people::Names;
use super::viewer::Viewer;
use super::when::{self, Rules};
use super::{AccusedPerson, Form, Handling, ListItem, Receipt};
use crate::db;
use crate::error::{Error, Result};

/// What of a matter a list shows, in characters.
const GLIMPSE: usize = 80;

/// The columns of a [`ListItem`].
pub(super) const ITEM_COLUMNS: &str = "complaint.id, number, complaint.kind, complaint.status, complaint.category, \
    subcategory, severity, departments, complainant, patient_name, summary, complaint.received_at, due_on, paused_on, \
    investigator_id, wanted_until, confidential, reopened";

/// How rows become items.
pub(super) struct Shown<'a> {
    pub names: &'a Names,
    pub rules: &'a Rules,
    pub today: NaiveDate,
}

impl Shown<'_> {
    /// How a deadline stands.
    pub fn clock(&self, status: ComplaintStatus, due_on: Option<&str>, paused: bool) -> Clock {
        let due_on = due_on.and_then(when::parse_day).filter(|_| !status.is_answered());
        clock(due_on, paused, self.today, &self.rules.calendar, self.rules.settings.complaint_warn_days)
    }

    /// A row of [`ITEM_COLUMNS`].
    pub fn item(&self, row: &Row<'_>) -> rusqlite::Result<ListItem> {
        let status = status_of(row)?;
        let due_on: Option<String> = row.get("due_on")?;
        let paused = row.get_ref("paused_on")?.as_str_or_null()?.is_some();
        let summary: String = row.get("summary")?;
        let departments: String = row.get("departments")?;
        Ok(ListItem {
            id: row.get("id")?,
            number: row.get("number")?,
            kind: kind_of(row)?,
            status,
            category: row.get("category")?,
            subcategory: row.get("subcategory")?,
            severity: row.get("severity")?,
            departments: serde_json::from_str(&departments).unwrap_or_default(),
            complainant: personal(row, "complainant")?,
            patient_name: personal(row, "patient_name")?,
            summary: summary.chars().take(GLIMPSE).collect::<String>().into(),
            received_at: row.get("received_at")?,
            clock: self.clock(status, due_on.as_deref(), paused),
            due_on,
            investigator: row.get::<_, Option<Uuid>>("investigator_id")?.map(|id| self.names.of(id)),
            wants_time: row.get_ref("wanted_until")?.as_str_or_null()?.is_some(),
            confidential: row.get("confidential")?,
            reopened: row.get("reopened")?,
        })
    }
}

pub(super) fn kind_of(row: &Row<'_>) -> rusqlite::Result<ComplaintKind> {
    Ok(ComplaintKind::parse(row.get_ref("kind")?.as_str()?).unwrap_or(ComplaintKind::Complaint))
}

pub(super) fn status_of(row: &Row<'_>) -> rusqlite::Result<ComplaintStatus> {
    Ok(ComplaintStatus::parse(row.get_ref("status")?.as_str()?).unwrap_or(ComplaintStatus::Registered))
}

fn personal(row: &Row<'_>, name: &str) -> rusqlite::Result<Personal> {
    Ok(Personal::new(row.get::<_, String>(name)?))
}

fn json_list<T: serde::de::DeserializeOwned>(row: &Row<'_>, name: &str) -> rusqlite::Result<Vec<T>> {
    Ok(serde_json::from_str(row.get_ref(name)?.as_str()?).unwrap_or_default())
}

/// A complaint that this person may see.
pub(super) struct Stored {
    pub state: ComplaintState,
    pub received_at: i64,
    pub last_step: Option<Uuid>,
}

/// Reads what the judge needs.
///
/// # Errors
/// `NotFound`, also when it is not for this person.
pub(super) fn load(connection: &Connection, id: Uuid, viewer: &Viewer) -> Result<Stored> {
    let (condition, mut values) = viewer.condition();
    let sql = format!(
        "SELECT kind, status, confidential, departments, accused, registered_by, investigator_id, due_on, paused_on,
                wanted_until, wanted_by, reopened, received_at, last_step
         FROM complaint WHERE {condition} AND id = ?"
    );
    values.push(Value::Blob(id.as_bytes().to_vec()));
    let found = connection.prepare_cached(&sql)?.query_row(params_from_iter(values), |row| {
        let date = |name: &str| -> rusqlite::Result<Option<NaiveDate>> {
            Ok(row.get_ref(name)?.as_str_or_null()?.and_then(when::parse_day))
        };
        let accused: Vec<Accused> = json_list(row, "accused")?;
        Ok(Stored {
            state: ComplaintState {
                kind: kind_of(row)?,
                status: status_of(row)?,
                confidential: row.get("confidential")?,
                departments: json_list(row, "departments")?,
                accused: accused.into_iter().filter_map(|person| person.staff_id).collect(),
                registered_by: row.get("registered_by")?,
                investigator: row.get("investigator_id")?,
                due_on: date("due_on")?,
                paused_on: date("paused_on")?,
                wanted: date("wanted_until")?.zip(row.get("wanted_by")?),
                reopened: row.get("reopened")?,
            },
            received_at: row.get("received_at")?,
            last_step: row.get("last_step")?,
        })
    });
    db::optional(found)?.ok_or_else(|| Error::new(ErrorCode::NotFound))
}

/// What the judge has decided, as fields. `was` is the state before.
pub(super) fn judged_fields(was: &ComplaintState, after: &ComplaintState) -> Vec<(&'static str, FieldValue)> {
    let date = |date: Option<NaiveDate>| FieldValue::from(date.map(|date| date.to_string()));
    let mut fields = vec![
        ("status", after.status.as_str().into()),
        ("due_on", date(after.due_on)),
        ("paused_on", date(after.paused_on)),
        ("wanted_until", date(after.wanted.map(|(until, _)| until))),
        ("wanted_by", after.wanted.map(|(_, by)| by).into()),
        ("investigator_id", after.investigator.into()),
        ("reopened", after.reopened.into()),
    ];
    if was.paused_on.is_some() && after.paused_on.is_none() && !after.status.is_final() {
        fields.push(("pause_reason", FieldValue::Null));
    }
    fields
}

/// The form, receipt and handling of a complaint, phone and ID number masked.
pub(super) fn parts(connection: &Connection, id: Uuid, names: &Names) -> Result<(Form, Receipt, Handling)> {
    let mut statement = connection.prepare_cached(include_str!("sql/parts.sql"))?;
    Ok(statement.query_row([id], |row| Ok((form(row)?, receipt(row, names)?, handling(row)?)))?)
}

fn form(row: &Row<'_>) -> rusqlite::Result<Form> {
    let accused: Vec<Accused> = json_list(row, "accused")?;
    let person =
        |p: Accused| AccusedPerson { name: p.name.into(), department: p.department, staff_id: p.staff_id };
    Ok(Form {
        channel: row.get("channel")?,
        anonymous: row.get("anonymous")?,
        complainant: personal(row, "complainant")?,
        complainant_relation: row.get("complainant_relation")?,
        complainant_phone: phone::mask(row.get_ref("complainant_phone")?.as_str()?).into(),
        complainant_id: masked_id(row.get_ref("complainant_id")?.as_str()?).into(),
        authorisation: personal(row, "authorisation")?,
        patient_id: row.get("patient_id")?,
        patient_name: personal(row, "patient_name")?,
        patient_sex: row.get("patient_sex")?,
        patient_age: row.get("patient_age")?,
        patient_mrn: row.get("patient_mrn")?,
        patient_visit_no: row.get("patient_visit_no")?,
        visit_department: row.get("visit_department")?,
        visited_on: row.get("visited_on")?,
        doctor: row.get("doctor")?,
        happened_at: row.get("happened_at")?,
        happened_where: row.get("happened_where")?,
        departments: json_list(row, "departments")?,
        accused: accused.into_iter().map(person).collect(),
        category: row.get("category")?,
        subcategory: row.get("subcategory")?,
        summary: personal(row, "summary")?,
        demand: personal(row, "demand")?,
        evidence: personal(row, "evidence")?,
        confirmation: row.get("confirmation")?,
        severity: row.get("severity")?,
        harm: row.get("harm")?,
        risks: json_list(row, "risks")?,
        deadline_rule: row.get("deadline_rule")?,
    })
}

fn masked_id(number: &str) -> String {
    if number.is_empty() { String::new() } else { id_number::mask(number) }
}

fn receipt(row: &Row<'_>, names: &Names) -> rusqlite::Result<Receipt> {
    let waits = status_of(row)? == ComplaintStatus::Registered;
    Ok(Receipt {
        received_at: row.get("received_at")?,
        first_receiver: row.get("first_receiver")?,
        first_department: row.get("first_department")?,
        registered_by: names.of(row.get("registered_by")?),
        registered_at: row.get("registered_at")?,
        call_id: row.get("call_id")?,
        alert_id: row.get("alert_id")?,
        respond_by: row.get::<_, Option<i64>>("respond_by")?.filter(|_| waits),
    })
}

fn handling(row: &Row<'_>) -> rusqlite::Result<Handling> {
    let reason: Option<String> = row.get("end_reason")?;
    Ok(Handling {
        accepted_at: row.get("accepted_at")?,
        investigator_id: row.get("investigator_id")?,
        finding: personal(row, "finding")?,
        verdict: row.get("verdict")?,
        resolutions: json_list(row, "resolutions")?,
        measures: personal(row, "measures")?,
        reply: personal(row, "reply")?,
        replied_at: row.get("replied_at")?,
        reply_way: row.get("reply_way")?,
        attitude: row.get("attitude")?,
        reason: reason.or(row.get("pause_reason")?),
        paused_on: row.get("paused_on")?,
        wanted_until: row.get("wanted_until")?,
        ended_at: row.get("ended_at")?,
    })
}
