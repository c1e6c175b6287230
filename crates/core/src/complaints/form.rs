//! What is registered, checked: every wrong field is named at once.

use aftercare_domain::calendar::parse_sla;
use aftercare_domain::codes::{self, Sex};
use aftercare_domain::complaint::{self as rules, Category, ComplaintKind, Content};
use aftercare_domain::error_code::ErrorCode;
use aftercare_domain::op::FieldValue;
use aftercare_domain::personal::Personal;
use aftercare_domain::{id_number, phone};
use chrono::NaiveDate;
use rusqlite::Connection;

use super::when::{self, Rules};
use super::{AccusedPerson, Form, content};
use crate::archive;
use crate::change_log::Change;
use crate::db;
use crate::error::{FieldErrors, Result};

/// Longest short text, in characters.
const SHORT: usize = 100;
/// Longest long text, in characters.
pub(super) const LONG: usize = 4000;
/// Most departments or people of one complaint.
const MOST: usize = 20;

/// A form whose fields are right.
pub(super) struct Checked {
    pub kind: ComplaintKind,
    pub confidential: bool,
    pub departments: Vec<String>,
    pub accused: Vec<rules::Accused>,
    pub category: String,
    pub due_on: Option<NaiveDate>,
    /// Every field that a correction may set.
    pub fields: Vec<Change>,
}

/// What stands there already: a masked number leaves it as it is.
#[derive(Default)]
pub(super) struct Kept {
    pub phone: String,
    pub id_number: String,
}

/// Checks a form received at `received_at`, milliseconds UTC.
pub(super) fn check(
    errors: &mut FieldErrors,
    connection: &Connection,
    form: &Form,
    received_at: i64,
    rules: &Rules,
    kept: &Kept,
) -> Result<Checked> {
    let content = content()?;
    let category = category(errors, content, form);
    let kind = category.map_or(ComplaintKind::Complaint, |category| category.kind);
    let is_complaint = kind == ComplaintKind::Complaint;
    let departments = departments(errors, &form.departments, is_complaint);
    let accused = accused(errors, &form.accused);
    let severity = content.severity(&form.severity);
    if severity.is_none() {
        errors.add("severity", missing(&form.severity));
    }
    codes_in(errors, content, form);
    complainant(errors, form);
    let happened_at = event_times(errors, form, received_at);
    let rule = deadline_rule(errors, content, form, departments.len());
    let received_on = when::day(received_at);
    let due_on = is_complaint.then(|| rules::deadline(&rules.calendar, received_on, rules.days(&rule)).date);
    let respond_by = severity
        .filter(|_| is_complaint)
        .and_then(|severity| parse_sla(&severity.first_response))
        .map(|sla| rules.due_at(sla, received_at));
    let confidential = category.is_some_and(|category| category.confidential);
    let phone = phone_of(errors, form, rules, kept);
    let id = id_of(errors, form, received_on, kept);
    let mut fields = texts(errors, form);
    fields.extend(patient(errors, connection, form)?);
    fields.extend([
        ("kind", kind.as_str().into()),
        ("channel", form.channel.as_str().into()),
        ("anonymous", form.anonymous.into()),
        ("complainant_phone", phone.into()),
        ("complainant_id", id.into()),
        ("happened_at", happened_at.into()),
        ("departments", serde_json::to_string(&departments)?.into()),
        ("accused", serde_json::to_string(&accused)?.into()),
        ("category", form.category.as_str().into()),
        ("subcategory", form.subcategory.as_str().into()),
        ("confidential", confidential.into()),
        ("severity", form.severity.as_str().into()),
        ("harm", form.harm.into()),
        ("risks", serde_json::to_string(&form.risks)?.into()),
        ("deadline_rule", if is_complaint { rule } else { String::new() }.into()),
        ("due_on", due_on.map(|day| day.to_string()).into()),
        ("respond_by", respond_by.into()),
    ]);
    let category = form.category.clone();
    Ok(Checked { kind, confidential, departments, accused, category, due_on, fields })
}

fn missing(text: &str) -> ErrorCode {
    if text.is_empty() { ErrorCode::Required } else { ErrorCode::NotAllowed }
}

