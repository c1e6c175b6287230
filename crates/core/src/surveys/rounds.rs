//! Rounds: whom to ask, drawn once and kept.

use std::collections::BTreeMap;

use aftercare_domain::error_code::ErrorCode;
use aftercare_domain::followup::PhoneState;
use aftercare_domain::phone;
use aftercare_domain::survey::{Candidate, Exclusion, Kind, draw};
use chrono::{Days, NaiveDate};
use rusqlite::{Connection, Row, params};
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::{
    Frame, LeftOut, Method, Preview, PreviewDepartment, Round, RoundMakeRequest, RoundRequest, RoundsRequest,
    RoundsResponse, form, rows,
};
use crate::app::Ctx;
use crate::change_log::{SURVEY_INVITE, SURVEY_ROUND, Writer};
use crate::error::{Error, FieldErrors, Result};
use crate::{audit, followup, settings};

/// Longest period that is drawn from, days.
const MOST_DAYS: i64 = 370;
/// Most people of one round.
const MOST_INVITES: usize = 20_000;
/// Longest name, in characters.
const TITLE: usize = 80;

/// What is kept of a draw.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Counts {
    #[serde(default)]
    frame: usize,
    #[serde(default)]
    left_out: Vec<LeftOut>,
}

/// A stay with what the draw needs and what the invitation keeps.
struct Stay {
    candidate: Candidate,
    site_id: Uuid,
    doctor: String,
    visited_on: String,
}

fn word(method: Method) -> &'static str {
    match method {
        Method::Sample => "sample",
        Method::All => "all",
        Method::Open => "open",
    }
}

fn method(word: &str) -> Method {
    match word {
        "sample" => Method::Sample,
        "all" => Method::All,
        _ => Method::Open,
    }
}

struct Period {
    from: NaiveDate,
    to: NaiveDate,
}

fn check(ctx: &Ctx, frame: &Frame) -> Result<Period> {
    let today = ctx.local_now().date();
    let mut errors = FieldErrors::default();
    let from = form::day(&mut errors, "frame.visits_from", &frame.visits_from);
    let to = form::day(&mut errors, "frame.visits_to", &frame.visits_to);
    if let (Some(from), Some(to)) = (from, to) {
        if to < from || (to - from).num_days() > MOST_DAYS {
            errors.add("frame.visits_to", ErrorCode::BadDate);
        } else if to > today && frame.method != Method::Open {
            errors.add("frame.visits_to", ErrorCode::InFuture);
        }
    }
    if frame.method == Method::Sample && !(1..=1000).contains(&frame.per_department) {
        errors.add("frame.per_department", ErrorCode::BadNumber);
    }
    errors.check()?;
    match (from, to) {
        (Some(from), Some(to)) => Ok(Period { from, to }),
        _ => Err(Error::field("frame.visits_from", ErrorCode::BadDate)),
    }
}

const STAYS: &str = include_str!("sql/frame.sql");

/// Every stay or visit of the days, with what keeps it from being drawn.
fn stays(connection: &Connection, kind: Kind, period: &Period, today: NaiveDate) -> Result<Vec<Stay>> {
    let settings = settings::load(connection)?;
    let lately = today - Days::new(u64::from(settings.survey_repeat_days));
    let kind = if kind == Kind::Inpatient { "inpatient" } else { "outpatient" };
    let after = period.to + Days::new(1);
    let home: Uuid =
        connection.prepare_cached("SELECT site_id FROM desk")?.query_row([], |row| row.get("site_id"))?;
    let mut statement = connection.prepare_cached(STAYS)?;
    let found = statement.query_map(
        params![kind, period.from.to_string(), period.to.to_string(), after.to_string(), lately.to_string()],
        |row| stay(row, home, today),
    )?;
    let mut stays: Vec<Stay> = found.collect::<rusqlite::Result<_>>()?;
    for stay in &mut stays {
        let one = &mut stay.candidate;
        (one.phone, one.guardian_phone) = phones(connection, one.patient_id)?;
        one.refused = one.refused || followup::consent_withdrawn(connection, one.patient_id)?;
    }
    Ok(stays)
}

fn stay(row: &Row<'_>, home: Uuid, today: NaiveDate) -> rusqlite::Result<Stay> {
    let birth: Option<String> = row.get("birth_on")?;
    let birth = birth.and_then(|text| NaiveDate::parse_from_str(&text, "%Y-%m-%d").ok());
    let age_text: Option<String> = row.get("age_text")?;
    Ok(Stay {
        candidate: Candidate {
            encounter_id: row.get("encounter_id")?,
            patient_id: row.get("patient_id")?,
            department: row.get("department")?,
            deceased: row.get("deceased")?,
            refused: row.get("refused")?,
            not_a_person: row.get("not_a_person")?,
            staff: row.get("staff")?,
            age: followup::age(birth, age_text.as_deref(), today),
            phone: false,
            guardian_phone: false,
            surveyed_lately: row.get("surveyed_lately")?,
        },
        site_id: row.get::<_, Option<Uuid>>("site_id")?.unwrap_or(home),
        doctor: row.get("doctor")?,
        visited_on: row.get("visited_on")?,
    })
}

