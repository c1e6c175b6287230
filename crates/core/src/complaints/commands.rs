//! Permission, validation and audit of complaints.

use aftercare_domain::calendar::Certainty;
use aftercare_domain::complaint::{self as rules, ComplaintStatus};
use aftercare_domain::error_code::ErrorCode;
use aftercare_domain::phone;
use chrono::Datelike;
use rusqlite::Connection;
use serde_json::{Map, json};
use uuid::Uuid;

use super::form::{self, Kept};
use super::viewer::Viewer;
use super::when::{self, Rules};
use super::{
    AmendRequest, Board, BoardRequest, ContentRequest, ContentResponse, DeadlineRequest, DeadlineResponse,
    Detail, Dossier, Figures, FiguresRequest, Form, ListRequest, ListResponse, MoveRequest, NoteRequest,
    OpenRequest, PeopleRequest, PeopleResponse, PrefillRequest, PrefillResponse, PromiseKeptRequest,
    PromiseRequest, RegisterRequest, RegisterResponse, RevealField, RevealRequest, RevealResponse, content,
    dossier, figures, list, moves, notes, number, open, people, similar, steps, store,
};
use crate::app::Ctx;
use crate::audit;
use crate::change_log::{COMPLAINT, Change, Writer};
use crate::commands::Done;
use crate::error::{Error, FieldErrors, Result};
use crate::{archive, db, surveys};

/// Longest name of the first receiver, in characters.
const SHORT: usize = 100;

/// The tables of complaints.
pub fn tables(ctx: &Ctx, _: ContentRequest) -> Result<ContentResponse> {
    ctx.read(|connection| {
        let rules = Rules::load(connection)?;
        Ok(ContentResponse {
            content: content()?,
            days: ["spot", "single", "multi"].map(|rule| rules.days(rule)),
        })
    })
}

/// Colleagues and departments.
pub fn people(ctx: &Ctx, _: PeopleRequest) -> Result<PeopleResponse> {
    ctx.read(people::choices)
}

/// Registers a complaint, praise or suggestion.
///
/// # Errors
/// `Invalid` with the fields of the form.
pub fn register(ctx: &Ctx, request: RegisterRequest) -> Result<RegisterResponse> {
    ctx.write(|writer| {
        let connection = writer.connection();
        let rules = Rules::load(connection)?;
        let mut errors = FieldErrors::default();
        let received_at = received_at(&mut errors, request.received_at.as_deref(), writer.now_millis());
        let (receiver, department) = first_receiver(&mut errors, connection, writer.user(), &request)?;
        let checked =
            form::check(&mut errors, connection, &request.form, received_at, &rules, &Kept::default())?;
        linked(&mut errors, connection, &request)?;
        errors.check()?;
        let received_on = when::day(received_at);
        let number = number::next(connection, writer.device(), received_on)?;
        let (id, step_id) = (writer.new_id(), writer.new_id());
        let site: Uuid =
            connection.prepare_cached("SELECT site_id FROM desk")?.query_row([], |row| row.get("site_id"))?;
        let mut fields: Vec<Change> = checked.fields;
        fields.extend([
            ("number", number.as_str().into()),
            ("received_at", received_at.into()),
            ("received_on", received_on.to_string().into()),
            ("first_receiver", receiver.into()),
            ("first_department", department.into()),
            ("registered_at", writer.now_millis().into()),
            ("registered_by", writer.user().into()),
            ("site_id", site.into()),
            ("call_id", request.call_id.into()),
            ("alert_id", request.alert_id.into()),
            ("response_id", response_of(connection, request.alert_id)?.into()),
            ("status", ComplaintStatus::Registered.as_str().into()),
            ("last_step", step_id.into()),
            ("steps", 1_i64.into()),
            ("edited_at", writer.now_millis().into()),
        ]);
        writer.create(&COMPLAINT, id, &fields)?;
        first_step(writer, id, step_id, &number, checked.due_on.map(|day| day.to_string()))?;
        let (similar, signal) =
            similar::is_signal(writer.connection(), &checked.departments, &checked.category, received_on)?;
        let detail =
            json!({ "kind": checked.kind.as_str(), "signal": signal, "confidential": checked.confidential });
        audit::append(
            writer.connection(),
            writer.now_millis(),
            writer.user(),
            "complaints.register",
            Some(id),
            &detail,
        )?;
        let due_on = checked.due_on.map(|day| day.to_string());
        Ok(RegisterResponse { id, number, due_on, similar, signal })
    })
}

