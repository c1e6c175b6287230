//! One sheet: checking, saving, and what follows from it.

use aftercare_domain::error_code::ErrorCode;
use aftercare_domain::forms::{Answers, CompiledForm};
use aftercare_domain::survey::{Channel, Kind};
use chrono::NaiveDate;
use rusqlite::{Connection, params};
use serde_json::json;
use uuid::Uuid;

use super::form::{self, Judged, Results};
use super::{SheetHead, SheetSaveRequest, SheetSaved};
use crate::app::Ctx;
use crate::change_log::{Change, SURVEY_SHEET, Writer};
use crate::error::{Error, FieldErrors, Result};
use crate::followup::recovery::{self, Recovery};
use crate::settings::{self, Settings};
use crate::{audit, db};

/// Longest number on paper, department, doctor, caller, in characters.
const SHORT: usize = 60;
/// Longest time that a sheet takes, seconds.
const LONGEST: i64 = 86_400;
/// Ratings up to this one of the question for the whole ask for a recovery, whatever the score.
const BAD_OVERALL: i64 = 2;

/// What is known of where a sheet belongs.
pub(super) struct Place {
    pub patient_id: Option<Uuid>,
    pub encounter_id: Option<Uuid>,
    pub site_id: Uuid,
    pub department: String,
    pub doctor: String,
    pub visited_on: Option<NaiveDate>,
    pub answered_on: NaiveDate,
}

/// A sheet about to be written.
pub(super) struct NewSheet<'a> {
    pub id: Uuid,
    pub channel: Channel,
    pub kind: Kind,
    pub form: &'a CompiledForm,
    pub head: &'a SheetHead,
    pub answers: &'a Answers,
    pub invite_id: Option<Uuid>,
    pub call_id: Option<Uuid>,
}

/// The id of what follows from a sheet: the same on every desk, so that it happens once.
pub(super) fn derived_id(root_id: Uuid, what: &str) -> Uuid {
    Uuid::new_v5(&root_id, what.as_bytes())
}

/// Saves a sheet from paper or the screen.
///
/// # Errors
/// `Invalid` with fields; `sheet_no` is `taken` when a sheet of this number is there and `again` is not set.
pub fn save(ctx: &Ctx, request: SheetSaveRequest) -> Result<SheetSaved> {
    ctx.write(|writer| {
        let connection = writer.connection();
        if let Some(saved) = repeated(connection, request.id)? {
            return Ok(saved);
        }
        if request.channel == Channel::Phone {
            // A call is saved with its call, or there would be a second way to telephone.
            return Err(Error::field("channel", ErrorCode::NotAllowed));
        }
        let number = request.head.sheet_no.trim();
        if !number.is_empty() && !request.again && number_is_there(connection, number, &request.form_code)? {
            return Err(Error::field("sheet_no", ErrorCode::Taken));
        }
        let form = form::load(connection, &request.form_code, request.form_version)?;
        let new = NewSheet {
            id: request.id,
            channel: request.channel,
            kind: request.kind,
            form: &form,
            head: &request.head,
            answers: &request.answers,
            invite_id: None,
            call_id: None,
        };
        write(ctx, writer, &new)
    })
}

fn repeated(connection: &Connection, id: Uuid) -> Result<Option<SheetSaved>> {
    let settings = settings::load(connection)?;
    let found = connection
        .prepare_cached("SELECT root_id, points, results FROM survey_sheet WHERE id = ?1")?
        .query_row([id], |row| {
            Ok((row.get::<_, Uuid>("root_id")?, row.get("points")?, row.get::<_, String>("results")?))
        });
    let Some((root_id, points, results)) = db::optional(found)? else { return Ok(None) };
    let results: Results = serde_json::from_str(&results)?;
    Ok(Some(SheetSaved {
        id,
        score: form::hundred(points, &settings),
        invalid: None,
        recovery: recovery::is_open_or_done(connection, derived_id(root_id, "recovery"))?,
        low: false,
        alerts: results.alerts,
    }))
}

/// Whether a sheet of this number counts for this questionnaire.
fn number_is_there(connection: &Connection, number: &str, form_code: &str) -> Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM survey_sheet AS sheet
                 JOIN survey_standing ON survey_standing.sheet_id = sheet.id AND survey_standing.root_id = sheet.root_id
                 WHERE sheet.sheet_no = ?1 AND sheet.form_code = ?2 AND sheet.withdrawn = 0)";
    Ok(connection.prepare_cached(sql)?.query_row(params![number, form_code], |row| row.get(0))?)
}