/// Whether there is a number that can be called, and one of somebody else's.
fn phones(connection: &Connection, patient_id: Uuid) -> Result<(bool, bool)> {
    let sql = "SELECT number, relation, state FROM phone WHERE patient_id = ?1 AND removed = 0";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([patient_id])?;
    let (mut any, mut other) = (false, false);
    while let Some(row) = rows.next()? {
        let usable = PhoneState::parse(row.get_ref("state")?.as_str().unwrap_or_default()).is_usable();
        let number: String = row.get("number")?;
        if usable && phone::parse(&number, None).is_ok_and(|parsed| parsed.kind.is_callable()) {
            any = true;
            other |= row.get_ref("relation")?.as_str().unwrap_or_default() != "0";
        }
    }
    Ok((any, other))
}

fn drawn<'a>(stays: &'a [Stay], frame: &Frame) -> (Vec<&'a Stay>, BTreeMap<Exclusion, usize>) {
    let candidates: Vec<Candidate> = stays.iter().map(|stay| stay.candidate.clone()).collect();
    let per = (frame.method == Method::Sample).then_some(frame.per_department as usize);
    let (chosen, left_out) = draw(&candidates, per, u64::from(frame.seed));
    let by_id: BTreeMap<Uuid, &Stay> = stays.iter().map(|stay| (stay.candidate.encounter_id, stay)).collect();
    let chosen = chosen.iter().filter_map(|one| by_id.get(&one.encounter_id).copied()).collect();
    (chosen, left_out)
}

fn listed(left_out: BTreeMap<Exclusion, usize>) -> Vec<LeftOut> {
    left_out.into_iter().map(|(why, count)| LeftOut { why, count }).collect()
}

/// What a draw would give, without writing anything.
///
/// # Errors
/// `Invalid` with the frame's fields.
pub fn preview(ctx: &Ctx, frame: Frame) -> Result<Preview> {
    let period = check(ctx, &frame)?;
    let today = ctx.local_now().date();
    ctx.read(|connection| {
        let stays = if frame.method == Method::Open {
            Vec::new()
        } else {
            stays(connection, frame.kind, &period, today)?
        };
        let (chosen, left_out) = drawn(&stays, &frame);
        let mut departments: BTreeMap<&str, PreviewDepartment> = BTreeMap::new();
        for (stay, is_drawn) in
            stays.iter().map(|stay| (stay, false)).chain(chosen.iter().map(|stay| (*stay, true)))
        {
            let name = stay.candidate.department.as_str();
            let line = departments.entry(name).or_insert_with(|| PreviewDepartment {
                department: name.to_owned(),
                frame: 0,
                drawn: 0,
            });
            if is_drawn { line.drawn += 1 } else { line.frame += 1 }
        }
        let mut departments: Vec<PreviewDepartment> = departments.into_values().collect();
        departments.sort_by(|a, b| b.frame.cmp(&a.frame).then_with(|| a.department.cmp(&b.department)));
        Ok(Preview { frame: stays.len(), drawn: chosen.len(), left_out: listed(left_out), departments })
    })
}

/// Makes a round and draws its sample.
///
/// # Errors
/// `Invalid` with fields.
pub fn make(ctx: &Ctx, request: RoundMakeRequest) -> Result<Round> {
    let period = check(ctx, &request.frame)?;
    let frame = &request.frame;
    let title = request.title.trim();
    let mut errors = FieldErrors::default();
    if title.is_empty() {
        errors.add("title", ErrorCode::Required);
    } else if title.chars().count() > TITLE {
        errors.add_with("title", ErrorCode::TooLong, "max", TITLE);
    }
    if request.handed_out > 1_000_000 {
        errors.add("handed_out", ErrorCode::BadNumber);
    }
    errors.check()?;
    let today = ctx.local_now().date();
    ctx.write(|writer| {
        let connection = writer.connection();
        let form = form::load(connection, &request.form_code, None)?;
        let stays = if frame.method == Method::Open {
            Vec::new()
        } else {
            stays(connection, frame.kind, &period, today)?
        };
        let (chosen, left_out) = drawn(&stays, frame);
        if chosen.is_empty() && frame.method != Method::Open {
            return Err(Error::field("frame.visits_to", ErrorCode::NobodyDrawn));
        }
        if chosen.len() > MOST_INVITES {
            return Err(
                Error::field("frame.per_department", ErrorCode::TooManyRows).with("limit", MOST_INVITES)
            );
        }
        let counts = Counts { frame: stays.len(), left_out: listed(left_out) };
        let home: Uuid =
            connection.prepare_cached("SELECT site_id FROM desk")?.query_row([], |row| row.get("site_id"))?;
        let id = writer.new_id();
        let fields = [
            ("title", title.into()),
            ("kind", frame.kind.as_str().into()),
            ("form_code", form.form().code.as_str().into()),
            ("form_version", i64::from(form.form().version).into()),
            ("visits_from", period.from.to_string().into()),
            ("visits_to", period.to.to_string().into()),
            ("method", word(frame.method).into()),
            ("seed", i64::from(frame.seed).into()),
            ("per_department", i64::from(frame.per_department).into()),
            ("counts", serde_json::to_string(&counts)?.into()),
            ("handed_out", i64::from(request.handed_out).into()),
            ("site_id", home.into()),
            ("status", "open".into()),
            ("made_at", writer.now_millis().into()),
            ("made_by", writer.user().into()),
        ];
        writer.create(&SURVEY_ROUND, id, &fields)?;
        invite(writer, id, frame.kind, &chosen, today)?;
        let detail = json!({ "frame": stays.len(), "drawn": chosen.len(), "seed": frame.seed });
        let (now, user) = (writer.now_millis(), writer.user());
        audit::append(writer.connection(), now, user, "surveys.round_make", Some(id), &detail)?;
        one(writer.connection(), id)
    })
}