fn first_step(
    writer: &mut Writer<'_>,
    id: Uuid,
    step_id: Uuid,
    number: &str,
    due_on: Option<String>,
) -> Result<()> {
    let none = steps::End { last: None, hash: Vec::new(), count: 0 };
    let mut body =
        Map::from_iter([("number".to_owned(), json!(number)), ("due_on".to_owned(), json!(due_on))]);
    // What was told at first is part of the chain: a later correction shows beside it.
    let sql = "SELECT received_at, first_receiver, category, subcategory, severity, departments, accused, summary, demand
               FROM complaint WHERE id = ?1";
    let told = writer.connection().prepare_cached(sql)?.query_row([id], |row| {
        Ok(json!({
            "received_at": row.get::<_, i64>("received_at")?,
            "first_receiver": row.get::<_, String>("first_receiver")?,
            "category": row.get::<_, String>("category")?,
            "subcategory": row.get::<_, String>("subcategory")?,
            "severity": row.get::<_, String>("severity")?,
            "departments": row.get::<_, String>("departments")?,
            "accused": row.get::<_, String>("accused")?,
            "summary": row.get::<_, String>("summary")?,
            "demand": row.get::<_, String>("demand")?,
        }))
    })?;
    body.insert("told".to_owned(), told);
    steps::append(writer, id, step_id, &none, "register", body)
}

/// When it was received: not in the future, not before there were computers to write it down.
fn received_at(errors: &mut FieldErrors, text: Option<&str>, now: i64) -> i64 {
    let Some(text) = text.map(str::trim).filter(|text| !text.is_empty()) else { return now };
    match when::parse_clock(text).map(|at| (at, when::instant(at))) {
        Some((_, at)) if at > now => errors.add("received_at", ErrorCode::InFuture),
        Some((local, at)) if local.date().year() >= 2000 => return at,
        _ => errors.add("received_at", ErrorCode::BadDate),
    }
    now
}

fn first_receiver(
    errors: &mut FieldErrors,
    connection: &Connection,
    user: Uuid,
    request: &RegisterRequest,
) -> Result<(String, String)> {
    for (field, text) in
        [("first_receiver", &request.first_receiver), ("first_department", &request.first_department)]
    {
        if text.trim().chars().count() > SHORT {
            errors.add_with(field, ErrorCode::TooLong, "max", SHORT);
        }
    }
    if !request.first_receiver.trim().is_empty() {
        return Ok((request.first_receiver.trim().to_owned(), request.first_department.trim().to_owned()));
    }
    Ok(connection
        .prepare_cached("SELECT display_name, department FROM staff WHERE id = ?1")?
        .query_row([user], |row| Ok((row.get("display_name")?, row.get("department")?)))?)
}

/// The alert must be here. The call need not: it may be saved only after what was said in it was registered.
fn linked(errors: &mut FieldErrors, connection: &Connection, request: &RegisterRequest) -> Result<()> {
    let Some(id) = request.alert_id else { return Ok(()) };
    let found = connection
        .prepare_cached("SELECT 1 FROM alert WHERE id = ?1")?
        .query_row([id], |row| row.get::<_, i64>(0));
    if db::optional(found)?.is_none() {
        errors.add("alert_id", ErrorCode::NotFound);
    }
    Ok(())
}

fn response_of(connection: &Connection, alert_id: Option<Uuid>) -> Result<Option<Uuid>> {
    let Some(id) = alert_id else { return Ok(None) };
    let found = connection
        .prepare_cached("SELECT response_id FROM alert WHERE id = ?1")?
        .query_row([id], |row| row.get("response_id"));
    Ok(db::optional(found)?.flatten())
}