/// Checks and writes a first sheet with what follows from it.
pub(super) fn write(ctx: &Ctx, writer: &mut Writer<'_>, new: &NewSheet<'_>) -> Result<SheetSaved> {
    let settings = settings::load(writer.connection())?;
    let mut errors = FieldErrors::default();
    let place = place(ctx, writer.connection(), &mut errors, new.head)?;
    let judged = form::judge(&mut errors, new.form, new.answers, new.head.seconds, &settings);
    errors.check()?;
    let place = place.ok_or_else(|| Error::field("head.answered_on", ErrorCode::BadDate))?;
    let (caller, caller_id) = caller(ctx, new.head);
    let mut fields = fields(writer, new, &place, &judged)?;
    fields.extend([
        ("entered_at", writer.now_millis().into()),
        ("root_id", new.id.into()),
        ("caller", caller.into()),
        ("caller_id", caller_id.into()),
    ]);
    writer.create(&SURVEY_SHEET, new.id, &fields)?;
    let saved = follow(writer, new, new.id, &place, &judged, &settings)?;
    let detail = json!({
        "channel": new.channel.as_str(), "valid": judged.invalid.is_none(), "recovery": saved.recovery,
        "alerts": saved.alerts.len(),
    });
    let (now, user) = (writer.now_millis(), writer.user());
    audit::append(writer.connection(), now, user, "surveys.sheet_save", Some(new.id), &detail)?;
    Ok(saved)
}

fn caller(ctx: &Ctx, head: &SheetHead) -> (String, Option<Uuid>) {
    match head.caller.trim() {
        "" => (ctx.session.user.display_name.clone(), Some(ctx.user_id())),
        name => (name.to_owned(), None),
    }
}

pub(super) fn fields(
    writer: &Writer<'_>,
    new: &NewSheet<'_>,
    place: &Place,
    judged: &Judged,
) -> Result<Vec<Change>> {
    let form = new.form.form();
    Ok(vec![
        ("round_id", new.head.round_id.into()),
        ("invite_id", new.invite_id.into()),
        ("call_id", new.call_id.into()),
        ("kind", new.kind.as_str().into()),
        ("form_code", form.code.as_str().into()),
        ("form_version", i64::from(form.version).into()),
        ("channel", new.channel.as_str().into()),
        ("sheet_no", new.head.sheet_no.trim().into()),
        ("patient_id", place.patient_id.into()),
        ("encounter_id", place.encounter_id.into()),
        ("site_id", place.site_id.into()),
        ("department", place.department.as_str().into()),
        ("doctor", place.doctor.as_str().into()),
        ("visited_on", place.visited_on.map(|day| day.to_string()).into()),
        ("answered_on", place.answered_on.to_string().into()),
        ("seconds", new.head.seconds.into()),
        ("answers", serde_json::to_string(new.answers)?.into()),
        ("results", serde_json::to_string(&judged.results())?.into()),
        ("points", judged.score.points.into()),
        ("valid", judged.invalid.is_none().into()),
        ("invalid_reason", judged.invalid.map(|why| why.as_str()).into()),
        ("nps", judged.score.nps.into()),
        ("overall", judged.score.overall.into()),
        ("come_back", judged.score.come_back.as_deref().into()),
        ("lowest", judged.score.lowest.into()),
        ("entered_by", writer.user().into()),
    ])
}

/// Where a sheet belongs: what was given, else what the stay says. `None` when a date is wrong.
pub(super) fn place(
    ctx: &Ctx,
    connection: &Connection,
    errors: &mut FieldErrors,
    head: &SheetHead,
) -> Result<Option<Place>> {
    let today = ctx.local_now().date();
    for (field, text) in [
        ("head.sheet_no", &head.sheet_no),
        ("head.department", &head.department),
        ("head.doctor", &head.doctor),
        ("head.caller", &head.caller),
    ] {
        if text.trim().chars().count() > SHORT {
            errors.add_with(field, ErrorCode::TooLong, "max", SHORT);
        }
    }
    if head.seconds.is_some_and(|seconds| !(0..=LONGEST).contains(&seconds)) {
        errors.add("head.seconds", ErrorCode::BadNumber);
    }
    if let Some(round) = head.round_id {
        let open = connection
            .prepare_cached("SELECT status FROM survey_round WHERE id = ?1")?
            .query_row([round], |row| row.get::<_, String>("status"));
        if db::optional(open)?.as_deref() != Some("open") {
            errors.add("head.round_id", ErrorCode::NotAllowed);
        }
    }
    let stay = stay(connection, errors, head)?;
    let mut day = |field: &str, text: &Option<String>| {
        let text = text.as_deref().map(str::trim).filter(|text| !text.is_empty())?;
        form::day(errors, field, text)
    };
    let visited_on =
        day("head.visited_on", &head.visited_on).or_else(|| stay.as_ref().and_then(|stay| stay.visited_on));
    let given = day("head.answered_on", &head.answered_on);
    let wanted = head.answered_on.as_deref().is_some_and(|text| !text.trim().is_empty());
    let answered_on = if wanted { given } else { Some(today) };
    if visited_on.is_some_and(|day| day > today) {
        errors.add("head.visited_on", ErrorCode::InFuture);
    }
    match (answered_on, visited_on) {
        (Some(answered), _) if answered > today => errors.add("head.answered_on", ErrorCode::InFuture),
        (Some(answered), Some(visited)) if answered < visited => {
            errors.add("head.answered_on", ErrorCode::BeforeVisit);
        }
        _ => {}
    }
    let or = |given: &str, of_stay: Option<String>| {
        if given.trim().is_empty() { of_stay.unwrap_or_default() } else { given.trim().to_owned() }
    };
    let department = or(&head.department, stay.as_ref().map(|stay| stay.department.clone()));
    if department.is_empty() {
        errors.add("head.department", ErrorCode::Required);
    }
    let doctor = or(&head.doctor, stay.as_ref().map(|stay| stay.doctor.clone()));
    let site_id = site(connection, head.patient_id)?;
    Ok(answered_on.map(|answered_on| Place {
        patient_id: head.patient_id,
        encounter_id: head.encounter_id,
        site_id,
        department,
        doctor,
        visited_on,
        answered_on,
    }))
}