fn invite(
    writer: &mut Writer<'_>,
    round_id: Uuid,
    kind: Kind,
    chosen: &[&Stay],
    today: NaiveDate,
) -> Result<()> {
    for (place, stay) in (1_i64..).zip(chosen) {
        let one = &stay.candidate;
        let fields = [
            ("round_id", round_id.into()),
            ("patient_id", one.patient_id.into()),
            ("encounter_id", one.encounter_id.into()),
            ("kind", kind.as_str().into()),
            ("site_id", stay.site_id.into()),
            ("department", one.department.as_str().into()),
            ("doctor", stay.doctor.as_str().into()),
            ("visited_on", stay.visited_on.as_str().into()),
            ("invited_on", today.to_string().into()),
            ("guardian", one.is_minor().into()),
            ("place", place.into()),
            ("status", "open".into()),
        ];
        let id = writer.new_id();
        writer.create(&SURVEY_INVITE, id, &fields)?;
    }
    Ok(())
}

/// Ends a round: whoever was not asked by then is not asked any more.
///
/// # Errors
/// `NotFound`, `Conflict` when it is closed already.
pub fn close(ctx: &Ctx, request: RoundRequest) -> Result<Round> {
    ctx.write(|writer| {
        let round = one(writer.connection(), request.id)?;
        if round.status != "open" {
            return Err(Error::new(ErrorCode::Conflict));
        }
        let (now, user) = (writer.now_millis(), writer.user());
        let fields = [("status", "closed".into()), ("closed_at", now.into()), ("closed_by", user.into())];
        writer.update(&SURVEY_ROUND, request.id, &fields)?;
        let open: Vec<Uuid> = {
            let sql = "SELECT id FROM survey_invite WHERE round_id = ?1 AND status = 'open'";
            let mut statement = writer.connection().prepare_cached(sql)?;
            statement.query_map([request.id], |row| row.get("id"))?.collect::<rusqlite::Result<_>>()?
        };
        for id in &open {
            let fields = [("status", "unreached".into()), ("settled_at", now.into())];
            writer.update(&SURVEY_INVITE, *id, &fields)?;
        }
        let detail = json!({ "left": open.len() });
        audit::append(writer.connection(), now, user, "surveys.round_close", Some(request.id), &detail)?;
        one(writer.connection(), request.id)
    })
}

/// The rounds, newest first.
pub fn list(ctx: &Ctx, _: RoundsRequest) -> Result<RoundsResponse> {
    ctx.read(|connection| {
        let sql = "SELECT id FROM survey_round ORDER BY made_at DESC, id DESC LIMIT 200";
        let mut statement = connection.prepare_cached(sql)?;
        let ids: Vec<Uuid> =
            statement.query_map([], |row| row.get("id"))?.collect::<rusqlite::Result<_>>()?;
        let rounds = ids.into_iter().map(|id| one(connection, id)).collect::<Result<_>>()?;
        Ok(RoundsResponse { rounds })
    })
}

/// One round with where it stands.
///
/// # Errors
/// `NotFound`.
pub(super) fn one(connection: &Connection, id: Uuid) -> Result<Round> {
    let mut statement = connection.prepare_cached(include_str!("sql/round.sql"))?;
    Ok(statement.query_row([id], |row| {
        let counts: Counts =
            serde_json::from_str(row.get_ref("counts")?.as_str().unwrap_or_default()).unwrap_or_default();
        Ok(Round {
            id,
            title: row.get("title")?,
            kind: rows::kind(row)?,
            form_code: row.get("form_code")?,
            form_version: row.get("form_version")?,
            visits_from: row.get("visits_from")?,
            visits_to: row.get("visits_to")?,
            method: method(row.get_ref("method")?.as_str()?),
            seed: row.get("seed")?,
            per_department: row.get("per_department")?,
            frame: counts.frame,
            left_out: counts.left_out,
            handed_out: row.get("handed_out")?,
            status: row.get("status")?,
            made_at: row.get("made_at")?,
            made_by: row.get("made_by")?,
            invited: row.get("invited")?,
            open: row.get("open")?,
            answered: row.get("answered")?,
            invalid: row.get("invalid")?,
            refused: row.get("refused")?,
            unreached: row.get("unreached")?,
            sheets: row.get("sheets")?,
            valid: row.get("valid")?,
        })
    })?)
}