fn category<'a>(errors: &mut FieldErrors, content: &'a Content, form: &Form) -> Option<&'a Category> {
    let category = content.category(&form.category);
    match category {
        None => errors.add("category", missing(&form.category)),
        Some(found) if !found.subs.iter().any(|sub| sub.code == form.subcategory) => {
            errors.add("subcategory", missing(&form.subcategory));
        }
        Some(_) => {}
    }
    category
}

fn codes_in(errors: &mut FieldErrors, content: &Content, form: &Form) {
    if !content.channels.iter().any(|channel| channel.code == form.channel) {
        errors.add("channel", missing(&form.channel));
    }
    for (place, code) in form.risks.iter().enumerate() {
        if !content.high_risk.iter().any(|risk| risk.code == *code) {
            errors.add(format!("risks.{place}"), ErrorCode::NotAllowed);
        }
    }
    if !form.complainant_relation.is_empty()
        && codes::name_of("relation", &form.complainant_relation).is_none()
    {
        errors.add("complainant_relation", ErrorCode::NotAllowed);
    }
}

fn complainant(errors: &mut FieldErrors, form: &Form) {
    let named = !form.complainant.reveal().trim().is_empty();
    if form.anonymous && named {
        errors.add("complainant", ErrorCode::NotAllowed);
    } else if !form.anonymous && !named {
        errors.add("complainant", ErrorCode::Required);
    }
}

fn departments(errors: &mut FieldErrors, names: &[String], required: bool) -> Vec<String> {
    let mut departments: Vec<String> = Vec::new();
    for (place, name) in names.iter().enumerate() {
        let name = name.trim();
        if name.chars().count() > SHORT {
            errors.add_with(format!("departments.{place}"), ErrorCode::TooLong, "max", SHORT);
        } else if !name.is_empty() && !departments.iter().any(|one| one == name) {
            departments.push(name.to_owned());
        }
    }
    if required && departments.is_empty() {
        errors.add("departments", ErrorCode::Required);
    } else if departments.len() > MOST {
        errors.add_with("departments", ErrorCode::TooLong, "max", MOST);
    }
    departments
}

fn accused(errors: &mut FieldErrors, people: &[AccusedPerson]) -> Vec<rules::Accused> {
    if people.len() > MOST {
        errors.add_with("accused", ErrorCode::TooLong, "max", MOST);
    }
    let mut accused = Vec::new();
    for (place, person) in people.iter().enumerate() {
        let name = person.name.reveal().trim();
        if name.is_empty() {
            errors.add(format!("accused.{place}.name"), ErrorCode::Required);
        } else if name.chars().count() > SHORT {
            errors.add_with(format!("accused.{place}.name"), ErrorCode::TooLong, "max", SHORT);
        }
        accused.push(rules::Accused {
            name: name.to_owned(),
            department: person.department.trim().to_owned(),
            staff_id: person.staff_id,
        });
    }
    accused
}

/// The event cannot come after it was told.
fn event_times(errors: &mut FieldErrors, form: &Form, received_at: i64) -> Option<String> {
    let received = when::local(received_at);
    let happened = form.happened_at.as_deref().map(str::trim).filter(|text| !text.is_empty());
    if let Some(text) = happened {
        match when::parse_clock(text) {
            None => errors.add("happened_at", ErrorCode::BadDate),
            Some(at) if at > received => errors.add("happened_at", ErrorCode::AfterReceipt),
            Some(_) => {}
        }
    }
    if let Some(text) = form.visited_on.as_deref().map(str::trim).filter(|text| !text.is_empty()) {
        match when::parse_day(text) {
            None => errors.add("visited_on", ErrorCode::BadDate),
            Some(on) if on > received.date() => errors.add("visited_on", ErrorCode::AfterReceipt),
            Some(_) => {}
        }
    }
    happened.map(str::to_owned)
}

fn deadline_rule(errors: &mut FieldErrors, content: &Content, form: &Form, departments: usize) -> String {
    if form.deadline_rule.is_empty() {
        return if departments > 1 { "multi" } else { "single" }.to_owned();
    }
    if !content.deadlines.iter().any(|rule| rule.code == form.deadline_rule) {
        errors.add("deadline_rule", ErrorCode::NotAllowed);
    }
    form.deadline_rule.clone()
}