/// Where a form begins that comes from a patient, an alert or a survey sheet.
///
/// # Errors
/// `NotFound`.
pub fn prefill(ctx: &Ctx, request: PrefillRequest) -> Result<PrefillResponse> {
    let today = ctx.local_now().date();
    ctx.read(|connection| {
        let mut form = Form { channel: "phone".to_owned(), severity: "C".to_owned(), ..Form::default() };
        let (mut patient, mut call_id) = (request.patient_id, None);
        if let Some(alert) = request.alert_id {
            let (of, response): (Uuid, Option<Uuid>) = connection
                .prepare_cached("SELECT patient_id, response_id FROM alert WHERE id = ?1")?
                .query_row([alert], |row| Ok((row.get("patient_id")?, row.get("response_id")?)))?;
            patient = Some(of);
            form.channel = "followup".to_owned();
            if let Some(response) = response {
                let found = connection
                    .prepare_cached("SELECT call_id FROM response WHERE id = ?1")?
                    .query_row([response], |row| row.get("call_id"));
                call_id = db::optional(found)?.flatten();
            }
        }
        let sheet = match request.sheet_id {
            Some(id) => Some(surveys::told(connection, id)?),
            None => None,
        };
        if let Some(sheet) = &sheet {
            patient = sheet.patient_id.or(patient);
            call_id = sheet.call_id.or(call_id);
            form.channel = "followup".to_owned();
        }
        if let Some(id) = patient {
            of_patient(connection, id, today, &mut form)?;
        }
        if let Some(sheet) = sheet {
            // What the sheet is about counts, not the patient's last stay.
            form.departments = vec![sheet.department.clone()];
            form.visit_department = sheet.department;
            form.doctor = sheet.doctor;
            form.visited_on = sheet.visited_on.or(form.visited_on);
            form.summary = sheet.comments.into();
        }
        Ok(PrefillResponse { form, call_id })
    })
}

fn of_patient(connection: &Connection, id: Uuid, today: chrono::NaiveDate, form: &mut Form) -> Result<()> {
    let brief = archive::patient_brief(connection, id, today)?;
    form.patient_id = Some(brief.id);
    form.complainant = brief.name.clone();
    form.complainant_relation = "0".to_owned();
    form.patient_name = brief.name;
    form.patient_sex = brief.sex;
    form.patient_age = brief.age_years.and_then(|age| u16::try_from(age).ok());
    form.patient_mrn = brief.mrn.unwrap_or_default();
    let last = connection.prepare_cached(include_str!("sql/last_stay.sql"))?.query_row([brief.id], |row| {
        Ok((
            row.get::<_, String>("department")?,
            row.get::<_, Option<String>>("visit_no")?,
            row.get::<_, Option<String>>("doctor")?,
            row.get::<_, Option<String>>("last_on")?,
        ))
    });
    if let Some((department, visit_no, doctor, on)) = db::optional(last)? {
        if !department.is_empty() {
            form.departments = vec![department.clone()];
        }
        form.visit_department = department;
        form.patient_visit_no = visit_no.unwrap_or_default();
        form.doctor = doctor.unwrap_or_default();
        form.visited_on = on;
    }
    Ok(())
}

/// A page of complaints.
///
/// # Errors
/// `Invalid` with `limit` or `cursor`.
pub fn list(ctx: &Ctx, request: ListRequest) -> Result<ListResponse> {
    list::page(ctx, &request)
}

/// The numbers of the board.
pub fn board(ctx: &Ctx, _: BoardRequest) -> Result<Board> {
    list::board(ctx)
}

/// Opens a complaint.
///
/// # Errors
/// `NotFound`.
pub fn open(ctx: &Ctx, request: OpenRequest) -> Result<Detail> {
    let detail = ctx.read(|connection| open::detail(ctx, connection, request.id))?;
    ctx.audit("complaints.read", Some(request.id), json!({}))?;
    Ok(detail)
}

fn shown(ctx: &Ctx, id: Uuid) -> Result<Detail> {
    ctx.read(|connection| open::detail(ctx, connection, id))
}

/// Moves a complaint on.
///
/// # Errors
/// `NotFound`, `Conflict`, `Invalid` with fields, the judge's refusals.
pub fn make_move(ctx: &Ctx, request: MoveRequest) -> Result<Detail> {
    moves::make(ctx, &request)?;
    shown(ctx, request.id)
}