struct Stay {
    department: String,
    doctor: String,
    visited_on: Option<NaiveDate>,
}

/// The stay that was named, which must be the patient's; the patient must be here.
fn stay(connection: &Connection, errors: &mut FieldErrors, head: &SheetHead) -> Result<Option<Stay>> {
    if let Some(patient) = head.patient_id {
        let found = connection
            .prepare_cached("SELECT 1 FROM patient WHERE id = ?1 AND removed = 0")?
            .query_row([patient], |row| row.get::<_, i64>(0));
        if db::optional(found)?.is_none() {
            errors.add("head.patient_id", ErrorCode::NotFound);
        }
    }
    let Some(id) = head.encounter_id else { return Ok(None) };
    let found = connection
        .prepare_cached(
            "SELECT patient_id, department, coalesce(doctor, '') AS doctor,
                    coalesce(discharged_on, substr(admitted_at, 1, 10)) AS visited_on
             FROM encounter WHERE id = ?1 AND removed = 0",
        )?
        .query_row([id], |row| {
            let on: Option<String> = row.get("visited_on")?;
            Ok((
                row.get::<_, Uuid>("patient_id")?,
                Stay {
                    department: row.get("department")?,
                    doctor: row.get("doctor")?,
                    visited_on: on.and_then(|on| NaiveDate::parse_from_str(&on, "%Y-%m-%d").ok()),
                },
            ))
        });
    match db::optional(found)? {
        Some((patient, stay)) if head.patient_id == Some(patient) => Ok(Some(stay)),
        _ => {
            errors.add("head.encounter_id", ErrorCode::NotFound);
            Ok(None)
        }
    }
}

fn site(connection: &Connection, patient: Option<Uuid>) -> Result<Uuid> {
    let of_patient: Option<Option<Uuid>> = match patient {
        Some(id) => db::optional(
            connection
                .prepare_cached("SELECT site_id FROM patient WHERE id = ?1")?
                .query_row([id], |row| row.get("site_id")),
        )?,
        None => None,
    };
    match of_patient.flatten() {
        Some(site) => Ok(site),
        None => Ok(connection
            .prepare_cached("SELECT site_id FROM desk")?
            .query_row([], |row| row.get("site_id"))?),
    }
}

/// Opens the recovery and raises the alerts, each once for a root.
pub(super) fn follow(
    writer: &mut Writer<'_>,
    new: &NewSheet<'_>,
    root_id: Uuid,
    place: &Place,
    judged: &Judged,
    settings: &Settings,
) -> Result<SheetSaved> {
    let score = form::hundred(judged.score.points, settings);
    let below = score.is_some_and(|score| score < f64::from(settings.survey_low_score));
    let bad = judged.score.overall.is_some_and(|overall| overall <= BAD_OVERALL);
    let low = settings.survey_low_score > 0 && (below || bad);
    let mut saved =
        SheetSaved { id: new.id, score, invalid: judged.invalid, recovery: false, low, alerts: Vec::new() };
    let Some(patient_id) = place.patient_id else { return Ok(saved) };
    if low {
        let remark = remark(place, score);
        let wanted = Recovery {
            id: derived_id(root_id, "recovery"),
            patient_id,
            encounter_id: place.encounter_id,
            remark: &remark,
        };
        recovery::open(writer, &wanted)?;
        saved.recovery = recovery::is_open_or_done(writer.connection(), wanted.id)?;
    }
    let form = new.form.form();
    for raised in &judged.evaluation.alerts {
        let Some(rule) = form.alerts.iter().find(|rule| rule.code == raised.code) else { continue };
        let id = derived_id(root_id, &rule.code);
        if recovery::raise(writer, id, patient_id, (&form.code, form.version), rule)? {
            saved.alerts.push(rule.code.clone());
        }
    }
    Ok(saved)
}

/// What the caller reads in the worklist beside the kind of task: score, department, day.
fn remark(place: &Place, score: Option<f64>) -> String {
    let score = score.map_or_else(|| "—".to_owned(), |score| format!("{score:.1}"));
    format!("{score} · {} · {}", place.department, place.answered_on)
}