fn phone_of(errors: &mut FieldErrors, form: &Form, rules: &Rules, kept: &Kept) -> String {
    let typed = form.complainant_phone.reveal().trim();
    if typed.is_empty() {
        return String::new();
    }
    if !kept.phone.is_empty() && typed == phone::mask(&kept.phone) {
        return kept.phone.clone();
    }
    match phone::parse(typed, Some(&rules.settings.area_code)) {
        Ok(number) => number.digits,
        Err(problem) => {
            errors.add("complainant_phone", problem.error_code());
            String::new()
        }
    }
}

fn id_of(errors: &mut FieldErrors, form: &Form, today: NaiveDate, kept: &Kept) -> String {
    let typed = form.complainant_id.reveal().trim();
    if typed.is_empty() {
        return String::new();
    }
    if !kept.id_number.is_empty() && typed == id_number::mask(&kept.id_number) {
        return kept.id_number.clone();
    }
    match id_number::parse(typed, today) {
        Ok(id) => id.number,
        Err(problem) => {
            errors.add("complainant_id", problem.error_code());
            String::new()
        }
    }
}

fn texts(errors: &mut FieldErrors, form: &Form) -> Vec<Change> {
    let personal = |text: &Personal| text.reveal().trim().to_owned();
    let plain = |text: &String| text.trim().to_owned();
    let all: [(&'static str, String, usize); 16] = [
        ("complainant", personal(&form.complainant), SHORT),
        ("complainant_relation", plain(&form.complainant_relation), SHORT),
        ("authorisation", personal(&form.authorisation), SHORT),
        ("patient_name", personal(&form.patient_name), SHORT),
        ("patient_mrn", plain(&form.patient_mrn), SHORT),
        ("patient_visit_no", plain(&form.patient_visit_no), SHORT),
        ("visit_department", plain(&form.visit_department), SHORT),
        ("doctor", plain(&form.doctor), SHORT),
        ("happened_where", plain(&form.happened_where), SHORT),
        ("summary", personal(&form.summary), LONG),
        ("demand", personal(&form.demand), LONG),
        ("evidence", personal(&form.evidence), LONG),
        ("confirmation", plain(&form.confirmation), SHORT),
        (
            "patient_sex",
            if form.patient_sex.is_empty() { "0".to_owned() } else { plain(&form.patient_sex) },
            1,
        ),
        ("visited_on", form.visited_on.as_ref().map(plain).unwrap_or_default(), SHORT),
        ("subcategory", plain(&form.subcategory), SHORT),
    ];
    if Sex::from_code(&all[13].1).is_none() {
        errors.add("patient_sex", ErrorCode::NotAllowed);
    }
    if all[9].1.is_empty() {
        errors.add("summary", ErrorCode::Required);
    }
    let mut fields: Vec<Change> = Vec::new();
    for (name, text, longest) in all {
        if text.chars().count() > longest {
            errors.add_with(name, ErrorCode::TooLong, "max", longest);
        }
        match name {
            "subcategory" => {}
            "visited_on" if text.is_empty() => fields.push((name, FieldValue::Null)),
            _ => fields.push((name, text.into())),
        }
    }
    fields
}

fn patient(errors: &mut FieldErrors, connection: &Connection, form: &Form) -> Result<Vec<Change>> {
    if form.patient_age.is_some_and(|age| age > 150) {
        errors.add("patient_age", ErrorCode::BadNumber);
    }
    let id = match form.patient_id {
        Some(id) => {
            let here: Option<i64> = db::optional(
                connection
                    .prepare_cached("SELECT 1 FROM patient WHERE id = ?1 AND removed = 0")?
                    .query_row([id], |row| row.get(0)),
            )?;
            if here.is_none() {
                errors.add("patient_id", ErrorCode::NotFound);
                None
            } else {
                Some(archive::kept_id(connection, id)?)
            }
        }
        None => None,
    };
    Ok(vec![("patient_id", id.into()), ("patient_age", form.patient_age.map(i64::from).into())])
}