/// Corrects what was registered.
///
/// # Errors
/// As [`make_move`].
pub fn amend(ctx: &Ctx, request: AmendRequest) -> Result<Detail> {
    moves::amend(ctx, &request)?;
    shown(ctx, request.id)
}

/// Adds a note.
///
/// # Errors
/// `NotFound`, `Invalid` with `body`.
pub fn note(ctx: &Ctx, request: NoteRequest) -> Result<Detail> {
    notes::add(ctx, &request)?;
    shown(ctx, request.id)
}

/// Makes a promise.
///
/// # Errors
/// `NotFound`, `Invalid` with fields.
pub fn promise(ctx: &Ctx, request: PromiseRequest) -> Result<Detail> {
    notes::promise(ctx, &request)?;
    shown(ctx, request.id)
}

/// Says that a promise was kept.
///
/// # Errors
/// `NotFound`, `Conflict`, `Invalid` with `how`.
pub fn promise_kept(ctx: &Ctx, request: PromiseKeptRequest) -> Result<Detail> {
    let id = notes::kept(ctx, &request)?;
    shown(ctx, id)
}

/// Shows the complainant's phone or ID number in full; the audit line is written before the value leaves.
///
/// # Errors
/// `NotFound`.
pub fn reveal(ctx: &Ctx, request: RevealRequest) -> Result<RevealResponse> {
    ctx.write(|writer| {
        let viewer = Viewer::of(ctx, writer.connection())?;
        store::load(writer.connection(), request.id, &viewer)?;
        let sql = match request.field {
            RevealField::Phone => "SELECT complainant_phone AS value FROM complaint WHERE id = ?1",
            RevealField::IdNumber => "SELECT complainant_id AS value FROM complaint WHERE id = ?1",
        };
        let value: String =
            writer.connection().prepare_cached(sql)?.query_row([request.id], |row| row.get("value"))?;
        if value.is_empty() {
            return Err(Error::new(ErrorCode::NotFound));
        }
        let shown = match request.field {
            RevealField::Phone => {
                phone::parse(&value, None).map_or_else(|_| value.clone(), |p| phone::display(&p))
            }
            RevealField::IdNumber => value,
        };
        let detail = json!({ "field": request.field });
        let (now, user) = (writer.now_millis(), writer.user());
        audit::append(writer.connection(), now, user, "complaints.reveal", Some(request.id), &detail)?;
        Ok(RevealResponse { value: shown.into() })
    })
}

/// What is printed of a complaint.
///
/// # Errors
/// `NotFound`.
pub fn dossier(ctx: &Ctx, request: OpenRequest) -> Result<Dossier> {
    dossier::make(ctx, &request)
}

/// Says that a dossier was printed.
///
/// # Errors
/// `NotFound`.
pub fn dossier_printed(ctx: &Ctx, request: OpenRequest) -> Result<Done> {
    ctx.read(|connection| {
        let viewer = Viewer::of(ctx, connection)?;
        store::load(connection, request.id, &viewer).map(|_| ())
    })?;
    ctx.audit("complaints.dossier_printed", Some(request.id), json!({}))?;
    Ok(Done {})
}

/// Figures of a period.
///
/// # Errors
/// `Invalid` with `from` or `to`.
pub fn figures(ctx: &Ctx, request: FiguresRequest) -> Result<Figures> {
    figures::of(ctx, &request)
}

/// Most working days that a deadline is reckoned for.
const MOST_DAYS: u32 = 1000;

/// Until when something received on a day must be answered, by the hospital's calendar.
///
/// # Errors
/// `Invalid` with `from` or `days`.
pub fn deadline(ctx: &Ctx, request: DeadlineRequest) -> Result<DeadlineResponse> {
    let from = when::parse_day(&request.from).ok_or_else(|| Error::field("from", ErrorCode::BadDate))?;
    if request.days > MOST_DAYS {
        return Err(Error::field("days", ErrorCode::BadNumber));
    }
    ctx.read(|connection| {
        let due = rules::deadline(&Rules::load(connection)?.calendar, from, request.days);
        let unconfirmed = due.certainty == Certainty::BeyondKnownYear;
        Ok(DeadlineResponse { due_on: due.date.to_string(), unconfirmed })
    })
}
